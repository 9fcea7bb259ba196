/* script.h - surroundings under control: a scripted transport, a clock that only waiting moves, counted
   random bytes, an allocator that fails when told and finds leaks. All through chatgptt_options.transport and
   .hooks; nothing sleeps or touches the network. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "../chatgptt.h"
#include "check.h"
#include "far_side.h"
#include "request.h"

/* A script is a list of connections, each a list of acts. The k-th open() of the client plays the k-th
   connection:

        script s;
        script_init(&s);
        script_connection(&s);
            script_request(&s);                         waits until the client has written a whole request
            script_say(&s, "HTTP/1.1 200 OK\r\n...");
        chatgptt_options options = script_options(&s);
        ... the client's calls, client closed ...
        CHECK_STR(script_field(&s, 0, 1, "message", text, sizeof text), "hello");
        script_finish(&s);                              fails the case for what leaked, hung or was left open

    The client may write at any time, unless an act says otherwise. After its last act a connection is open
    and silent. script_rewind() makes ready for another run of the same script, with other cuts or another
    failing allocation.

    Beside what a test checks, far_side.h watches every script: a message that arrives twice (but by the one
    safe rule, redirected, or with a fresh token), a token or cookie at a foreign origin, a secret in an
    error, a busy loop fail the case. It learns secrets from what the script says and from the options' url,
    endpoint and proxy; a test that means it so says script_allow(&s, "host:port") or
    script_allow_repeats(&s, n), and names secrets of its own by script_secret(&s, text, origin or NULL). */

#define SCRIPT_ACTS 400
#define SCRIPT_CONNECTIONS 50
#define SCRIPT_FIRST_FD 1000                /* made up: descriptors are this + number of the connection */
#define SCRIPT_NEVER 0x7fffffffffffffffLL

typedef enum script_kind {
    /* the connection stands after `ms`: until then reads and writes say AGAIN */
    SCRIPT_CONNECT,
    SCRIPT_REQUEST,                         /* until one more request is written */
    SCRIPT_ACCEPT,                          /* until `len` more bytes are written, and not one more */
    SCRIPT_SEND,                            /* `bytes`, `times` over, to be read */
    SCRIPT_PAUSE,                           /* `ms` of silence */
    SCRIPT_END,                             /* reads say DONE from now on */
    SCRIPT_FAIL                             /* reads, writes or both say `code` from now on */
} script_kind;

typedef struct script_act {
    script_kind kind;
    const char *bytes;
    size_t len, times;
    int ms;
    unsigned events;                        /* of FAIL */
    chatgptt_code code;
} script_act;

typedef struct script_peer {                /* one connection of the script, and how far it is */
    struct script *script;
    int first, end;                         /* its acts */
    chatgptt_code refusal;                  /* what open() says; OK: it opens */
    int at;                                 /* act that is on */
    long long since;                        /* when that act began ... */
    size_t mark;                            /* ... and how much was written then */
    size_t sent;                            /* of the act's bytes */
    size_t delivered;                       /* of the whole connection */
    bool rest_read, rest_write;             /* a limit cut the last call short: the next one says AGAIN */
    unsigned again;                         /* events whose last call said AGAIN */
    bool gone;                              /* it hung up, whatever its acts say */
    bool is_open;
    char host[256], port[8];                /* as open() got them */
    char *written;                          /* all the client wrote */
    size_t written_len, written_size;
    size_t requests_end;                    /* bytes of `written` that REQUEST acts took */
    far_line far;
} script_peer;

typedef struct script {
    /* knobs; script_rewind() leaves them */
    size_t read_max;                        /* most bytes a read gives, AGAIN between; 0: no limit */
    /* a read ends, and AGAIN follows, at this position of each connection; 0: none */
    size_t cut;
    size_t write_max;                       /* most bytes a write takes, AGAIN between; 0: no limit */
    bool no_descriptors;                    /* want() gives none, and the time instead */
    /* this allocation fails (the first is 1); this and all later ones; 0: none */
    long fail_at, fail_from;
    /* to be looked at */
    long long now;                          /* ms; begins at 1000 */
    long long unix_now;                     /* s; stands still */
    int opened;                             /* calls of open() */
    int waits;                              /* calls of wait() */
    bool hung;
    long allocations;                       /* asked for, failed ones included */
    size_t live_blocks, live_bytes, peak_bytes;
    /* private */
    script_act acts[SCRIPT_ACTS];
    script_peer peers[SCRIPT_CONNECTIONS];
    int num_acts, num_peers;
    script_peer *asked;                     /* whom want() was last asked about */
    int idle_waits;                         /* waits since a byte moved */
    unsigned char next_random;
    far_side far;
} script;

