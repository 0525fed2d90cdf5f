#include "feeds/feed_slot.h"

#include "base/assert.h"
#include "base/diag.h"

#include <stdlib.h>

#define LATE_NS                                                                                              \
    NS_PER_SECOND /* a feed free of pace that could not be polled for so long is told as stalled */
#define LATE_OVER_NS (100 * NS_PER_MS) /* and as resumed when it is no later than this */

static uint32_t poll_ticks(const struct feed_slot *slot);
static void poll_feed(struct feed_slot *slot, const struct feed_clock *clock);
static void fail(struct feed_slot *slot);
static void tell_lateness(struct feed_slot *slot, uint64_t due_ns, uint64_t now_ns);

int feed_slot_open(struct feed_slot *slot, struct log *log, const char *text, struct fault *f)
{
    *slot = (struct feed_slot){.log = log};
    struct feed_uri *uri = malloc(sizeof *uri);
    if (!uri) return fault_set(f, TC_ESYSTEM, "no memory to open a feed");
    int rc = feed_uri_parse(uri, text, f);
    const struct feed_ops *ops = rc == 0 ? feed_find(uri->scheme) : NULL;
    if (rc == 0 && !ops)
        rc = fault_set(f, TC_EUSAGE, "feed `%.200s`: there is no feed `%.*s:`; see `tickcast help serve`",
                       text, (int)min_u64(uri->scheme.size, 40), uri->scheme.at);
    if (rc == 0) {
        rc = ops->open(&slot->feed, uri, f);
        if (rc < 0) slot->feed = NULL;
        if (rc < 0) fault_within(f, "feed `%.120s`", text);
    }
    free(uri);
    if (rc < 0) return rc;
    slot->writer = feed_writer_open(log, slot->feed->name);
    if (slot->writer) {
        if (slot->feed->pace != FEED_PACE_FREE) log_set_paced(log);
        return 0;
    }
    feed_slot_close(slot);
    return fault_set(f, TC_ESYSTEM, "no memory to open a feed");
}

void feed_slot_close(struct feed_slot *slot)
{
    if (slot->feed) slot->feed->ops->close(slot->feed);
    feed_writer_close(slot->writer);
    *slot = (struct feed_slot){0};
}

void feed_slot_begin(struct feed_slot *slot, const struct feed_clock *clock)
{
    TC_ASSERT(slot->state == SLOT_OPEN);
    slot->state = SLOT_RUNNING;
    slot->began_ns = slot->polled_ns = clock->mono_ns;
    feed_writer_rename(slot->writer, slot->feed->name);
    feed_writer_clock(slot->writer, clock);
    feed_state(slot->writer, FEED_STARTED, false);
}

uint64_t feed_slot_turn(struct feed_slot *slot, const struct feed_thread_options *o,
                        const struct feed_clock *clock)
{
    slot->held = false;
    if (slot->state != SLOT_RUNNING) return FEED_NEVER;
    feed_writer_clock(slot->writer, clock);
    feed_writer_tell_losses(slot->writer);
    uint64_t losses_ns = feed_writer_losses_due_ns(slot->writer);
    uint64_t due_ns = slot->feed->ops->due_ns(slot->feed);
    if (slot->ready) due_ns = min_u64(due_ns, clock->mono_ns);
    if (due_ns > clock->mono_ns) return min_u64(due_ns, losses_ns);
    struct pace_answer pace =
        pace_look(&slot->pace, slot->feed->pace, slot->log, clock->mono_ns, o->stall_bound_ns);
    if (pace.stalled && o->stalled) o->stalled(o->context, pace.stalled_seq);
    slot->held = pace.held;
    if (pace.held) return min_u64(pace.look_ns, losses_ns);
    slot->ready = false;
    tell_lateness(slot, due_ns, clock->mono_ns);
    poll_feed(slot, clock);
    if (slot->state != SLOT_RUNNING) return FEED_NEVER;
    feed_writer_tell_losses(slot->writer);
    return min_u64(slot->feed->ops->due_ns(slot->feed), feed_writer_losses_due_ns(slot->writer));
}

static void poll_feed(struct feed_slot *slot, const struct feed_clock *clock)
{
    int rc = slot->feed->ops->poll(slot->feed, slot->writer, clock, poll_ticks(slot), &slot->fault);
    slot->polled_ns = clock->mono_ns;
    feed_flush(slot->writer);
    if (rc > 0) pace_polled(&slot->pace, slot->feed->pace, slot->log);
    if (rc >= 0) return;
    if (rc == FEED_DONE) {
        slot->state = SLOT_ENDED;
        feed_state(slot->writer, FEED_ENDED, false);
        diag(DIAG_INFO, "feed_ended", D_TEXT("feed", slot->feed->name),
             D_NUM("ticks", feed_writer_ticks(slot->writer)), D_NUM("lost", feed_writer_lost(slot->writer)));
        return;
    }
    fail(slot);
}

static void fail(struct feed_slot *slot)
{
    slot->state = SLOT_FAILED;
    feed_state(slot->writer, FEED_FAILED, false);
    diag(DIAG_ERROR, "feed_failed", D_TEXT("feed", slot->feed->name), D_TEXT("why", slot->fault.text));
}

/* With pace=complete the log is filled to half before the feed is held; one poll must not take the other
 * half, even where each tick brings a new symbol with it. */
static uint32_t poll_ticks(const struct feed_slot *slot)
{
    if (slot->feed->pace != FEED_PACE_COMPLETE) return FEED_POLL_TICKS;
    return min_u32(FEED_POLL_TICKS, log_capacity(slot->log) / 8);
}

static void tell_lateness(struct feed_slot *slot, uint64_t due_ns, uint64_t now_ns)
{
    if (slot->feed->pace != FEED_PACE_FREE) return; /* it is meant to wait */
    uint64_t since_ns = max_u64(due_ns, slot->began_ns);
    if (due_ns == 0) since_ns = slot->polled_ns; /* due at once, ever since its last poll */
    uint64_t late_ns = now_ns - since_ns;
    if (!slot->late && late_ns > LATE_NS) {
        slot->late = true;
        feed_state(slot->writer, FEED_STALLED, false);
        diag(DIAG_WARN, "feed_late", D_TEXT("feed", slot->feed->name), D_NUM("ms", late_ns / NS_PER_MS));
    } else if (slot->late && late_ns <= LATE_OVER_NS) {
        slot->late = false;
        feed_state(slot->writer, FEED_RESUMED, false);
    }
}

bool feed_slot_held(struct feed_slot *slot, const struct feed_thread_options *o, uint64_t now_ns)
{
    struct pace copy = slot->pace; /* only a look: the bounds go on as they were */
    return pace_look(&copy, slot->feed->pace, slot->log, now_ns, o->stall_bound_ns).held;
}

bool feed_slot_drained(const struct feed_slot *slot, uint64_t mono_ns)
{
    if (slot->state != SLOT_RUNNING) return true;
    bool due = slot->ready || slot->feed->ops->due_ns(slot->feed) <= mono_ns;
    /* A held feed's next ticks come when it is asked for them: none is waiting anywhere. What a descriptor
     * brings was made without asking. */
    bool asked = slot->held && !slot->feed->has_fd;
    return asked || !due;
}
