/* tests/fuzz/settings_fuzz.c -- plan: any bytes as a configuration file. Either a fault of one line that
 * names the file and the line, where all that stands before that line is read without it; or settings within
 * the bounds of their table. What was read, written down and read again, is the same. The checks that look at
 * several settings then name an option, or leave what a server can start with. The file lies in memory
 * (memfd), for the reader opens paths. */
#include "config/option.h"
#include "config/settings.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX 1048576u /* a file of so many bytes is none any more */

static int file_fd = -1;
static char file_path[64];

static int load(struct settings *s, struct text bytes, struct fault *f)
{
    if (file_fd < 0) file_fd = memfd_create("fuzz", MFD_CLOEXEC);
    TC_ASSERT(file_fd >= 0);
    snprintf(file_path, sizeof file_path, "/proc/self/fd/%d", file_fd);
    TC_ASSERT(ftruncate(file_fd, 0) == 0);
    TC_ASSERT(pwrite(file_fd, bytes.at, bytes.size, 0) == (ssize_t)bytes.size);
    *f = (struct fault){.code = TC_OK};
    settings_default(s);
    return settings_load(s, file_path, f);
}

/* One line, and nothing that a terminal obeys. */
static void check_words(const char *words)
{
    TC_ASSERT(words[0] != 0);
    for (; *words; words++) {
        unsigned char c = (unsigned char)words[0], next = (unsigned char)words[1];
        TC_ASSERT(c >= ' ' && c != 127);
        TC_ASSERT(c != 0xc2 || next < 0x80 || next >= 0xa0);
    }
}

/* ---- A fault. ---- */

/* The line that a fault names. 0: it is the whole file's. */
static unsigned long fault_line(const struct fault *f)
{
    size_t size = strlen(file_path);
    if (strncmp(f->text, "--config ", 9) == 0) {
        TC_ASSERT(strncmp(f->text + 9, file_path, size) == 0);
        return 0;
    }
    TC_ASSERT(strncmp(f->text, file_path, size) == 0 && f->text[size] == ':');
    char *end;
    unsigned long line = strtoul(f->text + size + 1, &end, 10);
    TC_ASSERT(line > 0 && end[0] == ':' && end[1] == ' ' && end[2] != 0);
    return line;
}

/* Where a line begins; the first is 1. */
static size_t line_at(struct text bytes, unsigned long line)
{
    size_t at = 0;
    while (--line > 0) {
        const char *end = memchr(bytes.at + at, '\n', bytes.size - at);
        TC_ASSERT(end != NULL);
        at = (size_t)(end - bytes.at) + 1;
    }
    return at;
}

static void check_fault(struct text bytes, const struct fault *f)
{
    struct settings s;
    struct fault again;
    TC_ASSERT(f->code == TC_EUSAGE);
    check_words(f->text);
    unsigned long line = fault_line(f);
    if (line == 0) {
        TC_ASSERT(bytes.size >= FILE_MAX || memchr(bytes.at, 0, bytes.size));
        return;
    }
    size_t at = line_at(bytes, line);
    const char *end = memchr(bytes.at + at, '\n', bytes.size - at);
    TC_ASSERT(load(&s, (struct text){bytes.at, at}, &again) == TC_OK);
    settings_free(&s);
    bytes.size = end ? (size_t)(end - bytes.at) : bytes.size;
    TC_ASSERT(load(&s, bytes, &again) == TC_EUSAGE);
    TC_ASSERT(strcmp(again.text, f->text) == 0);
    settings_free(&s);
}

/* ---- Settings. ---- */

static const void *field(const struct option_row *row, const struct settings *s)
{
    return (const char *)s + row->offset;
}

static void check_row(const struct option_row *row, const struct settings *s)
{
    const void *at = field(row, s);
    uint64_t number;
    switch (row->type) {
    case OPTION_COUNT:
    case OPTION_SECONDS:
        number = *(const uint64_t *)at;
        TC_ASSERT(number >= row->least && number <= row->most);
        break;
    case OPTION_TEXT: {
        const char *text = *(const char *const *)at;
        TC_ASSERT(text || !row->preset_text);
        TC_ASSERT(!text || text[0]);
        TC_ASSERT(!text || !option_words(row) || option_word_is(row, text, strlen(text)));
        break;
    }
    case OPTION_FLAG: TC_ASSERT(*(const unsigned char *)at <= 1); break;
    case OPTION_LIST: {
        const struct setting_list *list = at;
        TC_ASSERT(list->count <= SETTING_LIST_MAX);
        for (uint32_t i = 0; i < list->count; i++) TC_ASSERT(list->at[i][0]);
        break;
    }
    }
}

