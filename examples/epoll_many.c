/* Many streams on one client in one thread, by chatgptt_step(), chatgptt_want() and epoll (Linux). The answers
   are read and counted; the last line of output tells the rates.

       epoll_many [--url URL] STREAMS [MESSAGE]

   A loop that keeps registrations has two rules. When want.generation differs from the last one, descriptors
   were opened, closed or handed over: what was registered is forgotten and what is wanted registered anew, for
   the same number may by now be another socket. And the descriptors are taken out before chatgptt_finish(),
   which may hand the connection to another stream. epoll forgets a closed descriptor by itself, so a removal
   or a change that fails is no fault. */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

typedef struct chat {
    chatgptt_stream *stream;                    /* NULL: it has ended */
    chatgptt_wait known;                        /* what is registered */
    long long due;                              /* when to step() even if no descriptor is ready; -1: never */
} chat;

static struct { size_t deltas, bytes, wakeups; int running, done, failed; } total;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A chat's index comes back with its events, not its address: an event may be older than the chat's end. */
static void control(int epoll, int operation, int fd, unsigned wanted, size_t index)
{
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = (wanted & CHATGPTT_READ ? EPOLLIN : 0u) | (wanted & CHATGPTT_WRITE ? EPOLLOUT : 0u);
    event.data.u64 = index;
    epoll_ctl(epoll, operation, fd, &event);
}

/* Brings the registrations in line with what the stream wants now. */
static void watch(int epoll, chat *c, size_t index)
{
    chatgptt_wait want = chatgptt_want(c->stream), *old = &c->known;
    bool anew = want.generation != old->generation || want.count != old->count;
    int i;
    for (i = 0; anew && i < old->count; i++) control(epoll, EPOLL_CTL_DEL, old->on[i].fd, 0, index);
    for (i = 0; i < want.count; i++) {
        bool same = !anew && want.on[i].fd == old->on[i].fd;
        if (same && want.on[i].events == old->on[i].events) continue;
        control(epoll, same ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, want.on[i].fd, want.on[i].events, index);
    }
    c->known = want;
    c->due = want.timeout_ms < 0 ? -1 : now_ms() + want.timeout_ms;
}

static void end(int epoll, chat *c, chatgptt_code code)
{
    int i;
    if (code == CHATGPTT_DONE) total.done++;
    else fprintf(stderr, "%s: %s\n", chatgptt_code_name(code), chatgptt_stream_error(c->stream)->message);
    total.failed += code != CHATGPTT_DONE;
    total.running--;
    for (i = 0; i < c->known.count; i++) control(epoll, EPOLL_CTL_DEL, c->known.on[i].fd, 0, 0);
    chatgptt_finish(c->stream);
    c->stream = NULL;
}

/* Takes all there is: only AGAIN says that the stream has to wait. */
static void work(int epoll, chat *c, size_t index)
{
    chatgptt_event event;
    chatgptt_code code;
    if (!c->stream) return;
    while ((code = chatgptt_step(c->stream, &event)) == CHATGPTT_OK) {
        if (event.kind != CHATGPTT_TEXT) continue;
        total.deltas++;
        total.bytes += event.len;
    }
    if (code == CHATGPTT_AGAIN) watch(epoll, c, index);
    else                        end(epoll, c, code);
}

/* Until the first of all times. A program with very many streams keeps them in a heap. */
static int sleep_ms(const chat *chats, size_t count)
{
    long long now = now_ms(), first = -1;
    size_t i;
    for (i = 0; i < count; i++)
        if (chats[i].stream && chats[i].due >= 0 && (first < 0 || chats[i].due < first)) first = chats[i].due;
    return first < 0 ? -1 : first <= now ? 0 : (int)(first - now);
}

static void loop(int epoll, chat *chats, size_t count)
{
    struct epoll_event ready[256];
    size_t i;
    while (total.running) {
        int n = epoll_wait(epoll, ready, 256, sleep_ms(chats, count)), k;
        long long now = now_ms();
        total.wakeups++;
        for (k = 0; k < n; k++) work(epoll, &chats[ready[k].data.u64], (size_t)ready[k].data.u64);
        for (i = 0; i < count; i++)
            if (chats[i].stream && chats[i].due >= 0 && chats[i].due <= now) work(epoll, &chats[i], i);
    }
}

static void report(size_t count, long long wall)
{
    struct rusage used;
    long long user, system;
    getrusage(RUSAGE_SELF, &used);
    user = (long long)used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000;
    system = (long long)used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000;
    printf("streams=%zu done=%d deltas=%zu bytes=%zu wakeups=%zu wall_ms=%lld user_ms=%lld system_ms=%lld "
           "deltas_per_s=%.0f us_per_delta=%.2f\n", count, total.done, total.deltas, total.bytes, total.wakeups,
           wall, user, system, (double)total.deltas * 1000 / (double)(wall ? wall : 1),
           (double)(user + system) * 1000 / (double)(total.deltas ? total.deltas : 1));
}

int main(int argc, char **argv)
{
    chatgptt_options options;
    chatgptt_request request;
    chatgptt_error error;
    chatgptt_client *client;
    struct rlimit files;
    long long start = now_ms();
    size_t count, i;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    chat *chats;
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    ...
}
