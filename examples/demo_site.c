/* demo_site.c - a stand-in for a web site that runs the plugin AI Power, on loopback, to show and to test.

       demo_site [--port N] [--tls] [--dialect wpaicg|aipkit] [--plain] [--verbose]

   It has the page with the tokens, checks them as the plugin does, and streams an answer word by word, which
   repeats the message byte for byte and says what is known of earlier turns. The dialects are the plugin's
   generations: wpaicg (up to 2.2; the default) and aipkit (2.3 and later). --plain: wpaicg answers with one
   JSON object. First line of output: url=...   With --tls a second one: ca=FILE, the root to trust, gone at
   the end. --verbose: a line a request on standard error. It serves until SIGTERM or the end of its standard
   input: keep that open (with < /dev/null it ends at once). One thread, one poll(). */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef CHATGPTT_NO_TLS
#include "../tests/certs.h"
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#endif

enum {
    MAX_CONNECTIONS = 16 * 1024,    /* or what the limit of descriptors allows */
    MAX_HEAD = 64 * 1024, MAX_BODY = 8 * 1024 * 1024,   /* the latter: PHP's usual post_max_size */
    MAX_FIELDS = 64,                /* of a form; those after them are not there */
    MAX_NOTES = 8 * 1024,           /* aipkit: messages and conversations known; the oldest gives way */
    MAX_SESSION = 64, MAX_UUID = 36,    /* aipkit: bytes of a session id, of a conversation id */
    IO_SIZE = 16 * 1024, MAX_FORMAT = 4096 + 256, PEM_SIZE = 4096,
    DELTA_MS = 40, LATE_MS = 20,    /* between two pieces; from a stream's last event to its zero chunk */
    MAX_DELTAS = 100                /* an answer of more words comes in larger pieces */
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "demo_site: %s: %s\n", what, why);
    exit(1);
}

/* ==== texts ==== */

typedef struct buffer { char *at; size_t len, size; } buffer;   /* terminated, once it is not empty */

/* Sizes are far from overflow: MAX_BODY bounds all that comes in. */
static void grow(buffer *b, size_t more)
{
    if (b->len + more < b->size) return;
    b->size = 2 * b->size + more + 1;
    b->at = (char *)realloc(b->at, b->size);
    if (!b->at) die("memory", strerror(ENOMEM));
}

static void put(buffer *b, const char *bytes, size_t len)
{
    grow(b, len);
    memcpy(b->at + b->len, bytes, len);
    b->at[b->len += len] = 0;
}

static void add(buffer *b, const char *text) { put(b, text, strlen(text)); }

static void format(buffer *b, const char *how, ...)
{
    va_list list;
    grow(b, MAX_FORMAT);
    va_start(list, how);
    b->len += (size_t)vsnprintf(b->at + b->len, MAX_FORMAT, how, list);
    va_end(list);
}

/* Cuts *s at the first `mark`: returns what stands before it, and *s is what stands behind it. */
static char *split(char **s, const char *mark)
{
    char *front = *s, *at = strstr(front, mark);
    *s = at ? at + strlen(mark) : front + strlen(front);
    if (at) *at = 0;
    return front;
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Fills text with len random hex digits and a terminator. */
static void random_text(char *text, size_t len)
{
    FILE *source = fopen("/dev/urandom", "rb");
    if (!source || fread(text, 1, len, source) != len) die("/dev/urandom", "cannot be read");
    fclose(source);
    for (size_t i = 0; i < len; i++) text[i] = "0123456789abcdef"[text[i] & 15];
    text[len] = 0;
}

/* The code of the character at *s, which moves behind it; U+FFFD for what is none. */
static unsigned next_code(const char **s)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned first = (unsigned char)*(*s)++, code = first, size, i;
    size = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size > 1) code &= 0xFFu >> (size + 1);
    for (i = 1; i < size && (**s & 0xC0) == 0x80; i++) code = code << 6 | ((unsigned char)*(*s)++ & 0x3Fu);
    return !size || i < size || code < least[size] || code > 0x10FFFF || code >> 11 == 0x1B ? 0xFFFD : code;
}

/* The inside of a JSON string. `ascii`: as WordPress writes it, the slash escaped and all but ASCII. */
static void json_text(buffer *out, const char *text, size_t len, bool ascii)
{
    for (const char *end = text + len, *start = text; text < end; start = text) {
        unsigned code = next_code(&text);
        if (code >= 0x10000 && ascii)
            format(out, "\\u%04x\\u%04x", 0xD7C0u + (code >> 10), 0xDC00u + (code & 0x3FFu));
        else if (code < 0x20 || code == 0xFFFD || (code >= 0x7F && ascii)) format(out, "\\u%04x", code);
        else {
            if (code == '"' || code == '\\' || (code == '/' && ascii)) add(out, "\\");
            put(out, start, (size_t)(text - start));
        }
    }
}

