/* demo_site.c - a stand-in for a web site that runs the plugin AI Power, on loopback, for demonstrations and
   tests.

       demo_site [--port N] [--tls] [--dialect wpaicg|aipkit] [--plain] [--verbose]

   It has the page with the tokens, checks them as the plugin does, and streams an answer word by word. The
   answer repeats the message it got, byte for byte, and says what is known of earlier turns. Both generations
   of the plugin are there: "wpaicg" (up to 2.2; the default) and "aipkit" (2.3 and later). --plain: wpaicg
   answers with one JSON object instead of a stream.

   First line on standard output: url=...   With --tls a second one: ca=FILE, the root to trust, made at each
   start and removed at the end. --verbose: one line a request on standard error. It serves until SIGTERM or
   the end of its standard input: keep that open (with < /dev/null it ends at once).

       cc -std=c99 demo_site.c -o demo_site -lmbedtls -lmbedx509 -lmbedcrypto     with -DCHATGPTT_NO_TLS: no
       library, no --tls

   One thread and one poll(): a reply is built whole when its request is, with marks in it that say when its
   parts may leave.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef CHATGPTT_NO_TLS
#include <mbedtls/version.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#endif
#endif

enum {
    MAX_CONNECTIONS = 256,
    MAX_HEAD = 64 * 1024,
    MAX_BODY = 8 * 1024 * 1024,     /* PHP's usual post_max_size */
    MAX_HELD = 64,                  /* aipkit: messages that wait for their stream; the oldest gives way */
    MAX_TALKS = 64,                 /* aipkit: conversations remembered; the oldest gives way */
    MAX_FORMAT = 4096,
    READ_SIZE = 16 * 1024,
    WRITE_SIZE = 16 * 1024,
    IDLE_MS = 75 * 1000,            /* a connection without a byte for so long is closed */
    KEY_MS = 60 * 1000,             /* aipkit: how long a message waits for its stream */
    DELTA_MS = 40,                  /* between two pieces of an answer */
    LATE_MS = 20,                   /* from a stream's last event to its zero chunk */
    /* an answer of more words comes in larger pieces, so that no answer takes for ever */
    MAX_DELTAS = 100,
    MAX_SESSION = 64,               /* aipkit: bytes of a session id */
    MAX_UUID = 36,                  /* aipkit: of a conversation id */
    BOT_ID = 7,
    POST_ID = 42
};

#define AJAX_PATH "/wp-admin/admin-ajax.php"
#define TYPE_HTML "text/html; charset=UTF-8"
#define TYPE_JSON "application/json; charset=UTF-8"

static void die(const char *what, const char *why)
{
    fprintf(stderr, "demo_site: %s: %s\n", what, why);
    exit(1);
}

/* ==== bytes ==== */

typedef struct slice { const char *at; size_t len; } slice;
typedef struct buffer { char *at; size_t len, size; } buffer;

static slice slice_cut(const char *from, const char *to)
{
    slice s = { from, (size_t)(to - from) };
    return s;
}

static slice slice_of(const char *text)
{
    return slice_cut(text, text + strlen(text));
}

static slice slice_from(slice s, size_t start)
{
    return slice_cut(s.at + start, s.at + s.len);
}

static bool slice_is(slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* Where `what` begins in s; s.len if nowhere. */
static size_t slice_find(slice s, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= s.len; i++)
        if (s.at[i] == what[0] && memcmp(s.at + i, what, len) == 0) return i;
    return s.len;
}

/* Takes what stands before the first `mark` off the front of *s, and the mark with it. */
static slice slice_split(slice *s, const char *mark)
{
    size_t at = slice_find(*s, mark), skip = at < s->len ? strlen(mark) : 0;
    slice front = slice_cut(s->at, s->at + at);
    *s = slice_from(*s, at + skip);
    return front;
}

static slice slice_trim(slice s)
{
    while (s.len && strchr(" \t\r\n", s.at[0])) s = slice_from(s, 1);
    while (s.len && strchr(" \t\r\n", s.at[s.len - 1])) s.len--;
    return s;
}

static slice buffer_slice(const buffer *b)
{
    const char *at = b->at ? b->at : "";
    return slice_cut(at, at + b->len);
}

/* Makes room for `more` bytes and a terminator. Sizes are far from overflow: MAX_BODY bounds all that comes
   in. */
static void buffer_grow(buffer *b, size_t more)
{
    size_t size = b->size ? b->size : 256;
    if (b->len + more < b->size) return;
    while (size <= b->len + more) size *= 2;
    b->at = (char *)realloc(b->at, size);
    if (!b->at) die("memory", strerror(ENOMEM));
    b->size = size;
}

static void buffer_add(buffer *b, slice s)
{
    if (!s.len) return;
    buffer_grow(b, s.len);
    memcpy(b->at + b->len, s.at, s.len);
    b->len += s.len;
}

static void buffer_byte(buffer *b, char c)
{
    buffer_grow(b, 1);
    b->at[b->len++] = c;
}

static void buffer_text(buffer *b, const char *text)
{
    buffer_add(b, slice_of(text));
}

/* At most MAX_FORMAT bytes a call. */
static void buffer_format(buffer *b, const char *format, ...)
{
    va_list list;
    int len;
    buffer_grow(b, MAX_FORMAT);
    va_start(list, format);
    len = vsnprintf(b->at + b->len, MAX_FORMAT, format, list);
    va_end(list);
    if (len < 0 || len >= MAX_FORMAT) die("too long a text", format);
    b->len += (size_t)len;
}

static void buffer_drop(buffer *b, size_t front)
{
    if (front < b->len) memmove(b->at, b->at + front, b->len - front);
    b->len -= front;
}

static void buffer_free(buffer *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}

/* ==== time and chance ==== */

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Fills text with len random letters and digits (16 of them: hex digits) and a terminator. */
static void random_text(char *text, size_t len, unsigned letters)
{
    static const char set[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    FILE *source = fopen("/dev/urandom", "rb");
    if (!source || fread(text, 1, len, source) != len) die("/dev/urandom", "cannot be read");
    fclose(source);
    for (size_t i = 0; i < len; i++) text[i] = set[(unsigned char)text[i] % letters];
    text[len] = 0;
}

/* ==== UTF-8, JSON, forms ==== */

/* Bytes of the valid character at the start of s (not empty); 0 if there is none. */
static size_t utf8_size(slice s)
{
    const unsigned char *b = (const unsigned char *)s.at;
    size_t need = b[0] < 0x80 ? 1 : b[0] < 0xC2 ? 0 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : b[0] < 0xF5 ? 4 : 0;
    if (need > s.len) return 0;
    for (size_t i = 1; i < need; i++)
        if ((b[i] & 0xC0) != 0x80) return 0;
    /* too long a form; a surrogate */
    if ((b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F)) return 0;
    /* too long a form; past U+10FFFF */
    if ((b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F)) return 0;
    return need;
}

static bool utf8_valid(slice s)
{
    while (s.len) {
        size_t size = utf8_size(s);
        if (!size) return false;
        s = slice_from(s, size);
    }
    return true;
}

static unsigned utf8_code(slice c)
{
    unsigned code = (unsigned char)c.at[0];
    if (c.len > 1) code &= 0xFFu >> (c.len + 1);
    for (size_t i = 1; i < c.len; i++) code = code << 6 | ((unsigned char)c.at[i] & 0x3Fu);
    return code;
}

static void json_code(buffer *out, unsigned code)
{
    if (code >= 0x10000) {
        code -= 0x10000;
        buffer_format(out, "\\u%04x\\u%04x", 0xD800u + (code >> 10), 0xDC00u + (code & 0x3FFu));
    } else {
        buffer_format(out, "\\u%04x", code);
    }
}

/* The inside of a JSON string. `ascii`: as WordPress writes it, all but ASCII as \uHHHH, and the slash
   escaped. What is no UTF-8 becomes U+FFFD. */
static void json_text(buffer *out, slice text, bool ascii)
{
    while (text.len) {
        size_t size = utf8_size(text);
        slice c = size ? slice_cut(text.at, text.at + size) : slice_of("\xEF\xBF\xBD");
        unsigned code = utf8_code(c);
        if (code == '\n') buffer_text(out, "\\n");
        else if (code < 0x20 || (ascii && code >= 0x7F)) json_code(out, code);
        else {
            if (code == '"' || code == '\\' || (ascii && code == '/')) buffer_byte(out, '\\');
            buffer_add(out, c);
        }
        text = slice_from(text, size ? size : 1);
    }
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) & 15) : -1;
}

