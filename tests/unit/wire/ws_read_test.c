/* tests/unit/wire/ws_read_test.c -- goal: each rule of RFC 6455 5 to 8 that a client can break is told with
 * the right close code, and what is right comes out as it was sent. Splits:
 * tests/property/wire/ws_split_test.c. */
#include "wire/ws.h"

#include "support/ws_bytes.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#define MESSAGE_MAX 100000u

struct peer {
    struct ws_reader reader;
    struct ws_assembly *assembly; /* given when asked for */
    bool asked;
    uint8_t bytes[2 * MESSAGE_MAX];
    size_t size, at;
    struct ws_message message;
};

static int open_peer(void **state)
{
    struct peer *p = calloc(1, sizeof *p);
    if (!p) return -1;
    p->assembly = malloc(sizeof *p->assembly + MESSAGE_MAX);
    *state = p;
    return p->assembly ? 0 : -1;
}

static int close_peer(void **state)
{
    struct peer *p = *state;
    free(p->assembly);
    free(p);
    return 0;
}

static void send_spec(struct peer *p, struct ws_frame_spec f)
{
    memcpy(f.key, "\x37\xfa\x21\x3d", 4);
    p->size += ws_bytes_frame(p->bytes + p->size, &f);
}

static void send_frame(struct peer *p, uint8_t flags, const void *payload, size_t size)
{
    send_spec(p, (struct ws_frame_spec){.flags = flags, .payload = payload, .size = size});
}

static void send_text(struct peer *p, uint8_t flags, const char *text)
{
    send_frame(p, flags, text, strlen(text));
}

static enum ws_event next(struct peer *p)
{
    for (;;) {
        size_t used;
        enum ws_event event = ws_read(&p->reader, p->bytes + p->at, p->size - p->at, &used,
                                      p->asked ? p->assembly : NULL, MESSAGE_MAX, &p->message);
        p->at += used;
        if (event != WS_EVENT_NEED_ASSEMBLY) return event;
        assert_false(p->asked);
        p->asked = true;
    }
}

static void expect_text(struct peer *p, const char *text)
{
    assert_int_equal(next(p), WS_EVENT_MESSAGE);
    assert_int_equal(p->message.opcode, WS_TEXT);
    assert_int_equal(p->message.size, strlen(text));
    assert_memory_equal(p->message.payload, text, strlen(text));
}

static void expect_fail(struct peer *p, uint16_t code, const char *word)
{
    assert_int_equal(next(p), WS_EVENT_FAIL);
    assert_int_equal(p->message.close_code, code);
    assert_string_equal(p->message.fail, word);
    assert_true(p->reader.closed);
    send_text(p, 0x81, "after the end");
    assert_int_equal(next(p), WS_EVENT_MORE); /* swallowed */
    assert_int_equal(p->at, p->size);
}

/* ---- What is right. ---- */

static void the_examples_of_the_rfc(void **state)
{
    struct peer *p = *state;
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const uint8_t ping[] = {0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    memcpy(p->bytes, hello, sizeof hello);
    memcpy(p->bytes + sizeof hello, ping, sizeof ping);
    p->size = sizeof hello + sizeof ping;
    expect_text(p, "Hello");
    assert_int_equal(next(p), WS_EVENT_PING);
    assert_memory_equal(p->message.payload, "Hello", 5);
    assert_int_equal(next(p), WS_EVENT_MORE);
    assert_true(ws_reader_idle(&p->reader));
    assert_false(p->asked); /* whole frames need no room */
}

static void every_length_form(void **state)
{
    struct peer *p = *state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, MESSAGE_MAX};
    uint8_t *payload = malloc(MESSAGE_MAX);
    assert_non_null(payload);
    for (size_t i = 0; i < MESSAGE_MAX; i++) payload[i] = (uint8_t)(i * 7);
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        p->size = p->at = 0;
        send_frame(p, 0x82, payload, sizes[i]);
        assert_int_equal(next(p), WS_EVENT_MESSAGE);
        assert_int_equal(p->message.opcode, WS_BINARY);
        assert_int_equal(p->message.size, sizes[i]);
        if (sizes[i] > 0) assert_memory_equal(p->message.payload, payload, sizes[i]);
    }
    free(payload);
}

