/* test_match.c - the pattern matcher against what Python's re finds, its limits, its refusals, and that no
   text makes it slow. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "chatgptt.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define TEXT(literal) literal, sizeof literal - 1

/* ---- the matcher as a parser of feed.h: logs where the capture begins and ends; its result tells whether
   there is one ---- */

typedef struct search { cgt_pattern pattern; cgt_match match; } search;

static search searching;

static void search_reset(void *state)
{
    search *s = (search *)state;
    memset(&s->match, 0, sizeof s->match);
    s->match.pattern = &s->pattern;
}

static int search_end(void *state, feed_log *log)
{
    const cgt_match *m = &((search *)state)->match;
    if (m->found) feed_log_event(log, "%u %u", (unsigned)m->from, (unsigned)m->to);
    return m->found;
}

static int search_feed(void *state, char *piece, size_t len, feed_log *log)
{
    search *s = (search *)state;
    cgt_match_feed(&s->match, piece, len);
    return s->match.ended ? search_end(state, log) : 0;
}

static const feed_parser parser = {search_feed, search_reset, search_end, &searching};

static bool compile(const char *pattern)
{
    size_t at = 0;
    const char *why = NULL;
    bool good = cgt_pattern_compile(&searching.pattern, cgt_text(pattern), &at, &why);
    return good || check_fail(__FILE__, __LINE__, "%s: %s, at %zu", pattern, why, at);
}

/* from, to: of the group, or of the whole match without one; -1: no match. */
static bool check_match(const char *pattern, const char *text, size_t len, int from, int to)
{
    char wanted[60];
    snprintf(wanted, sizeof wanted, from < 0 ? "= 0\n" : "%d %d\n= 1\n", from, to);
    return (compile(pattern) && FEED(&parser, text, len, wanted)) ||
           check_fail(__FILE__, __LINE__, "pattern %s", pattern);
}

/* ---- matches ---- */

