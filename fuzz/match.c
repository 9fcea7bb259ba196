/* match.c - input: a pattern, LF, a text. What the matcher finds is what a backtracking one finds that reads
   the pattern's text itself; where that one needs too many steps, only the cuts are compared. */
#include "fuzz.h"

static struct { cgt_pattern pattern; cgt_match match; } now;

static void reset(void *state)
{
    (void)state;
    memset(&now.match, 0, sizeof now.match);
    now.match.pattern = &now.pattern;
}

static int end(void *state, feed_log *log)
{
    (void)state;
    if (now.match.found) feed_log_event(log, "%u %u", (unsigned)now.match.from, (unsigned)now.match.to);
    return now.match.found;
}

static int feed(void *state, char *piece, size_t len, feed_log *log)
{
    cgt_match_feed(&now.match, piece, len);
    return now.match.ended ? end(state, log) : 0;
}

/* ---- the reference ---- */

#define STEPS 200000

typedef struct reference {
    cgt_slice text;
    const char *end;
    size_t from, to;
    long steps;
    bool group;
} reference;

static unsigned char escaped(char c) {
    return (unsigned char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
}

static unsigned char take(const char **p)
{
    if (**p == '\\') ++*p;
    else return (unsigned char)*(*p)++;
    return escaped(*(*p)++);
}

/* Whether the atom at *p takes c; *p goes behind the atom. */
static bool takes(const char **p, unsigned char c)
{
    const char *first;
    bool in = false, negated = **p == '[' && (*p)[1] == '^';
    if (**p == '.') { ++*p; return c != '\n'; }
    if (**p != '[') return take(p) == c;
    *p += 1 + negated;
    for (first = *p; **p != ']' || *p == first;) {
        unsigned char low = take(p), high = low;
        if (**p == '-' && (*p)[1] != ']') { ++*p; high = take(p); }
        in = in || (low <= c && c <= high);
    }
    ++*p;
    return in != negated;
}

/* Whether the pattern from p on matches the text from `at` on; then the capture's edges are set. */
static bool matches(reference *r, const char *p, size_t at)
{
    const char *rest = p;
    size_t least, most, n;
    if (r->steps-- < 0) return false;
    if (p == r->end) { if (!r->group) r->to = at; return true; }
    if (*p == '(' || *p == ')') {
        if (!matches(r, p + 1, at)) return false;
        *(*p == '(' ? &r->from : &r->to) = at;
        return true;
    }
    (void)takes(&rest, 0);
    least = rest < r->end && (*rest == '*' || *rest == '?') ? 0 : 1;
    most = rest < r->end && (*rest == '*' || *rest == '+') ? SIZE_MAX : 1;
    for (n = 0; n < most && at + n < r->text.len; n++, r->steps--) {
        const char *again = p;
        if (!takes(&again, (unsigned char)r->text.at[at + n])) break;
    }
    if (rest < r->end && strchr("*+?", *rest)) rest++;
    for (; n + 1 > least; n--) {
        if (matches(r, rest, at + n)) return true;
        if (n == 0) break;
    }
    return false;
}

static bool has_group(const char *p, const char *end)
{
    for (; p < end; (void)takes(&p, 0))
        if (*p == '(') return true;
    return false;
}

static void refer(const char *pattern, size_t len, cgt_slice text, feed_log *log)
{
    reference r;
    size_t at;
    bool found = false;
    memset(&r, 0, sizeof r);
    r.text = text, r.end = pattern + len, r.steps = STEPS;
    r.group = has_group(pattern, r.end);
    for (at = 0; at <= text.len && !found && r.steps > 0; at++) {
        r.from = at;
        found = matches(&r, pattern, at);
    }
    log->len = 0;
    if (r.steps <= 0) return;
    if (found) feed_log_event(log, "%zu %zu", r.from, r.to);
    feed_log_event(log, "= %d", found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const feed_parser parser = {feed, reset, end, NULL};
    static feed_log wanted;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX), line = fuzz_line(&in);
    char pattern[200] = "";
    size_t at = 0;
    const char *why = NULL;
    bool good = cgt_pattern_compile(&now.pattern, line, &at, &why);
    FUZZ_CHECK(good == (why == NULL) && at <= line.len);
    if (!good || !cgt_fixed_set(pattern, sizeof pattern, line)) return 0;
    refer(pattern, line.len, in, &wanted);
    const feed_log *got = fuzz_agree(&parser, in);
    if (wanted.len) fuzz_equal(got, &wanted, "log, against the reference's");
    return 0;
}
