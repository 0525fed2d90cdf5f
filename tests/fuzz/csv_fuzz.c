/* tests/fuzz/csv_fuzz.c -- plan: any bytes as a file (packed ones too), read as a format that the first byte
 * picks (0: by probing), with the options that the second one does. Whatever comes: reading ends, every tick
 * is legal and its symbol has a name, every fault has a place and a reason. The file lies in memory (memfd),
 * for the source opens paths. */
#include "feeds/reader_file.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The second byte: the batch, and what a user says about the file. */
enum { BATCH = 15, ZONE_SHIFT = 4, ZONES = 4, MAPPED = 128, MAPPED_BY_FIRST_LINE = 64, UNNAMED = 192 };
static const char *const zones[ZONES] = {"", "America/New_York", "America/Chicago", "UTC"};

static void read_file(struct text format, const struct reader_options *o, uint32_t batch);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) return 0;
    uint8_t first = input[0], how = input[1];
    struct reader_options o = {.timezone = text_of(zones[how >> ZONE_SHIFT & (ZONES - 1)])};
    input += 2;
    size -= 2;
    if ((how & UNNAMED) != UNNAMED) { /* else: from the file's name, or a member's */
        o.symbol = TEXT("S");
        o.date = TEXT("2012-06-21");
    }
    if ((how & UNNAMED) == MAPPED) o.columns = TEXT("ts:#1:ms,price:#2,size:#3");
    if ((how & UNNAMED) == MAPPED_BY_FIRST_LINE) {
        const uint8_t *end = memchr(input, '\n', size);
        o.columns = (struct text){(const char *)input, end ? (size_t)(end - input) : size};
        size -= o.columns.size + (end != NULL);
        input += o.columns.size + (end != NULL);
    }
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    TC_ASSERT(fd >= 0);
    TC_ASSERT(write(fd, input, size) == (ssize_t)size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    o.path = path;
    uint32_t pick = first % (reader_format_count + 1);
    struct text format = pick ? text_of(reader_formats[pick - 1]->format) : (struct text){0};
    read_file(format, &o, 1 + how % (BATCH + 1u));
    close(fd);
    return 0;
}

static void read_file(struct text format, const struct reader_options *o, uint32_t batch)
{
    struct reader *r;
    struct fault f = {0};
    struct tick ticks[BATCH + 1];
    if (reader_file_open(&r, format, o, &f) < 0) {
        TC_ASSERT(f.text[0] != 0);
        return;
    }
    for (uint32_t calls = 0; calls < 100000; calls++) {
        bool fatal = false;
        int rc = r->ops->next(r, ticks, batch, &fatal, &f);
        TC_ASSERT(rc <= (int)batch);
        if (rc == 0 || fatal) break;
        if (rc < 0) TC_ASSERT(strchr(f.text, ':') != NULL);
        for (int i = 0; i < rc; i++) {
            TC_ASSERT(tick_check(&ticks[i], UINT32_MAX) == NULL);
            if (ticks[i].kind == TICK_FEED) continue;
            struct text name = r->ops->symbol(r, ticks[i].symbol);
            TC_ASSERT(symbol_name_ok(name.at, name.size));
        }
        TC_ASSERT(reader_file_permille(r) <= 1000);
    }
    r->ops->close(r);
}
