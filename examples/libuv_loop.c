/* Several streams of one client on a libuv loop: a uv_poll_t for each descriptor, a uv_timer_t for the time.
   Each answer is printed whole, in the order in which they end.

       libuv_loop [--url URL] MESSAGE...        cc -DWITH_UV libuv_loop.c ... -luv

   libuv keeps registrations, so there are two rules. When want.generation differs from the last one, the
   descriptors were opened, closed or handed over: the old handles are closed and new ones made, even for the
   same number, which may be another socket. And handles are stopped before chatgptt_finish(), which may hand
   the connection to another stream. A handle's memory is libuv's until its close callback: hence malloc(). */
#include <stdio.h>

#ifndef WITH_UV
int main(void) { return puts("libuv_loop: built without libuv (libuv1-dev; -DWITH_UV -luv)") < 0; }
#else

#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct chat {
    const char *message;
    chatgptt_stream *stream;
    chatgptt_wait known;                        /* what is registered, and its handles: */
    uv_poll_t *polls[2];
    uv_timer_t *timer;
    char *answer;
    size_t len;
} chat;

static int failures;

static void *must_have(void *block) { return block ? block : (abort(), block); }
static void free_handle(uv_handle_t *handle) { free(handle); }

static void forget(chat *c)
{
    int i;
    for (i = 0; i < c->known.count; i++) {
        uv_poll_stop(c->polls[i]);
        uv_close((uv_handle_t *)c->polls[i], free_handle);
    }
    c->known.count = 0;
}

static void end(chat *c, chatgptt_code code)
{
    forget(c);
    uv_close((uv_handle_t *)c->timer, free_handle);     /* the loop ends with its last handle */
    if (code == CHATGPTT_DONE) printf("> %s\n%.*s\n", c->message, (int)c->len, c->answer ? c->answer : "");
    else fprintf(stderr, "%s: %s\n", chatgptt_code_name(code), chatgptt_stream_error(c->stream)->message);
    fflush(stdout);
    failures += code != CHATGPTT_DONE;
    chatgptt_finish(c->stream);
    free(c->answer);
}

static void add(chat *c, const chatgptt_event *event)
{
    if (event->kind != CHATGPTT_TEXT) return;
    c->answer = (char *)must_have(realloc(c->answer, c->len + event->len));
    memcpy(c->answer + c->len, event->text, event->len);
    c->len += event->len;
}

static void work(chat *c);                      /* work and the callbacks that it sets call one another */
static void on_time(uv_timer_t *timer) { work((chat *)timer->data); }
static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;                 /* whatever it is, step() finds out */
    work((chat *)poll->data);
}

/* Brings the handles in line with what the stream wants now. */
static void watch(chat *c)
{
    chatgptt_wait want = chatgptt_want(c->stream);
    bool anew = want.generation != c->known.generation || want.count != c->known.count;
    int i;
    if (anew) forget(c);
    for (i = 0; i < want.count; i++) {
        unsigned wish = want.on[i].events;
        if (!anew && wish == c->known.on[i].events) continue;
        if (anew) {
            c->polls[i] = (uv_poll_t *)must_have(malloc(sizeof *c->polls[i]));
            if (uv_poll_init(c->timer->loop, c->polls[i], want.on[i].fd) != 0) abort();
            c->polls[i]->data = c;
        }
        uv_poll_start(c->polls[i], (wish & CHATGPTT_READ ? UV_READABLE : 0) |
                                   (wish & CHATGPTT_WRITE ? UV_WRITABLE : 0), on_ready);
    }
    c->known = want;
    uv_timer_stop(c->timer);
    if (want.timeout_ms >= 0) uv_timer_start(c->timer, on_time, (uint64_t)want.timeout_ms, 0);
}

/* Takes all there is: only AGAIN says that the stream has to wait. */
static void work(chat *c)
{
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_step(c->stream, &event)) == CHATGPTT_OK) add(c, &event);
    if (code == CHATGPTT_AGAIN) watch(c);
    else                        end(c, code);
}

static void start(uv_loop_t *loop, chatgptt_client *client, chat *c, const char *message)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = c->message = message;
    c->stream = chatgptt_start(client, &request);
    if (!c->stream) {
        fprintf(stderr, "%s\n", chatgptt_client_error(client)->message);
        failures++;
        return;
    }
    c->timer = (uv_timer_t *)must_have(malloc(sizeof *c->timer));
    uv_timer_init(loop, c->timer);
    c->timer->data = c;
    uv_timer_start(c->timer, on_time, 0, 0);    /* the first step is the loop's */
}

int main(int argc, char **argv)
{
    int first = argc > 2 && strcmp(argv[1], "--url") == 0 ? 3 : 1, i;
    uv_loop_t *loop = uv_default_loop();
    chat *chats = (chat *)must_have(calloc((size_t)argc, sizeof *chats));
    chatgptt_options options;
    chatgptt_error error;
    chatgptt_client *client;
    if (first >= argc) return fprintf(stderr, "usage: libuv_loop [--url URL] MESSAGE...\n"), 2;
    memset(&options, 0, sizeof options);
    options.url = first == 3 ? argv[2] : NULL;  /* NULL: the default */
    client = chatgptt_open(&options, &error);
    if (!client) return fprintf(stderr, "%s: %s\n", chatgptt_code_name(error.code), error.message), 1;
    for (i = first; i < argc; i++) start(loop, client, &chats[i], argv[i]);
    uv_run(loop, UV_RUN_DEFAULT);
    chatgptt_close(client);
    free(chats);
    uv_loop_close(loop);
    return failures != 0;
}
#endif
