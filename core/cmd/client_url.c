#include "cmd/client_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static int split_authority(struct text authority, const char *whole, const char *where,
                           struct client_url *out, struct fault *f);
static bool put_encoded(char *out, size_t size, size_t *used, struct text value, const char *plain);
static int bad(const char *where, const char *text, const char *why, struct fault *f);

int client_url_parse(const char *text, const char *where, struct client_url *out, struct fault *f)
{
    const char *p = text, *scheme = strstr(text, "://");
    if (scheme) {
        struct text name = {.at = text, .size = (size_t)(scheme - text)};
        if (text_equal(name, TEXT("wss")) || text_equal(name, TEXT("https")))
            return bad(where, text,
                       "asks for TLS, which this client does not speak; use ws:// or a proxy that ends TLS",
                       f);
        if (!text_equal(name, TEXT("ws")) && !text_equal(name, TEXT("http")))
            return bad(where, text, "has another scheme than ws; use ws://HOST:PORT/v1/ws", f);
        p = scheme + 3;
    }
    size_t size = strcspn(p, "/?#");
    int r = split_authority((struct text){.at = p, .size = size}, text, where, out, f);
    if (r < 0) return r;
    const char *rest = p + size;
    size_t target = strcspn(rest, "#");
    for (size_t i = 0; i < target; i++)
        if (rest[i] <= ' ' || rest[i] == 127)
            return bad(where, text, "holds a space or control character; write %20", f);
    const char *path = target == 0 || strncmp(rest, "/", target) == 0 ? "/v1/ws"
                       : rest[0] == '?'                               ? "/v1/ws"
                                                                      : "";
    if (target == 1 && rest[0] == '/') target = 0;
    if (target + 8 > sizeof out->target) return bad(where, text, "is too long", f);
    snprintf(out->target, sizeof out->target, "%s%.*s", path, (int)target, rest);
    return TC_OK;
}

static int split_authority(struct text authority, const char *whole, const char *where,
                           struct client_url *out, struct fault *f)
{
    const char *at = authority.at, *end = at + authority.size;
    if (memchr(at, '@', authority.size)) return bad(where, whole, "has a user name; leave it out", f);
    const char *host = at, *host_end, *colon;
    if (authority.size && at[0] == '[') {
        host = at + 1;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (!host_end) return bad(where, whole, "lacks the ] of an IPv6 address", f);
        colon = host_end + 1;
    } else {
        colon = memchr(at, ':', authority.size);
        host_end = colon ? colon : end;
        if (!colon) colon = end;
    }
    size_t size = (size_t)(host_end - host);
    if (size == 0) return bad(where, whole, "names no host; use ws://HOST:PORT/v1/ws", f);
    if (size >= sizeof out->host) return bad(where, whole, "has too long a host", f);
    for (const char *p = host; p < host_end; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
            return bad(where, whole, "has a host of odd characters", f);
    memcpy(out->host, host, size);
    out->host[size] = 0;
    uint32_t port = 80;
    if (colon < end) {
        char *stop = NULL;
        unsigned long n =
            *colon == ':' && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &stop, 10) : 0;
        if (n < 1 || n > 65535 || stop != end)
            return bad(where, whole, "has no port of 1 to 65535 behind the colon", f);
        port = (uint32_t)n;
    }
    snprintf(out->port, sizeof out->port, "%u", port);
    snprintf(out->authority, sizeof out->authority, host > at ? "[%s]:%u" : "%s:%u", out->host, port);
    return TC_OK;
}

int client_url_query(struct client_url *url, const char *name, const char *value, struct fault *f)
{
    if (!value) return TC_OK;
    size_t used = strlen(url->target);
    int n = snprintf(url->target + used, sizeof url->target - used,
                     "%c%s=", strchr(url->target, '?') ? '&' : '?', name);
    if (n > 0 && (size_t)n < sizeof url->target - used) {
        used += (size_t)n;
        if (put_encoded(url->target, sizeof url->target, &used, text_of(value), "-._~,*")) return TC_OK;
    }
    return fault_set(f, TC_EUSAGE,
                     "--%s: the request gets longer than %u bytes; give fewer or shorter values", name,
                     CLIENT_TARGET_MAX);
}

int client_url_query_list(struct client_url *url, const char *name, const char *const *items, uint32_t count,
                          struct fault *f)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(url->target);
        int r = i == 0 ? client_url_query(url, name, "", f) : TC_OK;
        if (r < 0) return r;
        used = strlen(url->target);
        if ((i > 0 && !put_encoded(url->target, sizeof url->target, &used, TEXT(","), ",")) ||
            !put_encoded(url->target, sizeof url->target, &used, text_of(items[i]), "-._~*"))
            return fault_set(
                f, TC_EUSAGE,
                "%s: the request gets longer than %u bytes; name fewer, or use a prefix as in A*", name,
                CLIENT_TARGET_MAX);
    }
    return TC_OK;
}

static bool put_encoded(char *out, size_t size, size_t *used, struct text value, const char *plain)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (*used + 4 > size) return false;
        if (isalnum(c) || (c && strchr(plain, c))) {
            out[(*used)++] = (char)c;
        } else {
            out[(*used)++] = '%';
            out[(*used)++] = hex[c >> 4];
            out[(*used)++] = hex[c & 15];
        }
    }
    out[*used] = 0;
    return true;
}

static int bad(const char *where, const char *text, const char *why, struct fault *f)
{
    return fault_set(f, TC_EUSAGE, "%s: \"%.100s\" %s", where, text, why);
}
