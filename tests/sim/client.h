/* tests/sim/client.h -- a subscriber on the simulated network that checks every word it is told, and
 * remembers what it got. */
#ifndef TC_TESTS_SIM_CLIENT_H
#define TC_TESTS_SIM_CLIENT_H

#include "config/subscription.h"
#include "tests/sim/simnet.h"
#include "tick/tick.h"

#include <jansson.h>

#define TRUTH_MAX 200000u

/* What was appended, by seq: the reference. */
struct truth {
    uint8_t kind[TRUTH_MAX], state[TRUTH_MAX];
    uint32_t symbol[TRUTH_MAX];
    uint64_t head;
};

enum seen { SEEN_NOT, SEEN_DELIVERED, SEEN_GAP };

struct client {
    struct simnet *net;
    const struct truth *truth;
    struct peer *peer;
    char query[160]; /* what it wants, without resume */
    char prefix;     /* wants symbols that begin with it; 0: all */
    uint32_t kinds;
    enum framing framing;
    enum policy policy;
    uint8_t buffer[1 << 17];
    size_t size;
    char epoch[17];
    uint64_t position, first, last_seq, heartbeat, conflated;
    bool positioned, upgraded, closed;
    uint8_t seen[TRUTH_MAX];
    uint32_t messages, gaps, kills;
    uint16_t close_code;
};

void client_connect(struct client *c, uint32_t window); /* resumes where it was, if it was anywhere */
/* Takes up to size bytes from its window and reads what is whole. Asserts what the protocol promises. */
void client_read(struct client *c, size_t size);
void client_command(struct client *c, const char *json);
bool client_wants(const struct client *c, uint64_t seq);
/* Every seq it wanted in (first, position] was delivered, told as lost, or counted as conflated. */
void client_check(const struct client *c);

#endif
