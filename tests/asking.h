/* asking.h - a message through the public API, and all that came of it. After chatgptt.h and check.h. */
#ifndef ASKING_H
#define ASKING_H

#include "chat.h"

typedef struct outcome {
    chatgptt_code code;
    char text[300];
    chatgptt_error error;
    chatgptt_stats stats;
} outcome;

static inline chatgptt_stream *start(chatgptt_client *c, const char *prompt)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    return chatgptt_start(c, &request);
}

/* The answer to its end; the stream is gone then. Without one, what the client says of it. */
static inline outcome take(chatgptt_client *c, chatgptt_stream *stream)
{
    outcome o;
    chatgptt_event event;
    memset(&o, 0, sizeof o);
    if (!stream) { o.error = *chatgptt_client_error(c); o.code = o.error.code; return o; }
    while ((o.code = chatgptt_next(stream, &event)) == CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT)
            snprintf(o.text + strlen(o.text), sizeof o.text - strlen(o.text), "%.*s", (int)event.len,
                     event.text);
    o.error = *chatgptt_stream_error(stream);
    o.stats = *chatgptt_stream_stats(stream);
    chatgptt_finish(stream);
    return o;
}

/* Whether the site of chat.h was heard to its end. */
static inline bool answered(const outcome *o)
{
    return (CHECK_INT(o->code, CHATGPTT_DONE) && CHECK_STR(o->text, CHAT_ANSWER)) ||
           (printf("    %s\n", o->error.message), false);
}

#endif
