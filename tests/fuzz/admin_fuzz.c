/* tests/fuzz/admin_fuzz.c -- plan: any bytes as requests to administration, by its own turn but without its
 * thread: behind it stands a worker on the simulated network with a few connections, which is turned where
 * the thread would sleep. The first byte says how: bits 0 and 1 one of the ways below, bit 2 a worker that
 * does not come round, bit 3 a TCP listener that is no loopback one; the rest how many bytes come at a time.
 *
 * Whatever comes: as many answers as there are requests, each whole HTTP with a status that administration
 * has; JSON bodies are JSON and hold together; nobody without the token gets anything; what was kicked is
 * what was answered so; and when the client is gone, nothing of it is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fixed_random.h"
#include "support/worker_rig.h"

#include "admin/admin_internal.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "wire/http_reply.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* HANDED: one request, as a worker hands it over; from a block of just its size, so that a read past its head
 * is seen. TOKEN: the file of --admin-token. */
enum { BY_UNIX, BY_TCP, HANDED, TOKEN, WAYS, STUCK = 4, REACHABLE = 8, STEP_SHIFT = 4 };

#define PIECES_MAX 300u /* behind so many the rest comes at once */
#define CLIENTS    3u
#define UPGRADED   2u /* of them, the first */
#define BEHIND     1u
#define SECRET     "a-token-of-some-length"
#define HOST_NAME  "admin.example"

struct subject {
    struct rig rig;
    struct client clients[CLIENTS];
    struct admin *admin;
    uint32_t way, kicked;
    uint64_t codes[CLIENTS]; /* with which a client was kicked; 0: it was not */
    bool stuck, loopback;
    int fd;        /* the peer's end */
    char *answers; /* what it read */
    size_t have, room;
    bool ended;
};

/* One answer among the bytes read. */
struct answer {
    int status;
    struct text head, body, type;
    bool closes;
};

static struct subject *at_work;

/* In the place of libc's: here the administration thread sleeps until its worker has answered. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    (void)fds, (void)count, (void)timeout, (void)mask;
    if (at_work && !at_work->stuck) rig_turn(&at_work->rig);
    return 0;
}

/* ---- The server, and the peer's end. ---- */

static int listener(struct sockaddr_un *address, socklen_t *size)
{
    static int fd = -1;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (fd < 0) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        TC_ASSERT(fd >= 0);
        TC_ASSERT(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)) == 0); /* a free abstract name */
        TC_ASSERT(listen(fd, 8) == 0);
    }
    *size = sizeof *address;
    TC_ASSERT(getsockname(fd, (struct sockaddr *)address, size) == 0);
    return fd;
}

/* A subscriber with patterns and a rate, one that is behind, and one that has asked for nothing yet. */
static void open_clients(struct subject *s)
{
    uint32_t a = rig_symbol(&s->rig, "A"), b = rig_symbol(&s->rig, "A\"B");
    client_subscribe(&s->rig, &s->clients[0], "symbols=A,A*&kinds=trade&policy=latest&rate=3");
    client_subscribe(&s->rig, &s->clients[1], "symbols=*&frame=tick");
    s->clients[2] = (struct client){.rig = &s->rig, .peer = sim_connect(s->rig.sim, 0), .open = true};
    TC_ASSERT(s->clients[2].peer >= 0);
    sim_peer_window(s->rig.sim, s->clients[BEHIND].peer, 64);
    for (uint32_t i = 0; i < 4; i++) {
        rig_trade(&s->rig, a, i);
        rig_quote(&s->rig, b, i);
        rig_turn(&s->rig);
    }
}

static void open_subject(struct subject *s, uint8_t how)
{
    struct rig_options o = {.connections = 16, .log_capacity = 1024, .symbols = 8, .window_max = 1 << 16};
    struct sockaddr_un address;
    socklen_t size;
    int listen_fd = listener(&address, &size);
    *s = (struct subject){.way = how % WAYS, .fd = -1};
    s->loopback = s->way == BY_TCP && !(how & REACHABLE);
    rig_open(&s->rig, &o);
    s->rig.settings.host = (struct setting_list){.at = {HOST_NAME}, .count = 1};
    s->rig.server.admin_token = SECRET;
    atomic_store(&s->rig.server.feed_running, true);
    struct admin_options ao = {.server = &s->rig.server,
                               .listen_fd = listen_fd,
                               .tcp = s->way == BY_TCP,
                               .loopback = s->loopback,
                               .ask_ns = how & STUCK ? 1 : 0};
    TC_ASSERT(admin_create(&s->admin, &ao, NULL) == 0);
    open_clients(s);
    s->stuck = how & STUCK;
    at_work = s;
}

