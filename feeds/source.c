/* feeds/source.c -- the window over a file's plain bytes. The unpackers stand in source_gzip.c, source_zstd.c
 * and source_zip.c; which one it is, is told by the first bytes. Invariants: begin <= end <= capacity; offset
 * + (end - begin) == produced. */
#include "feeds/source.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/shown.h"
#include "feeds/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES (128u * 1024u) /* to begin with; grown when a view wants more */

static int open_file(struct source *s, const char *path, struct fault *f);
static const struct unpack_ops *unpack_of(const uint8_t *first, size_t size);
static int window_grow(struct source *s, size_t want, struct fault *f);
static int window_fill(struct source *s, struct fault *f);

int source_open(struct source **out, const char *path, const char *member, struct fault *f)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s) return fault_set(f, TC_ESYSTEM, "out of memory");
    s->packed.fd = -1;
    source_label(s->name, path);
    int rc = open_file(s, path, f);
    if (rc == 0) rc = window_grow(s, WINDOW_BYTES, f);
    if (rc == 0 && s->ops == &unpack_zip) {
        rc = source_zip_open(s, path, member, f);
    } else if (rc == 0 && member) {
        rc =
            fault_set(f, TC_EUSAGE, "%s: is no zip archive, so it has no member \"%.100s\"", s->name, member);
    } else if (rc == 0) {
        rc = s->ops->open(s, f);
    }
    if (rc < 0) {
        source_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

static int open_file(struct source *s, const char *path, struct fault *f)
{
    s->packed.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->packed.fd < 0) return fault_errno(f, "%s: cannot be opened", s->name);
    struct stat st;
    if (fstat(s->packed.fd, &st) < 0) return fault_errno(f, "%s: cannot be examined", s->name);
    if (S_ISDIR(st.st_mode)) {
        return fault_set(f, TC_EINPUT, "%s: is a folder; name the files in it", s->name);
    }
    if (S_ISREG(st.st_mode)) s->packed.total_bytes = (uint64_t)st.st_size;
    s->packed.bytes = malloc(PACKED_BYTES);
    if (!s->packed.bytes) return fault_set(f, TC_ESYSTEM, "%s: out of memory", s->name);
    while (s->packed.end < 4 && !s->packed.ended) {
        int rc = packed_fill(s, f);
        if (rc < 0) return rc;
    }
    s->ops = unpack_of(s->packed.bytes, s->packed.end);
    return 0;
}

static const struct unpack_ops *unpack_of(const uint8_t *first, size_t size)
{
    if (size >= 2 && first[0] == 0x1f && first[1] == 0x8b) return &unpack_gzip;
    if (size >= 4) {
        uint32_t magic = load_le32(first);
        bool skippable = (magic & 0xfffffff0u) == 0x184d2a50u; /* a frame of the user's, before data frames */
        if (magic == 0xfd2fb528u || skippable) return &unpack_zstd;
        if (magic == 0x04034b50u || magic == 0x06054b50u)
            return &unpack_zip; /* a member, or an empty archive */
    }
    return &unpack_plain;
}

void source_close(struct source *s)
{
    if (!s) return;
    if (s->ops && s->unpacker) s->ops->close(s);
    if (s->packed.fd >= 0) close(s->packed.fd);
    free(s->packed.bytes);
    free(s->window);
    free(s);
}

int source_view(struct source *s, size_t want, const uint8_t **at, size_t *size, struct fault *f)
{
    TC_ASSERT(want <= SOURCE_WANT_MAX);
    while (s->end - s->begin < want && !s->ended) {
        if (s->failed.code) {
            if (f) *f = s->failed;
            return s->failed.code;
        }
        int rc = window_grow(s, want, f);
        if (rc < 0) return rc;
        rc = window_fill(s, &s->failed);
        if (rc < 0 && !s->failed.code) s->failed.code = (enum tc_err)rc;
    }
    *at = s->window + s->begin;
    *size = s->end - s->begin;
    return 0;
}