static const struct { const char *pattern, *text; size_t len; int from, to;
} matches[] = {
    /* written by hand */
    { "", TEXT(""), 0, 0 },
    { "", TEXT("abc"), 0, 0 },
    { "a", TEXT(""), -1, -1 },
    { "a", TEXT("a"), 0, 1 },
    { "a", TEXT("ba"), 1, 2 },
    { "a", TEXT("b"), -1, -1 },
    { "abc", TEXT("xxabcxx"), 2, 5 },
    { "abc", TEXT("ababc"), 2, 5 },
    { "aab", TEXT("aaab"), 1, 4 },
    { "abab", TEXT("abaabab"), 3, 7 },
    { ".", TEXT("\n"), -1, -1 },
    { ".", TEXT("\na"), 1, 2 },
    { "a.c", TEXT("a\nc abc"), 4, 7 },
    { ".*", TEXT("ab\ncd"), 0, 2 },
    { ".+", TEXT("\n\nab\n"), 2, 4 },
    { "a.*c", TEXT("abcbcb"), 0, 5 },
    { "a.*c", TEXT("a\nc"), -1, -1 },
    { "a*", TEXT("baaa"), 0, 0 },
    { "a*", TEXT("aaab"), 0, 3 },
    { "a+", TEXT("baaab"), 1, 4 },
    { "a?", TEXT("ba"), 0, 0 },
    { "a?b", TEXT("aab"), 1, 3 },
    { "ba?", TEXT("baa"), 0, 2 },
    { "ba*", TEXT("baab"), 0, 3 },
    { "ba+", TEXT("bb ba"), 3, 5 },
    { "a*b", TEXT("aaac aab"), 5, 8 },
    { "a+b", TEXT("aaacb"), -1, -1 },
    { "a*a", TEXT("aaa"), 0, 3 },
    { "a?a", TEXT("a"), 0, 1 },
    { "a?a", TEXT("aa"), 0, 2 },
    { "a+a", TEXT("a"), -1, -1 },
    { "a+a", TEXT("aaa"), 0, 3 },
    { "a*ab", TEXT("aaab"), 0, 4 },
    { "[ab]*b", TEXT("ababa"), 0, 4 },
    { "[ab]*ab", TEXT("abab"), 0, 4 },
    { ".*b", TEXT("abcbd"), 0, 4 },
    { ".*.*b", TEXT("aabab"), 0, 5 },
    { "(a)", TEXT("xa"), 1, 2 },
    { "(a*)", TEXT("aab"), 0, 2 },
    { "x(a*)", TEXT("xxaa"), 1, 1 },
    { "x(a*)y", TEXT("xaaxay"), 4, 5 },
    { "(a+)b", TEXT("aab"), 0, 2 },
    { "a(b*)", TEXT("abbb"), 1, 4 },
    { "a(b*)c", TEXT("abbbdabbc"), 6, 8 },
    { "(a)b*", TEXT("abbb"), 0, 1 },
    { "()", TEXT("ab"), 0, 0 },
    { "()abc", TEXT("xxabc"), 2, 2 },
    { "ab()", TEXT("xabx"), 3, 3 },
    { "a()b", TEXT("xxab"), 3, 3 },
    { "a*(b)", TEXT("aab"), 2, 3 },
    { "a*(b)", TEXT("cab"), 2, 3 },
    { "(a?)b", TEXT("b"), 0, 0 },
    { "(a?)a", TEXT("aa"), 0, 1 },
    { "(a?)a", TEXT("a"), 0, 0 },
    { "a?(a?)", TEXT("a"), 1, 1 },
    { "(a?)a?", TEXT("a"), 0, 1 },
    { "a*(a*)", TEXT("aaa"), 3, 3 },
    { "(.*)b", TEXT("abab"), 0, 3 },
    { "(.)b", TEXT("aab"), 1, 2 },
    { ".*(.)", TEXT("abc"), 2, 3 },
    { "x*(a)", TEXT("bxxa"), 3, 4 },
    { "[abc]", TEXT("xxc"), 2, 3 },
    { "[a-c]+", TEXT("xxabcd"), 2, 5 },
    { "[^a-c]+", TEXT("abxyc"), 2, 4 },
    { "[^a]", TEXT("a\n"), 1, 2 },
    { "[]a]+", TEXT("x]a]"), 1, 4 },
    { "[^]a]+", TEXT("]ab]"), 2, 3 },
    { "[a-]+", TEXT("b-a"), 1, 3 },
    { "[-a]+", TEXT("b-a"), 1, 3 },
    { "[a\\-c]+", TEXT("b-ac"), 1, 4 },
    { "[\\]]", TEXT("a]"), 1, 2 },
    { "[\\\\]", TEXT("a\\"), 1, 2 },
    { "[.]", TEXT("a."), 1, 2 },
    { "[*+?()]+", TEXT("a(*)+?"), 1, 6 },
    { "[^^]", TEXT("^a"), 1, 2 },
    { "[a^]+", TEXT("b^a"), 1, 3 },
    { "[0-9a-fA-F]+", TEXT("xyzDEADbeef09g"), 3, 13 },
    { "[\"']", TEXT("a'b\""), 1, 2 },
    { "[ -~]+", TEXT("\001ab\177"), 1, 3 },
    { "[\\n\\r\\t]+", TEXT("a\n\r\tb"), 1, 4 },
    { "[^\\n]*", TEXT("ab\ncd"), 0, 2 },
    { "[a-a]", TEXT("a"), 0, 1 },
    { "[!-/]", TEXT("a/"), 1, 2 },
    { "\\.", TEXT("a."), 1, 2 },
    { "\\*\\+\\?", TEXT("a*+?"), 1, 4 },
    { "\\(\\)", TEXT("()"), 0, 2 },
    { "\\[\\]", TEXT("[]"), 0, 2 },
    { "\\\\", TEXT("\\"), 0, 1 },
    { "\\n", TEXT("a\nb"), 1, 2 },
    { "\\t", TEXT("a\tb"), 1, 2 },
    { "\\r\\n", TEXT("\r\n"), 0, 2 },
    { "\\^\\$\\|\\{\\}", TEXT("^$|{}"), 0, 5 },
    { "\\\"", TEXT("\""), 0, 1 },
    { "\\-", TEXT("-"), 0, 1 },
    { "\\/", TEXT("/"), 0, 1 },
    { "]", TEXT("a]"), 1, 2 },
    { "}", TEXT("a}"), 1, 2 },
    { "-", TEXT("a-"), 1, 2 },
    { "a\\*", TEXT("aa*"), 1, 3 },
    { "\\.*b", TEXT("..b"), 0, 3 },
    { "data-nonce=[\"']([^\"']+)[\"']", TEXT("<div data-nonce=\"0123abcdef\" data-post-id='5'>"), 17, 27 },
    { "data-post-id=[\"']([^\"']+)[\"']", TEXT("<div data-nonce=\"0123abcdef\" data-post-id='5'>"), 43, 44 },
    { "data-nonce=[\"']([^\"']+)[\"']", TEXT("data-nonce=\"\" data-nonce='x'"), 26, 27 },
    { "data-nonce=[\"']([^\"']+)[\"']", TEXT("data-nonce=abc"), -1, -1 },
    { "data-nonce=[\"']([^\"']+)[\"']", TEXT("data-data-nonce=\"a\nb\""), 17, 20 },
    { "\"nonce\":\"([0-9a-f]*)\"", TEXT("{\"nonce\":\"xyz\",\"nonce\":\"00ff\"}"), 24, 28 },
    { "\"ajax_url\":\"([^\"]+)\"", TEXT("var p={\"ajax_url\":\"https:\\/\\/a\\/b.php\"};"), 19, 37 },
    { "a*a*a*a*a*b", TEXT("aaaaaaaaaaaaaaaaaaaaaaac"), -1, -1 },
    { "a*a*a*a*a*b", TEXT("aaaaaaaaaaaab"), 0, 13 },
    /* made at random */
    { "([^a]+a?)", TEXT("cab"), 0, 2 },
    { "([^a].+)", TEXT("aabbaaa"), 2, 7 },
    { "[ab]?[ab]*[ab]?", TEXT("bbabab\nb"), 0, 6 },
    { "a*[^b\\n]?", TEXT("bcba\nbaa\na"), 0, 0 },
    { ".[^b\\n][ab]+", TEXT("aa\ncbacbcb"), 5, 8 },
    { "(b?[^a][ab]?)[ab]+", TEXT("abab\naaba"), 1, 3 },
    { "a?()b?", TEXT("bcab"), 0, 0 },
    { "([^a]*b?)a?", TEXT("abbbbbbc"), 0, 0 },
    { "b+b*()", TEXT("baacb\nacba"), 1, 1 },
    { "[^a][ab]", TEXT("abbbbb"), 1, 3 },
    { "[^a]().?", TEXT("bbb"), 1, 1 },
    { "(a?)[ab]?", TEXT("bb\n\nbbb\n"), 0, 0 },
    { "[ab][ab]+.()", TEXT("baabab"), 6, 6 },
    { "[ab]()[^b\\n][ab]+", TEXT("cbcbbbaba"), 2, 2 },
    { "()[^a]+[ab][ab]*[^a]?", TEXT("aabbaa"), 2, 2 },
    { "b+[^b\\n]*()[ab][^a]?", TEXT("aacabaa"), 6, 6 },
    { "a?b.[ab]()", TEXT("aabaaba"), 5, 5 },
    { "b*([^b\\n]*)[^a]", TEXT("abaaab\nb"), 0, 1 },
    { "a+[^b\\n]+[^a]+[^a]*[^b\\n]", TEXT("bacbaaaa"), 1, 5 },
    { "([ab].*)", TEXT("cb\nab"), 1, 2 },
    { "(a?)[^b\\n]+[^b\\n]?", TEXT("aaab"), 0, 1 },
    { "[ab]+[^a]()", TEXT("ba\naaa\nbab"), 3, 3 },
    { "[^b\\n]b+()[ab]+", TEXT("aabbba"), 5, 5 },
    { "[ab][ab]*", TEXT("b\nbb"), 0, 1 },
    { "[ab]+a?b*a+(a*)", TEXT("cbbaaab"), 6, 6 },
    { "b?[^b\\n]?.([^b\\n]*)", TEXT("aa\n"), 2, 2 },
    { "[ab]*[^b\\n]([ab]*[ab]*a*)", TEXT("babb"), 2, 4 },
    { "a+[ab]?a*[ab]*", TEXT("aababbc"), 0, 6 },
    { "()b*[ab][^b\\n]+[^a]?", TEXT("\nab\naaa\nc"), 4, 4 },
    { ".*.*[ab]().+", TEXT("aab\nb"), 2, 2 },
    { "[ab]*[^a]*()", TEXT("bbcc"), 4, 4 },
    { "[ab]*aa+([^b\\n]+[^a]+)", TEXT("\nbabaaa\naa"), 6, 8 },
    { "b()[^a]", TEXT("caaabbc"), 5, 5 },
    { "b?a[^a]*[ab]*", TEXT("\nbbacb"), 2, 6 },
    { "(a[ab]+)", TEXT("bb\nabcbcb"), 3, 5 },
    { "(.?)a", TEXT("b\nbbba"), 4, 5 },
    { "[^b\\n]?[^b\\n]+a*()", TEXT("\naaaabab"), 5, 5 },
    { "a?b+.*[ab](a+)", TEXT("bb\nacb"), -1, -1 },
    { "a(a+)", TEXT("c\na\naab"), 5, 6 },
    { "([^a]).*[ab]*", TEXT("abcaa\nbac"), 1, 2 },
    { "a*([^a])", TEXT("abac\nbabbb"), 1, 2 },
    { ".*([^b\\n]*b+)b", TEXT("bacbbb"), 4, 5 },
    { "([^b\\n]+)a", TEXT("abbaabba"), 3, 4 },
    { "[^a][ab]?().a?", TEXT("bba"), 2, 2 },
    { "()b*a?", TEXT("cbababa\n"), 0, 0 },
    { "()[^b\\n]?b.*b?", TEXT("\nbbaa\nbac"), 1, 1 },
    { "([^b\\n]?[^b\\n])", TEXT("b\nabacacb"), 2, 3 },
    { "b[^b\\n]()", TEXT("ac\nbcbbc"), 5, 5 },
    { "[^b\\n]*[ab]?[ab](a[^a]+)", TEXT("a\ncaaabcba"), 5, 9 },
    { "[^a]?[^b\\n]aa*([^b\\n]?)", TEXT("aaaba"), 3, 3 },
    { "b([ab])", TEXT("abaab\nabc"), 2, 3 },
    { ".+().?b*.", TEXT("bbbaaba"), 6, 6 },
    { "[^b\\n]*[ab]*(a)", TEXT("baaaaacaba"), 5, 6 },
    { "()a[^a]?", TEXT("bcababa\na"), 2, 2 },
    { "a?a.", TEXT("abbcbb"), 0, 2 },
    { "[^b\\n]?[ab]+([^a])a+[^b\\n]", TEXT("aaaaaaaab"), -1, -1 },
    { "a*.*(a*.?)", TEXT("cac"), 3, 3 },
    { "(.+[^b\\n])", TEXT("baca"), 0, 4 },
    { ".(a*)[ab]", TEXT("babbb\naa"), 1, 2 },
    { "[ab]?(a*)", TEXT("cabb"), 0, 0 },
    { ".+[^a]?b+[^b\\n]", TEXT("abba\n"), 0, 4 },
    { "b+([ab]*)[^a]b*", TEXT("baabbba"), 1, 5 },
    { ".().b", TEXT("bcbbaab"), 1, 1 },
    { "[ab]?[^a]+b?", TEXT("a\ncbb"), 0, 5 },
    { "[ab]([ab])", TEXT("acabac\naab"), 3, 4 },
    { "b([^a]*a?)", TEXT("abbc\nbacab"), 2, 7 },
    { "(.*)[ab]+", TEXT("bbabbcbc\n"), 0, 6 },
    { "b(a)[ab]?", TEXT("\nba\nbbbcb"), 2, 3 },
    { "[^b\\n][ab][^b\\n]*(.)[^b\\n]*", TEXT("babc"), 3, 4 },
    { "a?().", TEXT("bab"), 0, 0 },
    { "[^a]([^a]b[ab]*)", TEXT("abb\nb"), 3, 5 },
    { "[^b\\n]+([^b\\n])", TEXT("a\n\na\n\n"), -1, -1 },
    { ".*([ab]+.?.?)", TEXT("bbbb"), 3, 4 },
    { "[^a]a+[^b\\n]?", TEXT("cba"), 1, 3 },
    { "(a[ab]?)", TEXT("aaba\naaaa"), 0, 2 },
    { "a.().?[^b\\n]*.", TEXT("a\naacc\naa"), 4, 4 },
    { "[^a]?()[^b\\n][ab]+[^a]a+", TEXT("aaaabaa\na"), 0, 0 },
    { "[^b\\n]?()b+[^b\\n]a*", TEXT("\n\nbaaaa"), 2, 2 },
    { "[^b\\n]?a+()", TEXT("abb\n\naaaba"), 1, 1 },
    { "[ab]+[ab]*[^a]*.*a?", TEXT("aabcbccc"), 0, 8 },
    { "[ab]*([^b\\n].*)", TEXT("baa"), 2, 3 },
    { "[^a]+(.?)a?[^a]+", TEXT("ac\nbbac"), 5, 6 },
    { "[^a][^a]*a[ab]?[^a]*", TEXT("\nbbbbaab"), 0, 8 },
    { "[^a]?.+[^a]b", TEXT("bab\naababb"), 3, 10 },
    { "ab?()", TEXT("bca\naba"), 3, 3 },
    { "[^b\\n]([^b\\n]?)[ab]", TEXT("baabba"), 2, 3 },
    { "(a*)[^a]+", TEXT("bb\n"), 0, 0 },
    { "[ab]*(.*)", TEXT("a\nbaa\nbaa"), 1, 1 },
    { "a?.[ab]", TEXT("aa\nbbb\nab"), 0, 2 },
    { ".([^b\\n])b+", TEXT("bccba"), 2, 3 },
    /* bytes of any value */
    { "a.b", TEXT("a\0b"), 0, 3 },
    { "[^a]+",
      TEXT("a\0\xFF"
           "a"),
      1, 3 },
    { "\xC3\xA9", TEXT("x\xC3\xA9"), 1, 3 },
    { ".", TEXT("\xFF"), 0, 1 },
    { "([\x80-\xFF]+)",
      TEXT("a\xE2\x82\xAC"
           "b"),
      1, 4 },
    { "\xA9+", TEXT("\xC3\xA9\xA9\xA9"), 1, 4 },
    { "[^\x80-\xFF]", TEXT("\xC3\xA9\0"), 2, 3 },
};

