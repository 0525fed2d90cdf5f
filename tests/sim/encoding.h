/* tests/sim/encoding.h -- the forms that a subscriber may ask its stream in: JSON or tickcast.v1.bin, and
 * each with or without permessage-deflate. The model sees JSON, whatever came: a packed message is unpacked
 * by zlib, each by itself; a binary one becomes the JSON that it stands for (cmd/client_bin.h), which fails
 * where a symbol was not defined before its first tick. */
#ifndef TC_TESTS_SIM_ENCODING_H
#define TC_TESTS_SIM_ENCODING_H

#include "tests/sim/client.h"

#define ENCODING_FIELDS_MAX 128u /* bytes of the handshake's fields that ask for an encoding */
#define ENCODING_PACK_MORE  16u  /* bytes that packing may add */

/* Draws what the next connection asks for, and forgets what the last one was told. */
void encoding_draw(struct client *c);
/* The handshake's fields that ask for it, terminated. */
void encoding_fields(const struct client *c, char out[ENCODING_FIELDS_MAX]);
/* The answer agrees to what was asked for, and to nothing else. Asserts. */
void encoding_agreed(const struct client *c, struct text head);
/* A data message of the server as JSON, valid until the next one. Size 0: it has no JSON form (definitions).
 * Asserts. */
struct text encoding_open(struct client *c, uint8_t first, const uint8_t *payload, size_t size);
/* A message of the client, packed into out[size + ENCODING_PACK_MORE]. Returns its size. */
size_t encoding_pack(const void *payload, size_t size, uint8_t *out);

#endif
