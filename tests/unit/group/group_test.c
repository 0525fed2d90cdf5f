/* Groups and cohorts: who shares, who is marked, what is given back. groups_check walks everything after each
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "group/group.h"

#include <stdio.h>

struct rig {
    struct log *log;
    struct groups groups;
};

static void rig_open(struct rig *r, uint32_t members_max)
{
    struct log_options lo = {.capacity = 1024, .symbols_max = 256, .bars_max = 16};
    r->log = log_create(&lo, NULL);
    assert_non_null(r->log);
    struct groups_options o = {
        .log = r->log, .heap_bytes = 8 << 20, .symbols_max = 256, .members_max = members_max};
    assert_int_equal(groups_init(&r->groups, &o), 0);
}

static void rig_close(struct rig *r)
{
    groups_check(&r->groups);
    assert_int_equal(r->groups.group_count, 0);
    groups_destroy(&r->groups);
    log_destroy(r->log);
}

static void add_symbol(struct rig *r, const char *name)
{
    int64_t id = log_symbol(r->log, text_of(name), 1);
    struct group *full = NULL;
    assert_int_equal(groups_add_symbol(&r->groups, (uint32_t)id, text_of(name), &full), 0);
}

static struct group *get(struct rig *r, const char *const *patterns, uint32_t count, uint32_t kinds,
                         uint64_t rate_ns, enum policy policy)
{
    struct rule rules[8];
    for (uint32_t i = 0; i < count; i++) rules[i] = rule_make(text_of(patterns[i]), kinds);
    struct group_key key = {
        .rules = rules, .rule_count = group_rules_sort(rules, count), .rate_ns = rate_ns, .policy = policy};
    return group_get(&r->groups, &key);
}

/* The answer to a subscription lists patterns and relies on their order as text: '*' is not the least
 * character. */
static void rules_stand_in_the_order_of_their_patterns(void **state)
{
    (void)state;
    static const char *const patterns[] = {"BRN*", "BRN FMJ", "BRN!", "BRN", "BRN**", "BRNA", "B*", "*"};
    struct rule rules[8];
    for (uint32_t i = 0; i < 8; i++) rules[i] = rule_make(text_of(patterns[i]), KINDS_CLIENT);
    uint32_t count = group_rules_sort(rules, 8);
    assert_int_equal(count, 8);
    char before[SYMBOL_NAME_MAX + 2] = "";
    for (uint32_t i = 0; i < count; i++) {
        char pattern[SYMBOL_NAME_MAX + 2];
        pattern[rule_pattern(&rules[i], pattern)] = 0;
        assert_true(strcmp(before, pattern) < 0);
        memcpy(before, pattern, sizeof before);
    }
}

/* Where the stream defines its symbols, a new one is news whatever kinds were asked for (decision 27). */
static void decision_27_a_new_symbol_is_news_to_a_binary_group(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 64);
    struct rule rules[2] = {rule_make(TEXT("A*"), KIND_BIT(TICK_BAR))};
    struct group_key key = {.rules = rules, .rule_count = 1};
    struct group *json = group_get(&r.groups, &key);
    key.encoding = ENCODING_BINARY;
    struct group *binary = group_get(&r.groups, &key);
    assert_ptr_not_equal(json, binary);
    add_symbol(&r, "AAPL");
    add_symbol(&r, "MSFT");
    groups_note(&r.groups, log_key(0, TICK_SYMBOL, false), 1);
    groups_note(&r.groups, log_key(1, TICK_SYMBOL, false), 2);
    groups_mark(&r.groups, 0);
    assert_int_equal(group_maybe_seq(&r.groups, json), 0);
    assert_int_equal(group_maybe_seq(&r.groups, binary), 1);
    assert_true(filter_match(&binary->filter, log_key(0, TICK_SYMBOL, false)));
    assert_false(filter_match(&binary->filter, log_key(1, TICK_SYMBOL, false)));
    assert_false(filter_match(&json->filter, log_key(0, TICK_SYMBOL, false)));
    group_put(&r.groups, json);
    group_put(&r.groups, binary);
    rig_close(&r);
}