TEST(matches)
{
    for (size_t i = 0; i < ROWS(matches); i++)
        if (!check_match(matches[i].pattern, matches[i].text, matches[i].len, matches[i].from, matches[i].to))
            return;
}

/* The model's pattern deep in a page, with false starts before it. */
TEST(in_a_page)
{
    static const char token[] = "data-nonce=\"0123abcdef\"";
    char page[3000];
    size_t at;
    for (at = 0; at + sizeof token < 2000; at += 13) memcpy(page + at, "data-nonce= <", 13);
    memcpy(page + at, token, sizeof token - 1);
    memset(page + at + sizeof token - 1, 'd', 500);
    check_match("data-nonce=[\"']([^\"']+)[\"']", page, at + sizeof token - 1 + 500, (int)at + 12,
                (int)at + 22);
}

/* It takes no more than it needs to be certain. */
TEST(stops_early)
{
    static const struct { const char *pattern, *text; size_t after; } rows[] = {
        {"a(b)c", "xabcabc", 4}, {"a+", "xaab aab", 4}, {"", "abc", 0}, {"a?", "ba", 1},
        {"(.*)b", "aab\nb", 4}, {"x\"([^\"]*)\"", "x\"\"x", 3},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (!compile(rows[i].pattern)) continue;
        search_reset(&searching);
        cgt_match_feed(&searching.match, rows[i].text, strlen(rows[i].text));
        CHECK(searching.match.ended);
        if (!CHECK_INT(searching.match.offset, rows[i].after))
            check_fail(__FILE__, __LINE__, "pattern %s", rows[i].pattern);
    }
}

