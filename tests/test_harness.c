/* test_harness.c - proves the harness itself: that a failing check is counted, a fence stops who reads too
   far, a leak and a hang are told, the clock moves only by waiting, and the site answers and stops. What must
   fail runs in a child process. */
#include "check.h"
#include "feed.h"
#include "script.h"
#include "site.h"
#include <sys/wait.h>

static const char *this_program;

/* ---- children ---- */

static char child_output[20000];

static size_t read_all(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t n;
    while (len + 1 < size && (n = read(fd, out + len, size - len - 1)) > 0) len += (size_t)n;
    out[len] = '\0';
    return len;
}

/* Runs one case in a child, whose output goes to child_output; returns its exit status, or -1 if a signal
   ended it. */
static int run_in_child(void (*test)(void))
{
    int ends[2], status = 0;
    fflush(stdout);
    if (pipe(ends) != 0) abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        memset(&check_now, 0, sizeof check_now);
        check_case("child", test);
        _exit(check_report("child"));
    }
    close(ends[1]);
    read_all(ends[0], child_output, sizeof child_output);
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool child_said(const char *text) { return strstr(child_output, text) != NULL; }

/* ---- check.h ---- */

static void fail_cond(void)     { CHECK(1 == 1); CHECK(1 == 2); }
static void fail_int(void)      { CHECK_INT(40 + 2, 43); }
static void fail_str(void)      { CHECK_STR("gnat", "gnu"); }
static void fail_null(void)     { CHECK_STR(NULL, ""); }
static void fail_mem(void)      { CHECK_MEM("a\0b", 3, "a\0c", 3); }
static void fail_twice(void)    { CHECK(false); CHECK(false); }
static void skip_all(void)      { SKIP("no moon"); CHECK(false); }
static void pass(void)
{
    CHECK(CHECK_INT(1, 1) && CHECK_STR("a", "a") && CHECK_STR(NULL, NULL) && CHECK_MEM("a\0b", 3, "a\0b", 3));
}

TEST(passing_and_skipping)
{
    CHECK_INT(run_in_child(pass), 0);
    CHECK_STR(child_output, "child: 1 passed, 0 failed\n");
    CHECK_INT(run_in_child(skip_all), 0);
    CHECK_STR(child_output, "skipped: child: no moon\nchild: 0 passed, 0 failed, 1 skipped\n");
}

TEST(failing)
{
    static void (*const cases[])(void) = {fail_cond, fail_int, fail_str, fail_null, fail_mem, fail_twice};
    static const char *const words[] = {
        ": child: 1 == 2\n", ": child: 40 + 2, got 42, wanted 43\n", "got    \"gnat\"\n    wanted \"gnu\"\n",
        "got    NULL\n    wanted \"\"\n", "\"a\\x00b\"", ": child: false\n"
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(run_in_child(cases[i]), 1);
        CHECK(child_said("\nchild: 0 passed, 1 failed\n"));
        if (!CHECK(child_said(words[i]))) puts(child_output);
        CHECK(strncmp(child_output, __FILE__ ":", sizeof __FILE__) == 0);
    }
}

/* ---- run.sh ---- */

