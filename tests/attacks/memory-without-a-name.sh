#!/usr/bin/env bash
# attack: memory in files that have no name and are mapped nowhere
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: MiB of memory
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <sys/mman.h>
#include <unistd.h>'
starts $one type_name <<'C'
    static char much[1 << 24];
    for (int i = 0; i < 3; i++)
        fork(); /* eight are faster */
    for (int i = 0; i < 12; i++)
        (void)!write(memfd_create("more", 0), much, sizeof much - 1);
    pause();
C
