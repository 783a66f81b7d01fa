/* LD_PRELOAD for one process: something goes wrong at its Nth change to a file system.
 *
 * CHAOS_FAULT is "WHAT N": kill (SIGKILL before it), full (ENOSPC from then on), half (half of that write, then ENOSPC), once (ENOSPC
 * that one time), eio (EIO from then on). CHAOS_COUNT, a path, gets a line "N call path" for each change. Both are taken out of the
 * environment, with LD_PRELOAD, so that no child has them. Only changes below CHAOS_BELOW count.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char what[8], below[4096];
static int wanted, seen, failing, counting = -1;

__attribute__((constructor)) static void begin(void) {
    const char *fault = getenv("CHAOS_FAULT"), *place = getenv("CHAOS_BELOW"), *count = getenv("CHAOS_COUNT");
    if (fault) sscanf(fault, "%7s %d", what, &wanted);
    if (place) strncpy(below, place, sizeof below - 1);
    if (count) counting = open(count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    unsetenv("CHAOS_FAULT"); unsetenv("CHAOS_BELOW"); unsetenv("CHAOS_COUNT"); unsetenv("LD_PRELOAD");
}

static int is_ours(int dir, const char *name, char *path) {
    char link[64];
    ssize_t n = 0;
    if (name && name[0] == '/') n = snprintf(path, 4096, "%s", name);
    else {
        if (dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        n = readlink(link, path, 4000);
        if (n < 0) return 0;
        path[n] = 0;
        if (name) snprintf(path + n, 4096 - n, "/%.90s", name);
    }
    return below[0] && !strncmp(path, below, strlen(below));
}

/* 0: go on; 1: fail with errno; 2: write half of it */
static int step(const char *call, int dir, const char *name) {
    char path[4200];
    int kept = errno;
    if (!is_ours(dir, name, path)) { errno = kept; return 0; }
    seen++;
    if (counting >= 0) dprintf(counting, "%d %s %s\n", seen, call, path);
    errno = kept;
    if (!wanted || seen < wanted) return 0;
    if (!strcmp(what, "kill")) { kill(getpid(), SIGKILL); for (;;) pause(); }
    if (!strcmp(what, "once")) { if (seen > wanted) return 0; errno = ENOSPC; return 1; }
    if (!strcmp(what, "half") && !failing) { failing = 1; if (!strcmp(call, "write")) return 2; }
    errno = strcmp(what, "eio") ? ENOSPC : EIO;
    return 1;
}

#define REAL(name, ...) static int (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t); if (!real) real = dlsym(RTLD_NEXT, "write");
    struct stat facts; int n = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? step("write", fd, NULL) : 0;
    if (n == 1) return -1;
    return real(fd, data, n == 2 && size > 1 ? size / 2 : size);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t); if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    int n = step("write", fd, NULL);
    if (n == 1) return -1;
    return real(fd, data, n == 2 && size > 1 ? size / 2 : size, at);
}
static int makes(int flags) { return (flags & O_CREAT) || (flags & O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE; }
static int opened(int dir, const char *path, int flags, mode_t mode) {
    static int (*real)(int, const char *, int, mode_t); if (!real) real = dlsym(RTLD_NEXT, "openat64");
    if (makes(flags) && step("open", dir, path)) return -1;
    return real(dir, path, flags, mode);
}
#define MODE(flags) mode_t mode = 0; if (makes(flags)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }

int rename(const char *from, const char *to) {
    REAL("rename", const char *, const char *);
    return step("rename", AT_FDCWD, to) ? -1 : real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL("renameat", int, const char *, int, const char *);
    return step("rename", b, to) ? -1 : real(a, from, b, to);
}
int link(const char *from, const char *to) {
    REAL("link", const char *, const char *);
    return step("link", AT_FDCWD, to) ? -1 : real(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL("linkat", int, const char *, int, const char *, int);
    return step("link", b, to) ? -1 : real(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) {
    REAL("mkdir", const char *, mode_t);
    return step("mkdir", AT_FDCWD, path) ? -1 : real(path, mode);
}
int mkdirat(int dir, const char *path, mode_t mode) {
    REAL("mkdirat", int, const char *, mode_t);
    return step("mkdir", dir, path) ? -1 : real(dir, path, mode);
}
/* removing needs no room: only a kill comes in its way */
static int removes(int dir, const char *path) {
    return !strcmp(what, "kill") || !what[0] ? step("unlink", dir, path) : 0;
}
int unlink(const char *path) {
    REAL("unlink", const char *);
    return removes(AT_FDCWD, path) ? -1 : real(path);
}
int unlinkat(int dir, const char *path, int flags) {
    REAL("unlinkat", int, const char *, int);
    return removes(dir, path) ? -1 : real(dir, path, flags);
}
int rmdir(const char *path) {
    REAL("rmdir", const char *);
    return removes(AT_FDCWD, path) ? -1 : real(path);
}
int ftruncate64(int fd, off_t size) {
    REAL("ftruncate64", int, off_t);
    return removes(fd, NULL) ? -1 : real(fd, size);
}
int fsync(int fd) {
    REAL("fsync", int);
    return step("fsync", fd, NULL) ? -1 : real(fd);
}
