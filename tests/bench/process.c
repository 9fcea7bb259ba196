/* process CHATGPTT - whole processes over loopback: the page, then 500 deltas; what each costs in time, CPU
   and memory. The peers are curl with the same two requests on one connection, and over http this program
   with --bare: the fewest calls that do the work. All start, load their libraries and, over https, read the
   store of the system (with one root of ours behind it) and shake hands. */
#define _DEFAULT_SOURCE                     /* wait4(), ptrace() */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#ifndef CHATGPTT_NO_TLS
#include "../tls_site.h"                    /* before site.h, whose `site` is a type */
#endif
#include "../site.h"
#include "bench.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { DELTAS = 500 };

extern char **environ;

static char reply[16000];                   /* the event stream, with its head */

static void make_reply(void)
{
    static const char delta[] = "data: {\"delta\":\" word\"}\n\n", done[] = "data: [DONE]\n\n";
    size_t len =
        (size_t)snprintf(reply, sizeof reply,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %zu\r\n\r\n",
                         (sizeof delta - 1) * DELTAS + sizeof done - 1);
    for (int i = 0; i < DELTAS; i++, len += sizeof delta - 1) memcpy(reply + len, delta, sizeof delta);
    memcpy(reply + len, done, sizeof done);
}

static bool serve(const site_request *request, int socket)
{
    if (memcmp(request->http.head, "GET ", 4) == 0)
        return site_page(socket, request->site, "0123abcdef", "7");
    return site_say(socket, reply);
}

/* What one process took. */
typedef struct cost { double wall_ms, cpu_ms, peak_kb; } cost;

static double ms_of(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

static pid_t start(char **argv)
{
    posix_spawn_file_actions_t to;
    pid_t child;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
    bench_must(posix_spawnp(&child, argv[0], &to, NULL, argv, environ) == 0, "a program cannot be started");
    posix_spawn_file_actions_destroy(&to);
    return child;
}

/* Peak memory as the process has it when it ends: what wait4() tells is never less than its parent's. */
static double peak_of(char **argv)
{
    char path[40], line[200];
    double peak = 0;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, 1) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(126);
        execvp(argv[0], argv);
        _exit(127);
    }
    bench_must(child > 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status), "no trace");
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACEEXIT);
    for (int with = 0; WIFSTOPPED(status); waitpid(child, &status, 0)) {
        with = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        snprintf(path, sizeof path, "/proc/%d/status", (int)child);
        FILE *file = status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8) ? fopen(path, "r") : NULL;
        while (file && fgets(line, sizeof line, file))
            if (memcmp(line, "VmHWM:", 6) == 0) peak = strtod(line + 6, NULL);
        if (file) fclose(file);
        ptrace(PTRACE_CONT, child, NULL, (void *)(size_t)with);
    }
    bench_must(WIFEXITED(status) && WEXITSTATUS(status) == 0 && peak > 0, argv[0]);
    return peak;
}

/* Ends well, or the bench ends. */
static cost run(char **argv)
{
    struct rusage used;
    int status = -1;
    double begun = bench_now();
    pid_t child = start(argv);
    bench_must(wait4(child, &status, 0, &used) == child && status == 0, argv[0]);
    double wall = bench_now() - begun;
    return (cost){ wall, ms_of(used.ru_utime) + ms_of(used.ru_stime), peak_of(argv) };
}

/* ---- the peer without a library: two requests, the answer by memmem ---- */

static void bare_request(int socket, const char *request, const char *last)
{
    static char in[65536];
    size_t len = 0;
    bench_must(write(socket, request, strlen(request)) == (ssize_t)strlen(request), "bare: write");
    for (;;) {
        ssize_t got = read(socket, in + len, sizeof in - 1 - len);
        bench_must(got > 0, "bare: read");
        size_t from = len;
        len += (size_t)got;
        in[len] = '\0';
        for (char *at = in + from; (at = strstr(at, "\"delta\":\"")) != NULL; at++)
            fwrite(at + 9, 1, 5, stdout);
        fflush(stdout);
        if (strstr(in, last)) return;
    }
}

static int bare(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int s = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench_must(s >= 0 && connect(s, (struct sockaddr *)&address, sizeof address) == 0, "bare: connect");
    bare_request(s, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "data-nonce");
    bare_request(s,
                 "POST /wp-admin/admin-ajax.php HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\nmessage=hello",
                 "[DONE]");
    return 0;
}

static bool curl_found(void)
{
    static char curl[] = "curl", version[] = "--version";
    char *argv[] = { curl, version, NULL };
    posix_spawn_file_actions_t to;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
    bool found = posix_spawnp(&child, argv[0], &to, NULL, argv, environ) == 0 &&
                 waitpid(child, &status, 0) == child && status == 0;
    posix_spawn_file_actions_destroy(&to);
    return found;
}

enum { WALL, CPU, PEAK, COSTS };

