/* doctor.h - `chatgptt --doctor`: the way to a site's chat, step by step, without sending a message.

   It runs a message over a transport of its own. From the page on that lets nothing out but the handshake
   with the endpoint's server: the message's request is taken and thrown away, and no answer waited for. So
   what is told is what a message really meets, and still none is sent. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "chatgptt.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct doctor {
    const char *step;               /* the present one: it is what failed if the next does not come */
    long long began;                /* when it did */
    int fd;                         /* one connection at a time */
    bool finished;                  /* the handshake of TLS 1.3 on it */
    bool page_read;                 /* from here on nothing is to be sent */
    bool stopped;                   /* the message was to be sent now */
    bool told;                      /* what the page said of its chat */
    bool alert;                     /* a server that was not asked for TLS speaks it */
    bool proxy;                     /* every connection is one to it */
    char tunnel[128];               /* being asked for from it, host and port; empty: none */
    chatgptt_client *client;
    int (*interrupted)(void *user); /* the caller's on_tick */
    void *user;
    char request[256];              /* method and address, without a query */
} doctor;

static long long doctor_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ms < 0: no time belongs to it. What comes from a site must not drive the terminal. */
static void doctor_say(const char *step, long long ms, const char *words)
{
    if (ms < 0) printf("%-9s           ", step);
    else printf("%-9s %6lld ms  ", step, ms);
    for (; *words; words++)
        if ((unsigned char)*words >= ' ' && *words != 0x7F) putchar(*words);
    putchar('\n');
    fflush(stdout);
}

static void doctor_step(doctor *d, const char *step, const char *words, const char *next)
{
    long long now = doctor_now();
    doctor_say(step, now - d->began, words);
    d->began = now;
    d->step = next;
}

static void doctor_tell_chat(doctor *d)
{
    static const char *const plugins[] = { "", "AI Power 1.x to 2.2 (wpaicg)",
                                           "AI Power 2.3 or later (aipkit)" };
    const chatgptt_site *site = chatgptt_client_site(d->client);
    char words[512];
    if (d->told || !d->page_read) return;
    d->told = true;
    snprintf(words, sizeof words, "%s, bot %.100s%s%.100s", plugins[site->dialect], site->bot_id,
             *site->bot_name ? ": " : "", site->bot_name);
    doctor_say("tokens", -1, *d->request ? words : "none read: the endpoint gives them");
}

/* ==== the transport ==== */

static void doctor_close(void *user, void *conn)
{
    (void)user;
    close(*(int *)conn);
    free(conn);
}

static bool doctor_connect(doctor *d, const struct addrinfo *address)
{
    char host[64] = "?", port[16] = "?", words[256];
    int failed = 0;
    socklen_t size = sizeof failed;
    getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    d->fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (d->fd < 0) return false;
    fcntl(d->fd, F_SETFL, O_NONBLOCK);
    if (connect(d->fd, address->ai_addr, address->ai_addrlen) < 0) failed = errno;
    if (failed == EINPROGRESS) {
        struct pollfd ready = { d->fd, POLLOUT, 0 };
        failed = poll(&ready, 1, 5000) <= 0 ? ETIMEDOUT : 0;
        if (!failed) getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    }
    snprintf(words, sizeof words, "%s port %s%s%s", host, port, failed ? ": " : "",
             failed ? strerror(failed) : "");
    doctor_step(d, failed ? "no answer" : "connect", words, failed ? "connect" : "page");
    if (failed) close(d->fd);
    return !failed;
}

static void doctor_tell_addresses(doctor *d, const char *host, const struct addrinfo *list)
{
    char words[512], numeric[64];
    size_t len = (size_t)snprintf(words, sizeof words, "%s%.200s:", d->proxy ? "the proxy " : "", host);
    for (; list && len + sizeof numeric + 2 < sizeof words; list = list->ai_next)
        if (!getnameinfo(list->ai_addr, list->ai_addrlen, numeric, sizeof numeric, NULL, 0, NI_NUMERICHOST))
            len += (size_t)snprintf(words + len, sizeof words - len, " %s", numeric);
    doctor_step(d, "lookup", words, "connect");
}

