/* bench/micro/csv_bench.cc -- rows a second from a file in the page cache to ticks, one core. */
#include "bench/micro/read_whole.h"

namespace
{

constexpr int ROWS = 200000;

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

void read_text(benchmark::State &state, const char *name, const std::string &text)
{
    read_whole(state, temporary_file(name, text.data(), text.size()), text.size(), ROWS);
}

void csv_rows(benchmark::State &state)
{
    read_text(state, "t.csv", ticks_text());
}
void lobster_rows(benchmark::State &state)
{
    read_text(state, "AAPL_2012-06-21_message.csv", lobster_text());
}

BENCHMARK(csv_rows)->Unit(benchmark::kMillisecond);
BENCHMARK(lobster_rows)->Unit(benchmark::kMillisecond);

} // namespace
