/* test_stream.c - STREAM and CLIENT over a scripted transport and a fake clock: the exchange as the model has
   it, every cut, every deadline and cancel, every failing allocation and every failing read or write. No
   answer is ever called whole that is not. */
#define CHATGPTT_IMPLEMENTATION
#include "script.h"

/* ---- what sites say ---- */

#define CHUNK(delta) \
    "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0," delta "}]}\n\n"
#define EVENT(text)  "data: " CHUNK("\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null")
#define FINISH       "data: " CHUNK("\"delta\":{},\"finish_reason\":\"stop\"")
#define HELLO        ": hi\n\n" EVENT("") EVENT("Hel") EVENT("lo, \\u4f60\\ud83d\\ude00 \xd0\x96\\n")
#define HELLO_TEXT   "Hello, \xe4\xbd\xa0\xf0\x9f\x98\x80 \xd0\x96\n"
#define DELTA(text)                                                                                         \
    "event: thread.message.delta\ndata: {\"id\":\"m\",\"delta\":{\"content\":[{\"type\":\"text\",\"text\":" \
    "{\"value\":\"" text "\"}}]}}\n\n"
#define JSON(text) \
    "{\"status\":\"success\",\"msg\":\"Something went wrong\",\"data\":\"" text "\",\"log\":false}"

typedef enum framing { COUNTED, CHUNKED, TO_CLOSE } framing;

typedef struct fixture {
    const char *name;
    framing framing;
    const char *type, *body, *text;
    const char *mark;               /* the last that is needed: before its end no answer is whole ... */
    const char *whole;              /* ... and from the end of this on, behind the mark, every one is */
    char bytes[3000];               /* the response */
    size_t len, mark_at, whole_at;
} fixture;

#define SSE "text/event-stream;charset=UTF-8"
static fixture fixtures[] = {
    { "events", CHUNKED, SSE, HELLO FINISH "data: [DONE]\n\n", HELLO_TEXT, "\"stop\"", "}]}\n", "", 0, 0, 0 },
    { "JSON", COUNTED, "application/json; charset=UTF-8", JSON("Hel\\u006co\\/ \\ud83d\\ude00 data: [DONE]"),
      "Hello/ \xf0\x9f\x98\x80 data: [DONE]", "false}", "", "", 0, 0, 0 },
    { "no finish_reason", CHUNKED, SSE, EVENT("a") EVENT("b") "data: [DONE]\n\n", "ab", "[DONE]", "\n\n", "",
      0, 0, 0 },
    { "no [DONE]", CHUNKED, SSE, EVENT("a") EVENT("b") FINISH, "ab", "\"stop\"", "}]}\n", "", 0, 0, 0 },
    { "events to the close", TO_CLOSE, SSE, HELLO FINISH "data: [DONE]\n\n", HELLO_TEXT, "\"stop\"", "}]}\n",
      "", 0, 0, 0 },
    { "[DONE] is the last line", TO_CLOSE, SSE, EVENT("a") EVENT("b") "data: [DONE]", "ab", "[DONE]", "", "",
      0, 0, 0 },
    { "finish_reason first", CHUNKED, SSE,
      EVENT("a") "data: {\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"the end\"}}]}\n\n",
      "athe end", "the end\"", "}}]}\n", "", 0, 0, 0 },
    { "text and end in one", TO_CLOSE, SSE,
      EVENT("a") "data: " CHUNK("\"delta\":{\"content\":\"the end\"},\"finish_reason\":\"stop\""), "athe end",
      "\"stop\"", "}]}\n", "", 0, 0, 0 },
    { "explicit messages", TO_CLOSE, SSE,
      "event: message\n" EVENT("a") "event: message\n" EVENT("b") "event: message\n" FINISH
                                                                  "data: [DONE]\n\n",
      "ab", "\"stop\"", "}]}\n\n", "", 0, 0, 0 },
    { "explicit message with the end", TO_CLOSE, SSE,
      "event: message\n" EVENT("a") "event: message\ndata: " CHUNK(
          "\"delta\":{\"content\":\"the end\"},\"finish_reason\":\"stop\""),
      "athe end", "\"stop\"", "}]}\n\n", "", 0, 0, 0 },
    { "assistant", CHUNKED, SSE,
      "event: thread_id\ndata: thread_1\n\n" DELTA("a") DELTA("b") "event: done\ndata: [DONE]\n\n", "ab",
      "event: done", "\ndata: [DONE]\n\n", "", 0, 0, 0 },
    { "JSON in noise", TO_CLOSE, "application/json",
      "\xef\xbb\xbf<b>Warning</b>: { in x.php\n" JSON("ab") "\n<!-- cached -->", "ab", "false}", "", "", 0, 0,
      0 },
};
#define FIXTURES (sizeof fixtures / sizeof *fixtures)
static const fixture *const events = &fixtures[0], *const json = &fixtures[1];

#define PAGE_BODY                                                                                        \
    "<!DOCTYPE html><title>Chat</title><div class=\"wpaicg-chat-shortcode\" data-nonce=\"0123456789\"\n" \
    " data-post-id=\"7\" data-bot-id=\"0\"></div>"
static char page[600];

#define PUT(...) out += snprintf(out, (size_t)(f->bytes + sizeof f->bytes - out), __VA_ARGS__)

/* Puts the body into frames; chunks end anywhere. Notes where the marks end in the response. */
static void compose(fixture *f)
{
    size_t body_len = strlen(f->body), mark = (size_t)(strstr(f->body, f->mark) - f->body) + strlen(f->mark);
    char *out = f->bytes;
    size_t whole = mark + strlen(f->whole), size = 0;
    if (strncmp(f->body + mark, f->whole, strlen(f->whole)) != 0 || body_len > 2000) abort();
    PUT("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n", f->type);
    if (f->framing == COUNTED) PUT("Set-Cookie: seen=1\r\nContent-Length: %zu\r\n", body_len);
    if (f->framing == CHUNKED) PUT("Transfer-Encoding: chunked\r\n");
    PUT("\r\n");
    for (size_t i = 0; i < body_len; i++) {
        if (f->framing == CHUNKED && size == 0) {
            size = body_len - i < 37 ? body_len - i : 37;
            PUT("%zx\r\n", size);
        }
        *out++ = f->body[i];
        if (i + 1 == mark) f->mark_at = (size_t)(out - f->bytes);
        if (i + 1 == whole) f->whole_at = (size_t)(out - f->bytes);
        if (f->framing == CHUNKED && --size == 0) PUT("\r\n");
    }
    if (f->framing == CHUNKED) PUT("0\r\n\r\n");
    f->len = (size_t)(out - f->bytes);
}

static void compose_all(void)
{
    for (size_t i = 0; i < FIXTURES; i++) compose(&fixtures[i]);
    snprintf(page, sizeof page,
             "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(PAGE_BODY), PAGE_BODY);
}

/* ---- scripts ---- */

/* The page, then the first `len` bytes of a reply, then silence. */
static void script_exchange(script *s, const fixture *f, size_t len)
{
    script_connection(s);
    script_request(s);
    script_say(s, page);
    script_request(s);
    if (len) script_send(s, f->bytes, len, 1);
}

/* Ends the connection: cleanly or not. */
static void script_break(script *s, bool clean)
{
    if (clean) script_end(s);
    else script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO);
}

static chatgptt_client *open_on(script *s)
{
    const chatgptt_options options = script_options(s);
    chatgptt_error error;
    chatgptt_client *c = chatgptt_open(&options, &error);
    if (!c) check_fail(__FILE__, __LINE__, "open: %s", error.message);
    return c;
}

/* ---- the four ways to ask ---- */

typedef enum way { STEP, NEXT, CHAT, ASK, WAYS } way;
typedef struct outcome {
    chatgptt_code code;
    char text[2000];
    size_t len;
    bool odd;                       /* an empty piece, or half a character */
    int (*stop)(void *);            /* on_text's answer */
    chatgptt_error error;
    chatgptt_stats stats;           /* STEP and NEXT only */
} outcome;

static int collect(void *user, const char *text, size_t len)
{
    outcome *o = (outcome *)user;
    if (len == 0 || !cgt_utf8_valid(cgt_slice_of(text, len)) || o->len + len >= sizeof o->text) {
        o->odd = true;
        return 0;
    }
    memcpy(o->text + o->len, text, len);
    o->text[o->len += len] = '\0';
    return o->stop ? o->stop(o) : 0;
}

