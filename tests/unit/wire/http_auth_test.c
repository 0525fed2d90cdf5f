/* The bearer token of an Authorization field. */
#include "wire/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef"

static bool is(const char *field)
{
    return http_bearer_is(text_of(field), TEXT(SECRET));
}

static void exactly_this_token(void **state)
{
    (void)state;
    assert_true(is("Bearer " SECRET));
    assert_true(is("bearer " SECRET)); /* a scheme has no case: RFC 9110 11.1 */
    assert_true(is("BEARER   " SECRET "  "));
    const char *const others[] = {"",
                                  "Bearer",
                                  "Bearer ",
                                  SECRET,
                                  "Basic " SECRET,
                                  "Bearer" SECRET,
                                  "Bearer 0123456789abcde",
                                  "Bearer 0123456789abcdeF",
                                  "Bearer x123456789abcdef",
                                  "Bearer " SECRET "0",
                                  "Bearer " SECRET " " SECRET,
                                  "Bearer  Bearer " SECRET};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) assert_false(is(others[i]));
    assert_false(http_bearer_is(TEXT("Bearer "), (struct text){"", 0})); /* no token opens nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exactly_this_token)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
