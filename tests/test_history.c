/* test_history.c - the history sent to a site of the older plugin generation: first that the model of the
   server does what real ones did, row by row; then that conversations come through it meaning what was meant.
   */
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"
#include "check.h"
#include "server_history.h"
#include <stdint.h>

static server_history server;

/* What the server got as the protocol page writes it: role:"text"; ... */
static const char *told(void)
{
    static char line[SERVER_BYTES];
    size_t len = 0;
    line[0] = '\0';
    if (server.status == 500) return "500";
    for (size_t i = 0; i < server.count; i++) {
        const server_turn *t = &server.turns[i];
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s:\"%.*s\"", i ? "; " : "",
                                t->user ? "user" : "assistant", (int)t->len, t->text);
        if (len >= sizeof line) abort();
    }
    return line;
}

/* ---- the server: the rows of PROTOCOL-1x, section 6 ---- */

#define LINE_SEPARATOR "\xE2\x80\xA8"
#define NEXT_LINE      "\xC2\x85"

static const struct { int number; const char *field, *wanted;
} rows[] = {
    { 0, "", "" },
    { 1, "", "" },
    { 2, "[]", "" },
    { 3, "None", "" },
    { 4, "null", "" },
    { 5, "hello", "" },
    { 6, "[\"Human: q1\", \"AI: a1\"]", "user:\"q1\"; assistant:\"a1\"" },
    { 7, "[{\"text\": \"Human: q1\"}, {\"text\": \"AI: a1\"}]", "user:\"q1\"; assistant:\"a1\"" },
    { 8, "[{\"id\": 12345, \"text\": \"Human: q1\"}, {\"id\": \"\", \"text\": \"AI: a1\"}]",
      "user:\"q1\"; assistant:\"a1\"" },
    { 9, "[\"Human: q1\", {\"text\": \"AI: a1\"}]", "user:\"q1\"; assistant:\"a1\"" },
    { 10, "{\"a\": \"Human: q1\", \"b\": \"AI: a1\"}", "user:\"q1\"; assistant:\"a1\"" },
    { 11, "\"Human: q1\"", "" },
    { 12, "[{\"role\": \"user\", \"content\": \"q1\"}, {\"role\": \"assistant\", \"content\": \"a1\"}]",
      "500" },
    { 13, "[\"q1\", \"a1\"]", "assistant:\"q1\"; assistant:\"a1\"" },
    { 14, "[\"Human:q1\", \"AI:a1\"]", "assistant:\"Human:q1\"; assistant:\"AI:a1\"" },
    { 15, "[\"human: q1\", \"ai: a1\"]", "assistant:\"human: q1\"; assistant:\"ai: a1\"" },
    { 16, "[\"User: q1\", \"Assistant: a1\", \"System: be terse\"]",
      "assistant:\"User: q1\"; assistant:\"Assistant: a1\"; assistant:\"System: be terse\"" },
    { 17, "[\"Human: the AI: word\", \"AI: so AI: here\"]", "user:\"the AI: word\"; assistant:\"so here\"" },
    { 18, "[\"  Human:   q1  \", \"  AI:   a1  \"]", "user:\"q1\"; assistant:\"a1\"" },
    { 19, "[\"Human: \", \"AI: \", \"\", \"Human: q2\"]",
      "assistant:\"Human:\"; assistant:\"AI:\"; user:\"q2\"" },
    { 20, "[1, 2.5, null, true]", "assistant:\"1\"; assistant:\"2.5\"; assistant:\"1\"" },
    { 21, "[[\"Human: q1\"]]", "500" },
    { 22, "[{\"id\": 1}]", "500" },
    { 23, "[{\"text\": [\"Human: q1\"]}]", "500" },
    { 24, "[\"Human: say \\\"hi\\\" now\", \"AI: hi\"]", "" },
    { 25, "[\"Human: say \\u0022hi\\u0022 now\",\"AI: hi\"]",
      "user:\"say u0022hiu0022 now\"; assistant:\"hi\"" },
    { 26, "[\"Human: say &quot;hi&quot; now\", \"AI: hi\"]",
      "user:\"say &quot;hi&quot; now\"; assistant:\"hi\"" },
    { 27, "[\"Human: say “hi” now\", \"AI: hi\"]", "user:\"say “hi” now\"; assistant:\"hi\"" },
    { 28, "[\"Human: it's 'q1'\", \"AI: a1\"]", "user:\"it's 'q1'\"; assistant:\"a1\"" },
    { 29, "[\"Human: line1\\nline2\", \"AI: a\\n\\nb\"]", "user:\"line1nline2\"; assistant:\"annb\"" },
    { 30, "[\"Human: line1\nline2\",\"AI: a\"]", "" },
    { 31, "[\"Human: line1" LINE_SEPARATOR "line2\", \"AI: a1\"]",
      "user:\"line1" LINE_SEPARATOR "line2\"; assistant:\"a1\"" },
    { 32, "[\"Human: line1" NEXT_LINE "line2\", \"AI: a1\"]",
      "user:\"line1" NEXT_LINE "line2\"; assistant:\"a1\"" },
    { 33, "[\"Human: line1<br>line2\", \"AI: a1\"]", "user:\"line1line2\"; assistant:\"a1\"" },
    { 34, "[\"Human: line1&#10;line2\", \"AI: a1\"]", "user:\"line1&#10;line2\"; assistant:\"a1\"" },
    { 35, "[\n\"Human: q1\",\n\"AI: a1\"\n]", "user:\"q1\"; assistant:\"a1\"" },
    { 36, "[\"Human: a\\tb\", \"AI: c\\rd\"]", "user:\"atb\"; assistant:\"crd\"" },
    { 37, "[\"Human: C:\\\\new\\\\dir\", \"AI: a1\"]", "user:\"C:newdir\"; assistant:\"a1\"" },
    { 38, "[\"Human: Привет 👋😀\", \"AI: Ёлки 日本語\"]",
      "user:\"Привет 👋😀\"; assistant:\"Ёлки 日本語\"" },
    { 39,
      "[\"Human: \\u041f\\u0440\\u0438\\u0432\\u0435\\u0442 \\ud83d\\udc4b\", \"AI: "
      "\\u0401\\u043b\\u043a\\u0438\"]",
      "user:\"u041fu0440u0438u0432u0435u0442 ud83dudc4b\"; assistant:\"u0401u043bu043au0438\"" },
    { 40, "[\"Human: <b>bold</b> x\", \"AI: a1\"]", "user:\"bold x\"; assistant:\"a1\"" },
    { 41, "[\"Human: a < b\", \"AI: a1\"]", "" },
    { 42, "[\"Human: a<b\", \"AI: a1\"]", "" },
    { 43, "[\"Human: a<b\", \"AI: c>d\", \"Human: e\"]", "user:\"ad\"; user:\"e\"" },
    { 44, "[\"Human: a > b\", \"AI: a->b\"]", "user:\"a > b\"; assistant:\"a->b\"" },
    { 45, "[\"Human: a &lt;b&gt; c\", \"AI: a1\"]", "user:\"a &lt;b&gt; c\"; assistant:\"a1\"" },
    { 46, "[\"Human: a & b &amp; c\", \"AI: a1\"]", "user:\"a & b &amp; c\"; assistant:\"a1\"" },
    { 47, "[\"Human: a%20b 100%de c %zz\", \"AI: 5% off\"]", "user:\"ab 100 c %zz\"; assistant:\"5% off\"" },
    { 48, "[\"Human: a    b\", \"AI: a1\"]", "user:\"a    b\"; assistant:\"a1\"" },
    { 49, "[\"Human: a    b %41\", \"AI: a1\"]", "user:\"a b\"; assistant:\"a1\"" },
    { 50, "[\"Human: <script>alert(1)</script> x\", \"AI: <?php echo 1; ?> y\"]",
      "user:\"x\"; assistant:\"y\"" },
    { 51, "[\"Human: q\", \"AI: ```py\\nprint(\\\"x\\\")\\n```\"]", "" },
    { 52, "[\"Human: a\xFF\",\"AI: b\"]", "" },
    { 53, "[\"Human: a\\u0000b\"]", "user:\"au0000b\"" },
    { 54, "[\"Human: a\\/b\"]", "user:\"a/b\"" },
    { 55, "[\"Human: line1\", \"Human: line2\", \"AI: a1\", \"AI: a2\"]",
      "user:\"line1\"; user:\"line2\"; assistant:\"a1\"; assistant:\"a2\"" },
    { 57, "[\"Human: q1\", \"AI: a1\", \"Human: NOW\"]", "user:\"q1\"; assistant:\"a1\"; user:\"NOW\"" },
    /* beyond the page: how PHP and WordPress define the steps */
    { 58, "[\"AI: 0\", \"Human: 0\", \"AI: 00\"]", "user:\"0\"; assistant:\"00\"" },
    { 59, "[\"Human: <a title='>'>b</a> c\"]", "user:\"b c\"" },
    { 60, "[\"Human: a<!-- b > c <d> --> e\"]", "user:\"a e\"" },
    { 61, "[\"Human: a < b & c &amp; <b>d</b>\"]", "user:\"a &lt; b &amp; c &amp; d\"" },
    { 62, "[\"Human: a %%4141\"]", "user:\"a\"" },
    { 63, "[{\"text\": {\"text\": \"Human: q1\"}}]", "500" },
    { 64, "[[\"Human: q1\"], oops]", "" },
};