static void check_bounds(const struct settings *s)
{
    struct option_table t = settings_table();
    for (uint32_t i = 0; i < t.count; i++) check_row(&t.rows[i], s);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_row(const struct option_row *row, const struct settings *a, const struct settings *b)
{
    const void *at = field(row, a), *other = field(row, b);
    switch (row->type) {
    case OPTION_COUNT:
    case OPTION_SECONDS: return *(const uint64_t *)at == *(const uint64_t *)other;
    case OPTION_TEXT: return same_text(*(const char *const *)at, *(const char *const *)other);
    case OPTION_FLAG: return *(const bool *)at == *(const bool *)other;
    case OPTION_LIST: {
        const struct setting_list *list = at, *list2 = other;
        bool same = list->count == list2->count;
        for (uint32_t i = 0; same && i < list->count; i++) same = same_text(list->at[i], list2->at[i]);
        return same;
    }
    }
    return false;
}

static void check_same(const struct settings *a, const struct settings *b)
{
    struct option_table t = settings_table();
    for (uint32_t i = 0; i < t.count; i++) TC_ASSERT(same_row(&t.rows[i], a, b));
}

/* Lines that mean what the row's field holds. Texts in quotation marks: blanks at their ends count. */
static void print_row(FILE *out, const struct option_row *row, const struct settings *s)
{
    const void *at = field(row, s);
    char key[64];
    size_t size = strlen(row->name);
    TC_ASSERT(size < sizeof key);
    for (size_t i = 0; i <= size; i++) key[i] = row->name[i] == '-' ? '_' : row->name[i];
    switch (row->type) {
    case OPTION_COUNT: fprintf(out, "%s = %llu\n", key, *(const unsigned long long *)at); break;
    case OPTION_SECONDS:
        fprintf(out, "%s = %llu.%09llu\n", key, *(const unsigned long long *)at / NS_PER_SECOND,
                *(const unsigned long long *)at % NS_PER_SECOND);
        break;
    case OPTION_FLAG: fprintf(out, "%s = %s\n", key, *(const bool *)at ? "yes" : "no"); break;
    case OPTION_TEXT: {
        const char *text = *(const char *const *)at;
        if (text) fprintf(out, "%s = \"%s\"\n", key, text);
        break;
    }
    case OPTION_LIST: {
        const struct setting_list *list = at;
        for (uint32_t i = 0; i < list->count; i++) fprintf(out, "%s = \"%s\"\n", key, list->at[i]);
        break;
    }
    }
}

static void check_printed(const struct settings *s)
{
    struct option_table t = settings_table();
    struct settings again;
    struct fault f;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    TC_ASSERT(out != NULL);
    for (uint32_t i = 0; i < t.count; i++) print_row(out, &t.rows[i], s);
    TC_ASSERT(fclose(out) == 0);
    if (size < FILE_MAX) {
        TC_ASSERT(load(&again, (struct text){text, size}, &f) == TC_OK);
        check_same(s, &again);
        settings_free(&again);
    }
    free(text);
}

/* ---- What depends on several of them. ---- */

static void check_option_named(const char *text)
{
    char name[64] = "";
    size_t size = strspn(text + 2, "abcdefghijklmnopqrstuvwxyz-");
    TC_ASSERT(strncmp(text, "--", 2) == 0 && size < sizeof name);
    memcpy(name, text + 2, size);
    TC_ASSERT(option_find(settings_table(), name) != NULL);
}

static void check_checked(struct settings *s)
{
    struct fault f = {.code = TC_OK};
    if (settings_check(s, &f) != TC_OK) {
        TC_ASSERT(f.code == TC_EUSAGE);
        check_words(f.text);
        check_option_named(f.text);
        return;
    }
    check_bounds(s);
    TC_ASSERT((s->log_capacity & (s->log_capacity - 1)) == 0);
    TC_ASSERT(s->workers > 0 && s->rest_bytes > 0);
    TC_ASSERT(s->listen.count > 0 && s->listen.count <= LISTENERS_MAX);
    TC_ASSERT(s->feed.count > 0 && s->feed.count <= FEEDS_MAX);
    struct settings before = *s;
    TC_ASSERT(settings_check(s, &f) == TC_OK); /* what it worked out stands */
    check_same(&before, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct text bytes = {(const char *)input, size};
    struct settings s;
    struct fault f;
    if (load(&s, bytes, &f) == TC_OK) {
        check_bounds(&s);
        check_printed(&s);
        check_checked(&s);
    } else {
        check_fault(bytes, &f);
    }
    settings_free(&s);
    return 0;
}
