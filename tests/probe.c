/* probe.c - each parser of chatgptt.h from the shell, for tests from outside:

       probe json            0: standard input is valid by RFC 8259; 1: it is not
       probe json POINTER    the decoded string at that JSON pointer; 1: absent, no string, or the document is
                             not valid
       probe sse             an event stream -> a JSON line {"event","data","id"} per event
       probe attr NAME       the decoded value in the first start tag of a page that has NAME; 1: none
       probe match PATTERN   the capture of the first match; 1: none, 2: bad pattern
       probe form            standard input as application/x-www-form-urlencoded
       probe http [-L] URL   one GET: body to standard output, status=NNN to standard error; 0: whole and
                             well-formed; -L: follow
       probe cookies SET-URL REQUEST-URL     Set-Cookie values, one a line -> the Cookie header REQUEST-URL
                                             gets

   Values are raw bytes, no newline added. CASE_CHUNK=N in the environment feeds N bytes at a time; for http
   CASE_METHOD is another method, and PROXY, CA, ADDRESS and TIMEOUT_MS set those options. 2: wrong usage. A
   thin shell over the header's own functions. */
#define CHATGPTT_STATIC
#define CHATGPTT_IMPLEMENTATION
#define CHATGPTT_MAX_NAME 4096     /* names and ids of events are shown as they came */
#include "chatgptt.h"
#include <stdio.h>

#define USAGE                                                                                         \
    "usage: probe json [POINTER] | sse | attr NAME | match PATTERN | form | http [-L] URL | cookies " \
    "SET-URL REQUEST-URL\n"

static chatgptt_hooks hooks;

static int fail(const char *what)
{
    fprintf(stderr, "probe: %s\n", what);
    return 1;
}

static int fail_usage(const char *what)
{
    fail(what);
    return 2;
}

/* A number above 0 from the environment; `unset` without one. false: it is set to something else. */
static bool env_number(const char *name, size_t max, size_t unset, size_t *out)
{
    const char *text = getenv(name);
    long long n = text ? cgt_number(cgt_text(text), LLONG_MAX / 16) : 0;
    *out = unset;
    if (!text || !*text) return true;
    if (n < 1 || strspn(text, "0123456789") != strlen(text)) return false;
    *out = (unsigned long long)n < max ? (size_t)n : max;
    return true;
}

/* ---- input and output ---- */

static size_t chunk;                /* bytes to feed at a time */

static cgt_buffer new_buffer(void)
{
    cgt_buffer b;
    cgt_buffer_init(&b, &hooks, SIZE_MAX / 4);
    return b;
}

/* All of standard input; false: it cannot be read. */
static bool read_all(cgt_buffer *in)
{
    *in = new_buffer();
    while (cgt_reserve(in, 65536)) {
        size_t got = fread(in->data + in->len, 1, 65536, stdin);
        in->len += got;
        if (got == 0) return !ferror(stdin);
    }
    return false;
}

/* Takes a piece of the input, which it may change. false: enough. */
typedef bool piece_fn(void *state, char *at, size_t len);

/* Feeds standard input, an empty one too. false: it cannot be read. */
static bool feed_input(piece_fn *feed, void *state)
{
    cgt_buffer in;
    size_t at = 0, len = 0;
    bool more = read_all(&in), good = more;
    for (; more; at += len) {
        len = in.len - at < chunk ? in.len - at : chunk;
        more = feed(state, in.data + at, len) && at + len < in.len;
    }
    cgt_buffer_free(&in);
    return good;
}

/* Prints the buffer and ends it. The exit status: 0 if all of it went out. */
static int print_buffer(cgt_buffer *b)
{
    bool good =
        !b->failed && fwrite(b->data ? b->data : "", 1, b->len, stdout) == b->len && fflush(stdout) == 0;
    cgt_buffer_free(b);
    return good ? 0 : fail("the output broke off");
}

static int drop_buffer(cgt_buffer *b, int status)
{
    cgt_buffer_free(b);
    return status;
}

/* ---- json ---- */

typedef struct json_probe {
    cgt_json json;
    cgt_json_node nodes[CHATGPTT_MAX_DEPTH + 1];        /* a deeper value there is not */
    cgt_buffer text;
    bool valid, is_string;
} json_probe;

