/* tests/unit/wire/ws_inflate_test.c -- goal: messages that refer to earlier ones are unpacked within the
 * window that was agreed (RFC 7692 7.2.2, 7.2.3.2), across final blocks too, and never beyond the limit. */
#include "wire/ws_deflate.h"

#include "base/random.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#define MESSAGE_MAX 20000u

/* A sender that keeps its window, as others' servers do. */
static void sender_open(z_stream *z, int bits)
{
    *z = (z_stream){.zalloc = NULL};
    assert_int_equal(deflateInit2(z, 6, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static uint32_t send_message(z_stream *z, const uint8_t *plain, uint32_t size, uint8_t *packed)
{
    z->next_in = (Bytef *)(uintptr_t)plain;
    z->avail_in = size;
    z->next_out = packed;
    z->avail_out = MESSAGE_MAX + 1000;
    assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
    uint32_t bytes = MESSAGE_MAX + 1000 - z->avail_out;
    assert_memory_equal(packed + bytes - 4, "\x00\x00\xFF\xFF", 4);
    return bytes - 4;
}

static void noise(struct random *random, uint8_t *out, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) out[i] = (uint8_t)random_below(random, 256);
}

static void the_second_hello_is_shorter(void **state)
{
    (void)state; /* 7.2.3.2 */
    static const uint8_t first[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00},
                         second[] = {0xf2, 0x00, 0x11, 0x00, 0x00};
    uint8_t out[16];
    uint32_t size;
    struct inflater *keeps = inflater_create(15, true), *forgets = inflater_create(15, false);
    for (int i = 0; i < 2; i++) {
        struct inflater *at = i == 0 ? keeps : forgets;
        assert_int_equal(inflater_unpack(at, first, sizeof first, out, 10, &size), DEFLATER_OK);
        assert_int_equal(size, 5);
    }
    assert_int_equal(inflater_unpack(keeps, second, sizeof second, out, 10, &size), DEFLATER_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(out, "Hello", 5);
    assert_int_equal(inflater_unpack(forgets, second, sizeof second, out, 10, &size), DEFLATER_BAD);
    inflater_destroy(keeps);
    inflater_destroy(forgets);
}

static void a_stream_of_messages_with_every_window(void **state)
{
    (void)state;
    static uint8_t text[MESSAGE_MAX], packed[MESSAGE_MAX + 1000], out[MESSAGE_MAX + 1];
    for (uint8_t bits = 9; bits <= 15; bits++) {
        struct random random;
        z_stream z;
        random_seed(&random, bits);
        noise(&random, text, sizeof text); /* what is sent twice is only smaller by the window */
        sender_open(&z, bits);
        struct inflater *i = inflater_create(bits, true);
        uint64_t plain_bytes = 0, packed_bytes = 0;
        for (int round = 0; round < 200; round++) {
            uint32_t size = 1 + (uint32_t)random_below(&random, 250), got;
            uint32_t at = (uint32_t)random_below(&random, 200);
            uint32_t bytes = send_message(&z, text + at, size, packed);
            assert_int_equal(inflater_unpack(i, packed, bytes, out, MESSAGE_MAX, &got), DEFLATER_OK);
            assert_int_equal(got, size);
            assert_memory_equal(out, text + at, size);
            plain_bytes += size;
            packed_bytes += bytes;
        }
        /* With the smallest window most of what is sent again lies too far back. */
        assert_true(packed_bytes < plain_bytes * (bits == 9 ? 3 : 2) / 4);
        inflater_destroy(i);
        deflateEnd(&z);
    }
}

/* A sender that reaches back farther than it said is caught, not believed. */
static void a_window_that_is_too_large(void **state)
{
    (void)state;
    static uint8_t text[MESSAGE_MAX], packed[MESSAGE_MAX + 1000], out[MESSAGE_MAX + 1];
    struct random random;
    z_stream z;
    uint32_t got;
    random_seed(&random, 4);
    noise(&random, text, sizeof text);
    sender_open(&z, 15);
    struct inflater *i = inflater_create(9, true);
    uint32_t bytes = send_message(&z, text, 5000, packed);
    assert_int_equal(inflater_unpack(i, packed, bytes, out, MESSAGE_MAX, &got), DEFLATER_OK);
    bytes = send_message(&z, text, 300, packed); /* 5000 bytes back */
    assert_int_equal(inflater_unpack(i, packed, bytes, out, MESSAGE_MAX, &got), DEFLATER_BAD);
    assert_int_equal(got, 0);
    inflater_destroy(i);
    deflateEnd(&z);
}

/* 7.2.3.4: a sender may end each message by a final block, and go on with the window it had. */
static void final_blocks_keep_the_window(void **state)
{
    (void)state;
    static uint8_t text[1000], packed[2000], out[1001];
    struct random random;
    random_seed(&random, 5);
    noise(&random, text, sizeof text);
    struct inflater *i = inflater_create(15, true);
    for (int round = 0; round < 3; round++) {
        z_stream z;
        uint32_t got;
        sender_open(&z, 15);
        if (round > 0) assert_int_equal(deflateSetDictionary(&z, text, sizeof text), Z_OK);
        z.next_in = text;
        z.avail_in = sizeof text;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        uint32_t bytes = sizeof packed - z.avail_out;
        packed[bytes++] = 0; /* the lead of the empty block, whose rest is the tail */
        assert_true(round == 0 || bytes < 100);
        assert_int_equal(inflater_unpack(i, packed, bytes, out, sizeof text, &got), DEFLATER_OK);
        assert_int_equal(got, sizeof text);
        assert_memory_equal(out, text, sizeof text);
        deflateEnd(&z);
    }
    inflater_destroy(i);
}

/* zlib gives nothing for a flush when nothing came since the last one: others' servers send just that. What
 * is unusual in a message's end is no part of the next message. */
static void unusual_ends_leave_the_window_alone(void **state)
{
    (void)state;
    static const uint8_t first[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00},
                         second[] = {0xf2, 0x00, 0x11, 0x00, 0x00}, no_lead[] = {0xf3, 0x00, 0x11, 0x00},
                         final_empty[] = {0x01};
    static const struct {
        const uint8_t *bytes;
        uint32_t size, plain;
    } messages[] = {{first, sizeof first, 5},
                    {NULL, 0, 0},
                    {second, sizeof second, 5},
                    {final_empty, 1, 0},
                    {second, sizeof second, 5},
                    {no_lead, sizeof no_lead, 5},
                    {NULL, 0, 0},
                    {second, sizeof second, 5}};
    struct inflater *i = inflater_create(15, true);
    for (size_t k = 0; k < sizeof messages / sizeof messages[0]; k++) {
        uint8_t out[16];
        uint32_t size = 1;
        assert_int_equal(inflater_unpack(i, messages[k].bytes, messages[k].size, out, 10, &size),
                         DEFLATER_OK);
        assert_int_equal(size, messages[k].plain);
        assert_memory_equal(out, "Hello", size);
    }
    assert_int_equal(inflater_unpack(i, second, 2, (uint8_t[16]){0}, 10, &(uint32_t){0}), DEFLATER_BAD);
    inflater_destroy(i);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    (void)state;
    static uint8_t zeros[MESSAGE_MAX], packed[MESSAGE_MAX + 1000], out[1002];
    z_stream z;
    uint32_t got = 1;
    sender_open(&z, 15);
    struct inflater *i = inflater_create(15, true);
    uint32_t bytes = send_message(&z, zeros, sizeof zeros, packed);
    out[1001] = 0xAB;
    assert_int_equal(inflater_unpack(i, packed, bytes, out, 1000, &got), DEFLATER_TOO_BIG);
    assert_int_equal(got, 0);
    assert_int_equal(out[1001], 0xAB);
    inflater_destroy(i);
    deflateEnd(&z);
}

static void a_server_of_the_smallest_window(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
    uint8_t out[16];
    uint32_t size;
    struct inflater *i = inflater_create(8, true);
    assert_non_null(i);
    assert_int_equal(inflater_unpack(i, hello, sizeof hello, out, 5, &size), DEFLATER_OK);
    assert_int_equal(size, 5);
    inflater_destroy(i);
    inflater_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_hello_is_shorter),
        cmocka_unit_test(a_stream_of_messages_with_every_window),
        cmocka_unit_test(a_window_that_is_too_large),
        cmocka_unit_test(final_blocks_keep_the_window),
        cmocka_unit_test(unusual_ends_leave_the_window_alone),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(a_server_of_the_smallest_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
