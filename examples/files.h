/* files.h - how chatgptt.c keeps files: whole, private, where links lead. */
#ifndef FILES_H
#define FILES_H

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void text_set(text *t, const char *bytes, size_t len)
{
    t->len = 0;
    text_add(t, bytes, len);
}

/* 0, or errno; EINTR only if the user interrupted: `interrupts` is raised by Ctrl-C. */
static int read_all(int fd, text *into, const volatile sig_atomic_t *interrupts)
{
    char block[4096];
    text_set(into, "", 0);
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n == 0) return 0;
        if (n > 0) text_add(into, block, (size_t)n);
        else if (errno != EINTR || *interrupts) return errno;
    }
}

/* Only a regular file, or none: a fifo is not waited for, a device not read, nothing of them replaced. */
static const char *read_file(const char *path, text *into, const volatile sig_atomic_t *interrupts)
{
    struct stat is;
    text_set(into, "", 0);
    int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK), failed = fd < 0 ? errno : 0;
    if (!failed && fstat(fd, &is) < 0) failed = errno;
    bool regular = !failed && S_ISREG(is.st_mode);
    if (regular) failed = read_all(fd, into, interrupts);
    if (fd >= 0) close(fd);
    if (failed && failed != ENOENT) return strerror(failed);
    return failed || regular ? NULL : "it is no regular file";
}

/* The file that a path leads to over symbolic links, be it there or not. 0, or errno. */
static int follow_links(const char *path, text *target)
{
    char link[PATH_MAX];
    text_set(target, path, strlen(path));
    for (int i = 0; i < 40; i++) {
        ssize_t n = readlink(target->bytes, link, sizeof link);
        if (n < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno;
        if ((size_t)n == sizeof link) return ENAMETOOLONG;
        const char *slash = link[0] == '/' ? NULL : strrchr(target->bytes, '/');
        target->len = slash ? (size_t)(slash - target->bytes) + 1 : 0;
        text_add(target, link, (size_t)n);
    }
    return ELOOP;
}

static int write_new_file(const char *path, const text *bytes)
{
    size_t done = 0;
    int failed = 0, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, 0600);
    if (fd < 0) return errno;
    while (!failed && done < bytes->len) {
        ssize_t n = write(fd, bytes->bytes + done, bytes->len - done);
        if (n > 0) done += (size_t)n;
        else if (n == 0 || errno != EINTR) failed = n == 0 ? ENOSPC : errno;
    }
    if (!failed && fsync(fd) < 0) failed = errno;
    if (close(fd) < 0 && !failed) failed = errno;
    if (failed) unlink(path);
    return failed;
}

/* A whole file under another name in the same directory, then renamed: a crash leaves the old one or the new
   one. NULL, or why it was not written. */
static const char *replace_file(const char *path, const text *bytes)
{
    text target = { 0 }, name = { 0 };
    struct stat is;
    char suffix[32];
    int failed = follow_links(path, &target);
    bool regular = stat(target.bytes, &is) < 0 || S_ISREG(is.st_mode);
    snprintf(suffix, sizeof suffix, ".%ld.tmp", (long)getpid());
    text_puts(&name, target.bytes);
    text_puts(&name, suffix);
    if (!failed && regular) {
        unlink(name.bytes);                     /* left by a crashed program that had our number */
        failed = write_new_file(name.bytes, bytes);
        if (!failed && rename(name.bytes, target.bytes) < 0) {
            failed = errno;
            unlink(name.bytes);
        }
    }
    free(target.bytes);
    free(name.bytes);
    return failed ? strerror(failed) : regular ? NULL : "it is no regular file";
}

#endif
