#include "cmd/tail.h"

#include "base/clock.h"
#include "base/shown.h"
#include "cmd/scan_json.h"

#include <time.h>

#define FIELDS_MAX 24u

enum colour { PLAIN, DIM, GREEN, RED, YELLOW, CYAN };

/* The fields of one object, to be asked for by name. */
struct object {
    struct json_field fields[FIELDS_MAX];
    uint32_t count;
};

static void object_read(struct object *o, struct text json);
static struct text field(const struct object *o, const char *name);
static void print_price(FILE *out, struct text price, int width);
static void print_clean(FILE *out, struct text value, int width);
static void print_time(FILE *out, struct text ts);
static void print_body(FILE *out, enum scan_type type, const struct object *o);
static void print_feed(const struct tail_view *v, FILE *out, const struct object *o);
static void begin(const struct tail_view *v, FILE *out, enum colour c);
static void end(const struct tail_view *v, FILE *out);
static enum colour colour_of(enum scan_type type, const struct object *o, bool old);

void tail_print_tick(const struct tail_view *v, const struct scan_tick *tick, bool old)
{
    static const char *const words[SCAN_TYPES] = {
        [SCAN_TRADE] = "trade", [SCAN_QUOTE] = "quote",   [SCAN_BAR] = "bar",
        [SCAN_BOOK] = "book",   [SCAN_STATUS] = "status", [SCAN_FEED] = "feed",
    };
    if (v->json) {
        fwrite(tick->json.at, 1, tick->json.size, v->out);
        fputc('\n', v->out);
        return;
    }
    struct object o;
    object_read(&o, tick->json);
    begin(v, v->out, colour_of(tick->type, &o, old));
    print_time(v->out, tick->ts);
    if (tick->type == SCAN_FEED) {
        print_feed(v, v->out, &o);
    } else {
        fputs("  ", v->out);
        print_clean(v->out, field(&o, "symbol"), -10);
        fprintf(v->out, " %-6s ", words[tick->type] ? words[tick->type] : "tick");
        print_body(v->out, tick->type, &o);
    }
    if (old) fputs("  (last value)", v->out);
    end(v, v->out);
}

static void print_body(FILE *out, enum scan_type type, const struct object *o)
{
    switch (type) {
    case SCAN_TRADE:
        print_price(out, field(o, "price"), 12);
        fputs(" x ", out);
        print_clean(out, field(o, "size"), -10);
        print_clean(out, field(o, "side"), 0);
        break;
    case SCAN_QUOTE:
        print_price(out, field(o, "bid"), 12);
        fputs(" x ", out);
        print_clean(out, field(o, "bid_size"), -10);
        fputs(" |", out);
        print_price(out, field(o, "ask"), 12);
        fputs(" x ", out);
        print_clean(out, field(o, "ask_size"), 0);
        break;
    case SCAN_BAR:
        print_clean(out, field(o, "interval"), -4);
        fputs(" o ", out), print_price(out, field(o, "open"), 0);
        fputs(" h ", out), print_price(out, field(o, "high"), 0);
        fputs(" l ", out), print_price(out, field(o, "low"), 0);
        fputs(" c ", out), print_price(out, field(o, "close"), 0);
        fputs(" v ", out), print_clean(out, field(o, "volume"), 0);
        if (text_equal(field(o, "final"), TEXT("false"))) fputs(" (in progress)", out);
        break;
    case SCAN_BOOK:
        print_clean(out, field(o, "side"), 4);
        print_price(out, field(o, "price"), 12);
        fputs(" x ", out);
        print_clean(out, field(o, "size"), 0);
        break;
    default: print_clean(out, field(o, "state"), 0); break;
    }
}

static void print_feed(const struct tail_view *v, FILE *out, const struct object *o)
{
    (void)v;
    fputs("  feed ", out);
    print_clean(out, field(o, "feed"), 0);
    fputc(' ', out);
    print_clean(out, field(o, "state"), 0);
    struct text lost = field(o, "lost"), reason = field(o, "reason");
    if (text_equal(lost, TEXT("null")))
        fputs(": an unknown number of ticks", out);
    else if (lost.size)
        fputs(": ", out), print_clean(out, lost, 0), fputs(" ticks", out);
    if (reason.size) fputs(", reason ", out), print_clean(out, reason, 0);
    if (text_equal(field(o, "reset"), TEXT("true"))) fputs("; state before this is void", out);
}

