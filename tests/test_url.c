/* test_url.c - URLs parsed, normalised and resolved; forms encoded. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "script.h"

static script world;
static chatgptt_hooks hooks;

#define ROWS(table) (sizeof (table) / sizeof *(table))

/* ---- parse ---- */

typedef struct parse_row { const char *in, *whole, *host, *port, *user; } parse_row;    /* user NULL: none */

#define A_55 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const parse_row parsed[] = {
    { "http://example.org", "http://example.org/", "example.org", "80", NULL },
    { "https://example.org/", "https://example.org/", "example.org", "443", NULL },
    { "HTTP://EXAMPLE.Org/Path", "http://example.org/Path", "example.org", "80", NULL },
    { "hTTpS://a.1.b-c_d/", "https://a.1.b-c_d/", "a.1.b-c_d", "443", NULL },
    { "http://1.2.3.4a/", "http://1.2.3.4a/", "1.2.3.4a", "80", NULL },
    { "http://0x.a/", "http://0x.a/", "0x.a", "80", NULL },
    { "http://0xg/", "http://0xg/", "0xg", "80", NULL },
    { "http://h./", "http://h./", "h.", "80", NULL },
    /* letters: their xn-- form (RFC 3492), large ones small first */
    { "http://b\xC3\xBC"
      "cher.example/",
      "http://xn--bcher-kva.example/", "xn--bcher-kva.example", "80", NULL },
    { "http://B\xC3\x9C"
      "CHER.Example/",
      "http://xn--bcher-kva.example/", "xn--bcher-kva.example", "80", NULL },
    { "http://stra\xC3\x9F"
      "e.de/",
      "http://xn--strae-oqa.de/", "xn--strae-oqa.de", "80", NULL },
    { "http://m\xC3\xBCnchen-ost.de/", "http://xn--mnchen-ost-9db.de/", "xn--mnchen-ost-9db.de", "80", NULL },
    { "http://"
      "\xCF\x80\xCE\xB1\xCF\x81\xCE\xAC\xCE\xB4\xCE\xB5\xCE\xB9\xCE\xB3\xCE\xBC\xCE\xB1."
      "\xCE\xB4\xCE\xBF\xCE\xBA\xCE\xB9\xCE\xBC\xCE\xAE/",
      "http://xn--hxajbheg2az3al.xn--jxalpdlp/", "xn--hxajbheg2az3al.xn--jxalpdlp", "80", NULL },
    { "http://"
      "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xBC\xD0\xB5\xD1\x80."
      "\xD0\xB8\xD1\x81\xD0\xBF\xD1\x8B\xD1\x82\xD0\xB0\xD0\xBD\xD0\xB8\xD0\xB5/",
      "http://xn--e1afmkfd.xn--80akhbyknj4f/", "xn--e1afmkfd.xn--80akhbyknj4f", "80", NULL },
    { "http://\xD0\x9F\xD0\xA0\xD0\x98\xD0\x9C\xD0\x95\xD0\xA0.\xD0\xA0\xD0\xA4/",
      "http://xn--e1afmkfd.xn--p1ai/", "xn--e1afmkfd.xn--p1ai", "80", NULL },
    { "http://\xD0\x81\xD0\x9B\xD0\x9A\xD0\x90.\xD1\x80\xD1\x84/", "http://xn--80atc1g.xn--p1ai/",
      "xn--80atc1g.xn--p1ai", "80", NULL },
    { "http://\xE4\xBE\x8B\xE3\x81\x88.\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88/",
      "http://xn--r8jz45g.xn--zckzah/", "xn--r8jz45g.xn--zckzah", "80", NULL },
    { "http://\xC5\x81\xC3\x93"
      "D\xC5\xB9.pl/",
      "http://xn--d-uga0v4h.pl/", "xn--d-uga0v4h.pl", "80", NULL },
    { "http://\xC5\xA0koda.CZ/", "http://xn--koda-f6a.cz/", "xn--koda-f6a.cz", "80", NULL },
    { "http://www.\xCE\x91\xCE\x98\xCE\x97\xCE\x9D\xCE\x91.gr/", "http://www.xn--mxaard0a.gr/",
      "www.xn--mxaard0a.gr", "80", NULL },
    { "http://\xC3\xB1./", "http://xn--ida./", "xn--ida.", "80", NULL },
    { "http://a\xC3\xA9.b/", "http://xn--a-bga.b/", "xn--a-bga.b", "80", NULL },
    { "http://\xD0\xBF\xD1\x80\xD0\xB0\xD0\xB2\xD0\xB4\xD0\xB0.com/", "http://xn--80aafi6cg.com/",
      "xn--80aafi6cg.com", "80", NULL },
    { "http://\xED\x95\x9C\xEA\xB5\xAD.kr/", "http://xn--3e0b707e.kr/", "xn--3e0b707e.kr", "80", NULL },
    { "http://\xC4\xB2\xC5\xBD.x/", "http://xn--efa4m.x/", "xn--efa4m.x", "80", NULL },
    { "http://\xE9\x8E\xB1\xE6\x98\xAB\xE8\xAE\xB7/",
      "http://xn--wivt94f8of/", "xn--wivt94f8of", "80", NULL },
    { "http://\xEB\x9A\xBC\xEB\xA1\xB0\xEC\xB9\xBF/",
      "http://xn--6c2b95ab75b/", "xn--6c2b95ab75b", "80", NULL },
    { "http://\xEC\xB8\xB8\xED\x92\xBC\xEC\xA2\xB7/",
      "http://xn--p35br4h86f/", "xn--p35br4h86f", "80", NULL },
    { "http://\xE9\x9E\xA3\xE7\xAA\x88\xE5\x84\x87/",
      "http://xn--92qs52hwlt/", "xn--92qs52hwlt", "80", NULL },
    { "http://\xE9\x90\xAC\xE8\x86\x8D\xE5\x9F\xA7/",
      "http://xn--kjs128guxl/", "xn--kjs128guxl", "80", NULL },
    { "http://" A_55 "\xC3\xBC/", "http://xn--" A_55 "-8yf/", "xn--" A_55 "-8yf", "80",
      NULL },      /* 63 bytes */
    { "http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/", "xn--bcher-kva.example", "80", NULL },
    /* ports */
    { "http://h:80/", "http://h/", "h", "80", NULL },
    { "https://h:443/x", "https://h/x", "h", "443", NULL },
    { "http://h:443/", "http://h:443/", "h", "443", NULL },
    { "https://h:80/", "https://h:80/", "h", "80", NULL },
    { "http://h:/", "http://h/", "h", "80", NULL },
    { "http://h:", "http://h/", "h", "80", NULL },
    { "http://h:8080?q", "http://h:8080/?q", "h", "8080", NULL },
    { "http://h:1/", "http://h:1/", "h", "1", NULL },
    { "http://h:65535/", "http://h:65535/", "h", "65535", NULL },
    { "http://h:00080/", "http://h/", "h", "80", NULL },
    { "http://h:0000000080/", "http://h/", "h", "80", NULL },
    { "http://h:08080/", "http://h:8080/", "h", "8080", NULL },
    /* addresses: brackets in the text, none for the transport */
    { "http://127.0.0.1:8080/", "http://127.0.0.1:8080/", "127.0.0.1", "8080", NULL },
    { "http://[::1]/", "http://[::1]/", "::1", "80", NULL },
    { "https://[2001:DB8::A]:8443/p", "https://[2001:db8::a]:8443/p", "2001:db8::a", "8443", NULL },
    { "http://[::]/", "http://[::]/", "::", "80", NULL },
    { "http://[1::]/", "http://[1::]/", "1::", "80", NULL },
    { "http://[1:2:3:4:5:6:7:8]/", "http://[1:2:3:4:5:6:7:8]/", "1:2:3:4:5:6:7:8", "80", NULL },
    { "http://[1:2:3:4:5:6:1.2.3.4]/", "http://[1:2:3:4:5:6:1.2.3.4]/", "1:2:3:4:5:6:1.2.3.4", "80", NULL },
    { "http://0.0.0.0/", "http://0.0.0.0/", "0.0.0.0", "80", NULL },
    { "http://[::ffff:127.0.0.1]:80", "http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", "80", NULL },
    /* what stands before an @ is told apart and goes no further */
    { "http://me@h/", "http://h/", "h", "80", "me" },
    { "http://me:pass%40word@h:81/", "http://h:81/", "h", "81", "me:pass%40word" },
    { "http://:@[::1]:81/", "http://[::1]:81/", "::1", "81", ":" },
    { "http://a@b@c/", "http://c/", "c", "80", "a@b" },
    { "http://h/@x", "http://h/@x", "h", "80", NULL },
    { "http://h?@x", "http://h/?@x", "h", "80", NULL },
    { "http://h#@x", "http://h/", "h", "80", NULL },
    /* fragments are never sent, queries as they are */
    { "http://h/a?b#c", "http://h/a?b", "h", "80", NULL },
    { "http://h/#a/../b?c", "http://h/", "h", "80", NULL },
    { "http://h?a/../b", "http://h/?a/../b", "h", "80", NULL },
    { "http://h/a?b?c", "http://h/a?b?c", "h", "80", NULL },
    { "http://h/?", "http://h/?", "h", "80", NULL },
    /* dot segments */
    { "http://h/a/./b/../c", "http://h/a/c", "h", "80", NULL },
    { "http://h/a/..", "http://h/", "h", "80", NULL },
    { "http://h/a/.", "http://h/a/", "h", "80", NULL },
    { "http://h/../../x", "http://h/x", "h", "80", NULL },
    { "http://h/..", "http://h/", "h", "80", NULL },
    { "http://h/a/b/%2e%2E/c", "http://h/a/c", "h", "80", NULL },
    { "http://h/a/%2e/b", "http://h/a/b", "h", "80", NULL },
    { "http://h/.../a..b/.c", "http://h/.../a..b/.c", "h", "80", NULL },
    { "http://h//a//../b", "http://h//a/b", "h", "80", NULL },
    { "http://h/a/../..//x", "http://h//x", "h", "80", NULL },
    /* what may not stand in a request line */
    { "http://h/a b", "http://h/a%20b", "h", "80", NULL },
    { "http://h/?a b", "http://h/?a%20b", "h", "80", NULL },
    { "http://h/\xC3\xA9?\xE2\x82\xAC", "http://h/%C3%A9?%E2%82%AC", "h", "80", NULL },
    { "http://h/\"<>^`{|}", "http://h/%22%3C%3E%5E%60%7B%7C%7D", "h", "80", NULL },
    { "http://h/?\\", "http://h/?\\", "h", "80", NULL },
    { "http://h/a\\b\\..\\c", "http://h/a/c", "h", "80", NULL },
    { "http://h/\\/x", "http://h///x", "h", "80", NULL },
    { "http://h\\a\\", "http://h/a/", "h", "80", NULL },
    { "http://me\\@h/", "http://me/@h/", "me", "80", NULL },
    { "http://h/?\"<>", "http://h/?%22%3C%3E", "h", "80", NULL },
    { "http://h/100%/%41%zz", "http://h/100%/%41%zz", "h", "80", NULL },
    { "http://h/~a!$&'()*+,;=:@-._", "http://h/~a!$&'()*+,;=:@-._", "h", "80", NULL },
    /* a backslash ends the host, as in browsers: the next reader must not see another one */
    { "http://good.test\\@evil.test/", "http://good.test/@evil.test/", "good.test", "80", NULL },
    { "http://good.test\\.evil.test", "http://good.test/.evil.test", "good.test", "80", NULL },
};

