/* server_history.h - a model of what a site of the older plugin generation makes of the field
   wpaicg_chat_history: what WordPress does to any text field, step by step, then what the plugin does.
   WordPress puts a backslash before quotes and backslashes and takes it away again, so that is no step here.
   Texts live until the next call. */
#ifndef SERVER_HISTORY_H
#define SERVER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SERVER_BYTES (1 << 20)
#define SERVER_TURNS 512

typedef struct server_turn { bool user; char *text; size_t len; } server_turn;
typedef struct server_history {
    int status;                                 /* 200, or 500: the site broke down */
    size_t count;
    server_turn turns[SERVER_TURNS];
} server_history;

typedef struct server_text { size_t len; char at[SERVER_BYTES + 1]; } server_text;      /* terminated */

static inline void server_put(server_text *t, const char *bytes, size_t len)
{
    if (len > SERVER_BYTES - t->len) abort();
    memcpy(t->at + t->len, bytes, len);
    t->at[t->len += len] = '\0';
}

/* ---- what WordPress does to a text field ---- */

/* PHP's trim(). */
static inline size_t server_trim(char **at, size_t len)
{
    while (len && memchr(" \n\r\t\v", **at, 6)) { ++*at; len--; }       /* 6: the terminator is one of them */
    while (len && memchr(" \n\r\t\v", (*at)[len - 1], 6)) len--;
    return len;
}
static inline void server_trim_text(server_text *t)
{
    char *at = t->at;
    size_t len = server_trim(&at, t->len);
    memmove(t->at, at, len);
    t->at[t->len = len] = '\0';
}

static inline size_t server_character(const unsigned char *p, size_t left)      /* its length; 0: no UTF-8 */
{
    unsigned long code = p[0], least = 0;
    size_t more = p[0] < 0x80 ? 0 : p[0] < 0xC0 ? 9 : p[0] < 0xE0 ? 1 : p[0] < 0xF0 ? 2 : p[0] < 0xF8 ? 3 : 9;
    if (more >= left) return 0;
    if (more) { code = p[0] & (0x3Fu >> more); least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000; }
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (p[i] & 0x3F);
    }
    return code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : more + 1;
}
static inline bool server_valid_utf8(const server_text *t)
{
    for (size_t i = 0, n; i < t->len; i += n)
        if ((n = server_character((const unsigned char *)t->at + i, t->len - i)) == 0) return false;
    return true;
}

/* Whether an & starts a character reference: such a one is not escaped again. */
static inline bool server_reference(const char *p)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
               *digits = letters + 52, *set = letters;
    if (*++p == '#') {
        set = digits;
        if (*++p == 'x' || *p == 'X') { set = "0123456789abcdefABCDEF"; p++; }
    }
    size_t n = strspn(p, set);
    return n > 0 && p[n] == ';';
}
static inline void server_put_html(server_text *out, const char *at, size_t len)
{
    for (; len; at++, len--)
        switch (*at) {
        case '<': server_put(out, "&lt;", 4); break;
        case '"': server_put(out, "&quot;", 6); break;
        case '\'': server_put(out, "&#039;", 6); break;
        case '&': if (!server_reference(at)) { server_put(out, "&amp;", 5); break; }    /* fall through */
        default: server_put(out, at, 1);
        }
}
/* A < that finds no > before the next < or the end is text: it is escaped, with all up to there. */
static inline void server_escape_lone_less(server_text *t, server_text *out)
{
    out->len = 0;
    for (const char *p = t->at; *p;) {
        size_t plain = strcspn(p, "<"), tag = p[plain] ? 1 + strcspn(p + plain + 1, "<>") : 0;
        server_put(out, p, plain);
        p += plain;
        if (p[tag] == '>') server_put(out, p, ++tag);
        else server_put_html(out, p, tag);
        p += tag;
    }
}

/* script and style go with what they hold, if they are closed. */
static inline const char *server_end_of_code(const char *p)     /* NULL: none starts here */
{
    const char *name = !strncasecmp(p, "<script", 7)  ? "</script>"
                       : !strncasecmp(p, "<style", 6) ? "</style>"
                                                      : NULL;
    if (!name || !(p = strchr(p, '>'))) return NULL;
    for (p++; *p; p++)
        if (!strncasecmp(p, name, strlen(name))) return p + strlen(name);
    return NULL;
}
static inline void server_drop_code(server_text *t)
{
    char *out = t->at;
    for (const char *p = t->at, *end; *p;)
        if ((end = server_end_of_code(p)) != NULL) p = end;
        else *out++ = *p++;
    *out = '\0';
    t->len = (size_t)(out - t->at);
}

