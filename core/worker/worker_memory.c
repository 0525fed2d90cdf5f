/* worker/worker_memory.c -- how much memory there can ever be: the sizes that worker_create reserves, and
 * their sum over all workers.
 *
 * The kernel spreads connections as it likes, so each worker has room for all of them. What is small per
 * connection (its structure, its places in lists and queues) stays touched once it was, and counts for each
 * worker. Large blocks (rests, request heads) are in pools that give back what a crowd leaves behind:
 * together they hold what all connections need at the same time, and what each pool keeps warm. What has a
 * limit of its own (filters, messages in pieces, rests under --rest-memory) is divided among the workers. */
#include "worker/worker_internal.h"

#include "base/memory.h"
#include "tick/last_value.h"

#define MESSAGES_SHARE     16u /* one connection in so many may send a message in pieces at the same time */
#define FILTER_BYTES_LEAST (1u << 20)
#define INPUTS_SHARE       4u /* one block more for so many connections */
/* Before a pause takes hold, one peer may have filled every receive buffer: what is there must be kept. */
#define INPUTS_MORE_LEAST RECEIVE_BUFFERS

static bool rests_for_all(const struct settings *s);
static uint64_t worker_count(const struct settings *s);
static uint64_t pools_bytes(const struct settings *s, uint64_t in_use_most, uint64_t blocks_each,
                            size_t block_bytes);
static size_t io_bytes_most(const struct settings *s);

static uint64_t worker_count(const struct settings *s)
{
    return max_u64(s->workers, 1);
}

static bool rests_for_all(const struct settings *s)
{
    return s->rest_bytes == 0 || s->rest_bytes >= s->connections_max * FRAME_BYTES_MAX;
}

/* A connection has at most one rest: with room for all, none is ever refused one. */
uint32_t memory_rest_blocks(const struct settings *s)
{
    if (rests_for_all(s)) return (uint32_t)s->connections_max;
    return (uint32_t)max_u64(s->rest_bytes / worker_count(s) / FRAME_BYTES_MAX, 1);
}

uint32_t memory_http_blocks(const struct settings *s)
{
    return (uint32_t)s->connections_max / 4 + 1; /* decision 29 */
}

uint32_t memory_assembly_blocks(const struct settings *s)
{
    return (uint32_t)max_u64(s->connections_max / MESSAGES_SHARE / worker_count(s), 16);
}

/* The first block of a connection is never refused: who waits for his answer is not cut for what others hold.
 */
uint32_t memory_inputs_more(const struct settings *s)
{
    return (uint32_t)max_u64(s->connections_max / INPUTS_SHARE, INPUTS_MORE_LEAST);
}

size_t memory_assembly_bytes(const struct settings *s)
{
    return sizeof(struct assembly_head) + sizeof(struct ws_assembly) + s->message_bytes_max + 8;
}

size_t memory_filter_bytes(const struct settings *s)
{
    return max_u64(s->filter_bytes / worker_count(s), FILTER_BYTES_LEAST);
}

/* The largest single answer (a set of --max-rules rules, twice over: rules as notices want them, and the
 * text). */
uint32_t memory_arena_bytes(const struct settings *s)
{
    return (uint32_t)(ARENA_BYTES + (s->rules_max + COMMAND_SYMBOLS_MAX) * 512);
}

/* Of one pool a worker, which together have at most in_use_most blocks out at the same time. */
static uint64_t pools_bytes(const struct settings *s, uint64_t in_use_most, uint64_t blocks_each,
                            size_t block_bytes)
{
    uint64_t workers = worker_count(s);
    uint64_t blocks = min_u64(in_use_most + workers * pool_hot_blocks(block_bytes), workers * blocks_each);
    return blocks * memory_pages(block_bytes) + workers * blocks_each * sizeof(uint32_t);
}

/* A crowd comes in by parts, so small that two of each worker's are fewer than may be in their handshake: who
 * asked at once is never refused for those who asked with him. */
struct io_options worker_io_options(const struct settings *s)
{
    uint64_t handshakes = admission_unupgraded_max((uint32_t)s->connections_max);
    return (struct io_options){.slots = (uint32_t)s->connections_max,
                               .buffers = RECEIVE_BUFFERS,
                               .buffer_bytes = RECEIVE_BUFFER_BYTES,
                               .sends_max = FLUSH_ROOM,
                               .wake_fd = -1,
                               .accepts_max = (uint32_t)max_u64(1, handshakes / (2 * worker_count(s)))};
}

static size_t io_bytes_most(const struct settings *s)
{
    struct io_options o = worker_io_options(s);
    return max_u64(io_uring_bytes(&o), io_epoll_bytes(&o));
}

void memory_budget(const struct settings *s, size_t log_bytes, size_t admin_bytes, struct memory_budget *out)
{
    uint64_t workers = worker_count(s);
    size_t each = sizeof(struct worker) + memory_arena_bytes(s) + COMMAND_ARENA_BYTES +
                  s->symbols_max * sizeof(uint64_t) + ADMIN_HANDED * sizeof(struct admin_handed) +
                  last_value_bytes((uint32_t)s->symbols_max, (uint32_t)s->symbols_max * 4) +
                  groups_table_bytes((uint32_t)s->symbols_max, memory_filter_bytes(s)) +
                  trail_bytes((uint32_t)s->symbols_max) + (size_t)BODIES * METRICS_BYTES_MAX;
    if (s->deflate) each += sizeof(struct packing) + deflater_bytes() + s->message_bytes_max + 1;
    uint64_t rests = rests_for_all(s) ? s->connections_max : workers * memory_rest_blocks(s);
    uint64_t requests = memory_http_blocks(s), messages = memory_assembly_blocks(s);
    uint64_t more = memory_inputs_more(s);
    *out = (struct memory_budget){
        .log = log_bytes,
        .connections = workers * (s->connections_max * CONN_BYTES + io_bytes_most(s)) + admission_bytes(s),
        .rests = pools_bytes(s, rests, memory_rest_blocks(s), FRAME_BYTES_MAX),
        .requests = pools_bytes(s, requests, requests, HTTP_BLOCK_BYTES),
        .inputs = pools_bytes(s, s->connections_max + workers * more, s->connections_max + more,
                              sizeof(struct input_block)),
        .messages = pools_bytes(s, workers * messages, messages, memory_assembly_bytes(s)),
        .filters = workers * memory_filter_bytes(s),
        .workers = workers * each,
        .admin = admin_bytes,
    };
    out->total = out->log + out->connections + out->rests + out->requests + out->inputs + out->messages +
                 out->filters + out->workers + out->admin;
}

int memory_check(const struct settings *s, const struct memory_budget *b, struct fault *fault)
{
    if (s->memory_max == 0 || b->total <= s->memory_max) return TC_OK;
    return fault_set(fault, TC_EUSAGE,
                     "--max-memory: the limits allow %zu MiB: log %zu (--log-capacity), rests %zu"
                     " (--rest-memory), filters %zu (--filter-memory), messages %zu (--max-message),"
                     " connections %zu (--max-connections), workers %zu; lower one of these, or allow more",
                     (b->total >> 20) + 1, b->log >> 20, b->rests >> 20, b->filters >> 20, b->messages >> 20,
                     (b->connections + b->requests + b->inputs) >> 20, b->workers >> 20);
}
