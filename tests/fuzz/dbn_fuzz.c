/* tests/fuzz/dbn_fuzz.c -- plan: any bytes as a DBN file; the first byte is the batch, and its high bit says
 * that "DBN" and a version stand before the rest, so that few inputs end at the magic. Whatever comes:
 * reading ends, every tick is legal and its symbol has a name, every fault names file and byte, faults that
 * are not fatal make way, and the same bytes read one by one give the same ticks. The file lies in memory
 * (memfd), for the source opens paths. */
#include "feeds/reader_file.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a reading comes to. */
struct outcome {
    int opened;
    uint64_t ticks, faults, hash;
};

static struct outcome read_file(const char *path, uint32_t batch, size_t size);
static uint64_t hash_tick(uint64_t hash, const struct tick *t);
static void write_all(int fd, const void *bytes, size_t size)
{
    TC_ASSERT(write(fd, bytes, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) return 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    TC_ASSERT(fd >= 0);
    if (input[0] & 128) write_all(fd, (const uint8_t[4]){'D', 'B', 'N', (uint8_t)(1 + input[1] % 3)}, 4);
    write_all(fd, input + 2, size - 2);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct outcome many = read_file(path, 1 + input[0] % 64u, size + 4);
    struct outcome one = read_file(path, 1, size + 4);
    TC_ASSERT(many.opened == one.opened);
    TC_ASSERT(many.ticks == one.ticks && many.faults == one.faults && many.hash == one.hash);
    close(fd);
    return 0;
}

static struct outcome read_file(const char *path, uint32_t batch, size_t size)
{
    struct outcome o = {0};
    struct reader *r;
    struct fault f = {0};
    struct tick ticks[64];
    o.opened = reader_file_open(&r, TEXT("dbn"), &(struct reader_options){.path = path}, &f);
    if (o.opened < 0) {
        TC_ASSERT(f.text[0] != 0);
        return o;
    }
    for (;;) {
        bool fatal = false;
        int rc = r->ops->next(r, ticks, batch, &fatal, &f);
        TC_ASSERT(rc <= (int)batch);
        if (rc == 0) break;
        TC_ASSERT(rc < 0 || !fatal);
        if (rc < 0) {
            o.faults++;
            TC_ASSERT(strstr(f.text, "byte ") != NULL);
        }
        if (fatal) break;
        for (int i = 0; i < rc; i++) {
            TC_ASSERT(tick_check(&ticks[i], UINT32_MAX) == NULL);
            struct text name = r->ops->symbol(r, ticks[i].symbol);
            TC_ASSERT(symbol_name_ok(name.at, name.size));
            o.hash = hash_tick(o.hash, &ticks[i]);
            o.ticks++;
        }
        uint32_t packing = 1u << 20; /* a zstd or gzip input may unpack to this many times its size */
        TC_ASSERT(o.ticks + o.faults <= (uint64_t)size * packing);
        TC_ASSERT(reader_file_permille(r) <= 1000);
    }
    r->ops->close(r);
    return o;
}

static uint64_t hash_tick(uint64_t hash, const struct tick *t)
{
    uint64_t words[sizeof *t / 8];
    memcpy(words, t, sizeof *t);
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
        hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 31);
    return hash;
}
