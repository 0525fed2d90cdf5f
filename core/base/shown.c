#include "base/shown.h"

void shown_clean(char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)at[i], next = i + 1 < size ? (unsigned char)at[i + 1] : 0;
        unsigned control = shown_control(c, next);
        if (control > 0) at[i] = c == '\t' || c == '\n' || c == '\r' ? ' ' : '?';
        if (control > 1) at[i + 1] = '?';
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
