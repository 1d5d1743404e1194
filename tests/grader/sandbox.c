/*
 * Three levels, the first that this machine allows:
 *
 *   namespaces  bubblewrap: user, PID, IPC, mount and network namespaces; only lo; a
 * private /tmp uid         root without namespaces: a user that owns nothing, limits,
 * Landlock where there is one limits      limits and Landlock alone, for the student's
 * own machine
 *
 * On each, confine (see confine.c) is the first program inside. A grader that runs as
 * root gives every sandbox a user of its own on the first level too, so that even a way
 * out of the namespaces would lead nowhere.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Arguments of a command being put together; nothing frees them: they live in a process
 * that is about to exec. */
struct arguments {
    const char *list[192];
    size_t n;
};

static void add(struct arguments *arguments, const char *word)
{
    if (arguments->n + 1 < sizeof arguments->list / sizeof *arguments->list)
        arguments->list[arguments->n++] = word;
    arguments->list[arguments->n] = NULL;
}

static void add_all(struct arguments *arguments, const char *const *words)
{
    for (; *words != NULL; words++)
        add(arguments, *words);
}

static void add_bind(struct arguments *arguments, const char *how, const char *from,
                     const char *to)
{
    add_all(arguments, (const char *const[]){how, from, to, NULL});
}

/* The machine's own files, read-only: programs and libraries, and of /etc what resolving
 * names needs. */
static void add_system(struct arguments *arguments)
{
    static const char *const folders[] = {"/bin",   "/sbin",   "/lib", "/lib64",
                                          "/lib32", "/libx32", "/opt", NULL};
    static const char *const files[] = {
        "/etc/hosts",     "/etc/nsswitch.conf", "/etc/services",    "/etc/protocols",
        "/etc/passwd",    "/etc/group",         "/etc/ld.so.cache", "/etc/ld.so.conf",
        "/etc/host.conf", "/etc/alternatives",  "/etc/gai.conf",    NULL};
    add_bind(arguments, "--ro-bind", "/usr", "/usr");
    for (const char *const *folder = folders; *folder != NULL; folder++) {
        char target[256];
        ssize_t n = readlink(*folder, target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            add_bind(arguments, "--symlink", text_copy(target), *folder);
        } else {
            add_bind(arguments, "--ro-bind-try", *folder, *folder);
        }
    }
    for (const char *const *file = files; *file != NULL; file++)
        add_bind(arguments, "--ro-bind-try", *file, *file);
}

/* A file system in memory, of so many bytes. */
static void add_memory(struct arguments *arguments, const struct sandbox *sandbox,
                       const char *place, const char *size)
{
    if (!sandbox->unsized)
        add_all(arguments, (const char *const[]){"--size", size, NULL});
    add_all(arguments, (const char *const[]){"--tmpfs", place, NULL});
}

static void add_bubblewrap(struct arguments *arguments, const struct sandbox *sandbox,
                           bool builds)
{
    char *tree = text_format("%s/tree", sandbox->workspace),
         *out = text_format("%s/tree/out", sandbox->workspace);
    add_all(arguments, (const char *const[]){"bwrap", "--unshare-all", "--unshare-user",
                                             "--uid", "1000", "--gid", "1000",
                                             "--hostname", "lab", "--die-with-parent",
                                             "--new-session", "--cap-drop", "ALL", NULL});
    add_system(arguments);
    add_all(arguments, (const char *const[]){"--proc", "/proc", "--dev", "/dev", NULL});
    add_memory(arguments, sandbox, "/dev/shm", "16777216");
    add_memory(arguments, sandbox, "/tmp", "67108864");
    add_all(arguments, (const char *const[]){"--dir", "/run", NULL});
    add_bind(arguments, "--ro-bind", tree, "/lab");
    if (builds)
        add_bind(arguments, "--bind", out, "/lab/out");
    /* The root and /dev are made in memory too, with no bound. */
    add_all(arguments, (const char *const[]){"--remount-ro", "/dev", "--remount-ro", "/",
                                             "--chdir", "/lab", "--", NULL});
}

/* How many processes and threads this user has now: on the lowest level its limit must
 * leave these alone. */
static unsigned long tasks_of_user(uid_t user)
{
    unsigned long tasks = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        struct stat status;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            fstatat(dirfd(proc), entry->d_name, &status, 0) < 0 || status.st_uid != user)
            continue;
        char *path = text_format("/proc/%s/task", entry->d_name);
        if (stat(path, &status) == 0)
            tasks += status.st_nlink - 2;
        free(path);
    }
    if (proc != NULL)
        closedir(proc);
    return tasks;
}

