/* chatgptt: the command line of chatgptt.h, and a small REPL. It uses nothing but the public API.

   The answer and nothing else goes to standard output, flushed as it arrives; everything else goes to
   standard error. Exit: 0 the answer is complete, 1 an error, 2 wrong usage, 130 interrupted.

   CONTENTS: [TEXT] [OUTPUT] [OPTIONS] [PROXY] [SIGNALS] [STATE] [TURN] [REPL] [MAIN] */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static const char default_url[] = "https://chatgptt.me";

/* ==== [TEXT] a growing string, always terminated once something was added ==== */

typedef struct text {
    char *bytes;
    size_t len, size;
} text;

static void *must(void *block)
{
    if (block) return block;
    fputs("chatgptt: E_MEMORY: out of memory\n", stderr);
    exit(EXIT_ERROR);
}

static void text_add(text *t, const char *bytes, size_t len)
{
    if (len >= t->size - t->len) {
        if (len >= SIZE_MAX / 2 - t->size) must(NULL);
        t->size = (t->size + len) * 2 + 64;
        t->bytes = must(realloc(t->bytes, t->size));
    }
    if (len) memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
}

static void text_clear(text *t)
{
    t->len = 0;
    text_add(t, "", 0);
}

/* ==== [OUTPUT] ==== */

typedef struct tool {
    chatgptt_options options;
    const char *dialect, *timeout, *system, *state;
    bool json, stats, verbose, help, version;
    text words;                     /* MESSAGE */
    bool has_words;
    text proxy;                     /* out of the environment */
    chatgptt_client *client;
    bool terminal;                  /* standard output is one */
    bool mixed;                     /* no terminal, but the same file as standard error */
    bool mid_line;                  /* the answer's last byte on it was not LF */
    int write_error;                /* errno of standard output */
    bool introduced;                /* name, greeting and consent were shown */
    chatgptt_stats last;            /* of the last answer, if there was one */
    bool has_last;
} tool;

/* U+0080 to U+009F, the second set of control characters: xterm, for one, obeys them. */
static bool is_c1(const char *bytes, size_t len)
{
    return len > 1 && (unsigned char)bytes[0] == 0xC2 && (unsigned char)bytes[1] < 0xA0;
}

/* What a site says must not drive the terminal: of the control characters, C1 included, only LF and TAB pass,
   and as blanks if the text is to stay on its line. */
static void put_clean(FILE *to, const char *bytes, size_t len, bool lines)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_c1(bytes + i, len - i)) i++;
        else if (c == '\n' || c == '\t') putc(lines ? c : ' ', to);
        else if (c >= ' ' && c != 0x7F) putc(c, to);
    }
}

static void put_json(FILE *to, const char *bytes, size_t len)
{
    putc('"', to);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\') fprintf(to, "\\%c", c);
        else if (c < ' ' || c == 0x7F) fprintf(to, "\\u%04x", c);
        else if (is_c1(bytes + i, len - i)) fprintf(to, "\\u%04x", (unsigned char)bytes[++i]);
        else putc(c, to);
    }
    putc('"', to);
}

/* Nothing may stay in the buffer: the reader wants each piece now, and we want to know of a full disk or a
   closed pipe. */
static void flush_output(tool *t)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    /* Ctrl-C before a reader that does not read: on_tick() will see to it */
    if (errno == EINTR) clearerr(stdout);
    else if (!t->write_error) t->write_error = errno ? errno : EIO;
}

static void end_line(tool *t)
{
    if (!t->mid_line) return;
    t->mid_line = false;
    if (t->terminal && !t->json) putchar('\n');
    flush_output(t);
}

/* Before a line on standard error: where both go to one file, it is not to hang on the answer's last line. */
static void begin_remark(tool *t)
{
    if (t->mid_line && t->mixed && !t->json) putc('\n', stderr);
    end_line(t);
}

static void say(const char *label, const char *bytes, size_t len)
{
    fprintf(stderr, "chatgptt: %s: ", label);
    put_clean(stderr, bytes, len, false);
    putc('\n', stderr);
}

static void put_json_line(const char *event, const char *bytes, size_t len)
{
    printf("{\"event\":\"%s\",\"text\":", event);
    put_json(stdout, bytes, len);
    puts("}");
}

static void put_notice(tool *t, const char *bytes, size_t len)
{
    begin_remark(t);
    say("notice", bytes, len);
    if (t->json) put_json_line("notice", bytes, len);
    flush_output(t);
}

