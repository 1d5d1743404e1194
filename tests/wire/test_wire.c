/*
 * test_wire.c: the parts that take strangers' bytes apart. What is cut or wrong anywhere is
 * refused, and never read beyond its end: each piece lies in memory of exactly its size, and
 * the sanitizers watch.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct line parsed;

/* The text stays in a buffer that line_parse() takes apart. */
static bool parse(const char *text)
{
    static char buffer[512];
    snprintf(buffer, sizeof buffer, "%s", text);
    return line_parse(&parsed, buffer);
}

/* ---- lines of strace's ----------------------------------------------------------------- */

START_TEST(a_call_and_its_result)
{
    ck_assert(
        parse("17.000000005 sendto(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"\\x6f\\x6e\", "
              "2, MSG_NOSIGNAL, NULL, 0) = 2 <0.000109000>"));
    ck_assert_int_eq(parsed.kind, LINE_CALL);
    ck_assert_str_eq(parsed.name, "sendto");
    ck_assert_int_eq(parsed.arguments, 6);
    ck_assert_str_eq(parsed.argument[2], "2");
    ck_assert_int_eq(parsed.start, 17000000005);
    ck_assert_int_eq(parsed.end - parsed.start, 109000);
    ck_assert_int_eq(parsed.value, 2);
    ck_assert_str_eq(parsed.error, "");
}
END_TEST

START_TEST(an_error_has_its_name)
{
    ck_assert(
        parse("1.5 recvfrom(3, 0x7ffe, 4, 0, NULL, NULL) = -1 ECONNRESET (Connection "
              "reset by peer) <0.1>"));
    ck_assert_int_eq(parsed.value, -1);
    ck_assert_str_eq(parsed.error, "ECONNRESET");
    ck_assert_int_eq(parsed.start, 1500000000);
}
END_TEST

START_TEST(a_call_that_did_not_return)
{
    ck_assert(parse("1.5 accept4(3<TCP:[127.0.0.1:80]>, NULL, NULL, 0 <unfinished ...>"));
    ck_assert_int_eq(parsed.end, NEVER);
    ck_assert(parse("1.5 exit_group(0) = ?"));
    ck_assert_int_eq(parsed.end, NEVER);
}
END_TEST

START_TEST(brackets_and_commas_in_strings_separate_nothing)
{
    ck_assert(parse("1.5 bind(3<UNIX:[7,\"\\x2c>)\"]>, {sa_family=AF_UNIX, "
                    "sun_path=\"a,)(\\\"\"}, 9) = 0 <0.1>"));
    ck_assert_int_eq(parsed.arguments, 3);
    ck_assert_str_eq(parsed.argument[2], "9");
    ck_assert_int_eq(parsed.value, 0);
}
END_TEST

START_TEST(signals_and_ends)
{
    ck_assert(parse("1.5 --- SIGPIPE {si_signo=SIGPIPE} ---"));
    ck_assert_int_eq(parsed.kind, LINE_SIGNAL);
    ck_assert_str_eq(parsed.name, "SIGPIPE");
    ck_assert(parse("1.5 +++ killed by SIGSEGV +++"));
    ck_assert_int_eq(parsed.kind, LINE_EXIT);
    ck_assert_str_eq(parsed.name, "killed by SIGSEGV");
}
END_TEST