/* ==== the site ==== */

typedef struct conn {
    int fd;
    short waits;                    /* for what: POLLIN, POLLOUT, or 0 for the time only */
    long long due;                  /* when more of the answer may leave */
    buffer in, out, answer;
    size_t sent, told;              /* of out; of answer */
    bool chunked, last, streams;    /* last: close after the reply; streams: more of the reply is to come */
    bool resumed;                   /* the TLS session */
    char id[25];                    /* of the reply */
#ifndef CHATGPTT_NO_TLS
    mbedtls_ssl_context ssl;
    mbedtls_net_context socket;
#endif
} conn;

typedef struct request {
    const char *method, *path, *action;
    bool http11, closes;
    size_t size, num_fields;
    struct { const char *name, *value; } fields[MAX_FIELDS];    /* of the body, then of the query */
} request;

/* aipkit: a message that waits for its stream, by its key; a conversation's first message, by its ids. */
typedef struct note { char key[MAX_SESSION + MAX_UUID + 2]; buffer text; size_t messages; } note;

/* What a generation of the plugin puts on its page and into its streams (templates, see fill()), and what it
   says to an action. */
typedef struct chat {
    const char *page, *headers, *preamble, *opening, *delta, *closing, *done;
    void (*ajax)(conn *c, const request *r);
} chat;

static struct {
    const chat *chat;
    bool plain, verbose, secure;
    int port, listener;
    char base[64], nonce[11], ca_path[256];
    note notes[MAX_NOTES];
    conn *conns[MAX_CONNECTIONS];
    size_t next_note, num_conns, max_conns;
    buffer head, body, part;        /* for a moment only */
} site;

/* ==== TLS ==== */

#ifdef CHATGPTT_NO_TLS
#define tls_open(pem) die("--tls", "this build has no TLS (CHATGPTT_NO_TLS)")
#define tls_begin(c) ((void)0)
#define tls_io(c, writes, bytes, size) (-1)
#define tls_end(c) ((void)0)
#else

static struct {
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;
    conn *working;                  /* whose bytes are being read or written */
} tls;

/* A ticket that can be read is a session resumed: no version has a public question for that. */
static int parse_ticket(void *user, mbedtls_ssl_session *s, unsigned char *ticket, size_t len)
{
    int result = mbedtls_ssl_ticket_parse(user, s, ticket, len);
    if (result == 0) tls.working->resumed = true;
    return result;
}

static void make_certificates(char *pem)
{
    static const cert_spec ca = { .cn = "demo_site", .ca = true, .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN };
    static const cert_spec ours = { .san = "DNS:localhost,IP:127.0.0.1", .key_slot = 1, .serial = 2 };
    cert root, leaf;
    cert_make(&root, &ca, NULL);
    cert_make(&leaf, &ours, &root);
    cert_pem(&root, pem, PEM_SIZE);
    mbedtls_x509_crt_init(&tls.certificate);
    cert_must(mbedtls_x509_crt_parse_der(&tls.certificate, leaf.der, leaf.len), "certificate");
    cert_must(mbedtls_ssl_conf_own_cert(&tls.config, &tls.certificate, leaf.key), "certificate");
}

/* All a TLS server needs; the root that vouches for it goes to pem. */
static void tls_open(char *pem)
{
    certs_open();
    mbedtls_ssl_config_init(&tls.config);
    mbedtls_ssl_ticket_init(&tls.tickets);
    cert_must(mbedtls_ssl_config_defaults(&tls.config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT), "TLS settings");
#if MBEDTLS_VERSION_NUMBER < 0x04000000         /* later ones have a source of chance of their own */
    mbedtls_ssl_conf_rng(&tls.config, mbedtls_ctr_drbg_random, &certs.random.drbg);
    cert_must(mbedtls_ssl_ticket_setup(&tls.tickets, mbedtls_ctr_drbg_random, &certs.random.drbg,
                                       MBEDTLS_CIPHER_AES_256_GCM, 86400), "tickets");
#else
    cert_must(mbedtls_ssl_ticket_setup(&tls.tickets, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256, 86400), "tickets");
#endif
    mbedtls_ssl_conf_session_tickets_cb(&tls.config, mbedtls_ssl_ticket_write, parse_ticket, &tls.tickets);
    make_certificates(pem);
}

static void tls_begin(conn *c)
{
    c->socket.fd = c->fd;
    mbedtls_ssl_init(&c->ssl);
    cert_must(mbedtls_ssl_setup(&c->ssl, &tls.config), "TLS session");
    mbedtls_ssl_set_bio(&c->ssl, &c->socket, mbedtls_net_send, mbedtls_net_recv, NULL);
}

