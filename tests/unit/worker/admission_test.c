/* tests/unit/worker/admission_test.c -- goal: the limits that workers share hold to the connection, whatever
 * comes and goes, and from several threads. */
#include "worker/admission.h"

#include "base/clock.h"
#include "base/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct admission opened(uint64_t connections, uint64_t per_address, uint64_t per_second)
{
    static struct settings s;
    settings_default(&s);
    s.workers = 1;
    s.connections_max = connections;
    s.connections_per_ip_max = per_address;
    s.handshakes_per_second_max = per_second;
    struct admission a = {.users = 0};
    assert_int_equal(admission_open(&a, &s), TC_OK);
    return a;
}

static enum limit take(struct admission *a, const char *peer, uint64_t now_ns, uint32_t *address)
{
    enum limit met = admission_take(a, peer, now_ns, address);
    if (met == LIMIT_COUNT) admission_upgraded(a);
    return met;
}

static void connections(void **state)
{
    (void)state;
    struct admission a = opened(8, 0, 0);
    uint32_t at;
    for (int i = 0; i < 8; i++) assert_int_equal(take(&a, "192.0.2.1", 0, &at), LIMIT_COUNT);
    assert_int_equal(at, ADDRESS_NONE); /* not asked for */
    for (int i = 0; i < 3; i++) assert_int_equal(take(&a, NULL, 0, &at), LIMIT_CONNECTIONS);
    admission_give(&a, true, ADDRESS_NONE);
    assert_int_equal(take(&a, NULL, 0, &at), LIMIT_COUNT);
    assert_int_equal(take(&a, NULL, 0, &at), LIMIT_CONNECTIONS);
    admission_close(&a);
}

static void a_quarter_unupgraded(void **state)
{
    (void)state;
    struct admission a = opened(16, 0, 0);
    uint32_t at;
    for (int i = 0; i < 5; i++) assert_int_equal(admission_take(&a, NULL, 0, &at), LIMIT_COUNT);
    assert_int_equal(admission_take(&a, NULL, 0, &at), LIMIT_UNUPGRADED);
    admission_upgraded(&a);
    assert_int_equal(admission_take(&a, NULL, 0, &at), LIMIT_COUNT);
    assert_int_equal(admission_take(&a, NULL, 0, &at), LIMIT_UNUPGRADED);
    admission_give(&a, false, ADDRESS_NONE);
    assert_int_equal(admission_take(&a, NULL, 0, &at), LIMIT_COUNT);
    admission_close(&a);
}

static void handshakes_a_second(void **state)
{
    (void)state;
    struct admission a = opened(1000, 0, 3);
    uint32_t at;
    uint64_t now_ns = 7 * NS_PER_SECOND;
    for (int i = 0; i < 3; i++) assert_int_equal(take(&a, NULL, now_ns, &at), LIMIT_COUNT);
    assert_int_equal(take(&a, NULL, now_ns + NS_PER_SECOND - 1, &at), LIMIT_HANDSHAKES);
    assert_int_equal(take(&a, NULL, now_ns + NS_PER_SECOND, &at), LIMIT_COUNT);
    /* A worker whose clock is a turn behind does not begin the old second again. */
    for (int i = 0; i < 2; i++) assert_int_equal(take(&a, NULL, now_ns, &at), LIMIT_COUNT);
    assert_int_equal(take(&a, NULL, now_ns, &at), LIMIT_HANDSHAKES);
    admission_close(&a);
}

/* Random comings and goings of more addresses than there are connections, against plain arrays. */
static void addresses(void **state)
{
    (void)state;
    enum { CONNECTIONS = 64, PEERS = 100, MOST = 3 };
    struct admission a = opened(CONNECTIONS, MOST, 0);
    struct {
        int peer;
        uint32_t address;
    } open[CONNECTIONS];
    int counts[PEERS] = {0}, open_count = 0, met_address = 0, met_connections = 0;
    struct random r;
    random_seed(&r, 11);
    for (int step = 0; step < 200000; step++) {
        if (random_below(&r, 100) < 80) {
            int peer = (int)random_below(&r, random_below(&r, 2) ? PEERS : 4);
            char text[ADDRESS_TEXT_BYTES];
            snprintf(text, sizeof text, "2001:db8:ffff:ffff:ffff:ffff:ffff:%04x", (unsigned)peer);
            uint32_t at;
            enum limit met = take(&a, text, 0, &at), expected = LIMIT_COUNT;
            if (open_count == CONNECTIONS)
                expected = LIMIT_CONNECTIONS, met_connections++;
            else if (counts[peer] == MOST)
                expected = LIMIT_ADDRESS, met_address++;
            assert_int_equal(met, expected);
            if (met != LIMIT_COUNT) continue;
            counts[peer]++;
            open[open_count].peer = peer;
            open[open_count++].address = at;
        } else if (open_count > 0) {
            int i = (int)random_below(&r, (uint64_t)open_count);
            admission_give(&a, true, open[i].address);
            counts[open[i].peer]--;
            open[i] = open[--open_count];
        }
    }
    assert_true(met_address > 1000);
    assert_true(met_connections > 1000);
    while (open_count > 0) admission_give(&a, true, open[--open_count].address);
    assert_int_equal(a.connections, 0);
    assert_int_equal(a.unupgraded, 0);
    admission_close(&a);
}

static void *come_and_go(void *context)
{
    struct admission *a = context;
    uint32_t held[8], count = 0;
    char text[ADDRESS_TEXT_BYTES];
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "192.0.2.%u", i * 7919 % 5);
        if (count < 8 && take(a, text, i, &held[count]) == LIMIT_COUNT) count++;
        if (count == 8 || i % 3 == 0)
            while (count > 0) admission_give(a, true, held[--count]);
    }
    while (count > 0) admission_give(a, true, held[--count]);
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    struct admission a = opened(20, 6, 0);
    pthread_t t[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&t[i], NULL, come_and_go, &a), 0);
    for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
    assert_int_equal(a.connections, 0);
    assert_int_equal(a.unupgraded, 0);
    for (uint32_t i = 0; i < a.touched; i++) assert_int_equal(a.entries[i].count, 0);
    admission_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections),
        cmocka_unit_test(a_quarter_unupgraded),
        cmocka_unit_test(handshakes_a_second),
        cmocka_unit_test(addresses),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
