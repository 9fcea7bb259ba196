/* far_side.h - what the other end of a script notices, whatever the test is about: that a message arrives
   once, that no cookie or token reaches an origin it is not meant for, that no error tells a secret, that
   nobody waits 0 ms again and again. script.h feeds it; at its end the public calls are wrapped, so that it
   knows which stream is at work. What it finds fails the case. */
#ifndef FAR_SIDE_H
#define FAR_SIDE_H

#include "../chatgptt.h"
#include "check.h"
#include "request.h"

#define FAR_SECRETS 64
#define FAR_ALLOWED 8
#define FAR_TEXT 128                        /* of a secret, an origin, a field; longer ones are not watched */
#define FAR_ZERO_WAITS 50                   /* in a row, with nothing to show for them */
#define FAR_IDLE_CALLS 2000                 /* reads and writes that said AGAIN, likewise */

typedef enum far_kind {
    FAR_TOKEN,                              /* for one origin: "host:port" */
    FAR_COOKIE, FAR_DOMAIN_COOKIE,          /* for one host, any port; for those below it, too */
    FAR_SECRET                              /* for whomever; but for no error */
} far_kind;

typedef struct far_secret {
    far_kind kind;
    char text[FAR_TEXT], home[FAR_TEXT];    /* a cookie's text is name=value */
} far_secret;

typedef struct far_message {                /* what one stream asked */
    struct far_message *next;
    const void *stream;                     /* NULL: of chat() or ask() */
    int arrivals, refreshes, repeats;
    char words[FAR_TEXT];                   /* its beginning, for errors; "" if too short to tell */
    char goes_to[FAR_TEXT];                 /* where a 307 or 308 sent it */
    /* of the last arrival, and what it came to */
    char nonce[FAR_TEXT], action[FAR_TEXT], head[512];
    size_t answered;                        /* bytes */
    bool was_kept, was_closed, has_key;
    long long sent, closed, within;         /* ms */
} far_message;

typedef struct far_line {                   /* one connection */
    char peer[FAR_TEXT], origin[FAR_TEXT];  /* of open(); of the request under way: "host:port" */
    bool opaque, connected;                 /* TLS runs through it */
    /* of what was written: whole requests; of the next, where its head may end; its length, if known */
    size_t seen, scanned, needed;
    int requests;
    long long opened, connect_ms, last;
    far_message *message;                   /* the last request was its */
} far_line;

typedef struct far_side {
    far_secret secrets[FAR_SECRETS];
    char allowed[FAR_ALLOWED][FAR_TEXT];    /* origins that may get any token; "*": all of them */
    int num_secrets, kept_secrets, num_allowed, repeats_allowed, repeats_used;
    far_message *messages;                  /* the latest first */
    int zero_waits, idle_calls, arrivals;
    bool stepped, busy;
    bool counts_only;                       /* a knob: secrets that are chance are none, as when fuzzing */
} far_side;

/* The stream that is driven, and the far side it turned out to be on. */
static struct { const void *stream; bool fresh; far_side *side; } far_now;

/* ---- texts ---- */

static inline const char *far_find(const char *at, size_t len, const char *what)
{
    size_t n = strlen(what);
    const char *end = at + len;
    for (; n && at + n <= end; at++) {
        at = (const char *)memchr(at, what[0], (size_t)(end - at) - n + 1);
        if (!at) return NULL;
        if (memcmp(at, what, n) == 0) return at;
    }
    return NULL;
}

