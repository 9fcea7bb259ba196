/* many_clients.h - three clients of the site in many_site.h, each N streams in one thread over epoll: ours;
   libcurl's multi interface with the events scanned by hand; and the bare loop, which is what no library can
   undercut: recv into one buffer and memmem, no framing, no checks. _GNU_SOURCE and the implementation stand
   before it. */
#ifndef MANY_CLIENTS_H
#define MANY_CLIENTS_H

#include "many_run.h"
#ifdef BENCH_CURL
#include <curl/curl.h>
#endif

enum {
    MANY_READY = 512,                       /* events of one epoll_wait() */
    MANY_ASKING = 256,                      /* streams whose request is not in yet: a backlog holds more */
    OUR_STRIDE = 37
};

#define MANY_PROMPT "Why is the sky blue, and what would a physicist of the nineteenth century have said?"

static struct {
    many_run *run;
    int epoll, ended;
    bool at_once;                           /* it wants its turn before anything is ready */
    long long heap, heap_most;              /* bytes that are allocated now, and were at most */
} many;

/* What a client is: it starts a stream, is told of each event, and looks at its clock after each turn. */
typedef struct many_client {
    void (*open)(void), (*start)(int index), (*ready)(const struct epoll_event *event), (*tick)(void),
        (*close)(void);
} many_client;

static inline void many_heap(size_t old, size_t now)
{
    many.heap += (long long)now - (long long)old;
    if (many.heap > many.heap_most) many.heap_most = many.heap;
}

static inline void many_text(size_t len)
{
    many.run->deltas_in++;
    many.run->bytes_in += (long long)len;
}

static inline void many_control(int operation, int fd, unsigned events, int index)
{
    struct epoll_event event = { .events = events, .data = { .u64 = (uint64_t)(unsigned)index } };
    epoll_ctl(many.epoll, operation, fd, &event);
}

static inline void many_turn(const many_client *c)
{
    struct epoll_event ready[MANY_READY];
    int sleep = many.at_once ? 0 : many.run->phase == MANY_STREAMS ? 100 : 1;
    int n = epoll_wait(many.epoll, ready, MANY_READY, sleep);
    for (int i = 0; i < n; i++) c->ready(&ready[i]);
    c->tick();
}

static inline bool many_is_over(const many_run *run)
{
    return run->way == MANY_UNENDING ? run->deltas_in >= (long long)run->streams * run->deltas
                                     : many.ended == run->streams;
}

/* The first stream reads the page, the others start with what it says. */
static inline void many_drive(many_run *run, const many_client *c)
{
    many.run = run;
    many.epoll = epoll_create1(EPOLL_CLOEXEC);
    many_phase_is(run, MANY_OPENS);
    c->open();
    long long idle = many.heap;
    for (c->start(0); run->asked < 1;) many_turn(c);
    many_phase_is(run, MANY_SETS_UP);
    for (int i = 1; run->asked < run->streams; many_turn(c))
        while (i < run->streams && i - run->asked < MANY_ASKING) c->start(i++);
    many_phase_is(run, MANY_STREAMS);
    run->heap_waiting = many.heap - idle;
    many.heap_most = many.heap;
    for (run->go = 1; !many_is_over(run);) many_turn(c);
    many_phase_is(run, MANY_ENDS);
    run->heap_streaming = many.heap_most - idle;
    run->heap_idle = many.heap;
    c->close();
    many_phase_is(run, MANY_ENDS);          /* notes it up to here */
}

/* ---- ours ---- */

typedef struct our_stream { chatgptt_stream *stream; chatgptt_wait known; double due; } our_stream;

static chatgptt_client *our_client;
static our_stream *our_streams;
static double our_now, our_swept;           /* milliseconds: of this turn, and when all were looked at */

static void *our_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    many_heap(old_size, new_size);
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}

static void our_open(void)
{
    char url[40];
    chatgptt_options options;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", many.run->port);
    options.url = url;
    options.hooks.resize = our_resize;
    our_client = chatgptt_open(&options, &error);
    bench_must(our_client != NULL, error.message);
    our_streams = (our_stream *)calloc((size_t)many.run->streams, sizeof *our_streams);
    bench_must(our_streams != NULL, "out of memory");
}

static unsigned our_events(unsigned wanted)
{
    return (wanted & CHATGPTT_READ ? EPOLLIN : 0u) | (wanted & CHATGPTT_WRITE ? EPOLLOUT : 0u);
}

static void our_forget(our_stream *s)
{
    for (int i = 0; i < s->known.count; i++) many_control(EPOLL_CTL_DEL, s->known.on[i].fd, 0, 0);
    s->known.count = 0;
}

