/* tests/unit/base/pool_test.c -- goal: a pool holds the pages of what is in use and POOL_HOT_BYTES more,
 * never what it once had; comings and goings within that keep their pages; no block has two owners. */
#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCKS      1000u
#define BLOCK_BYTES 16384u

static size_t resident(const struct pool *p)
{
    static unsigned char pages[BLOCKS * (BLOCK_BYTES / 4096 + 1)];
    size_t bytes = p->count * p->block_bytes, page = memory_pages(1), count = 0;
    assert_true(bytes / page <= sizeof pages);
    assert_int_equal(mincore(p->base, bytes, pages), 0);
    for (size_t i = 0; i < bytes / page; i++) count += pages[i] & 1;
    return count * page;
}

static void get_all(struct pool *p, uint32_t *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        at[i] = pool_get(p);
        assert_int_not_equal(at[i], POOL_NONE);
        memset(pool_at(p, at[i]), 7, p->block_bytes);
    }
}

static void a_crowd_that_left_leaves_a_bounded_rest(void **state)
{
    (void)state;
    struct pool p;
    uint32_t at[BLOCKS];
    assert_int_equal(pool_init(&p, BLOCKS, BLOCK_BYTES), 0);
    for (int wave = 0; wave < 3; wave++) {
        get_all(&p, at, BLOCKS);
        assert_int_equal(pool_get(&p), POOL_NONE);
        assert_int_equal(resident(&p), (size_t)BLOCKS * BLOCK_BYTES);
        for (uint32_t i = 0; i < BLOCKS; i++) {
            pool_put(&p, at[(i * 7 + 3) % BLOCKS]);
            assert_true(resident(&p) <= (size_t)p.in_use * BLOCK_BYTES + POOL_HOT_BYTES);
        }
        assert_int_equal(resident(&p), POOL_HOT_BYTES);
        assert_int_equal(p.in_use, 0);
    }
    pool_destroy(&p);
}

static void who_comes_and_goes_finds_warm_pages(void **state)
{
    (void)state;
    struct pool p;
    uint32_t at[BLOCKS], again[BLOCKS], hot = pool_hot_blocks(BLOCK_BYTES);
    assert_in_range(hot, 64, 256);
    assert_int_equal(pool_init(&p, BLOCKS, BLOCK_BYTES), 0);
    get_all(&p, at, BLOCKS);
    for (uint32_t i = 0; i < 300; i++) pool_put(&p, at[i]); /* some have gone cold */
    for (int round = 0; round < 10; round++) {
        size_t before = resident(&p);
        for (uint32_t i = 0; i < hot; i++) again[i] = pool_get(&p);
        for (uint32_t i = hot; i > 0; i--) {
            assert_int_equal(*pool_at(&p, again[i - 1]), 7); /* not a page was lost */
            pool_put(&p, again[i - 1]);
        }
        assert_int_equal(resident(&p), before);
    }
    uint32_t last = pool_get(&p);
    pool_put(&p, last);
    assert_int_equal(pool_get(&p), last); /* the last back is the first out */
    pool_destroy(&p);
}

static void no_block_has_two_owners(void **state)
{
    (void)state;
    struct pool p;
    static uint32_t mine[BLOCKS];
    static bool taken[BLOCKS];
    uint32_t count = 0;
    struct random r;
    random_seed(&r, 5);
    assert_int_equal(pool_init(&p, BLOCKS, BLOCK_BYTES + 16), 0);
    assert_int_equal(p.block_bytes, memory_pages(BLOCK_BYTES + 16));
    for (int step = 0; step < 200000; step++) {
        bool more = random_below(&r, 100) < (step / 5000 % 2 ? 70u : 30u);
        if (more) {
            uint32_t index = pool_get(&p);
            if (index == POOL_NONE) {
                assert_int_equal(count, BLOCKS);
                continue;
            }
            assert_true(index < BLOCKS && !taken[index]);
            taken[index] = true;
            memcpy(pool_at(&p, index), &index, sizeof index);
            mine[count++] = index;
        } else if (count > 0) {
            uint32_t i = (uint32_t)random_below(&r, count), index = mine[i], found;
            memcpy(&found, pool_at(&p, index), sizeof found);
            assert_int_equal(found, index); /* what others give back takes nothing from this one */
            taken[index] = false;
            mine[i] = mine[--count];
            pool_put(&p, index);
        }
        assert_int_equal(p.in_use, count);
    }
    pool_destroy(&p);
}

static void a_block_larger_than_what_is_kept_warm(void **state)
{
    (void)state;
    struct pool p;
    assert_int_equal(pool_init(&p, 2, 2 * POOL_HOT_BYTES), 0);
    assert_int_equal(pool_hot_blocks(2 * POOL_HOT_BYTES), 1);
    uint32_t a = pool_get(&p), b = pool_get(&p);
    *pool_at(&p, a) = *pool_at(&p, b) = 1;
    pool_put(&p, a);
    pool_put(&p, b);
    assert_int_equal(*pool_at(&p, a), 1);
    assert_int_equal(*pool_at(&p, b), 0);
    pool_destroy(&p);
}

/* With a page for each, ten thousand of them were ten thousand pages, all at the same place of the cache. */
static void small_blocks_share_pages_and_stay(void **state)
{
    (void)state;
    struct pool p;
    uint32_t at[BLOCKS];
    assert_int_equal(pool_init(&p, BLOCKS, 16), 0);
    assert_int_equal(p.block_bytes, 16);
    get_all(&p, at, BLOCKS);
    assert_int_equal(pool_get(&p), POOL_NONE);
    assert_int_equal(pool_at(&p, 1) - pool_at(&p, 0), 16);
    for (uint32_t i = 0; i < BLOCKS; i++) pool_put(&p, at[i]);
    for (uint32_t i = 0; i < BLOCKS; i++) assert_int_equal(*pool_at(&p, i), 7);
    get_all(&p, at, BLOCKS);
    assert_int_equal(pool_get(&p), POOL_NONE);
    pool_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_crowd_that_left_leaves_a_bounded_rest),
                                       cmocka_unit_test(who_comes_and_goes_finds_warm_pages),
                                       cmocka_unit_test(no_block_has_two_owners),
                                       cmocka_unit_test(a_block_larger_than_what_is_kept_warm),
                                       cmocka_unit_test(small_blocks_share_pages_and_stay)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