/* Up to the first of `ends`; false if that is not there or the text is too long. */
static inline bool far_cut(char out[FAR_TEXT], const char *at, const char *end, const char *ends)
{
    size_t len = 0;
    while (at + len < end && !strchr(ends, at[len])) len++;
    if (at + len == end || len >= FAR_TEXT) return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

/* "http://host/..." -> "host:80" */
static inline bool far_origin(char out[FAR_TEXT], const char *url, const char *end)
{
    char name[FAR_TEXT];
    bool https = end - url > 8 && memcmp(url, "https://", 8) == 0;
    if (!https && (end - url < 8 || memcmp(url, "http://", 7) != 0)) return false;
    if (!far_cut(name, url + (https ? 8 : 7), end, "/?# \r\n\"'\\")) return false;
    const char *host = strrchr(name, '@') ? strrchr(name, '@') + 1 : name, *colon = strrchr(host, ':');
    bool port = colon && !strchr(colon, ']');
    return snprintf(out, FAR_TEXT, "%s%s", host, port ? "" : https ? ":443" : ":80") < FAR_TEXT;
}

/* ---- secrets ---- */

static inline void far_secret_add(far_side *side, far_kind kind, const char *text, const char *home)
{
    if (strlen(text) < 4 || strlen(text) >= FAR_TEXT || side->num_secrets == FAR_SECRETS) return;
    for (int i = 0; i < side->num_secrets; i++)
        if (strcmp(side->secrets[i].text, text) == 0 && strcmp(side->secrets[i].home, home) == 0) return;
    far_secret *secret = &side->secrets[side->num_secrets++];
    secret->kind = kind;
    snprintf(secret->text, FAR_TEXT, "%s", text);
    snprintf(secret->home, FAR_TEXT, "%s", home);
}

static inline bool far_is_allowed(const far_side *side, const char *origin)
{
    for (int i = 0; i < side->num_allowed; i++)
        if (strcmp(side->allowed[i], origin) == 0 || strcmp(side->allowed[i], "*") == 0) return true;
    return false;
}

static inline void far_allow(far_side *side, const char *origin)
{
    if (far_is_allowed(side, origin)) return;
    if (side->num_allowed == FAR_ALLOWED) abort();
    snprintf(side->allowed[side->num_allowed++], FAR_TEXT, "%s", origin);
}

static inline bool far_may_reach(const far_secret *secret, const char *origin)
{
    char host[FAR_TEXT];
    if (secret->kind == FAR_SECRET) return true;
    if (secret->kind == FAR_TOKEN) return strcmp(secret->home, origin) == 0;
    snprintf(host, sizeof host, "%s", origin);
    char *colon = strrchr(host, ':');
    if (colon && !strchr(colon, ']')) *colon = '\0';
    size_t len = strlen(host), home = strlen(secret->home);
    if (strcmp(host, secret->home) == 0) return true;
    return secret->kind == FAR_DOMAIN_COOKIE && len > home && host[len - home - 1] == '.' &&
           strcmp(host + len - home, secret->home) == 0;
}

/* Whether any of the secrets of this text may reach the origin. */
static inline bool far_any_may_reach(const far_side *side, const far_secret *what, const char *origin)
{
    for (int i = 0; i < side->num_secrets; i++)
        if (strcmp(side->secrets[i].text, what->text) == 0 && far_may_reach(&side->secrets[i], origin))
            return true;
    return false;
}

static inline void far_check_secrets(far_side *side, const far_message *m, const char *origin,
                                     const http_request *r) {
    if (side->counts_only) return;
    for (int i = 0; i < side->num_secrets; i++) {
        const far_secret *secret = &side->secrets[i];
        bool moved = m && secret->kind == FAR_TOKEN && strcmp(m->goes_to, origin) == 0;
        bool allowed = secret->kind == FAR_TOKEN && far_is_allowed(side, origin);
        if (moved || allowed || far_any_may_reach(side, secret, origin)) continue;
        if (far_find(r->head, r->head_len, secret->text) || far_find(r->body, r->body_len, secret->text))
            check_fail(__FILE__, __LINE__, "%s reached %s, but is for %s", secret->text, origin,
                       secret->home);
    }
}

/* No error may tell a secret, or what was asked. */
static inline void far_check_words(const far_side *side, const far_message *m, const char *words)
{
    if (side->counts_only) return;
    for (int i = 0; i < side->num_secrets; i++) {
        const far_secret *secret = &side->secrets[i];
        bool cookie = secret->kind == FAR_COOKIE || secret->kind == FAR_DOMAIN_COOKIE;
        const char *text = cookie && strchr(secret->text, '=') ? strchr(secret->text, '=') + 1 : secret->text;
        if (strlen(text) > 4 && strstr(words, text))
            check_fail(__FILE__, __LINE__, "the error \"%s\" tells \"%s\"", words, text);
    }
    if (m && m->words[0] && strstr(words, m->words))
        check_fail(__FILE__, __LINE__, "the error \"%s\" tells the message", words);
}

/* ---- what the far side says ---- */

static inline void far_learn_cookie(far_side *side, const far_line *line, const char *at, const char *end)
{
    char text[FAR_TEXT], home[FAR_TEXT], all[FAR_TEXT];
    while (at < end && *at == ' ') at++;
    if (!far_cut(text, at, end, ";\r\n") || !far_cut(all, at, end, "\r\n")) return;
    for (char *c = all; *c; c++) *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    const char *domain = strstr(all, "domain=");
    snprintf(home, sizeof home, "%s", line->origin);
    char *colon = strrchr(home, ':');
    if (colon && !strchr(colon, ']')) *colon = '\0';
    if (domain) far_cut(home, domain + 7 + (domain[7] == '.'), all + strlen(all) + 1, "; ");
    far_secret_add(side, domain ? FAR_DOMAIN_COOKIE : FAR_COOKIE, text, home);
}

static inline void far_learn_tokens(far_side *side, far_line *line, const char *bytes, size_t len)
{
    static const char *const marks[] = { "data-nonce=\"", "\"nonce\":\"", "\"cache_key\":\"" };
    char text[FAR_TEXT];
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = bytes, *end = bytes + len;
        while ((at = far_find(at, (size_t)(end - at), marks[i])) != NULL) {
            at += strlen(marks[i]);
            if (i == 2 && line->message) line->message->has_key = true;
            if (far_cut(text, at, end, "\"")) far_secret_add(side, FAR_TOKEN, text, line->origin);
        }
    }
}

