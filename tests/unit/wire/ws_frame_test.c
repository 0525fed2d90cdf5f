/* tests/unit/wire/ws_frame_test.c -- goal: frame heads, close frames, the mask and the handshake as RFC 6455
 * has them, byte for byte. */
#include "wire/ws.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void heads(void **state)
{
    (void)state;
    static const struct {
        uint64_t payload;
        uint32_t size;
        uint8_t head[WS_HEAD_MAX];
    } rows[] = {
        {0, 2, {0x81, 0}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 255, 255}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
        {1ull << 62, 10, {0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0}},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[WS_HEAD_MAX], before[WS_HEAD_MAX + 1];
        assert_int_equal(ws_frame_head(out, WS_TEXT, rows[i].payload), rows[i].size);
        assert_memory_equal(out, rows[i].head, rows[i].size);
        before[WS_HEAD_MAX] = 'p';
        assert_int_equal(ws_frame_head_before(before + WS_HEAD_MAX, WS_TEXT, rows[i].payload), rows[i].size);
        assert_memory_equal(before + WS_HEAD_MAX - rows[i].size, rows[i].head, rows[i].size);
        assert_int_equal(before[WS_HEAD_MAX], 'p');
    }
}

static void close_frames(void **state)
{
    (void)state;
    uint8_t out[2 + WS_CONTROL_BYTES_MAX];
    assert_int_equal(ws_close_frame(out, WS_NO_CODE, TEXT("")), 2);
    assert_memory_equal(out, "\x88\x00", 2);
    assert_int_equal(ws_close_frame(out, WS_TOO_SLOW, TEXT("too_slow")), 12);
    assert_memory_equal(out, "\x88\x0A\x0F\xA0too_slow", 12);
    char longest[123];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(ws_close_frame(out, 1000, (struct text){longest, sizeof longest}), 127);
    assert_int_equal(out[1], 125);
}

/* Every size around the wide steps, every alignment, every offset of the key, against the definition in 5.3.
 */
static void mask_is_its_definition(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0x12, 0xAB, 0x00, 0xFE};
    uint8_t buffer[160], right[160];
    for (size_t size = 0; size <= 130; size++)
        for (size_t align = 0; align < 8; align++)
            for (uint64_t offset = 0; offset < 8; offset++) {
                for (size_t i = 0; i < sizeof buffer; i++) buffer[i] = (uint8_t)(i * 31 + size);
                memcpy(right, buffer, sizeof right);
                for (size_t i = 0; i < size; i++)
                    right[align + i] = (uint8_t)(right[align + i] ^ key[(offset + i) % 4]);
                ws_mask(buffer + align, size, key, offset);
                assert_memory_equal(buffer, right, sizeof right); /* nothing outside was touched either */
            }
}

static void accept_value_of_the_rfc(void **state)
{
    (void)state;
    char out[28];
    ws_accept_value(TEXT("dGhlIHNhbXBsZSBub25jZQ=="), out);
    assert_memory_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28);
}

static void the_reply(void **state)
{
    (void)state;
    char out[512];
    static const char plain[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    struct text key = TEXT("dGhlIHNhbXBsZSBub25jZQ==");
    int size = ws_handshake_reply(out, sizeof out, key, NULL, NULL);
    assert_int_equal(size, sizeof plain - 1);
    assert_memory_equal(out, plain, sizeof plain - 1);
    size = ws_handshake_reply(out, sizeof out, key, "tickcast.v1.json", NULL);
    assert_true(size > 0);
    assert_non_null(strstr(out, "\r\nSec-WebSocket-Protocol: tickcast.v1.json\r\n\r\n"));
    assert_int_equal(ws_handshake_reply(out, (size_t)size, key, "tickcast.v1.json", NULL),
                     -1); /* no room for the end */
}

static struct http_request right_request(void)
{
    return (struct http_request){.method = HTTP_M_GET,
                                 .version_minor = 1,
                                 .upgrade_websocket = true,
                                 .has_key = true,
                                 .ws_key = TEXT("dGhlIHNhbXBsZSBub25jZQ=="),
                                 .ws_version = TEXT("13")};
}

static void check_names_the_status(void **state)
{
    (void)state;
    struct http_request r = right_request();
    assert_int_equal(ws_handshake_check(&r), 0);
    r.method = HTTP_M_POST;
    assert_int_equal(ws_handshake_check(&r), 400);
    r = right_request();
    r.version_minor = 0;
    assert_int_equal(ws_handshake_check(&r), 400);
    r = right_request();
    r.body_bytes = 5;
    assert_int_equal(ws_handshake_check(&r), 400);
    r = right_request();
    r.upgrade_websocket = false;
    assert_int_equal(ws_handshake_check(&r), 426);
    r = right_request();
    r.ws_version = TEXT("8");
    assert_int_equal(ws_handshake_check(&r), 426);
    r = right_request();
    r.ws_version = TEXT("");
    assert_int_equal(ws_handshake_check(&r), 426);
    r = right_request();
    r.has_key = false;
    assert_int_equal(ws_handshake_check(&r), 400);
    static const char *const bad_keys[] = {"",
                                           "short",
                                           "dGhlIHNhbXBsZSBub25jZQ=",
                                           "dGhlIHNhbXBsZSBub25jZQ===",
                                           "dGhlIHNhbXBsZSBub25j*Q==",
                                           "dGhlIHNhbXBsZSBub25jZQab"};
    for (uint32_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        r = right_request();
        r.ws_key = text_of(bad_keys[i]);
        assert_int_equal(ws_handshake_check(&r), 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),
        cmocka_unit_test(close_frames),
        cmocka_unit_test(mask_is_its_definition),
        cmocka_unit_test(accept_value_of_the_rfc),
        cmocka_unit_test(the_reply),
        cmocka_unit_test(check_names_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
