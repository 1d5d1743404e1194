#!/usr/bin/env bash
# attack: each process makes two
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <unistd.h>'
starts $one type_name <<<'for (;;) fork();'
