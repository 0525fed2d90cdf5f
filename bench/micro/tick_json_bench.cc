// A tick's JSON, made once per tick by the log's writer, and the folds of last values. Items are ticks.
extern "C" {
#include "base/random.h"
#include "tick/last_value.h"
#include "tick/tick_json.h"
}

#include <benchmark/benchmark.h>

#include <cstdio>
#include <vector>

namespace
{

constexpr uint32_t kCount = 8192;

// Live-like ticks of `symbols` symbols: prices of two decimals around 200, sizes in whole shares.
std::vector<tick> ticks(uint8_t kind, uint32_t symbols)
{
    struct random r;
    random_seed(&r, 1);
    std::vector<tick> out(kCount);
    for (uint32_t i = 0; i < kCount; i++) {
        tick &t = out[i];
        auto price = static_cast<int64_t>(5000 + random_below(&r, 30000));
        auto size = static_cast<int64_t>(1 + random_below(&r, 2000));
        t = tick{};
        t.seq = 41000000 + i;
        t.event_ns = INT64_C(1700000000000000000) + static_cast<int64_t>(random_below(&r, 1u << 30));
        t.symbol = static_cast<uint32_t>(random_below(&r, symbols));
        t.kind = kind;
        t.price_exp = -2;
        if (kind == TICK_TRADE) t.trade = tick_trade{price, size, 0, 0};
        if (kind == TICK_QUOTE) t.quote = tick_quote{price, size, price + 2, size + 100};
        if (kind == TICK_BAR) t.bar = tick_bar{price, price + 10, price - 10, price + 3, size * 1000};
    }
    return out;
}

symbol_table *table(uint32_t symbols)
{
    symbol_table *t = symbol_table_create(symbols);
    for (uint32_t i = 0; i < symbols; i++) {
        char name[16];
        bool added;
        int size = snprintf(name, sizeof name, i % 2 ? "S%u" : "SYM%u", i);
        symbol_table_add(t, text{name, static_cast<size_t>(size)}, &added);
    }
    return t;
}

const char *const kKinds[] = {"", "trade", "quote", "bar"};

void json(benchmark::State &state)
{
    std::vector<tick> all = ticks(static_cast<uint8_t>(state.range(0)), 500);
    symbol_table *symbols = table(500);
    char out[TICK_JSON_MAX];
    uint64_t bytes = 0;
    uint32_t i = 0;
    for (auto _ : state) {
        const tick &t = all[i++ % kCount];
        bytes += tick_json(out, &t, symbol_table_json(symbols, t.symbol));
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    state.SetLabel(kKinds[state.range(0)]);
    symbol_table_destroy(symbols);
}

void fold(benchmark::State &state)
{
    auto symbols = static_cast<uint32_t>(state.range(1));
    std::vector<tick> all = ticks(static_cast<uint8_t>(state.range(0)), symbols);
    last_value *v = last_value_create(symbols, symbols);
    uint32_t i = 0;
    uint64_t seq = 0;
    for (auto _ : state) {
        tick &t = all[i++ % kCount];
        t.seq = ++seq;
        last_value_fold(v, &t);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof(tick)));
    state.SetLabel(kKinds[state.range(0)]);
    last_value_destroy(v);
}

void find(benchmark::State &state)
{
    auto count = static_cast<uint32_t>(state.range(0));
    symbol_table *symbols = table(count);
    struct random r;
    random_seed(&r, 1);
    std::vector<text> names(kCount);
    for (text &n : names) n = symbol_table_name(symbols, static_cast<uint32_t>(random_below(&r, count)));
    uint32_t i = 0;
    uint64_t bytes = 0;
    for (auto _ : state) {
        text name = names[i++ % kCount];
        bytes += name.size;
        benchmark::DoNotOptimize(symbol_table_find(symbols, name));
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    symbol_table_destroy(symbols);
}

BENCHMARK(json)->Name("tick_json")->DenseRange(TICK_TRADE, TICK_BAR);
BENCHMARK(fold)->Name("last_value_fold")->ArgsProduct({{TICK_TRADE, TICK_QUOTE, TICK_BAR}, {500, 65536}});
BENCHMARK(find)->Name("symbol_table_find")->Arg(500)->Arg(65536);

} // namespace
