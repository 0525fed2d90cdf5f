/* Query strings: RFC 3986 2.1 and 3.4. */
#include "wire/http_parse.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int http_percent_decode(struct text in, char *out, size_t out_size)
{
    size_t size = 0;
    for (size_t i = 0; i < in.size; i++) {
        char c = in.at[i];
        if (c == '%') {
            if (in.size - i < 3) return -1;
            int high = hex(in.at[i + 1]), low = hex(in.at[i + 2]);
            if (high < 0 || low < 0) return -1;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (size == out_size) return -1;
        out[size++] = c;
    }
    return (int)size;
}

bool http_query_next(struct text *rest, struct text *name, struct text *value)
{
    while (rest->size > 0) {
        const char *end = memchr(rest->at, '&', rest->size);
        struct text pair = {rest->at, end ? (size_t)(end - rest->at) : rest->size};
        size_t step = end ? pair.size + 1 : pair.size;
        *rest = (struct text){rest->at + step, rest->size - step};
        if (pair.size == 0) continue;
        const char *sign = memchr(pair.at, '=', pair.size);
        *name = (struct text){pair.at, sign ? (size_t)(sign - pair.at) : pair.size};
        *value = (struct text){pair.at + pair.size, 0};
        if (sign) *value = (struct text){sign + 1, pair.size - name->size - 1};
        return true;
    }
    return false;
}
