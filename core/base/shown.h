/* base/shown.h -- words from outside (a server's, a file's name) for a person's terminal, which must not obey
 * them. Thread: any. */
#ifndef TC_BASE_SHOWN_H
#define TC_BASE_SHOWN_H

#include "base/bytes.h"

/* Bytes of the control character that c begins: 1 (C0, DEL), 2 (C1 as UTF-8 writes it: some terminals obey
 * these too), or 0: it begins none. next: the byte behind it, 0 at the end. */
static inline unsigned shown_control(unsigned char c, unsigned char next)
{
    if (c < 0x20 || c == 0x7f) return 1;
    return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

/* In place: what parts words and lines (tab, line feed, carriage return) becomes a blank, every other control
 * character '?', one for each byte. */
void shown_clean(char *at, size_t size);

/* A cleaned copy, as far as it fits (size > 0), zero-terminated. Returns out. */
const char *shown_copy(char *out, size_t size, struct text words);

#endif
