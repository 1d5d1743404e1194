# Three messages, three packets, one recv(): the receiver reads late, and a stream has no packets.
begin_server peer listen 127.0.0.1
client burst-sender --nodelay "$host" "$port" one two three
tell "accept" "$last_server"
tell "read 100" "$last_server"
tell "read 100" "$last_server"
