/* test_site.c - the client over real sockets, against a site on loopback: text that comes at once, 64 MB in
   little memory, every manner of losing a connection, signals, epoll, deadlines in real time, no descriptor
   left behind. */
#include <stddef.h>
#include "site.h"
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/epoll.h>
#include <sys/time.h>

/* ---- the library's system calls, of which one may be made to fail ---- */

typedef enum call { RECV, SEND, CONNECT, POLL, SOCKET, CALLS, GETSOCKOPT, CLOCK, RANDOM, LOOKUP } call;
/* instead of an errno: a count of 1 (for poll: of 0); the end of the connection */
enum { SHORT = -1, END = -2 };
static struct { bool armed; call call; int at, calls, error; } sabotage;

static bool sabotaged(call which) {
    return sabotage.armed && sabotage.call == which && ++sabotage.calls == sabotage.at;
}
static int failed_call(void) { errno = sabotage.error; return -1; }

static ssize_t own_recv(int fd, void *buffer, size_t size, int flags)
{
    if (!sabotaged(RECV)) return recv(fd, buffer, size, flags);
    return sabotage.error == END ? 0 : sabotage.error == SHORT ? recv(fd, buffer, 1, flags) : failed_call();
}
static ssize_t own_send(int fd, const void *bytes, size_t size, int flags)
{
    if (!sabotaged(SEND)) return send(fd, bytes, size, flags);
    return sabotage.error < 0 ? send(fd, bytes, 1, flags) : failed_call();
}
static int own_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    bool fails = sabotaged(CONNECT) && sabotage.error > 0;
    if (fails && sabotage.error != EINTR) return failed_call();
    int result = connect(fd, address, len);     /* after EINTR it goes on by itself */
    return fails ? failed_call() : result;
}
static int own_poll(struct pollfd *on, nfds_t count, int timeout)
{
    if (!sabotaged(POLL)) return poll(on, count, timeout);
    return sabotage.error < 0 ? 0 : failed_call();
}
static int own_socket(int family, int type, int protocol)
{
    return sabotaged(SOCKET) && sabotage.error > 0 ? failed_call() : socket(family, type, protocol);
}

static int own_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return sabotaged(GETSOCKOPT) ? failed_call() : getsockopt(fd, level, name, value, len);
}
static int own_clock_gettime(clockid_t which, struct timespec *t)
{
    return sabotaged(CLOCK) ? failed_call() : clock_gettime(which, t);
}
static ssize_t own_getrandom(void *bytes, size_t size, unsigned flags)
{
    (void)flags;
    if (sabotaged(RANDOM)) return failed_call();
    memset(bytes, 'r', size > 7 ? 7 : size);            /* never more than a few bytes at once */
    return size > 7 ? 7 : (ssize_t)size;
}
static int own_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                           struct addrinfo **list)
{
    if (!sabotaged(LOOKUP)) return getaddrinfo(host, port, hints, list);
    errno = EMFILE;
    return sabotage.error;
}

#define recv(fd, buffer, size, flags) own_recv(fd, buffer, size, flags)
#define send(fd, bytes, size, flags) own_send(fd, bytes, size, flags)
#define connect(fd, address, len) own_connect(fd, address, len)
#define poll(on, count, timeout) own_poll(on, count, timeout)
#define socket(family, type, protocol) own_socket(family, type, protocol)
#define getsockopt(fd, level, name, value, len) own_getsockopt(fd, level, name, value, len)
#define clock_gettime(which, t) own_clock_gettime(which, t)
#define getrandom(bytes, size, flags) own_getrandom(bytes, size, flags)
#define getaddrinfo(host, port, hints, list) own_getaddrinfo(host, port, hints, list)
#define CHATGPTT_IMPLEMENTATION
#include "../chatgptt.h"
#undef recv
#undef send
#undef connect
#undef poll
#undef socket
#undef getsockopt
#undef clock_gettime
#undef getrandom
#undef getaddrinfo

/* ---- surroundings ---- */

