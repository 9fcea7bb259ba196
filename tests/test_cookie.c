/* test_cookie.c - the jar: RFC 6265bis section 5 by tables, its caps, what no server can make it send; and
   through the client, that cookies come back from the page and from redirects, to the hosts they are for and
   to no other. */
#define CHATGPTT_IMPLEMENTATION
#include "script.h"

#define NOW 1700000000LL                /* 14 November 2023, 22:13:20 GMT */
#define ROWS(table) (sizeof (table) / sizeof *(table))

/* ---- a jar of its own ---- */

typedef struct shelf { script s; chatgptt_hooks hooks; cgt_jar jar; } shelf;

static void shelf_init(shelf *b)
{
    script_init(&b->s);
    b->hooks = script_hooks(&b->s);
    memset(&b->jar, 0, sizeof b->jar);
    b->jar.hooks = &b->hooks;
}

static void shelf_finish(shelf *b)
{
    cgt_jar_free(&b->jar);
    script_finish(&b->s);
}

static cgt_url parsed(shelf *b, const char *text)
{
    cgt_url url;
    cgt_slice user;
    const char *why = "";
    if (cgt_url_parse(&url, &b->hooks, cgt_text(text), &user, &why) < 0)
        check_fail(__FILE__, __LINE__, "%s: %s", text, why);
    return url;
}

static void set_bytes(shelf *b, const char *from, const char *value, size_t len)
{
    cgt_url url = parsed(b, from);
    CHECK(cgt_jar_set(&b->jar, &url, cgt_slice_of(value, len), NOW));
    cgt_url_free(&url);
}

static void set(shelf *b, const char *from, const char *value) { set_bytes(b, from, value, strlen(value)); }

/* The Cookie header of a request, in static memory; "": none. */
static const char *header_at(shelf *b, const char *to, long long now)
{
    static char text[300000];
    cgt_url url = parsed(b, to);
    cgt_buffer out;
    cgt_buffer_init(&out, &b->hooks, sizeof text - 1);
    cgt_jar_header(&b->jar, &url, now, &out);
    memcpy(text, out.len ? out.data : "", out.len + 1);
    cgt_buffer_free(&out);
    cgt_url_free(&url);
    return text;
}
static const char *header(shelf *b, const char *to) { return header_at(b, to, NOW); }

/* ---- the tables: what is set from where, and what a request gets ---- */

#define AT "http://site.test/"
#define TLS "https://site.test/"
#define DEEP "http://site.test/a/b/page?x=/y/z"

typedef struct row { const char *from, *value, *to, *wanted; } row;

/* Cut anywhere, what the jar takes is sound. */
static void cut_everywhere(const row *r)
{
    for (size_t len = 0; len < strlen(r->value); len++) {
        shelf b;
        char *value = (char *)malloc(len + 1);      /* so that a byte more is seen */
        if (!value) abort();
        memcpy(value, r->value, len);
        shelf_init(&b);
        set_bytes(&b, r->from, value, len);
        CHECK(b.jar.count <= 1);
        for (const cgt_cookie *c = b.jar.first; c; c = c->next)
            CHECK(cgt_cookie_ok(c) && (!c->secure || strncmp(r->from, "https", 5) == 0));
        free(value);
        shelf_finish(&b);
    }
}

static void run_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) cut_everywhere(&rows[i]);
    for (size_t i = 0; i < count; i++) {
        shelf b;
        shelf_init(&b);
        set(&b, rows[i].from, rows[i].value);
        if (!CHECK_STR(header(&b, rows[i].to), rows[i].wanted))
            printf("    row %zu: from %s \"%s\" to %s\n", i, rows[i].from, rows[i].value, rows[i].to);
        shelf_finish(&b);
    }
}

TEST(pairs)
{
    static const row rows[] = {
        { AT, "a=1", AT, "a=1" },
        { AT, "a=", AT, "a=" },
        { AT, "a=1;", AT, "a=1" },
        { AT, " \ta \t=\t 1 \t", AT, "a=1" },
        { AT, "a=1 2", AT, "a=1 2" },
        { AT, "a==1", AT, "a==1" },
        { AT, "a=1=2", AT, "a=1=2" },
        { AT, "a=\"1\"", AT, "a=\"1\"" },
        { AT, "a=\"1;2\"", AT, "a=\"1" },
        { AT, "a=1,b=2", AT, "a=1,b=2" },
        { AT, "a=\xC3\xA9\xFF", AT, "a=\xC3\xA9\xFF" },
        { AT, "A[0]=(){}", AT, "A[0]=(){}" },
        { AT, "a b=1", AT, "a b=1" },
        { AT, "", AT, "" },
        { AT, ";a=1", AT, "" },
        { AT, " = ", AT, "" },
        { AT, "=", AT, "" },
        /* nameless ones */
        { AT, "=1", AT, "1" },
        { AT, "a", AT, "a" },
        { AT, " = a ", AT, "a" },
        { AT, "a;b=1", AT, "a" },
        { AT, "==1", AT, "=1" },
        { AT, "=a=1", AT, "a=1" },
        { AT, "a; Path=/x", AT, "" },
        { AT, "a=1; HttpOnly; SameSite=Strict; Priority=High; x; =; ;;", AT, "a=1" },
        { AT, "path=/x", AT, "path=/x" },
        { AT, "secure=1", AT, "secure=1" },
        { AT, "$Version=1", AT, "$Version=1" },
    };
    run_rows(rows, ROWS(rows));
}

