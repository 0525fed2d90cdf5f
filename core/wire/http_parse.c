/* One request head. Three steps: find its end (cheap, and linear over many calls), let http-parser take it
 * apart, then be stricter than it: every disagreement with a proxy in front about where a request ends is a
 * way to smuggle one, so whatever RFC 9112 calls malformed is refused here and the connection closed. */
#include "wire/http_parse.h"

#include "base/assert.h"
#include "wire/http_fields.h"

#include <http_parser.h>

#define METHOD_BYTES_MAX                                                                                     \
    32u /* longer than any method, with its space: a longer first line is the target's fault */

/* What http-parser's callbacks fill; lives on http_parse's stack. */
struct parsing {
    struct http_request *out;
    struct text name, value; /* of the header under way */
    bool in_value;
    int status; /* 0, or what a header asks for: 400, 411, 413 */
    uint32_t header_count;
    struct http_seen seen;
};

static int find_end(const char *bytes, size_t size, uint32_t *scanned);
static int too_long(const char *bytes, size_t size);
static bool bytes_ok(const char *bytes, size_t size);
static int parse_head(const char *bytes, size_t size, struct http_request *out);
static int status_of(const http_parser *parser, struct parsing *p);
static int parse_version(const http_parser *parser, struct http_request *out);
static int parse_target(struct http_request *out, bool connect);
static int parse_absolute(struct text target, struct http_request *out);
static int finish_head(const http_parser *parser, struct parsing *p);

int http_parse(const char *bytes, size_t size, uint32_t *scanned, struct http_request *out)
{
    int end = find_end(bytes, size, scanned);
    if (end < 0) return end;
    if (end == 0) return too_long(bytes, size);
    if ((size_t)end > HTTP_HEADER_BYTES_MAX) {
        int status = too_long(bytes, (size_t)end);
        return status != 0 ? status : -431;
    }
    memset(out, 0, sizeof *out);
    out->head = bytes;
    out->head_bytes = (uint32_t)end;
    uint32_t leading = bytes[0] == '\r' ? 2 : 0; /* one empty line is tolerated: RFC 9112 2.2 */
    if (!bytes_ok(bytes + leading, (size_t)end - leading)) return -400;
    int status = parse_head(bytes + leading, (size_t)end - leading, out);
    return status != 0 ? -status : 1;
}

/* ---- Where the head ends. ---- */

/* Bytes of the head, its empty line included; 0: not there yet; -400: a line feed without its carriage
 * return, or a first byte that begins no request (TLS on a plain port says so at once). */
static int find_end(const char *bytes, size_t size, uint32_t *scanned)
{
    if (size == 0) return 0;
    if (bytes[0] != '\r' && !http_is_token(bytes[0])) return -400;
    size_t look = min_u64(size, HTTP_HEADER_BYTES_MAX + 1);
    size_t at = *scanned;
    while (at < look) {
        const char *feed = memchr(bytes + at, '\n', look - at);
        if (!feed) {
            at = look;
            break;
        }
        at = (size_t)(feed - bytes) + 1;
        if (at < 2 || bytes[at - 2] != '\r') return -400;
        bool empty = at == 2 || bytes[at - 3] == '\n';
        if (empty && at > 2) {
            *scanned = (uint32_t)at;
            return (int)at;
        }
    }
    *scanned = (uint32_t)at;
    return 0;
}

/* 0, or the status for a head that outgrew its bounds: is it the first line's fault or the headers'? */
static int too_long(const char *bytes, size_t size)
{
    size_t line_max = METHOD_BYTES_MAX + HTTP_TARGET_BYTES_MAX;
    if (size > line_max && !memchr(bytes + 2, '\n', line_max - 2)) return -414;
    return size > HTTP_HEADER_BYTES_MAX ? -431 : 0;
}

/* In a head only tabs and paired line ends may be control bytes, no line begins with a blank (obs-fold, or a
 * space before the first header), and the request line is "METHOD SP target SP HTTP/x.y". */
static bool bytes_ok(const char *bytes, size_t size)
{
    uint32_t spaces = 0;
    bool first_line = true;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\r' && (i + 1 == size || bytes[i + 1] != '\n')) return false;
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7F) return false;
        if (first_line) {
            if (c == '\t' || c >= 0x80) return false;
            if (c == ' ') spaces++;
            if (c == '\n') first_line = false;
        }
        if (c == '\n' && i + 1 < size && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t')) return false;
    }
    return spaces == 2;
}

/* ---- Its parts. ---- */

static void header_end(struct parsing *p)
{
    if (p->name.size == 0) return;
    p->header_count++;
    int status = http_take_field(p->out, &p->seen, p->name, http_trim(p->value));
    if (status != 0 && p->status == 0) p->status = status;
    p->name = p->value = (struct text){0};
    p->in_value = false;
}

