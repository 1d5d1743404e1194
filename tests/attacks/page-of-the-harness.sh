#!/usr/bin/env bash
# attack: set the mark that says that a test came to its end
# lesson: 01-socket
# builds: no
# says: it uses lab_page, which belongs to the tests
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <stdint.h>
#include <unistd.h>
struct page {
    uint64_t wanted, mark;
    int status;
};
extern struct page *lab_page __attribute__((weak));
C
starts $one type_name <<'C'
    lab_page->mark = lab_page->wanted;
    _exit(lab_page->status);
C
