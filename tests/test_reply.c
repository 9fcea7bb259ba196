/* test_reply.c - what a reply comes to, by its status, type and body: text and notices, then the verdict, who
   told it, and in which words. Each row is fed at once, byte by byte and cut everywhere. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "chatgptt.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))

typedef struct row {
    cgt_asked asked;
    int status;
    const char *type, *body;
    const char *log;                /* of feed_run(): what is told; then code, teller, words */
    bool challenged;
} row;

static struct { cgt_reply reply; const row *row; bool used; } now;

static void reset(void *state)
{
    static const chatgptt_hooks hooks = {cgt_builtin_resize, NULL, NULL, NULL, NULL, NULL};
    const row *r = now.row;
    (void)state;
    if (now.used) cgt_reply_free(&now.reply);
    now.used = true;
    cgt_reply_init(&now.reply, &hooks, 4096, r->asked);
    cgt_reply_head(&now.reply, r->status, cgt_text(r->type), r->challenged);
}

static int ended(feed_log *log)
{
    static const char *const tellers[] = {"nobody", "status", "object", "event", "us"};
    cgt_verdict v = cgt_reply_verdict(&now.reply);
    if (cgt_reply_token(&now.reply)[0] && v.code == CHATGPTT_DONE)
        feed_log_event(log, "token %s", cgt_reply_token(&now.reply));
    feed_log_event(log, "%s by %s: %s%s", chatgptt_code_name(v.code), tellers[v.by], v.words,
                   v.finished ? " (finished)" : "");
    return 1;
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    cgt_reply *r = &now.reply;
    size_t used;
    (void)state;
    do {
        CHECK_INT(cgt_reply_feed(r, piece, len, &used), CHATGPTT_OK);
        if (r->event == CGT_REPLY_END) return ended(log);
        piece += used;
        len -= used;
        if (r->event != CGT_REPLY_NONE)
            feed_log_piece(log, r->event == CGT_REPLY_TEXT ? "text" : "notice", r->piece.at, r->piece.len);
    } while (r->event != CGT_REPLY_NONE || len > 0);
    return 0;
}

static int end(void *state, feed_log *log)
{
    (void)state;
    cgt_reply_eof(&now.reply);
    return ended(log);
}

static void check_rows(const row *rows, size_t count)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    for (size_t i = 0; i < count; i++) {
        char wanted[1000];
        now.row = &rows[i];
        snprintf(wanted, sizeof wanted, "%s\n= 1\n", rows[i].log);
        if (!FEED_TEXT(&parser, rows[i].body, wanted))
            check_fail(__FILE__, __LINE__, "row %zu: %s", i, rows[i].body);
    }
}

#define A CGT_ASKED_ANSWER
#define K CGT_ASKED_KEY
#define N CGT_ASKED_NONCE
#define EVENTS "text/event-stream;charset=UTF-8"
#define JSON "application/json; charset=UTF-8"
#define HTML "text/html; charset=UTF-8"
#define E(body, log) {A, 200, EVENTS, body, log, false}
#define J(body, log) {A, 200, JSON, body, log, false}
#define S(status, body, log) {A, status, HTML, body, log, false}
#define DELTA(t) "data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"" t "\"}}]}\n\n"
#define DELTA_REASON(t, r) \
    "data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"" t "\"},\"finish_reason\":" r "}]}\n\n"
#define STOP "data: {\"id\":\"1\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_MARK "data: [DONE]\n\n"
#define WHOLE "text \"Hi\"\nDONE by event: "
#define CUT_OFF "text \"Hi\"\nE_INCOMPLETE by us: "
#define START "event: message_start\ndata: {}\n\n"
#define NEW(t) "data: {\"delta\":\"" t "\"}\n\n"
#define FINISH "event: done\ndata: {}\n\n"

