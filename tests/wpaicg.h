/* wpaicg.h - a site of the older plugin generation, for the tests of its protocol: pages, responses, and one
   message asked over a script. Every response but a row's own closes its connection, so that the k-th request
   is the k-th connection of the script. */
#ifndef WPAICG_H
#define WPAICG_H

#include "script.h"

/* A message that any careless encoding would change. */
#define WP_MESSAGE "Say \"hi\" \\ <b>100%41</b>\n\xD0\x9F & 'x' + \xF0\x9F\x98\x80 \xE2\x80\xA8="
#define WP_NONCE   "0123abcdef"
#define WP_FRESH   "fedcba3210"
#define WP_CLIENT  "a1b2c3d4e5"

#define WP_EVENTS "text/event-stream;charset=UTF-8"
#define WP_JSON   "application/json; charset=UTF-8"
#define WP_HTML   "text/html; charset=UTF-8"

/* The chat as the plugin writes it (some of its 55 attributes), the decoys of a real page around it. */
#define WP_CHAT(nonce, stream)                                                                 \
    "<div class=\"wpaicg-chat-shortcode\"\n data-user-bg-color=\"#444\"\n data-nonce=\"" nonce \
    "\"\n data-post-id=\"5\"\n"                                                                \
    " data-url=\"http://site.test\"\n data-bot-id=\"0\"\n data-openai_stream_nav=\"" stream    \
    "\"\n data-memory-limit = \"100\"\n"                                                       \
    " data-assistant-enabled=\"false\"\n data-type=\"shortcode\"\n>\n<div "                    \
    "data-type=\"widget\"></div></div>\n"
#define WP_SCRIPT(url) \
    "<script>\nvar wpaicgParams = {\"ajax_url\":\"" url "\",\"search_nonce\":\"" WP_NONCE \
    "\",\"search_query\":\"\"};\n</script>\n"
#define WP_ENDPOINT "http:\\/\\/site.test\\/wp-admin\\/admin-ajax.php"
#define WP_PAGE_OF(chats)                                                                           \
    "<!DOCTYPE html>\n<html><head><title>Chat &#8211; Site</title></head><body>\n" chats WP_SCRIPT( \
        WP_ENDPOINT) "</body></html>\n"
#define WP_PAGE        WP_PAGE_OF(WP_CHAT(WP_NONCE, "1"))
#define WP_PAGE_PLAIN  WP_PAGE_OF(WP_CHAT(WP_NONCE, "0"))
#define WP_PAGE_FRESH  WP_PAGE_OF(WP_CHAT(WP_FRESH, "1"))

#define WP_ANSWER                                       \
    "{\"status\":\"success\",\"msg\":\"Something went " \
    "wrong\",\"greeting_message\":\"Converse\",\"data\":\"Hello\",\"log\":false}"

/* ---- responses; they live until wp_forget() ---- */

static char wp_bytes[1 << 23];
static size_t wp_len;

static inline void wp_forget(void) { wp_len = 0; }

__attribute__((format(printf, 1, 2))) static inline void wp_put(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    wp_len += (size_t)vsnprintf(wp_bytes + wp_len, sizeof wp_bytes - wp_len, format, args);
    va_end(args);
    if (wp_len >= sizeof wp_bytes) abort();
}

/* Head and body in chunks of `chunk` bytes (0: one chunk); `whole`: with the zero chunk. `extra`: more header
   lines or "". */
static inline const char *wp_response(const char *status, const char *type, const char *extra,
                                      const char *body, size_t chunk, bool whole) {
    const char *start = wp_bytes + wp_len;
    size_t left = strlen(body), n;
    wp_put("HTTP/1.1 %s\r\nServer: nginx\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n%s"
           "X-Robots-Tag: noindex\r\nCache-Control: no-cache\r\n\r\n", status, type, extra);
    for (; left > 0; body += n, left -= n) {
        n = chunk && chunk < left ? chunk : left;
        wp_put("%zx\r\n%.*s\r\n", n, (int)n, body);
    }
    if (whole) wp_put("0\r\n\r\n");
    wp_put("%c", 0);
    return start;
}

/* One more connection: a request, then this response, closed. */
static inline void wp_answers(script *s, const char *status, const char *type, const char *extra,
                              const char *body) {
    char lines[300];
    snprintf(lines, sizeof lines, "Connection: close\r\n%s", extra);
    script_connection(s);
    script_request(s);
    script_say(s, wp_response(status, type, lines, body, 0, true));
    script_end(s);
}
static inline void wp_answers_page(script *s, const char *html) {
    wp_answers(s, "200 OK", WP_HTML, "", html);
}

