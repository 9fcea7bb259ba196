/* A file that uses the header and leaves the implementation to another: it names every function, so that each
   must be there to link. */
#include "../../chatgptt.h"
#include "../../chatgptt.h"
#include <string.h>

static int on_text(void *user, const char *text, size_t len)
{
    return user == NULL || text == NULL || len == 0;
}

static void every_stream_function(chatgptt_client *client)
{
    chatgptt_request request;
    chatgptt_event event;
    chatgptt_stream *stream;
    memset(&request, 0, sizeof request);
    request.prompt = "hello";
    chatgptt_chat(client, &request, on_text, client);
    stream = chatgptt_start(client, &request);
    while (chatgptt_step(stream, &event) == CHATGPTT_AGAIN && chatgptt_want(stream).timeout_ms >= 0)
        chatgptt_next(stream, &event);
    if (chatgptt_stream_stats(stream)->requests > 1 || chatgptt_stream_error(stream)->code < 0)
        chatgptt_cancel(stream);
    chatgptt_finish(stream);
}

static void every_client_function(void)
{
    chatgptt_options options;
    chatgptt_error error;
    chatgptt_client *client;
    char state[16];
    memset(&options, 0, sizeof options);
    client = chatgptt_open(&options, &error);
    chatgptt_free(client, chatgptt_ask(client, "hello"));
    if (chatgptt_save(client, state, sizeof state) <= sizeof state)
        chatgptt_load(client, state, sizeof state);
    if (chatgptt_client_site(client)->memory_limit == chatgptt_client_error(client)->http_status)
        every_stream_function(client);
    chatgptt_close(client);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "never") == 0) every_client_function();
    return strcmp(chatgptt_code_name(CHATGPTT_E_TIMEOUT), "E_TIMEOUT") == 0 &&
                   *chatgptt_code_text(CHATGPTT_OK) && chatgptt_model(0)
               ? 0
               : 1;
}
