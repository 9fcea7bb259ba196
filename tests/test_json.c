/* test_json.c - the JSON scanner: what RFC 8259 allows and what not, strings in place, fields by pointers,
   linear time. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "chatgptt.h"
#include "nodes.h"
#include <time.h>

#define ROWS(table) (sizeof (table) / sizeof *(table))
#define TEXT(literal) literal, sizeof literal - 1
#define MAX_FIELDS 32

/* ---- the scanner as a parser of feed.h ---- */

typedef struct scan {
    nodes tree;
    /* verdict_only: nothing is logged, and only blanks may follow the document */
    bool lenient, verdict_only;
    cgt_json json;
} scan;

static const char *const type_names[] = {"string", "number", "true", "false", "null", "object", "array"};
static char kinds[MAX_FIELDS][16];  /* "0:", "1:" … */

static void scan_reset(void *state)
{
    scan *s = (scan *)state;
    cgt_json_init(&s->json, s->tree.at);
    s->json.lenient = s->lenient;
}

static void scan_log(const scan *s, feed_log *log)
{
    const cgt_json *j = &s->json;
    if (s->verdict_only) return;
    switch (j->event) {
    case CGT_JSON_TEXT:
        if (!cgt_utf8_valid(j->piece)) feed_log_event(log, "A PIECE CUTS A CHARACTER");
        feed_log_piece(log, kinds[j->field], j->piece.at, j->piece.len);
        break;
    case CGT_JSON_VALUE: feed_log_event(log, "%s %s", kinds[j->field], type_names[j->type]); break;
    case CGT_JSON_END:   feed_log_event(log, "end"); break;
    default:             break;
    }
}

static int scan_feed(void *state, char *piece, size_t len, feed_log *log)
{
    scan *s = (scan *)state;
    size_t used = 0;
    do {
        chatgptt_code code = cgt_json_feed(&s->json, piece, len, &used);
        if (code < 0) return s->json.why ? code : 1;
        piece += used;
        len -= used;
        scan_log(s, log);
    } while (s->json.event != CGT_JSON_NONE);
    if (!s->verdict_only) feed_log_piece(log, "rest", piece, len);
    for (size_t i = 0; i < len && s->verdict_only; i++)
        if (!strchr(" \t\r\n", piece[i]) || piece[i] == '\0') return CHATGPTT_E_REPLY;
    return 0;
}

static int scan_end(void *state, feed_log *log)
{
    scan *s = (scan *)state;
    do {
        chatgptt_code code = cgt_json_eof(&s->json);
        if (code < 0) return code;
        scan_log(s, log);
    } while (s->json.event != CGT_JSON_NONE);
    return 0;
}

static scan scanner;
static const feed_parser parser = {scan_feed, scan_reset, scan_end, &scanner};

static void use(const char *const *fields, int num_fields, bool lenient, bool verdict_only)
{
    nodes_free(&scanner.tree);
    CHECK(nodes_make(&scanner.tree, fields, num_fields));
    scanner.lenient = lenient;
    scanner.verdict_only = verdict_only;
}

/* ---- valid or not ---- */

typedef struct document { const char *bytes; size_t len; } document;

