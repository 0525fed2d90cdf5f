"""Runs the program's commands, and a small server that says exactly what a test wants: also what no honest server says."""
import asyncio, base64, hashlib, re, socket, subprocess, threading
from http import HTTPStatus
import websockets
from rig import TICKCAST

EPOCH = "00000000000000aa"


def run(*words, seconds=60, env=None):
    return subprocess.run([TICKCAST, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                          env=env)


def trade(seq, price="1.50", symbol="A"):
    return f'{{"type":"trade","seq":{seq},"symbol":"{symbol}","price":{price},"size":3,"ts":1700000000000000000}}'


def quote(seq, bid="1.40", symbol="A"):
    return (f'{{"type":"quote","seq":{seq},"symbol":"{symbol}","bid":{bid},"bid_size":3,"ask":2,"ask_size":1,'
            '"ts":1700000000000000000}')


def ticks(first, last, *objects, conflated=0):
    told = f'"conflated":{conflated},' if conflated else ""
    return f'{{"type":"ticks","from":{first},"to":{last},{told}"ticks":[{",".join(objects)}]}}'


def hello(seq=0):
    return [f'{{"type":"hello","version":1,"server":"script","epoch":"{EPOCH}","seq":{seq}}}',
            f'{{"type":"subscribed","symbols":["*"],"kinds":["trade"],"policy":"conflate","seq":{seq}}}']


def gap(first, last):
    return f'{{"type":"gap","from":{first},"to":{last},"reason":"overrun"}}'


class Script:
    """A server whose `play(ws, path, number)` is a coroutine of the test: number counts connections from 0. With compression
    "deflate" it takes permessage-deflate and keeps its window from message to message. metrics: what /metrics says, one after another."""

    def __init__(self, play, compression=None, metrics=()):
        self.compression, self.metrics = compression, list(metrics)
        self.play, self.paths, self.loop = play, [], asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),))

    async def serve(self):
        self.over = asyncio.Event()
        async with websockets.serve(self.one, "127.0.0.1", 0, subprotocols=["tickcast.v1.json"],
                                    compression=self.compression, process_request=self.page) as s:
            self.port = s.sockets[0].getsockname()[1]
            self.ready.set()
            await self.over.wait()

    async def page(self, path, _):
        return (HTTPStatus.OK, [], self.metrics.pop(0).encode()) if path == "/metrics" and self.metrics else None

    async def one(self, ws, path=None):
        path = path or ws.path
        self.paths.append(path)
        try:
            await self.play(ws, path, len(self.paths) - 1)
        except websockets.ConnectionClosed:
            pass

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/v1/ws"

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *exception):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)
        assert not self.thread.is_alive()


class RawServer:
    """Answers one WebSocket handshake with these fields, then sends these bytes and waits for the client to go."""

    def __init__(self, fields, *frames):
        self.fields, self.frames, self.listener = fields, frames, socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/v1/ws"
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        with peer:
            peer.settimeout(20)
            request = b""
            while b"\r\n\r\n" not in request:
                request += peer.recv(65536)
            self.request = request.decode()
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", request).group(1)
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
            fields = "".join(f"{field}\r\n" for field in (f"Sec-WebSocket-Accept: {accept}", *self.fields))
            try:
                peer.sendall(f"HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n".encode() + b"".join(self.frames))
                while peer.recv(65536):
                    pass
            except OSError:
                pass  # the client has had enough

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)
        assert not self.thread.is_alive()


async def say(ws, *messages):
    for m in messages:
        await ws.send(m)
