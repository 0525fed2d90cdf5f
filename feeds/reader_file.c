/* feeds/reader_file.c -- see reader_file.h. Invariant while merging: each input that has not ended holds
 * ticks before the smallest is chosen, so a call stops early (with what it has) when an input runs dry, and
 * fills it first the next time. */
#include "feeds/reader_file.h"

#include "base/assert.h"
#include "feeds/reader_symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_TICKS 128u

struct input {
    struct source *source;
    struct reader *reader;
    char *member; /* NULL: the file itself */
    bool ended;
    /* Merging only. */
    struct tick *ticks;
    uint32_t at, count;
    uint32_t *symbols; /* the input's own index -> ours + 1 */
    uint32_t symbol_capacity;
};

struct file_reader {
    struct reader base;
    struct reader_ops ops; /* the inner format's, with this file's calls */
    struct reader_symbols symbols;
    uint32_t input_count;
    struct input inputs[READER_MEMBERS_MAX];
};

static int list_inputs(struct file_reader *r, const struct reader_options *o, struct fault *f);
static void add_member(void *context, const char *member);
static int open_input(struct file_reader *r, struct input *in, struct text format,
                      const struct reader_options *o, struct fault *f);
static int file_next(struct reader *base, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f);
static int merge_fill(struct file_reader *r, bool *fatal, struct fault *f);
static struct input *smallest(struct file_reader *r, int64_t *limit_ns, bool *limit_wins);
static int take(struct file_reader *r, struct input *in, struct tick *out);
static int symbol_of(struct file_reader *r, struct input *in, uint32_t index, uint32_t *out);
static struct text file_symbol(const struct reader *base, uint32_t index);
static void file_close(struct reader *base);

int reader_file_open(struct reader **out, struct text format, const struct reader_options *o, struct fault *f)
{
    struct file_reader *r = calloc(1, sizeof *r);
    if (!r) return fault_set(f, TC_ESYSTEM, "out of memory for a file");
    r->base.ops = &r->ops;
    int rc = list_inputs(r, o, f);
    for (uint32_t i = 0; rc == 0 && i < r->input_count; i++) rc = open_input(r, &r->inputs[i], format, o, f);
    if (rc < 0) {
        file_close(&r->base);
        return rc;
    }
    r->ops = *r->inputs[0].reader->ops;
    r->ops.next = file_next;
    r->ops.symbol = file_symbol;
    r->ops.close = file_close;
    *out = &r->base;
    return 0;
}

static int list_inputs(struct file_reader *r, const struct reader_options *o, struct fault *f)
{
    char label[SOURCE_LABEL_MAX];
    source_label(label, o->path);
    if (o->member) {
        add_member(r, o->member);
    } else {
        int rc = source_members(o->path, add_member, r, f);
        if (rc < 0 && rc != TC_ENOTFOUND) return rc;
        if (rc == TC_ENOTFOUND) { /* no zip: the file itself */
            r->input_count = 1;
            return 0;
        }
    }
    if (r->input_count == 0) return fault_set(f, TC_EINPUT, "%s: the zip archive holds no files", label);
    if (r->input_count > READER_MEMBERS_MAX) {
        uint32_t count = r->input_count;
        r->input_count = READER_MEMBERS_MAX;
        return fault_set(f, TC_EINPUT,
                         "%s: the zip archive holds %u files, at most %u are read; name one with member=NAME",
                         label, count, READER_MEMBERS_MAX);
    }
    for (uint32_t i = 0; i < r->input_count; i++) {
        if (!r->inputs[i].member) return fault_set(f, TC_ESYSTEM, "%s: out of memory", label);
    }
    return 0;
}

static void add_member(void *context, const char *member)
{
    struct file_reader *r = context;
    if (r->input_count < READER_MEMBERS_MAX) r->inputs[r->input_count].member = strdup(member);
    r->input_count++;
}

static int open_input(struct file_reader *r, struct input *in, struct text format,
                      const struct reader_options *o, struct fault *f)
{
    struct reader_options own = *o;
    own.member = in->member;
    int rc = source_open(&in->source, o->path, in->member, f);
    if (rc == 0) rc = reader_open(&in->reader, format, in->source, &own, f);
    if (rc < 0 || r->input_count == 1) return rc;
    in->ticks = calloc(INPUT_TICKS, sizeof *in->ticks);
    return in->ticks ? 0 : fault_set(f, TC_ESYSTEM, "%s: out of memory", source_name(in->source));
}

