/* kinds.h - for test_kinds.c: serves what a row says to the tool, run as a user runs it, and looks at what it
   printed; writes the rows into the fuzz corpora, or looks whether they stand there. */
#ifndef KINDS_H
#define KINDS_H

#include "check.h"
#include <stddef.h>
#include "site.h"
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ==== what rows are made of ==== */

#define NONCE "0a1b2c3d4e"

/* One chat of either generation, as pages hold it. */
#define CHAT_IN(nonce) "data-nonce=\"" nonce "\" data-post-id=\"5\" data-bot-id=\"0\""
#define CHAT_OF(nonce, more) "<div class=\"wpaicg-chat-shortcode\" " CHAT_IN(nonce) more "></div>"
#define CHAT CHAT_OF(NONCE, "")
#define CONFIG(members) "<div class=\"aipkit_chat_container\" data-config='{" members "}'></div>"
#define NEWER_CHAT CONFIG("&quot;botId&quot;:7,&quot;nonce&quot;:&quot;" NONCE "&quot;")

/* Responses that end with their connection. One without a head of its own is a page, or an answer by JSON. */
#define HEAD(status, type) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define HTML HEAD("200 OK", "text/html; charset=UTF-8")
#define JSON HEAD("200 OK", "application/json; charset=UTF-8")
#define EVENTS HEAD("200 OK", "text/event-stream;charset=UTF-8")
#define HELLO "{\"status\":\"success\",\"msg\":\"Something went wrong\",\"data\":\"hello\",\"log\":false}"
#define DELTA_AND(text, more) \
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}" more "}]}\n\n"
#define DELTA(text) DELTA_AND(text, "")
#define FINISH "data: {\"id\":\"c\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define START "event: message_start\ndata: {\"message_id\":\"m.1\"}\n\n"
#define NEWER_DELTA(text) "data: {\"delta\":\"" text "\"}\n\n"
#define END "event: done\ndata: {\"finished\":true}\n\n"

/* SCRIPT: bytes of a row that stand for others. */
#define NUL "\x01" /* a byte 0 */
#define PORT "\x02" /* the site's port */
#define PAUSE "\x03" /* 0.4 s of silence */
#define REPEAT(text, times) "\x08" text ";" times ";"
/* a reply: the Cookie header, the request's target, as an answer */
#define TELL_COOKIES "\x05"
#define TELL_TARGET "\x06"
#define CONTROL "\x07" /* itself, in a place where controls are not allowed */

#define KIND_WITH 6

typedef struct kind_row {
    const char *name;
    const char *page, *reply; /* NULL: the chat; its answer, hello */
    const char *state; /* what is in the file of --state, which the tool gets then; NULL: there is none */
    const char *out, *err; /* standard output; a pattern of the line behind "chatgptt: ", NULL: none */
    const char *with[KIND_WITH]; /* options of the tool; NAME=VALUE of its environment */
} kind_row;

/* A chat is found on the page; the page comes to an error; so for a reply. */
#define FOUND(name_, page_) \
    { .name = name_, .page = page_, .out = "hello" }
#define NOT_FOUND(name_, page_, err_) \
    { .name = name_, .page = page_, .out = "", .err = err_ }
#define ANSWER(name_, reply_, out_) \
    { .name = name_, .reply = reply_, .out = out_ }
#define REFUSAL(name_, reply_, err_) \
    { .name = name_, .reply = reply_, .out = "", .err = err_ }
#define NEWER(name_, reply_, out_) \
    { .name = name_, .page = NEWER_CHAT, .reply = reply_, .out = out_ }

/* ==== bytes ==== */

typedef struct kind_bytes {
    char *at;
    size_t len, size;
} kind_bytes;

static inline void kind_add(kind_bytes *b, const char *at, size_t len) {
    if (b->len + len + 1 > b->size) b->at = (char *)realloc(b->at, b->size = (b->len + len) * 2 + 64);
    if (!b->at) abort();
    memcpy(b->at + b->len, at, len);
    b->at[b->len += len] = '\0';
}
static inline void kind_puts(kind_bytes *b, const char *text) { kind_add(b, text, strlen(text)); }