static bool json_piece(void *state, char *at, size_t len)
{
    json_probe *p = (json_probe *)state;
    size_t used;
    do {
        if (cgt_json_feed(&p->json, at, len, &used) < 0) return p->valid = false;
        at += used;
        len -= used;
        if (p->json.event == CGT_JSON_TEXT) cgt_append(&p->text, p->json.piece);
        if (p->json.event == CGT_JSON_VALUE) p->is_string = p->json.type == CGT_JSON_STRING;
    } while (p->json.event != CGT_JSON_NONE);
    /* what is left follows the document */
    while (len && *at != '\f' && cgt_blank(*at)) { at++; len--; }
    return p->valid = len == 0;
}

/* RFC 6901: empty, or segments that each begin with a slash; `~` is followed by 0 or 1. */
static bool is_pointer(const char *p)
{
    if (*p && *p != '/') return false;
    for (; *p; p++)
        if (*p == '~' && p[1] != '0' && p[1] != '1') return false;
    return true;
}

/* The pointer as a tree without branches; its keys lie in `pointer`, unescaped. */
static void make_nodes(cgt_json_node *nodes, char *pointer)
{
    unsigned char n = 0;
    char *out = pointer;
    nodes[0].key = "";
    nodes[0].field = CGT_JSON_UNTOLD;
    while (*pointer && n < CHATGPTT_MAX_DEPTH) {
        nodes[n].count = 1;
        nodes[n].child = (unsigned char)(n + 1);
        n++;
        nodes[n].key = out;
        nodes[n].field = CGT_JSON_UNTOLD;
        nodes[n].up = (unsigned char)(n - 1);
        for (pointer++; *pointer && *pointer != '/'; pointer++)
            *out++ = *pointer != '~' ? *pointer : *++pointer == '1' ? '/' : '~';
        nodes[n].len = (uint32_t)(out - nodes[n].key);
    }
    if (!*pointer) nodes[n].field = 0;
}

static int probe_json(char *pointer)
{
    json_probe p;
    memset(&p, 0, sizeof p);
    p.text = new_buffer();
    p.nodes[0].field = CGT_JSON_UNTOLD;
    if (pointer && is_pointer(pointer)) make_nodes(p.nodes, pointer);
    cgt_json_init(&p.json, p.nodes);
    if (!feed_input(json_piece, &p)) return drop_buffer(&p.text, fail("cannot read the input"));
    if (p.valid && p.json.state != CGT_JSON_ENDED) p.valid = cgt_json_eof(&p.json) == CHATGPTT_OK;
    if (!p.valid)
        return drop_buffer(&p.text, fail(p.json.why ? p.json.why : "something follows the document"));
    if (pointer && !p.is_string) return drop_buffer(&p.text, fail("no string there"));
    return pointer ? print_buffer(&p.text) : drop_buffer(&p.text, 0);
}

/* ---- sse ---- */

typedef struct sse_probe { cgt_sse sse; cgt_buffer data, line; chatgptt_code code; } sse_probe;

/* A JSON string; the stream is UTF-8, so what is none of it is U+FFFD. */
static void put_json_string(cgt_buffer *b, cgt_slice s)
{
    size_t n;
    cgt_putc(b, '"');
    for (; s.len; s = cgt_from(s, n)) {
        char escape[8];
        bool whole = cgt_utf8_at(s.at, s.len, &n) == CGT_UTF8_WHOLE;
        bool plain = whole && !cgt_control(*s.at) && *s.at != '"' && *s.at != '\\';
        snprintf(escape, sizeof escape, "\\u%04x", whole ? (unsigned char)*s.at : 0xfffdu);
        cgt_append(b, plain ? cgt_slice_of(s.at, n) : cgt_text(escape));
    }
    cgt_putc(b, '"');
}