/* The last line that run.sh prints, and its exit status, for this program in that role. */
static int run_role(const char *role, char *last, size_t size)
{
    char command[1000], output[4000];
    snprintf(command, sizeof command, "HARNESS_ROLE=%s TEST_TIMEOUT=%d sh '%.*s/run.sh' '%s' 2>&1", role,
             strcmp(role, "hang") == 0 ? 1 : 60, (int)(strlen(__FILE__) - strlen("/test_harness.c")),
             __FILE__, this_program);
    fflush(stdout);
    FILE *pipe = popen(command, "r");
    size_t len = pipe ? fread(output, 1, sizeof output - 1, pipe) : 0;
    int status = pipe ? pclose(pipe) : -1;
    if (len > 0 && output[len - 1] == '\n') len--;
    output[len] = '\0';
    const char *line = strrchr(output, '\n');
    snprintf(last, size, "%s", line ? line + 1 : output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(runner)
{
    static const struct { const char *role; int status; const char *last; } rows[] = {
        {"pass", 0, "1 passed, 0 failed"},          {"fail", 1, "0 passed, 1 failed"},
        {"skip", 0, "0 passed, 0 failed"}, {"mute", 1, "0 passed, 1 failed"},
        {"crash", 1, "0 passed, 1 failed"},         {"hang", 1, "0 passed, 1 failed"},
        {"late", 1, "1 passed, 1 failed"},          {"twice", 1, "0 passed, 1 failed"},
    };
    char last[200];
    if (access(__FILE__, R_OK) != 0) SKIP("the source folder is not where it was compiled");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_INT(run_role(rows[i].role, last, sizeof last), rows[i].status);
        CHECK_STR(last, rows[i].last);
    }
}

/* What this program does instead of its tests when run.sh is tried on it. */
static int act(const char *role)
{
    if (strcmp(role, "mute") == 0) return 0;
    if (strcmp(role, "hang") == 0) sleep(60);
    check_case("role", strcmp(role, "fail") == 0 ? fail_int : strcmp(role, "skip") == 0 ? skip_all : pass);
    if (strcmp(role, "crash") == 0) abort();
    if (strcmp(role, "twice") == 0) check_report("harness");
    int status = check_report("harness");
    /* as a leak checker ends a program whose cases passed */
    return strcmp(role, "late") == 0 ? 3 : status;
}

/* ---- feed.h ---- */

typedef enum toy_flaw {
    TOY_GOOD, TOY_READS_ON, TOY_WRITES_BEFORE, TOY_FORGETS, TOY_KEEPS, TOY_TRIPS_ON_2, TOY_TRIPS_ON_3
} toy_flaw;
typedef struct toy { toy_flaw flaw; int pieces; char last; const char *kept; } toy;

/* A toy parser: words are text, ';' is an event, '!' ends. The doubled ';' needs a state across pieces. */
static int toy_feed(void *state, char *piece, size_t len, feed_log *log)
{
    toy *t = (toy *)state;
    volatile char *bytes = piece;
    if (t->flaw == TOY_READS_ON && bytes[len] == '?') return -1;
    if (t->flaw == TOY_WRITES_BEFORE) bytes[-1] = 'x';
    if (t->flaw == TOY_FORGETS) t->last = 0;
    if (t->flaw == TOY_KEEPS && t->kept) feed_log_event(log, "kept %c", *t->kept);
    t->kept = piece;
    t->pieces++;
    for (size_t i = 0; i < len; i++) {
        if (piece[i] == '!') return 2;
        if (piece[i] != ';') feed_log_piece(log, "text", piece + i, 1);
        else feed_log_event(log, t->last == ';' ? "second" : "first");
        t->last = piece[i];
    }
    return 0;
}
static void toy_reset(void *state)
{
    toy *t = (toy *)state;
    t->pieces = 0;
    t->last = 0;
    t->kept = NULL;
}
static int toy_end(void *state, feed_log *log)
{
    const toy *t = (const toy *)state;
    feed_log_event(log, "last %d", t->last);
    return (t->flaw == TOY_TRIPS_ON_2 && t->pieces == 2) || (t->flaw == TOY_TRIPS_ON_3 && t->pieces == 3)
               ? -2
               : -1;
}

static bool feed_toy(toy_flaw flaw, const char *text, const char *wanted)
{
    toy t = {flaw, 0, 0, NULL};
    const feed_parser parser = {toy_feed, toy_reset, toy_end, &t};
    return FEED_TEXT(&parser, text, wanted);
}
static void feed_reads_on(void)         { feed_toy(TOY_READS_ON, "abc", NULL); }
static void feed_writes_before(void) { feed_toy(TOY_WRITES_BEFORE, "abc", "text \"abc\"\nlast 99\n= -1\n"); }
static void feed_forgets(void)          { feed_toy(TOY_FORGETS, "ab;;c", NULL); }
static void feed_keeps(void)            { feed_toy(TOY_KEEPS, "abc", "text \"abc\"\nlast 99\n= -1\n"); }
static void feed_trips_on_2(void)       { feed_toy(TOY_TRIPS_ON_2, "abcdef", NULL); }
static void feed_trips_on_3(void)       { feed_toy(TOY_TRIPS_ON_3, "abcdef", NULL); }

TEST(feed_joins_and_agrees)
{
    CHECK(feed_toy(TOY_GOOD, "one\ntwo;;;three",
                   "text \"one\\x0atwo\"\nfirst\nsecond\nsecond\ntext \"three\"\nlast 101\n= -1\n"));
    CHECK(feed_toy(TOY_GOOD, "a;b!never", "text \"a\"\nfirst\ntext \"b\"\n= 2\n"));
    CHECK(feed_toy(TOY_GOOD, "", "last 0\n= -1\n"));
}

TEST(feed_finds_flaws)
{
    /* dies of the fence: by the signal, or by what a sanitizer makes of it */
    run_in_child(feed_reads_on);
    CHECK(!child_said("child: 1 passed") && !child_said("1 failed"));
    CHECK_INT(run_in_child(feed_writes_before), 1);
    CHECK(child_said("WROTE 1 BYTES BEFORE ITS PIECE"));
    CHECK_INT(run_in_child(feed_forgets), 1);
    CHECK(child_said("byte by byte"));
    CHECK_INT(run_in_child(feed_keeps), 1);
    CHECK_INT(run_in_child(feed_trips_on_2), 1);
    CHECK(child_said("cut at 1 and 1 of 6"));
    CHECK_INT(run_in_child(feed_trips_on_3), 1);
    CHECK(child_said("cut at 1 and 2 of 6"));
}

/* ---- request.h ---- */

TEST(request_is_read_back)
{
    static const char text[] = "POST /x?a=1&b=%2f+c HTTP/1.1\r\nHost: site.test\r\ncontent-length: 18\r\n\r\n"
                               "ab=1&b=x%0Ay+z&c=&GET";
    http_request request;
    char value[20];
    size_t len = sizeof text - 1 - 3;
    for (size_t i = 0; i < len; i++) CHECK_INT(request_parse(text, i, &request), 0);
    CHECK_INT(request_parse(text, len + 3, &request), len);
    CHECK_STR(request_header(&request, "host", value, sizeof value), "site.test");
    CHECK_STR(request_header(&request, "Hos", value, sizeof value), NULL);
    CHECK_STR(request_header(&request, "Host", value, 9), NULL);
    CHECK_STR(request_field(&request, "b", value, sizeof value), "x\ny z");
    CHECK_STR(request_field(&request, "c", value, sizeof value), "");
    CHECK_STR(request_field(&request, "a", value, sizeof value), NULL);
    request.body_len = 0;
    CHECK_STR(request_field(&request, "b", value, sizeof value), "/ c");
}

/* ---- script.h: the allocator ---- */

static void leak(void)
{
    script s;
    script_init(&s);
    void *block = script_hooks(&s).resize(&s, NULL, 0, 7);
    script_settle(&s);
    script_resize(&s, block, 7, 0);                     /* so that no other leak finder says a word */
}
static void lie_about_size(void)
{
    script s;
    script_init(&s);
    void *block = script_resize(&s, NULL, 0, 7);
    script_resize(&s, block, 8, 0);
    script_finish(&s);
}

TEST(allocator_counts)
{
    script s;
    script_init(&s);
    char *block = (char *)script_resize(&s, NULL, 0, 5);
    if (!CHECK(block != NULL)) return;
    memcpy(block, "abcd", 5);
    char *moved = (char *)script_resize(&s, block, 5, 500);
    if (!CHECK(moved != NULL)) return;
    CHECK_STR(moved, "abcd");
    CHECK_INT(s.live_blocks, 1);
    CHECK_INT(s.live_bytes, 500);
    CHECK_INT(s.peak_bytes, 505);                       /* a resize holds both for a moment */
    script_resize(&s, moved, 500, 0);
    CHECK(script_resize(&s, NULL, 0, 0) == NULL);
    CHECK_INT(s.allocations, 2);
    script_finish(&s);
}

TEST(allocator_fails_when_told)
{
    script s;
    script_init(&s);
    s.fail_at = 2;
    void *first = script_resize(&s, NULL, 0, 10);
    CHECK(script_resize(&s, first, 10, 20) == NULL);    /* the block stays */
    void *third = script_resize(&s, first, 10, 30);
    CHECK(third != NULL);
    s.fail_from = 4;
    for (int i = 0; i < 3; i++) CHECK(script_resize(&s, NULL, 0, 1) == NULL);
    script_resize(&s, third, 30, 0);
    script_finish(&s);
}

TEST(allocator_tells)
{
    CHECK_INT(run_in_child(leak), 1);
    CHECK(child_said("live_blocks, got 1, wanted 0") && child_said("live_bytes, got 7, wanted 0"));
    CHECK_INT(run_in_child(lie_about_size), 1);
    CHECK(child_said("got 8, wanted 7"));
}

/* ---- script.h: transport and clock ---- */

/* A client of a few lines: writes `text`, reads to DONE or an error, waits through want(). Returns the last
   code. */
static chatgptt_code talk(script *s, const char *text, char *out, size_t size)
{
    const chatgptt_options options = script_options(s);
    const chatgptt_transport *t = &options.transport;
    void *conn = NULL;
    size_t left = strlen(text), len = 0, done = 0;
    chatgptt_code code = t->open(t->user, "site.test", "80", &conn);
    if (code < 0) return code;
    while (code >= 0 && code != CHATGPTT_DONE) {
        code = left ? t->write(t->user, conn, text, left, &done)
                    : t->read(t->user, conn, out + len, size - len - 1, &done);
        if (left) left -= done, text += done;
        else len += done;
        if (code == CHATGPTT_AGAIN) {
            const chatgptt_wait wait = t->want(t->user, conn);
            code = t->wait(t->user, &wait);
        }
    }
    out[len] = '\0';
    t->close(t->user, conn);
    return code;
}

static const char ask[] = "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 7\r\n\r\nm=a%20b";

TEST(transport_plays_the_script)
{
    script s;
    char out[100], text[100];
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    script_say(&s, "hel");
    script_pause(&s, 250);
    script_send(&s, "lo", 2, 3);
    script_end(&s);
    for (int way = 0; way < 16; way++) {
        s.read_max = way & 1 ? 1 : 0;
        s.write_max = way & 2 ? 3 : 0;
        s.cut = way & 4 ? 5 : 0;
        s.no_descriptors = way & 8;
        CHECK_INT(s.now, 1000);
        CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_DONE);
        CHECK_STR(out, "hellololo");
        CHECK_INT(s.now, 1250);
        CHECK_INT(script_count(&s, 0), 1);
        CHECK_STR(script_field(&s, 0, 0, "m", text, sizeof text), "a b");
        CHECK_STR(script_header(&s, 0, 0, "Host", text, sizeof text), "site.test");
        CHECK_STR(script_head(&s, 0, 1, text, sizeof text), NULL);
        CHECK_STR(s.peers[0].host, "site.test");
        script_rewind(&s);
    }
    script_finish(&s);
}

