// How fast `tickcast bench` reads what a server sends: frame head, ticks, continuity; without a kernel. The
// aim is 5 million ticks a second on one core, with room for the receiving itself.
#include <benchmark/benchmark.h>
#include <cstring>
#include <string>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // in C a function and a struct may share a name
extern "C" {
#include "cmd/client_ws.h"
#include "cmd/continuity.h"
}
#pragma GCC diagnostic pop

namespace
{

std::string tick(unsigned seq)
{
    char text[200];
    if (seq % 3 == 0)
        snprintf(text, sizeof text,
                 R"({"type":"trade","seq":%u,"symbol":"AAPL","price":189.23,"size":100,"side":"buy",)"
                 R"("ts":1700000000000000000})",
                 seq);
    else
        snprintf(text, sizeof text,
                 R"({"type":"quote","seq":%u,"symbol":"MSFT","bid":189.22,"bid_size":300,"ask":189.24,)"
                 R"("ask_size":200,"ts":1700000000000000000})",
                 seq);
    return text;
}

// An unmasked text frame.
std::string framed(const std::string &payload)
{
    std::string out = "\x81";
    if (payload.size() < 126) {
        out += static_cast<char>(payload.size());
    } else {
        out += '\x7e';
        out += static_cast<char>(payload.size() >> 8);
        out += static_cast<char>(payload.size() & 255);
    }
    return out + payload;
}

// ticks in one `ticks` message, or each in a message of its own.
std::string stream(unsigned ticks, bool batch)
{
    std::string out, list;
    for (unsigned seq = 1; seq <= ticks; seq++) {
        if (batch)
            list += (seq > 1 ? "," : "") + tick(seq);
        else
            out += framed(tick(seq));
    }
    if (!batch) return out;
    return framed(R"({"type":"ticks","from":0,"to":)" + std::to_string(ticks) + R"(,"ticks":[)" + list +
                  "]}");
}

bool take(struct continuity *c, text json, uint64_t *sum)
{
    struct scan_message m;
    struct scan_tick t;
    if (scan_tick_usual(json, &t)) {
        memset(&m, 0, sizeof m);
        m.type = t.type;
        m.seq = t.seq;
        m.has_seq = true;
        *sum += t.seq;
        return continuity_begin(c, &m) == nullptr;
    }
    if (scan_message(json, &m) < 0 || continuity_begin(c, &m)) return false;
    while (scan_tick_next(&m, &t) > 0) {
        if (continuity_tick(c, &m, t.seq)) return false;
        *sum += t.seq;
    }
    return scan_message_end(&m) == 0 && !continuity_end(c, &m);
}

void scan(benchmark::State &state, bool batch)
{
    const unsigned ticks = static_cast<unsigned>(state.range(0));
    const std::string bytes = stream(ticks, batch);
    const auto *at = reinterpret_cast<const uint8_t *>(bytes.data());
    uint64_t sum = 0;
    for (auto _ : state) {
        client_reader reader{};
        struct continuity c {
        };
        c.subscribed = true;
        for (size_t begin = 0, used = 0; begin < bytes.size(); begin += used) {
            client_message m;
            if (client_read(&reader, at + begin, bytes.size() - begin, &used, &m) != CLIENT_TEXT ||
                !take(&c, text{reinterpret_cast<const char *>(m.payload), m.size}, &sum)) {
                state.SkipWithError("the stream is not what it should be");
                return;
            }
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * ticks);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

} // namespace

BENCHMARK_CAPTURE(scan, batch, true)->Arg(16)->Arg(64)->Arg(100);
BENCHMARK_CAPTURE(scan, single, false)->Arg(64);
