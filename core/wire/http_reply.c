#include "wire/http_reply.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define ERROR_BODY_MAX 512u

/* A bounded text under way; size stays at most max, `full` says that something did not fit. */
struct reply_text {
    char *at;
    size_t size, max;
    bool full;
};

static void put(struct reply_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_field(struct reply_text *t, const char *name, struct text value);
static void put_connection(struct reply_text *t, const struct http_reply *r);

const char *http_reason(int status)
{
    switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
    }
}

void http_date(char out[HTTP_DATE_SIZE], uint64_t unix_seconds)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)min_u64(unix_seconds, 253402300799u); /* the end of the year 9999 */
    struct tm t;
    gmtime_r(&seconds, &t);
    /* The remainders say to the compiler what holds anyhow: each number has its width. */
    int size = snprintf(out, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[t.tm_wday],
                        (unsigned)t.tm_mday % 100, months[t.tm_mon], (unsigned)(t.tm_year + 1900) % 10000,
                        (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
    TC_ASSERT(size == (int)HTTP_DATE_SIZE - 1);
}

int http_reply_head(char *out, size_t out_size, const struct http_reply *r)
{
    struct reply_text t = {out, 0, out_size, false};
    bool bodiless = r->status < 200 || r->status == 204 || r->status == 304; /* RFC 9110 6.4.1 */
    put(&t, "HTTP/1.%d %d %s\r\n", r->version_minor > 0 ? 1 : 0, r->status, http_reason(r->status));
    if (r->date) put_field(&t, "Date", text_of(r->date));
    if (!bodiless) {
        put_field(&t, "Content-Type", text_of(r->type ? r->type : "text/plain; charset=utf-8"));
        put(&t, "Content-Length: %zu\r\n", r->body.size);
        put(&t, "X-Content-Type-Options: nosniff\r\n");
    }
    if (r->encoding) put_field(&t, "Content-Encoding", text_of(r->encoding));
    if (r->etag) put_field(&t, "ETag", text_of(r->etag));
    if (r->cache_control) put_field(&t, "Cache-Control", text_of(r->cache_control));
    if (r->allow_origin.size > 0) put_field(&t, "Access-Control-Allow-Origin", r->allow_origin);
    /* What the answer depends on, for caches. */
    bool by_origin = r->allow_origin.size > 0 && !text_equal(r->allow_origin, TEXT("*"));
    if (r->encoding || by_origin)
        put(&t, "Vary: %s%s%s\r\n", r->encoding ? "Accept-Encoding" : "",
            r->encoding && by_origin ? ", " : "", by_origin ? "Origin" : "");
    if (r->allow) put_field(&t, "Allow", text_of(r->allow));
    if (r->authenticate) put_field(&t, "WWW-Authenticate", text_of(r->authenticate));
    if (r->retry_after_s > 0) put(&t, "Retry-After: %u\r\n", r->retry_after_s);
    put_connection(&t, r);
    put(&t, "\r\n");
    return t.full ? -1 : (int)t.size;
}

int http_reply_whole(char *out, size_t out_size, const struct http_reply *r)
{
    int head = http_reply_head(out, out_size, r);
    if (head < 0 || r->head_only || r->body.size == 0) return head;
    TC_ASSERT(r->status >= 200 && r->status != 204 && r->status != 304);
    if (r->body.size > out_size - (size_t)head) return -1;
    memcpy(out + head, r->body.at, r->body.size);
    return head + (int)r->body.size;
}

int http_reply_error(char *out, size_t out_size, int status, const char *why, const struct http_reply *base)
{
    char body[ERROR_BODY_MAX];
    struct http_reply r = {.version_minor = 1};
    if (base) r = *base;
    int size = snprintf(body, sizeof body - 1, "%d %s%s%s", status, http_reason(status), why ? ": " : "",
                        why ? why : "");
    TC_ASSERT(size > 0);
    size_t kept = min_u64((uint64_t)size, sizeof body - 2);
    body[kept] = '\n';
    r.status = status;
    r.type = NULL;
    r.encoding = NULL;
    r.body = (struct text){body, kept + 1};
    return http_reply_whole(out, out_size, &r);
}

static void put_connection(struct reply_text *t, const struct http_reply *r)
{
    if (r->upgrade) {
        put_field(t, "Upgrade", text_of(r->upgrade));
        put(t, "Sec-WebSocket-Version: 13\r\n");
        put(t, "Connection: Upgrade%s\r\n", r->keep_alive ? "" : ", close");
    } else if (!r->keep_alive) {
        put(t, "Connection: close\r\n");
    } else if (r->version_minor == 0) {
        put(t, "Connection: keep-alive\r\n"); /* HTTP/1.1 means it anyhow */
    }
}

/* A value never ends its line (a tab may stand in it): what came from a client (an origin) was checked by
 * http_parse. */
static void put_field(struct reply_text *t, const char *name, struct text value)
{
    for (size_t i = 0; i < value.size; i++) TC_ASSERT((unsigned char)value.at[i] >= 0x20 || value.at[i] == 9);
    put(t, "%s: %.*s\r\n", name, (int)value.size, value.at);
}

static void put(struct reply_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(t->at + t->size, t->max - t->size, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= t->max - t->size)
        t->full =
            true; /* what stands there is cut; every later call finds no more room either, or is ignored */
    else if (!t->full)
        t->size += (size_t)size;
}