TEST(the_model_of_the_server)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        server_read_history(rows[i].field, strlen(rows[i].field), &server);
        if (!CHECK_STR(told(), rows[i].wanted)) check_fail(__FILE__, __LINE__, "in row %d", rows[i].number);
    }
}

TEST(the_model_of_the_server_row_56)
{
    char field[6000] = "[", text[20];
    size_t len = 1;
    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(field + len, sizeof field - len, "%s\"%s%d\"", i ? ", " : "",
                                i % 2 ? "AI: a" : "Human: q", i);
    len += (size_t)snprintf(field + len, sizeof field - len, "]");
    server_read_history(field, len, &server);
    CHECK_INT(server.count, 300);
    for (size_t i = 0; i < server.count; i++) {
        int n = snprintf(text, sizeof text, "%c%d", i % 2 ? 'a' : 'q', (int)i);
        CHECK_INT(server.turns[i].user, i % 2 == 0);
        CHECK_MEM(server.turns[i].text, server.turns[i].len, text, (size_t)n);
    }
}

/* ---- the encoder: rule by rule ---- */

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

static cgt_buffer field;        /* the last history encoded */

static void encode(const chatgptt_message *messages, size_t count, int limit)
{
    static chatgptt_hooks hooks;
    hooks.resize = resize;
    if (!field.hooks) cgt_buffer_init(&field, &hooks, SERVER_BYTES);
    field.len = 0;
    cgt_put_history(&field, messages, count, limit);
    CHECK_INT(field.failed, CHATGPTT_OK);
    server_read_history(field.data, field.len, &server);
}

