#include "cmd/tail.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/shown.h"
#include "cmd/client_bin.h"
#include "cmd/client_stream.h"
#include "cmd/continuity.h"
#include "config/subscription.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS     5000u
#define SILENCE_MS     30000u /* the server's heartbeat is far more often: it is gone */
#define BACKOFF_MS     500u
#define BACKOFF_MS_MAX 10000u
#define DRAIN_MS_MAX   600000u

struct tail_options {
    const char *kinds, *policy, *rate, *since, *resume, *colour;
    uint64_t count;
    bool json, once, snapshot, verbose, binary;
};

struct tail {
    struct tail_options options;
    struct tail_view view;
    const char *url_text;
    const char *const *symbols;
    uint32_t symbol_count;
    char epoch[17];
    struct continuity at;
    struct client_bin bin; /* of this connection */
    uint64_t printed;
    uint64_t reconnect_ms; /* asked for by `drain`; 0: none */
};

/* What a connection came to; ON: it goes on. */
enum outcome { OUTCOME_ON, OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

static int make_url(const struct tail *t, struct client_url *url, struct fault *f);
static int run(struct tail *t);
static enum outcome follow(struct tail *t, struct client_stream *s);
static enum outcome refused(const struct scan_message *m);
static enum outcome closed(struct tail *t, const struct client_message *m);
static enum outcome take_binary(struct tail *t, const struct client_message *m);
static enum outcome take_message(struct tail *t, struct text json);
static void take_tick(struct tail *t, const struct scan_tick *tick, bool old);
static void broken(struct tail *t, const char *why);
static void pause_before(struct tail *t, uint32_t *backoff_ms);
static bool use_colour(const struct tail_options *o);

#define AT(field) offsetof(struct tail_options, field)
static const struct option_row rows[] = {
    {.name = "kinds",
     .type = OPTION_TEXT,
     .offset = AT(kinds),
     .value = "LIST",
     .what = "of trade,quote,bar,book,status; default all"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = AT(json),
     .value = "",
     .what = "tick objects as they came, one a line; notices go to standard error"},
    {.name = "binary",
     .type = OPTION_FLAG,
     .offset = AT(binary),
     .value = "",
     .what = "speak tickcast.v1.bin: fewer bytes, the same output"},
    {.name = "count",
     .type = OPTION_COUNT,
     .offset = AT(count),
     .value = "ticks",
     .most = UINT64_MAX >> 1,
     .what = "stop after so many ticks; 0: never"},
    {.name = "policy",
     .type = OPTION_TEXT,
     .offset = AT(policy),
     .value = "conflate|complete|latest|close",
     .preset_text = "conflate",
     .what = "what happens when this reader is too slow"},
    {.name = "rate",
     .type = OPTION_TEXT,
     .offset = AT(rate),
     .value = "R",
     .what = "at most R bursts of frames a second"},
    {.name = "since",
     .type = OPTION_TEXT,
     .offset = AT(since),
     .value = "N|30s|oldest",
     .what =
         "begin in the past: so many log positions, so long ago, or with the oldest tick the server holds"},
    {.name = "resume",
     .type = OPTION_TEXT,
     .offset = AT(resume),
     .value = "EPOCH-SEQ",
     .what = "go on behind this tick; -v prints where a stream stands"},
    {.name = "snapshot",
     .type = OPTION_FLAG,
     .offset = AT(snapshot),
     .value = "",
     .preset = 1,
     .what = "begin with the last values; --no-snapshot: only what is new"},
    {.name = "once",
     .type = OPTION_FLAG,
     .offset = AT(once),
     .value = "",
     .what = "exit when the connection ends, in place of resuming on a new one"},
    {.name = "colour",
     .type = OPTION_TEXT,
     .offset = AT(colour),
     .value = "auto|always|never",
     .preset_text = "auto",
     .what = "auto: on a terminal, unless NO_COLOR is set"},
    {.name = "verbose",
     .type = OPTION_FLAG,
     .offset = AT(verbose),
     .value = "",
     .what = "also heartbeats, subscriptions and positions; short: -v"},
};

const struct cli_command cli_tail = {
    .name = "tail",
    .usage = "[URL] [SYMBOL]...",
    .summary = "print a stream",
    .text = "URL: ws://HOST:PORT[/v1/ws]; default " CLIENT_URL_DEFAULT
            ". SYMBOL: a name or a prefix as in BRK*;\n"
            "none: everything. Resumes by itself when the connection is lost.",
    .examples = "  tickcast tail\n"
                "  tickcast tail AAPL 'BRK*' --kinds trade\n"
                "  tickcast tail ws://market.example:8080 --json --count 1000 > ticks.jsonl\n",
    .own = OPTIONS_OF(rows),
    .words_most = SETTING_LIST_MAX,
};

int cmd_tail(int argc, char **argv)
{
    struct tail t = {.url_text = CLIENT_URL_DEFAULT};
    struct setting_list words;
    struct fault f;
    int r = cli_parse(&cli_tail, argc, argv, &t.options, NULL, &words, &f);
    if (r == CLI_HELPED) return 0;
    if (r < 0) return cli_fail("tail", &f);
    bool url_given = words.count > 0 && strstr(words.at[0], "://");
    if (url_given) t.url_text = words.at[0];
    t.symbols = words.at + (url_given ? 1 : 0);
    t.symbol_count = words.count - (url_given ? 1 : 0);
    t.view = (struct tail_view){.out = stdout,
                                .notes = stderr,
                                .json = t.options.json,
                                .colour = use_colour(&t.options),
                                .verbose = t.options.verbose};
    return run(&t);
}

static bool use_colour(const struct tail_options *o)
{
    if (o->json || strcmp(o->colour, "never") == 0) return false;
    if (strcmp(o->colour, "always") == 0) return true;
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && no[0]);
}