static bool is_octet(slice s)
{
    return s.len >= 3 && s.at[0] == '%' && hex_value(s.at[1]) >= 0 && hex_value(s.at[2]) >= 0;
}

static void form_decode(buffer *out, slice s)
{
    while (s.len) {
        bool octet = is_octet(s);
        if (octet) buffer_byte(out, (char)(hex_value(s.at[1]) * 16 + hex_value(s.at[2])));
        else       buffer_byte(out, s.at[0] == '+' ? ' ' : s.at[0]);
        s = slice_from(s, octet ? 3 : 1);
    }
}

/* Appends the decoded value of the form's first field of that name; false: there is none. */
static bool form_field(slice form, const char *name, buffer *value)
{
    while (form.len) {
        slice text = slice_split(&form, "&");
        if (!slice_is(slice_split(&text, "="), name)) continue;
        form_decode(value, text);
        return true;
    }
    return false;
}

/* The same for a short value, cut off at the end of `out`; returns its full length, 0 if it is missing or
   empty. */
static size_t form_short(slice form, const char *name, char *out, size_t size)
{
    buffer value = { NULL, 0, 0 };
    size_t len;
    form_field(form, name, &value);
    len = value.len;
    snprintf(out, size, "%.*s", len < INT_MAX ? (int)len : INT_MAX, len ? value.at : "");
    buffer_free(&value);
    return len;
}

static bool form_is(slice form, const char *name, const char *expected)
{
    char value[96];
    return form_short(form, name, value, sizeof value) == strlen(expected) && strcmp(value, expected) == 0;
}

/* ==== TLS ==== */

/* Results of reading and writing; what is above 0 counts bytes. */
enum { IO_END = 0, IO_WANTS_READ = -1, IO_WANTS_WRITE = -2, IO_FAILED = -3 };

typedef struct tls tls;
typedef struct session session;

#ifdef CHATGPTT_NO_TLS

struct session { bool ready, resumed; };

static tls *tls_open(buffer *ca_pem) { (void)ca_pem; return NULL; }
static void tls_close(tls *t) { (void)t; }
static session *session_open(tls *t, int fd) { (void)t; (void)fd; return NULL; }
static int session_handshake(session *s) { (void)s; return IO_FAILED; }
static int session_read(session *s, void *bytes, size_t size) {
    (void)s;
    (void)bytes;
    (void)size;
    return IO_FAILED;
}
static int session_write(session *s, const void *bytes, size_t size) {
    (void)s;
    (void)bytes;
    (void)size;
    return IO_FAILED;
}
static void session_close(session *s) { (void)s; }

#else

struct tls {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config config;
    mbedtls_pk_context ca_key, key;
    mbedtls_x509_crt certificate;
    session *shaking;               /* whose handshake is being worked at */
};

struct session {
    mbedtls_ssl_context ssl;
    tls *owner;
    int fd;
    bool ready, resumed;
};

static void tls_must(int result, const char *what)
{
    char why[32];
    if (result >= 0) return;
    snprintf(why, sizeof why, "mbedTLS error -0x%04x", (unsigned)-result);
    die(what, why);
}

static void make_key(tls *t, mbedtls_pk_context *key)
{
    tls_must(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), "key");
    tls_must(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), mbedtls_ctr_drbg_random,
                                 &t->random),
             "key");
}

static int set_serial(mbedtls_x509write_cert *c, unsigned char serial)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    return mbedtls_x509write_crt_set_serial_raw(c, &serial, 1);
#else
    mbedtls_mpi number;
    int result;
    mbedtls_mpi_init(&number);
    result = mbedtls_mpi_lset(&number, serial);
    if (result == 0) result = mbedtls_x509write_crt_set_serial(c, &number);
    mbedtls_mpi_free(&number);
    return result;
#endif
}

/* What root and leaf have in common: both are signed by the root's key. */
static void begin_certificate(tls *t, mbedtls_x509write_cert *c, const char *subject, mbedtls_pk_context *key,
                              unsigned char serial) {
    mbedtls_x509write_crt_init(c);
    mbedtls_x509write_crt_set_version(c, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(c, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(c, key);
    mbedtls_x509write_crt_set_issuer_key(c, &t->ca_key);
    tls_must(mbedtls_x509write_crt_set_subject_name(c, subject), "subject");
    tls_must(mbedtls_x509write_crt_set_issuer_name(c, "CN=demo_site throw-away root"), "issuer");
    tls_must(mbedtls_x509write_crt_set_validity(c, "20200101000000", "20491231235959"), "validity");
    tls_must(set_serial(c, serial), "serial number");
    tls_must(mbedtls_x509write_crt_set_subject_key_identifier(c), "subject key id");
    tls_must(mbedtls_x509write_crt_set_authority_key_identifier(c), "authority key id");
}

static void make_root(tls *t, buffer *pem)
{
    mbedtls_x509write_cert c;
    begin_certificate(t, &c, "CN=demo_site throw-away root", &t->ca_key, 1);
    tls_must(mbedtls_x509write_crt_set_basic_constraints(&c, 1, 0), "basic constraints");
    tls_must(mbedtls_x509write_crt_set_key_usage(&c, MBEDTLS_X509_KU_KEY_CERT_SIGN), "key usage");
    buffer_grow(pem, 4096);
    tls_must(
        mbedtls_x509write_crt_pem(&c, (unsigned char *)pem->at, 4096, mbedtls_ctr_drbg_random, &t->random),
        "root");
    pem->len = strlen(pem->at);
    mbedtls_x509write_crt_free(&c);
}

static void make_leaf(tls *t)
{
    /* by hand: mbedTLS 2.28 writes no subject alternative names */
    static const unsigned char names[] = {
        0x30, 17,
        0x82, 9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't',
        0x87, 4, 127, 0, 0, 1
    };
    unsigned char der[2048];
    mbedtls_x509write_cert c;
    int len;
    begin_certificate(t, &c, "CN=demo_site", &t->key, 2);
    tls_must(mbedtls_x509write_crt_set_basic_constraints(&c, 0, -1), "basic constraints");
    tls_must(mbedtls_x509write_crt_set_extension(&c, "\x55\x1D\x11", 3, 0, names, sizeof names), "names");
    len = mbedtls_x509write_crt_der(&c, der, sizeof der, mbedtls_ctr_drbg_random, &t->random);
    tls_must(len, "certificate");
    tls_must(mbedtls_x509_crt_parse_der(&t->certificate, der + sizeof der - len, (size_t)len), "certificate");
    mbedtls_x509write_crt_free(&c);
}

static int write_ticket(void *user, const mbedtls_ssl_session *s, unsigned char *start,
                        const unsigned char *end, size_t *len, uint32_t *lifetime) {
    tls *t = (tls *)user;
    return mbedtls_ssl_ticket_write(&t->tickets, s, start, end, len, lifetime);
}

/* A ticket that can be read is a session resumed: no version has a public question for that. */
static int parse_ticket(void *user, mbedtls_ssl_session *s, unsigned char *ticket, size_t len)
{
    tls *t = (tls *)user;
    int result = mbedtls_ssl_ticket_parse(&t->tickets, s, ticket, len);
    if (result == 0) t->shaking->resumed = true;
    return result;
}

static void configure(tls *t)
{
    mbedtls_ssl_config *config = &t->config;
    tls_must(mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT),
             "TLS settings");
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &t->random);
    tls_must(mbedtls_ssl_conf_own_cert(config, &t->certificate, &t->key), "certificate");
    tls_must(mbedtls_ssl_ticket_setup(&t->tickets, mbedtls_ctr_drbg_random, &t->random,
                                      MBEDTLS_CIPHER_AES_256_GCM, 86400),
             "tickets");
    mbedtls_ssl_conf_session_tickets_cb(config, write_ticket, parse_ticket, t);
}

