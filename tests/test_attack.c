/* test_attack.c - a site, or whoever is on the way to it, that means harm: bytes that trickle to keep a
   client waiting for ever, and bytes that would be lines of a request of their own. Over a script and the
   fake clock. */
#include "chat.h"
#define CHATGPTT_IMPLEMENTATION
#include "script.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))

static char old_page[600], new_page[600], key[300];

static void make_answers(void)
{
    const struct { char *out; size_t size; const char *type, *body;
    } all[] = { { old_page, sizeof old_page, "text/html", CHAT_OLD_PAGE },
                { new_page, sizeof new_page, "text/html", CHAT_NEW_PAGE },
                { key, sizeof key, "application/json", CHAT_KEY } };
    for (size_t i = 0; i < ROWS(all); i++) {
        size_t len = chat_chunked(all[i].out, all[i].size - 6, all[i].type, "", all[i].body);
        memcpy(all[i].out + len, CHAT_LAST, 6);
    }
}

/* ---- trickling: a byte every 50 ms keeps the idle timeout away, and nothing keeps the total one away ----
   */

enum { STEP_MS = 50, TOTAL_MS = 5000, IDLE_MS = 400 };

#define EVENTS "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"
#define TEXT                                                               \
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"more and " \
    "more\"},\"finish_reason\":null}]}\n\n"
/* the start of a ServerHello of 257 bytes */
static const char hello[] = "\x16\x03\x03\x01\x01\x02\x00\x00\xfd\x03\x03";

typedef struct trickle {
    const char *name;
    const char *before[3];              /* whole answers to the first requests */
    /* of the answer that never ends: its start; what trickles, over and over */
    const char *at_once, *bytes;
    const char *url, *proxy;            /* NULL: http://site.test/, none */
    int connect_ms, fires_ms;           /* 0: the connect timeout is off, the total one fires */
    /* TEXTS: text is handed out meanwhile; IN_TLS: it trickles into a ServerHello, after at_once */
    enum { NO_TEXT, TEXTS, IN_TLS } how;
} trickle;

