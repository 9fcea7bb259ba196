/* net.h - a net in memory: every connection leads to one far side, which answers whatever request comes,
   over TLS where the port is 443. The n-th call of a kind goes wrong as told. Allocator, clock and oracle are
   script.h's. Include it behind chatgptt.h with its implementation. */
#ifndef NET_H
#define NET_H

#include "../script.h"
#ifndef CHATGPTT_NO_TLS
#include "../certs.h"
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#endif

#define NET_CONNECTIONS 24
#define NET_FIRST_FD 2000

typedef enum net_call { NET_OPEN, NET_READ, NET_WRITE, NET_WAIT, NET_CALLS } net_call;

/* How a call goes wrong: later, by one byte only, an end, and errors. The connection stays as dead as it is
   said to be. */
typedef enum net_flaw {
    NET_LATER,
    NET_SHORT,
    NET_END,
    NET_RESET,
    NET_IO,
    NET_TLS_FAULT,
    NET_TIMEOUT,
    NET_NO_MEMORY,
    NET_FLAWS
} net_flaw;

static const char *const net_call_names[] = { "open", "read", "write", "wait" };
static const char *const net_flaw_names[] = { "AGAIN", "one byte", "end of file", "reset",
                                              "E_IO",  "E_TLS",    "E_TIMEOUT",   "E_MEMORY" };

typedef struct net_bytes {
    char *at;
    size_t len, size, used;
} net_bytes;

typedef struct net_conn {
    struct net *net;
    int requests; /* handled */
    bool is_open, gone, deaf, tls; /* gone: closed once all is read; deaf: takes no more bytes */
    bool rest; /* the next read says AGAIN, since the last was cut short */
    unsigned again; /* events whose last call said so */
    chatgptt_code dead; /* what every call says from now on; OK: it lives */
    long long ready_at; /* until then there is nothing to read */
    size_t seam; /* no read goes over this place of `out` */
    net_bytes in, out, plain; /* as they came and go; without TLS */
    char head[512]; /* of the last answer over TLS */
    far_line far;
    char host[64];
#ifndef CHATGPTT_NO_TLS
    mbedtls_ssl_context ssl;
    bool ready;
#endif
} net_conn;

typedef void net_site(net_conn *c, const http_request *request);

typedef struct net {
    script s; /* hooks, clock, oracle; its acts are not used */
    net_conn conns[NET_CONNECTIONS];
    int opened;
    net_site *site; /* answers by net_say() */
    size_t read_max, early; /* most bytes a read gives; a request's that are answered */
    bool no_descriptors, hung;
    long idle; /* waits since a byte moved */
    int calls[NET_CALLS];
    int at; /* 0: none goes wrong */
    net_call call;
    net_flaw flaw;
    bool hit;
} net;

/* ---- the far side's TLS ---- */

#ifndef CHATGPTT_NO_TLS
static struct {
    cert_random random;
    cert root, leaf;
    char ca_pem[CERT_PEM_MAX];
    mbedtls_ssl_config config;
    mbedtls_x509_crt chain;
    mbedtls_ssl_ticket_context ticket;
} net_tls;