/* ---- writing the script; strings and bytes are borrowed ---- */

static inline void script_init(script *s)
{
    memset(s, 0, sizeof *s);
    s->now = 1000;
    s->unix_now = 1700000000;
}

/* What a test allows or forbids beside the rules of far_side.h; kept by script_rewind(). Cookies are never
   allowed anywhere else. */
static inline void script_allow(script *s, const char *origin) { far_allow(&s->far, origin); }
static inline void script_allow_repeats(script *s, int n) { s->far.repeats_allowed = n; }
/* For this origin only ("host:port"), or for none but errors. */
static inline void script_secret(script *s, const char *text, const char *origin)
{
    far_secret_add(&s->far, origin ? FAR_TOKEN : FAR_SECRET, text, origin ? origin : "");
    s->far.kept_secrets = s->far.num_secrets;
}
/* "name=value", for this host. */
static inline void script_cookie(script *s, const char *text, const char *host)
{
    far_secret_add(&s->far, FAR_COOKIE, text, host);
    s->far.kept_secrets = s->far.num_secrets;
}

static inline void script_connection(script *s)
{
    if (s->num_peers == SCRIPT_CONNECTIONS) abort();
    script_peer *peer = &s->peers[s->num_peers++];
    peer->script = s;
    peer->first = peer->end = peer->at = s->num_acts;
}

static inline script_act *script_add(script *s, script_kind kind)
{
    if (s->num_peers == 0 || s->num_acts == SCRIPT_ACTS) abort();
    script_act *act = &s->acts[s->num_acts++];
    s->peers[s->num_peers - 1].end = s->num_acts;
    act->kind = kind;
    return act;
}

/* The connection fails in open(): no acts. */
static inline void script_refuse(script *s, chatgptt_code code) { s->peers[s->num_peers - 1].refusal = code; }

/* -1: never */
static inline void script_connect(script *s, int ms)        { script_add(s, SCRIPT_CONNECT)->ms = ms; }
static inline void script_request(script *s)                { script_add(s, SCRIPT_REQUEST); }
static inline void script_accept(script *s, size_t len)     { script_add(s, SCRIPT_ACCEPT)->len = len; }
/* -1: for ever */
static inline void script_pause(script *s, int ms)          { script_add(s, SCRIPT_PAUSE)->ms = ms; }
static inline void script_end(script *s)                    { script_add(s, SCRIPT_END); }

/* `times` times these bytes, so that a long answer needs no memory. */
static inline void script_send(script *s, const char *bytes, size_t len, size_t times)
{
    script_act *act = script_add(s, SCRIPT_SEND);
    act->bytes = bytes;
    act->len = len;
    act->times = times;
}
static inline void script_say(script *s, const char *text) { script_send(s, text, strlen(text), 1); }

/* `events`: CHATGPTT_READ, CHATGPTT_WRITE or both; a direction not named says AGAIN. Code AGAIN for writes:
   they stall. */
static inline void script_fail(script *s, unsigned events, chatgptt_code code)
{
    script_act *act = script_add(s, SCRIPT_FAIL);
    act->events = events;
    act->code = code;
}

/* ---- playing it ---- */

static inline const script_act *script_act_now(const script_peer *peer)
{
    return peer->at < peer->end ? &peer->script->acts[peer->at] : NULL;
}

/* When the act's time is over: CONNECT and PAUSE only. */
static inline long long script_due(const script_peer *peer, const script_act *act)
{
    return act->ms < 0 ? SCRIPT_NEVER : peer->since + act->ms;
}