static void connect_subject(struct subject *s)
{
    struct sockaddr_un address;
    socklen_t size;
    listener(&address, &size);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    TC_ASSERT(s->fd >= 0);
    TC_ASSERT(connect(s->fd, (struct sockaddr *)&address, size) == 0);
}

static bool take(struct subject *s)
{
    size_t had = s->have;
    while (!s->ended) {
        if (s->room - s->have < 65536) {
            s->room = s->room * 2 + (1 << 18);
            s->answers = realloc(s->answers, s->room);
            TC_ASSERT(s->answers != NULL);
        }
        ssize_t n = recv(s->fd, s->answers + s->have, s->room - s->have, 0);
        if (n < 0) TC_ASSERT(errno == EAGAIN);
        if (n < 0) break;
        s->ended = n == 0;
        s->have += (size_t)n;
    }
    return s->have > had;
}

/* Woken, as by a worker: it does not sleep. */
static bool turn(struct subject *s)
{
    uint64_t one = 1;
    TC_ASSERT(write(s->admin->sleeper.event_fd, &one, sizeof one) == sizeof one);
    admin_thread_turn(s->admin);
    return s->fd >= 0 && take(s);
}

static void send_bytes(struct subject *s, const char *bytes, size_t size, size_t step)
{
    connect_subject(s);
    turn(s);
    for (uint32_t pieces = 0; size > 0; pieces++) {
        size_t piece = min_u64(pieces < PIECES_MAX ? step : 16384, size);
        ssize_t sent = send(s->fd, bytes, piece, MSG_NOSIGNAL);
        if (sent < 0 && errno == EPIPE && s->ended) return; /* it does not wait for ever behind its answer */
        TC_ASSERT(sent > 0 || (sent < 0 && errno == EAGAIN));
        bytes += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
        turn(s);
    }
    while (turn(s)) continue;
}

/* A close frame among what a client has read says what was answered to the kick. */
static void check_close(const struct client *c, uint64_t code)
{
    for (uint32_t at = 0, head, size; c->size - at >= 2; at += head + size) {
        const uint8_t *frame = c->bytes + at;
        size = frame[1];
        head = size == 126 ? 4 : 2;
        if (c->size - at < head) return;
        if (head == 4) size = load_be16(frame + 2);
        if (c->size - at - head < size) return;
        if ((frame[0] & 15) != 8) continue;
        TC_ASSERT(size >= 2 && load_be16(frame + head) == code);
        TC_ASSERT(utf8_feed(UTF8_OK, frame + head + 2, size - 2) == UTF8_OK);
        for (uint32_t i = 2; i < size; i++) TC_ASSERT(frame[head + i] >= ' ' && frame[head + i] != 127);
    }
}

static void close_client(struct subject *s, uint32_t which)
{
    struct client *c = &s->clients[which];
    client_read(c, UINT32_MAX);
    check_close(c, s->codes[which]);
    while (client_next(c)) continue;
    if (s->codes[which] && which < UPGRADED) TC_ASSERT(!c->open);
    sim_peer_free(s->rig.sim, c->peer);
    client_close(c);
}

static void close_subject(struct subject *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    for (uint32_t i = 0; i < 3; i++) turn(s);
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) TC_ASSERT(s->admin->conns[i].state == ADMIN_CONN_FREE);
    for (uint32_t i = 0; i < ADMIN_ANSWERS_MAX; i++) TC_ASSERT(!s->admin->answer_used[i]);
    sim_peer_window(s->rig.sim, s->clients[BEHIND].peer, 1 << 16);
    client_read(&s->clients[BEHIND], UINT32_MAX);
    rig_turns(&s->rig, 8);
    TC_ASSERT(rig_counter(&s->rig, kicked_total) == s->kicked);
    for (uint32_t i = 0; i < ADMIN_ASKS - 1; i++)
        TC_ASSERT(atomic_load(&s->admin->asks[i].state) == ADMIN_FREE);
    for (uint32_t i = 0; i < CLIENTS; i++) close_client(s, i);
    rig_turns(&s->rig, 8);
    TC_ASSERT(rig_counter(&s->rig, connections) == 0);
    at_work = NULL;
    rig_close(&s->rig);
    admin_destroy(s->admin);
    free(s->answers);
}