/* PHP's strip_tags(): a tag ends at the > outside its quotes, a comment at -->, PHP code at ?> outside
   parentheses. */
typedef struct server_tag {
    enum { SERVER_TEXT, SERVER_TAG, SERVER_CODE, SERVER_DECLARATION, SERVER_COMMENT } state;
    char quote;
    int depth;
} server_tag;

static inline bool server_tag_ends(const server_tag *s, const char *p)
{
    if (s->quote) return false;
    if (s->state == SERVER_COMMENT) return p[-1] == '-' && p[-2] == '-';
    return s->state != SERVER_CODE || (s->depth == 0 && p[-1] == '?');
}
static inline void server_in_tag(server_tag *s, const char *p, const char *start)
{
    if (s->state == SERVER_TAG && p == start + 1 && (*p == '!' || *p == '?'))
        s->state = *p == '!' ? SERVER_DECLARATION : SERVER_CODE;
    else if (s->state == SERVER_DECLARATION && !strncmp(p - 2, "!--", 3)) s->state = SERVER_COMMENT;
    else if (s->state == SERVER_COMMENT) return;
    else if ((*p == '"' || *p == '\'') && (!s->quote || s->quote == *p)) s->quote = s->quote ? '\0' : *p;
    else if (s->state == SERVER_CODE && !s->quote && (*p == '(' || *p == ')')) s->depth += *p == '(' ? 1 : -1;
    else if (s->state == SERVER_TAG && !s->quote && *p == '<' && !strchr(" \n\r\t\v\f", p[1])) s->depth++;
}
static inline void server_strip_tags(server_text *t)
{
    server_tag s = {SERVER_TEXT, '\0', 0};
    char *out = t->at;
    const char *start = t->at;
    for (const char *p = t->at; *p; p++) {
        bool opens = *p == '<' && !strchr(" \n\r\t\v\f", p[1]);
        if (s.state == SERVER_TEXT && opens) { s.state = SERVER_TAG; start = p; }
        else if (s.state == SERVER_TEXT) *out++ = *p;
        else if (*p == '>' && s.state == SERVER_TAG && s.depth) s.depth--;
        else if (*p == '>' && server_tag_ends(&s, p)) memset(&s, 0, sizeof s);
        else server_in_tag(&s, p, start);
    }
    *out = '\0';
    t->len = (size_t)(out - t->at);
}

/* %41 goes, again and again until none is left; if any went, runs of blanks become one. */
static inline void server_drop_octets(server_text *t)
{
    const char *hex = "0123456789abcdefABCDEF";
    size_t len = 0, blanks = 0;
    for (size_t i = 0; i < t->len; i++) {
        t->at[len++] = t->at[i];
        if (len > 2 && t->at[len - 3] == '%' && memchr(hex, t->at[len - 2], 22) &&
            memchr(hex, t->at[len - 1], 22))
            len -= 3;
    }
    bool found = len < t->len;
    t->len = 0;
    for (size_t i = 0; i < len; i++) {
        blanks = t->at[i] == ' ' ? blanks + 1 : 0;
        if (!found || blanks < 2) t->at[t->len++] = t->at[i];
    }
    t->at[t->len] = '\0';
    if (found) server_trim_text(t);
}

static inline void server_sanitize(server_text *t)      /* sanitize_textarea_field() */
{
    static server_text escaped;
    if (!server_valid_utf8(t)) t->len = 0;
    t->at[t->len] = '\0';
    if (strchr(t->at, '<')) {
        server_escape_lone_less(t, &escaped);
        server_drop_code(&escaped);
        server_strip_tags(&escaped);
        server_trim_text(&escaped);
        t->len = 0;
        for (const char *p = escaped.at; *p; p++)
            if (p[0] == '<' && p[1] == '\n') server_put(t, "&lt;", 4);
            else server_put(t, p, 1);
    }
    server_trim_text(t);
    server_drop_octets(t);
}

/* ---- what the plugin does ---- */

static inline void server_drop_backslashes(server_text *t)
{
    size_t len = 0;
    for (size_t i = 0; i < t->len; i++)
        if (t->at[i] != '\\') t->at[len++] = t->at[i];
    t->at[t->len = len] = '\0';
}

/* json_decode() of a text without backslashes: its strings are what stands between the quotes. A value is
   taken as the text PHP makes of it; the members of the outermost array or object are the entries. */
typedef enum server_kind { SERVER_BAD, SERVER_NULL, SERVER_SCALAR, SERVER_LIST } server_kind;
typedef struct server_value { server_kind kind; char *text; size_t len; } server_value;