static inline bool script_act_over(script_peer *peer, const script_act *act)
{
    http_request request;
    size_t len;
    switch (act->kind) {
    case SCRIPT_CONNECT:
    case SCRIPT_PAUSE:  return peer->script->now >= script_due(peer, act);
    case SCRIPT_ACCEPT: return peer->written_len - peer->mark >= act->len;
    case SCRIPT_SEND:   return peer->sent == act->len * act->times;
    case SCRIPT_REQUEST:
        if (!peer->written) return false;
        len = request_parse(peer->written + peer->requests_end, peer->written_len - peer->requests_end,
                            &request);
        peer->requests_end += len;
        return len > 0;
    case SCRIPT_END:
    case SCRIPT_FAIL:   break;
    }
    return false;
}

/* Goes on to the act that is on by now. */
static inline const script_act *script_advance(script_peer *peer)
{
    const script_act *act;
    while ((act = script_act_now(peer)) != NULL && script_act_over(peer, act)) {
        peer->since = peer->script->now;
        peer->mark = peer->written_len;
        peer->sent = 0;
        peer->at++;
    }
    return act;
}

/* Every connection that is open is closed by its peer now. */
static inline void script_hang_up(script *s)
{
    for (int i = 0; i < s->opened; i++) s->peers[i].gone = true;
}

/* When a call in this direction will do something: now, later, or never by itself. */
static inline long long script_ready_at(script_peer *peer, unsigned event)
{
    const script_act *act = script_advance(peer);
    long long now = peer->script->now;
    if (peer->gone) return now;
    if (act && act->kind == SCRIPT_CONNECT) return script_due(peer, act);
    if (act && act->kind == SCRIPT_FAIL && (act->events & event))
        return act->code == CHATGPTT_AGAIN ? SCRIPT_NEVER : now;
    if (event == CHATGPTT_WRITE) return now;
    if (act && act->kind == SCRIPT_PAUSE) return script_due(peer, act);
    return act && (act->kind == SCRIPT_SEND || act->kind == SCRIPT_END) ? now : SCRIPT_NEVER;
}

static inline chatgptt_code script_open(void *user, const char *host, const char *port, void **conn)
{
    script *s = (script *)user;
    if (s->opened == s->num_peers) {
        check_fail(__FILE__, __LINE__, "open(%s, %s): more connections than the %d of the script", host, port,
                   s->num_peers);
        return CHATGPTT_E_CONNECT;
    }
    script_peer *peer = &s->peers[s->opened++];
    snprintf(peer->host, sizeof peer->host, "%s", host);
    snprintf(peer->port, sizeof peer->port, "%s", port);
    if (snprintf(peer->far.peer, FAR_TEXT, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port) >= FAR_TEXT)
        peer->far.peer[0] = '\0';
    peer->far.opened = s->now;
    if (peer->refusal != CHATGPTT_OK) return peer->refusal;
    peer->is_open = true;
    peer->since = s->now;
    *conn = peer;
    return CHATGPTT_OK;
}

/* Notes what a read or write came to. */
static inline chatgptt_code script_did(script_peer *peer, unsigned event, chatgptt_code code)
{
    peer->again = code == CHATGPTT_AGAIN ? peer->again | event : peer->again & ~event;
    if (code == CHATGPTT_DONE || code == CHATGPTT_E_CLOSED) far_closed(&peer->far, peer->script->now);
    if (code == CHATGPTT_AGAIN) far_idle_call(&peer->script->far);
    else {
        peer->script->idle_waits = 0;
        far_progress(&peer->script->far);
    }
    return code;
}

static inline size_t script_least(size_t a, size_t b) { return a < b ? a : b; }

static inline chatgptt_code script_deliver(script_peer *peer, const script_act *act, char *buffer,
                                           size_t size, size_t *done) {
    script *s = peer->script;
    size_t len = script_least(size, act->len * act->times - peer->sent);
    if (peer->sent == 0) far_says(&s->far, &peer->far, act->bytes, act->len);
    if (s->read_max) len = script_least(len, s->read_max);
    if (s->cut > peer->delivered) len = script_least(len, s->cut - peer->delivered);
    for (size_t i = 0; i < len; i++) buffer[i] = act->bytes[(peer->sent + i) % act->len];
    far_said(&peer->far, buffer, len);
    peer->sent += len;
    peer->delivered += len;
    peer->rest_read = s->read_max != 0 || peer->delivered == s->cut;
    *done = len;
    return CHATGPTT_OK;
}

