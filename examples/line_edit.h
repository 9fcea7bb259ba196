/* line_edit.h - how chatgptt.c reads a message from a terminal.

   A message may be of any length and of many lines: pasted ones (the terminal marks them), or typed with
   Alt-Enter between them. Arrows, Home, End, Delete; Ctrl-A E B F D K U W L; Ctrl-P and N (or Up and Down)
   walk through the history, Ctrl-R searches it; Ctrl-C gives up the line, Ctrl-D on an empty one ends it all.
   A key that is not known does nothing: no control sequence ever becomes part of a message.

   The terminal is in one of three modes: as it was found; TYPING, where each key comes here at once; and
   ANSWERING, where keys are not echoed, wait for the next line, and Ctrl-C is a signal. A terminal that is
   dumb is read plainly, as it was found, and what cannot be meant is refused. */
#ifndef LINE_EDIT_H
#define LINE_EDIT_H

#include "files.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <time.h>

/* ==== characters and how wide a terminal shows them ==== */

/* The bytes of the character at `at`, and its number; 1 and '?' if they are no UTF-8. */
static size_t edit_char(const char *at, size_t left, unsigned *code)
{
    unsigned char c = (unsigned char)*at;
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    *code = n == 1 ? c : c & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (i >= left || ((unsigned char)at[i] & 0xC0) != 0x80) n = 0;
        else *code = *code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    if (n == 0) *code = '?';
    return n ? n : 1;
}

typedef struct edit_range { unsigned first, last; } edit_range;

static bool edit_in(unsigned code, const edit_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

/* 0 for what joins the character before it, 2 for what fills two cells (UAX #11, in blocks). */
static size_t edit_width(unsigned code)
{
    static const edit_range joined[] = {
        { 0x300, 0x36F }, { 0x483, 0x489 }, { 0x591, 0x5BD }, { 0x5BF, 0x5C7 }, { 0x610, 0x61A },
        { 0x64B, 0x65F }, { 0x6D6, 0x6DC }, { 0x6DF, 0x6E4 }, { 0x6E7, 0x6ED }, { 0x900, 0x902 },
        { 0x93C, 0x93C }, { 0x941, 0x948 }, { 0x94D, 0x94D }, { 0xE31, 0xE31 }, { 0xE34, 0xE3A },
        { 0xE47, 0xE4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F }, { 0x202A, 0x202E },
        { 0x2060, 0x2064 }, { 0x20D0, 0x20FF }, { 0x3099, 0x309A }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
        { 0xFEFF, 0xFEFF }, { 0xE0100, 0xE01EF }
    };
    static const edit_range wide[] = {
        { 0x1100, 0x115F }, { 0x231A, 0x231B }, { 0x23E9, 0x23EC }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 },
        { 0x26AA, 0x26AB }, { 0x26BD, 0x26BE }, { 0x2705, 0x2705 }, { 0x270A, 0x270B }, { 0x2728, 0x2728 },
        { 0x274C, 0x274E }, { 0x2753, 0x2757 }, { 0x2795, 0x2797 }, { 0x2B50, 0x2B55 }, { 0x2E80, 0x303E },
        { 0x3041, 0x4DBF }, { 0x4E00, 0xA4CF }, { 0xA960, 0xA97F }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
        { 0xFE30, 0xFE6F }, { 0xFF01, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x16FE0, 0x1B2FF },
        { 0x1F18E, 0x1F19A }, { 0x1F200, 0x1F320 }, { 0x1F32D, 0x1F64F }, { 0x1F680, 0x1F6FF },
        { 0x1F7E0, 0x1F7EB }, { 0x1F900, 0x1FAFF }, { 0x20000, 0x3FFFD }
    };
    if (code < 0x300) return 1;
    if (edit_in(code, joined, sizeof joined / sizeof *joined)) return 0;
    return edit_in(code, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

/* ==== the terminal ==== */

typedef enum edit_mode { EDIT_AS_FOUND, EDIT_TYPING, EDIT_ANSWERING } edit_mode;

static struct termios edit_found;               /* how the terminal was */
static volatile sig_atomic_t edit_taken;        /* it is in another mode now */

static void edit_put(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, bytes, len);
        if (n < 0 && errno != EINTR) return;    /* nobody is left to tell */
        if (n > 0) bytes += n, len -= (size_t)n;
    }
}

