/* cmd/help.h -- `tickcast help [COMMAND]`: everything from the tables of options and settings. */
#ifndef TC_CMD_HELP_H
#define TC_CMD_HELP_H

#include "cmd/cli.h"

extern const struct cli_command cli_help;
int cmd_help(int argc, char **argv);

/* The commands, one line each. */
void help_overview(FILE *out);
/* One command: usage, options, examples. */
void help_command(FILE *out, const struct cli_command *c);

#endif