static chatgptt_code doctor_open(void *user, const char *host, const char *port, void **conn)
{
    doctor *d = (doctor *)user;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    doctor_tell_chat(d);
    d->step = "lookup";
    d->began = doctor_now();
    d->finished = false;
    if (getaddrinfo(host, port, &hints, &list) != 0) return CHATGPTT_E_RESOLVE;
    doctor_tell_addresses(d, host, list);
    bool connected = false;
    for (const struct addrinfo *a = list; a && !connected; a = a->ai_next) connected = doctor_connect(d, a);
    freeaddrinfo(list);
    int *fd = connected ? malloc(sizeof *fd) : NULL;
    if (!fd && connected) close(d->fd);
    if (!fd) return connected ? CHATGPTT_E_MEMORY : CHATGPTT_E_CONNECT;
    *fd = d->fd;
    *conn = fd;
    return CHATGPTT_OK;
}

static chatgptt_code doctor_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    doctor *d = (doctor *)user;
    ssize_t n = recv(*(int *)conn, buffer, size, 0);
    if (n > 1 && strcmp(d->step, "page") == 0) d->alert = memcmp(buffer, "\x15\x03", 2) == 0;
    if (n > 0 && *d->tunnel) {
        doctor_step(d, "tunnel", d->tunnel, "tls");
        *d->tunnel = '\0';
    }
    *done = n > 0 ? (size_t)n : 0;
    if (n >= 0) return n ? CHATGPTT_OK : CHATGPTT_DONE;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? CHATGPTT_AGAIN : CHATGPTT_E_CLOSED;
}

/* What may be sent once the page was read: the way through a proxy, and a handshake's records, which are of
   the types 20 to 22 (RFC 8446 5.1). A request's are of type 23, but so is the last step of a handshake of
   TLS 1.3: the first of them may pass if no request fits in. */
static bool doctor_lets_out(doctor *d, const unsigned char *bytes, size_t size)
{
    enum { FINISHED = 80 };
    size_t at = 0;
    if (!d->page_read) return true;
    while (at + 5 <= size && bytes[at] >= 20 && bytes[at] <= 23) {
        size_t len = bytes[at + 3] * 256u + bytes[at + 4];
        if (bytes[at] == 23 && (d->finished || len > FINISHED)) return false;
        d->finished = d->finished || bytes[at] == 23;
        at += 5 + len;
    }
    return at == size;
}

static chatgptt_code doctor_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    doctor *d = (doctor *)user;
    int fd = *(int *)conn;
    bool tunnel = size > 8 && memcmp(bytes, "CONNECT ", 8) == 0;
    if (tunnel) {
        const char *to = (const char *)bytes + 8, *end = memchr(to, ' ', size - 8);
        snprintf(d->tunnel, sizeof d->tunnel, "to %.*s", end && end < to + 100 ? (int)(end - to) : 0, to);
        d->step = "tunnel";
    } else if (size > 1 && memcmp(bytes, "\x16\x03", 2) == 0) d->step = "tls";
    if (size && !tunnel && !doctor_lets_out(d, (const unsigned char *)bytes, size)) {
        d->stopped = true;
        *done = size;
        return CHATGPTT_OK;
    }
    for (*done = 0; *done < size;) {
        ssize_t n = send(fd, (const char *)bytes + *done, size - *done, MSG_NOSIGNAL);
        struct pollfd ready = { fd, POLLOUT, 0 };
        bool full = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (n > 0) *done += (size_t)n;
        else if (full && poll(&ready, 1, 5000) == 0) return CHATGPTT_E_IO;
        else if (!full && errno != EINTR) return CHATGPTT_E_CLOSED;
    }
    return CHATGPTT_OK;
}