/* May be called by a signal handler. */
static void edit_set_mode(edit_mode mode)
{
    struct termios t = edit_found;
    if (mode == EDIT_AS_FOUND && !edit_taken) return;
    if (mode != EDIT_AS_FOUND) {
        t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
        t.c_cc[VMIN] = 1;
        t.c_cc[VTIME] = 0;
    }
    if (mode == EDIT_TYPING) {
        t.c_lflag &= ~(tcflag_t)ISIG;
        t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON);
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
    if (mode == EDIT_TYPING) edit_put("\033[?2004h", 8);       /* pasted text is to be marked */
    if (mode == EDIT_AS_FOUND) edit_put("\033[?2004l", 8);
    edit_taken = mode != EDIT_AS_FOUND;
}

static void edit_leave(void) { edit_set_mode(EDIT_AS_FOUND); }

/* ==== the editor ==== */

/* VOID: given up by Ctrl-C. REFUSED: not to be sent, `why` says for what. */
typedef enum edit_result { EDIT_MORE, EDIT_LINE, EDIT_VOID, EDIT_REFUSED, EDIT_END } edit_result;

enum { EDIT_MAX_PAST = 500, EDIT_MAX_CANON = 4095 };

typedef struct place { size_t row, column; } place;

/* Zero it. `plain` and `interrupts` (raised by Ctrl-C as a signal) are the caller's. */
typedef struct editor {
    bool plain;
    volatile sig_atomic_t *interrupts;
    const char *why;
    text line;                      /* what was typed */
    size_t cursor;                  /* a byte of it */
    char in[4096];                  /* read, but not looked at yet */
    size_t in_at, in_len;
    bool pasting, after_cr, searching;
    text query, draft;              /* what is searched; what was typed before walking back */
    char **past;                    /* the history, oldest first */
    size_t past_len, at;            /* at == past_len: the draft */
    place drawn;                    /* where the cursor stands, on the screen */
    size_t drawn_len, top;          /* bytes of the line drawn; the first row shown */
    bool touched;                   /* by more than bytes at its end */
} editor;

static void edit_remember(editor *e, const char *bytes, size_t len)
{
    if (len == 0 || (e->past_len && strcmp(e->past[e->past_len - 1], bytes) == 0)) return;
    if (!e->past) e->past = must(malloc(EDIT_MAX_PAST * sizeof *e->past));
    if (e->past_len == EDIT_MAX_PAST) {
        free(e->past[0]);
        memmove(e->past, e->past + 1, --e->past_len * sizeof *e->past);
    }
    e->past[e->past_len] = memcpy(must(malloc(len + 1)), bytes, len);
    e->past[e->past_len++][len] = '\0';
}

static void edit_free(editor *e)
{
    while (e->past_len) free(e->past[--e->past_len]);
    free(e->past);
    free(e->line.bytes);
    free(e->query.bytes);
    free(e->draft.bytes);
}

/* ---- drawing ---- */

static size_t edit_columns(size_t *rows)
{
    size_t columns = 80;
    *rows = 24;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) return columns;
    if (size.ws_col > 3) columns = size.ws_col;
    if (size.ws_row > 1) *rows = size.ws_row;
#endif
    return columns;
}

/* The place behind the line's first `stop` bytes. `out`, if given, gets the rows from `top` to `end`. */
static place edit_walk(const editor *e, place p, size_t columns, size_t stop, text *out, size_t top,
                       size_t end)
{
    unsigned code;
    for (size_t i = 0, n; i < stop; i += n) {
        n = edit_char(e->line.bytes + i, e->line.len - i, &code);
        size_t width = code == '\n' ? 0 : edit_width(code);
        if (code == '\n' || p.column + width > columns) {
            p = (place){ p.row + 1, 0 };
            if (out && p.row > top && p.row < end) text_puts(out, "\r\n");
        }
        p.column += width;
        if (!out || code == '\n' || p.row < top || p.row >= end) continue;
        if (n == 1 && (code == '?' || code == '\t')) text_puts(out, code == '?' ? "?" : " ");
        else text_add(out, e->line.bytes + i, n);
    }
    return p.column < columns ? p : (place){ p.row + 1, 0 };
}

static void edit_move(text *out, size_t count, char direction)
{
    char sequence[32];
    if (!count) return;
    snprintf(sequence, sizeof sequence, "\033[%zu%c", count, direction);
    text_puts(out, sequence);
}