static void put_error(tool *t, const chatgptt_error *error)
{
    const char *name = chatgptt_code_name(error->code);
    const char *words = error->message[0] ? error->message : chatgptt_code_text(error->code);
    begin_remark(t);
    say(name, words, strlen(words));
    if (!t->json) return;
    printf("{\"event\":\"error\",\"code\":\"%s\",\"message\":", name);
    put_json(stdout, words, strlen(words));
    printf(",\"status\":%d}\n", error->http_status);
    flush_output(t);
}

/* An error of this tool and not of the library. */
static int fail(tool *t, chatgptt_code code, const char *what, const char *why)
{
    chatgptt_error error = {.code = code};
    snprintf(error.message, sizeof error.message, "%s: %s", what, why);
    put_error(t, &error);
    return EXIT_ERROR;
}

static void put_text(tool *t, const char *bytes, size_t len)
{
    if (len == 0) return;
    if (t->json) put_json_line("text", bytes, len);
    else if (t->terminal) put_clean(stdout, bytes, len, true);
    else fwrite(bytes, 1, len, stdout);
    t->mid_line = bytes[len - 1] != '\n';
    flush_output(t);
}

/* "a":1,"b":2 as JSON, else a=1 b=2 */
static void put_stats(FILE *to, const chatgptt_stats *s, bool json)
{
    const struct { const char *name; long long value;
    } rows[] = { { "resolve_ms", s->resolve_ms },
                 { "connect_ms", s->connect_ms },
                 { "tls_ms", s->tls_ms },
                 { "page_ms", s->page_ms },
                 { "first_text_ms", s->first_text_ms },
                 { "total_ms", s->total_ms },
                 { "bytes_in", (long long)s->bytes_in },
                 { "bytes_out", (long long)s->bytes_out },
                 { "text_bytes", (long long)s->text_bytes },
                 { "requests", s->requests },
                 { "connections", s->connections } };
    const char *quote = json ? "\"" : "", *is = json ? ":" : "=", *next = json ? "," : " ";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        fprintf(to, "%s%s%s%s%lld%s", quote, rows[i].name, quote, is, rows[i].value, next);
    fprintf(to, "%sreused%s%s%s%s", quote, quote, is, s->reused ? "true" : "false", next);
    fprintf(to, "%sresumed%s%s%s", quote, quote, is, s->resumed ? "true" : "false");
}

static void put_stats_line(const chatgptt_stats *stats)
{
    fputs("chatgptt: stats: ", stderr);
    put_stats(stderr, stats, false);
    putc('\n', stderr);
}

static void trace(void *user, const char *what, const char *bytes, size_t len)
{
    (void)user;
    do {
        const char *lf = len ? memchr(bytes, '\n', len) : NULL;
        size_t line = lf ? (size_t)(lf - bytes) : len, used = lf ? line + 1 : line;
        say(what, bytes, line);
        bytes += used;
        len -= used;
    } while (len > 0);
}

/* ==== [OPTIONS] ==== */

static const char help_text[] =
    "usage: chatgptt [OPTION]... [MESSAGE...]\n"
    "Sends MESSAGE (its words joined by a blank), or all of standard input, to a web site that runs the "
    "WordPress plugin\n"
    "AI Power, and prints the answer as it arrives. With neither, on a terminal: a conversation; /help there "
    "lists its commands.\n"
    "\n"
    "  --url URL            page that holds the chat (https://chatgptt.me)\n"
    "  --endpoint URL       where messages are sent (what the page names)\n"
    "  --bot ID             which chat of the page (its first); with --endpoint and --dialect aipkit no page "
    "is read\n"
    "  --dialect NAME       auto, wpaicg (plugin 1.x to 2.2) or aipkit (2.3 and later) (auto)\n"
    "  --model NAME         checked only: the site picks its model\n"
    "  --system TEXT        a system message in front\n"
    "  --proxy URL          http://[user:password@]host[:port]; \"\" for none\n"
    "                       (https_proxy, http_proxy, all_proxy and no_proxy of the environment, in lower "
    "case)\n"
    "  --ca FILE            trust the certificates in FILE only\n"
    "  --insecure           accept any certificate: whoever is on the path can read and change the chat\n"
    "  --timeout SECONDS    for the whole, from lookup to the last byte; fractions are allowed (600)\n"
    "  --state FILE         keep tokens and ids in FILE, so that the next run asks at once; keep it as "
    "secret as a password\n"
    "  --json               one JSON object a line: text, notice, done, error\n"
    "  --stats              times and sizes, one line on standard error\n"
    "  --verbose            what is sent and received, on standard error\n"
    "  --help, --version    print this, or the version\n"
    "  --                   what follows is MESSAGE\n"
    "\n"
    "Exit status: 0 the answer is complete, 1 an error, 2 wrong usage, 130 interrupted.\n";

