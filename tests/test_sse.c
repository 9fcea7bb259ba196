/* test_sse.c - the event-stream decoder by WHATWG HTML section 9.2.6, cut everywhere, and what is told beyond
   it: names that were written out, junk lines, and names too long to be held. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "chatgptt.h"
#include <time.h>

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define TEXT(literal) literal, sizeof literal - 1

/* ---- the decoder as a parser of feed.h: `data "…"` and then `event NAME ID`, with a `!` where the
   name was written out ---- */

typedef struct decode { cgt_sse sse; bool raw, no_junk; } decode;

static decode decoder;

static void decode_reset(void *state)
{
    decode *d = (decode *)state;
    memset(&d->sse, 0, sizeof d->sse);
    d->sse.raw = d->raw;
}

static int decode_feed(void *state, char *piece, size_t len, feed_log *log)
{
    decode *d = (decode *)state;
    const cgt_sse *s = &d->sse;
    size_t used;
    do {
        cgt_sse_feed(&d->sse, piece, len, &used);
        piece += used;
        len -= used;
        if (s->event == CGT_SSE_DATA) feed_log_piece(log, "data", s->piece.at, s->piece.len);
        if (s->event == CGT_SSE_JUNK && !d->no_junk) feed_log_piece(log, "junk", s->piece.at, s->piece.len);
        if (s->event == CGT_SSE_DISPATCH)
            feed_log_event(log, "event %.*s%s [%s]", (int)cgt_sse_name(s).len, cgt_sse_name(s).at,
                           s->named ? "!" : "", s->id);
    } while (s->event != CGT_SSE_NONE);
    if (len != 0) feed_log_event(log, "%zu BYTES WERE LEFT", len);
    return 0;
}

static const feed_parser parser = {decode_feed, decode_reset, NULL, &decoder};

static bool check_stream(const char *bytes, size_t len, const char *events)
{
    char wanted[3000];
    snprintf(wanted, sizeof wanted, "%s= 0\n", events);
    return FEED(&parser, bytes, len, wanted) || check_fail(__FILE__, __LINE__, "stream %s", bytes);
}

/* ---- what the standard says ---- */

typedef struct stream_row { const char *bytes; size_t len; const char *events; } stream_row;

#define X "data \"x\"\nevent message []\n"