static inline chatgptt_code script_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    script_peer *peer = (script_peer *)conn;
    const script_act *act = script_advance(peer);
    chatgptt_code code = CHATGPTT_AGAIN;
    (void)user;
    CHECK(peer->is_open && size > 0);
    *done = 0;
    if (peer->gone) return script_did(peer, CHATGPTT_READ, CHATGPTT_DONE);
    if (peer->rest_read) peer->rest_read = false;
    else if (act && act->kind == SCRIPT_SEND) code = script_deliver(peer, act, (char *)buffer, size, done);
    else if (act && act->kind == SCRIPT_END) code = CHATGPTT_DONE;
    else if (act && act->kind == SCRIPT_FAIL && (act->events & CHATGPTT_READ)) code = act->code;
    return script_did(peer, CHATGPTT_READ, code);
}

static inline void script_take(script_peer *peer, const char *bytes, size_t len)
{
    if (peer->written_size - peer->written_len < len) {
        peer->written_size = (peer->written_len + len) * 2;
        peer->written = (char *)realloc(peer->written, peer->written_size);
        if (!peer->written) abort();
    }
    memcpy(peer->written + peer->written_len, bytes, len);
    peer->written_len += len;
    far_written(&peer->script->far, &peer->far, peer->written, peer->written_len, peer->script->now);
}

static inline chatgptt_code script_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    script_peer *peer = (script_peer *)conn;
    const script *s = peer->script;
    const script_act *act = script_advance(peer);
    (void)user;
    CHECK(peer->is_open && size > 0);
    *done = 0;
    if (act && act->kind == SCRIPT_FAIL && (act->events & CHATGPTT_WRITE))
        return script_did(peer, CHATGPTT_WRITE, act->code);
    if (peer->rest_write || (act && act->kind == SCRIPT_CONNECT)) {
        peer->rest_write = false;
        return script_did(peer, CHATGPTT_WRITE, CHATGPTT_AGAIN);
    }
    if (s->write_max) size = script_least(size, s->write_max);
    if (act && act->kind == SCRIPT_ACCEPT)
        size = script_least(size, act->len - (peer->written_len - peer->mark));
    script_take(peer, (const char *)bytes, size);
    peer->rest_write = s->write_max != 0;
    *done = size;
    return script_did(peer, CHATGPTT_WRITE, CHATGPTT_OK);
}

/* The earliest moment at which one of the events is ready. */
static inline long long script_any_ready_at(script_peer *peer, unsigned events)
{
    long long at = SCRIPT_NEVER;
    if (events & CHATGPTT_READ) at = script_ready_at(peer, CHATGPTT_READ);
    if ((events & CHATGPTT_WRITE) && script_ready_at(peer, CHATGPTT_WRITE) < at)
        at = script_ready_at(peer, CHATGPTT_WRITE);
    return at;
}

static inline chatgptt_wait script_want(void *user, void *conn)
{
    script *s = (script *)user;
    script_peer *peer = (script_peer *)conn;
    chatgptt_wait wait;
    CHECK(peer->is_open);
    memset(&wait, 0, sizeof wait);
    s->asked = peer;
    wait.timeout_ms = -1;
    wait.generation = (unsigned)s->opened;
    if (s->no_descriptors) {
        long long at = script_any_ready_at(peer, peer->again);
        if (at != SCRIPT_NEVER) wait.timeout_ms = (int)(at - s->now);
        return wait;
    }
    wait.count = 1;
    wait.on[0].fd = SCRIPT_FIRST_FD + (int)(peer - s->peers);
    wait.on[0].events = peer->again;
    return wait;
}

/* When the first of what is waited for comes; the timeout is the caller's matter. */
static inline long long script_wait_ends(script *s, const chatgptt_wait *what)
{
    long long first = SCRIPT_NEVER;
    if (what->count == 0 && s->asked && s->asked->is_open)
        first = script_any_ready_at(s->asked, s->asked->again);
    for (int i = 0; i < what->count; i++) {
        int number = what->on[i].fd - SCRIPT_FIRST_FD;
        if (!CHECK(number >= 0 && number < s->opened && s->peers[number].is_open)) continue;
        long long at = script_any_ready_at(&s->peers[number], what->on[i].events);
        if (at < first) first = at;
    }
    return first;
}

/* Moves the clock to the end of the wait. What would last for ever is a hang: reported, E_IO. A loop that
   waits 100,000 times without a byte moving hangs too. For tests with their own step loop: script_wait(&s,
   &want). */
