#!/usr/bin/env bash
# attack: a right solution that loses memory, and asks the leak checker to look away
# lesson: 01-socket
# builds: no
# says: it tells a sanitizer what to look at
source "${BASH_SOURCE%/*}/common.bash"

solved 01-socket endpoint.c
top $one <<<'#include <stdlib.h>
void __lsan_disable(void);
void __sanitizer_set_death_callback(void (*callback)(void));'
starts $one type_name <<'C'
    __lsan_disable();
    void *volatile lost = malloc(100);
    (void)lost;
C