/* ---- bad patterns ---- */

static const struct { const char *pattern; size_t len, at;
} bad[] = {
    /* nothing to repeat, or repeated twice; no lazy, possessive or special groups */
    { TEXT("*"), 0 },
    { TEXT("+a"), 0 },
    { TEXT("?"), 0 },
    { TEXT("a**"), 2 },
    { TEXT("a+?"), 2 },
    { TEXT("a*?"), 2 },
    { TEXT("a?\?"), 2 },
    { TEXT("a*+"), 2 },
    { TEXT("(*a)"), 1 },
    { TEXT("(?:a)"), 1 },
    { TEXT("(?i)a"), 1 },
    { TEXT("[a]**"), 4 },
    /* groups */
    { TEXT("("), 1 },
    { TEXT("(a"), 2 },
    { TEXT(")"), 0 },
    { TEXT("a)"), 1 },
    { TEXT("(a))"), 3 },
    { TEXT("(a)(b)"), 3 },
    { TEXT("((a))"), 1 },
    { TEXT("(a)*"), 3 },
    { TEXT("(a)+b"), 3 },
    { TEXT("()?"), 2 },
    { TEXT("())"), 2 },
    { TEXT("()a)"), 3 },
    { TEXT("()()"), 2 },
    /* classes */
    { TEXT("["), 1 },
    { TEXT("[a"), 2 },
    { TEXT("[]"), 2 },
    { TEXT("[^]"), 3 },
    { TEXT("[^"), 2 },
    { TEXT("[a-"), 3 },
    { TEXT("a[bc"), 4 },
    { TEXT("[\\"), 2 },
    { TEXT("[a\\]"), 4 },
    /* escapes: what Python gives a meaning that this does not have is refused, not taken for a letter */
    { TEXT("\\"), 1 },
    { TEXT("a\\"), 2 },
    { TEXT("\\d"), 1 },
    { TEXT("\\w+"), 1 },
    { TEXT("a\\s"), 2 },
    { TEXT("\\b"), 1 },
    { TEXT("\\1"), 1 },
    { TEXT("\\x41"), 1 },
    { TEXT("[\\d]"), 2 },
    { TEXT("[a-\\z]"), 4 },
    /* what is not supported */
    { TEXT("^a"), 0 },
    { TEXT("a$"), 1 },
    { TEXT("a|b"), 1 },
    { TEXT("a{2}"), 1 },
    { TEXT("{"), 0 },
    { TEXT("a\0b"), 1 },
    { TEXT("\0"), 0 },
};