static int wrong(const char *what, const char *argument)
{
    fprintf(stderr, "chatgptt: %s: ", what);
    put_clean(stderr, argument, strlen(argument), false);
    fputs(" (see --help)\n", stderr);
    return EXIT_USAGE;
}

/* Takes argv[*i], which begins with '-', and its value, be it behind '=' or in the next argument. */
static int parse_option(tool *t, char **argv, int *i)
{
    const struct { const char *name; const char **value; bool *flag;
    } known[] = { { "url", &t->options.url, NULL },
                  { "endpoint", &t->options.endpoint, NULL },
                  { "bot", &t->options.bot_id, NULL },
                  { "dialect", &t->dialect, NULL },
                  { "model", &t->options.model, NULL },
                  { "system", &t->system, NULL },
                  { "proxy", &t->options.proxy, NULL },
                  { "ca", &t->options.ca_file, NULL },
                  { "insecure", NULL, &t->options.insecure },
                  { "timeout", &t->timeout, NULL },
                  { "state", &t->state, NULL },
                  { "json", NULL, &t->json },
                  { "stats", NULL, &t->stats },
                  { "verbose", NULL, &t->verbose },
                  { "help", NULL, &t->help },
                  { "version", NULL, &t->version } };
    const char *arg = argv[*i], *name = arg + 2, *equals = strchr(arg, '=');
    size_t k, len = equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2;
    for (k = 0; arg[1] == '-' && k < sizeof known / sizeof known[0]; k++) {
        if (strlen(known[k].name) != len || memcmp(known[k].name, name, len) != 0) continue;
        if (known[k].flag && equals) return wrong("takes no value", arg);
        if (known[k].flag) return *known[k].flag = true, 0;
        if (!equals && !argv[*i + 1]) return wrong("needs a value", arg);
        *known[k].value = equals ? equals + 1 : argv[++*i];
        return 0;
    }
    return wrong("no such option", arg);
}

static int parse_dialect(tool *t)
{
    static const char *const names[] = {"auto", "wpaicg", "aipkit"};
    if (!t->dialect) return 0;
    for (int i = 0; i < 3; i++)
        if (strcmp(t->dialect, names[i]) == 0) return t->options.dialect = (chatgptt_dialect)i, 0;
    return wrong("--dialect is auto, wpaicg or aipkit", t->dialect);
}

static int parse_timeout(tool *t)
{
    if (!t->timeout) return 0;
    char *end;
    double seconds = strtod(t->timeout, &end);
    if (end == t->timeout || t->timeout[strspn(t->timeout, "0123456789.")] != '\0' || *end != '\0')
        return wrong("--timeout wants a number of seconds", t->timeout);
    if (seconds < 0.001 || seconds > INT_MAX / 1000) return wrong("--timeout is out of range", t->timeout);
    t->options.total_timeout_ms = (int)(seconds * 1000);
    return 0;
}

static void add_word(tool *t, const char *word)
{
    if (t->has_words) text_add(&t->words, " ", 1);
    text_add(&t->words, word, strlen(word));
    t->has_words = true;
}

static int parse_arguments(tool *t, char **argv)
{
    bool literal = false;
    int wrong_usage = 0;
    for (int i = 1; argv[i] && !wrong_usage; i++) {
        if (literal || argv[i][0] != '-' || argv[i][1] == '\0') add_word(t, argv[i]);
        else if (strcmp(argv[i], "--") == 0) literal = true;
        else wrong_usage = parse_option(t, argv, &i);
    }
    if (!wrong_usage) wrong_usage = parse_dialect(t);
    return wrong_usage ? wrong_usage : parse_timeout(t);
}

/* ==== [PROXY] the environment's, as other tools read it; the library itself reads none of these ==== */

