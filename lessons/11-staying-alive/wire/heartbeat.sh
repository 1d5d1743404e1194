# A line goes to the server and comes back; the connection has a heartbeat.
# Varies: poll
server heartbeat-server 127.0.0.1 0
begin patient-client --interval 2500 "$host" "$port"
tell "hello"
end_input
finish
