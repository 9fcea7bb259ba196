/* page.c - input: a page. Read as the client reads it, for any chat and for one asked for; and as the
   tokenizer sees it. */
#include "fuzz.h"

/* ---- what it says of its chat ---- */

static struct { cgt_page page; const char *bot_id, *pattern; chatgptt_dialect dialect; } now;

static void reset_page(void *state)
{
    (void)state;
    cgt_page_init(&now.page, now.bot_id, now.dialect, now.pattern, NULL);
}

static int feed_page(void *state, char *piece, size_t len, feed_log *log)
{
    (void)state;
    (void)log;
    cgt_page_feed(&now.page, piece, len);
    return 0;
}

static int end_page(void *state, feed_log *log)
{
    const cgt_chat *c = &now.page.best;
    (void)state;
    feed_log_event(log, "title %s", cgt_page_title(&now.page));
    if (!cgt_page_end(&now.page)) return 1;
    FUZZ_CHECK(c->dialect == CHATGPTT_WPAICG || c->dialect == CHATGPTT_AIPKIT);
    FUZZ_CHECK(c->memory_limit >= 0 && (now.dialect == CHATGPTT_AUTO || now.dialect == c->dialect));
    FUZZ_CHECK(c->nonce[0] && (c->dialect == CHATGPTT_AIPKIT ? c->bot_id[0] : c->post_id[0]) != '\0');
    feed_log_event(log, "%d %s/%s bot %s at %s", c->dialect, c->nonce, c->post_id, c->bot_id, c->endpoint);
    feed_log_event(log, "name %s greeting %s provider %s consent %s", c->bot_name, c->greeting, c->provider,
                   c->consent);
    feed_log_event(log, "%d%d%d%d%d", c->widget, c->assistant, c->keeps_openai, c->keeps_google,
                   c->asks_consent);
    feed_log_event(log, "memory %d", c->memory_limit);
    return 0;
}

static void page(cgt_slice in, const char *bot_id, chatgptt_dialect dialect, const char *pattern)
{
    static const feed_parser parser = {feed_page, reset_page, end_page, NULL};
    now.bot_id = bot_id;
    now.dialect = dialect;
    now.pattern = pattern;
    fuzz_agree(&parser, in);
}

/* ---- the tokenizer ---- */

static cgt_html html;

static void reset_html(void *state)
{
    (void)state;
    memset(&html, 0, sizeof html);
}

static int feed_html(void *state, char *piece, size_t len, feed_log *log)
{
    static const char *const names[] = { "",         "tag",   "attribute", "value", "attribute ends",
                                         "tag ends", "close", "text", "title" };
    size_t used;
    (void)state;
    do {
        cgt_html_feed(&html, piece, len, &used);
        FUZZ_CHECK(used <= len);
        piece += used;
        len -= used;
        if (html.event == CGT_HTML_VALUE || html.event >= CGT_HTML_TEXT)
            feed_log_piece(log, names[html.event], html.piece.at, html.piece.len);
        else if (html.event != CGT_HTML_NONE)
            feed_log_event(log, "%s %s %s", names[html.event], html.tag,
                           html.event == CGT_HTML_ATTRIBUTE ? html.name : "");
    } while (html.event != CGT_HTML_NONE);
    FUZZ_CHECK(len == 0);
    return 0;
}

/* ---- its words for people ---- */

static cgt_said said;

static void reset_said(void *state)
{
    (void)state;
    memset(&said, 0, sizeof said);
}

static int feed_said(void *state, char *piece, size_t len, feed_log *log)
{
    (void)state;
    (void)log;
    cgt_said_feed(&said, cgt_slice_of(piece, len));
    return 0;
}

static int end_said(void *state, feed_log *log)
{
    (void)state;
    feed_log_event(log, "%s|%s|%d", said.words.title, said.words.text, said.challenge);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser tokenizer = { feed_html, reset_html, NULL, NULL },
                             words = { feed_said, reset_said, end_said, NULL };
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    page(in, NULL, CHATGPTT_AUTO, NULL);
    page(in, "7", CHATGPTT_WPAICG, NULL);
    page(in, "7", CHATGPTT_AIPKIT, "nonce.?[=:] *\"([a-z0-9]+)");
    fuzz_agree(&tokenizer, in);
    fuzz_agree(&words, in);
    return 0;
}
