#!/usr/bin/env bash
# attack: talk to what listens outside: abstract names, sockets that are files, the network
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>'
starts $one type_name <<C
    struct sockaddr_un abstract = {.sun_family = AF_UNIX}, file = {.sun_family = AF_UNIX, .sun_path = "$WORLD/socket"};
    strcpy(abstract.sun_path + 1, "$CANARY");
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = 53 << 8, .sin_addr.s_addr = 0x01010101};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract.sun_path + 1));
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(a, (struct sockaddr *)&abstract, length) == 0 || connect(b, (struct sockaddr *)&file, sizeof file) == 0 ||
        connect(c, (struct sockaddr *)&far, sizeof far) == 0 || socket(AF_INET, SOCK_RAW, 1) >= 0 ||
        socket(AF_PACKET, SOCK_RAW, 0) >= 0)
        printf("BROKE" "-OUT to a listener\n");
    close(a), close(b), close(c);
C
