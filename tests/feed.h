/* feed.h - the vector runner: feeds an input to a parser at once, byte by byte, cut at every position; all
   logs must be equal. Every piece ends exactly at an unreadable page, may be changed by the parser, and is
   spoilt as soon as feed() is back. */
#ifndef FEED_H
#define FEED_H

#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the log: what a parser found, as printable text, a line an event ---- */

/* open: kind of piece that may go on */
typedef struct feed_log { char *text; size_t len, size; const char *open; } feed_log;

static inline void feed_log_put(feed_log *log, const char *bytes, size_t len)
{
    if (log->size - log->len <= len) {
        log->size = (log->len + len) * 2 + 256;
        log->text = (char *)realloc(log->text, log->size);
        if (!log->text) abort();
    }
    if (len) memcpy(log->text + log->len, bytes, len);
    log->text[log->len += len] = '\0';
}

/* A piece of something that may come in several, text or body say: pieces of one kind in a row are joined to
   `kind "bytes"`. `kind` is a string literal. Control bytes, `"` and `\` are written \xNN. An empty piece is
   none. */
static inline void feed_log_piece(feed_log *log, const char *kind, const char *bytes, size_t len)
{
    if (len == 0) return;
    if (log->open && strcmp(log->open, kind) == 0) {
        log->len -= 2;                                      /* takes the closing quote and the LF back */
    } else {
        feed_log_put(log, kind, strlen(kind));
        feed_log_put(log, " \"", 2);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escape[8];
        bool plain = c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
        if (!plain) snprintf(escape, sizeof escape, "\\x%02x", c);
        feed_log_put(log, plain ? bytes + i : escape, plain ? 1 : 4);
    }
    feed_log_put(log, "\"\n", 2);
    log->open = kind;
}

/* An event that comes whole: a line of its own, of at most 1000 bytes. */
__attribute__((format(printf, 2, 3))) static inline void feed_log_event(feed_log *log, const char *format,
                                                                        ...) {
    char line[1001];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    feed_log_put(log, line, strlen(line));
    feed_log_put(log, "\n", 1);
    log->open = NULL;
}

/* ---- the parser under test ---- */

/* Takes the whole piece and logs what it found. 0: go on; else the parser is at its end or has failed, and
   gets no more. */
typedef int feed_fn(void *state, char *piece, size_t len, feed_log *log);
typedef void feed_reset_fn(void *state);                    /* back to the start */
/* the input is over; only after feed() gave 0 for all of it */
typedef int feed_end_fn(void *state, feed_log *log);

/* end or NULL */
typedef struct feed_parser {
    feed_fn *feed;
    feed_reset_fn *reset;
    feed_end_fn *end;
    void *state;
} feed_parser;

/* ---- the runner ---- */

#define FEED_ALL_PAIRS 200      /* inputs shorter than this are cut at every pair of positions too */
#define FEED_CANARY 16          /* bytes before each piece that must stay as they are */

/* Room of at least `size` bytes that ends at an unreadable page; the same room every time. Returns that page:
   write before it. */
static inline char *feed_fence(size_t size)
{
    static char *fence;
    static size_t room;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (room >= size) return fence;
    if (fence) munmap(fence - room, room + page);
    room = (size + page - 1) / page * page;
    int zero = open("/dev/zero", O_RDWR);                   /* MAP_ANONYMOUS is not POSIX */
    void *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    if (zero < 0 || map == MAP_FAILED || mprotect((char *)map + room, page, PROT_NONE) != 0) abort();
    close(zero);
    return fence = (char *)map + room;
}

/* Feeds one piece as described above. Writing before the piece is logged as an event, and so fails the
   comparison. */
static inline int feed_piece(const feed_parser *parser, const char *bytes, size_t len, feed_log *log)
{
    char *piece = feed_fence(len + FEED_CANARY) - len;
    memset(piece - FEED_CANARY, 0x5a, FEED_CANARY);
    if (len) memcpy(piece, bytes, len);
    int result = parser->feed(parser->state, piece, len, log);
    for (int i = 1; i <= FEED_CANARY; i++)
        if (piece[-i] != 0x5a) feed_log_event(log, "WROTE %d BYTES BEFORE ITS PIECE", i);
    memset(piece, 0xdd, len);                               /* who kept a pointer into it will see */
    return result;
}

/* One run: pieces end at `first`, at `second`, and then every `step` bytes. The log ends in a line "=
   RESULT". */
static inline void feed_run(const feed_parser *parser, const char *bytes, size_t len,
                            size_t first, size_t second, size_t step, feed_log *log)
{
    size_t at = 0;
    int result = 0;
    log->len = 0;
    log->open = NULL;
    parser->reset(parser->state);
    do {
        size_t to = at < first ? first : at < second ? second : step < len - at ? at + step : len;
        result = feed_piece(parser, bytes + at, to - at, log);
        at = to;
    } while (result == 0 && at < len);
    if (result == 0 && parser->end) result = parser->end(parser->state, log);
    feed_log_event(log, "= %d", result);
}

typedef struct feed_vector {
    const feed_parser *parser;
    const char *bytes;
    size_t len;
    feed_log wanted, got;
    const char *file;
    int line;
} feed_vector;

/* One more run of the vector: is its log the wanted one? */
static inline bool feed_again(feed_vector *v, size_t first, size_t second, size_t step)
{
    char what[100];
    feed_run(v->parser, v->bytes, v->len, first, second, step, &v->got);
    if (v->got.len == v->wanted.len && memcmp(v->got.text, v->wanted.text, v->got.len) == 0) return true;
    if (step == 1) snprintf(what, sizeof what, "log, fed byte by byte");
    else snprintf(what, sizeof what, "log, fed cut at %zu and %zu of %zu", first, second, v->len);
    return check_mem(v->file, v->line, what, v->got.text, v->got.len, v->wanted.text, v->wanted.len);
}

static inline bool feed_every_way(feed_vector *v)
{
    if (!feed_again(v, 0, 0, v->len) || !feed_again(v, 0, 0, 1)) return false;
    for (size_t i = 1; i < v->len; i++) {
        if (!feed_again(v, i, i, v->len)) return false;
        for (size_t k = i + 1; k < v->len && v->len < FEED_ALL_PAIRS; k++)
            if (!feed_again(v, i, k, v->len)) return false;
    }
    return true;
}

static inline bool feed_check(const char *file, int line, const feed_parser *parser,
                              const char *bytes, size_t len, const char *wanted)
{
    feed_vector v;
    memset(&v, 0, sizeof v);
    v.parser = parser, v.bytes = bytes, v.len = len, v.file = file, v.line = line;
    if (wanted) feed_log_put(&v.wanted, wanted, strlen(wanted));
    else feed_run(parser, bytes, len, 0, 0, len, &v.wanted);
    bool good = feed_every_way(&v);
    free(v.wanted.text);
    free(v.got.text);
    return good;
}

/* Feeds the bytes in every way and wants this log each time; wanted NULL: the log of the run at once. True if
   all agree. The work grows with the square of len: keep vectors to some thousand bytes. */
#define FEED(parser, bytes, len, wanted)  feed_check(__FILE__, __LINE__, parser, bytes, len, wanted)
#define FEED_TEXT(parser, text, wanted)   feed_check(__FILE__, __LINE__, parser, text, strlen(text), wanted)

#endif
