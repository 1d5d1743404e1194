# One client has sent half a line; another one is served meanwhile; then the rest comes.
server loop-echo-server --unpack lines 127.0.0.1 0
begin peer connect "$host" "$port"
slow=$id
begin peer connect "$host" "$port"
quick=$id
tell "hex 68 65 6c" "$slow"
tell "hex 68 69 0a" "$quick"
tell "read 100" "$quick"
tell "hex 6c 6f 0a" "$slow"
tell "read 100" "$slow"
end_input "$quick"
finish "$quick"
end_input "$slow"
finish "$slow"