/* Appends what a row says; pauses stay. */
static inline void kind_expand(kind_bytes *b, const char *text, int port) {
    char digits[16];
    snprintf(digits, sizeof digits, "%d", port);
    for (; *text; text++) {
        if (*text == *NUL) kind_add(b, "", 1);
        else if (*text == *PORT) kind_puts(b, digits);
        else if (*text == *REPEAT("", "")) {
            const char *what = text + 1, *end = strchr(what, ';');
            for (long n = strtol(end + 1, NULL, 10); n > 0; n--) kind_add(b, what, (size_t)(end - what));
            text = strchr(end + 1, ';');
        } else kind_add(b, text, 1);
    }
}

static inline bool kind_is_whole(const char *text) { return strncmp(text, "HTTP/", 5) == 0; }

/* ==== the site of a row ==== */

typedef struct kind_run {
    const kind_row *row;
    int messages; /* that came; under the site's lock */
    site site;
} kind_run;

/* Writes what a row says, with its pauses; the connection ends behind it. */
static inline bool kind_serve(int socket, const kind_run *run, const char *head, const char *text) {
    kind_bytes b = { NULL, 0, 0 };
    if (!kind_is_whole(text)) kind_puts(&b, head);
    kind_expand(&b, text, run->site.port);
    for (char *at = b.at, *end = b.at + b.len; at < end;) {
        char *pause = (char *)memchr(at, *PAUSE, (size_t)(end - at));
        if (!site_write(socket, at, (size_t)((pause ? pause : end) - at))) break;
        if (pause) site_sleep_ms(400);
        at = pause ? pause + 1 : end;
    }
    free(b.at);
    return false;
}

static inline bool kind_tell(int socket, const char *text) {
    site_json(socket, text);
    return false;
}

static inline bool kind_has(const http_request *http, const char *field, const char *value) {
    char got[100];
    return request_field(http, field, got, sizeof got) && strcmp(got, value) == 0;
}

static inline bool kind_is_get(const http_request *http) { return memcmp(http->head, "GET ", 4) == 0; }

/* The target of the request line, as it was sent. */
static inline void kind_target(const http_request *http, char *out, size_t size) {
    const char *from = (const char *)memchr(http->head, ' ', http->head_len) + 1;
    size_t len = strcspn(from, " ");
    if (len >= size) len = size - 1;
    memcpy(out, from, len);
    out[len] = '\0';
}

/* The reply to a message, or to the question for its answer. */
static inline bool kind_answer(const kind_run *run, const http_request *http, int socket, bool newer) {
    const char *reply = run->row->reply;
    char told[4500] = "none";
    if (reply && *reply == *TELL_TARGET) kind_target(http, told, sizeof told);
    else if (reply && *reply == *TELL_COOKIES) (void)request_header(http, "Cookie", told, sizeof told);
    else if (reply) return kind_serve(socket, run, JSON, reply);
    else if (newer) return kind_serve(socket, run, EVENTS, START NEWER_DELTA("hello") END);
    else return kind_serve(socket, run, JSON, HELLO);
    return kind_tell(socket, told);
}

static inline bool kind_get(const kind_run *run, const http_request *http, int socket) {
    char target[2000], *path = target;
    const char *page = run->row->page ? run->row->page : CHAT;
    kind_target(http, target, sizeof target);
    if (strstr(target, "aipkit_frontend_chat_stream")) return kind_answer(run, http, socket, true);
    if (strncmp(target, "http://", 7) == 0) path = strchr(target + 7, '/');
    if (strstr(path, "wp-login.php")) page = "<title>Log In</title><p>Username or Email Address";
    else if (strcmp(path, "/") != 0) page = CHAT;
    return kind_serve(socket, run, HTML, page);
}

static inline bool kind_handle(const site_request *request, int socket) {
    kind_run *run = (kind_run *)request->user;
    const http_request *http = &request->http;
    if (kind_is_get(http)) return kind_get(run, http, socket);
    pthread_mutex_lock(&run->site.lock);
    run->messages++;
    pthread_mutex_unlock(&run->site.lock);
    if (kind_has(http, "action", "aipkit_cache_sse_message") && kind_has(http, "_ajax_nonce", NONCE))
        return kind_serve(socket, run, JSON, "{\"success\":true,\"data\":{\"cache_key\":\"k\"}}");
    if (!kind_has(http, "_wpnonce", NONCE) || !kind_has(http, "post_id", "5"))
        return kind_tell(socket, "wrong nonce or post id");
    return kind_answer(run, http, socket, false);
}

