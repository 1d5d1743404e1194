/*
 * wire.h: system calls and packets of one run, side by side.
 *
 *     names.c     texts that are met again and again, by number
 *     escape.c    bytes of strangers, as text that no terminal obeys
 *     pcapng.c    the packets' file: writing and reading
 *     capture.c   from the loopback interface into that file
 *     packet.c    the bytes of one packet, taken apart
 *     strace.c    one line of strace's, taken apart
 *     calls.c     what a call is about: its socket, its bytes, its text
 *     run.c       all of it together: whose is which packet, who caused what
 *     order.c     in order of time, or in the order that follows from causes alone
 *     explain.c   a sentence for what can be explained
 *     ladder.c    events as rows and cells
 *     text.c      the ladder as text
 *     svg.c       the ladder as a picture
 *     wire.c      the commands
 *
 * Times are nanoseconds since 1970, on the one clock that strace and the kernel's packet
 * stamps share. Whatever comes from programs, packets and files is checked before use.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum side { LEFT, RIGHT, NOBODY };

/* How many bytes of a packet or a call are kept to be shown, and how long a text of an
   endpoint can be: "udp/[" + 45 + "]:65535". */
enum { KEPT = 64, ENDPOINT = 80, NEVER = -1 };

/* ---- memory: a failed allocation ends the program, with a line that says so ---- */

void *or_end(void *memory) __attribute__((returns_nonnull));
void *grown(void *array, size_t count, size_t *room, size_t size)
    __attribute__((returns_nonnull));
char *copied(const char *text, size_t length) __attribute__((returns_nonnull));
#define PUSH(array, count, room) \
    ((array) = grown((array), (count), &(room), sizeof *(array)), &(array)[(count)++])

/* ---- names.c ---- */

struct names {
    char **text;
    size_t count, room;
    uint32_t *slot; /* by hash: 1 + the number of a name, or 0 */
    size_t slots;
};

/* The number of text, a new one if it was not there (add), or -1. */
int name_find(struct names *names, const char *text, bool add);
void names_free(struct names *names);

/* ---- escape.c ---- */

/* A text under construction that never overflows: what does not fit is left out. */
struct text {
    char *at;
    size_t size, length;
};

struct text text_in(char *buffer, size_t size);
void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes between quotes, at most columns wide, with "..." if something is missing. */
void text_quote(struct text *text, const unsigned char *bytes, size_t count, size_t total,
                size_t columns);
/* A text of a stranger's, without quotes. */
void text_plain(struct text *text, const char *from, size_t length);

/* ---- pcapng.c ---- */

bool pcapng_begin(FILE *file, unsigned link_type, unsigned snap_length);
bool pcapng_packet(FILE *file, int64_t t, const unsigned char *bytes, size_t kept,
                   size_t length);
typedef void packet_seen(void *context, int64_t t, unsigned link_type,
                         const unsigned char *bytes, size_t kept, size_t length);
/* Calls seen for each packet up to the end or to the first damaged block. */
void pcapng_read(const unsigned char *bytes, size_t size, packet_seen *seen,
                 void *context);

/* ---- capture.c ---- */

int capture(const char *file);
int loopback_up(void);

/* ---- packet.c ---- */

enum transport { TCP, UDP, UNIX, ICMP };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct packet {
    int64_t t;
    enum transport transport;
    char from[ENDPOINT], to[ENDPOINT]; /* "tcp/127.0.0.1:80", "unix/4711" */
    unsigned flags;                    /* TCP's */
    uint32_t sequence;
    size_t length; /* of what it carries */
    unsigned char data[KEPT];
    size_t kept;
    bool message;    /* of AF_UNIX: it comes whole or not at all */
    bool carries_fd; /* SCM_RIGHTS: a descriptor, the sender's number passed */
    int passed;
    const char *label; /* for what is neither data nor flags: "connect", "no such port" */
};

/* False: nothing that is drawn (ARP, a cut header, a protocol of no concern). */
bool packet_parse(struct packet *packet, unsigned link_type, const unsigned char *bytes,
                  size_t size);

/* ---- strace.c ---- */

enum { ARGUMENTS = 8 };

struct line {
    enum { LINE_CALL, LINE_SIGNAL, LINE_EXIT } kind;
    int64_t start, end; /* end NEVER: the call did not return */
    char *name;
    char *argument[ARGUMENTS];
    int arguments;
    char *result;    /* what stands behind "=", or "" */
    long long value; /* the number in it */
    char *error;     /* "ECONNRESET", or "" */
};

/* Takes text apart in place. False: no line of strace's. */
bool line_parse(struct line *line, char *text);
/* The bytes that "\x6f\x6e"... stands for, at most size; sets *cut if strace left some out. */
size_t line_bytes(const char *argument, unsigned char *bytes, size_t size, bool *cut);

struct fd_name {
    int fd;
    bool socket, stream, seqpacket;
    enum transport transport;
    char local[ENDPOINT], remote[ENDPOINT]; /* "" where strace does not know */
    char path[ENDPOINT]; /* the name of an AF_UNIX socket: "unix/./sock", "unix/@1a2b3" */
    char inode[24];      /* where there is no address yet */
};

/* The descriptor that a text starts with: "4<TCP:[127.0.0.1:80->127.0.0.1:4711]>". */
bool fd_parse(struct fd_name *name, const char *text);
/* An address: "{sa_family=AF_INET, sin_port=htons(80), ...}" as "127.0.0.1:80". */
bool address_parse(const char *argument, char *text, size_t size);

