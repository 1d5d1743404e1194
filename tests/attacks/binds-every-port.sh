#!/usr/bin/env bash
# attack: listen on every port
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <arpa/inet.h>
#include <sys/socket.h>'
starts $one type_name <<'C'
    for (int port = 1; port < 65536; port++) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0)
            break;
        bind(fd, (struct sockaddr *)&any, sizeof any);
        listen(fd, 5);
    }
C