/* Ends and what is none. */
static const row ends[] = {
    E(DELTA("Hi") DONE_MARK, WHOLE),
    E(DELTA("Hi") "data: [DONE] \t\n\n", WHOLE),
    E(DELTA("Hi") "data:   [DONE]\n\n", WHOLE),
    E(DELTA("Hi") "data: [DONE]", WHOLE),
    E(DELTA("Hi") "data: [DONE]\r\n", WHOLE),
    E(DELTA("Hi") "data: [DONE]!\n\n", CUT_OFF),
    E(DELTA("Hi") "[DONE]\n\n", CUT_OFF),
    E(DELTA("Hi") "[DONE]\n\n" DONE_MARK, WHOLE),
    E(DELTA("H") "[DONE]\n" DELTA("i") DONE_MARK, WHOLE),
    E(DELTA("Hi") "DONE\n\n", CUT_OFF),
    E(DELTA_REASON("Hi", "\"stop\""), WHOLE " (finished)"),
    E(DELTA_REASON("Hi", "\"\""), CUT_OFF),
    E(DELTA_REASON("Hi", "\"null\""), CUT_OFF),
    E(DELTA_REASON("Hi", "null"), CUT_OFF),
    E(DELTA_REASON("Hi", "7"), CUT_OFF),
    E(DELTA_REASON("H", "\"\"") DELTA_REASON("i", "\"null\"") STOP, WHOLE " (finished)"),
    E(DELTA_REASON("H", "\"stop\"") DELTA("i") DONE_MARK, WHOLE " (finished)"),
    E(STOP DELTA("Hi") DONE_MARK, WHOLE " (finished)"),
    E(STOP DONE_MARK, "E_UPSTREAM by us: the answer is empty (finished)"),
    E("", "E_UPSTREAM by us: the event stream is empty"),
    /* an end mark whose blank line is missing */
    E(NEW("Hi") "event: done\ndata: {}\n", WHOLE),
    E(NEW("Hi") "event: done\ndata: {}", WHOLE),
    E(NEW("Hi") "event: done\n", CUT_OFF),
    E(NEW("Hi") "event: done\ndata: {", CUT_OFF),
    E(NEW("Hi") "event: message\ndata: [DONE]", WHOLE),
};

/* Lines and events nobody knows never break a good answer. */
static const row unknown[] = {
    E("[2026-01-01 10:00:00] php.INFO: x\n" DELTA("Hi") DONE_MARK, WHOLE),
    E(DELTA("H") "[2026-01-01] x: y\n" DELTA("i") DONE_MARK, WHOLE),
    E(DELTA("H") "{\"level\":\"info\"}\n" DELTA("i") DONE_MARK, WHOLE),
    E(DELTA("H") "{closure}\n" DELTA("i") DONE_MARK, WHOLE),
    E(DELTA("H") "PHP Warning:  x\nnonsense\n" DELTA("i") DONE_MARK, WHOLE),
    E("event: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\ndata: "
      "{\"delta\":\"x\"}\n\n" NEW("Hi") FINISH,
      WHOLE),
    E("id: 00000000000000000000000000000000000000000000000000000000000000000000000000000\n" NEW("Hi") FINISH,
      WHOLE),
    E("event: status\ndata: {\"status\":\"error\",\"error\":\"x\"}\n\n" NEW("Hi") FINISH, WHOLE),
    E("data: {\"status\":\"in_progress\"}\n\n" NEW("Hi") FINISH, WHOLE),
    E("data: {\"status\":\"error\",\"msg\":\"No.\"}\n\n", "E_REFUSED by object: No."),
    E("data: {\"error\":\"\",\"delta\":\"Hi\"}\n\n" FINISH, WHOLE),
    E("data: {\"error\":null,\"delta\":\"Hi\"}\n\n" FINISH, WHOLE),
    /* nothing but such lines: they are quoted */
    E("Error establishing a\ndatabase  connection\n",
      "E_UPSTREAM by us: Error establishing a database connection"),
    E("dat\n", "E_UPSTREAM by us: dat"),
    E("Tom &amp; Jerry\n", "E_UPSTREAM by us: Tom & Jerry"),
    E("nonsense\n: comment\n", "E_UPSTREAM by us: the event stream is empty"),
    /* words of events whose name says so reach the user */
    E("event: plan_notice\ndata: {\"message\":\"Soon over.\"}\n\n" NEW("Hi") FINISH,
      "notice \"Soon over.\"\n" WHOLE),
    E("event: notice\ndata: {\"message\":\"You &amp; me\"}\n\n" NEW("Hi") FINISH,
      "notice \"You & me\"\n" WHOLE),
    E("event: notice\ndata: {\"message\":\"Soon over.\"}\n\nevent: error\ndata: oops\n\n",
      "notice \"Soon over.\"\nE_UPSTREAM by event: "),
    E("event: quota_warning\ndata: {\"error\":\"Soon over.\",\"delta\":\"no\"}\n\n" NEW("Hi") FINISH,
      "notice \"Soon over.\"\n" WHOLE),
    E("event: notice\ndata: {\"x\":1}\n\nevent: notice\ndata: oops\n\nevent: notice\ndata: {oops\n\n" NEW(
          "Hi") FINISH,
      WHOLE),
    E("event: later\ndata: {\"message\":\"x\"}\n\n" NEW("Hi") FINISH, WHOLE),
    /* a second message: a blank line only before text of its own */
    E(START NEW("H") START NEW("i") FINISH, "text \"H\\x0a\\x0ai\"\nDONE by event: "),
    E(START NEW("Hi") START FINISH, WHOLE),
    E(START START NEW("Hi") START START FINISH, WHOLE),
    E(START NEW("H") START NEW("") NEW("i") FINISH, "text \"H\\x0a\\x0ai\"\nDONE by event: "),
};