static void our_watch(our_stream *s, const chatgptt_wait *want)
{
    bool anew = want->generation != s->known.generation || want->count != s->known.count;
    int index = (int)(s - our_streams);
    if (anew) our_forget(s);
    for (int i = 0; i < want->count; i++)
        if (anew || want->on[i].events != s->known.on[i].events)
            many_control(anew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, want->on[i].fd, our_events(want->on[i].events),
                         index);
    s->known = *want;
    s->due = want->timeout_ms < 0 ? -1 : our_now + want->timeout_ms;
}

static void our_end(our_stream *s, chatgptt_code code)
{
    bench_must(code == CHATGPTT_DONE, chatgptt_stream_error(s->stream)->message);
    our_forget(s);
    chatgptt_finish(s->stream);
    s->stream = NULL;
    many.ended++;
}

static void our_work(our_stream *s)
{
    chatgptt_event event;
    chatgptt_code code;
    if (!s->stream) return;
    for (;;) {
        while ((code = chatgptt_step(s->stream, &event)) == CHATGPTT_OK) many_text(event.len);
        if (code != CHATGPTT_AGAIN) break;
        chatgptt_wait want = chatgptt_want(s->stream);
        if (want.timeout_ms != 0) {
            our_watch(s, &want);
            return;
        }
    }
    our_end(s, code);
}

static void our_start(int index)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = MANY_PROMPT;
    our_streams[index].stream = chatgptt_start(our_client, &request);
    bench_must(our_streams[index].stream != NULL, chatgptt_client_error(our_client)->message);
    our_work(&our_streams[index]);
}

static void our_ready(const struct epoll_event *event) { our_work(&our_streams[event->data.u64]); }

/* Times are kept in each stream and looked over ten times a second. */
static void our_tick(void)
{
    our_now = bench_now();
    if (our_now - our_swept < 100) return;
    our_swept = our_now;
    for (int i = 0; i < many.run->streams; i++)
        if (our_streams[i].stream && our_streams[i].due >= 0 && our_streams[i].due <= our_now)
            our_work(&our_streams[i]);
}

static void our_close(void)
{
    chatgptt_close(our_client);
    free(our_streams);
    bench_must(many.heap == 0, "memory is lost");
}

static inline void many_ours(many_run *run)
{
    static const many_client client = { our_open, our_start, our_ready, our_tick, our_close };
    many_drive(run, &client);
}

/* Every stream while it runs, neither in the order they were opened nor against it; what epoll is told is not
   part of it. */
static void our_close_each(void)
{
    size_t count = (size_t)many.run->streams;
    for (size_t i = 0; i < count; i++) our_forget(&our_streams[i]);
    double begun = many_cpu();
    for (size_t i = 0; i < count; i++) chatgptt_finish(our_streams[i * OUR_STRIDE % count].stream);
    many.run->closing_us = many_cpu() - begun;
    our_close();
}

static inline void many_ours_closed(many_run *run)
{
    static const many_client client = { our_open, our_start, our_ready, our_tick, our_close_each };
    many_drive(run, &client);
}

static int our_piece(void *user, const char *text, size_t len)
{
    (void)user;
    (void)text;
    many_text(len);
    return 0;
}

/* Messages one after another on one connection; the first, which reads the page, is MANY_OPENS. */
static inline void many_ours_warm(many_run *run)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = MANY_PROMPT;
    many.run = run;
    many_phase_is(run, MANY_OPENS);
    our_open();
    for (int i = 0; i < run->streams; i++) {
        chatgptt_code code = chatgptt_chat(our_client, &request, our_piece, NULL);
        bench_must(code == CHATGPTT_DONE, chatgptt_client_error(our_client)->message);
        if (i == 0) many_phase_is(run, MANY_STREAMS);
    }
    many_phase_is(run, MANY_ENDS);
    our_close();
}

/* ---- the bare loop ---- */

typedef struct bare_stream { int socket; bool has_asked; } bare_stream;

static bare_stream *bare_streams;
static char bare_post[2000];

static int bare_dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)many.run->port) };
    int on = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bench_must(connect(s, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS,
               "bare: connect");
    return s;
}

static void bare_open(void)
{
    static const char form[] =
        "_wpnonce=" MANY_NONCE "&post_id=7&action=wpaicg_chat_shortcode_message&message=Why+is+the+sky+blue"
        "%2C+and+what+would+a+physicist+of+the+nineteenth+century+have+said%3F";
    snprintf(bare_post, sizeof bare_post,
             "POST /wp-admin/admin-ajax.php HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
             many.run->port, sizeof form - 1, form);
    bare_streams = (bare_stream *)calloc((size_t)many.run->streams, sizeof *bare_streams);
    bench_must(bare_streams != NULL, "out of memory");
}