static void parse_one(const parse_row *row)
{
    cgt_url url;
    cgt_slice user;
    const char *why = NULL;
    char *in = feed_fence(strlen(row->in)) - strlen(row->in);
    memcpy(in, row->in, strlen(row->in));
    chatgptt_code code = cgt_url_parse(&url, &hooks, cgt_slice_of(in, strlen(row->in)), &user, &why);
    if (code != CHATGPTT_OK) check_fail(__FILE__, __LINE__, "%s: %s", row->in, why ? why : "?");
    if (code != CHATGPTT_OK) return;
    size_t slash = strlen(url.https ? "https://" : "http://");
    CHECK_MEM(url.whole.at, url.whole.len, row->whole, strlen(row->whole));
    CHECK_STR(url.host, row->host);
    CHECK_STR(url.port, row->port);
    CHECK_MEM(user.at, user.len, row->user ? row->user : user.at, row->user ? strlen(row->user) : 0);
    CHECK_INT(url.literal, strchr(row->host, ':') != NULL);
    CHECK_INT(url.origin.len + url.path.len, url.whole.len);            /* the parts are the whole */
    CHECK(url.origin.at == url.whole.at && url.path.at == url.whole.at + url.origin.len &&
          url.path.at[0] == '/');
    CHECK(url.authority.at == url.whole.at + slash && url.authority.len == url.origin.len - slash);
    cgt_url_free(&url);
}