static void print_event(sse_probe *p)
{
    const cgt_sse *s = &p->sse;
    cgt_buffer *b = &p->line;
    b->len = 0;
    cgt_puts(b, "{\"event\":");
    put_json_string(b, cgt_sse_name(s));
    cgt_puts(b, ",\"data\":");
    put_json_string(b, cgt_slice_of_buffer(&p->data));
    cgt_puts(b, ",\"id\":");
    put_json_string(b, cgt_text(s->id));
    cgt_puts(b, "}\n");
    if (b->failed || fwrite(b->data, 1, b->len, stdout) != b->len) p->code = CHATGPTT_E_IO;
    p->data.len = 0;
}

static bool sse_piece(void *state, char *at, size_t len)
{
    sse_probe *p = (sse_probe *)state;
    size_t used;
    do {
        cgt_sse_feed(&p->sse, at, len, &used);
        at += used;
        len -= used;
        if (p->sse.event == CGT_SSE_DATA) cgt_append(&p->data, p->sse.piece);
        if (p->sse.event == CGT_SSE_DISPATCH) print_event(p);
    } while (p->sse.event != CGT_SSE_NONE && p->code == CHATGPTT_OK);
    return p->code == CHATGPTT_OK;
}

static int probe_sse(void)
{
    sse_probe p;
    bool good;
    memset(&p, 0, sizeof p);
    p.data = new_buffer();
    p.line = new_buffer();
    good = feed_input(sse_piece, &p);
    cgt_buffer_free(&p.data);
    cgt_buffer_free(&p.line);
    return good && p.code == CHATGPTT_OK && fflush(stdout) == 0 ? 0 : fail("the input or output broke off");
}

/* ---- attr ---- */

typedef struct attr_probe {
    cgt_html html;
    char name[CHATGPTT_MAX_NAME];
    cgt_buffer value;
    bool inside, has, found;
} attr_probe;

static bool attr_piece(void *state, char *at, size_t len)
{
    attr_probe *p = (attr_probe *)state;
    const cgt_html *h = &p->html;
    size_t used;
    do {
        cgt_html_feed(&p->html, at, len, &used);
        at += used;
        len -= used;
        switch (h->event) {
        case CGT_HTML_TAG: p->has = p->inside = false; p->value.len = 0; break;
        case CGT_HTML_ATTRIBUTE: p->inside = !p->has && strcmp(h->name, p->name) == 0; break;
        case CGT_HTML_VALUE: if (p->inside) cgt_append(&p->value, h->piece); break;
        case CGT_HTML_ATTRIBUTE_END: p->has = p->has || p->inside; p->inside = false; break;
        case CGT_HTML_TAG_END: p->found = p->has; break;
            /* not before: a tag that the page's end cuts is none */
        default: break;
        }
    } while (h->event != CGT_HTML_NONE && !p->found);
    return !p->found;
}

static int probe_attr(const char *name)
{
    attr_probe p;
    size_t i;
    memset(&p, 0, sizeof p);
    if (*name == '\0') return fail_usage("NAME is empty");
    if (!cgt_fixed_set(p.name, sizeof p.name, cgt_text(name)))
        return fail("NAME is longer than CHATGPTT_MAX_NAME");
    for (i = 0; p.name[i]; i++) p.name[i] = cgt_lower(p.name[i]);
    p.value = new_buffer();
    if (!feed_input(attr_piece, &p)) return drop_buffer(&p.value, fail("cannot read the input"));
    return p.found ? print_buffer(&p.value) : drop_buffer(&p.value, 1);
}

/* ---- match ---- */

typedef struct match_probe { cgt_match match; cgt_buffer text; } match_probe;

static bool match_piece(void *state, char *at, size_t len)
{
    match_probe *p = (match_probe *)state;
    cgt_append(&p->text, cgt_slice_of(at, len));
    cgt_match_feed(&p->match, at, len);
    return !p->match.ended;
}

static int probe_match(const char *text)
{
    cgt_pattern pattern;
    match_probe p;
    const char *why;
    size_t at;
    if (!cgt_pattern_compile(&pattern, cgt_text(text), &at, &why)) {
        fprintf(stderr, "probe: position %zu: %s\n", at, why);
        return 2;
    }
    memset(&p, 0, sizeof p);
    p.match.pattern = &pattern;
    p.text = new_buffer();
    if (!feed_input(match_piece, &p)) return drop_buffer(&p.text, fail("cannot read the input"));
    if (!p.match.found) return drop_buffer(&p.text, 1);
    at = p.match.to - p.match.from;
    if (at) memmove(p.text.data, p.text.data + p.match.from, at);
    p.text.len = at;
    return print_buffer(&p.text);
}

