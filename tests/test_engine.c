/* test_engine.c - what no exchange may do, whatever a site does: send a message twice, take another's bytes
   for an answer, carry a cookie or token to a foreign origin, tell a secret, cut a connection short or turn
   in circles. Through the public API only; much of it is noticed by far_side.h, which watches every script.
   */
#define CHATGPTT_IMPLEMENTATION
#include "script.h"
#include "asking.h"
#include "chat.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define ALL (CHATGPTT_READ | CHATGPTT_WRITE)
#define AJAX "POST /wp-admin/admin-ajax.php HTTP/1.1\r\n"

/* Names the row that failed. */
#define CASE_BEGIN bool was_bad = check_now.bad; check_now.bad = false
#define CASE_END(...) do { \
        if (check_now.bad) printf("    in: " __VA_ARGS__), putchar('\n'); \
        check_now.bad |= was_bad; \
    } while (0)

/* ---- what a site says: [0] the older generation, [1] the newer ---- */

static char pages[2][700], answers[2][1000], key[400], fresh_nonce[400], evil[2][1000];

static void respond(char *out, size_t size, const char *type, const char *body)
{
    size_t len = chat_chunked(out, size - 6, type, "", body);
    memcpy(out + len, CHAT_LAST, 6);
}

static void make_answers(void)
{
    respond(pages[0], sizeof pages[0], "text/html", CHAT_OLD_PAGE);
    respond(pages[1], sizeof pages[1], "text/html", CHAT_NEW_PAGE);
    respond(answers[0], sizeof answers[0], "text/event-stream", CHAT_OLD_ANSWER);
    respond(answers[1], sizeof answers[1], "text/event-stream", CHAT_NEW_ANSWER);
    respond(key, sizeof key, "application/json", CHAT_KEY);
    respond(fresh_nonce, sizeof fresh_nonce, "application/json",
            "{\"success\":true,\"data\":{\"nonce\":\"9876543210\"}}");
    respond(evil[0], sizeof evil[0], "text/event-stream",
            "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"evil\"},"
            "\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n");
    respond(evil[1], sizeof evil[1], "application/json",
            "{\"success\":true,\"data\":{\"cache_key\":\"aipkit_sse_EVIL\"}}");
}

#define UNKNOWN_ACTION "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\n0"
#define MOVED(status, to) "HTTP/1.1 " status "\r\nLocation: " to "\r\nContent-Length: 0\r\n\r\n"

static void tell(script *s, const char *response) { script_request(s); script_say(s, response); }
static void tell_answer(script *s, bool newer)
{
    if (newer) tell(s, key);
    tell(s, answers[newer]);
}
static void begin(script *s, bool newer)
{
    script_init(s);
    script_connection(s);
    tell(s, pages[newer]);
}

/* ---- asking ---- */

static outcome ask(chatgptt_client *c) { return take(c, start(c, "a message like any other")); }

static chatgptt_client *open_on(script *s)
{
    const chatgptt_options options = script_options(s);
    return chatgptt_open(&options, NULL);
}

/* Drives it for as long as nothing has to be waited for. */
static chatgptt_code drive(chatgptt_stream *stream)
{
    chatgptt_event event;
    chatgptt_code code;
    int turns = 0;
    do {
        code = chatgptt_step(stream, &event);
    } while ((code == CHATGPTT_OK || (code == CHATGPTT_AGAIN && chatgptt_want(stream).timeout_ms == 0)) &&
             turns++ < 100);
    return code;
}

/* ---- sent twice ---- */

/* A kept connection fails with the message's bytes out, or on their way: only a close lets it go again. */
TEST(only_a_close_repeats)
{
    static const struct { chatgptt_code code; bool again;
    } rows[] = {
        { CHATGPTT_E_TLS, false },       { CHATGPTT_E_TIMEOUT, false }, { CHATGPTT_E_MEMORY, false },
        { CHATGPTT_E_CANCELLED, false }, { CHATGPTT_E_IO, false },      { CHATGPTT_E_CONNECT, false },
        { CHATGPTT_E_CLOSED, true },     { CHATGPTT_DONE, true },       { CHATGPTT_E_ARGUMENT, false },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int kind = 0; kind < 8; kind++) {
            bool newer = kind & 1, writing = kind & 2, warm = kind & 4;
            script s;
            if (rows[i].code == CHATGPTT_DONE && writing) continue;
            CASE_BEGIN;
            begin(&s, newer);
            if (warm) tell_answer(&s, newer);
            if (writing) script_accept(&s, 60);
            else script_request(&s);
            if (rows[i].code == CHATGPTT_DONE) script_end(&s);
            else script_fail(&s, ALL, rows[i].code);
            script_connection(&s);
            tell_answer(&s, newer);
            chatgptt_client *c = open_on(&s);
            outcome o;
            if (warm) { o = ask(c); answered(&o); }
            o = ask(c);
            CHECK_INT(s.opened, rows[i].again ? 2 : 1);
            if (rows[i].again) answered(&o);
            else CHECK_INT(o.code, rows[i].code);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("%s, %s, %s, %s", chatgptt_code_name(rows[i].code), newer ? "newer" : "older",
                     writing ? "writing" : "reading", warm ? "warm" : "behind the page");
        }
}

/* A close that comes late is a server that was at work, or has had enough of what it took: a second after the
   last byte, or three times what connecting took. `taken`: bytes of the request; 0: all, -1:
   none, and such a request is never late. */
TEST(a_late_close_does_not_repeat)
{
    static const struct { int connect, pause; bool again; int taken;
    } rows[] = {
        { 0, 0, true, 0 },       { 0, 1, true, 0 },        { 0, 999, true, 0 },     { 0, 1000, true, 0 },
        { 0, 1001, false, 0 },   { 0, 2000, false, 0 },    { 0, 60000, false, 0 },  { 300, 999, true, 0 },
        { 300, 1001, false, 0 }, { 700, 2000, true, 0 },   { 700, 2099, true, 0 },  { 700, 2101, false, 0 },
        { 5000, 14999, true, 0 }, { 5000, 15001, false, 0 }, { 0, 0, true, 1 },     { 0, 1000, true, 1 },
        { 0, 1001, false, 1 },   { 0, 999, true, 100 },    { 0, 1001, false, 100 }, { 0, 5000, false, 100 },
        { 700, 2100, true, 100 }, { 700, 2101, false, 100 }, { 0, 999, true, -1 },  { 0, 5000, true, -1 },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int kind = 0; kind < 4; kind++) {
            bool newer = kind & 1, reset = kind & 2 || rows[i].taken;   /* behind an end the rest goes out */
            script s;
            CASE_BEGIN;
            script_init(&s);
            script_connection(&s);
            script_connect(&s, rows[i].connect);
            tell(&s, pages[newer]);
            if (rows[i].taken > 0) script_accept(&s, (size_t)rows[i].taken);
            if (rows[i].taken) script_connect(&s, rows[i].pause);       /* it takes no more */
            else script_request(&s), script_pause(&s, rows[i].pause);
            if (reset) script_fail(&s, ALL, CHATGPTT_E_CLOSED);
            else script_end(&s);
            script_connection(&s);
            tell_answer(&s, newer);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            CHECK_INT(s.opened, rows[i].again ? 2 : 1);
            if (rows[i].again) answered(&o);
            else CHECK_INT(o.code, CHATGPTT_E_CLOSED);
            CHECK_INT(s.now, 1000 + rows[i].connect + rows[i].pause);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("connected in %d ms, %d taken, closed after %d ms, %s, %s", rows[i].connect,
                     rows[i].taken, rows[i].pause, newer ? "newer" : "older", reset ? "reset" : "end");
        }
}

/* Not on a fresh connection, not after a byte, not twice. `says`: NULL: closed without a byte. */
TEST(repeated_once_and_only_when_kept)
{
    static const struct { const char *name; bool fresh; const char *first, *second; int opened;
    } rows[] = {
        { "fresh", true, NULL, "", 1 },
        { "one byte", false, "H", "", 1 },
        { "an interim answer", false, "HTTP/1.1 100 Continue\r\n\r\n", "", 1 },
        { "a blank", false, "\r\n", "", 1 },
        { "twice", false, NULL, NULL, 2 },
        { "a byte the second time", false, NULL, "H", 2 },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int newer = 0; newer < 2; newer++) {
            script s;
            CASE_BEGIN;
            begin(&s, newer);
            if (rows[i].fresh) script_connection(&s);
            script_request(&s);
            if (rows[i].first) script_say(&s, rows[i].first);
            script_end(&s);
            script_connection(&s);
            script_request(&s);
            if (rows[i].second && *rows[i].second) script_say(&s, rows[i].second);
            script_end(&s);
            script_connection(&s);
            tell_answer(&s, newer);
            chatgptt_options options = script_options(&s);
            if (rows[i].fresh) options.endpoint = "http://ajax.test/x";
            chatgptt_client *c = chatgptt_open(&options, NULL);
            outcome o = ask(c);
            CHECK(o.code < 0);
            CHECK_INT(s.opened, rows[i].opened + rows[i].fresh);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("%s, %s", rows[i].name, newer ? "newer" : "older");
        }
}