/* What was normalised once stays as it is. */
TEST(parse)
{
    for (size_t i = 0; i < ROWS(parsed); i++) {
        parse_row again = parsed[i];
        parse_one(&again);
        again.in = again.whole;
        again.user = NULL;
        parse_one(&again);
    }
}

static const struct { const char *in, *why; } refused[] = {
    {"", "it does not begin with http:// or https://"},
    {"example.org", "it does not begin with http:// or https://"},
    {"ftp://h/", "it does not begin with http:// or https://"},
    {"http:/h/", "it does not begin with http:// or https://"},
    {" http://h/", "it does not begin with http:// or https://"},
    {"javascript:alert(1)", "it does not begin with http:// or https://"},
    {"http://", "the host is missing"},
    {"http:///x", "the host is missing"},
    {"http://?x", "the host is missing"},
    {"http://:80/", "the host is missing"},
    {"http://me@/", "the host is missing"},
    {"http://a b/", NULL},
    /* letters that cannot be settled in a few lines, and what is none */
    {"http://u\xCC\x88.example/", "no valid host name (write others in their xn-- form)"},
    {"http://\xE2\x80\x8B" "h/", NULL},
    {"http://a\xE3\x80\x82" "b/", NULL},
    {"http://a\xEF\xBC\x8E" "b/", NULL},
    {"http://\xC3.example/", NULL},
    {"http://\xFF/", NULL},
    {"http://\xC2\xA0/", NULL},
    {"http://\xED\xA0\x80/", NULL},
    {"http://\xC3\xBC b/", NULL},
    {"http://\xC3\xBC%/", NULL},
    {"http://\xC3\xBC..b/", NULL},
    {"http://a..b/", NULL},
    {"http://./", NULL},
    /* longer than a label may be, in its xn-- form only */
    {"http://a" A_55 "\xC3\xBC/", "no valid host name (write others in their xn-- form)"},
    {"http://aaaa" A_55 "\xC3\xBC/", "no valid host name (write others in their xn-- form)"},
    {"http://aaaaa" A_55 "\xC3\xBC/", "no valid host name (write others in their xn-- form)"},
    {"http://\xE6\x97\xA5\xE4\xB8\x80\xE9\xBE\x8C\xE5\x80\x80\xE8\x80\x80\xE6\x80\x80\xE4\xB9\x80\xE9\x80\x80"
     "\xE7\x80\x80\xE5\x90\x80\xE8\x90\x80\xE6\x90\x80\xE4\xBA\x80\xE9\x90\x80\xE7\x90\x80\xE5\xA0\x80"
     "\xE8\xA0\x80\xE6\xA0\x80\xE4\xBB\x80\xE9\xA0\x80\xE7\xA0\x80/", NULL},
    /* what some take for an address, each for another one */
    {"http://010.0.0.1/", "an address must be four plain decimal numbers"},
    {"http://127.0.0.01/", "an address must be four plain decimal numbers"},
    {"http://0x7f.1/", "an address must be four plain decimal numbers"},
    {"http://0x7f000001/", "an address must be four plain decimal numbers"},
    {"http://0x/", "an address must be four plain decimal numbers"},
    {"http://1.2.3/", "an address must be four plain decimal numbers"},
    {"http://2130706433/", "an address must be four plain decimal numbers"},
    {"http://256.1.1.1/", "an address must be four plain decimal numbers"},
    {"http://1.2.3.4.5/", "an address must be four plain decimal numbers"},
    {"http://1.2.3.4./", "an address must be four plain decimal numbers"},
    {"http://1.2.3.1000/", "an address must be four plain decimal numbers"},
    {"http://a.b.1/", "an address must be four plain decimal numbers"},
    {"http://a.0X1F/", "an address must be four plain decimal numbers"},
    {"http://[::1::2]/", "what stands in brackets is no IPv6 address"},
    {"http://[12345::]/", "what stands in brackets is no IPv6 address"},
    {"http://[1:2:3]/", "what stands in brackets is no IPv6 address"},
    {"http://[1:2:3:4:5:6:7:8:9]/", "what stands in brackets is no IPv6 address"},
    {"http://[1:2:3:4:5:6:7:8:]/", "what stands in brackets is no IPv6 address"},
    {"http://[1::2:]/", "what stands in brackets is no IPv6 address"},
    {"http://[:1::2]/", "what stands in brackets is no IPv6 address"},
    {"http://[1:2:3:4::5:6:7:8]/", "what stands in brackets is no IPv6 address"},
    {"http://[:::]/", "what stands in brackets is no IPv6 address"},
    {"http://[::1.2.3]/", "what stands in brackets is no IPv6 address"},
    {"http://[::1.2.3.4:5]/", "what stands in brackets is no IPv6 address"},
    {"http://[::01.2.3.4]/", "what stands in brackets is no IPv6 address"},
    {"http://[::256.2.3.4]/", "what stands in brackets is no IPv6 address"},
    {"http://[1:2:3:4:5:6:7:1.2.3.4]/", "what stands in brackets is no IPv6 address"},
    {"http://[[::1]/", "what stands in brackets is no IPv6 address"},
    {"http://a%41/", NULL},
    {"http://.h/", NULL},
    {"http://a,b/", NULL},
    {"http://h:0/", "no valid port"},
    {"http://h:65536/", "no valid port"},
    {"http://h:99999999999999999999/", "no valid port"},
    {"http://h:-1/", "no valid port"},
    {"http://h:+80/", "no valid port"},
    {"http://h:8 0/", "no valid port"},
    {"http://h:80x/", "no valid port"},
    {"http://h:80:80/", "no valid port"},
    {"http://::1/", NULL},
    {"http://[::1/", "a bracket is not closed"},
    {"http://[::1", "a bracket is not closed"},
    {"http://[::1]x/", "something follows the bracket"},
    {"http://[::1]80/", "something follows the bracket"},
    {"http://[]/", "what stands in brackets is no IPv6 address"},
    {"http://[127.0.0.1]/", "what stands in brackets is no IPv6 address"},
    {"http://[v1.x]/", "what stands in brackets is no IPv6 address"},
    {"http://[g::1]/", "what stands in brackets is no IPv6 address"},
    {"http://[fe80::1%eth0]/", "addresses with a scope (%) are not supported"},
    {"http://[fe80::1%25eth0]:80/", "addresses with a scope (%) are not supported"},
    {"http://h/\r\nX: y", "it holds a control character"},
    {"http://h\n/", "it holds a control character"},
    {"http://h/\t", "it holds a control character"},
    {"http://h/?\x7f", "it holds a control character"},
    {"http://h/#\x01", "it holds a control character"},
    {"http://me\r\n@h/", "it holds a control character"},
};

