/* tests/fuzz/client_bin_fuzz.c -- plan: any bytes as a server's binary messages. The input is cut into
 * messages by a length before each; both ways of reading take them. Nothing outside of a message is read (it
 * is a copy of its very size), every record that is accepted stays inside, and what is accepted becomes JSON,
 * which can be scanned. */
#include "base/assert.h"
#include "cmd/client_bin.h"

#include <jansson.h>
#include <stdlib.h>

static void one_message(struct client_bin *b, const uint8_t *bytes, size_t size)
{
    struct client_bin_message m;
    struct client_bin_tick t;
    struct text json;
    if (client_bin_open(bytes, size, &m) == 0) {
        uint32_t records = 0;
        while (client_bin_next(&m, &t) > 0) {
            TC_ASSERT(t.record >= bytes && t.record + t.bytes <= bytes + size);
            TC_ASSERT(++records <= size / 16);
        }
    }
    if (client_bin_json(b, bytes, size, &json) < 0 || json.size == 0) return;
    json_t *whole =
        json_loadb(json.at, json.size, JSON_DECODE_INT_AS_REAL, NULL); /* a seq may need 64 bits */
    TC_ASSERT(json_is_object(whole));
    json_decref(whole);
    struct scan_message s;
    struct scan_tick tick;
    TC_ASSERT(scan_message(json, &s) == 0);
    while (scan_tick_next(&s, &tick) > 0) TC_ASSERT(scan_is_tick(tick.type));
    TC_ASSERT(scan_message_end(&s) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct client_bin b = {0};
    while (size >= 2) {
        size_t bytes = load_le16(input);
        input += 2;
        size -= 2;
        if (bytes > size) bytes = size;
        uint8_t *copy = malloc(bytes + 1);
        if (!copy) break;
        memcpy(copy + 1, input, bytes); /* ends where the allocation does */
        one_message(&b, copy + 1, bytes);
        free(copy);
        input += bytes;
        size -= bytes;
    }
    client_bin_free(&b);
    return 0;
}
