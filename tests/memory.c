/* memory BYTES events|json - asks a site in a process of its own for an answer of BYTES and prints the peak
   memory, in KB, that this process took for it. Without sanitizers, which have a memory of their own:
   test_memory.sh builds and runs it. */
#define CHATGPTT_IMPLEMENTATION
#include "../chatgptt.h"
#include "site.h"
#include <sys/wait.h>

static size_t answer_len;

#define CONTENT "data: {\"choices\":[{\"delta\":{\"content\":\""
#define HEAD    "{\"status\":\"success\",\"data\":\""
#define TAIL    "\",\"log\":false}"

/* Pieces of 64 bytes of text, many at a time: all that is sent lies in constant arrays. */
static bool talk_events(int socket)
{
    static char batch[16384];
    char event[200], piece[65];
    size_t len = 0, count = 0;
    memset(piece, 'x', 64);
    piece[64] = '\0';
    int size = snprintf(event, sizeof event, CONTENT "%s\"}}]}\n\n", piece);
    for (; len + (size_t)size < sizeof batch; len += (size_t)size, count++)
        memcpy(batch + len, event, (size_t)size);
    bool good = site_stream_begin(socket);
    for (size_t sent = 0; good && sent < answer_len; sent += 64 * count) {
        if ((answer_len - sent) / 64 < count) count = (answer_len - sent) / 64, len = count * (size_t)size;
        good = site_chunk(socket, batch, len);
    }
    return good && site_stream_end(socket);
}

static bool talk_json(int socket)
{
    static char batch[16384];
    char head[200];
    size_t len = sizeof batch;
    memset(batch, 'x', sizeof batch);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n" HEAD,
             strlen(HEAD TAIL) + answer_len);
    bool good = site_say(socket, head);
    for (size_t sent = 0; good && sent < answer_len; sent += len) {
        if (answer_len - sent < len) len = answer_len - sent;
        good = site_write(socket, batch, len);
    }
    return good && site_say(socket, TAIL);
}

static bool talk(const site_request *request, int socket)
{
    if (memcmp(request->http.head, "GET ", 4) == 0)
        return site_page(socket, request->site, "0123456789", "7");
    return *(bool *)request->user ? talk_json(socket) : talk_events(socket);
}

/* The site as a child, until `stop` is closed. Returns its URL through `ready`. */
static void serve(bool json, int ready, int stop)
{
    static site s;
    char byte;
    if (!site_start(&s, talk, &json) || write(ready, s.url, sizeof s.url) < 0) _exit(1);
    while (read(stop, &byte, 1) > 0) continue;
    site_stop(&s);
    _exit(0);
}

static long peak_kb(void)
{
    char line[200];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) kb = strtol(line + 6, NULL, 10);
    if (status) fclose(status);
    return kb;
}

static int count(void *user, const char *text, size_t len)
{
    *(size_t *)user += len;
    return text[0] != 'x';
}

static bool asks(const char *url)
{
    chatgptt_options options;
    chatgptt_request request;
    size_t len = 0;
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    options.url = url;
    request.prompt = "tell me all";
    chatgptt_client *c = chatgptt_open(&options, NULL);
    bool good = c && chatgptt_chat(c, &request, count, &len) == CHATGPTT_DONE && len == answer_len;
    if (!good)
        fprintf(stderr, "memory: %zu of %zu bytes: %s\n", len, answer_len, chatgptt_client_error(c)->message);
    chatgptt_close(c);
    return good;
}

int main(int argc, char **argv)
{
    int ready[2], stop[2], status = 0;
    char url[40] = "";
    if (argc != 3) return fprintf(stderr, "usage: memory BYTES events|json\n"), 2;
    answer_len = (size_t)strtoull(argv[1], NULL, 10) / 64 * 64;
    if (pipe(ready) != 0 || pipe(stop) != 0) return 1;
    pid_t child = fork();
    if (child == 0) {
        close(stop[1]);
        serve(strcmp(argv[2], "json") == 0, ready[1], stop[0]);
    }
    close(ready[1]);
    close(stop[0]);
    bool good = read(ready[0], url, sizeof url) == sizeof url && asks(url);
    close(stop[1]);
    waitpid(child, &status, 0);
    if (!good || status != 0) return 1;
    printf("%ld\n", peak_kb());
    return 0;
}
