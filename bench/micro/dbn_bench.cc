// Records a second from a DBN file in the page cache to ticks, one core. Items are records.
#include "bench/micro/read_whole.h"
#include "tests/feeds/dbn_write.h"

#include <vector>
#include <zstd.h>

namespace
{

constexpr uint32_t RECORDS = 500000;
constexpr int64_t TICK = 250000000; // a quarter, in 1e-9

dbn_writer market(uint32_t instruments)
{
    std::vector<std::string> texts;
    std::vector<dbn_write_mapping> mappings;
    for (uint32_t i = 0; i < instruments; i++) {
        texts.push_back("SYM" + std::to_string(i));
        texts.push_back(std::to_string(1000 + i * 7));
    }
    for (uint32_t i = 0; i < instruments; i++)
        mappings.push_back({texts[2 * i].c_str(), texts[2 * i + 1].c_str(), 20240701, 20240702});
    dbn_writer w = {};
    w.version = 2;
    const uint8_t stypes[2] = {1, 0};
    dbn_write_metadata(&w, mappings.data(), instruments, stypes);
    return w;
}

// instruments follow one another without order, so that hardly a record is of the one before
uint32_t instrument(uint32_t i, uint32_t instruments)
{
    return 1000 + static_cast<uint32_t>(i * UINT64_C(2654435761) % instruments) * 7;
}

dbn_writer trades(uint32_t instruments)
{
    dbn_writer w = market(instruments);
    for (uint32_t i = 0; i < RECORDS; i++)
        dbn_write_mbp(&w, 0x00, instrument(i, instruments), UINT64_C(1719878281218218853) + i * 1000, 'T',
                      i % 2 ? 'A' : 'B', 5528750000000 + i % 40 * TICK, 1 + i % 50);
    return w;
}

dbn_writer quotes(uint32_t instruments) // mbp-1 in about a real file's shares: a twentieth are trades
{
    dbn_writer w = market(instruments);
    for (uint32_t i = 0; i < RECORDS; i++) {
        int64_t bid = 5528750000000 + i % 40 * TICK;
        uint8_t *at =
            dbn_write_mbp(&w, 0x01, instrument(i, instruments), UINT64_C(1719878281218218853) + i * 1000,
                          i % 20 ? 'A' : 'T', 'B', bid, 3);
        dbn_put_level(at, 0, bid, 10 + i % 90, bid + TICK, 20 + i % 70);
    }
    return w;
}

dbn_writer orders(uint32_t instruments) // mbo: one trade in a hundred, the others make no tick
{
    dbn_writer w = market(instruments);
    for (uint32_t i = 0; i < RECORDS; i++)
        dbn_write_mbo(&w, instrument(i, instruments), UINT64_C(1719878281218218853) + i * 1000,
                      i % 100 ? 'A' : 'T', 'B', 5528750000000, 3);
    return w;
}

void read_records(benchmark::State &state, dbn_writer w)
{
    bool zstd = state.range(1) != 0;
    std::vector<uint8_t> bytes(w.bytes, w.bytes + w.size);
    free(w.bytes);
    if (zstd) {
        std::vector<uint8_t> packed(ZSTD_compressBound(bytes.size()));
        packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3));
        bytes.swap(packed);
    }
    read_whole(state, temporary_file("t.dbn", bytes.data(), bytes.size()), bytes.size(), RECORDS);
}

void dbn_trades(benchmark::State &state)
{
    read_records(state, trades(static_cast<uint32_t>(state.range(0))));
}
void dbn_quotes(benchmark::State &state)
{
    read_records(state, quotes(static_cast<uint32_t>(state.range(0))));
}
void dbn_orders(benchmark::State &state)
{
    read_records(state, orders(static_cast<uint32_t>(state.range(0))));
}

BENCHMARK(dbn_trades)
    ->ArgNames({"instruments", "zstd"})
    ->Args({1, 0})
    ->Args({5000, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(dbn_quotes)
    ->ArgNames({"instruments", "zstd"})
    ->Args({1, 0})
    ->Args({5000, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(dbn_orders)->ArgNames({"instruments", "zstd"})->Args({1, 0})->Unit(benchmark::kMillisecond);

} // namespace
