/* cmd/serve_options.h -- what `serve` and `replay` take beside the settings. Texts are borrowed from argv. */
#ifndef TC_CMD_SERVE_OPTIONS_H
#define TC_CMD_SERVE_OPTIONS_H

#include "cmd/cli.h"

struct serve_options {
    const char *config; /* already loaded by cli_parse */
};

/* Everything of serve, and: */
struct replay_options {
    struct serve_options serve;
    const char *speed; /* "1", "10", "max" */
    const char *from, *to;
    bool loop;
    const char *format, *symbol; /* NULL: found out */
    uint64_t wait;               /* subscribers; REPLAY_WAIT_AUTO: 1 on a terminal, else 0 (decision 25) */
    const char *at_end;          /* "stay", "exit", or NULL: stay on a terminal, else exit */
    const char *on_error;        /* "stop" or "skip" */
};
#define REPLAY_WAIT_AUTO 1000001u

extern const struct cli_command cli_serve, cli_replay;

#endif
