#!/usr/bin/env bash
# attack: unread bytes in a thousand sockets and pipes
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>'
starts $one type_name <<'C'
    static char much[1 << 20];
    for (int fds[2]; socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0;) {
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &(int){1 << 30}, sizeof(int));
        while (write(fds[0], much, sizeof much) > 0)
            ;
    }
C
