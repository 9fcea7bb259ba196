/* many_site.h - the far side of many streams at once: a process of its own with one loop, on loopback. A GET
   has the page, a POST is a stream. When all streams have asked and the client says go, each gets the head,
   then its deltas, a send and a chunk each, the streams by turns and evenly spread over time: a client that
   keeps up meets one delta a read. What client and site tell each other stands in memory they share. */
#ifndef MANY_SITE_H
#define MANY_SITE_H

#include "bench.h"
#include "../request.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a client is doing; who traces it counts by these. */
typedef enum many_phase { MANY_OPENS, MANY_SETS_UP, MANY_STREAMS, MANY_ENDS, MANY_PHASES } many_phase;

/* How streams come: by turns; the same but without an end; or each at once, all in one send, after which the
   connection is kept or closed. */
typedef enum many_way { MANY_PACED, MANY_UNENDING, MANY_AT_ONCE, MANY_AT_ONCE_CLOSED } many_way;

typedef struct many_run {
    int streams, deltas, pace_us, port;     /* pace: from one delta to the next, over all streams */
    many_way way;
    volatile int asked, go, phase;          /* streams whose request is in; the site may answer; many_phase */
    /* what the client measured, microseconds of its own CPU and bytes of heap of all streams together */
    double us[MANY_PHASES], closing_us;
    long long heap_idle, heap_waiting, heap_streaming;
    long long deltas_in, bytes_in;
    /* what the tracer counted */
    long calls[MANY_PHASES], reads[MANY_PHASES];
} many_run;

#define MANY_NONCE "0123abcdef"
#define MANY_PAGE  "<div data-nonce=\"" MANY_NONCE "\" data-post-id=\"7\"></div>\n"
#define MANY_EVENT(delta, finish)                                                                      \
    "data: {\"id\":\"chatcmpl-5fUvWxYzAbCdEfGhIjKlMnOpQrStU\",\"object\":\"chat.completion.chunk\","    \
    "\"created\":1700000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\","         \
    "\"system_fingerprint\":\"fp_0123abcdef\",\"choices\":[{\"index\":0,\"delta\":" delta ","           \
    "\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"
#define MANY_ROLE  MANY_EVENT("{\"role\":\"assistant\"}", "null")
#define MANY_DELTA MANY_EVENT("{\"content\":\" word\"}", "null")
#define MANY_LAST  MANY_EVENT("{}", "\"stop\"") "data: [DONE]\n\n"

typedef struct many_visitor { int socket; size_t len; char bytes[4096]; } many_visitor;

typedef struct many_site {
    many_run *run;
    int epoll, *streams;                    /* their sockets, in the order they asked */
    double due_us;                          /* of the next send */
    long sent;
} many_site;

static inline void many_write(int socket, const char *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n)
        if ((n = send(socket, bytes, len, MSG_NOSIGNAL)) <= 0) return;      /* who left is not missed */
}

static inline size_t many_chunk(char *out, size_t size, const char *data)
{
    return (size_t)snprintf(out, size, "%zx\r\n%s\r\n", strlen(data), data);
}

static inline size_t many_head(const many_run *run, char *out, size_t size)
{
    size_t len = (size_t)snprintf(
        out, size,
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/event-stream; charset=UTF-8\r\n"
        "Transfer-Encoding: chunked\r\nConnection: %s\r\nX-Robots-Tag: noindex\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"
        "Cache-Control: no-cache\r\n\r\n",
        run->way == MANY_AT_ONCE_CLOSED ? "close" : "keep-alive");
    return len + many_chunk(out + len, size - len, MANY_ROLE);
}

static inline size_t many_last(char *out, size_t size)
{
    size_t len = many_chunk(out, size, MANY_LAST);
    return len + (size_t)snprintf(out + len, size - len, "0\r\n\r\n");
}

