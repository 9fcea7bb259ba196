/* test_wpaicg.c - the older plugin generation but for its replies: its page and what is sent (P1-1xx, §1 and
   §5), what a site answers that is no reply, and how an expired token is replaced (P1-45x on, §3 and §4).
   Exchanges are played by the script and
       by
   a site on loopback alike. */
#define CHATGPTT_IMPLEMENTATION
#include "wpaicg.h"
#include "site.h"

#define SHORTCODE(attributes) \
    "<div class=\"wpaicg-chat-shortcode\" " attributes " data-type=\"shortcode\"></div>\n"
#define WIDGET(attributes) \
    "<div class=\"wpaicg-chatbox wpaicg-chat\" " attributes " data-type=\"widget\"></div>\n"
#define TOKENS(post)          "data-nonce=\"" WP_NONCE "\" data-post-id=\"" post "\" "
#define IS_SHORTCODE          "wpaicg_chat_shortcode_message"
#define IS_WIDGET             "wpaicg_chatbox_message"
#define USUAL                 "/wp-admin/admin-ajax.php"

/* ---- pages that hold a chat, and the message that follows from them ---- */

static const struct page_row {
    const char *name, *html, *wanted_bot;               /* wanted_bot: the option */
    const char *post_id, *bot_id, *identity, *action, *path;
} pages
    [] = {
        { "P1-101 the page as the plugin writes it", WP_PAGE, NULL, "5", "0", "shortcode", IS_SHORTCODE,
          USUAL },
        { "P1-102 blanks around =",
          WP_PAGE_OF(SHORTCODE("data-nonce = \"" WP_NONCE "\"\n data-post-id =\n\"7\" data-bot-id= \"0\"")),
          NULL, "7", "0", "shortcode", IS_SHORTCODE, USUAL },
        { "P1-103 endpoint of a site in a folder",
          SHORTCODE(TOKENS("5")) WP_SCRIPT("http:\\/\\/site.test\\/blog\\/wp-admin\\/admin-ajax.php"), NULL,
          "5", "0", "shortcode", IS_SHORTCODE, "/blog/wp-admin/admin-ajax.php" },
        { "P1-104 no script names an endpoint", SHORTCODE(TOKENS("5")), NULL, "5", "0", "shortcode",
          IS_SHORTCODE, USUAL },
        { "P1-105 widget, <5", WP_PAGE_OF(WIDGET(TOKENS("<5"))), NULL, "5", "0", "widget", IS_WIDGET, USUAL },
        { "P1-105 widget, &lt;5", WP_PAGE_OF(WIDGET(TOKENS("&lt;5"))), NULL, "5", "0", "widget", IS_WIDGET,
          USUAL },
        { "P1-106 widget, 5", WP_PAGE_OF(WIDGET(TOKENS("5") "data-bot-id=\"0\"")), NULL, "5", "0", "widget",
          IS_WIDGET, USUAL },
        { "P1-107 a widget behind the chat", WP_PAGE_OF(SHORTCODE(TOKENS("5")) WIDGET(TOKENS("<6"))), NULL,
          "5", "0", "shortcode", IS_SHORTCODE, USUAL },
        { "P1-108 a widget before the chat", WP_PAGE_OF(WIDGET(TOKENS("<6")) SHORTCODE(TOKENS("5"))), NULL,
          "6", "0", "widget", IS_WIDGET, USUAL },
        { "P1-109 type of an inner element",
          WP_PAGE_OF("<div " TOKENS("5") "data-type=\"shortcode\"><i data-type=\"widget\"></i></div>"), NULL,
          "5", "0", "shortcode", IS_SHORTCODE, USUAL },
        { "P1-110 custom bot", WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-bot-id=\"8\"")), NULL, "5", "8",
          "custom_bot_8", IS_SHORTCODE, USUAL },
        { "P1-111 custom widget bot", WP_PAGE_OF(WIDGET(TOKENS("<5") "data-bot-id=\"8\"")), NULL, "5", "8",
          "custom_bot_8", IS_WIDGET, USUAL },
        { "P1-112 the bot asked for is the second",
          WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-bot-id=\"0\"") WIDGET(TOKENS("<6") "data-bot-id=\"8\"")),
          "8", "6", "8", "custom_bot_8", IS_WIDGET, USUAL },
        { "P1-113 the bot asked for is the first",
          WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-bot-id=\"8\"") WIDGET(TOKENS("<6") "data-bot-id=\"0\"")),
          "8", "5", "8", "custom_bot_8", IS_SHORTCODE, USUAL },
        { "P1-114 the default bot is asked for by its number",
          WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-bot-id=\"8\"") WIDGET(TOKENS("<6") "data-bot-id=\"0\"")),
          "0", "6", "0", "widget", IS_WIDGET, USUAL },
        { "P1-115 the bot asked for is not on the page", WP_PAGE, "9", "5", "9", "custom_bot_9", IS_SHORTCODE,
          USUAL },
        { "P1-116 decoys",
          WP_PAGE_OF(
              "<!-- " SHORTCODE("data-nonce=\"no1\" data-post-id=\"1\"") "--><script>'" SHORTCODE(
                  "data-nonce=\"no2\" data-post-id=\"2\"") "'</script><p title='data-nonce=\"no3\" "
                                                           "data-post-id=\"3\"' "
                                                           "data-nonce-x=\"no4\">" SHORTCODE(TOKENS("5"))),
          NULL, "5", "0", "shortcode", IS_SHORTCODE, USUAL },
        { "P1-117 tokens on two elements",
          WP_PAGE_OF("<b data-nonce='" WP_NONCE "'></b><i data-post-id='7'></i>"), NULL, "7", "0",
          "shortcode", IS_SHORTCODE, USUAL },
        { "P1-118 assistant", WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-assistant-enabled=\"true\"")), NULL, "5",
          "0", "shortcode", IS_SHORTCODE, USUAL },
    };

