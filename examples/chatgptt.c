/* chatgptt: the command line of chatgptt.h, and a small REPL. It uses nothing but the public API.

   The answer and nothing else goes to standard output, flushed as it arrives; everything else goes to
   standard error. Exit: 0 the answer is complete, 1 an error, 2 wrong usage, 130 interrupted.

   CONTENTS: [OUTPUT] [OPTIONS] [SITE] [SIGNALS] [STATE] [TURN] [CHAT] [REPL] [MAIN]; beside it
   text.h, files.h, kept_chat.h for --chat, proxy_env.h, line_edit.h with terminal.h, doctor.h for --doctor */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"
#include "doctor.h"
#include "kept_chat.h"
#include "line_edit.h"
#include "proxy_env.h"

enum { EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static const char default_url[] = "https://chatgptt.me";

/* ==== [OUTPUT] ==== */

typedef struct tool {
    chatgptt_options options;
    const char *dialect, *timeout, *system, *state, *chat;
    bool json, stats, verbose, help, version, doctor;
    text words;                     /* MESSAGE */
    bool has_words;
    text proxy, url, history;       /* out of the environment; with its scheme; the name of its file */
    bool may_fall_back;             /* no scheme was given, and the host is this machine */
    chatgptt_client *client;
    memory memory;
    bool terminal;                  /* standard output is one */
    bool shared;                    /* both outputs end in one place: a remark would hang on the answer */
    bool colours, lively;           /* standard error is a terminal that can do these */
    bool talking;                   /* in the REPL */
    bool mid_line;                  /* the answer's last byte on it was not LF */
    long long asked;                /* when the answer that still has no text was asked for; 0: none */
    int waited;                     /* the seconds that are shown of that */
    int write_error;                /* errno of standard output */
    bool introduced;                /* name, greeting and consent were shown */
    chatgptt_stats last;            /* of the last answer, if there was one */
    bool has_last;
} tool;

static volatile sig_atomic_t interrupts;        /* Ctrl-C since the last prompt; on_tick() reads it */

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
    static const char controls[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
    putc('"', to);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *found = c ? strchr(controls, c) : NULL;
        if (found) fprintf(to, "\\%c", letters[found - controls]);
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
    struct pollfd out = {STDOUT_FILENO, 0, 0};
    int error;
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    error = errno;
    /* a full buffer was written before, and why that failed is not known any more: a pipe still tells */
    if (!error) error = poll(&out, 1, 0) == 1 && out.revents & POLLERR ? EPIPE : EIO;
    /* Ctrl-C before a reader that does not read: on_tick() will see to it */
    if (error == EINTR) clearerr(stdout);
    else if (!t->write_error) t->write_error = error;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A sign of life, from the first second on, until something else is to be shown. */
static void show_waiting(tool *t)
{
    int seconds = t->asked ? (int)((now_ms() - t->asked) / 1000) : 0;
    if (!t->lively || seconds == t->waited) return;
    t->waited = seconds;
    fprintf(stderr, t->colours ? "\r\033[2m... %d s\033[0m" : "\r... %d s", seconds);
    fflush(stderr);
}

static void hide_waiting(tool *t)
{
    if (!t->waited) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    t->waited = 0;
}

static void end_line(tool *t)
{
    if (!t->mid_line) return;
    t->mid_line = false;
    if (t->terminal && !t->json) putchar('\n');
    flush_output(t);
}

/* Before a line on standard error. */
static void begin_remark(tool *t)
{
    hide_waiting(t);
    if (!t->mid_line || !t->shared || t->json) return;
    if (t->terminal) putchar('\n');
    else putc('\n', stderr);
    t->mid_line = false;
    flush_output(t);
}

static void say(tool *t, const char *label, const char *bytes, size_t len)
{
    const char *colour = strncmp(label, "E_", 2) == 0 ? "31" : strcmp(label, "notice") == 0 ? "33" : "2";
    if (t->colours) fprintf(stderr, "\033[%smchatgptt: %s:\033[0m ", colour, label);
    else fprintf(stderr, "chatgptt: %s: ", label);
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
    if (t->json) put_json_line("notice", bytes, len);
    else say(t, "notice", bytes, len);
    flush_output(t);
}

/* Whoever presses Ctrl-C knows that it was pressed, but a program that reads JSON does not. */
static void put_error(tool *t, const chatgptt_error *error)
{
    const char *name = chatgptt_code_name(error->code);
    const char *words = error->message[0] ? error->message : chatgptt_code_text(error->code);
    begin_remark(t);
    end_line(t);
    if (t->talking || !interrupts) say(t, name, words, strlen(words));
    if (t->talking && error->code == CHATGPTT_E_LIMIT)
        fputs("a shorter message may pass; /new leaves out what was said before\n", stderr);
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
    hide_waiting(t);
    t->asked = 0;
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

static void put_stats_line(tool *t, const chatgptt_stats *stats)
{
    begin_remark(t);
    fputs("chatgptt: stats: ", stderr);
    put_stats(stderr, stats, false);
    putc('\n', stderr);
}

static void trace(void *user, const char *what, const char *bytes, size_t len)
{
    begin_remark((tool *)user);
    do {
        const char *lf = len ? memchr(bytes, '\n', len) : NULL;
        size_t line = lf ? (size_t)(lf - bytes) : len, used = lf ? line + 1 : line;
        say((tool *)user, what, bytes, line);
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
    "  -u, --url URL        page that holds the chat (https://chatgptt.me); without a scheme: https\n"
    "      --endpoint URL   where messages are sent (what the page names)\n"
    "  -b, --bot ID         which chat of the page (its first); with --endpoint and --dialect aipkit no page "
    "is read\n"
    "      --dialect NAME   auto, wpaicg (plugin 1.x to 2.2) or aipkit (2.3 and later) (auto)\n"
    "  -m, --model NAME     checked only: the site picks its model\n"
    "      --system TEXT    a system message in front\n"
    "  -p, --proxy URL      http://[user:password@]host[:port]; \"\" for none (https_proxy, http_proxy, "
    "all_proxy and no_proxy\n"
    "                       of the environment; also in capitals, but for HTTP_PROXY)\n"
    "      --ca FILE        trust the certificates in FILE only\n"
    "  -k, --insecure       accept any certificate: whoever is on the path can read and change the chat\n"
    "      --timeout SECONDS  for the whole, from lookup to the last byte; fractions are allowed (600)\n"
    "      --state FILE     keep tokens and ids in FILE, so that the next run asks at once, and the lines "
    "typed in\n"
    "                       FILE.history; keep both as secret as a password\n"
    "      --chat FILE      go on with the conversation in FILE, and keep it there\n"
    "      --doctor [URL]   look at each step on the way to the chat, and send no message\n"
    "  -j, --json           one JSON object a line: text, notice, done, error\n"
    "      --stats          times and sizes, one line on standard error\n"
    "  -v, --verbose        what is sent and received, on standard error\n"
    "  -h, --help; -V, --version; --    print this; print the version; what follows is MESSAGE\n"
    "\n"
    "Exit status: 0 the answer is complete, 1 an error, 2 wrong usage, 130 interrupted.\n";

static int wrong(const char *what, const char *argument)
{
    fprintf(stderr, "chatgptt: %s: ", what);
    put_clean(stderr, argument, strlen(argument), false);
    fputs(" (see --help)\n", stderr);
    return EXIT_USAGE;
}

typedef struct option { char letter; const char *name; const char **value; bool *flag; } option;

/* Takes the value, behind '=' or the letter, or the next argument. */
static int take_value(const option *o, const char *value, char **argv, int *i)
{
    if (o->flag) return *o->flag = true, 0;
    if (!value && !argv[*i + 1]) return wrong("needs a value", argv[*i]);
    *o->value = value ? value : argv[++*i];
    return 0;
}

static int parse_long(const option *known, char **argv, int *i)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    while (known->name && (strlen(known->name) != len || memcmp(known->name, name, len) != 0)) known++;
    if (!known->name) return wrong("no such option", argv[*i]);
    if (known->flag && equals) return wrong("takes no value", argv[*i]);
    return take_value(known, equals ? equals + 1 : NULL, argv, i);
}

/* Letters may stand together, -kj; the rest of a word is the value of a letter that takes one, -bID. */
static int parse_letters(const option *known, char **argv, int *i)
{
    const char *arg = argv[*i];
    for (const char *p = arg + 1; *p; p++) {
        const option *o = known;
        while (o->name && o->letter != *p) o++;
        if (!o->name) return wrong("no such option", arg);
        if (o->value) return take_value(o, p[1] ? p + 1 : NULL, argv, i);
        *o->flag = true;
    }
    return 0;
}

/* Takes argv[*i], which begins with '-', and its value. */
static int parse_option(tool *t, char **argv, int *i)
{
    const option known[] = { { 'u', "url", &t->options.url, NULL },
                             { 0, "endpoint", &t->options.endpoint, NULL },
                             { 'b', "bot", &t->options.bot_id, NULL },
                             { 0, "dialect", &t->dialect, NULL },
                             { 'm', "model", &t->options.model, NULL },
                             { 0, "system", &t->system, NULL },
                             { 'p', "proxy", &t->options.proxy, NULL },
                             { 0, "ca", &t->options.ca_file, NULL },
                             { 'k', "insecure", NULL, &t->options.insecure },
                             { 0, "timeout", &t->timeout, NULL },
                             { 0, "state", &t->state, NULL },
                             { 0, "chat", &t->chat, NULL },
                             { 0, "doctor", NULL, &t->doctor },
                             { 'j', "json", NULL, &t->json },
                             { 0, "stats", NULL, &t->stats },
                             { 'v', "verbose", NULL, &t->verbose },
                             { 'h', "help", NULL, &t->help },
                             { 'V', "version", NULL, &t->version },
                             { 0, NULL, NULL, NULL } };
    return argv[*i][1] == '-' ? parse_long(known, argv, i) : parse_letters(known, argv, i);
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

/* ==== [SITE] where it is, and what is on the way ==== */

static const char *site_url(const tool *t)
{
    return t->options.url ? t->options.url : t->options.endpoint ? t->options.endpoint : default_url;
}

static void choose_proxy(tool *t)
{
    if (!t->options.proxy) t->options.proxy = environment_proxy(site_url(t));
    if (t->options.proxy && !*t->options.proxy) t->options.proxy = NULL;
    if (!t->options.proxy || behind_scheme(t->options.proxy) != t->options.proxy) return;
    text_puts(&t->proxy, "http://");
    text_puts(&t->proxy, t->options.proxy);
    t->options.proxy = t->proxy.bytes;
}

/* A site without a scheme is asked by https, and by nothing else unless it is this machine. */
static void complete_url(tool *t)
{
    size_t len;
    const char *url = t->options.url;
    if (!url || !*url || behind_scheme(url) != url) return;
    text_puts(&t->url, "https://");
    text_puts(&t->url, url);
    t->options.url = t->url.bytes;
    const char *host = url_host(t->options.url, &len);
    t->may_fall_back = is_this_machine(host, len);
    /* a server may wait for more than a handshake */
    if (t->may_fall_back) t->options.connect_timeout_ms = 2000;
}

/* ==== [SIGNALS] ==== */

static volatile sig_atomic_t json_lines;

static void put_bytes(int fd, const char *bytes)
{
    if (write(fd, bytes, strlen(bytes)) < 0) return;    /* nobody is left to tell */
}

/* SIGALRM comes after --timeout has passed unheeded. A name lookup and a write to a reader that does not read
   hear of no timeout, and of no Ctrl-C: whoever presses it three times gets out. */
static void on_signal(int sig)
{
    if (sig == SIGINT && ++interrupts < 3) return;
    terminal_leave();
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
    show_waiting((tool *)user);
    return interrupts > 0;
}

/* ==== [STATE] tokens and ids, from run to run ==== */

static void file_notice(tool *t, const char *what, const char *path, const char *why)
{
    text line = { 0 };
    const char *const parts[] = { what, " ", path, ": ", why };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) text_puts(&line, parts[i]);
    put_notice(t, line.bytes, line.len);
    free(line.bytes);
}

static void load_state(tool *t)
{
    text bytes = { 0 };
    const char *why = read_file(t->state, &bytes, &interrupts);
    bool keep = !why;                           /* what cannot be read is not ours to replace */
    if (bytes.len && chatgptt_load(t->client, bytes.bytes, bytes.len) < 0)
        why = chatgptt_client_error(t->client)->message;
    if (why) file_notice(t, "the state file is ignored:", t->state, why);
    if (!keep) t->state = NULL;
    free(bytes.bytes);
}

static void client_as_bytes(const tool *t, text *into)
{
    size_t size = chatgptt_save(t->client, NULL, 0);
    char *bytes = must(malloc(size + 1));
    text_add(into, bytes, chatgptt_save(t->client, bytes, size));
    free(bytes);
}

static void save_state(tool *t)
{
    text bytes = { 0 };
    if (!t->state) return;
    client_as_bytes(t, &bytes);
    const char *why = bytes.len ? replace_file(t->state, &bytes) : "out of memory";
    if (why) file_notice(t, "the state file was not written:", t->state, why);
    free(bytes.bytes);
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
        if (rows[i][1][0]) say(t, rows[i][0], rows[i][1], strlen(rows[i][1]));
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
        hide_waiting(t);
        if (t->talking) introduce(t);
    }
    put_text(t, bytes, event->len);
}

static void end_answer(tool *t, chatgptt_stream *stream, chatgptt_code code)
{
    t->last = *chatgptt_stream_stats(stream);
    t->has_last = true;
    t->asked = 0;
    hide_waiting(t);
    if (code < 0 && !t->write_error) put_error(t, chatgptt_stream_error(stream));
    if (t->stats) put_stats_line(t, &t->last);
    end_line(t);
    if (code != CHATGPTT_DONE || !t->json) return;
    fputs("{\"event\":\"done\",\"stats\":{", stdout);
    put_stats(stdout, &t->last, true);
    puts("}}");
    flush_output(t);
}

/* A reader that has enough, head for one, is no fault to be told of. */
static int exit_status(tool *t, chatgptt_code code)
{
    if (code != CHATGPTT_DONE && interrupts) return EXIT_INTERRUPTED;
    if (t->write_error == EPIPE) return EXIT_ERROR;
    if (t->write_error) return fail(t, CHATGPTT_E_IO, "standard output", strerror(t->write_error));
    return code == CHATGPTT_DONE ? 0 : EXIT_ERROR;
}

/* This machine, named without a scheme, speaks no https: nothing was sent, and nobody is on the way. */
static void fall_back(tool *t, const char *why)
{
    t->may_fall_back = false;
    t->options.connect_timeout_ms = 0;
    file_notice(t, "no https there, so by http:", t->url.bytes, why);
    memmove(t->url.bytes + 4, t->url.bytes + 5, t->url.len - 4);
    t->url.len--;
}

static bool open_client(tool *t)
{
    chatgptt_error error;
    t->client = chatgptt_open(&t->options, &error);
    if (!t->client && t->may_fall_back && error.code == CHATGPTT_E_UNSUPPORTED) {   /* built without TLS */
        fall_back(t, error.message);
        t->client = chatgptt_open(&t->options, &error);
    }
    if (!t->client) put_error(t, &error);
    return t->client != NULL;
}

static bool may_fall_back(const tool *t, chatgptt_code code)
{
    bool no_tls = code == CHATGPTT_E_TLS || code == CHATGPTT_E_CONNECT || code == CHATGPTT_E_CLOSED ||
                  code == CHATGPTT_E_IO || code == CHATGPTT_E_TIMEOUT;
    return t->may_fall_back && !t->options.proxy && no_tls;
}

static chatgptt_stream *begin_answer(tool *t, chatgptt_request *request)
{
    chatgptt_stream *stream = chatgptt_start(t->client, request);
    bool no_memory = !stream && chatgptt_client_error(t->client)->code == CHATGPTT_E_UNSUPPORTED;
    if (no_memory && request->conversation) {
        request->conversation = NULL;           /* all messages folded into one prompt: a memory too */
        stream = chatgptt_start(t->client, request);
    }
    if (!stream) put_error(t, chatgptt_client_error(t->client));
    else t->asked = now_ms();
    return stream;
}

/* Sends the messages and prints the answer. 0 only if it is complete; else the exit status. */
static int ask(tool *t, const chatgptt_message *messages, size_t count, chatgptt_conversation *conversation,
               text *kept)
{
    chatgptt_request request = { .messages = messages, .num_messages = count, .model = t->options.model,
                                 .conversation = conversation, .on_tick = on_tick, .tick_user = t };
    chatgptt_stream *stream = begin_answer(t, &request);
    if (!stream) return EXIT_ERROR;
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        put_event(t, &event, kept);
        if (t->write_error) chatgptt_cancel(stream);
    }
    if (may_fall_back(t, code) && chatgptt_stream_stats(stream)->requests == 0) {
        fall_back(t, chatgptt_stream_error(stream)->message);
        chatgptt_close(t->client);
        return open_client(t) ? ask(t, messages, count, conversation, kept) : EXIT_ERROR;
    }
    end_answer(t, stream, code);
    chatgptt_finish(stream);
    save_state(t);
    return exit_status(t, code);
}

/* ==== [CHAT] turns that know of each other ==== */

static void begin_conversation(tool *t)
{
    memory *m = &t->memory;
    forget(m, 0, m->count);
    memset(&m->conversation, 0, sizeof m->conversation);
    m->answered = false;
    set_system(m, t->system);
}

/* A conversation that has outgrown what a site takes goes on without its oldest turns. */
static void leave_out_oldest(tool *t)
{
    char words[128];
    size_t n = forget_oldest(&t->memory);
    if (n == 0) return;
    snprintf(words, sizeof words,
             "the conversation is too long to be sent whole: its oldest %zu messages are left out", n);
    put_notice(t, words, strlen(words));
}

/* Host, port and path: the scheme may change. */
static const char *chat_site(const tool *t)
{
    return behind_scheme(site_url(t));
}

/* Tokens and ids stand in it too, unless --state keeps them. */
static void save_chat(tool *t)
{
    text file = { 0 }, state = { 0 };
    if (!t->chat) return;
    if (!t->state) client_as_bytes(t, &state);
    write_chat(&t->memory, chat_site(t), &state, &file);
    const char *why = replace_file(t->chat, &file);
    if (why) file_notice(t, "the conversation was not written:", t->chat, why);
    free(state.bytes);
    free(file.bytes);
}

/* A file that cannot be gone on with is an error, and is left as it is. 0, or the exit status. */
static int load_chat(tool *t)
{
    memory *m = &t->memory;
    text file = { 0 }, state = { 0 };
    const char *why = t->chat ? read_file(t->chat, &file, &interrupts) : NULL;
    if (!why && file.len) why = parse_chat(m, chat_site(t), &file, &state);
    if (!why && state.len && !t->state) (void)chatgptt_load(t->client, state.bytes, state.len);
    free(state.bytes);
    free(file.bytes);
    if (t->system) set_system(m, t->system);
    return why ? fail(t, CHATGPTT_E_ARGUMENT, t->chat, why) : 0;
}

/* One more turn, m->last. */
static int converse(tool *t)
{
    memory *m = &t->memory;
    text answer = { 0 };
    m->before = m->conversation;
    remember(m, CHATGPTT_USER, m->last.bytes, m->last.len);
    leave_out_oldest(t);
    int status = ask(t, m->messages, m->count, &m->conversation, &answer);
    m->answered = status == 0;
    if (status == 0) remember(m, CHATGPTT_ASSISTANT, answer.bytes, answer.len);
    else forget(m, m->count - 1, 1);
    if (status == 0) save_chat(t);
    free(answer.bytes);
    return status;
}

static int one_shot(tool *t, const text *prompt)
{
    chatgptt_message messages[2] = { { CHATGPTT_SYSTEM, t->system, 0 },
                                     { CHATGPTT_USER, prompt->bytes, prompt->len } };
    if (t->timeout) alarm((unsigned)t->options.total_timeout_ms / 1000 + 2);
    int status;
    if (t->chat) text_set(&t->memory.last, prompt->bytes, prompt->len), status = converse(t);
    else if (t->system && *t->system) status = ask(t, messages, 2, NULL, NULL);
    else status = ask(t, messages + 1, 1, NULL, NULL);
    alarm(0);
    return status;
}

/* What `echo` and editors add, a last line feed, is no part of the message. */
static int ask_standard_input(tool *t)
{
    text prompt = { 0 };
    int failed = read_all(STDIN_FILENO, &prompt, &interrupts), status;
    if (prompt.len && prompt.bytes[prompt.len - 1] == '\n') prompt.bytes[--prompt.len] = '\0';
    chatgptt_code code = failed == EINTR ? CHATGPTT_E_CANCELLED : CHATGPTT_E_IO;
    if (failed) status = fail(t, code, "standard input", strerror(failed));
    else status = one_shot(t, &prompt);
    free(prompt.bytes);
    return failed == EINTR ? EXIT_INTERRUPTED : status;
}

/* ==== [REPL] a conversation on the terminal ==== */

/* Its lines: a message each, with backslashes doubled and line ends as \n. */
static void load_history(tool *t, editor *e)
{
    text file = { 0 }, line = { 0 };
    if (!t->state) return;
    text_puts(&t->history, t->state);
    text_puts(&t->history, ".history");
    const char *why = read_file(t->history.bytes, &file, &interrupts);
    for (size_t i = 0; i < file.len; i++) {
        const char *p = file.bytes + i;
        if (*p == '\n') { edit_remember(e, line.bytes, line.len); line.len = 0; }
        else if (*p == '\\' && ++i < file.len) text_add(&line, p[1] == 'n' ? "\n" : p + 1, 1);
        else if (*p) text_add(&line, p, 1);
    }
    if (why) { file_notice(t, "the history is ignored:", t->history.bytes, why); t->history.len = 0; }
    free(line.bytes);
    free(file.bytes);
}

static void save_history(tool *t, const editor *e)
{
    text file = { 0 };
    if (!t->history.len) return;
    for (size_t i = 0; i < e->past_len; i++, text_puts(&file, "\n"))
        for (const char *p = e->past[i]; *p; p++)
            text_add(&file, *p == '\n' ? "\\n" : *p == '\\' ? "\\\\" : p, *p == '\n' || *p == '\\' ? 2 : 1);
    const char *why = file.len ? replace_file(t->history.bytes, &file) : NULL;
    if (why) { file_notice(t, "the history was not written:", t->history.bytes, why); t->history.len = 0; }
    free(file.bytes);
}

static const char repl_help[] =
    "/new           forget what was said          /retry         ask the last message again\n"
    "/save FILE     write down what was said      /system [TEXT] a system message in front, or none\n"
    "/model [NAME]  name a model, or see all      /stats         times and sizes of the last answer\n"
    "/help          this                          /quit          leave; also Ctrl-D, or Ctrl-C twice\n"
    "Ctrl-C stops an answer. Pasted lines are one message; Alt-Enter begins a new line. Up and Ctrl-R find "
    "earlier ones.\n"
    "A message that begins with a slash: put a blank before it.\n";

static void command_save(tool *t, const char *path)
{
    static const char *const who[] = { "You: ", "Site: ", "System: " };
    const memory *m = &t->memory;
    text file = { 0 };
    for (size_t i = 0; i < m->count; i++) {
        text_puts(&file, who[m->messages[i].role]);
        text_add(&file, m->messages[i].text, m->messages[i].len);
        text_puts(&file, "\n\n");
    }
    int failed = !*path ? EINVAL : file.len ? write_new_file(path, &file) : ENODATA;
    if (!*path) fputs("/save wants the name of a new file\n", stderr);
    else if (!file.len) fputs("nothing was said yet\n", stderr);
    else if (failed) fprintf(stderr, "%s: %s\n", path, strerror(failed));
    else fprintf(stderr, "%zu messages are in %s\n", m->count, path);
    free(file.bytes);
}

static void command_model(tool *t, const char *name)
{
    const char *known = NULL, *now = t->options.model ? t->options.model : chatgptt_model(0);
    for (size_t i = 0; (known = chatgptt_model(i)) != NULL && strcmp(known, name) != 0;) i++;
    if (known) t->options.model = now = known;
    else if (*name) fprintf(stderr, "no such model: %s\n", name);
    for (size_t i = 0; chatgptt_model(i); i++)
        fprintf(stderr, "%s%s", chatgptt_model(i), strcmp(chatgptt_model(i), now) == 0 ? "* " : " ");
    fputs("(the site itself picks its model)\n", stderr);
}

static void command_system(tool *t, const char *words)
{
    set_system(&t->memory, words);
    if (*words) fputs("from the next message on\n", stderr);
    else fputs("no system message now\n", stderr);
}

static void command_new(tool *t, const char *nothing)
{
    (void)nothing;
    begin_conversation(t);
    save_chat(t);
    fputs("a new conversation\n", stderr);
}

static void command_retry(tool *t, const char *nothing)
{
    memory *m = &t->memory;
    (void)nothing;
    if (m->last.len == 0) { fputs("nothing was asked yet\n", stderr); return; }
    if (m->answered) {
        forget(m, m->count - 2, 2);
        m->conversation = m->before;
    }
    (void)converse(t);
}

static void command_stats(tool *t, const char *nothing)
{
    (void)nothing;
    if (t->has_last) put_stats_line(t, &t->last);
    else fputs("nothing was asked yet\n", stderr);
}

static void command_help(tool *t, const char *nothing)
{
    (void)t;
    (void)nothing;
    fputs(repl_help, stderr);
}

static const struct { const char *name; void (*run)(tool *t, const char *argument);
} commands[] = { { "new", command_new },       { "save", command_save },     { "model", command_model },
                 { "system", command_system }, { "retry", command_retry },   { "stats", command_stats },
                 { "help", command_help } };

static const char blanks[] = " \t\n";

/* The word behind a slash, in any case, if a blank follows, or nothing but blanks and the line end that was
   pasted with it; else 0: a path, or a question. */
static size_t command_length(const char *typed)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = typed[0] == '/' ? strspn(typed + 1, letters) : 0;
    const char *behind = typed + 1 + len;
    bool ends = behind[strspn(behind, blanks)] == '\0';
    return len && (ends || *behind == ' ' || *behind == '\t') ? len : 0;
}

/* `len` of the command, cut off its blanks. false: quit. */
static bool run_command(tool *t, text *typed, size_t len)
{
    const char *name = typed->bytes + 1, *argument = name + len;
    while (strchr(blanks, typed->bytes[typed->len - 1])) typed->bytes[--typed->len] = '\0';
    argument += strspn(argument, " \t");
    if (len == 4 && strncasecmp(name, "quit", 4) == 0) return false;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strlen(commands[i].name) != len || strncasecmp(commands[i].name, name, len) != 0) continue;
        commands[i].run(t, argument);
        return true;
    }
    fprintf(stderr, "no such command: /%.*s; a blank before it makes it a message\n", (int)len, name);
    command_help(t, "");
    return true;
}