TEST(domains)
{
    static const row rows[] = {
        { AT, "a=1", "http://SITE.test:8080/", "a=1" },
        { AT, "a=1", "https://site.test/", "a=1" },
        { AT, "a=1", "http://www.site.test/", "" },
        { AT, "a=1", "http://xsite.test/", "" },
        { AT, "a=1", "http://test/", "" },
        { AT, "a=1; Domain=site.test", "http://www.site.test/", "a=1" },
        { AT, "a=1; DOMAIN = .Site.TEST", "http://a.b.site.test/", "a=1" },
        { AT, "a=1; Domain=site.test", AT, "a=1" },
        { AT, "a=1; Domain=site.test", "http://xsite.test/", "" },
        { AT, "a=1; Domain=site.test", "http://site.test.evil.test/", "" },
        { "http://a.site.test/", "a=1; Domain=site.test", "http://b.site.test/", "a=1" },
        { "http://a.site.test/", "a=1; Domain=site.test", AT, "a=1" },
        { "http://a.site.test/", "a=1; Domain=b.site.test", "http://b.site.test/", "" },
        { "http://a.site.test/", "a=1; Domain=b.site.test", "http://a.site.test/", "" },
        { AT, "a=1; Domain=www.site.test", AT, "" },
        { AT, "a=1; Domain=ite.test", AT, "" },
        { AT, "a=1; Domain=evil.test", "http://evil.test/", "" },
        { AT, "a=1; Domain=test", AT, "" },
        { AT, "a=1; Domain=.test", AT, "" },
        { AT, "a=1; Domain=test.", AT, "" },
        { "http://site.test./", "a=1; Domain=test.", "http://site.test./", "" },
        { AT, "a=1; Domain=..site.test", AT, "" },
        { AT, "a=1; Domain=site.test.", AT, "" },
        { AT, "a=1; Domain=http://site.test", AT, "" },
        { AT, "a=1; Domain=site.test:80", AT, "" },
        { AT, "a=1; Domain=", AT, "a=1" },
        { AT, "a=1; Domain", AT, "a=1" },
        { AT, "a=1; Domain=.", AT, "a=1" },
        { AT, "a=1; Domain=", "http://www.site.test/", "" },
        { AT, "a=1; Domain=evil.test; Domain=site.test", "http://www.site.test/", "a=1" },
        { AT, "a=1; Domain=site.test; Domain=evil.test", AT, "" },
        { "http://localhost/", "a=1; Domain=localhost", "http://localhost/", "a=1" },
        { "http://localhost/", "a=1; Domain=localhost", "http://www.localhost/", "" },
        { "http://127.0.0.1/", "a=1", "http://127.0.0.1:81/", "a=1" },
        { "http://127.0.0.1/", "a=1; Domain=127.0.0.1", "http://127.0.0.1/", "a=1" },
        { "http://127.0.0.1/", "a=1; Domain=0.0.1", "http://127.0.0.1/", "" },
        { "http://127.0.0.1/", "a=1; Domain=.0.0.1", "http://9.0.0.1/", "" },
        { "http://127.0.0.1/", "a=1; Domain=127.0.0.01", "http://127.0.0.1/", "" },
        { "http://1.2.3.4a/", "a=1; Domain=3.4a", "http://9.3.4a/", "a=1" },
        { AT, "a=1; Domain=site.test; Domain=", "http://www.site.test/", "" },
        { AT, "a=1; Domain=evil.test; Domain", AT, "a=1" },
        { AT, "a=1; Domain=%73ite.test", AT, "" },
        { AT, "a=1; Domain=site .test", AT, "" },
        { "http://www.site.com/", "a=1; Domain=com", "http://www.site.com/", "" },
        { "http://www.site.com/", "a=1; Domain=.com.", "http://www.site.com/", "" },
        { "http://com/", "a=1; Domain=com", "http://com/", "a=1" },
        { "http://com/", "a=1; Domain=com", "http://site.com/", "" },
        { "http://xn--bcher-kva.test/",
          "a=1; Domain=B\xC3\x9C"
          "CHER.test",
          "http://www.xn--bcher-kva.test/", "a=1" },
        { "http://[::1]/", "a=1; Domain=::1", "http://[::1]/", "" },
        { "http://[::1]/", "a=1", "http://[::1]/", "a=1" },
        { "http://[::1]/", "a=1; Domain=[::1]", "http://[::1]/", "" },
        { "http://[::1]/", "a=1", "http://[::2]/", "" },
        { "http://[::ffff:1.2.3.4]/", "a=1; Domain=2.3.4", "http://[::ffff:1.2.3.4]/", "" },
    };
    run_rows(rows, ROWS(rows));
}

TEST(paths)
{
    static const row rows[] = {
        { DEEP, "a=1", DEEP, "a=1" },
        { DEEP, "a=1", "http://site.test/a/b", "a=1" },
        { DEEP, "a=1", "http://site.test/a/b/", "a=1" },
        { DEEP, "a=1", "http://site.test/a/b?q", "a=1" },
        { DEEP, "a=1", "http://site.test/a/", "" },
        { DEEP, "a=1", "http://site.test/a/bc", "" },
        { DEEP, "a=1", AT "?/a/b/", "" },
        { DEEP, "a=1", "http://site.test/A/b/", "" },
        { "http://site.test/a", "a=1", AT, "a=1" },
        { "http://site.test", "a=1", "http://site.test/x", "a=1" },
        { "http://site.test/a/", "a=1", "http://site.test/a", "a=1" },
        { DEEP, "a=1; Path=/", AT, "a=1" },
        { DEEP, "a=1; path=/a/", "http://site.test/a/", "a=1" },
        { DEEP, "a=1; Path=/a/", "http://site.test/a", "" },
        { DEEP, "a=1; Path=/wp-admin", "http://site.test/wp-admin/admin-ajax.php", "a=1" },
        { DEEP, "a=1; Path=/wp-admin", "http://site.test/wp-adminx", "" },
        { DEEP, "a=1; Path", "http://site.test/a/b", "a=1" },
        { DEEP, "a=1; Path=", AT, "" },
        { DEEP, "a=1; Path=x", "http://site.test/a/b", "a=1" },
        { DEEP, "a=1; Path=\"/\"", AT, "" },
        { DEEP, "a=1; Path=/x; Path=/", AT, "a=1" },
        { DEEP, "a=1; Path=/; Path=/x", AT, "" },
        { DEEP, "a=1; Path=/; Path=", AT, "" },
        { DEEP, "a=1; Path=/a=b", "http://site.test/a=b/c", "a=1" },
    };
    run_rows(rows, ROWS(rows));
}