static void fragments_with_a_ping_between(void **state)
{
    struct peer *p = *state;
    send_text(p, 0x01, "one ");
    send_text(p, 0x00, "two ");
    send_text(p, 0x89, "now");
    send_text(p, 0x80, "three");
    send_text(p, 0x81, "next");
    assert_int_equal(next(p), WS_EVENT_PING);
    assert_int_equal(p->message.size, 3);
    assert_false(ws_reader_idle(&p->reader));
    expect_text(p, "one two three");
    assert_true(ws_reader_idle(&p->reader));
    expect_text(p, "next");
}

static void empty_fragments_need_no_room(void **state)
{
    struct peer *p = *state;
    send_text(p, 0x01, "");
    send_text(p, 0x00, "");
    send_text(p, 0x80, "");
    expect_text(p, "");
    assert_false(p->asked);
}

static void a_character_over_three_fragments(void **state)
{
    struct peer *p = *state;
    send_text(p, 0x01, "\xE2");
    send_text(p, 0x00, "\x82");
    send_text(p, 0x80, "\xAC");
    expect_text(p, "\xE2\x82\xAC");
}

static void a_head_at_the_end_of_a_read_asks_for_nothing(void **state)
{
    struct peer *p = *state;
    send_text(p, 0x81, "whole");
    size_t all = p->size;
    p->size = 6; /* the head alone */
    assert_int_equal(next(p), WS_EVENT_MORE);
    p->size = all;
    expect_text(p, "whole");
    assert_false(p->asked);
}

static void a_control_frame_cut_by_a_read(void **state)
{
    struct peer *p = *state;
    send_text(p, 0x8A, "unasked pong");
    size_t all = p->size;
    p->size = 9;
    assert_int_equal(next(p), WS_EVENT_MORE);
    assert_true(p->asked);
    p->size = all;
    assert_int_equal(next(p), WS_EVENT_PONG);
    assert_memory_equal(p->message.payload, "unasked pong", 12);
}

static void close_with_and_without_words(void **state)
{
    struct peer *p = *state;
    send_frame(p, 0x88, "", 0);
    assert_int_equal(next(p), WS_EVENT_CLOSE);
    assert_int_equal(p->message.close_code, WS_NO_CODE);
    assert_int_equal(p->message.size, 0);
    p->reader = (struct ws_reader){0};
    send_frame(p, 0x88, "\x03\xE9going", 7);
    assert_int_equal(next(p), WS_EVENT_CLOSE);
    assert_int_equal(p->message.close_code, 1001);
    assert_int_equal(p->message.size, 5);
    assert_memory_equal(p->message.payload, "going", 5);
    send_text(p, 0x81, "after the close");
    assert_int_equal(next(p), WS_EVENT_MORE);
    assert_int_equal(p->at, p->size);
}

static void close_codes(void **state)
{
    struct peer *p = *state;
    for (uint32_t code = 0; code < 65536; code++) {
        bool right = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                     (code >= 3000 && code <= 4999);
        uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        p->reader = (struct ws_reader){0};
        p->size = p->at = 0;
        send_frame(p, 0x88, payload, 2);
        assert_int_equal(next(p), right ? WS_EVENT_CLOSE : WS_EVENT_FAIL);
        assert_int_equal(p->message.close_code, right ? code : 1002);
    }
}

/* ---- What is wrong: one row a rule. ---- */