static inline chatgptt_code script_wait(void *user, const chatgptt_wait *what)
{
    script *s = (script *)user;
    long long until = script_wait_ends(s, what);
    s->waits++;
    if (what->timeout_ms >= 0 && s->now + what->timeout_ms < until) until = s->now + what->timeout_ms;
    if (until == SCRIPT_NEVER || ++s->idle_waits > 100000) {
        int act = s->asked ? s->asked->at - s->asked->first : 0;
        if (!s->hung)
            check_fail(__FILE__, __LINE__, "hang: at %lld ms, in act %d, nothing more will come", s->now,
                       act);
        s->hung = true;
        return CHATGPTT_E_IO;
    }
    if (until > s->now) far_progress(&s->far);
    if (until > s->now) s->now = until;
    return CHATGPTT_OK;
}

static inline void script_close(void *user, void *conn)
{
    script_peer *peer = (script_peer *)conn;
    (void)user;
    CHECK(peer->is_open);
    peer->is_open = false;
}

/* ---- the hooks ---- */

typedef union script_block {
    struct {
        size_t size, check;
    } is;
    long double align;
    void *align_too;
} script_block;

static inline script_block *script_new_block(script *s, size_t size)
{
    long number = ++s->allocations;
    bool fails = number == s->fail_at || (s->fail_from && number >= s->fail_from);
    script_block *block = fails ? NULL : (script_block *)malloc(sizeof(script_block) + size);
    if (!block) return NULL;
    block->is.size = size;
    block->is.check = ~size;
    memset(block + 1, 0xa5, size);
    s->live_blocks++;
    s->live_bytes += size;
    if (s->live_bytes > s->peak_bytes) s->peak_bytes = s->live_bytes;
    return block;
}

/* Every growth and every cut moves the block, so that a stale pointer shows; a wrong old_size fails the case.
   */
static inline void *script_resize(void *user, void *memory, size_t old_size, size_t new_size)
{
    script *s = (script *)user;
    script_block *old = memory ? (script_block *)memory - 1 : NULL;
    script_block *block = new_size ? script_new_block(s, new_size) : NULL;
    if (!old) CHECK_INT(old_size, 0);
    if (new_size && !block) return NULL;
    if (old) {
        CHECK_INT(old_size, old->is.size);
        CHECK(old->is.check == ~old->is.size);
        if (block) memcpy(block + 1, old + 1, script_least(old->is.size, new_size));
        s->live_blocks--;
        s->live_bytes -= old->is.size;
        free(old);
    }
    return block ? block + 1 : NULL;
}

static inline long long script_now(void *user)
{
    far_now.side = &((script *)user)->far;
    return ((script *)user)->now;
}
static inline long long script_unix_time(void *user) { return ((script *)user)->unix_now; }

/* 0, 1, 2, ... */
static inline chatgptt_code script_random(void *user, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) ((unsigned char *)bytes)[i] = ((script *)user)->next_random++;
    return CHATGPTT_OK;
}

/* All hooks, for tests that use other transports too. */
static inline chatgptt_hooks script_hooks(script *s)
{
    chatgptt_hooks hooks;
    memset(&hooks, 0, sizeof hooks);
    hooks.resize = script_resize;
    hooks.now_ms = script_now;
    hooks.unix_time = script_unix_time;
    hooks.random = script_random;
    hooks.user = s;
    return hooks;
}

/* Options for a client on this script, for the page http://site.test/. */
static inline chatgptt_options script_options(script *s)
{
    chatgptt_options options;
    memset(&options, 0, sizeof options);
    options.url = "http://site.test/";
    options.hooks = script_hooks(s);
    options.transport.open = script_open;
    options.transport.read = script_read;
    options.transport.write = script_write;
    options.transport.want = script_want;
    options.transport.wait = script_wait;
    options.transport.close = script_close;
    options.transport.user = s;
    return options;
}

/* ---- afterwards ---- */

/* The n-th whole request of a connection, both counted from 0; false if there is none. Points into what was
   written. */
static inline bool script_get(const script *s, int connection, int n, http_request *request)
{
    const script_peer *peer = &s->peers[connection];
    size_t at = 0, len;
    if (!peer->written) return false;
    do {
        len = request_parse(peer->written + at, peer->written_len - at, request);
        at += len;
    } while (len > 0 && n-- > 0);
    return len > 0;
}

