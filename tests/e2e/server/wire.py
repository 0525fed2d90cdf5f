"""WebSocket to the byte: frames right and wrong, cut as a test wants them. Nothing here corrects what a test sends; everything
that the server sends is checked (RFC 6455 5.1, 5.2, 5.5, 5.6)."""
import base64, hashlib, os, re, socket, struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
END = "end"  # the server ended the stream, in order: end of file, no reset
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def mask(payload, key):
    if not payload:
        return b""
    keys = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(len(payload), "big")


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, form=None, size=None):
    """A client's frame. form: 16 or 64 forces that length form; size: the length that is told, whatever follows."""
    size = len(payload) if size is None else size
    bit = 128 if masked else 0
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    length = bytes([bit | size]) if form == 7 else bytes([bit | 126]) + struct.pack(">H", size) if form == 16 else \
        bytes([bit | 127]) + struct.pack(">Q", size)
    key = os.urandom(4)
    return bytes([(128 if fin else 0) | rsv << 4 | opcode]) + length + (key + mask(payload, key) if masked else payload)


def close_frame(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def fragments(opcode, payload, size):
    """One message in frames of size bytes each."""
    parts = [payload[i:i + size] for i in range(0, len(payload), size)] or [b""]
    return b"".join(frame(opcode if i == 0 else CONTINUATION, p, fin=i == len(parts) - 1) for i, p in enumerate(parts))


def request(port, path="/v1/echo", *headers, key=KEY):
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", ""]
    return "\r\n".join(lines).encode()


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


class Wire:
    """A connection past its handshake (or before it: handshake=False). Every read has an end."""

    def __init__(self, port, path="/v1/echo", handshake=True, seconds=20, first=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        if handshake:
            self.send(request(port, path) + first)
            self.head()
            assert self.status == 101, self.text
            if path.startswith("/v1/ws"):
                assert self.event()[1].startswith(b'{"type":"hello"')

    def send(self, data, cut=None):
        """All at once, or in pieces of cut bytes, each a segment of its own."""
        if not cut:
            self.socket.sendall(data)
        else:
            for i in range(0, len(data), cut):
                self.socket.sendall(data[i:i + cut])

    def fill(self):
        more = self.socket.recv(1 << 20)
        self.buffer += more
        return bool(more)

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            assert self.fill(), bytes(self.buffer)
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        self.text = head.decode()
        self.status = int(self.text.split(" ")[1])
        return self.status

    def header(self, name):
        found = re.search(rf"(?im)^{name}: *(.*?)\r?$", self.text)
        return found.group(1) if found else None

    def _take(self, size):
        while len(self.buffer) < size:
            if not self.fill():
                assert not self.buffer, f"ends inside a frame: {bytes(self.buffer[:80])}"
                return None
        out = bytes(self.buffer[:size])
        del self.buffer[:size]
        return out

    def event(self):
        """The next frame of the server, as (opcode, payload), or END."""
        lead = self._take(2)
        if lead is None:
            return END
        opcode, size = lead[0] & 15, lead[1]
        assert lead[0] & 0x70 == 0, "no extension was agreed on"
        assert lead[0] & 0x80, "this server does not fragment"
        assert opcode in (TEXT, BINARY, CLOSE, PING, PONG)
        assert size < 128, "a server's frame is not masked"
        if size >= 126:
            assert opcode < 8, "control frames are short"
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            assert size >= (126 if lead[1] == 126 else 65536), "lengths are minimal"
        payload = self._take(size) if size else b""
        if opcode == TEXT or (opcode == CLOSE and size > 2):
            payload[2 if opcode == CLOSE else 0:].decode()
        assert opcode != CLOSE or size != 1
        return opcode, payload

    def expect(self, *events):
        for e in events:
            got = self.event()
            assert got == e, f"got {str(got)[:200]}, expected {str(e)[:200]}"

    def expect_close(self, code, end=True):
        """A close frame with the code (None: without one), then nothing more."""
        got = self.event()
        assert got != END and got[0] == CLOSE, f"got {str(got)[:200]}, expected close {code}"
        told = struct.unpack(">H", got[1][:2])[0] if got[1] else None
        assert told == code, f"closed with {told} {got[1][2:]}, expected {code}"
        if end:
            self.expect(END)

    def bye(self):
        """The connection still works, and closes as it should."""
        self.send(frame(PING, b"alive?"))
        self.expect((PONG, b"alive?"))
        self.send(close_frame(1000))
        self.expect_close(1000)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()
