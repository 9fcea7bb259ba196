/* site.h - a web site inside the test program: listens on 127.0.0.1, a thread a connection, one handler for
   every request. Replies are what the handler writes to the socket, in pieces and at times of its choosing.
   */
#ifndef SITE_H
#define SITE_H

#include "check.h"
#include "request.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*      site s;
        if (!CHECK(site_start(&s, site_chat, NULL))) return;
        options.url = s.url;
        ...
        site_stop(&s);                      ends all connections and joins all threads

    Handlers run on their connection's thread: they must not CHECK, but may note things for the main thread.
    */

#define SITE_CONNECTIONS 200                /* in all; further ones are closed at once */

typedef struct site_request {
    http_request http;                      /* for request_header() and request_field() */
    /* which connection of the site, which request on it; both from 0 */
    int connection, number;
    struct site *site;
    void *user;
} site_request;

/* Writes the reply. True: the connection is kept for the next request; false: it is closed. */
typedef bool site_handler(const site_request *request, int socket);

typedef struct site_visit {
    struct site *site;
    int number, socket;
    bool is_open;
    pthread_t thread;
} site_visit;

typedef struct site {
    char url[40];                           /* "http://127.0.0.1:PORT/" */
    int port;
    site_handler *handler;
    void *user;
    int listener, stop_pipe[2];
    pthread_t thread;
    pthread_mutex_t lock;                   /* for all that follows */
    pthread_cond_t nudged;
    bool stopping;
    int connections, requests, nudges;
    site_visit visits[SITE_CONNECTIONS];
} site;

/* ---- for handlers ---- */

/* Writes all of it; false if the client is gone. */
static inline bool site_write(int socket, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(socket, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}
static inline bool site_say(int socket, const char *text) { return site_write(socket, text, strlen(text)); }

static inline void site_sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) continue;
}

/* One chunk of a chunked body; of length 0: the end of the body. */
static inline bool site_chunk(int socket, const char *bytes, size_t len)
{
    char size[24];
    snprintf(size, sizeof size, "%zx\r\n", len);
    return site_say(socket, size) && site_write(socket, bytes, len) && site_say(socket, "\r\n");
}

/* A whole reply with a Content-Length. */
static inline bool site_reply(int socket, const char *status, const char *type, const char *body)
{
    char head[300];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status,
             type, strlen(body));
    return site_say(socket, head) && site_say(socket, body);
}

/* The page as plugin AI Power 1.x shows it, cut down to what a client looks at. */
static inline bool site_page(int socket, const site *s, const char *nonce, const char *post_id)
{
    char body[1500];
    snprintf(
        body, sizeof body,
        "<!DOCTYPE html>\n<html><head><title>Chat</title></head>\n<body>\n<div "
        "class=\"wpaicg-chat-shortcode\"\n"
        "     data-user-name=\"\"\n     data-type=\"shortcode\"\n     data-nonce=\"%s\"\n     "
        "data-post-id=\"%s\"\n"
        "     data-url=\"http://127.0.0.1:%d\"\n     data-bot-id=\"0\"\n     data-memory-limit = \"100\"\n"
        "     data-assistant-enabled=\"false\"\n     data-openai_stream_nav=\"1\">\n</div>\n"
        "<script>var wpaicgParams = {\"ajax_url\":\"http:\\/\\/127.0.0.1:%d\\/wp-admin\\/admin-ajax.php\","
        "\"search_nonce\":\"%s\"};</script>\n</body></html>\n",
        nonce, post_id, s->port, s->port, nonce);
    return site_reply(socket, "200 OK", "text/html; charset=UTF-8", body);
}

/* Text as the inside of a JSON string; NULL if it does not fit. */
static inline const char *site_escape(const char *text, char *out, size_t size)
{
    size_t len = 0;
    for (; *text && len + 7 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ') len += (size_t)snprintf(out + len, size - len, "\\u%04x", c);
        else if (c == '"' || c == '\\') out[len++] = '\\', out[len++] = *text;
        else out[len++] = *text;
    }
    out[len] = '\0';
    return *text ? NULL : out;
}

#define SITE_TEXT_MAX 8000                  /* of the escaped text in one of the replies below */

/* The reply that does not stream. */
static inline bool site_json(int socket, const char *text)
{
    char escaped[SITE_TEXT_MAX], body[SITE_TEXT_MAX + 200];
    if (!site_escape(text, escaped, sizeof escaped)) return false;
    snprintf(body, sizeof body,
             "{\"status\":\"success\",\"msg\":\"Something went wrong\",\"greeting_message\":\"Converse.\","
             "\"data\":\"%s\",\"log\":false}",
             escaped);
    return site_reply(socket, "200 OK", "application/json; charset=UTF-8", body);
}