/* What was typed: a command, a message, or nothing. false: quit. */
static bool obey(tool *t, editor *e)
{
    size_t command = command_length(e->line.bytes);
    if (command) return run_command(t, &e->line, command);
    if (e->line.bytes[strspn(e->line.bytes, blanks)] == '\0') return true;
    text_set(&t->memory.last, e->line.bytes, e->line.len);
    (void)converse(t);
    return true;
}

/* Reads and obeys until the end. Ctrl-C twice at the prompt, with nothing between, ends it too. */
static int read_and_obey(tool *t, editor *e)
{
    bool again = false;
    while (!t->write_error) {
        edit_result result = edit_read(e);
        if (result == EDIT_END) return 0;
        if (result == EDIT_VOID && again) return EXIT_INTERRUPTED;
        again = result == EDIT_VOID;
        if (again) fputs("Ctrl-C once more leaves\n", stderr);
        if (result == EDIT_REFUSED) fprintf(stderr, "not sent: %s\n", e->why);
        if (result != EDIT_LINE) continue;
        edit_remember(e, e->line.bytes, e->line.len);
        save_history(t, e);
        if (!obey(t, e)) return 0;
    }
    return EXIT_ERROR;
}

static int repl(tool *t)
{
    editor e = { 0 };
    t->talking = true;
    fputs("chatgptt " CHATGPTT_VERSION ". What you write goes to the site. /help lists the commands.\n",
          stderr);
    if (t->memory.answered) fprintf(stderr, "going on with %zu messages of %s\n", t->memory.count, t->chat);
    introduce(t);                               /* known already if it stood in the state */
    edit_open(&e, &interrupts);
    load_history(t, &e);
    handle(SIGTERM, on_signal);
    handle(SIGHUP, on_signal);
    int status = read_and_obey(t, &e);
    terminal_leave();
    edit_free(&e);
    return status;
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
    if (!open_client(t)) return EXIT_ERROR;
    if (t->state) load_state(t);
    int status = load_chat(t);
    if (status == 0)
        status = t->has_words           ? one_shot(t, &t->words)
                 : isatty(STDIN_FILENO) ? repl(t)
                                        : ask_standard_input(t);
    chatgptt_close(t->client);
    return status;
}

