#include "cmd/client_bin.h"

#include "tick/tick_bin.h"
#include "wire/bin.h"
#include "wire/command.h"

static int open_known(const uint8_t *bytes, size_t size, struct client_bin_message *m);
static int open_hello(const uint8_t *bytes, size_t size, struct client_bin_message *m);
static int open_tick(struct client_bin_message *m);
static int open_error(const uint8_t *bytes, size_t size, struct client_bin_message *m);
static void records_from(struct client_bin_message *m, const uint8_t *bytes, size_t size, size_t fixed);
static enum scan_type type_of(uint8_t head);

int client_bin_open(const uint8_t *bytes, size_t size, struct client_bin_message *out)
{
    static const uint8_t least[BIN_TYPES] = {
        [BIN_HELLO] = sizeof(struct bin_hello),
        [BIN_SUBSCRIBED] = BIN_SET_BYTES,
        [BIN_UNSUBSCRIBED] = BIN_SET_BYTES,
        [BIN_SYMBOLS] = sizeof(struct bin_symbols),
        [BIN_SNAPSHOT] = sizeof(struct bin_snapshot),
        [BIN_TICKS] = sizeof(struct bin_ticks),
        [BIN_TICK] = sizeof(struct bin_tick),
        [BIN_COVERED] = sizeof(struct bin_covered),
        [BIN_GAP] = sizeof(struct bin_gap),
        [BIN_LAG] = sizeof(struct bin_lag),
        [BIN_HEARTBEAT] = sizeof(struct bin_heartbeat),
        [BIN_PONG] = sizeof(struct bin_pong),
        [BIN_ERROR] = sizeof(struct bin_error),
        [BIN_DRAIN] = sizeof(struct bin_drain),
    };
    memset(out, 0, offsetof(struct client_bin_message, record_to));
    if (size < sizeof(struct bin_head)) return -1;
    out->type = bytes[0];
    if (out->type >= BIN_TYPES || least[out->type] == 0) return 0; /* SCAN_OTHER */
    return size < least[out->type] ? -1 : open_known(bytes, size, out);
}

static int open_known(const uint8_t *bytes, size_t size, struct client_bin_message *m)
{
    struct scan_message *s = &m->scan;
    switch (m->type) {
    case BIN_HELLO: return open_hello(bytes, size, m);
    case BIN_SUBSCRIBED:
    case BIN_UNSUBSCRIBED:
        s->type = m->type == BIN_SUBSCRIBED ? SCAN_SUBSCRIBED : SCAN_UNSUBSCRIBED;
        s->seq = load_le64(bytes + offsetof(struct bin_set, seq));
        s->has_seq = true;
        return 0;
    case BIN_SYMBOLS: records_from(m, bytes, size, sizeof(struct bin_symbols)); return 0;
    case BIN_SNAPSHOT:
        s->type = SCAN_SNAPSHOT;
        s->seq = load_le64(bytes + offsetof(struct bin_snapshot, seq));
        s->since = load_le64(bytes + offsetof(struct bin_snapshot, since));
        s->has_seq = true;
        s->has_since = bytes[1] & BIN_SINCE;
        s->more = bytes[1] & BIN_MORE;
        m->seq_before = true;
        records_from(m, bytes, size, sizeof(struct bin_snapshot));
        return 0;
    case BIN_TICKS:
    case BIN_COVERED:
        s->type = m->type == BIN_TICKS ? SCAN_TICKS : SCAN_COVERED;
        s->conflated = load_le32(bytes + offsetof(struct bin_ticks, conflated));
        s->from = load_le64(bytes + offsetof(struct bin_ticks, from));
        s->to = m->record_to = load_le64(bytes + offsetof(struct bin_ticks, to));
        s->has_from = s->has_to = true;
        if (m->type == BIN_TICKS) records_from(m, bytes, size, sizeof(struct bin_ticks));
        return 0;
    case BIN_TICK:
        m->record_to = load_le64(bytes + offsetof(struct bin_tick, seq));
        records_from(m, bytes, size, sizeof(struct bin_tick));
        return open_tick(m);
    case BIN_GAP: {
        uint8_t reason = bytes[offsetof(struct bin_gap, reason)];
        if (reason == 0 || reason >= BIN_REASONS) return -1;
        s->type = SCAN_GAP;
        s->from = load_le64(bytes + offsetof(struct bin_gap, from));
        s->to = load_le64(bytes + offsetof(struct bin_gap, to));
        s->has_from = s->has_to = true;
        s->reason = text_of(bin_reason_names[reason]);
        return 0;
    }
    case BIN_LAG:
        s->type = SCAN_LAG;
        s->behind = load_le64(bytes + offsetof(struct bin_lag, behind));
        return 0;
    case BIN_HEARTBEAT:
        s->type = SCAN_HEARTBEAT;
        s->seq = load_le64(bytes + offsetof(struct bin_heartbeat, seq));
        s->ts = load_le64(bytes + offsetof(struct bin_heartbeat, ts));
        s->has_seq = s->has_ts = true;
        s->stalled = bytes[1] & BIN_STALLED;
        return 0;
    case BIN_PONG:
        s->type = SCAN_PONG;
        s->ts = load_le64(bytes + offsetof(struct bin_pong, ts));
        s->has_ts = true;
        return 0;
    case BIN_ERROR: return open_error(bytes, size, m);
    default:
        s->type = SCAN_DRAIN;
        s->reconnect_after_ms = load_le64(bytes + offsetof(struct bin_drain, reconnect_after_ms));
        return 0;
    }
}
_Static_assert(offsetof(struct bin_covered, conflated) == offsetof(struct bin_ticks, conflated) &&
                   offsetof(struct bin_covered, from) == offsetof(struct bin_ticks, from) &&
                   offsetof(struct bin_covered, to) == offsetof(struct bin_ticks, to),
               "`covered` begins as `ticks` does");

