/*
 * confine: start a command that has given up the means to do harm.
 *
 *   confine [--cpu S] [--file MIB] [--space MIB] [--processes N] [--files] [--builds] --
 * COMMAND [ARG...] inside a sandbox, before everything else: limits; with --files the
 * file system too (Landlock: read what a program needs, write only below TMPDIR and out/
 * if --builds). It stays as the parent of all that the command starts (a subreaper), ends
 * when the command ends, and takes every descendant with it. NAME [ARG...]      when
 * called by another name (a symbolic link bin/NAME): start out/bin/NAME, the student's
 * program, with descriptors above 2 closed and no way to reach the test that runs it
 * (Landlock again: no ptrace, no signal, no /proc/PID/mem or fd of a process outside; and
 * no file can be written or made, only sockets in the test's folder: the files of bats,
 * among them the tests themselves, belong to the same user).
 *
 * Where the kernel has no Landlock (before 5.13) the limits alone apply.
 * Sources: landlock(7), prctl(2), setrlimit(2), Linux
 * Documentation/userspace-api/landlock.rst.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Landlock's interface, spelt out: the headers of a distribution may be older than its
 * kernel. */
struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    ASK_VERSION = 1,
    RULE_PATH = 1,
    FS_EXECUTE = 1 << 0,
    FS_WRITE = 1 << 1,
    FS_READ = 1 << 2 | 1 << 3,          /* files and folders */
    FS_MAKE_DEVICES = 1 << 6 | 1 << 11, /* character and block devices: never granted */
    FS_SOCKETS = 1 << 9 | 1 << 5,       /* make sockets, remove files */
    SCOPE_SIGNAL = 1 << 1
};

static int landlock_version(void)
{
    long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    return version < 0 ? 0 : (int)version;
}

/* The size of struct ruleset that a kernel of this version knows. */
static size_t ruleset_size(int version)
{
    return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

/* Every file-system right that a kernel of this version can withhold: linking and
 * truncating came later. */
static uint64_t fs_all(int version)
{
    int rights = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    return (UINT64_C(1) << rights) - 1;
}

static void allow(int ruleset, const char *path, uint64_t what)
{
    struct path_rule rule = {.allowed = what, .fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.fd < 0)
        return; /* what is not there needs no permission */
    if (syscall(ADD_RULE, ruleset, RULE_PATH, &rule, 0) < 0) {
        rule.allowed = what & (FS_EXECUTE | FS_WRITE | 1 << 2); /* a file, not a folder */
        syscall(ADD_RULE, ruleset, RULE_PATH, &rule, 0);
    }
    close(rule.fd);
}

static void allow_files(int ruleset, int version, bool builds)
{
    static const char *const readable[] = {"/usr", "/bin",  "/sbin", "/lib", "/lib64",
                                           "/etc", "/proc", "/sys",  "/opt", "/nix"};
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
        allow(ruleset, readable[i], FS_READ | FS_EXECUTE);
    allow(ruleset, ".", FS_READ | FS_EXECUTE); /* the tree */
    allow(ruleset, "/dev", FS_READ | FS_WRITE);
    uint64_t own = fs_all(version) & ~(uint64_t)FS_MAKE_DEVICES;
    if (getenv("TMPDIR") != NULL)
        allow(ruleset, getenv("TMPDIR"), own);
    if (builds)
        allow(ruleset, "out", own);
}

/* For a student's program. */
static void allow_sockets(int ruleset)
{
    allow(ruleset, "/", FS_READ | FS_EXECUTE);
    allow(ruleset, "/dev", FS_READ | FS_WRITE);
    const char *folder = getenv("BATS_TEST_TMPDIR");
    if (folder != NULL)
        allow(ruleset, folder, FS_READ | FS_EXECUTE | FS_SOCKETS);
}

enum files { FILES_ANY, FILES_PRIVATE, FILES_BUILD, FILES_SOCKETS };

/* Best effort, as the file's head says: every level has other guards besides. */
static void landlock(enum files files, bool scope)
{
    int version = landlock_version();
    if (version == 0)
        return;
    struct ruleset rules = {.fs = files != FILES_ANY ? fs_all(version) : FS_MAKE_DEVICES,
                            .scoped = scope && version >= 6 ? SCOPE_SIGNAL : 0};
    int ruleset = (int)syscall(CREATE_RULESET, &rules, ruleset_size(version), 0);
    if (ruleset < 0)
        return;
    if (files == FILES_SOCKETS)
        allow_sockets(ruleset);
    else if (files != FILES_ANY)
        allow_files(ruleset, version, files == FILES_BUILD);
    syscall(RESTRICT_SELF, ruleset, 0);
    close(ruleset);
}

/*
 * System calls that no lesson needs, refused (seccomp(2)): memory and queues that outlive
 * the process that made them, and doors to the kernel's rarer parts. clone3() cannot be
 * looked into, and the C library takes its absence for an older kernel.
 */
static const int refused[] = {SYS_shmget,
                              SYS_semget,
                              SYS_msgget,
                              SYS_mq_open,
                              SYS_add_key,
                              SYS_keyctl,
                              SYS_request_key,
                              SYS_unshare,
                              SYS_setns,
                              SYS_mount,
                              SYS_umount2,
                              SYS_pivot_root,
                              SYS_bpf,
                              SYS_chroot,
                              SYS_userfaultfd,
                              SYS_io_setup,
                              SYS_process_vm_writev,
                              SYS_perf_event_open};
enum { NAMESPACES = 0x7e020000, REFUSED = sizeof refused / sizeof *refused };

#define FORBID(number)                                             \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(number), 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(member) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

static void install(struct sock_filter *program, size_t n)
{
    struct sock_fprog filter = {.len = (unsigned short)n, .filter = program};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0,
          0); /* best effort, as Landlock */
}

