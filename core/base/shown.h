/* base/shown.h -- words from outside (a server's, a file's name) for a person's terminal, which must not obey
 * them. Thread: any. */
#ifndef TC_BASE_SHOWN_H
#define TC_BASE_SHOWN_H

#include "base/bytes.h"

/* In place: what parts words and lines (tab, line feed, carriage return) becomes a blank, every other control
 * character (C0, DEL, and C1 as UTF-8 writes it) '?', one for each byte. */
void shown_clean(char *at, size_t size);

/* A cleaned copy, as far as it fits (size > 0), zero-terminated. Returns out. */
const char *shown_copy(char *out, size_t size, struct text words);

#endif
