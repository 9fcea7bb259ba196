/* What the gateway's tests need beside curl:

       helper site              a site that does what the message says: see answer()
       helper many N PORT       N clients of a gateway at once, each asks for a stream

   site prints url=... and then a line for each client that left it: "gone hang", "gone flood BYTES", and
   "held BYTES" when a flood was held back for a second. It lives until its standard input ends. many prints
   done=N wall_ms=N, N the clients that got a stream to its end; its exit status is 0 if all did. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(98);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* ==== site: a process a connection ==== */

static const char page[] =
    "<title>Chat</title><div class=\"wpaicg-chat-shortcode\" data-nonce=\"c0ffee\" data-post-id=\"7\" "
    "data-url=\"/\" data-bot-id=\"0\" data-type=\"shortcode\"></div>";

static bool say(int fd, const char *words)
{
    return send(fd, words, strlen(words), MSG_NOSIGNAL) == (ssize_t)strlen(words);
}

static void say_page(int fd, const char *status, const char *body)
{
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %lu\r\n\r\n",
             status, (unsigned long)strlen(body));
    if (say(fd, head)) say(fd, body);
}

static const char events[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
static const char delta[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"0123456789abcdef0123456789abcdef\"}}]}\n\n";

static void hang(int fd)
{
    char byte;
    if (read(fd, &byte, 1) <= 0) puts("gone hang");
}

/* As much as is taken. */
static void flood(int fd)
{
    struct timeval second = { 1, 0 };
    unsigned long bytes = 0;
    bool told = false;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
    for (;;) {
        struct pollfd on = { 0, POLLOUT, 0 };
        ssize_t n;
        on.fd = fd;
        if (poll(&on, 1, 1000) == 0) {
            if (!told) printf("held %lu\n", bytes);
            told = true;
            fflush(stdout);
            continue;
        }
        n = send(fd, delta, sizeof delta - 1, MSG_NOSIGNAL);
        if (n > 0) bytes += (unsigned long)n;
        if (n < 0 && (on.revents & (POLLERR | POLLHUP))) break;
    }
    printf("gone flood %lu\n", bytes);
}

/* What the message asks for. False: the connection is over. */
static bool answer(int fd, const char *request)
{
    if (strncmp(request, "GET", 3) == 0) return say_page(fd, "200 OK", page), true;
    if (strstr(request, "quota")) return say_page(fd, "429 Too Many Requests", "Slow down, please."), true;
    if (strstr(request, "flagged")) {
        say_page(fd, "200 OK", "{\"status\":\"error\",\"msg\":\"Your message has been flagged.\","
                 "\"messageFlagged\":true}");
        return true;
    }
    if (strstr(request, "hang")) return hang(fd), false;
    say(fd, events);
    if (strstr(request, "flood")) return flood(fd), false;
    say(fd, delta);
    if (strstr(request, "slow")) return hang(fd), false;
    if (!strstr(request, "breaks")) say(fd, "data: [DONE]\n\n");
    return false;
}

static void serve(int fd)
{
    static char request[1 << 20];
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, request + len, sizeof request - 1 - len)) > 0) {
        const char *end, *length;
        request[len += (size_t)n] = '\0';
        end = strstr(request, "\r\n\r\n");
        if (!end) continue;
        length = strstr(request, "Content-Length: ");
        if (length && strlen(end + 4) < strtoul(length + 16, NULL, 10)) continue;
        len = 0;
        if (!answer(fd, request)) return;
    }
}

static int site(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    struct pollfd on[2] = { { 0, POLLIN, 0 }, { 0, POLLIN, 0 } };
    struct sigaction ignore;
    int fd = on[1].fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignore, NULL);
    setpgid(0, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) die("site");
    printf("url=http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (poll(on, 2, -1) > 0 && !on[0].revents) {
        int client = accept(fd, NULL, NULL);
        if (fork() == 0) {
            serve(client);
            fflush(stdout);
            _exit(0);
        }
        close(client);
    }
    sigaction(SIGTERM, &ignore, NULL);
    kill(0, SIGTERM);                           /* those that still hang */
    return 0;
}

/* ==== many ==== */

typedef struct client { size_t len; } client;     /* how much of the last event has come */

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int ask(int port)
{
    static const char body[] = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
    struct sockaddr_in address = loopback(port);
    char request[512];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    snprintf(request, sizeof request, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
             "Content-Length: %lu\r\n\r\n%s", (unsigned long)strlen(body), body);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    if (!say(fd, request)) die("send");
    return fd;
}

/* True once the stream's last event has come; the event may come in pieces. */
static bool take(client *c, const char *bytes, size_t len)
{
    static const char last[] = "data: [DONE]\n\n";
    size_t i;
    for (i = 0; i < len; i++) {
        c->len = bytes[i] == last[c->len] ? c->len + 1 : bytes[i] == last[0];
        if (c->len == sizeof last - 1) return true;
    }
    return false;
}

static size_t listen_to_all(struct pollfd *on, client *clients, size_t count)
{
    size_t left = count, done = 0, i;
    while (left && poll(on, (nfds_t)count, 60000) > 0) {
        for (i = 0; i < count; i++) {
            char bytes[4096];
            ssize_t n = on[i].revents ? read(on[i].fd, bytes, sizeof bytes) : 1;
            bool whole = on[i].revents && n > 0 && take(&clients[i], bytes, (size_t)n);
            if (n > 0 && !whole) continue;
            done += whole;
            left--;
            close(on[i].fd);
            on[i].fd = -1;
            on[i].revents = 0;
        }
    }
    return done;
}

static int many(size_t count, int port)
{
    struct pollfd *on = (struct pollfd *)calloc(count, sizeof *on);
    client *clients = (client *)calloc(count, sizeof *clients);
    long long begun = now_ms();
    struct rlimit limit;
    size_t i, done;
    if (!on || !clients || getrlimit(RLIMIT_NOFILE, &limit) < 0) die("many");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (i = 0; i < count; i++) {
        on[i].fd = ask(port);
        on[i].events = POLLIN;
    }
    done = listen_to_all(on, clients, count);
    printf("done=%lu wall_ms=%lld\n", (unsigned long)done, now_ms() - begun);
    free(on);
    free(clients);
    return done < count;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "site") == 0) return site();
    if (argc == 4 && strcmp(argv[1], "many") == 0)
        return many(strtoul(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
    return fputs("usage: helper site | many N PORT\n", stderr), 2;
}
