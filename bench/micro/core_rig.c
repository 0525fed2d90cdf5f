#include "bench/micro/core_rig.h"

#include "base/assert.h"
#include "bench/tick_mix.h"
#include "config/settings.h"
#include "render/render.h"
#include "tick/tick_bin.h"
#include "wire/ws_deflate.h"

#include <stdio.h>
#include <stdlib.h>

struct core_rig {
    struct log *log;
    struct last_value *last;
    struct heap heap;
    struct rule rule;
    struct filter filter;
    struct render_scratch scratch;
    enum encoding encoding;
    uint32_t symbols;
    uint64_t read;
    struct tick made[CORE_RIG_TICKS]; /* appended in turn, round and round */
    uint32_t next;
    uint32_t start; /* of what was rendered last, in room */
    struct deflater *deflater;
    uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK], packed[RENDER_BYTES_MAX];
};

core_rig *core_rig_make(uint32_t capacity, uint32_t symbols)
{
    core_rig *r = calloc(1, sizeof *r);
    struct log_options o = {.capacity = capacity, .symbols_max = symbols, .bars_max = 16};
    r->log = log_create(&o, NULL);
    r->last = last_value_create(symbols, 16);
    TC_ASSERT(r->log && r->last && heap_init(&r->heap, 1 << 20) == 0);
    r->symbols = symbols;
    struct settings s;
    settings_default(&s);
    r->deflater = deflater_create((int)s.deflate_level);
    TC_ASSERT(r->deflater);
    settings_free(&s);
    for (uint32_t i = 0; i < symbols; i++) {
        char name[16];
        snprintf(name, sizeof name, "%c%03u", 'A' + (char)(i % 26), i);
        log_symbol(r->log, text_of(name), 1);
    }
    for (uint32_t i = 0; i < CORE_RIG_TICKS; i++) r->made[i] = tick_mix(i, symbols);
    r->read = log_head(r->log);
    return r;
}

void core_rig_free(core_rig *r)
{
    log_destroy(r->log);
    last_value_destroy(r->last);
    heap_destroy(&r->heap);
    deflater_destroy(r->deflater);
    free(r);
}

void core_rig_append(core_rig *r, uint32_t count)
{
    TC_ASSERT(CORE_RIG_TICKS % count == 0);
    log_append(r->log, r->made + r->next, count); /* changes nothing of them but seq */
    r->next = (r->next + count) % CORE_RIG_TICKS;
}

uint32_t core_rig_fold(core_rig *r, uint32_t count)
{
    struct tick ticks[128];
    if (log_head(r->log) - r->read < count) r->read = log_after_lap(r->log);
    int n = log_read(r->log, r->read, ticks, count);
    TC_ASSERT(n > 0);
    for (int i = 0; i < n; i++) last_value_fold(r->last, &ticks[i]);
    r->read += (uint64_t)n;
    return (uint32_t)n;
}

void core_rig_filter(core_rig *r, const char *pattern)
{
    r->rule = rule_make(text_of(pattern), KINDS_CLIENT);
    int rc = filter_init(&r->filter, &r->heap, &r->rule, 1, log_symbols(r->log), r->symbols);
    TC_ASSERT(rc == 0);
}

void core_rig_speak_binary(core_rig *r)
{
    r->encoding = ENCODING_BINARY;
}

uint32_t core_rig_render(core_rig *r, uint32_t ticks, bool tick_frames, bool conflate, uint32_t *bytes)
{
    uint64_t head = log_head(r->log);
    struct render_in in = {.log = r->log,
                           .encoding = r->encoding,
                           .filter = &r->filter,
                           .from = head - ticks,
                           .position = head - ticks,
                           .to = head,
                           .bytes_max = RENDER_BYTES_MAX,
                           .framing = tick_frames ? FRAME_TICK : FRAME_BATCH,
                           .conflate = conflate};
    struct render_out out;
    int rc = render(&in, &r->scratch, r->room, &out);
    TC_ASSERT(rc == 0);
    *bytes = out.bytes;
    r->start = out.start;
    return out.ticks;
}

uint32_t core_rig_record(core_rig *r, uint8_t *out)
{
    r->next = (r->next + 1) % CORE_RIG_TICKS;
    return tick_bin(out, &r->made[r->next], 1);
}

uint32_t core_rig_pack(core_rig *r, uint32_t bytes)
{
    uint32_t packed =
        deflater_pack(r->deflater, WS_DEFLATE_BITS, r->room + r->start, bytes, r->packed, sizeof r->packed);
    TC_ASSERT(packed > 0);
    return packed;
}

uint32_t core_rig_snapshot(core_rig *r, uint64_t *bytes)
{
    struct snapshot_in in = {.last = log_last_value(r->log),
                             .symbols = log_symbols(r->log),
                             .filter = &r->filter,
                             .position = log_head(r->log),
                             .id_end = r->symbols};
    uint32_t ticks = 0;
    while (in.id_from < in.id_end) {
        struct snapshot_out out;
        render_snapshot(&in, r->room, &out);
        TC_ASSERT(out.id_next > in.id_from);
        in.id_from = out.id_next;
        ticks += out.ticks;
        *bytes += out.bytes;
    }
    return ticks;
}
