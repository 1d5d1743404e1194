#!/usr/bin/env bash
# attack: folders in folders, three thousand deep, which no path can name
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>'
starts $one type_name <<'C'
    for (int i = chdir(getenv("TMPDIR")); i < 3000; i++)
        if (mkdir("deeper", 0700) < 0 || chdir("deeper") < 0)
            break;
    chmod(".", 0);
C
