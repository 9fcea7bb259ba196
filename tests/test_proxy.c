/* test_proxy.c - through an HTTP proxy: what it is asked, what it is never told, and how it can fail. First
   over a script and the fake clock, then a site with TLS behind a proxy in this process. */
#include "tls_site.h"
#include "site.h"
#include "chat.h"
#define CHATGPTT_IMPLEMENTATION
#include "script.h"
#include "asking.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define PROXY "http://proxy.test:3128"
#define LOGIN "user:hush"
#define LOGIN_64 "dXNlcjpodXNo"
#define LOGIN_PROXY "http://" LOGIN "@proxy.test:3128"

static cert root, leaf;
static char root_pem[CERT_PEM_MAX];

static void make_certificates(void)
{
    cert_spec of_root = { .cn = "Root", .ca = true, .key_slot = 1 }, of_leaf = { .san = "DNS:site.test" };
    cert_make(&root, &of_root, NULL);
    cert_make(&leaf, &of_leaf, &root);
    cert_pem(&root, root_pem, sizeof root_pem);
}

/* No login, plain or encoded, in what people see. */
static void check_hushed(const char *where, cgt_slice text)
{
    if (cgt_contains(text, "hush") || cgt_contains(text, "dxnlcjpodxno"))
        check_fail(__FILE__, __LINE__, "%s tells the login", where);
}
static void trace_to(void *user, const char *what, const char *text, size_t len)
{
    (void)user;
    check_hushed(what, cgt_slice_of(text, len));
}

/* ---- asking ---- */

static outcome ask(chatgptt_client *c)
{
    outcome o = take(c, start(c, "hi"));
    check_hushed("the error", cgt_text(o.error.message));
    return o;
}

static chatgptt_options options_of(script *s, const char *url, const char *proxy)
{
    chatgptt_options options = script_options(s);
    options.url = url, options.proxy = proxy, options.ca_pem = root_pem;
    options.hooks.trace = trace_to;
    return options;
}

static chatgptt_client *open_on(script *s, const char *url, const char *proxy)
{
    chatgptt_options options = options_of(s, url, proxy);
    chatgptt_error error;
    chatgptt_client *c = chatgptt_open(&options, &error);
    if (!c) check_fail(__FILE__, __LINE__, "open: %s", error.message);
    return c;
}

static char old_page[600], old_answer[900];

static void make_answers(void)
{
    size_t len = chat_chunked(old_page, sizeof old_page, "text/html", "", CHAT_OLD_PAGE);
    memcpy(old_page + len, CHAT_LAST, 6);
    len = chat_chunked(old_answer, sizeof old_answer, "text/event-stream", "", CHAT_OLD_ANSWER);
    memcpy(old_answer + len, CHAT_LAST, 6);
}

static void script_exchange(script *s)
{
    script_connection(s);
    script_request(s);
    script_say(s, old_page);
    script_request(s);
    script_say(s, old_answer);
}

/* ---- what the proxy is asked ---- */

