/* tests/unit/wire/http_parse_test.c -- goal: each way in which a head can be wrong has its status, what is
 * right is taken apart rightly, and nothing that could end elsewhere for a proxy in front is let through. */
#include "wire/http_parse.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

static int parse(struct text bytes, struct http_request *out)
{
    uint32_t scanned = 0;
    return http_parse(bytes.at, bytes.size, &scanned, out);
}

static struct http_request parsed(const char *bytes)
{
    struct http_request r;
    int status = parse(text_of(bytes), &r);
    if (status != 1) print_error("refused with %d: %s\n", status, bytes);
    assert_int_equal(status, 1);
    return r;
}

static void assert_text(struct text got, const char *want)
{
    assert_int_equal(got.size, strlen(want));
    if (got.size > 0) assert_memory_equal(got.at, want, got.size);
}

/* ---- Right ones. ---- */

static void a_browser_opens_a_socket(void **state)
{
    (void)state;
    struct http_request r =
        parsed("GET /v1/ws?symbols=AAPL,BRK*&rate=5 HTTP/1.1\r\n"
               "Host: 127.0.0.1:8080\r\n"
               "Connection: keep-alive, Upgrade\r\n"
               "Pragma: no-cache\r\n"
               "Upgrade: websocket\r\n"
               "Origin: http://127.0.0.1:8080\r\n"
               "Sec-WebSocket-Version: 13\r\n"
               "Accept-Encoding: gzip, deflate, br, zstd\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
               "Sec-WebSocket-Protocol: tickcast.v1.bin, tickcast.v1.json\r\n\r\nleft over");
    assert_int_equal(r.method, HTTP_M_GET);
    assert_int_equal(r.version_minor, 1);
    assert_true(r.keep_alive);
    assert_true(r.upgrade_websocket);
    assert_true(r.accept_gzip);
    assert_true(r.has_key);
    assert_true(r.has_origin);
    assert_text(r.target, "/v1/ws?symbols=AAPL,BRK*&rate=5");
    assert_text(r.path, "/v1/ws");
    assert_text(r.query, "symbols=AAPL,BRK*&rate=5");
    assert_text(r.host, "127.0.0.1:8080");
    assert_text(r.origin, "http://127.0.0.1:8080");
    assert_text(r.ws_key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_text(r.ws_version, "13");
    assert_int_equal(r.ws_protocol_lines, 1);
    assert_text(r.ws_protocols[0], "tickcast.v1.bin, tickcast.v1.json");
    assert_int_equal(r.ws_extension_lines, 1);
    assert_text(r.ws_extensions[0], "permessage-deflate; client_max_window_bits");
    assert_memory_equal(r.target.at + (r.head_bytes - 4), "left over", 9);
}

#define OPENING                                                                                              \
    "GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"                        \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The field may stand several times: together the lines are one list (RFC 6455 11.3.4). */
static void subprotocols_in_several_lines(void **state)
{
    (void)state;
    struct http_request r = parsed(OPENING "Sec-WebSocket-Protocol: chat,soap\r\nX: y\r\n"
                                           "sec-websocket-protocol: tickcast.v1.json\r\n\r\n");
    assert_int_equal(r.ws_protocol_lines, 2);
    assert_text(r.ws_protocols[1], "tickcast.v1.json");
    static const char *const one[] = {"tickcast.v1.json"}, *const both[] = {"tickcast.v1.json", "soap"};
    static const char *const none[] = {"Soap", "tickcast.v1"}; /* names are compared as they are */
    assert_int_equal(http_choose_protocol(&r, one, 1), 0);
    assert_int_equal(http_choose_protocol(&r, both, 2), 1); /* the client likes it better */
    assert_int_equal(http_choose_protocol(&r, none, 2), -1);
    assert_int_equal(parsed(OPENING "\r\n").ws_protocol_lines, 0);
    struct http_request out;
    assert_int_equal(parse(TEXT(OPENING "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"
                                        "Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Protocol: d\r\n"
                                        "Sec-WebSocket-Protocol: e\r\n\r\n"),
                           &out),
                     -431);
}

static void fields_of_plain_requests(void **state)
{
    (void)state;
    struct http_request r =
        parsed("POST /v1/kick HTTP/1.1\r\nhost:a\r\ncontent-length: 65536\r\nAuthorization: "
               "Bearer x.y\r\nExpect: 100-Continue\r\n\r\n");
    assert_int_equal(r.method, HTTP_M_POST);
    assert_int_equal(r.body_bytes, 65536);
    assert_true(r.expect_continue);
    assert_text(r.authorization, "Bearer x.y");
    r = parsed("HEAD / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x-1\", \"x-2\"\r\nAccept: text/html;q=0.8, "
               "*/*\r\n\r\n");
    assert_int_equal(r.method, HTTP_M_HEAD);
    assert_text(r.if_none_match, "\"x-1\", \"x-2\"");
    assert_true(r.accept_html);
    assert_false(r.accept_event_stream);
    r = parsed("GET / HTTP/1.1\r\nHost: \r\nAccept:text/event-stream\r\nEmpty:\r\nAccept-Encoding: "
               "gzip;q=0\r\n\r\n");
    assert_true(r.has_host);
    assert_true(r.accept_event_stream);
    assert_false(r.accept_gzip);
    r = parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r.method, HTTP_M_OPTIONS);
    assert_text(r.path, "*");
    r = parsed("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    assert_int_equal(r.method, HTTP_M_OTHER);
    r = parsed("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r.method, HTTP_M_OTHER);
    r = parsed(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Name: caf\xC3\xA9 \t tab\r\n\r\n"); /* obs-text and tabs in a value */
    assert_text(r.path, "/");
}

static void versions_and_keep_alive(void **state)
{
    (void)state;
    assert_true(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive);
    assert_false(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").keep_alive);
    struct http_request old = parsed("GET / HTTP/1.0\r\n\r\n");
    assert_false(old.keep_alive);
    assert_false(old.has_host);
    assert_int_equal(old.version_minor, 0);
    assert_true(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    assert_int_equal(parsed("GET / HTTP/1.7\r\nHost: a\r\n\r\n").version_minor, 1);
    assert_false(parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

static void upgrade_needs_both_fields(void **state)
{
    (void)state;
    assert_false(parsed("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n").upgrade_websocket);
    assert_false(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n").upgrade_websocket);
    assert_false(
        parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").upgrade_websocket);
    assert_true(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: te\r\nConnection: UPGRADE\r\nUpgrade: h2c, "
                       "WebSocket\r\n\r\n")
                    .upgrade_websocket);
}

static void absolute_targets(void **state)
{
    (void)state;
    struct http_request r =
        parsed("GET http://quotes.example:8080/v1/ws?a=b HTTP/1.1\r\nHost: other\r\n\r\n");
    assert_text(r.path, "/v1/ws");
    assert_text(r.query, "a=b");
    assert_text(r.host, "quotes.example:8080"); /* the target's counts: RFC 9112 3.2.2 */
    r = parsed("GET HTTP://a?q HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_text(r.path, "/");
    assert_text(r.query, "q");
}

static void one_empty_line_first(void **state)
{
    (void)state;
    struct http_request r = parsed("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r.head_bytes, 2 + 16 + 9 + 2);
    assert_int_equal(parse(TEXT("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), &r), -400);
}

/* ---- Wrong ones. ---- */

static void each_fault_has_its_status(void **state)
{
    (void)state;
#define ROW(status, bytes)                                                                                   \
    {                                                                                                        \
        status,                                                                                              \
        {                                                                                                    \
            bytes, sizeof(bytes) - 1                                                                         \
        }                                                                                                    \
    }
#define H "Host: a\r\n"
    static const struct {
        int status;
        struct text bytes;
    } rows[] = {
        ROW(-400, "GET / HTTP/1.1\r\n\r\n"),                       /* no Host */
        ROW(-400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), /* two, even if equal */
        ROW(-400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),          /* not a host */
        ROW(-400, "GET / HTTP/1.1\r\nHost: http://a/\r\n\r\n"),    /* not a host */
        ROW(-400, "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"),       /* not a host */
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"),
        ROW(-413, "POST / HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n"),
        ROW(-413, "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n"),
        ROW(-411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
        ROW(-411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"),
        ROW(-411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
        ROW(-411, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        ROW(-400, "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n"), /* blank before the colon */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"),                   /* obs-fold */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),     /* blank before the first field */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n"), /* bare CR */
        ROW(-400, "GET / HTTP/1.1\nHost: a\n\n"),            /* bare LF */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), /* NUL */
        ROW(-400, "GET /\0 HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "X: \x01\r\n\r\n"),   /* control */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X\x80Y: 1\r\n\r\n"), /* not a token */
        ROW(-400, "GET / HTTP/1.1\r\n" H "X(Y): 1\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H ": 1\r\n\r\n"), /* no name */
        ROW(-400, "GET / HTTP/1.1\r\n" H "no colon\r\n\r\n"),
        ROW(-400, "GET  / HTTP/1.1\r\n" H "\r\n"), /* two blanks */
        ROW(-400, "GET / HTTP/1.1 \r\n" H "\r\n"),
        ROW(-400, "GET /a b HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET\t/ HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET /\xC3\xA9 HTTP/1.1\r\n" H "\r\n"), /* not ASCII */
        ROW(-400, "GET /#x HTTP/1.1\r\n" H "\r\n"),       /* a fragment */
        ROW(-400, "GET * HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET nowhere HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET ftp://a/ HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET http:///x HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET http://u@a/x HTTP/1.1\r\n" H "\r\n"),
        ROW(-400, "GET /\r\n\r\n"),               /* HTTP/0.9 */
        ROW(-400, "get / HTTP/1.1\r\n" H "\r\n"), /* methods are case-sensitive */
        ROW(-400, "GET / http/1.1\r\n" H "\r\n"),
        ROW(-400, "GET / HTTP/1\r\n" H "\r\n"),
        ROW(-400, "GET / HTTP/1.1x\r\n" H "\r\n"),
        ROW(-505, "GET / HTTP/2.0\r\n" H "\r\n"),
        ROW(-505, "GET / HTTP/0.9\r\n" H "\r\n"),
        ROW(-400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), /* an HTTP/2 preface */
        ROW(-400, "\x16\x03\x01\x02\x00"),             /* TLS, told at its first byte */
        ROW(-400, "GET / HTTP/1.1\r\n" H "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Origin: http://a\r\nOrigin: http://b\r\n\r\n"),
        ROW(-400, "GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n"),
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request r;
        int status = parse(rows[i].bytes, &r);
        if (status != rows[i].status) print_error("row %u, status %d: %s\n", i, status, rows[i].bytes.at);
        assert_int_equal(status, rows[i].status);
    }
}

/* ---- Bounds. ---- */

static struct text filled(char *out, size_t at, char c, size_t count, const char *tail)
{
    memset(out + at, c, count);
    memcpy(out + at + count, tail, strlen(tail));
    return (struct text){out, at + count + strlen(tail)};
}

static void bounds(void **state)
{
    (void)state;
    char *out = malloc(65536);
    assert_non_null(out);
    struct http_request r;
    memcpy(out, "GET /", 5);
    struct text t = filled(out, 5, 'a', HTTP_TARGET_BYTES_MAX - 1, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(t, &r), 1);
    t = filled(out, 5, 'a', HTTP_TARGET_BYTES_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(t, &r), -414);
    t = filled(out, 5, 'a', 20000, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(t, &r), -414);
    t = filled(out, 5, 'a', 9000, ""); /* no end in sight, and already too long */
    assert_int_equal(parse(t, &r), -414);
    t = filled(out, 5, 'a', 8000, "");
    assert_int_equal(parse(t, &r), 0);

    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    memcpy(out, head, sizeof head - 1);
    t = filled(out, sizeof head - 1, 'x', HTTP_HEADER_BYTES_MAX - (sizeof head - 1) - 4, "\r\n\r\n");
    assert_int_equal(t.size, HTTP_HEADER_BYTES_MAX);
    assert_int_equal(parse(t, &r), 1);
    t = filled(out, sizeof head - 1, 'x', HTTP_HEADER_BYTES_MAX - (sizeof head - 1) - 3, "\r\n\r\n");
    assert_int_equal(parse(t, &r), -431);
    t = filled(out, sizeof head - 1, 'x', 30000, "\r\n\r\n");
    assert_int_equal(parse(t, &r), -431);
    t = filled(out, sizeof head - 1, 'x', 30000, ""); /* no end in sight */
    assert_int_equal(parse(t, &r), -431);

    for (uint32_t count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX; count++) {
        static const char first[] = "GET / HTTP/1.1\r\nHost: a\r\n", field[] = "X: y\r\n";
        size_t at = sizeof first - 1;
        memcpy(out, first, at);
        for (uint32_t i = 0; i < count; i++, at += sizeof field - 1)
            memcpy(out + at, field, sizeof field - 1);
        memcpy(out + at, "\r\n", 2);
        assert_int_equal(parse((struct text){out, at + 2}, &r), count < HTTP_HEADERS_MAX ? 1 : -431);
    }
    free(out);
}

static void byte_by_byte(void **state)
{
    (void)state;
    static const char whole[] =
        "\r\nGET /v1/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    uint32_t scanned = 0;
    struct http_request r;
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        assert_int_equal(http_parse(whole, size, &scanned, &r), 0);
        assert_int_equal(scanned, size); /* nothing is looked at twice */
    }
    assert_int_equal(http_parse(whole, sizeof whole - 1, &scanned, &r), 1);
    assert_int_equal(r.head_bytes, sizeof whole - 1);
    assert_text(r.path, "/v1/stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browser_opens_a_socket),
        cmocka_unit_test(subprotocols_in_several_lines),
        cmocka_unit_test(fields_of_plain_requests),
        cmocka_unit_test(versions_and_keep_alive),
        cmocka_unit_test(upgrade_needs_both_fields),
        cmocka_unit_test(absolute_targets),
        cmocka_unit_test(one_empty_line_first),
        cmocka_unit_test(each_fault_has_its_status),
        cmocka_unit_test(bounds),
        cmocka_unit_test(byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