void tail_print_notice(const struct tail_view *v, const struct scan_message *m, struct text json)
{
    FILE *out = v->json ? v->notes : v->out;
    bool quiet = m->type == SCAN_HELLO || m->type == SCAN_SUBSCRIBED || m->type == SCAN_HEARTBEAT ||
                 m->type == SCAN_COVERED || m->type == SCAN_PONG || m->type == SCAN_UNSUBSCRIBED;
    if (quiet && !v->verbose && !m->stalled) return;
    begin(v, out, m->type == SCAN_GAP || m->type == SCAN_ERROR ? RED : m->type == SCAN_LAG ? YELLOW : DIM);
    switch (m->type) {
    case SCAN_GAP:
        fprintf(out, "-- gap: %llu log positions (%llu to %llu) will not come; reason ",
                (unsigned long long)(m->to - m->from), (unsigned long long)m->from + 1,
                (unsigned long long)m->to);
        print_clean(out, m->reason, 0);
        break;
    case SCAN_LAG:
        if (m->behind)
            fprintf(out, "-- lag: this reader is %llu log positions behind", (unsigned long long)m->behind);
        else
            fputs("-- lag: this reader has caught up", out);
        break;
    case SCAN_HEARTBEAT:
        fprintf(out, "-- heartbeat: complete up to %llu%s", (unsigned long long)m->seq,
                m->stalled ? "; the feeds are stalled" : "");
        break;
    case SCAN_ERROR:
        fputs("-- error ", out);
        print_clean(out, m->code, 0);
        fputs(": ", out);
        print_clean(out, m->message, 0);
        break;
    default: fputs("-- ", out); print_clean(out, json, 0);
    }
    end(v, out);
}

void tail_print_note(const struct tail_view *v, const char *text)
{
    FILE *out = v->json ? v->notes : v->out;
    begin(v, out, YELLOW);
    fprintf(out, "-- %s", text);
    end(v, out);
}

static void object_read(struct object *o, struct text json)
{
    o->count = 0;
    const char *at = json.at + 1, *last = json.at + json.size;
    while (o->count < FIELDS_MAX && json_field_next(&at, last, NULL, &o->fields[o->count]) > 0) o->count++;
}

static struct text field(const struct object *o, const char *name)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (text_equal(o->fields[i].name, text_of(name))) return o->fields[i].value;
    return (struct text){0};
}

/* null (an empty side) as a dash. */
static void print_price(FILE *out, struct text price, int width)
{
    print_clean(out, text_equal(price, TEXT("null")) ? TEXT("-") : price, width);
}

/* JSON text without its escapes, padded (width < 0: left), and never a control character to the terminal. */
static void print_clean(FILE *out, struct text value, int width)
{
    char shown[512];
    size_t used = 0;
    for (size_t i = 0; i < value.size && used < sizeof shown - 1; i++) {
        if (value.at[i] == '\\' && i + 1 < value.size && (value.at[i + 1] == '"' || value.at[i + 1] == '\\'))
            i++;
        shown[used++] = value.at[i];
    }
    shown_clean(shown, used);
    shown[used] = 0;
    fprintf(out, "%*s", width, shown);
}

/* The event's time of day in the local zone, to the ms. */
static void print_time(FILE *out, struct text ts)
{
    uint64_t ns;
    struct tm tm;
    time_t seconds;
    if (scan_u64(ts, &ns) < 0 || (seconds = (time_t)(ns / NS_PER_SECOND), !localtime_r(&seconds, &tm))) {
        fputs("            ", out);
        return;
    }
    fprintf(out, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ns / NS_PER_MS % 1000));
}

static enum colour colour_of(enum scan_type type, const struct object *o, bool old)
{
    if (old) return DIM;
    if (type == SCAN_FEED) return text_equal(field(o, "state"), TEXT("lost")) ? RED : CYAN;
    if (type == SCAN_STATUS) return YELLOW;
    if (type != SCAN_TRADE) return DIM;
    struct text side = field(o, "side");
    return text_equal(side, TEXT("buy")) ? GREEN : text_equal(side, TEXT("sell")) ? RED : PLAIN;
}

static void begin(const struct tail_view *v, FILE *out, enum colour c)
{
    static const char *const codes[] = {[PLAIN] = "",       [DIM] = "\033[2m",     [GREEN] = "\033[32m",
                                        [RED] = "\033[31m", [YELLOW] = "\033[33m", [CYAN] = "\033[36m"};
    if (v->colour) fputs(codes[c], out);
}

static void end(const struct tail_view *v, FILE *out)
{
    fputs(v->colour ? "\033[0m\n" : "\n", out);
}
