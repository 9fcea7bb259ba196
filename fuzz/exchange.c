/* exchange.c - the engine against what a server does. Input: a byte of options (see plan), a byte for the
   cuts, then what comes on the connections, one after another, on each after a first request. In it \x01
   waits for one more request, \x02 ends the connection and begins the next, \x03 is a second of silence,
   \x04 breaks the connection, \x05 resets it, \x06 has the next one refused. Up to three requests are made,
   on kept connections if they allow it. None goes out again but by the one safe rule or redirected; over TLS
   nothing plain is sent, and from https nothing leads to http; a cookie goes back to where it came from; no
   error tells a query, a body or a login; nobody waits 0 ms for nothing; memory has a bound; cuts change
   nothing. */
#include "marks.h"

enum { EXCHANGES = 3, MAX_MEMORY = 40000, MAX_STEPS = 20000, MAX_ZERO_WAITS = 20 };

#define HIDDEN "SECRET" /* in the first address, the forms and the proxy's login */

static struct {
    script s;
    bool post, proxy, crossed, kept_now;
    cgt_follow follow;
    int number; /* of the exchange */
    script_peer *at; /* where its request went last ... */
    size_t mark, wrote; /* ... what that had delivered before, and how much was written */
    long long wrote_at;
    int repeats;
} now;

/* ---- what is watched ---- */

static bool is_tls(const script_peer *peer) { return strcmp(peer->port, "443") == 0; }

static chatgptt_code note_write(void *user, void *conn, const void *bytes, size_t size, size_t *done) {
    script_peer *peer = (script_peer *)conn;
    const script_act *is_on = script_advance(peer);
    /* what the far side did meanwhile shows in time, or not: chance, so that such runs are not compared */
    now.crossed |=
        is_on && (is_on->kind == SCRIPT_SEND || is_on->kind == SCRIPT_END || is_on->kind == SCRIPT_FAIL);
    if (now.at != peer) {
        now.at = peer;
        now.mark = peer->delivered;
        now.kept_now = peer->delivered > 0;
        now.wrote = 0;
    }
    chatgptt_code code = script_write(user, conn, bytes, size, done);
    if (code == CHATGPTT_OK) {
        now.wrote += *done;
        now.wrote_at = now.s.now;
    }
    /* records of a handshake or an alert, once their first byte is there */
    if (is_tls(peer) && peer->written_len) FUZZ_CHECK(peer->written[0] == 0x16 || peer->written[0] == 0x15);
    return code;
}

/* The engine tells of each new attempt. */
static void note_trace(void *user, const char *what, const char *text, size_t len) {
    (void)user;
    if (strcmp(what, "redirect") == 0) now.at = NULL;
    if (strcmp(what, "retry") != 0) return;
    if (cgt_contains(cgt_slice_of(text, len), "was closed")) {
        FUZZ_CHECK(now.at && now.kept_now && now.at->delivered == now.mark && ++now.repeats == 1);
        /* connecting takes no time in a script */
        FUZZ_CHECK(!now.wrote || now.s.now - now.wrote_at <= 1000);
    } else FUZZ_CHECK(!now.at); /* not a byte of it went out */
    now.at = NULL;
}

static chatgptt_options make_options(script *s) {
    chatgptt_options o = script_options(s);
    o.transport.write = note_write;
    o.hooks.trace = note_trace;
    o.url = "http://site.test/page?token=" HIDDEN "Q";
    if (now.proxy) o.proxy = "http://ann:" HIDDEN "P@proxy.test:3128";
    o.insecure = true;
    o.connect_timeout_ms = 4000;
    o.idle_timeout_ms = 5000;
    o.total_timeout_ms = 30000;
    o.max_redirects = 5;
    o.max_header_bytes = 2000;
    return o;
}

/* ---- one exchange ---- */

static void check_error(const chatgptt_error *error, chatgptt_code code, bool told_by_input) {
    FUZZ_CHECK(code == error->code && error->message[0]);
    FUZZ_CHECK(cgt_utf8_valid(cgt_text(error->message)) && !cgt_has_control(cgt_text(error->message)));
    FUZZ_CHECK(told_by_input || !strstr(error->message, HIDDEN));
}