TEST(transport_fails_when_told)
{
    script s;
    char out[100];
    script_init(&s);
    script_connection(&s);
    script_refuse(&s, CHATGPTT_E_RESOLVE);
    script_connection(&s);
    script_accept(&s, 10);
    script_fail(&s, CHATGPTT_WRITE, CHATGPTT_E_IO);
    script_connection(&s);
    script_connect(&s, 300);
    script_request(&s);
    script_say(&s, "half");
    script_fail(&s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_CLOSED);
    CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_E_RESOLVE);
    CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_E_IO);
    CHECK_MEM(s.peers[1].written, s.peers[1].written_len, ask, 10);
    CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_E_CLOSED);
    CHECK_STR(out, "half");
    CHECK_INT(s.now, 1300);
    script_finish(&s);
}

TEST(clock_moves_by_waiting)
{
    script s;
    chatgptt_wait nothing;
    script_init(&s);
    memset(&nothing, 0, sizeof nothing);
    nothing.timeout_ms = 40;
    CHECK_INT(script_wait(&s, &nothing), CHATGPTT_OK);
    CHECK_INT(script_now(&s), 1040);
    CHECK_INT(script_unix_time(&s), 1700000000);
    script_finish(&s);
}

static void stay_silent(void)
{
    script s;
    char out[100];
    script_init(&s);
    script_connection(&s);
    script_request(&s);
    CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_E_IO);
    script_finish(&s);
}
static void stall_writes(void)
{
    script s;
    char out[100];
    script_init(&s);
    script_connection(&s);
    script_fail(&s, CHATGPTT_WRITE, CHATGPTT_AGAIN);
    CHECK_INT(talk(&s, ask, out, sizeof out), CHATGPTT_E_IO);
    script_finish(&s);
}
static void wait_for_ever_in_steps(void)
{
    script s;
    chatgptt_wait tick;
    script_init(&s);
    memset(&tick, 0, sizeof tick);
    tick.timeout_ms = 100;
    while (script_wait(&s, &tick) == CHATGPTT_OK) continue;
    script_finish(&s);
}
static void leave_open(void)
{
    script s;
    void *conn;
    script_init(&s);
    script_connection(&s);
    CHECK_INT(script_open(&s, "a", "80", &conn), CHATGPTT_OK);
    CHECK_INT(script_open(&s, "a", "80", &conn), CHATGPTT_E_CONNECT);
    script_finish(&s);
}

