/*
 * capture.c: every packet of the loopback interface into a file, until SIGTERM or SIGINT.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel hands packets over in blocks, after RETIRE_MS at the latest; so after a
   silence of QUIET_MS nothing is left. */
enum { SNAP = 65535, BUFFER = 64 * 1024 * 1024, RETIRE_MS = 5, QUIET_MS = 40, ALL = -1 };

static volatile sig_atomic_t stopping;

static void stop(int number)
{
    (void)number;
    stopping = 1;
}

int loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    int result = ioctl(fd, SIOCGIFFLAGS, &request);
    if (result == 0 && !(request.ifr_flags & IFF_UP)) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

static void write_packet(unsigned char *file, const struct pcap_pkthdr *head,
                         const unsigned char *bytes)
{
    /* with nanosecond precision, tv_usec holds nanoseconds */
    int64_t t = (int64_t)head->ts.tv_sec * 1000000000 + head->ts.tv_usec;
    pcapng_packet((FILE *)(void *)file, t, bytes, head->caplen, head->len);
}

static pcap_t *open_loopback(void)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *lo = pcap_create("lo", error);
    if (lo == NULL) {
        fprintf(stderr, "%s\n", error);
        return NULL;
    }
    pcap_set_snaplen(lo, SNAP);
    pcap_set_buffer_size(lo, BUFFER);
    pcap_set_timeout(lo, RETIRE_MS);
    if (pcap_set_tstamp_precision(lo, PCAP_TSTAMP_PRECISION_NANO) != 0 ||
        pcap_activate(lo) < 0 || pcap_setnonblock(lo, 1, error) != 0) {
        fprintf(stderr, "%s\n", pcap_geterr(lo));
        pcap_close(lo);
        return NULL;
    }
    return lo;
}

/* Up to the signal, and then until nothing comes any more. */
static bool copy_packets(pcap_t *lo, FILE *file)
{
    struct pollfd ready = {.fd = pcap_get_selectable_fd(lo), .events = POLLIN};
    for (;;) {
        int n = poll(&ready, 1, QUIET_MS);
        if (n == 0 && stopping)
            return true;
        if (n == -1 && errno != EINTR)
            return false;
        if (n > 0 && pcap_dispatch(lo, ALL, write_packet,
                                   (unsigned char *)(void *)file) == PCAP_ERROR)
            return false;
    }
}

int capture(const char *name)
{
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    pcap_t *lo = open_loopback();
    if (lo == NULL)
        return 2;
    FILE *file = fopen(name, "we");
    bool done = file != NULL && pcapng_begin(file, (unsigned)pcap_datalink(lo), SNAP) &&
                fflush(file) == 0 && puts("ready") >= 0 && fflush(stdout) == 0 &&
                copy_packets(lo, file);
    struct pcap_stat lost = {0};
    if (pcap_stats(lo, &lost) == 0 && lost.ps_drop > 0)
        fprintf(stderr, "%u packets came too fast and are missing\n", lost.ps_drop);
    pcap_close(lo);
    if (file == NULL || fclose(file) != 0 || !done) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return 2;
    }
    return 0;
}