static void bare_ask(bare_stream *s, const char *request)
{
    ssize_t len = (ssize_t)strlen(request);
    bench_must(send(s->socket, request, (size_t)len, MSG_NOSIGNAL) == len, "bare: send");
}

/* The page is waited for here: it is one for all. */
static void bare_start(int index)
{
    bare_stream *s = &bare_streams[index];
    char page[2000] = "";
    s->socket = bare_dial();
    many_control(EPOLL_CTL_ADD, s->socket, EPOLLOUT, index);
    if (index > 0) return;
    bare_ask(s, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    while (!strstr(page, MANY_NONCE))
        if (recv(s->socket, page, sizeof page - 1, 0) == 0) bench_must(false, "bare: no page");
}

static void bare_read(bare_stream *s)
{
    static char bytes[CHATGPTT_READ_BUFFER];
    ssize_t got = recv(s->socket, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    bench_must(got > 0, "bare: recv");
    const char *at = bytes, *end = bytes + got;
    while ((at = (const char *)memmem(at, (size_t)(end - at), "\"content\":\"", 11)) != NULL) {
        const char *text = at + 11, *quote = (const char *)memchr(text, '"', (size_t)(end - text));
        if (!quote) break;
        many_text((size_t)(quote - text));
        at = quote;
    }
    if (got < 7 || memcmp(end - 7, "\r\n0\r\n\r\n", 7) != 0) return;
    close(s->socket);
    many.ended++;
}

static void bare_ready(const struct epoll_event *event)
{
    bare_stream *s = &bare_streams[event->data.u64];
    if (s->has_asked) {
        bare_read(s);
        return;
    }
    s->has_asked = true;
    bare_ask(s, bare_post);
    many_control(EPOLL_CTL_MOD, s->socket, EPOLLIN, (int)event->data.u64);
}

static void bare_tick(void) {}
static void bare_close(void) { free(bare_streams); }

static inline void many_bare(many_run *run)
{
    static const many_client client = { bare_open, bare_start, bare_ready, bare_tick, bare_close };
    many_drive(run, &client);
}

/* ---- libcurl ---- */

#ifdef BENCH_CURL

typedef struct curl_stream { CURL *easy; size_t len; char line[1000]; } curl_stream;

static CURLM *curl_all;
static curl_stream *curl_streams;
static double curl_due = -1;                /* when its timer is to be told; -1: never */

/* Its memory is counted as ours: the size stands in front of each block. */
enum { CURL_FRONT = 16 };

static void *curl_counted(void *block, size_t size)
{
    size_t old = 0;
    char *front = block ? (char *)block - CURL_FRONT : NULL;
    if (front) memcpy(&old, front, sizeof old);
    front = (char *)realloc(front, size + CURL_FRONT);
    bench_must(front != NULL, "out of memory");
    many_heap(old, size);
    memcpy(front, &size, sizeof size);
    return front + CURL_FRONT;
}

static void *curl_malloc(size_t size) { return curl_counted(NULL, size); }
static void *curl_calloc(size_t count, size_t size)
{
    return memset(curl_counted(NULL, count * size), 0, count * size);
}
static char *curl_strdup(const char *text)
{
    return (char *)memcpy(curl_counted(NULL, strlen(text) + 1), text, strlen(text) + 1);
}
static void curl_release(void *block)
{
    size_t old;
    if (!block) return;
    memcpy(&old, (char *)block - CURL_FRONT, sizeof old);
    many_heap(old, 0);
    free((char *)block - CURL_FRONT);
}

/* The text of an event of one line: up to the quote, escapes of one letter undone. */
static void curl_line(const char *line, size_t len)
{
    char out[1000];
    size_t n = 0;
    const char *end = line + len;
    if (len < 6 || memcmp(line, "data: ", 6) != 0) return;
    const char *at = (const char *)memmem(line, len, "\"content\":\"", 11);
    if (!at) return;
    for (at += 11; at < end && *at != '"' && n < sizeof out; at++)
        out[n++] = *at == '\\' && at + 1 < end ? *++at == 'n' ? '\n' : *at : *at;
    __asm__ volatile("" : : "r"(out) : "memory");
    many_text(n);
}

/* Lines, whatever is cut. */
static size_t curl_body(char *bytes, size_t one, size_t len, void *user)
{
    curl_stream *s = (curl_stream *)user;
    const char *at = bytes, *end = bytes + len, *stop;
    (void)one;
    for (; (stop = (const char *)memchr(at, '\n', (size_t)(end - at))) != NULL || at < end; at = stop + 1) {
        size_t n = (size_t)((stop ? stop : end) - at);
        if (stop && s->len == 0) {
            curl_line(at, n);
            continue;
        }
        bench_must(s->len + n <= sizeof s->line, "libcurl: a long line");
        memcpy(s->line + s->len, at, n);
        s->len += n;
        if (!stop) break;
        curl_line(s->line, s->len);
        s->len = 0;
    }
    return len;
}

static size_t curl_page(char *bytes, size_t one, size_t len, void *user)
{
    if (memmem(bytes, len, "data-nonce=\"" MANY_NONCE, 22)) *(bool *)user = true;
    return one * len;
}

static void curl_global(void)
{
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_counted, curl_strdup,
                         curl_calloc);
}

static CURL *curl_handle(const many_run *run, const char *path, curl_write_callback body, void *user)
{
    char url[100];
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", run->port, path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, user);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 600000L);
    return easy;
}

static CURL *curl_message(const many_run *run, void *user)
{
    CURL *easy = curl_handle(run, "/wp-admin/admin-ajax.php", curl_body, user);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, strstr(bare_post, "\r\n\r\n") + 4);
    return easy;
}

