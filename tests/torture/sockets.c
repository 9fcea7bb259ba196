/* sockets.c - torture of the built-in transport: over real sockets to a site on loopback every call of the
   system's goes wrong once, in each way: EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, EPIPE, a short count, the end
   of file. No message arrives twice but by the one safe rule, no answer that was cut counts as whole, the
   next message is answered, no descriptor is left open. */
#include "../check.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum sys_call {
    SYS_GETADDRINFO,
    SYS_SOCKET,
    SYS_CONNECT,
    SYS_POLL,
    SYS_GETSOCKOPT,
    SYS_SETSOCKOPT,
    SYS_RECV,
    SYS_SEND,
    SYS_CALLS
} sys_call;
typedef enum sys_flaw {
    SYS_EINTR,
    SYS_EAGAIN,
    SYS_ECONNRESET,
    SYS_ETIMEDOUT,
    SYS_EPIPE,
    SYS_ENOMEM,
    SYS_SHORT,
    SYS_END,
    SYS_FLAWS
} sys_flaw;

static const char *const call_names[] = { "getaddrinfo", "socket",     "connect", "poll",
                                          "getsockopt",  "setsockopt", "recv",    "send" };
static const char *const flaw_names[] = { "EINTR", "EAGAIN", "ECONNRESET",  "ETIMEDOUT",
                                          "EPIPE", "ENOMEM", "short count", "end of file" };
static const int numbers[] = { EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, EPIPE, ENOMEM, 0, 0 };

#define MOST_FDS 4096

static struct {
    int calls[SYS_CALLS], at; /* 0: none goes wrong */
    sys_call call;
    sys_flaw flaw;
    bool hit, may_repeat; /* it fell on a kept connection, before a byte of the answer */
    struct {
        bool open, kept, asked, got, dead;
    } fds[MOST_FDS];
    int open_fds;
} sys;

static bool wrong(sys_call call, int fd) {
    if (++sys.calls[call] != sys.at || call != sys.call) return false;
    if (fd >= 0 && fd < MOST_FDS)
        sys.may_repeat |= sys.fds[fd].kept && !(sys.fds[fd].asked && sys.fds[fd].got);
    return sys.hit = true;
}

/* -1 with the flaw's errno; the connection stays dead after all but EINTR and EAGAIN. */
static int fail(int fd) {
    if (fd >= 0 && fd < MOST_FDS && sys.flaw > SYS_EAGAIN) sys.fds[fd].dead = true;
    errno = numbers[sys.flaw];
    return -1;
}

static int my_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **list) {
    if (!wrong(SYS_GETADDRINFO, -1)) return getaddrinfo(host, port, hints, list);
    errno = numbers[sys.flaw];
    return sys.flaw == SYS_ENOMEM ? EAI_MEMORY : sys.flaw == SYS_EAGAIN ? EAI_AGAIN : EAI_SYSTEM;
}

static int my_socket(int family, int type, int protocol) {
    int fd = wrong(SYS_SOCKET, -1) ? fail(-1) : socket(family, type, protocol);
    if (fd >= MOST_FDS) abort();
    if (fd < 0) return fd;
    memset(&sys.fds[fd], 0, sizeof sys.fds[fd]);
    sys.fds[fd].open = true;
    sys.open_fds++;
    return fd;
}

static int my_close(int fd) {
    if (fd >= 0 && fd < MOST_FDS && sys.fds[fd].open) sys.fds[fd].open = false, sys.open_fds--;
    return close(fd);
}

static int my_connect(int fd, const struct sockaddr *address, socklen_t len) {
    if (!wrong(SYS_CONNECT, fd)) return connect(fd, address, len);
    if (sys.flaw == SYS_EINTR) (void)connect(fd, address, len); /* goes on in the background: POSIX */
    return fail(fd);
}

static int my_poll(struct pollfd *on, nfds_t count, int ms) {
    if (!wrong(SYS_POLL, -1)) return poll(on, count, ms);
    if (sys.flaw == SYS_SHORT || sys.flaw == SYS_END) return 0; /* as if the time were over */
    return fail(-1);
}

