// The stages of a tick's way through the core: append (with its JSON), read, select and render. Items are
// ticks.
#include <benchmark/benchmark.h>

#include <cstring>

extern "C" {
#include "bench/micro/core_rig.h"
}

// The writer alone: stamp, encode once, publish. Target: 10 M ticks/s. The log has gone round once before:
// its pages are there, as in a server that has run for some seconds.
static void BM_log_append(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    uint32_t batch = static_cast<uint32_t>(state.range(0));
    for (int i = 0; i < 1 << 10; i++) core_rig_append(rig, 256);
    for (auto _ : state) core_rig_append(rig, batch);
    state.SetItemsProcessed(state.iterations() * batch);
    state.SetBytesProcessed(state.iterations() * batch * 64); // the records; their JSON comes on top
    core_rig_free(rig);
}
BENCHMARK(BM_log_append)->Arg(1)->Arg(16)->Arg(256);

// What a worker does for every tick at the least: read and fold, without its turn around them (worker_bench).
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

// The record of tickcast.v1.bin, by itself.
static void BM_tick_bin(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    uint8_t record[64]; // TICK_BIN_MAX is 56
    int64_t bytes = 0;
    for (auto _ : state) {
        bytes += core_rig_record(rig, record);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(bytes);
    core_rig_free(rig);
}
BENCHMARK(BM_tick_bin);

// A rendered frame of `ticks` packed once, as it is for all of a group (--deflate-level 1 is the default).
// Items are frames, bytes those before.
static void BM_pack_frame(benchmark::State &state)
{
    core_rig *rig = core_rig_make(1 << 18, 500);
    for (int i = 0; i < 64; i++) core_rig_append(rig, 256);
    core_rig_filter(rig, "*");
    if (state.range(1)) core_rig_speak_binary(rig);
    uint32_t bytes = 0;
    core_rig_render(rig, static_cast<uint32_t>(state.range(0)), false, false, &bytes);
    uint32_t packed = 0;
    for (auto _ : state) packed = core_rig_pack(rig, bytes);
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * bytes);
    state.counters["ratio"] = static_cast<double>(bytes) / packed;
    core_rig_free(rig);
}
BENCHMARK(BM_pack_frame)->ArgNames({"ticks", "binary"})->ArgsProduct({{16, 64}, {0, 1}});

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
