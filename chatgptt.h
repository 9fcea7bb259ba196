/* chatgptt.h - 0.1.0 - chat with a web site that runs the WordPress plugin AI Power, as chatgptt.me does.
   One header, C99 or C++11, nothing but a libc and, for https, mbedTLS. Public domain or MIT: see the end of the file.

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
       [BASE]      slices, buffers, memory, the error setter
       [CLOCK]     monotonic time, wall time, random bytes
       [SOCKET]    the built-in transport: resolve, connect, read, write
       [URL]       parse, resolve, percent and form encoding
       [HTTP-OUT]  request head
       [HTTP-IN]   status line, headers, framing
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

/* ---- results: 0 is ok, above 0 is no error, below 0 is an error. One table makes the enum, the names and the texts ---- */

#define CHATGPTT_CODES(X) \
    X(OK, 0, "ok") X(AGAIN, 1, "not yet") X(DONE, 2, "complete") \
    X(E_ARGUMENT, -1, "bad argument") X(E_MEMORY, -2, "out of memory") X(E_LIMIT, -3, "a limit was passed") \
    X(E_TIMEOUT, -4, "timed out") X(E_CANCELLED, -5, "cancelled") X(E_MODEL, -6, "unknown model") \
    X(E_RESOLVE, -7, "name not found") X(E_CONNECT, -8, "cannot connect") X(E_PROXY, -9, "proxy refused") \
    X(E_TLS, -10, "TLS failed") X(E_CERTIFICATE, -11, "certificate not trusted") X(E_IO, -12, "connection broke") \
    X(E_CLOSED, -13, "closed too early") X(E_HTTP, -14, "not valid HTTP/1.1") X(E_STATUS, -15, "unexpected status") \
    X(E_BLOCKED, -16, "blocked by a challenge or firewall") X(E_RATE_LIMITED, -17, "rate or quota limit") \
    X(E_PAGE, -18, "no chat on the page") X(E_NONCE, -19, "token refused") X(E_REFUSED, -20, "refused by the site") \
    X(E_UPSTREAM, -21, "the site's model failed") X(E_REPLY, -22, "reply not understood") \
    X(E_INCOMPLETE, -23, "answer broke off") X(E_UNSUPPORTED, -24, "not supported")

typedef enum chatgptt_code {
#define CHATGPTT_X(name, value, text) CHATGPTT_##name = value,
    CHATGPTT_CODES(CHATGPTT_X)
#undef CHATGPTT_X
} chatgptt_code;

/* What went wrong last. `code` is what the call returned. */
typedef struct chatgptt_error {
    chatgptt_code code;
    int http_status;                /* of the response that was the reason; 0: none */
    int sys_errno;                  /* of the system call that failed; 0: none */
    int tls_code;                   /* mbedTLS's own number; 0: none */
    char message[256];              /* one line, UTF-8: what failed, where, what to do; never a token, cookie or password */
} chatgptt_error;

/* ---- options ---- */

typedef enum chatgptt_dialect {
    CHATGPTT_AUTO,                  /* find out from the page */
    CHATGPTT_WPAICG,                /* plugin AI Power 1.x to 2.2 */
    CHATGPTT_AIPKIT                 /* plugin AI Power 2.3 and later */
} chatgptt_dialect;

typedef enum chatgptt_role { CHATGPTT_USER, CHATGPTT_ASSISTANT, CHATGPTT_SYSTEM } chatgptt_role;

typedef struct chatgptt_message {
    chatgptt_role role;
    const char *text;               /* UTF-8 */
    size_t len;                     /* bytes of text; 0: strlen(text) */
} chatgptt_message;

#define CHATGPTT_READ  1u
#define CHATGPTT_WRITE 2u

/* What a stream waits for: any of on[0..count), or the time. */
typedef struct chatgptt_wait {
    struct { int fd; unsigned events; } on[2];  /* two while two connection attempts race */
    int count;
    int timeout_ms;                 /* call step() again no later than this; 0: now; -1: no limit */
    unsigned generation;            /* changes whenever a descriptor was opened, closed or handed over: register anew */
} chatgptt_wait;

/* Where raw bytes come from: replace it to run over anything. TLS, proxy and reuse lie above it. Only wait() may sleep.
   open() may return before the connection stands: then read and write say AGAIN. Its conn is closed by close() even after errors. */
typedef struct chatgptt_transport {
    chatgptt_code (*open)(void *user, const char *host, const char *port, void **conn);              /* OK, < 0 */
    chatgptt_code (*read)(void *user, void *conn, void *buffer, size_t size, size_t *done);         /* OK, AGAIN, DONE (end), < 0 */
    chatgptt_code (*write)(void *user, void *conn, const void *bytes, size_t size, size_t *done);   /* OK, AGAIN, < 0 */
    chatgptt_wait (*want)(void *user, void *conn);                                                  /* after AGAIN: what to wait for */
    chatgptt_code (*wait)(void *user, const chatgptt_wait *what);                                   /* for blocking calls: OK, < 0 */
    void (*close)(void *user, void *conn);
    void *user;
} chatgptt_transport;