TEST(secure_ones)
{
    static const row rows[] = {
        { "https://site.test/", "a=1; Secure", "https://site.test/", "a=1" },
        { "https://site.test/", "a=1; SECURE=no", AT, "" },
        { "https://site.test/", "a=1", AT, "a=1" },
        { "https://site.test/", "a=1; Secure; Domain=site.test", "http://www.site.test/", "" },
        { "https://site.test/", "a=1; Secured", AT, "a=1" },
        { "https://site.test/", "a=1; Secure; Secure", AT, "" },
        { AT, "a=1; Secure", "https://site.test/", "" },
        { AT, "a=1; secure=", AT, "" },
        { AT, "a=1; Secured", AT, "a=1" },
        /* prefixes, in any letter case */
        { TLS, "__Secure-a=1; Secure", TLS, "__Secure-a=1" },
        { TLS, "__Secure-a=1; Secure; Domain=site.test", "https://www.site.test/", "__Secure-a=1" },
        { TLS, "__Secure-a=1", TLS, "" },
        { TLS, "__SECURE-a=1", TLS, "" },
        { TLS, "__secure-a=1; Path=/", TLS, "" },
        { AT, "__Secure-a=1; Secure", TLS, "" },
        { AT, "__Secure-a=1", AT, "" },
        { TLS, "__Secure-=1", TLS, "" },
        { TLS, "__Secure=1", TLS, "__Secure=1" },
        { TLS, "x__Secure-a=1", TLS, "x__Secure-a=1" },
        { TLS, "__Host-a=1; Secure; Path=/", TLS, "__Host-a=1" },
        { TLS, "__host-a=1; path=/; secure", TLS, "__host-a=1" },
        { TLS, "__Host-a=1; Secure", TLS, "" },
        { TLS, "__Host-a=1; Path=/", TLS, "" },
        { TLS, "__Host-a=1; Secure; Path=/x", TLS "x", "" },
        { TLS, "__Host-a=1; Secure; Path=/; Domain=site.test", TLS, "" },
        { TLS, "__HOST-a=1; Secure; Path=/; Domain=site.test", TLS, "" },
        { TLS, "__Host-a=1; Secure; Path=/; Domain=", TLS, "__Host-a=1" },
        { TLS, "__Host-a=1; Secure; Path=/x; Path=/", TLS, "__Host-a=1" },
        { TLS, "__Host-a=1; Secure; Path=/; Path=/x", TLS "x", "" },
        { AT, "__Host-a=1; Path=/", AT, "" },
        /* nor may a nameless one say so in its value */
        { TLS, "=__Secure-a=1; Secure", TLS, "" },
        { TLS, "__Host-a; Secure; Path=/", TLS, "" },
        { TLS, "=__hOST-a=1; Secure; Path=/", TLS, "" },
        { TLS, "=x__Host-a", TLS, "x__Host-a" },
    };
    run_rows(rows, ROWS(rows));
}

