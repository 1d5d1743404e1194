# One socket, two descriptors: close() of the first sends nothing, close() of the last sends FIN.
begin_server peer listen 127.0.0.1
server=$id
begin peer connect "$host" "$port"
client=$id
tell "accept" "$server"
tell "dup" "$client"
tell "close" "$client"
tell "use 4" "$client"
tell "send still here" "$client"
tell "read 100" "$server"
tell "close" "$client"
tell "read 100" "$server"
