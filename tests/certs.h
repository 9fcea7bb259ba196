/* certs.h: certificates made in memory, good ones and every kind of bad one. mbedTLS 2.28 and later. */

#ifndef CERTS_H
#define CERTS_H

#include <mbedtls/version.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_PSA_CRYPTO_C)
#define CERT_PSA 1
#include <psa/crypto.h>
#else
#define CERT_PSA 0
#endif
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum cert_key {
    CERT_P256,
    CERT_P384,
    CERT_P521,
    CERT_K256,
    CERT_RSA2048,
    CERT_RSA1024,
    CERT_KEY_KINDS
} cert_key;
typedef enum cert_eku { CERT_EKU_NONE, CERT_EKU_SERVER, CERT_EKU_CLIENT } cert_eku;

enum { CERT_KEYS_PER_KIND = 4, CERT_DER_MAX = 2048, CERT_PEM_MAX = 4096 };

typedef struct cert_spec {          /* zero it: every zero is the usual */
    const char *cn;                 /* default "leaf"; must differ along a chain */
    /* "DNS:a.test,IP:127.0.0.1,IP:::1", ! for a NUL; "": none; default DNS:site.test, CA: none */
    const char *san;
    int from_days, to_days;         /* validity, counted from now; default -1 and 30 */
    cert_key key;
    unsigned key_slot;              /* which of the process's keys of that kind */
    mbedtls_md_type_t hash;         /* default SHA-256 */
    bool ca, no_constraints;        /* basic constraints: CA or not; none at all */
    int path_len;                   /* below a CA, one more than what is written; 0: no limit */
    unsigned key_usage;             /* MBEDTLS_X509_KU_…; 0: no such extension */
    cert_eku eku;
    bool strange;                   /* a critical extension that nobody knows */
    unsigned char serial;           /* default 1 */
} cert_spec;

typedef struct cert {
    unsigned char der[CERT_DER_MAX];
    size_t len;
    mbedtls_pk_context *key;        /* the process's: never freed by the cert */
    char name[80];                  /* "CN=…" */
} cert;

/* A failure here is a fault of the test, not of what it tests. */
static inline void cert_must(int status, const char *what)
{
    if (status >= 0) return;
    fprintf(stderr, "test set-up: %s: -0x%04x\n", what, (unsigned)-status);
    exit(2);
}

/* ---- random bytes: one source per thread; from mbedTLS 4 on the library has its own ---- */

typedef struct cert_random {
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
#else
    int unused;
#endif
} cert_random;

static inline void cert_random_open(cert_random *random)
{
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    mbedtls_entropy_init(&random->entropy);
    mbedtls_ctr_drbg_init(&random->drbg);
    cert_must(mbedtls_ctr_drbg_seed(&random->drbg, mbedtls_entropy_func, &random->entropy, NULL, 0),
              "random seed");
#else
    random->unused = 0;
#endif
}

static inline void cert_random_close(cert_random *random)
{
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    mbedtls_ctr_drbg_free(&random->drbg);
    mbedtls_entropy_free(&random->entropy);
#else
    random->unused = 0;
#endif
}

/* ---- keys: made once per process ---- */

static struct {
    cert_random random;
    mbedtls_pk_context keys[CERT_KEY_KINDS][CERT_KEYS_PER_KIND];
    bool made[CERT_KEY_KINDS][CERT_KEYS_PER_KIND];
} certs;

static inline void certs_open(void)
{
#if CERT_PSA
    cert_must(psa_crypto_init() == PSA_SUCCESS ? 0 : -1, "psa_crypto_init");
#endif
    cert_random_open(&certs.random);
}

static inline void certs_close(void)
{
    for (size_t kind = 0; kind < CERT_KEY_KINDS; kind++)
        for (size_t slot = 0; slot < CERT_KEYS_PER_KIND; slot++)
            if (certs.made[kind][slot]) mbedtls_pk_free(&certs.keys[kind][slot]);
    memset(certs.made, 0, sizeof certs.made);
    cert_random_close(&certs.random);
#if CERT_PSA
    mbedtls_psa_crypto_free();
#endif
}

