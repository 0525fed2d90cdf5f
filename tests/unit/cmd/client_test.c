/* tests/unit/cmd/client_test.c -- goal: a client's URLs, handshake and frames are those of RFC 6455, and any
 * split of the server's bytes gives the same messages. */
#include "cmd/client_ws.h"

#include "base/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct client_url url;
static struct fault fault;

static void parses(const char *text, const char *host, const char *port, const char *target)
{
    if (client_url_parse(text, "--url", &url, &fault) != TC_OK) fail_msg("%s", fault.text);
    assert_string_equal(url.host, host);
    assert_string_equal(url.port, port);
    assert_string_equal(url.target, target);
}

static void refuses(const char *text, const char *expected)
{
    assert_int_equal(client_url_parse(text, "--url", &url, &fault), TC_EUSAGE);
    if (!strstr(fault.text, expected)) fail_msg("\"%s\" does not say \"%s\"", fault.text, expected);
}

static void urls(void **state)
{
    (void)state;
    parses("ws://127.0.0.1:8080/v1/ws", "127.0.0.1", "8080", "/v1/ws");
    parses("ws://example.org", "example.org", "80", "/v1/ws");
    parses("127.0.0.1:81/", "127.0.0.1", "81", "/v1/ws");
    parses("http://[::1]:8080/x?symbols=A#f", "::1", "8080", "/x?symbols=A");
    assert_string_equal(url.authority, "[::1]:8080");
    parses("ws://h?symbols=A", "h", "80", "/v1/ws?symbols=A");
    refuses("wss://h", "TLS");
    refuses("ftp://h", "another scheme");
    refuses("ws://", "names no host");
    refuses("ws://h:0", "no port");
    refuses("ws://h:99999", "no port");
    refuses("ws://h:80x", "no port");
    refuses("ws://[::1", "lacks the ]");
    refuses("ws://user@h", "user name");
    refuses("ws://h/a b", "a space");
}

static void queries_are_encoded(void **state)
{
    (void)state;
    static const char *const items[] = {"A,B", "C*", "D&E"};
    parses("ws://h", "h", "80", "/v1/ws");
    assert_int_equal(client_url_query_list(&url, "symbols", items, 3, &fault), TC_OK);
    assert_int_equal(client_url_query(&url, "kinds", "trade,quote", &fault), TC_OK);
    assert_int_equal(client_url_query(&url, "since", NULL, &fault), TC_OK);
    assert_string_equal(url.target, "/v1/ws?symbols=A%2CB,C*,D%26E&kinds=trade,quote");
    char *longest = calloc(1, CLIENT_TARGET_MAX + 1);
    assert_non_null(longest);
    memset(longest, 'x', CLIENT_TARGET_MAX);
    assert_int_equal(client_url_query(&url, "kinds", longest, &fault), TC_EUSAGE);
    free(longest);
}

/* The example of RFC 6455 1.3. */
static const uint8_t nonce[16] = "the sample nonce";
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static struct client_deflate agreed;

