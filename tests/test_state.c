/* test_state.c - save and load: a later client starts where this one was, with tokens of their true age, ids,
   cookies, TLS session; damaged, foreign and hostile bytes change nothing. */
#include "tls_site.h"
#include "chat.h"
#define CHATGPTT_IMPLEMENTATION
#include "script.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))

/* ---- a site on a script ---- */

static char bytes_of[40][1200];
static int bytes_used;

/* A chunked response; lives as long as the case. */
static const char *response(const char *type, const char *headers, const char *body)
{
    char *out = bytes_of[bytes_used++ % 40];
    size_t len = chat_chunked(out, sizeof bytes_of[0] - 6, type, headers, body);
    memcpy(out + len, CHAT_LAST, 6);
    return out;
}
static void script_answer(script *s, const char *headers, const char *body)
{
    script_request(s);
    script_say(s, response(strncmp(body, "data:", 5) == 0 || strncmp(body, "event:", 6) == 0
                               ? "text/event-stream"
                               : "text/html",
                           headers, body));
}

static chatgptt_client *open_on(script *s, const chatgptt_options *more)
{
    chatgptt_options options = script_options(s);
    chatgptt_error error;
    if (more) {
        if (more->url) options.url = more->url;
        options.endpoint = more->endpoint, options.bot_id = more->bot_id, options.client_id = more->client_id,
        options.dialect = more->dialect;
    }
    chatgptt_client *c = chatgptt_open(&options, &error);
    if (!c) check_fail(__FILE__, __LINE__, "open: %s", error.message);
    return c;
}

static chatgptt_code ask(chatgptt_client *c)
{
    char *answer = chatgptt_ask(c, "hi");
    if (answer) CHECK_STR(answer, CHAT_ANSWER);
    chatgptt_free(c, answer);
    return chatgptt_client_error(c)->code;
}

/* ---- states ---- */

typedef struct state { char bytes[20000]; size_t len; } state;

static state save(const chatgptt_client *c)
{
    static state st;
    memset(&st, 0, sizeof st);
    st.len = chatgptt_save(c, st.bytes, sizeof st.bytes);
    CHECK(st.len > 0 && st.len <= sizeof st.bytes);
    return st;
}

static chatgptt_code load(chatgptt_client *c, const state *st) {
    return chatgptt_load(c, st->bytes, st->len);
}

/* Records of one's own, or changed ones, with the sum that belongs to them. */
static void put(state *st, char tag, const char *text, size_t len)
{
    st->bytes[st->len++] = tag;
    for (int i = 0; i < 4; i++) st->bytes[st->len++] = (char)(len >> (8 * i) & 0xff);
    memcpy(st->bytes + st->len, text, len);
    st->len += len;
}
static void seal(state *st)
{
    char digits[24];
    put(st, CGT_TAG_END, digits, cgt_digits(digits, cgt_fnv(0, cgt_slice_of(st->bytes, st->len)) >> 1));
}

/* Where the end record stands. */
static size_t seal_at(const state *st)
{
    char tag = 0;
    cgt_slice s,
        rest = cgt_slice_of(st->bytes + sizeof cgt_state_magic - 1, st->len - (sizeof cgt_state_magic - 1));
    size_t at = 0;
    while (tag != CGT_TAG_END) {
        at = (size_t)(rest.at - st->bytes);
        if (!cgt_next_record(&rest, &tag, &s)) abort();
    }
    return at;
}

/* Loads, which must be refused and change nothing. */
static bool check_refused(chatgptt_client *c, const state *st)
{
    static state before, after;
    before = save(c);
    bool refused =
        load(c, st) == CHATGPTT_E_ARGUMENT && chatgptt_client_error(c)->code == CHATGPTT_E_ARGUMENT;
    after = save(c);
    return CHECK(refused) &&
           CHECK(before.len == after.len && memcmp(before.bytes, after.bytes, before.len) == 0);
}

