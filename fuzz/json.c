/* json.c - input: a JSON document. The verdict is that of a recogniser which knows nothing of cuts and
   fields; what is valid is so within an array too, and the lenient manner tells the same of it; no piece cuts
   a character. */
#include "fuzz.h"
#include "../tests/nodes.h"

static const char *const pointers[] = {"", "/a", "/a/b", "/b/0", "/1", "/0/0", "/~1~0", "/", "/a/b/c/d"};

static struct { cgt_json json; nodes tree; bool lenient; } now;

static void reset(void *state)
{
    (void)state;
    if (now.tree.count == 0) FUZZ_CHECK(nodes_make(&now.tree, pointers, sizeof pointers / sizeof *pointers));
    cgt_json_init(&now.json, now.tree.at);
    now.json.lenient = now.lenient;
}

static void tell(feed_log *log)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8"};
    const cgt_json *j = &now.json;
    if (j->event == CGT_JSON_TEXT) FUZZ_CHECK(j->piece.len > 0 && cgt_utf8_valid(j->piece));
    if (j->event == CGT_JSON_TEXT) feed_log_piece(log, names[j->field], j->piece.at, j->piece.len);
    if (j->event == CGT_JSON_VALUE) feed_log_event(log, "%d is a %d", j->field, j->type);
    if (j->event == CGT_JSON_END) feed_log_event(log, "end");
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    size_t used;
    (void)state;
    do {
        chatgptt_code code = cgt_json_feed(&now.json, piece, len, &used);
        FUZZ_CHECK(used <= len);
        if (code < 0) { FUZZ_CHECK(now.json.why != NULL); return code; }
        piece += used;
        len -= used;
        tell(log);
    } while (now.json.event != CGT_JSON_NONE);
    FUZZ_CHECK(len == 0 || now.json.state == CGT_JSON_ENDED);
    for (; len; piece++, len--)
        if (*piece == '\f' || !cgt_blank(*piece)) return 1;
    return 0;
}

static int end(void *state, feed_log *log)
{
    chatgptt_code code;
    (void)state;
    do {
        code = cgt_json_eof(&now.json);
        if (code == CHATGPTT_OK) tell(log);
    } while (code == CHATGPTT_OK && now.json.event != CGT_JSON_NONE);
    return code;
}

/* ---- the reference: RFC 8259, one function a rule; each goes behind what it takes ---- */

typedef struct reader { const char *at, *end; int depth; } reader;

static bool skip(reader *r, char c) { return r->at < r->end && *r->at == c ? r->at++, true : false; }
static bool skip_digits(reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && cgt_digit(*r->at)) r->at++;
    return r->at > from;
}
static void skip_blanks(reader *r) {
    while (skip(r, ' ') || skip(r, '\t') || skip(r, '\n') || skip(r, '\r')) {}
}

static bool take_number(reader *r)
{
    skip(r, '-');
    if (!skip(r, '0') && !skip_digits(r)) return false;
    if (skip(r, '.') && !skip_digits(r)) return false;
    if (!skip(r, 'e') && !skip(r, 'E')) return true;
    if (!skip(r, '-')) skip(r, '+');
    return skip_digits(r);
}

static bool take_escape(reader *r)
{
    if (!skip(r, 'u'))
        return r->at < r->end && *r->at && strchr("\"\\/bfnrt", *r->at) ? r->at++, true : false;
    for (int i = 0; i < 4; i++, r->at++)
        if (r->at == r->end || cgt_hex(*r->at) < 0) return false;
    return true;
}

static bool take_string(reader *r)
{
    if (!skip(r, '"')) return false;
    while (!skip(r, '"')) {
        size_t n;
        if (r->at == r->end || (unsigned char)*r->at < ' ') return false;
        if (skip(r, '\\')) { if (!take_escape(r)) return false; continue; }
        if (cgt_utf8_at(r->at, (size_t)(r->end - r->at), &n) != CGT_UTF8_WHOLE) return false;
        r->at += n;
    }
    return true;
}

static bool take_word(reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return false;
    r->at += len;
    return true;
}

static bool take_scalar(reader *r)
{
    if (r->at < r->end && *r->at == '"') return take_string(r);
    return take_word(r, "true") || take_word(r, "false") || take_word(r, "null") || take_number(r);
}

static bool take_value(reader *r)
{
    bool object, good = true;
    skip_blanks(r);
    object = r->at < r->end && *r->at == '{';
    if (!object && !(r->at < r->end && *r->at == '[')) return take_scalar(r);
    r->at++;
    if (++r->depth > CHATGPTT_MAX_DEPTH) return false;
    skip_blanks(r);
    if (!skip(r, object ? '}' : ']')) {
        do {
            skip_blanks(r);
            if (object && !take_string(r)) return false;
            skip_blanks(r);
            good = (!object || skip(r, ':')) && take_value(r);
            skip_blanks(r);
        } while (good && skip(r, ','));
        if (!good || !skip(r, object ? '}' : ']')) return false;
    }
    r->depth--;
    return true;
}

static bool reference(cgt_slice in)
{
    reader r;
    r.at = in.at, r.end = in.at + in.len, r.depth = 0;
    if (!take_value(&r)) return false;
    skip_blanks(&r);
    return r.at == r.end;
}

/* ---- */

static bool valid(const feed_log *log) {
    return log->len >= 4 && memcmp(log->text + log->len - 4, "= 0\n", 4) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    static feed_log strict;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    cgt_buffer b;
    const feed_log *log;
    bool good;
    if (in.len == 0) in.at = "";
    now.lenient = false;
    log = fuzz_agree(&parser, in);
    good = valid(log);
    FUZZ_CHECK(good == reference(in));
    strict.len = 0;
    feed_log_put(&strict, log->text, log->len);
    now.lenient = true;
    log = fuzz_agree(&parser, in);
    if (good) fuzz_equal(log, &strict, "log, fed to the lenient scanner");
    cgt_buffer_init(&b, fuzz_hooks(), SIZE_MAX / 4);
    cgt_putc(&b, '[');
    cgt_append(&b, in);
    cgt_puts(&b, ",0]");
    now.lenient = false;
    FUZZ_CHECK(valid(fuzz_agree(&parser, cgt_slice_of_buffer(&b))) == reference(cgt_slice_of_buffer(&b)));
    cgt_buffer_free(&b);
    return 0;
}