/* What the library asks of its surroundings. NULL: built in (realloc and free, the system's clocks, /dev/urandom, no trace). */
typedef struct chatgptt_hooks {
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);  /* as realloc; new_size 0: free, result ignored */
    long long (*now_ms)(void *user);                                /* monotonic milliseconds */
    long long (*unix_time)(void *user);                             /* seconds since 1970 */
    chatgptt_code (*random)(void *user, void *bytes, size_t size);  /* OK, < 0: none to be had */
    void (*trace)(void *user, const char *what, const char *text, size_t len);
    void *user;
} chatgptt_hooks;

/* Zero it: every zero is the default. Strings are copied by open(). */
typedef struct chatgptt_options {
    const char *url;                /* page that holds the chat; default "https://chatgptt.me" */
    const char *endpoint;           /* default: what the page names, else its origin + /wp-admin/admin-ajax.php */
    chatgptt_dialect dialect;       /* default: found out from the page */
    const char *bot_id;             /* default: the page's first chat */
    const char *client_id;          /* what the site counts quotas by; default: random, once a client */
    const char *model;              /* default: the first of chatgptt_model(); checked, not sent: the site picks its model */
    const char *proxy;              /* http://[user:password@]host[:port], for every request; default: none */
    const char *user_agent;         /* default "Mozilla/5.0 (compatible; chatgptt.h/VERSION)" */
    const char *address;            /* numeric address for every host reached directly; default: looked up */
    const char *nonce_pattern;      /* for the matcher, over the raw page; the caller's wins over everything */
    const char *post_id_pattern;
    const char *ca_file, *ca_pem;   /* trust these roots only; default: the system's store */
    bool insecure;                  /* true: any certificate. Whoever is on the path can read and change the chat */
    int connect_timeout_ms;         /* 15000: from opening a connection to its being ready for the request; -1: none */
    int idle_timeout_ms;            /* 150000: without a byte in or out; -1: none */
    int total_timeout_ms;           /* 600000: from start() to the last byte, retries included; -1: none */
    int max_redirects;              /* 10; -1: follow none */
    size_t max_page_bytes;          /* 8 MiB */
    size_t max_header_bytes;        /* 64 KiB a response, 1xx and trailers included */
    size_t max_event_bytes;         /* 256 KiB: of an event that must be held whole; text that streams through is not held */
    size_t max_reply_bytes;         /* no limit: of a reply's body */
    chatgptt_transport transport;   /* default: sockets */
    chatgptt_hooks hooks;
} chatgptt_options;

/* What the site remembers of a conversation. Zeroed: a new one. Plain bytes: may be copied, saved, and resumed elsewhere. */
typedef struct chatgptt_conversation { unsigned char opaque[512]; } chatgptt_conversation;

/* Zero it. Strings are copied by start(). */
typedef struct chatgptt_request {
    const char *prompt;                         /* one user message; or ... */
    const chatgptt_message *messages;           /* ... all messages, oldest first */
    size_t num_messages;
    const char *model;                          /* default: the client's */
    chatgptt_conversation *conversation;        /* NULL: all is folded into one prompt. Must live until finish(); written at DONE only */
    int (*on_tick)(void *user);                 /* blocking calls: at least every 100 ms and after EINTR; non-zero cancels */
    void *tick_user;
} chatgptt_request;

/* ---- what comes out ---- */

typedef enum chatgptt_event_kind {
    CHATGPTT_TEXT,                  /* a piece of the answer */
    CHATGPTT_NOTICE                 /* a remark of the site or the library beside the answer */
} chatgptt_event_kind;

typedef struct chatgptt_event {
    chatgptt_event_kind kind;
    const char *text;               /* valid UTF-8, whole characters, not terminated; valid until the next call on the client */
    size_t len;
} chatgptt_event;

typedef int chatgptt_text_fn(void *user, const char *text, size_t len);     /* non-zero cancels */

typedef struct chatgptt_stats {
    int resolve_ms, connect_ms, tls_ms, page_ms, first_text_ms, total_ms;   /* -1: did not happen */
    size_t bytes_in, bytes_out;     /* of HTTP, without TLS */
    size_t text_bytes;
    int requests, connections;      /* sent; opened */
    bool reused, resumed;           /* a kept connection served; a TLS session was resumed */
} chatgptt_stats;