static const document valid[] = {
    /* scalars at the top, blanks around them */
    { TEXT("0") },
    { TEXT("7") },
    { TEXT("\"\"") },
    { TEXT("\"a\"") },
    { TEXT("true") },
    { TEXT("false") },
    { TEXT("null") },
    { TEXT(" 1") },
    { TEXT("1 ") },
    { TEXT("\t\n\r 1\t\n\r ") },
    { TEXT(" null\n") },
    { TEXT("\n\"a\"\n") },
    { TEXT("{}") },
    { TEXT("[]") },
    { TEXT(" { } ") },
    { TEXT("\r\n[\r\n]\r\n") },
    /* numbers */
    { TEXT("-0") },
    { TEXT("-1") },
    { TEXT("10") },
    { TEXT("1234567890") },
    { TEXT("0.0") },
    { TEXT("-0.1") },
    { TEXT("1.50") },
    { TEXT("0e0") },
    { TEXT("1e1") },
    { TEXT("1E1") },
    { TEXT("1e+1") },
    { TEXT("1E-1") },
    { TEXT("0.1e-00") },
    { TEXT("-12.34E+056") },
    { TEXT("1e999999") },
    { TEXT("123456789012345678901234567890123456789012345678901234567890") },
    { TEXT("0.000000000000000000000000000000001") },
    { TEXT("[0]") },
    { TEXT("[-0,1.5,2e3]") },
    { TEXT("[1 ,2\t]") },
    { TEXT("{\"a\":1}") },
    { TEXT("{\"a\":1.0e1 }") },
    { TEXT("[0 ]") },
    /* strings */
    { TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") },
    { TEXT("\"\\u0000\"") },
    { TEXT("[\"\\ud5e0x\",\"\\u0041\\nx\"]") },
    { TEXT("\"\\u00e9\\u00E9\\uABCD\\uabcd\"") },
    { TEXT("\"\x7f\"") },
    { TEXT("\" \"") },
    { TEXT("\"/\"") },
    { TEXT("\"'\"") },
    { TEXT("\"\xC3\xA9\"") },
    { TEXT("\"\xE2\x82\xAC\"") },
    { TEXT("\"\xF0\x9F\x98\x80\"") },
    { TEXT("\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\"") },
    { TEXT("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"") },
    { TEXT("\"\xED\x9F\xBF\xEE\x80\x80\"") },
    { TEXT("\"\xEF\xBB\xBF\"") },
    { TEXT("\"\\ud83d\\ude00\"") },
    { TEXT("\"\\uD83D\\uDE00\"") },
    { TEXT("\"//\"") },
    { TEXT("\"[{,:}]\"") },
    /* lone surrogates are valid by the grammar */
    { TEXT("\"\\ud800\"") },
    { TEXT("\"\\udc00\"") },
    { TEXT("\"\\ud800\\ud800\"") },
    { TEXT("\"\\udc00\\ud800\"") },
    { TEXT("\"\\ud800x\"") },
    { TEXT("\"\\ud800\\n\"") },
    { TEXT("\"\\ud800\\u0041\"") },
    { TEXT("[\"\\uDBFF\",\"\\uDFFF\"]") },
    /* containers */
    { TEXT("[[]]") },
    { TEXT("[{}]") },
    { TEXT("{\"\":{}}") },
    { TEXT("{\"a\":[]}") },
    { TEXT("[[],[[]],{}]") },
    { TEXT("[1,[2,[3,[4]]]]") },
    { TEXT("{\"a\":{\"b\":{\"c\":null}}}") },
    { TEXT("{\"a\":1,\"a\":2}") },
    { TEXT("{\"a\" : 1 , \"b\" : [ true , false ] }") },
    { TEXT("{\"\\u0061\":1}") },
    { TEXT("{\"\":0}") },
    { TEXT("[true,false,null]") },
    { TEXT("{\"a\":\"b\",\"c\":\"d\"}") },
    { TEXT("[\"\",\"\"]") },
    { TEXT("{\"\xC3\xA9\":\"\xC3\xA9\"}") },
    { TEXT("[\n{\n}\n,\n[\n]\n]") },
};

static const document invalid[] = {
    /* nothing, or no value */
    { TEXT("") },
    { TEXT(" ") },
    { TEXT("\n\r\t ") },
    { TEXT("\xEF\xBB\xBF") },
    { TEXT("\xEF\xBB\xBF{}") },
    { TEXT("\xEF\xBB\xBF\"a\"") },
    { TEXT("\0") },
    { TEXT("\f1") },
    { TEXT("\v1") },
    { TEXT("\xC2\xA0"
           "1") },
    { TEXT("// c\n1") },
    { TEXT("/**/1") },
    { TEXT("#\n1") },
    { TEXT("a") },
    { TEXT("'a'") },
    /* literals */
    { TEXT("t") },
    { TEXT("tru") },
    { TEXT("truee") },
    { TEXT("True") },
    { TEXT("TRUE") },
    { TEXT("nul") },
    { TEXT("nulll") },
    { TEXT("nil") },
    { TEXT("fals") },
    { TEXT("falsy") },
    { TEXT("t rue") },
    { TEXT("NaN") },
    { TEXT("nan") },
    { TEXT("Infinity") },
    { TEXT("-Infinity") },
    { TEXT("undefined") },
    { TEXT("[nul]") },
    /* numbers */
    { TEXT("-") },
    { TEXT("+1") },
    { TEXT("00") },
    { TEXT("01") },
    { TEXT("-01") },
    { TEXT("1.") },
    { TEXT(".1") },
    { TEXT("-.1") },
    { TEXT("1.e1") },
    { TEXT("1e") },
    { TEXT("1e+") },
    { TEXT("1E-") },
    { TEXT("1e1.5") },
    { TEXT("1e1e1") },
    { TEXT("1.2.3") },
    { TEXT("0x1") },
    { TEXT("1a") },
    { TEXT("1_0") },
    { TEXT("1 000") },
    { TEXT("--1") },
    { TEXT("-+1") },
    { TEXT("1-") },
    { TEXT("- 1") },
    { TEXT("[-]") },
    { TEXT("[1.]") },
    { TEXT("[1e]") },
    { TEXT("[01]") },
    { TEXT("[+1]") },
    { TEXT("{\"a\":-}") },
    { TEXT("\xEF\xBC\x91") },
    { TEXT("1\0") },
    { TEXT("0-1") },
    { TEXT("-a") },
    /* strings */
    { TEXT("\"") },
    { TEXT("\"a") },
    { TEXT("a\"") },
    { TEXT("\"\\\"") },
    { TEXT("\"\\a\"") },
    { TEXT("\"\\x41\"") },
    { TEXT("\"\\'\"") },
    { TEXT("\"\\\0\"") },
    { TEXT("\"\\U0041\"") },
    { TEXT("\"\\u\"") },
    { TEXT("\"\\u004\"") },
    { TEXT("\"\\u00g0\"") },
    { TEXT("\"\\u 041\"") },
    { TEXT("\"\\u+041\"") },
    { TEXT("\"\\ud800\\\"") },
    { TEXT("\"\\ud800\\u\"") },
    { TEXT("\"\\ud800\\udc0\"") },
    { TEXT("\"\\ud800\\x\"") },
    { TEXT("\"\n\"") },
    { TEXT("\"\t\"") },
    { TEXT("\"\0\"") },
    { TEXT("\"\x01\"") },
    { TEXT("\"\x1f\"") },
    { TEXT("\"\r\"") },
    { TEXT("\"a\nb\"") },
    { TEXT("{\"\n\":1}") },
    { TEXT("\"\\\n\"") },
    { TEXT("\"0123456\x1f\"") },
    { TEXT("\"01234567\x01\"") },
    { TEXT("\"\\ud800\n\"") },
    /* invalid UTF-8 */
    { TEXT("\"\x80\"") },
    { TEXT("\"\xBF\"") },
    { TEXT("\"\xC0\x80\"") },
    { TEXT("\"\xC1\xBF\"") },
    { TEXT("\"\xC3\"") },
    { TEXT("\"\xC3x\"") },
    { TEXT("\"\xE2\x82\"") },
    { TEXT("\"\xE0\x80\x80\"") },
    { TEXT("\"\xE0\x9F\xBF\"") },
    { TEXT("\"\xED\xA0\x80\"") },
    { TEXT("\"\xED\xBF\xBF\"") },
    { TEXT("\"\xF0\x80\x80\x80\"") },
    { TEXT("\"\xF0\x8F\xBF\xBF\"") },
    { TEXT("\"\xF0\x9F\x98\"") },
    { TEXT("\"\xF4\x90\x80\x80\"") },
    { TEXT("\"\xF5\x80\x80\x80\"") },
    { TEXT("\"\xFE\"") },
    { TEXT("\"\xFF\"") },
    { TEXT("\"\xF8\x88\x80\x80\x80\"") },
    { TEXT("\"\xE2\\n\"") },
    { TEXT("{\"\xFF\":1}") },
    { TEXT("\"\\ud800\x80\"") },
    { TEXT("\xFF") },
    { TEXT("\"\xC3\xC3\xA9\"") },
    { TEXT("\"\xE9\"") },
    /* containers */
    { TEXT("[") },
    { TEXT("]") },
    { TEXT("{") },
    { TEXT("}") },
    { TEXT("[}") },
    { TEXT("{]") },
    { TEXT("[,]") },
    { TEXT("[1,]") },
    { TEXT("[,1]") },
    { TEXT("[1,,2]") },
    { TEXT("[1 2]") },
    { TEXT("[1") },
    { TEXT("[1,") },
    { TEXT("[\"a\"") },
    { TEXT("[\"a\" \"b\"]") },
    { TEXT("[1}") },
    { TEXT("[1:2]") },
    { TEXT("[[]") },
    { TEXT("[]]") },
    { TEXT("{,}") },
    { TEXT("{\"a\"}") },
    { TEXT("{\"a\":}") },
    { TEXT("{\"a\":1,}") },
    { TEXT("{\"a\":1") },
    { TEXT("{\"a\"") },
    { TEXT("{\"a\":") },
    { TEXT("{a:1}") },
    { TEXT("{'a':1}") },
    { TEXT("{1:1}") },
    { TEXT("{null:1}") },
    { TEXT("{\"a\" 1}") },
    { TEXT("{\"a\",1}") },
    { TEXT("{\"a\"::1}") },
    { TEXT("{\"a\":1 \"b\":2}") },
    { TEXT("{\"a\":1,,\"b\":2}") },
    { TEXT("{\"a\":1]") },
    { TEXT("{[]:1}") },
    { TEXT("{{}}") },
    { TEXT("{\"a\":1;\"b\":2}") },
    /* something follows */
    { TEXT("1 2") },
    { TEXT("{}{}") },
    { TEXT("[]x") },
    { TEXT("{},") },
    { TEXT("\"a\"\"b\"") },
    { TEXT("nullnull") },
    { TEXT("true,") },
    { TEXT("{}\0") },
    { TEXT("[] // c") },
    { TEXT("1 \f") },
    { TEXT("{}\xEF\xBB\xBF") },
    { TEXT("\"a\" b") },
};

static void check_documents(const document *rows, size_t count, const char *wanted)
{
    use(NULL, 0, false, true);
    for (size_t i = 0; i < count; i++)
        if (!FEED(&parser, rows[i].bytes, rows[i].len, wanted))
            check_fail(__FILE__, __LINE__, "document %zu: %s", i, rows[i].bytes);
}

TEST(valid) { check_documents(valid, ROWS(valid), "= 0\n"); }
TEST(invalid) { check_documents(invalid, ROWS(invalid), "= -22\n"); }

/* Writes `depth` containers, of the kinds that `opens` repeats, around a 1. */
static size_t nest(char *out, int depth, const char *opens)
{
    size_t len = 0, kinds_len = strlen(opens);
    for (int i = 0; i < depth; i++) {
        bool array = opens[(size_t)i % kinds_len] == '[';
        memcpy(out + len, array ? "[" : "{\"a\":", array ? 1 : 5);
        len += array ? 1 : 5;
    }
    out[len++] = '1';
    while (depth-- > 0) out[len++] = opens[(size_t)depth % kinds_len] == '[' ? ']' : '}';
    return len;
}

TEST(depth)
{
    static const char *const opens[] = {"[", "{", "[{", "{[", "[[{"};
    char text[65 * 6 + 1];
    CHECK_INT(CHATGPTT_MAX_DEPTH, 64);
    use(NULL, 0, false, true);
    for (size_t i = 0; i < ROWS(opens); i++) {
        FEED(&parser, text, nest(text, 63, opens[i]), "= 0\n");
        FEED(&parser, text, nest(text, 64, opens[i]), "= 0\n");
        FEED(&parser, text, nest(text, 65, opens[i]), "= -3\n");
    }
    memset(text, '[', 64);      /* the limit is on depth, not on how many there are */
    memcpy(text + 64, "1],[2],{}", 9);
    memset(text + 73, ']', 63);
    FEED(&parser, text, 136, "= 0\n");
}

/* What stands after the document is left alone. */
TEST(rest)
{
    use(NULL, 0, false, false);
    FEED_TEXT(&parser, "{\"a\":1}xyz", "end\nrest \"xyz\"\n= 0\n");
    FEED_TEXT(&parser, " [] {}", "end\nrest \" {}\"\n= 0\n");
    FEED_TEXT(&parser, "\"a\"\"b", "end\nrest \"\\x22b\"\n= 0\n");
    FEED_TEXT(&parser, "12 x", "end\nrest \" x\"\n= 0\n");
    FEED_TEXT(&parser, "truex", "end\nrest \"x\"\n= 0\n");
}

/* ---- strings ---- */

typedef struct string_row { document in, out; } string_row;     /* in: between the quotes */

static const char *const whole_document[] = {""};

/* Feeds "in" and wants `out` as text, or nothing but an error. */
static bool check_string(document in, const document *out)
{
    feed_log wanted = {NULL, 0, 0, NULL};
    char *text = (char *)malloc(in.len + 2);
    if (!text) abort();
    text[0] = text[in.len + 1] = '"';
    memcpy(text + 1, in.bytes, in.len);
    feed_log_piece(&wanted, kinds[0], out->bytes, out->len);
    feed_log_event(&wanted, "%s string", kinds[0]);
    feed_log_event(&wanted, "end");
    feed_log_event(&wanted, "= 0");
    bool good = FEED(&parser, text, in.len + 2, wanted.text);
    free(text);
    free(wanted.text);
    return good;
}

static void check_strings(const string_row *rows, size_t count, bool lenient)
{
    use(whole_document, 1, lenient, false);
    for (size_t i = 0; i < count; i++)
        if (!check_string(rows[i].in, &rows[i].out))
            check_fail(__FILE__, __LINE__, "string %zu: %s", i, rows[i].in.bytes);
}

#define U "\xEF\xBF\xBD"    /* U+FFFD */

static const string_row strings[] = {
    {{TEXT("")}, {TEXT("")}},
    {{TEXT("plain text, longer than eight bytes")}, {TEXT("plain text, longer than eight bytes")}},
    {{TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t")}, {TEXT("\"\\/\b\f\n\r\t")}},
    {{TEXT("a\\nb")}, {TEXT("a\nb")}},
    {{TEXT("01234567\\n01234567")}, {TEXT("01234567\n01234567")}},
    {{TEXT("\\u0041\\u00e9\\u20AC\\u0000z")}, {TEXT("A\xC3\xA9\xE2\x82\xAC\0z")}},
    {{TEXT("\\u007f\\u0080\\u07ff\\u0800\\uffff")}, {TEXT("\x7f\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF")}},
    {{TEXT("\\ud7ff\\ue000")}, {TEXT("\xED\x9F\xBF\xEE\x80\x80")}},
    {{TEXT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")}, {TEXT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")}},
    {{TEXT("a\xC3\xA9""b\\tc\xE2\x82\xAC")}, {TEXT("a\xC3\xA9""b\tc\xE2\x82\xAC")}},
    /* surrogates: pairs, and lone ones in all places */
    {{TEXT("\\ud83d\\ude00")}, {TEXT("\xF0\x9F\x98\x80")}},
    {{TEXT("\\uD800\\uDC00\\uDBFF\\uDFFF")}, {TEXT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")}},
    {{TEXT("x\\ud83d\\ude00y\\ud83d\\ude01z")}, {TEXT("x\xF0\x9F\x98\x80y\xF0\x9F\x98\x81z")}},
    {{TEXT("\\ud83d")}, {TEXT(U)}},
    {{TEXT("\\ude00")}, {TEXT(U)}},
    {{TEXT("\\ud83dx")}, {TEXT(U "x")}},
    {{TEXT("\\ud83d\\n")}, {TEXT(U "\n")}},
    {{TEXT("\\ud83d\\u0041")}, {TEXT(U "A")}},
    {{TEXT("\\ud83d\xC3\xA9")}, {TEXT(U "\xC3\xA9")}},
    {{TEXT("\\ud83d\\ud83d")}, {TEXT(U U)}},
    {{TEXT("\\ud83d\\ud83d\\ude00")}, {TEXT(U "\xF0\x9F\x98\x80")}},
    {{TEXT("\\ud83d\\ude00\\ude00")}, {TEXT("\xF0\x9F\x98\x80" U)}},
    {{TEXT("\\ude00\\ud83d")}, {TEXT(U U)}},
    {{TEXT("\\ud83d\\ud7ff\\ud83d\\ue000")}, {TEXT(U "\xED\x9F\xBF" U "\xEE\x80\x80")}},
    {{TEXT("\\ud83d \\ude00")}, {TEXT(U " " U)}},
};

TEST(strings)
{
    check_strings(strings, ROWS(strings), false);
    check_strings(strings, ROWS(strings), true);
}

/* One U+FFFD for each maximal part of a character, as the Unicode standard (section 3.9) and WHATWG decoders
   have it. */
static const string_row broken[] = {
    {{TEXT("\x80")}, {TEXT(U)}},
    {{TEXT("a\xBF""b")}, {TEXT("a" U "b")}},
    {{TEXT("\x80\x81\x82")}, {TEXT(U U U)}},
    {{TEXT("\xC0\x80")}, {TEXT(U U)}},
    {{TEXT("\xC1\xBF")}, {TEXT(U U)}},
    {{TEXT("\xC3")}, {TEXT(U)}},
    {{TEXT("\xC3x")}, {TEXT(U "x")}},
    {{TEXT("\xC3\xC3\xA9")}, {TEXT(U "\xC3\xA9")}},
    {{TEXT("\xE2\x82")}, {TEXT(U)}},
    {{TEXT("\xE2\x82x")}, {TEXT(U "x")}},
    {{TEXT("\xE2\x82\xE2\x82\xAC")}, {TEXT(U "\xE2\x82\xAC")}},
    {{TEXT("\xE2\\n")}, {TEXT(U "\n")}},
    {{TEXT("\xE2\x82\\u20ac")}, {TEXT(U "\xE2\x82\xAC")}},
    {{TEXT("\xE0\x80\x80")}, {TEXT(U U U)}},
    {{TEXT("\xE0\x9F\xBF")}, {TEXT(U U U)}},
    {{TEXT("\xED\xA0\x80")}, {TEXT(U U U)}},
    {{TEXT("\xED\xA0\xBD\xED\xB8\x80")}, {TEXT(U U U U U U)}},
    {{TEXT("\xF0\x80\x80\x80")}, {TEXT(U U U U)}},
    {{TEXT("\xF0\x8F\xBF\xBF")}, {TEXT(U U U U)}},
    {{TEXT("\xF0\x9F")}, {TEXT(U)}},
    {{TEXT("\xF0\x9F\x98")}, {TEXT(U)}},
    {{TEXT("\xF0\x9F\x98x\xF0\x9F\x98\x80")}, {TEXT(U "x\xF0\x9F\x98\x80")}},
    {{TEXT("\xF0\x9F\xF0\x9F\x98\x80")}, {TEXT(U "\xF0\x9F\x98\x80")}},
    {{TEXT("\xF4\x90\x80\x80")}, {TEXT(U U U U)}},
    {{TEXT("\xF5\x80\x80\x80")}, {TEXT(U U U U)}},
    {{TEXT("\xF8\x88\x80\x80\x80")}, {TEXT(U U U U U)}},
    {{TEXT("\xFE\xFF")}, {TEXT(U U)}},
    {{TEXT("\xE9t\xE9")}, {TEXT(U "t" U)}},
    {{TEXT("\\ud83d\xFF\\ude00")}, {TEXT(U U U)}},
    {{TEXT("\\ud83d\xE2\x82")}, {TEXT(U U)}},
    /* three bytes for one: these never fit in place */
    {{TEXT("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")}, {TEXT(U U U U U U U U U U U U)}},
    {{TEXT("\\t\xFF\\t\xFF\\t\xFF""a\xFF")}, {TEXT("\t" U "\t" U "\t" U "a" U)}},
};

TEST(broken_utf8)
{
    check_strings(broken, ROWS(broken), true);
    use(whole_document, 1, false, false);
    for (size_t i = 0; i < ROWS(broken); i++) {     /* the strict form takes none of them */
        char text[64] = "\"";
        memcpy(text + 1, broken[i].in.bytes, broken[i].in.len);
        text[broken[i].in.len + 1] = '"';
        size_t used, len = broken[i].in.len + 2, at = 0;
        chatgptt_code code = CHATGPTT_OK;
        scan_reset(&scanner);
        do {
            code = cgt_json_feed(&scanner.json, text + at, len - at, &used);
            at += used;
        } while (code == CHATGPTT_OK && scanner.json.event != CGT_JSON_NONE);
        if (!CHECK_INT(code, CHATGPTT_E_REPLY)) check_fail(__FILE__, __LINE__, "string %zu", i);
    }
}

/* Every byte at every place of an escape's four digits. */
TEST(hex_digits)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int at = 0; at < 4; at++)
        for (int c = 0; c < 256; c++) {
            char text[5] = "0000";
            text[at] = (char)c;
            const char *digit = c ? strchr(digits, c) : NULL;
            size_t value = digit ? (size_t)(digit - digits) : 0;
            uint32_t wanted = (uint32_t)(value < 16 ? value : value - 6) << (12 - 4 * at);
            uint32_t got = cgt_json_hex(text);
            if (digit ? !CHECK_INT(got, wanted) : !CHECK(got > 0xFFFF))
                printf("    %02x at %d\n", (unsigned)c, at);
        }
}

/* What is whole is told with its last byte: who reads an answer as it comes waits for no further one. */
TEST(told_at_once)
{
    static const struct { const char *in, *out; } rows[] = {
        {"a", "a"}, {"\\n", "\n"}, {"\\\\", "\\"}, {"\\u0041", "A"}, {"\\u00e9", "\xC3\xA9"},
        {"\\u20ac", "\xE2\x82\xAC"}, {"\xC3\xA9", "\xC3\xA9"}, {"\xE2\x82\xAC", "\xE2\x82\xAC"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"}, {"\\ud83d\\ude00", "\xF0\x9F\x98\x80"},
        {"\\ud83dx", U "x"}, {"\\ud83d\\n", U "\n"}, {"\\ud83d\\u0041", U "A"}, {"\\ude00", U},
        {"x\\ud83d", "x"}, {"x\\ud83d\\", "x"}, {"x\\u20a", "x"}, {"x\xE2\x82", "x"},
    };
    use(whole_document, 1, false, false);
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t cut = 0, len = strlen(rows[i].in); cut <= len; cut++) {
            char text[40] = "\"", got[40];
            size_t at = 0, n = 0, used;
            memcpy(text + 1, rows[i].in, len);
            scan_reset(&scanner);
            for (int piece = 0; piece < 2; piece++) {
                size_t end = piece ? len + 1 : cut + 1;
                do {
                    CHECK_INT(cgt_json_feed(&scanner.json, text + at, end - at, &used), CHATGPTT_OK);
                    at += used;
                    if (scanner.json.event == CGT_JSON_TEXT) {
                        memcpy(got + n, scanner.json.piece.at, scanner.json.piece.len);
                        n += scanner.json.piece.len;
                    }
                } while (scanner.json.event != CGT_JSON_NONE);
            }
            if (!CHECK_MEM(got, n, rows[i].out, strlen(rows[i].out)))
                printf("    row %zu, cut %zu\n", i, cut);
        }
}

/* ---- fields ---- */

/* pointers: parted by blanks */
typedef struct field_row { const char *pointers, *text, *wanted; } field_row;

static const field_row fields[] = {
    {"/a", "{\"a\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/a", "{\"a\":\"\"}", "0: string\n"},
    {"/a /b", "{\"b\":\"x\",\"a\":\"y\"}", "1: \"x\"\n1: string\n0: \"y\"\n0: string\n"},
    {"/a", "{\"b\":\"x\"}", ""},
    {"/a", "{\"aa\":\"x\",\"A\":\"y\",\"\":\"z\"}", ""},
    {"/ab", "{\"a\":\"x\",\"abc\":\"y\",\"ab\":\"z\"}", "0: \"z\"\n0: string\n"},
    {"/a", "\"a\"", ""},
    {"/a", "[\"a\"]", ""},
    /* every type; numbers come as they stand */
    {"/a /b /c /d /e /f /g", "{\"a\":-12.5e+3,\"b\":true,\"c\":false,\"d\":null,\"e\":{},\"f\":[],\"g\":0}",
     "0: \"-12.5e+3\"\n0: number\n1: true\n2: false\n3: null\n4: object\n5: array\n6: \"0\"\n6: number\n"},
    {"/a", "{\"a\":7 }", "0: \"7\"\n0: number\n"},
    /* paths */
    {"/a/b/c", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "0: \"x\"\n0: string\n"},
    {"/a/b", "{\"a\":{\"c\":\"y\",\"b\":\"x\"},\"b\":\"z\"}", "0: \"x\"\n0: string\n"},
    {"/b", "{\"a\":{\"b\":\"x\"},\"c\":[{\"b\":\"y\"}],\"b\":\"z\"}", "0: \"z\"\n0: string\n"},
    {"/a /a/b /a/b/c", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "0: object\n1: object\n2: \"x\"\n2: string\n"},
    {"/a/b /a/c", "{\"a\":{\"c\":1,\"b\":2}}", "1: \"1\"\n1: number\n0: \"2\"\n0: number\n"},
    {"/a/b", "{\"a\":\"b\"}", ""},
    {"/a/b", "{\"a/b\":\"x\"}", ""},
    /* escapes in pointers, and in keys */
    {"/a~1b", "{\"a/b\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/a~0b", "{\"a~b\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/~01", "{\"/\":\"y\",\"~1\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/~1 /~0", "{\"~\":\"x\",\"/\":\"y\"}", "1: \"x\"\n1: string\n0: \"y\"\n0: string\n"},
    {"/a~1", "{\"a\":{\"\":\"y\"},\"a/\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/ab", "{\"\\u0061\\u0062\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/\xC3\xA9", "{\"\\u00e9\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/\xF0\x9F\x98\x80", "{\"\\ud83d\\ude00\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/\xF0\x9F\x98\x80", "{\"\xF0\x9F\x98\x80\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/" U, "{\"\\ud83d\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/a", "{\"a\\u0000\":\"y\",\"\\u0000\":\"z\"}", ""},
    {"/a\"b", "{\"a\\\"b\":\"x\"}", "0: \"x\"\n0: string\n"},
    /* the empty key is a key */
    {"/", "{\"\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"//", "{\"\":{\"\":\"x\"}}", "0: \"x\"\n0: string\n"},
    {"/a/", "{\"a\":{\"b\":\"y\",\"\":\"x\"}}", "0: \"x\"\n0: string\n"},
    {"/", "{\"a\":\"x\"}", ""},
    /* indices, in the only way to write them */
    {"/0", "[\"x\",\"y\"]", "0: \"x\"\n0: string\n"},
    {"/1", "[\"x\",\"y\",\"z\"]", "0: \"y\"\n0: string\n"},
    {"/2", "[\"x\",\"y\"]", ""},
    {"/10", "[0,1,2,3,4,5,6,7,8,9,\"x\",11]", "0: \"x\"\n0: string\n"},
    {"/01 /-1 /1e0 /-", "[\"x\",\"y\"]", ""},
    {"/1", "{\"1\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/01", "{\"01\":\"x\"}", "0: \"x\"\n0: string\n"},
    {"/0/0/0", "[[[\"x\"]],\"y\"]", "0: \"x\"\n0: string\n"},
    {"/1/a", "[{\"a\":\"y\"},{\"a\":\"x\"}]", "0: \"x\"\n0: string\n"},
    {"/a/1/b", "{\"a\":[{\"b\":\"y\"},{\"b\":\"x\"},{\"b\":\"z\"}]}", "0: \"x\"\n0: string\n"},
    {"/0/1 /1/0", "[[1,2],[3,4]]", "0: \"2\"\n0: number\n1: \"3\"\n1: number\n"},
    {"/1", "[[\"y\",\"z\"],\"x\"]", "0: \"x\"\n0: string\n"},
    /* of duplicates the first counts, for containers too */
    {"/a", "{\"a\":\"x\",\"a\":\"y\"}", "0: \"x\"\n0: string\n"},
    {"/a", "{\"a\":1,\"a\":\"y\"}", "0: \"1\"\n0: number\n"},
    {"/a", "{\"\\u0061\":\"x\",\"a\":\"y\"}", "0: \"x\"\n0: string\n"},
    {"/a/b", "{\"a\":{\"b\":\"x\"},\"a\":{\"b\":\"y\"}}", "0: \"x\"\n0: string\n"},
    {"/a/b", "{\"a\":{\"c\":\"x\"},\"a\":{\"b\":\"y\"}}", ""},
    {"/a/b", "{\"a\":1,\"a\":{\"b\":\"y\"}}", ""},
    {"/a/b", "{\"a\":{\"b\":{}},\"a\":{\"b\":\"y\"}}", "0: object\n"},
    {"/a/0", "{\"a\":[],\"a\":[\"y\"]}", ""},
    {"/a /a/b", "{\"a\":{},\"a\":{\"b\":\"y\"}}", "0: object\n"},
    {"/0/a /1/a", "[{\"a\":\"x\",\"a\":\"y\"},{\"a\":\"z\"}]", "0: \"x\"\n0: string\n1: \"z\"\n1: string\n"},
};

TEST(fields)
{
    for (size_t i = 0; i < ROWS(fields); i++) {
        char pointers[100], wanted[300];
        const char *list[MAX_FIELDS];
        int count = 0;
        snprintf(pointers, sizeof pointers, "%s", fields[i].pointers);
        for (char *p = pointers; p; count++) {
            list[count] = p;
            p = strchr(p, ' ');
            if (p) *p++ = '\0';
        }
        snprintf(wanted, sizeof wanted, "%send\n= 0\n", fields[i].wanted);
        use(list, count, false, false);
        if (!FEED_TEXT(&parser, fields[i].text, wanted))
            check_fail(__FILE__, __LINE__, "%s in %s", fields[i].pointers, fields[i].text);
    }
}

TEST(the_whole_document)
{
    use(whole_document, 1, false, false);
    FEED_TEXT(&parser, "42", "0: \"42\"\n0: number\nend\n= 0\n");
    FEED_TEXT(&parser, "-0.5e1 ", "0: \"-0.5e1\"\n0: number\nend\nrest \" \"\n= 0\n");
    FEED_TEXT(&parser, "null", "0: null\nend\n= 0\n");
    FEED_TEXT(&parser, "{\"\":\"x\"}", "0: object\nend\n= 0\n");
    FEED_TEXT(&parser, "[\"x\"]", "0: array\nend\n= 0\n");
    FEED_TEXT(&parser, "-", "0: \"-\"\n= -22\n");
    FEED_TEXT(&parser, "[1", "0: array\n= -22\n");
}

/* What came before a fault was told; the fault is told in words. */
TEST(faults)
{
    static const char *const pointers[] = {"/a"};
    use(pointers, 1, false, false);
    FEED_TEXT(&parser, "{\"a\":\"xy\\q\"}", "0: \"xy\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"xy\n\"}", "0: \"xy\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"xy\\u00q0\"}", "0: \"xy\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"xy\xE2\x82z\"}", "0: \"xy\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"xy\\ud800\x80\"}", "0: \"xy" U "\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":1.5x}", "0: \"1.5\"\n0: number\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":1.}", "0: \"1.\"\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"x\"", "0: \"x\"\n0: string\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":\"x\",}", "0: \"x\"\n0: string\n= -22\n");
    FEED_TEXT(&parser, "{\"a\":{\"b\":nil}}", "0: object\n= -22\n");
    FEED_TEXT(&parser, "", "= -22\n");
    CHECK(scanner.json.why && scanner.json.why[0]);
}