static chatgptt_wait doctor_want(void *user, void *conn)
{
    chatgptt_wait want = { .count = 1, .timeout_ms = -1 };
    (void)user;
    want.on[0].fd = *(int *)conn;
    want.on[0].events = CHATGPTT_READ;
    return want;
}

static chatgptt_code doctor_wait(void *user, const chatgptt_wait *what)
{
    struct pollfd ready = { what->count ? what->on[0].fd : -1, POLLIN, 0 };
    (void)user;
    poll(&ready, 1, what->timeout_ms < 0 || what->timeout_ms > 100 ? 100 : what->timeout_ms);
    return CHATGPTT_OK;
}

/* ==== what the library tells on its way ==== */

static void doctor_trace(void *user, const char *what, const char *bytes, size_t len)
{
    doctor *d = (doctor *)user;
    char words[320];
    snprintf(words, sizeof words, "%.*s", (int)(len < 250 ? len : 250), bytes);
    if (strcmp(what, "tls") == 0) doctor_step(d, "tls", words, "page");
    else if (strcmp(what, "request") == 0) {
        snprintf(d->request, sizeof d->request, "%.250s", words);
        d->began = doctor_now();
        d->step = d->page_read ? "endpoint" : "page";
    } else if (strcmp(what, "redirect") == 0) {
        d->page_read = false;
        doctor_say("redirect", -1, words);
    } else if (strcmp(what, "status") == 0) {
        snprintf(words, sizeof words, "%.250s: status %.*s", d->request, (int)(len < 8 ? len : 8), bytes);
        d->page_read = true;
        doctor_step(d, "page", words, "page");
    }
}

static int doctor_tick(void *user)
{
    doctor *d = (doctor *)user;
    return d->stopped || d->interrupted(d->user);
}

static void doctor_tell_message(doctor *d, const chatgptt_options *o)
{
    const chatgptt_site *site = chatgptt_client_site(d->client);
    bool post = strncmp(d->request, "POST ", 5) == 0, aipkit = site->dialect != CHATGPTT_WPAICG;
    doctor_tell_chat(d);
    doctor_say("endpoint", -1, post ? d->request + 5 : o->endpoint ? o->endpoint : "as the page names it");
    doctor_say("message", -1, aipkit ? "not sent; a token, the bot's id and a session's id would go with it"
                                     : "not sent; the page's tokens and a client's id would go with it");
}

static void doctor_tell_failure(doctor *d, chatgptt_code code)
{
    char words[160];
    if (code == CHATGPTT_E_PAGE) d->step = "tokens";
    snprintf(words, sizeof words, "failed: %s (%s)%s", chatgptt_code_text(code), chatgptt_code_name(code),
             d->alert ? "; the server speaks TLS on this port: try https" : "");
    doctor_step(d, d->step, words, d->step);
}

/* Tells every step on standard output. OK, or what stands in the way. */
static chatgptt_code doctor_examine(const chatgptt_options *options, int (*interrupted)(void *user),
                                    void *user, chatgptt_error *error)
{
    doctor d = { .step = "lookup", .interrupted = interrupted, .user = user, .began = doctor_now() };
    chatgptt_options o = *options;
    chatgptt_request request = { .prompt = "nothing", .on_tick = doctor_tick, .tick_user = &d };
    const chatgptt_transport transport = { doctor_open, doctor_read, doctor_write, doctor_want,
                                           doctor_wait, doctor_close, &d };
    d.page_read = o.dialect == CHATGPTT_AIPKIT && o.endpoint && o.bot_id;
    d.proxy = o.proxy != NULL;
    o.transport = transport;
    o.hooks.trace = doctor_trace;
    o.hooks.user = &d;
    d.client = chatgptt_open(&o, error);
    if (!d.client) return error->code;
    chatgptt_code code = chatgptt_chat(d.client, &request, NULL, NULL);
    *error = *chatgptt_client_error(d.client);
    if (d.stopped) {
        doctor_tell_message(&d, &o);
        code = CHATGPTT_OK;
    } else doctor_tell_failure(&d, code);
    chatgptt_close(d.client);
    return code;
}

#endif
