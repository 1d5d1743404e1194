# A client throws its connection away; the server goes on to the next one.
server count-server 127.0.0.1 0
begin peer connect "$host" "$port"
tell "send one t"
tell "abort"
end_input
finish
client count-client "$host" "$port" <<<"one two"
