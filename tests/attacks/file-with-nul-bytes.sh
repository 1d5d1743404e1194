#!/usr/bin/env bash
# attack: NUL bytes, a BOM in the middle, characters that turn the direction of writing, trigraphs
# lesson: 01-socket
# says: 0 of 60 passed
source "${BASH_SOURCE%/*}/common.bash"

printf '/* \0\0\0 \357\273\277 ??/\n*/\n/*\342\200\256 } \342\201\246if (right)\342\201\251 \342\201\246 begin */\n' | bottom $one