/* ==== the tool ==== */

typedef struct kind_result {
    char out[6000], err[4000];
    int status; /* as the shell has it; -1: it was not run */
    int messages;
} kind_result;

extern char **environ;
static char kind_folder[40];

/* The words behind the tool's name, and the environment, from a row's; PORT is expanded. */
typedef struct kind_words {
    char *arguments[14 + KIND_WITH], *variables[12 + KIND_WITH];
    kind_bytes text[KIND_WITH + 1];
    char state[64]; /* the file's name */
} kind_words;

static inline char *kind_variable(const char *name) {
    size_t len = strlen(name);
    for (char **e = environ; *e; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=') return *e;
    return NULL;
}

static inline void kind_prepare(kind_words *w, const char *tool, const kind_run *run, bool talks) {
    static const char *const inherited[] = { "PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS" };
    const kind_row *row = run->row;
    size_t arguments = 0, variables = 0;
    memset(w, 0, sizeof *w);
    const char *usual[] = { tool, "--timeout", "9", "--url" };
    for (size_t i = 0; i < 4; i++) w->arguments[arguments++] = (char *)usual[i];
    kind_puts(&w->text[KIND_WITH], run->site.url);
    w->arguments[arguments++] = w->text[KIND_WITH].at;
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
        if (kind_variable(inherited[i])) w->variables[variables++] = kind_variable(inherited[i]);
    for (size_t i = 0; i < KIND_WITH && row->with[i]; i++) {
        kind_expand(&w->text[i], row->with[i], run->site.port);
        if (w->text[i].len == 0) kind_puts(&w->text[i], "");
        bool option = row->with[i][0] == '-' || (i && row->with[i - 1][0] == '-');
        if (option) w->arguments[arguments++] = w->text[i].at;
        else w->variables[variables++] = w->text[i].at;
    }
    if (!talks) w->arguments[arguments++] = (char *)"hi";
}

static inline void kind_words_free(kind_words *w) {
    for (size_t i = 0; i <= KIND_WITH; i++) free(w->text[i].at);
}

/* The file for --state, which anybody may read so far. */
static inline void kind_write_state(kind_words *w, const kind_row *row, int number) {
    kind_bytes b = { NULL, 0, 0 };
    snprintf(w->state, sizeof w->state, "%s/%d.state", kind_folder, number);
    kind_expand(&b, row->state, 0);
    int fd = open(w->state, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, b.at ? b.at : "", b.len) != (ssize_t)b.len || close(fd) != 0) abort();
    free(b.at);
    size_t n = 0;
    while (w->arguments[n]) n++;
    char *last = w->arguments[n - 1];
    w->arguments[n - 1] = (char *)"--state";
    w->arguments[n] = w->state;
    w->arguments[n + 1] = last;
}

/* Whether a state stands there now, and for nobody else to read. */
static inline bool kind_wrote_state(const kind_words *w) {
    struct stat is;
    char start[9] = "";
    int fd = open(w->state, O_RDONLY);
    bool good = fd >= 0 && fstat(fd, &is) == 0 && (is.st_mode & 0777) == 0600 && read(fd, start, 8) == 8;
    if (fd >= 0) close(fd);
    unlink(w->state);
    return good && strncmp(start, "cgptst", 6) == 0;
}

static inline void kind_read(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0) close(fd);
}

/* Runs it with its outputs in files, so that none of several children holds another's. */
static inline void kind_spawn(const char *tool, kind_words *w, int number, kind_result *result) {
    char out[64], err[64];
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status, flags = O_WRONLY | O_CREAT | O_TRUNC;
    snprintf(out, sizeof out, "%s/%d.out", kind_folder, number);
    snprintf(err, sizeof err, "%s/%d.err", kind_folder, number);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out, flags, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err, flags, 0600);
    result->status = -1;
    if (posix_spawn(&pid, tool, &files, NULL, w->arguments, w->variables) == 0 &&
        waitpid(pid, &status, 0) == pid)
        result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    posix_spawn_file_actions_destroy(&files);
    kind_read(out, result->out, sizeof result->out);
    kind_read(err, result->err, sizeof result->err);
}

