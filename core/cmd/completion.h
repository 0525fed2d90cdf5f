/* cmd/completion.h -- `tickcast completion bash|zsh|fish`: a script made from the tables of options. */
#ifndef TC_CMD_COMPLETION_H
#define TC_CMD_COMPLETION_H

#include "cmd/cli.h"

extern const struct cli_command cli_completion;
int cmd_completion(int argc, char **argv);

#endif
