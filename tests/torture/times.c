/* times.c - deadlines and cancels in real time: in every phase of a message 200 runs each end within 100 ms
   of the moment they should, and never before it, by the library's clock of whole ms. What the machine makes
   a ready thread wait is taken off, as far as the system tells (schedstat). The lookup of a name is no such
   phase: it blocks. */
#include "../check.h"
#include <sys/socket.h>

/* The client's sockets hold little unsent, so that a message of 100 KB gets stuck. */
static int little_setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    int size = 4096;
    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) |
           setsockopt(fd, level, name, value, len);
}

#define setsockopt(fd, level, name, value, len) little_setsockopt(fd, level, name, value, len)
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#undef setsockopt
#include "../site.h"

enum { RUNS = 200, RUNS_A_SITE = 100, LATE_MS = 100, CLOCK_MS = 1 };

typedef enum phase {
    CONNECTING,
    HANDSHAKE,
    TUNNEL,
    PAGE_HEAD,
    PAGE_BODY,
    SENDING,
    ANSWER_HEAD,
    ANSWER_BODY,
    KEY_HEAD,
    NEWER_ANSWER,
    PHASES
} phase;
typedef enum way { TOTAL, OWN_LIMIT, CANCEL, TICK, WAYS } way;

static const char *const phase_names[] = { "connecting",  "TLS handshake", "proxy's tunnel", "page's head",
                                           "page's body", "sending",       "answer's head",  "answer's body",
                                           "newer: key",  "newer: answer" };
static const char *const way_names[] = { "total_timeout_ms", "the phase's own limit", "cancel()", "on_tick" };

/* ---- the far sides: a listener that accepts nobody, or a site that falls silent ---- */

static int listen_deaf(int backlog, int *port) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

/* Connections that fill a listener's queue, so that the next ones get no answer. */
static void fill(int fds[4], int port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
}

static bool say_newer_page(int socket) {
    return site_reply(socket, "200 OK", "text/html",
                      "<div class=\"aipkit_chat_container\" data-config='"
                      "{\"botId\":7,\"nonce\":\"0123456789\",\"postId\":5}'></div>");
}

static bool serve(const site_request *r, int socket) {
    phase where = *(const phase *)r->user;
    bool page = r->number == 0, newer = where >= KEY_HEAD;
    if (page && where == PAGE_BODY)
        return site_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<title>Half a page</title>");
    if (page) {
        bool good = newer ? say_newer_page(socket) : site_page(socket, r->site, "0123456789", "7");
        if (where == SENDING) site_await(r->site, 1000000, 1000); /* reads no more meanwhile */
        return good;
    }
    if (where == ANSWER_BODY) return site_stream_begin(socket) && site_stream_text(socket, "Half an ans");
    if (where == NEWER_ANSWER && r->number == 1)
        return site_reply(socket, "200 OK", "application/json",
                          "{\"success\":true,\"data\":{\"cache_key\":"
                          "\"aipkit_sse_k\"}}");
    return true;
}

/* ---- time ---- */

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* How long this thread was ready in all while others ran; 0: the system does not tell. */
static double queued_ms(void) {
    unsigned long long ran = 0, queued = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    if (file && fscanf(file, "%llu %llu", &ran, &queued) != 2) queued = 0;
    if (file) fclose(file);
    return (double)queued / 1e6;
}

/* ---- a run ---- */

typedef struct job { /* a phase, in a thread of its own */
    phase where;
    site site;
    int port, deaf, fillers[4];
    unsigned chance;
    /* results */
    int early[WAYS], late[WAYS], wrong[WAYS], runs[WAYS];
    double worst[WAYS], sum[WAYS];
    char words[400]; /* of the first that went wrong */
    double cancel_at; /* for on_tick */
    char *prompt;
} job;

static int tick(void *user) { return now_ms() >= ((const job *)user)->cancel_at; }

static unsigned chance(job *j, unsigned below) {
    j->chance = j->chance * 1103515245u + 12345u;
    return (j->chance >> 16) % below;
}

/* Steps until `at`, then cancels. */
static chatgptt_code step_and_cancel(chatgptt_stream *stream, double at) {
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_step(stream, &event)) == CHATGPTT_OK || code == CHATGPTT_AGAIN) {
        chatgptt_wait want = chatgptt_want(stream);
        struct pollfd on[2];
        double left = at - now_ms();
        if (left <= 0) {
            chatgptt_cancel(stream);
            continue;
        }
        if (code == CHATGPTT_OK) continue;
        for (int i = 0; i < want.count; i++) {
            on[i].fd = want.on[i].fd;
            on[i].events = (short)((want.on[i].events & CHATGPTT_READ ? POLLIN : 0) |
                                   (want.on[i].events & CHATGPTT_WRITE ? POLLOUT : 0));
        }
        if (want.timeout_ms < 0 || want.timeout_ms > left) want.timeout_ms = (int)left + 1;
        poll(on, (nfds_t)want.count, want.timeout_ms);
    }
    return code;
}

static chatgptt_options job_options(job *j, way how, int ms, char *url, char *proxy) {
    chatgptt_options o;
    bool silent = j->where < PAGE_BODY, https = j->where == HANDSHAKE || j->where == TUNNEL;
    memset(&o, 0, sizeof o);
    snprintf(url, 60, "%s://127.0.0.1:%d/", https ? "https" : "http", silent ? j->port : j->site.port);
    snprintf(proxy, 60, "127.0.0.1:%d", j->port);
    o.url = url;
    if (j->where == TUNNEL) o.proxy = proxy;
    o.insecure = true; /* no trust store has to be read */
    if (how == TOTAL) o.total_timeout_ms = ms;
    if (how == OWN_LIMIT && j->where <= TUNNEL) o.connect_timeout_ms = ms;
    else if (how == OWN_LIMIT) o.idle_timeout_ms = ms;
    return o;
}

