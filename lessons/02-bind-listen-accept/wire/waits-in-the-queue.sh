# Two clients, one server: the second is connected, and heard, long before accept() takes it.
server echo-server 127.0.0.1 0
begin echo-client "$host" "$port"
first=$id
tell "one"
begin echo-client "$host" "$port"
second=$id
tell "two"
end_input "$first"
finish "$first"
end_input "$second"
finish "$second"
