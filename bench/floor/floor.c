/* bench/floor/floor.c -- options, the walk over the cohorts, the ring; see floor.h. */
#include "bench/floor/floor.h"

#include "base/clock.h"
#include "io/listen.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define SPARE_SLOTS   64u /* for who connects and goes again, as a test whether the port answers */
#define COHORT_CLOSED 64u
#define COHORT_ROLL   16u
#define RING_ENTRIES  256u
#define LOWAT_BYTES   32768u /* as tickcast's --notsent-lowat: it bounds what a full socket hides */
#define BACKLOG       4096
#define SEND_FLAGS    (MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL)

static void options_read(struct floor_options *o, int argc, char **argv);
static enum floor_frame frame_of(const char *text);
static double number_of(const char *option, const char *text, double least, double most);
static void open_all(struct floor *f);
static void ring_open(struct floor *f);
static bool visit(struct floor *f, uint32_t first);
static void add_send(struct floor *f, uint32_t slot, const uint8_t *bytes, uint64_t size);
static void enter(struct floor *f);
static void wait_for_events(struct floor *f);
static void reap(struct floor *f);
static void completed(struct floor *f, const struct io_uring_cqe *cqe);
static void sent_short(struct floor *f, uint32_t slot, int result);
static void report(const struct floor *f, uint64_t began_ns);

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

int main(int argc, char **argv)
{
    static struct floor f;
    options_read(&f.o, argc, argv);
    open_all(&f);
    clients_accept(&f);
    while (!f.running && !stopped) wait_for_events(&f);
    uint64_t began = clock_mono_ns();
    uint32_t first = 0;
    bool busy = false; /* something was sent in this round */
    while (!stopped) {
        if (f.o.rate > 0) {
            stream_publish(&f.stream, &f.o);
        } else if (first == 0) {
            f.stream.head += f.stream.size;
            f.stream.ticks += f.o.burst;
        }
        busy |= visit(&f, first);
        first += f.o.cohort;
        if (first < f.slots) continue;
        if (!busy) wait_for_events(&f);
        first = 0;
        busy = false;
    }
    report(&f, began);
    return 0;
}

static void options_read(struct floor_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},
        {"clients", required_argument, NULL, 'n'},
        {"burst", required_argument, NULL, 'b'},
        {"frame", required_argument, NULL, 'f'},
        {"rate", required_argument, NULL, 'r'},
        {"cohort", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    *o = (struct floor_options){.clients = 1000, .burst = 1};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) >= 0) switch (c) {
        case 'p': o->port = (uint32_t)number_of("--port", optarg, 1, 65535); break;
        case 'n': o->clients = (uint32_t)number_of("--clients", optarg, 1, 1e6); break;
        case 'b': o->burst = (uint32_t)number_of("--burst", optarg, 1, BURST_MAX); break;
        case 'c': o->cohort = (uint32_t)number_of("--cohort", optarg, 1, 1e6); break;
        case 'r': o->rate = number_of("--rate", optarg, 0, 1e6); break;
        case 'f': o->frame = frame_of(optarg); break;
        default:
            floor_die(
                "wrong call: --port P [--clients N --burst B --frame tick|batch|binary --rate R --cohort K]");
        }
    if (optind < argc) floor_die("\"%s\": options begin with --", argv[optind]);
    if (o->port == 0) floor_die("--port: say where to listen, 1 to 65535");
    if (o->rate > 0 && (o->frame != FLOOR_TICK || o->burst > 1))
        floor_die("--rate: a frame per tick, when it is due; leave --burst and --frame out");
    if (o->cohort == 0) o->cohort = o->rate > 0 ? COHORT_ROLL : COHORT_CLOSED;
}

static enum floor_frame frame_of(const char *text)
{
    static const char *const names[] = {
        [FLOOR_TICK] = "tick", [FLOOR_BATCH] = "batch", [FLOOR_BINARY] = "binary"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) return (enum floor_frame)i;
    floor_die("--frame: \"%s\" is neither tick nor batch nor binary", text);
}

static double number_of(const char *option, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || !(value >= least && value <= most))
        floor_die("%s: \"%s\" is not a number of %.0f to %.0f", option, text, least, most);
    return value;
}

static void open_all(struct floor *f)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    f->slots = f->o.clients + SPARE_SLOTS;
    f->clients = calloc(f->slots, sizeof *f->clients);
    if (!f->clients) floor_die("no memory for %u clients", f->o.clients);
    stream_open(&f->stream, &f->o);
    ring_open(f);
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", f->o.port);
    struct fault fault;
    struct listen_options o = {
        .address = address, .no_delay = true, .notsent_lowat = LOWAT_BYTES, .backlog = BACKLOG};
    f->listener = listen_open(&o, &fault);
    if (f->listener < 0) floor_die("%s", fault.text);
}

/* Each client may have a word from it, a full socket, and its end to tell at the same time. */
static void ring_open(struct floor *f)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                         IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                                .cq_entries = 4 * (f->slots + RING_ENTRIES)};
    int r = io_uring_queue_init_params(RING_ENTRIES, &f->ring, &p);
    if (r < 0) floor_die("io_uring (kernel 6.1 or newer is needed): %s", strerror(-r));
}

