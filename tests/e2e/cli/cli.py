"""Runs the program's commands, and a small server that says exactly what a test wants: also what no honest server says."""
import asyncio, subprocess, threading
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
    """A server whose `play(ws, path, number)` is a coroutine of the test: number counts connections from 0."""

    def __init__(self, play):
        self.play, self.paths, self.loop = play, [], asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),))

    async def serve(self):
        self.over = asyncio.Event()
        async with websockets.serve(self.one, "127.0.0.1", 0, subprotocols=["tickcast.v1.json"], compression=None) as s:
            self.port = s.sockets[0].getsockname()[1]
            self.ready.set()
            await self.over.wait()

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


async def say(ws, *messages):
    for m in messages:
        await ws.send(m)
