# An empty datagram, one that is too long, and a right one: each recvmsg() takes one, and one is answered.
server udp-server 127.0.0.1 0
begin peer udp "$host" "$port"
tell "send"
tell "send more than sixteen bytes"
tell "hex 64 0 0 0  0 0 0 0  33 33 33 33 33 33 24 40"
tell "read 100"
