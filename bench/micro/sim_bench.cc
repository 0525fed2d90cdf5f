// The simulator: ticks made, and ticks made and appended. Items are ticks.
#include <benchmark/benchmark.h>

#include "feeds/sim_market.h"

extern "C" {
#include "bench/micro/sim_rig.h"
}

// The market alone. Target: 5 M ticks/s on one core.
static void BM_sim_market(benchmark::State &state)
{
    struct sim_market_options o = {};
    o.seed = 1;
    o.symbols = static_cast<uint32_t>(state.range(0));
    o.burst = 1;
    o.rate = 1000000;
    o.kinds =
        state.range(1) ? SIM_KINDS : KIND_BIT(TICK_TRADE) | KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_STATUS);
    o.volatility = 100;
    o.halt_ns = 300000000000u;
    struct sim_market *m = sim_market_open(&o);
    struct tick t;
    for (auto _ : state) {
        sim_market_next(m, &t);
        benchmark::DoNotOptimize(t);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof t));
    sim_market_close(m);
}
BENCHMARK(BM_sim_market)
    ->ArgNames({"symbols", "all_kinds"})
    ->Args({500, 0})
    ->Args({500, 1})
    ->Args({65536, 0});

// As a feed: polled, stamped, encoded and published.
static void BM_sim_into_log(benchmark::State &state)
{
    sim_rig *rig = sim_rig_make("sim:?rate=0");
    int64_t ticks = 0;
    for (auto _ : state) ticks += sim_rig_poll(rig, 1000000);
    state.SetItemsProcessed(ticks);
    state.SetBytesProcessed(ticks * 64); // the records
    sim_rig_free(rig);
}
BENCHMARK(BM_sim_into_log);

// A closed loop's poll: one burst.
static void BM_sim_burst(benchmark::State &state)
{
    sim_rig *rig = sim_rig_make("sim:?rate=0&burst=16&pace=workers");
    int64_t ticks = 0;
    for (auto _ : state) ticks += sim_rig_poll(rig, 1000);
    state.SetItemsProcessed(ticks);
    state.SetBytesProcessed(ticks * 64); // the records
    sim_rig_free(rig);
}
BENCHMARK(BM_sim_burst);
