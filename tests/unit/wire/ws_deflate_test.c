/* tests/unit/wire/ws_deflate_test.c -- goal: offers are taken and declined as RFC 7692 7.1 says, its examples
 * (7.2.3) come out right, and a bomb costs no more than a message. */
#include "wire/ws_deflate.h"

#include "base/random.h"
#include "base/sanitize.h"
#include "wire/ws.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

/* ---- Offers. ---- */

static struct ws_deflate_terms accept_lines(const char *first, const char *second, uint8_t bits_least)
{
    struct http_request r = {.ws_extension_lines = second ? 2 : 1};
    r.ws_extensions[0] = text_of(first);
    if (second) r.ws_extensions[1] = text_of(second);
    return ws_deflate_accept(&r, bits_least);
}

static void offers_that_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *offer;
        uint8_t least, bits;
    } cases[] = {
        {"permessage-deflate", 15, 15},
        {"Permessage-Deflate", 15, 15},
        {"permessage-deflate; client_max_window_bits", 15, 15},
        {"permessage-deflate;client_max_window_bits=8", 15, 15},
        {"permessage-deflate; client_max_window_bits=\"10\"", 15, 15},
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", 15, 15},
        {"permessage-deflate; server_max_window_bits=15", 15, 15},
        {"permessage-deflate; server_max_window_bits = \"9\"", 9, 9},
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate", 15, 15}, /* the second one */
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate", 9, 10},  /* the first one */
        {"x-webkit-deflate-frame, permessage-deflate", 15, 15},
        {"foo; bar=\"a, permessage-deflate; \\\"\", permessage-deflate", 15, 15},
        {", ,permessage-deflate ,", 15, 15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ws_deflate_terms t = accept_lines(cases[i].offer, NULL, cases[i].least);
        if (!t.agreed || t.bits != cases[i].bits) fail_msg("case %zu: %s", i, cases[i].offer);
    }
    assert_true(accept_lines("foo", "permessage-deflate", 15).agreed);
}

static void offers_that_are_declined(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "permessage-bzip2",
        "permessage-deflate-x",
        "permessage-deflate; foo",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=\"\"",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=1 0",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=\"15",
        "permessage-deflate; =15",
        "permessage-deflate; ; server_no_context_takeover",
        "foo=\"permessage-deflate",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (accept_lines(cases[i], NULL, 9).agreed) fail_msg("case %zu: %s", i, cases[i]);
    assert_false(accept_lines("permessage-deflate; server_max_window_bits=14", NULL, 15).agreed);
}

/* What an unset name would be read as: a word that is accepted, wherever on the stack it lies. */
__attribute__((noinline)) static void leave_on_stack(struct text word, bool shifted)
{
    const uint64_t words[2] = {(uint64_t)(uintptr_t)word.at, word.size};
    volatile uint64_t room[1024];
    for (size_t i = 0; i < sizeof room / sizeof room[0]; i++) room[i] = words[(i + shifted) % 2];
}

static void an_empty_parameter_is_declined(void **state)
{
    (void)state;
    for (int shifted = 0; shifted < 2; shifted++) {
        struct http_request r = {.ws_extension_lines = 1, .ws_extensions = {TEXT("permessage-deflate; ;")}};
        leave_on_stack(TEXT("server_no_context_takeover"), shifted);
        assert_false(ws_deflate_accept(&r, 15).agreed);
    }
}

static void what_is_answered(void **state)
{
    (void)state;
    char out[WS_DEFLATE_ANSWER] = "";
    uint32_t size;
    struct ws_deflate_terms terms = {.agreed = true, .bits = 15};
    size = ws_deflate_answer(out, &terms);
    assert_int_equal(size, strlen(out));
    assert_string_equal(out, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    terms.bits = 9;
    size = ws_deflate_answer(out, &terms);
    assert_int_equal(size, strlen(out));
    assert_string_equal(out, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                             "server_max_window_bits=9");
}

/* ---- Messages. ---- */

static int open_deflater(void **state)
{
    *state = deflater_create(6);
    return *state ? 0 : -1;
}

static int close_deflater(void **state)
{
    deflater_destroy(*state);
    return 0;
}

static void examples_of_the_rfc(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t size;
        const char *text;
    } cases[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},                          /* 7.2.3.1 */
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello"},         /* 7.2.3.3 */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello"},                      /* 7.2.3.4 */
        {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello"}, /* 7.2.3.5 */
        {"\x00", 1, ""},                                                       /* 7.2.3.6 */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 15,
         "HelloHello"}, /* two final blocks */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[32];
        uint32_t size = 0;
        assert_int_equal(
            deflater_unpack(*state, (const uint8_t *)cases[i].bytes, cases[i].size, out, 16, &size),
            DEFLATER_OK);
        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(out, cases[i].text, size);
    }
}

