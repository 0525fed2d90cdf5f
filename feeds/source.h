/* feeds/source.h -- a file as a stream of plain bytes, whatever it is packed in: plain, gzip (several
 * members), zstd (several frames), or a zip archive of members. Constant memory: one window, grown only up to
 * a limit. What it is packed in is told by its first bytes, never by its name. Thread: one owner. */
#ifndef TC_FEEDS_SOURCE_H
#define TC_FEEDS_SOURCE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

/* Opens path. member: NULL, or the name of one zip member (a zip has one source per member: source_members).
 */
int source_open(struct source **out, const char *path, const char *member, struct fault *f);
void source_close(struct source *s);

/* The names of a zip's members, in the archive's order, by calling visit; TC_ENOTFOUND if path is no zip. */
int source_members(const char *path, void (*visit)(void *context, const char *member), void *context,
                   struct fault *f);

/* A view of the next bytes: at least `want` of them unless the stream ends first (*size is then smaller; 0 at
 * the end). Valid until the next call. want is at most SOURCE_WANT_MAX. 0, or TC_EINPUT (damaged packing,
 * with the byte offset) / TC_ESYSTEM. */
#define SOURCE_WANT_MAX (1u << 20)
int source_view(struct source *s, size_t want, const uint8_t **at, size_t *size, struct fault *f);
/* Moves on by size bytes of the view. */
void source_skip(struct source *s, size_t size);

uint64_t source_offset(const struct source *s);   /* of the plain bytes, for errors */
uint32_t source_permille(const struct source *s); /* of the packed bytes read, 0..1000 */
const char *source_name(const struct source *s);  /* path, or "path(member)" */

/* A path or member as error texts show it: without control characters, cut on the left. */
#define SOURCE_LABEL_MAX 192u
void source_label(char label[SOURCE_LABEL_MAX], const char *text);

#endif
