/* feeds/feed_uri.c -- scheme:path?name=value&name=value, taken apart. Percent signs are decoded after the
 * split, so a value may hold any character but NUL. No I/O. Thread: any; one owner per struct. */
#include "feeds/feed.h"

#include "base/assert.h"

#include <stdio.h>

static int split_scheme(struct feed_uri *u, const char **rest, struct fault *f);
static int split_params(struct feed_uri *u, char *at, struct fault *f);
static int add_param(struct feed_uri *u, char *at, size_t size, struct fault *f);
static int decode(struct feed_uri *u, char *at, size_t size, struct text *out, struct fault *f);
static int hex_value(char c);
static bool read_count(struct text value, uint64_t *out);
static void param_names(char *out, size_t size, const char *help);

int feed_uri_parse(struct feed_uri *u, const char *text, struct fault *f)
{
    memset(u, 0, sizeof *u);
    size_t size = strlen(text);
    if (size >= sizeof u->text)
        return fault_set(f, TC_EUSAGE, "feed `%.40s...`: %zu bytes, at most %zu are allowed", text, size,
                         sizeof u->text - 1);
    memcpy(u->text, text, size + 1);
    const char *rest = NULL;
    int rc = split_scheme(u, &rest, f);
    if (rc < 0) return rc;
    char *path = u->text + (rest - u->text);
    char *query = strchr(path, '?');
    size_t path_size = query ? (size_t)(query - path) : strlen(path);
    rc = query ? split_params(u, query + 1, f) : 0; /* before the path is decoded: it shrinks in place */
    if (rc < 0) return rc;
    return decode(u, path, path_size, &u->path, f);
}

static int split_scheme(struct feed_uri *u, const char **rest, struct fault *f)
{
    const char *p = u->text;
    while ((*p >= 'a' && *p <= 'z') || (p > u->text && ((*p >= '0' && *p <= '9') || *p == '+' || *p == '-')))
        p++;
    if (*p != ':' || p == u->text)
        return fault_set(f, TC_EUSAGE,
                         "feed `%.200s` does not begin with a scheme; write sim:?rate=20000 or file:PATH",
                         u->text);
    u->scheme = (struct text){.at = u->text, .size = (size_t)(p - u->text)};
    *rest = p + 1;
    return 0;
}

static int split_params(struct feed_uri *u, char *at, struct fault *f)
{
    if (*at == '\0') return 0; /* "sim:?" */
    for (;;) {
        size_t size = strcspn(at, "&");
        bool more = at[size] == '&'; /* before decoding, which writes no further than the value */
        int rc = add_param(u, at, size, f);
        if (rc < 0) return rc;
        if (!more) return 0;
        at += size + 1;
    }
}

static int add_param(struct feed_uri *u, char *at, size_t size, struct fault *f)
{
    char *equals = memchr(at, '=', size);
    size_t name_size = equals ? (size_t)(equals - at) : size;
    struct text name = {.at = at, .size = name_size}, value = {.at = at + size, .size = 0};
    if (name_size == 0)
        return fault_set(f, TC_EUSAGE,
                         "a feed parameter without a name, at `%.100s`; write name=value&name=value", at);
    if (equals) {
        int rc = decode(u, equals + 1, size - name_size - 1, &value, f);
        if (rc < 0) return rc;
    }
    for (uint32_t i = 0; i < u->param_count; i++)
        if (text_equal(u->params[i].name, name))
            return fault_set(f, TC_EUSAGE, "feed parameter `%.*s` is given twice",
                             (int)min_u64(name_size, 100), at);
    if (u->param_count == FEED_PARAMS_MAX)
        return fault_set(f, TC_EUSAGE, "more than %u feed parameters", FEED_PARAMS_MAX);
    u->params[u->param_count].name = name;
    u->params[u->param_count].value = value;
    u->param_count++;
    return 0;
}

/* In place: never longer than it was. */
static int decode(struct feed_uri *u, char *at, size_t size, struct text *out, struct fault *f)
{
    TC_ASSERT(at >= u->text);
    TC_ASSERT(at + size < u->text + sizeof u->text);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char c = at[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_value(at[i + 1]) : -1;
            int low = high >= 0 ? hex_value(at[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return fault_set(
                    f, TC_EUSAGE,
                    "feed: `%%` at `%.*s` is not followed by two hex digits (%%25 is the sign itself)",
                    (int)min_u64(size - i, 20), at + i);
            c = (char)(high * 16 + low);
            i += 2;
        }
        at[used++] = c;
    }
    *out = (struct text){.at = at, .size = used};
    return 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

struct text feed_uri_get(struct feed_uri *u, const char *name)
{
    for (uint32_t i = 0; i < u->param_count; i++) {
        if (!text_equal(u->params[i].name, text_of(name))) continue;
        u->params[i].used = true;
        return u->params[i].value;
    }
    return (struct text){0};
}

int feed_uri_u64(struct feed_uri *u, const char *name, uint64_t least, uint64_t most, uint64_t *out,
                 struct fault *f)
{
    struct text value = feed_uri_get(u, name);
    if (!value.at) return 0;
    uint64_t number = 0;
    if (!read_count(value, &number) || number < least || number > most)
        return fault_set(
            f, TC_EUSAGE,
            "feed parameter %s=%.*s is not a whole number from %llu to %llu (k, M and G are understood)",
            name, (int)min_u64(value.size, 60), value.at, (unsigned long long)least,
            (unsigned long long)most);
    *out = number;
    return 0;
}

/* Digits, a decimal part that a suffix makes whole ("1.5M"), and k, M or G. */
static bool read_count(struct text value, uint64_t *out)
{
    uint64_t number = 0, scale = 1;
    size_t i = 0, size = value.size;
    if (size > 0) {
        char suffix = value.at[size - 1];
        scale = suffix == 'k' ? 1000 : suffix == 'M' ? 1000000 : suffix == 'G' ? 1000000000 : 1;
        if (scale > 1) size--;
    }
    bool point = false;
    for (; i < size; i++) {
        char c = value.at[i];
        if (c == '.' && !point && i > 0 && i + 1 < size) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') return false;
        if (point && scale == 1 && c != '0') return false; /* a part of one */
        if (point && scale == 1) continue;
        if (point) scale /= 10;
        if (__builtin_mul_overflow(number, UINT64_C(10), &number)) return false;
        if (__builtin_add_overflow(number, (uint64_t)(c - '0'), &number)) return false;
    }
    if (size == 0) return false;
    return !__builtin_mul_overflow(number, scale, out);
}

int feed_uri_unused(const struct feed_uri *u, const struct feed_ops *ops, struct fault *f)
{
    for (uint32_t i = 0; i < u->param_count; i++) {
        if (u->params[i].used) continue;
        char names[300];
        param_names(names, sizeof names, ops->help);
        return fault_set(f, TC_EUSAGE, "unknown parameter `%.*s`; `%s:` takes %s",
                         (int)min_u64(u->params[i].name.size, 60), u->params[i].name.at, ops->scheme, names);
    }
    return 0;
}

/* The first word of each line of a help text, up to "=" or a blank: "rate, symbols, seed". */
static void param_names(char *out, size_t size, const char *help)
{
    size_t used = 0;
    out[0] = '\0';
    while (help && *help) {
        help += strspn(help, " ");
        size_t line = strcspn(help, "\n"), word = strcspn(help, " =\n");
        if (word > 0 && used + word + 3 < size)
            used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)word, help);
        help += line;
        if (*help == '\n') help++;
    }
}
