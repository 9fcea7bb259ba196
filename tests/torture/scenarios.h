/* scenarios.h - what a client lives through in the torture: a site of either generation with its quirks, two
   messages, and one more that must be answered whatever came before. A message holds "#" and a number, and
   its answer is "Hello, #" and that number, so that another's answer is never taken for it. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include "net.h"
#include "../chat.h"

/* ---- quirks of the site, and what the client does ---- */

enum {
    NEWER = 1, /* generation */
    JSON = 1 << 1, /* the answer does not stream, and is counted */
    TO_CLOSE = 1 << 2, /* it streams until the connection closes */
    THREAD = 1 << 3, /* an assistant's */
    CLOSES = 1 << 4, /* every response says Connection: close */
    DROPS = 1 << 5, /* closes after a response without having said so */
    RACES = 1 << 6, /* closes the kept connection when the next request comes */
    REFUSES = 1 << 7, /* the first token */
    RENEWED = 1 << 8, /* is of the newer generation now, its page was not at first */
    MOVED = 1 << 9, /* the page is elsewhere: 302 */
    MOVED_HOST = 1 << 10, /* on another host: 301 */
    TO_HTTPS = 1 << 11,
    POST_307 = 1 << 12, /* what is posted goes elsewhere */
    POST_308 = 1 << 13,
    GRACE = 1 << 14, /* the answer is finished, but never ends */
    EARLY = 1 << 15, /* answers a long message before all of it came */
    INTERIM = 1 << 16, /* 100 and 103 first */
    TRAILERS = 1 << 17,
    COOKIES = 1 << 18,
    LONG = 1 << 19, /* messages of 40 KB */
    PROXY = 1 << 20,
    LOGIN = 1 << 21, /* the proxy wants one */
    SAVES = 1 << 22, /* between the messages a new client is loaded */
    TALKS = 1 << 23, /* a conversation */
    STEPS = 1 << 24, /* by step() and want() */
    CALLS = 1 << 25, /* by chat() */
    BLIND = 1 << 26, /* the transport has no descriptors */
    SLOW = 1 << 27, /* every response takes 700 ms */
    TWO = 1 << 28, /* both messages at once */
    NO_PAGE = 1 << 29, /* endpoint and bot are given */
    BIG = 1 << 30 /* the page goes on behind its chat */
};
#define SAYS_LIMIT (1LL << 31) /* 429 */
#define BREAKS (1LL << 32) /* an error of the model's behind some text */
#define BY_JSON (1LL << 33) /* assistant's thread in a reply that does not stream */
#define HTTPS (1LL << 34)
#define RACES_LATE (1LL << 35) /* RACES, 1.5 s after the request: a message may end with E_CLOSED */
#define STRAY (1LL << 36) /* behind each response come others that nobody asked for */

typedef struct scenario {
    const char *name;
    long long how;
    chatgptt_code wanted; /* of the messages; OK: DONE */
} scenario;