static chatgptt_code parse_bad(const char *in, size_t len, const char **why)
{
    cgt_url url;
    cgt_slice user;
    *why = NULL;
    chatgptt_code code = cgt_url_parse(&url, &hooks, cgt_slice_of(in, len), &user, why);
    if (code == CHATGPTT_OK) cgt_url_free(&url);
    return code;
}

TEST(refuse)
{
    const char *why;
    for (size_t i = 0; i < ROWS(refused); i++) {
        if (parse_bad(refused[i].in, strlen(refused[i].in), &why) != CHATGPTT_E_ARGUMENT)
            check_fail(__FILE__, __LINE__, "\"%s\" was taken", refused[i].in);
        CHECK(why != NULL);
        if (refused[i].why) CHECK_STR(why, refused[i].why);
    }
    CHECK_INT(parse_bad("http://h/\0x", 11, &why), CHATGPTT_E_ARGUMENT);
    CHECK_INT(parse_bad("http://h\0.evil.test/", 20, &why), CHATGPTT_E_ARGUMENT);
}

/* The scheme is read whole or not at all: no byte past the end. */
TEST(refuse_every_start)
{
    static const char whole[] = "https://[::1]:8";
    const char *why;
    for (size_t len = 0; len < 13; len++) {
        char *in = feed_fence(sizeof whole) - len;
        memcpy(in, whole, len);
        CHECK_INT(parse_bad(in, len, &why), CHATGPTT_E_ARGUMENT);
    }
}

TEST(too_long)
{
    static char in[2 * CHATGPTT_MAX_URL];
    const char *why;
    cgt_url url, base;
    cgt_slice user;
    memset(in, 'a', sizeof in);
    memcpy(in, "http://h/", 9);
    CHECK_INT(parse_bad(in, CHATGPTT_MAX_URL, &why), CHATGPTT_OK);
    CHECK_INT(parse_bad(in, CHATGPTT_MAX_URL + 1, &why), CHATGPTT_E_LIMIT);
    CHECK_STR(why, "it is too long");
    memset(in + 9, ' ', sizeof in - 9);                 /* the limit is that of the encoded form */
    CHECK_INT(parse_bad(in, CHATGPTT_MAX_URL / 2, &why), CHATGPTT_E_LIMIT);
    CHECK_INT(cgt_url_parse(&base, &hooks, cgt_text("http://h/"), &user, &why), CHATGPTT_OK);
    user = cgt_text("old");
    CHECK_INT(cgt_url_resolve(&url, &base, cgt_slice_of(in + 9, CHATGPTT_MAX_URL + 1), &user, &why),
              CHATGPTT_E_LIMIT);
    CHECK_STR(why, "it is too long");
    CHECK_INT(user.len, 0);
    cgt_url_free(&base);
    memset(in + 7, 'h', sizeof in - 7);
    CHECK_INT(parse_bad(in, 7 + 253, &why), CHATGPTT_OK);
    CHECK_INT(parse_bad(in, 7 + 254, &why), CHATGPTT_E_ARGUMENT);
}