static int answer_to(const char *bytes, bool deflate)
{
    static struct client_handshake h;
    parses("ws://server.example.com/chat", "server.example.com", "80", "/chat");
    client_handshake_make(
        &h, &url, &(struct client_wishes){.subprotocol = "tickcast.v1.json", .deflate = deflate}, nonce);
    assert_int_equal(strstr(h.request, "Sec-WebSocket-Extensions: permessage-deflate; ") != NULL, deflate);
    assert_string_equal(h.key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_non_null(strstr(h.request, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    assert_int_equal(h.request_bytes, strlen(h.request));
    fault.text[0] = 0;
    return client_handshake_check(&h, "tickcast.v1.json", bytes, strlen(bytes), deflate ? &agreed : NULL,
                                  &fault);
}

static int answer(const char *bytes)
{
    return answer_to(bytes, false);
}

static void handshakes(void **state)
{
    (void)state;
    static const char good[] = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n" ACCEPT "\r\n\x81";
    assert_int_equal(answer(good), (int)strlen(good) - 1);
    assert_int_equal(answer("HTTP/1.1 101 Switching"), 0);
    assert_int_equal(answer("HT"), 0);
    assert_int_equal(answer("SSH-2.0-OpenSSH\r\n"), TC_EINPUT);
    assert_non_null(strstr(fault.text, "not HTTP"));
    assert_int_equal(answer("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"), TC_EINPUT);
    assert_non_null(strstr(fault.text, "wrong Sec-WebSocket-Accept"));
    assert_int_equal(answer("HTTP/1.1 101 X\r\n" ACCEPT "Sec-WebSocket-Protocol: other\r\n\r\n"), TC_EINPUT);
    assert_non_null(strstr(fault.text, "\"other\", which was not asked for"));
    assert_int_equal(answer("HTTP/1.1 503 Busy\r\n\r\nfull\n"), TC_EINPUT);
    assert_non_null(strstr(fault.text, "refused with 503 Busy; the server is full"));
    assert_non_null(strstr(fault.text, "(it says: full )"));
    assert_int_equal(answer("HTTP/1.1 200 OK\r\n\r\n"), TC_EINPUT);
    assert_non_null(strstr(fault.text, "is this a tickcast server?"));
}

/* ---- Fields that the user gives. ---- */

static char fields[CLIENT_FIELDS_MAX];

static void fields_refused(const char *given, const char *expected)
{
    struct setting_list list = {.at = {"X-Fine: 1", given}, .count = 2};
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_EUSAGE);
    if (!strstr(fault.text, expected)) fail_msg("\"%s\" does not say \"%s\"", fault.text, expected);
    assert_null(strstr(fault.text, "secret"));
}

static void fields_are_lines_of_the_request(void **state)
{
    (void)state;
    static struct client_handshake h;
    struct setting_list list = {.at = {"Authorization: Bearer a:b=", "cookie:a=1; b=\"2\"",
                                       "Origin: \thttp://h", "X-Empty:", "Hosts: a",
                                       "Sec-Fetch-Mode: websocket", "X-\xC3\xA4: no"},
                                .count = 6};
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_OK);
    static const char expected[] =
        "Authorization: Bearer a:b=\r\ncookie: a=1; b=\"2\"\r\nOrigin: http://h\r\n"
        "X-Empty: \r\nHosts: a\r\nSec-Fetch-Mode: websocket\r\n";
    assert_string_equal(fields, expected);
    parses("ws://h/chat", "h", "80", "/chat");
    client_handshake_make(&h, &url, &(struct client_wishes){.fields = fields}, nonce);
    assert_int_equal(h.request_bytes, strlen(h.request));
    const char *at = strstr(h.request, expected);
    assert_non_null(at);
    assert_memory_equal(at - 2, "\r\n", 2);
    assert_string_equal(at + strlen(expected), "\r\n"); /* and nothing behind */
    list.count = 7;
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_EUSAGE);
    list.count = 0;
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_OK);
    assert_string_equal(fields, "");
}

static void fields_that_break_the_request_are_refused(void **state)
{
    (void)state;
    fields_refused("secret", "number 2 is no field; write --header 'NAME: VALUE'");
    fields_refused(": secret", "number 2 is no field");
    fields_refused("X Y: secret", "number 2 is no field");
    fields_refused("X : secret", "number 2 is no field");
    fields_refused("X\r\nY: secret", "number 2 is no field");
    fields_refused("X: secret\r\nHost: h", "the value of X has a line break");
    fields_refused("X: secret\n", "the value of X has a line break");
    fields_refused("X: secret\r", "the value of X has a line break");
    fields_refused("X: secret\x7f", "another control character");
    fields_refused("Host: secret", "Host belongs to the request itself; give it in --url");
    fields_refused("hOST: secret", "hOST belongs to the request itself");
    fields_refused("Upgrade: secret", "belongs to the request itself");
    fields_refused("Connection: secret", "belongs to the request itself");
    fields_refused("Content-Length: 1", "belongs to the request itself");
    fields_refused("Transfer-Encoding: chunked", "belongs to the request itself");
    fields_refused("Sec-WebSocket-Key: secret", "belongs to the request itself; leave it out");
    fields_refused("Sec-WebSocket-Version: 8", "belongs to the request itself; leave it out");
    fields_refused("sec-websocket-protocol: x", "use --subprotocol");
    fields_refused("Sec-WebSocket-Extensions: x", "use --deflate");
}

/* To the last byte that fits, and one more. */
static void fields_have_a_bound(void **state)
{
    (void)state;
    static struct client_handshake h;
    char longest[CLIENT_FIELDS_MAX + 8];
    size_t fits = CLIENT_FIELDS_MAX - 1 - 2; /* the terminator, the line's end */
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "X: ", 3);
    longest[fits] = 0;
    struct setting_list list = {.at = {longest}, .count = 1};
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_OK);
    assert_int_equal(strlen(fields), CLIENT_FIELDS_MAX - 1);
    url = (struct client_url){.host = "h", .port = "80", .target = "/"};
    memset(url.authority, 'h', sizeof url.authority - 1);
    memset(url.target + 1, 't', sizeof url.target - 2);
    client_handshake_make(
        &h, &url,
        &(struct client_wishes){.subprotocol = "tickcast.v1.json", .fields = fields, .deflate = true}, nonce);
    assert_int_equal(h.request_bytes, strlen(h.request)); /* whole with the longest of everything */
    assert_true(h.request_bytes > CLIENT_TARGET_MAX + CLIENT_FIELDS_MAX);
    longest[fits] = 'x';
    longest[fits + 1] = 0;
    fields_refused(longest, "longer than 4095 bytes");
    assert_int_equal(client_fields_make(&list, "--header", fields, &fault), TC_EUSAGE);
}

