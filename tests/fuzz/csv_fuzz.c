/* tests/fuzz/csv_fuzz.c -- plan: any bytes as a file (packed ones too), read as a format that the first byte
 * picks (0: by probing). Whatever comes: reading ends, every tick is legal and its symbol has a name, every
 * fault has a place and a reason. The file lies in memory (memfd), for the source opens paths. */
#include "feeds/reader_file.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void read_file(const char *path, struct text format, const struct reader_options *options,
                      uint32_t batch);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) return 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    TC_ASSERT(fd >= 0);
    TC_ASSERT(write(fd, input + 2, size - 2) == (ssize_t)(size - 2));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    uint32_t pick = input[0] % (reader_format_count + 1);
    struct text format = pick ? text_of(reader_formats[pick - 1]->format) : (struct text){0};
    struct reader_options o = {.path = path, .symbol = TEXT("S"), .date = TEXT("2012-06-21")};
    if (input[1] & 128) o.columns = TEXT("ts:#1:ms,price:#2,size:#3");
    read_file(path, format, &o, 1 + input[1] % 64u);
    close(fd);
    return 0;
}

static void read_file(const char *path, struct text format, const struct reader_options *options,
                      uint32_t batch)
{
    struct reader *r;
    struct fault f = {0};
    struct tick ticks[64];
    struct reader_options o = *options;
    o.path = path;
    if (reader_file_open(&r, format, &o, &f) < 0) {
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
