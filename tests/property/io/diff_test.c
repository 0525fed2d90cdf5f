/* io_uring against epoll: the same random script of calls and of peers' deeds, over unix sockets (whose
 * buffers are the same each time, to the byte), must give the same bytes, ends, refusals and rooms. After
 * each step both are brought to rest, so that only what happened counts, not when. Prints the seed; io_uring
 * missing: skipped. */
#include "unit/io/io_rig.h"

#include "base/random.h"

#define LINES  12u
#define STEPS  300
#define SEEDS  60
#define SNDBUF 8192 /* so that sockets are soon full */
#define CHUNK  30000u

struct side {
    struct rig *rig;
    int peers[LINES];
    uint64_t taken[LINES], read[LINES], read_sum[LINES]; /* by the socket; by the peer */
    uint64_t history;
};

enum deed {
    PEER_WRITES,
    PEER_READS,
    PEER_SHUTS,
    PEER_CLOSES,
    SENDS,
    PAUSES,
    RESUMES,
    ARMS,
    REPLACES,
    SHUTS,
    DEEDS
};

struct step {
    enum deed deed;
    uint32_t line, size, generation;
    int how;
};

static uint64_t last_seed;

static void note(struct side *s, uint64_t what)
{
    s->history = (s->history ^ what) * UINT64_C(0x100000001b3);
}

/* Until nothing more comes. Between unix sockets all is done within the calls, so that nothing is to be
 * waited for; one thing may lead to the next (a cancelled receive that is armed again), hence more than one
 * look. */
static void rest(struct side *s)
{
    for (int quiet = 0; quiet < 4;) quiet = rig_turn(s->rig, 0) > 0 ? 0 : quiet + 1;
}

static void send_all(struct side *s, const struct step *step, const uint8_t *bytes)
{
    struct io_sent failed[LINES];
    bool offered[LINES] = {false};
    for (uint32_t i = 0; i < LINES; i++) {
        if (((step->size >> i) & 1) == 0) continue;
        s->rig->io->ops->send_add(s->rig->io, i, bytes, step->size);
        s->taken[i] += step->size;
        offered[i] = true;
    }
    uint32_t count = s->rig->io->ops->send_flush(s->rig->io, failed);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(offered[failed[i].slot]);
        assert_true(failed[i].taken < step->size);
        s->taken[failed[i].slot] -= step->size - failed[i].taken;
    }
    for (uint32_t slot = 0; slot < LINES; slot++) /* in the order of slots: a ring may tell in another */
        for (uint32_t i = 0; i < count; i++)
            if (failed[i].slot == slot)
                note(s, (uint64_t)slot << 40 ^ failed[i].taken ^ (uint64_t)(uint32_t)-failed[i].error << 20);
}

static void peer_reads(struct side *s, uint32_t line, uint32_t most)
{
    static uint8_t got[CHUNK * 64];
    ssize_t size = recv(s->peers[line], got, most, MSG_DONTWAIT);
    note(s, (uint64_t)(size >= 0 ? size : -errno));
    if (size <= 0) return;
    s->read_sum[line] = rig_sum(s->read_sum[line], got, (size_t)size);
    s->read[line] += (uint64_t)size;
    assert_true(s->read[line] <= s->taken[line]);
}

static void renew(struct side *s, uint32_t line, uint32_t generation)
{
    s->peers[line] = rig_pair(s->rig, line, generation);
    s->taken[line] = s->read[line] = s->read_sum[line] = 0;
}

static void act(struct side *s, const struct step *step, const uint8_t *bytes)
{
    const struct io_ops *ops = s->rig->io->ops;
    struct io *io = s->rig->io;
    uint32_t line = step->line;
    switch (step->deed) {
    case PEER_WRITES: {
        ssize_t size = send(s->peers[line], bytes, step->size, MSG_DONTWAIT | MSG_NOSIGNAL);
        note(s, (uint64_t)(size >= 0 ? size : -errno));
        break;
    }
    case PEER_READS: peer_reads(s, line, step->size * 16); break;
    case PEER_SHUTS: shutdown(s->peers[line], SHUT_WR); break;
    case PEER_CLOSES: shutdown(s->peers[line], SHUT_RDWR); break;
    case SENDS: send_all(s, step, bytes); break;
    case PAUSES: ops->receive_pause(io, line); break;
    case RESUMES: ops->receive_resume(io, line); break;
    case ARMS: ops->writable_arm(io, line); break;
    case SHUTS: ops->shutdown_write(io, line); break;
    case REPLACES: {
        int old = s->peers[line];
        ops->detach(io, line, step->how);
        renew(s, line, step->generation);
        rest(s);
        static uint8_t left[CHUNK];
        ssize_t size;
        while ((size = recv(old, left, sizeof left, MSG_DONTWAIT)) > 0) {
        }
        note(s, (uint64_t)(size == 0 ? 1 : -errno)); /* its end is there */
        close(old);
        break;
    }
    case DEEDS: break;
    }
}

