/* The feed of the comparison (bench/compare/servers/tickcast_lines.c) is due again as long as something may
 * be left to read, or what is left is taken for drained. recv is the test's: a socket that is never empty
 * before everything was read. */
#include "feeds/feed_writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 40000u
#define LINE  80u

static char *given; /* what the publisher has sent */
static size_t given_size, given_at;
static bool ended;

ssize_t __wrap_recv(int fd, void *out, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t size, int flags)
{
    (void)fd;
    (void)flags;
    size_t n = min_u64(size, given_size - given_at);
    memcpy(out, given + given_at, n);
    given_at += n;
    if (n > 0 || ended) return (ssize_t)n;
    errno = EAGAIN;
    return -1;
}

struct rig {
    struct log *log;
    struct feed_writer *writer;
    struct feed *feed;
    unsigned port;
};

static int address(unsigned port, struct sockaddr_in *out)
{
    *out = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* One that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int fd = address(0, &at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static int publisher(const struct rig *r)
{
    struct sockaddr_in at;
    int fd = address(r->port, &at);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void open_rig(struct rig *r)
{
    struct fault f = {0};
    static struct feed_uri uri;
    char text[64];
    r->log = log_create(&(struct log_options){.capacity = 65536, .symbols_max = 1024, .bars_max = 16}, &f);
    assert_non_null(r->log);
    r->writer = feed_writer_open(r->log, "lines");
    int opened = -1;
    for (int tries = 0; opened < 0 && tries < 20; tries++) { /* somebody else may take it in between */
        r->port = free_port();
        snprintf(text, sizeof text, "lines:?port=%u", r->port);
        assert_int_equal(feed_uri_parse(&uri, text, &f), 0);
        opened = feed_find(uri.scheme)->open(&r->feed, &uri, &f);
    }
    if (opened < 0) fail_msg("%s", f.text);
    assert_true(r->feed->has_fd);
    given = malloc((size_t)LINES * LINE);
    assert_non_null(given);
    given_size = given_at = 0;
    ended = false;
    for (uint32_t i = 0; i < LINES; i++)
        given_size += (size_t)snprintf(given + given_size, LINE,
                                       "{\"type\":\"trade\",\"seq\":%u,\"symbol\":\"S%03u\",\"price\":1.5,"
                                       "\"size\":1,\"ts\":1}\n",
                                       i, i % 500);
}

static void close_rig(struct rig *r)
{
    r->feed->ops->close(r->feed);
    feed_writer_close(r->writer);
    log_destroy(r->log);
    free(given);
}

static int poll_once(struct rig *r)
{
    struct fault f = {0};
    struct feed_clock clock = {.mono_ns = 1, .real_ns = 1};
    feed_writer_clock(r->writer, &clock);
    int n = r->feed->ops->poll(r->feed, r->writer, &clock, 4096, &f);
    if (n < 0) fail_msg("%s", f.text);
    feed_flush(r->writer);
    return n;
}

static void what_did_not_fit_is_due(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    int fd = publisher(&r);
    uint32_t pushed = 0, polls = 0;
    do {
        pushed += (uint32_t)poll_once(&r);
        polls++;
        assert_true(polls < 100);
        if (given_at < given_size) assert_int_equal(r.feed->ops->due_ns(r.feed), 0);
    } while (r.feed->ops->due_ns(r.feed) == 0);
    assert_true(polls > 1); /* the buffer was filled */
    assert_int_equal(pushed, LINES);
    assert_true(r.feed->ops->due_ns(r.feed) == FEED_NEVER);
    close(fd);
    close_rig(&r);
}

/* The next publisher may have connected already, and sent. */
static void who_is_next_is_due(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    int first = publisher(&r), second = publisher(&r);
    size_t all = given_size;
    given_size = 0;
    ended = true;
    assert_int_equal(poll_once(&r), 0);
    assert_int_equal(r.feed->ops->due_ns(r.feed), 0);
    ended = false;
    given_size = all;
    uint32_t pushed = 0;
    while (r.feed->ops->due_ns(r.feed) == 0) pushed += (uint32_t)poll_once(&r);
    assert_int_equal(pushed, LINES);
    close(first);
    close(second);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_did_not_fit_is_due),
        cmocka_unit_test(who_is_next_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
