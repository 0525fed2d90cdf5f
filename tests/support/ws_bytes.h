/* support/ws_bytes.h -- frames as a client sends them, right ones and wrong ones, for the tests of the
 * reader. Written from RFC 6455 5.2, on purpose without ws_frame.c. */
#ifndef TC_TESTS_SUPPORT_WS_BYTES_H
#define TC_TESTS_SUPPORT_WS_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ws_frame_spec {
    uint8_t flags;        /* first byte: FIN 0x80, RSV 0x70, opcode */
    uint8_t unmasked;     /* 1: no mask (a fault) */
    uint8_t length_bytes; /* 0: minimal; 2 or 8: forced */
    uint8_t key[4];
    const void *payload;
    size_t size;
};

/* Writes the frame to out (14 bytes and the payload), masked byte by byte. Returns its size. */
static inline size_t ws_bytes_frame(uint8_t *out, const struct ws_frame_spec *f)
{
    uint8_t wide = f->length_bytes;
    size_t at = 2;
    if (wide == 0) wide = f->size < 126 ? 0 : f->size < 65536 ? 2 : 8;
    out[0] = f->flags;
    out[1] = (uint8_t)(wide == 0 ? f->size : wide == 2 ? 126 : 127);
    for (uint8_t i = 0; i < wide; i++) out[at++] = (uint8_t)((uint64_t)f->size >> (8 * (wide - 1 - i)));
    if (!f->unmasked) {
        out[1] |= 0x80;
        memcpy(out + at, f->key, 4);
        at += 4;
    }
    for (size_t i = 0; i < f->size; i++)
        out[at++] = (uint8_t)(((const uint8_t *)f->payload)[i] ^ (f->unmasked ? 0 : f->key[i % 4]));
    return at;
}

#endif