static const scenario scenarios[] = {
    { "older, events", 0, CHATGPTT_OK },
    { "older, JSON", JSON, CHATGPTT_OK },
    { "older, to the close", TO_CLOSE, CHATGPTT_OK },
    { "older, one answer a connection", CLOSES, CHATGPTT_OK },
    { "older, by step()", STEPS, CHATGPTT_OK },
    { "older, by chat()", CALLS, CHATGPTT_OK },
    { "older, slow", SLOW, CHATGPTT_OK },
    { "older, without descriptors", BLIND, CHATGPTT_OK },
    { "older, assistant's thread", THREAD | TALKS, CHATGPTT_OK },
    { "older, assistant's thread as JSON", THREAD | TALKS | BY_JSON, CHATGPTT_OK },
    { "older, conversation", TALKS, CHATGPTT_OK },
    { "older, token refused", REFUSES, CHATGPTT_OK },
    { "older, unknown action", RENEWED, CHATGPTT_OK },
    { "older, grace", GRACE, CHATGPTT_OK },
    { "older, early answer", EARLY | LONG, CHATGPTT_OK },
    { "older, long messages", LONG, CHATGPTT_OK },
    { "older, interim responses and trailers", INTERIM | TRAILERS, CHATGPTT_OK },
    { "older, cookies", COOKIES, CHATGPTT_OK },
    { "older, two messages at once", TWO, CHATGPTT_OK },
    { "older, saved and loaded", SAVES | COOKIES, CHATGPTT_OK },
    { "older, a page that goes on", BIG, CHATGPTT_OK },
    { "older, page redirected", MOVED, CHATGPTT_OK },
    { "older, page on another host", MOVED_HOST, CHATGPTT_OK },
    { "older, message redirected by 307", POST_307, CHATGPTT_OK },
    { "older, message redirected by 308", POST_308, CHATGPTT_OK },
    { "older, kept connection dropped", DROPS, CHATGPTT_OK },
    { "older, kept connection races", RACES, CHATGPTT_OK },
    { "older, kept connection races late", RACES_LATE, CHATGPTT_OK },
    { "older, bytes that nobody asked for", STRAY, CHATGPTT_OK },
    { "newer, bytes that nobody asked for", NEWER | STRAY, CHATGPTT_OK },
    { "older, rate limited", SAYS_LIMIT, CHATGPTT_E_RATE_LIMITED },
    { "older, the model fails behind text", BREAKS, CHATGPTT_E_REFUSED },
    { "older, proxy", PROXY, CHATGPTT_OK },
    { "older, proxy with a login", PROXY | LOGIN, CHATGPTT_OK },
    { "newer, events", NEWER, CHATGPTT_OK },
    { "newer, by step(), slow", NEWER | STEPS | SLOW, CHATGPTT_OK },
    { "newer, one answer a connection", NEWER | CLOSES, CHATGPTT_OK },
    { "newer, to the close", NEWER | TO_CLOSE, CHATGPTT_OK },
    { "newer, conversation", NEWER | TALKS, CHATGPTT_OK },
    { "newer, token refused", NEWER | REFUSES, CHATGPTT_OK },
    { "newer, without a page", NEWER | NO_PAGE, CHATGPTT_OK },
    { "newer, kept connection dropped", NEWER | DROPS, CHATGPTT_OK },
    { "newer, kept connection races", NEWER | RACES, CHATGPTT_OK },
    { "newer, message redirected by 307", NEWER | POST_307, CHATGPTT_OK },
    { "newer, saved and loaded", NEWER | SAVES | COOKIES, CHATGPTT_OK },
    { "newer, two messages at once", NEWER | TWO, CHATGPTT_OK },
    { "newer, proxy", NEWER | PROXY, CHATGPTT_OK },
#ifndef CHATGPTT_NO_TLS
    { "https, older", HTTPS, CHATGPTT_OK },
    { "https, newer", HTTPS | NEWER, CHATGPTT_OK },
    { "https, sessions resumed", HTTPS | CLOSES, CHATGPTT_OK },
    { "https, saved and loaded", HTTPS | SAVES | CLOSES, CHATGPTT_OK },
    { "https, kept connection races", HTTPS | RACES, CHATGPTT_OK },
    { "https, to the close", HTTPS | TO_CLOSE, CHATGPTT_OK },
    { "https through a proxy", HTTPS | PROXY | LOGIN, CHATGPTT_OK },
    { "redirected to https", TO_HTTPS, CHATGPTT_OK },
#endif
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- the site ---- */

#define OLD_NONCE "0123456789"
#define NEW_NONCE "9876543210"
#define LOGIN_TEXT "ann:opensesame"

static net torn; /* the net of every run */

static struct {
    long long how;
    bool raced, fresh; /* the second token is given out */
    int arrived[16]; /* of message n */
    int asked[16]; /* keys that were given out */
    int num_keys;
} tearing;

static bool tears(long long quirk) { return (tearing.how & quirk) != 0; }

static const char stray[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 67\r\n\r\n"
                            "{\"status\":\"success\",\"data\":\"This is what somebody else was told\"}  ";

static void reply(net_conn *c, const char *status, const char *type, const char *body, bool counted) {
    static char out[20000];
    char extra[400];
    snprintf(extra, sizeof extra, "%s%s%s", tears(CLOSES) ? "Connection: close\r\n" : "",
             tears(COOKIES) ? "Set-Cookie: visit=abcdef0123; Path=/; Max-Age=100000\r\n" : "",
             tears(TRAILERS) ? "Trailer: X-Sum\r\n" : "");
    int len = snprintf(
        out, sizeof out, "%sHTTP/1.1 %s\r\nContent-Type: %s\r\n%s",
        tears(INTERIM) ? "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" : "",
        status, type, extra);
    if (counted)
        len += snprintf(out + len, sizeof out - (size_t)len, "Content-Length: %zu\r\n\r\n%s", strlen(body),
                        body);
    else if (tears(TO_CLOSE)) len += snprintf(out + len, sizeof out - (size_t)len, "\r\n%s", body);
    else {
        size_t half = strlen(body) / 2;
        len += snprintf(out + len, sizeof out - (size_t)len,
                        "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%.*s\r\n%zx\r\n%s\r\n%s", half, (int)half,
                        body, strlen(body) - half, body + half,
                        tears(GRACE)      ? ""
                        : tears(TRAILERS) ? "0\r\nX-Sum: 1\r\n\r\n"
                                          : "0\r\n\r\n");
    }
    if ((size_t)len >= sizeof out) abort();
    if (tears(SLOW)) c->ready_at = c->net->s.now + 700;
    net_send(c, out, (size_t)len);
    if (tears(STRAY)) c->seam = c->out.len;
    for (int i = 0; tears(STRAY) && i < 3; i++) net_say(c, stray);
    if (tears(CLOSES | DROPS) || c->deaf || (tears(TO_CLOSE) && !counted)) net_hang_up(c);
}

static void reply_page(net_conn *c) {
    static char body[16000];
    bool newer = tears(NEWER) || (tears(RENEWED) && tearing.fresh);
    const char *nonce = tearing.fresh ? NEW_NONCE : OLD_NONCE;
    snprintf(body, sizeof body,
             newer ? "<title>Chat</title><div class=\"aipkit_chat_container\" "
                     "data-config='{\"botId\":7,\"nonce\":\"%s\",\"postId\":5}'></div>%s"
                   : "<title>Chat</title><div class=\"wpaicg-chat-shortcode\" "
                     "data-nonce=\"%s\" data-post-id=\"7\" data-bot-id=\"0\"%s></div>",
             nonce, !newer && tears(THREAD) ? " data-assistant-enabled=\"true\"" : "");
    if (tears(BIG))
        for (int i = 0; i < 100; i++)
            snprintf(body + strlen(body), sizeof body - strlen(body),
                     "<p>Line %d of what nobody reads here.</p>\n", i);
    reply(c, "200 OK", "text/html; charset=UTF-8", body, !tears(BIG));
}

static void reply_older(net_conn *c, int number) {
    char body[800];
    if (tears(JSON | BY_JSON))
        snprintf(body, sizeof body, "{\"status\":\"success\",%s\"data\":\"Hello, #%d\"}",
                 tears(THREAD) ? "\"thread_id\":\"thread_Ab1\"," : "", number);
    else if (tears(THREAD))
        snprintf(body, sizeof body,
                 "event: thread_id\ndata: thread_Ab1\n\nevent: thread.message.delta\n"
                 "data: {\"delta\":{\"content\":[{\"text\":{\"value\":\"Hello, #%d\"}}]}}\n\nevent: done\n"
                 "data: [DONE]\n\n",
                 number);
    else
        snprintf(body, sizeof body,
                 "data: {\"choices\":[{\"delta\":{\"content\":\"Hello,\"}}]}\n\n"
                 "%s: hm\n\ndata: {\"choices\":[{\"delta\":{\"content\":\" #%d\"}}]}\n\n"
                 "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n%s",
                 tears(BREAKS) ? "data: {\"status\":\"error\",\"msg\":\"Not now.\"}\n\n" : "", number,
                 tears(GRACE) ? "" : "data: [DONE]\n\n");
    reply(c, "200 OK", tears(JSON | BY_JSON) ? "application/json" : "text/event-stream", body,
          tears(JSON | BY_JSON));
}

static void reply_newer(net_conn *c, int number) {
    char body[400];
    snprintf(body, sizeof body,
             "event: message_start\ndata: {\"message_id\":\"m1\"}\n\ndata: {\"delta\":"
             "\"Hello,\"}\n\ndata: {\"delta\":\" #%d\"}\n\nevent: done\ndata: {\"finished\":true}\n\n",
             number);
    reply(c, "200 OK", "text/event-stream; charset=utf-8", body, false);
}

/* The number of the message; a request that was answered early is searched as it came. */
static int message_number(const net_conn *c, const http_request *r) {
    static char text[41000];
    const char *at = request_field(r, "message", text, sizeof text) ? strrchr(text, '#') : NULL;
    if (c->deaf) at = strstr(r->body, "%23") ? strstr(r->body, "%23") + 2 : NULL;
    long number = at ? strtol(at + 1, NULL, 10) : 0;
    return number > 0 && number < 16 ? (int)number : 0;
}

static bool refuses(const http_request *r) {
    char nonce[40] = "";
    if (!request_field(r, "_wpnonce", nonce, sizeof nonce))
        request_field(r, "_ajax_nonce", nonce, sizeof nonce);
    if (!tears(REFUSES | RENEWED) || strcmp(nonce, NEW_NONCE) == 0) return false;
    return tearing.fresh = true;
}

static void say_moved(net_conn *c, const char *status, const char *to) {
    char out[300];
    snprintf(out, sizeof out, "HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status, to);
    net_say(c, out);
    if (c->deaf) net_hang_up(c);
}

static void get_message(net_conn *c, const http_request *r, bool newer) {
    char key[200];
    int number = message_number(c, r);
    tearing.arrived[number]++;
    if (refuses(r)) {
        if (tears(RENEWED)) reply(c, "400 Bad Request", "text/html", "0", true);
        else if (!newer) reply(c, "403 Forbidden", "text/html", "-1", true);
        else
            reply(c, "403 Forbidden", "application/json",
                  "{\"success\":false,\"data\":{\"code\":"
                  "\"nonce_failure_cache_sse\",\"message\":\"Your session has expired.\"}}",
                  true);
    } else if (tears(SAYS_LIMIT)) reply(c, "429 Too Many Requests", "text/html", "Slowly.", true);
    else if (newer) {
        if (tearing.num_keys == 16) abort();
        tearing.asked[tearing.num_keys] = number;
        snprintf(key, sizeof key, "{\"success\":true,\"data\":{\"cache_key\":\"aipkit_sse_key%d\"}}",
                 tearing.num_keys++);
        reply(c, "200 OK", "application/json", key, true);
    } else reply_older(c, number);
}

static void get_answer(net_conn *c, const http_request *r) {
    char key[40] = "";
    request_field(r, "cache_key", key, sizeof key);
    long k = strncmp(key, "aipkit_sse_key", 14) == 0 ? strtol(key + 14, NULL, 10) : -1;
    if (k >= 0 && k < tearing.num_keys) reply_newer(c, tearing.asked[k]);
    else reply(c, "400 Bad Request", "text/html", "no such key", true);
}

/* Where the request goes: "GET /chat/ HTTP/1.1", without what a proxy is told. */
static const char *target(const http_request *r, bool *at_www) {
    const char *at = (const char *)memchr(r->head, ' ', r->head_len);
    char host[64] = "";
    request_header(r, "Host", host, sizeof host);
    *at_www = strcmp(host, "www.site.test") == 0;
    if (!at) return "";
    at++;
    if (strncmp(at, "http://", 7) == 0) at += 7 + strcspn(at + 7, "/ ");
    return at;
}

static bool has_login(const http_request *r) {
    char value[100] = "";
    request_header(r, "Proxy-Authorization", value, sizeof value);
    return strcmp(value, "Basic YW5uOm9wZW5zZXNhbWU=") == 0;
}

static void open_tunnel(net_conn *c, const http_request *r) {
    char origin[80];
    snprintf(origin, sizeof origin, "%.*s", (int)strcspn(r->head + 8, " "), r->head + 8);
    net_say(c, "HTTP/1.1 200 Connection established\r\n\r\n");
    net_start_tls(c, origin);
}

static void post(net_conn *c, const http_request *r, const char *path) {
    char action[60] = "";
    request_field(r, "action", action, sizeof action);
    if (!action[0] && c->deaf) snprintf(action, sizeof action, "wpaicg_chat_shortcode_message");
    if (tears(POST_307 | POST_308) && strncmp(path, "/elsewhere", 10) != 0)
        say_moved(c, tears(POST_307) ? "307 Temporary Redirect" : "308 Permanent Redirect", "/elsewhere.php");
    else if (strcmp(action, "aipkit_get_frontend_chat_nonce") == 0)
        reply(c, "200 OK", "application/json",
              tearing.fresh ? "{\"success\":true,\"data\":{\"nonce\":\"" NEW_NONCE "\"}}"
                            : "{\"success\":true,\"data\":{\"nonce\":\"" OLD_NONCE "\"}}",
              true);
    else get_message(c, r, strcmp(action, "aipkit_cache_sse_message") == 0);
}

static void answer(net_conn *c, const http_request *r) {
    bool www, get = memcmp(r->head, "GET ", 4) == 0;
    const char *path = target(r, &www);
    bool connects = memcmp(r->head, "CONNECT ", 8) == 0, outside = tears(PROXY) && !c->tls;
    if (outside && tears(LOGIN) && !has_login(r)) {
        net_say(c, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    if (connects) {
        open_tunnel(c, r);
        return;
    }
    if (tears(RACES | RACES_LATE) && c->requests > 0 && !tearing.raced) {
        if (tears(RACES_LATE)) c->ready_at = c->net->s.now + 1500;
        tearing.raced = true;
        c->gone = true; /* with TLS, too, not a byte of farewell */
        return;
    }
    if (!get) {
        post(c, r, path);
        return;
    }
    if (strncmp(path, "/wp-admin", 9) == 0 || strncmp(path, "/elsewhere", 10) == 0) get_answer(c, r);
    else if (tears(MOVED) && strncmp(path, "/chat/", 6) != 0) say_moved(c, "302 Found", "/chat/");
    else if (tears(MOVED_HOST) && !www) say_moved(c, "301 Moved Permanently", "http://www.site.test/");
    else if (tears(TO_HTTPS) && !c->tls) say_moved(c, "301 Moved Permanently", "https://site.test/");
    else reply_page(c);
}

/* ---- the client ---- */

typedef struct told {
    chatgptt_code code;
    char text[64], error[256];
    bool was_hit;
} told;

static void tell_piece(told *t, const char *text, size_t len) {
    snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%.*s", (int)len, text);
}

static int tell_text(void *user, const char *text, size_t len) {
    tell_piece((told *)user, text, len);
    return 0;
}

static const char *prompt(int number) {
    static char text[40100];
    int len = snprintf(text, sizeof text, "#%d is what I ask you now", number);
    if (tears(LONG)) {
        memset(text + len, 'x', 40000);
        text[len + 40000] = '\0';
    }
    return text;
}

static chatgptt_options tear_options(void) {
    chatgptt_options o = net_options(&torn);
    if (tears(HTTPS)) o.url = "https://site.test/";
    if (tears(PROXY)) o.proxy = tears(LOGIN) ? "http://" LOGIN_TEXT "@proxy.test:3128" : "proxy.test:3128";
    if (tears(NO_PAGE)) {
        o.endpoint = "http://site.test/wp-admin/admin-ajax.php";
        o.bot_id = "7";
        o.dialect = CHATGPTT_AIPKIT;
    }
    return o;
}

/* By step() and want(), as an event loop has it. */
static chatgptt_code next_by_step(chatgptt_stream *stream, chatgptt_event *event) {
    chatgptt_code code;
    while ((code = chatgptt_step(stream, event)) == CHATGPTT_AGAIN) {
        chatgptt_wait want = chatgptt_want(stream);
        if (net_wait(&torn, &want) < 0) return CHATGPTT_E_IO;
    }
    return code;
}

static void tear_end(told *t, const chatgptt_stream *stream) {
    snprintf(t->error, sizeof t->error, "%s", chatgptt_stream_error(stream)->message);
    t->was_hit = torn.hit;
}

static told ask_stream(chatgptt_client *c, const chatgptt_request *request) {
    told t;
    chatgptt_event event;
    memset(&t, 0, sizeof t);
    chatgptt_stream *stream = chatgptt_start(c, request);
    if (!stream) {
        t.code = chatgptt_client_error(c)->code;
        return t;
    }
    while ((t.code = tears(STEPS) ? next_by_step(stream, &event) : chatgptt_next(stream, &event)) ==
           CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT) tell_piece(&t, event.text, event.len);
    tear_end(&t, stream);
    chatgptt_finish(stream);
    return t;
}

/* One message; in a conversation with the turn before it. */
static told tear_ask(chatgptt_client *c, int number, chatgptt_conversation *conversation) {
    static const chatgptt_message before[] = { { CHATGPTT_USER, "#1 is what I ask you now", 0 },
                                               { CHATGPTT_ASSISTANT, "Hello, #1", 0 } };
    chatgptt_message turns[3];
    chatgptt_request request;
    told t;
    memset(&request, 0, sizeof request);
    memset(&t, 0, sizeof t);
    request.prompt = prompt(number);
    request.conversation = conversation;
    if (conversation && number > 1) {
        memcpy(turns, before, sizeof before);
        turns[2].role = CHATGPTT_USER;
        turns[2].text = request.prompt;
        turns[2].len = 0;
        request.prompt = NULL;
        request.messages = turns;
        request.num_messages = 3;
    }
    if (!tears(CALLS)) return ask_stream(c, &request);
    t.code = chatgptt_chat(c, &request, tell_text, &t);
    snprintf(t.error, sizeof t.error, "%s", chatgptt_client_error(c)->message);
    return t;
}

/* Both streams a step at a time; waits when neither has anything to do. */
static void ask_two(chatgptt_client *c, told t[2]) {
    chatgptt_stream *stream[2];
    chatgptt_request request;
    chatgptt_event event;
    int left = 2;
    memset(t, 0, 2 * sizeof *t);
    for (int i = 0; i < 2; i++) {
        memset(&request, 0, sizeof request);
        request.prompt = prompt(i + 1);
        stream[i] = chatgptt_start(c, &request);
        t[i].code = stream[i] ? CHATGPTT_AGAIN : chatgptt_client_error(c)->code;
        left -= !stream[i];
    }
    while (left > 0) {
        bool idle = true;
        for (int i = 0; i < 2; i++) {
            if (!stream[i]) continue;
            t[i].code = chatgptt_step(stream[i], &event);
            if (t[i].code == CHATGPTT_OK && event.kind == CHATGPTT_TEXT)
                tell_piece(&t[i], event.text, event.len);
            idle &= t[i].code == CHATGPTT_AGAIN;
            if (t[i].code == CHATGPTT_OK || t[i].code == CHATGPTT_AGAIN) continue;
            tear_end(&t[i], stream[i]);
            chatgptt_finish(stream[i]);
            stream[i] = NULL;
            left--;
        }
        if (!idle || left == 0) continue;
        chatgptt_wait one = chatgptt_want(stream[0] ? stream[0] : stream[1]);
        if (left == 2) {
            chatgptt_wait other = chatgptt_want(stream[1]);
            if (one.timeout_ms < 0 || (other.timeout_ms >= 0 && other.timeout_ms < one.timeout_ms))
                one.timeout_ms = other.timeout_ms;
            if (one.count < 2 && other.count) one.on[one.count++] = other.on[0];
        }
        if (net_wait(&torn, &one) < 0)
            for (int i = 0; i < 2; i++)
                if (stream[i]) chatgptt_cancel(stream[i]);
    }
}

/* ---- a run ---- */

/* A new client in the old one's place, with what that one saved, if it could. */
static chatgptt_client *tear_reload(chatgptt_client *c, chatgptt_options *options, chatgptt_code *code) {
    static char saved[70000];
    size_t size = chatgptt_save(c, saved, sizeof saved);
    if (size > sizeof saved) abort();
    chatgptt_close(c);
    *code = size ? CHATGPTT_OK : CHATGPTT_E_MEMORY;
    c = chatgptt_open(options, NULL);
    if (c && size) *code = chatgptt_load(c, saved, size);
    return c;
}

/* The two messages of a scenario into t[0], t[1]; those that could not be asked for lack of a client are
   E_MEMORY. Then the one that must be answered, once `calm` has put an end to what goes wrong. */
static void tear(const scenario *sc, told t[2], void (*calm)(void)) {
    chatgptt_conversation conversation;
    chatgptt_code loaded = CHATGPTT_OK;
    chatgptt_options options = tear_options();
    memset(&conversation, 0, sizeof conversation);
    memset(t, 0, 2 * sizeof *t);
    t[0].code = t[1].code = CHATGPTT_E_MEMORY;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    if (c && tears(TWO)) ask_two(c, t);
    else if (c) {
        t[0] = tear_ask(c, 1, tears(TALKS) ? &conversation : NULL);
        if (tears(SAVES)) c = tear_reload(c, &options, &loaded);
        if (c) t[1] = tear_ask(c, 2, tears(TALKS) ? &conversation : NULL);
    }
    CHECK(loaded == CHATGPTT_OK || loaded == CHATGPTT_E_MEMORY);
    calm();
    tearing.raced |= tears(RACES_LATE);
    if (!c) c = chatgptt_open(&options, NULL);
    if (!CHECK(c != NULL)) return;
    told last = tear_ask(c, 3, NULL);
    bool good = CHECK_INT(last.code, sc->wanted ? sc->wanted : CHATGPTT_DONE) &&
                (sc->wanted || CHECK_STR(last.text, "Hello, #3"));
    if (!good) printf("    the next message: %s\n", last.error);
    chatgptt_close(c);
}

/* Makes ready for a run; net_end() ends it. */
static void tear_begin(const scenario *sc) {
    memset(&tearing, 0, sizeof tearing);
    tearing.how = sc->how;
    net_begin(&torn, answer);
    if (tears(EARLY)) torn.early = 3000;
    torn.read_max = tears(HTTPS | TO_HTTPS | LONG | BIG) ? 0 : 150;
    torn.no_descriptors = tears(BLIND);
    if (tears(TO_HTTPS)) script_allow(&torn.s, "site.test:443");
    if (tears(MOVED_HOST)) script_allow(&torn.s, "www.site.test:80");
}

/* What holds of every message, whatever went wrong: a whole answer is whole, text before an error is its
   beginning. */
static void tear_judge(const scenario *sc, const told *t, int number) {
    char wanted[30];
    snprintf(wanted, sizeof wanted, "Hello, #%d", number);
    if (t->code == CHATGPTT_DONE) CHECK_STR(t->text, wanted);
    else CHECK(t->code < 0 && strncmp(t->text, wanted, strlen(t->text)) == 0);
    if (t->code == CHATGPTT_DONE) CHECK(!sc->wanted && t->error[0] == '\0');
}

/* No fault has been met: the message comes to what it should. */
static void tear_untouched(const scenario *sc, const told *t) {
    if (tears(RACES_LATE) && t->code == CHATGPTT_E_CLOSED) return;
    if (!CHECK_INT(t->code, sc->wanted ? sc->wanted : CHATGPTT_DONE)) printf("    %s\n", t->error);
}

#endif
