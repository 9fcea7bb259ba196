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

/* The jar's cookies, each written as the value that makes it again, make the same jar. */
static void check_saved(const cgt_jar *jar, const cgt_url *from, const cgt_url *to, cgt_slice wanted)
{
    cgt_jar again;
    memset(&again, 0, sizeof again);
    again.hooks = fuzz_hooks();
    for (const cgt_cookie *c = jar->first; c; c = c->next) {
        cgt_buffer text;
        /* such are not saved */
        if (memchr(c->path.at, ';', c->path.len)) { cgt_jar_free(&again); return; }
        cgt_buffer_init(&text, fuzz_hooks(), SIZE_MAX / 4);
        cgt_put_cookie(&text, c, fuzz_time(NULL));
        FUZZ_CHECK(cgt_jar_set(&again, from, cgt_slice_of_buffer(&text), fuzz_time(NULL)));
        cgt_buffer_free(&text);
    }
    FUZZ_CHECK(again.count == jar->count);
    expect(&again, to, wanted);
    cgt_jar_free(&again);
}

static void run(const cgt_url *from, const cgt_url *to, cgt_slice in)
{
    cgt_jar jar;
    cgt_buffer sent;
    memset(&jar, 0, sizeof jar);
    jar.hooks = fuzz_hooks();
    while (in.len)
        FUZZ_CHECK(cgt_jar_set(&jar, from, fuzz_line(&in), fuzz_time(NULL)) &&
                   jar.count <= CHATGPTT_MAX_COOKIES);
    sent = header(&jar, to);
    if (sent.len) FUZZ_CHECK(related(from, to));
    if (jar.count == 1 && jar.first->secure && !to->https) FUZZ_CHECK(sent.len == 0);
    check_saved(&jar, from, to, cgt_slice_of_buffer(&sent));
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
