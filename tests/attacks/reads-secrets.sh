#!/usr/bin/env bash
# attack: read what belongs to others: keys, environments and memory of other processes
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <glob.h>
#include <unistd.h>'
starts $one type_name <<C
    static const char *const places[] = {"$WORLD/private/canary", "/etc/shadow", "/root/*", "/root/.ssh/*", "/home/*/.ssh/*",
                                         "/proc/1/environ", "/proc/1/mem", "/proc/kcore", "/dev/mem", "/dev/sd?", "/dev/vd?",
                                         "/var/lib/*/*", "/run/*/*", "/sys/kernel/debug/*", "/proc/sys/kernel/core_pattern"};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        glob_t found;
        for (size_t j = 0; glob(places[i], 0, NULL, &found) == 0 && j < found.gl_pathc; j++) {
            char byte;
            int file = open(found.gl_pathv[j], i == 14 ? O_WRONLY : O_RDONLY);
            if (file >= 0 && (i == 14 || (read(file, &byte, 1) == 1 && i != 5 && i != 6)))
                printf("BROKE" "-OUT %s\n", found.gl_pathv[j]);
        }
    }
C
