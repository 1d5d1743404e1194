#!/usr/bin/env bash
# attack: functions with the names of main, of the C library's, of Check's and of the harness
# lesson: 01-socket
# says: 0 of 60 passed
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
int main(void);
int main(void)
{
    return 0;
}
#define ZERO(name)                 \
    int name();                    \
    int name() { return 0; }
ZERO(memcmp)
ZERO(strcmp)
ZERO(strncmp)
ZERO(read)
ZERO(getpid)
ZERO(waitpid)
ZERO(fork)
ZERO(lab_expect)
ZERO(lab_begin)
ZERO(judge)
ZERO(report_end)
ZERO(_ck_assert_failed)
ZERO(srunner_ntests_failed)
ZERO(tcase_add_test)
C
