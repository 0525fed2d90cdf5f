/* base/utf8.h -- is it UTF-8 (RFC 3629), fed in pieces; and its mark. Thread: any. */
#ifndef TC_BASE_UTF8_H
#define TC_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the mark that editors of Windows begin a text with (U+FEFF): 3, or 0: there is none. */
static inline size_t utf8_mark(const void *text, size_t size)
{
    return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

#define UTF8_OK  0u /* between characters; also the start state */
#define UTF8_BAD 1u /* for ever */
/* Returns the state after the bytes; anything but OK and BAD is the middle of a character. Fails at the first
 * byte that cannot be part of valid text (surrogates, overlong forms and values over 10FFFF included). */
uint32_t utf8_feed(uint32_t state, const uint8_t *bytes, size_t size);

#endif
