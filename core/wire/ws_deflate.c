/* Messages packed and unpacked: RFC 7692 7.2, by zlib (RFC 1951). zlib takes its memory from a block of ours
 * each way, so nothing is allocated later. */
#include "wire/ws_deflate.h"

#include "base/assert.h"

#include <stdlib.h>
#include <zlib.h>

#define MEMORY_LEVEL 8 /* zlib's default: hash and buffer of 128 KiB beside the window's 128 */
/* zlib.h: (1 << (bits + 2)) + (1 << (level + 9)) to pack, (1 << bits) and 7 KiB to unpack; small pieces
 * beside. */
#define PACK_BYTES         ((1u << (WS_DEFLATE_BITS + 2)) + (1u << (MEMORY_LEVEL + 9)) + (16u << 10))
#define UNPACK_BYTES(bits) ((1u << (bits)) + (24u << 10))
#define LEAST_BYTES        16u /* of room to pack into: less is never worth it */
#define INFLATE_BITS_LEAST 8u

/* What zlib asks for, one piece after the other; nothing is given back before all is. */
struct room {
    uint8_t *at;
    size_t size, used;
};

struct inflater {
    z_stream z;
    struct room room;
    bool takeover;
    uint8_t memory[]; /* of room */
};

struct deflater {
    z_stream pack;
    struct room pack_room;
    struct inflater *unpack;
    int level;
    uint8_t bits; /* that `pack` is set up for; 0: not at all */
    uint8_t *memory;
};

static void *take(void *context, uInt items, uInt size);
static void give(void *context, void *address);
static bool pack_bits(struct deflater *d, uint8_t bits);
static enum deflater_result unpack_piece(struct inflater *i, const uint8_t *in, uint32_t size);
static void after_final(struct inflater *i);
static bool tail_fits(struct inflater *i);

struct deflater *deflater_create(int level)
{
    struct deflater *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->level = level;
    d->memory = malloc(PACK_BYTES);
    d->pack_room = (struct room){.at = d->memory, .size = PACK_BYTES};
    d->pack = (z_stream){.zalloc = take, .zfree = give, .opaque = &d->pack_room};
    /* The unpacker's window is zlib's largest, so that it reads whatever the peer's is. */
    d->unpack = inflater_create(WS_DEFLATE_BITS, false);
    if (d->memory && d->unpack && pack_bits(d, WS_DEFLATE_BITS)) return d;
    deflater_destroy(d);
    return NULL;
}

size_t deflater_bytes(void)
{
    return sizeof(struct deflater) + PACK_BYTES + sizeof(struct inflater) + UNPACK_BYTES(WS_DEFLATE_BITS);
}

void deflater_destroy(struct deflater *d)
{
    if (!d) return;
    inflater_destroy(d->unpack);
    free(d->memory);
    free(d);
}

static void *take(void *context, uInt items, uInt size)
{
    struct room *room = context;
    size_t bytes = ((size_t)items * size + 15) / 16 * 16;
    if (bytes > room->size - room->used) return NULL;
    void *at = room->at + room->used;
    room->used += bytes;
    return at;
}

static void give(void *context, void *address)
{
    (void)context;
    (void)address;
}

/* Another window size (only /v1/echo has those): set up anew in the same memory. */
static bool pack_bits(struct deflater *d, uint8_t bits)
{
    if (d->bits == bits) return true;
    if (d->bits != 0) deflateEnd(&d->pack);
    d->pack_room.used = 0;
    int result = deflateInit2(&d->pack, d->level, Z_DEFLATED, -(int)bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    d->bits = result == Z_OK ? bits : 0;
    return result == Z_OK;
}

uint32_t deflater_pack(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint8_t *out,
                       uint32_t out_size)
{
    TC_ASSERT(bits >= 9);
    TC_ASSERT(bits <= WS_DEFLATE_BITS);
    if (out_size < LEAST_BYTES || !pack_bits(d, bits)) return 0;
    z_stream *z = &d->pack;
    deflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)in; /* zlib only reads it */
    z->avail_in = size;
    z->next_out = out;
    z->avail_out = out_size;
    int result = deflate(z, Z_SYNC_FLUSH);
    /* Room left over: the flush is complete (zlib.h, deflate). */
    if (result != Z_OK || z->avail_in > 0 || z->avail_out == 0) return 0;
    uint32_t bytes = out_size - z->avail_out;
    TC_ASSERT(bytes > 4);
    TC_ASSERT(memcmp(out + bytes - 4, "\x00\x00\xFF\xFF", 4) == 0);
    return bytes - 4;
}