/* ---- form ---- */

static bool form_piece(void *state, char *at, size_t len)
{
    cgt_form_encode((cgt_buffer *)state, cgt_slice_of(at, len));
    return true;
}

static int probe_form(void)
{
    cgt_buffer out = new_buffer();
    if (!feed_input(form_piece, &out)) return drop_buffer(&out, fail("cannot read the input"));
    return print_buffer(&out);
}

/* ---- http: one exchange of the real client ---- */

#define MAX_REDIRECTS 50

typedef struct http_probe {
    cgt_exchange x;
    chatgptt_client *client;
    chatgptt_error error;
    chatgptt_stats stats;
    chatgptt_wait wait;
    int status;                     /* of the final response, once its head is complete */
} http_probe;

/* The built-in transport's read, of CASE_CHUNK bytes at most. */
static chatgptt_code read_chunk(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    return cgt_net_read(user, conn, buffer, size < chunk ? size : chunk, done);
}

static chatgptt_code http_begin(http_probe *p, const char *method, bool follow)
{
    chatgptt_client *c = p->client;
    long long now = cgt_now(&c->hooks);
    cgt_exchange_setup setup = { &c->pool, &c->cookies, &p->error, &p->stats,
                                 cgt_after(now, c->options.total_timeout_ms) };
    cgt_asks asks;
    cgt_url url;
    chatgptt_code code = cgt_url_copy(&url, &c->hooks, &c->home);
    if (code < 0) return cgt_fail(&p->error, code, "out of memory for the request");
    memset(&asks, 0, sizeof asks);
    asks.method = method;
    asks.user_agent = c->options.user_agent;
    asks.accept = "*/*";
    code = cgt_exchange_begin(&p->x, &setup, &url, &asks, now);
    p->x.follow = follow ? CGT_FOLLOW_ALL : CGT_FOLLOW_NONE;
    return code;
}

/* What came goes out before anything is waited for. */
static chatgptt_code http_wait(http_probe *p)
{
    p->wait = cgt_exchange_want(&p->x, cgt_now(&p->client->hooks));
    if (fflush(stdout) != 0) return cgt_fail(&p->error, CHATGPTT_E_IO, "cannot write the body");
    return cgt_pool_wait(p->x.pool, &p->wait);
}

static chatgptt_code http_step(http_probe *p)
{
    chatgptt_code code = cgt_exchange_step(&p->x, cgt_now(&p->client->hooks));
    cgt_slice piece = p->x.piece;
    if (code == CHATGPTT_AGAIN) return http_wait(p);
    if (code != CHATGPTT_OK) return code;
    if (p->x.event == CGT_X_STATUS) p->status = p->x.in.status;
    if (p->x.event == CGT_X_PIECE && fwrite(piece.at, 1, piece.len, stdout) != piece.len)
        return cgt_fail(&p->error, CHATGPTT_E_IO, "cannot write the body");
    if (p->x.event != CGT_X_END) return CHATGPTT_OK;
    return fflush(stdout) == 0 ? CHATGPTT_DONE : cgt_fail(&p->error, CHATGPTT_E_IO, "cannot write the body");
}

static int fail_with(const chatgptt_error *error)
{
    fprintf(stderr, "probe: %s: %s\n", chatgptt_code_name(error->code), error->message);
    return 1;
}

static const char *env(const char *name)        /* NULL: unset or empty */
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* false: one of them is no such value. */
static bool http_options(chatgptt_options *o, const char **method)
{
    size_t i, timeout;
    *method = env("CASE_METHOD") ? env("CASE_METHOD") : "GET";
    for (i = 0; (*method)[i]; i++)
        if (!cgt_http_tchar((*method)[i])) return false;
    memset(o, 0, sizeof *o);
    o->max_redirects = MAX_REDIRECTS;
    o->proxy = env("PROXY");
    o->ca_file = env("CA");
    o->address = env("ADDRESS");
    if (!env_number("TIMEOUT_MS", INT_MAX, 0, &timeout)) return false;
    o->total_timeout_ms = (int)timeout;
    return true;
}

