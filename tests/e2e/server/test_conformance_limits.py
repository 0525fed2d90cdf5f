"""Long messages, many messages, and the bounds (sections 9, 10, 12 and 13 of the Autobahn test suite): a server with --max-message 16m
serves the suite's largest; one with the default closes with 1009 as soon as a frame's head says that the message is too long."""
import os, threading
import pytest
from rig import Server
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, Wire, close_frame, fragments, frame, request

MIB = 1 << 20
LARGE = 16 * MIB
SMALL = 65536  # the default


@pytest.fixture(scope="module", params=["uring", "epoll"])
def large(request):
    with Server("--echo", "--max-message", "16m", "--max-connections", "64", io=request.param) as s:
        yield s.port


@pytest.fixture(scope="module", params=["uring", "epoll"])
def small(request):
    with Server("--echo", "--max-commands", "0", "--workers", "1", io=request.param) as s:  # one, with room for 100 in pieces
        yield s.port


@pytest.fixture(scope="module")
def plain():
    with Server("--echo", "--no-deflate") as s:
        yield s.port


def text_of(size):
    return (("Dashed line – price 12,50 €; ".encode() * (size // 34 + 1))[:size - 3].decode(errors="ignore").encode() + b"...")[:size]


@pytest.mark.parametrize("size", [64 << 10, 256 << 10, MIB, 4 * MIB, LARGE])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_9_1_2_long_messages(large, opcode, size):
    payload = text_of(size) if opcode == TEXT else os.urandom(4096) * (size // 4096) + bytes(size % 4096)
    with Wire(large) as w:
        w.send(frame(opcode, payload))
        w.expect((opcode, payload))
        w.bye()


@pytest.mark.parametrize("part,size", [(64, MIB), (256, MIB), (1024, MIB), (4096, MIB), (16 << 10, MIB), (64 << 10, MIB),
                                       (256 << 10, 2 * MIB), (MIB, 4 * MIB)])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_9_3_4_long_messages_in_fragments(large, opcode, part, size):
    payload = text_of(size) if opcode == TEXT else bytes(range(256)) * (size // 256)
    with Wire(large) as w:
        w.send(fragments(opcode, payload, part))
        w.expect((opcode, payload))
        w.bye()


@pytest.mark.parametrize("cut", [64, 128, 256, 512, 1024, 2048])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_9_5_6_long_messages_cut(large, opcode, cut):
    payload = text_of(MIB // 4)
    with Wire(large) as w:
        w.send(frame(opcode, payload), cut)
        w.expect((opcode, payload))
        w.bye()


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_9_7_8_round_trips(small, opcode, size):
    data, payload = frame(opcode, b"*" * size), b"*" * size
    with Wire(small) as w:
        for _ in range(200):
            w.send(data)
            w.expect((opcode, payload))
        w.bye()


@pytest.mark.parametrize("size", [10, 1000, 4093, 16373, 16384, 60000])
def test_echoes_that_are_not_read_wait_and_come_in_order(small, size):
    count = 6 * MIB // (size + 3000)
    data = b"".join(frame(BINARY, b"%8d" % i + bytes(size)) for i in range(count))
    with Wire(small, seconds=60) as w:
        sender = threading.Thread(target=w.send, args=(data,))
        sender.start()
        for i in range(count):
            w.expect((BINARY, b"%8d" % i + bytes(size)))
        sender.join(20)
        assert not sender.is_alive()
        w.bye()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [SMALL + 1, 2 * SMALL, LARGE, 1 << 31, 1 << 32, (1 << 32) + 10, (1 << 63) - 1])
@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
def test_the_head_alone_is_too_big(small, path, opcode, size):
    with Wire(small, path) as w:
        w.send(frame(opcode, b"", size=size))  # not a byte of it
        w.expect_close(1009)


def test_too_big_by_one_at_16_mib(large):
    with Wire(large) as w:
        w.send(frame(BINARY, b"", size=LARGE + 1))
        w.expect_close(1009)


@pytest.mark.parametrize("part", [1000, 16384, 65535])
@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
def test_fragments_count_together(small, path, part):
    with Wire(small, path) as w:
        sent = 0
        while sent + part <= SMALL:
            w.send(frame(BINARY if sent == 0 else CONTINUATION, b"x" * part, fin=False))
            sent += part
        w.send(frame(PING, b"in between"))
        w.expect((PONG, b"in between"))
        w.send(frame(CONTINUATION, b"", fin=False, size=SMALL - sent + 1))
        w.expect_close(1009)


def test_fragments_up_to_the_limit_and_again(small):
    payload = b"y" * SMALL
    with Wire(small) as w:
        for _ in range(3):
            w.send(fragments(BINARY, payload, 1300))
            w.expect((BINARY, payload))
        w.bye()


def test_many_at_once(small):
    """More messages in pieces at the same time than the first few: each has its own memory."""
    all_of_them = [Wire(small) for _ in range(100)]
    payloads = [b"%4d" % i * 1250 for i in range(100)]
    data = [fragments(TEXT, p, 1700) for p in payloads]
    for half in (slice(0, 2500), slice(2500, None)):
        for w, d in zip(all_of_them, data):
            w.send(d[half])
    for w, p in zip(all_of_them, payloads):
        w.expect((TEXT, p))
        w.bye()


OFFERS = ["permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover",
          "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", "x-webkit-deflate-frame", "foo, bar; baz=2",
          "foo; quoted=\"a, b; c\"", "permessage-bzip2, permessage-snappy"]


@pytest.mark.parametrize("offer", OFFERS)
def test_12_13_an_extension_that_was_not_agreed_on_is_not_used(plain, offer):
    """What was agreed on: test_deflate.py."""
    with Wire(plain, handshake=False) as w:
        w.send(request(plain, "/v1/echo", f"Sec-WebSocket-Extensions: {offer}"))
        assert w.head() == 101 and w.header("Sec-WebSocket-Extensions") is None
        w.send(frame(TEXT, b"plain " * 100))
        w.expect((TEXT, b"plain " * 100))
        w.send(frame(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4))
        w.expect_close(1002)


def test_close_is_heard_while_much_is_under_way(large):
    with Wire(large) as w:
        w.send(frame(BINARY, bytes(LARGE))[:MIB])
        w.socket.close()
    with Wire(large) as w:
        w.send(close_frame(1000))
        w.expect_close(1000)