enum deflater_result deflater_unpack(struct deflater *d, const uint8_t *in, uint32_t size, uint8_t *out,
                                     uint32_t out_size, uint32_t *out_bytes)
{
    return inflater_unpack(d->unpack, in, size, out, out_size, out_bytes);
}

struct inflater *inflater_create(uint8_t bits, bool takeover)
{
    TC_ASSERT(bits >= INFLATE_BITS_LEAST);
    TC_ASSERT(bits <= WS_DEFLATE_BITS);
    struct inflater *i = malloc(sizeof *i + UNPACK_BYTES(bits));
    if (!i) return NULL;
    i->takeover = takeover;
    i->room = (struct room){.at = i->memory, .size = UNPACK_BYTES(bits)};
    i->z = (z_stream){.zalloc = take, .zfree = give, .opaque = &i->room};
    if (inflateInit2(&i->z, -(int)bits) == Z_OK) return i; /* negative: raw */
    free(i);
    return NULL;
}

void inflater_destroy(struct inflater *i)
{
    free(i);
}

enum deflater_result inflater_unpack(struct inflater *i, const uint8_t *in, uint32_t size, uint8_t *out,
                                     uint32_t out_size, uint32_t *out_bytes)
{
    z_stream *z = &i->z;
    if (!i->takeover) inflateReset(z);
    z->next_out = out;
    z->avail_out = out_size + 1; /* the one more tells a message that is too big from one that just fits */
    enum deflater_result result = unpack_piece(i, in, size);
    /* Nothing read since a final block: it was the message's last. */
    bool ended = size == 0 || z->total_in == 0;
    if (result == DEFLATER_OK && !ended && !tail_fits(i)) result = DEFLATER_BAD;
    *out_bytes = result == DEFLATER_OK ? out_size + 1 - z->avail_out : 0;
    return result;
}

static enum deflater_result unpack_piece(struct inflater *i, const uint8_t *in, uint32_t size)
{
    z_stream *z = &i->z;
    z->next_in = (Bytef *)(uintptr_t)in;
    z->avail_in = size;
    while (z->avail_in > 0) {
        int result = inflate(z, Z_SYNC_FLUSH);
        if (z->avail_out == 0) return DEFLATER_TOO_BIG;
        if (result == Z_STREAM_END)
            after_final(i);
        else if (result != Z_OK)
            return DEFLATER_BAD;
    }
    return DEFLATER_OK;
}

/* More comes behind a final block: input and output go on where they are; the window stays with takeover. */
static void after_final(struct inflater *i)
{
    uint8_t window[1u << WS_DEFLATE_BITS];
    uInt size = 0;
    if (i->takeover) inflateGetDictionary(&i->z, window, &size);
    inflateReset(&i->z);
    if (size > 0) inflateSetDictionary(&i->z, window, size);
}

/* What is appended to a message is the rest of an empty block that the message has begun: that block ends
 * with it, and it adds nothing. Else the message ended inside another one. */
static bool tail_fits(struct inflater *i)
{
    static const uint8_t tail[4] = {0x00, 0x00, 0xFF, 0xFF};
    enum { LAST_BLOCK = 64, BLOCK_ENDED = 128 }; /* zlib.h, inflate; the bits below: read but not used */
    z_stream *z = &i->z;
    uInt room = z->avail_out;
    z->next_in = (Bytef *)(uintptr_t)tail;
    z->avail_in = sizeof tail;
    return inflate(z, Z_BLOCK) == Z_OK && z->avail_in == 0 && z->avail_out == room &&
           (z->data_type & ~LAST_BLOCK) == BLOCK_ENDED;
}
