#include "cmd/bench_internal.h"

#include "base/affinity.h"

#include <stdlib.h>

static void bare_json(int argc, char **argv);
static int check(struct bench_options *o, struct fault *f);
static int check_verify(const struct bench_options *o, struct fault *f);
static int check_any(struct bench_options *o, struct fault *f);
static int make_urls(struct bench *b, struct fault *f);

#define AT(field) offsetof(struct bench_options, field)
#define COUNT(name_, field, preset_, least_, most_, unit, what_)                                             \
    {                                                                                                        \
        .name = name_, .type = OPTION_COUNT, .offset = AT(field), .value = unit, .preset = preset_,          \
        .least = least_, .most = most_, .what = what_                                                        \
    }
#define SECONDS(name_, field, preset_, least_, most_, what_)                                                 \
    {                                                                                                        \
        .name = name_, .type = OPTION_SECONDS, .offset = AT(field), .value = "S",                            \
        .preset = (preset_)*NS_PER_MS, .least = (least_)*NS_PER_MS, .most = (most_)*NS_PER_MS, .what = what_ \
    }
#define WORDS(name_, field, preset_, value_, what_)                                                          \
    {                                                                                                        \
        .name = name_, .type = OPTION_TEXT, .offset = AT(field), .value = value_, .preset_text = preset_,    \
        .what = what_                                                                                        \
    }
#define FLAG(name_, field, what_)                                                                            \
    {                                                                                                        \
        .name = name_, .type = OPTION_FLAG, .offset = AT(field), .value = "", .what = what_                  \
    }

#define LIST(name_, field, value_, what_)                                                                    \
    {                                                                                                        \
        .name = name_, .type = OPTION_LIST, .offset = AT(field), .value = value_, .what = what_              \
    }