TEST(transport_tells)
{
    static void (*const hangs[])(void) = {stay_silent, stall_writes, wait_for_ever_in_steps};
    for (size_t i = 0; i < sizeof hangs / sizeof *hangs; i++) {
        CHECK_INT(run_in_child(hangs[i]), 1);
        CHECK(child_said("hang: at "));
    }
    CHECK_INT(run_in_child(leave_open), 1);
    CHECK(child_said("more connections than the 1 of the script") &&
          child_said("connection 0 was left open"));
}

/* ---- far_side.h: what it finds, and what it lets pass ---- */

#define POST(nonce, action) \
    "POST /x HTTP/1.1\r\nContent-Length: 37\r\n\r\n_wpnonce=" nonce "&message=hello&action=" action
#define TOLD(headers) "HTTP/1.1 200 OK\r\n" headers "Content-Length: 0\r\n\r\n"

/* One case: on connection 0, to site.test, `before` and `said`; then `after` on connection 1, to `where`. */
typedef struct visit {
    const char *name, *before, *said;
    chatgptt_code end;                      /* of connection 0: OK: it stays */
    int ms;                                 /* later */
    const char *where, *after, *finding;    /* finding: NULL: nothing */
} visit;

static const visit visits[] = {
    { "twice", POST("aaaaa", "b"), TOLD(""), CHATGPTT_OK, 0, "site.test", POST("aaaaa", "b"), "arrived 2" },
    { "broken", POST("aaaaa", "b"), "", CHATGPTT_E_IO, 0, "site.test", POST("aaaaa", "b"), "arrived 2" },
    { "closed", POST("aaaaa", "b"), "", CHATGPTT_E_CLOSED, 0, "site.test", POST("aaaaa", "b"), NULL },
    { "ended", POST("aaaaa", "b"), "", CHATGPTT_DONE, 999, "site.test", POST("aaaaa", "b"), NULL },
    { "late", POST("aaaaa", "b"), "", CHATGPTT_DONE, 1001, "site.test", POST("aaaaa", "b"), "arrived 2" },
    { "one byte", POST("aaaaa", "b"), "H", CHATGPTT_DONE, 0, "site.test", POST("aaaaa", "b"), "arrived 2" },
    { "a fresh token", POST("aaaaa", "b"), TOLD(""), CHATGPTT_OK, 0, "site.test", POST("ccccc", "b"), NULL },
    { "another action", POST("aaaaa", "b"), TOLD(""), CHATGPTT_OK, 0, "site.test", POST("aaaaa", "c"), NULL },
    { "with a key", POST("aaaaa", "b"), TOLD("X: \"cache_key\":\"kkkkkk\"\r\n"), CHATGPTT_OK, 0, "site.test",
      POST("aaaaa", "c"), "arrived 2" },
    { "redirected", POST("aaaaa", "b"), "HTTP/1.1 307 x\r\nLocation: http://b.test/\r\n\r\n", CHATGPTT_OK, 0,
      "b.test", POST("aaaaa", "b"), NULL },
    { "a cookie abroad", "GET / HTTP/1.1\r\n\r\n", TOLD("Set-Cookie: sid=1234; Path=/\r\n"), CHATGPTT_OK, 0,
      "www.site.test", "GET / HTTP/1.1\r\nCookie: sid=1234\r\n\r\n", "sid=1234 reached www.site.test:80" },
    { "a domain's cookie", "GET / HTTP/1.1\r\n\r\n", TOLD("Set-Cookie: sid=1234; Domain=site.test\r\n"),
      CHATGPTT_OK, 0, "www.site.test", "GET / HTTP/1.1\r\nCookie: sid=1234\r\n\r\n", NULL },
    { "a cookie at home", "GET / HTTP/1.1\r\n\r\n", TOLD("Set-Cookie: sid=1234\r\n"), CHATGPTT_OK, 0,
      "site.test", "GET / HTTP/1.1\r\nCookie: sid=1234\r\n\r\n", NULL },
    { "a token abroad", "GET / HTTP/1.1\r\n\r\n", TOLD("X: data-nonce=\"aaaaa\"\r\n"), CHATGPTT_OK, 0,
      "b.test", POST("aaaaa", "b"), "aaaaa reached b.test:80" },
    { "a token at home", "GET / HTTP/1.1\r\n\r\n", TOLD("X: data-nonce=\"aaaaa\"\r\n"), CHATGPTT_OK, 0,
      "site.test", POST("aaaaa", "b"), NULL },
    { "a token for b", "GET / HTTP/1.1\r\n\r\n", TOLD("X: data-nonce=\"aaaaa\"\r\n"), CHATGPTT_OK, 0,
      "allowed.test", POST("aaaaa", "b"), NULL },
};

