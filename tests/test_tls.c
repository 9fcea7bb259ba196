/* test_tls.c: the certificate matrix and the protocol cases: what is served, and what the client makes of it.
   */

#include "check.h"

#ifdef CHATGPTT_NO_TLS

int main(void) { return check_report("test_tls"); }

#else

#include "tls_site.h"

#include <fcntl.h>

#define CHATGPTT_TRUST_PLACES "/nowhere/first.pem", "/nowhere/second.pem"
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define NEEDS_TLS_1_3 NULL
#else
#define NEEDS_TLS_1_3 "this mbedTLS has no TLS 1.3"
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_1)
#define NEEDS_TLS_1_1 NULL
#else
#define NEEDS_TLS_1_1 "this mbedTLS cannot serve TLS 1.1"
#endif

/* A curve that the client did not offer: the older server does not serve such a certificate, the newer does.
   */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define K256_LEAF CHATGPTT_E_CERTIFICATE
#else
#define K256_LEAF CHATGPTT_E_TLS
#endif

typedef struct tls_case {           /* zero it: every zero is the usual good case */
    const char *name;
    cert_spec leaf, mid[2], root;   /* mid: used if it has a cn, the first one nearest to the leaf */
    bool self;                      /* the leaf is signed by its own key */
    bool stranger;                  /* what the client trusts is another root of the same name */
    bool hide_mid;                  /* the site does not send mid[0] */
    bool send_root, send_other;     /* it sends the root too; or the usual root, maybe of the same name */
    bool unreadable;                /* mbedTLS cannot take the chain, not even with `insecure` */
    bool insecure;
    const char *host;               /* what the client asks for; default site.test */
    tls_site_settings site;         /* the chain is filled in */
    chatgptt_code want;             /* OK: the answer arrives */
    const char *words;              /* one of these, parted by |, stands in the message */
    const char *skip;               /* why not with this mbedTLS */
} tls_case;

/* ---- what is served ---- */

static size_t chat_content(const http_request *request, const char **content)
{
    bool post = !strncmp(request->head, "POST ", 5);
    *content = post
                   ? "{\"status\":\"success\",\"data\":\"hi\"}"
                   : "<!doctype html><title>Chat</title><div data-nonce=\"abc123\" data-post-id=\"5\"></div>";
    return strlen(*content);
}

static const char *chat_type(const http_request *request)
{
    return strncmp(request->head, "POST ", 5) ? "text/html" : "application/json";
}

static size_t answer_chat(const http_request *request, char *out, size_t size)
{
    const char *content;
    size_t len = chat_content(request, &content);
    return (size_t)snprintf(
        out, size,
        "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
        chat_type(request), len, content);
}

/* The body ends where the connection does. */
static size_t answer_until_close(const http_request *request, char *out, size_t size)
{
    const char *content;
    chat_content(request, &content);
    return (size_t)snprintf(out, size, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n%s",
                            chat_type(request), content);
}

static const int cbc_sha1_suites[] =
    { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, 0 };
static const int static_rsa_suites[] = { MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
                                         MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA, 0 };
static const int chacha_suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 0 };

static const char plain_http[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\nConnection: close\r\n\r\nBad!";
static const char garbage[] =
    "\xde\xad\xbe\xef\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x80\x81\x82\x83\x84";
static const char ssh_banner[] = "SSH-2.0-OpenSSH_9.6\r\n";
static const char alert_version[] = "\x15\x03\x03\x00\x02\x02\x46";             /* fatal protocol_version */
static const char alert_name[] = "\x15\x03\x03\x00\x02\x02\x70";                /* fatal unrecognized_name */
static const char alert_handshake[] = "\x15\x03\x03\x00\x02\x02\x28";           /* fatal handshake_failure */
static const char alert_client[] = "\x15\x03\x03\x00\x02\x02\x74";      /* fatal certificate_required */
static const char alert_odd[] = "\x15\x03\x03\x00\x02\x02\xfe";
static const char alert_cut[] = "\x15\x03\x03\x00\x02\x02";

/* ServerHello of a version with a suite, no session id, no extensions; 32 bytes "random". */
#define SERVER_HELLO(version, suite) \
    "\x16\x03\x03\x00\x2a\x02\x00\x00\x26" version "0123456789abcdef0123456789abcdef" "\x00" suite "\x00"
static const char hello_tls_1_0[] = SERVER_HELLO("\x03\x01", "\xc0\x09");
static const char hello_tls_1_1[] = SERVER_HELLO("\x03\x02", "\xc0\x09");
static const char hello_ssl_3[] = SERVER_HELLO("\x03\x00", "\x00\x2f");
/* ECDHE_ECDSA_WITH_NULL_SHA */
static const char hello_null_suite[] = SERVER_HELLO("\x03\x03", "\xc0\x06");
/* ECDH_anon_WITH_AES_128_CBC_SHA */
static const char hello_anonymous[] = SERVER_HELLO("\x03\x03", "\xc0\x18");
/* RSA_EXPORT_WITH_RC4_40_MD5 */
static const char hello_export[] = SERVER_HELLO("\x03\x03", "\x00\x03");
#define RAW(bytes) { .no_tls = true, .raw = bytes, .raw_len = sizeof bytes - 1 }

/* ---- the matrix ---- */

#define DIGITAL_SIGNATURE MBEDTLS_X509_KU_DIGITAL_SIGNATURE
#define MIDDLE { .cn = "Middle", .ca = true, .key_slot = 2 }
#define UNKNOWN "unknown issuer|not trusted"
#define WEAK "weak|unacceptable"
#define NAME "name"

static const tls_case good[] = {
    { .name = "good leaf" },
    { .name = "good leaf with every extension",
      .leaf = { .key_usage = DIGITAL_SIGNATURE, .eku = CERT_EKU_SERVER, .serial = 77 },
      .root = { .cn = "Root",
                .ca = true,
                .key_slot = 1,
                .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN } },
    { .name = "via intermediate", .mid = { MIDDLE } },
    { .name = "via two intermediates", .mid = { MIDDLE, { .cn = "Upper", .ca = true, .key_slot = 3 } } },
    { .name = "path length kept", .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .path_len = 1 } } },
    { .name = "RSA leaf", .leaf = { .key = CERT_RSA2048 } },
    { .name = "RSA all the way",
      .leaf = { .key = CERT_RSA2048 },
      .root = { .cn = "Root", .ca = true, .key = CERT_RSA2048, .key_slot = 1 } },
    { .name = "P-384 leaf", .leaf = { .key = CERT_P384 } },
    { .name = "P-384 root, SHA-384",
      .leaf = { .hash = MBEDTLS_MD_SHA384 },
      .root = { .cn = "Root", .ca = true, .key = CERT_P384, .key_slot = 1 } },
    { .name = "SHA-512", .leaf = { .hash = MBEDTLS_MD_SHA512 } },
    { .name = "root's own signature with SHA-1",
      .root = { .cn = "Root", .ca = true, .key_slot = 1, .hash = MBEDTLS_MD_SHA1 } },
    { .name = "the leaf itself is trusted", .self = true },
    { .name = "second name of three", .leaf = { .san = "DNS:a.test,DNS:site.test,IP:127.0.0.1" } },
    { .name = "wildcard", .leaf = { .san = "DNS:*.site.test" }, .host = "www.site.test" },
    { .name = "upper-case host", .host = "SITE.Test" },
    { .name = "upper-case name", .leaf = { .san = "DNS:Site.TEST" } },
    { .name = "host with a trailing dot", .host = "site.test." },
    { .name = "IPv4 host", .leaf = { .san = "IP:127.0.0.1" }, .host = "127.0.0.1" },
    { .name = "IPv4 host, one of several names",
      .leaf = { .san = "DNS:site.test,IP:10.0.0.1,IP:::1,IP:127.0.0.1" },
      .host = "127.0.0.1" },
    { .name = "IPv6 host",
      .leaf = { .san = "DNS:site.test,IP:127.0.0.1,IP:::1" },
      .host = "[::1]",
      .site = { .v6 = true } },
    { .name = "IPv6 host written long",
      .leaf = { .san = "IP:::1" },
      .host = "[0:0::0:0001]",
      .site = { .v6 = true } },
};

