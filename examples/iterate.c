/* The pull iterator: one event a call, for programs that want the answer in pieces and may block.

       iterate MESSAGE [URL] */
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdio.h>
#include <string.h>

static int fail(const chatgptt_error *error)
{
    fprintf(stderr, "%s: %s\n", chatgptt_code_name(error->code), error->message);
    return 1;
}

/* Prints the pieces of the answer as they come. Every event's text is gone with the next call: use it or copy
   it. */
static int print_answer(chatgptt_stream *stream)
{
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        FILE *to = event.kind == CHATGPTT_TEXT ? stdout : stderr;
        fwrite(event.text, 1, event.len, to);
        if (event.kind == CHATGPTT_NOTICE) fputc('\n', to);
        fflush(to);
    }
    putchar('\n');
    /* what was printed before an error is no whole answer */
    return code == CHATGPTT_DONE ? 0 : fail(chatgptt_stream_error(stream));
}

static int converse(chatgptt_client *client, const char *message)
{
    chatgptt_request request;
    chatgptt_stream *stream;
    int result;
    memset(&request, 0, sizeof request);
    request.prompt = message;
    stream = chatgptt_start(client, &request);
    if (!stream) return fail(chatgptt_client_error(client));
    result = print_answer(stream);
    chatgptt_finish(stream);
    return result;
}

int main(int argc, char **argv)
{
    chatgptt_options options;
    chatgptt_error error;
    chatgptt_client *client;
    int result;
    if (argc < 2 || argc > 3) return fprintf(stderr, "usage: iterate MESSAGE [URL]\n"), 2;
    memset(&options, 0, sizeof options);
    options.url = argv[2];                          /* NULL, the end of argv: the default */
    client = chatgptt_open(&options, &error);
    if (!client) return fail(&error);
    result = converse(client, argv[1]);
    chatgptt_close(client);
    return result;
}
