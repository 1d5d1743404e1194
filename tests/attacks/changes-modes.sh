#!/usr/bin/env bash
# attack: permissions, owners and times of what is outside
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>'
starts $one type_name <<C
    static const char *const places[] = {"$WORLD/course/build/bin/grade", "$WORLD/course/solutions", "$WORLD/private",
                                         "$WORLD/class", "/lab/out/unit", "out/unit", "/usr/bin/env", "/etc/passwd"};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (chmod(places[i], 0777) == 0 || chown(places[i], 1, 1) == 0 || utimensat(AT_FDCWD, places[i], NULL, 0) == 0 ||
            setxattr(places[i], "user.a", "b", 1, 0) == 0 || rename(places[i], "/tmp/x") == 0 || truncate(places[i], 0) == 0)
            printf("BROKE" "-OUT %s\\n", places[i]);
C