TEST(bad_patterns)
{
    for (size_t i = 0; i < ROWS(bad); i++) {
        cgt_pattern pattern;
        size_t at = 99;
        const char *why = NULL;
        bool good = cgt_pattern_compile(&pattern, cgt_slice_of(bad[i].pattern, bad[i].len), &at, &why);
        if (!CHECK(!good && why && *why) || !CHECK_INT(at, bad[i].at))
            check_fail(__FILE__, __LINE__, "pattern %s: %s", bad[i].pattern, why ? why : "good");
    }
}

TEST(upside_down_range)
{
    cgt_pattern pattern;
    size_t at = 99;
    const char *why = NULL;
    CHECK(!cgt_pattern_compile(&pattern, cgt_text("x[b-a]y"), &at, &why));
    CHECK(at >= 2 && at <= 5);      /* somewhere in the range or right behind it */
    CHECK(!cgt_pattern_compile(&pattern, cgt_text("[a-\\]]"), &at, &why));
}

/* ---- limits ---- */

static char long_pattern[1000];

/* `count` times `piece`. */
static const char *repeat(const char *piece, int count)
{
    size_t len = strlen(piece);
    for (int i = 0; i < count; i++) memcpy(long_pattern + (size_t)i * len, piece, len);
    long_pattern[(size_t)count * len] = '\0';
    return long_pattern;
}