static int my_getsockopt(int fd, int level, int name, void *value, socklen_t *len) {
    return wrong(SYS_GETSOCKOPT, fd) ? fail(fd) : getsockopt(fd, level, name, value, len);
}

static int my_setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    return wrong(SYS_SETSOCKOPT, -1) ? fail(-1) : setsockopt(fd, level, name, value, len);
}

static ssize_t my_recv(int fd, void *buffer, size_t size, int flags) {
    bool now = wrong(SYS_RECV, fd);
    if (now && sys.flaw == SYS_END) sys.fds[fd].dead = true;
    if (now && sys.flaw < SYS_SHORT) return fail(fd);
    if (sys.fds[fd].dead) return 0;
    ssize_t n = recv(fd, buffer, now ? 1 : size, flags);
    if (n > 0) sys.fds[fd].got = true;
    return n;
}

static ssize_t my_send(int fd, const void *bytes, size_t size, int flags) {
    bool now = wrong(SYS_SEND, fd);
    if (now && sys.flaw < SYS_SHORT) return fail(fd);
    if (sys.fds[fd].dead || (now && sys.flaw == SYS_END)) {
        sys.fds[fd].dead = true;
        errno = EPIPE;
        return -1;
    }
    ssize_t n = send(fd, bytes, now ? 1 : size, flags);
    if (n <= 0) return n;
    if (sys.fds[fd].got) sys.fds[fd].kept = true, sys.fds[fd].got = false;
    sys.fds[fd].asked = true;
    return n;
}

#define getaddrinfo(host, port, hints, list) my_getaddrinfo(host, port, hints, list)
#define socket(family, type, protocol) my_socket(family, type, protocol)
#define connect(fd, address, len) my_connect(fd, address, len)
#define poll(on, count, ms) my_poll(on, count, ms)
#define getsockopt(fd, level, name, value, len) my_getsockopt(fd, level, name, value, len)
#define setsockopt(fd, level, name, value, len) my_setsockopt(fd, level, name, value, len)
#define recv(fd, buffer, size, flags) my_recv(fd, buffer, size, flags)
#define send(fd, bytes, size, flags) my_send(fd, bytes, size, flags)
#define close(fd) my_close(fd)
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#undef getaddrinfo
#undef socket
#undef connect
#undef poll
#undef getsockopt
#undef setsockopt
#undef recv
#undef send
#undef close
#include "../site.h"

/* ---- the site: any generation, by what is asked ---- */

enum {
    NEWER = 1,
    JSON = 2,
    CLOSES = 4,
    TO_CLOSE = 8,
    DROPS = 16,
    PROXY = 32,
    MOVED = 64,
    POST_307 = 128,
    REFUSES = 256,
    SLOW = 512,
    NAME = 1024,
    LONG = 2048
};

typedef struct scenario {
    const char *name;
    int how;
} scenario;

static const scenario scenarios[] = {
    { "older, events", 0 },
    { "older, JSON", JSON },
    { "older, one answer a connection", CLOSES },
    { "older, to the close", TO_CLOSE },
    { "older, kept connection dropped", DROPS },
    { "older, proxy", PROXY },
    { "older, page redirected", MOVED },
    { "older, message redirected", POST_307 },
    { "older, token refused", REFUSES },
    { "older, slow", SLOW },
    { "older, long messages", LONG },
    { "older, by name", NAME },
    { "newer, events", NEWER },
    { "newer, one answer a connection", NEWER | CLOSES },
    { "newer, proxy", NEWER | PROXY },
    { "newer, token refused", NEWER | REFUSES },
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

static struct { /* of the site; under its lock */
    int how, base, arrived[4], keys[64], num_keys; /* base: the number of the run's first message, less 1 */
    bool fresh;
} state;

static bool has(int quirk) { return (state.how & quirk) != 0; }

static bool reply(int socket, const char *status, const char *type, const char *body, bool counted) {
    char head[400], chunk[24];
    bool to_close = has(TO_CLOSE) && !counted;
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%s", status, type,
                       has(CLOSES) || to_close ? "Connection: close\r\n" : "");
    if (counted)
        len += snprintf(head + len, sizeof head - (size_t)len, "Content-Length: %zu\r\n", strlen(body));
    else if (!to_close)
        len += snprintf(head + len, sizeof head - (size_t)len, "Transfer-Encoding: chunked\r\n");
    snprintf(head + len, sizeof head - (size_t)len, "\r\n");
    if (has(SLOW)) site_sleep_ms(3);
    if (!site_say(socket, head)) return false;
    if (counted || to_close) return site_say(socket, body) && !has(CLOSES | DROPS) && !to_close;
    snprintf(chunk, sizeof chunk, "%zx\r\n", strlen(body));
    if (!site_say(socket, chunk)) return false;
    if (has(SLOW)) site_sleep_ms(3);
    return site_say(socket, body) && site_say(socket, "\r\n0\r\n\r\n") && !has(CLOSES | DROPS);
}

