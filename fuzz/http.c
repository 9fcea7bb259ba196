/* http.c - input: a letter for the request, G, H (HEAD) or C (CONNECT), in lower case if the end of the
   connection is not announced; then what the server sends. */
#include "fuzz.h"

/* line: freed with the head */
static struct { cgt_http http; cgt_http_line *line; cgt_http_method method; bool clean; } now;

static void reset(void *state)
{
    (void)state;
    memset(&now.http, 0, sizeof now.http);
    free(now.line);
    now.http.line = now.line = (cgt_http_line *)malloc(sizeof *now.line);
    now.http.method = now.method;
    now.http.max_head = 400;
}

static int ended(feed_log *log)
{
    feed_log_event(log, "end, %s", cgt_http_alive(&now.http) ? "kept" : "closed");
    return 1;
}

static int failed(feed_log *log, chatgptt_code code)
{
    FUZZ_CHECK(now.http.why != NULL);
    feed_log_event(log, "%s", now.http.why);
    return code;
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    cgt_http *h = &now.http;
    size_t used;
    (void)state;
    for (;; piece += used, len -= used) {
        chatgptt_code code = cgt_http_feed(h, piece, len, &used);
        FUZZ_CHECK(used <= len);
        if (code < 0) return failed(log, code);
        FUZZ_CHECK(h->head_bytes <= h->max_head);
        switch (h->event) {
        case CGT_HTTP_HEADER:
            FUZZ_CHECK(strlen(now.line->value) == now.line->value_len);
            FUZZ_CHECK(strlen(now.line->name) == now.line->name_len);
            feed_log_event(log, "%s: %s%s", now.line->name, now.line->value, now.line->cut ? " (cut)" : "");
            break;
        case CGT_HTTP_HEAD:
            free(now.line);
            now.line = NULL;
            feed_log_event(log, "%d%s", h->status, h->coding_left ? " coded" : "");
            break;
        case CGT_HTTP_BODY: feed_log_piece(log, "body", h->piece.at, h->piece.len); break;
        case CGT_HTTP_END:  return ended(log);
        case CGT_HTTP_NONE: FUZZ_CHECK(used == len); return 0;
        }
    }
}

static int end(void *state, feed_log *log)
{
    chatgptt_code code = cgt_http_eof(&now.http, now.clean);
    (void)state;
    FUZZ_CHECK(code < 0 || now.http.state == CGT_HTTP_ENDED);
    return code < 0 ? failed(log, code) : ended(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    char letter = (char)fuzz_byte(&in);
    now.clean = cgt_lower(letter) != letter;
    letter = cgt_lower(letter);
    now.method = letter == 'h' ? CGT_HTTP_HEAD_METHOD : letter == 'c' ? CGT_HTTP_CONNECT : CGT_HTTP_OTHER;
    fuzz_agree(&parser, in);
    return 0;
}