static const visit *visited;

static void pay_visit(void)
{
    script s;
    void *conn, *other;
    char out[300];
    size_t done;
    const char *hello = "GET /first HTTP/1.1\r\n\r\n";
    script_init(&s);
    script_allow(&s, "allowed.test:80");
    script_connection(&s);
    script_request(&s);                                 /* a kept connection has served before */
    script_request(&s);
    if (*visited->said) script_say(&s, visited->said);
    if (visited->end < 0) script_fail(&s, CHATGPTT_READ, visited->end);
    if (visited->end == CHATGPTT_DONE) script_end(&s);
    script_connection(&s);
    far_begin(&s.far, NULL);
    CHECK_INT(script_open(&s, "site.test", "80", &conn), CHATGPTT_OK);
    script_write(&s, conn, hello, strlen(hello), &done);
    script_read(&s, conn, out, sizeof out, &done);
    script_write(&s, conn, visited->before, strlen(visited->before), &done);
    s.now += visited->ms;
    for (int i = 0; i < 3; i++) script_read(&s, conn, out, sizeof out, &done);
    CHECK_INT(script_open(&s, visited->where, "80", &other), CHATGPTT_OK);
    script_write(&s, other, visited->after, strlen(visited->after), &done);
    script_close(&s, conn);
    script_close(&s, other);
    script_finish(&s);
}

