#include "base/shown.h"

void shown_clean(char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)at[i], next = i + 1 < size ? (unsigned char)at[i + 1] : 0;
        if (c == '\t' || c == '\n' || c == '\r')
            at[i] = ' ';
        else if (c < 0x20 || c == 0x7f)
            at[i] = '?';
        else if (c == 0xc2 && next >= 0x80 &&
                 next < 0xa0) /* U+0080 to U+009F: some terminals obey these too */
            at[i] = at[i + 1] = '?';
    }
}

const char *shown_copy(char *out, size_t size, struct text words)
{
    size_t used = words.size < size ? words.size : size - 1;
    if (used) memcpy(out, words.at, used);
    shown_clean(out, used);
    out[used] = 0;
    return out;
}
