/* test_http.c - HTTP/1.1 read (RFC 9112): every framing rule, at once, byte by byte and cut everywhere; and
   requests, to the byte. */
#define CHATGPTT_IMPLEMENTATION
#define CHATGPTT_MAX_VALUE 64           /* so that the edges are near */
#define CHATGPTT_MAX_CHUNK_EXT 32
#include "feed.h"
#include "script.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define MAX_HEAD 1000

/* ---- the parser, as feed.h drives it ---- */

/* Logs a line `STATUS` or `STATUS coded`, `body "..."`, then `end, kept` or `end, closed`; with `headers`
   also `name: value`. */
typedef struct reader {
    cgt_http http;
    cgt_http_line *line;                /* freed with the head: so that a later touch is seen */
    cgt_http_method method;
    size_t max_head, used;
    bool headers, unclean;              /* unclean: the end of the connection was not announced */
} reader;

static void reader_reset(void *state)
{
    reader *r = (reader *)state;
    memset(&r->http, 0, sizeof r->http);
    free(r->line);
    r->line = (cgt_http_line *)malloc(sizeof *r->line);
    if (!r->line) abort();
    memset(r->line, 0x55, sizeof *r->line);
    r->http.line = r->line;
    r->http.method = r->method;
    r->http.max_head = r->max_head;
    r->used = 0;
}

static bool reusable(const cgt_http *h) { return h->state == CGT_HTTP_ENDED && cgt_http_alive(h); }

static int reader_ended(reader *r, feed_log *log)
{
    feed_log_event(log, reusable(&r->http) ? "end, kept" : "end, closed");
    return 1;
}

static int reader_feed(void *state, char *piece, size_t len, feed_log *log)
{
    reader *r = (reader *)state;
    cgt_http *h = &r->http;
    size_t at = 0, used;
    for (;; at += used) {
        chatgptt_code code = cgt_http_feed(h, piece + at, len - at, &used);
        r->used += used;
        if (used > len - at) abort();
        if (code < 0 && !CHECK(h->why != NULL)) return code;
        if (code < 0) return code;
        switch (h->event) {
        case CGT_HTTP_HEADER:
            CHECK(strlen(r->line->name) == r->line->name_len && strlen(r->line->value) == r->line->value_len);
            if (r->headers)
                feed_log_event(log, "%s: %s%s", r->line->name, r->line->value, r->line->cut ? " (cut)" : "");
            break;
        case CGT_HTTP_HEAD:
            free(r->line);
            r->line = NULL;
            feed_log_event(log, "%d%s", h->status, h->coding_left ? " coded" : "");
            break;
        case CGT_HTTP_BODY: feed_log_piece(log, "body", h->piece.at, h->piece.len); break;
        case CGT_HTTP_END: return reader_ended(r, log);
        case CGT_HTTP_NONE: CHECK_INT(at + used, len); return 0;
        }
    }
}

static int reader_end(void *state, feed_log *log)
{
    reader *r = (reader *)state;
    chatgptt_code code = cgt_http_eof(&r->http, !r->unclean);
    if (code < 0) CHECK(r->http.why != NULL);
    return code < 0 ? code : reader_ended(r, log);
}

static reader now;
static const feed_parser parser = {reader_feed, reader_reset, reader_end, &now};

static void forget(void)
{
    free(now.line);
    memset(&now, 0, sizeof now);
}

typedef struct row { const char *bytes; size_t len; const char *wanted; } row;

#define BYTES(text) text, sizeof (text) - 1

static void run_rows(const row *rows, size_t count)
{
    if (!now.max_head) now.max_head = MAX_HEAD;
    for (size_t i = 0; i < count; i++)
        if (!FEED(&parser, rows[i].bytes, rows[i].len, rows[i].wanted))
            check_quote("row   ", rows[i].bytes, rows[i].len);
    forget();
}

#define R "HTTP/1.1 200 OK\r\n"
#define CL0 "Content-Length: 0\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"
#define LAST "0\r\n\r\n"

#define KEPT "end, kept\n= 1\n"
#define CLOSED "end, closed\n= 1\n"
#define BODY(text) "body \"" text "\"\n"
#define EMPTY "200\n" KEPT
#define HELLO "200\n" BODY("hello") KEPT
#define LIMIT "= -3\n"
#define CUT "= -13\n"
#define BAD "= -14\n"

/* ---- the table ---- */

static const row status_lines[] = {
    {BYTES(R CL0), EMPTY},
    {BYTES("HTTP/1.1 200\r\n" CL0), EMPTY},
    {BYTES("HTTP/1.1 200 \r\n" CL0), EMPTY},
    {BYTES("HTTP/1.1 200 \t\xC3\xA9 all (well)!\r\n" CL0), EMPTY},
    {BYTES("HTTP/1.9 200 OK\r\n" CL0), EMPTY},
    {BYTES("HTTP/1.0 200 OK\r\n" CL0), "200\n" CLOSED},
    {BYTES("HTTP/1.1 999 X\r\n" CL0), "999\n" KEPT},
    {BYTES("HTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\nx"), "503\n" BODY("x") KEPT},
    {BYTES(""), CUT},
    {BYTES("HTTP/1.1 20"), CUT},
    {BYTES("HTTP/1.1 200 OK\r"), CUT},
    {BYTES("HTTP/2 200\r\n" CL0), BAD},
    {BYTES("HTTP/2.0 200 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.10 200 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1. 200 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.x 200 OK\r\n" CL0), BAD},
    {BYTES("http/1.1 200 OK\r\n" CL0), BAD},
    {BYTES("ICY 200 OK\r\n" CL0), BAD},
    {BYTES("SSH-2.0-OpenSSH_9.2\r\n"), BAD},
    {BYTES("<html>"), BAD},
    {BYTES(" " R CL0), BAD},
    {BYTES("\r\n" R CL0), BAD},
    {BYTES("\n" R CL0), BAD},
    {BYTES("HTTP/1.1  200 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1\t200 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 20 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 2000 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 200OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 -20 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 2 0 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 099 OK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 000\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 200 OK\n" CL0), BAD},
    {BYTES("HTTP/1.1 200\n" CL0), BAD},
    {BYTES("HTTP/1.1 200 O\rK\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 200 OK\r\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 200 O\0K\r\n" CL0), BAD},
    {BYTES("HTTP/1.1 200 O\x1bK\r\n" CL0), BAD},
};

