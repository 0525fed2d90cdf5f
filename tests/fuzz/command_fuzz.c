/* tests/fuzz/command_fuzz.c -- plan: any bytes as a command. Either a command whose values are in their
 * ranges, or an error with a code and a text; both must make an answer that is JSON. */
#include "support/command_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    command_check_setup();
    struct command c;
    struct command_error err;
    int status = command_parse((const char *)input, size, &c, &err);
    command_check(status, &c, &err);
    return 0;
}
