#!/usr/bin/env bash
# attack: terminal escape sequences, HTML, NUL and invalid UTF-8, and what looks like a verdict
# lesson: 01-socket
# says: \x1b[2J
# says: <script>alert(1)</script>
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>'
starts $one socket_open family_name <<'C'
    static const char text[] = "\033[2J\033]0;title\007\033[31m\xff\xfe\xc0\x80\0\r\b\x9b"
                               "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;\n"
                               "=HYPERLINK(\"http://example.org\")\n  60 of 60 passed   100/100 points\n";
    (void)!write(2, text, sizeof text - 1);
    abort();
C
