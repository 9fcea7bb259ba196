/* tls_site.h: a TLS server on loopback in a thread of its own, good or bad as its settings say.
   One connection after the other, one request on each unless it is to keep them. mbedTLS 2.28 and later. */

#ifndef TLS_SITE_H
#define TLS_SITE_H

#include "certs.h"
#include "check.h"
#include "request.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MBEDTLS_PRIVATE                     /* 2.28: all members are public */
#define MBEDTLS_PRIVATE(member) member
#endif

enum {
    TLS_SITE_BUFFER = 16384,
    TLS_SITE_PATIENCE_MS = 5000,            /* for a byte of the client */
    TLS_SITE_FAREWELL_MS = 200              /* for the client's own close, after ours */
};

enum { TLS_1_0 = 0x0301, TLS_1_1, TLS_1_2, TLS_1_3 };

/* The first line of a case that speaks to one. */
#ifdef CHATGPTT_NO_TLS
#define NEEDS_TLS SKIP("built without TLS")
#else
#define NEEDS_TLS ((void)0)
#endif

typedef size_t tls_site_answer(const http_request *request, char *out, size_t size);     /* bytes written */

typedef struct tls_site_settings {          /* zero it: every zero is the usual */
    const cert *chain[5];                   /* leaf first */
    int min_version, max_version;           /* TLS_1_…; default: the library's */
    const int *suites;                      /* ends in 0; default: the library's */
    int group;                              /* TLS number of the only group; default: the library's */
    bool tickets;
    tls_site_answer *answer;                /* what a request gets */
    bool keep;                              /* as many requests on a connection as the client sends */
    const char *late;                       /* what follows every answer, 20 ms later */
    bool truncate;                          /* close without close_notify */
    bool v6;                                /* ::1 */
    int port;                               /* default: a free one */
    bool no_tls;                            /* take the ClientHello, send `raw`, close: */
    const void *raw;
    size_t raw_len;
    bool silent;                            /* no_tls, and no close either */
} tls_site_settings;

typedef struct tls_site {
    tls_site_settings settings;
    int port;
    int accepted, handshakes, resumed, requests;    /* read them after tls_site_stop() */
    char sni[128];                          /* of the last ClientHello; "": none */
    int status;                             /* of the last handshake */
    int listener, connection, stop[2];
    pthread_t thread;
    cert_random random;
    mbedtls_ssl_config config;
    mbedtls_x509_crt chain;
    mbedtls_ssl_ticket_context ticket;
} tls_site;

/* ---- bytes ---- */

/* True: a byte or the end is there. False: the site is to stop, or too long a time has passed. */
static inline bool tls_site_wait(const tls_site *site, int fd, short events, int ms)
{
    struct pollfd on[2];
    memset(on, 0, sizeof on);
    on[0].fd = fd;
    on[0].events = events;
    on[1].fd = site->stop[0];
    on[1].events = POLLIN;
    return poll(on, 2, ms) > 0 && !on[1].revents;
}

static inline int tls_site_recv(void *user, unsigned char *out, size_t size)
{
    tls_site *site = (tls_site *)user;
    if (!tls_site_wait(site, site->connection, POLLIN, TLS_SITE_PATIENCE_MS)) return MBEDTLS_ERR_SSL_TIMEOUT;
    ssize_t got = recv(site->connection, out, size, 0);
    return got < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)got;
}

static inline int tls_site_send(void *user, const unsigned char *bytes, size_t size)
{
    tls_site *site = (tls_site *)user;
    if (!tls_site_wait(site, site->connection, POLLOUT, TLS_SITE_PATIENCE_MS)) return MBEDTLS_ERR_SSL_TIMEOUT;
    ssize_t sent = send(site->connection, bytes, size, MSG_NOSIGNAL);
    return sent < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)sent;
}

/* Bytes of the client left unread would turn our close into a reset, and that can eat what we sent. */
static inline void tls_site_farewell(tls_site *site)
{
    char rest[512];
    shutdown(site->connection, SHUT_WR);
    while (tls_site_wait(site, site->connection, POLLIN, TLS_SITE_FAREWELL_MS))
        if (recv(site->connection, rest, sizeof rest, 0) <= 0) break;
}

/* ---- without TLS ---- */

static inline bool tls_site_read_hello(tls_site *site)
{
    unsigned char record[TLS_SITE_BUFFER];
    size_t have = 0, want = 5;
    while (have < want) {
        int got = tls_site_recv(site, record + have, want - have);
        if (got <= 0) return false;
        have += (size_t)got;
        if (have == 5) want = 5u + (size_t)(record[3] << 8 | record[4]);
        if (want > sizeof record) return false;
    }
    return true;
}

