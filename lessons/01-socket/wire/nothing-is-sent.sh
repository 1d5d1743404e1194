# A socket of every kind is made, and no packet leaves.
client sockets
