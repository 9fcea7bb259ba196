/* Standard input and an answer in ONE poll(): the answer streams, and a line typed meanwhile stops it.
   Nothing here blocks but poll() itself (and the name lookup: see the manual).

       poll_loop MESSAGE [URL] */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const chatgptt_error *error)
{
    fprintf(stderr, "%s: %s\n", chatgptt_code_name(error->code), error->message);
    return 1;
}

/* Sleeps until standard input or the stream has something, and says whether it was standard input. poll() is
   told its descriptors anew every time. A loop that keeps registrations (epoll, libuv) compares
   want.generation with the last one it saw and registers anew when it changed: the same number may by then be
   another socket. And it takes the descriptors out before chatgptt_finish(), which may hand the connection to
   another stream. */
static int wait_for_input(chatgptt_stream *stream, int input)
{
    chatgptt_wait want = chatgptt_want(stream);
    struct pollfd fds[3];
    int i;
    fds[0].fd = input;                              /* -1: poll() passes it over */
    fds[0].events = POLLIN;
    fds[0].revents = 0;
    for (i = 0; i < want.count; i++) {
        fds[i + 1].fd = want.on[i].fd;
        fds[i + 1].events = (short)((want.on[i].events & CHATGPTT_READ ? POLLIN : 0) |
                                    (want.on[i].events & CHATGPTT_WRITE ? POLLOUT : 0));
    }
    /* time, or a signal: step() looks for itself */
    if (poll(fds, (nfds_t)(want.count + 1), want.timeout_ms) <= 0) return 0;
    return fds[0].revents != 0;
}

/* Reads what was typed: a line stops the answer, the end of input only means that nobody will type any more.
   */
static void take_input(chatgptt_stream *stream, int *input)
{
    char line[256];
    if (read(*input, line, sizeof line) > 0) chatgptt_cancel(stream);
    else *input = -1;
}

static int run(chatgptt_stream *stream)
{
    int input = STDIN_FILENO;
    for (;;) {
        chatgptt_event event;
        chatgptt_code code = chatgptt_step(stream, &event);
        if (code == CHATGPTT_DONE) return putchar('\n'), 0;
        if (code < 0) return fail(chatgptt_stream_error(stream));
        if (code == CHATGPTT_AGAIN) {
            if (wait_for_input(stream, input)) take_input(stream, &input);
        } else if (event.kind == CHATGPTT_TEXT) {
            fwrite(event.text, 1, event.len, stdout);
            fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    chatgptt_options options;
    chatgptt_request request;
    chatgptt_error error;
    chatgptt_client *client;
    chatgptt_stream *stream;
    int result;
    if (argc < 2 || argc > 3) return fprintf(stderr, "usage: poll_loop MESSAGE [URL]\n"), 2;
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    options.url = argv[2];                          /* NULL, the end of argv: the default */
    request.prompt = argv[1];
    client = chatgptt_open(&options, &error);
    if (!client) return fail(&error);
    stream = chatgptt_start(client, &request);
    result = stream ? run(stream) : fail(chatgptt_client_error(client));
    /* ends the stream too; one that goes on living is ended by chatgptt_finish() */
    chatgptt_close(client);
    return result;
}