/* An act begins to be said, as an answer to the last request. */
static inline void far_says(far_side *side, far_line *line, const char *bytes, size_t len)
{
    static const char *const cookies[] = { "Set-Cookie:", "set-cookie:" };
    if (len > 100000) len = 100000;
    const char *end = bytes + len, *at;
    for (int i = 0; i < 2; i++)
        for (at = bytes; (at = far_find(at, (size_t)(end - at), cookies[i])) != NULL; at++)
            far_learn_cookie(side, line, at + strlen(cookies[i]), end);
    far_learn_tokens(side, line, bytes, len);
    at = far_find(bytes, len, "Location: ");
    if (at && line->message && len > 12 && memcmp(bytes + 9, "30", 2) == 0 && strchr("78", bytes[11]))
        far_origin(line->message->goes_to, at + 10, end);
}

static inline void far_said(far_line *line, const char *bytes, size_t len)
{
    far_message *m = line->message;
    if (!m) return;
    for (size_t i = 0; i < len && m->answered + i < sizeof m->head - 1; i++)
        m->head[m->answered + i] = bytes[i];
    m->answered += len;
}

/* Read or write told the client that the connection is closed. */
static inline void far_closed(far_line *line, long long now)
{
    if (!line->message || line->message->was_closed) return;
    line->message->was_closed = true;
    line->message->closed = now;
}

/* ---- what it is told ---- */

static inline far_message *far_message_of(far_side *side, const void *stream)
{
    far_message *m = side->messages;
    while (m && m->stream != stream) m = m->next;
    return m;
}

static inline far_message *far_begin(far_side *side, const void *stream)
{
    far_message *m = (far_message *)calloc(1, sizeof *m);
    if (!m) abort();
    m->stream = stream;
    m->next = side->messages;
    return side->messages = m;
}

/* The stream at work; chat() and ask() begin one with their first byte. */
static inline far_message *far_current(far_side *side)
{
    if (!far_now.fresh) return far_message_of(side, far_now.stream);
    far_now.fresh = false;
    return far_begin(side, NULL);
}