static bool check_page_message(const script *s, const struct page_row *r)
{
    char text[3000], start[200];
    snprintf(start, sizeof start, "POST %s HTTP/1.1\r\nHost: site.test\r\n", r->path);
    return CHECK(script_head(s, 1, 0, text, sizeof text) && strncmp(text, start, strlen(start)) == 0) &&
           CHECK_STR(script_header(s, 0, 0, "Accept-Encoding", text, sizeof text) ? text : "identity",
                     "identity") &&
           CHECK(!script_header(s, 1, 0, "Cookie", text, sizeof text)) &&
           CHECK_STR(script_header(s, 1, 0, "Content-Type", text, sizeof text),
                     "application/x-www-form-urlencoded") &&
           CHECK_STR(script_header(s, 1, 0, "Origin", text, sizeof text), "http://site.test") &&
           CHECK_STR(script_header(s, 1, 0, "Referer", text, sizeof text), "http://site.test/") &&
           wp_check_field(s, 1, "_wpnonce", WP_NONCE) && wp_check_field(s, 1, "post_id", r->post_id) &&
           wp_check_field(s, 1, "action", r->action) && wp_check_field(s, 1, "message", WP_MESSAGE) &&
           wp_check_field(s, 1, "bot_id", r->bot_id) &&
           wp_check_field(s, 1, "chatbot_identity", r->identity) &&
           wp_check_field(s, 1, "wpaicg_chat_client_id", WP_CLIENT) &&
           CHECK(script_field(s, 1, 0, "url", text, sizeof text) &&
                 strncmp(text, "http://site.test", 16) == 0) &&
           CHECK(!script_field(s, 1, 0, "wpaicg_chat_history", text, sizeof text) || strcmp(text, "[]") == 0);
}

static bool play_page(script *s, const struct page_row *r)
{
    chatgptt_options options = script_options(s);
    wp_result got;
    options.bot_id = r->wanted_bot;
    wp_ask(s, &options, &got);
    bool good = CHECK_STR(chatgptt_code_name(got.code), "DONE") && CHECK_STR(got.text, "Hello") &&
                CHECK_INT(wp_requests(s), 2) && check_page_message(s, r);
    if (!good) printf("    cut at %zu: %s\n", s->cut, got.error.message);
    script_rewind(s);
    return good;
}

static void run_page(void)
{
    const struct page_row *r = (const struct page_row *)wp_row;
    script s;
    wp_forget();
    script_init(&s);
    wp_answers_page(&s, r->html);
    wp_answers(&s, "200 OK", WP_JSON, "", WP_ANSWER);
    if (!play_page(&s, r)) return;
    s.read_max = s.write_max = 1;
    if (!play_page(&s, r)) return;
    s.read_max = s.write_max = 0;
    for (s.cut = 200; s.cut < s.acts[1].len && play_page(&s, r); s.cut++) {}
}

/* ---- exchanges: what the site answers to the first, second, … request, and what comes of it ---- */

typedef struct response { const char *status, *type, *extra, *body; } response;

#define HTML(status, body)  {status, WP_HTML, "", body}
#define PAGE                HTML("200 OK", WP_PAGE)
#define FRESH               HTML("200 OK", WP_PAGE_FRESH)
#define GOOD                {"200 OK", WP_JSON, "", WP_ANSWER}
#define STREAMED            {"200 OK", WP_EVENTS, "", \
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\ndata: [DONE]\n\n"}
#define EXPIRED             HTML("403 Forbidden", "The link you followed has expired.")
#define UNKNOWN             HTML("400 Bad Request", "0")
#define MINUS               HTML("200 OK", "-1")
#define CRITICAL                                                                                         \
    "<!DOCTYPE html><html><head><title>WordPress &rsaquo; Error</title><style>p{a}</style></head><body " \
    "id=\"error-page\">"                                                                                 \
    "<div class=\"wp-die-message\"><p>There has been a critical error on this website."                  \
    "</p><p><a href=\"https://wordpress.org/\">"                                                         \
    "Learn more about troubleshooting WordPress.</a></p></div></body></html>"
#define BAD_GATEWAY                                                                           \
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad " \
    "Gateway</h1></center>\r\n"                                                               \
    "</body>\r\n</html>"
