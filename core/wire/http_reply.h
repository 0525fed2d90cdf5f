/* wire/http_reply.h -- the bytes of HTTP responses. Spec: RFC 9110, RFC 9112, RFC 6455 4.2.2. */
#ifndef TC_WIRE_HTTP_REPLY_H
#define TC_WIRE_HTTP_REPLY_H

#include "base/bytes.h"

struct http_reply {
    int status;
    const char *type; /* Content-Type, NULL: text/plain; charset=utf-8 */
    const char *date; /* Date, as http_date writes it; NULL: no such field (a server without a clock) */
    struct text body; /* its length is sent; the bytes themselves only by http_reply_whole */
    bool keep_alive, head_only;
    uint8_t version_minor;                       /* of the request: an HTTP/1.0 one is answered as such */
    uint32_t retry_after_s;                      /* 0: no such field */
    const char *allow;                           /* for 405 */
    const char *etag, *cache_control, *encoding; /* NULL: no such field */
    struct text allow_origin;                    /* Access-Control-Allow-Origin, size 0: none */
    const char *upgrade;                         /* for 426: "websocket" (adds Sec-WebSocket-Version: 13) */
    const char *authenticate;                    /* for 401: WWW-Authenticate */
};

const char *http_reason(int status);
#define HTTP_DATE_SIZE 30u /* with the terminator */
/* Seconds since 1970 as IMF-fixdate (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
void http_date(char out[HTTP_DATE_SIZE], uint64_t unix_seconds);
/* Head alone / head and body. Returns bytes, or -1 if out is too small. */
int http_reply_head(char *out, size_t out_size, const struct http_reply *r);
int http_reply_whole(char *out, size_t out_size, const struct http_reply *r);
/* A plain one-line body that names status and why. */
int http_reply_error(char *out, size_t out_size, int status, const char *why, const struct http_reply *base);

#endif
