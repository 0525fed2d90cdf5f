/* The opening handshake: RFC 6455 4.2. SHA-1 is no secret here: it only shows that a WebSocket server
 * answered. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the low-level SHA-1: the EVP calls allocate at every digest */
#include "base/assert.h"
#include "wire/ws.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

static bool key_ok(struct text key);

int ws_handshake_check(const struct http_request *r)
{
    if (r->method != HTTP_M_GET || r->version_minor < 1 || r->body_bytes > 0) return 400;
    if (!r->upgrade_websocket) return 426;
    if (!text_equal(r->ws_version, TEXT("13"))) return 426;
    if (!r->has_key || !key_ok(r->ws_key)) return 400;
    return 0;
}

/* 16 bytes in base64: 22 characters and two signs of padding. */
static bool key_ok(struct text key)
{
    if (key.size != 24 || key.at[22] != '=' || key.at[23] != '=') return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/') return false;
    }
    return true;
}

void ws_accept_value(struct text key, char out[28])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    uint8_t digest[SHA_DIGEST_LENGTH];
    uint8_t encoded[29]; /* with the terminator that EVP_EncodeBlock writes */
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Update(&sha, key.at, key.size);
    SHA1_Update(&sha, guid, sizeof guid - 1);
    SHA1_Final(digest, &sha);
    int size = EVP_EncodeBlock(encoded, digest, sizeof digest);
    TC_ASSERT(size == 28);
    memcpy(out, encoded, 28);
}

int ws_handshake_reply(char *out, size_t out_size, struct text key, const char *subprotocol,
                       const char *extensions)
{
    char accept[28];
    ws_accept_value(key, accept);
    int size = snprintf(out, out_size,
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %.28s\r\n"
                        "%s%s%s%s%s%s\r\n",
                        accept, subprotocol ? "Sec-WebSocket-Protocol: " : "", subprotocol ? subprotocol : "",
                        subprotocol ? "\r\n" : "", extensions ? "Sec-WebSocket-Extensions: " : "",
                        extensions ? extensions : "", extensions ? "\r\n" : "");
    return size < 0 || (size_t)size >= out_size ? -1 : size;
}