/* 32 fields, which is all a mask holds, found in any order and among others. */
TEST(many_fields)
{
    static char pointers[MAX_FIELDS][16], text[3000], wanted[3000];
    const char *list[MAX_FIELDS];
    size_t len = 0, wanted_len = 0;
    for (int i = 0; i < MAX_FIELDS; i++) {
        snprintf(pointers[i], sizeof pointers[i], i % 2 ? "/o/key%d" : "/key%d", i);
        list[i] = pointers[i];
    }
    len += (size_t)snprintf(text, sizeof text, "{\"key\":0");
    for (int i = MAX_FIELDS - 2; i >= 0; i -= 2) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",\"key%d\":\"v%d\",\"key%d\":1", i, i, i + 1);
        wanted_len += (size_t)snprintf(wanted + wanted_len, sizeof wanted - wanted_len,
                                       "%d: \"v%d\"\n%d: string\n", i, i, i);
    }
    len += (size_t)snprintf(text + len, sizeof text - len, ",\"o\":{\"x\":0");
    for (int i = 1; i < MAX_FIELDS; i += 2) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",\"key%d\":%d", i, i);
        wanted_len += (size_t)snprintf(wanted + wanted_len, sizeof wanted - wanted_len,
                                       "%d: \"%d\"\n%d: number\n", i, i, i);
    }
    snprintf(text + len, sizeof text - len, "}}");
    snprintf(wanted + wanted_len, sizeof wanted - wanted_len, "end\n= 0\n");
    use(list, MAX_FIELDS, false, false);
    FEED_TEXT(&parser, text, wanted);
}

