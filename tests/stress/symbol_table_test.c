/* Symbols appear while others look them up: a name found, or an id below count, is whole at once, and its id
 * is the one it was given. Run at full speed in release builds and under the thread sanitizer. */
#include "base/fault.h"
#include "base/random.h"
#include "tick/symbol_table.h"

#include <stdarg.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <cmocka.h>

#define READERS 3u
#define SYMBOLS 20000u

struct load {
    struct symbol_table *table;
    _Atomic uint64_t wrong, early; /* early: looked for before it was there */
};

/* Every second name has something to escape, so that both cache lines of an entry are looked at. */
static struct text name_of(char *out, uint32_t id)
{
    int size = snprintf(out, 40, id % 2 ? "SYM%u" : "\"%u\" with a long name \\", id);
    return (struct text){out, (size_t)size};
}

static bool is_whole(const struct symbol_table *t, uint32_t id, struct text want)
{
    struct text json = symbol_table_json(t, id);
    size_t marks = id % 2 ? 0 : 3;
    return text_equal(symbol_table_name(t, id), want) && json.size == want.size + marks &&
           json.at[json.size - 1] == want.at[want.size - 1];
}

static void *write_all(void *context)
{
    struct load *x = context;
    char name[40];
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        bool added = false;
        int64_t id = symbol_table_add(x->table, name_of(name, i), &added);
        if (id != i || !added) atomic_fetch_add(&x->wrong, 1);
    }
    return NULL;
}

static void *read_all(void *context)
{
    struct load *x = context;
    struct random r;
    random_seed(&r, 1); /* the threads differ by their timing */
    uint64_t wrong = 0, early = 0;
    char name[40];
    for (uint32_t count = 0; count < SYMBOLS;) {
        count = symbol_table_count(x->table);
        if (count > 0) wrong += !is_whole(x->table, count - 1, name_of(name, count - 1));
        /* Around the newest, where it is being changed. */
        uint32_t id = count + (uint32_t)random_below(&r, 8);
        id = id > 4 ? id - 4 : 0;
        int64_t found = symbol_table_find(x->table, name_of(name, id));
        early += found == TC_ENOTFOUND;
        if (found == TC_ENOTFOUND)
            wrong += id + 1 < count; /* the last one's slot may come after its count */
        else
            wrong += found != id || !is_whole(x->table, id, name_of(name, id));
    }
    atomic_fetch_add(&x->wrong, wrong);
    atomic_fetch_add(&x->early, early);
    return NULL;
}

static void found_means_whole(void **state)
{
    (void)state;
    uint64_t early = 0;
    for (int round = 0; round < 5; round++) {
        struct load x = {.table = symbol_table_create(SYMBOLS)};
        assert_non_null(x.table);
        pthread_t writer, readers[READERS];
        for (uint32_t i = 0; i < READERS; i++)
            assert_int_equal(pthread_create(&readers[i], NULL, read_all, &x), 0);
        assert_int_equal(pthread_create(&writer, NULL, write_all, &x), 0);
        pthread_join(writer, NULL);
        for (uint32_t i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
        assert_int_equal(atomic_load(&x.wrong), 0);
        early += atomic_load(&x.early);
        symbol_table_destroy(x.table);
    }
    printf("%llu looked for before they were there\n", (unsigned long long)early);
    assert_true(early > 0); /* readers were there while the table grew */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(found_means_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