/* ---- An answer: whole HTTP. ---- */

static struct text field(struct text head, const char *name)
{
    struct text none = {0};
    const char *at = memmem(head.at, head.size, name, strlen(name));
    if (!at) return none;
    at += strlen(name);
    size_t left = head.size - (size_t)(at - head.at);
    const char *end = memmem(at, left, "\r\n", 2);
    TC_ASSERT(end > at);
    TC_ASSERT(!memmem(end, left - (size_t)(end - at), name, strlen(name))); /* once */
    return (struct text){at, (size_t)(end - at)};
}

static bool status_is_known(int status)
{
    static const int known[] = {200, 400, 401, 403, 404, 405, 409, 411, 413, 414, 421, 431, 503, 505};
    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == status) return true;
    return false;
}

static void check_head(const struct answer *a)
{
    char begin[64];
    TC_ASSERT(status_is_known(a->status));
    int size = snprintf(begin, sizeof begin, "%d %s\r\n", a->status, http_reason(a->status));
    TC_ASSERT(text_begins(a->head, TEXT("HTTP/1.0 ")) || text_begins(a->head, TEXT("HTTP/1.1 ")));
    TC_ASSERT(memcmp(a->head.at + 9, begin, (size_t)size) == 0);
    for (size_t i = 0; i < a->head.size; i++) {
        unsigned char c = (unsigned char)a->head.at[i];
        TC_ASSERT((c >= ' ' && c < 127) || c == '\r' || c == '\n');
    }
    TC_ASSERT(text_equal(field(a->head, "\r\nCache-Control: "), TEXT("no-store")));
    TC_ASSERT(field(a->head, "\r\nDate: ").size == HTTP_DATE_SIZE - 1);
    TC_ASSERT((a->status == 405) == (field(a->head, "\r\nAllow: ").size > 0));
    TC_ASSERT((a->status == 401) == (field(a->head, "\r\nWWW-Authenticate: ").size > 0));
    TC_ASSERT((a->status == 503) == (field(a->head, "\r\nRetry-After: ").size > 0));
}

/* The first of the answers in `bytes`; returns how much of them it is. */
static size_t answer_read(struct text bytes, bool head_only, struct answer *out)
{
    char *end = memmem(bytes.at, bytes.size, "\r\n\r\n", 4);
    TC_ASSERT(end != NULL);
    *out = (struct answer){.head = {bytes.at, (size_t)(end - bytes.at) + 4}};
    TC_ASSERT(out->head.size > 16);
    out->status = (int)strtol(bytes.at + 9, NULL, 10);
    check_head(out);
    out->type = field(out->head, "\r\nContent-Type: ");
    struct text connection = field(out->head, "\r\nConnection: ");
    out->closes = text_equal(connection, TEXT("close"));
    TC_ASSERT(out->closes || connection.size == 0 || text_equal(connection, TEXT("keep-alive")));
    struct text length = field(out->head, "\r\nContent-Length: ");
    TC_ASSERT(length.size > 0);
    size_t size = strtoul(length.at, &end, 10);
    TC_ASSERT(end == length.at + length.size && size > 0);
    if (head_only) return out->head.size;
    TC_ASSERT(size <= bytes.size - out->head.size);
    out->body = (struct text){bytes.at + out->head.size, size};
    TC_ASSERT(out->body.at[size - 1] == '\n');
    return out->head.size + size;
}

/* ---- What it says. ---- */

static uint64_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    TC_ASSERT(json_is_integer(value) && json_integer_value(value) >= 0);
    return (uint64_t)json_integer_value(value);
}

static const char *word(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    TC_ASSERT(value != NULL);
    return value;
}