static chatgptt_code begin_exchange(cgt_exchange *x, chatgptt_client *c, chatgptt_error *error,
                                    chatgptt_stats *stats) {
    long long t = cgt_now(&c->hooks);
    cgt_exchange_setup setup = { &c->pool, &c->cookies, error, stats, t + 30000 };
    char form[60];
    cgt_asks asks;
    cgt_url url;
    if (cgt_url_copy(&url, &c->hooks, &c->home) < 0)
        return cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for the request");
    memset(&asks, 0, sizeof asks);
    bool post = now.post != (now.number == 1);
    asks.method = post ? "POST" : "GET";
    asks.user_agent = "fuzz";
    asks.accept = "*/*";
    snprintf(form, sizeof form, "number=%d&text=" HIDDEN "B", now.number);
    if (post) asks.body = cgt_text(form);
    chatgptt_code code = cgt_exchange_begin(x, &setup, &url, &asks, t);
    x->follow = now.follow;
    x->max_body = 3000;
    return code;
}

/* Waits; to say "now" again and again is no waiting. */
static void wait_for(const cgt_exchange *x, int *zero_waits) {
    long long before = now.s.now;
    chatgptt_wait want = cgt_exchange_want(x, before);
    *zero_waits = want.timeout_ms == 0 ? *zero_waits + 1 : 0;
    FUZZ_CHECK(*zero_waits <= MAX_ZERO_WAITS && want.count >= 0 && want.count <= 2);
    (void)cgt_pool_wait(x->pool, &want);
    FUZZ_CHECK(!now.s.hung);
}

static void exchange(chatgptt_client *c, bool told_by_input, feed_log *log) {
    static cgt_exchange x;
    chatgptt_error error;
    chatgptt_stats stats;
    int zero_waits = 0, steps = 0;
    size_t body = 0;
    memset(&x, 0, sizeof x);
    memset(&stats, 0, sizeof stats);
    memset(&error, 0, sizeof error);
    now.at = NULL;
    now.repeats = 0;
    chatgptt_code code = begin_exchange(&x, c, &error, &stats);
    bool begun = code == CHATGPTT_OK;
    while (code == CHATGPTT_OK || code == CHATGPTT_AGAIN) {
        FUZZ_CHECK(++steps < MAX_STEPS);
        code = cgt_exchange_step(&x, now.s.now);
        if (code == CHATGPTT_AGAIN) {
            wait_for(&x, &zero_waits);
            continue;
        }
        zero_waits = 0;
        if (code != CHATGPTT_OK) break;
        FUZZ_CHECK(x.event != CGT_X_NOTHING);
        if (x.event == CGT_X_STATUS) feed_log_event(log, "%d %s", x.in.status, x.type);
        if (x.event == CGT_X_PIECE) {
            feed_log_piece(log, "body", x.piece.at, x.piece.len);
            body += x.piece.len;
        }
        if (x.event == CGT_X_END) feed_log_event(log, "end");
    }
    FUZZ_CHECK(code == CHATGPTT_DONE || code < 0);
    FUZZ_CHECK(!begun || cgt_exchange_step(&x, now.s.now) == code);
    FUZZ_CHECK(x.redirects <= 5 && (code < 0 || body <= 3000));
    if (code < 0) check_error(&error, code, told_by_input);
    feed_log_event(log, "%s: %s", chatgptt_code_name(code), code < 0 ? error.message : "");
    cgt_exchange_free(&x, now.s.now);
}

/* ---- afterwards ---- */

/* In all that its script says, as one text. */
static bool delivered_to(const script_peer *peer, const char *text, size_t len) {
    static char all[FUZZ_MAX];
    size_t size = 0;
    for (int i = peer->first; i < peer->end; i++) {
        const script_act *a = &now.s.acts[i];
        if (a->kind != SCRIPT_SEND) continue;
        memcpy(all + size, a->bytes, a->len);
        size += a->len;
    }
    for (size_t k = 0; k + len <= size; k++)
        if (memcmp(all + k, text, len) == 0) return true;
    return false;
}

