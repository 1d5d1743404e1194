#!/usr/bin/env bash
# attack: the same in all functions, end to end: there is no harness in a program, and no other process can be reached
# lesson: 01-socket
# only: end to end/sockets names everything it asks for, in 80 columns
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

{
    sed -n '/^top /,/^C$/p' "$OLDPWD/tests/attacks/memory-of-the-harness.sh" | sed '1d; $d'
} | top $one
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<<'forge();'
