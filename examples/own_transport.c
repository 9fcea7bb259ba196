/* The client over a transport of its own: two rings of bytes in memory, and a tiny site at their other end.
   No sockets, no TLS, nothing of the system: on a microcontroller the rings are a modem's buffers, and the
   hooks ask the hardware.

       own_transport [MESSAGE] */
#define CHATGPTT_NO_NET
#define CHATGPTT_NO_TLS 1
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdio.h>
#include <string.h>

/* ==== what is written at one end of a ring is read at the other ==== */

typedef struct ring {
    char bytes[256];
    size_t begin, len;
} ring;

static size_t ring_write(ring *r, const char *bytes, size_t size)
{
    size_t i;
    for (i = 0; i < size && r->len < sizeof r->bytes; i++, r->len++)
        r->bytes[(r->begin + r->len) % sizeof r->bytes] = bytes[i];
    return i;
}

static size_t ring_read(ring *r, char *into, size_t size)
{
    size_t i;
    for (i = 0; i < size && r->len > 0; i++, r->len--) {
        into[i] = r->bytes[r->begin];
        r->begin = (r->begin + 1) % sizeof r->bytes;
    }
    return i;
}

/* ==== the site: one request a connection; the end of the connection ends the reply ==== */

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
                           "<!DOCTYPE html>\n<title>A site in memory</title>\n<div data-nonce=\"b9c2a7d1e0\" "
                           "data-post-id=\"7\"></div>\n";

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"I live between \"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"two rings of \"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"256 bytes.\"},\"finish_reason\":\"stop\"}]}\n\n"
    "data: [DONE]\n\n";

typedef struct world {
    ring to_site, to_client;
    char method;                    /* the request's first byte */
    int line_ends;                  /* how much of the head's end, CR LF CR LF, was just seen */
    const char *reply;              /* what of the reply has not left yet; NULL: nobody has asked */
    long long now_ms;
    unsigned noise;
} world;

static void site_run(world *w)
{
    char c;
    while (ring_read(&w->to_site, &c, 1) == 1) {
        if (!w->method) w->method = c;
        w->line_ends = c == "\r\n\r\n"[w->line_ends] ? w->line_ends + 1 : c == '\r';
        if (w->line_ends == 4) w->reply = w->method == 'G' ? page : answer;
        w->line_ends %= 4;
    }
    if (w->reply) w->reply += ring_write(&w->to_client, w->reply, strlen(w->reply));
}

/* ==== the transport: nothing sleeps but wait(), and there the site has its turn ==== */

static chatgptt_code rings_open(void *user, const char *host, const char *port, void **conn)
{
    world *w = (world *)user;
    (void)host;
    (void)port;
    w->to_site.len = w->to_client.len = 0;
    w->method = 0;
    w->line_ends = 0;
    w->reply = NULL;
    *conn = w;
    return CHATGPTT_OK;
}

static chatgptt_code rings_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    world *w = (world *)conn;
    (void)user;
    *done = ring_read(&w->to_client, (char *)buffer, size);
    if (*done) return CHATGPTT_OK;
    return w->reply && !*w->reply ? CHATGPTT_DONE : CHATGPTT_AGAIN;
}

static chatgptt_code rings_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    (void)user;
    *done = ring_write(&((world *)conn)->to_site, (const char *)bytes, size);
    return *done ? CHATGPTT_OK : CHATGPTT_AGAIN;
}

/* No descriptors here, and no hurry: the library itself adds its timeouts. */
static chatgptt_wait rings_want(void *user, void *conn)
{
    chatgptt_wait want;
    (void)user;
    (void)conn;
    memset(&want, 0, sizeof want);
    want.timeout_ms = -1;
    return want;
}

static chatgptt_code rings_wait(void *user, const chatgptt_wait *what)
{
    world *w = (world *)user;
    (void)what;
    w->now_ms++;
    site_run(w);
    return CHATGPTT_OK;
}

static void rings_close(void *user, void *conn)
{
    (void)user;
    (void)conn;
}

/* ==== the hooks ==== */

static long long now_ms(void *user) { return ((world *)user)->now_ms; }

static long long unix_time(void *user) { return 1767225600 + now_ms(user) / 1000; }

/* A device asks its source of noise. Without TLS only the client's id is made of this. */
static chatgptt_code noise(void *user, void *bytes, size_t size)
{
    world *w = (world *)user;
    size_t i;
    for (i = 0; i < size; i++) {
        w->noise = w->noise * 1664525u + 1013904223u;
        ((unsigned char *)bytes)[i] = (unsigned char)(w->noise >> 24);
    }
    return CHATGPTT_OK;
}

static void fill_options(chatgptt_options *o, world *w)
{
    memset(o, 0, sizeof *o);
    o->url = "http://site.invalid/";
    o->transport.open = rings_open;
    o->transport.read = rings_read;
    o->transport.write = rings_write;
    o->transport.want = rings_want;
    o->transport.wait = rings_wait;
    o->transport.close = rings_close;
    o->transport.user = w;
    o->hooks.now_ms = now_ms;
    o->hooks.unix_time = unix_time;
    o->hooks.random = noise;
    o->hooks.user = w;
}

int main(int argc, char **argv)
{
    static world here;
    chatgptt_options options;
    chatgptt_error error;
    chatgptt_client *client;
    char *text;
    fill_options(&options, &here);
    client = chatgptt_open(&options, &error);
    if (!client) return fprintf(stderr, "%s: %s\n", chatgptt_code_name(error.code), error.message), 1;
    text = chatgptt_ask(client, argc > 1 ? argv[1] : "Where do you live?");
    if (text) puts(text);
    else
        fprintf(stderr, "%s: %s\n", chatgptt_code_name(chatgptt_client_error(client)->code),
                chatgptt_client_error(client)->message);
    chatgptt_free(client, text);
    chatgptt_close(client);
    return text ? 0 : 1;
}