static int run(struct tail *t)
{
    bool ever = false;
    uint32_t backoff_ms = BACKOFF_MS;
    for (;;) {
        struct client_url url;
        struct client_stream s;
        struct fault f;
        int r = make_url(t, &url, &f);
        if (r == TC_OK)
            r = client_stream_open_as(&s, &url, subprotocol_names[t->options.binary], CONNECT_MS, &f);
        enum outcome outcome = OUTCOME_AGAIN;
        if (r < 0) {
            if (!ever || r == TC_EUSAGE) return cli_fail("tail", &f);
            tail_print_note(&t->view, f.text);
        } else {
            ever = true;
            uint64_t before = t->printed;
            outcome = follow(t, &s);
            client_stream_close(&s);
            client_bin_free(&t->bin);
            if (t->printed > before) backoff_ms = BACKOFF_MS;
        }
        fflush(stdout);
        if (outcome == OUTCOME_DONE) return 0;
        if (outcome == OUTCOME_FAILED || t->options.once) return 1;
        pause_before(t, &backoff_ms);
    }
}

static int make_url(const struct tail *t, struct client_url *url, struct fault *f)
{
    const struct tail_options *o = &t->options;
    char resume[48];
    bool known = t->epoch[0] && t->at.subscribed;
    snprintf(resume, sizeof resume, "%s-%llu", t->epoch, (unsigned long long)continuity_resume_seq(&t->at));
    static const char *const all[] = {"*"};
    int r = client_url_parse(t->url_text, "URL", url, f);
    if (r == TC_OK && t->symbol_count)
        r = client_url_query_list(url, "symbols", t->symbols, t->symbol_count, f);
    else if (r == TC_OK && !strstr(url->target, "symbols="))
        r = client_url_query_list(url, "symbols", all, 1, f);
    if (r == TC_OK) r = client_url_query(url, "kinds", o->kinds, f);
    if (r == TC_OK && !strstr(url->target, "policy=")) r = client_url_query(url, "policy", o->policy, f);
    if (r == TC_OK) r = client_url_query(url, "rate", o->rate, f);
    if (r == TC_OK) r = client_url_query(url, "since", known || o->resume ? NULL : o->since, f);
    if (r == TC_OK) r = client_url_query(url, "resume", known ? resume : o->resume, f);
    if (r == TC_OK && !o->snapshot) r = client_url_query(url, "snapshot", "0", f);
    return r;
}

static enum outcome follow(struct tail *t, struct client_stream *s)
{
    t->at = (struct continuity){0};
    uint64_t quiet_since = clock_mono_ns();
    for (;;) {
        struct client_message m;
        enum client_event event = client_stream_next(s, 0, &m);
        if (event == CLIENT_MORE) {
            if (fflush(stdout) != 0)
                return OUTCOME_DONE; /* the reader of our output went away, as `head` does */
            event = client_stream_next(s, 1000, &m);
        }
        if (event == CLIENT_TEXT || event == CLIENT_BINARY) {
            quiet_since = clock_mono_ns();
            enum outcome outcome =
                event == CLIENT_BINARY
                    ? take_binary(t, &m)
                    : take_message(t, (struct text){.at = (const char *)m.payload, .size = m.size});
            if (outcome != OUTCOME_ON) return outcome;
        } else if (event == CLIENT_CLOSE) {
            return closed(t, &m);
        } else if (event == CLIENT_BAD) {
            tail_print_note(&t->view, m.fail);
            return OUTCOME_AGAIN;
        } else if (clock_mono_ns() - quiet_since > SILENCE_MS * NS_PER_MS) {
            tail_print_note(&t->view, "nothing came for 30 s, not even a heartbeat");
            return OUTCOME_AGAIN;
        }
    }
}

