# One client is served, and the next one is one too many: it is connected, told, and sent away without a reset.
# Varies: poll,recv,accept4
server chat-server --most 1 127.0.0.1 0
begin chat-client "$host" "$port"
await "* you are 1" "$id"
begin chat-client "$host" "$port"
finish