/* Of one party: alike, or both at or below site.test. */
static bool one_party(const char *a, const char *b) {
    size_t i = strlen(a), j = strlen(b);
    const char *domain = "site.test";
    return strcmp(a, b) == 0 ||
           (i >= 9 && j >= 9 && strcmp(a + i - 9, domain) == 0 && strcmp(b + j - 9, domain) == 0);
}

/* Each cookie's value, if it is one word, came over a connection to the same party. */
static void check_cookies(const script_peer *to, const http_request *request) {
    char all[2000];
    if (!request_header(request, "Cookie", all, sizeof all)) return;
    cgt_slice rest = cgt_text(all);
    while (rest.len) {
        cgt_slice value = cgt_cut(&rest, ";");
        (void)cgt_cut(&value, "=");
        bool came = value.len == 0 || cgt_find(value, " \t") < value.len;
        for (int i = 0; i < now.s.opened && !came; i++)
            came = one_party(now.s.peers[i].host, to->host) &&
                   delivered_to(&now.s.peers[i], value.at, value.len);
        FUZZ_CHECK(came);
    }
}

static void check_sent(void) {
    http_request request;
    int count = 0;
    for (int i = 0; i < now.s.opened; i++)
        for (int n = 0; !is_tls(&now.s.peers[i]) && script_get(&now.s, i, n, &request); n++, count++) {
            for (size_t k = 0; k < request.head_len; k++)
                FUZZ_CHECK(!cgt_control(request.head[k]) || memchr("\r\n\t", request.head[k], 3));
            if (!now.proxy) check_cookies(&now.s.peers[i], &request);
        }
    FUZZ_CHECK(count <= EXCHANGES * 7); /* first, five redirects, a repeat */
}

/* Whatever a https site names: http is not followed. */
static void check_https_stays(chatgptt_client *c, cgt_slice in) {
    static cgt_exchange x;
    cgt_url site;
    cgt_slice user;
    const char *why;
    chatgptt_error error;
    memset(&site, 0, sizeof site);
    if (cgt_url_parse(&site, &c->hooks, cgt_text("https://site.test/a"), &user, &why) != CHATGPTT_OK) return;
    while (in.len) {
        cgt_slice line = fuzz_line(&in);
        if (!cgt_starts(line, "location:")) continue;
        memset(&x, 0, sizeof x);
        x.url = site;
        x.pool = &c->pool;
        x.follow = CGT_FOLLOW_ALL;
        x.in.status = 301;
        x.error = &error;
        x.to.text.hooks = &c->hooks;
        memset(&error, 0, sizeof error);
        cgt_exchange_location(&x, cgt_trim(cgt_from(line, 9)));
        FUZZ_CHECK(error.code < 0 || (x.to.whole.len && x.to.https));
        cgt_url_free(&x.to);
    }
    cgt_url_free(&site);
}

/* ---- a run ---- */

static void run(cgt_slice in, feed_log *log) {
    chatgptt_options options = make_options(&now.s);
    chatgptt_client *c = chatgptt_open(&options, NULL);
    log->len = 0;
    log->open = NULL;
    now.number = 0;
    if (c) {
        for (; now.number < EXCHANGES; now.number++) exchange(c, cgt_contains(in, "secret"), log);
        check_https_stays(c, in);
        cgt_exchange_rest(&c->pool);
        FUZZ_CHECK(now.s.peak_bytes <= MAX_MEMORY);
        chatgptt_close(c);
        check_sent();
    }
    script_rewind(&now.s);
    if (check_now.bad) abort();
}

/* The first byte: method of the first request, what is followed, whether by a proxy. */
static void plan(unsigned char how) {
    now.post = how & 1;
    now.follow = (cgt_follow)((how >> 1) % 3);
    now.proxy = how & 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static feed_log whole, cut;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    unsigned char how = fuzz_byte(&in), cuts = fuzz_byte(&in);
    plan(how);
    now.crossed = false;
    write_script(&now.s, in, 6);
    run(in, &whole);
    now.s.read_max = 1 + cuts % 31;
    now.s.write_max = cuts % 3 * 50;
    run(in, &cut);
    if (!now.crossed) fuzz_equal(&cut, &whole, "log, cut");
    now.s.fail_at = 1 + cuts;
    run(in, &cut); /* out of memory somewhere: nothing leaks or breaks */
    return 0;
}
