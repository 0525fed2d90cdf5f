/* cmd/client_handshake.c -- the opening handshake from the client's side (RFC 6455 4.1). */
#include "cmd/client_ws.h"

#include "base/shown.h"

#include <stdio.h>
#include <strings.h>

/* As Chromium and Firefox offer it. */
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

static void key_print(char out[CLIENT_KEY_BYTES + 1], const uint8_t secret[16]);
static struct text field(const char *head, size_t size, const char *name);
static int take_extensions(const struct client_handshake *h, const char *head, size_t size,
                           struct client_deflate *out, struct fault *f);
static int refused(const char *bytes, size_t size, size_t head, struct fault *f);

void client_handshake_make(struct client_handshake *h, const struct client_url *url,
                           const struct client_wishes *wishes, const uint8_t secret[16])
{
    const char *subprotocol = wishes->subprotocol;
    key_print(h->key, secret);
    h->deflate = wishes->deflate;
    int n = snprintf(h->request, sizeof h->request,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s%s%s%s%s\r\n",
                     url->target, url->authority, h->key, wishes->deflate ? OFFER : "",
                     subprotocol ? "Sec-WebSocket-Protocol: " : "", subprotocol ? subprotocol : "",
                     subprotocol ? "\r\n" : "", wishes->fields ? wishes->fields : "");
    h->request_bytes = n > 0 && (size_t)n < sizeof h->request ? (uint32_t)n : 0;
}

int client_handshake_check(const struct client_handshake *h, const char *subprotocol, const char *bytes,
                           size_t size, struct client_deflate *deflate, struct fault *f)
{
    static const char not_http[] = "the answer is not HTTP; is there another service on this port?";
    size_t seen = min_u64(size, 5);
    if (memcmp(bytes, "HTTP/", seen) != 0) return fault_set(f, TC_EINPUT, "%s", not_http);
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) {
        if (size < CLIENT_HANDSHAKE_MAX) return 0;
        return fault_set(f, TC_EINPUT, "the answer's head is longer than %u bytes", CLIENT_HANDSHAKE_MAX);
    }
    size_t head = (size_t)(end - bytes) + 4;
    if (size < 13 || bytes[8] != ' ') return fault_set(f, TC_EINPUT, "%s", not_http);
    if (memcmp(bytes + 9, "101", 3) != 0) return refused(bytes, size, head, f);
    char accept[28];
    ws_accept_value((struct text){.at = h->key, .size = CLIENT_KEY_BYTES}, accept);
    struct text got = field(bytes, head, "Sec-WebSocket-Accept");
    if (!text_equal(got, (struct text){.at = accept, .size = sizeof accept}))
        return fault_set(f, TC_EINPUT,
                         "the upgrade was answered with a wrong Sec-WebSocket-Accept; a cache in between?");
    struct text chosen = field(bytes, head, "Sec-WebSocket-Protocol");
    char shown[61];
    if (chosen.size && (!subprotocol || !text_equal(chosen, text_of(subprotocol))))
        return fault_set(f, TC_EINPUT, "the server chose subprotocol \"%s\", which was not asked for",
                         shown_copy(shown, sizeof shown, chosen));
    int r = take_extensions(h, bytes, head, deflate, f);
    return r < 0 ? r : (int)head;
}

static void key_print(char out[CLIENT_KEY_BYTES + 1], const uint8_t secret[16])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *p = out;
    for (int i = 0; i < 15; i += 3) {
        uint32_t v = (uint32_t)secret[i] << 16 | (uint32_t)secret[i + 1] << 8 | secret[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) *p++ = digits[v >> shift & 63];
    }
    *p++ = digits[secret[15] >> 2];
    *p++ = digits[(secret[15] & 3) << 4];
    *p++ = '=';
    *p++ = '=';
    *p = 0;
}

/* A header field's value without spaces around it; size 0 if it is not there. */
static struct text field(const char *head, size_t size, const char *name)
{
    size_t name_size = strlen(name);
    const char *line = head, *end = head + size;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop) break;
        if ((size_t)(stop - line) > name_size && strncasecmp(line, name, name_size) == 0 &&
            line[name_size] == ':') {
            const char *at = line + name_size + 1, *last = stop;
            while (at < last && *at == ' ') at++;
            while (last > at && (last[-1] == '\r' || last[-1] == ' ')) last--;
            return (struct text){.at = at, .size = (size_t)(last - at)};
        }
        line = stop + 1;
    }
    return (struct text){0};
}

/* An extension that was not asked for ends it, and so do terms that nobody can meet (RFC 6455 4.1, 9.1). */
static int take_extensions(const struct client_handshake *h, const char *head, size_t size,
                           struct client_deflate *out, struct fault *f)
{
    struct ws_deflate_parameters p;
    char shown[121];
    struct text got = field(head, size, "Sec-WebSocket-Extensions");
    if (out) *out = (struct client_deflate){.agreed = false};
    if (got.size == 0) return TC_OK;
    if (!h->deflate || !ws_deflate_parameters_read(got, &p) || (p.client_bits_named && p.client_bits == 0))
        return fault_set(f, TC_EINPUT, "the server answered with extensions \"%s\", which %s",
                         shown_copy(shown, sizeof shown, got),
                         h->deflate ? "is no answer to permessage-deflate" : "were not asked for");
    if (out)
        *out = (struct client_deflate){.agreed = true,
                                       .takeover = !p.server_no_takeover,
                                       .bits = p.server_bits ? p.server_bits : WS_DEFLATE_BITS};
    return TC_OK;
}

/* The status in words, with what can be done; the answer's body often says more. */
static int refused(const char *bytes, size_t size, size_t head, struct fault *f)
{
    static const struct {
        char status[4];
        const char *remedy;
    } remedies[] = {
        {"400", "the request was not understood: check symbols, kinds and the other options"},
        {"401", "a token is needed"},
        {"403", "this origin or peer is not allowed"},
        {"404", "no such path: a tickcast stream is at /v1/ws"},
        {"421", "the server does not answer to this host name: use its address, or start it with --host"},
        {"429", "too many requests: try later"},
        {"503", "the server is full or draining: try later, or raise --max-connections"},
    };
    const char *remedy = "is this a tickcast server?";
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (memcmp(bytes + 9, remedies[i].status, 3) == 0) remedy = remedies[i].remedy;
    const char *status = bytes + 9, *line_end = memchr(status, '\r', head - 9);
    char line[61], body[121];
    shown_copy(line, sizeof line, (struct text){status, (size_t)(line_end - status)});
    shown_copy(body, sizeof body, (struct text){bytes + head, size - head});
    return fault_set(f, TC_EINPUT, "refused with %s; %s%s%s%s", line, remedy, body[0] ? " (it says: " : "",
                     body, body[0] ? ")" : "");
}