/* The first ones shake hands. */
static int tls_io(conn *c, bool writes, char *bytes, size_t size)
{
    int n;
    tls.working = c;
    n = writes ? mbedtls_ssl_write(&c->ssl, (const unsigned char *)bytes, size)
               : mbedtls_ssl_read(&c->ssl, (unsigned char *)bytes, size);
    c->waits = n == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : n == MBEDTLS_ERR_SSL_WANT_WRITE ? POLLOUT : 0;
    return n;
}

/* The farewell goes at once or not at all. */
static void tls_end(conn *c) { mbedtls_ssl_close_notify(&c->ssl), mbedtls_ssl_free(&c->ssl); }

#endif

/* ==== replies ==== */

/* Appends a template, in which ` stands for ", ~ for &quot;, $U for the site's address, $A for the same with
   slashes escaped, $N for the token, $S for 1 if it streams, $I for the reply's id, $T for the time, $P for
   4 KB of blanks, $J for the text as the inside of a JSON string, $W for the same in ASCII. */
static void fill(buffer *out, const char *form, const char *id, const char *text, size_t len)
{
    for (; *form; form++)
        switch (*form == '$' ? *++form : *form == '`' || *form == '~' ? *form : 0) {
        case '`': add(out, "\""); break;
        case '~': add(out, "&quot;"); break;
        case 'A': json_text(out, site.base, strlen(site.base), true); break;
        case 'U': add(out, site.base); break;
        case 'N': add(out, site.nonce); break;
        case 'I': add(out, id); break;
        case 'T': format(out, "%lld", (long long)time(NULL)); break;
        case 'S': add(out, site.plain ? "0" : "1"); break;
        case 'P': format(out, "%4096s", ""); break;
        case 'J': json_text(out, text, len, false); break;
        case 'W': json_text(out, text, len, true); break;
        default: put(out, form, 1);
        }
}

/* `headers`: more lines of the head, each with its CRLF. */
static void reply_begin(conn *c, const char *status, const char *headers)
{
    random_text(c->id, sizeof c->id - 1);
    format(&c->out, "HTTP/1.1 %s\r\nServer: demo_site\r\n%s%sConnection: %s\r\n\r\n", status, headers,
           c->chunked ? "Transfer-Encoding: chunked\r\n" : "", c->last ? "close" : "keep-alive");
}

/* A part of the body, in a chunk of its own; none if it is empty. */
static void reply_part(conn *c, const char *form, const char *text, size_t len)
{
    site.part.len = 0;
    fill(&site.part, form, c->id, text, len);
    if (!site.part.len) return;
    if (c->chunked) format(&c->out, "%zx\r\n", site.part.len);
    put(&c->out, site.part.at, site.part.len);
    if (c->chunked) add(&c->out, "\r\n");
}

static void reply_end(conn *c) { add(&c->out, c->chunked ? "0\r\n\r\n" : ""); }

static void reply(conn *c, const char *status, const char *headers, const char *form, const char *text)
{
    reply_begin(c, status, headers);
    reply_part(c, form, text, strlen(text));
    reply_end(c);
}

/* What WordPress sends with every reply of its ajax endpoint. */
#define AJAX "X-Robots-Tag: noindex\r\nExpires: Wed, 11 Jan 1984 05:00:00 GMT\r\n"
#define JSON "Content-Type: application/json; charset=UTF-8\r\n" AJAX "Cache-Control: no-cache, max-age=0\r\n"
#define HTML "Content-Type: text/html; charset=UTF-8\r\n"

/* WordPress's own word for an action that nobody answers. */
static void unknown_action(conn *c) { reply(c, "400 Bad Request", HTML AJAX, "0", ""); }

/* Begins to stream c->answer, or says what is `wrong`. */
static void stream(conn *c, const char *wrong)
{
    const char *error = "id: err-$T\nevent: error\ndata: {`error`:`$J`}\n\n";
    reply_begin(c, "200 OK", site.chat->headers);
    reply_part(c, site.chat->preamble, "", 0);
    reply_part(c, wrong ? error : site.chat->opening, wrong ? wrong : "", wrong ? strlen(wrong) : 0);
    if (wrong) reply_part(c, site.chat->done, "", 0), c->told = c->answer.len = 0;
    c->streams = true;
    c->due = now_ms() + (wrong ? LATE_MS : DELTA_MS);
}

/* The next piece of the answer, up to a blank; with the last one the end marks; then, late as on real sites,
   the zero chunk. */
