/* The line editor of the tool, key by key, on a terminal of 20 columns and 6 rows whose screen is worked out
   here: what became of the line, where the cursor stands, and what can be seen. Then the files it keeps. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "../examples/kept_chat.h"
#include "../examples/line_edit.h"

#include <fcntl.h>

/* ==== a screen ==== */

enum { COLUMNS = 20, ROWS = 6 };

static struct screen {
    char cells[ROWS][COLUMNS][16];              /* a character and what joins it; "" behind a wide one */
    int row, column;                            /* column == COLUMNS: the next character wraps */
    bool marks;                                 /* pasted text is marked */
} screen;

static void screen_clear(int row, int column)
{
    for (int i = row * COLUMNS + column; i < ROWS * COLUMNS; i++)
        snprintf(screen.cells[i / COLUMNS][i % COLUMNS], 16, " ");
}

static void screen_line_feed(void)
{
    if (++screen.row < ROWS) return;
    memmove(screen.cells[0], screen.cells[1], sizeof screen.cells - sizeof screen.cells[0]);
    screen.row = ROWS - 1;
    screen_clear(screen.row, 0);
}

/* The characters of these tests; the editor's own table is not asked. */
static int screen_width(const char *at)
{
    return strncmp(at, "\xCC\x81", 2) == 0 ? 0 : (unsigned char)*at >= 0xE3 ? 2 : 1;
}

static void screen_character(const char *at, int len)
{
    int width = screen_width(at);
    if (width == 0) {
        strncat(screen.cells[screen.row][screen.column - 1], at, (size_t)len);
        return;
    }
    if (screen.column + width > COLUMNS) {
        screen.column = 0;
        screen_line_feed();
    }
    snprintf(screen.cells[screen.row][screen.column], 16, "%.*s", len, at);
    if (width == 2) screen.cells[screen.row][screen.column + 1][0] = '\0';
    screen.column += width;
}

/* ESC [, parameters and a letter. Those the editor has no use for are a fault. */
static const char *screen_sequence(const char *p)
{
    int n = (int)strtol(p + 2, (char **)&p, 10);
    if (*p == 'A') screen.row -= n;
    else if (*p == 'C') screen.column += n;
    else if (*p == 'J' && n == 2) screen_clear(0, 0);
    else if (*p == 'J') screen_clear(screen.row, screen.column);
    else if (*p == 'H') screen.row = screen.column = 0;
    else if (strncmp(p, "?2004", 5) == 0) screen.marks = *(p += 5) == 'h';
    else check_fail(__FILE__, __LINE__, "a sequence nobody knows: %c", *p);
    CHECK(screen.row >= 0 && screen.column <= COLUMNS);
    return p + 1;
}

static void screen_put(const char *p)
{
    while (*p) {
        int len = 1;
        while (((unsigned char)p[len] & 0xC0) == 0x80) len++;
        if (*p == 0x1B) { p = screen_sequence(p); continue; }
        if (*p == '\r') screen.column = 0;
        else if (*p == '\n') screen_line_feed();
        else if ((unsigned char)*p >= ' ') screen_character(p, len);
        else check_fail(__FILE__, __LINE__, "a control character: %d", *p);
        p += len;
    }
}

/* The rows, joined by |, without the blanks at their ends and the empty rows at the end. */
static const char *screen_text(void)
{
    static char seen[ROWS * COLUMNS * 16 + 1];
    size_t n = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < COLUMNS; i++) n += (size_t)snprintf(seen + n, 16, "%s", screen.cells[row][i]);
        while (n > 0 && seen[n - 1] == ' ') n--;
        seen[n++] = '|';
    }
    while (n > 0 && seen[n - 1] == '|') n--;
    seen[n] = '\0';
    return seen;
}

/* ==== an editor on it ==== */

static editor e;
static volatile sig_atomic_t interrupts;
static int written;                             /* what the editor writes is read here */
static int terminal;                            /* what is written here, it reads */

static void show(void)
{
    static char bytes[1 << 17];
    ssize_t n = read(written, bytes, sizeof bytes - 1);
    bytes[n > 0 ? n : 0] = '\0';
    screen_put(bytes);
}