#define WIDE_PERCENT   "\xEF\xBC\x85"
#define WIDE_BACKSLASH "\xEF\xBC\xBC"
#define NO_BREAK       "\xC2\xA0"

/* What of a user's and of an assistant's words arrives; NULL: what was sent. */
static const struct { const char *text, *user, *assistant;
} rules[] = {
    { "q1", NULL, NULL },
    { "it's 5% off & more: [1, {2}] -> </ no", "it's 5% off & more: [1, {2}] -> &lt;/ no",
      "it's 5% off & more: [1, {2}] -> &lt;/ no" },
    { "Привет 👋😀 Ёлки 日本語", NULL, NULL },
    { "wide    blanks " NEXT_LINE LINE_SEPARATOR " \x7F" NO_BREAK "stay", NULL, NULL },
    { "say \"hi\"", "say &quot;hi&quot;", "say &quot;hi&quot;" },
    { "&quot; &lt; &amp; &#10;", NULL, NULL },
    { "a < b > c <b>d</b> <!-- e --> <?php f ?>", "a &lt; b > c &lt;b>d&lt;/b> &lt;!-- e --> &lt;?php f ?>",
      "a &lt; b > c &lt;b>d&lt;/b> &lt;!-- e --> &lt;?php f ?>" },
    { "C:\\new\\u0041\\", "C:" WIDE_BACKSLASH "new" WIDE_BACKSLASH "u0041" WIDE_BACKSLASH,
      "C:" WIDE_BACKSLASH "new" WIDE_BACKSLASH "u0041" WIDE_BACKSLASH },
    { "100%de  %%41 %4%414 %zz %4", "100" WIDE_PERCENT "de  %" WIDE_PERCENT "41 %4" WIDE_PERCENT "414 %zz %4",
      "100" WIDE_PERCENT "de  %" WIDE_PERCENT "41 %4" WIDE_PERCENT "414 %zz %4" },
    { "a\nb\r\nc\rd\n\ne\n\r\nf",
      "a" LINE_SEPARATOR "b" LINE_SEPARATOR "c" LINE_SEPARATOR "d" LINE_SEPARATOR LINE_SEPARATOR
      "e" LINE_SEPARATOR LINE_SEPARATOR "f",
      "a" LINE_SEPARATOR "b" LINE_SEPARATOR "c" LINE_SEPARATOR "d" LINE_SEPARATOR LINE_SEPARATOR
      "e" LINE_SEPARATOR LINE_SEPARATOR "f" },
    { "a\tb\t\tc\x01"
      "d\x1F\v\fe",
      "a b  c d   e", "a b  c d   e" },
    { " \t\r\n\x01 q1 \v\x1F\n", "q1", "q1" },
    { "%\x01"
      "41 %\t41",
      "% 41 % 41", "% 41 % 41" },
    { "so AI: here, AI:\tthere, AI:\nnext, AI:AI: AAI: I: AI:",
      "so AI: here, AI: there, AI:" LINE_SEPARATOR "next, AI:AI: AAI: I: AI:",
      "so AI:" NO_BREAK "here, AI:" NO_BREAK "there, AI:" LINE_SEPARATOR "next, AI:AI:" NO_BREAK
      "AAI:" NO_BREAK "I: AI:" },
    { "AI: a1", NULL, "AI:" NO_BREAK "a1" },
    { "AI:", NULL, NULL },
    { "Human: q1", NULL, NULL },
    { "Human: Human:", NULL, NULL },
    { "AI: Human: q1", NULL, "AI:" NO_BREAK "Human: q1" },
    { "0", NULL, "0" NO_BREAK },
    { "00", NULL, NULL },
    { "1", NULL, NULL },
};