static inline void net_tls_open(void) {
    static const cert_spec root = { .cn = "Root", .ca = true, .key_slot = 1 },
                           leaf = { .san = "DNS:site.test,DNS:www.site.test" };
    certs_open();
    cert_random_open(&net_tls.random);
    cert_make(&net_tls.root, &root, NULL);
    cert_make(&net_tls.leaf, &leaf, &net_tls.root);
    cert_pem(&net_tls.root, net_tls.ca_pem, sizeof net_tls.ca_pem);
    mbedtls_ssl_config_init(&net_tls.config);
    mbedtls_x509_crt_init(&net_tls.chain);
    mbedtls_ssl_ticket_init(&net_tls.ticket);
    cert_must(mbedtls_ssl_config_defaults(&net_tls.config, MBEDTLS_SSL_IS_SERVER,
                                          MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
              "config");
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    mbedtls_ssl_conf_rng(&net_tls.config, mbedtls_ctr_drbg_random, &net_tls.random.drbg);
    cert_must(mbedtls_ssl_ticket_setup(&net_tls.ticket, mbedtls_ctr_drbg_random, &net_tls.random.drbg,
                                       MBEDTLS_CIPHER_AES_256_GCM, 3600),
              "tickets");
#else
    cert_must(mbedtls_ssl_ticket_setup(&net_tls.ticket, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256, 3600), "tickets");
#endif
    mbedtls_ssl_conf_session_tickets_cb(&net_tls.config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &net_tls.ticket);
    cert_must(mbedtls_x509_crt_parse_der(&net_tls.chain, net_tls.leaf.der, net_tls.leaf.len), "chain");
    cert_must(mbedtls_ssl_conf_own_cert(&net_tls.config, &net_tls.chain, net_tls.leaf.key), "own_cert");
}

static inline void net_tls_close(void) {
    mbedtls_ssl_ticket_free(&net_tls.ticket);
    mbedtls_x509_crt_free(&net_tls.chain);
    mbedtls_ssl_config_free(&net_tls.config);
    cert_random_close(&net_tls.random);
    certs_close();
}
#endif

/* ---- bytes ---- */

/* Terminated. */
static inline void net_put(net_bytes *b, const char *bytes, size_t len) {
    if (b->size - b->len <= len) {
        b->size = (b->len + len + 1) * 2;
        b->at = (char *)realloc(b->at, b->size);
        if (!b->at) abort();
    }
    if (len) memcpy(b->at + b->len, bytes, len);
    b->len += len;
    b->at[b->len] = '\0';
}

static inline void net_drop(net_bytes *b) {
    free(b->at);
    memset(b, 0, sizeof *b);
}

/* ---- for the site: it answers by these ---- */

static inline void net_send(net_conn *c, const char *bytes, size_t len) {
    far_says(&c->net->s.far, &c->far, bytes, len);
    if (!c->tls) {
        net_put(&c->out, bytes, len);
        return;
    }
#ifndef CHATGPTT_NO_TLS
    snprintf(c->head, sizeof c->head, "%.*s", (int)(len < 511 ? len : 511), bytes);
    while (len) {
        int sent = mbedtls_ssl_write(&c->ssl, (const unsigned char *)bytes, len);
        if (sent <= 0) abort();
        bytes += sent;
        len -= (size_t)sent;
    }
#endif
}

static inline void net_say(net_conn *c, const char *text) { net_send(c, text, strlen(text)); }

/* Closes once all is read. */
static inline void net_hang_up(net_conn *c) {
#ifndef CHATGPTT_NO_TLS
    if (c->tls && c->ready) mbedtls_ssl_close_notify(&c->ssl);
#endif
    c->gone = true;
}

/* ---- what arrives ---- */

static inline void net_handle(net_conn *c, net_bytes *b) {
    http_request request;
    size_t len;
    far_written(&c->net->s.far, &c->far, b->at, b->len, c->net->s.now);
    while (!c->gone && (len = request_parse(b->at + b->used, b->len - b->used, &request)) > 0) {
        b->used += len;
        c->net->site(c, &request);
        c->requests++;
    }
    len = b->len - b->used;
    if (c->net->early && len >= c->net->early && memcmp(b->at + b->used, "POST ", 5) == 0 && !c->deaf) {
        memset(&request, 0, sizeof request);
        request.head = request.body = b->at + b->used;
        request.head_len = request.body_len = len;
        c->deaf = true;
        c->net->site(c, &request);
    }
}

#ifndef CHATGPTT_NO_TLS
static inline int net_tls_recv(void *user, unsigned char *out, size_t size) {
    net_bytes *in = &((net_conn *)user)->in;
    size_t len = in->len - in->used < size ? in->len - in->used : size;
    if (!len) return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, in->at + in->used, len);
    in->used += len;
    return (int)len;
}

static inline int net_tls_send(void *user, const unsigned char *bytes, size_t size) {
    net_put(&((net_conn *)user)->out, (const char *)bytes, size);
    return (int)size;
}

static inline void net_tls_pump(net_conn *c) {
    char bytes[4096];
    int status = c->ready ? 0 : mbedtls_ssl_handshake(&c->ssl);
    if (status == MBEDTLS_ERR_SSL_WANT_READ) return;
    if (status) {
        c->gone = true;
        return;
    }
    c->ready = true;
    while ((status = mbedtls_ssl_read(&c->ssl, (unsigned char *)bytes, sizeof bytes)) > 0)
        net_put(&c->plain, bytes, (size_t)status);
    if (c->plain.len) net_handle(c, &c->plain);
    if (status != MBEDTLS_ERR_SSL_WANT_READ && !c->gone) net_hang_up(c);
}
#endif

/* From here on TLS is spoken, with the host of a tunnel or of open(). */
static inline void net_start_tls(net_conn *c, const char *origin) {
#ifndef CHATGPTT_NO_TLS
    far_line fresh;
    net_drop(&c->in);
    memset(&fresh, 0, sizeof fresh);
    snprintf(fresh.peer, sizeof fresh.peer, "%s", origin);
    fresh.opened = c->far.opened;
    c->far = fresh;
    c->tls = true;
    mbedtls_ssl_init(&c->ssl);
    cert_must(mbedtls_ssl_setup(&c->ssl, &net_tls.config), "ssl_setup");
    mbedtls_ssl_set_bio(&c->ssl, c, net_tls_send, net_tls_recv, NULL);
#else
    (void)origin;
    c->gone = true;
#endif
}

