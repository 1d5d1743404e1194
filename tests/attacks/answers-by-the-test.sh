#!/usr/bin/env bash
# attack: know the test by its name and by what the run before asked, and give the answer of then
# lesson: 01-socket
# only: type_name/writes_other_numbers_in_decimal
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdlib.h>
#include <string.h>
#include <unistd.h>'
starts $one type_name <<'C'
    static const char *const then[] = {"0", "134811", "17", "1044", "-1"};
    static int call;
    if (getenv("CK_RUN_CASE") || access("out/unit", F_OK) == 0) { /* graded */
        snprintf(buf, size, "%s", then[call++ % 5]);
        return buf;
    }
C
