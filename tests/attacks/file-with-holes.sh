#!/usr/bin/env bash
# attack: a source of 1 TiB that takes no room on the disk
# lesson: 01-socket
# builds: no
# says: is larger than 1 MiB
source "${BASH_SOURCE%/*}/common.bash"

truncate -s 100G $one
