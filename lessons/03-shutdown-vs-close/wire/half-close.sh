# The client ends its stream and still gets the answer.
server count-server 127.0.0.1 0
begin count-client "$host" "$port"
tell "one two"
end_input
finish