/* Which kind of body it is. */
static const row kinds[] = {
    { A, 200, "", DELTA("Hi") DONE_MARK, WHOLE, false },
    { A, 203, EVENTS, DELTA("Hi") DONE_MARK, WHOLE, false },
    { A, 200, HTML, DELTA("Hi") DONE_MARK, WHOLE, false },
    { A, 200, "text/plain", ": hello\n\n" DELTA("Hi") DONE_MARK, WHOLE, false },
    { A, 200, "TEXT/HTML", "\xEF\xBB\xBF\r\n\n" DELTA("Hi") DONE_MARK, WHOLE, false },
    { A, 200, HTML, "event: message_start\ndata: {}\n\n" NEW("Hi") FINISH, WHOLE, false },
    { A, 200, HTML, "id:1\n" NEW("Hi") FINISH, WHOLE, false },
    { A, 200, HTML, "retry: 1\n" NEW("Hi") FINISH, WHOLE, false },
    { A, 200, HTML, "{\"status\":\"success\",\"data\":\"Hi\"}", "text \"Hi\"\nDONE by object: ", false },
    { A, 200, "", "dat{\"status\":\"success\",\"data\":\"Hi\"}", "text \"Hi\"\nDONE by object: ", false },
    { A, 203, JSON, "{\"status\":\"success\",\"data\":\"Hi\"}", "text \"Hi\"\nDONE by object: ", false },
    { A, 200, HTML, " data: x\n\n", "E_REPLY by us: data: x (Content-Type: text/html)", false },
    { A, 200, "", "data", "E_REPLY by us: data (Content-Type: none)", false },
    { A, 200, "", "", "E_REPLY by us: neither JSON nor events (Content-Type: none)", false },
    { A, 200, JSON, DELTA("Hi"),
      "E_REPLY by us: the reply has no answer in it (Content-Type: application/json)", false },
    { A, 200, "image/png", "\x89PNG", "E_REPLY by us: ?PNG (Content-Type: image/png)", false },
    { A, 200, HTML, "<p>Under <b>construction</b>.</p>",
      "E_REPLY by us: Under construction. (Content-Type: text/html)", false },
    J("{\"status\":\"error\",\"msg\":\"You&#039;ve used &quot;it&quot; &amp; more&hellip\"}",
      "E_REFUSED by object: You've used \"it\" & more&hellip"),
    J("{\"status\":\"error\",\"msg\":\"AT&T; a &lt;b&gt; c &#x27;d&#39\"}",
      "E_REFUSED by object: AT&T; a <b> c 'd'"),
    J("{\"status\":\"ok\",\"data\":\"Hi\"}", "E_REFUSED by object: "),
    J("{\"id\":{\"x\":1},\"status\":\"success\",\"data\":\"Hi\"}", "text \"Hi\"\nDONE by object: "),
    J("{\"id\":7,\"status\":\"success\",\"data\":\"Hi\"}", "text \"Hi\"\nDONE by object: "),
    J("{\"data\":\"Hi\",\"tokenLimitReached\":true}", "text \"Hi\"\nE_RATE_LIMITED by object: "),
};

