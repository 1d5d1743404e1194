#!/usr/bin/env bash
# attack: call what ends a test as skipped, which takes no points away (weakly, so that the programs can be linked too)
# lesson: 01-socket
# builds: no
# says: it uses lab_skip, which belongs to the tests
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'void lab_skip(const char *what) __attribute__((weak));'
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<<'lab_skip("time");'