static void begin(void)
{
    screen.row = screen.column = 0;
    screen_clear(0, 0);
    e.keys.at = e.keys.len = 0;
    edit_begin(&e);
    show();
}

/* All keys come at once, or byte by byte. */
static edit_result type_cut(const char *keys, size_t len, size_t piece)
{
    edit_result result = EDIT_MORE;
    for (size_t at = 0; at < len && result == EDIT_MORE; at += piece) {
        e.keys.at = 0;
        e.keys.len = len - at < piece ? len - at : piece;
        memcpy(e.keys.in, keys + at, e.keys.len);
        while (e.keys.at < e.keys.len && result == EDIT_MORE) {
            result = edit_step(&e);
            show();
        }
    }
    return result;
}

static void reset(void)
{
    edit_free(&e);
    memset(&e, 0, sizeof e);
    e.keys.interrupts = &interrupts;
}

static edit_result type(const char *keys) { return type_cut(keys, strlen(keys), sizeof e.keys.in); }

#define LEFT  "\033[D"
#define RIGHT "\033[C"
#define UP    "\033[A"
#define DOWN  "\033[B"

/* ==== what keys do to a line ==== */

static const struct { const char *keys, *line, *behind;      /* what stands behind the cursor */
} edits[] = {
    { "hello", "hello", "" },
    { "hllo\001" RIGHT "e", "hello", "llo" },
    { "hello\001\006\006\002\033[3~", "hllo", "llo" },
    { "hello" LEFT LEFT "\013", "hel", "" },
    { "hello" LEFT LEFT "\025", "lo", "lo" },
    { "one two  three\027", "one two  ", "" },
    { "one two  three  \027\027", "one ", "" },
    { "one two" "\033b" "X", "one Xtwo", "two" },
    { "one two\033[1;5D\033[1;5D\033[1;5C-", "one- two", " two" },
    { "ab\033[Hx\033[Fy\033OHz\033OFw", "zxabyw", "" },
    { "abc\177\010d", "ad", "" },
    { "abc\001\004", "bc", "bc" },
    { "\001\002\006\005\013\025\027\177\033[3~", "", "" },
    { "one\033\rtwo", "one\ntwo", "" },
    { "a\tb", "a\tb", "" },
    /* characters are whole: wide ones, and those joined by a mark */
    { "a\xE3\x81\x82z" LEFT LEFT "-", "a-\xE3\x81\x82z", "\xE3\x81\x82z" },
    { "e\xCC\x81x" LEFT LEFT "-", "-e\xCC\x81x", "e\xCC\x81x" },
    { "ae\xCC\x81\177", "a", "" },
    { "e\xCC\x81x\001\033[3~", "x", "x" },
    { "a\xF0\x9F\x91\x8B\177b", "ab", "" },
    { "\xE3\x81\x82\xE3\x81\x84" LEFT "\177", "\xE3\x81\x84", "\xE3\x81\x84" },
    /* what is no key and no text is neither taken nor shown */
    { "a\033[15~b\033[1;2Pc\033OSd\033[[Ae", "abcde", "" },
    { "a\033]0;title\007b\033P1$r0m\033\\c", "abc", "" },
    { "a\002\016\017\023\024\026\030\031\034\037" "b", "ba", "a" },
    { "a\xC2\x9B" "31mb", "a31mb", "" },
    { "caf\xE9 au", "caf\xE9 au", "" },
    /* pasted */
    { "\033[200~one\rtwo\033[201~", "one\ntwo", "" },
    { "\033[200~one\r\ntwo\n\nfour\033[201~!", "one\ntwo\n\nfour!", "" },
    { "ad\002\033[200~b\033[31mc\001\033[201~-", "ab[31mc-d", "d" },
    { "\033[200~/quit\r\033[201~", "/quit\n", "" },
};

TEST(keys)
{
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
        for (size_t piece = 4096; piece; piece = piece == 4096 ? 5 : piece == 5 ? 2 : 0) {
            size_t len = strlen(edits[i].keys);
            begin();
            /* a sequence that is cut would be waited for on a terminal: those are typed whole */
            if (piece != 4096 && strchr(edits[i].keys, 033)) continue;
            CHECK_INT(type_cut(edits[i].keys, len, piece), EDIT_MORE);
            CHECK_STR(e.line.bytes, edits[i].line);
            CHECK_STR(e.line.bytes + e.cursor, edits[i].behind);
        }
}