/* The bytes of an address are what certificates are compared with. */
static const struct { const char *in, *bytes; } addresses[] = {
    {"::", "00000000000000000000000000000000"},
    {"::1", "00000000000000000000000000000001"},
    {"1::", "00010000000000000000000000000000"},
    {"fe80::1:2", "fe800000000000000000000000010002"},
    {"2001:db8::a", "20010db800000000000000000000000a"},
    {"1234:5678:9abc:def0:0fed:cba9:8765:4321", "123456789abcdef00fedcba987654321"},
    {"FFFF::ABCD", "ffff000000000000000000000000abcd"},
    {"::2:3:4:5:6:7:8", "00000002000300040005000600070008"},
    {"1:2:3:4:5:6:7::", "00010002000300040005000600070000"},
    {"1:2:3::5:6:7:8", "00010002000300000005000600070008"},
    {"::ffff:192.0.2.33", "00000000000000000000ffffc0000221"},
    {"1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"},
    {"1:2:3:4:5::1.2.3.4", "00010002000300040005000001020304"},
    {"::1.2.3.4", "00000000000000000000000001020304"},
    {"::12.345.6.7", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"1", NULL},
    {"", NULL},
    {":", NULL},
    {"1:", NULL},
    {":1", NULL},
    {"1.2.3.4", NULL},
    {"1.2.3.4::", NULL},
    {"::g", NULL},
    {"1:g2", NULL},
    {"1:g:2", NULL},
};

TEST(address_bytes)
{
    for (size_t i = 0; i < ROWS(addresses); i++) {
        unsigned char bytes[16];
        char hex[33] = "";
        size_t len = strlen(addresses[i].in);
        char *in = feed_fence(len) - len;
        memcpy(in, addresses[i].in, len);
        memset(bytes, 0xEE, sizeof bytes);
        size_t got = cgt_parse_ipv6(cgt_slice_of(in, len), bytes);
        if (!CHECK_INT(got, addresses[i].bytes ? 16 : 0)) printf("    %s\n", addresses[i].in);
        for (size_t k = 0; k < 16; k++) snprintf(hex + 2 * k, 3, "%02x", bytes[k]);
        if (addresses[i].bytes) CHECK_STR(hex, addresses[i].bytes);
    }
}

/* The letters of hosts: at both ends of every run of Unicode's that is written alike. */
static const struct { uint32_t letter, small; } letters[] = {    /* small 0: hosts have none */
    {0x2D, 0x2D}, {0x2C, 0}, {0x41, 0x61}, {0x5A, 0x7A}, {0x5B, 0}, {0x5F, 0x5F}, {0x7A, 0x7A}, {0x7B, 0},
    {0x7F, 0}, {0x80, 0}, {0xA0, 0}, {0xBF, 0}, {0xC0, 0xE0}, {0xD6, 0xF6}, {0xD7, 0}, {0xD8, 0xF8},
    {0xDE, 0xFE}, {0xDF, 0xDF}, {0xE0, 0xE0}, {0xF6, 0xF6}, {0xF7, 0}, {0xF8, 0xF8}, {0xFF, 0xFF},
    {0x100, 0x101}, {0x101, 0x101}, {0x12E, 0x12F}, {0x12F, 0x12F}, {0x130, 0}, {0x131, 0x131},
    {0x132, 0x133}, {0x136, 0x137}, {0x137, 0x137}, {0x138, 0x138}, {0x139, 0x13A}, {0x13A, 0x13A},
    {0x147, 0x148}, {0x148, 0x148}, {0x149, 0x149}, {0x14A, 0x14B}, {0x176, 0x177}, {0x177, 0x177},
    {0x179, 0x17A}, {0x17A, 0x17A}, {0x17D, 0x17E}, {0x17E, 0x17E}, {0x17F, 0x17F}, {0x180, 0x180},
    {0x178, 0xFF}, {0x2FF, 0x2FF}, {0x300, 0}, {0x390, 0}, {0x391, 0x3B1}, {0x3A9, 0x3C9}, {0x3AA, 0x3CA},
    {0x3AB, 0x3CB}, {0x3AC, 0x3AC}, {0x3B1, 0x3B1}, {0x3C9, 0x3C9},
    {0x400, 0x450}, {0x40F, 0x45F}, {0x410, 0x430}, {0x42F, 0x44F}, {0x430, 0x430}, {0x45F, 0x45F},
    {0x1FFF, 0x1FFF}, {0x2000, 0}, {0x2BFF, 0}, {0x2C00, 0x2C00}, {0x2FFF, 0x2FFF}, {0x3000, 0},
    {0x3004, 0}, {0x3005, 0x3005}, {0xD7A3, 0xD7A3}, {0xE000, 0}, {0xF8FF, 0}, {0xF900, 0xF900},
    {0xFDFF, 0xFDFF}, {0xFE00, 0}, {0xFFFF, 0}, {0x10000, 0x10000}, {0x20000, 0x20000},
};

TEST(small_letters)
{
    for (size_t i = 0; i < ROWS(letters); i++)
        if (!CHECK_INT(cgt_small(letters[i].letter), letters[i].small))
            printf("    U+%04X\n", (unsigned)letters[i].letter);
}

/* ---- resolve ---- */

typedef struct resolve_row { const char *base, *ref, *whole; } resolve_row;     /* whole NULL: refused */

