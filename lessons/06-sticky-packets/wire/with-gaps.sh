# The same three with gaps between them: three recv()s, and only luck keeps them apart.
show_output
server splitter-receiver --unpack none 127.0.0.1 0
client burst-sender --nodelay --gap 150000 "$host" "$port" one two three