static inline void kind_ask(const char *tool, const kind_row *row, int number, kind_result *result) {
    kind_run *run = (kind_run *)calloc(1, sizeof *run);
    kind_words words;
    result->status = -1;
    if (!run) return;
    run->row = row;
    if (site_start(&run->site, kind_handle, run)) {
        kind_prepare(&words, tool, run, false);
        if (row->state) kind_write_state(&words, row, number);
        kind_spawn(tool, &words, number, result);
        if (row->state && !kind_wrote_state(&words)) result->status = -1;
        site_stop(&run->site);
        kind_words_free(&words);
    }
    result->messages = run->messages;
    free(run);
}

/* ==== all rows of a table, a few at a time ==== */

#define KIND_JOBS 4

typedef struct kind_work {
    const char *tool;
    const kind_row *rows;
    kind_result *results;
    size_t count, next;
    pthread_mutex_t lock;
} kind_work;

static inline void *kind_worker(void *arg) {
    kind_work *work = (kind_work *)arg;
    for (;;) {
        pthread_mutex_lock(&work->lock);
        size_t i = work->next++;
        pthread_mutex_unlock(&work->lock);
        if (i >= work->count) return NULL;
        kind_ask(work->tool, &work->rows[i], (int)i, &work->results[i]);
    }
}

static inline void kind_ask_all(const char *tool, const kind_row *rows, kind_result *results, size_t count) {
    kind_work work = { tool, rows, results, count, 0, PTHREAD_MUTEX_INITIALIZER };
    pthread_t threads[KIND_JOBS];
    int started = 0;
    while (started < KIND_JOBS && pthread_create(&threads[started], NULL, kind_worker, &work) == 0) started++;
    if (started == 0) kind_worker(&work);
    while (started > 0) pthread_join(threads[--started], NULL);
}

static inline bool kind_begin(void) {
    snprintf(kind_folder, sizeof kind_folder, "/tmp/test_kinds.%ld", (long)getpid());
    return mkdir(kind_folder, 0700) == 0;
}

/* The outputs' files go, and their folder. */
static inline void kind_clean(void) {
    char path[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "%s/%d.out", kind_folder, i);
        if (unlink(path) != 0) break;
        snprintf(path, sizeof path, "%s/%d.err", kind_folder, i);
        unlink(path);
    }
    rmdir(kind_folder);
}

/* One line on standard error that fits the pattern, or none if that is NULL. */
static inline bool kind_fits(const char *err, const char *pattern) {
    char whole[600];
    if (!pattern) return err[0] == '\0';
    snprintf(whole, sizeof whole, "chatgptt: %s\n", pattern);
    const char *lf = strchr(err, '\n');
    return lf && lf[1] == '\0' && fnmatch(whole, err, 0) == 0;
}

/* A case: exit status and both outputs. */
static inline void kind_check(const kind_row *row, const kind_result *r) {
    kind_bytes out = { NULL, 0, 0 };
    int status = row->err && strncmp(row->err, "E_", 2) == 0;
    kind_puts(&out, "");
    kind_expand(&out, row->out, 0);
    if (r->status != status || !kind_fits(r->err, row->err)) {
        check_fail(__FILE__, __LINE__, "%s: exit status %d, wanted: %s", row->name, r->status,
                   row->err ? row->err : "silence");
        check_quote("stderr", r->err, strlen(r->err));
    }
    CHECK_STR(r->out, out.at);
    free(out.at);
}

/* ==== a program beside, which tells where it is and lives as long as its standard input ==== */

typedef struct kind_child {
    pid_t pid;
    int in; /* its standard input */
    FILE *out;
} kind_child;

static inline bool kind_start(kind_child *c, const char *path, const char *one, const char *two) {
    char *words[] = { (char *)path, (char *)one, (char *)two, NULL };
    int in[2], out[2];
    posix_spawn_file_actions_t files;
    if (pipe(in) != 0 || pipe(out) != 0) return false;
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], 0);
    posix_spawn_file_actions_adddup2(&files, out[1], 1);
    int failed = posix_spawn(&c->pid, path, &files, NULL, words, environ);
    posix_spawn_file_actions_destroy(&files);
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = fdopen(out[0], "r");
    return !failed && c->out;
}

