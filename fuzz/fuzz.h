/* fuzz.h - what the targets share: small limits, so that their edges are near, and the oracle that holds for
   every parser: how the bytes are cut changes nothing. A target defines LLVMFuzzerTestOneInput(); own.c is
   the smallest, to start from. */
#ifndef FUZZ_H
#define FUZZ_H

#define CHATGPTT_IMPLEMENTATION
#define CHATGPTT_READ_BUFFER   512
#define CHATGPTT_MAX_URL       256
#define CHATGPTT_MAX_COOKIES   5
#define CHATGPTT_MAX_DRAIN     32
#define CHATGPTT_MAX_STATE     4096
#define CHATGPTT_MAX_NAME      32
#define CHATGPTT_MAX_VALUE     64
#define CHATGPTT_MAX_CHUNK_EXT 16
#define CHATGPTT_MAX_CAPTURE   64
#define CHATGPTT_MAX_TOKEN     48
#define CHATGPTT_MAX_DEPTH     12
#define CHATGPTT_MAX_NOISE     64
#define CHATGPTT_MAX_WORDS     64
#include "../tests/feed.h"
#include "../chatgptt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX 16384      /* longer inputs show nothing more */

/* What must hold: says so and stops, with the input still to be seen. */
#define FUZZ_CHECK(cond) do { if (!check_cond(__FILE__, __LINE__, #cond, cond)) abort(); } while (0)

/* malloc's hooks, with clock and chance standing still. */
static inline long long fuzz_time(void *user) { (void)user; return 1700000000; }
static inline chatgptt_code fuzz_random(void *user, void *bytes, size_t size)
{
    (void)user;
    memset(bytes, 7, size);
    return CHATGPTT_OK;
}

static inline const chatgptt_hooks *fuzz_hooks(void)
{
    static const chatgptt_hooks hooks = {cgt_builtin_resize, fuzz_time, fuzz_time, fuzz_random, NULL, NULL};
    return &hooks;
}

static inline cgt_slice fuzz_input(const uint8_t *data, size_t size) {
    return cgt_slice_of((const char *)data, size);
}

static inline bool fuzz_same(cgt_slice a, cgt_slice b) {
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Takes a line off the input, without its LF. */
static inline cgt_slice fuzz_line(cgt_slice *in)
{
    size_t n = cgt_find(*in, "\n");
    cgt_slice line = cgt_slice_of(in->at, n);
    *in = cgt_from(*in, n < in->len ? n + 1 : n);
    return line;
}

/* Takes the first byte off; 0: there is none. */
static inline unsigned char fuzz_byte(cgt_slice *in)
{
    unsigned char c = in->len ? (unsigned char)*in->at : 0;
    if (in->len) *in = cgt_from(*in, 1);
    return c;
}

/* One run in pieces whose lengths the input's own bytes give, from its end backward, so that any document is
   an input. */
static inline void fuzz_chop(const feed_parser *parser, cgt_slice in, feed_log *log)
{
    size_t at = 0, n, k = in.len;
    int result;
    log->len = 0;
    log->open = NULL;
    parser->reset(parser->state);
    do {
        n = in.len ? 1 + (unsigned char)in.at[--k] % 29 : 0;
        if (k == 0) k = in.len;
        if (n > in.len - at) n = in.len - at;
        result = feed_piece(parser, in.at + at, n, log);
        at += n;
    } while (result == 0 && at < in.len);
    if (result == 0 && parser->end) result = parser->end(parser->state, log);
    feed_log_event(log, "= %d", result);
}

static inline void fuzz_equal(const feed_log *got, const feed_log *wanted, const char *what)
{
    if (check_mem(__FILE__, __LINE__, what, got->text, got->len, wanted->text, wanted->len)) return;
    fflush(stdout);
    abort();
}

/* The log of the run at once, which those in pieces must give too; valid until the next call. */
static inline const feed_log *fuzz_agree(const feed_parser *parser, cgt_slice in)
{
    static feed_log whole, cut;
    if (in.len == 0) in.at = "";
    feed_run(parser, in.at, in.len, 0, 0, in.len, &whole);
    fuzz_chop(parser, in, &cut);
    fuzz_equal(&cut, &whole, "log, fed in pieces");
    feed_run(parser, in.at, in.len, 0, 0, 1, &cut);
    fuzz_equal(&cut, &whole, "log, fed byte by byte");
    return &whole;
}

#endif