/* Room for `want` bytes from begin on: moves what is there to the front, or takes a larger window. */
static int window_grow(struct source *s, size_t want, struct fault *f)
{
    if (s->begin > 0) {
        memmove(s->window, s->window + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->begin = 0;
    }
    if (want <= s->capacity) return 0;
    size_t capacity = s->capacity ? s->capacity : WINDOW_BYTES;
    while (capacity < want) capacity *= 2;
    uint8_t *window = realloc(s->window, capacity);
    if (!window) return fault_set(f, TC_ESYSTEM, "%s: out of memory for %zu bytes", s->name, capacity);
    s->window = window;
    s->capacity = capacity;
    return 0;
}

static int window_fill(struct source *s, struct fault *f)
{
    TC_ASSERT(s->end < s->capacity);
    size_t got = 0;
    int rc = s->ops->fill(s, s->window + s->end, s->capacity - s->end, &got, f);
    if (rc < 0) return rc;
    TC_ASSERT(got <= s->capacity - s->end);
    s->end += got;
    s->produced += got;
    if (got == 0) s->ended = true;
    return 0;
}

void source_skip(struct source *s, size_t size)
{
    TC_ASSERT(size <= s->end - s->begin);
    s->begin += size;
    s->offset += size;
    TC_ASSERT(s->offset + (s->end - s->begin) == s->produced);
}

uint64_t source_offset(const struct source *s)
{
    return s->offset;
}

const char *source_name(const struct source *s)
{
    return s->name;
}

/* What was taken of the plain bytes, carried over to the packed ones. */
uint32_t source_permille(const struct source *s)
{
    if (s->ended && s->begin == s->end) return 1000;
    if (s->packed.total_bytes == 0 || s->produced == 0) return 0;
    double unpacked = (double)packed_offset(s) / (double)s->packed.total_bytes;
    double permille = 1000.0 * unpacked * ((double)s->offset / (double)s->produced);
    return permille > 1000.0 ? 1000 : (uint32_t)permille;
}

int packed_fill(struct source *s, struct fault *f)
{
    struct packed *p = &s->packed;
    if (p->begin > 0) {
        memmove(p->bytes, p->bytes + p->begin, p->end - p->begin);
        p->end -= p->begin;
        p->begin = 0;
    }
    if (p->end == PACKED_BYTES) return 0;
    ssize_t got;
    do {
        got = read(p->fd, p->bytes + p->end, PACKED_BYTES - p->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return fault_errno(f, "%s: cannot be read at byte %llu", s->name, (unsigned long long)p->read_bytes);
    if (got == 0) p->ended = true;
    p->end += (size_t)got;
    p->read_bytes += (uint64_t)got;
    return 0;
}

uint64_t packed_offset(const struct source *s)
{
    return s->packed.read_bytes - (s->packed.end - s->packed.begin);
}

void source_label(char label[SOURCE_LABEL_MAX], const char *text)
{
    size_t size = strlen(text), cut = size < SOURCE_LABEL_MAX ? 0 : size - (SOURCE_LABEL_MAX - 4);
    snprintf(label, SOURCE_LABEL_MAX, "%s%s", cut > 0 ? "..." : "", text + cut);
    shown_clean(label, strlen(label));
}

/* ---- Plain files: what was read to look at the first bytes, then straight into the window. ---- */

static int plain_open(struct source *s, struct fault *f)
{
    (void)s, (void)f;
    return 0;
}

static int plain_fill(struct source *s, uint8_t *out, size_t room, size_t *got, struct fault *f)
{
    struct packed *p = &s->packed;
    if (p->begin < p->end) {
        *got = min_u64(room, p->end - p->begin);
        memcpy(out, p->bytes + p->begin, *got);
        p->begin += *got;
        return 0;
    }
    ssize_t n;
    do {
        n = read(p->fd, out, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault_errno(f, "%s: cannot be read at byte %llu", s->name, (unsigned long long)p->read_bytes);
    p->read_bytes += (uint64_t)n;
    *got = (size_t)n;
    return 0;
}

static void plain_close(struct source *s)
{
    (void)s;
}

const struct unpack_ops unpack_plain = {.open = plain_open, .fill = plain_fill, .close = plain_close};
