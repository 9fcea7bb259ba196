/* mutants.c - breaks chatgptt.h in one place at a time, to see whether a test notices.

       mutants list HEADER SECTION...          a line a site: number, section, line, what is done, the line;
                                               where the same stood before in it, which one: #2
       mutants apply HEADER NUMBER SECTION...  the header, broken at that site of these sections
       mutants pick COUNT SEED                 of the lines of standard input, COUNT that the seed chooses

   A site is a relational or logical operator (turned into its neighbour), a `!` (left out), a number or
   character (one more, one less), a statement (left out; return and break, too). The header's manual,
   comments, strings and preprocessor lines are passed over, and so are declarations. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text { char *bytes; size_t len; } text;

typedef struct token {
    size_t at, len;
    int line;
    char kind;                              /* w word, n number, c character, s string, o operator */
} token;

typedef struct source {
    text all;
    token *tokens;
    size_t count;
} source;

/* What is done with each site in turn. */
typedef struct visit {
    const source *of;
    char section[40];                       /* where the site at hand stands */
    char **wanted;                          /* sections to list */
    int wanted_count;
    long number, apply;                     /* apply: the site to break; 0: all are listed */
    bool done;
} visit;

static void die(const char *why) { fprintf(stderr, "mutants: %s\n", why); exit(1); }

static text read_all(FILE *file)
{
    text t = { NULL, 0 };
    size_t room = 1 << 20, got;
    t.bytes = malloc(room + 1);
    while (file && t.bytes && (got = fread(t.bytes + t.len, 1, room - t.len, file)) > 0) {
        char *more = (t.len += got) == room ? realloc(t.bytes, (room *= 2) + 1) : t.bytes;
        if (!more) die("out of memory");
        t.bytes = more;
    }
    if (!file || !t.bytes) die("cannot read");
    t.bytes[t.len] = '\0';
    return t;
}

/* ---- tokens ---- */

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static size_t after_comment(const char *s, size_t at)
{
    const char *end = s[at + 1] == '/' ? strchr(s + at, '\n') : strstr(s + at + 2, "*/");
    return end ? (size_t)(end - s) + (s[at + 1] == '/' ? 0 : 2) : strlen(s);
}

static size_t after_directive(const char *s, size_t at)
{
    while (s[at] && s[at] != '\n') {
        if (s[at] == '/' && s[at + 1] == '*') at = after_comment(s, at);
        else at += s[at] == '\\' && s[at + 1] ? 2 : 1;
    }
    return at;
}

static size_t after_quote(const char *s, size_t at)
{
    char quote = s[at++];
    while (s[at] && s[at] != quote) at += s[at] == '\\' && s[at + 1] ? 2 : 1;
    return at + (s[at] == quote);
}

static size_t operator_length(const char *s)
{
    static const char *const longer[] = { "<<=", ">>=", "...", "->", "<<", ">>", "<=", ">=", "==", "!=", "&&",
                                          "||",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "++",
                                          "--" };
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (strncmp(s, longer[i], strlen(longer[i])) == 0) return strlen(longer[i]);
    return 1;
}

static size_t token_end(const char *s, size_t at, char *kind)
{
    size_t end = at;
    if (s[at] == '"' || s[at] == '\'') { *kind = s[at] == '"' ? 's' : 'c'; return after_quote(s, at); }
    if (is_word(s[at])) {
        *kind = isdigit((unsigned char)s[at]) ? 'n' : 'w';
        while (is_word(s[end]) || (*kind == 'n' && s[end] == '.')) end++;
        return end;
    }
    *kind = 'o';
    return at + operator_length(s + at);
}

static source read_source(const char *path)
{
    FILE *file = fopen(path, "rb");
    source src = { read_all(file), NULL, 0 };
    const char *s = src.all.bytes;
    int line = 1;
    fclose(file);
    src.tokens = malloc((src.all.len + 1) * sizeof *src.tokens);
    if (!src.tokens) die("out of memory");
    for (size_t at = 0, next; s[at]; at = next) {
        bool fresh = at == 0 || s[at - 1] == '\n';
        size_t first = at + strspn(s + at, " \t");
        char kind;
        next = at + 1;
        if (fresh && s[first] == '#') next = after_directive(s, at);
        else if (s[at] == '/' && (s[at + 1] == '*' || s[at + 1] == '/')) next = after_comment(s, at);
        else if (!isspace((unsigned char)s[at])) {
            next = token_end(s, at, &kind);
            src.tokens[src.count++] = (token){ at, next - at, line, kind };
        }
        for (size_t i = at; i < next; i++) line += s[i] == '\n';
    }
    return src;
}

