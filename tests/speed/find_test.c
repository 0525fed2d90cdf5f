/* bench/compare/load/find.h finds what the simple search finds, in any bytes, wherever they begin and end.
 * Built twice: with the processor's own instructions and without. */
#include "bench/compare/load/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS    20000u
#define BYTES_MAX 700u

/* Every tick's mark and `}` (none behind the last mark of a cut tick: NULL), the obvious way. */
static uint32_t simple(const char *at, const char *end, const char **out)
{
    uint32_t count = 0;
    for (;;) {
        const char *mark = memmem(at, (size_t)(end - at), FIND_MARK, FIND_MARK_SIZE);
        if (!mark) return count;
        at = memchr(mark, '}', (size_t)(end - mark));
        out[count++] = mark;
        out[count++] = at;
        if (!at) return count;
    }
}

static uint32_t fast(const char *begin, const char *end, const char **out)
{
    uint32_t count = 0;
    struct find f = find_begin(begin, end);
    for (const char *mark; (mark = find_mark(&f)) != NULL;) {
        out[count++] = mark;
        out[count++] = find_close(&f);
        if (!out[count - 1]) break;
    }
    return count;
}

static void check(const char *begin, const char *end, const char *what, uint32_t round)
{
    const char *wanted[BYTES_MAX], *found[BYTES_MAX];
    uint32_t count = simple(begin, end, wanted), got = fast(begin, end, found);
    for (uint32_t i = 0; i < count || i < got; i++)
        if (i >= count || i >= got || wanted[i] != found[i])
            fail_msg("%s, round %u: the %u. place is %td, not %td", what, round, i,
                     i < got && found[i] ? found[i] - begin : -1,
                     i < count && wanted[i] ? wanted[i] - begin : -1);
}

/* Ticks, pieces of the mark, closing brackets and anything else, close together. */
static void fill(char *bytes, size_t size)
{
    static const char *const pieces[] = {
        FIND_MARK, FIND_MARK "S1\",\"ts\":1}", "}", "mb", "\"symb", "ol\":\"", "mmb}"};
    for (size_t at = 0; at < size;) {
        long kind = lrand48() % 10;
        if (kind > 6) {
            bytes[at++] = (char)lrand48();
            continue;
        }
        size_t n = strlen(pieces[kind]);
        if (n > size - at) n = size - at;
        memcpy(bytes + at, pieces[kind], n);
        at += n;
    }
}

/* The bytes in front and behind are those of a tick: what is not between begin and end does not count. */
static void any_bytes(void **state)
{
    (void)state;
    srand48(1);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        size_t size = (size_t)lrand48() % BYTES_MAX, lead = (size_t)lrand48() % 70;
        char *all =
            malloc(lead + size + FIND_PAD); /* no byte more: a sanitizer sees what is read behind it */
        assert_non_null(all);
        fill(all, lead + size + FIND_PAD);
        check(all + lead, all + lead + size, "any bytes", round);
        free(all);
    }
}

static void every_begin_and_end(void **state)
{
    (void)state;
    static const char text[] = "{\"seq\":1,\"symbol\":\"S1\",\"ts\":1}mb}{\"symbol\":\"a\",\"symbol\":\"b\"}"
                               "{\"symbols\":1}{\"seq\":2,\"symbol\":\"\"}}\"symbol\":\"c";
    size_t size = sizeof text - 1;
    for (uint32_t lead = 0; lead < FIND_BLOCK; lead++)
        for (size_t begin = 0; begin <= size; begin++)
            for (size_t end = begin; end <= size; end++) {
                char all[sizeof text + FIND_BLOCK + FIND_PAD] = {0};
                memcpy(all + lead, text, size);
                check(all + lead + begin, all + lead + end, "a place", lead);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_bytes), cmocka_unit_test(every_begin_and_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
