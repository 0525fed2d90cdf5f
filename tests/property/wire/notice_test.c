/* tests/property/wire/notice_test.c -- goal: whatever goes into a notice, jansson reads the same back, and
 * the bound that callers rely on holds. */
#include "base/random.h"
#include "support/command_check.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#define SEEDS     3000u
#define RULES_MAX 60u

static json_t *read_back(const char *bytes, uint32_t size)
{
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json) print_error("not JSON: %.*s\n", (int)size, bytes);
    assert_non_null(json);
    return json;
}

static const char *word(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));
    assert_non_null(value);
    return value;
}

static uint64_t number(const json_t *json, const char *name)
{
    assert_true(json_is_integer(json_object_get(json, name)));
    return (uint64_t)json_integer_value(json_object_get(json, name));
}

static uint64_t seq_of(struct random *r)
{
    return random_u64(r) >> (1 + random_below(r, 62));
}

static void numbers_come_back(struct random *r)
{
    char out[NOTICE_MAX], digits[16];
    uint64_t a = seq_of(r), b = a + random_below(r, 1000), c = seq_of(r), epoch = random_u64(r) | 1;
    json_t *json = read_back(out, notice_hello(out, "1.2.3", epoch, a));
    assert_string_equal(word(json, "type"), "hello");
    assert_string_equal(word(json, "server"), "tickcast/1.2.3");
    epoch_print(digits, epoch);
    assert_memory_equal(word(json, "epoch"), digits, 16);
    assert_int_equal(number(json, "seq"), a);
    assert_int_equal(number(json, "version"), 1);
    json_decref(json);

    bool stalled = random_below(r, 2);
    json = read_back(out, notice_heartbeat(out, a, c, stalled));
    assert_int_equal(number(json, "ts"), c);
    assert_int_equal(json_is_true(json_object_get(json, "stalled")), stalled);
    json_decref(json);

    bool foreign = random_below(r, 2);
    json = read_back(out, notice_gap(out, a, b, "resume", foreign ? epoch : 0, c));
    assert_int_equal(number(json, "from"), a);
    assert_int_equal(number(json, "to"), b);
    assert_string_equal(word(json, "reason"), "resume");
    assert_int_equal(json_object_get(json, "epoch") != NULL, foreign);
    if (foreign) assert_int_equal(number(json, "seq"), c);
    json_decref(json);

    enum policy policy = (enum policy)random_below(r, POLICIES);
    json = read_back(out, notice_lag(out, a, c, policy));
    assert_int_equal(number(json, "behind"), a);
    assert_int_equal(number(json, "ms"), c);
    assert_string_equal(word(json, "policy"), policy_names[policy]);
    json_decref(json);

    uint64_t conflated = random_below(r, 2) ? c : 0;
    json = read_back(out, notice_covered(out, a, b, conflated));
    assert_int_equal(json_object_get(json, "conflated") != NULL, conflated > 0);
    assert_int_equal(json_integer_value(json_object_get(json, "conflated")), conflated);
    json_decref(json);

    json = read_back(out, notice_drain(out, a));
    assert_int_equal(number(json, "reconnect_after_ms"), a);
    json_decref(json);
}

/* Printable messages come back whole; any bytes at all still make JSON within the bound. */
static void texts_come_back(struct random *r)
{
    char out[NOTICE_MAX], message[160];
    size_t size = random_below(r, sizeof message);
    bool printable = random_below(r, 2);
    for (size_t i = 0; i < size; i++)
        message[i] = (char)(printable ? 0x20 + random_below(r, 95) : 1 + random_below(r, 255));
    message[size] = '\0';
    char id[COMMAND_ID_MAX] = "\"";
    size_t id_size = 2 + random_below(r, COMMAND_ID_MAX - 1);
    memset(id + 1, 'i', id_size - 2);
    id[id_size - 1] = '"';
    uint32_t bytes = notice_error(out, (struct text){id, id_size}, "bad_heartbeat", message);
    assert_true(bytes < NOTICE_MAX);
    json_t *json = read_back(out, bytes);
    assert_int_equal(strlen(word(json, "id")), id_size - 2);
    assert_string_equal(word(json, "code"), "bad_heartbeat");
    if (printable) assert_string_equal(word(json, "message"), message);
    json_decref(json);
    json = read_back(out, notice_pong(out, TEXT("12.5"), 7));
    assert_true(json_real_value(json_object_get(json, "id")) == 12.5);
    assert_int_equal(number(json, "ts"), 7);
    json_decref(json);
}

