/* cmd/verify_internal.h -- what verify.c writes and verify_conn.c reads. */
#ifndef TC_CMD_VERIFY_INTERNAL_H
#define TC_CMD_VERIFY_INTERNAL_H

#include "cmd/verify.h"

/* Low bits of verify_entry.key. */
#define ENTRY_MATCHES 1u  /* of a kind that is asked for; its symbol decides */
#define ENTRY_STATE   2u  /* may be conflated */
#define ENTRY_UNKNOWN 4u  /* the reference lost it */
#define ENTRY_NONE    8u  /* a seq without a tick of its own (a symbol's definition) */
#define ENTRY_ALL     16u /* a feed's state: everybody gets it */
#define ENTRY_FLAGS   31u

#endif
