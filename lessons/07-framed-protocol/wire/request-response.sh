# A frame each way: four bytes that say how long, and then the message.
server frame-server --format length32be 127.0.0.1 0
begin frame-client --format length32be "$host" "$port"
tell "hello"
end_input
finish
