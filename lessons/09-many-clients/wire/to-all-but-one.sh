# Two clients, each served by a thread of its own (c and d): what one says, the other hears.
# Varies: poll,recv,accept4
server chat-server 127.0.0.1 0
begin chat-client "$host" "$port"
first=$id
await "* you are 1" "$id"
begin chat-client "$host" "$port"
second=$id
await "* you are 2" "$id"
tell "hello" "$first"
tell "you" "$second"