/* Repeated at home, then redirected to where another kept connection is closed: once is once. */
TEST(once_is_once_through_redirects)
{
    script s;
    begin(&s, false);                                   /* 0: at home */
    tell(&s, MOVED("307 Temporary Redirect", "http://other.test/x"));
    script_request(&s);
    script_end(&s);
    script_connection(&s);                              /* 1: there */
    tell(&s, answers[0]);
    script_request(&s);
    script_end(&s);
    script_connection(&s);                              /* 2: at home once more */
    tell(&s, MOVED("307 Temporary Redirect", "http://other.test/x"));
    script_connection(&s);                              /* 3: there, if the kept one is not used */
    tell(&s, answers[0]);
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    answered(&o);
    CHECK_INT(s.opened, 2);
    o = ask(c);
    CHECK_STR(s.peers[2].host, "site.test");
    if (script_count(&s, 1) == 2) CHECK_INT(o.code, CHATGPTT_E_CLOSED);
    else answered(&o);
    chatgptt_close(c);
    script_finish(&s);
}

/* The key is given out, then the site turns out to be of the other generation: it has the message already. */
TEST(a_key_in_hand_is_one_message)
{
    script s;
    begin(&s, true);
    tell(&s, key);
    tell(&s, UNKNOWN_ACTION);
    tell(&s, pages[0]);
    tell_answer(&s, false);                             /* must not be asked for */
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    CHECK(o.code < 0);
    CHECK_INT(s.far.arrivals, 1);
    chatgptt_close(c);
    script_finish(&s);
}

