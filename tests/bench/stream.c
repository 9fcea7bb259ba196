/* A long answer through the whole client: 64 MB of an event stream in chunks of 8 KB, out of a transport in
   memory, whose only work is the copy that is the peer. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"

enum { STREAM = 64 << 20, CHUNK = 8192 };

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 48\r\n\r\n"
                           "<div data-nonce=\"0123abcdef\" data-post-id=\"7\">\r\n";
static const char head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

typedef struct world {
    const char *event;                      /* what the stream repeats */
    size_t event_text;                      /* bytes of text in it */
    char chunk[CHUNK + 32];
    size_t chunk_len, chunk_text, chunks;
    size_t text;                            /* what arrived */
    int requests, part;                     /* part of the reply: page, head, chunks, end */
    size_t at, left;                        /* in the part; its repetitions */
} world;

static void make(world *w)
{
    static char data[CHUNK + 1];
    size_t len = strlen(w->event), used = 0;
    w->chunk_text = 0;
    for (; used + len <= CHUNK; used += len, w->chunk_text += w->event_text)
        memcpy(data + used, w->event, len);
    data[used] = '\0';
    w->chunk_len = (size_t)snprintf(w->chunk, sizeof w->chunk, "%zx\r\n%s\r\n", used, data);
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

int main(void)
{
    static world worlds[] = {
        { .event = "data: "
                   "{\"id\":\"chatcmpl-9aVh2\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                   "\"model\":\"gpt-4o\",\"choices\":"
                   "[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n",
          .event_text = 5 },
        { .event = "data: {\"delta\":\" word\"}\n\n", .event_text = 5 },
        { .event = "data: {\"choices\":[{\"delta\":{\"content\":\"Longer pieces, as some sites send them: a "
                   "sentence or two at a time, "
                   "which lie in one event and come in one go. This one ends here.\"}}]}\n\n",
          .event_text = 131 },
    };
    static const char *const names[] = { "64 MB of events, a word each", "64 MB of short events (AIPKIT)",
                                         "64 MB of events, two sentences each" };
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        bench_side we = { "ours", ours, &worlds[i] }, copy = { "memcpy", by_memcpy, &worlds[i] };
        make(&worlds[i]);
        bench_row(names[i], STREAM, 5, we, copy);
    }
}
