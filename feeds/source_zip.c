/* feeds/source_zip.c -- one member of a zip archive, streamed through libzip (which checks its sum at the
 * end). */
#include "base/assert.h"
#include "feeds/source_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

struct unzip {
    zip_t *archive;
    zip_file_t *member;
};

static zip_t *archive_open(const char *path, struct fault *f);
static int64_t only_file(zip_t *archive, const char *name, struct fault *f);
static bool is_file(const char *name);

int source_zip_open(struct source *s, const char *path, const char *member, struct fault *f)
{
    struct unzip *u = calloc(1, sizeof *u);
    if (!u) return fault_set(f, TC_ESYSTEM, "%s: out of memory", s->name);
    s->unpacker = u;
    free(s->packed.bytes); /* libzip reads the file itself */
    s->packed.bytes = NULL;
    u->archive = archive_open(path, f);
    if (!u->archive) return TC_EINPUT;
    int64_t index = member ? zip_name_locate(u->archive, member, 0) : only_file(u->archive, s->name, f);
    if (index < 0 && member) {
        return fault_set(f, TC_ENOTFOUND, "%s: has no member \"%.100s\"", s->name, member);
    }
    if (index < 0) return TC_EUSAGE;
    zip_stat_t st;
    if (zip_stat_index(u->archive, (zip_uint64_t)index, 0, &st) == 0 && (st.valid & ZIP_STAT_SIZE)) {
        s->packed.total_bytes = st.size;
    }
    char label[SOURCE_LABEL_MAX];
    source_label(label, member ? member : zip_get_name(u->archive, (zip_uint64_t)index, 0));
    size_t used = strlen(s->name);
    snprintf(s->name + used, sizeof s->name - used, "(%s)", label);
    u->member = zip_fopen_index(u->archive, (zip_uint64_t)index, 0);
    if (!u->member) {
        return fault_set(f, TC_EINPUT, "%s: cannot be unpacked: %s", s->name, zip_strerror(u->archive));
    }
    s->packed.read_bytes = 0; /* from here on: plain bytes of the member */
    s->packed.begin = s->packed.end = 0;
    return 0;
}

static zip_t *archive_open(const char *path, struct fault *f)
{
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_RDONLY, &code);
    if (archive) return archive;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    char label[SOURCE_LABEL_MAX];
    source_label(label, path);
    fault_set(f, TC_EINPUT, "%s: the zip archive cannot be read: %s; fetch the file again", label,
              zip_error_strerror(&error));
    zip_error_fini(&error);
    return NULL;
}

static int64_t only_file(zip_t *archive, const char *name, struct fault *f)
{
    int64_t found = -1, count = zip_get_num_entries(archive, 0), files = 0;
    for (int64_t i = 0; i < count; i++) {
        const char *member = zip_get_name(archive, (zip_uint64_t)i, 0);
        if (!member || !is_file(member)) continue;
        found = i;
        files++;
    }
    if (files == 1) return found;
    fault_set(f, TC_EUSAGE, "%s: holds %lld files; name the member", name, (long long)files);
    return -1;
}

static bool is_file(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && name[size - 1] != '/';
}

int source_members(const char *path, void (*visit)(void *context, const char *member), void *context,
                   struct fault *f)
{
    uint8_t magic[4] = {0};
    char label[SOURCE_LABEL_MAX];
    source_label(label, path);
    FILE *file = fopen(path, "rbe");
    if (!file) return fault_errno(f, "%s: cannot be opened", label);
    size_t got = fread(magic, 1, sizeof magic, file);
    fclose(file);
    if (got < 4 || (memcmp(magic, "PK\3\4", 4) != 0 && memcmp(magic, "PK\5\6", 4) != 0)) {
        return fault_set(f, TC_ENOTFOUND, "%s: is no zip archive", label);
    }
    zip_t *archive = archive_open(path, f);
    if (!archive) return TC_EINPUT;
    int64_t count = zip_get_num_entries(archive, 0);
    for (int64_t i = 0; i < count; i++) {
        const char *member = zip_get_name(archive, (zip_uint64_t)i, 0);
        if (member && is_file(member)) visit(context, member);
    }
    zip_discard(archive);
    return 0;
}

static int zip_open_unused(struct source *s, struct fault *f)
{
    (void)s, (void)f;
    TC_ASSERT(false); /* source_open calls source_zip_open, which knows the member */
    return TC_EUSAGE;
}

static int zip_fill(struct source *s, uint8_t *out, size_t room, size_t *got, struct fault *f)
{
    struct unzip *u = s->unpacker;
    zip_int64_t n = zip_fread(u->member, out, room);
    if (n < 0) {
        return fault_set(f, TC_EINPUT,
                         "%s: at byte %llu of the unpacked member: the zip data is damaged (%s); "
                         "fetch the file again",
                         s->name, (unsigned long long)s->packed.read_bytes,
                         zip_error_strerror(zip_file_get_error(u->member)));
    }
    s->packed.read_bytes += (uint64_t)n;
    *got = (size_t)n;
    return 0;
}

static void zip_close_member(struct source *s)
{
    struct unzip *u = s->unpacker;
    if (u->member) zip_fclose(u->member);
    if (u->archive) zip_discard(u->archive);
    free(u);
}

const struct unpack_ops unpack_zip = {.open = zip_open_unused, .fill = zip_fill, .close = zip_close_member};
