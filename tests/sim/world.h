/* tests/sim/world.h -- one simulated world, decided by its seed: a log and its writer, one or two workers on
 * simulated networks, two dozen subscribers and some strangers, a virtual clock, and what goes wrong. */
#ifndef TC_TESTS_SIM_WORLD_H
#define TC_TESTS_SIM_WORLD_H

#include "tests/sim/client.h"
#include "worker/worker.h"

#define CLIENTS     24u
#define STRANGERS   3u
#define NODES_MAX   2u
#define WORLD_STEPS 450u

struct node { /* a worker and its network */
    struct worker *worker;
    struct sim *sim;
    bool asleep;     /* until its network, a timer or the log wakes it */
    uint32_t reader; /* in the log's table */
    uint64_t left_step;
};

struct stranger { /* speaks HTTP, or nothing, or a frame that is never whole */
    struct sim *sim;
    uint32_t node;
    int32_t peer;
    size_t seen;
    bool dribbles;
    uint32_t dribbled; /* bytes of the frame */
};

enum ending { END_NOT, END_DRAIN, END_EXIT };

struct world {
    uint64_t seed;
    struct settings settings;
    struct server server;
    struct log *log;
    struct sim_faults faults;
    struct random random;
    struct truth *truth;
    struct happened *happened;
    struct node nodes[NODES_MAX];
    uint32_t node_count, buffers, window_max, incarnation;
    struct client clients[CLIENTS];
    struct stranger strangers[STRANGERS];
    uint64_t now_ns, ending_since_ns;
    int64_t wall_ns;       /* wall clock less virtual clock */
    uint64_t real_most_ns; /* the latest that a worker has seen of the wall clock */
    uint32_t step;
    uint32_t end_chance, kill_chance; /* one in so many steps; 0: never */
    enum ending ending;
    bool paced, verbose, calm; /* paced: a feed waits for its readers, and lets go who takes nothing */
    uint64_t digest;           /* of networks that are gone */
};

/* Runs one seed to its end and adds to happened. Asserts. Returns the digest of every byte sent. */
uint64_t world_run(uint64_t seed, struct happened *happened, bool verbose);
/* For the report of a failure. */
uint32_t world_step_now(void);

/* ---- world_open.c ---- */
void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);
void node_open(struct world *w, uint32_t n);
void node_close(struct world *w, uint32_t n); /* its peers are lost */
uint32_t world_any(struct world *w, uint32_t bound);
uint64_t world_real_ns(const struct world *w);

/* ---- stranger.c ---- */
void stranger_step(struct world *w, struct stranger *s);
void stranger_go(struct world *w, struct stranger *s);

#endif