#define OLD_COOKIES                                                                         \
    "Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/wp-admin; Max-Age=3600\r\nSet-Cookie: c=3; " \
    "Domain=site.test\r\nSet-Cookie: d=4; Secure\r\nSet-Cookie: e=5; Path=/other\r\n"

/* A state of the older generation; the client that made it is closed. */
static state old_state(void)
{
    script s;
    state st;
    script_init(&s);
    script_connection(&s);
    script_answer(&s, OLD_COOKIES, CHAT_OLD_PAGE);
    script_answer(&s, "", CHAT_OLD_ANSWER);
    chatgptt_client *c = open_on(&s, &(chatgptt_options){ .client_id = "me-and-nobody-else" });
    CHECK_INT(ask(c), CHATGPTT_OK);
    st = save(c);
    chatgptt_close(c);
    script_finish(&s);
    return st;
}

static state new_state(const char *endpoint)
{
    script s;
    state st;
    script_init(&s);
    script_connection(&s);
    if (endpoint)
        script_answer(&s, "Set-Cookie: n=1\r\n",
                      "{\"success\":true,\"data\":{\"nonce\":\"" CHAT_NONCE "\"}}");
    else script_answer(&s, "Set-Cookie: n=1\r\n", CHAT_NEW_PAGE);
    script_answer(&s, "", CHAT_KEY);
    script_answer(&s, "", CHAT_NEW_ANSWER);
    chatgptt_client *c =
        open_on(&s, &(chatgptt_options){ .endpoint = endpoint,
                                         .bot_id = endpoint ? "7" : NULL,
                                         .dialect = endpoint ? CHATGPTT_AIPKIT : CHATGPTT_AUTO });
    CHECK_INT(ask(c), CHATGPTT_OK);
    st = save(c);
    chatgptt_close(c);
    script_finish(&s);
    return st;
}

/* ---- what a later client starts from ---- */

TEST(older_generation)
{
    state st = old_state(), again;
    script s;
    char text[500];
    script_init(&s);
    s.next_random = 77;
    script_connection(&s);
    script_answer(&s, "", CHAT_OLD_ANSWER);
    chatgptt_client *c = open_on(&s, NULL);
    CHECK_INT(load(c, &st), CHATGPTT_OK);
    CHECK_INT(chatgptt_client_error(c)->code, CHATGPTT_OK);
    CHECK_INT(chatgptt_client_site(c)->dialect, CHATGPTT_WPAICG);
    again = save(c);
    CHECK_MEM(again.bytes, again.len, st.bytes, st.len);
    CHECK_INT(ask(c), CHATGPTT_OK);
    CHECK_INT(s.opened, 1);
    CHECK_INT(script_count(&s, 0), 1);          /* the message, and no page */
    CHECK(script_head(&s, 0, 0, text, sizeof text) &&
          strncmp(text, "POST /wp-admin/admin-ajax.php ", 30) == 0);
    CHECK_STR(script_field(&s, 0, 0, "_wpnonce", text, sizeof text), CHAT_NONCE);
    CHECK_STR(script_field(&s, 0, 0, "post_id", text, sizeof text), "7");
    CHECK_STR(script_field(&s, 0, 0, "wpaicg_chat_client_id", text, sizeof text), "me-and-nobody-else");
    CHECK_STR(script_header(&s, 0, 0, "Cookie", text, sizeof text), "b=2; a=1; c=3");
    CHECK_STR(script_header(&s, 0, 0, "Referer", text, sizeof text), "http://site.test/");
    chatgptt_close(c);
    script_finish(&s);
}

