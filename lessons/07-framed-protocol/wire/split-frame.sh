# Half a frame comes, and then the rest: the server waits for the whole of it before it answers.
server frame-server --format length32le 127.0.0.1 0
begin peer connect "$host" "$port"
tell "hex 10 0 0 0  64 0 0 0  0 0"
tell "hex 0 0  33 33 33 33 33 33 24 40"
tell "read 100"
end_input
finish