static enum outcome closed(struct tail *t, const struct client_message *m)
{
    char text[200], reason[124];
    snprintf(text, sizeof text, "closed by the server: %u %s", m->close_code,
             shown_copy(reason, sizeof reason, (struct text){(const char *)m->payload, m->size}));
    if (m->close_code != WS_NORMAL || t->view.verbose) tail_print_note(&t->view, text);
    switch (m->close_code) {
    case WS_NORMAL: return OUTCOME_DONE;
    case WS_PROTOCOL_ERROR:
    case WS_BAD_DATA:
    case WS_POLICY:
    case WS_TOO_BIG: return OUTCOME_FAILED; /* the same would happen again */
    default: return OUTCOME_AGAIN;
    }
}

/* As the JSON it stands for. */
static enum outcome take_binary(struct tail *t, const struct client_message *m)
{
    struct text json;
    if (client_bin_json(&t->bin, m->payload, m->size, &json) < 0) {
        broken(t, "a binary message is not what the protocol says");
        return OUTCOME_ON;
    }
    return json.size > 0 ? take_message(t, json) : OUTCOME_ON;
}

/* DONE: --count was reached. FAILED: what was asked for is not to be had. */
static enum outcome take_message(struct tail *t, struct text json)
{
    struct scan_message m;
    struct scan_tick tick;
    if (scan_message(json, &m) < 0) {
        broken(t, "a message is not what the protocol says");
        return OUTCOME_ON;
    }
    if (m.type == SCAN_HELLO && m.epoch.size == 16) memcpy(t->epoch, m.epoch.at, 16);
    if (m.type == SCAN_DRAIN) t->reconnect_ms = 1 + min_u64(m.reconnect_after_ms, DRAIN_MS_MAX);
    if (m.type == SCAN_ERROR && !t->at.subscribed) return refused(&m);
    broken(t, continuity_begin(&t->at, &m));
    if (scan_is_tick(m.type)) {
        if (scan_tick(json, &tick) == 0) take_tick(t, &tick, false);
    } else if (m.type != SCAN_TICKS && m.type != SCAN_SNAPSHOT) {
        tail_print_notice(&t->view, &m, json);
    }
    int r = 0;
    bool enough = t->options.count && t->printed >= t->options.count;
    while (!enough && (r = scan_tick_next(&m, &tick)) > 0) {
        broken(t, continuity_tick(&t->at, &m, tick.seq));
        take_tick(t, &tick, m.type == SCAN_SNAPSHOT);
        enough = t->options.count && t->printed >= t->options.count;
    }
    if (enough) return OUTCOME_DONE;
    if (r < 0 || scan_message_end(&m) < 0) broken(t, "a message is not what the protocol says");
    continuity_end(&t->at, &m);
    return OUTCOME_ON;
}

/* Nothing was subscribed, and asking again would not help. */
static enum outcome refused(const struct scan_message *m)
{
    char code[61], message[301];
    fprintf(stderr, "tickcast tail: the server says %s: %s\n", shown_copy(code, sizeof code, m->code),
            shown_copy(message, sizeof message, m->message));
    return OUTCOME_FAILED;
}

static void take_tick(struct tail *t, const struct scan_tick *tick, bool old)
{
    tail_print_tick(&t->view, tick, old);
    t->printed++;
}

/* NULL: nothing is. */
static void broken(struct tail *t, const char *why)
{
    char text[200];
    if (!why) return;
    snprintf(text, sizeof text, "the stream is broken at position %llu: %s",
             (unsigned long long)t->at.position, why);
    tail_print_note(&t->view, text);
}

/* Doubling, with chance in it so that many clients do not come back at once. */
static void pause_before(struct tail *t, uint32_t *backoff_ms)
{
    struct random random;
    random_seed(&random, clock_mono_ns() ^ (uint64_t)getpid());
    uint64_t ms = *backoff_ms / 2 + random_below(&random, *backoff_ms);
    if (t->reconnect_ms) ms = t->reconnect_ms + random_below(&random, BACKOFF_MS);
    t->reconnect_ms = 0;
    *backoff_ms = min_u32(*backoff_ms * 2, BACKOFF_MS_MAX);
    struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    nanosleep(&pause, NULL);
}
