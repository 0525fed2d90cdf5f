#include "cmd/top.h"

#include "admin/admin.h"
#include "base/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SERVERS_MAX 16u

const char *const top_sorts[TOP_SORTS] = {"lag", "bytes", "age", "queue", "id"};

static int choose_server(struct top *t, char found[SERVERS_MAX][ADMIN_PATH_MAX], struct fault *f);
static int ask(const struct top *t, const char *method, const char *target, struct client_reply *out,
               struct fault *f);
static int once(const struct top *t, struct fault *f);

#define AT(field) offsetof(struct top_options, field)
static const struct option_row rows[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .value = "URL|unix:PATH",
     .what = "the server; default: the administration socket of the one that runs here"},
    {.name = "token",
     .type = OPTION_TEXT,
     .offset = AT(token_file),
     .value = "FILE",
     .what = "the token of the server's --admin-token, for a URL"},
    {.name = "sort",
     .type = OPTION_TEXT,
     .offset = AT(sort),
     .value = "lag|bytes|age|queue|id",
     .preset_text = "lag",
     .what = "which come first"},
    {.name = "rows",
     .type = OPTION_COUNT,
     .offset = AT(rows),
     .value = "rows",
     .preset = 1000,
     .least = 1,
     .most = ADMIN_TOP_MAX,
     .what = "at most so many; on a terminal as many as fit"},
    {.name = "once",
     .type = OPTION_FLAG,
     .offset = AT(once),
     .value = "",
     .what = "print the table once and exit"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = AT(json),
     .value = "",
     .what = "print the server's JSON once and exit"},
    {.name = "kick",
     .type = OPTION_TEXT,
     .offset = AT(kick),
     .value = "ID",
     .what = "close this connection and exit"},
    {.name = "code",
     .type = OPTION_COUNT,
     .offset = AT(code),
     .value = "code",
     .preset = 1008,
     .least = 1000,
     .most = 4999,
     .what = "of --kick: the close code that its client is told"},
    {.name = "reason",
     .type = OPTION_TEXT,
     .offset = AT(reason),
     .value = "TEXT",
     .preset_text = "kicked",
     .what = "of --kick: the reason that its client is told"},
};

const struct cli_command cli_top = {
    .name = "top",
    .usage = "",
    .summary = "who is connected, how far behind, and what it costs",
    .text =
        "On a terminal a live table: up and down choose a connection, k kicks it (y confirms), l b a u i\n"
        "sort by lag, bytes, age, queue or id, q quits. Elsewhere the table is printed once.",
    .examples = "  tickcast top\n"
                "  tickcast top --sort queue --rows 20 --once\n"
                "  tickcast top --url http://market.example:8080 --token /etc/tickcast.token --json\n"
                "  tickcast top --kick 0-17-3 --code 4002 --reason 'too many connections'\n",
    .own = OPTIONS_OF(rows),
};

int cmd_top(int argc, char **argv)
{
    struct top t = {.server_text = NULL};
    char found[SERVERS_MAX][ADMIN_PATH_MAX], token[ADMIN_TOKEN_MOST + 1];
    struct setting_list words;
    struct fault f;
    bool others;
    int r = cli_parse(&cli_top, argc, argv, &t.options, NULL, &words, &f);
    if (r == CLI_HELPED) return 0;
    if (r == TC_OK && t.options.token_file) {
        r = admin_token_read(t.options.token_file, "--token", token, &others, &f);
        t.token = token;
    }
    if (r == TC_OK) r = choose_server(&t, found, &f);
    if (r == TC_OK && t.options.kick) {
        r = top_kick(&t, t.options.kick, &f);
        if (r == TC_OK) printf("kicked %s\n", t.options.kick);
    } else if (r == TC_OK && !t.options.once && !t.options.json && isatty(STDIN_FILENO) &&
               isatty(STDOUT_FILENO)) {
        return top_live(&t);
    } else if (r == TC_OK) {
        r = once(&t, &f);
    }
    return r < 0 ? cli_fail("top", &f) : 0;
}