static void stream_more(conn *c)
{
    const char *rest = c->answer.at + c->told, *blank;
    size_t left = c->answer.len - c->told, size = c->answer.len / MAX_DELTAS + 1;
    blank = size < left ? strchr(rest + size, ' ') : NULL;
    size = blank ? (size_t)(blank - rest) : left;
    c->streams = left > 0;
    c->due = now_ms() + (size < left ? DELTA_MS : LATE_MS);
    c->told += size;
    if (!left) reply_end(c);
    else reply_part(c, site.chat->delta, rest, size);
    if (!left || size < left) return;
    reply_part(c, site.chat->closing, "", 0);
    reply_part(c, site.chat->done, "", 0);
}

/* `known`: earlier messages; `first`: the first user message among them, or empty. */
static void make_answer(conn *c, const char *message, size_t known, const char *first)
{
    c->answer.len = c->told = 0;
    add(&c->answer, "You said: ");
    add(&c->answer, message);
    if (known) format(&c->answer, "\n\nEarlier messages I know: %zu.", known);
    if (*first) add(&c->answer, " We began with: ");
    add(&c->answer, first);
    add(&c->answer, "\n\nI am only a stand-in and have no thoughts of my own, but like the real ones I say "
        "them word by word. Merci, спасибо, ありがとう, and have a nice day! \xF0\x9F\x91\x8B");
}

/* Empty if there is none. */
static const char *field(const request *r, const char *name)
{
    for (size_t i = 0; i < r->num_fields; i++)
        if (strcmp(r->fields[i].name, name) == 0) return r->fields[i].value;
    return "";
}

static bool is(const request *r, const char *name, const char *text) { return !strcmp(field(r, name), text); }
static bool no_message(const request *r) { return is(r, "message", "") || is(r, "message", "0"); }

/* ==== wpaicg: plugin up to 2.2 ==== */

/* wpaicg_chat_history is a JSON array of strings or of objects with a "text"; "Human: " marks the user's. The
   plugin first drops tags and backslashes, which mostly breaks it: here it always does, as "<" alone does. */
static void wpaicg_answer(conn *c, const request *r)
{
    char *copy = strdup(field(r, "wpaicg_chat_history")), *s = copy;
    const char *first = "";
    size_t known = 0;
    if (!copy) die("memory", strerror(ENOMEM));
    if (copy[strcspn(copy, "<\\\n\t")]) *copy = 0;
    for (split(&s, "\""); *s; split(&s, "\"")) {
        const char *text = split(&s, "\"");
        if (!*text || strcmp(text, "id") == 0 || strcmp(text, "text") == 0) continue;
        known++;
        if (!*first && strncmp(text, "Human: ", 7) == 0) first = text + 7;
    }
    make_answer(c, field(r, "message"), known, first);
    free(copy);
    /* what a careless reader would take for the reply, and for an error */
    if (site.plain)
        reply(c, "200 OK", JSON, "{`status`:`success`,`msg`:`Something went wrong`,`greeting_message`:"
              "`A \\`data\\`:\\`not the reply\\``,`data`:`$W`,`log`:false}", c->answer.at);
    else stream(c, NULL);
}

static void wpaicg_ajax(conn *c, const request *r)
{
    if (strcmp(r->action, "wpaicg_chat_shortcode_message") && strcmp(r->action, "wpaicg_chatbox_message"))
        unknown_action(c);
    else if (!is(r, "_wpnonce", site.nonce))
        reply(c, "403 Forbidden", HTML AJAX, "The link you followed has expired.", "");
    else if (no_message(r))
        reply(c, "200 OK", JSON, "{`status`:`error`,`msg`:`It appears that nothing was inputted.`}", "");
    else wpaicg_answer(c, r);
}

/* ==== aipkit: plugin 2.3 and later ==== */

/* The note of this key; NULL: there is none, or if it is to be `made`, a new one. */
static note *find_note(const char *key, bool made)
{
    note *n;
    for (n = site.notes; n < site.notes + MAX_NOTES && n < site.notes + site.next_note; n++)
        if (strcmp(n->key, key) == 0) return n;
    if (!made) return NULL;
    n = &site.notes[site.next_note++ % MAX_NOTES];
    snprintf(n->key, sizeof n->key, "%s", key);
    n->messages = n->text.len = 0;
    return n;
}

static void aipkit_cache(conn *c, const request *r)
{
    char key[44] = "aipkit_sse_";
    if (!is(r, "_ajax_nonce", site.nonce))
        reply(c, "403 Forbidden", JSON, "{`success`:false,`data`:{`code`:`nonce_failure_cache_sse`,`message`:"
              "`Your session has expired or the request is invalid. Please refresh the page and try "
              "again.`}}", "");
    else if (no_message(r))
        reply(c, "400 Bad Request", JSON, "{`success`:false,`data`:{`code`:`empty_data_to_cache`,`message`:"
              "`Message cannot be empty.`}}", "");
    else {
        random_text(key + 11, 32);
        add(&find_note(key, true)->text, field(r, "message"));
        reply(c, "200 OK", JSON, "{`success`:true,`data`:{`cache_key`:`$J`}}", key);
    }
}

