#!/usr/bin/env bash
# attack: the lesson's folder is a symbolic link to that of the solution
# lesson: 01-socket
# builds: no
# says: symbolic link
source "${BASH_SOURCE%/*}/common.bash"

rm -r 01-socket
ln -s "$WORLD/course/solutions/01-socket" 01-socket