static int curl_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    unsigned events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    (void)easy;
    (void)user;
    if (what == CURL_POLL_REMOVE) many_control(EPOLL_CTL_DEL, fd, 0, 0);
    else many_control(known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events, fd);
    if (what != CURL_POLL_REMOVE && !known) curl_multi_assign(curl_all, fd, curl_all);
    return 0;
}

static int curl_timer(CURLM *all, long ms, void *user)
{
    (void)all;
    (void)user;
    curl_due = ms < 0 ? -1 : bench_now() + (double)ms;
    many.at_once = ms == 0;
    return 0;
}

/* Handles that are done; the page's has no stream. */
static void curl_reap(void)
{
    CURLMsg *message;
    for (int left; (message = curl_multi_info_read(curl_all, &left)) != NULL;) {
        CURL *easy = message->easy_handle;
        bench_must(message->msg == CURLMSG_DONE && message->data.result == CURLE_OK, "libcurl: a transfer");
        curl_multi_remove_handle(curl_all, easy);
        curl_easy_cleanup(easy);
        many.ended++;
    }
}

static void curl_tick(void)
{
    int running;
    if (curl_due >= 0 && curl_due <= bench_now()) {
        curl_due = -1;
        many.at_once = false;
        curl_multi_socket_action(curl_all, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    curl_reap();
}

static void curl_ready(const struct epoll_event *event)
{
    int running, what = (event->events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                        (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (event->events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(curl_all, (curl_socket_t)event->data.u64, what, &running);
}

static void curl_open(void)
{
    bare_open();                            /* the form */
    curl_global();
    curl_all = curl_multi_init();
    curl_multi_setopt(curl_all, CURLMOPT_SOCKETFUNCTION, curl_socket);
    curl_multi_setopt(curl_all, CURLMOPT_TIMERFUNCTION, curl_timer);
    curl_streams = (curl_stream *)calloc((size_t)many.run->streams, sizeof *curl_streams);
    bench_must(curl_streams != NULL, "out of memory");
}

static const many_client curl_client;

static void curl_start(int index)
{
    bool has_page = false;
    if (index == 0) {
        curl_multi_add_handle(curl_all, curl_handle(many.run, "/", curl_page, &has_page));
        while (many.ended == 0) many_turn(&curl_client);
        bench_must(has_page, "libcurl: no page");
        many.ended = 0;
    }
    curl_streams[index].easy = curl_message(many.run, &curl_streams[index]);
    curl_multi_add_handle(curl_all, curl_streams[index].easy);
}

static void curl_close(void)
{
    curl_multi_cleanup(curl_all);
    curl_global_cleanup();
    free(curl_streams);
    bare_close();
}

static const many_client curl_client = { curl_open, curl_start, curl_ready, curl_tick, curl_close };

static inline void many_curl(many_run *run) { many_drive(run, &curl_client); }

static inline void many_curl_warm(many_run *run)
{
    static curl_stream stream;
    many.run = run;
    many_phase_is(run, MANY_OPENS);
    bare_open();
    curl_global();
    stream.easy = curl_message(run, &stream);
    for (int i = 0; i < run->streams; i++) {
        bench_must(curl_easy_perform(stream.easy) == CURLE_OK, "libcurl: a message");
        if (i == 0) many_phase_is(run, MANY_STREAMS);
    }
    many_phase_is(run, MANY_ENDS);
    curl_easy_cleanup(stream.easy);
    curl_global_cleanup();
    bare_close();
}

#endif
#endif