static const struct option_row rows[] = {
    WORDS("url", url, CLIENT_URL_DEFAULT, "URL", "the server"),
    COUNT("connections", connections, 100, 0, 1000000, "connections",
          "subscribers that read as fast as they can"),
    SECONDS("duration", duration_ns, 10000, 100, 86400000, "how long to measure"),
    SECONDS("warmup", warmup_ns, 1000, 0, 3600000, "from the last connection to the first measurement"),
    WORDS("symbols", symbols, "*", "LIST",
          "what each subscribes to, with commas between; a final * is a prefix"),
    COUNT("lists", lists, 0, 0, BENCH_LISTS_MAX, "lists",
          "instead of --symbols: so many different lists, drawn from the server's symbols"),
    COUNT("list-size", list_size, 20, 1, BENCH_LIST_SIZE, "symbols", "in each of --lists"),
    WORDS("kinds", kinds, NULL, "LIST", "of trade,quote,bar,book,status; none given: all"),
    WORDS("policy", policy, "conflate", "conflate|complete|latest|close",
          "what the server does with a slow one"),
    WORDS("frame", frame, "batch", "batch|tick", "many ticks a frame, or one"),
    WORDS("rate", rate, NULL, "R", "at most R bursts of frames a second for each"),
    FLAG("binary", binary, "ask for tickcast.v1.bin (the reference of --verify stays JSON)"),
    FLAG("deflate", deflate,
         "agree on permessage-deflate and unpack (the reference of --verify stays plain)"),
    FLAG("mix", mix, "each connection draws its own policy, rate and framing"),
    WORDS("since", since, NULL, "N|30s|oldest", "begin in the past"),
    FLAG("snapshot", snapshot, "begin with the last values"),
    FLAG("idle", idle, "subscribe to nothing: only connections"),
    COUNT("slow", slow, 0, 0, 1000000, "connections", "more subscribers, which read at --slow-rate"),
    COUNT("slow-rate", slow_rate, 65536, 1, 1u << 30, "bytes a second", "of each slow one"),
    COUNT("stuck", stuck, 0, 0, 1000000, "connections", "more subscribers, which never read"),
    COUNT("kill", kill, 0, 0, 100000, "connections a second",
          "cut at random while measuring; each comes back and resumes where it was"),
    COUNT("churn", churn, 0, 0, 100000, "connections a second",
          "closed at random while measuring and opened anew"),
    COUNT("stall", stall, 0, 0, 100000, "connections a second",
          "stop reading at random while measuring, for up to --stall-max"),
    SECONDS("stall-max", stall_max_ns, 1000, 1, 3600000, "the longest stall"),
    FLAG("verify", verify,
         "hold every tick against a reference connection: all there, the same, none untold"),
    COUNT("enough", enough, 0, 0, UINT64_MAX, "verified ticks",
          "with --verify: end as soon as so many were delivered and found true; 0: only by --duration"),
    COUNT("sample", sample, 16, 1, 1000000, "ticks", "take the latency of every so-manieth tick"),
    COUNT("threads", threads, 1, 1, BENCH_THREADS_MAX, "threads", "that share the connections"),
    WORDS("cpus", cpus, NULL, "LIST", "processors to pin the threads to, as in 1,2-3"),
    WORDS("io", io, "auto", "auto|uring|epoll", "how to wait for bytes"),
    COUNT("seed", seed, 1, 0, UINT64_MAX, "", "of everything that is drawn"),
    COUNT("ramp", ramp, 0, 0, 1000000, "connections",
          "to open in a second; 0: as fast as the server takes them"),
    LIST("header", headers, "'NAME: VALUE'",
         "one more line of every request, as Authorization, Cookie or Origin"),
    SECONDS("connect-timeout", connect_timeout_ns, 30000, 100, 3600000,
            "for all connections to be subscribed"),
    FLAG("any", any, "a feed of another kind: the URL as it is, every message counted, none understood"),
    WORDS("send", send, NULL, "TEXT", "with --any: a message to send first, to subscribe"),
    WORDS("subprotocol", subprotocol, NULL, "NAME", "with --any: Sec-WebSocket-Protocol"),
    WORDS("ts-key", ts_key, NULL, "KEY",
          "with --any: latency from the number behind \"KEY\": wherever it stands in a message"),
    WORDS("ts-unit", ts_unit, "ns", "ns|us|ms|s", "of --ts-key, since 1970"),
    WORDS("seq-key", seq_key, NULL, "KEY",
          "with --any: the number behind \"KEY\": must rise; holes are counted"),
    WORDS("json", json, NULL, "FILE|-", "also the report as one JSON object; -: instead, on standard output"),
    WORDS("html", html, NULL, "FILE", "also the report as a page with plots"),
    FLAG("self-test", self_test, "measure a server of its own that stalls, and see that the report shows it"),
};

const struct cli_command cli_bench = {
    .name = "bench",
    .usage = "",
    .summary = "load generator, latency report and lie detector",
    .text = "Latency is measured from a tick's own time, the intended one: neither a feed nor a reader that\n"
            "stalls hides. Each connection's stream is checked for holes; the exit status is 1 if one was "
            "broken\n"
            "or lost. docs/bench.md says what each figure is.",
    .examples = "  tickcast bench --connections 1000 --duration 30 --html report.html\n"
                "  tickcast bench --connections 200 --slow 20 --stuck 5 --verify\n"
                "  tickcast bench --connections 200 --mix --kill 50 --stall 20 --verify --json -\n"
                "  tickcast bench --connections 1000 --lists 1000 --list-size 20 --threads 2 --cpus 2,3\n"
                "  tickcast bench --connections 5000 --churn 500 --ramp 1000\n"
                "  tickcast bench --any --url ws://127.0.0.1:9000/feed --send '{\"op\":\"sub\"}' --ts-key T "
                "--ts-unit ms\n"
                "  tickcast bench --self-test\n",
    .own = OPTIONS_OF(rows),
};

int bench_options_read(struct bench *b, int argc, char **argv, struct fault *f)
{
    struct setting_list words;
    bare_json(argc, argv);
    int r = cli_parse(&cli_bench, argc, argv, &b->options, NULL, &words, f);
    if (r == TC_OK) r = check(&b->options, f);
    if (r == TC_OK) r = make_urls(b, f);
    if (r == TC_OK) r = client_fields_make(&b->options.headers, "--header", b->fields, f);
    return r;
}