TEST(the_rules)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        for (int assistant = 0; assistant < 2; assistant++) {
            const char *wanted = assistant ? rules[i].assistant : rules[i].user;
            chatgptt_message m[3] = { { CHATGPTT_USER, "before", 0 },
                                      { assistant ? CHATGPTT_ASSISTANT : CHATGPTT_USER, rules[i].text, 0 },
                                      { CHATGPTT_ASSISTANT, "after", 0 } };
            encode(m, 3, 0);
            if (!wanted) wanted = rules[i].text;
            if (!CHECK_INT(server.count, 3)) {
                check_fail(__FILE__, __LINE__, "in rule %zu: %s", i, field.data);
                continue;
            }
            CHECK_INT(server.turns[1].user, !assistant);
            CHECK_MEM(server.turns[1].text, server.turns[1].len, wanted, strlen(wanted));
        }
}

TEST(nothing_to_tell)
{
    static const char *const blank[] = {
        "", " ", "\r\n\t", "\x01\x1F", LINE_SEPARATOR " " NO_BREAK, "\xE3\x80\x80", " \x01" NEXT_LINE "\x01"
    };
    chatgptt_message m = {CHATGPTT_SYSTEM, "be terse", 0};
    encode(&m, 0, 0);
    CHECK_STR(field.data, "[]");
    encode(&m, 1, 0);
    CHECK_STR(field.data, "[]");
    for (size_t i = 0; i < 2 * sizeof blank / sizeof *blank; i++) {
        m.role = i % 2 ? CHATGPTT_USER : CHATGPTT_ASSISTANT;
        m.text = blank[i / 2];
        encode(&m, 1, 0);
        CHECK_STR(field.data, "[]");
    }
}

