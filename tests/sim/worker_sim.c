/* The whole worker, log and protocol on the simulated network: goal: no fault may make a hole that was not
 * told.
 *
 * Two dozen clients of every policy, framing and appetite subscribe, change what they want, stall, trickle,
 * are killed and come back with resume, while the log is appended to and laps them, the network misbehaves,
 * time jumps, workers are drained and killed. Each client checks every word it is told (model.c); at the end
 * the faults stop and everyone must be at the head in bounded time; then all go, and nothing may be left of
 * them.
 *
 *   worker_sim [--seeds N] [--first S]   the regression seeds, then N seeds from S (1) on
 *   worker_sim --seed S [--verbose]      one seed: the seed is the bug report
 *   --twice N                            of the first N seeds each is run twice and must send the same bytes
 *
 * From 200 seeds on every row of happened.h must have been met. */
#include "base/diag.h"
#include "tests/sim/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS_THAT_MEET_ALL 200u

/* Seeds that once failed. They go first; a change of the simulation gives them another meaning. */
static const uint64_t regressions[] = {
    1,       /* frame=tick: a snapshot newer than its position; a gap inside the snapshot of what is new; a
                skip of `latest` after the policy changed; set change and gap waiting for each other */
    31,      /* a close frame in a held buffer: the buffer given back twice */
    132,     /* frame=tick: a heartbeat before `covered` */
    1034,    /* a drain notice before a close with 4000 */
    20353,   /* the same, while a snapshot is owed */
    1920,    /* frame=tick: no `covered` for one who stays behind */
    7017576, /* of the simulation itself: ticks after the end of the feeds */
};

static uint64_t current_seed;
static const char *program;

static void on_abort(int signal)
{
    (void)signal;
    char text[256];
    int n = snprintf(
        text, sizeof text, "worker_sim: failed with seed %llu at step %u\nrerun: %s --seed %llu --verbose\n",
        (unsigned long long)current_seed, world_step_now(), program, (unsigned long long)current_seed);
    if (write(STDERR_FILENO, text, (size_t)n) < 0) _exit(2);
}

static uint64_t run(uint64_t seed, struct happened *happened, bool verbose)
{
    current_seed = seed;
    return world_run(seed, happened, verbose);
}

static void print_happened(const struct happened *h)
{
#define PRINT_FIELD(field, what) printf("%12llu  %s\n", (unsigned long long)h->field, what);
    SIM_HAPPENED(PRINT_FIELD)
#undef PRINT_FIELD
}

/* False: something never happened, so nothing was proved about it. */
static bool all_happened(const struct happened *h)
{
    bool all = true;
#define NEED_FIELD(field, what)                                                                              \
    if (h->field == 0) {                                                                                     \
        fprintf(stderr, "worker_sim: never met in this run: %s (%s)\n", what, #field);                       \
        all = false;                                                                                         \
    }
    SIM_HAPPENED(NEED_FIELD)
#undef NEED_FIELD
    return all;
}

static bool same_twice(uint64_t seed, uint64_t digest)
{
    struct happened again = {0};
    uint64_t second = run(seed, &again, false);
    if (second == digest) return true;
    fprintf(stderr, "worker_sim: seed %llu sent other bytes the second time: %016llx, then %016llx\n",
            (unsigned long long)seed, (unsigned long long)digest, (unsigned long long)second);
    return false;
}

int main(int argc, char **argv)
{
    program = argv[0];
    signal(SIGABRT, on_abort);
    uint64_t count = 50, first = 1, twice = 0, digest = 0;
    bool verbose = false, one = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--seeds") == 0)
            count = strtoull(value, NULL, 0);
        else if (strcmp(argv[i - 1], "--first") == 0)
            first = strtoull(value, NULL, 0);
        else if (strcmp(argv[i - 1], "--twice") == 0)
            twice = strtoull(value, NULL, 0);
        else if (strcmp(argv[i - 1], "--seed") == 0) {
            first = strtoull(value, NULL, 0);
            count = 1;
            one = true;
        } else {
            fprintf(stderr, "worker_sim: %s is not an option; see the head of worker_sim.c\n", argv[i - 1]);
            return 2;
        }
    }
    diag_setup(verbose ? DIAG_INFO : DIAG_ERROR, DIAG_LOGFMT); /* laps and refusals are what is looked for */
    struct happened happened = {0};
    for (size_t i = 0; i < sizeof regressions / sizeof regressions[0] && !one; i++)
        run(regressions[i], &happened, false);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t of_seed = run(first + i, &happened, verbose);
        if (i < twice && !same_twice(first + i, of_seed)) return 1;
        digest = (digest ^ of_seed) * UINT64_C(0x9e3779b97f4a7c15);
    }
    if (one || count >= SEEDS_THAT_MEET_ALL) print_happened(&happened);
    printf("worker_sim: %llu seeds passed, digest %016llx\n", (unsigned long long)count,
           (unsigned long long)digest);
    return count < SEEDS_THAT_MEET_ALL || all_happened(&happened) ? 0 : 1;
}