/* Checks a stream's parameters in the plugin's order, and makes the answer. NULL: all is well. */
static const char *aipkit_answer(conn *c, const request *r)
{
    char key[MAX_SESSION + MAX_UUID + 2];
    const char *uuid = field(r, "conversation_uuid"), *session_id = field(r, "session_id");
    note *held = find_note(field(r, "cache_key"), false), *talk;
    if (!is(r, "_ajax_nonce", site.nonce))
        return "Security check failed. Please refresh the page and try again.";
    if (is(r, "cache_key", "")) return "Message cache key is missing.";
    if (!held) return "Message not found in cache.";
    held->key[0] = 0;               /* it is spent, whatever comes of it */
    if (!is(r, "bot_id", "7")) return "Invalid chatbot specified.";
    if (!*uuid) return "Conversation ID is missing.";
    if (!*session_id) return "Session ID is missing for guest.";
    if (strlen(uuid) > MAX_UUID || strlen(session_id) > MAX_SESSION) return "Failed to log user message.";
    snprintf(key, sizeof key, "%s %s", uuid, session_id);
    talk = find_note(key, true);
    make_answer(c, held->text.at, talk->messages, talk->messages ? talk->text.at : "");
    if (!talk->messages && talk != held) add(&talk->text, held->text.at);
    talk->messages += 2;
    return NULL;
}

static void aipkit_ajax(conn *c, const request *r)
{
    if (strcmp(r->action, "aipkit_get_frontend_chat_nonce") == 0)
        reply(c, "200 OK", JSON, "{`success`:true,`data`:{`nonce`:`$N`}}", "");
    else if (strcmp(r->action, "aipkit_cache_sse_message") == 0) aipkit_cache(c, r);
    else if (strcmp(r->action, "aipkit_frontend_chat_stream") == 0) stream(c, aipkit_answer(c, r));
    else unknown_action(c);
}

/* ==== the two chats ==== */

#define EVENTS(charset, more) \
    "Content-Type: text/event-stream;" charset "\r\n" AJAX "Cache-Control: no-cache" more "\r\n"
/* An event in the form of OpenAI's API, which the older plugin passes on. */
#define PASSED_ON(delta, reason) \
    "data: {`id`:`chatcmpl-$I`,`object`:`chat.completion.chunk`,`created`:$T,`model`:`gpt-4o-mini`," \
    "`choices`:[{`index`:0,`delta`:{" delta "},`finish_reason`:" reason "}]}\n\n"

#define PAGE(head, body) \
    "<!DOCTYPE html>\n<html lang=`en-US`>\n<head>\n<meta charset=`UTF-8`>\n" \
    "<title>Chat &#8211; A Stand-In Site</title>\n<link rel=`https://api.w.org/` href=`$U/wp-json/`>\n" head \
    "</head>\n<body class=`home page-id-42`>\n<h1>Ask &amp; be answered</h1>\n<main>\n" body \
    "</main>\n</body>\n</html>\n"

/* Decoys: in the first comment and script the attributes have blanks around "=", which a reader of raw text
   may not take for one; those after the chat come too late for whoever takes the first. */
