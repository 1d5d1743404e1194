#!/usr/bin/env bash
# attack: an entry of its own in the list of tests
# lesson: 01-socket
# builds: no
# says: it holds a section that belongs to the tests
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'static const void *const entry __attribute__((used, section("lab_tests"))) = 0;'
