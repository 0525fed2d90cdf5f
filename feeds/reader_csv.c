/* feeds/reader_csv.c -- the loop over a text file's rows, and its error texts. The formats stand in
 * reader_<name>.c. */
#include "feeds/reader_csv.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static int first_line(struct csv *c, const struct reader_options *o, struct fault *f);
static int next_row(struct csv *c, struct tick *t, struct fault *f);
static void printable(struct text value, char *out, size_t out_size);

int csv_open(struct reader **out, const struct csv_preset *preset, struct source *source,
             const struct reader_options *o, struct fault *f)
{
    struct csv *c = calloc(1, sizeof *c);
    if (!c) return fault_set(f, TC_ESYSTEM, "%s: out of memory", source_name(source));
    c->base.ops = preset->ops;
    c->preset = preset;
    c->lines.source = source;
    c->lines.at = "";
    c->fields_least = preset->fields_least;
    memset(c->column, CSV_NO_COLUMN, sizeof c->column);
    int rc = first_line(c, o, f);
    if (rc < 0) {
        csv_close(&c->base);
        return rc;
    }
    *out = &c->base;
    return 0;
}

static int first_line(struct csv *c, const struct reader_options *o, struct fault *f)
{
    const uint8_t *at;
    size_t size;
    int rc = source_view(c->lines.source, 3, &at, &size, f);
    if (rc < 0) return rc;
    source_skip(c->lines.source, utf8_mark(at, size));
    struct text line;
    rc = csv_line(&c->lines, &line, f);
    if (rc < 0) return rc;
    if (rc == 0) return fault_set(f, TC_EINPUT, "%s: the file is empty", source_name(c->lines.source));
    c->delimiter = csv_delimiter(line);
    rc = csv_split(c, line, f);
    if (rc == 0) rc = c->preset->start(c, o, f);
    if (rc == 0) csv_line_again(&c->lines);
    return rc < 0 ? rc : 0;
}

int csv_next(struct reader *r, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f)
{
    struct csv *c = (struct csv *)r;
    uint32_t count = 0;
    int rc = c->held.code;
    TC_ASSERT(count_max > 0);
    if (rc != 0) {
        if (f) *f = c->held;
        c->held.code = TC_OK;
    }
    while (rc >= 0 && count < count_max) {
        struct text line;
        struct fault *told = count > 0 ? &c->held : f; /* a bad row behind good ones: these first */
        rc = csv_line(&c->lines, &line, told);
        if (rc == 0) break;
        if (rc == 1) rc = csv_split(c, line, told);
        if (rc == 0) rc = next_row(c, &out[count], told);
        if (rc > 0) count += (uint32_t)rc;
    }
    csv_lines_settle(&c->lines);
    if (count > 0) return (int)count;
    if (rc < 0) *fatal = c->lines.broken;
    return rc < 0 ? rc : 0;
}

static int next_row(struct csv *c, struct tick *t, struct fault *f)
{
    if (c->field_count < c->fields_least) {
        char text[96];
        snprintf(text, sizeof text, "the row has %u fields and needs %u; is a delimiter missing?",
                 c->field_count, c->fields_least);
        return csv_fault(c, f, text);
    }
    memset(t, 0, sizeof *t);
    t->symbol = c->symbol;
    int rc = c->preset->row(c, t, f);
    if (rc <= 0) return rc;
    const char *wrong = tick_check(t, c->symbols.count);
    return wrong ? csv_fault(c, f, wrong) : 1;
}

struct text csv_symbol_name(const struct reader *r, uint32_t index)
{
    return reader_symbols_name(&((const struct csv *)r)->symbols, index);
}

void csv_close(struct reader *r)
{
    struct csv *c = (struct csv *)r;
    reader_symbols_free(&c->symbols);
    free(c->state);
    free(c);
}

int csv_columns(struct csv *c, const char *const *names, uint32_t count, uint32_t needed, struct fault *f)
{
    TC_ASSERT(count <= CSV_COLUMNS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < c->field_count && c->column[i] == CSV_NO_COLUMN; k++) {
            if (!text_same(c->fields[k], names[i])) continue;
            c->column[i] = (uint8_t)k;
            if (i < needed && k + 1 > c->fields_least) c->fields_least = k + 1;
        }
        if (i >= needed || c->column[i] != CSV_NO_COLUMN) continue;
        char text[160];
        snprintf(text, sizeof text, "the header has no column \"%s\"; name the right format with --format",
                 names[i]);
        return csv_fault(c, f, text);
    }
    return 0;
}

int csv_bad(const struct csv *c, struct fault *f, const char *field, struct text value, const char *reason)
{
    char shown[64];
    printable(value, shown, sizeof shown);
    return fault_set(f, TC_EINPUT, "%s:%llu: %s \"%s\" %s", source_name(c->lines.source),
                     (unsigned long long)c->lines.line, field, shown, reason);
}

int csv_fault(const struct csv *c, struct fault *f, const char *text)
{
    return fault_set(f, TC_EINPUT, "%s:%llu: %s", source_name(c->lines.source),
                     (unsigned long long)c->lines.line, text);
}

/* What stood in the file, safe for a terminal and cut where it is long. */
static void printable(struct text value, char *out, size_t out_size)
{
    size_t room = out_size - 4, used = min_u64(value.size, room);
    for (size_t i = 0; i < used; i++) {
        unsigned char ch = (unsigned char)value.at[i];
        out[i] = ch < 0x20 || ch >= 0x7f ? '?' : (char)ch;
    }
    memcpy(out + used, value.size > room ? "..." : "", value.size > room ? 4 : 1);
}