static int open_hello(const uint8_t *bytes, size_t size, struct client_bin_message *m)
{
    struct scan_message *s = &m->scan;
    if (load_le16(bytes + offsetof(struct bin_hello, server_bytes)) > size - sizeof(struct bin_hello))
        return -1;
    epoch_print(m->epoch, load_le64(bytes + offsetof(struct bin_hello, epoch)));
    s->type = SCAN_HELLO;
    s->epoch = (struct text){.at = m->epoch, .size = sizeof m->epoch};
    s->seq = load_le64(bytes + offsetof(struct bin_hello, seq));
    s->has_seq = true;
    return 0;
}

/* Its type is that of its record. */
static int open_tick(struct client_bin_message *m)
{
    struct client_bin_message look = *m;
    struct client_bin_tick t;
    if (m->records != 1 || client_bin_next(&look, &t) != 1) return -1;
    m->scan.type = t.type;
    m->scan.seq = t.seq;
    m->scan.has_seq = true;
    return 0;
}

static int open_error(const uint8_t *bytes, size_t size, struct client_bin_message *m)
{
    size_t id = bytes[offsetof(struct bin_error, id_bytes)],
           code = bytes[offsetof(struct bin_error, code_bytes)],
           message = load_le16(bytes + offsetof(struct bin_error, message_bytes));
    if (id + code + message > size - sizeof(struct bin_error)) return -1;
    const char *at = (const char *)bytes + sizeof(struct bin_error) + id;
    m->scan.type = SCAN_ERROR;
    m->scan.code = (struct text){.at = at, .size = code};
    m->scan.message = (struct text){.at = at + code, .size = message};
    return 0;
}

static void records_from(struct client_bin_message *m, const uint8_t *bytes, size_t size, size_t fixed)
{
    m->records = load_le16(bytes + offsetof(struct bin_head, count));
    m->at = bytes + fixed;
    m->end = bytes + size;
}

int client_bin_next(struct client_bin_message *m, struct client_bin_tick *out)
{
    if (m->records == 0) return 0;
    size_t left = (size_t)(m->end - m->at), before = m->seq_before ? 8 : 0;
    if (left < before + TICK_BIN_MIN) return -1; /* no record is shorter */
    const uint8_t *record = m->at + before;
    uint32_t bytes = TICK_BIN_BYTES(record[0]);
    if (bytes < TICK_BIN_MIN || bytes > left - before) return -1;
    uint64_t back = load_le16(record + offsetof(struct tick_bin_head, back));
    *out = (struct client_bin_tick){.type = type_of(record[0]),
                                    .seq = before ? load_le64(m->at) : m->record_to - back,
                                    .record = record,
                                    .bytes = bytes};
    m->at = record + bytes;
    m->records--;
    return 1;
}

static enum scan_type type_of(uint8_t head)
{
    static const uint8_t types[16] = {
        [TICK_TRADE] = SCAN_TRADE, [TICK_QUOTE] = SCAN_QUOTE,   [TICK_BAR] = SCAN_BAR,
        [TICK_BOOK] = SCAN_BOOK,   [TICK_STATUS] = SCAN_STATUS, [TICK_FEED] = SCAN_FEED,
    };
    return (enum scan_type)types[TICK_BIN_KIND(head)];
}
