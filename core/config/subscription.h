/* config/subscription.h -- the words of a subscription that wire, render, group and worker share. */
#ifndef TC_CONFIG_SUBSCRIPTION_H
#define TC_CONFIG_SUBSCRIPTION_H

#include <stdint.h>

enum policy {                  /* what happens to a client that is behind (decision 15) */
              POLICY_CONFLATE, /* newest state per key, every event while the log has it */
              POLICY_COMPLETE, /* everything while the log has it */
              POLICY_LATEST,   /* skips to now with a gap */
              POLICY_CLOSE,    /* closed with 4000 once slow */
              POLICIES
};
enum framing { FRAME_BATCH, FRAME_TICK, FRAMINGS };
enum encoding { ENCODING_JSON, ENCODING_BINARY, ENCODINGS };

static const char *const policy_names[POLICIES] = {"conflate", "complete", "latest", "close"};
static const char *const framing_names[FRAMINGS] = {"batch", "tick"};
static const char *const subprotocol_names[ENCODINGS] = {"tickcast.v1.json", "tickcast.v1.bin"};

/* Where the stream starts, if not at now. */
enum since { SINCE_NOW, SINCE_TICKS, SINCE_NS, SINCE_OLDEST };

#endif