/* ==== what is seen ==== */

static const struct { const char *keys, *seen; int row, column;
} views[] = {
    { "", ">", 0, 2 },
    { "hello", "> hello", 0, 7 },
    { "hello" LEFT LEFT, "> hello", 0, 5 },
    { "hello" LEFT LEFT "\013", "> hel", 0, 5 },
    { "hello\025", ">", 0, 2 },
    /* rows: one full to the edge, one more letter, and back */
    { "aaaaaaaaaaaaaaaaaa", "> aaaaaaaaaaaaaaaaaa", 1, 0 },
    { "aaaaaaaaaaaaaaaaaab", "> aaaaaaaaaaaaaaaaaa|b", 1, 1 },
    { "aaaaaaaaaaaaaaaaaab\177", "> aaaaaaaaaaaaaaaaaa", 1, 0 },
    { "aaaaaaaaaaaaaaaaaab\177\177", "> aaaaaaaaaaaaaaaaa", 0, 19 },
    { "aaaaaaaaaaaaaaaaaabc\001x", "> xaaaaaaaaaaaaaaaaa|abc", 0, 3 },
    { "aaaaaaaaaaaaaaaaaabc\001\013", ">", 0, 2 },
    /* a wide character is not cut by the edge */
    { "aaaaaaaaaaaaaaaaa\xE3\x81\x82", "> aaaaaaaaaaaaaaaaa|\xE3\x81\x82", 1, 2 },
    { "aaaaaaaaaaaaaaaa\xE3\x81\x82", "> aaaaaaaaaaaaaaaa\xE3\x81\x82", 1, 0 },
    { "\xE3\x81\x82\xE3\x81\x84" LEFT, "> \xE3\x81\x82\xE3\x81\x84", 0, 4 },
    { "e\xCC\x81x" LEFT, "> e\xCC\x81x", 0, 3 },
    { "xe\xCC\x81", "> xe\xCC\x81", 0, 4 },
    /* lines */
    { "one\033\rtwo\033\rthree", "> one|two|three", 2, 5 },
    { "one\033\rtwo" LEFT LEFT LEFT LEFT "X", "> oneX|two", 0, 6 },
    { "one\033\r", "> one", 1, 0 },
    /* more of them than there are rows: those about the cursor */
    { "1\033\r2\033\r3\033\r4\033\r5\033\r6\033\r7\033\r8", "3|4|5|6|7|8", 5, 1 },
    { "1\033\r2\033\r3\033\r4\033\r5\033\r6\033\r7\033\r8\001", "> 1|2|3|4|5|6", 0, 2 },
    { "1\033\r2\033\r3\033\r4\033\r5\033\r6\033\r7\033\r8\001\005", "3|4|5|6|7|8", 5, 1 },
    { "hello\014x", "> hellox", 0, 8 },
    { "caf\xE9 au", "> caf? au", 0, 9 },
    { "\033[200~one\rtwo\033[201~", "> one|two", 1, 3 },
};

TEST(screen)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        begin();
        CHECK(screen.marks);
        type(views[i].keys);
        if (!CHECK_STR(screen_text(), views[i].seen))
            check_quote("keys", views[i].keys, strlen(views[i].keys));
        CHECK_INT(screen.row, views[i].row);
        CHECK_INT(screen.column, views[i].column);
    }
}

/* Whatever is typed, the screen is the one that drawing it all anew gives, and the characters stay whole. */
TEST(any_keys)
{
    static const char *const keys[] = { "a", "bc", " ", "x", "?", "\t", "\xE3\x81\x82", "e\xCC\x81",
                                        "\xF0\x9F\x91\x8B", "aaaaaaaaaaaaaaaaaaa", LEFT, LEFT, RIGHT,
                                         UP, DOWN,
                                        "\001", "\005", "\013", "\025", "\027", "\177", "x\004", "\014",
                                        "\033\r", "\033b", "\033f", "\033[3~",
                                        "\033[200~one\rtwo\033[201~" };
    static char seen[sizeof screen.cells];
    unsigned long long dice = 1;
    reset();
    edit_remember(&e, "an earlier line", 15);
    for (int round = 0; round < 200; round++) {
        begin();
        for (int n = 0; n < 60; n++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            type(keys[(dice >> 33) % (sizeof keys / sizeof *keys)]);
            snprintf(seen, sizeof seen, "%s", screen_text());
            int row = screen.row, column = screen.column;
            screen_clear(0, 0);
            e.touched = true;
            edit_draw(&e);
            show();
            bool good = CHECK_STR(seen, screen_text()) && CHECK_INT(screen.row, row);
            if (!good || !CHECK_INT(screen.column, column)) return;
            CHECK(e.cursor == e.line.len || ((unsigned char)e.line.bytes[e.cursor] & 0xC0) != 0x80);
        }
    }
}

