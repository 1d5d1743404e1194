#!/usr/bin/env bash
# attack: a file that includes itself, twice
# lesson: 01-socket
# builds: no
# says: #include nested depth
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include "endpoint.c"
#include "endpoint.c"'