/* A machine's other ways to number its calls: 32-bit programs, and x32. */
static void forbid_other_numbers(void)
{
#ifdef __x86_64__
    struct sock_filter program[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(program, sizeof program / sizeof *program);
#endif
}

static void forbid_calls(void)
{
    struct sock_filter program[2 * REFUSED + 8] = {LOAD(nr)};
    size_t n = 1;
    for (size_t i = 0; i < REFUSED; i++) {
        const struct sock_filter one[] = {FORBID(refused[i])};
        program[n++] = one[0];
        program[n++] = one[1];
    }
    const struct sock_filter clones[] = {
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        LOAD(args[0]), /* low half: little-endian */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    memcpy(program + n, clones, sizeof clones);
    install(program, n + sizeof clones / sizeof *clones);
}

/*
 * Without a PID namespace kill(-1) reaches every process of the user. Landlock keeps
 * signals in only from Linux 6.12; this filter refuses that one call everywhere.
 */
static void forbid_kill_all(void)
{
    struct sock_filter program[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3),
        LOAD(args[0]),
        FORBID(0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(program, sizeof program / sizeof *program);
}

static void limit(int resource, unsigned long most)
{
    struct rlimit now, wanted = {most, most};
    if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
        wanted = (struct rlimit){now.rlim_max, now.rlim_max};
    setrlimit(resource, &wanted);
}

/* bin/NAME, a link to pristine/confine: start out/bin/NAME. */
static int program(char *const argv[])
{
    char self[4096], real[4096 + 64];
    const char *name =
        strrchr(argv[0], '/') == NULL ? argv[0] : strrchr(argv[0], '/') + 1;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return 126;
    self[n] = '\0'; /* .../pristine/confine */
    *strrchr(self, '/') = '\0';
    snprintf(real, sizeof real, "%s/../out/bin/%s", self, name);
    if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0)
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    landlock(FILES_SOCKETS, true);
    execv(real, argv);
    fprintf(stderr, "%s: %s\n", name, strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

/* Sends SIGKILL to every child, grandchildren included as they are handed to this
 * subreaper, until none is left. */
static void end_descendants(void)
{
    char path[64];
    for (;;) {
        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        FILE *children = fopen(path, "re");
        int pid, found = 0;
        while (children != NULL && fscanf(children, "%d", &pid) == 1) {
            kill(pid, SIGKILL);
            found++;
        }
        if (children != NULL)
            fclose(children);
        if (found == 0 && (children != NULL || waitpid(-1, NULL, WNOHANG) <= 0))
            return;
        while (waitpid(-1, NULL, found > 0 ? 0 : WNOHANG) > 0 && --found > 0)
            ;
    }
}

static pid_t start(char *const argv[], const sigset_t *mask)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    sigprocmask(SIG_SETMASK, mask, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(126);
    execvp(argv[0], argv);
    fprintf(stderr, "confine: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Runs the command and waits for its end, or for SIGTERM. Returns its exit status, or 128
 * + the signal's number. */
static int guard(char *const argv[])
{
    sigset_t awaited, before;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t pid = start(argv, &before), ended = 0;
    int status = SIGTERM;
    for (bool told = pid < 0; !told && ended != pid;) {
        told = sigwaitinfo(&awaited, NULL) == SIGTERM;
        int one;
        while (ended != pid && (ended = waitpid(-1, &one, WNOHANG)) > 0)
            status = ended == pid ? one : status;
    }
    end_descendants();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct settings {
    unsigned long cpu, file, space, processes;
    bool files, builds;
};

static char *const *settings_read(char *const argv[], struct settings *settings)
{
    char *const *at = argv + 1;
    for (; *at != NULL && strcmp(*at, "--") != 0; at++) {
        unsigned long *number = strcmp(*at, "--cpu") == 0         ? &settings->cpu
                                : strcmp(*at, "--file") == 0      ? &settings->file
                                : strcmp(*at, "--space") == 0     ? &settings->space
                                : strcmp(*at, "--processes") == 0 ? &settings->processes
                                                                  : NULL;
        if (number != NULL && at[1] != NULL)
            *number = strtoul(*++at, NULL, 10);
        else if (strcmp(*at, "--files") == 0)
            settings->files = true;
        else if (strcmp(*at, "--builds") == 0)
            settings->builds = true;
        else
            return NULL;
    }
    return *at != NULL && at[1] != NULL ? at + 1 : NULL;
}

int main(int argc, char *argv[])
{
    const char *name = argc > 0 ? argv[0] : "";
    name = strrchr(name, '/') == NULL ? name : strrchr(name, '/') + 1;
    if (strcmp(name, "confine") != 0)
        return program(argv);
    struct settings settings = {0};
    char *const *command = settings_read(argv, &settings);
    if (command == NULL) {
        fputs(
            "usage: confine [--cpu S] [--file MIB] [--space MIB] [--processes N] [--files] [--builds] -- COMMAND\n",
            stderr);
        return 126;
    }
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, settings.cpu);
    limit(RLIMIT_FSIZE, settings.file << 20);
    limit(RLIMIT_NOFILE, 1024);
    if (settings.space > 0)
        limit(RLIMIT_AS, settings.space << 20);
    if (settings.processes > 0)
        limit(RLIMIT_NPROC, settings.processes);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    landlock(!settings.files   ? FILES_ANY
             : settings.builds ? FILES_BUILD
                               : FILES_PRIVATE,
             settings.files);
    forbid_other_numbers();
    forbid_calls();
    if (settings.files)
        forbid_kill_all();
    return guard(command);
}
