"""RFC 6455 frame by frame, ordered as the sections 1 to 5 and 10 of the Autobahn test suite: framing, pings and pongs, reserved bits,
opcodes, fragmentation. What breaks the protocol is closed with 1002 on both WebSocket paths; what does not is echoed."""
import pytest
from rig import Server
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, fragments, frame


@pytest.fixture(scope="module", params=["uring", "epoll"])
def port(request):
    with Server("--echo", "--max-commands", "0", io=request.param) as s:
        yield s.port


def words(size):
    return (b"The quick brown fox, 1234567890 times. " * (size // 39 + 1))[:size]


# ---- 1: framing ----

@pytest.mark.parametrize("cut", [None, 1, 997])
@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 128, 4095, 4096, 16373, 16374, 16384, 65535, 65536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_1_framing(port, opcode, size, cut):
    if cut == 1 and size > 200:
        cut = 61
    payload = words(size) if opcode == TEXT else bytes(i * 7 & 0xff for i in range(size))
    with Wire(port) as w:
        w.send(frame(opcode, payload), cut)
        w.expect((opcode, payload))
        w.bye()


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("wrong", [
    frame(BINARY, b"x" * 125, form=16), frame(BINARY, b"", form=16), frame(BINARY, b"x", form=64), frame(TEXT, b"x" * 126, form=64),
    frame(BINARY, b"x" * 65535, form=64), frame(BINARY, b"x", size=1 << 63), frame(BINARY, b"x", size=(1 << 64) - 1),
], ids=["125-as-16", "0-as-16", "1-as-64", "126-as-64", "65535-as-64", "top-bit", "all-bits"])
def test_1_lengths_are_minimal(port, path, wrong):
    with Wire(port, path) as w:
        w.send(wrong)
        w.expect_close(1002)


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
@pytest.mark.parametrize("size", [0, 2, 125])
def test_1_what_is_not_masked_is_refused(port, path, opcode, size):
    with Wire(port, path) as w:
        w.send(frame(opcode, b"\x03\xe8" + b"y" * (size - 2) if size else b"", masked=False))
        w.expect_close(1002)


# ---- 2: pings and pongs ----

@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("cut", [None, 1])
@pytest.mark.parametrize("payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 124, b"\xfe" * 125],
                         ids=["empty", "text", "bytes", "124", "125"])
def test_2_a_ping_is_answered_with_its_payload(port, path, payload, cut):
    with Wire(port, path) as w:
        w.send(frame(PING, payload), cut)
        w.expect((PONG, payload))
        w.bye()


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
@pytest.mark.parametrize("size", [126, 127, 65536])
def test_2_control_frames_are_short(port, path, opcode, size):
    with Wire(port, path) as w:
        w.send(frame(opcode, b"\x03\xe8" + b"\x40" * (size - 2)))
        w.expect_close(1002)


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
def test_2_an_unsolicited_pong_is_nothing(port, path, payload):
    with Wire(port, path) as w:
        w.send(frame(PONG, payload) + frame(PING, b"ping payload") + frame(PONG, payload))
        w.expect((PONG, b"ping payload"))
        w.bye()


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("count", [2, 10, 200])
@pytest.mark.parametrize("cut", [None, 1])
def test_2_every_ping_of_one_who_reads_is_answered_in_order(port, path, count, cut):
    payloads = [b"payload-%d" % i for i in range(count)]
    with Wire(port, path) as w:
        w.send(b"".join(frame(PING, p) for p in payloads), cut if count < 200 else None)
        w.expect(*[(PONG, p) for p in payloads])
        w.bye()


def test_2_pongs_and_echoes_keep_their_order(port):
    with Wire(port) as w:
        w.send(b"".join(frame(PING, b"p%d" % i) + frame(TEXT, b"t%d" % i) for i in range(50)))
        w.expect(*[e for i in range(50) for e in ((PONG, b"p%d" % i), (TEXT, b"t%d" % i))])
        w.bye()


# ---- 3: reserved bits; 4: opcodes; what breaks a rule of the head, wherever it stands ----

WRONG_HEADS = {f"rsv-{rsv}-{name}": frame(opcode, payload, rsv=rsv) for rsv in range(1, 8)
               for name, opcode, payload in (("text", TEXT, b"reserved"), ("binary", BINARY, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
                                             ("ping", PING, b"hello"), ("close", CLOSE, b"\x03\xe8"))}
WRONG_HEADS.update({f"opcode-{opcode}-{name}": frame(opcode, payload) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
                    for name, payload in (("empty", b""), ("payload", b"reserved opcode payload"))})
WRONG_HEADS.update({f"fragmented-{name}": frame(opcode, b"control", fin=False)
                    for name, opcode in (("ping", PING), ("pong", PONG))})


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
@pytest.mark.parametrize("wrong", WRONG_HEADS.values(), ids=WRONG_HEADS.keys())
def test_3_4_a_wrong_head_is_1002(port, path, wrong):
    with Wire(port, path) as w:
        w.send(wrong)
        w.expect_close(1002)


@pytest.mark.parametrize("cut", [None, 1])
@pytest.mark.parametrize("wrong", WRONG_HEADS.values(), ids=WRONG_HEADS.keys())
def test_3_4_what_came_before_a_wrong_head_is_served_and_nothing_after(port, wrong, cut):
    with Wire(port) as w:
        w.send(frame(TEXT, b"before") + wrong, cut)
        w.send(frame(PING, b"after") + frame(TEXT, b"after"), None)
        w.expect((TEXT, b"before"))
        w.expect_close(1002)


# ---- 5: fragmentation. Frames, and what comes back; a number is a close code. ----

def f(opcode, payload=b"", fin=False):
    return frame(opcode, payload, fin=fin)


FRAGMENTATION = {
    "5.1-ping": ([f(PING, b"fragment1"), f(CONTINUATION, b"fragment2", True)], [1002]),
    "5.2-pong": ([f(PONG, b"fragment1"), f(CONTINUATION, b"fragment2", True)], [1002]),
    "5.3-text-in-2": ([f(TEXT, b"fragment1"), f(CONTINUATION, b"fragment2", True)], [(TEXT, b"fragment1fragment2")]),
    "5.6-ping-between": ([f(TEXT, b"fragment1"), f(PING, b"ping", True), f(CONTINUATION, b"fragment2", True)],
                         [(PONG, b"ping"), (TEXT, b"fragment1fragment2")]),
    "5.9-continuation-first": ([f(CONTINUATION, b"non-continuation", True), f(TEXT, b"Hello", True)], [1002]),
    "5.12-unfinished-continuation-first": ([f(CONTINUATION, b"non-continuation"), f(TEXT, b"Hello", True)], [1002]),
    "5.15-continuation-after-the-end": ([f(TEXT, b"fragment1"), f(CONTINUATION, b"fragment2", True),
                                         f(CONTINUATION, b"fragment3"), f(TEXT, b"fragment4", True)],
                                        [(TEXT, b"fragment1fragment2"), 1002]),
    "5.16-continuation-text-continuation": ([f(CONTINUATION, b"fragment1"), f(TEXT, b"fragment2"),
                                             f(CONTINUATION, b"fragment3", True)] * 2, [1002]),
    "5.17-final-continuation-first": ([f(CONTINUATION, b"fragment1", True), f(TEXT, b"fragment2"),
                                       f(CONTINUATION, b"fragment3", True)] * 2, [1002]),
    "5.18-text-in-text": ([f(TEXT, b"fragment1"), f(TEXT, b"fragment2", True)], [1002]),
    "5.18-binary-in-text": ([f(TEXT, b"fragment1"), f(BINARY, b"fragment2", True)], [1002]),
    "5.18-unfinished-text-in-text": ([f(TEXT, b"fragment1"), f(TEXT, b"fragment2")], [1002]),
    "5.18-text-in-binary": ([f(BINARY, b"fragment1"), f(TEXT, b"fragment2", True)], [1002]),
    "5.19-pings-in-5-fragments": ([f(TEXT, b"fragment1"), f(CONTINUATION, b"fragment2"), f(PING, b"pongme 1!", True),
                                   f(CONTINUATION, b"fragment3"), f(CONTINUATION, b"fragment4"), f(PING, b"pongme 2!", True),
                                   f(CONTINUATION, b"fragment5", True)],
                                  [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"),
                                   (TEXT, b"fragment1fragment2fragment3fragment4fragment5")]),
    "pong-between": ([f(BINARY, b"\x01"), f(PONG, b"nobody asked", True), f(CONTINUATION, b"\x02", True)], [(BINARY, b"\x01\x02")]),
    "empty-fragments": ([f(TEXT), f(CONTINUATION), f(CONTINUATION, b"", True)], [(TEXT, b"")]),
    "empty-but-the-middle": ([f(TEXT), f(CONTINUATION, b"middle"), f(CONTINUATION, b"", True)], [(TEXT, b"middle")]),
    "empty-binary": ([f(BINARY), f(CONTINUATION, b"", True)], [(BINARY, b"")]),
    "two-messages": ([f(TEXT, b"a"), f(CONTINUATION, b"b", True), f(BINARY, b"c"), f(CONTINUATION, b"d", True)],
                     [(TEXT, b"ab"), (BINARY, b"cd")]),
    "wrong-ping-between": ([f(TEXT, b"a"), f(PING, b"x" * 126, True)], [1002]),
    "rsv-in-a-continuation": ([f(TEXT, b"a"), frame(CONTINUATION, b"b", rsv=4)], [1002]),
    "unmasked-continuation": ([f(TEXT, b"a"), frame(CONTINUATION, b"b", masked=False)], [1002]),
    "50-pings-in-51-fragments": ([f(TEXT, b"0")] + [x for i in range(50) for x in (f(PING, b"%d" % i, True), f(CONTINUATION, b"."))]
                                 + [f(CONTINUATION, b"!", True)],
                                 [(PONG, b"%d" % i) for i in range(50)] + [(TEXT, b"0" + b"." * 50 + b"!")]),
}


@pytest.mark.parametrize("how", ["at-once", "a-frame-each", "byte-by-byte", "7-bytes-each"])
@pytest.mark.parametrize("frames,events", FRAGMENTATION.values(), ids=FRAGMENTATION.keys())
def test_5_fragmentation(port, frames, events, how):
    with Wire(port) as w:
        if how == "a-frame-each":
            for x in frames:
                w.send(x)
        else:
            w.send(b"".join(frames), {"at-once": None, "byte-by-byte": 1, "7-bytes-each": 7}[how])
        for e in events:
            w.expect_close(e) if isinstance(e, int) else w.expect(e)
        if not isinstance(events[-1], int):
            w.bye()


def test_5_control_frames_are_answered_before_the_message_is_whole(port):
    with Wire(port) as w:
        w.send(f(TEXT, b"begun"))
        for i in range(5):
            w.send(f(PING, b"%d" % i, True))
            w.expect((PONG, b"%d" % i))
            w.send(f(CONTINUATION, b"-%d" % i))
        half = f(CONTINUATION, b" and this", True)
        w.send(half[:7])
        w.send(half[7:])
        w.expect((TEXT, b"begun-0-1-2-3-4 and this"))
        w.bye()


@pytest.mark.parametrize("size", [1, 2, 3, 10, 64, 126, 1300, 4096])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_10_fragments_of_every_size(port, opcode, size):
    payload = words(min(65536, size * 2000))
    with Wire(port) as w:
        w.send(fragments(opcode, payload, size))
        w.expect((opcode, payload))
        w.bye()


def test_a_command_may_come_in_fragments_and_binary(port):
    with Wire(port, "/v1/ws") as w:
        w.send(f(TEXT, b'{"op":"pi') + f(PING, b"between", True) + f(CONTINUATION, b'ng","id":1}', True), 1)
        w.expect((PONG, b"between"))
        assert w.event()[1].startswith(b'{"type":"pong","id":1')
        w.send(frame(BINARY, b'{"op":"ping","id":2}'))
        assert w.event()[1].startswith(b'{"type":"pong","id":2')
        w.bye()


def test_a_reset_of_the_peer_harms_nobody(port):
    for cut in range(0, 30, 3):
        with Wire(port) as w:
            w.send(frame(TEXT, b"a message that is left half")[:cut])
    with Wire(port) as w:
        w.bye()