static const tls_case odd_but_good[] = {
    { .name = "the root is sent too", .mid = { MIDDLE }, .send_root = true },
    { .name = "a stranger of the root's name is sent too",
      .root = { .cn = "Root", .ca = true, .key_slot = 3 },
      .send_other = true },
    { .name = "leaf that may sign", .leaf = { .ca = true, .san = "DNS:site.test" } },
    { .name = "wildcard, host with a trailing dot",
      .leaf = { .san = "DNS:*.site.test" },
      .host = "www.site.test." },
    { .name = "wildcard, upper-case host", .leaf = { .san = "DNS:*.site.test" }, .host = "WWW.SITE.TEST" },
    { .name = "wildcard and a name it does not cover",
      .leaf = { .san = "DNS:*.site.test,DNS:site.test" } },
    { .name = "punycode name", .leaf = { .san = "DNS:xn--bcher-kva.test" }, .host = "xn--bcher-kva.test" },
    { .name = "serial with its top bit set", .leaf = { .serial = 255 } },
    { .name = "CN of another, SAN right", .leaf = { .cn = "other.test" } },
    { .name = "P-384 all the way, SHA-512",
      .leaf = { .key = CERT_P384, .hash = MBEDTLS_MD_SHA512 },
      .root = { .cn = "Root", .ca = true, .key = CERT_P384, .key_slot = 1 } },
    { .name = "P-521 root",
      .leaf = { .hash = MBEDTLS_MD_SHA512 },
      .root = { .cn = "Root", .ca = true, .key = CERT_P521, .key_slot = 1 } },
};

