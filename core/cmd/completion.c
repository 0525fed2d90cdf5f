#include "cmd/completion.h"

#include "base/bytes.h"
#include "cmd/commands.h"

#define TABLES 2

static void bash_script(FILE *out);
static void zsh_script(FILE *out);
static void fish_script(FILE *out);
static void tables_of(const struct cli_command *c, struct option_table out[TABLES]);
static bool takes_path(const struct option_row *row);
static void words_print(FILE *out, const char *words);
static void quoted(FILE *out, const char *text, const char *escaped);

static const struct {
    const char *name;
    void (*print)(FILE *out);
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
#define SHELLS (sizeof shells / sizeof shells[0])

const struct cli_command cli_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "a completion script for your shell",
    .examples = "  source <(tickcast completion bash)\n"
                "  tickcast completion zsh > ~/.zfunc/_tickcast\n"
                "  tickcast completion fish > ~/.config/fish/completions/tickcast.fish\n",
    .words_least = 1,
    .words_most = 1,
};

int cmd_completion(int argc, char **argv)
{
    struct setting_list words;
    struct fault f;
    int r = cli_parse(&cli_completion, argc, argv, NULL, NULL, &words, &f);
    if (r < 0) return cli_fail("completion", &f);
    if (r == CLI_HELPED) return 0;
    for (size_t i = 0; i < SHELLS; i++)
        if (strcmp(words.at[0], shells[i].name) == 0) {
            shells[i].print(stdout);
            return 0;
        }
    fault_set(&f, TC_EUSAGE, "\"%.60s\" is no shell it knows; use bash, zsh or fish", words.at[0]);
    return cli_fail("completion", &f);
}

static void bash_script(FILE *out)
{
    fputs(
        "# bash completion of tickcast\n_tickcast() {\n    local cur=${COMP_WORDS[COMP_CWORD]}"
        " prev=${COMP_WORDS[COMP_CWORD-1]} words=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"",
        out);
    for (uint32_t i = 0; i < command_count; i++) fprintf(out, "%s ", commands[i].cli->name);
    fputs("--version --help\"\n    else\n        case ${COMP_WORDS[1]}:$prev in\n", out);
    for (uint32_t i = 0; i < command_count; i++) {
        struct option_table tables[TABLES];
        tables_of(commands[i].cli, tables);
        for (int t = 0; t < TABLES; t++)
            for (uint32_t k = 0; k < tables[t].count; k++) {
                const struct option_row *row = &tables[t].rows[k];
                if (row->type == OPTION_FLAG) continue;
                fprintf(out, "        %s:--%s) ", commands[i].cli->name, row->name);
                if (option_words(row)) {
                    fputs("words=\"", out);
                    words_print(out, row->value);
                    fputs("\" ;;\n", out);
                } else {
                    fputs(takes_path(row) ? "COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
                                          : "return ;;\n",
                          out);
                }
            }
    }
    for (uint32_t i = 0; i < command_count; i++) {
        struct option_table tables[TABLES];
        tables_of(commands[i].cli, tables);
        fprintf(out, "        %s:*) words=\"--help", commands[i].cli->name);
        for (int t = 0; t < TABLES; t++)
            for (uint32_t k = 0; k < tables[t].count; k++) fprintf(out, " --%s", tables[t].rows[k].name);
        fputs("\" ;;\n", out);
    }
    fputs("        esac\n        case $cur in -*) ;; *) case ${COMP_WORDS[1]} in replay)"
          " COMPREPLY=($(compgen -f -- \"$cur\")); return ;; esac ;; esac\n"
          "    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _tickcast tickcast\n",
          out);
}

static void zsh_script(FILE *out)
{
    fputs("#compdef tickcast\n_tickcast() {\n    local -a commands\n    commands=(\n", out);
    for (uint32_t i = 0; i < command_count; i++) {
        fprintf(out, "        '%s:", commands[i].cli->name);
        quoted(out, commands[i].cli->summary, ":");
        fputs("'\n", out);
    }
    fputs(
        "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
        "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n",
        out);
    for (uint32_t i = 0; i < command_count; i++) {
        struct option_table tables[TABLES];
        tables_of(commands[i].cli, tables);
        fprintf(out, "    %s) _arguments", commands[i].cli->name);
        for (int t = 0; t < TABLES; t++)
            for (uint32_t k = 0; k < tables[t].count; k++) {
                const struct option_row *row = &tables[t].rows[k];
                fprintf(out, " \\\n        '%s--%s%s[", row->type == OPTION_LIST ? "*" : "", row->name,
                        row->type == OPTION_FLAG ? "" : "=");
                quoted(out, row->what, "[]:");
                fputc(']', out);
                if (row->type != OPTION_FLAG) fprintf(out, ":%s:", row->name);
                if (option_words(row)) {
                    fputc('(', out);
                    words_print(out, row->value);
                    fputc(')', out);
                } else if (takes_path(row)) {
                    fputs("_files", out);
                }
                fputc('\'', out);
            }
        fputs(" '*:: :_files' ;;\n", out);
    }
    fputs("    esac\n}\n_tickcast \"$@\"\n", out);
}

static void fish_script(FILE *out)
{
    fputs("# fish completion of tickcast\ncomplete -c tickcast -f\n", out);
    for (uint32_t i = 0; i < command_count; i++) {
        fprintf(out, "complete -c tickcast -n __fish_use_subcommand -a %s -d '", commands[i].cli->name);
        quoted(out, commands[i].cli->summary, "'");
        fputs("'\n", out);
    }
    fputs("complete -c tickcast -n '__fish_seen_subcommand_from replay' -F\n", out);
    for (uint32_t i = 0; i < command_count; i++) {
        struct option_table tables[TABLES];
        tables_of(commands[i].cli, tables);
        for (int t = 0; t < TABLES; t++)
            for (uint32_t k = 0; k < tables[t].count; k++) {
                const struct option_row *row = &tables[t].rows[k];
                fprintf(out, "complete -c tickcast -n '__fish_seen_subcommand_from %s' -l %s%s",
                        commands[i].cli->name, row->name,
                        row->type == OPTION_FLAG ? ""
                        : takes_path(row)        ? " -rF"
                                                 : " -x");
                if (option_words(row)) {
                    fputs(" -a '", out);
                    words_print(out, row->value);
                    fputc('\'', out);
                }
                fputs(" -d '", out);
                quoted(out, row->what, "'");
                fputs("'\n", out);
            }
    }
}

static void tables_of(const struct cli_command *c, struct option_table out[TABLES])
{
    out[0] = c->own;
    out[1] = c->takes_settings ? settings_table() : (struct option_table){.count = 0};
}

static bool takes_path(const struct option_row *row)
{
    return row->type == OPTION_TEXT && (strcmp(row->value, "FILE") == 0 || strcmp(row->value, "DIR") == 0);
}

/* "a|b" as "a b". */
static void words_print(FILE *out, const char *words)
{
    for (; *words; words++) fputc(*words == '|' ? ' ' : *words, out);
}

/* Inside single quotes: ' itself has no place there and becomes a typographic one; `escaped` get a backslash.
 */
static void quoted(FILE *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("\xE2\x80\x99", out);
            continue;
        }
        if (strchr(escaped, *text)) fputc('\\', out);
        fputc(*text, out);
    }
}
