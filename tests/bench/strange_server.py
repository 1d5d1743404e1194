"""An echo server with a fault, to test the load generator.

usage: strange_server.py FAULT      says "listening on 127.0.0.1:PORT"

  chop      every answer comes in pieces of 1 to 700 bytes
  alter     the 1000th byte of a connection comes back changed
  repeat    the 640 bytes before it come once more
  exchange  the first two connections get each other's bytes
  close     ends a connection after 1000 bytes
  stop      nothing is read from half a second to a second and a half after the first byte
  mute      nothing comes back from half a second after the first byte on
"""

import socket
import sys
import threading
import time

fault = sys.argv[1]
begin = []
others = []


def wait_for_turn(first):
    since = time.monotonic() - first
    if fault == "stop" and 0.5 <= since < 1.5:
        time.sleep(1.5 - since)
    return fault != "mute" or since < 0.5


def answer(connection, seen, data):
    place = 1000 - seen
    if fault == "chop":
        sizes = (1, 700, 3, 64, 65, 211)
        turn = 0
        while data:
            size = sizes[turn % len(sizes)]
            connection.sendall(data[:size])
            data = data[size:]
            turn += 1
    elif fault == "alter" and 0 <= place < len(data):
        connection.sendall(data[:place] + b"#" + data[place + 1 :])
    elif fault == "repeat" and 0 <= place < len(data):
        connection.sendall(data + data[:640])
    elif fault == "exchange" and connection in others:
        others[1 - others.index(connection)].sendall(data)
    elif fault == "close" and 0 <= place < len(data):
        connection.shutdown(socket.SHUT_RDWR)
    else:
        connection.sendall(data)


def serve(connection):
    seen = 0
    try:
        while data := connection.recv(65536):
            begin.append(time.monotonic())
            if fault == "exchange" and len(others) < 2:
                time.sleep(0.01)
            if wait_for_turn(begin[0]):
                answer(connection, seen, data)
            seen += len(data)
    except OSError:
        pass  # the load has gone


with socket.create_server(("127.0.0.1", 0)) as listener:
    print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    while True:
        accepted = listener.accept()[0]
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(others) < 2:
            others.append(accepted)
        threading.Thread(target=serve, args=(accepted,), daemon=True).start()
