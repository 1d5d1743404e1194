#!/usr/bin/env bash
# attack: assembler smuggled in as the name of a variable
# lesson: 01-socket
# builds: no
# says: endpoint.c is refused: it holds a constructor
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
void called(void) __asm__("type_name\n.section .init_array, \"aw\"\n.quad type_name\n.text #");
void calls(void);
void calls(void)
{
    called();
}
C
