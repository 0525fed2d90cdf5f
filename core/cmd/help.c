#include "cmd/help.h"

#include "base/bytes.h"
#include "cmd/commands.h"

const struct cli_command cli_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "this list, or one command's options and examples",
    .examples = "  tickcast help serve\n",
    .words_most = 1,
};

int cmd_help(int argc, char **argv)
{
    struct setting_list words;
    struct fault f;
    int r = cli_parse(&cli_help, argc, argv, NULL, NULL, &words, &f);
    if (r < 0) return cli_fail("help", &f);
    if (r == CLI_HELPED) return 0;
    if (words.count == 0) {
        help_overview(stdout);
        return 0;
    }
    const struct command_entry *entry = command_find(words.at[0]);
    if (!entry) {
        const char *best = command_suggest(words.at[0]);
        fprintf(stderr, "tickcast help: no command \"%.60s\"; %s%s\n", words.at[0],
                best ? "did you mean " : "see `tickcast help`", best ? best : "");
        return 2;
    }
    help_command(stdout, entry->cli);
    return 0;
}

void help_overview(FILE *out)
{
    fputs("tickcast: a streaming market-data broadcaster\n\nusage: tickcast COMMAND [OPTIONS]\n\n", out);
    for (uint32_t i = 0; i < command_count; i++)
        fprintf(out, "  %-12s%s\n", commands[i].cli->name, commands[i].cli->summary);
    fputs("\n`tickcast help COMMAND` has the options and examples; `tickcast --version` the version.\n"
          "Exit status: 0 done, 1 failed while running, 2 wrong call or configuration.\n",
          out);
}

void help_command(FILE *out, const struct cli_command *c)
{
    bool options = c->own.count > 0 || c->takes_settings;
    fprintf(out, "tickcast %s: %s\n\nusage: tickcast %s%s%s%s\n", c->name, c->summary, c->name,
            options ? " [OPTIONS]" : "", c->usage[0] ? " " : "", c->usage);
    if (c->text) fprintf(out, "\n%s\n", c->text);
    if (c->examples) fprintf(out, "\nExamples:\n%s", c->examples);
    if (c->own.count > 0) {
        fputs("\nOptions:\n", out);
        options_help(out, c->own);
    }
    if (c->takes_settings) {
        fputs("\nSettings (also keys of the configuration file, with _ for -):\n", out);
        settings_help(out);
    }
}
