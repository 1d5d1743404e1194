#!/usr/bin/env bash
# attack: brackets a hundred thousand deep
# lesson: 01-socket
# builds: no
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

{
    echo 'int deep = '
    head -c 400000 /dev/zero | tr '\0' '('
    echo ';'
} | bottom $one
