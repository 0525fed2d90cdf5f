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
    struct pollfd own;
    sleeper_wait_with(s, &own, 1, wait_ns);
}

void sleeper_wait_with(struct sleeper *s, struct pollfd *fds, uint32_t count, uint64_t wait_ns)
{
    struct timespec t = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                         .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
    fds[0] = (struct pollfd){.fd = s->event_fd, .events = POLLIN};
    int ready = ppoll(fds, count, &t, NULL);
    if (ready < 0) /* a signal: nothing was looked at */
        for (uint32_t i = 0; i < count; i++) fds[i].revents = 0;
    if (ready > 0 && fds[0].revents != 0) {
        uint64_t wakes;
        ssize_t ignored = read(s->event_fd, &wakes, sizeof wakes);
        (void)ignored;
    }
    sleeper_cancel(s);
}
