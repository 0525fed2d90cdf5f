/* bench/compare/servers/tickcast_lines.c -- tickcast with one more feed, so that it gets its ticks as the
 * others do: `lines:?port=P` takes one TCP connection and reads the publisher's lines from it. Linked with
 * the whole program in place of feeds/feed_registry.c. Thread: the feed thread, which sleeps on the socket.
 */
#include "feeds/feed.h"
#include "tick/decimal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM (1u << 20)
#define SYMBOLS                                                                                              \
    500u /* S000 to S499, known from the start: a symbol's first tick takes a position of the log */

struct lines_feed {
    struct feed feed;
    int listen_fd, fd;
    bool defined;
    bool more; /* something may be left to read: due at once, or it would pass for drained */
    int64_t ids[SYMBOLS];
    uint32_t used;
    char bytes[ROOM];
};

static int lines_open(struct feed **out, struct feed_uri *uri, struct fault *f);
static int lines_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                      uint32_t ticks_max, struct fault *f);
static uint64_t lines_due_ns(const struct feed *feed);
static void lines_close(struct feed *feed);
static bool line_push(struct lines_feed *l, struct feed_writer *w, const char *line);

static const struct feed_ops feed_lines = {.scheme = "lines",
                                           .help = "port=P        where the publisher connects to\n",
                                           .open = lines_open,
                                           .poll = lines_poll,
                                           .due_ns = lines_due_ns,
                                           .close = lines_close};

const struct feed_ops *feed_find(struct text scheme)
{
    if (text_equal(scheme, TEXT("lines"))) return &feed_lines;
    return text_equal(scheme, TEXT("sim")) ? &feed_sim : NULL;
}

static int lines_open(struct feed **out, struct feed_uri *uri, struct fault *f)
{
    uint64_t port = 0;
    int rc = feed_uri_u64(uri, "port", 1, 65535, &port, f);
    if (rc == 0) rc = feed_uri_unused(uri, &feed_lines, f);
    if (rc < 0) return rc;
    struct lines_feed *l = calloc(1, sizeof *l);
    if (!l) return fault_set(f, TC_ESYSTEM, "lines: out of memory");
    l->feed = (struct feed){
        .ops = &feed_lines, .name = "lines", .progress_permille = UINT32_MAX, .seconds_left = UINT32_MAX};
    l->fd = -1;
    l->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (l->listen_fd < 0 || bind(l->listen_fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(l->listen_fd, 4) < 0) {
        rc = fault_errno(f, "lines: port %u", (unsigned)port);
        lines_close(&l->feed);
        return rc;
    }
    l->feed.has_fd = true;
    l->feed.fd = l->listen_fd;
    *out = &l->feed;
    return 0;
}

static int lines_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                      uint32_t ticks_max, struct fault *f)
{
    (void)ticks_max; /* what one read brings is bounded by the buffer */
    (void)clock;
    struct lines_feed *l = (struct lines_feed *)feed;
    for (uint32_t i = 0; !l->defined && i < SYMBOLS; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "S%03u", i);
        l->ids[i] = feed_symbol(w, (struct text){name, (size_t)size});
    }
    l->defined = true;
    l->more = false;
    if (l->fd < 0) l->fd = accept4(l->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (l->fd < 0) return 0;
    l->feed.fd = l->fd;
    uint32_t room = ROOM - l->used;
    ssize_t n = recv(l->fd, l->bytes + l->used, room, 0);
    l->more = n == (ssize_t)room || (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n <= 0) { /* a probe of the port, or the publisher has ended: the next one may come */
        close(l->fd);
        l->fd = -1;
        l->feed.fd = l->listen_fd;
        l->used = 0;
        l->more = true;
        return 0;
    }
    l->used += (uint32_t)n;
    char *at = l->bytes, *end = l->bytes + l->used, *stop;
    int pushed = 0;
    for (; (stop = memchr(at, '\n', (size_t)(end - at))) != NULL; at = stop + 1, pushed++) {
        *stop = 0;
        if (!line_push(l, w, at)) return fault_set(f, TC_EINPUT, "lines: not a tick: %.80s", at);
    }
    if (at == l->bytes && l->used == ROOM) return fault_set(f, TC_EINPUT, "lines: a line of 1 MiB");
    l->used = (uint32_t)(end - at);
    memmove(l->bytes, at, l->used);
    return pushed;
}

static bool line_push(struct lines_feed *l, struct feed_writer *w, const char *line)
{
    unsigned symbol;
    char price[32];
    unsigned long long size, ts_us;
    struct decimal d;
    if (sscanf(line,
               "{\"type\":\"trade\",\"seq\":%*u,\"symbol\":\"S%3u\",\"price\":%31[0-9.],\"size\":%llu,\"ts\":"
               "%llu}",
               &symbol, price, &size, &ts_us) != 4 ||
        symbol >= SYMBOLS || l->ids[symbol] < 0 || decimal_parse(price, strlen(price), &d) < 0)
        return false;
    feed_push(w, &(struct tick){.event_ns = (int64_t)(ts_us * 1000),
                                .symbol = (uint32_t)l->ids[symbol],
                                .kind = TICK_TRADE,
                                .price_exp = d.exponent,
                                .trade = {.price = d.mantissa, .size = (int64_t)size}});
    return true;
}

static uint64_t lines_due_ns(const struct feed *feed)
{
    return ((const struct lines_feed *)feed)->more ? 0 : FEED_NEVER; /* else when something can be read */
}

static void lines_close(struct feed *feed)
{
    struct lines_feed *l = (struct lines_feed *)feed;
    if (l->fd >= 0) close(l->fd);
    if (l->listen_fd >= 0) close(l->listen_fd);
    free(l);
}
