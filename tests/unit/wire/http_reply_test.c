/* tests/unit/wire/http_reply_test.c -- goal: answers byte for byte, and the small rules about queries, lists,
 * hosts and origins. */
#include "wire/http_parse.h"
#include "wire/http_reply.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void assert_reply(const struct http_reply *r, const char *want)
{
    char out[1024];
    int size = http_reply_whole(out, sizeof out, r);
    assert_true(size > 0);
    out[size] = '\0';
    assert_string_equal(out, want);
    for (size_t room = 0; room < (size_t)size; room++) assert_int_equal(http_reply_whole(out, room, r), -1);
}

static void whole_answers(void **state)
{
    (void)state;
    assert_reply(&(struct http_reply){.status = 200,
                                      .type = "application/json",
                                      .body = TEXT("{}"),
                                      .keep_alive = true,
                                      .version_minor = 1,
                                      .etag = "\"00-1\"",
                                      .cache_control = "no-cache",
                                      .allow_origin = TEXT("http://a")},
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                 "X-Content-Type-Options: nosniff\r\nETag: \"00-1\"\r\nCache-Control: no-cache\r\n"
                 "Access-Control-Allow-Origin: http://a\r\nVary: Origin\r\n\r\n{}");
    assert_reply(
        &(struct http_reply){
            .status = 204, .keep_alive = true, .version_minor = 1, .date = "Sun, 06 Nov 1994 08:49:37 GMT"},
        "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert_reply(&(struct http_reply){.status = 304, .keep_alive = true, .version_minor = 1, .etag = "\"e\""},
                 "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n");
    assert_reply(
        &(struct http_reply){.status = 200, .body = TEXT("four"), .head_only = true, .encoding = "gzip"},
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n"
        "X-Content-Type-Options: nosniff\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
        "Connection: close\r\n\r\n");
    assert_reply(&(struct http_reply){.status = 200, .keep_alive = true},
                 "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n"
                 "X-Content-Type-Options: nosniff\r\nConnection: keep-alive\r\n\r\n");
}