/* Whether an entry of no_proxy, `*`, a host (and all below it), .suffix or an address, speaks of the host. */
static bool entry_matches(const char *entry, size_t len, const char *host, size_t host_len)
{
    if (len == 1 && entry[0] == '*') return true;
    if (len > 1 && entry[0] == '[' && entry[len - 1] == ']') entry++, len -= 2;
    if (len > 0 && entry[0] == '.') entry++, len--;
    if (len == 0 || len > host_len || strncasecmp(host + host_len - len, entry, len) != 0) return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

static bool listed(const char *list, const char *host, size_t host_len)
{
    while (list && *list) {
        size_t len = strcspn(list, ", \t");
        if (entry_matches(list, len, host, host_len)) return true;
        list += len;
        list += strspn(list, ", \t");
    }
    return false;
}

/* The host inside an URL: behind scheme and user, before port and path, without the brackets of an IPv6
   address. */
static const char *url_host(const char *url, size_t *len)
{
    const char *mark = strstr(url, "://"), *host = mark ? mark + 3 : url;
    const char *end = host + strcspn(host, "/?#");
    for (const char *p = host; p < end; p++)
        if (*p == '@') host = p + 1;
    bool bracketed = *host == '[';
    host += bracketed;
    *len = strcspn(host, bracketed ? "]" : ":/?#");
    return host;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void take_environment_proxy(tool *t, const char *url)
{
    size_t len;
    const char *host = url_host(url, &len);
    const char *proxy = variable(strncasecmp(url, "https:", 6) == 0 ? "https_proxy" : "http_proxy");
    if (!proxy) proxy = variable("all_proxy");
    if (!proxy || listed(variable("no_proxy"), host, len)) return;
    if (!strstr(proxy, "://")) text_add(&t->proxy, "http://", 7);
    text_add(&t->proxy, proxy, strlen(proxy));
    t->options.proxy = t->proxy.bytes;
}

static void choose_proxy(tool *t)
{
    const char *url = t->options.url        ? t->options.url
                      : t->options.endpoint ? t->options.endpoint
                                            : default_url;
    if (!t->options.proxy) take_environment_proxy(t, url);
    else if (!*t->options.proxy) t->options.proxy = NULL;
}

/* ==== [SIGNALS] ==== */

static volatile sig_atomic_t interrupts;    /* Ctrl-C since the last prompt; on_tick() reads it */
/* Ctrl-C leads to line_void: a read() that is just about to begin would not hear of it */
static volatile sig_atomic_t reading_line;
static sigjmp_buf line_void;
static volatile sig_atomic_t paste_marks;   /* the terminal was told to mark pasted text */
static volatile sig_atomic_t json_lines;

static void put_bytes(int fd, const char *bytes)
{
    if (write(fd, bytes, strlen(bytes)) < 0) return;    /* nobody is left to tell */
}

static void paste_marks_off(void)
{
    if (paste_marks) put_bytes(STDERR_FILENO, "\033[?2004l");
    paste_marks = 0;
}

/* SIGALRM comes after --timeout has passed unheeded. A name lookup and a write to a reader that does not read
   hear of no timeout, and of no Ctrl-C: whoever presses it three times gets out. */
static void on_signal(int sig)
{
    if (sig == SIGINT && reading_line) siglongjmp(line_void, 1);
    if (sig == SIGINT && ++interrupts < 3) return;
    paste_marks_off();
    if (sig != SIGALRM) _exit(128 + sig);
    put_bytes(STDERR_FILENO, "chatgptt: E_TIMEOUT: stuck in the name lookup or in writing the answer\n");
    if (json_lines)
        put_bytes(STDOUT_FILENO,
                  "{\"event\":\"error\",\"code\":\"E_TIMEOUT\",\"message\":\"stuck\",\"status\":0}\n");
    _exit(EXIT_ERROR);
}

static void handle(int sig, void (*handler)(int))
{
    /* no SA_RESTART: reading the terminal is to end */
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(sig, &action, NULL);
}

static int on_tick(void *user)
{
    (void)user;
    return interrupts > 0;
}

/* ==== [STATE] ==== */

/* 0, or errno; EINTR only if the user interrupted. */
static int read_all(int fd, text *into)
{
    char block[4096];
    text_clear(into);
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n == 0) return 0;
        if (n > 0) text_add(into, block, (size_t)n);
        else if (errno != EINTR || interrupts) return errno;
    }
}

static void state_notice(tool *t, const char *what, const char *why)
{
    char line[512];
    snprintf(line, sizeof line, "%s: %s", what, why);
    put_notice(t, line, strlen(line));
}