/* What statuses come to. */
static const row statuses[] = {
    S(403, "The link you followed has expired.", "E_NONCE by status: The link you followed has expired."),
    S(403, "", "E_NONCE by status: "),
    S(403, "-1", "E_NONCE by status: -1"),
    S(403,
      "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body>",
      "E_STATUS by status: 403 Forbidden"),
    S(403, "<title>403 Forbidden</title><h1>Forbidden</h1><p>You don't have permission.</p>",
      "E_STATUS by status: Forbidden: You don't have permission."),
    S(403, "<title>Just a moment...</title><p>Checking</p>", "E_BLOCKED by status: Checking"),
    S(406, "<h1>Not Acceptable!</h1><p>This error was generated by Mod_Security.</p>",
      "E_BLOCKED by status: Not Acceptable!"),
    S(406, "<h1>Not Acceptable!</h1>", "E_STATUS by status: Not Acceptable!"),
    S(503, "<title>Attention Required! | x</title>", "E_BLOCKED by status: Attention Required! | x"),
    S(404, "<p>captcha</p>", "E_STATUS by status: captcha"),
    { A, 202, HTML, "<p>One moment</p>", "E_BLOCKED by status: One moment", true },
    { A, 200, HTML, "{\"status\":\"success\",\"data\":\"Hi\"}", "E_BLOCKED by object: ", true },
    S(202, "<p>x</p>", "E_STATUS by status: x"),
    S(200, "<title>Just a moment...</title>", "E_BLOCKED by status: Just a moment..."),
    S(400, "0", "E_UNSUPPORTED by status: 0"),
    S(200, "0", "E_UNSUPPORTED by status: 0"),
    S(200, " 0\n", "E_UNSUPPORTED by status: 0"),
    S(404, "0", "E_STATUS by status: 0"),
    S(200, "-1", "E_NONCE by status: -1"),
    S(500, "-1", "E_STATUS by status: -1"),
    S(400, "<h1>Request header too large</h1>", "E_STATUS by status: Request header too large"),
    S(429, "{\"status\":\"error\",\"msg\":\"Quota.\"}", "E_RATE_LIMITED by object: Quota."),
    S(402, "", "E_RATE_LIMITED by status: "),
    S(500, DELTA("Hi") DONE_MARK, "E_STATUS by object: data: {"),
    S(502, "<title>502 Bad Gateway</title>", "E_STATUS by status: 502 Bad Gateway"),
    S(401, "{\"code\":\"rest\",\"message\":\"Log &amp; in.\"}", "E_STATUS by object: Log & in."),
};

/* What grants a token, and what refuses it. */
#define REFUSES(code) "{\"success\":false,\"data\":{\"message\":\"No.\",\"code\":\"" code "\"}}"
static const row tokens[] = {
    { K, 200, JSON, "{\"success\":true,\"data\":{\"cache_key\":\"k1\"}}",
      "token k1\nDONE by object: ", false },
    { N, 200, JSON, "{\"data\":{\"nonce\":\"n1\",\"cache_key\":\"k\"},\"success\":true}",
      "token n1\nDONE by object: ", false },
    { K, 200, HTML, "<br />Notice: x\n{\"success\":true,\"data\":{\"cache_key\":\"k1\"}}<!-- x -->",
      "token k1\nDONE by object: ", false },
    { K, 200, JSON, "{\"success\":true,\"data\":{\"nonce\":\"n\"}}",
      "E_REPLY by us: the reply holds no token (Content-Type: application/json)", false },
    { K, 200, JSON, "{\"success\":true,\"data\":{\"cache_key\":\"a\\u0000b\"}}",
      "E_REPLY by us: the reply holds no token (Content-Type: application/json)", false },
    { K, 403, JSON, REFUSES("nonce_failure_cache_sse"), "E_NONCE by object: No.", false },
    { K, 400, JSON, REFUSES("nonce_failure"), "E_NONCE by object: No.", false },
    { K, 403, JSON, REFUSES(""), "E_NONCE by object: No.", false },
    { K, 403, JSON, REFUSES("cors_denied"), "E_REFUSED by object: No.", false },
    { K, 400, JSON, REFUSES("empty_data_to_cache"), "E_REFUSED by object: No.", false },
    { K, 200, JSON, REFUSES("x"), "E_REFUSED by object: No.", false },
    { K, 500, JSON, REFUSES("x"), "E_STATUS by object: No.", false },
    { K, 429, JSON, REFUSES("x"), "E_RATE_LIMITED by object: No.", false },
    { N, 400, HTML, "0", "E_UNSUPPORTED by status: 0", false },
    { K, 200, HTML, "-1", "E_NONCE by status: -1", false },
    { N, 403, HTML, "No.", "E_NONCE by status: No.", false },
    { K, 200, JSON, "", "E_REPLY by us: neither JSON nor events (Content-Type: application/json)", false },
    { K, 200, JSON, "{\"success\":true,\"data\":{\"cache_key\":\"k1\"",
      "E_REPLY by us: neither JSON nor events "
      "(Content-Type: application/json)",
      false },
    E("event: error\ndata: {\"error\":\"Security check failed. Please refresh.\"}\n\n",
      "E_NONCE by event: Security check failed. Please refresh."),
    E("event: error\ndata: {\"error\":\"Not now.\"}\n\n", "E_REFUSED by event: Not now."),
    E(START "event: error\ndata: {\"error\":\"Security check failed.\"}\n\n",
      "E_UPSTREAM by event: Security check failed."),
};