/* RFC 9110 5.6.7: its example, a leap day, the ends. */
static void dates(void **state)
{
    (void)state;
    char out[HTTP_DATE_SIZE];
    http_date(out, 784111777);
    assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
    http_date(out, 0);
    assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
    http_date(out, 951782399);
    assert_string_equal(out, "Mon, 28 Feb 2000 23:59:59 GMT");
    http_date(out, 951782400);
    assert_string_equal(out, "Tue, 29 Feb 2000 00:00:00 GMT");
    http_date(out, UINT64_MAX); /* a clock that is wrong writes a date that is, never past its room */
    assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void errors_say_why(void **state)
{
    (void)state;
    char out[1024];
    struct http_reply base = {.version_minor = 1, .keep_alive = true, .upgrade = "websocket"};
    int size = http_reply_error(out, sizeof out - 1, 426, "this path is a WebSocket", &base);
    assert_true(size > 0);
    out[size] = '\0';
    assert_string_equal(out, "HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain; charset=utf-8\r\n"
                             "Content-Length: 47\r\nX-Content-Type-Options: nosniff\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n\r\n"
                             "426 Upgrade Required: this path is a WebSocket\n");
    size = http_reply_error(out, sizeof out - 1, 503, "full",
                            &(struct http_reply){.version_minor = 1, .retry_after_s = 7});
    out[size] = '\0';
    assert_non_null(
        strstr(out, "\r\nRetry-After: 7\r\nConnection: close\r\n\r\n503 Service Unavailable: full\n"));
    size = http_reply_error(out, sizeof out - 1, 405, NULL, &(struct http_reply){.allow = "GET, HEAD"});
    out[size] = '\0';
    assert_non_null(strstr(out, "\r\nAllow: GET, HEAD\r\n"));
    size = http_reply_error(out, sizeof out - 1, 401, NULL, &(struct http_reply){.authenticate = "Bearer"});
    out[size] = '\0';
    assert_non_null(strstr(out, "\r\nWWW-Authenticate: Bearer\r\n"));
    char why[2000]; /* cut, with a length that fits */
    memset(why, 'w', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    size = http_reply_error(out, sizeof out - 1, 400, why, NULL);
    assert_true(size > 0);
    out[size] = '\0';
    const char *body = strstr(out, "\r\n\r\n") + 4;
    assert_non_null(strstr(out, "\r\nContent-Length: 511\r\n"));
    assert_int_equal(strlen(body), 511);
}

static void percent(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(http_percent_decode(TEXT("a%20b+c%2C%ff"), out, sizeof out), 7);
    assert_memory_equal(out, "a b+c,\xff", 7);
    assert_int_equal(http_percent_decode(TEXT("%2"), out, sizeof out), -1);
    assert_int_equal(http_percent_decode(TEXT("%"), out, sizeof out), -1);
    assert_int_equal(http_percent_decode(TEXT("%g0"), out, sizeof out), -1);
    assert_int_equal(http_percent_decode(TEXT("%0G"), out, sizeof out), -1);
    assert_int_equal(http_percent_decode(TEXT("12345678901234567"), out, sizeof out), -1);
    assert_int_equal(http_percent_decode(TEXT(""), out, 0), 0);
}

static void query(void **state)
{
    (void)state;
    struct text rest = TEXT("a=1&&b&=x&c=d=e&"), name, value;
    static const char *const want[][2] = {{"a", "1"}, {"b", ""}, {"", "x"}, {"c", "d=e"}};
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(http_query_next(&rest, &name, &value));
        assert_true(text_equal(name, text_of(want[i][0])));
        assert_true(text_equal(value, text_of(want[i][1])));
    }
    assert_false(http_query_next(&rest, &name, &value));
}

static void lists(void **state)
{
    (void)state;
    assert_true(http_list_has(TEXT(" a ,\tUpgrade , b"), TEXT("upgrade")));
    assert_true(http_list_has(TEXT("x,,y"), TEXT("Y")));
    assert_false(http_list_has(TEXT("upgraded, up"), TEXT("upgrade")));
    assert_false(http_list_has(TEXT(""), TEXT("a")));
    assert_false(http_list_has(TEXT(" , "), TEXT("")));
}

static void hosts(void **state)
{
    (void)state;
    static const char *const loopback[] = {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:65535",
                                           "[::1]",     "[::1]:8080",   "localhost:"};
    static const char *const not_loopback[] = {"",
                                               "localhost.evil.example",
                                               "127.0.0.1.evil.example",
                                               "evil:80",
                                               "::1",
                                               "[::1",
                                               "[::1]x",
                                               "localhost:99999",
                                               "localhost:8x",
                                               "localhost:000080",
                                               "a@localhost",
                                               "127.0.0.1:80:80",
                                               "[::2]"};
    for (uint32_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++)
        assert_true(http_host_is_loopback(text_of(loopback[i])));
    for (uint32_t i = 0; i < sizeof not_loopback / sizeof not_loopback[0]; i++)
        assert_false(http_host_is_loopback(text_of(not_loopback[i])));
    assert_true(http_host_name_is(TEXT("Quotes.Example:8080"), TEXT("quotes.example")));
    assert_false(http_host_name_is(TEXT("quotes.example.evil"), TEXT("quotes.example")));
    assert_false(http_host_name_is(TEXT(""), TEXT("")));
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *host;
        bool same;
    } rows[] = {
        {"http://a:8080", "a:8080", true},
        {"http://A:8080", "a:8080", true},
        {"http://a", "a", true},
        {"http://a", "a:80", true},
        {"http://a:80", "a", true},
        {"https://a", "a", true},
        {"https://a", "a:443", true},
        {"https://a", "a:80", false},
        {"http://a:8080", "a:8081", false},
        {"http://a:8080", "b:8080", false},
        {"http://a.evil", "a", false},
        {"null", "a", false},
        {"file://a", "a", false},
        {"http://", "", false},
        {"", "", false},
        {"http://a/", "a", false},
        {"http://u@a", "a", false},
        {"http://[::1]:1", "[::1]:1", true},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(http_origin_is_host(text_of(rows[i].origin), text_of(rows[i].host)), rows[i].same);
    assert_true(http_origin_is_loopback(TEXT("http://localhost:5173")));
    assert_true(http_origin_is_loopback(TEXT("https://[::1]")));
    assert_false(http_origin_is_loopback(TEXT("http://localhost.evil.example")));
    assert_false(http_origin_is_loopback(TEXT("null")));
    assert_false(http_origin_is_loopback(TEXT("ftp://localhost")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers), cmocka_unit_test(dates),   cmocka_unit_test(errors_say_why),
        cmocka_unit_test(percent),       cmocka_unit_test(query),   cmocka_unit_test(lists),
        cmocka_unit_test(hosts),         cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
