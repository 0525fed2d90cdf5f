/* config/option_help.c -- options as text for people. */
#include "config/option.h"

#include "base/bytes.h"

#define HELP_INDENT 30
#define HELP_WIDTH  100

static void range_print(const struct option_row *row, char *out, size_t size);
static void wrap(FILE *out, const char *text, uint32_t *column);

void options_help(FILE *out, struct option_table t)
{
    for (uint32_t i = 0; i < t.count; i++) {
        const struct option_row *row = &t.rows[i];
        const char *value = row->type == OPTION_COUNT ? "N" : row->type == OPTION_SECONDS ? "S" : row->value;
        bool flag = row->type == OPTION_FLAG;
        int used = fprintf(out, "  --%s%s%s", row->name, flag ? "" : " ", flag ? "" : value);
        if (used >= HELP_INDENT)
            fprintf(out, "\n%*s", HELP_INDENT, "");
        else
            fprintf(out, "%*s", HELP_INDENT - used, "");
        char preset[64], range[96], tail[192];
        option_preset_print(row, preset, sizeof preset);
        range_print(row, range, sizeof range);
        snprintf(tail, sizeof tail, " [default %s%s]", preset, range);
        uint32_t column = HELP_INDENT;
        wrap(out, row->what, &column);
        if (row->type == OPTION_LIST)
            wrap(out, " [may be repeated]", &column);
        else if (!flag || row->preset)
            wrap(out, tail, &column);
        fputc('\n', out);
    }
}

void option_preset_print(const struct option_row *row, char *out, size_t size)
{
    switch (row->type) {
    case OPTION_COUNT: snprintf(out, size, "%llu", (unsigned long long)row->preset); break;
    case OPTION_SECONDS: snprintf(out, size, "%.9g", (double)row->preset / 1e9); break;
    case OPTION_FLAG: snprintf(out, size, "%s", row->preset ? "on" : "off"); break;
    case OPTION_TEXT: snprintf(out, size, "%s", row->preset_text ? row->preset_text : "none"); break;
    case OPTION_LIST: snprintf(out, size, "none"); break;
    }
}

static void range_print(const struct option_row *row, char *out, size_t size)
{
    out[0] = 0;
    if (row->type == OPTION_COUNT)
        snprintf(out, size, "; %llu to %llu%s%s", (unsigned long long)row->least,
                 (unsigned long long)row->most, row->value[0] ? " " : "", row->value);
    if (row->type == OPTION_SECONDS)
        snprintf(out, size, "; %g to %g s", (double)row->least / 1e9, (double)row->most / 1e9);
}

/* Words up to HELP_WIDTH, further lines indented. */
static void wrap(FILE *out, const char *text, uint32_t *column)
{
    while (*text) {
        size_t space = strspn(text, " "), word = strcspn(text + space, " ");
        if (*column + space + word > HELP_WIDTH && *column > HELP_INDENT) {
            fprintf(out, "\n%*s", HELP_INDENT, "");
            *column = HELP_INDENT;
            text += space;
            space = 0;
        }
        fwrite(text, 1, space + word, out);
        *column += (uint32_t)(space + word);
        text += space + word;
    }
}
