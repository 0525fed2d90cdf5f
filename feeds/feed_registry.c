/* feeds/feed_registry.c -- scheme -> implementation. A new kind of feed adds its line here. */
#include "feeds/feed.h"

static const struct feed_ops *const registry[] = {&feed_sim, &feed_file};

const struct feed_ops *feed_find(struct text scheme)
{
    for (uint32_t i = 0; i < sizeof registry / sizeof registry[0]; i++)
        if (text_equal(scheme, text_of(registry[i]->scheme))) return registry[i];
    return NULL;
}
