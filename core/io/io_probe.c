/* io/io_probe.c -- what the kernel's io_uring can do here, found by doing it once with a tiny ring: accept,
 * receive and send as io_uring_open will need them. Never from a version number: containers and backports
 * lie. */
#include "io/io_uring_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PROBE_BUFFERS      4u
#define PROBE_BUFFER_BYTES 64u
#define PROBE_WAIT_S       2

struct probe {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    int listener, client, accepted, pair[2];
};

static int probe_all(struct probe *p, struct io_probe *out);
static int probe_buffers(struct probe *p);
static int probe_accept(struct probe *p);
static int probe_receive(struct probe *p);
static int probe_send_skips(struct probe *p);
static int next(struct probe *p, struct io_uring_cqe *out);
static int missing(struct io_probe *out, const char *what, int err);
static void probe_extras(struct probe *p, struct io_probe *out);

void io_probe(struct io_probe *out)
{
    *out = (struct io_probe){.uring = false};
    struct probe p = {.listener = -1, .client = -1, .accepted = -1, .pair = {-1, -1}};
    struct io_uring_params params = {.flags = URING_SETUP_FLAGS, .cq_entries = 16};
    int err = io_uring_queue_init_params(4, &p.ring, &params);
    if (err != 0) {
        missing(out, "a ring with single_issuer and defer_taskrun", -err);
        return;
    }
    if (probe_all(&p, out) == 0) {
        out->uring = true;
        probe_extras(&p, out);
    }
    int fds[] = {p.listener, p.client, p.accepted, p.pair[0], p.pair[1]};
    io_uring_queue_exit(&p.ring);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0) close(fds[i]);
    if (p.buffers) munmap(p.buffers, 4096);
}

static int probe_all(struct probe *p, struct io_probe *out)
{
    int err;
    if (!(p->ring.features & IORING_FEAT_EXT_ARG))
        return missing(out, "a wait with a time limit (ext_arg)", EINVAL);
    if (!(p->ring.features & IORING_FEAT_NODROP))
        return missing(out, "completions that are never dropped", EINVAL);
    if ((err = probe_buffers(p)) != 0) return missing(out, "a ring of receive buffers", err);
    if ((err = probe_accept(p)) != 0) return missing(out, "multishot accept", err);
    if ((err = probe_receive(p)) != 0) return missing(out, "multishot receive", err);
    if ((err = probe_send_skips(p)) != 0) return missing(out, "sends without completion (cqe_skip)", err);
    return 0;
}

/* Each returns 0 or an errno. */
static int probe_buffers(struct probe *p)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return errno;
    p->buffers = at;
    struct io_uring_buf_reg reg = {.ring_addr = (uint64_t)(uintptr_t)at, .ring_entries = PROBE_BUFFERS};
    int err = io_uring_register_buf_ring(&p->ring, &reg, 0);
    if (err != 0) return -err;
    uint8_t *bytes = (uint8_t *)at + 2048; /* the ring's own entries take the first 64 bytes of the page */
    io_uring_buf_ring_init(p->buffers);
    for (uint32_t i = 0; i < PROBE_BUFFERS; i++)
        io_uring_buf_ring_add(p->buffers, bytes + i * PROBE_BUFFER_BYTES, PROBE_BUFFER_BYTES,
                              (unsigned short)i, io_uring_buf_ring_mask(PROBE_BUFFERS), (int)i);
    io_uring_buf_ring_advance(p->buffers, (int)PROBE_BUFFERS);
    return 0;
}