static void the_same_wish_is_the_same_group(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 64);
    struct group *a = get(&r, (const char *[]){"AAPL", "MSFT"}, 2, KINDS_CLIENT, 0, POLICY_CONFLATE);
    struct group *b = get(&r, (const char *[]){"MSFT", "AAPL", "MSFT"}, 3, KINDS_CLIENT, 0, POLICY_COMPLETE);
    assert_ptr_equal(a, b); /* order, repeats and (without a rate) policy make no difference: decision 30 */
    struct group *c = get(&r, (const char *[]){"AAPL", "MSFT"}, 2, KIND_BIT(TICK_TRADE), 0, POLICY_CONFLATE);
    assert_ptr_not_equal(a, c);
    struct group *d = get(&r, (const char *[]){"AAPL"}, 1, KINDS_CLIENT, 1000, POLICY_CONFLATE);
    struct group *e = get(&r, (const char *[]){"AAPL"}, 1, KINDS_CLIENT, 1000, POLICY_COMPLETE);
    assert_ptr_not_equal(d, e);
    assert_true(group_conflates(d));
    assert_false(group_conflates(e));
    group_put(&r.groups, a);
    group_put(&r.groups, b);
    group_put(&r.groups, c);
    group_put(&r.groups, d);
    group_put(&r.groups, e);
    assert_int_equal(r.groups.heap.live, 0);
    rig_close(&r);
}

/* Only groups that may want a tick are marked; one that wants the symbol but not the kind is not. */
static void news_reaches_who_wants_it(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 64);
    add_symbol(&r, "AAPL");
    struct group *all = get(&r, (const char *[]){"*"}, 1, KINDS_CLIENT, 0, 0);
    struct group *trades = get(&r, (const char *[]){"AAPL"}, 1, KIND_BIT(TICK_TRADE), 0, 0);
    struct group *prefix = get(&r, (const char *[]){"M*"}, 1, KINDS_CLIENT, 0, 0);
    cohort_add(cohort_make(&r.groups, all, 0), 1);
    cohort_add(cohort_make(&r.groups, trades, 0), 2);
    cohort_add(cohort_make(&r.groups, prefix, 0), 3);
    groups_note(&r.groups, log_key(0, TICK_QUOTE, true), 5);
    groups_mark(&r.groups, 0);
    assert_int_equal(group_maybe_seq(&r.groups, all), 5);
    assert_int_equal(group_maybe_seq(&r.groups, trades), 0);
    assert_int_equal(group_maybe_seq(&r.groups, prefix), 0);
    add_symbol(&r, "MSFT"); /* appears after the pattern that names it */
    groups_note(&r.groups, log_key(1, TICK_QUOTE, true), 6);
    groups_mark(&r.groups, 0);
    assert_int_equal(group_maybe_seq(&r.groups, prefix), 6);
    groups_note(&r.groups, log_key(0, TICK_FEED, false), 7);
    groups_mark(&r.groups, 0);
    assert_int_equal(group_maybe_seq(&r.groups, trades), 7); /* feed ticks are everybody's: decision 10 */
    groups_check(&r.groups);
    for (int i = 0; i < 3; i++) {
        struct cohort *c = groups_next(&r.groups, 0);
        assert_non_null(c);
        c->read = group_maybe_seq(&r.groups, c->group);
        cohort_remove(c, 0);
        struct group *g = c->group;
        cohort_free(&r.groups, c);
        group_put(&r.groups, g);
    }
    assert_null(groups_next(&r.groups, 0));
    rig_close(&r);
}

#define SECOND UINT64_C(1000000000)

static void read_all(struct rig *r, uint32_t cohorts, uint64_t seq, uint64_t now_ns)
{
    for (uint32_t i = 0; i < cohorts; i++) {
        struct cohort *c = groups_next(&r->groups, now_ns);
        assert_non_null(c);
        c->read = c->covered = seq;
        cohort_schedule(&r->groups, c, now_ns);
    }
    assert_null(groups_next(&r->groups, now_ns));
    groups_check(&r->groups);
}