static void load_state(tool *t)
{
    text bytes = {0};
    int fd = open(t->state, O_RDONLY | O_NOCTTY), failed = fd < 0 ? errno : read_all(fd, &bytes);
    if (fd >= 0) close(fd);
    if (failed && failed != ENOENT) state_notice(t, "the state file is ignored", strerror(failed));
    if (!failed && chatgptt_load(t->client, bytes.bytes, bytes.len) < 0)
        state_notice(t, "the state file is ignored", chatgptt_client_error(t->client)->message);
    free(bytes.bytes);
}

/* A whole file under another name in the same directory, then renamed: a crash leaves the old state or the
   new one. */
static int replace_file(const char *path, const char *bytes, size_t len)
{
    text name = {0};
    char suffix[32];
    int fd, failed = 0;
    snprintf(suffix, sizeof suffix, ".%ld.tmp", (long)getpid());
    text_add(&name, path, strlen(path));
    text_add(&name, suffix, strlen(suffix));
    unlink(name.bytes);                         /* left by a crashed program that had our number */
    errno = 0;
    fd = open(name.bytes, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fsync(fd) < 0) failed = errno ? errno : ENOSPC;
    if (fd >= 0 && close(fd) < 0 && !failed) failed = errno;
    if (!failed && rename(name.bytes, path) < 0) failed = errno;
    if (failed && fd >= 0) unlink(name.bytes);
    free(name.bytes);
    return failed;
}

static void save_state(tool *t)
{
    size_t size = t->state ? chatgptt_save(t->client, NULL, 0) : 0;
    if (size == 0) return;
    char *bytes = must(malloc(size));
    int failed = replace_file(t->state, bytes, chatgptt_save(t->client, bytes, size));
    if (failed) state_notice(t, "the state file was not written", strerror(failed));
    free(bytes);
}

/* ==== [TURN] one message and its answer ==== */

/* What the page told of its chat, once it is known. */
static void introduce(tool *t)
{
    const chatgptt_site *site = chatgptt_client_site(t->client);
    const char *const rows[][2] = { { "chat", site->bot_name },
                                    { "greeting", site->greeting },
                                    { "consent", site->consent } };
    for (size_t i = 0; i < 3 && !t->introduced; i++)
        if (rows[i][1][0]) say(rows[i][0], rows[i][1], strlen(rows[i][1]));
    if (rows[0][1][0] || rows[1][1][0] || rows[2][1][0]) t->introduced = true;
}

/* `kept`, if given, gathers the answer: then the event's text is copied before the client is asked about the
   site. */
static void put_event(tool *t, const chatgptt_event *event, text *kept)
{
    const char *bytes = event->text;
    if (event->kind == CHATGPTT_NOTICE) {
        put_notice(t, bytes, event->len);
        return;
    }
    if (kept) {
        text_add(kept, bytes, event->len);
        bytes = kept->bytes + kept->len - event->len;
        introduce(t);
    }
    put_text(t, bytes, event->len);
}

static void end_answer(tool *t, chatgptt_stream *stream, chatgptt_code code)
{
    t->last = *chatgptt_stream_stats(stream);
    t->has_last = true;
    if (t->stats || code < 0) begin_remark(t);
    else end_line(t);
    if (code < 0 && !t->write_error) put_error(t, chatgptt_stream_error(stream));
    if (code == CHATGPTT_DONE && t->json) {
        fputs("{\"event\":\"done\",\"stats\":{", stdout);
        put_stats(stdout, &t->last, true);
        puts("}}");
        flush_output(t);
    }
    if (t->stats) put_stats_line(&t->last);
}

static int exit_status(tool *t, chatgptt_code code)
{
    if (code != CHATGPTT_DONE && interrupts) return EXIT_INTERRUPTED;
    if (t->write_error) return fail(t, CHATGPTT_E_IO, "standard output", strerror(t->write_error));
    return code == CHATGPTT_DONE ? 0 : EXIT_ERROR;
}

