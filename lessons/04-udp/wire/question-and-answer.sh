# One datagram each way: nothing before it, nothing behind it.
server udp-server 127.0.0.1 0
begin peer udp "$host" "$port"
tell "hex 64 0 0 0  0 0 0 0  33 33 33 33 33 33 24 40"
tell "read 100"
end_input
finish