/* What it tells behind `name` on its next line. */
static inline bool kind_told(kind_child *c, const char *name, char *out, size_t size) {
    char line[400];
    if (!fgets(line, sizeof line, c->out) || strncmp(line, name, strlen(name)) != 0) return false;
    line[strcspn(line, "\n")] = '\0';
    snprintf(out, size, "%s", line + strlen(name));
    return true;
}

static inline void kind_stop(kind_child *c) {
    int status;
    close(c->in);
    fclose(c->out);
    waitpid(c->pid, &status, 0);
}

/* ==== the tool on a terminal ==== */

#define KIND_LINES 4

typedef struct kind_talk {
    const char *name, *term;
    const char *typed[KIND_LINES]; /* each behind a prompt */
    const char *shows; /* somewhere on the terminal */
    int messages; /* that reach the site */
} kind_talk;

/* Types each line behind a prompt, and passes over what is shown, up to its end. false: nothing came for
   9 s. */
static inline bool kind_play(int terminal, const kind_talk *talk, kind_bytes *shown) {
    struct pollfd on = { terminal, POLLIN, 0 };
    size_t next = 0, from = 0;
    char block[4096];
    kind_puts(shown, "");
    while (poll(&on, 1, 9000) > 0) {
        ssize_t n = read(terminal, block, sizeof block);
        if (n <= 0) return true;
        kind_add(shown, block, (size_t)n);
        const char *prompt = strstr(shown->at + from, "> ");
        if (!prompt || next == KIND_LINES || !talk->typed[next]) continue;
        from = (size_t)(prompt - shown->at) + 2;
        kind_bytes typed = { NULL, 0, 0 };
        kind_expand(&typed, talk->typed[next++], 0);
        for (size_t at = 0; at < typed.len;) {
            ssize_t wrote = write(terminal, typed.at + at, typed.len - at);
            if (wrote <= 0) break;
            at += (size_t)wrote;
        }
        free(typed.at);
    }
    return false;
}

/* Starts it on a terminal of its own; its master's descriptor, or -1. */
static inline int kind_open(const char *tool, kind_words *w, pid_t *pid) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    posix_spawn_file_actions_t files;
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) return -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, ptsname(terminal), O_RDWR | O_NOCTTY, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, 0, 2);
    posix_spawn_file_actions_addclose(&files, terminal);
    int failed = posix_spawn(pid, tool, &files, NULL, w->arguments, w->variables);
    posix_spawn_file_actions_destroy(&files);
    if (failed) close(terminal);
    return failed ? -1 : terminal;
}

/* A case. */
static inline void kind_converse(const char *tool, const kind_talk *talk) {
    static kind_run run;
    const kind_row row = { .name = talk->name, .with = { talk->term } };
    kind_words words;
    kind_bytes shown = { NULL, 0, 0 };
    pid_t pid;
    int status = -1;
    memset(&run, 0, sizeof run);
    run.row = &row;
    if (!CHECK(site_start(&run.site, kind_handle, &run))) return;
    kind_prepare(&words, tool, &run, true);
    int terminal = kind_open(tool, &words, &pid);
    if (CHECK(terminal >= 0)) {
        if (!CHECK(kind_play(terminal, talk, &shown))) kill(pid, SIGKILL);
        close(terminal);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
    }
    site_stop(&run.site);
    CHECK_INT(run.messages, talk->messages);
    if (shown.at && !CHECK(strstr(shown.at, talk->shows))) check_quote("shown", shown.at, shown.len);
    free(shown.at);
    kind_words_free(&words);
}

/* ==== the corpora ==== */

#define KIND_CORPUS_BYTES 4096 /* of a file; what is longer has no place there */

/* What a fuzz target reads of a row. false: nothing. */
typedef bool kind_input(const kind_row *row, kind_bytes *b);

static inline const char *kind_body(const char *response) {
    const char *blank = kind_is_whole(response) ? strstr(response, "\r\n\r\n") : NULL;
    return blank ? blank + 4 : kind_is_whole(response) ? "" : response;
}

static inline bool kind_is_own(const char *reply) {
    return reply && *reply != *TELL_COOKIES && *reply != *TELL_TARGET;
}

static inline bool kind_page_input(const kind_row *row, kind_bytes *b) {
    if (row->page) kind_puts(b, kind_body(row->page));
    return b->len > 0;
}

static inline bool kind_sse_input(const kind_row *row, kind_bytes *b) {
    if (kind_is_own(row->reply)) kind_puts(b, kind_body(row->reply));
    return b->len > 0;
}

