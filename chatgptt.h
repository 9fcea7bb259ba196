/* chatgptt.h - 0.1.0 - chat with a web site that runs the WordPress plugin AI Power, as chatgptt.me does. One
   header, C99 or C++11, nothing but a libc and, for https, mbedTLS. Public domain or MIT: see the end of the
   file.

   Do this in ONE file of your program, and plainly #include "chatgptt.h" in the others:

       #define CHATGPTT_IMPLEMENTATION
       #include "chatgptt.h"

       int main(void)
       {
           chatgptt_client *client = chatgptt_open(NULL, NULL);
           char *answer = chatgptt_ask(client, "Why is the sky blue?");
           if (answer) puts(answer);
           else        puts(chatgptt_client_error(client)->message);
           chatgptt_free(client, answer);
           chatgptt_close(client);
       }

       cc ask.c -lmbedtls -lmbedx509 -lmbedcrypto          with -DCHATGPTT_NO_TLS: cc ask.c

   CONTENTS: search for a name in square brackets to get there
       [MANUAL]    how to use it, what it promises, what it costs
       [API]       everything a program sees
       [CONFIG]    feature macros, includes, the table of limits
       [BASE]      slices, UTF-8, buffers, memory, the error setter
       [CLOCK]     monotonic time, wall time, random bytes
       [SOCKET]    the built-in transport: resolve, connect, read, write
       [URL]       parse, resolve, percent and form encoding
       [HTTP-OUT]  a request: head and form
       [HTTP-IN]   a response: status line, headers, framing
       [COOKIE]    a small jar
       [TLS]       mbedTLS over a transport: trust, handshake, reasons in words
       [CONNECT]   connections to an origin, the idle ones kept
       [MATCH]     the pattern matcher
       [JSON]      a streaming scanner of fields
       [HTML]      start tags, attributes and text; what a page says to people
       [PAGE]      what a page says about its chat
       [SSE]       an event stream, decoded
       [REPLY]     event stream or JSON becomes text, notices, the end
       [DIALECT]   what each generation of the plugin is sent
       [STREAM]    one message: page, tokens, post, reply, under deadlines
       [CLIENT]    what streams share; the calls that block
       [STATE]     save and load: the client as bytes
*/

/* ==== [MANUAL] ====

   WHAT IT DOES. It fetches the page that holds the chat, takes the tokens out of it, posts the message, and
   hands out the answer as it arrives. Two generations of the plugin are known: WPAICG (AI Power 1.x to 2.2)
   and AIPKIT (2.3 and later); which one a site runs is found out from its page. Tokens, cookies and
   connections are kept by the client, so that a second message costs one request (WPAICG) or two on one
   connection (AIPKIT). A token the site refuses is renewed once a message, before any text.

   THREE WAYS, one engine; each is a loop over the next:
       one call     chatgptt_ask() gives the whole text; chatgptt_chat() hands each piece to a function of
                    yours
       pull         chatgptt_start(), then chatgptt_next() until it is not OK, then chatgptt_finish()
       event loop   the same with chatgptt_step(), which never sleeps; after AGAIN, chatgptt_want() says which
                    descriptors and which time to wait for. Loops that keep registrations (epoll, libuv)
                    register anew when `generation` changes, and take descriptors out before finish(): the
                    connection may go to another stream, and a closed number may come back as another socket.
   Many streams may run on one client at once, each on its own connection.

   RESULTS. 0 (OK) and above are no errors, below 0 are. DONE alone says that an answer is whole: text that
   came before an error is provisional. After the end every further call repeats it. The error's message is
   one line that says what failed, where, and what to do; it never holds a token, cookie, password or message.
   The README has a table of what each code means.

   MEMORY. All memory but that of mbedTLS and getaddrinfo() comes through hooks.resize. A client over http
   needs about 50 KB while an answer runs, whatever its length, plus the message; CHATGPTT_READ_BUFFER and the
   table of limits lower it. TLS adds some 54 to 63 KB of mbedTLS's own a connection and what the trust store
   takes. Options and requests are copied; what the library hands out is its own, valid until the next call on
   the client; only what chatgptt_ask() returns is the caller's, to be given to chatgptt_free().

   TIME. Three limits, each on by default: total_timeout_ms is absolute, from start() to the last byte,
   redirects and renewals included; connect_timeout_ms ends at a connection ready for the request, TLS and
   proxy included; idle_timeout_ms counts silence, and comment lines of an event stream break it. One
   exception: getaddrinfo() BLOCKS and heeds no timeout, neither these nor cancel. Where that matters give
   `address`, or a transport of your own. Names with several addresses are tried as RFC 8305 says, 250 ms
   apart, two at once.

   THREADS. One thread at a time per client; clients are independent, and there are no globals. With mbedTLS 3
   and later that needs its MBEDTLS_THREADING_C, since its PSA core is shared. To cancel from a signal handler
   or another thread set a flag of your own and return it from on_tick. The library never touches the process:
   no signals (a broken pipe is an error, not SIGPIPE), no locale, no printing, no exit. It reads one
   environment variable, SSL_CERT_FILE.

   TRUST. https is verified by default: a chain to the system's roots or to ca_file / ca_pem, the name or
   address in a subjectAltName, TLS 1.2 or 1.3 with ECDHE and AEAD, SHA-2, RSA of 2048 bits or more.
   Revocation is not checked, as in curl. Validity is judged by the system's clock. `insecure` takes any
   certificate: whoever is on the path can then read and change the chat. A page never leads from https to
   http. What save() writes holds tokens, cookies and TLS keys: keep it as secret as a cookie.

   CONVERSATIONS. Without one, all messages are folded into one prompt, a line "Role: content" each. With a
   chatgptt_conversation still pass all messages: what the site remembers is left out. WPAICG gets the turns
   as wpaicg_chat_history, in which some characters must be replaced (quotes, backslashes, `<`, line ends: see
   [DIALECT]); AIPKIT and assistants get the last message only. No site takes a system message as such: it
   stands in front of the first turn. Send the turns of one conversation one after another.

   THE MODEL is the site's choice: the name is checked against chatgptt_model() and not sent. The client id is
   what a site counts its guests' quotas by, and is made once a client: keep it with save().

   SWITCHES   CHATGPTT_STATIC     all functions static, in one file
              CHATGPTT_NO_TLS     http only: nothing but a libc is needed
              CHATGPTT_NO_NET     no sockets, clocks or random of its own: options must give `transport` and
                                  three hooks
              CHATGPTT_NO_FILES   no fopen: roots by ca_pem only

   A TRANSPORT OF YOUR OWN is six functions over raw bytes (chatgptt_transport); TLS, proxy and reuse lie
   above it. examples/own_transport.c runs over two rings in memory.

   WHAT IT COSTS  (make size, gcc 12 -Os, x86-64)  text: 75 KB with TLS glue, 68 KB with NO_TLS, 66 KB with
                  NO_NET too; data: 0. Deepest
   stack outside mbedTLS and libc at -O2: 2.0 KB (from chatgptt_ask down to the URL of a redirect); no frame
   over 1 KB (make lint).

   LOOKING INSIDE. The parsers know nothing of each other and own no memory: zero the struct, feed it pieces
   of any size, one event a call. To fuzz or test one, include the implementation and call it: cgt_url_parse,
   cgt_http_feed, cgt_pattern_compile with cgt_match_feed, cgt_page_init with cgt_page_feed, cgt_sse_feed,
   cgt_json_init with cgt_json_feed, cgt_reply_init with cgt_reply_feed, cgt_jar_set, chatgptt_load.
   fuzz/own.c is an example. hooks.trace tells what goes on: connect, tls, request (without its query),
   status, redirect, refresh, retry, end.

   BUILD TROUBLE
       "multiple definition"                   CHATGPTT_IMPLEMENTATION in more than one file
       "undefined reference to chatgptt_…"     in none
       "undefined reference to mbedtls_…"      link -lmbedtls -lmbedx509 -lmbedcrypto, in this order, behind
                                               your files
       "needs POSIX 2008"                      -std=c99 hides it: -D_POSIX_C_SOURCE=200809L, or include this
                                               before other headers

   Use sites that you may use, as a guest would: their limits are theirs to set, and no challenge is evaded.
   */

/* ==== [API] ==== */

#ifndef CHATGPTT_H
#define CHATGPTT_H

#include <stdbool.h>
#include <stddef.h>

#define CHATGPTT_VERSION "0.1.0"

#if defined(CHATGPTT_STATIC) && !defined(CHATGPTT_IMPLEMENTATION)
#error "CHATGPTT_STATIC makes every function static: define CHATGPTT_IMPLEMENTATION in the same file"
#endif
#if defined(CHATGPTT_STATIC) && defined(__GNUC__)
#define CHATGPTT_API static __attribute__((unused))
#elif defined(CHATGPTT_STATIC)
#define CHATGPTT_API static
#else
#define CHATGPTT_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results: 0 is ok, above 0 is no error, below 0 is an error. One table makes the enum, the names and
   the texts ---- */

#define CHATGPTT_CODES(X)                                                                                   \
    X(OK, 0, "ok")                                                                                          \
    X(AGAIN, 1, "not yet") X(DONE, 2, "complete") X(E_ARGUMENT, -1, "bad argument")                         \
        X(E_MEMORY, -2, "out of memory") X(E_LIMIT, -3, "a limit was passed") X(E_TIMEOUT, -4, "timed out") \
            X(E_CANCELLED, -5, "cancelled") X(E_MODEL, -6, "unknown model")                                 \
                X(E_RESOLVE, -7, "name not found") X(E_CONNECT, -8, "cannot connect")                       \
                    X(E_PROXY, -9, "proxy refused") X(E_TLS, -10, "TLS failed")                             \
                        X(E_CERTIFICATE, -11, "certificate not trusted") X(E_IO, -12, "connection broke")   \
                            X(E_CLOSED, -13, "closed too early") X(E_HTTP, -14, "not valid HTTP/1.1")       \
                                X(E_STATUS, -15, "unexpected status")                                       \
                                    X(E_BLOCKED, -16, "blocked by a challenge or firewall")                 \
                                        X(E_RATE_LIMITED, -17, "rate or quota limit")                       \
                                            X(E_PAGE, -18, "no chat on the page")                           \
                                                X(E_NONCE, -19, "token refused")                            \
                                                    X(E_REFUSED, -20, "refused by the site")                \
                                                        X(E_UPSTREAM, -21, "the site's model failed")       \
                                                            X(E_REPLY, -22, "reply not understood")         \
                                                                X(E_INCOMPLETE, -23, "answer broke off")    \
                                                                    X(E_UNSUPPORTED, -24, "not supported")

typedef enum chatgptt_code {
#define CHATGPTT_X(name, value, text) CHATGPTT_##name = (value),
    CHATGPTT_CODES(CHATGPTT_X)
#undef CHATGPTT_X
} chatgptt_code;

/* What went wrong last. `code` is what the call returned. */
typedef struct chatgptt_error {
    chatgptt_code code;
    /* of the response, system call or mbedTLS call that was the reason; 0: none */
    int http_status, sys_errno, tls_code;
    /* one line, UTF-8: what failed, where, what to do; never a token, cookie or password */
    char message[256];
} chatgptt_error;

/* ---- options ---- */

/* What generation of the plugin a site runs: to be found out from the page; AI Power 1.x to 2.2; 2.3 and
   later. */
typedef enum chatgptt_dialect { CHATGPTT_AUTO, CHATGPTT_WPAICG, CHATGPTT_AIPKIT } chatgptt_dialect;

typedef enum chatgptt_role { CHATGPTT_USER, CHATGPTT_ASSISTANT, CHATGPTT_SYSTEM } chatgptt_role;

/* UTF-8; len 0: strlen(text) */
typedef struct chatgptt_message { chatgptt_role role; const char *text; size_t len; } chatgptt_message;

#define CHATGPTT_READ  1u
#define CHATGPTT_WRITE 2u

/* What a stream waits for: any of on[0..count), or the time. */
typedef struct chatgptt_wait {
    struct { int fd; unsigned events; } on[2];  /* two while two connection attempts race */
    int count;
    int timeout_ms;                 /* call step() again no later than this; 0: now; -1: no limit */
    /* changes whenever a descriptor was opened, closed or handed over: register anew */
    unsigned generation;
} chatgptt_wait;

/* Where raw bytes come from: replace it to run over anything. TLS, proxy and reuse lie above it. Only wait()
   may sleep. open() may return before the connection stands: then read and write say AGAIN. Its conn is
   closed by close() even after errors. */
typedef struct chatgptt_transport {
    /* OK, < 0 */
    chatgptt_code (*open)(void *user, const char *host, const char *port, void **conn);
    /* OK, AGAIN, DONE (end), < 0 */
    chatgptt_code (*read)(void *user, void *conn, void *buffer, size_t size, size_t *done);
    /* OK, AGAIN, < 0 */
    chatgptt_code (*write)(void *user, void *conn, const void *bytes, size_t size, size_t *done);
    /* after AGAIN: what to wait for */
    chatgptt_wait (*want)(void *user, void *conn);
    /* for blocking calls: OK, < 0 */
    chatgptt_code (*wait)(void *user, const chatgptt_wait *what);
    void (*close)(void *user, void *conn);
    void *user;
} chatgptt_transport;

/* What the library asks of its surroundings. NULL: built in (realloc and free, the system's clocks,
   /dev/urandom, no trace). */
typedef struct chatgptt_hooks {
    /* as realloc; new_size 0: free, result ignored */
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);
    long long (*now_ms)(void *user);                                /* monotonic milliseconds */
    long long (*unix_time)(void *user);                             /* seconds since 1970 */
    chatgptt_code (*random)(void *user, void *bytes, size_t size);  /* OK, < 0: none to be had */
    void (*trace)(void *user, const char *what, const char *text, size_t len);
    void *user;
} chatgptt_hooks;

/* Zero it: every zero is the default. Strings are copied by open(). */
typedef struct chatgptt_options {
    const char *url;                /* page that holds the chat; default "https://chatgptt.me" */
    /* default: what the page names, else its origin + /wp-admin/admin-ajax.php */
    const char *endpoint;
    chatgptt_dialect dialect;       /* default: found out from the page */
    const char *bot_id;             /* default: the page's first chat */
    const char *client_id;          /* what the site counts quotas by; default: random, once a client */
    /* default: the first of chatgptt_model(); checked, not sent: the site picks its model */
    const char *model;
    const char *proxy;              /* http://[user:password@]host[:port], for every request; default: none */
    const char *user_agent;         /* default "Mozilla/5.0 (compatible; chatgptt.h/VERSION)" */
    const char *address;            /* numeric address for every host reached directly; default: looked up */
    /* for the matcher, over the raw page; the caller's wins over everything */
    const char *nonce_pattern;
    const char *post_id_pattern;
    const char *ca_file, *ca_pem;   /* trust these roots only; default: the system's store */
    /* true: any certificate. Whoever is on the path can read and change the chat */
    bool insecure;
    /* 15000: from opening a connection to its being ready for the request; -1: none */
    int connect_timeout_ms;
    int idle_timeout_ms;            /* 150000: without a byte in or out; -1: none */
    int total_timeout_ms;           /* 600000: from start() to the last byte, retries included; -1: none */
    int max_redirects;              /* 10; -1: follow none */
    size_t max_page_bytes;          /* 8 MiB */
    size_t max_header_bytes;        /* 64 KiB a response, 1xx and trailers included */
    /* 256 KiB: of an event that must be held whole; text that streams through is not held */
    size_t max_event_bytes;
    size_t max_reply_bytes;         /* no limit: of a reply's body */
    chatgptt_transport transport;   /* default: sockets */
    chatgptt_hooks hooks;
} chatgptt_options;

/* What the site remembers of a conversation. Zeroed: a new one. Plain bytes: may be copied, saved, and
   resumed elsewhere. */
typedef struct chatgptt_conversation { unsigned char opaque[512]; } chatgptt_conversation;

/* Zero it. Strings are copied by start(). */
typedef struct chatgptt_request {
    const char *prompt;                         /* one user message; or ... */
    const chatgptt_message *messages; size_t num_messages;      /* ... all messages, oldest first */
    const char *model;                          /* default: the client's */
    /* NULL: all is folded into one prompt. Must live until finish(); written at DONE only */
    chatgptt_conversation *conversation;
    /* blocking calls: at least every 100 ms and after EINTR; non-zero cancels */
    int (*on_tick)(void *user); void *tick_user;
} chatgptt_request;

/* ---- what comes out ---- */

/* A piece of the answer; or a remark of the site beside it. */
typedef enum chatgptt_event_kind { CHATGPTT_TEXT, CHATGPTT_NOTICE } chatgptt_event_kind;

/* The text is UTF-8 in whole characters, not terminated, and valid until the next call on the client. */
typedef struct chatgptt_event { chatgptt_event_kind kind; const char *text; size_t len; } chatgptt_event;

typedef int chatgptt_text_fn(void *user, const char *text, size_t len);     /* non-zero cancels */

typedef struct chatgptt_stats {
    int resolve_ms, connect_ms, tls_ms, page_ms, first_text_ms, total_ms;   /* -1: did not happen */
    size_t bytes_in, bytes_out, text_bytes;     /* of HTTP, without TLS; of the answer */
    /* sent, opened; a kept connection served, a TLS session was resumed */
    int requests, connections; bool reused, resumed;
} chatgptt_stats;

/* What the page told of its chat. Strings are "" until known; valid until the next call on the client. */
typedef struct chatgptt_site {
    chatgptt_dialect dialect;
    const char *bot_id, *bot_name, *greeting, *provider, *consent;
    int memory_limit;               /* entries of history the site's own page would send; 0: unknown */
} chatgptt_site;

/* what streams share: settings, tokens, connections. One thread at a time */
typedef struct chatgptt_client chatgptt_client;
typedef struct chatgptt_stream chatgptt_stream;     /* one message and its answer */

/* ---- the client ---- */

/* A client with these options (NULL: all defaults). Sends nothing and does not block, but reads the trust
   store for an https url. NULL on error; then `error`, if given, says why: E_ARGUMENT, E_MODEL, E_MEMORY,
   E_UNSUPPORTED, E_CERTIFICATE (no trust store). */
CHATGPTT_API chatgptt_client *chatgptt_open(const chatgptt_options *options, chatgptt_error *error);

/* Ends every stream still open, whose handles are then invalid; closes all connections; frees. NULL is
   allowed. */
CHATGPTT_API void chatgptt_close(chatgptt_client *client);

/* What the page told: see chatgptt_site. Never NULL for a client. */
CHATGPTT_API const chatgptt_site *chatgptt_client_site(const chatgptt_client *client);

/* Last error of start, chat, ask or load on this client; code OK if there was none. NULL client: the error of
   a failed open(). */
CHATGPTT_API const chatgptt_error *chatgptt_client_error(const chatgptt_client *client);

/* Writes what a later client can start from (tokens, ids, cookies, TLS session) and returns its size; writes
   nothing if `size` is less, so save(client, NULL, 0) asks for it. Keep it as secret as a cookie. 0: out of
   memory. */
CHATGPTT_API size_t chatgptt_save(const chatgptt_client *client, void *buffer, size_t size);

/* Takes what save() gave. Damaged bytes, or those of another site, are refused and change nothing:
   E_ARGUMENT. */
CHATGPTT_API chatgptt_code chatgptt_load(chatgptt_client *client, const void *buffer, size_t size);

/* ---- one call: blocks until the answer is whole ---- */

/* Sends the request, hands every piece of text to on_text (may be NULL). DONE, or < 0: then the text handed
   out is no whole answer. */
CHATGPTT_API chatgptt_code chatgptt_chat(chatgptt_client *client, const chatgptt_request *request,
                                         chatgptt_text_fn *on_text, void *user);

/* The whole answer to one prompt, terminated; the caller's to chatgptt_free(). NULL on error:
   chatgptt_client_error(). */
CHATGPTT_API char *chatgptt_ask(chatgptt_client *client, const char *prompt);
CHATGPTT_API void chatgptt_free(chatgptt_client *client, char *text);

/* ---- pull: text in pieces, blocking (next) or not (step) ---- */

/* Begins a message; nothing is sent yet. NULL on error: chatgptt_client_error(). End it with finish(). */
CHATGPTT_API chatgptt_stream *chatgptt_start(chatgptt_client *client, const chatgptt_request *request);

/* Blocks for the next event. OK: *event is filled; DONE: the answer is complete; < 0: it is not, see
   chatgptt_stream_error(). After DONE or an error every further call repeats it. */
CHATGPTT_API chatgptt_code chatgptt_next(chatgptt_stream *stream, chatgptt_event *event);

/* The same without blocking (but for getaddrinfo(): see the manual). AGAIN: call it again when
   chatgptt_want() is met. */
CHATGPTT_API chatgptt_code chatgptt_step(chatgptt_stream *stream, chatgptt_event *event);
CHATGPTT_API chatgptt_wait chatgptt_want(const chatgptt_stream *stream);

/* The next call returns E_CANCELLED, unless the stream has ended. Call it on the client's thread: from
   others, and from signal handlers, set a flag of your own and read it in on_tick. */
CHATGPTT_API void chatgptt_cancel(chatgptt_stream *stream);

/* Ends the stream and frees it; its connection goes back to the client if it can be used again. NULL is
   allowed. */
CHATGPTT_API void chatgptt_finish(chatgptt_stream *stream);

CHATGPTT_API const chatgptt_error *chatgptt_stream_error(const chatgptt_stream *stream);
CHATGPTT_API const chatgptt_stats *chatgptt_stream_stats(const chatgptt_stream *stream);

/* ---- names ---- */

/* "E_TIMEOUT"; "?" if there is no such code */
CHATGPTT_API const char *chatgptt_code_name(chatgptt_code code);
CHATGPTT_API const char *chatgptt_code_text(chatgptt_code code);    /* "timed out" */
CHATGPTT_API const char *chatgptt_model(size_t index);              /* 0: the default; NULL past the last */

#ifdef __cplusplus
}
#endif

#endif /* CHATGPTT_H */

#ifdef CHATGPTT_IMPLEMENTATION
#ifndef CHATGPTT_IMPLEMENTATION_DONE
#define CHATGPTT_IMPLEMENTATION_DONE

/* ==== [CONFIG] ==== */

#if !defined(CHATGPTT_NO_NET) && !defined(_WIN32) && !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE) && \
    !defined(__APPLE__) && !defined(__FreeBSD__) && !defined(__OpenBSD__)
#define _POSIX_C_SOURCE 200809L     /* getaddrinfo and clock_gettime, also under -std=c99 */
#endif

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CHATGPTT_NO_NET
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#if !defined(CLOCK_MONOTONIC) || !defined(AI_NUMERICHOST)
#error "chatgptt.h needs POSIX 2008: -D_POSIX_C_SOURCE=200809L or -std=gnu99, or before other headers"
#endif
#endif

#ifndef CHATGPTT_NO_TLS
#include <mbedtls/version.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/ctr_drbg.h>
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif
#endif

/* Every size has its name and its maximum here; an embedded build lowers them with -D. All are bytes unless
   they say otherwise. */
#ifndef CHATGPTT_READ_BUFFER
#define CHATGPTT_READ_BUFFER   16384    /* what one running stream reads at a time */
#endif
#ifndef CHATGPTT_MAX_URL
#define CHATGPTT_MAX_URL       4096     /* any URL, encoded */
#endif
#define CHATGPTT_MAX_ORIGIN    288      /* "https://host:port" */
#define CHATGPTT_MAX_CERTIFICATE 65536  /* one root of the trust store */
/* where systems keep their roots: Debian, Fedora, SUSE, Alpine and BSD and macOS, FreeBSD */
#ifndef CHATGPTT_TRUST_PLACES
#define CHATGPTT_TRUST_PLACES                                                                           \
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", \
        "/etc/ssl/cert.pem", "/usr/local/share/certs/ca-root-nss.crt"
#endif
#ifndef CHATGPTT_MAX_COOKIES
#define CHATGPTT_MAX_COOKIES   50       /* cookies of a client; the oldest makes room */
#endif
#ifndef CHATGPTT_MAX_IDLE
#define CHATGPTT_MAX_IDLE      4        /* idle connections of a client */
#endif
#define CHATGPTT_MAX_IDLE_MS   55000    /* how long one is kept; servers close theirs after 60 s or more */
#ifndef CHATGPTT_MAX_DRAIN
#define CHATGPTT_MAX_DRAIN     4096     /* what may still come of a response whose end mark was seen */
#endif
/* how long the next message waits for it, before it opens a connection of its own */
#define CHATGPTT_MAX_DRAIN_MS  250
#ifndef CHATGPTT_MAX_STATE
#define CHATGPTT_MAX_STATE     262144   /* a saved state */
#endif
#ifndef CHATGPTT_MAX_REQUEST
#define CHATGPTT_MAX_REQUEST   8388608  /* head and body of one request: PHP takes no more by default */
#endif
#ifndef CHATGPTT_MAX_NAME
#define CHATGPTT_MAX_NAME      64       /* name of a header, attribute or event that is looked at */
#endif
#ifndef CHATGPTT_MAX_VALUE
#define CHATGPTT_MAX_VALUE     4096     /* value of a header that is looked at */
#endif
#define CHATGPTT_MAX_INTERIM   16       /* 1xx responses before the real one */
#ifndef CHATGPTT_MAX_CHUNK_EXT
#define CHATGPTT_MAX_CHUNK_EXT 16384    /* chunk extensions of one response, all together */
#endif
/* buffers one step() works through before it lets the caller breathe */
#define CHATGPTT_MAX_PAUSE     16
#define CHATGPTT_MAX_ADDRESSES 16       /* addresses of one name that are tried */
#ifndef CHATGPTT_MAX_PATTERN
/* characters and classes of one pattern; 62 at most, `x+` counts twice */
#define CHATGPTT_MAX_PATTERN   60
#endif
#define CHATGPTT_MAX_CLASSES   8        /* classes of one pattern */
#ifndef CHATGPTT_MAX_CAPTURE
#define CHATGPTT_MAX_CAPTURE   1024     /* what a pattern may capture from a page */
#endif
#ifndef CHATGPTT_MAX_TOKEN
#define CHATGPTT_MAX_TOKEN     128      /* nonce, ids, names the page gives */
#endif
#ifndef CHATGPTT_MAX_DEPTH
#define CHATGPTT_MAX_DEPTH     64       /* nesting of JSON */
#endif
#ifndef CHATGPTT_MAX_NOISE
#define CHATGPTT_MAX_NOISE     65536    /* what may stand before the JSON of a reply */
#endif
#ifndef CHATGPTT_MAX_WORDS
#define CHATGPTT_MAX_WORDS     512      /* the site's own words, kept for an error message */
#endif

/* ==== [BASE] ==== */

typedef struct cgt_slice { const char *at; size_t len; } cgt_slice;    /* borrowed, not terminated */

static cgt_slice cgt_slice_of(const char *at, size_t len) {
    cgt_slice s = { at, len };
    return s;
}

static cgt_slice cgt_text(const char *text) {
    return cgt_slice_of(text ? text : "", text ? strlen(text) : 0);
}

static bool cgt_same(cgt_slice a, cgt_slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool cgt_is(cgt_slice s, const char *text) { return cgt_same(s, cgt_text(text)); }

static char cgt_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }
static bool cgt_digit(char c) { return c >= '0' && c <= '9'; }
static bool cgt_letter(char c) { return cgt_lower(c) >= 'a' && cgt_lower(c) <= 'z'; }
static bool cgt_alnum(char c) { return cgt_digit(c) || cgt_letter(c); }
static bool cgt_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
static bool cgt_control(char c) { return (unsigned char)c < 0x20 || c == 0x7f; }

static int cgt_hex(char c) {      /* -1: no hex digit */
    if (cgt_digit(c)) return c - '0';
    c = cgt_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool cgt_starts(cgt_slice s, const char *lower) {      /* in any letter case */
    size_t i = 0;
    for (; lower[i]; i++)
        if (i >= s.len || cgt_lower(s.at[i]) != lower[i]) return false;
    return true;
}

static bool cgt_is_any_case(cgt_slice s, const char *lower) {
    return s.len == strlen(lower) && cgt_starts(s, lower);
}

static size_t cgt_span(cgt_slice s, bool (*is)(char)) {     /* how many characters at the start are such */
    size_t n = 0;
    while (n < s.len && is(s.at[n])) n++;
    return n;
}

static bool cgt_visible(char c) { return !cgt_control(c); }
static bool cgt_has_control(cgt_slice s) { return cgt_span(s, cgt_visible) < s.len; }

static cgt_slice cgt_trim(cgt_slice s) {
    while (s.len && cgt_blank(s.at[0])) { s.at++; s.len--; }
    while (s.len && cgt_blank(s.at[s.len - 1])) s.len--;
    return s;
}

/* Sizes are added through this only: past the end of size_t it stays there, and every limit refuses it. */
static size_t cgt_sum(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

/* The number at the start of `s`, -1 if there is none or it passes `max`. */
static long long cgt_number(cgt_slice s, long long max) {
    long long n = 0;
    size_t i, digits = cgt_span(s, cgt_digit);
    for (i = 0; i < digits; i++) {
        if (n > max / 10 || s.at[i] - '0' > max - n * 10) return -1;        /* so that n stays in its type */
        n = n * 10 + (s.at[i] - '0');
    }
    return digits ? n : -1;
}

/* The same where nothing may follow it. */
static long long cgt_whole_number(cgt_slice s, long long max) {
    return cgt_span(s, cgt_digit) == s.len ? cgt_number(s, max) : -1;
}

static size_t cgt_digits(char out[24], unsigned long long n) {    /* terminated; the number of digits */
    char back[24];
    size_t len = 0, i;
    do { back[len++] = (char)('0' + (int)(n % 10)); n /= 10; } while (n);
    for (i = 0; i < len; i++) out[i] = back[len - 1 - i];
    out[len] = '\0';
    return len;
}

/* where the first of these characters stands; s.len: nowhere */
static size_t cgt_find(cgt_slice s, const char *any) {
    const char *a = any;
    size_t i;
    for (i = 0; i < s.len; i++, a = any) {
        while (*a && *a != s.at[i]) a++;
        if (*a) break;
    }
    return i;
}

static cgt_slice cgt_from(cgt_slice s, size_t from) { return cgt_slice_of(s.at + from, s.len - from); }

/* Takes what stands before the next such character off `rest`, trimmed, and the character too. */
static cgt_slice cgt_cut(cgt_slice *rest, const char *at) {
    size_t n = cgt_find(*rest, at);
    cgt_slice part = cgt_trim(cgt_slice_of(rest->at, n));
    *rest = cgt_from(*rest, n < rest->len ? n + 1 : n);
    return part;
}

static bool cgt_contains(cgt_slice s, const char *lower) {
    size_t i, len = strlen(lower);
    for (i = 0; i + len <= s.len; i++)
        if (cgt_starts(cgt_from(s, i), lower)) return true;
    return false;
}

/* FNV-1a: tells texts apart, but not against an adversary */
static uint64_t cgt_fnv(uint64_t sum, cgt_slice s) {
    size_t i;
    for (i = 0; i < s.len; i++) sum = (sum ^ (unsigned char)s.at[i]) * 0x100000001B3u;
    return sum;
}

static bool cgt_among(const char *word, const char *const *list) {    /* list: ends with NULL */
    while (*list && strcmp(word, *list) != 0) list++;
    return *list != NULL;
}

static const char cgt_base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- UTF-8 (RFC 3629) ---- */

typedef enum cgt_utf8 { CGT_UTF8_WHOLE, CGT_UTF8_CUT, CGT_UTF8_BAD } cgt_utf8;


/* The character at `at`: *len is its length; for BAD that of the part to be replaced by one U+FFFD; for CUT
   all there is. */
static cgt_utf8 cgt_utf8_at(const char *at, size_t size, size_t *len) {
    const unsigned char *p = (const unsigned char *)at;
    unsigned char low = 0x80, high = 0xBF;
    size_t want, i;
    *len = 1;
    if (p[0] < 0x80) return CGT_UTF8_WHOLE;
    if (p[0] < 0xC2 || p[0] > 0xF4) return CGT_UTF8_BAD;
    want = p[0] < 0xE0 ? 2u : p[0] < 0xF0 ? 3u : 4u;
    if (p[0] == 0xE0) low = 0xA0;           /* no overlong forms, no surrogates, nothing past U+10FFFF */
    if (p[0] == 0xED) high = 0x9F;
    if (p[0] == 0xF0) low = 0x90;
    if (p[0] == 0xF4) high = 0x8F;
    for (i = 1; i < want; i++, low = 0x80, high = 0xBF) {
        *len = i;
        if (i == size) return CGT_UTF8_CUT;
        if (p[i] < low || p[i] > high) return CGT_UTF8_BAD;
    }
    *len = want;
    return CGT_UTF8_WHOLE;
}

static size_t cgt_utf8_put(char out[4], uint32_t code) {      /* surrogates and beyond become U+FFFD */
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t len, i;
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
    len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}

static bool cgt_utf8_valid(cgt_slice s) {
    size_t n;
    for (; s.len; s.at += n, s.len -= n)
        if (cgt_utf8_at(s.at, s.len, &n) != CGT_UTF8_WHOLE) return false;
    return true;
}

/* ---- fixed texts: what must outlive the bytes it was read from, in an array of named size ---- */

/* Appends as one line: controls become blanks, runs of blanks one, invalid UTF-8 `?`; what does not fit is
   cut at a character. */
static void cgt_line_add(char *line, size_t size, cgt_slice s) {
    size_t len = strlen(line), n;
    for (; s.at && s.len; s.at += n, s.len -= n) {
        bool whole = cgt_utf8_at(s.at, s.len, &n) == CGT_UTF8_WHOLE;
        bool blank = whole && n == 1 && (cgt_control(*s.at) || *s.at == ' ');
        if (blank && (len == 0 || line[len - 1] == ' ')) continue;
        if (len + (whole ? n : 1) >= size) break;
        if (blank) line[len++] = ' ';
        else if (!whole) line[len++] = '?';
        else { memcpy(line + len, s.at, n); len += n; }
    }
    line[len] = '\0';
}

/* Sets the whole text; false: too long, and then it is empty. */
static bool cgt_fixed_set(char *out, size_t size, cgt_slice s) {
    bool fits = s.len < size;
    if (fits) memcpy(out, s.at, s.len);
    out[fits ? s.len : 0] = '\0';
    return fits;
}

/* ---- memory ---- */

static void *cgt_resize(const chatgptt_hooks *hooks, void *block, size_t old_size, size_t new_size) {
    return hooks->resize(hooks->user, block, old_size, new_size);
}

static void cgt_free(const chatgptt_hooks *hooks, void *block, size_t size) {
    if (block) (void)cgt_resize(hooks, block, size, 0);
}

static void *cgt_new(const chatgptt_hooks *hooks, size_t size) {      /* zeroed; NULL: out of memory */
    void *block = cgt_resize(hooks, NULL, 0, size);
    if (block) memset(block, 0, size);
    return block;
}

/* A string that grows up to `max`, always terminated once it was appended to. The first failure sticks:
   append at will, test `failed` once. */
typedef struct cgt_buffer {
    const chatgptt_hooks *hooks;
    char *data;
    size_t len, size, max;
    chatgptt_code failed;           /* OK, E_MEMORY, E_LIMIT */
} cgt_buffer;

static void cgt_buffer_init(cgt_buffer *b, const chatgptt_hooks *hooks, size_t max) {
    memset(b, 0, sizeof *b);
    b->hooks = hooks;
    b->max = max;
}

static void cgt_buffer_free(cgt_buffer *b) {
    cgt_free(b->hooks, b->data, b->size);
    cgt_buffer_init(b, b->hooks, b->max);
}

static bool cgt_reserve(cgt_buffer *b, size_t more) {
    size_t need = cgt_sum(cgt_sum(b->len, more), 1), size;
    char *data;
    if (b->failed) return false;
    if (need - 1 > b->max || need == SIZE_MAX) { b->failed = CHATGPTT_E_LIMIT; return false; }
    if (need <= b->size) return true;
    size = cgt_sum(need, need / 2) < 128 ? 128 : cgt_sum(need, need / 2);
    data = (char *)cgt_resize(b->hooks, b->data, b->size, size);
    if (!data) { b->failed = CHATGPTT_E_MEMORY; return false; }
    b->data = data;
    b->size = size;
    return true;
}

static void cgt_append(cgt_buffer *b, cgt_slice s) {
    if (!cgt_reserve(b, s.len)) return;
    if (s.len) memcpy(b->data + b->len, s.at, s.len);
    b->len += s.len;
    b->data[b->len] = '\0';
}

static void cgt_puts(cgt_buffer *b, const char *text) { cgt_append(b, cgt_text(text)); }
static void cgt_putc(cgt_buffer *b, char c) { cgt_append(b, cgt_slice_of(&c, 1)); }

static void cgt_put_number(cgt_buffer *b, unsigned long long n) {
    char digits[24];
    cgt_append(b, cgt_slice_of(digits, cgt_digits(digits, n)));
}

static cgt_slice cgt_slice_of_buffer(const cgt_buffer *b) {
    return cgt_slice_of(b->data ? b->data : "", b->len);
}

/* ---- errors ---- */

/* Sets the error and returns its code. In `format`: %s a string, %b a cgt_slice, %d an int that is not
   negative, %z a size_t. What the network sent may be passed as it is: it is made one line. Not vsnprintf, so
   that an embedded build needs no formatted output. */
static chatgptt_code cgt_fail(chatgptt_error *error, chatgptt_code code, const char *format, ...) {
    char digits[24];
    va_list args;
    memset(error, 0, sizeof *error);
    error->code = code;
    va_start(args, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        cgt_slice piece = cgt_slice_of(format, plain);
        if (plain == 0) {
            plain = 2;
            switch (format[1]) {
            case 's': piece = cgt_text(va_arg(args, const char *)); break;
            case 'b': piece = va_arg(args, cgt_slice); break;
            case 'z': piece = cgt_slice_of(digits, cgt_digits(digits, va_arg(args, size_t))); break;
            default: piece = cgt_slice_of(digits, cgt_digits(digits, (unsigned)va_arg(args, int)));
            }
        }
        cgt_line_add(error->message, sizeof error->message, piece);
        format += plain;
    }
    va_end(args);
    return code;
}

/* ==== [CLOCK] ==== */

#ifndef CHATGPTT_NO_NET

static long long cgt_clock(clockid_t which, long long a_second) {
    struct timespec t;
    if (clock_gettime(which, &t) != 0) return 0;
    return (long long)t.tv_sec * a_second + (long long)t.tv_nsec * a_second / 1000000000;
}

static long long cgt_builtin_now_ms(void *user) { (void)user; return cgt_clock(CLOCK_MONOTONIC, 1000); }
static long long cgt_builtin_unix_time(void *user) { (void)user; return cgt_clock(CLOCK_REALTIME, 1); }

static chatgptt_code cgt_builtin_random(void *user, void *bytes, size_t size) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    (void)user;
    while (fd >= 0 && got < size) {
        ssize_t n = read(fd, (char *)bytes + got, size - got);
        if (n > 0) got += (size_t)n;
        else if (n == 0 || errno != EINTR) break;
    }
    if (fd >= 0) close(fd);
    return got == size ? CHATGPTT_OK : CHATGPTT_E_IO;
}

#endif /* CHATGPTT_NO_NET */

static void *cgt_builtin_resize(void *user, void *block, size_t old_size, size_t new_size) {
    (void)user; (void)old_size;
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

static long long cgt_now(const chatgptt_hooks *hooks) { return hooks->now_ms(hooks->user); }

/* Milliseconds until `deadline`, for a wait: never negative, never past an int. */
static int cgt_until(long long deadline, long long now) {
    return deadline <= now ? 0 : deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* ==== [SOCKET] ==== */

/* The built-in transport. A name's addresses race as RFC 8305 says: families alternate, an attempt starts
   every 250 ms or as soon as the one before it failed, the first to connect wins. At most two are open at
   once: the older makes room after a second while there are more addresses. getaddrinfo() is the only call
   that blocks. */

#ifndef CHATGPTT_NO_NET

enum { CGT_ATTEMPT_MS = 250 };          /* until the next attempt starts beside the one under way ... */
enum { CGT_PATIENCE_MS = 1000 };        /* ... or in place of the older of two */

typedef struct cgt_net {            /* what the sockets of a client share: the transport's `user` */
    const chatgptt_hooks *hooks;
    const char *address;            /* numeric, instead of a lookup; or NULL */
    unsigned generation;            /* counts descriptors opened and closed */
    int resolve_ms;                 /* of the last lookup; -1: none was needed */
    int sys_errno;                  /* of the last failure, and why in words */
    const char *why;
} cgt_net;

typedef struct cgt_socket {
    struct addrinfo *list;          /* what the lookup gave, until connected */
    struct addrinfo *order[CHATGPTT_MAX_ADDRESSES];
    int count, next;                /* of order: how many; which is tried next */
    /* attempts under way, -1: none; once connected, fd[0] is the connection */
    int fd[2];
    int latest;                     /* the younger of two attempts */
    long long next_at;              /* when the next attempt may start */
    bool connected;
    unsigned events, generation;    /* what the last AGAIN waits for */
} cgt_socket;

static chatgptt_code cgt_net_fail(cgt_net *net, chatgptt_code code, int number, const char *why) {
    net->sys_errno = number;
    net->why = why ? why : strerror(number);
    return code;
}

static void cgt_socket_drop(cgt_net *net, cgt_socket *s, int i) {
    if (s->fd[i] >= 0) close(s->fd[i]);
    s->fd[i] = -1;
    s->generation = ++net->generation;
}

/* Fills order[] with the addresses, families alternating, the resolver's first choice first. */
static void cgt_socket_order(cgt_socket *s) {
    struct addrinfo *next[2] = { s->list, s->list };
    bool other;
    for (other = false; (next[0] || next[1]) && s->count < CHATGPTT_MAX_ADDRESSES; other = !other) {
        struct addrinfo *a = next[other];
        while (a && (a->ai_family != s->list->ai_family) != other) a = a->ai_next;
        if (a) s->order[s->count++] = a;
        next[other] = a ? a->ai_next : NULL;
    }
}

static chatgptt_code cgt_socket_resolve(cgt_net *net, cgt_socket *s, const char *host, const char *port) {
    long long began = cgt_now(net->hooks);
    struct addrinfo hints;
    int failed;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (net->address) hints.ai_flags = AI_NUMERICHOST;
    failed = getaddrinfo(net->address ? net->address : host, port, &hints, &s->list);
    net->resolve_ms = cgt_until(cgt_now(net->hooks), began);
    if (failed) s->list = NULL;
    if (failed == EAI_MEMORY) return cgt_net_fail(net, CHATGPTT_E_MEMORY, 0, "out of memory");
    if (failed)
        return cgt_net_fail(net, CHATGPTT_E_RESOLVE, failed == EAI_SYSTEM ? errno : 0, gai_strerror(failed));
    cgt_socket_order(s);
    return CHATGPTT_OK;
}

static void cgt_socket_set(int fd) {
    int yes = 1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
}

/* Starts attempts until one is under way in slot i or none is left. */
static void cgt_socket_attempt(cgt_net *net, cgt_socket *s, int i) {
    while (s->fd[i] < 0 && s->next < s->count) {
        struct addrinfo *a = s->order[s->next++];
        int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd < 0) { net->sys_errno = errno; continue; }
        cgt_socket_set(fd);
        s->fd[i] = fd;
        s->generation = ++net->generation;
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS && errno != EINTR) {
            net->sys_errno = errno;
            cgt_socket_drop(net, s, i);
        }
    }
    s->latest = i;
    s->next_at = cgt_now(net->hooks) + (s->fd[1 - i] < 0 ? (int)CGT_ATTEMPT_MS : (int)CGT_PATIENCE_MS);
}

/* Whether attempt i has connected; one that failed is dropped. */
static bool cgt_socket_arrived(cgt_net *net, cgt_socket *s, int i) {
    struct pollfd p = { s->fd[i], POLLOUT, 0 };
    int failed = 0;
    socklen_t size = sizeof failed;
    if (p.fd < 0 || poll(&p, 1, 0) != 1) return false;
    if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
    if (failed == 0) return true;
    net->sys_errno = failed;
    cgt_socket_drop(net, s, i);
    s->next_at = LLONG_MIN;
    return false;
}

static void cgt_socket_win(cgt_net *net, cgt_socket *s, int i) {
    int fd = s->fd[i];
    s->fd[i] = -1;
    cgt_socket_drop(net, s, 1 - i);
    s->fd[0] = fd;
    s->connected = true;
    s->events = 0;
    freeaddrinfo(s->list);
    s->list = NULL;
}

/* OK: connected; AGAIN: attempts are under way; E_CONNECT: the last one failed. */
static chatgptt_code cgt_socket_connect(cgt_net *net, cgt_socket *s) {
    int i;
    if (s->connected) return CHATGPTT_OK;
    s->events = CHATGPTT_WRITE;
    for (i = 0; i < 2; i++)
        if (cgt_socket_arrived(net, s, i)) { cgt_socket_win(net, s, i); return CHATGPTT_OK; }
    i = s->fd[0] < 0 ? 0 : s->fd[1] < 0 ? 1 : 1 - s->latest;
    if (s->next < s->count && ((s->fd[0] < 0 && s->fd[1] < 0) || cgt_now(net->hooks) >= s->next_at)) {
        if (s->fd[i] >= 0) cgt_socket_drop(net, s, i);
        cgt_socket_attempt(net, s, i);
    }
    if (s->fd[0] >= 0 || s->fd[1] >= 0) return CHATGPTT_AGAIN;
    return cgt_net_fail(net, CHATGPTT_E_CONNECT, net->sys_errno, NULL);
}

static void cgt_net_close(void *user, void *conn) {
    cgt_net *net = (cgt_net *)user;
    cgt_socket *s = (cgt_socket *)conn;
    int i;
    for (i = 0; i < 2; i++) cgt_socket_drop(net, s, i);
    if (s->list) freeaddrinfo(s->list);
    cgt_free(net->hooks, s, sizeof *s);
}

static chatgptt_code cgt_net_open(void *user, const char *host, const char *port, void **conn) {
    cgt_net *net = (cgt_net *)user;
    cgt_socket *s = (cgt_socket *)cgt_new(net->hooks, sizeof *s);
    chatgptt_code code;
    net->sys_errno = 0;
    if (!s) return cgt_net_fail(net, CHATGPTT_E_MEMORY, 0, "out of memory");
    s->fd[0] = s->fd[1] = -1;
    code = cgt_socket_resolve(net, s, host, port);
    if (code < 0) { cgt_net_close(net, s); return code; }
    *conn = s;
    return CHATGPTT_OK;
}

/* What a failed read or write means: AGAIN, or E_IO. */
static chatgptt_code cgt_socket_trouble(cgt_net *net, cgt_socket *s, unsigned events) {
    s->events |= events;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return CHATGPTT_AGAIN;
    return cgt_net_fail(net, CHATGPTT_E_IO, errno, NULL);
}

static chatgptt_code cgt_net_read(void *user, void *conn, void *buffer, size_t size, size_t *done) {
    cgt_net *net = (cgt_net *)user;
    cgt_socket *s = (cgt_socket *)conn;
    chatgptt_code code = cgt_socket_connect(net, s);
    ssize_t n;
    *done = 0;
    if (code) return code;
    do n = recv(s->fd[0], buffer, size, 0); while (n < 0 && errno == EINTR);
    if (n < 0) return cgt_socket_trouble(net, s, CHATGPTT_READ);
    s->events &= ~CHATGPTT_READ;
    *done = (size_t)n;
    return n == 0 ? CHATGPTT_DONE : CHATGPTT_OK;
}

static chatgptt_code cgt_net_write(void *user, void *conn, const void *bytes, size_t size, size_t *done) {
    cgt_net *net = (cgt_net *)user;
    cgt_socket *s = (cgt_socket *)conn;
    chatgptt_code code = cgt_socket_connect(net, s);
    ssize_t n;
#ifdef MSG_NOSIGNAL
    const int flags = MSG_NOSIGNAL;     /* a peer that hung up must not kill the host program */
#else
    const int flags = 0;
#endif
    *done = 0;
    if (code) return code;
    do n = send(s->fd[0], bytes, size, flags); while (n < 0 && errno == EINTR);
    if (n < 0) return cgt_socket_trouble(net, s, CHATGPTT_WRITE);
    s->events &= ~CHATGPTT_WRITE;
    *done = (size_t)n;
    return CHATGPTT_OK;
}

static chatgptt_wait cgt_net_want(void *user, void *conn) {
    cgt_net *net = (cgt_net *)user;
    cgt_socket *s = (cgt_socket *)conn;
    chatgptt_wait w;
    int i;
    memset(&w, 0, sizeof w);
    for (i = 0; i < 2; i++)
        if (s->fd[i] >= 0) { w.on[w.count].fd = s->fd[i]; w.on[w.count++].events = s->events; }
    w.timeout_ms = w.count == 0                          ? 0
                   : !s->connected && s->next < s->count ? cgt_until(s->next_at, cgt_now(net->hooks))
                                                         : -1;
    w.generation = s->generation;
    return w;
}

static chatgptt_code cgt_net_wait(void *user, const chatgptt_wait *what) {
    struct pollfd p[2];
    int i;
    for (i = 0; i < what->count; i++) {
        p[i].fd = what->on[i].fd;
        p[i].events = (short)((what->on[i].events & CHATGPTT_READ ? POLLIN : 0) |
                              (what->on[i].events & CHATGPTT_WRITE ? POLLOUT : 0));
        p[i].revents = 0;
    }
    if (poll(p, (nfds_t)what->count, what->timeout_ms) < 0 && errno != EINTR && errno != EAGAIN)
        return cgt_net_fail((cgt_net *)user, CHATGPTT_E_IO, errno, NULL);
    return CHATGPTT_OK;
}

static chatgptt_transport cgt_net_transport(cgt_net *net) {
    chatgptt_transport t = { cgt_net_open,  cgt_net_read, cgt_net_write, cgt_net_want, cgt_net_wait,
                             cgt_net_close, net };
    return t;
}

#endif /* CHATGPTT_NO_NET */

/* ==== [URL] ==== */

/* http and https only. Kept in one normalised text: host in lower case, dot segments resolved, what may not
   stand in a request line percent-encoded, the default port and the fragment gone (RFC 3986 section 6.2, RFC
   9110 section 4.2.3). */
typedef struct cgt_url {
    /* "https://host:port/path?query", then host and port again, each terminated */
    cgt_buffer text;
    bool https, literal;            /* literal: the host is an IPv6 address, kept here without its brackets */
    /* for the transport: terminated, never empty; point into text, as the slices do */
    const char *host, *port;
    cgt_slice whole, origin, authority, path;   /* path: with the query, begins with a slash */
} cgt_url;

static void cgt_percent(cgt_buffer *b, char c) {
    static const char digits[] = "0123456789ABCDEF";
    cgt_putc(b, '%');
    cgt_putc(b, digits[(unsigned char)c >> 4]);
    cgt_putc(b, digits[(unsigned char)c & 15]);
}

static bool cgt_form_plain(char c) { return cgt_alnum(c) || (c && strchr("*-._", c)); }

/* application/x-www-form-urlencoded (WHATWG URL, section 5.2). */
static void cgt_form_encode(cgt_buffer *b, cgt_slice s) {
    for (; s.len; s = cgt_from(s, 1)) {
        size_t run = cgt_span(s, cgt_form_plain);
        cgt_append(b, cgt_slice_of(s.at, run));
        s = cgt_from(s, run);
        if (s.len == 0) return;
        if (*s.at == ' ') cgt_putc(b, '+');
        else cgt_percent(b, *s.at);
    }
}

/* Appends "name=value", with `&` between it and what stands there. */
static void cgt_form_field(cgt_buffer *b, const char *name, cgt_slice value) {
    if (b->len && b->data[b->len - 1] != '?') cgt_putc(b, '&');
    cgt_puts(b, name);
    cgt_putc(b, '=');
    cgt_form_encode(b, value);
}

/* Appends with percent-encoding what is no visible ASCII, and what is among `others`. */
static void cgt_url_put(cgt_buffer *b, cgt_slice s, const char *others) {
    for (; s.len; s = cgt_from(s, 1))
        if (*s.at > ' ' && *s.at < 0x7f && !strchr(others, *s.at)) cgt_putc(b, *s.at);
        else cgt_percent(b, *s.at);
}

/* Appends the path without `.` and `..` segments (RFC 3986 section 5.2.4), which begins at b->data[root]. */
static void cgt_url_put_path(cgt_buffer *b, cgt_slice path) {
    size_t root = b->len, n;
    for (; path.len; path = cgt_from(path, n)) {
        cgt_slice name;
        n = 1 + cgt_find(cgt_from(path, 1), "/");
        name = cgt_slice_of(path.at + 1, n - 1);
        if (cgt_is(name, "..") || cgt_is_any_case(name, "%2e%2e"))
            while (!b->failed && b->len > root && b->data[--b->len] != '/') {}
        else if (!cgt_is(name, ".") && !cgt_is_any_case(name, "%2e")) {
            cgt_putc(b, '/');
            cgt_url_put(b, name, "\"<>\\^`{|}");
            continue;
        }
        if (n == path.len) cgt_putc(b, '/');
    }
    if (b->len == root) cgt_putc(b, '/');
}

static bool cgt_in_name(char c) { return cgt_alnum(c) || c == '-' || c == '.' || c == '_'; }
static bool cgt_in_literal(char c) { return cgt_hex(c) >= 0 || c == ':' || c == '.'; }

/* what may stand in brackets; whether it is an address, the lookup says */
static bool cgt_url_literal_ok(cgt_slice host) {
    cgt_slice rest = host;
    (void)cgt_cut(&rest, ":");
    return cgt_span(host, cgt_in_literal) == host.len && cgt_find(rest, ":") < rest.len && host.len < 46;
}

/* Splits host[:port]. NULL, or why it cannot be. */
static const char *cgt_url_split(cgt_slice authority, cgt_slice *host, cgt_slice *port, bool *literal) {
    size_t end = cgt_find(authority, ":");
    *literal = authority.len > 0 && authority.at[0] == '[';
    if (*literal) {
        end = cgt_find(authority, "]");
        if (end == authority.len) return "a bracket is not closed";
        *host = cgt_slice_of(authority.at + 1, end - 1);
        if (cgt_find(*host, "%") < host->len) return "addresses with a scope (%) are not supported";
        if (!cgt_url_literal_ok(*host)) return "what stands in brackets is no IPv6 address";
        end++;
    } else {
        *host = cgt_slice_of(authority.at, end);
        if (host->len == 0) return "the host is missing";
        if (cgt_span(*host, cgt_in_name) < host->len || host->len > 253 || *host->at == '.' ||
            cgt_contains(*host, ".."))
            return "no valid host name (write others in their xn-- form)";
    }
    *port = cgt_from(authority, end);
    if (port->len && port->at[0] != ':') return "something follows the bracket";
    if (port->len) *port = cgt_from(*port, 1);
    return port->len && cgt_whole_number(*port, 65535) < 1 ? "no valid port" : NULL;
}

static size_t cgt_parse_ipv4(cgt_slice s, unsigned char out[4]) {     /* 4, or 0: it is none */
    size_t i;
    for (i = 0; i < 4; i++) {
        size_t end = i < 3 ? cgt_find(s, ".") : s.len;
        long long n = cgt_whole_number(cgt_slice_of(s.at, end), 255);
        if (n < 0 || end > 3 || (i < 3 && end == s.len)) return 0;
        out[i] = (unsigned char)n;
        if (i < 3) s = cgt_from(s, end + 1);
    }
    return 4;
}

static void cgt_url_free(cgt_url *url) { cgt_buffer_free(&url->text); }
static const char *cgt_buffer_why(const cgt_buffer *b) {
    return b->failed == CHATGPTT_E_LIMIT ? "it is too long" : "out of memory";
}

/* Writes the text in its normal form and points the slices into it. */
static void cgt_url_build(cgt_url *url, cgt_slice host, cgt_slice port, cgt_slice rest) {
    cgt_buffer *b = &url->text;
    size_t query = cgt_find(rest, "?"), at, i;
    size_t slash = url->https ? 8 : 7, authority, path;
    long long number = cgt_number(port, 65535), normal = url->https ? 443 : 80;
    if (number < 1) number = normal;
    cgt_puts(b, url->https ? "https://" : "http://");
    if (url->literal) cgt_putc(b, '[');
    for (i = 0; i < host.len; i++) cgt_putc(b, cgt_lower(host.at[i]));
    if (url->literal) cgt_putc(b, ']');
    if (number != normal) { cgt_putc(b, ':'); cgt_put_number(b, (unsigned long long)number); }
    authority = b->len;
    cgt_url_put_path(b, cgt_slice_of(rest.at, query));
    cgt_url_put(b, cgt_from(rest, query), "\"<>");
    path = b->len;
    if (path > CHATGPTT_MAX_URL && !b->failed) b->failed = CHATGPTT_E_LIMIT;
    cgt_putc(b, '\0');
    at = b->len;
    for (i = 0; i < host.len; i++) cgt_putc(b, cgt_lower(host.at[i]));
    cgt_putc(b, '\0');
    i = b->len;
    cgt_put_number(b, (unsigned long long)number);
    if (b->failed) return;
    url->host = b->data + at;
    url->port = b->data + i;
    url->whole = cgt_slice_of(b->data, path);
    url->origin = cgt_slice_of(b->data, authority);
    url->authority = cgt_slice_of(b->data + slash, authority - slash);
    url->path = cgt_slice_of(b->data + authority, path - authority);
}

/* Parses an absolute URL into a zeroed one. *why says what is wrong with it, *user holds what stands before
   an @, in `in`. */
static chatgptt_code cgt_url_parse(cgt_url *url, const chatgptt_hooks *hooks, cgt_slice in, cgt_slice *user,
                                   const char **why) {
    cgt_slice authority, host, port;
    chatgptt_code code;
    size_t end;
    memset(url, 0, sizeof *url);
    cgt_buffer_init(&url->text, hooks, CHATGPTT_MAX_URL + 512);     /* host and port stand there twice */
    url->https = cgt_starts(in, "https://");
    *user = cgt_slice_of(in.at, 0);
    if (cgt_has_control(in)) { *why = "it holds a control character"; return CHATGPTT_E_ARGUMENT; }
    if (!url->https && !cgt_starts(in, "http://")) {
        *why = "it does not begin with http:// or https://";
        return CHATGPTT_E_ARGUMENT;
    }
    in = cgt_from(in, url->https ? 8 : 7);
    in.len = cgt_find(in, "#");
    authority = cgt_slice_of(in.at, cgt_find(in, "/?\\"));
    for (end = authority.len; end > 0 && authority.at[end - 1] != '@'; end--) {}
    if (end > 0) {
        *user = cgt_slice_of(authority.at, end - 1);
        authority = cgt_from(authority, end);
    }
    *why = cgt_url_split(authority, &host, &port, &url->literal);
    if (*why) return CHATGPTT_E_ARGUMENT;
    cgt_url_build(
        url, host, port,
        cgt_slice_of(authority.at + authority.len, (size_t)(in.at + in.len - authority.at) - authority.len));
    code = url->text.failed;
    *why = cgt_buffer_why(&url->text);
    if (code) cgt_url_free(url);
    return code;
}

/* Parses a reference as `base` sees it (RFC 3986 section 5.2): what Location, Set-Cookie and the page give.
   */
static chatgptt_code cgt_url_resolve(cgt_url *url, const cgt_url *base, cgt_slice ref, cgt_slice *user,
                                     const char **why) {
    cgt_buffer b;
    chatgptt_code code;
    size_t colon = cgt_find(ref, ":/?#"), path = cgt_find(base->path, "?");
    cgt_buffer_init(&b, base->text.hooks, CHATGPTT_MAX_URL);
    /* has a scheme of its own */
    if (colon < ref.len && ref.at[colon] == ':' && colon > 0) {
    } else if (ref.len > 1 && ref.at[0] == '/' && ref.at[1] == '/')
        cgt_puts(&b, base->https ? "https:" : "http:");
    else {
        cgt_append(&b, base->origin);
        if (ref.len == 0 || ref.at[0] == '#') path = base->path.len;
        else if (ref.at[0] == '/') path = 0;
        else if (ref.at[0] != '?') while (path > 0 && base->path.at[path - 1] != '/') path--;
        cgt_append(&b, cgt_slice_of(base->path.at, path));
    }
    cgt_append(&b, ref);
    *why = cgt_buffer_why(&b);
    *user = cgt_slice_of("", 0);
    memset(url, 0, sizeof *url);
    code = b.failed ? b.failed : cgt_url_parse(url, b.hooks, cgt_slice_of_buffer(&b), user, why);
    user->at = ref.at;      /* its text goes with b: only its length says anything */
    cgt_buffer_free(&b);
    return code;
}

/* Parses what was put together in `text`, which is then freed. It is the library's own work: only too long or
   out of memory can go wrong. */
static chatgptt_code cgt_url_take(cgt_url *url, cgt_buffer *text) {
    const char *why;
    cgt_slice user;
    chatgptt_code code =
        text->failed ? text->failed : cgt_url_parse(url, text->hooks, cgt_slice_of_buffer(text), &user, &why);
    cgt_buffer_free(text);
    return code;
}

/* ==== [HTTP-OUT] ==== */

/* A request, as one text: head and form body go out together. CR, LF and NUL cannot come in here: URLs,
   cookies and the caller's strings were checked where they entered. */
typedef struct cgt_request_head {
    const char *method;             /* "GET", "POST" … */
    const cgt_url *url;
    const cgt_url *page;            /* Origin and Referer are this page's; NULL: neither is sent */
    const char *user_agent, *accept;
    cgt_slice cookies;              /* empty: none */
    cgt_slice body;                 /* a form; only a POST has one */
    /* Basic credentials, for a proxy that gets the absolute form; empty: none */
    cgt_slice proxy_login;
    bool absolute, refresh;         /* refresh: past all caches */
} cgt_request_head;

static void cgt_put_header(cgt_buffer *b, const char *name, cgt_slice value) {
    if (value.len == 0) return;
    cgt_puts(b, name);
    cgt_puts(b, ": ");
    cgt_append(b, value);
    cgt_puts(b, "\r\n");
}

static void cgt_put_request(cgt_buffer *b, const cgt_request_head *r) {
    bool post = strcmp(r->method, "POST") == 0;
    cgt_puts(b, r->method);
    cgt_putc(b, ' ');
    cgt_append(b, r->absolute ? r->url->whole : r->url->path);
    cgt_puts(b, " HTTP/1.1\r\n");
    cgt_put_header(b, "Host", r->url->authority);
    cgt_put_header(b, "User-Agent", cgt_text(r->user_agent));
    cgt_put_header(b, "Accept", cgt_text(r->accept));
    cgt_put_header(b, "Accept-Encoding", cgt_text("identity"));
    if (r->page && r->page->whole.len) {
        cgt_put_header(b, "Origin", r->page->origin);
        cgt_put_header(b, "Referer", r->page->whole);
    }
    cgt_put_header(b, "Cookie", r->cookies);
    cgt_put_header(b, "Proxy-Authorization", r->proxy_login);
    if (r->refresh) cgt_puts(b, "Cache-Control: no-cache\r\nPragma: no-cache\r\n");
    if (post) {
        cgt_puts(b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
        cgt_put_number(b, r->body.len);
        cgt_puts(b, "\r\n");
    }
    cgt_puts(b, "\r\n");
    cgt_append(b, r->body);
}

/* ==== [HTTP-IN] ==== */

/* One HTTP/1.1 response (RFC 9112), fed in pieces of any size. Feed until it uses no more and tells nothing;
   what it tells:
       HEADER   a header that is looked at (cgt_http_kept), name and value in the state
       HEAD     the final status line and headers are complete
       BODY     `piece` is a part of the body, in the caller's bytes
       END      the response is complete; what follows it is not touched
   Strict where leniency lets two readers see two messages: bare LF, blanks before a colon or in a chunk size,
   two lengths. The caller sets method and max_head in the zeroed state. */

typedef enum cgt_http_event {
    CGT_HTTP_NONE,
    CGT_HTTP_HEADER,
    CGT_HTTP_HEAD,
    CGT_HTTP_BODY,
    CGT_HTTP_END
} cgt_http_event;
typedef enum cgt_http_method { CGT_HTTP_OTHER, CGT_HTTP_HEAD_METHOD, CGT_HTTP_CONNECT } cgt_http_method;

typedef enum cgt_http_state {
    CGT_HTTP_STATUS_LINE,
    CGT_HTTP_LINE_LF,
    CGT_HTTP_LINE,
    CGT_HTTP_NAME,
    CGT_HTTP_BEFORE_VALUE,
    CGT_HTTP_VALUE,
    CGT_HTTP_HEAD_LF,
    CGT_HTTP_COUNTED,
    CGT_HTTP_TO_CLOSE,
    CGT_HTTP_CHUNK_DATA, /* in the body */
    CGT_HTTP_CHUNK_SIZE,
    CGT_HTTP_CHUNK_BLANK,
    CGT_HTTP_CHUNK_EXT,
    CGT_HTTP_CHUNK_LF,
    CGT_HTTP_DATA_CR,
    CGT_HTTP_DATA_LF,
    CGT_HTTP_COMPLETE,
    CGT_HTTP_ENDED
} cgt_http_state;

typedef struct cgt_http {
    cgt_http_method method;         /* of the request: decides whether there is a body */
    size_t max_head;                /* cap of all bytes that are not body */
    cgt_http_event event;
    cgt_slice piece;                /* of BODY */
    const char *why;                /* of an error, in words */
    int status, minor;              /* of the last status line */
    cgt_http_state state;
    size_t at, head_bytes, ext_bytes, value_len;
    int interim, digits;
    unsigned long long left;        /* of the body or the chunk */
    /* a header line is read and may go on; it is looked at; its value was too long */
    bool have, kept, cut;
    /* coding_left: other codings than chunked are on the body */
    bool trailer, counted, coded, chunked, coding_left, close, alive;
    char name[CHATGPTT_MAX_NAME], value[CHATGPTT_MAX_VALUE];
} cgt_http;

static chatgptt_code cgt_http_bad(cgt_http *h, chatgptt_code code, const char *why) {
    h->why = why;
    return code;
}

/* The headers that are looked at. */
static const char *const cgt_http_kept[] = { "content-length", "transfer-encoding", "connection",
                                             "content-type",   "content-encoding",  "location",
                                             "set-cookie",     "cf-mitigated",      NULL };

static bool cgt_tab_or_space(char c) { return c == ' ' || c == '\t'; }
static bool cgt_http_tchar(char c) { return cgt_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c)); }

/* "HTTP/1.x NNN" with or without a reason, a byte at a time. */
static chatgptt_code cgt_http_status_byte(cgt_http *h, char c) {
    static const char expected[] = "HTTP/1.";
    size_t at = h->at++;
    bool ok = true;
    if (at < 7) ok = c == expected[at];
    else if (at == 7) { ok = cgt_digit(c); h->minor = c - '0'; }
    else if (at == 8) { ok = c == ' '; h->status = 0; }
    else if (at < 12) { ok = cgt_digit(c); h->status = h->status * 10 + (c - '0'); }
    else if (c == '\r') h->state = CGT_HTTP_LINE_LF;
    else ok = at == 12 ? c == ' ' : c == '\t' || !cgt_control(c);
    if (!ok)
        return cgt_http_bad(h, CHATGPTT_E_HTTP, at < 8 ? "the answer is not HTTP/1.1" : "bad status line");
    if (at == 12 && h->status < 100) return cgt_http_bad(h, CHATGPTT_E_HTTP, "bad status");
    return CHATGPTT_OK;
}

/* Content-Length, maybe a list of equal ones (RFC 9110 section 8.6). */
static chatgptt_code cgt_http_length(cgt_http *h, cgt_slice v) {
    size_t comma;
    for (;; v = cgt_from(v, comma + 1)) {
        long long n;
        comma = cgt_find(v, ",");
        n = cgt_whole_number(cgt_trim(cgt_slice_of(v.at, comma)), LLONG_MAX);
        if (n < 0 || (h->counted && (unsigned long long)n != h->left))
            return cgt_http_bad(h, CHATGPTT_E_HTTP, "bad Content-Length");
        h->counted = true;
        h->left = (unsigned long long)n;
        if (comma == v.len) return CHATGPTT_OK;
    }
}

/* Transfer-Encoding: only a last coding of chunked frames the body (RFC 9112 section 6.3). */
static chatgptt_code cgt_http_codings(cgt_http *h, cgt_slice v) {
    while (v.len) {
        cgt_slice one = cgt_cut(&v, ",");
        bool last = cgt_is_any_case(one, "chunked");
        if (one.len == 0 || cgt_is_any_case(one, "identity")) continue;
        if (h->chunked && last) return cgt_http_bad(h, CHATGPTT_E_HTTP, "chunked twice");
        h->coded = true;
        h->chunked = last;
        if (!last) h->coding_left = true;
    }
    return CHATGPTT_OK;
}

static void cgt_http_connection(cgt_http *h, cgt_slice v) {
    while (v.len) {
        cgt_slice one = cgt_cut(&v, ",");
        if (cgt_is_any_case(one, "close")) h->close = true;
        if (cgt_is_any_case(one, "keep-alive")) h->alive = true;
    }
}

/* A header line is complete. Names that frame the message are taken to heart here; all that are kept become
   an event. */
static chatgptt_code cgt_http_header(cgt_http *h) {
    cgt_slice v, name = cgt_text(h->name);
    chatgptt_code code = CHATGPTT_OK;
    while (h->value_len && cgt_blank(h->value[h->value_len - 1])) h->value_len--;
    h->value[h->value_len] = '\0';
    v = cgt_slice_of(h->value, h->value_len);
    h->have = false;
    /* a 1xx frames nothing, and is not the answer */
    if (!h->kept || h->trailer || h->status < 200) return CHATGPTT_OK;
    h->event = CGT_HTTP_HEADER;
    if (cgt_is(name, "content-length")) code = cgt_http_length(h, v);
    else if (cgt_is(name, "transfer-encoding")) code = cgt_http_codings(h, v);
    else if (cgt_is(name, "connection")) cgt_http_connection(h, v);
    else return CHATGPTT_OK;
    return h->cut ? cgt_http_bad(h, CHATGPTT_E_LIMIT,
                                 "a header that frames the message is longer than CHATGPTT_MAX_VALUE")
                  : code;
}

static chatgptt_code cgt_http_name_byte(cgt_http *h, char c) {
    if (c == ':' && h->at > 0) {
        h->kept = h->at < sizeof h->name;
        h->name[h->kept ? h->at : 0] = '\0';
        h->kept = h->kept && cgt_among(h->name, cgt_http_kept);
        h->have = true;
        h->state = CGT_HTTP_BEFORE_VALUE;
        return CHATGPTT_OK;
    }
    if (!cgt_http_tchar(c)) return cgt_http_bad(h, CHATGPTT_E_HTTP, "bad header name");
    if (h->at < sizeof h->name) h->name[h->at++] = cgt_lower(c);
    return CHATGPTT_OK;
}

/* The first byte of a line: a fold of the line before, the blank line, or a new name. */
static chatgptt_code cgt_http_line(cgt_http *h, char c) {
    if (h->have) {
        h->state = CGT_HTTP_BEFORE_VALUE;
        if (h->value_len && h->value_len < sizeof h->value - 1) h->value[h->value_len++] = ' ';
        return CHATGPTT_OK;
    }
    if (c == '\r') { h->state = CGT_HTTP_HEAD_LF; return CHATGPTT_OK; }
    h->at = h->value_len = 0;
    h->cut = false;
    h->state = CGT_HTTP_NAME;
    return cgt_http_name_byte(h, c);
}

static chatgptt_code cgt_http_value_byte(cgt_http *h, char c) {
    if (c == '\r') { h->state = CGT_HTTP_LINE_LF; return CHATGPTT_OK; }
    if (c != '\t' && cgt_control(c)) return cgt_http_bad(h, CHATGPTT_E_HTTP, "control character in a header");
    h->state = CGT_HTTP_VALUE;
    if (!h->kept) return CHATGPTT_OK;
    if (h->value_len < sizeof h->value - 1) h->value[h->value_len++] = c;
    else h->cut = true;
    return CHATGPTT_OK;
}

/* After the blank line: where the body ends (RFC 9112 section 6.3), or the next head after a 1xx. */
static chatgptt_code cgt_http_head(cgt_http *h) {
    bool none = h->method == CGT_HTTP_HEAD_METHOD || h->status == 204 || h->status == 304;
    if (h->trailer) { h->state = CGT_HTTP_COMPLETE; return CHATGPTT_OK; }
    if (h->status == 101) return cgt_http_bad(h, CHATGPTT_E_HTTP, "switches protocols unasked");
    h->at = 0;
    if (h->status < 200) {
        if (++h->interim > CHATGPTT_MAX_INTERIM)
            return cgt_http_bad(h, CHATGPTT_E_LIMIT, "too many 1xx responses (CHATGPTT_MAX_INTERIM)");
        h->state = CGT_HTTP_STATUS_LINE;
        return CHATGPTT_OK;
    }
    h->event = CGT_HTTP_HEAD;
    if (none || (h->method == CGT_HTTP_CONNECT && h->status < 300)) {
        h->state = CGT_HTTP_COMPLETE;
        return CHATGPTT_OK;
    }
    /* faulty framing: not used again */
    if ((h->coded && h->counted) || (h->coded && h->minor == 0)) h->close = true;
    if (h->chunked) { h->state = CGT_HTTP_CHUNK_SIZE; h->left = 0; }
    else if (h->coded || !h->counted) { h->state = CGT_HTTP_TO_CLOSE; h->close = true; }
    else h->state = h->left ? CGT_HTTP_COUNTED : CGT_HTTP_COMPLETE;
    return CHATGPTT_OK;
}

/* A chunk's line: size in hex, maybe extensions, CR LF; the size 0 begins the trailers. */
static chatgptt_code cgt_http_chunk_byte(cgt_http *h, char c) {
    int digit = cgt_hex(c);
    if (h->state == CGT_HTTP_CHUNK_SIZE && digit >= 0) {
        if (++h->digits > 16) return cgt_http_bad(h, CHATGPTT_E_HTTP, "chunk size beyond 64 bits");
        h->left = h->left * 16 + (unsigned)digit;
        return CHATGPTT_OK;
    }
    if (h->digits == 0) return cgt_http_bad(h, CHATGPTT_E_HTTP, "bad chunk size");
    h->ext_bytes += c != '\r' || h->state == CGT_HTTP_CHUNK_EXT;
    if (c == '\r' && h->state != CGT_HTTP_CHUNK_BLANK) { h->state = CGT_HTTP_CHUNK_LF; return CHATGPTT_OK; }
    if (h->ext_bytes > CHATGPTT_MAX_CHUNK_EXT)
        return cgt_http_bad(h, CHATGPTT_E_LIMIT, "chunk extensions longer than CHATGPTT_MAX_CHUNK_EXT");
    if (h->state == CGT_HTTP_CHUNK_EXT)
        return c != '\t' && cgt_control(c)
                   ? cgt_http_bad(h, CHATGPTT_E_HTTP, "control character in a chunk extension")
                   : CHATGPTT_OK;
    if (c != ';' && !cgt_tab_or_space(c)) return cgt_http_bad(h, CHATGPTT_E_HTTP, "bad chunk size");
    h->state = c == ';' ? CGT_HTTP_CHUNK_EXT : CGT_HTTP_CHUNK_BLANK;
    return CHATGPTT_OK;
}

static void cgt_http_body(cgt_http *h, char *in, size_t len, size_t *used) {
    size_t n = len;
    if (h->state != CGT_HTTP_TO_CLOSE) {
        if (h->left < n) n = (size_t)h->left;
        h->left -= n;
        if (h->left == 0) h->state = h->state == CGT_HTTP_COUNTED ? CGT_HTTP_COMPLETE : CGT_HTTP_DATA_CR;
    }
    h->event = CGT_HTTP_BODY;
    h->piece = cgt_slice_of(in, n);
    *used += n;
}

static chatgptt_code cgt_http_lf(cgt_http *h, char c) {       /* every CR must be followed by LF */
    if (c != '\n') return cgt_http_bad(h, CHATGPTT_E_HTTP, "CR without LF");
    if (h->state == CGT_HTTP_HEAD_LF) return cgt_http_head(h);
    if (h->state == CGT_HTTP_CHUNK_LF) h->trailer = h->left == 0;
    if (h->state == CGT_HTTP_CHUNK_LF && !h->trailer) h->state = CGT_HTTP_CHUNK_DATA;
    else h->state = h->state == CGT_HTTP_DATA_LF ? CGT_HTTP_CHUNK_SIZE : CGT_HTTP_LINE;
    h->digits = 0;
    return CHATGPTT_OK;
}

/* A byte of a head or of a chunk's frame. */
static chatgptt_code cgt_http_byte(cgt_http *h, char c) {
    switch (h->state) {
    case CGT_HTTP_STATUS_LINE: return cgt_http_status_byte(h, c);
    case CGT_HTTP_LINE: return cgt_http_line(h, c);
    case CGT_HTTP_NAME: return cgt_http_name_byte(h, c);
    case CGT_HTTP_BEFORE_VALUE: return cgt_tab_or_space(c) ? CHATGPTT_OK : cgt_http_value_byte(h, c);
    case CGT_HTTP_VALUE: return cgt_http_value_byte(h, c);
    case CGT_HTTP_CHUNK_SIZE:
    case CGT_HTTP_CHUNK_BLANK:
    case CGT_HTTP_CHUNK_EXT: return cgt_http_chunk_byte(h, c);
    case CGT_HTTP_DATA_CR:
        h->state = CGT_HTTP_DATA_LF;
        return c == '\r' ? CHATGPTT_OK : cgt_http_bad(h, CHATGPTT_E_HTTP, "a chunk is longer than its size");
    default: return cgt_http_lf(h, c);
    }
}

/* OK with h->event; < 0: h->why. Stays in its error if fed on: do not. */
static chatgptt_code cgt_http_feed(cgt_http *h, char *in, size_t len, size_t *used) {
    chatgptt_code code = CHATGPTT_OK;
    *used = 0;
    h->event = CGT_HTTP_NONE;
    while (h->event == CGT_HTTP_NONE && code == CHATGPTT_OK) {
        bool head = h->state < CGT_HTTP_COUNTED;
        if (h->state == CGT_HTTP_COMPLETE) { h->state = CGT_HTTP_ENDED; h->event = CGT_HTTP_END; }
        if (h->state == CGT_HTTP_ENDED || *used == len) break;
        if (!head && h->state <= CGT_HTTP_CHUNK_DATA) cgt_http_body(h, in + *used, len - *used, used);
        else if (h->state == CGT_HTTP_LINE && h->have && !cgt_tab_or_space(in[*used]))
            code = cgt_http_header(h);
        else if (head && h->head_bytes++ == h->max_head)
            code = cgt_http_bad(h, CHATGPTT_E_LIMIT, "headers longer than max_header_bytes");
        else code = cgt_http_byte(h, in[(*used)++]);
    }
    return code;
}

/* The peer ended the connection. OK and END only where the end of the body is the end of the connection, and
   `clean` (over TLS: it was announced) at that. */
static chatgptt_code cgt_http_eof(cgt_http *h, bool clean) {
    h->event = CGT_HTTP_NONE;
    if (h->state == CGT_HTTP_TO_CLOSE && clean) {
        h->state = CGT_HTTP_ENDED;
        h->event = CGT_HTTP_END;
        return CHATGPTT_OK;
    }
    return cgt_http_bad(h, CHATGPTT_E_CLOSED,
                        h->state == CGT_HTTP_STATUS_LINE ? "closed without a response"
                        : h->state < CGT_HTTP_COUNTED    ? "closed inside the headers"
                                                         : "closed inside the body");
}

/* Whether the connection may carry another request once the response has ended. */
static bool cgt_http_alive(const cgt_http *h) {
    return h->state >= CGT_HTTP_COUNTED && h->state != CGT_HTTP_TO_CLOSE && !h->close &&
           (h->minor >= 1 || h->alive);
}

static bool cgt_http_reusable(const cgt_http *h) { return h->state == CGT_HTTP_ENDED && cgt_http_alive(h); }

/* ==== [COOKIE] ==== */

/* A small jar (RFC 6265 section 5), as far as one session with one site needs it. Expires only deletes, when
   it lies in the past: what would outlive the session ends with it. The proxy's cookies never come here,
   since its answers are read elsewhere. */

typedef struct cgt_cookie {
    struct cgt_cookie *next;        /* in the order of their making */
    size_t size;                    /* of this block, which holds the texts too */
    cgt_slice name, value, domain, path;
    bool host_only, secure;
    long long until;                /* Unix seconds; LLONG_MAX: the session's end */
} cgt_cookie;

typedef struct cgt_jar {
    const chatgptt_hooks *hooks;
    cgt_cookie *first;
    int count;
} cgt_jar;

static void cgt_jar_remove(cgt_jar *jar, cgt_cookie **at) {
    cgt_cookie *gone = *at;
    *at = gone->next;
    jar->count--;
    cgt_free(jar->hooks, gone, gone->size);
}

static void cgt_jar_free(cgt_jar *jar) { while (jar->first) cgt_jar_remove(jar, &jar->first); }

/* ---- dates (RFC 6265 section 5.1.1), in Unix seconds; -1: it is none ---- */

/* since 1970, by the Gregorian calendar */
static long long cgt_days(long long year, long long month, long long day) {
    year -= month <= 2;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
           day - 1 - 719468;
}

static int cgt_month(cgt_slice word) {
    static const char *const names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec" };
    int month = 12;
    while (month && !cgt_starts(word, names[month - 1])) month--;
    return month;
}

/* Day, month and year in either order of the old formats, the time behind or between: "Thu, 01 Jan 1970
   00:00:00 GMT" and its kin. */
static long long cgt_date(cgt_slice s) {
    long long n[5] = { 0, 0, 0, 0, 0 }, month = 0, year, *time;
    int count = 0, month_first = 0;
    while (s.len && count < 5) {
        bool number = cgt_digit(s.at[0]);
        size_t len = cgt_span(s, number ? cgt_digit : cgt_letter);
        if (number) n[count++] = cgt_number(s, 9999);
        else if (month == 0 && (month = cgt_month(s)) > 0) month_first = count == 0;
        s = cgt_from(s, len ? len : 1);
    }
    year = n[month_first ? 4 : 1];
    time = n + (month_first ? 1 : 2);
    if (year >= 0 && year < 100) year += year < 70 ? 2000 : 1900;
    if (count < 5 || month == 0 || n[0] < 1 || n[0] > 31 || year < 1601 || time[0] < 0 || time[0] > 23 ||
        time[1] < 0 || time[1] > 59 || time[2] < 0 || time[2] > 59)
        return -1;
    if (year < 1970) return 0;
    return cgt_days(year, month, n[0]) * 86400 + time[0] * 3600 + time[1] * 60 + time[2];
}

/* ---- matching ---- */

/* Whether `host` is the domain or lies in it; an address lies in none. */
static bool cgt_domain_match(const cgt_url *url, cgt_slice domain) {
    cgt_slice host = cgt_text(url->host);
    unsigned char address[4];
    if (cgt_same(host, domain)) return true;
    if (url->literal || cgt_parse_ipv4(host, address) || host.len <= domain.len) return false;
    return host.at[host.len - domain.len - 1] == '.' &&
           cgt_same(cgt_from(host, host.len - domain.len), domain);
}

static cgt_slice cgt_url_only_path(const cgt_url *url) {
    return cgt_slice_of(url->path.at, cgt_find(url->path, "?"));
}

static bool cgt_path_match(cgt_slice request, cgt_slice path) {
    if (request.len < path.len || memcmp(request.at, path.at, path.len) != 0) return false;
    return request.len == path.len || path.at[path.len - 1] == '/' || request.at[path.len] == '/';
}

static cgt_slice cgt_default_path(const cgt_url *url) {
    cgt_slice path = cgt_url_only_path(url);
    do path.len--; while (path.len > 0 && path.at[path.len] != '/');
    return path.len ? path : cgt_slice_of("/", 1);
}

/* ---- Set-Cookie ---- */

/* When a Max-Age runs out, -1: at once; 0: it is no number. */
static long long cgt_max_age(cgt_slice value, long long now) {
    bool minus = value.len && value.at[0] == '-';
    cgt_slice digits = cgt_from(value, minus);
    long long age = cgt_number(digits, 10LL * 365 * 86400);
    if (digits.len == 0 || cgt_span(digits, cgt_digit) < digits.len) return 0;
    return minus || age == 0 ? -1 : age < 0 ? LLONG_MAX : now + age;
}

typedef struct cgt_cookie_draft { cgt_cookie cookie; char domain[256]; bool has_age; } cgt_cookie_draft;

static void cgt_cookie_attribute(cgt_cookie_draft *d, cgt_slice name, cgt_slice value, long long now) {
    cgt_cookie *c = &d->cookie;
    long long ends = cgt_max_age(value, now), date = cgt_date(value);
    size_t i;
    if (cgt_is_any_case(name, "secure")) c->secure = true;
    else if (cgt_is_any_case(name, "path")) c->path = value;
    else if (cgt_is_any_case(name, "max-age") && ends) { c->until = ends; d->has_age = true;
    } else if (cgt_is_any_case(name, "expires") && !d->has_age && date >= 0)
        c->until = date <= now ? -1 : LLONG_MAX;
    else if (cgt_is_any_case(name, "domain") && value.len) {
        if (value.at[0] == '.') value = cgt_from(value, 1);
        /* too long: matches nothing */
        if (!cgt_fixed_set(d->domain, sizeof d->domain, value)) d->domain[0] = '.';
        for (i = 0; d->domain[i]; i++) d->domain[i] = cgt_lower(d->domain[i]);
        c->domain = cgt_text(d->domain);
    }
}

/* Whether the cookie may be set from here; settles its domain. A domain without an inner dot is a whole
   country's. */
static bool cgt_cookie_settle(cgt_cookie *c, const cgt_url *url) {
    size_t dot = cgt_find(c->domain, ".");
    bool own = cgt_is(c->domain, url->host);
    unsigned char address[4];
    if (c->domain.len && !cgt_domain_match(url, c->domain)) return false;
    if (c->domain.len && (dot == c->domain.len || dot + 1 == c->domain.len) && !own) return false;
    c->host_only =
        c->domain.len == 0 || (own && (dot == c->domain.len || cgt_parse_ipv4(c->domain, address)));
    if (c->host_only) c->domain = cgt_text(url->host);
    if (c->path.len == 0 || c->path.at[0] != '/') c->path = cgt_default_path(url);
    return true;
}

static void cgt_copy_slice(char **to, cgt_slice *s) {
    memcpy(*to, s->at, s->len);
    s->at = *to;
    *to += s->len;
}

/* Puts a copy at the end of the jar, or where one of the same name, domain and path was; one that has run out
   only removes that. false: out of memory. */
static bool cgt_jar_put(cgt_jar *jar, const cgt_cookie *draft, long long now) {
    size_t size = sizeof *draft + draft->name.len + draft->value.len + draft->domain.len + draft->path.len;
    cgt_cookie **at = &jar->first, *c = draft->until > now ? (cgt_cookie *)cgt_new(jar->hooks, size) : NULL;
    char *text;
    if (!c && draft->until > now) return false;
    while (*at && !(cgt_same((*at)->name, draft->name) && cgt_same((*at)->domain, draft->domain) &&
                    cgt_same((*at)->path, draft->path)))
        at = &(*at)->next;
    if (*at) cgt_jar_remove(jar, at);
    if (!c) return true;
    *c = *draft;
    c->size = size;
    text = (char *)(c + 1);
    cgt_copy_slice(&text, &c->name);
    cgt_copy_slice(&text, &c->value);
    cgt_copy_slice(&text, &c->domain);
    cgt_copy_slice(&text, &c->path);
    c->next = *at;
    *at = c;
    jar->count++;
    if (jar->count > CHATGPTT_MAX_COOKIES) cgt_jar_remove(jar, &jar->first);
    return true;
}

static bool cgt_cookie_byte(char c) { return c == '\t' || !cgt_control(c); }

/* Takes one Set-Cookie value that came from `url`. What is not well-formed or not allowed is left out. false:
   out of memory. */
static bool cgt_jar_set(cgt_jar *jar, const cgt_url *url, cgt_slice value, long long now) {
    cgt_cookie_draft d;
    cgt_cookie *c = &d.cookie;
    cgt_slice all = value;
    cgt_slice part = cgt_cut(&value, ";");
    memset(&d, 0, sizeof d);
    c->until = LLONG_MAX;
    c->domain = c->path = cgt_slice_of("", 0);
    if (cgt_span(all, cgt_cookie_byte) < all.len || cgt_find(part, "=") == part.len) return true;
    c->name = cgt_cut(&part, "=");
    c->value = cgt_trim(part);
    if (c->name.len == 0 || c->name.len + c->value.len > CHATGPTT_MAX_VALUE) return true;
    while (value.len) {
        cgt_slice of = cgt_cut(&value, ";"), name = cgt_cut(&of, "=");
        cgt_cookie_attribute(&d, name, cgt_trim(of), now);
    }
    return !cgt_cookie_settle(c, url) || cgt_jar_put(jar, c, now);
}

/* ---- Cookie ---- */

static bool cgt_cookie_goes(const cgt_cookie *c, const cgt_url *url, long long now) {
    if (c->secure && !url->https) return false;
    if (c->host_only ? !cgt_is(c->domain, url->host) : !cgt_domain_match(url, c->domain)) return false;
    return c->until > now && cgt_path_match(cgt_url_only_path(url), c->path);
}

/* Appends the Cookie header's value for a request: longer paths first, then older cookies. */
static void cgt_jar_header(const cgt_jar *jar, const cgt_url *url, long long now, cgt_buffer *out) {
    size_t longest = SIZE_MAX, next;
    const cgt_cookie *c;
    do {
        for (c = jar->first, next = 0; c; c = c->next)          /* the longest path below the one just done */
            if (c->path.len < longest && c->path.len > next && cgt_cookie_goes(c, url, now))
                next = c->path.len;
        for (c = jar->first; c && next; c = c->next) {
            if (!cgt_cookie_goes(c, url, now) || c->path.len != next) continue;
            if (out->len) cgt_puts(out, "; ");
            cgt_append(out, c->name);
            cgt_putc(out, '=');
            cgt_append(out, c->value);
        }
        longest = next;
    } while (next);
}

/* ==== [TLS] ==== */

/* mbedTLS 2.28, 3.x and 4.x over any transport, client side. What mbedTLS leaves open is closed here:
   versions from 1.2 on, groups and suites by our own lists (ECDHE with AEAD), certificates with SHA-2 and
   sound keys only, a subjectAltName required and addresses compared (RFC 9110 section 4.3.4), close_notify
   told from truncation. Revocation is not checked. mbedTLS allocates by itself, not through the hook, and
   reads the time of the system for validity. */

typedef struct cgt_trust cgt_trust;
typedef struct cgt_tls cgt_tls;

#ifndef CHATGPTT_NO_TLS

#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#define CGT_TLS_VERSION 4
#elif MBEDTLS_VERSION_NUMBER >= 0x03000000
#define CGT_TLS_VERSION 3
#else
#define CGT_TLS_VERSION 2
#endif

enum { CGT_SESSIONS = 4 };              /* sessions kept for resumption, one an origin */

typedef struct cgt_session {
    char origin[CHATGPTT_MAX_ORIGIN];
    mbedtls_ssl_session session;
    bool set;
} cgt_session;

struct cgt_trust {                  /* what the connections of a client share */
    const chatgptt_hooks *hooks;
    mbedtls_ssl_config config;
    mbedtls_x509_crt roots;
#if CGT_TLS_VERSION < 4
    mbedtls_ctr_drbg_context random;
#endif
    cgt_session sessions[CGT_SESSIONS];
    size_t oldest;                  /* the session that makes room for the next */
    /* of the roots; 0: insecure. A session that was trusted under others is not resumed */
    uint64_t mark;
};

struct cgt_tls {                    /* one connection */
    mbedtls_ssl_context ssl;
    cgt_trust *trust;
    const chatgptt_transport *transport;
    void *raw;
    const char *origin;
    unsigned char address[16];      /* of a host that is one; address_len 0: it is a name */
    size_t address_len;
    bool ready, clean;              /* the handshake is done; the peer announced its end */
    /* a session was offered; a certificate was looked at, so it was not resumed */
    bool offered, verified;
    bool self_signed, carried;      /* carried: the transport took bytes, so it is connected */
    chatgptt_code io;               /* the transport's failure behind one of mbedTLS */
};

/* ---- what is offered and accepted ---- */

static const int cgt_tls_suites[] = { /* in mbedTLS's own order, which was found the fastest */
#ifdef MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256
                                      MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
                                      MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
                                      MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
                                      MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                      MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
                                      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                                      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                                      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                                      0
};

static const mbedtls_x509_crt_profile cgt_tls_profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xFFFFFFF, /* any kind of key, by the two lines below */
#if CGT_TLS_VERSION >= 4
    0xFFFFFFF,
#else
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
#endif
    2048
}; /* bits of RSA */

static void cgt_tls_limit(mbedtls_ssl_config *config) {
#if MBEDTLS_VERSION_NUMBER >= 0x03010000
    static const uint16_t groups[] = { 0x001D, 0x0017, 0x0018, 0 };         /* x25519, secp256r1, secp384r1 */
    mbedtls_ssl_conf_groups(config, groups);
#else
    static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                                   MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE };
    mbedtls_ssl_conf_curves(config, groups);
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
    /* PKCS#1 before PSS: 3.6.6 fails against RSA servers of TLS 1.2 otherwise. */
    static const uint16_t signatures[] = {
        0x0403, 0x0503, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0
    };
    mbedtls_ssl_conf_sig_algs(config, signatures);
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED) && CGT_TLS_VERSION < 4
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
    mbedtls_ssl_conf_ciphersuites(config, cgt_tls_suites);
    mbedtls_ssl_conf_cert_profile(config, &cgt_tls_profile);
}

/* ---- the trust store ---- */

/* Certificates out of a PEM text that comes in pieces. Its base64 is by table: mbedTLS's own takes constant
   time, which roots do not need. */
typedef struct cgt_pem {
    mbedtls_x509_crt *roots;
    cgt_buffer der;                 /* of the certificate under way */
    char line[32];                  /* the start of the line */
    size_t line_len;
    bool inside;
    short value[256];               /* of a base64 digit; -1: it is none */
    uint32_t bits;
    int num_bits, good, bad;
    uint64_t mark;                  /* a checksum of the good ones */
} cgt_pem;

static void cgt_pem_decode(cgt_pem *p, cgt_slice s) {
    size_t i;
    if (!cgt_reserve(&p->der, s.len)) return;
    for (i = 0; i < s.len; i++) {
        int value = p->value[(unsigned char)s.at[i]];
        if (value < 0) continue;
        p->bits = p->bits << 6 | (uint32_t)value;
        p->num_bits += 6;
        if (p->num_bits < 8) continue;
        p->num_bits -= 8;
        p->der.data[p->der.len++] = (char)(p->bits >> p->num_bits & 0xFF);
    }
}

static void cgt_pem_line_end(cgt_pem *p) {
    cgt_slice line = cgt_slice_of(p->line, p->line_len);
    p->line_len = 0;
    if (cgt_starts(line, "-----begin certificate----")) { p->inside = true; p->der.len = 0; p->num_bits = 0; }
    else if (p->inside && cgt_starts(line, "-----end")) {
        p->inside = false;
        if (p->der.failed ||
            mbedtls_x509_crt_parse_der(p->roots, (const unsigned char *)p->der.data, p->der.len) != 0) {
            p->bad++;
            return;
        }
        p->good++;
        /* its signature */
        p->mark = cgt_fnv(p->mark + 1, cgt_from(cgt_slice_of_buffer(&p->der),
                                                p->der.len - (p->der.len < 32 ? p->der.len : 32)));
    }
}

static void cgt_pem_feed(cgt_pem *p, cgt_slice s) {
    while (s.len) {
        const char *end = (const char *)memchr(s.at, '\n', s.len);
        size_t n = end ? (size_t)(end - s.at) : s.len, keep;
        keep = n < sizeof p->line - p->line_len ? n : sizeof p->line - p->line_len;
        memcpy(p->line + p->line_len, s.at, keep);
        p->line_len += keep;
        if (p->inside && p->line_len && p->line[0] != '-') cgt_pem_decode(p, cgt_slice_of(s.at, n));
        if (n == s.len) return;
        cgt_pem_line_end(p);
        s = cgt_from(s, n + 1);
    }
}

#ifndef CHATGPTT_NO_FILES

static bool cgt_pem_file(cgt_pem *p, const char *path) {      /* false: it cannot be read */
    char block[512];
    size_t n;
    bool ok;
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    while ((n = fread(block, 1, sizeof block, file)) > 0) cgt_pem_feed(p, cgt_slice_of(block, n));
    ok = !ferror(file);
    (void)fclose(file);
    return ok;
}

/* The system's store: what SSL_CERT_FILE names, else the first of the usual places that is there. */
static chatgptt_code cgt_trust_system(cgt_pem *p, chatgptt_error *error) {
    static const char *const places[] = { CHATGPTT_TRUST_PLACES };
    const char *named = getenv("SSL_CERT_FILE");
    size_t i;
    if (named && *named) {
        if (cgt_pem_file(p, named) && p->good) return CHATGPTT_OK;
        return cgt_fail(error, CHATGPTT_E_CERTIFICATE,
                        "no certificates could be read from %s (SSL_CERT_FILE)", named);
    }
    for (i = 0; i < sizeof places / sizeof *places; i++)
        if (cgt_pem_file(p, places[i]) && p->good) return CHATGPTT_OK;
    cgt_fail(error, CHATGPTT_E_CERTIFICATE, "no trust store: set ca_file. Looked at SSL_CERT_FILE");
    for (i = 0; i < sizeof places / sizeof *places; i++) {
        cgt_line_add(error->message, sizeof error->message, cgt_text(", "));
        cgt_line_add(error->message, sizeof error->message, cgt_text(places[i]));
    }
    return CHATGPTT_E_CERTIFICATE;
}

#endif /* CHATGPTT_NO_FILES */

/* Reads the roots that the options name. Damaged certificates are skipped, but without a whole one there is
   an error. */
static chatgptt_code cgt_trust_read(cgt_trust *t, const chatgptt_options *o, chatgptt_error *error) {
    cgt_pem p;
    int i;
    chatgptt_code code = CHATGPTT_OK;
    bool own = o->ca_pem || o->ca_file;
    memset(&p, 0, sizeof p);
    memset(p.value, -1, sizeof p.value);
    for (i = 0; i < 64; i++) p.value[(unsigned char)cgt_base64_digits[i]] = (short)i;
    p.roots = &t->roots;
    cgt_buffer_init(&p.der, t->hooks, CHATGPTT_MAX_CERTIFICATE);
    if (o->ca_pem) {
        cgt_pem_feed(&p, cgt_text(o->ca_pem));
        cgt_pem_feed(&p, cgt_slice_of("\n", 1));
    }
#ifndef CHATGPTT_NO_FILES
    if (o->ca_file && !cgt_pem_file(&p, o->ca_file))
        code = cgt_fail(error, CHATGPTT_E_CERTIFICATE, "ca_file %s cannot be read", o->ca_file);
    if (o->ca_file) cgt_pem_feed(&p, cgt_slice_of("\n", 1));
    if (!own) code = cgt_trust_system(&p, error);
#else
    if (o->ca_file || !own)
        code = cgt_fail(error, CHATGPTT_E_CERTIFICATE,
                        "no trust store: built without files, so ca_pem must give the roots");
#endif
    if (code == CHATGPTT_OK && own && !p.good)
        code = cgt_fail(error, CHATGPTT_E_CERTIFICATE, "%s holds %s", o->ca_pem ? "ca_pem" : o->ca_file,
                        p.bad ? "a damaged certificate" : "no certificate in PEM form");
    if (p.der.failed == CHATGPTT_E_MEMORY)
        code = cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for the trust store");
    cgt_buffer_free(&p.der);
    t->mark = p.mark;
    return code;
}

/* ---- set-up ---- */

#if CGT_TLS_VERSION < 4
static int cgt_trust_entropy(void *user, unsigned char *bytes, size_t size) {
    const chatgptt_hooks *hooks = (const chatgptt_hooks *)user;
    return hooks->random(hooks->user, bytes, size) == CHATGPTT_OK
               ? 0
               : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}
#endif

static int cgt_trust_start(cgt_trust *t) {     /* mbedTLS's code: 0 or an error */
    int failed;
#if CGT_TLS_VERSION >= 4 || (CGT_TLS_VERSION == 3 && defined(MBEDTLS_PSA_CRYPTO_C))
    if (psa_crypto_init() != PSA_SUCCESS) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
#endif
    failed = mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
#if CGT_TLS_VERSION < 4
    mbedtls_ctr_drbg_init(&t->random);
    if (failed == 0)
        failed = mbedtls_ctr_drbg_seed(&t->random, cgt_trust_entropy, (void *)(size_t)t->hooks, NULL, 0);
    mbedtls_ssl_conf_rng(&t->config, mbedtls_ctr_drbg_random, &t->random);
#endif
    return failed;
}

static void cgt_trust_free(cgt_trust *t) {
    size_t i;
    if (!t) return;
    for (i = 0; i < CGT_SESSIONS; i++) mbedtls_ssl_session_free(&t->sessions[i].session);
    mbedtls_ssl_config_free(&t->config);
    mbedtls_x509_crt_free(&t->roots);
#if CGT_TLS_VERSION < 4
    mbedtls_ctr_drbg_free(&t->random);
#endif
    cgt_free(t->hooks, t, sizeof *t);
}

/* What all https connections of a client share. NULL: *error says why. */
static cgt_trust *cgt_trust_new(const chatgptt_hooks *hooks, const chatgptt_options *o,
                                chatgptt_error *error) {
    cgt_trust *t = (cgt_trust *)cgt_new(hooks, sizeof *t);
    chatgptt_code code;
    int failed;
    size_t i;
    if (!t) { cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for TLS"); return NULL; }
    t->hooks = hooks;
    mbedtls_ssl_config_init(&t->config);
    mbedtls_x509_crt_init(&t->roots);
    for (i = 0; i < CGT_SESSIONS; i++) mbedtls_ssl_session_init(&t->sessions[i].session);
    failed = cgt_trust_start(t);
    code = failed ? cgt_fail(error, CHATGPTT_E_TLS, "mbedTLS cannot start: no random bytes or no memory")
                  : CHATGPTT_OK;
    if (code == CHATGPTT_OK && !o->insecure) code = cgt_trust_read(t, o, error);
    error->tls_code = failed;
    if (code < 0) { cgt_trust_free(t); return NULL; }
    cgt_tls_limit(&t->config);
    mbedtls_ssl_conf_authmode(&t->config,
                              o->insecure ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&t->config, &t->roots, NULL);
    return t;
}

/* ---- names ---- */

static size_t cgt_parse_ipv6(cgt_slice s, unsigned char out[16]) {    /* 16, or 0: it is none */
    size_t n = 0, gap = 17, digits;
    memset(out, 0, 16);
    if (s.len > 1 && s.at[0] == ':' && s.at[1] == ':') { gap = 0; s = cgt_from(s, 2); }
    while (s.len && n < 16) {
        unsigned value = 0;
        for (digits = 0; digits < s.len && digits < 5 && cgt_hex(s.at[digits]) >= 0; digits++)
            value = value * 16 + (unsigned)cgt_hex(s.at[digits]);
        if (digits < s.len && s.at[digits] == '.') {
            n += n <= 12 ? cgt_parse_ipv4(s, out + n) : 0;
            s.len = 0;
            break;
        }
        if (digits == 0 || digits > 4) return 0;
        out[n++] = (unsigned char)(value >> 8);
        out[n++] = (unsigned char)(value & 0xFF);
        s = cgt_from(s, digits);
        if (s.len && s.at[0] != ':') return 0;
        if (s.len > 1 && s.at[1] == ':') { if (gap < 17) return 0; gap = n; s = cgt_from(s, 2); }
        else if (s.len) s = cgt_from(s, 1);
    }
    if (s.len || (gap == 17 && n != 16) || (gap < 17 && n == 16)) return 0;
    if (gap < 17) { memmove(out + 16 - (n - gap), out + gap, n - gap); memset(out + gap, 0, 16 - n); }
    return 16;
}

/* Whether a subjectAltName is the host's address, or, for a host that is a name, any name at all: the common
   name alone does not count. */
static bool cgt_tls_named(const cgt_tls *t, const mbedtls_x509_crt *leaf) {
    const mbedtls_x509_sequence *s;
    for (s = &leaf->subject_alt_names; s; s = s->next) {
        int kind = s->buf.tag & 0x1F;
        if (s->buf.p && t->address_len == 0 && kind == 2) return true;
        if (s->buf.p && s->buf.len == t->address_len && kind == 7 &&
            memcmp(s->buf.p, t->address, t->address_len) == 0)
            return true;
    }
    return false;
}

/* Called for each certificate of the chain after mbedTLS's own checks: adds those it does not make. */
static int cgt_tls_verify(void *user, mbedtls_x509_crt *crt, int depth, uint32_t *flags) {
    cgt_tls *t = (cgt_tls *)user;
    t->verified = true;
    if (depth > 0) return 0;
    t->self_signed = crt->issuer_raw.len == crt->subject_raw.len &&
                     memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->subject_raw.len) == 0;
    if (!cgt_tls_named(t, crt)) *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return 0;
}

/* ---- sessions ---- */

static cgt_session *cgt_session_of(cgt_trust *t, const char *origin) {    /* NULL: none is kept */
    size_t i;
    for (i = 0; i < CGT_SESSIONS; i++)
        if (t->sessions[i].set && strcmp(t->sessions[i].origin, origin) == 0) return &t->sessions[i];
    return NULL;
}

static void cgt_session_forget(cgt_trust *t, const char *origin) {
    cgt_session *s = cgt_session_of(t, origin);
    if (s) s->set = false;
}

/* An empty place for a session: the one it had, else that of the oldest. */
static cgt_session *cgt_session_room(cgt_trust *t, const char *origin) {
    cgt_session *s = cgt_session_of(t, origin);
    if (!s) { s = &t->sessions[t->oldest]; t->oldest = (t->oldest + 1) % CGT_SESSIONS; }
    mbedtls_ssl_session_free(&s->session);
    mbedtls_ssl_session_init(&s->session);
    (void)cgt_fixed_set(s->origin, sizeof s->origin, cgt_text(origin));
    return s;
}

/* Keeps what the connection negotiated, for the next one to the same origin. */
static void cgt_session_keep(cgt_tls *t) {
    cgt_session *s = cgt_session_room(t->trust, t->origin);
    s->set = mbedtls_ssl_get_session(&t->ssl, &s->session) == 0;
}

/* The sessions of a client in bytes: origin, the mark of the roots they were trusted under, mbedTLS's own
   bytes, which only the very same version reads. */
static bool cgt_session_save(const cgt_trust *t, size_t i, cgt_buffer *out) {
    const cgt_session *s = &t->sessions[i];
    size_t size = 0;
    if (!s->set) return false;
    (void)mbedtls_ssl_session_save(&s->session, NULL, 0, &size);
    cgt_append(out, cgt_slice_of(s->origin, strlen(s->origin) + 1));
    cgt_append(out, cgt_slice_of((const char *)&t->mark, sizeof t->mark));
    if (size == 0 || !cgt_reserve(out, size)) return false;
    if (mbedtls_ssl_session_save(&s->session, (unsigned char *)out->data + out->len, size, &size) != 0)
        return false;
    out->len += size;
    return true;
}

/* mbedTLS takes the host's name out of the bytes unlooked at, maybe without its end: it is made anew. */
static void cgt_session_rename(cgt_session *s) {
#if MBEDTLS_VERSION_NUMBER >= 0x03040000 && defined(MBEDTLS_SSL_PROTO_TLS1_3) && \
    defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SERVER_NAME_INDICATION)
    cgt_slice host = cgt_text(s->origin);
    char **name = &s->session.MBEDTLS_PRIVATE(hostname);
    if (!*name) return;
    mbedtls_free(*name);
    host = cgt_from(host, host.len < 8 ? host.len : 8);
    host.len = cgt_find(host, ":");
    if (host.len && host.at[host.len - 1] == '.') host.len--;
    *name = (char *)mbedtls_calloc(1, host.len + 1);
    if (*name) memcpy(*name, host.at, host.len);
#else
    (void)s;
#endif
}

static void cgt_session_load(cgt_trust *t, cgt_slice in) {
    size_t origin = memchr(in.at, '\0', in.len) ? strlen(in.at) : in.len;
    cgt_session *s;
    if (origin >= CHATGPTT_MAX_ORIGIN || in.len < origin + 1 + sizeof t->mark ||
        memcmp(in.at + origin + 1, &t->mark, sizeof t->mark) != 0)
        return;
    s = cgt_session_room(t, in.at);
    in = cgt_from(in, origin + 1 + sizeof t->mark);
    s->set = mbedtls_ssl_session_load(&s->session, (const unsigned char *)in.at, in.len) == 0;
    if (s->set) cgt_session_rename(s);
}

/* ---- the connection ---- */

static int cgt_tls_send(void *user, const unsigned char *bytes, size_t size) {
    cgt_tls *t = (cgt_tls *)user;
    size_t done = 0;
    chatgptt_code code = t->transport->write(t->transport->user, t->raw, bytes, size, &done);
    if (code == CHATGPTT_AGAIN) return MBEDTLS_ERR_SSL_WANT_WRITE;
    if (code == CHATGPTT_OK) { t->carried = true; return (int)done; }
    t->io = code < 0 ? code : CHATGPTT_E_IO;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int cgt_tls_receive(void *user, unsigned char *bytes, size_t size) {
    cgt_tls *t = (cgt_tls *)user;
    size_t done = 0;
    chatgptt_code code = t->transport->read(t->transport->user, t->raw, bytes, size, &done);
    if (code == CHATGPTT_AGAIN) return MBEDTLS_ERR_SSL_WANT_READ;
    if (code == CHATGPTT_OK) return (int)done;
    if (code == CHATGPTT_DONE) return 0;
    t->io = code;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void cgt_tls_free(cgt_tls *t) {
    const chatgptt_hooks *hooks = t->trust->hooks;
    if (t->ready && !t->io) (void)mbedtls_ssl_close_notify(&t->ssl);
    mbedtls_ssl_free(&t->ssl);
    cgt_free(hooks, t, sizeof *t);
}

/* The name to be verified and sent as SNI: neither for an address, and without the dot that may end it.
   mbedTLS's code. */
static int cgt_tls_name(cgt_tls *t, const cgt_url *url) {
    char name[256];
    size_t len = strlen(url->host);
    t->address_len = url->literal ? cgt_parse_ipv6(cgt_text(url->host), t->address)
                                  : cgt_parse_ipv4(cgt_text(url->host), t->address);
    if (t->address_len) return mbedtls_ssl_set_hostname(&t->ssl, NULL);
    if (len && url->host[len - 1] == '.') len--;
    if (!cgt_fixed_set(name, sizeof name, cgt_slice_of(url->host, len)))
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    return mbedtls_ssl_set_hostname(&t->ssl, name);
}

/* TLS over a connection that may still have to be made. `origin` must outlive it. NULL: out of memory. */
static cgt_tls *cgt_tls_new(cgt_trust *trust, const chatgptt_transport *transport, void *raw,
                            const cgt_url *url, const char *origin) {
    cgt_tls *t = (cgt_tls *)cgt_new(trust->hooks, sizeof *t);
    cgt_session *session = cgt_session_of(trust, origin);
    if (!t) return NULL;
    t->trust = trust;
    t->transport = transport;
    t->raw = raw;
    t->origin = origin;
    mbedtls_ssl_init(&t->ssl);
    if (mbedtls_ssl_setup(&t->ssl, &trust->config) != 0 || cgt_tls_name(t, url) != 0) {
        cgt_tls_free(t);
        return NULL;
    }
    mbedtls_ssl_set_verify(&t->ssl, cgt_tls_verify, t);
    mbedtls_ssl_set_bio(&t->ssl, t, cgt_tls_send, cgt_tls_receive, NULL);
    t->offered = session && mbedtls_ssl_set_session(&t->ssl, &session->session) == 0;
    return t;
}

/* ---- reasons in words ---- */

static const char *cgt_tls_certificate_reason(const cgt_tls *t, uint32_t flags) {
    if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY))
        return "its chain has a weak key or hash";
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        return t->self_signed ? "it is self-signed"
                              : "unknown issuer: neither it nor its chain leads to a trusted root";
    if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
        return "it or its chain has expired (or this system's clock is wrong)";
    if (flags & MBEDTLS_X509_BADCERT_FUTURE) return "it is not yet valid (or this system's clock is wrong)";
    if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) return "it is for another name";
    if (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
                 MBEDTLS_X509_BADCERT_NS_CERT_TYPE))
        return "it is not for servers";
    return "it was refused";
}

static const char *cgt_tls_reason(const cgt_tls *t, int failed) {
#if CGT_TLS_VERSION >= 3
    const unsigned char *in = t->ssl.MBEDTLS_PRIVATE(in_msg);       /* an alert lies there still */
    bool too_old = failed == MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION;
#else
    const unsigned char *in = t->ssl.in_msg;
    bool too_old = failed == MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION;
#endif
    int alert = failed == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && in ? in[1] : -1;
    if (too_old) return "the server's TLS is too old: 1.2 is the least";
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    if (alert == 70) return "alert of the server: no common version, its TLS is too old";
#else
    if (alert == 70)
        return "no common version: this mbedTLS speaks no TLS 1.3, or the server's TLS is too old";
#endif
    if (alert == 40) return "alert of the server: no common cipher suite, group or version";
    if (alert >= 0) return "the server ended the handshake with an alert";
    if (failed == MBEDTLS_ERR_SSL_INVALID_RECORD) return "the server does not speak TLS on this port";
    if (failed == MBEDTLS_ERR_SSL_ALLOC_FAILED) return "out of memory";
    return "TLS handshake failed: the server's choice of suite or group is not acceptable, or its messages "
           "are damaged";
}

/* Sets the error for a failed call of mbedTLS. */
static chatgptt_code cgt_tls_fail(cgt_tls *t, chatgptt_error *error, int failed) {
    uint32_t flags = t->verified ? mbedtls_ssl_get_verify_result(&t->ssl) : 0;
    cgt_slice host = cgt_from(cgt_text(t->origin), 8);
    chatgptt_code code = CHATGPTT_E_TLS;
    if (flags == 0xFFFFFFFFu) flags = 0;
    if (!t->ready && flags && !t->io)
        code = cgt_fail(error, CHATGPTT_E_CERTIFICATE, "the certificate of %b is not trusted: %s", host,
                        cgt_tls_certificate_reason(t, flags));
    else if (failed <= -0x2080 && failed > -0x3000)
        code = cgt_fail(
            error, CHATGPTT_E_CERTIFICATE,
            "the certificate of %b cannot be read: it is damaged or has extensions mbedTLS does not know",
            host);
    else if (failed == MBEDTLS_ERR_SSL_CONN_EOF || failed == 0)
        code = cgt_fail(error, CHATGPTT_E_CLOSED, "%b closed the connection during the TLS handshake", host);
    else if (t->ready) cgt_fail(error, code, "TLS with %b broke: a record is damaged or not allowed", host);
    else cgt_fail(error, code, "no TLS with %b: %s", host, cgt_tls_reason(t, failed));
    error->tls_code = failed;
    return code;
}

/* ---- handshake, read, write ---- */

static bool cgt_tls_wants(int failed) {
    return failed == MBEDTLS_ERR_SSL_WANT_READ || failed == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* Not an error: a session ticket came. Where mbedTLS does not tell, no call gives this number. */
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
enum { CGT_TLS_TICKET = MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET };
#else
enum { CGT_TLS_TICKET = INT_MIN };
#endif

/* OK: done; AGAIN; < 0: *error says why, or t->io holds the transport's code. */
static chatgptt_code cgt_tls_handshake(cgt_tls *t, chatgptt_error *error) {
    int failed;
    if (t->ready) return CHATGPTT_OK;
    do failed = mbedtls_ssl_handshake(&t->ssl); while (failed == CGT_TLS_TICKET);
    if (cgt_tls_wants(failed)) return CHATGPTT_AGAIN;
    if (failed) { cgt_session_forget(t->trust, t->origin); return cgt_tls_fail(t, error, failed); }
    t->ready = true;
    cgt_session_keep(t);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_tls_read(cgt_tls *t, chatgptt_error *error, void *buffer, size_t size,
                                  size_t *done) {
    int got;
    do {
        got = mbedtls_ssl_read(&t->ssl, (unsigned char *)buffer, size);
        if (got == CGT_TLS_TICKET) cgt_session_keep(t);
    } while (got == CGT_TLS_TICKET);
    *done = got > 0 ? (size_t)got : 0;
    if (got > 0) return CHATGPTT_OK;
    if (cgt_tls_wants(got)) return CHATGPTT_AGAIN;
    t->clean = got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    if (t->clean || got == 0 || got == MBEDTLS_ERR_SSL_CONN_EOF) return CHATGPTT_DONE;
    return cgt_tls_fail(t, error, got);
}

static chatgptt_code cgt_tls_write(cgt_tls *t, chatgptt_error *error, const void *bytes, size_t size,
                                   size_t *done) {
    int put;
    do put = mbedtls_ssl_write(&t->ssl, (const unsigned char *)bytes, size); while (put == CGT_TLS_TICKET);
    *done = put > 0 ? (size_t)put : 0;
    if (put >= 0) return CHATGPTT_OK;
    return cgt_tls_wants(put) ? CHATGPTT_AGAIN : cgt_tls_fail(t, error, put);
}

/* Whether bytes wait inside mbedTLS, where no descriptor shows them. */
static bool cgt_tls_pending(const cgt_tls *t) {
    return mbedtls_ssl_get_bytes_avail(&t->ssl) > 0 || mbedtls_ssl_check_pending(&t->ssl);
}

#endif /* CHATGPTT_NO_TLS */

/* ==== [CONNECT] ==== */

/* A connection to an origin: the transport's bytes, a proxy's tunnel through them, TLS over them where the
   origin is https. And the idle ones a client keeps. */

typedef struct cgt_conn {
    struct cgt_conn *next;          /* idle ones form a list, the latest first */
    void *raw;                      /* the transport's */
    cgt_tls *tls;                   /* NULL: plain */
    char origin[CHATGPTT_MAX_ORIGIN];   /* whom it leads to: "https://host:port" */
    cgt_http in;                    /* of the last response, which may still have an end to come */
    cgt_buffer tunnel;              /* the CONNECT request, until the proxy has answered it */
    size_t tunnel_sent;
    /* the transport took or gave bytes, so it is connected; requests may go out */
    bool carried, ready;
    bool unclean;                   /* TLS ended without close_notify: that is no end of a body */
    /* the TLS session was; one was offered that the server may not want: without it, once more */
    bool resumed, stale;
    bool reused;                    /* it served an earlier request */
    /* the rest of its request is not written: that there is room for it is no news */
    bool written_off;
    size_t drained;                 /* what came after the end mark of the last response */
    long long parked;               /* when it was given back, in ms */
} cgt_conn;

typedef struct cgt_pool {           /* what the connections of a client share */
    const chatgptt_hooks *hooks;
    const chatgptt_options *options;
    chatgptt_transport transport;
    cgt_conn *idle;
    cgt_url proxy;                  /* empty: none */
    cgt_buffer login;               /* Proxy-Authorization's value; empty: none */
    cgt_trust *trust;               /* made when the first https connection needs it */
#ifndef CHATGPTT_NO_NET
    cgt_net net;
#endif
} cgt_pool;

/* Sets the error for a transport's code, with what the built-in one knows of the cause. */
static chatgptt_code cgt_conn_fail(const cgt_pool *pool, chatgptt_error *error, chatgptt_code code,
                                   const char *doing, cgt_slice whom) {
    const char *why = chatgptt_code_text(code);
    int number = 0;
    if (code >= 0) code = CHATGPTT_E_IO;        /* a transport of the caller's that returns what it may not */
#ifndef CHATGPTT_NO_NET
    if (pool->transport.user == &pool->net && pool->net.why) {
        why = pool->net.why;
        number = pool->net.sys_errno;
    }
#endif
    (void)pool;
    cgt_fail(error, code, "%s %b: %s", doing, whom, why);
    error->sys_errno = number;
    return code;
}

/* ---- settings ---- */

static void cgt_put_base64(cgt_buffer *b, cgt_slice s) {
    uint32_t bits = 0;
    size_t pad = (3 - s.len % 3) % 3;
    int have = 0;
    for (; s.len; s = cgt_from(s, 1)) {
        bits = bits << 8 | (unsigned char)s.at[0];
        for (have += 8; have >= 6; have -= 6) cgt_putc(b, cgt_base64_digits[bits >> (have - 6) & 63]);
    }
    if (have) cgt_putc(b, cgt_base64_digits[bits << (6 - have) & 63]);
    while (pad--) cgt_putc(b, '=');
}

static void cgt_percent_decode(cgt_buffer *b, cgt_slice s) {
    for (; s.len; s = cgt_from(s, 1)) {
        bool escape = s.at[0] == '%' && s.len > 2 && cgt_hex(s.at[1]) >= 0 && cgt_hex(s.at[2]) >= 0;
        cgt_putc(b, escape ? (char)(unsigned char)(cgt_hex(s.at[1]) * 16 + cgt_hex(s.at[2])) : s.at[0]);
        if (escape) s = cgt_from(s, 2);
    }
}

static void cgt_pool_set_login(cgt_pool *pool, cgt_slice user) {
    cgt_buffer plain;
    cgt_buffer_init(&plain, pool->hooks, CHATGPTT_MAX_URL);
    cgt_percent_decode(&plain, user);
    if (cgt_find(user, ":") == user.len) cgt_putc(&plain, ':');
    cgt_puts(&pool->login, "Basic ");
    cgt_put_base64(&pool->login, cgt_slice_of_buffer(&plain));
    if (plain.failed) pool->login.failed = plain.failed;
    if (cgt_has_control(cgt_slice_of_buffer(&plain))) pool->login.failed = CHATGPTT_E_ARGUMENT;
    cgt_buffer_free(&plain);
}

/* Takes the proxy option: http://[user:password@]host[:port], the scheme may be missing. Its login is never
   part of a message. */
static chatgptt_code cgt_pool_set_proxy(cgt_pool *pool, cgt_slice text, chatgptt_error *error) {
    const char *why = "out of memory";
    cgt_slice user;
    cgt_buffer b;
    chatgptt_code code;
    bool bare = !cgt_contains(text, "://");
    if (!bare && !cgt_starts(text, "http://"))
        return cgt_fail(error, CHATGPTT_E_UNSUPPORTED,
                        "only http:// proxies are supported, no SOCKS and none over https");
    cgt_buffer_init(&b, pool->hooks, CHATGPTT_MAX_URL);
    if (bare) cgt_puts(&b, "http://");
    cgt_append(&b, text);
    code =
        b.failed ? b.failed : cgt_url_parse(&pool->proxy, pool->hooks, cgt_slice_of_buffer(&b), &user, &why);
    cgt_buffer_init(&pool->login, pool->hooks, (size_t)2 * CHATGPTT_MAX_URL);
    if (code == CHATGPTT_OK && user.len) cgt_pool_set_login(pool, user);
    cgt_buffer_free(&b);
    if (code == CHATGPTT_OK && pool->login.failed) {
        code = pool->login.failed;
        why = "its login is too long or holds a control character";
    }
    return code < 0 ? cgt_fail(error, code, "proxy is no URL: %s", why) : CHATGPTT_OK;
}

/* OK if https can be spoken; the trust store is read at the first call. */
static chatgptt_code cgt_pool_trust(cgt_pool *pool, chatgptt_error *error) {
#ifdef CHATGPTT_NO_TLS
    (void)pool;
    return cgt_fail(error, CHATGPTT_E_UNSUPPORTED, "https is not built in (CHATGPTT_NO_TLS)");
#else
    if (!pool->trust) pool->trust = cgt_trust_new(pool->hooks, pool->options, error);
    return pool->trust ? CHATGPTT_OK : error->code;
#endif
}

/* ---- open and close ---- */

static void cgt_conn_close(cgt_pool *pool, cgt_conn *conn) {
#ifndef CHATGPTT_NO_TLS
    if (conn->tls) cgt_tls_free(conn->tls);
#endif
    if (conn->raw) pool->transport.close(pool->transport.user, conn->raw);
    cgt_buffer_free(&conn->tunnel);
    cgt_free(pool->hooks, conn, sizeof *conn);
}

static void cgt_conn_put_tunnel(cgt_pool *pool, cgt_conn *conn, const cgt_url *url) {
    cgt_buffer *b = &conn->tunnel;
    int i;
    for (i = 0; i < 2; i++) {
        cgt_puts(b, i ? "Host: " : "CONNECT ");
        cgt_append(b, url->authority);
        if (cgt_is(cgt_text(url->port), "443")) cgt_puts(b, ":443");
        cgt_puts(b, i ? "\r\n" : " HTTP/1.1\r\n");
    }
    cgt_put_header(b, "User-Agent", cgt_text(pool->options->user_agent));
    cgt_put_header(b, "Proxy-Authorization", cgt_slice_of_buffer(&pool->login));
    cgt_puts(b, "\r\n");
}

static chatgptt_code cgt_conn_start(cgt_pool *pool, cgt_conn *conn, const cgt_url *url,
                                    chatgptt_error *error) {
    const cgt_url *peer = pool->proxy.whole.len ? &pool->proxy : url;
    chatgptt_code code;
    if (!cgt_fixed_set(conn->origin, sizeof conn->origin, url->origin))
        return cgt_fail(error, CHATGPTT_E_LIMIT, "the host's name is too long");
    if (url->https && cgt_pool_trust(pool, error) < 0) return error->code;
    if (url->https && peer != url) cgt_conn_put_tunnel(pool, conn, url);
    if (conn->tunnel.failed) return cgt_fail(error, conn->tunnel.failed, "out of memory for a connection");
    code = pool->transport.open(pool->transport.user, peer->host, peer->port, &conn->raw);
    if (code != CHATGPTT_OK) {
        conn->raw = NULL;
        return cgt_conn_fail(pool, error, code,
                             code == CHATGPTT_E_RESOLVE ? "cannot look up" : "cannot connect to",
                             peer->authority);
    }
#ifndef CHATGPTT_NO_TLS
    if (url->https) conn->tls = cgt_tls_new(pool->trust, &pool->transport, conn->raw, url, conn->origin);
#endif
    return url->https && !conn->tls ? cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for TLS")
                                    : CHATGPTT_OK;
}

/* Opens a connection; it may still have to be made. NULL: *error says why. */
static cgt_conn *cgt_conn_open(cgt_pool *pool, const cgt_url *url, chatgptt_error *error) {
    cgt_conn *conn = (cgt_conn *)cgt_new(pool->hooks, sizeof *conn);
    if (!conn) { cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for a connection"); return NULL; }
    cgt_buffer_init(&conn->tunnel, pool->hooks, CHATGPTT_MAX_REQUEST);
    conn->in.method = CGT_HTTP_CONNECT;
    conn->in.max_head = pool->options->max_header_bytes;
    if (cgt_conn_start(pool, conn, url, error) == CHATGPTT_OK) return conn;
    cgt_conn_close(pool, conn);
    return NULL;
}

/* ---- read, write, handshake ---- */

/* Whom the bytes go to, for messages: the proxy until its tunnel stands, then the origin's host. */
static cgt_slice cgt_conn_peer(const cgt_pool *pool, const cgt_conn *conn) {
    cgt_slice origin = cgt_text(conn->origin);
    bool https = cgt_starts(origin, "https");
    if (pool->proxy.whole.len && (conn->tunnel.len || !conn->carried || !https)) return pool->proxy.authority;
    return cgt_from(origin, https ? 8 : 7);
}

/* What a code of TLS means: its own error is set already, unless the transport failed below it. */
static chatgptt_code cgt_conn_result(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error,
                                     chatgptt_code code, const char *doing) {
#ifndef CHATGPTT_NO_TLS
    const cgt_tls *t = conn->tls;
    if (t) {
        conn->carried |= t->carried;
        conn->unclean = !t->clean;
        conn->resumed = t->ready && t->offered && !t->verified;
        conn->stale = !t->ready && t->offered && !t->verified && !t->io;
        if (!t->io) return code;
        code = t->io;
    }
#endif
    return code < 0 ? cgt_conn_fail(pool, error, code, conn->carried ? doing : "cannot connect to",
                                    cgt_conn_peer(pool, conn))
                    : code;
}

static chatgptt_code cgt_tunnel_refused(cgt_pool *pool, chatgptt_error *error, int status) {
    if (status == 407)
        cgt_fail(error, CHATGPTT_E_PROXY,
                 pool->login.len
                     ? "the proxy %b refuses the login (status 407)"
                     : "the proxy %b wants a login (status 407): put user:password@ before its host",
                 pool->proxy.authority);
    else
        cgt_fail(error, CHATGPTT_E_PROXY, "the proxy %b refuses the connection (status %d)",
                 pool->proxy.authority, status);
    error->http_status = status;
    return CHATGPTT_E_PROXY;
}

/* Reads the proxy's answer to CONNECT. Nothing may follow it: the server of a TLS connection does not speak
   first. */
static chatgptt_code cgt_tunnel_answer(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error) {
    char bytes[256];
    size_t done = 0, at = 0, used;
    chatgptt_code code = pool->transport.read(pool->transport.user, conn->raw, bytes, sizeof bytes, &done);
    if (code == CHATGPTT_AGAIN) return code;
    if (code == CHATGPTT_DONE)
        return cgt_fail(error, CHATGPTT_E_PROXY, "the proxy %b closed the connection instead of answering",
                        pool->proxy.authority);
    if (code < 0)
        return cgt_conn_fail(pool, error, code, "cannot read from the proxy", pool->proxy.authority);
    do {
        code = cgt_http_feed(&conn->in, bytes + at, done - at, &used);
        at += used;
        if (code < 0)
            return cgt_fail(error, code == CHATGPTT_E_LIMIT ? code : CHATGPTT_E_PROXY,
                            "the answer of the proxy %b: %s", pool->proxy.authority, conn->in.why);
        if (conn->in.event == CGT_HTTP_HEAD && (conn->in.status < 200 || conn->in.status > 299))
            return cgt_tunnel_refused(pool, error, conn->in.status);
    } while (conn->in.event != CGT_HTTP_NONE && conn->in.event != CGT_HTTP_END);
    if (conn->in.event == CGT_HTTP_END && at < done)
        return cgt_fail(error, CHATGPTT_E_PROXY,
                        "the proxy %b sends bytes of its own before the TLS handshake",
                        pool->proxy.authority);
    if (conn->in.event != CGT_HTTP_END) return CHATGPTT_OK;
    cgt_buffer_free(&conn->tunnel);
    memset(&conn->in, 0, sizeof conn->in);
    conn->in.max_head = pool->options->max_header_bytes;
    return CHATGPTT_OK;
}

/* Asks the proxy for a tunnel. OK: it stands. */
static chatgptt_code cgt_tunnel_make(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error) {
    chatgptt_code code = CHATGPTT_OK;
    while (code == CHATGPTT_OK && conn->tunnel_sent < conn->tunnel.len) {
        size_t done = 0;
        code = pool->transport.write(pool->transport.user, conn->raw, conn->tunnel.data + conn->tunnel_sent,
                                     conn->tunnel.len - conn->tunnel_sent, &done);
        conn->tunnel_sent += done;
        if (code == CHATGPTT_OK) conn->carried = true;
        if (code < 0)
            return cgt_conn_fail(pool, error, code,
                                 conn->carried ? "cannot write to the proxy" : "cannot connect to the proxy",
                                 pool->proxy.authority);
    }
    while (code == CHATGPTT_OK && conn->tunnel.len) code = cgt_tunnel_answer(pool, conn, error);
    return code;
}

/* OK: requests may go out; AGAIN: tunnel or TLS is under way. Over plain http a connection is made by the
   first write. */
static chatgptt_code cgt_conn_ready(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error) {
    chatgptt_code code = CHATGPTT_OK;
    if (conn->ready) return CHATGPTT_OK;
    if (conn->tunnel.len) code = cgt_tunnel_make(pool, conn, error);
    if (code != CHATGPTT_OK) return code;
#ifndef CHATGPTT_NO_TLS
    if (conn->tls)
        code = cgt_conn_result(pool, conn, error, cgt_tls_handshake(conn->tls, error),
                               "broken during the TLS handshake with");
#endif
    conn->ready = code == CHATGPTT_OK;
    return code;
}

static chatgptt_code cgt_conn_read(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error, void *buffer,
                                   size_t size, size_t *done) {
    chatgptt_code code;
#ifndef CHATGPTT_NO_TLS
    if (conn->tls)
        return cgt_conn_result(pool, conn, error, cgt_tls_read(conn->tls, error, buffer, size, done),
                               "cannot read from");
#endif
    code = pool->transport.read(pool->transport.user, conn->raw, buffer, size, done);
    return cgt_conn_result(pool, conn, error, code, "cannot read from");
}

/* One that says AGAIN must be repeated with the same bytes. */
static chatgptt_code cgt_conn_write(cgt_pool *pool, cgt_conn *conn, chatgptt_error *error, const void *bytes,
                                    size_t size, size_t *done) {
    chatgptt_code code;
#ifndef CHATGPTT_NO_TLS
    if (conn->tls)
        return cgt_conn_result(pool, conn, error, cgt_tls_write(conn->tls, error, bytes, size, done),
                               "cannot write to");
#endif
    code = pool->transport.write(pool->transport.user, conn->raw, bytes, size, done);
    if (code == CHATGPTT_OK) conn->carried = true;
    return cgt_conn_result(pool, conn, error, code, "cannot write to");
}

static chatgptt_wait cgt_conn_want(const cgt_pool *pool, const cgt_conn *conn) {
    chatgptt_wait w = pool->transport.want(pool->transport.user, conn->raw);
#ifndef CHATGPTT_NO_TLS
    if (conn->tls && conn->tls->ready && cgt_tls_pending(conn->tls)) w.timeout_ms = 0;
#endif
    if (conn->written_off) w.on[0].events &= CHATGPTT_READ;     /* connected, it has one descriptor */
    return w;
}

/* ---- idle connections ---- */

static void cgt_pool_drop(cgt_pool *pool, cgt_conn **at) {
    cgt_conn *gone = *at;
    *at = gone->next;
    cgt_conn_close(pool, gone);
}

/* An idle connection to this origin, no longer in the pool; NULL: there is none. Those that are too old go.
   */
static cgt_conn *cgt_conn_take(cgt_pool *pool, const cgt_url *url, long long now) {
    cgt_conn **at = &pool->idle, *conn;
    while (*at && !cgt_is(url->origin, (*at)->origin)) {
        if (now - (*at)->parked > CHATGPTT_MAX_IDLE_MS) cgt_pool_drop(pool, at);
        else at = &(*at)->next;
    }
    conn = *at;
    if (!conn) return NULL;
    *at = conn->next;
    conn->next = NULL;
    if (now - conn->parked <= CHATGPTT_MAX_IDLE_MS) return conn;
    cgt_conn_close(pool, conn);
    return NULL;
}

static void cgt_conn_park(cgt_pool *pool, cgt_conn *conn, long long now) {
    cgt_conn **at = &pool->idle;
    int count;
    conn->parked = now;
    conn->next = pool->idle;
    pool->idle = conn;
    for (count = 0; *at && count < CHATGPTT_MAX_IDLE; count++) at = &(*at)->next;
    while (*at) cgt_pool_drop(pool, at);
}

static void cgt_pool_close(cgt_pool *pool) {
    while (pool->idle) cgt_pool_drop(pool, &pool->idle);
    cgt_url_free(&pool->proxy);
    cgt_buffer_free(&pool->login);
#ifndef CHATGPTT_NO_TLS
    cgt_trust_free(pool->trust);
    pool->trust = NULL;
#endif
}

/* ==== [MATCH] ==== */

/* A tiny pattern matcher with the meaning of Python's re, on bytes: literals, `.` (all but LF), classes with
   ranges and negation, `* + ?` (greedy) on single characters and classes, one group. A backslash makes
   punctuation literal; \n \r \t as in C. The first match counts; what it captured is the group, or all of it
   without one. Linear time: a set of positions in the pattern walks over the text (Pike), so no text can make
   it slow. Offsets count modulo 2^32. */

typedef enum cgt_repeat { CGT_ONCE, CGT_MAYBE, CGT_MANY } cgt_repeat;

#define CGT_ANY 255     /* the set of `.` */

/* set: 0 a literal, CGT_ANY, else 1 + its class */
typedef struct cgt_node { unsigned char set, byte, repeat; } cgt_node;

typedef struct cgt_pattern {
    cgt_node node[CHATGPTT_MAX_PATTERN];
    unsigned char set[CHATGPTT_MAX_CLASSES][32];
    int count, sets, open, close;   /* the group lies before these nodes */
    char literal[CHATGPTT_MAX_PATTERN];     /* what every match begins with */
    size_t literals, rare;          /* how long it is; which of its bytes is the rarest in pages */
} cgt_pattern;

typedef struct cgt_thread { uint32_t from, to; int at; } cgt_thread;

typedef struct cgt_match {
    const cgt_pattern *pattern;
    uint32_t offset;                /* of the next byte, from the start of the text */
    uint32_t from, to;              /* what it captured so far, as offsets */
    bool found, ended;              /* there is a match; it can grow no more */
    uint64_t seen;
    int count, turn;                /* of the threads that are alive; which list has them */
    cgt_thread lists[2][CHATGPTT_MAX_PATTERN + 1];
} cgt_match;

typedef struct cgt_pattern_reader { cgt_slice text; size_t at; const char *why; } cgt_pattern_reader;

static bool cgt_pattern_bad(cgt_pattern_reader *r, const char *why) {
    r->why = why;
    return false;
}

/* One character, maybe escaped, at r->at. */
static bool cgt_pattern_char(cgt_pattern_reader *r, unsigned char *c) {
    *c = (unsigned char)r->text.at[r->at++];
    if (*c != '\\') return true;
    if (r->at == r->text.len) return cgt_pattern_bad(r, "nothing follows the backslash");
    *c = (unsigned char)r->text.at[r->at++];
    if (*c == 'n' || *c == 'r' || *c == 't') *c = *c == 'n' ? '\n' : *c == 'r' ? '\r' : '\t';
    else if (cgt_alnum((char)*c)) { r->at--; return cgt_pattern_bad(r, "no such escape"); }
    return true;
}

/* A class, from behind its bracket to behind the closing one. */
static bool cgt_pattern_class(cgt_pattern_reader *r, unsigned char set[32]) {
    bool negated = r->at < r->text.len && r->text.at[r->at] == '^', first = true;
    unsigned char from, to;
    int i;
    if (negated) r->at++;
    for (;; first = false) {
        if (r->at >= r->text.len) return cgt_pattern_bad(r, "the class is not closed");
        if (r->text.at[r->at] == ']' && !first) break;
        if (!cgt_pattern_char(r, &from)) return false;
        to = from;
        if (r->at + 1 < r->text.len && r->text.at[r->at] == '-' && r->text.at[r->at + 1] != ']') {
            r->at++;
            if (!cgt_pattern_char(r, &to)) return false;
            if (to < from) return cgt_pattern_bad(r, "the range is upside down");
        }
        for (i = from; i <= to; i++) set[i >> 3] = (unsigned char)(set[i >> 3] | 1 << (i & 7));
    }
    r->at++;
    if (negated) for (i = 0; i < 32; i++) set[i] = (unsigned char)~set[i];
    return true;
}

/* Equal classes share a place. */
static bool cgt_pattern_set(cgt_pattern *p, cgt_pattern_reader *r, cgt_node *node) {
    unsigned char set[32] = { 0 };
    int i = 0;
    if (!cgt_pattern_class(r, set)) return false;
    while (i < p->sets && memcmp(p->set[i], set, sizeof set) != 0) i++;
    if (i == CHATGPTT_MAX_CLASSES) return cgt_pattern_bad(r, "too many classes");
    if (i == p->sets) memcpy(p->set[p->sets++], set, sizeof set);
    node->set = (unsigned char)(i + 1);
    return true;
}

static bool cgt_pattern_atom(cgt_pattern *p, cgt_pattern_reader *r, cgt_node *node) {
    char c = r->text.at[r->at];
    memset(node, 0, sizeof *node);
    if (c != '.' && c != '[') {
        if (strchr("*+?", c)) return cgt_pattern_bad(r, "nothing to repeat");
        if (strchr("^$|{", c)) return cgt_pattern_bad(r, "not supported: put a backslash before it");
        return cgt_pattern_char(r, &node->byte);
    }
    node->set = CGT_ANY;
    r->at++;
    return c == '.' || cgt_pattern_set(p, r, node);
}

static bool cgt_pattern_group(cgt_pattern *p, cgt_pattern_reader *r) {
    bool open = r->text.at[r->at] == '(';
    int *edge = open ? &p->open : &p->close;
    if (open && p->open >= 0) return cgt_pattern_bad(r, "only one group");
    if (!open && (p->open < 0 || p->close >= 0)) return cgt_pattern_bad(r, "no group is open");
    *edge = p->count;
    r->at++;
    if (!open && r->at < r->text.len && strchr("*+?", r->text.at[r->at]))
        return cgt_pattern_bad(r, "a group cannot be repeated");
    return true;
}

static bool cgt_pattern_next(cgt_pattern *p, cgt_pattern_reader *r) {
    cgt_node node;
    char c = r->text.at[r->at], repeat = '\0';
    if (c == '\0') return cgt_pattern_bad(r, "NUL in the pattern");
    if (c == '(' || c == ')') return cgt_pattern_group(p, r);
    if (!cgt_pattern_atom(p, r, &node)) return false;
    if (r->at < r->text.len && r->text.at[r->at] && strchr("*+?", r->text.at[r->at]))
        repeat = r->text.at[r->at++];
    if (p->count + (repeat == '+' ? 2 : 1) > CHATGPTT_MAX_PATTERN)
        return cgt_pattern_bad(r, "the pattern is too long");
    if (repeat == '+') p->node[p->count++] = node;
    node.repeat = (unsigned char)(repeat == '\0' ? CGT_ONCE : repeat == '?' ? CGT_MAYBE : CGT_MANY);
    p->node[p->count++] = node;
    return true;
}

/* The literal that every match begins with: it is looked for by its rarest byte. */
static void cgt_pattern_literal(cgt_pattern *p) {
    static const char common[] = " etaoinsrldc-pumhgfb/\"w.vy:=";    /* in pages, commonest first */
    ptrdiff_t rank, best = -1;
    size_t n;
    for (n = 0; (int)n < p->count && p->node[n].set == 0 && p->node[n].repeat == CGT_ONCE; n++) {
        const char *at = (const char *)memchr(common, p->node[n].byte, sizeof common - 1);
        p->literal[n] = (char)p->node[n].byte;
        rank = at ? at - common : (ptrdiff_t)sizeof common;
        if (rank > best) { best = rank; p->rare = n; }
    }
    p->literals = n;
}

/* false: *why says what is wrong at position *at. */
static bool cgt_pattern_compile(cgt_pattern *p, cgt_slice text, size_t *at, const char **why) {
    cgt_pattern_reader r = { text, 0, NULL };
    memset(p, 0, sizeof *p);
    p->open = p->close = -1;
    while (r.at < text.len && cgt_pattern_next(p, &r)) {}
    if (!r.why && p->open >= 0 && p->close < 0) r.why = "the group is not closed";
    *at = r.at;
    *why = r.why;
    if (p->open < 0) { p->open = 0; p->close = p->count; }
    cgt_pattern_literal(p);
    return r.why == NULL;
}

/* Adds a position and those reached from it without a byte. `arrived`: it came from the node before, not from
   its own repetition. */
static void cgt_match_add(cgt_match *m, cgt_thread t, bool arrived) {
    const cgt_pattern *p = m->pattern;
    for (;; t.at++, arrived = true) {
        if (arrived && t.at == p->open) t.from = m->offset;
        if (arrived && t.at == p->close) t.to = m->offset;
        if (m->seen >> t.at & 1) return;
        m->seen |= (uint64_t)1 << t.at;
        m->lists[m->turn][m->count++] = t;
        if (t.at == p->count || p->node[t.at].repeat == CGT_ONCE) return;
    }
}

static bool cgt_match_byte(const cgt_pattern *p, const cgt_node *node, unsigned char c) {
    if (node->set == CGT_ANY) return c != '\n';
    return node->set ? p->set[node->set - 1][c >> 3] >> (c & 7) & 1 : node->byte == c;
}

/* A match was reached: all that is less preferred is dropped, and no new one begins. */
static void cgt_match_settle(cgt_match *m) {
    const cgt_thread *list = m->lists[m->turn];
    int i;
    for (i = 0; i < m->count; i++) {
        if (list[i].at != m->pattern->count) continue;
        m->found = true;
        m->from = list[i].from;
        m->to = list[i].to;
        m->count = i;
    }
    m->ended = m->found && m->count == 0;
}

static void cgt_match_begin(cgt_match *m) {
    cgt_thread t = { 0, 0, 0 };
    if (m->found) return;
    cgt_match_add(m, t, true);
    cgt_match_settle(m);
}

static void cgt_match_step(cgt_match *m, unsigned char c) {
    const cgt_pattern *p = m->pattern;
    const cgt_thread *old = m->lists[m->turn];
    int count = m->count, i;
    m->turn = !m->turn;
    m->count = 0;
    m->seen = 0;
    m->offset++;
    for (i = 0; i < count; i++) {
        cgt_thread t = old[i];
        const cgt_node *node = &p->node[t.at];
        if (!cgt_match_byte(p, node, c)) continue;
        if (node->repeat == CGT_MANY) cgt_match_add(m, t, false);
        else { t.at++; cgt_match_add(m, t, true); }
    }
    cgt_match_settle(m);
}

/* Whether a match may begin here: as far as the bytes go the literal stands there. */
static bool cgt_match_here(const cgt_pattern *p, const char *in, size_t len) {
    if (len > p->literals) len = p->literals;
    return len == 0 || (*in == *p->literal && memcmp(in, p->literal, len) == 0);
}

/* Where a match may begin, from `in` on; len: nowhere. By the rarest byte: the three patterns of PAGE take
   0.13 ns a byte together. */
static size_t cgt_match_where(const cgt_pattern *p, const char *in, size_t len) {
    size_t i = 0, size = p->literals;
    while (i + size <= len) {
        const char *at = in + i + p->rare;
        at = (const char *)memchr(at, p->literal[p->rare], len - size - i + 1);
        if (!at) { i = len - size + 1; break; }
        i = (size_t)(at - in) - p->rare;
        if (cgt_match_here(p, in + i, len - i)) return i;
        i++;
    }
    while (i < len && !cgt_match_here(p, in + i, len - i)) i++;
    return i;
}

/* Which positions take the byte: 1 the first, 2 another. */
static int cgt_match_takers(const cgt_match *m, unsigned char c) {
    int i, takers = 0;
    for (i = 0; i < m->count; i++)
        if (cgt_match_byte(m->pattern, &m->pattern->node[m->lists[m->turn][i].at], c)) takers |= i ? 2 : 1;
    return takers;
}

/* Bytes that only the first position takes, and that leave it where it is: the inside of an attribute, say.
   2 ns a byte instead of 24. The number of bytes used. */
static size_t cgt_match_run(cgt_match *m, const char *in, size_t len) {
    const cgt_pattern *p = m->pattern;
    cgt_thread first = m->lists[m->turn][0];
    size_t n = 0;
    int i = 0;
    if (p->node[first.at].repeat != CGT_MANY) return 0;
    while (i < m->count && m->lists[m->turn][i].at == first.at + i) i++;
    /* they must be what it reaches by itself, and not the match's end */
    if (i < m->count || first.at + i > p->count || p->node[first.at + i - 1].repeat != CGT_ONCE) return 0;
    while (n < len && in[n] != *p->literal && cgt_match_takers(m, (unsigned char)in[n]) == 1) n++;
    if (n == 0) return 0;
    m->offset += (uint32_t)n;
    m->seen = 0;
    m->count = 0;
    cgt_match_add(m, first, false);
    return n;
}

/* Feeds text until the match is certain (m->ended). At the end of the text m->found tells whether there is
   one. */
static void cgt_match_feed(cgt_match *m, const char *in, size_t len) {
    const cgt_pattern *p = m->pattern;
    size_t i = 0, skip;
    if (m->offset == 0 && m->count == 0 && !m->found && p->literals == 0) cgt_match_begin(m);
    for (; i < len && !m->ended; i++) {
        if (p->literals && m->count) {
            i += cgt_match_run(m, in + i, len - i);
            if (i < len && !m->found && !cgt_match_takers(m, (unsigned char)in[i])) m->count = 0;
        }
        if (p->literals && m->count == 0) {
            skip = cgt_match_where(p, in + i, len - i);
            m->offset += (uint32_t)skip;
            i += skip;
        }
        if (i == len) break;
        if (cgt_match_here(p, in + i, len - i)) cgt_match_begin(m);
        cgt_match_step(m, (unsigned char)in[i]);
    }
}

/* ==== [JSON] ==== */

/* A streaming scanner by RFC 8259. It checks the whole document and tells only of the fields it was asked
   for, which are JSON pointers (RFC 6901); of duplicate keys the first counts. Strings are decoded in place:
   pieces lie in the caller's bytes, or, where a character was cut by the end of the input, in the state. What
   it tells:
       TEXT     `piece` is a part of the string or number at fields[field]
       VALUE    the value at fields[field] is complete; an object or array: it begins. `type` is its kind
       END      the document is complete; what follows it is not touched
   The caller may set lenient and joined after cgt_json_init(); fields are distinct and well-formed. */

typedef enum cgt_json_event { CGT_JSON_NONE, CGT_JSON_TEXT, CGT_JSON_VALUE, CGT_JSON_END } cgt_json_event;
typedef enum cgt_json_type {
    CGT_JSON_STRING,
    CGT_JSON_NUMBER,
    CGT_JSON_TRUE,
    CGT_JSON_FALSE,
    CGT_JSON_NULL,
    CGT_JSON_OBJECT,
    CGT_JSON_ARRAY
} cgt_json_type;

typedef enum cgt_json_state {
    CGT_JSON_EXPECT,
    CGT_JSON_KEY,
    CGT_JSON_COLON, /* a value; a key; what follows it */
    /* in a container, before and after a value: it may end here */
    CGT_JSON_OPENED,
    CGT_JSON_AFTER,
    CGT_JSON_IN_STRING,
    CGT_JSON_ESCAPE,
    CGT_JSON_UNICODE,
    CGT_JSON_LITERAL,
    CGT_JSON_NUMBER_START,
    CGT_JSON_MINUS,
    CGT_JSON_ZERO,
    CGT_JSON_INTEGER,
    CGT_JSON_POINT,
    CGT_JSON_FRACTION,
    CGT_JSON_E,
    CGT_JSON_SIGN,
    CGT_JSON_EXPONENT,
    CGT_JSON_CLOSED,
    CGT_JSON_ENDED
} cgt_json_state;

typedef struct cgt_json {
    const char *const *fields;
    bool lenient;                   /* invalid UTF-8 becomes U+FFFD instead of an error */
    int joined;                     /* strings of fields below this number go on in one another: */
    /* a high surrogate at the end of one waits for the next, in a later document too */
    uint32_t spare;
    cgt_json_event event;
    int field;
    cgt_json_type type;
    cgt_slice piece;
    const char *why;                /* of an error, in words */
    cgt_json_state state;
    bool in_key, told;              /* the string is a key; the value under way is a field */
    int depth, digits;
    uint32_t here;                  /* fields whose path leads to the value that comes */
    /* fields whose path may go on in the container at this depth */
    uint32_t inside[CHATGPTT_MAX_DEPTH + 1];
    uint32_t index[CHATGPTT_MAX_DEPTH + 1];     /* of the next element of the array at this depth */
    bool array[CHATGPTT_MAX_DEPTH + 1];         /* the container at this depth is an array */
    uint32_t at[32];                /* how far each field's path is compared with the key */
    uint32_t code, high;            /* \u escape under way; high surrogate waiting for its low one */
    const char *literal;
    char part[4], hold[4];          /* bytes of a cut character; a character that waits to be told */
    size_t part_len, hold_len;
} cgt_json;

static chatgptt_code cgt_json_bad(cgt_json *j, const char *why) {
    j->why = why;
    return CHATGPTT_E_REPLY;
}

/* ---- which field a value belongs to ---- */

static int cgt_lowest(uint32_t mask) {
#ifdef __GNUC__
    return __builtin_ctz(mask);
#else
    int i = 0;
    while (!(mask >> i & 1)) i++;
    return i;
#endif
}

/* A key or index comes: puts j->at of the fields it may concern on the path segment that names it. */
static void cgt_json_aim(cgt_json *j) {
    uint32_t mask;
    j->here = j->inside[j->depth];
    for (mask = j->here; mask; mask &= mask - 1) {
        int f = cgt_lowest(mask), slashes = 0;
        const char *path = j->fields[f];
        size_t i = 0;
        while (slashes < j->depth) slashes += path[i++] == '/';
        j->at[f] = (uint32_t)i;
    }
}

/* Decoded bytes of a key: fields with others there drop out. `~0` and `~1` in a path stand for `~` and `/`.
   */
static void cgt_json_key_bytes(cgt_json *j, cgt_slice s) {
    uint32_t mask;
    for (mask = j->here; mask; mask &= mask - 1) {
        int f = cgt_lowest(mask);
        const char *p = j->fields[f] + j->at[f];
        size_t i;
        for (i = 0; i < s.len && *p != '\0' && *p != '/'; i++, p += *p == '~' ? 2 : 1)
            if (s.at[i] != (*p != '~' ? *p : p[1] == '1' ? '/' : '~')) break;
        j->at[f] = (uint32_t)(p - j->fields[f]);
        if (i < s.len) j->here &= ~((uint32_t)1 << f);
    }
}

/* The key or index is complete: only fields whose segment ends here stay, and no later duplicate gets them.
   */
static void cgt_json_named(cgt_json *j) {
    uint32_t mask;
    for (mask = j->here; mask; mask &= mask - 1) {
        int f = cgt_lowest(mask);
        char end = j->fields[f][j->at[f]];
        if (end != '\0' && end != '/') j->here &= ~((uint32_t)1 << f);
    }
    j->inside[j->depth] &= ~j->here;
}

/* A value begins: finds the field that ends exactly here. */
static void cgt_json_begin(cgt_json *j, cgt_json_type type) {
    uint32_t mask;
    j->type = type;
    j->told = false;
    for (mask = j->here; mask && !j->told; mask &= mask - 1) {
        j->field = cgt_lowest(mask);
        j->told = j->fields[j->field][j->at[j->field]] == '\0';
    }
}

/* the next value is an array's element: compare its index with the paths */
static void cgt_json_element(cgt_json *j) {
    char digits[24];
    cgt_json_aim(j);
    if (!j->here) return;
    cgt_json_key_bytes(j, cgt_slice_of(digits, cgt_digits(digits, j->index[j->depth]++)));
    cgt_json_named(j);
}

/* ---- structure ---- */

static void cgt_json_done(cgt_json *j) {          /* a value is complete */
    if (j->told) j->event = CGT_JSON_VALUE;
    j->told = false;
    j->state = j->depth ? CGT_JSON_AFTER : CGT_JSON_CLOSED;
}

static chatgptt_code cgt_json_open(cgt_json *j, bool array) {
    uint32_t here = j->here;
    if (j->depth == CHATGPTT_MAX_DEPTH) {
        j->why = "nested deeper than CHATGPTT_MAX_DEPTH";
        return CHATGPTT_E_LIMIT;
    }
    cgt_json_begin(j, array ? CGT_JSON_ARRAY : CGT_JSON_OBJECT);
    if (j->told) { j->event = CGT_JSON_VALUE; here &= ~((uint32_t)1 << j->field); }
    j->told = false;
    j->depth++;
    j->array[j->depth] = array;
    j->inside[j->depth] = here;
    j->index[j->depth] = 0;
    j->state = CGT_JSON_OPENED;
    return CHATGPTT_OK;
}

static void cgt_json_string(cgt_json *j, bool key) {
    j->in_key = key;
    j->state = CGT_JSON_IN_STRING;
    if (key) { cgt_json_aim(j); return; }
    cgt_json_begin(j, CGT_JSON_STRING);
    if (j->told && j->field < j->joined) { j->high = j->spare; j->spare = 0; }
}

static chatgptt_code cgt_json_value(cgt_json *j, char c) {
    if (j->array[j->depth]) cgt_json_element(j);
    switch (c) {
    case '{': return cgt_json_open(j, false);
    case '[': return cgt_json_open(j, true);
    case '"': cgt_json_string(j, false); return CHATGPTT_OK;
    case 't': cgt_json_begin(j, CGT_JSON_TRUE); j->literal = "rue"; break;
    case 'f': cgt_json_begin(j, CGT_JSON_FALSE); j->literal = "alse"; break;
    case 'n': cgt_json_begin(j, CGT_JSON_NULL); j->literal = "ull"; break;
    default:
        if (c != '-' && !cgt_digit(c)) return cgt_json_bad(j, "a value was expected");
        cgt_json_begin(j, CGT_JSON_NUMBER);
        j->state = CGT_JSON_NUMBER_START;
        return CHATGPTT_OK;
    }
    j->state = CGT_JSON_LITERAL;
    return CHATGPTT_OK;
}

/* The next state of a number; CGT_JSON_AFTER: the byte is none of it. */
static cgt_json_state cgt_json_number_state(cgt_json_state state, char c) {
    bool digit = cgt_digit(c), e = c == 'e' || c == 'E';
    switch (state) {
    case CGT_JSON_NUMBER_START: if (c == '-') return CGT_JSON_MINUS; /* fall through */
    case CGT_JSON_MINUS: return c == '0' ? CGT_JSON_ZERO : digit ? CGT_JSON_INTEGER : CGT_JSON_AFTER;
    case CGT_JSON_INTEGER: if (digit) return state; /* fall through */
    case CGT_JSON_ZERO: return c == '.' ? CGT_JSON_POINT : e ? CGT_JSON_E : CGT_JSON_AFTER;
    case CGT_JSON_FRACTION: if (e) return CGT_JSON_E; /* fall through */
    case CGT_JSON_POINT: return digit ? CGT_JSON_FRACTION : CGT_JSON_AFTER;
    case CGT_JSON_E: if (c == '+' || c == '-') return CGT_JSON_SIGN; /* fall through */
    default: return digit ? CGT_JSON_EXPONENT : CGT_JSON_AFTER;
    }
}

static bool cgt_json_number_whole(cgt_json_state state) {
    return state == CGT_JSON_ZERO || state == CGT_JSON_INTEGER || state == CGT_JSON_FRACTION ||
           state == CGT_JSON_EXPONENT;
}

/* ---- strings ---- */

/* The first byte from `p` on that is no plain ASCII of a string: eight at a time. */
static char *cgt_json_plain(char *p, char *end) {
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    while (end - p >= 8) {
        uint64_t x, quote, slash, special;
        memcpy(&x, p, 8);
        quote = x ^ (ones * '"');
        slash = x ^ (ones * '\\');
        special = ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | x;
        if (special & tops) break;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\') p++;
    return p;
}

/* Decoded text on its way out: from `start` on it lies in the caller's bytes, behind what has been read
   (`in`). */
typedef struct cgt_json_run { char *start, *out, *in, *end; bool full; } cgt_json_run;

/* Bytes of the string's text. They are moved up if there is room before what is still to be read; else they
   wait in `hold`. */
static void cgt_json_emit(cgt_json *j, cgt_json_run *r, const char *text, size_t len) {
    if (j->in_key) cgt_json_key_bytes(j, cgt_slice_of(text, len));
    else if (!j->told) return;
    else if ((size_t)(r->in - r->out) >= len) {
        if (r->out != text) memmove(r->out, text, len);
        r->out += len;
    } else {
        memcpy(j->hold, text, len);
        j->hold_len = len;
        r->full = true;
    }
}

/* A whole character; U+FFFD stands for a high surrogate without its low one, too. */
static void cgt_json_emit_code(cgt_json *j, cgt_json_run *r, uint32_t code) {
    char text[4];
    j->high = 0;
    cgt_json_emit(j, r, text, cgt_utf8_put(text, code));
}

/* A whole \u escape is in j->code; after a high surrogate only a low one comes here. */
static void cgt_json_unicode(cgt_json *j, cgt_json_run *r) {
    j->state = CGT_JSON_IN_STRING;
    if (j->high) cgt_json_emit_code(j, r, 0x10000 + ((j->high - 0xD800) << 10) + (j->code - 0xDC00));
    else if (j->code >= 0xD800 && j->code < 0xDC00) j->high = j->code;
    else cgt_json_emit_code(j, r, j->code);
}

static chatgptt_code cgt_json_hex(cgt_json *j, cgt_json_run *r) {
    int digit = cgt_hex(*r->in);
    uint32_t code = j->code << 4 | (uint32_t)digit;
    if (digit < 0) return cgt_json_bad(j, "bad \\u escape");
    if (j->digits == 3 && j->high && (code < 0xDC00 || code > 0xDFFF)) {
        cgt_json_emit_code(j, r, 0xFFFD);       /* first; the digit is read again */
        return CHATGPTT_OK;
    }
    j->code = code;
    r->in++;
    if (++j->digits == 4) cgt_json_unicode(j, r);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_json_escape(cgt_json *j, cgt_json_run *r) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = *r->in ? strchr(from, *r->in) : NULL;
    if (*r->in == 'u') {
        j->state = CGT_JSON_UNICODE;
        j->code = 0;
        j->digits = 0;
        r->in++;
        return CHATGPTT_OK;
    }
    if (!known) return cgt_json_bad(j, "bad escape");
    if (j->high) { cgt_json_emit_code(j, r, 0xFFFD); return CHATGPTT_OK; }
    r->in++;
    j->state = CGT_JSON_IN_STRING;
    cgt_json_emit(j, r, &to[known - from], 1);
    return CHATGPTT_OK;
}

/* A character beyond ASCII, maybe cut by the end of the input, maybe begun before it. */
static chatgptt_code cgt_json_beyond(cgt_json *j, cgt_json_run *r) {
    char whole[4];
    size_t had = j->part_len, n = had, len;
    cgt_utf8 verdict;
    memcpy(whole, j->part, had);
    while (n < 4 && r->in + (n - had) < r->end) { whole[n] = r->in[n - had]; n++; }
    verdict = cgt_utf8_at(whole, n, &len);
    if (verdict == CGT_UTF8_CUT) {
        memcpy(j->part, whole, n);
        j->part_len = n;
        r->in = r->end;
        return CHATGPTT_OK;
    }
    if (verdict == CGT_UTF8_BAD && !j->lenient) return cgt_json_bad(j, "invalid UTF-8");
    j->part_len = 0;
    /* what was cut was well so far: a verdict never takes back a byte of it */
    r->in += len - had;
    if (verdict == CGT_UTF8_BAD) cgt_json_emit_code(j, r, 0xFFFD);
    else cgt_json_emit(j, r, whole, len);
    return CHATGPTT_OK;
}

/* A byte of a string that is no plain character. *closed: it was the closing quote. */
static chatgptt_code cgt_json_special(cgt_json *j, cgt_json_run *r, bool *closed) {
    if (j->state == CGT_JSON_ESCAPE) return cgt_json_escape(j, r);
    if (j->state == CGT_JSON_UNICODE) return cgt_json_hex(j, r);
    if (j->part_len) return cgt_json_beyond(j, r);
    if (*r->in == '\\') { r->in++; j->state = CGT_JSON_ESCAPE; return CHATGPTT_OK; }
    if (j->high && *r->in == '"' && j->told && j->field < j->joined) { j->spare = j->high; j->high = 0; }
    if (j->high) { cgt_json_emit_code(j, r, 0xFFFD); return CHATGPTT_OK; }
    if ((unsigned char)*r->in >= 0x80) return cgt_json_beyond(j, r);
    if (*r->in != '"') return cgt_json_bad(j, "control character in a string");
    r->in++;
    *closed = true;
    return CHATGPTT_OK;
}

/* \uHHHH all there, no surrogate: by far the most common escape outside English, so it gets a way of its own.
   */
static bool cgt_json_fast_escape(cgt_json *j, cgt_json_run *r) {
    int a, b, c, d;
    if (r->end - r->in < 6 || r->in[0] != '\\' || r->in[1] != 'u' || j->high || j->part_len || j->in_key)
        return false;
    a = cgt_hex(r->in[2]);
    b = cgt_hex(r->in[3]);
    c = cgt_hex(r->in[4]);
    d = cgt_hex(r->in[5]);
    if ((a | b | c | d) < 0 || (a == 13 && b >= 8)) return false;
    r->in += 6;
    cgt_json_emit_code(j, r, (uint32_t)(a << 12 | b << 8 | c << 4 | d));
    return true;
}

static chatgptt_code cgt_json_text(cgt_json *j, char *in, size_t len, size_t *used) {
    cgt_json_run r;
    bool closed = false;
    chatgptt_code code = CHATGPTT_OK;
    r.start = r.out = r.in = in;
    r.end = in + len;
    r.full = false;
    while (code == CHATGPTT_OK && !closed && !r.full && r.in < r.end) {
        if (j->state == CGT_JSON_IN_STRING && !j->high && !j->part_len) {
            char *plain = r.in, *stop = cgt_json_plain(r.in, r.end);
            r.in = stop;
            if (stop > plain) cgt_json_emit(j, &r, plain, (size_t)(stop - plain));
            if (r.in == r.end) break;
            if (cgt_json_fast_escape(j, &r)) continue;
        }
        code = cgt_json_special(j, &r, &closed);
    }
    *used += (size_t)(r.in - in);
    /* else the text before it goes first, and it is met again */
    if (code < 0 && r.out == r.start) return code;
    j->piece = cgt_slice_of(r.start, (size_t)(r.out - r.start));
    if (j->piece.len) j->event = CGT_JSON_TEXT;
    if (closed && j->in_key) { cgt_json_named(j); j->state = CGT_JSON_COLON; }
    else if (closed && j->piece.len) j->hold_len = sizeof j->hold + 1;
        /* the text goes first, then the end of the value */
    else if (closed) cgt_json_done(j);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_json_number(cgt_json *j, char *in, size_t len, size_t *used) {
    size_t n = 0;
    while (n < len) {
        cgt_json_state next = cgt_json_number_state(j->state, in[n]);
        if (next == CGT_JSON_AFTER) break;
        j->state = next;
        n++;
    }
    *used += n;
    if (n && j->told) { j->event = CGT_JSON_TEXT; j->piece = cgt_slice_of(in, n); }
    else if (n < len && !cgt_json_number_whole(j->state)) return cgt_json_bad(j, "bad number");
    else if (n < len) cgt_json_done(j);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_json_byte(cgt_json *j, char c) {
    bool array = j->array[j->depth], after = j->state == CGT_JSON_AFTER;
    if (after || j->state == CGT_JSON_OPENED) {
        j->state = array ? CGT_JSON_EXPECT : CGT_JSON_KEY;
        if (c == (array ? ']' : '}')) { j->depth--; cgt_json_done(j); return CHATGPTT_OK; }
        if (after)
            return c == ',' ? CHATGPTT_OK
                            : cgt_json_bad(j, "a comma or the end of the container was expected");
    }
    switch (j->state) {
    case CGT_JSON_EXPECT: return cgt_json_value(j, c);
    case CGT_JSON_KEY:
        if (c != '"') return cgt_json_bad(j, "a key was expected");
        cgt_json_string(j, true);
        return CHATGPTT_OK;
    case CGT_JSON_COLON:
        j->state = CGT_JSON_EXPECT;
        return c == ':' ? CHATGPTT_OK : cgt_json_bad(j, "a colon was expected");
    default:                            /* CGT_JSON_LITERAL */
        if (c != *j->literal) return cgt_json_bad(j, "a value was expected");
        if (*++j->literal == '\0') cgt_json_done(j);
        return CHATGPTT_OK;
    }
}

static void cgt_json_init(cgt_json *j, const char *const *fields, int num_fields) {
    memset(j, 0, sizeof *j);
    j->fields = fields;
    j->here = num_fields >= 32 ? 0xFFFFFFFFu : ((uint32_t)1 << num_fields) - 1;
}

/* What waited for its own event: a character from `hold`, or the end of a string whose last text was just
   told. */
static bool cgt_json_waiting(cgt_json *j) {
    if (j->hold_len == 0) return false;
    if (j->hold_len > sizeof j->hold) cgt_json_done(j);
    else {
        j->event = CGT_JSON_TEXT;
        memcpy(j->part, j->hold, j->hold_len);
        j->piece = cgt_slice_of(j->part, j->hold_len);
    }
    j->hold_len = 0;
    return true;
}

/* OK with j->event (NONE: all was used), E_REPLY: not JSON, E_LIMIT. A leading blank is JSON's own; a byte
   order mark is not. */
static chatgptt_code cgt_json_feed(cgt_json *j, char *in, size_t len, size_t *used) {
    chatgptt_code code = CHATGPTT_OK;
    *used = 0;
    j->event = CGT_JSON_NONE;
    while (code == CHATGPTT_OK && j->event == CGT_JSON_NONE && !cgt_json_waiting(j)) {
        if (j->state == CGT_JSON_CLOSED) { j->state = CGT_JSON_ENDED; j->event = CGT_JSON_END; }
        if (j->state == CGT_JSON_ENDED || *used == len) break;
        if (j->state >= CGT_JSON_NUMBER_START) code = cgt_json_number(j, in + *used, len - *used, used);
        else if (j->state >= CGT_JSON_IN_STRING && j->state != CGT_JSON_LITERAL)
            code = cgt_json_text(j, in + *used, len - *used, used);
        else if (j->state != CGT_JSON_LITERAL && in[*used] != '\f' && cgt_blank(in[*used])) ++*used;
        else {
            code = cgt_json_byte(j, in[*used]);
            /* a number's first byte is part of its text */
            if (j->state != CGT_JSON_NUMBER_START) ++*used;
        }
    }
    return code;
}

/* The input is over: a number at the top level ends with it. OK with j->event while it has one; NONE: whole
   and valid. */
static chatgptt_code cgt_json_eof(cgt_json *j) {
    j->event = CGT_JSON_NONE;
    if (j->depth == 0 && cgt_json_number_whole(j->state)) cgt_json_done(j);
    if (j->event == CGT_JSON_NONE && j->state == CGT_JSON_CLOSED) {
        j->state = CGT_JSON_ENDED;
        j->event = CGT_JSON_END;
    }
    return j->state >= CGT_JSON_CLOSED ? CHATGPTT_OK : cgt_json_bad(j, "the document is cut");
}

/* ==== [HTML] ==== */

/* A tokenizer of HTML (WHATWG HTML section 13.2.5, as far as start tags need it), which sees neither comments
   nor scripts, nor what lies in a template; and what a page says to people, for error messages. It reads as a
   browser that runs scripts does: what stands in <noscript> is no markup, unless `scriptless` is set. */

/* What the tokenizer tells: TAG a start tag's name; ATTRIBUTE an attribute's name; VALUE a decoded piece of
   its value; ATTRIBUTE_END; TAG_END the tag's `>`; CLOSE an end tag; TEXT a decoded piece of text; TITLE of a
   title, an empty one at its end. */
typedef enum cgt_html_event {
    CGT_HTML_NONE, CGT_HTML_TAG, CGT_HTML_ATTRIBUTE, CGT_HTML_VALUE, CGT_HTML_ATTRIBUTE_END, CGT_HTML_TAG_END,
    CGT_HTML_CLOSE, CGT_HTML_TEXT, CGT_HTML_TITLE
} cgt_html_event;

typedef enum cgt_html_state {
    CGT_HTML_IN_TEXT, CGT_HTML_OPEN, CGT_HTML_END_OPEN, CGT_HTML_TAG_NAME, CGT_HTML_BEFORE_NAME,
    CGT_HTML_NAME, CGT_HTML_AFTER_NAME, CGT_HTML_BEFORE_VALUE, CGT_HTML_DOUBLE, CGT_HTML_SINGLE,
    CGT_HTML_BARE, CGT_HTML_DECLARATION, CGT_HTML_DASH, CGT_HTML_COMMENT, CGT_HTML_BOGUS, CGT_HTML_CDATA,
    CGT_HTML_RAW, CGT_HTML_RAW_OPEN, CGT_HTML_RAW_BANG, CGT_HTML_RAW_WORD, CGT_HTML_RAW_END, CGT_HTML_ENTITY
} cgt_html_state;

typedef struct cgt_html {
    cgt_html_event event;
    cgt_slice piece;                /* of VALUE, TEXT, TITLE: in the caller's bytes or in `hold` */
    /* set by the caller: 1 << event for what is not to be told; 1 << letter for what an attribute must begin
       with (a is 0; none: any); after ATTRIBUTE `telling` may be cleared, and no more is told of it */
    uint32_t mute, letters;
    bool scriptless, telling;
    bool begun, scripts;            /* there was text (the blanks before it are not told); a script */
    bool closing, slash;            /* the tag is an end tag; the last byte in it was a slash */
    cgt_html_state state, back;     /* back: to where an entity returns */
    unsigned char raw;              /* the element whose content is no markup: 1 + its place in the list */
    unsigned char escape, dashes;   /* of a script: in <!--, in a <script> in that; dashes in a row */
    unsigned inert;                 /* templates that are open */
    uint64_t foreign;               /* see cgt_html_opened() */
    size_t tag_len, name_len, at;
    uint32_t code;                  /* of a numeric reference */
    /* lower case; a longer one is "", which is nobody's name */
    char tag[CHATGPTT_MAX_NAME], name[CHATGPTT_MAX_NAME];
    char hold[16];
    size_t hold_len;
} cgt_html;

/* Elements whose content is not the page's markup. Beyond the first ten, it is markup of another kind. */
static const char *const cgt_html_special[] = { "title", "script", "plaintext", "noscript", "style",
    "textarea", "xmp", "iframe", "noembed", "noframes", "template", "svg", "math" };
enum { CGT_HTML_TITLE_TAG, CGT_HTML_SCRIPT_TAG, CGT_HTML_PLAINTEXT_TAG, CGT_HTML_NOSCRIPT_TAG,
    CGT_HTML_TEMPLATE_TAG = 10, CGT_HTML_SPECIALS = 13 };

/* ---- runs of bytes ---- */

#define CGT_STOP(c)      ((uint64_t)1 << (c))
#define CGT_STOP_BLANKS  (CGT_STOP(' ') | CGT_STOP('\t') | CGT_STOP('\n') | CGT_STOP('\r') | CGT_STOP('\f'))
#define CGT_STOP_TAG     (CGT_STOP_BLANKS | CGT_STOP('/') | CGT_STOP('>'))

/* How many bytes come before the first of `stops`, which all lie below 64: one test a byte. */
static size_t cgt_html_until(const char *in, size_t len, uint64_t stops) {
    size_t n = 0;
    while (n < len && ((unsigned char)in[n] > 63 || !(stops >> (unsigned char)in[n] & 1))) n++;
    return n;
}

/* cgt_blank() by one comparison, where most bytes are none. */
static bool cgt_html_blank(char c) { return (unsigned char)c <= ' ' && CGT_STOP_BLANKS >> c & 1; }

static size_t cgt_html_seek(const char *in, size_t len, char c) {
    const char *at = (const char *)memchr(in, c, len);
    return at ? (size_t)(at - in) : len;
}

/* Adds to a name; one that does not fit is nobody's. */
static void cgt_html_add(char *name, size_t *len, const char *in, size_t n) {
    size_t i, at = *len;
    for (i = 0; i < n && at < CHATGPTT_MAX_NAME; i++) name[at++] = cgt_lower(in[i]);
    name[at < CHATGPTT_MAX_NAME ? at : 0] = '\0';
    *len = at;
}

static bool cgt_html_tells(const cgt_html *h, cgt_html_event event) {
    return !(h->mute >> event & 1) && h->inert == 0;
}

static void cgt_html_tell(cgt_html *h, cgt_html_event event) {
    if (cgt_html_tells(h, event)) h->event = event;
}

/* Which event the bytes of a state are; NONE: nobody wants them. */
static cgt_html_event cgt_html_kind(const cgt_html *h, cgt_html_state state) {
    cgt_html_event event = state == CGT_HTML_IN_TEXT            ? CGT_HTML_TEXT
                           : state < CGT_HTML_RAW               ? CGT_HTML_VALUE
                           : h->raw == 1 + CGT_HTML_TITLE_TAG   ? CGT_HTML_TITLE
                                                                : CGT_HTML_NONE;
    if (event == CGT_HTML_VALUE) return h->telling ? event : CGT_HTML_NONE;
    return (event == CGT_HTML_TEXT && h->foreign) || !cgt_html_tells(h, event) ? CGT_HTML_NONE : event;
}

static void cgt_html_piece(cgt_html *h, cgt_html_event event, const char *at, size_t len) {
    if (event == CGT_HTML_NONE || len == 0) return;
    h->event = event;
    h->piece = cgt_slice_of(at, len);
}

/* ---- character references: numeric ones, and those of HTML that pages of WordPress hold ---- */

/* bare: the standard takes it without its semicolon too */
static const struct { char name[7]; unsigned short code; bool bare; } cgt_entities[] = {
    { "amp", '&', true },        { "lt", '<', true },         { "gt", '>', true },
    { "quot", '"', true },       { "apos", '\'', false },     { "nbsp", 0xA0, true },
    { "hellip", 0x2026, false }, { "ndash", 0x2013, false },  { "mdash", 0x2014, false },
    { "lsquo", 0x2018, false },  { "rsquo", 0x2019, false },  { "ldquo", 0x201C, false },
    { "rdquo", 0x201D, false },  { "laquo", 0xAB, true },     { "raquo", 0xBB, true },
    { "copy", 0xA9, true },      { "reg", 0xAE, true },       { "trade", 0x2122, false },
    { "times", 0xD7, true },     { "bull", 0x2022, false },   { "middot", 0xB7, true },
    { "euro", 0x20AC, false },   { "AMP", '&', true },        { "LT", '<', true },
    { "GT", '>', true },         { "QUOT", '"', true },       { "sbquo", 0x201A, false },
    { "bdquo", 0x201E, false },  { "lsaquo", 0x2039, false }, { "rsaquo", 0x203A, false } };

/* What &#128; to &#159; mean (section 13.2.5.80): windows-1252. */
static const unsigned short cgt_entity_1252[] = { 0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020,
    0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D,
    0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178 };

/* The character in place of the first n bytes of `hold`. */
static void cgt_entity_put(cgt_html *h, uint32_t code, size_t n) {
    char out[4];
    size_t len = cgt_utf8_put(out, code ? code : 0xFFFD);
    memmove(h->hold + len, h->hold + n, h->hold_len - n);
    memcpy(h->hold, out, len);
    h->hold_len += len - n;
}

/* The name in `hold`, or in text what it begins with. Whether the semicolon behind it belongs to it. */
static bool cgt_entity_name(cgt_html *h, char next) {
    size_t i, len, rest = 0, count = sizeof cgt_entities / sizeof *cgt_entities;
    bool value = h->back != CGT_HTML_IN_TEXT && h->back != CGT_HTML_RAW;
    for (i = 0; i < count; i++) {
        len = strlen(cgt_entities[i].name);
        if (h->hold_len < 1 + len || memcmp(h->hold + 1, cgt_entities[i].name, len) != 0) continue;
        rest = h->hold_len - 1 - len;
        if (rest == 0 && next == ';') break;
        if (cgt_entities[i].bare && !(value && (rest || next == '='))) break;
    }
    if (i == count) return false;
    cgt_entity_put(h, cgt_entities[i].code, h->hold_len - rest);
    return rest == 0;
}

/* The number behind `hold`. */
static bool cgt_entity_number(cgt_html *h) {
    if (!h->at) return false;
    if (h->code >= 128 && h->code < 160) h->code = cgt_entity_1252[h->code - 128];
    cgt_entity_put(h, h->code, h->hold_len);
    return true;
}

/* Whether `c` goes on with the reference: its name stands in `hold`, of a number only what leads it. */
static bool cgt_entity_takes(cgt_html *h, char c) {
    bool number = h->hold_len > 1 && h->hold[1] == '#', hex = number && h->hold_len > 2;
    if (number && (hex ? cgt_hex(c) >= 0 : cgt_digit(c))) {
        h->code = h->code > 0x10FFFF ? h->code : h->code * (hex ? 16 : 10) + (uint32_t)cgt_hex(c);
        h->at = 1;
        return true;
    }
    if (h->hold_len == 1 ? c != '#' && !cgt_alnum(c)
        : number         ? hex || h->at || cgt_lower(c) != 'x'
                         : !cgt_alnum(c) || h->hold_len + 1 == sizeof h->hold)
        return false;
    h->hold[h->hold_len++] = c;
    return true;
}

static void cgt_html_entity_begin(cgt_html *h) {
    h->back = h->state;
    h->state = CGT_HTML_ENTITY;
    h->hold[0] = '&';
    h->hold_len = 1;
    h->at = 0;
    h->code = 0;
}

/* The number of bytes used: none of a byte that ends the reference without being a part of it. */
static size_t cgt_html_entity(cgt_html *h, char c) {
    bool known;
    if (cgt_entity_takes(h, c)) return 1;
    known = h->hold_len > 1 && h->hold[1] == '#' ? cgt_entity_number(h) : cgt_entity_name(h, c);
    h->state = h->back;
    cgt_html_piece(h, cgt_html_kind(h, h->back), h->hold, h->hold_len);
    return known && c == ';';
}

/* ---- foreign content (section 13.2.6.5): drawings and formulas, in which nothing is raw ---- */

/* `foreign` is a stack of bits beneath a leading one: 1 an <svg> or <math> that is open, 0 a place in one
   that holds HTML again; 0 in all: neither. */
static void cgt_html_push(cgt_html *h, unsigned bit) {
    if (h->foreign >> 62 == 0) h->foreign = (h->foreign ? h->foreign : 1) << 1 | bit;
}

static void cgt_html_leave(cgt_html *h) {
    while (h->foreign & 1) h->foreign >>= 1;
}

/* Whether the tag is one of `words`, each behind a blank and before one. */
static bool cgt_html_is(const cgt_html *h, const char *words) {
    const char *at = words;
    if (!h->tag[0]) return false;
    while ((at = strstr(at, h->tag)) != NULL && (at[-1] != ' ' || at[strlen(h->tag)] != ' ')) at++;
    return at != NULL;
}

/* Tags that end a drawing which nobody closed. */
static bool cgt_html_breaks_out(const cgt_html *h) {
    return cgt_html_is(h, " b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 "
                          "head hr i img li listing menu meta nobr ol p pre ruby s small span strong "
                          "strike sub sup table tt u ul var ");
}

static bool cgt_html_is_drawing(const cgt_html *h) { return cgt_html_is(h, " svg math "); }
static bool cgt_html_holds_html(const cgt_html *h) {
    return cgt_html_is(h, " title desc foreignobject mi mo mn ms mtext ");
}

/* What a start tag changes for what follows it. */
static void cgt_html_opened(cgt_html *h) {
    int i = h->tag_len < 3 ? CGT_HTML_SPECIALS : 0;
    if (h->foreign & 1 && cgt_html_breaks_out(h)) cgt_html_leave(h);
    if (h->foreign & 1) {
        if (!h->slash && cgt_html_is_drawing(h)) cgt_html_push(h, 1);
        else if (!h->slash && cgt_html_holds_html(h)) cgt_html_push(h, 0);
        return;
    }
    for (; i < CGT_HTML_SPECIALS; i++)
        if (memcmp(cgt_html_special[i], h->tag, 2) == 0 && strcmp(cgt_html_special[i], h->tag) == 0) break;
    if (i == CGT_HTML_SPECIALS || (i == CGT_HTML_NOSCRIPT_TAG && h->scriptless)) return;
    if (i == CGT_HTML_TEMPLATE_TAG) h->inert++;
    else if (i > CGT_HTML_TEMPLATE_TAG) { if (!h->slash) cgt_html_push(h, 1); }
    else {
        h->scripts = h->scripts || i == CGT_HTML_SCRIPT_TAG;
        h->raw = (unsigned char)(i + 1);
        h->escape = 0;
        h->state = CGT_HTML_RAW;
    }
}

static void cgt_html_closed(cgt_html *h) {
    if (h->foreign & 1 && cgt_html_is_drawing(h)) h->foreign = h->foreign == 3 ? 0 : h->foreign >> 1;
    else if (h->foreign && !(h->foreign & 1) && cgt_html_holds_html(h)) h->foreign >>= 1;
    else if (h->inert && strcmp(h->tag, "template") == 0) { cgt_html_leave(h); h->inert--; }
}

/* ---- tags ---- */

static size_t cgt_html_end_of_tag(cgt_html *h) {
    h->state = CGT_HTML_IN_TEXT;
    if (!h->closing) { cgt_html_tell(h, CGT_HTML_TAG_END); cgt_html_opened(h); return 1; }
    cgt_html_tell(h, CGT_HTML_CLOSE);
    if (h->foreign || h->inert) cgt_html_closed(h);
    return 1;
}

/* How long an attribute is that nobody wants, with its value; 0: it is not all there. */
static size_t cgt_html_skip(const char *in, size_t len) {
    size_t n = 1 + cgt_html_until(in + 1, len - 1, CGT_STOP_TAG | CGT_STOP('=')), from;
    while (n < len && cgt_html_blank(in[n])) n++;
    if (n == len || in[n] != '=') return n < len ? n : 0;
    do n++; while (n < len && cgt_html_blank(in[n]));
    from = n + 1;
    if (n == len || in[n] == '>') return n < len ? n : 0;
    if (in[n] == '"' || in[n] == '\'') n = from + cgt_html_seek(in + from, len - from, in[n]) + 1;
    else n += cgt_html_until(in + n, len - n, CGT_STOP_BLANKS | CGT_STOP('>'));
    return n < len ? n : 0;
}

static bool cgt_html_wants(const cgt_html *h, char c) {
    c = cgt_lower(c);
    return !h->closing && cgt_html_tells(h, CGT_HTML_ATTRIBUTE) &&
           (h->letters == 0 || (c >= 'a' && c <= 'z' && h->letters >> (c - 'a') & 1));
}

/* Between attributes. */
static size_t cgt_html_before_name(cgt_html *h, const char *in, size_t len) {
    size_t n = 0, skip;
    for (;; n += skip, h->slash = false) {
        for (; n < len && (cgt_html_blank(in[n]) || in[n] == '/'); n++) h->slash = in[n] == '/';
        if (n == len) return n;
        if (in[n] == '>') return n + cgt_html_end_of_tag(h);
        h->telling = cgt_html_wants(h, in[n]);
        skip = h->telling ? 0 : cgt_html_skip(in + n, len - n);
        if (skip == 0) break;
    }
    h->slash = false;
    h->name_len = 0;
    if (h->telling) cgt_html_add(h->name, &h->name_len, in + n, 1);
    h->state = CGT_HTML_NAME;
    return n + 1;
}

static size_t cgt_html_name(cgt_html *h, const char *in, size_t len) {
    size_t n = cgt_html_until(in, len, CGT_STOP_TAG | CGT_STOP('='));
    if (h->telling) cgt_html_add(h->name, &h->name_len, in, n);
    if (n == len) return n;
    h->state = CGT_HTML_AFTER_NAME;
    if (h->telling) h->event = CGT_HTML_ATTRIBUTE;
    return n;
}

static size_t cgt_html_attribute_end(cgt_html *h, size_t n) {
    if (h->telling) h->event = CGT_HTML_ATTRIBUTE_END;
    h->telling = false;
    h->state = CGT_HTML_BEFORE_NAME;
    return n;
}

/* Between a name and its value. */
static size_t cgt_html_before_value(cgt_html *h, const char *in, size_t len) {
    size_t n = 0;
    while (n < len && cgt_html_blank(in[n])) n++;
    if (n == len) return n;
    if (h->state == CGT_HTML_AFTER_NAME) {
        if (in[n] != '=') return cgt_html_attribute_end(h, n);
        h->state = CGT_HTML_BEFORE_VALUE;
        return n + 1;
    }
    if (in[n] == '>') return cgt_html_attribute_end(h, n);
    h->state = in[n] == '"' ? CGT_HTML_DOUBLE : in[n] == '\'' ? CGT_HTML_SINGLE : CGT_HTML_BARE;
    return n + (h->state != CGT_HTML_BARE);
}

static size_t cgt_html_value(cgt_html *h, const char *in, size_t len) {
    char quote = h->state == CGT_HTML_DOUBLE ? '"' : '\'';
    bool bare = h->state == CGT_HTML_BARE;
    uint64_t stops = bare ? CGT_STOP_BLANKS | CGT_STOP('>') : CGT_STOP((unsigned char)quote);
    size_t n = h->telling || bare ? cgt_html_until(in, len, h->telling ? stops | CGT_STOP('&') : stops)
                                  : cgt_html_seek(in, len, quote);
    cgt_html_piece(h, h->telling ? CGT_HTML_VALUE : CGT_HTML_NONE, in, n);
    if (n == len || h->event) return n;
    if (h->telling && in[n] == '&') { cgt_html_entity_begin(h); return n + 1; }
    return cgt_html_attribute_end(h, n + !bare);
}

/* The attributes are read in the same call, since they are mostly all there: 85 KB in 53 us instead of 89. */
static size_t cgt_html_tag_name(cgt_html *h, const char *in, size_t len) {
    size_t n = cgt_html_until(in, len, CGT_STOP_TAG);
    if (!h->closing || h->foreign || h->inert || cgt_html_tells(h, CGT_HTML_CLOSE))
        cgt_html_add(h->tag, &h->tag_len, in, n);
    if (n == len) return n;
    h->state = CGT_HTML_BEFORE_NAME;
    if (!h->closing) cgt_html_tell(h, CGT_HTML_TAG);
    return h->event ? n : n + cgt_html_before_name(h, in + n, len - n);
}

/* Comments end at `-->` or `--!>`; `<!-->` and `<!--->` are whole ones. `at`: 1 and 2 dashes, 3 the mark
   behind two, 4 the begin, 5 a dash there. */
static size_t cgt_html_comment(cgt_html *h, const char *in, size_t len) {
    static const unsigned char after_dash[] = { 1, 2, 2, 1, 5, 2 };
    size_t n = 0;
    while (n < len) {
        if (h->at == 0 && (n += cgt_html_seek(in + n, len - n, '-')) == len) break;
        if (in[n] == '>' && h->at >= 2) { h->state = CGT_HTML_IN_TEXT; return n + 1; }
        h->at = in[n] == '-' ? after_dash[h->at] : in[n] == '!' && h->at == 2 ? 3 : 0;
        n++;
    }
    return n;
}

/* Behind `<` or `</`. */
static size_t cgt_html_open(cgt_html *h, const char *in, size_t len) {
    bool closing = h->state == CGT_HTML_END_OPEN;
    h->at = h->tag_len = 0;
    if (cgt_letter(*in)) {
        h->state = CGT_HTML_TAG_NAME;
        h->closing = closing;
        h->slash = false;
        return cgt_html_tag_name(h, in, len);
    }
    if (!closing && len > 2 && memcmp(in, "!--", 3) == 0) {
        h->state = CGT_HTML_COMMENT;
        h->at = 4;
        return 3 + cgt_html_comment(h, in + 3, len - 3);
    }
    if (!closing && *in == '/') { h->state = CGT_HTML_END_OPEN; return 1; }
    h->state = closing || *in == '?' ? CGT_HTML_BOGUS : *in == '!' ? CGT_HTML_DECLARATION : CGT_HTML_IN_TEXT;
    if (h->state == CGT_HTML_IN_TEXT) cgt_html_piece(h, cgt_html_kind(h, CGT_HTML_IN_TEXT), "<", 1);
    return h->state == CGT_HTML_DECLARATION;
}

/* ---- what is no element ---- */

/* Behind `<!`: a comment, in foreign content <![CDATA[, else anything up to `>`. */
static size_t cgt_html_declaration(cgt_html *h, char c) {
    static const char cdata[] = "[CDATA[";
    if (h->state == CGT_HTML_DECLARATION && h->at == 0 && c == '-') { h->state = CGT_HTML_DASH; return 1; }
    if (h->state == CGT_HTML_DASH && c == '-') { h->state = CGT_HTML_COMMENT; h->at = 4; return 1; }
    if (h->state == CGT_HTML_DASH || !(h->foreign & 1) || c != cdata[h->at]) {
        h->state = CGT_HTML_BOGUS;
        return 0;
    }
    if (++h->at == sizeof cdata - 1) { h->state = CGT_HTML_CDATA; h->at = 0; }
    return 1;
}

static size_t cgt_html_cdata(cgt_html *h, const char *in, size_t len) {
    size_t n = h->at ? 0 : cgt_html_seek(in, len, ']');
    if (n == len) return n;
    if (in[n] == ']') h->at = h->at < 2 ? h->at + 1 : 2;
    else if (in[n] == '>' && h->at == 2) h->state = CGT_HTML_IN_TEXT;
    else h->at = 0;
    return n + 1;
}

/* ---- raw content: only its own end tag is markup ---- */

/* The script data escaped states: `-->` leads out of `<!--`. How many bytes come before a `<`. */
static size_t cgt_html_escaped(cgt_html *h, const char *in, size_t len) {
    size_t n = 0;
    for (; n < len && in[n] != '<' && h->escape; n++) {
        if (in[n] == '>' && h->dashes == 2) h->escape = 0;
        h->dashes = (unsigned char)(in[n] != '-' ? 0 : h->dashes < 2 ? h->dashes + 1 : 2);
    }
    return n;
}

/* The element's own name behind `</` ends it, save in a <script> within <!-- of a script, which it ends
   instead; behind `<` it begins one. */
static size_t cgt_html_raw_word(cgt_html *h, const char *in, size_t len) {
    const char *name = cgt_html_special[h->raw - 1];
    size_t n = 0;
    bool over;
    while (n < len && name[h->at] && cgt_lower(in[n]) == name[h->at]) { n++; h->at++; }
    if (n == len) return n;
    over = name[h->at] == '\0' && (cgt_html_blank(in[n]) || in[n] == '/' || in[n] == '>');
    if (over && h->state == CGT_HTML_RAW_END && h->escape < 2) {
        if (cgt_html_kind(h, CGT_HTML_RAW) == CGT_HTML_TITLE) { h->event = CGT_HTML_TITLE; h->piece.len = 0; }
        h->closing = true;
        h->slash = false;
        h->tag_len = 0;
        cgt_html_add(h->tag, &h->tag_len, name, h->at);
        h->raw = 0;
        h->state = CGT_HTML_BEFORE_NAME;
        return h->event ? n : n + cgt_html_before_name(h, in + n, len - n);
    }
    if (over) h->escape = h->state == CGT_HTML_RAW_END ? 1 : 2;
    else if (h->raw == 1 + CGT_HTML_TITLE_TAG)
        cgt_html_piece(h, cgt_html_kind(h, CGT_HTML_RAW), "</title", 2 + h->at);
    h->state = CGT_HTML_RAW;
    return n + over;
}

/* Behind `<` in raw content. */
static size_t cgt_html_raw_open(cgt_html *h, const char *in, size_t len) {
    bool script = h->raw == 1 + CGT_HTML_SCRIPT_TAG;
    h->at = h->dashes = 0;
    h->state = CGT_HTML_RAW_END;
    if (*in == '/') return 1 + cgt_html_raw_word(h, in + 1, len - 1);
    h->state = !script || h->escape == 2       ? CGT_HTML_RAW
               : h->escape                     ? CGT_HTML_RAW_WORD
               : *in == '!'                    ? CGT_HTML_RAW_BANG
                                               : CGT_HTML_RAW;
    if (h->state == CGT_HTML_RAW) cgt_html_piece(h, cgt_html_kind(h, CGT_HTML_RAW), "<", 1);
    return h->state == CGT_HTML_RAW_BANG;
}

static size_t cgt_html_raw_bang(cgt_html *h, char c) {
    if (c != '-') { h->state = CGT_HTML_RAW; return 0; }
    if (++h->at == 2) { h->state = CGT_HTML_RAW; h->escape = 1; h->dashes = 2; }
    return 1;
}

static size_t cgt_html_raw(cgt_html *h, const char *in, size_t len) {
    cgt_html_event kind = cgt_html_kind(h, h->state);
    size_t n = h->raw == 1 + CGT_HTML_PLAINTEXT_TAG ? len
               : h->escape                          ? cgt_html_escaped(h, in, len)
               : kind == CGT_HTML_TITLE             ? cgt_html_until(in, len, CGT_STOP('<') | CGT_STOP('&'))
                                                    : cgt_html_seek(in, len, '<');
    cgt_html_piece(h, kind, in, n);
    if (n == len || h->event || (in[n] != '<' && kind != CGT_HTML_TITLE)) return n;
    if (in[n] == '&') { cgt_html_entity_begin(h); return n + 1; }
    h->state = CGT_HTML_RAW_OPEN;
    return ++n < len ? n + cgt_html_raw_open(h, in + n, len - n) : n;
}

static size_t cgt_html_text(cgt_html *h, const char *in, size_t len) {
    cgt_html_event kind = cgt_html_kind(h, CGT_HTML_IN_TEXT);
    size_t n = kind ? cgt_html_until(in, len, CGT_STOP('<') | CGT_STOP('&')) : cgt_html_seek(in, len, '<');
    size_t blanks = 0;
    while (!h->begun && blanks < n && cgt_html_blank(in[blanks])) blanks++;
    h->begun = h->begun || (kind && blanks < n);
    cgt_html_piece(h, kind, in + blanks, n - blanks);
    if (n == len || h->event) return n;
    while (!kind && n + 1 < len && in[n + 1] == '<') n++;
    if (in[n] == '&') cgt_html_entity_begin(h);
    else h->state = ++n < len && in[n] == '/' ? CGT_HTML_END_OPEN : CGT_HTML_OPEN;
    if (h->state == CGT_HTML_END_OPEN || h->state == CGT_HTML_ENTITY) n++;
    return n < len && h->state != CGT_HTML_ENTITY ? n + cgt_html_open(h, in + n, len - n) : n;
}

static size_t cgt_html_bogus(cgt_html *h, const char *in, size_t len) {
    size_t n = cgt_html_seek(in, len, '>');
    if (n < len) h->state = CGT_HTML_IN_TEXT;
    return n + (n < len);
}

/* As many bytes as one state takes; none: another state is to read them. */
static size_t cgt_html_step(cgt_html *h, const char *in, size_t len) {
    switch (h->state) {
    case CGT_HTML_IN_TEXT: return cgt_html_text(h, in, len);
    case CGT_HTML_OPEN: case CGT_HTML_END_OPEN: return cgt_html_open(h, in, len);
    case CGT_HTML_TAG_NAME: return cgt_html_tag_name(h, in, len);
    case CGT_HTML_BEFORE_NAME: return cgt_html_before_name(h, in, len);
    case CGT_HTML_NAME: return cgt_html_name(h, in, len);
    case CGT_HTML_AFTER_NAME: case CGT_HTML_BEFORE_VALUE: return cgt_html_before_value(h, in, len);
    case CGT_HTML_DOUBLE: case CGT_HTML_SINGLE: case CGT_HTML_BARE: return cgt_html_value(h, in, len);
    case CGT_HTML_DECLARATION: case CGT_HTML_DASH: return cgt_html_declaration(h, *in);
    case CGT_HTML_COMMENT: return cgt_html_comment(h, in, len);
    case CGT_HTML_CDATA: return cgt_html_cdata(h, in, len);
    case CGT_HTML_RAW: return cgt_html_raw(h, in, len);
    case CGT_HTML_RAW_OPEN: return cgt_html_raw_open(h, in, len);
    case CGT_HTML_RAW_BANG: return cgt_html_raw_bang(h, *in);
    case CGT_HTML_RAW_WORD: case CGT_HTML_RAW_END: return cgt_html_raw_word(h, in, len);
    case CGT_HTML_ENTITY: return cgt_html_entity(h, *in);
    default: return cgt_html_bogus(h, in, len);
    }
}

/* Any bytes are a page: there are no errors, and no end to be told. NONE: all was used. */
static void cgt_html_feed(cgt_html *h, const char *in, size_t len, size_t *used) {
    size_t n = 0;
    h->event = CGT_HTML_NONE;
    while (n < len && h->event == CGT_HTML_NONE) n += cgt_html_step(h, in + n, len - n);
    *used = n;
}

/* ---- what a page says to people: its title and its first sentence, for error messages ---- */

/* Collects them from what a tokenizer tells. */
typedef struct cgt_words {
    char title[CHATGPTT_MAX_TOKEN], text[2 * CHATGPTT_MAX_TOKEN];
    bool titled, over;              /* the title, the sentence is complete */
} cgt_words;

/* Appends to a line whose characters may come in pieces, so that its UTF-8 is checked by whoever quotes it.
   false: it is full. */
static bool cgt_said_add(char *line, size_t size, cgt_slice s) {
    size_t len = strlen(line), i;
    for (i = 0; i < s.len && len + 1 < size; i++) {
        bool blank = cgt_control(s.at[i]) || s.at[i] == ' ';
        if (!blank || (len && line[len - 1] != ' ')) line[len++] = blank ? ' ' : s.at[i];
    }
    line[len] = '\0';
    return i == s.len;
}

/* The line is complete: a last blank goes, and a last character for which there was no room. */
static void cgt_said_end(char *line, size_t size) {
    size_t len = strlen(line), last = len, n;
    while (last > 0 && (line[--last] & 0xC0) == 0x80) {}
    if (len + 1 == size && cgt_utf8_at(line + last, len - last, &n) == CGT_UTF8_CUT) line[len = last] = '\0';
    if (len && line[len - 1] == ' ') line[len - 1] = '\0';
}

/* The first title that is not empty, and the first text, up to the next tag that is no mere emphasis. */
static void cgt_words_take(cgt_words *w, const cgt_html *h) {
    if (h->event == CGT_HTML_TITLE && !w->titled) {
        w->titled = h->piece.len ? !cgt_said_add(w->title, sizeof w->title, h->piece) : w->title[0] != '\0';
        if (w->titled) cgt_said_end(w->title, sizeof w->title);
    }
    if (w->over) return;
    if (h->event == CGT_HTML_TEXT) w->over = !cgt_said_add(w->text, sizeof w->text, h->piece);
    if (h->event == CGT_HTML_TAG || h->event == CGT_HTML_CLOSE)
        w->over = w->text[0] && !cgt_html_is(h, " a b i em strong span code small u ");
    if (w->over) cgt_said_end(w->text, sizeof w->text);
}

/* Reads a page for its words and for the marks of challenge pages and firewalls. Starts zeroed. */
typedef struct cgt_said {
    cgt_html html;
    cgt_words words;
    bool challenge;                 /* a mark of a challenge page or firewall was seen */
    char tail[32];                  /* for marks cut between two pieces */
    size_t tail_len;
} cgt_said;

static unsigned cgt_said_marks(cgt_slice s) {
    static const char *const marks[] = { "just a moment", "challenge-platform", "_cf_chl_opt",
        "cf-error-details", "attention required!", "checking your browser", "sucuri website firewall",
        "captcha", "incapsula", "wordfence", "ddos-guard", "mod_security" };
    size_t i;
    for (i = 0; i < sizeof marks / sizeof *marks; i++)
        if (cgt_contains(s, marks[i])) return 1;
    return 0;
}

/* Keeps the last `size` bytes of all that came. */
static void cgt_tail_add(char *tail, size_t *len, size_t size, cgt_slice s) {
    size_t rest;
    if (s.len > size) s = cgt_from(s, s.len - size);
    rest = *len < size - s.len ? *len : size - s.len;
    memmove(tail, tail + *len - rest, rest);
    memcpy(tail + rest, s.at, s.len);
    *len = rest + s.len;
}

/* What `marks` says of s, and of where it joins what came before. */
static unsigned cgt_said_looks(cgt_said *p, cgt_slice s, unsigned (*marks)(cgt_slice)) {
    char joint[2 * sizeof p->tail];
    size_t head = s.len < sizeof p->tail ? s.len : sizeof p->tail, len = p->tail_len;
    memcpy(joint, p->tail, len);
    memcpy(joint + len, s.at, head);
    cgt_tail_add(p->tail, &p->tail_len, sizeof p->tail, s);
    return marks(cgt_slice_of(joint, len + head)) | marks(s);
}

static void cgt_said_feed(cgt_said *p, cgt_slice s) {
    size_t used;
    if (cgt_said_looks(p, s, cgt_said_marks)) p->challenge = true;
    p->html.scriptless = true;
    p->html.mute = 1u << CGT_HTML_ATTRIBUTE;
    for (; s.len && !(p->words.titled && p->words.over); s = cgt_from(s, used)) {
        cgt_html_feed(&p->html, s.at, s.len, &used);
        cgt_words_take(&p->words, &p->html);
    }
}

/* The sentence, else the title, else "". */
static const char *cgt_said_words(const cgt_said *p) {
    return p->words.text[0] ? p->words.text : p->words.title;
}

/* ==== [PAGE] ==== */

/* Where a page keeps its chat. Generation WPAICG: one element a chat with some 55 attributes, and the
   endpoint in a script:

       <div class="wpaicg-chat-shortcode" data-nonce="0123abcdef" data-post-id="5" data-bot-id="0" …>
       <script>… wpaicgParams = {"ajax_url":"https:\/\/www.example.org\/wp-admin\/admin-ajax.php", …} …

   Generation AIPKIT: one element a chat with all of it as JSON in one attribute:

       <div class="aipkit_chat_container"
            data-config='{&quot;botId&quot;:7,&quot;nonce&quot;:&quot;…&quot;,&quot;ajaxUrl&quot;:…}'>

   PAGE takes nonce and post id from one element, as the tokenizer sees it, and beside it runs the matcher
   over the raw bytes. What is read no more once it is known: the page itself behind its chat, too. */

typedef struct cgt_chat {           /* one chat, as the page tells of it */
    chatgptt_dialect dialect;
    char nonce[CHATGPTT_MAX_TOKEN], post_id[CHATGPTT_MAX_TOKEN], bot_id[CHATGPTT_MAX_TOKEN];
    char endpoint[CHATGPTT_MAX_CAPTURE];
    char bot_name[CHATGPTT_MAX_TOKEN], greeting[CHATGPTT_MAX_WORDS], provider[CHATGPTT_MAX_TOKEN],
        consent[CHATGPTT_MAX_WORDS];
    bool widget, assistant;         /* WPAICG: the site-wide kind; answered by a thread */
    /* AIPKIT: ids of the provider's own memory are wanted; consent is asked for */
    bool keeps_openai, keeps_google, asks_consent;
    int memory_limit;
} cgt_chat;

/* What else a page may hold, one bit each. */
enum { CGT_MARK_CHALLENGE = 1, CGT_MARK_LOGIN = 2, CGT_MARK_PASSWORD = 4, CGT_MARK_SCRIPT = 8,
    CGT_MARK_PARKED = 16, CGT_MARK_MAINTENANCE = 32, CGT_MARK_CONSENT = 64, CGT_MARK_LATER = 128,
    CGT_MARK_PLUGIN = 256 };

enum { CGT_FIND_NONCE, CGT_FIND_POST_ID, CGT_FIND_ENDPOINT, CGT_FINDS };

typedef struct cgt_find_state {     /* one pattern over the raw page */
    cgt_pattern pattern;
    cgt_match match;
    bool own;                       /* the caller's pattern */
    char *text;                     /* what it captured; "": nothing, or what is too long or holds a NUL */
    size_t size;
} cgt_find_state;

/* The attributes that are looked at. */
static const char *const cgt_page_names[] = { "data-nonce", "data-post-id", "data-bot-id", "data-ai-name",
    "data-type", "data-assistant-enabled", "data-memory-limit", "name", "data-config" };
enum { CGT_AT_NONCE, CGT_AT_POST_ID, CGT_AT_BOT_ID, CGT_AT_BOT_NAME, CGT_AT_TYPE, CGT_AT_ASSISTANT,
    CGT_AT_MEMORY, CGT_AT_NAME, CGT_AT_CONFIG, CGT_ATS };

typedef struct cgt_page {
    const char *bot_id;             /* the chat that is wanted; NULL: the first */
    chatgptt_dialect dialect;       /* the generation that is wanted; AUTO: any */
    cgt_said said;                  /* its tokenizer is the page's too: an error's page is read by it alone */
    cgt_find_state finds[CGT_FINDS];
    char found[CGT_FIND_ENDPOINT][CHATGPTT_MAX_TOKEN], endpoint[CHATGPTT_MAX_CAPTURE];
    char tail[CHATGPTT_MAX_CAPTURE];
    size_t tail_len;
    uint32_t offset;
    cgt_chat now, best;             /* the configuration under way; the chosen chat */
    bool chosen, wanted, usable;    /* wanted: it is the bot asked for; usable: the patterns are */
    /* of the element under way: which attribute, 1 << each that it has, their values */
    int attribute;
    unsigned seen;
    bool fits, config_ok;
    char value[CGT_AT_CONFIG][CHATGPTT_MAX_TOKEN];
    cgt_json json;
    /* what else stands there: CGT_MARK_s */
    unsigned marks;
} cgt_page;

/* Tokens, then what is for people, then switches: cgt_config_field() puts them where they belong. */
static const char *const cgt_config_fields[] = { "/botId", "/nonce", "/postId", "/ajaxUrl",
    "/headerName", "/text/initialGreeting", "/provider", "/text/consentMessage",
    "/enableOpenAIConversationState", "/enableGoogleConversationState", "/requireConsentCompliance" };
enum { CGT_CONFIG_LINES = 4, CGT_CONFIG_SWITCHES = 8, CGT_CONFIGS = 11 };

/* Appends a token's piece; one that is too long for its array is no token. */
static void cgt_token_add(char *out, size_t size, cgt_slice s, bool *ok) {
    size_t len = strlen(out);
    if (cgt_sum(len, s.len) >= size || memchr(s.at, '\0', s.len)) { *ok = false; return; }
    memcpy(out + len, s.at, s.len);
    out[len + s.len] = '\0';
}

static void cgt_config_field(cgt_page *p) {
    cgt_chat *c = &p->now;
    const struct { char *text; size_t size;
    } to[] = { { c->bot_id, sizeof c->bot_id },     { c->nonce, sizeof c->nonce },
               { c->post_id, sizeof c->post_id },   { c->endpoint, sizeof c->endpoint },
               { c->bot_name, sizeof c->bot_name }, { c->greeting, sizeof c->greeting },
               { c->provider, sizeof c->provider }, { c->consent, sizeof c->consent } };
    bool *const switches[] = { &c->keeps_openai, &c->keeps_google, &c->asks_consent };
    int field = p->json.field;
    bool text = p->json.event == CGT_JSON_TEXT;
    if (text && field < CGT_CONFIG_LINES)
        cgt_token_add(to[field].text, to[field].size, p->json.piece, &p->config_ok);
    else if (text && field < CGT_CONFIG_SWITCHES) cgt_line_add(to[field].text, to[field].size, p->json.piece);
    else if (!text && field >= CGT_CONFIG_SWITCHES)
        *switches[field - CGT_CONFIG_SWITCHES] = p->json.type == CGT_JSON_TRUE;
}

/* A piece of the data-config attribute: JSON, read as it comes. */
static void cgt_config_feed(cgt_page *p, cgt_slice s) {
    char bytes[64];
    size_t used = 0, n;
    /* through a copy: the page's bytes are not ours alone */
    for (; s.len && p->config_ok; s = cgt_from(s, n)) {
        n = s.len < sizeof bytes ? s.len : sizeof bytes;
        memcpy(bytes, s.at, n);
        used = 0;
        do {
            size_t took = 0;
            if (cgt_json_feed(&p->json, bytes + used, n - used, &took) < 0) p->config_ok = false;
            used += took;
            if (p->json.event == CGT_JSON_TEXT || p->json.event == CGT_JSON_VALUE) cgt_config_field(p);
        } while (p->config_ok && p->json.event != CGT_JSON_NONE && p->json.event != CGT_JSON_END);
    }
}

static void cgt_config_begin(cgt_page *p) {
    memset(&p->now, 0, sizeof p->now);
    cgt_json_init(&p->json, cgt_config_fields, CGT_CONFIGS);
    p->config_ok = p->dialect != CHATGPTT_WPAICG;
}

/* Of duplicates the first counts, as in HTML, even if it is empty or too long. */
static void cgt_page_attribute(cgt_page *p) {
    cgt_html *h = &p->said.html;
    int i = 0, k;
    while (i < CGT_ATS && strcmp(h->name, cgt_page_names[i]) != 0) i++;
    h->telling = i < CGT_ATS && !(p->seen >> i & 1);
    if (!h->telling) return;
    if (p->seen == 0) for (k = 0; k < CGT_AT_CONFIG; k++) p->value[k][0] = '\0';
    h->mute &= ~(1u << CGT_HTML_TAG_END);
    p->attribute = i;
    p->seen |= 1u << i;
    p->fits = true;
    if (i == CGT_AT_CONFIG) cgt_config_begin(p);
}

static void cgt_page_value(cgt_page *p) {
    cgt_slice s = p->said.html.piece;
    if (p->attribute == CGT_AT_CONFIG) cgt_config_feed(p, s);
    else if (p->fits) cgt_token_add(p->value[p->attribute], sizeof *p->value, s, &p->fits);
}

static void cgt_page_attribute_end(cgt_page *p) {
    if (p->attribute == CGT_AT_CONFIG) p->config_ok = p->config_ok && cgt_json_eof(&p->json) == CHATGPTT_OK;
    else if (!p->fits) p->value[p->attribute][0] = '\0';
}

/* The chat of the attributes, in p->now. */
static void cgt_page_element(cgt_page *p) {
    cgt_chat *c = &p->now;
    const char *post_id = p->value[CGT_AT_POST_ID];
    long long limit = cgt_number(cgt_text(p->value[CGT_AT_MEMORY]), 100000);
    memset(c, 0, sizeof *c);
    c->dialect = CHATGPTT_WPAICG;
    memcpy(c->nonce, p->value[CGT_AT_NONCE], sizeof c->nonce);
    memcpy(c->bot_id, p->value[CGT_AT_BOT_ID], sizeof c->bot_id);
    memcpy(c->bot_name, p->value[CGT_AT_BOT_NAME], sizeof c->bot_name);
    /* 1.9.16 writes "<5" */
    memcpy(c->post_id, post_id + (*post_id == '<'), sizeof c->post_id - 1);
    c->widget = strcmp(p->value[CGT_AT_TYPE], "widget") == 0;
    c->assistant = strcmp(p->value[CGT_AT_ASSISTANT], "true") == 0;
    c->memory_limit = limit < 0 ? 0 : (int)limit;
}

/* A start tag is complete: is it a chat, and the one we want? Someone else's data-config is passed over. */
static void cgt_page_tag_end(cgt_page *p) {
    cgt_chat *c = &p->now;
    const char *name = p->value[CGT_AT_NAME];
    bool wanted;
    if (strcmp(name, "loginform") == 0 || strcmp(name, "pwd") == 0) p->marks |= CGT_MARK_LOGIN;
    if (strcmp(name, "post_password") == 0) p->marks |= CGT_MARK_PASSWORD;
    if (p->seen >> CGT_AT_CONFIG & 1 && p->config_ok && c->nonce[0] && c->bot_id[0]) {
        c->dialect = CHATGPTT_AIPKIT;
        if (!c->asks_consent) c->consent[0] = '\0';
        /* the switch alone says nothing */
        c->keeps_openai = c->keeps_openai && strcmp(c->provider, "OpenAI") == 0;
        c->keeps_google = c->keeps_google && strcmp(c->provider, "Google") == 0;
    } else {
        if (!p->value[CGT_AT_NONCE][0] || p->dialect == CHATGPTT_AIPKIT) return;
        cgt_page_element(p);
        if (!c->post_id[0]) return;
    }
    wanted = !p->bot_id || strcmp(p->bot_id, c->bot_id[0] ? c->bot_id : "0") == 0;
    if (p->chosen && !wanted) return;
    p->best = *c;
    p->chosen = true;
    p->wanted = wanted;
}

static void cgt_page_html(cgt_page *p) {
    cgt_html *h = &p->said.html;
    switch (h->event) {
    case CGT_HTML_ATTRIBUTE: cgt_page_attribute(p); break;
    case CGT_HTML_VALUE: cgt_page_value(p); break;
    case CGT_HTML_ATTRIBUTE_END: cgt_page_attribute_end(p); break;
    case CGT_HTML_TAG_END:
        cgt_page_tag_end(p);
        p->seen = 0;
        h->mute |= 1u << CGT_HTML_TAG_END;
        break;
    default:
        cgt_words_take(&p->said.words, h);
        if (p->said.words.over) h->mute |= 1u << CGT_HTML_TEXT;
        if (p->said.words.titled) h->mute |= 1u << CGT_HTML_TITLE;
    }
}

/* Copies what a pattern captured: from this piece of the page or from the tail of what came before. */
static void cgt_page_capture(cgt_page *p, cgt_find_state *f, const char *in) {
    uint32_t len = f->match.to - f->match.from, i;
    uint32_t back = p->offset - f->match.from;      /* how far before this piece it began, if it did */
    bool before = back - 1 < INT32_MAX;
    f->text[0] = '\0';
    if (len >= f->size || (before && back > p->tail_len)) return;
    for (i = 0; i < len; i++)
        f->text[i] = before && i < back ? p->tail[p->tail_len - back + i] : in[(uint32_t)(i - back)];
    f->text[len] = '\0';
    if (strlen(f->text) != len) f->text[0] = '\0';
}

static void cgt_page_find(cgt_page *p, cgt_find_state *f, const char *in, size_t len) {
    uint32_t from = f->match.from, to = f->match.to;
    bool found = f->match.found;
    if (p->chosen && !f->own && f->text != p->endpoint) return;
    cgt_match_feed(&f->match, in, len);
    if (f->match.found && (!found || f->match.from != from || f->match.to != to)) cgt_page_capture(p, f, in);
}

/* Marks in the raw page. `at`: its byte that is rare in pages, by which it is found. */
static const struct { const char *text; unsigned short at, mark; } cgt_page_marks[] = {
    { "_cf_chl_opt", 0, CGT_MARK_CHALLENGE },       { "_incapsula_resource", 0, CGT_MARK_CHALLENGE },
    { "sucuri_cloudproxy", 6, CGT_MARK_CHALLENGE }, { "__test=", 1, CGT_MARK_CHALLENGE },
    { "aipkit_chat_", 6, CGT_MARK_LATER },          { "aipkit_getchat", 6, CGT_MARK_PLUGIN },
    { "gpt3-ai-content-generator", 3, CGT_MARK_PLUGIN } };

static unsigned cgt_page_look(cgt_slice s, char rare) {
    size_t k, n = 0;
    unsigned found = 0;
    for (; (n += cgt_html_seek(s.at + n, s.len - n, rare)) + 1 < s.len; n++) {
        char next = cgt_lower(s.at[n + 1]);     /* passes over nearly all, in 2 ns */
        if (next != '-' && next != 'c' && next != 'g' && next != 'i' && next != 't') continue;
        for (k = 0; k < sizeof cgt_page_marks / sizeof *cgt_page_marks; k++)
            if (cgt_page_marks[k].at <= n &&
                cgt_starts(cgt_from(s, n - cgt_page_marks[k].at), cgt_page_marks[k].text))
                found |= cgt_page_marks[k].mark;
    }
    return found;
}

static unsigned cgt_page_looks(cgt_slice s) { return cgt_page_look(s, '_') | cgt_page_look(s, '3'); }

static void cgt_page_feed(cgt_page *p, const char *in, size_t len) {
    cgt_slice s = cgt_slice_of(in, len);
    size_t i, used;
    for (i = 0; i < CGT_FINDS; i++) cgt_page_find(p, &p->finds[i], in, len);
    if (!p->chosen) p->marks |= cgt_said_looks(&p->said, s, cgt_page_looks);
    for (; s.len && !(p->chosen && p->wanted); s = cgt_from(s, used)) {
        cgt_html_feed(&p->said.html, s.at, s.len, &used);
        if (p->said.html.event) cgt_page_html(p);
    }
    cgt_tail_add(p->tail, &p->tail_len, sizeof p->tail, cgt_slice_of(in, len));
    p->offset += (uint32_t)len;
}

/* `nonce`, `post_id`: the caller's patterns; NULL: the model's. false: one of them is none that can be used,
   and no chat will be found. */
static bool cgt_page_init(cgt_page *p, const char *bot_id, chatgptt_dialect dialect, const char *nonce,
                          const char *post_id) {
    const char *patterns[CGT_FINDS], *why;
    size_t i, at;
    memset(p, 0, sizeof *p);
    p->bot_id = bot_id;
    p->dialect = dialect;
    p->said.html.mute = 1u << CGT_HTML_TAG | 1u << CGT_HTML_CLOSE | 1u << CGT_HTML_TAG_END;
    p->said.html.letters = 1u << ('d' - 'a') | 1u << ('n' - 'a');
    patterns[CGT_FIND_NONCE] = nonce ? nonce : "data-nonce=[\"']([^\"']+)[\"']";
    patterns[CGT_FIND_POST_ID] = post_id ? post_id : "data-post-id=[\"']([^\"']+)[\"']";
    /* the object's other keys may come first, and minifiers take quotes and blanks away */
    patterns[CGT_FIND_ENDPOINT] = "wpaicgParams[ \t\r\n]*=[^}]*[\"',{ \t\r\n]ajax_url[\"']?[ \t\r\n]*:"
                                  "[ \t\r\n]*[\"']([^\"']+)[\"']";
    p->finds[CGT_FIND_NONCE].own = nonce != NULL;
    p->finds[CGT_FIND_POST_ID].own = post_id != NULL;
    p->usable = true;
    for (i = 0; i < CGT_FINDS; i++) {
        cgt_find_state *f = &p->finds[i];
        f->text = i == CGT_FIND_ENDPOINT ? p->endpoint : p->found[i];
        f->size = i == CGT_FIND_ENDPOINT ? sizeof p->endpoint : sizeof *p->found;
        f->match.pattern = &f->pattern;
        if (!cgt_pattern_compile(&f->pattern, cgt_text(patterns[i]), &at, &why)) p->usable = false;
        f->match.ended = !p->usable;
    }
    return p->usable;
}

/* The four digits of a \u escape, -1: there are none. */
static long cgt_escape_code(const char *text) {
    long code = 0;
    int i;
    for (i = 0; i < 4; i++) {
        if (cgt_hex(text[i]) < 0) return -1;
        code = code << 4 | cgt_hex(text[i]);
    }
    return code;
}

/* Undoes the escapes of a JSON string in place (RFC 8259 section 7): none is shorter than its character. */
static void cgt_unescape(char *text) {
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    char *out = text;
    while (*text) {
        long code = -1, low = -1;
        const char *name;
        if (*text != '\\' || !text[1]) { *out++ = *text++; continue; }
        if (text[1] == 'u') code = cgt_escape_code(text + 2);
        if (code < 0) {
            name = strchr(names, text[1]);
            *out++ = name ? bytes[name - names] : text[1];
            text += 2;
            continue;
        }
        text += 6;
        if (code >> 10 == 0xD800 >> 10 && text[0] == '\\' && text[1] == 'u') low = cgt_escape_code(text + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            text += 6;
        }
        out += cgt_utf8_put(out, (uint32_t)code);
    }
    *out = '\0';
}

/* Takes a pattern's token over, if it counts. false: the caller's own pattern found none. */
static bool cgt_page_pattern(cgt_page *p, int which, char token[CHATGPTT_MAX_TOKEN]) {
    cgt_find_state *f = &p->finds[which];
    if (!f->own && (p->chosen || !f->match.found)) return true;
    memcpy(token, f->text, CHATGPTT_MAX_TOKEN);
    return token[0] != '\0';
}

/* The page is complete: whether there is a chat on it, in p->best. */
static bool cgt_page_end(cgt_page *p) {
    cgt_chat *c = &p->best;
    if (!p->usable || !cgt_page_pattern(p, CGT_FIND_NONCE, c->nonce) ||
        !cgt_page_pattern(p, CGT_FIND_POST_ID, c->post_id))
        return false;
    if (!p->chosen && c->nonce[0] && c->post_id[0] && p->dialect != CHATGPTT_AIPKIT) {
        p->chosen = true;
        c->dialect = CHATGPTT_WPAICG;
    }
    if (p->chosen && c->dialect == CHATGPTT_WPAICG && p->endpoint[0]) {
        cgt_unescape(p->endpoint);
        memcpy(c->endpoint, p->endpoint, sizeof c->endpoint);
    }
    return p->chosen;
}

static const char *cgt_page_title(const cgt_page *p) { return p->said.words.title; }

/* The page was found at this address: WordPress sends whoever must log in to its login page. */
static void cgt_page_at(cgt_page *p, cgt_slice path) {
    if (cgt_contains(path, "wp-login.php")) p->marks |= CGT_MARK_LOGIN;
}

/* What titles and first words say of pages that are none. */
static const struct { const char *phrase; unsigned short mark; } cgt_page_phrases[] = {
    { "just a moment", CGT_MARK_CHALLENGE },         { "checking your browser", CGT_MARK_CHALLENGE },
    { "one moment, please", CGT_MARK_CHALLENGE },    { "attention required!", CGT_MARK_CHALLENGE },
    { "ddos-guard", CGT_MARK_CHALLENGE },            { "robot challenge", CGT_MARK_CHALLENGE },
    { "you are human", CGT_MARK_CHALLENGE },         { "you are not a robot", CGT_MARK_CHALLENGE },
    { "captcha", CGT_MARK_CHALLENGE },               { "cookie consent", CGT_MARK_CONSENT },
    { "before you continue", CGT_MARK_CONSENT },     { "your consent", CGT_MARK_CONSENT },
    { "we value your privacy", CGT_MARK_CONSENT },   { "accept cookies", CGT_MARK_CONSENT },
    { "accept all", CGT_MARK_CONSENT },              { "use cookies", CGT_MARK_CONSENT },
    { "maintenance", CGT_MARK_MAINTENANCE },         { "be back soon", CGT_MARK_MAINTENANCE },
    { "coming soon", CGT_MARK_MAINTENANCE },         { "under construction", CGT_MARK_MAINTENANCE },
    { "domain is for sale", CGT_MARK_PARKED },       { "domain may be for sale", CGT_MARK_PARKED },
    { "buy this domain", CGT_MARK_PARKED },          { "domain is parked", CGT_MARK_PARKED },
    { "parked domain", CGT_MARK_PARKED },            { "parked free", CGT_MARK_PARKED },
    { "domain for sale", CGT_MARK_PARKED },          { "domain has expired", CGT_MARK_PARKED },
    { "log in to continue", CGT_MARK_LOGIN },        { "please log in", CGT_MARK_LOGIN },
    { "sign in to continue", CGT_MARK_LOGIN },       { "please sign in", CGT_MARK_LOGIN } };

/* What is wrong with a page on which no chat was found, and its code; NULL: nothing is known. */
static const char *cgt_page_verdict(const cgt_page *p, chatgptt_code *code) {
    static const struct { unsigned mark; const char *words; } verdicts[] = {
        { CGT_MARK_CHALLENGE, "it is a challenge page, which is not for programs; it is not evaded" },
        { CGT_MARK_LOGIN, "it is a login page: the chat is for those who have logged in" },
        { CGT_MARK_PASSWORD, "the page asks for a password" },
        { CGT_MARK_SCRIPT, "the page holds a script only, which would have to run in a browser" },
        { CGT_MARK_PARKED, "the domain is parked or for sale: there is no site" },
        { CGT_MARK_MAINTENANCE, "the site is under maintenance" },
        { CGT_MARK_CONSENT, "it is a consent page: the site wants a choice about cookies first" },
        { CGT_MARK_LATER, "a script builds the chat later, in a browser; set endpoint and bot_id" },
        { CGT_MARK_PLUGIN, "the plugin is there, but no chat on this page" } };
    unsigned marks = p->marks;
    size_t i;
    for (i = 0; i < sizeof cgt_page_phrases / sizeof *cgt_page_phrases; i++)
        if (cgt_contains(cgt_text(p->said.words.title), cgt_page_phrases[i].phrase) ||
            cgt_contains(cgt_text(p->said.words.text), cgt_page_phrases[i].phrase))
            marks |= cgt_page_phrases[i].mark;
    if (p->said.html.scripts && !p->said.html.begun) marks |= CGT_MARK_SCRIPT;
    if (p->finds[CGT_FIND_ENDPOINT].match.found) marks |= CGT_MARK_PLUGIN;
    for (i = 0; i < sizeof verdicts / sizeof *verdicts && !(marks & verdicts[i].mark); i++) {}
    *code = i == 0 ? CHATGPTT_E_BLOCKED : CHATGPTT_E_PAGE;
    return i == sizeof verdicts / sizeof *verdicts ? NULL : verdicts[i].words;
}

/* ==== [SSE] ==== */

/* An event stream (WHATWG HTML section 9.2.6), decoded as it comes: nothing is held but names. What it tells:
       DATA     `piece` is a part of the event's data; lines are joined by a piece of one LF
       DISPATCH the event is complete: cgt_sse_name(), and `named` if its name was written out
       JUNK     `piece` is a part of a line that begins like JSON or HTML, which no field does
   With `raw` set by the caller, everything is JUNK. */

typedef enum cgt_sse_event { CGT_SSE_NONE, CGT_SSE_DATA, CGT_SSE_DISPATCH, CGT_SSE_JUNK } cgt_sse_event;
typedef enum cgt_sse_state {
    CGT_SSE_LINE,
    CGT_SSE_FIELD,
    CGT_SSE_AFTER_COLON,
    CGT_SSE_VALUE,
    CGT_SSE_JUNK_LINE
} cgt_sse_state;
typedef enum cgt_sse_field { CGT_SSE_OTHER, CGT_SSE_F_DATA, CGT_SSE_F_EVENT, CGT_SSE_F_ID } cgt_sse_field;

typedef struct cgt_sse {
    cgt_sse_event event;
    cgt_slice piece;
    bool named, data;               /* the event has a name of its own; it has data */
    /* cr: an LF that comes belongs to it; over: told, forget it at the next feed */
    bool raw, cr, over, begun;
    char lead;                      /* the first byte of a JUNK line */
    cgt_sse_state state;
    cgt_sse_field field;
    char word[8];                   /* the field's name so far */
    size_t word_len, name_len, next_len, bom;
    /* next: an id whose line is not over */
    char name[CHATGPTT_MAX_NAME], id[CHATGPTT_MAX_NAME], next[CHATGPTT_MAX_NAME];
} cgt_sse;

static const char *cgt_sse_name(const cgt_sse *s) { return s->name[0] ? s->name : "message"; }

static void cgt_sse_forget(cgt_sse *s) {
    s->over = s->named = s->data = false;
    s->name[0] = '\0';
    s->name_len = 0;
}

static void cgt_sse_field_begin(cgt_sse *s) {
    cgt_slice word = cgt_slice_of(s->word, s->word_len);
    s->field = cgt_is(word, "data")    ? CGT_SSE_F_DATA
               : cgt_is(word, "event") ? CGT_SSE_F_EVENT
               : cgt_is(word, "id")    ? CGT_SSE_F_ID
                                       : CGT_SSE_OTHER;
    if (s->field == CGT_SSE_F_EVENT) s->name_len = 0;
    s->next_len = 0;
    if (s->field != CGT_SSE_F_DATA) return;
    if (s->data) { s->event = CGT_SSE_DATA; s->piece = cgt_slice_of("\n", 1); }
    s->data = true;
}

static void cgt_sse_line_end(cgt_sse *s) {
    bool empty = s->state == CGT_SSE_LINE;
    if (s->state == CGT_SSE_FIELD) cgt_sse_field_begin(s);      /* a field without a colon has no value */
    if (!empty && s->field == CGT_SSE_F_EVENT) { s->name[s->name_len] = '\0'; s->named = s->name_len > 0; }
    if (!empty && s->field == CGT_SSE_F_ID && !memchr(s->next, '\0', s->next_len))
        cgt_fixed_set(s->id, sizeof s->id, cgt_slice_of(s->next, s->next_len));
    if (empty && s->data) { s->event = CGT_SSE_DISPATCH; s->over = true; }
    else if (empty) cgt_sse_forget(s);
    s->state = CGT_SSE_LINE;
    s->field = CGT_SSE_OTHER;
    s->word_len = 0;
}

/* The value of a field up to the end of the line or of the input. */
static chatgptt_code cgt_sse_value(cgt_sse *s, const char *in, size_t n) {
    char *out = s->field == CGT_SSE_F_EVENT ? s->name : s->next;
    size_t *len = s->field == CGT_SSE_F_EVENT ? &s->name_len : &s->next_len;
    if (s->state == CGT_SSE_JUNK_LINE || s->field == CGT_SSE_F_DATA) {
        s->event = s->state == CGT_SSE_JUNK_LINE ? CGT_SSE_JUNK : CGT_SSE_DATA;
        s->piece = cgt_slice_of(in, n);
    } else if (s->field != CGT_SSE_OTHER) {
        if (cgt_sum(*len, n) >= CHATGPTT_MAX_NAME) return CHATGPTT_E_LIMIT;
        memcpy(out + *len, in, n);
        *len += n;
    }
    return CHATGPTT_OK;
}

/* The first byte of a line. */
static void cgt_sse_line(cgt_sse *s, char c) {
    static const char bom[] = "\xEF\xBB\xBF";
    if (!s->begun && s->bom < 3 && c == bom[s->bom]) { s->bom++; return; }
    /* half a byte order mark is part of some unknown field */
    s->word_len = !s->begun && s->bom % 3 ? sizeof s->word : 0;
    s->begun = true;
    if (c == '{' || c == '<' || c == '[') { s->state = CGT_SSE_JUNK_LINE; s->lead = c; return; }
    s->state = CGT_SSE_FIELD;
}

static void cgt_sse_field_byte(cgt_sse *s, char c) {
    if (c == ':') { cgt_sse_field_begin(s); s->state = CGT_SSE_AFTER_COLON; return; }
    if (s->word_len < sizeof s->word) s->word[s->word_len++] = c;
}

/* One step; the number of bytes used, which may be none. */
static size_t cgt_sse_step(cgt_sse *s, const char *in, size_t len, chatgptt_code *code) {
    size_t n = 0;
    char c = in[0];
    if (s->raw) { s->event = CGT_SSE_JUNK; s->piece = cgt_slice_of(in, len); return len; }
    if (s->cr && c == '\n') { s->cr = false; return 1; }
    s->cr = false;
    if (c == '\r' || c == '\n') { s->begun = true; s->cr = c == '\r'; cgt_sse_line_end(s); return 1; }
    switch (s->state) {
    case CGT_SSE_LINE: cgt_sse_line(s, c); return s->state == CGT_SSE_LINE ? 1 : 0;
    case CGT_SSE_FIELD: cgt_sse_field_byte(s, c); return 1;
    case CGT_SSE_AFTER_COLON: s->state = CGT_SSE_VALUE; return c == ' ' ? 1 : 0;
    default:
        while (n < len && in[n] != '\n' && in[n] != '\r') n++;
        *code = cgt_sse_value(s, in, n);
        return n;
    }
}

/* OK with s->event (NONE: all was used); E_LIMIT: a name or id longer than CHATGPTT_MAX_NAME. */
static chatgptt_code cgt_sse_feed(cgt_sse *s, const char *in, size_t len, size_t *used) {
    chatgptt_code code = CHATGPTT_OK;
    *used = 0;
    s->event = CGT_SSE_NONE;
    if (s->over) cgt_sse_forget(s);
    while (*used < len && s->event == CGT_SSE_NONE && code == CHATGPTT_OK)
        *used += cgt_sse_step(s, in + *used, len - *used, &code);
    return code;
}

/* ==== [REPLY] ==== */

/* A reply's body, either an event stream or JSON, becomes text, notices and the end. One vocabulary serves
   both generations of the plugin, since their keys are disjoint:

       WPAICG, JSON     {"status":"success","msg":"Something went wrong","data":"the answer", …}
                        msg says that even then
       WPAICG, events   data: {"id":…,"choices":[{"delta":{"content":" word"},"finish_reason":null}]}
                        … data: [DONE]
       assistants       event: thread.message.delta
                        data: {"delta":{"content":[{"text":{"value":" word"}}]}}  … event: done
       AIPKIT           event: message_start, then data: {"delta":" word"}  … event: done
       flags, errors    {"msg":"…","tokenLimitReached":true}, {"error":{"message":"…"}}, event: error, and
                        an error dressed as an answer: each word an explicit `event: message` whose object
                        has no id

   The first error stops the reply; text told before it is provisional. */

typedef enum cgt_reply_event {
    CGT_REPLY_NONE,
    CGT_REPLY_TEXT,
    CGT_REPLY_NOTICE,
    CGT_REPLY_END
} cgt_reply_event;

static const char *const cgt_reply_fields[] = {
    "/choices/0/delta/content", "/choices/0/text", "/delta", "/delta/content/0/text/value", "/data",
    "/msg", "/error", "/error/message", "/0/error/message", "/data/message", "/quota_notice/message",
    "/id", "/data/code", "/data/cache_key", "/data/nonce", "/status", "/thread_id",
    "/choices/0/finish_reason", "/greeting_message", "/quota_notice", "/success",
    "/tokenLimitReached", "/messageFlagged", "/ipBanned", "/modflag", "/pineconeError" };
enum {
    /* answer text */
    CGT_F_CONTENT, CGT_F_COMPLETION, CGT_F_DELTA, CGT_F_THREAD_DELTA, CGT_F_DATA,
    /* the site's words */
    CGT_F_MSG, CGT_F_ERROR, CGT_F_ERROR_MESSAGE, CGT_F_ERROR_IN_LIST, CGT_F_DATA_MESSAGE, CGT_F_QUOTA_MESSAGE,
    /* tokens */
    CGT_F_ID, CGT_F_CODE, CGT_F_KEY, CGT_F_NONCE, CGT_F_STATUS, CGT_F_THREAD,
    CGT_F_FINISH, CGT_F_GREETING, CGT_F_QUOTA, CGT_F_SUCCESS,
    CGT_F_TOKEN_LIMIT, CGT_F_FLAGGED, CGT_F_BANNED, CGT_F_MODFLAG, CGT_F_PINECONE, CGT_FIELDS
};
enum { CGT_TOKENS = 6 };                /* fields from CGT_F_ID on whose text is kept */

typedef enum cgt_kind { /* what an event's name makes of its data */
                        CGT_KIND_PLAIN,
                        CGT_KIND_MESSAGE,
                        CGT_KIND_THREAD_DELTA,
                        CGT_KIND_THREAD,
                        CGT_KIND_DONE,
                        CGT_KIND_ERROR,
                        CGT_KIND_WARNING,
                        CGT_KIND_START,
                        CGT_KIND_OPENAI_ID,
                        CGT_KIND_GOOGLE_ID,
                        CGT_KIND_OTHER
} cgt_kind;

typedef enum cgt_body {
    CGT_BODY_UNKNOWN,
    CGT_BODY_BRACE,
    CGT_BODY_JSON,
    CGT_BODY_BARE,
    CGT_BODY_SKIP
} cgt_body;

typedef struct cgt_reply {
    bool events;                    /* set by the caller: an event stream, by its Content-Type; else JSON */
    /* set by the caller, never with `events`: the status is an error's, nothing in the body is an answer */
    bool mute;
    cgt_reply_event event;
    cgt_slice piece;                /* of TEXT and NOTICE */
    char words[CHATGPTT_MAX_WORDS]; /* the site's own, for an error's message */
    /* of the JSON object under way; indexed by field - CGT_F_ID */
    char token[CGT_TOKENS][CHATGPTT_MAX_TOKEN];
    unsigned no_token;              /* bits: those too long or holding a NUL, which are "" */
    char thread_id[CHATGPTT_MAX_TOKEN], openai_id[CHATGPTT_MAX_TOKEN], google_id[CHATGPTT_MAX_TOKEN];
    bool texted, finished, started; /* text was told; finish_reason was seen; message_start was */
    /* HTML between the events; an error dressed as an answer; there was an event */
    bool junk, dressed, dispatched;
    cgt_json json;
    cgt_sse sse;
    cgt_said said;                  /* what the noise around JSON or events says */
    cgt_buffer held, decoded;       /* of an explicit `message` event, which is held whole */
    cgt_body body;                  /* of the JSON, or of the event's data */
    char *pending;                  /* what the SSE decoder told and is not used up, in the bytes fed */
    size_t pending_len;
    /* it is a line that is no event; a joining LF; the scanner has more to tell */
    bool pending_junk, pending_lf, more;
    cgt_kind kind;
    size_t noise;
    char bare[CHATGPTT_MAX_TOKEN];  /* data that is no object: [DONE], a thread's id */
    int words_of;                   /* the field the words are from */
    bool has_id, has_status, failed, greeting, quota, has_data, object;   /* of the object under way */
    bool success, refused;          /* AIPKIT's envelope: what `success` says */
    chatgptt_code flag;             /* the object's flag, as the code it leads to; OK: none */
} cgt_reply;

static void cgt_reply_init(cgt_reply *r, const chatgptt_hooks *hooks, size_t max_event) {
    memset(r, 0, sizeof *r);
    cgt_buffer_init(&r->held, hooks, max_event);
    cgt_buffer_init(&r->decoded, hooks, cgt_sum(max_event, cgt_sum(max_event, max_event)));
}

static void cgt_reply_free(cgt_reply *r) {
    cgt_buffer_free(&r->held);
    cgt_buffer_free(&r->decoded);
}

/* An object begins: what is known of the one before it no longer counts. */
static void cgt_reply_object(cgt_reply *r) {
    uint32_t spare = r->json.spare;
    cgt_json_init(&r->json, cgt_reply_fields, CGT_FIELDS);
    r->json.lenient = true;
    /* one delta may end within a surrogate pair, and the next go on with it */
    r->json.joined = CGT_F_DATA;
    r->json.spare = spare;
    memset(r->token, 0, sizeof r->token);
    r->no_token = 0;
    r->has_id = r->has_status = r->failed = r->greeting = r->quota = r->has_data = r->object = r->success =
        r->refused = false;
    r->flag = CHATGPTT_OK;
    r->words_of = -1;
    if (!r->dressed) r->words[0] = '\0';
}

/* ---- fields ---- */

static void cgt_reply_words(cgt_reply *r, cgt_slice s) {
    int field = r->json.field;
    if (r->dressed ||
        (field == CGT_F_QUOTA_MESSAGE && r->words_of >= 0 && r->words_of != field && r->words[0]))
        return;
    if (r->words_of != field) r->words[0] = '\0';
    r->words_of = field;
    cgt_line_add(r->words, sizeof r->words, s);
}

static bool cgt_reply_bad_status(const cgt_reply *r) {
    return r->has_status && strcmp(r->token[CGT_F_STATUS - CGT_F_ID], "success") != 0;
}

/* Whether this field's text is the answer's, in this kind of event. */
static bool cgt_reply_answers(const cgt_reply *r) {
    if (r->mute || r->dressed) return false;
    if (r->json.field == CGT_F_DATA) return !r->events && !cgt_reply_bad_status(r);
    if (r->json.field == CGT_F_THREAD_DELTA) return r->kind == CGT_KIND_THREAD_DELTA;
    return r->events &&
           (r->kind == CGT_KIND_PLAIN || r->kind == CGT_KIND_MESSAGE || r->kind == CGT_KIND_WARNING);
}

static void cgt_reply_text(cgt_reply *r, cgt_slice s) {
    bool ok = true;
    int field = r->json.field;
    if (field >= CGT_F_ID && field < CGT_F_ID + CGT_TOKENS) {
        int token = field - CGT_F_ID;
        cgt_token_add(r->token[token], CHATGPTT_MAX_TOKEN, s, &ok);
        if (!ok) r->no_token |= 1u << token;
        /* nor is what comes after its other pieces */
        if (r->no_token >> token & 1) r->token[token][0] = '\0';
    } else if (field >= CGT_F_MSG && field < CGT_F_ID) cgt_reply_words(r, s);
    else if (r->json.type != CGT_JSON_STRING) return;
    else if (field < CGT_F_MSG && r->kind == CGT_KIND_MESSAGE) cgt_append(&r->decoded, s);
    else if (field < CGT_F_MSG && cgt_reply_answers(r)) {
        r->event = CGT_REPLY_TEXT;
        r->piece = s;
        r->texted = true;
    }
}

/* A value is complete, or a container begins. */
static void cgt_reply_value(cgt_reply *r) {
    static const chatgptt_code flags[] = { CHATGPTT_E_RATE_LIMITED, CHATGPTT_E_REFUSED, CHATGPTT_E_REFUSED,
                                           CHATGPTT_E_REFUSED, CHATGPTT_E_UPSTREAM };
    int field = r->json.field;
    cgt_json_type type = r->json.type;
    if (field >= CGT_F_TOKEN_LIMIT) {
        if (r->flag == CHATGPTT_OK && type != CGT_JSON_FALSE && type != CGT_JSON_NULL)
            r->flag = flags[field - CGT_F_TOKEN_LIMIT];
        return;
    }
    switch (field) {
    case CGT_F_DATA: r->has_data = type == CGT_JSON_STRING; break;
    case CGT_F_ID: r->has_id = type == CGT_JSON_STRING || type == CGT_JSON_NUMBER; break;
    case CGT_F_STATUS: r->has_status = true; break;
    case CGT_F_FINISH: if (type == CGT_JSON_STRING) r->finished = true; break;
    case CGT_F_ERROR: r->failed = type == CGT_JSON_STRING || type == CGT_JSON_OBJECT; break;
    case CGT_F_GREETING: r->greeting = true; break;
    case CGT_F_QUOTA: r->quota = type == CGT_JSON_OBJECT; break;
    case CGT_F_SUCCESS: r->success = type == CGT_JSON_TRUE; r->refused = !r->success; break;
    default: break;
    }
}

/* One step of the JSON scanner. Its verdict on the bytes is the caller's to judge. */
static chatgptt_code cgt_reply_scan(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code = cgt_json_feed(&r->json, in, len, used);
    r->more = code == CHATGPTT_OK && (r->json.event == CGT_JSON_TEXT || r->json.event == CGT_JSON_VALUE);
    if (code < 0) return code;
    if (r->json.event == CGT_JSON_TEXT) cgt_reply_text(r, r->json.piece);
    if (r->json.event == CGT_JSON_VALUE) cgt_reply_value(r);
    return CHATGPTT_OK;
}

static void cgt_reply_say(cgt_reply *r, const char *words) {      /* where the site itself says nothing */
    if (!r->words[0]) cgt_line_add(r->words, sizeof r->words, cgt_text(words));
}

/* what the site said is a fragment */
static chatgptt_code cgt_reply_broken(cgt_reply *r, chatgptt_code code, const char *why) {
    r->words[0] = '\0';
    cgt_reply_say(r, why);
    return code;
}

/* The end of the answer was seen. */
static chatgptt_code cgt_reply_end(cgt_reply *r) {
    if (r->texted) { r->event = CGT_REPLY_END; return CHATGPTT_OK; }
    cgt_reply_say(r, "the answer is empty");
    return CHATGPTT_E_UPSTREAM;
}

/* An object is complete: the error it stands for, or OK. */
static chatgptt_code cgt_reply_verdict(cgt_reply *r) {
    if (r->flag) return r->flag;
    if (r->quota) return CHATGPTT_E_RATE_LIMITED;
    if (r->refused) return CHATGPTT_E_REFUSED;
    if (cgt_reply_bad_status(r)) return r->greeting ? CHATGPTT_E_UPSTREAM : CHATGPTT_E_REFUSED;
    return r->failed ? CHATGPTT_E_UPSTREAM : CHATGPTT_OK;
}

/* ---- a JSON body, maybe behind noise ---- */

/* Looks for the first `{` followed by blanks and a quote. What is no JSON may say something to people. */
static chatgptt_code cgt_reply_seek(cgt_reply *r, char *in, size_t len, size_t *used) {
    char brace[] = "{";
    size_t n = 0, took, end = len;
    if (!r->mute && len > CHATGPTT_MAX_NOISE - r->noise) end = CHATGPTT_MAX_NOISE - r->noise;
    while (n < end && !(r->body == CGT_BODY_BRACE && in[n] == '"')) {
        if (in[n] == '{') r->body = CGT_BODY_BRACE;
        else if (!cgt_blank(in[n])) r->body = CGT_BODY_UNKNOWN;
        n++;
    }
    *used = n;
    r->noise += n;
    (void)cgt_said_add(r->bare, sizeof r->bare, cgt_slice_of(in, n));
    cgt_said_feed(&r->said, cgt_slice_of(in, n));
    if (n == end) return end < len ? CHATGPTT_E_REPLY : CHATGPTT_OK;
    r->body = CGT_BODY_JSON;
    cgt_reply_object(r);
    return cgt_reply_scan(r, brace, 1, &took);
}

static chatgptt_code cgt_reply_json_done(cgt_reply *r) {
    chatgptt_code code = cgt_reply_verdict(r);
    r->object = true;
    r->body = CGT_BODY_SKIP;
    cgt_fixed_set(r->thread_id, sizeof r->thread_id, cgt_text(r->token[CGT_F_THREAD - CGT_F_ID]));
    if (r->mute) return CHATGPTT_OK;
    if (code < 0) return code;
    r->words[0] = '\0';             /* msg says "Something went wrong" even in a success */
    return r->has_data ? cgt_reply_end(r)
                       : cgt_reply_broken(r, CHATGPTT_E_REPLY, "the reply has no answer in it");
}

static chatgptt_code cgt_reply_json(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code;
    if (r->body == CGT_BODY_SKIP) { *used = len; return CHATGPTT_OK; }
    if (r->body != CGT_BODY_JSON) return cgt_reply_seek(r, in, len, used);
    code = cgt_reply_scan(r, in, len, used);
    if (code < 0 && r->mute) { r->body = CGT_BODY_SKIP; return CHATGPTT_OK; }
    if (code < 0)
        return cgt_reply_broken(r, r->texted && code == CHATGPTT_E_REPLY ? CHATGPTT_E_INCOMPLETE : code,
                                r->json.why);
    return r->json.event == CGT_JSON_END ? cgt_reply_json_done(r) : CHATGPTT_OK;
}

/* ---- an event stream ---- */

static cgt_kind cgt_reply_kind(const cgt_sse *s) {
    static const struct { const char *name; cgt_kind kind;
    } kinds[] = { { "message", CGT_KIND_MESSAGE },
                  { "thread.message.delta", CGT_KIND_THREAD_DELTA },
                  { "thread_id", CGT_KIND_THREAD },
                  { "done", CGT_KIND_DONE },
                  { "error", CGT_KIND_ERROR },
                  { "assistant_error", CGT_KIND_ERROR },
                  { "warning", CGT_KIND_WARNING },
                  { "message_start", CGT_KIND_START },
                  { "openai_response_id", CGT_KIND_OPENAI_ID },
                  { "google_interaction_id", CGT_KIND_GOOGLE_ID } };
    size_t i;
    for (i = 0; s->named && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(cgt_sse_name(s), kinds[i].name) == 0) return kinds[i].kind;
    return s->named ? CGT_KIND_OTHER : CGT_KIND_PLAIN;
}

/* The words of an error dressed as an answer are complete at a finish_reason or [LIMITED]. */
static chatgptt_code cgt_reply_dressed(cgt_reply *r, bool over) {
    cgt_line_add(r->words, sizeof r->words, cgt_slice_of_buffer(&r->decoded));
    r->decoded.len = 0;             /* the event that ends them has none of its own */
    return over || r->finished ? CHATGPTT_E_UPSTREAM : CHATGPTT_OK;
}

/* An explicit `message` event is all there: an answer's, or an error's word. */
static chatgptt_code cgt_reply_held(cgt_reply *r) {
    size_t at = 0, took = 0;
    chatgptt_code code, verdict;
    r->decoded.len = 0;
    cgt_reply_object(r);
    do {
        code = cgt_reply_scan(r, r->held.data + at, r->held.len - at, &took);
        at += took;
    } while (code == CHATGPTT_OK && r->json.event != CGT_JSON_NONE && r->json.event != CGT_JSON_END);
    if (r->decoded.failed) return r->decoded.failed;
    verdict = cgt_reply_verdict(r);
    if (!r->dispatched && !r->has_id && verdict == CHATGPTT_OK) { r->dressed = true; r->words[0] = '\0'; }
    if (r->dressed) return cgt_reply_dressed(r, false);
    if (code < 0) { cgt_reply_say(r, "an event is not JSON"); return code; }
    if (verdict < 0 || r->decoded.len == 0) return verdict;
    r->event = CGT_REPLY_TEXT;
    r->piece = cgt_slice_of_buffer(&r->decoded);
    r->texted = true;
    return CHATGPTT_OK;
}

/* An object in an event is complete: what it says by itself, whatever the event's end. */
static chatgptt_code cgt_reply_event_object(cgt_reply *r) {
    chatgptt_code verdict = cgt_reply_verdict(r);
    const char *id = r->token[CGT_F_ID - CGT_F_ID];
    r->object = true;
    r->body = CGT_BODY_SKIP;
    switch (r->kind) {
    case CGT_KIND_PLAIN:
        if (r->has_id) r->started = true;
        return r->dressed ? cgt_reply_dressed(r, false) : verdict;
    case CGT_KIND_THREAD_DELTA: return verdict;
    case CGT_KIND_ERROR:
        if (verdict == CHATGPTT_E_RATE_LIMITED) return verdict;
        return r->started || r->texted || strcmp(r->sse.name, "error") != 0 ? CHATGPTT_E_UPSTREAM
                                                                            : CHATGPTT_E_REFUSED;
    case CGT_KIND_WARNING:
        if (!r->words[0]) break;
        r->event = CGT_REPLY_NOTICE;
        r->piece = cgt_text(r->words);
        break;
    case CGT_KIND_OPENAI_ID: memcpy(r->openai_id, id, sizeof r->openai_id); break;
    case CGT_KIND_GOOGLE_ID: memcpy(r->google_id, id, sizeof r->google_id); break;
    default: break;
    }
    return CHATGPTT_OK;
}

/* Data that is no object: an end mark, or a thread's id. */
static chatgptt_code cgt_reply_bare(cgt_reply *r) {
    if (r->kind == CGT_KIND_THREAD) {
        r->thread_id[0] = '\0';
        cgt_line_add(r->thread_id, sizeof r->thread_id, cgt_text(r->bare));
    }
    if (strcmp(r->bare, "[LIMITED]") == 0) return CHATGPTT_E_UPSTREAM;
    return strcmp(r->bare, "[DONE]") == 0 && !r->dressed ? cgt_reply_end(r) : CHATGPTT_OK;
}

static void cgt_reply_start(cgt_reply *r) {
    if (r->started && r->texted) {
        r->event = CGT_REPLY_TEXT;          /* a second message in one stream: a blank line between them */
        r->piece = cgt_slice_of("\n\n", 2);
    }
    r->started = true;
}

static chatgptt_code cgt_reply_dispatch(cgt_reply *r) {
    chatgptt_code code = CHATGPTT_OK;
    cgt_kind kind = cgt_reply_kind(&r->sse);
    if (r->body == CGT_BODY_UNKNOWN) r->kind = kind;    /* all its data was blank */
    if (r->body == CGT_BODY_JSON) {
        cgt_reply_say(r, "an event is not JSON");
        code = r->dressed ? CHATGPTT_OK : CHATGPTT_E_REPLY;
    } else if (r->kind == CGT_KIND_MESSAGE && r->held.len && r->held.data[0] == '{') code = cgt_reply_held(r);
    else if (r->body == CGT_BODY_BARE) code = cgt_reply_bare(r);
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_START) cgt_reply_start(r);
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_ERROR && !r->object)
        code = cgt_reply_broken(r, CHATGPTT_E_UPSTREAM, "");
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_DONE) code = cgt_reply_end(r);
    r->dispatched = true;
    r->body = CGT_BODY_UNKNOWN;
    r->object = false;
    r->held.len = 0;
    return code;
}

/* The first byte of an event's data that is no blank decides what the data is. */
static void cgt_reply_open_data(cgt_reply *r, char c) {
    r->kind = cgt_reply_kind(&r->sse);
    r->bare[0] = '\0';
    r->object = false;
    if (r->kind == CGT_KIND_MESSAGE) {
        r->body = c == '{' ? CGT_BODY_SKIP : CGT_BODY_BARE;
        r->held.len = 0;
        return;
    }
    r->body = r->kind == CGT_KIND_OTHER ? CGT_BODY_SKIP : c == '{' ? CGT_BODY_JSON : CGT_BODY_BARE;
    if (r->body == CGT_BODY_JSON) cgt_reply_object(r);
}

/* A piece of an event's data. *took: how much of it was used. */
static chatgptt_code cgt_reply_data(cgt_reply *r, char *in, size_t len, size_t *took) {
    chatgptt_code code;
    size_t n = 0;
    *took = len;
    r->more = false;
    if (r->body == CGT_BODY_UNKNOWN) {
        while (n < len && cgt_blank(in[n])) n++;
        if (n == len) return CHATGPTT_OK;
        cgt_reply_open_data(r, in[n]);
    }
    if (r->kind == CGT_KIND_MESSAGE && r->body == CGT_BODY_SKIP) {
        cgt_append(&r->held, cgt_slice_of(in + n, len - n));
        if (r->held.failed) cgt_reply_say(r, "an event longer than max_event_bytes");
        return r->held.failed;
    }
    if (r->body == CGT_BODY_BARE) (void)cgt_said_add(r->bare, sizeof r->bare, cgt_slice_of(in, len));
    if (r->body != CGT_BODY_JSON) return CHATGPTT_OK;
    code = cgt_reply_scan(r, in + n, len - n, took);
    *took += n;
    if (code < 0 && r->dressed) { r->body = CGT_BODY_SKIP; *took = len; return CHATGPTT_OK; }
    if (code < 0) return cgt_reply_broken(r, code, "an event is not JSON");
    return r->json.event == CGT_JSON_END ? cgt_reply_event_object(r) : CHATGPTT_OK;
}

/* A line that is no event: raw JSON is the upstream's error and nothing else follows; HTML is remembered for
   its words. */
static chatgptt_code cgt_reply_junk(cgt_reply *r, char *in, size_t len, size_t *took) {
    r->junk = true;
    *took = len;
    if (!r->sse.raw && r->sse.lead != '<') { r->sse.raw = true; cgt_reply_object(r); }
    if (!r->sse.raw) { cgt_said_feed(&r->said, cgt_slice_of(in, len)); return CHATGPTT_OK; }
    r->kind = CGT_KIND_OTHER;
    if (cgt_reply_scan(r, in, len, took) < 0 || r->json.event == CGT_JSON_END) {
        r->event = CGT_REPLY_NONE;
        return CHATGPTT_E_UPSTREAM;
    }
    return CHATGPTT_OK;
}

/* The SSE decoder told a piece; it may hold several events of ours, so it waits in `pending` until it is used
   up. */
static chatgptt_code cgt_reply_pending(cgt_reply *r) {
    char lf[] = "\n", *piece = r->pending_lf ? lf : r->pending;
    size_t took = 0;
    chatgptt_code code = r->pending_junk ? cgt_reply_junk(r, piece, r->pending_len, &took)
                                         : cgt_reply_data(r, piece, r->pending_len, &took);
    r->pending += took;
    r->pending_len -= took;
    return code;
}

static chatgptt_code cgt_reply_events(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code = cgt_sse_feed(&r->sse, in, len, used);
    if (code < 0) { cgt_reply_say(r, "an event's name or id is longer than CHATGPTT_MAX_NAME"); return code; }
    if (r->sse.event == CGT_SSE_DISPATCH) return cgt_reply_dispatch(r);
    if (r->sse.event == CGT_SSE_NONE) return CHATGPTT_OK;
    r->pending_junk = r->sse.event == CGT_SSE_JUNK;
    /* which is none of the bytes fed */
    r->pending_lf = r->sse.event == CGT_SSE_DATA && r->sse.piece.at[0] == '\n';
    r->pending = r->pending_lf ? in : in + (r->sse.piece.at - in);
    r->pending_len = r->sse.piece.len;
    return CHATGPTT_OK;
}

/* Feed until all is used and nothing is told. < 0: the reply is an error, r->words says what the site says of
   it. */
static chatgptt_code cgt_reply_feed(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code;
    *used = 0;
    r->event = CGT_REPLY_NONE;
    do {
        size_t took = 0;
        if (!r->events) code = cgt_reply_json(r, in + *used, len - *used, &took);
        else if (r->pending_len || r->more) code = cgt_reply_pending(r);
        else code = cgt_reply_events(r, in + *used, len - *used, &took);
        *used += took;
    } while (code == CHATGPTT_OK && r->event == CGT_REPLY_NONE && (*used < len || r->pending_len || r->more));
    return code;
}

static chatgptt_code cgt_reply_no_json(cgt_reply *r) {
    if (r->body == CGT_BODY_JSON)
        return r->texted ? CHATGPTT_E_INCOMPLETE : cgt_reply_broken(r, CHATGPTT_E_REPLY, "the reply is cut");
    cgt_reply_say(r, cgt_said_words(&r->said));
    return CHATGPTT_E_REPLY;
}

/* The body is complete. OK with END, or what the reply comes to. */
static chatgptt_code cgt_reply_eof(cgt_reply *r) {
    chatgptt_code code = CHATGPTT_OK;
    r->event = CGT_REPLY_NONE;
    if (!r->events) return r->mute ? CHATGPTT_OK : cgt_reply_no_json(r);
    /* [DONE] without its blank line */
    if (r->sse.data && !r->sse.over && r->body != CGT_BODY_JSON && r->held.len == 0)
        code = cgt_reply_dispatch(r);
    if (code < 0 || r->event == CGT_REPLY_END) return code;
    if (r->finished && r->texted && !r->dressed && r->body != CGT_BODY_JSON) return cgt_reply_end(r);
    if (r->junk && !r->sse.raw) cgt_reply_say(r, cgt_said_words(&r->said));
    if (r->dressed || r->junk) return CHATGPTT_E_UPSTREAM;
    if (r->texted || (r->started && !r->finished)) return CHATGPTT_E_INCOMPLETE;
    cgt_reply_say(r, r->dispatched || r->finished ? "the answer is empty" : "the event stream is empty");
    return CHATGPTT_E_UPSTREAM;
}

/* ==== [DIALECT] ==== */

/* What is sent. Generation WPAICG takes one POST with these fields, of which _wpnonce, action and message are
   the needed ones; generation AIPKIT takes a POST that hands over the message for a key, then a GET that
   fetches the answer by it. */

static const char *const cgt_models[] = { "gpt-4o", "gpt-4", "gpt-4o-mini", NULL };

/* A blank as Python's str.strip() sees it; *len is its length. */
static bool cgt_wide_blank(cgt_slice s, size_t *len) {
    static const char *const wide[] = { "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
                                        "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80" };
    size_t i;
    *len = 1;
    if (cgt_blank(s.at[0]) || s.at[0] == '\v' || (s.at[0] >= 0x1c && s.at[0] <= 0x1f)) return true;
    for (i = 0; i < sizeof wide / sizeof *wide; i++) {
        *len = strlen(wide[i]);
        if (s.len >= *len && memcmp(s.at, wide[i], *len) == 0) return true;
    }
    *len = 3;                       /* U+2000 to U+200A */
    return s.len >= 3 && memcmp(s.at, "\xE2\x80", 2) == 0 && (unsigned char)s.at[2] >= 0x80 &&
           (unsigned char)s.at[2] <= 0x8A;
}

static bool cgt_all_blank(cgt_slice s) {
    size_t n;
    for (; s.len; s = cgt_from(s, n))
        if (!cgt_wide_blank(s, &n)) return false;
    return true;
}

static cgt_slice cgt_message_text(const chatgptt_message *m) {
    return m->len ? cgt_slice_of(m->text, m->len) : cgt_text(m->text);
}

/* Folds a conversation into one prompt, byte for byte as the model does: a single message as it is, else a
   line a message. */
static void cgt_fold(cgt_buffer *b, const chatgptt_message *messages, size_t count) {
    static const char *const roles[] = { "User: ", "Assistant: ", "System: " };
    size_t i;
    if (count == 1) { cgt_append(b, cgt_message_text(&messages[0])); return; }
    for (i = 0; i < count; i++) {
        cgt_slice text = cgt_message_text(&messages[i]);
        if (cgt_all_blank(text)) continue;
        cgt_puts(b, roles[messages[i].role]);
        cgt_append(b, text);
        cgt_putc(b, '\n');
    }
    cgt_puts(b, "Assistant:");
}

/* The field wpaicg_chat_history is a JSON array of strings, "Human: ..." or "AI: ...". Before it decodes them
   the server drops all that looks like a tag or like an octet in the form %41, and every backslash; if what
   is left is no JSON, the whole history is gone without a word. So nothing can be escaped: what would be lost
   or do harm is sent as a substitute that reads the same. */

enum { CGT_HISTORY_TURNS = 100 };               /* what the site's own page sends if it says nothing else */

/* The substitute for the first character of `s`; NULL: it goes as it is. `label`: it follows an "AI:" in the
   assistant's words. */
static const char *cgt_history_substitute(cgt_slice s, bool label) {
    switch (s.at[0]) {
    case '"': return "&quot;"; /* as the site's page sends it; a curly quote would say less about code */
    case '<': return "&lt;";
        /* ... > stands for itself: without its partner it opens nothing */
    case '\\': return "\xEF\xBC\xBC";
        /* U+FF3C, the wide form: still one sign between the same letters */
    case '%': return s.len > 2 && cgt_hex(s.at[1]) >= 0 && cgt_hex(s.at[2]) >= 0 ? "\xEF\xBC\x85" : NULL;
        /* U+FF05, the wide form */
    case '\n': return "\xE2\x80\xA8";
        /* U+2028: a blank would flatten code, an entry for each line use up the limit */
    case '\r': return s.len > 1 && s.at[1] == '\n' ? "" : "\xE2\x80\xA8";
    default: break;
    }
    if ((unsigned char)s.at[0] > ' ') return NULL;
    return label ? "\xC2\xA0" : " ";      /* tabs and controls are blanks; "AI: " would be cut out */
}

/* The words of a turn without the controls and blanks at its ends, which the server cuts off; empty: the turn
   says nothing. */
static cgt_slice cgt_history_text(const chatgptt_message *m) {
    cgt_slice s = cgt_message_text(m);
    if (m->role == CHATGPTT_SYSTEM) return cgt_text("");
    while (s.len && (unsigned char)s.at[0] <= ' ') s = cgt_from(s, 1);
    while (s.len && (unsigned char)s.at[s.len - 1] <= ' ') s.len--;
    return cgt_all_blank(s) ? cgt_text("") : s;
}

static void cgt_put_history_turn(cgt_buffer *b, bool assistant, cgt_slice s) {
    bool zero = assistant && cgt_is(s, "0");        /* counts as nothing with the server */
    cgt_puts(b, assistant ? "\"AI: " : "\"Human: ");
    for (; s.len; s = cgt_from(s, 1)) {
        bool label = assistant && b->len > 2 && memcmp(b->data + b->len - 3, "AI:", 3) == 0;
        const char *substitute = cgt_history_substitute(s, label);
        cgt_append(b, substitute ? cgt_text(substitute) : cgt_slice_of(s.at, 1));
    }
    cgt_puts(b, zero ? "\xC2\xA0" "\"" : "\"");
}

/* Appends the turns before the current message, oldest first, the newest `limit` of them (0:
   CGT_HISTORY_TURNS). System messages and turns that say nothing are left out. */
static void cgt_put_history(cgt_buffer *b, const chatgptt_message *messages, size_t count, int limit) {
    size_t most = limit > 0 ? (size_t)limit : (size_t)CGT_HISTORY_TURNS, turns = 0, i = count;
    while (i && turns < most)
        if (cgt_history_text(&messages[--i]).len) turns++;
    cgt_putc(b, '[');
    for (; i < count; i++) {
        cgt_slice s = cgt_history_text(&messages[i]);
        if (!s.len) continue;
        cgt_put_history_turn(b, messages[i].role == CHATGPTT_ASSISTANT, s);
        if (--turns) cgt_putc(b, ',');
    }
    cgt_putc(b, ']');
}

/* The form of a WPAICG message. The fields are those the site's own page sends, the chat's kind deciding
   some. */
static void cgt_put_wpaicg(cgt_buffer *b, const cgt_chat *chat, cgt_slice page, const char *client_id,
                           const char *thread_id, cgt_slice message, cgt_slice history) {
    const char *bot = chat->bot_id[0] ? chat->bot_id : "0";
    bool custom = strcmp(bot, "0") != 0;
    cgt_form_field(b, "_wpnonce", cgt_text(chat->nonce));
    cgt_form_field(b, "post_id", cgt_text(chat->post_id));
    cgt_form_field(b, "url", page);
    cgt_form_field(b, "action",
                   cgt_text(chat->widget ? "wpaicg_chatbox_message" : "wpaicg_chat_shortcode_message"));
    cgt_form_field(b, "message", message);
    cgt_form_field(b, "bot_id", cgt_text(bot));
    cgt_form_field(b, "chatbot_identity",
                   cgt_text(custom         ? "custom_bot_"
                            : chat->widget ? "widget"
                                           : "shortcode"));
    cgt_form_encode(b, cgt_text(custom ? bot : ""));
    cgt_form_field(b, "wpaicg_chat_client_id", cgt_text(client_id));
    cgt_form_field(b, "wpaicg_chat_history", history);
    if (chat->assistant && thread_id[0]) cgt_form_field(b, "thread_id", cgt_text(thread_id));
}

/* ---- ids ---- */

static const char cgt_hex_digits[] = "0123456789abcdef";
enum { CGT_UUID_SIZE = 37 };            /* what the plugin takes as conversation_uuid, and the end */
enum { CGT_SESSION_SIZE = 65 };         /* the same of session_id */

/* A random UUID of version 4 (RFC 9562 section 5.4), as browsers send. false: no random bytes. */
static bool cgt_make_uuid(const chatgptt_hooks *hooks, char out[CGT_UUID_SIZE]) {
    unsigned char bytes[16];
    size_t i, at = 0;
    if (hooks->random(hooks->user, bytes, sizeof bytes) != CHATGPTT_OK) return false;
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    for (i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
        out[at++] = cgt_hex_digits[bytes[i] >> 4];
        out[at++] = cgt_hex_digits[bytes[i] & 15];
    }
    out[at] = '\0';
    return true;
}

/* What a chatgptt_conversation holds: bytes only, so it is the same on every machine. Ids are terminated, ""
   where there is none. */
typedef struct cgt_memory {
    char magic[7], begun;           /* begun: the site knows of it */
    char session_id[68], conversation_id[40];   /* AIPKIT: whose it is, and which */
    char thread_id[100];            /* WPAICG with an assistant: its thread */
    /* AIPKIT: of the last answer, for the provider's own memory */
    char openai_id[100], google_id[168];
} cgt_memory;
static const char cgt_memory_magic[] = "chat-1";

/* Takes an id over if there is one. Where it is too long or holds a control character the old one goes all
   the same: it would lead to the wrong place. */
static void cgt_memory_set(char *out, size_t size, const char *id) {
    if (id[0]) (void)cgt_fixed_set(out, size, cgt_text(cgt_has_control(cgt_text(id)) ? "" : id));
}

static bool cgt_memory_id_ok(const char *id, size_t size) {
    const char *end = (const char *)memchr(id, '\0', size);
    return end && !cgt_has_control(cgt_text(id)) && cgt_utf8_valid(cgt_text(id));
}

/* The bytes may come from anywhere: false, they are no conversation. */
static bool cgt_memory_ok(const cgt_memory *m) {
    return memcmp(m->magic, cgt_memory_magic, sizeof m->magic) == 0 &&
           cgt_memory_id_ok(m->session_id, CGT_SESSION_SIZE) &&
           cgt_memory_id_ok(m->conversation_id, CGT_UUID_SIZE) &&
           cgt_memory_id_ok(m->thread_id, sizeof m->thread_id) &&
           cgt_memory_id_ok(m->openai_id, sizeof m->openai_id) &&
           cgt_memory_id_ok(m->google_id, sizeof m->google_id);
}

/* ---- AIPKIT ---- */

static void cgt_put_aipkit_nonce(cgt_buffer *b, const cgt_chat *chat) {
    cgt_form_field(b, "action", cgt_text("aipkit_get_frontend_chat_nonce"));
    cgt_form_field(b, "bot_id", cgt_text(chat->bot_id));
}

/* Hands over the message. One that is a JSON object with "stream_context" would be taken for something else
   by the plugin: an invisible character in front (U+200B) keeps it a message. */
static void cgt_put_aipkit_key(cgt_buffer *b, const cgt_chat *chat, cgt_slice message) {
    cgt_slice trimmed = cgt_trim(message);
    bool taken = trimmed.len && trimmed.at[0] == '{' &&
                 (cgt_contains(trimmed, "stream_context") || cgt_contains(trimmed, "\\u"));
    cgt_form_field(b, "action", cgt_text("aipkit_cache_sse_message"));
    cgt_form_field(b, "_ajax_nonce", cgt_text(chat->nonce));
    cgt_form_field(b, "bot_id", cgt_text(chat->bot_id));
    cgt_form_field(b, "message", cgt_text(taken ? "\xE2\x80\x8B" : ""));
    cgt_form_encode(b, message);
}

/* The query that fetches the answer. */
static void cgt_put_aipkit_answer(cgt_buffer *b, const cgt_chat *chat, const cgt_memory *memory,
                                  const char *key, long long unix_time) {
    char digits[24];
    cgt_form_field(b, "action", cgt_text("aipkit_frontend_chat_stream"));
    cgt_form_field(b, "cache_key", cgt_text(key));
    cgt_form_field(b, "bot_id", cgt_text(chat->bot_id));
    cgt_form_field(b, "session_id", cgt_text(memory->session_id));
    cgt_form_field(b, "conversation_uuid", cgt_text(memory->conversation_id));
    cgt_form_field(b, "_ajax_nonce", cgt_text(chat->nonce));
    if (chat->post_id[0] && strcmp(chat->post_id, "0") != 0)
        cgt_form_field(b, "post_id", cgt_text(chat->post_id));
    if (chat->keeps_openai && memory->openai_id[0])
        cgt_form_field(b, "previous_openai_response_id", cgt_text(memory->openai_id));
    if (chat->keeps_google && memory->google_id[0])
        cgt_form_field(b, "previous_google_interaction_id", cgt_text(memory->google_id));
    cgt_form_field(
        b, "_ts",
        cgt_slice_of(digits, cgt_digits(digits, (unsigned long long)(unix_time < 0 ? 0 : unix_time) * 1000)));
}

/* ==== [STREAM] ==== */

/* One message: get the tokens if the client has none, send, hand out the reply. Each request is a goal; each
   goal runs through the same states. Everything is driven by step(): it goes on until there is an event, an
   end, or nothing to do but wait. */

typedef enum cgt_goal {
    CGT_GOAL_PAGE,                  /* GET the page, for the tokens */
    CGT_GOAL_MESSAGE,               /* WPAICG: POST the message; the response is the answer */
    CGT_GOAL_NONCE, CGT_GOAL_KEY,   /* AIPKIT: POST for a nonce; POST the message for a key */
    CGT_GOAL_ANSWER                 /* AIPKIT: GET the answer by its key */
} cgt_goal;

typedef enum cgt_stream_state {
    CGT_STREAM_PLAN,                /* choose the goal, write its request */
    CGT_STREAM_CHECK,               /* a kept connection: is it alive, has its last response ended? */
    CGT_STREAM_SEND,                /* until the request is out; the connection may still have to be made */
    CGT_STREAM_RECEIVE,             /* the response */
    CGT_STREAM_OVER                 /* `result` says how */
} cgt_stream_state;

struct chatgptt_client {
    chatgptt_hooks hooks;
    chatgptt_options options;       /* defaults filled in; its strings lie in `strings` */
    char *strings;
    size_t strings_size;
    chatgptt_error error;
    cgt_pool pool;
    /* the page asked for; where it was found; where messages go. The last two: once tokens are known */
    cgt_url home, page, endpoint;
    cgt_jar cookies;
    cgt_chat chat;                  /* the tokens */
    bool has_tokens;
    /* how often tokens were stored: tells a stream that there are newer ones */
    unsigned tokens_count;
    long long tokens_time;          /* when the nonce was given out, as far as we know: Unix seconds */
    bool no_nonce_action;           /* the endpoint gives out no nonces: they are on the page */
    char client_id[CHATGPTT_MAX_TOKEN], session_id[CGT_SESSION_SIZE];
    chatgptt_site site;
    chatgptt_stream *streams;
};

struct chatgptt_stream {
    chatgptt_client *client;
    chatgptt_stream *next;
    chatgptt_error error;
    chatgptt_stats stats;
    chatgptt_code result;           /* OK: still running */
    cgt_stream_state state;
    cgt_goal goal;
    cgt_conn *conn;
    long long opened;               /* when the connection under way was, or its check began */
    bool reuse;                     /* after the end: the connection goes back to the client at finish() */
    cgt_url target;                 /* of the page that is fetched, after redirects */
    cgt_buffer location;            /* of a redirect */
    int redirects;
    unsigned tokens_seen;           /* the client's tokens_count when the message was written */
    char old_nonce[CHATGPTT_MAX_TOKEN];     /* the one that was refused */
    /* read the page anew, past caches; it was, once; newer tokens were tried */
    bool refresh, refreshed, borrowed;
    bool renewed;                   /* a nonce too old was replaced before its use */
    bool wants_nonce;               /* AIPKIT: ask for a fresh one */
    char cache_key[CHATGPTT_MAX_TOKEN];     /* AIPKIT: of the message handed over; "": not yet */
    /* why it is read anew: the endpoint does not know the generation's action */
    bool unknown_action;
    cgt_buffer message;             /* what is asked, folded; in a conversation the texts of all turns */
    /* in a conversation: user's and assistant's turns, their texts in `message` */
    chatgptt_message *turns;
    size_t num_turns, turns_size;
    chatgptt_conversation *conversation;    /* the caller's; written at DONE */
    cgt_memory memory;              /* what it says, with what this message adds */
    cgt_buffer out;                 /* the request under way */
    size_t sent;
    /* CHATGPTT_READ_BUFFER bytes; what was read and not used lies at [at, end) */
    char *buffer;
    size_t at, end;
    /* a piece of the response's body, within buffer, that the reply has not used up */
    char *body;
    size_t body_len, body_bytes;    /* body_bytes: of this response so far */
    cgt_page *page;                 /* while a page is read */
    cgt_reply *reply;               /* while a reply is */
    /* retried: by the one safe rule; telling: the reply may have more to tell without new bytes */
    bool cancelled, retried, telling;
    bool paused;                    /* step() gave way though there is work */
    /* headers of the response: its Content-Type; the mark of a challenge page; it is compressed */
    bool is_events, challenged, coded;
    unsigned generation;
    /* when the times run out, in ms; LLONG_MAX: never */
    long long started, deadline, idle, connecting, grace;
    int (*on_tick)(void *user);
    void *tick_user;
    long long ticked;
};

enum { CGT_GRACE_MS = 1000 };           /* how long the end may still come after finish_reason */

static long long cgt_unix(const chatgptt_client *c) { return c->hooks.unix_time(c->hooks.user); }

static void cgt_trace(const chatgptt_client *c, const char *what, cgt_slice text) {
    if (c->hooks.trace) c->hooks.trace(c->hooks.user, what, text.at, text.len);
}

/* ---- deadlines ---- */

static long long cgt_after(long long now, int ms) { return ms < 0 ? LLONG_MAX : now + ms; }

static const char *cgt_stream_doing(const chatgptt_stream *s) {
    bool connecting = s->state == CGT_STREAM_SEND && s->conn && s->connecting != LLONG_MAX;
    if (connecting && s->conn->tunnel.len && s->conn->carried) return "asking for a tunnel from";
    if (connecting && s->conn->tls && s->conn->carried) return "in the TLS handshake with";
    if (connecting) return "connecting to";
    if (s->state == CGT_STREAM_SEND) return "sending to";
    return s->goal == CGT_GOAL_PAGE    ? "reading the page of"
           : s->goal == CGT_GOAL_NONCE ? "asking for a token from"
                                       : "waiting for the answer of";
}

static const cgt_url *cgt_stream_url(const chatgptt_stream *s) {
    return s->goal == CGT_GOAL_PAGE ? &s->target : &s->client->endpoint;
}

static chatgptt_code cgt_stream_timeout(chatgptt_stream *s, const char *name, int ms) {
    cgt_slice whom = s->conn && s->connecting != LLONG_MAX ? cgt_conn_peer(&s->client->pool, s->conn)
                                                           : cgt_stream_url(s)->authority;
    return cgt_fail(&s->error, CHATGPTT_E_TIMEOUT, "timed out after %d ms %s %b (%s)", ms,
                    cgt_stream_doing(s), whom, name);
}

/* There is nothing to do but wait: AGAIN, or the error of the time that has run out. Asked only now, since
   what came while a slow caller was away is no silence of the site's. */
static chatgptt_code cgt_stream_silence(chatgptt_stream *s, long long now) {
    const chatgptt_options *o = &s->client->options;
    if (now >= s->connecting) return cgt_stream_timeout(s, "connect_timeout_ms", o->connect_timeout_ms);
    if (now >= s->idle) return cgt_stream_timeout(s, "idle_timeout_ms", o->idle_timeout_ms);
    return CHATGPTT_AGAIN;
}

/* ---- the connection ---- */

/* The generation a caller sees only ever grows: what the transport counted on the connection that is left is
   added to it. */
static void cgt_stream_leave(chatgptt_stream *s, bool reuse) {
    cgt_pool *pool = &s->client->pool;
    if (!s->conn) return;
    s->generation += cgt_conn_want(pool, s->conn).generation + 1;
    if (reuse) cgt_conn_park(pool, s->conn, cgt_now(pool->hooks));
    else cgt_conn_close(pool, s->conn);
    s->conn = NULL;
}

/* The connection is ready for a request: its response begins. */
static void cgt_stream_begin_send(chatgptt_stream *s) {
    cgt_conn *conn = s->conn;
    if (!conn->tunnel.len) memset(&conn->in, 0, sizeof conn->in);
    conn->in.max_head = s->client->options.max_header_bytes;
    conn->drained = 0;
    s->at = s->end = 0;
    s->body_bytes = 0;
    s->is_events = s->challenged = s->coded = false;
    s->location.len = 0;
    s->state = CGT_STREAM_SEND;
}

/* Finds a connection for the request: the stream's own, an idle one of the client's, or a new one. */
static chatgptt_code cgt_stream_connect(chatgptt_stream *s, long long now) {
    const cgt_url *url = cgt_stream_url(s);
    cgt_pool *pool = &s->client->pool;
    if (s->conn && !cgt_is(url->origin, s->conn->origin)) cgt_stream_leave(s, true);
    if (s->conn) s->stats.reused = s->conn->reused = true;
    else {
        s->generation++;
        s->opened = now;
        /* where one was dead, others may be */
        if (!s->retried) s->conn = cgt_conn_take(pool, url, now);
        if (s->conn) { s->state = CGT_STREAM_CHECK; return CHATGPTT_OK; }
        cgt_trace(s->client, "connect", url->authority);
        s->conn = cgt_conn_open(pool, url, &s->error);
        if (!s->conn) return s->error.code;
        s->stats.connections++;
        s->connecting = cgt_after(now, s->client->options.connect_timeout_ms);
#ifndef CHATGPTT_NO_NET
        if (pool->transport.user == &pool->net) s->stats.resolve_ms = pool->net.resolve_ms;
#endif
    }
    cgt_stream_begin_send(s);
    return CHATGPTT_OK;
}

/* ---- requests ---- */

/* Adds what every request of the client carries, and writes it. */
static void cgt_stream_put_request(chatgptt_stream *s, cgt_request_head *r) {
    chatgptt_client *c = s->client;
    bool proxy = c->pool.proxy.whole.len > 0 && !r->url->https;
    cgt_buffer cookies;
    cgt_buffer_init(&cookies, &c->hooks, CHATGPTT_MAX_REQUEST);
    cgt_jar_header(&c->cookies, r->url, cgt_unix(c), &cookies);
    r->user_agent = c->options.user_agent;
    r->cookies = cgt_slice_of_buffer(&cookies);
    r->absolute = proxy;
    if (proxy) r->proxy_login = cgt_slice_of_buffer(&c->pool.login);
    cgt_put_request(&s->out, r);
    if (cookies.failed) s->out.failed = cookies.failed;
    cgt_buffer_free(&cookies);
}

/* The address to fetch the page from: past caches if it is to be fresh, by a query no cache has seen. */
static chatgptt_code cgt_stream_aim(chatgptt_stream *s) {
    const cgt_url *home = &s->client->home;
    cgt_buffer b;
    chatgptt_code code;
    if (s->target.text.len) return CHATGPTT_OK;     /* on the way through redirects */
    cgt_buffer_init(&b, &s->client->hooks, CHATGPTT_MAX_URL);
    cgt_append(&b, home->whole);
    if (s->refresh) {
        cgt_puts(&b, cgt_find(home->path, "?") < home->path.len ? "&nocache=" : "?nocache=");
        cgt_put_number(&b, (unsigned long long)cgt_unix(s->client));
    }
    code = cgt_url_take(&s->target, &b);
    return code < 0
               ? cgt_fail(&s->error, code, "cannot write the page's address: %s", chatgptt_code_text(code))
               : CHATGPTT_OK;
}

/* The form of a POST. In a conversation WPAICG without an assistant gets the earlier turns along, as the page
   itself sends them; the others get the last turn only, once they remember those before. */
static void cgt_stream_put_form(chatgptt_stream *s, cgt_buffer *form) {
    chatgptt_client *c = s->client;
    bool along = s->turns && s->goal == CGT_GOAL_MESSAGE && !c->chat.assistant;
    cgt_buffer asked, history;
    cgt_buffer_init(&asked, &c->hooks, CHATGPTT_MAX_REQUEST);
    cgt_buffer_init(&history, &c->hooks, CHATGPTT_MAX_REQUEST);
    if (along) cgt_put_history(&history, s->turns, s->num_turns - 1, c->chat.memory_limit);
    else cgt_puts(&history, "[]");
    if (!s->turns) cgt_append(&asked, cgt_slice_of_buffer(&s->message));
    else if (along || s->memory.begun) cgt_append(&asked, cgt_message_text(&s->turns[s->num_turns - 1]));
    else cgt_fold(&asked, s->turns, s->num_turns);
    if (s->goal == CGT_GOAL_NONCE) cgt_put_aipkit_nonce(form, &c->chat);
    else if (s->goal == CGT_GOAL_KEY) cgt_put_aipkit_key(form, &c->chat, cgt_slice_of_buffer(&asked));
    else
        cgt_put_wpaicg(form, &c->chat, c->page.whole, c->client_id, s->memory.thread_id,
                       cgt_slice_of_buffer(&asked), cgt_slice_of_buffer(&history));
    if (asked.failed || history.failed) form->failed = asked.failed ? asked.failed : history.failed;
    cgt_buffer_free(&asked);
    cgt_buffer_free(&history);
}

/* The endpoint with the query that fetches the answer. */
static chatgptt_code cgt_stream_answer_url(chatgptt_stream *s, cgt_url *url) {
    const cgt_url *endpoint = &s->client->endpoint;
    cgt_buffer b;
    cgt_buffer_init(&b, &s->client->hooks, CHATGPTT_MAX_URL);
    cgt_append(&b, endpoint->whole);
    if (cgt_find(endpoint->path, "?") == endpoint->path.len) cgt_putc(&b, '?');
    cgt_put_aipkit_answer(&b, &s->client->chat, &s->memory, s->cache_key, cgt_unix(s->client));
    return cgt_url_take(url, &b);
}

/* Writes the goal's request: a form by POST, or the GET of page or answer. */
static void cgt_stream_write(chatgptt_stream *s) {
    chatgptt_client *c = s->client;
    bool page = s->goal == CGT_GOAL_PAGE, answer = s->goal == CGT_GOAL_ANSWER;
    cgt_request_head r;
    cgt_url url;
    cgt_buffer form;
    memset(&r, 0, sizeof r);
    memset(&url, 0, sizeof url);
    url.text.hooks = &c->hooks;
    cgt_buffer_init(&form, &c->hooks, CHATGPTT_MAX_REQUEST);
    if (answer) form.failed = cgt_stream_answer_url(s, &url);
    else if (!page) cgt_stream_put_form(s, &form);
    r.method = page || answer ? "GET" : "POST";
    r.url = answer ? &url : cgt_stream_url(s);
    r.page = page ? NULL : &c->page;
    r.accept = page     ? "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
               : answer ? "text/event-stream"
                        : "*/*";
    r.refresh = page && s->refresh;
    r.body = cgt_slice_of_buffer(&form);
    if (form.failed) s->out.failed = form.failed;
    else cgt_stream_put_request(s, &r);
    cgt_buffer_free(&form);
    cgt_url_free(&url);
}

static void cgt_stream_drop_bodies(chatgptt_stream *s) {
    const chatgptt_hooks *hooks = &s->client->hooks;
    if (s->page) cgt_free(hooks, s->page, sizeof *s->page);
    if (s->reply) { cgt_reply_free(s->reply); cgt_free(hooks, s->reply, sizeof *s->reply); }
    s->page = NULL;
    s->reply = NULL;
    s->telling = false;
    s->body_len = 0;
}

/* Room for what the goal's response is read into. */
static bool cgt_stream_make_bodies(chatgptt_stream *s) {
    const chatgptt_options *o = &s->client->options;
    cgt_stream_drop_bodies(s);
    if (s->goal == CGT_GOAL_PAGE) {
        s->page = (cgt_page *)cgt_new(&s->client->hooks, sizeof *s->page);
        if (s->page) cgt_page_init(s->page, o->bot_id, o->dialect, o->nonce_pattern, o->post_id_pattern);
        return s->page != NULL;
    }
    s->reply = (cgt_reply *)cgt_new(&s->client->hooks, sizeof *s->reply);
    if (s->reply) cgt_reply_init(s->reply, &s->client->hooks, o->max_event_bytes);
    return s->reply != NULL;
}

/* For the trace: method, host and path, but no query, which may hold tokens. */
static void cgt_stream_trace_request(chatgptt_stream *s) {
    const cgt_url *url = cgt_stream_url(s);
    char line[256] = "";
    cgt_line_add(line, sizeof line,
                 cgt_slice_of(s->out.data, cgt_find(cgt_slice_of_buffer(&s->out), " ") + 1));
    cgt_line_add(line, sizeof line, url->origin);
    cgt_line_add(line, sizeof line, cgt_slice_of(url->path.at, cgt_find(url->path, "?")));
    cgt_trace(s->client, "request", cgt_text(line));
}

enum { CGT_NONCE_SECONDS = (11 * 3600) };   /* WordPress keeps a nonce for 12 hours at least */

/* With the endpoint and the bot given, AIPKIT needs no page: the endpoint gives out nonces. */
static bool cgt_stream_without_page(const chatgptt_client *c) {
    const chatgptt_options *o = &c->options;
    return o->dialect == CHATGPTT_AIPKIT && o->endpoint && o->bot_id && !c->no_nonce_action;
}

/* Chooses the goal: tokens first, then the message. A nonce that may have run out is renewed before its use.
   */
static void cgt_stream_aim_at(chatgptt_stream *s) {
    chatgptt_client *c = s->client;
    bool aipkit = c->has_tokens ? c->chat.dialect == CHATGPTT_AIPKIT : cgt_stream_without_page(c);
    bool old = c->has_tokens && cgt_unix(c) - c->tokens_time > CGT_NONCE_SECONDS;
    if (old && !s->renewed && !s->refresh && !s->wants_nonce) {
        s->renewed = true;
        if (aipkit && !c->no_nonce_action) s->wants_nonce = true;
        else s->refresh = true;
        cgt_trace(c, "refresh", cgt_text("the token is old"));
    }
    if (s->refresh || (!aipkit && !c->has_tokens)) s->goal = CGT_GOAL_PAGE;
    else if (aipkit && (s->wants_nonce || !c->has_tokens)) s->goal = CGT_GOAL_NONCE;
    else if (aipkit) s->goal = s->cache_key[0] ? CGT_GOAL_ANSWER : CGT_GOAL_KEY;
    else s->goal = CGT_GOAL_MESSAGE;
    if (aipkit && !c->has_tokens)
        (void)cgt_fixed_set(c->chat.bot_id, sizeof c->chat.bot_id, cgt_text(c->options.bot_id));
}

/* PLAN: chooses the next request, writes it, finds a connection for it. */
static chatgptt_code cgt_stream_plan(chatgptt_stream *s, long long now) {
    chatgptt_code code;
    cgt_stream_aim_at(s);
    s->out.len = 0;
    s->sent = 0;
    s->tokens_seen = s->client->tokens_count;
    if (!cgt_stream_make_bodies(s))
        return cgt_fail(&s->error, CHATGPTT_E_MEMORY, "out of memory for a response");
    if (s->goal == CGT_GOAL_PAGE && (code = cgt_stream_aim(s)) < 0) return code;
    cgt_stream_write(s);
    if (s->out.failed == CHATGPTT_E_LIMIT)
        return cgt_fail(&s->error, CHATGPTT_E_LIMIT, "the request is longer than CHATGPTT_MAX_REQUEST");
    if (s->out.failed) return cgt_fail(&s->error, s->out.failed, "out of memory for the request");
    return cgt_stream_connect(s, now);
}

/* Another attempt at the same request, on another connection. */
static chatgptt_code cgt_stream_again(chatgptt_stream *s, const char *why) {
    cgt_trace(s->client, "retry", cgt_text(why));
    cgt_stream_leave(s, false);
    s->state = CGT_STREAM_PLAN;
    return CHATGPTT_OK;
}

/* ---- a kept connection ---- */

/* Takes what a kept connection still had to say. false: it is of no use any more, since that is no end of its
   last response, or more than CHATGPTT_MAX_DRAIN bytes. */
static bool cgt_conn_drain(cgt_conn *conn, char *bytes, size_t len) {
    size_t used;
    conn->drained += len;
    if (conn->drained > CHATGPTT_MAX_DRAIN) return false;
    while (len || conn->in.state == CGT_HTTP_COMPLETE) {
        if (cgt_http_feed(&conn->in, bytes, len, &used) < 0 ||
            (conn->in.state == CGT_HTTP_ENDED && used < len))
            return false;
        bytes += used;
        len -= used;
    }
    return true;
}

/* CHECK: the server may have closed it, or still owe the end of the last response. */
static chatgptt_code cgt_stream_check(chatgptt_stream *s, long long now) {
    cgt_conn *conn = s->conn;
    size_t done = 0;
    bool ended = conn->in.state == CGT_HTTP_ENDED;
    chatgptt_code code =
        cgt_conn_read(&s->client->pool, conn, &s->error, s->buffer, CHATGPTT_READ_BUFFER, &done);
    if (code == CHATGPTT_OK && !ended && cgt_conn_drain(conn, s->buffer, done)) return CHATGPTT_OK;
    if (code == CHATGPTT_AGAIN && ended) {
        s->stats.reused = conn->reused = true;
        cgt_stream_begin_send(s);
        return CHATGPTT_OK;
    }
    if (code == CHATGPTT_AGAIN && now - s->opened < CHATGPTT_MAX_DRAIN_MS) return code;
    return cgt_stream_again(s, "the kept connection is of no use any more");
}

/* A kept connection that the server closed after all is replaced: once, and only if not one byte of the
   response came. true: it is. */
static bool cgt_stream_retry(chatgptt_stream *s) {
    const cgt_http *in = &s->conn->in;
    if (!s->conn->reused || s->retried || in->head_bytes || in->at || in->state != CGT_HTTP_STATUS_LINE)
        return false;
    s->retried = true;
    return cgt_stream_again(s, "the kept connection was closed") == CHATGPTT_OK;
}

/* The connection stands, TLS included: notes how long that took. */
static void cgt_stream_connected(chatgptt_stream *s, long long now) {
    int taken = cgt_until(now, s->opened);
    if (s->conn->carried && s->stats.connect_ms < 0) s->stats.connect_ms = taken;
    if (!s->conn->ready || !s->conn->carried) return;
    if (s->connecting != LLONG_MAX && s->conn->tls) {
        s->stats.tls_ms = taken - s->stats.connect_ms;
        s->stats.resumed = s->conn->resumed;
        cgt_trace(s->client, "tls", cgt_text(s->stats.resumed ? "resumed" : "new session"));
    }
    s->connecting = LLONG_MAX;
}

/* The request is stuck half way: a peer that answers before it has read all will not read on. AGAIN: it has
   not. */
static chatgptt_code cgt_stream_early(chatgptt_stream *s, long long now) {
    chatgptt_code code =
        cgt_conn_read(&s->client->pool, s->conn, &s->error, s->buffer, CHATGPTT_READ_BUFFER, &s->end);
    if (code != CHATGPTT_OK) return CHATGPTT_AGAIN;     /* if it broke, the next write says so */
    s->idle = cgt_after(now, s->client->options.idle_timeout_ms);
    s->stats.bytes_in += s->end;
    s->sent = s->out.len;
    s->conn->in.close = s->conn->written_off = true;
    s->state = CGT_STREAM_RECEIVE;
    return CHATGPTT_OK;
}

static chatgptt_code cgt_stream_send(chatgptt_stream *s, long long now) {
    cgt_pool *pool = &s->client->pool;
    size_t done = 0;
    chatgptt_code code = cgt_conn_ready(pool, s->conn, &s->error);
    if (code < 0 && s->conn->stale) return cgt_stream_again(s, "the server would not have the TLS session");
    if (code == CHATGPTT_OK)
        code = cgt_conn_write(pool, s->conn, &s->error, s->out.data + s->sent, s->out.len - s->sent, &done);
    if (s->connecting != LLONG_MAX) cgt_stream_connected(s, now);
    if (code == CHATGPTT_AGAIN) return s->sent ? cgt_stream_early(s, now) : code;
    if (code < 0 && cgt_stream_retry(s)) return CHATGPTT_OK;
    if (code < 0 && s->connecting != LLONG_MAX) return code;
    s->idle = cgt_after(now, s->client->options.idle_timeout_ms);
    if (s->sent == 0 && done > 0) { s->stats.requests++; cgt_stream_trace_request(s); }
    s->sent += done;
    s->stats.bytes_out += done;
    /* the peer may have said why it hung up */
    if (s->sent == s->out.len || code < 0) s->state = CGT_STREAM_RECEIVE;
    return CHATGPTT_OK;
}

/* ---- the page ---- */

/* An http endpoint that an https page names: on the page's own host it is taken for https, elsewhere refused.
   */
static chatgptt_code cgt_stream_upgrade(chatgptt_stream *s, cgt_url *url) {
    cgt_buffer b;
    chatgptt_code code;
    if (url->https || !s->client->page.https) return CHATGPTT_OK;
    if (strcmp(url->host, s->client->page.host) != 0)
        return cgt_fail(&s->error, CHATGPTT_E_PAGE,
                        "the https page names an http endpoint on another host (%b): refused",
                        url->authority);
    cgt_buffer_init(&b, &s->client->hooks, CHATGPTT_MAX_URL);
    cgt_puts(&b, "https");
    cgt_append(&b, cgt_from(url->whole, 4));
    cgt_url_free(url);
    code = cgt_url_take(url, &b);
    return code < 0 ? cgt_fail(&s->error, code, "%s", chatgptt_code_text(code)) : CHATGPTT_OK;
}

/* Where messages go: the option, else what the page names, else the usual place. */
static chatgptt_code cgt_stream_endpoint(chatgptt_stream *s, const cgt_chat *chat) {
    chatgptt_client *c = s->client;
    const char *own = c->options.endpoint,
               *named = own                 ? own
                        : chat->endpoint[0] ? chat->endpoint
                                            : "/wp-admin/admin-ajax.php",
               *why = "";
    cgt_slice user;
    cgt_url url;
    chatgptt_code code = cgt_url_resolve(&url, &c->page, cgt_text(named), &user, &why);
    if (code == CHATGPTT_OK && user.len) { code = CHATGPTT_E_ARGUMENT; why = "it holds a user name"; }
    if (code < 0) {
        cgt_url_free(&url);
        return cgt_fail(&s->error, code == CHATGPTT_E_ARGUMENT ? CHATGPTT_E_PAGE : code,
                        "the page names a bad endpoint: %s", why);
    }
    code = own ? CHATGPTT_OK : cgt_stream_upgrade(s, &url);
    if (code < 0) { cgt_url_free(&url); return code; }
    cgt_url_free(&c->endpoint);
    c->endpoint = url;
    return CHATGPTT_OK;
}

/* The page's address becomes the client's, unless it is the same place with a cache-busting query. */
static void cgt_stream_settle_page(chatgptt_stream *s) {
    cgt_url *page = &s->client->page, old = *page;
    if (!s->refresh || page->text.len == 0 || !cgt_same(page->origin, s->target.origin)) {
        *page = s->target;
        s->target = old;
    }
    cgt_url_free(&s->target);
}

/* New tokens for all streams of the client. */
static void cgt_client_share(chatgptt_client *c) {
    c->has_tokens = true;
    c->tokens_count++;
    c->tokens_time = cgt_unix(c);
    c->site.dialect = c->chat.dialect;
    c->site.memory_limit = c->chat.memory_limit;
}

static chatgptt_code cgt_stream_store(chatgptt_stream *s, const cgt_chat *chat) {
    chatgptt_client *c = s->client;
    chatgptt_code code;
    cgt_stream_settle_page(s);
    code = cgt_stream_endpoint(s, chat);
    if (code < 0) return code;
    c->chat = *chat;
    if (c->options.bot_id)
        (void)cgt_fixed_set(c->chat.bot_id, sizeof c->chat.bot_id, cgt_text(c->options.bot_id));
    cgt_client_share(c);
    return CHATGPTT_OK;
}

/* ---- statuses and redirects ---- */

/* Whether the response is a challenge page or a firewall's, by its header or the marks in it. */
static bool cgt_stream_is_challenge(const chatgptt_stream *s, const cgt_said *said) {
    return s->challenged || ((s->conn->in.status == 403 || s->conn->in.status == 503) && said->challenge);
}

/* Whether it is the proxy that answers, not the site: over plain http nothing but this status tells. */
static bool cgt_stream_is_proxy(const chatgptt_stream *s) {
    return s->conn->in.status == 407 && s->client->pool.proxy.whole.len && !cgt_stream_url(s)->https;
}

/* What a status that is no success comes to, with the site's own words. */
static chatgptt_code cgt_stream_status(chatgptt_stream *s, const cgt_said *said, const char *words) {
    int status = s->conn->in.status;
    cgt_slice host = cgt_stream_url(s)->authority;
    bool challenge = cgt_stream_is_challenge(s, said);
    chatgptt_code code = challenge                        ? CHATGPTT_E_BLOCKED
                         : status == 429 || status == 402 ? CHATGPTT_E_RATE_LIMITED
                                                          : CHATGPTT_E_STATUS;
    const char *what = challenge
                           ? "shows a challenge or firewall page, which is not for programs; it is not evaded"
                       : s->goal == CGT_GOAL_PAGE ? "does not give the page"
                                                  : "does not take the message";
    if (!words[0]) words = cgt_said_words(said);
    if (cgt_stream_is_proxy(s)) return cgt_tunnel_refused(&s->client->pool, &s->error, status);
    return cgt_fail(&s->error, code, words[0] ? "%b %s (status %d): %s" : "%b %s (status %d)", host, what,
                    status, words);
}

static bool cgt_is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static chatgptt_code cgt_stream_lost(chatgptt_stream *s, const char *why) {
    return cgt_fail(&s->error, CHATGPTT_E_STATUS, "%b redirects to %b: %s", cgt_stream_url(s)->authority,
                    cgt_slice_of_buffer(&s->location), why);
}

/* Follows a redirect: the page's any, the message's only where that repeats it. Never from https to http. */
static chatgptt_code cgt_stream_redirect(chatgptt_stream *s) {
    int status = s->conn->in.status, max = s->client->options.max_redirects;
    cgt_url *from = s->goal == CGT_GOAL_PAGE ? &s->target : &s->client->endpoint, to;
    const char *why;
    cgt_slice user;
    chatgptt_code code;
    if (s->location.len == 0)
        return cgt_stream_lost(s, "nowhere, since Location is missing or longer than CHATGPTT_MAX_VALUE");
    if (s->goal != CGT_GOAL_PAGE && status != 307 && status != 308)
        return cgt_stream_lost(s,
                               "the message would be lost on the way; set url or endpoint to that address");
    if (s->redirects >= max) return cgt_stream_lost(s, "max_redirects are used up");
    code = cgt_url_resolve(&to, from, cgt_slice_of_buffer(&s->location), &user, &why);
    if (code == CHATGPTT_OK && (user.len || (from->https && !to.https))) {
        why = user.len ? "it holds a user name" : "from https to http, which is refused";
        code = CHATGPTT_E_ARGUMENT;
        cgt_url_free(&to);
    }
    if (code == CHATGPTT_E_ARGUMENT) return cgt_stream_lost(s, why);
    if (code < 0) return cgt_fail(&s->error, code, "cannot follow a redirect: %s", why);
    s->redirects++;
    cgt_trace(s->client, "redirect", to.origin);
    cgt_url_free(from);
    *from = to;
    return CHATGPTT_OK;
}

static chatgptt_code cgt_stream_page_end(chatgptt_stream *s) {
    cgt_page *p = s->page;
    int status = s->conn->in.status;
    const char *words;
    chatgptt_code code;
    if (cgt_is_redirect(status)) return cgt_stream_redirect(s);
    if (status != 200 || s->challenged) return cgt_stream_status(s, &p->said, "");
    if (!cgt_page_end(p)) {
        cgt_page_at(p, s->target.path);
        words = cgt_page_verdict(p, &code);
        return cgt_fail(
            &s->error, words ? code : CHATGPTT_E_PAGE,
            "Required authentication tokens not found in page HTML (%b, status 200, title \"%s\"): %s",
            s->target.authority, cgt_page_title(p),
            words ? words : "neither data-nonce and data-post-id nor data-config");
    }
    if (s->refreshed && !s->unknown_action && strcmp(s->old_nonce, p->best.nonce) == 0)
        return cgt_fail(&s->error, CHATGPTT_E_NONCE,
                        "%b refuses its own token: the site's page cache serves an expired token",
                        s->target.authority);
    if (s->refreshed && s->unknown_action && s->client->has_tokens &&
        s->client->chat.dialect == p->best.dialect) {
        code = cgt_fail(&s->error, CHATGPTT_E_STATUS,
                        "%b does not know the chat's action (status 400): the plugin is switched off there",
                        s->target.authority);
        s->error.http_status = 400;
        return code;
    }
    code = cgt_stream_store(s, &p->best);
    s->refresh = false;
    return code;
}

/* ---- the reply ---- */

static chatgptt_code cgt_stream_reply_failed(chatgptt_stream *s, chatgptt_code code) {
    const cgt_reply *r = s->reply;
    return cgt_fail(&s->error, code, r->words[0] ? "%s: %s" : "%s%s", chatgptt_code_text(code), r->words);
}

/* How a reply that broke off ends: complete if it was marked so, else a partial answer is never called whole.
   */
static chatgptt_code cgt_stream_broken(chatgptt_stream *s) {
    const cgt_reply *r = s->reply;
    if (r && r->dressed) return cgt_stream_reply_failed(s, CHATGPTT_E_UPSTREAM);
    if (!r || !r->texted) return s->error.code;
    /* all of the event that says so is here */
    if (r->events && r->finished && !r->dressed && r->body != CGT_BODY_JSON) return CHATGPTT_DONE;
    return cgt_fail(&s->error, CHATGPTT_E_INCOMPLETE, "the answer of %b broke off after %z bytes",
                    cgt_stream_url(s)->authority, s->stats.text_bytes);
}

/* Once a message, and only before any text, the tokens are renewed: WPAICG reads the page anew, AIPKIT asks
   the endpoint. */
static chatgptt_code cgt_stream_renew(chatgptt_stream *s, bool unknown_action) {
    chatgptt_client *c = s->client;
    s->refreshed = true;
    s->unknown_action = unknown_action;
    s->wants_nonce = c->chat.dialect == CHATGPTT_AIPKIT && !unknown_action && !c->no_nonce_action;
    s->refresh = !s->wants_nonce;
    memcpy(s->old_nonce, c->chat.nonce, sizeof s->old_nonce);
    cgt_trace(c, "refresh", cgt_text(unknown_action ? "unknown action" : "token refused"));
    return CHATGPTT_OK;
}

/* The endpoint refused the token or does not know the action. Where another stream got newer tokens
   meanwhile, they are tried first. OK: on to PLAN. */
static chatgptt_code cgt_stream_recover(chatgptt_stream *s, bool unknown_action) {
    chatgptt_client *c = s->client;
    int status = s->conn->in.status;
    s->cache_key[0] = '\0';
    if (c->tokens_count != s->tokens_seen && !s->borrowed) { s->borrowed = true; return CHATGPTT_OK; }
    if (!s->refreshed) return cgt_stream_renew(s, unknown_action);
    if (unknown_action)
        return cgt_fail(&s->error, CHATGPTT_E_STATUS,
                        "%b does not know the chat's action: the plugin is switched off there",
                        c->endpoint.authority);
    return cgt_fail(&s->error, CHATGPTT_E_NONCE, "%b refuses the token (status %d), also a fresh one: %s",
                    c->endpoint.authority, status,
                    s->reply->words[0] ? s->reply->words : cgt_said_words(&s->reply->said));
}

/* The answer's GET refused the nonce by an event: the rest of the response is of no use. */
static chatgptt_code cgt_stream_spent(chatgptt_stream *s) {
    chatgptt_code code = cgt_stream_recover(s, false);
    if (code == CHATGPTT_OK) cgt_stream_leave(s, false);
    s->state = CGT_STREAM_PLAN;
    return code;
}

/* Hands body bytes to the reply until it tells something. OK with *event, DONE, AGAIN: all used, or an error.
   */
static chatgptt_code cgt_stream_tell(chatgptt_stream *s, chatgptt_event *event, long long now) {
    cgt_reply *r = s->reply;
    size_t used = 0;
    chatgptt_code code = cgt_reply_feed(r, s->body, s->body_len, &used);
    s->body += used;
    s->body_len -= used;
    s->telling = code == CHATGPTT_OK && r->event != CGT_REPLY_NONE;
    if (code == CHATGPTT_E_REFUSED && s->goal == CGT_GOAL_ANSWER && !s->refreshed &&
        cgt_starts(cgt_text(r->words), "security check failed"))
        return cgt_stream_spent(s);
    if (code < 0) return cgt_stream_reply_failed(s, code);
    if (r->finished && s->grace == LLONG_MAX) s->grace = now + CGT_GRACE_MS;
    if (r->event == CGT_REPLY_END) return CHATGPTT_DONE;
    if (r->event == CGT_REPLY_NONE) return CHATGPTT_AGAIN;
    event->kind = r->event == CGT_REPLY_TEXT ? CHATGPTT_TEXT : CHATGPTT_NOTICE;
    event->text = r->piece.at;
    event->len = r->piece.len;
    if (event->kind == CHATGPTT_TEXT && s->stats.first_text_ms < 0)
        s->stats.first_text_ms = cgt_until(now, s->started);
    if (event->kind == CHATGPTT_TEXT) s->stats.text_bytes += event->len;
    return CHATGPTT_OK;
}

/* The response to a message is complete. DONE, OK: on to the next request, or an error. */
static chatgptt_code cgt_stream_reply_end(chatgptt_stream *s) {
    cgt_reply *r = s->reply;
    int status = s->conn->in.status;
    chatgptt_code code = cgt_reply_eof(r);
    if (cgt_is_redirect(status)) return cgt_stream_redirect(s);
    if ((status == 403 && !cgt_stream_is_challenge(s, &s->reply->said)) ||
        (code == CHATGPTT_E_REPLY && strcmp(r->bare, "-1") == 0))
        return cgt_stream_recover(s, false);
    if ((status == 400 || code == CHATGPTT_E_REPLY) && strcmp(r->bare, "0") == 0)
        return cgt_stream_recover(s, true);
    if (r->mute) return cgt_stream_status(s, &r->said, r->words);
    if (code == CHATGPTT_E_INCOMPLETE && r->texted) return cgt_stream_broken(s);
    return code < 0 ? cgt_stream_reply_failed(s, code) : CHATGPTT_DONE;
}

/* AIPKIT gave out a nonce. */
static chatgptt_code cgt_stream_take_nonce(chatgptt_stream *s, const char *nonce) {
    chatgptt_client *c = s->client;
    s->wants_nonce = false;
    if (s->refreshed && strcmp(nonce, s->old_nonce) == 0)
        return cgt_fail(&s->error, CHATGPTT_E_NONCE, "%b refuses the token that it gives out itself",
                        c->endpoint.authority);
    (void)cgt_fixed_set(c->chat.nonce, sizeof c->chat.nonce, cgt_text(nonce));
    c->chat.dialect = CHATGPTT_AIPKIT;
    cgt_client_share(c);
    return CHATGPTT_OK;
}

/* AIPKIT's JSON envelope that grants nothing. */
static chatgptt_code cgt_stream_envelope_refused(chatgptt_stream *s) {
    cgt_reply *r = s->reply;
    int status = s->conn->in.status;
    const char *code = r->token[CGT_F_CODE - CGT_F_ID];
    bool unknown = strcmp(r->bare, "0") == 0 && !r->object, nonce = strcmp(r->bare, "-1") == 0 && !r->object;
    /* plugin 2.3 to 2.3.40: tokens are on the page only */
    if (unknown && s->goal == CGT_GOAL_NONCE) {
        s->client->no_nonce_action = true;
        s->wants_nonce = false;
        s->refresh = true;
        return CHATGPTT_OK;
    }
    if (unknown) return cgt_stream_recover(s, true);
    if (nonce || (status == 403 && !cgt_stream_is_challenge(s, &s->reply->said) &&
                  (!code[0] || cgt_starts(cgt_text(code), "nonce_failure"))))
        return cgt_stream_recover(s, false);
    if (!r->object && status == 200) {
        cgt_reply_say(r, cgt_said_words(&r->said));
        return cgt_stream_reply_failed(s, CHATGPTT_E_REPLY);
    }
    if (!r->refused || cgt_stream_is_challenge(s, &s->reply->said) || status == 429 || status == 402 ||
        status >= 500)
        return cgt_stream_status(s, &r->said, r->words);
    return cgt_stream_reply_failed(s, CHATGPTT_E_REFUSED);
}

/* The response to AIPKIT's nonce or message is complete. OK: on to the next request. */
static chatgptt_code cgt_stream_envelope_end(chatgptt_stream *s) {
    cgt_reply *r = s->reply;
    const char *token = r->token[(s->goal == CGT_GOAL_KEY ? CGT_F_KEY : CGT_F_NONCE) - CGT_F_ID];
    if (cgt_is_redirect(s->conn->in.status)) return cgt_stream_redirect(s);
    if (s->conn->in.status != 200 || !r->object || !r->success || s->challenged)
        return cgt_stream_envelope_refused(s);
    if (!token[0]) {
        r->words[0] = '\0';
        cgt_reply_say(r, "the reply holds no token");
        return cgt_stream_reply_failed(s, CHATGPTT_E_REPLY);
    }
    if (s->goal == CGT_GOAL_NONCE) return cgt_stream_take_nonce(s, token);
    (void)cgt_fixed_set(s->cache_key, sizeof s->cache_key, cgt_text(token));
    return CHATGPTT_OK;
}

/* ---- responses ---- */

static void cgt_stream_header(chatgptt_stream *s) {
    const cgt_http *h = &s->conn->in;
    cgt_slice name = cgt_text(h->name);
    if (cgt_is(name, "content-type")) s->is_events = cgt_starts(cgt_text(h->value), "text/event-stream");
    if (cgt_is(name, "set-cookie") && !h->cut && !cgt_stream_is_proxy(s) &&
        !cgt_jar_set(&s->client->cookies, cgt_stream_url(s), cgt_text(h->value), cgt_unix(s->client)))
        s->location.failed = CHATGPTT_E_MEMORY;
    if (cgt_is(name, "cf-mitigated")) s->challenged = true;
    if (cgt_is(name, "content-encoding"))
        s->coded = !cgt_is_any_case(cgt_text(h->value), "identity") && h->value[0];
    if (cgt_is(name, "location") && !h->cut && s->location.len == 0)
        cgt_append(&s->location, cgt_text(h->value));
}

static chatgptt_code cgt_stream_head(chatgptt_stream *s) {
    const cgt_http *h = &s->conn->in;
    char digits[24];
    cgt_trace(s->client, "status", cgt_slice_of(digits, cgt_digits(digits, (unsigned long long)h->status)));
    if (s->location.failed == CHATGPTT_E_MEMORY)
        return cgt_fail(&s->error, CHATGPTT_E_MEMORY, "out of memory for a response's headers");
    if ((s->coded || h->coding_left) && !cgt_is_redirect(h->status))
        return cgt_fail(&s->error, CHATGPTT_E_UNSUPPORTED,
                        "%b sends a compressed body though identity was asked for",
                        cgt_stream_url(s)->authority);
    if (s->reply) {
        s->reply->mute =
            h->status != 200 || s->challenged || s->goal == CGT_GOAL_NONCE || s->goal == CGT_GOAL_KEY;
        s->reply->events = s->is_events && !s->reply->mute;
    }
    return CHATGPTT_OK;
}

static chatgptt_code cgt_stream_body(chatgptt_stream *s) {
    cgt_http *h = &s->conn->in;
    const chatgptt_options *o = &s->client->options;
    size_t max = s->page ? o->max_page_bytes : o->max_reply_bytes;
    s->body = s->buffer + (h->piece.at - s->buffer);
    s->body_len = h->piece.len;
    s->body_bytes = cgt_sum(s->body_bytes, h->piece.len);
    if (max && s->body_bytes > max)
        return cgt_fail(&s->error, CHATGPTT_E_LIMIT, "%s longer than %s",
                        s->page ? "the page is" : "the reply is",
                        s->page ? "max_page_bytes" : "max_reply_bytes");
    if (s->page && h->status == 200) cgt_page_feed(s->page, s->body, s->body_len);
    else if (s->page) cgt_said_feed(&s->page->said, cgt_slice_of(s->body, s->body_len));
    if (s->page) s->body_len = 0;
    return CHATGPTT_OK;
}

/* The response is complete: on to the next goal, or DONE. */
static chatgptt_code cgt_stream_response_end(chatgptt_stream *s, long long now) {
    chatgptt_code code;
    bool reuse = cgt_http_reusable(&s->conn->in) && s->at == s->end;
    if (!s->reply) {                /* then it is the page's */
        s->stats.page_ms = cgt_until(now, s->started);
        code = cgt_stream_page_end(s);
    } else
        code = s->goal == CGT_GOAL_NONCE || s->goal == CGT_GOAL_KEY ? cgt_stream_envelope_end(s)
                                                                    : cgt_stream_reply_end(s);
    if (code != CHATGPTT_OK) return code;
    if (!reuse && s->conn) cgt_stream_leave(s, false);
    s->state = CGT_STREAM_PLAN;
    return CHATGPTT_OK;
}

/* Takes what lies in the buffer a step further. AGAIN: all of it is used. */
static chatgptt_code cgt_stream_parse(chatgptt_stream *s, long long now) {
    cgt_http *h = &s->conn->in;
    size_t used = 0;
    chatgptt_code code = cgt_http_feed(h, s->buffer + s->at, s->end - s->at, &used);
    s->at += used;
    if (code < 0)
        return cgt_fail(&s->error, code, "the response of %b: %s", cgt_stream_url(s)->authority, h->why);
    switch (h->event) {
    case CGT_HTTP_HEADER: cgt_stream_header(s); return CHATGPTT_OK;
    case CGT_HTTP_HEAD: return cgt_stream_head(s);
    case CGT_HTTP_BODY: return cgt_stream_body(s);
    case CGT_HTTP_END: return cgt_stream_response_end(s, now);
    default: return CHATGPTT_AGAIN;
    }
}

static chatgptt_code cgt_stream_read(chatgptt_stream *s, long long now) {
    cgt_pool *pool = &s->client->pool;
    size_t done = 0;
    chatgptt_code code = cgt_conn_read(pool, s->conn, &s->error, s->buffer, CHATGPTT_READ_BUFFER, &done);
    /* the request broke off, and that unanswered */
    if (code == CHATGPTT_AGAIN) return s->sent < s->out.len ? s->error.code : code;
    s->at = 0;
    s->end = done;
    s->stats.bytes_in += done;
    s->idle = cgt_after(now, s->client->options.idle_timeout_ms);
    if (code == CHATGPTT_OK) return CHATGPTT_OK;
    if (cgt_stream_retry(s)) return CHATGPTT_OK;
    if (code < 0) return code;
    code = cgt_http_eof(&s->conn->in, !s->conn->unclean);
    if (code == CHATGPTT_OK) return cgt_stream_response_end(s, now);
    return cgt_fail(&s->error, code, "%b %s%s", cgt_stream_url(s)->authority, s->conn->in.why,
                    s->conn->unclean ? ", without TLS's close_notify" : "");
}

/* RECEIVE: what was read and not used comes first, then what the transport has. */
static chatgptt_code cgt_stream_receive(chatgptt_stream *s, chatgptt_event *event, long long now) {
    chatgptt_code code;
    if (s->reply && (s->body_len || s->telling)) {
        code = cgt_stream_tell(s, event, now);
        if (code != CHATGPTT_AGAIN) return code;
    }
    if (s->reply && now >= s->grace) return cgt_stream_reply_end(s);
    code = cgt_stream_parse(s, now);
    return code == CHATGPTT_AGAIN ? cgt_stream_read(s, now) : code;
}

/* ---- the end ---- */

/* The answer is whole: what the site now knows of the conversation goes to the caller. */
static void cgt_stream_remember(chatgptt_stream *s) {
    const cgt_reply *r = s->reply;
    if (!s->conversation || !r) return;
    cgt_memory_set(s->memory.thread_id, sizeof s->memory.thread_id, r->thread_id);
    cgt_memory_set(s->memory.openai_id, sizeof s->memory.openai_id, r->openai_id);
    cgt_memory_set(s->memory.google_id, sizeof s->memory.google_id, r->google_id);
    /* else nothing but the history sent along */
    s->memory.begun = s->goal == CGT_GOAL_ANSWER || s->memory.thread_id[0];
    memset(s->conversation, 0, sizeof *s->conversation);
    memcpy(s->conversation->opaque, &s->memory, sizeof s->memory);
}

/* Whether the connection can serve again: its response is complete, or the little that is missing may still
   come. */
static bool cgt_stream_can_reuse(chatgptt_stream *s) {
    cgt_conn *conn = s->conn;
    size_t rest = s->end - s->at;
    if (!conn || !cgt_http_alive(&conn->in)) return false;
    conn->drained = s->body_len;
    s->at = s->end;
    return cgt_http_reusable(&conn->in) ? rest == 0 : cgt_conn_drain(conn, s->buffer + s->end - rest, rest);
}

/* Sets the result once and for all. The connection stays until finish(), so that a loop can take its
   descriptor out. */
static chatgptt_code cgt_stream_over(chatgptt_stream *s, chatgptt_code code, long long now) {
    bool cut = code == CHATGPTT_E_IO || code == CHATGPTT_E_CLOSED || code == CHATGPTT_E_HTTP ||
               code == CHATGPTT_E_TLS;
    if (cut || (code == CHATGPTT_E_TIMEOUT && s->grace != LLONG_MAX)) code = cgt_stream_broken(s);
    s->reuse = code == CHATGPTT_DONE && cgt_stream_can_reuse(s);
    if (code == CHATGPTT_DONE) {
        memset(&s->error, 0, sizeof s->error);
        cgt_stream_remember(s);
    }
    if (code <= CHATGPTT_E_STATUS && code >= CHATGPTT_E_REPLY && s->conn && !s->error.http_status)
        s->error.http_status = s->conn->in.status;
    s->result = code;
    s->state = CGT_STREAM_OVER;
    s->stats.total_ms = cgt_until(now, s->started);
    cgt_stream_drop_bodies(s);
    cgt_trace(s->client, "end", cgt_text(chatgptt_code_name(code)));
    return code;
}

static chatgptt_code cgt_stream_move(chatgptt_stream *s, chatgptt_event *event, long long now) {
    switch (s->state) {
    case CGT_STREAM_PLAN: return cgt_stream_plan(s, now);
    case CGT_STREAM_CHECK: return cgt_stream_check(s, now);
    case CGT_STREAM_SEND: return cgt_stream_send(s, now);
    default: return cgt_stream_receive(s, event, now);
    }
}

CHATGPTT_API chatgptt_code chatgptt_step(chatgptt_stream *stream, chatgptt_event *event) {
    chatgptt_stream *s = stream;
    int turns = CHATGPTT_MAX_PAUSE * 16;
    long long now;
    chatgptt_code code;
    if (!s || !event) return CHATGPTT_E_ARGUMENT;
    memset(event, 0, sizeof *event);
    if (s->result) return s->result;
    now = cgt_now(&s->client->hooks);
    s->paused = false;
    if (s->cancelled) return cgt_stream_over(s, cgt_fail(&s->error, CHATGPTT_E_CANCELLED, "cancelled"), now);
    for (; turns > 0; turns--) {
        code = now < s->deadline
                   ? cgt_stream_move(s, event, now)
                   : cgt_stream_timeout(s, "total_timeout_ms", s->client->options.total_timeout_ms);
        if (code == CHATGPTT_AGAIN) code = cgt_stream_silence(s, now);
        if (code == CHATGPTT_AGAIN) return code;
        if (code != CHATGPTT_OK) return cgt_stream_over(s, code, now);
        if (event->text) return CHATGPTT_OK;
        now = cgt_now(&s->client->hooks);
    }
    s->paused = true;
    return CHATGPTT_AGAIN;
}

CHATGPTT_API chatgptt_wait chatgptt_want(const chatgptt_stream *stream) {
    const chatgptt_stream *s = stream;
    long long now, end;
    chatgptt_wait w;
    memset(&w, 0, sizeof w);
    if (!s) return w;
    now = cgt_now(&s->client->hooks);
    end = s->deadline;
    w.timeout_ms = -1;
    if (s->conn) w = cgt_conn_want(&s->client->pool, s->conn);
    w.generation += s->generation;
    if (s->connecting < end) end = s->connecting;
    if (s->idle < end) end = s->idle;
    if (s->grace < end) end = s->grace;
    if (s->state == CGT_STREAM_CHECK && s->opened + CHATGPTT_MAX_DRAIN_MS < end)
        end = s->opened + CHATGPTT_MAX_DRAIN_MS;
    if (s->result || s->cancelled || s->paused || s->state == CGT_STREAM_PLAN || s->body_len || s->telling ||
        s->at < s->end)
        w.timeout_ms = 0;
    else if (end != LLONG_MAX && (w.timeout_ms < 0 || cgt_until(end, now) < w.timeout_ms))
        w.timeout_ms = cgt_until(end, now);
    return w;
}

/* Blocking calls give the caller a say at least this often. */
enum { CGT_TICK_MS = 100 };

static void cgt_stream_tick(chatgptt_stream *s, bool waited) {
    long long now;
    if (!s->on_tick) return;
    now = cgt_now(&s->client->hooks);
    if (!waited && now - s->ticked < CGT_TICK_MS) return;
    s->ticked = now;
    if (s->on_tick(s->tick_user)) s->cancelled = true;
}

CHATGPTT_API chatgptt_code chatgptt_next(chatgptt_stream *stream, chatgptt_event *event) {
    const chatgptt_transport *t;
    bool waited = false;
    if (!stream || !event) return CHATGPTT_E_ARGUMENT;
    t = &stream->client->pool.transport;
    for (;;) {
        chatgptt_wait w;
        chatgptt_code code;
        cgt_stream_tick(stream, waited);
        code = chatgptt_step(stream, event);
        if (code != CHATGPTT_AGAIN) return code;
        w = chatgptt_want(stream);
        if (stream->on_tick && (w.timeout_ms < 0 || w.timeout_ms > CGT_TICK_MS)) w.timeout_ms = CGT_TICK_MS;
        code = w.timeout_ms == 0 && w.count == 0 ? CHATGPTT_OK : t->wait(t->user, &w);
        if (code < 0)
            return cgt_stream_over(stream, cgt_fail(&stream->error, code, "waiting failed"),
                                   cgt_now(&stream->client->hooks));
        waited = true;
    }
}

CHATGPTT_API void chatgptt_cancel(chatgptt_stream *stream) { if (stream) stream->cancelled = true; }

CHATGPTT_API const chatgptt_error *chatgptt_stream_error(const chatgptt_stream *stream) {
    static const chatgptt_error no_stream = {
        CHATGPTT_E_ARGUMENT, 0, 0, 0, "no stream: chatgptt_start() failed; chatgptt_client_error() says why"
    };
    return stream ? &stream->error : &no_stream;
}

CHATGPTT_API const chatgptt_stats *chatgptt_stream_stats(const chatgptt_stream *stream) {
    return &stream->stats;
}

static void cgt_stream_free(chatgptt_stream *s) {
    const chatgptt_hooks *hooks = &s->client->hooks;
    cgt_stream_leave(s, s->reuse);
    cgt_stream_drop_bodies(s);
    cgt_buffer_free(&s->message);
    cgt_buffer_free(&s->location);
    cgt_url_free(&s->target);
    cgt_free(hooks, s->turns, s->turns_size);
    cgt_buffer_free(&s->out);
    cgt_free(hooks, s->buffer, CHATGPTT_READ_BUFFER);
    cgt_free(hooks, s, sizeof *s);
}

CHATGPTT_API void chatgptt_finish(chatgptt_stream *stream) {
    chatgptt_stream **at;
    if (!stream) return;
    for (at = &stream->client->streams; *at && *at != stream; at = &(*at)->next) {}
    if (*at) *at = stream->next;
    cgt_stream_free(stream);
}

/* ---- start: what is asked is checked before anything is sent ---- */

static chatgptt_code cgt_check_model(chatgptt_error *error, const char *model) {
    if (!model || cgt_among(model, cgt_models)) return CHATGPTT_OK;
    return cgt_fail(error, CHATGPTT_E_MODEL, "unknown model \"%s\": use gpt-4o, gpt-4 or gpt-4o-mini", model);
}

static chatgptt_code cgt_check_messages(chatgptt_error *error, const chatgptt_message *messages,
                                        size_t count) {
    size_t i, said = 0;
    for (i = 0; i < count; i++) {
        cgt_slice text;
        if (!messages[i].text) return cgt_fail(error, CHATGPTT_E_ARGUMENT, "message %z has no text", i);
        if ((unsigned)messages[i].role > CHATGPTT_SYSTEM)
            return cgt_fail(error, CHATGPTT_E_ARGUMENT, "message %z has no known role", i);
        text = cgt_message_text(&messages[i]);
        if (memchr(text.at, '\0', text.len))
            return cgt_fail(error, CHATGPTT_E_ARGUMENT, "message %z holds a NUL", i);
        if (!cgt_utf8_valid(text))
            return cgt_fail(error, CHATGPTT_E_ARGUMENT,
                            "message %z is not valid UTF-8, which the site takes for an empty one", i);
        if (!cgt_all_blank(text) && !(count == 1 && cgt_is(cgt_trim(text), "0"))) said++;
    }
    if (count == 0)
        return cgt_fail(error, CHATGPTT_E_ARGUMENT, "no message: set prompt, or messages and num_messages");
    return said ? CHATGPTT_OK
                : cgt_fail(
                      error, CHATGPTT_E_ARGUMENT,
                      "the message is empty or \"0\", which the site takes for nothing: nothing was sent");
}

static chatgptt_code cgt_check_request(chatgptt_client *c, const chatgptt_request *r,
                                       const chatgptt_message *messages, size_t count) {
    chatgptt_code code = cgt_check_model(&c->error, r->model);
    if (code == CHATGPTT_OK) code = cgt_check_messages(&c->error, messages, count);
    if (code == CHATGPTT_OK && r->conversation && messages[count - 1].role == CHATGPTT_ASSISTANT)
        code =
            cgt_fail(&c->error, CHATGPTT_E_ARGUMENT, "the last message of a conversation must be the user's");
    return code;
}

static void cgt_stream_set_times(chatgptt_stream *s) {
    const chatgptt_options *o = &s->client->options;
    s->started = s->ticked = cgt_now(&s->client->hooks);
    s->deadline = cgt_after(s->started, o->total_timeout_ms);
    s->idle = cgt_after(s->started, o->idle_timeout_ms);
    s->connecting = s->grace = LLONG_MAX;
    s->stats.resolve_ms = s->stats.connect_ms = s->stats.tls_ms = s->stats.page_ms = s->stats.first_text_ms =
        s->stats.total_ms = -1;
}

/* ---- conversations ---- */

/* Copies the turns of a conversation: system messages stand in front of the user's first turn, since no site
   takes them apart. */
static void cgt_stream_copy_turns(chatgptt_stream *s, const chatgptt_message *messages, size_t count) {
    size_t i, j, at = 0;
    bool first = true;
    s->turns_size = count * sizeof *s->turns;       /* no overflow: the caller's array is larger */
    s->turns = (chatgptt_message *)cgt_new(&s->client->hooks, s->turns_size);
    if (!s->turns) { s->turns_size = 0; s->message.failed = CHATGPTT_E_MEMORY; return; }
    for (i = 0; i < count; i++) {
        chatgptt_message *turn = &s->turns[s->num_turns];
        size_t before = s->message.len;
        /* nothing but system messages: then they are what is asked */
        bool last_resort = i == count - 1 && first;
        if (messages[i].role == CHATGPTT_SYSTEM && !last_resort) continue;
        if (i < count - 1 && cgt_all_blank(cgt_message_text(&messages[i]))) continue;
        if (messages[i].role != CHATGPTT_ASSISTANT && first) {
            for (j = 0; j < count; j++)
                if (messages[j].role == CHATGPTT_SYSTEM && j != i &&
                    !cgt_all_blank(cgt_message_text(&messages[j]))) {
                    cgt_append(&s->message, cgt_message_text(&messages[j]));
                    cgt_puts(&s->message, "\n\n");
                }
            first = false;
        }
        cgt_append(&s->message, cgt_message_text(&messages[i]));
        turn->role = messages[i].role == CHATGPTT_ASSISTANT ? CHATGPTT_ASSISTANT : CHATGPTT_USER;
        turn->len = s->message.len - before;
        s->num_turns++;
    }
    /* only now does the text stay where it is */
    for (i = 0; i < s->num_turns && !s->message.failed; i++) {
        s->turns[i].text = s->message.data + at;
        at += s->turns[i].len;
    }
}

/* Reads the caller's conversation, or begins one: its ids are made now. Without one, the message is a
   conversation of its own. */
static chatgptt_code cgt_stream_open_memory(chatgptt_stream *s, chatgptt_conversation *conversation) {
    static const chatgptt_conversation none = { { 0 } };
    chatgptt_client *c = s->client;
    cgt_memory *m = &s->memory;
    s->conversation = conversation;
    if (conversation && memcmp(conversation, &none, sizeof none) != 0) {
        memcpy(m, conversation->opaque, sizeof *m);
        if (cgt_memory_ok(m)) return CHATGPTT_OK;
        return cgt_fail(&c->error, CHATGPTT_E_ARGUMENT,
                        "the conversation's bytes are damaged: zero them for a new one");
    }
    memcpy(m->magic, cgt_memory_magic, sizeof m->magic);
    memcpy(m->session_id, c->session_id, sizeof c->session_id);
    if (cgt_make_uuid(&c->hooks, m->conversation_id)) return CHATGPTT_OK;
    return cgt_fail(&c->error, CHATGPTT_E_IO, "no random bytes to be had: give hooks.random");
}

static chatgptt_stream *cgt_stream_new(chatgptt_client *c, const chatgptt_request *request,
                                       const chatgptt_message *messages, size_t count) {
    chatgptt_stream *s = (chatgptt_stream *)cgt_new(&c->hooks, sizeof *s);
    if (!s) { cgt_fail(&c->error, CHATGPTT_E_MEMORY, "out of memory for a stream"); return NULL; }
    s->client = c;
    cgt_buffer_init(&s->message, &c->hooks, CHATGPTT_MAX_REQUEST);
    cgt_buffer_init(&s->out, &c->hooks, CHATGPTT_MAX_REQUEST);
    cgt_buffer_init(&s->location, &c->hooks, CHATGPTT_MAX_VALUE);
    s->target.text.hooks = &c->hooks;
    s->buffer = (char *)cgt_resize(&c->hooks, NULL, 0, CHATGPTT_READ_BUFFER);
    if (!request->conversation) cgt_fold(&s->message, messages, count);
    else cgt_stream_copy_turns(s, messages, count);
    if (cgt_stream_open_memory(s, request->conversation) < 0) { cgt_stream_free(s); return NULL; }
    if (!s->buffer || s->message.failed) {
        bool long_one = s->message.failed == CHATGPTT_E_LIMIT;
        cgt_fail(&c->error, long_one ? CHATGPTT_E_LIMIT : CHATGPTT_E_MEMORY,
                 long_one ? "the message is longer than CHATGPTT_MAX_REQUEST" : "out of memory for a stream");
        cgt_stream_free(s);
        return NULL;
    }
    s->on_tick = request->on_tick;
    s->tick_user = request->tick_user;
    cgt_stream_set_times(s);
    s->next = c->streams;
    c->streams = s;
    return s;
}

CHATGPTT_API chatgptt_stream *chatgptt_start(chatgptt_client *client, const chatgptt_request *request) {
    chatgptt_message one;
    const chatgptt_message *messages = &one;
    size_t count = 1;
    if (!client) return NULL;
    memset(&client->error, 0, sizeof client->error);
    if (!request) { cgt_fail(&client->error, CHATGPTT_E_ARGUMENT, "no request"); return NULL; }
    if (request->prompt && request->num_messages) {
        cgt_fail(&client->error, CHATGPTT_E_ARGUMENT, "give either prompt or messages, not both");
        return NULL;
    }
    one.role = CHATGPTT_USER;
    one.text = request->prompt;
    one.len = 0;
    if (!request->prompt) { messages = request->messages; count = messages ? request->num_messages : 0; }
    if (cgt_check_request(client, request, messages, count) < 0) return NULL;
    return cgt_stream_new(client, request, messages, count);
}

/* ==== [CLIENT] ==== */

/* What streams share, and the calls that block until an answer is whole. */

CHATGPTT_API const char *chatgptt_code_name(chatgptt_code code) {
#define CHATGPTT_X(name, value, text) if (code == CHATGPTT_##name) return #name;
    CHATGPTT_CODES(CHATGPTT_X)
#undef CHATGPTT_X
    return "?";
}

CHATGPTT_API const char *chatgptt_code_text(chatgptt_code code) {
#define CHATGPTT_X(name, value, text) if (code == CHATGPTT_##name) return text;
    CHATGPTT_CODES(CHATGPTT_X)
#undef CHATGPTT_X
    return "?";
}

CHATGPTT_API const char *chatgptt_model(size_t index) {
    return index < sizeof cgt_models / sizeof *cgt_models ? cgt_models[index] : NULL;
}

/* ---- open ---- */

static chatgptt_code cgt_fill_hooks(chatgptt_hooks *h, const chatgptt_transport *t, chatgptt_error *error) {
    const char *missing = NULL;
#ifndef CHATGPTT_NO_NET
    if (!h->now_ms) h->now_ms = cgt_builtin_now_ms;
    if (!h->unix_time) h->unix_time = cgt_builtin_unix_time;
    if (!h->random) h->random = cgt_builtin_random;
    if (!t->open && !t->read && !t->write && !t->want && !t->wait && !t->close) return CHATGPTT_OK;
#endif
    if (!h->now_ms) missing = "hooks.now_ms";
    else if (!h->unix_time) missing = "hooks.unix_time";
    else if (!h->random) missing = "hooks.random";
    else if (!t->open || !t->read || !t->write || !t->want || !t->wait || !t->close)
        missing = "a function of transport";
    return missing ? cgt_fail(error, CHATGPTT_E_ARGUMENT, "%s is missing in the options", missing)
                   : CHATGPTT_OK;
}

#define CGT_OR(field, value) if (o->field == 0) o->field = (value)

static void cgt_fill_options(chatgptt_options *o) {
    CGT_OR(user_agent, "Mozilla/5.0 (compatible; chatgptt.h/" CHATGPTT_VERSION ")");
    CGT_OR(connect_timeout_ms, 15000);
    CGT_OR(idle_timeout_ms, 150000);
    CGT_OR(total_timeout_ms, 600000);
    CGT_OR(max_redirects, 10);
    CGT_OR(max_page_bytes, (size_t)8 << 20);
    CGT_OR(max_header_bytes, (size_t)64 << 10);
    CGT_OR(max_event_bytes, (size_t)256 << 10);
}

#undef CGT_OR

/* The option strings, for what is done to all of them. ca_pem is the only one that may hold line ends. */
#define CGT_STRINGS(X)                                                                                    \
    X(ca_pem)                                                                                             \
    X(url) X(endpoint) X(bot_id) X(client_id) X(model) X(proxy) X(user_agent) X(address) X(nonce_pattern) \
        X(post_id_pattern) X(ca_file)
#define CGT_STRING_NAME(field) #field,
#define CGT_STRING_PLACE(field) strings[n++] = &o->field;

static const char *const cgt_string_names[] = { CGT_STRINGS(CGT_STRING_NAME) };
enum { CGT_NUM_STRINGS = sizeof cgt_string_names / sizeof *cgt_string_names };

static void cgt_list_strings(chatgptt_options *o, const char **strings[CGT_NUM_STRINGS]) {
    size_t n = 0;
    CGT_STRINGS(CGT_STRING_PLACE)
}

static chatgptt_code cgt_check_strings(chatgptt_options *o, chatgptt_error *error) {
    const char **strings[CGT_NUM_STRINGS], *why;
    size_t i, at;
    cgt_pattern pattern;
    cgt_list_strings(o, strings);
    for (i = 0; i < CGT_NUM_STRINGS; i++) {
        const char *text = *strings[i], *name = cgt_string_names[i];
        bool token = strings[i] == &o->bot_id || strings[i] == &o->client_id;
        bool is_pattern = strings[i] == &o->nonce_pattern || strings[i] == &o->post_id_pattern;
        if (!text) continue;
        if (i > 0 && cgt_has_control(cgt_text(text)))
            return cgt_fail(error, CHATGPTT_E_ARGUMENT, "%s holds a control character", name);
        if (token && (*text == '\0' || strlen(text) >= CHATGPTT_MAX_TOKEN))
            return cgt_fail(error, CHATGPTT_E_ARGUMENT, "%s is empty or longer than CHATGPTT_MAX_TOKEN",
                            name);
        if (is_pattern && !cgt_pattern_compile(&pattern, cgt_text(text), &at, &why))
            return cgt_fail(error, CHATGPTT_E_ARGUMENT, "%s: %s, at position %z", name, why, at);
    }
    return CHATGPTT_OK;
}

static chatgptt_code cgt_copy_strings(chatgptt_client *c) {
    const char **strings[CGT_NUM_STRINGS];
    size_t i, at = 0;
    cgt_list_strings(&c->options, strings);
    for (i = 0; i < CGT_NUM_STRINGS; i++)
        if (*strings[i]) c->strings_size = cgt_sum(c->strings_size, strlen(*strings[i]) + 1);
    c->strings = (char *)cgt_resize(&c->hooks, NULL, 0, c->strings_size);
    if (!c->strings) return CHATGPTT_E_MEMORY;
    for (i = 0; i < CGT_NUM_STRINGS; i++) {
        size_t size = *strings[i] ? strlen(*strings[i]) + 1 : 0;
        if (size == 0) continue;
        memcpy(c->strings + at, *strings[i], size);
        *strings[i] = c->strings + at;
        at += size;
    }
    return CHATGPTT_OK;
}

/* A client id as the site's own page makes it: random, and then kept, since it is what quotas are counted by.
   */
static chatgptt_code cgt_make_ids(chatgptt_client *c) {
    const char *given = c->options.client_id;
    char uuid[CGT_UUID_SIZE];
    if (!cgt_make_uuid(&c->hooks, c->session_id) || !cgt_make_uuid(&c->hooks, uuid))
        return cgt_fail(&c->error, CHATGPTT_E_IO, "no random bytes to be had: give hooks.random");
    memcpy(c->client_id, uuid, 8);          /* ten of its digits, past the first dash */
    memcpy(c->client_id + 8, uuid + 9, 2);
    if (!given) return CHATGPTT_OK;
    (void)cgt_fixed_set(c->client_id, sizeof c->client_id, cgt_text(given));
    c->session_id[0] = '\0';                /* AIPKIT knows its guests by session, of 64 bytes at most */
    cgt_line_add(c->session_id, sizeof c->session_id, cgt_text(given));
    return CHATGPTT_OK;
}

/* Parses an URL that the caller gave. */
static chatgptt_code cgt_given_url(chatgptt_client *c, cgt_url *url, const char *text, const char *name) {
    const char *why = "";
    cgt_slice user;
    chatgptt_code code = cgt_url_parse(url, &c->hooks, cgt_text(text), &user, &why);
    if (code < 0) return cgt_fail(&c->error, code, "%s \"%s\" is no URL: %s", name, text, why);
    if (user.len)
        return cgt_fail(&c->error, CHATGPTT_E_UNSUPPORTED, "%s holds a user name: not supported for a site",
                        name);
    return url->https ? cgt_pool_trust(&c->pool, &c->error) : CHATGPTT_OK;
}

static chatgptt_code cgt_setup_urls(chatgptt_client *c) {
    const chatgptt_options *o = &c->options;
    chatgptt_code code = cgt_given_url(c, &c->home,
                                       o->url        ? o->url
                                       : o->endpoint ? o->endpoint
                                                     : "https://chatgptt.me",
                                       "url");
    if (code < 0 || !o->endpoint) return code;
    if (!o->url) {                  /* the page of an endpoint of its own is its site's front page */
        c->home.whole.len = c->home.origin.len + 1;
        c->home.path.len = 1;
    }
    return cgt_given_url(c, &c->endpoint, o->endpoint, "endpoint");
}

/* The options are in place, but their strings are still the caller's. */
static chatgptt_code cgt_setup(chatgptt_client *c) {
    chatgptt_code code = cgt_fill_hooks(&c->hooks, &c->options.transport, &c->error);
    cgt_fill_options(&c->options);
    if (code == CHATGPTT_OK) code = cgt_check_strings(&c->options, &c->error);
    if (code == CHATGPTT_OK) code = cgt_check_model(&c->error, c->options.model);
    if (code < 0) return code;
    if (cgt_copy_strings(c) < 0) return cgt_fail(&c->error, CHATGPTT_E_MEMORY, "out of memory for a client");
    c->site.bot_id = c->chat.bot_id;
    c->site.bot_name = c->chat.bot_name;
    c->site.greeting = c->chat.greeting;
    c->site.provider = c->chat.provider;
    c->site.consent = c->chat.consent;
    c->pool.transport = c->options.transport;
    c->pool.options = &c->options;
    c->cookies.hooks = &c->hooks;
#ifndef CHATGPTT_NO_NET
    c->pool.net.hooks = &c->hooks;
    c->pool.net.address = c->options.address;
    c->pool.net.resolve_ms = -1;
    if (!c->pool.transport.open) c->pool.transport = cgt_net_transport(&c->pool.net);
#endif
    code =
        c->options.proxy ? cgt_pool_set_proxy(&c->pool, cgt_text(c->options.proxy), &c->error) : CHATGPTT_OK;
    if (code == CHATGPTT_OK) code = cgt_setup_urls(c);
    return code == CHATGPTT_OK ? cgt_make_ids(c) : code;
}

CHATGPTT_API void chatgptt_close(chatgptt_client *client) {
    chatgptt_hooks hooks;
    if (!client) return;
    while (client->streams) chatgptt_finish(client->streams);
    cgt_pool_close(&client->pool);
    cgt_jar_free(&client->cookies);
    cgt_url_free(&client->home);
    cgt_url_free(&client->page);
    cgt_url_free(&client->endpoint);
    hooks = client->hooks;
    cgt_free(&hooks, client->strings, client->strings_size);
    cgt_free(&hooks, client, sizeof *client);
}

CHATGPTT_API chatgptt_client *chatgptt_open(const chatgptt_options *options, chatgptt_error *error) {
    chatgptt_hooks hooks;
    chatgptt_client *c;
    if (error) memset(error, 0, sizeof *error);
    memset(&hooks, 0, sizeof hooks);
    if (options) hooks = options->hooks;
    if (!hooks.resize) hooks.resize = cgt_builtin_resize;
    c = (chatgptt_client *)cgt_new(&hooks, sizeof *c);
    if (!c && error) cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for a client");
    if (!c) return NULL;
    if (options) c->options = *options;
    c->hooks = hooks;
    c->home.text.hooks = c->page.text.hooks = c->endpoint.text.hooks = c->pool.proxy.text.hooks =
        c->pool.login.hooks = c->pool.hooks = &c->hooks;
    if (cgt_setup(c) == CHATGPTT_OK) return c;
    if (error) *error = c->error;
    chatgptt_close(c);
    return NULL;
}

CHATGPTT_API const chatgptt_site *chatgptt_client_site(const chatgptt_client *client) {
    return &client->site;
}

CHATGPTT_API const chatgptt_error *chatgptt_client_error(const chatgptt_client *client) {
    static const chatgptt_error no_client = {
        CHATGPTT_E_ARGUMENT, 0, 0, 0, "no client: chatgptt_open() failed; its error parameter says why"
    };
    return client ? &client->error : &no_client;
}

/* ---- blocking calls ---- */

CHATGPTT_API chatgptt_code chatgptt_chat(chatgptt_client *client, const chatgptt_request *request,
                                         chatgptt_text_fn *on_text, void *user) {
    chatgptt_stream *stream = chatgptt_start(client, request);
    chatgptt_event event;
    chatgptt_code code;
    if (!stream) return chatgptt_client_error(client)->code;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT && on_text && on_text(user, event.text, event.len))
            chatgptt_cancel(stream);
    client->error = stream->error;
    chatgptt_finish(stream);
    return code;
}

static int cgt_collect(void *user, const char *text, size_t len) {
    cgt_buffer *b = (cgt_buffer *)user;
    cgt_append(b, cgt_slice_of(text, len));
    return b->failed != CHATGPTT_OK;
}

/* The size of the block stands before the text, for chatgptt_free(). */
CHATGPTT_API char *chatgptt_ask(chatgptt_client *client, const char *prompt) {
    chatgptt_request request;
    chatgptt_code code;
    cgt_buffer b;
    size_t size = 0;
    if (!client) return NULL;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    cgt_buffer_init(&b, &client->hooks, SIZE_MAX / 4);
    cgt_append(&b, cgt_slice_of((const char *)&size, sizeof size));
    code = b.failed ? b.failed : chatgptt_chat(client, &request, cgt_collect, &b);
    if (b.failed) code = cgt_fail(&client->error, b.failed, "out of memory for the answer");
    if (code < 0 || !b.data) { cgt_buffer_free(&b); return NULL; }
    memcpy(b.data, &b.size, sizeof b.size);
    return b.data + sizeof size;
}

CHATGPTT_API void chatgptt_free(chatgptt_client *client, char *text) {
    size_t size;
    if (!client || !text) return;
    memcpy(&size, text - sizeof size, sizeof size);
    cgt_free(&client->hooks, text - sizeof size, size);
}

/* ==== [STATE] ==== */

/* Records of a tag, a length of four bytes and that many bytes, behind a magic and before a checksum. Numbers
   are decimal texts. The bytes may come from anywhere, so load() reads them into a draft and takes that over
   only if all of it is in order. */

static const char cgt_state_magic[] = "cgptst1\n";

enum cgt_tag {
    CGT_TAG_HOME = 'h',
    CGT_TAG_PAGE = 'p',
    CGT_TAG_ENDPOINT = 'e',
    CGT_TAG_CLIENT = 'c',
    CGT_TAG_SESSION = 's',
    CGT_TAG_DIALECT = 'd',
    CGT_TAG_NONCE = 'n',
    CGT_TAG_TIME = 't',
    CGT_TAG_POST = 'i',
    CGT_TAG_BOT = 'b',
    CGT_TAG_NAME = 'N',
    CGT_TAG_GREETING = 'G',
    CGT_TAG_PROVIDER = 'P',
    CGT_TAG_CONSENT = 'C',
    CGT_TAG_FLAGS = 'f',
    CGT_TAG_LIMIT = 'l',
    CGT_TAG_COOKIE = 'k',
    CGT_TAG_SAVED = 'w',
    CGT_TAG_TLS = 'T',
    CGT_TAG_END = '.'
};

typedef struct cgt_state {
    cgt_chat chat;
    cgt_url page, endpoint;
    cgt_jar cookies;
    long long time, saved, dialect, limit, flags;
    char client_id[CHATGPTT_MAX_TOKEN], session_id[CGT_SESSION_SIZE];
    bool home_ok, no_memory;
} cgt_state;

enum {
    CGT_FLAG_WIDGET = 1,
    CGT_FLAG_ASSISTANT = 2,
    CGT_FLAG_OPENAI = 4,
    CGT_FLAG_GOOGLE = 8,
    CGT_FLAG_NO_NONCE = 16,
    CGT_FLAGS_ALL = 31
};

static void cgt_put_record(cgt_buffer *b, enum cgt_tag tag, cgt_slice s) {
    int i;
    if (s.len == 0) return;
    cgt_putc(b, (char)tag);
    for (i = 0; i < 4; i++) cgt_putc(b, (char)(s.len >> (8 * i) & 0xFF));
    cgt_append(b, s);
}

static void cgt_put_number_record(cgt_buffer *b, enum cgt_tag tag, long long n) {
    char digits[24];
    cgt_put_record(b, tag, cgt_slice_of(digits, cgt_digits(digits, (unsigned long long)(n < 0 ? 0 : n))));
}

/* A cookie as the Set-Cookie value that makes it again, now. */
static void cgt_put_cookie(cgt_buffer *b, const cgt_cookie *c, long long now) {
    cgt_append(b, c->name);
    cgt_putc(b, '=');
    cgt_append(b, c->value);
    cgt_puts(b, "; Path=");
    cgt_append(b, c->path);
    if (!c->host_only) { cgt_puts(b, "; Domain="); cgt_append(b, c->domain); }
    if (c->secure) cgt_puts(b, "; Secure");
    if (c->until == LLONG_MAX) return;
    cgt_puts(b, "; Max-Age=");
    cgt_put_number(b, (unsigned long long)(c->until - now));
}

/* Whose cookies are worth keeping: the page's host, and without a page the endpoint's; not those of hosts on
   the way. */
static const cgt_url *cgt_state_site(const cgt_url *page, const cgt_url *endpoint) {
    return page->whole.len ? page : endpoint;
}

static void cgt_save_cookies(const chatgptt_client *c, cgt_buffer *b) {
    const cgt_cookie *cookie;
    long long now = cgt_unix(c);
    cgt_buffer text;
    cgt_buffer_init(&text, &c->hooks, (size_t)2 * CHATGPTT_MAX_VALUE);
    cgt_put_number_record(b, CGT_TAG_SAVED, now);
    for (cookie = c->cookies.first; cookie; cookie = cookie->next) {
        text.len = 0;
        cgt_put_cookie(&text, cookie, now);
        /* of a page's own path: no attribute can say it */
        if (cgt_find(cookie->path, ";") < cookie->path.len) continue;
        if (cookie->until > now && cgt_domain_match(cgt_state_site(&c->page, &c->endpoint), cookie->domain))
            cgt_put_record(b, CGT_TAG_COOKIE, cgt_slice_of_buffer(&text));
    }
    if (text.failed) b->failed = text.failed;
    cgt_buffer_free(&text);
}

/* the chat's texts, by their place in it */
static const struct { enum cgt_tag tag; size_t at, size;
} cgt_chat_texts[] = { { CGT_TAG_NONCE, offsetof(cgt_chat, nonce), CHATGPTT_MAX_TOKEN },
                       { CGT_TAG_POST, offsetof(cgt_chat, post_id), CHATGPTT_MAX_TOKEN },
                       { CGT_TAG_BOT, offsetof(cgt_chat, bot_id), CHATGPTT_MAX_TOKEN },
                       { CGT_TAG_NAME, offsetof(cgt_chat, bot_name), CHATGPTT_MAX_TOKEN },
                       { CGT_TAG_GREETING, offsetof(cgt_chat, greeting), CHATGPTT_MAX_WORDS },
                       { CGT_TAG_PROVIDER, offsetof(cgt_chat, provider), CHATGPTT_MAX_TOKEN },
                       { CGT_TAG_CONSENT, offsetof(cgt_chat, consent), CHATGPTT_MAX_WORDS } };
enum { CGT_CHAT_TEXTS = (sizeof cgt_chat_texts / sizeof *cgt_chat_texts) };

static void cgt_save_tokens(const chatgptt_client *c, cgt_buffer *b) {
    const cgt_chat *chat = &c->chat;
    size_t i;
    cgt_put_record(b, CGT_TAG_PAGE, c->page.whole);
    cgt_put_record(b, CGT_TAG_ENDPOINT, c->endpoint.whole);
    cgt_put_number_record(b, CGT_TAG_DIALECT, chat->dialect);
    cgt_put_number_record(b, CGT_TAG_TIME, c->tokens_time);
    for (i = 0; i < CGT_CHAT_TEXTS; i++)
        cgt_put_record(b, cgt_chat_texts[i].tag, cgt_text((const char *)chat + cgt_chat_texts[i].at));
    cgt_put_number_record(b, CGT_TAG_LIMIT, chat->memory_limit);
    cgt_put_number_record(b, CGT_TAG_FLAGS,
                          chat->widget * CGT_FLAG_WIDGET + chat->assistant * CGT_FLAG_ASSISTANT +
                              chat->keeps_openai * CGT_FLAG_OPENAI + chat->keeps_google * CGT_FLAG_GOOGLE +
                              c->no_nonce_action * CGT_FLAG_NO_NONCE);
}

static void cgt_save_sessions(const chatgptt_client *c, cgt_buffer *b) {
#ifndef CHATGPTT_NO_TLS
    cgt_buffer text;
    size_t i;
    for (i = 0; c->pool.trust && i < CGT_SESSIONS; i++) {
        cgt_buffer_init(&text, &c->hooks, CHATGPTT_MAX_CERTIFICATE);
        if (cgt_session_save(c->pool.trust, i, &text))
            cgt_put_record(b, CGT_TAG_TLS, cgt_slice_of_buffer(&text));
        if (text.failed == CHATGPTT_E_MEMORY) b->failed = text.failed;
        cgt_buffer_free(&text);
    }
#endif
    (void)c; (void)b;
}

CHATGPTT_API size_t chatgptt_save(const chatgptt_client *client, void *buffer, size_t size) {
    cgt_buffer b;
    size_t len;
    cgt_buffer_init(&b, &client->hooks, CHATGPTT_MAX_STATE);
    cgt_puts(&b, cgt_state_magic);
    cgt_put_record(&b, CGT_TAG_HOME, client->home.whole);
    cgt_put_record(&b, CGT_TAG_CLIENT, cgt_text(client->client_id));
    cgt_put_record(&b, CGT_TAG_SESSION, cgt_text(client->session_id));
    if (client->has_tokens) cgt_save_tokens(client, &b);
    if (client->has_tokens) cgt_save_cookies(client, &b);
    cgt_save_sessions(client, &b);
    cgt_put_number_record(&b, CGT_TAG_END, (long long)(cgt_fnv(0, cgt_slice_of_buffer(&b)) >> 1));
    len = b.failed ? 0 : b.len;
    if (len && len <= size && buffer) memcpy(buffer, b.data, len);
    cgt_buffer_free(&b);
    return len;
}

/* ---- load ---- */

static bool cgt_load_text(char *out, size_t size, cgt_slice s) {
    return !cgt_has_control(s) && cgt_utf8_valid(s) && cgt_fixed_set(out, size, s);
}

static bool cgt_load_url(cgt_state *d, cgt_url *url, cgt_slice s) {
    const chatgptt_hooks *hooks = url->text.hooks;
    const char *why;
    cgt_slice user;
    chatgptt_code code;
    cgt_url_free(url);
    code = cgt_url_parse(url, hooks, s, &user, &why);
    url->text.hooks = hooks;
    d->no_memory = code == CHATGPTT_E_MEMORY;
    return code == CHATGPTT_OK && user.len == 0;
}

static bool cgt_load_cookie(cgt_state *d, cgt_slice s) {
    const cgt_url *from = cgt_state_site(&d->page, &d->endpoint);
    d->no_memory = from->whole.len && !cgt_jar_set(&d->cookies, from, s, d->saved);
    return from->whole.len && !d->no_memory;
}

static bool cgt_load_number(long long *out, cgt_slice s, long long max) {
    size_t i;
    for (i = 0; i < s.len; i++)
        if (!cgt_digit(s.at[i])) return false;
    *out = cgt_number(s, max);
    return *out >= 0;
}

/* One record into the draft. false: it is not in order. */
static bool cgt_load_record(chatgptt_client *c, cgt_state *d, char tag, cgt_slice s) {
    size_t i;
    switch (tag) {
    case CGT_TAG_HOME: d->home_ok = cgt_same(s, c->home.whole); return d->home_ok;
    case CGT_TAG_PAGE: return cgt_load_url(d, &d->page, s);
    case CGT_TAG_ENDPOINT: return cgt_load_url(d, &d->endpoint, s);
    case CGT_TAG_CLIENT: return cgt_load_text(d->client_id, sizeof d->client_id, s);
    case CGT_TAG_SESSION: return cgt_load_text(d->session_id, sizeof d->session_id, s);
    case CGT_TAG_TIME: return cgt_load_number(&d->time, s, LLONG_MAX / 2);
    case CGT_TAG_FLAGS: return cgt_load_number(&d->flags, s, CGT_FLAGS_ALL);
    case CGT_TAG_LIMIT: return cgt_load_number(&d->limit, s, 100000);
    case CGT_TAG_DIALECT: return cgt_load_number(&d->dialect, s, CHATGPTT_AIPKIT);
    case CGT_TAG_SAVED: return cgt_load_number(&d->saved, s, LLONG_MAX / 2);
    case CGT_TAG_COOKIE: return cgt_load_cookie(d, s);
    default:
        for (i = 0; i < CGT_CHAT_TEXTS; i++)
            if (tag == (char)cgt_chat_texts[i].tag)
                return cgt_load_text((char *)&d->chat + cgt_chat_texts[i].at, cgt_chat_texts[i].size, s);
        return tag == CGT_TAG_TLS;
    }
}

/* Takes the next record off `rest`. false: there is none that is whole. */
static bool cgt_next_record(cgt_slice *rest, char *tag, cgt_slice *s) {
    size_t len = 0;
    int i;
    if (rest->len < 5) return false;
    *tag = rest->at[0];
    for (i = 4; i >= 1; i--) len = len << 8 | (unsigned char)rest->at[i];
    *rest = cgt_from(*rest, 5);
    if (len > rest->len) return false;
    *s = cgt_slice_of(rest->at, len);
    *rest = cgt_from(*rest, len);
    return true;
}

static bool cgt_load_draft(chatgptt_client *c, cgt_state *d, cgt_slice all) {
    size_t magic = sizeof cgt_state_magic - 1;
    char tag = 0;
    long long sum;
    cgt_slice rest, s = cgt_text("");
    if (all.len < magic || memcmp(all.at, cgt_state_magic, magic) != 0) return false;
    rest = cgt_from(all, magic);
    while (cgt_next_record(&rest, &tag, &s) && tag != CGT_TAG_END)
        if (!cgt_load_record(c, d, tag, s)) return false;
    if (tag != CGT_TAG_END || rest.len || !d->home_ok || !cgt_load_number(&sum, s, LLONG_MAX)) return false;
    return sum == (long long)(cgt_fnv(0, cgt_slice_of(all.at, all.len - s.len - 5)) >> 1);
}

/* Whether the draft's tokens are what these options ask for. */
static bool cgt_load_has_tokens(const chatgptt_client *c, const cgt_state *d) {
    const chatgptt_options *o = &c->options;
    const cgt_chat *chat = &d->chat;
    bool endpoint = o->endpoint ? cgt_same(c->endpoint.whole, d->endpoint.whole) : d->endpoint.whole.len > 0;
    if (!chat->nonce[0] || chat->dialect == CHATGPTT_AUTO || !endpoint ||
        (d->page.https && !d->endpoint.https && !o->endpoint))
        return false;
    if (chat->dialect == CHATGPTT_WPAICG && d->page.whole.len == 0) return false;
    return (!o->bot_id || strcmp(o->bot_id, chat->bot_id) == 0) &&
           (o->dialect == CHATGPTT_AUTO || o->dialect == chat->dialect);
}

static void cgt_swap_url(cgt_url *a, cgt_url *b) {
    cgt_url held = *a;
    *a = *b;
    *b = held;
}

static void cgt_load_take(chatgptt_client *c, cgt_state *d, cgt_slice all) {
    char tag;
    cgt_jar jar = c->cookies;
    cgt_chat *chat = &d->chat;
    cgt_slice s, rest = cgt_from(all, sizeof cgt_state_magic - 1);
    if (!c->options.client_id && d->client_id[0]) memcpy(c->client_id, d->client_id, sizeof c->client_id);
    if (!c->options.client_id && d->session_id[0]) memcpy(c->session_id, d->session_id, sizeof c->session_id);
    c->cookies = d->cookies;
    d->cookies = jar;
    chat->dialect = (chatgptt_dialect)d->dialect;
    chat->memory_limit = (int)d->limit;
    chat->widget = d->flags & CGT_FLAG_WIDGET;
    chat->assistant = d->flags & CGT_FLAG_ASSISTANT;
    chat->keeps_openai = d->flags & CGT_FLAG_OPENAI;
    chat->keeps_google = d->flags & CGT_FLAG_GOOGLE;
    if (cgt_load_has_tokens(c, d)) {
        cgt_swap_url(&c->page, &d->page);
        cgt_swap_url(&c->endpoint, &d->endpoint);
        c->chat = d->chat;
        c->no_nonce_action = d->flags & CGT_FLAG_NO_NONCE;
        cgt_client_share(c);
        c->tokens_time = d->time;
    }
#ifndef CHATGPTT_NO_TLS
    while (c->pool.trust && cgt_next_record(&rest, &tag, &s))
        if (tag == CGT_TAG_TLS) cgt_session_load(c->pool.trust, s);
#else
    (void)tag; (void)s; (void)rest;
#endif
}

CHATGPTT_API chatgptt_code chatgptt_load(chatgptt_client *client, const void *buffer, size_t size) {
    chatgptt_client *c = client;
    cgt_slice all = cgt_slice_of((const char *)buffer, size);
    cgt_state *draft = (cgt_state *)cgt_new(&c->hooks, sizeof *draft);
    bool ok, no_memory;
    memset(&c->error, 0, sizeof c->error);
    if (!draft) return cgt_fail(&c->error, CHATGPTT_E_MEMORY, "out of memory for a saved state");
    draft->page.text.hooks = draft->endpoint.text.hooks = draft->cookies.hooks = &c->hooks;
    ok = buffer && size <= CHATGPTT_MAX_STATE && cgt_load_draft(c, draft, all);
    if (ok) cgt_load_take(c, draft, all);
    no_memory = draft->no_memory;
    cgt_url_free(&draft->page);
    cgt_url_free(&draft->endpoint);
    cgt_jar_free(&draft->cookies);
    cgt_free(&c->hooks, draft, sizeof *draft);
    if (no_memory) return cgt_fail(&c->error, CHATGPTT_E_MEMORY, "out of memory for a saved state");
    return ok ? CHATGPTT_OK
              : cgt_fail(&c->error, CHATGPTT_E_ARGUMENT,
                         "the saved state is damaged or of another site; it was not taken over");
}

/* Nothing private leaks into the file that includes this. */
#undef CGT_ANY
#undef CGT_STRINGS
#undef CGT_STRING_NAME
#undef CGT_STRING_PLACE
#undef CGT_TLS_VERSION

#endif /* CHATGPTT_IMPLEMENTATION_DONE */
#endif /* CHATGPTT_IMPLEMENTATION */

/* HISTORY
       0.1.0   the first: both generations of the plugin, http and https, conversations, proxies, saved states

   LICENCE: take the one you like better.

   1. Public domain (Unlicense). This is free and unencumbered software released into the public domain.
   Anyone may copy, modify, publish, use, compile, sell or distribute it, as source or binary, for any
   purpose, commercial or not, and by any means. In jurisdictions that recognise copyright laws, the authors
   dedicate any and all copyright interest in it to the public domain.

   2. MIT. Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
   associated documentation files (the "Software"), to deal in the Software without restriction, including
   without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
   copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
   following condition: this permission notice shall be included in all copies or substantial portions of the
   Software.

   Either way: THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
   BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
   IN NO EVENT SHALL THE AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
   CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
   DEALINGS IN THE SOFTWARE. */