/* Its answer's token is refused, a fresh one is not given out, and the page is of the other generation. */
TEST(a_key_in_hand_and_no_answer)
{
    char page[400];
    script s;
    respond(page, sizeof page, "text/html", "<div data-nonce=\"fedcba9876\" data-post-id=\"5\"></div>");
    begin(&s, true);
    tell(&s, key);
    tell(&s, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n-1");
    tell(&s, UNKNOWN_ACTION);
    tell(&s, page);
    tell_answer(&s, false);                             /* must not be asked for */
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    CHECK_INT(o.code, CHATGPTT_E_STATUS);
    CHECK(strstr(o.error.message, "not sent twice") != NULL);
    CHECK_INT(s.far.arrivals, 1);
    chatgptt_close(c);
    script_finish(&s);
}

/* The same, found out by another stream: before the answer's GET, or while that waits. */
TEST(a_key_in_hand_while_another_learns)
{
    for (int waits = 0; waits < 2; waits++) {
        script s;
        CASE_BEGIN;
        begin(&s, true);
        script_request(&s);
        if (!waits) script_pause(&s, 50);
        script_say(&s, key);
        script_request(&s);
        if (waits) script_pause(&s, 50);
        script_say(&s, UNKNOWN_ACTION);
        tell(&s, pages[0]);
        tell_answer(&s, false);                         /* must not be asked for */
        script_connection(&s);
        tell(&s, UNKNOWN_ACTION);
        tell(&s, pages[0]);
        tell_answer(&s, false);
        chatgptt_client *c = open_on(&s);
        chatgptt_stream *first = start(c, "the first stream's message"), *second;
        CHECK_INT(drive(first), CHATGPTT_AGAIN);
        second = start(c, "the second stream's message");
        outcome o = take(c, second);
        answered(&o);
        CHECK_INT(s.far.arrivals, 3);                   /* one; and the second's by both generations */
        o = take(c, first);
        CHECK_INT(s.far.arrivals, 3);
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("the key comes %s the other generation is found", waits ? "before" : "after");
    }
}

/* ---- another's bytes ---- */

typedef enum behind { BEHIND_PAGE, BEHIND_KEY, BEHIND_ANSWER, BEHINDS } behind;
typedef enum packet { JOINED, NEXT_PACKET, LATER, PACKETS } packet;

static void tell_with_evil(script *s, const char *response, const char *bad, packet how)
{
    static char room[3000];
    script_request(s);
    snprintf(room, sizeof room, "%s%s", response, how == JOINED ? bad : "");
    script_say(s, room);
    if (how == LATER) script_pause(s, 3000);
    if (how != JOINED) script_say(s, bad);
}

/* What nobody asked for, behind a response on a connection that is kept: the next request goes elsewhere. */
TEST(unasked_bytes_are_no_answer)
{
    for (int where = 0; where < BEHINDS; where++)
        for (int how = 0; how < PACKETS; how++)
            for (int newer = where == BEHIND_KEY; newer < 2; newer++)
                for (int whole = 0; whole < 2; whole++) {
                    const char *bad = !whole ? "x" : where == BEHIND_KEY ? evil[0] : evil[newer];
                    script s;
                    /* a client that writes at once cannot tell what comes later from its answer */
                    if (how == LATER && where != BEHIND_ANSWER) continue;
                    CASE_BEGIN;
                    script_init(&s);
                    script_connection(&s);
                    if (where == BEHIND_PAGE)
                        tell_with_evil(&s, pages[newer], bad, (packet)how);
                    else tell(&s, pages[newer]);
                    if (where == BEHIND_KEY) tell_with_evil(&s, key, bad, (packet)how);
                    if (where == BEHIND_ANSWER && newer) tell(&s, key);
                    if (where == BEHIND_ANSWER)
                        tell_with_evil(&s, answers[newer], bad, (packet)how);
                    script_connection(&s);
                    if (where == BEHIND_KEY) tell(&s, answers[1]);
                    else tell_answer(&s, newer);
                    chatgptt_client *c = open_on(&s);
                    outcome o = ask(c);
                    answered(&o);
                    if (where == BEHIND_ANSWER) {
                        CHECK_INT(s.opened, 1);
                        script_advance(&s.peers[0]);    /* the pause begins now */
                        s.now += 5000;
                        o = ask(c);
                        answered(&o);
                    }
                    CHECK_INT(s.opened, 2);
                    CHECK_INT(script_count(&s, 0), where == BEHIND_ANSWER ? 2 + newer : where + 1);
                    chatgptt_close(c);
                    script_finish(&s);
                    CASE_END("%s, %s, %s, %s",
                             where == BEHIND_PAGE ? "page" : where == BEHIND_KEY ? "key" : "answer",
                             how == JOINED ? "joined" : how == LATER ? "later" : "next packet",
                             newer ? "newer" : "older", whole ? "a response" : "a byte");
                }
}

/* ---- freed memory ---- */

/* Every look at the clock costs a millisecond. */
static long long ticking(void *user) { ((script *)user)->now++; return script_now(user); }

/* A time-out at every moment of a page that is redirected names one of its hosts. */
TEST(a_time_out_at_every_moment)
{
    int ms = 1, done = 0;
    for (; ms < 1000 && !done; ms++)
        for (int idle = 0; idle < 2; idle++) {
            script s;
            CASE_BEGIN;
            script_init(&s);
            script_connection(&s);
            tell(&s, MOVED("302 Found", "http://www.site.test/a/rather/long/path/so/that/memory/moves"));
            script_connection(&s);
            tell(&s, MOVED("302 Found", "http://far.site.test/b"));
            script_connection(&s);
            tell(&s, pages[0]);
            tell_answer(&s, false);
            chatgptt_options options = script_options(&s);
            options.hooks.now_ms = ticking;
            *(idle ? &options.idle_timeout_ms : &options.total_timeout_ms) = ms;
            if (idle) options.connect_timeout_ms = ms;
            chatgptt_client *c = chatgptt_open(&options, NULL);
            outcome o = ask(c);
            if (o.code == CHATGPTT_DONE) done += !idle;
            else if (CHECK_INT(o.code, CHATGPTT_E_TIMEOUT))
                CHECK(strstr(o.error.message, "site.test") != NULL);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("%s time of %d ms: %s", idle ? "idle" : "total", ms, o.error.message);
        }
    CHECK(done && ms > 5);
}

/* ---- another's origin ---- */

static const char *saved_bytes(const chatgptt_client *c, size_t *len)
{
    static char bytes[1 << 16];
    *len = chatgptt_save(c, bytes, sizeof bytes);
    CHECK(*len > 0 && *len <= sizeof bytes);
    return bytes;
}

/* Two streams; the second's message is sent elsewhere: the first's repeat is not, nor any later message, nor
   what is saved. */
TEST(a_redirect_is_one_streams)
{
    char with_cookie[800], head[1000], value[200];
    size_t len;
    for (int newer = 0; newer < 2; newer++) {
        script s;
        CASE_BEGIN;
        len = chat_chunked(with_cookie, sizeof with_cookie - 6, "text/html",
                           "Set-Cookie: sid=c00kie42; Path=/\r\n", newer ? CHAT_NEW_PAGE : CHAT_OLD_PAGE);
        memcpy(with_cookie + len, CHAT_LAST, 6);
        script_init(&s);
        script_allow(&s, "site.test:80");               /* the key that the other gives out */
        script_connection(&s);                          /* 0: the first, closed without a byte */
        tell(&s, with_cookie);
        script_request(&s);
        script_pause(&s, 100);
        script_end(&s);
        script_connection(&s);                          /* 1: the second, redirected */
        tell(&s, MOVED("307 Temporary Redirect", "http://other.test/elsewhere"));
        if (newer) tell(&s, answers[1]);                /* its answer is asked for at home */
        tell_answer(&s, newer);                         /* the third may come here */
        script_connection(&s);                          /* 2: there */
        tell(&s, newer ? key : answers[0]);
        script_connection(&s);                          /* 3: the first once more; then the third */
        tell_answer(&s, newer);
        tell_answer(&s, newer);
        chatgptt_client *c = open_on(&s);
        chatgptt_stream *first = start(c, "the first stream's message");
        CHECK_INT(drive(first), CHATGPTT_AGAIN);
        chatgptt_stream *second = start(c, "the second stream's message");
        chatgptt_event event;
        chatgptt_code code;
        while ((code = chatgptt_next(second, &event)) == CHATGPTT_OK) continue;
        CHECK_INT(code, CHATGPTT_DONE);
        outcome o = take(c, first);
        answered(&o);
        chatgptt_finish(second);
        o = ask(c);
        answered(&o);
        CHECK_STR(s.peers[2].host, "other.test");
        for (int i = 0; i < s.opened; i++) {
            if (i == 2) continue;
            CHECK_STR(s.peers[i].host, "site.test");
            if (script_get(&s, i, 0, &(http_request){ 0 }))
                CHECK_STR(script_header(&s, i, i == 0, "Cookie", value, sizeof value), "sid=c00kie42");
        }
        CHECK(script_header(&s, 2, 0, "Cookie", value, sizeof value) == NULL);
        if (script_head(&s, 3, 0, head, sizeof head)) CHECK(strncmp(head, AJAX, sizeof AJAX - 1) == 0);
        const char *bytes = saved_bytes(c, &len);
        CHECK(!far_find(bytes, len, "other.test") && !far_find(bytes, len, "elsewhere"));
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s", newer ? "newer" : "older");
    }
}

/* A message's 307, an answer's 307, with a query: followed each time and forgotten; no request grows. */
TEST(redirects_do_not_pile_up)
{
    enum { MESSAGES = 5 };
    char head[2][1500];
    for (int kind = 0; kind < 3; kind++) {              /* older's message, newer's key, newer's answer */
        script s;
        CASE_BEGIN;
        bool newer = kind > 0;
        begin(&s, newer);
        for (int i = 0; i < MESSAGES; i++) {
            if (kind == 2) tell(&s, key);
            tell(&s, MOVED("307 Temporary Redirect", "/moved?x=1"));
            if (kind == 1) tell(&s, key);
            tell(&s, answers[newer]);
        }
        chatgptt_client *c = open_on(&s);
        int each = newer ? 3 : 2;
        for (int i = 0; i < MESSAGES; i++) {
            outcome o = ask(c);
            answered(&o);
            CHECK_INT(o.stats.requests, each + (i == 0));
        }
        CHECK_INT(s.opened, 1);
        CHECK_INT(script_count(&s, 0), 1 + each * MESSAGES);
        for (int i = 0; i < MESSAGES * each; i++) {
            memcpy(head[0], head[1], sizeof head[0]);
            if (!script_head(&s, 0, 1 + i, head[1], sizeof head[1])) break;
            if (i % each == 0) CHECK(strncmp(head[1], AJAX, sizeof AJAX - 1) == 0);
            if (i < each) continue;
            CHECK(script_head(&s, 0, 1 + i - each, head[0], sizeof head[0]) != NULL);
            CHECK_INT(strcspn(head[1], "\r"), strcspn(head[0], "\r"));
        }
        size_t len;
        const char *bytes = saved_bytes(c, &len);
        CHECK(!far_find(bytes, len, "moved"));
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s", kind == 0 ? "message" : kind == 1 ? "key" : "answer");
    }
}

/* A page that moved to www: after save and load each cookie goes to the host that set it. */
TEST(host_only_cookies_stay_after_load)
{
    static char bytes[1 << 16];
    char page[900], value[200];
    size_t len = chat_chunked(page, sizeof page - 6, "text/html", "Set-Cookie: w=www55555; Path=/\r\n",
                              CHAT_OLD_PAGE);
    memcpy(page + len, CHAT_LAST, 6);
    script s;
    script_init(&s);
    script_connection(&s);
    tell(&s, MOVED("301 Moved Permanently",
                   "http://www.site.test/chat\r\nSet-Cookie: home=only7777; Path=/"));
    script_connection(&s);
    tell(&s, page);
    tell_answer(&s, false);
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    answered(&o);
    CHECK_STR(s.peers[1].host, "www.site.test");
    CHECK_STR(script_header(&s, 1, 1, "Cookie", value, sizeof value), "w=www55555");
    len = chatgptt_save(c, bytes, sizeof bytes);
    chatgptt_close(c);
    script_finish(&s);

    script_init(&s);
    script_cookie(&s, "home=only7777", "site.test");
    script_cookie(&s, "w=www55555", "www.site.test");
    script_connection(&s);
    tell(&s, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n");
    script_end(&s);
    script_connection(&s);                              /* the page is read anew */
    tell(&s, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    c = open_on(&s);
    CHECK_INT(chatgptt_load(c, bytes, len), CHATGPTT_OK);
    o = ask(c);
    CHECK(o.code < 0);
    CHECK_STR(s.peers[0].host, "www.site.test");
    CHECK_STR(script_header(&s, 0, 0, "Cookie", value, sizeof value), "w=www55555");
    CHECK_INT(s.opened, 2);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- secrets in errors ---- */

/* Addresses with everything wrong that can be; ~ stands for 5,000 letters. `host`: it is host.test. */
static const struct { const char *url; bool host;
} addresses[] = {
    { "http://user:S3CRETpw@host.test:99999/x", true },
    { "http://user:S3CRETpw@host.test:0x/", true },
    { "http://S3CRETus@host.test:99999/", true },
    { "ftp://user:S3CRETpw@host.test/", true },
    { "http://user:S3CRETpw@host.test/", true },
    { "http://user:S3CRETpw@host.test/~", true },
    { "http://user:S3CRETpw@~/", false },
    { "http://user:S3CRETpw@host.test/\x01", true },
    { "http://user:S3CRETpw\x01@host.test/", false },
    { "http://user:S3CRETpw@/", false },
    { "http://user:S3CRETpw@[::1/", false },
    { "http://user:S3CRETpw@[fe80::1%25eth0]/", false },
    { "http:user:S3CRETpw@host.test", false },
    { "http://host.test:99999/p?nonce=S3CRETno", true },
    { "http://host.test:99999/S3CRETpath/", true },
    { "ftp://host.test/?cache_key=S3CRETkey", true },
    { "http://host.test/~?nonce=S3CRETno", true },
    { "http://host.test/?S3CRETq=~", true },
    { "http://host.test/\x01?nonce=S3CRETno", true },
    { "http://host.test:1:2/?nonce=S3CRETno", false },
    { "http://ho st.test/?nonce=S3CRETno", false },
    { "S3CRETscheme://host.test/", false },
};

static const char *address(size_t row)
{
    static char out[5200];
    const char *mark = strchr(addresses[row].url, '~');
    size_t at = mark ? (size_t)(mark - addresses[row].url) : 0;
    if (!mark) return addresses[row].url;
    memcpy(out, addresses[row].url, at);
    memset(out + at, 'a', 5000);
    snprintf(out + at + 5000, sizeof out - at - 5000, "%s", mark + 1);
    return out;
}

static void check_tells_no_secret(const char *where, const chatgptt_error *error, size_t row, bool host)
{
    if (!strstr(error->message, "S3CRET") && (!host || strstr(error->message, "host.test"))) return;
    check_fail(__FILE__, __LINE__, "%s, \"%.60s\": \"%s\"%s", where, addresses[row].url, error->message,
               strstr(error->message, "S3CRET") ? "" : " names no host");
}

TEST(options_tell_no_secret)
{
    static const char *const names[] = { "url", "endpoint", "proxy" };
    for (size_t i = 0; i < ROWS(addresses); i++)
        for (int which = 0; which < 3; which++) {
            script s;
            chatgptt_error error;
            memset(&error, 0, sizeof error);
            script_init(&s);
            script_connection(&s);
            script_refuse(&s, CHATGPTT_E_CONNECT);
            chatgptt_options options = script_options(&s);
            *(which == 0 ? &options.url : which == 1 ? &options.endpoint : &options.proxy) = address(i);
            chatgptt_client *c = chatgptt_open(&options, &error);
            if (c) {
                outcome o = ask(c);
                CHECK(o.code < 0);
                error = o.error;
            }
            /* a proxy may be what its scheme says or have a login */
            check_tells_no_secret(names[which], &error, i,
                                  addresses[i].host && error.code != CHATGPTT_E_UNSUPPORTED && !c);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* In a Location: of the page, of the message, where it is followed (307) and where not (302, 303, 301). */
TEST(redirects_tell_no_secret)
{
    static const char *const statuses[] = { "301 Moved", "302 Found", "303 See Other",
                                            "307 Temporary Redirect", "308 Permanent Redirect" };
    static char room[7000];
    for (size_t i = 0; i < ROWS(addresses); i++)
        for (size_t status = 0; status < ROWS(statuses); status++)
            for (int page = 0; page < 2; page++) {
                script s;
                snprintf(room, sizeof room, "HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                         statuses[status], address(i));
                script_init(&s);
                script_connection(&s);
                if (!page) tell(&s, pages[0]);
                tell(&s, room);
                script_end(&s);
                script_connection(&s);
                script_refuse(&s, CHATGPTT_E_CONNECT);
                chatgptt_client *c = open_on(&s);
                outcome o = ask(c);
                CHECK(o.code < 0);
                check_tells_no_secret(page ? "page's Location" : "message's Location", &o.error, i, false);
                CHECK(strstr(o.error.message, ".test") || o.code == CHATGPTT_E_LIMIT);
                chatgptt_close(c);
                script_finish(&s);
            }
}

/* In what a page names as its endpoint. */
TEST(endpoints_tell_no_secret)
{
    static char body[7000], response[8000];
    for (size_t i = 0; i < ROWS(addresses); i++) {
        script s;
        if (strchr(addresses[i].url, 1)) continue;
        snprintf(body, sizeof body,
                 CHAT_OLD_PAGE "<script>var wpaicgParams = {\"ajax_url\":\"%s\"};</script>", address(i));
        respond(response, sizeof response, "text/html", body);
        script_init(&s);
        script_connection(&s);
        tell(&s, response);
        script_request(&s);
        script_end(&s);
        script_connection(&s);
        script_refuse(&s, CHATGPTT_E_CONNECT);
        script_connection(&s);
        script_refuse(&s, CHATGPTT_E_CONNECT);
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        CHECK(o.code < 0);
        check_tells_no_secret("page's endpoint", &o.error, i, false);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* ---- wrong words ---- */

#define USER(text) { CHATGPTT_USER, text, 0 }
#define MODEL(text) { CHATGPTT_ASSISTANT, text, 0 }
#define SYSTEM(text) { CHATGPTT_SYSTEM, text, 0 }

TEST(a_conversation_ends_with_the_users_words)
{
    static const struct { chatgptt_message m[3]; size_t count; bool good;
    } rows[] = {
        { { USER("question"), MODEL("the assistant's"), SYSTEM("be kind") }, 3, false },
        { { USER("question"), MODEL("the assistant's"), USER("  ") }, 3, false },
        { { USER("question"), MODEL("the assistant's"), USER("\xE2\x80\x83\n") }, 3, false },
        { { USER("question"), MODEL("the assistant's"), MODEL("more") }, 3, false },
        { { SYSTEM("be kind"), USER("question"), MODEL("the assistant's") }, 3, false },
        { { USER("question"), MODEL("the assistant's"), USER("and then?") }, 3, true },
        { { SYSTEM("be kind"), USER("question"), USER("") }, 2, true },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int newer = 0; newer < 2; newer++)
            for (int warm = 0; warm < 2; warm++) {
                script s;
                CASE_BEGIN;
                chatgptt_conversation conversation;
                chatgptt_request request;
                begin(&s, newer);
                tell_answer(&s, newer);
                tell_answer(&s, newer);
                chatgptt_client *c = open_on(&s);
                outcome o;
                if (warm) { o = ask(c); answered(&o); }
                memset(&conversation, 0, sizeof conversation);
                memset(&request, 0, sizeof request);
                request.messages = rows[i].m, request.num_messages = rows[i].count;
                request.conversation = &conversation;
                int before = s.opened, requests = script_count(&s, 0);
                o = take(c, chatgptt_start(c, &request));
                if (rows[i].good) answered(&o);
                else {
                    CHECK_INT(o.code, CHATGPTT_E_ARGUMENT);
                    CHECK_INT(s.opened, before);
                    CHECK_INT(script_count(&s, 0), requests);
                }
                chatgptt_close(c);
                script_finish(&s);
                CASE_END("row %zu, %s, %s", i, newer ? "newer" : "older", warm ? "warm" : "cold");
            }
}

/* ---- time ---- */

/* The idle time is none of connecting's; nothing but the total time counts before anything was tried. */
TEST(idle_time_begins_behind_connecting)
{
    static const struct {
        int before, connect, connect_ms, idle_ms, total_ms;
        chatgptt_code code;
        long long ends;
        const char *name;
    } rows[] = {
        { 0, 1000, 5000, 300, 0, CHATGPTT_DONE, 2000, "" },
        { 0, 14999, 0, 1, 0, CHATGPTT_DONE, 15999, "" },
        { 0, 1000, -1, 300, 0, CHATGPTT_DONE, 2000, "" },
        { 0, -1, 700, 300, 0, CHATGPTT_E_TIMEOUT, 1700, "connect_timeout_ms" },
        { 0, -1, -1, 300, 5000, CHATGPTT_E_TIMEOUT, 6000, "total_timeout_ms" },
        { 200000, 0, 0, 0, 0, CHATGPTT_DONE, 201000, "" },
        { 200000, 10, 700, 300, 0, CHATGPTT_DONE, 201010, "" },
        { 200000, -1, 700, 300, 0, CHATGPTT_E_TIMEOUT, 201700, "connect_timeout_ms" },
        { 700000, 0, 0, 0, 0, CHATGPTT_E_TIMEOUT, 701000, "total_timeout_ms" },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int blind = 0; blind < 2; blind++) {
            script s;
            CASE_BEGIN;
            script_init(&s);
            script_connection(&s);
            script_connect(&s, rows[i].connect);
            tell(&s, pages[0]);
            tell_answer(&s, false);
            s.no_descriptors = blind;
            chatgptt_options options = script_options(&s);
            options.connect_timeout_ms = rows[i].connect_ms;
            options.idle_timeout_ms = rows[i].idle_ms;
            options.total_timeout_ms = rows[i].total_ms;
            chatgptt_client *c = chatgptt_open(&options, NULL);
            chatgptt_stream *stream = start(c, "a message like any other");
            s.now += rows[i].before;                    /* the caller takes its time */
            outcome o = take(c, stream);
            CHECK_INT(o.code, rows[i].code);
            CHECK_INT(s.now, rows[i].ends);
            CHECK(strstr(o.error.message, rows[i].name) != NULL);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("row %zu: %s", i, o.error.message);
        }
}

/* A byte in either direction begins it anew: a request that goes out in drops, then a slow answer. */
TEST(idle_time_counts_from_the_last_byte)
{
    for (int slow = 0; slow < 2; slow++) {
        script s;
        CASE_BEGIN;
        script_init(&s);
        script_connection(&s);
        script_connect(&s, 50);
        for (int i = 0; i < 4; i++) {
            script_accept(&s, 20);
            script_connect(&s, slow && i == 3 ? 600 : 400);
        }
        script_request(&s);
        script_pause(&s, 450);
        script_say(&s, pages[0]);
        script_request(&s);
        script_pause(&s, 450);
        script_say(&s, answers[0]);
        chatgptt_options options = script_options(&s);
        options.idle_timeout_ms = 500;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o = ask(c);
        CHECK_INT(o.code, slow ? CHATGPTT_E_TIMEOUT : CHATGPTT_DONE);
        CHECK_INT(s.now, slow ? 1050 + 1200 + 500 : 1050 + 1600 + 900);
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s: %s", slow ? "too slow" : "slow", o.error.message);
    }
}

/* Asking a proxy for a tunnel is connecting. */
TEST(a_tunnel_is_part_of_connecting)
{
#ifdef CHATGPTT_NO_TLS
    SKIP("built without TLS");
#endif
    for (int idle = 0; idle < 2; idle++) {
        script s;
        CASE_BEGIN;
        script_init(&s);
        script_connection(&s);
        script_connect(&s, 50);
        script_request(&s);
        chatgptt_options options = script_options(&s);
        options.url = "https://site.test/", options.proxy = "http://proxy.test:3128", options.insecure = true;
        options.connect_timeout_ms = 700;
        options.idle_timeout_ms = idle ? 300 : 0;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o = ask(c);
        CHECK_INT(o.code, CHATGPTT_E_TIMEOUT);
        CHECK_INT(s.now, 1700);
        CHECK(strstr(o.error.message, "connect_timeout_ms") && strstr(o.error.message, "proxy.test"));
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s", o.error.message);
    }
}

/* The end of the last answer is still to come: it is waited for, not asked for again and again. */
TEST(a_check_waits)
{
    for (int kind = 0; kind < 4; kind++) {
        bool blind = kind & 1, never = kind & 2;
        static char most[1000];
        script s;
        CASE_BEGIN;
        chatgptt_event event;
        chatgptt_code code;
        int zeros = 0, turns = 0;
        begin(&s, false);
        script_request(&s);
        snprintf(most, sizeof most, "%.*s", (int)(strlen(answers[0]) - strlen(CHAT_LAST)), answers[0]);
        script_say(&s, most);
        script_pause(&s, never ? -1 : 100);
        script_say(&s, CHAT_LAST);
        tell_answer(&s, false);
        script_connection(&s);
        tell_answer(&s, false);
        s.no_descriptors = blind;
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        answered(&o);
        chatgptt_stream *stream = start(c, "the second message of all");
        while ((code = chatgptt_step(stream, &event)) == CHATGPTT_AGAIN || code == CHATGPTT_OK) {
            if (!CHECK(turns++ < 100)) break;
            if (code == CHATGPTT_OK) continue;
            chatgptt_wait want = chatgptt_want(stream);
            zeros += want.timeout_ms == 0;
            if (script_wait(&s, &want) < 0) break;
        }
        CHECK_INT(code, CHATGPTT_DONE);
        CHECK(zeros <= 2);
        CHECK_INT(s.opened, never ? 2 : 1);
        chatgptt_finish(stream);
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s, %s: %d waits of 0 ms in %d turns", blind ? "no descriptors" : "descriptors",
                 never ? "it never comes" : "it comes", zeros, turns);
    }
}

/* The same, by a stream that has bytes left from what came before: they are no reason to hurry. */
TEST(a_check_waits_with_bytes_left)
{
    static char most[1000], more[1000];
    script s;
    chatgptt_event event;
    chatgptt_code code;
    int zeros = 0, turns = 0;
    snprintf(most, sizeof most, "%.*s", (int)(strlen(answers[0]) - strlen(CHAT_LAST)), answers[0]);
    snprintf(more, sizeof more, "%sx", pages[0]);
    script_init(&s);
    script_connection(&s);                              /* 0: the first's page */
    script_request(&s);
    script_pause(&s, 20);
    script_say(&s, pages[0]);
    script_connection(&s);                              /* 1: the second's, with a byte too many */
    script_request(&s);
    script_pause(&s, 50);
    script_say(&s, more);
    script_connection(&s);                              /* 2: the first's answer, whose end comes late */
    script_request(&s);
    script_say(&s, most);
    script_pause(&s, 150);
    script_say(&s, CHAT_LAST);
    tell_answer(&s, false);
    chatgptt_options options = script_options(&s);
    options.endpoint = "http://ajax.test/x";
    chatgptt_client *c = chatgptt_open(&options, NULL);
    chatgptt_stream *first = start(c, "the first stream's message"),
                    *second = start(c, "the second stream's message");
    CHECK_INT(drive(first), CHATGPTT_AGAIN);
    CHECK_INT(drive(second), CHATGPTT_AGAIN);
    outcome o = take(c, first);
    answered(&o);
    while ((code = chatgptt_step(second, &event)) == CHATGPTT_AGAIN || code == CHATGPTT_OK) {
        if (!CHECK(turns++ < 300)) break;
        if (code == CHATGPTT_OK) continue;
        chatgptt_wait want = chatgptt_want(second);
        zeros += want.timeout_ms == 0;
        if (script_wait(&s, &want) < 0) break;
    }
    CHECK_INT(code, CHATGPTT_DONE);
    CHECK(zeros <= 3);
    CHECK_INT(s.opened, 3);
    chatgptt_finish(second);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- load: records put in, taken out, changed ---- */

static unsigned long long sum_of(const char *bytes, size_t len)
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < len; i++) sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001B3ull;
    return sum >> 1;
}

static size_t put_record(char *out, char tag, const char *value, size_t len)
{
    out[0] = tag;
    for (int i = 0; i < 4; i++) out[1 + i] = (char)(unsigned char)(len >> (8 * i));
    memcpy(out + 5, value, len);
    return len + 5;
}

/* The state with the records of the tags changed, the checksum with them. Value NULL: as it was. */
static size_t edit(char *out, const char *in, size_t len, const char *home, const char *page,
                   const char *endpoint) {
    size_t at = 8, n = 8;
    char sum[24];
    memcpy(out, in, 8);
    while (at + 5 <= len) {
        const unsigned char *b = (const unsigned char *)in + at;
        size_t size = b[1] | (size_t)b[2] << 8 | (size_t)b[3] << 16 | (size_t)b[4] << 24;
        const char *value = in[at] == 'h' ? home : in[at] == 'p' ? page : in[at] == 'e' ? endpoint : NULL;
        if (in[at] == '.') break;
        n += value ? put_record(out + n, in[at], value, strlen(value))
                   : put_record(out + n, in[at], in + at + 5, size);
        at += 5 + size;
    }
    int digits = snprintf(sum, sizeof sum, "%llu", sum_of(out, n));
    return n + put_record(out + n, '.', sum, (size_t)digits);
}

/* A state of this page, as save() writes it. */
static size_t make_state(char *out, size_t size, bool newer)
{
    script s;
    begin(&s, newer);
    tell_answer(&s, newer);
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    answered(&o);
    size_t len = chatgptt_save(c, out, size);
    chatgptt_close(c);
    script_finish(&s);
    return len;
}

TEST(load_refuses_what_no_page_named)
{
    static const struct { const char *home, *page, *endpoint; bool good;
    } rows[] = {
        { NULL, NULL, NULL, true },
        { "https://site.test/", "https://site.test/", "https://site.test/wp-admin/admin-ajax.php", true },
        { "https://site.test/", "http://site.test/", "https://site.test/wp-admin/admin-ajax.php", false },
        { "https://site.test/", "https://site.test/", "http://site.test/wp-admin/admin-ajax.php", false },
        { "https://site.test/", "http://site.test/", "http://site.test/wp-admin/admin-ajax.php", false },
        { "https://site.test/", "https://site.test/", "https://evil.test/wp-admin/admin-ajax.php", false },
        { "https://site.test/", "https://site.test/", "http://evil.test/x", false },
        { "https://site.test/", "http://evil.test/", "http://evil.test/x", false },
    };
    static char state[1 << 16], edited[1 << 16], before[1 << 16], after[1 << 16];
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int newer = 0; newer < 2; newer++) {
            script s;
            CASE_BEGIN;
#ifdef CHATGPTT_NO_TLS
            if (i > 0) SKIP("built without TLS");
#endif
            size_t len = make_state(state, sizeof state, newer);
            len = edit(edited, state, len, rows[i].home, rows[i].page, rows[i].endpoint);
            script_init(&s);
            chatgptt_options options = script_options(&s);
            if (rows[i].home) options.url = rows[i].home;
            options.insecure = true;
            chatgptt_client *c = chatgptt_open(&options, NULL);
            size_t was = chatgptt_save(c, before, sizeof before);
            CHECK_INT(chatgptt_load(c, edited, len), rows[i].good ? CHATGPTT_OK : CHATGPTT_E_ARGUMENT);
            size_t is = chatgptt_save(c, after, sizeof after);
            if (rows[i].good) CHECK(is > was);
            else CHECK_MEM(after, is, before, was);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("row %zu, %s", i, newer ? "newer" : "older");
        }
}

TEST(save_says_why_not)
{
    char small[10];
    script s;
    begin(&s, false);
    tell_answer(&s, false);
    chatgptt_client *c = open_on(&s);
    outcome o = ask(c);
    answered(&o);
    memset(small, 'x', sizeof small);
    CHECK(chatgptt_save(c, small, sizeof small) > sizeof small);        /* too small: it says how much */
    CHECK_MEM(small, sizeof small, "xxxxxxxxxx", sizeof small);
    CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_OK);
    for (long n = 1; n < 20; n++) {
        s.fail_from = s.allocations + n;
        size_t len = chatgptt_save(c, NULL, 0);
        bool failed = s.allocations >= s.fail_from;
        s.fail_from = 0;
        if (!failed) break;
        CHECK_INT(len, 0);
        CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_E_MEMORY);
        CHECK(chatgptt_client_error(c)->message[0] != '\0');
    }
    CHECK(chatgptt_save(c, NULL, 0) > 0);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- handles ---- */

TEST(thousands_of_streams_end_in_any_order)
{
    enum { MANY = 3000 };
    static chatgptt_stream *streams[MANY];
    for (int order = 0; order < 4; order++) {
        script s;
        unsigned x = 1;
        begin(&s, false);
        tell_answer(&s, false);
        chatgptt_client *c = open_on(&s);
        for (int i = 0; i < MANY; i++) streams[i] = start(c, "one of very many messages");
        for (int i = 0; i < MANY; i++) {
            x = x * 1103515245u + 12345;
            int at = order == 0 ? i : order == 1 ? MANY - 1 - i : i + (int)(x >> 8) % (MANY - i);
            if (order == 3 && i > MANY / 2) break;      /* close() ends the rest */
            chatgptt_stream *chosen = streams[at];
            if (order > 1) streams[at] = streams[i];
            chatgptt_finish(chosen);
        }
        outcome o = ask(c);
        answered(&o);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Through redirects, a kept connection that is closed, and a fresh one. */
TEST(the_generation_follows_the_descriptor)
{
    script s;
    chatgptt_event event;
    chatgptt_code code;
    int changes = 0;
    script_init(&s);
    script_connection(&s);
    tell(&s, MOVED("302 Found", "http://www.site.test/"));
    script_connection(&s);
    script_connect(&s, 20);
    tell(&s, pages[0]);
    script_request(&s);
    script_end(&s);
    script_connection(&s);
    script_connect(&s, 20);
    tell_answer(&s, false);
    s.read_max = 60;
    chatgptt_client *c = open_on(&s);
    chatgptt_stream *stream = start(c, "a message like any other");
    chatgptt_wait last = chatgptt_want(stream);
    do {
        code = chatgptt_step(stream, &event);
        chatgptt_wait want = chatgptt_want(stream);
        bool other = want.count != last.count || (want.count && want.on[0].fd != last.on[0].fd);
        CHECK(other ? want.generation > last.generation : want.generation >= last.generation);
        changes += other;
        last = want;
        if (code == CHATGPTT_AGAIN && script_wait(&s, &want) < 0) break;
    } while (code == CHATGPTT_AGAIN || code == CHATGPTT_OK);
    CHECK_INT(code, CHATGPTT_DONE);
    CHECK(changes >= 3);
    chatgptt_finish(stream);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- redirects ---- */

/* What is followed, of the page and of the message: a message is repeated where its way is kept (307, 308),
   and never turned into a GET that loses it. */
TEST(what_is_followed)
{
    for (int status = 300; status < 311; status++)
        for (int page = 0; page < 2; page++) {
            bool redirect = (status > 300 && status < 304) || status == 307 || status == 308;
            bool followed = redirect && (page || status > 303);
            char moved[100];
            script s;
            CASE_BEGIN;
            snprintf(moved, sizeof moved, MOVED("%d Elsewhere", "/there"), status);
            script_init(&s);
            script_connection(&s);
            if (!page) tell(&s, pages[0]);
            tell(&s, moved);
            if (page) tell(&s, pages[0]);
            tell(&s, answers[0]);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            if (followed) answered(&o);
            else CHECK(o.code < 0);
            CHECK_INT(o.stats.requests, followed ? 3 : 1 + !page);
            if (redirect && !followed) CHECK(strstr(o.error.message, "the message would be lost") != NULL);
            else if (!followed) CHECK(strstr(o.error.message, "redirects") == NULL);
            chatgptt_close(c);
            script_finish(&s);
            CASE_END("%d for the %s", status, page ? "page" : "message");
        }
}

#define NO_LENGTH "Connection: close\r\n\r\n"
TEST(a_redirect_to_nowhere)
{
    for (int page = 0; page < 2; page++) {
        script s;
        script_init(&s);
        script_connection(&s);
        if (!page) tell(&s, pages[0]);
        tell(&s, page ? "HTTP/1.1 302 Found\r\n" NO_LENGTH : "HTTP/1.1 307 Moved\r\n" NO_LENGTH);
        script_end(&s);
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        CHECK_INT(o.code, CHATGPTT_E_STATUS);
        CHECK_STR(o.error.message, "site.test redirects: nowhere, since Location is missing or longer than "
                  "CHATGPTT_MAX_VALUE");
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* What a redirect's head says of its body says nothing of the answer's. */
TEST(a_redirect_has_a_type_of_its_own)
{
    static const char *const types[] = { "Content-Type: text/event-stream\r\n",
                                         "Content-Type: image/png\r\n", "cf-mitigated: challenge\r\n",
                                         "Content-Encoding: gzip\r\n", "" };
    static const char *const bodies[] = { "{\"status\":\"success\",\"data\":\"" CHAT_ANSWER "\"}",
                                          CHAT_OLD_ANSWER };
    for (size_t i = 0; i < 2 * ROWS(types); i++) {
        const char *type = types[i / 2], *body = bodies[i % 2];
        char moved[200], plain[1000];
        script s;
        CASE_BEGIN;
        snprintf(moved, sizeof moved, "HTTP/1.1 307 Elsewhere\r\nLocation: /there\r\n%s"
                 "Content-Length: 0\r\n\r\n", type);
        snprintf(plain, sizeof plain, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
        begin(&s, false);
        tell(&s, moved);
        tell(&s, plain);
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        answered(&o);
        chatgptt_close(c);
        script_finish(&s);
        CASE_END("%s before %s", type, body);
    }
}

/* ---- what is told of it all ---- */

/* A status is told with the site's words, be they one letter, and without a colon if there are none. */
TEST(a_status_in_words)
{
    static const struct { const char *body, *page, *message; } rows[] = {
        { "", "site.test does not give the page (status 500)",
          "site.test does not take the message (status 500)" },
        { "x", "site.test does not give the page (status 500): x",
          "site.test does not take the message (status 500): x" },
        { "<p>No.", "site.test does not give the page (status 500): No.",
          "site.test does not take the message (status 500): No." },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int page = 0; page < 2; page++) {
            char response[200];
            script s;
            snprintf(response, sizeof response, "HTTP/1.1 500 Oops\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(rows[i].body), rows[i].body);
            script_init(&s);
            script_connection(&s);
            if (!page) tell(&s, pages[0]);
            tell(&s, response);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            CHECK_INT(o.code, CHATGPTT_E_STATUS);
            CHECK_INT(o.error.http_status, 500);
            CHECK_STR(o.error.message, page ? rows[i].page : rows[i].message);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* 203 is a success, as 200 is; other statuses are none, whatever comes with them. */
TEST(statuses_of_success)
{
    for (int status = 200; status < 208; status++)
        for (int page = 0; page < 2; page++) {
            char changed[2000];
            script s;
            const char *whole = page ? pages[0] : answers[0];
            if (status == 204) continue;                    /* it has no body */
            snprintf(changed, sizeof changed, "HTTP/1.1 %d X%s", status, whole + strlen("HTTP/1.1 200 OK"));
            script_init(&s);
            script_connection(&s);
            if (!page) tell(&s, pages[0]);
            tell(&s, changed);
            if (page) tell(&s, answers[0]);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            if (status == 200 || status == 203) answered(&o);
            else CHECK_INT(o.code, CHATGPTT_E_STATUS);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* How much of an answer came before it broke off. */
TEST(a_cut_answer_in_words)
{
    for (int status = 0; status < 2; status++) {
        char cut[1000];
        script s;
        snprintf(cut, sizeof cut, "%s", answers[0]);
        *strstr(cut, "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{}") = '\0';
        begin(&s, false);
        tell(&s, cut);
        if (status) script_fail(&s, ALL, CHATGPTT_E_IO);
        else script_end(&s);
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        CHECK_INT(o.code, CHATGPTT_E_INCOMPLETE);
        CHECK_STR(o.text, CHAT_ANSWER);
        CHECK_STR(o.error.message, "the answer of site.test broke off after 12 bytes");
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* A silent second: the caller has its say every 100 ms, and is not woken more often. */
static int ticks;
static int count_tick(void *user) { (void)user; ticks++; return 0; }

TEST(ticks_of_a_silent_second)
{
    for (int ticking = 0; ticking < 2; ticking++) {
        script s;
        chatgptt_request request;
        script_init(&s);
        script_connection(&s);
        tell(&s, pages[0]);
        script_request(&s);
        script_pause(&s, 1000);
        script_say(&s, answers[0]);
        chatgptt_client *c = open_on(&s);
        memset(&request, 0, sizeof request);
        request.prompt = "a message like any other";
        if (ticking) request.on_tick = count_tick;
        ticks = 0;
        CHECK_INT(chatgptt_chat(c, &request, NULL, NULL), CHATGPTT_DONE);
        CHECK_INT(s.now, 2000);
        CHECK(ticking ? s.waits == 10 && ticks >= 10 : s.waits == 1 && ticks == 0);
        if (check_now.bad) printf("    %d waits, %d ticks\n", s.waits, ticks);
        chatgptt_close(c);
        script_finish(&s);
    }
}

static char traced[1000];

static void note_trace(void *user, const char *what, const char *text, size_t len)
{
    (void)user;
    snprintf(traced + strlen(traced), sizeof traced - strlen(traced), "%s %.*s\n", what, (int)len, text);
}

TEST(a_trace_tells_each_step)
{
    script s;
    script_init(&s);
    script_connection(&s);
    script_connect(&s, 40);
    tell(&s, MOVED("302 Found", "/chat?secret"));
    tell(&s, pages[1]);
    tell(&s, key);
    tell(&s, answers[1]);
    script_request(&s);
    script_end(&s);
    script_connection(&s);
    script_connect(&s, 30);
    tell_answer(&s, true);
    chatgptt_options options = script_options(&s);
    options.hooks.trace = note_trace;
    traced[0] = '\0';
    chatgptt_client *c = chatgptt_open(&options, NULL);
    outcome o = ask(c);
    answered(&o);
    CHECK_STR(traced, "connect site.test\nrequest GET http://site.test/\nstatus 302\n"
              "redirect http://site.test\nrequest GET http://site.test/chat\nstatus 200\n"
              "request POST http://site.test/wp-admin/admin-ajax.php\nstatus 200\n"
              "request GET http://site.test/wp-admin/admin-ajax.php\nstatus 200\nend DONE\n");
    CHECK_INT(o.stats.resolve_ms, -1);                      /* a transport of one's own looks nothing up */
    CHECK_INT(o.stats.connect_ms, 40);
    CHECK_INT(o.stats.tls_ms, -1);
    CHECK_INT(o.stats.page_ms, 40);
    CHECK_INT(o.stats.requests, 4);
    CHECK_INT(o.stats.connections, 1);
    CHECK(!o.stats.resumed);
    traced[0] = '\0';
    o = ask(c);
    answered(&o);
    CHECK_STR(traced, "request POST http://site.test/wp-admin/admin-ajax.php\n"
              "retry the kept connection was closed\nconnect site.test\n"
              "request POST http://site.test/wp-admin/admin-ajax.php\nstatus 200\n"
              "request GET http://site.test/wp-admin/admin-ajax.php\nstatus 200\nend DONE\n");
    CHECK_INT(o.stats.connect_ms, 30);
    CHECK_INT(o.stats.page_ms, -1);
    CHECK_INT(o.stats.requests, 3);
    CHECK_INT(o.stats.connections, 1);
    CHECK(o.stats.reused);
    chatgptt_close(c);
    script_finish(&s);
}

/* Before the first step, and when a connection could not be made, there is no descriptor. */
TEST(nothing_to_wait_on)
{
    script s;
    chatgptt_event event;
    script_init(&s);
    script_connection(&s);
    script_refuse(&s, CHATGPTT_E_CONNECT);
    chatgptt_client *c = open_on(&s);
    chatgptt_stream *stream = start(c, "a message like any other");
    for (int i = 0; i < 3; i++) {
        chatgptt_wait want = chatgptt_want(stream);
        CHECK_INT(want.count, 0);
        CHECK_INT(want.timeout_ms, 0);
        CHECK_INT(chatgptt_step(stream, &event), CHATGPTT_E_CONNECT);
    }
    chatgptt_finish(stream);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- transports that are odd, but may be ---- */

/* Generations that every connection counts for itself, the first far ahead. */
static chatgptt_wait want_own_generation(void *user, void *conn)
{
    script *s = (script *)user;
    chatgptt_wait w = script_want(user, conn);
    w.generation = conn == &s->peers[0] ? 70 : 1;
    return w;
}

TEST(generations_of_each_connection_add_up)
{
    script s;
    chatgptt_event event;
    chatgptt_code code;
    unsigned first = 0, last = 0;
    script_init(&s);
    script_connection(&s);
    tell(&s, MOVED("302 Found", "http://www.site.test/"));
    script_connection(&s);
    tell(&s, pages[0]);
    tell(&s, answers[0]);
    s.read_max = 60;
    chatgptt_options options = script_options(&s);
    options.transport.want = want_own_generation;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    chatgptt_stream *stream = start(c, "a message like any other");
    do {
        code = chatgptt_step(stream, &event);
        chatgptt_wait want = chatgptt_want(stream);
        CHECK(want.generation >= last);
        if (want.count && want.on[0].fd == SCRIPT_FIRST_FD) first = want.generation;
        else if (want.count) CHECK(want.generation > first);
        last = want.generation;
        if (code == CHATGPTT_AGAIN && script_wait(&s, &want) < 0) break;
    } while (code == CHATGPTT_AGAIN || code == CHATGPTT_OK);
    CHECK_INT(code, CHATGPTT_DONE);
    CHECK(first >= 70);
    chatgptt_finish(stream);
    chatgptt_close(c);
    script_finish(&s);
}

static int empty_calls;

/* Writes say that the peer has gone while it has something to say. */
static chatgptt_code write_until_answered(void *user, void *conn, const void *bytes, size_t size,
                                          size_t *done)
{
    script_peer *peer = (script_peer *)conn;
    const script_act *act = script_advance(peer);
    *done = 0;
    if (act && act->kind == SCRIPT_SEND) return script_did(peer, CHATGPTT_WRITE, CHATGPTT_E_CLOSED);
    return script_write(user, conn, bytes, size, done);
}

/* A server that has read enough answers and hangs up: its words count, not how the rest of the message fared.
   */
TEST(an_answer_outlives_a_failed_write)
{
    for (int kept = 0; kept < 2; kept++) {
        script s;
        begin(&s, false);
        if (!kept) { script_end(&s); script_connection(&s); }
        script_accept(&s, 60);
        script_say(&s, "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/html\r\n"
                       "Content-Length: 16\r\n\r\n<p>Too long.</p>");
        chatgptt_options options = script_options(&s);
        options.transport.write = write_until_answered;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o = ask(c);
        CHECK_INT(o.code, CHATGPTT_E_STATUS);
        CHECK_INT(o.error.http_status, 413);
        CHECK_INT(s.opened, kept ? 1 : 2);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Every second call says OK of no byte. */
static chatgptt_code read_nothing_first(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    if (empty_calls++ % 2) return script_read(user, conn, buffer, size, done);
    *done = 0;
    script_did((script_peer *)conn, CHATGPTT_READ, CHATGPTT_AGAIN);
    return CHATGPTT_OK;
}

static chatgptt_code write_nothing_first(void *user, void *conn, const void *bytes, size_t size,
                                         size_t *done)
{
    if (empty_calls++ % 2) return script_write(user, conn, bytes, size, done);
    *done = 0;
    script_did((script_peer *)conn, CHATGPTT_WRITE, CHATGPTT_AGAIN);
    return CHATGPTT_OK;
}

TEST(ok_of_no_byte_is_not_yet)
{
    for (int newer = 0; newer < 2; newer++) {
        script s;
        begin(&s, newer);
        tell_answer(&s, newer);
        tell_answer(&s, newer);
        chatgptt_options options = script_options(&s);
        options.transport.read = read_nothing_first;
        options.transport.write = write_nothing_first;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        for (int i = 0; i < 2; i++) {
            outcome o = ask(c);
            answered(&o);
        }
        CHECK_INT(s.opened, 1);             /* to the check of a kept one it is no byte at all */
        chatgptt_close(c);
        script_finish(&s);
    }
}

#ifndef CHATGPTT_NO_TLS
static chatgptt_code read_nothing(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    (void)user; (void)buffer; (void)size;
    empty_calls++;
    *done = 0;
    script_did((script_peer *)conn, CHATGPTT_READ, CHATGPTT_AGAIN);
    return CHATGPTT_OK;
}

/* Nor does a tunnel's request turn in circles. */
TEST(ok_of_no_byte_in_a_tunnel_is_not_yet)
{
    script s;
    chatgptt_event event;
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    chatgptt_options options = script_options(&s);
    options.url = "https://www.site.test/";
    options.proxy = "proxy.test:3128";
    options.insecure = true;
    options.transport.read = read_nothing;
    empty_calls = 0;
    script_allow(&s, "proxy.test:3128");
    chatgptt_client *c = chatgptt_open(&options, NULL);
    chatgptt_stream *stream = start(c, "a message like any other");
    for (int i = 0; i < 3; i++) CHECK_INT(chatgptt_step(stream, &event), CHATGPTT_AGAIN);
    CHECK_INT(empty_calls, 3);
    chatgptt_finish(stream);
    chatgptt_close(c);
    script_finish(&s);
}
#endif

/* ---- what open() and start() are given ---- */

/* A transport lacks one function: said before anything is opened. */
TEST(a_transport_is_whole_or_none)
{
    for (int i = 0; i < 6; i++) {
        script s;
        chatgptt_error error;
        script_init(&s);
        chatgptt_options options = script_options(&s);
        chatgptt_transport *t = &options.transport;
        if (i == 0) t->open = NULL;
        if (i == 1) t->read = NULL;
        if (i == 2) t->write = NULL;
        if (i == 3) t->want = NULL;
        if (i == 4) t->wait = NULL;
        if (i == 5) t->close = NULL;
        CHECK(chatgptt_open(&options, &error) == NULL);
        CHECK_INT(error.code, CHATGPTT_E_ARGUMENT);
        CHECK(strstr(error.message, "a function of transport") != NULL);
        memset(t, 0, sizeof *t);
        if (i == 0) t->open = script_options(&s).transport.open;
        if (i == 1) t->read = script_options(&s).transport.read;
        if (i == 2) t->write = script_options(&s).transport.write;
        if (i == 3) t->want = script_options(&s).transport.want;
        if (i == 4) t->wait = script_options(&s).transport.wait;
        if (i == 5) t->close = script_options(&s).transport.close;
        CHECK(chatgptt_open(&options, &error) == NULL);
        CHECK_INT(error.code, CHATGPTT_E_ARGUMENT);
        script_finish(&s);
    }
}

static int random_calls;
static chatgptt_code random_once(void *user, void *bytes, size_t size)
{
    (void)user;
    memset(bytes, 7, size);
    return random_calls-- > 0 ? CHATGPTT_OK : CHATGPTT_E_IO;
}

/* No random bytes: there is no client; once there is, none are needed. */
TEST(no_random_bytes)
{
    for (int calls = 0; calls < 2; calls++) {
        script s;
        chatgptt_error error;
        script_init(&s);
        chatgptt_options options = script_options(&s);
        options.hooks.random = random_once;
        random_calls = calls;
        chatgptt_client *c = chatgptt_open(&options, &error);
        CHECK((c != NULL) == (calls == 1));
        chatgptt_stream *stream = c ? start(c, "a message like any other") : NULL;
        CHECK((stream != NULL) == (c != NULL));
        chatgptt_finish(stream);
        CHECK_INT(error.code, c ? CHATGPTT_OK : CHATGPTT_E_IO);
        CHECK((strstr(error.message, "random") != NULL) == (c == NULL));
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* System messages alone are what is asked, in a conversation too. */
TEST(system_messages_alone)
{
    static const chatgptt_message messages[] = {
        { CHATGPTT_SYSTEM, "Be brief.", 0 }, { CHATGPTT_SYSTEM, "Say hello.", 0 } };
    chatgptt_conversation conversation;
    chatgptt_request request;
    script s;
    memset(&conversation, 0, sizeof conversation);
    memset(&request, 0, sizeof request);
    request.messages = messages;
    request.num_messages = 2;
    request.conversation = &conversation;
    begin(&s, false);
    tell_answer(&s, false);
    chatgptt_client *c = open_on(&s);
    outcome o = take(c, chatgptt_start(c, &request));
    answered(&o);
    CHECK(cgt_contains(cgt_slice_of(s.peers[0].written, s.peers[0].written_len),
                       "message=be+brief.%0a%0asay+hello.&"));
    chatgptt_close(c);
    script_finish(&s);
}

/* Calls with nothing to work on end in an error, or in nothing. */
TEST(nothing_given)
{
    chatgptt_event event;
    CHECK_STR(chatgptt_code_name((chatgptt_code)99), "?");
    CHECK_STR(chatgptt_code_text((chatgptt_code)-99), "?");
    CHECK_INT(chatgptt_next(NULL, &event), CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_step(NULL, &event), CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_want(NULL).count, 0);
    CHECK_INT(chatgptt_stream_error(NULL)->code, CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_client_error(NULL)->code, CHATGPTT_E_ARGUMENT);
    CHECK(chatgptt_start(NULL, NULL) == NULL);
    CHECK(chatgptt_ask(NULL, "hi") == NULL);
    CHECK_INT(chatgptt_save(NULL, NULL, 0), 0);
    chatgptt_cancel(NULL);
    chatgptt_finish(NULL);
    chatgptt_free(NULL, NULL);
    chatgptt_close(NULL);
}

int main(void)
{
    make_answers();
    RUN(a_key_in_hand_and_no_answer);
    RUN(a_transport_is_whole_or_none);
    RUN(no_random_bytes);
    RUN(system_messages_alone);
    RUN(nothing_given);
    RUN(only_a_close_repeats);
    RUN(a_late_close_does_not_repeat);
    RUN(repeated_once_and_only_when_kept);
    RUN(once_is_once_through_redirects);
    RUN(a_key_in_hand_is_one_message);
    RUN(a_key_in_hand_while_another_learns);
    RUN(unasked_bytes_are_no_answer);
    RUN(a_time_out_at_every_moment);
    RUN(a_redirect_is_one_streams);
    RUN(redirects_do_not_pile_up);
    RUN(host_only_cookies_stay_after_load);
    RUN(options_tell_no_secret);
    RUN(redirects_tell_no_secret);
    RUN(endpoints_tell_no_secret);
    RUN(a_conversation_ends_with_the_users_words);
    RUN(idle_time_begins_behind_connecting);
    RUN(idle_time_counts_from_the_last_byte);
    RUN(a_tunnel_is_part_of_connecting);
    RUN(a_check_waits);
    RUN(a_check_waits_with_bytes_left);
    RUN(load_refuses_what_no_page_named);
    RUN(save_says_why_not);
    RUN(thousands_of_streams_end_in_any_order);
    RUN(the_generation_follows_the_descriptor);
    RUN(what_is_followed);
    RUN(a_redirect_to_nowhere);
    RUN(a_redirect_has_a_type_of_its_own);
    RUN(a_status_in_words);
    RUN(statuses_of_success);
    RUN(a_cut_answer_in_words);
    RUN(ticks_of_a_silent_second);
    RUN(a_trace_tells_each_step);
    RUN(nothing_to_wait_on);
    RUN(generations_of_each_connection_add_up);
    RUN(an_answer_outlives_a_failed_write);
    RUN(ok_of_no_byte_is_not_yet);
#ifndef CHATGPTT_NO_TLS
    RUN(ok_of_no_byte_in_a_tunnel_is_not_yet);
#endif
    return check_report("engine");
}