/* ---- asking ---- */

typedef struct wp_result {
    chatgptt_code code;
    chatgptt_error error;
    chatgptt_stats stats;
    long long ms;                           /* from the start to the end */
    int pieces;
    char *text;                             /* of all pieces, terminated; in room used by every result */
    size_t len;
} wp_result;

/* Takes every event of a stream. What must hold of any: whole characters, an end that repeats itself, no
   secrets in an error. */
static inline void wp_take(script *s, chatgptt_stream *stream, wp_result *r)
{
    static char text[4 << 20];
    chatgptt_event event;
    long long start = s->now;
    memset(r, 0, sizeof *r);
    r->text = text;
    while ((r->code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        if (event.kind != CHATGPTT_TEXT) continue;
        if (r->len + event.len >= sizeof text) abort();
        if (!cgt_utf8_valid(cgt_slice_of(event.text, event.len))) check_fail(__FILE__, __LINE__,
            "a piece of text is no whole UTF-8");
        memcpy(text + r->len, event.text, event.len);
        r->len += event.len;
        r->pieces++;
    }
    text[r->len] = '\0';
    r->ms = s->now - start;
    CHECK_INT(chatgptt_next(stream, &event), r->code);
    r->error = *chatgptt_stream_error(stream);
    r->stats = *chatgptt_stream_stats(stream);
    CHECK_INT(r->error.code, r->code == CHATGPTT_DONE ? CHATGPTT_OK : r->code);
    CHECK(!strstr(r->error.message, WP_NONCE) && !strstr(r->error.message, WP_FRESH) &&
          !strstr(r->error.message, WP_CLIENT));
    CHECK((r->code == CHATGPTT_DONE) == (r->error.message[0] == '\0'));
}

/* One message on a client of its own. */
static inline void wp_ask(script *s, chatgptt_options *options, wp_result *r)
{
    chatgptt_error error;
    options->client_id = WP_CLIENT;
    chatgptt_client *client = chatgptt_open(options, &error);
    chatgptt_request request;
    memset(r, 0, sizeof *r);
    memset(&request, 0, sizeof request);
    request.prompt = WP_MESSAGE;
    if (!client) { check_fail(__FILE__, __LINE__, "open: %s", error.message); return; }
    chatgptt_stream *stream = chatgptt_start(client, &request);
    if (stream) wp_take(s, stream, r);
    else check_fail(__FILE__, __LINE__, "start: %s", chatgptt_client_error(client)->message);
    chatgptt_finish(stream);
    chatgptt_close(client);
}

static inline int wp_requests(const script *s)
{
    int n = 0;
    for (int i = 0; i < s->opened; i++) n += script_count(s, i);
    return n;
}

static inline bool wp_check_field(const script *s, int connection, const char *name, const char *wanted)
{
    char value[1000];
    const char *got = script_field(s, connection, 0, name, value, sizeof value);
    if (got && strcmp(got, wanted) == 0) return true;
    return check_fail(__FILE__, __LINE__, "field %s of request %d is %s, wanted %s", name, connection,
                      got ? got : "missing", wanted);
}

/* The message in request `connection`, as the site's own page sends it. */
static inline bool wp_check_message(const script *s, int connection, const char *nonce)
{
    char head[3000] = "";
    script_head(s, connection, 0, head, sizeof head);
    return CHECK(strncmp(head, "POST /wp-admin/admin-ajax.php HTTP/1.1\r\n", 40) == 0)
        && wp_check_field(s, connection, "_wpnonce", nonce)
        && wp_check_field(s, connection, "post_id", "5")
        && wp_check_field(s, connection, "action", "wpaicg_chat_shortcode_message")
        && wp_check_field(s, connection, "message", WP_MESSAGE)
        && wp_check_field(s, connection, "bot_id", "0")
        && wp_check_field(s, connection, "chatbot_identity", "shortcode")
        && wp_check_field(s, connection, "wpaicg_chat_client_id", WP_CLIENT);
}

/* ---- rows ---- */

static const void *wp_row;
#define WP_RUN(rows, function)                                   \
    for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) { \
        wp_row = &(rows)[i];                                     \
        check_case((rows)[i].name, function);                    \
    }

#endif