static uint64_t slot_of(const json_t *row)
{
    unsigned worker, slot, generation;
    char again[40];
    TC_ASSERT(sscanf(word(row, "id"), "%u-%u-%u", &worker, &slot, &generation) == 3);
    snprintf(again, sizeof again, "%u-%u-%u", worker, slot, generation);
    TC_ASSERT(strcmp(again, word(row, "id")) == 0 && worker == 0);
    return slot;
}

/* What a row has in an order: more comes first. */
static uint64_t rank(const json_t *row, const char *sort)
{
    if (strcmp(sort, "id") == 0) return UINT32_MAX - slot_of(row);
    if (strcmp(sort, "bytes") == 0) return number(row, "sent_bytes");
    if (strcmp(sort, "age") == 0) return number(row, "age_ms");
    if (strcmp(sort, "queue") == 0) return number(row, "queue_bytes") + number(row, "rest_bytes");
    TC_ASSERT(strcmp(sort, "lag") == 0);
    return json_object_get(row, "lag") ? number(row, "lag") : 0;
}

static void check_list(const struct subject *s, const json_t *json)
{
    const json_t *rows = json_object_get(json, "connections"), *row;
    const char *sort = word(json, "sort");
    bool seen[CLIENTS] = {false}, more = json_is_true(json_object_get(json, "more"));
    size_t count = json_array_size(rows);
    uint64_t last = UINT64_MAX;
    TC_ASSERT(json_is_array(rows) && json_is_boolean(json_object_get(json, "more")));
    TC_ASSERT(number(json, "shown") == count && count + more <= CLIENTS);
    TC_ASSERT(number(json, "workers") == 1);
    TC_ASSERT(!s->stuck || count == 0); /* behind the last id there is nobody to ask */
    for (size_t i = 0; i < count; i++) {
        row = json_array_get(rows, i);
        uint64_t slot = slot_of(row), here = rank(row, sort);
        TC_ASSERT(slot < CLIENTS && !seen[slot] && here <= last);
        seen[slot] = true;
        last = here;
        TC_ASSERT(word(row, "peer")[0] && word(row, "state")[0]);
    }
}

static void check_kick(struct subject *s, const json_t *json)
{
    uint64_t code = number(json, "code");
    uint64_t slot = slot_of(json);
    TC_ASSERT(slot < CLIENTS && !s->codes[slot] && json_is_true(json_object_get(json, "kicked")));
    TC_ASSERT(code >= 1000 && code < 5000);
    s->codes[slot] = code;
    s->kicked++;
}

/* Over a TCP listener, which has a token: who does not know it learns nothing but that. */
static void check_let_in(const struct subject *s, const struct http_request *r, int status)
{
    bool refused = status == 401 || status == 403 || status == 421;
    bool own_host = http_host_is_loopback(r->host) || http_host_name_is(r->host, TEXT(HOST_NAME));
    if (s->way == HANDED) {
        TC_ASSERT(!refused);
        return;
    }
    if (r->has_origin && !http_origin_is_host(r->origin, r->host)) TC_ASSERT(refused);
    if (s->way == BY_UNIX) {
        TC_ASSERT(status != 401 && status != 421);
        return;
    }
    if (!memmem(r->head, r->head_bytes, SECRET, strlen(SECRET))) TC_ASSERT(refused);
    if (s->loopback && r->has_host && !own_host) TC_ASSERT(status == 421);
}

static void check_answer(struct subject *s, const struct http_request *r, const struct answer *a)
{
    check_let_in(s, r, a->status);
    struct text kicks = TEXT("/v1/connections/");
    bool list = text_equal(r->path, TEXT("/v1/connections")), kick = text_begins(r->path, kicks);
    bool json = text_equal(a->type, TEXT("application/json"));
    TC_ASSERT(json == (a->status == 200 && (list || kick)));
    if (a->status == 503) TC_ASSERT(s->stuck && (list || kick));
    if (a->status == 200) TC_ASSERT(!s->stuck || !kick);
    if (!r->keep_alive || r->body_bytes > 0) TC_ASSERT(a->closes);
    if (r->version_minor == 0 && !a->closes) TC_ASSERT(field(a->head, "\r\nConnection: ").size > 0);
    if (!json || a->body.size == 0) return;
    json_t *body = json_loadb(a->body.at, a->body.size, JSON_REJECT_DUPLICATES, NULL);
    TC_ASSERT(json_is_object(body));
    if (list)
        check_list(s, body);
    else
        check_kick(s, body);
    json_decref(body);
}