TEST(the_newest_are_kept)
{
    chatgptt_message m[120];
    static const struct {
        int limit;
        size_t wanted;
    } limits[] = { { 0, 100 },   { 1, 1 },     { 2, 2 },     { 79, 79 }, { 100, 100 },
                   { 101, 101 }, { 108, 108 }, { 500, 108 }, { -1, 100 } };
    for (size_t i = 0; i < 120; i++) {
        m[i].role = i % 10 == 0 ? CHATGPTT_SYSTEM : i % 2 ? CHATGPTT_USER : CHATGPTT_ASSISTANT;
        m[i].text = &"0123456789"[i % 10];
        m[i].len = 1;
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        size_t at = 120;
        encode(m, 120, limits[i].limit);
        if (!CHECK_INT(server.count, limits[i].wanted)) continue;
        for (size_t k = server.count; k-- > 0; ) {
            while (m[--at].role == CHATGPTT_SYSTEM) {}
            CHECK_MEM(server.turns[k].text, server.turns[k].len, m[at].text, 1);
        }
    }
    encode(m + 1, 3, 2);
    CHECK_STR(field.data, "[\"AI: 2\",\"Human: 3\"]");
}

/* ---- random conversations ---- */

static uint64_t seed;
static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

static const char *const pieces[] = {
    "\"",
    "\"hi\"",
    "'",
    "\\",
    "\\n",
    "\\\"",
    "\\u0041",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "<",
    ">",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "<script>",
    "<?php",
    "< ",
    "%",
    "%41",
    "%4",
    "1",
    "%zz",
    "de",
    "AI: ",
    "AI:",
    "AI",
    ": ",
    "Human: ",
    "Human:",
    " ",
    "    ",
    "0",
    "👋😀",
    "Привет",
    "日本語",
    LINE_SEPARATOR,
    NEXT_LINE,
    NO_BREAK,
    "\xE3\x80\x80",
    "\x01",
    "\x1B",
    "\x7F",
    "&",
    "&quot;",
    "&lt;",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "word",
    "if (a) return b;",
    "```py",
    "null",
    "“",
    "\xEF\xBF\xBF",
};
#define PIECES ((unsigned)(sizeof pieces / sizeof *pieces))

typedef struct text { size_t len; char at[16384]; } text;       /* terminated */

static void add(text *t, const char *piece)
{
    size_t n = strlen(piece);
    if (n >= sizeof t->at - t->len) abort();
    memcpy(t->at + t->len, piece, n + 1);
    t->len += n;
}

/* Every `from` becomes `to`; how many there were. */
static int replace(text *t, const char *from, const char *to)
{
    static text out;
    size_t n = strlen(from);
    const char *p, *found;
    int count = 0;
    if (!strstr(t->at, from)) return 0;
    out.len = 0;
    for (p = t->at; (found = strstr(p, from)) != NULL; p = found + n, count++) {
        memcpy(out.at + out.len, p, (size_t)(found - p));
        out.len += (size_t)(found - p);
        add(&out, to);
    }
    add(&out, p);
    memcpy(t->at, out.at, (t->len = out.len) + 1);
    return count;
}

enum {
    RULE_TRIM,
    RULE_LINE,
    RULE_CONTROL,
    RULE_QUOTE,
    RULE_LESS,
    RULE_BACKSLASH,
    RULE_PERCENT,
    RULE_LABEL,
    RULE_ZERO,
    RULES
};
static long applied[RULES];

static void trim(text *t)
{
    size_t from = 0, end = t->len;
    while (from < end && (unsigned char)t->at[from] <= 32) from++;
    while (from < end && (unsigned char)t->at[end - 1] <= 32) end--;
    applied[RULE_TRIM] += end - from < t->len;
    memmove(t->at, t->at + from, end - from);
    t->at[t->len = end - from] = '\0';
}

static bool says_nothing(const text *t)
{
    static text rest;
    memcpy(rest.at, t->at, (rest.len = t->len) + 1);
    replace(&rest, NEXT_LINE, "");
    replace(&rest, NO_BREAK, "");
    replace(&rest, LINE_SEPARATOR, "");
    replace(&rest, "\xE3\x80\x80", "");
    return rest.at[strspn(rest.at, " \t\r\n\v\f")] == '\0';
}

