/* A connection that goes while it stands in the line of those with something owed: who gets its slot next
 * must not stand there twice, or two sends for one socket would go into one submission (decision 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define SLOTS 1024u
#define MANY  1000u /* several turns' worth of single sends */

static struct client clients[MANY], newcomer;

static void join(struct rig *r, struct client *c)
{
    client_connect(r, c, "symbols=*&heartbeat=1&snapshot=0");
}

static void a_slot_that_is_taken_again_stands_once_in_line(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, &(struct rig_options){.connections = SLOTS, .log_capacity = 1024, .symbols = 64});
    for (uint32_t i = 0; i < MANY; i++) { /* few at a time: most slots are for those that shook hands */
        join(&r, &clients[i]);
        if (i % 64 == 63) rig_turn_after(&r, NS_PER_US);
    }
    rig_turns(&r, 20);
    for (uint32_t i = 0; i < MANY; i++) {
        client_read(&clients[i], UINT32_MAX);
        assert_true(clients[i].size > 0);
        client_close(&clients[i]);
    }
    assert_int_equal(rig_counter(&r, subscribers), MANY);
    rig_turn_after(&r, 2 * NS_PER_SECOND); /* a heartbeat is owed to all: more than one turn can send */
    for (uint32_t i = MANY - 40; i < MANY; i += 20) { /* whoever is last in line goes, and others come */
        sim_peer_close(r.sim, clients[i].peer, IO_CLOSE_RESET);
        join(&r, &newcomer);
        rig_turn_after(&r, NS_PER_US);
    }
    rig_turns(&r, 20);
    assert_true(client_upgraded(&newcomer));
    assert_non_null(client_until(&newcomer, "subscribed"));
    assert_int_equal(rig_counter(&r, subscribers), MANY);
    client_close(&newcomer);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_slot_that_is_taken_again_stands_once_in_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
