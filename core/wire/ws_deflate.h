/* wire/ws_deflate.h -- the extension permessage-deflate (RFC 7692): which offer is taken, and messages packed
 * and unpacked. No I/O; memory is reserved once. Thread: the one that owns the deflater.
 *
 * No message is packed with the help of an earlier one ("no context takeover" both ways): so one packed frame
 * serves every subscriber of a group, and a connection costs no memory. */
#ifndef TC_WIRE_WS_DEFLATE_H
#define TC_WIRE_WS_DEFLATE_H

#include "base/bytes.h"
#include "wire/http_parse.h"

#define WS_DEFLATE_BITS       15u   /* LZ77 window of streams: 32 KiB */
#define WS_DEFLATE_BITS_LEAST 9u    /* zlib has no raw window of 8 */
#define WS_DEFLATE_RSV1       0x40u /* in a frame's first byte: the message is packed (section 6) */
#define WS_DEFLATE_FLUSH      5u    /* room behind a packed message: four bytes, and one left over */
#define WS_DEFLATE_ANSWER     160u  /* room for the longest answer */

/* What one element of Sec-WebSocket-Extensions says of permessage-deflate, an offer's or an answer's (7.1).
 */
struct ws_deflate_parameters {
    bool server_no_takeover, client_no_takeover;
    bool client_bits_named; /* client_max_window_bits is there; in an offer it may be without a value */
    uint8_t server_bits, client_bits; /* 8 to 15; 0: no value */
};

/* False: another extension, or a parameter that is not known, has no legal value or is there twice. */
bool ws_deflate_parameters_read(struct text element, struct ws_deflate_parameters *out);

/* What was agreed; zeroed: nothing. */
struct ws_deflate_terms {
    bool agreed;
    uint8_t bits; /* of what we send: 9 to 15 */
};

/* Takes the first offer that can be met (7.1): every parameter known, with a legal value, at most once.
 * bits_least: a smaller server_max_window_bits is declined, as every stream shares one window size (echo: 9;
 * zlib has no raw window of 8). What is malformed is declined as well, never an error. */
struct ws_deflate_terms ws_deflate_accept(const struct http_request *r, uint8_t bits_least);
/* The value of the Sec-WebSocket-Extensions field that answers it, terminated. Returns its size. */
uint32_t ws_deflate_answer(char out[WS_DEFLATE_ANSWER], const struct ws_deflate_terms *terms);

/* ---- Messages. ---- */

struct deflater;

/* level: 1 to 9. NULL: no memory. All memory of zlib is taken here. */
struct deflater *deflater_create(int level);
void deflater_destroy(struct deflater *d);
/* What one takes, whatever its level. */
size_t deflater_bytes(void);

/* Packs a message's payload (7.2.1: without the last four bytes 00 00 FF FF). Returns the size, or 0 if it
 * and WS_DEFLATE_FLUSH do not fit out_size: then it is sent as it is. */
uint32_t deflater_pack(struct deflater *d, uint8_t bits, const uint8_t *in, uint32_t size, uint8_t *out,
                       uint32_t out_size);

enum deflater_result { DEFLATER_OK, DEFLATER_TOO_BIG, DEFLATER_BAD };

/* As inflater_unpack, without takeover. */
enum deflater_result deflater_unpack(struct deflater *d, const uint8_t *in, uint32_t size, uint8_t *out,
                                     uint32_t out_size, uint32_t *out_bytes);

/* ---- Unpacking alone. ---- */

struct inflater;

/* bits: of the sender's window, 8 to 15. takeover: a message may refer to what the ones before it became, so
 * that one inflater serves one sender alone; else it serves any. NULL: no memory. */
struct inflater *inflater_create(uint8_t bits, bool takeover);
void inflater_destroy(struct inflater *i);

/* Unpacks a whole message (7.2.2) into out, which has room for out_size + 1 bytes. Stops there: a bomb costs
 * no more than a message of that size. A block after a final one (7.2.3.5) is read as a stream of its own.
 * A message that ends inside a block is DEFLATER_BAD; that ends with a final block, or of no bytes, is whole
 * though no empty block follows: some senders do so, and nothing is missing.
 * With takeover nothing can be unpacked any more after a result that is not DEFLATER_OK. */
enum deflater_result inflater_unpack(struct inflater *i, const uint8_t *in, uint32_t size, uint8_t *out,
                                     uint32_t out_size, uint32_t *out_bytes);

#endif
