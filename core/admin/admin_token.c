/* The token that opens administration: one line of a file, read once. Thread: main, at start. */
#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAKE "make one with `openssl rand -hex 32 > FILE; chmod 600 FILE`"

#define PATIENCE_MS 5000

static ssize_t read_all(int fd, char *out, size_t size);
static int check(const char *path, const char *where, const char *token, size_t size, struct fault *fault);

int admin_token_read(const char *path, const char *where, char out[ADMIN_TOKEN_MOST + 1], bool *others,
                     struct fault *fault)
{
    char bytes[ADMIN_TOKEN_MOST + 64];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int err = errno;
        if (fd >= 0) close(fd);
        return fault_set(fault, TC_EUSAGE, "%s %.200s: %s; %s", where, path, strerror(err),
                         err == ENOENT ? MAKE : "give a file that this user may read");
    }
    ssize_t got = S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) ? read_all(fd, bytes, sizeof bytes) : -1;
    close(fd);
    if (got < 0)
        return fault_set(fault, TC_EUSAGE, "%s %.200s: cannot be read; give a file with the token in it",
                         where, path);
    *others = S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    size_t size = (size_t)got;
    if (size == sizeof bytes)
        return fault_set(fault, TC_EUSAGE, "%s %.200s: longer than any token and its line end; %s", where,
                         path, MAKE);
    while (size > 0 && bytes[size - 1] && strchr(" \t\r\n", bytes[size - 1])) size--;
    int r = check(path, where, bytes, size, fault);
    if (r < 0) return r;
    memcpy(out, bytes, size);
    out[size] = 0;
    return TC_OK;
}

/* To the end, or until out is full; who writes to a FIFO has PATIENCE_MS for each piece. -1: neither. */
static ssize_t read_all(int fd, char *out, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t n = read(fd, out + used, size - used);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (n == 0) break;
        if (n > 0)
            used += (size_t)n;
        else if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, PATIENCE_MS) <= 0))
            return -1;
    }
    return (ssize_t)used;
}

static int check(const char *path, const char *where, const char *token, size_t size, struct fault *fault)
{
    if (size < ADMIN_TOKEN_LEAST || size > ADMIN_TOKEN_MOST)
        return fault_set(fault, TC_EUSAGE, "%s %.200s: the token has %s%zu characters; use %u to %u: %s",
                         where, path, size > ADMIN_TOKEN_MOST ? "at least " : "", size, ADMIN_TOKEN_LEAST,
                         ADMIN_TOKEN_MOST, MAKE);
    for (size_t i = 0; i < size; i++)
        if (token[i] <= ' ' || token[i] >= 127)
            return fault_set(fault, TC_EUSAGE,
                             "%s %.200s: character %zu is none that a token may have (visible ASCII, one "
                             "line); %s",
                             where, path, i + 1, MAKE);
    return TC_OK;
}