static void news(struct rig *r, struct group *g, uint64_t seq, uint64_t now_ns)
{
    r->groups.seq_read = seq;
    group_mark(&r->groups, g, seq, now_ns);
    r->groups.seq_marked = seq;
    groups_check(&r->groups);
}

/* One moment for all cohorts of a group, whenever they were made; more than a quarter of the log owed does
 * not wait for it (decision 15). */
static void a_group_is_released_in_one_moment(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 64);
    add_symbol(&r, "AAPL");
    struct group *g = get(&r, (const char *[]){"*"}, 1, KINDS_CLIENT, SECOND, 0);
    g->reference_count = 3;
    for (uint32_t i = 0; i < 2; i++) cohort_add(cohort_make(&r.groups, g, 0), i);
    news(&r, g, 10, 5 * SECOND); /* nothing was released for long: at once */
    assert_true(group_released(&r.groups, g) == 10);
    read_all(&r, 2, 10, 5 * SECOND);
    struct cohort *joined = cohort_make(&r.groups, g, 15);
    cohort_add(joined, 2);
    news(&r, g, 20, 5 * SECOND + SECOND / 3);
    assert_null(groups_next(&r.groups, 5 * SECOND + SECOND / 2));
    news(&r, g, 30, 5 * SECOND + SECOND / 2);
    assert_null(groups_next(&r.groups, 5 * SECOND + SECOND * 9 / 10));
    assert_true(group_released(&r.groups, g) == 10);
    assert_true(group_expected(&r.groups, g, 5 * SECOND + SECOND / 2) == 0); /* 10 has its interval's time */
    read_all(&r, 3, 30, 6 * SECOND + SECOND / 100);
    assert_true(group_released(&r.groups, g) == 30);
    news(&r, g, 30 + 1024 / 4, 6 * SECOND + SECOND / 10);
    assert_null(groups_next(&r.groups, 6 * SECOND + SECOND / 10));
    news(&r, g, 30 + 1024 / 4 + 1, 6 * SECOND + SECOND / 5);
    read_all(&r, 3, 30 + 1024 / 4 + 1, 6 * SECOND + SECOND / 5);
    while (g->cohorts) {
        cohort_remove(g->cohorts, 0);
        cohort_free(&r.groups, g->cohorts);
    }
    for (uint32_t i = 0; i < 3; i++) group_put(&r.groups, g);
    rig_close(&r);
}

/* All its members are behind: what they may have is released in time, too. Quiet stretches of the log are
 * not owed, however long. */
static void a_group_is_released_without_cohorts(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 64);
    struct group *g = get(&r, (const char *[]){"*"}, 1, KINDS_CLIENT, SECOND, 0);
    news(&r, g, 10, SECOND);
    news(&r, g, 20, SECOND * 3 / 2);
    assert_true(group_released(&r.groups, g) == 10);
    assert_null(groups_next(&r.groups, SECOND * 21 / 10));
    assert_true(group_released(&r.groups, g) == 20);
    r.groups.seq_read = r.groups.seq_marked = 1000; /* of others */
    news(&r, g, 1010, SECOND * 22 / 10);
    assert_true(group_released(&r.groups, g) < 1010);
    groups_hurry(&r.groups, SECOND * 23 / 10);
    assert_true(group_released(&r.groups, g) == 1010);
    group_put(&r.groups, g);
    rig_close(&r);
}

