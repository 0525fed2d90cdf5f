/* cmd/cli.h -- the command line of every command: long options from tables, then plain words.
 * `--name value`, `--name=value`, `--no-flag`, `-h` for --help, `-v` for --verbose, `--` ends the options. */
#ifndef TC_CMD_CLI_H
#define TC_CMD_CLI_H

#include "base/fault.h"
#include "config/option.h"

struct cli_command {
    const char *name;
    const char *usage;    /* what follows the options: "FILE..." */
    const char *summary;  /* one line */
    const char *text;     /* a paragraph for `tickcast help NAME`, or NULL */
    const char *examples; /* lines, each indented and ended by a newline */
    struct option_table own;
    bool takes_settings; /* also every setting of config/settings.h, and --config FILE among its own */
    uint32_t words_least, words_most;
};

/* The help text was asked for and printed on standard output: exit 0. */
#define CLI_HELPED 1

/* Fills own (the struct under c->own), settings (takes_settings: defaults, then the file of --config, then
 * the command line, which wins; a list given on the command line replaces the file's) and words. Texts are
 * borrowed from argv; settings_free(settings) at the end, where 0 was returned. argv[0] is the command's
 * name. 0, CLI_HELPED, or TC_EUSAGE with one line for standard error that names the option and the remedy.
 * Does not call settings_check: the command may add to the settings first. */
int cli_parse(const struct cli_command *c, int argc, char **argv, void *own, struct settings *settings,
              struct setting_list *words, struct fault *f);

/* Prints "tickcast NAME: text" and returns the exit status of the fault: 2 for TC_EUSAGE, else 1. */
int cli_fail(const char *name, const struct fault *f);

#endif
