/* wire/notice_bin.c -- the server's own messages in binary: the structures of wire/bin.h and their tails. */
#include "wire/notice.h"

#include "base/assert.h"
#include "wire/bin.h"
#include "wire/command.h"

#define ERROR_MESSAGE_MAX 512u

static uint32_t hello(char *out, const char *version, uint64_t epoch, uint64_t seq);
static uint32_t heartbeat(char *out, uint64_t seq, uint64_t ts_ns, bool stalled);
static uint32_t pong(char *out, struct text id, uint64_t ts_ns);
static uint32_t error(char *out, struct text id, const char *code, const char *message);
static uint32_t gap(char *out, uint64_t from, uint64_t to, const char *reason, uint64_t epoch_old,
                    uint64_t seq_old);
static uint32_t lag(char *out, uint64_t behind, uint64_t ms, enum policy policy);
static uint32_t drain(char *out, uint64_t reconnect_after_ms);
static uint32_t set(char *out, const struct notice_set *s);
static char *put(char *p, const void *bytes, size_t size);
static uint8_t reason_code(const char *reason);

const struct notices notices_bin = {.opcode = WS_BINARY,
                                    .hello = hello,
                                    .heartbeat = heartbeat,
                                    .pong = pong,
                                    .error = error,
                                    .gap = gap,
                                    .lag = lag,
                                    .drain = drain,
                                    .set = set};

static uint32_t hello(char *out, const char *version, uint64_t epoch, uint64_t seq)
{
    struct text name = TEXT("tickcast/");
    size_t version_bytes = min_u64(strlen(version), 256);
    struct bin_hello m = {.head = {.type = BIN_HELLO},
                          .version = 1,
                          .server_bytes = (uint16_t)(name.size + version_bytes),
                          .epoch = epoch,
                          .seq = seq};
    char *p = put(out, &m, sizeof m);
    p = put(p, name.at, name.size);
    p = put(p, version, version_bytes);
    return (uint32_t)(p - out);
}

static uint32_t heartbeat(char *out, uint64_t seq, uint64_t ts_ns, bool stalled)
{
    struct bin_heartbeat m = {
        .head = {.type = BIN_HEARTBEAT, .flags = stalled ? BIN_STALLED : 0}, .seq = seq, .ts = ts_ns};
    return (uint32_t)(put(out, &m, sizeof m) - out);
}

static uint32_t pong(char *out, struct text id, uint64_t ts_ns)
{
    TC_ASSERT(id.size <= COMMAND_ID_MAX);
    struct bin_pong m = {.type = BIN_PONG, .id_bytes = (uint8_t)id.size, .ts = ts_ns};
    return (uint32_t)(put(put(out, &m, sizeof m), id.at, id.size) - out);
}

static uint32_t error(char *out, struct text id, const char *code, const char *message)
{
    TC_ASSERT(id.size <= COMMAND_ID_MAX);
    size_t code_bytes = strlen(code), message_bytes = min_u64(strlen(message), ERROR_MESSAGE_MAX);
    TC_ASSERT(code_bytes <= UINT8_MAX);
    struct bin_error m = {.type = BIN_ERROR,
                          .id_bytes = (uint8_t)id.size,
                          .code_bytes = (uint8_t)code_bytes,
                          .message_bytes = (uint16_t)message_bytes};
    char *p = put(out, &m, sizeof m);
    p = put(p, id.at, id.size);
    p = put(p, code, code_bytes);
    p = put(p, message, message_bytes);
    return (uint32_t)(p - out);
}

static uint32_t gap(char *out, uint64_t from, uint64_t to, const char *reason, uint64_t epoch_old,
                    uint64_t seq_old)
{
    struct bin_gap m = {.type = BIN_GAP, .reason = reason_code(reason), .from = from, .to = to};
    if (epoch_old != 0) {
        m.flags = BIN_FOREIGN;
        m.epoch = epoch_old;
        m.seq = seq_old;
    }
    return (uint32_t)(put(out, &m, sizeof m) - out);
}

static uint8_t reason_code(const char *reason)
{
    for (unsigned i = 1; i < BIN_REASONS; i++)
        if (strcmp(reason, bin_reason_names[i]) == 0) return (uint8_t)i;
    TC_ASSERT(false); /* a reason without a code */
    return 0;
}

static uint32_t lag(char *out, uint64_t behind, uint64_t ms, enum policy policy)
{
    TC_ASSERT(policy < POLICIES);
    struct bin_lag m = {.type = BIN_LAG, .policy = (uint8_t)policy, .behind = behind, .ms = ms};
    return (uint32_t)(put(out, &m, sizeof m) - out);
}
_Static_assert(POLICY_CONFLATE == 0 && POLICY_COMPLETE == 1 && POLICY_LATEST == 2 && POLICY_CLOSE == 3 &&
                   FRAME_BATCH == 0 && FRAME_TICK == 1,
               "codes of docs/protocol-binary.md");

static uint32_t drain(char *out, uint64_t reconnect_after_ms)
{
    struct bin_drain m = {.head = {.type = BIN_DRAIN}, .reconnect_after_ms = reconnect_after_ms};
    return (uint32_t)(put(out, &m, sizeof m) - out);
}

/* Shorter than the same set as JSON, so it fits what notice_set_bytes says. */
static uint32_t set(char *out, const struct notice_set *s)
{
    TC_ASSERT(s->id.size <= COMMAND_ID_MAX);
    struct bin_set m = {.type = s->unsubscribed ? BIN_UNSUBSCRIBED : BIN_SUBSCRIBED,
                        .policy = (uint8_t)s->policy,
                        .frame = (uint8_t)s->frame,
                        .rule_count = s->rule_count,
                        .seq = s->seq,
                        .rate_ns = s->rate_interval_ns,
                        .id_bytes = (uint8_t)s->id.size};
    char *p = put(out, &m, BIN_SET_BYTES);
    p = put(p, s->id.at, s->id.size);
    for (uint32_t i = 0; i < s->rule_count; i++) {
        TC_ASSERT(s->rules[i].pattern.size <= UINT8_MAX);
        *p++ = (char)s->rules[i].kinds;
        *p++ = (char)s->rules[i].pattern.size;
        p = put(p, s->rules[i].pattern.at, s->rules[i].pattern.size);
    }
    return (uint32_t)(p - out);
}

static char *put(char *p, const void *bytes, size_t size)
{
    if (size > 0) memcpy(p, bytes, size);
    return p + size;
}
