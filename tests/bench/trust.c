/* The trust store: every https program pays for it once, before its first byte. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"

#ifdef CHATGPTT_NO_TLS
int main(void) { bench_skip("trust store", "built without TLS"); }
#else
#include "../certs.h"

/* certificates, where the system has none: as many as systems have */
enum { MADE = 140 };

static char path[4096];
static int count;                           /* certificates both read */

static void ours(void *user)
{
    chatgptt_options options;
    chatgptt_hooks hooks;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    memset(&hooks, 0, sizeof hooks);
    hooks.resize = cgt_builtin_resize;
    bench_must(cgt_fill_hooks(&hooks, &options.transport, &error) == CHATGPTT_OK, "hooks");
    options.ca_file = path;
    cgt_trust *trust = cgt_trust_new(&hooks, &options, &error);
    bench_must(trust != NULL, error.message);
    *(int *)user = 0;
    for (const mbedtls_x509_crt *crt = &trust->roots; crt; crt = crt->next) ++*(int *)user;
    cgt_trust_free(trust);
}

static void mbedtls(void *user)
{
    mbedtls_x509_crt roots;
    mbedtls_x509_crt_init(&roots);
    bench_must(mbedtls_x509_crt_parse_file(&roots, path) >= 0, "mbedTLS reads no certificates");
    *(int *)user = 0;
    for (const mbedtls_x509_crt *crt = &roots; crt; crt = crt->next) ++*(int *)user;
    mbedtls_x509_crt_free(&roots);
}

static bool system_has(void)
{
    static const char *const places[] = { CHATGPTT_TRUST_PLACES };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        FILE *file = fopen(places[i], "r");
        if (!file) continue;
        fclose(file);
        snprintf(path, sizeof path, "%s", places[i]);
        return true;
    }
    return false;
}

static void make(const char *program)
{
    static cert one;
    char pem[CERT_PEM_MAX];
    snprintf(path, sizeof path, "%s.pem", program);
    FILE *file = fopen(path, "w");
    bench_must(file != NULL, "no room for certificates");
    certs_open();
    for (int i = 0; i < MADE; i++) {
        char name[20];
        snprintf(name, sizeof name, "Root %d", i);
        cert_spec spec = { .cn = name, .ca = true, .key = i % 3 ? CERT_RSA2048 : CERT_P384 };
        cert_make(&one, &spec, NULL);
        cert_pem(&one, pem, sizeof pem);
        fputs(pem, file);
    }
    certs_close();
    bench_must(fclose(file) == 0, "no room for certificates");
}

int main(int argc, char **argv)
{
    char what[60];
    int theirs;
    bench_must(argc > 0, "no name");
    if (!system_has()) make(argv[0]);
    ours(&count);
    mbedtls(&theirs);
    bench_must(count == theirs, "the two do not read the same certificates");
    snprintf(what, sizeof what, "trust store, %d certificates", count);
    bench_side we = { "ours", ours, &count }, peer = { "mbedtls_x509_crt_parse_file", mbedtls, &theirs };
    bench_row(what, 0, BENCH_ROUNDS, we, peer);
}
#endif