/* http-parser tells a span in pieces where its input is; ours is one, but nothing here depends on that. */
static void extend(struct text *t, const char *at, size_t size)
{
    if (t->size == 0) t->at = at;
    TC_ASSERT(t->at + t->size == at);
    t->size += size;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct parsing *p = parser->data;
    extend(&p->out->target, at, size);
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size)
{
    struct parsing *p = parser->data;
    if (p->in_value) header_end(p);
    extend(&p->name, at, size);
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t size)
{
    struct parsing *p = parser->data;
    p->in_value = true;
    if (size > 0) extend(&p->value, at, size);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct parsing *p = parser->data;
    header_end(p);
    return 2; /* no body and nothing after it: stop right here, whatever the headers say */
}

static int parse_head(const char *bytes, size_t size, struct http_request *out)
{
    static const http_parser_settings settings = {.on_url = on_url,
                                                  .on_header_field = on_header_field,
                                                  .on_header_value = on_header_value,
                                                  .on_headers_complete = on_headers_complete};
    struct parsing p = {.out = out};
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &p;
    size_t took = http_parser_execute(&parser, &settings, bytes, size);
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || took != size) return status_of(&parser, &p);
    return finish_head(&parser, &p);
}

/* For a head that http-parser refused. A Transfer-Encoding beside a Content-Length ends up here too: the
 * field it stopped at still has its say. */
static int status_of(const http_parser *parser, struct parsing *p)
{
    if (HTTP_PARSER_ERRNO(parser) == HPE_UNEXPECTED_CONTENT_LENGTH) header_end(p);
    if (p->status != 0) return p->status;
    if (HTTP_PARSER_ERRNO(parser) == HPE_HEADER_OVERFLOW) return 431;
    return 400;
}

static int finish_head(const http_parser *parser, struct parsing *p)
{
    struct http_request *out = p->out;
    int status = parse_version(parser, out);
    if (status != 0) return status;
    if (out->target.size > HTTP_TARGET_BYTES_MAX) return 414;
    if (p->header_count > HTTP_HEADERS_MAX) return 431;
    if (p->status != 0) return p->status;
    if (out->version_minor >= 1 && !out->has_host) return 400;
    switch (parser->method) {
    case HTTP_GET: out->method = HTTP_M_GET; break;
    case HTTP_HEAD: out->method = HTTP_M_HEAD; break;
    case HTTP_POST: out->method = HTTP_M_POST; break;
    case HTTP_OPTIONS: out->method = HTTP_M_OPTIONS; break;
    default: out->method = HTTP_M_OTHER; break;
    }
    out->keep_alive = !p->seen.close && (out->version_minor >= 1 || p->seen.keep_alive);
    out->upgrade_websocket = p->seen.upgrade && p->seen.websocket;
    if (out->version_minor == 0) out->expect_continue = false; /* RFC 9110 10.1.1 */
    return parse_target(out, parser->method == HTTP_CONNECT);
}

/* A minor version above ours is treated as ours: RFC 9110 2.5. */
static int parse_version(const http_parser *parser, struct http_request *out)
{
    if (parser->http_major != 1) return 505;
    out->version_minor = parser->http_minor > 0 ? 1 : 0;
    return 0;
}

/* The four forms of RFC 9112 3.2. */
static int parse_target(struct http_request *out, bool connect)
{
    struct text target = out->target;
    if (target.size == 0 || memchr(target.at, '#', target.size)) return 400;
    if (connect) {
        out->path = target;
        return 0;
    }
    if (text_equal(target, TEXT("*"))) {
        if (out->method != HTTP_M_OPTIONS) return 400;
        out->path = target;
        return 0;
    }
    if (target.at[0] != '/') return parse_absolute(target, out);
    const char *mark = memchr(target.at, '?', target.size);
    out->path = (struct text){target.at, mark ? (size_t)(mark - target.at) : target.size};
    if (mark) out->query = (struct text){mark + 1, target.size - out->path.size - 1};
    return 0;
}

/* As a proxy sends it. Its host is the one that counts, whatever the Host field says: RFC 9112 3.2.2. */
static int parse_absolute(struct text target, struct http_request *out)
{
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
    struct text rest = {0};
    for (uint32_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct text scheme = text_of(schemes[i]);
        if (target.size > scheme.size && http_equal((struct text){target.at, scheme.size}, scheme))
            rest = (struct text){target.at + scheme.size, target.size - scheme.size};
    }
    size_t end = 0;
    while (end < rest.size && rest.at[end] != '/' && rest.at[end] != '?') end++;
    struct text host = {rest.at, end};
    if (host.size == 0 || !http_host_ok(host)) return 400;
    out->host = host;
    rest = (struct text){rest.at + end, rest.size - end};
    const char *mark = rest.size > 0 ? memchr(rest.at, '?', rest.size) : NULL;
    out->path = (struct text){rest.at, mark ? (size_t)(mark - rest.at) : rest.size};
    if (mark) out->query = (struct text){mark + 1, rest.size - out->path.size - 1};
    if (out->path.size == 0) out->path = TEXT("/");
    return 0;
}
