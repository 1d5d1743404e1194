# Three frames come in one segment: three answers leave in one write.
server loop-echo-server --unpack length32be 127.0.0.1 0
begin peer connect "$host" "$port"
tell "hex 0 0 0 1 61  0 0 0 2 62 63  0 0 0 1 64"
tell "read 100"
end_input
finish