#define RFC "http://a/b/c/d;p?q"
static const resolve_row resolved[] = {
    /* RFC 3986, section 5.4.1; fragments are gone here */
    { RFC, "g:h", NULL },
    { RFC, "g", "http://a/b/c/g" },
    { RFC, "./g", "http://a/b/c/g" },
    { RFC, "g/", "http://a/b/c/g/" },
    { RFC, "/g", "http://a/g" },
    { RFC, "//g", "http://g/" },
    { RFC, "?y", "http://a/b/c/d;p?y" },
    { RFC, "g?y", "http://a/b/c/g?y" },
    { RFC, "#s", "http://a/b/c/d;p?q" },
    { RFC, "g#s", "http://a/b/c/g" },
    { RFC, "g?y#s", "http://a/b/c/g?y" },
    { RFC, ";x", "http://a/b/c/;x" },
    { RFC, "g;x", "http://a/b/c/g;x" },
    { RFC, "g;x?y#s", "http://a/b/c/g;x?y" },
    { RFC, "", "http://a/b/c/d;p?q" },
    { RFC, ".", "http://a/b/c/" },
    { RFC, "./", "http://a/b/c/" },
    { RFC, "..", "http://a/b/" },
    { RFC, "../", "http://a/b/" },
    { RFC, "../g", "http://a/b/g" },
    { RFC, "../..", "http://a/" },
    { RFC, "../../", "http://a/" },
    { RFC, "../../g", "http://a/g" },
    /* section 5.4.2 */
    { RFC, "../../../g", "http://a/g" },
    { RFC, "../../../../g", "http://a/g" },
    { RFC, "/./g", "http://a/g" },
    { RFC, "/../g", "http://a/g" },
    { RFC, "g.", "http://a/b/c/g." },
    { RFC, ".g", "http://a/b/c/.g" },
    { RFC, "g..", "http://a/b/c/g.." },
    { RFC, "..g", "http://a/b/c/..g" },
    { RFC, "./../g", "http://a/b/g" },
    { RFC, "./g/.", "http://a/b/c/g/" },
    { RFC, "g/./h", "http://a/b/c/g/h" },
    { RFC, "g/../h", "http://a/b/c/h" },
    { RFC, "g;x=1/./y", "http://a/b/c/g;x=1/y" },
    { RFC, "g;x=1/../y", "http://a/b/c/y" },
    { RFC, "g?y/./x", "http://a/b/c/g?y/./x" },
    { RFC, "g?y/../x", "http://a/b/c/g?y/../x" },
    { RFC, "g#s/./x", "http://a/b/c/g" },
    { RFC, "g#s/../x", "http://a/b/c/g" },
    { RFC, "http:g", "http://a/b/c/g" },
    /* what sites send */
    { "http://h", "x", "http://h/x" },
    { "http://h", "?x", "http://h/?x" },
    { "http://h:81/a?b/c", "d", "http://h:81/d" },
    { "http://h/a", "https://H/a", "https://h/a" },
    { "https://h:8443/a", "//i/b", "https://i/b" },
    { "https://h/a", "http://h/a", "http://h/a" },
    { "http://[::1]:81/a", "/b", "http://[::1]:81/b" },
    { "http://h/a", "/b:c", "http://h/b:c" },
    { "http://h/a", "?u=http://x/", "http://h/a?u=http://x/" },
    { "http://h/a", "/\xC3\xA9 b", "http://h/%C3%A9%20b" },
    { "http://h/a", "HTTP://i:80", "http://i/" },
    { "http://h/a", "mailto:x@y", NULL },
    { "http://h/a", "//", NULL },
    { "http://h/a", "http://", NULL },
    { "http://h/a", "//h:x/", NULL },
    { "http://h/a", "/b\r\nX: y", NULL },
    { "http://h/a", "javascript:x", NULL },
    { "http://h/a", "file:///etc/passwd", NULL },
    /* as browsers have it (WHATWG URL, section 4.4) */
    { "http://h/a/b", "\\\\other.test\\x", "http://other.test/x" },
    { "http://h/a/b", "/\\other.test/x", "http://other.test/x" },
    { "http://h/a/b", "\\x", "http://h/x" },
    { "http://h/a/b", "x\\y", "http://h/a/x/y" },
    { "http://h/a/b", "..\\x", "http://h/x" },
    { "http://h/a", "http:///i/b", "http://i/b" },
    { "http://h/a", "HTTP:////i", "http://i/" },
    { "https://h/a", "///i/b", "https://i/b" },
    { "http://h/a", "http:\\\\i\\b", "http://i/b" },
    { "http://h/a", "http:/i/b", "http://h/i/b" },
    { "http://h/a/b", "http:i", "http://h/a/i" },
    { "http://h/a/b", "http:?x", "http://h/a/b?x" },
    { "http://h/a", "https:i/b", "https://i/b" },
    { "http://h/a", "https:/i/b", "https://i/b" },
    { "https://h/a", "http:i", "http://i/" },
    { "http://h/a", "https:", NULL },
    { "http://h/a", "http:", "http://h/a" },
    { "http://h/a", "http:///", NULL },
    { "http://h/a", "http:////u:p@i", "http://i/" },
    { "http://h/a", "//i\\@x", "http://i/@x" },
    { "http://h/a", ":x", "http://h/:x" },
    { "http://h/a", "//010.0.0.1/", NULL },
    { "http://h/a", "//[::1::2]/", NULL },
    { "http://h/a", "//b\xC3\xBC" "cher.test/", "http://xn--bcher-kva.test/" },
    { "http://h/a", "/b\tc", NULL },
};

TEST(resolve)
{
    for (size_t i = 0; i < ROWS(resolved); i++) {
        const resolve_row *row = &resolved[i];
        cgt_url base, url;
        cgt_slice user;
        const char *why = "";
        size_t len = strlen(row->ref);
        char *ref = feed_fence(len) - len;
        memcpy(ref, row->ref, len);
        if (!CHECK_INT(cgt_url_parse(&base, &hooks, cgt_text(row->base), &user, &why), CHATGPTT_OK)) continue;
        chatgptt_code code = cgt_url_resolve(&url, &base, cgt_slice_of(ref, len), &user, &why);
        if (code != (row->whole ? CHATGPTT_OK : CHATGPTT_E_ARGUMENT))
            check_fail(__FILE__, __LINE__, "%s from %s: %s", row->ref, row->base, why);
        if (code == CHATGPTT_OK && row->whole)
            CHECK_MEM(url.whole.at, url.whole.len, row->whole, strlen(row->whole));
        if (code == CHATGPTT_OK) cgt_url_free(&url);
        cgt_url_free(&base);
    }
}