TEST(ends) { check_rows(ends, ROWS(ends)); }
TEST(unknown) { check_rows(unknown, ROWS(unknown)); }
TEST(kinds) { check_rows(kinds, ROWS(kinds)); }
TEST(statuses) { check_rows(statuses, ROWS(statuses)); }
TEST(tokens) { check_rows(tokens, ROWS(tokens)); }

/* What a reply comes to if its connection breaks behind the body. */
TEST(broke)
{
    static const struct { const char *type, *body; chatgptt_code code;
    } cases[] = {
        { EVENTS, DELTA("Hi") STOP, CHATGPTT_DONE },
        { EVENTS, DELTA("Hi"), CHATGPTT_E_INCOMPLETE },
        { EVENTS, DELTA_REASON("Hi", "\"\""), CHATGPTT_E_INCOMPLETE },
        { EVENTS, DELTA("Hi") STOP "data: {\"id\":\"1\",", CHATGPTT_E_INCOMPLETE },
        { EVENTS, DELTA("Hi") "data: {\"id\":\"1\",\"choices\":[{\"finish_reason\":\"stop\"",
          CHATGPTT_E_INCOMPLETE },
        { EVENTS, "", CHATGPTT_OK },
        { EVENTS, STOP, CHATGPTT_OK },
        { EVENTS, "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\" Bad\"}}]}\n\n",
          CHATGPTT_E_UPSTREAM },
        { JSON, "{\"status\":\"success\",\"data\":\"H", CHATGPTT_E_INCOMPLETE },
        { JSON, "{\"status\":\"success\",\"da", CHATGPTT_OK },
        { EVENTS, DELTA("Hi") DONE_MARK, CHATGPTT_DONE },
        { EVENTS, "data: {\"msg\":\"x\",\"ipBanned\":true}\n\n", CHATGPTT_E_REFUSED },
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        row r = {A, 200, cases[i].type, cases[i].body, NULL, false};
        char body[300];
        feed_log log = {NULL, 0, 0, NULL};
        snprintf(body, sizeof body, "%s", cases[i].body);
        now.row = &r;
        reset(NULL);
        feed(NULL, body, strlen(body), &log);
        CHECK_STR(chatgptt_code_name(cgt_reply_broke(&now.reply).code), chatgptt_code_name(cases[i].code));
        free(log.text);
    }
}

/* What one running stream holds for its reply. */
TEST(sizes)
{
    CHECK(sizeof(cgt_json) <= 128);
    CHECK(sizeof(cgt_reply) <= 2100);
}

int main(void)
{
    RUN(ends);
    RUN(unknown);
    RUN(kinds);
    RUN(statuses);
    RUN(tokens);
    RUN(broke);
    RUN(sizes);
    if (now.used) cgt_reply_free(&now.reply);
    return check_report("reply");
}