/* One submission. False: there was nothing to send to these. */
static bool visit(struct floor *f, uint32_t first)
{
    uint32_t last = first + f->o.cohort < f->slots ? first + f->o.cohort : f->slots;
    uint64_t sends = f->counts.sends;
    for (uint32_t slot = first; slot < last; slot++) {
        struct floor_client *c = &f->clients[slot];
        const uint8_t *bytes;
        uint64_t size;
        if (c->state != CLIENT_LIVE || c->full) continue;
        if (!stream_range(&f->stream, &f->o, c, &bytes, &size))
            client_drop(f, slot);
        else if (size > 0)
            add_send(f, slot, bytes, size);
    }
    if (f->counts.sends == sends) return false;
    enter(f);
    return true;
}

/* Whole: no completion. Part: the count; WAITALL makes the kernel tell it. Full: -EAGAIN; DONTWAIT makes the
 * kernel say so instead of keeping the send. */
static void add_send(struct floor *f, uint32_t slot, const uint8_t *bytes, uint64_t size)
{
    struct floor_client *c = &f->clients[slot];
    struct io_uring_sqe *sqe = floor_sqe(f);
    io_uring_prep_send(sqe, c->fd, bytes, size, SEND_FLAGS);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    floor_tag(sqe, f, OP_SEND, slot);
    c->from = c->at;
    c->at += size;
    f->counts.sends++;
}

struct io_uring_sqe *floor_sqe(struct floor *f)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&f->ring);
    while (!sqe) {
        int r = io_uring_submit(&f->ring); /* completions wait: they may want entries themselves */
        if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
            floor_die("io_uring_enter: %s", strerror(-r));
        sqe = io_uring_get_sqe(&f->ring);
    }
    return sqe;
}

/* 8 bits of what, 24 of the generation, 32 of the slot. */
void floor_tag(struct io_uring_sqe *sqe, const struct floor *f, enum floor_op op, uint32_t slot)
{
    uint64_t generation = f->clients[slot].generation & 0xffffff;
    io_uring_sqe_set_data64(sqe, (uint64_t)op << 56 | generation << 32 | slot);
}

static void enter(struct floor *f)
{
    do {
        int r = io_uring_submit_and_get_events(&f->ring);
        f->counts.enters++;
        if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
            floor_die("io_uring_enter: %s", strerror(-r));
        reap(f);
    } while (io_uring_sq_ready(&f->ring) && !stopped);
}

/* Until somebody says, takes or comes; at a rate not beyond the next tick. */
static void wait_for_events(struct floor *f)
{
    uint64_t now = clock_mono_ns(), wait_ns = NS_PER_SECOND;
    if (f->running && f->o.rate > 0) {
        if (f->stream.next_mono_ns <= now) return;
        wait_ns = f->stream.next_mono_ns - now;
    }
    struct __kernel_timespec wait = {.tv_sec = (int64_t)(wait_ns / NS_PER_SECOND),
                                     .tv_nsec = (long long)(wait_ns % NS_PER_SECOND)};
    struct io_uring_cqe *cqe;
    int r = io_uring_submit_and_wait_timeout(&f->ring, &cqe, 1, &wait, NULL);
    if (r < 0 && r != -EINTR && r != -ETIME && r != -EAGAIN && r != -EBUSY)
        floor_die("io_uring_enter: %s", strerror(-r));
    reap(f);
}

static void reap(struct floor *f)
{
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&f->ring, &cqe) == 0) {
        struct io_uring_cqe copy = *cqe;
        io_uring_cqe_seen(&f->ring, cqe);
        completed(f, &copy);
    }
}

static void completed(struct floor *f, const struct io_uring_cqe *cqe)
{
    enum floor_op op = (enum floor_op)(cqe->user_data >> 56);
    uint32_t slot = (uint32_t)cqe->user_data, generation = (uint32_t)(cqe->user_data >> 32) & 0xffffff;
    if (op == OP_ACCEPT) {
        clients_accepted(f, cqe->res);
        if (!(cqe->flags & IORING_CQE_F_MORE)) clients_accept(f);
        return;
    }
    struct floor_client *c = &f->clients[slot];
    if (c->state == CLIENT_FREE || (c->generation & 0xffffff) != generation) return;
    if (op == OP_SEND) sent_short(f, slot, cqe->res);
    if (op == OP_TAKES) c->full = false;
    if (op != OP_HEAR) return;
    client_heard(f, slot);
    if (!(cqe->flags & IORING_CQE_F_MORE) && c->state != CLIENT_FREE) client_hear(f, slot);
}

static void sent_short(struct floor *f, uint32_t slot, int result)
{
    struct floor_client *c = &f->clients[slot];
    if (result < 0 && result != -EAGAIN) {
        client_drop(f, slot);
        return;
    }
    (*(result < 0 ? &f->counts.full : &f->counts.part))++;
    c->at = c->from + (result > 0 ? (uint64_t)result : 0);
    c->full = true;
    struct io_uring_sqe *sqe = floor_sqe(f);
    io_uring_prep_poll_add(sqe, c->fd, POLLOUT);
    floor_tag(sqe, f, OP_TAKES, slot);
}

static void report(const struct floor *f, uint64_t began_ns)
{
    const struct floor_counts *n = &f->counts;
    printf("{\"seconds\":%.3f,\"ticks\":%" PRIu64 ",\"sends\":%" PRIu64 ",\"full\":%" PRIu64
           ",\"part\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"enters\":%" PRIu64 "}\n",
           (double)(clock_mono_ns() - began_ns) / 1e9, f->stream.ticks, n->sends, n->full, n->part,
           n->dropped, n->enters);
}

void floor_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}
