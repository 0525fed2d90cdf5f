/* cmd/commands.h -- the commands of the program, in the order of `tickcast help`. */
#ifndef TC_CMD_COMMANDS_H
#define TC_CMD_COMMANDS_H

#include "cmd/cli.h"

struct command_entry {
    const struct cli_command *cli;
    int (*run)(int argc, char **argv); /* argv[0]: the command's name; returns the exit status */
};

extern const struct command_entry commands[];
extern const uint32_t command_count;

/* NULL if there is none of that name. */
const struct command_entry *command_find(const char *name);
/* The nearest name, or NULL. */
const char *command_suggest(const char *name);

#endif