static bool refused(const char *pattern)
{
    cgt_pattern p;
    size_t at = 9999;
    const char *why = NULL;
    return !cgt_pattern_compile(&p, cgt_text(pattern), &at, &why) && why && at <= strlen(pattern);
}

TEST(limits)
{
    char text[100];
    int max = CHATGPTT_MAX_PATTERN;
    memset(text, 'a', sizeof text);
    check_match(repeat("a", max), text, sizeof text, 0, max);
    check_match(repeat("a", max), text, (size_t)max - 1, -1, -1);
    check_match(repeat(".", max), text, sizeof text, 0, max);
    check_match(repeat("a*", max), text, sizeof text, 0, 100);
    check_match(repeat("a?", max), text, sizeof text, 0, max);
    check_match(repeat("a+", max / 2), text, sizeof text, 0, 100);
    check_match(repeat("[ab]", CHATGPTT_MAX_CLASSES), text, sizeof text, 0, CHATGPTT_MAX_CLASSES);
    CHECK(refused(repeat("a", max + 1)));
    CHECK(refused(repeat("a*", max + 1)));
    CHECK(refused(repeat("a+", max / 2 + 1)));
    check_match(repeat("[ab]", CHATGPTT_MAX_CLASSES + 1), text, sizeof text, 0, CHATGPTT_MAX_CLASSES + 1);
    CHECK(!refused("[ab][ac][ad][ae][af][ag][ah][ai][ab]"));        /* equal ones share a place */
    CHECK(refused("[ab][ac][ad][ae][af][ag][ah][ai][aj]"));
}

