/* Administration over a worker on the simulated network, turned by hand: what is answered when it does not
 * come round, that what was answered with 503 was not done, that long lists come whole; and the order and
 * text of rows. */
#include "admin/admin.h"

#include "admin/admin_internal.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/io_sim.h"
#include "io/listen.h"
#include "worker/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS 700u /* several asks' worth of rows */
#define REPLY (8u << 20)

static struct rig {
    struct settings settings;
    struct server server;
    struct sim *sim;
    struct worker *worker;
    struct admin *admin;
    int listen_fd;
    char path[64];
    uint64_t now_ns;
    char *reply;
} rig;

static struct io *give_sim(void *context, int wake_fd, struct fault *fault)
{
    (void)wake_fd;
    (void)fault;
    return sim_io(((struct rig *)context)->sim);
}

static int set_up(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    settings_default(&rig.settings);
    rig.settings.connections_max = 4 * PEERS; /* a quarter may be handshaking */
    rig.settings.workers = 1;
    rig.settings.log_capacity = 1024;
    rig.settings.symbols_max = 64;
    rig.settings.filter_bytes = 16 << 20;
    struct log_options lo = {.capacity = 1024, .symbols_max = 64, .bars_max = 64};
    rig.server = (struct server){.settings = &rig.settings, .version = "test", .log = log_create(&lo, NULL)};
    struct io_options io = {
        .slots = 4 * PEERS, .buffers = 1024, .buffer_bytes = 4096, .sends_max = 128, .wake_fd = -1};
    struct sim_options so = {.peers_max = PEERS + 8, .window_max = 4096, .start_ns = NS_PER_SECOND};
    rig.sim = sim_open(&io, &so, NULL);
    snprintf(rig.path, sizeof rig.path, "/tmp/tickcast-admin-test-%d.sock", (int)getpid());
    char address[80];
    snprintf(address, sizeof address, "unix:%s", rig.path);
    rig.listen_fd =
        listen_open(&(struct listen_options){.address = address, .backlog = 16, .mode = 0600}, NULL);
    struct admin_options ao = {.server = &rig.server, .listen_fd = rig.listen_fd, .ask_ns = 30 * NS_PER_MS};
    assert_true(rig.listen_fd >= 0);
    assert_int_equal(admin_create(&rig.admin, &ao, NULL), 0);
    int fd = -1;
    struct worker_options wo = {.server = &rig.server,
                                .cpu = -1,
                                .io_open = give_sim,
                                .io_context = &rig,
                                .listen_fds = &fd,
                                .listen_count = 1,
                                .seed = 7};
    assert_int_equal(worker_create(&rig.worker, &wo, NULL), 0);
    rig.server.workers[rig.server.worker_count++] = rig.worker;
    rig.now_ns = NS_PER_SECOND;
    worker_clock(rig.worker, rig.now_ns);
    assert_int_equal(worker_open_io(rig.worker, NULL), 0);
    assert_int_equal(admin_start(rig.admin, NULL), 0);
    rig.reply = malloc(REPLY);
    return rig.reply ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    admin_stop(rig.admin);
    worker_destroy(rig.worker);
    admin_destroy(rig.admin);
    close(rig.listen_fd);
    unlink(rig.path);
    log_destroy(rig.server.log);
    free(rig.reply);
    return 0;
}

static void turn(void)
{
    rig.now_ns += NS_PER_MS / 10;
    sim_advance_to(rig.sim, rig.now_ns);
    worker_turn(rig.worker, rig.now_ns, rig.now_ns, 0);
}

