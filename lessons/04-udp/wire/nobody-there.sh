# Nobody has the port: connect() and send() find nothing wrong, and then an ICMP message comes.
client udp-client 127.0.0.1 "$(a_free_port)"