/* The extension as answered; NULL: not at all. */
static int answer_with(const char *extension, bool deflate)
{
    char bytes[512];
    int n = snprintf(bytes, sizeof bytes, "HTTP/1.1 101 Switching Protocols\r\n" ACCEPT "%s%s%s\r\n",
                     extension ? "sec-websocket-extensions: " : "", extension ? extension : "",
                     extension ? "\r\n" : "");
    int r = answer_to(bytes, deflate);
    if (r >= 0) assert_int_equal(r, n);
    return r;
}

static void deflate_as_it_was_answered(void **state)
{
    (void)state;
    static const struct {
        const char *extension;
        struct client_deflate terms;
    } good[] = {
        {NULL, {.agreed = false}},
        {"permessage-deflate", {.agreed = true, .takeover = true, .bits = 15}},
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
         {.agreed = true, .takeover = false, .bits = 15}},
        {"permessage-deflate; client_max_window_bits=15; server_max_window_bits=9",
         {.agreed = true, .takeover = true, .bits = 9}},
        {"permessage-deflate;server_max_window_bits=\"8\"", {.agreed = true, .takeover = true, .bits = 8}},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        agreed = (struct client_deflate){.agreed = true, .takeover = true, .bits = 1};
        if (answer_with(good[i].extension, true) < 0) fail_msg("case %zu: %s", i, fault.text);
        assert_int_equal(agreed.agreed, good[i].terms.agreed);
        assert_int_equal(agreed.takeover, good[i].terms.takeover);
        assert_int_equal(agreed.bits, good[i].terms.bits);
    }
    static const char *const bad[] = {
        "permessage-bzip2",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; client_max_window_bits", /* an answer has a value */
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (answer_with(bad[i], true) != TC_EINPUT) fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(fault.text, "is no answer to permessage-deflate"));
    }
    assert_int_equal(answer_with("permessage-deflate", false), TC_EINPUT);
    assert_non_null(strstr(fault.text, "were not asked for"));
}

static void frames_out_are_masked(void **state)
{
    (void)state;
    /* RFC 6455 5.7: a masked "Hello". */
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d},
                         expected[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t out[64];
    assert_int_equal(client_frame_make(out, WS_TEXT, "Hello", 5, mask), sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
    assert_int_equal(client_frame_make(out, WS_PONG, NULL, 0, mask), 6);
}

/* What client_read said of some bytes, as text. */
struct told {
    char text[65536];
    size_t used;
};

static void tell(struct told *t, enum client_event event, const struct client_message *m)
{
    int n = snprintf(t->text + t->used, sizeof t->text - t->used, "%d %u %zu ", (int)event, m->close_code,
                     m->size);
    assert_true(n > 0 && t->used + (size_t)n + m->size < sizeof t->text);
    t->used += (size_t)n;
    if (m->size) memcpy(t->text + t->used, m->payload, m->size);
    t->used += m->size;
}

/* Bytes in the pieces that end at cuts (ascending); what is not used is given again. */
static void feed(struct told *t, const uint8_t *bytes, size_t size, const size_t *cuts, size_t cut_count)
{
    struct client_reader reader = {0};
    size_t start = 0;
    t->used = 0;
    for (size_t i = 0; i <= cut_count; i++) {
        size_t end = i < cut_count ? cuts[i] : size, used;
        struct client_message m;
        enum client_event event;
        /* The piece in memory of its own size: reading past it is seen. */
        uint8_t *piece = malloc(end - start + 1);
        assert_non_null(piece);
        memcpy(piece, bytes + start, end - start);
        size_t at = 0;
        while ((event = client_read(&reader, piece + at, end - start - at, &used, &m)) != CLIENT_MORE) {
            at += used;
            tell(t, event, &m);
            assert_int_not_equal(event, CLIENT_BAD);
        }
        start += at + used;
        free(piece);
    }
    client_reader_free(&reader);
}

static void any_split_gives_the_same_messages(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    static struct told whole, split;
    size_t size = 0;
    memcpy(bytes, "\x81\x05Hello\x01\x03Hel\x89\x01p\x80\x02lo\x82\x00\x82\x7e\x01\x2c", 26);
    size = 7 + 5 + 3 + 4 + 2 + 4;
    for (int i = 0; i < 300; i++) bytes[size++] = (uint8_t)i;
    memcpy(bytes + size, "\x8a\x00\x88\x04\x03\xe8xy", 8);
    size += 8;
    feed(&whole, bytes, size, NULL, 0);
    assert_true(whole.used > 300);
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct random r;
        size_t cuts[8];
        random_seed(&r, seed);
        for (size_t i = 0; i < 8; i++) cuts[i] = random_below(&r, size + 1);
        for (size_t i = 0; i < 8; i++) /* ascending */
            for (size_t k = i + 1; k < 8; k++)
                if (cuts[k] < cuts[i]) {
                    size_t c = cuts[i];
                    cuts[i] = cuts[k];
                    cuts[k] = c;
                }
        feed(&split, bytes, size, cuts, 8);
        if (split.used != whole.used || memcmp(split.text, whole.text, whole.used) != 0)
            fail_msg("seed %llu: a split changed the messages", (unsigned long long)seed);
    }
}