/* All a TLS server needs; the root that vouches for it goes to ca_pem. */
static tls *tls_open(buffer *ca_pem)
{
    tls *t = (tls *)calloc(1, sizeof *t);
    if (!t) die("memory", strerror(ENOMEM));
#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_PSA_CRYPTO_C)
    if (psa_crypto_init() != PSA_SUCCESS) die("psa_crypto_init", "failed");
#endif
    mbedtls_entropy_init(&t->entropy);
    mbedtls_ctr_drbg_init(&t->random);
    mbedtls_ssl_ticket_init(&t->tickets);
    mbedtls_ssl_config_init(&t->config);
    mbedtls_pk_init(&t->ca_key);
    mbedtls_pk_init(&t->key);
    mbedtls_x509_crt_init(&t->certificate);
    tls_must(mbedtls_ctr_drbg_seed(&t->random, mbedtls_entropy_func, &t->entropy, NULL, 0), "random numbers");
    make_key(t, &t->ca_key);
    make_key(t, &t->key);
    make_root(t, ca_pem);
    make_leaf(t);
    configure(t);
    return t;
}

static void tls_close(tls *t)
{
    if (!t) return;
    mbedtls_ssl_config_free(&t->config);
    mbedtls_ssl_ticket_free(&t->tickets);
    mbedtls_x509_crt_free(&t->certificate);
    mbedtls_pk_free(&t->key);
    mbedtls_pk_free(&t->ca_key);
    mbedtls_ctr_drbg_free(&t->random);
    mbedtls_entropy_free(&t->entropy);
    free(t);
}

