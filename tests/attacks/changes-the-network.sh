#!/usr/bin/env bash
# attack: take loopback down, by ioctl() and by netlink
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>'
starts $one type_name <<'C'
    struct ifreq lo = {.ifr_name = "lo"};
    struct { struct nlmsghdr head; struct ifinfomsg info; } down = {
        .head = {sizeof down, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, .info = {.ifi_index = 1, .ifi_change = IFF_UP}};
    char answer[512] = "";
    int plain = socket(AF_INET, SOCK_DGRAM, 0), link = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (ioctl(plain, SIOCSIFFLAGS, &lo) == 0)
        printf("BROKE" "-OUT by ioctl()\n");
    if (send(link, &down, sizeof down, 0) > 0 && recv(link, answer, sizeof answer, MSG_DONTWAIT) > 0 &&
        ((struct nlmsgerr *)(answer + sizeof down.head))->error == 0)
        printf("BROKE" "-OUT by netlink\n");
    close(plain), close(link);
C