#define MAINTENANCE                                                                                  \
    "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Briefly unavailable for " \
    "scheduled maintenance. "                                                                        \
    "Check back in a minute.</h1></body></html>"
#define LOST                                                                              \
    "<html><head><title>Page not found &#8211; Site</title></head><body><script>var a = " \
    "'<p>no</p>';</script>"                                                               \
    "<h1>Oops! That page can&#8217;t be found.</h1><p>Try a search?</p></body></html>"
#define CHALLENGE                                                                                         \
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript " \
    "and cookies to continue"                                                                             \
    "</noscript><script src=\"/cdn-cgi/challenge-platform/h/b/orchestrate\"></script></body></html>"
#define WALL                                                                                               \
    "<html><head><title>Your access to this site has been limited</title></head><body><h1>Your access to " \
    "this site has been "                                                                                  \
    "limited by the site owner</h1><p>Generated by Wordfence</p></body></html>"

/* The newer generation, as far as it takes to see that it was found. */
#define NEWER                                                                  \
    HTML("200 OK",                                                             \
         "<div class=\"aipkit_chat_container\" "                               \
         "data-config='{&quot;botId&quot;:7,&quot;nonce&quot;:&quot;" WP_FRESH \
         "&quot;,&quot;ajaxUrl&quot;:&quot;http:\\/\\/site.test\\/wp-admin\\/admin-ajax.php&quot;}'></div>")
#define KEY \
    { "200 OK", WP_JSON, "", "{\"success\":true,\"data\":{\"cache_key\":\"aipkit_sse_1\"}}" }
#define NEWER_ANSWER        {"200 OK", WP_EVENTS, "", \
    "event: message_start\ndata: {\"message_id\":\"aipkit-msg-1.2\"}\n\ndata: {\"delta\":\"Hello\"}\n\n" \
                            "event: done\ndata: {\"finished\":true}\n\n"}

typedef struct exchange {
    const char *name;
    response responses[5];
    const char *text;
    chatgptt_code code;
    int status;                     /* of the error; -1: any */
    const char *words;
    /* a letter a request: page, reread, message with the first nonce, fresh nonce; newer: key, get */
    const char *sent;
} exchange;

#define ENDS(text, code, status, words, sent) text, CHATGPTT_##code, status, words, sent
#define TOKENS_MISSING "Required authentication tokens not found in page HTML"
#define CACHED "the site's page cache serves an expired token"

