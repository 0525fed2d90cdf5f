/* cmd/server.h -- the server's life: log, feeds, listeners, workers; start, run until told to end, drain.
 * Thread: main. */
#ifndef TC_CMD_SERVER_H
#define TC_CMD_SERVER_H

#include "config/settings.h"
#include "feeds/feed_thread.h"
#include "worker/worker.h"

#include <signal.h>

struct server_run {
    const struct settings *settings;
    const char *const *uris;
    uint32_t uri_count;
    uint32_t wait_members; /* feeds start once so many are subscribed */
    bool exit_at_end;      /* when all feeds are done: deliver, close, exit 0 */
    bool terminal;         /* standard error is one: live figures */
};

/* Runs until SIGTERM, SIGINT or the end. The exit status; an error was told on standard error. */
int server_run(const struct server_run *o);

/* ---- serve_figures.c: the live line on standard error. ---- */
struct figures {
    uint64_t at_ns, head, ticks, bytes;
    bool on_line; /* a line is on the terminal that the next one overwrites */
};
void figures_print(struct figures *f, const struct server *s, const struct feed_thread_stats *feeds,
                   bool terminal);

#endif
