#include "cmd/cli.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "cmd/help.h"
#include "config/suggest.h"

#define OPTION_NAME_MAX 64u
#define ROWS_MAX        128u

struct cli_state {
    const struct cli_command *c;
    int argc, next;
    char **argv;
    void *own;
    struct settings *settings;
    bool given[ROWS_MAX]; /* by row of the settings: on the command line */
};

static int load_config(struct cli_state *s, struct fault *f);
static int take_option(struct cli_state *s, const char *argument, struct fault *f);
static int take_value(struct cli_state *s, const struct option_row *row, bool settings, const char *name,
                      const char *value, struct fault *f);
static const struct option_row *find(const struct cli_state *s, const char *name, bool *settings);
static int unknown(const struct cli_state *s, const char *name, struct fault *f);
static int take_word(struct setting_list *words, const struct cli_command *c, const char *word,
                     struct fault *f);

int cli_parse(const struct cli_command *c, int argc, char **argv, void *own, struct settings *settings,
              struct setting_list *words, struct fault *f)
{
    struct cli_state s = {.c = c, .argc = argc, .argv = argv, .next = 1, .own = own, .settings = settings};
    TC_ASSERT(settings_table().count <= ROWS_MAX);
    options_default(c->own, own);
    words->count = 0;
    if (settings) settings_default(settings);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help_command(stdout, c);
            return CLI_HELPED;
        }
    int r = settings ? load_config(&s, f) : TC_OK;
    bool words_only = false;
    while (r == TC_OK && s.next < argc) {
        const char *argument = argv[s.next++];
        if (!words_only && strcmp(argument, "--") == 0)
            words_only = true;
        else if (!words_only && argument[0] == '-' && argument[1])
            r = take_option(&s, argument, f);
        else
            r = take_word(words, c, argument, f);
    }
    if (r == TC_OK && words->count < c->words_least)
        r = fault_set(f, TC_EUSAGE, "%s is missing; see `tickcast help %s`", c->usage, c->name);
    if (r < 0 && settings) settings_free(settings);
    return r;
}

int cli_fail(const char *name, const struct fault *f)
{
    fprintf(stderr, "tickcast %s: %s\n", name, f->text);
    return f->code == TC_EUSAGE ? 2 : 1;
}

/* The file comes before the command line, wherever --config stands in it. */
static int load_config(struct cli_state *s, struct fault *f)
{
    const char *path = NULL;
    for (int i = 1; i < s->argc && strcmp(s->argv[i], "--") != 0; i++) {
        if (strncmp(s->argv[i], "--config=", 9) == 0)
            path = s->argv[i] + 9;
        else if (strcmp(s->argv[i], "--config") == 0 && i + 1 < s->argc)
            path = s->argv[++i];
    }
    return path ? settings_load(s->settings, path, f) : TC_OK;
}

static int take_option(struct cli_state *s, const char *argument, struct fault *f)
{
    if (strcmp(argument, "-v") == 0) argument = "--verbose";
    if (argument[1] != '-')
        return fault_set(f, TC_EUSAGE, "%.60s: no such option; options are long: see `tickcast help %s`",
                         argument, s->c->name);
    const char *equals = strchr(argument, '=');
    size_t size = equals ? (size_t)(equals - argument - 2) : strlen(argument + 2);
    char name[OPTION_NAME_MAX];
    if (size == 0 || size >= sizeof name) return unknown(s, argument, f);
    memcpy(name, argument + 2, size);
    name[size] = 0;
    bool settings = false;
    const char *value = equals ? equals + 1 : NULL;
    const struct option_row *row = find(s, name, &settings);
    if (!row && strncmp(name, "no-", 3) == 0) {
        row = find(s, name + 3, &settings);
        if (row && (row->type != OPTION_FLAG || value))
            return fault_set(f, TC_EUSAGE,
                             "--%s: only a flag can be turned off, without a value; see `tickcast help %s`",
                             name, s->c->name);
        value = "no";
    }
    if (!row) return unknown(s, name, f);
    return take_value(s, row, settings, name, value, f);
}

static int take_value(struct cli_state *s, const struct option_row *row, bool settings, const char *name,
                      const char *value, struct fault *f)
{
    char where[OPTION_NAME_MAX + 2];
    snprintf(where, sizeof where, "--%s", name);
    bool more = s->next < s->argc && strncmp(s->argv[s->next], "--", 2) != 0;
    if (!value && row->type != OPTION_FLAG && more) value = s->argv[s->next++];
    void *values = settings ? (void *)s->settings : s->own;
    if (settings && row->type == OPTION_LIST) {
        bool *given = &s->given[row - settings_table().rows];
        if (!*given) ((struct setting_list *)((char *)values + row->offset))->count = 0;
        *given = true;
    }
    return option_set(row, values, value, where, f);
}

static const struct option_row *find(const struct cli_state *s, const char *name, bool *settings)
{
    const struct option_row *row = option_find(s->c->own, name);
    *settings = !row && s->settings;
    return *settings ? option_find(settings_table(), name) : row;
}

static int unknown(const struct cli_state *s, const char *name, struct fault *f)
{
    struct suggest suggest = {.word = name};
    for (uint32_t i = 0; i < s->c->own.count; i++) suggest_offer(&suggest, s->c->own.rows[i].name);
    struct option_table t = s->settings ? settings_table() : (struct option_table){.count = 0};
    for (uint32_t i = 0; i < t.count; i++) suggest_offer(&suggest, t.rows[i].name);
    const char *best = suggest_best(&suggest);
    if (best) return fault_set(f, TC_EUSAGE, "--%.60s: no such option; did you mean --%s?", name, best);
    return fault_set(f, TC_EUSAGE, "--%.60s: no such option; see `tickcast help %s`", name, s->c->name);
}

static int take_word(struct setting_list *words, const struct cli_command *c, const char *word,
                     struct fault *f)
{
    uint32_t most = min_u32(c->words_most, SETTING_LIST_MAX);
    if (most == 0)
        return fault_set(f, TC_EUSAGE,
                         "\"%.60s\" is not expected; options begin with --; see `tickcast help %s`", word,
                         c->name);
    if (words->count == most)
        return fault_set(f, TC_EUSAGE, "\"%.60s\" is too much: at most %u of %s; see `tickcast help %s`",
                         word, most, c->usage, c->name);
    words->at[words->count++] = word;
    return TC_OK;
}
