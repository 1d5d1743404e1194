# A client sends a ping, and then nothing: after a second the server ends the connection.
# Varies: poll
server heartbeat-server --idle 1000 127.0.0.1 0
begin peer connect "$host" "$port"
tell "hex 0 0 0 0  1"
tell "read 5"
tell "read 100"
end_input
finish