static int probe_accept(struct probe *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX}; /* no name: the kernel gives a free abstract one */
    socklen_t size = sizeof a;
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->listener < 0 || p->client < 0) return errno;
    if (bind(p->listener, (struct sockaddr *)&a, sizeof a.sun_family) != 0 || listen(p->listener, 1) != 0)
        return errno;
    if (getsockname(p->listener, (struct sockaddr *)&a, &size) != 0) return errno;
    if (connect(p->client, (struct sockaddr *)&a, size) != 0) return errno;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&p->ring);
    io_uring_prep_multishot_accept(sqe, p->listener, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = tag_pack(TAG_ACCEPT, 0, 0);
    struct io_uring_cqe cqe;
    int err = next(p, &cqe);
    if (err != 0) return err;
    if (cqe.res < 0) return -cqe.res;
    p->accepted = cqe.res;
    return cqe.flags & IORING_CQE_F_MORE ? 0 : EINVAL;
}

static int probe_receive(struct probe *p)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->pair) != 0) return errno;
    if (write(p->pair[1], "x", 1) != 1) return errno;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&p->ring);
    io_uring_prep_recv_multishot(sqe, p->pair[0], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->user_data = tag_pack(TAG_RECEIVE, 0, 0);
    struct io_uring_cqe cqe;
    int err = next(p, &cqe);
    if (err != 0) return err;
    if (cqe.res < 0) return -cqe.res;
    return (cqe.flags & IORING_CQE_F_MORE) && (cqe.flags & IORING_CQE_F_BUFFER) ? 0 : EINVAL;
}

static int probe_send_skips(struct probe *p)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&p->ring);
    io_uring_prep_send(sqe, p->pair[0], "y", 1, URING_SEND_FLAGS);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = tag_pack(TAG_SEND, 0, 0);
    if (io_uring_submit_and_get_events(&p->ring) < 0) return EINVAL;
    struct io_uring_cqe *cqe;
    if (io_uring_peek_cqe(&p->ring, &cqe) == 0) return cqe->res < 0 ? -cqe->res : EINVAL;
    char byte;
    return recv(p->pair[1], &byte, 1, MSG_DONTWAIT) == 1 ? 0 : EINVAL;
}

static int next(struct probe *p, struct io_uring_cqe *out)
{
    struct __kernel_timespec limit = {.tv_sec = PROBE_WAIT_S};
    struct io_uring_cqe *cqe = NULL;
    int err = io_uring_submit_and_wait_timeout(&p->ring, &cqe, 1, &limit, NULL);
    if (err < 0 || !cqe) return err < 0 ? -err : ETIME;
    *out = *cqe;
    io_uring_cqe_seen(&p->ring, cqe);
    return 0;
}

static int missing(struct io_probe *out, const char *what, int err)
{
    char words[64];
    snprintf(out->missing, sizeof out->missing, "%s: %s; %s", what, strerror_r(err, words, sizeof words),
             uring_remedy(err));
    snprintf(out->summary, sizeof out->summary, "no io_uring");
    return -1;
}

static void probe_extras(struct probe *p, struct io_probe *out)
{
    out->uring_bundles = (p->ring.features & IORING_FEAT_RECVSEND_BUNDLE) != 0;
    struct io_uring_probe *known = io_uring_get_probe_ring(&p->ring);
    out->uring_send_zc = known && io_uring_opcode_supported(known, IORING_OP_SEND_ZC);
    io_uring_free_probe(known);
    snprintf(out->summary, sizeof out->summary,
             "single_issuer, defer_taskrun, cqe_skip, multishot accept and receive; bundles %s, send_zc %s "
             "(not used)",
             out->uring_bundles ? "yes" : "no", out->uring_send_zc ? "yes" : "no");
}

const char *uring_remedy(int err)
{
    switch (err) {
    case EPERM:
    case EACCES: return "allow it (seccomp, sysctl kernel.io_uring_disabled) or use --io epoll";
    case ENOSYS: return "it is not in this kernel or sandbox; use --io epoll";
    case ENOMEM: return "raise RLIMIT_MEMLOCK (LimitMEMLOCK=infinity) or use --io epoll";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (ulimit -n)";
    default: return "a kernel from 6.1 on has it; else use --io epoll";
    }
}