static long long now_ms(void) { return cgt_builtin_now_ms(NULL); }

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    if (!dir) return -1;
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

typedef struct heap { size_t live, peak; } heap;

static void *heap_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    heap *h = (heap *)user;
    h->live += new_size;                                /* while a block moves, both count */
    if (h->live > h->peak) h->peak = h->live;
    h->live -= old_size;
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

/* A socket on a free port of loopback, not listening yet; -1: there is no such family here. */
static int bind_loopback(int family, int *port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;
    memset(&v4, 0, sizeof v4);
    memset(&v6, 0, sizeof v6);
    v4.sin_family = AF_INET, v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6, v6.sin6_addr.s6_addr[15] = 1;
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    if (bind(fd, address, len) == 0 && getsockname(fd, address, &len) == 0) {
        *port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
        return fd;
    }
    close(fd);
    return -1;
}

/* site_start() on a socket that is bound already. */
static bool start_on(site *s, int listener, int port, site_handler *handler, void *user)
{
    memset(s, 0, sizeof *s);
    s->handler = handler, s->user = user, s->listener = listener, s->port = port;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->nudged, NULL);
    return listen(listener, 16) == 0 && pipe(s->stop_pipe) == 0 &&
           pthread_create(&s->thread, NULL, site_accept, s) == 0;
}

static bool is_get(const site_request *request) { return memcmp(request->http.head, "GET ", 4) == 0; }
static bool give_page(const site_request *request, int socket) {
    return site_page(socket, request->site, "0123456789", "7");
}

static chatgptt_client *open_url(const char *url)
{
    chatgptt_options options;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    options.url = url;
    chatgptt_client *c = chatgptt_open(&options, &error);
    if (!c) check_fail(__FILE__, __LINE__, "open(%s): %s", url, error.message);
    return c;
}

/* Asks, and wants this answer; NULL: none. Returns the code. */
static chatgptt_code ask(chatgptt_client *c, const char *prompt, const char *wanted)
{
    char *text = chatgptt_ask(c, prompt);
    CHECK_STR(text, wanted);
    if (!text && wanted) puts(chatgptt_client_error(c)->message);
    chatgptt_free(c, text);
    return text ? CHATGPTT_DONE : chatgptt_client_error(c)->code;
}

/* ---- the first text ---- */

/* before: bytes of the response before the wait */
typedef struct hold { bool json; size_t before; bool released; } hold;

/* Sends less than 2,000 bytes, then not one more until the caller has told of the text in them. */
static bool hold_back(const site_request *request, int socket)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: ";
    hold *h = (hold *)request->user;
    char first[1000], rest[5000];
    if (is_get(request)) return give_page(request, socket);
    memset(rest, 'x', sizeof rest);
    if (h->json)
        snprintf(first, sizeof first, "%sapplication/json\r\nContent-Length: %zu\r\n\r\n{\"data\":\"first",
                 head, strlen("{\"data\":\"first") + sizeof rest + strlen("\",\"status\":\"success\"}"));
    else
        snprintf(first, sizeof first,
                 "%stext/event-stream\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"first", head);
    h->before = strlen(first);
    if (!site_say(socket, first) || !(h->released = site_await(request->site, 1, 10000))) return false;
    site_write(socket, rest, sizeof rest);
    site_say(socket, h->json ? "\",\"status\":\"success\"}" : "\"}}]}\n\ndata: [DONE]\n\n");
    return false;
}

TEST(first_text_before_the_2000th_byte)
{
    for (int json = 0; json < 2; json++) {
        static site s;
        hold h = {json, 0, false};
        chatgptt_request request;
        chatgptt_event event;
        chatgptt_code code;
        size_t len = 0;
        if (!CHECK(site_start(&s, hold_back, &h))) return;
        chatgptt_client *c = open_url(s.url);
        memset(&request, 0, sizeof request);
        request.prompt = "hi";
        chatgptt_stream *stream = chatgptt_start(c, &request);
        CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_OK);
        CHECK_MEM(event.text, event.len, "first", 5);
        site_nudge(&s);
        while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) len += event.len;
        CHECK_INT(code, CHATGPTT_DONE);
        CHECK_INT(len, 5000);
        chatgptt_close(c);
        site_stop(&s);
        CHECK(h.released && h.before < 2000);
    }
}