/* Whether each is still sent after 0 s, 59 s and 60 s: "111", "000" … */
TEST(ages)
{
    static const struct { const char *value, *wanted;
    } rows[] = {
        { "a=1", "111" },
        { "a=1; Max-Age=60", "110" },
        { "a=1; max-age = 60", "110" },
        { "a=1; Max-Age=060", "110" },
        { "a=1; Max-Age=59", "100" },
        { "a=1; Max-Age=0", "000" },
        { "a=1; Max-Age=00", "000" },
        { "a=1; Max-Age=-1", "000" },
        { "a=1; Max-Age=-99999999999999999999", "000" },
        { "a=1; Max-Age=99999999999999999999999999", "111" },
        { "a=1; Max-Age=", "111" },
        { "a=1; Max-Age", "111" },
        { "a=1; Max-Age=-", "111" },
        { "a=1; Max-Age=+0", "111" },
        { "a=1; Max-Age=x", "111" },
        { "a=1; Max-Age=0x", "111" },
        { "a=1; Max-Age=-1x", "111" },
        { "a=1; Max-Age=1.5", "111" },
        { "a=1; Max-Age=\"0\"", "111" },
        { "a=1; Max-Age=0 0", "111" },
        { "a=1; Max-Age=0; Max-Age=60", "110" },
        { "a=1; Max-Age=60; Max-Age=0", "000" },
        { "a=1; Max-Age=60; Max-Age=x", "110" },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=60", "110" },
        { "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "110" },
        { "a=1; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "000" },
        { "a=1; Expires=Tue, 14 Nov 2023 22:14:20 GMT", "110" },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Expires=Tue, 14 Nov 2023 22:14:19 GMT", "100" },
        { "a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "000" },
        { "a=1; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Expires=never", "000" },
        { "a=1; Max-Age=x; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "000" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        shelf b;
        char got[4] = "";
        shelf_init(&b);
        set(&b, AT, rows[i].value);
        for (int k = 0; k < 3; k++) got[k] = *header_at(&b, AT, NOW + (k == 0 ? 0 : 58 + k)) ? '1' : '0';
        if (!CHECK_STR(got, rows[i].wanted)) printf("    \"%s\"\n", rows[i].value);
        shelf_finish(&b);
    }
}

/* An age of more than ten years is for ever. */
TEST(long_ages)
{
    static const struct { const char *value; long long after; const char *wanted;
    } rows[] = {
        { "a=1; Max-Age=315360000", 315359999, "a=1" },
        { "a=1; Max-Age=315360000", 315360000, "" },
        { "a=1; Max-Age=315360001", 315360001, "a=1" },
        { "a=1; Max-Age=315360001", 9000000000LL, "a=1" },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        shelf b;
        shelf_init(&b);
        set(&b, AT, rows[i].value);
        if (!CHECK_STR(header_at(&b, AT, NOW + rows[i].after), rows[i].wanted)) printf("    row %zu\n", i);
        shelf_finish(&b);
    }
}

/* Every way of writing a date (RFC 6265 section 5.1.1), and what is none. */
TEST(dates)
{
    static const char *const past[] = {
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 14-Nov-2023 22:13:19 GMT",
        "Tuesday, 14-Nov-23 22:13:20 GMT",
        "Tue Nov 14 22:13:20 2023",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 01-Jan-1970 00:00:01 GMT",
        "Thu, 1 jan 1970 0:0:0 GMT",
        "Fri, 31 Dec 1999 23:59:59 GMT",
        "1 Jan 99 10:00:00",
        "01/JAN/00 10:00:00",
        "Mon, 01 Jan 1601 00:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "1 January 2020 10:00:00",
        "WillyWonka  , 18-apr-07 22:50:12",
        "Tue, 14 Nov 2023 22:13:20 GMT+0100",
        "Sat Feb 29 12:00:00 2020",
        "9 Sept 2012 01:02:03x",
        "10:00:00 01 Jan 2020",
        "Thu, 10:00:00 01-Jan-2020",
        "2020 Jan 01 10:00:00",
        "Jan 01 10:00:00 2020",
        "Jan 10:00:00 2020 01",
        "2020 10:00:00 Jan 1",
        "10:00:00 2020 1 Jan",
        "1 2020 Jan 10:00:00",
        "1:2:3 1 jan 20",
        "01 jan 2020 10:00:00 20:00:00 02 feb 2100",
        "Tue/14/Nov/2023/22:13:20",
        "14\"Nov<2023>22:13:20",
        "14Nov 2020 Nov 10:00:00",
        "1970 1 Jan 00:00:00",
        "29 Feb 2000 00:00:00",
        "31 Dec 2020 23:59:59",
        "1 Jan 70 10:00:00",
        "29 Feb 96 10:00:00",           /* 1996 had one, the years beside it had none */
    };
    static const char *const later[] = {
        "Tue, 14 Nov 2023 22:13:21 GMT",
        "Fri, 01-Jan-2100 00:00:00 GMT",
        "1 Jan 69 10:00:00",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 14 Nov 24 22:13:20 GMT",
        "",
        "x",
        "0",
        "-1",
        "Thu, 01 Jan 1970",
        "1970-01-01T00:00:00Z",
        "01 Jan 1970 24:00:00",
        "01 Jan 1970 00:60:00",
        "01 Jan 1970 00:00:60",
        "01 Jan 1970 00:00",
        "32 Jan 1970 00:00:00",
        "00 Jan 1970 00:00:00",
        "Jan 1970 00:00:00",
        "01 1970 00:00:00",
        "01 Foo 1970 00:00:00",
        "01 Jan 1600 00:00:00",
        "01 Jan 00:00:00",
        "01 Jan 19700 00:00:00",
        "10:00:00 01 Jan 2030",
        "Jan 2030 10:00:00 01",
        "30 Feb 2020 00:00:00",
        "29 Feb 1900 00:00:00",
        "29 Feb 2021 00:00:00",
        "31 Apr 2020 00:00:00",
        "001 Jan 2020 00:00:00",
        "01 Jan 2020 000:00:00",
        "01 Jan 2020 00:00:000",
        "01 Jan 2020 00.00.00",
        "01Jan2020 00:00:00",
        "01 Ja 2020 00:00:00",
        "01 Jan 2020 x00:00:00",
    };
    for (size_t i = 0; i < ROWS(past) + ROWS(later); i++) {
        bool gone = i < ROWS(past);
        const char *date = gone ? past[i] : later[i - ROWS(past)];
        char value[100];
        shelf b;
        shelf_init(&b);
        set(&b, AT, "a=old");
        snprintf(value, sizeof value, "a=1; Expires=%s", date);
        set(&b, AT, value);
        if (!CHECK_STR(header(&b, AT), gone ? "" : "a=1")) printf("    \"%s\"\n", date);
        shelf_finish(&b);
    }
}

/* ---- many ---- */

typedef struct many { const char *from[8], *to, *wanted; } many;    /* from: url, value, url, value … */

/* What https set with Secure, plain http neither replaces nor hides nor removes, nor makes room with. */
TEST(secure_ones_are_left_alone)
{
    static const many rows[] = {
        { { TLS, "a=1; Secure", AT, "a=2" }, TLS, "a=1" },
        { { TLS, "a=1; Secure", AT, "a=2; Max-Age=0" }, TLS, "a=1" },
        { { TLS, "a=1; Secure", AT, "a=2; Path=/x" }, TLS "x", "a=1" },
        { { TLS, "a=1; Secure; Path=/x", AT, "a=2; Path=/" }, TLS "x", "a=1; a=2" },
        { { TLS, "a=1; Secure", AT, "a=2; Domain=site.test" }, TLS, "a=1" },
        { { TLS, "a=1; Secure", "http://www.site.test/", "a=2; Domain=site.test" }, TLS, "a=1" },
        { { TLS, "a=1; Secure; Domain=site.test", "http://www.site.test/", "a=2" },
          "https://www.site.test/",
          "a=1" },
        { { "https://www.site.test/", "a=1; Secure", AT, "a=2; Domain=site.test" },
          "https://www.site.test/",
          "a=1" },
        { { "https://www.site.test/", "a=1; Secure", AT, "a=2" }, TLS, "" },
        { { TLS, "a=1; Secure", AT, "b=2" }, TLS, "a=1; b=2" },
        { { TLS, "a=1; Secure", AT, "A=2" }, TLS, "a=1; A=2" },
        { { TLS, "a=1; Secure", TLS, "a=2" }, TLS, "a=2" },
        { { TLS, "a=1; Secure", TLS, "a=2; Max-Age=0" }, TLS, "" },
        { { TLS, "a=1", AT, "a=2" }, TLS, "a=2" },
        { { AT, "a=1", TLS, "a=2; Secure" }, TLS, "a=2" },
    };
    char value[40];
    shelf b;
    for (size_t i = 0; i < ROWS(rows); i++) {
        shelf_init(&b);
        for (int k = 0; k < 8 && rows[i].from[k]; k += 2) set(&b, rows[i].from[k], rows[i].from[k + 1]);
        if (!CHECK_STR(header(&b, rows[i].to), rows[i].wanted)) printf("    row %zu\n", i);
        shelf_finish(&b);
    }
    shelf_init(&b);
    set(&b, TLS, "first=1; Secure");
    for (int i = 0; i < 2 * CHATGPTT_MAX_COOKIES; i++) {
        snprintf(value, sizeof value, "c%d=1", i);
        set(&b, AT, value);
    }
    CHECK_INT(b.jar.count, CHATGPTT_MAX_COOKIES);
    CHECK(strstr(header(&b, TLS), "first=1; ") != NULL);
    shelf_finish(&b);
}

/* What has run out makes room first; and where all are secure, the oldest does. */
TEST(who_makes_room)
{
    char value[60];
    for (int dead = 0; dead < 2; dead++) {
        shelf b;
        shelf_init(&b);
        for (int i = 0; i < CHATGPTT_MAX_COOKIES; i++) {
            snprintf(value, sizeof value, "c%d=1; Secure%s", i, dead && i == 7 ? "; Max-Age=60" : "");
            set(&b, TLS, value);
        }
        cgt_url url = parsed(&b, TLS);
        CHECK(cgt_jar_set(&b.jar, &url, cgt_text("new=1; Secure"), NOW + 100));
        cgt_url_free(&url);
        CHECK_INT(b.jar.count, CHATGPTT_MAX_COOKIES);
        CHECK(strstr(header_at(&b, TLS, NOW), "c0=1;") != NULL ? dead : !dead);
        CHECK(strstr(header_at(&b, TLS, NOW), "c7=1;") != NULL ? !dead : dead);
        CHECK(strstr(header_at(&b, TLS, NOW), "new=1") != NULL);
        shelf_finish(&b);
    }
}

TEST(order_and_replacement)
{
    static const many rows[] = {
        {{AT, "a=1", AT, "b=2", AT, "c=3"}, AT, "a=1; b=2; c=3"},
        {{AT, "a=1", AT, "b=2", AT, "a=3"}, AT, "a=3; b=2"},
        {{AT, "a=1; Path=/", AT, "b=2; Path=/a/b", AT, "c=3; Path=/a"}, DEEP, "b=2; c=3; a=1"},
        {{AT, "a=1; Path=/", AT, "a=2; Path=/a", AT, "a=3; Path=/a/b"}, DEEP, "a=3; a=2; a=1"},
        {{DEEP, "a=1; Path=/a/", DEEP, "b=2; Path=/a/"}, DEEP, "a=1; b=2"},
        /* one name, domain and path are one cookie */
        {{AT, "a=1; Domain=site.test", "http://www.site.test/", "a=2; Domain=site.test"}, AT, "a=2"},
        /* but one of the host alone is another than one of its domain */
        {{AT, "a=1", AT, "a=2; Domain=site.test"}, AT, "a=1; a=2"},
        {{AT, "a=1", "http://www.site.test/", "a=2; Domain=site.test"}, AT, "a=1; a=2"},
        {{AT, "a", AT, "=b", AT, "c=1"}, AT, "b; c=1"},
        {{AT, "a=1", AT, "A=2"}, AT, "a=1; A=2"},
        {{AT, "a=1", AT, "b=2", AT, "a=; Max-Age=0"}, AT, "b=2"},
        {{AT, "a=1", AT, "a=; Max-Age=0; Path=/x"}, AT, "a=1"},
        {{AT, "a=1; Domain=site.test", "http://www.site.test/", "a=; Max-Age=0; Domain=site.test"}, AT, ""},
        {{AT, "a=1", "http://www.site.test/", "a=; Max-Age=0; Domain=site.test"}, AT, "a=1"},
        {{AT, "a=1", AT, "a=2; Max-Age=0", AT, "a=3"}, AT, "a=3"},
        {{AT, "a=1; Max-Age=0", AT, "b=2"}, AT, "b=2"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        shelf b;
        shelf_init(&b);
        for (int k = 0; k < 8 && rows[i].from[k]; k += 2) set(&b, rows[i].from[k], rows[i].from[k + 1]);
        if (!CHECK_STR(header(&b, rows[i].to), rows[i].wanted)) printf("    row %zu\n", i);
        shelf_finish(&b);
    }
}

TEST(count_is_capped)
{
    shelf b;
    char value[40], wanted[1000] = "";
    shelf_init(&b);
    for (int i = 0; i < CHATGPTT_MAX_COOKIES + 10; i++) {
        snprintf(value, sizeof value, "c%d=1", i);
        set(&b, AT, value);
        if (i >= 10)
            snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s", i > 10 ? "; " : "",
                     value);
    }
    CHECK_INT(b.jar.count, CHATGPTT_MAX_COOKIES);
    CHECK_STR(header(&b, AT), wanted);
    set(&b, AT, "c10=2");                                   /* one that is there pushes no other out */
    CHECK_INT(b.jar.count, CHATGPTT_MAX_COOKIES);
    CHECK(strstr(header(&b, AT), "c10=2; c11=1;") != NULL);
    shelf_finish(&b);
}

/* Name and value have 4096 bytes together, whatever the attributes; a larger one is dropped alone, and
   removes nothing. */
TEST(size_is_capped)
{
    static char value[CGT_COOKIE_BYTES + 1100];
    CHECK(CGT_COOKIE_BYTES == 4096 && CGT_COOKIE_ATTRIBUTE == 1024);        /* as browsers have it */
    for (int over = 0; over < 2; over++) {
        shelf b;
        size_t len = CGT_COOKIE_BYTES - 2 + (size_t)over;
        shelf_init(&b);
        set(&b, AT, "ab=old");
        memcpy(value, "ab=", 3);
        memset(value + 3, 'x', len);
        memcpy(value + 3 + len, "; x=", 4);
        memset(value + 7 + len, 'y', 1000);
        set_bytes(&b, AT, value, len + 1007);
        CHECK_INT(strlen(header(&b, AT)), over ? 6 : len + 3);
        set(&b, AT, "c=1");
        CHECK_INT(strlen(header(&b, AT)), over ? 11 : len + 8);
        memset(value, 'n', CGT_COOKIE_BYTES + 1);
        set_bytes(&b, TLS "y", value, CGT_COOKIE_BYTES + (size_t)over); /* all of it a nameless one's value */
        CHECK_INT(b.jar.count, over ? 2 : 3);
        shelf_finish(&b);
    }
}

/* An attribute of more than 1024 bytes is as if it were not there. */
TEST(long_attributes_are_ignored)
{
    for (int over = 0; over < 2; over++) {
        shelf b;
        static char value[1200];
        shelf_init(&b);
        memset(value, 'x', sizeof value);
        memcpy(value, "a=1; Path=/", 11);
        value[11 + 1023 + over] = '\0';
        set(&b, AT, value);
        CHECK_STR(header(&b, AT), over ? "a=1" : "");
        memcpy(value, "b=1; Path=/; Domain=", 20);
        memset(value + 20, 'x', 1024 + (size_t)over);
        value[20 + 1024 + over] = '\0';
        set(&b, AT, value);
        CHECK_STR(header(&b, AT), over ? "a=1; b=1" : "");
        shelf_finish(&b);
    }
}

TEST(long_domains_match_nothing)
{
    shelf b;
    char value[600];
    shelf_init(&b);
    memset(value, 'x', sizeof value);
    memcpy(value, "a=1; Domain=", 12);
    memcpy(value + sizeof value - 11, ".site.test", 11);
    set(&b, AT, value);
    CHECK_STR(header(&b, AT), "");
    shelf_finish(&b);
}

/* A control character anywhere, NUL included, and there is no cookie; a tab is a blank. */
TEST(controls_are_refused)
{
    static const char form[] = "a=1; Path=/; Domain=site.test; x=y";
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof form; at++) {
            shelf b;
            char value[sizeof form + 1];
            shelf_init(&b);
            memcpy(value, form, at);
            value[at] = (char)c;
            memcpy(value + at + 1, form + at, sizeof form - at);
            set_bytes(&b, AT, value, sizeof form);
            const char *got = header(&b, AT);
            bool control = c != '\t' && (c < ' ' || c == 0x7f);
            if (control ? !CHECK_STR(got, "")
                        : !CHECK(c == '\t' || !cgt_has_control(cgt_slice_of(got, strlen(got)))))
                printf("    %02x at %zu\n", (unsigned)c, at);
            shelf_finish(&b);
        }
}

/* ---- fields, out of a saved state ---- */

typedef struct fields { const char *name, *value, *domain, *path; bool host_only, secure, ok; } fields;

static const fields saved[] = {
    {"a", "1", "site.test", "/", true, false, true},
    {"a", "1", "site.test", "/", false, false, true},
    {"a", "", "site.test", "/x;y", true, true, true},
    {"", "v=1", "site.test", "/", true, false, true},
    {"a", "1", "::1", "/", true, false, true},
    {"a", "1", "127.0.0.1", "/", true, false, true},
    {"a", "1", "localhost", "/", true, false, true},
    {"__Secure-a", "1", "site.test", "/", false, true, true},
    {"__Host-a", "1", "site.test", "/", true, true, true},
    {"a", "1", "test", "/", false, false, false},
    {"a", "1", "test.", "/", false, false, false},
    {"a", "1", "::1", "/", false, false, false},
    {"", "", "site.test", "/", true, false, false},
    {"a=b", "1", "site.test", "/", true, false, false},
    {"a;b", "1", "site.test", "/", true, false, false},
    {"a\r", "1", "site.test", "/", true, false, false},
    {"a", "1; b=2", "site.test", "/", true, false, false},
    {"a", "1\r\nX: y", "site.test", "/", true, false, false},
    {"a", "1\x7f", "site.test", "/", true, false, false},
    {"a", "1", "", "/", true, false, false},
    {"a", "1", "site.test/", "/", true, false, false},
    {"a", "1", "site test", "/", true, false, false},
    {"a", "1", "[::1]", "/", true, false, false},
    {"a", "1", "site.test", "", true, false, false},
    {"a", "1", "site.test", "x", true, false, false},
    {"a", "1", "site.test", "/\n", true, false, false},
    {"__Secure-a", "1", "site.test", "/", true, false, false},
    {"__HOST-a", "1", "site.test", "/", true, false, false},
    {"__Host-a", "1", "site.test", "/", false, true, false},
    {"__Host-a", "1", "site.test", "/x", true, true, false},
    {"", "__Host-a=1", "site.test", "/", true, true, false},
};

TEST(fields_are_checked)
{
    for (size_t i = 0; i < ROWS(saved); i++) {
        const fields *f = &saved[i];
        cgt_cookie c;
        memset(&c, 0, sizeof c);
        c.name = cgt_text(f->name), c.value = cgt_text(f->value);
        c.domain = cgt_text(f->domain), c.path = cgt_text(f->path);
        c.host_only = f->host_only, c.secure = f->secure;
        if (!CHECK_INT(cgt_cookie_ok(&c), f->ok)) printf("    row %zu\n", i);
    }
}

/* Fields no longer than they may be, and one byte more. */
TEST(long_fields)
{
    static char text[CHATGPTT_MAX_URL + 2];
    for (int over = 0; over < 2; over++) {
        cgt_cookie c, whole;
        memset(&c, 0, sizeof c);
        memset(text, 'x', sizeof text);
        *text = '/';
        c.name = c.value = cgt_text("a");
        c.domain = cgt_text("site.test"), c.path = cgt_text("/"), c.host_only = true;
        whole = c;
        whole.domain = cgt_slice_of(text + 1, 255 + (size_t)over);
        CHECK_INT(cgt_cookie_ok(&whole), !over);
        whole = c;
        whole.path = cgt_slice_of(text, CHATGPTT_MAX_URL + (size_t)over);
        CHECK_INT(cgt_cookie_ok(&whole), !over);
        whole = c;
        whole.value = cgt_slice_of(text + 1, 4095 + (size_t)over);
        CHECK_INT(cgt_cookie_ok(&whole), !over);
    }
}

/* What a jar holds is all that is needed to fill another. */
TEST(fields_make_the_jar_again)
{
    static const char *const values[] = { "a=1",
                                          "a=2; Domain=site.test",
                                          "b",
                                          "c=3; Secure; Path=/x;",
                                          "d=4; Max-Age=60",
                                          "__Host-e=5; Secure; Path=/" };
    shelf b, again;
    char wanted[200];
    shelf_init(&b);
    shelf_init(&again);
    for (size_t i = 0; i < ROWS(values); i++) set(&b, "https://site.test/x;y/z", values[i]);
    for (const cgt_cookie *c = b.jar.first; c; c = c->next) {
        CHECK(cgt_cookie_ok(c));
        CHECK(cgt_jar_put(&again.jar, c, NOW));
    }
    for (long long now = NOW; now < NOW + 61; now += 60) {
        snprintf(wanted, sizeof wanted, "%s", header_at(&b, "https://site.test/x;y/z", now));
        CHECK_STR(header_at(&again, "https://site.test/x;y/z", now), wanted);
    }
    CHECK_INT(again.jar.count, ROWS(values));
    shelf_finish(&b);
    shelf_finish(&again);
}

TEST(no_memory_no_harm)
{
    for (long k = 1; ; k++) {
        shelf b;
        shelf_init(&b);
        cgt_url url = parsed(&b, AT);
        CHECK(cgt_jar_set(&b.jar, &url, cgt_text("a=1"), NOW));
        b.s.fail_at = b.s.allocations + k;
        bool good = cgt_jar_set(&b.jar, &url, cgt_text("a=2"), NOW);
        b.s.fail_at = 0;
        CHECK_STR(header(&b, AT), good ? "a=2" : "a=1");
        cgt_url_free(&url);
        shelf_finish(&b);
        if (good) break;
        if (!CHECK(k < 20)) break;
    }
}

/* ---- through the client ---- */

#define PAGE_BODY "<div data-nonce=\"0123456789\" data-post-id=\"7\"></div>"
#define JSON_BODY "{\"status\":\"success\",\"data\":\"Hello\"}"

/* One exchange on a connection of its own: the response closes it. */
static void say_once(script *s, const char *status, const char *headers, const char *body)
{
    static char bytes[60][600];
    static int n;
    char *out = bytes[n++ % 60];
    snprintf(out, sizeof bytes[0], "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
             status, strlen(body), headers, body);
    script_connection(s);
    script_request(s);
    script_say(s, out);
    script_end(s);
}

static chatgptt_code ask(chatgptt_client *c)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    return chatgptt_chat(c, &request, NULL, NULL);
}

/* What the client sends: host and Cookie of each request, one after the other. */
typedef struct journey {
    const char *url;
    struct {
        const char *status, *headers, *body;
    } says[6];
    const char *wanted;
} journey;

static void check_journey(const journey *j)
{
    script s;
    char got[2000] = "", host[100], cookies[500];
    script_init(&s);
    script_allow(&s, "ajax.test:80");                   /* which a page names */
    for (int i = 0; i < 6 && j->says[i].status; i++)
        say_once(&s, j->says[i].status, j->says[i].headers, j->says[i].body);
    chatgptt_options options = script_options(&s);
    options.url = j->url;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    CHECK_INT(ask(c), CHATGPTT_DONE);
    if (chatgptt_client_error(c)->code) printf("    %s\n", chatgptt_client_error(c)->message);
    for (int i = 0; i < s.opened; i++) {
        const char *cookie = script_header(&s, i, 0, "Cookie", cookies, sizeof cookies);
        const char *name = script_header(&s, i, 0, "Host", host, sizeof host);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s %s\n", name ? name : "?",
                 cookie ? cookie : "-");
    }
    CHECK_STR(got, j->wanted);
    chatgptt_close(c);
    script_finish(&s);
}

#define PAGE_OK "200 OK"
#define MOVED "302 Found"
TEST(cookies_travel)
{
    static const journey journeys[] = {
        { AT,
          { { PAGE_OK,
              "Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/wp-admin\r\nSet-Cookie: c=3; Path=/other\r\n",
              PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nsite.test b=2; a=1\n" },
        /* a page that leads to itself */
        { AT,
          { { MOVED, "Set-Cookie: seen=1\r\nLocation: /\r\n", "" },
            { PAGE_OK, "", PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nsite.test seen=1\nsite.test seen=1\n" },
        { AT,
          { { MOVED, "Set-Cookie: n=1\r\nLocation: /\r\n", "" },
            { MOVED, "Set-Cookie: n=2\r\nLocation: /\r\n", "" },
            { MOVED, "Set-Cookie: n=3; Max-Age=0\r\nLocation: /\r\n", "" },
            { PAGE_OK, "", PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nsite.test n=1\nsite.test n=2\nsite.test -\nsite.test -\n" },
        { AT,
          { { MOVED,
              "Location: http://www.site.test/\r\nSet-Cookie: own=1\r\nSet-Cookie: all=2; "
              "Domain=site.test\r\nSet-Cookie: evil=3; Domain=evil.test\r\n",
              "" },
            { PAGE_OK, "Set-Cookie: www=4\r\n", PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nwww.site.test all=2\nwww.site.test all=2; www=4\n" },
        { AT,
          { { MOVED, "Location: http://other.test/\r\nSet-Cookie: a=1\r\n", "" },
            { PAGE_OK, "Set-Cookie: b=2; Domain=site.test\r\n", PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nother.test -\nother.test -\n" },
        { AT,
          { { PAGE_OK, "Set-Cookie: a=1\r\n", PAGE_BODY },
            { "307 Temporary Redirect", "Set-Cookie: b=2; Path=/\r\nLocation: /there\r\n", "" },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nsite.test a=1\nsite.test a=1; b=2\n" },
        { AT,
          { { PAGE_OK, "Set-Cookie: a=1\r\n",
              "<div data-nonce=\"0123456789\" data-post-id=\"7\"></div>wpaicgParams = "
              "{\"ajax_url\":\"http:\\/\\/ajax.test\\/x\"" },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\najax.test -\n" },
        { AT,
          { { PAGE_OK, "Set-Cookie: a=1; Secure\r\nset-COOKIE:\tc=3;\tPath=/\r\n", PAGE_BODY },
            { PAGE_OK, "", JSON_BODY } },
          "site.test -\nsite.test c=3\n" },
    };
    for (size_t i = 0; i < ROWS(journeys); i++) check_journey(&journeys[i]);
}

/* Ten redirects of a page to itself are followed, not one more; an answer's cookies come with the next
   message. */
TEST(redirects_to_itself_end)
{
    for (int n = 10; n <= 11; n++) {
        script s;
        char cookie[100];
        script_init(&s);
        for (int i = 0; i < n; i++)
            say_once(&s, MOVED,
                     i & 1 ? "Set-Cookie: odd=1\r\nLocation: /\r\n" : "Set-Cookie: even=1\r\nLocation: /\r\n",
                     "");
        say_once(&s, PAGE_OK, "", PAGE_BODY);
        say_once(&s, PAGE_OK, "Set-Cookie: told=1\r\n", JSON_BODY);
        say_once(&s, PAGE_OK, "", JSON_BODY);
        const chatgptt_options options = script_options(&s);
        chatgptt_client *c = chatgptt_open(&options, NULL);
        CHECK_INT(ask(c), n == 10 ? CHATGPTT_DONE : CHATGPTT_E_STATUS);
        if (n == 10) CHECK_INT(ask(c), CHATGPTT_DONE);
        if (n == 10)
            CHECK_STR(script_header(&s, 12, 0, "Cookie", cookie, sizeof cookie), "told=1; even=1; odd=1");
        if (n == 11) CHECK(strstr(chatgptt_client_error(c)->message, "max_redirects") != NULL);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* Cookies are kept out of the trace and of errors. */
static void trace_to(void *user, const char *what, const char *text, size_t len)
{
    (void)user;
    if (cgt_contains(cgt_slice_of(text, len), "hush"))
        check_fail(__FILE__, __LINE__, "trace %s tells a cookie", what);
}

TEST(cookies_are_no_ones_business)
{
    script s;
    script_init(&s);
    say_once(&s, MOVED, "Set-Cookie: a=hush\r\nLocation: /\r\n", "");
    say_once(&s, "500 Oops", "Set-Cookie: b=hush\r\n", "<title>Oops</title>");
    chatgptt_options options = script_options(&s);
    options.hooks.trace = trace_to;
    chatgptt_client *c = chatgptt_open(&options, NULL);
    CHECK_INT(ask(c), CHATGPTT_E_STATUS);
    CHECK(strstr(chatgptt_client_error(c)->message, "hush") == NULL);
    chatgptt_close(c);
    script_finish(&s);
}

int main(void)
{
    RUN(pairs);
    RUN(domains);
    RUN(paths);
    RUN(secure_ones);
    RUN(ages);
    RUN(long_ages);
    RUN(dates);
    RUN(order_and_replacement);
    RUN(secure_ones_are_left_alone);
    RUN(who_makes_room);
    RUN(long_attributes_are_ignored);
    RUN(fields_are_checked);
    RUN(long_fields);
    RUN(fields_make_the_jar_again);
    RUN(count_is_capped);
    RUN(size_is_capped);
    RUN(long_domains_match_nothing);
    RUN(controls_are_refused);
    RUN(no_memory_no_harm);
    RUN(cookies_travel);
    RUN(redirects_to_itself_end);
    RUN(cookies_are_no_ones_business);
    return check_report("cookie");
}
