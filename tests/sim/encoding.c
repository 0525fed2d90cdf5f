#include "tests/sim/encoding.h"

#include "base/assert.h"
#include "wire/ws.h"
#include "wire/ws_deflate.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define PLAIN_BYTES_MAX (1u << 16) /* a message unpacked: frames are smaller, answers are short here */

static struct text unpack(const uint8_t *payload, size_t size);
static struct text of_binary(struct client *c, struct text plain);

void encoding_draw(struct client *c)
{
    c->binary = random_below(c->random, 3) == 0;
    c->deflate = random_below(c->random, 3) == 0;
    if (c->alike && random_below(c->random, 4) > 0) {
        c->binary = c->number % 4 == 0;
        c->deflate = true;
    }
    client_bin_free(&c->bin);
}

void encoding_fields(const struct client *c, char out[ENCODING_FIELDS_MAX])
{
    int n = snprintf(out, ENCODING_FIELDS_MAX, "%s%s",
                     c->binary ? "Sec-WebSocket-Protocol: tickcast.v1.bin\r\n" : "",
                     c->deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    TC_ASSERT(n >= 0 && (size_t)n < ENCODING_FIELDS_MAX);
}

void encoding_agreed(const struct client *c, struct text head)
{
    static const char binary[] = "Sec-WebSocket-Protocol: tickcast.v1.bin\r\n";
    static const char deflate[] = "Sec-WebSocket-Extensions: permessage-deflate;";
    TC_ASSERT(c->binary == (memmem(head.at, head.size, binary, sizeof binary - 1) != NULL));
    TC_ASSERT(c->deflate == (memmem(head.at, head.size, deflate, sizeof deflate - 1) != NULL));
}

struct text encoding_open(struct client *c, uint8_t first, const uint8_t *payload, size_t size)
{
    bool packed = first & WS_DEFLATE_RSV1;
    TC_ASSERT(c->deflate || !packed);
    TC_ASSERT((first & 15) == (c->binary ? WS_BINARY : WS_TEXT));
    c->happened->bin_messages += c->binary;
    c->happened->packed_messages += packed;
    c->happened->packed_binary += packed && c->binary;
    struct text plain = {(const char *)payload, size};
    if (packed) plain = unpack(payload, size);
    return c->binary ? of_binary(c, plain) : plain;
}

/* RFC 7692 7.2.2, with a window that holds nothing of the message before. */
static struct text unpack(const uint8_t *payload, size_t size)
{
    static uint8_t plain[PLAIN_BYTES_MAX];
    static const uint8_t tail[4] = {0x00, 0x00, 0xFF, 0xFF};
    z_stream z = {.next_out = plain, .avail_out = sizeof plain};
    TC_ASSERT(inflateInit2(&z, -(int)WS_DEFLATE_BITS) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)payload; /* zlib only reads it */
    z.avail_in = (uInt)size;
    TC_ASSERT(inflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0);
    z.next_in = (Bytef *)(uintptr_t)tail;
    z.avail_in = sizeof tail;
    TC_ASSERT(inflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0);
    TC_ASSERT(z.avail_out > 0);
    size_t bytes = sizeof plain - z.avail_out;
    inflateEnd(&z);
    return (struct text){(const char *)plain, bytes};
}

static struct text of_binary(struct client *c, struct text plain)
{
    struct text json;
    if (client_bin_json(&c->bin, (const uint8_t *)plain.at, plain.size, &json) < 0) {
        fprintf(stderr,
                "client %u: not a binary message, or a symbol that was not defined: type %d, %zu bytes\n",
                c->number, plain.size ? plain.at[0] : -1, plain.size);
        TC_ASSERT(!"a message of the protocol");
    }
    c->happened->bin_definitions += json.size == 0;
    return json;
}

size_t encoding_pack(const void *payload, size_t size, uint8_t *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)payload, .avail_in = (uInt)size};
    TC_ASSERT(deflateInit2(&z, 1, Z_DEFLATED, -(int)WS_DEFLATE_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_out = out;
    z.avail_out = (uInt)(size + ENCODING_PACK_MORE);
    TC_ASSERT(deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0 && z.avail_out > 0);
    size_t bytes = size + ENCODING_PACK_MORE - z.avail_out;
    deflateEnd(&z);
    TC_ASSERT(bytes > 4);
    return bytes - 4; /* without 00 00 FF FF: 7.2.1 */
}