static const trickle trickles[] = {
    { "status line",
      { 0 },
      "",
      "HTTP/1.1 200 and so on and so on and so on and so on and so on and so on and so on and so on and so "
      "on and on",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "headers", { 0 }, "HTTP/1.1 200 OK\r\n", "X: y\r\n", 0, 0, 0, 0, NO_TEXT },
    { "a header's value", { 0 }, "HTTP/1.1 200 OK\r\nContent-Type: ", "x", 0, 0, 0, 0, NO_TEXT },
    { "a header's name", { 0 }, "HTTP/1.1 200 OK\r\nX", "x", 0, 0, 0, 0, NO_TEXT },
    { "blanks of a header", { 0 }, "HTTP/1.1 200 OK\r\nX:", " ", 0, 0, 0, 0, NO_TEXT },
    { "1xx", { 0 }, "", "HTTP/1.1 100 Go on\r\n\r\n", 0, 0, 0, 0, NO_TEXT },
    { "page, counted",
      { 0 },
      "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
      "<p>",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "page, chunked", { 0 }, "HTTP/1.1 200 OK\r\n" CHUNKED, "3\r\n<p>\r\n", 0, 0, 0, 0, NO_TEXT },
    { "page, to the close", { 0 }, "HTTP/1.1 200 OK\r\n\r\n", "<div data-nonce=\"1\">", 0, 0, 0, 0, NO_TEXT },
    { "page of a status", { 0 }, "HTTP/1.1 503 Busy\r\n\r\n", "<h1>Wait</h1>", 0, 0, 0, 0, NO_TEXT },
    { "page that is moved",
      { 0 },
      "HTTP/1.1 302 Found\r\nLocation: /x\r\n",
      "X: moved\r\n",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "a chunk's size", { 0 }, "HTTP/1.1 200 OK\r\n" CHUNKED, "1\r\nx\r\n", 0, 0, 0, 0, NO_TEXT },
    { "a chunk's extension", { 0 }, "HTTP/1.1 200 OK\r\n" CHUNKED "1;a=", "b", 0, 0, 0, 0, NO_TEXT },
    { "trailers", { 0 }, "HTTP/1.1 200 OK\r\n" CHUNKED "0\r\n", "T: x\r\n", 0, 0, 0, 0, NO_TEXT },
    { "reply's headers", { old_page }, "HTTP/1.1 200 OK\r\n", "X: y\r\n", 0, 0, 0, 0, NO_TEXT },
    { "events", { old_page }, EVENTS "\r\n" TEXT, TEXT, 0, 0, 0, 0, TEXTS },
    { "comments", { old_page }, EVENTS "\r\n" TEXT, ":\n", 0, 0, 0, 0, TEXTS },
    { "a comment", { old_page }, EVENTS CHUNKED, "1\r\n:\r\n", 0, 0, 0, 0, NO_TEXT },
    { "blank lines", { old_page }, EVENTS "\r\n", "\n", 0, 0, 0, 0, NO_TEXT },
    { "an event's name", { old_page }, EVENTS "\r\nevent: ", "message\nevent: ", 0, 0, 0, 0, NO_TEXT },
    { "events that say nothing", { old_page }, EVENTS "\r\n", "data: {}\n\n", 0, 0, 0, 0, NO_TEXT },
    { "text in an event",
      { old_page },
      EVENTS "\r\ndata: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"",
      "word ",
      0,
      0,
      0,
      0,
      TEXTS },
    { "JSON",
      { old_page },
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"success\",\"data\":\"",
      "word ",
      0,
      0,
      0,
      0,
      TEXTS },
    { "noise before JSON",
      { old_page },
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
      "<br>",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "a refusal", { old_page }, "HTTP/1.1 403 Forbidden\r\n\r\n", "no ", 0, 0, 0, 0, NO_TEXT },
    { "the key",
      { new_page },
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"success\":true,\"data\":{\"cache_key\":\"",
      "k",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "newer events",
      { new_page, key },
      EVENTS "\r\n",
      "event: message_start\ndata: {\"message_id\":\"m\"}\n\n",
      0,
      0,
      0,
      0,
      NO_TEXT },
    { "newer text",
      { new_page, key },
      EVENTS "\r\nevent: message_start\ndata: {\"message_id\":\"m\"}\n\n",
      "data: {\"delta\":\"x\"}\n\n",
      0,
      0,
      0,
      0,
      TEXTS },
    { "proxy's status line",
      { 0 },
      "",
      "HTTP/1.1 200 and so on and so on and so on and so on and so on and so on and so on and so on and so "
      "on and on",
      "https://site.test/",
      "p.test:1",
      0,
      0,
      NO_TEXT },
    { "proxy's headers",
      { 0 },
      "HTTP/1.1 200 OK\r\n",
      "X: y\r\n",
      "https://site.test/",
      "p.test:1",
      0,
      0,
      NO_TEXT },
    { "proxy's headers, to the connect timeout",
      { 0 },
      "HTTP/1.1 200 OK\r\n",
      "X: y\r\n",
      "https://site.test/",
      "p.test:1",
      3000,
      3000,
      NO_TEXT },
    { "proxy's 1xx",
      { 0 },
      "",
      "HTTP/1.1 100 Go on\r\n\r\n",
      "https://site.test/",
      "p.test:1",
      0,
      0,
      NO_TEXT },
    { "page through a proxy", { 0 }, "HTTP/1.1 200 OK\r\n\r\n", "<p>", 0, "p.test:1", 0, 0, NO_TEXT },
    { "TLS records", { 0 }, "", "x", "https://site.test/", 0, 0, 0, IN_TLS },
    { "TLS records, to the connect timeout", { 0 }, "", "x", "https://site.test/", 0, 3000, 3000, IN_TLS },
    { "a TLS record's head", { 0 }, "\x16\x03", "\x03", "https://site.test/", 0, 0, 0, NO_TEXT },
    { "TLS records in a tunnel",
      { 0 },
      "HTTP/1.1 200 OK\r\n\r\n",
      "x",
      "https://site.test/",
      "p.test:1",
      0,
      0,
      IN_TLS },
};

static const trickle *this_trickle;

static void script_trickle(script *s, const trickle *t)
{
    size_t len = strlen(t->bytes);
    script_connection(s);
    for (int i = 0; i < 3 && t->before[i]; i++) { script_request(s); script_say(s, t->before[i]); }
    if (!t->url || t->proxy) script_request(s);
    else script_accept(s, 100);                         /* a ClientHello */
    if (*t->at_once) script_say(s, t->at_once);
    if (t->how == IN_TLS && t->proxy) script_accept(s, 100);
    if (t->how == IN_TLS) script_send(s, hello, sizeof hello - 1, 1);
    for (size_t n = 0; n <= TOTAL_MS / STEP_MS + 5; n++) {
        script_pause(s, STEP_MS);
        script_send(s, t->bytes + n % len, 1, 1);
    }
}

