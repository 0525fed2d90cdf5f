/* The neutral client counts every tick once, wherever reads cut the stream, and sees holes:
 * bench/compare/load. */
#include "bench/compare/load/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKS  500u
#define ROUNDS 300u

/* NATS, WebSocket text, MQTT and tickcast batches alike: bytes, a tick, bytes. `skip`: that tick is left out.
 */
static size_t stream(char *out, uint32_t skip)
{
    size_t used = 0;
    for (uint32_t i = 1; i <= TICKS; i++) {
        if (i == skip) continue;
        used += (size_t)snprintf(
            out + used, 256,
            "\x81\x7e%cMSG t 1 {\"type\":\"trade\",\"seq\":%u,\"symbol\":\"S%03u\",\"price\":1.5,",
            (char)(i % 100 + 1), i, i % 500);
        used += (size_t)snprintf(
            out + used, 256,
            "\"size\":1,\"ts\":%llu}\r\n{\"type\":\"heartbeat\",\"seq\":9999,\"symbols\":\"no\"}",
            (unsigned long long)(now_real_ns() / 1000));
    }
    return used;
}

static struct subscriber run(const char *bytes, size_t size, uint32_t seed, struct measured *m)
{
    static char buffer[CARRY_MAX + 65536 + FIND_PAD];
    const struct options o = {.sample = 1};
    struct subscriber s = {.open = true};
    srand48(seed);
    for (size_t at = 0; at < size;) {
        size_t most = 1 + (size_t)(drand48() * (seed % 2 ? 40 : 3000)),
               n = size - at < most ? size - at : most;
        memcpy(buffer, s.carry, s.carry_size);
        memcpy(buffer + s.carry_size, bytes + at, n);
        stream_take(&s, m, &o, buffer, s.carry_size + n, true);
        at += n;
    }
    return s;
}

static void every_tick_once(void **state)
{
    (void)state;
    static char bytes[TICKS * 256];
    size_t size = stream(bytes, 0);
    struct measured m = {.latency = calloc(LATENCY_MOST, sizeof *m.latency)};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        m.ticks = m.latency_count = m.latency_bad = 0;
        struct subscriber s = run(bytes, size, round, &m);
        assert_int_equal(s.ticks, TICKS);
        assert_int_equal(m.ticks, TICKS);
        assert_int_equal(m.latency_count, TICKS);
        assert_int_equal(m.latency_bad, 0);
        assert_int_equal(s.seq_first, 1);
        assert_int_equal(s.seq_last, TICKS);
    }
    free(m.latency);
}

/* Three ticks in two and three reads, cut at every place; swept subscribers count the same and time nothing.
 */
static void cuts_at_every_place(void **state)
{
    (void)state;
    static char bytes[TICKS * 256], buffer[CARRY_MAX + 1024 + FIND_PAD];
    stream(bytes, 0);
    const char *fourth = strstr(bytes, "\"seq\":4,");
    assert_non_null(fourth);
    size_t size = (size_t)(fourth - bytes);
    const struct options o = {.sample = 1};
    struct measured m = {.latency = calloc(LATENCY_MOST, sizeof *m.latency)};
    for (size_t first = 0; first <= size; first++)
        for (size_t second = first; second <= size; second++) {
            const size_t ends[] = {first, second, size};
            struct subscriber s = {.open = true, .swept = second % 2 == 0};
            m.ticks = m.latency_count = 0;
            for (size_t i = 0, at = 0; i < 3; at = ends[i++]) {
                memcpy(buffer, s.carry, s.carry_size);
                memcpy(buffer + s.carry_size, bytes + at, ends[i] - at);
                stream_take(&s, &m, &o, buffer, s.carry_size + ends[i] - at, true);
            }
            assert_int_equal(s.ticks, 3);
            assert_int_equal(m.ticks, 3);
            assert_int_equal(m.latency_count, s.swept ? 0 : 3);
            assert_int_equal(s.seq_first, 1);
            assert_int_equal(s.seq_last, 3);
        }
    free(m.latency);
}

static void a_hole_shows(void **state)
{
    (void)state;
    static char bytes[TICKS * 256];
    size_t size = stream(bytes, 77);
    struct measured m = {.latency = calloc(LATENCY_MOST, sizeof *m.latency)};
    struct subscriber s = run(bytes, size, 1, &m);
    assert_int_equal(s.seq_last - s.seq_first + 1 - s.ticks, 1);
    free(m.latency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_tick_once),
                                       cmocka_unit_test(cuts_at_every_place), cmocka_unit_test(a_hole_shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
