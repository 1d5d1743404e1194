# Cut anywhere, stuck together: with a delimiter the receiver gets whole messages all the same.
show_output
server splitter-receiver --unpack "delimiter:;" 127.0.0.1 0
begin peer connect "$host" "$port"
tell "send on"
tell "send e;two;th"
tell "send ree;"
end_input
finish
