/* chatgptt.h - 0.1.0 - chat with a web site that runs the WordPress plugin AI Power, as chatgptt.me does.
   One header, C99 or C++11, a libc and, for https, mbedTLS. Public domain or MIT: see the end of the file.

   Do this in ONE file of your program, and plainly #include "chatgptt.h" in the others:

       #define CHATGPTT_IMPLEMENTATION
       #include "chatgptt.h"

       int main(void)
       {
           chatgptt_error error;
           chatgptt_client *client = chatgptt_open(NULL, &error);
           char *answer = chatgptt_ask(client, "Why is the sky blue?");
           if (client) error = *chatgptt_client_error(client);
           puts(answer ? answer : error.message);
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
       [EXCHANGE]  one request and its response: the only engine
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
                    Edge-triggered loops call step() until it says AGAIN twice in a row: after a read that
                    took all there was, the first AGAIN comes without asking the socket again.
   Many streams may run on one client at once, each on its own connection.

   RESULTS. 0 (OK) and above are no errors, below 0 are. DONE alone says that an answer is whole: text that
   came before an error is provisional. After the end every further call repeats it. The error's message is
   one line that says what failed, where, and what to do; it never holds a token, cookie, password or message.
   The README has a table of what each code means.

   MEMORY. All memory but that of mbedTLS and getaddrinfo() comes through hooks.resize. Memory is lent:
   read buffers (CHATGPTT_READ_BUFFER, one as a rule) belong to the client and are held while bytes in
   them are unread, the tokenizer and 8 KB of header lines while a page or a head is read, the request
   until its response's head. A reply of any length costs the same. See WHAT IT COSTS. Options and
   requests are copied; what the library hands out is its own, valid until the next call on the client;
   only what chatgptt_ask() returns is the caller's, to be given to chatgptt_free().

   TIME. Three limits, each on by default. total_timeout_ms is absolute, from start() to the last byte,
   redirects and renewals included. connect_timeout_ms runs from looking for a connection to the request's
   first byte, tunnel and TLS included. idle_timeout_ms counts silence after that, from the last byte in
   either direction; comment lines of an event stream break it. One exception: getaddrinfo() BLOCKS and
   heeds no timeout, neither these nor cancel. Where that matters give `address`, or a transport of your
   own. Names with several addresses are tried as RFC 8305 says, 250 ms apart, two at once.

   TWICE? A message is sent twice only where it cannot have been heard: on a connection that was kept, if
   it closes without one byte, once, and within a second of the request's end (or three times what
   connecting took). A token that the site refuses is renewed once, before any text. All else is an error,
   since a message costs money.

   THREADS. One thread at a time per client; clients are independent, and there are no globals. With
   mbedTLS 3 and later that needs its MBEDTLS_THREADING_C, since its PSA core is shared. To cancel from a
   signal handler or another thread set a flag of your own and return it from on_tick. The library never
   touches the process: no signals (a broken pipe is an error, not SIGPIPE), no locale, no printing, no
   exit. It reads one environment variable, SSL_CERT_FILE.

   TRUST. https is verified by default: a chain to the system's roots or to ca_file / ca_pem, the name or
   address in a subjectAltName, TLS 1.2 or 1.3 with ECDHE and AEAD, SHA-2, RSA of 2048 bits or more.
   Revocation is not checked, as in curl. Validity is judged by the system's clock. `insecure` takes any
   certificate: whoever is on the path can then read and change the chat. A page never leads from https to
   http. What save() writes holds tokens, cookies and TLS keys: keep it as secret as a cookie, and where
   nobody else can write. load() takes nothing over that is damaged, of another site, or leads elsewhere.

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
              CHATGPTT_SHORT_ERRORS   a message is the code's text and the host: 6 KB less
              CHATGPTT_ONLY_WPAICG, CHATGPTT_ONLY_AIPKIT   one generation of the plugin: 1.5 KB less

   A TRANSPORT OF YOUR OWN is six functions over raw bytes (chatgptt_transport); TLS, proxy and reuse lie
   above it. examples/own_transport.c runs over two rings in memory.

   WHAT IT COSTS, in bytes of heap (64 bits, default limits; tests/test_costs.c measures and compares)
       a client, the site's tokens known        2400
       a connection it keeps                    240
       a stream that waits for its answer       3000   and its message
       a stream whose answer comes              4150
   beside these one read buffer while any stream runs, and mbedTLS's own: some 44 to 63 KB a connection
   and, once, what the roots take. Code (make size, -Os, text): x86-64 89 KB with TLS glue, 82 KB with
   NO_TLS, 80 KB with NO_NET too; Thumb-2 69, 63 and 61 KB; data: 0. Deepest stack outside mbedTLS and
   libc at -O2: 3.2 KB; no frame over 1 KB (make lint).

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

#ifndef CHATGPTT_STATIC
#define CHATGPTT_API extern
#elif !defined(CHATGPTT_IMPLEMENTATION)
#error "CHATGPTT_STATIC makes every function static: define CHATGPTT_IMPLEMENTATION in the same file"
#elif defined(__GNUC__)
#define CHATGPTT_API static __attribute__((unused))
#else
#define CHATGPTT_API static
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results: 0 is ok, above 0 is no error, below 0 is an error. One table makes the enum, the names and
   the texts ---- */

#define CHATGPTT_CODES(X)                                                                               \
    X(OK, 0, "ok") X(AGAIN, 1, "not yet") X(DONE, 2, "complete") X(E_ARGUMENT, -1, "bad argument")      \
    X(E_MEMORY, -2, "out of memory") X(E_LIMIT, -3, "a limit was passed") X(E_TIMEOUT, -4, "timed out") \
    X(E_CANCELLED, -5, "cancelled") X(E_MODEL, -6, "unknown model") X(E_RESOLVE, -7, "name not found")  \
    X(E_CONNECT, -8, "cannot connect") X(E_PROXY, -9, "proxy refused") X(E_TLS, -10, "TLS failed")      \
    X(E_CERTIFICATE, -11, "certificate not trusted") X(E_IO, -12, "connection broke")                   \
    X(E_CLOSED, -13, "closed too early") X(E_HTTP, -14, "not valid HTTP/1.1")                           \
    X(E_STATUS, -15, "unexpected status") X(E_BLOCKED, -16, "blocked by a challenge or firewall")       \
    X(E_RATE_LIMITED, -17, "rate or quota limit") X(E_PAGE, -18, "no chat on the page")                 \
    X(E_NONCE, -19, "token refused") X(E_REFUSED, -20, "refused by the site")                           \
    X(E_UPSTREAM, -21, "the site's model failed") X(E_REPLY, -22, "reply not understood")               \
    X(E_INCOMPLETE, -23, "answer broke off") X(E_UNSUPPORTED, -24, "not supported")

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
    /* OK, AGAIN, DONE (end), < 0: E_CLOSED if the peer has gone */
    chatgptt_code (*read)(void *user, void *conn, void *buffer, size_t size, size_t *done);
    /* OK, AGAIN, < 0: the same */
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
    const char *nonce_pattern, *post_id_pattern;
    const char *ca_file, *ca_pem;   /* trust these roots only; default: the system's store */
    /* true: any certificate. Whoever is on the path can read and change the chat */
    bool insecure;
    /* 15000: from opening a connection to its being ready for the request; -1: none */
    int connect_timeout_ms;
    /* 150000: without a byte in or out; 600000: from start() to the last byte, retries included; -1: none */
    int idle_timeout_ms, total_timeout_ms;
    int max_redirects;              /* 10; -1: follow none */
    /* 8 MiB; 64 KiB a response, 1xx and trailers included */
    size_t max_page_bytes, max_header_bytes;
    /* 256 KiB: of an event that must be held whole; text that streams through is not held */
    size_t max_event_bytes;
    size_t max_reply_bytes;         /* no limit: of a reply's body */
    chatgptt_transport transport; chatgptt_hooks hooks;     /* default: sockets; built in */
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

/* getaddrinfo and clock_gettime under -std=c99 and its like. Elsewhere they are seen as it is, and asking for
   POSIX would hide what the program had (M_PI, usleep). */
#if !defined(CHATGPTT_NO_NET) && defined(__STRICT_ANSI__) && !defined(_POSIX_C_SOURCE) && \
    !defined(_XOPEN_SOURCE) && !defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE) && !defined(_WIN32) && \
    !defined(__APPLE__) && !defined(__FreeBSD__) && !defined(__OpenBSD__) && !defined(__NetBSD__)
#define _POSIX_C_SOURCE 200809L
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
#ifdef __linux__
#include <sys/random.h>
#endif
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
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif
#if !defined(MBEDTLS_SSL_CLI_C) || !defined(MBEDTLS_X509_CRT_PARSE_C) || !defined(MBEDTLS_HAVE_TIME_DATE)
#error "chatgptt.h: mbedTLS without MBEDTLS_SSL_CLI_C, MBEDTLS_X509_CRT_PARSE_C or MBEDTLS_HAVE_TIME_DATE \
cannot connect, verify, or tell an expired certificate: define them, or CHATGPTT_NO_TLS"
#endif
#endif

/* a build for one generation of the plugin leaves out what only the other needs */
#if defined(CHATGPTT_ONLY_WPAICG) && defined(CHATGPTT_ONLY_AIPKIT)
#error "chatgptt.h: CHATGPTT_ONLY_WPAICG and CHATGPTT_ONLY_AIPKIT together leave nothing"
#elif defined(CHATGPTT_ONLY_WPAICG)
enum { CGT_HAS_WPAICG = 1, CGT_HAS_AIPKIT = 0 };
#elif defined(CHATGPTT_ONLY_AIPKIT)
enum { CGT_HAS_WPAICG = 0, CGT_HAS_AIPKIT = 1 };
#else
enum { CGT_HAS_WPAICG = 1, CGT_HAS_AIPKIT = 1 };
#endif

/* Every size has its name and its maximum here; an embedded build lowers them with -D, down to what the
   protocol itself needs. All are bytes unless they say otherwise. */
#ifndef CHATGPTT_READ_BUFFER
#define CHATGPTT_READ_BUFFER   16384    /* what one running stream reads at a time */
#endif
#ifndef CHATGPTT_MAX_URL
#define CHATGPTT_MAX_URL       4096     /* any URL, encoded */
#endif
#define CHATGPTT_MAX_ORIGIN    288      /* "https://host:port" */
#define CHATGPTT_MAX_CERTIFICATE 32768  /* one root of the trust store; the chain of a server */
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
#ifndef CHATGPTT_MAX_DRAIN
#define CHATGPTT_MAX_DRAIN     4096     /* what may still come of a response whose end mark was seen */
#endif
#define CHATGPTT_MAX_IDLE_MS   55000    /* how long one is kept; servers close theirs after 60 s or more */
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
#define CHATGPTT_MAX_VALUE     8192     /* value of a header that is looked at */
#endif
#ifndef CHATGPTT_MAX_CHUNK_EXT
#define CHATGPTT_MAX_CHUNK_EXT 16384    /* chunk extensions of one response, all together */
#endif
#define CHATGPTT_MAX_INTERIM   16       /* 1xx responses before the real one */
/* buffers one step() works through before it lets the caller breathe */
#define CHATGPTT_MAX_PAUSE     16
#define CHATGPTT_MAX_ADDRESSES 16       /* addresses of one name that are tried */
#ifndef CHATGPTT_MAX_PATTERN
#define CHATGPTT_MAX_PATTERN   60       /* characters and classes of one pattern; `x+` counts twice */
#endif
#define CHATGPTT_MAX_CLASSES   8        /* classes of one pattern */
#ifndef CHATGPTT_MAX_CAPTURE
#define CHATGPTT_MAX_CAPTURE   1024     /* what a pattern may capture from a page */
#endif
#ifndef CHATGPTT_MAX_TOKEN
#define CHATGPTT_MAX_TOKEN     128      /* nonce, ids, names the page gives */
#endif
#ifndef CHATGPTT_MAX_WORDS
#define CHATGPTT_MAX_WORDS     512      /* the site's own words, kept for an error message */
#endif
#ifndef CHATGPTT_MAX_ALIKE
#define CHATGPTT_MAX_ALIKE     320      /* the start of an event, known again in the next */
#endif
#ifndef CHATGPTT_MAX_DEPTH
#define CHATGPTT_MAX_DEPTH     64       /* nesting of JSON */
#endif
#ifndef CHATGPTT_MAX_NOISE
#define CHATGPTT_MAX_NOISE     65536    /* what may stand before the JSON of a reply */
#endif

/* Below these a page would never end, or the protocol not be spoken. */
#if CHATGPTT_READ_BUFFER < 256 || CHATGPTT_MAX_URL < 256 || CHATGPTT_MAX_COOKIES < 4 || CHATGPTT_MAX_IDLE < 1
#error "at least: CHATGPTT_READ_BUFFER 256, CHATGPTT_MAX_URL 256, CHATGPTT_MAX_COOKIES 4, CHATGPTT_MAX_IDLE 1"
#elif CHATGPTT_MAX_DRAIN < 32 || CHATGPTT_MAX_STATE < 4096 || CHATGPTT_MAX_REQUEST < 4096
#error "at least: CHATGPTT_MAX_DRAIN 32, CHATGPTT_MAX_STATE 4096, CHATGPTT_MAX_REQUEST 4096"
#elif CHATGPTT_MAX_NAME < 32 || CHATGPTT_MAX_VALUE < 64 || CHATGPTT_MAX_CHUNK_EXT < 16
#error "at least: CHATGPTT_MAX_NAME 32, CHATGPTT_MAX_VALUE 64, CHATGPTT_MAX_CHUNK_EXT 16"
#elif CHATGPTT_MAX_PATTERN < 40 || CHATGPTT_MAX_PATTERN > 62 || CHATGPTT_MAX_CAPTURE < 64 || \
    CHATGPTT_MAX_ALIKE < 1
#error "CHATGPTT_MAX_PATTERN 40 to 62, CHATGPTT_MAX_CAPTURE at least 64, CHATGPTT_MAX_ALIKE at least 1"
#elif CHATGPTT_MAX_TOKEN < 48 || CHATGPTT_MAX_WORDS < 64 || CHATGPTT_MAX_DEPTH < 12 || CHATGPTT_MAX_NOISE < 64
#error "at least: CHATGPTT_MAX_TOKEN 48, CHATGPTT_MAX_WORDS 64, CHATGPTT_MAX_DEPTH 12, CHATGPTT_MAX_NOISE 64"
#endif

/* ==== [BASE] ==== */

typedef struct cgt_slice { const char *at; size_t len; } cgt_slice;    /* borrowed, not terminated */

static cgt_slice cgt_slice_of(const char *at, size_t len) { cgt_slice s = { at, len }; return s; }

static cgt_slice cgt_text(const char *s) { return cgt_slice_of(s ? s : "", s ? strlen(s) : 0); }

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
    c = cgt_lower(c);
    return cgt_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool cgt_starts(cgt_slice s, const char *lower) {      /* in any letter case */
    size_t i = 0;
    for (; lower[i]; i++) if (i >= s.len || cgt_lower(s.at[i]) != lower[i]) return false;
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
    long long n = 0; size_t i, digits = cgt_span(s, cgt_digit);
    for (i = 0; i < digits && n >= 0; i++)                  /* n stays in its type */
        n = n > max / 10 || s.at[i] - '0' > max - n * 10 ? -1 : n * 10 + (s.at[i] - '0');
    return digits ? n : -1;
}

/* The same where nothing may follow it. */
static long long cgt_whole_number(cgt_slice s, long long max) {
    return cgt_span(s, cgt_digit) == s.len ? cgt_number(s, max) : -1;
}

static size_t cgt_digits(char out[24], unsigned long long n) {    /* terminated; the number of digits */
    unsigned long long rest = n; size_t len = 1, i;
    while (rest /= 10) len++;
    for (out[i = len] = '\0'; i; n /= 10) out[--i] = (char)('0' + (int)(n % 10));
    return len;
}

/* where the first of these characters stands; s.len: nowhere */
static size_t cgt_find(cgt_slice s, const char *any) {
    size_t i = 0;
    while (i < s.len && !(s.at[i] && strchr(any, s.at[i]))) i++;
    return i;
}

static cgt_slice cgt_from(cgt_slice s, size_t from) { return cgt_slice_of(s.at + from, s.len - from); }

/* Takes what stands before the next such character off `rest`, trimmed, and the character too. */
static cgt_slice cgt_cut(cgt_slice *rest, const char *at) {
    size_t n = cgt_find(*rest, at); cgt_slice part = cgt_trim(cgt_slice_of(rest->at, n));
    *rest = cgt_from(*rest, n < rest->len ? n + 1 : n);
    return part;
}

static bool cgt_contains(cgt_slice s, const char *lower) {
    while (s.len && !cgt_starts(s, lower)) s = cgt_from(s, 1);
    return s.len > 0;
}

/* FNV-1a: tells texts apart, but not against an adversary */
static uint64_t cgt_fnv(uint64_t sum, cgt_slice s) {
    for (; s.len; s = cgt_from(s, 1)) sum = (sum ^ (unsigned char)*s.at) * 0x100000001B3u;
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
    const unsigned char *p = (const unsigned char *)at; size_t i, want = 2u + (p[0] >= 0xE0) + (p[0] >= 0xF0);
    /* of the second byte: no overlong forms, no surrogates, nothing past U+10FFFF */
    unsigned low = p[0] == 0xE0 ? 0xA0u : p[0] == 0xF0 ? 0x90u : 0x80u;
    unsigned high = p[0] == 0xED ? 0x9Fu : p[0] == 0xF4 ? 0x8Fu : 0xBFu;
    *len = 1;
    if (p[0] < 0x80) return CGT_UTF8_WHOLE;
    if (p[0] < 0xC2 || p[0] > 0xF4) return CGT_UTF8_BAD;
    for (i = 1; i < want; *len = ++i, low = 0x80, high = 0xBF)
        if (i == size || p[i] < low || p[i] > high) return i == size ? CGT_UTF8_CUT : CGT_UTF8_BAD;
    return CGT_UTF8_WHOLE;
}

static size_t cgt_utf8_put(char out[4], uint32_t code) {      /* surrogates and beyond become U+FFFD */
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 }; size_t len, i;
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
    len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}

static bool cgt_utf8_valid(cgt_slice s) {
    size_t n;
    for (; s.len; s = cgt_from(s, n)) if (cgt_utf8_at(s.at, s.len, &n) != CGT_UTF8_WHOLE) return false;
    return true;
}

/* ---- fixed texts: what must outlive the bytes it was read from, in an array of named size ---- */

/* Appends as one line: controls become blanks, runs of blanks one, invalid UTF-8 `?`; what does not fit is
   cut at a character, and nothing is added behind a cut, however the text comes: the array's last byte, which
   no terminator needs then, keeps that. */
static void cgt_line_add(char *line, size_t size, cgt_slice s) {
    size_t len = strlen(line), n;
    for (line[size - 1] = len ? line[size - 1] : '\0'; s.at && s.len && !line[size - 1]; s = cgt_from(s, n)) {
        bool blank = cgt_control(*s.at) || *s.at == ' '; cgt_slice c = cgt_slice_of(blank ? " " : "?", 1);
        if (cgt_utf8_at(s.at, s.len, &n) == CGT_UTF8_WHOLE && !blank) c = cgt_slice_of(s.at, n);
        if (blank && (len == 0 || line[len - 1] == ' ')) continue;
        if (len + c.len >= size) { line[size - 1] = 1; break; }
        memcpy(line + len, c.at, c.len); len += c.len;
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

static void cgt_free(const chatgptt_hooks *hooks, void *p, size_t n) { if (p) cgt_resize(hooks, p, n, 0); }

static void *cgt_new(const chatgptt_hooks *hooks, size_t size) {      /* zeroed; NULL: out of memory */
    void *block = cgt_resize(hooks, NULL, 0, size);
    if (block) memset(block, 0, size);
    return block;
}

/* A string that grows up to `max`, always terminated once it was appended to. The first failure sticks:
   append at will, test `failed` once. */
typedef struct cgt_buffer {
    const chatgptt_hooks *hooks; char *data; size_t len, size, max;
    chatgptt_code failed;           /* OK, E_MEMORY, E_LIMIT */
} cgt_buffer;

static void cgt_buffer_init(cgt_buffer *b, const chatgptt_hooks *hooks, size_t max) {
    memset(b, 0, sizeof *b); b->hooks = hooks; b->max = max;
}

static void cgt_buffer_free(cgt_buffer *b) {
    cgt_free(b->hooks, b->data, b->size); cgt_buffer_init(b, b->hooks, b->max);
}

static bool cgt_reserve(cgt_buffer *b, size_t more) {
    size_t need = cgt_sum(cgt_sum(b->len, more), 1), size = need < 86 ? 128 : cgt_sum(need, need / 2);
    char *data;
    if (!b->failed && (need - 1 > b->max || need == SIZE_MAX)) b->failed = CHATGPTT_E_LIMIT;
    if (b->failed || need <= b->size) return !b->failed;
    data = (char *)cgt_resize(b->hooks, b->data, b->size, size);
    if (data) { b->data = data; b->size = size; } else b->failed = CHATGPTT_E_MEMORY;
    return data != NULL;
}

static void cgt_append(cgt_buffer *b, cgt_slice s) {
    if (!cgt_reserve(b, s.len)) return;
    if (s.len) memcpy(b->data + b->len, s.at, s.len);
    b->len += s.len; b->data[b->len] = '\0';
}

static void cgt_puts(cgt_buffer *b, const char *text) { cgt_append(b, cgt_text(text)); }
static void cgt_putc(cgt_buffer *b, char c) { cgt_append(b, cgt_slice_of(&c, 1)); }

static void cgt_put_number(cgt_buffer *b, unsigned long long n) {
    char digits[24]; cgt_append(b, cgt_slice_of(digits, cgt_digits(digits, n)));
}

static cgt_slice cgt_slice_of_buffer(const cgt_buffer *b) {
    return cgt_slice_of(b->data ? b->data : "", b->len);
}

/* ---- errors ---- */

/* Sets the error and returns its code. In `format`: %s a string, %b a cgt_slice, %d an int that is not
   negative, %z a size_t. What the network sent may be passed as it is: it is made one line. Not vsnprintf, so
   that an embedded build needs no formatted output. */
static chatgptt_code cgt_fail(chatgptt_error *error, chatgptt_code code, const char *format, ...) {
    char digits[24]; va_list args; size_t plain; cgt_slice piece;
    memset(error, 0, sizeof *error); error->code = code;
    va_start(args, format);
    for (; *format; format += plain ? plain : 2) {
        plain = strcspn(format, "%");
        piece = plain ? cgt_slice_of(format, plain)
                : format[1] == 's' ? cgt_text(va_arg(args, const char *))
                : format[1] == 'b' ? va_arg(args, cgt_slice)
                : cgt_slice_of(digits, cgt_digits(digits, format[1] == 'z' ? va_arg(args, size_t)
                                                                           : (unsigned)va_arg(args, int)));
        cgt_line_add(error->message, sizeof error->message, piece);
    }
    va_end(args);
    return code;
}

#ifdef CHATGPTT_SHORT_ERRORS    /* the code's text; STREAM adds the host; a call never made has no words */
#define cgt_fail(error, code, ...) \
    (cgt_fail)(error, 0 ? (cgt_fail)(error, code, __VA_ARGS__) : (code), "%s", chatgptt_code_text(code))
#endif

/* ==== [CLOCK] ==== */

#ifndef CHATGPTT_NO_NET

static long long cgt_clock(clockid_t which, long long a_second) {
    struct timespec t;
    if (clock_gettime(which, &t) != 0) return 0;
    return (long long)t.tv_sec * a_second + (long long)t.tv_nsec * a_second / 1000000000;
}

static long long cgt_builtin_now_ms(void *user) { (void)user; return cgt_clock(CLOCK_MONOTONIC, 1000); }
static long long cgt_builtin_unix_time(void *user) { (void)user; return cgt_clock(CLOCK_REALTIME, 1); }

/* Where the system has a call for it no file is opened, which an empty chroot would not have. */
static chatgptt_code cgt_builtin_random(void *user, void *bytes, size_t size) {
    char *at = (char *)bytes, *end = at + size; ssize_t n = 1;
    (void)user;
#ifdef __linux__
    for (; at < end && n > 0; at += n > 0 ? n : 0) n = getrandom(at, (size_t)(end - at), 0);
#else
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    for (; fd >= 0 && at < end && n > 0; at += n > 0 ? n : 0) n = read(fd, at, (size_t)(end - at));
    if (fd >= 0) close(fd);
#endif
    return at == end ? CHATGPTT_OK : CHATGPTT_E_IO;
}

#endif /* CHATGPTT_NO_NET */

static void *cgt_builtin_resize(void *user, void *block, size_t old_size, size_t new_size) {
    (void)user; (void)old_size;
    if (new_size == 0) { free(block); return NULL; }
    return realloc(block, new_size);
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

/* until the next attempt starts beside the one under way, or in place of the older of two */
enum { CGT_ATTEMPT_MS = 250, CGT_PATIENCE_MS = 1000 };

typedef struct cgt_net {            /* what the sockets of a client share: the transport's `user` */
    const chatgptt_hooks *hooks;
    const char *address;            /* numeric, instead of a lookup; or NULL */
    unsigned generation;            /* counts descriptors opened and closed */
    int resolve_ms;                 /* of the last lookup; -1: none was needed */
    int sys_errno; const char *why; /* of the last failure; why: in words */
} cgt_net;

typedef struct cgt_socket {
    struct addrinfo *list;          /* what the lookup gave; NULL: connected */
    const struct addrinfo *next;    /* the first that is untried; NULL: none */
    long long next_at;              /* when the next attempt may start */
    /* attempts under way, the older first, -1: none; once connected, fd[0] is the connection */
    int fd[2], tried;               /* tried: how many addresses */
    unsigned events, generation;    /* what the last AGAIN waits for */
} cgt_socket;

static chatgptt_code cgt_net_fail(cgt_net *net, chatgptt_code code, int number, const char *why) {
    net->sys_errno = number; net->why = why ? why : strerror(number);
    return code;
}

/* Ends attempt i; the younger one moves up. */
static void cgt_socket_drop(cgt_net *net, cgt_socket *s, int i) {
    if (s->fd[i] >= 0) { close(s->fd[i]); s->generation = ++net->generation; }
    s->fd[i] = s->fd[1]; s->fd[1] = -1;
}

/* Puts behind each address the next one of another family: the resolver's first choice stays first. */
static void cgt_socket_alternate(struct addrinfo *a) {
    for (; a; a = a->ai_next) {
        struct addrinfo **at = &a->ai_next, *other;
        while (*at && (*at)->ai_family == a->ai_family) at = &(*at)->ai_next;
        other = *at;
        if (other) { *at = other->ai_next; other->ai_next = a->ai_next; a->ai_next = other; }
    }
}

/* A socket on its way to this address; -1: sys_errno says why there is none. */
static int cgt_socket_start(cgt_net *net, const struct addrinfo *a) {
    int yes = 1, fd;
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)     /* no program that another thread starts gets it */
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
#else
    fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd >= 0) { (void)fcntl(fd, F_SETFD, FD_CLOEXEC); (void)fcntl(fd, F_SETFL, O_NONBLOCK); }
#endif
    if (fd >= 0) {
#ifdef SO_NOSIGPIPE
        (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
        /* a long request's last segment, and a TLS flight's, must not wait for the peer's delayed ACK */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS || errno == EINTR) return fd;
    }
    net->sys_errno = errno;
    if (fd >= 0) close(fd);
    return -1;
}

/* Starts attempts until one is under way, in place of the older of two, or no address is left. */
static void cgt_socket_attempt(cgt_net *net, cgt_socket *s) {
    int *fd = &s->fd[s->fd[0] >= 0];
    if (s->fd[1] >= 0) cgt_socket_drop(net, s, 0);
    for (; *fd < 0 && s->next; s->next = ++s->tried < CHATGPTT_MAX_ADDRESSES ? s->next->ai_next : NULL)
        *fd = cgt_socket_start(net, s->next);
    s->generation = ++net->generation;
    s->next_at = cgt_now(net->hooks) + (fd == s->fd ? (int)CGT_ATTEMPT_MS : (int)CGT_PATIENCE_MS);
}

/* Whether attempt i has connected, which ends the race; one that failed is dropped. */
static bool cgt_socket_arrived(cgt_net *net, cgt_socket *s, int i) {
    struct pollfd p = { s->fd[i], POLLOUT, 0 }; int failed = 0; socklen_t size = sizeof failed;
    if (p.fd < 0 || poll(&p, 1, 0) != 1) return false;
    if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
    cgt_socket_drop(net, s, failed ? i : 1 - i);
    if (failed) { net->sys_errno = failed; s->next_at = LLONG_MIN; }
    else { freeaddrinfo(s->list); s->list = NULL; s->events = 0; }
    return failed == 0;
}

/* OK: connected; AGAIN: attempts are under way; E_CONNECT: the last one failed. */
static chatgptt_code cgt_socket_connect(cgt_net *net, cgt_socket *s) {
    int i;
    if (!s->list) return CHATGPTT_OK;
    s->events = CHATGPTT_WRITE;
    for (i = 1; i >= 0; i--) if (cgt_socket_arrived(net, s, i)) return CHATGPTT_OK;
    if (s->next && (s->fd[0] < 0 || cgt_now(net->hooks) >= s->next_at)) cgt_socket_attempt(net, s);
    return s->fd[0] >= 0 ? CHATGPTT_AGAIN : cgt_net_fail(net, CHATGPTT_E_CONNECT, net->sys_errno, NULL);
}

static void cgt_net_close(void *user, void *conn) {
    cgt_net *net = (cgt_net *)user; cgt_socket *s = (cgt_socket *)conn;
    cgt_socket_drop(net, s, 1); cgt_socket_drop(net, s, 0);
    if (s->list) freeaddrinfo(s->list);
    cgt_free(net->hooks, s, sizeof *s);
}

static chatgptt_code cgt_net_open(void *user, const char *host, const char *port, void **conn) {
    cgt_net *net = (cgt_net *)user; cgt_socket *s = (cgt_socket *)cgt_new(net->hooks, sizeof *s);
    long long began = cgt_now(net->hooks); struct addrinfo hints; int failed; chatgptt_code code;
    if (!s) return cgt_net_fail(net, CHATGPTT_E_MEMORY, 0, "out of memory");
    memset(&hints, 0, sizeof hints); hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM; hints.ai_flags = net->address ? AI_NUMERICHOST : 0;
    failed = getaddrinfo(net->address ? net->address : host, port, &hints, &s->list);
    net->resolve_ms = cgt_until(cgt_now(net->hooks), began);
    s->next = s->list; s->fd[0] = s->fd[1] = -1;
    if (!failed) { cgt_socket_alternate(s->list); *conn = s; return CHATGPTT_OK; }
    code = cgt_net_fail(net, failed == EAI_MEMORY ? CHATGPTT_E_MEMORY : CHATGPTT_E_RESOLVE,
                        failed == EAI_SYSTEM ? errno : 0, gai_strerror(failed));
    cgt_free(net->hooks, s, sizeof *s);
    return code;
}

/* Reads to `in`, or writes `out` where that is NULL. */
static chatgptt_code cgt_net_move(void *user, void *conn, void *in, const void *out, size_t size,
                                  size_t *done) {
    cgt_net *net = (cgt_net *)user; cgt_socket *s = (cgt_socket *)conn; int how = 0; ssize_t n;
    chatgptt_code code = cgt_socket_connect(net, s); unsigned event = in ? CHATGPTT_READ : CHATGPTT_WRITE;
#ifdef MSG_NOSIGNAL
    how = MSG_NOSIGNAL;             /* a peer that hung up must not kill the host program */
#endif
    *done = 0;
    if (code) return code;
    do n = in ? recv(s->fd[0], in, size, 0) : send(s->fd[0], out, size, how); while (n < 0 && errno == EINTR);
    s->events |= event;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return CHATGPTT_AGAIN;
    if (n < 0) return cgt_net_fail(net, errno == ECONNRESET || errno == EPIPE || errno == ECONNABORTED ||
                                   errno == ENOTCONN ? CHATGPTT_E_CLOSED : CHATGPTT_E_IO, errno, NULL);
    s->events &= ~event; *done = (size_t)n;
    return in && n == 0 ? CHATGPTT_DONE : CHATGPTT_OK;
}

static chatgptt_code cgt_net_read(void *user, void *conn, void *buffer, size_t size, size_t *done) {
    return cgt_net_move(user, conn, buffer, NULL, size, done);
}

static chatgptt_code cgt_net_write(void *user, void *conn, const void *bytes, size_t size, size_t *done) {
    return cgt_net_move(user, conn, NULL, bytes, size, done);
}

static chatgptt_wait cgt_net_want(void *user, void *conn) {
    cgt_net *net = (cgt_net *)user; cgt_socket *s = (cgt_socket *)conn; chatgptt_wait w; int i;
    memset(&w, 0, sizeof w);
    for (i = 0; i < 2 && s->fd[i] >= 0; i++) { w.on[i].fd = s->fd[i]; w.on[i].events = s->events; }
    w.timeout_ms = i == 0 ? 0 : s->list && s->next ? cgt_until(s->next_at, cgt_now(net->hooks)) : -1;
    w.count = i; w.generation = s->generation;
    return w;
}

static chatgptt_code cgt_net_wait(void *user, const chatgptt_wait *what) {
    struct pollfd p[2]; int i; unsigned on;
    for (i = 0; i < what->count; i++) {
        p[i].fd = what->on[i].fd; on = what->on[i].events;
        p[i].events = (short)((on & CHATGPTT_READ ? POLLIN : 0) | (on & CHATGPTT_WRITE ? POLLOUT : 0));
    }
    i = poll(p, (nfds_t)what->count, what->timeout_ms);
    if (i >= 0 || errno == EINTR || errno == EAGAIN) return CHATGPTT_OK;
    return cgt_net_fail((cgt_net *)user, CHATGPTT_E_IO, errno, NULL);
}

static chatgptt_transport cgt_net_transport(cgt_net *net) {
    chatgptt_transport t = { cgt_net_open, cgt_net_read,  cgt_net_write, cgt_net_want,
                             cgt_net_wait, cgt_net_close, net };
    return t;
}

#endif /* CHATGPTT_NO_NET */

/* ==== [URL] ==== */

/* http and https only. Kept in one normalised text, which it owns: host in lower case and ASCII, dot segments
   resolved, what may not stand in a request line percent-encoded, the default port and the fragment gone (RFC
   3986 section 6.2, RFC 9110 section 4.2.3). Backslashes are slashes, as browsers have them (WHATWG URL). */
typedef struct cgt_url {
    cgt_buffer text;                /* "https://host:port/path?query", then host and port again, terminated */
    bool https, literal;            /* literal: the host is an IPv6 address, kept here without its brackets */
    const char *host, *port;        /* for the transport: terminated, never empty; in text, as the slices */
    cgt_slice whole, origin, authority, path;   /* path: with the query, begins with a slash */
} cgt_url;

static bool cgt_form_plain(char c) { return cgt_alnum(c) || (c && strchr("*-._", c)); }
static bool cgt_query_plain(char c) { return c > ' ' && c < 0x7f && !strchr("\"<>", c); }
static bool cgt_path_plain(char c) { return cgt_query_plain(c) && !strchr("^`{|}", c); }

/* Appends with percent-encoding, a form's blanks as `+`, all that is not plain. */
static void cgt_encode(cgt_buffer *b, cgt_slice s, bool (*plain)(char)) {
    static const char hex[] = "0123456789ABCDEF"; char code[4] = "%xx"; size_t run;
    for (; s.len; s = cgt_from(s, 1)) {
        run = cgt_span(s, plain); cgt_append(b, cgt_slice_of(s.at, run)); s = cgt_from(s, run);
        if (s.len == 0) return;
        code[1] = hex[(unsigned char)*s.at >> 4]; code[2] = hex[(unsigned char)*s.at & 15];
        cgt_puts(b, *s.at == ' ' && plain == cgt_form_plain ? "+" : code);
    }
}

/* application/x-www-form-urlencoded (WHATWG URL, section 5.2). */
static void cgt_form_encode(cgt_buffer *b, cgt_slice s) { cgt_encode(b, s, cgt_form_plain); }

/* Appends "name=value", with `&` between it and what stands there. */
static void cgt_form_field(cgt_buffer *b, const char *name, cgt_slice value) {
    if (b->len && b->data[b->len - 1] != '?') cgt_putc(b, '&');
    cgt_puts(b, name); cgt_putc(b, '='); cgt_form_encode(b, value);
}

/* Appends the path without `.` and `..` segments (RFC 3986 section 5.2.4), which begins at b->data[root]. */
static void cgt_url_put_path(cgt_buffer *b, cgt_slice path) {
    size_t root = b->len, n;
    for (; path.len; path = cgt_from(path, n)) {
        cgt_slice name = cgt_slice_of(path.at + 1, cgt_find(cgt_from(path, 1), "/\\"));
        bool up = cgt_is(name, "..") || cgt_is_any_case(name, "%2e%2e");
        bool dots = up || cgt_is(name, ".") || cgt_is_any_case(name, "%2e");
        n = 1 + name.len;
        while (up && !b->failed && b->len > root && b->data[--b->len] != '/') {}
        if (!dots || n == path.len) cgt_putc(b, '/');
        if (!dots) cgt_encode(b, name, cgt_path_plain);
    }
    if (b->len == root) cgt_putc(b, '/');
}

/* ---- hosts ---- */

static bool cgt_in_name(char c) { return cgt_alnum(c) || c == '-' || c == '.' || c == '_'; }
static bool cgt_is_hex(char c) { return cgt_hex(c) >= 0; }
static bool cgt_slash(char c) { return c == '/' || c == '\\'; }

/* where what follows the last `c` begins; 0: there is none */
static size_t cgt_past(cgt_slice s, char c) { while (s.len && s.at[s.len - 1] != c) s.len--; return s.len; }

static size_t cgt_put_lower(char *out, cgt_slice s) {
    size_t i = 0;
    for (; i < s.len; i++) out[i] = cgt_lower(s.at[i]);
    return i;
}

/* Four plain decimal numbers: 4, or 0: it is none. Leading zeros are octal to some. */
static size_t cgt_parse_ipv4(cgt_slice s, unsigned char out[4]) {
    size_t i, end; long long n;
    for (i = 0; i < 4; i++, s = cgt_from(s, end + (end < s.len))) {
        end = cgt_find(s, "."); n = cgt_whole_number(cgt_slice_of(s.at, end), 255);
        if (n < 0 || (end > 1 && s.at[0] == '0') || (end < s.len) != (i < 3)) return 0;
        out[i] = (unsigned char)n;
    }
    return 4;
}

static size_t cgt_parse_ipv6(cgt_slice s, unsigned char out[16]) {    /* 16, or 0: it is none */
    size_t n = 0, gap = 17, end, i; unsigned value;
    if (cgt_starts(s, "::")) { gap = 0; s = cgt_from(s, 2); }
    for (; s.len; s = cgt_from(s, end + (end < s.len))) {
        end = cgt_span(s, cgt_is_hex);
        if (n && end == 0 && s.at[0] == ':' && gap == 17) { gap = n; continue; }
        if (n <= 12 && cgt_parse_ipv4(s, out + n)) { n += 4; break; }
        if (end == 0 || end > 4 || n == 16 || (end < s.len && s.at[end] != ':') || end + 1 == s.len) return 0;
        for (i = 0, value = 0; i < end; i++) value = value * 16 + (unsigned)cgt_hex(s.at[i]);
        out[n++] = (unsigned char)(value >> 8); out[n++] = (unsigned char)(value & 0xFF);
    }
    if ((n == 16) == (gap < 17)) return 0;
    if (gap < 17) { memmove(out + 16 - (n - gap), out + gap, n - gap); memset(out + gap, 0, 16 - n); }
    return 16;
}

/* Whether a name ends in a number, so that some take it for an address (WHATWG URL section 3.5). */
static bool cgt_ends_in_number(cgt_slice host) {
    if (host.len && host.at[host.len - 1] == '.') host.len--;
    host = cgt_from(host, cgt_past(host, '.'));
    if (cgt_starts(host, "0x")) return cgt_span(cgt_from(host, 2), cgt_is_hex) + 2 == host.len;
    return host.len > 0 && cgt_span(host, cgt_digit) == host.len;
}

/* The small form of a letter hosts are written in, of Latin, Greek or Cyrillic. 0: none (punctuation, marks
   that would first have to be joined with their letter). */
static uint32_t cgt_small(uint32_t c) {
    static const uint16_t not_in_hosts[] = { 0x80, 0xBF, 0xD7, 0xD7, 0xF7, 0xF7, 0x130, 0x130, 0x300, 0x390,
                                             0x2000, 0x2BFF, 0x3000, 0x3004, 0xE000, 0xF8FF, 0xFE00, 0xFFFF };
    size_t i;
    for (i = 0; i < 18; i += 2) if (c >= not_in_hosts[i] && c <= not_in_hosts[i + 1]) return 0;
    if (c < 0x80) return cgt_in_name((char)c) ? (unsigned char)cgt_lower((char)c) : 0u;
    if (c < 0xDF || (c > 0x390 && c < 0x3AC) || (c >= 0x410 && c < 0x430)) return c + 32;
    if (c >= 0x400 && c < 0x410) return c + 80;
    if ((c > 0x138 && c < 0x149) || (c > 0x178 && c < 0x17F)) return c + (c & 1);
    return c == 0x178 ? 0xFF : c > 0xFF && c < 0x178 && c != 0x138 ? c | 1 : c;
}

/* A label in its xn-- form (RFC 3492 section 6.3). 0: it is longer than a label may be. */
static size_t cgt_punycode(char out[64], const uint32_t *code, size_t count) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint32_t n = 128, delta = 0, bias = 72, least, q, k, t; size_t len = 4, done, basic, i;
    for (i = 0; i < 4; i++) out[i] = "xn--"[i];
    for (i = 0; i < count; i++) if (code[i] < 128) out[len++] = (char)code[i];
    basic = done = len - 4;
    if (basic) out[len++] = '-';
    for (; done < count; delta++, n++) {
        for (least = UINT32_MAX, i = 0; i < count; i++) if (code[i] >= n && code[i] < least) least = code[i];
        delta += (least - n) * (uint32_t)(done + 1);        /* at most 59 times 60 times U+10FFFF */
        for (n = least, i = 0; i < count; i++) {
            delta += code[i] < n;
            if (code[i] != n) continue;
            for (q = delta, k = 36;; q = (q - t) / (36 - t), k += 36) {
                t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
                if (len == 63) return 0;
                out[len++] = digits[q < t ? q : t + (q - t) % (36 - t)];
                if (q < t) break;
            }
            delta /= done++ == basic ? 700u : 2u;
            for (delta += delta / (uint32_t)done, bias = 0; delta > 455; bias += 36) delta /= 35;
            bias += 36 * delta / (delta + 38); delta = 0;
        }
    }
    return len;
}

/* One label as it is asked for. 0: it is none. */
static size_t cgt_label_normal(char out[256], cgt_slice label) {
    uint32_t code[59], c; size_t count = 0, n, i;
    if (label.len > 253) return 0;
    if (cgt_span(label, cgt_in_name) == label.len) return cgt_put_lower(out, label);
    for (; label.len; label = cgt_from(label, n), count++) {
        if (count == 59 || cgt_utf8_at(label.at, label.len, &n) != CGT_UTF8_WHOLE) return 0;
        c = (unsigned char)*label.at & (n == 1 ? 0x7Fu : 0xFFu >> (n + 1));
        for (i = 1; i < n; i++) c = c << 6 | ((unsigned char)label.at[i] & 0x3Fu);
        if ((code[count] = cgt_small(c)) == 0) return 0;
    }
    return cgt_punycode(out, code, count);
}

/* A host name as it is asked for, in ASCII and small letters. 0: it is none. */
static size_t cgt_host_normal(char out[256], cgt_slice host) {
    char label[256]; size_t len = 0, end, n;
    for (; host.len; host = cgt_from(host, end + (end < host.len))) {
        end = cgt_find(host, "."); n = cgt_label_normal(label, cgt_slice_of(host.at, end));
        if (n == 0 || len + n + (end < host.len) > 253) return 0;
        memcpy(out + len, label, n); len += n;
        if (end < host.len) out[len++] = '.';
    }
    return len;
}

/* Splits host[:port]. NULL, or why it cannot be. */
static const char *cgt_url_split(cgt_slice authority, cgt_slice *host, cgt_slice *port, bool *literal) {
    unsigned char address[16]; bool six = authority.len > 0 && authority.at[0] == '[';
    size_t end = cgt_find(authority, six ? "]" : ":");
    *literal = six;
    if (six && end == authority.len) return "a bracket is not closed";
    *host = cgt_slice_of(authority.at + six, end - six); *port = cgt_from(authority, end + six);
    if (six && cgt_find(*host, "%") < host->len) return "addresses with a scope (%) are not supported";
    if (six && !cgt_parse_ipv6(*host, address)) return "what stands in brackets is no IPv6 address";
    if (host->len == 0) return "the host is missing";
    if (port->len && port->at[0] != ':') return "something follows the bracket";
    if (port->len) *port = cgt_from(*port, 1);
    return port->len && cgt_whole_number(*port, 65535) < 1 ? "no valid port" : NULL;
}

/* The host[:port] of what may be a URL, whoever gave it, for messages: never a path, nor what may be a name
   or a password, which may hold any character. Empty: it has none that is sure. */
static cgt_slice cgt_url_place(cgt_slice any) {
    cgt_slice none = cgt_slice_of("", 0), host = none, port = none;
    size_t end = cgt_find(any, ":/?#\\"), from; bool literal;
    if (end < any.len && any.at[end] == ':') any = cgt_from(any, end + 1);
    end = cgt_span(any, cgt_slash); any = cgt_from(any, end); from = cgt_past(any, '@');
    if (end < 2 || from > cgt_find(any, "/?#\\")) return none;
    any = cgt_from(any, from); any.len = cgt_find(any, "/?#\\");
    if (cgt_url_split(any, &host, &port, &literal))     /* a bad port hides no host, if it is no password */
        any = port.len && cgt_digit(port.at[0]) && !literal ? host : none;
    return !literal && cgt_span(host, cgt_in_name) < host.len ? none : any;
}

/* No slice of it outlives it: whoever still asks gets an empty one. */
static void cgt_url_free(cgt_url *url) {
    cgt_buffer text = url->text;
    cgt_buffer_free(&text); memset(url, 0, sizeof *url);
    url->text = text;
}

static const char *cgt_buffer_why(const cgt_buffer *b) {
    return b->failed == CHATGPTT_E_LIMIT ? "it is too long" : "out of memory";
}

/* Writes the text in its normal form and points the slices into it. */
static void cgt_url_build(cgt_url *url, cgt_slice host, cgt_slice port, cgt_slice rest) {
    cgt_buffer *b = &url->text; size_t query = cgt_find(rest, "?"), slash = url->https ? 8 : 7, path, end, at;
    long long usual = url->https ? 443 : 80, number = port.len ? cgt_number(port, 65535) : usual;
    cgt_puts(b, url->https ? "https://" : "http://"); cgt_puts(b, url->literal ? "[" : "");
    cgt_append(b, host); cgt_puts(b, url->literal ? "]" : "");
    if (number != usual) { cgt_putc(b, ':'); cgt_put_number(b, (unsigned long long)number); }
    path = b->len;
    cgt_url_put_path(b, cgt_slice_of(rest.at, query)); cgt_encode(b, cgt_from(rest, query), cgt_query_plain);
    end = b->len; b->max += 512;        /* host and port stand there once more */
    cgt_putc(b, '\0'); cgt_append(b, host); cgt_putc(b, '\0');
    at = b->len; cgt_put_number(b, (unsigned long long)number);
    if (b->failed) return;
    url->host = b->data + end + 1; url->port = b->data + at;
    url->whole = cgt_slice_of(b->data, end); url->path = cgt_from(url->whole, path);
    url->origin = cgt_slice_of(b->data, path); url->authority = cgt_from(url->origin, slash);
}

/* Parses an absolute URL into a zeroed one. *why says what is wrong with it, *user holds what stands before
   an @, in `in`. */
static chatgptt_code cgt_url_parse(cgt_url *url, const chatgptt_hooks *hooks, cgt_slice in, cgt_slice *user,
                                   const char **why) {
    cgt_slice authority, host, port; unsigned char address[4]; char name[256]; size_t n; chatgptt_code code;
    memset(url, 0, sizeof *url); *user = cgt_slice_of(in.at, 0);
    cgt_buffer_init(&url->text, hooks, CHATGPTT_MAX_URL);
    url->https = cgt_starts(in, "https://");
    *why = cgt_has_control(in) ? "it holds a control character"
           : url->https || cgt_starts(in, "http://") ? NULL : "it does not begin with http:// or https://";
    if (*why) return CHATGPTT_E_ARGUMENT;
    in = cgt_from(in, url->https ? 8 : 7); in.len = cgt_find(in, "#");
    authority = cgt_slice_of(in.at, cgt_find(in, "/?\\")); in = cgt_from(in, authority.len);
    n = cgt_past(authority, '@');
    if (n > 0) *user = cgt_slice_of(authority.at, n - 1);
    *why = cgt_url_split(cgt_from(authority, n), &host, &port, &url->literal);
    if (*why) return CHATGPTT_E_ARGUMENT;
    host = cgt_slice_of(name, url->literal ? cgt_put_lower(name, host) : cgt_host_normal(name, host));
    if (host.len == 0) *why = "no valid host name (write others in their xn-- form)";
    else if (!url->literal && cgt_ends_in_number(host) && !cgt_parse_ipv4(host, address))
        *why = "an address must be four plain decimal numbers";
    if (*why) return CHATGPTT_E_ARGUMENT;
    cgt_url_build(url, host, port, in);
    code = url->text.failed; *why = cgt_buffer_why(&url->text);
    if (code) cgt_url_free(url);
    return code;
}

/* A URL of its own with the same text; of an empty one an empty one. */
static chatgptt_code cgt_url_copy(cgt_url *to, const chatgptt_hooks *hooks, const cgt_url *from) {
    cgt_slice user; const char *why;
    memset(to, 0, sizeof *to); to->text.hooks = hooks;
    return from->whole.len ? cgt_url_parse(to, hooks, from->whole, &user, &why) : CHATGPTT_OK;
}

/* Parses a reference as `base` sees it: what Location and the page give. As in browsers (WHATWG URL section
   4.4) slashes before a host may be more than two, and may lack behind another scheme than the base's. */
static chatgptt_code cgt_url_resolve(cgt_url *url, const cgt_url *base, cgt_slice ref, cgt_slice *user,
                                     const char **why) {
    cgt_buffer b; chatgptt_code code; cgt_slice rest = ref, path = base->path; char first;
    size_t colon = cgt_find(ref, ":/?#\\"), slashes; bool tls = cgt_starts(ref, "https:");
    bool http = tls || cgt_starts(ref, "http:"), https = http ? tls : base->https;
    bool own = colon > 0 && colon < ref.len && ref.at[colon] == ':';
    cgt_buffer_init(&b, base->text.hooks, CHATGPTT_MAX_URL);
    if (http) rest = cgt_from(ref, colon + 1);
    slashes = cgt_span(rest, cgt_slash); first = rest.len ? *rest.at : '#';
    if (slashes > 1 || https != base->https) {
        cgt_puts(&b, https ? "https://" : "http://"); rest = cgt_from(rest, slashes);
    } else if (http || !own) {
        if (first != '#') path.len = cgt_find(path, "?");
        if (first != '#' && first != '?') path.len = slashes ? 0 : cgt_past(path, '/');
        cgt_append(&b, base->origin); cgt_append(&b, path);
    }
    cgt_append(&b, rest);
    *why = cgt_buffer_why(&b); *user = cgt_slice_of("", 0);
    memset(url, 0, sizeof *url);
    code = b.failed ? b.failed : cgt_url_parse(url, b.hooks, cgt_slice_of_buffer(&b), user, why);
    user->at = ref.at;      /* its text goes with b: only its length says anything */
    cgt_buffer_free(&b);
    return code;
}

/* Parses what was put together in `text`, which is then freed. It is the library's own work: only too long or
   out of memory can go wrong. */
static chatgptt_code cgt_url_take(cgt_url *url, cgt_buffer *text) {
    const char *why; cgt_slice user; chatgptt_code code = text->failed;
    if (!code) code = cgt_url_parse(url, text->hooks, cgt_slice_of_buffer(text), &user, &why);
    cgt_buffer_free(text);
    return code;
}

/* ==== [HTTP-OUT] ==== */

/* A request is one text in two parts: where it goes, which a redirect changes, and what is asked, which it
   does not. CR, LF and NUL cannot come in here: URLs, cookies and the caller's strings were checked where
   they entered. */

static void cgt_put_header(cgt_buffer *b, const char *name, cgt_slice value) {
    if (value.len == 0) return;
    cgt_puts(b, name); cgt_puts(b, ": "); cgt_append(b, value); cgt_puts(b, "\r\n");
}

/* The first part. `absolute`: for a proxy, which may want a login. */
static void cgt_put_target(cgt_buffer *b, const char *method, const cgt_url *url, bool absolute,
                           cgt_slice cookies, cgt_slice login) {
    cgt_puts(b, method); cgt_putc(b, ' '); cgt_append(b, absolute ? url->whole : url->path);
    cgt_puts(b, " HTTP/1.1\r\n"); cgt_put_header(b, "Host", url->authority);
    cgt_put_header(b, "Cookie", cookies); if (absolute) cgt_put_header(b, "Proxy-Authorization", login);
}

typedef struct cgt_asks {           /* what the second part says; all borrowed until it is written */
    const char *method;             /* "GET", "POST" …; lives as long as the exchange */
    const cgt_url *page;            /* Origin and Referer are this page's; NULL: neither is sent */
    const char *user_agent, *accept;
    cgt_slice body;                 /* a form; only a POST has one */
    bool refresh;                   /* past all caches */
} cgt_asks;

/* Returns where the form begins: a GET in its place has all that stands before it. */
static size_t cgt_put_asks(cgt_buffer *b, const cgt_asks *a) {
    size_t form; bool post = strcmp(a->method, "POST") == 0;
    cgt_put_header(b, "User-Agent", cgt_text(a->user_agent));
    cgt_put_header(b, "Accept", cgt_text(a->accept)); cgt_puts(b, "Accept-Encoding: identity\r\n");
    if (a->page) cgt_put_header(b, "Origin", a->page->origin);
    if (a->page) cgt_put_header(b, "Referer", a->page->whole);
    if (a->refresh) cgt_puts(b, "Cache-Control: no-cache\r\nPragma: no-cache\r\n");
    form = b->len;
    if (post) cgt_puts(b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
    if (post) cgt_put_number(b, a->body.len);
    cgt_puts(b, post ? "\r\n\r\n" : "\r\n"); cgt_append(b, a->body);
    return form;
}

/* ==== [HTTP-IN] ==== */

/* One HTTP/1.1 response (RFC 9112), fed in pieces of any size. Feed until it uses no more and tells nothing;
   what it tells:
       HEADER   a header that is looked at (cgt_http_kept), name and value in `line`
       HEAD     the final status line and headers are complete; `line` is not touched from here on
       BODY     `piece` is a part of the body, in the caller's bytes
       END      the response is complete; what follows it is not touched
   A header line that cannot be read is left out alone, as by browsers, but not if it may be one that frames
   or redirects: there leniency lets two readers see two messages. So do bare LF and CR, and two lengths,
   which are never taken. The caller sets method, max_head and line in the zeroed state. */

typedef enum cgt_http_event { CGT_HTTP_NONE, CGT_HTTP_HEADER, CGT_HTTP_HEAD, CGT_HTTP_BODY, CGT_HTTP_END
} cgt_http_event;
typedef enum cgt_http_method { CGT_HTTP_OTHER, CGT_HTTP_HEAD_METHOD, CGT_HTTP_CONNECT } cgt_http_method;
typedef enum cgt_http_coding { CGT_HTTP_PLAIN, CGT_HTTP_CHUNKED, CGT_HTTP_CODED } cgt_http_coding;

typedef enum cgt_http_state {
    CGT_HTTP_STATUS_LINE, CGT_HTTP_STATUS_LF, CGT_HTTP_FIRST_LINE, CGT_HTTP_NAME, CGT_HTTP_BEFORE_VALUE,
    CGT_HTTP_VALUE, CGT_HTTP_LINE_LF, CGT_HTTP_LINE, CGT_HTTP_HEAD_LF,          /* a head up to here */
    CGT_HTTP_COUNTED, CGT_HTTP_TO_CLOSE, CGT_HTTP_DATA_CR, CGT_HTTP_DATA_LF, CGT_HTTP_CHUNK_SIZE,
    CGT_HTTP_CHUNK_BLANK, CGT_HTTP_CHUNK_EXT, CGT_HTTP_CHUNK_LF, CGT_HTTP_CHUNK_DATA,
    CGT_HTTP_COMPLETE, CGT_HTTP_ENDED
} cgt_http_state;

/* What a header line is read into, lent by the caller while a head is read: trailers need none. */
typedef struct cgt_http_line {
    size_t name_len, value_len; bool cut;                       /* cut: the value was too long */
    char name[CHATGPTT_MAX_NAME], value[CHATGPTT_MAX_VALUE];    /* of HEADER: terminated, name lowered */
} cgt_http_line;

typedef struct cgt_http {
    cgt_http_line *line; cgt_slice piece;           /* piece: of BODY */
    const char *why; chatgptt_code failed;          /* an error, which sticks, and in words */
    size_t max_head, head_bytes;                    /* cap of all bytes that are not body; how many came */
    unsigned long long left;                        /* of the body or the chunk; ULLONG_MAX: till the end */
    cgt_http_event event; cgt_http_state state;
    cgt_http_method method;                         /* of the request: decides whether there is a body */
    cgt_http_coding coding;                         /* the last one of the body: only chunked frames it */
    int status, minor, interim, ext_bytes;          /* of the last status line; how many 1xx; of all chunks */
    int at, kept;                                   /* in a status line or chunk size; the header looked at */
    /* that header holds a control character; other codings than chunked are on the body */
    bool damaged, coding_left, counted, trailer, close, alive;
} cgt_http;

static void cgt_http_limit(cgt_http *h, const char *why) { h->failed = CHATGPTT_E_LIMIT; h->why = why; }
static void cgt_http_bad(cgt_http *h, const char *why) { h->failed = CHATGPTT_E_HTTP; h->why = why; }

/* The headers that are looked at; those that frame or redirect come first. */
static const cgt_slice cgt_http_kept[] = {
    { "content-length", 14 }, { "transfer-encoding", 17 }, { "location", 8 }, { "connection", 10 },
    { "content-type", 12 }, { "content-encoding", 16 }, { "set-cookie", 10 }, { "cf-mitigated", 12 },
    { "sg-captcha", 10 }, { "x-amzn-waf-action", 17 }
};
enum { CGT_HTTP_LENGTH = 1, CGT_HTTP_CODING, CGT_HTTP_LOCATION, CGT_HTTP_CONNECTION, CGT_HTTP_KEPT = 10 };

static int cgt_http_which(cgt_slice name, int first) {      /* its number if it is one of the first so many */
    while (first && !cgt_same(name, cgt_http_kept[first - 1])) first--;
    return first;
}

static bool cgt_tab_or_space(char c) { return c == ' ' || c == '\t'; }
static bool cgt_in_line(char c) { return c == '\t' || !cgt_control(c); }

/* RFC 9110 section 5.6.2 */
static bool cgt_http_tchar(char c) { return cgt_alnum(c) || c == '-' || (c && strchr("!#$%&'*+.^_`|~", c)); }

static bool cgt_http_lists(cgt_slice list, const char *word) {
    while (list.len) if (cgt_is_any_case(cgt_cut(&list, ","), word)) return true;
    return false;
}

/* Whether a Content-Encoding names one that would have to be undone; odd words in its place do not. */
static bool cgt_http_coded(cgt_slice value) {
    static const char *const known[] = { "gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd",
                                         "dcb", "dcz" };
    size_t i = 0;
    while (i < 9 && !cgt_http_lists(value, known[i])) i++;
    return i < 9;
}

/* "HTTP/1.x NNN" with or without a reason, a byte at a time. */
static void cgt_http_status_byte(cgt_http *h, char c) {
    static const char form[] = "HTTP/1.0 000 ";         /* 0: any digit */
    int at = h->at; bool digit = at < 12 && form[at] == '0', end = at > 11 && c == '\r';
    bool ok = end || (digit ? cgt_digit(c) : at < 13 ? c == form[at] : cgt_in_line(c));
    if (at < 13) h->at++;
    if (at == 7) { h->minor = c - '0'; h->status = 0; }
    else if (digit) h->status = h->status * 10 + (c - '0');
    if (end) h->state = CGT_HTTP_STATUS_LF;
    if (!ok || (at == 12 && h->status < 100))
        cgt_http_bad(h, at == 0 && c == 0x15 ? "the answer is not HTTP/1.1 but TLS: try https"
                        : at < 8 ? "the answer is not HTTP/1.1" : "bad status line");
}

/* Content-Length, maybe a list of equal ones (RFC 9110 section 8.6). */
static void cgt_http_length(cgt_http *h, cgt_slice v) {
    bool more; long long n;
    do {
        more = cgt_find(v, ",") < v.len; n = cgt_whole_number(cgt_cut(&v, ","), LLONG_MAX);
        if (n < 0 || (h->counted && (unsigned long long)n != h->left)) cgt_http_bad(h, "bad Content-Length");
        h->counted = true; h->left = (unsigned long long)n;
    } while (more);
}

/* Transfer-Encoding (RFC 9112 section 6.3). Chunked that is said twice, by a server and the program behind
   it, was done once. */
static void cgt_http_codings(cgt_http *h, cgt_slice v) {
    while (v.len) {
        cgt_slice one = cgt_cut(&v, ",");
        if (one.len == 0 || cgt_is_any_case(one, "identity")) continue;
        h->coding = cgt_is_any_case(one, "chunked") ? CGT_HTTP_CHUNKED : CGT_HTTP_CODED;
        if (h->coding == CGT_HTTP_CODED) h->coding_left = true;
    }
}

/* A line that is looked at is complete, folds and all. What frames the message is taken to heart. */
static void cgt_http_header(cgt_http *h) {
    cgt_http_line *l = h->line; cgt_slice v = cgt_trim(cgt_slice_of(l->value, l->value_len));
    int kept = h->kept;
    h->kept = 0;
    if (h->damaged && kept <= CGT_HTTP_LOCATION)
        cgt_http_bad(h, "control character in a header that frames or redirects");
    if (h->damaged) return;
    l->name[l->name_len] = l->value[l->value_len = v.len] = '\0'; h->event = CGT_HTTP_HEADER;
    if (l->cut && kept < CGT_HTTP_LOCATION)
        cgt_http_limit(h, "a header that frames the message is longer than CHATGPTT_MAX_VALUE");
    else if (kept == CGT_HTTP_LENGTH) cgt_http_length(h, v);
    else if (kept == CGT_HTTP_CODING) cgt_http_codings(h, v);
    else if (kept == CGT_HTTP_CONNECTION) {
        h->close |= cgt_http_lists(v, "close"); h->alive |= cgt_http_lists(v, "keep-alive");
    }
}

/* A name ends at a colon or with its line. One with blanks or other damage is no name, but some reader may
   take what stands before the damage, or what is left without it, for one. */
static size_t cgt_http_name(cgt_http *h, const char *in, size_t len) {
    cgt_http_line *l = h->line; size_t n, i, left = 0;
    for (n = 0; n < len && in[n] != ':' && in[n] != '\r' && in[n] != '\n'; n++)
        if (l->name_len < sizeof l->name) l->name[l->name_len++] = cgt_lower(in[n]);
    if (n == len) return n;
    h->state = CGT_HTTP_BEFORE_VALUE;
    if (in[n] == ':') h->kept = cgt_http_which(cgt_slice_of(l->name, l->name_len), CGT_HTTP_KEPT);
    for (i = 0; !h->kept && i <= l->name_len; i++)
        if (i < l->name_len && cgt_http_tchar(l->name[i])) l->name[left++] = l->name[i];
        else if (cgt_http_which(cgt_slice_of(l->name, left), CGT_HTTP_LOCATION))
            cgt_http_bad(h, "a header that frames or redirects has a damaged name");
    return n + (in[n] == ':');
}

/* The first byte of a line, used if 1: a fold of the line before, the blank line, or a new name. Most lines
   need not be read to know that they are not looked at: those of a 1xx are not the answer's, and the mask's
   letters are c, l, s, t and x. */
static size_t cgt_http_begin(cgt_http *h, char c) {
    cgt_http_line *l = h->line; bool fold = h->state == CGT_HTTP_LINE && cgt_tab_or_space(c);
    if (fold && h->kept && l->value_len && l->value_len < sizeof l->value - 1) l->value[l->value_len++] = ' ';
    if (fold) { h->state = CGT_HTTP_BEFORE_VALUE; return 1; }
    if (h->kept) { cgt_http_header(h); return 0; }
    if (c == '\r') { h->state = CGT_HTTP_HEAD_LF; return 1; }
    h->damaged = false; h->state = CGT_HTTP_VALUE;
    if (h->trailer || h->status < 200 || (cgt_letter(c) && !(0x1181008u >> (c & 31) & 1))) return 0;
    h->state = CGT_HTTP_NAME; l->name_len = l->value_len = 0; l->cut = false;
    return 0;
}

/* Up to the end of the line, found by memchr: the path of all that is not looked at. */
static size_t cgt_http_value(cgt_http *h, const char *in, size_t len) {
    const char *cr = (const char *)memchr(in, '\r', len); size_t n = cr ? (size_t)(cr - in) : len, room;
    size_t blanks = h->state == CGT_HTTP_VALUE ? 0 : cgt_span(cgt_slice_of(in, n), cgt_tab_or_space);
    cgt_slice s = cgt_slice_of(in + blanks, n - blanks); cgt_http_line *l = h->line;
    if (memchr(in, '\n', n)) cgt_http_bad(h, "a line ends in LF without CR");
    if (blanks == len) return len;
    h->state = cr ? CGT_HTTP_LINE_LF : CGT_HTTP_VALUE; n += cr != NULL;
    if (!h->kept) return n;
    room = sizeof l->value - 1 - l->value_len; h->damaged |= cgt_span(s, cgt_in_line) < s.len;
    if (s.len > room) { l->cut = true; s.len = room; }
    memcpy(l->value + l->value_len, s.at, s.len); l->value_len += s.len;
    return n;
}

/* The one character that may stand here; the state behind it is the next of cgt_http_state. */
static void cgt_http_expect(cgt_http *h, char c) {
    bool lf = h->state != CGT_HTTP_DATA_CR;
    if (h->state == CGT_HTTP_CHUNK_LF && !h->left) { h->trailer = true; h->state = CGT_HTTP_LINE_LF; }
    h->at = 0; h->state = (cgt_http_state)(h->state + 1);
    if (c != (lf ? '\n' : '\r')) cgt_http_bad(h, lf ? "CR without LF" : "a chunk is longer than its size");
}

/* After the blank line: where the body ends (RFC 9112 section 6.3), or the next head after a 1xx. */
static void cgt_http_head(cgt_http *h, char lf) {
    bool none = h->method == CGT_HTTP_HEAD_METHOD || h->status == 204 || h->status == 304 ||
                (h->method == CGT_HTTP_CONNECT && h->status < 300);
    cgt_http_expect(h, lf); h->state = CGT_HTTP_STATUS_LINE;
    if (h->status == 101) cgt_http_bad(h, "switches protocols unasked");
    if (h->status < 200 && ++h->interim > CHATGPTT_MAX_INTERIM)
        cgt_http_limit(h, "too many 1xx (CHATGPTT_MAX_INTERIM)");
    if (h->status < 200 || h->failed) return;
    if (!h->trailer) h->event = CGT_HTTP_HEAD;
    if (!none && h->coding && (h->counted || h->minor == 0)) h->close = true;       /* faulty framing */
    if (h->coding || !h->counted) h->left = h->coding == CGT_HTTP_CHUNKED ? 0 : ULLONG_MAX;
    h->state = none || h->trailer ? CGT_HTTP_COMPLETE : h->coding == CGT_HTTP_CHUNKED ? CGT_HTTP_CHUNK_SIZE
               : h->left == ULLONG_MAX ? CGT_HTTP_TO_CLOSE : h->left ? CGT_HTTP_COUNTED : CGT_HTTP_COMPLETE;
}

/* A chunk's line: size in hex, blanks, maybe extensions, CR LF; the size 0 begins the trailers. */
static void cgt_http_chunk_byte(cgt_http *h, char c) {
    int digit = h->state == CGT_HTTP_CHUNK_SIZE ? cgt_hex(c) : -1; bool ext = h->state == CGT_HTTP_CHUNK_EXT;
    if (c == '\r' && h->at) { h->state = CGT_HTTP_CHUNK_LF; return; }
    if (digit >= 0 && h->left >> 60) cgt_http_bad(h, "chunk size beyond 64 bits");
    if (digit >= 0) h->left = h->left * 16 + (unsigned)digit;
    if (digit >= 0 && h->at < 16) { h->at++; return; }      /* more leading zeros count as an extension */
    if (h->at == 0 || !(ext ? cgt_in_line(c) : digit >= 0 || c == ';' || cgt_tab_or_space(c)))
        cgt_http_bad(h, ext ? "control character in a chunk extension" : "bad chunk size");
    if (!ext && digit < 0) h->state = c == ';' ? CGT_HTTP_CHUNK_EXT : CGT_HTTP_CHUNK_BLANK;
    if (++h->ext_bytes > CHATGPTT_MAX_CHUNK_EXT)
        cgt_http_limit(h, "chunk extensions longer than CHATGPTT_MAX_CHUNK_EXT");
}

static size_t cgt_http_body(cgt_http *h, char *in, size_t len) {
    size_t n = h->left < len ? (size_t)h->left : len;
    h->event = CGT_HTTP_BODY; h->piece = cgt_slice_of(in, n); h->left -= n;
    if (h->left == 0) h->state = h->state == CGT_HTTP_COUNTED ? CGT_HTTP_COMPLETE : CGT_HTTP_DATA_CR;
    return n;
}

/* Takes some of a head, a frame or a body; how much. 0: only the state has changed. */
static size_t cgt_http_take(cgt_http *h, char *in, size_t len) {
    switch (h->state) {
    case CGT_HTTP_STATUS_LINE: cgt_http_status_byte(h, *in); break;
    case CGT_HTTP_FIRST_LINE: case CGT_HTTP_LINE: return cgt_http_begin(h, *in);
    case CGT_HTTP_NAME: return cgt_http_name(h, in, len);
    case CGT_HTTP_BEFORE_VALUE: case CGT_HTTP_VALUE: return cgt_http_value(h, in, len);
    case CGT_HTTP_HEAD_LF: cgt_http_head(h, *in); break;
    case CGT_HTTP_COUNTED: case CGT_HTTP_TO_CLOSE: case CGT_HTTP_CHUNK_DATA: return cgt_http_body(h, in, len);
    case CGT_HTTP_CHUNK_LF: case CGT_HTTP_STATUS_LF: case CGT_HTTP_LINE_LF:
    case CGT_HTTP_DATA_CR: case CGT_HTTP_DATA_LF: cgt_http_expect(h, *in); break;
    default: cgt_http_chunk_byte(h, *in);
    }
    return 1;
}

/* OK with h->event; < 0: h->why, and for ever. */
static chatgptt_code cgt_http_feed(cgt_http *h, char *in, size_t len, size_t *used) {
    *used = 0; h->event = CGT_HTTP_NONE;
    while (h->event == CGT_HTTP_NONE && !h->failed) {
        bool head = h->state < CGT_HTTP_COUNTED;
        size_t n = len - *used, most = head ? h->max_head - h->head_bytes : n;
        if (h->state == CGT_HTTP_COMPLETE) { h->state = CGT_HTTP_ENDED; h->event = CGT_HTTP_END; }
        if (h->state == CGT_HTTP_ENDED || n == 0) break;
        if (most == 0) { cgt_http_limit(h, "headers longer than max_header_bytes"); break; }
        n = cgt_http_take(h, in + *used, n < most ? n : most);
        if (head) h->head_bytes += n;
        *used += n;
    }
    return h->failed;
}

/* The peer ended the connection. OK and END only where the end of the body is the end of the connection, and
   `clean` (over TLS: it was announced) at that. */
static chatgptt_code cgt_http_eof(cgt_http *h, bool clean) {
    bool whole = h->state == CGT_HTTP_TO_CLOSE && clean;
    h->event = whole ? CGT_HTTP_END : CGT_HTTP_NONE;
    h->why = h->state == CGT_HTTP_STATUS_LINE ? "closed without a response"
             : h->state < CGT_HTTP_COUNTED    ? "closed inside the headers" : "closed inside the body";
    if (!whole) return CHATGPTT_E_CLOSED;
    h->state = CGT_HTTP_ENDED; h->close = true;
    return CHATGPTT_OK;
}

/* Whether the connection may carry another request once the response has ended. */
static bool cgt_http_alive(const cgt_http *h) {
    bool framed = h->trailer || h->state >= CGT_HTTP_COUNTED;
    return framed && h->state != CGT_HTTP_TO_CLOSE && !h->close && (h->minor >= 1 || h->alive);
}

/* ==== [COOKIE] ==== */

/* A small jar (RFC 6265bis section 5), as far as one session with one site needs it. The proxy's cookies
   never come here, since its answers are read elsewhere. */

enum { CGT_COOKIE_BYTES = 4096, CGT_COOKIE_ATTRIBUTE = 1024 };  /* name and value; an attribute's value */

typedef struct cgt_cookie {
    struct cgt_cookie *next; size_t size;           /* in the order of their making; of it with its texts */
    cgt_slice name, value, domain, path; bool host_only, secure;
    long long until;                                /* Unix seconds; LLONG_MAX: the session's end */
} cgt_cookie;

typedef struct cgt_jar { const chatgptt_hooks *hooks; cgt_cookie *first; int count; } cgt_jar;

static void cgt_jar_remove(cgt_jar *jar, cgt_cookie **at) {
    cgt_cookie *gone = *at;
    *at = gone->next; jar->count--; cgt_free(jar->hooks, gone, gone->size);
}

static void cgt_jar_free(cgt_jar *jar) { while (jar->first) cgt_jar_remove(jar, &jar->first); }

/* ---- dates (RFC 6265 section 5.1.1), in Unix seconds; -1: it is none ---- */

static long long cgt_days(long long y, long long m, long long day) {    /* since 1970, Gregorian calendar */
    y -= m <= 2;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 719469;
}

static int cgt_month(cgt_slice word) {
    static const char names[] = "jan\0feb\0mar\0apr\0may\0jun\0jul\0aug\0sep\0oct\0nov\0dec"; int month = 12;
    while (month && !cgt_starts(word, &names[4 * (size_t)(month - 1)])) month--;
    return month;
}

static long long cgt_time_of_day(cgt_slice s) {       /* "h:m:s"; 86400: there is no such time */
    long long n[3]; size_t i, digits;
    for (i = 0; i < 3; i++, s = cgt_from(s, digits + (i < 3))) {
        digits = cgt_span(s, cgt_digit); n[i] = cgt_number(s, 99);
        if (digits < 1 || digits > 2 || (i < 2 && (digits == s.len || s.at[digits] != ':'))) return -1;
    }
    return n[0] > 23 || n[1] > 59 || n[2] > 59 ? 86400 : (n[0] * 60 + n[1]) * 60 + n[2];
}

static bool cgt_in_date(char c) { return cgt_alnum(c) || c == ':' || (c & 0x80); }

/* Time, day, month and year in whatever order, each the first word that can be one. */
static long long cgt_date(cgt_slice s) {
    long long time = -1, day = -1, month = 0, year = -1, first; size_t len, digits;
    for (; s.len; s = cgt_from(s, len ? len : 1)) {
        cgt_slice word = cgt_slice_of(s.at, len = cgt_span(s, cgt_in_date));
        digits = cgt_span(word, cgt_digit);
        if (time < 0 && (time = cgt_time_of_day(word)) >= 0) continue;
        if (day < 0 && (digits == 1 || digits == 2)) day = cgt_number(word, 99);
        else if (month == 0 && digits == 0) month = cgt_month(word);
        else if (year < 0 && digits >= 2 && digits <= 4) year = cgt_number(word, 9999);
    }
    if (year >= 0 && year < 100) year += year < 70 ? 2000 : 1900;
    if (time < 0 || time == 86400 || month == 0 || day < 1 || year < 1601) return -1;
    first = cgt_days(year, month, 1);
    if (day > cgt_days(year + month / 12, month % 12 + 1, 1) - first) return -1;
    return year < 1970 ? 0 : (first + day - 1) * 86400 + time;
}

/* ---- matching ---- */

/* Whether a host is the domain or lies in it; an address, which ends in a number, lies in none. */
static bool cgt_domain_holds(cgt_slice domain, cgt_slice host) {
    size_t before = host.len > domain.len ? host.len - domain.len : 0;
    if (before && (host.at[before - 1] != '.' || cgt_ends_in_number(host))) return false;
    return cgt_same(cgt_from(host, before), domain);
}

static bool cgt_domain_match(const cgt_url *u, cgt_slice d) { return cgt_domain_holds(d, cgt_text(u->host)); }
static bool cgt_one_label(cgt_slice domain) { return cgt_find(domain, ".") + 1 >= domain.len; }

static bool cgt_path_match(cgt_slice request, cgt_slice path) {
    if (request.len < path.len || memcmp(request.at, path.at, path.len) != 0) return false;
    return request.len == path.len || path.at[path.len - 1] == '/' || request.at[path.len] == '/';
}

static cgt_slice cgt_url_only_path(const cgt_url *url) {
    return cgt_slice_of(url->path.at, cgt_find(url->path, "?"));
}

/* ---- the jar ---- */

static bool cgt_in_cookie(char c) { return cgt_in_line(c) && c != ';'; }

/* Whether a cookie may be in a jar at all; one out of a saved state may be forged. A nameless one is sent as
   its value, which then could be read as another's name. */
static bool cgt_cookie_ok(const cgt_cookie *c) {
    cgt_slice name = c->name, value = c->value, path = c->path, sent = name.len ? name : value;
    unsigned char address[16];
    bool host = cgt_starts(sent, "__host-"), marked = host || cgt_starts(sent, "__secure-");
    if (sent.len == 0 || cgt_sum(name.len, value.len) > CGT_COOKIE_BYTES) return false;
    if (cgt_span(name, cgt_in_cookie) < name.len || cgt_span(value, cgt_in_cookie) < value.len) return false;
    if (cgt_find(name, "=") < name.len || (marked && (name.len == 0 || !c->secure))) return false;
    if (host && (!c->host_only || !cgt_is(path, "/"))) return false;
    if (!path.len || *path.at != '/' || path.len > CHATGPTT_MAX_URL || cgt_has_control(path)) return false;
    if (!c->domain.len || c->domain.len > 255 || (!c->host_only && cgt_one_label(c->domain))) return false;
    return cgt_span(c->domain, cgt_in_name) == c->domain.len || cgt_parse_ipv6(c->domain, address);
}

static void cgt_copy_slice(char **to, cgt_slice *s) {
    if (s->len) memcpy(*to, s->at, s->len);
    s->at = *to; *to += s->len;
}

/* Puts a copy of the fields at the end of the jar, or where one of the same name, domain and path was; one
   that has run out only removes that. The fields are cgt_cookie_ok. Who makes room: what has run out, then
   the oldest that any server of the site may overwrite. false: out of memory. */
static bool cgt_jar_put(cgt_jar *jar, const cgt_cookie *f, long long now) {
    size_t size = sizeof *f + f->name.len + f->value.len + f->domain.len + f->path.len; char *text;
    cgt_cookie **at = &jar->first, *c = f->until > now ? (cgt_cookie *)cgt_new(jar->hooks, size) : NULL;
    if (!c && f->until > now) return false;
    while (*at && !(cgt_same((*at)->name, f->name) && (*at)->host_only == f->host_only &&
                    cgt_same((*at)->domain, f->domain) && cgt_same((*at)->path, f->path))) at = &(*at)->next;
    if (*at) cgt_jar_remove(jar, at);
    if (!c) return true;
    *c = *f; c->size = size; text = (char *)(c + 1);
    cgt_copy_slice(&text, &c->name); cgt_copy_slice(&text, &c->value);
    cgt_copy_slice(&text, &c->domain); cgt_copy_slice(&text, &c->path);
    c->next = *at; *at = c;
    if (++jar->count <= CHATGPTT_MAX_COOKIES) return true;
    for (at = &jar->first; *at && (*at)->until > now;) at = &(*at)->next;
    if (!*at) for (at = &jar->first; *at && (*at)->secure;) at = &(*at)->next;
    cgt_jar_remove(jar, *at ? at : &jar->first);
    return true;
}

/* ---- Set-Cookie ---- */

/* When a Max-Age runs out; -1: it is no number. */
static long long cgt_max_age(cgt_slice value, long long now) {
    bool minus = cgt_starts(value, "-"); cgt_slice digits = cgt_from(value, minus);
    long long age = cgt_number(digits, 10LL * 365 * 86400);
    if (digits.len == 0 || cgt_span(digits, cgt_digit) < digits.len) return -1;
    return minus ? 0 : age < 0 ? LLONG_MAX : now + age;
}

/* Whether the cookie may be set from here; settles its domain and path. A domain of one label is a whole
   country's. */
static bool cgt_cookie_settle(cgt_cookie *c, const cgt_url *url) {
    size_t folder = cgt_past(cgt_url_only_path(url), '/');
    if (cgt_starts(c->name, "__host-") && c->path.len == 0) return false;
    if (c->domain.len && !cgt_domain_match(url, c->domain)) return false;
    c->host_only = cgt_one_label(c->domain);
    if (c->host_only && c->domain.len && !cgt_is(c->domain, url->host)) return false;
    if (c->host_only) c->domain = cgt_text(url->host);
    if (!cgt_starts(c->path, "/")) c->path = cgt_slice_of(url->path.at, folder - (folder > 1));
    return true;
}

/* Whether https set what this cookie of a plain http response would replace, hide or remove. */
static bool cgt_jar_guards(const cgt_jar *jar, const cgt_cookie *c, long long now) {
    const cgt_cookie *a;
    for (a = jar->first; a; a = a->next)
        if (a->secure && a->until > now && cgt_same(a->name, c->name) && cgt_path_match(c->path, a->path) &&
            (cgt_domain_holds(a->domain, c->domain) || cgt_domain_holds(c->domain, a->domain))) return true;
    return false;
}

/* Takes one Set-Cookie value that came from `url`. What is not well-formed or not allowed is left out. false:
   out of memory. */
static bool cgt_jar_set(cgt_jar *jar, const cgt_url *url, cgt_slice value, long long now) {
    bool sound = cgt_span(value, cgt_in_line) == value.len, aged = false; char domain[256]; cgt_cookie c;
    cgt_slice part = cgt_cut(&value, ";"), name;
    memset(&c, 0, sizeof c); c.until = LLONG_MAX;
    if (cgt_find(part, "=") < part.len) c.name = cgt_cut(&part, "=");
    c.value = cgt_trim(part);
    while (value.len) {         /* attributes: the last of a kind counts, an age more than a date */
        long long ends, date;
        part = cgt_cut(&value, ";"); name = cgt_cut(&part, "="); part = cgt_trim(part);
        ends = cgt_max_age(part, now); date = cgt_date(part);
        if (part.len > CGT_COOKIE_ATTRIBUTE) continue;
        if (cgt_is_any_case(name, "secure")) c.secure = true;
        else if (cgt_is_any_case(name, "path")) c.path = part;
        else if (cgt_is_any_case(name, "max-age") && ends >= 0) { c.until = ends; aged = true; }
        else if (cgt_is_any_case(name, "expires") && date >= 0 && !aged) c.until = date;
        else if (cgt_is_any_case(name, "domain")) {
            part = cgt_from(part, cgt_starts(part, "."));
            c.domain = cgt_slice_of(domain, cgt_host_normal(domain, part));
            if (part.len && !c.domain.len) c.domain = cgt_text(".");    /* no name: matches nothing */
        }
    }
    if (!sound || !cgt_cookie_settle(&c, url) || !cgt_cookie_ok(&c)) return true;
    return (!url->https && (c.secure || cgt_jar_guards(jar, &c, now))) || cgt_jar_put(jar, &c, now);
}

/* ---- Cookie ---- */

static bool cgt_cookie_goes(const cgt_cookie *c, const cgt_url *url, long long now) {
    if (c->until <= now || (c->secure && !url->https)) return false;
    if (c->host_only ? !cgt_is(c->domain, url->host) : !cgt_domain_match(url, c->domain)) return false;
    return cgt_path_match(cgt_url_only_path(url), c->path);
}

/* Appends the Cookie header's value for a request: longer paths first, then older cookies. */
static void cgt_jar_header(const cgt_jar *jar, const cgt_url *to, long long now, cgt_buffer *out) {
    size_t len = cgt_url_only_path(to).len; const cgt_cookie *c;       /* no path that matches is longer */
    for (; len; len--)
        for (c = jar->first; c; c = c->next) if (c->path.len == len && cgt_cookie_goes(c, to, now)) {
            cgt_puts(out, out->len ? "; " : ""); cgt_append(out, c->name);
            cgt_puts(out, c->name.len ? "=" : ""); cgt_append(out, c->value);
        }
}

/* ==== [TLS] ==== */

/* mbedTLS 2.28, 3.x and 4.x over any transport, client side. What mbedTLS leaves open is closed here:
   versions from 1.2 on, groups and suites by our own lists (ECDHE with AEAD), certificates with SHA-2 and
   sound keys only, a subjectAltName required and addresses compared (RFC 9110 section 4.3.4), close_notify
   told from truncation. Revocation is not checked. mbedTLS allocates by itself, not through the hook, and
   reads the time of the system for validity. */

typedef struct cgt_trust cgt_trust;
typedef struct cgt_tls cgt_tls;

enum { CGT_SESSIONS = 4 };              /* sessions kept for resumption, one an origin */

#ifndef CHATGPTT_NO_TLS

#define CGT_TLS_VERSION (MBEDTLS_VERSION_NUMBER >> 24)
#if CGT_TLS_VERSION >= 3
#define CGT_TLS_PRIVATE(member) MBEDTLS_PRIVATE(member)
#else
#define CGT_TLS_PRIVATE(member) member
#endif

typedef struct cgt_session {
    char origin[CHATGPTT_MAX_ORIGIN]; mbedtls_ssl_session session; bool set;
    cgt_buffer chain;               /* the server's certificates in DER, leaf first, as it sent them */
} cgt_session;

struct cgt_trust {                  /* what the connections of a client share */
    const chatgptt_hooks *hooks; mbedtls_ssl_config config; mbedtls_x509_crt roots;
    cgt_session sessions[CGT_SESSIONS];
    size_t oldest;                  /* the session that makes room for the next */
    /* of the roots, where they are from, and `insecure`: what others trusted is not resumed */
    uint64_t mark; bool insecure;
};

/* a host: its name, or its address; address_len 0: it is a name */
typedef struct cgt_peer { char name[256]; unsigned char address[16]; size_t address_len; } cgt_peer;

struct cgt_tls {                    /* one connection */
    mbedtls_ssl_context ssl; cgt_trust *trust; const chatgptt_transport *transport; void *raw;
    const char *origin; cgt_peer peer;
    size_t received;                /* raw bytes that came */
    /* the handshake is done; the peer announced its end; a session was offered; the transport said AGAIN; it
       took bytes, so it is connected */
    bool ready, clean, offered, blocked, carried;
    int verified;                   /* 1: a certificate was looked at: not resumed; 2: self-signed */
    chatgptt_code io;               /* the transport's failure behind one of mbedTLS */
};

static cgt_slice cgt_der(const mbedtls_x509_buf *b) { return cgt_slice_of((const char *)b->p, b->len); }

/* ---- what is offered and accepted ---- */

/* IANA's numbers: of TLS 1.3, which older versions pass over; then ECDHE with AEAD, ECDSA before RSA.
   ChaCha20, AES-256 and AES-128 each, in mbedTLS's own order, which was found the fastest. */
static const int cgt_tls_suites[] = { 0x1303, 0x1302, 0x1301, 0xCCA9, 0xCCA8, 0xC02C, 0xC030, 0xC02B, 0xC02F,
                                      0 };

static const mbedtls_x509_crt_profile cgt_tls_profile = {   /* hashes, any kind of key, curves, bits of RSA */
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512), 0xFFFFFFF,
#if CGT_TLS_VERSION >= 4
    0xFFFFFFF,
#else
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
#endif
    2048 };

#if CGT_TLS_VERSION < 4
static int cgt_trust_random(void *user, unsigned char *bytes, size_t size) {
    const chatgptt_hooks *hooks = ((const cgt_trust *)user)->hooks;
    return hooks->random(hooks->user, bytes, size) == CHATGPTT_OK ? 0 : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}
#endif

static int cgt_trust_start(cgt_trust *t) {     /* mbedTLS's code: 0 or an error */
    mbedtls_ssl_config *c = &t->config; int failed;
#if CGT_TLS_VERSION >= 4 || (CGT_TLS_VERSION == 3 && defined(MBEDTLS_PSA_CRYPTO_C))
    if (psa_crypto_init() != PSA_SUCCESS) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
#endif
    failed = mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
#if CGT_TLS_VERSION < 4
    mbedtls_ssl_conf_rng(c, cgt_trust_random, t);
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED) && defined(MBEDTLS_SSL_PROTO_TLS1_3) && \
    defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        c, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
    static const uint16_t groups[] = { 0x001D, 0x0017, 0x0018, 0 };         /* x25519, secp256r1, secp384r1 */
    /* PKCS#1 before PSS: 3.6.6 fails against RSA servers of TLS 1.2 otherwise */
    static const uint16_t hashes[] = { 0x0403, 0x0503, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0 };
    mbedtls_ssl_conf_groups(c, groups); mbedtls_ssl_conf_sig_algs(c, hashes);
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                                   MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE };
    mbedtls_ssl_conf_curves(c, groups);
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    mbedtls_ssl_conf_ciphersuites(c, cgt_tls_suites);
    mbedtls_ssl_conf_cert_profile(c, &cgt_tls_profile);
    mbedtls_ssl_conf_authmode(c, t->insecure ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(c, &t->roots, NULL);
    return failed;
}

/* ---- the trust store ---- */

/* Certificates out of a PEM text that comes in lines. Its base64 is by table: mbedTLS's own takes constant
   time, which roots do not need. */
typedef struct cgt_pem {
    mbedtls_x509_crt *roots;
    short value[256];               /* of a base64 digit; -1: it is none */
    size_t len; bool inside; uint32_t bits, num_bits; int good, bad;
    uint64_t mark;                  /* a checksum of the good ones */
    unsigned char der[CHATGPTT_MAX_CERTIFICATE];    /* of the certificate under way; full: too long a one */
} cgt_pem;

static cgt_slice cgt_pem_line(cgt_pem *p, cgt_slice text) {     /* what stands behind its first line */
    const char *lf = (const char *)memchr(text.at, '\n', text.len); bool whole;
    size_t len = lf ? (size_t)(lf - text.at) : text.len, i;
    if (cgt_starts(text, "-----begin certificate----")) { p->inside = true; p->len = 0; p->num_bits = 0; }
    for (i = 0; i < len && p->inside && *text.at != '-'; i++) {
        int value = p->value[(unsigned char)text.at[i]];
        if (value < 0) continue;
        p->bits = p->bits << 6 | (uint32_t)value; p->num_bits = (p->num_bits + 6) % 8;
        if (p->num_bits == 6 || p->len == sizeof p->der) continue;
        p->der[p->len++] = (unsigned char)(p->bits >> p->num_bits & 0xFF);
    }
    if (p->inside && cgt_starts(text, "-----end")) {
        whole = p->len >= 32 && p->len < sizeof p->der &&
                mbedtls_x509_crt_parse_der(p->roots, p->der, p->len) == 0;
        p->inside = false; p->good += whole; p->bad += !whole;
        if (whole)      /* its end is a part of its signature */
            p->mark = cgt_fnv(p->mark + 1, cgt_slice_of((const char *)p->der + p->len - 32, 32));
    }
    return cgt_from(text, len + (lf != NULL));
}

#ifndef CHATGPTT_NO_FILES

static bool cgt_pem_file(cgt_pem *p, const char *path) {      /* false: it cannot be read */
    char line[512]; bool ok; FILE *file = fopen(path, "rb");
    if (!file) return false;
    while (fgets(line, sizeof line, file)) (void)cgt_pem_line(p, cgt_text(line));
    ok = !ferror(file); (void)fclose(file);
    return ok;
}

/* ca_file; with no trust of the caller's the system's store: what SSL_CERT_FILE names, else the first of the
   usual places that is there. */
static chatgptt_code cgt_trust_files(cgt_pem *p, const chatgptt_options *o, chatgptt_error *error) {
    static const char *const places[] = { CHATGPTT_TRUST_PLACES };
    const char *named = getenv("SSL_CERT_FILE"); size_t i, n = sizeof places / sizeof *places;
    if (o->ca_file && !cgt_pem_file(p, o->ca_file))
        return cgt_fail(error, CHATGPTT_E_CERTIFICATE, "ca_file %s cannot be read", o->ca_file);
    if (o->ca_file || o->ca_pem) return CHATGPTT_OK;
    if (named && *named)
        return cgt_pem_file(p, named) && p->good ? CHATGPTT_OK : cgt_fail(error, CHATGPTT_E_CERTIFICATE,
                        "no certificates could be read from %s (SSL_CERT_FILE)", named);
    for (i = 0; i < n; i++)
        if (cgt_pem_file(p, places[i]) && p->good) return CHATGPTT_OK;
    cgt_fail(error, CHATGPTT_E_CERTIFICATE, "no trust store: set ca_file. Looked at SSL_CERT_FILE");
    for (i = 0; i < 2 * n; i++)
        cgt_line_add(error->message, sizeof error->message, cgt_text(i % 2 ? places[i / 2] : ", "));
    return CHATGPTT_E_CERTIFICATE;
}

#endif /* CHATGPTT_NO_FILES */

/* Reads the roots that the options name. Damaged certificates are skipped, but without a whole one there is
   an error. */
static chatgptt_code cgt_trust_read(cgt_trust *t, const chatgptt_options *o, chatgptt_error *error) {
    cgt_pem *p = (cgt_pem *)cgt_new(t->hooks, sizeof *p); int i; chatgptt_code code = CHATGPTT_OK;
    cgt_slice own = cgt_text(o->ca_pem);
    if (!p) return cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for the trust store");
    memset(p->value, -1, sizeof p->value); p->roots = &t->roots;
    for (i = 0; i < 64; i++) p->value[(unsigned char)cgt_base64_digits[i]] = (short)i;
    while (own.len) own = cgt_pem_line(p, own);
#ifndef CHATGPTT_NO_FILES
    code = cgt_trust_files(p, o, error);
#else
    if (o->ca_file || !o->ca_pem) code = cgt_fail(error, CHATGPTT_E_CERTIFICATE,
                        "no trust store: built without files, so ca_pem must give the roots");
#endif
    if (code == CHATGPTT_OK && !p->good)
        code = cgt_fail(error, CHATGPTT_E_CERTIFICATE, "%s holds %s", o->ca_pem ? "ca_pem" : o->ca_file,
                        p->bad ? "a damaged certificate" : "no certificate in PEM form");
    t->mark = cgt_fnv(p->mark, cgt_slice_of(o->ca_pem || o->ca_file ? "own" : "system", 3));
    cgt_free(t->hooks, p, sizeof *p);
    return code;
}

static void cgt_trust_free(cgt_trust *t) {
    size_t i;
    if (!t) return;
    for (i = 0; i < CGT_SESSIONS; i++) {
        mbedtls_ssl_session_free(&t->sessions[i].session); cgt_buffer_free(&t->sessions[i].chain);
    }
    mbedtls_ssl_config_free(&t->config); mbedtls_x509_crt_free(&t->roots);
    cgt_free(t->hooks, t, sizeof *t);
}

/* What all https connections of a client share. NULL: *error says why. */
static cgt_trust *cgt_trust_new(const chatgptt_hooks *h, const chatgptt_options *o, chatgptt_error *error) {
    cgt_trust *t = (cgt_trust *)cgt_new(h, sizeof *t); chatgptt_code code = CHATGPTT_OK; int failed, i;
    if (!t) { cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for TLS"); return NULL; }
    t->hooks = h; t->insecure = o->insecure;
    mbedtls_ssl_config_init(&t->config); mbedtls_x509_crt_init(&t->roots);
    for (i = 0; i < CGT_SESSIONS; i++) {
        mbedtls_ssl_session_init(&t->sessions[i].session);
        cgt_buffer_init(&t->sessions[i].chain, h, CHATGPTT_MAX_CERTIFICATE);
    }
    failed = cgt_trust_start(t);
    if (failed) code = cgt_fail(error, CHATGPTT_E_TLS, "mbedTLS cannot start: no random bytes or no memory");
    else if (!o->insecure) code = cgt_trust_read(t, o, error);
    error->tls_code = failed;
    if (code < 0) { cgt_trust_free(t); return NULL; }
    return t;
}

/* ---- names ---- */

/* The host as it is verified and sent as SNI: a name without the dot that may end it, or an address, which is
   not sent. false: too long a name. */
static bool cgt_peer_set(cgt_peer *p, cgt_slice host, bool literal) {
    p->address_len = literal ? cgt_parse_ipv6(host, p->address) : cgt_parse_ipv4(host, p->address);
    if (host.len && host.at[host.len - 1] == '.') host.len--;
    return cgt_fixed_set(p->name, sizeof p->name, host);
}

static const char *cgt_peer_name(const cgt_peer *p) { return p->address_len ? NULL : p->name; }

/* Whether a subjectAltName is the host's address, or, for a host that is a name, any name at all: the common
   name alone does not count. */
static bool cgt_peer_named(const cgt_peer *p, const mbedtls_x509_crt *leaf) {
    const mbedtls_x509_sequence *s; cgt_slice own = cgt_slice_of((const char *)p->address, p->address_len);
    for (s = &leaf->subject_alt_names; s; s = s->next) {
        int kind = s->buf.tag & 0x1F;       /* RFC 5280 section 4.2.1.6: 2 a name, 7 an address */
        if (s->buf.p && (own.len ? kind == 7 && cgt_same(cgt_der(&s->buf), own) : kind == 2)) return true;
    }
    return false;
}

/* Called for each certificate of the chain after mbedTLS's own checks: adds those it does not make. */
static int cgt_tls_verify(void *user, mbedtls_x509_crt *crt, int depth, uint32_t *flags) {
    cgt_tls *t = (cgt_tls *)user;
    t->verified = cgt_same(cgt_der(&crt->issuer_raw), cgt_der(&crt->subject_raw)) ? 2 : 1;
    if (depth == 0 && !cgt_peer_named(&t->peer, crt)) *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return 0;                       /* the leaf comes last */
}

/* ---- sessions ---- */

static cgt_session *cgt_session_find(cgt_trust *t, const char *origin) {    /* NULL: none is kept */
    size_t i;
    for (i = 0; i < CGT_SESSIONS; i++)
        if (t->sessions[i].set && strcmp(t->sessions[i].origin, origin) == 0) return &t->sessions[i];
    return NULL;
}

/* An empty place for a session: the one it had, else that of the oldest. */
static cgt_session *cgt_session_room(cgt_trust *t, const char *origin) {
    cgt_session *s = cgt_session_find(t, origin);
    if (!s) { s = &t->sessions[t->oldest]; t->oldest = (t->oldest + 1) % CGT_SESSIONS; s->chain.len = 0; }
    mbedtls_ssl_session_free(&s->session); mbedtls_ssl_session_init(&s->session);
    (void)cgt_fixed_set(s->origin, sizeof s->origin, cgt_text(origin));
    return s;
}

/* Keeps what the connection negotiated, for the next one to the same origin. */
static void cgt_session_keep(cgt_tls *t) {
    cgt_session *s = cgt_session_room(t->trust, t->origin);
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);
    s->set = mbedtls_ssl_get_session(&t->ssl, &s->session) == 0;
    if (!t->verified) return;           /* it was resumed: the chain is that of the session before */
    s->chain.len = 0;
    for (; crt; crt = crt->next) cgt_append(&s->chain, cgt_der(&crt->raw));
}

/* The sessions of a client in bytes: origin, the trust's mark, the server's chain behind its size, mbedTLS's
   own bytes, which only the very same version reads. */
static bool cgt_session_save(const cgt_trust *t, size_t i, cgt_buffer *out) {
    const cgt_session *s = &t->sessions[i]; size_t size = 0;
    if (!s->set || s->chain.failed || !s->chain.len) return false;
    (void)mbedtls_ssl_session_save(&s->session, NULL, 0, &size);
    cgt_append(out, cgt_slice_of(s->origin, strlen(s->origin) + 1));
    cgt_append(out, cgt_slice_of((const char *)&t->mark, sizeof t->mark));
    cgt_append(out, cgt_slice_of((const char *)&s->chain.len, sizeof s->chain.len));
    cgt_append(out, cgt_slice_of_buffer(&s->chain));
    if (size == 0 || !cgt_reserve(out, size) ||
        mbedtls_ssl_session_save(&s->session, (unsigned char *)out->data + out->len, size, &size) != 0)
        return false;
    out->len += size;
    return true;
}

/* What a saved session says of its server: what stands in a file is no proof that a handshake ever was. */
typedef struct cgt_claim { cgt_peer peer; mbedtls_x509_crt chain; } cgt_claim;

/* Whether a handshake with these certificates (in DER, leaf first) would be accepted now: they verify against
   the roots, for this host, as a server's. */
static bool cgt_claim_holds(cgt_trust *t, cgt_claim *c, cgt_slice der) {
    static const char servers[] = "\x2b\x06\x01\x05\x05\x07\x03\x01";       /* id-kp-serverAuth */
    mbedtls_x509_crt *last = &c->chain; uint32_t flags; size_t at;
    for (at = 0; at < der.len; at += last->raw.len) {
        if (mbedtls_x509_crt_parse_der(&c->chain, (const unsigned char *)der.at + at, der.len - at) != 0)
            return false;
        while (last->next) last = last->next;
    }
    if (!der.len || t->insecure) return der.len > 0;
    return mbedtls_x509_crt_verify_with_profile(&c->chain, &t->roots, NULL, &cgt_tls_profile,
                                                cgt_peer_name(&c->peer), &flags, NULL, NULL) == 0 &&
           cgt_peer_named(&c->peer, &c->chain) &&
           mbedtls_x509_crt_check_key_usage(&c->chain, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509_crt_check_extended_key_usage(&c->chain, servers, sizeof servers - 1) == 0;
}

/* Whether a loaded session is that claim's. TLS 1.2 keeps the leaf in it; TLS 1.3 does not, but the host's
   name, which mbedTLS takes out of the bytes unlooked at, maybe without its end: it is made anew. */
static bool cgt_claim_owns(const cgt_claim *c, cgt_session *s) {
#if MBEDTLS_VERSION_NUMBER >= 0x03040000 && defined(MBEDTLS_SSL_PROTO_TLS1_3) && \
    defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SERVER_NAME_INDICATION)
    char **name = &s->session.CGT_TLS_PRIVATE(hostname), *old = *name;
    if (old) *name = (char *)mbedtls_calloc(1, sizeof c->peer.name);
    if (old && *name) memcpy(*name, c->peer.name, sizeof c->peer.name);
    mbedtls_free(old);
#endif
#ifdef MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
    if (s->session.CGT_TLS_PRIVATE(peer_cert))
        return cgt_same(cgt_der(&s->session.CGT_TLS_PRIVATE(peer_cert)->raw), cgt_der(&c->chain.raw));
#endif
    (void)c; (void)s;
    return true;
}

/* `in` is hostile: taken only if mark and chain hold, and the session is that chain's. Its origin needs no
   check of its own: it is compared with those of connections, whole. */
static void cgt_session_load(cgt_trust *t, cgt_slice in) {
    size_t origin = memchr(in.at, '\0', in.len) ? strlen(in.at) : in.len, size;
    const size_t head = sizeof t->mark + sizeof size;
    cgt_slice host = cgt_slice_of(in.at, origin), port, rest; cgt_claim *c; bool literal;
    if (!cgt_starts(host, "https://") || origin >= CHATGPTT_MAX_ORIGIN || in.len - origin < 1 + head) return;
    rest = cgt_from(in, origin + 1 + head);
    memcpy(&size, rest.at - sizeof size, sizeof size);
    if (memcmp(rest.at - head, &t->mark, sizeof t->mark) != 0 || size > rest.len) return;
    c = (cgt_claim *)cgt_new(t->hooks, sizeof *c);
    if (!c) return;
    mbedtls_x509_crt_init(&c->chain);
    if (!cgt_url_split(cgt_from(host, 8), &host, &port, &literal) &&
        cgt_peer_set(&c->peer, host, literal) && cgt_claim_holds(t, c, cgt_slice_of(rest.at, size))) {
        cgt_session *s = cgt_session_room(t, in.at);
        s->chain.len = 0;
        cgt_append(&s->chain, cgt_slice_of(rest.at, size));
        s->set = mbedtls_ssl_session_load(&s->session, (const unsigned char *)rest.at + size,
                                          rest.len - size) == 0 && cgt_claim_owns(c, s);
    }
    mbedtls_x509_crt_free(&c->chain); cgt_free(t->hooks, c, sizeof *c);
}

/* ---- the connection ---- */

/* What the transport said, for mbedTLS: how many bytes, 0: the end, or an error. */
static int cgt_tls_moved(cgt_tls *t, chatgptt_code code, size_t done, int again) {
    if (code == CHATGPTT_AGAIN || (code == CHATGPTT_OK && !done)) { t->blocked = true; return again; }
    if (code >= 0) return code == CHATGPTT_OK ? (int)done : 0;
    t->io = code;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int cgt_tls_send(void *user, const unsigned char *bytes, size_t size) {
    cgt_tls *t = (cgt_tls *)user; size_t done = 0;
    chatgptt_code code = (t->transport->write)(t->transport->user, t->raw, bytes, size, &done);
    t->carried |= done > 0;
    return cgt_tls_moved(t, code > CHATGPTT_AGAIN ? CHATGPTT_E_IO : code, done, MBEDTLS_ERR_SSL_WANT_WRITE);
}

static int cgt_tls_receive(void *user, unsigned char *bytes, size_t size) {
    cgt_tls *t = (cgt_tls *)user; size_t done = 0;
    chatgptt_code code = (t->transport->read)(t->transport->user, t->raw, bytes, size, &done);
    t->received += done;
    return cgt_tls_moved(t, code, done, MBEDTLS_ERR_SSL_WANT_READ);
}

static void cgt_tls_free(cgt_tls *t) {
    if (t->ready && !t->io) (void)mbedtls_ssl_close_notify(&t->ssl);
    mbedtls_ssl_free(&t->ssl); cgt_free(t->trust->hooks, t, sizeof *t);
}

/* TLS over a connection that may still have to be made. `origin` must outlive it. NULL: out of memory. */
static cgt_tls *cgt_tls_new(cgt_trust *trust, const chatgptt_transport *transport, void *raw,
                            const cgt_url *url, const char *origin) {
    cgt_tls *t = (cgt_tls *)cgt_new(trust->hooks, sizeof *t);
    cgt_session *session = cgt_session_find(trust, origin);
    if (!t) return NULL;
    t->trust = trust; t->transport = transport; t->raw = raw; t->origin = origin;
    mbedtls_ssl_init(&t->ssl);
    if (mbedtls_ssl_setup(&t->ssl, &trust->config) != 0 ||
        !cgt_peer_set(&t->peer, cgt_text(url->host), url->literal) ||
        mbedtls_ssl_set_hostname(&t->ssl, cgt_peer_name(&t->peer)) != 0) { cgt_tls_free(t); return NULL; }
    mbedtls_ssl_set_verify(&t->ssl, cgt_tls_verify, t);
    mbedtls_ssl_set_bio(&t->ssl, t, cgt_tls_send, cgt_tls_receive, NULL);
    t->offered = session && mbedtls_ssl_set_session(&t->ssl, &session->session) == 0;
    return t;
}

/* ---- reasons in words ---- */

static const char *cgt_tls_certificate_reason(const cgt_tls *t, uint32_t flags) {
    static const struct { uint32_t flags; const char *words; } rows[] = {
        { MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
          "its chain has a weak key or hash" },
        { MBEDTLS_X509_BADCERT_NOT_TRUSTED,
          "unknown issuer: neither it nor its chain leads to a trusted root" },
        { MBEDTLS_X509_BADCERT_EXPIRED, "it or its chain has expired (or this system's clock is wrong)" },
        { MBEDTLS_X509_BADCERT_FUTURE, "it is not yet valid (or this system's clock is wrong)" },
        { MBEDTLS_X509_BADCERT_CN_MISMATCH, "it is for another name" },
        { MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "it is not for servers" },
        { 0xFFFFFFFFu, "it was refused" } };
    size_t i = 0;
    while (!(flags & rows[i].flags)) i++;
    return i == 1 && t->verified == 2 ? "it is self-signed" : rows[i].words;
}

static const char *cgt_tls_reason(const cgt_tls *t, int failed) {
    /* alerts of RFC 8446 section 6 that a server ends a handshake with, and codes of mbedTLS, below 0 */
    static const struct { int code; const char *words; } rows[] = {
        { 40, "alert of the server: no common cipher suite, group or version" },
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
        { 70, "alert of the server: no common version, its TLS is too old" },
#else
        { 70, "no common version: this mbedTLS speaks no TLS 1.3, or the server's TLS is too old" },
#endif
        { 112, "alert of the server: it does not know this host name" },
        { 116, "alert of the server: it wants a certificate of its clients" },
#if CGT_TLS_VERSION >= 3
        { MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "the server's TLS is too old: 1.2 is the least" },
#else
        { MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, "the server's TLS is too old: 1.2 is the least" },
#endif
        { MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "the server ended the handshake with an alert" },
        { MBEDTLS_ERR_SSL_INVALID_RECORD, "the server does not speak TLS on this port" },
        { MBEDTLS_ERR_SSL_ALLOC_FAILED, "out of memory or random bytes" } };
    const unsigned char *in = t->ssl.CGT_TLS_PRIVATE(in_msg); size_t i;     /* an alert lies there still */
    int alert = failed == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && in ? in[1] : failed;
    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == alert || rows[i].code == failed) return rows[i].words;
    return "TLS handshake failed: the server's suite or group is not acceptable, or its messages are damaged";
}

/* Sets the error for a failed call of mbedTLS. */
static chatgptt_code cgt_tls_fail(cgt_tls *t, chatgptt_error *error, int failed) {
    uint32_t flags = t->verified ? mbedtls_ssl_get_verify_result(&t->ssl) : 0;
    chatgptt_code code = CHATGPTT_E_TLS; const char *format = "no TLS with %b: %s", *why = "";
    if (!t->ready && flags && flags != 0xFFFFFFFFu && !t->io) {
        code = CHATGPTT_E_CERTIFICATE; format = "the certificate of %b is not trusted: %s";
        why = cgt_tls_certificate_reason(t, flags);
    } else if (failed <= -0x2080 && failed > -0x3000) {
        code = CHATGPTT_E_CERTIFICATE;
        format = "the certificate of %b cannot be read: it is damaged or has unknown extensions";
    } else if (failed == MBEDTLS_ERR_SSL_CONN_EOF || failed == 0) {
        code = CHATGPTT_E_CLOSED; format = "%b closed the connection during the TLS handshake%s";
        if (!t->received) why = ", without a word: it may not speak TLS on this port";
    } else if (t->ready) format = "TLS with %b broke: a record is damaged or not allowed";
    else why = cgt_tls_reason(t, failed);
    cgt_fail(error, code, format, cgt_from(cgt_text(t->origin), 8), why);
    error->tls_code = failed;
    return code;
}

/* ---- handshake, read, write ---- */

static bool cgt_tls_wants(int n) { return n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE; }

/* Whether to call mbedTLS once more: it stops behind a session ticket, and between messages, when there is
   nothing to wait for: then the transport was not asked. */
static bool cgt_tls_goes_on(cgt_tls *t, int result) {
    bool more = cgt_tls_wants(result) && !t->blocked;
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    more |= result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
    if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET && t->ready) cgt_session_keep(t);
#endif
    t->blocked = false;
    return more;
}

/* OK: done; AGAIN; < 0: *error says why, or t->io holds the transport's code. */
static chatgptt_code cgt_tls_handshake(cgt_tls *t, chatgptt_error *error) {
    cgt_session *kept = cgt_session_find(t->trust, t->origin); int failed;
    if (t->ready) return CHATGPTT_OK;
    do failed = mbedtls_ssl_handshake(&t->ssl); while (cgt_tls_goes_on(t, failed));
    if (cgt_tls_wants(failed)) return CHATGPTT_AGAIN;
    if (failed && kept) kept->set = false;
    if (failed) return cgt_tls_fail(t, error, failed);
    t->ready = true; cgt_session_keep(t);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_tls_read(cgt_tls *t, chatgptt_error *e, void *bytes, size_t size, size_t *done) {
    int got;
    do got = mbedtls_ssl_read(&t->ssl, (unsigned char *)bytes, size); while (cgt_tls_goes_on(t, got));
    *done = got > 0 ? (size_t)got : 0;
    if (got > 0) return CHATGPTT_OK;
    if (cgt_tls_wants(got)) return CHATGPTT_AGAIN;
    t->clean = got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    if (t->clean || got == 0 || got == MBEDTLS_ERR_SSL_CONN_EOF) return CHATGPTT_DONE;
    return cgt_tls_fail(t, e, got);
}

static chatgptt_code cgt_tls_write(cgt_tls *t, chatgptt_error *e, const void *of, size_t size, size_t *done) {
    int put;
    do put = mbedtls_ssl_write(&t->ssl, (const unsigned char *)of, size); while (cgt_tls_goes_on(t, put));
    *done = put > 0 ? (size_t)put : 0;
    if (put >= 0) return CHATGPTT_OK;
    return cgt_tls_wants(put) ? CHATGPTT_AGAIN : cgt_tls_fail(t, e, put);
}

/* Whether bytes wait inside mbedTLS, where no descriptor shows them. */
static bool cgt_tls_pending(const cgt_tls *t) { return mbedtls_ssl_check_pending(&t->ssl) != 0; }

#endif /* CHATGPTT_NO_TLS */

/* ==== [CONNECT] ==== */

/* A connection to an origin: the transport's bytes, a proxy's tunnel through them, TLS over them where the
   origin is https. The idle ones a client keeps, and the read buffer its exchanges lend each other. Used by
   EXCHANGE alone; CLIENT sets the pool up and closes it. */

/* a proxy is asked for one: CONNECT and its answer (RFC 9110 section 9.3.6) */
typedef struct cgt_tunnel { cgt_buffer out; size_t sent; cgt_http_line line; } cgt_tunnel;

typedef struct cgt_conn {           /* owned by the exchange that uses it, or by the pool while it is idle */
    struct cgt_pool *pool; chatgptt_error *error;       /* error: that of the exchange */
    struct cgt_conn *next;          /* idle ones form a list, the latest first */
    /* the transport's; NULL: plain; NULL: none is needed, or it stands */
    void *raw; cgt_tls *tls; cgt_tunnel *tunnel;
    size_t received, drained;       /* raw bytes that came; what came after the last response's end mark */
    /* responses before this one; ms until bytes went, and until requests could, -1: under way */
    unsigned served; int linked, took;
    long long parked;               /* when it was given back, in ms */
    /* carried: the transport took or gave bytes, so it is connected; ready: requests may go out, the first of
       which connects over plain http. Of TLS: the server has not turned the session down that was offered; it
       ended without close_notify, which is no end of a body; bytes wait inside mbedTLS, where no descriptor
       shows them */
    bool carried, ready, resumes, unclean, pending;
    cgt_http in;                    /* of the tunnel, or of the last response, whose end may still come */
    size_t size; char origin[1];    /* of this block, whose end is: whom it leads to, "https://host:port" */
} cgt_conn;

#ifdef CHATGPTT_NO_NET
typedef struct cgt_net { int resolve_ms, sys_errno; const char *why; } cgt_net;     /* of no transport */
#endif

typedef struct cgt_pool {           /* what the exchanges of a client share */
    const chatgptt_hooks *hooks; const chatgptt_options *options; chatgptt_transport transport;
    cgt_net net;                    /* the built-in transport's */
    /* spare: a read buffer that nobody holds, until no stream runs; NULL: none */
    cgt_conn *idle; char *spare;
    cgt_url proxy; cgt_buffer login;        /* Proxy-Authorization's value; empty: none */
    cgt_trust *trust;               /* made when the first https connection needs it */
} cgt_pool;

static bool cgt_pool_is_builtin(const cgt_pool *pool) { return pool->transport.user == &pool->net; }

/* ---- read buffers: lent while bytes in them are unread, so that streams that wait hold none ---- */

static char *cgt_lend(cgt_pool *pool) {     /* CHATGPTT_READ_BUFFER bytes; NULL: out of memory */
    char *buffer = pool->spare;
    pool->spare = NULL;
    return buffer ? buffer : (char *)cgt_resize(pool->hooks, NULL, 0, CHATGPTT_READ_BUFFER);
}

/* NULL: none was lent; the spare one itself is freed. */
static void cgt_unlend(cgt_pool *pool, char **buffer) {
    if (!pool->spare) pool->spare = *buffer;
    else cgt_free(pool->hooks, *buffer, CHATGPTT_READ_BUFFER);
    *buffer = NULL;
}

/* ---- settings ---- */

/* Takes what stands before the @, percent-encoded, as Basic credentials (RFC 7617): decoded, with a colon,
   in base64. */
static chatgptt_code cgt_pool_set_login(cgt_pool *pool, cgt_slice user) {
    unsigned bits = 0; int have = 0, bare = cgt_find(user, ":") == user.len; cgt_buffer *b = &pool->login;
    for (cgt_puts(b, "Basic "); user.len || bare;) {
        bool escape = user.len > 2 && *user.at == '%' && cgt_is_hex(user.at[1]) && cgt_is_hex(user.at[2]);
        char c = escape ? (char)(cgt_hex(user.at[1]) * 16 + cgt_hex(user.at[2])) : user.len ? *user.at : ':';
        if (cgt_control(c)) b->failed = CHATGPTT_E_ARGUMENT;
        bare &= user.len > 0; user = cgt_from(user, escape ? 3 : user.len > 0);
        bits = bits << 8 | (unsigned char)c;
        for (have += 8; have >= 6; have -= 6) cgt_putc(b, cgt_base64_digits[bits >> (have - 6) & 63]);
    }
    if (have) cgt_putc(b, cgt_base64_digits[bits << (6 - have) & 63]);
    if (have) cgt_puts(b, have == 2 ? "==" : "=");
    return b->failed;
}

/* Takes the proxy option: http://[user:password@]host[:port], the scheme may be missing. Its login is never
   part of a message. */
static chatgptt_code cgt_pool_set_proxy(cgt_pool *pool, cgt_slice text, chatgptt_error *error) {
    const char *why = "out of memory"; cgt_slice user = cgt_text(""); cgt_buffer b; chatgptt_code code;
    bool bare = !cgt_contains(text, "://");
    if (!bare && !cgt_starts(text, "http://"))
        return cgt_fail(error, CHATGPTT_E_UNSUPPORTED,
                        "only http:// proxies are supported, no SOCKS and none over https");
    cgt_buffer_init(&b, pool->hooks, CHATGPTT_MAX_URL); pool->login.max = (size_t)2 * CHATGPTT_MAX_URL;
    cgt_puts(&b, bare ? "http://" : ""); cgt_append(&b, text);
    code = b.failed ? b.failed : cgt_url_parse(&pool->proxy, b.hooks, cgt_slice_of_buffer(&b), &user, &why);
    if (!code) why = "its login is too long or holds a control character";
    if (!code && user.len) code = cgt_pool_set_login(pool, user);
    cgt_buffer_free(&b);
    if (!code) return code;
    return cgt_fail(error, code, "the proxy option (%b) is no URL: %s", cgt_url_place(text), why);
}

/* OK if https can be spoken; the trust store is read at the first call. */
static chatgptt_code cgt_pool_trust(cgt_pool *pool, chatgptt_error *error) {
#ifdef CHATGPTT_NO_TLS
    (void)pool;
    return cgt_fail(error, CHATGPTT_E_UNSUPPORTED,
                    "https needs TLS, which is not built in: build without CHATGPTT_NO_TLS and link mbedTLS");
#else
    if (!pool->trust) pool->trust = cgt_trust_new(pool->hooks, pool->options, error);
    return pool->trust ? CHATGPTT_OK : error->code;
#endif
}

/* ---- read, write, handshake ---- */

/* Whom the bytes go to, for messages: the proxy until its tunnel stands, then the origin's host. */
static cgt_slice cgt_conn_peer(const cgt_conn *conn) {
    cgt_slice origin = cgt_text(conn->origin), proxy = conn->pool->proxy.authority;
    bool https = cgt_starts(origin, "https");
    return proxy.len && (conn->tunnel || !conn->carried || !https) ? proxy : cgt_from(origin, https ? 8 : 7);
}

/* Sets the error for a transport's code, with what the built-in one knows of the cause. */
static chatgptt_code cgt_conn_fail(const cgt_conn *conn, chatgptt_code code, const char *doing) {
    const cgt_pool *pool = conn->pool; cgt_slice peer = cgt_conn_peer(conn);
    bool known = cgt_pool_is_builtin(pool) && pool->net.why;
    if (code >= 0) code = CHATGPTT_E_IO;        /* a transport of the caller's that returns what it may not */
    cgt_fail(conn->error, code, "%s %s%b: %s", doing, peer.at == pool->proxy.authority.at ? "the proxy " : "",
             peer, known ? pool->net.why : chatgptt_code_text(code));
    conn->error->sys_errno = known ? pool->net.sys_errno : 0;
    return code;
}

typedef enum cgt_act { CGT_READ, CGT_WRITE, CGT_SHAKE } cgt_act;

/* All bytes of a connection go through here. OK: some did, or hands are shaken; a transport that says so of
   none has none for now. AGAIN: a write must be repeated with the same bytes. DONE: the peer has ended. */
static chatgptt_code cgt_conn_do(cgt_conn *conn, cgt_act act, void *bytes, size_t size, size_t *done) {
    static const char *const doing[] = { "cannot read from", "cannot write to",
                                         "broken during the TLS handshake with" };
    const chatgptt_transport *t = &conn->pool->transport; cgt_tls *tls = conn->tls; chatgptt_code code;
    *done = 0;
#ifndef CHATGPTT_NO_TLS
    if (tls && !conn->tunnel) {
        code = act == CGT_READ    ? cgt_tls_read(tls, conn->error, bytes, size, done)
               : act == CGT_WRITE ? cgt_tls_write(tls, conn->error, bytes, size, done)
                                  : cgt_tls_handshake(tls, conn->error);
        conn->received = tls->received; conn->carried |= tls->carried;
        conn->resumes = tls->offered && !tls->verified && !tls->io;
        conn->unclean = !tls->clean; conn->pending = tls->ready && cgt_tls_pending(tls);
        if (!tls->io) return code == CHATGPTT_OK && act != CGT_SHAKE && !*done ? CHATGPTT_AGAIN : code;
        code = tls->io;         /* else TLS has set its own error */
    } else
#endif
    code = act == CGT_READ ? (t->read)(t->user, conn->raw, bytes, size, done)
                           : (t->write)(t->user, conn->raw, bytes, size, done);
    (void)tls;
    if (code < 0 || code > (act == CGT_READ ? CHATGPTT_DONE : CHATGPTT_AGAIN))
        return cgt_conn_fail(conn, code, conn->carried ? doing[act] : "cannot connect to");
    if (act == CGT_READ) conn->received += *done;
    conn->carried |= *done > 0;
    return code == CHATGPTT_OK && !*done ? CHATGPTT_AGAIN : code;
}

/* ---- a proxy's tunnel ---- */

static void cgt_tunnel_free(cgt_conn *conn) {
    if (conn->tunnel) cgt_buffer_free(&conn->tunnel->out);
    cgt_free(conn->pool->hooks, conn->tunnel, sizeof *conn->tunnel);
    conn->tunnel = NULL; conn->in.line = NULL;
}

/* The request for a tunnel. false: out of memory. */
static bool cgt_tunnel_new(cgt_conn *conn, const cgt_url *url) {
    const cgt_pool *pool = conn->pool; cgt_tunnel *t; cgt_buffer *b; int i;
    t = conn->tunnel = (cgt_tunnel *)cgt_new(pool->hooks, sizeof *t);
    if (!t) return false;
    conn->in.method = CGT_HTTP_CONNECT; conn->in.max_head = pool->options->max_header_bytes;
    conn->in.line = &t->line; b = &t->out; cgt_buffer_init(b, pool->hooks, CHATGPTT_MAX_REQUEST);
    for (i = 0; i < 2; i++) {
        cgt_puts(b, i ? "Host: " : "CONNECT "); cgt_append(b, url->authority);
        cgt_puts(b, strcmp(url->port, "443") == 0 ? ":443" : ""); cgt_puts(b, i ? "\r\n" : " HTTP/1.1\r\n");
    }
    cgt_put_header(b, "User-Agent", cgt_text(pool->options->user_agent));
    cgt_put_header(b, "Proxy-Authorization", cgt_slice_of_buffer(&pool->login));
    cgt_puts(b, "\r\n");
    return !b->failed;
}

static chatgptt_code cgt_tunnel_refused(const cgt_pool *pool, chatgptt_error *error, int status) {
    cgt_fail(error, CHATGPTT_E_PROXY,
             status != 407     ? "the proxy %b refuses the connection (status %d)"
             : pool->login.len ? "the proxy %b refuses the login (status 407)"
                               : "the proxy %b wants a login (status 407): user:password@ before its host",
             pool->proxy.authority, status);
    error->http_status = status;
    return CHATGPTT_E_PROXY;
}

/* Reads the proxy's answer to CONNECT. Nothing may follow it: the server of a TLS connection does not speak
   first. */
static chatgptt_code cgt_tunnel_answer(cgt_conn *conn) {
    char bytes[256]; size_t done, at = 0, used; cgt_http *in = &conn->in; const char *why;
    const cgt_pool *pool = conn->pool; cgt_slice proxy = pool->proxy.authority;
    chatgptt_code code = cgt_conn_do(conn, CGT_READ, bytes, sizeof bytes, &done);
    if (code == CHATGPTT_DONE || code == CHATGPTT_E_CLOSED)
        return cgt_fail(conn->error, CHATGPTT_E_PROXY,
                        "the proxy %b closed the connection instead of answering", proxy);
    if (code != CHATGPTT_OK) return code;
    do {
        code = cgt_http_feed(in, bytes + at, done - at, &used); at += used;
    } while (code == CHATGPTT_OK && in->event == CGT_HTTP_HEADER);
    if (code == CHATGPTT_OK && in->event == CGT_HTTP_NONE) return code;
    if (code == CHATGPTT_OK && in->status > 299) return cgt_tunnel_refused(pool, conn->error, in->status);
    if (code == CHATGPTT_OK && at == done) { cgt_tunnel_free(conn); return code; }
    why = code == CHATGPTT_OK ? "bytes of its own before the TLS handshake" : in->why;
    return cgt_fail(conn->error, code == CHATGPTT_E_LIMIT ? code : CHATGPTT_E_PROXY,
                    "the answer of the proxy %b: %s", proxy, why);
}

/* OK: requests may go out; AGAIN: tunnel or TLS is under way. */
static chatgptt_code cgt_conn_ready(cgt_conn *conn) {
    chatgptt_code code = CHATGPTT_OK; size_t done;
    while (code == CHATGPTT_OK && conn->tunnel) {
        cgt_tunnel *t = conn->tunnel; size_t left = t->out.len - t->sent;
        if (left == 0) { code = cgt_tunnel_answer(conn); continue; }
        code = cgt_conn_do(conn, CGT_WRITE, t->out.data + t->sent, left, &done); t->sent += done;
    }
    if (code == CHATGPTT_OK && conn->tls) code = cgt_conn_do(conn, CGT_SHAKE, NULL, 0, &done);
    conn->ready = code == CHATGPTT_OK;
    return code;
}

/* ---- open, close, wait ---- */

static void cgt_conn_close(cgt_conn *conn) {
    cgt_pool *pool = conn->pool;
#ifndef CHATGPTT_NO_TLS
    if (conn->tls) cgt_tls_free(conn->tls);
#endif
    if (conn->raw) (pool->transport.close)(pool->transport.user, conn->raw);
    cgt_tunnel_free(conn); cgt_free(pool->hooks, conn, conn->size);
}

/* false: conn->error says why, if it is not memory that lacks. */
static bool cgt_conn_start(cgt_conn *conn, const cgt_url *url) {
    cgt_pool *pool = conn->pool; const chatgptt_transport *t = &pool->transport; chatgptt_code code;
    const cgt_url *peer = pool->proxy.whole.len ? &pool->proxy : url;
    if (url->https && cgt_pool_trust(pool, conn->error) < 0) return false;
    if (url->https && peer != url && !cgt_tunnel_new(conn, url)) return false;
    code = (t->open)(t->user, peer->host, peer->port, &conn->raw);
    if (code != CHATGPTT_OK) {
        conn->raw = NULL;
        cgt_conn_fail(conn, code, code == CHATGPTT_E_RESOLVE ? "cannot look up" : "cannot connect to");
        return false;
    }
#ifndef CHATGPTT_NO_TLS
    if (url->https) conn->tls = cgt_tls_new(pool->trust, t, conn->raw, url, conn->origin);
#endif
    return !url->https || conn->tls;
}

/* Opens a connection; it may still have to be made. NULL: *error says why. */
static cgt_conn *cgt_conn_open(cgt_pool *pool, const cgt_url *url, chatgptt_error *error) {
    size_t size = sizeof(cgt_conn) + url->origin.len; cgt_conn *conn = (cgt_conn *)cgt_new(pool->hooks, size);
    if (conn) {
        conn->pool = pool; conn->error = error; conn->size = size; conn->linked = conn->took = -1;
        memcpy(conn->origin, url->origin.at, url->origin.len);
        if (cgt_conn_start(conn, url)) return conn;
        cgt_conn_close(conn);
    }
    if (!error->code) cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for a connection");
    return NULL;
}

/* Whether a read takes all there is if there is room, so that a short one was the last for now. */
static bool cgt_conn_is_greedy(const cgt_conn *conn) { return !conn->tls && cgt_pool_is_builtin(conn->pool); }

static chatgptt_wait cgt_conn_want(const cgt_conn *conn) {
    const chatgptt_transport *t = &conn->pool->transport; chatgptt_wait w = (t->want)(t->user, conn->raw);
    if (conn->pending) w.timeout_ms = 0;
    return w;
}

static chatgptt_code cgt_pool_wait(const cgt_pool *pool, const chatgptt_wait *what) {
    if (what->timeout_ms == 0 && what->count == 0) return CHATGPTT_OK;
    return (pool->transport.wait)(pool->transport.user, what);
}

/* ---- idle connections ---- */

/* Takes what came behind the end mark of the last response. false: the connection is of no use any more,
   since that is no end of it, or more than CHATGPTT_MAX_DRAIN bytes, or nobody's. */
static bool cgt_conn_drain(cgt_conn *conn, cgt_http *in, char *bytes, size_t len) {
    size_t used;
    conn->drained += len;
    if (conn->drained > CHATGPTT_MAX_DRAIN) return false;
    while (in->state == CGT_HTTP_COMPLETE || (len && in->state != CGT_HTTP_ENDED)) {
        if (cgt_http_feed(in, bytes, len, &used) < 0) return false;
        bytes += used; len -= used;
    }
    return len == 0;
}

static void cgt_pool_drop(cgt_conn **at) { cgt_conn *gone = *at; *at = gone->next; cgt_conn_close(gone); }

/* An idle connection to this origin, no longer in the pool; NULL: there is none. Those that are too old go.
   */
static cgt_conn *cgt_conn_take(cgt_pool *pool, const cgt_url *url, chatgptt_error *error, long long now) {
    cgt_conn **at = &pool->idle, *conn;
    while ((conn = *at) != NULL) {
        if (now - conn->parked > CHATGPTT_MAX_IDLE_MS) cgt_pool_drop(at);
        else if (!cgt_is(url->origin, conn->origin)) at = &conn->next;
        else { *at = conn->next; conn->error = error; break; }
    }
    return conn;
}

static void cgt_conn_park(cgt_conn *conn, const cgt_http *in, long long now) {
    cgt_conn **at = &conn->pool->idle; int count;
    conn->in = *in; conn->parked = now; conn->served++;
    conn->next = *at; *at = conn;
    for (count = 0; *at && count < CHATGPTT_MAX_IDLE; count++) at = &(*at)->next;
    while (*at) cgt_pool_drop(at);
}

static void cgt_pool_close(cgt_pool *pool) {
    while (pool->idle) cgt_pool_drop(&pool->idle);
    cgt_unlend(pool, &pool->spare); cgt_url_free(&pool->proxy); cgt_buffer_free(&pool->login);
#ifndef CHATGPTT_NO_TLS
    cgt_trust_free(pool->trust);
#endif
}

/* ==== [EXCHANGE] ==== */

/* One request and its response: a connection found or made, the request sent, the response read, redirects
   followed, all under deadlines. The only engine: streams, probe and fuzzers drive this and nothing below it.
   It owns what it needs and reads nothing that another exchange may change while it runs.

   A request is repeated by one rule only, since the server may have acted on it and RFC 9110 section 9.2.2
   leaves a POST no other: on a connection that was kept from an earlier exchange, when it closes without one
   raw byte since the request began, once, and only if the close came at once.

   FIND     a connection: an idle one of the client's, or a new one
   CHECK    a kept one: its last response has ended, and it is silent
   CONNECT  until the request's first byte is out, tunnel and TLS before it
   SEND     until its last byte is
   HEAD     status line and headers of the response
   BODY
   ENDED    the response is complete
   FAILED   `error` says why */
typedef enum cgt_exchange_state {
    CGT_X_FIND, CGT_X_CHECK, CGT_X_CONNECT, CGT_X_SEND, CGT_X_HEAD, CGT_X_BODY, CGT_X_ENDED, CGT_X_FAILED
} cgt_exchange_state;

typedef enum cgt_exchange_event { CGT_X_NOTHING, CGT_X_STATUS, CGT_X_PIECE, CGT_X_END } cgt_exchange_event;

/* or three times what connecting took: a later close is a server at work */
enum { CGT_REPEAT_MS = 1000 };

/* What a redirect does: it is an answer like others; it is followed if it repeats the request (307, 308); it
   is followed, and 303 or a POST's 301 and 302 ask by GET. */
typedef enum cgt_follow { CGT_FOLLOW_NONE, CGT_FOLLOW_REPEAT, CGT_FOLLOW_ALL } cgt_follow;

typedef struct cgt_exchange {
    /* what every step looks at */
    cgt_exchange_state state;
    cgt_exchange_event event; chatgptt_code last;   /* of the last step; what it said: AGAIN, wait */
    /* of PIECE, in `buffer`, the caller's to change until the next step; owned, NULL before FIND and at the
       end */
    cgt_slice piece; cgt_conn *conn;
    /* lent by the pool while bytes in it are unread: those at [at, end). dry: the last read took all there
       was, the next would say AGAIN; generation: of connections left */
    char *buffer; size_t at, end; bool dry; unsigned generation;
    long long until, total;         /* when the state's own time is up, and all of it; ms, LLONG_MAX: never */
    /* so far; more is E_LIMIT, 0: no limit; the response, whose line is owned until its head is complete */
    size_t body_bytes, max_body; cgt_http in;
    /* borrowed, and alive as long as the exchange */
    cgt_pool *pool; cgt_jar *jar; chatgptt_error *error; chatgptt_stats *stats;
    const char *method, *doing;     /* doing: what a time-out interrupts, in words */
    /* owned until the head of the final response */
    cgt_buffer out;                 /* the request; from `asks` on it is the same after a redirect */
    size_t asks, form, unsent;      /* form: where, from `asks` on, a GET in its place would end */
    /* owned until the end; to: where a redirect leads */
    cgt_url url, to; cgt_follow follow; int redirects, repeats;
    /* when FIND began; when a byte of the request last went out; raw bytes of the connection when it began */
    long long began, sent; size_t mark;
    /* headers: the mark of a challenge page; the body is compressed; Content-Type, as far as it fits */
    bool challenged, coded; char type[CHATGPTT_MAX_NAME];
} cgt_exchange;

static long long cgt_after(long long now, int ms) { return ms < 0 ? LLONG_MAX : now + ms; }

static void cgt_trace(const chatgptt_hooks *hooks, const char *what, cgt_slice text) {
    if (hooks->trace) hooks->trace(hooks->user, what, text.at, text.len);
}

/* ---- states: times are set where one is entered, and nowhere else but with a byte in or out ---- */

static chatgptt_code cgt_exchange_enter(cgt_exchange *x, cgt_exchange_state state, long long now) {
    const chatgptt_options *o = x->pool->options;
    x->state = state;
    switch (state) {
    case CGT_X_FIND: x->began = now; x->until = LLONG_MAX; break;
    case CGT_X_CHECK: x->until = now + CHATGPTT_MAX_DRAIN_MS; break;
    case CGT_X_CONNECT:
        x->until = cgt_after(x->began, o->connect_timeout_ms); x->unsent = x->out.len;
        x->mark = x->conn->received; x->conn->drained = x->body_bytes = 0;
        x->challenged = x->coded = false; x->type[0] = '\0';
        memset(&x->in, 0, sizeof x->in); x->in.max_head = o->max_header_bytes;
        x->in.method = strcmp(x->method, "HEAD") == 0 ? CGT_HTTP_HEAD_METHOD : CGT_HTTP_OTHER;
        break;
    case CGT_X_ENDED: x->event = CGT_X_END; x->until = LLONG_MAX; break;
    default: x->until = cgt_after(now, o->idle_timeout_ms);
    }
    return CHATGPTT_OK;
}

static chatgptt_code cgt_exchange_late(cgt_exchange *x, bool total) {
    const cgt_conn *conn = x->conn; const chatgptt_options *o = x->pool->options;
    bool connecting = x->state == CGT_X_CONNECT;
    const char *doing = x->state == CGT_X_SEND          ? "sending to"
                        : !connecting                   ? x->doing
                        : !conn->carried || conn->ready ? "connecting to"
                        : conn->tunnel                  ? "asking for a tunnel from"
                                                        : "in the TLS handshake with";
    int ms = total ? o->total_timeout_ms : connecting ? o->connect_timeout_ms : o->idle_timeout_ms;
    return cgt_fail(x->error, CHATGPTT_E_TIMEOUT, "timed out after %d ms %s %b (%s_timeout_ms)", ms, doing,
                    connecting ? cgt_conn_peer(conn) : x->url.authority,
                    total ? "total" : connecting ? "connect" : "idle");
}

static void cgt_exchange_drop_line(cgt_exchange *x) {
    cgt_free(x->pool->hooks, x->in.line, sizeof *x->in.line);
    x->in.line = NULL;
}

/* No more is read from the connection. Whether it can serve again, which its unread bytes may show it cannot:
   never before the head is complete. */
static bool cgt_exchange_settle(cgt_exchange *x) {
    bool useful = x->conn && x->unsent == 0 && cgt_http_alive(&x->in) &&
                  cgt_conn_drain(x->conn, &x->in, x->buffer ? x->buffer + x->at : NULL, x->end - x->at);
    x->at = x->end = 0; x->dry = false;
    cgt_unlend(x->pool, &x->buffer); cgt_exchange_drop_line(x);
    return useful;
}

/* Leaves the connection: to the pool, or closed. The generation a caller sees only ever grows: what the
   transport counted on it is added up. */
static void cgt_exchange_leave(cgt_exchange *x, bool keep, long long now) {
    cgt_conn *conn = x->conn;
    keep = cgt_exchange_settle(x) && keep; x->conn = NULL;
    if (!conn) return;
    x->generation += cgt_conn_want(conn).generation + 1;
    if (keep) cgt_conn_park(conn, &x->in, now); else cgt_conn_close(conn);
}

/* ---- the request ---- */

/* Writes where it goes in front of what is asked; then a connection is looked for. */
static chatgptt_code cgt_exchange_aim(cgt_exchange *x, long long now) {
    cgt_pool *pool = x->pool; cgt_buffer b, cookies; size_t asks;
    cgt_buffer_init(&b, pool->hooks, CHATGPTT_MAX_REQUEST);
    cgt_buffer_init(&cookies, pool->hooks, CHATGPTT_MAX_REQUEST);
    cgt_jar_header(x->jar, &x->url, pool->hooks->unix_time(pool->hooks->user), &cookies);
    cgt_put_target(&b, x->method, &x->url, pool->proxy.whole.len && !x->url.https,
                   cgt_slice_of_buffer(&cookies), cgt_slice_of_buffer(&pool->login));
    asks = b.len;
    cgt_append(&b, cgt_from(cgt_slice_of_buffer(&x->out), x->asks));
    if (cookies.failed) b.failed = cookies.failed;
    if (x->out.failed) b.failed = x->out.failed;
    cgt_buffer_free(&cookies); cgt_buffer_free(&x->out);
    x->out = b; x->asks = asks;
    if (!b.failed) return cgt_exchange_enter(x, CGT_X_FIND, now);
    return cgt_fail(x->error, b.failed, b.failed == CHATGPTT_E_MEMORY ? "out of memory for the request"
                    : "the request is longer than CHATGPTT_MAX_REQUEST: shorten the message");
}

/* ---- FIND and CHECK ---- */

static chatgptt_code cgt_exchange_find(cgt_exchange *x, long long now) {
    cgt_pool *pool = x->pool;
    /* where one was dead, others may be */
    x->conn = x->repeats ? NULL : cgt_conn_take(pool, &x->url, x->error, now); x->generation++;
    if (x->conn) return cgt_exchange_enter(x, CGT_X_CHECK, now);
    cgt_trace(x->pool->hooks, "connect", x->url.authority);
    x->conn = cgt_conn_open(pool, &x->url, x->error);
    if (!x->conn) return x->error->code;
    x->stats->connections++;
    if (cgt_pool_is_builtin(pool)) x->stats->resolve_ms = pool->net.resolve_ms;
    return cgt_exchange_enter(x, CGT_X_CONNECT, now);
}

/* Another attempt, which is safe: nothing that the server can have acted on went out, or the one rule holds.
   */
static chatgptt_code cgt_exchange_again(cgt_exchange *x, const char *why, long long now) {
    cgt_trace(x->pool->hooks, "retry", cgt_text(why)); cgt_exchange_leave(x, false, now);
    memset(x->error, 0, sizeof *x->error);
    return cgt_exchange_enter(x, CGT_X_FIND, now);
}

/* The server may have closed it, or still owe the end of the last response; a byte that nobody asked for, be
   it a part of a TLS record, would be read as the answer. */
static chatgptt_code cgt_exchange_check(cgt_exchange *x, long long now) {
    cgt_conn *conn = x->conn; cgt_http *in = &conn->in; char bytes[256]; size_t done, before = conn->received;
    bool ended = in->state == CGT_HTTP_ENDED;
    chatgptt_code code = cgt_conn_do(conn, CGT_READ, bytes, sizeof bytes, &done);
    if ((ended && conn->received > before) || !cgt_conn_drain(conn, in, bytes, done)) code = CHATGPTT_E_HTTP;
    if (code == CHATGPTT_OK || (code == CHATGPTT_AGAIN && !ended && now < x->until)) return code;
    if (code != CHATGPTT_AGAIN || !ended)
        return cgt_exchange_again(x, "the kept connection is of no use any more", now);
    x->stats->reused = true;
    return cgt_exchange_enter(x, CGT_X_CONNECT, now);
}

/* ---- CONNECT and SEND ---- */

/* The request's first byte is about to go, or has gone: notes how long that took. */
static void cgt_exchange_connected(cgt_exchange *x, long long now) {
    int taken = cgt_until(now, x->began); cgt_conn *conn = x->conn; chatgptt_stats *stats = x->stats;
    if (conn->took >= 0 || !conn->carried) return;
    if (conn->linked < 0) conn->linked = taken;
    if (stats->connect_ms < 0) stats->connect_ms = taken;
    if (conn->ready) conn->took = taken;
    if (!conn->ready || !conn->tls) return;
    stats->tls_ms = taken - conn->linked; stats->resumed = conn->resumes;
    cgt_trace(x->pool->hooks, "tls", cgt_text(conn->resumes ? "resumed" : "new session"));
}

/* What a read or write said that brought nothing: DONE or E_CLOSED, the peer has gone. Here stands the one
   rule by which a request is repeated; one of which nothing went out can never be late. */
static chatgptt_code cgt_exchange_closed(cgt_exchange *x, chatgptt_code code, long long now) {
    const cgt_conn *conn = x->conn; bool unclean = conn->unclean;
    long long soon = conn->took > CGT_REPEAT_MS / 3 ? 3LL * conn->took : (long long)CGT_REPEAT_MS;
    if (code != CHATGPTT_DONE && code != CHATGPTT_E_CLOSED) return code;
    if (conn->served && !x->repeats && conn->received == x->mark && x->state <= CGT_X_HEAD &&
        (x->unsent == x->out.len || now - x->sent <= soon)) {
        x->repeats++;
        return cgt_exchange_again(x, "the kept connection was closed", now);
    }
    if (code < 0) return x->error->code;
    code = cgt_http_eof(&x->in, !unclean);
    if (code == CHATGPTT_OK) return cgt_exchange_enter(x, CGT_X_ENDED, now);
    return cgt_fail(x->error, code, "%b %s%s", x->url.authority, x->in.why,
                    unclean ? ", without TLS's close_notify" : "");
}

/* Reads what there is into a lent buffer. Unless it is OK, none is held. */
static chatgptt_code cgt_exchange_read(cgt_exchange *x, long long now) {
    chatgptt_code code = CHATGPTT_AGAIN; bool dry = x->dry;
    if (!dry && !x->buffer) x->buffer = cgt_lend(x->pool);
    if (!dry && !x->buffer) return cgt_fail(x->error, CHATGPTT_E_MEMORY, "out of memory for a response");
    x->at = x->end = 0;
    if (!dry) code = cgt_conn_do(x->conn, CGT_READ, x->buffer, CHATGPTT_READ_BUFFER, &x->end);
    x->dry = x->end > 0 && x->end < CHATGPTT_READ_BUFFER && cgt_conn_is_greedy(x->conn);
    if (x->end == 0) { cgt_unlend(x->pool, &x->buffer); return code; }
    x->stats->bytes_in += x->end; x->until = cgt_after(now, x->pool->options->idle_timeout_ms);
    if (x->state == CGT_X_BODY || x->in.line) return CHATGPTT_OK;
    x->in.line = (cgt_http_line *)cgt_resize(x->pool->hooks, NULL, 0, sizeof *x->in.line);
    return x->in.line ? CHATGPTT_OK : cgt_fail(x->error, CHATGPTT_E_MEMORY, "out of memory for a head");
}

/* The request is stuck, or cannot be written: a peer that answers before it has read all will not read on,
   and may have said why it hung up. `code`: what the write said. */
static chatgptt_code cgt_exchange_early(cgt_exchange *x, chatgptt_code code, long long now) {
    chatgptt_error why = *x->error; chatgptt_code got;
    memset(x->error, 0, sizeof why);        /* an answer is no error, whatever the write met */
    got = cgt_exchange_read(x, now);
    if (got == CHATGPTT_OK) return cgt_exchange_enter(x, CGT_X_HEAD, now);
    if (code != CHATGPTT_AGAIN && got != CHATGPTT_E_MEMORY) { *x->error = why; got = code; }
    return cgt_exchange_closed(x, got, now);
}

static chatgptt_code cgt_exchange_write(cgt_exchange *x, long long now) {
    size_t done, at = x->out.len - x->unsent; chatgptt_error line;      /* its message is what is wanted */
    chatgptt_code code = cgt_conn_do(x->conn, CGT_WRITE, x->out.data + at, x->unsent, &done);
    if (at == 0) cgt_exchange_connected(x, now);
    /* nothing has gone out: on a new connection, which never stood, there is no answer to look for */
    if (code != CHATGPTT_OK && at == 0 && (code == CHATGPTT_AGAIN || !x->conn->served)) return code;
    if (code != CHATGPTT_OK) return cgt_exchange_early(x, code, now);
    if (at == 0 && x->pool->hooks->trace) {     /* no query is traced, which may hold tokens */
        (cgt_fail)(&line, CHATGPTT_OK, "%s %b%b", x->method, x->url.origin, cgt_url_only_path(&x->url));
        cgt_trace(x->pool->hooks, "request", cgt_text(line.message));
    }
    x->stats->requests += at == 0; x->unsent -= done; x->stats->bytes_out += done; x->sent = now;
    return cgt_exchange_enter(x, x->unsent ? CGT_X_SEND : CGT_X_HEAD, now);
}

static chatgptt_code cgt_exchange_connect(cgt_exchange *x, long long now) {
    chatgptt_code code = cgt_conn_ready(x->conn);
    if (code == CHATGPTT_OK) return cgt_exchange_write(x, now);
    cgt_exchange_connected(x, now);
    if (code > 0 || !x->conn->resumes) return code;
    return cgt_exchange_again(x, "the server would not have the TLS session", now);
}

/* ---- HEAD ---- */

static bool cgt_is_redirect(int code) { return code > 300 && code < 309 && (code < 304 || code > 306); }

/* Where a redirect leads; what forbids it is set as the error, which counts once the head is complete. Never
   from https to http (the cookies and the message would be readable on the way). */
static void cgt_exchange_location(cgt_exchange *x, cgt_slice value) {
    cgt_slice user, where = cgt_url_place(value); const char *why; chatgptt_code code;
    if (x->to.whole.len || x->error->code) return;      /* the first counts */
    code = cgt_url_resolve(&x->to, &x->url, value, &user, &why);
    if (code == CHATGPTT_OK) {
        where = x->to.authority;
        if (user.len) why = "it holds a user name";
        else if (x->url.https && !x->to.https) why = "from https to http, which is refused";
        else if (x->redirects >= x->pool->options->max_redirects) why = "max_redirects are used up";
        else if (x->follow == CGT_FOLLOW_REPEAT && x->in.status < 307)
            why = "the message would be lost on the way; set url or endpoint to that address";
        else return;
    }
    cgt_fail(x->error, code == CHATGPTT_E_MEMORY ? code : CHATGPTT_E_STATUS,
             where.len ? "%b redirects to %b: %s" : "%b redirects%b: %s", x->url.authority, where, why);
    cgt_url_free(&x->to);
}

/* Whether it is the proxy that answers, not the site: over plain http nothing but this status tells. */
static bool cgt_exchange_is_proxy(const cgt_exchange *x) {
    return x->in.status == 407 && x->pool->proxy.whole.len && !x->url.https;
}

static chatgptt_code cgt_exchange_header(cgt_exchange *x) {
    cgt_slice name = cgt_text(x->in.line->name), value = cgt_text(x->in.line->value);
    const chatgptt_hooks *hooks = x->pool->hooks; bool whole = !x->in.line->cut;
    if (cgt_is(name, "content-type")) { x->type[0] = '\0'; cgt_line_add(x->type, sizeof x->type, value); }
    else if (cgt_is(name, "content-encoding")) x->coded |= cgt_http_coded(value);
    else if (cgt_is(name, "location") && whole && x->follow && cgt_is_redirect(x->in.status))
        cgt_exchange_location(x, value);
    else if (cgt_is(name, "set-cookie") && whole && !cgt_exchange_is_proxy(x) &&
             !cgt_jar_set(x->jar, &x->url, value, hooks->unix_time(hooks->user)))
        return cgt_fail(x->error, CHATGPTT_E_MEMORY, "out of memory for a response's headers");
    else if (cgt_starts(name, "cf-") || cgt_starts(name, "sg-") || cgt_starts(name, "x-amzn"))
        x->challenged = true;
    return CHATGPTT_OK;
}

/* A redirect: the connection may serve again, what is asked stays the same, its target changes. */
static chatgptt_code cgt_exchange_go(cgt_exchange *x, long long now) {
    int status = x->in.status; bool post = strcmp(x->method, "POST") == 0;
    cgt_trace(x->pool->hooks, "redirect", x->to.origin); x->redirects++;
    cgt_exchange_leave(x, true, now); cgt_url_free(&x->url);
    x->url = x->to; memset(&x->to, 0, sizeof x->to); x->to.text.hooks = x->pool->hooks;
    if (status == 303 ? strcmp(x->method, "HEAD") != 0 : status < 303 && post) {
        x->method = "GET"; x->out.len = x->asks + x->form; cgt_puts(&x->out, "\r\n");
    }
    return cgt_exchange_aim(x, now);
}

/* The head is complete. */
static chatgptt_code cgt_exchange_head(cgt_exchange *x, long long now) {
    char digits[24];
    cgt_trace(x->pool->hooks, "status", cgt_slice_of(digits, cgt_digits(digits, (unsigned)x->in.status)));
    if (x->error->code) return x->error->code;
    if (x->to.whole.len) return cgt_exchange_go(x, now);
    if (cgt_exchange_is_proxy(x)) return cgt_tunnel_refused(x->pool, x->error, x->in.status);
    if (x->follow && cgt_is_redirect(x->in.status))
        return cgt_fail(x->error, CHATGPTT_E_STATUS, "%b redirects: nowhere, since Location is missing or "
                        "longer than CHATGPTT_MAX_VALUE", x->url.authority);
    cgt_buffer_free(&x->out); cgt_exchange_drop_line(x);
    x->event = CGT_X_STATUS;
    return cgt_exchange_enter(x, CGT_X_BODY, now);
}

/* ---- HEAD and BODY ---- */

/* What was read and not used comes first, then what the connection has. */
static chatgptt_code cgt_exchange_receive(cgt_exchange *x, long long now) {
    char *in = x->buffer ? x->buffer + x->at : NULL; size_t used, len = in ? x->end - x->at : 0;
    chatgptt_code code = cgt_http_feed(&x->in, in, len, &used);
    x->at += used;
    if (code < 0) return cgt_fail(x->error, code, "the response of %b: %s", x->url.authority, x->in.why);
    switch (x->in.event) {
    case CGT_HTTP_HEADER: return cgt_exchange_header(x);
    case CGT_HTTP_HEAD: return cgt_exchange_head(x, now);
    case CGT_HTTP_BODY:
        x->event = CGT_X_PIECE; x->piece = x->in.piece; x->body_bytes = cgt_sum(x->body_bytes, x->piece.len);
        if (!x->max_body || x->body_bytes <= x->max_body) return CHATGPTT_OK;
        return cgt_fail(x->error, CHATGPTT_E_LIMIT, "the response of %b is longer than max_page_bytes or "
                        "max_reply_bytes", x->url.authority);
    case CGT_HTTP_END: return cgt_exchange_enter(x, CGT_X_ENDED, now);
    default: return cgt_exchange_closed(x, cgt_exchange_read(x, now), now);
    }
}

/* ---- for those above ---- */

/* What all exchanges of a stream have in common, borrowed; and when all of it must be over, ms. */
typedef struct cgt_exchange_setup {
    cgt_pool *pool; cgt_jar *jar; chatgptt_error *error; chatgptt_stats *stats; long long total;
} cgt_exchange_setup;

/* Begins an exchange on a zeroed or freed one. `url` is taken over; what `asks` borrows is needed no more. */
static chatgptt_code cgt_exchange_begin(cgt_exchange *x, const cgt_exchange_setup *setup, cgt_url *url,
                                        const cgt_asks *asks, long long now) {
    const chatgptt_hooks *hooks = setup->pool->hooks; unsigned generation = x->generation;
    memset(x, 0, sizeof *x);
    x->pool = setup->pool; x->jar = setup->jar; x->error = setup->error; x->stats = setup->stats;
    x->total = setup->total; x->generation = generation; x->method = asks->method;
    x->doing = "waiting for the answer of"; x->to.text.hooks = hooks;
    memset(x->error, 0, sizeof *x->error); cgt_buffer_init(&x->out, hooks, CHATGPTT_MAX_REQUEST);
    x->form = cgt_put_asks(&x->out, asks);
    x->url = *url; memset(url, 0, sizeof *url);
    return cgt_exchange_aim(x, now);
}

static chatgptt_code cgt_exchange_move(cgt_exchange *x, long long now) {
    switch (x->state) {
    case CGT_X_FIND: return cgt_exchange_find(x, now);
    case CGT_X_CHECK: return cgt_exchange_check(x, now);
    case CGT_X_CONNECT: return cgt_exchange_connect(x, now);
    case CGT_X_SEND: return cgt_exchange_write(x, now);
    case CGT_X_HEAD: case CGT_X_BODY: return cgt_exchange_receive(x, now);
    case CGT_X_ENDED: return CHATGPTT_DONE;
    default: return x->error->code;
    }
}

/* OK with x->event: STATUS, the head is complete (x->in.status, x->type and the others); PIECE of the body;
   END. AGAIN: wait as cgt_exchange_want() says. DONE after END. < 0: x->error, and so for ever. A time is
   looked at when there is nothing to do but wait: what came while a slow caller was away is no silence of the
   site's. */
static chatgptt_code cgt_exchange_step(cgt_exchange *x, long long now) {
    chatgptt_code code = CHATGPTT_OK;
    x->event = CGT_X_NOTHING;
    while (code == CHATGPTT_OK && x->event == CGT_X_NOTHING) {
        bool blocks = x->state == CGT_X_FIND, late = x->state < CGT_X_ENDED && now >= x->total;
        code = late ? cgt_exchange_late(x, true) : cgt_exchange_move(x, now);
        if (blocks) now = cgt_now(x->pool->hooks);      /* a lookup takes its time */
    }
    if (code == CHATGPTT_AGAIN && now >= x->until && x->state != CGT_X_CHECK)
        code = cgt_exchange_late(x, false);
    if (code < 0) x->state = CGT_X_FAILED;
    return x->last = code;
}

static chatgptt_wait cgt_exchange_want(const cgt_exchange *x, long long now) {
    long long until = x->until < x->total ? x->until : x->total; chatgptt_wait w;
    bool answer = x->conn && x->state >= CGT_X_HEAD; int ms = cgt_until(until, now);
    memset(&w, 0, sizeof w); w.timeout_ms = -1;
    if (x->conn) w = cgt_conn_want(x->conn);
    /* room for the rest of a request that never will be sent is no news; connected, it has one descriptor */
    if (answer && x->unsent) w.on[0].events &= CHATGPTT_READ;
    if (answer && cgt_conn_is_greedy(x->conn)) w.on[0].events = CHATGPTT_READ;
    w.generation += x->generation;
    if (x->last != CHATGPTT_AGAIN) w.timeout_ms = 0;
    else if (until != LLONG_MAX && (w.timeout_ms < 0 || ms < w.timeout_ms)) w.timeout_ms = ms;
    return w;
}

/* No stream runs: nobody needs a read buffer. */
static void cgt_exchange_rest(cgt_pool *pool) { cgt_unlend(pool, &pool->spare); }

/* No more is wanted of the response. If the rest of it may still come, the connection is kept for that; it
   stays with the exchange until it is freed, so that a loop can take its descriptor out. `unread`: what of
   the last piece the caller has not used. */
static void cgt_exchange_stop(cgt_exchange *x, size_t unread) {
    bool whole = x->state == CGT_X_BODY || x->state == CGT_X_ENDED;
    if (x->conn) x->conn->drained += unread;
    x->state = cgt_exchange_settle(x) && whole ? CGT_X_ENDED : CGT_X_FAILED;
}

/* Gives the connection back or closes it, and frees all but the generation, which goes on in the next one. */
static void cgt_exchange_free(cgt_exchange *x, long long now) {
    if (!x->pool) return;
    cgt_exchange_leave(x, x->state == CGT_X_ENDED, now); cgt_buffer_free(&x->out);
    cgt_url_free(&x->url); cgt_url_free(&x->to); x->pool = NULL;
}

/* ==== [MATCH] ==== */

/* A tiny pattern matcher with the meaning of Python's re, on bytes: literals, `.` (all but LF), classes with
   ranges and negation, `* + ?` (greedy) on single characters and classes, one group. A backslash makes
   punctuation literal; \n \r \t as in C. The first match counts; what it captured is the group, or all of it
   without one. Linear time: a set of positions in the pattern walks over the text (Pike), so no text can make
   it slow. Offsets count modulo 2^32. */

#define CGT_ANY 255     /* the set of `.` */

/* set: 0 a literal, CGT_ANY, else 1 + its class; repeat: NUL, `?` or `*`, which `+` is the second half of */
typedef struct cgt_node { unsigned char set, byte; char repeat; } cgt_node;

typedef struct cgt_pattern {
    cgt_node node[CHATGPTT_MAX_PATTERN]; unsigned char set[CHATGPTT_MAX_CLASSES][32];
    int count, sets, open, close;   /* the group lies before these nodes */
    char literal[CHATGPTT_MAX_PATTERN + 1];         /* what every match begins with, terminated */
    size_t literals, rare;          /* how long it is; which of its bytes is the rarest in pages */
} cgt_pattern;

typedef struct cgt_thread { uint32_t from, to; int at; } cgt_thread;

typedef struct cgt_match {
    const cgt_pattern *pattern;
    uint32_t offset, from, to;      /* of the next byte in the text; of what it captured so far */
    bool found, ended;              /* there is a match; it can grow no more */
    uint64_t seen; int count, turn; /* of the threads that are alive; which list has them */
    cgt_thread lists[2][CHATGPTT_MAX_PATTERN];
} cgt_match;

typedef struct cgt_pattern_reader { cgt_slice text; size_t at; const char *why; } cgt_pattern_reader;

static bool cgt_pattern_bad(cgt_pattern_reader *r, const char *why) { r->why = why; return false; }

/* One character, maybe escaped, at r->at. */
static bool cgt_pattern_char(cgt_pattern_reader *r, unsigned char *c) {
    *c = (unsigned char)r->text.at[r->at++];
    if (*c != '\\') return true;
    if (r->at == r->text.len) return cgt_pattern_bad(r, "nothing follows the backslash");
    *c = (unsigned char)r->text.at[r->at];
    if (*c == 'n' || *c == 'r' || *c == 't') *c = *c == 'n' ? '\n' : *c == 'r' ? '\r' : '\t';
    else if (cgt_alnum((char)*c)) return cgt_pattern_bad(r, "no such escape");
    r->at++;
    return true;
}

/* A class, from behind its bracket to behind the closing one. */
static bool cgt_pattern_class(cgt_pattern_reader *r, unsigned char set[32]) {
    bool negated = r->at < r->text.len && r->text.at[r->at] == '^', range; unsigned char from, to; int i;
    size_t first = r->at += negated;
    for (; r->at < r->text.len && (r->text.at[r->at] != ']' || r->at == first);) {
        if (!cgt_pattern_char(r, &from)) return false;
        range = r->at + 1 < r->text.len && r->text.at[r->at] == '-' && r->text.at[r->at + 1] != ']';
        to = from; r->at += range;
        if (range && !cgt_pattern_char(r, &to)) return false;
        if (to < from) return cgt_pattern_bad(r, "the range is upside down");
        for (i = from; i <= to; i++) set[i >> 3] = (unsigned char)(set[i >> 3] | 1 << (i & 7));
    }
    if (r->at++ >= r->text.len) { r->at = r->text.len; return cgt_pattern_bad(r, "the class is not closed"); }
    for (i = 0; negated && i < 32; i++) set[i] = (unsigned char)~set[i];
    return true;
}

/* One that can be repeated. Equal classes share a place. */
static bool cgt_pattern_atom(cgt_pattern *p, cgt_pattern_reader *r, cgt_node *node) {
    char c = r->text.at[r->at]; unsigned char set[32] = { 0 }; int i = 0;
    if (strchr("*+?", c)) return cgt_pattern_bad(r, "no character or class to repeat");
    if (strchr("^$|{", c)) return cgt_pattern_bad(r, "not supported: put a backslash before it");
    if (c != '.' && c != '[') return cgt_pattern_char(r, &node->byte);
    node->set = CGT_ANY; r->at++;
    if (c == '.') return true;
    if (!cgt_pattern_class(r, set)) return false;
    while (i < p->sets && memcmp(p->set[i], set, sizeof set) != 0) i++;
    if (i == CHATGPTT_MAX_CLASSES) return cgt_pattern_bad(r, "too many classes");
    if (i == p->sets) memcpy(p->set[p->sets++], set, sizeof set);
    node->set = (unsigned char)(i + 1);
    return true;
}

static bool cgt_pattern_group(cgt_pattern *p, cgt_pattern_reader *r, bool open) {
    if (open != (p->open < 0) || p->close >= 0)
        return cgt_pattern_bad(r, open ? "only one group" : "no group is open");
    *(open ? &p->open : &p->close) = p->count; r->at++;
    return true;
}

static bool cgt_pattern_next(cgt_pattern *p, cgt_pattern_reader *r) {
    cgt_node node = { 0, 0, 0 }; char c = r->text.at[r->at]; const char *repeat; bool plus;
    if (c == '\0') return cgt_pattern_bad(r, "NUL in the pattern");
    if (c == '(' || c == ')') return cgt_pattern_group(p, r, c == '(');
    if (!cgt_pattern_atom(p, r, &node)) return false;
    repeat = strchr("*+?", r->at < r->text.len ? r->text.at[r->at] : '\0');
    plus = repeat && *repeat == '+'; r->at += repeat && *repeat;
    if (p->count + plus >= CHATGPTT_MAX_PATTERN) return cgt_pattern_bad(r, "the pattern is too long");
    if (plus) p->node[p->count++] = node;
    node.repeat = (char)(plus ? '*' : repeat ? *repeat : '\0');
    p->node[p->count++] = node;
    return true;
}

/* The literal that every match begins with: it is looked for by its rarest byte. */
static void cgt_pattern_literal(cgt_pattern *p) {
    static const char common[] = " etaoinsrldc-pumhgfb/\"w.vy:=";    /* in pages, commonest first */
    size_t n = 0, best = 0, rank;
    for (; (int)n < p->count && p->node[n].set == 0 && !p->node[n].repeat; n++) {
        p->literal[n] = (char)p->node[n].byte;
        rank = cgt_find(cgt_text(common), p->literal + n);
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
    *at = r.at; *why = r.why;
    if (p->open < 0) { p->open = 0; p->close = p->count; }
    cgt_pattern_literal(p);
    return r.why == NULL;
}

/* Adds a position and those reached from it without a byte. `arrived`: it came from the node before, not from
   its own repetition. Whether the end is among them: that is a match, and all that comes after it is less
   preferred. */
static bool cgt_match_add(cgt_match *m, cgt_thread t, bool arrived) {
    const cgt_pattern *p = m->pattern;
    for (;; t.at++, arrived = true) {
        if (arrived && t.at == p->open) t.from = m->offset;
        if (arrived && t.at == p->close) t.to = m->offset;
        if (m->seen >> t.at & 1) return false;
        m->seen |= (uint64_t)1 << t.at;
        if (t.at == p->count) { m->from = t.from; m->to = t.to; return m->found = true; }
        m->lists[m->turn][m->count++] = t;
        if (!p->node[t.at].repeat) return false;
    }
}

static bool cgt_match_byte(const cgt_pattern *p, const cgt_node *node, unsigned char c) {
    if (node->set == CGT_ANY) return c != '\n';
    return node->set ? p->set[node->set - 1][c >> 3] >> (c & 7) & 1 : node->byte == c;
}

static void cgt_match_begin(cgt_match *m) {
    cgt_thread t = { 0, 0, 0 };
    if (!m->found && cgt_match_add(m, t, true)) m->ended = m->count == 0;
}

static void cgt_match_step(cgt_match *m, unsigned char c) {
    const cgt_pattern *p = m->pattern; const cgt_thread *old = m->lists[m->turn]; int count = m->count, i;
    m->turn = !m->turn; m->count = 0; m->seen = 0; m->offset++;
    for (i = 0; i < count; i++) {
        cgt_thread t = old[i]; const cgt_node *node = &p->node[t.at];
        if (!cgt_match_byte(p, node, c)) continue;
        t.at += node->repeat != '*';
        if (cgt_match_add(m, t, node->repeat != '*')) break;
    }
    m->ended = m->found && m->count == 0;
}

/* Where a match may begin, from `in` on, as far as the bytes go; len: nowhere. By the literal's rarest byte:
   the three patterns of PAGE take 0.13 ns a byte together. */
static size_t cgt_match_where(const cgt_pattern *p, const char *in, size_t len) {
    size_t i = 0, size = p->literals;
    for (; size && i + size <= len; i++) {
        const char *at = (const char *)memchr(in + i + p->rare, p->literal[p->rare], len - size - i + 1);
        i = at ? (size_t)(at - in) - p->rare : len - size;
        if (at && in[i] == *p->literal && memcmp(in + i, p->literal, size) == 0) return i;
    }
    while (size && i < len && memcmp(in + i, p->literal, len - i) != 0) i++;
    return i;
}

/* Bytes that change nothing, if no match begins in them: there is no position; or they leave the first of two
   where it is, and the second, which that one reaches by itself, does not take them: the inside of an
   attribute, say. 2 ns a byte instead of 24. The number of bytes used. */
static size_t cgt_match_run(cgt_match *m, const char *in, size_t len) {
    const cgt_pattern *p = m->pattern; cgt_thread t = m->lists[m->turn][0];
    const cgt_node *node = &p->node[t.at]; size_t n = 0;
    if (m->count == 0) { m->offset += (uint32_t)len; return len; }
    if (m->count != 2 || node->repeat != '*' || m->lists[m->turn][1].at != t.at + 1 || node[1].repeat)
        return 0;
    while (n < len && cgt_match_byte(p, node, (unsigned char)in[n]) &&
           !cgt_match_byte(p, node + 1, (unsigned char)in[n])) n++;
    m->offset += (uint32_t)n; m->seen = 0; m->count = 0;
    (void)cgt_match_add(m, t, false);
    return n;
}

/* Feeds text until the match is certain (m->ended). At the end of the text m->found tells whether there is
   one. */
static void cgt_match_feed(cgt_match *m, const char *in, size_t len) {
    const cgt_pattern *p = m->pattern; size_t i = 0, next = 0;
    if (m->offset == 0 && m->count == 0 && p->literals == 0) cgt_match_begin(m);
    for (; i < len && !m->ended; i++) {
        if (i == 0 || next < i) next = m->found ? len : i + cgt_match_where(p, in + i, len - i);
        i += cgt_match_run(m, in + i, next - i);
        if (i == len) break;
        if (i == next) cgt_match_begin(m);
        cgt_match_step(m, (unsigned char)in[i]);
    }
}

/* ==== [JSON] ==== */

/* A streaming scanner by RFC 8259. It checks the whole document and tells only of the values it was asked
   for, which are the nodes of a tree: nodes[0] is the document, the children of a node lie one behind the
   other, and an array's element is the child whose key is its index in digits. Of duplicate keys the first
   counts.
   Strings are decoded in place: pieces lie in the caller's bytes, or, where a character was cut by the end of
   the input, in the state. What it tells:
       TEXT     `piece` is a part of the string or number of `field`
       VALUE    the value of `field` is complete; an object or array: it begins. `type` is its kind
       END      the document is complete; what follows it is not touched
   The caller may set lenient and joined after cgt_json_init(). */

enum { CGT_JSON_UNTOLD = 255, CGT_JSON_NOWHERE = 255 };

typedef struct cgt_json_node {      /* 65 at most */
    const char *key;
    uint32_t len;                   /* of the key */
    unsigned char field;            /* what the caller calls it; UNTOLD: only its children are wanted */
    unsigned char up, child, count; /* its parent, its first child, how many there are */
} cgt_json_node;
#define CGT_NODE(key, field, up, child, count) { key, sizeof(key) - 1, field, up, child, count }

typedef enum cgt_json_event { CGT_JSON_NONE, CGT_JSON_TEXT, CGT_JSON_VALUE, CGT_JSON_END } cgt_json_event;
typedef enum cgt_json_type {
    CGT_JSON_STRING, CGT_JSON_NUMBER, CGT_JSON_TRUE, CGT_JSON_FALSE, CGT_JSON_NULL, CGT_JSON_OBJECT,
    CGT_JSON_ARRAY
} cgt_json_type;

typedef enum cgt_json_state {
    /* before a value, a key, a colon; in a container before and after a value: it may end here */
    CGT_JSON_EXPECT, CGT_JSON_KEY, CGT_JSON_COLON, CGT_JSON_OPENED, CGT_JSON_AFTER,
    CGT_JSON_IN_STRING, CGT_JSON_LITERAL,
    CGT_JSON_NUMBER_START, CGT_JSON_MINUS, CGT_JSON_POINT, CGT_JSON_E, CGT_JSON_SIGN,
    CGT_JSON_ZERO, CGT_JSON_INTEGER, CGT_JSON_FRACTION, CGT_JSON_EXPONENT,      /* a number may end here */
    CGT_JSON_CLOSED, CGT_JSON_ENDED /* the document is complete; and that was told */
} cgt_json_state;

typedef struct cgt_json {
    const cgt_json_node *nodes; cgt_slice piece; cgt_json_event event; cgt_json_type type;
    cgt_json_state state; unsigned char field;
    unsigned char joined;           /* strings of fields below this number go on in one another: */
    char spare[6];                  /* a high surrogate's escape at the end of one waits here for the next */
    bool lenient;                   /* invalid UTF-8 becomes U+FFFD instead of an error */
    /* the string is a key; the value under way is a field; `part` may hold a whole character */
    bool in_key, told, again;
    unsigned char node, in;         /* of the value that comes; of the innermost wanted container */
    unsigned char like;             /* the first child of `in` that the key is like so far */
    unsigned char part_len;
    char part[12], hold[4];         /* the start of a cut character or escape; the one it became */
    unsigned short depth, in_depth; /* the latter of `in`, which only holds children of wanted containers */
    uint32_t key_at, index;         /* the key's bytes so far; of the next element of `in` */
    bool array;                     /* the innermost container is one; */
    uint32_t arrays[CHATGPTT_MAX_DEPTH / 32 + 1];       /* and a bit a depth: so is the one there */
    uint64_t seen;                  /* a bit a node but the first */
    const char *literal;            /* what is to come of it */
    const char *why;                /* of an error, in words */
} cgt_json;

static chatgptt_code cgt_json_bad(cgt_json *j, const char *why) { j->why = why; return CHATGPTT_E_REPLY; }

/* ---- which node a value belongs to ---- */

static void cgt_json_key_begin(cgt_json *j) {
    j->key_at = 0; j->like = j->depth == j->in_depth ? 0 : j->nodes[j->in].count;
}

/* More of a key or an index, or its last: the value that comes is that child's; a duplicate's never is. */
static void cgt_json_key(cgt_json *j, cgt_slice s, bool last) {
    const cgt_json_node *in = &j->nodes[j->in], *first = j->nodes + in->child, *had = first + j->like,
                        *child = had, *end = first + in->count; size_t at = j->key_at, len = at + s.len;
    for (; child < end; child++) {
        if (last) while (child->len != len && ++child < end) {}
        if (child == end || (child->len >= len && (!at || memcmp(child->key, had->key, at) == 0) &&
                             memcmp(child->key + at, s.at, s.len) == 0)) break;
    }
    j->like = (unsigned char)(child - first); j->key_at = (uint32_t)len;
    if (!last) return;
    j->node = CGT_JSON_NOWHERE;
    if (child == end) return;
    at = (size_t)(child - j->nodes);
    if (!(j->seen >> (at - 1) & 1)) j->node = (unsigned char)at;
    j->seen |= (uint64_t)1 << (at - 1);
}

/* ---- structure ---- */

static void cgt_json_begin(cgt_json *j, cgt_json_type type, cgt_json_state state) {
    j->type = type; j->state = state; j->told = false;
    if (j->node == CGT_JSON_NOWHERE) return;
    j->field = j->nodes[j->node].field; j->told = j->field != CGT_JSON_UNTOLD;
}

static void cgt_json_done(cgt_json *j, cgt_json_state next) {    /* a value is complete; a container begins */
    if (j->told) j->event = CGT_JSON_VALUE;
    j->told = false; j->state = next == CGT_JSON_AFTER && !j->depth ? CGT_JSON_CLOSED : next;
}

static chatgptt_code cgt_json_open(cgt_json *j, cgt_json_type type) {
    uint32_t *word, bit;
    if (j->depth == CHATGPTT_MAX_DEPTH) {
        (void)cgt_json_bad(j, "nested deeper than CHATGPTT_MAX_DEPTH"); return CHATGPTT_E_LIMIT;
    }
    cgt_json_begin(j, type, CGT_JSON_OPENED); cgt_json_done(j, CGT_JSON_OPENED);
    bit = (uint32_t)1 << ++j->depth % 32; word = &j->arrays[j->depth / 32];
    j->array = type == CGT_JSON_ARRAY; *word = j->array ? *word | bit : *word & ~bit;
    if (j->node == CGT_JSON_NOWHERE || !j->nodes[j->node].count) return CHATGPTT_OK;
    j->in = j->node; j->in_depth = j->depth; j->index = 0;
    return CHATGPTT_OK;
}

static void cgt_json_close(cgt_json *j) {
    const cgt_json_node *in = &j->nodes[j->in]; bool wanted = j->depth-- == j->in_depth;
    j->array = j->arrays[j->depth / 32] >> j->depth % 32 & 1;
    if (wanted) { j->in = in->up; j->in_depth--; }
    if (wanted && j->array) j->index = (uint32_t)cgt_number(cgt_slice_of(in->key, in->len), INT_MAX) + 1;
    cgt_json_done(j, CGT_JSON_AFTER);
}

static bool cgt_json_joins(const cgt_json *j) { return j->told && j->field < j->joined; }

/* A value begins with this byte. */
static chatgptt_code cgt_json_value(cgt_json *j, char c) {
    static const char *const words[] = { "rue", "alse", "ull" }; char digits[24];
    int word = c == 't' ? 0 : c == 'f' ? 1 : c == 'n' ? 2 : 3;
    if (j->array) {
        cgt_json_key_begin(j);
        cgt_json_key(j, cgt_slice_of(digits, cgt_digits(digits, j->index)), true);
        if (j->depth == j->in_depth) j->index++;
    }
    if (c == '{' || c == '[') return cgt_json_open(j, c == '{' ? CGT_JSON_OBJECT : CGT_JSON_ARRAY);
    if (c == '"') {
        cgt_json_begin(j, CGT_JSON_STRING, CGT_JSON_IN_STRING);
        if (!cgt_json_joins(j) || !j->spare[0]) return CHATGPTT_OK;
        memcpy(j->part, j->spare, sizeof j->spare);
        j->part_len = sizeof j->spare; j->spare[0] = '\0';
    } else if (word < 3) {
        cgt_json_begin(j, (cgt_json_type)(CGT_JSON_TRUE + word), CGT_JSON_LITERAL); j->literal = words[word];
    } else if (c == '-' || cgt_digit(c)) cgt_json_begin(j, CGT_JSON_NUMBER, CGT_JSON_NUMBER_START);
    else return cgt_json_bad(j, "a value was expected");
    return CHATGPTT_OK;
}

/* ---- strings ---- */

/* Decoded text on its way out: from `start` on it lies in the caller's bytes, behind what was read (`in`). */
typedef struct cgt_json_run { char *start, *out, *in, *end; } cgt_json_run;

/* How many plain ASCII bytes come first, eight at a time, of which any other sets its top bit. */
static size_t cgt_json_plain(const char *in, const char *end) {
    const uint64_t ones = 0x0101010101010101u; const char *at = in; uint64_t x, quote, slash;
    for (; end - at >= 8; at += 8) {
        memcpy(&x, at, 8); quote = x ^ (ones * '"'); slash = x ^ (ones * '\\');
        x = ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | x;
        x &= ones << 7;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__    /* the first is the lowest */
        if (x) return (size_t)(at - in + __builtin_ctzll(x) / 8);
#endif
        if (x) break;
    }
    while (at < end && (unsigned char)(*at - 0x20) < 0x60 && *at != '"' && *at != '\\') at++;
    return (size_t)(at - in);
}

/* Four digits at once, the first in the highest byte; beyond 0xFFFF: they are none. The top bit of a byte of
   `digit` is set beyond 9, that of `letter` from A to F in either case. */
static inline uint32_t cgt_json_hex(const char *p) {
    const uint32_t ones = 0x01010101, tops = ones << 7;
    uint32_t x = (uint32_t)(unsigned char)p[0] << 24 | (uint32_t)(unsigned char)p[1] << 16 |
                 (uint32_t)(unsigned char)p[2] << 8 | (unsigned char)p[3];
    uint32_t digit = (x ^ ones * '0') + ones * (0x80 - 10), letter = (x | ones * 0x20) ^ ones * 0x60;
    letter = (letter + ones * 0x7F) & ~(letter + ones * (0x80 - 7));
    if (x & tops || ~(~digit | letter) & tops) return 0x10000;
    x = (x & ones * 15) + 9 * (x >> 6 & ones); x = (x | x >> 4) & 0xFF00FF;
    return (x | x >> 8) & 0xFFFF;
}

static char cgt_json_escaped(char c) {            /* NUL: no such escape */
    static const char of[] = "\"\\/nrtbf", to[] = "\"\\/\n\r\t\b\f"; size_t i = 0;
    while (of[i] && of[i] != c) i++;
    return to[i];
}

/* A character beyond ASCII or an escape: its bytes in `out`, of which there are that many; 0: it is cut, -1:
   it is none. *n: how many bytes it took. U+FFFD stands for half a surrogate pair, but a high one before the
   end of the string counts as cut: its other half may be in the next. */
static int cgt_json_char(const char *in, size_t len, char *out, size_t *n) {
    uint32_t code, low;
    if (len && in[0] != '\\') {
        cgt_utf8 verdict = cgt_utf8_at(in, len, n);
        if (verdict == CGT_UTF8_WHOLE) memmove(out, in, *n);
        return verdict == CGT_UTF8_WHOLE ? (int)*n : verdict == CGT_UTF8_CUT ? 0 : -1;
    }
    if (len < 2) return 0;
    *n = 2;
    if (in[1] != 'u') {
        char c = cgt_json_escaped(in[1]);
        if (c) *out = c;            /* else they stay, to be told what they are */
        return c ? 1 : -1;
    }
    if (len < 6) return 0;
    *n = 6; code = cgt_json_hex(in + 2);
    if (code - 0x80 < 0x780) {      /* most: 1.5 times as fast */
        out[0] = (char)(0xC0 | code >> 6); out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code > 0xFFFF) return -1;
    if (code >= 0xD800 && code < 0xDC00) {
        if (len < 7 || in[6] == '"' || (in[6] == '\\' && (len < 8 || (in[7] == 'u' && len < 12)))) return 0;
        low = in[6] == '\\' && in[7] == 'u' ? cgt_json_hex(in + 8) : 0;
        if (low >> 10 == 0xDC00 >> 10) { *n = 12; code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00); }
    }
    return (int)cgt_utf8_put(out, code);
}

/* All that lies whole in the input and is as it should be, up to anything else. Local copies: a loop that
   changes two fields of a structure at once is half as fast. */
static void cgt_json_common(cgt_json_run *r) {
    char *in = r->in, *out = r->out, *end = r->end; size_t n; int len = 1;
    while (len > 0) {
        n = cgt_json_plain(in, end);
        if (out != in) memmove(out, in, n);
        in += n; out += n;
        if (in == end || *in == '"' || (unsigned char)*in < 0x20) break;
        do {
            len = cgt_json_char(in, (size_t)(end - in), out, &n);
            if (len > 0) { in += n; out += len; }
        } while (len > 0 && in < end && (*in == '\\' || (unsigned char)*in >= 0x80));
    }
    r->in = in; r->out = out;
}

/* A character that is cut or wrong. What is there of it waits in `part`; once it is whole it is told. */
static chatgptt_code cgt_json_cut(cgt_json *j, cgt_json_run *r) {
    size_t n = 0; int len;
    j->again = false;
    while ((len = cgt_json_char(j->part, j->part_len, j->hold, &n)) == 0 && r->in < r->end) {
        if (j->part_len == sizeof j->spare && *r->in == '"') break;
        j->part[j->part_len++] = *r->in++;
    }
    if (len == 0 && r->in == r->end) return CHATGPTT_OK;
    if (len < 0 && j->part[0] == '\\') return cgt_json_bad(j, "bad escape");
    if (len < 0 && !j->lenient) return cgt_json_bad(j, "invalid UTF-8");
    if (len == 0) {                 /* a high surrogate ends the string */
        n = sizeof j->spare;
        if (cgt_json_joins(j)) { memcpy(j->spare, j->part, n); j->part_len = 0; return CHATGPTT_OK; }
    }
    j->piece = cgt_slice_of(j->hold, len > 0 ? (size_t)len : cgt_utf8_put(j->hold, 0xFFFD));
    j->part_len = (unsigned char)(j->part_len - n);
    memmove(j->part, j->part + n, j->part_len);
    if (j->part_len == 1) { j->part_len = 0; r->in--; }         /* it showed that this one is over */
    j->again = j->part_len > 0;
    if (j->in_key) cgt_json_key(j, j->piece, false);
    else if (j->told) j->event = CGT_JSON_TEXT;
    return CHATGPTT_OK;
}

/* Text goes first; the closing quote or anything odd behind it is met again. */
static chatgptt_code cgt_json_text(cgt_json *j, cgt_json_run *r) {
    bool closed;
    r->start = r->out = r->in;
    if (!j->part_len && *r->in != '"') cgt_json_common(r);
    closed = !j->part_len && r->in < r->end && *r->in == '"';
    j->piece = cgt_slice_of(r->start, (size_t)(r->out - r->start));
    if (j->told && j->piece.len) { j->event = CGT_JSON_TEXT; return CHATGPTT_OK; }
    if (j->in_key) cgt_json_key(j, j->piece, closed);
    if (closed) {
        r->in++;
        if (!j->in_key) cgt_json_done(j, CGT_JSON_AFTER);
        else { j->in_key = false; j->state = CGT_JSON_COLON; }
        return CHATGPTT_OK;
    }
    if (!j->part_len && r->in == r->end) return CHATGPTT_OK;
    if (!j->part_len && (unsigned char)*r->in < 0x20)
        return cgt_json_bad(j, "control character in a string");
    return cgt_json_cut(j, r);
}

/* ---- the rest ---- */

/* The next state of a number; CGT_JSON_NUMBER_START: the byte is none of it. */
static cgt_json_state cgt_json_number_state(cgt_json_state state, char c) {
    /* from each state in its order, by 0, another digit, minus, plus, point, E: how far behind the first */
    static const char next[][7] = { "561000", "560000", "770000", "884400", "880000",
                                    "000023", "660023", "770003", "880000" };
    int by = c == '0' ? 0 : cgt_digit(c) ? 1 : c == '-' ? 2 : c == '+' ? 3 : c == '.' ? 4 : 5;
    if (by == 5 && cgt_lower(c) != 'e') return CGT_JSON_NUMBER_START;
    return (cgt_json_state)(CGT_JSON_NUMBER_START + next[state - CGT_JSON_NUMBER_START][by] - '0');
}

static bool cgt_json_number_whole(const cgt_json *j) {
    return j->state >= CGT_JSON_ZERO && j->state <= CGT_JSON_EXPONENT;
}

static chatgptt_code cgt_json_number(cgt_json *j, cgt_json_run *r) {
    cgt_json_state next;
    for (r->start = r->in; r->in < r->end; j->state = next, r->in++)
        if ((next = cgt_json_number_state(j->state, *r->in)) == CGT_JSON_NUMBER_START) break;
    j->piece = cgt_slice_of(r->start, (size_t)(r->in - r->start));
    if (j->piece.len && j->told) j->event = CGT_JSON_TEXT;
    else if (r->in < r->end && !cgt_json_number_whole(j)) return cgt_json_bad(j, "bad number");
    else if (r->in < r->end) cgt_json_done(j, CGT_JSON_AFTER);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_json_literal(cgt_json *j, cgt_json_run *r) {
    for (; r->in < r->end && *j->literal; r->in++, j->literal++)
        if (*r->in != *j->literal) return cgt_json_bad(j, "a value was expected");
    if (!*j->literal) cgt_json_done(j, CGT_JSON_AFTER);
    return CHATGPTT_OK;
}

/* What stands between values. */
static chatgptt_code cgt_json_structure(cgt_json *j, cgt_json_run *r) {
    char c = *r->in++;
    if (c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) return CHATGPTT_OK;
    switch (j->state) {
    case CGT_JSON_OPENED: case CGT_JSON_AFTER:
        if (c == (j->array ? ']' : '}')) { cgt_json_close(j); return CHATGPTT_OK; }
        if (j->state == CGT_JSON_OPENED) r->in--;
        else if (c != ',') return cgt_json_bad(j, "a comma or the end of the container was expected");
        j->state = j->array ? CGT_JSON_EXPECT : CGT_JSON_KEY;
        return CHATGPTT_OK;
    case CGT_JSON_KEY:
        if (c != '"') return cgt_json_bad(j, "a key was expected");
        cgt_json_key_begin(j); j->in_key = true; j->state = CGT_JSON_IN_STRING;
        return CHATGPTT_OK;
    case CGT_JSON_COLON:
        j->state = CGT_JSON_EXPECT;
        return c == ':' ? CHATGPTT_OK : cgt_json_bad(j, "a colon was expected");
    default:
        if (cgt_digit(c) || c == '-') r->in--;    /* a part of its text */
        return cgt_json_value(j, c);
    }
}

static chatgptt_code cgt_json_step(cgt_json *j, cgt_json_run *r) {
    if (j->state <= CGT_JSON_AFTER) return cgt_json_structure(j, r);
    if (j->state == CGT_JSON_IN_STRING) return cgt_json_text(j, r);
    return j->state == CGT_JSON_LITERAL ? cgt_json_literal(j, r) : cgt_json_number(j, r);
}

static void cgt_json_init(cgt_json *j, const cgt_json_node *nodes) {
    memset(j, 0, sizeof *j);
    j->nodes = nodes;
}

/* OK with j->event (NONE: all was used), E_REPLY: not JSON, E_LIMIT. A leading blank is JSON's own; a byte
   order mark is not. */
static chatgptt_code cgt_json_feed(cgt_json *j, char *in, size_t len, size_t *used) {
    chatgptt_code code = CHATGPTT_OK; cgt_json_run r;
    r.in = in; r.end = in + len; j->event = CGT_JSON_NONE;
    while (code == CHATGPTT_OK && !j->event && (r.in < r.end || j->again) && j->state < CGT_JSON_CLOSED)
        code = cgt_json_step(j, &r);
    if (!j->event && j->state == CGT_JSON_CLOSED) { j->state = CGT_JSON_ENDED; j->event = CGT_JSON_END; }
    *used = (size_t)(r.in - in);
    return code;
}

/* The input is over: a number at the top level ends with it. OK with j->event while it has one; NONE: whole
   and valid. */
static chatgptt_code cgt_json_eof(cgt_json *j) {
    j->event = CGT_JSON_NONE;
    if (j->depth == 0 && cgt_json_number_whole(j)) cgt_json_done(j, CGT_JSON_AFTER);
    if (!j->event && j->state == CGT_JSON_CLOSED) { j->state = CGT_JSON_ENDED; j->event = CGT_JSON_END; }
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
    CGT_HTML_NONE, CGT_HTML_TAG, CGT_HTML_ATTRIBUTE, CGT_HTML_VALUE, CGT_HTML_ATTRIBUTE_END,
    CGT_HTML_TAG_END, CGT_HTML_CLOSE, CGT_HTML_TEXT, CGT_HTML_TITLE
} cgt_html_event;

typedef enum cgt_html_state {
    CGT_HTML_IN_TEXT, CGT_HTML_OPEN, CGT_HTML_TAG_NAME, CGT_HTML_BEFORE_NAME, CGT_HTML_NAME,
    CGT_HTML_AFTER_NAME, CGT_HTML_BEFORE_VALUE, CGT_HTML_IN_VALUE, CGT_HTML_COMMENT, CGT_HTML_WORD,
    CGT_HTML_ENTITY
} cgt_html_state;

typedef struct cgt_html {
    cgt_html_event event; cgt_slice piece;  /* of VALUE, TEXT, TITLE: in the caller's bytes or in `hold` */
    /* set by the caller: 1 << event for what is not to be told; 1 << letter for what an attribute must begin
       with (a is 0; none: any); after ATTRIBUTE `telling` may be cleared, and no more is told of it */
    uint32_t mute, letters; bool scriptless, telling;
    /* there was text (the blanks before it are not told); a script; the tag is an end tag; its last byte was
       a slash */
    bool begun, scripts, closing, slash;
    cgt_html_state state;
    /* the element whose content is no markup; of a value, 0: none; of a comment: what makes it end; of a
       script: in <!--, in a <script> in that */
    unsigned char raw, quote, escape;
    /* see cgt_html_opened(); templates that are open; of a numeric reference */
    uint64_t foreign; uint32_t inert, code;
    /* that may be under way, and how much of it was there; of a comment see there; of a reference: a digit */
    const char *word; size_t at;
    /* lower case; a longer one is "", which is nobody's name */
    char tag[CHATGPTT_MAX_NAME], name[CHATGPTT_MAX_NAME], hold[16]; size_t tag_len, name_len, hold_len;
} cgt_html;

/* Elements whose content is not the page's markup. From the template on, it is markup of another kind. */
static const char *const cgt_html_special[] = { "", "title", "script", "plaintext", "noscript", "style",
    "textarea", "xmp", "iframe", "noembed", "noframes", "template", "svg", "math" };
enum { CGT_HTML_TITLE_TAG = 1, CGT_HTML_SCRIPT_TAG, CGT_HTML_PLAINTEXT_TAG, CGT_HTML_NOSCRIPT_TAG,
    CGT_HTML_TEMPLATE_TAG = 11, CGT_HTML_SPECIALS = 14 };

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

static size_t cgt_html_blanks(const char *in, size_t n) { return cgt_span(cgt_slice_of(in, n), cgt_blank); }

static size_t cgt_html_seek(const char *in, size_t len, char c) {
    const char *at = (const char *)memchr(in, c, len);
    return at ? (size_t)(at - in) : len;
}

/* Adds to a name; one that does not fit is nobody's. */
static void cgt_html_add(char *name, size_t *len, const char *in, size_t n) {
    for (; n && *len < CHATGPTT_MAX_NAME; n--) name[(*len)++] = cgt_lower(*in++);
    name[*len < CHATGPTT_MAX_NAME ? *len : 0] = '\0';
}

static bool cgt_html_tells(const cgt_html *h, unsigned event) { return !(h->mute >> event & 1) && !h->inert; }

/* Which event plain bytes are here; NONE: nobody wants them. */
static cgt_html_event cgt_html_kind(const cgt_html *h) {
    cgt_html_event kind = h->telling ? CGT_HTML_VALUE : h->raw ? CGT_HTML_TITLE : CGT_HTML_TEXT;
    if (h->raw > CGT_HTML_TITLE_TAG || (kind == CGT_HTML_TEXT && h->foreign)) return CGT_HTML_NONE;
    return cgt_html_tells(h, kind) ? kind : CGT_HTML_NONE;
}

static void cgt_html_piece(cgt_html *h, const char *at, size_t len) {
    cgt_html_event kind = cgt_html_kind(h);
    if (kind && len) { h->event = kind; h->piece = cgt_slice_of(at, len); }
}

/* ---- character references: numeric ones, and those of HTML that pages of WordPress hold ---- */

/* The first CGT_BARE of them the standard takes without their semicolon too. */
static const struct { char name[7]; unsigned short code; } cgt_entities[] = {
    { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "nbsp", 0xA0 }, { "laquo", 0xAB },
    { "raquo", 0xBB }, { "copy", 0xA9 }, { "reg", 0xAE }, { "times", 0xD7 }, { "middot", 0xB7 },
    { "AMP", '&' }, { "LT", '<' }, { "GT", '>' }, { "QUOT", '"' }, { "apos", '\'' }, { "hellip", 0x2026 },
    { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "ldquo", 0x201C },
    { "rdquo", 0x201D }, { "trade", 0x2122 }, { "bull", 0x2022 }, { "euro", 0x20AC }, { "sbquo", 0x201A },
    { "bdquo", 0x201E }, { "lsaquo", 0x2039 }, { "rsaquo", 0x203A } };
enum { CGT_BARE = 15, CGT_ENTITIES = sizeof cgt_entities / sizeof *cgt_entities };

/* What &#128; to &#159; mean (section 13.2.5.80): windows-1252. */
static const unsigned short cgt_entity_1252[] = { 0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020,
    0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D,
    0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178 };

/* The name in `hold`, or in text what it begins with; *rest: how much more there is. 0: none. */
static uint32_t cgt_entity_name(const cgt_html *h, char next, size_t *rest) {
    size_t i, len;
    for (i = 0; i < CGT_ENTITIES; i++) {
        len = strlen(cgt_entities[i].name);
        if (h->hold_len <= len || memcmp(h->hold + 1, cgt_entities[i].name, len) != 0) continue;
        *rest = h->hold_len - 1 - len;
        if ((*rest == 0 && next == ';') || (i < CGT_BARE && !(h->telling && (*rest || next == '='))))
            return cgt_entities[i].code;
    }
    return 0;
}

/* Whether `c` goes on with the reference: its name stands in `hold`, of a number only what leads it. */
static bool cgt_entity_takes(cgt_html *h, char c) {
    bool number = h->hold_len > 1 && h->hold[1] == '#', hex = number && h->hold_len > 2;
    if (number && (hex ? cgt_hex(c) >= 0 : cgt_digit(c))) {
        h->code = h->code > 0x10FFFF ? h->code : h->code * (hex ? 16 : 10) + (uint32_t)cgt_hex(c); h->at = 1;
        return true;
    }
    if (number ? hex || h->at || cgt_lower(c) != 'x' : !cgt_alnum(c) && (c != '#' || h->hold_len > 1))
        return false;
    if (h->hold_len + 1 == sizeof h->hold) return false;
    h->hold[h->hold_len++] = c;
    return true;
}

static size_t cgt_entity_begin(cgt_html *h, size_t n) {
    h->state = CGT_HTML_ENTITY; h->hold[0] = '&'; h->hold_len = 1;
    h->at = 0; h->code = 0;
    return n + 1;
}

/* Goes on with a reference, or puts its character in its place. The number of bytes used: none of a byte that
   ends it without being a part of it. */
static size_t cgt_html_entity(cgt_html *h, char c) {
    bool number = h->hold_len > 1 && h->hold[1] == '#'; char out[4]; size_t len, rest = 0; uint32_t code;
    if (cgt_entity_takes(h, c)) return 1;
    code = !number ? cgt_entity_name(h, c, &rest) : h->code || !h->at ? h->code : 0xFFFD;
    if (number && code >= 128 && code < 160) code = cgt_entity_1252[code - 128];
    if (code) {
        len = cgt_utf8_put(out, code);
        memmove(h->hold + len, h->hold + h->hold_len - rest, rest); memcpy(h->hold, out, len);
        h->hold_len = len + rest;
    }
    h->state = h->telling ? CGT_HTML_IN_VALUE : CGT_HTML_IN_TEXT;
    cgt_html_piece(h, h->hold, h->hold_len);
    return code && rest == 0 && c == ';';
}

/* ---- foreign content (section 13.2.6.5): drawings and formulas, in which nothing is raw ---- */

#define CGT_DRAWINGS     " svg math "
#define CGT_HOLD_HTML    " title desc foreignobject mi mo mn ms mtext "
/* end a drawing which nobody closed */
#define CGT_BREAK_OUT    " b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 " \
    "h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s small span strong strike sub sup table " \
    "tt u ul var "

/* Whether the tag is one of `words`, each behind a blank and before one. */
static bool cgt_html_is(const cgt_html *h, const char *words) {
    size_t len = strlen(h->tag);
    while (len && (words = strstr(words, h->tag)) != NULL && (words[-1] != ' ' || words[len] != ' ')) words++;
    return len && words;
}

static void cgt_html_leave(cgt_html *h) { while (h->foreign & 1) h->foreign >>= 2; }

/* What a start tag changes for what follows it. `foreign` is a stack of two bits each: 1 an <svg> or <math>
   that is open, 2 a place in one that holds HTML again; 0 in all: neither. */
static void cgt_html_opened(cgt_html *h) {
    unsigned char i = 1; unsigned in = 0;
    if (h->foreign & 1 && cgt_html_is(h, CGT_BREAK_OUT)) cgt_html_leave(h);
    while (i < CGT_HTML_SPECIALS && (memcmp(cgt_html_special[i], h->tag, 2) != 0 ||
                                     strcmp(cgt_html_special[i], h->tag) != 0)) i++;
    if (h->foreign & 1) in = cgt_html_is(h, CGT_DRAWINGS) ? 1 : cgt_html_is(h, CGT_HOLD_HTML) ? 2 : 0;
    else if (i == CGT_HTML_SPECIALS || (i == CGT_HTML_NOSCRIPT_TAG && h->scriptless)) return;
    else if (i == CGT_HTML_TEMPLATE_TAG) h->inert++;
    else if (i > CGT_HTML_TEMPLATE_TAG) in = 1;
    else { h->raw = i; h->scripts |= i == CGT_HTML_SCRIPT_TAG; }
    if (in && !h->slash && h->foreign >> 62 == 0) h->foreign = h->foreign << 2 | in;
}

/* ---- tags ---- */

static size_t cgt_html_end_of_tag(cgt_html *h) {
    cgt_html_event event = h->closing ? CGT_HTML_CLOSE : CGT_HTML_TAG_END;
    h->state = CGT_HTML_IN_TEXT;
    if (cgt_html_tells(h, event)) h->event = event;
    if (!h->closing) cgt_html_opened(h);
    else if (h->foreign && cgt_html_is(h, h->foreign & 1 ? CGT_DRAWINGS : CGT_HOLD_HTML)) h->foreign >>= 2;
    else if (h->inert && strcmp(h->tag, "template") == 0) { cgt_html_leave(h); h->inert--; }
    return 1;
}

/* How long an attribute is that nobody wants, with its value; 0: it is not all there. */
static size_t cgt_html_skip(const char *in, size_t len) {
    size_t n = 1 + cgt_html_until(in + 1, len - 1, CGT_STOP_TAG | CGT_STOP('='));
    n += cgt_html_blanks(in + n, len - n);
    if (n < len && in[n] == '=') {
        n++; n += cgt_html_blanks(in + n, len - n);
        if (n < len && (in[n] == '"' || in[n] == '\'')) {
            char quote = in[n++];
            n += cgt_html_seek(in + n, len - n, quote) + 1;
        } else if (n < len) n += cgt_html_until(in + n, len - n, CGT_STOP_BLANKS | CGT_STOP('>'));
    }
    return n < len ? n : 0;
}

/* Between attributes. */
static size_t cgt_html_before_name(cgt_html *h, const char *in, size_t len) {
    bool tells = !h->closing && cgt_html_tells(h, CGT_HTML_ATTRIBUTE); size_t n = 0, skip;
    for (;; n += skip, h->slash = false) {
        for (; n < len && (cgt_blank(in[n]) || in[n] == '/'); n++) h->slash = in[n] == '/';
        if (n == len) return n;
        if (in[n] == '>') return n + cgt_html_end_of_tag(h);
        h->telling = tells && (!h->letters || (cgt_letter(in[n]) && h->letters >> ((in[n] & 31) - 1) & 1));
        skip = h->telling ? 0 : cgt_html_skip(in + n, len - n);
        if (skip == 0) break;
    }
    h->slash = false; h->name_len = 0; h->state = CGT_HTML_NAME;
    return n;
}

/* Its first byte may be any. */
static size_t cgt_html_name(cgt_html *h, const char *in, size_t len) {
    size_t n = h->name_len == 0;
    n += cgt_html_until(in + n, len - n, CGT_STOP_TAG | CGT_STOP('='));
    cgt_html_add(h->name, &h->name_len, in, n);
    if (n == len) return n;
    h->state = CGT_HTML_AFTER_NAME;
    if (h->telling) h->event = CGT_HTML_ATTRIBUTE;
    return n;
}

static size_t cgt_html_attribute_end(cgt_html *h, size_t n) {
    if (h->telling) h->event = CGT_HTML_ATTRIBUTE_END;
    h->telling = false; h->state = CGT_HTML_BEFORE_NAME;
    return n;
}

/* Between a name and its value. */
static size_t cgt_html_before_value(cgt_html *h, const char *in, size_t len) {
    size_t n = cgt_html_blanks(in, len);
    if (n == len) return n;
    if (h->state == CGT_HTML_AFTER_NAME && in[n] == '=') { h->state = CGT_HTML_BEFORE_VALUE; return n + 1; }
    if (h->state == CGT_HTML_AFTER_NAME || in[n] == '>') return cgt_html_attribute_end(h, n);
    h->quote = in[n] == '"' || in[n] == '\'' ? (unsigned char)in[n] : 0; h->state = CGT_HTML_IN_VALUE;
    return n + (h->quote != 0);
}

static size_t cgt_html_value(cgt_html *h, const char *in, size_t len) {
    uint64_t stops = h->quote ? CGT_STOP(h->quote) : CGT_STOP_BLANKS | CGT_STOP('>');
    size_t n = cgt_html_until(in, len, h->telling ? stops | CGT_STOP('&') : stops);
    if (h->telling) cgt_html_piece(h, in, n);
    if (n == len || h->event) return n;
    if (h->telling && in[n] == '&') return cgt_entity_begin(h, n);
    return cgt_html_attribute_end(h, n + (h->quote != 0));
}

/* The attributes are read in the same call, since they are mostly all there: 85 KB in 53 us instead of 89. */
static size_t cgt_html_tag_name(cgt_html *h, const char *in, size_t len) {
    size_t n = cgt_html_until(in, len, CGT_STOP_TAG);
    if (!h->closing || h->foreign || h->inert || cgt_html_tells(h, CGT_HTML_CLOSE))
        cgt_html_add(h->tag, &h->tag_len, in, n);
    if (n == len) return n;
    h->state = CGT_HTML_BEFORE_NAME;
    if (!h->closing && cgt_html_tells(h, CGT_HTML_TAG)) h->event = CGT_HTML_TAG;
    return h->event ? n : n + cgt_html_before_name(h, in + n, len - n);
}

/* ---- what is no element ---- */

/* Comments end at `-->` or `--!>`; `<!-->` and `<!--->` are whole ones; CDATA at `]]>`; <!-- of a script at
   `-->`, which is read as far as a `<`; anything else at `>`. `at`: 1 and 2 dashes or brackets, 3 the mark
   behind two, 4 the begin, 5 a dash there. */
static size_t cgt_html_comment(cgt_html *h, const char *in, size_t len) {
    static const unsigned char after_dash[] = { 1, 2, 2, 1, 5, 2 };
    char dash = (char)(h->escape ? '-' : h->quote); size_t n = 0;
    for (; n < len && !(h->escape && in[n] == '<'); n++) {
        if (h->at == 0 && !h->escape && (n += cgt_html_seek(in + n, len - n, dash)) == len) break;
        if (in[n] == '>' && (h->at >= 2 || dash == '>')) {
            h->state = CGT_HTML_IN_TEXT; h->escape = 0;
            return n + 1;
        }
        h->at = in[n] == dash ? after_dash[h->at] : h->at == 2 && in[n] == '!' && h->quote == '-' ? 3 : 0;
    }
    return n;
}

/* h->word begins a comment: of a script, in foreign content <![CDATA[, else anything up to `>`. Or it is the
   name of a raw element, which ends that behind `</`, save in a <script> within <!-- of a script, which it
   ends instead; behind `<` it begins one. */
static size_t cgt_html_word(cgt_html *h, const char *in, size_t len) {
    size_t n = 0; bool over, name; char c;
    if (h->at == 0 && *in == '[' && h->foreign & 1) h->word = "[CDATA[";
    for (; n < len && (c = h->word[h->at]) != '\0' && (in[n] == c || cgt_lower(in[n]) == c); n++) h->at++;
    if (n == len) return n;
    over = !h->word[h->at]; name = over && (cgt_blank(in[n]) || in[n] == '/' || in[n] == '>');
    h->state = CGT_HTML_IN_TEXT;
    if (!cgt_letter(*h->word)) {
        h->at = h->raw ? 2 : over && *h->word == '-' ? 4 : 0; h->escape = h->raw && over;
        if (!h->raw) { h->state = CGT_HTML_COMMENT; h->quote = !over ? '>' : h->at ? '-' : ']'; }
        return n;
    }
    if (name && h->closing && h->escape < 2) {
        if (cgt_html_kind(h)) { h->event = CGT_HTML_TITLE; h->piece.len = 0; }
        memcpy(h->tag, h->word, h->at + 1);
        h->raw = h->escape = 0; h->state = CGT_HTML_BEFORE_NAME;
    } else if (name) h->escape = h->closing ? 1 : 2;
    else cgt_html_piece(h, "</title", 2 + h->at);
    h->at = 0;
    return n;
}

/* Behind `<` or `</`. */
static size_t cgt_html_open(cgt_html *h, const char *in, size_t len) {
    bool bang = *in == '!' && !h->closing, script = h->raw == CGT_HTML_SCRIPT_TAG && !h->escape;
    h->at = h->tag_len = 0; h->slash = false; h->quote = '>';
    if (!h->raw && cgt_letter(*in)) { h->state = CGT_HTML_TAG_NAME; return cgt_html_tag_name(h, in, len); }
    if (*in == '/' && !h->closing) { h->closing = true; return 1; }
    h->word = h->raw && h->closing          ? cgt_html_special[h->raw]
              : bang && (!h->raw || script) ? "--"
              : h->escape == 1              ? "script"
                                            : NULL;
    h->state = h->word                                 ? CGT_HTML_WORD
               : !h->raw && (h->closing || *in == '?') ? CGT_HTML_COMMENT
                                                       : CGT_HTML_IN_TEXT;
    if (h->state == CGT_HTML_IN_TEXT) cgt_html_piece(h, "<", 1);
    return h->word && *h->word == '-';
}

/* ---- text, and raw content, in which only its own end tag is markup ---- */

static size_t cgt_html_text(cgt_html *h, const char *in, size_t len) {
    cgt_html_event kind = cgt_html_kind(h);
    size_t n = h->raw == CGT_HTML_PLAINTEXT_TAG ? len
               : h->escape                      ? cgt_html_comment(h, in, len)
               : kind                           ? cgt_html_until(in, len, CGT_STOP('<') | CGT_STOP('&'))
                                                : cgt_html_seek(in, len, '<'), blanks = 0;
    if (kind == CGT_HTML_TEXT && !h->begun) { blanks = cgt_html_blanks(in, n); h->begun = blanks < n; }
    cgt_html_piece(h, in + blanks, n - blanks);
    if (n == len || h->event || (in[n] != '<' && !kind)) return n;
    if (in[n] == '&') return cgt_entity_begin(h, n);
    while (!kind && n + 1 < len && in[n + 1] == '<') n++;
    h->state = CGT_HTML_OPEN; h->closing = ++n < len && in[n] == '/'; n += h->closing;
    return n < len ? n + cgt_html_open(h, in + n, len - n) : n;
}

/* As many bytes as one state takes; none: another state is to read them. */
static size_t cgt_html_step(cgt_html *h, const char *in, size_t len) {
    switch (h->state) {
    case CGT_HTML_IN_TEXT: return cgt_html_text(h, in, len);
    case CGT_HTML_OPEN: return cgt_html_open(h, in, len);
    case CGT_HTML_TAG_NAME: return cgt_html_tag_name(h, in, len);
    case CGT_HTML_BEFORE_NAME: return cgt_html_before_name(h, in, len);
    case CGT_HTML_NAME: return cgt_html_name(h, in, len);
    case CGT_HTML_AFTER_NAME: case CGT_HTML_BEFORE_VALUE: return cgt_html_before_value(h, in, len);
    case CGT_HTML_IN_VALUE: return cgt_html_value(h, in, len);
    case CGT_HTML_COMMENT: return cgt_html_comment(h, in, len);
    case CGT_HTML_WORD: return cgt_html_word(h, in, len);
    default: return cgt_html_entity(h, *in);
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

/* Reads a page for its words and for the marks of challenge pages and firewalls. Starts zeroed. */
typedef struct cgt_said {
    cgt_html html;                  /* TITLE is muted once the title is complete, TEXT once the sentence is */
    struct { char title[CHATGPTT_MAX_TOKEN], text[2 * CHATGPTT_MAX_TOKEN]; } words;
    bool headed;                    /* the sentence so far is a heading of one word: what it means follows */
    bool challenge;                 /* a mark of a challenge page or firewall was seen */
    char tail[32]; size_t tail_len; /* for marks cut between two pieces */
} cgt_said;
enum { CGT_SAID_LINES = 1 << CGT_HTML_TITLE | 1 << CGT_HTML_TEXT };

/* The first title that is not empty, and the first text, up to the next tag that is no mere emphasis. */
static void cgt_said_take(cgt_said *p) {
    cgt_html *h = &p->html; bool title = h->event == CGT_HTML_TITLE, over = false;
    char *line = title ? p->words.title : p->words.text;
    size_t size = title ? sizeof p->words.title : sizeof p->words.text;
    unsigned bit = 1u << (title ? CGT_HTML_TITLE : CGT_HTML_TEXT);
    if (h->mute & bit) return;
    if (title || h->event == CGT_HTML_TEXT) {
        if (p->headed && !title && cgt_trim(h->piece).len == 0) return;
        if (p->headed && !title) p->headed = !cgt_said_add(line, size, cgt_text(": "));
        over = !cgt_said_add(line, size, h->piece) || (h->piece.len == 0 && *line);
    } else if ((h->event == CGT_HTML_TAG || h->event == CGT_HTML_CLOSE) && *line &&
               !cgt_html_is(h, " a b i em strong span code small u ")) {
        if (h->event == CGT_HTML_CLOSE && cgt_html_is(h, " h1 ") && !strchr(line, ' ')) p->headed = true;
        over = !p->headed;
    }
    if (over) { cgt_said_end(line, size); h->mute |= bit; }
}

/* Whether one of these phrases stands there: each ends with NUL, and the last is empty. */
static bool cgt_says(cgt_slice s, const char *phrases) {
    while (*phrases && !cgt_contains(s, phrases)) phrases += strlen(phrases) + 1;
    return *phrases != '\0';
}

static unsigned cgt_said_marks(cgt_slice s) {
    return cgt_says(s, "just a moment\0challenge-platform\0_cf_chl_opt\0cf-error-details\0captcha\0"
        "incapsula\0attention required!\0checking your browser\0sucuri website firewall\0wordfence\0"
        "ddos-guard\0mod_security\0");
}

/* Keeps the last `size` bytes of all that came. */
static void cgt_tail_add(char *tail, size_t *len, size_t size, cgt_slice s) {
    size_t rest;
    if (s.len > size) s = cgt_from(s, s.len - size);
    rest = *len < size - s.len ? *len : size - s.len;
    memmove(tail, tail + *len - rest, rest); memcpy(tail + rest, s.at, s.len);
    *len = rest + s.len;
}

/* What `marks` says of s, and of where it joins what came before. */
static unsigned cgt_said_looks(cgt_said *p, cgt_slice s, unsigned (*marks)(cgt_slice)) {
    char joint[2 * sizeof p->tail];
    size_t head = s.len < sizeof p->tail ? s.len : sizeof p->tail, len = p->tail_len;
    memcpy(joint, p->tail, len); memcpy(joint + len, s.at, head);
    cgt_tail_add(p->tail, &p->tail_len, sizeof p->tail, s);
    return marks(cgt_slice_of(joint, len + head)) | marks(s);
}

static void cgt_said_feed(cgt_said *p, cgt_slice s) {
    size_t used;
    if (cgt_said_looks(p, s, cgt_said_marks)) p->challenge = true;
    p->html.scriptless = true; p->html.mute &= CGT_SAID_LINES; p->html.mute |= 1u << CGT_HTML_ATTRIBUTE;
    for (; s.len && ~p->html.mute & CGT_SAID_LINES; s = cgt_from(s, used)) {
        cgt_html_feed(&p->html, s.at, s.len, &used); cgt_said_take(p);
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
    char bot_name[CHATGPTT_MAX_TOKEN], provider[CHATGPTT_MAX_TOKEN], endpoint[CHATGPTT_MAX_CAPTURE];
    char greeting[CHATGPTT_MAX_WORDS], consent[CHATGPTT_MAX_WORDS];
    bool widget, assistant;         /* WPAICG: the site-wide kind; answered by a thread */
    /* AIPKIT: ids of the provider's own memory are wanted; consent is asked for */
    bool keeps_openai, keeps_google, asks_consent; int memory_limit;
} cgt_chat;

/* What else a page may hold, one bit each, in the order of cgt_page_verdicts. */
enum { CGT_MARK_CHALLENGE = 1, CGT_MARK_LOGIN = 2, CGT_MARK_PASSWORD = 4, CGT_MARK_SCRIPT = 8,
    CGT_MARK_LATER = 128, CGT_MARK_PLUGIN = 256 };

enum { CGT_FIND_NONCE, CGT_FIND_POST_ID, CGT_FIND_ENDPOINT, CGT_FINDS };

typedef struct cgt_find_state {     /* one pattern over the raw page */
    cgt_pattern pattern; cgt_match match;
    bool own;                       /* the caller's pattern */
    char text[CHATGPTT_MAX_CAPTURE];        /* what it captured; "": nothing, too long, or it holds a NUL */
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
    cgt_find_state finds[CGT_FINDS]; char tail[CHATGPTT_MAX_CAPTURE]; size_t tail_len; uint32_t offset;
    cgt_chat now, best;             /* the configuration under way; the chosen chat */
    bool chosen, wanted, usable;    /* wanted: it is the bot asked for; usable: the patterns are */
    /* of the element under way: which attribute, 1 << each that it has, their values; of duplicates the first
       counts, as in HTML, even if it is empty or too long */
    int attribute; unsigned seen, marks; char value[CGT_AT_CONFIG][CHATGPTT_MAX_TOKEN];
    cgt_json json;
} cgt_page;

/* Tokens, then what is for people, then switches: cgt_config_field() puts them where they belong. */
static const cgt_json_node cgt_config_nodes[] = {
    CGT_NODE("", CGT_JSON_UNTOLD, 0, 1, 10), CGT_NODE("botId", 0, 0, 0, 0), CGT_NODE("nonce", 1, 0, 0, 0),
    CGT_NODE("postId", 2, 0, 0, 0), CGT_NODE("ajaxUrl", 3, 0, 0, 0), CGT_NODE("headerName", 4, 0, 0, 0),
    CGT_NODE("text", CGT_JSON_UNTOLD, 0, 11, 2), CGT_NODE("provider", 6, 0, 0, 0),
    CGT_NODE("enableOpenAIConversationState", 8, 0, 0, 0), CGT_NODE("requireConsentCompliance", 10, 0, 0, 0),
    CGT_NODE("enableGoogleConversationState", 9, 0, 0, 0), CGT_NODE("initialGreeting", 5, 6, 0, 0),
    CGT_NODE("consentMessage", 7, 6, 0, 0) };
enum { CGT_CONFIG_LINES = 4, CGT_CONFIG_SWITCHES = 8 };

/* Appends a token's piece; one that is too long for its array, or holds a NUL, is no token. */
static void cgt_token_add(char *out, size_t size, cgt_slice s, bool *ok) {
    size_t len = strlen(out);
    *ok = *ok && cgt_sum(len, s.len) < size && !memchr(s.at, '\0', s.len);
    if (*ok) memcpy(out + len, s.at, s.len);
    out[*ok ? len + s.len : 0] = '\0';
}

static const struct { unsigned short at, size; } cgt_config_fields[] = {
#define CGT_INTO(member) { offsetof(cgt_chat, member), sizeof ((cgt_chat *)0)->member }
    CGT_INTO(bot_id), CGT_INTO(nonce), CGT_INTO(post_id), CGT_INTO(endpoint), CGT_INTO(bot_name),
    CGT_INTO(greeting), CGT_INTO(provider), CGT_INTO(consent), CGT_INTO(keeps_openai),
    CGT_INTO(keeps_google), CGT_INTO(asks_consent) };

static void cgt_config_field(cgt_page *p) {
    const cgt_json *j = &p->json; bool text = j->event == CGT_JSON_TEXT; char *to; size_t size;
    if (!text && j->event != CGT_JSON_VALUE) return;
    to = (char *)&p->now + cgt_config_fields[j->field].at; size = cgt_config_fields[j->field].size;
    if (text && j->field < CGT_CONFIG_LINES) cgt_token_add(to, size, j->piece, &p->said.html.telling);
    else if (text && j->field < CGT_CONFIG_SWITCHES) cgt_line_add(to, size, j->piece);
    else if (!text && j->field >= CGT_CONFIG_SWITCHES) *(bool *)to = j->type == CGT_JSON_TRUE;
}

/* A piece of the data-config attribute: JSON, read as it comes; through a copy, since the page's bytes are
   not ours alone. After an error no more is told, and the JSON stays cut. */
static void cgt_config_feed(cgt_page *p, cgt_slice s) {
    char bytes[64]; size_t used, n; bool *ok = &p->said.html.telling;
    for (; s.len && *ok; s = cgt_from(s, p->json.event ? used : n)) {
        n = s.len < sizeof bytes ? s.len : sizeof bytes; memcpy(bytes, s.at, n);
        *ok = cgt_json_feed(&p->json, bytes, n, &used) == CHATGPTT_OK;
        cgt_config_field(p);
    }
}

/* Whether chats of this generation are wanted. */
static bool cgt_page_may(const cgt_page *p, chatgptt_dialect d) {
    return (d == CHATGPTT_AIPKIT ? CGT_HAS_AIPKIT : CGT_HAS_WPAICG) && (!p->dialect || p->dialect == d);
}

static void cgt_page_attribute(cgt_page *p) {
    cgt_html *h = &p->said.html; int i = 0, k;
    while (i < CGT_ATS && strcmp(h->name, cgt_page_names[i]) != 0) i++;
    h->telling = i < (cgt_page_may(p, CHATGPTT_AIPKIT) ? CGT_ATS : CGT_AT_CONFIG) && !(p->seen >> i & 1);
    if (!h->telling) return;
    if (p->seen == 0) for (k = 0; k < CGT_AT_CONFIG; k++) p->value[k][0] = '\0';
    h->mute &= ~(1u << CGT_HTML_TAG_END); p->attribute = i; p->seen |= 1u << i;
    if (i == CGT_AT_CONFIG) { memset(&p->now, 0, sizeof p->now); cgt_json_init(&p->json, cgt_config_nodes); }
}

/* A start tag is complete: is it a chat, and the one we want? Someone else's data-config is passed over. */
static void cgt_page_tag_end(cgt_page *p) {
    cgt_chat *c = &p->now; char (*const v)[CHATGPTT_MAX_TOKEN] = p->value, *post_id = v[CGT_AT_POST_ID];
    const char *name = v[CGT_AT_NAME]; long long limit = cgt_number(cgt_text(v[CGT_AT_MEMORY]), 100000);
    bool wanted, config = CGT_HAS_AIPKIT && p->seen >> CGT_AT_CONFIG & 1 && c->nonce[0] && c->bot_id[0] &&
                          cgt_json_eof(&p->json) == CHATGPTT_OK;
    p->seen = 0; p->said.html.mute |= 1u << CGT_HTML_TAG_END;
    if (strcmp(name, "loginform") == 0 || strcmp(name, "pwd") == 0) p->marks |= CGT_MARK_LOGIN;
    if (strcmp(name, "post_password") == 0) p->marks |= CGT_MARK_PASSWORD;
    if (*post_id == '<') post_id++;         /* 1.9.16 writes "<5" */
    if (!config && (!cgt_page_may(p, CHATGPTT_WPAICG) || !v[CGT_AT_NONCE][0] || !*post_id)) return;
    if (config) {
        c->dialect = CHATGPTT_AIPKIT;
        if (!c->asks_consent) c->consent[0] = '\0';
        /* the switch alone says nothing */
        c->keeps_openai &= strcmp(c->provider, "OpenAI") == 0;
        c->keeps_google &= strcmp(c->provider, "Google") == 0;
    } else {
        memset(c, 0, sizeof *c);
        memcpy(c->nonce, v[CGT_AT_NONCE], sizeof *v); memcpy(c->bot_id, v[CGT_AT_BOT_ID], sizeof *v);
        memcpy(c->bot_name, v[CGT_AT_BOT_NAME], sizeof *v); memcpy(c->post_id, post_id, sizeof *v - 1);
        c->widget = strcmp(v[CGT_AT_TYPE], "widget") == 0;
        c->assistant = strcmp(v[CGT_AT_ASSISTANT], "true") == 0;
        c->dialect = CHATGPTT_WPAICG; c->memory_limit = limit < 0 ? 0 : (int)limit;
    }
    wanted = !p->bot_id || strcmp(p->bot_id, c->bot_id[0] ? c->bot_id : "0") == 0;
    if (wanted || !p->chosen) { p->best = *c; p->chosen = true; p->wanted = wanted; }
}

static void cgt_page_html(cgt_page *p) {
    cgt_html *h = &p->said.html; bool value = h->event == CGT_HTML_VALUE; int i = p->attribute;
    if (h->event == CGT_HTML_ATTRIBUTE) cgt_page_attribute(p);
    else if (CGT_HAS_AIPKIT && value && i == CGT_AT_CONFIG) cgt_config_feed(p, h->piece);
    else if (value) cgt_token_add(p->value[i], sizeof *p->value, h->piece, &h->telling);
    else if (h->event == CGT_HTML_TAG_END) cgt_page_tag_end(p);
    else cgt_said_take(&p->said);
}

/* Copies what a pattern captured: from this piece of the page or from the tail of what came before. */
static void cgt_page_capture(cgt_page *p, cgt_find_state *f, const char *in) {
    uint32_t len = f->match.to - f->match.from, i;
    uint32_t back = p->offset - f->match.from;      /* how far before this piece it began, if it did */
    bool before = back - 1 < INT32_MAX;
    f->text[0] = '\0';
    if (len >= sizeof f->text || (before && back > p->tail_len)) return;
    for (i = 0; i < len; i++)
        f->text[i] = before && i < back ? p->tail[p->tail_len - back + i] : in[(uint32_t)(i - back)];
    f->text[memchr(f->text, '\0', len) ? 0 : len] = '\0';
}

/* Marks in the raw page. `at`: its byte that is rare in pages, by which it is found. */
static const struct { const char *text; unsigned short at, mark; } cgt_page_marks[] = {
    { "_cf_chl_opt", 0, CGT_MARK_CHALLENGE },       { "_incapsula_resource", 0, CGT_MARK_CHALLENGE },
    { "sucuri_cloudproxy", 6, CGT_MARK_CHALLENGE }, { "__test=", 1, CGT_MARK_CHALLENGE },
    { "aipkit_chat_", 6, CGT_MARK_LATER },          { "aipkit_getchat", 6, CGT_MARK_PLUGIN },
    { "gpt3-ai-content-generator", 3, CGT_MARK_PLUGIN } };
enum { CGT_MARKS = sizeof cgt_page_marks / sizeof *cgt_page_marks };

static unsigned cgt_page_look(cgt_slice s, char rare) {
    size_t k, n = 0, at; unsigned found = 0;
    for (; (n += cgt_html_seek(s.at + n, s.len - n, rare)) + 1 < s.len; n++) {
        if (!strchr("-cgitCGIT", s.at[n + 1])) continue;        /* passes over nearly all, in 2 ns */
        for (k = 0; k < CGT_MARKS; k++)
            if ((at = cgt_page_marks[k].at) <= n && cgt_starts(cgt_from(s, n - at), cgt_page_marks[k].text))
                found |= cgt_page_marks[k].mark;
    }
    return found;
}

static unsigned cgt_page_looks(cgt_slice s) { return cgt_page_look(s, '_') | cgt_page_look(s, '3'); }

static void cgt_page_feed(cgt_page *p, const char *in, size_t len) {
    cgt_slice s = cgt_slice_of(in, len); size_t i, used;
    for (i = 0; i < CGT_FINDS; i++) {
        cgt_find_state *f = &p->finds[i]; uint32_t from = f->match.from, to = f->match.to;
        if (p->chosen && !f->own && i != CGT_FIND_ENDPOINT) continue;
        cgt_match_feed(&f->match, in, len);
        if (f->match.from != from || f->match.to != to) cgt_page_capture(p, f, in);
    }
    if (!p->chosen) p->marks |= cgt_said_looks(&p->said, s, cgt_page_looks);
    for (; s.len && !p->wanted; s = cgt_from(s, used)) {
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
    const char *why, *const patterns[CGT_FINDS] = { nonce ? nonce : "data-nonce=[\"']([^\"']+)[\"']",
        post_id ? post_id : "data-post-id=[\"']([^\"']+)[\"']",
        /* the object's other keys may come first, and minifiers take quotes and blanks away */
        "wpaicgParams[ \t\r\n]*=[^}]*[\"',{ \t\r\n]ajax_url[\"']?[ \t\r\n]*:[ \t\r\n]*[\"']([^\"']+)[\"']" };
    size_t i, at;
    memset(p, 0, sizeof *p);
    p->bot_id = bot_id; p->dialect = dialect; p->usable = true;
    p->said.html.mute = 1u << CGT_HTML_TAG | 1u << CGT_HTML_CLOSE | 1u << CGT_HTML_TAG_END;
    p->said.html.letters = 1u << ('d' - 'a') | 1u << ('n' - 'a');
    p->finds[CGT_FIND_NONCE].own = nonce != NULL; p->finds[CGT_FIND_POST_ID].own = post_id != NULL;
    for (i = 0; i < CGT_FINDS; i++) {
        cgt_find_state *f = &p->finds[i];
        p->usable = cgt_pattern_compile(&f->pattern, cgt_text(patterns[i]), &at, &why) && p->usable;
        f->match.pattern = &f->pattern; f->match.ended = !p->usable;
    }
    return p->usable;
}

/* Undoes the escapes of a JSON string in place (RFC 8259 section 7), as far as it is one: none is shorter
   than its character. */
static void cgt_unescape(char *text) {
    cgt_json_run r;
    memset(&r, 0, sizeof r); r.in = r.out = text; r.end = text + strlen(text);
    for (cgt_json_common(&r); r.in < r.end; cgt_json_common(&r)) {
        if (r.end - r.in >= 6 && r.in[0] == '\\' && r.in[1] == 'u' && cgt_json_hex(r.in + 2) <= 0xFFFF) {
            r.out += cgt_utf8_put(r.out, 0xFFFD); r.in += 6;            /* half a pair */
        } else {
            r.in += *r.in == '\\' && r.end - r.in > 1;
            *r.out++ = *r.in++;
        }
    }
    *r.out = '\0';
}

/* Takes a pattern's token over, if it counts. false: the caller's own pattern found none. */
static bool cgt_page_pattern(cgt_page *p, int which, char token[CHATGPTT_MAX_TOKEN]) {
    cgt_find_state *f = &p->finds[which];
    if (!f->own && (p->chosen || !f->match.found)) return true;
    return cgt_fixed_set(token, CHATGPTT_MAX_TOKEN, cgt_text(f->text)) && token[0];
}

/* The page is complete: whether there is a chat on it, in p->best. */
static bool cgt_page_end(cgt_page *p) {
    cgt_chat *c = &p->best; char *endpoint = p->finds[CGT_FIND_ENDPOINT].text;
    if (!p->usable || !cgt_page_pattern(p, CGT_FIND_NONCE, c->nonce) ||
        !cgt_page_pattern(p, CGT_FIND_POST_ID, c->post_id))
        return false;
    if (!p->chosen && c->nonce[0] && c->post_id[0] && cgt_page_may(p, CHATGPTT_WPAICG)) {
        p->chosen = true; c->dialect = CHATGPTT_WPAICG;
    }
    cgt_unescape(endpoint);
    if (c->dialect == CHATGPTT_WPAICG) memcpy(c->endpoint, endpoint, sizeof c->endpoint);
    return p->chosen;
}

static const char *cgt_page_title(const cgt_page *p) { return p->said.words.title; }

/* The page was found at this address: WordPress sends whoever must log in to its login page. */
static void cgt_page_at(cgt_page *p, cgt_slice path) {
    if (cgt_contains(path, "wp-login.php")) p->marks |= CGT_MARK_LOGIN;
}

/* What is wrong with a page, and what the title or first words of such a page say; see cgt_says(). */
static const struct { const char *words, *phrases; } cgt_page_verdicts[] = {
    { "it is a challenge page, which is not for programs; it is not evaded",
      "just a moment\0checking your browser\0one moment, please\0attention required!\0ddos-guard\0"
      "robot challenge\0you are human\0you are a human\0you are not a robot\0not a bot\0"
      "security checkpoint\0captcha\0" },
    { "it is a login page: the chat is for those who have logged in",
      "log in to continue\0please log in\0please login\0be logged in\0sign in to continue\0"
      "please sign in\0" },
    { "the page asks for a password", "" },
    { "the page holds a script only, which would have to run in a browser", "" },
    { "the domain is parked or for sale: there is no site",
      "is for sale\0may be for sale\0buy this domain\0domain is parked\0parked domain\0"
      "parked free\0domain for sale\0domain has expired\0" },
    { "the site is under maintenance",
      "maintenance\0be back soon\0be right back\0coming soon\0under construction\0" },
    { "it is a consent page: the site wants a choice about cookies first",
      "cookie consent\0before you continue\0your consent\0we value your privacy\0accept cookies\0"
      "accept all\0use cookies\0" },
    { "a script builds the chat later, in a browser; set endpoint and bot_id", "" },
    { "the plugin is there, but no chat on this page", "" } };

/* What is wrong with a page on which no chat was found, and its code; NULL: nothing is known. */
static const char *cgt_page_verdict(const cgt_page *p, chatgptt_code *code) {
    cgt_slice title = cgt_text(p->said.words.title), text = cgt_text(p->said.words.text);
    size_t i = 0, count = sizeof cgt_page_verdicts / sizeof *cgt_page_verdicts; unsigned marks = p->marks;
    if (p->said.html.scripts && !p->said.html.begun) marks |= CGT_MARK_SCRIPT;
    if (p->finds[CGT_FIND_ENDPOINT].match.found) marks |= CGT_MARK_PLUGIN;
    while (i < count && !(marks >> i & 1) && !cgt_says(title, cgt_page_verdicts[i].phrases) &&
           !cgt_says(text, cgt_page_verdicts[i].phrases)) i++;
    *code = i == 0 ? CHATGPTT_E_BLOCKED : CHATGPTT_E_PAGE;
    return i < count ? cgt_page_verdicts[i].words : NULL;
}

/* ==== [SSE] ==== */

/* An event stream (WHATWG HTML section 9.2.6), decoded as it comes: nothing is held but names. What it tells:
       DATA     `piece` is a part of the event's data; lines are joined by a piece of one LF
       DISPATCH the event is complete: cgt_sse_name(), and `named` if its name was written out
       JUNK     `piece` is a part of a line that begins like JSON or HTML (`lead`), which no field does
   A name of CHATGPTT_MAX_NAME bytes or more is cut and so nobody's, an id that long is not kept. With `raw`
   set by the caller, everything is JUNK. */

typedef enum cgt_sse_event { CGT_SSE_NONE, CGT_SSE_DATA, CGT_SSE_DISPATCH, CGT_SSE_JUNK } cgt_sse_event;
typedef enum cgt_sse_state {
    CGT_SSE_LINE, CGT_SSE_FIELD, CGT_SSE_AFTER_COLON, CGT_SSE_VALUE, CGT_SSE_JUNK_LINE
} cgt_sse_state;
typedef enum cgt_sse_field {
    CGT_SSE_F_COMMENT, CGT_SSE_F_RETRY, CGT_SSE_F_DATA, CGT_SSE_F_EVENT, CGT_SSE_F_ID, CGT_SSE_UNKNOWN
} cgt_sse_field;

enum { CGT_SSE_BEGUN = 6 };

typedef struct cgt_sse {
    cgt_slice piece; cgt_sse_event event; cgt_sse_state state; cgt_sse_field field;
    bool named, data;               /* the event has a name of its own; it has data */
    bool known;                     /* there was a line that the standard knows */
    /* cr: an LF that comes belongs to it; over: told, forget it at the next feed */
    bool raw, cr, over;
    char lead;                      /* the first byte of a JUNK line */
    char word[6];                   /* the field's name so far */
    unsigned char word_len, bom;    /* bom: how much of a byte order mark came; CGT_SSE_BEGUN: none can */
    size_t name_len, next_len;
    /* next: an id whose line is not over */
    char name[CHATGPTT_MAX_NAME], id[CHATGPTT_MAX_NAME], next[CHATGPTT_MAX_NAME];
} cgt_sse;

static cgt_slice cgt_sse_name(const cgt_sse *s) {
    return s->name_len ? cgt_slice_of(s->name, s->name_len) : cgt_text("message");
}

static void cgt_sse_field_begin(cgt_sse *s, cgt_sse_field field) {
    s->field = field; s->bom = CGT_SSE_BEGUN; s->known = s->known || field != CGT_SSE_UNKNOWN;
    s->next_len = 0; s->state = CGT_SSE_AFTER_COLON;
    if (field == CGT_SSE_F_EVENT) s->name_len = 0;
    if (field != CGT_SSE_F_DATA) return;
    if (s->data) { s->event = CGT_SSE_DATA; s->piece = cgt_slice_of("\n", 1); }
    s->data = true;
}

/* The field that a line names, by what there was before its colon or its end. */
static cgt_sse_field cgt_sse_named(const cgt_sse *s) {
    static const char *const names[] = { "", "retry", "data", "event", "id" }; int field = 0;
    while (field < CGT_SSE_UNKNOWN && !cgt_is(cgt_slice_of(s->word, s->word_len), names[field])) field++;
    return (cgt_sse_field)field;
}

static void cgt_sse_line_end(cgt_sse *s) {
    bool empty = s->state == CGT_SSE_LINE;
    /* a field without a colon has no value */
    if (s->state == CGT_SSE_FIELD) cgt_sse_field_begin(s, cgt_sse_named(s));
    if (s->field == CGT_SSE_F_EVENT) s->named = s->name_len > 0;
    if (s->field == CGT_SSE_F_ID && !memchr(s->next, '\0', s->next_len) && s->next_len < sizeof s->id)
        (void)cgt_fixed_set(s->id, sizeof s->id, cgt_slice_of(s->next, s->next_len));
    if (empty && s->data) s->event = CGT_SSE_DISPATCH;
    s->over = empty; s->state = CGT_SSE_LINE; s->field = CGT_SSE_UNKNOWN; s->word_len = 0;
}

static void cgt_sse_keep(char *out, size_t *len, cgt_slice s) {      /* what there is room for */
    size_t n = s.len < CHATGPTT_MAX_NAME - *len ? s.len : CHATGPTT_MAX_NAME - *len;
    memcpy(out + *len, s.at, n);
    *len += n;
}

/* A value or a line of junk, up to the end of the line or of the input. */
static size_t cgt_sse_value(cgt_sse *s, const char *in, size_t len) {
    const char *lf = (const char *)memchr(in, '\n', len); size_t n = lf ? (size_t)(lf - in) : len;
    const char *cr = (const char *)memchr(in, '\r', n);
    if (cr) n = (size_t)(cr - in);
    s->piece = cgt_slice_of(in, n);
    if (s->state == CGT_SSE_JUNK_LINE) s->event = CGT_SSE_JUNK;
    else if (s->field == CGT_SSE_F_DATA) s->event = CGT_SSE_DATA;
    else if (s->field == CGT_SSE_F_EVENT) cgt_sse_keep(s->name, &s->name_len, s->piece);
    else if (s->field == CGT_SSE_F_ID) cgt_sse_keep(s->next, &s->next_len, s->piece);
    return n;
}

/* The start of a line; the number of bytes used. */
static size_t cgt_sse_line(cgt_sse *s, const char *in, size_t len) {
    static const char bom[] = "\xEF\xBB\xBF";
    if (len >= 5 && memcmp(in, "data:", 5) == 0 && s->bom % 3 == 0) {
        cgt_sse_field_begin(s, CGT_SSE_F_DATA);
        if (len > 5) s->state = CGT_SSE_VALUE;
        return len > 5 && in[5] == ' ' ? 6 : 5;
    }
    if (s->bom < 3 && in[0] == bom[s->bom]) { s->bom++; return 1; }
    /* half a byte order mark is part of some unknown field */
    s->word_len = s->bom % 3 ? sizeof s->word : 0; s->bom = CGT_SSE_BEGUN;
    s->lead = in[0];
    s->state = in[0] == '{' || in[0] == '<' || in[0] == '[' ? CGT_SSE_JUNK_LINE : CGT_SSE_FIELD;
    return 0;
}

/* One step; the number of bytes used, which may be none. */
static size_t cgt_sse_step(cgt_sse *s, const char *in, size_t len) {
    bool lf = s->cr && in[0] == '\n';
    if (s->raw) { s->event = CGT_SSE_JUNK; s->piece = cgt_slice_of(in, len); return len; }
    s->cr = in[0] == '\r';
    if (lf) return 1;
    if (in[0] == '\n' || s->cr) { s->bom = CGT_SSE_BEGUN; cgt_sse_line_end(s); return 1; }
    switch (s->state) {
    case CGT_SSE_LINE: return cgt_sse_line(s, in, len);
    case CGT_SSE_FIELD:
        if (in[0] == ':') cgt_sse_field_begin(s, cgt_sse_named(s));
        else if (s->word_len < sizeof s->word) s->word[s->word_len++] = in[0];
        return 1;
    case CGT_SSE_AFTER_COLON: s->state = CGT_SSE_VALUE; return in[0] == ' ' ? 1 : 0;
    default: return cgt_sse_value(s, in, len);
    }
}

/* Tells s->event; NONE: all was used. Any bytes are an event stream. */
static void cgt_sse_feed(cgt_sse *s, const char *in, size_t len, size_t *used) {
    *used = 0; s->event = CGT_SSE_NONE;
    while (*used < len && s->event == CGT_SSE_NONE) {
        if (s->over) { s->over = s->named = s->data = false; s->name_len = 0; }
        *used += cgt_sse_step(s, in + *used, len - *used);
    }
}

/* ==== [REPLY] ==== */

/* A reply's body, either an event stream or JSON, becomes text, notices and a verdict. One vocabulary serves
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

typedef enum cgt_asked { CGT_ASKED_ANSWER, CGT_ASKED_KEY, CGT_ASKED_NONCE } cgt_asked;
typedef enum cgt_reply_event { CGT_REPLY_NONE, CGT_REPLY_TEXT, CGT_REPLY_NOTICE, CGT_REPLY_END
} cgt_reply_event;
typedef enum cgt_teller {
    CGT_TOLD_BY_NOBODY, CGT_TOLD_BY_STATUS, CGT_TOLD_BY_OBJECT, CGT_TOLD_BY_EVENT, CGT_TOLD_BY_US
} cgt_teller;

typedef struct cgt_verdict {
    /* DONE: the answer is whole, or the token granted; E_NONCE: the token was refused; E_UNSUPPORTED: the
       action is unknown; AGAIN: not yet; of cgt_reply_broke() also OK */
    chatgptt_code code;
    const char *words;              /* the site's own, else ours; one line; "": none. As long as the reply */
    cgt_teller by;
    bool finished;                  /* a finish_reason was seen: the answer is complete, end mark or not */
    bool texted;                    /* text was told */
    unsigned events;                /* how many came */
} cgt_verdict;

enum {
    /* answer text */
    CGT_F_CONTENT, CGT_F_COMPLETION, CGT_F_DELTA, CGT_F_THREAD_DELTA, CGT_F_DATA,
    /* the site's words */
    CGT_F_MSG, CGT_F_ERROR, CGT_F_ERROR_MESSAGE, CGT_F_ERROR_IN_LIST, CGT_F_DATA_MESSAGE, CGT_F_QUOTA_MESSAGE,
    CGT_F_MESSAGE,
    /* kept; looked at when they are complete */
    CGT_F_ID, CGT_F_KEY, CGT_F_NONCE, CGT_F_THREAD, CGT_F_STATUS, CGT_F_CODE, CGT_F_FINISH, CGT_F_GREETING,
    CGT_F_QUOTA, CGT_F_SUCCESS, CGT_F_TOKEN_LIMIT, CGT_F_FLAGGED, CGT_F_BANNED, CGT_F_MODFLAG, CGT_F_PINECONE,
    CGT_F_NONE = CGT_JSON_UNTOLD
};
#define CGT_LEAF(key, field, up) CGT_NODE(key, field, up, 0, 0)
static const cgt_json_node cgt_reply_nodes[] = {
    CGT_NODE("", CGT_F_NONE, 0, 1, 18), CGT_NODE("choices", CGT_F_NONE, 0, 19, 1),
    CGT_NODE("delta", CGT_F_DELTA, 0, 20, 1), CGT_LEAF("id", CGT_F_ID, 0),
    CGT_NODE("data", CGT_F_DATA, 0, 21, 4), CGT_NODE("error", CGT_F_ERROR, 0, 25, 1),
    CGT_NODE("0", CGT_F_NONE, 0, 26, 1), CGT_LEAF("msg", CGT_F_MSG, 0), CGT_LEAF("status", CGT_F_STATUS, 0),
    CGT_NODE("quota_notice", CGT_F_QUOTA, 0, 27, 1), CGT_LEAF("thread_id", CGT_F_THREAD, 0),
    CGT_LEAF("greeting_message", CGT_F_GREETING, 0), CGT_LEAF("success", CGT_F_SUCCESS, 0),
    CGT_LEAF("tokenLimitReached", CGT_F_TOKEN_LIMIT, 0), CGT_LEAF("messageFlagged", CGT_F_FLAGGED, 0),
    CGT_LEAF("ipBanned", CGT_F_BANNED, 0), CGT_LEAF("modflag", CGT_F_MODFLAG, 0),
    CGT_LEAF("pineconeError", CGT_F_PINECONE, 0), CGT_LEAF("message", CGT_F_MESSAGE, 0),
    /* 19: of choices, delta, data, error, 0, quota_notice */
    CGT_NODE("0", CGT_F_NONE, 1, 28, 3), CGT_NODE("content", CGT_F_NONE, 2, 32, 1),
    CGT_LEAF("message", CGT_F_DATA_MESSAGE, 4), CGT_LEAF("code", CGT_F_CODE, 4),
    CGT_LEAF("cache_key", CGT_F_KEY, 4), CGT_LEAF("nonce", CGT_F_NONCE, 4),
    CGT_LEAF("message", CGT_F_ERROR_MESSAGE, 5), CGT_NODE("error", CGT_F_NONE, 6, 35, 1),
    CGT_LEAF("message", CGT_F_QUOTA_MESSAGE, 9),
    /* 28: of choices/0, delta/content, 0/error */
    CGT_NODE("delta", CGT_F_NONE, 19, 31, 1), CGT_LEAF("text", CGT_F_COMPLETION, 19),
    CGT_LEAF("finish_reason", CGT_F_FINISH, 19), CGT_LEAF("content", CGT_F_CONTENT, 28),
    CGT_NODE("0", CGT_F_NONE, 20, 33, 1), CGT_NODE("text", CGT_F_NONE, 32, 34, 1),
    CGT_LEAF("value", CGT_F_THREAD_DELTA, 33), CGT_LEAF("message", CGT_F_ERROR_IN_LIST, 26) };

typedef enum cgt_kind {             /* what an event's name makes of its data */
    CGT_KIND_PLAIN, CGT_KIND_MESSAGE, CGT_KIND_THREAD_DELTA, CGT_KIND_THREAD, CGT_KIND_DONE, CGT_KIND_ERROR,
    CGT_KIND_WARNING, CGT_KIND_NOTICE, CGT_KIND_START, CGT_KIND_OPENAI_ID, CGT_KIND_GOOGLE_ID, CGT_KIND_OTHER
} cgt_kind;
typedef enum cgt_body { /* the last: an object is complete, what follows it is passed over */
    CGT_BODY_UNKNOWN, CGT_BODY_BRACE, CGT_BODY_BARE, CGT_BODY_JSON, CGT_BODY_SKIP, CGT_BODY_OBJECT
} cgt_body;
/* MUTE: JSON of which nothing is an answer, since the status is an error's or a token was asked for */
typedef enum cgt_reply_mode { CGT_REPLY_SNIFF, CGT_REPLY_EVENTS, CGT_REPLY_JSON, CGT_REPLY_MUTE
} cgt_reply_mode;

enum {  /* what an object says; refused, success: AIPKIT's envelope; nonce: its code is a nonce failure's */
    CGT_O_LIMITED = 1, CGT_O_FLAGGED = 2, CGT_O_PINECONE = 4, CGT_O_REFUSED = 8, CGT_O_BAD_STATUS = 16,
    CGT_O_FAILED = 32, CGT_O_ID = 64, CGT_O_DATA = 128, CGT_O_GREETING = 256, CGT_O_FINISH = 512,
    CGT_O_SUCCESS = 1024, CGT_O_CODED = 2048, CGT_O_NONCE = 4096
};
typedef struct cgt_object {         /* what is known of the JSON object under way */
    int part, words_of;             /* the field whose text is kept; the field the words are from */
    bool fits; unsigned is;         /* the text is not too long and holds no NUL */
} cgt_object;

/* The last event with one text: `head` bytes before it, after which json and now stood as here, and `tail`
   bytes behind it, from tail_at on. The next is mostly the same but for the text: then nothing else of it is
   scanned, which took 5,000 instructions. */
typedef struct cgt_alike {
    const char *from;               /* where an event begins that is being learned; NULL: none is */
    size_t head, tail, tail_at; char bytes[CHATGPTT_MAX_ALIKE]; cgt_json json; cgt_object now;
} cgt_alike;

typedef struct cgt_reply {          /* what a delta touches comes first */
    cgt_slice piece, after;         /* of TEXT and NOTICE; text that waits for the blank line before it */
    cgt_reply_event event; cgt_reply_mode mode; cgt_kind kind; cgt_body body;   /* of JSON or event's data */
    char *pending; size_t pending_len;      /* what the SSE decoder told and is not used up, in what is fed */
    bool texted, finished, started; /* text was told; finish_reason was seen; message_start was */
    bool dressed, gap, challenged;  /* it is an error dressed as an answer; a new message has begun */
    unsigned dispatched; chatgptt_code code;    /* events; AGAIN: no verdict yet */
    cgt_teller by; cgt_asked asked; int status; cgt_object now; cgt_json json;
    char words[CHATGPTT_MAX_WORDS]; cgt_sse sse; cgt_alike alike;
    char bare[CHATGPTT_MAX_TOKEN];  /* data that is no object, [DONE], a thread's id; a short field's text */
    char thread_id[CHATGPTT_MAX_TOKEN];     /* or the token asked for */
    char openai_id[CHATGPTT_MAX_TOKEN], google_id[CHATGPTT_MAX_TOKEN]; char type[32];
    cgt_buffer held;                /* the text of an explicit `message` event */
    cgt_said *said; size_t noise;   /* what the noise around JSON or events says; NULL: there was none */
} cgt_reply;

static void cgt_reply_init(cgt_reply *r, const chatgptt_hooks *hooks, size_t max_event, cgt_asked asked) {
    memset(r, 0, sizeof *r);
    r->asked = asked; r->status = 200; r->code = CHATGPTT_AGAIN;
    r->mode = asked == CGT_ASKED_ANSWER ? CGT_REPLY_SNIFF : CGT_REPLY_MUTE;
    cgt_buffer_init(&r->held, hooks, max_event);
}

static void cgt_reply_free(cgt_reply *r) {
    cgt_free(r->held.hooks, r->said, sizeof *r->said);
    cgt_buffer_free(&r->held);
}

static bool cgt_reply_success(const cgt_reply *r) { return r->status == 200 || r->status == 203; }

/* What kind of body it is depends on its type; where that says nothing, on how it begins. */
static void cgt_reply_head(cgt_reply *r, int status, cgt_slice content_type, bool challenged) {
    r->status = status; r->challenged = challenged;
    cgt_line_add(r->type, sizeof r->type, cgt_cut(&content_type, ";,"));
    if (r->mode == CGT_REPLY_MUTE || challenged || !cgt_reply_success(r)) r->mode = CGT_REPLY_MUTE;
    else if (cgt_is_any_case(cgt_text(r->type), "text/event-stream")) r->mode = CGT_REPLY_EVENTS;
    else if (r->type[0] && !cgt_is_any_case(cgt_text(r->type), "text/html") &&
             !cgt_is_any_case(cgt_text(r->type), "text/plain"))
        r->mode = CGT_REPLY_JSON;
}

/* An object begins: what is known of the one before it no longer counts. */
static void cgt_reply_object(cgt_reply *r) {
    char spare[sizeof r->json.spare];
    memcpy(spare, r->json.spare, sizeof spare); cgt_json_init(&r->json, cgt_reply_nodes);
    /* one delta may end within a surrogate pair, and the next go on with it */
    r->json.lenient = true; r->json.joined = CGT_F_DATA; memcpy(r->json.spare, spare, sizeof spare);
    memset(&r->now, 0, sizeof r->now);
    r->now.part = r->now.words_of = -1;
    if (!r->dressed) r->words[0] = '\0';
}

static void cgt_reply_say(cgt_reply *r, const char *words) {      /* where the site itself says nothing */
    if (!r->words[0]) cgt_line_add(r->words, sizeof r->words, cgt_text(words));
}

/* Who says so, unless somebody did before. */
static chatgptt_code cgt_reply_told(cgt_reply *r, chatgptt_code code, cgt_teller by) {
    if (code != CHATGPTT_OK && r->by == CGT_TOLD_BY_NOBODY) r->by = by;
    return code;
}

/* what the site said is a fragment */
static chatgptt_code cgt_reply_broken(cgt_reply *r, chatgptt_code code, const char *why) {
    r->words[0] = '\0'; cgt_reply_say(r, why);
    return cgt_reply_told(r, code, CGT_TOLD_BY_US);
}

/* What is no JSON and no event may say something to people. What only leads up to JSON is not yet noise. */
static chatgptt_code cgt_reply_noise(cgt_reply *r, cgt_slice s) {
    while (!r->said && s.len && !cgt_find(cgt_slice_of(s.at, 1), " \t\r\n{\xEF\xBB\xBF")) s = cgt_from(s, 1);
    if (!s.len) return CHATGPTT_OK;
    if (!r->said) r->said = (cgt_said *)cgt_new(r->held.hooks, sizeof *r->said);
    if (!r->said) return cgt_reply_told(r, CHATGPTT_E_MEMORY, CGT_TOLD_BY_US);
    cgt_said_feed(r->said, s);
    return CHATGPTT_OK;
}

static const char *cgt_reply_said(const cgt_reply *r) { return r->said ? cgt_said_words(r->said) : ""; }

/* ---- fields ---- */

static void cgt_reply_words(cgt_reply *r, cgt_slice s) {
    int field = r->json.field; bool weak = field == CGT_F_QUOTA_MESSAGE || field == CGT_F_MESSAGE;
    if (r->dressed || (weak && r->now.words_of >= 0 && r->now.words_of != field && r->words[0])) return;
    if (r->now.words_of != field) r->words[0] = '\0';
    r->now.words_of = field;
    cgt_line_add(r->words, sizeof r->words, s);
}

/* Whether this field's text is the answer's, in this kind of event. */
static bool cgt_reply_answers(const cgt_reply *r) {
    if (r->mode == CGT_REPLY_MUTE || r->dressed) return false;
    if (r->json.field == CGT_F_DATA) return r->mode == CGT_REPLY_JSON && !(r->now.is & CGT_O_BAD_STATUS);
    if (r->json.field == CGT_F_THREAD_DELTA) return r->kind == CGT_KIND_THREAD_DELTA;
    return r->mode == CGT_REPLY_EVENTS && (r->kind == CGT_KIND_PLAIN || r->kind == CGT_KIND_WARNING);
}

/* Text of the answer goes out; behind another message of the same reply with a blank line before it. */
static void cgt_reply_text(cgt_reply *r, cgt_slice s) {
    r->event = CGT_REPLY_TEXT; r->piece = s;
    if (r->gap && r->texted) { r->after = s; r->piece = cgt_slice_of("\n\n", 2); }
    r->gap = false; r->texted = true;
}

/* Where the text of a field is kept until it is complete. */
static char *cgt_reply_keeps(cgt_reply *r, int field) {
    if (field > CGT_F_THREAD) return r->bare;
    if (field == CGT_F_ID && r->kind == CGT_KIND_OPENAI_ID) return r->openai_id;
    if (field == CGT_F_ID) return r->kind == CGT_KIND_GOOGLE_ID ? r->google_id : NULL;
    if (field == CGT_F_KEY) return r->asked == CGT_ASKED_KEY ? r->thread_id : NULL;
    if (field == CGT_F_NONCE) return r->asked == CGT_ASKED_NONCE ? r->thread_id : NULL;
    return r->mode == CGT_REPLY_JSON ? r->thread_id : NULL;
}

static void cgt_reply_keep(cgt_reply *r, int field, cgt_slice s) {
    char *to = cgt_reply_keeps(r, field);
    if (!to) return;
    if (r->now.part != field) { to[0] = '\0'; r->now.fits = true; }
    r->now.part = field; cgt_token_add(to, CHATGPTT_MAX_TOKEN, s, &r->now.fits);
}

static void cgt_reply_piece(cgt_reply *r, cgt_slice s) {
    int field = r->json.field;
    if (field >= CGT_F_ID) cgt_reply_keep(r, field, s);
    else if (field >= CGT_F_MSG) {
        if (field == CGT_F_ERROR && r->json.type == CGT_JSON_STRING) r->now.is |= CGT_O_FAILED;
        cgt_reply_words(r, s);
    } else if (r->json.type != CGT_JSON_STRING) return;
    else if (r->kind == CGT_KIND_MESSAGE) cgt_append(&r->held, s);
    else if (cgt_reply_answers(r)) cgt_reply_text(r, s);
}

/* A value is complete, or a container begins. What it says by its type, or by its text. */
static void cgt_reply_value(cgt_reply *r) {
    cgt_json_type type = r->json.type; unsigned is = 0; bool string = type == CGT_JSON_STRING;
    bool on = type != CGT_JSON_FALSE && type != CGT_JSON_NULL, events = r->mode == CGT_REPLY_EVENTS;
    cgt_slice text = cgt_text(r->now.part == r->json.field ? r->bare : "");
    switch (r->json.field) {
    case CGT_F_DATA: if (string) is = CGT_O_DATA; break;
    case CGT_F_ID: if (string || type == CGT_JSON_NUMBER) is = CGT_O_ID; break;
    case CGT_F_ERROR: if (type == CGT_JSON_OBJECT) is = CGT_O_FAILED; break;
    case CGT_F_QUOTA: if (type == CGT_JSON_OBJECT) is = CGT_O_LIMITED; break;
    case CGT_F_SUCCESS: is = type == CGT_JSON_TRUE ? CGT_O_SUCCESS : CGT_O_REFUSED; break;
    case CGT_F_GREETING: is = CGT_O_GREETING; break;
    case CGT_F_TOKEN_LIMIT: if (on) is = CGT_O_LIMITED; break;
    case CGT_F_FLAGGED: case CGT_F_BANNED: case CGT_F_MODFLAG: if (on) is = CGT_O_FLAGGED; break;
    case CGT_F_PINECONE: if (on) is = CGT_O_PINECONE; break;
    case CGT_F_FINISH: if (string && text.len && !cgt_is(text, "null")) is = CGT_O_FINISH; break;
    case CGT_F_CODE:
        if (text.len) is = cgt_starts(text, "nonce_failure") ? CGT_O_CODED | CGT_O_NONCE : CGT_O_CODED;
        break;
    case CGT_F_STATUS:              /* events have statuses of their own */
        if (cgt_is(text, events ? "error" : "success") == events) is = CGT_O_BAD_STATUS;
    }
    r->now.is |= is;
}

/* One step of the JSON scanner. Its verdict on the bytes is the caller's to judge. */
static chatgptt_code cgt_reply_scan(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code = cgt_json_feed(&r->json, in, len, used);
    if (code < 0) return code;
    if (r->json.event == CGT_JSON_TEXT) cgt_reply_piece(r, r->json.piece);
    if (r->json.event == CGT_JSON_VALUE) cgt_reply_value(r);
    return CHATGPTT_OK;
}

/* The end of the answer was seen. */
static chatgptt_code cgt_reply_end(cgt_reply *r, cgt_teller by) {
    if (r->texted) return cgt_reply_told(r, CHATGPTT_DONE, by);
    cgt_reply_say(r, "the answer is empty");
    return cgt_reply_told(r, CHATGPTT_E_UPSTREAM, CGT_TOLD_BY_US);
}

/* An object is complete: the error it stands for, or OK. */
static chatgptt_code cgt_reply_judge(cgt_reply *r) {
    unsigned is = r->now.is;
    r->body = CGT_BODY_OBJECT;
    if (is & CGT_O_LIMITED) return CHATGPTT_E_RATE_LIMITED;
    if (is & CGT_O_FLAGGED) return CHATGPTT_E_REFUSED;
    if (is & CGT_O_PINECONE) return CHATGPTT_E_UPSTREAM;
    if (is & CGT_O_REFUSED || (is & CGT_O_BAD_STATUS && !(is & CGT_O_GREETING))) return CHATGPTT_E_REFUSED;
    return is & (CGT_O_BAD_STATUS | CGT_O_FAILED) ? CHATGPTT_E_UPSTREAM : CHATGPTT_OK;
}

/* ---- a JSON body, maybe behind noise ---- */

/* Looks for the first `{` followed by blanks and a quote. */
static chatgptt_code cgt_reply_seek(cgt_reply *r, char *in, size_t len, size_t *used) {
    char brace[] = "{";
    size_t n = 0, took, end = len; chatgptt_code code;
    if (r->mode != CGT_REPLY_MUTE && len > CHATGPTT_MAX_NOISE - r->noise) end = CHATGPTT_MAX_NOISE - r->noise;
    while (n < end && !(r->body == CGT_BODY_BRACE && in[n] == '"')) {
        if (in[n] == '{') r->body = CGT_BODY_BRACE;
        else if (!cgt_blank(in[n])) r->body = CGT_BODY_UNKNOWN;
        n++;
    }
    *used = n; r->noise += n;
    (void)cgt_said_add(r->bare, sizeof r->bare, cgt_slice_of(in, n));
    code = cgt_reply_noise(r, cgt_slice_of(in, n));
    if (code < 0 || (n == end && end == len)) return code;
    if (n == end) return cgt_reply_broken(r, CHATGPTT_E_REPLY, cgt_reply_said(r));
    r->body = CGT_BODY_JSON;
    cgt_reply_object(r);
    return cgt_reply_scan(r, brace, 1, &took);
}

static chatgptt_code cgt_reply_json(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code;
    if (r->body >= CGT_BODY_SKIP) { *used = len; return CHATGPTT_OK; }
    if (r->body != CGT_BODY_JSON) return cgt_reply_seek(r, in, len, used);
    code = cgt_reply_scan(r, in, len, used);
    if (code < 0 && r->mode == CGT_REPLY_MUTE) { r->body = CGT_BODY_SKIP; return CHATGPTT_OK; }
    if (code < 0)
        return cgt_reply_broken(r, r->texted && code == CHATGPTT_E_REPLY ? CHATGPTT_E_INCOMPLETE : code,
                                r->json.why);
    if (r->json.event != CGT_JSON_END) return CHATGPTT_OK;
    code = cgt_reply_judge(r);
    if (r->mode == CGT_REPLY_MUTE) return CHATGPTT_OK;
    if (code < 0) return cgt_reply_told(r, code, CGT_TOLD_BY_OBJECT);
    if (!(r->now.is & CGT_O_DATA))
        return cgt_reply_broken(r, CHATGPTT_E_REPLY, "the reply has no answer in it");
    r->words[0] = '\0';             /* msg says "Something went wrong" even in a success */
    return cgt_reply_end(r, CGT_TOLD_BY_OBJECT);
}

/* ---- an event stream ---- */

static cgt_kind cgt_reply_kind(const cgt_sse *s) {
    static const struct { const char *name; cgt_kind kind; } kinds[] = {
        { "message", CGT_KIND_MESSAGE }, { "thread.message.delta", CGT_KIND_THREAD_DELTA },
        { "thread_id", CGT_KIND_THREAD }, { "done", CGT_KIND_DONE }, { "error", CGT_KIND_ERROR },
        { "assistant_error", CGT_KIND_ERROR }, { "warning", CGT_KIND_WARNING },
        { "message_start", CGT_KIND_START }, { "openai_response_id", CGT_KIND_OPENAI_ID },
        { "google_interaction_id", CGT_KIND_GOOGLE_ID } };
    size_t i; cgt_slice name = cgt_sse_name(s);
    if (!s->named) return CGT_KIND_PLAIN;
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (cgt_is(name, kinds[i].name)) return kinds[i].kind;
    return cgt_contains(name, "notice") || cgt_contains(name, "warning") ? CGT_KIND_NOTICE : CGT_KIND_OTHER;
}

/* The words of an error dressed as an answer are complete at a finish_reason or [LIMITED]. */
static chatgptt_code cgt_reply_dressed(cgt_reply *r) {
    cgt_line_add(r->words, sizeof r->words, cgt_slice_of_buffer(&r->held));
    r->held.len = 0;                /* the event that ends them has none of its own */
    return cgt_reply_told(r, r->now.is & CGT_O_FINISH ? CHATGPTT_E_UPSTREAM : CHATGPTT_OK, CGT_TOLD_BY_EVENT);
}

/* An explicit `message` event is all there: an answer's, or an error's word, which may be no JSON. */
static chatgptt_code cgt_reply_held(cgt_reply *r) {
    bool whole = r->body == CGT_BODY_OBJECT; chatgptt_code verdict = cgt_reply_judge(r);
    if (!r->dispatched && !(r->now.is & CGT_O_ID) && verdict == CHATGPTT_OK) {
        r->dressed = true; r->words[0] = '\0';
    }
    if (r->dressed) return cgt_reply_dressed(r);
    if (!whole) return cgt_reply_broken(r, CHATGPTT_E_REPLY, "an event is not JSON");
    r->finished = r->finished || r->now.is & CGT_O_FINISH;
    if (verdict < 0) return cgt_reply_told(r, verdict, CGT_TOLD_BY_OBJECT);
    if (r->held.len) cgt_reply_text(r, cgt_slice_of_buffer(&r->held));
    return CHATGPTT_OK;
}

/* Makes one clean line of the site's words: entities are decoded, as a browser would show them. */
static void cgt_reply_clean(cgt_reply *r) {
    char line[CHATGPTT_MAX_WORDS]; cgt_html html; size_t used, i; cgt_slice s = cgt_text(r->words);
    memset(&html, 0, sizeof html); html.raw = CGT_HTML_TITLE_TAG;       /* in which a < is none of a tag */
    for (i = 0, line[0] = '\0'; i < 2; i++, s = cgt_text(" "))         /* an entity may end with the words */
        for (; s.len; s = cgt_from(s, used)) {
            cgt_html_feed(&html, s.at, s.len, &used);
            if (html.event == CGT_HTML_TITLE) cgt_line_add(line, sizeof line, html.piece);
        }
    memcpy(r->words, line, sizeof line); cgt_said_end(r->words, sizeof r->words);
}

/* The site's words for an error event. A nonce is refused before anything else is told. */
static chatgptt_code cgt_reply_error(cgt_reply *r, chatgptt_code verdict) {
    if (verdict == CHATGPTT_E_RATE_LIMITED) return verdict;
    if (r->started || r->texted || !cgt_is(cgt_sse_name(&r->sse), "error")) return CHATGPTT_E_UPSTREAM;
    return cgt_starts(cgt_text(r->words), "security check failed") ? CHATGPTT_E_NONCE : CHATGPTT_E_REFUSED;
}

/* An object in an event is complete: what it says by itself, whatever the event's end. */
static chatgptt_code cgt_reply_event_object(cgt_reply *r) {
    chatgptt_code verdict = cgt_reply_judge(r);
    switch (r->kind) {
    case CGT_KIND_PLAIN: case CGT_KIND_THREAD_DELTA:
        if (r->now.is & CGT_O_ID) r->started = true;
        if (r->dressed) return cgt_reply_dressed(r);
        r->finished = r->finished || r->now.is & CGT_O_FINISH;
        return cgt_reply_told(r, verdict, CGT_TOLD_BY_OBJECT);
    case CGT_KIND_ERROR: return cgt_reply_told(r, cgt_reply_error(r, verdict), CGT_TOLD_BY_EVENT);
    case CGT_KIND_WARNING: case CGT_KIND_NOTICE:
        if (strchr(r->words, '&')) cgt_reply_clean(r);
        if (r->words[0]) { r->event = CGT_REPLY_NOTICE; r->piece = cgt_text(r->words); }
    /* fall through */
    default: return CHATGPTT_OK;
    }
}

/* Data that is no object: an end mark, or a thread's id. */
static chatgptt_code cgt_reply_bare(cgt_reply *r) {
    cgt_slice bare = cgt_trim(cgt_text(r->bare));
    if (r->kind == CGT_KIND_THREAD) {
        r->thread_id[0] = '\0';
        cgt_line_add(r->thread_id, sizeof r->thread_id, bare);
    }
    if (cgt_is(bare, "[LIMITED]")) return cgt_reply_told(r, CHATGPTT_E_UPSTREAM, CGT_TOLD_BY_EVENT);
    return cgt_is(bare, "[DONE]") && !r->dressed ? cgt_reply_end(r, CGT_TOLD_BY_EVENT) : CHATGPTT_OK;
}

static chatgptt_code cgt_reply_dispatch(cgt_reply *r) {
    chatgptt_code code = CHATGPTT_OK;
    if (r->body == CGT_BODY_UNKNOWN) r->kind = cgt_reply_kind(&r->sse);     /* all its data was blank */
    if (r->body == CGT_BODY_BARE) code = cgt_reply_bare(r);
    else if (r->kind == CGT_KIND_MESSAGE && r->body) code = cgt_reply_held(r);
    else if (r->body == CGT_BODY_JSON && !r->dressed)
        code = cgt_reply_broken(r, CHATGPTT_E_REPLY, "an event is not JSON");
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_START) { r->gap = r->started; r->started = true; }
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_ERROR && r->body != CGT_BODY_OBJECT) {
        r->words[0] = '\0'; code = cgt_reply_told(r, CHATGPTT_E_UPSTREAM, CGT_TOLD_BY_EVENT);
    }
    if (code == CHATGPTT_OK && r->kind == CGT_KIND_DONE) code = cgt_reply_end(r, CGT_TOLD_BY_EVENT);
    r->dispatched++; r->body = CGT_BODY_UNKNOWN;
    return code;
}

/* An event's object begins; how much of it was used, since it is known already. Its bytes are kept before
   they are decoded in place. */
static size_t cgt_reply_recall(cgt_reply *r, char *in, size_t len) {
    cgt_alike *a = &r->alike; bool may = r->kind == CGT_KIND_PLAIN && !r->dressed && !r->json.spare[0];
    bool head = may && a->head && len >= a->head && memcmp(a->bytes, in, a->head) == 0;
    bool tail = head && a->tail && len >= a->head + a->tail &&
                memcmp(a->bytes + a->tail_at, in + len - a->tail, a->tail) == 0;
    cgt_json_run run;
    if (may && !tail) {
        a->from = in; a->tail = a->tail_at = 0; a->head *= head;
        memcpy(a->bytes, in, len < sizeof a->bytes ? len : sizeof a->bytes);
    }
    if (!head) { cgt_reply_object(r); return 0; }
    r->words[0] = '\0'; run.in = run.out = run.start = in + a->head; run.end = in + len - a->tail;
    if (tail) cgt_json_common(&run);
    if (run.out > run.start) cgt_reply_text(r, cgt_slice_of(run.start, (size_t)(run.out - run.start)));
    if (tail && run.in == run.end) { r->body = CGT_BODY_OBJECT; r->json.event = CGT_JSON_NONE; return len; }
    r->json = a->json; r->now = a->now;
    return (size_t)(run.in - in);
}

/* A text of an event ends at `at`, or its object. What came before the first text has told nothing that is
   not in `now`; where another comes, or the text is not whole, there is no tail. */
static void cgt_reply_learn(cgt_reply *r, const char *at) {
    cgt_alike *a = &r->alike; const cgt_json *j = &r->json; bool text = j->event == CGT_JSON_TEXT;
    size_t end = a->from && r->now.words_of < 0 ? (size_t)(at - a->from) : sizeof a->bytes;
    bool fits = end < sizeof a->bytes && text == !a->tail_at && j->piece.at != j->hold;
    if (fits && !text) a->tail = end - a->tail_at;
    if (!fits || !text || a->bytes[end] != '"') { a->from = NULL; return; }
    a->head = (size_t)(j->piece.at - a->from); a->tail_at = end; a->json = *j; a->now = r->now;
}

/* The first byte of an event's data that is no blank decides what the data is. How much is used. */
static size_t cgt_reply_open_data(cgt_reply *r, char *in, size_t len) {
    r->kind = cgt_reply_kind(&r->sse);
    if (*in != '{') r->bare[0] = '\0'; else if (r->kind == CGT_KIND_MESSAGE) r->held.len = 0;
    r->body = r->kind == CGT_KIND_OTHER ? CGT_BODY_SKIP : *in == '{' ? CGT_BODY_JSON : CGT_BODY_BARE;
    return r->body == CGT_BODY_JSON ? cgt_reply_recall(r, in, len) : 0;
}

/* A piece of an event's data. *took: how much of it was used. */
static chatgptt_code cgt_reply_data(cgt_reply *r, char *in, size_t len, size_t *took) {
    chatgptt_code code; size_t n = 0;
    *took = len;
    if (r->body == CGT_BODY_UNKNOWN) {
        while (n < len && cgt_blank(in[n])) n++;
        if (n == len) return CHATGPTT_OK;
        n += cgt_reply_open_data(r, in + n, len - n);
    }
    if (r->body == CGT_BODY_BARE) (void)cgt_said_add(r->bare, sizeof r->bare, cgt_slice_of(in, len));
    if (r->body != CGT_BODY_JSON) return CHATGPTT_OK;
    if (r->event) { *took = n; return CHATGPTT_OK; }
    code = cgt_reply_scan(r, in + n, len - n, took); *took += n;
    if (r->event == CGT_REPLY_TEXT) cgt_reply_learn(r, in + *took);
    if (r->held.failed == CHATGPTT_E_LIMIT) cgt_reply_say(r, "an event longer than max_event_bytes");
    if (r->held.failed) return cgt_reply_told(r, r->held.failed, CGT_TOLD_BY_US);
    if (code < 0 && (r->dressed || r->kind == CGT_KIND_NOTICE || r->kind == CGT_KIND_MESSAGE)) {
        r->body = CGT_BODY_SKIP; *took = len;
        return CHATGPTT_OK;
    }
    if (code < 0) return cgt_reply_broken(r, code, "an event is not JSON");
    if (r->json.event != CGT_JSON_END) return CHATGPTT_OK;
    code = cgt_reply_event_object(r);
    if (code == CHATGPTT_OK && *took == len) cgt_reply_learn(r, in + len);
    return code;
}

/* Lines that are no event. HTML is remembered for its words. JSON with words is the upstream's error, and
   nothing else follows; any other is passed over, as what only begins like it: a log's line, a bare [DONE].
   With `raw` taken back the rest is to be decoded again. */
static chatgptt_code cgt_reply_junk(cgt_reply *r, char *in, size_t len, size_t *took) {
    chatgptt_code code;
    *took = len;
    if (!r->sse.raw && r->sse.lead == '<') return cgt_reply_noise(r, cgt_slice_of(in, len));
    if (!r->sse.raw && r->sse.lead == '\0') return CHATGPTT_OK;
    if (!r->sse.raw) { r->sse.raw = r->sse.known = true; cgt_reply_object(r); }
    r->kind = CGT_KIND_OTHER; code = cgt_reply_scan(r, in, len, took);
    if (code == CHATGPTT_OK && r->json.event != CGT_JSON_END) return CHATGPTT_OK;
    if (r->words[0] && (code == CHATGPTT_OK || !r->dressed))
        return cgt_reply_told(r, CHATGPTT_E_UPSTREAM, CGT_TOLD_BY_OBJECT);
    r->sse.raw = false; r->sse.lead = '\0';
    if (r->body != CGT_BODY_JSON) return CHATGPTT_OK;
    r->body = CGT_BODY_SKIP;        /* it stands in the middle of an event, whose own object is lost by it */
    return r->dressed ? CHATGPTT_OK : cgt_reply_broken(r, CHATGPTT_E_REPLY, "an event is not JSON");
}

/* The SSE decoder told a piece; it may hold several events of ours, so it waits in `pending` until it is used
   up. */
static chatgptt_code cgt_reply_pending(cgt_reply *r, size_t *used) {
    bool raw = r->sse.raw; size_t took = 0;
    chatgptt_code code = r->sse.event == CGT_SSE_JUNK ? cgt_reply_junk(r, r->pending, r->pending_len, &took)
                                                      : cgt_reply_data(r, r->pending, r->pending_len, &took);
    r->pending += took; r->pending_len -= took;
    if (raw && !r->sse.raw) { *used -= r->pending_len; r->pending_len = 0; }
    return code;
}

static chatgptt_code cgt_reply_events(cgt_reply *r, char *in, size_t len, size_t *used) {
    bool known = r->sse.known, lf;
    cgt_sse_feed(&r->sse, in, len, used);
    /* where nothing but lines without a meaning comes, they are words */
    if (!r->sse.known) (void)cgt_said_add(r->words, sizeof r->words, cgt_slice_of(in, *used));
    else if (!known) r->words[0] = '\0';
    if (r->sse.event == CGT_SSE_DISPATCH) return cgt_reply_dispatch(r);
    if (r->sse.event == CGT_SSE_NONE) return CHATGPTT_OK;
    lf = r->sse.event == CGT_SSE_DATA && r->sse.piece.at[0] == '\n';
    /* a joining LF is none of the bytes fed: it takes the place of one that is used up */
    r->alike.from = NULL;
    r->pending = lf ? in + *used - 1 : in + (r->sse.piece.at - in); r->pending_len = r->sse.piece.len;
    if (lf) *r->pending = '\n';
    return CHATGPTT_OK;
}

/* ---- all bodies ---- */

/* What was looked at so far, in `bare` behind a blank, begins a body that is no event stream, or one. */
static chatgptt_code cgt_reply_sniffed(cgt_reply *r, cgt_reply_mode mode) {
    char start[8]; size_t len = r->bare[0] ? strlen(r->bare + 1) : 0, used;
    memcpy(start, r->bare + 1, len);
    r->bare[0] = '\0'; r->mode = mode;
    if (mode == CGT_REPLY_JSON) return cgt_reply_seek(r, start, len, &used);
    cgt_sse_feed(&r->sse, start, len, &used);
    return CHATGPTT_OK;
}

/* An event stream begins with a line of one, after a byte order mark and empty lines. */
static chatgptt_code cgt_reply_sniff(cgt_reply *r, const char *in, size_t len, size_t *used) {
    for (*used = 0; *used < len; ++*used) {
        size_t n = strlen(r->bare); char c = in[*used];
        if (n == 0 && c && strchr("\r\n\xEF\xBB\xBF", c)) continue;
        if (n == 0) r->bare[n++] = ' ';
        r->bare[n] = c; r->bare[n + 1] = '\0';
        if (!c || !strstr(" : data: event: id: retry:", r->bare)) {
            r->bare[n] = '\0';
            return cgt_reply_sniffed(r, CGT_REPLY_JSON);
        }
        if (c == ':') { ++*used; return cgt_reply_sniffed(r, CGT_REPLY_EVENTS); }
    }
    return CHATGPTT_OK;
}

/* Statuses of challenge pages and firewalls, where a page has their marks. */
static bool cgt_status_blocks(int s) { return s == 202 || s == 403 || s == 406 || s == 503; }

static bool cgt_reply_is_challenge(const cgt_reply *r) {
    bool may = cgt_reply_success(r) || cgt_status_blocks(r->status);
    if (cgt_reply_success(r) && r->body == CGT_BODY_OBJECT) may = false;
    return r->challenged || (may && r->said && r->said->challenge);
}

/* Who forbids has a page of its own, as servers and firewalls have; WordPress has a sentence, JSON, or a page
   whose title names it. */
static bool cgt_reply_is_server(const cgt_reply *r) {
    return r->said && r->said->words.title[0] && !cgt_contains(cgt_text(r->said->words.title), "wordpress");
}

/* The body of a reply that is no answer is complete: what status and body come to. */
static chatgptt_code cgt_reply_refusal(cgt_reply *r) {
    bool whole = r->body == CGT_BODY_OBJECT, foreign; unsigned is = whole ? r->now.is : 0;
    int status = r->status;
    cgt_slice bare = r->body >= CGT_BODY_JSON ? cgt_text("") : cgt_trim(cgt_text(r->bare));
    cgt_reply_told(r, CHATGPTT_E_STATUS, whole ? CGT_TOLD_BY_OBJECT : CGT_TOLD_BY_STATUS);
    if (cgt_reply_is_challenge(r)) return CHATGPTT_E_BLOCKED;
    if (cgt_is(bare, "0") && (status == 400 || cgt_reply_success(r))) return CHATGPTT_E_UNSUPPORTED;
    if (!(is & CGT_O_REFUSED)) is = 0;
    if ((cgt_is(bare, "-1") || is & CGT_O_NONCE) && status < 500) return CHATGPTT_E_NONCE;
    foreign = whole && !is && r->now.words_of == CGT_F_MESSAGE;     /* JSON, but not the plugin's */
    if (status == 403 && !foreign && !(is & CGT_O_CODED) && !cgt_reply_is_server(r)) return CHATGPTT_E_NONCE;
    if (status == 429 || status == 402) return CHATGPTT_E_RATE_LIMITED;
    if (is && status < 500) return CHATGPTT_E_REFUSED;
    if (!cgt_reply_success(r)) return CHATGPTT_E_STATUS;
    r->by = CGT_TOLD_BY_US;
    return CHATGPTT_E_REPLY;
}

static const char *cgt_reply_token(const cgt_reply *r) {      /* KEY, NONCE: what was granted */
    return r->asked == CGT_ASKED_ANSWER ? "" : r->thread_id;
}

static chatgptt_code cgt_reply_json_eof(cgt_reply *r) {
    chatgptt_code code;
    if (r->body == CGT_BODY_JSON && r->mode != CGT_REPLY_MUTE)
        return r->texted ? cgt_reply_told(r, CHATGPTT_E_INCOMPLETE, CGT_TOLD_BY_US)
                         : cgt_reply_broken(r, CHATGPTT_E_REPLY, "the reply is cut");
    if (cgt_reply_success(r) && !r->challenged && r->body == CGT_BODY_OBJECT && r->now.is & CGT_O_SUCCESS) {
        if (cgt_reply_token(r)[0]) return cgt_reply_told(r, CHATGPTT_DONE, CGT_TOLD_BY_OBJECT);
        return cgt_reply_broken(r, CHATGPTT_E_REPLY, "the reply holds no token");
    }
    code = cgt_reply_refusal(r);
    if (r->body < CGT_BODY_SKIP) r->words[0] = '\0';
    cgt_reply_say(r, cgt_reply_said(r));
    return code;
}

/* What an event stream comes to if no more can come. OK: nothing was told. */
static chatgptt_code cgt_reply_so_far(const cgt_reply *r) {
    if (r->dressed) return CHATGPTT_E_UPSTREAM;
    if (!r->texted) return CHATGPTT_OK;
    return r->finished && r->body != CGT_BODY_JSON ? CHATGPTT_DONE : CHATGPTT_E_INCOMPLETE;
}

static chatgptt_code cgt_reply_events_eof(cgt_reply *r) {
    bool bare = r->body != CGT_BODY_JSON && (r->kind != CGT_KIND_MESSAGE || r->body == CGT_BODY_BARE);
    /* [DONE] without its blank line */
    chatgptt_code code = r->sse.data && !r->sse.over && bare ? cgt_reply_dispatch(r) : CHATGPTT_OK;
    if (code != CHATGPTT_OK) return code;
    code = cgt_reply_so_far(r);
    if (code == CHATGPTT_DONE) return cgt_reply_end(r, CGT_TOLD_BY_EVENT);
    cgt_reply_told(r, CHATGPTT_E_UPSTREAM, r->dressed ? CGT_TOLD_BY_EVENT : CGT_TOLD_BY_US);
    if (!r->sse.known) cgt_said_end(r->words, sizeof r->words);
    if (r->said) { r->words[0] = '\0'; cgt_reply_say(r, cgt_reply_said(r)); }
    if (r->said || r->sse.raw) return CHATGPTT_E_UPSTREAM;
    if (code != CHATGPTT_OK) return code;
    if (r->started && !r->finished) return CHATGPTT_E_INCOMPLETE;
    cgt_reply_say(r, r->dispatched || r->finished ? "the answer is empty" : "the event stream is empty");
    return CHATGPTT_E_UPSTREAM;
}

static void cgt_reply_close(cgt_reply *r, chatgptt_code code) {
    r->code = code; r->event = CGT_REPLY_END;
    if (strchr(r->words, '&') || !cgt_utf8_valid(cgt_text(r->words))) cgt_reply_clean(r);
    cgt_said_end(r->words, sizeof r->words);
    if (code == CHATGPTT_E_REPLY) {
        const char *const type[] = { " (Content-Type: ", r->type[0] ? r->type : "none", ")" }; int i;
        cgt_reply_say(r, "neither JSON nor events");
        for (i = 0; i < 3; i++) cgt_line_add(r->words, sizeof r->words, cgt_text(type[i]));
    }
}

static bool cgt_reply_more(const cgt_reply *r) {  /* there is, even without another byte */
    return r->pending_len || r->json.event == CGT_JSON_TEXT || r->json.event == CGT_JSON_VALUE;
}

/* OK with r->event: feed until all is used and NONE is told; after END the verdict stands, and nothing more
   is fed. The bytes must stay until then. */
static chatgptt_code cgt_reply_feed(cgt_reply *r, char *in, size_t len, size_t *used) {
    chatgptt_code code = r->code == CHATGPTT_AGAIN ? CHATGPTT_OK : r->code;
    *used = 0; r->event = CGT_REPLY_NONE;
    if (r->after.len) { cgt_reply_text(r, r->after); r->after.len = 0; }
    while (code == CHATGPTT_OK && r->event == CGT_REPLY_NONE && (*used < len || cgt_reply_more(r))) {
        size_t took = 0;
        if (r->mode == CGT_REPLY_SNIFF) code = cgt_reply_sniff(r, in + *used, len - *used, &took);
        else if (r->mode >= CGT_REPLY_JSON) code = cgt_reply_json(r, in + *used, len - *used, &took);
        else if (cgt_reply_more(r)) code = cgt_reply_pending(r, used);
        else code = cgt_reply_events(r, in + *used, len - *used, &took);
        *used += took;
    }
    if (code != CHATGPTT_OK && r->code == CHATGPTT_AGAIN) cgt_reply_close(r, code);
    if (code != CHATGPTT_OK) r->event = CGT_REPLY_END;
    return CHATGPTT_OK;
}

static void cgt_reply_eof(cgt_reply *r) {         /* the body is complete */
    chatgptt_code code = CHATGPTT_OK;
    if (r->code != CHATGPTT_AGAIN) return;
    if (r->mode == CGT_REPLY_SNIFF) code = cgt_reply_sniffed(r, CGT_REPLY_JSON);
    if (code == CHATGPTT_OK)
        code = r->mode == CGT_REPLY_EVENTS ? cgt_reply_events_eof(r) : cgt_reply_json_eof(r);
    cgt_reply_close(r, code);
}

/* Before the end: AGAIN, and what is known so far. */
static cgt_verdict cgt_reply_verdict(const cgt_reply *r) {
    cgt_verdict v = { r->code, r->words, r->by, r->finished && !r->dressed, r->texted, r->dispatched };
    return v;
}

/* What it comes to if no more can come. OK: the connection's own error stands. */
static cgt_verdict cgt_reply_broke(const cgt_reply *r) {
    cgt_verdict v = cgt_reply_verdict(r);
    if (v.code == CHATGPTT_AGAIN) v.code = cgt_reply_so_far(r);
    return v;
}

/* ==== [DIALECT] ==== */

/* What is sent. Generation WPAICG takes one POST with these fields, of which _wpnonce, action and message are
   the needed ones; generation AIPKIT takes a POST that hands over the message for a key, then a GET that
   fetches the answer by it. */

static const char *const cgt_models[] = { "gpt-4o", "gpt-4", "gpt-4o-mini", NULL };

/* Whether all of it are blanks as Python's str.strip() sees them. */
static bool cgt_all_blank(cgt_slice s) {
    /* all but U+2000 to U+200A; one character never matches across two */
    static const char wide[] = "\xC2\x85\xC2\xA0\xE1\x9A\x80\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAF"
                               "\xE2\x81\x9F\xE3\x80\x80";
    bool blank = true; size_t n, i;
    for (; s.len && blank; s = cgt_from(s, n)) {
        if (cgt_utf8_at(s.at, s.len, &n) != CGT_UTF8_WHOLE) return false;
        blank = n == 3 && memcmp(s.at, "\xE2\x80", 2) == 0 && (unsigned char)s.at[2] <= 0x8A;
        if (n == 1) blank = cgt_blank(*s.at) || *s.at == '\v' || (*s.at >= 0x1c && *s.at <= 0x1f);
        for (i = 0; !blank && n > 1 && i + n < sizeof wide; i++) blank = memcmp(s.at, wide + i, n) == 0;
    }
    return blank;
}

static cgt_slice cgt_message_text(const chatgptt_message *m) {
    return m->len ? cgt_slice_of(m->text, m->len) : cgt_text(m->text);
}

/* Folds a conversation into one prompt, byte for byte as the model does: a single message as it is, else a
   line a message. */
static void cgt_fold(cgt_buffer *b, const chatgptt_message *messages, size_t count) {
    static const char *const roles[] = { "User: ", "Assistant: ", "System: " }; size_t i;
    if (count == 1) { cgt_append(b, cgt_message_text(&messages[0])); return; }
    for (i = 0; i < count; i++) {
        cgt_slice text = cgt_message_text(&messages[i]);
        if (cgt_all_blank(text)) continue;
        cgt_puts(b, roles[messages[i].role]); cgt_append(b, text); cgt_putc(b, '\n');
    }
    cgt_puts(b, "Assistant:");
}

/* The field wpaicg_chat_history is a JSON array of strings, "Human: ..." or "AI: ...". Before it decodes them
   the server drops all that looks like a tag or like an octet in the form %41, and every backslash; if what
   is left is no JSON, the whole history is gone without a word. So nothing can be escaped: what would be lost
   or do harm is sent as a substitute that reads the same. */

enum { CGT_HISTORY_TURNS = 100 };               /* what the site's own page sends if it says nothing else */

/* The substitute for the first character of `s`; NULL: it goes as it is. `label`: it follows an "AI:" in the
   assistant's words. > stands for itself: without its partner it opens nothing. */
static const char *cgt_history_substitute(cgt_slice s, bool label) {
    switch (s.at[0]) {
    case '"': return "&quot;";      /* as the site's page sends it; a curly quote would say less about code */
    case '<': return "&lt;";
    case '\\': return "\xEF\xBC\xBC";      /* U+FF3C, the wide form: one sign between the same letters */
    case '%': return s.len > 2 && cgt_is_hex(s.at[1]) && cgt_is_hex(s.at[2]) ? "\xEF\xBC\x85" : NULL;
    case '\r': case '\n':           /* U+2028: a blank would flatten code, an entry a line use up the limit */
        return s.at[0] == '\r' && s.len > 1 && s.at[1] == '\n' ? "" : "\xE2\x80\xA8";
    default: /* tabs and controls are blanks; "AI: " would be cut out */
        return (unsigned char)s.at[0] > ' ' ? NULL : label ? "\xC2\xA0" : " ";
    }
}

/* The words of a turn without the controls and blanks at its ends, which the server cuts off; empty: the turn
   says nothing. */
static cgt_slice cgt_history_text(const chatgptt_message *m) {
    cgt_slice s = cgt_message_text(m);
    while (s.len && (unsigned char)s.at[0] <= ' ') s = cgt_from(s, 1);
    while (s.len && (unsigned char)s.at[s.len - 1] <= ' ') s.len--;
    return m->role == CHATGPTT_SYSTEM || cgt_all_blank(s) ? cgt_text("") : s;
}

static void cgt_put_history_turn(cgt_buffer *b, bool assistant, cgt_slice s) {
    /* "0" is nothing to the server */
    const char *end = assistant && cgt_is(s, "0") ? "\xC2\xA0" "\"" : "\"";
    cgt_puts(b, assistant ? "\"AI: " : "\"Human: ");
    for (; s.len; s = cgt_from(s, 1)) {
        bool label = assistant && b->len > 2 && memcmp(b->data + b->len - 3, "AI:", 3) == 0;
        const char *substitute = cgt_history_substitute(s, label);
        cgt_append(b, substitute ? cgt_text(substitute) : cgt_slice_of(s.at, 1));
    }
    cgt_puts(b, end);
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

/* ---- tokens ---- */

/* What a page told of its chat, and where messages go. Never changed once it is known to a client, and
   shared: a stream keeps those it sends its message with, whatever the client learns meanwhile. */

/* The last only in a saved state: the client's no_nonce_action. */
enum { CGT_IS_WIDGET = 1, CGT_IS_ASSISTANT = 2, CGT_KEEPS_OPENAI = 4, CGT_KEEPS_GOOGLE = 8,
       CGT_NO_NONCE_ACTION = 16 };
enum { CGT_T_NONCE, CGT_T_POST_ID, CGT_T_BOT_ID, CGT_T_BOT_NAME, CGT_T_GREETING, CGT_T_PROVIDER,
       CGT_T_CONSENT, CGT_TEXTS };

typedef struct cgt_tokens {
    int uses; size_t size;          /* client and streams, freed with the last; this block's, texts and all */
    /* is: CGT_IS_WIDGET and others; time: when the nonce was given out, as far as we know, Unix seconds */
    chatgptt_dialect dialect; unsigned is; int memory_limit; long long time;
    cgt_url page, endpoint;         /* where the page was found, empty: none was needed; where messages go */
    const char *text[CGT_TEXTS];    /* "" where there is none */
} cgt_tokens;

static void cgt_tokens_drop(const chatgptt_hooks *hooks, cgt_tokens *t) {
    if (!t || --t->uses) return;
    cgt_url_free(&t->page); cgt_url_free(&t->endpoint); cgt_free(hooks, t, t->size);
}

/* With these texts, and all else as in `like`, which keeps its own; one use, the caller's. NULL: out of
   memory, which the error says. */
static cgt_tokens *cgt_tokens_new(const chatgptt_hooks *hooks, const cgt_tokens *like,
                                  const cgt_slice text[CGT_TEXTS], chatgptt_error *error) {
    size_t size = sizeof *like, i; cgt_tokens *t; char *at; chatgptt_code page;
    for (i = 0; i < CGT_TEXTS; i++) size += text[i].len + 1;
    t = (cgt_tokens *)cgt_new(hooks, size);
    if (t) {
        *t = *like; t->uses = 1; t->size = size;
        for (i = 0, at = (char *)(t + 1); i < CGT_TEXTS; at += text[i++].len + 1) {
            t->text[i] = at;
            if (text[i].len) memcpy(at, text[i].at, text[i].len);
        }
        page = cgt_url_copy(&t->page, hooks, &like->page);
        if (cgt_url_copy(&t->endpoint, hooks, &like->endpoint) == CHATGPTT_OK && page >= 0) return t;
    }
    cgt_tokens_drop(hooks, t); cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for tokens");
    return NULL;
}

static void cgt_form_text(cgt_buffer *b, const char *name, const char *value) {
    cgt_form_field(b, name, cgt_text(value));
}

/* ---- WPAICG ---- */

/* The form of a WPAICG message. The fields are those the site's own page sends, the chat's kind deciding
   some. */
static void cgt_put_wpaicg(cgt_buffer *b, const cgt_tokens *t, const char *client_id,
                           const char *thread_id, cgt_slice message, cgt_slice history) {
    const char *bot = t->text[CGT_T_BOT_ID][0] ? t->text[CGT_T_BOT_ID] : "0";
    bool custom = strcmp(bot, "0") != 0, widget = t->is & CGT_IS_WIDGET;
    cgt_form_text(b, "_wpnonce", t->text[CGT_T_NONCE]); cgt_form_text(b, "post_id", t->text[CGT_T_POST_ID]);
    cgt_form_field(b, "url", t->page.whole);
    cgt_form_text(b, "action", widget ? "wpaicg_chatbox_message" : "wpaicg_chat_shortcode_message");
    cgt_form_field(b, "message", message); cgt_form_text(b, "bot_id", bot);
    cgt_form_text(b, "chatbot_identity", custom ? "custom_bot_" : widget ? "widget" : "shortcode");
    if (custom) cgt_form_encode(b, cgt_text(bot));
    cgt_form_text(b, "wpaicg_chat_client_id", client_id);
    cgt_form_field(b, "wpaicg_chat_history", history);
    if ((t->is & CGT_IS_ASSISTANT) && thread_id[0]) cgt_form_text(b, "thread_id", thread_id);
}

/* ---- ids ---- */

/* what the plugin takes as conversation_uuid and session_id, and the end */
enum { CGT_UUID_SIZE = 37, CGT_SESSION_SIZE = 65 };

/* What a chatgptt_conversation holds: bytes only, so it is the same on every machine. Ids are terminated, ""
   where there is none. */
typedef struct cgt_memory {
    char magic[7], begun;           /* begun: the site knows of it */
    /* AIPKIT: whose it is, and which; WPAICG with an assistant: its thread; AIPKIT: of the last answer, for
       the provider's own memory */
    char session_id[68], conversation_id[40], thread_id[100], openai_id[100], google_id[168];
} cgt_memory;
static const char cgt_memory_magic[] = "chat-1";

/* Takes an id over if there is one. Where it is too long or holds a control character the old one goes all
   the same: it would lead to the wrong place. */
static void cgt_memory_set(char *out, size_t size, const char *id) {
    if (id[0]) (void)cgt_fixed_set(out, size, cgt_text(cgt_has_control(cgt_text(id)) ? "" : id));
}

static bool cgt_id_ok(const char *id, size_t size) {
    const char *end = (const char *)memchr(id, '\0', size);
    return end && !cgt_has_control(cgt_text(id)) && cgt_utf8_valid(cgt_text(id));
}

/* The bytes may come from anywhere: false, they are no conversation. */
static bool cgt_memory_ok(const cgt_memory *m) {
    return memcmp(m->magic, cgt_memory_magic, sizeof m->magic) == 0 &&
           cgt_id_ok(m->session_id, CGT_SESSION_SIZE) && cgt_id_ok(m->conversation_id, CGT_UUID_SIZE) &&
           cgt_id_ok(m->thread_id, sizeof m->thread_id) && cgt_id_ok(m->openai_id, sizeof m->openai_id) &&
           cgt_id_ok(m->google_id, sizeof m->google_id);
}

/* ---- AIPKIT ---- */

static void cgt_put_aipkit(cgt_buffer *b, const cgt_tokens *t, const char *action) {
    cgt_form_text(b, "action", action); cgt_form_text(b, "bot_id", t->text[CGT_T_BOT_ID]);
}

/* Hands over the message. One that is a JSON object with "stream_context" would be taken for something else
   by the plugin: an invisible character in front (U+200B) keeps it a message. */
static void cgt_put_aipkit_key(cgt_buffer *b, const cgt_tokens *t, cgt_slice message) {
    cgt_slice trimmed = cgt_trim(message);
    bool taken = trimmed.len && trimmed.at[0] == '{' &&
                 (cgt_contains(trimmed, "stream_context") || cgt_contains(trimmed, "\\u"));
    cgt_put_aipkit(b, t, "aipkit_cache_sse_message");
    cgt_form_text(b, "_ajax_nonce", t->text[CGT_T_NONCE]);
    cgt_form_text(b, "message", taken ? "\xE2\x80\x8B" : ""); cgt_form_encode(b, message);
}

/* The query that fetches the answer. */
static void cgt_put_aipkit_answer(cgt_buffer *b, const cgt_tokens *t, const cgt_memory *m, const char *key,
                                  long long unix_time) {
    const char *post = t->text[CGT_T_POST_ID];
    cgt_put_aipkit(b, t, "aipkit_frontend_chat_stream"); cgt_form_text(b, "cache_key", key);
    cgt_form_text(b, "session_id", m->session_id); cgt_form_text(b, "conversation_uuid", m->conversation_id);
    cgt_form_text(b, "_ajax_nonce", t->text[CGT_T_NONCE]);
    if (post[0] && strcmp(post, "0") != 0) cgt_form_text(b, "post_id", post);
    if ((t->is & CGT_KEEPS_OPENAI) && m->openai_id[0])
        cgt_form_text(b, "previous_openai_response_id", m->openai_id);
    if ((t->is & CGT_KEEPS_GOOGLE) && m->google_id[0])
        cgt_form_text(b, "previous_google_interaction_id", m->google_id);
    cgt_form_text(b, "_ts", "");
    cgt_put_number(b, (unsigned long long)(unix_time < 0 ? 0 : unix_time) * 1000);
}

/* ==== [STREAM] ==== */

/* One message: which exchange comes next, and what its end means, stands in one table, cgt_plan. All is
   driven by step(): it goes on until there is an event, an end, or nothing to do but wait. */

struct chatgptt_client {
    chatgptt_hooks hooks;
    chatgptt_options options;       /* defaults filled in; its strings lie in `strings` */
    char *strings; size_t strings_size; chatgptt_error error; cgt_pool pool;
    /* the options': the page asked for; where messages go, empty: the page says */
    cgt_url home, endpoint; cgt_jar cookies;
    cgt_tokens *tokens;             /* the newest; NULL: none are known */
    /* the endpoint gives out no nonces: they are on the page; read once: conversations are counted from the
       first 16 bytes on */
    bool no_nonce_action; unsigned char random[48]; chatgptt_stream *streams;
    char client_id[CHATGPTT_MAX_TOKEN], session_id[CGT_SESSION_SIZE]; chatgptt_site site;
};

/* What is asked for. The first five are exchanges: GET the page, for the tokens; AIPKIT: POST for a fresh
   nonce, POST the message for a key, GET the answer by its key; WPAICG: POST the message, whose response is
   the answer. RENEW is NONCE or PAGE, ASK is MESSAGE or KEY, as the generation has it; START is whichever of
   these the client's tokens call for. */
typedef enum cgt_goal {
    CGT_GOAL_PAGE, CGT_GOAL_NONCE, CGT_GOAL_KEY, CGT_GOAL_ANSWER, CGT_GOAL_MESSAGE, CGT_GOAL_ASK,
    CGT_GOAL_RENEW, CGT_GOAL_START, CGT_GOAL_DONE, CGT_GOAL_FAIL
} cgt_goal;

/* How its exchange ended: as wanted; the token was refused; the action is unknown. All else is an error. */
typedef enum cgt_outcome { CGT_GOT, CGT_REFUSED, CGT_UNKNOWN } cgt_outcome;

/* The plan of a message. A refused token or unknown action leads on only where refusals allow it: tokens that
   another stream stored meanwhile are tried first, once; then they are renewed, once a message, and only
   before any text, and what was refused is no renewal. A key in hand leads to its answer and nowhere else:
   the site has the message. */
static const cgt_goal cgt_plan[][CGT_UNKNOWN + 1] = {
    /*            got               refused          unknown action */
    /* PAGE    */ { CGT_GOAL_ASK,    CGT_GOAL_FAIL,   CGT_GOAL_FAIL },
    /* NONCE   */ { CGT_GOAL_ASK,    CGT_GOAL_PAGE,   CGT_GOAL_PAGE },
    /* KEY     */ { CGT_GOAL_ANSWER, CGT_GOAL_RENEW,  CGT_GOAL_PAGE },
    /* ANSWER  */ { CGT_GOAL_DONE,   CGT_GOAL_RENEW,  CGT_GOAL_FAIL },
    /* MESSAGE */ { CGT_GOAL_DONE,   CGT_GOAL_RENEW,  CGT_GOAL_PAGE } };

/* How the five are asked for: what a time-out interrupts, and what the reply is to hold. */
static const struct { const char *method, *accept, *doing; cgt_asked asked; } cgt_goals[] = {
    { "GET", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "reading the page of", CGT_ASKED_ANSWER },
    { "POST", "*/*", "asking for a token from", CGT_ASKED_NONCE },
    { "POST", "*/*", "waiting for the answer of", CGT_ASKED_KEY },
    { "GET", "text/event-stream", "waiting for the answer of", CGT_ASKED_ANSWER },
    { "POST", "*/*", "waiting for the answer of", CGT_ASKED_ANSWER } };

/* PLAN: begin the goal's exchange; RUN: it runs; TELL: a piece of its body is with the reply; CANCELLED: the
   next step says so; OVER: `last` says how, for ever. */
typedef enum cgt_stream_state {
    CGT_STREAM_PLAN, CGT_STREAM_RUN, CGT_STREAM_TELL, CGT_STREAM_CANCELLED, CGT_STREAM_OVER
} cgt_stream_state;

struct chatgptt_stream {
    cgt_stream_state state; cgt_goal goal;  /* what a delta touches comes first */
    chatgptt_code last;             /* what step() came to; AGAIN only if there is something to wait for */
    cgt_reply *reply; cgt_page *page;       /* while one is read */
    char *body; size_t body_len;    /* of the exchange's piece: what the reply has not used up */
    /* how long the end may still come after finish_reason, ms, LLONG_MAX: no limit; the reply's events when
       that began anew */
    long long grace; unsigned events;
    chatgptt_client *client; chatgptt_stats stats; cgt_exchange x; chatgptt_error error;
    chatgptt_stream *next, **at;    /* in its list: where it stands */
    long long started;              /* ms */
    cgt_tokens *tokens;             /* the message is sent with: others may become the client's meanwhile */
    cgt_outcome cause;              /* why they are renewed; GOT: they are old, or there were none */
    int refusals, renewals;         /* tokens refused; renewed for that */
    char cache_key[CHATGPTT_MAX_TOKEN];     /* AIPKIT: of the message, once it is handed over */
    cgt_buffer message;             /* what is asked, folded; in a conversation the texts of all turns */
    /* in a conversation: user's and assistant's turns, their texts in `message` */
    chatgptt_message *turns; size_t num_turns, turns_size;
    /* the caller's, written at DONE; what it says, with what this message adds */
    chatgptt_conversation *conversation; cgt_memory memory;
    int (*on_tick)(void *user); void *tick_user;
};

/* GRACE: after finish_reason, and after each event that still comes; TICK: blocking calls give the caller a
   say at least this often; NONCE: WordPress keeps one for 12 hours at least. */
enum { CGT_GRACE_MS = 1000, CGT_TICK_MS = 100, CGT_NONCE_SECONDS = 11 * 3600 };

static long long cgt_unix(const chatgptt_client *c) { return (c->hooks.unix_time)(c->hooks.user); }

static cgt_slice cgt_stream_host(const chatgptt_stream *s) { return s->x.url.authority; }

/* ---- tokens: a client's newest, shared with the streams that use them ---- */

static void cgt_stream_use(chatgptt_stream *s, cgt_tokens *tokens) {
    tokens->uses++; cgt_tokens_drop(&s->client->hooks, s->tokens);
    s->tokens = tokens;
}

/* They become the client's; the caller's use of them ends. */
static void cgt_client_store(chatgptt_client *c, cgt_tokens *tokens) {
    const char *const *text = tokens->text;
    const chatgptt_site told = { tokens->dialect, text[CGT_T_BOT_ID], text[CGT_T_BOT_NAME],
        text[CGT_T_GREETING], text[CGT_T_PROVIDER], text[CGT_T_CONSENT], tokens->memory_limit };
    cgt_tokens_drop(&c->hooks, c->tokens);
    c->tokens = tokens; c->site = told;
}

/* The stream's tokens, or what the options give where it has none, with another nonce. NULL: out of memory.
   */
static cgt_tokens *cgt_stream_renonced(chatgptt_stream *s, const char *nonce) {
    const chatgptt_client *c = s->client; const cgt_tokens *old = s->tokens;
    cgt_slice text[CGT_TEXTS]; cgt_tokens like; int i;
    memset(&like, 0, sizeof like);
    like.endpoint = c->endpoint;
    if (old) like = *old;
    for (i = 0; i < CGT_TEXTS; i++) text[i] = cgt_text(old ? old->text[i] : "");
    if (!old) text[CGT_T_BOT_ID] = cgt_text(c->options.bot_id);
    text[CGT_T_NONCE] = cgt_text(nonce); like.dialect = CHATGPTT_AIPKIT; like.time = cgt_unix(c);
    return cgt_tokens_new(&c->hooks, &like, text, &s->error);
}

/* ---- requests ---- */

/* Where the goal's exchange goes: the page, past caches by a query none has seen if it is to be fresh; the
   endpoint, with the query that fetches the answer. */
static chatgptt_code cgt_stream_url(const chatgptt_stream *s, cgt_url *url) {
    const chatgptt_client *c = s->client; bool page = s->goal == CGT_GOAL_PAGE;
    const cgt_url *to = page ? &c->home : &s->tokens->endpoint; cgt_buffer b;
    if (page ? !s->tokens : !CGT_HAS_AIPKIT || s->goal != CGT_GOAL_ANSWER)
        return cgt_url_copy(url, &c->hooks, to);
    cgt_buffer_init(&b, &c->hooks, CHATGPTT_MAX_URL); cgt_append(&b, to->whole);
    if (cgt_find(to->path, "?") == to->path.len) cgt_putc(&b, '?');
    if (!page) cgt_put_aipkit_answer(&b, s->tokens, &s->memory, s->cache_key, cgt_unix(c));
    else { cgt_form_text(&b, "nocache", ""); cgt_put_number(&b, (unsigned long long)cgt_unix(c)); }
    return cgt_url_take(url, &b);
}

/* The form of the message. In a conversation WPAICG without an assistant gets the earlier turns along, as the
   page itself sends them; the others get the last turn only, once they remember those before. */
static void cgt_stream_put_message(const chatgptt_stream *s, cgt_buffer *form) {
    const cgt_tokens *t = s->tokens; const chatgptt_message *turns = s->turns; size_t n = s->num_turns;
    bool key = CGT_HAS_AIPKIT && (!CGT_HAS_WPAICG || s->goal == CGT_GOAL_KEY);
    bool along = turns && !key && !(t->is & CGT_IS_ASSISTANT); cgt_buffer b; cgt_slice asked, history;
    cgt_buffer_init(&b, &s->client->hooks, CHATGPTT_MAX_REQUEST);
    if (!turns) cgt_append(&b, cgt_slice_of_buffer(&s->message));
    else if (along || s->memory.begun) cgt_append(&b, cgt_message_text(&turns[n - 1]));
    else cgt_fold(&b, turns, n);
    asked.len = b.len;
    if (along) cgt_put_history(&b, turns, n - 1, t->memory_limit); else cgt_puts(&b, "[]");
    history = cgt_from(cgt_slice_of_buffer(&b), asked.len); asked.at = history.at - asked.len;
    if (key) cgt_put_aipkit_key(form, t, asked);
    else cgt_put_wpaicg(form, t, s->client->client_id, s->memory.thread_id, asked, history);
    if (b.failed) form->failed = b.failed;
    cgt_buffer_free(&b);
}

/* ---- PLAN ---- */

/* Makes the goal one of those that are exchanges. START: tokens if there are none; fresh ones in place of
   those that may have run out. With the endpoint and the bot given, AIPKIT needs no page: the endpoint gives
   out nonces. */
static cgt_goal cgt_stream_settle_goal(chatgptt_stream *s, cgt_goal goal) {
    chatgptt_client *c = s->client; const chatgptt_options *o = &c->options; bool aipkit;
    bool page = !CGT_HAS_AIPKIT || o->dialect != CHATGPTT_AIPKIT || !o->endpoint || !o->bot_id ||
                c->no_nonce_action;
    if (goal == CGT_GOAL_START && !c->tokens) {
        if (!page) s->tokens = cgt_stream_renonced(s, "");
        return page ? CGT_GOAL_PAGE : s->tokens ? CGT_GOAL_NONCE : CGT_GOAL_FAIL;
    }
    if (goal == CGT_GOAL_START) {
        cgt_stream_use(s, c->tokens);
        goal = cgt_unix(c) - c->tokens->time > CGT_NONCE_SECONDS ? CGT_GOAL_RENEW : CGT_GOAL_ASK;
        if (goal == CGT_GOAL_RENEW) cgt_trace(&c->hooks, "refresh", cgt_text("the token is old"));
    }
    aipkit = CGT_HAS_AIPKIT && s->tokens && (!CGT_HAS_WPAICG || s->tokens->dialect == CHATGPTT_AIPKIT);
    if (goal == CGT_GOAL_RENEW) return aipkit && !c->no_nonce_action ? CGT_GOAL_NONCE : CGT_GOAL_PAGE;
    if (goal != CGT_GOAL_ASK) return goal;
    if (aipkit) return CGT_GOAL_KEY;
    if (!s->cache_key[0]) return CGT_GOAL_MESSAGE;
    cgt_fail(&s->error, CHATGPTT_E_STATUS, "%b has changed its plugin while it held the message, which is not"
             " sent twice", c->home.authority);
    return CGT_GOAL_FAIL;
}

static chatgptt_code cgt_stream_plan(chatgptt_stream *s, long long now) {
    chatgptt_client *c = s->client; const chatgptt_options *o = &c->options;
    cgt_exchange_setup setup = { &c->pool, &c->cookies, &s->error, &s->stats,
                                 cgt_after(s->started, o->total_timeout_ms) };
    cgt_goal goal = s->goal = cgt_stream_settle_goal(s, s->goal);
    bool page = goal == CGT_GOAL_PAGE; cgt_buffer form; cgt_url url; cgt_asks asks; chatgptt_code code;
    if (goal == CGT_GOAL_FAIL) return s->error.code;
    memset(&url, 0, sizeof url); cgt_buffer_init(&form, &c->hooks, CHATGPTT_MAX_REQUEST);
    if (CGT_HAS_AIPKIT && goal == CGT_GOAL_NONCE)
        cgt_put_aipkit(&form, s->tokens, "aipkit_get_frontend_chat_nonce");
    if (goal == CGT_GOAL_KEY || goal == CGT_GOAL_MESSAGE) cgt_stream_put_message(s, &form);
    if (!form.failed) form.failed = cgt_stream_url(s, &url);
    asks.method = cgt_goals[goal].method; asks.accept = cgt_goals[goal].accept;
    asks.user_agent = o->user_agent; asks.body = cgt_slice_of_buffer(&form);
    asks.page = page ? NULL : &s->tokens->page; asks.refresh = page && s->tokens;
    if (!form.failed) code = cgt_exchange_begin(&s->x, &setup, &url, &asks, now);
    else code = cgt_fail(&s->error, form.failed, "the request cannot be written: %s (CHATGPTT_MAX_REQUEST)",
                         cgt_buffer_why(&form));
    s->x.follow = page ? CGT_FOLLOW_ALL : CGT_FOLLOW_REPEAT; s->x.doing = cgt_goals[goal].doing;
    s->x.max_body = page ? o->max_page_bytes : o->max_reply_bytes;
    cgt_buffer_free(&form); cgt_url_free(&url);
    s->state = CGT_STREAM_RUN;
    return code;
}

/* ---- what an outcome leads to ---- */

static void cgt_stream_drop_bodies(chatgptt_stream *s) {
    cgt_free(&s->client->hooks, s->page, sizeof *s->page);
    if (s->reply) cgt_reply_free(s->reply);
    cgt_free(&s->client->hooks, s->reply, sizeof *s->reply);
    s->page = NULL; s->reply = NULL; s->body_len = 0; s->grace = LLONG_MAX;
}

/* The exchange is over: on to the goal that the plan names, which is not FAIL. */
static chatgptt_code cgt_stream_turn(chatgptt_stream *s, cgt_goal goal, long long now) {
    if (goal == CGT_GOAL_DONE) return CHATGPTT_DONE;
    cgt_exchange_stop(&s->x, s->body_len); cgt_exchange_free(&s->x, now);
    cgt_stream_drop_bodies(s);
    s->goal = goal; s->state = CGT_STREAM_PLAN;
    return CHATGPTT_OK;
}

/* The token was refused, or the action is unknown: the error that stands if nothing leads on is set already.
   */
static chatgptt_code cgt_stream_refused(chatgptt_stream *s, cgt_outcome outcome, long long now) {
    chatgptt_client *c = s->client; cgt_goal goal = cgt_plan[s->goal][outcome];
    bool unknown = outcome == CGT_UNKNOWN;
    /* plugin 2.3 to 2.3.40: tokens are on the page only */
    if (unknown && s->goal == CGT_GOAL_NONCE) c->no_nonce_action = true;
    else if (goal == CGT_GOAL_FAIL) return s->error.code;
    else if (s->refusals++ == 0 && c->tokens && c->tokens != s->tokens) {
        cgt_stream_use(s, c->tokens); goal = CGT_GOAL_ASK;
    } else {
        if (s->renewals++) return s->error.code;
        s->cause = outcome;
        cgt_trace(&c->hooks, "refresh", cgt_text(unknown ? "unknown action" : "token refused"));
    }
    return cgt_stream_turn(s, goal, now);
}

/* New tokens, NULL: the error says why there are none. They become the client's, unless they are what was
   refused. */
static chatgptt_code cgt_stream_keep(chatgptt_stream *s, cgt_tokens *t, long long now) {
    bool unknown = s->cause == CGT_UNKNOWN, page = s->goal == CGT_GOAL_PAGE;
    if (!t) return s->error.code;
    if (s->cause == CGT_GOT || (unknown ? s->tokens->dialect != t->dialect
                                : strcmp(s->tokens->text[CGT_T_NONCE], t->text[CGT_T_NONCE]) != 0)) {
        cgt_client_store(s->client, t); cgt_stream_use(s, t);
        return cgt_stream_turn(s, cgt_plan[s->goal][CGT_GOT], now);
    }
    cgt_tokens_drop(&s->client->hooks, t);
    cgt_fail(&s->error, unknown ? CHATGPTT_E_STATUS : CHATGPTT_E_NONCE,
             unknown ? "%b does not know the chat's action (status 400): the plugin is switched off there"
             : page  ? "%b refuses its own token: the site's page cache serves an expired token"
                     : "%b refuses the token that it gives out itself", cgt_stream_host(s));
    if (unknown) s->error.http_status = 400;
    return s->error.code;
}

/* ---- the page ---- */

/* Where messages go: what the page names, else the usual place. An http endpoint that an https page names is
   taken for https. */
static chatgptt_code cgt_stream_endpoint(chatgptt_stream *s, const cgt_chat *chat, const cgt_url *page,
                                         cgt_url *url) {
    cgt_slice named = cgt_text(chat->endpoint[0] ? chat->endpoint : "/wp-admin/admin-ajax.php"), user;
    const char *why = ""; chatgptt_code code = cgt_url_resolve(url, page, named, &user, &why); cgt_buffer b;
    bool http = code == CHATGPTT_OK && page->https && !url->https;
    if (code == CHATGPTT_OK && user.len) { code = CHATGPTT_E_ARGUMENT; why = "it holds a user name"; }
    else if (http && strcmp(url->host, page->host) != 0) {
        code = CHATGPTT_E_ARGUMENT; why = "it is http on another host, and the page is https";
    } else if (http) {
        cgt_buffer_init(&b, url->text.hooks, CHATGPTT_MAX_URL); cgt_puts(&b, "https");
        cgt_append(&b, cgt_from(url->whole, 4)); cgt_url_free(url);
        code = cgt_url_take(url, &b); why = "as https too long";
    }
    if (code == CHATGPTT_OK) return code;
    return cgt_fail(&s->error, code == CHATGPTT_E_ARGUMENT ? CHATGPTT_E_PAGE : code, "the page of %b names a "
                    "bad endpoint (%b): %s", page->authority, cgt_url_place(named), why);
}

/* The tokens on a page. Its address is the old one if it is the same place with a cache-busting query;
   messages go where the option says, else where the page does. NULL: the error says why. */
static cgt_tokens *cgt_stream_page_tokens(chatgptt_stream *s, const cgt_chat *chat) {
    const chatgptt_client *c = s->client; const char *bot_id = c->options.bot_id;
    const cgt_slice text[CGT_TEXTS] = {
        cgt_text(chat->nonce), cgt_text(chat->post_id), cgt_text(bot_id ? bot_id : chat->bot_id),
        cgt_text(chat->bot_name), cgt_text(chat->greeting), cgt_text(chat->provider),
        cgt_text(chat->consent) };
    bool moved = !s->tokens || !cgt_same(s->tokens->page.origin, s->x.url.origin);
    bool given = c->endpoint.whole.len > 0; cgt_tokens like, *t = NULL; chatgptt_code code = CHATGPTT_OK;
    memset(&like, 0, sizeof like);
    like.dialect = chat->dialect; like.memory_limit = chat->memory_limit; like.time = cgt_unix(c);
    like.is = (unsigned)(chat->widget * CGT_IS_WIDGET + chat->assistant * CGT_IS_ASSISTANT +
                         chat->keeps_openai * CGT_KEEPS_OPENAI + chat->keeps_google * CGT_KEEPS_GOOGLE);
    like.page = moved ? s->x.url : s->tokens->page;
    like.endpoint = c->endpoint;
    if (!given) code = cgt_stream_endpoint(s, chat, &like.page, &like.endpoint);
    if (code == CHATGPTT_OK) t = cgt_tokens_new(&c->hooks, &like, text, &s->error);
    if (!given) cgt_url_free(&like.endpoint);
    return t;
}

/* What a status that is no success comes to, with the site's own words. */
static chatgptt_code cgt_stream_status(chatgptt_stream *s, chatgptt_code code, const char *words) {
    const char *what = s->goal == CGT_GOAL_PAGE ? "does not give the page" : "does not take the message";
    if (code == CHATGPTT_E_BLOCKED)
        what = "shows a challenge or firewall page, which is not for programs; it is not evaded";
    return cgt_fail(&s->error, code, words[0] ? "%b %s (status %d): %s" : "%b %s (status %d)",
                    cgt_stream_host(s), what, s->x.in.status, words);
}

static bool cgt_stream_ok(const chatgptt_stream *s) { return s->x.in.status == 200 || s->x.in.status == 203; }

static chatgptt_code cgt_stream_page_end(chatgptt_stream *s, long long now) {
    cgt_page *p = s->page; int status = s->x.in.status; const char *why; chatgptt_code code = CHATGPTT_E_PAGE;
    s->stats.page_ms = cgt_until(now, s->started);
    if (!cgt_stream_ok(s) || s->x.challenged) {
        bool blocked = s->x.challenged || (cgt_status_blocks(status) && p->said.challenge);
        code = blocked ? CHATGPTT_E_BLOCKED
               : status == 429 || status == 402 ? CHATGPTT_E_RATE_LIMITED : CHATGPTT_E_STATUS;
        return cgt_stream_status(s, code, cgt_said_words(&p->said));
    }
    if (cgt_page_end(p)) return cgt_stream_keep(s, cgt_stream_page_tokens(s, &p->best), now);
    why = cgt_page_verdict(p, &code);
    return cgt_fail(&s->error, code,
                    "Required authentication tokens not found in page HTML (%b, status %d, title \"%s\"): %s",
                    cgt_stream_host(s), status, cgt_page_title(p),
                    why ? why : "neither data-nonce and data-post-id nor data-config");
}

/* ---- the reply ---- */

/* The answer is whole: what the site now knows of the conversation goes to the caller. */
static void cgt_stream_remember(chatgptt_stream *s) {
    cgt_memory *m = &s->memory; const cgt_reply *r = s->reply;
    if (!s->conversation) return;
    cgt_memory_set(m->thread_id, sizeof m->thread_id, r->thread_id);
    cgt_memory_set(m->openai_id, sizeof m->openai_id, r->openai_id);
    cgt_memory_set(m->google_id, sizeof m->google_id, r->google_id);
    m->begun = s->goal == CGT_GOAL_ANSWER || m->thread_id[0];   /* else it knows but the history sent along */
    memset(s->conversation, 0, sizeof *s->conversation); memcpy(s->conversation->opaque, m, sizeof *m);
}

/* The reply has come to a verdict. */
static chatgptt_code cgt_stream_settle(chatgptt_stream *s, cgt_verdict v, long long now) {
    cgt_slice host = cgt_stream_host(s); chatgptt_error *e = &s->error;
    const char *token = cgt_reply_token(s->reply);
    if (v.code == CHATGPTT_DONE) {
        if (CGT_HAS_AIPKIT && s->goal == CGT_GOAL_NONCE)
            return cgt_stream_keep(s, cgt_stream_renonced(s, token), now);
        if (s->goal == CGT_GOAL_KEY) (void)cgt_fixed_set(s->cache_key, sizeof s->cache_key, cgt_text(token));
        else cgt_stream_remember(s);
        return cgt_stream_turn(s, cgt_plan[s->goal][CGT_GOT], now);
    }
    if (v.code == CHATGPTT_E_NONCE && v.by == CGT_TOLD_BY_EVENT && s->renewals) v.code = CHATGPTT_E_REFUSED;
    if (v.code == CHATGPTT_E_NONCE || v.code == CHATGPTT_E_UNSUPPORTED) {
        bool nonce = v.code == CHATGPTT_E_NONCE;
        cgt_fail(e, nonce ? v.code : CHATGPTT_E_STATUS, nonce
                 ? "%b refuses the token (status %d), also a fresh one: %s"
                 : "%b does not know the chat's action: the plugin is switched off there",
                 host, s->x.in.status, v.words);
        return v.texted ? e->code : cgt_stream_refused(s, nonce ? CGT_REFUSED : CGT_UNKNOWN, now);
    }
    if (v.code == CHATGPTT_E_INCOMPLETE && v.texted)
        return cgt_fail(e, v.code, "the answer of %b broke off after %z bytes", host, s->stats.text_bytes);
    if (v.by == CGT_TOLD_BY_STATUS) return cgt_stream_status(s, v.code, v.words);
    return cgt_fail(e, v.code, v.words[0] ? "%s: %s" : "%s%s", chatgptt_code_text(v.code), v.words);
}

/* The connection broke, or a time ran out while only the end mark was missing: complete if the answer was
   marked so; a partial one is never called whole. */
static chatgptt_code cgt_stream_broke(chatgptt_stream *s, chatgptt_code code, long long now) {
    bool cut = code == CHATGPTT_E_IO || code == CHATGPTT_E_CLOSED || code == CHATGPTT_E_HTTP ||
               code == CHATGPTT_E_TLS || (code == CHATGPTT_E_TIMEOUT && s->grace != LLONG_MAX);
    cgt_verdict v;
    if (cut && s->reply && (v = cgt_reply_broke(s->reply)).code != CHATGPTT_OK)
        code = cgt_stream_settle(s, v, now);
    return code;
}

/* TELL: hands body bytes to the reply until it tells something. The grace runs from finish_reason on, anew
   with each event; without any text there is none. Once text is out, nothing is asked again. */
static chatgptt_code cgt_stream_tell(chatgptt_stream *s, chatgptt_event *event, long long now) {
    cgt_reply *r = s->reply; size_t used = 0; cgt_verdict v;
    (void)cgt_reply_feed(r, s->body, s->body_len, &used); s->body += used; s->body_len -= used;
    if (r->event == CGT_REPLY_END) return cgt_stream_settle(s, cgt_reply_verdict(r), now);
    if (r->event == CGT_REPLY_NONE) {
        v = cgt_reply_verdict(r);
        if (s->body_len == 0) s->state = CGT_STREAM_RUN;
        if (v.finished && v.texted && (s->grace == LLONG_MAX || v.events != s->events)) {
            s->grace = now + CGT_GRACE_MS; s->events = v.events;
        }
        return CHATGPTT_OK;
    }
    event->kind = r->event == CGT_REPLY_TEXT ? CHATGPTT_TEXT : CHATGPTT_NOTICE;
    event->text = r->piece.at; event->len = r->piece.len;
    if (event->kind == CHATGPTT_NOTICE) return CHATGPTT_OK;
    s->stats.text_bytes += event->len;
    if (s->stats.first_text_ms >= 0) return CHATGPTT_OK;
    s->stats.first_text_ms = cgt_until(now, s->started);
    if (!s->turns) cgt_buffer_free(&s->message);
    return CHATGPTT_OK;
}

/* ---- RUN ---- */

/* The head is complete: room for what the body is read into. */
static chatgptt_code cgt_stream_head(chatgptt_stream *s) {
    const cgt_exchange *x = &s->x; const chatgptt_options *o = &s->client->options;
    if (x->coded || x->in.coding_left)
        return cgt_fail(&s->error, CHATGPTT_E_UNSUPPORTED, "%b sends a compressed body though identity was "
                        "asked for", cgt_stream_host(s));
    if (s->goal == CGT_GOAL_PAGE) s->page = (cgt_page *)cgt_new(x->pool->hooks, sizeof *s->page);
    else s->reply = (cgt_reply *)cgt_new(x->pool->hooks, sizeof *s->reply);
    if (s->page) {
        cgt_page_init(s->page, o->bot_id, o->dialect, o->nonce_pattern, o->post_id_pattern);
        cgt_page_at(s->page, x->url.path);
    } else if (s->reply) {
        cgt_reply_init(s->reply, x->pool->hooks, o->max_event_bytes, cgt_goals[s->goal].asked);
        cgt_reply_head(s->reply, x->in.status, cgt_text(x->type), x->challenged);
    } else return cgt_fail(&s->error, CHATGPTT_E_MEMORY, "out of memory for a response");
    return CHATGPTT_OK;
}

/* The body ends with its exchange, or where the end mark is all that is missing and the grace is over. */
static chatgptt_code cgt_stream_run(chatgptt_stream *s, long long now) {
    chatgptt_code code = cgt_exchange_step(&s->x, now); cgt_slice piece = s->x.piece;
    if (code < 0) return cgt_stream_broke(s, code, now);
    if (code == CHATGPTT_AGAIN && now < s->grace) return code;
    if (s->x.event == CGT_X_STATUS) return cgt_stream_head(s);
    if (s->x.event == CGT_X_PIECE) {
        if (!s->reply && cgt_stream_ok(s)) cgt_page_feed(s->page, piece.at, piece.len);
        else if (!s->reply) cgt_said_feed(&s->page->said, piece);
        else {
            s->body = s->x.buffer + (piece.at - s->x.buffer); s->body_len = piece.len;
            s->state = CGT_STREAM_TELL;
        }
        return CHATGPTT_OK;
    }
    if (s->page) return cgt_stream_page_end(s, now);
    cgt_reply_eof(s->reply);
    return cgt_stream_settle(s, cgt_reply_verdict(s->reply), now);
}

/* ---- step, next, want ---- */

/* Sets the result once and for all. The connection stays until finish(), so that a loop can take its
   descriptor out. */
static chatgptt_code cgt_stream_over(chatgptt_stream *s, chatgptt_code code, long long now) {
    if (code == CHATGPTT_DONE) memset(&s->error, 0, sizeof s->error);
    else if (s->x.state != CGT_X_ENDED) s->x.state = CGT_X_FAILED;
    if (code <= CHATGPTT_E_STATUS && code >= CHATGPTT_E_REPLY && !s->error.http_status)
        s->error.http_status = s->x.in.status;
#ifdef CHATGPTT_SHORT_ERRORS
    if (code < 0) cgt_line_add(s->error.message, sizeof s->error.message, cgt_text(": "));
    if (code < 0) cgt_line_add(s->error.message, sizeof s->error.message, cgt_stream_host(s));
#endif
    if (s->x.pool) cgt_exchange_stop(&s->x, s->body_len);
    s->last = code; s->state = CGT_STREAM_OVER; s->stats.total_ms = cgt_until(now, s->started);
    cgt_stream_drop_bodies(s); cgt_trace(&s->client->hooks, "end", cgt_text(chatgptt_code_name(code)));
    return code;
}

CHATGPTT_API chatgptt_code chatgptt_step(chatgptt_stream *stream, chatgptt_event *event) {
    chatgptt_stream *s = stream; int turns = CHATGPTT_MAX_PAUSE * 16;
    chatgptt_code code = CHATGPTT_OK; long long now;
    if (!s || !event) return CHATGPTT_E_ARGUMENT;
    memset(event, 0, sizeof *event);
    if (s->state == CGT_STREAM_OVER) return s->last;
    now = cgt_now(&s->client->hooks);
    while (code == CHATGPTT_OK && !event->text && turns-- > 0)
        switch (s->state) {
        case CGT_STREAM_PLAN: code = cgt_stream_plan(s, now); break;
        case CGT_STREAM_RUN: code = cgt_stream_run(s, now); break;
        case CGT_STREAM_TELL: code = cgt_stream_tell(s, event, now); break;
        default: code = cgt_fail(&s->error, CHATGPTT_E_CANCELLED, "cancelled");
        }
    if (code != CHATGPTT_OK && code != CHATGPTT_AGAIN) return cgt_stream_over(s, code, now);
    s->last = code;
    return event->text ? CHATGPTT_OK : CHATGPTT_AGAIN;      /* no event, though OK: the caller may breathe */
}

CHATGPTT_API chatgptt_wait chatgptt_want(const chatgptt_stream *stream) {
    const chatgptt_stream *s = stream; long long now; chatgptt_wait w;
    memset(&w, 0, sizeof w);
    if (s) w.generation = s->x.generation;
    if (!s || !s->x.pool) return w;
    now = cgt_now(&s->client->hooks); w = cgt_exchange_want(&s->x, now);
    if (s->last != CHATGPTT_AGAIN || s->state == CGT_STREAM_CANCELLED) w.timeout_ms = 0;
    else if (s->grace != LLONG_MAX && (w.timeout_ms < 0 || cgt_until(s->grace, now) < w.timeout_ms))
        w.timeout_ms = cgt_until(s->grace, now);
    return w;
}

CHATGPTT_API chatgptt_code chatgptt_next(chatgptt_stream *stream, chatgptt_event *event) {
    chatgptt_stream *s = stream; chatgptt_wait w; chatgptt_code code;
    for (;;) {
        if (s && s->on_tick && s->on_tick(s->tick_user)) chatgptt_cancel(s);
        code = chatgptt_step(s, event);
        if (code != CHATGPTT_AGAIN) return code;
        w = chatgptt_want(s);
        if (s->on_tick && (w.timeout_ms < 0 || w.timeout_ms > CGT_TICK_MS)) w.timeout_ms = CGT_TICK_MS;
        code = cgt_pool_wait(s->x.pool, &w);
        if (code < 0) return cgt_stream_over(s, cgt_fail(&s->error, code, "waiting failed"),
                                             cgt_now(&s->client->hooks));
    }
}

CHATGPTT_API void chatgptt_cancel(chatgptt_stream *stream) {
    if (stream && stream->state != CGT_STREAM_OVER) stream->state = CGT_STREAM_CANCELLED;
}

CHATGPTT_API const chatgptt_error *chatgptt_stream_error(const chatgptt_stream *stream) {
    static const chatgptt_error no_stream = { CHATGPTT_E_ARGUMENT, 0, 0, 0,
        "no stream: chatgptt_start() failed; chatgptt_client_error() says why" };
    return stream ? &stream->error : &no_stream;
}

CHATGPTT_API const chatgptt_stats *chatgptt_stream_stats(const chatgptt_stream *s) { return &s->stats; }

CHATGPTT_API void chatgptt_finish(chatgptt_stream *stream) {
    chatgptt_stream *s = stream; chatgptt_client *c;
    if (!s) return;
    c = s->client; *s->at = s->next;
    if (s->next) s->next->at = s->at;
    cgt_exchange_free(&s->x, cgt_now(&c->hooks)); cgt_stream_drop_bodies(s);
    cgt_tokens_drop(&c->hooks, s->tokens); cgt_buffer_free(&s->message);
    cgt_free(&c->hooks, s->turns, s->turns_size); cgt_free(&c->hooks, s, sizeof *s);
    if (!c->streams) cgt_exchange_rest(&c->pool);
}

/* ==== [CLIENT] ==== */

/* What streams share, and the calls that block until an answer is whole. */

CHATGPTT_API const char *chatgptt_code_name(chatgptt_code code) {     /* the text stands behind it */
#define CHATGPTT_X(name, value, text) if (code == CHATGPTT_##name) return #name "\0" text;
    CHATGPTT_CODES(CHATGPTT_X)
#undef CHATGPTT_X
    return "?\0?";
}

CHATGPTT_API const char *chatgptt_code_text(chatgptt_code code) {
    return strchr(chatgptt_code_name(code), '\0') + 1;
}

CHATGPTT_API const char *chatgptt_model(size_t index) {
    return index < sizeof cgt_models / sizeof *cgt_models ? cgt_models[index] : NULL;
}

static chatgptt_code cgt_check_model(chatgptt_error *error, const char *model) {
    if (!model || cgt_among(model, cgt_models)) return CHATGPTT_OK;
    return cgt_fail(error, CHATGPTT_E_MODEL, "unknown model \"%s\": use gpt-4o, gpt-4 or gpt-4o-mini", model);
}

/* ---- open ---- */

static chatgptt_code cgt_fill_hooks(chatgptt_hooks *h, const chatgptt_transport *t, chatgptt_error *error) {
    bool whole = t->open && t->read && t->write && t->want && t->wait && t->close;
    const char *missing = whole ? NULL : "a function of transport";
#ifndef CHATGPTT_NO_NET
    if (!h->now_ms) h->now_ms = cgt_builtin_now_ms;
    if (!h->unix_time) h->unix_time = cgt_builtin_unix_time;
    if (!h->random) h->random = cgt_builtin_random;
    if (!t->open && !t->read && !t->write && !t->want && !t->wait && !t->close) return CHATGPTT_OK;
#else
    if (!h->random) missing = "hooks.random";
    if (!h->unix_time) missing = "hooks.unix_time";
    if (!h->now_ms) missing = "hooks.now_ms";
#endif
    return missing ? cgt_fail(error, CHATGPTT_E_ARGUMENT, "the options lack %s", missing) : CHATGPTT_OK;
}

#define CGT_OR(field, value) if (o->field == 0) o->field = (value)

static void cgt_fill_options(chatgptt_options *o) {
    CGT_OR(user_agent, "Mozilla/5.0 (compatible; chatgptt.h/" CHATGPTT_VERSION ")");
    CGT_OR(connect_timeout_ms, 15000); CGT_OR(idle_timeout_ms, 150000); CGT_OR(total_timeout_ms, 600000);
    CGT_OR(max_redirects, 10); CGT_OR(max_page_bytes, (size_t)8 << 20);
    CGT_OR(max_header_bytes, (size_t)64 << 10); CGT_OR(max_event_bytes, (size_t)256 << 10);
}

#undef CGT_OR

/* The option strings, for what is done to all of them. kind: m may hold line ends; t, a token; p, a pattern;
   the others are one line. */
#define CGT_STRING(field, kind) { #field, offsetof(chatgptt_options, field), kind }
static const struct { const char *name; size_t at; char kind; } cgt_strings[] = {
    CGT_STRING(ca_pem, 'm'), CGT_STRING(url, 'l'), CGT_STRING(endpoint, 'l'), CGT_STRING(bot_id, 't'),
    CGT_STRING(client_id, 't'), CGT_STRING(model, 'l'), CGT_STRING(proxy, 'l'), CGT_STRING(user_agent, 'l'),
    CGT_STRING(address, 'l'), CGT_STRING(nonce_pattern, 'p'), CGT_STRING(post_id_pattern, 'p'),
    CGT_STRING(ca_file, 'l') };
enum { CGT_NUM_STRINGS = sizeof cgt_strings / sizeof *cgt_strings };

static const char **cgt_string(chatgptt_options *o, size_t i) {
    return (const char **)(void *)((char *)o + cgt_strings[i].at);
}

/* Checks them, and makes them the client's own. */
static chatgptt_code cgt_take_strings(chatgptt_client *c) {
    chatgptt_options *o = &c->options; chatgptt_error *e = &c->error; cgt_pattern pattern;
    const char *why; size_t i, at; char *to;
    for (i = 0; i < CGT_NUM_STRINGS; i++) {
        const char *text = *cgt_string(o, i), *name = cgt_strings[i].name; char kind = cgt_strings[i].kind;
        if (!text) continue;
        if (kind != 'm' && cgt_has_control(cgt_text(text)))
            return cgt_fail(e, CHATGPTT_E_ARGUMENT, "%s (%b) holds a control character", name,
                            cgt_url_place(cgt_text(text)));
        if (kind == 't' && (*text == '\0' || strlen(text) >= CHATGPTT_MAX_TOKEN))
            return cgt_fail(e, CHATGPTT_E_ARGUMENT, "%s: empty, or longer than CHATGPTT_MAX_TOKEN", name);
        if (kind == 'p' && !cgt_pattern_compile(&pattern, cgt_text(text), &at, &why))
            return cgt_fail(e, CHATGPTT_E_ARGUMENT, "%s: %s, at position %z", name, why, at);
        c->strings_size = cgt_sum(c->strings_size, strlen(text) + 1);
    }
    to = c->strings = (char *)cgt_resize(&c->hooks, NULL, 0, c->strings_size);
    if (!to) return cgt_fail(e, CHATGPTT_E_MEMORY, "out of memory for a client");
    for (i = 0; i < CGT_NUM_STRINGS; i++) {
        const char **text = cgt_string(o, i); size_t size = *text ? strlen(*text) + 1 : 0;
        if (size) *text = (char *)memcpy(to, *text, size);
        to += size;
    }
    return CHATGPTT_OK;
}

/* A UUID of version 4 (RFC 9562 section 5.4), as browsers send, of 16 random bytes. */
static void cgt_put_uuid(const unsigned char *bytes, char out[CGT_UUID_SIZE]) {
    size_t i;
    for (i = 0; i < 16; i++) {
        unsigned byte = i == 6 ? bytes[i] % 16 + 0x40u : i == 8 ? bytes[i] % 64 + 0x80u : bytes[i];
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = "0123456789abcdef"[byte >> 4]; *out++ = "0123456789abcdef"[byte & 15];
    }
    *out = '\0';
}

/* A client id as the site's own page makes it: random, and then kept, since it is what quotas are counted by.
   */
static chatgptt_code cgt_make_ids(chatgptt_client *c) {
    const char *given = c->options.client_id; char uuid[CGT_UUID_SIZE];
    if ((c->hooks.random)(c->hooks.user, c->random, sizeof c->random) != CHATGPTT_OK)
        return cgt_fail(&c->error, CHATGPTT_E_IO, "no random bytes to be had: give hooks.random");
    cgt_put_uuid(c->random + 16, c->session_id); cgt_put_uuid(c->random + 32, uuid);
    memcpy(c->client_id, uuid, 8); memcpy(c->client_id + 8, uuid + 9, 2);   /* ten digits, past the dash */
    if (!given) return CHATGPTT_OK;
    (void)cgt_fixed_set(c->client_id, sizeof c->client_id, cgt_text(given));
    c->session_id[0] = '\0';                /* AIPKIT knows its guests by session, of 64 bytes at most */
    cgt_line_add(c->session_id, sizeof c->session_id, cgt_text(given));
    return CHATGPTT_OK;
}

/* Parses a URL that the caller gave. */
static chatgptt_code cgt_given_url(chatgptt_client *c, cgt_url *url, cgt_slice text, const char *name) {
    const char *why; cgt_slice user; chatgptt_code code = cgt_url_parse(url, &c->hooks, text, &user, &why);
    if (code < 0) return cgt_fail(&c->error, code, "%s (%b) is no URL: %s", name, cgt_url_place(text), why);
    if (!user.len) return url->https ? cgt_pool_trust(&c->pool, &c->error) : CHATGPTT_OK;
    return cgt_fail(&c->error, CHATGPTT_E_UNSUPPORTED, "%s (%b) holds a user name: not supported for a site",
                    name, url->authority);
}

/* The page of an endpoint that stands alone is its site's front page. */
static chatgptt_code cgt_setup_urls(chatgptt_client *c) {
    const char *url = c->options.url, *endpoint = c->options.endpoint;
    if (endpoint && cgt_given_url(c, &c->endpoint, cgt_text(endpoint), "endpoint") < 0) return c->error.code;
    return cgt_given_url(c, &c->home, endpoint && !url ? c->endpoint.origin
                         : cgt_text(url ? url : "https://chatgptt.me"), "url");
}

/* The options are in place, but their strings are still the caller's. The error says what is wrong. */
static chatgptt_code cgt_setup(chatgptt_client *c) {
    chatgptt_options *o = &c->options; chatgptt_error *e = &c->error;
    cgt_fill_options(o);
#if defined(CHATGPTT_ONLY_WPAICG) || defined(CHATGPTT_ONLY_AIPKIT)
    if (o->dialect == (CGT_HAS_WPAICG ? CHATGPTT_AIPKIT : CHATGPTT_WPAICG))
        return cgt_fail(e, CHATGPTT_E_UNSUPPORTED, "dialect: this generation of the plugin is not built in");
    o->dialect = CGT_HAS_WPAICG ? CHATGPTT_WPAICG : CHATGPTT_AIPKIT;
#endif
    if (cgt_fill_hooks(&c->hooks, &o->transport, e) < 0 || cgt_take_strings(c) < 0 ||
        cgt_check_model(e, o->model) < 0) return e->code;
    c->site.bot_id = c->site.bot_name = c->site.greeting = c->site.provider = c->site.consent = "";
    c->pool.transport = o->transport; c->pool.options = o;
#ifndef CHATGPTT_NO_NET
    c->pool.net.hooks = &c->hooks; c->pool.net.address = o->address; c->pool.net.resolve_ms = -1;
    if (!o->transport.open) c->pool.transport = cgt_net_transport(&c->pool.net);
#endif
    if (o->proxy && cgt_pool_set_proxy(&c->pool, cgt_text(o->proxy), e) < 0) return e->code;
    return cgt_setup_urls(c) < 0 ? e->code : cgt_make_ids(c);
}

CHATGPTT_API void chatgptt_close(chatgptt_client *client) {
    if (!client) return;
    while (client->streams) chatgptt_finish(client->streams);
    cgt_pool_close(&client->pool); cgt_jar_free(&client->cookies);
    cgt_url_free(&client->home); cgt_url_free(&client->endpoint);
    cgt_tokens_drop(&client->hooks, client->tokens);
    cgt_free(&client->hooks, client->strings, client->strings_size);
    cgt_free(&client->hooks, client, sizeof *client);
}

CHATGPTT_API chatgptt_client *chatgptt_open(const chatgptt_options *options, chatgptt_error *error) {
    chatgptt_options o; chatgptt_client *c;
    if (error) memset(error, 0, sizeof *error);
    memset(&o, 0, sizeof o);
    if (options) o = *options;
    if (!o.hooks.resize) o.hooks.resize = cgt_builtin_resize;
    c = (chatgptt_client *)cgt_new(&o.hooks, sizeof *c);
    if (!c && error) cgt_fail(error, CHATGPTT_E_MEMORY, "out of memory for a client");
    if (!c) return NULL;
    c->options = o; c->hooks = o.hooks; c->cookies.hooks = c->pool.login.hooks = c->pool.hooks = &c->hooks;
    c->home.text.hooks = c->endpoint.text.hooks = c->pool.proxy.text.hooks = &c->hooks;
    if (cgt_setup(c) == CHATGPTT_OK) return c;
    if (error) *error = c->error;
    chatgptt_close(c);
    return NULL;
}

CHATGPTT_API const chatgptt_site *chatgptt_client_site(const chatgptt_client *c) { return &c->site; }

CHATGPTT_API const chatgptt_error *chatgptt_client_error(const chatgptt_client *client) {
    static const chatgptt_error no_client = { CHATGPTT_E_ARGUMENT, 0, 0, 0,
        "no client: chatgptt_open() failed; its error parameter says why" };
    return client ? &client->error : &no_client;
}

/* ---- start: what is asked is checked before anything is sent ---- */

static chatgptt_code cgt_bad(chatgptt_error *e, const char *s) { return cgt_fail(e, CHATGPTT_E_ARGUMENT, s); }

static bool cgt_says_nothing(cgt_slice text) { return cgt_all_blank(text) || cgt_is(cgt_trim(text), "0"); }

/* In a conversation the last turn is what is asked, and must be the user's; system messages are no turns. */
static chatgptt_code cgt_check_request(chatgptt_error *e, const chatgptt_request *r) {
    const chatgptt_message *m = r->messages; const char *what = NULL; bool said = false;
    size_t i, count = m ? r->num_messages : 0, turns = r->conversation ? count : 0;
    if (cgt_check_model(e, r->model) < 0) return e->code;
    if (count == 0) return cgt_bad(e, "no message: set prompt, or messages and num_messages");
    for (i = 0; i < count; i++) {
        cgt_slice text = cgt_message_text(&m[i]);
        if (!m[i].text) what = "message %z has no text";
        else if ((unsigned)m[i].role > CHATGPTT_SYSTEM) what = "message %z has no known role";
        else if (memchr(text.at, '\0', text.len)) what = "message %z holds a NUL";
        else if (!cgt_utf8_valid(text)) what = "message %z: not UTF-8, which the site takes for an empty one";
        if (what) return cgt_fail(e, CHATGPTT_E_ARGUMENT, what, i);
        said = said || !(count == 1 ? cgt_says_nothing : cgt_all_blank)(text);
    }
    while (turns && m[turns - 1].role == CHATGPTT_SYSTEM) turns--;
    if (turns && m[turns - 1].role != CHATGPTT_USER)
        return cgt_bad(e, "the last message of a conversation must be the user's");
    if (said && !(turns && cgt_says_nothing(cgt_message_text(&m[turns - 1])))) return CHATGPTT_OK;
    return cgt_bad(e, "the message is empty or \"0\", which the site takes for nothing: nothing was sent");
}

/* ---- conversations ---- */

/* No site takes system messages apart: they stand in front of the user's first turn. */
static void cgt_put_system(cgt_buffer *b, const chatgptt_message *m, size_t count) {
    for (; count; count--, m++) {
        cgt_slice text = cgt_message_text(m);
        if (m->role == CHATGPTT_SYSTEM && !cgt_all_blank(text)) { cgt_append(b, text); cgt_puts(b, "\n\n"); }
    }
}

/* Copies the turns of a conversation. Nothing but system messages: then they are what is asked. */
static void cgt_stream_copy_turns(chatgptt_stream *s, const chatgptt_message *messages, size_t count) {
    size_t i, at = 0, before; int asked = 0; cgt_buffer *b = &s->message;
    s->turns_size = count * sizeof *s->turns;       /* no overflow: the caller's array is larger */
    s->turns = (chatgptt_message *)cgt_new(&s->client->hooks, s->turns_size);
    if (!s->turns) { b->failed = CHATGPTT_E_MEMORY; return; }
    for (i = 0; i < count; i++) {
        cgt_slice text = cgt_message_text(&messages[i]); chatgptt_message *turn = &s->turns[s->num_turns];
        if (messages[i].role == CHATGPTT_SYSTEM || cgt_all_blank(text)) continue;
        before = b->len; turn->role = messages[i].role; s->num_turns++;
        if (turn->role == CHATGPTT_USER && asked++ == 0) cgt_put_system(b, messages, count);
        cgt_append(b, text);
        turn->len = b->len - before;
    }
    if (!s->num_turns) {
        cgt_put_system(b, messages, count);
        if (b->len >= 2) b->len -= 2;               /* the blank line behind the last */
        s->turns[s->num_turns++].len = b->len;
    }
    for (i = 0; i < s->num_turns && !b->failed; at += s->turns[i++].len)
        s->turns[i].text = b->data + at;            /* only now does the text stay where it is */
}

/* Reads the caller's conversation, or begins one: its ids are made now. Without one, the message is a
   conversation of its own. */
static chatgptt_code cgt_stream_open_memory(chatgptt_stream *s, chatgptt_conversation *conversation) {
    chatgptt_client *c = s->client; cgt_memory *m = &s->memory; size_t i;
    const unsigned char *at = conversation ? conversation->opaque : NULL;
    s->conversation = conversation;
    if (at && (*at || memcmp(at, at + 1, sizeof conversation->opaque - 1) != 0)) {      /* not all zero */
        memcpy(m, at, sizeof *m);
        if (cgt_memory_ok(m)) return CHATGPTT_OK;
        return cgt_bad(&c->error, "the conversation's bytes are damaged: zero them for a new one");
    }
    memcpy(m->magic, cgt_memory_magic, sizeof m->magic);
    memcpy(m->session_id, c->session_id, sizeof c->session_id);
    for (i = 15; ++c->random[i] == 0 && i; i--) {}      /* the number before plus one: no other has it */
    cgt_put_uuid(c->random, m->conversation_id);
    return CHATGPTT_OK;
}

static chatgptt_code cgt_stream_setup(chatgptt_stream *s, const chatgptt_request *r) {
    chatgptt_client *c = s->client; chatgptt_stats *t = &s->stats;
    s->goal = CGT_GOAL_START; s->on_tick = r->on_tick; s->tick_user = r->tick_user;
    s->started = cgt_now(&c->hooks); s->grace = LLONG_MAX;
    t->resolve_ms = t->connect_ms = t->tls_ms = t->page_ms = t->first_text_ms = t->total_ms = -1;
    cgt_buffer_init(&s->message, &c->hooks, CHATGPTT_MAX_REQUEST);
    if (!r->conversation) cgt_fold(&s->message, r->messages, r->num_messages);
    else cgt_stream_copy_turns(s, r->messages, r->num_messages);
    if (!s->message.failed) return cgt_stream_open_memory(s, r->conversation);
    return cgt_fail(&c->error, s->message.failed, s->message.failed == CHATGPTT_E_MEMORY
                    ? "out of memory for a stream"
                    : "the message is longer than CHATGPTT_MAX_REQUEST: shorten it, or leave out old turns");
}

CHATGPTT_API chatgptt_stream *chatgptt_start(chatgptt_client *client, const chatgptt_request *request) {
    chatgptt_request r; chatgptt_stream *s; chatgptt_error *e; chatgptt_message prompt;
    if (!client) return NULL;
    e = &client->error; memset(e, 0, sizeof *e);
    if (!request) { cgt_bad(e, "no request"); return NULL; }
    r = *request;
    if (r.prompt && r.num_messages) cgt_bad(e, "give either prompt or messages, not both");
    prompt.role = CHATGPTT_USER; prompt.text = r.prompt; prompt.len = 0;
    if (r.prompt) { r.messages = &prompt; r.num_messages = 1; }
    if (e->code || cgt_check_request(e, &r) < 0) return NULL;
    s = (chatgptt_stream *)cgt_new(&client->hooks, sizeof *s);
    if (!s) { cgt_fail(e, CHATGPTT_E_MEMORY, "out of memory for a stream"); return NULL; }
    s->client = client; s->next = client->streams; s->at = &client->streams;
    client->streams = s;
    if (s->next) s->next->at = &s->next;
    if (cgt_stream_setup(s, &r) == CHATGPTT_OK) return s;
    chatgptt_finish(s);
    return NULL;
}

/* ---- blocking calls ---- */

CHATGPTT_API chatgptt_code chatgptt_chat(chatgptt_client *client, const chatgptt_request *request,
                                         chatgptt_text_fn *on_text, void *user) {
    chatgptt_stream *stream = chatgptt_start(client, request); chatgptt_event event; chatgptt_code code;
    if (!stream) return chatgptt_client_error(client)->code;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT && on_text && on_text(user, event.text, event.len))
            chatgptt_cancel(stream);
    client->error = stream->error; chatgptt_finish(stream);
    return code;
}

static int cgt_collect(void *user, const char *text, size_t len) {
    cgt_append((cgt_buffer *)user, cgt_slice_of(text, len));
    return ((cgt_buffer *)user)->failed != CHATGPTT_OK;
}

/* The size of the block stands before the text, for chatgptt_free(). */
CHATGPTT_API char *chatgptt_ask(chatgptt_client *client, const char *prompt) {
    chatgptt_request request; cgt_buffer b; size_t size = 0;
    if (!client) return NULL;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    cgt_buffer_init(&b, &client->hooks, SIZE_MAX / 4);
    cgt_append(&b, cgt_slice_of((const char *)&size, sizeof size));
    if (!b.failed) chatgptt_chat(client, &request, cgt_collect, &b);
    if (b.failed) cgt_fail(&client->error, b.failed, "out of memory for the answer");
    if (client->error.code || !b.data) { cgt_buffer_free(&b); return NULL; }
    memcpy(b.data, &b.size, sizeof b.size);
    return b.data + sizeof size;
}

CHATGPTT_API void chatgptt_free(chatgptt_client *client, char *text) {
    size_t size;
    if (!client || !text) return;
    memcpy(&size, text - sizeof size, sizeof size); cgt_free(&client->hooks, text - sizeof size, size);
}

/* ==== [STATE] ==== */

/* The client as bytes: records of a tag, a length of four bytes, the lowest first, and that many bytes,
   behind a magic and before a checksum. Numbers are decimal texts. The bytes may come from anywhere, so
   load() reads them into a draft and takes that over only if all of it is in order. */

static const char cgt_state_magic[] = "cgptst2\n";

/* Texts, one record each: the tokens' in their order, the client's two ids, addresses, numbers. */
enum { CGT_S_CLIENT = CGT_TEXTS, CGT_S_SESSION, CGT_S_HOME, CGT_S_PAGE, CGT_S_ENDPOINT, CGT_S_DIALECT,
       CGT_S_TIME, CGT_S_LIMIT, CGT_S_FLAGS, CGT_STATE_TEXTS, CGT_NUMBERS = CGT_STATE_TEXTS - CGT_S_DIALECT };
static const char cgt_text_tags[] = "nibNGPCcshpedtlf";
enum { CGT_TAG_COOKIE = 'k', CGT_TAG_TLS = 'T', CGT_TAG_END = '.' };

/* The same host, or one of the other's domain (www.). */
static bool cgt_related(cgt_slice a, cgt_slice b) { return cgt_domain_holds(a, b) || cgt_domain_holds(b, a); }

/* Whether a state of this client may send messages to `url`: not by http in place of https, nor elsewhere. */
static bool cgt_state_near(const chatgptt_client *c, const cgt_url *url) {
    return url->whole.len == 0 || ((url->https || !c->home.https) &&
                                   cgt_related(cgt_text(c->home.host), cgt_text(url->host)));
}

/* Whether tokens with these addresses may be kept and taken over. An endpoint elsewhere counts only where the
   options name it, since what a page named cannot be told from what was planted. */
static bool cgt_state_fits(const chatgptt_client *c, const cgt_url *page, const cgt_url *endpoint) {
    if (!cgt_state_near(c, page) || endpoint->whole.len == 0) return false;
    return c->endpoint.whole.len ? cgt_same(c->endpoint.whole, endpoint->whole) : cgt_state_near(c, endpoint);
}

/* ---- save ---- */

static void cgt_put_record_head(cgt_buffer *b, char tag, size_t len) {
    int i;
    cgt_putc(b, tag);
    for (i = 0; i < 4; i++) cgt_putc(b, (char)(len >> (8 * i) & 0xFF));
}

static void cgt_put_record(cgt_buffer *b, char tag, cgt_slice s) {
    if (s.len) { cgt_put_record_head(b, tag, s.len); cgt_append(b, s); }
}

/* A record of its fields, each ended by a NUL, which none can hold. Cookies of hosts on the way are not kept.
   */
static void cgt_save_cookies(const chatgptt_client *c, cgt_buffer *b) {
    const cgt_cookie *k; char head[25]; size_t i, len;
    for (k = c->cookies.first; k; k = k->next) {
        cgt_slice fields[] = { cgt_slice_of(head, 1), k->name, k->value, k->domain, k->path };
        if (k->until <= cgt_unix(c) || !cgt_related(cgt_text(c->home.host), k->domain)) continue;
        head[0] = (char)('0' + k->host_only + 2 * k->secure);
        if (k->until != LLONG_MAX) fields[0].len += cgt_digits(head + 1, (unsigned long long)k->until);
        for (i = len = 0; i < 5; i++) len += fields[i].len + 1;
        cgt_put_record_head(b, CGT_TAG_COOKIE, len);
        for (i = 0; i < 5; i++) { cgt_append(b, fields[i]); cgt_putc(b, '\0'); }
    }
}

static void cgt_save_texts(const chatgptt_client *c, cgt_buffer *b) {
    const cgt_tokens *t = c->tokens; cgt_slice text[CGT_STATE_TEXTS]; char digits[CGT_NUMBERS][24]; size_t i;
    memset(text, 0, sizeof text);
    text[CGT_S_HOME] = c->home.whole; text[CGT_S_CLIENT] = cgt_text(c->client_id);
    text[CGT_S_SESSION] = cgt_text(c->session_id);
    if (t && cgt_state_fits(c, &t->page, &t->endpoint)) {
        const long long number[CGT_NUMBERS] = { t->dialect, t->time, t->memory_limit,
            t->is | (c->no_nonce_action ? (unsigned)CGT_NO_NONCE_ACTION : 0u) };
        for (i = 0; i < CGT_TEXTS; i++) text[i] = cgt_text(t->text[i]);
        text[CGT_S_PAGE] = t->page.whole; text[CGT_S_ENDPOINT] = t->endpoint.whole;
        for (i = 0; i < CGT_NUMBERS; i++)
            text[CGT_S_DIALECT + i] = cgt_slice_of(digits[i], cgt_digits(digits[i],
                number[i] < 0 ? 0 : (unsigned long long)number[i]));
    }
    for (i = 0; i < CGT_STATE_TEXTS; i++) cgt_put_record(b, cgt_text_tags[i], text[i]);
}

CHATGPTT_API size_t chatgptt_save(const chatgptt_client *client, void *buffer, size_t size) {
    const chatgptt_client *c = client; cgt_buffer b; size_t n; char sum[24];
    if (!c) return 0;
    cgt_buffer_init(&b, &c->hooks, CHATGPTT_MAX_STATE); cgt_puts(&b, cgt_state_magic); cgt_save_texts(c, &b);
    if (c->tokens) cgt_save_cookies(c, &b);
#ifndef CHATGPTT_NO_TLS
    for (n = 0; c->pool.trust && n < CGT_SESSIONS; n++) {
        cgt_buffer text;
        cgt_buffer_init(&text, &c->hooks, CHATGPTT_MAX_CERTIFICATE);
        if (cgt_session_save(c->pool.trust, n, &text))
            cgt_put_record(&b, CGT_TAG_TLS, cgt_slice_of_buffer(&text));
        if (text.failed == CHATGPTT_E_MEMORY) b.failed = text.failed;
        cgt_buffer_free(&text);
    }
#endif
    n = cgt_digits(sum, cgt_fnv(0, cgt_slice_of_buffer(&b)) >> 1);
    cgt_put_record(&b, CGT_TAG_END, cgt_slice_of(sum, n));
    n = b.failed ? 0 : b.len;
    if (n && n <= size && buffer) memcpy(buffer, b.data, n);
    if (b.failed)           /* all else of the client stays as it was */
        cgt_fail(&((chatgptt_client *)(size_t)c)->error, b.failed,
                 "the state cannot be saved: %s (CHATGPTT_MAX_STATE)", cgt_buffer_why(&b));
    cgt_buffer_free(&b);
    return n;
}

/* ---- load ---- */

typedef struct cgt_draft {          /* what a state says, as far as it is in order; slices lie in its bytes */
    cgt_slice text[CGT_STATE_TEXTS]; cgt_url page, endpoint; cgt_jar cookies; long long number[CGT_NUMBERS];
    bool no_memory;
} cgt_draft;

static bool cgt_load_cookie(const chatgptt_client *c, cgt_draft *d, cgt_slice s) {
    cgt_cookie k; cgt_slice field[5]; int i;
    memset(&k, 0, sizeof k);
    for (i = 0; i < 5; i++) {
        const char *end = (const char *)memchr(s.at, '\0', s.len);
        if (!end) return false;
        field[i] = cgt_slice_of(s.at, (size_t)(end - s.at)); s = cgt_from(s, field[i].len + 1);
    }
    if (s.len || field[0].len == 0 || *field[0].at < '0' || *field[0].at > '3') return false;
    k.host_only = *field[0].at & 1; k.secure = *field[0].at & 2; field[0] = cgt_from(field[0], 1);
    k.until = field[0].len ? cgt_whole_number(field[0], LLONG_MAX - 1) : LLONG_MAX;
    k.name = field[1]; k.value = field[2]; k.domain = field[3]; k.path = field[4];
    if (k.until < 0 || !cgt_cookie_ok(&k) || !cgt_related(cgt_text(c->home.host), k.domain)) return false;
    d->no_memory = !cgt_jar_put(&d->cookies, &k, cgt_unix(c));
    return !d->no_memory;
}

/* One record into the draft. false: it is not in order. */
static bool cgt_load_record(const chatgptt_client *c, cgt_draft *d, char tag, cgt_slice s) {
    static const long long most[] = { CHATGPTT_AIPKIT, LLONG_MAX / 2, 100000, 2 * CGT_NO_NONCE_ACTION - 1 };
    const char *at = tag ? strchr(cgt_text_tags, tag) : NULL, *why;
    size_t i, size = CHATGPTT_MAX_TOKEN; cgt_url *url; cgt_slice user; chatgptt_code code;
    if (!at) return tag == CGT_TAG_COOKIE ? cgt_load_cookie(c, d, s) : tag == CGT_TAG_TLS;
    i = (size_t)(at - cgt_text_tags); d->text[i] = s; url = i == CGT_S_PAGE ? &d->page : &d->endpoint;
    if (i == CGT_T_GREETING || i == CGT_T_CONSENT) size = CHATGPTT_MAX_WORDS;
    if (i == CGT_S_SESSION) size = CGT_SESSION_SIZE;
    if (i < CGT_S_HOME) return !cgt_has_control(s) && cgt_utf8_valid(s) && s.len < size;
    if (i == CGT_S_HOME) return cgt_same(s, c->home.whole);
    if (i >= CGT_S_DIALECT)
        return (d->number[i - CGT_S_DIALECT] = cgt_whole_number(s, most[i - CGT_S_DIALECT])) >= 0;
    cgt_url_free(url); code = cgt_url_parse(url, &c->hooks, s, &user, &why);
    d->no_memory = code == CHATGPTT_E_MEMORY;
    return code == CHATGPTT_OK && user.len == 0;
}

/* Takes the next record off `rest`. false: there is none that is whole. */
static bool cgt_next_record(cgt_slice *rest, char *tag, cgt_slice *s) {
    size_t len = 0; int i;
    if (rest->len < 5) return false;
    *tag = rest->at[0];
    for (i = 4; i >= 1; i--) len = len << 8 | (unsigned char)rest->at[i];
    *rest = cgt_from(*rest, 5);
    if (len > rest->len) return false;
    *s = cgt_slice_of(rest->at, len); *rest = cgt_from(*rest, len);
    return true;
}

static bool cgt_load_draft(const chatgptt_client *c, cgt_draft *d, cgt_slice all) {
    size_t magic = sizeof cgt_state_magic - 1; char tag = 0; cgt_slice rest, s = cgt_text("");
    if (all.len < magic || memcmp(all.at, cgt_state_magic, magic) != 0) return false;
    rest = cgt_from(all, magic);
    while (cgt_next_record(&rest, &tag, &s) && tag != CGT_TAG_END)
        if (!cgt_load_record(c, d, tag, s)) return false;
    if (tag != CGT_TAG_END || rest.len || !d->text[CGT_S_HOME].len) return false;
    all.len -= s.len + 5;
    if (cgt_whole_number(s, LLONG_MAX) != (long long)(cgt_fnv(0, all) >> 1)) return false;
    return cgt_state_near(c, &d->page) && (c->endpoint.whole.len || cgt_state_near(c, &d->endpoint));
}

/* Takes over the draft: its tokens, if they are what these options ask for, and all else. false: out of
   memory. */
static bool cgt_load_all(chatgptt_client *c, cgt_draft *d, cgt_slice rest) {
    const chatgptt_options *o = &c->options; const long long *number = d->number; cgt_tokens like, *t;
    cgt_slice s, id = d->text[CGT_S_CLIENT], session = d->text[CGT_S_SESSION]; cgt_jar jar = c->cookies;
    char tag;
    memset(&like, 0, sizeof like);
    like.dialect = (chatgptt_dialect)number[0]; like.time = number[1]; like.memory_limit = (int)number[2];
    like.is = (unsigned)number[3] % CGT_NO_NONCE_ACTION; like.page = d->page; like.endpoint = d->endpoint;
    if (d->text[CGT_T_NONCE].len && cgt_state_fits(c, &d->page, &d->endpoint) && like.dialect &&
        (!o->dialect || o->dialect == like.dialect) &&
        (like.dialect == CHATGPTT_AIPKIT || d->page.whole.len) &&
        (!o->bot_id || cgt_is(d->text[CGT_T_BOT_ID], o->bot_id))) {
        t = cgt_tokens_new(&c->hooks, &like, d->text, &c->error); d->no_memory = !t;
        if (!t) return false;
        c->no_nonce_action = number[3] & CGT_NO_NONCE_ACTION; cgt_client_store(c, t);
    }
    if (!o->client_id && id.len) (void)cgt_fixed_set(c->client_id, sizeof c->client_id, id);
    if (!o->client_id && session.len) (void)cgt_fixed_set(c->session_id, sizeof c->session_id, session);
    c->cookies = d->cookies; d->cookies = jar;
    rest = cgt_from(rest, sizeof cgt_state_magic - 1);
#ifndef CHATGPTT_NO_TLS
    while (c->pool.trust && cgt_next_record(&rest, &tag, &s))
        if (tag == CGT_TAG_TLS) cgt_session_load(c->pool.trust, s);
#endif
    (void)tag; (void)s;
    return true;
}

CHATGPTT_API chatgptt_code chatgptt_load(chatgptt_client *client, const void *buffer, size_t size) {
    chatgptt_client *c = client; cgt_slice all = cgt_slice_of((const char *)buffer, size);
    cgt_draft *d = (cgt_draft *)cgt_new(&c->hooks, sizeof *d); bool ok = false, no_memory = true;
    memset(&c->error, 0, sizeof c->error);
    if (d) {
        d->page.text.hooks = d->endpoint.text.hooks = d->cookies.hooks = &c->hooks;
        ok = buffer && size <= CHATGPTT_MAX_STATE && cgt_load_draft(c, d, all) && cgt_load_all(c, d, all);
        no_memory = d->no_memory;
        cgt_url_free(&d->page); cgt_url_free(&d->endpoint); cgt_jar_free(&d->cookies);
        cgt_free(&c->hooks, d, sizeof *d);
    }
    if (ok) return CHATGPTT_OK;
    if (no_memory) return cgt_fail(&c->error, CHATGPTT_E_MEMORY, "out of memory for a saved state");
    return cgt_bad(&c->error, "the saved state is damaged or of another site; it was not taken over");
}

/* Nothing private leaks into the file that includes this. */
#undef CGT_ANY
#undef CGT_BREAK_OUT
#undef CGT_DRAWINGS
#undef CGT_HOLD_HTML
#undef CGT_INTO
#undef CGT_LEAF
#undef CGT_NODE
#undef CGT_STOP
#undef CGT_STOP_BLANKS
#undef CGT_STOP_TAG
#undef CGT_STRING
#undef CGT_TLS_PRIVATE
#undef CGT_TLS_VERSION
#undef cgt_fail

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
