#!/usr/bin/env bash
# attack: the same under another name
# lesson: 01-socket
# builds: no
# says: it uses lab_error, which belongs to the tests
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#pragma redefine_extname harmless lab_error
void harmless(const char *what) __attribute__((weak));
C
starts $one type_name <<<'harmless("close()");'
