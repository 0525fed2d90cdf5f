"""Text is UTF-8 (RFC 6455 8.1), ordered as section 6 of the Autobahn test suite: what is valid is echoed however it is cut, what is not
is closed with 1007 at the first byte that cannot be right, before the message or even the frame is whole."""
import pytest
from rig import Server
from wire import CONTINUATION, TEXT, Wire, close_frame, frame


@pytest.fixture(scope="module", params=["uring", "epoll"])
def port(request):
    with Server("--echo", "--max-commands", "0", io=request.param) as s:
        yield s.port


def u(*points):
    return "".join(map(chr, points)).encode()


KOSME = "κόσμε".encode()
VALID = {
    "6.1-empty": b"",
    "6.2-mixed": "Hello-µ@ßöäüàá-UTF-8!!".encode(),
    "6.5-kosme": KOSME,
    "6.6-first-of-1": b"\x00", "6.6-first-of-2": u(0x80), "6.6-first-of-3": u(0x800), "6.6-first-of-4": u(0x10000),
    "6.7-last-of-1": b"\x7f", "6.7-last-of-2": u(0x7ff), "6.7-last-of-3": u(0xffff), "6.7-last-of-4": u(0x10ffff),
    "6.9-d7ff": u(0xd7ff), "6.9-e000": u(0xe000), "6.9-fffd": u(0xfffd), "6.9-fffe": u(0xfffe), "6.9-ffff": u(0xffff),
    "6.9-fdd0": u(0xfdd0), "6.9-fdef": u(0xfdef), "6.9-feff": u(0xfeff), "6.23-replacement": u(0xfffd) * 3,
    "3-bytes": u(0x20ac, 0x4e2d, 0x6587), "4-bytes": u(0x1f600, 0x24b62),
    "every-lead-of-2": u(*range(0x80, 0x800, 64)), "every-lead-of-3": u(*[p for p in range(0x800, 0x10000, 4096) if p >> 11 != 27]),
}
VALID.update({f"6.22-{plane:x}{low}": u(plane << 16 | int(low, 16)) for plane in range(17) for low in ("fffe", "ffff")})

INVALID = {
    "6.3-ce-ba-e1-bd-b9-cf-83-ce-bc-ce-b5-ed-a0-80": KOSME + b"\xed\xa0\x80edited",
    "6.6-continuation-80": b"\x80", "6.6-continuation-bf": b"\xbf", "6.11-2-continuations": b"\x80\xbf",
    "6.11-7-continuations": b"\x80\xbf\x80\xbf\x80\xbf\x80", "6.12-all-continuations": bytes(range(0x80, 0xc0)),
    "6.13-5-byte-first": b"\xf8\x88\x80\x80\x80", "6.13-6-byte-first": b"\xfc\x84\x80\x80\x80\x80",
    "6.13-over-10ffff": b"\xf4\x90\x80\x80", "6.13-1fffff": b"\xf7\xbf\xbf\xbf", "6.13-5-byte-last": b"\xfb\xbf\xbf\xbf\xbf",
    "6.13-6-byte-last": b"\xfd\xbf\xbf\xbf\xbf\xbf", "6.14-lonely-leads-2": b" ".join(bytes([b]) for b in range(0xc0, 0xe0)),
    "6.14-lonely-leads-3": b" ".join(bytes([b]) for b in range(0xe0, 0xf0)),
    "6.14-lonely-leads-4": b" ".join(bytes([b]) for b in range(0xf0, 0xf8)),
    "6.15-cut-2": b"\xc3", "6.15-cut-3": b"\xe2\x82", "6.15-cut-3-early": b"\xe2", "6.15-cut-4": b"\xf0\x9f\x98",
    "6.15-cut-4-early": b"\xf0\x9f", "6.15-cut-kosme": KOSME[:-1], "6.16-two-cuts": b"\xe2\x82\xf0\x9f\x98",
    "6.17-fe": b"\xfe", "6.17-ff": b"\xff", "6.17-fe-fe-ff-ff": b"\xfe\xfe\xff\xff",
    "6.18-overlong-2f-in-2": b"\xc0\xaf", "6.18-in-3": b"\xe0\x80\xaf", "6.18-in-4": b"\xf0\x80\x80\xaf",
    "6.18-in-5": b"\xf8\x80\x80\x80\xaf", "6.18-in-6": b"\xfc\x80\x80\x80\x80\xaf",
    "6.19-overlong-7f": b"\xc1\xbf", "6.19-overlong-7ff": b"\xe0\x9f\xbf", "6.19-overlong-ffff": b"\xf0\x8f\xbf\xbf",
    "6.20-overlong-nul-2": b"\xc0\x80", "6.20-overlong-nul-3": b"\xe0\x80\x80", "6.20-overlong-nul-4": b"\xf0\x80\x80\x80",
    "6.21-d800": b"\xed\xa0\x80", "6.21-db7f": b"\xed\xad\xbf", "6.21-db80": b"\xed\xae\x80", "6.21-dbff": b"\xed\xaf\xbf",
    "6.21-dc00": b"\xed\xb0\x80", "6.21-df80": b"\xed\xbe\x80", "6.21-dfff": b"\xed\xbf\xbf",
    "6.21-pair": b"\xed\xa0\x80\xed\xb0\x80", "6.21-last-pair": b"\xed\xaf\xbf\xed\xbf\xbf",
    "iso-8859-1": b"caf\xe9 au lait", "utf-16": "prices".encode("utf-16"),
}


