/* cookie.c - input: the URL that sets, LF, the URL that is asked, LF, then Set-Cookie values, one a line. */
#include "fuzz.h"

static bool parse(cgt_url *url, cgt_slice text)
{
    cgt_slice user;
    const char *why = NULL;
    return cgt_url_parse(url, fuzz_hooks(), text, &user, &why) == CHATGPTT_OK;
}

static cgt_buffer header(const cgt_jar *jar, const cgt_url *url)
{
    cgt_buffer b;
    cgt_buffer_init(&b, fuzz_hooks(), SIZE_MAX / 4);
    cgt_jar_header(jar, url, fuzz_time(NULL), &b);
    for (size_t i = 0; i < b.len; i++)
        /* a cookie may hold a tab (RFC 6265bis) */
        FUZZ_CHECK(!cgt_control(b.data[i]) || b.data[i] == '\t');
    return b;
}

/* Whether a cookie of one may reach the other: the same host, or names with a domain of two labels or more in
   common. */
static bool related(const cgt_url *a, const cgt_url *b)
{
    const char *p = a->host + strlen(a->host), *q = b->host + strlen(b->host);
    unsigned char address[4];
    int labels = 0;
    if (strcmp(a->host, b->host) == 0) return true;
    if (a->literal || cgt_parse_ipv4(cgt_text(a->host), address)) return false;
    if (b->literal || cgt_parse_ipv4(cgt_text(b->host), address)) return false;
    while (p > a->host && q > b->host && p[-1] == q[-1]) {
        labels += p[-1] == '.';
        p--, q--;
    }
    labels += (p == a->host || p[-1] == '.') && (q == b->host || q[-1] == '.');
    return labels >= 2;
}

static void expect(const cgt_jar *jar, const cgt_url *url, cgt_slice wanted)
{
    cgt_buffer got = header(jar, url);
    FUZZ_CHECK(fuzz_same(cgt_slice_of_buffer(&got), wanted));
    cgt_buffer_free(&got);
}

/* The jar's cookies are sound, and as fields they make the same jar. */
static void check_saved(const cgt_jar *jar, const cgt_url *to, cgt_slice wanted)
{
    cgt_jar again;
    memset(&again, 0, sizeof again);
    again.hooks = fuzz_hooks();
    for (const cgt_cookie *c = jar->first; c; c = c->next) {
        FUZZ_CHECK(cgt_cookie_ok(c) && c->until > fuzz_time(NULL));
        FUZZ_CHECK(cgt_jar_put(&again, c, fuzz_time(NULL)));
    }
    FUZZ_CHECK(again.count == jar->count);
    expect(&again, to, wanted);
    cgt_jar_free(&again);
}

static int secure_ones(const cgt_jar *jar)
{
    int n = 0;
    for (const cgt_cookie *c = jar->first; c; c = c->next) n += c->secure;
    return n;
}

/* Whatever http says, what https set with Secure stays. */
static void check_guarded(cgt_jar *jar, const cgt_url *from, cgt_slice in)
{
    cgt_url plain;
    cgt_buffer text;
    int before = secure_ones(jar);
    cgt_buffer_init(&text, fuzz_hooks(), SIZE_MAX / 4);
    cgt_puts(&text, "http://");
    cgt_append(&text, from->authority);
    if (!parse(&plain, cgt_slice_of_buffer(&text))) abort();
    while (in.len) FUZZ_CHECK(cgt_jar_set(jar, &plain, fuzz_line(&in), fuzz_time(NULL)));
    FUZZ_CHECK(secure_ones(jar) == before);
    cgt_url_free(&plain);
    cgt_buffer_free(&text);
}

static void run(const cgt_url *from, const cgt_url *to, cgt_slice in)
{
    cgt_jar jar;
    cgt_buffer sent;
    cgt_slice again = in;
    memset(&jar, 0, sizeof jar);
    jar.hooks = fuzz_hooks();
    while (in.len)
        FUZZ_CHECK(cgt_jar_set(&jar, from, fuzz_line(&in), fuzz_time(NULL)) &&
                   jar.count <= CHATGPTT_MAX_COOKIES);
    sent = header(&jar, to);
    if (sent.len) FUZZ_CHECK(related(from, to));
    if (jar.count == 1 && jar.first->secure && !to->https) FUZZ_CHECK(sent.len == 0);
    if (!from->https) FUZZ_CHECK(secure_ones(&jar) == 0);
    check_saved(&jar, to, cgt_slice_of_buffer(&sent));
    check_guarded(&jar, from, again);
    cgt_buffer_free(&sent);
    cgt_jar_free(&jar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    cgt_url from, to;
    bool good = parse(&from, fuzz_line(&in));
    good = parse(&to, fuzz_line(&in)) && good;
    if (good) run(&from, &to, in);
    cgt_url_free(&from);
    cgt_url_free(&to);
    return 0;
}