/* A redirect with a user name in it is told apart. */
TEST(resolve_tells_of_a_user)
{
    cgt_url base, url;
    cgt_slice user;
    const char *why;
    CHECK_INT(cgt_url_parse(&base, &hooks, cgt_text("http://me:pass@h/"), &user, &why), CHATGPTT_OK);
    CHECK_INT(cgt_url_resolve(&url, &base, cgt_text("/x"), &user, &why), CHATGPTT_OK);
    CHECK_INT(user.len, 0);
    cgt_url_free(&url);
    CHECK_INT(cgt_url_resolve(&url, &base, cgt_text("//you:word@i/"), &user, &why), CHATGPTT_OK);
    CHECK_INT(user.len, 8);
    cgt_url_free(&url);
    cgt_url_free(&base);
}

/* A copy lives longer than what it was made of. */
TEST(copy)
{
    static const char *const texts[] = {"http://me@h:81/a?b", "https://[::1]/", "https://h:444"};
    cgt_url none, to;
    for (size_t i = 0; i < ROWS(texts); i++) {
        cgt_url from;
        cgt_slice user;
        const char *why;
        char whole[100], host[100], port[8];
        CHECK_INT(cgt_url_parse(&from, &hooks, cgt_text(texts[i]), &user, &why), CHATGPTT_OK);
        CHECK(cgt_fixed_set(whole, sizeof whole, from.whole));
        CHECK(cgt_fixed_set(host, sizeof host, cgt_text(from.host)));
        CHECK(cgt_fixed_set(port, sizeof port, cgt_text(from.port)));
        CHECK_INT(cgt_url_copy(&to, &hooks, &from), CHATGPTT_OK);
        CHECK(to.https == from.https && to.literal == from.literal);
        cgt_url_free(&from);
        CHECK_MEM(to.whole.at, to.whole.len, whole, strlen(whole));
        CHECK_STR(to.host, host);
        CHECK_STR(to.port, port);
        cgt_url_free(&to);
        CHECK(!to.host && !to.port && to.whole.len + to.origin.len + to.authority.len + to.path.len == 0);
    }
    memset(&none, 0, sizeof none);
    CHECK_INT(cgt_url_copy(&to, &hooks, &none), CHATGPTT_OK);
    CHECK_INT(to.whole.len, 0);
    cgt_url_free(&to);
}

/* What an error may say of a URL, good or bad. */
static const struct { const char *in, *place;
} places[] = {
    {"http://host/", "host"},
    {"https://host:8443/secret?secret#secret", "host:8443"},
    {"HTTP://Host.example?secret", "Host.example"},
    {"http://host#secret", "host"},
    {"http://user:secret@host/secret", "host"},
    {"http://user:se:cret@host:80/", "host:80"},
    {"http://user:se@cret@host/", "host"},
    {"http://[::1]:81/secret", "[::1]:81"},
    {"http://user:secret@[::1]/", "[::1]"},
    {"//user:secret@host", "host"},
    {"//host/secret", "host"},
    {"http:///user:secret@host", "host"},
    {"http:\\\\user:secret@host\\secret", "host"},
    {"ftp://user:secret@host/", "host"},
    {"socks5://user:secret@proxy:1080", "proxy:1080"},
    {"http://user:sec ret@host/", "host"},
    {"http://user:sec\nret@host/", "host"},
    {"http://1.2.3/", "1.2.3"},
    {"http://host:/", "host:"},
    /* not sure, or nothing at all */
    {"http://user:se/cret@host", ""},
    {"http://user:se?cret@host", ""},
    {"http://user:se#cret@host", ""},
    {"http://user:se\\cret@host", ""},
    {"http://user:12/34@host", ""},
    {"http://secret/secret@host", ""},
    {"http://user:se@cr/et@host", ""},
    {"http://user:secret@", ""},
    {"http://user:secret@/", ""},
    {"http://user:secret@:80", ""},
    {"http://user:secret", ""},
    {"http://user:secret/", ""},
    {"http://user:secret%40host/", ""},
    {"http://secret%40host/", ""},
    {"http://secret\xEF\xBC\xA0host/", ""},
    {"http://user:secret@host:secret/", ""},
    {"http://user:secret@[secret]/", ""},
    {"http://user:secret@[::1]secret/", ""},
    {"http://[::1", ""},
    {"user:secret@host:80/x", ""},
    {"user:secret/x", ""},
    {"secret", ""},
    {"/secret", ""},
    {"?secret", ""},
    {"http:user:secret@host", ""},
    {"http:/user:secret@host", ""},
    {"http://", ""},
    {"http:", ""},
    {"//", ""},
    {"", ""},
    {"http://sec ret/", ""},
    {"http://sec\tret/", ""},
};

TEST(place)
{
    for (size_t i = 0; i < ROWS(places); i++) {
        size_t len = strlen(places[i].in);
        char *in = feed_fence(len) - len;
        memcpy(in, places[i].in, len);
        cgt_slice place = cgt_url_place(cgt_slice_of(in, len));
        if (!CHECK_MEM(place.at, place.len, places[i].place, strlen(places[i].place)))
            printf("    %s\n", places[i].in);
    }
}

/* Cut at any byte, every row is a URL or is none: what is one has its place or none, and its copy is the
   same. */
