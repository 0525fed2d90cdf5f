/* feeds/reader_csv.h -- what the readers of text formats share: lines, fields, columns found by name,
 * symbols, and error texts that name file, line, field, reason and remedy. A format is a preset: what its
 * first line is, and what a row means.
 *
 * Rows end in LF or CRLF, the last one perhaps in nothing. Blank lines are passed over. A field may be quoted
 * ("a ""b"""); a line break inside a field is an error of that row, so that one lost quote costs one row and
 * not the rest of the file. For reader_*.c only. Thread: one owner. */
#ifndef TC_FEEDS_READER_CSV_H
#define TC_FEEDS_READER_CSV_H

#include "feeds/reader.h"
#include "feeds/reader_symbols.h"
#include "feeds/reader_time.h"
#include "feeds/source.h"
#include "tick/decimal.h"

#define CSV_FIELDS_MAX  64u
#define CSV_LINE_MAX    65536u
#define CSV_COLUMNS_MAX 20u
#define CSV_NO_COLUMN   255u

struct csv_lines {
    struct source *source;
    const char *at; /* a view of the source: [taken, size) is still to be given out */
    size_t taken, size;
    size_t line_begin;  /* of the line last given out, for csv_line_again */
    uint64_t line;      /* its number, from 1 */
    bool ended, broken; /* broken: the source failed; nothing can follow */
};

/* The next line that is not blank, without its end. 1; 0: no more; TC_EINPUT: longer than CSV_LINE_MAX
 * (passed over), or what the source says (broken). */
int csv_line(struct csv_lines *l, struct text *line, struct fault *f);
void csv_line_again(
    struct csv_lines *l); /* the last line will be given out once more; at once after csv_line */
void csv_lines_settle(struct csv_lines *l); /* tells the source what was taken: for its progress */

struct csv;

struct csv_preset {
    const struct reader_ops *ops;
    /* The first line stands in c->fields. Returns 1 if it was a header, 0 if it is a row, or an error. */
    int (*start)(struct csv *c, const struct reader_options *o, struct fault *f);
    /* The row in c->fields. t is zeroed but for its symbol (c->symbol). Returns 1: a tick; 0: a row that
     * means none (or only changes state); TC_EINPUT with a text of csv_bad. */
    int (*row)(struct csv *c, struct tick *t, struct fault *f);
    uint32_t fields_least; /* a row with fewer is an error; start may raise c->fields_least */
};

struct csv {
    struct reader base;
    const struct csv_preset *preset;
    struct csv_lines lines;
    struct reader_symbols symbols;
    struct text fields[CSV_FIELDS_MAX];
    uint32_t field_count, fields_least;
    uint8_t column[CSV_COLUMNS_MAX]; /* the preset's roles -> place in the row, or CSV_NO_COLUMN */
    char delimiter;
    uint32_t symbol; /* of files that hold one symbol only */
    enum time_unit unit;
    enum time_zone zone;
    int32_t day;                 /* since 1970, for times of day */
    struct fault held;           /* code != 0: what the next call of csv_next has to tell */
    void *state;                 /* the preset's own; freed on close */
    char unquoted[CSV_LINE_MAX]; /* fields with doubled quotes, made single */
};

/* The calls of reader_ops that are the same for every preset. */
int csv_open(struct reader **out, const struct csv_preset *preset, struct source *source,
             const struct reader_options *o, struct fault *f);
int csv_next(struct reader *r, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f);
struct text csv_symbol_name(const struct reader *r, uint32_t index);
void csv_close(struct reader *r);

/* Fields of one line into c->fields, split at c->delimiter. 0 or TC_EINPUT. */
int csv_split(struct csv *c, struct text line, struct fault *f);
/* What splits a first line: a comma where there is one, else a semicolon or a tab. */
char csv_delimiter(struct text line);
/* The first line of a file's beginning, split for probing (no quotes): how many fields. */
uint32_t csv_probe_fields(const uint8_t *first, size_t size, struct text *fields, uint32_t fields_max);

/* Finds names[i] in the header (case does not matter) for column[i]; the first `needed` must be there
 * (TC_EINPUT). */
int csv_columns(struct csv *c, const char *const *names, uint32_t count, uint32_t needed, struct fault *f);
/* The field of a role; size 0 if the format or the row has none. */
static inline struct text csv_field(const struct csv *c, uint32_t role)
{
    uint8_t at = c->column[role];
    return at < c->field_count ? c->fields[at] : (struct text){.at = "", .size = 0};
}

/* "FILE:LINE: FIELD "VALUE" REASON; REMEDY". Returns TC_EINPUT. */
int csv_bad(const struct csv *c, struct fault *f, const char *field, struct text value, const char *reason);
/* "FILE:LINE: TEXT". Returns TC_EINPUT. */
int csv_fault(const struct csv *c, struct fault *f, const char *text);

/* Fields as values; an error names the field. */
int csv_decimal(const struct csv *c, const char *name, struct text at, struct decimal *out, struct fault *f);
int csv_time(const struct csv *c, const char *name, struct text at, enum time_unit unit, int64_t *ns,
             struct fault *f);
int csv_symbol(struct csv *c, struct text name, uint32_t *out, struct fault *f);
uint64_t csv_id(struct text at); /* a venue's trade number; 0 for one that is none (UUIDs) */

/* Fill kind, prices, sizes. Side: 'b', 's' or 0. */
int csv_trade(const struct csv *c, struct tick *t, struct text price, struct text size, char side,
              struct fault *f);
struct csv_side {
    struct text price, size; /* price of size 0: nobody is on this side */
};
int csv_quote(const struct csv *c, struct tick *t, struct csv_side bid, struct csv_side ask, struct fault *f);
/* buy, b, true sides of the aggressor -> 'b', sell, s -> 's', else 0. Case does not matter. */
char csv_side_of(struct text at);

/* The file's one symbol: --symbol, else `derived`. Sets c->symbol. */
int csv_one_symbol(struct csv *c, const struct reader_options *o, struct text derived, struct fault *f);

bool text_same(struct text a, const char *b); /* ASCII case does not matter */

/* One a file: reader_<format>.c. */
extern const struct reader_ops reader_ticks, reader_kraken, reader_ccxt, reader_tardis, reader_lean,
    reader_lobster, reader_binance, reader_polygon;

#endif