/* The named rules, each over the whole text: what shall arrive. */
static void mean(text *t, bool assistant)
{
    char octet[4] = "%00", wide[] = WIDE_PERCENT "00", control[2] = " ";
    const char *hex = "0123456789abcdefABCDEF";
    trim(t);
    applied[RULE_LINE] += replace(t, "\r\n", LINE_SEPARATOR) + replace(t, "\r", LINE_SEPARATOR) +
                          replace(t, "\n", LINE_SEPARATOR);
    for (control[0] = 1; control[0] < ' '; control[0]++) applied[RULE_CONTROL] += replace(t, control, " ");
    applied[RULE_QUOTE] += replace(t, "\"", "&quot;");
    applied[RULE_LESS] += replace(t, "<", "&lt;");
    applied[RULE_BACKSLASH] += replace(t, "\\", WIDE_BACKSLASH);
    for (int i = 0; i < 22 * 22 && strchr(t->at, '%'); i++) {
        wide[3] = octet[1] = hex[i / 22];
        wide[4] = octet[2] = hex[i % 22];
        applied[RULE_PERCENT] += replace(t, octet, wide);
    }
    if (assistant) applied[RULE_LABEL] += replace(t, "AI: ", "AI:" NO_BREAK);
    if (assistant && strcmp(t->at, "0") == 0) { add(t, NO_BREAK); applied[RULE_ZERO]++; }
}

static void make_up(text *t)
{
    unsigned n = below(300) == 0 ? below(900) : below(8) ? below(12) : 0;
    t->len = 0;
    t->at[0] = '\0';
    for (; n; n--) add(t, pieces[below(PIECES)]);
}

#define MOST_TURNS 130
static text said[MOST_TURNS];
static chatgptt_message messages[MOST_TURNS];

static size_t make_up_conversation(void)
{
    size_t count = below(100) ? below(9) : below(MOST_TURNS);
    for (size_t i = 0; i < count; i++) {
        unsigned role = below(9);
        make_up(&said[i]);
        messages[i].role = role < 4 ? CHATGPTT_USER : role < 8 ? CHATGPTT_ASSISTANT : CHATGPTT_SYSTEM;
        messages[i].text = said[i].at;
        messages[i].len = below(2) ? said[i].len : 0;
    }
    return count;
}

/* Newest first, so that a turn lost or made up shows at once. */
static bool arrives(size_t count, int limit)
{
    size_t most = limit ? (size_t)limit : 100, left = server.count;
    bool good = CHECK_INT(server.status, 200);
    for (size_t i = count; good && i-- > 0 && most > 0; ) {
        bool assistant = messages[i].role == CHATGPTT_ASSISTANT;
        if (messages[i].role == CHATGPTT_SYSTEM) continue;
        trim(&said[i]);
        if (says_nothing(&said[i])) continue;
        mean(&said[i], assistant);
        if (!CHECK(left > 0)) return false;
        const server_turn *got = &server.turns[--left];
        good = CHECK_INT(got->user, !assistant) && CHECK_MEM(got->text, got->len, said[i].at, said[i].len);
        most--;
    }
    return good && CHECK_INT(left, 0);
}

TEST(random_conversations)
{
    seed = 0x9E3779B97F4A7C15u;
    for (long k = 0; k < 100000; k++) {
        size_t count = make_up_conversation();
        int limit = below(3) ? 0 : (int)below(6);
        encode(messages, count, limit);
        if (!CHECK(!strpbrk(field.data, "\\<\n")) || !arrives(count, limit)) {
            check_fail(__FILE__, __LINE__, "in conversation %ld: %.2000s", k, field.data);
            return;
        }
    }
    for (int i = 0; i < RULES; i++)
        if (applied[i] < 100)
            check_fail(__FILE__, __LINE__, "rule %d was put to use %ld times only", i, applied[i]);
}

int main(void)
{
    RUN(the_model_of_the_server);
    RUN(the_model_of_the_server_row_56);
    RUN(the_rules);
    RUN(nothing_to_tell);
    RUN(the_newest_are_kept);
    RUN(random_conversations);
    cgt_buffer_free(&field);
    return check_report("test_history");
}
