#!/usr/bin/env bash
# attack: an endless loop
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: was still running, in its own code
source "${BASH_SOURCE%/*}/common.bash"

starts $one type_name <<<'for (volatile int forever = 1; forever;) { }'
