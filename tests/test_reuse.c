/* test_reuse.c - connections: how few a warm client needs, counted at the server; the rules by which one is
   kept, drained, dropped or replaced; addresses of all kinds, and how they race. */
#include "tls_site.h"
#include "site.h"
#include "chat.h"
#define CHATGPTT_IMPLEMENTATION
#include "script.h"
#include "asking.h"
#include <dirent.h>
#include <fcntl.h>

#define ROWS(table) (sizeof (table) / sizeof *(table))

static int open_descriptors(void)       /* -1: nowhere to count them */
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    if (!folder) return -1;
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

/* ---- asking ---- */

static outcome ask(chatgptt_client *c) { return take(c, start(c, "hi")); }

/* ---- what a message costs, counted at the server ---- */

static bool newer, late;                    /* of the sites below */

static size_t whole_reply(const http_request *request, char *out, size_t size)
{
    size_t len = chat_reply(request, newer, "", out, size - 6);
    if (!late) memcpy(out + len, CHAT_LAST, 6);
    return late ? len : len + 5;
}

static bool serve(const site_request *request, int socket)
{
    char bytes[2000];
    bool good = site_write(socket, bytes, whole_reply(&request->http, bytes, sizeof bytes));
    if (late) site_sleep_ms(20);
    return good && (!late || site_say(socket, CHAT_LAST));
}

enum { MESSAGES = 4 };

static void check_messages(chatgptt_client *c)
{
    int pages = 1, each = newer ? 2 : 1;
    for (int i = 0; i < MESSAGES; i++, pages = 0) {
        outcome o = ask(c);
        answered(&o);
        CHECK_INT(o.stats.requests, pages + each);
        CHECK_INT(o.stats.connections, pages);
        CHECK_INT(o.stats.reused, true);
    }
}

TEST(one_connection_serves_all)
{
    for (int kind = 0; kind < 4; kind++) {
        static site s;
        chatgptt_options options;
        newer = kind & 1, late = kind & 2;
        if (!CHECK(site_start(&s, serve, NULL))) return;
        memset(&options, 0, sizeof options);
        options.url = s.url;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        check_messages(c);
        chatgptt_close(c);
        site_stop(&s);
        CHECK_INT(s.requests, 1 + MESSAGES * (newer ? 2 : 1));
        CHECK_INT(s.connections, 1);
    }
}

static cert root, leaf;
static char root_pem[CERT_PEM_MAX];

static void make_certificates(void)
{
    cert_spec of_root = { .cn = "Root", .ca = true, .key_slot = 1 },
              of_leaf = { .san = "DNS:site.test,IP:::1" };
    cert_make(&root, &of_root, NULL);
    cert_make(&leaf, &of_leaf, &root);
    cert_pem(&root, root_pem, sizeof root_pem);
}

static chatgptt_client *open_tls(const char *host, int port, const char *address)
{
    char url[100];
    chatgptt_options options;
    memset(&options, 0, sizeof options);
    snprintf(url, sizeof url, "https://%s:%d/", host, port);
    options.url = url, options.ca_pem = root_pem, options.address = address;
    return chatgptt_open(&options, NULL);
}

TEST(one_handshake_serves_all)
{
    NEEDS_TLS;
    for (int kind = 0; kind < 8; kind++) {
        static tls_site s;
        newer = kind & 1, late = kind & 2;
        tls_site_settings settings = { .chain = { &leaf },
                                       .answer = whole_reply,
                                       .keep = true,
                                       .late = late ? CHAT_LAST : NULL,
                                       .tickets = true,
                                       .max_version = kind & 4 ? TLS_1_2 : 0 };
        if (!CHECK(tls_site_start(&s, &settings))) return;
        chatgptt_client *c = open_tls("site.test", s.port, "127.0.0.1");
        check_messages(c);
        chatgptt_close(c);
        tls_site_stop(&s);
        CHECK_INT(s.requests, 1 + MESSAGES * (newer ? 2 : 1));
        CHECK_INT(s.accepted, 1);
        CHECK_INT(s.handshakes, 1);
        CHECK_STR(s.sni, "site.test");
    }
}

/* ---- on the fake clock: what is kept, and how long ---- */

static char old_page[600], old_answer[900];
static size_t old_answer_len;