static int choose_server(struct top *t, char found[SERVERS_MAX][ADMIN_PATH_MAX], struct fault *f)
{
    t->server_text = t->options.url;
    if (!t->server_text) {
        uint32_t count = admin_socket_find(found, SERVERS_MAX);
        if (count == 0)
            return fault_set(
                f, TC_ESYSTEM,
                "no server of this user answers here; start one with `tickcast serve`, or name one "
                "with --url");
        if (count > 1)
            return fault_set(f, TC_EUSAGE, "%u servers answer here; choose one: --url %s or --url %s%s",
                             count, found[0], found[1], count > 2 ? " or ..." : "");
        t->server_text = found[0];
    }
    return client_server(t->server_text, "--url", &t->server, f);
}

int top_fetch(const struct top *t, const char *sort, uint64_t count, struct client_reply *out,
              struct fault *f)
{
    char target[64];
    snprintf(target, sizeof target, "/v1/connections?sort=%s&top=%llu", sort, (unsigned long long)count);
    return ask(t, "GET", target, out, f);
}

int top_kick(const struct top *t, const char *id, struct fault *f)
{
    struct client_url target = {.port = ""};
    char code[8];
    if (strspn(id, "0123456789-") != strlen(id) || strlen(id) > 32)
        return fault_set(f, TC_EUSAGE,
                         "--kick: \"%.40s\" is no id; they look like 0-17-3, see the first column", id);
    snprintf(target.target, sizeof target.target, "/v1/connections/%s/kick", id);
    snprintf(code, sizeof code, "%u", (unsigned)t->options.code);
    int r = client_url_query(&target, "code", code, f);
    if (r == TC_OK) r = client_url_query(&target, "reason", t->options.reason, f);
    if (r < 0) return r;
    struct client_reply reply;
    r = ask(t, "POST", target.target, &reply, f);
    if (r == TC_OK) free(reply.bytes);
    return r;
}

/* An answer that is not 200 is a fault, in the server's words. */
static int ask(const struct top *t, const char *method, const char *target, struct client_reply *out,
               struct fault *f)
{
    int r = client_request(&t->server, method, target, t->token, TOP_ANSWER_MS, out, f);
    if (r < 0 || out->status == 200) return r;
    char words[200];
    struct text line = out->body;
    for (line.size = 0;
         line.size < out->body.size && line.at[line.size] != '\r' && line.at[line.size] != '\n';)
        line.size++;
    shown_copy(words, sizeof words, line);
    bool unasked = out->status == 404 && strcmp(method, "GET") == 0;
    free(out->bytes);
    out->bytes = NULL;
    return fault_set(f, TC_ESYSTEM, "%s: the server says %s%s", t->server_text, words,
                     out->status == 401 ? "; give --token FILE"
                     : unasked ? "; is it a port without administration? start it with --admin-token FILE"
                               : "");
}

static int once(const struct top *t, struct fault *f)
{
    struct client_reply reply;
    int r = top_fetch(t, t->options.sort, t->options.rows, &reply, f);
    if (r < 0) return r;
    if (t->options.json) {
        fwrite(reply.body.at, 1, reply.body.size, stdout);
        free(reply.bytes);
        return TC_OK;
    }
    struct top_table table;
    r = top_table_read(reply.body, &table, f);
    free(reply.bytes);
    if (r < 0) return r;
    char line[512];
    top_summary(&table, line, sizeof line);
    printf("%s\n\n", line);
    top_header(line, sizeof line);
    printf("%s\n", line);
    for (uint32_t i = 0; i < table.count; i++) {
        top_line(&table.rows[i], line, sizeof line);
        printf("%s\n", line);
    }
    if (table.more) printf("... and more; see --rows and --sort\n");
    top_table_free(&table);
    return TC_OK;
}
