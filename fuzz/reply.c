/* reply.c - input: a letter, e for an event stream, h for HTML by its type, k for a reply that is to grant a
   key, J for what is no answer (the status says so), j for all else; then the body. What is told is whole
   UTF-8, no answer is whole without text, and after the end nothing is told. */
#include "fuzz.h"

#define MAX_EVENT 300

static struct { cgt_reply reply; char letter; bool used, texted; } now;

static void reset(void *state)
{
    const char *type = now.letter == 'e'   ? "text/event-stream"
                       : now.letter == 'h' ? "text/html; x"
                                           : "application/json";
    (void)state;
    if (now.used) cgt_reply_free(&now.reply);
    now.used = true;
    now.texted = false;
    cgt_reply_init(&now.reply, fuzz_hooks(), MAX_EVENT, now.letter == 'k' ? CGT_ASKED_KEY : CGT_ASKED_ANSWER);
    cgt_reply_head(&now.reply, now.letter == 'J' ? 403 : 200, cgt_text(type), false);
}

/* The verdict stands. */
static int ended(feed_log *log)
{
    const cgt_reply *r = &now.reply;
    cgt_verdict v = cgt_reply_verdict(r);
    FUZZ_CHECK(v.code == CHATGPTT_DONE || (v.code <= CHATGPTT_E_MEMORY && v.code >= CHATGPTT_E_UNSUPPORTED));
    FUZZ_CHECK(v.code != CHATGPTT_DONE || (now.letter == 'k' ? cgt_reply_token(r)[0] != 0 : v.texted));
    FUZZ_CHECK(cgt_utf8_valid(cgt_text(v.words)) && !cgt_has_control(cgt_text(v.words)));
    FUZZ_CHECK(v.texted == now.texted && v.by != CGT_TOLD_BY_NOBODY && cgt_reply_broke(r).code == v.code);
    feed_log_event(log, "%s by %d; %d%d", v.words, v.by, v.texted, v.finished);
    feed_log_event(log, "%s|%s|%s", r->thread_id, r->openai_id, r->google_id);
    return v.code;
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    cgt_reply *r = &now.reply;
    size_t used;
    (void)state;
    do {
        FUZZ_CHECK(cgt_reply_feed(r, piece, len, &used) == CHATGPTT_OK && used <= len);
        if (r->event == CGT_REPLY_END) return ended(log);
        FUZZ_CHECK(cgt_reply_verdict(r).code == CHATGPTT_AGAIN);
        piece += used;
        len -= used;
        if (r->event == CGT_REPLY_NONE) continue;
        FUZZ_CHECK(!strchr("kJ", now.letter) && cgt_utf8_valid(r->piece) && r->piece.len > 0);
        now.texted |= r->event == CGT_REPLY_TEXT;
        feed_log_piece(log, r->event == CGT_REPLY_TEXT ? "text" : "notice", r->piece.at, r->piece.len);
    } while (r->event != CGT_REPLY_NONE || len > 0);
    return 0;
}

static int end(void *state, feed_log *log)
{
    (void)state;
    feed_log_event(log, "broken here: %d", cgt_reply_broke(&now.reply).code);
    cgt_reply_eof(&now.reply);
    return ended(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    now.letter = (char)fuzz_byte(&in);
    if (!now.letter) now.letter = 'j';
    fuzz_agree(&parser, in);
    cgt_reply_free(&now.reply);
    now.used = false;
    return 0;
}
