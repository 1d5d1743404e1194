#!/usr/bin/env bash
# attack: ptrace, the memory and the descriptors of the runner and of all others
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>'
starts $one type_name <<'C'
    for (pid_t pid = 1; pid < 1000; pid++) {
        char path[64], bytes[8] = "";
        struct iovec mine = {bytes, 8}, its = {(void *)0x400000, 8};
        if (pid == getpid() || kill(pid, 0) == -1)
            continue;
        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        int memory = open(path, O_RDWR), handle = (int)syscall(SYS_pidfd_open, pid, 0);
        snprintf(path, sizeof path, "/proc/%d/fd/1", pid);
        if (memory >= 0 || open(path, O_WRONLY) >= 0 || ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 ||
            process_vm_readv(pid, &mine, 1, &its, 1, 0) > 0 || process_vm_writev(pid, &mine, 1, &its, 1, 0) > 0 ||
            syscall(SYS_pidfd_getfd, handle, 1, 0) >= 0)
            printf("BROKE" "-OUT to process %d\n", pid);
        close(handle);
    }
C
