/* feed_uri against a builder: what was put in comes out, whatever the bytes; random bytes never do harm. */
#include "base/random.h"
#include "feeds/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000u

struct value {
    char bytes[40];
    size_t size;
};

static uint64_t first_seed(void)
{
    const char *text = getenv("TICKCAST_SEED");
    return text ? strtoull(text, NULL, 0) : 1;
}

static void draw_value(struct random *r, struct value *v)
{
    v->size = (size_t)random_below(r, sizeof v->bytes + 1);
    for (size_t i = 0; i < v->size; i++) v->bytes[i] = (char)(1 + random_below(r, 255));
}

/* Percent signs where they are needed, and now and then where they are not. */
static size_t put_encoded(struct random *r, char *out, const struct value *v)
{
    size_t used = 0;
    for (size_t i = 0; i < v->size; i++) {
        unsigned char c = (unsigned char)v->bytes[i];
        bool must = c == '%' || c == '&' || c == '?';
        if (must || random_below(r, 4) == 0)
            used += (size_t)snprintf(out + used, 4, random_below(r, 2) ? "%%%02x" : "%%%02X", c);
        else
            out[used++] = (char)c;
    }
    return used;
}

static bool same(struct text got, const struct value *v)
{
    return got.at && got.size == v->size && memcmp(got.at, v->bytes, v->size) == 0;
}

static bool round_trip(uint64_t seed)
{
    struct random r;
    random_seed(&r, seed);
    char text[4096] = "file:";
    size_t used = 5;
    struct value path, values[8];
    draw_value(&r, &path);
    used += put_encoded(&r, text + used, &path);
    uint32_t count = (uint32_t)random_below(&r, 9);
    for (uint32_t i = 0; i < count; i++) {
        draw_value(&r, &values[i]);
        used += (size_t)snprintf(text + used, 16, "%cp%u=", i ? '&' : '?', i);
        used += put_encoded(&r, text + used, &values[i]);
    }
    text[used] = '\0';
    struct feed_uri u;
    if (feed_uri_parse(&u, text, NULL) != 0 || !same(u.path, &path) || u.param_count != count) return false;
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        if (!same(feed_uri_get(&u, name), &values[i])) return false;
    }
    return true;
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed(), end = seed + ROUNDS; seed < end; seed++) {
        if (round_trip(seed)) continue;
        print_message("rerun: TICKCAST_SEED=%llu\n", (unsigned long long)seed);
        fail();
    }
}

static void any_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    static const char alphabet[] = "sim:?&=%%%0aF.k/x1 ";
    for (uint64_t seed = first_seed(), end = seed + ROUNDS; seed < end; seed++) {
        struct random r;
        random_seed(&r, seed);
        char text[64] = "s:?";
        size_t size = 3 + (size_t)random_below(&r, sizeof text - 4);
        for (size_t i = 3; i < size; i++) text[i] = alphabet[random_below(&r, sizeof alphabet - 1)];
        struct feed_uri u;
        struct fault f = {0};
        int rc = feed_uri_parse(&u, text, &f);
        bool ok = rc == 0 ? u.path.at >= u.text : rc == TC_EUSAGE && f.text[0] != '\0';
        for (uint32_t i = 0; rc == 0 && i < u.param_count; i++) {
            const struct text *v = &u.params[i].value;
            ok = ok && u.params[i].name.size > 0 && v->at >= u.text &&
                 v->at + v->size < u.text + sizeof u.text;
            ok = ok && !memchr(v->at, '\0', v->size);
        }
        if (ok) continue;
        print_message("rerun: TICKCAST_SEED=%llu\n", (unsigned long long)seed);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(any_bytes_are_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
