#include "cmd/commands.h"

#include "base/bytes.h"
#include "cmd/bench.h"
#include "cmd/completion.h"
#include "cmd/help.h"
#include "cmd/serve.h"
#include "cmd/serve_options.h"
#include "cmd/tail.h"
#include "cmd/top.h"
#include "config/suggest.h"

const struct command_entry commands[] = {
    {&cli_serve, cmd_serve}, {&cli_replay, cmd_replay}, {&cli_tail, cmd_tail},
    {&cli_bench, cmd_bench}, {&cli_top, cmd_top},       {&cli_completion, cmd_completion},
    {&cli_help, cmd_help},
};
const uint32_t command_count = sizeof commands / sizeof commands[0];

const struct command_entry *command_find(const char *name)
{
    for (uint32_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].cli->name, name) == 0) return &commands[i];
    return NULL;
}

const char *command_suggest(const char *name)
{
    struct suggest suggest = {.word = name};
    for (uint32_t i = 0; i < command_count; i++) suggest_offer(&suggest, commands[i].cli->name);
    return suggest_best(&suggest);
}
