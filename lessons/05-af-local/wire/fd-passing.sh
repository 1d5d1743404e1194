# A server passes one end of a pair: the client reads from a socket that it never opened.
begin_server peer listen ./door
server=$id
begin peer connect "$path"
client=$id
tell "accept" "$server"
tell "pair" "$server"
tell "take" "$client"
tell "pass 6" "$server"
tell "use 5" "$server"
tell "read 100" "$client"
tell "send through the other end" "$server"
