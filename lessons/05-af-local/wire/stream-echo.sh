# A stream on this machine: the calls are TCP's, and no packet is sent. The messages drawn are what the calls carried.
server local-echo-server ./echo
begin local-echo-client "$path"
tell "hello"
end_input
finish
