#!/usr/bin/env bash
# attack: a common variable in place of fork(), so that the runner falls over it and "could not check"
# lesson: 01-socket
# builds: no
# says: it holds a symbol that could take the place of another file's
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'__asm__(".comm fork, 8, 8");'