/* Each depth of the deepest document can be named. */
TEST(deep_fields)
{
    char text[64 * 6 + 1], path[64 * 2 + 1] = "";
    const char *list[1] = {path};
    size_t len = nest(text, 64, "{");
    for (int i = 0; i < 64; i++) memcpy(path + 2 * i, "/a", 2);
    path[128] = '\0';
    use(list, 1, false, false);
    FEED(&parser, text, len, "0: \"1\"\n0: number\nend\n= 0\n");
    len = nest(text, 64, "[");
    for (int i = 0; i < 64; i++) memcpy(path + 2 * i, "/0", 2);
    use(list, 1, false, false);
    FEED(&parser, text, len, "0: \"1\"\n0: number\nend\n= 0\n");
}

/* ---- hostile input ---- */

#define HOSTILE (2u << 20)

static const struct { const char *before, *again, *after, *pointer;
} hostile[] = {
    { "\"", "\\ud800", "\"", "" },
    { "\"", "\xFF", "\"", "" },
    { "\"", "\\n", "\"", "" },
    { "\"", "a\\u00e9", "\"", "" },
    { "\"", "\xE2\x82", "\"", "" },
    { "\"", "\xC3\xA9", "\"", "" },
    { "[", "1,", "1]", "/99999999" },
    { "[", "\"\",", "1]", "/x" },
    { "{\"a\":1", ",\"a\":1", "}", "/a/a" },
    { "{\"b\":1", ",\"aaaaaaab\":[]", "}", "/aaaaaaaa" },
    { "", " ", "1", "" },
    { "1", "1", "", "" },
    { "[", "[[]],", "1]", "/1/1" },
    { "{\"", "aaaaaaaa", "\":1}", "/aaaaaaaaaaaaaaaaaaaaaaaaaa" },
};

