/* Where the default administration socket lies, so that `tickcast top` finds it without being told. A folder
 * of the user's own, a name by the served port: two servers at once have two sockets. Thread: any; cold. */
#include "admin/admin.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STALE_SECONDS 10 /* a younger one that refuses may be a server between bind and listen */

static int make_folder(const char *path, struct fault *fault);
static bool folder_trusted(const char *path);
static void remove_stale(const char *folder);
static bool is_socket_name(const char *name);
static bool answers(const char *path, int *error);

bool admin_socket_folder(uint32_t i, char *out, size_t size)
{
    const char *systemd = getenv("RUNTIME_DIRECTORY"), *xdg = getenv("XDG_RUNTIME_DIR");
    if (systemd && systemd[0] == '/' && i-- == 0) {
        snprintf(out, size, "%.*s", (int)strcspn(systemd, ":"), systemd);
        return true;
    }
    if (xdg && xdg[0] == '/' && i-- == 0) {
        snprintf(out, size, "%s/tickcast", xdg);
        return true;
    }
    if (i > 0) return false;
    if (geteuid() == 0)
        snprintf(out, size, "/run/tickcast");
    else
        snprintf(out, size, "/tmp/tickcast-%u", (unsigned)geteuid());
    return true;
}

int admin_socket_default(uint32_t port, char *out, size_t size, struct fault *fault)
{
    char folder[512];
    admin_socket_folder(0, folder, sizeof folder);
    int r = make_folder(folder, fault);
    if (r < 0) return r;
    remove_stale(folder);
    int n = snprintf(out, size, "unix:%s/admin-%u.sock", folder, port);
    if (n > 0 && (size_t)n < size && (size_t)n - strlen("unix:") < ADMIN_PATH_MAX) return TC_OK;
    return fault_set(fault, TC_ESYSTEM, "%.100s: too long a path for a socket; give --admin-listen unix:PATH",
                     folder);
}

/* Of this user alone: in a folder of another's making the socket could be exchanged. */
static int make_folder(const char *path, struct fault *fault)
{
    if (mkdir(path, 0700) == 0) return TC_OK;
    struct stat st;
    if (errno != EEXIST || lstat(path, &st) < 0)
        return fault_errno(fault, "%.200s: cannot be made; give --admin-listen unix:PATH or none", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return TC_OK;
    return fault_set(fault, TC_ESYSTEM,
                     "%.200s: is not a folder that this user alone may write; remove it, or give "
                     "--admin-listen unix:PATH",
                     path);
}

static void remove_stale(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d) return;
    struct dirent *e;
    int64_t now = (int64_t)(clock_real_ns() / NS_PER_SECOND);
    while ((e = readdir(d)) != NULL) {
        char path[768];
        struct stat st;
        int error;
        if (!is_socket_name(e->d_name)) continue;
        snprintf(path, sizeof path, "%.500s/%.255s", folder, e->d_name);
        if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || now - st.st_mtime < STALE_SECONDS) continue;
        if (!answers(path, &error) && error == ECONNREFUSED) unlink(path);
    }
    closedir(d);
}

static bool is_socket_name(const char *name)
{
    size_t size = strlen(name);
    return strncmp(name, "admin-", 6) == 0 && size > 11 && strcmp(name + size - 5, ".sock") == 0;
}

static bool answers(const char *path, int *error)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    *error = 0;
    size_t size = strlen(path) + 1;
    if (size > sizeof a.sun_path) return false;
    memcpy(a.sun_path, path, size);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    *error = ok ? 0 : errno;
    close(fd);
    return ok;
}

uint32_t admin_socket_find(char (*out)[ADMIN_PATH_MAX], uint32_t max)
{
    uint32_t count = 0;
    char folder[512];
    for (uint32_t i = 0; count == 0 && admin_socket_folder(i, folder, sizeof folder); i++) {
        DIR *d = folder_trusted(folder) ? opendir(folder) : NULL;
        struct dirent *e;
        while (d && (e = readdir(d)) != NULL) {
            char path[768];
            int error;
            if (!is_socket_name(e->d_name)) continue;
            int n = snprintf(path, sizeof path, "%.500s/%.255s", folder, e->d_name);
            if (n + 5 >= (int)ADMIN_PATH_MAX) continue;
            if (!answers(path, &error)) continue;
            if (count < max) snprintf(out[count], ADMIN_PATH_MAX, "unix:%.100s", path);
            count++;
        }
        if (d) closedir(d);
    }
    return count;
}

/* A token must not go to a socket of another plain user's making. */
static bool folder_trusted(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode)) return false;
    return st.st_uid == geteuid() || st.st_uid == 0 || geteuid() == 0;
}
