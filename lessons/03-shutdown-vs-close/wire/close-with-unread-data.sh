# A server sends its answer and closes, with the question unread: FIN becomes RST.
begin_server peer listen 127.0.0.1
server=$id
begin count-client "$host" "$port"
client=$id
tell "accept" "$server"
tell "one two" "$client"
end_input "$client"
tell "send answer" "$server"
tell "close" "$server"
finish "$client"
