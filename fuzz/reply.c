/* reply.c - input: a letter, e for an event stream, J for what is no answer (the status says so), j for all
   else; then the body. What is told is whole UTF-8, and after the end nothing is told. */
#include "fuzz.h"

#define MAX_EVENT 300

static struct { cgt_reply reply; bool events, mute; } now;

static void reset(void *state)
{
    (void)state;
    cgt_reply_free(&now.reply);
    cgt_reply_init(&now.reply, fuzz_hooks(), MAX_EVENT);
    now.reply.events = now.events;
    now.reply.mute = now.mute;
}

/* The reply has ended: what is left of it. */
static int ended(feed_log *log, chatgptt_code code)
{
    const cgt_reply *r = &now.reply;
    FUZZ_CHECK(code < 0 || r->event == CGT_REPLY_END || r->mute);
    FUZZ_CHECK(code == CHATGPTT_OK || (code <= CHATGPTT_E_MEMORY && code >= CHATGPTT_E_UNSUPPORTED));
    FUZZ_CHECK(cgt_utf8_valid(cgt_text(r->words)) && !cgt_has_control(cgt_text(r->words)));
    FUZZ_CHECK(code < 0 || !r->dressed || r->mute);
    feed_log_event(log, "%s; %d%d", code < 0 || r->mute ? r->words : "", r->texted, r->dressed);
    feed_log_event(log, "%s|%s|%s", r->thread_id, r->openai_id, r->google_id);
    for (int i = 0; i < CGT_TOKENS && !r->events && r->object; i++) feed_log_event(log, "%s", r->token[i]);
    if (now.mute) feed_log_event(log, "%s|%s|%s|%d", r->bare, r->said.title, r->said.text, r->said.challenge);
    return code < 0 ? code : 1;
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    cgt_reply *r = &now.reply;
    size_t used;
    (void)state;
    do {
        chatgptt_code code = cgt_reply_feed(r, piece, len, &used);
        FUZZ_CHECK(used <= len);
        if (code < 0 || r->event == CGT_REPLY_END) return ended(log, code);
        piece += used;
        len -= used;
        if (r->event == CGT_REPLY_NONE) continue;
        FUZZ_CHECK(!r->mute && cgt_utf8_valid(r->piece));
        feed_log_piece(log, r->event == CGT_REPLY_TEXT ? "text" : "notice", r->piece.at, r->piece.len);
    } while (r->event != CGT_REPLY_NONE || len > 0);
    return 0;
}

static int end(void *state, feed_log *log)
{
    (void)state;
    return ended(log, cgt_reply_eof(&now.reply));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    char letter = (char)fuzz_byte(&in);
    now.events = letter == 'e';
    now.mute = letter == 'J';
    if (!now.reply.held.hooks) cgt_reply_init(&now.reply, fuzz_hooks(), MAX_EVENT);
    fuzz_agree(&parser, in);
    cgt_reply_free(&now.reply);
    return 0;
}