static bool kernel_counts_by_namespace(void)
{
    struct utsname name;
    int major = 0, minor = 0;
    return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

static void add_confine(struct arguments *arguments, const struct sandbox *sandbox,
                        const struct command *command)
{
    enum { PROCESSES = 192 };
    /* A user of its own has no other processes, and in a user namespace they do not count, from Linux 5.14 on. */
    bool alone = sandbox->uid != 0 ||
                 (sandbox->level == LEVEL_NAMESPACES && kernel_counts_by_namespace());
    unsigned long others = alone ? 0 : tasks_of_user(getuid());
    add(arguments, sandbox->level == LEVEL_NAMESPACES ? "/lab/pristine/confine"
                                                      : "pristine/confine");
    add(arguments, "--cpu");
    add(arguments, text_format("%u", command->limits.cpu_seconds));
    add(arguments, "--file");
    add(arguments, text_format("%lu", command->limits.file_mib));
    add(arguments, "--space");
    add(arguments, text_format("%lu", command->limits.space_mib));
    add(arguments, "--processes");
    add(arguments, text_format("%lu", others + PROCESSES));
    if (sandbox->level != LEVEL_NAMESPACES)
        add(arguments, "--files");
    if (command->builds)
        add(arguments, "--builds");
    add(arguments, "--");
}

/* Where there is no private /tmp: a folder for the files of this process and what comes of it, which alone may write
 * there (see confine.c). The runs of one grading have the same user. */
static char *own_folder(const struct sandbox *sandbox)
{
    return text_format("%s/tmp/%d", sandbox->workspace, (int)getpid());
}

static const char *const *environment(const struct sandbox *sandbox,
                                      const struct command *command)
{
    static const char *list[24];
    size_t n = 0;
    bool private_tmp = sandbox->level == LEVEL_NAMESPACES;
    const char *root = private_tmp ? "/lab" : text_format("%s/tree", sandbox->workspace);
    const char *tmp = private_tmp ? "/tmp" : own_folder(sandbox);
    list[n++] = text_format(
        "PATH=%s/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", root);
    list[n++] = text_format("LAB_BIN=%s/bin", root);
    list[n++] = text_format("TMPDIR=%s", tmp);
    list[n++] = text_format("TEMP=%s", tmp); /* Check's name for it */
    list[n++] = text_format("HOME=%s", tmp);
    list[n++] = "LC_ALL=C";
    list[n++] = "TERM=dumb";
    list[n++] = "LAB_PATIENCE=1000"; /* the limits are the grader's, which can tell why */
    list[n++] =
        "ASAN_OPTIONS=exitcode=99:abort_on_error=0:detect_leaks=1:allocator_may_return_null=1:"
        "max_allocation_size_mb=1024:color=never:detect_stack_use_after_return=0:handle_abort=0";
    list[n++] =
        "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99:color=never";
    list[n++] = "LSAN_OPTIONS=exitcode=99";
    list[n++] = text_format("LAB_SEED=%llu", (unsigned long long)command->seed);
    list[n] = NULL;
    return list;
}

static void redirect(int from, int to, int flags)
{
    int fd = from >= 0 ? from : open("/dev/null", flags);
    if (fd < 0 || dup2(fd, to) < 0)
        _exit(126);
}

static bool become(uid_t uid)
{
    return uid == 0 || (setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
                        setresuid(uid, uid, uid) == 0);
}

static void close_others(int kept)
{
    unsigned first = 3;
    if (kept >= 3) {
        if (kept > 3)
            syscall(SYS_close_range, first, (unsigned)kept - 1, 0U);
        first = (unsigned)kept + 1;
    }
    syscall(SYS_close_range, first, ~0U, 0U);
}

static void restore_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

pid_t sandbox_start(const struct sandbox *sandbox, const struct command *command)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        fatal("fork");
    if (pid > 0)
        return pid;
    restore_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct arguments arguments = {.n = 0};
    if (sandbox->level == LEVEL_NAMESPACES)
        add_bubblewrap(&arguments, sandbox, command->builds);
    add_confine(&arguments, sandbox, command);
    add_all(&arguments, command->argv);
    const char *const *variables = environment(sandbox, command);
    redirect(command->in, 0, O_RDONLY);
    redirect(command->out, 1, O_WRONLY);
    redirect(command->err, 2, O_WRONLY);
    close_others(command->extra);
    if (command->extra >= 0)
        fcntl(command->extra, F_SETFD, 0);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1); /* where bwrap is looked for */
    char *tree = text_format("%s/tree", sandbox->workspace);
    if (setsid() < 0 || !become(sandbox->uid) || chdir(tree) < 0 ||
        (sandbox->level != LEVEL_NAMESPACES && mkdir(own_folder(sandbox), 0700) < 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* again: a change of user takes it away */
    if (getppid() != parent)
        _exit(126);
    umask(022);
    execvpe(arguments.list[0], (char *const *)arguments.list, (char *const *)variables);
    _exit(126);
}

int sandbox_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Kills what a user owns, until nothing of it is left. Runs as that user, so it can reach
 * nobody else. */
static void kill_user(uid_t uid)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!become(uid))
            _exit(1);
        for (int i = 0; i < 1000 && kill(-1, SIGKILL) == 0; i++)
            sched_yield();
        _exit(0);
    }
    if (pid > 0)
        sandbox_wait(pid);
}