static const exchange exchanges[] = {
    /* 1: pages without a chat */
    { "P1-121 no chat on the page",
      { HTML("200 OK", "<title>My &amp; blog</title><p data-post-id=\"5\">hi</p>") },
      ENDS("", E_PAGE, 200, TOKENS_MISSING, "p") },
    { "P1-121 the title is told",
      { HTML("200 OK", "<title>My &amp; blog</title>") },
      ENDS("", E_PAGE, 200, "My & blog", "p") },
    { "P1-122 an empty page", { HTML("200 OK", "") }, ENDS("", E_PAGE, 200, TOKENS_MISSING, "p") },
    { "P1-123 page not found",
      { HTML("404 Not Found", LOST) },
      ENDS("", E_STATUS, 404, "Oops! That page can\xE2\x80\x99t be found.", "p") },
    { "P1-124 the page crashes",
      { HTML("500 Internal Server Error", CRITICAL) },
      ENDS("", E_STATUS, 500, "There has been a critical error on this website.", "p") },
    { "P1-125 the page in maintenance",
      { HTML("503 Service Unavailable", MAINTENANCE) },
      ENDS("", E_STATUS, 503, "Briefly unavailable", "p") },
    { "P1-126 page forbidden",
      { HTML("403 Forbidden", "<title>403</title><h1>Members only</h1>") },
      ENDS("", E_STATUS, 403, "Members only", "p") },
    { "P1-127 too many pages",
      { HTML("429 Too Many Requests", "<h1>Slow down</h1>") },
      ENDS("", E_RATE_LIMITED, 429, "Slow down", "p") },
    { "P1-128 compressed against our word",
      { { "200 OK", WP_HTML, "Content-Encoding: gzip\r\n", "\x1f\x8b\x08" } },
      ENDS("", E_UNSUPPORTED, -1, "compressed", "p") },
    { "P1-129 a challenge for the page, 403",
      { HTML("403 Forbidden", CHALLENGE) },
      ENDS("", E_BLOCKED, 403, NULL, "p") },
    { "P1-129 a challenge for the page, 503",
      { HTML("503 Service Unavailable", CHALLENGE) },
      ENDS("", E_BLOCKED, 503, NULL, "p") },
    { "P1-129 a challenge for the page, header",
      { { "403 Forbidden", WP_HTML, "cf-mitigated: challenge\r\n", "<p>Hm</p>" } },
      ENDS("", E_BLOCKED, 403, NULL, "p") },
    { "P1-129 a firewall before the page",
      { HTML("403 Forbidden", WALL) },
      ENDS("", E_BLOCKED, 403, NULL, "p") },
    { "P1-130 the chat has moved",
      { { "301 Moved Permanently", WP_HTML, "Location: /\r\n", "" }, PAGE, GOOD },
      ENDS("Hello", DONE, 0, NULL, "ppm") },

    /* 3, 4: statuses of the endpoint */
    { "P1-451 critical error",
      { PAGE, HTML("500 Internal Server Error", CRITICAL) },
      ENDS("", E_STATUS, 500, "There has been a critical error on this website.", "pm") },
    { "P1-452 502",
      { PAGE, HTML("502 Bad Gateway", BAD_GATEWAY) },
      ENDS("", E_STATUS, 502, "502 Bad Gateway", "pm") },
    { "P1-453 504",
      { PAGE, HTML("504 Gateway Timeout", "<center><h1>504 Gateway Time-out</h1></center>") },
      ENDS("", E_STATUS, 504, "504 Gateway Time-out", "pm") },
    { "P1-454 maintenance",
      { PAGE, { "503 Service Unavailable", WP_HTML, "Retry-After: 600\r\n", MAINTENANCE } },
      ENDS("", E_STATUS, 503, "Briefly unavailable for scheduled maintenance.", "pm") },
    { "P1-455 404",
      { PAGE, HTML("404 Not Found", LOST) },
      ENDS("", E_STATUS, 404, "Oops! That page can\xE2\x80\x99t be found.", "pm") },
    { "P1-456 401",
      { PAGE, HTML("401 Unauthorized", "<h1>Log in</h1>") },
      ENDS("", E_STATUS, 401, "Log in", "pm") },
    { "P1-457 429",
      { PAGE, HTML("429 Too Many Requests", "<h1>Slow down</h1>") },
      ENDS("", E_RATE_LIMITED, 429, "Slow down", "pm") },
    { "P1-457 429 as JSON",
      { PAGE, { "429 Too Many Requests", WP_JSON, "", "{\"status\":\"error\",\"msg\":\"Quota.\"}" } },
      ENDS("", E_RATE_LIMITED, 429, "Quota.", "pm") },
    { "P1-458 402", { PAGE, HTML("402 Payment Required", "") }, ENDS("", E_RATE_LIMITED, 402, NULL, "pm") },
    { "P1-459 an answer's body, an error's status",
      { PAGE, { "500 Internal Server Error", WP_JSON, "", WP_ANSWER } },
      ENDS("", E_STATUS, 500, NULL, "pm") },
    { "P1-459 a stream's body, an error's status",
      { PAGE,
        { "500 Internal Server Error", WP_EVENTS, "",
          "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n"
          "data: [DONE]\n\n" } },
      ENDS("", E_STATUS, 500, NULL, "pm") },
    { "P1-460 compressed reply",
      { PAGE, { "200 OK", WP_JSON, "Content-Encoding: gzip\r\n", "\x1f\x8b\x08" } },
      ENDS("", E_UNSUPPORTED, -1, "compressed", "pm") },

    /* 4: the nonce */
    { "P1-461 nonce refused", { PAGE, EXPIRED, FRESH, GOOD }, ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-461 nonce refused, streaming",
      { PAGE, EXPIRED, FRESH, STREAMED },
      ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-462 nonce refused, translated",
      { PAGE, HTML("403 Forbidden", "Der Link ist abgelaufen."), FRESH, GOOD },
      ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-463 nonce refused, no words",
      { PAGE, HTML("403 Forbidden", ""), FRESH, GOOD },
      ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-463 nonce refused, JSON",
      { PAGE, { "403 Forbidden", WP_JSON, "", "{\"status\":\"error\",\"msg\":\"no\"}" }, FRESH, GOOD },
      ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-464 nonce refused, -1", { PAGE, MINUS, FRESH, GOOD }, ENDS("Hello", DONE, 0, NULL, "pmrf") },
    { "P1-465 the page shows the same nonce", { PAGE, EXPIRED, PAGE }, ENDS("", E_NONCE, -1, CACHED, "pmr") },
    { "P1-465 the page shows the same nonce, -1",
      { PAGE, MINUS, PAGE },
      ENDS("", E_NONCE, -1, CACHED, "pmr") },
    { "P1-466 the fresh nonce is refused too",
      { PAGE, EXPIRED, FRESH, EXPIRED },
      ENDS("", E_NONCE, 403, NULL, "pmrf") },
    { "P1-466 the fresh nonce is refused too, -1",
      { PAGE, MINUS, FRESH, MINUS },
      ENDS("", E_NONCE, 200, NULL, "pmrf") },
    { "P1-467 the page is gone meanwhile",
      { PAGE, EXPIRED, HTML("500 Internal Server Error", CRITICAL) },
      ENDS("", E_STATUS, 500, "critical error", "pmr") },
    { "P1-467 the chat is gone meanwhile",
      { PAGE, EXPIRED, HTML("200 OK", "<p>hi</p>") },
      ENDS("", E_PAGE, 200, TOKENS_MISSING, "pmr") },
    { "P1-467 a challenge meanwhile",
      { PAGE, EXPIRED, HTML("403 Forbidden", CHALLENGE) },
      ENDS("", E_BLOCKED, 403, NULL, "pmr") },
    { "P1-468 an error behind the fresh nonce",
      { PAGE, EXPIRED, FRESH, { "200 OK", WP_JSON, "", "{\"status\":\"error\",\"msg\":\"No.\"}" } },
      ENDS("", E_REFUSED, 200, "No.", "pmrf") },
    { "P1-469 an answer that says -1",
      { PAGE, { "200 OK", WP_JSON, "", "{\"status\":\"success\",\"data\":\"-1\"}" } },
      ENDS("-1", DONE, 0, NULL, "pm") },
    { "P1-471 unknown action, the page is as before",
      { PAGE, UNKNOWN, PAGE },
      ENDS("", E_STATUS, 400, NULL, "pmr") },
    { "P1-472 unknown action, the chat is gone",
      { PAGE, UNKNOWN, HTML("200 OK", "<p>hi</p>") },
      ENDS("", E_PAGE, 200, TOKENS_MISSING, "pmr") },
    { "P1-470 unknown action, the plugin was updated",
      { PAGE, UNKNOWN, NEWER, KEY, NEWER_ANSWER },
      ENDS("Hello", DONE, 0, NULL, "pmrkg") },
    { "P1-473 one refresh in all", { PAGE, EXPIRED, FRESH, UNKNOWN }, ENDS("", E_STATUS, 400, NULL, "pmrf") },
    { "P1-474 400, but not for the action",
      { PAGE, HTML("400 Bad Request", "<h1>Request header too large</h1>") },
      ENDS("", E_STATUS, 400, "too large", "pm") },

    /* a selection of replies, for loopback */
    { "P1-491 stream",
      { PAGE,
        { "200 OK", WP_EVENTS, "",
          "data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
          "data: "
          "{\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n" } },
      ENDS("Hello", DONE, 0, NULL, "pm") },
    { "P1-492 token limit",
      { PAGE, { "200 OK", WP_EVENTS, "", "data: {\"msg\":\"No more.\",\"tokenLimitReached\":true}\n\n" } },
      ENDS("", E_RATE_LIMITED, 200, "No more.", "pm") },
    { "P1-493 no byte of a stream",
      { PAGE, { "200 OK", WP_EVENTS, "", "" } },
      ENDS("", E_UPSTREAM, 200, NULL, "pm") },
    { "P1-494 no byte of JSON", { PAGE, { "200 OK", WP_JSON, "", "" } }, ENDS("", E_REPLY, 200, NULL, "pm") },
    { "P1-495 drop behind text",
      { PAGE,
        { "200 OK", WP_EVENTS, "",
          "data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\ndata: {" } },
      ENDS("Hel", E_INCOMPLETE, -1, "broke off", "pm") },
    { "P1-496 refused as JSON",
      { PAGE, { "200 OK", WP_JSON, "", "{\"status\":\"error\",\"msg\":\"Not now.\"}" } },
      ENDS("", E_REFUSED, 200, "Not now.", "pm") },
    { "P1-497 dressed error",
      { PAGE,
        { "200 OK", WP_EVENTS, "",
          "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\" Bad\"}}]}\n\n"
          "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\" key.\"}}]}\n\n"
          "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n" } },
      ENDS("", E_UPSTREAM, 200, "Bad key.", "pm") },

    /* hazard 4 */
    { "P1-481 challenge, 403",
      { PAGE, HTML("403 Forbidden", CHALLENGE) },
      ENDS("", E_BLOCKED, 403, NULL, "pm") },
    { "P1-481 challenge, 503",
      { PAGE, HTML("503 Service Unavailable", CHALLENGE) },
      ENDS("", E_BLOCKED, 503, NULL, "pm") },
    { "P1-482 challenge, header",
      { PAGE, { "403 Forbidden", WP_HTML, "CF-Mitigated: challenge\r\n", "<p>Hm</p>" } },
      ENDS("", E_BLOCKED, 403, NULL, "pm") },
    { "P1-483 firewall", { PAGE, HTML("403 Forbidden", WALL) }, ENDS("", E_BLOCKED, 403, NULL, "pm") },
    { "P1-484 an answer about challenges",
      { PAGE, { "200 OK", WP_JSON, "", "{\"status\":\"success\",\"data\":\"Just a moment... a captcha\"}" } },
      ENDS("Just a moment... a captcha", DONE, 0, NULL, "pm") },
};

/* The letter of a request. A page that is read anew must pass every cache: by a header and by a query of its
   own. */
static char letter(const http_request *q)
{
    char line[200] = "", value[200];
    const char *end = (const char *)memchr(q->head, '\r', q->head_len);
    memcpy(line, q->head, end - q->head < 199 ? (size_t)(end - q->head) : 199);
    bool no_cache = request_header(q, "Cache-Control", value, sizeof value) && strstr(value, "no-cache");
    if (strcmp(line, "GET / HTTP/1.1") == 0 && !no_cache) return 'p';
    if (strncmp(line, "GET /?", 6) == 0 && line[6] != ' ' && no_cache) return 'r';
    if (strncmp(line, "GET " USUAL "?", strlen("GET " USUAL "?")) == 0)
        return request_field(q, "action", value, sizeof value) &&
                       strcmp(value, "aipkit_frontend_chat_stream") == 0
                   ? 'g'
                   : '?';
    if (strncmp(line, "POST " USUAL " ", strlen("POST " USUAL " ")) != 0) return '?';
    if (request_field(q, "action", value, sizeof value) && strcmp(value, "aipkit_cache_sse_message") == 0)
        return 'k';
    if (!request_field(q, "_wpnonce", value, sizeof value)) return '?';
    return strcmp(value, WP_NONCE) == 0 ? 'm' : strcmp(value, WP_FRESH) == 0 ? 'f' : '?';
}

static bool check_exchange(const exchange *e, const wp_result *got, const char *sent)
{
    bool good = CHECK_STR(chatgptt_code_name(got->code), chatgptt_code_name(e->code));
    good &= CHECK_STR(got->text, e->text);
    good &= CHECK_STR(sent, e->sent);
    if (e->status >= 0) good &= CHECK_INT(got->error.http_status, e->status);
    if (e->words && !strstr(got->error.message, e->words))
        good = check_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", got->error.message, e->words);
    if (!good) printf("    %s\n", got->error.message);
    return good;
}

static bool play_exchange(script *s, const exchange *e)
{
    chatgptt_options options = script_options(s);
    char sent[SCRIPT_CONNECTIONS + 1] = "", url[200], again[200];
    wp_result got;
    http_request request;
    wp_ask(s, &options, &got);
    for (int i = 0; i < s->opened; i++) sent[i] = script_get(s, i, 0, &request) ? letter(&request) : '-';
    bool good = check_exchange(e, &got, sent);
    CHECK_INT(got.stats.requests, (int)strlen(e->sent));
    if (strcmp(sent, "pmrf") == 0) {        /* the query that passes the caches is nobody else's business */
        wp_check_message(s, 3, WP_FRESH);
        CHECK_STR(script_field(s, 3, 0, "url", again, sizeof again),
                  script_field(s, 1, 0, "url", url, sizeof url));
        CHECK_STR(script_header(s, 3, 0, "Referer", again, sizeof again),
                  script_header(s, 1, 0, "Referer", url, sizeof url));
    }
    script_rewind(s);
    return good;
}

static void run_exchange(void)
{
    const exchange *e = (const exchange *)wp_row;
    script s;
    wp_forget();
    script_init(&s);
    for (const response *r = e->responses; r < e->responses + 5 && r->status; r++)
        wp_answers(&s, r->status, r->type, r->extra, r->body);
    if (!play_exchange(&s, e)) return;
    s.read_max = 1;
    play_exchange(&s, e);
}

/* ---- the same over loopback ---- */

typedef struct served { const exchange *row; int n; char sent[20]; } served;

static bool serve_exchange(const site_request *request, int socket)
{
    served *v = (served *)request->user;
    pthread_mutex_lock(&request->site->lock);
    int n = v->n++;
    if (n < 19) v->sent[n] = letter(&request->http);
    pthread_mutex_unlock(&request->site->lock);
    const response *r = n < 5 && v->row->responses[n].status ? &v->row->responses[n] : NULL;
    char head[400];
    if (!r) return false;
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n", r->status,
             r->type, r->extra, strlen(r->body));
    return site_say(socket, head) && site_say(socket, r->body);
}

