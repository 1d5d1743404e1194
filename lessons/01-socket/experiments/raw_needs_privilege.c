/*
 * claim: Only root can open a raw socket.
 * predict: A child gives up every privilege, root's too, and asks for a raw socket. Then
 *   it moves into a user and a network namespace of its own, and asks again. Which errno,
 *   if any, does each of the two get?
 * why: What counts is CAP_NET_RAW in the user namespace that owns the network namespace;
 *   root merely has it. Who makes a new user namespace has every capability inside, and a
 *   network made there is a network of its own. Where users may not make namespaces
 *   (containers, Ubuntu's AppArmor rule), the second answer is another.
 */
#define _GNU_SOURCE /* unshare, CLONE_NEWUSER */
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int raw(const char *where)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    printf("%s: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = %d%s\n", where, fd,
           fd != -1         ? ""
           : errno == EPERM ? " EPERM"
                            : " (not EPERM)");
    if (fd != -1)
        close(fd);
    return fd != -1;
}

static int in_the_child(void)
{
    struct __user_cap_header_struct self = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{.effective = 0}};
    if (syscall(SYS_capset, &self, none) == -1)
        printf("capset(none) = -1 (%s)\n", strerror(errno));
    int before = raw("without privileges");

    int result = unshare(CLONE_NEWUSER | CLONE_NEWNET);
    printf("unshare(CLONE_NEWUSER | CLONE_NEWNET) = %d%s%s\n", result, result ? " " : "",
           result ? strerror(errno) : "");
    int after = result == 0 && raw("in a namespace of its own");
    if (result == -1)
        puts("so: this system lets ordinary users make no namespace, so no raw socket");
    else if (!before && after)
        puts("so: not root but CAP_NET_RAW is needed, and a user namespace gives it");
    else
        printf("so: here it was %s before and %s in the namespace\n",
               before ? "allowed" : "refused", after ? "allowed" : "refused");
    fflush(stdout);
    return 0;
}

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(in_the_child());
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}