/* ---- calls.c ---- */

enum doing {
    OTHER,
    SOCKET,
    BIND,
    LISTEN,
    ACCEPT,
    CONNECT,
    SEND,
    RECEIVE,
    SHUTDOWN,
    CLOSE,
    POLL,
    OPTION,
    UNLINK,
    EXIT
};

struct call {
    enum doing doing;
    bool shown, waits;       /* waits: of the kind that can */
    bool hurries;            /* but was told not to: MSG_DONTWAIT */
    bool prints;             /* what it writes to standard output */
    bool passes_fd;          /* SCM_RIGHTS */
    int passed;              /* the first descriptor's number on this side */
    bool ends_writing;       /* shutdown(SHUT_WR) and (SHUT_RDWR) */
    bool lingers_zero;       /* SO_LINGER {1, 0} */
    struct fd_name fd, made; /* made: what socket() or accept() returned */
    char peer[ENDPOINT];     /* an address among the arguments, with its protocol */
    unsigned char data[KEPT];
    size_t kept;
    long long value;
    char error[24];
    char *text;  /* the whole call, result included */
    char *begun; /* the call while it waits */
};

/* What a line says. Its texts are the caller's to free. In them what differs from run to run,
   a port, a name that the kernel has chosen, a time, stands between two PORT_MARKs. */
enum { PORT_MARK = '\1' };
void call_read(struct call *call, const struct line *line);

/* ---- run.c ---- */

struct program {
    enum side side;
    char *name;
    int processes; /* that have something to show */
};

struct process {
    int program;
    char letter; /* where a side has several: 'a', 'b' ... */
    bool shown;
    bool busy; /* with sockets */
};

enum what { CALLED, SIGNALLED, ENDED, SENT };

struct event {
    enum what what;
    int64_t t, end; /* of a call: until it returned, or NEVER */
    int64_t next;   /* when its process's next call began, shown or not */
    int process;    /* -1: none of ours (a packet of the kernel's, of a stranger's) */
    enum side side; /* of a packet: where it comes from */
    int client;  /* of a packet: the process of the left side that it concerns, or -1 */
    char letter; /* of that process, where there are several */
    int era;     /* between which two marks of the scenario */
    struct call call;
    struct packet packet;
    int flow; /* of a packet, and of a call what it writes to: "from>to" */
    int back; /* the opposite direction */
    long long from,
        to;      /* which bytes of the stream; of a packet and of calls that move some */
    bool hidden; /* of a process that has to do with no socket */
    bool bare;   /* a packet: an acknowledgement and nothing else */
    char *text;  /* of what is no packet */
    char *why;   /* explain.c */
};

struct run {
    struct program *program;
    size_t programs, program_room;
    struct process *process;
    size_t processes, process_room;
    struct event *event;
    size_t events, event_room;
    struct names endpoints, flows;
    int64_t *mark; /* where the scenario waited until all was quiet */
    size_t marks, mark_room;
    int64_t last; /* what starts later is of no concern */
    char **note;
    size_t notes, note_room;
    bool captured;
    bool output; /* draw what the programs print */
};

void run_program(struct run *run, enum side side, const char *name, const char *prefix);
void run_packets(struct run *run, const char *file);
void run_script(struct run *run, const char *file);
void run_join(struct run *run);
void run_free(struct run *run);
int flow_of(struct run *run, const char *from, const char *to, bool add);
bool is_tcp(const struct event *event);
/* Is the packet what the call was waiting for? */
bool answers(const struct event *packet, const struct event *event);

/* ---- order.c ---- */

/* One end of an event: calls that wait have two. */
enum part { WHOLE, BEGIN, RETURN };

struct step {
    int event;
    enum part part;
    int64_t t;
};

struct steps {
    struct step *step;
    size_t count, room;
};

void order_by_time(const struct run *run, struct steps *steps, bool acks);
void order_by_cause(const struct run *run, struct steps *steps, bool acks);

/* ---- explain.c ---- */

void explain(struct run *run);

/* ---- ladder.c ---- */

struct look {
    int width;
    bool plain, acks, explain, colour;
    const char *title;
    const char *hide; /* "NAME,NAME": calls that are left out */
    const char *from,
        *to; /* the first row is that of the first call of this name, the last
                              that of the last one, and of what it sent */
};

struct row {
    const struct event *event;
    enum part part;
    int64_t t;
    enum side side;   /* where the text stands; NOBODY: the middle */
    char *text;       /* of a call, or what the packet carries */
    bool waiting[2];  /* a call of that side is blocked */
    bool arrow_right; /* of a packet */
    bool bad;         /* an error, a reset */
};

struct ladder {
    struct row *row;
    size_t rows, room;
    char *head[2];
    int64_t start;
};

void ladder_build(struct ladder *ladder, const struct run *run, const struct look *look);
/* What the arrow of a packet says, at most columns wide. */
void packet_label(const struct event *event, struct text *text, size_t columns);
void ladder_free(struct ladder *ladder);

/* ---- text.c, svg.c ---- */

void text_draw(FILE *out, const struct ladder *ladder, const struct run *run,
               const struct look *look);
bool svg_draw(const char *file, const struct ladder *ladder, const struct run *run,
              const struct look *look);

#endif
