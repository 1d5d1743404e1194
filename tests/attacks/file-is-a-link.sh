#!/usr/bin/env bash
# attack: a symbolic link to the solution
# lesson: 01-socket
# builds: no
# says: is a symbolic link; only a regular file is graded
source "${BASH_SOURCE%/*}/common.bash"

ln -sf "$WORLD/course/solutions/01-socket/endpoint.c" $one
