# A server is killed, and its file outlives it: nobody answers there, until the next server takes the path.
server local-echo-server ./echo
stop KILL
client local-echo-client ./echo
server local-echo-server ./echo
client local-echo-client ./echo <<<"hello"