static void run_trickle(void)
{
    const trickle *t = this_trickle;
#ifdef CHATGPTT_NO_TLS
    if (t->url && strncmp(t->url, "https:", 6) == 0) SKIP("built without TLS");
#endif
    script s;
    chatgptt_event event;
    chatgptt_code code;
    size_t text = 0;
    script_init(&s);
    script_trickle(&s, t);
    chatgptt_options options = script_options(&s);
    if (t->url) options.url = t->url;
    options.proxy = t->proxy, options.insecure = true;
    options.connect_timeout_ms = t->connect_ms ? t->connect_ms : -1;
    options.total_timeout_ms = TOTAL_MS;
    options.idle_timeout_ms = t->url ? -1 : IDLE_MS;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    chatgptt_stream *stream = chatgptt_start(c, &(chatgptt_request){ .prompt = "hi" });
    if (!CHECK(stream)) return;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) text += event.len;
    CHECK_INT(code, CHATGPTT_E_TIMEOUT);
    CHECK_INT(s.now - 1000, t->fires_ms ? t->fires_ms : TOTAL_MS);
    CHECK(strstr(chatgptt_stream_error(stream)->message,
                 t->fires_ms ? "connect_timeout_ms" : "total_timeout_ms") != NULL);
    CHECK_INT(text > 0, t->how == TEXTS);
    CHECK(s.peers[0].at > 100);                         /* it did trickle all the while */
    if (check_now.bad) printf("    %s\n", chatgptt_stream_error(stream)->message);
    chatgptt_close(c);
    script_finish(&s);
}

/* Without the trickle the idle timeout fires, so it was the trickle that kept it away. */
TEST(silence_is_no_trickle)
{
    script s;
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    script_say(&s, "HTTP/1.1 200 OK\r\n\r\n<p>");
    chatgptt_options options = script_options(&s);
    options.total_timeout_ms = TOTAL_MS, options.idle_timeout_ms = IDLE_MS;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    CHECK(chatgptt_ask(c, "hi") == NULL);
    CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_E_TIMEOUT);
    CHECK_INT(s.now, 1000 + IDLE_MS);
    chatgptt_close(c);
    script_finish(&s);
}

/* Many short waits add up: redirects, the tail of a kept connection, a refused token and the page once more.
   */