START_TEST(what_is_no_line)
{
    static const char *const lines[] = {"",
                                        " ",
                                        "x",
                                        "1",
                                        "1.",
                                        "1.5",
                                        "1.5 ",
                                        "1.5 recv",
                                        "1.5 (",
                                        "1.5 +++",
                                        "1.5 ---",
                                        "1.5 --- SIGX",
                                        "99999999999999999999999.1 x(",
                                        "-1.5 x(1) = 0 <0.1>"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(!parse(lines[i]) || parsed.name[0] != '\0', "taken: %s", lines[i]);
    ck_assert(!parse("1.5 recv"));
    ck_assert(!parse("strace: Process 7 attached"));
}
END_TEST

START_TEST(a_line_that_is_cut_anywhere)
{
    static const char whole[] =
        "1.5 recvmsg(3<UNIX:[1->2]>, {msg_name=NULL, msg_iov=[{iov_base=\"\\x2a\", "
        "iov_len=1}], msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[4<UNIX:[5->6]>]}], "
        "msg_flags=0}, 0) = 1 <0.000001000>";
    for (size_t n = 0; n < sizeof whole; n++) {
        char *text = or_end(strndup(whole, n));
        struct line line;
        if (line_parse(&line, text)) {
            struct call call;
            call_read(&call, &line);
            free(call.text);
            free(call.begun);
        }
        free(text);
    }
}
END_TEST

START_TEST(bytes_of_a_string)
{
    unsigned char bytes[4];
    bool cut;
    ck_assert_int_eq(line_bytes("\"\\x00\\xff\\x41\"", bytes, sizeof bytes, &cut), 3);
    ck_assert(memcmp(bytes,
                     "\0\xff"
                     "A",
                     3) == 0 &&
              !cut);
    ck_assert_int_eq(line_bytes("\"\\x41\"...", bytes, sizeof bytes, &cut), 1);
    ck_assert(cut);
    ck_assert_int_eq(line_bytes("\"abcdef\"", bytes, sizeof bytes, &cut), 4);
    ck_assert(cut);
    ck_assert_int_eq(line_bytes("NULL", bytes, sizeof bytes, &cut), 0);
    ck_assert_int_eq(line_bytes("\"\\x4", bytes, sizeof bytes, &cut),
                     3); /* as it stands */
    ck_assert_int_eq(line_bytes("\"", bytes, sizeof bytes, &cut), 0);
}
END_TEST

START_TEST(descriptors)
{
    struct fd_name name;
    ck_assert(fd_parse(&name, "4<TCPv6:[[::1]:80->[::1]:4711]>"));
    ck_assert_int_eq(name.fd, 4);
    ck_assert(name.socket && name.stream);
    ck_assert_str_eq(name.local, "tcp/[::1]:80");
    ck_assert_str_eq(name.remote, "tcp/[::1]:4711");
    ck_assert(fd_parse(&name, "5<TCPv6:[[::ffff:127.0.0.1]:80->[::ffff:127.0.0.1]:9]>"));
    ck_assert_str_eq(name.local, "tcp/127.0.0.1:80");
    ck_assert(fd_parse(&name, "6<UNIX-DGRAM:[7,@\"\\x61\\x62\"]>"));
    ck_assert(!name.stream);
    ck_assert_str_eq(name.local, "unix/7");
    ck_assert_str_eq(name.path, "unix/@ab");
    ck_assert(fd_parse(&name, "6<UNIX:[7->0,\"\\x2e\\x2f\"]>"));
    ck_assert_str_eq(name.remote, "");
    ck_assert_str_eq(name.path, "unix/./");
    ck_assert(fd_parse(&name, "1</dev/null>") && !name.socket);
    ck_assert(!fd_parse(&name, "-1") && !fd_parse(&name, "AT_FDCWD"));
    ck_assert(!fd_parse(&name, "99999999999"));
}
END_TEST

START_TEST(a_name_that_is_too_long_is_cut)
{
    struct fd_name name;
    char text[400], address[ENDPOINT];
    struct text made = text_in(text, sizeof text);
    text_add(&made, "3<UNIX:[7,\"");
    for (int i = 0; i < 80; i++)
        text_add(&made, "\\x61");
    text_add(&made, "\"]>");
    ck_assert(fd_parse(&name, text));
    ck_assert_int_eq(strlen(name.path), ENDPOINT - 1);
    snprintf(text, sizeof text,
             "{sa_family=AF_INET, sin_port=htons(80), "
             "sin_addr=inet_addr(\"%0300d\")}",
             1);
    ck_assert(address_parse(text, address, sizeof address));
    ck_assert_int_lt(strlen(address), ENDPOINT);
    ck_assert(!address_parse("{sa_family=AF_UNIX}", address, sizeof address));
}
END_TEST

/* ---- packets ---------------------------------------------------------------------------- */

enum { ETHERNET = 1 };

/* Ethernet, IPv4, TCP with FIN ACK, "hey". */
static const unsigned char tcp[] = {
    0, 0, 0, 0,  0, 0, 0, 0,   0,    0,    0, 0,   8, 0, 0x45, 0, 0,   43,  0,
    0, 0, 0, 64, 6, 0, 0, 127, 0,    0,    1, 127, 0, 0, 2,    0, 80,  1,   0,
    0, 0, 0, 7,  0, 0, 0, 0,   0x50, 0x11, 0, 0,   0, 0, 0,    0, 'h', 'e', 'y'};

/* ICMP, port unreachable, about a datagram of UDP's from 127.0.0.1:256 to 127.0.0.2:80. */
static const unsigned char icmp[] = {0,    0, 0,   0,  0, 0, 0, 0, 0,  0,  0, 0,  8,   0,
                                     0x45, 0, 0,   56, 0, 0, 0, 0, 64, 1,  0, 0,  127, 0,
                                     0,    2, 127, 0,  0, 1, 3, 3, 0,  0,  0, 0,  0,   0,
                                     0x45, 0, 0,   31, 0, 0, 0, 0, 64, 17, 0, 0,  127, 0,
                                     0,    1, 127, 0,  0, 2, 1, 0, 0,  80, 0, 11, 0,   0};

/* In memory of exactly that size. */
static bool take(struct packet *packet, const unsigned char *bytes, size_t n)
{
    unsigned char *copy = or_end(malloc(n + (n == 0)));
    memcpy(copy, bytes, n);
    bool taken = packet_parse(packet, ETHERNET, copy, n);
    free(copy);
    return taken;
}

START_TEST(a_segment)
{
    struct packet packet;
    ck_assert(take(&packet, tcp, sizeof tcp));
    ck_assert_int_eq(packet.transport, TCP);
    ck_assert_str_eq(packet.from, "tcp/127.0.0.1:80");
    ck_assert_str_eq(packet.to, "tcp/127.0.0.2:256");
    ck_assert_int_eq(packet.flags, FIN | ACK);
    ck_assert_int_eq(packet.sequence, 7);
    ck_assert_int_eq(packet.length, 3);
    ck_assert(memcmp(packet.data, "hey", 3) == 0);
    ck_assert(!packet_parse(&packet, 113, tcp, sizeof tcp)); /* another kind of link */
}
END_TEST

START_TEST(nobody_has_the_port)
{
    struct packet packet;
    ck_assert(take(&packet, icmp, sizeof icmp));
    ck_assert_int_eq(packet.transport, ICMP);
    ck_assert_str_eq(packet.from, "udp/127.0.0.2:80");
    ck_assert_str_eq(packet.to, "udp/127.0.0.1:256");
    ck_assert_str_eq(packet.label, "no such port");
}
END_TEST

START_TEST(packets_that_are_cut)
{
    struct packet packet;
    for (size_t n = 0; n < 54; n++)
        ck_assert_msg(!take(&packet, tcp, n), "a segment of %zu bytes was taken", n);
    ck_assert(
        take(&packet, tcp, 55)); /* captured in part: the headers say how long it was */
    ck_assert_int_eq(packet.length, 3);
    ck_assert_int_eq(packet.kept, 1);
    for (size_t n = 0; n < sizeof icmp; n++)
        ck_assert_msg(!take(&packet, icmp, n), "an ICMP message of %zu bytes", n);
}
END_TEST

/* Each byte in turn with each value: headers that lie about their lengths are among them. */
START_TEST(packets_that_lie)
{
    const unsigned char *const packets[] = {tcp, icmp};
    const size_t sizes[] = {sizeof tcp, sizeof icmp};
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < sizes[p]; i++)
            for (int value = 0; value < 256; value++) {
                unsigned char bytes[80];
                struct packet packet;
                memcpy(bytes, packets[p], sizes[p]);
                bytes[i] = (unsigned char)value;
                if (take(&packet, bytes, sizes[p]))
                    ck_assert(packet.kept <= packet.length && packet.kept <= KEPT);
            }
}
END_TEST