/* ---- 64 MB ---- */

#define LONG_ANSWER ((size_t)64 << 20)
#define LONG_PIECE 1024                     /* of text */

/* An answer of LONG_ANSWER bytes of text. */
static bool talk_long(const site_request *request, int socket)
{
    static const char before[] = "data: {\"choices\":[{\"delta\":{\"content\":\"", after[] = "\"}}]}\n\n";
    static const char head[] = "{\"status\":\"success\",\"data\":\"", tail[] = "\",\"log\":false}";
    bool json = *(bool *)request->user;
    size_t extra = json ? 0 : sizeof before + sizeof after - 2, unit = LONG_PIECE + extra, count = 64;
    char line[200], *batch;
    if (is_get(request)) return give_page(request, socket);
    size_t json_len = sizeof head - 1 + LONG_ANSWER + sizeof tail - 1;
    if (json) snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", json_len, head);
    else
        snprintf(line, sizeof line,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    batch = (char *)malloc(unit * count);
    if (!batch) return false;
    memset(batch, 'x', unit * count);
    for (size_t i = 0; i < count && !json; i++) {
        memcpy(batch + i * unit, before, sizeof before - 1);
        memcpy(batch + (i + 1) * unit - (sizeof after - 1), after, sizeof after - 1);
    }
    bool good = site_say(socket, line);
    for (size_t sent = 0; good && sent < LONG_ANSWER; sent += LONG_PIECE * count)
        good = json ? site_write(socket, batch, unit * count) : site_chunk(socket, batch, unit * count);
    free(batch);
    if (json) return good && site_say(socket, tail);
    return good && site_chunk(socket, "data: [DONE]\n\n", 14) && site_chunk(socket, "", 0);
}

static int count_text(void *user, const char *text, size_t len)
{
    *(size_t *)user += len;
    return text[0] != 'x';
}

TEST(long_answers_take_little_memory)
{
    for (int i = 0; i < 2; i++) {
        static site s;
        bool json = i;
        heap h = {0, 0};
        chatgptt_options options;
        chatgptt_request request;
        size_t len = 0;
        if (!CHECK(site_start(&s, talk_long, &json))) return;
        memset(&options, 0, sizeof options);
        options.url = s.url, options.hooks.resize = heap_resize, options.hooks.user = &h;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        memset(&request, 0, sizeof request);
        request.prompt = "tell me all";
        CHECK_INT(chatgptt_chat(c, &request, count_text, &len), CHATGPTT_DONE);
        CHECK_INT(len, LONG_ANSWER);
        chatgptt_close(c);
        site_stop(&s);
        CHECK(h.peak < 65536);
        CHECK_INT(h.live, 0);
        if (getenv("CHECK_VERBOSE")) fprintf(stderr, "peak heap: %zu\n", h.peak);
    }
}

/* ---- connections ---- */

/* The end of the answer comes 20 ms after its end mark, as from real sites. */
static bool end_late(const site_request *request, int socket)
{
    if (is_get(request)) return give_page(request, socket);
    bool good = site_stream_begin(socket) && site_stream_text(socket, "ok") &&
                site_chunk(socket, "data: [DONE]\n\n", 14);
    site_sleep_ms(20);
    return good && site_chunk(socket, "", 0);
}

TEST(one_connection_serves_all)
{
    for (int late = 0; late < 2; late++) {
        static site s;
        if (!CHECK(site_start(&s, late ? end_late : site_chat, NULL))) return;
        chatgptt_client *c = open_url(s.url);
        for (int i = 0; i < 5; i++) CHECK_INT(ask(c, "hi", late ? "ok" : "You said: hi"), CHATGPTT_DONE);
        chatgptt_close(c);
        site_stop(&s);
        CHECK_INT(s.requests, 6);
        CHECK_INT(s.connections, 1);
    }
}

/* Whatever the family: a name with both, of which one is refused; a literal; an address given beside the
   name. */
static bool echo_host(const site_request *request, int socket)
{
    char host[100];
    if (is_get(request)) return give_page(request, socket);
    return site_json(socket, request_header(&request->http, "Host", host, sizeof host));
}

TEST(hosts_of_all_kinds)
{
    static const struct { int family; const char *host, *address; } rows[] = {
        {AF_INET, "127.0.0.1", NULL}, {AF_INET, "localhost", NULL}, {AF_INET6, "[::1]", NULL},
        {AF_INET, "no-such-name.test", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static site s;
        char url[80], host[60], endpoint[100];
        int port, listener = bind_loopback(rows[i].family, &port);
        chatgptt_options options;
        if (listener < 0 && rows[i].family == AF_INET6) { puts("    no IPv6 here"); continue; }
        if (!CHECK(start_on(&s, listener, port, echo_host, NULL))) return;
        snprintf(host, sizeof host, "%s:%d", rows[i].host, port);
        snprintf(url, sizeof url, "http://%s/", host);
        memset(&options, 0, sizeof options);
        snprintf(endpoint, sizeof endpoint, "%sajax", url);
        options.url = url, options.endpoint = endpoint, options.address = rows[i].address;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        CHECK_INT(ask(c, "who am I talking to?", host), CHATGPTT_DONE);
        chatgptt_close(c);
        site_stop(&s);
    }
}

TEST(refused_then_usable)
{
    static site s;
    char url[60];
    int port = 0, listener = bind_loopback(AF_INET, &port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    chatgptt_client *c = open_url(url);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ask(c, "hi", NULL), CHATGPTT_E_CONNECT);
        CHECK_INT(chatgptt_client_error(c)->sys_errno, ECONNREFUSED);
        CHECK(strstr(chatgptt_client_error(c)->message, "refused") != NULL);
    }
    if (!CHECK(start_on(&s, listener, port, site_chat, NULL))) return;
    CHECK_INT(ask(c, "hi", "You said: hi"), CHATGPTT_DONE);
    site_stop(&s);
    /* the kept connection is dead, and there is no new one */
    CHECK_INT(ask(c, "hi", NULL), CHATGPTT_E_CONNECT);
    chatgptt_close(c);
}

typedef enum loss { LOSE_PAGE, LOSE_IN_PAGE, LOSE_REPLY, LOSE_IN_HEAD, LOSE_IN_TEXT, LOSSES } loss;
typedef struct fault { loss at; bool reset; int times; } fault;

static bool lose(int socket, const fault *f)
{
    const struct linger at_once = {1, 0};
    if (f->reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
}

/* Loses the connection at that place that many times, and then is as good as any. */
static bool lose_some(const site_request *request, int socket)
{
    fault *f = (fault *)request->user;
    if (f->times == 0 || is_get(request) != (f->at <= LOSE_IN_PAGE)) return site_chat(request, socket);
    f->times--;
    if (f->at == LOSE_IN_PAGE) site_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<html>");
    if (f->at == LOSE_IN_HEAD) site_say(socket, "HTTP/1.1 200 OK\r\nContent-");
    if (f->at == LOSE_IN_TEXT && site_stream_begin(socket)) site_stream_text(socket, "You");
    /* a reset would take back what is under way */
    if (f->at != LOSE_PAGE && f->at != LOSE_REPLY) site_sleep_ms(30);
    return lose(socket, f);
}

TEST(lost_connections)
{
    for (int at = 0; at < LOSSES; at++)
        for (int reset = 0; reset < 2; reset++) {
            static site s;
            /* the first is made good by the retry */
            fault f = {(loss)at, reset, at == LOSE_REPLY ? 2 : 1};
            if (!CHECK(site_start(&s, lose_some, &f))) return;
            chatgptt_client *c = open_url(s.url);
            chatgptt_code code = ask(c, "hi", NULL);
            if (at == LOSE_IN_TEXT) CHECK_INT(code, CHATGPTT_E_INCOMPLETE);
            else CHECK_INT(code, CHATGPTT_E_CLOSED);
            if (reset && at != LOSE_IN_TEXT) CHECK_INT(code, CHATGPTT_E_CLOSED);
            CHECK_INT(ask(c, "hi", "You said: hi"), CHATGPTT_DONE);
            chatgptt_close(c);
            site_stop(&s);
        }
}

/* One exchange in which the n-th call of its kind fails; false if there was no n-th. */
static bool check_sabotage(const site *s, call which, int error, int n)
{
    bool was_bad = check_now.bad, transfer = which != CONNECT && which != SOCKET;
    bool harmless = error == EINTR || error == SHORT || (error == EAGAIN && transfer);
    check_now.bad = false;
    chatgptt_client *c = open_url(s->url);
    sabotage.call = which, sabotage.error = error, sabotage.at = n, sabotage.calls = 0, sabotage.armed = true;
    char *text = chatgptt_ask(c, "hi");
    sabotage.armed = false;
    chatgptt_code code = chatgptt_client_error(c)->code;
    if (text || harmless) CHECK_STR(text, "You said: hi");
    else
        CHECK(code == CHATGPTT_E_IO || code == CHATGPTT_E_CLOSED || code == CHATGPTT_E_CONNECT ||
              code == CHATGPTT_E_INCOMPLETE);
    if (!text) CHECK_INT(ask(c, "hi", "You said: hi"), CHATGPTT_DONE);
    chatgptt_free(c, text);
    chatgptt_close(c);
    if (check_now.bad)
        printf("    in: call %d, errno %d, the %d.: %s\n", which, error, n, chatgptt_code_name(code));
    check_now.bad |= was_bad;
    return sabotage.calls >= n;
}

TEST(every_system_call_fails)
{
    static const int errors[] = {EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, EPIPE, ENOMEM, SHORT, END};
    for (int which = 0; which < CALLS; which++)
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            static site s;
            int n = 1;
            if (which == SOCKET && errors[i] == EINTR) continue;            /* it knows no such thing */
            if (!CHECK(site_start(&s, site_chat, NULL))) return;
            while (check_sabotage(&s, (call)which, errors[i], n) && n < 90) n++;
            CHECK(n > 1 && n < 90);
            site_stop(&s);
        }
}

static void sabotage_with(call which, int error)
{
    sabotage.call = which, sabotage.error = error, sabotage.at = 1, sabotage.calls = 0, sabotage.armed = true;
}

/* A lookup that fails is told with its reason; a connection whose state cannot be asked for is none. */
TEST(lookups_fail)
{
    static const struct { call which; int error; chatgptt_code code; int sys_errno; const char *words;
    } rows[] = {
        { LOOKUP, EAI_NONAME, CHATGPTT_E_RESOLVE, 0, "127.0.0.1" },
        { LOOKUP, EAI_MEMORY, CHATGPTT_E_MEMORY, 0, "127.0.0.1" },
        { LOOKUP, EAI_SYSTEM, CHATGPTT_E_RESOLVE, EMFILE, "127.0.0.1" },
        { GETSOCKOPT, ENOTSOCK, CHATGPTT_E_CONNECT, ENOTSOCK, "127.0.0.1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static site s;
        if (!CHECK(site_start(&s, site_chat, NULL))) return;
        chatgptt_client *c = open_url(s.url);
        sabotage_with(rows[i].which, rows[i].error);
        CHECK(chatgptt_ask(c, "hi") == NULL);
        sabotage.armed = false;
        CHECK_STR(chatgptt_code_name(chatgptt_client_error(c)->code), chatgptt_code_name(rows[i].code));
        CHECK_INT(chatgptt_client_error(c)->sys_errno, rows[i].sys_errno);
        CHECK(strstr(chatgptt_client_error(c)->message, rows[i].words) != NULL);
        CHECK_INT(ask(c, "hi", "You said: hi"), CHATGPTT_DONE);
        chatgptt_close(c);
        site_stop(&s);
    }
}

/* Random bytes come in whatever pieces, or the client says that there are none; a clock that fails says 0. */
TEST(clocks_and_random_bytes)
{
    char bytes[20] = "", wanted[20];
    chatgptt_error error;
    chatgptt_options options;
    memset(wanted, 'r', sizeof wanted);
    memset(&options, 0, sizeof options);
    options.url = "http://127.0.0.1/";
#ifdef __linux__
    sabotage_with(RANDOM, 0);
    sabotage.at = 2;
    CHECK_INT(cgt_builtin_random(NULL, bytes, 7), CHATGPTT_OK);
    CHECK_INT(cgt_builtin_random(NULL, bytes, 7), CHATGPTT_E_IO);
    CHECK_INT(cgt_builtin_random(NULL, bytes, sizeof bytes), CHATGPTT_OK);
    CHECK_MEM(bytes, sizeof bytes, wanted, sizeof wanted);
    sabotage_with(RANDOM, ENOSYS);
    CHECK(chatgptt_open(&options, &error) == NULL);
    CHECK_INT(error.code, CHATGPTT_E_IO);
#endif
    sabotage_with(CLOCK, EINVAL);
    CHECK_INT(cgt_builtin_now_ms(NULL), 0);
    CHECK(cgt_builtin_now_ms(NULL) > 0);
    sabotage_with(CLOCK, EINVAL);
    CHECK_INT(cgt_builtin_unix_time(NULL), 0);
    CHECK(cgt_builtin_unix_time(NULL) > 1700000000);
    sabotage.armed = false;
}

/* ---- signals ---- */

static volatile sig_atomic_t signals;
static void count_signal(int number) { (void)number; signals++; }

static void on_signal(int number, struct sigaction *old)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = count_signal;                   /* and no SA_RESTART */
    sigaction(number, &action, old);
    signals = 0;
}

static bool page_and_close(const site_request *request, int socket)
{
    if (!is_get(request)) return site_json(socket, "got it");
    give_page(request, socket);                         /* and not a word of the close */
    return false;
}

/* The message goes into a connection that the server has closed: the first write is taken, the next would
   raise SIGPIPE. */
TEST(no_sigpipe)
{
    static site s;
    struct sigaction old;
    size_t len = (size_t)4 << 20;
    char *message = (char *)malloc(len + 1);
    if (!message || !CHECK(site_start(&s, page_and_close, NULL))) abort();
    memset(message, 'x', len);
    message[len] = '\0';
    on_signal(SIGPIPE, &old);
    for (int i = 0; i < 5; i++) {
        chatgptt_client *c = open_url(s.url);
        CHECK_INT(ask(c, message, "got it"), CHATGPTT_DONE);
        chatgptt_close(c);
    }
    CHECK_INT(signals, 0);
    sigaction(SIGPIPE, &old, NULL);
    site_stop(&s);
    free(message);
}

static bool drip(const site_request *request, int socket)
{
    if (is_get(request)) return give_page(request, socket);
    bool good = site_stream_begin(socket);
    for (int i = 0; good && i < 20; i++) {
        site_sleep_ms(10);
        good = site_stream_text(socket, "drip ");
    }
    return good && site_stream_end(socket);
}

static int count_ticks(void *user) { ++*(int *)user; return 0; }
static int append(void *user, const char *text, size_t len) { strncat((char *)user, text, len); return 0; }

TEST(interrupted_calls_go_on)
{
    static site s;
    const struct itimerval every_ms = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    sigset_t alarm_only;
    chatgptt_request request;
    char text[200] = "";
    int ticks = 0;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);      /* the site's threads never see it */
    if (!CHECK(site_start(&s, drip, NULL))) return;
    on_signal(SIGALRM, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    chatgptt_client *c = open_url(s.url);
    memset(&request, 0, sizeof request);
    request.prompt = "hi", request.on_tick = count_ticks, request.tick_user = &ticks;
    setitimer(ITIMER_REAL, &every_ms, NULL);
    CHECK_INT(chatgptt_chat(c, &request, append, text), CHATGPTT_DONE);
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK_INT(strlen(text), 100);
    CHECK(signals > 50);
    CHECK(ticks > 50);                                  /* the caller has its say after every one */
    chatgptt_close(c);
    /* the handler stays: a last signal may be on its way */
    site_stop(&s);
}

/* ---- event loops ---- */

/* A loop that keeps its registrations. It looks at the generation, or wrongly only at the numbers of
   descriptors. False: nothing came within `patience` ms. *same: a new socket got the number of the one
   before. */
static bool run_epoll(chatgptt_stream *stream, bool by_generation, int patience, chatgptt_code *code,
                      bool *same) {
    int poller = epoll_create1(0), fd = -1;
    unsigned generation = 0, events = 0;
    chatgptt_event event;
    bool good = true;
    while (good && ((*code = chatgptt_step(stream, &event)) == CHATGPTT_OK || *code == CHATGPTT_AGAIN)) {
        const chatgptt_wait want = chatgptt_want(stream);
        struct epoll_event on, got;
        bool changed = by_generation ? want.generation != generation : want.count && want.on[0].fd != fd;
        if (*code == CHATGPTT_OK) continue;
        memset(&on, 0, sizeof on);
        if (want.count && (want.on[0].events & CHATGPTT_READ)) on.events |= EPOLLIN;
        if (want.count && (want.on[0].events & CHATGPTT_WRITE)) on.events |= EPOLLOUT;
        if (changed && want.count && want.on[0].fd == fd) *same = true;
        /* closed ones are out already */
        if (changed && fd >= 0) epoll_ctl(poller, EPOLL_CTL_DEL, fd, &on);
        if (changed) fd = want.count ? want.on[0].fd : -1;
        if (fd >= 0 && (changed || on.events != events))
            epoll_ctl(poller, changed ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &on);
        generation = want.generation, events = on.events;
        int timeout = want.timeout_ms >= 0 && want.timeout_ms < patience ? want.timeout_ms : patience;
        good = epoll_wait(poller, &got, 1, timeout) == 1 || timeout < patience;
    }
    close(poller);
    return good;
}

/* The page's connection is closed and the next gets its number: who goes by numbers never hears of it. */
TEST(a_number_is_used_again)
{
    for (int by_generation = 0; by_generation < 2; by_generation++) {
        static site s;
        chatgptt_request request;
        chatgptt_code code = CHATGPTT_OK;
        bool same = false;
        if (!CHECK(site_start(&s, page_and_close, NULL))) return;
        chatgptt_client *c = open_url(s.url);
        memset(&request, 0, sizeof request);
        request.prompt = "hi";
        chatgptt_stream *stream = chatgptt_start(c, &request);
        bool good = run_epoll(stream, by_generation, by_generation ? 10000 : 300, &code, &same);
        /* so the trap is real, and the generation shows the way out */
        CHECK(good == by_generation);
        if (by_generation) CHECK_INT(code, CHATGPTT_DONE);
        if (by_generation) CHECK(same);
        chatgptt_close(c);
        site_stop(&s);
        CHECK_INT(s.connections, 2);
    }
}

/* ---- deadlines in real time, one a phase ---- */

typedef enum phase { CONNECTING, SENDING, HEADERS, BODY, TRICKLE, TICK } phase;

static bool stall(const site_request *request, int socket)
{
    phase at = *(phase *)request->user;
    if (is_get(request)) return give_page(request, socket);
    if (at != HEADERS) site_stream_begin(socket);
    if (at == BODY) site_stream_text(socket, "Hi");
    while (at == TRICKLE && !site_await(request->site, 1, 20) && site_chunk(socket, ":\n", 2)) continue;
    site_await(request->site, 1, 10000);
    return false;
}

/* A listener whose queue is full: further connections are not answered. */
static int full_listener(int *port, int fillers[4])
{
    struct sockaddr_in address;
    int fd = bind_loopback(AF_INET, port);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    address.sin_port = htons((unsigned short)*port);
    listen(fd, 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fillers[i], F_SETFL, O_NONBLOCK);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    site_sleep_ms(50);
    return fd;
}

static int stop_after_200_ms(void *user) { return now_ms() - *(long long *)user >= 200; }

/* hooks.trace: when the last request began to be sent */
static void request_began(void *user, const char *what, const char *text, size_t len) {
    (void)text, (void)len;
    if (strcmp(what, "request") == 0) *(long long *)user = now_ms();
}

static void check_deadline(phase at, site *s, chatgptt_options *options, const char *prompt,
                           chatgptt_code wanted) {
    chatgptt_request request;
    long long began = 0;
    /* making a request of 7 MB is none of the deadline's, and takes seconds under qemu or MSan */
    if (at == SENDING) options->hooks.trace = request_began, options->hooks.user = &began;
    chatgptt_client *c = chatgptt_open(options, NULL);
    began = now_ms();
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    if (at == TICK) request.on_tick = stop_after_200_ms, request.tick_user = &began;
    CHECK_INT(chatgptt_chat(c, &request, NULL, NULL), wanted);
    long long took = now_ms() - began;
    if (!CHECK(took >= 200 && took < 2200))
        printf("    phase %d took %lld ms: %s\n", at, took, chatgptt_client_error(c)->message);
    site_nudge(s);
    chatgptt_close(c);
}

TEST(deadlines_hold)
{
    size_t len = (size_t)7 << 20;
    char *message = (char *)malloc(len + 1), url[60];
    if (!message) abort();
    memset(message, 'x', len);
    message[len] = '\0';
    for (int i = CONNECTING; i <= TICK; i++) {
        static site s;
        phase at = (phase)i;
        int port, fillers[4] = {-1, -1, -1, -1}, listener = -1;
        chatgptt_options options;
        if (!CHECK(site_start(&s, stall, &at))) break;
        memset(&options, 0, sizeof options);
        options.url = s.url;
        snprintf(url, sizeof url, "%s", "");
        if (at == CONNECTING) listener = full_listener(&port, fillers);
        /* never reads */
        if (at == SENDING && (listener = bind_loopback(AF_INET, &port)) >= 0) listen(listener, 4);
        if (listener >= 0) {
            snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
            options.endpoint = url;
        }
        if (at == CONNECTING) options.connect_timeout_ms = 200;
        else if (at == TRICKLE) options.total_timeout_ms = 200;
        else if (at != TICK) options.idle_timeout_ms = 200;
        check_deadline(at, &s, &options, at == SENDING ? message : "hi",
                       at == TICK ? CHATGPTT_E_CANCELLED : CHATGPTT_E_TIMEOUT);
        for (int k = 0; k < 4; k++) if (fillers[k] >= 0) close(fillers[k]);
        if (listener >= 0) close(listener);
        site_stop(&s);
    }
    free(message);
}

/* ---- descriptors ---- */

static int descriptors_at_start;

TEST(no_descriptor_is_left)
{
    if (descriptors_at_start < 0) SKIP("no /proc/self/fd");
    CHECK_INT(open_descriptors(), descriptors_at_start);
}

int main(void)
{
    descriptors_at_start = open_descriptors();
    RUN(first_text_before_the_2000th_byte);
    RUN(long_answers_take_little_memory);
    RUN(one_connection_serves_all);
    RUN(hosts_of_all_kinds);
    RUN(refused_then_usable);
    RUN(lost_connections);
    RUN(every_system_call_fails);
    RUN(lookups_fail);
    RUN(clocks_and_random_bytes);
    RUN(no_sigpipe);
    RUN(interrupted_calls_go_on);
    RUN(a_number_is_used_again);
    RUN(deadlines_hold);
    RUN(no_descriptor_is_left);
    return check_report("site");
}
