#!/usr/bin/env bash
# attack: a device that never ends
# lesson: 01-socket
# builds: no
# says: is not a regular file
source "${BASH_SOURCE%/*}/common.bash"

rm $one
mknod $one c 1 5 || mkdir $one # without the right to make one, a folder
