/*
 * claim: PF_ constants make a socket, AF_ constants fill an address: two sets of numbers.
 * predict: In how many of seven families does PF_x differ from AF_x? And what does
 *   socket(AF_INET, ...) do, which names a family of addresses where a protocol's is due?
 * why: In 1983 one protocol family was expected to serve several address families. None
 *   ever did. The headers define each PF_ as its AF_, POSIX has AF_ alone, and so do we.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    const struct {
        const char *name;
        int pf, af;
    } families[] = {
        {"UNSPEC", PF_UNSPEC, AF_UNSPEC}, {"UNIX", PF_UNIX, AF_UNIX},
        {"LOCAL", PF_LOCAL, AF_LOCAL},    {"INET", PF_INET, AF_INET},
        {"INET6", PF_INET6, AF_INET6},    {"PACKET", PF_PACKET, AF_PACKET},
        {"RDS", PF_RDS, AF_RDS},
    };
    int differ = 0;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        printf("PF_%-6s = %2d   AF_%-6s = %2d\n", families[i].name, families[i].pf,
               families[i].name, families[i].af);
        differ += families[i].pf != families[i].af;
    }

    int by_pf = socket(PF_INET, SOCK_DGRAM, 0);
    printf("socket(PF_INET, SOCK_DGRAM, 0) = %d\n", by_pf);
    int by_af = socket(AF_INET, SOCK_DGRAM, 0);
    printf("socket(AF_INET, SOCK_DGRAM, 0) = %d\n", by_af);
    if (by_pf == -1 || by_af == -1) {
        printf("so: this kernel gives no IPv4 socket: %s\n", strerror(errno));
        return 0;
    }
    close(by_pf);
    close(by_af);
    if (differ == 0)
        puts("so: they are the same numbers under two names: write AF_ everywhere");
    else
        printf("so: %d of them differ on this system\n", differ);
    return 0;
}
