/* tests/fuzz/ws_fuzz.c -- plan: any bytes as a client's frames. The first byte picks how the rest is cut;
 * whole, cut and byte by byte must give the same events, and no message may be larger than allowed. */
#include "support/ws_trace.h"

#define MESSAGE_MAX 2000u

static size_t cut_by(void *state, size_t left)
{
    size_t step = *(const uint8_t *)state;
    return step < left ? step : left;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 1) return 0;
    uint8_t step = (uint8_t)(input[0] | 1), one = 1;
    struct ws_trace whole = ws_trace_run(input + 1, size - 1, MESSAGE_MAX, NULL, NULL);
    struct ws_trace cut = ws_trace_run(input + 1, size - 1, MESSAGE_MAX, cut_by, &step);
    struct ws_trace single = ws_trace_run(input + 1, size - 1, MESSAGE_MAX, cut_by, &one);
    /* Only a text's first bad byte may be told earlier in pieces: its frame has not come to its end then. */
    TC_ASSERT(single.events >= whole.events);
    if (single.events == whole.events && cut.events == whole.events) {
        TC_ASSERT(ws_trace_equal(&whole, &cut));
        TC_ASSERT(ws_trace_equal(&whole, &single));
    } else {
        TC_ASSERT(single.closed && !whole.closed);
    }
    free(whole.bytes);
    free(cut.bytes);
    free(single.bytes);
    return 0;
}
