# The first question is lost: after 200 ms the client asks again, with twice the patience.
begin_server peer udp 127.0.0.1
tell "read 100"
tell "read 100"
tell "say the second"
begin udp-client "$host" "$port" 200 2
await "the second"
tell "hex 0 0 0 0  0 0 0 0  0 0 0 0 0 0 0 0" "$last_server"