static void a_message_as_large_as_allowed(void **state)
{
    static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
    uint8_t out[8];
    uint32_t size;
    assert_int_equal(deflater_unpack(*state, hello, sizeof hello, out, 5, &size), DEFLATER_OK);
    assert_int_equal(size, 5);
    assert_int_equal(deflater_unpack(*state, hello, sizeof hello, out, 4, &size), DEFLATER_TOO_BIG);
    assert_int_equal(deflater_unpack(*state, hello, sizeof hello, out, 0, &size), DEFLATER_TOO_BIG);
    assert_int_equal(deflater_unpack(*state, hello, 0, out, 0, &size), DEFLATER_OK);
    assert_int_equal(size, 0);
}

static void bytes_that_are_no_deflate(void **state)
{
    static const uint8_t reserved_block[] = {0xFF, 0xFF}, too_far[] = {0x02, 0x13, 0x00, 0x00};
    uint8_t out[64];
    uint32_t size;
    assert_int_equal(deflater_unpack(*state, reserved_block, 2, out, 32, &size), DEFLATER_BAD);
    assert_int_equal(deflater_unpack(*state, too_far, sizeof too_far, out, 32, &size), DEFLATER_BAD);
}

/* 7.2.2: what the receiver appends is the rest of an empty block, which the message itself has begun. */
static void messages_that_end_inside_a_block(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t size;
    } cases[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07", 6},                  /* the end of the block is missing */
        {"\xf2\x48\xcd", 3},                              /* within its codes */
        {"\xf2", 1},                                      /* at its head */
        {"\x00\x05\x00\xfa\xff\x48\x65", 7},              /* within bytes that are stored */
        {"\x00\x09\x00\xf6\xff\x48\x65\x6c\x6c\x6f", 10}, /* so that the four would be its last ones */
        {"\x00\x05\x00", 3},                              /* within their count */
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f", 10}, /* an end, but no empty block begun */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd", 10}, /* behind a final block */
        {"\x05\xe0\x81\x08\x00\x00\x00\x00\x00\x20", 10}, /* within the description of codes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[32];
        uint32_t size = 1;
        enum deflater_result result =
            deflater_unpack(*state, (const uint8_t *)cases[i].bytes, cases[i].size, out, 16, &size);
        if (result != DEFLATER_BAD || size != 0) fail_msg("case %zu: %d, %u bytes", i, (int)result, size);
    }
}

/* Not as 7.2.1 wants it, but nothing is missing. */
static void ends_that_are_taken_as_well(void **state)
{
    static const uint8_t no_lead[] = {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}, final_empty[] = {0x01};
    uint8_t out[32];
    uint32_t size = 0;
    assert_int_equal(deflater_unpack(*state, no_lead, sizeof no_lead, out, 16, &size), DEFLATER_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(out, "Hello", 5);
    assert_int_equal(deflater_unpack(*state, final_empty, 1, out, 16, &size), DEFLATER_OK);
    assert_int_equal(size, 0);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    enum { ZEROS = 16 << 20, LIMIT = 65536 };
    uint8_t *zeros = calloc(1, ZEROS), *packed = malloc(ZEROS / 100), *out = malloc(LIMIT + 2);
    uint32_t size = deflater_pack(*state, 15, zeros, ZEROS, packed, ZEROS / 100), got;
    assert_in_range(size, 1, 65535); /* it passes for a message of legal size */
    out[LIMIT + 1] = 0xAB;
    assert_int_equal(deflater_unpack(*state, packed, size, out, LIMIT, &got), DEFLATER_TOO_BIG);
    assert_int_equal(out[LIMIT + 1], 0xAB);
    free(zeros);
    free(packed);
    free(out);
}

static void what_is_packed_is_unpacked(void **state)
{
    struct random random;
    random_seed(&random, 20);
    uint8_t plain[40000], packed[40000], out[40001];
    uint32_t packed_count = 0;
    for (int round = 0; round < 300; round++) {
        uint32_t size = (uint32_t)random_below(&random, sizeof plain);
        uint32_t letters = 1 + (uint32_t)random_below(&random, 255);
        for (uint32_t i = 0; i < size; i++) plain[i] = (uint8_t)random_below(&random, letters);
        uint8_t bits = (uint8_t)(9 + random_below(&random, 7));
        uint32_t bytes = deflater_pack(*state, bits, plain, size, packed, size), got;
        if (bytes == 0) continue; /* no smaller than it was */
        packed_count++;
        assert_true(bytes < size);
        assert_int_equal(deflater_unpack(*state, packed, bytes, out, size, &got), DEFLATER_OK);
        assert_int_equal(got, size);
        assert_memory_equal(out, plain, size);
        if (letters > 16 || bytes < 2) continue; /* no block is stored: no other end than the last is one */
        uint32_t cut = 1 + (uint32_t)random_below(&random, bytes - 1);
        assert_int_equal(deflater_unpack(*state, packed, cut, out, size, &got), DEFLATER_BAD);
    }
    assert_in_range(packed_count, 100, 300);
    assert_int_equal(deflater_pack(*state, 15, plain, 1000, packed, 15), 0);
}

/* ---- RSV1 in ws_read. ---- */

static enum ws_event read_one(struct ws_reader *r, uint8_t first, struct ws_message *m)
{
    uint8_t frame[6] = {first, 0x80, 1, 2, 3, 4};
    size_t used;
    return ws_read(r, frame, sizeof frame, &used, NULL, 100, m);
}

static void rsv1_where_it_was_agreed(void **state)
{
    (void)state;
    struct ws_message m;
    struct ws_reader without = {.deflate = false}, r = {.deflate = true};
    assert_int_equal(read_one(&without, 0xC1, &m), WS_EVENT_FAIL);
    assert_int_equal(m.close_code, WS_PROTOCOL_ERROR);
    assert_int_equal(read_one(&r, 0xC1, &m), WS_EVENT_MESSAGE);
    assert_true(m.packed);
    assert_int_equal(read_one(&r, 0x81, &m), WS_EVENT_MESSAGE);
    assert_false(m.packed);
    assert_int_equal(read_one(&r, 0x42, &m), WS_EVENT_MORE); /* first fragment, packed */
    assert_int_equal(read_one(&r, 0x89, &m), WS_EVENT_PING);
    assert_int_equal(read_one(&r, 0x80, &m), WS_EVENT_MESSAGE);
    assert_true(m.packed);
    static const uint8_t wrong[] = {0xA1, 0x91, 0xE1, 0xC9, 0xC8}; /* RSV2, RSV3, control frames */
    for (size_t i = 0; i < sizeof wrong; i++) {
        struct ws_reader fresh = {.deflate = true};
        assert_int_equal(read_one(&fresh, wrong[i], &m), WS_EVENT_FAIL);
    }
    struct ws_reader fragments = {.deflate = true};
    assert_int_equal(read_one(&fragments, 0x42, &m), WS_EVENT_MORE);
    assert_int_equal(read_one(&fragments, 0xC0, &m), WS_EVENT_FAIL); /* only the first frame says it */
}

/* What worker_memory.c counts is what the heap gives. */
static void what_a_deflater_takes(void **state)
{
    (void)state;
#if defined(TC_ASAN) || defined(TC_TSAN)
    skip(); /* their heap tells nothing */
#else
    struct mallinfo2 before = mallinfo2();
    struct deflater *d = deflater_create(1);
    struct mallinfo2 after = mallinfo2();
    assert_non_null(d);
    size_t taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_in_range(taken, deflater_bytes(), deflater_bytes() + 16384); /* whole pages of large blocks */
    deflater_destroy(d);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_that_are_taken),
        cmocka_unit_test(offers_that_are_declined),
        cmocka_unit_test(an_empty_parameter_is_declined),
        cmocka_unit_test(what_is_answered),
        cmocka_unit_test_setup_teardown(examples_of_the_rfc, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(a_message_as_large_as_allowed, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_deflate, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(messages_that_end_inside_a_block, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(ends_that_are_taken_as_well, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(a_bomb_stops_at_the_limit, open_deflater, close_deflater),
        cmocka_unit_test_setup_teardown(what_is_packed_is_unpacked, open_deflater, close_deflater),
        cmocka_unit_test(rsv1_where_it_was_agreed),
        cmocka_unit_test(what_a_deflater_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
