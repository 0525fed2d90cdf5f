#include "config/option.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <ctype.h>

static int set_count(const struct option_row *row, uint64_t *out, const char *value, const char *where,
                     struct fault *f);
static int set_seconds(const struct option_row *row, uint64_t *out, const char *value, const char *where,
                       struct fault *f);
static int set_text(const struct option_row *row, const char **out, const char *value, const char *where,
                    struct fault *f);
static int set_flag(bool *out, const char *value, const char *where, struct fault *f);
static int set_list(struct setting_list *out, const char *value, const char *where, struct fault *f);
static bool count_parse(const char *text, uint64_t *out);
static bool seconds_parse(const char *text, uint64_t *out_ns);

int option_set(const struct option_row *row, void *values, const char *value, const char *where,
               struct fault *f)
{
    void *field = (char *)values + row->offset;
    if (!value && row->type != OPTION_FLAG)
        return fault_set(f, TC_EUSAGE, "%s: a value is missing; write %s %s", where, where,
                         row->type == OPTION_COUNT ? "N" : row->value);
    switch (row->type) {
    case OPTION_COUNT: return set_count(row, field, value, where, f);
    case OPTION_SECONDS: return set_seconds(row, field, value, where, f);
    case OPTION_TEXT: return set_text(row, field, value, where, f);
    case OPTION_FLAG: return set_flag(field, value, where, f);
    case OPTION_LIST: return set_list(field, value, where, f);
    }
    TC_ASSERT(false);
    return TC_EUSAGE;
}

void options_default(struct option_table t, void *values)
{
    for (uint32_t i = 0; i < t.count; i++) {
        const struct option_row *row = &t.rows[i];
        void *field = (char *)values + row->offset;
        switch (row->type) {
        case OPTION_COUNT:
        case OPTION_SECONDS: *(uint64_t *)field = row->preset; break;
        case OPTION_TEXT: *(const char **)field = row->preset_text; break;
        case OPTION_FLAG: *(bool *)field = row->preset != 0; break;
        case OPTION_LIST: ((struct setting_list *)field)->count = 0; break;
        }
    }
}

const struct option_row *option_find(struct option_table t, const char *name)
{
    for (uint32_t i = 0; i < t.count; i++)
        if (strcmp(t.rows[i].name, name) == 0) return &t.rows[i];
    return NULL;
}

bool option_words(const struct option_row *row)
{
    if (row->type != OPTION_TEXT || !strchr(row->value, '|')) return false;
    for (const char *p = row->value; *p; p++)
        if (!islower((unsigned char)*p) && *p != '|') return false;
    return true;
}

bool option_word_is(const struct option_row *row, const char *word, size_t size)
{
    if (!option_words(row) || size == 0 || memchr(word, '|', size)) return false;
    const char *p = row->value;
    for (;;) {
        size_t n = strcspn(p, "|");
        if (n == size && memcmp(p, word, n) == 0) return true;
        if (p[n] == 0) return false;
        p += n + 1;
    }
}

static int set_count(const struct option_row *row, uint64_t *out, const char *value, const char *where,
                     struct fault *f)
{
    uint64_t n;
    if (!count_parse(value, &n))
        return fault_set(f, TC_EUSAGE,
                         "%s: \"%.60s\" is not a whole number; use digits, with k, m or g for 1024s", where,
                         value);
    if (n < row->least || n > row->most)
        return fault_set(f, TC_EUSAGE, "%s: %.60s is out of range; use %llu to %llu %s", where, value,
                         (unsigned long long)row->least, (unsigned long long)row->most, row->value);
    *out = n;
    return TC_OK;
}

static int set_seconds(const struct option_row *row, uint64_t *out, const char *value, const char *where,
                       struct fault *f)
{
    uint64_t ns;
    if (!seconds_parse(value, &ns))
        return fault_set(f, TC_EUSAGE, "%s: \"%.60s\" is not a time; use seconds, as in 10 or 0.5, or 250ms",
                         where, value);
    if (ns < row->least || ns > row->most)
        return fault_set(f, TC_EUSAGE, "%s: %.60s is out of range; use %g to %g seconds", where, value,
                         (double)row->least / 1e9, (double)row->most / 1e9);
    *out = ns;
    return TC_OK;
}

static int set_text(const struct option_row *row, const char **out, const char *value, const char *where,
                    struct fault *f)
{
    if (value[0] == 0)
        return fault_set(f, TC_EUSAGE, "%s: the value is empty; write %s, or leave the option out", where,
                         row->value);
    if (option_words(row) && !option_word_is(row, value, strlen(value)))
        return fault_set(f, TC_EUSAGE, "%s: \"%.60s\" is none of the choices; use %s", where, value,
                         row->value);
    *out = value;
    return TC_OK;
}

static int set_flag(bool *out, const char *value, const char *where, struct fault *f)
{
    static const char *const on[] = {"yes", "true", "on", "1"}, *const off[] = {"no", "false", "off", "0"};
    if (!value) {
        *out = true;
        return TC_OK;
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (strcmp(value, on[i]) == 0)
            *out = true;
        else if (strcmp(value, off[i]) == 0)
            *out = false;
        else
            continue;
        return TC_OK;
    }
    return fault_set(f, TC_EUSAGE, "%s: \"%.60s\" is neither yes nor no; use yes or no", where, value);
}

static int set_list(struct setting_list *out, const char *value, const char *where, struct fault *f)
{
    if (value[0] == 0) return fault_set(f, TC_EUSAGE, "%s: the value is empty; leave the option out", where);
    if (out->count == SETTING_LIST_MAX)
        return fault_set(f, TC_EUSAGE, "%s: given more than %u times; leave some out", where,
                         SETTING_LIST_MAX);
    out->at[out->count++] = value;
    return TC_OK;
}

static bool count_parse(const char *text, uint64_t *out)
{
    uint64_t n = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
            __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    if (p == text) return false;
    uint64_t factor = 1;
    if (*p == 'k' || *p == 'K')
        factor = 1024, p++;
    else if (*p == 'm' || *p == 'M')
        factor = 1024 * 1024, p++;
    else if (*p == 'g' || *p == 'G')
        factor = UINT64_C(1024) * 1024 * 1024, p++;
    return *p == 0 && !__builtin_mul_overflow(n, factor, out);
}

/* Exact in ns: no floating point. At most 9 digits behind the point. */
static bool seconds_parse(const char *text, uint64_t *out_ns)
{
    uint64_t whole = 0, part = 0, scale = NS_PER_SECOND;
    const char *p = text;
    uint32_t digits = 0;
    for (; isdigit((unsigned char)*p); p++, digits++) whole = whole * 10 + (uint64_t)(*p - '0');
    if (digits > 10) return false;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p) && scale > 1; p++, digits++) {
            scale /= 10;
            part += (uint64_t)(*p - '0') * scale;
        }
    if (digits == 0) return false;
    uint64_t ns = whole * NS_PER_SECOND + part;
    if (strcmp(p, "") == 0 || strcmp(p, "s") == 0)
        *out_ns = ns;
    else if (strcmp(p, "ms") == 0)
        *out_ns = ns / 1000;
    else if (strcmp(p, "us") == 0)
        *out_ns = ns / 1000000;
    else if (strcmp(p, "m") == 0 && whole < 10000000)
        *out_ns = ns * 60;
    else if (strcmp(p, "h") == 0 && whole < 1000000)
        *out_ns = ns * 3600;
    else
        return false;
    return true;
}
