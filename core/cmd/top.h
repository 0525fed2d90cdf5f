/* cmd/top.h -- `tickcast top`: who is connected, how far behind, and what it costs; and a kick. */
#ifndef TC_CMD_TOP_H
#define TC_CMD_TOP_H

#include "cmd/cli.h"
#include "cmd/client_request.h"

extern const struct cli_command cli_top;
int cmd_top(int argc, char **argv);

/* ---- For top_*.c alone. ---- */

#define TOP_ANSWER_MS 10000u
#define TOP_SORTS     5u
extern const char *const top_sorts[TOP_SORTS];

struct top_options {
    const char *url, *token_file, *sort, *kick, *reason;
    uint64_t code, rows;
    bool once, json;
};

struct top {
    struct top_options options;
    struct client_server server;
    const char *server_text;
    const char *token; /* NULL: none */
};

/* Asks for /v1/connections; 0 with an answer of status 200 (owner: the caller), else the fault says why. */
int top_fetch(const struct top *t, const char *sort, uint64_t rows, struct client_reply *out,
              struct fault *f);
int top_kick(const struct top *t, const char *id, struct fault *f);

struct top_row {
    char id[36], peer[64], state[12], policy[10], frame[12], symbols[48];
    double rate; /* 0: no limit */
    uint64_t lag, lag_ms, queue, conflated, gaps, ticks, bytes, age_ms;
    bool subscribed, full, slow;
};
struct top_table {
    struct top_row *rows; /* owned: top_table_free */
    uint32_t count;
    uint64_t connections, subscribers, behind, head, ticks, bytes;
    char server[48];
    bool more;
};
/* TC_EINPUT: it is not what a server says. */
int top_table_read(struct text json, struct top_table *out, struct fault *f);
void top_table_free(struct top_table *t);
/* One line each, without its end, into out[size]. */
void top_summary(const struct top_table *t, char *out, size_t size);
void top_header(char *out, size_t size);
void top_line(const struct top_row *r, char *out, size_t size);

/* The live table, until q or ^C. The exit status. */
int top_live(struct top *t);

#endif
