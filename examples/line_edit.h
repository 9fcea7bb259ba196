/* line_edit.h - how chatgptt.c reads a message from a terminal.

   A message may be of any length and of many lines: pasted ones (the terminal marks them), or typed with
   Alt-Enter between them. Arrows, Home, End, Delete; Ctrl-A E B F D K U W L; Ctrl-P and N (or Up and Down)
   walk through the history, Ctrl-R searches it; Ctrl-C gives up the line, Ctrl-D on an empty one ends it all.
   A key that is not known does nothing: no control sequence ever becomes part of a message.

   A terminal that is dumb is read plainly, as it was found, and what cannot be meant is refused. */
#ifndef LINE_EDIT_H
#define LINE_EDIT_H

#include "files.h"
#include "terminal.h"

/* VOID: given up by Ctrl-C. REFUSED: not to be sent, `why` says for what. */
typedef enum edit_result { EDIT_MORE, EDIT_LINE, EDIT_VOID, EDIT_REFUSED, EDIT_END } edit_result;

enum { EDIT_MAX_PAST = 500, EDIT_MAX_CANON = 4095 };

typedef struct place { size_t row, column; } place;

/* Zero it, then edit_open(). */
typedef struct editor {
    bool plain;
    keyboard keys;
    const char *why;
    text line;                      /* what was typed */
    size_t cursor;                  /* a byte of it */
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

/* The place behind the line's first `stop` bytes. `out`, if given, gets the rows from `top` to `end`. */
static place edit_walk(const editor *e, place p, size_t columns, size_t stop, text *out, size_t top,
                       size_t end)
{
    unsigned code;
    for (size_t i = 0, n; i < stop; i += n) {
        n = char_read(e->line.bytes + i, e->line.len - i, &code);
        size_t width = code == '\n' ? 0 : char_width(code);
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
        n = char_read(e->line.bytes + i, e->line.len - i, &code);
        if (code == '\n' || code == '\t' || (n == 1 && code == '?')) return false;
        column += char_width(code);
    }
    if (column >= columns) return false;
    terminal_put(e->line.bytes + e->drawn_len, e->line.len - e->drawn_len);
    e->drawn.column = column;
    e->drawn_len = e->line.len;
    return true;
}

static void edit_draw(editor *e)
{
    text out = { 0 };
    size_t rows, columns = terminal_columns(&rows);
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
    terminal_put(out.bytes, out.len);
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
        char_read(e->line.bytes + at, e->line.len - at, &code);
    } while (at > 0 && code != '\n' && char_width(code) == 0);
    return at;
}

static size_t edit_after(const editor *e, size_t at)
{
    unsigned code = 'x';
    size_t n = char_read(e->line.bytes + at, e->line.len - at, &code);
    do at += n, n = at < e->line.len ? char_read(e->line.bytes + at, e->line.len - at, &code) : 0;
    while (n && code != '\n' && char_width(code) == 0);
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
    while (mark[n] && (c = key_byte(&e->keys, 500)) == mark[n]) n++;
    if (mark[n] == '\0') e->pasting = false;
    else edit_insert(e, mark, n);
    if (mark[n] && c >= 0) e->keys.at--;          /* no mark: what stands there is text */
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
    if (key == KEY('L')) terminal_put("\033[H\033[2J", 7), e->drawn.row = e->top = 0, e->touched = true;
    if (key == KEY('Z')) {
        terminal_set_mode(TERMINAL_AS_FOUND);
        raise(SIGTSTP);
        terminal_set_mode(TERMINAL_TYPING);
        e->drawn.row = e->top;
        e->touched = true;
    }
    if (e->keys.at == e->keys.len && !edit_partial(e)) edit_draw(e);
}

static void edit_begin(editor *e)
{
    text_set(&e->line, "", 0);
    e->cursor = e->drawn_len = e->top = 0;
    e->at = e->past_len;
    e->pasting = e->searching = e->touched = false;
    e->drawn = (place){ 0, 2 };
    terminal_set_mode(TERMINAL_TYPING);
    terminal_put("> ", 2);
}

static edit_result edit_end(editor *e, edit_result result)
{
    e->searching = false;
    e->touched = true;
    edit_go(e, e->line.len);
    edit_draw(e);
    terminal_put(result == EDIT_VOID ? "^C\r\n" : "\r\n", result == EDIT_VOID ? 4 : 2);
    terminal_set_mode(TERMINAL_ANSWERING);
    return result;
}

/* Takes one key. MORE: the line goes on. */
static edit_result edit_step(editor *e)
{
    int key = key_byte(&e->keys, -1);
    if (key >= 0 && e->pasting) key = edit_paste_byte(e, key);
    else if (key == 0x1B) key = key_sequence(&e->keys);
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
    for (size_t i = 0; i < e->line.len; i += char_read(e->line.bytes + i, e->line.len - i, &code)) {
        char_read(e->line.bytes + i, e->line.len - i, &code);
        if ((code < ' ' && code != '\t') || (code >= 0x7F && code < 0xA0))
            e->why = "it holds a control character";
    }
    return e->why ? EDIT_REFUSED : EDIT_LINE;
}

static edit_result edit_plain(editor *e)
{
    int c;
    text_set(&e->line, "", 0);
    terminal_put("> ", 2);
    while ((c = key_byte(&e->keys, -1)) != '\n') {
        char byte = (char)c;
        if (c == KEY_NONE) continue;
        if (c == KEY('C') && *e->keys.interrupts) { e->keys.at = e->keys.len; text_set(&e->line, "", 0); }
        if (c < 0 || *e->keys.interrupts) terminal_put("\n", 1);
        if (c < 0 || *e->keys.interrupts) return c < 0 ? EDIT_END : EDIT_VOID;
        text_add(&e->line, &byte, 1);
    }
    return edit_judge(e);
}

/* One message, in e->line. */
static edit_result edit_read(editor *e)
{
    *e->keys.interrupts = 0;
    edit_result result = e->plain ? edit_plain(e) : edit_typed(e);
    *e->keys.interrupts = 0;
    return result;
}

static void edit_open(editor *e, volatile sig_atomic_t *interrupts)
{
    const char *term = getenv("TERM");
    e->keys.interrupts = interrupts;
    e->plain = !term || !*term || strcmp(term, "dumb") == 0 || !isatty(STDERR_FILENO) ||
               tcgetattr(STDIN_FILENO, &terminal_found) < 0;
    if (!e->plain) atexit(terminal_leave);
}

#endif