TEST(P1_exchanges_over_loopback)
{
#ifdef CHATGPTT_NO_NET
    SKIP("built without sockets");
#endif
    script s;                               /* for its allocator only */
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        served v = {&exchanges[i], 0, ""};
        chatgptt_options options;
        wp_result got;
        site w;
        script_init(&s);
        memset(&options, 0, sizeof options);
        options.hooks.resize = script_resize;
        options.hooks.user = &s;
        if (!CHECK(site_start(&w, serve_exchange, &v))) return;
        options.url = w.url;
        /* the page names the endpoint of another host: this one is where the site really is */
        char endpoint[100];
        snprintf(endpoint, sizeof endpoint, "%swp-admin/admin-ajax.php", w.url);
        options.endpoint = endpoint;
        wp_ask(&s, &options, &got);
        site_stop(&w);
        if (!check_exchange(v.row, &got, v.sent)) printf("    over loopback: %s\n", v.row->name);
        script_settle(&s);
    }
}

/* ---- more than one message ---- */

static chatgptt_stream *start(chatgptt_client *client, const char *prompt)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    chatgptt_stream *stream = chatgptt_start(client, &request);
    CHECK(stream);
    return stream;
}

static void ask_on(script *s, chatgptt_client *client, const char *text, chatgptt_code code)
{
    wp_result got;
    chatgptt_stream *stream = start(client, WP_MESSAGE);
    if (!stream) return;
    wp_take(s, stream, &got);
    CHECK_STR(chatgptt_code_name(got.code), chatgptt_code_name(code));
    CHECK_STR(got.text, text);
    chatgptt_finish(stream);
}

