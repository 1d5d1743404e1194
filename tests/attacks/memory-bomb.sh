#!/usr/bin/env bash
# attack: memory without end, of its own
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: MiB of memory
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <string.h>
#include <sys/mman.h>
#include <unistd.h>'
starts $one type_name <<'C'
    for (int i = 0; i < 3; i++)
        fork(); /* eight are faster */
    for (int i = 0; i < 3; i++) /* on a shared machine no more than it takes to be seen */
        memset(mmap(0, 1 << 26, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, 1 << 26);
    pause();
C