/* ---- the packets' file ------------------------------------------------------------------ */

struct seen {
    int packets;
    size_t bytes;
    int64_t t;
};

static void count(void *context, int64_t t, unsigned link_type,
                  const unsigned char *bytes, size_t kept, size_t length)
{
    struct seen *seen = context;
    (void)link_type;
    (void)length;
    seen->packets++;
    seen->t = t;
    for (size_t i = 0; i < kept; i++)
        seen->bytes += bytes[i] == 'x';
}

/* Three packets of 1, 2 and 3 bytes. */
static char *make_file(size_t *size)
{
    char *bytes;
    FILE *file = or_end(open_memstream(&bytes, size));
    ck_assert(pcapng_begin(file, ETHERNET, 256));
    for (size_t n = 1; n <= 3; n++)
        ck_assert(
            pcapng_packet(file, (int64_t)n << 40, (const unsigned char *)"xxx", n, 9));
    fclose(file);
    return bytes;
}

/* In memory of exactly that size. */
static struct seen read_file(const char *bytes, size_t size)
{
    struct seen seen = {0};
    unsigned char *copy = or_end(malloc(size + (size == 0)));
    memcpy(copy, bytes, size);
    pcapng_read(copy, size, count, &seen);
    free(copy);
    return seen;
}

START_TEST(a_file_written_and_read)
{
    size_t size;
    char *bytes = make_file(&size);
    struct seen seen = read_file(bytes, size);
    ck_assert_int_eq(seen.packets, 3);
    ck_assert_int_eq(seen.bytes, 6);
    ck_assert_int_eq(seen.t, (int64_t)3 << 40);
    free(bytes);
}
END_TEST