/* Sends the messages and prints the answer. 0 only if it is complete; else the exit status. */
static int ask(tool *t, const chatgptt_message *messages, size_t count, chatgptt_conversation *conversation,
               text *kept) {
    chatgptt_request request = {
        .messages = messages, .num_messages = count, .conversation = conversation, .on_tick = on_tick
    };
    chatgptt_stream *stream = chatgptt_start(t->client, &request);
    if (!stream && conversation && chatgptt_client_error(t->client)->code == CHATGPTT_E_UNSUPPORTED) {
        request.conversation = NULL;            /* all messages folded into one prompt: a memory too */
        stream = chatgptt_start(t->client, &request);
    }
    if (!stream) return put_error(t, chatgptt_client_error(t->client)), EXIT_ERROR;
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        put_event(t, &event, kept);
        if (t->write_error) chatgptt_cancel(stream);
    }
    end_answer(t, stream, code);
    chatgptt_finish(stream);
    save_state(t);
    return exit_status(t, code);
}

static int one_shot(tool *t, const text *prompt)
{
    chatgptt_message messages[2] = { { CHATGPTT_SYSTEM, t->system, 0 },
                                     { CHATGPTT_USER, prompt->bytes, prompt->len } };
    if (t->timeout) alarm((unsigned)t->options.total_timeout_ms / 1000 + 2);
    int status = t->system ? ask(t, messages, 2, NULL, NULL) : ask(t, messages + 1, 1, NULL, NULL);
    alarm(0);
    return status;
}

static int ask_standard_input(tool *t)
{
    text prompt = {0};
    int failed = read_all(STDIN_FILENO, &prompt), status;
    if (failed)
        status = fail(t, failed == EINTR ? CHATGPTT_E_CANCELLED : CHATGPTT_E_IO, "standard input",
                      strerror(failed));
    else status = one_shot(t, &prompt);
    free(prompt.bytes);
    return failed == EINTR ? EXIT_INTERRUPTED : status;
}

/* ==== [REPL] a conversation on the terminal ==== */

typedef struct memory {
    chatgptt_message *messages;     /* what was said and answered; a turn that failed is not among it */
    size_t count, size;
    chatgptt_conversation conversation;
} memory;