TEST(far_side_tells)
{
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        visited = &visits[i];
        CHECK_INT(run_in_child(pay_visit), visited->finding != NULL);
        if (visited->finding) CHECK(child_said(visited->finding));
        if (check_now.bad) { printf("    %s: %s\n", visited->name, child_output); return; }
    }
}

static void tell_a_secret(void)
{
    script s;
    script_init(&s);
    script_secret(&s, "S3CRET", NULL);
    far_check_words(&s.far, NULL, "cannot reach http://user:S3CRET@site.test");
    script_finish(&s);
}
static void read_for_nothing(void)
{
    script s;
    void *conn;
    char out[10];
    size_t done;
    script_init(&s);
    script_connection(&s);
    CHECK_INT(script_open(&s, "a", "80", &conn), CHATGPTT_OK);
    for (int i = 0; i < FAR_IDLE_CALLS + 10; i++) script_read(&s, conn, out, sizeof out, &done);
    script_close(&s, conn);
    script_finish(&s);
}

TEST(far_side_tells_secrets_and_circles)
{
    CHECK_INT(run_in_child(tell_a_secret), 1);
    CHECK(child_said("tells \"S3CRET\""));
    CHECK_INT(run_in_child(read_for_nothing), 1);
    CHECK(child_said("busy: read or write said AGAIN"));
}

