/* tests/fuzz/client_answer_fuzz.c -- plan: any bytes as a server's HTTP answer. The first byte says what was
 * asked: bit 0 with a subprotocol, bit 1 with permessage-deflate. Whole and byte by byte the answer to an
 * opening handshake must mean the same; the answer to any other request lies inside of its bytes; and what is
 * told of a server's words, a table of its connections too, has no control character in it. */
#include "cmd/client_answer.h"
#include "cmd/client_ws.h"
#include "cmd/top.h"

#include "base/assert.h"

static void clean(const char *words)
{
    TC_ASSERT(words[0] != 0);
    for (; *words; words++) TC_ASSERT((unsigned char)*words >= ' ' && *words != 127);
}

static void handshake(uint8_t how, const char *bytes, size_t size)
{
    static struct client_handshake h;
    struct client_url url;
    struct fault f = {0}, f_pieces = {0};
    struct client_deflate d = {0}, d_pieces = {0};
    const char *subprotocol = how & 1 ? "tickcast.v1.json" : NULL;
    TC_ASSERT(client_url_parse("h", "URL", &url, &f) == 0);
    client_handshake_make(&h, &url, &(struct client_wishes){.subprotocol = subprotocol, .deflate = how & 2},
                          (const uint8_t *)"the sample nonce");
    int whole = client_handshake_check(&h, subprotocol, bytes, size, &d, &f), pieces = 0;
    for (size_t some = 0; some <= size && pieces == 0; some++)
        pieces = client_handshake_check(&h, subprotocol, bytes, some, &d_pieces, &f_pieces);
    TC_ASSERT(whole <= (int)size);
    TC_ASSERT(pieces == whole || (whole >= 0 && size >= CLIENT_HANDSHAKE_MAX)); /* its bound comes earlier */
    if (whole < 0) clean(f.text);
    if (pieces < 0) clean(f_pieces.text);
    if (whole <= 0) return;
    TC_ASSERT(memcmp(bytes + whole - 4, "\r\n\r\n", 4) == 0);
    TC_ASSERT(!d.agreed || (how & 2 && d.bits >= 8 && d.bits <= WS_DEFLATE_BITS));
    if (pieces > 0)
        TC_ASSERT(d.agreed == d_pieces.agreed && d.takeover == d_pieces.takeover && d.bits == d_pieces.bits);
}

static void table(struct text json)
{
    struct top_table t;
    struct fault f = {0};
    char line[512];
    if (top_table_read(json, &t, &f) < 0) {
        clean(f.text);
        return;
    }
    top_summary(&t, line, sizeof line);
    clean(line);
    TC_ASSERT(t.count <= json.size);
    for (uint32_t i = 0; i < t.count; i++) {
        top_line(&t.rows[i], line, sizeof line);
        clean(line);
    }
    top_table_free(&t);
}

static void answer(const char *bytes, size_t size)
{
    struct client_answer a;
    if (client_answer_read(bytes, size, &a) < 0) return;
    TC_ASSERT(a.status >= 100 && a.status <= 999);
    TC_ASSERT(a.line.at > bytes && a.line.size >= 3 && a.line.at + a.line.size < a.body.at);
    TC_ASSERT(a.body.at + a.body.size == bytes + size);
    TC_ASSERT(memcmp(a.body.at - 4, "\r\n\r\n", 4) == 0);
    table(a.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 1) return 0;
    handshake(input[0], (const char *)input + 1, size - 1);
    answer((const char *)input + 1, size - 1);
    return 0;
}