def in_fragments(text, size=1):
    parts = [text[i:i + size] for i in range(0, len(text), size)] or [b""]
    return [frame(TEXT if i == 0 else CONTINUATION, p, fin=i == len(parts) - 1) for i, p in enumerate(parts)]


@pytest.mark.parametrize("how", ["whole", "cut", "fragments-of-1", "fragments-of-1-cut", "after-ascii"])
@pytest.mark.parametrize("text", VALID.values(), ids=VALID.keys())
def test_6_valid_text_is_echoed(port, text, how):
    if how == "after-ascii":  # past any fast way for plain characters, and off every alignment
        text = b"plain ascii, 32 characters of it, " + text + b" and more ascii behind it: 0123456789abcdef"
    data = b"".join(in_fragments(text)) if "fragments" in how else frame(TEXT, text)
    with Wire(port) as w:
        w.send(data, 1 if "cut" in how and len(data) < 400 else None)
        w.expect((TEXT, text))
        w.bye()


@pytest.mark.parametrize("how", ["whole", "cut", "fragments-of-1", "after-ascii"])
@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID.keys())
def test_6_invalid_text_is_1007(port, text, how):
    if how == "after-ascii":
        text = b"plain ascii, 32 characters of it, " + text
    data = b"".join(in_fragments(text)) if how == "fragments-of-1" else frame(TEXT, text)
    with Wire(port) as w:
        w.send(data, 1 if how == "cut" else None)
        w.expect_close(1007)


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID.keys())
def test_6_invalid_commands_are_1007_too(port, text):
    with Wire(port, "/v1/ws") as w:
        w.send(frame(TEXT, text))
        w.expect_close(1007)


# 6.4: fail fast. The part that cannot be right has come; the rest never does.
DEADLY = {"over-10ffff": (KOSME, b"\xf4\x90"), "surrogate": (KOSME, b"\xed\xa0"), "overlong": (b"abc", b"\xc0"),
          "lonely-continuation": (b"abc", b"\x80"), "lead-then-ascii": (b"abc\xe2", b"a"), "lead-then-lead": (b"\xf0\x9f", b"\xc3")}


@pytest.mark.parametrize("good,bad", DEADLY.values(), ids=DEADLY.keys())
def test_6_4_the_first_bad_byte_ends_it_between_fragments(port, good, bad):
    with Wire(port) as w:
        w.send(frame(TEXT, good, fin=False))
        w.send(frame(CONTINUATION, bad, fin=False))
        w.expect_close(1007)


@pytest.mark.parametrize("good,bad", DEADLY.values(), ids=DEADLY.keys())
@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
def test_6_4_the_first_bad_byte_ends_it_inside_a_frame(port, path, good, bad):
    whole = frame(TEXT, good + bad + b"never sent")
    with Wire(port, path) as w:
        w.send(whole[:6 + len(good)])
        w.send(whole[6 + len(good):6 + len(good) + len(bad)])
        w.expect_close(1007)


def test_a_character_cut_by_fragments_and_controls(port):
    text = "€𝄞ß".encode()
    with Wire(port) as w:
        for i, one in enumerate(in_fragments(text)):
            w.send(frame(9, b"%d" % i) + one)
        events = [w.event() for _ in range(len(text) + 1)]
        assert events[:-1] == [(10, b"%d" % i) for i in range(len(text))] and events[-1] == (TEXT, text)
        w.bye()


def test_binary_is_any_bytes(port):
    with Wire(port) as w:
        for bad in INVALID.values():
            w.send(frame(2, bad))
            w.expect((2, bad))
        w.send(close_frame())
        w.expect_close(None)