static void compare(const struct side *a, const struct side *b)
{
    assert_true(a->history == b->history);
    for (uint32_t i = 0; i < LINES; i++) {
        const struct rig_slot *x = &a->rig->slots[i], *y = &b->rig->slots[i];
        assert_int_equal(x->received, y->received);
        assert_true(x->sum == y->sum);
        assert_int_equal(x->ends, y->ends);
        assert_int_equal(x->last_result, y->last_result);
        assert_int_equal(x->writables, y->writables);
        assert_int_equal(x->foreign, 0);
        assert_int_equal(y->foreign, 0);
        assert_int_equal(a->taken[i], b->taken[i]);
        assert_int_equal(a->read[i], b->read[i]);
        assert_true(a->read_sum[i] == b->read_sum[i]);
    }
}

static void run(uint64_t seed, const uint8_t *bytes, struct io_counters *total)
{
    struct side sides[2] = {{.rig = rig_open_with(io_uring_open, 1024)},
                            {.rig = rig_open_with(io_epoll_open, 1024)}};
    struct random random;
    uint32_t generation = 0;
    random_seed(&random, seed);
    sides[0].rig->pair_sndbuf = sides[1].rig->pair_sndbuf = SNDBUF;
    for (uint32_t i = 0; i < LINES; i++, generation++)
        for (int k = 0; k < 2; k++) renew(&sides[k], i, generation);
    for (int i = 0; i < STEPS; i++) {
        struct step step = {.deed = (enum deed)random_below(&random, DEEDS),
                            .line = (uint32_t)random_below(&random, LINES),
                            .size = 1 + (uint32_t)random_below(&random, CHUNK),
                            .generation = generation++,
                            .how = random_below(&random, 2) ? IO_CLOSE_FIN : IO_CLOSE_RESET};
        bool rare = step.deed == PEER_SHUTS || step.deed == PEER_CLOSES || step.deed == SHUTS;
        if (rare && random_below(&random, 3) > 0) step.deed = SENDS;
        for (int k = 0; k < 2; k++) {
            act(&sides[k], &step, bytes);
            rest(&sides[k]);
        }
        compare(&sides[0], &sides[1]);
    }
    assert_int_equal(sides[0].rig->io->counters.sent_bytes, sides[1].rig->io->counters.sent_bytes);
    assert_int_equal(sides[0].rig->io->counters.received_bytes, sides[1].rig->io->counters.received_bytes);
    total->sends_full += sides[0].rig->io->counters.sends_full;
    total->sends_part += sides[0].rig->io->counters.sends_part;
    total->sends_dead += sides[0].rig->io->counters.sends_dead;
    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < LINES; i++) close(sides[k].peers[i]);
        rig_close(sides[k].rig);
    }
}

static void both_do_the_same(void **state)
{
    (void)state;
    uint8_t *bytes = rig_pattern(CHUNK);
    struct io_counters total = {0};
    for (last_seed = 1; last_seed <= SEEDS; last_seed++) run(last_seed, bytes, &total);
    assert_true(total.sends_full > 0 && total.sends_part > 0 && total.sends_dead > 0);
    free(bytes);
}

/* Runs after a failure too: then it is the seed that failed. */
static int print_seed(void **state)
{
    (void)state;
    fprintf(stderr, "last seed %llu\n", (unsigned long long)last_seed);
    return 0;
}

int main(void)
{
    struct io_probe probe;
    io_probe(&probe);
    if (!probe.uring) {
        printf("skipped: no io_uring here: %s\n", probe.missing);
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(both_do_the_same, print_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