static void check_start(const char *text, size_t len)
{
    cgt_url url, again;
    cgt_slice user, place, rest;
    const char *why = NULL;
    char *in = feed_fence(len) - len;
    memcpy(in, text, len);
    place = cgt_url_place(cgt_slice_of(in, len));
    CHECK(cgt_find(place, "@/?#\\") == place.len && !cgt_has_control(place));
    if (cgt_url_parse(&url, &hooks, cgt_slice_of(in, len), &user, &why)) {
        CHECK(why != NULL);
        return;
    }
    rest = place;
    if (place.len) CHECK(cgt_is_any_case(cgt_cut(&rest, url.literal ? "]" : ":"), url.host) || url.literal);
    CHECK_INT(cgt_url_copy(&again, &hooks, &url), CHATGPTT_OK);
    CHECK(cgt_same(again.whole, url.whole));
    cgt_url_free(&again);
    cgt_url_free(&url);
}

TEST(cut_everywhere)
{
    for (size_t i = 0, k; i < ROWS(parsed); i++)
        for (k = 0; k <= strlen(parsed[i].in); k++) check_start(parsed[i].in, k);
    for (size_t i = 0, k; i < ROWS(refused); i++)
        for (k = 0; k <= strlen(refused[i].in); k++) check_start(refused[i].in, k);
    for (size_t i = 0, k; i < ROWS(places); i++)
        for (k = 0; k <= strlen(places[i].in); k++) check_start(places[i].in, k);
}

TEST(no_memory)
{
    script s;
    script_init(&s);
    for (s.fail_from = 1; s.fail_from < 20; s.fail_from++) {
        chatgptt_hooks failing = script_hooks(&s);
        cgt_url base, url;
        cgt_slice user;
        const char *why;
        chatgptt_code code = cgt_url_parse(&base, &failing, cgt_text("http://site.test/a/b?c"), &user, &why);
        if (code == CHATGPTT_OK) {
            code = cgt_url_resolve(&url, &base, cgt_text("../d"), &user, &why);
            if (code == CHATGPTT_OK) cgt_url_free(&url);
            cgt_url_free(&base);
        }
        if (code == CHATGPTT_OK) break;
        CHECK_INT(code, CHATGPTT_E_MEMORY);
        CHECK_STR(why, "out of memory");
        script_rewind(&s);
    }
    CHECK(s.fail_from > 2 && s.fail_from < 20);
    script_finish(&s);
}

/* ---- forms ---- */

static const struct { const char *in, *out;
} forms[] = {
    { "", "" },
    { " ", "+" },
    { "a b+c", "a+b%2Bc" },
    { "*-._", "*-._" },
    { "azAZ09", "azAZ09" },
    { "~!'()", "%7E%21%27%28%29" },
    { "&=?#%;/:@$,", "%26%3D%3F%23%25%3B%2F%3A%40%24%2C" },
    { "\r\n\t", "%0D%0A%09" },
    { "\"<>\\^`{|}[]", "%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D" },
    { "\xC3\xA9\xF0\x9F\x98\x80", "%C3%A9%F0%9F%98%80" },
    { "\x7f\x01\xff", "%7F%01%FF" },
    { "%41", "%2541" },
};

TEST(form_encode)
{
    cgt_buffer b;
    cgt_buffer_init(&b, &hooks, 100000);
    for (size_t i = 0; i < ROWS(forms); i++) {
        b.len = 0;
        cgt_form_encode(&b, cgt_text(forms[i].in));
        CHECK_MEM(b.data ? b.data : "", b.len, forms[i].out, strlen(forms[i].out));
    }
    b.len = 0;
    cgt_form_encode(&b, cgt_slice_of("a\0b", 3));
    CHECK_STR(b.data, "a%00b");
    cgt_buffer_free(&b);
}

/* Every byte comes back, and only bytes of the form alphabet go out. */
TEST(form_round_trip)
{
    char all[256], back[257];
    cgt_buffer b;
    for (size_t i = 0; i < sizeof all; i++) all[i] = (char)(unsigned char)i;
    cgt_buffer_init(&b, &hooks, 100000);
    cgt_form_encode(&b, cgt_slice_of(all, sizeof all));
    CHECK_INT(b.len, 10 + 26 + 26 + 4 + 1 + 3 * (256 - 67));
    CHECK_INT(strspn(b.data, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*-._+%"), b.len);
    CHECK(request_decode(b.data, b.data + b.len, back, sizeof back) != NULL);
    CHECK_MEM(back, sizeof all, all, sizeof all);
    cgt_buffer_free(&b);
}

TEST(form_fields)
{
    cgt_buffer b;
    cgt_buffer_init(&b, &hooks, 1000);
    cgt_form_field(&b, "a", cgt_text("1 2"));
    cgt_form_field(&b, "b", cgt_text(""));
    cgt_form_field(&b, "c_d", cgt_text("&="));
    CHECK_STR(b.data, "a=1+2&b=&c_d=%26%3D");
    b.len = 0;
    cgt_puts(&b, "/x?");
    cgt_form_field(&b, "a", cgt_text("?"));
    cgt_form_field(&b, "b", cgt_text("2"));
    CHECK_STR(b.data, "/x?a=%3F&b=2");
    cgt_buffer_free(&b);
}

int main(void)
{
    script_init(&world);
    hooks = script_hooks(&world);
    RUN(parse);
    RUN(refuse);
    RUN(refuse_every_start);
    RUN(too_long);
    RUN(address_bytes);
    RUN(small_letters);
    RUN(resolve);
    RUN(resolve_tells_of_a_user);
    RUN(copy);
    RUN(place);
    RUN(cut_everywhere);
    RUN(no_memory);
    RUN(form_encode);
    RUN(form_round_trip);
    RUN(form_fields);
    script_finish(&world);
    return check_report("url");
}