static const row interim[] = {
    {BYTES("HTTP/1.1 100 Continue\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 199\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.0 100 Continue\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 100 A\r\n\r\nHTTP/1.1 102 B\r\n\r\nHTTP/1.1 103 C\r\nLink: </x>\r\n\r\n" R CL0), EMPTY},
    /* its headers frame nothing, and say nothing of the connection */
    {BYTES("HTTP/1.1 199 X\r\nConnection: close\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 103 X\r\nContent-Length: 7\r\n\r\n" R "Content-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES("HTTP/1.1 103 X\r\nContent-Length: x\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n" R "Content-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES("HTTP/1.1 103 X\r\nContent-Length: 7\r\n\r\n" R "\r\nhello"), "200\n" BODY("hello") CLOSED},
    {BYTES("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), BAD},
    {BYTES("HTTP/1.1 100 Continue\r\n\r\n"), CUT},
    {BYTES("HTTP/1.1 100 Continue\r\n\r\nHTT"), CUT},
    {BYTES("HTTP/1.1 100 Continue\r\nX y\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 100 Continue\r\nContent-Length : 5\r\n\r\n" R CL0), EMPTY},
    {BYTES("HTTP/1.1 100 Continue\r\n\r\n\r\n" R CL0), BAD},
};

static const row counted[] = {
    {BYTES(R "Content-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length:5\r\n\r\nhello"), HELLO},
    {BYTES(R "CONTENT-length: \t 5 \t\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length: 00005\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length: 5\r\n\r\nhelloHTTP/1.1"), HELLO},
    {BYTES(R "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length: 5, 5\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length: 5,05\r\nContent-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length:\r\n 5\r\n\r\nhello"), HELLO},
    {BYTES(R "Content-Length: 5\r\n\r\nhell"), "200\n" BODY("hell") CUT},
    {BYTES(R "Content-Length: 5\r\n\r\n"), "200\n" CUT},
    {BYTES(R "Content-Length: 9223372036854775807\r\n\r\nx"), "200\n" BODY("x") CUT},
    {BYTES(R "Content-Length: 9223372036854775808\r\n\r\nx"), BAD},
    {BYTES(R "Content-Length: 99999999999999999999999\r\n\r\nx"), BAD},
    {BYTES(R "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 5, 6\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 5\r\nX: y\r\nContent-Length: 0\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length:\r\n\r\n"), BAD},
    {BYTES(R "Content-Length: \t\r\n\r\n"), BAD},
    {BYTES(R "Content-Length: ,\r\n\r\n"), BAD},
    {BYTES(R "Content-Length: +5\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: -5\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 0x5\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 5.0\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 5 5\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 5;x\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: \"5\"\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: five\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length: 1\r\n 2\r\n\r\nhello world!"), BAD},
    {BYTES(R "Content-Length: \xD9\xA5\r\n\r\nhello"), BAD},
};

static const row chunked[] = {
    { BYTES(R CHUNKED "5\r\nhello\r\n" LAST), HELLO },
    { BYTES(R CHUNKED "2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n" LAST), HELLO },
    { BYTES(R CHUNKED "a\r\n0123456789\r\n" LAST), "200\n" BODY("0123456789") KEPT },
    { BYTES(R CHUNKED "B\r\n\r\n\r\n0\r\n\r\n\r\n\r\n" LAST),
      "200\n" BODY("\\x0d\\x0a\\x0d\\x0a0\\x0d\\x0a\\x0d\\x0a\\x0d\\x0a") KEPT },
    { BYTES(R CHUNKED "0005\r\nhello\r\n000\r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "0000000000000005\r\nhello\r\n" LAST), HELLO },
    { BYTES(R CHUNKED LAST), EMPTY },
    { BYTES(R CHUNKED LAST "HTTP/1.1 200 OK\r\n"), EMPTY },
    { BYTES(R "transfer-ENCODING: CHUNKED\r\n\r\n" LAST), EMPTY },
    { BYTES(R "Transfer-Encoding: , chunked ,\r\n\r\n" LAST), EMPTY },
    { BYTES(R "Transfer-Encoding:\r\n\tchunked\r\n\r\n" LAST), EMPTY },
    /* extensions */
    { BYTES(R CHUNKED "5;a\r\nhello\r\n0;b=c\r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "5;a=\"b;\\\" c\";d\r\nhello\r\n" LAST), HELLO },
    { BYTES(R CHUNKED "5 ;a\r\nhello\r\n0\t ; b\r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "5;\xC3\xA9\t\r\nhello\r\n" LAST), HELLO },
    /* trailers are read and not told */
    { BYTES(R CHUNKED "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n  folded\r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "0\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\nabc"),
      EMPTY },
    { BYTES(R CHUNKED "0\r\nContent-Length: x\r\n\r\n"), EMPTY },
    { BYTES(R CHUNKED "0\r\nX y\r\n\r\n"), EMPTY },
    { BYTES(R CHUNKED "0\r\n X: y\r\n\r\n"), EMPTY },
    { BYTES(R CHUNKED "0\r\nContent-Length : 5\r\n\r\n"), EMPTY },
    { BYTES(R CHUNKED "0\r\nX: y\n\r\n"), "200\n" BAD },
    /* broken off: never a success */
    { BYTES(R CHUNKED), "200\n" CUT },
    { BYTES(R CHUNKED "5"), "200\n" CUT },
    { BYTES(R CHUNKED "5\r\nhel"), "200\n" BODY("hel") CUT },
    { BYTES(R CHUNKED "5\r\nhello"), "200\n" BODY("hello") CUT },
    { BYTES(R CHUNKED "5\r\nhello\r\n"), "200\n" BODY("hello") CUT },
    { BYTES(R CHUNKED "5\r\nhello\r\n0\r\n"), "200\n" BODY("hello") CUT },
    { BYTES(R CHUNKED "5\r\nhello\r\n0\r\n\r"), "200\n" BODY("hello") CUT },
    { BYTES(R CHUNKED "5\r\nhello\r\n0\r\nX: y\r\n"), "200\n" BODY("hello") CUT },
    /* sizes */
    { BYTES(R CHUNKED "FFFFFFFFFFFFFFFF\r\nx"), "200\n" BODY("x") CUT },
    { BYTES(R CHUNKED "10000000000000000\r\nx"), "200\n" BAD },
    { BYTES(R CHUNKED "10000000000000005\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "\r\n\r\n"), "200\n" BAD },
    { BYTES(R CHUNKED ";a\r\n\r\n"), "200\n" BAD },
    { BYTES(R CHUNKED " 5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "\t5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "+5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "-5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "0x5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5h\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5 \r\nhello\r\n0\t \r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "00000000000000000000005\r\nhello\r\n" LAST), HELLO },
    { BYTES(R CHUNKED "5 ; a = \"b\"\r\nhello\r\n" LAST), HELLO },
    { BYTES(R CHUNKED "5      \r\nhello\r\n0000      \r\n\r\n"), HELLO },
    { BYTES(R CHUNKED "000000000000000010000000000000000\r\nx"), "200\n" BAD },
    { BYTES(R CHUNKED "5 \nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5 a\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5 5\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5,\r\nhello\r\n" LAST), "200\n" BAD },
    /* line ends */
    { BYTES(R CHUNKED "5\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5\rhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5;a\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5;a\rb\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5;a\0\r\nhello\r\n" LAST), "200\n" BAD },
    { BYTES(R CHUNKED "5\r\nhello\n" LAST), "200\n" BODY("hello") BAD },
    { BYTES(R CHUNKED "5\r\nhello\r" LAST), "200\n" BODY("hello") BAD },
    { BYTES(R CHUNKED "5\r\nhello!\r\n" LAST), "200\n" BODY("hello") BAD },
    { BYTES(R CHUNKED "5\r\nhell\r\n" LAST), "200\n" BODY("hell\\x0d") BAD },
    { BYTES(R CHUNKED "0\r\n\n"), "200\n" BAD },
    { BYTES(R CHUNKED "0\n\r\n"), "200\n" BAD },
    { BYTES(R CHUNKED "0\r\n\rx"), "200\n" BAD },
};

static const row codings[] = {
    /* chunked wins over a length, and the connection is not used again */
    { BYTES(R "Content-Length: 3\r\n" CHUNKED "5\r\nhello\r\n" LAST), "200\n" BODY("hello") CLOSED },
    { BYTES(R "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n" LAST),
      "200\n" BODY("hello") CLOSED },
    { BYTES(R "Content-Length: x\r\n" CHUNKED LAST), BAD },
    { BYTES("HTTP/1.0 200 OK\r\n" CHUNKED "5\r\nhello\r\n" LAST), "200\n" BODY("hello") CLOSED },
    { BYTES("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" CHUNKED LAST), "200\n" CLOSED },
    /* an unknown last coding ends with the connection; what is still coded is told */
    { BYTES(R "Transfer-Encoding: gzip\r\n\r\n5\r\n"), "200 coded\n" BODY("5\\x0d\\x0a") CLOSED },
    { BYTES(R "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc"), "200 coded\n" BODY("abc") CLOSED },
    { BYTES(R "Transfer-Encoding: chunked, gzip\r\n\r\n" LAST),
      "200 coded\n" BODY("0\\x0d\\x0a\\x0d\\x0a") CLOSED },
    { BYTES(R "Transfer-Encoding: xchunked\r\n\r\n" LAST),
      "200 coded\n" BODY("0\\x0d\\x0a\\x0d\\x0a") CLOSED },
    { BYTES(R "Transfer-Encoding: chunked;a=b\r\n\r\n" LAST),
      "200 coded\n" BODY("0\\x0d\\x0a\\x0d\\x0a") CLOSED },
    { BYTES(R "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n" LAST), "200 coded\n" BODY("x") KEPT },
    { BYTES(R "Transfer-Encoding: gzip\r\n" CHUNKED "1\r\nx\r\n" LAST), "200 coded\n" BODY("x") KEPT },
    { BYTES(R "Transfer-Encoding: identity\r\n\r\nabc"), "200\n" BODY("abc") CLOSED },
    { BYTES(R "Transfer-Encoding: chunked, chunked\r\n\r\n1\r\nx\r\n" LAST), "200\n" BODY("x") KEPT },
    { BYTES(R "Transfer-Encoding: chunked\r\n" CHUNKED "1\r\nx\r\n" LAST), "200\n" BODY("x") KEPT },
    { BYTES(R "Transfer-Encoding: identity\r\n" CHUNKED LAST), EMPTY },
    { BYTES(R "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\nx"), "200\n" BODY("x") KEPT },
};

static const row header_lines[] = {
    {BYTES(R "X:y\r\nA-b_c.d!#$%&'*+^`|~9:\r\nY:\t \r\n" CL0), EMPTY},
    {BYTES(R "X: a\tb \xC3\xA9 : c\r\n" CL0), EMPTY},
    {BYTES(R "X: a\r\n b\r\n\tc\r\n \r\n" CL0), EMPTY},
    {BYTES(R "X:\r\n Content-Length: 7\r\n" CL0), EMPTY},
    {BYTES(R "X: y\r\n"), CUT},
    {BYTES(R "X: y\r\n\r"), CUT},
    {BYTES(R "X: y"), CUT},
    {BYTES(R "X"), CUT},
    {BYTES(R " X: y\r\n" CL0), EMPTY},
    {BYTES(R "\tContent-Length: 5\r\n\r\nhello"), BAD},
    {BYTES(R "Content-Length : 0\r\n\r\n"), BAD},
    {BYTES(R "Content-Length\t: 0\r\n\r\n"), BAD},
    {BYTES(R "X y: z\r\n" CL0), EMPTY},
    {BYTES(R "X\r\n" CL0), EMPTY},
    {BYTES(R ": y\r\n" CL0), EMPTY},
    {BYTES(R "X(: y\r\n" CL0), EMPTY},
    {BYTES(R "\xC3\xA9: y\r\n" CL0), EMPTY},
    {BYTES(R "X\0: y\r\n" CL0), EMPTY},
    /* left out alone, also where it is looked at: what a program prints in a head */
    {BYTES(R "PHP Warning:  session_start(): Cannot start\r\n" CL0), EMPTY},
    {BYTES(R "<br />\r\n<b>Warning</b>: x\r\n" CL0), EMPTY},
    {BYTES(R "Set-Cookie: a=\x01\r\nContent-Type: \0\r\n" CL0), EMPTY},
    {BYTES(R "Set-Cookie: a=\x01\r\n b\r\n" CL0), EMPTY},
    {BYTES(R "Connection : close\r\n" CL0), EMPTY},
    {BYTES(R "Connection: cl\x01ose\r\n" CL0), EMPTY},
    {BYTES(R "X-Content-Length : 5\r\n" CL0), EMPTY},
    {BYTES(R "Content-Lengths : 5\r\n" CL0), EMPTY},
    {BYTES(R "Content-Length-5\r\n" CL0), EMPTY},
    {BYTES(R "Server\r\n Content-Length: 5\r\n" CL0), EMPTY},
    {BYTES(R "Nginx\r\n Content-Length: 5\r\n" CL0), EMPTY},
    {BYTES(R " x\r\n Content-Length: 5\r\n" CL0), EMPTY},
    /* but not what frames or redirects, as whoever may read it */
    {BYTES(R " Content-Length: 0\r\n\r\n"), BAD},
    {BYTES(R "Content-Length 5\r\n" CL0), BAD},
    {BYTES(R "Content-Length\r\n" CL0), BAD},
    {BYTES(R "Content-Length\0: 0\r\n\r\n"), BAD},
    {BYTES(R "Content\x01-Length: 5\r\n" CL0), BAD},
    {BYTES(R "Content-Length x: 5\r\n" CL0), BAD},
    {BYTES(R "(Content-Length): 5\r\n" CL0), BAD},
    {BYTES(R "\xEF\xBB\xBF" "Content-Length: 5\r\n" CL0), BAD},
    {BYTES(R " Transfer-Encoding: chunked\r\n\r\n" LAST), BAD},
    {BYTES(R "Transfer-Encoding : chunked\r\n\r\n" LAST), BAD},
    {BYTES(R "Transfer-Encoding\t: chunked\r\n\r\n" LAST), BAD},
    {BYTES(R "\tTransfer-Encoding: chunked\r\n\r\n" LAST), BAD},
    {BYTES(R "LOCATION : /x\r\n" CL0), BAD},
    {BYTES(R "Location: /x\x01y\r\n" CL0), BAD},
    {BYTES(R "Location: /x\r\n \x01y\r\n" CL0), BAD},
    {BYTES(R "Content-Length: 0\x01\r\n\r\n"), BAD},
    {BYTES(R "Transfer-Encoding: chun\0ked\r\n\r\n" LAST), BAD},
    {BYTES(R "Transfer-Encoding: chunked\r\n \0\r\n\r\n" LAST), BAD},
    {BYTES(R "X y\n" CL0), BAD},
    {BYTES(R "Server: y\n" CL0), BAD},
    {BYTES(R "Server\rContent-Length: 5\r\n" CL0), BAD},
    {BYTES(R "X: y\n" CL0), BAD},
    {BYTES(R "X: y\rContent-Length: 0\r\n\r\n"), BAD},
    {BYTES(R "X: y\r\r\n" CL0), BAD},
    {BYTES(R "X: \0\r\n" CL0), EMPTY},
    {BYTES(R "X: \x01\r\n" CL0), EMPTY},
    {BYTES(R "X: \x7f\r\n" CL0), EMPTY},
    {BYTES(R "X: y\r\n\n"), BAD},
    {BYTES(R "Content-Length: 0\r\n\n"), BAD},
    {BYTES(R "Content-Length: 0\r\n\rx"), BAD},
    {BYTES(R "\n"), BAD},
};

static const row to_the_close[] = {
    {BYTES(R "\r\nhello"), "200\n" BODY("hello") CLOSED},
    {BYTES(R "\r\n"), "200\n" CLOSED},
    {BYTES("HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\n\r\nno"), "404\n" BODY("no") CLOSED},
    {BYTES("HTTP/1.1 205 Reset\r\n\r\n"), "205\n" CLOSED},
};

/* The same, where the end of the connection was not announced, and so may be another's doing. */
static const row cut_off[] = {
    {BYTES(R "\r\nhello"), "200\n" BODY("hello") CUT},
    {BYTES(R "\r\n"), "200\n" CUT},
    {BYTES(R "Transfer-Encoding: gzip\r\n\r\nabc"), "200 coded\n" BODY("abc") CUT},
    {BYTES(R "Content-Length: 5\r\n\r\nhell"), "200\n" BODY("hell") CUT},
    {BYTES(R "Content-Length: 5\r\n\r\nhello"), HELLO},
    {BYTES(R CHUNKED "5\r\nhello\r\n0\r\n\r"), "200\n" BODY("hello") CUT},
    {BYTES(R "X:"), CUT},
    {BYTES("HTTP/1.1 099"), CUT},
    {BYTES(""), CUT},
};

static const row connections[] = {
    {BYTES(R "Connection: close\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "connection: CLOSE\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "Connection: keep-alive\r\n" CL0), EMPTY},
    {BYTES(R "Connection: keep-alive, close\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "Connection: Foo ,close\t, Bar\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "Connection: close\r\nConnection: keep-alive\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "Connection: closed, not-close, close=1\r\n" CL0), EMPTY},
    {BYTES(R "Connection:\r\n" CL0), EMPTY},
    {BYTES(R "Proxy-Connection: close\r\n" CL0), EMPTY},
    {BYTES("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" CL0), EMPTY},
    {BYTES("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n" CL0), "200\n" CLOSED},
    {BYTES(R "Connection: close\r\n" CHUNKED LAST), "200\n" CLOSED},
};

static const row no_body[] = {
    {BYTES("HTTP/1.1 204 No Content\r\n\r\nrest"), "204\n" KEPT},
    {BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), "204\n" KEPT},
    {BYTES("HTTP/1.1 204 No Content\r\n" CHUNKED LAST), "204\n" KEPT},
    {BYTES("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "304\n" KEPT},
    {BYTES("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"), "304\n" CLOSED},
    {BYTES("HTTP/1.1 204 No Content\r\n"), CUT},
};

static const row head_method[] = {
    {BYTES(R "Content-Length: 5\r\n\r\n"), EMPTY},
    {BYTES(R "Content-Length: 5\r\n\r\nhello"), EMPTY},
    {BYTES(R CHUNKED), EMPTY},
    {BYTES(R "\r\n"), EMPTY},
    {BYTES("HTTP/1.1 404 Not Found\r\nContent-Length: 9223372036854775807\r\n\r\n"), "404\n" KEPT},
    {BYTES(R "Content-Length: x\r\n\r\n"), BAD},
};

/* A proxy's answer: after 2xx the bytes are the tunnel's, whatever its headers say; any other status has its
   body. */
static const row connect_method[] = {
    {BYTES("HTTP/1.1 200 Connection established\r\n\r\n\x16\x03\x03"), EMPTY},
    {BYTES(R "Content-Length: 5\r\n\r\nhello"), EMPTY},
    {BYTES("HTTP/1.1 299 X\r\n" CHUNKED), "299\n" KEPT},
    {BYTES("HTTP/1.1 100 Continue\r\n\r\n" R "\r\n"), EMPTY},
    {BYTES("HTTP/1.1 407 Who?\r\nContent-Length: 2\r\n\r\nno"), "407\n" BODY("no") KEPT},
    {BYTES("HTTP/1.1 302 Found\r\n" CHUNKED "1\r\nx\r\n" LAST), "302\n" BODY("x") KEPT},
    {BYTES("HTTP/1.1 502 Bad\r\n\r\nno"), "502\n" BODY("no") CLOSED},
    {BYTES("HTTP/1.1 200 OK\r\n"), CUT},
};

static const row told[] = {
    { BYTES(R "Content-TYPE:  text/event-stream;charset=UTF-8 \r\nX-Y: z\r\nLOCATION: /a b\r\n" CL0),
      "content-type: text/event-stream;charset=UTF-8\nlocation: /a b\ncontent-length: 0\n" EMPTY },
    { BYTES(R "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nset-cookie:\r\n" CL0),
      "set-cookie: a=b\nset-cookie: c=d\nset-cookie: \ncontent-length: 0\n" EMPTY },
    { BYTES(R "Content-Encoding: gzip\r\nRetry-After: 5\r\ncf-mitigated: challenge\r\nServer: x\r\n\r\n"),
      "content-encoding: gzip\ncf-mitigated: challenge\n200\n" CLOSED },
    { BYTES(R "Location: a\r\n b\r\n\t  c  \r\nContent-Type:\r\n text/html\r\n" CL0),
      "location: a b c\ncontent-type: text/html\ncontent-length: 0\n" EMPTY },
    { BYTES("HTTP/1.1 103 Early\r\nSet-Cookie: a=b\r\nContent-Type: x\r\n\r\n" R CL0),
      "content-length: 0\n" EMPTY },
    { BYTES(R CHUNKED "0\r\nSet-Cookie: a=b\r\n\r\n"), "transfer-encoding: chunked\n" EMPTY },
    { BYTES(R "SG-Captcha: challenge\r\nX-Amzn-Waf-Action: captcha\r\nX-Amzn-Waf: y\r\n" CL0),
      "sg-captcha: challenge\nx-amzn-waf-action: captcha\ncontent-length: 0\n" EMPTY },
    { BYTES(R "Set-Cookie : a=b\r\nSet-Cookie: c=\x01\r\nSet-Cookie: d=e\tf\r\n" CL0),
      "set-cookie: d=e\tf\ncontent-length: 0\n" EMPTY },
    { BYTES(R "Location: /\xC3\xA9\"\\\r\n" CL0), "location: /\xC3\xA9\"\\\ncontent-length: 0\n" EMPTY },
};

/* A coding that was done must be undone; another word in its place is none. */
TEST(content_codings)
{
    static const char *const coded[] = {"gzip", "GZIP", "x-gzip", "deflate", "compress", "x-compress", "br",
                                        "zstd", "dcb", "dcz", " identity, gzip ", "br,gzip"};
    static const char *const plain[] = {"", "identity", "none", "UTF-8", "utf8", "chunked", "gzip2", "x",
                                        "gzip;q=0", ",", "identity, none"};
    for (size_t i = 0; i < ROWS(coded); i++) CHECK(cgt_http_coded(cgt_text(coded[i])));
    for (size_t i = 0; i < ROWS(plain); i++) CHECK(!cgt_http_coded(cgt_text(plain[i])));
}

/* RFC 9110 section 5.6.2, letter by letter; the state stays small. */
TEST(tokens)
{
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        CHECK_INT(cgt_http_tchar((char)c), alnum || (c && strchr("!#$%&'*+-.^_`|~", c)));
    }
    CHECK(sizeof (cgt_http) <= 120);
}

TEST(status_lines) { run_rows(status_lines, ROWS(status_lines)); }
TEST(interim) { run_rows(interim, ROWS(interim)); }
TEST(counted) { run_rows(counted, ROWS(counted)); }
TEST(chunked) { run_rows(chunked, ROWS(chunked)); }
TEST(codings) { run_rows(codings, ROWS(codings)); }
TEST(header_lines) { run_rows(header_lines, ROWS(header_lines)); }
TEST(to_the_close) { run_rows(to_the_close, ROWS(to_the_close)); }
TEST(cut_off) { now.unclean = true; run_rows(cut_off, ROWS(cut_off)); }
TEST(connections) { run_rows(connections, ROWS(connections)); }
TEST(no_body) { run_rows(no_body, ROWS(no_body)); }
TEST(head_method) { now.method = CGT_HTTP_HEAD_METHOD; run_rows(head_method, ROWS(head_method)); }
TEST(connect_method) { now.method = CGT_HTTP_CONNECT; run_rows(connect_method, ROWS(connect_method)); }
TEST(told) { now.headers = true; run_rows(told, ROWS(told)); }

/* ---- every end of the connection ---- */

/* A response cut by the peer at any byte before its last is never a success. */
TEST(no_cut_is_whole)
{
    static const char *const whole[] = {
        "HTTP/1.1 103 X\r\nA: b\r\n\r\n" R "Content-Length: 5\r\n\r\nhello",
        R CHUNKED "5;x\r\nhello\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    };
    for (size_t i = 0; i < ROWS(whole); i++) {
        feed_log log;
        memset(&log, 0, sizeof log);
        now.max_head = MAX_HEAD;
        for (size_t len = 0; len <= strlen(whole[i]); len++) {
            bool all = len == strlen(whole[i]);
            feed_run(&parser, whole[i], len, 0, 0, len, &log);
            CHECK_STR(strrchr(log.text, '='), all ? "= 1\n" : CUT);
            CHECK_INT(strstr(log.text, "end, kept") != NULL, all);
        }
        free(log.text);
    }
}

/* What follows a response is the next one's: not a byte of it is used, and nothing more is told. */
TEST(rest_is_not_touched)
{
    static const struct { const char *whole, *rest; } rows[] = {
        {R CL0, "HTTP/1.1"}, {R "Content-Length: 5\r\n\r\nhello", "x"}, {R CHUNKED "1\r\nx\r\n" LAST, "\r\n"},
        {"HTTP/1.1 204 X\r\n\r\n", "abc"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char bytes[200];
        feed_log log;
        size_t used;
        memset(&log, 0, sizeof log);
        now.max_head = MAX_HEAD;
        snprintf(bytes, sizeof bytes, "%s%s", rows[i].whole, rows[i].rest);
        feed_run(&parser, bytes, strlen(bytes), 0, 0, strlen(bytes), &log);
        CHECK_INT(now.used, strlen(rows[i].whole));
        CHECK_INT(cgt_http_feed(&now.http, bytes, strlen(bytes), &used), CHATGPTT_OK);
        CHECK_INT(now.http.event, CGT_HTTP_NONE);
        CHECK_INT(used, 0);
        free(log.text);
    }
}

/* A connection is for reuse only once the response has ended. */
TEST(reusable_at_the_end_only)
{
    static char whole[] = R "Content-Length: 5\r\n\r\nhello";
    size_t used, at = 0;
    now.max_head = MAX_HEAD;
    reader_reset(&now);
    do {
        CHECK(!reusable(&now.http));
        CHECK_INT(cgt_http_feed(&now.http, whole + at, strlen(whole) - at, &used), CHATGPTT_OK);
        at += used;
    } while (now.http.event != CGT_HTTP_END && now.http.event != CGT_HTTP_NONE);
    CHECK(reusable(&now.http));
}

/* ---- limits ---- */

/* A head of exactly max_head bytes is taken, 1xx and trailers counted, chunk frames and body not. */
TEST(max_head)
{
    static const struct { const char *bytes; size_t head;
    } rows[] = {
        { R CL0, 17 + 21 },
        { R "Content-Length: 5\r\n\r\nhello", 17 + 21 },
        { R CHUNKED "5\r\nhello\r\n" LAST, 17 + 30 + 2 },
        { R CHUNKED "5\r\nhello\r\n0\r\nX: y\r\n\r\n", 17 + 30 + 6 + 2 },
        { "HTTP/1.1 100 A\r\n\r\n" R CL0, 18 + 17 + 21 },
        { "HTTP/1.1 204 X\r\n\r\n", 18 },
        { R "\r\nbody", 17 + 2 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        feed_log log;
        memset(&log, 0, sizeof log);
        for (size_t max = 1; max <= rows[i].head + 1; max++) {
            now.max_head = max;
            feed_run(&parser, rows[i].bytes, strlen(rows[i].bytes), 0, 0, 1, &log);
            if (!CHECK_STR(strrchr(log.text, '='), max < rows[i].head ? LIMIT : "= 1\n"))
                printf("    row %zu, max %zu\n", i, max);
        }
        now.max_head = rows[i].head - 1;
        CHECK(FEED_TEXT(&parser, rows[i].bytes, NULL));
        forget();
        free(log.text);
    }
}

/* What has no end is ended: the second text over and over after the first. */
TEST(endless)
{
    static const struct { const char *start, *more; cgt_http_method method; size_t most;
    } rows[] = {
        { "HTTP/1.1 200 ", "a", CGT_HTTP_OTHER, MAX_HEAD },
        { R "X", "x", CGT_HTTP_OTHER, MAX_HEAD },
        { R "X: ", "y", CGT_HTTP_OTHER, MAX_HEAD },
        { R "Location: ", "y", CGT_HTTP_OTHER, MAX_HEAD },
        { R "Location: y", "\r\n z", CGT_HTTP_OTHER, MAX_HEAD },
        { R, "X: y\r\n", CGT_HTTP_OTHER, MAX_HEAD },
        { R, "X: y\r\n", CGT_HTTP_CONNECT, MAX_HEAD },
        { R CHUNKED "0\r\n", "X: y\r\n", CGT_HTTP_OTHER, MAX_HEAD + 3 },
        { "", "HTTP/1.1 100 A\r\n\r\n", CGT_HTTP_OTHER, 17 * 18 },
        { "", "HTTP/1.1 103 A\r\n\r\n", CGT_HTTP_CONNECT, 17 * 18 },
        { R CHUNKED "1;", "x", CGT_HTTP_OTHER, 47 + 1 + 33 },
        { R CHUNKED "1 ", " ", CGT_HTTP_OTHER, 47 + 1 + 33 },
        { R CHUNKED, "1;x\r\nx\r\n", CGT_HTTP_OTHER, 47 + 8 * 17 },
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char bytes[2 * MAX_HEAD];
        size_t len = strlen(rows[i].start);
        feed_log log;
        memset(&log, 0, sizeof log);
        memcpy(bytes, rows[i].start, len);
        for (; len + strlen(rows[i].more) <= sizeof bytes; len += strlen(rows[i].more))
            memcpy(bytes + len, rows[i].more, strlen(rows[i].more));
        now.method = rows[i].method;
        now.max_head = MAX_HEAD;
        feed_run(&parser, bytes, len, 0, 0, len, &log);
        if (!CHECK_STR(strrchr(log.text, '='), LIMIT) || !CHECK(now.used <= rows[i].most))
            printf("    row %zu, %zu used\n", i, now.used);
        CHECK(FEED(&parser, bytes, len, NULL));
        forget();
        free(log.text);
    }
}

TEST(interim_cap)
{
    char bytes[18 * 20 + 50];
    for (int n = CHATGPTT_MAX_INTERIM; n <= CHATGPTT_MAX_INTERIM + 1; n++) {
        size_t len = 0;
        for (int i = 0; i < n; i++, len += 18) memcpy(bytes + len, "HTTP/1.1 100 A\r\n\r\n", 19);
        memcpy(bytes + len, R CL0, sizeof (R CL0));
        now.max_head = MAX_HEAD;
        CHECK(FEED_TEXT(&parser, bytes, n == CHATGPTT_MAX_INTERIM ? EMPTY : LIMIT));
    }
}

/* Extensions of one response share their cap: `;` and blanks count. */
TEST(chunk_extension_cap)
{
    char bytes[300];
    for (int over = 0; over < 2; over++) {
        snprintf(bytes, sizeof bytes, R CHUNKED "1;%.*s\r\nx\r\n0 ;%.*s\r\n\r\n", 15, "eeeeeeeeeeeeeeeeeeee",
                 14 + over, "ffffffffffffffffffff");
        now.max_head = MAX_HEAD;
        CHECK(FEED_TEXT(&parser, bytes, over ? "200\n" BODY("x") LIMIT : "200\n" BODY("x") KEPT));
    }
}

/* What is said of an answer that is none. */
static const struct { const char *bytes, *why;
} reasons[] = {
    {"\x15\x03\x01", "the answer is not HTTP/1.1 but TLS: try https"},
    {"x\x15", "the answer is not HTTP/1.1"},
    {"H\x15", "the answer is not HTTP/1.1"},
    {"HTTP/2.0 200 OK\r\n", "the answer is not HTTP/1.1"},
    {"HTTP/1.x 200 OK\r\n", "the answer is not HTTP/1.1"},
    {"HTTP/1.10 200 OK\r\n", "bad status line"},
    {"HTTP/1.1  200 OK\r\n", "bad status line"},
    {"HTTP/1.1 020 OK\r\n", "bad status line"},
    {"HTTP/1.1 200\n", "bad status line"},
    {"HTTP/1.1 200 \x01\r\n", "bad status line"},
};

TEST(reasons_in_words)
{
    for (size_t i = 0; i < ROWS(reasons); i++) {
        cgt_http h;
        char bytes[40];
        size_t used, len = strlen(reasons[i].bytes);
        memset(&h, 0, sizeof h);
        h.max_head = MAX_HEAD;
        memcpy(bytes, reasons[i].bytes, len);
        CHECK_INT(cgt_http_feed(&h, bytes, len, &used), CHATGPTT_E_HTTP);
        if (!CHECK_STR(h.why, reasons[i].why)) printf("    row %zu\n", i);
    }
}

/* A long value is told as cut; one that frames the message is refused. Names longer than any that is looked
   at are passed over. */
TEST(long_values)
{
    char bytes[400], wanted[400], value[CHATGPTT_MAX_VALUE + 1];
    memset(value, '0', sizeof value);
    now.headers = true;
    now.max_head = MAX_HEAD;
    for (int len = CHATGPTT_MAX_VALUE - 1; len <= CHATGPTT_MAX_VALUE; len++) {
        const char *cut = len < CHATGPTT_MAX_VALUE ? "" : " (cut)";
        snprintf(bytes, sizeof bytes, R "Location: %.*s\r\n" CL0, len, value);
        snprintf(wanted, sizeof wanted, "location: %.*s%s\ncontent-length: 0\n" EMPTY, CHATGPTT_MAX_VALUE - 1,
                 value, cut);
        CHECK(FEED_TEXT(&parser, bytes, wanted));
        snprintf(bytes, sizeof bytes, R "Content-Length: %.*s\r\n\r\n", len, value);
        snprintf(wanted, sizeof wanted, "content-length: %.*s\n" EMPTY, CHATGPTT_MAX_VALUE - 1, value);
        CHECK(FEED_TEXT(&parser, bytes, *cut ? LIMIT : wanted));
        snprintf(bytes, sizeof bytes, R "Transfer-Encoding: chunked%.*s\r\n\r\n", len - 7,
            "                                                                    ");
        CHECK(FEED_TEXT(&parser, bytes, NULL));
        snprintf(bytes, sizeof bytes, R "%.*s: y\r\n" CL0, len, value);
        CHECK(FEED_TEXT(&parser, bytes, "content-length: 0\n" EMPTY));
    }
    forget();
}

/* ---- requests ---- */

/* What is asked and where it goes, for tests. */
typedef struct asked {
    cgt_asks asks;
    const cgt_url *url;
    bool absolute;
    cgt_slice cookies, login;
} asked;

static void check_request(const asked *a, const char *wanted)
{
    script s;
    script_init(&s);
    chatgptt_hooks hooks = script_hooks(&s);
    cgt_buffer b;
    cgt_buffer_init(&b, &hooks, CHATGPTT_MAX_REQUEST);
    cgt_put_target(&b, a->asks.method, a->url, a->absolute, a->cookies, a->login);
    size_t form = cgt_put_asks(&b, &a->asks);
    CHECK_INT(b.failed, CHATGPTT_OK);
    CHECK_MEM(b.data, b.len, wanted, strlen(wanted));
    bool post = strcmp(a->asks.method, "POST") == 0;
    CHECK(strncmp(b.data + form, post ? "Content-Type:" : "\r\n", post ? 13 : 2) == 0);
    cgt_buffer_free(&b);
    script_finish(&s);
}

#define AGENT "User-Agent: agent\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

TEST(requests)
{
    script s;
    script_init(&s);
    chatgptt_hooks hooks = script_hooks(&s);
    cgt_url plain, literal, page;
    cgt_slice user;
    const char *why;
    asked a;
    CHECK_INT(cgt_url_parse(&plain, &hooks, cgt_text("http://Site.test:80/a/../b?c=d#e"), &user, &why),
              CHATGPTT_OK);
    CHECK_INT(cgt_url_parse(&literal, &hooks, cgt_text("https://me:word@[::1]:8443/x y"), &user, &why),
              CHATGPTT_OK);
    CHECK_INT(cgt_url_parse(&page, &hooks, cgt_text("https://www.site.test/chat/?p=1"), &user, &why),
              CHATGPTT_OK);
    memset(&a, 0, sizeof a);
    a.url = &plain;
    a.asks.method = "GET", a.asks.user_agent = "agent", a.asks.accept = "text/html";
    check_request(&a, "GET /b?c=d HTTP/1.1\r\nHost: site.test\r\n" AGENT
                      "Accept: text/html\r\nAccept-Encoding: identity\r\n\r\n");
    a.asks.refresh = true;
    a.cookies = cgt_text("a=b; c=d");
    check_request(&a, "GET /b?c=d HTTP/1.1\r\nHost: site.test\r\nCookie: a=b; c=d\r\n" AGENT
                      "Accept: text/html\r\nAccept-Encoding: identity\r\n"
                      "Cache-Control: no-cache\r\nPragma: no-cache\r\n\r\n");
    a.asks.refresh = false;
    a.absolute = true;
    a.login = cgt_text("Basic bWU6d29yZA==");
    a.cookies = cgt_text("");
    check_request(&a, "GET http://site.test/b?c=d HTTP/1.1\r\nHost: site.test\r\n"
                      "Proxy-Authorization: Basic bWU6d29yZA==\r\n" AGENT
                      "Accept: text/html\r\nAccept-Encoding: identity\r\n\r\n");
    a.absolute = false;         /* the proxy's login never goes to the site */
    a.url = &literal;
    a.asks.method = "POST", a.asks.page = &page, a.asks.accept = "*/*";
    a.asks.body = cgt_text("a=b&c=%0D%0A");
    check_request(&a, "POST /x%20y HTTP/1.1\r\nHost: [::1]:8443\r\n" AGENT
                      "Accept: */*\r\nAccept-Encoding: identity\r\nOrigin: https://www.site.test\r\n"
                      "Referer: https://www.site.test/chat/?p=1\r\n" FORM
                      "Content-Length: 12\r\n\r\na=b&c=%0D%0A");
    a.asks.page = NULL;
    a.asks.body = cgt_text("");
    check_request(&a, "POST /x%20y HTTP/1.1\r\nHost: [::1]:8443\r\n" AGENT
                      "Accept: */*\r\nAccept-Encoding: identity\r\n" FORM "Content-Length: 0\r\n\r\n");
    cgt_url_free(&plain);
    cgt_url_free(&literal);
    cgt_url_free(&page);
    script_finish(&s);
}

int main(void)
{
    RUN(content_codings);
    RUN(tokens);
    RUN(status_lines);
    RUN(interim);
    RUN(counted);
    RUN(chunked);
    RUN(codings);
    RUN(header_lines);
    RUN(to_the_close);
    RUN(cut_off);
    RUN(connections);
    RUN(no_body);
    RUN(head_method);
    RUN(connect_method);
    RUN(told);
    RUN(no_cut_is_whole);
    RUN(rest_is_not_touched);
    RUN(reusable_at_the_end_only);
    RUN(max_head);
    RUN(endless);
    RUN(interim_cap);
    RUN(chunk_extension_cap);
    RUN(reasons_in_words);
    RUN(long_values);
    RUN(requests);
    return check_report("http");
}
