/* config/settings_file.c -- the configuration file: `key = value` lines, # starts a comment at a line's start
 * or after a space. Keys are the options of the table with _ for -. The text is kept: settings point into it.
 */
#include "config/settings.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "config/option.h"
#include "config/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 1048576u
#define NAME_MAX_BYTES 64u
#define ROWS_MAX       128u

struct file_state {
    const char *path;
    uint32_t line;
    uint32_t seen_line[ROWS_MAX]; /* by row: where it was set; 0: not yet */
};

static int read_all(const char *path, char **out, struct fault *f);
static int unreadable(const char *path, struct fault *f);
static int parse_line(struct settings *s, struct file_state *st, char *line, struct fault *f);
static int set_key(struct settings *s, struct file_state *st, const char *key, char *value, struct fault *f);
static int unknown_key(const struct file_state *st, const char *key, struct fault *f);
static void cut_comment(char *line);
static char *trim(char *text);

int settings_load(struct settings *s, const char *path, struct fault *f)
{
    TC_ASSERT(!s->text); /* one file: fields point into its text */
    TC_ASSERT(settings_table().count <= ROWS_MAX);
    int r = read_all(path, &s->text, f);
    struct file_state st = {.path = path};
    char *next = s->text;
    if (next) next += utf8_mark(next, strlen(next));
    while (r == TC_OK && next) {
        char *line = next;
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        st.line++;
        r = parse_line(s, &st, line, f);
    }
    return r;
}

static int read_all(const char *path, char **out, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return unreadable(path, f);
    struct stat st;
    int r = TC_EUSAGE;
    char *text = NULL;
    size_t used = 0;
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        fault_set(f, r, "--config %s: not a file; name a file of `key = value` lines", path);
    } else if (!(text = malloc(FILE_BYTES_MAX + 1))) {
        fault_set(f, r, "--config %s: no memory for its text", path);
    } else {
        ssize_t n = 1;
        while (used < FILE_BYTES_MAX && (n = read(fd, text + used, FILE_BYTES_MAX - used)) > 0)
            used += (size_t)n;
        text[used] = 0;
        if (n < 0)
            r = unreadable(path, f);
        else if (used == FILE_BYTES_MAX)
            fault_set(f, r, "--config %s: larger than %u bytes; is it the right file?", path, FILE_BYTES_MAX);
        else if (strlen(text) != used)
            fault_set(f, r, "--config %s: has a zero byte; it must be a text file", path);
        else
            r = TC_OK;
    }
    close(fd);
    if (r == TC_OK)
        *out = text;
    else
        free(text);
    return r;
}

/* A file that cannot be read is a wrong call: exit status 2. */
static int unreadable(const char *path, struct fault *f)
{
    fault_errno(f, "--config %s", path);
    if (f) f->code = TC_EUSAGE;
    return TC_EUSAGE;
}

static int parse_line(struct settings *s, struct file_state *st, char *line, struct fault *f)
{
    cut_comment(line);
    char *key = trim(line);
    if (!*key) return TC_OK;
    char *equals = strchr(key, '=');
    if (!equals)
        return fault_set(f, TC_EUSAGE, "%s:%u: \"%.60s\" has no \"=\"; write key = value", st->path, st->line,
                         key);
    *equals = 0;
    key = trim(key);
    char *value = trim(equals + 1);
    size_t size = strlen(value);
    if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
        value[size - 1] = 0;
        value++;
    }
    return set_key(s, st, key, value, f);
}

static int set_key(struct settings *s, struct file_state *st, const char *key, char *value, struct fault *f)
{
    char name[NAME_MAX_BYTES] = "";
    size_t size = strlen(key);
    if (size == 0 || size >= sizeof name) return unknown_key(st, key, f);
    for (size_t i = 0; i < size; i++) name[i] = key[i] == '_' ? '-' : key[i];
    const struct option_row *row = option_find(settings_table(), name);
    if (!row) return unknown_key(st, key, f);
    uint32_t *seen = &st->seen_line[row - settings_table().rows];
    if (*seen && row->type != OPTION_LIST)
        return fault_set(f, TC_EUSAGE, "%s:%u: %s was set in line %u already; remove one of them", st->path,
                         st->line, key, *seen);
    *seen = st->line;
    char where[320];
    snprintf(where, sizeof where, "%.200s:%u: %s", st->path, st->line, key);
    return option_set(row, s, value, where, f);
}

static int unknown_key(const struct file_state *st, const char *key, struct fault *f)
{
    char typed[NAME_MAX_BYTES], near[NAME_MAX_BYTES];
    snprintf(typed, sizeof typed, "%s", key);
    for (char *p = typed; *p; p++) *p = *p == '_' ? '-' : *p;
    struct suggest suggest = {.word = typed};
    struct option_table t = settings_table();
    for (uint32_t i = 0; i < t.count; i++) suggest_offer(&suggest, t.rows[i].name);
    const char *best = suggest_best(&suggest);
    if (!best)
        return fault_set(f, TC_EUSAGE, "%s:%u: no setting \"%.60s\"; see `tickcast help serve`", st->path,
                         st->line, key);
    snprintf(near, sizeof near, "%s", best);
    for (char *p = near; *p; p++) *p = *p == '-' ? '_' : *p;
    return fault_set(f, TC_EUSAGE, "%s:%u: no setting \"%.60s\"; did you mean %s?", st->path, st->line, key,
                     near);
}

static void cut_comment(char *line)
{
    for (char *p = line; *p; p++)
        if (*p == '#' && (p == line || isspace((unsigned char)p[-1]))) *p = 0;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1])) text[--size] = 0;
    return text;
}