static inline void server_entry(server_history *h, server_value v)
{
    server_turn *turn = &h->turns[h->count];
    if (v.kind == SERVER_LIST) h->status = 500;                 /* trim() of an array */
    if (h->count == SERVER_TURNS) abort();
    turn->text = v.text;
    turn->len = v.kind == SERVER_NULL ? 0 : v.len;
    h->count++;
}

static inline void server_blanks(char **p) { *p += strspn(*p, " \t\r\n"); }

static inline server_value server_word(char **p)        /* a number, true, false, null */
{
    static char one[] = "1";
    server_value v = {SERVER_SCALAR, *p, strcspn(*p, " \t\r\n,]}:\"[{")};
    size_t digits = strspn(v.text + (*v.text == '-'), "0123456789");
    *p += v.len;
    if (v.len == 4 && !memcmp(v.text, "true", 4)) { v.text = one; v.len = 1; }
    else if (v.len == 5 && !memcmp(v.text, "false", 5)) v.len = 0;
    else if (v.len == 4 && !memcmp(v.text, "null", 4)) v.kind = SERVER_NULL;
    else if (!digits || strspn(v.text, "+-.0123456789eE") < v.len ||
             (digits > 1 && v.text[*v.text == '-'] == '0'))
        v.kind = SERVER_BAD;
    return v;
}
static inline server_value server_string(char **p)
{
    server_value v = {SERVER_SCALAR, ++*p, strcspn(*p, "\"")};
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.text[i] < ' ') v.kind = SERVER_BAD;
    if (v.text[v.len] != '"') { v.kind = SERVER_BAD; *p += v.len; }
    else *p += v.len + 1;
    return v;
}
/* `level`: 0 the list of entries, 1 an entry: as an object it gives its member "text", if it has one that is
   not null. */
static inline server_value server_json(char **p, server_history *h, int level)
{
    server_value text = {SERVER_LIST, *p, 0}, v;
    bool object = **p == '{';
    char close = object ? '}' : ']';
    if (**p == '"') return server_string(p);
    if (!object && **p != '[') return server_word(p);
    ++*p;
    server_blanks(p);
    for (bool first = true; **p != close || !first; first = false) {
        bool is_text = false;
        server_blanks(p);
        if (object) {
            server_value name = **p == '"' ? server_string(p) : server_word(p);
            is_text = name.len == 4 && !memcmp(name.text, "text", 4);
            server_blanks(p);
            if (name.text[-1] != '"' || name.kind == SERVER_BAD || *(*p)++ != ':') {
                text.kind = SERVER_BAD;
                return text;
            }
            server_blanks(p);
        }
        v = server_json(p, h, level + 1);
        server_blanks(p);
        if (v.kind == SERVER_BAD || (**p != ',' && **p != close)) { text.kind = SERVER_BAD; return text; }
        if (level == 0) server_entry(h, v);
        if (level == 1 && is_text) { text = v; if (v.kind == SERVER_NULL) text.kind = SERVER_LIST; }
        if (**p == close) break;
        ++*p;
    }
    ++*p;
    return text;
}

static inline void server_cut_out(server_turn *turn, const char *what)
{
    size_t n = strlen(what), len = 0;
    for (size_t i = 0; i < turn->len;)
        if (turn->len - i >= n && !memcmp(turn->text + i, what, n)) i += n;
        else turn->text[len++] = turn->text[i++];
    turn->len = len;
}
/* Whose words they are; false: none. For PHP "0" is empty too. */
static inline bool server_role(server_turn *turn)
{
    turn->len = server_trim(&turn->text, turn->len);
    turn->user = turn->len >= 7 && !memcmp(turn->text, "Human: ", 7);
    if (turn->user) { turn->text += 7; turn->len -= 7; }
    else server_cut_out(turn, "AI: ");
    turn->len = server_trim(&turn->text, turn->len);
    return turn->user || (turn->len > 0 && !(turn->len == 1 && *turn->text == '0'));
}

static inline void server_read_history(const char *field, size_t len, server_history *h)
{
    static server_text t;
    size_t count = 0;
    char *p = t.at;
    t.len = 0;
    server_put(&t, field, len);
    server_sanitize(&t);
    server_drop_backslashes(&t);
    h->status = 200;
    h->count = 0;
    server_blanks(&p);
    bool list = *p == '[' || *p == '{';
    server_value v = server_json(&p, h, 0);
    server_blanks(&p);
    if (!list || v.kind == SERVER_BAD || p != t.at + t.len) { h->status = 200; h->count = 0; }
    if (h->status != 200) h->count = 0;
    for (size_t i = 0; i < h->count; i++)
        if (server_role(&h->turns[i])) h->turns[count++] = h->turns[i];
    h->count = count;
}

#endif
