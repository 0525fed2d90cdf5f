// bench/micro/wire_bench.cc -- bytes to meaning: mask, UTF-8, handshake, frames in, commands, heads.
extern "C" {
#include "base/utf8.h"
#include "wire/command.h"
#include "wire/http_parse.h"
#include "wire/ws.h"
}

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static void mask(benchmark::State &state)
{
    std::vector<uint8_t> bytes(static_cast<size_t>(state.range(0)) + 8, 'x');
    const uint8_t key[4] = {1, 2, 3, 4};
    for (auto _ : state) {
        ws_mask(bytes.data() + 1, static_cast<size_t>(state.range(0)), key, 3); // unaligned, as in a frame
        benchmark::DoNotOptimize(bytes.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(mask)->Arg(60)->Arg(1000)->Arg(16384)->Arg(1 << 20);

static void utf8(benchmark::State &state)
{
    std::string text;
    while (text.size() < 16384) text += state.range(0) ? "\xE2\x82\xAC" : "{\"op\":\"ping\"}";
    for (auto _ : state)
        benchmark::DoNotOptimize(
            utf8_feed(UTF8_OK, reinterpret_cast<const uint8_t *>(text.data()), text.size()));
    state.SetItemsProcessed(state.iterations()); // texts
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(utf8)->ArgName("three_byte")->Arg(0)->Arg(1);

static const char request[] =
    "GET /v1/ws?symbols=AAPL,BRK* HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\nUser-Agent: bench\r\nOrigin: http://127.0.0.1:8080\r\n\r\n";

static void handshake(benchmark::State &state)
{
    char out[512];
    for (auto _ : state) {
        http_request r;
        uint32_t scanned = 0;
        if (http_parse(request, sizeof request - 1, &scanned, &r) != 1 || ws_handshake_check(&r) != 0)
            abort();
        benchmark::DoNotOptimize(ws_handshake_reply(out, sizeof out, r.ws_key, nullptr, nullptr));
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof request - 1));
}
BENCHMARK(handshake);

static void http_head(benchmark::State &state)
{
    for (auto _ : state) {
        http_request r;
        uint32_t scanned = 0;
        if (http_parse(request, sizeof request - 1, &scanned, &r) != 1) abort();
        benchmark::DoNotOptimize(r.path.at);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof request - 1));
}
BENCHMARK(http_head);

// Frames of text from a client, read in place; they are masked anew each round, which is part of the time.
static void frames_in(benchmark::State &state)
{
    const size_t payload = static_cast<size_t>(state.range(0)), count = 64, head = payload < 126 ? 6 : 8;
    std::vector<uint8_t> plain(count * (head + payload), 'a');
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = plain.data() + i * (head + payload);
        memset(at, 0, head); // a key of zeros leaves the payload as it is, so that rounds are alike
        at[0] = 0x81;
        at[1] = static_cast<uint8_t>(0x80 | (payload < 126 ? payload : 126));
        if (payload >= 126) at[2] = static_cast<uint8_t>(payload >> 8), at[3] = static_cast<uint8_t>(payload);
    }
    ws_reader reader = {};
    for (auto _ : state) {
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            size_t used;
            ws_message m;
            if (ws_read(&reader, plain.data() + at, plain.size() - at, &used, nullptr, 65536, &m) !=
                WS_EVENT_MESSAGE)
                abort();
            at += used;
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(plain.size()));
}
BENCHMARK(frames_in)->Arg(50)->Arg(1000);

static void command_json(benchmark::State &state)
{
    static void *arena = aligned_alloc(64, 1 << 20);
    command_thread_init(arena, 1 << 20);
    std::string json = "{\"op\":\"subscribe\",\"id\":1,\"symbols\":[\"AAPL\"";
    for (int64_t i = 1; i < state.range(0); i++) json += ",\"S" + std::to_string(i) + "\"";
    json += "],\"kinds\":[\"trade\",\"quote\"],\"policy\":\"conflate\",\"rate\":20}";
    command c;
    command_error err;
    for (auto _ : state)
        if (command_parse(json.data(), json.size(), &c, &err) != 0) abort();
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(json.size()));
}
BENCHMARK(command_json)->Arg(1)->Arg(4000);