/* The next thing printed stands below all of the line, wherever the cursor was. */
TEST(end)
{
    begin();
    CHECK_INT(type("aaaaaaaaaaaaaaaaaabc\001\r"), EDIT_LINE);
    CHECK_INT(screen.row, 2);
    CHECK_INT(screen.column, 0);
    CHECK_STR(e.line.bytes, "aaaaaaaaaaaaaaaaaabc");
    begin();
    CHECK_INT(type("one\033\rtwo\001\003"), EDIT_VOID);
    CHECK_STR(screen_text(), "> one|two^C");
    CHECK_INT(screen.row, 2);
    begin();
    CHECK_INT(type("x\004\177\004"), EDIT_END);
    begin();
    CHECK_INT(type("\033[200~half a paste\003"), EDIT_VOID);
    terminal_leave();
    show();
    CHECK(!screen.marks);
}

/* Typing at the end of a row writes what was typed and no more. */
TEST(thrift)
{
    char bytes[64];
    begin();
    e.keys.at = 0;
    e.keys.len = 2;
    memcpy(e.keys.in, "hi", 2);
    edit_step(&e);
    edit_step(&e);
    ssize_t n = read(written, bytes, sizeof bytes);
    CHECK_MEM(bytes, n > 0 ? (size_t)n : 0, "hi", 2);
}

TEST(any_length)
{
    static char line[1 << 18];
    begin();
    memset(line, 'x', sizeof line - 1);
    memcpy(line + 4090, "\xE3\x81\x82", 3);     /* across the end of what is read at once */
    line[sizeof line - 1] = '\r';
    CHECK_INT(type_cut(line, sizeof line, sizeof e.keys.in), EDIT_LINE);
    CHECK_MEM(e.line.bytes, e.line.len, line, sizeof line - 1);
}

static void say(const char *words) { edit_remember(&e, words, strlen(words)); }

TEST(history)
{
    static const struct { const char *keys, *line;
    } rows[] = { { UP, "two\nlines" },
                 { UP UP, "second" },
                 { UP UP UP UP UP, "first" },
                 { UP UP DOWN, "two\nlines" },
                 { "draft" UP DOWN, "draft" },
                 { "draft" UP UP DOWN DOWN DOWN, "draft" },
                 { "\020\020\016", "two\nlines" },
                 { UP "!", "two\nlines!" },
                 { DOWN, "" } };
    reset();
    say("first");
    say("second");
    say("second");
    say("two\nlines");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        type(rows[i].keys);
        CHECK_STR(e.line.bytes, rows[i].line);
    }
    for (int i = 0; i < 2 * EDIT_MAX_PAST; i++) {
        char words[16];
        snprintf(words, sizeof words, "%d", i);
        say(words);
    }
    CHECK_INT(e.past_len, EDIT_MAX_PAST);
    CHECK_STR(e.past[0], "500");
}

TEST(search)
{
    reset();
    say("the first apple");
    say("a pear");
    say("the second apple");
    begin();
    type("\022app");
    CHECK_STR(e.line.bytes, "the second apple");
    CHECK_STR(screen_text(), "search: app: the sec|ond apple");
    type("\022");
    CHECK_STR(e.line.bytes, "the first apple");
    type("\022");
    CHECK_STR(e.line.bytes, "the first apple");
    /* Enter takes it, to be looked at; one more sends it */
    CHECK_INT(type("\r"), EDIT_MORE);
    CHECK_STR(screen_text(), "> the first apple");
    CHECK_INT(type("\r"), EDIT_LINE);
    begin();
    type("\022pear\177\177\177\177sec\001X");
    CHECK_STR(e.line.bytes, "Xthe second apple");
    begin();
    CHECK_INT(type("\022nothing\003"), EDIT_VOID);
}