static const tls_case odd_and_bad[] = {
    { .name = "wildcard for all", .leaf = { .san = "DNS:*" }, .want = CHATGPTT_E_CERTIFICATE, .words = NAME },
    { .name = "wildcard over an address",
      .leaf = { .san = "DNS:*.0.0.1" },
      .host = "127.0.0.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "wildcard of a wildcard",
      .leaf = { .san = "DNS:*.*.test" },
      .host = "www.site.test",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "name with a dot before it",
      .leaf = { .san = "DNS:.site.test" },
      .host = "www.site.test",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "empty name", .leaf = { .san = "DNS:" }, .want = CHATGPTT_E_CERTIFICATE, .words = NAME },
    { .name = "a part of the name",
      .leaf = { .san = "DNS:site" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "expired, and for another name",
      .leaf = { .san = "DNS:other.test", .from_days = -30, .to_days = -1 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "expired" },
    { .name = "intermediate not yet valid",
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .from_days = 2 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "not yet valid" },
    { .name = "a root that only the site knows",
      .mid = { MIDDLE },
      .root = { .cn = "Nobody", .ca = true, .key_slot = 3 },
      .stranger = true,
      .send_root = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "the trusted root behind another's leaf",
      .root = { .cn = "Nobody", .ca = true, .key_slot = 3 },
      .stranger = true,
      .send_other = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "leaf below an intermediate of path length 0 below another",
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2 },
               { .cn = "Upper", .ca = true, .key_slot = 3, .path_len = 1 } },
      .send_root = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
};

static const tls_case bad[] = {
    { .name = "wrong name",
      .leaf = { .san = "DNS:other.test" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "wildcard over two labels",
      .leaf = { .san = "DNS:*.site.test" },
      .host = "a.b.site.test",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "wildcard and the bare domain",
      .leaf = { .san = "DNS:*.site.test" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "wildcard inside a label",
      .leaf = { .san = "DNS:w*.site.test" },
      .host = "www.site.test",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "name of a longer domain",
      .leaf = { .san = "DNS:site.test.evil.test" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "name is a tail of the host",
      .leaf = { .san = "DNS:site.test" },
      .host = "evilsite.test",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "NUL behind the right name",
      .leaf = { .san = "DNS:site.test!.evil.test" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "CN only",
      .leaf = { .cn = "site.test", .san = "" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "CN right, SAN wrong",
      .leaf = { .cn = "site.test", .san = "DNS:other.test" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "SAN with an address only, CN right",
      .leaf = { .cn = "site.test", .san = "IP:127.0.0.1" },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IP host, the address as a DNS name",
      .leaf = { .san = "DNS:127.0.0.1" },
      .host = "127.0.0.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IP host, another address",
      .leaf = { .san = "IP:127.0.0.2,IP:::1" },
      .host = "127.0.0.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IP host, the address mapped into IPv6",
      .leaf = { .san = "IP:::ffff:127.0.0.1" },
      .host = "127.0.0.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IP host, CN only",
      .leaf = { .cn = "127.0.0.1", .san = "" },
      .host = "127.0.0.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IP host, a name that has its bytes",
      .leaf = { .san = "DNS:\x7f"
                       "..\x01" },
      .host = "127.46.46.1",
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },
    { .name = "IPv6 host, another address",
      .leaf = { .san = "IP:::2,IP:127.0.0.1" },
      .host = "[::1]",
      .site = { .v6 = true },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = NAME },

    { .name = "expired",
      .leaf = { .from_days = -30, .to_days = -1 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "expired" },
    { .name = "not yet valid",
      .leaf = { .from_days = 2 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "not yet valid" },
    { .name = "expired intermediate",
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .from_days = -30, .to_days = -1 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "expired" },
    { .name = "expired root",
      .root = { .cn = "Root", .ca = true, .key_slot = 1, .from_days = -30, .to_days = -1 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "expired" },

    { .name = "self-signed leaf",
      .self = true,
      .stranger = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "self-signed" },
    { .name = "unknown CA",
      .root = { .cn = "Nobody", .ca = true, .key_slot = 3 },
      .stranger = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "another key under the trusted root's name",
      .root = { .cn = "Root", .ca = true, .key_slot = 3 },
      .stranger = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "missing intermediate",
      .mid = { MIDDLE },
      .hide_mid = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "intermediate is no CA",
      .mid = { { .cn = "Middle", .key_slot = 2 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "intermediate without basic constraints",
      .mid = { { .cn = "Middle", .key_slot = 2, .no_constraints = true } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "intermediate may not sign certificates",
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .key_usage = DIGITAL_SIGNATURE } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "another site's leaf as CA",
      .mid = { { .cn = "other.test",
                 .san = "DNS:other.test",
                 .key_slot = 2,
                 .eku = CERT_EKU_SERVER,
                 .key_usage = DIGITAL_SIGNATURE } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },
    { .name = "path length passed",
      .mid = { MIDDLE, { .cn = "Upper", .ca = true, .key_slot = 3, .path_len = 1 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = UNKNOWN },

    { .name = "SHA-1", .leaf = { .hash = MBEDTLS_MD_SHA1 }, .want = CHATGPTT_E_CERTIFICATE, .words = WEAK },
    { .name = "MD5",
      .leaf = { .hash = MBEDTLS_MD_MD5 },
      .root = { .cn = "Root", .ca = true, .key = CERT_RSA2048, .key_slot = 1 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },
    { .name = "intermediate signed with SHA-1",
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .hash = MBEDTLS_MD_SHA1 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },
    { .name = "RSA 1024 leaf",
      .leaf = { .key = CERT_RSA1024 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },
    { .name = "RSA 1024 intermediate",
      .mid = { { .cn = "Middle", .ca = true, .key = CERT_RSA1024, .key_slot = 2 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },
    { .name = "RSA 1024 root",
      .root = { .cn = "Root", .ca = true, .key = CERT_RSA1024, .key_slot = 1 },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },
    { .name = "intermediate on secp256k1",
      .mid = { { .cn = "Middle", .ca = true, .key = CERT_K256, .key_slot = 2 } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = WEAK },

    { .name = "for clients only",
      .leaf = { .eku = CERT_EKU_CLIENT },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "not for servers" },
    /* In every suite we offer the leaf signs: RFC 5246 7.4.2 and RFC 8446 4.4.2.2 want digitalSignature in a
       key usage then. */
    { .name = "key usage without digitalSignature",
      .leaf = { .key_usage = MBEDTLS_X509_KU_KEY_ENCIPHERMENT },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "not for servers|key usage" },
    { .name = "unknown critical extension",
      .leaf = { .strange = true },
      .unreadable = true,
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "certificate" },
    { .name = "intermediate with an unknown critical extension",
      .unreadable = true,
      .mid = { { .cn = "Middle", .ca = true, .key_slot = 2, .strange = true } },
      .want = CHATGPTT_E_CERTIFICATE,
      .words = "certificate" },
};

/* ---- the protocol ---- */

static const tls_case protocol[] = {
    { .name = "TLS 1.2 only", .site = { .max_version = TLS_1_2 } },
    { .name = "TLS 1.2 only, RSA leaf", .leaf = { .key = CERT_RSA2048 }, .site = { .max_version = TLS_1_2 } },
    { .name = "TLS 1.2 only, P-384 leaf", .leaf = { .key = CERT_P384 }, .site = { .max_version = TLS_1_2 } },
    { .name = "TLS 1.3 only", .site = { .min_version = TLS_1_3 }, .skip = NEEDS_TLS_1_3 },
    { .name = "TLS 1.3 only, RSA leaf",
      .leaf = { .key = CERT_RSA2048 },
      .site = { .min_version = TLS_1_3 },
      .skip = NEEDS_TLS_1_3 },
    { .name = "TLS 1.3 only, tickets",
      .site = { .min_version = TLS_1_3, .tickets = true },
      .skip = NEEDS_TLS_1_3 },
    { .name = "TLS 1.2 only, tickets", .site = { .max_version = TLS_1_2, .tickets = true } },
    { .name = "ChaCha20 only", .site = { .max_version = TLS_1_2, .suites = chacha_suites } },
    { .name = "X25519 only", .site = { .group = 29 } },
    { .name = "P-256 only", .site = { .group = 23 } },
    { .name = "P-384 only", .site = { .group = 24 }, .leaf = { .key = CERT_P384 } },
    { .name = "X25519 only, TLS 1.2",
      .site = { .group = 29, .max_version = TLS_1_2 },
      .leaf = { .key = CERT_RSA2048 } },
    { .name = "P-521 only", .site = { .group = 25 }, .want = CHATGPTT_E_TLS, .words = "alert|suite|group" },
    { .name = "secp256k1 only",
      .site = { .group = 22, .max_version = TLS_1_2 },
      .want = CHATGPTT_E_TLS,
      .words = "alert|suite|group" },
    { .name = "P-521 leaf",
      .leaf = { .key = CERT_P521 },
      .want = CHATGPTT_E_TLS,
      .words = "alert|suite|group" },
    { .name = "secp256k1 leaf",
      .leaf = { .key = CERT_K256 },
      .want = K256_LEAF,
      .words = "alert|suite|group|" WEAK },

    /* None of our suites is older than 1.2: such a server finds none in common, and its alert does not say
       why. */
    { .name = "TLS 1.1 at most",
      .site = { .max_version = TLS_1_1 },
      .skip = NEEDS_TLS_1_1,
      .want = CHATGPTT_E_TLS,
      .words = "too old|alert|suite" },
    { .name = "TLS 1.0 at most",
      .site = { .max_version = TLS_1_0 },
      .skip = NEEDS_TLS_1_1,
      .want = CHATGPTT_E_TLS,
      .words = "too old|alert|suite" },
    { .name = "ServerHello of TLS 1.1",
      .site = RAW(hello_tls_1_1),
      .want = CHATGPTT_E_TLS,
      .words = "too old" },
    { .name = "ServerHello of TLS 1.0",
      .site = RAW(hello_tls_1_0),
      .want = CHATGPTT_E_TLS,
      .words = "too old" },
    { .name = "ServerHello of SSL 3", .site = RAW(hello_ssl_3), .want = CHATGPTT_E_TLS, .words = "too old" },
    { .name = "too old, insecure",
      .site = RAW(hello_tls_1_1),
      .insecure = true,
      .want = CHATGPTT_E_TLS,
      .words = "too old" },
    { .name = "NULL suite", .site = RAW(hello_null_suite), .want = CHATGPTT_E_TLS, .words = "TLS" },
    { .name = "NULL suite, insecure",
      .site = RAW(hello_null_suite),
      .insecure = true,
      .want = CHATGPTT_E_TLS,
      .words = "TLS" },
    { .name = "anonymous suite", .site = RAW(hello_anonymous), .want = CHATGPTT_E_TLS, .words = "TLS" },
    { .name = "export suite", .site = RAW(hello_export), .want = CHATGPTT_E_TLS, .words = "TLS" },
    { .name = "static RSA suites only",
      .leaf = { .key = CERT_RSA2048 },
      .site = { .suites = static_rsa_suites, .max_version = TLS_1_2 },
      .want = CHATGPTT_E_TLS,
      .words = "alert|suite" },
    { .name = "CBC with SHA-1 only",
      .site = { .suites = cbc_sha1_suites, .max_version = TLS_1_2 },
      .want = CHATGPTT_E_TLS,
      .words = "alert|suite" },
    { .name = "CBC with SHA-1 only, insecure",
      .site = { .suites = cbc_sha1_suites, .max_version = TLS_1_2 },
      .insecure = true,
      .want = CHATGPTT_E_TLS,
      .words = "alert|suite" },

    { .name = "plain http on the port",
      .site = RAW(plain_http),
      .want = CHATGPTT_E_TLS,
      .words = "does not speak TLS" },
    { .name = "ssh on the port",
      .site = RAW(ssh_banner),
      .want = CHATGPTT_E_TLS,
      .words = "does not speak TLS" },
    { .name = "garbage on the port",
      .site = RAW(garbage),
      .want = CHATGPTT_E_TLS,
      .words = "does not speak TLS" },
    { .name = "closed in mid-handshake",
      .site = { .no_tls = true },
      .want = CHATGPTT_E_CLOSED,
      .words = "may not speak TLS on this port" },
    { .name = "closed inside a record",
      .site = RAW(alert_cut),
      .want = CHATGPTT_E_CLOSED,
      .words = "handshake" },
    { .name = "silence",
      .site = { .no_tls = true, .silent = true },
      .want = CHATGPTT_E_TIMEOUT,
      .words = "handshake|TLS" },
    { .name = "alert unrecognized_name",
      .site = RAW(alert_name),
      .want = CHATGPTT_E_TLS,
      .words = "does not know this host name" },
    { .name = "alert handshake_failure",
      .site = RAW(alert_handshake),
      .want = CHATGPTT_E_TLS,
      .words = "no common cipher suite" },
    { .name = "alert certificate_required",
      .site = RAW(alert_client),
      .want = CHATGPTT_E_TLS,
      .words = "wants a certificate" },
    { .name = "an alert without words", .site = RAW(alert_odd), .want = CHATGPTT_E_TLS, .words = "alert" },
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    { .name = "alert protocol_version",
      .site = RAW(alert_version),
      .want = CHATGPTT_E_TLS,
      .words = "alert|version|too old" },
#else
    { .name = "TLS 1.3 only, told by its alert",
      .site = RAW(alert_version),
      .want = CHATGPTT_E_TLS,
      .words = "this mbedTLS speaks no TLS 1.3" },
#endif

    { .name = "no close_notify after a whole body", .site = { .truncate = true } },
    { .name = "body until close_notify", .site = { .answer = answer_until_close } },
    { .name = "body until a bare close",
      .site = { .answer = answer_until_close, .truncate = true },
      .want = CHATGPTT_E_CLOSED,
      .words = "TLS|close|truncated" },
};

/* ---- one case ---- */

static struct {
    tls_site site;
    tls_site_settings settings;
    cert root, other_root, mid[2], leaf;
    char ca_pem[CERT_PEM_MAX];
} bench;

typedef struct verdict {
    bool opened;
    chatgptt_error error;
    char answer[64];                            /* "": none */
} verdict;

/* True: one of the words, parted by |, stands in the text, in any letter case. */
static bool mentions(const char *text, const char *words)
{
    for (; *words; words += *words == '|') {
        size_t len = strcspn(words, "|");
        for (const char *at = text; *at; at++)
            if (!strncasecmp(at, words, len)) return true;
        words += len;
    }
    return false;
}

/* Makes the chain of the case in bench: what the site serves and what the client trusts. */
static void make_chain(const tls_case *row)
{
    static const cert_spec usual_root = { .cn = "Root", .ca = true, .key_slot = 1 };
    const cert *issuer = &bench.root, **chain = bench.settings.chain;
    memset(bench.settings.chain, 0, sizeof bench.settings.chain);
    cert_make(&bench.other_root, &usual_root, NULL);
    cert_make(&bench.root, row->root.cn ? &row->root : &usual_root, NULL);
    for (int i = 1; i >= 0; i--)
        if (row->mid[i].cn) {
            cert_make(&bench.mid[i], &row->mid[i], issuer);
            issuer = &bench.mid[i];
        }
    cert_make(&bench.leaf, &row->leaf, row->self ? NULL : issuer);
    *chain++ = &bench.leaf;
    for (int i = 0; i < 2; i++)
        if (row->mid[i].cn && !(row->hide_mid && i == 0)) *chain++ = &bench.mid[i];
    if (row->send_root || row->send_other) *chain++ = row->send_root ? &bench.root : &bench.other_root;
    *chain = NULL;
    cert_pem(row->stranger ? &bench.other_root
             : row->self   ? &bench.leaf
                           : &bench.root,
             bench.ca_pem, sizeof bench.ca_pem);
}

/* Sets the site of the case up and starts it. */
static bool start_site(const tls_case *row)
{
    bench.settings = row->site;
    if (!bench.settings.answer) bench.settings.answer = answer_chat;
    make_chain(row);
    return tls_site_start(&bench.site, &bench.settings);
}

/* One question to the site. */
static verdict ask_site(const char *host, chatgptt_options options)
{
    verdict got;
    char url[128];
    memset(&got, 0, sizeof got);
    snprintf(url, sizeof url, "https://%s:%d/", host ? host : "site.test", bench.site.port);
    options.url = url;
    if (!options.address) options.address = bench.settings.v6 ? "::1" : "127.0.0.1";
    chatgptt_client *client = chatgptt_open(&options, &got.error);
    if (!client) return got;
    got.opened = true;
    char *answer = chatgptt_ask(client, "hello");
    got.error = *chatgptt_client_error(client);
    if (answer) snprintf(got.answer, sizeof got.answer, "%s", answer);
    chatgptt_free(client, answer);
    chatgptt_close(client);
    return got;
}

static chatgptt_options case_options(const tls_case *row)
{
    chatgptt_options options;
    memset(&options, 0, sizeof options);
    options.ca_pem = bench.ca_pem;
    options.insecure = row->insecure;
    options.connect_timeout_ms = row->site.silent ? 200 : 5000;
    options.idle_timeout_ms = 5000;
    return options;
}

static void check_verdict(const verdict *got, chatgptt_code want, const char *words)
{
    bool held = want == CHATGPTT_OK ? CHECK_STR(got->answer, "hi")
              : CHECK_INT(got->error.code, want) && CHECK_STR(got->answer, "");
    if (held && words)
        held = mentions(got->error.message, words) || check_fail(__FILE__, __LINE__, "no word of: %s", words);
    if (!held || getenv("CHECK_VERBOSE"))
        printf("    %s: %s\n", chatgptt_code_name(got->error.code), got->error.message);
}

static const tls_case *this_case;

static void run_case(void)
{
    const tls_case *row = this_case;
    if (row->skip) SKIP(row->skip);
    if (!start_site(row)) SKIP("no such loopback address");
    chatgptt_options options = case_options(row);
    verdict got = ask_site(row->host, options);
    check_verdict(&got, row->want, row->words);
    /* The site does serve what it is said to: whoever looks away gets the answer. */
    if (row->want == CHATGPTT_E_CERTIFICATE && !row->unreadable) {
        options.insecure = true;
        got = ask_site(row->host, options);
        check_verdict(&got, CHATGPTT_OK, NULL);
    }
    tls_site_stop(&bench.site);
}

static void run_table(const tls_case *table, size_t rows)
{
    for (this_case = table; this_case < table + rows; this_case++) check_case(this_case->name, run_case);
}

/* ---- trust ---- */

static const tls_case usual = { .name = "usual" };

/* What the client says of the usual site when these are its roots. */
static verdict ask_with_trust(const char *ca_pem, const char *ca_file)
{
    verdict got;
    chatgptt_options options;
    start_site(&usual);
    options = case_options(&usual);
    options.ca_pem = ca_pem;
    options.ca_file = ca_file;
    got = ask_site(NULL, options);
    tls_site_stop(&bench.site);
    return got;
}

/* The path of a new file with these bytes; the caller unlinks it. */
static const char *write_file(const char *bytes)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/test_tls.%ld.pem", (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cert_must(fd, path);
    cert_must(write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes) ? 0 : -1, "write");
    close(fd);
    return path;
}

TEST(ca_file)
{
    make_chain(&usual);
    const char *path = write_file(bench.ca_pem);
    verdict got = ask_with_trust(NULL, path);
    unlink(path);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

TEST(ca_file_missing)
{
    verdict got = ask_with_trust(NULL, "/nowhere/roots.pem");
    CHECK(!got.opened);
    check_verdict(&got, CHATGPTT_E_CERTIFICATE, "/nowhere/roots.pem");
}

TEST(ca_file_without_certificates)
{
    const char *path = write_file("nothing of use\n");
    verdict got = ask_with_trust(NULL, path);
    unlink(path);
    CHECK(!got.opened);
    check_verdict(&got, CHATGPTT_E_CERTIFICATE, path);
}

TEST(ca_pem_garbage)
{
    static const char *const garbled[] = {
        "",
        "nothing of use",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB$$$$\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"
    };
    for (size_t i = 0; i < sizeof garbled / sizeof *garbled; i++) {
        verdict got = ask_with_trust(garbled[i], NULL);
        CHECK(!got.opened);
        check_verdict(&got, CHATGPTT_E_CERTIFICATE, "ca_pem");
    }
}

/* Trust stores come with remarks, other objects, CR LF, and certificates this library cannot read. */
TEST(ca_pem_with_noise)
{
    static char pem[4 * CERT_PEM_MAX];
    cert other;
    cert_spec spec = { .cn = "Other", .ca = true, .key_slot = 3 };
    size_t len = (size_t)snprintf(pem, sizeof pem, "\xef\xbb\xbf# roots\n"
                                  "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"
                                  "-----BEGIN PUBLIC KEY-----\nMIIBAAAA\n-----END PUBLIC KEY-----\n\n");
    cert_make(&other, &spec, NULL);
    len += cert_pem(&other, pem + len, sizeof pem - len);
    len += (size_t)snprintf(pem + len, sizeof pem - len, "# Root \xc3\xa9\n");
    make_chain(&usual);
    for (const char *at = bench.ca_pem; *at; at++) {
        if (*at == '\n') pem[len++] = '\r';
        pem[len++] = *at;
    }
    pem[len - 2] = '\0';                        /* no line end at the end */
    verdict got = ask_with_trust(pem, NULL);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

/* One block that is too large, one that is no certificate, and one cut short do not stop those behind. */
TEST(ca_pem_with_an_oversized_block)
{
    size_t len = 0, size = 2 * CHATGPTT_MAX_CERTIFICATE + 3 * CERT_PEM_MAX;
    char *pem = (char *)malloc(size);
    len += (size_t)snprintf(pem, size, "-----BEGIN CERTIFICATE-----\n");
    while (len < 2 * CHATGPTT_MAX_CERTIFICATE) len += (size_t)snprintf(pem + len, size - len, "MIIBAAAA\n");
    len += (size_t)snprintf(pem + len, size - len, "-----END CERTIFICATE-----\n"
                            "-----BEGIN CERTIFICATE-----\nMIIB\n");
    make_chain(&usual);
    memcpy(pem + len, bench.ca_pem, strlen(bench.ca_pem) + 1);
    verdict got = ask_with_trust(pem, NULL);
    free(pem);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

/* Two roots of one name, the wrong one first: a chain leads to either. */
TEST(ca_pem_with_two_of_a_name)
{
    char pem[2 * CERT_PEM_MAX];
    cert other;
    cert_spec spec = { .cn = "Root", .ca = true, .key_slot = 3 };
    cert_make(&other, &spec, NULL);
    size_t len = cert_pem(&other, pem, sizeof pem);
    make_chain(&usual);
    memcpy(pem + len, bench.ca_pem, strlen(bench.ca_pem) + 1);
    verdict got = ask_with_trust(pem, NULL);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

/* Without a last line feed, in lines that end in CR LF or in LF. */
static void check_file_without_end(bool named, bool crlf)
{
    char bytes[2 * CERT_PEM_MAX];
    size_t len = 0;
    make_chain(&usual);
    for (const char *at = bench.ca_pem; *at; at++) {
        if (*at == '\n' && crlf) bytes[len++] = '\r';
        bytes[len++] = *at;
    }
    bytes[len - (crlf ? 2 : 1)] = '\0';
    const char *path = write_file(bytes);
    if (named) setenv("SSL_CERT_FILE", path, 1);
    verdict got = ask_with_trust(NULL, named ? NULL : path);
    unsetenv("SSL_CERT_FILE");
    unlink(path);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

TEST(file_without_last_line_feed)
{
    for (int i = 0; i < 4; i++) check_file_without_end(i & 1, i & 2);
}

TEST(ca_of_another)
{
    char pem[CERT_PEM_MAX];
    cert other;
    cert_spec spec = { .cn = "Other", .ca = true, .key_slot = 3 };
    cert_make(&other, &spec, NULL);
    cert_pem(&other, pem, sizeof pem);
    verdict got = ask_with_trust(pem, NULL);
    check_verdict(&got, CHATGPTT_E_CERTIFICATE, UNKNOWN);
}

TEST(ssl_cert_file)
{
    make_chain(&usual);
    const char *path = write_file(bench.ca_pem);
    setenv("SSL_CERT_FILE", path, 1);
    verdict got = ask_with_trust(NULL, NULL);
    unsetenv("SSL_CERT_FILE");
    unlink(path);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

/* What the user names is what counts: its absence is told, not passed over. */
TEST(ssl_cert_file_missing)
{
    setenv("SSL_CERT_FILE", "/nowhere/roots.pem", 1);
    verdict got = ask_with_trust(NULL, NULL);
    unsetenv("SSL_CERT_FILE");
    CHECK(!got.opened);
    check_verdict(&got, CHATGPTT_E_CERTIFICATE, "/nowhere/roots.pem");
}

TEST(options_win_over_ssl_cert_file)
{
    setenv("SSL_CERT_FILE", "/nowhere/roots.pem", 1);
    verdict got = ask_with_trust(bench.ca_pem, NULL);
    unsetenv("SSL_CERT_FILE");
    check_verdict(&got, CHATGPTT_OK, NULL);
}

TEST(no_trust_store)
{
    static const char *const places[] = { "SSL_CERT_FILE", "/nowhere/first.pem", "/nowhere/second.pem" };
    verdict got = ask_with_trust(NULL, NULL);
    CHECK(!got.opened);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        check_verdict(&got, CHATGPTT_E_CERTIFICATE, places[i]);
}

TEST(insecure_needs_no_trust_store)
{
    start_site(&usual);
    chatgptt_options options = case_options(&usual);
    options.ca_pem = NULL;
    options.insecure = true;
    verdict got = ask_site(NULL, options);
    tls_site_stop(&bench.site);
    check_verdict(&got, CHATGPTT_OK, NULL);
}

/* ---- what the server sees ---- */

TEST(server_name)
{
    static const struct { const char *host, *sni;
    } rows[] = { { "site.test", "site.test" },
                 { "site.test.", "site.test" },
                 { "127.0.0.1", "" },
                 { "SITE.test", "site.test" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_site(&usual);
        chatgptt_options options = case_options(&usual);
        options.insecure = true;
        ask_site(rows[i].host, options);
        tls_site_stop(&bench.site);
        CHECK(bench.site.handshakes > 0);
        if (strcasecmp(bench.site.sni, rows[i].sni)) CHECK_STR(bench.site.sni, rows[i].sni);
    }
}

/* ---- https never leads to http: cookies and message would be readable on the way ---- */

static const char *moved;                       /* the method that is answered by a redirect */

static size_t answer_moved(const http_request *request, char *out, size_t size)
{
    if (strncmp(request->head, moved, strlen(moved)) != 0) return answer_chat(request, out, size);
    return (size_t)snprintf(out, size, "HTTP/1.1 307 Moved\r\nLocation: http://site.test:%d/\r\n"
                            "Content-Length: 0\r\nConnection: close\r\n\r\n", bench.site.port);
}

/* Asks a site once that answers so. */
static void check_site(const tls_case *site, chatgptt_code want, const char *words)
{
    start_site(site);
    verdict got = ask_site(NULL, case_options(site));
    tls_site_stop(&bench.site);
    check_verdict(&got, want, words);
}

TEST(no_redirect_to_http)
{
    static const tls_case site = { .site = { .answer = answer_moved } };
    moved = "GET ";
    check_site(&site, CHATGPTT_E_STATUS, "from https to http");
    moved = "POST ";
    check_site(&site, CHATGPTT_E_STATUS, "from https to http");
}

/* An endpoint that an https page names by http: the same host is asked by https, another is not asked. */

static const char *endpoint_host;

static size_t answer_with_endpoint(const http_request *request, char *out, size_t size)
{
    char page[400];
    if (strncmp(request->head, "GET ", 4) != 0) return answer_chat(request, out, size);
    int len = snprintf(page, sizeof page, "<div data-nonce=\"abc123\" data-post-id=\"5\"></div><script>"
                       "wpaicgParams = {\"ajax_url\":\"http:\\/\\/%s:%d\\/ajax\"}</script>",
                       endpoint_host, bench.site.port);
    return (size_t)snprintf(out, size, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"
                            "Connection: close\r\n\r\n%s", len, page);
}

TEST(http_endpoint_of_an_https_page)
{
    static const tls_case site = { .site = { .answer = answer_with_endpoint } };
    endpoint_host = "site.test";
    check_site(&site, CHATGPTT_OK, NULL);
    endpoint_host = "other.test";
    check_site(&site, CHATGPTT_E_PAGE, "it is http on another host");
}

/* Asks once on this client; the stream's statistics. */
static chatgptt_stats ask_for_stats(chatgptt_client *client)
{
    chatgptt_request request;
    chatgptt_event event;
    chatgptt_stats stats;
    memset(&request, 0, sizeof request);
    memset(&stats, 0, sizeof stats);
    request.prompt = "hello";
    chatgptt_stream *stream = chatgptt_start(client, &request);
    if (!CHECK(stream)) return stats;
    chatgptt_code code = CHATGPTT_OK;
    while (code == CHATGPTT_OK) code = chatgptt_next(stream, &event);
    CHECK_INT(code, CHATGPTT_DONE);
    stats = *chatgptt_stream_stats(stream);
    chatgptt_finish(stream);
    return stats;
}

/* What was traced of handshakes. */
static char handshakes[200];

static void note_handshake(void *user, const char *what, const char *text, size_t len)
{
    size_t at = strlen(handshakes);
    (void)user;
    if (strcmp(what, "tls") == 0) snprintf(handshakes + at, sizeof handshakes - at, "%.*s;", (int)len, text);
}

/* A client of the site that runs. */
static chatgptt_client *open_client(const tls_case *row)
{
    char url[64];
    chatgptt_options options = case_options(row);
    snprintf(url, sizeof url, "https://site.test:%d/", bench.site.port);
    options.url = url;
    options.address = "127.0.0.1";
    options.hooks.trace = note_handshake;
    handshakes[0] = '\0';
    return chatgptt_open(&options, NULL);
}

/* Page, message, and a second message, each on a connection of its own: one handshake is full. */
static void check_resumption(int max_version, bool tickets)
{
    tls_case row = { .site = { .max_version = max_version, .tickets = tickets } };
    start_site(&row);
    chatgptt_client *client = open_client(&row);
    if (CHECK(client)) {
        chatgptt_stats stats = ask_for_stats(client);
        CHECK_INT(stats.resumed, tickets);
        CHECK(stats.resolve_ms >= 0 && stats.connect_ms >= 0 && stats.tls_ms >= 0 && stats.page_ms >= 0);
        CHECK_INT(ask_for_stats(client).resumed, tickets);
    }
    CHECK_STR(handshakes, tickets ? "new session;resumed;resumed;" : "new session;new session;new session;");
    chatgptt_close(client);
    tls_site_stop(&bench.site);
    CHECK_INT(bench.site.requests, 3);
    CHECK_INT(bench.site.handshakes, 3);
    CHECK_INT(bench.site.resumed, tickets ? 2 : 0);
}

/* The site comes back on its port with another ticket key, and other versions: what the client kept is of no
   use, and no harm. With a session at hand mbedTLS 3.6 offers its version only: where that fails it has to be
   tried again without. */
static void check_stale_session(const tls_site_settings *before, const tls_site_settings *after)
{
    tls_case row = { .site = *before };
    start_site(&row);
    chatgptt_client *client = open_client(&row);
    if (!CHECK(client)) {
        tls_site_stop(&bench.site);
        return;
    }
    ask_for_stats(client);
    tls_site_stop(&bench.site);
    CHECK_INT(bench.site.resumed, 1);
    row.site = *after;
    row.site.port = bench.site.port;
    if (CHECK(start_site(&row))) {
        CHECK_INT(ask_for_stats(client).resumed, false);
        tls_site_stop(&bench.site);
        CHECK_INT(bench.site.requests, 1);
        CHECK_INT(bench.site.resumed, 0);
    }
    chatgptt_close(client);
}

TEST(ticket_refused)
{
    tls_site_settings with_tickets = { .tickets = true };
    check_stale_session(&with_tickets, &with_tickets);
}

TEST(session_of_a_newer_version)
{
    tls_site_settings before = { .tickets = true }, after = { .tickets = true, .max_version = TLS_1_2 };
    check_stale_session(&before, &after);
}

TEST(session_of_an_older_version)
{
    tls_site_settings before = { .tickets = true, .max_version = TLS_1_2 },
                      after = { .tickets = true, .min_version = TLS_1_3 };
    const char *missing = NEEDS_TLS_1_3;
    if (missing) SKIP(missing);
    check_stale_session(&before, &after);
}

TEST(resumption) { check_resumption(0, true); }
TEST(resumption_tls_1_2) { check_resumption(TLS_1_2, true); }
TEST(no_resumption_without_tickets) { check_resumption(TLS_1_2, false); }

/* ---- sessions out of a file ---- */

static const chatgptt_hooks builtin = {
    cgt_builtin_resize, cgt_builtin_now_ms, cgt_builtin_unix_time, cgt_builtin_random, NULL, NULL
};

typedef struct meeting {
    chatgptt_code code;                         /* of the handshake */
    chatgptt_error error;
    bool resumed;
    size_t received;
} meeting;

/* Sends a request and reads to the end of its answer, so that tickets come in. */
static void converse(cgt_tls *tls, cgt_net *net, void *conn, chatgptt_error *error)
{
    static const char ask[] = "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n";
    char answer[512];
    size_t done;
    chatgptt_code code;
    do {
        chatgptt_wait want = cgt_net_want(net, conn);
        code = cgt_tls_write(tls, error, ask, sizeof ask - 1, &done);
        if (code == CHATGPTT_AGAIN) cgt_net_wait(net, &want);
    } while (code == CHATGPTT_AGAIN);
    CHECK_INT(done, sizeof ask - 1);
    while (code == CHATGPTT_OK || code == CHATGPTT_AGAIN) {
        code = cgt_tls_read(tls, error, answer, sizeof answer, &done);
        chatgptt_wait want = cgt_net_want(net, conn);
        if (code == CHATGPTT_AGAIN && CHECK(want.on[0].events)) cgt_net_wait(net, &want);
    }
    CHECK_INT(code, CHATGPTT_DONE);
}

/* A connection to the site that runs, made of [TLS] over [SOCKET] alone. */
static meeting meet(cgt_trust *trust)
{
    meeting m;
    cgt_net net;
    cgt_url url;
    cgt_slice user;
    const char *why;
    char origin[64], port[8];
    void *conn = NULL;
    memset(&m, 0, sizeof m);
    memset(&net, 0, sizeof net);
    net.hooks = &builtin;
    net.address = "127.0.0.1";
    snprintf(port, sizeof port, "%d", bench.site.port);
    snprintf(origin, sizeof origin, "https://site.test:%s", port);
    CHECK_INT(cgt_url_parse(&url, &builtin, cgt_text(origin), &user, &why), CHATGPTT_OK);
    chatgptt_transport transport = cgt_net_transport(&net);
    CHECK_INT(cgt_net_open(&net, "site.test", port, &conn), CHATGPTT_OK);
    cgt_tls *tls = cgt_tls_new(trust, &transport, conn, &url, origin);
    while ((m.code = cgt_tls_handshake(tls, &m.error)) == CHATGPTT_AGAIN) {
        chatgptt_wait want = cgt_net_want(&net, conn);
        cgt_net_wait(&net, &want);
    }
    m.resumed = tls->ready && tls->offered && !tls->verified;
    if (m.code == CHATGPTT_OK) converse(tls, &net, conn, &m.error);
    m.received = tls->received;
    cgt_tls_free(tls);
    cgt_net_close(&net, conn);
    cgt_url_free(&url);
    return m;
}

static cgt_trust *trust_of(const char *ca_pem, bool insecure)
{
    chatgptt_options options;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    options.ca_pem = ca_pem;
    options.insecure = insecure;
    cgt_trust *trust = cgt_trust_new(&builtin, &options, &error);
    CHECK(trust);
    return trust;
}

/* The record of the one session that this trust holds; len 0: it holds none that may be saved. */
static cgt_buffer record_of(const cgt_trust *trust)
{
    cgt_buffer out;
    cgt_buffer_init(&out, &builtin, 65536);
    for (size_t i = 0; i < CGT_SESSIONS && !out.len; i++)
        if (!cgt_session_save(trust, i, &out)) out.len = 0;
    return out;
}

/* A session that a client with this trust has of the site as it is. */
static cgt_buffer session_with(cgt_trust *trust)
{
    meeting m = meet(trust);
    CHECK_INT(m.code, CHATGPTT_OK);
    CHECK(!m.resumed && m.received > 500);
    return record_of(trust);
}

static void forge_mark(cgt_buffer *record, const cgt_trust *trust)
{
    memcpy(record->data + strlen(record->data) + 1, &trust->mark, sizeof trust->mark);
}

static size_t *chain_size(char *record)
{
    static size_t size;
    memcpy(&size, record + strlen(record) + 1 + sizeof(uint64_t), sizeof size);
    return &size;
}

/* The one record with the chain of the other: what a forger has who knows the site's real certificate. */
static cgt_buffer transplant(cgt_buffer *body, cgt_buffer *head)
{
    cgt_buffer out;
    size_t fixed = strlen(head->data) + 1 + sizeof(uint64_t) + sizeof(size_t);
    cgt_buffer_init(&out, &builtin, 65536);
    cgt_append(&out, cgt_slice_of(head->data, fixed + *chain_size(head->data)));
    fixed += *chain_size(body->data);
    cgt_append(&out, cgt_slice_of(body->data + fixed, body->len - fixed));
    return out;
}

static bool load_into(cgt_trust *trust, const cgt_buffer *record)
{
    cgt_session_load(trust, cgt_slice_of(record->data, record->len));
    for (size_t i = 0; i < CGT_SESSIONS; i++)
        if (trust->sessions[i].set) return true;
    return false;
}

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
static const int session_versions[] = { TLS_1_2, TLS_1_3 };
#else
static const int session_versions[] = { TLS_1_2 };
#endif
#define EACH_VERSION(i) for (size_t i = 0; i < sizeof session_versions / sizeof *session_versions; i++)

static tls_case case_with_tickets(size_t i)
{
    tls_case row = { .mid = { MIDDLE },
                     .site = { .tickets = true, .min_version = session_versions[i],
                               .max_version = session_versions[i] } };
    return row;
}

/* Saved by one client and loaded by the next with the same trust, a chain with an intermediate is whole. */
TEST(saved_session)
{
    EACH_VERSION(i) {
        tls_case row = case_with_tickets(i);
        start_site(&row);
        cgt_trust *first = trust_of(bench.ca_pem, false), *next = trust_of(bench.ca_pem, false);
        cgt_buffer record = session_with(first), again;
        CHECK(load_into(next, &record));
        meeting m = meet(next);
        CHECK_INT(m.code, CHATGPTT_OK);
        CHECK(m.resumed);
        again = record_of(next);                /* what was resumed keeps its chain */
        cgt_trust_free(first);
        first = trust_of(bench.ca_pem, false);
        CHECK(load_into(first, &again));
        CHECK(meet(first).resumed);
        tls_site_stop(&bench.site);
        CHECK_INT(bench.site.resumed, 2);
        cgt_buffer_free(&record);
        cgt_buffer_free(&again);
        cgt_trust_free(first);
        cgt_trust_free(next);
    }
}

/* A session of a server that no verifying client would take, under the mark of one that verifies. */
TEST(planted_session)
{
    EACH_VERSION(i) {
        tls_case row = case_with_tickets(i);
        row.mid[0].cn = NULL;
        row.self = row.stranger = true;
        start_site(&row);
        cgt_trust *careless = trust_of(NULL, true), *careful = trust_of(bench.ca_pem, false);
        cgt_buffer record = session_with(careless);
        CHECK(!load_into(careful, &record));    /* the mark alone */
        forge_mark(&record, careful);
        CHECK(!load_into(careful, &record));
        meeting m = meet(careful);
        CHECK_INT(m.code, CHATGPTT_E_CERTIFICATE);
        CHECK(!m.resumed);
        CHECK(mentions(m.error.message, "self-signed"));
        forge_mark(&record, careless);
        CHECK(load_into(careless, &record));    /* the session as such is whole */
        CHECK(meet(careless).resumed);
        tls_site_stop(&bench.site);
        CHECK_INT(bench.site.resumed, 1);
        cgt_buffer_free(&record);
        cgt_trust_free(careless);
        cgt_trust_free(careful);
    }
}

/* Each is refused by the chain's own check: what a handshake would refuse. */
TEST(planted_session_by_kind)
{
    static const struct { const char *name; cert_spec leaf; bool stranger; } rows[] = {
        { "expired", { .from_days = -30, .to_days = -1 }, false },
        { "not yet valid", { .from_days = 2 }, false },
        { "another name", { .san = "DNS:other.test" }, false },
        { "no SAN", { .cn = "site.test", .san = "" }, false },
        { "weak hash", { .hash = MBEDTLS_MD_SHA1 }, false },
        { "weak key", { .key = CERT_RSA1024 }, false },
        { "for clients", { .eku = CERT_EKU_CLIENT }, false },
        { "key usage", { .key_usage = MBEDTLS_X509_KU_KEY_ENCIPHERMENT }, false },
        { "another root", { .cn = NULL }, true },
    };
    static const cert_spec nobody = { .cn = "Nobody", .ca = true, .key_slot = 3 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tls_case row = case_with_tickets(0);
        row.leaf = rows[i].leaf;
        row.stranger = rows[i].stranger;
        if (row.stranger) row.root = nobody;
        start_site(&row);
        cgt_trust *careless = trust_of(NULL, true), *careful = trust_of(bench.ca_pem, false);
        cgt_buffer record = session_with(careless);
        forge_mark(&record, careful);
        if (load_into(careful, &record)) check_fail(__FILE__, __LINE__, "taken: %s", rows[i].name);
        tls_site_stop(&bench.site);
        cgt_buffer_free(&record);
        cgt_trust_free(careless);
        cgt_trust_free(careful);
    }
}

/* TLS 1.2 keeps the leaf in the session: another's chain beside it is seen. */
TEST(planted_session_behind_a_real_chain)
{
    tls_case row = case_with_tickets(0), other = case_with_tickets(0);
    start_site(&row);
    cgt_trust *careful = trust_of(bench.ca_pem, false), *careless = trust_of(NULL, true);
    cgt_buffer real = session_with(careful);
    cgt_trust *next = trust_of(bench.ca_pem, false);
    tls_site_stop(&bench.site);
    other.self = other.stranger = true;
    other.leaf.serial = 9;
    other.site.port = bench.site.port;
    if (!start_site(&other)) SKIP("the port is taken");
    cgt_buffer planted = session_with(careless), whole = transplant(&real, &real);
    cgt_buffer forged = transplant(&planted, &real);
    CHECK(!load_into(next, &forged));
    CHECK(load_into(next, &whole));
    tls_site_stop(&bench.site);
    cgt_buffer_free(&real);
    cgt_buffer_free(&planted);
    cgt_buffer_free(&whole);
    cgt_buffer_free(&forged);
    cgt_trust_free(careful);
    cgt_trust_free(careless);
    cgt_trust_free(next);
}

/* Cut anywhere it is dropped or of no harm; with another's mark or name it is dropped. */
TEST(session_damaged)
{
    tls_case row = case_with_tickets(0);
    start_site(&row);
    cgt_trust *first = trust_of(bench.ca_pem, false), *next = trust_of(bench.ca_pem, false);
    cgt_buffer record = session_with(first);
    tls_site_stop(&bench.site);
    for (size_t len = 0; len < record.len; len++) {
        char *bytes = (char *)malloc(len + 1);  /* so that a read past the end is seen */
        memcpy(bytes, record.data, len);
        char *tight = (char *)realloc(bytes, len ? len : 1);
        cgt_buffer cut = record;
        cut.data = tight;
        cut.len = len;
        CHECK(!load_into(next, &cut));
        free(tight);
    }
    for (size_t i = 0; i < strlen(record.data) + 1 + sizeof next->mark; i++) {
        if (i == strlen("https://site.test:")) i = strlen(record.data);     /* no certificate has a port */
        record.data[i] ^= 1;
        CHECK(!load_into(next, &record));
        record.data[i] ^= 1;
    }
    CHECK(load_into(next, &record));
    cgt_buffer_free(&record);
    cgt_trust_free(first);
    cgt_trust_free(next);
}

/* The mark tells roots of the caller's, other roots, the system's and none apart. */
TEST(session_marks)
{
    char other_pem[CERT_PEM_MAX];
    make_chain(&usual);
    cert_pem(&bench.leaf, other_pem, sizeof other_pem);
    const char *path = write_file(bench.ca_pem);
    setenv("SSL_CERT_FILE", path, 1);
    cgt_trust *of[] = { trust_of(bench.ca_pem, false), trust_of(other_pem, false), trust_of(NULL, false),
                        trust_of(bench.ca_pem, true) };
    unsetenv("SSL_CERT_FILE");
    unlink(path);
    cgt_trust *same = trust_of(bench.ca_pem, false);
    CHECK(same->mark == of[0]->mark);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++) CHECK(of[i]->mark != of[k]->mark);
    for (size_t i = 0; i < 4; i++) cgt_trust_free(of[i]);
    cgt_trust_free(same);
}

int main(void)
{
    certs_open();
    unsetenv("SSL_CERT_FILE");
    run_table(good, sizeof good / sizeof *good);
    run_table(bad, sizeof bad / sizeof *bad);
    run_table(odd_but_good, sizeof odd_but_good / sizeof *odd_but_good);
    run_table(odd_and_bad, sizeof odd_and_bad / sizeof *odd_and_bad);
    run_table(protocol, sizeof protocol / sizeof *protocol);
    RUN(ca_file);
    RUN(ca_file_missing);
    RUN(ca_file_without_certificates);
    RUN(ca_pem_garbage);
    RUN(ca_pem_with_noise);
    RUN(ca_pem_with_an_oversized_block);
    RUN(ca_pem_with_two_of_a_name);
    RUN(file_without_last_line_feed);
    RUN(ca_of_another);
    RUN(ssl_cert_file);
    RUN(ssl_cert_file_missing);
    RUN(options_win_over_ssl_cert_file);
    RUN(no_trust_store);
    RUN(insecure_needs_no_trust_store);
    RUN(server_name);
    RUN(no_redirect_to_http);
    RUN(http_endpoint_of_an_https_page);
    RUN(resumption);
    RUN(resumption_tls_1_2);
    RUN(no_resumption_without_tickets);
    RUN(ticket_refused);
    RUN(session_of_a_newer_version);
    RUN(session_of_an_older_version);
    RUN(saved_session);
    RUN(planted_session);
    RUN(planted_session_by_kind);
    RUN(planted_session_behind_a_real_chain);
    RUN(session_damaged);
    RUN(session_marks);
    certs_close();
    return check_report("test_tls");
}

#endif /* CHATGPTT_NO_TLS */
