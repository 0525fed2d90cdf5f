/* wire/http_parse.h -- one HTTP/1.x request head out of bytes; no I/O, no state between calls.
 * Spec: RFC 9112 (messages), RFC 9110 (fields), RFC 6455 4.2.1 (the WebSocket handshake's fields). Uses
 * http-parser. */
#ifndef TC_WIRE_HTTP_PARSE_H
#define TC_WIRE_HTTP_PARSE_H

#include "base/bytes.h"
#include "config/limits.h"

enum request_method { HTTP_M_GET, HTTP_M_HEAD, HTTP_M_POST, HTTP_M_OPTIONS, HTTP_M_OTHER };

/* Texts point into the parsed bytes. Absent fields have size 0 (see the has_ bits where empty is not absent).
 */
struct http_request {
    enum request_method method;
    uint8_t version_minor; /* HTTP/1.0 or 1.1 */
    bool keep_alive;       /* as version and Connection say */
    bool has_host, has_origin;
    bool upgrade_websocket; /* Upgrade lists websocket and Connection lists upgrade */
    bool has_key, accept_html, accept_event_stream, accept_gzip, expect_continue;
    const char *head;                /* where the head begins */
    uint32_t head_bytes;             /* request line and headers, the empty line included */
    uint64_t body_bytes;             /* Content-Length (0 if absent); chunked bodies are answered 411 */
    struct text target, path, query; /* path: up to '?', not decoded; query without '?' */
    struct text host, origin, ws_key, ws_version, authorization, if_none_match;
    struct text
        ws_protocols[HTTP_PROTOCOL_LINES]; /* its lines, in order: together one list (RFC 6455 11.3.4) */
    uint32_t ws_protocol_lines;
    struct text ws_extensions[HTTP_EXTENSION_LINES]; /* likewise (RFC 6455 11.3.2) */
    uint32_t ws_extension_lines;
};

/* > 0: a whole head was parsed, out->head_bytes of it; the body (body_bytes) follows.
 * 0: more bytes are needed. < 0: minus the status to answer with before closing: 400 (malformed, two Hosts,
 * bad length, HTTP/1.1 without Host ...), 411, 413, 414, 431, 505. scanned: in/out, how far earlier calls
 * have looked for the end of the head, so that a request that arrives byte by byte costs linear time; 0 at
 * first. */
int http_parse(const char *bytes, size_t size, uint32_t *scanned, struct http_request *out);

/* Percent-decodes (and '+' stays '+'). Returns size, or -1 for a bad escape or too small out. */
int http_percent_decode(struct text in, char *out, size_t out_size);

/* Steps through a query: the next name and value, not yet decoded. False at the end. */
bool http_query_next(struct text *rest, struct text *name, struct text *value);

/* True if a comma-separated list field holds token (case-insensitive). */
bool http_list_has(struct text list, struct text token);

/* Which of the `known` subprotocols the client likes best: the first it offers, in whichever line, that is
 * one of them (case-sensitive, RFC 6455 4.2.2). -1: it offers none. */
int http_choose_protocol(const struct http_request *r, const char *const *known, int count);

/* Host and Origin rules (decision 26). */
bool http_host_is_loopback(struct text host);                   /* localhost, 127.0.0.1, [::1], any port */
bool http_host_name_is(struct text host, struct text name);     /* without port, case-insensitive */
bool http_origin_is_host(struct text origin, struct text host); /* same host and port */
bool http_origin_is_loopback(struct text origin);

/* True if an Authorization field is `Bearer TOKEN` with exactly this token (RFC 6750 2.1). Takes the same
 * time whichever byte differs. */
bool http_bearer_is(struct text authorization, struct text token);

#endif
