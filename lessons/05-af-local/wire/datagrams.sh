# Datagrams: the client asks the kernel for a name, or nobody could answer it.
server local-echo-server --type datagram ./echo
begin local-echo-client --type datagram "$path"
tell "hello"
tell "bye"
end_input
finish
