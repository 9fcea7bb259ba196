/* Read by mbedTLS behind its own configuration: what a small one of its builds leaves out. */
#ifdef LESS_DATES
#undef MBEDTLS_HAVE_TIME_DATE
#endif
#ifdef LESS_TICKETS
#undef MBEDTLS_SSL_SESSION_TICKETS
#undef MBEDTLS_SSL_TICKET_C
#endif
#ifdef LESS_TLS_1_3
#undef MBEDTLS_SSL_PROTO_TLS1_3
#undef MBEDTLS_SSL_EARLY_DATA
#endif
#ifdef LESS_NAMES
#undef MBEDTLS_SSL_SERVER_NAME_INDICATION
#endif
