/* many_run.h - runs of clients against the site of many_site.h: each client in a process of its own, so that
   its CPU time is its own; under ptrace() its system calls are counted, under callgrind its instructions. No
   run leaves a process behind: the site ends when its pipe does, a client that hangs by its alarm. */
#ifndef MANY_RUN_H
#define MANY_RUN_H

#include "many_site.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MANY_SECONDS = 60 };                 /* that one run may take */

/* As many descriptors as this process and its children may have; how many streams they suffice for. */
static inline long many_sockets(void)
{
    struct rlimit limit;
    bench_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    bench_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    return limit.rlim_cur > 1 << 20 ? 1 << 20 : (long)limit.rlim_cur - 64;
}

static inline many_run *many_map(int fd)
{
    void *at = mmap(NULL, sizeof(many_run), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    bench_must(at != MAP_FAILED, "mmap");
    return (many_run *)at;
}

/* The memory that all share, as a file, since a program under callgrind is started anew. */
static inline int many_file(void)
{
    FILE *file = tmpfile();
    bench_must(file && ftruncate(fileno(file), sizeof(many_run)) == 0, "no temporary file");
    return fileno(file);
}

/* ---- the client's side ---- */

/* Microseconds of CPU of this process, user and system. */
static inline double many_cpu(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* Ends a phase: its CPU time is noted. */
static inline void many_phase_is(many_run *run, many_phase next)
{
    static double begun;
    double now = many_cpu();
    run->us[run->phase] += now - begun;
    begun = now;
    run->phase = (int)next;
}

/* ---- the bench's side ---- */

typedef struct many_children { pid_t site, client; int pipe; } many_children;

static inline int many_listen(many_run *run)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench_must(s >= 0 && bind(s, (struct sockaddr *)&address, len) == 0 && listen(s, 4096) == 0 &&
                   getsockname(s, (struct sockaddr *)&address, &len) == 0,
               "no loopback");
    run->port = ntohs(address.sin_port);
    return s;
}

/* A site of its own for each run: no run meets the ports that the last one left in TIME_WAIT. */
static inline void many_start_site(many_run *run, many_children *c)
{
    int ends[2], listener = many_listen(run);
    bench_must(pipe(ends) == 0, "pipe");
    fflush(stdout);
    c->site = fork();
    if (c->site == 0) {
        close(ends[1]);
        many_serve(run, listener, ends[0]);
    }
    bench_must(c->site > 0, "fork");
    close(listener);
    close(ends[0]);
    c->pipe = ends[1];
    fcntl(c->pipe, F_SETFD, FD_CLOEXEC);
}

static inline void many_stop_site(const many_children *c)
{
    close(c->pipe);
    waitpid(c->site, NULL, 0);
}

/* What no stream asks for: what the loop sleeps in, one for many, its CPU time, and pages for malloc. */
static inline bool many_is_overhead(unsigned long long call)
{
    static const long calls[] = { SYS_epoll_pwait, SYS_getrusage, SYS_brk, SYS_munmap, SYS_mremap,
                                  SYS_madvise,
#ifdef SYS_epoll_wait
                                  SYS_epoll_wait,
#endif
#ifdef SYS_mmap
                                  SYS_mmap
#endif
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (call == (unsigned long long)calls[i]) return true;
    return false;
}

/* A call of the client, at its entry. */
static inline void many_count_call(many_run *run, pid_t client)
{
    struct __ptrace_syscall_info info;
    long got = ptrace(PTRACE_GET_SYSCALL_INFO, client, (void *)sizeof info, &info);
    bench_must(got > 0, "ptrace does not tell of system calls");
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || many_is_overhead(info.entry.nr)) return;
    run->calls[run->phase]++;
    run->reads[run->phase] +=
        info.entry.nr == SYS_recvfrom || info.entry.nr == SYS_recvmsg || info.entry.nr == SYS_read;
}

static inline void many_trace(many_run *run, pid_t client, int *status)
{
    bench_must(waitpid(client, status, 0) == client && WIFSTOPPED(*status), "no trace");
    ptrace(PTRACE_SETOPTIONS, client, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (int with = 0; WIFSTOPPED(*status); waitpid(client, status, 0)) {
        bool call = WSTOPSIG(*status) == (SIGTRAP | 0x80);
        with = call || WSTOPSIG(*status) == SIGSTOP ? 0 : WSTOPSIG(*status);
        if (call) many_count_call(run, client);
        ptrace(PTRACE_SYSCALL, client, NULL, (void *)(size_t)with);
    }
}

typedef void many_client_fn(many_run *run);

/* Against a site of its own, to its end; traced: with its system calls counted. */
static inline void many_measure(many_run *run, many_client_fn *client, bool traced)
{
    many_children c;
    int status = -1;
    many_start_site(run, &c);
    c.client = fork();
    if (c.client == 0) {
        close(c.pipe);
        alarm(MANY_SECONDS);
        if (traced) bench_must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0, "no trace");
        client(run);
        _exit(0);
    }
    if (traced) many_trace(run, c.client, &status);
    else waitpid(c.client, &status, 0);
    many_stop_site(&c);
    bench_must(c.client > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0, "a client failed");
}

/* What callgrind wrote: all instructions; 0: nothing. */
static inline double many_total(const char *path)
{
    char line[200];
    double total = 0;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "summary: ", 9) == 0 || strncmp(line, "totals: ", 8) == 0)
            total = strtod(strchr(line, ' '), NULL);
    if (file) fclose(file);
    remove(path);
    return total;
}

/* Instructions of `program --client NAME`; 0: there is no valgrind, or it failed. */
static inline double many_instructions(many_run *run, int fd, const char *program, const char *name)
{
    char out[4096], option[4200], file[12];
    many_children c;
    int status = -1;
    snprintf(out, sizeof out, "%s.callgrind", program);
    snprintf(option, sizeof option, "--callgrind-out-file=%s", out);
    snprintf(file, sizeof file, "%d", fd);
    many_start_site(run, &c);
    c.client = fork();
    if (c.client == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(126);
        alarm(MANY_SECONDS);
        execlp("valgrind", "valgrind", "-q", "--tool=callgrind", option, program, "--client", name, file,
               (char *)NULL);
        _exit(127);
    }
    waitpid(c.client, &status, 0);
    many_stop_site(&c);
    double total = many_total(out);
    return status == 0 ? total : 0;
}

#endif
