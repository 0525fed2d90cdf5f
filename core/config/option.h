/* config/option.h -- rows that describe options: name, type, range, default, help. One table of rows per
 * struct of values; command line, configuration file, help, shell completion and documentation are made from
 * it. Thread: any that owns the values. Errors: TC_EUSAGE with a line that names the option and the remedy.
 */
#ifndef TC_CONFIG_OPTION_H
#define TC_CONFIG_OPTION_H

#include "base/fault.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_COUNT,   /* uint64_t; the text may end in k, m, g (1024s) */
    OPTION_SECONDS, /* uint64_t ns; the text is in seconds with fractions, or ends in ms, us, s, m, h */
    OPTION_TEXT,    /* const char *, borrowed; where `value` is words with | between, one of them */
    OPTION_FLAG,    /* bool; --no-NAME turns it off */
    OPTION_LIST,    /* struct setting_list, borrowed texts */
};

struct option_row {
    const char *name; /* long option, without dashes */
    enum option_type type;
    size_t offset;           /* of the field in the struct of values */
    const char *value;       /* what stands for the value in help; COUNT: its unit */
    uint64_t preset;         /* COUNT, SECONDS (ns), FLAG */
    uint64_t least, most;    /* COUNT, SECONDS (ns) */
    const char *preset_text; /* TEXT: may be NULL */
    const char *what;        /* one sentence */
};

/* A table: rows over the struct at `values`. */
struct option_table {
    const struct option_row *rows;
    uint32_t count;
};

void options_default(struct option_table t, void *values);
/* The row, or NULL. */
const struct option_row *option_find(struct option_table t, const char *name);
/* where: what stands in front of an error: "--max-rules" or "tickcast.conf:12: max_rules". value NULL: a flag
 * on. */
int option_set(const struct option_row *row, void *values, const char *value, const char *where,
               struct fault *f);
/* True if `word` is one of a row's words; false too if the row has no words. */
bool option_word_is(const struct option_row *row, const char *word, size_t size);
/* True if the row's value is a choice of lower-case words ("auto|uring|epoll"). */
bool option_words(const struct option_row *row);
/* One paragraph per row: option, value, what, default and range. */
void options_help(FILE *out, struct option_table t);
/* A default as text ("262144", "0.5", "auto", "none", "on"). */
void option_preset_print(const struct option_row *row, char *out, size_t size);

#define OPTIONS_OF(rows_array)                                                                               \
    ((struct option_table){.rows = (rows_array), .count = sizeof(rows_array) / sizeof((rows_array)[0])})

/* The table of struct settings (config/settings.h). */
struct option_table settings_table(void);

#endif
