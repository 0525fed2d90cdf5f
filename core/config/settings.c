#include "config/settings.h"

#include "base/bytes.h"
#include "config/option.h"

#include <stdlib.h>

#define AT(field)     offsetof(struct settings, field)
#define SECONDS_NS(s) ((uint64_t)((s)*1e9))

#define ROW_U(field, option, preset_, least_, most_, unit, what_)                                            \
    {.name = option,                                                                                         \
     .type = OPTION_COUNT,                                                                                   \
     .offset = AT(field),                                                                                    \
     .value = unit,                                                                                          \
     .preset = preset_,                                                                                      \
     .least = least_,                                                                                        \
     .most = most_,                                                                                          \
     .what = what_},
#define ROW_S(field, option, preset_, least_, most_, what_)                                                  \
    {.name = option,                                                                                         \
     .type = OPTION_SECONDS,                                                                                 \
     .offset = AT(field),                                                                                    \
     .value = "S",                                                                                           \
     .preset = SECONDS_NS(preset_),                                                                          \
     .least = SECONDS_NS(least_),                                                                            \
     .most = SECONDS_NS(most_),                                                                              \
     .what = what_},
#define ROW_T(field, option, preset_, value_, what_)                                                         \
    {.name = option,                                                                                         \
     .type = OPTION_TEXT,                                                                                    \
     .offset = AT(field),                                                                                    \
     .value = value_,                                                                                        \
     .preset_text = preset_,                                                                                 \
     .what = what_},
#define ROW_B(field, option, preset_, what_)                                                                 \
    {.name = option, .type = OPTION_FLAG, .offset = AT(field), .value = "", .preset = preset_, .what = what_},
#define ROW_L(field, option, value_, what_)                                                                  \
    {.name = option, .type = OPTION_LIST, .offset = AT(field), .value = value_, .what = what_},

static const struct option_row rows[] = {TC_SETTINGS(ROW_U, ROW_S, ROW_T, ROW_B, ROW_L)};

struct option_table settings_table(void)
{
    return OPTIONS_OF(rows);
}

void settings_default(struct settings *s)
{
    memset(s, 0, sizeof *s);
    options_default(settings_table(), s);
}

int settings_set(struct settings *s, const char *name, const char *value, const char *where, struct fault *f)
{
    const struct option_row *row = option_find(settings_table(), name);
    if (!row) {
        if (f) *f = (struct fault){.code = TC_ENOTFOUND};
        return TC_ENOTFOUND;
    }
    return option_set(row, s, value, where, f);
}

bool settings_is_flag(const char *name)
{
    const struct option_row *row = option_find(settings_table(), name);
    return row && row->type == OPTION_FLAG;
}

void settings_help(FILE *out)
{
    options_help(out, settings_table());
}

void settings_free(struct settings *s)
{
    free(s->text);
    s->text = NULL;
}
