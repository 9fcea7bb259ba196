/* process CHATGPTT - whole processes over loopback: the page, then 500 deltas. The peer is curl with the same
   two requests on one connection. Both start, load their libraries and, over https, read one root and shake
   hands. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#ifndef CHATGPTT_NO_TLS
#include "../tls_site.h"                    /* before site.h, whose `site` is a type */
#endif
#include "../site.h"
#include "bench.h"
#include <fcntl.h>
#include <spawn.h>
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

/* Ends well, or the bench ends. */
static void run(void *user)
{
    char **argv = (char **)user;
    posix_spawn_file_actions_t to;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
    bench_must(posix_spawnp(&child, argv[0], &to, NULL, argv, environ) == 0, "a program cannot be started");
    posix_spawn_file_actions_destroy(&to);
    bench_must(waitpid(child, &status, 0) == child && status == 0, argv[0]);
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

#define ARG(text) ((char *)(size_t)(text))  /* argv's strings are not const, but nobody writes to them */

static void row(const char *what, const char *program, const char *url, const char *roots)
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
    bench_side we = { "ours", run, ours }, peer = { "curl", run, curl };
    if (curl_found()) bench_row(what, 0, BENCH_ROUNDS, we, peer);
    else bench_skip(what, "no curl");
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
    FILE *file = fopen(roots, "w");
    bench_must(file && fputs(pem, file) >= 0 && fclose(file) == 0, "no room for a certificate");
    tls_site_settings settings = { .chain = { &leaf }, .answer = answer, .keep = true };
    bench_must(tls_site_start(&tls, &settings), "no loopback");
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", tls.port);
    row("process over https, 500 deltas", program, url, roots);
    tls_site_stop(&tls);
    certs_close();
}

#else
static void https_row(const char *bench, const char *program)
{
    (void)bench;
    (void)program;
    bench_skip("process over https, 500 deltas", "built without TLS");
}
#endif

int main(int argc, char **argv)
{
    static site s;
    if (argc != 2) return fprintf(stderr, "usage: process CHATGPTT\n"), 2;
    make_reply();
    bench_must(site_start(&s, serve, NULL), "no loopback");
    row("process over http, 500 deltas", argv[1], s.url, "");
    site_stop(&s);
    https_row(argv[0], argv[1]);
}
