#!/usr/bin/env bash
# attack: variables larger than any memory
# lesson: 01-socket
# builds: no
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'char giant[1L << 45]; char giants[1L << 45];'
