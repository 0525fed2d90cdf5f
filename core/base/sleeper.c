#include "base/sleeper.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int sleeper_open(struct sleeper *s)
{
    atomic_init(&s->asleep, 0);
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s->event_fd < 0 ? -errno : 0;
}

void sleeper_close(struct sleeper *s)
{
    if (s->event_fd >= 0) close(s->event_fd);
    s->event_fd = -1;
}

void sleeper_wake_slow(struct sleeper *s)
{
    if (!atomic_exchange_explicit(&s->asleep, 0, memory_order_seq_cst)) return; /* another waker was first */
    uint64_t one = 1;
    ssize_t ignored = write(s->event_fd, &one, sizeof one); /* EAGAIN: the counter is full of wake-ups */
    (void)ignored;
}

void sleeper_wait(struct sleeper *s, uint64_t wait_ns)
{
    struct timespec t = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                         .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
    struct pollfd p = {.fd = s->event_fd, .events = POLLIN};
    if (ppoll(&p, 1, &t, NULL) > 0) {
        uint64_t count;
        ssize_t ignored = read(s->event_fd, &count, sizeof count);
        (void)ignored;
    }
    sleeper_cancel(s);
}
