/* Many streams on one client in one thread, by chatgptt_step(), chatgptt_want() and epoll (Linux). All
   answers are counted; a line tells the rates, CPU time and all. A stream is a connection: see ulimit -n.

       epoll_many [--url URL] STREAMS [MESSAGE]

   A loop that keeps registrations has two rules. When want.generation differs from the last one, descriptors
   were opened, closed or handed over: what is registered is forgotten, what is wanted registered anew, for
   the same number may by now be another socket. And descriptors are taken out before chatgptt_finish(), which
   may hand the connection to another stream. epoll itself forgets what is closed: a removal may fail. */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

typedef struct chat {
    chatgptt_stream *stream;                    /* NULL: it has ended */
    chatgptt_wait known;                        /* what is registered */
    long long due;                              /* when to step() even if no descriptor is ready; -1: never */
} chat;

static struct { size_t deltas, bytes, wakeups, running, done; } total;

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
    for (i = 0; i < want.count; i++)
        if (anew || want.on[i].events != old->on[i].events)
            control(epoll, anew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, want.on[i].fd, want.on[i].events, index);
    c->known = want;
    c->due = want.timeout_ms < 0 ? -1 : now_ms() + want.timeout_ms;
}

static void end(int epoll, chat *c, chatgptt_code code)
{
    int i;
    if (code != CHATGPTT_DONE)
        fprintf(stderr, "%s: %s\n", chatgptt_code_name(code), chatgptt_stream_error(c->stream)->message);
    total.done += code == CHATGPTT_DONE;
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
    while ((code = chatgptt_step(c->stream, &event)) == CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT) total.deltas++, total.bytes += event.len;
    if (code == CHATGPTT_AGAIN) watch(epoll, c, index);
    else                        end(epoll, c, code);
}

/* Until the first of all times; a heap of them would not look at each. */
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
    double cpu = (double)clock() * 1000 / CLOCKS_PER_SEC, deltas = total.deltas ? (double)total.deltas : 1;
    printf("streams=%zu done=%zu deltas=%zu bytes=%zu wakeups=%zu wall_ms=%lld cpu_ms=%.0f deltas_per_s=%.0f "
           "cpu_us_per_delta=%.2f\n", count, total.done, total.deltas, total.bytes, total.wakeups, wall, cpu,
           deltas * 1000 / (double)(wall ? wall : 1), cpu * 1000 / deltas);
}

static void start(chatgptt_client *client, int epoll, chat *chats, size_t count, const char *message)
{
    chatgptt_request request;
    size_t i;
    memset(&request, 0, sizeof request);
    request.prompt = message;
    for (i = 0; i < count && (chats[i].stream = chatgptt_start(client, &request)) != NULL; i++) {
        total.running++;
        work(epoll, &chats[i], i);              /* the first step; what it then waits for is registered */
    }
    if (i < count) fprintf(stderr, "%s\n", chatgptt_client_error(client)->message);
}

int main(int argc, char **argv)
{
    int at = argc > 2 && strcmp(argv[1], "--url") == 0 ? 3 : 1, epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t count = at < argc ? (size_t)strtoul(argv[at], NULL, 10) : 0;
    chat *chats = (chat *)calloc(count ? count : 1, sizeof *chats);
    long long begun = now_ms();
    chatgptt_options options;
    chatgptt_error error;
    chatgptt_client *client;
    if (!count || argc > at + 2 || !chats || epoll < 0)
        return fprintf(stderr, "usage: epoll_many [--url URL] STREAMS [MESSAGE]\n"), 2;
    memset(&options, 0, sizeof options);
    options.url = at == 3 ? argv[2] : NULL;         /* NULL: the default */
    client = chatgptt_open(&options, &error);
    if (!client) return fprintf(stderr, "%s: %s\n", chatgptt_code_name(error.code), error.message), 1;
    start(client, epoll, chats, count, at + 1 < argc ? argv[at + 1] : "hello");
    loop(epoll, chats, count);
    report(count, now_ms() - begun);
    chatgptt_close(client);
    free(chats);
    return total.done < count;
}