/* Round 0: head and role; then the deltas; then the end. */
static inline void many_send(const many_run *run, int socket, long round)
{
    char bytes[4096];
    size_t len = round == 0             ? many_head(run, bytes, sizeof bytes)
                 : round <= run->deltas ? many_chunk(bytes, sizeof bytes, MANY_DELTA)
                                        : many_last(bytes, sizeof bytes);
    many_write(socket, bytes, len);
}

static inline void many_send_all(const many_run *run, int socket)
{
    static char bytes[1 << 20];
    size_t len = many_head(run, bytes, sizeof bytes);
    for (int i = 0; i < run->deltas; i++) len += many_chunk(bytes + len, sizeof bytes - len, MANY_DELTA);
    len += many_last(bytes + len, sizeof bytes - len);
    many_write(socket, bytes, len);
    if (run->way == MANY_AT_ONCE_CLOSED) shutdown(socket, SHUT_WR);
}

/* All sends whose time has come. What a busy machine kept it from is not made up for at once. */
static inline void many_pace(many_site *s)
{
    const many_run *run = s->run;
    long all = (long)run->streams * (run->deltas + (run->way == MANY_UNENDING ? 1 : 2));
    double now = bench_now() * 1e3, late = 200.0 * run->pace_us;
    if (!run->go || run->asked < run->streams || run->way > MANY_UNENDING) return;
    if (s->sent == 0 || s->due_us < now - late) s->due_us = s->sent ? now - late : now;
    for (; s->sent < all && s->due_us <= now; s->sent++, s->due_us += run->pace_us)
        many_send(run, s->streams[s->sent % run->streams], s->sent / run->streams);
}

static inline void many_answer(many_site *s, const http_request *request, int socket)
{
    char page[400];
    many_run *run = s->run;
    if (memcmp(request->head, "GET ", 4) == 0)
        many_write(socket, page,
                   (size_t)snprintf(page, sizeof page,
                                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n"
                                    "Content-Length: %zu\r\n\r\n%s",
                                    sizeof MANY_PAGE - 1, MANY_PAGE));
    else if (run->asked < run->streams) {
        s->streams[run->asked] = socket;
        run->asked++;
        if (run->way > MANY_UNENDING) many_send_all(run, socket);
    }
}

static inline void many_input(many_site *s, many_visitor *v)
{
    http_request request;
    size_t used;
    ssize_t n = recv(v->socket, v->bytes + v->len, sizeof v->bytes - v->len, 0);
    if (n <= 0) {
        close(v->socket);
        free(v);
        return;
    }
    v->len += (size_t)n;
    while ((used = request_parse(v->bytes, v->len, &request)) > 0) {
        many_answer(s, &request, v->socket);
        memmove(v->bytes, v->bytes + used, v->len -= used);
    }
}

static inline void many_watch(int epoll, int socket, void *who)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = who } };
    bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0, "the site: epoll_ctl");
}

static inline void many_accept(many_site *s, int listener)
{
    int on = 1, socket = accept(listener, NULL, NULL);
    if (socket < 0) return;
    many_visitor *v = (many_visitor *)malloc(sizeof *v);
    bench_must(v != NULL, "the site: out of memory");
    v->socket = socket;
    v->len = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    many_watch(s->epoll, socket, v);
}

/* Until nobody holds the other end of `stop` any more. */
static inline void many_serve(many_run *run, int listener, int stop)
{
    struct epoll_event ready[256];
    many_site s = { .run = run, .epoll = epoll_create1(0) };
    s.streams = (int *)bench_bytes(((size_t)run->streams + 1) * sizeof *s.streams);
    many_watch(s.epoll, listener, &listener);
    many_watch(s.epoll, stop, &stop);
    for (;;) {
        int n = epoll_wait(s.epoll, ready, 256, 1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr == &stop) _exit(0);
            else if (ready[i].data.ptr == &listener) many_accept(&s, listener);
            else many_input(&s, (many_visitor *)ready[i].data.ptr);
        }
        many_pace(&s);
    }
}

#endif
