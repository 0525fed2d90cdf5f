/* bench/micro/read_whole.h -- for benchmarks of file readers: a file in the page cache, read to its end. */
#ifndef TC_BENCH_READ_WHOLE_H
#define TC_BENCH_READ_WHOLE_H

#include <benchmark/benchmark.h>

extern "C" {
#include "feeds/reader_file.h"
}

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

/* A file of one's own, whose name ends as given (readers tell formats by it). */
inline std::string temporary_file(const char *name, const void *bytes, size_t size)
{
    std::string path = "/tmp/tickcast-bench-" + std::to_string(getpid()) + "-" + name;
    FILE *file = fopen(path.c_str(), "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) abort();
    return path;
}

/* Reads it once an iteration and removes it at the end. Items: its rows or records. */
inline void read_whole(benchmark::State &state, const std::string &path, size_t bytes, int64_t items)
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
    state.SetItemsProcessed(state.iterations() * items);
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
    unlink(path.c_str());
}

#endif
