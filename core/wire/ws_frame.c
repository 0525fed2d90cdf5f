/* Frames out, and the mask: RFC 6455 5.2, 5.3, 5.5.1. */
#include "base/assert.h"
#include "base/sanitize.h"
#include "wire/ws.h"

#define FINAL 0x80u

/* The mask is the one loop here that runs over every byte a client sends: let the loader pick the wide
 * version. Not under the thread sanitizer, whose resolver crashes before main. */
#if defined(TC_TSAN) || !defined(__x86_64__)
#define WIDE_LOOP
#else
#define WIDE_LOOP __attribute__((target_clones("avx2", "default")))
#endif

uint32_t ws_frame_head(uint8_t *out, enum ws_opcode opcode, uint64_t payload_bytes)
{
    TC_ASSERT(payload_bytes >> 63 == 0);
    out[0] = (uint8_t)(FINAL | (uint32_t)opcode);
    if (payload_bytes < 126) {
        out[1] = (uint8_t)payload_bytes;
        return 2;
    }
    if (payload_bytes < 65536) {
        out[1] = 126;
        store_be16(out + 2, (uint16_t)payload_bytes);
        return 4;
    }
    out[1] = 127;
    store_be64(out + 2, payload_bytes);
    return WS_HEAD_MAX;
}

uint32_t ws_frame_head_before(uint8_t *payload, enum ws_opcode opcode, uint64_t payload_bytes)
{
    uint8_t head[WS_HEAD_MAX];
    uint32_t size = ws_frame_head(head, opcode, payload_bytes);
    memcpy(payload - size, head, size);
    return size;
}

uint32_t ws_close_frame(uint8_t *out, uint16_t code, struct text reason)
{
    if (code == WS_NO_CODE) return ws_frame_head(out, WS_CLOSE, 0);
    TC_ASSERT(reason.size <= WS_CONTROL_BYTES_MAX - 2);
    uint32_t head = ws_frame_head(out, WS_CLOSE, 2 + reason.size);
    store_be16(out + head, code);
    if (reason.size > 0) memcpy(out + head + 2, reason.at, reason.size);
    return head + 2 + (uint32_t)reason.size;
}

/* Its own function, and static: clang 14 gives a clone that other files call a name they cannot find. */
WIDE_LOOP static void mask_words(uint8_t *bytes, size_t words, uint64_t key_twice)
{
    for (size_t i = 0; i < words; i++) store_le64(bytes + i * 8, load_le64(bytes + i * 8) ^ key_twice);
}

void ws_mask(uint8_t *bytes, size_t size, const uint8_t key[4], uint64_t offset)
{
    uint8_t turned[8]; /* the key as it falls on bytes[0] and on; twice, so that a word takes it whole */
    for (uint32_t i = 0; i < 8; i++) turned[i] = key[(offset + i) & 3];
    size_t words = size / 8;
    mask_words(bytes, words, load_le64(turned));
    for (size_t i = words * 8; i < size; i++) bytes[i] ^= turned[i & 7];
}
