/* bench/instructions/instructions.c -- one stage of the hot path under an instruction counter.
 *
 *     instructions STAGE      does the stage's work in measured_work() and prints how many units that was
 *     instructions --list     the stages, one a line: name, unit
 *
 * Run by compare.py under `valgrind --tool=callgrind --toggle-collect=measured_work`: only what is executed
 * below that function counts, so setting up and preparing a round do not. One thread, one seed, no kernel. */
#include "base/assert.h"
#include "bench/instructions/rig.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 20u

struct stage {
    const char *name, *unit;
    struct rig_options rig;
    uint32_t ticks;                           /* appended a round */
    void (*before)(struct rig *, uint32_t);   /* a round's preparation, not counted; NULL: none */
    uint64_t (*work)(struct rig *, uint32_t); /* a round's work; returns the units done */
    bool connect_first;                       /* the subscribers are there before the first round */
    uint32_t rounds;
};

static uint64_t append_work(struct rig *r, uint32_t ticks);
static uint64_t append_single_work(struct rig *r, uint32_t ticks);
static uint64_t fold_work(struct rig *r, uint32_t ticks);
static uint64_t send_work(struct rig *r, uint32_t ticks);
static uint64_t idle_work(struct rig *r, uint32_t ticks);
static uint64_t connect_work(struct rig *r, uint32_t ticks);

static const struct stage stages[] = {
    {"append-16", "tick", {0}, 16, rig_make, append_work, false, 200},
    {"append-1", "tick", {0}, 64, rig_make, append_single_work, false, 40},
    {"fold", "tick", {0}, 256, rig_append, fold_work, false, 100},
    {"delivery-1", "send", {.subscribers = 1024}, 1, rig_append, send_work, true, ROUNDS},
    {"delivery-16", "send", {.subscribers = 1024}, 16, rig_append, send_work, true, ROUNDS},
    {"delivery-16-tick-frames",
     "send",
     {.subscribers = 1024, .tick_frames = true},
     16,
     rig_append,
     send_work,
     true,
     ROUNDS},
    {"delivery-64", "send", {.subscribers = 1024}, 64, rig_append, send_work, true, ROUNDS},
    {"delivery-16-binary",
     "send",
     {.subscribers = 1024, .binary = true},
     16,
     rig_append,
     send_work,
     true,
     ROUNDS},
    {"delivery-16-deflate",
     "send",
     {.subscribers = 1024, .deflate = true},
     16,
     rig_append,
     send_work,
     true,
     ROUNDS},
    {"watch-lists-25", "send", {.subscribers = 1000, .lists = true}, 25, rig_append, send_work, true, 10},
    {"watch-lists-250", "send", {.subscribers = 1000, .lists = true}, 250, rig_append, send_work, true, 4},
    {"idle-turn-0", "turn", {0}, 200, NULL, idle_work, false, ROUNDS},
    {"idle-turn-1024", "turn", {.subscribers = 1024}, 20, NULL, idle_work, true, ROUNDS},
    {"idle-turn-watch-lists",
     "turn",
     {.subscribers = 1000, .lists = true},
     20,
     NULL,
     idle_work,
     true,
     ROUNDS},
    {"connect", "connection", {.subscribers = 512}, 0, NULL, connect_work, false, 1},
    {"connect-watch-list",
     "connection",
     {.subscribers = 512, .lists = true},
     0,
     NULL,
     connect_work,
     false,
     1},
};
#define STAGES (sizeof stages / sizeof stages[0])

/* What the counter is switched on for: not inlined, not cloned, entered through this name alone. */
__attribute__((noinline, noclone, used)) uint64_t measured_work(const struct stage *s, struct rig *r)
{
    uint64_t units = s->work(r, s->ticks);
    __asm__ volatile("" ::: "memory"); /* the call above is not the last thing: no jump out of here */
    return units;
}

static int run(const struct stage *s)
{
    struct rig *r = rig_open(&s->rig);
    if (s->connect_first) {
        rig_connect(r);
        rig_settle(r);
        TC_ASSERT(rig_subscribed(r) == s->rig.subscribers);
    }
    if (s->connect_first && s->before) { /* a round outside of the count: memory touched, queues warm */
        s->before(r, s->ticks);
        rig_settle(r);
    }
    uint64_t units = 0;
    for (uint32_t i = 0; i < s->rounds; i++) {
        if (s->before) s->before(r, s->ticks);
        units += measured_work(s, r);
        rig_settle(r);
    }
    printf("%s %llu\n", s->name, (unsigned long long)units);
    rig_close(r);
    return 0;
}

static uint64_t append_work(struct rig *r, uint32_t ticks)
{
    rig_append_made(r, 0, ticks);
    return ticks;
}

static uint64_t append_single_work(struct rig *r, uint32_t ticks)
{
    for (uint32_t i = 0; i < ticks; i++) rig_append_made(r, i, 1);
    return ticks;
}

static uint64_t fold_work(struct rig *r, uint32_t ticks)
{
    TC_ASSERT(rig_turn(r) == ticks);
    return ticks;
}

/* From the first turn that sees the ticks to the last send. */
static uint64_t send_work(struct rig *r, uint32_t ticks)
{
    (void)ticks;
    uint64_t before = rig_sends(r);
    rig_settle(r);
    return rig_sends(r) - before;
}

static uint64_t idle_work(struct rig *r, uint32_t turns)
{
    for (uint32_t i = 0; i < turns; i++) TC_ASSERT(rig_turn(r) == 0);
    return turns;
}

static uint64_t connect_work(struct rig *r, uint32_t ticks)
{
    (void)ticks;
    rig_connect(r);
    rig_settle(r);
    return rig_subscribed(r);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (uint32_t i = 0; i < STAGES; i++) printf("%s %s\n", stages[i].name, stages[i].unit);
        return 0;
    }
    for (uint32_t i = 0; argc == 2 && i < STAGES; i++)
        if (strcmp(argv[1], stages[i].name) == 0) return run(&stages[i]);
    fprintf(stderr, "usage: instructions --list | STAGE\n");
    return 2;
}