static bool reply_page(int socket) {
    char body[600];
    snprintf(body, sizeof body,
             has(NEWER) ? "<title>Chat</title><div class=\"aipkit_chat_container\" "
                          "data-config='{\"botId\":7,\"nonce\":\"%s\",\"postId\":5}'></div>"
                        : "<title>Chat</title><div class=\"wpaicg-chat-shortcode\" "
                          "data-nonce=\"%s\" data-post-id=\"7\" data-bot-id=\"0\"></div>",
             state.fresh ? "9876543210" : "0123456789");
    return reply(socket, "200 OK", "text/html", body, true);
}

static bool reply_answer(int socket, int number) {
    char body[600];
    if (has(JSON)) {
        snprintf(body, sizeof body, "{\"status\":\"success\",\"data\":\"Hello, #%d\"}", number);
        return reply(socket, "200 OK", "application/json", body, true);
    }
    snprintf(
        body, sizeof body,
        has(NEWER)
            ? "data: {\"delta\":\"Hello,\"}\n\ndata: {\"delta\":\" #%d\"}\n\n"
              "event: done\ndata: {\"finished\":true}\n\n"
            : "data: {\"choices\":[{\"delta\":{\"content\":\"Hello,\"}}]}\n\ndata: {\"choices\":[{\"delta\":"
              "{\"content\":\" #%d\"}}]}\n\ndata: "
              "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
              "data: [DONE]\n\n",
        number);
    return reply(socket, "200 OK", "text/event-stream", body, false);
}

static bool take_message(const http_request *r, int socket, bool key) {
    static char text[300000];
    char nonce[40] = "", body[100];
    const char *at = request_field(r, "message", text, sizeof text) ? strchr(text, '#') : NULL;
    int number = at ? (int)strtol(at + 1, NULL, 10) : 0;
    if (!request_field(r, "_wpnonce", nonce, sizeof nonce))
        request_field(r, "_ajax_nonce", nonce, sizeof nonce);
    if (has(REFUSES) && strcmp(nonce, "9876543210") != 0) {
        state.fresh = true;
        return has(NEWER) ? reply(socket, "403 Forbidden", "application/json",
                                  "{\"success\":false,\"data\":"
                                  "{\"code\":\"nonce_failure\",\"message\":\"No.\"}}",
                                  true)
                          : reply(socket, "403 Forbidden", "text/html", "-1", true);
    }
    if (number > state.base && number <= state.base + 3)
        state.arrived[number - state.base]++; /* late ones: no */
    if (!key) return reply_answer(socket, number);
    if (state.num_keys == 64) abort();
    state.keys[state.num_keys] = number;
    snprintf(body, sizeof body, "{\"success\":true,\"data\":{\"cache_key\":\"aipkit_sse_k%d\"}}",
             state.num_keys++);
    return reply(socket, "200 OK", "application/json", body, true);
}

