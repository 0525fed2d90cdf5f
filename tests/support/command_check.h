/* support/command_check.h -- what must hold for every command and every error, whatever it was made of. */
#ifndef TC_TESTS_SUPPORT_COMMAND_CHECK_H
#define TC_TESTS_SUPPORT_COMMAND_CHECK_H

#include "base/assert.h"
#include "base/fault.h"
#include "base/utf8.h"
#include "tick/tick.h"
#include "wire/command.h"
#include "wire/notice.h"

#include <jansson.h>
#include <stdlib.h>

#define COMMAND_CHECK_ARENA (1u << 20)

static inline void command_check_setup(void)
{
    static void *arena;
    if (arena) return;
    arena = malloc(COMMAND_CHECK_ARENA);
    TC_ASSERT(arena != NULL);
    command_thread_init(arena, COMMAND_CHECK_ARENA);
}

static inline void command_check_json(const char *bytes, size_t size)
{
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    TC_ASSERT(json != NULL);
    TC_ASSERT(json_is_object(json));
    json_decref(json);
}

static inline void command_check_error(const struct command_error *err)
{
    char out[NOTICE_MAX];
    size_t size = strnlen(err->message, sizeof err->message);
    TC_ASSERT(size > 0 && size < sizeof err->message);
    TC_ASSERT(err->code[0] != '\0');
    TC_ASSERT(utf8_feed(UTF8_OK, (const uint8_t *)err->message, size) == UTF8_OK);
    command_check_json(out, notice_error(out, (struct text){err->id, err->id_size}, err->code, err->message));
}

static inline void command_check(int status, const struct command *c, const struct command_error *err)
{
    TC_ASSERT(status == 0 || status == TC_EINPUT);
    if (status != 0) {
        command_check_error(err);
        return;
    }
    char out[NOTICE_MAX];
    command_check_json(out, notice_pong(out, (struct text){c->id, c->id_size}, 1));
    TC_ASSERT(c->kinds != 0 && (c->kinds & ~(uint32_t)KINDS_CLIENT) == 0);
    TC_ASSERT(c->policy < POLICIES && c->frame < FRAMINGS);
    TC_ASSERT(c->symbol_count <= COMMAND_SYMBOLS_MAX);
    TC_ASSERT(c->has_symbols == (c->symbol_count > 0));
    for (uint32_t i = 0; i < c->symbol_count; i++) TC_ASSERT(pattern_ok(c->symbols[i]));
    TC_ASSERT(c->rate_interval_ns == 0 ||
              (c->rate_interval_ns >= 1000000 && c->rate_interval_ns <= 1000000000000));
    TC_ASSERT(!c->has_heartbeat || c->heartbeat_ns >= 10000000);
    TC_ASSERT((c->op == COMMAND_RESUME) == c->has_resume);
}

#endif