static int reach(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, rig.path, strlen(rig.path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int begin(const char *request)
{
    int fd = reach();
    char text[512];
    int size = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", request);
    assert_int_equal(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
    return fd;
}

/* The whole answer; the worker is turned meanwhile, or not. Returns the status. */
static int end(int fd, bool turning)
{
    size_t have = 0;
    uint64_t end_ns = clock_mono_ns() + 60 * NS_PER_SECOND;
    for (;;) {
        assert_true(clock_mono_ns() < end_ns);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, turning ? 0 : 1000) == 0) {
            if (turning) turn();
            continue;
        }
        ssize_t n = recv(fd, rig.reply + have, REPLY - 1 - have, 0);
        if (n <= 0) break;
        have += (size_t)n;
    }
    close(fd);
    rig.reply[have] = 0;
    return (int)strtol(rig.reply + strlen("HTTP/1.1 "), NULL, 10);
}

static int ask(const char *request, bool turning)
{
    return end(begin(request), turning);
}

static void decision_29_a_worker_that_does_not_come_round_is_503_and_nothing_was_done(void **state)
{
    (void)state;
    int32_t peer = sim_connect(rig.sim, 0);
    assert_true(peer >= 0);
    while (counter_get(&worker_counters(rig.worker)->connections) == 0) turn();
    for (uint32_t i = 0; i < ADMIN_ASKS - 1; i++) { /* not taken in time */
        assert_int_equal(ask("POST /v1/connections/0-0-1/kick", false), 503);
        assert_non_null(strstr(rig.reply, "Retry-After: 1\r\n"));
        assert_non_null(strstr(rig.reply, "nothing was done"));
    }
    for (uint32_t i = 0; i < 5; i++) { /* and now the ring is full of them: at once, and still bounded */
        assert_int_equal(ask("GET /v1/connections", false), 503);
        assert_int_equal(ask("POST /v1/connections/0-0-1/kick", false), 503);
    }
    assert_int_equal(ask("GET /healthz", false), 200); /* what needs no worker goes on */
    for (uint32_t i = 0; i < 2 * ADMIN_ASKS; i++) turn();
    assert_int_equal(counter_get(&worker_counters(rig.worker)->kicked_total), 0);
    assert_int_equal(counter_get(&worker_counters(rig.worker)->connections), 1);
    assert_int_equal(ask("GET /v1/connections", true), 200);
    assert_non_null(strstr(rig.reply, "\"id\":\"0-0-1\",\"peer\":\"192.0.2.1:1\""));
    assert_int_equal(ask("POST /v1/connections/0-0-1/kick", true), 200);
    assert_int_equal(ask("POST /v1/connections/0-0-1/kick", true), 404);
    assert_int_equal(counter_get(&worker_counters(rig.worker)->kicked_total), 1);
}

static json_t *body(void)
{
    const char *text = strstr(rig.reply, "\r\n\r\n");
    assert_non_null(text);
    json_t *json = json_loads(text + 4, 0, NULL);
    assert_non_null(json);
    return json;
}

/* RFC 9110 6.6.1: a server with a clock sends Date. */
static void every_answer_tells_its_date(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /healthz",           "GET /readyz",          "GET /metrics",
        "GET /v1/connections",    "HEAD /v1/connections", "GET /v1/connections?top=0",
        "GET /elsewhere",         "POST /metrics",        "POST /v1/connections/0-0-1/kick",
        "GET /with a blank in it"};
    for (uint32_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ask(requests[i], true);
        const char *date = strstr(rig.reply, "\r\nDate: ");
        if (!date || !strstr(date, " GMT\r\n")) fail_msg("%s: %s", requests[i], rig.reply);
    }
    int busy[ADMIN_CONNS_MAX];
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) busy[i] = reach();
    assert_int_equal(end(reach(), true), 503); /* one too many: it is not even read */
    assert_non_null(strstr(rig.reply, "\r\nDate: "));
    assert_non_null(strstr(rig.reply, "\r\nRetry-After: 1\r\n"));
    assert_non_null(strstr(rig.reply, ": administration is busy elsewhere\n"));
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) close(busy[i]);
}

static void long_lists_come_whole_in_turns_of_bounded_work(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PEERS; i++) assert_true(sim_connect(rig.sim, 0) >= 0);
    for (uint32_t i = 0; i < 1000 && counter_get(&worker_counters(rig.worker)->connections) < PEERS; i++)
        turn();
    assert_int_equal(counter_get(&worker_counters(rig.worker)->connections), PEERS);
    assert_int_equal(ask("GET /v1/connections?sort=bytes&top=4096", true), 200);
    json_t *json = body();
    assert_int_equal(json_integer_value(json_object_get(json, "shown")), PEERS);
    assert_int_equal(json_array_size(json_object_get(json, "connections")), PEERS);
    assert_true(json_is_false(json_object_get(json, "more")));
    json_decref(json);
    bool seen[PEERS] = {false};
    char request[128] = "GET /v1/connections?sort=id&top=100", last[40];
    uint32_t count = 0, pages = 0;
    for (bool more = true; more; pages++) {
        assert_int_equal(ask(request, true), 200);
        json = body();
        size_t i;
        json_t *row;
        json_array_foreach(json_object_get(json, "connections"), i, row)
        {
            unsigned slot, generation;
            snprintf(last, sizeof last, "%s", json_string_value(json_object_get(row, "id")));
            assert_int_equal(sscanf(last, "0-%u-%u", &slot, &generation), 2);
            assert_true(slot < PEERS && !seen[slot]);
            seen[slot] = true;
            count++;
        }
        more = json_is_true(json_object_get(json, "more"));
        json_decref(json);
        snprintf(request, sizeof request, "GET /v1/connections?sort=id&top=100&after=%s", last);
    }
    assert_int_equal(count, PEERS);
    assert_int_equal(pages, PEERS / 100);
}

