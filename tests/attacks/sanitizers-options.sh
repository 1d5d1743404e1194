#!/usr/bin/env bash
# attack: a right solution that loses memory, and defines the functions that configure the sanitizers
# lesson: 01-socket
# only: type_name/writes_other_numbers_in_decimal
# says: bytes that it had allocated
source "${BASH_SOURCE%/*}/common.bash"

solved 01-socket endpoint.c
top $one <<'C'
#include <stdlib.h>
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:exitcode=0";
}
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:*";
}
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
C
starts $one type_name <<'C'
    void *volatile lost = malloc(100);
    lost = NULL;
C
