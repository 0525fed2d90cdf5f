"""bench/floor hands everybody whole frames, also who reads slowly, and says what it did: without that it measures nothing.

usage: floor_test.py FLOOR
"""
import json
import os
import socket
import struct
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "bench"), os.path.join(ROOT, "tests", "e2e", "server")]
import bin_codec  # noqa: E402
from local_server import end_process, free_port, wait_answers  # noqa: E402

FLOOR = sys.argv.pop() if len(sys.argv) == 2 else ""
REQUEST = (b"GET /any HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3


class Client:
    def __init__(self, port, rcvbuf=0):
        self.socket = socket.socket()
        if rcvbuf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(REQUEST)
        self.bytes = b""

    def upgrade(self):
        while b"\r\n\r\n" not in self.bytes:
            self.more(4096)
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        return head

    def more(self, count):
        got = self.socket.recv(count)
        if not got:
            raise AssertionError("the floor closed")
        self.bytes += got

    def frame(self):
        while len(self.bytes) < 4:
            self.more(65536)
        kind, size, head = self.bytes[0], self.bytes[1], 2
        if size == 126:
            size, head = struct.unpack(">H", self.bytes[2:4])[0], 4
        while len(self.bytes) < head + size:
            self.more(65536)
        payload, self.bytes = self.bytes[head:head + size], self.bytes[head + size:]
        if kind not in (0x81, 0x82):
            raise AssertionError(f"a frame begins with {kind:#x}: torn")
        return json.loads(payload) if kind == 0x81 else payload


class Floor(unittest.TestCase):
    def start(self, *options):
        self.port = free_port()
        self.process = subprocess.Popen([FLOOR, "--port", str(self.port), *options], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.assertTrue(wait_answers(self.process, self.port))

    def end(self):
        end_process(self.process, 10)
        self.process.stdout.close()

    def report(self):
        self.process.terminate()
        return json.loads(self.process.stdout.read())

    def clients(self, *rcvbufs):
        out = [Client(self.port, rcvbuf) for rcvbuf in rcvbufs]
        for client in out:
            self.addCleanup(client.socket.close)
            self.assertIn(ACCEPT, client.upgrade())
        return out

    def test_closed_loop_whole_frames_also_for_the_slow(self):
        self.start("--clients", "3", "--burst", "64")
        quick, other, slow = self.clients(0, 0, 2048)
        for client in (quick, other, quick, slow, quick, slow):  # the slow one's socket is full before it reads
            for _ in range(20000 if client is quick else 3000):
                self.assertEqual(client.frame()["type"], "trade")
        said = self.report()
        self.assertGreater(said["part"] + said["full"], 0)
        self.assertEqual(said["dropped"], 0)
        self.assertGreater(said["sends"], 0)

    def test_a_burst_is_one_frame_where_that_is_asked_for(self):
        self.start("--clients", "1", "--burst", "16", "--frame", "batch")
        client, = self.clients(0)
        self.assertEqual(len(client.frame()["ticks"]), 16)

    def test_or_one_binary_frame_of_packed_trades(self):
        self.start("--clients", "1", "--burst", "16", "--frame", "binary")
        client, = self.clients(0)
        codec = bin_codec.Decoder()
        for symbol in range(500):
            codec.names[symbol] = f"SIM{symbol:03}"
        for _ in range(100):
            frame = codec.message(client.frame())
            self.assertEqual([t["type"] for t in frame["ticks"]], ["trade"] * 16)
            self.assertEqual([t["seq"] for t in frame["ticks"]], list(range(frame["from"] + 1, frame["to"] + 1)))

    def test_at_a_rate_each_tick_comes_once_with_the_time_it_was_due(self):
        self.start("--clients", "2", "--rate", "400")
        clients = self.clients(0, 0)
        for client in clients:
            ticks = [client.frame() for _ in range(200)]
            self.assertEqual([t["seq"] for t in ticks], list(range(ticks[0]["seq"], ticks[0]["seq"] + 200)))
            steps = {b["ts"] - a["ts"] for a, b in zip(ticks, ticks[1:])}
            self.assertLessEqual(max(abs(step - 2500000) for step in steps), 1)  # ns; of a due time, not of a clock
            self.assertLessEqual(ticks[-1]["ts"], time.time_ns())

    def test_begins_with_the_last_one_and_goes_on_without_who_leaves(self):
        self.start("--clients", "2", "--burst", "1")
        first, = self.clients(0)
        first.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            first.frame()
        first.socket.settimeout(20)
        second, = self.clients(0)
        first.frame()
        second.frame()
        second.socket.sendall(b"\x88\x80\0\0\0\0")  # close
        with self.assertRaises((AssertionError, ConnectionError)):
            while True:
                second.frame()
        for _ in range(1000):
            first.frame()
        self.assertEqual(self.report()["dropped"], 1)

    def test_wrong_calls_name_the_option(self):
        for words, said in (("--clients 1", "--port"), ("--port 1x", "--port"), ("--port 1 --frame big", "--frame"),
                            ("--port 1 --rate 5 --burst 2", "--rate"), ("--port 1 more", "more")):
            done = subprocess.run([FLOOR, *words.split()], stderr=subprocess.PIPE, text=True, timeout=20, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