/* `--json` alone means standard output. */
static void bare_json(int argc, char **argv)
{
    static char to_stdout[] = "--json=-";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0 && (i + 1 == argc || strncmp(argv[i + 1], "--", 2) == 0))
            argv[i] = to_stdout;
}

static int check(struct bench_options *o, struct fault *f)
{
    uint64_t all = o->connections + o->slow + o->stuck;
    if (all == 0)
        return fault_set(f, TC_EUSAGE, "--connections: there is nobody to measure; use 1 or more, or --slow");
    if ((o->kill || o->churn || o->stall) && o->connections == 0)
        return fault_set(f, TC_EUSAGE, "--kill, --churn, --stall: are for --connections; use 1 or more");
    if (o->self_test && o->deflate)
        return fault_set(f, TC_EUSAGE, "--self-test: its own server packs nothing; leave --deflate out");
    if (o->self_test && o->headers.count)
        return fault_set(f, TC_EUSAGE,
                         "--self-test: its own server needs no more fields; leave --header out");
    if (o->lists && strcmp(o->symbols, "*") != 0)
        return fault_set(f, TC_EUSAGE, "--lists: the lists take the place of --symbols; leave one out");
    int r = check_verify(o, f);
    if (r == TC_OK) r = check_any(o, f);
    if (r < 0) return r;
    o->threads = min_u64(o->threads, all);
    uint32_t cpus[BENCH_THREADS_MAX];
    r = o->cpus ? affinity_parse_list(o->cpus, cpus, BENCH_THREADS_MAX, f) : 0;
    return r < 0 ? fault_within(f, "--cpus") : TC_OK;
}

static int check_verify(const struct bench_options *o, struct fault *f)
{
    if (!o->verify && o->enough)
        return fault_set(f, TC_EUSAGE, "--enough: counts what --verify has verified; add --verify");
    if (!o->verify) return TC_OK;
    if (o->idle)
        return fault_set(f, TC_EUSAGE, "--verify: idle connections have nothing to verify; leave --idle out");
    if (o->since) return fault_set(f, TC_EUSAGE, "--verify: the reference has no past; leave --since out");
    if (o->any)
        return fault_set(f, TC_EUSAGE, "--verify: only tickcast says what is complete; leave --any out");
    return TC_OK;
}

static int check_any(struct bench_options *o, struct fault *f)
{
    if (o->self_test) o->any = false;
    if (!o->any && (o->ts_key || o->seq_key || o->send || o->subprotocol))
        return fault_set(
            f, TC_EUSAGE,
            "--ts-key, --seq-key, --send, --subprotocol: are for a feed of another kind; add --any");
    if (o->any && (o->binary || o->mix || o->lists || o->kill || o->idle || o->rate || o->since || o->kinds))
        return fault_set(
            f, TC_EUSAGE,
            "--any: --binary, --mix, --lists, --kill, --idle, --rate, --since and --kinds are tickcast's; "
            "leave them out");
    return TC_OK;
}

static int make_urls(struct bench *b, struct fault *f)
{
    const struct bench_options *o = &b->options;
    int r = client_url_parse(o->url, "--url", &b->url, f);
    if (r < 0) return r;
    if (o->any) {
        size_t added = strlen("/v1/ws");
        if (strncmp(b->url.target, "/v1/ws", added) == 0 && !strstr(o->url, "/v1/ws"))
            memmove(b->url.target + 1, b->url.target + added, strlen(b->url.target + added) + 1);
        return TC_OK;
    }
    b->reference_url = b->url;
    r = client_url_query(&b->reference_url, "symbols", "*", f);
    if (r == TC_OK) r = client_url_query(&b->reference_url, "policy", "complete", f);
    if (r == TC_OK) r = client_url_query(&b->reference_url, "snapshot", "0", f);
    if (r == TC_OK && o->idle) return TC_OK;
    if (r == TC_OK) r = client_url_query(&b->url, "kinds", o->kinds, f);
    return r;
}