static chatgptt_code step_and_wait(script *s, chatgptt_stream *stream, chatgptt_event *event)
{
    chatgptt_code code = chatgptt_step(stream, event);
    if (code != CHATGPTT_AGAIN) return code;
    chatgptt_wait want = chatgptt_want(stream);
    return script_wait(s, &want) < 0 ? CHATGPTT_E_IO : CHATGPTT_AGAIN;
}

static void run_stream(script *s, chatgptt_stream *stream, way how, outcome *o)
{
    chatgptt_event event;
    do {
        o->code = how == STEP ? step_and_wait(s, stream, &event) : chatgptt_next(stream, &event);
        if (o->code == CHATGPTT_OK) collect(o, event.text, event.len);
    } while (o->code == CHATGPTT_OK || o->code == CHATGPTT_AGAIN);
    o->error = *chatgptt_stream_error(stream);
    o->stats = *chatgptt_stream_stats(stream);
}

static outcome request_by(script *s, chatgptt_client *c, const chatgptt_request *request, way how)
{
    outcome o;
    memset(&o, 0, sizeof o);
    if (how == CHAT) o.code = chatgptt_chat(c, request, collect, &o);
    if (how == ASK) {
        char *text = chatgptt_ask(c, request->prompt);
        o.code = text ? CHATGPTT_DONE : chatgptt_client_error(c)->code;
        if (text) collect(&o, text, strlen(text));
        chatgptt_free(c, text);
    }
    if (how == CHAT || how == ASK) o.error = *chatgptt_client_error(c);
    else {
        chatgptt_stream *stream = chatgptt_start(c, request);
        if (stream) run_stream(s, stream, how, &o);
        else o.error = *chatgptt_client_error(c), o.code = o.error.code;
        chatgptt_finish(stream);
    }
    CHECK(!o.odd);
    CHECK_INT(o.error.code, o.code == CHATGPTT_DONE ? CHATGPTT_OK : o.code);
    CHECK((o.error.message[0] == '\0') == (o.code == CHATGPTT_DONE));
    return o;
}

static outcome ask_by(script *s, chatgptt_client *c, const char *prompt, way how)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    return request_by(s, c, &request, how);
}

/* After an error: the next message works, on a connection of its own. */
static bool usable(script *s, chatgptt_client *c)
{
    script_hang_up(s);
    s->num_peers = s->opened;                           /* connections that were not needed are forgotten */
    script_connection(s);
    script_request(s);
    if (chatgptt_client_site(c)->dialect == CHATGPTT_AUTO) {
        script_say(s, page);
        script_request(s);
    }
    script_send(s, json->bytes, json->len, 1);
    outcome o = ask_by(s, c, "again", NEXT);
    return CHECK_INT(o.code, CHATGPTT_DONE) && CHECK_STR(o.text, json->text);
}

/* Names the run that failed. */
#define CASE_BEGIN bool was_bad = check_now.bad; check_now.bad = false
#define CASE_END(...) do { \
        if (check_now.bad) printf("    in: " __VA_ARGS__), putchar('\n'); \
        check_now.bad |= was_bad; \
    } while (0)

/* ---- the model's exchange ---- */

#define USER_AGENT "Mozilla/5.0 (compatible; chatgptt.h/" CHATGPTT_VERSION ")"

TEST(exchange_is_the_models)
{
    static const char *const fields[][2] = { { "_wpnonce", "0123456789" },
                                             { "post_id", "7" },
                                             { "url", "http://site.test/" },
                                             { "action", "wpaicg_chat_shortcode_message" },
                                             { "message", "Why & how? \xd0\x96+\n" },
                                             { "bot_id", "0" },
                                             { "chatbot_identity", "shortcode" },
                                             { "wpaicg_chat_history", "[]" } };
    script s;
    char text[600], id[20] = "";
    http_request request;
    script_init(&s);
    script_exchange(&s, json, json->len);
    script_request(&s);
    script_send(&s, json->bytes, json->len, 1);
    chatgptt_client *c = open_on(&s);
    CHECK_INT(ask_by(&s, c, "Why & how? \xd0\x96+\n", NEXT).code, CHATGPTT_DONE);
    CHECK_STR(s.peers[0].host, "site.test");
    CHECK_STR(s.peers[0].port, "80");
    CHECK(script_head(&s, 0, 0, text, sizeof text) && strncmp(text, "GET / HTTP/1.1\r\n", 16) == 0);
    CHECK_STR(script_header(&s, 0, 0, "Host", text, sizeof text), "site.test");
    CHECK_STR(script_header(&s, 0, 0, "User-Agent", text, sizeof text), USER_AGENT);
    CHECK(script_header(&s, 0, 0, "Accept", text, sizeof text) != NULL);
    CHECK(script_head(&s, 0, 1, text, sizeof text) &&
          strncmp(text, "POST /wp-admin/admin-ajax.php HTTP/1.1\r\n", 40) == 0);
    CHECK_STR(script_header(&s, 0, 1, "Host", text, sizeof text), "site.test");
    CHECK_STR(script_header(&s, 0, 1, "Origin", text, sizeof text), "http://site.test");
    CHECK_STR(script_header(&s, 0, 1, "Referer", text, sizeof text), "http://site.test/");
    CHECK_STR(script_header(&s, 0, 1, "User-Agent", text, sizeof text), USER_AGENT);
    CHECK_STR(script_header(&s, 0, 1, "Content-Type", text, sizeof text),
              "application/x-www-form-urlencoded");
    CHECK(script_header(&s, 0, 1, "Accept", text, sizeof text) != NULL);
    size_t num_fields = sizeof fields / sizeof *fields;
    for (size_t i = 0; i < num_fields; i++)
        CHECK_STR(script_field(&s, 0, 1, fields[i][0], text, sizeof text), fields[i][1]);
    if (CHECK(script_get(&s, 0, 1, &request)))
        for (size_t i = 0; i < request.body_len; i++) num_fields -= request.body[i] == '&';
    /* the client id is the ninth: 5 random bytes in hex */
    CHECK_INT(num_fields, 0);
    CHECK(script_field(&s, 0, 1, "wpaicg_chat_client_id", id, sizeof id) != NULL);
    CHECK(strlen(id) == 10 && strspn(id, "0123456789abcdef") == 10);
    /* no page again, the same id, the same connection */
    CHECK_INT(ask_by(&s, c, "And?", NEXT).code, CHATGPTT_DONE);
    CHECK_STR(script_field(&s, 0, 2, "message", text, sizeof text), "And?");
    CHECK_STR(script_field(&s, 0, 2, "wpaicg_chat_client_id", text, sizeof text), id);
    CHECK_INT(s.opened, 1);
    chatgptt_close(c);
    script_finish(&s);
}

TEST(options_are_sent)
{
    script s;
    char text[600];
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    script_say(&s, page);
    script_connection(&s);
    script_request(&s);
    script_send(&s, json->bytes, json->len, 1);
    chatgptt_options options = script_options(&s);
    options.url = "HTTP://Site.Test:8080/a/../chat?x=1#top";
    options.endpoint = "http://other.test/ajax";
    options.bot_id = "12", options.client_id = "me", options.user_agent = "me/1", options.model = "gpt-4";
    chatgptt_client *c = chatgptt_open(&options, NULL);
    chatgptt_message messages[] = {{CHATGPTT_SYSTEM, "Be brief.", 0}, {CHATGPTT_USER, "Why?xx", 4}};
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.messages = messages, request.num_messages = 2, request.model = "gpt-4o-mini";
    CHECK_INT(request_by(&s, c, &request, CHAT).code, CHATGPTT_DONE);
    CHECK(script_head(&s, 0, 0, text, sizeof text) && strncmp(text, "GET /chat?x=1 HTTP/1.1\r\n", 24) == 0);
    CHECK_STR(script_header(&s, 0, 0, "Host", text, sizeof text), "site.test:8080");
    CHECK(script_head(&s, 1, 0, text, sizeof text) && strncmp(text, "POST /ajax HTTP/1.1\r\n", 21) == 0);
    CHECK_STR(script_header(&s, 1, 0, "Host", text, sizeof text), "other.test");
    CHECK_STR(script_header(&s, 1, 0, "Origin", text, sizeof text), "http://site.test:8080");
    CHECK_STR(script_header(&s, 1, 0, "User-Agent", text, sizeof text), "me/1");
    CHECK_STR(script_field(&s, 1, 0, "bot_id", text, sizeof text), "12");
    CHECK_STR(script_field(&s, 1, 0, "chatbot_identity", text, sizeof text), "custom_bot_12");
    CHECK_STR(script_field(&s, 1, 0, "wpaicg_chat_client_id", text, sizeof text), "me");
    CHECK_STR(script_field(&s, 1, 0, "message", text, sizeof text),
              "System: Be brief.\nUser: Why?\nAssistant:");
    chatgptt_close(c);
    script_finish(&s);
}