/* ---- the transport ---- */

/* Whether this call is the one that goes wrong. */
static inline bool net_wrong(net *n, net_call call) {
    if (++n->calls[call] != n->at || call != n->call) return false;
    return n->hit = true;
}

static inline chatgptt_code net_code(net_flaw flaw, net_call call) {
    switch (flaw) {
    case NET_END:
        return call == NET_READ ? CHATGPTT_DONE : call == NET_OPEN ? CHATGPTT_E_RESOLVE : CHATGPTT_E_CLOSED;
    case NET_RESET: return call == NET_OPEN ? CHATGPTT_E_CONNECT : CHATGPTT_E_CLOSED;
    case NET_IO: return CHATGPTT_E_IO;
    case NET_TLS_FAULT: return CHATGPTT_E_TLS;
    case NET_TIMEOUT: return CHATGPTT_E_TIMEOUT;
    case NET_NO_MEMORY: return CHATGPTT_E_MEMORY;
    default: return CHATGPTT_AGAIN;
    }
}

static inline chatgptt_code net_did(net_conn *c, unsigned event, chatgptt_code code) {
    c->again = code == CHATGPTT_AGAIN ? c->again | event : c->again & ~event;
    if (code == CHATGPTT_DONE || code == CHATGPTT_E_CLOSED) far_closed(&c->far, c->net->s.now);
    if (code == CHATGPTT_AGAIN) far_idle_call(&c->net->s.far);
    else {
        c->net->idle = 0;
        far_progress(&c->net->s.far);
    }
    return code;
}

static inline chatgptt_code net_die(net_conn *c, net_call call, unsigned event) {
    chatgptt_code code = net_code(c->net->flaw, call);
    if (code != CHATGPTT_AGAIN) c->dead = code == CHATGPTT_DONE ? CHATGPTT_E_CLOSED : code;
    return net_did(c, event, code);
}

static inline chatgptt_code net_open(void *user, const char *host, const char *port, void **conn) {
    net *n = (net *)user;
    if (net_wrong(n, NET_OPEN)) return net_code(n->flaw, NET_OPEN);
    if (n->opened == NET_CONNECTIONS) {
        check_fail(__FILE__, __LINE__, "more than %d connections", n->opened);
        return CHATGPTT_E_CONNECT;
    }
    net_conn *c = &n->conns[n->opened++];
    memset(c, 0, sizeof *c);
    c->net = n;
    c->is_open = true;
    c->far.opened = n->s.now;
    snprintf(c->host, sizeof c->host, "%s", host);
    snprintf(c->far.peer, sizeof c->far.peer, "%s:%s", host, port);
    if (strcmp(port, "443") == 0) net_start_tls(c, c->far.peer);
    *conn = c;
    return CHATGPTT_OK;
}

static inline void net_deliver(net_conn *c, char *buffer, size_t len) {
    memcpy(buffer, c->out.at + c->out.used, len);
    c->out.used += len;
    if (!c->tls) {
        far_said(&c->far, buffer, len);
        return;
    }
    if (!c->far.message) return;
    if (!c->far.message->answered) memcpy(c->far.message->head, c->head, sizeof c->head);
    c->far.message->answered += len;
}

static inline bool net_readable(const net_conn *c) {
    return c->dead || ((c->out.used < c->out.len || c->gone) && c->net->s.now >= c->ready_at);
}

static inline chatgptt_code net_read(void *user, void *conn, void *buffer, size_t size, size_t *done) {
    net *n = (net *)user;
    net_conn *c = (net_conn *)conn;
    bool wrong = net_wrong(n, NET_READ), rest = c->rest;
    size_t len = c->out.len - c->out.used, max = wrong ? 1 : n->read_max;
    CHECK(c->is_open && size > 0);
    *done = 0;
    c->rest = false;
    if (c->dead) return net_did(c, CHATGPTT_READ, c->dead);
    if (wrong && n->flaw != NET_SHORT) return net_die(c, NET_READ, CHATGPTT_READ);
    if (rest || !net_readable(c)) return net_did(c, CHATGPTT_READ, CHATGPTT_AGAIN);
    if (len == 0) return net_did(c, CHATGPTT_READ, CHATGPTT_DONE);
    if (len > size) len = size;
    if (c->seam > c->out.used && len > c->seam - c->out.used) len = c->seam - c->out.used;
    if (max && len > max) {
        len = max;
        c->rest = true;
    }
    net_deliver(c, (char *)buffer, len);
    *done = len;
    return net_did(c, CHATGPTT_READ, CHATGPTT_OK);
}