/* The status of the answer, interim ones passed over; 0: none was read. */
static inline int far_status(const far_message *m)
{
    const char *at = m->head;
    while (strncmp(at, "HTTP/1.", 7) == 0 && at[9] == '1') {
        const char *end = strstr(at, "\r\n\r\n");
        if (!end) return 0;
        at = end + 4;
    }
    return strlen(at) > 12 ? (int)strtol(at + 9, NULL, 10) : 0;
}

/* Why a message that was here already may come again; NULL: it may not. */
static inline const char *far_excuse(far_message *m, const char *nonce, const char *action)
{
    int status = far_status(m);
    bool other = strcmp(nonce, m->nonce) != 0 || strcmp(action, m->action) != 0;
    if (status == 307 || status == 308) return "redirected";
    if (m->has_key && strcmp(action, m->action) != 0) return NULL;      /* the other generation has it */
    if (status && other && m->refreshes++ < 2) return "refused, and a fresh token given out";
    if (m->was_kept && m->was_closed && !m->answered && m->closed - m->sent <= m->within && !m->repeats++)
        return "the one safe rule";
    return NULL;
}

static inline void far_arrives(far_side *side, far_line *line, far_message *m, const http_request *r)
{
    char nonce[FAR_TEXT] = "", action[FAR_TEXT] = "";
    if (!request_field(r, "_wpnonce", nonce, sizeof nonce))
        request_field(r, "_ajax_nonce", nonce, sizeof nonce);
    request_field(r, "action", action, sizeof action);
    side->arrivals++;
    if (!m) return;
    if (m->arrivals++ > 0 && !far_excuse(m, nonce, action) && side->repeats_used++ >= side->repeats_allowed)
        check_fail(__FILE__, __LINE__, "a message arrived %d times, the last time at %s", m->arrivals,
                   line->origin);
    memcpy(m->nonce, nonce, sizeof nonce);
    memcpy(m->action, action, sizeof action);
    memset(m->head, 0, sizeof m->head);
    m->answered = 0;
    m->was_closed = false;
    m->was_kept = line->requests > 0;
    m->sent = line->last;
    m->within = line->connect_ms * 3 > 1000 ? line->connect_ms * 3 : 1000;
    line->message = m;
}

static inline void far_request(far_side *side, far_line *line, const http_request *r)
{
    const char *target = (const char *)memchr(r->head, ' ', r->head_len), *end = r->head + r->head_len;
    bool post = memcmp(r->head, "POST ", 5) == 0;
    far_message *m = far_current(side);
    line->message = NULL;
    memcpy(line->origin, line->peer, sizeof line->origin);
    if (target) far_origin(line->origin, target + 1, end);
    if (memcmp(r->head, "CONNECT ", 8) == 0) { line->opaque = true; return; }
    far_check_secrets(side, m, line->origin, r);
    if (post && far_find(r->body, r->body_len, "&message=")) far_arrives(side, line, m, r);
    line->requests++;
}

/* More was written. Linear, however it is cut: the end of a head is looked for once. */
static inline void far_written(far_side *side, far_line *line, const char *bytes, size_t len, long long now)
{
    http_request r;
    line->last = now;
    if (!line->connected) { line->connected = true; line->connect_ms = now - line->opened; }
    while (!line->opaque && line->seen < len) {
        const char *start = bytes + line->seen;
        size_t left = len - line->seen, one;
        if (*start < 'A' || *start > 'Z') { line->opaque = true; return; }
        if (line->needed > left) return;
        if (!line->needed) {
            size_t from = line->scanned > 3 ? line->scanned - 3 : 0;
            if (!far_find(start + from, left - from, "\r\n\r\n")) { line->scanned = left; return; }
        }
        one = request_parse(start, left, &r);
        if (!one) {
            char size[24];
            line->needed = left + 1;
            if (request_header(&r, "Content-Length", size, sizeof size))
                line->needed = r.head_len + (size_t)strtoull(size, NULL, 10);
            return;
        }
        line->seen += one;
        line->scanned = line->needed = 0;
        far_request(side, line, &r);
    }
}

