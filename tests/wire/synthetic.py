#!/usr/bin/env python3
"""usage: synthetic.py FOLDER PACKETS

Writes what a run of two programs could have left: traces of a client that sends and a server that receives, and the
packets. Every tenth payload is hostile. For tests of size and of what strangers send; no program runs.
"""
import struct
import sys

folder, count = sys.argv[1], int(sys.argv[2])
BEGIN = 1_800_000_000_000_000_000
CLIENT, SERVER = ("127.0.0.1", 40000), ("127.0.0.1", 7)
C, S = "3<TCP:[127.0.0.1:40000->127.0.0.1:7]>", "4<TCP:[127.0.0.1:7->127.0.0.1:40000]>"


def stamp(t):
    return "%d.%09d" % (t // 10**9, t % 10**9)


def hexed(data):
    return '"' + "".join("\\x%02x" % b for b in data) + '"'


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("=II", kind, len(body) + 12) + body + struct.pack("=I", len(body) + 12)


def packet(t, source, target, flags, seq, data):
    tcp = struct.pack(">HHIIBBHHH", source[1], target[1], seq, 0, 5 << 4, flags, 0, 0, 0) + data
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    frame = b"\0" * 12 + b"\x08\0" + ip + tcp
    return block(6, struct.pack("=IIIII", 0, t >> 32, t & 0xFFFFFFFF, len(frame), len(frame)) + frame)


client = open(folder + "/client.1", "w")
server = open(folder + "/server.2", "w")
packets = open(folder + "/packets.pcapng", "wb")
packets.write(block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)))
packets.write(block(1, struct.pack("=HHI", 1, 0, 65535) + struct.pack("=HHB3xHH", 9, 1, 9, 0, 0)))
sequence = 1000
for i in range(count):
    t = BEGIN + i * 30_000
    data = b"\x1b[31m\0\"<&\xff" if i % 10 == 9 else b"line %d\n" % i
    client.write("%s sendto(%s, %s, %d, 0, NULL, 0) = %d <0.000002000>\n" % (stamp(t), C, hexed(data), len(data), len(data)))
    packets.write(packet(t + 1000, CLIENT, SERVER, 24, sequence, data))
    server.write("%s recvfrom(%s, %s, 8192, 0, NULL, NULL) = %d <0.000002000>\n" % (stamp(t + 3000), S, hexed(data), len(data)))
    sequence += len(data)
for out in (client, server, packets):
    out.close()