static const chat chats[] = {
    { PAGE(
      "<!-- <div data-nonce = `c0ffee0001` data-post-id = `1`></div> -->\n"
      "<style>.wpaicg-chat-shortcode[data-nonce = `x`] { color: #333 }</style>\n"
      "<script>var card = '<div data-nonce = `c0ffee0002` data-post-id = `2`>';</script>\n"
      "<script>\nvar wpaicgParams = {`ajax_url`:`$A\\/wp-admin\\/admin-ajax.php`,`search_nonce`:`$N`,"
      "`logged_in`:`0`};\n</script>\n",
      "<div class=`wpaicg-chat-shortcode`\n     data-user-avatar=`$U/avatar.png`\n     data-ai-name=`AI`\n"
      "     data-nonce=`$N`\n     data-post-id=`42`\n     data-url=`$U`\n     data-bot-id=`0`\n"
      "     data-width=`100%`\n     data-voice-error=`Say &quot;hello&quot; first`\n"
      "     data-openai_stream_nav=`$S`\n     data-memory-limit = `100`\n     data-type=`shortcode`>\n"
      "<p>Hello human, I am a stand-in.</p>\n<textarea placeholder=`Type a message`>"
      "<div data-nonce=`c0ffee0003` data-post-id=`3`></textarea>\n</div>\n"
      "<!-- <div data-nonce=`c0ffee0004` data-post-id=`4`> -->\n"
      "<script>document.title += '<div data-nonce=`c0ffee0005` data-post-id=`5`>';</script>\n"),
      EVENTS("charset=UTF-8", ""), "", PASSED_ON("`role`:`assistant`,`content`:``", "null"),
      PASSED_ON("`content`:`$J`", "null"), PASSED_ON("", "`stop`"), "data: [DONE]\n\n", wpaicg_ajax },
    { PAGE(
      "<!-- <div data-config = '{~botId~:1,~nonce~:~c0ffee0001~}'></div> -->\n"
      "<script>var card = '<div data-config = `{}` data-bot-id = `2`>';\n"
      "window.aipkit_getChatNonceAction = `aipkit_get_frontend_chat_nonce`;</script>\n",
      "<div class=`aipkit_chat_container` id=`aipkit_chat_container_7` data-bot-id=`7`\n"
      "     data-custom-theme='{~botId~:99,~nonce~:~c0ffee0002~}'\n     data-config='{~botId~:7,~nonce~:~$N~,"
      "~postId~:42,~headerName~:~Stand-In Bot~,~ajaxUrl~:~$A\\/wp-admin\\/admin-ajax.php~,"
      "~provider~:~OpenAI~,~requireConsentCompliance~:false,~starters~:[~Say \\u0022hello\\u0022~],"
      "~text~:{~initialGreeting~:~Hello human, I\\u0027m a stand-in.~,~initialSubgreeting~:~Ask \\u0026 be "
      "answered~,~consentTitle~:~Consent~,~consentMessage~:~Tea \\u003C coffee?~,~consentButton~:~Yes~}}'>\n"
      "<textarea></textarea>\n</div>\n<!-- <div data-config='{~botId~:3}'> -->\n"),
      EVENTS(" charset=utf-8", ", no-store, must-revalidate, max-age=0, no-transform"), ":$P\n\n",
      "event: message_start\ndata: {`message_id`:`aipkit-msg-$I.12345678`}\n\n"
      "event: status\ndata: {`type`:`response.created`,`status`:`in_progress`,`response_id`:`resp_$I`}\n\n",
      "data: {`delta`:`$J`}\n\n", "event: openai_response_id\ndata: {`id`:`resp_$I`}\n\n",
      "event: done\ndata: {`finished`:true}\n\n", aipkit_ajax }
};

/* ==== requests ==== */

/* In its place. */
static char *form_decode(char *s)
{
    char *to = s;
    for (const char *at = s; *at; at++) {
        char hex[] = { at[1], at[1] ? at[2] : (char)0, 0 };
        bool octet = *at == '%' && strspn(hex, "0123456789abcdefABCDEF") == 2;
        *to++ = octet ? (char)strtol(hex, NULL, 16) : *at == '+' ? ' ' : *at;
        if (octet) at += 2;
    }
    *to = 0;
    return s;
}

static void read_form(request *r, char *form)
{
    while (*form && r->num_fields < MAX_FIELDS) {
        char *value = split(&form, "&"), *name = split(&value, "=");
        r->fields[r->num_fields].name = form_decode(name);
        r->fields[r->num_fields++].value = form_decode(value);
    }
}

/* Reads the head's lines. NULL, or the status that says what is wrong. */
static const char *read_headers(request *r, char *head, size_t *body_len)
{
    while (*head) {
        char *value = split(&head, "\r\n"), *name = split(&value, ":"), *end;
        value += strspn(value, " \t");
        if (strcasecmp(name, "Transfer-Encoding") == 0) return "411 Length Required";
        if (strcasecmp(name, "Connection") == 0 && strncasecmp(value, "close", 5) == 0) r->closes = true;
        if (strcasecmp(name, "Content-Length") != 0) continue;
        *body_len = (size_t)strtoull(value, &end, 10);
        if (*value < '0' || *value > '9' || end[strspn(end, " \t")]) return "400 Bad Request";
        if (*body_len > MAX_BODY) return "413 Request Entity Too Large";
    }
    return NULL;
}