/* By turns; a line each of wall, CPU and peak memory, as ours / peer. A target that is NULL has no line. */
static void row(const char *what, const char *peer_name, char **ours, char **peer,
                const char *const targets[COSTS])
{
    static const char *const names[COSTS] = { "wall", "CPU", "peak memory" };
    double our[COSTS][BENCH_ROUNDS], their[COSTS][BENCH_ROUNDS], ratio[COSTS][BENCH_ROUNDS];
    bench_what = what;
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        cost a = run(ours), b = run(peer);
        our[WALL][i] = a.wall_ms, our[CPU][i] = a.cpu_ms, our[PEAK][i] = a.peak_kb;
        their[WALL][i] = b.wall_ms, their[CPU][i] = b.cpu_ms, their[PEAK][i] = b.peak_kb;
        for (int k = 0; k < COSTS; k++) ratio[k][i] = our[k][i] / their[k][i];
    }
    for (int k = 0; k < COSTS; k++) {
        char name[120], left[40], right[40];
        const char *unit = k == PEAK ? "KB" : "ms";
        if (!targets[k]) continue;
        snprintf(name, sizeof name, "%s, %s: ours / %s", what, names[k], peer_name);
        snprintf(left, sizeof left, "%.2f %s", bench_median(our[k], BENCH_ROUNDS), unit);
        snprintf(right, sizeof right, "%.2f %s", bench_median(their[k], BENCH_ROUNDS), unit);
        bench_line(name, left, right, bench_median(ratio[k], BENCH_ROUNDS), targets[k]);
    }
}

#define ARG(text) ((char *)(size_t)(text))  /* argv's strings are not const, but nobody writes to them */

static void rows(const char *what, const char *program, const char *url, const char *roots,
                 const char *const targets[COSTS])
{
    char endpoint[120];
    snprintf(endpoint, sizeof endpoint, "%swp-admin/admin-ajax.php", url);
    char *ours[] = { ARG(program), ARG("--proxy"), ARG(""),      ARG("--ca"), ARG(roots),
                     ARG("--url"), ARG(url),       ARG("hello"), NULL };
    char *curl[] = { ARG("curl"),
                     ARG("-sSfN"),
                     ARG("--noproxy"),
                     ARG("*"),
                     ARG("--cacert"),
                     ARG(roots),
                     ARG(url),
                     ARG("--next"),
                     ARG("-sSfN"),
                     ARG("--noproxy"),
                     ARG("*"),
                     ARG("--cacert"),
                     ARG(roots),
                     ARG("-d"),
                     ARG("_wpnonce=0123abcdef&post_id=7&action=wpaicg_chat_shortcode_message&message=hello"),
                     ARG(endpoint),
                     NULL };
    if (curl_found()) row(what, "curl --next", ours, curl, targets);
    else bench_skip(what, "no curl");
}

static void bare_rows(const char *bench, const char *what, const char *program, const site *s)
{
    static const char *const targets[COSTS] = { "<= 1.2", "<= 1.4", "<= 1.2" };
    char port[12];
    snprintf(port, sizeof port, "%d", s->port);
    char *ours[] = { ARG(program), ARG("--proxy"), ARG(""), ARG("--url"), ARG(s->url), ARG("hello"), NULL };
    char *peer[] = { ARG(bench), ARG("--bare"), port, NULL };
    row(what, "bare C", ours, peer, targets);
}

#ifndef CHATGPTT_NO_TLS

static size_t answer(const http_request *request, char *out, size_t size)
{
    static const char page[] = "<div data-nonce=\"0123abcdef\" data-post-id=\"7\"></div>\n";
    if (memcmp(request->head, "GET ", 4) == 0)
        return (size_t)snprintf(out, size,
                                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n%s",
                                sizeof page - 1, page);
    return (size_t)snprintf(out, size, "%s", reply);
}

/* The system's store, if it has one, and `pem` behind it. */
static bool write_roots(const char *path, const char *pem)
{
    static const char *const places[] = { CHATGPTT_TRUST_PLACES };
    static char bytes[1 << 20];
    FILE *from = NULL, *to = fopen(path, "w");
    for (size_t i = 0; i < sizeof places / sizeof *places && !from; i++) from = fopen(places[i], "r");
    size_t len = from ? fread(bytes, 1, sizeof bytes, from) : 0;
    if (from) fclose(from);
    if (!to) return false;
    bool good = fwrite(bytes, 1, len, to) == len && fputs(pem, to) >= 0;
    return fclose(to) == 0 && good;
}

static void https_row(const char *bench, const char *program)
{
    static cert root, leaf;
    static tls_site tls;
    char roots[4096], pem[CERT_PEM_MAX], url[60];
    cert_spec of_root = { .cn = "Root", .ca = true, .key_slot = 1 }, of_leaf = { .san = "IP:127.0.0.1" };
    certs_open();
    cert_make(&root, &of_root, NULL);
    cert_make(&leaf, &of_leaf, &root);
    cert_pem(&root, pem, sizeof pem);
    snprintf(roots, sizeof roots, "%s.pem", bench);
    bench_must(write_roots(roots, pem), "no room for a certificate");
    tls_site_settings settings = { .chain = { &leaf }, .answer = answer, .keep = true };
    bench_must(tls_site_start(&tls, &settings), "no loopback");
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", tls.port);
    static const char *const targets[COSTS] = { "-", "<= 0.28", "<= 0.22" };
    rows("process over https, system's store", program, url, roots, targets);
    tls_site_stop(&tls);
    certs_close();
}

#else
static void https_row(const char *bench, const char *program)
{
    (void)bench;
    (void)program;
    bench_skip("process over https, system's store", "built without TLS");
}
#endif

int main(int argc, char **argv)
{
    static const char *const targets[COSTS] = { "-", "<= 0.25", "<= 0.20" };
    static site s;
    if (argc == 3 && strcmp(argv[1], "--bare") == 0) return bare((int)strtol(argv[2], NULL, 10));
    if (argc != 2) return fprintf(stderr, "usage: process CHATGPTT\n"), 2;
    make_reply();
    bench_must(site_start(&s, serve, NULL), "no loopback");
    rows("process over http, 500 deltas", argv[1], s.url, "", targets);
    bare_rows(argv[0], "process over http, 500 deltas", argv[1], &s);
    site_stop(&s);
    https_row(argv[0], argv[1]);
}