TEST(newer_generation)
{
    static const char *const endpoints[] = {NULL, "http://site.test/x"};
    for (int i = 0; i < 2; i++) {
        state st = new_state(endpoints[i]), again;
        script s;
        char text[500], session[CHATGPTT_MAX_TOKEN];
        script_init(&s);
        s.next_random = 77;
        script_connection(&s);
        script_answer(&s, "", CHAT_KEY);
        script_answer(&s, "", CHAT_NEW_ANSWER);
        chatgptt_client *c =
            open_on(&s, &(chatgptt_options){ .endpoint = endpoints[i],
                                             .bot_id = endpoints[i] ? "7" : NULL,
                                             .dialect = endpoints[i] ? CHATGPTT_AIPKIT : CHATGPTT_AUTO });
        memcpy(session, c->session_id, sizeof c->session_id);
        CHECK_INT(load(c, &st), CHATGPTT_OK);
        again = save(c);
        CHECK_MEM(again.bytes, again.len, st.bytes, st.len);
        CHECK_INT(chatgptt_client_site(c)->dialect, CHATGPTT_AIPKIT);
        CHECK_STR(chatgptt_client_site(c)->bot_id, "7");
        CHECK_INT(ask(c), CHATGPTT_OK);
        CHECK_INT(script_count(&s, 0), 2);
        CHECK_STR(script_field(&s, 0, 0, "_ajax_nonce", text, sizeof text), CHAT_NONCE);
        CHECK_STR(script_field(&s, 0, 1, "session_id", text, sizeof text), c->session_id);
        CHECK(strcmp(c->session_id, session) != 0);
        CHECK_STR(script_header(&s, 0, 0, "Cookie", text, sizeof text), "n=1");
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* A nonce ages while nobody runs: from eleven hours after it was given out the page is read first. */
TEST(tokens_keep_their_age)
{
    for (int old = 0; old < 2; old++) {
        state st = old_state();
        script s;
        script_init(&s);
        s.unix_now += CGT_NONCE_SECONDS + old;
        script_connection(&s);
        if (old) script_answer(&s, "", CHAT_OLD_PAGE);
        script_answer(&s, "", CHAT_OLD_ANSWER);
        chatgptt_client *c = open_on(&s, NULL);
        CHECK_INT(load(c, &st), CHATGPTT_OK);
        CHECK_INT(ask(c), CHATGPTT_OK);
        CHECK_INT(script_count(&s, 0), 1 + old);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* So does a cookie, also when it is saved and loaded once more on the way. */
TEST(cookies_keep_their_age)
{
    for (int twice = 0; twice < 2; twice++)
        for (int over = 0; over < 2; over++) {
            state st = old_state();
            script s;
            char text[100];
            script_init(&s);
            script_connection(&s);
            script_answer(&s, "", CHAT_OLD_ANSWER);
            chatgptt_client *c = open_on(&s, NULL);
            s.unix_now += 1000;
            CHECK_INT(load(c, &st), CHATGPTT_OK);
            if (twice) { st = save(c); s.unix_now += 1000; CHECK_INT(load(c, &st), CHATGPTT_OK); }
            s.unix_now += 2599 + over - (twice ? 1000 : 0);
            CHECK_INT(ask(c), CHATGPTT_OK);
            CHECK_STR(script_header(&s, 0, 0, "Cookie", text, sizeof text),
                      over ? "a=1; c=3" : "b=2; a=1; c=3");
            chatgptt_close(c);
            script_finish(&s);
        }
}

/* Where the options ask for something else, its tokens are of no use; the ids are. */
TEST(options_come_first)
{
    static const struct { chatgptt_options options; bool page; const char *client_id;
    } rows[] = {
        { { .dialect = CHATGPTT_WPAICG }, false, "me-and-nobody-else" },
        { { .endpoint = "http://site.test/wp-admin/admin-ajax.php" }, false, "me-and-nobody-else" },
        { { .endpoint = "http://site.test/other" }, true, "me-and-nobody-else" },
        { { .bot_id = "9" }, true, "me-and-nobody-else" },
        { { .client_id = "somebody" }, false, "somebody" },
        { { .bot_id = "0" }, false, "me-and-nobody-else" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        state st = old_state();
        script s;
        char text[100];
        script_init(&s);
        script_connection(&s);
        if (rows[i].page)
            script_answer(&s, "",
                          CHAT_OLD_PAGE "<div data-nonce=\"" CHAT_NONCE
                                        "\" data-post-id=\"7\" data-bot-id=\"9\"></div>");
        script_answer(&s, "", CHAT_OLD_ANSWER);
        chatgptt_client *c = open_on(&s, &rows[i].options);
        CHECK_INT(load(c, &st), CHATGPTT_OK);
        CHECK_INT(ask(c), CHATGPTT_OK);
        if (!CHECK_INT(script_count(&s, 0), 1 + rows[i].page))
            printf("    row %zu: %s\n", i, chatgptt_client_error(c)->message);
        CHECK_STR(script_field(&s, 0, rows[i].page, "wpaicg_chat_client_id", text, sizeof text),
                  rows[i].client_id);
        chatgptt_close(c);
        script_finish(&s);
    }
}

TEST(a_client_that_asked_nothing)
{
    script s;
    state st;
    script_init(&s);
    chatgptt_client *c = open_on(&s, NULL), *d = open_on(&s, NULL);
    st = save(c);
    CHECK(strcmp(c->client_id, d->client_id) != 0);
    CHECK_INT(load(d, &st), CHATGPTT_OK);
    CHECK_STR(d->client_id, c->client_id);
    CHECK_STR(d->session_id, c->session_id);
    CHECK(!d->tokens);
    chatgptt_close(c);
    chatgptt_close(d);
    script_finish(&s);
}

TEST(sizes)
{
    state st = old_state();
    script s;
    char small[sizeof st.bytes];
    script_init(&s);
    chatgptt_client *c = open_on(&s, NULL);
    CHECK_INT(load(c, &st), CHATGPTT_OK);
    CHECK_INT(chatgptt_save(c, NULL, 0), st.len);
    CHECK_INT(chatgptt_save(c, NULL, sizeof small), st.len);
    memset(small, '#', sizeof small);
    CHECK_INT(chatgptt_save(c, small, st.len - 1), st.len);
    for (size_t i = 0; i < sizeof small; i++) if (!CHECK(small[i] == '#')) break;
    CHECK_INT(chatgptt_save(c, small, st.len), st.len);
    CHECK(small[st.len] == '#');
    CHECK_INT(chatgptt_load(c, NULL, 0), CHATGPTT_E_ARGUMENT);
    CHECK_INT(chatgptt_load(c, NULL, st.len), CHATGPTT_E_ARGUMENT);
    chatgptt_close(c);
    script_finish(&s);
}

TEST(every_allocation_fails)
{
    state st = old_state(), before, after;
    for (int saving = 0; saving < 2; saving++)
        for (long k = 1; k < 100; k++) {
            script s;
            script_init(&s);
            chatgptt_client *c = open_on(&s, NULL);
            if (saving) CHECK_INT(load(c, &st), CHATGPTT_OK);
            before = save(c);
            s.fail_at = s.allocations + k;
            chatgptt_code code = CHATGPTT_OK;
            if (saving) code = chatgptt_save(c, NULL, 0) ? CHATGPTT_OK : CHATGPTT_E_MEMORY;
            else code = load(c, &st);
            bool failed = s.allocations >= s.fail_at;
            s.fail_at = 0;
            CHECK_INT(code, failed ? CHATGPTT_E_MEMORY : CHATGPTT_OK);
            after = save(c);
            if (failed) CHECK_MEM(after.bytes, after.len, before.bytes, before.len);
            chatgptt_close(c);
            script_finish(&s);
            if (!failed) { CHECK(k > 3); break; }
            if (check_now.bad) { printf("    allocation %ld, %s\n", k, saving ? "save" : "load"); return; }
        }
}

/* ---- damaged, foreign, hostile ---- */

TEST(damaged_bytes)
{
    state good = old_state();
    static const unsigned char flips[] = {0x01, 0x80, 0x20, 0xff};
    script s;
    script_init(&s);
    chatgptt_client *c = open_on(&s, NULL);
    for (size_t at = 0; at < good.len && !check_now.bad; at++)
        for (size_t i = 0; i < sizeof flips; i++) {
            state st = good;
            st.bytes[at] = (char)((unsigned char)st.bytes[at] ^ flips[i]);
            if (!check_refused(c, &st)) printf("    byte %zu of %zu ^ %02x\n", at, good.len, flips[i]);
        }
    for (size_t len = 0; len < good.len && !check_now.bad; len++) {
        state st;
        memset(&st, 0, sizeof st);
        char *exact = (char *)malloc(len ? len : 1);        /* so that reading past its end shows */
        if (!exact) abort();
        memcpy(exact, good.bytes, len);
        if (!CHECK_INT(chatgptt_load(c, exact, len), CHATGPTT_E_ARGUMENT)) printf("    cut at %zu\n", len);
        free(exact);
    }
    for (int c2 = 0; c2 < 256; c2++) {
        state st = good;
        st.bytes[st.len++] = (char)c2;
        check_refused(c, &st);
    }
    CHECK_INT(load(c, &good), CHATGPTT_OK);
    chatgptt_close(c);
    script_finish(&s);
}

TEST(of_another_site)
{
    NEEDS_TLS;
    static const char *const urls[] = { "http://site.test:81/", "http://www.site.test/",
                                        "http://site.test/chat", "http://site.test/?", "https://site.test/" };
    state st = old_state();
    for (size_t i = 0; i < ROWS(urls); i++) {
        script s;
        script_init(&s);
        chatgptt_options options = script_options(&s);
        options.url = urls[i], options.insecure = true;
        chatgptt_client *c = chatgptt_open(&options, NULL);
        check_refused(c, &st);
        CHECK(strstr(chatgptt_client_error(c)->message, "another site") != NULL);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Bytes with a sum that fits: each record by itself is looked at. */
#define HOME "http://site.test/"
TEST(hostile_records)
{
    static char longer[CHATGPTT_MAX_URL + 100];
    memset(longer, 'x', sizeof longer - 1);
    static const struct { char tag; const char *text; size_t len; bool good;
    } rows[] = {
#define ROW(tag, text, good) {tag, text, sizeof (text) - 1, good}
        ROW('h', HOME, true),
        ROW('h', "http://evil.test/", false),
        ROW('h', "", false),
        ROW('n', "abc", true),
        ROW('n', "a\r\nX: y", false),
        ROW('n', "a\0b", false),
        ROW('n', "\xff", false),
        { 'n', longer, CHATGPTT_MAX_TOKEN - 1, true },
        { 'n', longer, CHATGPTT_MAX_TOKEN, false },
        { 'i', longer, 200, false },
        { 'b', longer, 200, false },
        { 'c', longer, 200, false },
        { 's', longer, 200, false },
        ROW('c', "a\nb", false),
        ROW('s', "a\x7f", false),
        ROW('N', "a\x01", false),
        ROW('G', "Hi \xe2\x82\xac", true),
        ROW('G', "\xe2\x82", false),
        ROW('P', "\r", false),
        ROW('C', "\t", false),
        ROW('p', "http://site.test/a", true),
        ROW('p', "http://site.test/\r\nX: y", false),
        ROW('p', "ftp://site.test/", false),
        ROW('p', "site.test", false),
        ROW('p', "http://user@site.test/", false),
        ROW('p', "http://[fe80::1%1]/", false),
        ROW('p', "", false),
        { 'p', longer, sizeof longer - 1, false },
        ROW('e', "https://site.test/x", true),
        ROW('e', "http://a:b@site.test/", false),
        ROW('e', "javascript:x", false),
        ROW('e', "http://site.test/\0", false),
        ROW('d', "1", true),
        ROW('d', "2", true),
        ROW('d', "3", false),
        ROW('d', "-1", false),
        ROW('d', "x", false),
        ROW('d', "1x", false),
        ROW('d', "", false),
        ROW('t', "0", true),
        ROW('t', "9999999999", true),
        ROW('t', "99999999999999999999999", false),
        ROW('t', "-5", false),
        ROW('w', "99999999999999999999999", false),
        ROW('f', "31", true),
        ROW('f', "99", false),
        ROW('l', "100000", true),
        ROW('l', "100001", false),
        ROW('k', "a=1", false),
        ROW('x', "y", false),
        ROW('\0', "", false),
        ROW('\xff', "y", false),
        ROW('T', "", true),
        ROW('T', "garbage", true),
        { 'T', longer, 4000, true },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        script s;
        state st;
        memset(&st, 0, sizeof st);
        script_init(&s);
        chatgptt_client *c = open_on(&s, NULL);
        memcpy(st.bytes, cgt_state_magic, st.len = sizeof cgt_state_magic - 1);
        put(&st, 'h', HOME, sizeof HOME - 1);
        put(&st, rows[i].tag, rows[i].text, rows[i].len);
        seal(&st);
        if (rows[i].good ? !CHECK_INT(load(c, &st), CHATGPTT_OK) : !check_refused(c, &st))
            printf("    row %zu: %c \"%.20s\"\n", i, rows[i].tag, rows[i].text);
        chatgptt_close(c);
        script_finish(&s);
    }
}

TEST(hostile_lengths)
{
    static const struct {
        unsigned long len;
        const char *after;
    } rows[] = { { 0xffffffff, "abc" }, { 0x7fffffff, "" }, { 0x80000000, "abc" },
                 { 4, "abc" },          { 3, "ab" },        { 1, "" } };
    script s;
    script_init(&s);
    chatgptt_client *c = open_on(&s, NULL);
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int home = 0; home < 2; home++) {
            state st;
            memset(&st, 0, sizeof st);
            memcpy(st.bytes, cgt_state_magic, st.len = sizeof cgt_state_magic - 1);
            if (home) put(&st, 'h', HOME, sizeof HOME - 1);
            st.bytes[st.len++] = i & 1 ? '.' : 'n';
            for (int k = 0; k < 4; k++) st.bytes[st.len++] = (char)(rows[i].len >> (8 * k) & 0xff);
            memcpy(st.bytes + st.len, rows[i].after, strlen(rows[i].after));
            st.len += strlen(rows[i].after);
            check_refused(c, &st);
        }
    state only;
    memset(&only, 0, sizeof only);
    memcpy(only.bytes, cgt_state_magic, only.len = sizeof cgt_state_magic - 1);
    seal(&only);
    check_refused(c, &only);            /* nobody's */
    chatgptt_close(c);
    script_finish(&s);
}

/* Whatever is loaded, requests stay requests: what the client then writes is one that can be read back,
   without a line more. */
TEST(hostile_bytes_at_random)
{
    state good[2];
    unsigned seed = 12345;
    int taken = 0;
    good[0] = old_state();
    good[1] = new_state(NULL);
    for (int n = 0; n < 4000 && !check_now.bad; n++) {
        script s;
        state st = good[n & 1];
        char head[2000];
        st.len = seal_at(&st);
        for (int k = 0; k <= (n >> 1) % 4; k++) {
            seed = seed * 1103515245u + 12345u;
            size_t at = sizeof cgt_state_magic - 1 + (seed >> 8) % (st.len - sizeof cgt_state_magic);
            seed = seed * 1103515245u + 12345u;
            st.bytes[at] = (seed >> 8) % 3 ? (char)(seed >> 16) : "\r\n\0 ;=%/"[(seed >> 16) % 8];
        }
        seal(&st);
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_end(&s);
        chatgptt_client *c = open_on(&s, NULL);
        s.peers[0].refusal = CHATGPTT_OK;
        if (load(c, &st) == CHATGPTT_OK) {
            taken++;
            CHECK(chatgptt_ask(c, "hi") == NULL);
            if (s.opened && CHECK(script_head(&s, 0, 0, head, sizeof head) != NULL)) {
                int lines = 0;
                for (const char *at = head; *at; at++) {
                    if (*at == '\n') { lines++; CHECK(at > head && at[-1] == '\r'); }
                    CHECK(!cgt_control(*at) || *at == '\r' || *at == '\n' || *at == '\t');
                }
                CHECK(lines <= 12);
                CHECK_INT(s.peers[0].requests_end, s.peers[0].written_len);
            }
        }
        chatgptt_close(c);
        script_finish(&s);
    }
    CHECK(taken > 100);
}

/* ---- TLS sessions ---- */

static cert root, leaf;
static char root_pem[CERT_PEM_MAX], noisy_pem[2 * CERT_PEM_MAX], both_pem[2 * CERT_PEM_MAX];

static void make_certificates(void)
{
    cert_spec of_root = { .cn = "Root", .ca = true, .key_slot = 1 },
              of_other = { .cn = "Other", .ca = true, .key_slot = 2 }, of_leaf = { .san = "DNS:site.test" };
    static cert other;
    char other_pem[CERT_PEM_MAX];
    cert_make(&root, &of_root, NULL);
    cert_make(&other, &of_other, NULL);
    cert_make(&leaf, &of_leaf, &root);
    cert_pem(&root, root_pem, sizeof root_pem);
    cert_pem(&other, other_pem, sizeof other_pem);
    snprintf(noisy_pem, sizeof noisy_pem, "the same root\n%s", root_pem);
    snprintf(both_pem, sizeof both_pem, "%s%s", other_pem, root_pem);
}

static size_t serve(const http_request *request, char *out, size_t size)
{
    size_t len = chat_reply(request, false, "", out, size - 6);
    memcpy(out + len, CHAT_LAST, 6);
    return len + 5;
}

static chatgptt_client *open_tls(const char *host, int port, const char *pem)
{
    char url[100];
    chatgptt_options options;
    memset(&options, 0, sizeof options);
    snprintf(url, sizeof url, "https://%s:%d/", host, port);
    options.url = url, options.address = "127.0.0.1", options.ca_pem = pem, options.insecure = !pem;
    return chatgptt_open(&options, NULL);
}

static bool start_tls(tls_site *site, int max_version)
{
    tls_site_settings settings = {
        .chain = { &leaf }, .answer = serve, .keep = true, .tickets = true, .max_version = max_version
    };
    return CHECK(tls_site_start(site, &settings));
}

/* The second client resumes the first one's session, if it trusts the same roots and no more. */
TEST(sessions_are_resumed)
{
    NEEDS_TLS;
    static const struct {
        const char *pem;
        bool resumed;
    } rows[] = { { root_pem, true }, { noisy_pem, true }, { both_pem, false }, { NULL, false } };
    for (int version = 0; version <= TLS_1_2; version += TLS_1_2)
        for (size_t i = 0; i < ROWS(rows); i++) {
            static tls_site site;
            chatgptt_event event;
            if (!start_tls(&site, version)) return;
            chatgptt_client *c = open_tls("site.test", site.port, root_pem);
            CHECK_INT(ask(c), CHATGPTT_OK);
            state st = save(c);
            chatgptt_close(c);
            c = open_tls("site.test", site.port, rows[i].pem);
            CHECK_INT(load(c, &st), CHATGPTT_OK);
            chatgptt_request request = { .prompt = "hi" };
            chatgptt_stream *stream = chatgptt_start(c, &request);
            while (chatgptt_next(stream, &event) == CHATGPTT_OK) continue;
            CHECK_INT(chatgptt_stream_error(stream)->code, CHATGPTT_OK);
            CHECK_INT(chatgptt_stream_stats(stream)->resumed, rows[i].resumed);
            CHECK_INT(chatgptt_stream_stats(stream)->requests, 1);
            chatgptt_finish(stream);
            chatgptt_close(c);
            tls_site_stop(&site);
            CHECK_INT(site.handshakes, 2);
            CHECK_INT(site.resumed, rows[i].resumed);
            CHECK_INT(site.requests, 3);
        }
}

/* Sessions with every byte wrong in turn, under a sum that fits: loading them does no harm, and the site is
   reached all the same. */
TEST(sessions_damaged)
{
    NEEDS_TLS;
    static tls_site site;
    if (!start_tls(&site, 0)) return;
    chatgptt_client *c = open_tls("site.test", site.port, root_pem);
    CHECK_INT(ask(c), CHATGPTT_OK);
    state good = save(c);
    chatgptt_close(c);
    size_t end = seal_at(&good), from = 0;
    char tag = 0;
    cgt_slice s,
        rest = cgt_slice_of(good.bytes + sizeof cgt_state_magic - 1, good.len - (sizeof cgt_state_magic - 1));
    while (tag != CGT_TAG_TLS) {
        from = (size_t)(rest.at - good.bytes);
        if (!CHECK(cgt_next_record(&rest, &tag, &s))) break;
    }
    for (size_t at = from + 5; at < end; at++) {
        state st = good;
        st.bytes[at] = (char)~st.bytes[at];
        st.len = end;
        seal(&st);
        c = open_tls("site.test", site.port, root_pem);
        CHECK_INT(load(c, &st), CHATGPTT_OK);
        save(c);
        if (at % 7 == 0 && !CHECK_INT(ask(c), CHATGPTT_OK))
            printf("    byte %zu: %s\n", at - from, chatgptt_client_error(c)->message);
        chatgptt_close(c);
    }
    tls_site_stop(&site);
}

/* ---- a conversation, alone ---- */

TEST(conversations_go_on_elsewhere)
{
    chatgptt_conversation kept;
    const chatgptt_message turns[] = { { CHATGPTT_USER, "one", 0 },
                                       { CHATGPTT_ASSISTANT, CHAT_ANSWER, 0 },
                                       { CHATGPTT_USER, "two", 0 } };
    char ids[2][2][60], text[100];
    memset(&kept, 0, sizeof kept);
    for (int n = 0; n < 2; n++) {
        script s;
        script_init(&s);
        s.next_random = (unsigned char)(n * 99);
        script_connection(&s);
        script_answer(&s, "", CHAT_NEW_PAGE);
        script_answer(&s, "", CHAT_KEY);
        script_answer(&s, "", CHAT_NEW_ANSWER);
        chatgptt_client *c = open_on(&s, NULL);
        chatgptt_request request = { .messages = turns, .num_messages = n ? 3 : 1, .conversation = &kept };
        CHECK_INT(chatgptt_chat(c, &request, NULL, NULL), CHATGPTT_DONE);
        CHECK_STR(script_field(&s, 0, 1, "message", text, sizeof text), n ? "two" : "one");
        CHECK(script_field(&s, 0, 2, "session_id", ids[n][0], sizeof ids[n][0]) != NULL);
        CHECK(script_field(&s, 0, 2, "conversation_uuid", ids[n][1], sizeof ids[n][1]) != NULL);
        if (n) CHECK(strcmp(ids[1][0], c->session_id) != 0);
        chatgptt_close(c);
        script_finish(&s);
    }
    for (int i = 0; i < 2; i++) CHECK_STR(ids[1][i], ids[0][i]);
}

int main(void)
{
    certs_open();
    make_certificates();
    RUN(older_generation);
    RUN(newer_generation);
    RUN(tokens_keep_their_age);
    RUN(cookies_keep_their_age);
    RUN(options_come_first);
    RUN(a_client_that_asked_nothing);
    RUN(sizes);
    RUN(every_allocation_fails);
    RUN(damaged_bytes);
    RUN(of_another_site);
    RUN(hostile_records);
    RUN(hostile_lengths);
    RUN(hostile_bytes_at_random);
    RUN(sessions_are_resumed);
    RUN(sessions_damaged);
    RUN(conversations_go_on_elsewhere);
    certs_close();
    return check_report("state");
}