/* Reads `bytes` as a token's file. */
static int token_read(const char *bytes, size_t size, char token[ADMIN_TOKEN_MOST + 1], struct fault *f)
{
    char path[64] = "/tmp/tickcast-token-XXXXXX";
    bool others;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    int r = admin_token_read(path, "--admin-token", token, &others, f);
    unlink(path);
    return r;
}

/* Nothing of the file is passed over but blanks at its end: what else it holds was not meant to be there. */
static void a_token_is_all_that_its_file_holds(void **state)
{
    (void)state;
    char token[ADMIN_TOKEN_MOST + 1], bytes[1024];
    struct fault f;
    static const char zero[] = "0123456789abcdef\n";
    assert_int_equal(token_read(zero, sizeof zero - 1, token, &f), TC_OK);
    assert_string_equal(token, "0123456789abcdef");
    assert_int_equal(token_read(zero, sizeof zero, token, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "character 17 is none that a token may have"));
    memset(bytes, ' ', sizeof bytes);
    memset(bytes, 'x', 64);
    bytes[sizeof bytes - 1] = 'y'; /* far behind it */
    assert_int_equal(token_read(bytes, sizeof bytes, token, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "longer than any token"));
    int ends[2]; /* a shell's <(...): two pieces are one token */
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char path[64];
    bool others;
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    pid_t child = fork();
    if (child == 0) {
        bool sent = write(ends[1], "0123456789", 10) == 10;
        int left;
        while (ioctl(ends[1], FIONREAD, &left) == 0 && left > 0) sched_yield(); /* until it was read */
        _exit(sent && write(ends[1], "abcdef\n", 7) == 7 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(admin_token_read(path, "--admin-token", token, &others, &f), TC_OK);
    assert_string_equal(token, "0123456789abcdef");
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
}

static int compare_rows(const void *a, const void *b)
{
    return admin_row_before(ADMIN_BY_LAG, a, b) ? -1 : admin_row_before(ADMIN_BY_LAG, b, a);
}

static void the_heap_keeps_the_first_of_any_number(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 11);
    enum { MOST = 300 };
    struct admin_row *all = calloc(MOST, sizeof *all), *kept = calloc(MOST, sizeof *kept);
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t count = (uint32_t)random_below(&random, MOST + 1);
        struct admin_query q = {.sort = ADMIN_BY_LAG, .top = 1 + (uint32_t)random_below(&random, MOST)};
        struct admin_found f = {.rows = kept};
        for (uint32_t i = 0; i < count; i++) {
            all[i] = (struct admin_row){.lag_ticks = random_below(&random, 20), .slot = i};
            admin_heap_offer(&f, &q, &all[i]);
        }
        admin_heap_sort(&f, q.sort);
        qsort(all, count, sizeof *all, compare_rows);
        assert_int_equal(f.count, count < q.top ? count : q.top);
        assert_int_equal(f.more, count > q.top);
        for (uint32_t i = 0; i < f.count; i++) assert_int_equal(kept[i].slot, all[i].slot);
    }
    free(all);
    free(kept);
}

static void the_longest_row_has_room_and_is_json(void **state)
{
    (void)state;
    struct admin_row row;
    memset(&row, 0x7F, sizeof row); /* numbers of as many digits as there are */
    row.policy = POLICY_CONFLATE;
    row.framing = FRAME_BATCH;
    row.encoding = ENCODING_JSON;
    row.rate_ns = 3;
    row.state = CONN_OPEN;
    row.subscribed = row.in_step = row.slow = row.full = true;
    row.echo = row.closing = false;
    memset(row.peer, '"', sizeof row.peer);
    row.peer[ADMIN_PEER_MAX - 1] = 0;
    row.pattern_count = ADMIN_PATTERNS;
    for (uint32_t i = 0; i < ADMIN_PATTERNS; i++) {
        memset(row.patterns[i], '\\', ADMIN_PATTERN_MAX);
        row.patterns[i][ADMIN_PATTERN_MAX - 1] = 0;
    }
    char text[ADMIN_ROW_TEXT];
    uint32_t size = admin_row_json(text, &row);
    assert_true(size < ADMIN_ROW_TEXT);
    json_t *json = json_loadb(text, size, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_array_size(json_object_get(json, "symbols")), ADMIN_PATTERNS);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            decision_29_a_worker_that_does_not_come_round_is_503_and_nothing_was_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_answer_tells_its_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lists_come_whole_in_turns_of_bounded_work, set_up, tear_down),
        cmocka_unit_test(a_token_is_all_that_its_file_holds),
        cmocka_unit_test(the_heap_keeps_the_first_of_any_number),
        cmocka_unit_test(the_longest_row_has_room_and_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