/* ---- The ways. ---- */

/* Requests as a reader of the whole finds them: each has its answer, and there are no others. */
static void check_answers(struct subject *s, const char *bytes, size_t size)
{
    struct text answers = {s->answers, s->have};
    bool closes = false;
    while (!closes) {
        struct http_request r;
        struct answer a;
        uint32_t scanned = 0;
        int result = http_parse(bytes, size, &scanned, &r);
        if (result == 0 && size < sizeof s->admin->conns->in) break;
        size_t got = answer_read(answers, result > 0 && r.method == HTTP_M_HEAD, &a);
        answers = (struct text){answers.at + got, answers.size - got};
        closes = a.closes;
        if (result <= 0) {
            TC_ASSERT(closes && a.status >= 400 && a.status != 401);
            break;
        }
        check_answer(s, &r, &a);
        bytes += r.head_bytes;
        size -= r.head_bytes;
    }
    TC_ASSERT(answers.size == 0);
    TC_ASSERT(s->ended == closes);
}

static void hand_over(struct subject *s, const char *bytes, size_t size)
{
    struct http_request r;
    struct answer a;
    uint32_t scanned = 0;
    if (http_parse(bytes, size, &scanned, &r) <= 0) return;
    size_t used = r.head_bytes;
    char *head = malloc(used);
    struct admin_conn *c = calloc(1, sizeof *c);
    TC_ASSERT(head && c);
    memcpy(head, bytes, used);
    scanned = 0;
    TC_ASSERT(http_parse(head, used, &scanned, &r) > 0);
    c->handed = true;
    c->answer = ADMIN_NO_ANSWER;
    admin_answer(s->admin, c, &r);
    TC_ASSERT(c->state == ADMIN_CONN_WRITE && !c->keep_alive);
    TC_ASSERT(answer_read((struct text){c->out, c->out_left}, r.method == HTTP_M_HEAD, &a) == c->out_left);
    TC_ASSERT(a.closes);
    check_answer(s, &r, &a);
    if (c->answer != ADMIN_NO_ANSWER) s->admin->answer_used[c->answer] = false;
    free(c);
    free(head);
}

/* The token is the file but for the blanks at its end, or there is a text that says why not. */
static void read_token(const char *bytes, size_t size)
{
    char path[64], token[ADMIN_TOKEN_MOST + 1];
    struct fault f = {.code = TC_OK};
    bool others;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    TC_ASSERT(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int result = admin_token_read(path, "--admin-token", token, &others, &f);
    close(fd);
    if (result < 0) {
        TC_ASSERT(f.code == TC_EUSAGE && strncmp(f.text, "--admin-token /proc/", 20) == 0);
        return;
    }
    size_t used = strlen(token);
    TC_ASSERT(used >= ADMIN_TOKEN_LEAST && used <= ADMIN_TOKEN_MOST && used <= size);
    TC_ASSERT(memcmp(token, bytes, used) == 0);
    for (size_t i = 0; i < used; i++) TC_ASSERT(token[i] > ' ' && token[i] < 127);
    for (size_t i = used; i < size; i++)
        TC_ASSERT(bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\r' || bytes[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 1) return 0;
    uint8_t how = input[0];
    uint32_t step = how >> STEP_SHIFT;
    const char *bytes = (const char *)input + 1;
    size--;
    if (how % WAYS == TOKEN) {
        read_token(bytes, size);
        return 0;
    }
    diag_setup(DIAG_ERROR, DIAG_LOGFMT); /* kicks are told otherwise */
    static struct subject s;
    open_subject(&s, how);
    if (s.way == HANDED) {
        hand_over(&s, bytes, size);
    } else {
        send_bytes(&s, bytes, size, step ? step * step : 16384);
        check_answers(&s, bytes, size);
    }
    close_subject(&s);
    return 0;
}