START_TEST(a_file_that_is_cut)
{
    size_t size;
    char *bytes = make_file(&size);
    int before = 0;
    for (size_t n = 0; n < size; n++) {
        int packets = read_file(bytes, n).packets;
        ck_assert(packets >= before && packets < 3);
        before = packets;
    }
    free(bytes);
}
END_TEST

START_TEST(a_file_that_is_damaged)
{
    static const unsigned char values[] = {0, 1, 4, 11, 12, 0x7f, 0x80, 0xff};
    size_t size;
    char *bytes = make_file(&size);
    for (size_t i = 0; i < size; i++)
        for (size_t v = 0; v < sizeof values; v++) {
            char before = bytes[i];
            bytes[i] = (char)values[v];
            ck_assert_int_le(read_file(bytes, size).packets, 3);
            bytes[i] = before;
        }
    free(bytes);
}
END_TEST

/* ---- texts ------------------------------------------------------------------------------- */

static const char *quoted(const char *bytes, size_t count, size_t total, size_t columns)
{
    static char buffer[300];
    struct text text = text_in(buffer, sizeof buffer);
    text_quote(&text, (const unsigned char *)bytes, count, total, columns);
    return buffer;
}

START_TEST(bytes_are_quoted_as_c_does)
{
    ck_assert_str_eq(quoted("a\"\\\n\r\t", 6, 6, 40), "\"a\\\"\\\\\\n\\r\\t\"");
    ck_assert_str_eq(quoted("\033[31m", 5, 5, 40), "\"\\x1b[31m\"");
    ck_assert_str_eq(quoted("\0a", 2, 2, 40), "\"\\0a\"");
    ck_assert_str_eq(quoted("\0"
                            "1",
                            2, 2, 40),
                     "\"\\x001\"");
    ck_assert_str_eq(quoted("\x7f\x80\xff", 3, 3, 40), "\"\\x7f\\x80\\xff\"");
    ck_assert_str_eq(quoted("", 0, 0, 40), "\"\"");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out)
{
    ck_assert_str_eq(quoted("0123456789", 10, 10, 12), "\"0123456789\"");
    ck_assert_str_eq(quoted("0123456789", 10, 10, 11), "\"012345\"...");
    ck_assert_str_eq(quoted("0123", 4, 1000, 40), "\"0123\"...");
    ck_assert_str_eq(quoted("\x01\x02\x03\x04", 4, 4, 10), "\"\\x01\"...");
    ck_assert_str_eq(quoted("abc", 3, 3, 0), "\"\"...");
}
END_TEST

START_TEST(a_text_never_overflows)
{
    char buffer[8];
    struct text text = text_in(buffer, sizeof buffer);
    for (int i = 0; i < 5; i++)
        text_add(&text, "%s", "abc");
    ck_assert_str_eq(buffer, "abcabca");
    text_plain(&text, "\033", 1);
    ck_assert_int_eq(text.length, 7);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_call_and_its_result,
        an_error_has_its_name,
        a_call_that_did_not_return,
        brackets_and_commas_in_strings_separate_nothing,
        signals_and_ends,
        what_is_no_line,
        a_line_that_is_cut_anywhere,
        bytes_of_a_string,
        descriptors,
        a_name_that_is_too_long_is_cut,
        a_segment,
        nobody_has_the_port,
        packets_that_are_cut,
        packets_that_lie,
        a_file_written_and_read,
        a_file_that_is_cut,
        a_file_that_is_damaged,
        bytes_are_quoted_as_c_does,
        what_does_not_fit_is_left_out,
        a_text_never_overflows,
    };
    Suite *suite = suite_create("wire");
    TCase *all = tcase_create("all");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