static int raw_send(void *user, const unsigned char *bytes, size_t size)
{
    ssize_t n = send(((session *)user)->fd, bytes, size, 0);
    if (n >= 0) return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int raw_recv(void *user, unsigned char *bytes, size_t size)
{
    ssize_t n = recv(((session *)user)->fd, bytes, size, 0);
    if (n >= 0) return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static session *session_open(tls *t, int fd)
{
    session *s = (session *)calloc(1, sizeof *s);
    if (!s) die("memory", strerror(ENOMEM));
    s->owner = t;
    s->fd = fd;
    mbedtls_ssl_init(&s->ssl);
    tls_must(mbedtls_ssl_setup(&s->ssl, &t->config), "TLS session");
    mbedtls_ssl_set_bio(&s->ssl, s, raw_send, raw_recv, NULL);
    return s;
}

static int session_result(int result)
{
    if (result >= 0) return result;
    if (result == MBEDTLS_ERR_SSL_WANT_READ) return IO_WANTS_READ;
    if (result == MBEDTLS_ERR_SSL_WANT_WRITE) return IO_WANTS_WRITE;
    return result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? IO_END : IO_FAILED;
}

static int session_handshake(session *s)
{
    int result;
    s->owner->shaking = s;
    result = mbedtls_ssl_handshake(&s->ssl);
    s->ready = result == 0;
    return session_result(result);
}

static int session_read(session *s, void *bytes, size_t size)
{
    return session_result(mbedtls_ssl_read(&s->ssl, (unsigned char *)bytes, size));
}

static int session_write(session *s, const void *bytes, size_t size)
{
    return session_result(mbedtls_ssl_write(&s->ssl, (const unsigned char *)bytes, size));
}

static void session_close(session *s)
{
    if (!s) return;
    /* a courtesy: if it cannot go at once, it does not go */
    if (s->ready) mbedtls_ssl_close_notify(&s->ssl);
    mbedtls_ssl_free(&s->ssl);
    free(s);
}

#endif

/* ==== the site and its connections ==== */

typedef struct held {               /* aipkit: a message whose stream has not been asked for yet */
    char key[44];                   /* "": none */
    buffer message;
    long long until;
} held;

typedef struct talk {               /* aipkit: one conversation of one guest */
    char session_id[MAX_SESSION + 2], uuid[MAX_SESSION + 2];
    size_t messages;                /* 0: none */
    buffer first;
} talk;

/* what stands from here on waits until then */
typedef struct mark { size_t offset; long long at; } mark;

typedef struct conn {
    int fd;
    unsigned number;                /* 1 for the first */
    session *tls;
    short waits;                    /* for what: POLLIN, POLLOUT, or 0 for the time only */
    long long active;               /* when a byte last came or went */
    buffer in, out;
    size_t sent, trying;            /* of out; size of a write that has to be repeated as it was */
    mark *marks;
    size_t num_marks, next_mark, room_marks;
    long long due;                  /* when what is appended now may leave */
    bool chunked, last, continued;  /* last: close after the reply; continued: "100 Continue" was said */
} conn;

typedef struct site_state {
    bool aipkit, plain, verbose, secure;
    int port, listener;
    char base[64], nonce[11];
    tls *tls;
    held held[MAX_HELD];
    talk talks[MAX_TALKS];
    size_t next_held, next_talk;
    conn *conns[MAX_CONNECTIONS];
    size_t num_conns;
    unsigned accepted;
} site_state;

typedef struct request {
    slice method, path, query, host, origin, body;
    size_t body_len;
    bool http11, closes, expects;
} request;

/* ==== replies ==== */

static void reply_pause(conn *c, int ms)
{
    if (c->num_marks == c->room_marks) {
        c->room_marks = c->room_marks ? c->room_marks * 2 : 32;
        c->marks = (mark *)realloc(c->marks, c->room_marks * sizeof *c->marks);
        if (!c->marks) die("memory", strerror(ENOMEM));
    }
    c->due += ms;
    c->marks[c->num_marks].offset = c->out.len;
    c->marks[c->num_marks++].at = c->due;
}

/* `extra`: more header lines, each with its CRLF. */
static void reply_begin(conn *c, const char *status, const char *type, const char *extra)
{
    char date[40];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    c->due = now_ms();
    buffer_format(&c->out, "HTTP/1.1 %s\r\nServer: demo_site\r\nDate: %s\r\nContent-Type: %s\r\n", status,
                  date, type);
    buffer_format(&c->out, "%s%sConnection: %s\r\n\r\n", extra,
                  c->chunked ? "Transfer-Encoding: chunked\r\n" : "", c->last ? "close" : "keep-alive");
}

static void reply_add(conn *c, slice bytes)
{
    if (c->chunked) buffer_format(&c->out, "%zx\r\n", bytes.len);
    buffer_add(&c->out, bytes);
    if (c->chunked) buffer_text(&c->out, "\r\n");
}

static void reply_end(conn *c)
{
    if (c->chunked) buffer_text(&c->out, "0\r\n\r\n");
}

static void reply_whole(conn *c, const char *status, const char *type, const char *extra, slice body)
{
    reply_begin(c, status, type, extra);
    reply_add(c, body);
    reply_end(c);
}

/* What WordPress sends with every reply of its ajax endpoint. */
#define AJAX_HEADERS                                                                \
    "X-Robots-Tag: noindex\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: " \
    "strict-origin-when-cross-origin\r\n"                                           \
    "X-Frame-Options: SAMEORIGIN\r\nExpires: Wed, 11 Jan 1984 05:00:00 GMT\r\n"
#define NO_CACHE "Cache-Control: no-cache, must-revalidate, max-age=0\r\n"

static void reply_ajax(conn *c, const char *status, const char *type, slice body)
{
    reply_whole(c, status, type, AJAX_HEADERS NO_CACHE, body);
}

/* One server-sent event; `name` NULL: the event field is left out. */
static void reply_event(conn *c, const char *name, slice data)
{
    buffer event = { NULL, 0, 0 };
    if (name) buffer_format(&event, "event: %s\n", name);
    buffer_text(&event, "data: ");
    buffer_add(&event, data);
    buffer_text(&event, "\n\n");
    reply_add(c, buffer_slice(&event));
    buffer_free(&event);
}

/* An event that holds a piece of the answer: `before` and `after` are the JSON around the string. */
static void reply_delta(conn *c, const char *before, slice piece, const char *after)
{
    buffer data = { NULL, 0, 0 };
    buffer_text(&data, before);
    json_text(&data, piece, false);
    buffer_text(&data, after);
    reply_pause(c, DELTA_MS);
    reply_event(c, NULL, buffer_slice(&data));
    buffer_free(&data);
}

static void reply_end_late(conn *c)
{
    reply_pause(c, LATE_MS);
    reply_end(c);
}

/* ==== the answer ==== */

/* `known`: earlier messages; `first`: the first user message among them, or empty. */
static void make_answer(buffer *out, slice message, size_t known, slice first)
{
    buffer_text(out, "You said: ");
    buffer_add(out, message);
    if (known) buffer_format(out, "\n\nEarlier messages I know: %zu.", known);
    if (first.len) {
        buffer_text(out, " We began with: ");
        buffer_add(out, first);
    }
    buffer_text(out, "\n\nI am only a stand-in and have no thoughts of my own, but like the real ones I say "
                     "them word by word. "
                     "Merci, спасибо, ありがとう, and have a nice day! \xF0\x9F\x91\x8B");
}

/* Size of the next piece, which has `least` bytes or more: up to a blank, or, where none comes, some
   kilobytes of whole characters. */
static size_t next_piece(slice rest, size_t least)
{
    for (size_t i = least; i < rest.len; i++) {
        if (rest.at[i] == ' ') return i;
        if (i > least + 4096 && ((unsigned char)rest.at[i] & 0xC0) != 0x80) return i;
    }
    return rest.len;
}

static void stream_answer(conn *c, const char *before, slice answer, const char *after)
{
    size_t least = answer.len / MAX_DELTAS + 1;
    while (answer.len) {
        size_t size = next_piece(answer, least);
        reply_delta(c, before, slice_cut(answer.at, answer.at + size), after);
        answer = slice_from(answer, size);
    }
}

/* ==== wpaicg: plugin up to 2.2 ==== */

static void put_slashed(buffer *out, const char *url)
{
    json_text(out, slice_of(url), true);
}

/* Decoys: in the first comment and script the attributes have blanks around "=", which a reader of raw text
   may not take for one; those after the chat come too late for whoever takes the first. */
static void wpaicg_page(const site_state *site, buffer *page)
{
    buffer_format(page,
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<meta charset=\"UTF-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Chat &#8211; A Stand-In Site</title>\n"
        "<link rel=\"https://api.w.org/\" href=\"%s/wp-json/\">\n"
        "<!-- <div data-nonce = \"c0ffee0001\" data-post-id = \"1\"></div> -->\n"
        "<style>.wpaicg-chat-shortcode[data-nonce = \"x\"] { color: #333 }</style>\n"
        "<script>var card = '<div data-nonce = \"c0ffee0002\" data-post-id = \"2\">';</script>\n"
        "<script id=\"wpaicg-init-js-extra\">\nvar wpaicgParams = {\"ajax_url\":\"", site->base);
    put_slashed(page, site->base);
    put_slashed(page, AJAX_PATH);
    buffer_format(page,
                  "\",\"search_nonce\":\"%s\",\"logged_in\":\"0\",\"languages\":{\"source\":\"Sources\",\"no_"
                  "result\":\"No result found\"}};\n"
                  "</script>\n</head>\n<body class=\"home page-template-default page page-id-%d "
                  "wp-embed-responsive\">\n"
                  "<header class=\"site-header\"><h1>Ask &amp; be answered</h1></header>\n<main>\n",
                  site->nonce, POST_ID);
    buffer_format(
        page,
        "<div class=\"wpaicg-chat-shortcode\"\n     data-user-bg-color=\"#ccf5e1\"\n     "
        "data-color=\"#000000\"\n"
        "     data-fontsize=\"13\"\n     data-use-avatar=\"0\"\n     data-user-avatar=\"%s/avatar.png\"\n    "
        " data-you=\"You\"\n"
        "     data-ai-avatar=\"%s/ai.png\"\n     data-ai-name=\"AI\"\n     data-ai-bg-color=\"#d1e8ff\"\n    "
        " data-ai-font-color=\"#000\"\n"
        "     data-nonce=\"%s\"\n     data-post-id=\"%d\"\n     data-url=\"%s\"\n     data-bot-id=\"0\"\n",
        site->base, site->base, site->nonce, POST_ID, site->base);
    buffer_format(
        page,
        "     data-width=\"100%%\"\n     data-height=\"50%%\"\n     data-footer=\"0\"\n     "
        "data-speech=\"0\"\n     data-voice=\"\"\n"
        "     data-voice-error=\"Say &quot;hello&quot; first\"\n     data-text_height=\"60\"\n     "
        "data-text_rounded=\"8\"\n"
        "     data-chat_rounded=\"8\"\n     data-voice_service=\"\"\n     data-voice_language=\"\"\n     "
        "data-voice_name=\"\"\n"
        "     data-openai_stream_nav=\"%d\"\n     data-memory-limit = \"100\"\n     data-has-bar=\"false\"\n"
        "     data-assistant-enabled=\"false\"\n     data-lead-collection=\"0\"\n     data-lead-title=\"Let "
        "us know\"\n"
        "     data-type=\"shortcode\"\n     style=\"width: 100%%\">\n",
        site->plain ? 0 : 1);
    buffer_format(page,
                  "<ul class=\"wpaicg-chat-shortcode-messages\"><li class=\"wpaicg-ai-message\"><p>Hello "
                  "human, I am a stand-in.</p></li></ul>\n"
                  "<div class=\"wpaicg-chat-shortcode-type\" data-type=\"shortcode\"><textarea "
                  "placeholder=\"Type a message\">"
                  "<div data-nonce=\"c0ffee0003\" data-post-id=\"3\"></textarea></div>\n</div>\n</main>\n"
                  "<!-- <div data-nonce=\"c0ffee0004\" data-post-id=\"4\"> -->\n"
                  "<script>document.title += '<div data-nonce=\"c0ffee0005\" "
                  "data-post-id=\"5\">';</script>\n</body>\n</html>\n");
}

/* What the server makes of wpaicg_chat_history before it reads it as JSON: tags, %hh octets and backslashes
   go. False: nothing is left of it, for a "<" without ">" or bytes that are no UTF-8. */
static bool mangle_history(buffer *out, slice s)
{
    bool octets = false;
    if (!utf8_valid(s)) return false;
    while (s.len) {
        size_t skip = 1;
        if (s.at[0] == '<') {
            skip = slice_find(s, ">") + 1;
            if (skip > s.len) return false;
        } else if (is_octet(s)) {
            skip = 3;
            octets = true;
        } else if (s.at[0] != '\\') {
            buffer_byte(out, s.at[0]);
        }
        s = slice_from(s, skip);
    }
    if (octets) {                   /* then runs of blanks collapse as well */
        size_t from, to = 0;
        for (from = 0; from < out->len; from++)
            if (out->at[from] != ' ' || !to || out->at[to - 1] != ' ') out->at[to++] = out->at[from];
        out->len = to;
    }
    return true;
}

/* Takes the next token off the front of *s: a mark of JSON itself, 's' for a string, 'w' for a number or
   word, 0 for nothing or a broken string. Strings have no escapes: mangling has removed every backslash. */
static char take_token(slice *s, slice *value)
{
    size_t len = 0;
    *s = slice_trim(*s);
    if (!s->len) return 0;
    if (s->at[0] == '"') {
        *value = slice_from(*s, 1);
        while (len < value->len && (unsigned char)value->at[len] >= 0x20 && value->at[len] != '"') len++;
        if (len == value->len || value->at[len] != '"') return 0;
        *s = slice_from(*value, len + 1);
        value->len = len;
        return 's';
    }
    while (len < s->len && s->at[len] && strchr("+-.0123456789Eaeflnrstu", s->at[len])) len++;
    *value = slice_cut(s->at, s->at + len);
    *s = slice_from(*s, len ? len : 1);
    return len ? 'w' : value->at[0];
}

typedef struct history { size_t messages; slice first; bool crashed; } history;

/* The server's rule: what begins with "Human: " is the user's. */
static void history_entry(history *h, slice text)
{
    text = slice_trim(text);
    if (text.len) h->messages++;
    if (!h->first.len && slice_find(text, "Human: ") == 0)
        h->first = slice_trim(slice_from(text, strlen("Human: ")));
}

/* The rest of an object behind its "{"; false: not JSON. Without a string "text" the plugin dies of it. */
static bool history_object(history *h, slice *s)
{
    slice name, value, text = { NULL, 0 };
    char token;
    do {
        if (take_token(s, &name) != 's' || take_token(s, &value) != ':') return false;
        token = take_token(s, &value);
        if (token == 's' && slice_is(name, "text")) text = value;
        if (token == '[' || token == '{') h->crashed = true;
        else token = take_token(s, &value);
    } while (token == ',');
    if (text.at) history_entry(h, text);
    else         h->crashed = true;
    return h->crashed || token == '}';
}

/* An array of strings and {"text": string}; false: not JSON, so no history. An entry of another kind crashes
   the plugin. */
static bool read_history(history *h, slice s)
{
    slice value;
    char token = take_token(&s, &value);
    if (token != '[') return false;
    do {
        token = take_token(&s, &value);
        if (token == '[') h->crashed = true;
        else if (token == 's' || token == 'w') history_entry(h, value);
        else if (token != '{' || !history_object(h, &s)) return false;
        if (h->crashed) return true;
        token = take_token(&s, &value);
    } while (token == ',');
    return token == ']' && !slice_trim(s).len;
}

/* Events in the form of OpenAI's API, which the plugin passes on. */
static void wpaicg_stream(conn *c, slice answer)
{
    char id[30], head[256], event[384];
    random_text(id, 29, 36);
    snprintf(head, sizeof head,
             "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":%lld,\"model\":\"gpt-"
             "4o-mini\","
             "\"choices\":[{\"index\":0,\"delta\":{",
             id, (long long)time(NULL));
    reply_begin(c, "200 OK", "text/event-stream;charset=UTF-8", AJAX_HEADERS "Cache-Control: no-cache\r\n");
    snprintf(event, sizeof event, "%s\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}",
             head);
    reply_event(c, NULL, slice_of(event));
    snprintf(event, sizeof event, "%s\"content\":\"", head);
    stream_answer(c, event, answer, "\"},\"finish_reason\":null}]}");
    snprintf(event, sizeof event, "%s},\"finish_reason\":\"stop\"}]}", head);
    reply_event(c, NULL, slice_of(event));
    reply_event(c, NULL, slice_of("[DONE]"));
    reply_end_late(c);
}

/* The greeting holds what a careless reader would take for the reply. "Something went wrong" stands there in
   a success, too. */
static void wpaicg_json(conn *c, slice answer)
{
    buffer body = { NULL, 0, 0 };
    buffer_text(&body, "{\"status\":\"success\",\"msg\":\"Something went wrong\","
                       "\"greeting_message\":\"Converse as a friendly assistant. \\\"data\\\":\\\"not the "
                       "reply\\\"\",\"data\":\"");
    json_text(&body, answer, true);
    buffer_text(&body, "\",\"log\":false}");
    reply_ajax(c, "200 OK", TYPE_JSON, buffer_slice(&body));
    buffer_free(&body);
}

static void wpaicg_answer(const site_state *site, conn *c, slice message, slice form)
{
    buffer field = { NULL, 0, 0 }, mangled = { NULL, 0, 0 }, answer = { NULL, 0, 0 };
    history h = { 0, { NULL, 0 }, false };
    form_field(form, "wpaicg_chat_history", &field);
    if (!mangle_history(&mangled, buffer_slice(&field)) || !read_history(&h, buffer_slice(&mangled)))
        memset(&h, 0, sizeof h);
    make_answer(&answer, message, h.messages, h.first);
    if (h.crashed)
        reply_ajax(c, "500 Internal Server Error", TYPE_HTML,
                   slice_of("<p>There has been a critical error on this website.</p>"));
    else if (site->plain)
        wpaicg_json(c, buffer_slice(&answer));
    else
        wpaicg_stream(c, buffer_slice(&answer));
    buffer_free(&answer);
    buffer_free(&mangled);
    buffer_free(&field);
}

/* WordPress's own word for an action that nobody answers. */
static void unknown_action(conn *c)
{
    reply_ajax(c, "400 Bad Request", TYPE_HTML, slice_of("0"));
}

static void wpaicg_ajax(const site_state *site, conn *c, const request *r, const char *action)
{
    buffer message = { NULL, 0, 0 };
    if (strcmp(action, "wpaicg_chat_shortcode_message") != 0 &&
        strcmp(action, "wpaicg_chatbox_message") != 0) {
        unknown_action(c);
        return;
    }
    if (!form_is(r->body, "_wpnonce", site->nonce) && !form_is(r->query, "_wpnonce", site->nonce)) {
        reply_ajax(c, "403 Forbidden", TYPE_HTML, slice_of("The link you followed has expired."));
        return;
    }
    form_field(r->body, "message", &message);
    if (!message.len || slice_is(buffer_slice(&message), "0"))
        reply_ajax(c, "200 OK", TYPE_JSON,
                   slice_of("{\"status\":\"error\",\"msg\":\"It appears that nothing was inputted.\"}"));
    else
        wpaicg_answer(site, c, buffer_slice(&message), r->body);
    buffer_free(&message);
}

/* ==== aipkit: plugin 2.3 and later ==== */

/* The configuration is JSON in an attribute. In `json` an apostrophe stands for the quotes around names and
   strings, which the page writes as &quot;; real ones are escaped in it. */
static void put_config(buffer *page, const char *json)
{
    for (; *json; json++) {
        if (*json == '\'') buffer_text(page, "&quot;");
        else               buffer_byte(page, *json);
    }
}

static void aipkit_page(const site_state *site, buffer *page)
{
    char bot[256];
    snprintf(bot, sizeof bot, "{'botId':%d,'nonce':'%s','postId':%d,'headerName':'Stand-In Bot','ajaxUrl':'",
             BOT_ID, site->nonce, POST_ID);
    buffer_format(
        page,
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<meta charset=\"UTF-8\">\n<title>Chat &#8211; A "
        "Stand-In Site</title>\n"
        "<!-- <div data-config = '{&quot;botId&quot;:1,&quot;nonce&quot;:&quot;c0ffee0001&quot;}'></div> "
        "-->\n"
        "<script>var card = '<div data-config = \"{}\" data-bot-id = \"2\">';\n"
        "window.aipkit_getChatNonceAction = \"aipkit_get_frontend_chat_nonce\";</script>\n"
        "</head>\n<body class=\"home page page-id-%d\">\n<main>\n"
        "<div class=\"aipkit_chat_container aipkit-theme-light\" id=\"aipkit_chat_container_%d\" "
        "data-bot-id=\"%d\"\n"
        "     data-custom-theme='{&quot;botId&quot;:99,&quot;nonce&quot;:&quot;c0ffee0002&quot;}'\n     "
        "data-config='",
        POST_ID, BOT_ID, BOT_ID);
    put_config(page, bot);
    put_slashed(page, site->base);
    put_slashed(page, AJAX_PATH);
    put_config(
        page,
        "','provider':'OpenAI','enableOpenAIConversationState':true,'enableGoogleConversationState':false,'"
        "allowWebSearchTool':false,"
        "'allowGoogleSearchGrounding':false,'requireConsentCompliance':false,'imageUploadEnabledUI':false,"
        "'imageTriggers':'\\/image, \\/generate','starters':['What\\u0027s new?','Say "
        "\\u0022hello\\u0022'],'showSources':true,"
        "'text':{'initialGreeting':'Hello human, I\\u0027m a stand-in.','initialSubgreeting':'Ask \\u0026 be "
        "answered',"
        "'consentTitle':'Consent','consentMessage':'Tea \\u003C coffee?','consentButton':'I agree'}}");
    buffer_text(page,
                "'\n     style=\"max-width: 650px\">\n<div class=\"aipkit_chat_main\"><textarea "
                "placeholder=\"Type a message\"></textarea></div>\n"
                "</div>\n</main>\n<!-- <div data-config='{&quot;botId&quot;:3}'> -->\n</body>\n</html>\n");
}

/* `code` NULL: without one. */
static void aipkit_error(conn *c, const char *status, const char *message, const char *code)
{
    char body[256];
    snprintf(body, sizeof body, "{\"success\":false,\"data\":{\"message\":\"%s\"%s%s%s}}", message,
             code ? ",\"code\":\"" : "", code ? code : "", code ? "\"" : "");
    reply_ajax(c, status, TYPE_JSON, slice_of(body));
}

static void aipkit_ok(conn *c, const char *name, const char *value)
{
    char body[128];
    snprintf(body, sizeof body, "{\"success\":true,\"data\":{\"%s\":\"%s\"}}", name, value);
    reply_ajax(c, "200 OK", TYPE_JSON, slice_of(body));
}

/* An Origin, if there is one, must be the site's: scheme and host, not the port. */
static bool same_origin(const site_state *site, const request *r)
{
    slice origin = r->origin, host = r->host, scheme;
    if (!origin.len) return true;
    scheme = slice_split(&origin, "://");
    origin = slice_split(&origin, ":");
    host = slice_split(&host, ":");
    return slice_is(scheme, site->secure ? "https" : "http") && origin.len == host.len
        && strncasecmp(origin.at, host.at, host.len) == 0;
}

static void aipkit_cache(site_state *site, conn *c, const request *r)
{
    held *h;
    buffer message = { NULL, 0, 0 };
    char chance[33];
    if (!same_origin(site, r)) {
        aipkit_error(c, "403 Forbidden", "This domain is not permitted to access the chatbot.",
                     "cors_denied");
        return;
    }
    if (!form_is(r->body, "_ajax_nonce", site->nonce)) {
        aipkit_error(
            c, "403 Forbidden",
            "Your session has expired or the request is invalid. Please refresh the page and try again.",
            "nonce_failure_cache_sse");
        return;
    }
    form_field(r->body, "message", &message);
    if (!message.len || slice_is(buffer_slice(&message), "0") || !utf8_valid(buffer_slice(&message))) {
        buffer_free(&message);
        aipkit_error(c, "400 Bad Request", "Message cannot be empty.", "empty_data_to_cache");
        return;
    }
    h = &site->held[site->next_held++ % MAX_HELD];
    buffer_free(&h->message);
    h->message = message;
    h->until = now_ms() + KEY_MS;
    random_text(chance, 32, 36);
    snprintf(h->key, sizeof h->key, "aipkit_sse_%s", chance);
    aipkit_ok(c, "cache_key", h->key);
}

static held *find_held(site_state *site, const char *key)
{
    for (size_t i = 0; i < MAX_HELD; i++)
        if (site->held[i].key[0] && strcmp(site->held[i].key, key) == 0) return &site->held[i];
    return NULL;
}

/* The memory of that conversation, which may be new. */
static talk *find_talk(site_state *site, const char *session_id, const char *uuid)
{
    talk *t;
    for (size_t i = 0; i < MAX_TALKS; i++) {
        t = &site->talks[i];
        if (t->messages && strcmp(t->session_id, session_id) == 0 && strcmp(t->uuid, uuid) == 0) return t;
    }
    t = &site->talks[site->next_talk++ % MAX_TALKS];
    buffer_free(&t->first);
    t->messages = 0;
    snprintf(t->session_id, sizeof t->session_id, "%s", session_id);
    snprintf(t->uuid, sizeof t->uuid, "%s", uuid);
    return t;
}

/* Conversation ids are lower-cased and reduced to [a-z0-9_-]. */
static void clean_id(char *id)
{
    char *to = id;
    for (; *id; id++) {
        char c = *id >= 'A' && *id <= 'Z' ? (char)(*id + 'a' - 'A') : *id;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') *to++ = c;
    }
    *to = 0;
}

/* Checks a stream's parameters in the plugin's order. NULL: all is well, message (now the caller's) and
   conversation are found. */
static const char *aipkit_begin(site_state *site, const request *r, buffer *message, talk **t)
{
    /* with room for one too many */
    char key[48], bot[24], uuid[MAX_SESSION + 2], session_id[MAX_SESSION + 2];
    long long until;
    held *h;
    if (!same_origin(site, r)) return "This domain is not permitted to access the chatbot.";
    if (!form_is(r->query, "_ajax_nonce", site->nonce))
        return "Security check failed. Please refresh the page and try again.";
    if (!form_short(r->query, "cache_key", key, sizeof key)) return "Message cache key is missing.";
    h = find_held(site, key);
    if (!h) return "Message not found in cache.";
    *message = h->message;                      /* a key is spent now, whatever comes of it */
    until = h->until;
    memset(h, 0, sizeof *h);
    if (now_ms() > until) return "Cached message has expired.";
    snprintf(bot, sizeof bot, "%d", BOT_ID);
    if (!form_is(r->query, "bot_id", bot)) return "Invalid chatbot specified.";
    form_short(r->query, "conversation_uuid", uuid, sizeof uuid);
    clean_id(uuid);
    if (!uuid[0]) return "Conversation ID is missing.";
    if (!form_short(r->query, "session_id", session_id, sizeof session_id))
        return "Session ID is missing for guest.";
    if (strlen(uuid) > MAX_UUID || strlen(session_id) > MAX_SESSION) return "Failed to log user message.";
    *t = find_talk(site, session_id, uuid);
    return NULL;
}

static void aipkit_answer(conn *c, slice message, talk *t)
{
    buffer answer = { NULL, 0, 0 };
    char id[20], event[128];
    make_answer(&answer, message, t->messages, buffer_slice(&t->first));
    if (!t->messages) buffer_add(&t->first, message);
    t->messages += 2;
    random_text(id, 13, 16);
    snprintf(event, sizeof event, "{\"message_id\":\"aipkit-msg-%s.12345678\"}", id);
    reply_event(c, "message_start", slice_of(event));
    snprintf(event, sizeof event,
             "{\"type\":\"response.created\",\"status\":\"in_progress\",\"response_id\":\"resp_%s\"}", id);
    reply_event(c, "status", slice_of(event));
    stream_answer(c, "{\"delta\":\"", buffer_slice(&answer), "\"}");
    snprintf(event, sizeof event, "{\"id\":\"resp_%s\"}", id);
    reply_event(c, "openai_response_id", slice_of(event));
    buffer_free(&answer);
}

/* The status is 200 for failures too. */
static void aipkit_stream(site_state *site, conn *c, const request *r)
{
    buffer message = { NULL, 0, 0 };
    char preamble[1 + 4096 + 2 + 1], event[256];
    talk *t = NULL;
    const char *wrong = aipkit_begin(site, r, &message, &t);
    reply_begin(c, "200 OK", "text/event-stream; charset=utf-8",
                AJAX_HEADERS
                "Cache-Control: no-cache, no-store, must-revalidate, max-age=0, no-transform\r\n");
    snprintf(preamble, sizeof preamble, ":%4096s\n\n", "");
    reply_add(c, slice_cut(preamble, preamble + 2048));
    reply_add(c, slice_of(preamble + 2048));
    if (wrong) {
        snprintf(event, sizeof event, "id: err-%lld\nevent: error\ndata: {\"error\":\"%s\"}\n\n",
                 (long long)time(NULL), wrong);
        reply_add(c, slice_of(event));
    } else {
        aipkit_answer(c, buffer_slice(&message), t);
    }
    reply_event(c, "done", slice_of("{\"finished\":true}"));
    reply_end_late(c);
    buffer_free(&message);
}

static void aipkit_ajax(site_state *site, conn *c, const request *r, const char *action)
{
    if (strcmp(action, "aipkit_get_frontend_chat_nonce") == 0) aipkit_ok(c, "nonce", site->nonce);
    else if (strcmp(action, "aipkit_cache_sse_message") == 0) aipkit_cache(site, c, r);
    else if (strcmp(action, "aipkit_frontend_chat_stream") == 0) aipkit_stream(site, c, r);
    else unknown_action(c);
}

/* ==== requests ==== */

/* Value of the first header line of that name; empty if there is none. */
static slice header(slice head, const char *name)
{
    size_t len = strlen(name);
    while (head.len) {
        slice line = slice_split(&head, "\r\n");
        if (line.len > len && line.at[len] == ':' && strncasecmp(line.at, name, len) == 0)
            return slice_trim(slice_from(line, len + 1));
    }
    return head;
}

static bool parse_size(slice digits, size_t *size)
{
    *size = 0;
    for (; digits.len; digits = slice_from(digits, 1)) {
        if (digits.at[0] < '0' || digits.at[0] > '9') return false;
        if (*size <= MAX_BODY) *size = *size * 10 + (size_t)(digits.at[0] - '0');
    }
    return true;
}

/* NULL, or the status that says what is wrong with the head. */
static const char *parse_head(slice head, request *r)
{
    slice line = slice_split(&head, "\r\n"), connection = header(head, "Connection");
    r->method = slice_split(&line, " ");
    r->query = slice_split(&line, " ");
    r->path = slice_split(&r->query, "?");
    r->http11 = slice_is(line, "HTTP/1.1");
    if ((!r->http11 && !slice_is(line, "HTTP/1.0")) || !r->path.len || r->path.at[0] != '/')
        return "400 Bad Request";
    if (header(head, "Transfer-Encoding").len) return "411 Length Required";
    if (!parse_size(header(head, "Content-Length"), &r->body_len)) return "400 Bad Request";
    if (r->body_len > MAX_BODY) return "413 Request Entity Too Large";
    r->host = header(head, "Host");
    r->origin = header(head, "Origin");
    r->closes = !r->http11 || (connection.len == 5 && strncasecmp(connection.at, "close", 5) == 0);
    r->expects = header(head, "Expect").len != 0;
    if (!slice_is(r->method, "GET") && !slice_is(r->method, "POST")) return "405 Method Not Allowed";
    return NULL;
}

/* Text of the other side, made fit for one word on a line. */
static void put_word(buffer *line, slice text)
{
    if (!text.len) buffer_byte(line, '-');
    for (; text.len; text = slice_from(text, 1))
        buffer_byte(line, text.at[0] > ' ' && text.at[0] < 0x7F ? text.at[0] : '?');
    buffer_byte(line, ' ');
}

static void log_request(const conn *c, const request *r, const char *action)
{
    buffer line = { NULL, 0, 0 };
    put_word(&line, r->method);
    put_word(&line, r->path);
    put_word(&line, slice_of(action));
    buffer_format(&line, "connection=%u tls=%s\n", c->number,
                  !c->tls           ? "none"
                  : c->tls->resumed ? "resumed"
                                    : "full");
    fwrite(line.at, 1, line.len, stderr);
    buffer_free(&line);
}

static void reply_page(const site_state *site, conn *c)
{
    buffer page = { NULL, 0, 0 };
    if (site->aipkit) aipkit_page(site, &page);
    else              wpaicg_page(site, &page);
    reply_whole(c, "200 OK", TYPE_HTML, "", buffer_slice(&page));
    buffer_free(&page);
}

static void answer_request(site_state *site, conn *c, const request *r)
{
    char action[64] = "";
    bool ajax = slice_is(r->path, AJAX_PATH);
    if (ajax && !form_short(r->body, "action", action, sizeof action))
        form_short(r->query, "action", action, sizeof action);
    if (site->verbose) log_request(c, r, action);
    if (ajax && site->aipkit) aipkit_ajax(site, c, r, action);
    else if (ajax) wpaicg_ajax(site, c, r, action);
    else if (slice_is(r->path, "/") && slice_is(r->method, "GET")) reply_page(site, c);
    else
        reply_whole(c, "404 Not Found", TYPE_HTML, "",
                    slice_of("<!DOCTYPE html>\n<title>Page not found</title>\n<h1>Not here</h1>\n"));
}

/* Answers the request at the front of c->in if it is all there; false: more of it is needed. */
static bool take_request(site_state *site, conn *c)
{
    request r;
    slice in = buffer_slice(&c->in), head;
    const char *wrong = NULL;
    size_t head_len = slice_find(in, "\r\n\r\n") + 4;
    bool whole = head_len <= in.len;
    memset(&r, 0, sizeof r);
    head = slice_cut(in.at, in.at + (whole ? head_len - 2 : in.len));
    if (whole) wrong = parse_head(head, &r);
    if (!whole || head_len > MAX_HEAD) {
        if (in.len <= MAX_HEAD) return false;
        wrong = "431 Request Header Fields Too Large";
    }
    if (!wrong && in.len - head_len < r.body_len) {
        if (!r.expects || c->continued) return false;
        c->continued = true;
        buffer_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        return true;
    }
    c->chunked = r.http11;
    c->last = r.closes || wrong;
    c->continued = false;
    if (wrong) {
        reply_whole(c, wrong, TYPE_HTML, "", slice_of("<!DOCTYPE html>\n<h1>Request refused</h1>\n"));
        return true;
    }
    r.body = slice_cut(in.at + head_len, in.at + head_len + r.body_len);
    answer_request(site, c, &r);
    buffer_drop(&c->in, head_len + r.body_len);
    return true;
}

/* ==== connections ==== */

static int plain_result(ssize_t n, int wants)
{
    if (n >= 0) return (int)n;
    return errno == EAGAIN || errno == EINTR ? wants : IO_FAILED;
}

/* What a result means for the connection: false, it is over; true, it has to wait. */
static bool wait_for(conn *c, int result)
{
    c->waits = result == IO_WANTS_WRITE ? POLLOUT : POLLIN;
    return result == IO_WANTS_READ || result == IO_WANTS_WRITE;
}

static int conn_read(conn *c)
{
    int n;
    buffer_grow(&c->in, READ_SIZE);
    n = c->tls ? session_read(c->tls, c->in.at + c->in.len, READ_SIZE)
               : plain_result(recv(c->fd, c->in.at + c->in.len, READ_SIZE, 0), IO_WANTS_READ);
    if (n > 0) c->in.len += (size_t)n;
    return n;
}

/* Where the part of c->out ends that may leave now. */
static size_t released(conn *c, long long now)
{
    while (c->next_mark < c->num_marks && c->marks[c->next_mark].at <= now) c->next_mark++;
    return c->next_mark < c->num_marks ? c->marks[c->next_mark].offset : c->out.len;
}

/* Writes a piece of what may leave; a write that had to wait is repeated with the same size, as TLS demands.
   */
static int conn_write(conn *c, size_t end)
{
    const char *from = c->out.at + c->sent;
    int n;
    if (!c->trying) c->trying = end - c->sent < WRITE_SIZE ? end - c->sent : WRITE_SIZE;
    n = c->tls ? session_write(c->tls, from, c->trying)
               : plain_result(send(c->fd, from, c->trying, 0), IO_WANTS_WRITE);
    if (n <= 0) return n;
    c->trying = 0;
    c->sent += (size_t)n;
    if (c->sent == c->out.len) c->out.len = c->sent = c->num_marks = c->next_mark = 0;
    return n;
}

/* Does all that can be done without waiting; false: the connection is over. */
static bool conn_work(site_state *site, conn *c)
{
    int n;
    if (c->tls && !c->tls->ready && (n = session_handshake(c->tls)) < 0) return wait_for(c, n);
    for (;;) {
        long long now = now_ms();
        if (c->out.len) {
            size_t end = released(c, now);
            c->waits = 0;
            if (c->sent == end) return true;
            n = conn_write(c, end);
        } else {
            if (c->last) return false;
            if (take_request(site, c)) continue;
            n = conn_read(c);
        }
        if (n <= 0) return wait_for(c, n);
        c->active = now;
    }
}

static void conn_close(conn *c)
{
    session_close(c->tls);
    close(c->fd);
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c->marks);
    free(c);
}

static void conn_open(site_state *site, int fd)
{
    int on = 1;
    conn *c = (conn *)calloc(1, sizeof *c);
    if (!c) die("memory", strerror(ENOMEM));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /* each piece leaves at once */
    c->fd = fd;
    c->number = ++site->accepted;
    c->active = now_ms();
    c->waits = POLLIN;
    if (site->tls) c->tls = session_open(site->tls, fd);
    site->conns[site->num_conns++] = c;
}

/* Milliseconds until c wants to go on by itself. */
static int conn_timeout(const conn *c, long long now)
{
    long long at = c->active + IDLE_MS;
    if (c->out.len && c->sent < c->out.len && !c->waits) at = c->marks[c->next_mark].at;
    return at <= now ? 0 : (int)(at - now);
}

/* Works at each connection that has something to do. polled[i] belongs to conns[i]; from the end, so that the
   last can fill a gap. */
static void work_all(site_state *site, const struct pollfd *polled)
{
    for (size_t i = site->num_conns; i-- > 0;) {
        conn *c = site->conns[i];
        long long now = now_ms();
        bool open = !(polled[i].revents & (POLLERR | POLLNVAL)) && now - c->active < IDLE_MS;
        if (open && (polled[i].revents || conn_timeout(c, now) == 0)) open = conn_work(site, c);
        if (open) continue;
        if (site->verbose && c->tls && !c->tls->ready)
            fprintf(stderr, "handshake failed connection=%u\n", c->number);
        conn_close(c);
        site->conns[i] = site->conns[--site->num_conns];
    }
}

/* ==== main ==== */

static int wake_pipe[2];
static char ca_path[256];

static void on_signal(int number)
{
    int saved = errno;
    ssize_t ignored = write(wake_pipe[1], "", 1);
    (void)ignored;
    (void)number;
    errno = saved;
}

static void remove_ca(void)
{
    if (ca_path[0]) unlink(ca_path);
}

/* Serves until a signal or the end of standard input. */
static void serve(site_state *site)
{
    struct pollfd polled[3 + MAX_CONNECTIONS];
    char junk[512];
    for (;;) {
        int timeout = -1, fd;
            long long now = now_ms();
        memset(polled, 0, sizeof polled);
        polled[0].fd = STDIN_FILENO;
        polled[1].fd = wake_pipe[0];
        polled[2].fd = site->num_conns < MAX_CONNECTIONS ? site->listener : -1;
        polled[0].events = polled[1].events = polled[2].events = POLLIN;
        for (size_t i = 0; i < site->num_conns; i++) {
            int wish = conn_timeout(site->conns[i], now);
            if (timeout < 0 || wish < timeout) timeout = wish;
            polled[3 + i].fd = site->conns[i]->fd;
            polled[3 + i].events = site->conns[i]->waits;
        }
        if (poll(polled, (nfds_t)(3 + site->num_conns), timeout) < 0) continue;
        if (polled[1].revents || (polled[0].revents && read(STDIN_FILENO, junk, sizeof junk) <= 0)) return;
        work_all(site, polled + 3);
        if (polled[2].revents && (fd = accept(site->listener, NULL, NULL)) >= 0) conn_open(site, fd);
    }
}

static void listen_on(site_state *site)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int on = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)site->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    site->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (site->listener < 0 || setsockopt(site->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(site->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(site->listener, 128) < 0 ||
        getsockname(site->listener, (struct sockaddr *)&address, &size) < 0)
        die("cannot listen on 127.0.0.1", strerror(errno));
    fcntl(site->listener, F_SETFL, O_NONBLOCK);
    site->port = ntohs(address.sin_port);
    snprintf(site->base, sizeof site->base, "%s:%d", site->secure ? "https://localhost" : "http://127.0.0.1",
             site->port);
}

static void write_ca(const buffer *pem)
{
    const char *folder = getenv("TMPDIR");
    char path[sizeof ca_path];
    int fd, len = snprintf(path, sizeof path, "%s/demo_site_ca_??????", folder && *folder ? folder : "/tmp");
    if (len < 0 || (size_t)len >= sizeof path) die("TMPDIR", "is too long");
    memset(path + len - 6, 'X', 6);             /* what mkstemp() replaces */
    fd = mkstemp(path);
    if (fd < 0) die(path, strerror(errno));
    memcpy(ca_path, path, sizeof path);
    atexit(remove_ca);
    if (write(fd, pem->at, pem->len) != (ssize_t)pem->len || close(fd) < 0) die(path, strerror(errno));
}

static void prepare_process(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    /* so that no socket becomes standard input */
    if (fcntl(STDIN_FILENO, F_GETFD) < 0) open("/dev/null", O_RDONLY);
    if (pipe(wake_pipe) < 0) die("pipe", strerror(errno));
    fcntl(wake_pipe[1], F_SETFL, O_NONBLOCK);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static int usage(FILE *to)
{
    fputs("usage: demo_site [--port N] [--tls] [--dialect wpaicg|aipkit] [--plain] [--verbose]\n"
          "A stand-in for a site that runs the plugin AI Power, on 127.0.0.1; serves until SIGTERM or the "
          "end of standard input.\n"
          "First line of output: url=...; with --tls a second one: ca=FILE, the root to trust.\n",
          to);
    return to == stdout ? 0 : 2;
}

static bool parse_port(const char *text, int *port)
{
    char *end;
    long value = strtol(text, &end, 10);
    *port = (int)value;
    return end != text && !*end && value >= 0 && value <= 65535;
}

/* -1: go on; else the exit code. */
static int read_arguments(site_state *site, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--help") == 0) return usage(stdout);
        if (strcmp(argv[i], "--tls") == 0) site->secure = true;
        else if (strcmp(argv[i], "--plain") == 0) site->plain = true;
        else if (strcmp(argv[i], "--verbose") == 0) site->verbose = true;
        else if (strcmp(argv[i], "--port") == 0 && parse_port(value, &site->port)) i++;
        else if (strcmp(argv[i], "--dialect") == 0 &&
                 (strcmp(value, "wpaicg") == 0 || strcmp(value, "aipkit") == 0)) {
            site->aipkit = strcmp(value, "aipkit") == 0;
            i++;
        } else return usage(stderr);
    }
#ifdef CHATGPTT_NO_TLS
    if (site->secure) {
        fputs("demo_site: --tls: this build has no TLS (CHATGPTT_NO_TLS)\n", stderr);
        return 2;
    }
#endif
    return -1;
}

static void site_free(site_state *site)
{
    for (size_t i = 0; i < site->num_conns; i++) conn_close(site->conns[i]);
    for (size_t i = 0; i < MAX_HELD; i++) buffer_free(&site->held[i].message);
    for (size_t i = 0; i < MAX_TALKS; i++) buffer_free(&site->talks[i].first);
    close(site->listener);
    tls_close(site->tls);
    free(site);
}

int main(int argc, char **argv)
{
    buffer pem = { NULL, 0, 0 };
    site_state *here = (site_state *)calloc(1, sizeof *here);
    int code;
    if (!here) die("memory", strerror(ENOMEM));
    code = read_arguments(here, argc, argv);
    if (code >= 0) {
        free(here);
        return code;
    }
    prepare_process();
    random_text(here->nonce, 10, 16);
    listen_on(here);
    if (here->secure) {
        here->tls = tls_open(&pem);
        write_ca(&pem);
    }
    printf("url=%s\n", here->base);
    if (here->secure) printf("ca=%s\n", ca_path);
    fflush(stdout);
    serve(here);
    site_free(here);
    buffer_free(&pem);
    return 0;
}
