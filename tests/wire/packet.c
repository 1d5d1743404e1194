/*
 * packet.c: the bytes of one packet, taken apart: Ethernet as the loopback interface has it,
 * IPv4 and IPv6, TCP, UDP, and the ICMP messages that say "nobody is there".
 */
#include "wire.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    ETHERNET = 1,
    ETHERNET_HEAD = 14,
    IPV4 = 0x0800,
    IPV6 = 0x86DD,
    IPV4_HEAD = 20,
    IPV6_HEAD = 40,
    TCP_HEAD = 20,
    UDP_HEAD = 8,
    ICMP_HEAD = 8,
    P_ICMP = 1,
    P_TCP = 6,
    P_UDP = 17,
    P_ICMP6 = 58,
};

struct view {
    const unsigned char *bytes;
    size_t size;   /* what there is of them */
    size_t length; /* what the headers say */
    int family, protocol;
    const unsigned char *from, *to;
};

static unsigned number(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static bool skip(struct view *view, size_t n)
{
    if (n > view->size || n > view->length)
        return false;
    view->bytes += n;
    view->size -= n;
    view->length -= n;
    return true;
}

static bool take_ipv4(struct view *view)
{
    if (view->size < IPV4_HEAD)
        return false;
    const unsigned char *head = view->bytes;
    size_t head_length = (size_t)(head[0] & 15) * 4, length = number(head + 2);
    bool later_fragment = (number(head + 6) & 0x1FFF) != 0;
    if (head[0] >> 4 != 4 || head_length < IPV4_HEAD || later_fragment)
        return false;
    view->family = AF_INET;
    view->protocol = head[9];
    view->from = head + 12;
    view->to = head + 16;
    if (length >=
        head_length) /* 0 where the kernel hands over more than 64 KiB at once */
        view->length = length;
    return skip(view, head_length);
}

static bool take_ipv6(struct view *view)
{
    if (view->size < IPV6_HEAD || view->bytes[0] >> 4 != 6)
        return false;
    const unsigned char *head = view->bytes;
    view->family = AF_INET6;
    view->protocol = head[6];
    view->from = head + 8;
    view->to = head + 24;
    if (number(head + 4) > 0)
        view->length = IPV6_HEAD + number(head + 4);
    return skip(view, IPV6_HEAD);
}

static bool take_network(struct view *view, unsigned type)
{
    return type == IPV4 ? take_ipv4(view) : type == IPV6 && take_ipv6(view);
}

static void endpoint(char *text, const struct view *view, const unsigned char *address,
                     unsigned port)
{
    char host[INET6_ADDRSTRLEN] = "?";
    inet_ntop(view->family, address, host, sizeof host);
    snprintf(text, ENDPOINT, view->family == AF_INET6 ? "%s/[%s]:%u" : "%s/%s:%u",
             view->protocol == P_UDP ? "udp" : "tcp", host, port);
}

static void take_ports(struct packet *packet, const struct view *view)
{
    endpoint(packet->from, view, view->from, number(view->bytes));
    endpoint(packet->to, view, view->to, number(view->bytes + 2));
}

static void take_data(struct packet *packet, const struct view *view)
{
    packet->length = view->length;
    packet->kept = view->size < view->length ? view->size : view->length;
    if (packet->kept > KEPT)
        packet->kept = KEPT;
    memcpy(packet->data, view->bytes, packet->kept);
}

static bool take_tcp(struct packet *packet, struct view *view)
{
    if (view->size < TCP_HEAD)
        return false;
    packet->transport = TCP;
    take_ports(packet, view);
    packet->sequence = (uint32_t)number(view->bytes + 4) << 16 | number(view->bytes + 6);
    packet->flags = view->bytes[13];
    size_t head_length = (size_t)(view->bytes[12] >> 4) * 4;
    if (head_length < TCP_HEAD || !skip(view, head_length))
        return false;
    take_data(packet, view);
    return true;
}

static bool take_udp(struct packet *packet, struct view *view)
{
    if (view->size < UDP_HEAD)
        return false;
    packet->transport = UDP;
    take_ports(packet, view);
    skip(view, UDP_HEAD);
    take_data(packet, view);
    return true;
}

/* Destination unreachable: the datagram that it is about is inside. It goes the other way. */
static bool take_icmp(struct packet *packet, struct view *view)
{
    unsigned char unreachable = view->protocol == P_ICMP ? 3 : 1;
    unsigned char no_port = view->protocol == P_ICMP ? 3 : 4;
    if (view->size < ICMP_HEAD || view->bytes[0] != unreachable)
        return false;
    bool port = view->bytes[1] == no_port;
    unsigned type = view->protocol == P_ICMP ? IPV4 : IPV6;
    if (!skip(view, ICMP_HEAD) || !take_network(view, type) || view->size < UDP_HEAD ||
        (view->protocol != P_UDP && view->protocol != P_TCP))
        return false;
    packet->transport = ICMP;
    endpoint(packet->to, view, view->from, number(view->bytes));
    endpoint(packet->from, view, view->to, number(view->bytes + 2));
    packet->label = port ? "no such port" : "unreachable";
    return true;
}

bool packet_parse(struct packet *packet, unsigned link_type, const unsigned char *bytes,
                  size_t size)
{
    *packet = (struct packet){0};
    struct view view = {.bytes = bytes, .size = size, .length = size};
    if (link_type != ETHERNET || size < ETHERNET_HEAD)
        return false;
    unsigned type = number(bytes + ETHERNET_HEAD - 2);
    if (!skip(&view, ETHERNET_HEAD) || !take_network(&view, type))
        return false;
    switch (view.protocol) {
    case P_TCP: return take_tcp(packet, &view);
    case P_UDP: return take_udp(packet, &view);
    case P_ICMP:
    case P_ICMP6: return take_icmp(packet, &view);
    default: return false;
    }
}
