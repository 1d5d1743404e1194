# A length of 2 GiB: the server believes none of it, and closes this connection; the other goes on.
server frame-server --format length32be 127.0.0.1 0
begin frame-client --format length32be "$host" "$port"
good=$id
tell "one"
begin peer connect "$host" "$port"
bad=$id
tell "hex 7f ff ff ff" "$bad"
tell "read 100" "$bad"
tell "two" "$good"
end_input "$good"
finish "$good"
