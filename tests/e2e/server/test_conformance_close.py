"""The closing handshake (RFC 6455 5.5.1, 7), ordered as section 7 of the Autobahn test suite: one close frame from us, the peer's code
sent back, nothing after it, and the server is the first to end the stream."""
import signal, struct
import pytest
from rig import Server
from wire import BINARY, CLOSE, CONTINUATION, END, PING, PONG, TEXT, Wire, close_frame, fragments, frame


@pytest.fixture(scope="module", params=["uring", "epoll"])
def port(request):
    with Server("--echo", "--max-commands", "0", "--max-message", "1m", io=request.param) as s:
        yield s.port


PATHS = pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
CUTS = pytest.mark.parametrize("cut", [None, 1])


def test_7_1_1_a_message_then_close(port):
    with Wire(port) as w:
        w.send(frame(TEXT, b"Hello World!"))
        w.expect((TEXT, b"Hello World!"))
        w.send(close_frame(1000))
        w.expect_close(1000)


@CUTS
def test_7_1_1_a_message_and_close_at_once(port, cut):
    with Wire(port) as w:
        w.send(frame(TEXT, b"Hello World!") + close_frame(1000), cut)
        w.expect((TEXT, b"Hello World!"))
        w.expect_close(1000)


AFTER = {"7.1.2-close": close_frame(1000), "7.1.3-ping": frame(PING, b"after"), "7.1.4-text": frame(TEXT, b"after"),
         "pong": frame(PONG), "rubbish": b"\xff" * 40, "unmasked": frame(TEXT, b"x", masked=False), "another-code": close_frame(1001)}


@PATHS
@CUTS
@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER.keys())
def test_7_1_nothing_is_answered_after_close(port, path, cut, after):
    with Wire(port, path) as w:
        w.send(close_frame(1000) + after, cut)
        w.expect_close(1000)


@CUTS
def test_7_1_5_close_between_fragments(port, cut):
    with Wire(port) as w:
        w.send(frame(TEXT, b"fragment1", fin=False) + close_frame(1000) + frame(CONTINUATION, b"fragment2"), cut)
        w.expect_close(1000)


def test_7_1_6_a_long_message_close_ping(port):
    payload = b"BAsd7&jh23" * 26214
    with Wire(port) as w:
        w.send(frame(TEXT, payload) + close_frame(1000) + frame(PING))
        w.expect((TEXT, payload))
        w.expect_close(1000)


@PATHS
@CUTS
@pytest.mark.parametrize("size", [0, 1, 2, 3, 124, 125, 126])
def test_7_3_close_payloads(port, path, cut, size):
    payload = (struct.pack(">H", 1000) + b"*" * 124)[:size]
    with Wire(port, path) as w:
        w.send(frame(CLOSE, payload), cut)
        w.expect_close({0: None, 1: 1002, 126: 1002}.get(size, 1000))


@PATHS
@pytest.mark.parametrize("reason,code", [
    (b"Hello World!", 1000), ("größer, 价格, €, 𝄞".encode(), 1000), (b"", 1000), (b"\x00", 1000),
    ("κόσμε".encode() + b"\xed\xa0\x80edited", 1007), (b"\xff", 1007), (b"cut \xe2\x82", 1007), (b"\xc0\xaf", 1007),
    (b"*" * 122 + b"\xc3", 1007),
], ids=["ascii", "many", "empty", "nul", "surrogate", "ff", "cut", "overlong", "cut-at-125"])
def test_7_5_reasons_are_utf8(port, path, reason, code):
    with Wire(port, path) as w:
        w.send(close_frame(1000, reason))
        w.expect_close(code)


@PATHS
@CUTS
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                                  3000, 3999, 4000, 4001, 4999])
def test_7_7_codes_that_may_be_sent_come_back(port, path, code, cut):
    with Wire(port, path) as w:
        w.send(close_frame(code, b"because"), cut)
        w.expect_close(code)


@PATHS
@pytest.mark.parametrize("code", [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 2000, 2999, 5000, 9999, 32768, 65535])
@pytest.mark.parametrize("reason", [b"", b"because"])
def test_7_9_codes_that_may_not_are_1002(port, path, code, reason):
    with Wire(port, path) as w:
        w.send(close_frame(code, reason))
        w.expect_close(1002)


@PATHS
def test_the_server_ends_the_stream_first(port, path):
    with Wire(port, path) as w:
        w.send(close_frame(1000))
        w.expect_close(1000)  # and its end of file, while our side is still open
        w.send(frame(PING))   # which it takes without a reset
        w.expect(END)


@PATHS
def test_the_peer_may_leave_without_a_word(port, path):
    import socket
    with Wire(port, path) as w:
        w.socket.shutdown(socket.SHUT_WR)
        w.expect(END)


def test_close_in_the_middle_of_an_echo_that_is_stuck(port):
    """The answer to a close stands behind what was begun: the frame is finished first, never cut."""
    payload = b"0123456789abcdef" * 65536
    with Wire(port) as w:
        w.send(frame(BINARY, payload))
        w.send(close_frame(1001, b"enough"))
        w.expect((BINARY, payload))
        w.expect_close(1001)


@pytest.mark.parametrize("answer,how", [(close_frame(1001), "code"), (close_frame(), "empty"), (frame(TEXT, b"x") * 100
                                        + close_frame(1001), "late"), (close_frame(1000), "another")], ids=lambda x: str(x)[:8])
def test_our_close_is_answered(io, answer, how):
    with Server("--drain-seconds", "0", "--close-timeout", "60", "--echo", io=io) as s:
        with Wire(s.port) as w:
            s.process.send_signal(signal.SIGTERM)
            w.expect_close(1001, end=False)
            w.send(frame(PING, b"too late") + answer)
            w.expect(END)
        assert s.process.wait(20) == 0, how


def test_who_never_answers_our_close_is_left(io):
    with Server("--drain-seconds", "0", "--close-timeout", "0.2", "--echo", io=io) as s:
        with Wire(s.port) as w:
            s.process.send_signal(signal.SIGTERM)
            w.expect_close(1001)


def test_fragments_of_a_message_then_a_wrong_frame(port):
    with Wire(port) as w:
        w.send(fragments(BINARY, bytes(range(256)) * 4, 100) + frame(PING, fin=False))
        w.expect((BINARY, bytes(range(256)) * 4))
        w.expect_close(1002)
