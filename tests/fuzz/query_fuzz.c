/* tests/fuzz/query_fuzz.c -- plan: any bytes as a URL's query; as command_fuzz.c. */
#include "support/command_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    command_check_setup();
    struct command c;
    struct command_error err;
    int status = command_parse_query((struct text){(const char *)input, size}, &c, &err);
    command_check(status, &c, &err);
    return 0;
}
