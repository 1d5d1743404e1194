# Two requests in one segment: the server answers both, in their order, with one write.
server http-server --socket tcp --host 127.0.0.1 --port 0
begin peer connect "$host" "$port"
tell "hex $(printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n' | od -An -v -tx1 | tr -d '\n')"
tell "read 1000"
end_input
finish