static void check_sent(const script *s, const char *wanted)
{
    char sent[SCRIPT_CONNECTIONS + 1] = "";
    http_request request;
    for (int i = 0; i < s->opened; i++) sent[i] = script_get(s, i, 0, &request) ? letter(&request) : '-';
    CHECK_STR(sent, wanted);
}

#define GOOD_ON(s)      wp_answers(s, "200 OK", WP_JSON, "", WP_ANSWER)
#define EXPIRED_ON(s)   wp_answers(s, "403 Forbidden", WP_HTML, "", "The link you followed has expired.")

/* The tokens are good for twelve hours: the page is read once. What it said is told. */
TEST(P1_131_tokens_are_kept)
{
    script s;
    chatgptt_error error;
    script_init(&s);
    wp_answers_page(&s, WP_PAGE);
    for (int i = 0; i < 3; i++) GOOD_ON(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    for (int i = 0; i < 3; i++) ask_on(&s, client, "Hello", CHATGPTT_DONE);
    CHECK_INT(chatgptt_client_site(client)->dialect, CHATGPTT_WPAICG);
    CHECK_INT(chatgptt_client_site(client)->memory_limit, 100);
    CHECK_STR(chatgptt_client_site(client)->bot_id, "0");
    chatgptt_close(client);
    check_sent(&s, "pmmm");
    script_finish(&s);
}

/* What the site counts quotas by is made once a client: ten letters or digits, as the site's own page has it.
   */
TEST(P1_132_client_id)
{
    script s;
    chatgptt_error error;
    char ids[3][100];
    script_init(&s);
    for (int i = 0; i < 2; i++) {
        wp_answers_page(&s, WP_PAGE);
        GOOD_ON(&s);
        if (i == 0) GOOD_ON(&s);
    }
    chatgptt_options options = script_options(&s);
    for (int i = 0; i < 2; i++) {
        chatgptt_client *client = chatgptt_open(&options, &error);
        ask_on(&s, client, "Hello", CHATGPTT_DONE);
        if (i == 0) ask_on(&s, client, "Hello", CHATGPTT_DONE);
        chatgptt_close(client);
    }
    check_sent(&s, "pmmpm");
    for (int i = 0; i < 3; i++)
        if (!CHECK(script_field(&s, i < 2 ? i + 1 : 4, 0, "wpaicg_chat_client_id", ids[i], sizeof ids[i])))
            return;
    CHECK_INT(strspn(ids[0], "0123456789abcdef"), 10);
    CHECK_INT(strlen(ids[0]), 10);
    CHECK_STR(ids[1], ids[0]);
    CHECK(strcmp(ids[2], ids[0]) != 0);
    script_finish(&s);
}

/* One refresh a message, not a client: the next one may try again, and finds a page that is right by then. */
TEST(P1_475_every_message_may_refresh)
{
    script s;
    chatgptt_error error;
    script_init(&s);
    wp_answers_page(&s, WP_PAGE);
    EXPIRED_ON(&s);
    wp_answers_page(&s, WP_PAGE_FRESH);
    GOOD_ON(&s);
    EXPIRED_ON(&s);
    wp_answers_page(&s, WP_PAGE);
    GOOD_ON(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    ask_on(&s, client, "Hello", CHATGPTT_DONE);
    ask_on(&s, client, "Hello", CHATGPTT_DONE);
    chatgptt_close(client);
    check_sent(&s, "pmrffrm");
    script_finish(&s);
}

/* Steps a stream until it has nothing to do but wait. */
static chatgptt_code settle(chatgptt_stream *stream)
{
    chatgptt_event event;
    chatgptt_code code;
    do code = chatgptt_step(stream, &event); while (code == CHATGPTT_OK || (code == CHATGPTT_AGAIN &&
        chatgptt_want(stream).timeout_ms == 0));
    return code;
}

/* Two streams are refused at once. The first reads the page; the second takes the nonce that it found, and
   reads nothing. */
TEST(P1_476_fresh_tokens_are_shared)
{
    script s;
    chatgptt_error error;
    wp_result got;
    script_init(&s);
    wp_answers_page(&s, WP_PAGE);
    GOOD_ON(&s);
    for (int i = 0; i < 2; i++) {                       /* both messages, answered only after a second */
        script_connection(&s);
        script_request(&s);
        script_pause(&s, 1000);
        script_say(&s, wp_response("403 Forbidden", WP_HTML, "Connection: close\r\n",
                                   "The link you followed has expired.", 0, true));
        script_end(&s);
    }
    wp_answers_page(&s, WP_PAGE_FRESH);
    GOOD_ON(&s);
    GOOD_ON(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    ask_on(&s, client, "Hello", CHATGPTT_DONE);
    chatgptt_stream *first = start(client, WP_MESSAGE), *second = start(client, WP_MESSAGE);
    CHECK_INT(settle(first), CHATGPTT_AGAIN);
    CHECK_INT(settle(second), CHATGPTT_AGAIN);
    wp_take(&s, first, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    wp_take(&s, second, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    CHECK_STR(got.text, "Hello");
    chatgptt_finish(first);
    chatgptt_finish(second);
    chatgptt_close(client);
    check_sent(&s, "pmmmrff");
    script_finish(&s);
}

/* The newer tokens are no luckier: the second stream still has its own refresh. */
TEST(P1_477_shared_tokens_do_not_use_up_the_refresh)
{
    script s;
    chatgptt_error error;
    wp_result got;
    script_init(&s);
    wp_answers_page(&s, WP_PAGE);
    GOOD_ON(&s);
    for (int i = 0; i < 2; i++) {
        script_connection(&s);
        script_request(&s);
        script_pause(&s, 1000);
        script_say(&s, wp_response("403 Forbidden", WP_HTML, "Connection: close\r\n",
                                   "The link you followed has expired.", 0, true));
        script_end(&s);
    }
    wp_answers_page(&s, WP_PAGE_FRESH);
    GOOD_ON(&s);
    EXPIRED_ON(&s);
    wp_answers_page(&s, WP_PAGE);
    GOOD_ON(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    ask_on(&s, client, "Hello", CHATGPTT_DONE);
    chatgptt_stream *first = start(client, WP_MESSAGE), *second = start(client, WP_MESSAGE);
    CHECK_INT(settle(first), CHATGPTT_AGAIN);
    CHECK_INT(settle(second), CHATGPTT_AGAIN);
    wp_take(&s, first, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    wp_take(&s, second, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    chatgptt_finish(first);
    chatgptt_finish(second);
    chatgptt_close(client);
    check_sent(&s, "pmmmrffrm");
    script_finish(&s);
}

/* An assistant's thread: asked without one, it is told of; the next message names it, and holds its last turn
   only. */
static void ask_assistant(const char *type, const char *first_reply)
{
    static const chatgptt_message turns[] = { { CHATGPTT_USER, "one", 0 },
                                              { CHATGPTT_ASSISTANT, "Hello", 0 },
                                              { CHATGPTT_USER, "two", 0 } };
    script s;
    chatgptt_error error;
    chatgptt_conversation memory;
    chatgptt_request request;
    char value[100];
    script_init(&s);
    wp_answers_page(&s, WP_PAGE_OF(SHORTCODE(TOKENS("5") "data-assistant-enabled=\"true\"")));
    wp_answers(&s, "200 OK", type, "", first_reply);
    GOOD_ON(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    memset(&memory, 0, sizeof memory);
    memset(&request, 0, sizeof request);
    request.messages = turns;
    request.conversation = &memory;
    for (request.num_messages = 1; request.num_messages <= 3; request.num_messages += 2)
        CHECK_STR(chatgptt_code_name(chatgptt_chat(client, &request, NULL, NULL)), "DONE");
    chatgptt_close(client);
    check_sent(&s, "pmm");
    CHECK_STR(script_field(&s, 1, 0, "thread_id", value, sizeof value), NULL);
    CHECK_STR(script_field(&s, 1, 0, "message", value, sizeof value), "one");
    CHECK_STR(script_field(&s, 2, 0, "thread_id", value, sizeof value), "thread_Ab1");
    CHECK_STR(script_field(&s, 2, 0, "message", value, sizeof value), "two");
    script_finish(&s);
}

TEST(P1_521_thread_of_a_stream)
{
    ask_assistant(WP_EVENTS, "event: thread_id\ndata: thread_Ab1\n\nevent: thread.message.delta\ndata: "
                             "{\"delta\":{\"content\":[{\"text\":{"
                             "\"value\":\"Hello\"}}]}}\n\n"
                             "event: done\ndata: [DONE]\n\n");
}
TEST(P1_521_thread_of_a_json_reply)
{
    ask_assistant(WP_JSON, "{\"status\":\"success\",\"thread_id\":\"thread_Ab1\",\"data\":\"Hello\"}");
}

/* What the site takes for nothing is refused here: nothing is sent. */
TEST(P1_442_nothing_inputted)
{
    static const char *const nothing[] = {"", "0", " ", "\n\t ", "\xC2\xA0"};
    script s;
    chatgptt_error error;
    chatgptt_request request;
    script_init(&s);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    memset(&request, 0, sizeof request);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        request.prompt = nothing[i];
        CHECK(chatgptt_start(client, &request) == NULL);
        CHECK_INT(chatgptt_client_error(client)->code, CHATGPTT_E_ARGUMENT);
    }
    chatgptt_close(client);
    CHECK_INT(s.opened, 0);
    script_finish(&s);
}

int main(void)
{
    WP_RUN(pages, run_page);
    WP_RUN(exchanges, run_exchange);
    RUN(P1_exchanges_over_loopback);
    RUN(P1_131_tokens_are_kept);
    RUN(P1_132_client_id);
    RUN(P1_442_nothing_inputted);
    RUN(P1_475_every_message_may_refresh);
    RUN(P1_476_fresh_tokens_are_shared);
    RUN(P1_477_shared_tokens_do_not_use_up_the_refresh);
    RUN(P1_521_thread_of_a_stream);
    RUN(P1_521_thread_of_a_json_reply);
    return check_report("test_wpaicg");
}