/* ---- site.h ---- */

static int dial(const site *s)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)s->port);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* One reply that waits for a nudge, then the end of the connection. */
static bool shy(const site_request *request, int socket)
{
    site_say(socket, "1");
    if (site_await(request->site, 1, 5000)) site_say(socket, "2");
    return false;
}

TEST(site_answers_and_keeps_alive)
{
    static site s;
    char out[8000];
    if (!CHECK(site_start(&s, site_chat, NULL))) return;
    int fd = dial(&s), other = dial(&s);
    CHECK(site_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                       "POST /wp-admin/admin-ajax.php HTTP/1.1\r\nContent-Length: 13\r\n\r\nmessage=%22hi"));
    shutdown(fd, SHUT_WR);
    read_all(fd, out, sizeof out);
    CHECK(strstr(out, "data-nonce=\"0123456789\"") && strstr(out, "data-post-id=\"7\""));
    CHECK(strstr(out, "\"content\":\"\\\"hi\"") && strstr(out, "data: [DONE]\n\n\r\n0\r\n\r\n"));
    CHECK_INT(site_count(&s, &s.requests), 2);
    for (int ms = 0; ms < 5000 && site_count(&s, &s.connections) < 2; ms++) site_sleep_ms(1);
    site_stop(&s);                                      /* with the other connection still open */
    CHECK_INT(read(other, out, 1), 0);
    CHECK_INT(s.connections, 2);
    close(fd);
    close(other);
}

TEST(site_keeps_step)
{
    static site s;
    char out[10];
    if (!CHECK(site_start(&s, shy, NULL))) return;
    int fd = dial(&s);
    CHECK(site_say(fd, "GET / HTTP/1.1\r\n\r\n"));
    CHECK_INT(read(fd, out, sizeof out), 1);
    site_nudge(&s);
    CHECK_INT(read_all(fd, out, sizeof out), 1);
    CHECK_STR(out, "2");
    close(fd);
    site_stop(&s);
}

int main(int argc, char **argv)
{
    (void)argc;
    this_program = argv[0];
    const char *role = getenv("HARNESS_ROLE");
    if (role) return act(role);
    RUN(passing_and_skipping);
    RUN(failing);
    RUN(runner);
    RUN(feed_joins_and_agrees);
    RUN(feed_finds_flaws);
    RUN(request_is_read_back);
    RUN(allocator_counts);
    RUN(allocator_fails_when_told);
    RUN(allocator_tells);
    RUN(transport_plays_the_script);
    RUN(transport_fails_when_told);
    RUN(clock_moves_by_waiting);
    RUN(transport_tells);
    RUN(far_side_tells);
    RUN(far_side_tells_secrets_and_circles);
    RUN(site_answers_and_keeps_alive);
    RUN(site_keeps_step);
    return check_report("harness");
}
