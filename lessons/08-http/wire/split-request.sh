# A request in two pieces, cut in its first word: one answer, when the last byte is there.
server http-server --socket tcp --host 127.0.0.1 --port 0
begin peer connect "$host" "$port"
tell "hex $(printf 'GE' | od -An -v -tx1)"
tell "hex $(printf 'T / HTTP/1.1\r\nHost: a\r\n\r\n' | od -An -v -tx1 | tr -d '\n')"
tell "read 1000"
end_input
finish