static int examine(tool *t)
{
    chatgptt_error error;
    chatgptt_code code = doctor_examine(&t->options, on_tick, t, &error);
    if (may_fall_back(t, code)) {
        fall_back(t, error.message);
        code = doctor_examine(&t->options, on_tick, t, &error);
    }
    if (code < 0) put_error(t, &error);
    return code < 0 ? exit_status(t, code) : 0;
}

static void look_at_terminals(tool *t)
{
    const char *term = variable("TERM");
    bool screen = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    t->terminal = isatty(STDOUT_FILENO) != 0;
    t->shared = t->terminal ? isatty(STDERR_FILENO) != 0 : same_file(STDOUT_FILENO, STDERR_FILENO);
    t->colours = screen && !variable("NO_COLOR");
    t->lively = screen && !t->json && !t->verbose;
}

static int run(tool *t)
{
    if (t->help) return print(t, help_text);
    if (t->version) return print(t, "chatgptt " CHATGPTT_VERSION "\n");
    if (t->doctor && t->has_words && (t->options.url || strchr(t->words.bytes, ' ')))
        return wrong("--doctor takes one URL, and no message", t->words.bytes);
    if (t->doctor && t->has_words) t->options.url = t->words.bytes;
    if (t->verbose) {
        t->options.hooks.trace = trace;
        t->options.hooks.user = t;
    }
    complete_url(t);
    choose_proxy(t);
    return t->doctor ? examine(t) : converse_as_asked(t);
}

int main(int argc, char **argv)
{
    (void)argc;
    occupy_standard_descriptors();
    setvbuf(stderr, NULL, _IOLBF, 1024);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGINT, on_signal);
    handle(SIGALRM, on_signal);
    tool t = { 0 };
    int status = parse_arguments(&t, argv);
    json_lines = t.json;
    look_at_terminals(&t);
    if (status == 0) status = run(&t);
    forget(&t.memory, 0, t.memory.count);
    char *const owned[] = { (char *)t.memory.messages, t.memory.last.bytes, t.words.bytes,
                            t.proxy.bytes, t.url.bytes, t.history.bytes };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    return status;
}