/* ==== a terminal that is dumb ==== */

TEST(refused)
{
    static const struct { const char *line; edit_result result;
    } rows[] = { { "hello", EDIT_LINE },       { "a\tb", EDIT_LINE },      { "na\xC3\xAFve", EDIT_LINE },
                 { "a\033[Ab", EDIT_REFUSED }, { "a\001", EDIT_REFUSED },  { "a\177", EDIT_REFUSED },
                 { "a\xC2\x9B" "b", EDIT_REFUSED } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_set(&e.line, rows[i].line, strlen(rows[i].line));
        CHECK_INT(edit_judge(&e), rows[i].result);
        CHECK(!e.why == (rows[i].result == EDIT_LINE));
    }
}

/* The error output is no terminal here, so lines come as the terminal gives them. */
TEST(plain)
{
    static char long_line[5002];
    static const struct { const char *line; edit_result result; const char *taken;
    } rows[] = { { "hello\n", EDIT_LINE, "hello" },   { "\n", EDIT_LINE, "" },
                 { "a\033[Ab\n", EDIT_REFUSED, NULL }, { long_line, EDIT_REFUSED, NULL },
                 { "again \n", EDIT_LINE, "again " }, { "\004", EDIT_END, NULL } };
    memset(long_line, 'x', sizeof long_line - 2);
    long_line[sizeof long_line - 2] = '\n';
    terminal_leave();
    edit_open(&e, &interrupts);
    CHECK(e.plain);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(write(terminal, rows[i].line, strlen(rows[i].line)) > 0);
        CHECK_INT(edit_read(&e), rows[i].result);
        if (rows[i].taken) CHECK_STR(e.line.bytes, rows[i].taken);
        if (rows[i].line == long_line) CHECK(strstr(e.why, "4,095") != NULL);
    }
}

/* ==== the files it keeps ==== */

static mode_t mode_of(const char *path)
{
    struct stat is;
    return lstat(path, &is) < 0 ? 0 : is.st_mode;
}

TEST(files)
{
    char folder[] = "/tmp/test_repl.......";
    text bytes = { 0 }, read = { 0 };
    text_puts(&bytes, "what is kept");
    memset(folder + strlen(folder) - 6, 'X', 6);
    if (!CHECK(mkdtemp(folder) && chdir(folder) == 0 && mkdir("real", 0700) == 0)) return;
    CHECK(symlink("real/file", "link") == 0 && symlink("link", "far") == 0 && symlink("loop", "loop") == 0);
    CHECK(mkfifo("fifo", 0600) == 0);
    CHECK(!read_file("none", &read, &interrupts) && read.len == 0);
    for (int i = 0; i < 2; i++) {               /* the file is not there yet, then it is */
        CHECK(!replace_file("far", &bytes));
        CHECK_INT(mode_of("real/file"), S_IFREG | 0600);
        CHECK(S_ISLNK(mode_of("link")) && S_ISLNK(mode_of("far")));
        CHECK(!read_file("far", &read, &interrupts));
        CHECK_STR(read.bytes, "what is kept");
        CHECK(chmod("real/file", 0644) == 0);
    }
    CHECK_STR(replace_file("fifo", &bytes), "it is no regular file");
    CHECK_STR(read_file("fifo", &read, &interrupts), "it is no regular file");
    CHECK_STR(replace_file("real", &bytes), "it is no regular file");
    CHECK(S_ISFIFO(mode_of("fifo")) && S_ISDIR(mode_of("real")));
    CHECK(replace_file("loop", &bytes) != NULL);
    CHECK_INT(write_new_file("real/file", &bytes), EEXIST);
    CHECK(!unlink("real/file") && !unlink("link") && !unlink("far") && !unlink("loop") && !unlink("fifo"));
    CHECK(rmdir("real") == 0 && rmdir(folder) == 0);        /* nothing else was left */
    free(bytes.bytes);
    free(read.bytes);
}

static void turn(memory *m, const char *question, const char *answer)
{
    remember(m, CHATGPTT_USER, question, strlen(question));
    remember(m, CHATGPTT_ASSISTANT, answer, strlen(answer));
}

