// A worker's turns as they are, on the network that costs nothing: worker_turn from the log to the sends.
// Only the turns are timed; the log's writer is not in it.
#include <benchmark/benchmark.h>

#include <chrono>

extern "C" {
#include "bench/instructions/rig.h"
}

namespace
{

using clock_type = std::chrono::steady_clock;

constexpr uint32_t kAlone = 8192; // ticks a round: half the rig's log

void round(benchmark::State &state, rig *r, uint32_t ticks)
{
    for (uint32_t i = 0; i < ticks; i += RIG_BATCH_MAX)
        rig_append(r, ticks - i < RIG_BATCH_MAX ? ticks - i : RIG_BATCH_MAX);
    auto begin = clock_type::now();
    rig_settle(r);
    state.SetIterationTime(std::chrono::duration<double>(clock_type::now() - begin).count());
}

// Nobody is subscribed: what a tick costs whoever connects. Items are ticks. Target: 30 M a second.
void alone(benchmark::State &state)
{
    rig_options o = {};
    rig *r = rig_open(&o);
    for (auto _ : state) round(state, r, kAlone);
    state.SetItemsProcessed(state.iterations() * kAlone);
    state.SetBytesProcessed(state.iterations() * kAlone * 64);
    rig_close(r);
}

// A burst to 1024 subscribers of everything. Items are ticks delivered.
void delivery(benchmark::State &state)
{
    auto ticks = static_cast<uint32_t>(state.range(0));
    rig_options o = {};
    o.subscribers = 1024;
    o.binary = state.range(1) != 0;
    o.deflate = state.range(2) != 0;
    rig *r = rig_open(&o);
    rig_connect(r);
    rig_settle(r);
    uint64_t bytes = rig_bytes(r);
    for (auto _ : state) round(state, r, ticks);
    state.SetItemsProcessed(state.iterations() * ticks * o.subscribers);
    state.SetBytesProcessed(static_cast<int64_t>(rig_bytes(r) - bytes));
    rig_close(r);
}

} // namespace

BENCHMARK(alone)->Name("worker_without_subscribers")->UseManualTime();
BENCHMARK(delivery)
    ->Name("worker_delivery")
    ->ArgNames({"ticks", "binary", "deflate"})
    ->Args({1, 0, 0})
    ->Args({16, 0, 0})
    ->Args({64, 0, 0})
    ->Args({16, 1, 0})
    ->Args({16, 0, 1})
    ->UseManualTime();
