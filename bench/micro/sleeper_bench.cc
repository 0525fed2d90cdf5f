// What a producer pays to say that there is work, and how long until a thread that waited for it runs.
#include <benchmark/benchmark.h>

extern "C" {
#include "bench/micro/sleeper_rig.h"
}

// Items are pieces of work given, bytes what is handed over with each: the flag that is read, the count that
// is written to the eventfd, the number of the piece of work.
static const int64_t flag_bytes = 4, count_bytes = 8, work_bytes = 8;
static void given(benchmark::State &state, int64_t bytes)
{
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * bytes);
}

// What each batch of ticks costs for each worker that is awake.
static void BM_wake_nobody_sleeps(benchmark::State &state)
{
    sleeper_rig *rig = sleeper_rig_make(true);
    for (auto _ : state) sleeper_rig_ask(rig);
    given(state, flag_bytes);
    sleeper_rig_free(rig);
}
BENCHMARK(BM_wake_nobody_sleeps);

// What it would cost without the flag.
static void BM_wake_by_write_always(benchmark::State &state)
{
    sleeper_rig *rig = sleeper_rig_make(true);
    for (auto _ : state) sleeper_rig_write(rig);
    given(state, count_bytes);
    sleeper_rig_free(rig);
}
BENCHMARK(BM_wake_by_write_always);

// A thread that waits is given work, again and again: the mean, as a few that come late are part of it.
static void wake(benchmark::State &state, bool spins, bool producer)
{
    const uint64_t rest_ns = static_cast<uint64_t>(state.range(0)) * 1000;
    sleeper_rig *rig = sleeper_rig_make(spins);
    for (auto _ : state) {
        const sleeper_times times = sleeper_rig_wake(rig, rest_ns);
        state.SetIterationTime(static_cast<double>(producer ? times.producer_ns : times.until_runs_ns) / 1e9);
    }
    given(state, spins ? work_bytes : work_bytes + count_bytes);
    sleeper_rig_free(rig);
}
static void rests(benchmark::internal::Benchmark *b)
{
    b->UseManualTime()->ArgName("rest_us")->Arg(0)->Arg(1000)->Iterations(1000);
}
BENCHMARK_CAPTURE(wake, sleeps_producer, false, true)->Apply(rests);
BENCHMARK_CAPTURE(wake, sleeps_until_runs, false, false)->Apply(rests);
BENCHMARK_CAPTURE(wake, spins_until_runs, true, false)->UseManualTime()->ArgName("rest_us")->Arg(0);
