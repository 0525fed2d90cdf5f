#include "base/diag.h"

#include "base/clock.h"
#include "base/shown.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Set once before threads start, read by all afterwards. */
static enum diag_level level_least = DIAG_INFO;
static enum diag_format line_format = DIAG_LOGFMT;

struct line {
    char at[1024];
    uint32_t size;
};

static void put(struct line *l, char c)
{
    if (l->size < sizeof l->at - 2) l->at[l->size++] = c; /* room for the closing brace and the line end */
}

static void put_text(struct line *l, const char *s)
{
    while (*s) put(l, *s++);
}

static void put_quoted(struct line *l, const char *s)
{
    put(l, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];
        unsigned control = shown_control(c, next);
        if (c == '"' || c == '\\') {
            put(l, '\\');
            put(l, (char)c);
        } else if (control > 0) { /* what a peer sent never breaks the line */
            char hex[8];
            snprintf(hex, sizeof hex, "\\u%04x", control > 1 ? next : c);
            put_text(l, hex);
            s += control - 1;
        } else {
            put(l, (char)c);
        }
    }
    put(l, '"');
}

static bool is_bare(const char *s)
{
    if (!*s) return false;
    for (; *s; s++)
        if (*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f) return false;
    return true;
}

static void put_pair(struct line *l, const struct diag_field *f)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)f->number);
    if (line_format == DIAG_JSON) {
        put(l, ',');
        put_quoted(l, f->key);
        put(l, ':');
    } else {
        put(l, ' ');
        put_text(l, f->key);
        put(l, '=');
    }
    const char *text = f->text ? f->text : "";
    if (f->type == DIAG_NUMBER)
        put_text(l, number);
    else if (line_format == DIAG_JSON || !is_bare(text))
        put_quoted(l, text);
    else
        put_text(l, text);
}

void diag_setup(enum diag_level least, enum diag_format format)
{
    level_least = least;
    line_format = format;
}

void diag_write(enum diag_level level, const char *event, const struct diag_field *fields, uint32_t count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < level_least) return;
    uint64_t now = clock_real_ns();
    time_t seconds = (time_t)(now / NS_PER_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char stamp[48];
    size_t n = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + n, sizeof stamp - n, ".%03uZ", (unsigned)(now / NS_PER_MS % 1000));

    struct line l = {.size = 0};
    if (line_format == DIAG_JSON) {
        put_text(&l, "{\"time\":");
        put_quoted(&l, stamp);
    } else {
        put_text(&l, "time=");
        put_text(&l, stamp);
    }
    put_pair(&l, &D_TEXT("level", names[level]));
    put_pair(&l, &D_TEXT("event", event));
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].key) put_pair(&l, &fields[i]);
    if (line_format == DIAG_JSON) l.at[l.size++] = '}';
    l.at[l.size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, l.at, l.size);
    (void)ignored; /* nobody to tell */
}

bool diag_may(struct diag_rate *rate, uint64_t now_ns, uint32_t per_second, uint32_t *suppressed)
{
    uint64_t second = now_ns / NS_PER_SECOND;
    if (rate->second != second) {
        rate->second = second;
        rate->written = 0;
    }
    if (rate->written >= per_second) {
        rate->suppressed++;
        return false;
    }
    rate->written++;
    *suppressed = rate->suppressed;
    rate->suppressed = 0;
    return true;
}