static const struct fault_row {
    struct ws_frame_spec frames[2];
    uint16_t code;
    const char *word;
} fault_rows[] = {
    {{{.flags = 0xC1}}, 1002, "reserved_bits"},
    {{{.flags = 0xA1}}, 1002, "reserved_bits"},
    {{{.flags = 0x99}}, 1002, "reserved_bits"},
    {{{.flags = 0x83}}, 1002, "unknown_opcode"},
    {{{.flags = 0x87}}, 1002, "unknown_opcode"},
    {{{.flags = 0x8B}}, 1002, "unknown_opcode"},
    {{{.flags = 0x8F}}, 1002, "unknown_opcode"},
    {{{.flags = 0x81, .unmasked = 1, .payload = "x", .size = 1}}, 1002, "not_masked"},
    {{{.flags = 0x09, .payload = "x", .size = 1}}, 1002, "control_fragmented"},
    {{{.flags = 0x08}}, 1002, "control_fragmented"},
    {{{.flags = 0x89, .length_bytes = 2, .payload = "x", .size = 1}}, 1002, "control_too_long"},
    {{{.flags = 0x88, .payload = "x", .size = 1}}, 1002, "close_payload"},
    {{{.flags = 0x88, .payload = "\x03\xE8\xC0\xAF", .size = 4}}, 1007, "invalid_utf8"},
    {{{.flags = 0x88, .payload = "\x03\xE8\xE2\x82", .size = 4}}, 1007, "invalid_utf8"},
    {{{.flags = 0x80, .payload = "x", .size = 1}}, 1002, "continuation_without_start"},
    {{{.flags = 0x00, .payload = "x", .size = 1}}, 1002, "continuation_without_start"},
    {{{.flags = 0x01, .payload = "x", .size = 1}, {.flags = 0x81}}, 1002, "message_in_message"},
    {{{.flags = 0x02}, {.flags = 0x02}}, 1002, "message_in_message"},
    {{{.flags = 0x81, .length_bytes = 2, .payload = "x", .size = 1}}, 1002, "length_not_minimal"},
    {{{.flags = 0x81, .length_bytes = 8, .payload = "x", .size = 1}}, 1002, "length_not_minimal"},
    {{{.flags = 0x81, .payload = "\xED\xA0\x80", .size = 3}}, 1007, "invalid_utf8"},
    {{{.flags = 0x81, .payload = "ab\xE2\x82", .size = 4}}, 1007, "invalid_utf8"},
    {{{.flags = 0x01, .payload = "\xE2\x82", .size = 2}, {.flags = 0x80}}, 1007, "invalid_utf8"},
    {{{.flags = 0x01, .payload = "\xE2\x82", .size = 2}, {.flags = 0x80, .payload = "x", .size = 1}},
     1007,
     "invalid_utf8"},
};

static void each_fault_has_its_code(void **state)
{
    struct peer *p = *state;
    for (uint32_t i = 0; i < sizeof fault_rows / sizeof fault_rows[0]; i++) {
        p->reader = (struct ws_reader){0};
        p->size = p->at = 0;
        p->asked = false;
        for (uint32_t f = 0; f < 2; f++)
            if (f == 0 || fault_rows[i].frames[f].flags != 0) send_spec(p, fault_rows[i].frames[f]);
        expect_fail(p, fault_rows[i].code, fault_rows[i].word);
    }
}

static void too_big_is_told_by_the_head(void **state)
{
    struct peer *p = *state;
    static const uint8_t head[] = {0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0x86, 0xA1, 1, 2, 3, 4}; /* 100 001 bytes */
    memcpy(p->bytes, head, sizeof head);
    p->size = sizeof head;
    expect_fail(p, 1009, "message_too_big");
}

static void too_big_as_a_sum(void **state)
{
    struct peer *p = *state;
    uint8_t *payload = calloc(1, MESSAGE_MAX);
    assert_non_null(payload);
    send_frame(p, 0x02, payload, MESSAGE_MAX - 1);
    send_frame(p, 0x00, payload, 1);
    assert_int_equal(next(p), WS_EVENT_MORE);
    p->size = p->at = 0;
    send_frame(p, 0x80, payload, 1);
    expect_fail(p, 1009, "message_too_big");
    free(payload);
}

static void the_top_bit_of_a_length(void **state)
{
    struct peer *p = *state;
    static const uint8_t head[] = {0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4};
    memcpy(p->bytes, head, sizeof head);
    p->size = sizeof head;
    expect_fail(p, 1002, "length_top_bit");
}

/* A bad byte in the middle of a long text is told as soon as it is there (8.1), not at the text's end. */
static void bad_text_is_told_at_once(void **state)
{
    struct peer *p = *state;
    char text[1000];
    memset(text, 'a', sizeof text);
    text[10] = (char)0xFF;
    send_frame(p, 0x01, text, sizeof text);
    p->size = 8 + 20; /* head, and a little */
    assert_int_equal(next(p), WS_EVENT_FAIL);
    assert_int_equal(p->message.close_code, 1007);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_peer, close_peer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_examples_of_the_rfc),
        TEST(every_length_form),
        TEST(fragments_with_a_ping_between),
        TEST(empty_fragments_need_no_room),
        TEST(a_character_over_three_fragments),
        TEST(a_head_at_the_end_of_a_read_asks_for_nothing),
        TEST(a_control_frame_cut_by_a_read),
        TEST(close_with_and_without_words),
        TEST(close_codes),
        TEST(each_fault_has_its_code),
        TEST(too_big_is_told_by_the_head),
        TEST(too_big_as_a_sum),
        TEST(the_top_bit_of_a_length),
        TEST(bad_text_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