static bool handle(const http_request *r, int socket) {
    char action[60] = "", key[40] = "";
    const char *path = (const char *)memchr(r->head, ' ', r->head_len) + 1;
    bool get = memcmp(r->head, "GET ", 4) == 0;
    if (strncmp(path, "http://", 7) == 0) path += 7 + strcspn(path + 7, "/ ");
    request_field(r, "action", action, sizeof action);
    if (get && !action[0] && has(MOVED) && strncmp(path, "/chat/", 6) != 0)
        return site_say(socket, "HTTP/1.1 302 Found\r\nLocation: /chat/\r\nContent-Length: 0\r\n\r\n");
    if (get && !action[0]) return reply_page(socket);
    if (get) {
        request_field(r, "cache_key", key, sizeof key);
        long k = strncmp(key, "aipkit_sse_k", 12) == 0 ? strtol(key + 12, NULL, 10) : -1;
        return k >= 0 && k < state.num_keys ? reply_answer(socket, state.keys[k]) : false;
    }
    if (has(POST_307) && strncmp(path, "/moved", 6) != 0)
        return site_say(socket, "HTTP/1.1 307 Go\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n");
    if (strcmp(action, "aipkit_get_frontend_chat_nonce") == 0)
        return reply(socket, "200 OK", "application/json",
                     state.fresh ? "{\"success\":true,\"data\":{\"nonce\":"
                                   "\"9876543210\"}}"
                                 : "{\"success\":true,\"data\":{\"nonce\":\"0123456789\"}}",
                     true);
    return take_message(r, socket, strcmp(action, "aipkit_cache_sse_message") == 0);
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool serve(const site_request *request, int socket) {
    pthread_mutex_lock(&turn);
    bool keep = handle(&request->http, socket);
    pthread_mutex_unlock(&turn);
    return keep;
}

/* ---- a run ---- */

static site here;
static size_t live; /* bytes of the client */
static long runs_of[SYS_CALLS][SYS_FLAWS], failed_of[SYS_CALLS][SYS_FLAWS], repeated, struck_whole;

static void *count_resize(void *user, void *block, size_t old_size, size_t new_size) {
    (void)user;
    live += new_size - old_size;
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

typedef struct told {
    chatgptt_code code;
    char text[64], error[256];
} told;

static int tell(void *user, const char *text, size_t len) {
    told *t = (told *)user;
    snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%.*s", (int)len, text);
    return 0;
}

static told ask(chatgptt_client *c, int number) {
    static char text[200100];
    chatgptt_request request;
    told t;
    memset(&t, 0, sizeof t);
    memset(&request, 0, sizeof request);
    int len = snprintf(text, sizeof text, "#%d is what I ask you now", state.base + number);
    if (state.how & LONG) {
        memset(text + len, 'x', 100000);
        text[len + 100000] = '\0';
    }
    request.prompt = text;
    t.code = chatgptt_chat(c, &request, tell, &t);
    snprintf(t.error, sizeof t.error, "%s", chatgptt_client_error(c)->message);
    return t;
}

static void judge(const told *t, int number, bool must) {
    char wanted[30];
    snprintf(wanted, sizeof wanted, "Hello, #%d", state.base + number);
    if (must) CHECK_INT(t->code, CHATGPTT_DONE);
    if (t->code == CHATGPTT_DONE) CHECK_STR(t->text, wanted);
    else CHECK(t->code < 0 && strncmp(t->text, wanted, strlen(t->text)) == 0);
    pthread_mutex_lock(&turn);
    int arrived = state.arrived[number];
    pthread_mutex_unlock(&turn);
    if (arrived == 2 && sys.may_repeat && sys.flaw != SYS_ETIMEDOUT && sys.flaw != SYS_ENOMEM) repeated++;
    else if (!CHECK(arrived <= 1)) printf("    message %d arrived %d times\n", number, arrived);
}

static const scenario *torturing;

/* After EINTR, EAGAIN and half a count the message is answered as ever; where a call may say them. */
static bool is_mere_delay(void) {
    if (sys.flaw == SYS_EINTR) return sys.call > SYS_SOCKET && sys.call != SYS_GETSOCKOPT;
    if (sys.flaw == SYS_EAGAIN) return sys.call == SYS_POLL || sys.call >= SYS_RECV;
    if (sys.flaw == SYS_SHORT) return sys.call == SYS_POLL || sys.call >= SYS_RECV;
    return sys.call == SYS_SETSOCKOPT;
}

static bool run(sys_call call, sys_flaw flaw, int n) {
    bool was_bad = check_now.bad;
    static int serial;
    chatgptt_options options;
    char url[60], proxy[60];
    told t[3];
    check_now.bad = false;
    memset(&sys, 0, sizeof sys);
    pthread_mutex_lock(&turn);
    memset(&state, 0, sizeof state);
    state.how = torturing->how;
    state.base = 3 * serial++;
    pthread_mutex_unlock(&turn);
    memset(&options, 0, sizeof options);
    options.url = here.url;
    options.hooks.resize = count_resize;
    options.idle_timeout_ms = options.connect_timeout_ms = 3000;
    snprintf(url, sizeof url, "http://localhost:%d/", here.port);
    if (torturing->how & NAME) options.url = url;
    snprintf(proxy, sizeof proxy, "127.0.0.1:%d", here.port);
    if (torturing->how & PROXY) {
        options.proxy = proxy;
        options.url = "http://site.test/";
    }
    sys.call = call;
    sys.flaw = flaw;
    sys.at = n;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    if (!CHECK(c != NULL)) return false;
    t[0] = ask(c, 1);
    t[1] = ask(c, 2);
    bool hit = sys.hit;
    sys.at = 0;
    t[2] = ask(c, 3);
    chatgptt_close(c);
    for (int i = 0; i < 3; i++) judge(&t[i], i + 1, i == 2 || !hit || is_mere_delay());
    CHECK(t[0].code == CHATGPTT_DONE || t[1].code == CHATGPTT_DONE); /* one flaw spoils one message */
    CHECK_INT(sys.open_fds, 0);
    CHECK_INT(live, 0);
    if (check_now.bad) {
        printf("    in: %s, %s in %s %d\n", torturing->name, flaw_names[flaw], call_names[call], n);
        for (int i = 0; i < 3; i++)
            printf("    %s \"%s\" %s\n", chatgptt_code_name(t[i].code), t[i].text, t[i].error);
    }
    check_now.bad |= was_bad;
    runs_of[call][flaw]++;
    failed_of[call][flaw] += t[0].code < 0 || t[1].code < 0;
    struck_whole += hit && t[0].code == CHATGPTT_DONE && t[1].code == CHATGPTT_DONE;
    return hit;
}

/* A site a call: it bears 200 connections. */
static void torture_scenario(void) {
    int calls[SYS_CALLS] = { 0 };
    long runs = 0;
    for (int call = 0; call < SYS_CALLS; call++)
        for (int flaw = 0; flaw < SYS_FLAWS && !check_now.bad; flaw++) {
            int n = 1;
            if (!CHECK(site_start(&here, serve, NULL))) return;
            while (run((sys_call)call, (sys_flaw)flaw, n) && n < 40 && !check_now.bad) n++;
            site_stop(&here);
            if (n > calls[call]) calls[call] = n - 1;
            runs += n;
        }
    CHECK(calls[SYS_RECV] > 3 && calls[SYS_SEND] > 1 && calls[SYS_CONNECT] > 0);
    printf("%-36s", torturing->name);
    for (int call = 0; call < SYS_CALLS; call++)
        printf(" %d %s%s", calls[call], call_names[call], call + 1 < SYS_CALLS ? "," : "");
    printf(": %ld runs\n", runs);
}

int main(void) {
    long sum = 0;
    for (size_t i = 0; i < SCENARIOS; i++) {
        torturing = &scenarios[i];
        check_case(torturing->name, torture_scenario);
    }
    for (int call = 0; call < SYS_CALLS; call++) {
        printf("%-11s", call_names[call]);
        for (int flaw = 0; flaw < SYS_FLAWS; flaw++) {
            printf(" %s %ld/%ld", flaw_names[flaw], failed_of[call][flaw], runs_of[call][flaw]);
            sum += runs_of[call][flaw];
        }
        printf("  (failed/runs)\n");
    }
    printf("sockets: %ld runs in %zu scenarios, %ld struck and yet answered whole, %ld sent again by the one "
           "safe "
           "rule\n",
           sum, SCENARIOS, struck_whole, repeated);
    return check_report("torture_sockets");
}
