#!/usr/bin/env bash
# attack: .preinit_array, .ctors and .init by assembler
# lesson: 01-socket
# builds: no
# says: endpoint.c is refused: it holds code that runs before main()
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
__asm__(".section .preinit_array, \"aw\"\n.quad type_name\n.section .ctors, \"aw\"\n.quad type_name\n"
        ".section .init, \"ax\"\ncall type_name\n.text");
C