static void is_bad_to(struct client_reader reader, const char *bytes, size_t size, const char *expected)
{
    struct client_message m;
    size_t used;
    assert_int_equal(client_read(&reader, (const uint8_t *)bytes, size, &used, &m), CLIENT_BAD);
    if (!strstr(m.fail, expected)) fail_msg("\"%s\" does not say \"%s\"", m.fail, expected);
    client_reader_free(&reader);
}

static void is_bad(const char *bytes, size_t size, const char *expected)
{
    is_bad_to((struct client_reader){.deflate = false}, bytes, size, expected);
}

static void packed_messages_are_marked(void **state)
{
    (void)state;
    /* Packed; plain; packed in fragments with a ping in between; plain in fragments. */
    static const uint8_t bytes[] = "\xc1\x01x\x82\x01y\x41\x01p\x89\x00\x80\x01q\x02\x01r\x80\x01s";
    static const struct {
        enum client_event event;
        size_t size;
        bool packed;
    } expected[] = {{CLIENT_TEXT, 1, true},
                    {CLIENT_BINARY, 1, false},
                    {CLIENT_PING, 0, false},
                    {CLIENT_TEXT, 2, true},
                    {CLIENT_BINARY, 2, false}};
    struct client_reader reader = {.deflate = true};
    struct client_message m;
    size_t at = 0, used;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++, at += used) {
        assert_int_equal(client_read(&reader, bytes + at, sizeof bytes - 1 - at, &used, &m),
                         expected[i].event);
        assert_int_equal(m.size, expected[i].size);
        assert_int_equal(m.packed, expected[i].packed);
    }
    assert_int_equal(at, sizeof bytes - 1);
    client_reader_free(&reader);
    struct client_reader agreed_on = {.deflate = true};
    is_bad_to(agreed_on, "\xa1\x00", 2, "does not use");
    is_bad_to(agreed_on, "\x91\x00", 2, "does not use");
    is_bad_to(agreed_on, "\xc9\x00", 2, "a control frame is marked as packed");
    is_bad_to(agreed_on, "\x41\x00\xc0\x00", 4, "a continuation or");
}

static void broken_frames_are_told(void **state)
{
    (void)state;
    is_bad("\xc1\x00", 2, "reserved bit");
    is_bad("\x81\x80\x00\x00\x00\x00", 6, "masked");
    is_bad("\x83\x00", 2, "unknown opcode");
    is_bad("\x8b\x00", 2, "unknown opcode");
    is_bad("\x80\x00", 2, "out of order");
    is_bad("\x01\x00\x81\x00", 4, "out of order");
    is_bad("\x09\x00", 2, "control frame");
    is_bad("\x88\x01x", 3, "close frame of one byte");
    is_bad("\x81\x7e\x00\x05", 4, "shortest form");
    is_bad("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, "shortest form");
    is_bad("\x81\x7f\x00\x00\x00\x00\x00\x40\x00\x01", 10, "4 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(queries_are_encoded),
        cmocka_unit_test(handshakes),
        cmocka_unit_test(fields_are_lines_of_the_request),
        cmocka_unit_test(fields_that_break_the_request_are_refused),
        cmocka_unit_test(fields_have_a_bound),
        cmocka_unit_test(deflate_as_it_was_answered),
        cmocka_unit_test(frames_out_are_masked),
        cmocka_unit_test(any_split_gives_the_same_messages),
        cmocka_unit_test(packed_messages_are_marked),
        cmocka_unit_test(broken_frames_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
