/* bench/micro/csv_bench.cc -- rows a second from a file in the page cache to ticks, one core. */
#include <benchmark/benchmark.h>

extern "C" {
#include "feeds/reader_file.h"
}

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

constexpr int ROWS = 200000;

std::string temporary(const char *name, const std::string &text)
{
    std::string path = std::string("/tmp/tickcast-bench-") + std::to_string(getpid()) + "-" + name;
    FILE *file = fopen(path.c_str(), "wb");
    if (!file || fwrite(text.data(), 1, text.size(), file) != text.size() || fclose(file) != 0) abort();
    return path;
}

std::string ticks_text()
{
    static const char *const symbols[] = {"AAPL", "MSFT", "GOOGL", "BRK.B", "NVDA", "AMZN", "META", "TSLA"};
    std::string text = "ts,symbol,price,size,side\n";
    char row[128];
    for (int i = 0; i < ROWS; i++) {
        snprintf(row, sizeof row, "%lld,%s,%d.%02d,%d,%s\n", 1700000000000000000LL + i * 1000LL,
                 symbols[i * 7 % 8], 100 + i % 400, i % 100, 1 + i % 900, i % 2 ? "buy" : "sell");
        text += row;
    }
    return text;
}

std::string lobster_text() /* types in about the shares of a real hour: most rows are no executions */
{
    std::string text;
    char row[128];
    for (int i = 0; i < ROWS; i++) {
        static const int types[] = {1, 1, 3, 1, 3, 4, 3, 1, 3, 1, 1, 3, 5, 1, 3};
        snprintf(row, sizeof row, "%d.%09d,%d,%d,%d,%d,%d\n", 34200 + i / 100, i % 100 * 10000000 + i % 977,
                 types[i % 15], 16113575 + i, 1 + i % 500, 5853300 + i % 3000 * 100, i % 2 ? 1 : -1);
        text += row;
    }
    return text;
}

void read_whole(benchmark::State &state, const std::string &path)
{
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
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * ROWS);
    struct stat st = {};
    if (stat(path.c_str(), &st) == 0) state.SetBytesProcessed(state.iterations() * st.st_size);
    unlink(path.c_str());
}

void csv_rows(benchmark::State &state)
{
    read_whole(state, temporary("t.csv", ticks_text()));
}
void lobster_rows(benchmark::State &state)
{
    read_whole(state, temporary("AAPL_2012-06-21_message.csv", lobster_text()));
}

BENCHMARK(csv_rows)->Unit(benchmark::kMillisecond);
BENCHMARK(lobster_rows)->Unit(benchmark::kMillisecond);

} // namespace