/* ---- what it costs to wait ---- */

static inline void far_progress(far_side *side) { side->zero_waits = side->idle_calls = 0; }

static inline void far_tell_busy(far_side *side, const char *what, int count)
{
    if (!side->busy) check_fail(__FILE__, __LINE__, "busy: %s, %d times in a row", what, count);
    side->busy = true;
}

static inline void far_idle_call(far_side *side)
{
    if (++side->idle_calls > FAR_IDLE_CALLS)
        far_tell_busy(side, "read or write said AGAIN", side->idle_calls);
}

static inline void far_reset(far_side *side)
{
    while (side->messages) {
        far_message *m = side->messages;
        side->messages = m->next;
        free(m);
    }
    side->num_secrets = side->kept_secrets;
    side->zero_waits = side->idle_calls = side->arrivals = side->repeats_used = 0;
    side->stepped = side->busy = false;
}

/* ---- the public calls, watched ---- */

static inline void far_check_error(const chatgptt_error *error)
{
    if (far_now.side && error && error->code < 0)
        far_check_words(far_now.side, far_message_of(far_now.side, far_now.stream), error->message);
}

static inline void far_note_words(far_message *m, const char *words)
{
    if (words && strlen(words) >= 12) snprintf(m->words, sizeof m->words, "%s", words);
}

static inline chatgptt_stream *far_start(chatgptt_client *client, const chatgptt_request *request)
{
    far_now.side = NULL;
    chatgptt_stream *stream = chatgptt_start(client, request);
    if (stream && far_now.side) far_note_words(far_begin(far_now.side, stream), request->prompt);
    return stream;
}

/* A stream that is driven from within another's callback must not be taken for it. */
static inline chatgptt_code far_drive(chatgptt_stream *stream, chatgptt_event *event, bool blocking)
{
    const void *outer = far_now.stream;
    far_now.stream = stream;
    far_now.fresh = false;
    far_now.side = NULL;
    chatgptt_code code = blocking ? chatgptt_next(stream, event) : chatgptt_step(stream, event);
    if (code < 0 && stream) far_check_error(chatgptt_stream_error(stream));
    if (far_now.side) far_now.side->stepped = code == CHATGPTT_AGAIN;
    if (far_now.side && code != CHATGPTT_AGAIN) far_progress(far_now.side);
    far_now.stream = outer;
    return code;
}
static inline chatgptt_code far_step(chatgptt_stream *s, chatgptt_event *e) { return far_drive(s, e, false); }
static inline chatgptt_code far_next(chatgptt_stream *s, chatgptt_event *e) { return far_drive(s, e, true); }

static inline chatgptt_wait far_want(const chatgptt_stream *stream)
{
    far_now.side = NULL;
    chatgptt_wait want = chatgptt_want(stream);
    far_side *side = far_now.side;
    if (!side || !side->stepped) return want;
    side->stepped = false;
    if (want.timeout_ms != 0) side->zero_waits = 0;
    else if (++side->zero_waits > FAR_ZERO_WAITS) far_tell_busy(side, "want() said 0 ms", side->zero_waits);
    return want;
}

static inline chatgptt_code far_chat(chatgptt_client *client, const chatgptt_request *request,
                                     chatgptt_text_fn *on_text, void *user) {
    far_now.stream = NULL;
    far_now.fresh = true;
    far_now.side = NULL;
    chatgptt_code code = chatgptt_chat(client, request, on_text, user);
    if (code < 0 && client) far_check_error(chatgptt_client_error(client));
    far_now.fresh = false;
    return code;
}

static inline char *far_ask(chatgptt_client *client, const char *prompt)
{
    far_now.stream = NULL;
    far_now.fresh = true;
    far_now.side = NULL;
    char *text = chatgptt_ask(client, prompt);
    if (!text && client) far_check_error(chatgptt_client_error(client));
    far_now.fresh = false;
    return text;
}

#endif