static inline bool kind_reply_input(const kind_row *row, kind_bytes *b) {
    const char *reply = row->reply;
    if (!kind_is_own(reply)) return false;
    bool whole = kind_is_whole(reply), good = !whole || strncmp(reply + 8, " 200", 4) == 0;
    kind_puts(b, !good                                    ? "J"
                 : whole && strstr(reply, "event-stream") ? "e"
                 : whole && strstr(reply, "/html")        ? "h"
                                                          : "j");
    kind_puts(b, kind_body(reply));
    return true;
}

static inline bool kind_http_input(const kind_row *row, kind_bytes *b) {
    const char *response = kind_is_own(row->reply) ? row->reply : row->page;
    if (!response || !kind_is_whole(response)) return false;
    kind_puts(b, "G");
    kind_puts(b, response);
    return true;
}

/* Adds the values of the headers of a name, each on a line. */
static inline bool kind_values(const char *response, const char *name, kind_bytes *b) {
    size_t before = b->len;
    for (const char *at = response; at && (at = strstr(at, name)) != NULL;) {
        at += strlen(name);
        kind_add(b, at, strcspn(at, "\r\n"));
        kind_puts(b, "\n");
    }
    return b->len > before;
}

/* The page's URL: the row's own, or the site's. */
static inline const char *kind_url(const kind_row *row) {
    for (size_t i = 0; i + 1 < KIND_WITH && row->with[i]; i++)
        if (strcmp(row->with[i], "--url") == 0) return row->with[i + 1];
    return "http://127.0.0.1/";
}

static inline bool kind_cookie_input(const kind_row *row, kind_bytes *b) {
    kind_puts(b, kind_url(row));
    kind_puts(b, "\n");
    kind_puts(b, kind_url(row));
    kind_puts(b, "wp-admin/admin-ajax.php\n");
    return kind_values(row->page, "Set-Cookie: ", b);
}

static inline bool kind_state_input(const kind_row *row, kind_bytes *b) {
    kind_puts(b, "f");
    kind_puts(b, row->state);
    return true;
}

static inline bool kind_url_input(const kind_row *row, kind_bytes *b) {
    kind_puts(b, kind_url(row));
    kind_puts(b, "\n");
    return kind_values(row->page, "Location: ", b) || strcmp(kind_url(row), "http://127.0.0.1/") != 0;
}

/* The file of a row for a target. false: there is none. */
static inline bool kind_file(const kind_row *row, kind_input *input, kind_bytes *file) {
    kind_bytes written = { NULL, 0, 0 };
    bool is = input(row, &written);
    if (is) kind_expand(file, written.at, 80);
    free(written.at);
    size_t n = 0;
    for (size_t i = 0; i < file->len; i++)
        if (file->at[i] != *PAUSE) file->at[n++] = file->at[i];
    file->len = n;
    return is && n <= KIND_CORPUS_BYTES;
}

static inline void kind_path(const kind_row *row, const char *target, char *out, size_t size) {
    snprintf(out, size, "fuzz/corpus/%s/kind-%s", target, row->name);
}

static inline bool kind_write(const kind_row *row, const char *target, kind_input *input) {
    char path[200];
    kind_bytes file = { NULL, 0, 0 };
    kind_path(row, target, path, sizeof path);
    bool is = kind_file(row, input, &file), good = true;
    if (is) {
        FILE *f = fopen(path, "wb");
        good = f && fwrite(file.at, 1, file.len, f) == file.len;
        if (f && fclose(f) != 0) good = false;
    }
    free(file.at);
    return good;
}

/* A case: the file is there, and holds just that. */
static inline void kind_compare(const kind_row *row, const char *target, kind_input *input) {
    static char bytes[KIND_CORPUS_BYTES + 1];
    char path[200];
    kind_bytes file = { NULL, 0, 0 };
    kind_path(row, target, path, sizeof path);
    if (kind_file(row, input, &file)) {
        FILE *f = fopen(path, "rb");
        size_t len = f ? fread(bytes, 1, sizeof bytes, f) : 0;
        if (f) fclose(f);
        if (!CHECK_MEM(bytes, len, file.at, file.len)) printf("    %s\n", path);
    }
    free(file.at);
}
#endif
