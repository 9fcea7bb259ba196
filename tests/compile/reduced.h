/* reduced.h - mbedTLS as small devices configure it: the configuration it came with, without what REDUCED
   names. 1 TLS 1.3, 2 session tickets, 3 writing PEM and keys, 4 files, 5 all of these and what ESP-IDF's
   usual ones leave out as well; 6, 7 and 8 cannot work: no client, no certificates, no calendar. For
   -DMBEDTLS_CONFIG_FILE='"tests/compile/reduced.h"' -DREDUCED=1. */
#if __has_include(<mbedtls/mbedtls_config.h>)
#include <mbedtls/mbedtls_config.h>
#else
#include <mbedtls/config.h>
#endif

#if REDUCED == 1 || REDUCED == 5
#undef MBEDTLS_SSL_PROTO_TLS1_3
#undef MBEDTLS_SSL_PROTO_TLS1_3_EXPERIMENTAL
#undef MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#undef MBEDTLS_SSL_EARLY_DATA
#endif
#if REDUCED == 2 || REDUCED == 5
#undef MBEDTLS_SSL_SESSION_TICKETS
#undef MBEDTLS_SSL_TICKET_C
#undef MBEDTLS_SSL_EARLY_DATA
#endif
#if REDUCED == 3 || REDUCED == 5
#undef MBEDTLS_PEM_WRITE_C
#undef MBEDTLS_PK_WRITE_C
#undef MBEDTLS_X509_CREATE_C
#undef MBEDTLS_X509_CRT_WRITE_C
#undef MBEDTLS_X509_CSR_WRITE_C
#endif
#if REDUCED == 4 || REDUCED == 5
#undef MBEDTLS_FS_IO
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#endif
#if REDUCED == 5
#undef MBEDTLS_NET_C
#undef MBEDTLS_TIMING_C
#undef MBEDTLS_SSL_SRV_C
#undef MBEDTLS_SSL_CACHE_C
#undef MBEDTLS_SSL_COOKIE_C
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_DTLS_BADMAC_LIMIT
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_RENEGOTIATION
#undef MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#undef MBEDTLS_SSL_SERVER_NAME_INDICATION
#undef MBEDTLS_SSL_CONTEXT_SERIALIZATION
#undef MBEDTLS_SSL_ALL_ALERT_MESSAGES
#undef MBEDTLS_X509_CRL_PARSE_C
#undef MBEDTLS_PKCS7_C
#undef MBEDTLS_X509_CSR_PARSE_C
#undef MBEDTLS_PEM_PARSE_C
#undef MBEDTLS_ERROR_C
#undef MBEDTLS_DEBUG_C
#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_VERSION_C
#undef MBEDTLS_VERSION_FEATURES
#endif
#if REDUCED == 6
#undef MBEDTLS_SSL_CLI_C
#elif REDUCED == 7
#undef MBEDTLS_X509_CRT_PARSE_C
#elif REDUCED == 8
#undef MBEDTLS_HAVE_TIME_DATE
#endif
