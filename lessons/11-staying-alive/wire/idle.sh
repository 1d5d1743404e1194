# A client sends a ping, and then nothing: after 100 ms the server ends the connection.
server heartbeat-server --idle 100 127.0.0.1 0
begin peer connect "$host" "$port"
tell "hex 0 0 0 0  1"
tell "read 5"
tell "read 100"
end_input
finish
