#include "cmd/bench_internal.h"

#include "base/affinity.h"

static int check(struct bench_options *o, struct fault *f);
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

static const struct option_row rows[] = {
    WORDS("url", url, CLIENT_URL_DEFAULT, "URL", "the server"),
    COUNT("connections", connections, 100, 0, 1000000, "connections",
          "subscribers that read as fast as they can"),
    SECONDS("duration", duration_ns, 10000, 100, 86400000, "how long to measure"),
    SECONDS("warmup", warmup_ns, 1000, 0, 3600000, "from the last connection to the first measurement"),
    WORDS("symbols", symbols, "*", "LIST",
          "what each subscribes to, with commas between; a final * is a prefix"),
    WORDS("kinds", kinds, NULL, "LIST", "of trade,quote,bar,book,status; none given: all"),
    WORDS("policy", policy, "conflate", "conflate|complete|latest|close",
          "what the server does with a slow one"),
    WORDS("frame", frame, "batch", "batch|tick", "many ticks a frame, or one"),
    WORDS("rate", rate, NULL, "R", "at most R frames a second for each"),
    WORDS("since", since, NULL, "N|30s|oldest", "begin in the past"),
    FLAG("snapshot", snapshot, "begin with the last values"),
    FLAG("idle", idle, "subscribe to nothing: only connections"),
    COUNT("slow", slow, 0, 0, 1000000, "connections", "more subscribers, which read at --slow-rate"),
    COUNT("slow-rate", slow_rate, 65536, 1, 1u << 30, "bytes a second", "of each slow one"),
    COUNT("stuck", stuck, 0, 0, 1000000, "connections", "more subscribers, which never read"),
    FLAG("verify", verify,
         "hold every tick against a reference connection: all there, the same, none untold"),
    COUNT("sample", sample, 16, 1, 1000000, "ticks", "take the latency of every so-manieth tick"),
    COUNT("threads", threads, 1, 1, BENCH_THREADS_MAX, "threads", "that share the connections"),
    WORDS("cpus", cpus, NULL, "LIST", "processors to pin the threads to, as in 1,2-3"),
    COUNT("ramp", ramp, 0, 0, 1000000, "connections",
          "to open in a second; 0: as fast as the server takes them"),
    SECONDS("connect-timeout", connect_timeout_ns, 30000, 100, 3600000,
            "for all connections to be subscribed"),
    FLAG("json", json, "the report as one JSON object"),
};

const struct cli_command cli_bench = {
    .name = "bench",
    .usage = "",
    .summary = "load generator, latency report and lie detector",
    .text =
        "Latency is measured from a tick's own time, the intended one: a feed that stalls does not hide.\n"
        "Each connection's stream is checked for holes; the exit status is 1 if one was broken or lost.",
    .examples = "  tickcast bench --connections 1000 --duration 30\n"
                "  tickcast bench --connections 200 --slow 20 --stuck 5 --verify\n"
                "  tickcast bench --connections 1000 --frame tick --symbols 'A*,MSFT' --json\n",
    .own = OPTIONS_OF(rows),
};

int bench_options_read(struct bench *b, int argc, char **argv, struct fault *f)
{
    struct setting_list words;
    int r = cli_parse(&cli_bench, argc, argv, &b->options, NULL, &words, f);
    if (r == TC_OK) r = check(&b->options, f);
    if (r == TC_OK) r = make_urls(b, f);
    return r;
}

static int check(struct bench_options *o, struct fault *f)
{
    uint64_t all = o->connections + o->slow + o->stuck;
    if (all == 0)
        return fault_set(f, TC_EUSAGE, "--connections: there is nobody to measure; use 1 or more, or --slow");
    if (o->verify && o->idle)
        return fault_set(f, TC_EUSAGE, "--verify: idle connections have nothing to verify; leave --idle out");
    if (o->verify && o->since)
        return fault_set(f, TC_EUSAGE, "--verify: the reference has no past; leave --since out");
    o->threads = min_u64(o->threads, all);
    uint32_t cpus[BENCH_THREADS_MAX];
    int r = o->cpus ? affinity_parse_list(o->cpus, cpus, BENCH_THREADS_MAX, f) : 0;
    return r < 0 ? fault_within(f, "--cpus") : TC_OK;
}

static int make_urls(struct bench *b, struct fault *f)
{
    const struct bench_options *o = &b->options;
    int r = client_url_parse(o->url, "--url", &b->url, f);
    if (r < 0) return r;
    b->reference_url = b->url;
    r = client_url_query(&b->reference_url, "symbols", "*", f);
    if (r == TC_OK) r = client_url_query(&b->reference_url, "policy", "complete", f);
    if (r == TC_OK) r = client_url_query(&b->reference_url, "snapshot", "0", f);
    if (r == TC_OK && o->idle) return TC_OK;
    if (r == TC_OK) r = client_url_query(&b->url, "symbols", o->symbols, f);
    if (r == TC_OK) r = client_url_query(&b->url, "kinds", o->kinds, f);
    if (r == TC_OK) r = client_url_query(&b->url, "policy", o->policy, f);
    if (r == TC_OK) r = client_url_query(&b->url, "frame", o->frame, f);
    if (r == TC_OK) r = client_url_query(&b->url, "rate", o->rate, f);
    if (r == TC_OK) r = client_url_query(&b->url, "since", o->since, f);
    if (r == TC_OK && !o->snapshot) r = client_url_query(&b->url, "snapshot", "0", f);
    return r;
}