static inline chatgptt_code net_write(void *user, void *conn, const void *bytes, size_t size, size_t *done) {
    net *n = (net *)user;
    net_conn *c = (net_conn *)conn;
    bool wrong = net_wrong(n, NET_WRITE);
    CHECK(c->is_open && size > 0);
    *done = 0;
    if (c->dead) return net_did(c, CHATGPTT_WRITE, c->dead);
    if (wrong && n->flaw != NET_SHORT) return net_die(c, NET_WRITE, CHATGPTT_WRITE);
    if (c->gone && !c->deaf) return net_did(c, CHATGPTT_WRITE, CHATGPTT_E_CLOSED);
    if (c->deaf) return net_did(c, CHATGPTT_WRITE, CHATGPTT_AGAIN);
    if (wrong) size = 1;
    net_put(&c->in, (const char *)bytes, size);
    *done = size;
#ifndef CHATGPTT_NO_TLS
    if (c->tls) net_tls_pump(c);
    else
#endif
        net_handle(c, &c->in);
    return net_did(c, CHATGPTT_WRITE, CHATGPTT_OK);
}

/* When one of the events is ready; SCRIPT_NEVER: not by itself. */
static inline long long net_ready_at(const net_conn *c, unsigned events) {
    long long now = c->net->s.now;
    if (c->dead || ((events & CHATGPTT_WRITE) && !c->deaf)) return now;
    if (!(events & CHATGPTT_READ) || !(c->out.used < c->out.len || c->gone)) return SCRIPT_NEVER;
    return c->ready_at > now ? c->ready_at : now;
}

static inline chatgptt_wait net_want(void *user, void *conn) {
    net *n = (net *)user;
    net_conn *c = (net_conn *)conn;
    chatgptt_wait wait;
    CHECK(c->is_open);
    memset(&wait, 0, sizeof wait);
    wait.timeout_ms = -1;
    wait.generation = (unsigned)n->opened;
    if (n->no_descriptors) {
        long long at = net_ready_at(c, c->again);
        wait.timeout_ms = at == SCRIPT_NEVER ? -1 : (int)(at - n->s.now);
        return wait;
    }
    wait.count = 1;
    wait.on[0].fd = NET_FIRST_FD + (int)(c - n->conns);
    wait.on[0].events = c->again;
    return wait;
}

static inline chatgptt_code net_wait(void *user, const chatgptt_wait *what) {
    net *n = (net *)user;
    long long until = SCRIPT_NEVER;
    if (net_wrong(n, NET_WAIT)) {
        if (n->flaw > NET_SHORT) return net_code(n->flaw, NET_WAIT);
        return CHATGPTT_OK; /* woken for nothing */
    }
    for (int i = 0; i < what->count; i++) {
        int number = what->on[i].fd - NET_FIRST_FD;
        if (!CHECK(number >= 0 && number < n->opened && n->conns[number].is_open)) continue;
        long long at = net_ready_at(&n->conns[number], what->on[i].events);
        if (at < until) until = at;
    }
    if (what->timeout_ms >= 0 && n->s.now + what->timeout_ms < until) until = n->s.now + what->timeout_ms;
    if (until == SCRIPT_NEVER || ++n->idle > 10000) {
        if (!n->hung) check_fail(__FILE__, __LINE__, "hang: at %lld ms nothing more will come", n->s.now);
        n->hung = true;
        return CHATGPTT_E_IO;
    }
    if (until > n->s.now) {
        far_progress(&n->s.far);
        n->s.now = until;
    }
    return CHATGPTT_OK;
}

static inline void net_close(void *user, void *conn) {
    net_conn *c = (net_conn *)conn;
    (void)user;
    CHECK(c->is_open);
    c->is_open = false;
}

static inline chatgptt_options net_options(net *n) {
    chatgptt_options options = script_options(&n->s);
    const chatgptt_transport transport = { net_open, net_read, net_write, net_want, net_wait, net_close, n };
    options.transport = transport;
#ifndef CHATGPTT_NO_TLS
    options.ca_pem = net_tls.ca_pem;
#endif
    return options;
}

/* ---- a run's beginning and end ---- */

static inline void net_begin(net *n, net_site *site) {
    script_init(&n->s);
    n->site = site;
    n->opened = 0;
    n->read_max = n->early = 0;
    n->no_descriptors = n->hung = n->hit = false;
    n->idle = 0;
    n->at = 0;
    memset(n->calls, 0, sizeof n->calls);
}

/* What every run must leave behind: no memory, no connection open. */
static inline void net_end(net *n) {
    for (int i = 0; i < n->opened; i++) {
        net_conn *c = &n->conns[i];
        if (c->is_open) check_fail(__FILE__, __LINE__, "connection %d was left open", i);
#ifndef CHATGPTT_NO_TLS
        if (c->tls) mbedtls_ssl_free(&c->ssl);
#endif
        net_drop(&c->in);
        net_drop(&c->out);
        net_drop(&c->plain);
    }
    script_finish(&n->s);
}

#endif
