# Nobody listens on the port: the answer is an RST.
client echo-client 127.0.0.1 "$(a_free_port)"