#if MBEDTLS_VERSION_NUMBER < 0x04000000

static inline void cert_make_key(mbedtls_pk_context *key, cert_key kind)
{
    static const mbedtls_ecp_group_id curves[] = {
        MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_SECP256K1
    };
    bool rsa = kind >= CERT_RSA2048;
    mbedtls_pk_init(key);
    cert_must(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY)),
              "pk_setup");
    if (rsa)
        cert_must(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), mbedtls_ctr_drbg_random, &certs.random.drbg,
                                      kind == CERT_RSA2048 ? 2048 : 1024, 65537), "RSA key");
    else
        cert_must(mbedtls_ecp_gen_key(curves[kind], mbedtls_pk_ec(*key), mbedtls_ctr_drbg_random,
                                      &certs.random.drbg),
                  "EC key");
}

#else

static inline void cert_make_key(mbedtls_pk_context *key, cert_key kind)
{
    static const size_t bits[] = { 256, 384, 521, 256, 2048, 1024 };
    psa_key_attributes_t about = PSA_KEY_ATTRIBUTES_INIT;
    mbedtls_svc_key_id_t id;
    psa_key_type_t type =
        kind >= CERT_RSA2048
            ? PSA_KEY_TYPE_RSA_KEY_PAIR
            : PSA_KEY_TYPE_ECC_KEY_PAIR(kind == CERT_K256 ? PSA_ECC_FAMILY_SECP_K1 : PSA_ECC_FAMILY_SECP_R1);
    psa_set_key_type(&about, type);
    psa_set_key_bits(&about, bits[kind]);
    psa_set_key_usage_flags(&about, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
    psa_set_key_algorithm(&about, kind >= CERT_RSA2048 ? PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_ANY_HASH)
                                                       : PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
    mbedtls_pk_init(key);
    cert_must(psa_generate_key(&about, &id) == PSA_SUCCESS ? 0 : -1, "key");
    cert_must(mbedtls_pk_copy_from_psa(id, key), "pk_copy_from_psa");
    psa_destroy_key(id);
}

#endif

static inline mbedtls_pk_context *cert_the_key(cert_key kind, unsigned slot)
{
    if (!certs.made[kind][slot]) cert_make_key(&certs.keys[kind][slot], kind);
    certs.made[kind][slot] = true;
    return &certs.keys[kind][slot];
}

/* ---- extensions that not every version can write ---- */

/* One GeneralName out of "DNS:…" or "IP:…"; its size. */
static inline size_t cert_put_name(unsigned char *out, const char *name, size_t len)
{
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)len, name);
    if (!strncmp(text, "IP:", 3)) {
        bool six = strchr(text + 3, ':') != NULL;
        cert_must(inet_pton(six ? AF_INET6 : AF_INET, text + 3, out + 2) - 1, "an IP in a SAN");
        out[0] = 0x87;
        out[1] = six ? 16 : 4;
    } else {
        out[0] = 0x82;
        out[1] = (unsigned char)(len - 4);
        for (size_t i = 4; i < len; i++) out[i - 2] = text[i] == '!' ? 0 : (unsigned char)text[i];
    }
    return 2u + out[1];
}

static inline void cert_write_san(mbedtls_x509write_cert *writer, const char *names)
{
    unsigned char der[130];
    size_t at = 2;
    while (*names) {
        size_t len = strcspn(names, ",");
        at += cert_put_name(der + at, names, len);
        names += len + (names[len] == ',');
    }
    der[0] = 0x30;
    der[1] = (unsigned char)(at - 2);           /* the tests' lists stay below 128 bytes */
    cert_must(at > 129 ? -1 : 0, "a long SAN");
    cert_must(mbedtls_x509write_crt_set_extension(writer, "\x55\x1d\x11", 3, 0, der, at), "SAN");
}

static inline void cert_write_eku(mbedtls_x509write_cert *writer, cert_eku eku)
{
    /* id-kp, serverAuth */
    unsigned char der[] = { 0x30, 10, 0x06, 8, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 1 };
    der[11] = eku == CERT_EKU_SERVER ? 1 : 2;
    cert_must(mbedtls_x509write_crt_set_extension(writer, "\x55\x1d\x25", 3, 0, der, sizeof der), "EKU");
}

