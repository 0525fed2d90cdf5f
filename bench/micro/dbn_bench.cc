// Records a second from a DBN file in the page cache to ticks, one core. Items are records.
#include <benchmark/benchmark.h>

extern "C" {
#include "feeds/reader_file.h"
}
#include "tests/feeds/dbn_write.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
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

void read_whole(benchmark::State &state, dbn_writer w, bool zstd)
{
    std::string path = "/tmp/tickcast-bench-" + std::to_string(getpid()) + ".dbn";
    std::vector<uint8_t> bytes(w.bytes, w.bytes + w.size);
    free(w.bytes);
    if (zstd) {
        std::vector<uint8_t> packed(ZSTD_compressBound(bytes.size()));
        packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3));
        bytes.swap(packed);
    }
    FILE *file = fopen(path.c_str(), "wb");
    if (!file || fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() || fclose(file) != 0) abort();
    static struct tick ticks[256];
    struct reader_options options = {};
    options.path = path.c_str();
    for (auto _ : state) {
        struct reader *reader;
        struct fault fault;
        if (reader_file_open(&reader, {nullptr, 0}, &options, &fault) < 0) {
            state.SkipWithError(fault.text);
            break;
        }
        bool fatal = false;
        int rc;
        uint64_t count = 0;
        while ((rc = reader->ops->next(reader, ticks, 256, &fatal, &fault)) > 0)
            count += static_cast<uint64_t>(rc);
        benchmark::DoNotOptimize(count);
        if (rc < 0) state.SkipWithError(fault.text);
        reader->ops->close(reader);
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * RECORDS);
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
    unlink(path.c_str());
}

void dbn_trades(benchmark::State &state)
{
    read_whole(state, trades(static_cast<uint32_t>(state.range(0))), state.range(1) != 0);
}
void dbn_quotes(benchmark::State &state)
{
    read_whole(state, quotes(static_cast<uint32_t>(state.range(0))), state.range(1) != 0);
}
void dbn_orders(benchmark::State &state)
{
    read_whole(state, orders(static_cast<uint32_t>(state.range(0))), state.range(1) != 0);
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
