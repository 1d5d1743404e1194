# A head that is too long: the answer, the end of the server's stream, and only after the client's end the close.
server http-server --socket tcp --host 127.0.0.1 --port 0
begin peer connect "$host" "$port"
tell "hex $(head -c 8193 /dev/zero | tr '\0' G | od -An -v -tx1 | tr -d '\n')"
tell "read 1000"
end_input
finish
