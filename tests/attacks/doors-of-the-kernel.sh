#!/usr/bin/env bash
# attack: namespaces, mounts, users, kernel memory, keyrings and what else a sandbox is left by
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/prctl.h>
#include <unistd.h>
static void try(const char *name, long result)
{
    if (result >= 0)
        printf("BROKE" "-OUT %s\n", name);
}
#define TRY(number, ...) try(#number, syscall(number, __VA_ARGS__))
C
starts $one type_name <<'C'
    TRY(SYS_unshare, CLONE_NEWUSER);
    TRY(SYS_unshare, CLONE_NEWNS);
    TRY(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    TRY(SYS_setns, 0, 0);
    TRY(SYS_mount, "none", "/tmp", "tmpfs", 0, 0);
    TRY(SYS_umount2, "/proc", 2);
    TRY(SYS_pivot_root, ".", ".");
    TRY(SYS_chroot, "/tmp");
    TRY(SYS_setuid, 0);
    TRY(SYS_setresgid, 0, 0, 0);
    TRY(SYS_setgroups, 0, 0);
    TRY(SYS_sethostname, "mine", 4);
    TRY(SYS_bpf, 0, "", 72);
    TRY(SYS_userfaultfd, 0);
    TRY(SYS_perf_event_open, "", 0, -1, -1, 0);
    TRY(SYS_keyctl, 0, -3, 1);
    TRY(SYS_add_key, "user", "attack", "x", 1, -4);
    TRY(SYS_shmget, 0, 4096, 01600);
    TRY(SYS_semget, 0, 1, 01600);
    TRY(SYS_msgget, 0, 01600);
    TRY(SYS_mq_open, "attack", 0102, 0600, 0);
    TRY(SYS_init_module, "", 0, "");
    TRY(SYS_kexec_load, 0, 0, 0, 0);
    TRY(SYS_swapon, "/tmp/x", 0);
    TRY(SYS_settimeofday, "0123456789abcdef", 0);
    TRY(SYS_ptrace, 16, getppid(), 0, 0);
    TRY(SYS_setpriority, 0, 0, -10);
    TRY(SYS_mknodat, -100, "/tmp/device", 020666, 0x101);
    TRY(SYS_quotactl, 0, "", 0, "");
#ifdef __x86_64__
    long old;
    __asm__ volatile("int $0x80" : "=a"(old) : "a"(20) : "r8", "r9", "r10", "r11", "memory");
    try("a 32-bit call", old > 0 ? 0 : -1);
    TRY(SYS_getpid | 0x40000000, 0);
    TRY(SYS_iopl, 3);
#endif
C