/* Reads the request at the front of `in`. NULL, or the status that says what is wrong; size 0: not yet. */
static const char *read_request(const buffer *in, request *r)
{
    const char *end = in->len ? strstr(in->at, "\r\n\r\n") : NULL, *wrong;
    char *head, *target, *query;
    size_t head_len = end ? (size_t)(end - in->at) + 2 : in->len, body_len = 0;
    if (head_len > MAX_HEAD) return "431 Request Header Fields Too Large";
    if (!end) return in->len && strlen(in->at) < in->len ? "400 Bad Request" : NULL;
    site.head.len = site.body.len = 0;
    put(&site.head, in->at, head_len);
    head = site.head.at;
    target = split(&head, "\r\n");
    r->method = split(&target, " ");
    query = split(&target, " ");
    r->path = split(&query, "?");
    r->http11 = strcmp(target, "HTTP/1.1") == 0;
    r->closes = !r->http11;
    if (*r->path != '/' || strncmp(target, "HTTP/1.", 7) != 0) return "400 Bad Request";
    wrong = read_headers(r, head, &body_len);
    if (wrong) return wrong;
    if (in->len - head_len - 2 < body_len) return NULL;
    r->size = head_len + 2 + body_len;
    put(&site.body, end + 4, body_len);
    read_form(r, site.body.at);
    read_form(r, query);
    r->action = field(r, "action");
    return NULL;
}

static void log_request(const conn *c, const request *r)
{
    char line[300];
    snprintf(line, sizeof line, "%.9s %.200s %.60s", r->method, r->path, *r->action ? r->action : "-");
    for (char *at = line; *at; at++)
        if (*at < ' ' || *at > '~') *at = '?';
    fprintf(stderr, "%s tls=%s\n", line, !site.secure ? "none" : c->resumed ? "resumed" : "full");
}

/* Answers the request at the front of c->in if it is all there; false: more of it is needed. */
static bool take_request(conn *c)
{
    request r;
    const char *wrong;
    memset(&r, 0, sizeof r);
    wrong = read_request(&c->in, &r);
    if (!wrong && !r.size) return false;
    c->chunked = r.http11;
    c->last = r.closes || wrong;
    if (!wrong && site.verbose) log_request(c, &r);
    if (wrong) reply(c, wrong, HTML, "<!DOCTYPE html>\n<h1>Request refused</h1>\n", "");
    else if (strcmp(r.path, "/wp-admin/admin-ajax.php") == 0) site.chat->ajax(c, &r);
    else if (strcmp(r.path, "/") == 0) reply(c, "200 OK", HTML, site.chat->page, "");
    else reply(c, "404 Not Found", HTML, "<title>Page not found</title>\n<h1>Not here</h1>\n", "");
    c->in.len -= r.size;
    if (r.size) memmove(c->in.at, c->in.at + r.size, c->in.len + 1);
    return true;
}

/* ==== connections ==== */

/* Reads or writes a piece; false: it is over, or waits. A write that waits is repeated with its size, as TLS
   demands, since nothing is appended to it. */
static bool conn_io(conn *c, bool writes)
{
    size_t size = writes && c->out.len - c->sent < IO_SIZE ? c->out.len - c->sent : IO_SIZE;
    char *at;
    ssize_t n;
    if (!writes) grow(&c->in, IO_SIZE);
    at = writes ? c->out.at + c->sent : c->in.at + c->in.len;
    if (site.secure) n = tls_io(c, writes, at, size);
    else             n = writes ? send(c->fd, at, size, 0) : recv(c->fd, at, size, 0);
    if (n < 0 && !site.secure && (errno == EAGAIN || errno == EINTR)) c->waits = writes ? POLLOUT : POLLIN;
    if (n <= 0) return false;
    if (writes) c->sent += (size_t)n;
    else        c->in.at[c->in.len += (size_t)n] = 0;
    if (c->sent == c->out.len) c->out.len = c->sent = 0;
    return true;
}

/* Does all that can be done without waiting; false: the connection is over. */
static bool conn_work(conn *c)
{
    for (;;) {
        c->waits = 0;
        if (c->out.len) {
            if (!conn_io(c, true)) return c->waits != 0;
        } else if (c->streams) {
            if (now_ms() < c->due) return true;
            stream_more(c);
        } else if (c->last || (!take_request(c) && !conn_io(c, false))) return c->waits != 0;
    }
}

static void conn_close(conn *c)
{
    if (site.secure) tls_end(c);
    close(c->fd);
    free(c->in.at), free(c->out.at), free(c->answer.at), free(c);
}

static void conn_open(int fd)
{
    int on = 1;
    conn *c = (conn *)calloc(1, sizeof *c);
    if (!c) die("memory", strerror(ENOMEM));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /* each piece leaves at once */
    c->fd = fd;
    c->waits = POLLIN;
    if (site.secure) tls_begin(c);
    site.conns[site.num_conns++] = c;
}

/* Serves until the end of standard input. polled[2 + i] is for conns[i]; from the end, so that the last can
   fill a gap. */