/* ---- The set in force. ---- */

struct rules {
    struct notice_rule at[RULES_MAX];
    char names[RULES_MAX][SYMBOL_NAME_MAX];
    uint32_t count;
};

static int rule_order(const void *a, const void *b)
{
    const struct notice_rule *x = a, *y = b;
    if (x->kinds != y->kinds) return x->kinds < y->kinds ? -1 : 1;
    int order = memcmp(x->pattern.at, y->pattern.at, min_u64(x->pattern.size, y->pattern.size));
    return order != 0 ? order : (x->pattern.size > y->pattern.size) - (x->pattern.size < y->pattern.size);
}

static void make_rules(struct random *r, struct rules *rules)
{
    static const char letters[] = "AB\"\\* /";
    bool longest = random_below(r, 20) == 0;
    rules->count = (uint32_t)random_below(r, RULES_MAX + 1);
    for (uint32_t i = 0; i < rules->count; i++) {
        size_t size = longest ? SYMBOL_NAME_MAX : 1 + random_below(r, 3);
        for (size_t c = 0; c < size; c++) rules->names[i][c] = longest ? '"' : letters[random_below(r, 7)];
        uint32_t kinds = (uint32_t)(1 + random_below(r, 31)) << TICK_TRADE;
        rules->at[i] =
            (struct notice_rule){{rules->names[i], size}, random_below(r, 2) ? kinds : KINDS_CLIENT};
    }
    qsort(rules->at, rules->count, sizeof rules->at[0], rule_order);
}

static uint32_t kinds_of(const json_t *list)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        kinds |= KIND_BIT((uint32_t)tick_kind_parse(json_string_value(one), json_string_length(one)));
    }
    return kinds;
}

static uint32_t times_in(const json_t *list, struct text pattern)
{
    uint32_t times = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        times += text_equal((struct text){json_string_value(one), json_string_length(one)}, pattern);
    }
    return times;
}

static void set_comes_back(struct random *r)
{
    static struct rules rules;
    make_rules(r, &rules);
    struct notice_set s = {.unsubscribed = random_below(r, 2),
                           .id = TEXT("5"),
                           .rules = rules.at,
                           .rule_count = rules.count,
                           .policy = POLICY_LATEST,
                           .frame = FRAME_TICK,
                           .rate_interval_ns = random_below(r, 2) ? 50000000 : 0,
                           .seq = seq_of(r)};
    size_t bound = notice_set_bytes(&s);
    char *out = malloc(bound);
    assert_non_null(out);
    uint32_t size = notice_set(out, &s);
    assert_true(size < bound);
    json_t *json = read_back(out, size);
    assert_string_equal(word(json, "type"), s.unsubscribed ? "unsubscribed" : "subscribed");
    assert_int_equal(number(json, "seq"), s.seq);
    assert_true(json_number_value(json_object_get(json, "rate")) == (s.rate_interval_ns ? 20 : 0));
    uint32_t kinds = 0;
    const json_t *groups = json_object_get(json, "rules");
    for (uint32_t i = 0; i < rules.count; i++) {
        kinds |= rules.at[i].kinds;
        assert_int_equal(times_in(json_object_get(json, "symbols"), rules.at[i].pattern), 1);
        bool found = false;
        for (size_t g = 0; g < json_array_size(groups); g++) {
            const json_t *group = json_array_get(groups, g);
            found |= kinds_of(json_object_get(group, "kinds")) == rules.at[i].kinds &&
                     times_in(json_object_get(group, "symbols"), rules.at[i].pattern) > 0;
        }
        assert_true(found);
    }
    assert_int_equal(kinds_of(json_object_get(json, "kinds")), kinds);
    json_decref(json);
    free(out);
}

static void what_goes_in_comes_back(void **state)
{
    (void)state;
    const char *one = getenv("TICKCAST_SEED");
    uint64_t first = one ? strtoull(one, NULL, 0) : 1, last = one ? first : SEEDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        struct random r;
        random_seed(&r, seed);
        numbers_come_back(&r);
        texts_come_back(&r);
        set_comes_back(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_goes_in_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
