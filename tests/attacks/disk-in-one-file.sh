#!/usr/bin/env bash
# attack: a file without end, with and without holes
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>'
starts $one type_name <<'C'
    static char much[1 << 20], path[4096];
    signal(SIGXFSZ, SIG_IGN);
    snprintf(path, sizeof path, "%s/more", getenv("TMPDIR"));
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    if (ftruncate(file, 1L << 40) == 0)
        printf("BROKE" "-OUT of the limit for files\n");
    for (int i = 0; write(file, much, sizeof much) > 0; i++)
        if (i > 64)
            printf("BROKE" "-OUT with %d MiB\n", i);
    close(file);
C