static int probe_http(const char *url, bool follow)
{
    http_probe p;
    chatgptt_options options;
    const char *method;
    chatgptt_code code;
    memset(&p, 0, sizeof p);
    if (!http_options(&options, &method)) return fail_usage("CASE_METHOD or TIMEOUT_MS is no such value");
    options.url = url;
    p.client = chatgptt_open(&options, &p.error);
    if (!p.client) return fail_with(&p.error);
    if (chunk < CHATGPTT_READ_BUFFER) p.client->pool.transport.read = read_chunk;
    code = http_begin(&p, method, follow);
    while (code == CHATGPTT_OK) code = http_step(&p);
    if (code < 0) fail_with(&p.error);
    if (p.status) fprintf(stderr, "status=%d\n", p.status);
    cgt_exchange_free(&p.x, 0);
    chatgptt_close(p.client);
    return code == CHATGPTT_DONE ? 0 : 1;
}

/* ---- cookies ---- */

static bool parse_url(cgt_url *url, const char *text)
{
    const char *why = "";
    cgt_slice user;
    if (cgt_url_parse(url, &hooks, cgt_text(text), &user, &why) == CHATGPTT_OK) return true;
    fprintf(stderr, "probe: \"%s\" is no URL: %s\n", text, why);
    return false;
}

/* Each line as the client takes a header's value: without blanks around it, and none that is longer than it
   holds. */
static void set_cookies(cgt_jar *jar, const cgt_url *from, cgt_slice lines, long long now)
{
    while (lines.len) {
        size_t n = cgt_find(lines, "\n");
        cgt_slice value = cgt_trim(cgt_slice_of(lines.at, n));
        if (value.len < CHATGPTT_MAX_VALUE) cgt_jar_set(jar, from, value, now);
        lines = cgt_from(lines, n < lines.len ? n + 1 : n);
    }
}

static int probe_cookies(const char *set_url, const char *request_url)
{
    cgt_url from, to;
    cgt_jar jar;
    cgt_buffer in, out = new_buffer();
    long long now = cgt_builtin_unix_time(NULL);
    memset(&jar, 0, sizeof jar);
    jar.hooks = &hooks;
    if (!parse_url(&from, set_url)) return 1;
    if (!parse_url(&to, request_url)) return cgt_url_free(&from), 1;
    if (read_all(&in)) set_cookies(&jar, &from, cgt_slice_of_buffer(&in), now);
    cgt_jar_header(&jar, &to, now, &out);
    cgt_buffer_free(&in);
    cgt_jar_free(&jar);
    cgt_url_free(&from);
    cgt_url_free(&to);
    return print_buffer(&out);
}

/* ---- the command line ---- */

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *last = argc > 1 ? argv[argc - 1] : NULL;
    hooks.resize = cgt_builtin_resize;
    if (!env_number("CASE_CHUNK", SIZE_MAX / 4, SIZE_MAX / 4, &chunk))
        return fail_usage("CASE_CHUNK is no number above 0");
    if (strcmp(what, "json") == 0 && argc <= 3) return probe_json(argc == 3 ? argv[2] : NULL);
    if (strcmp(what, "sse") == 0 && argc == 2) return probe_sse();
    if (strcmp(what, "attr") == 0 && argc == 3) return probe_attr(last);
    if (strcmp(what, "match") == 0 && argc == 3) return probe_match(last);
    if (strcmp(what, "form") == 0 && argc == 2) return probe_form();
    if (strcmp(what, "http") == 0 && argc == 3 && strcmp(last, "-L") != 0) return probe_http(last, false);
    if (strcmp(what, "http") == 0 && argc == 4 && strcmp(argv[2], "-L") == 0) return probe_http(last, true);
    if (strcmp(what, "cookies") == 0 && argc == 4) return probe_cookies(argv[2], argv[3]);
    fputs(USAGE, stderr);
    return 2;
}