/* What was added at the end still fits its row: it is written, and nothing else. */
static bool edit_draw_tail(editor *e, size_t columns)
{
    size_t column = e->drawn.column;
    unsigned code;
    if (e->touched || e->searching) return false;
    for (size_t i = e->drawn_len, n; i < e->line.len; i += n) {
        n = edit_char(e->line.bytes + i, e->line.len - i, &code);
        if (code == '\n' || code == '\t' || (n == 1 && code == '?')) return false;
        column += edit_width(code);
    }
    if (column >= columns) return false;
    edit_put(e->line.bytes + e->drawn_len, e->line.len - e->drawn_len);
    e->drawn.column = column;
    e->drawn_len = e->line.len;
    return true;
}

static void edit_draw(editor *e)
{
    text out = { 0 };
    size_t rows, columns = edit_columns(&rows);
    char prompt[128] = "> ";
    if (edit_draw_tail(e, columns)) return;
    if (e->searching) snprintf(prompt, sizeof prompt, "search: %.100s: ", e->query.bytes);
    place start = { 0, strlen(prompt) < columns ? strlen(prompt) : 0 };
    place cursor = edit_walk(e, start, columns, e->cursor, NULL, 0, 0);
    if (e->drawn.row > e->top) edit_move(&out, e->drawn.row - e->top, 'A');
    if (cursor.row < e->top) e->top = cursor.row;
    if (cursor.row >= e->top + rows) e->top = cursor.row - rows + 1;
    text_puts(&out, "\r\033[J");
    if (e->top == 0 && start.column) text_puts(&out, prompt);
    place last = edit_walk(e, start, columns, e->line.len, &out, e->top, e->top + rows);
    bool full = last.column == 0 && e->line.len && e->line.bytes[e->line.len - 1] != '\n';
    if (last.row >= e->top + rows) last.row = e->top + rows - 1;
    else if (full && last.row > e->top) text_puts(&out, "\r\n");   /* the cursor stands in the next row */
    edit_move(&out, last.row - cursor.row, 'A');
    text_puts(&out, "\r");
    edit_move(&out, cursor.column, 'C');
    edit_put(out.bytes, out.len);
    free(out.bytes);
    e->drawn = cursor;
    e->drawn_len = e->line.len;
    e->touched = e->cursor < e->line.len;
}

/* ---- changing the line ---- */

static size_t edit_before(const editor *e, size_t at)
{
    unsigned code = 0;
    do {
        do at--;
        while (at > 0 && ((unsigned char)e->line.bytes[at] & 0xC0) == 0x80);
        edit_char(e->line.bytes + at, e->line.len - at, &code);
    } while (at > 0 && code != '\n' && edit_width(code) == 0);
    return at;
}

static size_t edit_after(const editor *e, size_t at)
{
    unsigned code = 'x';
    size_t n = edit_char(e->line.bytes + at, e->line.len - at, &code);
    do at += n, n = at < e->line.len ? edit_char(e->line.bytes + at, e->line.len - at, &code) : 0;
    while (n && code != '\n' && edit_width(code) == 0);
    return at;
}

static bool edit_blank(const editor *e, size_t at) { return strchr(" \t\n", e->line.bytes[at]) != NULL; }

static size_t edit_word_before(const editor *e, size_t at)
{
    while (at > 0 && edit_blank(e, at - 1)) at--;
    while (at > 0 && !edit_blank(e, at - 1)) at--;
    return at;
}

static size_t edit_word_after(const editor *e, size_t at)
{
    while (at < e->line.len && edit_blank(e, at)) at++;
    while (at < e->line.len && !edit_blank(e, at)) at++;
    return at;
}

static void edit_go(editor *e, size_t at)
{
    e->touched = e->touched || at != e->cursor;
    e->cursor = at;
}

static void edit_insert(editor *e, const char *bytes, size_t len)
{
    size_t rest = e->line.len - e->cursor;
    text_add(&e->line, bytes, len);
    if (rest == 0) { e->cursor += len; return; }
    memmove(e->line.bytes + e->cursor + len, e->line.bytes + e->cursor, rest);
    memcpy(e->line.bytes + e->cursor, bytes, len);
    edit_go(e, e->cursor + len);
}

