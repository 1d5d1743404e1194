/*
 * claim: socket(AF_BYPASS, SOCK_SEQPACKET, BYPASSPROTO_RDS) makes an RDS socket.
 * predict: Does this program even know AF_BYPASS? What will socket(AF_RDS, ...) return
 *   here: a descriptor, EAFNOSUPPORT, ESOCKTNOSUPPORT or EPROTONOSUPPORT?
 * why: AF_BYPASS is AIX's name. Linux calls the family AF_RDS (21) and serves it from a
 *   module (rds) that few systems have or load; without it there is no such family at
 *   all, and that is what EAFNOSUPPORT says. The type and the protocol are not even
 *   looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
#ifdef AF_BYPASS
    printf("AF_BYPASS = %d\n", AF_BYPASS);
    const char *bypass = "known";
#else
    puts("AF_BYPASS is not defined in <sys/socket.h>");
    const char *bypass = "unknown";
#endif
    int fd = socket(AF_RDS, SOCK_SEQPACKET, 0);
    int error = errno;
    if (fd >= 0) {
        printf("socket(AF_RDS, SOCK_SEQPACKET, 0) = %d\n", fd);
        close(fd);
        printf("so: AF_BYPASS is %s here, and AF_RDS is served by this kernel\n", bypass);
    } else if (error == EAFNOSUPPORT) {
        puts("socket(AF_RDS, SOCK_SEQPACKET, 0) = -1 EAFNOSUPPORT");
        printf("so: AF_BYPASS is %s here, and this kernel has no AF_RDS either\n",
               bypass);
    } else {
        printf("socket(AF_RDS, SOCK_SEQPACKET, 0) = -1 (%s)\n", strerror(error));
        printf("so: AF_BYPASS is %s here, and AF_RDS is refused\n", bypass);
    }
    return 0;
}