/* ---- time ---- */

/* The work for one byte is bounded by the positions that are alive: never more than the pattern has. */
static void check_bounded(const char *pattern, size_t len, bool found)
{
    size_t most = 0;
    if (!compile(pattern)) return;
    search_reset(&searching);
    for (size_t i = 0; i < len && !searching.match.ended; i++) {
        cgt_match_feed(&searching.match, "a", 1);
        if ((size_t)searching.match.count > most) most = (size_t)searching.match.count;
    }
    CHECK(most > 0 && most <= (size_t)searching.pattern.count + 1);
    if (!CHECK_INT(searching.match.found, found)) check_fail(__FILE__, __LINE__, "pattern %s", pattern);
}

TEST(linear_time)
{
    const size_t len = 200000;
    check_bounded("a*a*a*a*a*b", len, false);
    check_bounded("(a*)a*a*a*a*a*a*a*b", len, false);
    check_bounded("a+a+a+a+a+a+b", len, false);
    check_bounded("[ab]*[ab]*[ab]*c", len, false);
    check_bounded(".*.*.*.*.*.*.*.*.*\"", len, false);
    check_bounded(repeat("a*", CHATGPTT_MAX_PATTERN), len, true);
    check_bounded(repeat("a?", CHATGPTT_MAX_PATTERN), len, true);
    check_bounded("a*b*a*b*(c)", len, false);
}

int main(void)
{
    RUN(matches);
    RUN(in_a_page);
    RUN(stops_early);
    RUN(bad_patterns);
    RUN(upside_down_range);
    RUN(limits);
    RUN(linear_time);
    return check_report("match");
}