/* ---- sites ---- */

static bool is(const source *src, size_t i, const char *what)
{
    return i < src->count && src->tokens[i].len == strlen(what) &&
           memcmp(src->all.bytes + src->tokens[i].at, what, strlen(what)) == 0;
}

static bool is_any(const source *src, size_t i, const char *words)
{
    char word[40];
    if (i >= src->count || src->tokens[i].len > 30) return false;
    snprintf(word, sizeof word, " %.*s ", (int)src->tokens[i].len, src->all.bytes + src->tokens[i].at);
    return strstr(words, word) != NULL;
}

/* The banner that the byte at `at` stands behind; false: the section is not asked for. */
static bool in_wanted(visit *v, size_t at)
{
    const char *from = v->of->all.bytes, *banner = NULL;
    for (const char *s = from; (s = strstr(s, "/* ==== [")) != NULL && (size_t)(s - from) < at; s++)
        banner = s;
    if (!banner) return false;
    snprintf(v->section, sizeof v->section, "%.*s", (int)strcspn(banner + 9, "]"), banner + 9);
    for (int i = 0; i < v->wanted_count; i++)
        if (strcmp(v->wanted[i], v->section) == 0) return true;
    return false;
}

static void print_line(const source *src, size_t at)
{
    const char *s = src->all.bytes, *end;
    while (at && s[at - 1] != '\n') at--;
    at += strspn(s + at, " \t");
    end = strchr(s + at, '\n');
    printf("%.*s\n", end ? (int)(end - s - (long)at) : (int)strlen(s + at), s + at);
}

/* A site: bytes [at, at + len) become `with`. Line feeds in it stay, so that messages name the same lines. */
static void site(visit *v, size_t at, size_t len, int line, const char *with)
{
    const char *s = v->of->all.bytes;
    if (v->done) return;
    v->number++;
    if (!v->apply) {
        printf("%ld\t%s\t%d\t", v->number, v->section, line);
        if (len > 30) printf("%.30s...", s + at);       /* of a statement its beginning */
        else printf("%.*s", (int)len, s + at);
        size_t same = 1;
        for (size_t from = at; from && s[from - 1] != '\n'; from--)
            same += strncmp(s + from - 1, s + at, len) == 0;
        printf(same > 1 ? " -> %s #%zu\t" : " -> %s\t", *with ? with : "nothing", same);
        print_line(v->of, at);
    } else if (v->number == v->apply) {
        fwrite(s, 1, at, stdout);
        fputs(with, stdout);
        for (size_t i = at; i < at + len; i++) if (s[i] == '\n') putchar('\n');
        fputs(s + at + len, stdout);
        v->done = true;
    }
}

static void operator_site(visit *v, const token *t)
{
    static const char *const swaps[][2] = { { "<", "<=" },  { "<=", "<" },  { ">", ">=" },
                                            { ">=", ">" },  { "==", "!=" }, { "!=", "==" },
                                            { "&&", "||" }, { "||", "&&" }, { "!", "" } };
    for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++)
        if (t->len == strlen(swaps[i][0]) && memcmp(v->of->all.bytes + t->at, swaps[i][0], t->len) == 0)
            site(v, t->at, t->len, t->line, swaps[i][1]);
}

static void constant_site(visit *v, const token *t)
{
    char with[80];
    if (t->len > 40) return;
    for (int more = 1; more >= -1; more -= 2) {
        snprintf(with, sizeof with, "(%.*s%c1)", (int)t->len, v->of->all.bytes + t->at, more > 0 ? '+' : '-');
        site(v, t->at, t->len, t->line, with);
    }
}

static size_t after_parentheses(const source *src, size_t i)
{
    int depth = 0;
    for (; i < src->count; i++) {
        depth += is(src, i, "(") - is(src, i, ")");
        if (depth == 0) return i + 1;
    }
    return i;
}