static inline void tls_site_serve_raw(tls_site *site)
{
    if (!tls_site_read_hello(site)) return;
    if (site->settings.raw_len)
        cert_must(tls_site_send(site, (const unsigned char *)site->settings.raw, site->settings.raw_len),
                  "send");
    if (site->settings.silent) tls_site_wait(site, -1, 0, TLS_SITE_PATIENCE_MS);
}

/* ---- HTTP ---- */

/* request's slices are into buffer. */
static inline bool tls_site_read_request(mbedtls_ssl_context *ssl, http_request *request, char *buffer,
                                         size_t size) {
    size_t len = 0;
    while (!request_parse(buffer, len, request)) {
        int got = mbedtls_ssl_read(ssl, (unsigned char *)buffer + len, size - len);
        if (got == MBEDTLS_ERR_SSL_WANT_READ) continue;
        if (got <= 0) return false;
        len += (size_t)got;
    }
    return true;
}

static inline void tls_site_write(mbedtls_ssl_context *ssl, const char *bytes, size_t len)
{
    while (len) {
        int sent = mbedtls_ssl_write(ssl, (const unsigned char *)bytes, len);
        if (sent <= 0) return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

static inline void tls_site_exchange(tls_site *site, mbedtls_ssl_context *ssl)
{
    char bytes[TLS_SITE_BUFFER], response[TLS_SITE_BUFFER];
    const char *late = site->settings.late;
    http_request request;
    do {
        if (!tls_site_read_request(ssl, &request, bytes, sizeof bytes)) return;
        site->requests++;
        tls_site_write(ssl, response, site->settings.answer(&request, response, sizeof response));
        if (late) tls_site_wait(site, -1, 0, 20);
        if (late) tls_site_write(ssl, late, strlen(late));
    } while (site->settings.keep);
    if (!site->settings.truncate) mbedtls_ssl_close_notify(ssl);
}

static inline void tls_site_serve_tls(tls_site *site)
{
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    site->sni[0] = '\0';
    cert_must(mbedtls_ssl_setup(&ssl, &site->config), "ssl_setup");
    mbedtls_ssl_set_bio(&ssl, site, tls_site_send, tls_site_recv, NULL);
    site->status = mbedtls_ssl_handshake(&ssl);
    if (!site->status) {
        site->handshakes++;
        tls_site_exchange(site, &ssl);
    /* as other servers do; mbedTLS itself closes without a word for some reasons */
    } else
        mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    mbedtls_ssl_free(&ssl);
}

static inline void *tls_site_run(void *user)
{
    tls_site *site = (tls_site *)user;
    while (tls_site_wait(site, site->listener, POLLIN, -1)) {
        int on = 1;
        site->connection = accept(site->listener, NULL, NULL);
        if (site->connection < 0) continue;
        /* a flight is many small writes */
        setsockopt(site->connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        site->accepted++;
        if (site->settings.no_tls) tls_site_serve_raw(site);
        else                       tls_site_serve_tls(site);
        tls_site_farewell(site);
        close(site->connection);
    }
    return NULL;
}

/* ---- settings ---- */

static inline int tls_site_on_name(void *user, mbedtls_ssl_context *ssl, const unsigned char *name,
                                   size_t len) {
    tls_site *site = (tls_site *)user;
    (void)ssl;
    snprintf(site->sni, sizeof site->sni, "%.*s", (int)len, (const char *)name);
    return 0;
}

static inline int tls_site_write_ticket(void *user, const mbedtls_ssl_session *session, unsigned char *start,
                                        const unsigned char *end, size_t *len, uint32_t *lifetime)
{
    return mbedtls_ssl_ticket_write(&((tls_site *)user)->ticket, session, start, end, len, lifetime);
}

/* A ticket that is taken is a session that is resumed. */
static inline int tls_site_parse_ticket(void *user, mbedtls_ssl_session *session, unsigned char *bytes,
                                        size_t len) {
    tls_site *site = (tls_site *)user;
    int status = mbedtls_ssl_ticket_parse(&site->ticket, session, bytes, len);
    site->resumed += !status;
    return status;
}

static inline void tls_site_set_tickets(tls_site *site)
{
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    cert_must(mbedtls_ssl_ticket_setup(&site->ticket, mbedtls_ctr_drbg_random, &site->random.drbg,
                                       MBEDTLS_CIPHER_AES_256_GCM, 3600), "tickets");
#else
    cert_must(mbedtls_ssl_ticket_setup(&site->ticket, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256, 3600), "tickets");
#endif
    mbedtls_ssl_conf_session_tickets_cb(&site->config, tls_site_write_ticket, tls_site_parse_ticket, site);
}

static inline void tls_site_set_versions(tls_site *site)
{
    int min = site->settings.min_version, max = site->settings.max_version;
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
    if (min) mbedtls_ssl_conf_min_tls_version(&site->config, (mbedtls_ssl_protocol_version)min);
    if (max) mbedtls_ssl_conf_max_tls_version(&site->config, (mbedtls_ssl_protocol_version)max);
#else
    if (min) mbedtls_ssl_conf_min_version(&site->config, min >> 8, min & 0xff);
    if (max) mbedtls_ssl_conf_max_version(&site->config, max >> 8, max & 0xff);
#endif
}

/* mbedTLS keeps the pointer it gets: hence the static lists. One site runs at a time. */
static inline void tls_site_set_group(tls_site *site)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03010000
    static uint16_t groups[2];
    groups[0] = (uint16_t)site->settings.group;
    if (groups[0]) mbedtls_ssl_conf_groups(&site->config, groups);
#else
    static mbedtls_ecp_group_id groups[2];
    if (!site->settings.group) return;
    groups[0] = mbedtls_ecp_curve_info_from_tls_id((uint16_t)site->settings.group)->grp_id;
    mbedtls_ssl_conf_curves(&site->config, groups);
#endif
}

static inline int tls_site_any_extension(void *user, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
                                         int critical, const unsigned char *value, const unsigned char *end) {
    (void)user, (void)crt, (void)oid, (void)critical, (void)value, (void)end;
    return 0;
}

/* The library would not serve a certificate that is not made for servers: we want it to, so its copy forgets
   the extensions. */
static inline void tls_site_set_chain(tls_site *site)
{
    const cert *const *chain = site->settings.chain;
    for (; *chain; chain++)
        cert_must(mbedtls_x509_crt_parse_der_with_ext_cb(&site->chain, (*chain)->der, (*chain)->len, 1,
                                                         tls_site_any_extension, NULL), "chain");
    site->chain.MBEDTLS_PRIVATE(ext_types) = 0;
    cert_must(mbedtls_ssl_conf_own_cert(&site->config, &site->chain, site->settings.chain[0]->key),
              "own_cert");
}

static inline void tls_site_configure(tls_site *site)
{
    cert_must(mbedtls_ssl_config_defaults(&site->config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT), "config");
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    mbedtls_ssl_conf_rng(&site->config, mbedtls_ctr_drbg_random, &site->random.drbg);
#endif
    mbedtls_ssl_conf_sni(&site->config, tls_site_on_name, site);
    if (site->settings.suites) mbedtls_ssl_conf_ciphersuites(&site->config, site->settings.suites);
    tls_site_set_versions(site);
    tls_site_set_group(site);
    if (site->settings.tickets) tls_site_set_tickets(site);
    if (!site->settings.no_tls) tls_site_set_chain(site);
}

/* ---- start and stop ---- */

/* *port 0: a free one, which it becomes. */
static inline int tls_site_bind(bool v6, int *port)
{
    int on = 1;
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    struct sockaddr *address = v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t len = v6 ? (socklen_t)sizeof six : (socklen_t)sizeof four;
    memset(&six, 0, sizeof six);
    memset(&four, 0, sizeof four);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    six.sin6_port = htons((uint16_t)*port);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four.sin_port = htons((uint16_t)*port);
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address, len) || listen(fd, 8) || getsockname(fd, address, &len)) {
        close(fd);
        return -1;
    }
    *port = ntohs(v6 ? six.sin6_port : four.sin_port);
    return fd;
}

/* False: there is no such loopback address, or the port is taken. The settings' pointers must live until
   tls_site_stop(). */
static inline bool tls_site_start(tls_site *site, const tls_site_settings *settings)
{
    memset(site, 0, sizeof *site);
    site->settings = *settings;
    site->port = settings->port;
    site->listener = tls_site_bind(settings->v6, &site->port);
    if (site->listener < 0) return false;
    cert_must(pipe(site->stop), "pipe");
    cert_random_open(&site->random);
    mbedtls_ssl_config_init(&site->config);
    mbedtls_x509_crt_init(&site->chain);
    mbedtls_ssl_ticket_init(&site->ticket);
    tls_site_configure(site);
    cert_must(-pthread_create(&site->thread, NULL, tls_site_run, site), "thread");
    return true;
}

static inline void tls_site_stop(tls_site *site)
{
    close(site->stop[1]);                       /* readable for poll(), in every wait of the thread */
    cert_must(-pthread_join(site->thread, NULL), "join");
    close(site->stop[0]);
    close(site->listener);
    mbedtls_ssl_ticket_free(&site->ticket);
    mbedtls_x509_crt_free(&site->chain);
    mbedtls_ssl_config_free(&site->config);
    cert_random_close(&site->random);
}

#endif
