/* tests/property/wire/ws_split_test.c -- goal: any split of a client's bytes gives the same events as the
 * whole, right frames and wrong ones alike. Rerun one seed: TICKCAST_SEED=N
 * build/.../property_wire_ws_split_test */
#include "base/random.h"
#include "support/ws_bytes.h"
#include "support/ws_trace.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#define SEEDS       400u
#define SPLITS      20u
#define MESSAGE_MAX 70000u
#define STREAM_MAX  (1u << 20)

/* A stream of frames, and how many messages, pings and closes it holds before its first fault. */
struct stream {
    uint8_t *bytes;
    size_t size;
};

static size_t payload_size(struct random *r)
{
    static const size_t edges[] = {0, 1, 124, 125, 126, 127, 200, 4000, 65535, 65536};
    return random_below(r, 3) ? (size_t)random_below(r, 40) : edges[random_below(r, 10)];
}

/* Text of one-, two-, three- and four-byte characters, not cut at its end. */
static void fill_text(struct random *r, uint8_t *out, size_t size)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x93\x88"};
    for (size_t at = 0; at < size;) {
        size_t bytes = random_below(r, 4) + 1;
        if (bytes > size - at) bytes = 1;
        memcpy(out + at, characters[bytes - 1], bytes);
        at += bytes;
    }
}

static void add_frame(struct random *r, struct stream *s, uint8_t flags, const uint8_t *payload, size_t size)
{
    struct ws_frame_spec f = {.flags = flags, .payload = payload, .size = size};
    uint32_t key = (uint32_t)random_u64(r);
    memcpy(f.key, &key, sizeof f.key);
    s->size += ws_bytes_frame(s->bytes + s->size, &f);
}

static void add_control(struct random *r, struct stream *s)
{
    uint8_t payload[WS_CONTROL_BYTES_MAX];
    size_t size = random_below(r, sizeof payload + 1);
    memset(payload, 'p', sizeof payload);
    add_frame(r, s, random_below(r, 2) ? 0x89 : 0x8A, payload, size);
}

/* A message in one to four fragments, cut anywhere (in the middle of a character too), with controls between.
 */
static void add_message(struct random *r, struct stream *s)
{
    static uint8_t payload[MESSAGE_MAX];
    size_t size = payload_size(r), at = 0;
    bool text = random_below(r, 2);
    fill_text(r, payload, size);
    uint32_t fragments = random_below(r, 2) ? 1 : 1 + (uint32_t)random_below(r, 4);
    for (uint32_t i = 0; i < fragments; i++) {
        bool last = i + 1 == fragments;
        size_t take = last ? size - at : random_below(r, size - at + 1);
        uint8_t opcode = i > 0 ? WS_CONTINUATION : text ? WS_TEXT : WS_BINARY;
        add_frame(r, s, (uint8_t)(opcode | (last ? 0x80 : 0)), payload + at, take);
        at += take;
        if (!last && random_below(r, 3) == 0) add_control(r, s);
    }
}

/* One of five ways to be wrong, or a right close; or nothing. */
static void add_end(struct random *r, struct stream *s)
{
    uint8_t close[] = {0x03, 0xE8, 'b', 'y', 'e'};
    switch (random_below(r, 7)) {
    case 0: add_frame(r, s, 0x88, close, sizeof close); break;
    case 1: add_frame(r, s, 0x88, close, 1); break;
    case 2: add_frame(r, s, 0x81, (const uint8_t *)"ok \xED\xA0\x80 not", 10); break;
    case 3: add_frame(r, s, 0xC2, close, sizeof close); break;
    case 4: add_frame(r, s, 0x80, close, sizeof close); break;
    case 5: s->bytes[random_below(r, s->size)] ^= (uint8_t)(1u << random_below(r, 8)); break;
    default: return;
    }
    add_message(r, s);
}

static size_t cut_small(void *state, size_t left)
{
    return 1 + random_below(state, left < 12 ? left : 12);
}
static size_t cut_any(void *state, size_t left)
{
    return 1 + random_below(state, left);
}
static size_t cut_one(void *state, size_t left)
{
    (void)state;
    return left > 0;
}

/* In pieces the last text's bad byte may be told although its frame never ended; nothing else may differ. */
static bool same(const struct ws_trace *whole, const struct ws_trace *cut)
{
    if (ws_trace_equal(whole, cut)) return true;
    return cut->events == whole->events + 1 && cut->closed && !whole->closed &&
           memcmp(whole->bytes, cut->bytes, whole->size) == 0;
}

static uint32_t run_seed(uint64_t seed)
{
    struct random r;
    random_seed(&r, seed);
    struct stream s = {.bytes = malloc(STREAM_MAX)};
    assert_non_null(s.bytes);
    uint64_t messages = 1 + random_below(&r, 6);
    for (uint64_t i = 0; i < messages; i++) add_message(&r, &s);
    add_end(&r, &s);
    struct ws_trace whole = ws_trace_run(s.bytes, s.size, MESSAGE_MAX, NULL, NULL);
    uint32_t events = whole.events;
    for (uint32_t i = 0; i < SPLITS; i++) {
        ws_trace_cut cut = i == 0 ? cut_one : i % 2 ? cut_small : cut_any;
        if (cut != cut_any && s.size > 20000 && i > 1) cut = cut_any; /* slow on the long ones */
        struct ws_trace pieces = ws_trace_run(s.bytes, s.size, MESSAGE_MAX, cut, &r);
        if (!same(&whole, &pieces)) {
            print_error("seed %" PRIu64 ", split %u: %u events, whole %u\n", seed, i, pieces.events, events);
            fail();
        }
        free(pieces.bytes);
    }
    free(whole.bytes);
    free(s.bytes);
    return events;
}

static void any_split_gives_the_same_events(void **state)
{
    (void)state;
    const char *one = getenv("TICKCAST_SEED");
    if (one) {
        run_seed(strtoull(one, NULL, 0));
        return;
    }
    uint64_t events = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) events += run_seed(seed);
    assert_true(events > SEEDS * 3); /* the streams do hold messages */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_split_gives_the_same_events)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
