/* tests/fuzz/deflate_fuzz.c -- plan: two bytes, the largest message allowed; one byte of how: MODE_FRAMES:
 * the rest is a client's frames (RFC 6455 5, RFC 7692 6) on a connection that agreed on permessage-deflate;
 * else it is one packed message. Whatever a message is,
 *   - it stays within its bound, comes out the same again, and survives being packed and unpacked;
 *   - zlib alone, which gives the output in small pieces into memory of its own, says the same of it;
 *   - an inflater that keeps its window says the same, and of what we packed also when it comes once more.
 *
 * Behind a final block the last one may differ: the others have forgotten what a block there may refer to.
 *
 * What happened is counted as goals. libFuzzer sees them as features, since zlib itself is not instrumented;
 * a build that only replays the kept corpus fails where one is missed. */
#include "wire/ws.h"
#include "wire/ws_deflate.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define LIMIT_MAX 65535u
#define HOW_BYTES 3u

enum { MODE_FRAMES = 1, MODE_BITS = 2 /* and above: the window to pack with */ };

/* The last eleven are zlib's own words. */
#define GOALS(X)                                                                                             \
    X("a good message")                                                                                      \
    X("a message of the largest size allowed")                                                               \
    X("a message that is too big")                                                                           \
    X("a bomb: 100 times its size and more")                                                                 \
    X("a block after a final one")                                                                           \
    X("a message that ends inside a block")                                                                  \
    X("a packed message in one frame")                                                                       \
    X("a packed message in fragments")                                                                       \
    X("a plain message")                                                                                     \
    X("a bomb in frames")                                                                                    \
    X("frames: reserved_bits")                                                                               \
    X("frames: message_too_big")                                                                             \
    X("invalid block type")                                                                                  \
    X("invalid stored block lengths")                                                                        \
    X("too many length or distance symbols")                                                                 \
    X("invalid code lengths set")                                                                            \
    X("invalid bit length repeat")                                                                           \
    X("invalid code -- missing end-of-block")                                                                \
    X("invalid literal/lengths set")                                                                         \
    X("invalid distances set")                                                                               \
    X("invalid literal/length code")                                                                         \
    X("invalid distance code")                                                                               \
    X("invalid distance too far back")

#define NAME(name) name,
static const char *const goals[] = {GOALS(NAME)};
#define GOAL_COUNT (sizeof goals / sizeof goals[0])

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[GOAL_COUNT];
static bool reached[GOAL_COUNT];

/* How many goals no input has reached; each is named on standard error. Called by replay_main.c. */
int fuzz_goals_missed(void);

static void one_message(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint32_t limit);
static void frames(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint32_t limit);

static void goal(const char *name)
{
    for (size_t i = 0; i < GOAL_COUNT; i++) {
        if (strcmp(goals[i], name) != 0) continue;
        reached[i] = true;
        counters[i] = 1;
    }
}

int fuzz_goals_missed(void)
{
    int missed = 0;
    for (size_t i = 0; i < GOAL_COUNT; i++) {
        if (reached[i]) continue;
        fprintf(stderr, "deflate_fuzz: no input reaches: %s\n", goals[i]);
        missed++;
    }
    return missed;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct deflater *d;
    if (!d) d = deflater_create(1); /* once: set-up costs more than a run */
    TC_ASSERT(d != NULL);
    if (size < HOW_BYTES || size > LIMIT_MAX) return 0;
    uint32_t limit = load_be16(input), rest = (uint32_t)size - HOW_BYTES;
    uint8_t bits = (uint8_t)(9 + input[2] / MODE_BITS % 7);
    if (input[2] & MODE_FRAMES)
        frames(d, bits, input + HOW_BYTES, rest, limit);
    else
        one_message(d, bits, input + HOW_BYTES, rest, limit);
    return 0;
}

/* ---- One message. ---- */

struct reference {
    z_stream z;
    uint8_t *out; /* has room for limit + 1 */
    uint32_t limit, bytes;
    bool final;     /* a final block was the last thing read */
    bool restarted; /* a block came behind a final one */
};

static enum deflater_result feed(struct reference *r, const char *in, uint32_t size)
{
    enum { PIECE = 61 };
    r->z.next_in = (Bytef *)(uintptr_t)in;
    r->z.avail_in = size;
    do {
        uint8_t piece[PIECE];
        if (r->final && r->z.avail_in > 0) {
            inflateReset(&r->z);
            r->final = false;
            r->restarted = true;
        }
        r->z.next_out = piece;
        r->z.avail_out = PIECE;
        int result = inflate(&r->z, Z_SYNC_FLUSH);
        uint32_t got = PIECE - r->z.avail_out;
        if (got > r->limit + 1 - r->bytes) got = r->limit + 1 - r->bytes;
        memcpy(r->out + r->bytes, piece, got);
        r->bytes += got;
        if (r->bytes > r->limit) return DEFLATER_TOO_BIG;
        if (result == Z_DATA_ERROR) {
            goal(r->z.msg);
            return DEFLATER_BAD;
        }
        r->final = result == Z_STREAM_END;
    } while (r->z.avail_in > 0 || r->z.avail_out == 0);
    return DEFLATER_OK;
}

/* Behind the message and what is appended to it a block may begin: a final one without bytes is read as that.
 */
