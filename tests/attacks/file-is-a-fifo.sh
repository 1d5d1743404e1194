#!/usr/bin/env bash
# attack: a FIFO, at which whoever opens it waits for ever
# lesson: 01-socket
# builds: no
# says: is not a regular file
source "${BASH_SOURCE%/*}/common.bash"

rm $one
mkfifo $one