static int file_next(struct reader *base, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f)
{
    struct file_reader *r = (struct file_reader *)base;
    struct input *in = &r->inputs[0];
    if (r->input_count == 1) return in->reader->ops->next(in->reader, out, count_max, fatal, f);
    int rc = merge_fill(r, fatal, f);
    if (rc < 0) return rc;
    uint32_t count = 0;
    while (count < count_max) {
        int64_t limit_ns;
        bool limit_wins;
        in = smallest(r, &limit_ns, &limit_wins);
        if (!in) break;
        while (count < count_max &&
               in->at < in->count) { /* a run of this input's, up to the next one's first tick */
            int64_t event_ns = in->ticks[in->at].event_ns;
            if (event_ns > limit_ns || (event_ns == limit_ns && limit_wins)) break;
            rc = take(r, in, &out[count]);
            if (rc < 0 && count > 0) return (int)count; /* told by the next call: the tick is still there */
            if (rc < 0) {
                *fatal = true; /* the tick is still there and would be refused for ever */
                return fault_set(
                    f, rc == TC_ESYSTEM ? TC_ESYSTEM : TC_ELIMIT,
                    rc == TC_ESYSTEM
                        ? "%s: out of memory for symbols"
                        : "%s: too many symbols in one archive; name one member with member=NAME",
                    source_name(in->source));
            }
            count++;
        }
        if (in->at == in->count && !in->ended) break;
    }
    return (int)count;
}

static int merge_fill(struct file_reader *r, bool *fatal, struct fault *f)
{
    for (uint32_t i = 0; i < r->input_count; i++) {
        struct input *in = &r->inputs[i];
        if (in->ended || in->at < in->count) continue;
        bool broken = false;
        int rc = in->reader->ops->next(in->reader, in->ticks, INPUT_TICKS, &broken, f);
        if (rc < 0) {
            *fatal = broken;
            return rc;
        }
        in->at = 0;
        in->count = (uint32_t)rc;
        in->ended = rc == 0;
    }
    return 0;
}

/* The input whose next tick comes first, and the time up to which it may go on; limit_wins: a tick of exactly
 * that time is another input's turn (it stands earlier in the archive). */
static struct input *smallest(struct file_reader *r, int64_t *limit_ns, bool *limit_wins)
{
    struct input *best = NULL;
    *limit_ns = INT64_MAX;
    *limit_wins = false;
    for (uint32_t i = 0; i < r->input_count; i++) {
        struct input *in = &r->inputs[i];
        if (in->at == in->count) continue;
        int64_t event_ns = in->ticks[in->at].event_ns;
        if (!best || event_ns < best->ticks[best->at].event_ns) {
            if (best) {
                *limit_ns = best->ticks[best->at].event_ns;
                *limit_wins = true;
            }
            best = in;
        } else if (event_ns < *limit_ns) {
            *limit_ns = event_ns;
            *limit_wins = false;
        }
    }
    return best;
}

static int take(struct file_reader *r, struct input *in, struct tick *out)
{
    struct tick t = in->ticks[in->at];
    uint32_t symbol = 0;
    if (t.kind != TICK_FEED) {
        int rc = symbol_of(r, in, t.symbol, &symbol);
        if (rc < 0) return rc;
    }
    *out = t;
    out->symbol = symbol;
    in->at++;
    return 0;
}

static int symbol_of(struct file_reader *r, struct input *in, uint32_t index, uint32_t *out)
{
    if (index >= in->symbol_capacity) {
        uint32_t capacity = in->symbol_capacity ? in->symbol_capacity : 16;
        while (capacity <= index) capacity *= 2;
        uint32_t *symbols = realloc(in->symbols, capacity * sizeof *symbols);
        if (!symbols) return TC_ESYSTEM;
        memset(symbols + in->symbol_capacity, 0, (capacity - in->symbol_capacity) * sizeof *symbols);
        in->symbols = symbols;
        in->symbol_capacity = capacity;
    }
    if (in->symbols[index] == 0) {
        int64_t own = reader_symbols_add(&r->symbols, in->reader->ops->symbol(in->reader, index));
        if (own < 0) return (int)own;
        in->symbols[index] = (uint32_t)own + 1;
    }
    *out = in->symbols[index] - 1;
    return 0;
}

static struct text file_symbol(const struct reader *base, uint32_t index)
{
    const struct file_reader *r = (const struct file_reader *)base;
    const struct reader *only = r->inputs[0].reader;
    return r->input_count == 1 ? only->ops->symbol(only, index) : reader_symbols_name(&r->symbols, index);
}

uint32_t reader_file_permille(const struct reader *base)
{
    const struct file_reader *r = (const struct file_reader *)base;
    TC_ASSERT(r->ops.close == file_close);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < r->input_count; i++) sum += source_permille(r->inputs[i].source);
    return (uint32_t)(sum / r->input_count);
}

static void file_close(struct reader *base)
{
    struct file_reader *r = (struct file_reader *)base;
    for (uint32_t i = 0; i < r->input_count && i < READER_MEMBERS_MAX; i++) {
        struct input *in = &r->inputs[i];
        if (in->reader) in->reader->ops->close(in->reader);
        source_close(in->source);
        free(in->member);
        free(in->ticks);
        free(in->symbols);
    }
    reader_symbols_free(&r->symbols);
    free(r);
}
