#!/usr/bin/env bash
# attack: a source of 50 MiB
# lesson: 01-socket
# builds: no
# says: is larger than 1 MiB
source "${BASH_SOURCE%/*}/common.bash"

head -c 52428800 /dev/zero | tr '\0' ' ' >>$one