/* Some ticks: who wants one of them, and nobody else, has news up to it, whatever news there were before. */
static void note_some(struct rig *r, struct random *random, uint64_t *seq, uint64_t now_ns)
{
    uint32_t keys[3], count = 1 + (uint32_t)random_below(random, 3);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = log_key((uint32_t)random_below(random, r->groups.symbol_count), TICK_TRADE, false);
        groups_note(&r->groups, keys[i], *seq + 1 + i);
    }
    uint64_t before[16];
    uint32_t n = 0;
    for (struct group *g = r->groups.all; g; g = g->next) before[n++] = group_maybe_seq(&r->groups, g);
    r->groups.seq_read = *seq + count;
    groups_mark(&r->groups, now_ns);
    n = 0;
    for (struct group *g = r->groups.all; g; g = g->next) {
        uint64_t expected = before[n++];
        for (uint32_t i = 0; i < count; i++)
            if (filter_match(&g->filter, keys[i])) expected = *seq + 1 + i;
        assert_int_equal(group_maybe_seq(&r->groups, g), expected);
    }
    *seq += count;
}

/* Reads all there is, or a part. */
static bool visit_next(struct rig *r, struct random *random, uint64_t seq, uint64_t now_ns)
{
    struct cohort *c = groups_next(&r->groups, now_ns);
    if (!c) return false;
    c->read = c->covered = random_below(random, 4) ? seq : c->read + random_below(random, seq - c->read + 1);
    cohort_schedule(&r->groups, c, now_ns);
    return true;
}

/* Random joins, leaves, marks and visits against what must hold. */
static void random_walk(void **state)
{
    (void)state;
    static const char *const patterns[] = {"*", "A*", "S1", "S2", "S3", "B*"};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rig r;
        rig_open(&r, 4);
        struct random random;
        random_seed(&random, seed);
        struct member {
            struct group *group;
            struct cohort *cohort;
            uint32_t index;
        } members[100] = {{0}};
        uint64_t seq = 0, now_ns = 0;
        char name[8];
        for (int step = 0; step < 3000; step++) {
            uint32_t slot = (uint32_t)random_below(&random, 100);
            struct member *m = &members[slot];
            uint32_t symbols = r.groups.symbol_count;
            now_ns += random_below(&random, SECOND / 10);
            switch (random_below(&random, 5)) {
            case 0:
                if (m->group) break;
                m->group = get(&r, &patterns[random_below(&random, 6)], 1, KINDS_CLIENT,
                               random_below(&random, 2) * SECOND, 0);
                m->cohort = cohort_find(&r.groups, m->group, seq, UINT64_MAX);
                if (!m->cohort) m->cohort = cohort_make(&r.groups, m->group, seq);
                m->index = cohort_add(m->cohort, slot);
                break;
            case 1: {
                if (!m->group) break;
                uint32_t moved = cohort_remove(m->cohort, m->index);
                if (moved != UINT32_MAX) members[moved].index = m->index;
                if (m->cohort->member_count == 0) cohort_free(&r.groups, m->cohort);
                group_put(&r.groups, m->group);
                *m = (struct member){0};
                break;
            }
            case 2:
                if (symbols >= 200) break;
                snprintf(name, sizeof name, "%c%u", "ABS"[random_below(&random, 3)], symbols);
                add_symbol(&r, name);
                break;
            case 3:
                if (symbols == 0) break;
                note_some(&r, &random, &seq, now_ns);
                break;
            default:
                for (uint64_t left = random_below(&random, 40); left > 0; left--)
                    if (!visit_next(&r, &random, seq, now_ns)) break;
            }
            groups_check(&r.groups);
        }
        for (uint32_t i = 0; i < 100; i++) {
            if (!members[i].group) continue;
            uint32_t moved = cohort_remove(members[i].cohort, members[i].index);
            if (moved != UINT32_MAX) members[moved].index = members[i].index;
            if (members[i].cohort->member_count == 0) cohort_free(&r.groups, members[i].cohort);
            group_put(&r.groups, members[i].group);
        }
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_stand_in_the_order_of_their_patterns),
        cmocka_unit_test(decision_27_a_new_symbol_is_news_to_a_binary_group),
        cmocka_unit_test(the_same_wish_is_the_same_group),
        cmocka_unit_test(news_reaches_who_wants_it),
        cmocka_unit_test(a_group_is_released_in_one_moment),
        cmocka_unit_test(a_group_is_released_without_cohorts),
        cmocka_unit_test(random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