/* Two words side by side, or a word and a star before a word that is set or ends there. */
static bool is_declaration(const source *src, size_t i)
{
    if (is_any(src, i, " const static struct enum unsigned char int long size_t bool void ")) return true;
    if (src->tokens[i].kind != 'w' || is_any(src, i, " return goto case ")) return false;
    for (i++; is(src, i, "*"); i++) {}
    return i < src->count && src->tokens[i].kind == 'w' && !is(src, i - 1, "(");
}

/* The statement that begins at token i, if it is one that can be left out. */
static void statement_site(visit *v, size_t i)
{
    const source *src = v->of;
    size_t end = i;
    int depth = 0;
    if (src->tokens[i].kind == 'o' && !is_any(src, i, " * ( ++ -- ")) return;
    if (is_declaration(src, i) || is_any(src, i, " if while for switch else do case default sizeof ")) return;
    for (; end < src->count && (depth > 0 || !is(src, end, ";")); end++) {
        depth += is(src, end, "(") - is(src, end, ")");
        if (is(src, end, "{") || is(src, end, "}") || depth < 0) return;
    }
    if (end == src->count || end == i) return;
    site(v, src->tokens[i].at, src->tokens[end].at - src->tokens[i].at, src->tokens[i].line, "");
}

/* A statement begins behind ; { } : of a label, else, do, and the head of if, while, for, switch. */
static bool begins_statement(const source *src, size_t i, size_t *head_end)
{
    if (i == 0) return false;
    if (i == *head_end) return true;
    if (is_any(src, i - 1, " ; { } else do ")) return true;
    if (is(src, i - 1, ":"))
        for (size_t k = i - 1; k-- && !is_any(src, k, " ; { } ? ");)
            if (is_any(src, k, " case default ")) return true;
    return false;
}

static void visit_sites(visit *v)
{
    const source *src = v->of;
    size_t head_end = 0;
    int depth = 0, round = 0;               /* braces; parentheses, in which no statement begins */
    for (size_t i = 0; i < src->count && !v->done; i++) {
        const token *t = &src->tokens[i];
        depth += is(src, i, "{") - is(src, i, "}");
        if (depth == 0 || !in_wanted(v, t->at)) continue;
        if (round == 0 && begins_statement(src, i, &head_end)) statement_site(v, i);
        if (is_any(src, i, " if while for switch ")) head_end = after_parentheses(src, i + 1);
        round += is(src, i, "(") - is(src, i, ")");
        if (t->kind == 'o') operator_site(v, t);
        if (t->kind == 'n' || t->kind == 'c') constant_site(v, t);
    }
}

/* ---- choosing ---- */

static unsigned long long next_random(unsigned long long *state)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

static int pick(size_t count, unsigned long long seed)
{
    text t = read_all(stdin);
    size_t lines = 0, left;
    unsigned long long state = seed * 0x9E3779B97F4A7C15ULL + 1;
    for (size_t i = 0; i < t.len; i++) lines += t.bytes[i] == '\n';
    left = lines;
    for (char *at = t.bytes, *end; left > 0 && count > 0; at = end, left--) {
        end = strchr(at, '\n') + 1;
        if (next_random(&state) % left >= count) continue;
        fwrite(at, 1, (size_t)(end - at), stdout);
        count--;
    }
    free(t.bytes);
    return 0;
}

int main(int argc, char **argv)
{
    visit v;
    memset(&v, 0, sizeof v);
    if (argc == 4 && strcmp(argv[1], "pick") == 0)
        return pick(strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    if (argc < 4 || (strcmp(argv[1], "list") != 0 && strcmp(argv[1], "apply") != 0))
        return fputs("usage: mutants list|apply HEADER [NUMBER] SECTION... | pick COUNT SEED\n", stderr), 2;
    source src = read_source(argv[2]);
    bool apply = strcmp(argv[1], "apply") == 0;
    v.of = &src;
    if (apply) v.apply = strtol(argv[3], NULL, 10);
    v.wanted = argv + 3 + apply, v.wanted_count = argc - 3 - apply;
    visit_sites(&v);
    free(src.tokens), free(src.all.bytes);
    return apply && !v.done;
}