static void serve(void)
{
    static struct pollfd polled[2 + MAX_CONNECTIONS];
    for (char junk[512];;) {
        int fd, timeout = -1;
        long long now = now_ms();
        polled[0] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
        polled[1] = (struct pollfd){ site.num_conns < site.max_conns ? site.listener : -1, POLLIN, 0 };
        for (size_t i = 0; i < site.num_conns; i++) {
            conn *c = site.conns[i];
            int wish = c->waits ? -1 : c->due > now ? (int)(c->due - now) : 0;
            if (wish >= 0 && (timeout < 0 || wish < timeout)) timeout = wish;
            polled[2 + i] = (struct pollfd){ c->fd, c->waits, 0 };
        }
        if (poll(polled, (nfds_t)(2 + site.num_conns), timeout) < 0) continue;
        if (polled[0].revents && read(STDIN_FILENO, junk, sizeof junk) <= 0) return;
        for (size_t i = site.num_conns; i-- > 0;) {
            conn *c = site.conns[i];
            short what = polled[2 + i].revents;
            if (!(what & (POLLERR | POLLNVAL)) && ((c->waits && !what) || conn_work(c))) continue;
            conn_close(c);
            site.conns[i] = site.conns[--site.num_conns];
        }
        while (polled[1].revents && site.num_conns < site.max_conns &&
               (fd = accept(site.listener, NULL, NULL)) >= 0) conn_open(fd);
    }
}

/* ==== main ==== */

static void remove_ca(void) { unlink(site.ca_path); }
static void on_signal(int number) { (void)number, remove_ca(), _exit(0); }

static void write_ca(const char *pem)
{
    const char *folder = getenv("TMPDIR");
    size_t size = sizeof site.ca_path;
    int fd, len = snprintf(site.ca_path, size, "%s/demo_site_??????", folder && *folder ? folder : "/tmp");
    if ((size_t)len >= size) die("TMPDIR", "is too long");
    memset(site.ca_path + len - 6, 'X', 6);     /* what mkstemp() replaces */
    atexit(remove_ca);
    fd = mkstemp(site.ca_path);
    if (fd < 0 || write(fd, pem, strlen(pem)) < 0 || close(fd) < 0) die(site.ca_path, strerror(errno));
}

static void listen_on_loopback(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)site.port) };
    socklen_t size = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    site.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (site.listener < 0 || setsockopt(site.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(site.listener, (struct sockaddr *)&address, size) < 0 || listen(site.listener, 4096) < 0 ||
        getsockname(site.listener, (struct sockaddr *)&address, &size) < 0)
        die("cannot listen on 127.0.0.1", strerror(errno));
    fcntl(site.listener, F_SETFL, O_NONBLOCK);
    snprintf(site.base, sizeof site.base, "%s:%d", site.secure ? "https://localhost" : "http://127.0.0.1",
             ntohs(address.sin_port));
}

/* As many descriptors as are allowed; their number is the connections' limit. */
static void prepare_process(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN };
    struct rlimit files;
    if (fcntl(STDIN_FILENO, F_GETFD) < 0) open("/dev/null", O_RDONLY);     /* else a socket becomes it */
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) die("RLIMIT_NOFILE", strerror(errno));
    files.rlim_cur = files.rlim_max < MAX_CONNECTIONS + 16 ? files.rlim_max : MAX_CONNECTIONS + 16;
    setrlimit(RLIMIT_NOFILE, &files);
    site.max_conns = (size_t)files.rlim_cur - 16;
}

/* False: they are wrong. */
static bool read_arguments(int argc, char **argv)
{
    site.chat = &chats[0];
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--tls") == 0) site.secure = true;
        else if (strcmp(argv[i], "--plain") == 0) site.plain = true;
        else if (strcmp(argv[i], "--verbose") == 0) site.verbose = true;
        else if (strcmp(argv[i], "--port") == 0 && *value && strspn(value, "0123456789") == strlen(value) &&
                 (site.port = (int)strtol(value, NULL, 10)) < 65536) i++;
        else if (strcmp(argv[i], "--dialect") == 0 && (!strcmp(value, "wpaicg") || !strcmp(value, "aipkit")))
            site.chat = &chats[*value == 'a'], i++;
        else return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    char pem[PEM_SIZE];
    if (!read_arguments(argc, argv)) {
        fputs("demo_site [--port N] [--tls] [--dialect wpaicg|aipkit] [--plain] [--verbose]\n", stderr);
        return 2;
    }
    prepare_process();
    random_text(site.nonce, 10);
    if (site.secure) tls_open(pem);
    listen_on_loopback();
    if (site.secure) write_ca(pem);
    printf("url=%s\n", site.base);
    if (site.secure) printf("ca=%s\n", site.ca_path);
    fflush(stdout);
    serve();
    return 0;
}
