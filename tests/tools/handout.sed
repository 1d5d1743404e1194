# What the course's texts say of what a handout does not have, as they say it there: no solutions to read, link or compare with,
# and none of the commands that need them.

# Earlier lessons' modules are objects; a program is only the reader's own.
s|solutions/([0-9]+-[a-z-]+)/([a-z-]+-(server\|client))\.c|lessons/\1/\2.c|g
s|solutions/([0-9]+-[a-z-]+)/([a-z_]+)\.c|tests/\1/reference/$(uname -m)/\2.o|g
s| Take its `tcp\.c` from `solutions/`\.| Take `tests/02-bind-listen-accept/reference/$(uname -m)/tcp.o`.|
s|`solutions/`|`tests/NN-topic/reference/`|g
s|in place of the solution's, when|in place of the reference's, when|

# Scenes are played by the reader's own programs.
s/ \(`WIRE=solution`: [^)]*\)//g
s/ WIRE=solution//g

# What one could compare with, or measure.
s/When all passes, `make diff-[0-9]+` shows your code beside the solution\. //
/^Stuck\? .*Once all passes, `make diff-01` shows the reference$/ {
    N
    s/ Once all passes, .*//
}
/^`make bench` puts the servers/,/^$/d

# What stands in tests/ for whoever works on the course.
s/; a mutant in the tests does just that\././
s/ make test-10 runs 10,000 clients: tests\/10-event-loop\/chat\.bats tells the figure\.//
s/Each is a mutant in tests\/11-staying-alive\/mutants\. //
