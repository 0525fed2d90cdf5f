"""Subscribers that agree on what is offered and then read away all that comes, unpacking nothing: so that a server's limit is met
before that of whoever measures it.

usage: drain.py PORT PATH CONNECTIONS [FIELD]   FIELD: one more line of the request, as "Sec-WebSocket-Extensions: ..."
Says "ready" when all are upgraded; ends with its standard input.
"""
import os
import select
import socket
import sys

BUFFER = bytearray(1 << 18)


def main():
    port, path, count, *fields = sys.argv[1:]
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", *fields, "", ""]
    request = "\r\n".join(lines).encode()
    poll, sockets = select.epoll(), {}
    for _ in range(int(count)):
        s = socket.create_connection(("127.0.0.1", int(port)))
        s.sendall(request)
        if not s.recv(4096).startswith(b"HTTP/1.1 101 "):
            sys.exit("drain: not upgraded")
        s.setblocking(False)
        sockets[s.fileno()] = s
        poll.register(s, select.EPOLLIN)
    print("ready", flush=True)
    poll.register(0, select.EPOLLIN | select.EPOLLHUP)
    while read_all(poll.poll(), sockets):
        pass


def read_all(events, sockets):
    """False: standard input ended."""
    for descriptor, _ in events:
        if descriptor == 0 and not os.read(0, 1):
            return False
        if descriptor and not sockets[descriptor].recv_into(BUFFER):
            sys.exit("drain: the server closed a connection")
    return True


if __name__ == "__main__":
    main()
