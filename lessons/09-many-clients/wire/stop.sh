# SIGTERM while a client is connected: its stream is ended, its own end awaited, and only then does the server end.
# Varies: poll,recv,accept4
server chat-server 127.0.0.1 0
begin chat-client "$host" "$port"
await "* you are 1" "$id"
stop TERM
finish