TEST(plain_http_in_absolute_form)
{
    static const struct { const char *proxy, *host, *port, *login;
    } rows[] = {
        { PROXY, "proxy.test", "3128", NULL },
        { "proxy.test:3128", "proxy.test", "3128", NULL },
        { "http://proxy.test", "proxy.test", "80", NULL },
        { "HTTP://Proxy.TEST:1/", "proxy.test", "1", NULL },
        { "[::1]:8080", "::1", "8080", NULL },
        { "http://[::1]", "::1", "80", NULL },
        { "127.0.0.1:81", "127.0.0.1", "81", NULL },
        { LOGIN_PROXY, "proxy.test", "3128", "Basic " LOGIN_64 },
        { LOGIN "@proxy.test:3128", "proxy.test", "3128", "Basic " LOGIN_64 },
        { "http://user@proxy.test", "proxy.test", "80", "Basic dXNlcjo=" },
        { "http://:pw@proxy.test", "proxy.test", "80", "Basic OnB3" },
        { "http://@proxy.test", "proxy.test", "80", NULL },
        { "http://u%40s%65r:p%3a%2F%25w@proxy.test", "proxy.test", "80", "Basic dUBzZXI6cDovJXc=" },
        { "http://us@er:p@ss@proxy.test", "proxy.test", "80", "Basic dXNAZXI6cEBzcw==" },
        { "http://u:%C3%A9+%zz%4@proxy.test", "proxy.test", "80", "Basic dTrDqSslenolNA==" },
        { "http://a:b:c@proxy.test", "proxy.test", "80", "Basic YTpiOmM=" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        char head[1000], value[100];
        script_init(&s);
        script_exchange(&s);
        chatgptt_client *c = open_on(&s, "http://site.test:8080/chat?x=1#y", rows[i].proxy);
        CHECK_STR(ask(c).text, CHAT_ANSWER);
        CHECK_STR(s.peers[0].host, rows[i].host);
        CHECK_STR(s.peers[0].port, rows[i].port);
        for (int n = 0; n < 2; n++) {
            const char *first = n ? "POST http://site.test:8080/wp-admin/admin-ajax.php HTTP/1.1\r\n"
                                  : "GET http://site.test:8080/chat?x=1 HTTP/1.1\r\n";
            CHECK(script_head(&s, 0, n, head, sizeof head) && strncmp(head, first, strlen(first)) == 0);
            CHECK_STR(script_header(&s, 0, n, "Host", value, sizeof value), "site.test:8080");
            if (!CHECK_STR(script_header(&s, 0, n, "Proxy-Authorization", value, sizeof value),
                           rows[i].login))
                printf("    %s\n", rows[i].proxy);
            CHECK(script_header(&s, 0, n, "Authorization", value, sizeof value) == NULL);
        }
        chatgptt_close(c);
        script_finish(&s);
    }
}

TEST(https_through_a_tunnel)
{
    NEEDS_TLS;
    static const struct { const char *url, *target, *proxy, *login;
    } rows[] = {
        { "https://site.test/a?b", "site.test:443", PROXY, "" },
        { "https://SITE.test:8443/", "site.test:8443", PROXY, "" },
        { "https://site.test:80/", "site.test:80", PROXY, "" },
        { "https://[::1]/", "[::1]:443", PROXY, "" },
        { "https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443", PROXY, "" },
        { "https://127.0.0.1/", "127.0.0.1:443", PROXY, "" },
        { "https://site.test/", "site.test:443", LOGIN_PROXY, "Proxy-Authorization: Basic " LOGIN_64 "\r\n" },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t max = 0; max < 2; max++) {
            script s;
            char wanted[600];
            size_t len = (size_t)snprintf(wanted, sizeof wanted,
                                          "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: me\r\n%s\r\n",
                                          rows[i].target, rows[i].target, rows[i].login);
            script_init(&s);
            script_connection(&s);
            script_request(&s);
            script_say(&s, "HTTP/1.1 200 Connection established\r\n\r\n");
            script_accept(&s, 100);
            script_end(&s);
            s.read_max = s.write_max = max;
            chatgptt_options options = options_of(&s, rows[i].url, rows[i].proxy);
            options.user_agent = "me";
            chatgptt_client *c = chatgptt_open(&options, NULL);
            outcome o = ask(c);
            CHECK_INT(o.code, CHATGPTT_E_CLOSED);
            CHECK(strstr(o.error.message, "TLS handshake") != NULL);
            CHECK_STR(s.peers[0].host, "proxy.test");
            if (CHECK(s.peers[0].written_len > len + 10)) {
                CHECK_MEM(s.peers[0].written, len, wanted, len);
                /* nothing but the ClientHello follows */
                CHECK(memcmp(s.peers[0].written + len, "\x16\x03", 2) == 0);
            }
            chatgptt_close(c);
            script_finish(&s);
        }
}

TEST(refused_at_open)
{
    static const struct { const char *proxy; chatgptt_code code; const char *words;
    } rows[] = {
        { "socks5://proxy.test:1080", CHATGPTT_E_UNSUPPORTED, "SOCKS" },
        { "socks5h://user:hush@proxy.test", CHATGPTT_E_UNSUPPORTED, "SOCKS" },
        { "socks4://proxy.test", CHATGPTT_E_UNSUPPORTED, "SOCKS" },
        { "SOCKS://proxy.test", CHATGPTT_E_UNSUPPORTED, "SOCKS" },
        { "https://user:hush@proxy.test", CHATGPTT_E_UNSUPPORTED, "https" },
        { "ftp://proxy.test", CHATGPTT_E_UNSUPPORTED, "http://" },
        { "", CHATGPTT_E_ARGUMENT, "proxy" },
        { "http://", CHATGPTT_E_ARGUMENT, "proxy" },
        { "http://user:hush@", CHATGPTT_E_ARGUMENT, "proxy" },
        { ":3128", CHATGPTT_E_ARGUMENT, "proxy" },
        { "user:hush@proxy test", CHATGPTT_E_ARGUMENT, "proxy" },
        { "http://proxy.test:99999", CHATGPTT_E_ARGUMENT, "port" },
        { "http://proxy.test:x", CHATGPTT_E_ARGUMENT, "port" },
        { "http://user:hush@[fe80::1%1]:1", CHATGPTT_E_ARGUMENT, "scope" },
        { "::1", CHATGPTT_E_ARGUMENT, "proxy" },
        { "http://user:hush%0d%0aX: y@proxy.test", CHATGPTT_E_ARGUMENT, "login" },
        { "http://us%00er:hush@proxy.test", CHATGPTT_E_ARGUMENT, "login" },
        { "http://u:hush%7F@proxy.test", CHATGPTT_E_ARGUMENT, "login" },
        { "http://user:hush\r\n@proxy.test", CHATGPTT_E_ARGUMENT, "control character" },
        { "http://proxy.test/\n", CHATGPTT_E_ARGUMENT, "control character" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        chatgptt_error error;
        script_init(&s);
        chatgptt_options options = options_of(&s, "http://site.test/", rows[i].proxy);
        CHECK(!chatgptt_open(&options, &error));
        if (!CHECK_INT(error.code, rows[i].code) || !CHECK(strstr(error.message, rows[i].words) != NULL))
            printf("    \"%s\": %s\n", rows[i].proxy, error.message);
        check_hushed("the error", cgt_text(error.message));
        script_finish(&s);
    }
}

/* ---- faults of a proxy that is asked for a tunnel ---- */

typedef enum then { QUIET, CLOSE, RESET, DRIP, REPEAT, STALL, CUT_WRITE, NO_ANSWER, REFUSE, NO_NAME } then;

typedef struct fault { const char *name, *says; then then; chatgptt_code code; const char *words; } fault;

#define OK_ANSWER "HTTP/1.1 200 OK\r\n\r\n"
#define CONNECT_MS 3000

static const fault faults[] = {
    { "silence", "", QUIET, CHATGPTT_E_TIMEOUT, "asking for a tunnel from proxy.test" },
    { "no connection", "", NO_ANSWER, CHATGPTT_E_TIMEOUT, "connecting to proxy.test" },
    { "refused", "", REFUSE, CHATGPTT_E_CONNECT, "proxy.test" },
    { "name not found", "", NO_NAME, CHATGPTT_E_RESOLVE, "proxy.test" },
    { "the request stalls", "", STALL, CHATGPTT_E_TIMEOUT, "proxy.test" },
    { "the request breaks off", "", CUT_WRITE, CHATGPTT_E_IO, "proxy.test" },
    { "drip", "HTTP/1.1 200 OK and so on", DRIP, CHATGPTT_E_TIMEOUT, "proxy.test" },
    { "drip of headers", "HTTP/1.1 200 OK\r\nX: y\r\nX", DRIP, CHATGPTT_E_TIMEOUT, "proxy.test" },
    { "closed at once", "", CLOSE, CHATGPTT_E_PROXY, "closed the connection instead of answering" },
    { "closed in the status line", "HTTP/1.1 2", CLOSE, CHATGPTT_E_PROXY, "closed" },
    { "closed in the headers", "HTTP/1.1 200 OK\r\nX: y\r\n", CLOSE, CHATGPTT_E_PROXY, "closed" },
    { "closed after 100", "HTTP/1.1 100 Continue\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "closed" },
    { "reset at once", "", RESET, CHATGPTT_E_IO, "proxy.test" },
    { "reset in the headers", "HTTP/1.1 200 OK\r\nX", RESET, CHATGPTT_E_IO, "proxy.test" },
    { "endless headers", "X: y\r\n", REPEAT, CHATGPTT_E_LIMIT, "proxy.test" },
    { "an endless header", "xxxxxxxx", REPEAT, CHATGPTT_E_LIMIT, "proxy.test" },
    { "endless 1xx", "HTTP/1.1 100 Continue\r\n\r\n", REPEAT, CHATGPTT_E_LIMIT, "proxy.test" },
    { "endless blanks", " ", REPEAT, CHATGPTT_E_PROXY, "proxy.test" },
    { "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", CLOSE, CHATGPTT_E_PROXY, "not HTTP" },
    { "TLS, a proxy over https", "\x15\x03\x01\x02\x02\x46", CLOSE, CHATGPTT_E_PROXY, "not HTTP" },
    { "SOCKS", "\x05\xff", CLOSE, CHATGPTT_E_PROXY, "not HTTP" },
    { "HTML without a head", "<html>Hotel network</html>", CLOSE, CHATGPTT_E_PROXY, "not HTTP" },
    { "HTTP/2", "HTTP/2 200\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "proxy.test" },
    { "no status", "HTTP/1.1 OK\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "proxy.test" },
    { "a header without a colon", "HTTP/1.1 200 OK\r\nLocation\r\n\r\n", CLOSE, CHATGPTT_E_PROXY,
      "proxy.test" },
    { "a control character", "HTTP/1.1 200 OK\r\nLocation: /\x01\r\n\r\n", CLOSE, CHATGPTT_E_PROXY,
      "proxy.test" },
    { "bytes before the handshake", OK_ANSWER "x", QUIET, CHATGPTT_E_PROXY, "before the TLS handshake" },
    { "a handshake of its own", OK_ANSWER "\x16\x03\x03\x01\x2a", QUIET, CHATGPTT_E_PROXY,
      "before the TLS handshake" },
    { "HTML with 200", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", CLOSE,
      CHATGPTT_E_PROXY, "before the TLS handshake" },
    { "chunks with 200", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CLOSE,
      CHATGPTT_E_PROXY, "before the TLS handshake" },
    { "407",
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic "
      "realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
      QUIET, CHATGPTT_E_PROXY, "login (status 407)" },
    { "407 and an endless page", "HTTP/1.1 407 X\r\nSet-Cookie: a=b\r\n\r\n<html>", QUIET, CHATGPTT_E_PROXY,
      "login (status 407)" },
    { "403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", CLOSE, CHATGPTT_E_PROXY,
      "status 403" },
    { "403 challenge",
      "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\n\r\n<title>Just a moment...</title>", CLOSE,
      CHATGPTT_E_PROXY, "status 403" },
    { "302",
      "HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
      QUIET, CHATGPTT_E_PROXY, "status 302" },
    { "101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", CLOSE, CHATGPTT_E_PROXY,
      "proxy.test" },
    { "404", "HTTP/1.1 404 Not Found\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "status 404" },
    { "429", "HTTP/1.1 429 Too Many Requests\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "status 429" },
    { "502", "HTTP/1.0 502 Bad Gateway\r\n\r\n", CLOSE, CHATGPTT_E_PROXY, "status 502" },
    { "503 after 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n", CLOSE, CHATGPTT_E_PROXY,
      "status 503" },
    /* from here on the tunnel stands: that the answer was taken shows in what is said of the handshake with
       the site */
    { "200, then closed", OK_ANSWER, CLOSE, CHATGPTT_E_CLOSED,
      "site.test closed the connection during the TLS handshake" },
    { "200, then reset", OK_ANSWER, RESET, CHATGPTT_E_IO, "TLS handshake with site.test" },
    { "200, then silence", OK_ANSWER, QUIET, CHATGPTT_E_TIMEOUT, "TLS handshake with site.test" },
    { "200 with Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", CLOSE, CHATGPTT_E_CLOSED,
      "handshake" },
    { "200 with chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CLOSE, CHATGPTT_E_CLOSED,
      "handshake" },
    { "200 with cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d; Domain=site.test\r\n\r\n",
      CLOSE, CHATGPTT_E_CLOSED, "handshake" },
    { "200 that is to close", "HTTP/1.1 200 OK\r\nConnection: close\r\nProxy-Connection: close\r\n\r\n",
      CLOSE, CHATGPTT_E_CLOSED, "handshake" },
    { "HTTP/1.0", "HTTP/1.0 200 Connection established\r\nProxy-Agent: x\r\n\r\n", CLOSE, CHATGPTT_E_CLOSED,
      "handshake" },
    { "201", "HTTP/1.1 201 Created\r\n\r\n", CLOSE, CHATGPTT_E_CLOSED, "handshake" },
    { "204 after 1xx",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
      CLOSE, CHATGPTT_E_CLOSED, "handshake" },
};

static void script_fault(script *s, const fault *f)
{
    script_connection(s);
    switch (f->then) {
    case NO_ANSWER: script_connect(s, -1); return;
    case REFUSE: script_refuse(s, CHATGPTT_E_CONNECT); return;
    case NO_NAME: script_refuse(s, CHATGPTT_E_RESOLVE); return;
    case STALL: script_accept(s, 20); script_fail(s, CHATGPTT_WRITE, CHATGPTT_AGAIN); return;
    case CUT_WRITE:
        script_accept(s, 20);
        script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO);
        return;
    default: script_request(s); break;
    }
    if (f->then == REPEAT && f->says[0] != 'H' && f->says[0] != ' ') script_say(s, "HTTP/1.1 200 OK\r\n");
    if (f->then == DRIP)
        for (const char *at = f->says; *at; at++) {
            script_send(s, at, 1, 1);
            script_pause(s, at[1] ? 100 : -1);
        }
    else if (*f->says) script_send(s, f->says, strlen(f->says), f->then == REPEAT ? 100000 : 1);
    if (f->then == CLOSE) script_end(s);
    if (f->then == RESET) script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO);
}

static const fault *this_fault;

/* With and without a login, at once and byte by byte: the same verdict, one connection, no cookie kept, the
   client not spoilt. */
static void run_fault(void)
{
    NEEDS_TLS;
    const fault *f = this_fault;
    for (int kind = 0; kind < 4; kind++) {
        script s;
        script_init(&s);
        script_fault(&s, f);
        script_fault(&s, f);
        s.read_max = kind & 1;
        bool split = s.read_max && strcmp(f->words, "before the TLS handshake") == 0;
        /* what comes after the answer is a TLS record by then */
        if (split) s.read_max = strlen(f->says);
        chatgptt_options options = options_of(&s, "https://site.test/", kind & 2 ? LOGIN_PROXY : PROXY);
        options.connect_timeout_ms = CONNECT_MS;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        for (int n = 1; n <= 2; n++) {
            long long began = s.now;
            outcome o = ask(c);
            if (!CHECK_INT(o.code, f->code) || !CHECK(strstr(o.error.message, f->words) != NULL))
                printf("    %s\n", o.error.message);
            if (o.code == CHATGPTT_E_TIMEOUT) CHECK_INT(s.now - began, CONNECT_MS);
            else CHECK_INT(s.now, began);
            CHECK_INT(s.opened, n);
            CHECK_INT(o.stats.requests, 0);
            CHECK_INT(c->cookies.count, 0);
            CHECK(!c->pool.idle);
        }
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* A proxy that speaks on its own after its answer, in a read of its own: no TLS. */
TEST(garbage_for_a_handshake)
{
    NEEDS_TLS;
    static const char *const says[] = { "hello, I am the proxy\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                                        "\x80\x81\x82\x83\x84\x85\x86" };
    for (size_t i = 0; i < ROWS(says); i++) {
        script s;
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_say(&s, OK_ANSWER);
        script_accept(&s, 50);
        script_say(&s, says[i]);
        script_end(&s);
        chatgptt_client *c = open_on(&s, "https://site.test/", LOGIN_PROXY);
        outcome o = ask(c);
        if (!CHECK_INT(o.code, CHATGPTT_E_TLS)) printf("    row %zu: %s\n", i, o.error.message);
        CHECK(strstr(o.error.message, "site.test") != NULL);
        chatgptt_close(c);
        script_finish(&s);
    }
}

TEST(every_allocation_fails)
{
    NEEDS_TLS;
    long k, count = 0;
    for (k = 1; k <= count || k == 1; k++) {
        script s;
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_say(&s, "HTTP/1.1 403 X\r\n\r\n");
        s.fail_at = k;
        chatgptt_options options = options_of(&s, "https://site.test/", LOGIN_PROXY);
        chatgptt_error error;
        chatgptt_client *c = chatgptt_open(&options, &error);
        if (!c) CHECK_INT(error.code, CHATGPTT_E_MEMORY);
        chatgptt_code code =
            c ? chatgptt_chat(c, &(chatgptt_request){ .prompt = "hi" }, NULL, NULL) : CHATGPTT_E_MEMORY;
        CHECK(code == CHATGPTT_E_MEMORY || (code == CHATGPTT_E_PROXY && s.allocations < k));
        if (s.allocations >= k) count = k + 1;
        chatgptt_close(c);
        script_finish(&s);
        if (check_now.bad) { printf("    allocation %ld: %d\n", k, code); break; }
    }
    CHECK(k > 20);
}

/* ---- plain http: the proxy's answers look like the site's ---- */

TEST(logins_asked_for_over_http)
{
    for (int login = 0; login < 2; login++)
        for (int at = 0; at < 2; at++) {                    /* of the page, of the message */
            script s;
            char value[100];
            script_init(&s);
            script_connection(&s);
            script_request(&s);
            if (at) { script_say(&s, old_page); script_request(&s); }
            script_say(&s, "HTTP/1.1 407 Who?\r\nSet-Cookie: a=b\r\nConnection: close\r\nContent-Length: "
                           "5\r\n\r\n<html");
            script_end(&s);
            chatgptt_client *c = open_on(&s, "http://site.test/", login ? LOGIN_PROXY : PROXY);
            outcome o = ask(c);
            CHECK_INT(o.code, CHATGPTT_E_PROXY);
            CHECK_INT(o.error.http_status, 407);
            CHECK(strstr(o.error.message, login ? "refuses the login" : "wants a login") != NULL);
            CHECK_INT(c->cookies.count, 0);
            CHECK(!script_header(&s, 0, 0, "Proxy-Authorization", value, sizeof value) == !login);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* No body that is broken is taken for a whole one, through a proxy as little as without. */
TEST(broken_framings)
{
    static const char *const heads[] = { "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\n",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
                                         "HTTP/1.1 200 OK\r\n",
                                         "HTTP/1.1 200 OK\r\nContent-Le",
                                         "HTTP/1.1 200 OK\nX: y\n\n",
                                         "HTTP/0.9 200\r\n\r\n",
                                         "200 OK\r\n\r\n" };
    for (size_t i = 0; i < ROWS(heads); i++) {
        chatgptt_code codes[2];
        for (int direct = 0; direct < 2; direct++) {
            script s;
            script_init(&s);
            script_connection(&s);
            script_request(&s);
            script_say(&s, heads[i]);
            script_say(&s, CHAT_OLD_PAGE);
            script_end(&s);
            chatgptt_client *c = open_on(&s, "http://site.test/", direct ? NULL : PROXY);
            codes[direct] = ask(c).code;
            chatgptt_close(c);
            script_finish(&s);
        }
        if (!CHECK(codes[0] < 0) || !CHECK_INT(codes[0], codes[1])) printf("    %s\n", heads[i]);
    }
}

/* From http to https on the way: the tunnel gets the login, and the page is asked for inside it only. */
TEST(redirected_into_a_tunnel)
{
    NEEDS_TLS;
    script s;
    char head[600];
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    script_say(
        &s,
        "HTTP/1.1 301 Moved\r\nLocation: https://site.test/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
    script_connection(&s);
    script_request(&s);
    script_say(&s, "HTTP/1.1 502 Bad\r\n\r\n");
    chatgptt_client *c = open_on(&s, "http://site.test/", LOGIN_PROXY);
    CHECK_INT(ask(c).code, CHATGPTT_E_PROXY);
    CHECK_INT(s.opened, 2);
    CHECK(script_head(&s, 1, 0, head, sizeof head) &&
          strncmp(head, "CONNECT site.test:443 HTTP/1.1\r\n", 32) == 0 && strstr(head, LOGIN_64) &&
          !strstr(head, "Cookie") && !strstr(head, "Referer"));
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- a site with TLS behind a proxy ---- */

/* the proxy's; under its site's lock */
static struct { int port, tunnels, slow; bool wants_login; } relay;

static void pass_on(int from, int to)
{
    struct pollfd on[2] = {{from, POLLIN, 0}, {to, POLLIN, 0}};
    char bytes[4096];
    size_t size = relay.slow ? 1 : sizeof bytes;
    while (poll(on, 2, 5000) > 0)
        for (int i = 0; i < 2; i++) {
            ssize_t n = on[i].revents ? recv(on[i].fd, bytes, size, 0) : 1;
            if (on[i].revents && (n <= 0 || !site_write(on[1 - i].fd, bytes, (size_t)n))) return;
        }
}

static bool serve_tunnel(const site_request *request, int client)
{
    char value[100];
    struct sockaddr_in to;
    if (memcmp(request->http.head, "CONNECT site.test:", 18) != 0)
        return site_reply(client, "400 Bad", "text/html", "no") && false;
    if (relay.wants_login && (!request_header(&request->http, "Proxy-Authorization", value, sizeof value) ||
                              strcmp(value, "Basic " LOGIN_64) != 0))
        return site_reply(client, "407 Who?", "text/html", "no") && false;
    pthread_mutex_lock(&request->site->lock);
    relay.tunnels++;
    pthread_mutex_unlock(&request->site->lock);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET, to.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    to.sin_port = htons((uint16_t)relay.port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server >= 0 && connect(server, (struct sockaddr *)&to, sizeof to) == 0 &&
        site_say(client, "HTTP/1.1 200 OK\r\nSet-Cookie: proxy=1\r\nContent-Length: 7\r\n\r\n"))
        pass_on(client, server);
    if (server >= 0) close(server);
    return false;
}

static bool refuses;                                        /* the site: 407 instead of an answer */
static bool told;                                           /* it was sent what it must not see */

static size_t site_says(const http_request *request, char *out, size_t size)
{
    char value[100];
    told = told || request_header(request, "Proxy-Authorization", value, sizeof value) ||
           request_header(request, "Cookie", value, sizeof value) ||
           memcmp(request->head + (request->head[0] == 'G' ? 4 : 5), "/", 1) != 0;
    if (refuses)
        return (size_t)snprintf(
            out, size, "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n");
    size_t len = chat_reply(request, false, "", out, size - 6);
    memcpy(out + len, CHAT_LAST, 6);
    return len + 5;
}

/* Two messages; the outcomes, and what the servers counted. */
static void through_tunnel(const char *login, outcome o[2], tls_site *behind)
{
    static site proxy;
    tls_site_settings settings = { .chain = { &leaf }, .answer = site_says, .keep = true };
    char url[60], address[80];
    chatgptt_options options;
    memset(o, 0, 2 * sizeof *o);
    relay.tunnels = 0, told = false;
    if (!CHECK(tls_site_start(behind, &settings))) return;
    relay.port = behind->port;
    if (!CHECK(site_start(&proxy, serve_tunnel, NULL))) { tls_site_stop(behind); return; }
    snprintf(url, sizeof url, "https://site.test:%d/", behind->port);
    snprintf(address, sizeof address, "http://%s127.0.0.1:%d", login, proxy.port);
    memset(&options, 0, sizeof options);
    options.url = url, options.proxy = address, options.ca_pem = root_pem, options.hooks.trace = trace_to;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    for (int i = 0; i < 2; i++) o[i] = ask(c);
    CHECK_INT(c->cookies.count, 0);
    chatgptt_close(c);
    site_stop(&proxy);
    tls_site_stop(behind);
    CHECK(!told);
}

TEST(one_tunnel_serves_all)
{
    NEEDS_TLS;
    for (relay.slow = 0; relay.slow < 2; relay.slow++) {
        outcome o[2];
        static tls_site behind;
        through_tunnel(relay.slow ? LOGIN "@" : "", o, &behind);
        for (int i = 0; i < 2; i++) {
            CHECK_INT(o[i].code, CHATGPTT_DONE);
            CHECK_STR(o[i].text, CHAT_ANSWER);
            CHECK_INT(o[i].stats.connections, 1 - i);
        }
        CHECK_INT(relay.tunnels, 1);
        CHECK_INT(behind.handshakes, 1);
        CHECK_INT(behind.requests, 3);
        CHECK_STR(behind.sni, "site.test");
    }
    relay.slow = 0;
}

TEST(logins_are_the_proxys)
{
    NEEDS_TLS;
    outcome o[2];
    static tls_site behind;
    relay.wants_login = true;
    through_tunnel(LOGIN "@", o, &behind);
    CHECK_INT(o[0].code, CHATGPTT_DONE);
    through_tunnel("", o, &behind);
    CHECK_INT(o[0].code, CHATGPTT_E_PROXY);
    CHECK(strstr(o[0].error.message, "wants a login") != NULL);
    through_tunnel("user:wrong@", o, &behind);
    CHECK_INT(o[0].code, CHATGPTT_E_PROXY);
    CHECK(strstr(o[0].error.message, "refuses the login") != NULL);
    CHECK_INT(behind.accepted, 0);
    relay.wants_login = false;
}

/* A 407 inside the tunnel is the site's, and gets nothing. */
TEST(a_login_the_site_asks_for)
{
    NEEDS_TLS;
    outcome o[2];
    static tls_site behind;
    refuses = true;
    through_tunnel(LOGIN "@", o, &behind);
    refuses = false;
    CHECK_INT(o[0].code, CHATGPTT_E_STATUS);
    CHECK_INT(o[0].error.http_status, 407);
    CHECK(strstr(o[0].error.message, "site.test") != NULL);
    CHECK_INT(behind.requests, 2);
}

int main(void)
{
    certs_open();
    make_certificates();
    make_answers();
    RUN(plain_http_in_absolute_form);
    RUN(https_through_a_tunnel);
    RUN(refused_at_open);
    for (size_t i = 0; i < ROWS(faults); i++) {
        this_fault = &faults[i];
        check_case(this_fault->name, run_fault);
    }
    RUN(garbage_for_a_handshake);
    RUN(every_allocation_fails);
    RUN(logins_asked_for_over_http);
    RUN(broken_framings);
    RUN(redirected_into_a_tunnel);
    RUN(one_tunnel_serves_all);
    RUN(logins_are_the_proxys);
    RUN(a_login_the_site_asks_for);
    certs_close();
    return check_report("proxy");
}
