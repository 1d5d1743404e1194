/*
 * preload.c: the layer of calls.c for whole programs, as a library for LD_PRELOAD.
 *
 * Built as liblabcalls.so from this file alone. calls.h says how FAULTS and FAULTS_COUNT read.
 */
/* dlsym() gives functions as data, and glibc's socket calls take a union of pointers: neither is ISO C. */
#pragma GCC diagnostic ignored "-Wpedantic"

#define CALLS_PRELOAD
#include "calls.c" /* NOLINT(bugprone-suspicious-include): the same source, another way */

#include <link.h>

static const char *const families[CALLS_FAMILIES] = {
    [CALLS_RECEIVE] = "receive",   [CALLS_SEND] = "send",
    [CALLS_ACCEPT] = "accept",     [CALLS_CONNECT] = "connect",
    [CALLS_WAIT] = "wait",         [CALLS_CLOSE] = "close",
    [CALLS_ALLOCATE] = "allocate", [CALLS_SOCKET] = "socket",
    [CALLS_BIND] = "bind",         [CALLS_LISTEN] = "listen",
    [CALLS_SHUTDOWN] = "shutdown", [CALLS_OPTION] = "option",
    [CALLS_NAME] = "name",         [CALLS_CONTROL] = "control",
};

static struct {
    uintptr_t start, end;
} program[8]; /* the loaded parts of the program itself */
static int program_parts;
static pid_t program_pid;

static bool from_program(const void *caller)
{
    for (int i = 0; i < program_parts; i++)
        if ((uintptr_t)caller >= program[i].start && (uintptr_t)caller < program[i].end)
            return true;
    return false;
}

/* The first object listed is the program. */
static int note_program(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    for (int i = 0; i < info->dlpi_phnum && program_parts < 8; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            program[program_parts].start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            program[program_parts].end =
                program[program_parts].start + info->dlpi_phdr[i].p_memsz;
            program_parts++;
        }
    return 1;
}

/* ---- FAULTS --------------------------------------------------------------------------------------- */

static void refuse(const char *text)
{
    dprintf(STDERR_FILENO, "FAULTS: not understood: %s\n", text);
    _exit(125);
}

static enum call_family family_called(const char *name, size_t n)
{
    for (int i = 0; i < CALLS_FAMILIES; i++)
        if (strlen(families[i]) == n && strncmp(families[i], name, n) == 0)
            return (enum call_family)i;
    return CALLS_FAMILIES;
}

static int error_called(const char *name, size_t n)
{
    for (int error = 1; error < 256; error++) {
        const char *known_as = strerrorname_np(error);

        if (known_as && strlen(known_as) == n && strncmp(known_as, name, n) == 0)
            return error;
    }
    return 0;
}

/* "EINTR", "EINTR:after" or "max=1" */
static struct fault parse_fault(const char *text, size_t n)
{
    struct fault fault = {0};
    const char *colon = memchr(text, ':', n);

    if (n > 4 && strncmp(text, "max=", 4) == 0) {
        fault.at_most = strtoul(text + 4, NULL, 10);
        return fault;
    }
    if (colon) {
        fault.after = strncmp(colon, ":after", (size_t)(text + n - colon)) == 0;
        fault.error = fault.after ? error_called(text, (size_t)(colon - text)) : 0;
        return fault;
    }
    fault.error = error_called(text, n);
    return fault;
}

static void parse_one(const char *text, size_t n)
{
    const char *nth = memchr(text, ':', n);
    const char *what = nth ? memchr(nth + 1, ':', (size_t)(text + n - nth - 1)) : NULL;
    enum call_family family =
        nth ? family_called(text, (size_t)(nth - text)) : CALLS_FAMILIES;
    struct fault fault = {0};

    if (what)
        fault = parse_fault(what + 1, (size_t)(text + n - what - 1));
    if (family == CALLS_FAMILIES || (!fault.error && !fault.at_most))
        refuse(text);
    if (strncmp(nth + 1, "each:", 5) == 0)
        fault_each(family, fault);
    else if (strtoul(nth + 1, NULL, 10) > 0)
        fault_once(family, (unsigned)strtoul(nth + 1, NULL, 10), fault);
    else
        refuse(text);
}

__attribute__((constructor)) static void begin_program(void)
{
    const char *text = getenv("FAULTS");

    program_pid = getpid();
    for (size_t n; text && *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        parse_one(text, n);
    }
    dl_iterate_phdr(note_program, NULL);
}

/* ---- FAULTS_COUNT --------------------------------------------------------------------------------- */

__attribute__((destructor)) static void end_program(void)
{
    const char *name = getenv("FAULTS_COUNT");
    FILE *file;

    if (!name || getpid() != program_pid)
        return; /* a process that the program forked: its calls are its own */
    fault_none();
    program_parts = 0;
    file = fopen(name, "w");
    if (!file)
        return;
    for (int i = 0; i < CALLS_FAMILIES; i++)
        fprintf(file, "%s %u\n", families[i], calls_made((enum call_family)i));
    fclose(file);
}
