/* feeds/reader_csv_line.c -- lines out of a source, fields out of a line. */
#include "base/assert.h"
#include "base/utf8.h"
#include "feeds/reader_csv.h"

#include <stdio.h>
#include <strings.h>

static int lines_refill(struct csv_lines *l, struct fault *f);
static int pass_long_line(struct csv_lines *l, struct fault *f);
static int field_quoted(struct csv *c, struct text *rest, size_t *used, struct text *out, struct fault *f);

int csv_line(struct csv_lines *l, struct text *line, struct fault *f)
{
    for (;;) {
        const char *begin = l->at + l->taken;
        size_t left = l->size - l->taken;
        const char *end = left > 0 ? memchr(begin, '\n', left) : NULL;
        if (!end && !l->ended && left <= CSV_LINE_MAX) {
            int rc = lines_refill(l, f);
            if (rc < 0) return rc;
            continue;
        }
        if (!end && left == 0) return 0;
        size_t size = end ? (size_t)(end - begin) : left;
        l->line++;
        if (size > CSV_LINE_MAX) return pass_long_line(l, f);
        l->line_begin = l->taken;
        l->taken += size + (end != NULL);
        if (size > 0 && begin[size - 1] == '\r') size--;
        if (size == 0) continue;
        *line = (struct text){.at = begin, .size = size};
        return 1;
    }
}

static int lines_refill(struct csv_lines *l, struct fault *f)
{
    csv_lines_settle(l);
    const uint8_t *at;
    size_t size, had = l->size;
    int rc = source_view(l->source, had + 1, &at, &size, f);
    if (rc < 0) {
        l->broken = true;
        l->ended = true;
        return rc;
    }
    l->at = (const char *)at;
    l->size = size;
    l->line_begin = 0;
    if (size == had) l->ended = true;
    return 0;
}

/* The row is lost, the rest of the file is not. */
static int pass_long_line(struct csv_lines *l, struct fault *f)
{
    for (;;) {
        const char *begin = l->at + l->taken, *end = memchr(begin, '\n', l->size - l->taken);
        l->taken = end ? (size_t)(end + 1 - l->at) : l->size;
        if (end || l->ended) break;
        int rc = lines_refill(l, f);
        if (rc < 0) return rc;
    }
    return fault_set(f, TC_EINPUT, "%s:%llu: the line is longer than %u bytes; is it a text file?",
                     source_name(l->source), (unsigned long long)l->line, CSV_LINE_MAX);
}

void csv_line_again(struct csv_lines *l)
{
    l->taken = l->line_begin;
    l->line--;
}

void csv_lines_settle(struct csv_lines *l)
{
    source_skip(l->source, l->taken);
    l->at += l->taken;
    l->size -= l->taken;
    l->taken = 0;
}

int csv_split(struct csv *c, struct text line, struct fault *f)
{
    size_t unquoted_used = 0;
    uint32_t count = 0;
    const char *at = line.at, *end = line.at + line.size;
    for (;;) {
        if (count == CSV_FIELDS_MAX) return csv_fault(c, f, "the row has more than 64 fields");
        const char *begin = at;
        if (at < end && *at == '"') {
            struct text rest = {.at = at, .size = (size_t)(end - at)};
            int rc = field_quoted(c, &rest, &unquoted_used, &c->fields[count++], f);
            if (rc < 0) return rc;
            at = rest.at;
        } else {
            while (at < end && *at != c->delimiter) at++;
            c->fields[count++] = (struct text){.at = begin, .size = (size_t)(at - begin)};
        }
        if (at == end) break;
        at++; /* the delimiter */
    }
    c->field_count = count;
    return 0;
}

/* rest begins at the opening quote; on return at the delimiter or the end. */
static int field_quoted(struct csv *c, struct text *rest, size_t *used, struct text *out, struct fault *f)
{
    const char *at = rest->at + 1, *end = rest->at + rest->size, *begin = at;
    char *copy = c->unquoted + *used;
    size_t copied = 0;
    bool doubled = false;
    for (;; at++) {
        if (at == end) return csv_fault(c, f, "a quoted field does not end on its line; close the quote");
        if (*at == '"') {
            if (at + 1 == end || at[1] != '"') break;
            doubled = true;
            at++;
        }
        copy[copied++] = *at; /* never past CSV_LINE_MAX: the copies of a line are shorter than the line */
    }
    *out = doubled ? (struct text){.at = copy, .size = copied} : (struct text){.at = begin, .size = copied};
    if (doubled) *used += copied;
    at++;
    if (at < end && *at != c->delimiter) return csv_fault(c, f, "there is text behind a quoted field");
    *rest = (struct text){.at = at, .size = (size_t)(end - at)};
    return 0;
}

char csv_delimiter(struct text line)
{
    if (memchr(line.at, ',', line.size)) return ',';
    if (memchr(line.at, ';', line.size)) return ';';
    return memchr(line.at, '\t', line.size) ? '\t' : ',';
}

uint32_t csv_probe_fields(const uint8_t *first, size_t size, struct text *fields, uint32_t fields_max)
{
    size_t mark = utf8_mark(first, size);
    first += mark;
    size -= mark;
    while (size > 0 && (*first == '\n' || *first == '\r')) {
        first++;
        size--;
    }
    const char *at = (const char *)first, *line_end = size > 0 ? memchr(at, '\n', size) : NULL;
    const char *end = line_end ? line_end : at + size;
    if (end > at && end[-1] == '\r') end--;
    char delimiter = csv_delimiter((struct text){.at = at, .size = (size_t)(end - at)});
    uint32_t count = 0;
    while (at <= end && count < fields_max) {
        const char *stop = at;
        while (stop < end && *stop != delimiter) stop++;
        struct text field = {.at = at, .size = (size_t)(stop - at)};
        if (field.size >= 2 && field.at[0] == '"' && field.at[field.size - 1] == '"') {
            field = (struct text){.at = field.at + 1, .size = field.size - 2};
        }
        fields[count++] = field;
        at = stop + 1;
    }
    return count;
}

bool text_same(struct text a, const char *b)
{
    return a.size == strlen(b) && strncasecmp(a.at, b, a.size) == 0;
}
