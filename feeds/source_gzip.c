/* feeds/source_gzip.c -- gzip (RFC 1952) of one or several members, streamed through zlib. Zero bytes after
 * the last member are padding; anything else there is an error. */
#include "base/bytes.h"
#include "feeds/source_internal.h"

#include <stdlib.h>
#include <zlib.h>

struct gzip {
    z_stream stream;
    bool between; /* a member has ended: another, padding or the end follows */
};

static int between_members(struct source *s, struct gzip *g, bool *end, struct fault *f);
static int inflate_some(struct source *s, struct gzip *g, struct fault *f);

static int gzip_open(struct source *s, struct fault *f)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (!g || inflateInit2(&g->stream, 15 + 16) != Z_OK) {
        free(g);
        return fault_set(f, TC_ESYSTEM, "%s: out of memory for gzip", s->name);
    }
    s->unpacker = g;
    return 0;
}

static void gzip_close(struct source *s)
{
    struct gzip *g = s->unpacker;
    inflateEnd(&g->stream);
    free(g);
}

static int gzip_fill(struct source *s, uint8_t *out, size_t room, size_t *got, struct fault *f)
{
    struct gzip *g = s->unpacker;
    g->stream.next_out = out;
    g->stream.avail_out = (uInt)min_u64(room, 1u << 30);
    while (g->stream.next_out == out) {
        bool end = false;
        int rc = g->between ? between_members(s, g, &end, f) : inflate_some(s, g, f);
        if (rc < 0) return rc;
        if (end) break;
    }
    *got = (size_t)(g->stream.next_out - out);
    return 0;
}

static int between_members(struct source *s, struct gzip *g, bool *end, struct fault *f)
{
    struct packed *p = &s->packed;
    while (p->end - p->begin < 2 && !p->ended) {
        int rc = packed_fill(s, f);
        if (rc < 0) return rc;
    }
    if (p->begin == p->end) {
        *end = true;
        return 0;
    }
    if (p->bytes[p->begin] == 0) {
        p->begin++;
        return 0;
    }
    if (p->end - p->begin < 2 || p->bytes[p->begin] != 0x1f || p->bytes[p->begin + 1] != 0x8b) {
        return fault_set(f, TC_EINPUT,
                         "%s: at byte %llu of the packed file: bytes after the end of the gzip data; "
                         "fetch the file again",
                         s->name, (unsigned long long)packed_offset(s));
    }
    inflateReset(&g->stream);
    g->between = false;
    return 0;
}

static int inflate_some(struct source *s, struct gzip *g, struct fault *f)
{
    struct packed *p = &s->packed;
    if (p->begin == p->end && !p->ended) {
        int rc = packed_fill(s, f);
        if (rc < 0) return rc;
    }
    g->stream.next_in = p->bytes + p->begin;
    g->stream.avail_in = (uInt)(p->end - p->begin);
    int z = inflate(&g->stream, Z_NO_FLUSH);
    p->begin = p->end - g->stream.avail_in;
    if (z == Z_STREAM_END) {
        g->between = true;
        return 0;
    }
    if (z == Z_OK) return 0;
    unsigned long long at = packed_offset(s);
    if (z == Z_BUF_ERROR && p->ended) {
        return fault_set(f, TC_EINPUT,
                         "%s: at byte %llu of the packed file: the gzip data ends too early; "
                         "fetch the file again",
                         s->name, at);
    }
    if (z == Z_BUF_ERROR) return 0;
    return fault_set(f, TC_EINPUT,
                     "%s: at byte %llu of the packed file: the gzip data is damaged (%s); "
                     "fetch the file again",
                     s->name, at, g->stream.msg ? g->stream.msg : "unknown");
}

const struct unpack_ops unpack_gzip = {.open = gzip_open, .fill = gzip_fill, .close = gzip_close};