int sandbox_kill(const struct sandbox *sandbox, pid_t pid)
{
    pid_t all[DIAGNOSE_MOST];
    if (sandbox->level == LEVEL_NAMESPACES) {
        kill(pid, SIGKILL); /* its PID namespace dies with it (--die-with-parent) */
        return sandbox_wait(pid);
    }
    /* Stop it first, so that what is found below is all there is. */
    size_t n = descendants(pid, all, DIAGNOSE_MOST);
    for (size_t i = 0; i < n; i++)
        kill(all[i], SIGSTOP);
    n = descendants(pid, all, DIAGNOSE_MOST);
    for (size_t i = n; i-- > 0;)
        kill(all[i], SIGKILL);
    return sandbox_wait(pid);
}

void sandbox_finish(const struct sandbox *sandbox)
{
    if (sandbox->uid != 0)
        kill_user(sandbox->uid);
}

static int take_back(const char *path, const struct stat *status, int type,
                     struct FTW *walk)
{
    (void)walk;
    if (type == FTW_F)
        return lchown(path, 0, 0) < 0 ||
               chmod(path, (status->st_mode & 0111) != 0 ? 0755 : 0644) < 0;
    return lchown(path, 0, 0) < 0;
}

void sandbox_seal(const struct sandbox *sandbox)
{
    char *out = text_format("%s/tree/out", sandbox->workspace);
    if (sandbox->uid != 0 && nftw(out, take_back, 16, FTW_PHYS) != 0)
        fatal("take back %s", out);
    free(out);
}

const char *sandbox_level_name(enum level level)
{
    static const char *const names[] = {"namespaces", "uid", "limits"};
    return names[level];
}

bool sandbox_works(const struct sandbox *sandbox)
{
    const char *const argv[] = {"true", NULL};
    struct command command = {
        .argv = argv, .limits = {1, 1, 0}, .in = -1, .out = -1, .err = -1, .extra = -1};
    pid_t pid = sandbox_start(sandbox, &command);
    int status = sandbox_wait(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A user that owns nothing, and a different one for each grading, so that gradings cannot
 * reach each other. */
static uid_t spare_user(void)
{
    enum {
        FIRST = 61184,
        USERS = 4336
    }; /* the range that systemd keeps for such users */
    return FIRST + (uid_t)getpid() % USERS;
}

/* Makes the folders that a sandbox may write its user's own. */
static bool give(const struct sandbox *sandbox)
{
    static const char *const folders[] = {"tree/out", "tree/out/bin", "tmp"};
    bool given = true;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *path = text_format("%s/%s", sandbox->workspace, folders[i]);
        given = given && chown(path, sandbox->uid, sandbox->uid) == 0;
        free(path);
    }
    return given;
}

void sandbox_choose(struct sandbox *sandbox, const char *forced)
{
    sandbox->uid = getuid() == 0 ? spare_user() : 0;
    if (sandbox->uid != 0 && !give(sandbox))
        sandbox->uid = 0;
    errno = 0;
    for (int level = LEVEL_NAMESPACES; level <= LEVEL_LIMITS; level++) {
        sandbox->level = (enum level)level;
        if (level == LEVEL_LIMITS)
            sandbox->uid = 0;
        if (forced != NULL && strcmp(forced, sandbox_level_name(sandbox->level)) != 0)
            continue;
        bool possible = level != LEVEL_UID || sandbox->uid != 0;
        sandbox->unsized = false;
        if (possible && sandbox_works(sandbox))
            return;
        sandbox->unsized = true;
        if (level == LEVEL_NAMESPACES && sandbox_works(sandbox))
            return;
        if (forced != NULL)
            fatal("this machine does not allow SANDBOX=%s%s", forced,
                  possible ? "" : " (it needs root)");
    }
    fatal("no sandbox can be started here%s%s",
          forced != NULL ? ": there is no level named " : "",
          forced != NULL ? forced : "");
}
