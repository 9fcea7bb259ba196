/* session.c - a whole client against what a server sends. Input: a byte of options (see make_options), a byte
   for the cuts, then what comes on the connections, one after another, on each after a first request. In it
   \x01 waits for one more request, \x02 ends the connection and begins the next, \x03 is a second of silence,
   \x04 breaks the connection. However reads and writes are cut, text and end are the same; nothing leaks,
   nothing hangs, what is told is whole UTF-8, what is sent is well-formed and not without bound. */
#include "marks.h"

/* of two messages: pages with their redirects, tokens, a refresh each, retries */
#define MAX_REQUESTS 40

/* Whether a request was written while bytes of the answer before it, or the news that the connection broke,
   were still on their way. That they follow a whole answer shows only if they are there in time, which is
   chance with real servers too: such runs are not compared. */
static bool crossed;

static chatgptt_code note_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    const script_act *now = script_advance((script_peer *)conn);
    crossed = crossed || (now && (now->kind == SCRIPT_SEND || now->kind == SCRIPT_FAIL));
    return script_write(user, conn, bytes, size, done);
}

static chatgptt_options make_options(script *s, unsigned char how)
{
    chatgptt_options o = script_options(s);
    o.transport.write = note_write;
    o.url = "http://site.test/chat/";
    o.dialect = (chatgptt_dialect)(how % 3);
    if (how & 0x08) o.bot_id = "7";
    if (how & 0x10) o.endpoint = "http://site.test/wp-admin/admin-ajax.php";
    if (how & 0x20) o.client_id = "a1b2c3";
    if (how & 0x80) o.nonce_pattern = "nonce=\"([^\"]*)\"";
    o.max_event_bytes = 2000;
    o.max_page_bytes = 20000;
    o.max_header_bytes = 2000;
    o.max_reply_bytes = 20000;
    return o;
}

/* ---- one run ---- */

static void take(chatgptt_stream *stream, feed_log *log)
{
    chatgptt_event event;
    chatgptt_code code;
    const chatgptt_error *error = chatgptt_stream_error(stream);
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        FUZZ_CHECK(event.len > 0 && cgt_utf8_valid(cgt_slice_of(event.text, event.len)));
        feed_log_piece(log, event.kind == CHATGPTT_TEXT ? "text" : "notice", event.text, event.len);
    }
    FUZZ_CHECK(code == CHATGPTT_DONE || code < 0);
    FUZZ_CHECK(chatgptt_next(stream, &event) == code && error->code == (code < 0 ? code : CHATGPTT_OK));
    FUZZ_CHECK(cgt_utf8_valid(cgt_text(error->message)) && !cgt_has_control(cgt_text(error->message)));
    FUZZ_CHECK((code < 0) == (error->message[0] != '\0'));
    feed_log_event(log, "%s %d: %s", chatgptt_code_name(code), error->http_status, error->message);
}

static void ask(chatgptt_client *client, const char *prompt, chatgptt_conversation *conversation,
                feed_log *log) {
    chatgptt_request request;
    chatgptt_stream *stream;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    request.conversation = conversation;
    stream = chatgptt_start(client, &request);
    if (stream) take(stream, log);
    else feed_log_event(log, "start: %s", chatgptt_client_error(client)->message);
    chatgptt_finish(stream);
}

/* What was written: whole requests but for a last one that was cut off, with no bytes a head may not hold. */
static void check_sent(const script *s)
{
    http_request request;
    int count = 0;
    for (int i = 0; i < s->opened; i++) {
        for (int n = 0; script_get(s, i, n, &request); n++, count++)
            for (size_t k = 0; k < request.head_len; k++)
                FUZZ_CHECK(!cgt_control(request.head[k]) || memchr("\r\n\t", request.head[k], 3));
    }
    FUZZ_CHECK(count <= MAX_REQUESTS && s->opened <= SCRIPT_CONNECTIONS);
}

static void run(script *s, unsigned char how, feed_log *log)
{
    chatgptt_options options = make_options(s, how);
    chatgptt_conversation conversation;
    chatgptt_error error;
    chatgptt_client *client = chatgptt_open(&options, &error);
    memset(&conversation, 0, sizeof conversation);
    log->len = 0;
    log->open = NULL;
    if (client) {
        const chatgptt_site *site = chatgptt_client_site(client);
        ask(client, "Hello?", how & 0x40 ? &conversation : NULL, log);
        ask(client, "And now?", how & 0x40 ? &conversation : NULL, log);
        feed_log_event(log, "%d %s %s %d", site->dialect, site->bot_id, site->bot_name, site->memory_limit);
        chatgptt_close(client);
        check_sent(s);
    }
    script_rewind(s);
    if (check_now.bad) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static script s;
    static feed_log whole, cut;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    unsigned char how = fuzz_byte(&in), cuts = fuzz_byte(&in);
    crossed = false;
    write_script(&s, in, 4);
    run(&s, how, &whole);
    s.read_max = 1 + cuts % 31;
    s.write_max = cuts % 3 * 50;    /* not less: the script looks for a whole request at every write */
    run(&s, how, &cut);
    if (!crossed) fuzz_equal(&cut, &whole, "log, cut");
    s.fail_at = 1 + cuts;
    run(&s, how, &cut);         /* out of memory somewhere: no oracle but that nothing leaks or breaks */
    return 0;
}