/* Every piece of text is handed out as soon as it is there: at the time it was sent. */
TEST(text_comes_as_it_arrives)
{
    script s;
    chatgptt_event event;
    chatgptt_request request;
    long long at[3];
    int n = 0;
    script_init(&s);
    script_exchange(&s, NULL, 0);
    script_say(&s, "HTTP/1.1 200 OK\r\nContent-Type: " SSE "\r\n\r\n" EVENT("one"));
    script_pause(&s, 500);
    script_say(&s, "data: {\"choices\":[{\"delta\":{\"content\":\"tw");     /* in the middle of a string */
    script_pause(&s, 500);
    script_say(&s, "o\"}}]}\n\n");
    script_pause(&s, 70000);
    script_say(&s, FINISH "data: [DONE]\n\n");
    chatgptt_client *c = open_on(&s);
    memset(&request, 0, sizeof request);
    request.prompt = "count";
    chatgptt_stream *stream = chatgptt_start(c, &request);
    while (chatgptt_next(stream, &event) == CHATGPTT_OK && n < 3) at[n++] = s.now;
    if (CHECK_INT(n, 3)) {
        CHECK_INT(at[0], 1000);
        CHECK_INT(at[1], 1500);
        CHECK_INT(at[2], 2000);
    }
    CHECK_INT(s.now, 72000);
    CHECK_INT(chatgptt_stream_stats(stream)->text_bytes, 6);
    CHECK_INT(chatgptt_stream_stats(stream)->first_text_ms, 0);
    CHECK_INT(chatgptt_stream_stats(stream)->total_ms, 71000);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- cuts ---- */

static bool is_start(const char *text, const char *of) { return strncmp(text, of, strlen(text)) == 0; }

/* The reply ends after `len` bytes. */
static void check_cut(const fixture *f, size_t len, way how, bool clean)
{
    script s;
    CASE_BEGIN;
    script_init(&s);
    script_exchange(&s, f, len);
    script_break(&s, clean);
    chatgptt_client *c = open_on(&s);
    if (len == 0 && clean) {                            /* a kept connection that says nothing: one retry */
        script_connection(&s);
        script_request(&s);
        script_break(&s, clean);
    }
    outcome o = ask_by(&s, c, "hi", how);
    if (len < f->mark_at) CHECK(o.code < 0);
    if (len >= f->whole_at) CHECK_INT(o.code, CHATGPTT_DONE);
    if (o.code == CHATGPTT_DONE) CHECK_STR(o.text, f->text);
    else CHECK(is_start(o.text, f->text));
    if (o.code < 0 && o.len) CHECK_INT(o.code, CHATGPTT_E_INCOMPLETE);
    if (o.code < 0 && len + 16 < f->len) CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
    CASE_END("%s, way %d, cut %s at %zu of %zu: %s", f->name, how, clean ? "cleanly" : "hard", len, f->len,
             chatgptt_code_name(o.code));
}

TEST(no_part_is_called_whole)
{
    for (size_t i = 0; i < FIXTURES; i++)
        for (size_t len = 0; len <= fixtures[i].len; len++) {
            bool end = fixtures[i].framing == TO_CLOSE && len == fixtures[i].len;
            if (!end) check_cut(&fixtures[i], len, STEP, false);
            check_cut(&fixtures[i], len, NEXT, true);
            if (i < 2) check_cut(&fixtures[i], len, ASK, true);
        }
}

/* A page that is cut is no page: nothing is posted. */
TEST(no_part_of_a_page_counts)
{
    for (size_t len = 0; len < strlen(page); len++) {
        script s;
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        if (len) script_send(&s, page, len, 1);
        script_break(&s, len & 1);
        chatgptt_client *c = open_on(&s);
        CHECK_INT(ask_by(&s, c, "hi", NEXT).code, len & 1 ? CHATGPTT_E_CLOSED : CHATGPTT_E_IO);
        CHECK_INT(script_count(&s, 0), 1);
        if (len % 16 == 0) CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
    }
}

static void check_same(script *s, const fixture *f, way how)
{
    CASE_BEGIN;
    chatgptt_client *c = open_on(s);
    outcome o = ask_by(s, c, "hi", how);
    CHECK_INT(o.code, CHATGPTT_DONE);
    CHECK_STR(o.text, f->text);
    CHECK_INT(s->now, 1000);                            /* never waits for what is there */
    chatgptt_close(c);
    CASE_END("%s, way %d, cut %zu, reads of %zu, writes of %zu", f->name, how, s->cut, s->read_max,
             s->write_max);
    script_rewind(s);
}

TEST(all_ways_give_the_same_text)
{
    for (size_t i = 0; i < FIXTURES; i++) {
        const fixture *f = &fixtures[i];
        script s;
        script_init(&s);
        script_exchange(&s, f, f->len);
        if (f->framing == TO_CLOSE) script_end(&s);
        for (s.cut = 1; s.cut < strlen(page) + f->len; s.cut++)
            for (int how = 0; how < WAYS; how++)
                if (i < 2 || how == (int)(s.cut % WAYS)) check_same(&s, f, (way)how);
        s.cut = 0;
        for (s.read_max = 1; s.read_max < f->len; s.read_max += s.read_max < 80 ? 1 : 61)
            for (int how = 0; how < WAYS; how++) {
                s.write_max = s.read_max % 5;
                s.no_descriptors = s.read_max % 2;
                if (i < 2 || how == (int)(s.read_max % WAYS)) check_same(&s, f, (way)how);
            }
        script_finish(&s);
    }
}

/* ---- time ---- */

typedef enum phase {
    CONNECTING,
    SENDING_GET,
    PAGE_HEAD,
    IN_PAGE,
    SENDING_POST,
    REPLY_HEAD,
    REPLY_BODY,
    TRICKLE,
    AFTER_FINISH,
    LATE_DONE,
    SLOW
} phase;

#define REPLY_HEAD_TEXT "HTTP/1.1 200 OK\r\nContent-Type: " SSE "\r\n\r\n"

/* The site falls silent in that phase; it takes 50 ms to connect. */
static void script_silence(script *s, phase at)
{
    script_connection(s);
    script_connect(s, at == CONNECTING ? -1 : at == SLOW ? 10000000 : 50);
    if (at == CONNECTING) return;
    if (at == SENDING_GET) { script_accept(s, 10); script_fail(s, CHATGPTT_WRITE, CHATGPTT_AGAIN); return; }
    script_request(s);
    if (at == SLOW) script_pause(s, 10000000);
    if (at == PAGE_HEAD || at == IN_PAGE) {
        script_send(s, page, at == PAGE_HEAD ? 20 : strlen(page) - 1, 1);
        return;
    }
    script_say(s, page);
    if (at == SENDING_POST) { script_accept(s, 300); script_fail(s, CHATGPTT_WRITE, CHATGPTT_AGAIN); return; }
    script_request(s);
    if (at == SLOW) script_pause(s, 10000000);
    if (at == REPLY_HEAD) { script_say(s, "HTTP/1.1 100 Continue\r\n"); return; }
    script_say(s, REPLY_HEAD_TEXT EVENT("Hi"));
    for (int i = 0; at == TRICKLE && i < 100; i++) { script_pause(s, 400); script_say(s, ":\n"); }
    if (at >= AFTER_FINISH) script_say(s, FINISH);
    if (at == LATE_DONE) script_pause(s, 999);
    if (at == LATE_DONE || at == SLOW) script_say(s, "data: [DONE]\n\n");
}

static int no_tick(void *user) { return *(long long *)user == -1; }

TEST(deadlines_are_exact)
{
    static const struct {
        phase at;
        int connect, idle, total;
        chatgptt_code code;
        long long ends;
        const char *name;
    } rows[] = {
        { CONNECTING, 0, 0, 0, CHATGPTT_E_TIMEOUT, 16000, "connect_timeout_ms" },
        { CONNECTING, 700, 0, 0, CHATGPTT_E_TIMEOUT, 1700, "connect_timeout_ms" },
        { CONNECTING, 700, 0, 699, CHATGPTT_E_TIMEOUT, 1699, "total_timeout_ms" },
        { CONNECTING, 1, 1, 1, CHATGPTT_E_TIMEOUT, 1001, "total_timeout_ms" },
        { CONNECTING, -1, -1, 0, CHATGPTT_E_TIMEOUT, 601000, "total_timeout_ms" },
        { CONNECTING, 49, 0, 0, CHATGPTT_E_TIMEOUT, 1049, "connect_timeout_ms" },
        { SENDING_GET, 49, 0, 0, CHATGPTT_E_TIMEOUT, 1049, "connect_timeout_ms" },
        { SENDING_GET, 51, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { SENDING_GET, 0, 0, 0, CHATGPTT_E_TIMEOUT, 151050, "idle_timeout_ms" },
        { SENDING_GET, 0, 900, 800, CHATGPTT_E_TIMEOUT, 1800, "total_timeout_ms" },
        { PAGE_HEAD, 0, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { PAGE_HEAD, 0, 900, 300, CHATGPTT_E_TIMEOUT, 1300, "total_timeout_ms" },
        { IN_PAGE, 0, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { IN_PAGE, 0, 0, 0, CHATGPTT_E_TIMEOUT, 151050, "idle_timeout_ms" },
        { IN_PAGE, 0, -1, 0, CHATGPTT_E_TIMEOUT, 601000, "total_timeout_ms" },
        { SENDING_POST, 0, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { SENDING_POST, 0, 900, 60, CHATGPTT_E_TIMEOUT, 1060, "total_timeout_ms" },
        { REPLY_HEAD, 0, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { REPLY_HEAD, 0, 0, 777, CHATGPTT_E_TIMEOUT, 1777, "total_timeout_ms" },
        { REPLY_BODY, 0, 900, 0, CHATGPTT_E_TIMEOUT, 1950, "idle_timeout_ms" },
        { REPLY_BODY, 0, 0, 0, CHATGPTT_E_TIMEOUT, 151050, "idle_timeout_ms" },
        { REPLY_BODY, 0, 900, 899, CHATGPTT_E_TIMEOUT, 1899, "total_timeout_ms" },
        { TRICKLE, 0, 399, 0, CHATGPTT_E_TIMEOUT, 1449, "idle_timeout_ms" },
        { TRICKLE, 0, 401, 3000, CHATGPTT_E_TIMEOUT, 4000, "total_timeout_ms" },
        { TRICKLE, 0, 401, 0, CHATGPTT_E_TIMEOUT, 1050 + 40000 + 401, "idle_timeout_ms" },
        { AFTER_FINISH, 0, 0, 0, CHATGPTT_DONE, 2050, "" },
        { AFTER_FINISH, -1, -1, -1, CHATGPTT_DONE, 2050, "" },
        /* the answer is complete: no reason to take it away */
        { AFTER_FINISH, 0, 0, 500, CHATGPTT_DONE, 1500, "" },
        { LATE_DONE, 0, 0, 0, CHATGPTT_DONE, 2049, "" },
        { SLOW, -1, -1, -1, CHATGPTT_DONE, 30001000, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int variant = 0; variant < 6; variant++) {
            script s;
            CASE_BEGIN;
            script_init(&s);
            script_silence(&s, rows[i].at);
            s.no_descriptors = variant & 1;
            chatgptt_options options = script_options(&s);
            options.connect_timeout_ms = rows[i].connect;
            options.idle_timeout_ms = rows[i].idle;
            options.total_timeout_ms = rows[i].total;
            chatgptt_client *c = chatgptt_open(&options, NULL);
            chatgptt_request request;
            memset(&request, 0, sizeof request);
            request.prompt = "hi";
            if (variant >= 4 && rows[i].at != SLOW) request.on_tick = no_tick, request.tick_user = &s.now;
            outcome o = request_by(&s, c, &request, variant < 2 ? STEP : variant < 4 ? CHAT : NEXT);
            CHECK_INT(o.code, rows[i].code);
            CHECK_INT(s.now, rows[i].ends);
            CHECK(strstr(o.error.message, rows[i].name) != NULL);
            CHECK_STR(o.text, rows[i].at >= REPLY_BODY ? "Hi" : "");
            s.no_descriptors = false;
            if (o.code < 0) CHECK(usable(&s, c));
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("row %zu, variant %d: %s", i, variant, o.error.message);
        }
}

/* After finish_reason the second of grace begins anew with each event; a comment is none. */
TEST(grace_begins_anew)
{
    script s;
    script_init(&s);
    script_exchange(&s, NULL, 0);
    script_say(&s, REPLY_HEAD_TEXT EVENT("Hi") FINISH);
    script_pause(&s, 800);
    script_say(&s, EVENT(" there"));
    script_pause(&s, 800);
    script_say(&s, EVENT("!"));
    script_pause(&s, 800);
    script_say(&s, ": still here\n\n");
    chatgptt_client *c = open_on(&s);
    outcome o = ask_by(&s, c, "hi", NEXT);
    CHECK_INT(o.code, CHATGPTT_DONE);
    CHECK_STR(o.text, "Hi there!");
    CHECK_INT(s.now, 1000 + 1600 + 1000);
    chatgptt_close(c);
    script_finish(&s);
}

/* finish_reason without any text: an empty answer, and no whole one; waited for as if it had not come. */
TEST(grace_needs_text)
{
    for (int ends = 0; ends < 2; ends++) {
        script s;
        script_init(&s);
        script_exchange(&s, NULL, 0);
        script_say(&s, REPLY_HEAD_TEXT EVENT("") FINISH);
        if (ends) script_end(&s);
        chatgptt_client *c = open_on(&s);
        CHECK_INT(ask_by(&s, c, "hi", NEXT).code, ends ? CHATGPTT_E_UPSTREAM : CHATGPTT_E_TIMEOUT);
        CHECK_INT(s.now, ends ? 1000 : 151000);
        CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* The times are the site's, not the caller's: who thinks longer than the idle timeout still gets what has
   come meanwhile. */
TEST(slow_callers_lose_nothing)
{
    script s;
    chatgptt_event event;
    chatgptt_request request;
    script_init(&s);
    script_exchange(&s, NULL, 0);
    script_say(&s, REPLY_HEAD_TEXT EVENT("one"));       /* each is a read of its own, and there at once */
    script_say(&s, EVENT("two"));
    script_say(&s, FINISH "data: [DONE]\n\n");
    chatgptt_options options = script_options(&s);
    options.idle_timeout_ms = 1000, options.connect_timeout_ms = 1000;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    chatgptt_stream *stream = chatgptt_start(c, &request);
    s.now += 5000;
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_OK);
    s.now += 5000;
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_OK);
    CHECK_MEM(event.text, event.len, "two", 3);
    s.now += 5000;
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_DONE);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- cancel ---- */

/* Cancels before step n of an exchange that is slow in every phase; false when it ended before. */
static bool check_cancel(int n)
{
    script s;
    chatgptt_event event;
    chatgptt_request request;
    chatgptt_code code = CHATGPTT_OK;
    CASE_BEGIN;
    script_init(&s);
    s.read_max = 40, s.write_max = 50;
    script_silence(&s, LATE_DONE);
    chatgptt_client *c = open_on(&s);
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    chatgptt_stream *stream = chatgptt_start(c, &request);
    for (int i = 0; i < n && code >= 0 && code != CHATGPTT_DONE; i++)
        code = step_and_wait(&s, stream, &event);
    bool ended = code == CHATGPTT_DONE;
    chatgptt_cancel(stream);
    for (int i = 0; i < 3; i++) {
        code = i < 2 ? chatgptt_step(stream, &event) : chatgptt_next(stream, &event);
        CHECK_INT(code, ended ? CHATGPTT_DONE : CHATGPTT_E_CANCELLED);
    }
    CHECK_INT(chatgptt_stream_error(stream)->code, ended ? CHATGPTT_OK : CHATGPTT_E_CANCELLED);
    CHECK_INT(chatgptt_want(stream).timeout_ms, 0);
    chatgptt_finish(stream);
    if (!ended) CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
    CASE_END("cancelled before step %d", n);
    return !ended;
}

TEST(cancel_in_every_phase)
{
    int n = 0;
    while (check_cancel(n)) n++;
    CHECK(n > 25);
}

typedef struct ticker { script *s; int calls, stop_at; long long last, longest, stopped; } ticker;

static int tick(void *user)
{
    ticker *t = (ticker *)user;
    if (t->calls && t->s->now - t->last > t->longest) t->longest = t->s->now - t->last;
    t->last = t->s->now;
    if (++t->calls != t->stop_at) return 0;
    t->stopped = t->s->now;
    return 1;
}

TEST(on_tick_cancels)
{
    int stop_at = 1;
    for (bool ended = false; !ended; stop_at++) {
        script s;
        chatgptt_request request;
        script_init(&s);
        script_silence(&s, LATE_DONE);
        chatgptt_client *c = open_on(&s);
        ticker t = {&s, 0, stop_at, 0, 0, 0};
        memset(&request, 0, sizeof request);
        request.prompt = "hi", request.on_tick = tick, request.tick_user = &t;
        outcome o = request_by(&s, c, &request, CHAT);
        ended = t.calls < stop_at;
        CHECK_INT(o.code, ended ? CHATGPTT_DONE : CHATGPTT_E_CANCELLED);
        if (!ended) CHECK_INT(s.now, t.stopped);
        CHECK(t.longest <= 100);
        if (!ended) CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
    }
    CHECK(stop_at > 10);
}

static int stop_now(void *user) { (void)user; return 1; }

TEST(on_text_cancels)
{
    script s;
    script_init(&s);
    script_exchange(&s, events, events->len);
    chatgptt_client *c = open_on(&s);
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    outcome o;
    memset(&o, 0, sizeof o);
    o.stop = stop_now;
    CHECK_INT(chatgptt_chat(c, &request, collect, &o), CHATGPTT_E_CANCELLED);
    CHECK_STR(o.text, "Hel");
    CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- streams ---- */

TEST(results_repeat)
{
    for (int good = 0; good < 2; good++) {
        script s;
        chatgptt_event event;
        chatgptt_request request;
        script_init(&s);
        script_exchange(&s, events, good ? events->len : events->mark_at - 10);
        script_end(&s);
        chatgptt_client *c = open_on(&s);
        memset(&request, 0, sizeof request);
        request.prompt = "hi";
        chatgptt_stream *stream = chatgptt_start(c, &request);
        chatgptt_code code;
        while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) continue;
        CHECK_INT(code, good ? CHATGPTT_DONE : CHATGPTT_E_INCOMPLETE);
        const chatgptt_error error = *chatgptt_stream_error(stream);
        const chatgptt_stats stats = *chatgptt_stream_stats(stream);
        for (int i = 0; i < 4; i++) {
            s.now += 1000000;
            CHECK_INT(i & 1 ? chatgptt_next(stream, &event) : chatgptt_step(stream, &event), code);
            CHECK(event.text == NULL && event.len == 0);
        }
        CHECK(memcmp(&error, chatgptt_stream_error(stream), sizeof error) == 0);
        CHECK(memcmp(&stats, chatgptt_stream_stats(stream), sizeof stats) == 0);
        CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_OK);      /* a stream's errors are its own */
        chatgptt_finish(stream);
        chatgptt_close(c);
        script_finish(&s);
    }
}

#define STREAMS 8

/* All at once, a step each in turn; the odd ones are given up in the middle; `close`: the client is closed
   under them. */
static void interleave(int give_up, bool close_early)
{
    script s;
    chatgptt_stream *streams[STREAMS];
    static outcome o[STREAMS];
    static char replies[STREAMS][400];
    chatgptt_request request;
    int left = STREAMS;
    script_init(&s);
    s.read_max = 7;
    for (int i = 0; i < STREAMS; i++) {
        int len = snprintf(replies[i], sizeof replies[i],
                           REPLY_HEAD_TEXT EVENT("I am %d") EVENT(", not %d") "data: [DONE]\n\n", i, i + 1);
        script_exchange(&s, NULL, 0);
        script_send(&s, replies[i], (size_t)len, 1);
        memset(&o[i], 0, sizeof o[i]);
    }
    chatgptt_client *c = open_on(&s);
    memset(&request, 0, sizeof request);
    request.prompt = "who?";
    for (int i = 0; i < STREAMS; i++) streams[i] = chatgptt_start(c, &request);
    for (int round = 0; left > 0 && !(close_early && round > give_up); round++)
        for (int i = 0; i < STREAMS; i++) {
            chatgptt_event event;
            if (!streams[i]) continue;
            o[i].code = step_and_wait(&s, streams[i], &event);
            if (o[i].code == CHATGPTT_OK) collect(&o[i], event.text, event.len);
            if (o[i].code != CHATGPTT_DONE && o[i].code >= 0 && !(i % 2 && round >= give_up)) continue;
            chatgptt_finish(streams[i]);
            streams[i] = NULL;
            left--;
        }
    for (int i = 0; i < STREAMS && !close_early; i++) {
        char wanted[40];
        if (o[i].code != CHATGPTT_DONE && i % 2) continue;
        snprintf(wanted, sizeof wanted, "I am %d, not %d", i, i + 1);
        CHECK_INT(o[i].code, CHATGPTT_DONE);
        CHECK_STR(o[i].text, wanted);
    }
    chatgptt_close(c);
    script_finish(&s);
}

TEST(many_streams_at_once)
{
    for (int give_up = 0; give_up < 150; give_up += 3) {
        interleave(give_up, false);
        interleave(give_up, true);
    }
}

/* Who has read the page has read it for all. */
TEST(tokens_are_shared)
{
    script s;
    script_init(&s);
    script_exchange(&s, json, json->len);
    script_connection(&s);
    script_request(&s);
    script_send(&s, events->bytes, events->len, 1);
    chatgptt_client *c = open_on(&s);
    chatgptt_request request;
    chatgptt_event event;
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    chatgptt_stream *first = chatgptt_start(c, &request), *second = chatgptt_start(c, &request);
    CHECK_INT(chatgptt_next(first, &event), CHATGPTT_OK);
    CHECK_INT(chatgptt_next(second, &event), CHATGPTT_OK);
    CHECK_INT(script_count(&s, 1), 1);
    CHECK_INT(chatgptt_stream_stats(first)->requests, 2);
    CHECK_INT(chatgptt_stream_stats(second)->requests, 1);
    CHECK_INT(chatgptt_stream_stats(second)->page_ms, -1);
    chatgptt_finish(first);
    chatgptt_finish(second);
    CHECK_INT(chatgptt_client_site(c)->dialect, CHATGPTT_WPAICG);
    CHECK_STR(chatgptt_client_site(c)->bot_id, "0");
    chatgptt_close(c);
    script_finish(&s);
}

/* What want() says changes its generation whenever its descriptors change, also where the transport's never
   does. */
static chatgptt_wait want_without_generation(void *user, void *conn)
{
    chatgptt_wait wait = script_want(user, conn);
    wait.generation = 0;
    return wait;
}

TEST(generation_tells_of_descriptors)
{
    for (int constant = 0; constant < 2; constant++) {
        script s;
        chatgptt_event event;
        chatgptt_request request;
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_say(&s, page);
        /* closed without a word: the message is tried again */
        script_end(&s);
        script_connection(&s);
        script_connect(&s, 30);
        script_request(&s);
        script_send(&s, events->bytes, events->len, 1);
        s.read_max = 100;
        chatgptt_options options = script_options(&s);
        if (constant) options.transport.want = want_without_generation;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        memset(&request, 0, sizeof request);
        request.prompt = "hi";
        chatgptt_stream *stream = chatgptt_start(c, &request);
        chatgptt_wait last = chatgptt_want(stream);
        CHECK_INT(last.count, 0);
        CHECK_INT(last.timeout_ms, 0);
        chatgptt_code code;
        int changes = 0;
        do {
            code = step_and_wait(&s, stream, &event);
            const chatgptt_wait want = chatgptt_want(stream);
            bool other = want.count != last.count || (want.count && want.on[0].fd != last.on[0].fd);
            if (other) CHECK(want.generation > last.generation);
            CHECK(want.generation >= last.generation);
            changes += other;
            last = want;
        } while (code == CHATGPTT_OK || code == CHATGPTT_AGAIN);
        CHECK_INT(code, CHATGPTT_DONE);
        CHECK(changes >= 2);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* ---- connections ---- */

typedef enum kept_end {
    KEPT_CLOSED,
    KEPT_RESET,
    KEPT_BROKEN,
    KEPT_ONE_BYTE,
    KEPT_INTERIM,
    KEPT_TWICE,
    KEPT_WRITE
} kept_end;

/* The page comes, then the connection ends in some manner before the reply. */
TEST(kept_connections_are_retried_once)
{
    static const struct { kept_end how; chatgptt_code code; int opened;
    } rows[] = {
        { KEPT_CLOSED, CHATGPTT_DONE, 2 },      { KEPT_RESET, CHATGPTT_DONE, 2 },
        { KEPT_BROKEN, CHATGPTT_E_IO, 1 },
        { KEPT_WRITE, CHATGPTT_DONE, 2 },       { KEPT_ONE_BYTE, CHATGPTT_E_CLOSED, 1 },
        { KEPT_INTERIM, CHATGPTT_E_CLOSED, 1 }, { KEPT_TWICE, CHATGPTT_E_CLOSED, 2 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        script s;
        CASE_BEGIN;
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_say(&s, page);
        if (rows[i].how == KEPT_WRITE) script_accept(&s, 30);
        else script_request(&s);
        if (rows[i].how == KEPT_WRITE || rows[i].how == KEPT_RESET)
            script_fail(&s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_CLOSED);
        if (rows[i].how == KEPT_ONE_BYTE) script_say(&s, "H");
        if (rows[i].how == KEPT_INTERIM) script_say(&s, "HTTP/1.1 100 Continue\r\n\r\n");
        script_break(&s, rows[i].how != KEPT_BROKEN);
        script_connection(&s);
        script_request(&s);
        if (rows[i].how != KEPT_TWICE) script_send(&s, events->bytes, events->len, 1);
        script_end(&s);
        chatgptt_client *c = open_on(&s);
        outcome o = ask_by(&s, c, "hi", NEXT);
        CHECK_INT(o.code, rows[i].code);
        CHECK_INT(s.opened, rows[i].opened);
        CHECK_INT(o.stats.connections, rows[i].opened);
        CHECK_STR(o.text, o.code == CHATGPTT_DONE ? events->text : "");
        if (o.code < 0 && rows[i].opened == 2) CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("row %zu: %s", i, o.error.message);
    }
}

TEST(fresh_connections_are_not_retried)
{
    for (int how = 0; how < 3; how++) {
        script s;
        script_init(&s);
        script_connection(&s);
        if (how == 2) script_connect(&s, 10);
        else script_request(&s);
        script_break(&s, how == 0);
        chatgptt_client *c = open_on(&s);
        CHECK_INT(ask_by(&s, c, "hi", NEXT).code, how == 0 ? CHATGPTT_E_CLOSED : CHATGPTT_E_IO);
        CHECK_INT(s.opened, 1);
        CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Three kept connections died while nobody looked: the retry takes none of them. */
TEST(retry_takes_a_fresh_connection)
{
    script s;
    chatgptt_stream *streams[3];
    chatgptt_event event;
    chatgptt_request request;
    script_init(&s);
    for (int i = 0; i < 3; i++) {
        script_exchange(&s, json, json->len);
        script_pause(&s, 500);                          /* later is too late for a retry */
        script_end(&s);
    }
    chatgptt_client *c = open_on(&s);
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    for (int i = 0; i < 3; i++) streams[i] = chatgptt_start(c, &request);
    s.read_max = 50;
    for (int done = 0, rounds = 0; done < 3 && CHECK(rounds < 1000); rounds++) {
        done = 0;
        for (int i = 0; i < 3; i++) done += step_and_wait(&s, streams[i], &event) == CHATGPTT_DONE;
    }
    for (int i = 0; i < 3; i++) chatgptt_finish(streams[i]);
    s.read_max = 0;
    s.now += 10000;
    script_connection(&s);
    script_request(&s);
    script_send(&s, json->bytes, json->len, 1);
    outcome o = ask_by(&s, c, "hi", NEXT);
    CHECK_INT(o.code, CHATGPTT_DONE);
    CHECK_INT(o.stats.connections, 1);
    CHECK(o.stats.reused);
    chatgptt_close(c);
    script_finish(&s);
}

/* One connection for page and messages, whichever form the answers have and however late their last bytes
   come. */
TEST(connections_are_kept)
{
    for (int late = 0; late < 3; late++) {
        script s;
        script_init(&s);
        script_exchange(&s, NULL, 0);
        for (int i = 0; i < 4; i++) {
            const fixture *f = i & 1 ? json : events;
            size_t rest = late && f == events ? (late == 1 ? 5 : 40) : 0;
            if (i) script_request(&s);
            script_send(&s, f->bytes, f->len - rest, 1);
            if (rest) script_pause(&s, 20);
            if (rest) script_send(&s, f->bytes + f->len - rest, rest, 1);
        }
        chatgptt_client *c = open_on(&s);
        for (int i = 0; i < 4; i++) {
            const fixture *f = i & 1 ? json : events;
            CHECK_STR(ask_by(&s, c, "hi", i & 1 ? NEXT : STEP).text, f->text);
            s.now += 1000;
        }
        CHECK_INT(s.opened, 1);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* An answer whose body goes on and on after its end mark: that connection is not used again, and hardly
   waited for. */
TEST(endless_tails_are_dropped)
{
    for (int size = 0; size < 2; size++) {
        script s;
        script_init(&s);
        script_exchange(&s, NULL, 0);
        script_say(&s, "HTTP/1.1 200 OK\r\nContent-Type: " SSE
                       "\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n");
        script_say(&s, EVENT("ab") "data: [DONE]\n\n");
        if (size) script_send(&s, ": more\n", 7, 20000);
        chatgptt_client *c = open_on(&s);
        CHECK_STR(ask_by(&s, c, "hi", NEXT).text, "ab");
        CHECK_INT(s.now, 1000);
        CHECK(usable(&s, c));
        CHECK(s.now <= 1000 + CHATGPTT_MAX_DRAIN_MS);
        CHECK_INT(s.opened, 2);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* ---- errors ---- */

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

TEST(errors_leave_the_client_usable)
{
    static const struct { const char *page, *reply; chatgptt_code refusal, code;
    } rows[] = {
        { NULL, NULL, CHATGPTT_E_RESOLVE, CHATGPTT_E_RESOLVE },
        { NULL, NULL, CHATGPTT_E_CONNECT, CHATGPTT_E_CONNECT },
        { "nonsense\r\n\r\n", NULL, CHATGPTT_OK, CHATGPTT_E_HTTP },
        { "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", NULL, CHATGPTT_OK, CHATGPTT_E_STATUS },
        { "HTTP/1.1 404 No\r\n\r\n<title>Not found</title>", NULL, CHATGPTT_OK, CHATGPTT_E_STATUS },
        { "HTTP/1.1 200 OK\r\n\r\n<title>Just a blog</title>", NULL, CHATGPTT_OK, CHATGPTT_E_PAGE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", NULL, CHATGPTT_OK, CHATGPTT_E_HTTP },
        { page, "HTTP/1.1 500 Oops\r\n\r\n<p>There has been a critical error</p>", CHATGPTT_OK,
          CHATGPTT_E_STATUS },
        { page, "HTTP/1.0 200\r\n\r\n", CHATGPTT_OK, CHATGPTT_E_REPLY },
        { page, OK_HEAD "{\"status\":\"error\",\"msg\":\"no\"}", CHATGPTT_OK, CHATGPTT_E_REFUSED },
        { page, OK_HEAD "{\"status\":\"error\",\"msg\":\"no\",\"greeting_message\":\"x\"}", CHATGPTT_OK,
          CHATGPTT_E_UPSTREAM },
        { page, OK_HEAD "{\"msg\":\"no more\",\"tokenLimitReached\":true}", CHATGPTT_OK,
          CHATGPTT_E_RATE_LIMITED },
        { page, OK_HEAD "{\"status\":\"success\",\"data\":7}", CHATGPTT_OK, CHATGPTT_E_REPLY },
        { page, OK_HEAD "{\"status\":\"success\",\"data\":\"\"}", CHATGPTT_OK, CHATGPTT_E_UPSTREAM },
        { page, OK_HEAD "no JSON", CHATGPTT_OK, CHATGPTT_E_REPLY },
        { page, REPLY_HEAD_TEXT, CHATGPTT_OK, CHATGPTT_E_UPSTREAM },
        { page, REPLY_HEAD_TEXT EVENT("Hi"), CHATGPTT_OK, CHATGPTT_E_INCOMPLETE },
        { page, REPLY_HEAD_TEXT "data: {\"error\":{\"message\":\"no\"}}\n\n", CHATGPTT_OK,
          CHATGPTT_E_UPSTREAM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        script s;
        CASE_BEGIN;
        script_init(&s);
        script_connection(&s);
        if (rows[i].refusal) script_refuse(&s, rows[i].refusal);
        if (rows[i].page) { script_request(&s); script_say(&s, rows[i].page); }
        if (rows[i].reply) { script_request(&s); script_say(&s, rows[i].reply); }
        if (!rows[i].refusal) script_end(&s);
        chatgptt_client *c = open_on(&s);
        outcome o = ask_by(&s, c, "hi", i & 1 ? CHAT : ASK);
        CHECK_INT(o.code, rows[i].code);
        CHECK(usable(&s, c));
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("row %zu: %s", i, o.error.message);
    }
}

TEST(limits_are_kept)
{
    static const struct { size_t header, page, reply, event; bool fits; const char *body;
    } rows[] = {
        { 0, 0, 0, 0, true, EVENT("Hi") },
        { 40, 0, 0, 0, false, EVENT("Hi") },
        { 0, 100, 0, 0, false, EVENT("Hi") },
        { 0, 0, 20, 0, false, EVENT("Hi") },
        { 0, 0, 0, 60, true, EVENT("what is longer than an event may be but streams through") },
        { 0, 0, 0, 60, false,
          "event: message\n" EVENT("what is longer than an event may be and must be held, all of it") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        script s;
        CASE_BEGIN;
        script_init(&s);
        script_exchange(&s, NULL, 0);
        script_say(&s, REPLY_HEAD_TEXT);
        script_say(&s, rows[i].body);
        script_say(&s, FINISH);
        script_end(&s);
        chatgptt_options options = script_options(&s);
        options.max_header_bytes = rows[i].header, options.max_page_bytes = rows[i].page;
        options.max_reply_bytes = rows[i].reply, options.max_event_bytes = rows[i].event;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o = ask_by(&s, c, "hi", NEXT);
        CHECK_INT(o.code, rows[i].fits ? CHATGPTT_DONE : CHATGPTT_E_LIMIT);
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("row %zu: %s", i, o.error.message);
    }
}

/* ---- bad input: nothing is sent ---- */

static void check_refused(const chatgptt_options *options, chatgptt_code code, const char *words)
{
    chatgptt_error error;
    CASE_BEGIN;
    chatgptt_client *c = chatgptt_open(options, &error);
    CHECK(c == NULL);
    CHECK_INT(error.code, code);
    CHECK(strstr(error.message, words) != NULL);
    chatgptt_close(c);
    CHECK(chatgptt_open(options, NULL) == NULL);
    CASE_END("%s not in \"%s\"", words, error.message);
}

TEST(bad_options)
{
    static const char *const urls[] = {"", " ", "foo", "foo.test", "http:", "http://", "http:///x",
        "//site.test/", "ftp://site.test/", "http://site.test:99999/",
        "http://site.test:x/", "http://si te.test/", "http://[::1/", "http://[zz]/", "javascript:alert(1)"};
    script s;
    script_init(&s);
    chatgptt_options options = script_options(&s);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        options.url = urls[i];
        check_refused(&options, CHATGPTT_E_ARGUMENT, "url");
        options.url = "http://site.test/", options.endpoint = urls[i];
        check_refused(&options, CHATGPTT_E_ARGUMENT, "endpoint");
        options.endpoint = NULL;
    }
    options.url = NULL;
#define STRING(name) {#name, &options.name}
    const struct {
        const char *name, **at;
    } strings[] = { STRING(url),           STRING(endpoint),        STRING(bot_id),     STRING(client_id),
                    STRING(model),         STRING(proxy),           STRING(user_agent), STRING(address),
                    STRING(nonce_pattern), STRING(post_id_pattern), STRING(ca_file) };
#undef STRING
    static const char *const splits[] = { "http://a.test/\r\nX: y", "http://a.test/\n", "http://a.test/\r",
                                          "gpt-4\n", "\nx" };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        for (size_t k = 0; k < sizeof splits / sizeof *splits; k++) {
            options.url = "http://site.test/";
            *strings[i].at = splits[k];
            check_refused(&options, CHATGPTT_E_ARGUMENT, strings[i].name);
            *strings[i].at = NULL;
        }
    options.url = "http://site.test/", options.model = "gpt-5";
    check_refused(&options, CHATGPTT_E_MODEL, "gpt-4o-mini");
    options.model = NULL, options.bot_id = "";
    check_refused(&options, CHATGPTT_E_ARGUMENT, "bot_id");
    options.bot_id = NULL, options.client_id = "";
    check_refused(&options, CHATGPTT_E_ARGUMENT, "client_id");
    options.client_id = NULL, options.nonce_pattern = "[a";
    check_refused(&options, CHATGPTT_E_ARGUMENT, "nonce_pattern");
    options.nonce_pattern = NULL, options.transport.want = NULL;
    check_refused(&options, CHATGPTT_E_ARGUMENT, "transport");
    CHECK_INT(s.opened, 0);
    script_finish(&s);
}

TEST(bad_requests)
{
    static const chatgptt_message no_text = { CHATGPTT_USER, NULL, 0 },
                                  no_role = { (chatgptt_role)7, "x", 0 }, nul = { CHATGPTT_USER, "a\0b", 3 },
                                  bad_utf8 = { CHATGPTT_USER, "a\xff", 0 },
                                  blank = { CHATGPTT_USER, " \xe2\x80\xa8\t", 0 },
                                  zero = { CHATGPTT_USER, "0", 0 }, good = { CHATGPTT_USER, "x", 0 };
    static const struct {
        const char *prompt;
        const chatgptt_message *message;
        size_t count;
        const char *model;
    } rows[] = {
        { NULL, NULL, 0, NULL },      { NULL, NULL, 3, NULL },     { NULL, &good, 0, NULL },
        { "", NULL, 0, NULL },        { "0", NULL, 0, NULL },      { " \r\n\t ", NULL, 0, NULL },
        { " 0\n", NULL, 0, NULL },    { "\xc3", NULL, 0, NULL },   { "x", &good, 1, NULL },
        { NULL, &no_text, 1, NULL },  { NULL, &no_role, 1, NULL }, { NULL, &nul, 1, NULL },
        { NULL, &bad_utf8, 1, NULL }, { NULL, &blank, 1, NULL },   { NULL, &zero, 1, NULL },
        { "x", NULL, 0, "gpt-5" },    { "x", NULL, 0, "" },        { "x", NULL, 0, "gpt-4\r\n" },
    };
    script s;
    script_init(&s);
    chatgptt_client *c = open_on(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int how = 0; how < WAYS; how++) {
            chatgptt_request request;
            CASE_BEGIN;
            memset(&request, 0, sizeof request);
            request.prompt = rows[i].prompt, request.model = rows[i].model;
            request.messages = rows[i].message, request.num_messages = rows[i].count;
            if (how == ASK && (rows[i].message || rows[i].model)) continue;
            outcome o = request_by(&s, c, &request, (way)how);
            CHECK_INT(o.code, rows[i].model ? CHATGPTT_E_MODEL : CHATGPTT_E_ARGUMENT);
            CHECK(!strpbrk(o.error.message, "\r\n"));
            CASE_END("row %zu, way %d: %s", i, how, o.error.message);
        }
    CHECK(chatgptt_start(c, NULL) == NULL);
    CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_chat(c, NULL, NULL, NULL), CHATGPTT_E_ARGUMENT);
    CHECK_INT(s.opened, 0);
    CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
}

TEST(no_client_no_stream_no_crash)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    CHECK(chatgptt_start(NULL, &request) == NULL);
    CHECK_INT(chatgptt_chat(NULL, &request, NULL, NULL), CHATGPTT_E_ARGUMENT);
    CHECK(chatgptt_ask(NULL, "hi") == NULL);
    CHECK_INT(chatgptt_client_error(NULL)->code, CHATGPTT_E_ARGUMENT);
    CHECK(chatgptt_client_error(NULL)->message[0] != '\0');
    chatgptt_event event;
    CHECK_INT(chatgptt_step(NULL, &event), CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_next(NULL, &event), CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_want(NULL).count, 0);
    CHECK(chatgptt_stream_error(NULL)->message[0] != '\0');
    chatgptt_cancel(NULL);
    chatgptt_free(NULL, NULL);
    chatgptt_finish(NULL);
    chatgptt_close(NULL);
}

TEST(codes_are_distinct)
{
    static const struct { const char *name; int value; } codes[] = {
#define ROW(name, value, text) {#name, CHATGPTT_##name},
        CHATGPTT_CODES(ROW)
#undef ROW
    };
    size_t count = sizeof codes / sizeof *codes;
    for (size_t i = 0; i < count; i++) {
        chatgptt_code code = (chatgptt_code)codes[i].value;
        CHECK_STR(chatgptt_code_name(code), codes[i].name);
        CHECK(chatgptt_code_text(code)[0] != '\0');
        CHECK((code < 0) == (strncmp(codes[i].name, "E_", 2) == 0));
        for (size_t k = 0; k < i; k++) {
            CHECK(codes[k].value != codes[i].value);
            CHECK(strcmp(chatgptt_code_text((chatgptt_code)codes[k].value), chatgptt_code_text(code)) != 0);
        }
    }
    CHECK_INT(CHATGPTT_OK, 0);
    CHECK_STR(chatgptt_code_name((chatgptt_code)99), "?");
    CHECK_STR(chatgptt_model(0), "gpt-4o");
    size_t models = 0;
    while (chatgptt_model(models)) models++;
    CHECK_INT(models, 3);
    CHECK(chatgptt_model((size_t)-1) == NULL);
}

/* ---- torture: memory ---- */

/* One run with failing allocations; false when none failed any more. */
static bool check_memory(const fixture *f, way how, long at, long from)
{
    script s;
    chatgptt_error error;
    CASE_BEGIN;
    script_init(&s);
    script_exchange(&s, f, f->len);
    if (f->framing == TO_CLOSE) script_end(&s);
    s.fail_at = at, s.fail_from = from;
    s.read_max = 300;
    const chatgptt_options options = script_options(&s);
    chatgptt_client *c = chatgptt_open(&options, &error);
    bool hit = !c;
    if (!c) CHECK_INT(error.code, CHATGPTT_E_MEMORY);
    else {
        outcome o = ask_by(&s, c, "hi", how);
        error = o.error;
        hit = s.allocations >= at + from;
        CHECK_INT(o.code, hit ? CHATGPTT_E_MEMORY : CHATGPTT_DONE);
        if (o.code == CHATGPTT_DONE) CHECK_STR(o.text, f->text);
        else CHECK(is_start(o.text, f->text));
        s.fail_at = s.fail_from = 0;
        if (o.code < 0) CHECK(usable(&s, c));
    }
    chatgptt_close(c);
    script_finish(&s);
    CASE_END("%s, way %d, allocation %ld%s: %s", f->name, how, at + from, from ? " and all later" : "",
             error.message);
    return hit;
}

TEST(every_allocation_fails)
{
    for (size_t i = 0; i < FIXTURES; i++)
        for (int how = 0; how < WAYS; how++) {
            long n = 1;
            while (check_memory(&fixtures[i], (way)how, n, 0) && n < 1000) n++;
            CHECK(n > 10 && n < 1000);
            for (long k = 1; k < n; k++) check_memory(&fixtures[i], (way)how, 0, k);
        }
}

/* A message that cannot be answered for lack of memory is not sent. */
TEST(no_memory_nothing_sent)
{
    script s;
    script_init(&s);
    chatgptt_client *c = open_on(&s);
    s.fail_from = s.allocations + 1;
    CHECK(chatgptt_ask(c, "hi") == NULL);
    s.fail_from = 0, s.fail_at = s.allocations + 1;     /* the first: room for the answer */
    CHECK(chatgptt_ask(c, "hi") == NULL);
    CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_E_MEMORY);
    CHECK_INT(s.opened, 0);
    s.fail_at = 0;
    CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- torture: reads and writes ---- */

typedef enum flaw { FLAW_AGAIN, FLAW_SHORT, FLAW_IO, FLAW_END, FLAWS } flaw;
/* the transport's `user` is the script's own */
static struct { flaw flaw; unsigned event; int at, calls; } torture;

static bool tortured(unsigned event) { return torture.event == event && ++torture.calls == torture.at; }

static chatgptt_code flawed_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    *done = 0;
    if (!tortured(CHATGPTT_READ)) return script_read(user, conn, buffer, size, done);
    if (torture.flaw == FLAW_SHORT) return script_read(user, conn, buffer, 1, done);
    return script_did((script_peer *)conn, CHATGPTT_READ,
                      torture.flaw == FLAW_AGAIN ? CHATGPTT_AGAIN
                      : torture.flaw == FLAW_IO  ? CHATGPTT_E_IO
                                                 : CHATGPTT_DONE);
}

static chatgptt_code flawed_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    *done = 0;
    if (!tortured(CHATGPTT_WRITE)) return script_write(user, conn, bytes, size, done);
    if (torture.flaw == FLAW_SHORT) return script_write(user, conn, bytes, 1, done);
    return script_did((script_peer *)conn, CHATGPTT_WRITE,
                      torture.flaw == FLAW_AGAIN ? CHATGPTT_AGAIN
                      : torture.flaw == FLAW_IO  ? CHATGPTT_E_IO
                                                 : CHATGPTT_E_CLOSED);
}

/* False when there was no n-th call. */
static bool check_torture(const fixture *f, way how, unsigned event, flaw kind, int n)
{
    script s;
    CASE_BEGIN;
    script_init(&s);
    script_exchange(&s, f, f->len);
    if (f->framing == TO_CLOSE) script_end(&s);
    script_connection(&s);                              /* for the retry of the kept connection */
    script_request(&s);
    script_send(&s, f->bytes, f->len, 1);
    if (f->framing == TO_CLOSE) script_end(&s);
    s.read_max = 50, s.write_max = 70;
    torture.flaw = kind, torture.event = event, torture.at = n, torture.calls = 0;
    chatgptt_options options = script_options(&s);
    options.transport.read = flawed_read, options.transport.write = flawed_write;
    options.idle_timeout_ms = 300;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    outcome o = ask_by(&s, c, "hi", how);
    bool hit = torture.calls >= n;
    if (!hit || kind == FLAW_AGAIN || kind == FLAW_SHORT) CHECK_INT(o.code, CHATGPTT_DONE);
    if (o.code == CHATGPTT_DONE) CHECK_STR(o.text, f->text);
    else CHECK(is_start(o.text, f->text));
    if (o.code < 0)
        CHECK(o.code == (o.len             ? CHATGPTT_E_INCOMPLETE
                         : kind == FLAW_IO ? CHATGPTT_E_IO
                                           : CHATGPTT_E_CLOSED) ||
              (how == ASK && o.code == CHATGPTT_E_INCOMPLETE) ||
              (kind == FLAW_END && f->framing == TO_CLOSE));
    if (o.code < 0) CHECK(usable(&s, c));
    chatgptt_close(c);
    script_finish(&s);
    CASE_END("%s, way %d, flaw %d in %s %d: %s", f->name, how, kind,
             event == CHATGPTT_READ ? "read" : "write", n, o.error.message);
    return hit;
}

TEST(every_read_and_write_fails)
{
    for (size_t i = 0; i < FIXTURES; i++)
        for (int how = 0; how < WAYS; how++)
            for (int kind = 0; kind < FLAWS; kind++)
                for (unsigned event = CHATGPTT_READ; event <= CHATGPTT_WRITE; event++) {
                    int n = 1;
                    while (check_torture(&fixtures[i], (way)how, event, (flaw)kind, n) && n < 1000) n++;
                    CHECK(n > 5 && n < 1000);
                }
}

int main(void)
{
    compose_all();
    RUN(exchange_is_the_models);
    RUN(options_are_sent);
    RUN(text_comes_as_it_arrives);
    RUN(no_part_is_called_whole);
    RUN(no_part_of_a_page_counts);
    RUN(all_ways_give_the_same_text);
    RUN(deadlines_are_exact);
    RUN(grace_begins_anew);
    RUN(grace_needs_text);
    RUN(slow_callers_lose_nothing);
    RUN(cancel_in_every_phase);
    RUN(on_tick_cancels);
    RUN(on_text_cancels);
    RUN(results_repeat);
    RUN(many_streams_at_once);
    RUN(tokens_are_shared);
    RUN(generation_tells_of_descriptors);
    RUN(kept_connections_are_retried_once);
    RUN(fresh_connections_are_not_retried);
    RUN(retry_takes_a_fresh_connection);
    RUN(connections_are_kept);
    RUN(endless_tails_are_dropped);
    RUN(errors_leave_the_client_usable);
    RUN(limits_are_kept);
    RUN(bad_options);
    RUN(bad_requests);
    RUN(no_client_no_stream_no_crash);
    RUN(codes_are_distinct);
    RUN(every_allocation_fails);
    RUN(no_memory_nothing_sent);
    RUN(every_read_and_write_fails);
    return check_report("stream");
}
