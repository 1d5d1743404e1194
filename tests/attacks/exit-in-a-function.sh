#!/usr/bin/env bash
# attack: exit(0) in each function, which Check takes for a pass
# lesson: 01-socket
# says: called exit(0)
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdlib.h>'
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<<'exit(0);'
