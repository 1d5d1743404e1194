#!/usr/bin/env bash
# attack: five thousand warnings, with colours and HTML in them
# lesson: 01-socket
# says: 0 of 60 passed
source "${BASH_SOURCE%/*}/common.bash"

for ((i = 0; i < 5000; i++)); do printf '#warning <b>\033[31m more\n'; done | bottom $one
