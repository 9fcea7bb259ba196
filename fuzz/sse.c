/* sse.c - input: an event stream. Besides: CRLF and CR end a line as LF does. */
#include "fuzz.h"

static cgt_sse now;

static void reset(void *state)
{
    (void)state;
    memset(&now, 0, sizeof now);
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    size_t used;
    (void)state;
    do {
        cgt_sse_feed(&now, piece, len, &used);
        FUZZ_CHECK(used <= len);
        piece += used;
        len -= used;
        if (now.event == CGT_SSE_DATA) feed_log_piece(log, "data", now.piece.at, now.piece.len);
        if (now.event == CGT_SSE_JUNK) feed_log_piece(log, "junk", now.piece.at, now.piece.len);
        if (now.event == CGT_SSE_DISPATCH) {
            FUZZ_CHECK(now.name_len <= sizeof now.name && now.data);
            feed_log_piece(log, now.named ? "named" : "event", cgt_sse_name(&now).at, cgt_sse_name(&now).len);
            feed_log_event(log, "[%s]", now.id);
        }
    } while (now.event != CGT_SSE_NONE);
    FUZZ_CHECK(len == 0);
    return 0;
}

/* The stream with other line ends in place of LF. */
static const feed_log *with_ends(const feed_parser *parser, cgt_slice in, const char *line_end)
{
    cgt_buffer b;
    cgt_buffer_init(&b, fuzz_hooks(), SIZE_MAX / 4);
    for (size_t i = 0; i < in.len; i++)
        if (in.at[i] == '\n') cgt_puts(&b, line_end);
        else cgt_putc(&b, in.at[i]);
    const feed_log *log = fuzz_agree(parser, cgt_slice_of_buffer(&b));
    cgt_buffer_free(&b);
    return log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, NULL, NULL};
    static feed_log wanted;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    const feed_log *log = fuzz_agree(&parser, in);
    if (in.len == 0 || memchr(in.at, '\r', in.len)) return 0;
    wanted.len = 0;
    feed_log_put(&wanted, log->text, log->len);
    fuzz_equal(with_ends(&parser, in, "\r\n"), &wanted, "log, with CRLF for LF");
    fuzz_equal(with_ends(&parser, in, "\r"), &wanted, "log, with CR for LF");
    return 0;
}