static void drop(memory *m)
{
    forget(m, 0, m->count);
    free(m->messages);
    free(m->last.bytes);
    memset(m, 0, sizeof *m);
}

/* What was written is read; cut anywhere it is refused, and no changed byte leads out of it. */
TEST(kept_chat)
{
    memory m = { 0 }, read = { 0 };
    text file = { 0 }, cut = { 0 }, state = { 0 };
    turn(&m, "hello\nend 0\n", "");
    turn(&m, "again", "user 3\nabc\n");
    set_system(&m, "be kind");
    m.conversation.opaque[0] = '\n';
    text_puts(&state, "tokens");
    write_chat(&m, "example.org/", &state, &file);
    CHECK(!parse_chat(&read, "example.org/", &file, &cut));
    CHECK_STR(cut.bytes, "tokens");
    if (!CHECK_INT(read.count, 5)) return;
    for (size_t i = 0; i < 5; i++) {
        CHECK_INT(read.messages[i].role, m.messages[i].role);
        CHECK_STR(read.messages[i].text, m.messages[i].text);
    }
    CHECK(memcmp(&read.conversation, &m.conversation, sizeof m.conversation) == 0);
    CHECK(read.answered);
    CHECK_STR(read.last.bytes, "again");
    CHECK_STR(parse_chat(&read, "example.com/", &file, &state),
              "the conversation in it is with another site");
    for (size_t i = 0; i < 2 * file.len; i++) {
        drop(&read);
        text_set(&cut, file.bytes, i < file.len ? i : file.len);
        cut.bytes = must(realloc(cut.bytes, cut.len + 1));  /* reading on is a fault */
        cut.size = cut.len + 1;
        if (i >= file.len) cut.bytes[i - file.len] ^= (char)(1 << i % 8);
        const char *why = parse_chat(&read, "example.org/", &cut, &state);
        if (i < file.len) CHECK(why != NULL);
    }
    drop(&m);
    drop(&read);
    free(file.bytes);
    free(cut.bytes);
    free(state.bytes);
}

/* The oldest turns go, the system message and the last question stay. */
TEST(outgrown)
{
    enum { LONG = 3 << 20 };
    memory m = { 0 };
    char *answer = must(malloc(LONG + 1));
    memset(answer, 'x', LONG);
    answer[LONG] = '\0';
    set_system(&m, "be kind");
    turn(&m, "first", answer);
    turn(&m, "second", answer);
    remember(&m, CHATGPTT_USER, "third", 5);
    CHECK_INT(forget_oldest(&m), 0);
    forget(&m, m.count - 1, 1);
    turn(&m, "third", answer);
    remember(&m, CHATGPTT_USER, "fourth", 6);
    CHECK_INT(forget_oldest(&m), 2);
    CHECK_INT(m.count, 6);
    CHECK_STR(m.messages[0].text, "be kind");
    CHECK_STR(m.messages[1].text, "second");
    memset(answer, '"', LONG);                  /* six bytes each, in a form */
    turn(&m, "fifth", answer);
    remember(&m, CHATGPTT_USER, "sixth", 5);
    CHECK_INT(forget_oldest(&m), 7);
    CHECK_STR(m.messages[1].text, "sixth");
    set_system(&m, "");
    CHECK_INT(m.count, 1);
    drop(&m);
    free(answer);
}

int main(void)
{
    int ends[2], slave;
    struct winsize size = { ROWS, COLUMNS, 0, 0 };
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0 || pipe(ends) < 0) return 1;
    slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0 || tcgetattr(slave, &terminal_found) < 0) return 1;
    dup2(slave, STDIN_FILENO);
    dup2(ends[1], STDERR_FILENO);
    written = ends[0];
    fcntl(written, F_SETFL, O_NONBLOCK);
    reset();
    RUN(keys);
    RUN(screen);
    RUN(any_keys);
    RUN(end);
    RUN(thrift);
    RUN(any_length);
    RUN(history);
    RUN(search);
    RUN(refused);
    RUN(plain);
    RUN(files);
    RUN(kept_chat);
    RUN(outgrown);
    reset();
    return check_report("test_repl");
}
