// 10 000 watch lists of 20 symbols out of 500: made, removed, and what a new symbol costs beside them. Items
// are lists, or symbols.
#include <benchmark/benchmark.h>

extern "C" {
#include "bench/micro/group_rig.h"
}

static const uint32_t lists = 10000, size = 20, symbols = 500;
static const int64_t name_bytes = 4; // at most: S0 to S499

static void BM_lists_make(benchmark::State &state)
{
    group_rig *rig = group_rig_make(lists, size, symbols);
    for (auto _ : state) {
        for (uint32_t i = 0; i < lists; i++) group_rig_add(rig, i);
        state.PauseTiming();
        for (uint32_t i = 0; i < lists; i++) group_rig_remove(rig, i);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * lists);
    state.SetBytesProcessed(state.iterations() * lists * size * name_bytes);
    group_rig_free(rig);
}
BENCHMARK(BM_lists_make)->Unit(benchmark::kMillisecond);

static void BM_lists_remove(benchmark::State &state)
{
    group_rig *rig = group_rig_make(lists, size, symbols);
    for (auto _ : state) {
        state.PauseTiming();
        for (uint32_t i = 0; i < lists; i++) group_rig_add(rig, i);
        state.ResumeTiming();
        for (uint32_t i = 0; i < lists; i++) group_rig_remove(rig, i);
    }
    state.SetItemsProcessed(state.iterations() * lists);
    state.SetBytesProcessed(state.iterations() * lists * size * name_bytes);
    group_rig_free(rig);
}
BENCHMARK(BM_lists_remove)->Unit(benchmark::kMillisecond);

// The symbol table (65 536) ends the run: a fixed number of iterations. The name's way into the table is in
// it.
static void BM_new_symbol(benchmark::State &state)
{
    uint32_t standing = static_cast<uint32_t>(state.range(0));
    group_rig *rig = group_rig_make(lists, size, symbols);
    for (uint32_t i = 0; i < standing; i++) group_rig_add(rig, i);
    for (auto _ : state)
        if (!group_rig_symbol(rig)) state.SkipWithError("the symbol table is full");
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * name_bytes);
    group_rig_free(rig);
}
BENCHMARK(BM_new_symbol)->ArgName("lists")->Arg(0)->Arg(10000)->Iterations(2000);
