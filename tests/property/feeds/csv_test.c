/* tests/property/feeds/csv_test.c -- goal: ticks written as CSV in any dress (column order, quotes, line
 * ends, blank lines, trailing zeros, packing, batch size) are read back as the same ticks; a row made wrong
 * costs exactly that row. Rerun: TICKCAST_SEED=N. */
#include "feeds/read_all.h"
#include "feeds/text_files.h"

#include "base/random.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define FILES     150
#define ROWS_MAX  400u
#define ROW_BYTES 512u

enum { TS, SYMBOL, PRICE, SIZE, SIDE, EXTRA, COLUMNS };

struct row {
    char text[COLUMNS][64];
    char line[160]; /* what tick_line must print */
    bool wrong;
};

static uint64_t seed = 4711;
static struct random chance;
static struct row rows[ROWS_MAX];
static char csv[ROWS_MAX * ROW_BYTES];

static bool one_in(uint64_t n)
{
    return random_below(&chance, n) == 0;
}

static void make_row(struct row *r)
{
    static const char *const names[] = {"AAPL", "BRK.B", "a b", "X,Y", "Q\"Q", "\"", "ES 2024", "~"};
    const char *name = names[random_below(&chance, 8)];
    int64_t ts = (int64_t)random_below(&chance, UINT64_C(2000000000000000000));
    uint64_t whole = random_below(&chance, 100000), cents = 1 + random_below(&chance, 99),
             size = random_below(&chance, 1000);
    bool buy = one_in(2);
    if (cents % 10 == 0) cents++; /* so that two decimals are the fewest */
    r->wrong = one_in(20);
    snprintf(r->text[TS], 64, "%lld", (long long)ts);
    snprintf(r->text[SYMBOL], 64, "%s", name);
    snprintf(r->text[PRICE], 64, "%llu.%02llu%s", (unsigned long long)whole, (unsigned long long)cents,
             r->wrong    ? "x"
             : one_in(3) ? "0000"
                         : "");
    snprintf(r->text[SIZE], 64, "%llu%s", (unsigned long long)size, one_in(4) ? ".0" : "");
    snprintf(r->text[SIDE], 64, "%s", buy ? "buy" : "sell");
    snprintf(r->text[EXTRA], 64, "%s", one_in(2) ? "" : "a,\"b\"");
    snprintf(r->line, sizeof r->line, "%s trade %u %lld %llu.%02llu %llu", name, buy ? TRADE_BUY : TRADE_SELL,
             (long long)ts, (unsigned long long)whole, (unsigned long long)cents, (unsigned long long)size);
}

static size_t put_field(char *out, const char *text)
{
    size_t used = 0;
    bool quoted = strpbrk(text, ",\"") || one_in(8);
    if (quoted) out[used++] = '"';
    for (; *text; text++) {
        if (*text == '"') out[used++] = '"';
        out[used++] = *text;
    }
    if (quoted) out[used++] = '"';
    return used;
}

static size_t put_row(char *out, const uint32_t *order, char (*text)[64], const char *end)
{
    size_t used = 0;
    for (uint32_t i = 0; i < COLUMNS; i++) {
        if (i > 0) out[used++] = ',';
        used += put_field(out + used, text[order[i]]);
    }
    for (; *end; end++) out[used++] = *end;
    return used;
}

static size_t make_csv(uint32_t count)
{
    char header[COLUMNS][64] = {"ts", "symbol", "price", "size", "side", "extra"};
    uint32_t order[COLUMNS] = {0, 1, 2, 3, 4, 5};
    for (uint32_t i = COLUMNS - 1; i > 0; i--) {
        uint32_t k = (uint32_t)random_below(&chance, i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    const char *end = one_in(2) ? "\r\n" : "\n";
    size_t used = put_row(csv, order, header, end);
    for (uint32_t i = 0; i < count; i++) {
        make_row(&rows[i]);
        if (one_in(10)) csv[used++] = '\n';
        used += put_row(csv + used, order, rows[i].text, i + 1 == count && one_in(2) ? "" : end);
    }
    return used;
}

static const char *packed(size_t size)
{
    static const char *const members[] = {"m.csv", NULL};
    unsigned parts = 1 + (unsigned)random_below(&chance, 4);
    switch (random_below(&chance, 4)) {
    case 0: return test_file("p.csv", csv, size);
    case 1: return test_file_gzip("p.gz", csv, size, parts);
    case 2: return test_file_zstd("p.zst", csv, size, parts);
    default: return test_file_zip("p.zip", members, csv, size);
    }
}

static void any_dress_gives_the_same_ticks(void **state)
{
    (void)state;
    for (int file = 0; file < FILES; file++) {
        uint32_t count = 1 + (uint32_t)random_below(&chance, ROWS_MAX), at = 0, wrong = 0;
        size_t size = make_csv(count);
        struct read_all a = read_all(packed(size), NULL, NULL, 1 + (uint32_t)random_below(&chance, 300));
        if (a.opened < 0) fail_msg("seed %llu, file %d: %s", (unsigned long long)seed, file, a.fault.text);
        for (uint32_t i = 0; i < count; i++) {
            wrong += rows[i].wrong;
            if (rows[i].wrong) continue;
            assert_true(at < a.count);
            const char *line = tick_line(&a, &a.ticks[at++]);
            if (strcmp(line, rows[i].line) != 0) {
                fail_msg("seed %llu, file %d, row %u: %s instead of %s", (unsigned long long)seed, file, i,
                         line, rows[i].line);
            }
        }
        assert_int_equal(at, a.count);
        assert_int_equal(wrong, a.bad);
        read_all_free(&a);
    }
}

int main(void)
{
    const char *given = getenv("TICKCAST_SEED");
    if (given) seed = strtoull(given, NULL, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    random_seed(&chance, seed);
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_dress_gives_the_same_ticks)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_files_remove();
    return failed;
}