static void edit_cut(editor *e, size_t from, size_t to)
{
    memmove(e->line.bytes + from, e->line.bytes + to, e->line.len - to + 1);
    e->line.len -= to - from;
    e->cursor = from;
    e->touched = true;
}

static void edit_replace(editor *e, const char *bytes, size_t len)
{
    text_set(&e->line, bytes, len);
    e->cursor = len;
    e->touched = true;
}

/* ---- history ---- */

static void edit_walk_past(editor *e, size_t at)
{
    if (at > e->past_len || at == e->at) return;
    if (e->at == e->past_len) text_set(&e->draft, e->line.bytes, e->line.len);
    e->at = at;
    if (at == e->past_len) edit_replace(e, e->draft.bytes, e->draft.len);
    else edit_replace(e, e->past[at], strlen(e->past[at]));
}

/* Takes the newest message before `below` that holds what is searched. */
static void edit_search(editor *e, size_t below)
{
    for (size_t i = below; i-- > 0;)
        if (strstr(e->past[i], e->query.bytes)) { edit_walk_past(e, i); return; }
}

static void edit_begin_search(editor *e)
{
    if (e->searching) { edit_search(e, e->at); return; }
    e->searching = e->touched = true;
    text_set(&e->query, "", 0);
}

/* While searching, letters and Backspace change what is searched; any other key ends that and does what it
   does elsewhere, but for Enter: what was found is looked at before it is sent. */
static bool edit_search_key(editor *e, int key)
{
    char c = (char)key;
    e->touched = true;
    if (key == 0x7F || key == 8) {
        size_t n = e->query.len;
        while (n > 1 && ((unsigned char)e->query.bytes[n - 1] & 0xC0) == 0x80) n--;
        e->query.len = n ? n - 1 : 0;
        e->query.bytes[e->query.len] = '\0';
    } else if (key >= ' ' && key < 0x100) text_add(&e->query, &c, 1);
    else if (key == ('R' & 31)) return false;
    else return e->searching = false, key == '\r' || key == '\n';
    if (e->query.len) edit_search(e, e->past_len);
    return true;
}

/* ---- keys ---- */

#define KEY(letter) ((letter) & 31)
enum { KEY_GONE = -2, KEY_NONE = -1, KEY_DELETE = 256, KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_LINE_FEED,
       KEY_PASTE };

/* Waits for a byte, `ms` at most (-1: for ever), so that no Ctrl-C is missed: it is held back until pselect()
   sleeps. 1, 0 when the time is over, -1 if interrupted. */
static int edit_wait(editor *e, long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    sigset_t held, before;
    int n;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigprocmask(SIG_BLOCK, &held, &before);
    do {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(STDIN_FILENO, &ready);
        if (*e->interrupts) n = -1;
        else n = pselect(STDIN_FILENO + 1, &ready, NULL, NULL, ms < 0 ? NULL : &time, &before);
    } while (n < 0 && !*e->interrupts && errno == EINTR);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return n;
}

static int edit_byte(editor *e, long ms)
{
    if (e->in_at == e->in_len) {
        int ready = edit_wait(e, ms);
        if (ready <= 0) return ready == 0 ? KEY_NONE : *e->interrupts ? KEY('C') : KEY_GONE;
        ssize_t n = read(STDIN_FILENO, e->in, sizeof e->in);
        if (n <= 0) return n < 0 && errno == EINTR ? KEY_NONE : KEY_GONE;
        e->in_at = 0;
        e->in_len = (size_t)n;
    }
    return (unsigned char)e->in[e->in_at++];
}

/* ESC ] and its kin: what a terminal answers, up to BEL or ESC \. */
static int edit_skip_string(editor *e)
{
    int c;
    do c = edit_byte(e, 500);
    while (c >= 0 && c != 7 && c != 0x1B);
    if (c == 0x1B) edit_byte(e, 500);
    return KEY_NONE;
}