/* The reply that streams: begin, any number of texts, end. Each is a chunk of its own. */
static inline bool site_stream_begin(int socket)
{
    return site_say(
        socket,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=UTF-8\r\nCache-Control: no-cache\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
}
static inline bool site_stream_text(int socket, const char *text)
{
    char escaped[SITE_TEXT_MAX], event[SITE_TEXT_MAX + 200];
    if (!site_escape(text, escaped, sizeof escaped)) return false;
    int len = snprintf(event, sizeof event,
                       "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":"
                       "[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
                       escaped);
    return site_chunk(socket, event, (size_t)len);
}
static inline bool site_stream_end(int socket)
{
    static const char last[] =
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":"
        "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    return site_chunk(socket, last, sizeof last - 1) && site_chunk(socket, "", 0);
}

/* A handler that will do for most: the page for GET, and the message back for POST, streamed in two pieces.
   */
static inline bool site_chat(const site_request *request, int socket)
{
    char message[SITE_TEXT_MAX / 6];
    if (memcmp(request->http.head, "GET ", 4) == 0)
        return site_page(socket, request->site, "0123456789", "7");
    if (!request_field(&request->http, "message", message, sizeof message))
        return site_reply(socket, "400 Bad Request", "text/html", "0");
    return site_stream_begin(socket) && site_stream_text(socket, "You said: ") &&
           site_stream_text(socket, message) && site_stream_end(socket);
}

/* ---- main thread and handlers in step: the one nudges, the other waits until there were n nudges in all
   ---- */

static inline void site_nudge(site *s)
{
    pthread_mutex_lock(&s->lock);
    s->nudges++;
    pthread_cond_broadcast(&s->nudged);
    pthread_mutex_unlock(&s->lock);
}

/* False: not within `ms`, or the site is stopping. */
static inline bool site_await(site *s, int n, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    pthread_mutex_lock(&s->lock);
    while (s->nudges < n && !s->stopping && pthread_cond_timedwait(&s->nudged, &s->lock, &until) == 0)
        continue;
    bool met = s->nudges >= n;
    pthread_mutex_unlock(&s->lock);
    return met;
}

/* ---- the server ---- */

/* Handles every whole request in the buffer; returns the bytes used, or -1 when the connection is to be
   closed. */
static inline ptrdiff_t site_handle(site_visit *visit, const char *bytes, size_t len, int *number)
{
    site *s = visit->site;
    site_request request;
    size_t used = 0, one;
    memset(&request, 0, sizeof request);
    request.site = s;
    request.user = s->user;
    request.connection = visit->number;
    while ((one = request_parse(bytes + used, len - used, &request.http)) > 0) {
        used += one;
        request.number = (*number)++;
        pthread_mutex_lock(&s->lock);
        s->requests++;
        pthread_mutex_unlock(&s->lock);
        if (!s->handler(&request, visit->socket)) return -1;
    }
    return (ptrdiff_t)used;
}

static inline void *site_serve(void *arg)
{
    site_visit *visit = (site_visit *)arg;
    size_t size = 1 << 16, len = 0;
    char *buffer = (char *)malloc(size);
    ptrdiff_t used = 0;
    int number = 0;
    if (!buffer) abort();
    while (used >= 0) {
        ssize_t n = recv(visit->socket, buffer + len, size - len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
        used = site_handle(visit, buffer, len, &number);
        if (used > 0) memmove(buffer, buffer + used, len -= (size_t)used);
        if (len == size) buffer = (char *)realloc(buffer, size *= 2);
        if (!buffer) abort();
    }
    free(buffer);
    pthread_mutex_lock(&visit->site->lock);
    /* under the lock: site_stop() must not shut down another's descriptor */
    visit->is_open = false;
    close(visit->socket);
    pthread_mutex_unlock(&visit->site->lock);
    return NULL;
}

static inline void site_welcome(site *s, int socket)
{
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pthread_mutex_lock(&s->lock);
    site_visit *visit = s->connections < SITE_CONNECTIONS ? &s->visits[s->connections] : NULL;
    if (visit) {
        visit->site = s;
        visit->socket = socket;
        visit->number = s->connections;
        visit->is_open = true;
        if (pthread_create(&visit->thread, NULL, site_serve, visit) != 0) visit = NULL;
    }
    if (visit) s->connections++;
    else close(socket);
    pthread_mutex_unlock(&s->lock);
}

/* Accepts until the pipe is closed. */
static inline void *site_accept(void *arg)
{
    site *s = (site *)arg;
    struct pollfd on[2] = {{s->listener, POLLIN, 0}, {s->stop_pipe[0], POLLIN, 0}};
    for (;;) {
        if (poll(on, 2, -1) < 0 && errno != EINTR) return NULL;
        if (on[1].revents) return NULL;
        int socket = on[0].revents ? accept(s->listener, NULL, NULL) : -1;
        if (socket >= 0) site_welcome(s, socket);
    }
}

static inline bool site_listen(site *s)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(s->listener, 64) != 0 || getsockname(s->listener, (struct sockaddr *)&address, &len) != 0)
        return false;
    s->port = ntohs(address.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/", s->port);
    return true;
}

/* Starts the site on a free port. False, with nothing left behind, if the system refuses. `user` is handed to
   every request. */
static inline bool site_start(site *s, site_handler *handler, void *user)
{
    memset(s, 0, sizeof *s);
    s->handler = handler;
    s->user = user;
    if (pipe(s->stop_pipe) != 0) return false;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->nudged, NULL);
    if (site_listen(s) && pthread_create(&s->thread, NULL, site_accept, s) == 0) return true;
    if (s->listener >= 0) close(s->listener);
    close(s->stop_pipe[0]);
    close(s->stop_pipe[1]);
    return false;
}

/* Stops listening, breaks every connection off, joins every thread; a handler that sleeps is waited for.
   Counts stay readable. */
static inline void site_stop(site *s)
{
    close(s->stop_pipe[1]);
    pthread_join(s->thread, NULL);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->nudged);
    for (int i = 0; i < s->connections; i++)
        if (s->visits[i].is_open) shutdown(s->visits[i].socket, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->connections; i++) pthread_join(s->visits[i].thread, NULL);
    close(s->listener);
    close(s->stop_pipe[0]);
    pthread_cond_destroy(&s->nudged);
    pthread_mutex_destroy(&s->lock);
}

/* connections or requests so far, while the site runs; after site_stop() read the field itself. */
static inline int site_count(site *s, const int *counter)
{
    pthread_mutex_lock(&s->lock);
    int n = *counter;
    pthread_mutex_unlock(&s->lock);
    return n;
}

#endif
