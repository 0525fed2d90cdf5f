/* tests/fuzz/http_fuzz.c -- plan: any bytes as a request. Whole and byte by byte must agree, every text must
 * lie in the head, and what the answers' rules say about it must not crash. */
#include "base/assert.h"
#include "wire/http_parse.h"
#include "wire/ws.h"
#include "wire/ws_deflate.h"

static void check_inside(struct text t, const char *bytes, uint32_t size)
{
    static const char root[] = "/";
    if (t.size == 0 || (t.size == 1 && t.at[0] == root[0])) return; /* a path may be the parser's own "/" */
    TC_ASSERT(t.at >= bytes);
    TC_ASSERT(t.at + t.size <= bytes + size);
}

static void check_request(const struct http_request *r, const char *bytes, size_t size)
{
    TC_ASSERT(r->head_bytes >= 16);
    TC_ASSERT(r->head_bytes <= size);
    TC_ASSERT(r->head_bytes <= HTTP_HEADER_BYTES_MAX);
    TC_ASSERT(r->body_bytes <= HTTP_BODY_BYTES_MAX);
    TC_ASSERT(memcmp(bytes + r->head_bytes - 4, "\r\n\r\n", 4) == 0);
    TC_ASSERT(memmem(bytes + 2, r->head_bytes - 2, "\r\n\r\n", 4) == bytes + r->head_bytes - 4);
    const struct text texts[] = {r->target,        r->path,         r->query,      r->host,
                                 r->origin,        r->ws_key,       r->ws_version, r->ws_protocols[0],
                                 r->authorization, r->if_none_match};
    for (uint32_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_inside(texts[i], bytes, r->head_bytes);
    TC_ASSERT(r->ws_protocol_lines <= HTTP_PROTOCOL_LINES);
    for (uint32_t i = 0; i < r->ws_protocol_lines; i++)
        check_inside(r->ws_protocols[i], bytes, r->head_bytes);
    TC_ASSERT(r->ws_extension_lines <= HTTP_EXTENSION_LINES);
    for (uint32_t i = 0; i < r->ws_extension_lines; i++)
        check_inside(r->ws_extensions[i], bytes, r->head_bytes);
    struct ws_deflate_terms terms = ws_deflate_accept(r, 9);
    TC_ASSERT(!terms.agreed || (terms.bits >= 9 && terms.bits <= WS_DEFLATE_BITS));
    static const char *const known[] = {"tickcast.v1.json", "tickcast.v1.bin"};
    (void)http_choose_protocol(r, known, 2);
    TC_ASSERT(r->path.size > 0);
    (void)http_host_is_loopback(r->host);
    (void)http_origin_is_host(r->origin, r->host);
    (void)http_origin_is_loopback(r->origin);
    if (ws_handshake_check(r) == 0) {
        char out[512];
        TC_ASSERT(ws_handshake_reply(out, sizeof out, r->ws_key, NULL, NULL) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *bytes = (const char *)input;
    struct http_request r;
    uint32_t scanned = 0;
    int whole = http_parse(bytes, size, &scanned, &r);
    if (whole > 0) check_request(&r, bytes, size);

    uint32_t scanned_so_far = 0;
    int pieces = 0;
    for (size_t some = 0; some <= size && pieces == 0; some++)
        pieces = http_parse(bytes, some, &scanned_so_far, &r);
    TC_ASSERT(pieces == whole ||
              (pieces < 0 && whole < 0)); /* a bound may be told before the fault behind it */
    return 0;
}