TEST(one_deadline_for_all)
{
    for (int how = 0; how < 2; how++) {
        script s;
        script_init(&s);
        for (int i = 0; i < 12; i++) {
            script_connection(&s);
            script_request(&s);
            script_pause(&s, 600);
            if (how && i == 0) script_say(&s, old_page);
            if (how && i == 0) {
                script_request(&s);
                script_pause(&s, 3000);
                script_say(&s, "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\n-1");
                script_end(&s);
            }
            if (!how)
                script_say(
                    &s,
                    "HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            if (how && i) script_pause(&s, -1);
        }
        chatgptt_options options = script_options(&s);
        options.total_timeout_ms = TOTAL_MS, options.max_redirects = 50;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        CHECK(chatgptt_ask(c, "hi") == NULL);
        CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_E_TIMEOUT);
        CHECK_INT(s.now, 1000 + TOTAL_MS);
        CHECK_INT(s.opened, how ? 2 : 9);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* ---- smuggling: whatever page, header or reply say, a request is the lines this client writes, and no more
   ---- */

/* Every line of every request: one of ours, no control character, nothing behind the body. */
static bool check_clean(const script *s)
{
    static const char *const names[] = {
        "Host: ",           "User-Agent: ",
        "Accept: ",         "Accept-Encoding: ",
        "Origin: ",         "Referer: ",
        "Cookie: ",         "Cache-Control: no-cache",
        "Pragma: no-cache", "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: ", "Proxy-Authorization: Basic "
    };
    bool good = true;
    for (int i = 0; i < s->opened; i++) {
        char head[9000];
        for (int n = 0; script_head(s, i, n, head, sizeof head); n++) {
            good &= CHECK(strncmp(head, "GET /", 5) == 0 || strncmp(head, "POST /", 6) == 0);
            /* two blanks, HTTP/1.1 */
            good &= CHECK(strcspn(head, " ") + 1 + strcspn(strchr(head, ' ') + 1, " ") + 11 ==
                          strcspn(head, "\n") + 1);
            for (char *line = strchr(head, '\n') + 1; line[0] != '\r' && good;
                 line = strchr(line, '\n') + 1) {
                bool known = false;
                for (size_t k = 0; k < ROWS(names); k++)
                    known = known || strncmp(line, names[k], strlen(names[k])) == 0;
                good &= CHECK(known) && CHECK(strcspn(line, "\r") + 1 == strcspn(line, "\n"));
            }
            for (const char *at = head; *at; at++)
                good = good && CHECK(!cgt_control(*at) || *at == '\r' || *at == '\n');
        }
        good &= CHECK_INT(s->peers[i].requests_end, s->peers[i].written_len);
    }
    return good;
}

#define EVIL "\\r\\nEvil: 1"
#define HTML(body) "200 OK", "", body
#define JSON_OK(body) "200 OK", "Content-Type: application/json\r\n", body
#define CONFIG(fields) "<div class=\"aipkit_chat_container\" data-config='{" fields "}'></div>"
#define OLD_CHAT(nonce, post, bot, more)                                                 \
    "<div class=\"wpaicg-chat-shortcode\" data-nonce=\"" nonce "\" data-post-id=\"" post \
    "\" data-bot-id=\"" bot "\"" more "></div>"

typedef struct smuggler {
    const char *name;
    struct {
        const char *status, *headers, *body;
    } says[5];
} smuggler;

static const smuggler smugglers[] = {
    { "nonce in references", { { HTML(OLD_CHAT("a&#13;&#10;Evil: 1", "7", "0", "")) } } },
    { "nonce with line ends", { { HTML(OLD_CHAT("a\r\nEvil: 1", "7", "0", "")) } } },
    { "post id", { { HTML(OLD_CHAT("abc", "7&#x0d;&#x0a;Evil: 1", "0", "")) } } },
    { "bot id", { { HTML(OLD_CHAT("abc", "7", "1\nEvil: 1&x=y", "")) } } },
    { "everything a form splits at",
      { { HTML(
          OLD_CHAT("a&amp;b=c%0d%0a;+ #", "7?&amp;=", "\xff\xfe", " data-url=\"http://evil.test/\"")) } } },
    { "ajax_url with escapes",
      { { HTML(
          OLD_CHAT("abc", "7", "0", "") "<script>wpaicgParams = {\"ajax_url\":\"http:\\/\\/site.test\\/x" EVIL
                                        "\"}</script>") } } },
    { "ajax_url with line ends",
      { { HTML(OLD_CHAT(
          "abc", "7", "0",
          "") "<script>wpaicgParams = {\"ajax_url\":\"http://site.test/x\r\nEvil: 1\"}</script>") } } },
    { "ajax_url with \\u",
      { { HTML(
          OLD_CHAT("abc", "7", "0",
                   "") "<script>wpaicgParams = {\"ajax_url\":\"http:\\/\\/site.test\\/\\u000d\\u000aEvil: "
                       "1\\u0000\"}</script>") } } },
    { "ajax_url with a request in it",
      { { HTML(OLD_CHAT(
          "abc", "7", "0",
          "") "<script>wpaicgParams = {\"ajax_url\":\"http://site.test/x HTTP/1.1 \"}</script>") } } },
    { "ajax_url with escapes of its own",
      { { HTML(OLD_CHAT(
          "abc", "7", "0",
          "") "<script>wpaicgParams = {\"ajax_url\":\"http://site.test/%0d%0aEvil:%201\"}</script>") } } },
    { "ajax_url with a user",
      { { HTML(
          OLD_CHAT("abc", "7", "0",
                   "") "<script>wpaicgParams = {\"ajax_url\":\"http://evil:1@site.test/x\"}</script>") } } },
    { "config's nonce", { { HTML(CONFIG("\"botId\":7,\"nonce\":\"a" EVIL "\"")) } } },
    { "config's nonce with \\u",
      { { HTML(CONFIG("\"botId\":7,\"nonce\":\"a\\u000D\\u000AEvil: 1\\u0000\"")) } } },
    { "config's ids",
      { { HTML(CONFIG("\"botId\":\"7" EVIL "\",\"postId\":\"5" EVIL "\",\"nonce\":\"abc\"")) },
        { JSON_OK(CHAT_KEY) } } },
    { "config's ajaxUrl",
      { { HTML(CONFIG("\"botId\":7,\"nonce\":\"abc\",\"ajaxUrl\":\"http://site.test/" EVIL "\"")) } } },
    { "config's ajaxUrl in references",
      { { HTML(
          CONFIG("\"botId\":7,\"nonce\":\"abc\",\"ajaxUrl\":\"http://site.test/&#13;&#10;Evil: 1\"")) } } },
    { "key",
      { { HTML(CHAT_NEW_PAGE) },
        { JSON_OK("{\"success\":true,\"data\":{\"cache_key\":\"k HTTP/1.1" EVIL EVIL "\"}}") } } },
    { "key with \\u",
      { { HTML(CHAT_NEW_PAGE) },
        { JSON_OK("{\"success\":true,\"data\":{\"cache_key\":\"k\\u000a\\u0000&action=evil#\"}}") } } },
    { "a fresh nonce",
      { { HTML(CHAT_NEW_PAGE) },
        { "403 Forbidden", "Content-Type: application/json\r\n",
          "{\"success\":false,\"data\":{\"code\":\"nonce_failure\",\"message\":\"x\"}}" },
        { JSON_OK("{\"success\":true,\"data\":{\"nonce\":\"n" EVIL "\"}}") } } },
    { "Location with escapes",
      { { "302 Found", "Location: /%0d%0aEvil:%201\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with a blank", { { "302 Found", "Location: / HTTP/1.1\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with a tab", { { "302 Found", "Location: /a\tEvil: 1\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with a fold",
      { { "302 Found", "Location: /a\r\n Evil: 1\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with a bare CR",
      { { "302 Found", "Location: /a\rEvil: 1\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with an escape character",
      { { "302 Found", "Location: /a\x1b\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location with a user",
      { { "302 Found", "Location: http://evil:1@site.test/\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    /* U+010D, U+010A: CR LF when cut to bytes */
    { "Location of bytes above",
      { { "302 Found", "Location: /\x80\xff\xc4\x8d\xc4\x8a\r\n", "" }, { HTML(CHAT_OLD_PAGE) } } },
    { "Location of the message",
      { { HTML(CHAT_OLD_PAGE) }, { "307 There", "Location: /there HTTP/1.1\r\n", "" } } },
    { "cookies", { { "200 OK", "Set-Cookie: a=b\rEvil: 1\r\n", CHAT_OLD_PAGE } } },
    { "cookies with NUL's kin",
      { { "200 OK", "Set-Cookie: a=b\x0b; c=d\r\nSet-Cookie: e=\"f; g\"\r\nSet-Cookie: h=i\xc4\x8a\r\n",
          CHAT_OLD_PAGE } } },
    { "cookies with a fold", { { "200 OK", "Set-Cookie: a=b\r\n Evil: 1\r\n", CHAT_OLD_PAGE } } },
};

static const smuggler *this_smuggler;

/* Says what it will to every request; whether the exchange then works is of no interest here. */
static void run_smuggler(void)
{
    static char bytes[8][1500];
    const smuggler *m = this_smuggler;
    script s;
    script_init(&s);
    for (int i = 0; i < 8; i++) {
        bool last = i >= 5 || !m->says[i].status;
        const char *body = last ? "{}" : m->says[i].body;
        snprintf(bytes[i], sizeof bytes[i],
                 "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
                 last ? "500 Enough" : m->says[i].status, strlen(body), last ? "" : m->says[i].headers, body);
        script_connection(&s);
        script_request(&s);
        script_say(&s, bytes[i]);
        script_end(&s);
    }
    const chatgptt_options options = script_options(&s);
    chatgptt_client *c = chatgptt_open(&options, NULL);
    CHECK(chatgptt_ask(c, "hi\r\nEvil: 1\r\n\r\nGET /evil HTTP/1.1\r\n\r\n") == NULL);
    CHECK(!strpbrk(chatgptt_client_error(c)->message, "\r\n\x1b"));
    CHECK(s.opened > 0);
    for (int i = 0; i < s.opened; i++) {
        CHECK_INT(script_count(&s, i), 1);
        CHECK_STR(s.peers[i].host, "site.test");
    }
    check_clean(&s);
    chatgptt_close(c);
    script_finish(&s);
}

/* Every control character at every place of every option that goes into a request: refused, and nothing sent.
   */
TEST(options_with_controls)
{
    static const char *const forms[] = { "http://site.test/a?b",
                                         "http://site.test/ajax",
                                         "botid",
                                         "clientid",
                                         "me/1.0",
                                         "http://u:p@proxy.test:1/",
                                         "127.0.0.1" };
    for (size_t which = 0; which < ROWS(forms); which++)
        for (int c = 1; c < 0x80; c = c == 0x1f ? 0x7f : c + 1)
            for (size_t at = 0; at <= strlen(forms[which]); at++) {
                char text[60];
                script s;
                chatgptt_error error;
                script_init(&s);
                chatgptt_options options = script_options(&s);
                const char **const strings[] = { &options.url,       &options.endpoint,   &options.bot_id,
                                                 &options.client_id, &options.user_agent, &options.proxy,
                                                 &options.address };
                snprintf(text, sizeof text, "%.*s%c%s", (int)at, forms[which], c, forms[which] + at);
                *strings[which] = text;
                chatgptt_client *client = chatgptt_open(&options, &error);
                if (!CHECK(!client) || !CHECK_INT(error.code, CHATGPTT_E_ARGUMENT) ||
                    !CHECK(strstr(error.message, "control character") != NULL)) {
                    printf("    %zu: %02x at %zu\n", which, (unsigned)c, at);
                    chatgptt_close(client);
                    return;
                }
                script_finish(&s);
            }
}

/* What a site's provider calls its answer comes back in the next request's address. */
TEST(ids_of_the_answer)
{
    static const struct { const char *says, *sent;
    } rows[] = { { "resp_1\\r\\nEvil: 1", NULL },
                 { "resp_1\\u000d\\u000aEvil", NULL },
                 { "\\u007f", NULL },
                 { "resp 1 HTTP/1.1", "resp 1 HTTP/1.1" },
                 { "resp&action=evil#", "resp&action=evil#" },
                 { "%0d%0aEvil", "%0d%0aEvil" } };
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        char events[800], id[60];
        chatgptt_conversation kept;
        const chatgptt_message turns[] = { { CHATGPTT_USER, "one", 0 },
                                           { CHATGPTT_ASSISTANT, "x", 0 },
                                           { CHATGPTT_USER, "two", 0 } };
        memset(&kept, 0, sizeof kept);
        script_init(&s);
        snprintf(events, sizeof events,
                 EVENTS "Connection: close\r\n\r\nevent: message_start\ndata: "
                        "{\"message_id\":\"m\"}\n\nevent: openai_response_id\ndata: {\"id\":\"%s\"}\n\n"
                        "data: {\"delta\":\"x\"}\n\nevent: done\ndata: {\"finished\":true}\n\n",
                 rows[i].says);
        script_connection(&s);
        script_request(&s);
        script_say(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" CONFIG(
                           "\"botId\":7,\"nonce\":\"abc\",\"provider\":\"OpenAI\","
                           "\"enableOpenAIConversationState\":true"));
        script_end(&s);
        for (int n = 0; n < 2; n++) {
            script_connection(&s);
            script_request(&s);
            script_say(&s, key);
            script_request(&s);
            script_say(&s, events);
            script_end(&s);
        }
        const chatgptt_options options = script_options(&s);
        chatgptt_client *c = chatgptt_open(&options, NULL);
        for (int n = 0; n < 2; n++) {
            chatgptt_request request = { .messages = turns,
                                         .num_messages = n ? 3 : 1,
                                         .conversation = &kept };
            CHECK_INT(chatgptt_chat(c, &request, NULL, NULL), CHATGPTT_DONE);
            if (chatgptt_client_error(c)->code) printf("    %s\n", chatgptt_client_error(c)->message);
        }
        CHECK_INT(s.opened, 3);
        CHECK_STR(script_field(&s, 2, 1, "previous_openai_response_id", id, sizeof id), rows[i].sent);
        check_clean(&s);
        chatgptt_close(c);
        script_finish(&s);
    }
}

int main(void)
{
    make_answers();
    for (size_t i = 0; i < ROWS(trickles); i++) {
        this_trickle = &trickles[i];
        check_case(this_trickle->name, run_trickle);
    }
    RUN(silence_is_no_trickle);
    RUN(one_deadline_for_all);
    for (size_t i = 0; i < ROWS(smugglers); i++) {
        this_smuggler = &smugglers[i];
        check_case(this_smuggler->name, run_smuggler);
    }
    RUN(options_with_controls);
    RUN(ids_of_the_answer);
    return check_report("attack");
}