static void make_answers(void)
{
    size_t len = chat_chunked(old_page, sizeof old_page, "text/html", "", CHAT_OLD_PAGE);
    memcpy(old_page + len, CHAT_LAST, 6);
    old_answer_len = chat_chunked(old_answer, sizeof old_answer, "text/event-stream", "", CHAT_OLD_ANSWER);
    memcpy(old_answer + old_answer_len, CHAT_LAST, 6);
}

static void script_answer(script *s)
{
    script_request(s);
    script_say(s, old_answer);
}
static void script_page(script *s)
{
    script_connection(s);
    script_request(s);
    script_say(s, old_page);
}

/* One more connection that answers a message; the client must use it. */
static void check_usable(script *s, chatgptt_client *c, int opened)
{
    script_connection(s);
    script_answer(s);
    outcome o = ask(c);
    answered(&o);
    CHECK_INT(s->opened, opened + 1);
    CHECK_INT(o.stats.connections, 1);
    CHECK(!o.stats.reused);
}

static chatgptt_client *open_on(script *s)
{
    const chatgptt_options options = script_options(s);
    return chatgptt_open(&options, NULL);
}

/* After the end mark `size` bytes more may come, which the zero chunk ends: up to CHATGPTT_MAX_DRAIN they are
   worth waiting for, for CHATGPTT_MAX_DRAIN_MS at most. */
TEST(draining)
{
    static char head[CHATGPTT_MAX_DRAIN + 2000];
    static const struct { size_t tail; int ms; bool kept;
    } rows[] = {
        { 0, 0, true },
        { 1, 0, true },
        { 4000, 0, true },
        { 4200, 0, false },
        { 100000, 0, false },
        { 0, 20, true },
        { 4000, 20, true },
        { 4200, 20, false },
        { 100000, 20, false },
        { 0, CHATGPTT_MAX_DRAIN_MS - 1, true },
        { 0, CHATGPTT_MAX_DRAIN_MS + 1, false },
        { 0, -1, false },
        { 10, -1, false },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t max = 0; max <= 4096; max = max ? max * 64 : 1) {
            script s;
            script_init(&s);
            script_page(&s);
            script_request(&s);
            snprintf(head, sizeof head, CHAT_HEAD("text/event-stream") "%zx\r\n" CHAT_OLD_ANSWER,
                     strlen(CHAT_OLD_ANSWER) + rows[i].tail);
            script_say(&s, head);
            if (rows[i].ms) script_pause(&s, rows[i].ms);
            if (rows[i].tail) script_send(&s, ":", 1, rows[i].tail);
            script_say(&s, "\r\n" CHAT_LAST);
            script_answer(&s);
            s.read_max = max;
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            answered(&o);
            /* the end mark is the end: nobody waits for what follows */
            CHECK_INT(s.now, 1000);
            if (rows[i].kept) {
                o = ask(c);
                answered(&o);
                CHECK_INT(o.stats.connections, 0);
                CHECK_INT(s.opened, 1);
                CHECK_INT(s.now, 1000 + rows[i].ms);
            } else check_usable(&s, c, 1);
            if (!rows[i].kept) CHECK(s.now <= 1000 + CHATGPTT_MAX_DRAIN_MS);
            if (check_now.bad) printf("    row %zu, reads of %zu\n", i, max);
            chatgptt_close(c);
            script_finish(&s);
            if (check_now.bad) return;
        }
}

TEST(idle_cap)
{
    enum { MANY = CHATGPTT_MAX_IDLE + 3 };
    script s;
    chatgptt_stream *streams[MANY];
    chatgptt_event event;
    int open = 0, done = 0;
    script_init(&s);
    for (int i = 0; i < MANY; i++) { script_page(&s); script_answer(&s); }
    chatgptt_client *c = open_on(&s);
    for (int i = 0; i < MANY; i++) streams[i] = start(c, "hi");
    s.read_max = 20;
    for (int rounds = 0; done < MANY && CHECK(rounds < 1000); rounds++) {
        done = 0;
        for (int i = 0; i < MANY; i++) done += chatgptt_step(streams[i], &event) == CHATGPTT_DONE;
    }
    for (int i = 0; i < MANY; i++) chatgptt_finish(streams[i]);
    for (int i = 0; i < MANY; i++) open += s.peers[i].is_open;
    CHECK_INT(s.opened, MANY);
    CHECK_INT(open, CHATGPTT_MAX_IDLE);
    chatgptt_close(c);
    script_finish(&s);
}

