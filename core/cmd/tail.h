/* cmd/tail.h -- `tickcast tail`: prints the stream; says gaps, lag and feed states as it meets them.
 * tail.c connects and resumes, tail_print.c makes lines. Thread: main. */
#ifndef TC_CMD_TAIL_H
#define TC_CMD_TAIL_H

#include "cmd/cli.h"
#include "cmd/scan.h"

extern const struct cli_command cli_tail;
int cmd_tail(int argc, char **argv);

struct tail_view {
    FILE *out, *notes; /* ticks; gaps, lag and the like under --json */
    bool json, colour, verbose;
};

/* One tick; old: a last value out of a snapshot. */
void tail_print_tick(const struct tail_view *v, const struct scan_tick *tick, bool old);
/* Every other message. */
void tail_print_notice(const struct tail_view *v, const struct scan_message *m, struct text json);
/* A line of tail's own: connected, reconnecting. */
void tail_print_note(const struct tail_view *v, const char *text);

#endif