/* What the page told of its chat. Strings are "" until known; valid until the next call on the client. */
typedef struct chatgptt_site {
    chatgptt_dialect dialect;
    const char *bot_id, *bot_name, *greeting, *provider, *consent;
    int memory_limit;               /* entries of history the site's own page would send; 0: unknown */
} chatgptt_site;

typedef struct chatgptt_client chatgptt_client;     /* what streams share: settings, tokens, connections. One thread at a time */
typedef struct chatgptt_stream chatgptt_stream;     /* one message and its answer */

/* ---- the client ---- */

/* A client with these options (NULL: all defaults). Sends nothing and does not block, but reads the trust store for an https url.
   NULL on error; then `error`, if given, says why: E_ARGUMENT, E_MODEL, E_MEMORY, E_UNSUPPORTED, E_CERTIFICATE (no trust store). */
CHATGPTT_API chatgptt_client *chatgptt_open(const chatgptt_options *options, chatgptt_error *error);

/* Ends every stream still open, whose handles are then invalid; closes all connections; frees. NULL is allowed. */
CHATGPTT_API void chatgptt_close(chatgptt_client *client);

/* What the page told: see chatgptt_site. Never NULL for a client. */
CHATGPTT_API const chatgptt_site *chatgptt_client_site(const chatgptt_client *client);

/* Last error of start, chat, ask or load on this client; code OK if there was none. NULL client: the error of a failed open(). */
CHATGPTT_API const chatgptt_error *chatgptt_client_error(const chatgptt_client *client);

/* Writes what a later client can start from (tokens, ids, cookies, TLS session) and returns its size; writes nothing if
   `size` is less, so save(client, NULL, 0) asks for it. Keep it as secret as a cookie. 0: out of memory. */
CHATGPTT_API size_t chatgptt_save(const chatgptt_client *client, void *buffer, size_t size);

/* Takes what save() gave. Damaged bytes, or those of another site, are refused and change nothing: E_ARGUMENT. */
CHATGPTT_API chatgptt_code chatgptt_load(chatgptt_client *client, const void *buffer, size_t size);

/* ---- one call: blocks until the answer is whole ---- */

/* Sends the request, hands every piece of text to on_text (may be NULL). DONE, or < 0: then the text handed out is no whole answer. */
CHATGPTT_API chatgptt_code chatgptt_chat(chatgptt_client *client, const chatgptt_request *request, chatgptt_text_fn *on_text, void *user);

/* The whole answer to one prompt, terminated; the caller's to chatgptt_free(). NULL on error: chatgptt_client_error(). */
CHATGPTT_API char *chatgptt_ask(chatgptt_client *client, const char *prompt);
CHATGPTT_API void chatgptt_free(chatgptt_client *client, char *text);

/* ---- pull: text in pieces, blocking (next) or not (step) ---- */

/* Begins a message; nothing is sent yet. NULL on error: chatgptt_client_error(). End it with finish(). */
CHATGPTT_API chatgptt_stream *chatgptt_start(chatgptt_client *client, const chatgptt_request *request);

/* Blocks for the next event. OK: *event is filled; DONE: the answer is complete; < 0: it is not, see chatgptt_stream_error().
   After DONE or an error every further call repeats it. */
CHATGPTT_API chatgptt_code chatgptt_next(chatgptt_stream *stream, chatgptt_event *event);

/* The same without blocking (but for getaddrinfo(): see the manual). AGAIN: call it again when chatgptt_want() is met. */
CHATGPTT_API chatgptt_code chatgptt_step(chatgptt_stream *stream, chatgptt_event *event);
CHATGPTT_API chatgptt_wait chatgptt_want(const chatgptt_stream *stream);

/* The next call returns E_CANCELLED, unless the stream has ended. Call it on the client's thread: from others, and from signal
   handlers, set a flag of your own and read it in on_tick. */
CHATGPTT_API void chatgptt_cancel(chatgptt_stream *stream);

/* Ends the stream and frees it; its connection goes back to the client if it can be used again. NULL is allowed. */
CHATGPTT_API void chatgptt_finish(chatgptt_stream *stream);

CHATGPTT_API const chatgptt_error *chatgptt_stream_error(const chatgptt_stream *stream);
CHATGPTT_API const chatgptt_stats *chatgptt_stream_stats(const chatgptt_stream *stream);

/* ---- names ---- */

CHATGPTT_API const char *chatgptt_code_name(chatgptt_code code);    /* "E_TIMEOUT"; "?" if there is no such code */
CHATGPTT_API const char *chatgptt_code_text(chatgptt_code code);    /* "timed out" */
CHATGPTT_API const char *chatgptt_model(size_t index);              /* 0: the default; NULL past the last */

#ifdef __cplusplus
}
#endif

#endif /* CHATGPTT_H */
