/* io/io_tag.h -- the 64 bits that the kernel carries from a request to its completion: what was asked, for
 * which slot, in which life of that slot. The only place that packs and unpacks them (io_uring and epoll). */
#ifndef TC_IO_IO_TAG_H
#define TC_IO_IO_TAG_H

#include "base/assert.h"

#include <stdint.h>

enum tag_op {
    TAG_ACCEPT = 1, /* slot: index of the listener */
    TAG_RECEIVE,
    TAG_WRITABLE,
    TAG_SEND, /* slot: index among the sends of this flush; generation: number of the flush */
    TAG_WAKE,
    TAG_CANCEL,
    TAG_CONN, /* epoll: one registration for all that a connection waits for */
};

#define TAG_SLOTS_MAX (UINT32_C(1) << 24)

struct tag {
    enum tag_op op;
    uint32_t slot, generation;
};

static inline uint64_t tag_pack(enum tag_op op, uint32_t slot, uint32_t generation)
{
    TC_ASSERT(slot < TAG_SLOTS_MAX);
    return (uint64_t)op << 56 | (uint64_t)slot << 32 | generation;
}

static inline struct tag tag_unpack(uint64_t bits)
{
    return (struct tag){.op = (enum tag_op)(bits >> 56),
                        .slot = (uint32_t)(bits >> 32) & (TAG_SLOTS_MAX - 1),
                        .generation = (uint32_t)bits};
}

#endif
