# A server's first client: three packets before anybody has called accept().
server echo-server 127.0.0.1 0
begin echo-client "$host" "$port"
tell "hello"
end_input
finish
