/* A long answer through the whole client: 64 MB of an event stream in chunks of 8 KB, out of a transport in
   memory, whose only work is the copy that is one peer. The other finds lines with memchr and gives each to
   cJSON; it is spared the chunks, and events that are cut by the end of what was read. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"
#ifdef BENCH_CJSON
#include <cjson/cJSON.h>
#endif

enum { STREAM = 64 << 20, CHUNK = 8192 };

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 48\r\n\r\n"
                           "<div data-nonce=\"0123abcdef\" data-post-id=\"7\">\r\n";
static const char head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

typedef struct world {
    const char *name, *event;               /* what the stream repeats */
    size_t event_text;                      /* bytes of text in it */
    double least;                           /* MB/s it is to reach; 0: no target */
    char data[CHUNK + 1];                   /* a chunk's inside, and the chunk */
    char chunk[CHUNK + 32];
    size_t data_len, chunk_len, chunk_text, chunks;
    size_t text;                            /* what arrived */
    int requests, part;                     /* part of the reply: page, head, chunks, end */
    size_t at, left;                        /* in the part; its repetitions */
} world;

static void make(world *w)
{
    size_t len = strlen(w->event), used = 0;
    w->chunk_text = 0;
    for (; used + len <= CHUNK; used += len, w->chunk_text += w->event_text)
        memcpy(w->data + used, w->event, len);
    w->data[used] = '\0';
    w->data_len = used;
    w->chunk_len = (size_t)snprintf(w->chunk, sizeof w->chunk, "%zx\r\n%s\r\n", used, w->data);
    w->chunks = STREAM / w->chunk_len;
}

/* The next of what is to be read, up to `size`; false: nothing until there is another request. */
static bool take(world *w, char *out, size_t size, size_t *done)
{
    const char *const parts[] = { page, head, w->chunk, end };
    const size_t lens[] = { sizeof page - 1, sizeof head - 1, w->chunk_len, sizeof end - 1 };
    if (w->part == 4 || w->requests < (w->part == 0 ? 1 : 2)) return false;
    size_t n = lens[w->part] - w->at < size ? lens[w->part] - w->at : size;
    memcpy(out, parts[w->part] + w->at, n);
    w->at += n;
    *done += n;
    if (w->at < lens[w->part]) return true;
    w->at = 0;
    if (w->part != 2 || --w->left == 0) w->part++;
    return true;
}

static chatgptt_code world_open(void *user, const char *host, const char *port, void **conn)
{
    (void)host;
    (void)port;
    *conn = user;
    return CHATGPTT_OK;
}

static chatgptt_code world_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    (void)conn;
    *done = 0;
    while (*done < size && take((world *)user, (char *)buffer + *done, size - *done, done)) {}
    return *done ? CHATGPTT_OK : CHATGPTT_AGAIN;
}

static chatgptt_code world_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    (void)conn;
    ((world *)user)->requests += memcmp(bytes, "GET ", 4) == 0 || memcmp(bytes, "POST", 4) == 0;
    *done = size;
    return CHATGPTT_OK;
}

static chatgptt_wait world_want(void *user, void *conn)
{
    chatgptt_wait none;
    (void)user;
    (void)conn;
    memset(&none, 0, sizeof none);
    return none;
}

static chatgptt_code world_wait(void *user, const chatgptt_wait *what) {
    (void)user;
    (void)what;
    return CHATGPTT_OK;
}
static void world_close(void *user, void *conn) { (void)user; (void)conn; }

static void begin(world *w)
{
    w->text = w->at = 0;
    w->requests = w->part = 0;
    w->left = w->chunks;
}

static int count(void *user, const char *text, size_t len)
{
    (void)text;
    ((world *)user)->text += len;
    return 0;
}

static void ours(void *user)
{
    world *w = (world *)user;
    chatgptt_options options;
    chatgptt_request request;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    options.url = "http://site.test/";
    options.transport =
        (chatgptt_transport){ world_open, world_read, world_write, world_want, world_wait, world_close, w };
    request.prompt = "Tell me all.";
    begin(w);
    chatgptt_client *client = chatgptt_open(&options, &error);
    bench_must(client != NULL, error.message);
    chatgptt_code code = chatgptt_chat(client, &request, count, w);
    bench_must(code == CHATGPTT_DONE, chatgptt_client_error(client)->message);
    bench_must(w->text == w->chunks * w->chunk_text, "the answer is not whole");
    chatgptt_close(client);
}

static void by_memcpy(void *user)
{
    static char buffer[CHATGPTT_READ_BUFFER];
    world *w = (world *)user;
    size_t done;
    begin(w);
    w->requests = 2;
    do {
        world_read(w, w, buffer, sizeof buffer, &done);
        __asm__ volatile("" : : "r"(buffer) : "memory");
    } while (done);
}

#ifdef BENCH_CJSON
/* The text of an event of either generation of the plugin. */
static const char *cjson_text(const cJSON *event)
{
    const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(event, "choices"), 0);
    const cJSON *delta = cJSON_GetObjectItemCaseSensitive(choice ? choice : event, "delta");
    return cJSON_GetStringValue(choice ? cJSON_GetObjectItemCaseSensitive(delta, "content") : delta);
}

static void by_cjson(void *user)
{
    world *w = (world *)user;
    w->text = 0;
    for (size_t i = 0; i < w->chunks; i++) {
        const char *at = w->data, *last = at + w->data_len, *stop;
        for (; (stop = (const char *)memchr(at, '\n', (size_t)(last - at))) != NULL; at = stop + 1) {
            if (strncmp(at, "data: ", 6) != 0) continue;
            cJSON *event = cJSON_ParseWithLength(at + 6, (size_t)(stop - at) - 6);
            const char *text = cjson_text(event);
            bench_must(text != NULL, "cJSON reads something else");
            w->text += strlen(text);
            cJSON_Delete(event);
        }
    }
    bench_must(w->text == w->chunks * w->chunk_text, "cJSON reads something else");
}
#endif

static void rows(world *w)
{
    bench_side we = { "ours", ours, w }, copy = { "memcpy", by_memcpy, w };
    char name[120];
    double ms = bench_row(w->name, STREAM, 5, we, copy);
    if (!(w->least > 0)) return;
    snprintf(name, sizeof name, "%s, rate, of %.0f MB/s", w->name, w->least);
    bench_budget(name, STREAM / 1e3 / ms, "MB/s", "-", w->least, true);
#ifdef BENCH_CJSON
    bench_side cjson = { "memchr + cJSON", by_cjson, w };
    bench_row_to(w->name, STREAM, 5, we, cjson, ">= 2");
#else
    snprintf(name, sizeof name, "%s / memchr + cJSON", w->name);
    bench_skip(name, "no cJSON (libcjson-dev)");
#endif
}

int main(void)
{
    static world worlds[] = {
        { .name = "64 MB of events, a word each",
          .event = "data: "
                   "{\"id\":\"chatcmpl-9aVh2\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                   "\"model\":\"gpt-4o\",\"choices\":"
                   "[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n",
          .event_text = 5,
          .least = 400 },
        { .name = "64 MB of short events (AIPKIT)",
          .event = "data: {\"delta\":\" word\"}\n\n",
          .event_text = 5,
          .least = 300 },
        { .name = "64 MB of events, two sentences each",
          .event = "data: {\"choices\":[{\"delta\":{\"content\":\"Longer pieces, as some sites send them: a "
                   "sentence or two at a time, "
                   "which lie in one event and come in one go. This one ends here.\"}}]}\n\n",
          .event_text = 131 },
    };
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        make(&worlds[i]);
        rows(&worlds[i]);
    }
}
