#!/usr/bin/env bash
# attack: leave by the bare system call, past every function of the C library
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: ended with status 0 before the test was over
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <sys/syscall.h>'
starts $one type_name <<'C'
    __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
C