static size_t write_hostile(char *out, size_t i)
{
    size_t len = strlen(hostile[i].before), again = strlen(hostile[i].again);
    memcpy(out, hostile[i].before, len);
    for (; len < HOSTILE; len += again) memcpy(out + len, hostile[i].again, again);
    memcpy(out + len, hostile[i].after, strlen(hostile[i].after));
    return len + strlen(hostile[i].after);
}

/* Time that grew with the square of the length would be minutes here. */
TEST(linear_time)
{
    char *text = (char *)malloc(HOSTILE + 100);
    feed_log none = {NULL, 0, 0, NULL};
    if (!text) abort();
    for (size_t i = 0; i < ROWS(hostile); i++) {
        size_t len = write_hostile(text, i);
        clock_t began = clock();
        use(&hostile[i].pointer, 1, true, true);
        scan_reset(&scanner);
        CHECK_INT(scan_feed(&scanner, text, len, &none), 0);
        CHECK_INT(scan_end(&scanner, &none), 0);
        if ((clock() - began) / CLOCKS_PER_SEC > 20)
            check_fail(__FILE__, __LINE__, "hostile document %zu takes too long", i);
    }
    free(text);
}

/* The trees that the header itself goes by. */
static void check_tree(const cgt_json_node *tree, size_t count, int num_fields)
{
    size_t children = 0;
    uint32_t seen = 0;
    CHECK(count <= 65);
    for (size_t i = 0; i < count; i++) {
        const cgt_json_node *n = &tree[i];
        CHECK_INT(n->len, strlen(n->key));
        CHECK(n->count <= 32 && (n->count || n->field != CGT_JSON_UNTOLD));
        children += n->count;
        if (n->count && n->child <= i) check_fail(__FILE__, __LINE__, "node %zu: its children", i);
        for (size_t k = n->child; k < n->child + (size_t)n->count; k++)
            if (k >= count || tree[k].up != i) check_fail(__FILE__, __LINE__, "node %zu: child %zu", i, k);
        for (size_t k = n->child; k < n->child + (size_t)n->count; k++)
            for (size_t l = n->child; l < k; l++) CHECK(strcmp(tree[k].key, tree[l].key) != 0);
        if (n->field == CGT_JSON_UNTOLD) continue;
        CHECK(n->field < num_fields && !(seen >> n->field & 1));
        seen |= (uint32_t)1 << n->field;
    }
    CHECK_INT(children + 1, count);
    CHECK_INT(seen, ((uint64_t)1 << num_fields) - 1);
}

TEST(trees)
{
    check_tree(cgt_reply_nodes, ROWS(cgt_reply_nodes), CGT_F_PINECONE + 1);
    check_tree(cgt_config_nodes, ROWS(cgt_config_nodes), 11);
}

int main(void)
{
    for (int i = 0; i < MAX_FIELDS; i++) snprintf(kinds[i], sizeof kinds[i], "%d:", i);
    RUN(valid);
    RUN(invalid);
    RUN(depth);
    RUN(rest);
    RUN(strings);
    RUN(broken_utf8);
    RUN(hex_digits);
    RUN(told_at_once);
    RUN(fields);
    RUN(the_whole_document);
    RUN(faults);
    RUN(many_fields);
    RUN(deep_fields);
    RUN(linear_time);
    RUN(trees);
    nodes_free(&scanner.tree);
    return check_report("json");
}