/* ---- the certificate ---- */

static inline void cert_write_validity(mbedtls_x509write_cert *writer, int from_days, int to_days)
{
    char from[16], to[16];
    struct tm tm;
    time_t now = time(NULL), start = now + (time_t)from_days * 86400, end = now + (time_t)to_days * 86400;
    strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&start, &tm));
    strftime(to, sizeof to, "%Y%m%d%H%M%S", gmtime_r(&end, &tm));
    cert_must(mbedtls_x509write_crt_set_validity(writer, from, to), "validity");
}

static inline void cert_write_serial(mbedtls_x509write_cert *writer, unsigned char serial)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    cert_must(mbedtls_x509write_crt_set_serial_raw(writer, &serial, 1), "serial");
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    cert_must(mbedtls_mpi_lset(&number, serial), "serial");
    cert_must(mbedtls_x509write_crt_set_serial(writer, &number), "serial");
    mbedtls_mpi_free(&number);
#endif
}

static inline void cert_write_extensions(mbedtls_x509write_cert *writer, const cert_spec *spec)
{
    const char *san = spec->san ? spec->san : spec->ca ? "" : "DNS:site.test";
    if (!spec->no_constraints)
        cert_must(mbedtls_x509write_crt_set_basic_constraints(writer, spec->ca, spec->path_len - 1),
                  "constraints");
    if (spec->key_usage) cert_must(mbedtls_x509write_crt_set_key_usage(writer, spec->key_usage), "key usage");
    if (spec->eku) cert_write_eku(writer, spec->eku);
    if (spec->strange)
        cert_must(mbedtls_x509write_crt_set_extension(writer, "\x2a\x03\x04", 3, 1,
                                                      (const unsigned char *)"\x05\x00", 2),
                  "extension 1.2.3.4");
    if (*san) cert_write_san(writer, san);
}

static inline void cert_sign(cert *made, mbedtls_x509write_cert *writer)
{
#if MBEDTLS_VERSION_NUMBER < 0x04000000
    int len = mbedtls_x509write_crt_der(writer, made->der, sizeof made->der, mbedtls_ctr_drbg_random,
                                        &certs.random.drbg);
#else
    int len = mbedtls_x509write_crt_der(writer, made->der, sizeof made->der);
#endif
    cert_must(len, "signature");
    made->len = (size_t)len;
    /* it is written from the end */
    memmove(made->der, made->der + sizeof made->der - made->len, made->len);
}

/* issuer NULL: signed by its own key. */
static inline void cert_make(cert *made, const cert_spec *spec, const cert *issuer)
{
    mbedtls_x509write_cert writer;
    memset(made, 0, sizeof *made);
    made->key = cert_the_key(spec->key, spec->key_slot);
    snprintf(made->name, sizeof made->name, "CN=%s", spec->cn ? spec->cn : "leaf");
    if (!issuer) issuer = made;
    mbedtls_x509write_crt_init(&writer);
    mbedtls_x509write_crt_set_subject_key(&writer, made->key);
    mbedtls_x509write_crt_set_issuer_key(&writer, issuer->key);
    mbedtls_x509write_crt_set_md_alg(&writer, spec->hash != MBEDTLS_MD_NONE ? spec->hash : MBEDTLS_MD_SHA256);
    cert_must(mbedtls_x509write_crt_set_subject_name(&writer, made->name), "subject");
    cert_must(mbedtls_x509write_crt_set_issuer_name(&writer, issuer->name), "issuer");
    cert_write_serial(&writer, spec->serial ? spec->serial : 1);
    cert_write_validity(&writer, spec->from_days ? spec->from_days : -1, spec->to_days ? spec->to_days : 30);
    cert_write_extensions(&writer, spec);
    cert_sign(made, &writer);
    mbedtls_x509write_crt_free(&writer);
}

/* Terminated; the length without the end. */
static inline size_t cert_pem(const cert *from, char *out, size_t size)
{
    size_t len;
    cert_must(mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
                                       from->der, from->len, (unsigned char *)out, size, &len), "PEM");
    return len - 1;
}

#endif
