#!/usr/bin/env bash
# attack: files in every file system that is memory, up to 3 GiB
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <unistd.h>'
starts $one type_name <<'C'
    static const char *const folders[] = {"", "/dev", "/dev/shm", "/tmp", "/run", "/etc", "/lab", "/var"};
    static char much[1 << 24], path[64];
    long filled = 0;
    for (int i = 0; i < 8 * 24 && filled <= 100 << 20; i++) {
        snprintf(path, sizeof path, "%s/more-%d", folders[i % 8], i);
        int file = open(path, O_CREAT | O_WRONLY, 0600);
        ssize_t n = write(file, much, sizeof much - 1);
        filled += n > 0 ? n : 0;
        close(file);
    }
    if (filled > 100 << 20)
        printf("BROKE" "-OUT with %ld bytes\n", filled);
C