static const stream_row streams[] = {
    /* the standard's own examples */
    { TEXT("data: YHOO\ndata: +2\ndata: 10\n\n"), "data \"YHOO\\x0a+2\\x0a10\"\nevent message []\n" },
    { TEXT(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event"),
      "data \"first event\"\nevent message [1]\ndata \"second event\"\nevent message []\ndata \" third "
      "event\"\n" },
    { TEXT("data\n\ndata\ndata\n\ndata:"), "event message []\ndata \"\\x0a\"\nevent message []\n" },
    { TEXT("data:test\n\ndata: test\n\n"),
      "data \"test\"\nevent message []\ndata \"test\"\nevent message []\n" },
    { TEXT("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n"),
      "data \"73857293\"\nevent add! []\ndata \"2153\"\nevent remove! []\n" },
    /* nothing */
    { TEXT(""), "" },
    { TEXT("\n"), "" },
    { TEXT("\r\n\r\n"), "" },
    { TEXT("\n\n\n"), "" },
    { TEXT(":"), "" },
    { TEXT(":\n\n"), "" },
    /* line ends, mixed */
    { TEXT("data:x\n\n"), X },
    { TEXT("data:x\r\r"), X },
    { TEXT("data:x\r\n\r\n"), X },
    { TEXT("data:x\n\r"), X },
    { TEXT("data:x\r\n\n"), X },
    { TEXT("data:x\n\r\n"), X },
    { TEXT("data:x\r\r\n"), X },
    { TEXT("\r\n\rdata:x\r\n\r"), X },
    { TEXT("\n\r\ndata:x\n\n\n"), X },
    { TEXT("data:x\r\n"), "data \"x\"\n" },
    { TEXT("data:x\r"), "data \"x\"\n" },
    { TEXT("data:a\rdata:b\r\ndata:c\ndata:d\r\r"), "data \"a\\x0ab\\x0ac\\x0ad\"\nevent message []\n" },
    { TEXT("data:x\r\rdata:y\r\n\r\ndata:z\n\n"),
      X "data \"y\"\nevent message []\ndata \"z\"\nevent message []\n" },
    { TEXT("data:a\x0b"
           "b\x0c"
           "c\xC2\x85"
           "d\xE2\x80\xA8"
           "e\n\n"),
      "data \"a\\x0bb\\x0cc\xC2\x85"
      "d\xE2\x80\xA8"
      "e\"\nevent message []\n" },
    /* byte order mark: one, at the start, whole */
    { TEXT("\xEF\xBB\xBF"
           "data:x\n\n"),
      X },
    { TEXT("\xEF\xBB\xBF\n\ndata:x\n\n"), X },
    { TEXT("\xEF\xBB\xBF:\ndata:x\n\n"), X },
    { TEXT("\xEF\xBB\xBF"), "" },
    { TEXT("\xEF\xBB"), "" },
    { TEXT("\xEF\xBB\xBF\xEF\xBB\xBF"
           "data:x\n\n"),
      "" },
    { TEXT("\n\xEF\xBB\xBF"
           "data:x\n\n"),
      "" },
    { TEXT("\xEF\xBB"
           "data:x\n\n"),
      "" },
    { TEXT("\xEF"
           "data:x\n\n"),
      "" },
    { TEXT("\xEF\xEF\xBB\xBF"
           "data:x\n\n"),
      "" },
    { TEXT("\xEF\ndata:x\n\n"), X },
    { TEXT("\xEF\xBB:data:y\ndata:x\n\n"), X },
    { TEXT("data:\xEF\xBB\xBFx\n\n"), "data \"\xEF\xBB\xBFx\"\nevent message []\n" },
    { TEXT("data:y\n\xEF\xBB\xBF"
           "data:x\n\n"),
      "data \"y\"\nevent message []\n" },
    /* comments */
    { TEXT(":data:y\ndata:x\n:\n: c\n::\n\n"), X },
    { TEXT("data:x\n:\n\n"), X },
    { TEXT(": keep-alive\n\n: keep-alive\n\ndata:x\n\n"), X },
    /* colons and blanks */
    { TEXT("data: x\n\n"), X },
    { TEXT("data:  x\n\n"), "data \" x\"\nevent message []\n" },
    { TEXT("data:x \n\n"), "data \"x \"\nevent message []\n" },
    { TEXT("data:\tx\n\n"), "data \"\\x09x\"\nevent message []\n" },
    { TEXT("data::x\n\n"), "data \":x\"\nevent message []\n" },
    { TEXT("data: :x: y\n\n"), "data \":x: y\"\nevent message []\n" },
    { TEXT("data : x\n\n"), "" },
    { TEXT(" data:x\n\n"), "" },
    /* no value, and no data */
    { TEXT("data\n\n"), "event message []\n" },
    { TEXT("data:\n\n"), "event message []\n" },
    { TEXT("data: \n\n"), "event message []\n" },
    { TEXT("data\ndata\n\n"), "data \"\\x0a\"\nevent message []\n" },
    { TEXT("data\ndata:x\n\n"), "data \"\\x0ax\"\nevent message []\n" },
    { TEXT("data:x\ndata\n\n"), "data \"x\\x0a\"\nevent message []\n" },
    { TEXT("data:x\ndata:\ndata: \ndata:y\n\n"), "data \"x\\x0a\\x0a\\x0ay\"\nevent message []\n" },
    { TEXT("event:e\n\ndata:x\n\n"), X },
    { TEXT("event:e\nid:1\n\n"), "" },
    /* what ends before its blank line is told of in part, but is no event */
    { TEXT("data:x"), "data \"x\"\n" },
    { TEXT("data:x\n"), "data \"x\"\n" },
    { TEXT("data:x\n\ndata:y\n"), X "data \"y\"\n" },
    { TEXT("data"), "" },
    { TEXT("event:e\ndata:x\n"), "data \"x\"\n" },
    /* event */
    { TEXT("event:e\ndata:x\n\n"), "data \"x\"\nevent e! []\n" },
    { TEXT("data:x\nevent: e\n\n"), "data \"x\"\nevent e! []\n" },
    { TEXT("event: message\ndata:x\n\n"), "data \"x\"\nevent message! []\n" },
    { TEXT("event:e\nevent:f\ndata:x\n\n"), "data \"x\"\nevent f! []\n" },
    { TEXT("event:e\nevent\ndata:x\n\n"), X },
    { TEXT("event:e\nevent:\ndata:x\n\n"), X },
    { TEXT("event:\ndata:x\n\n"), X },
    { TEXT("event:e\ndata:x\n\ndata:x\n\n"), "data \"x\"\nevent e! []\n" X },
    { TEXT("event:longer\nevent:e\ndata:x\n\n"), "data \"x\"\nevent e! []\n" },
    { TEXT("event:  e f \ndata:x\n\n"), "data \"x\"\nevent  e f ! []\n" },
    /* id: stays until another comes; one with NUL is none */
    { TEXT("id:1\ndata:x\n\ndata:x\n\n"), "data \"x\"\nevent message [1]\ndata \"x\"\nevent message [1]\n" },
    { TEXT("id:1\n\ndata:x\n\n"), "data \"x\"\nevent message [1]\n" },
    { TEXT("data:x\nid: 1 \n\n"), "data \"x\"\nevent message [1 ]\n" },
    { TEXT("id:1\ndata:x\n\nid\ndata:x\n\n"), "data \"x\"\nevent message [1]\n" X },
    { TEXT("id:1\nid:\ndata:x\n\n"), X },
    { TEXT("id:1\nid:2\ndata:x\n\n"), "data \"x\"\nevent message [2]\n" },
    { TEXT("id:1\nid:a\0b\ndata:x\n\n"), "data \"x\"\nevent message [1]\n" },
    { TEXT("id:\0\ndata:x\n\n"), X },
    { TEXT("id:12\nid:3\ndata:x\n\n"), "data \"x\"\nevent message [3]\n" },
    { TEXT("id:1\ndata:x\n\nid:2"), "data \"x\"\nevent message [1]\n" },
    { TEXT("id:\xC3\xA9\ndata:x\n\n"), "data \"x\"\nevent message [\xC3\xA9]\n" },
    /* other fields, and names that are nearly one */
    { TEXT("retry: 5\ndata:x\n\n"), X },
    { TEXT("retry\nretry:a\ndata:x\n\n"), X },
    { TEXT("dat:y\ndata:x\n\n"), X },
    { TEXT("dataa:y\ndata:x\n\n"), X },
    { TEXT("Data:y\nDATA:y\ndata:x\n\n"), X },
    { TEXT("datadatadatadata:y\ndata:x\n\n"), X },
    { TEXT("events:e\nids:1\nEvent:e\ndata:x\n\n"), X },
    { TEXT("data\0:y\ndata:x\n\n"), X },
    { TEXT("\0\ndata:x\n\n"), X },
    { TEXT("d\nda\ndat\ndata:x\n\n"), X },
    { TEXT("\xFF\ndata:x\n\n"), X },
    { TEXT("datadata\ndata:x\n\n"), X },
    { TEXT("data:\xFF\0\n\n"), "data \"\xFF\\x00\"\nevent message []\n" },
    /* what real servers send */
    { TEXT("data: {\"a\":1}\n\ndata: [DONE]\n\n"),
      "data \"{\\x22a\\x22:1}\"\nevent message []\ndata \"[DONE]\"\nevent message []\n" },
    { TEXT("event: message_start\r\ndata: {}\r\n\r\nevent: done\r\ndata: {}\r\n\r\n"),
      "data \"{}\"\nevent message_start! []\ndata \"{}\"\nevent done! []\n" },
};

TEST(streams)
{
    decoder.raw = decoder.no_junk = false;
    for (size_t i = 0; i < ROWS(streams); i++)
        if (!check_stream(streams[i].bytes, streams[i].len, streams[i].events)) return;
}

/* ---- lines that begin like JSON or HTML: the standard skips them, but they are told of ---- */

static const stream_row junk[] = {
    { TEXT("{\"error\":1}\n\n"), "junk \"{\\x22error\\x22:1}\"\n" },
    { TEXT("<p>x</p>\n"), "junk \"<p>x</p>\"\n" },
    { TEXT("[1]"), "junk \"[1]\"\n" },
    { TEXT("data:x\n{\n\n"), "data \"x\"\njunk \"{\"\nevent message []\n" },
    { TEXT("{data:y\ndata:x\n\n"), "junk \"{data:y\"\n" X },
    { TEXT("\xEF\xBB\xBF{1\n"), "junk \"{1\"\n" },
    { TEXT("<!DOCTYPE html>\r\n<html>\r\n"), "junk \"<!DOCTYPE html><html>\"\n" },
    { TEXT("event:e\n<br>\ndata:x\n\n"), "junk \"<br>\"\ndata \"x\"\nevent e! []\n" },
    { TEXT(" {\ndata:x\n\n"), X },
    { TEXT("x{\ndata:x\n\n"), X },
    { TEXT("data:{\n\n"), "data \"{\"\nevent message []\n" },
    { TEXT(":{\ndata:x\n\n"), X },
};

TEST(junk)
{
    decoder.raw = decoder.no_junk = false;
    for (size_t i = 0; i < ROWS(junk); i++)
        if (!check_stream(junk[i].bytes, junk[i].len, junk[i].events)) return;
    decoder.no_junk = true;     /* beside being told of, they do nothing */
    check_stream(TEXT("{\ndata:x\n<\nevent:e\n[\nid:1\n{}\n\n"), "data \"x\"\nevent e! [1]\n");
    check_stream(TEXT("{\n\n<\r\r[\r\n\r\n"), "");
}

TEST(raw)
{
    decoder.raw = true;
    decoder.no_junk = false;
    check_stream(TEXT("data:x\n\n{\"a\":1}\r\n:\n\xEF\xBB\xBF"),
                 "junk \"data:x\\x0a\\x0a{\\x22a\\x22:1}\\x0d\\x0a:\\x0a\xEF\xBB\xBF\"\n");
    check_stream(TEXT(""), "");
    decoder.raw = false;
}

/* ---- limits ---- */

/* A stream with a name or id of `len` bytes. */
static size_t write_long(char *out, size_t size, const char *before, size_t len, const char *after)
{
    size_t at = (size_t)snprintf(out, size, "%s", before);
    memset(out + at, 'n', len);
    return at + len + (size_t)snprintf(out + at + len, size - at - len, "%s", after);
}

TEST(names_at_the_limit)
{
    char bytes[500], wanted[500], name[CHATGPTT_MAX_NAME];
    size_t max = CHATGPTT_MAX_NAME - 1;
    memset(name, 'n', max);
    name[max] = '\0';
    snprintf(wanted, sizeof wanted, "data \"x\"\nevent %s! []\n", name);
    check_stream(bytes, write_long(bytes, sizeof bytes, "event: ", max, "\ndata:x\n\n"), wanted);
    check_stream(bytes, write_long(bytes, sizeof bytes, "event:e\nevent:", max, "\ndata:x\n\n"), wanted);
    snprintf(wanted, sizeof wanted, "data \"x\"\nevent message [%s]\n", name);
    check_stream(bytes, write_long(bytes, sizeof bytes, "id: ", max, "\ndata:x\n\n"), wanted);
    /* a longer name is cut, and so nobody's; a longer id is not kept: the one before it stays */
    snprintf(wanted, sizeof wanted, "data \"x\"\nevent %sn! []\n", name);
    for (size_t more = 1; more < 300; more += 149) {
        check_stream(bytes, write_long(bytes, sizeof bytes, "event: ", max + more, "\ndata:x\n\n"), wanted);
        check_stream(bytes, write_long(bytes, sizeof bytes, "id:7\nid: ", max + more, "\ndata:x\n\n"),
                     "data \"x\"\nevent message [7]\n");
    }
    check_stream(bytes, write_long(bytes, sizeof bytes, "event: ", 300, "\nevent:e\ndata:x\n\n"),
                 "data \"x\"\nevent e! []\n");
    /* names of fields nobody knows */
    check_stream(bytes, write_long(bytes, sizeof bytes, "", 400, ":y\ndata:x\n\n"), X);
    check_stream(bytes, write_long(bytes, sizeof bytes, "retry:", 400, "\ndata:x\n\n"), X);
    check_stream(bytes, write_long(bytes, sizeof bytes, ":", 400, "\ndata:x\n\n"), X);
}

#define LONG (2u << 20)

static const struct { const char *before, *again;
} endless[] = {
    { "data:", "x" }, { "data:x", "\ndata:" }, { ":", "x" },        { "", "x" },          { "{", "{" },
    { "", "\r" },     { "", "data\n\n" },      { "", "event:e\n" }, { "id:1", "\r\nid" },
};

/* What a line holds is handed out, not held, and a stream of any shape takes time by its length. */
TEST(long_streams)
{
    char *bytes = (char *)malloc(LONG + 100);
    if (!bytes) abort();
    for (size_t i = 0; i < ROWS(endless); i++) {
        size_t len = strlen(endless[i].before), again = strlen(endless[i].again), at, used, told = 0;
        clock_t began = clock();
        memcpy(bytes, endless[i].before, len);
        for (; len < LONG; len += again) memcpy(bytes + len, endless[i].again, again);
        decode_reset(&decoder);
        for (at = 0; at < len || decoder.sse.event != CGT_SSE_NONE; at += used) {
            cgt_sse_feed(&decoder.sse, bytes + at, len - at, &used);
            if (decoder.sse.event == CGT_SSE_DATA) told += decoder.sse.piece.len;
        }
        if (i == 0) CHECK_INT(told, len - 5);
        CHECK((clock() - began) / CLOCKS_PER_SEC < 20);
    }
    free(bytes);
}

int main(void)
{
    RUN(streams);
    RUN(junk);
    RUN(raw);
    RUN(names_at_the_limit);
    RUN(long_streams);
    return check_report("sse");
}