/* What came behind ESC, as the key it stands for. */
static int edit_sequence(editor *e)
{
    static const struct { const char *name; int key;
    } known[] = { { "A", KEY('P') }, { "B", KEY('N') }, { "C", KEY('F') }, { "D", KEY('B') },
                  { "H", KEY('A') }, { "1~", KEY('A') }, { "7~", KEY('A') },
                  { "F", KEY('E') }, { "4~", KEY('E') }, { "8~", KEY('E') },
                  { "1;5C", KEY_WORD_RIGHT }, { "1;3C", KEY_WORD_RIGHT }, { "1;5D", KEY_WORD_LEFT },
                  { "1;3D", KEY_WORD_LEFT }, { "3~", KEY_DELETE }, { "200~", KEY_PASTE } };
    char name[16] = "";
    size_t n = 0;
    int c = edit_byte(e, 500);
    if (c == '\r' || c == '\n') return KEY_LINE_FEED;
    if (c == 'b' || c == 'f') return c == 'b' ? KEY_WORD_LEFT : KEY_WORD_RIGHT;
    if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') return edit_skip_string(e);
    if (c != '[' && c != 'O') return KEY_NONE;
    do {
        c = edit_byte(e, 500);
        if (c == '[' && n == 0) edit_byte(e, 500);          /* a function key of the Linux console */
        if (c >= ' ' && n + 1 < sizeof name) name[n++] = (char)c;
    } while (c >= ' ' && c < '@');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].key;
    return KEY_NONE;
}

/* One byte of text. Control characters are none, but for tabs and line ends; C1 comes as C2 80 to C2 9F. */
static void edit_type(editor *e, int c)
{
    char byte = (char)c;
    bool c1 = e->cursor > 0 && (unsigned char)e->line.bytes[e->cursor - 1] == 0xC2 && c >= 0x80 && c < 0xA0;
    if (c1) edit_cut(e, e->cursor - 1, e->cursor);
    else if (c >= ' ' ? c != 0x7F : c == '\n' || c == '\t') edit_insert(e, &byte, 1);
}

/* A byte of pasted text, up to the mark of its end; there a line ends in CR, LF, or both. */
static int edit_paste_byte(editor *e, int c)
{
    static const char mark[] = "[201~";
    size_t n = 0;
    bool second = c == '\n' && e->after_cr;
    if (c == KEY('C')) return c;
    e->after_cr = c == '\r';
    if (c != 0x1B) {
        if (!second) edit_type(e, c == '\r' ? '\n' : c);
        return KEY_NONE;
    }
    while (mark[n] && (c = edit_byte(e, 500)) == mark[n]) n++;
    if (mark[n] == '\0') e->pasting = false;
    else edit_insert(e, mark, n);
    if (mark[n] && c >= 0) e->in_at--;          /* no mark: what stands there is text */
    return KEY_NONE;
}

static void edit_key(editor *e, int key)
{
    size_t at = e->cursor, len = e->line.len;
    switch (key) {
    case KEY('A'): edit_go(e, 0); break;
    case KEY('E'): edit_go(e, len); break;
    case KEY('B'): if (at > 0) edit_go(e, edit_before(e, at)); break;
    case KEY('F'): if (at < len) edit_go(e, edit_after(e, at)); break;
    case KEY_WORD_LEFT: edit_go(e, edit_word_before(e, at)); break;
    case KEY_WORD_RIGHT: edit_go(e, edit_word_after(e, at)); break;
    case 0x7F:
    case KEY('H'): if (at > 0) edit_cut(e, edit_before(e, at), at); break;
    case KEY('D'):
    case KEY_DELETE: if (at < len) edit_cut(e, at, edit_after(e, at)); break;
    case KEY('K'): edit_cut(e, at, len); break;
    case KEY('U'): edit_cut(e, 0, at); break;
    case KEY('W'): edit_cut(e, edit_word_before(e, at), at); break;
    case KEY('P'): if (e->at > 0) edit_walk_past(e, e->at - 1); break;
    case KEY('N'): edit_walk_past(e, e->at + 1); break;
    case KEY('R'): edit_begin_search(e); break;
    case KEY_LINE_FEED: edit_type(e, '\n'); break;
    case KEY_PASTE: e->pasting = true; e->after_cr = false; break;
    default: if (key >= ' ' || key == '\t') edit_type(e, key);
    }
}

/* The line ends in the middle of a character: its other bytes will come. */
static bool edit_partial(const editor *e)
{
    size_t back = 1;
    const unsigned char *end = (const unsigned char *)e->line.bytes + e->cursor;
    while (back < 4 && back < e->cursor && (end[-(int)back] & 0xC0) == 0x80) back++;
    unsigned char lead = e->cursor ? end[-(int)back] : 0;
    return lead >= 0xC2 && back < (lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u);
}