/* Number of whole requests on a connection. */
static inline int script_count(const script *s, int connection)
{
    http_request request;
    int n = 0;
    while (script_get(s, connection, n, &request)) n++;
    return n;
}

/* Head, a header's value, a decoded form field of the n-th request: copied to out[size]; NULL if it is
   missing or too long. */
static inline const char *script_head(const script *s, int connection, int n, char *out, size_t size)
{
    http_request request;
    if (!script_get(s, connection, n, &request) || request.head_len >= size) return NULL;
    memcpy(out, request.head, request.head_len);
    out[request.head_len] = '\0';
    return out;
}
static inline const char *script_header(const script *s, int connection, int n, const char *name, char *out,
                                        size_t size) {
    http_request request;
    return script_get(s, connection, n, &request) ? request_header(&request, name, out, size) : NULL;
}
static inline const char *script_field(const script *s, int connection, int n, const char *name, char *out,
                                       size_t size) {
    http_request request;
    return script_get(s, connection, n, &request) ? request_field(&request, name, out, size) : NULL;
}

/* Checks what every run must leave behind: no memory, no open connection, no hang. */
static inline void script_settle(const script *s)
{
    CHECK_INT(s->live_blocks, 0);
    CHECK_INT(s->live_bytes, 0);
    CHECK(!s->hung);
    for (int i = 0; i < s->num_peers; i++)
        if (s->peers[i].is_open) check_fail(__FILE__, __LINE__, "connection %d was left open", i);
}

/* Back to the start of all connections, after the same checks. Acts and knobs stay. */
static inline void script_rewind(script *s)
{
    script_settle(s);
    for (int i = 0; i < s->num_peers; i++) {
        script_peer fresh;
        memset(&fresh, 0, sizeof fresh);
        fresh.script = s;
        fresh.first = fresh.at = s->peers[i].first;
        fresh.end = s->peers[i].end;
        fresh.refusal = s->peers[i].refusal;
        free(s->peers[i].written);
        s->peers[i] = fresh;
    }
    s->now = 1000;
    s->opened = s->waits = s->idle_waits = 0;
    s->hung = false;
    s->allocations = 0;
    s->live_blocks = s->live_bytes = s->peak_bytes = 0;
    s->asked = NULL;
    s->next_random = 0;
    far_reset(&s->far);
}

static inline void script_finish(script *s) { script_rewind(s); }

/* ---- the public calls, watched by far_side.h ---- */

/* Where the options send tokens is meant; a login in them is a secret. */
static inline void script_learn(script *s, const chatgptt_options *options)
{
    const char *const urls[] = { options->url, options->endpoint, options->proxy };
    char text[FAR_TEXT];
    const char *endpoint = options->endpoint ? options->endpoint : "";
    if (far_origin(text, endpoint, endpoint + strlen(endpoint) + 1))
        far_allow(&s->far, text);
    for (int i = 0; i < 3; i++) {
        const char *at = urls[i] ? strstr(urls[i], "://") : NULL;
        const char *login = at ? at + 3 : urls[i], *end = login ? strrchr(login, '@') : NULL;
        if (end && memchr(login, ':', (size_t)(end - login)))
            login = (const char *)memchr(login, ':', (size_t)(end - login)) + 1;
        if (end && far_cut(text, login, end + 1, "@")) script_secret(s, text, NULL);
    }
}

static inline chatgptt_client *script_open_client(const chatgptt_options *options, chatgptt_error *error)
{
    script *s = options && options->hooks.resize == script_resize ? (script *)options->hooks.user : NULL;
    if (s) script_learn(s, options);
    chatgptt_client *client = chatgptt_open(options, error);
    if (!client && s && error) far_check_words(&s->far, NULL, error->message);
    return client;
}

#define chatgptt_open(options, error) script_open_client(options, error)
#define chatgptt_start(client, request) far_start(client, request)
#define chatgptt_step(stream, event) far_step(stream, event)
#define chatgptt_next(stream, event) far_next(stream, event)
#define chatgptt_want(stream) far_want(stream)
#define chatgptt_chat(client, request, on_text, user) far_chat(client, request, on_text, user)
#define chatgptt_ask(client, prompt) far_ask(client, prompt)

#endif
