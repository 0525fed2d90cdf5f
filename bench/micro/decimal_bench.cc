// Decimals in and out of text: the feeds' part of a row of prices. Items are numbers.
extern "C" {
#include "base/random.h"
#include "tick/decimal.h"
}

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

namespace
{

constexpr size_t kCount = 4096; // more than a branch predictor learns by heart

enum Shape { kPrice, kSize, kSmall, kLong };

std::vector<std::string> texts(int shape)
{
    struct random r;
    random_seed(&r, 1);
    std::vector<std::string> out;
    for (size_t i = 0; i < kCount; i++) {
        char text[64];
        unsigned long long whole = random_below(&r, 2000), parts = random_u64(&r);
        switch (shape) {
        case kPrice: snprintf(text, sizeof text, "%llu.%02llu", whole, parts % 100); break;
        case kSize: snprintf(text, sizeof text, "%llu", parts % 100000); break;
        case kSmall: snprintf(text, sizeof text, "0.%08llu", parts % 100000000); break;
        default:
            snprintf(text, sizeof text, "%llu.%016llu", whole % 100, parts % 10000000000000000ull);
            break;
        }
        out.emplace_back(text);
    }
    return out;
}

const char *const kNames[] = {"price 1234.56", "size 12345", "small 0.12345678", "long 12.1234567890123456"};

template <int (*Parse)(const char *, size_t, decimal *)> void parse(benchmark::State &state)
{
    std::vector<std::string> all = texts(static_cast<int>(state.range(0)));
    size_t i = 0, bytes = 0;
    for (auto _ : state) {
        decimal d;
        const std::string &text = all[i++ % kCount];
        bytes += text.size();
        benchmark::DoNotOptimize(Parse(text.data(), text.size(), &d));
        benchmark::DoNotOptimize(d);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    state.SetLabel(kNames[state.range(0)]);
}

void print(benchmark::State &state)
{
    std::vector<decimal> all;
    for (const std::string &text : texts(static_cast<int>(state.range(0)))) {
        decimal d{};
        decimal_parse(text.data(), text.size(), &d);
        all.push_back(d);
    }
    char out[DECIMAL_TEXT_MAX];
    size_t i = 0, bytes = 0;
    for (auto _ : state) {
        const decimal &d = all[i++ % kCount];
        bytes += decimal_print(out, d.mantissa, d.exponent);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(bytes));
    state.SetLabel(kNames[state.range(0)]);
}

BENCHMARK(parse<decimal_parse>)->Name("decimal_parse")->DenseRange(kPrice, kLong);
BENCHMARK(parse<decimal_parse_e>)->Name("decimal_parse_e")->DenseRange(kPrice, kLong);
BENCHMARK(print)->Name("decimal_print")->DenseRange(kPrice, kLong);

} // namespace