static void edit_screen(editor *e, int key)
{
    if (key == KEY('L')) edit_put("\033[H\033[2J", 7), e->drawn.row = e->top = 0, e->touched = true;
    if (key == KEY('Z')) {
        edit_set_mode(EDIT_AS_FOUND);
        raise(SIGTSTP);
        edit_set_mode(EDIT_TYPING);
        e->drawn.row = e->top;
        e->touched = true;
    }
    if (e->in_at == e->in_len && !edit_partial(e)) edit_draw(e);
}

static void edit_begin(editor *e)
{
    text_set(&e->line, "", 0);
    e->cursor = e->drawn_len = e->top = 0;
    e->at = e->past_len;
    e->pasting = e->searching = e->touched = false;
    e->drawn = (place){ 0, 2 };
    edit_set_mode(EDIT_TYPING);
    edit_put("> ", 2);
}

static edit_result edit_end(editor *e, edit_result result)
{
    e->searching = false;
    e->touched = true;
    edit_go(e, e->line.len);
    edit_draw(e);
    edit_put(result == EDIT_VOID ? "^C\r\n" : "\r\n", result == EDIT_VOID ? 4 : 2);
    edit_set_mode(EDIT_ANSWERING);
    return result;
}

/* Takes one key. MORE: the line goes on. */
static edit_result edit_step(editor *e)
{
    int key = edit_byte(e, -1);
    if (key >= 0 && e->pasting) key = edit_paste_byte(e, key);
    else if (key == 0x1B) key = edit_sequence(e);
    if (e->searching && key != KEY_NONE && edit_search_key(e, key)) key = KEY_NONE;
    if (key == '\r' || key == '\n') return edit_end(e, EDIT_LINE);
    if (key == KEY('C')) return edit_end(e, EDIT_VOID);
    if (key == KEY_GONE || (key == KEY('D') && e->line.len == 0)) return edit_end(e, EDIT_END);
    if (key != KEY_NONE) edit_key(e, key);
    edit_screen(e, key);
    return EDIT_MORE;
}

static edit_result edit_typed(editor *e)
{
    edit_result result;
    edit_begin(e);
    while ((result = edit_step(e)) == EDIT_MORE) {}
    return result;
}

/* ---- a terminal that is dumb ---- */

static edit_result edit_judge(editor *e)
{
    unsigned code;
    e->why = NULL;
    if (e->line.len >= EDIT_MAX_CANON)
        e->why = "the terminal cuts lines at 4,095 bytes; chatgptt <FILE takes any";
    for (size_t i = 0; i < e->line.len; i += edit_char(e->line.bytes + i, e->line.len - i, &code)) {
        edit_char(e->line.bytes + i, e->line.len - i, &code);
        if ((code < ' ' && code != '\t') || (code >= 0x7F && code < 0xA0))
            e->why = "it holds a control character";
    }
    return e->why ? EDIT_REFUSED : EDIT_LINE;
}

static edit_result edit_plain(editor *e)
{
    int c;
    text_set(&e->line, "", 0);
    edit_put("> ", 2);
    while ((c = edit_byte(e, -1)) != '\n') {
        char byte = (char)c;
        if (c == KEY_NONE) continue;
        if (c == KEY('C') && *e->interrupts) { e->in_at = e->in_len; text_set(&e->line, "", 0); }
        if (c < 0 || *e->interrupts) edit_put("\n", 1);
        if (c < 0 || *e->interrupts) return c < 0 ? EDIT_END : EDIT_VOID;
        text_add(&e->line, &byte, 1);
    }
    return edit_judge(e);
}

/* One message, in e->line. */
static edit_result edit_read(editor *e)
{
    *e->interrupts = 0;
    edit_result result = e->plain ? edit_plain(e) : edit_typed(e);
    *e->interrupts = 0;
    return result;
}

static void edit_open(editor *e, volatile sig_atomic_t *interrupts)
{
    const char *term = getenv("TERM");
    e->interrupts = interrupts;
    e->plain = !term || !*term || strcmp(term, "dumb") == 0 || !isatty(STDERR_FILENO) ||
               tcgetattr(STDIN_FILENO, &edit_found) < 0;
    if (!e->plain) atexit(edit_leave);
}

#endif
