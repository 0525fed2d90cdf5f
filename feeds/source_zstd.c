/* feeds/source_zstd.c -- Zstandard (RFC 8878), one frame or several, skippable ones passed over. The
 * decoder's window is bounded by the library's default (128 MiB). */
#include "feeds/source_internal.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct zstd {
    ZSTD_DStream *stream;
    size_t hint; /* 0: a frame has ended and all of it was given out */
};

static int zstd_open(struct source *s, struct fault *f)
{
    struct zstd *z = calloc(1, sizeof *z);
    if (z) z->stream = ZSTD_createDStream();
    if (!z || !z->stream) {
        free(z);
        return fault_set(f, TC_ESYSTEM, "%s: out of memory for zstd", s->name);
    }
    s->unpacker = z;
    return 0;
}

static void zstd_close(struct source *s)
{
    struct zstd *z = s->unpacker;
    ZSTD_freeDStream(z->stream);
    free(z);
}

static int zstd_fill(struct source *s, uint8_t *out, size_t room, size_t *got, struct fault *f)
{
    struct zstd *z = s->unpacker;
    struct packed *p = &s->packed;
    ZSTD_outBuffer to = {.dst = out, .size = room};
    while (to.pos == 0) {
        if (p->begin == p->end && !p->ended) {
            int rc = packed_fill(s, f);
            if (rc < 0) return rc;
        }
        if (p->begin == p->end && p->ended && z->hint == 0) break;
        ZSTD_inBuffer from = {.src = p->bytes, .size = p->end, .pos = p->begin};
        z->hint = ZSTD_decompressStream(z->stream, &to, &from);
        p->begin = from.pos;
        unsigned long long at = packed_offset(s);
        if (ZSTD_isError(z->hint)) {
            return fault_set(f, TC_EINPUT,
                             "%s: at byte %llu of the packed file: the zstd data is damaged (%s); "
                             "fetch the file again",
                             s->name, at, ZSTD_getErrorName(z->hint));
        }
        if (p->begin == p->end && p->ended && to.pos == 0 && z->hint != 0) {
            return fault_set(f, TC_EINPUT,
                             "%s: at byte %llu of the packed file: the zstd data ends too early; "
                             "fetch the file again",
                             s->name, at);
        }
    }
    *got = to.pos;
    return 0;
}

const struct unpack_ops unpack_zstd = {.open = zstd_open, .fill = zstd_fill, .close = zstd_close};
