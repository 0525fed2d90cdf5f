/* bench/micro/core_rig.h -- a log and a filter to measure with, behind plain calls: Google Benchmark is C++,
 * and the core's headers with atomics are C. */
#ifndef TC_BENCH_CORE_RIG_H
#define TC_BENCH_CORE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_RIG_TICKS 16384u /* made before anything is timed */

typedef struct core_rig core_rig;

core_rig *core_rig_make(uint32_t capacity, uint32_t symbols);
void core_rig_free(core_rig *r);
void core_rig_append(core_rig *r, uint32_t count);   /* trades and quotes in turn; a power of two */
uint32_t core_rig_fold(core_rig *r, uint32_t count); /* from where it was; begins again near the head */
void core_rig_filter(core_rig *r, const char *pattern);
/* core_rig_render makes binary frames from now on. */
void core_rig_speak_binary(core_rig *r);
/* Renders `ticks` log positions; returns the ticks in the frame. */
uint32_t core_rig_render(core_rig *r, uint32_t ticks, bool tick_frames, bool conflate, uint32_t *bytes);
/* Writes the next tick's binary record into out (64 bytes); returns its bytes. */
uint32_t core_rig_record(core_rig *r, uint8_t *out);
/* Packs what was rendered last, bytes of it; returns the bytes packed. */
uint32_t core_rig_pack(core_rig *r, uint32_t bytes);
/* All pieces of a snapshot of the writer's last values; returns the ticks in it. */
uint32_t core_rig_snapshot(core_rig *r, uint64_t *bytes);

#endif