static bool ends_between_blocks(struct reference *r)
{
    if (r->final) return true;
    uint32_t bytes = r->bytes;
    bool restarted = r->restarted, whole = feed(r, "\x00\x00\xFF\xFF", 4) == DEFLATER_OK;
    if (!r->final) whole = whole && feed(r, "\x01\x00\x00\xFF\xFF", 5) == DEFLATER_OK;
    whole = whole && r->final && r->bytes == bytes && r->restarted == restarted;
    if (!whole) goal("a message that ends inside a block");
    return whole;
}

/* The message by zlib alone; r->bytes of it are in r->out. */
static enum deflater_result by_zlib(struct reference *r, const uint8_t *in, uint32_t size)
{
    TC_ASSERT(inflateInit2(&r->z, -15) == Z_OK);
    enum deflater_result result = feed(r, (const char *)in, size);
    if (r->restarted) goal("a block after a final one");
    if (result == DEFLATER_OK && size > 0 && !ends_between_blocks(r)) result = DEFLATER_BAD;
    if (result != DEFLATER_OK) r->bytes = 0;
    inflateEnd(&r->z);
    return result;
}

static void keeps_window(const uint8_t *in, uint32_t size, const uint8_t *plain, uint32_t bytes,
                         uint32_t limit, enum deflater_result expected, int times)
{
    static uint8_t out[LIMIT_MAX + 1];
    struct inflater *i = inflater_create(15, true);
    TC_ASSERT(i != NULL);
    for (int round = 0; round < times; round++) {
        uint32_t got;
        TC_ASSERT(inflater_unpack(i, in, size, out, limit, &got) == expected);
        TC_ASSERT(got == bytes);
        TC_ASSERT(memcmp(out, plain, bytes) == 0);
    }
    inflater_destroy(i);
}

static void one_message(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint32_t limit)
{
    static uint8_t out[LIMIT_MAX + 2], again[LIMIT_MAX + 2], packed[LIMIT_MAX];
    uint32_t bytes, bytes_again;
    out[limit + 1] = 0x5A;
    enum deflater_result result = deflater_unpack(d, in, size, out, limit, &bytes);
    TC_ASSERT(out[limit + 1] == 0x5A);
    TC_ASSERT(bytes <= limit);
    struct reference r = {.out = again, .limit = limit};
    TC_ASSERT(by_zlib(&r, in, size) == result);
    TC_ASSERT(r.bytes == bytes);
    TC_ASSERT(memcmp(out, again, bytes) == 0);
    if (!r.restarted) /* once: the next may refer to it */
        keeps_window(in, size, out, bytes, limit, result, 1);
    if (result == DEFLATER_TOO_BIG) goal("a message that is too big");
    if (result == DEFLATER_TOO_BIG && limit > 100 * size) goal("a bomb: 100 times its size and more");
    if (result != DEFLATER_OK) return;
    goal("a good message");
    if (bytes == limit) goal("a message of the largest size allowed");
    uint32_t smaller = bytes > 0 ? deflater_pack(d, bits, out, bytes, packed, bytes) : 0;
    if (smaller == 0) return;
    TC_ASSERT(deflater_unpack(d, packed, smaller, again, bytes, &bytes_again) == DEFLATER_OK);
    TC_ASSERT(bytes_again == bytes);
    TC_ASSERT(memcmp(out, again, bytes) == 0);
    keeps_window(packed, smaller, out, bytes, limit, DEFLATER_OK, 2);
}

/* ---- Frames. ---- */

static void message(struct deflater *d, uint8_t bits, const struct ws_message *m, bool fragments,
                    uint32_t limit)
{
    uint32_t bytes;
    static uint8_t out[LIMIT_MAX + 1];
    if (!m->packed) {
        goal("a plain message");
        return;
    }
    goal(fragments ? "a packed message in fragments" : "a packed message in one frame");
    if (m->size < limit / 100 &&
        deflater_unpack(d, m->payload, m->size, out, limit, &bytes) == DEFLATER_TOO_BIG)
        goal("a bomb in frames");
    one_message(d, bits, m->payload, m->size, limit);
}

static void frames(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint32_t limit)
{
    struct ws_reader reader = {.deflate = true};
    struct ws_assembly *assembly = malloc(sizeof *assembly + limit);
    uint8_t *bytes = malloc(size + 1); /* unmasked in place */
    TC_ASSERT(assembly != NULL);
    TC_ASSERT(bytes != NULL);
    if (size) memcpy(bytes, in, size);
    bool given = false;
    enum ws_event event = WS_EVENT_NEED_ASSEMBLY;
    for (size_t at = 0, used; event != WS_EVENT_MORE && event != WS_EVENT_FAIL; at += used) {
        struct ws_message m;
        event = ws_read(&reader, bytes + at, size - at, &used, given ? assembly : NULL, limit, &m);
        if (event == WS_EVENT_NEED_ASSEMBLY) given = true;
        if (event == WS_EVENT_MESSAGE) message(d, bits, &m, given, limit);
        if (event == WS_EVENT_FAIL && strcmp(m.fail, "reserved_bits") == 0) goal("frames: reserved_bits");
        if (event == WS_EVENT_FAIL && m.close_code == WS_TOO_BIG) goal("frames: message_too_big");
        if (event == WS_EVENT_MESSAGE) TC_ASSERT(m.size <= limit);
        if (ws_reader_idle(&reader)) given = false;
    }
    free(assembly);
    free(bytes);
}