TEST(idle_age)
{
    for (int over = 0; over < 2; over++) {
        script s;
        script_init(&s);
        script_page(&s);
        script_answer(&s);
        script_answer(&s);
        chatgptt_client *c = open_on(&s);
        outcome o = ask(c);
        answered(&o);
        s.now += CHATGPTT_MAX_IDLE_MS + over;
        if (over) {
            check_usable(&s, c, 1);
            CHECK(!s.peers[0].is_open);
        } else {
            o = ask(c);
            answered(&o);
            CHECK_INT(s.opened, 1);
        }
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Kept by origin: the page's and the endpoint's serve each their own. */
TEST(origins_are_kept_apart)
{
    script s;
    char host[100];
    script_init(&s);
    script_page(&s);
    script_connection(&s);
    script_answer(&s);
    script_answer(&s);
    chatgptt_options options = script_options(&s);
    options.endpoint = "http://ajax.test/x";
    chatgptt_client *c = chatgptt_open(&options, NULL);
    for (int i = 0; i < 2; i++) {
        outcome o = ask(c);
        answered(&o);
    }
    CHECK_INT(s.opened, 2);
    CHECK_STR(script_header(&s, 0, 0, "Host", host, sizeof host), "site.test");
    CHECK_STR(script_header(&s, 1, 1, "Host", host, sizeof host), "ajax.test");
    chatgptt_close(c);
    script_finish(&s);
}

/* What happened to a kept connection while nobody looked: it is found out before the message goes anywhere.
   */
TEST(looked_at_before_use)
{
    static const struct { const char *junk; bool end, fail;
    } rows[] = {
        { NULL, true, false },
        { NULL, false, true },
        { "x", false, false },
        { "\r\n", false, false },
        { "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", true, false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, false },
        { CHAT_LAST, true, false },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int early = 0; early < 2; early++) {
            script s;
            script_init(&s);
            script_page(&s);
            script_answer(&s);
            if (!early) script_pause(&s, 3000);         /* early: in one piece with the answer */
            if (rows[i].junk) script_say(&s, rows[i].junk);
            if (rows[i].end) script_end(&s);
            if (rows[i].fail) script_fail(&s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            answered(&o);
            script_advance(&s.peers[0]);                /* the pause begins now */
            s.now += 5000;
            check_usable(&s, c, 1);
            /* the page and the first message: the second never went there */
            CHECK_INT(script_count(&s, 0), 2);
            CHECK_INT(s.now, 6000);
            if (check_now.bad) printf("    row %zu, early %d\n", i, early);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* HAZARDS 17: a message on a kept connection is sent once more, if not one byte came. Never on a fresh one,
   never a third time. */
typedef enum fate { CLOSE, RESET, CUT_WRITE, ONE_BYTE, INTERIM, HEAD, SILENCE, GARBAGE, BROKEN } fate;

static void script_fate(script *s, fate how)
{
    static const char *const says[] = {
        "", "", "", "H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "", "SSH-2.0", ""
    };
    if (how == CUT_WRITE) script_accept(s, 40);
    else script_request(s);
    if (*says[how]) script_say(s, says[how]);
    if (how == SILENCE) return;
    if (how == RESET || how == CUT_WRITE) script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_CLOSED);
    else if (how == BROKEN) script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO);
    else script_end(s);
}

TEST(sent_again_by_the_one_safe_rule)
{
    /* -1: there is none */
    static const struct { fate first, second; int opened; chatgptt_code code;
    } rows[] = {
        { CLOSE, (fate)-1, 2, CHATGPTT_DONE },        { RESET, (fate)-1, 2, CHATGPTT_DONE },
        { CUT_WRITE, (fate)-1, 2, CHATGPTT_DONE },    { ONE_BYTE, (fate)-1, 1, CHATGPTT_E_CLOSED },
        { INTERIM, (fate)-1, 1, CHATGPTT_E_CLOSED },  { HEAD, (fate)-1, 1, CHATGPTT_E_REPLY },
        { SILENCE, (fate)-1, 1, CHATGPTT_E_TIMEOUT }, { GARBAGE, (fate)-1, 1, CHATGPTT_E_HTTP },
        { CLOSE, CLOSE, 2, CHATGPTT_E_CLOSED },       { CLOSE, RESET, 2, CHATGPTT_E_CLOSED },
        { RESET, CUT_WRITE, 2, CHATGPTT_E_CLOSED },   { CUT_WRITE, ONE_BYTE, 2, CHATGPTT_E_CLOSED },
        { BROKEN, (fate)-1, 1, CHATGPTT_E_IO },       { CLOSE, BROKEN, 2, CHATGPTT_E_IO },
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        /* warm: taken from the client's idle ones; else straight after the page */
        for (int warm = 0; warm < 2; warm++) {
            script s;
            script_init(&s);
            script_page(&s);
            if (warm) script_answer(&s);
            script_fate(&s, rows[i].first);
            script_connection(&s);
            if (rows[i].second == (fate)-1) script_answer(&s);
            else script_fate(&s, rows[i].second);
            chatgptt_client *c = open_on(&s);
            outcome o = ask(c);
            if (warm) { answered(&o); o = ask(c); }
            CHECK_INT(o.code, rows[i].code);
            CHECK_INT(s.opened, rows[i].opened);
            CHECK_INT(o.stats.connections, rows[i].opened - warm);
            if (check_now.bad) printf("    row %zu, warm %d: %s\n", i, warm, o.error.message);
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* ---- hosts and addresses ---- */

TEST(literals_have_brackets_in_host_only)
{
    static const struct { const char *url, *host, *port, *header;
    } rows[] = {
        { "http://[::1]/", "::1", "80", "[::1]" },
        { "http://[::1]:8080/x", "::1", "8080", "[::1]:8080" },
        { "http://[2001:DB8::A]:80/", "2001:db8::a", "80", "[2001:db8::a]" },
        { "http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", "80", "[::ffff:127.0.0.1]" },
        { "http://127.0.0.1:81/", "127.0.0.1", "81", "127.0.0.1:81" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        char host[100];
        script_init(&s);
        script_page(&s);
        script_answer(&s);
        chatgptt_options options = script_options(&s);
        options.url = rows[i].url;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o = ask(c);
        answered(&o);
        CHECK_STR(s.peers[0].host, rows[i].host);
        CHECK_STR(s.peers[0].port, rows[i].port);
        for (int n = 0; n < 2; n++)
            CHECK_STR(script_header(&s, 0, n, "Host", host, sizeof host), rows[i].header);
        chatgptt_close(c);
        script_finish(&s);
    }
}

TEST(scopes_are_refused)
{
    static const char *const urls[] = { "http://[fe80::1%eth0]/", "http://[fe80::1%25eth0]/",
                                        "https://[fe80::1%1]:443/", "http://[::1%]/" };
    for (size_t i = 0; i < ROWS(urls); i++)
        for (int how = 0; how < 3; how++) {
            script s;
            chatgptt_error error;
            script_init(&s);
            chatgptt_options options = script_options(&s);
            *(how == 0 ? &options.url : how == 1 ? &options.endpoint : &options.proxy) = urls[i];
            if (how == 2 && strncmp(urls[i], "https", 5) == 0) continue;
            CHECK(!chatgptt_open(&options, &error));
            CHECK_INT(error.code, CHATGPTT_E_ARGUMENT);
            CHECK(strstr(error.message, "scope") != NULL);
            CHECK_INT(s.opened, 0);
        }
}

/* No name for an address in the ClientHello; the certificate is compared with it all the same. */
TEST(no_sni_for_addresses)
{
    NEEDS_TLS;
    static const struct { bool v6; const char *host, *sni; chatgptt_code code;
    } rows[] = {
        { true, "[::1]", "", CHATGPTT_DONE },
        { false, "127.0.0.1", "", CHATGPTT_E_CERTIFICATE },
        { false, "site.test", "site.test", CHATGPTT_DONE },
    };
    newer = late = false;
    for (size_t i = 0; i < ROWS(rows); i++) {
        static tls_site s;
        tls_site_settings settings = {
            .chain = { &leaf }, .answer = whole_reply, .keep = true, .v6 = rows[i].v6
        };
        if (!tls_site_start(&s, &settings)) { puts("    no IPv6 here"); continue; }
        chatgptt_client *c = open_tls(rows[i].host, s.port, rows[i].v6 ? NULL : "127.0.0.1");
        outcome o = ask(c);
        CHECK_INT(o.code, rows[i].code);
        chatgptt_close(c);
        tls_site_stop(&s);
        CHECK_STR(s.sni, rows[i].sni);
    }
}

TEST(address_must_be_numeric)
{
    static const char *const bad[] = {"localhost", "", "1.2.3", "[::1]", "127.0.0.1:80", "x"};
    for (size_t i = 0; i < ROWS(bad); i++) {
        chatgptt_options options;
        memset(&options, 0, sizeof options);
        options.url = "http://site.test:9/", options.address = bad[i];
        chatgptt_client *c = chatgptt_open(&options, NULL);
        outcome o;
        memset(&o, 0, sizeof o);
        if (c) o = ask(c);
        if (strcmp(bad[i], "1.2.3") != 0 && !CHECK(!c || o.code == CHATGPTT_E_RESOLVE))
            printf("    \"%s\": %d %s\n", bad[i], o.code, o.error.message);
        chatgptt_close(c);
    }
}

/* ---- racing (RFC 8305), on real sockets and a fake clock ---- */

/* takes connections, never answers, refuses them */
typedef enum place { GOOD, HOLE, REFUSED, PLACES } place;

static int ports[PLACES], listeners[PLACES], fillers[4];

/* A hole is a listener whose queue is full. */
static bool make_places(void)
{
    for (int i = 0; i < PLACES; i++) listeners[i] = tls_site_bind(false, &ports[i]);
    if (listeners[GOOD] < 0 || listeners[HOLE] < 0 || listeners[REFUSED] < 0) return false;
    close(listeners[REFUSED]);
    listen(listeners[HOLE], 0);
    for (int i = 0; i < 4; i++) {
        struct sockaddr_in to;
        memset(&to, 0, sizeof to);
        to.sin_family = AF_INET, to.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        to.sin_port = htons((uint16_t)ports[HOLE]);
        fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fillers[i], F_SETFL, O_NONBLOCK);
        (void)connect(fillers[i], (struct sockaddr *)&to, sizeof to);
    }
    site_sleep_ms(30);
    return true;
}

static void close_places(void)
{
    for (int i = 0; i < 4; i++) close(fillers[i]);
    close(listeners[GOOD]);
    close(listeners[HOLE]);
}

static struct addrinfo *address_of(place at)
{
    struct addrinfo hints, *a = NULL;
    char port[8];
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM, hints.ai_flags = AI_NUMERICHOST;
    snprintf(port, sizeof port, "%d", ports[at]);
    if (getaddrinfo("127.0.0.1", port, &hints, &a) != 0) abort();
    return a;
}

/* A row's letters are the places in the resolver's order; wanted is the time at which one is connected, -1:
   not within 15 s, -2: refused; and the most attempts that were open at once. */
TEST(addresses_race)
{
    static const struct { const char *places; int ms, open;
    } rows[] = {
        { "G", 0, 1 },
        { "R", -2, 1 },
        { "RG", 0, 1 },
        { "RRRRG", 0, 1 },
        { "HG", 250, 2 },
        { "HRG", 250, 2 },
        { "HRRRG", 250, 2 },
        { "RHG", 250, 2 },
        { "GH", 0, 1 },
        { "H", -1, 1 },
        { "HH", -1, 2 },
        { "HHG", 1250, 2 },
        { "HHRG", 1250, 2 },
        { "HHHG", 2250, 2 },
        { "HHHHHHHHHHHHHG", 12250, 2 },
        { "HHHHHHHHHHHHHHHG", 14250, 2 },
        { "HHHHHHHHHHHHHHHHG", -1, 2 },
        { "RRRRRRRRRRRRRRRG", 0, 1 },
        { "RRRRRRRRRRRRRRRRG", -2, 1 },
        { "RRRRRRRRRRRRRRRR", -2, 1 },
        { "HRR", -1, 2 },
        { "RRH", -1, 1 },
    };
    if (!make_places()) SKIP("no sockets");
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        script_init(&s);
        chatgptt_hooks hooks = script_hooks(&s);
        cgt_net net;
        void *conn = NULL;
        size_t done;
        int most = 0, turns = 0;
        memset(&net, 0, sizeof net);
        net.hooks = &hooks, net.address = "127.0.0.1";
        if (!CHECK_INT(cgt_net_open(&net, "site.test", "9", &conn), CHATGPTT_OK)) break;
        cgt_socket *sock = (cgt_socket *)conn;
        freeaddrinfo(sock->list);
        sock->list = NULL;
        struct addrinfo **end = &sock->list;
        for (const char *at = rows[i].places; *at; at++, end = &(*end)->ai_next)
            *end = address_of(*at == 'G' ? GOOD : *at == 'H' ? HOLE : REFUSED);
        sock->next = sock->list;                /* all of one family */
        chatgptt_code code = CHATGPTT_AGAIN;
        unsigned generation = 0;
        while (code == CHATGPTT_AGAIN && s.now <= 16000 && CHECK(turns++ < 200)) {
            code = cgt_net_write(&net, conn, "x", 1, &done);
            chatgptt_wait w = cgt_net_want(&net, conn);
            CHECK(w.generation >= generation);
            generation = w.generation;
            if (w.count > most) most = w.count;
            if (code != CHATGPTT_AGAIN) break;
            struct pollfd on[2] = {{w.on[0].fd, POLLOUT, 0}, {w.on[1].fd, POLLOUT, 0}};
            if (poll(on, (nfds_t)w.count, 1) > 0) continue;         /* one has come to something */
            s.now += w.timeout_ms < 0 ? 100000 : w.timeout_ms;
            CHECK(w.timeout_ms != 0);
        }
        CHECK_INT(code, rows[i].ms == -1   ? CHATGPTT_AGAIN
                        : rows[i].ms == -2 ? CHATGPTT_E_CONNECT
                                           : CHATGPTT_OK);
        if (rows[i].ms >= 0) CHECK_INT(s.now - 1000, rows[i].ms);
        if (rows[i].ms == -2) CHECK_INT(net.sys_errno, ECONNREFUSED);
        if (code == CHATGPTT_OK) CHECK(sock->fd[0] >= 0 && sock->fd[1] < 0 && !sock->list);
        CHECK_INT(most, rows[i].open);
        if (check_now.bad) {
            printf("    row %zu: %s\n", i, rows[i].places);
            cgt_net_close(&net, conn);
            break;
        }
        cgt_net_close(&net, conn);
        if (code == CHATGPTT_OK) close(accept(listeners[GOOD], NULL, NULL));
        script_finish(&s);
    }
    close_places();
}

/* Families alternate, the first one's first; how many are tried at most says addresses_race. */
TEST(families_alternate)
{
    CHECK(sizeof(cgt_socket) <= 64);
    static const char *const rows[][2] = {
        { "4", "4" },
        { "6", "6" },
        { "64", "64" },
        { "46", "46" },
        { "6664", "6466" },
        { "666444", "646464" },
        { "466664", "464666" },
        { "444466", "464644" },
        { "66666666666666666664", "64666666666666666666" },
        { "6666666666444444444", "6464646464646464646" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct addrinfo list[24];
        char got[ROWS(list) + 1] = "";
        int last[2] = {-1, -1};
        memset(list, 0, sizeof list);
        for (size_t k = 0; rows[i][0][k]; k++) {
            list[k].ai_family = rows[i][0][k] == '6' ? AF_INET6 : AF_INET;
            if (k) list[k - 1].ai_next = &list[k];
        }
        cgt_socket_alternate(list);
        char *now = got;
        for (const struct addrinfo *a = list; a; a = a->ai_next) {
            int six = a->ai_family == AF_INET6, at = (int)(a - list);
            *now++ = six ? '6' : '4';
            CHECK(at > last[six]);                      /* within a family the resolver's order */
            last[six] = at;
        }
        CHECK_STR(got, rows[i][1]);
    }
}

/* ---- descriptors ---- */

static int descriptors_at_start;

TEST(no_descriptor_is_left)
{
    if (descriptors_at_start < 0) SKIP("no /proc/self/fd");
    CHECK_INT(open_descriptors(), descriptors_at_start);
}

int main(void)
{
    descriptors_at_start = open_descriptors();
    certs_open();
    make_certificates();
    make_answers();
    RUN(one_connection_serves_all);
    RUN(one_handshake_serves_all);
    RUN(draining);
    RUN(idle_cap);
    RUN(idle_age);
    RUN(origins_are_kept_apart);
    RUN(looked_at_before_use);
    RUN(sent_again_by_the_one_safe_rule);
    RUN(literals_have_brackets_in_host_only);
    RUN(scopes_are_refused);
    RUN(no_sni_for_addresses);
    RUN(address_must_be_numeric);
    RUN(addresses_race);
    RUN(families_alternate);
    RUN(no_descriptor_is_left);
    certs_close();
    return check_report("reuse");
}
