// The stages of a tick's way through the core: append (with its JSON), read, select and render. Items are
// ticks.
#include <benchmark/benchmark.h>

#include <cstring>

extern "C" {
#include "bench/micro/core_rig.h"
}

// The writer alone: stamp, encode once, publish. Target: 10 M ticks/s.
static void BM_log_append(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    uint32_t batch = static_cast<uint32_t>(state.range(0));
    for (auto _ : state) core_rig_append(rig, batch);
    state.SetItemsProcessed(state.iterations() * batch);
    state.SetBytesProcessed(state.iterations() * batch * 64); // the records; their JSON comes on top
    core_rig_free(rig);
}
BENCHMARK(BM_log_append)->Arg(1)->Arg(16)->Arg(256);

// A worker without subscribers: read and fold. Target: 30 M ticks/s.
static void BM_read_and_fold(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    for (int i = 0; i < 900; i++) core_rig_append(rig, 256);
    for (auto _ : state) benchmark::DoNotOptimize(core_rig_fold(rig, 128));
    state.SetItemsProcessed(state.iterations() * 128);
    state.SetBytesProcessed(state.iterations() * 128 * 64);
    core_rig_free(rig);
}
BENCHMARK(BM_read_and_fold);

// One frame of `range` ticks: everything ("*"), as one batch or a frame each, plain or conflated.
static void render_case(benchmark::State &state, const char *pattern, bool tick_frames, bool conflate,
                        bool binary = false)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    for (int i = 0; i < 64; i++) core_rig_append(rig, 256);
    core_rig_filter(rig, pattern);
    uint32_t ticks = static_cast<uint32_t>(state.range(0)), bytes = 0;
    if (binary) core_rig_speak_binary(rig);
    uint64_t rendered = 0;
    for (auto _ : state) rendered += core_rig_render(rig, ticks, tick_frames, conflate, &bytes);
    state.SetItemsProcessed(static_cast<int64_t>(rendered));
    state.SetBytesProcessed(state.iterations() * bytes);
    core_rig_free(rig);
}
static void BM_render_batch(benchmark::State &state)
{
    render_case(state, "*", false, false);
}
static void BM_render_batch_binary(benchmark::State &state)
{
    render_case(state, "*", false, false, true);
}
static void BM_render_ticks(benchmark::State &state)
{
    render_case(state, "*", true, false);
}
static void BM_render_conflated(benchmark::State &state)
{
    render_case(state, "*", false, true);
}
// A watch list scans the keys of all ticks and takes one in 25.
static void BM_render_watch_list(benchmark::State &state)
{
    render_case(state, "A*", false, false);
}
BENCHMARK(BM_render_batch)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_render_batch_binary)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_render_ticks)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_render_conflated)->Arg(64)->Arg(1024);
BENCHMARK(BM_render_watch_list)->Arg(64)->Arg(1024);

// All last values of 500 symbols, in pieces.
static void BM_snapshot(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    for (int i = 0; i < 64; i++) core_rig_append(rig, 256);
    core_rig_filter(rig, "*");
    uint64_t ticks = 0, bytes = 0;
    for (auto _ : state) ticks += core_rig_snapshot(rig, &bytes);
    state.SetItemsProcessed(static_cast<int64_t>(ticks));
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    core_rig_free(rig);
}
BENCHMARK(BM_snapshot);
