/* feeds/source_internal.h -- what source.c and the unpackers (source_*.c) share. For those files only. */
#ifndef TC_FEEDS_SOURCE_INTERNAL_H
#define TC_FEEDS_SOURCE_INTERNAL_H

#include "base/fault.h"
#include "feeds/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_BYTES 65536u /* read from the file at a time */

/* The file as it lies on the disk. */
struct packed {
    int fd;
    uint8_t *bytes;       /* PACKED_BYTES; NULL for plain files, which are read into the window itself */
    size_t begin, end;    /* what was read and not yet unpacked */
    uint64_t read_bytes;  /* of the file, so far */
    uint64_t total_bytes; /* 0: not known (a pipe) */
    bool ended;
};

/* One way of packing. */
struct unpack_ops {
    int (*open)(struct source *s, struct fault *f);
    /* Fills out with 1 to room plain bytes; *got 0: the end. 0, TC_EINPUT or TC_ESYSTEM. */
    int (*fill)(struct source *s, uint8_t *out, size_t room, size_t *got, struct fault *f);
    void (*close)(struct source *s);
};

struct source {
    const struct unpack_ops *ops;
    char name[SOURCE_LABEL_MAX * 2 + 4]; /* for error texts: control characters replaced */
    struct packed packed;
    void *unpacker; /* the unpacker's own */
    uint8_t *window;
    size_t capacity, begin, end; /* the plain bytes [begin, end) of window are not yet taken */
    uint64_t offset, produced;   /* plain bytes taken, and made, so far */
    bool ended;
    struct fault failed; /* code != 0: no more bytes, for this reason */
};

/* Reads more of the file behind what is left in packed.bytes. 0 (see packed.ended) or TC_ESYSTEM. */
int packed_fill(struct source *s, struct fault *f);
/* Byte offset in the file of the next byte to be unpacked. */
uint64_t packed_offset(const struct source *s);

/* source_zip.c: opens one member; the archive's only file where member is NULL. */
int source_zip_open(struct source *s, const char *path, const char *member, struct fault *f);

extern const struct unpack_ops unpack_plain, unpack_gzip, unpack_zstd, unpack_zip;

#endif
