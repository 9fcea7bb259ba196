/* A response head as sites send it, read from one buffer, beside http-parser doing the same: framing known,
   the headers that are looked at handed out. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"
#ifdef BENCH_HTTP_PARSER
#include <http_parser.h>
#endif

static char head[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    "Content-Type: text/event-stream; charset=UTF-8\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Connection: keep-alive\r\n"
    "X-Powered-By: PHP/8.2.12\r\n"
    "Expires: Wed, 11 Jan 1984 05:00:00 GMT\r\n"
    "Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private\r\n"
    "Set-Cookie: wordpress_test_cookie=WP%20Cookie%20check; path=/; secure; HttpOnly\r\n"
    "X-Robots-Tag: noindex\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
    "Report-To: "
    "{\"endpoints\":[{\"url\":\"https:\\/\\/a.nel.example.test\\/report\\/v3?s=Qm9va2lzaA%3D%3D\"}],"
    "\"group\":\"nel\",\"max_age\":604800}\r\n"
    "NEL: {\"success_fraction\":0,\"report_to\":\"nel\",\"max_age\":604800}\r\n"
    "Server: cloudflare\r\n"
    "CF-RAY: 8265c1f0abcd1234-FRA\r\n"
    "alt-svc: h3=\":443\"; ma=86400\r\n"
    "\r\n";

enum { TOLD = 32 + 7 + 10 + 67 };
static size_t told;                         /* bytes of values handed out */

static void by_http(void *user)
{
    static cgt_http_line line;
    cgt_http h;
    size_t at = 0, used;
    (void)user;
    memset(&h, 0, sizeof h);
    h.max_head = 65536;
    h.line = &line;
    for (told = 0; h.event != CGT_HTTP_HEAD; at += used) {
        bench_must(cgt_http_feed(&h, head + at, sizeof head - 1 - at, &used) == CHATGPTT_OK,
                   "the head is refused");
        if (h.event == CGT_HTTP_HEADER) told += line.value_len;
        bench_must(h.event != CGT_HTTP_NONE, "the head has no end");
    }
    bench_must(h.status == 200 && h.coding == CGT_HTTP_CHUNKED && told == TOLD, "the head is not read");
}

#ifdef BENCH_HTTP_PARSER
/* As ours: names are told apart, the values of those that are looked at copied. */
static struct { char name[64], value[8192]; size_t name_len, value_len; bool in_value, kept; } now;

static void flush_line(void)
{
    static const char *const kept[] = { "content-type",     "transfer-encoding", "connection",
                                        "set-cookie",       "location",          "content-length",
                                        "content-encoding", "cf-mitigated",      NULL };
    now.name[now.name_len] = '\0';
    if (cgt_among(now.name, kept)) told += now.value_len;
    now.name_len = now.value_len = 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
    (void)p;
    if (now.in_value) flush_line();
    now.in_value = false;
    for (size_t i = 0; i < len && now.name_len < sizeof now.name - 1; i++)
        now.name[now.name_len++] = cgt_lower(at[i]);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    (void)p;
    now.in_value = true;
    if (now.value_len + len > sizeof now.value) len = sizeof now.value - now.value_len;
    memcpy(now.value + now.value_len, at, len);
    now.value_len += len;
    return 0;
}

static int on_head(http_parser *p)
{
    (void)p;
    flush_line();
    now.in_value = false;
    return 0;
}

static void by_http_parser(void *user)
{
    http_parser p;
    (void)user;
    told = 0;
    http_parser_init(&p, HTTP_RESPONSE);
    size_t used = http_parser_execute(&p, (const http_parser_settings *)user, head, sizeof head - 1);
    bench_must(used == sizeof head - 1 && p.status_code == 200 && told == TOLD,
               "http-parser reads something else");
}
#endif

int main(void)
{
    bench_side ours = { "ours", by_http, NULL };
#ifdef BENCH_HTTP_PARSER
    static http_parser_settings settings;
    bench_side peer = { "http-parser", by_http_parser, &settings };
    http_parser_settings_init(&settings);
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_head;
    bench_row_to("response head", sizeof head - 1, BENCH_ROUNDS, ours, peer, ">= 1.0");
#else
    (void)ours;
    bench_skip("response head / http-parser", "no http-parser (libhttp-parser-dev)");
#endif
}