static void note(job *j, way how, chatgptt_code code, const char *words, double late) {
    bool times_out = how <= OWN_LIMIT, broke = j->where == ANSWER_BODY && code == CHATGPTT_E_INCOMPLETE;
    bool wrong = code != (times_out ? CHATGPTT_E_TIMEOUT : CHATGPTT_E_CANCELLED) && !(times_out && broke);
    double limit = how == TICK ? LATE_MS + 10 : LATE_MS; /* on_tick is asked every 100 ms */
    j->runs[how]++;
    j->wrong[how] += wrong;
    j->early[how] += late < -CLOCK_MS;
    j->late[how] += late > limit;
    j->sum[how] += late;
    if (late > j->worst[how]) j->worst[how] = late;
    if ((wrong || late < -CLOCK_MS || late > limit) && !j->words[0])
        snprintf(j->words, sizeof j->words, "%s: %s %.1f ms late: %s", way_names[how],
                 chatgptt_code_name(code), late, words);
}

static void run(job *j, way how) {
    char url[60], proxy[60];
    int ms = 1 + (int)chance(j, how == TICK ? 100 : 30);
    chatgptt_options options = job_options(j, how, ms, url, proxy);
    chatgptt_error error;
    chatgptt_request request;
    chatgptt_client *c = chatgptt_open(&options, &error);
    if (!c) {
        note(j, how, error.code, error.message, 0);
        return;
    }
    memset(&request, 0, sizeof request);
    request.prompt = j->where == SENDING ? j->prompt : "Hello?";
    if (how == TICK) {
        request.on_tick = tick;
        request.tick_user = j;
    }
    double queued = queued_ms(), begun = now_ms();
    chatgptt_event event;
    chatgptt_stream *stream = chatgptt_start(c, &request);
    chatgptt_code code;
    j->cancel_at = begun + ms;
    if (how == CANCEL) code = step_and_cancel(stream, begun + ms);
    else do
            code = chatgptt_next(stream, &event);
        while (code == CHATGPTT_OK);
    double late = now_ms() - begun - ms;
    if (late > 0) {
        late -= queued_ms() - queued;
        if (late < 0) late = 0;
    }
    if (how == OWN_LIMIT && j->where > TUNNEL && late < 0) late = 0; /* of silence: begins later */
    note(j, how, code, chatgptt_stream_error(stream)->message, late);
    chatgptt_finish(stream);
    chatgptt_close(c);
}

/* Its sockets take little unread. */
static void start_site(job *j) {
    int size = 4096;
    if (!site_start(&j->site, serve, &j->where) ||
        setsockopt(j->site.listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0)
        abort();
}

static void *work(void *user) {
    job *j = (job *)user;
    bool silent = j->where < PAGE_BODY;
    for (int how = 0; how < WAYS; how++)
        for (int i = 0; i < RUNS; i++) {
            if (!silent && i % RUNS_A_SITE == 0) start_site(j);
            run(j, (way)how);
            int gone = j->where == CONNECTING || !silent ? -1 : accept(j->deaf, NULL, NULL);
            if (gone >= 0) close(gone);
            if (!silent && (i + 1) % RUNS_A_SITE == 0) site_stop(&j->site);
        }
    return NULL;
}

/* ---- all phases side by side: they only wait ---- */

static job jobs[PHASES];
static const job *judged;

static void judge(void) {
    for (int how = 0; how < WAYS; how++) {
        CHECK_INT(judged->runs[how], RUNS);
        CHECK_INT(judged->wrong[how], 0);
        CHECK_INT(judged->early[how], 0);
        CHECK_INT(judged->late[how], 0);
        printf("%-15s %-22s %d runs, %5.1f ms late on average, %5.1f at worst\n", phase_names[judged->where],
               way_names[how], judged->runs[how], judged->sum[how] / RUNS, judged->worst[how]);
    }
    if (judged->words[0]) printf("    %s\n", judged->words);
}

/* Which this build cannot speak. */
static bool needs_tls(phase where) {
#ifdef CHATGPTT_NO_TLS
    return where == HANDSHAKE || where == TUNNEL;
#else
    return (void)where, false;
#endif
}

int main(void) {
    static char prompt[100001];
    pthread_t threads[PHASES];
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(prompt, 'x', sizeof prompt - 1);
    for (int i = 0; i < PHASES; i++) {
        if (needs_tls((phase)i)) continue;
        job *j = &jobs[i];
        j->where = (phase)i;
        j->chance = (unsigned)i;
        j->prompt = prompt;
        j->deaf = -1;
        if (i < PAGE_BODY) j->deaf = listen_deaf(i == CONNECTING ? 0 : 1000, &j->port);
        if (i == CONNECTING) fill(j->fillers, j->port);
        if (pthread_create(&threads[i], NULL, work, j) != 0) abort();
    }
    for (int i = 0; i < PHASES; i++) {
        if (needs_tls((phase)i)) continue;
        pthread_join(threads[i], NULL);
        if (jobs[i].deaf >= 0) close(jobs[i].deaf);
        for (int k = 0; i == CONNECTING && k < 4; k++) close(jobs[i].fillers[k]);
        judged = &jobs[i];
        check_case(phase_names[i], judge);
    }
    return check_report("torture_times");
}