static void remember(memory *m, chatgptt_role role, const char *bytes, size_t len)
{
    char *copy = must(malloc(len + 1));
    if (m->count == m->size) {
        m->size = m->size * 2 + 16;
        m->messages = must(realloc(m->messages, m->size * sizeof *m->messages));
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    m->messages[m->count++] = (chatgptt_message){role, copy, len};
}

static void forget_to(memory *m, size_t count)
{
    while (m->count > count) free((char *)m->messages[--m->count].text);
}

static void begin_conversation(tool *t, memory *m)
{
    forget_to(m, 0);
    memset(&m->conversation, 0, sizeof m->conversation);
    if (t->system) remember(m, CHATGPTT_SYSTEM, t->system, strlen(t->system));
}

static void converse(tool *t, memory *m, const text *prompt)
{
    text answer = {0};
    size_t before = m->count;
    remember(m, CHATGPTT_USER, prompt->bytes, prompt->len);
    int status = ask(t, m->messages, m->count, &m->conversation, &answer);
    if (status == 0) remember(m, CHATGPTT_ASSISTANT, answer.bytes ? answer.bytes : "", answer.len);
    else forget_to(m, before);
    free(answer.bytes);
}

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

static bool inside_paste(const text *typed)
{
    const char *begin = typed->bytes, *end = begin;
    while (end && (begin = strstr(end, paste_begin)) != NULL) end = strstr(begin, paste_end);
    return end == NULL;
}

static void cut_out(text *typed, const char *mark)
{
    char *p = typed->bytes;
    size_t len = strlen(mark);
    while ((p = strstr(p, mark)) != NULL) {
        memmove(p, p + len, typed->len - (size_t)(p - typed->bytes) - len + 1);
        typed->len -= len;
    }
}

/* As read() from the terminal, which gives a line at most; -1 also if the user interrupts. */
static ssize_t read_line(char *line, size_t size)
{
    volatile ssize_t n = -1;
    if (sigsetjmp(line_void, 1) == 0) {
        reading_line = 1;
        while (!interrupts && (n = read(STDIN_FILENO, line, size)) < 0 && errno == EINTR) {}
    } else {
        interrupts = 1;
        n = -1;
    }
    reading_line = 0;
    return n;
}

/* One message: a line, or all lines of a paste and what follows it on its last line. False at the end of
   input. */
static bool read_message(text *typed)
{
    char line[4096];
    text_clear(typed);
    interrupts = 0;
    fputs(paste_marks ? "\033[?2004h> " : "> ", stderr);
    fflush(stderr);
    do {
        ssize_t n = read_line(line, sizeof line);
        if (n > 0) text_add(typed, line, (size_t)n);
        if (interrupts) text_clear(typed);      /* Ctrl-C: what was typed is void */
        if (n <= 0) putc('\n', stderr);
        if (n <= 0 && !interrupts && typed->len == 0) return false;
        if (n <= 0) break;
    } while (typed->bytes[typed->len - 1] != '\n' || inside_paste(typed));
    cut_out(typed, paste_begin);
    cut_out(typed, paste_end);
    while (typed->len > 0 && typed->bytes[typed->len - 1] == '\n') typed->bytes[--typed->len] = '\0';
    return true;
}

/* A slash and one word of letters; a path or a question that begins with a slash is a message. */
static bool is_command(const char *typed)
{
    return typed[0] == '/' && typed[1] && typed[1 + strspn(typed + 1, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

/* False: quit. */
static bool run_command(tool *t, memory *m, const char *command)
{
    if (strcmp(command, "/quit") == 0) return false;
    if (strcmp(command, "/new") == 0) {
        begin_conversation(t, m);
        fputs("a new conversation\n", stderr);
    } else if (strcmp(command, "/stats") == 0) {
        if (t->has_last) put_stats_line(&t->last);
        else fputs("nothing was asked yet\n", stderr);
    } else {
        if (strcmp(command, "/help") != 0) fprintf(stderr, "no such command: %s\n", command);
        fputs("/new  forget what was said     /stats  times and sizes of the last answer     /quit  or "
              "Ctrl-D  leave\n"
              "Ctrl-C stops an answer. A line is a message; pasted lines are one. Lines over 4,000 bytes: "
              "chatgptt <FILE\n",
              stderr);
    }
    return true;
}

static int repl(tool *t)
{
    memory m = {0};
    text typed = {0};
    begin_conversation(t, &m);
    fprintf(stderr, "chatgptt %s. What you write goes to the site. /help lists the commands.\n",
            CHATGPTT_VERSION);
    introduce(t);                               /* known already if it stood in the state */
    atexit(paste_marks_off);
    handle(SIGTERM, on_signal);
    const char *term = variable("TERM");
    paste_marks = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    while (!t->write_error && read_message(&typed)) {
        if (is_command(typed.bytes)) {
            if (!run_command(t, &m, typed.bytes)) break;
        } else if (typed.bytes[strspn(typed.bytes, " \t")] != '\0') {
            converse(t, &m, &typed);
        }
    }
    forget_to(&m, 0);
    free(m.messages);
    free(typed.bytes);
    return t->write_error ? EXIT_ERROR : 0;
}

/* ==== [MAIN] ==== */

/* A socket must not become descriptor 0, 1 or 2. The wrong mode, so that using what was closed still fails.
   */
static void occupy_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) _exit(EXIT_ERROR);
}

static bool same_file(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int print(tool *t, const char *words)
{
    fputs(words, stdout);
    flush_output(t);
    return exit_status(t, CHATGPTT_DONE);
}

static int converse_as_asked(tool *t)
{
    chatgptt_error error;
    t->client = chatgptt_open(&t->options, &error);
    if (!t->client) return put_error(t, &error), EXIT_ERROR;
    if (t->state) load_state(t);
    int status = t->has_words           ? one_shot(t, &t->words)
                 : isatty(STDIN_FILENO) ? repl(t)
                                        : ask_standard_input(t);
    chatgptt_close(t->client);
    return status;
}

int main(int argc, char **argv)
{
    (void)argc;
    occupy_standard_descriptors();
    setvbuf(stderr, NULL, _IOLBF, 1024);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGINT, on_signal);
    handle(SIGALRM, on_signal);
    tool t = {.terminal = isatty(STDOUT_FILENO) != 0};
    t.mixed = !t.terminal && same_file(STDOUT_FILENO, STDERR_FILENO);
    int status = parse_arguments(&t, argv);
    if (status == 0) {
        json_lines = t.json;
        if (t.verbose) t.options.hooks.trace = trace;
        choose_proxy(&t);
        if (t.help) status = print(&t, help_text);
        else if (t.version) status = print(&t, "chatgptt " CHATGPTT_VERSION "\n");
        else status = converse_as_asked(&t);
    }
    free(t.words.bytes);
    free(t.proxy.bytes);
    return status;
}
