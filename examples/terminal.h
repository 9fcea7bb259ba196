/* terminal.h - what line_edit.h knows of terminals: modes, keys, and how wide they show a character.

   A terminal is in one of three modes: as it was found; TYPING, where each key comes here at once; and
   ANSWERING, where keys are not echoed, wait for the next line, and Ctrl-C is a signal. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ==== characters and how wide a terminal shows them ==== */

/* The bytes of the character at `at`, and its number; 1 and '?' if they are no UTF-8. */
static size_t char_read(const char *at, size_t left, unsigned *code)
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

typedef struct char_range { unsigned first, last; } char_range;

static bool char_in(unsigned code, const char_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

/* 0 for what joins the character before it, 2 for what fills two cells (UAX #11, in blocks). */
static size_t char_width(unsigned code)
{
    static const char_range joined[] = {
        { 0x300, 0x36F }, { 0x483, 0x489 }, { 0x591, 0x5BD }, { 0x5BF, 0x5C7 }, { 0x610, 0x61A },
        { 0x64B, 0x65F }, { 0x6D6, 0x6DC }, { 0x6DF, 0x6E4 }, { 0x6E7, 0x6ED }, { 0x900, 0x902 },
        { 0x93C, 0x93C }, { 0x941, 0x948 }, { 0x94D, 0x94D }, { 0xE31, 0xE31 }, { 0xE34, 0xE3A },
        { 0xE47, 0xE4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F }, { 0x202A, 0x202E },
        { 0x2060, 0x2064 }, { 0x20D0, 0x20FF }, { 0x3099, 0x309A }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
        { 0xFEFF, 0xFEFF }, { 0xE0100, 0xE01EF }
    };
    static const char_range wide[] = {
        { 0x1100, 0x115F }, { 0x231A, 0x231B }, { 0x23E9, 0x23EC }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 },
        { 0x26AA, 0x26AB }, { 0x26BD, 0x26BE }, { 0x2705, 0x2705 }, { 0x270A, 0x270B }, { 0x2728, 0x2728 },
        { 0x274C, 0x274E }, { 0x2753, 0x2757 }, { 0x2795, 0x2797 }, { 0x2B50, 0x2B55 }, { 0x2E80, 0x303E },
        { 0x3041, 0x4DBF }, { 0x4E00, 0xA4CF }, { 0xA960, 0xA97F }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
        { 0xFE30, 0xFE6F }, { 0xFF01, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x16FE0, 0x1B2FF },
        { 0x1F18E, 0x1F19A }, { 0x1F200, 0x1F320 }, { 0x1F32D, 0x1F64F }, { 0x1F680, 0x1F6FF },
        { 0x1F7E0, 0x1F7EB }, { 0x1F900, 0x1FAFF }, { 0x20000, 0x3FFFD }
    };
    if (code < 0x300) return 1;
    if (char_in(code, joined, sizeof joined / sizeof *joined)) return 0;
    return char_in(code, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

/* ==== the terminal ==== */

typedef enum terminal_mode { TERMINAL_AS_FOUND, TERMINAL_TYPING, TERMINAL_ANSWERING } terminal_mode;

static struct termios terminal_found;               /* how the terminal was */
static volatile sig_atomic_t terminal_taken;        /* it is in another mode now */

static void terminal_put(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, bytes, len);
        if (n < 0 && errno != EINTR) return;    /* nobody is left to tell */
        if (n > 0) bytes += n, len -= (size_t)n;
    }
}

/* May be called by a signal handler. */
static void terminal_set_mode(terminal_mode mode)
{
    struct termios t = terminal_found;
    if (mode == TERMINAL_AS_FOUND && !terminal_taken) return;
    if (mode != TERMINAL_AS_FOUND) {
        t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
        t.c_cc[VMIN] = 1;
        t.c_cc[VTIME] = 0;
    }
    if (mode == TERMINAL_TYPING) {
        t.c_lflag &= ~(tcflag_t)ISIG;
        t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON);
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
    if (mode == TERMINAL_TYPING) terminal_put("\033[?2004h", 8);       /* pasted text is to be marked */
    if (mode == TERMINAL_AS_FOUND) terminal_put("\033[?2004l", 8);
    terminal_taken = mode != TERMINAL_AS_FOUND;
}

static void terminal_leave(void) { terminal_set_mode(TERMINAL_AS_FOUND); }

static size_t terminal_columns(size_t *rows)
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

/* ==== keys ==== */

#define KEY(letter) ((letter) & 31)
enum { KEY_GONE = -2, KEY_NONE = -1, KEY_DELETE = 256, KEY_WORD_LEFT, KEY_WORD_RIGHT, KEY_LINE_FEED,
       KEY_PASTE };

/* Zero it. `interrupts` is the caller's: Ctrl-C, as a signal, raises it. */
typedef struct keyboard {
    volatile sig_atomic_t *interrupts;
    char in[4096];                  /* read, but not looked at yet */
    size_t at, len;
} keyboard;

/* Waits for a byte, `ms` at most (-1: for ever), so that no Ctrl-C is missed: it is held back until pselect()
   sleeps. 1, 0 when the time is over, -1 if interrupted. */
static int key_wait(keyboard *k, long ms)
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
        if (*k->interrupts) n = -1;
        else n = pselect(STDIN_FILENO + 1, &ready, NULL, NULL, ms < 0 ? NULL : &time, &before);
    } while (n < 0 && !*k->interrupts && errno == EINTR);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return n;
}

static int key_byte(keyboard *k, long ms)
{
    if (k->at == k->len) {
        int ready = key_wait(k, ms);
        if (ready <= 0) return ready == 0 ? KEY_NONE : *k->interrupts ? KEY('C') : KEY_GONE;
        ssize_t n = read(STDIN_FILENO, k->in, sizeof k->in);
        if (n <= 0) return n < 0 && errno == EINTR ? KEY_NONE : KEY_GONE;
        k->at = 0;
        k->len = (size_t)n;
    }
    return (unsigned char)k->in[k->at++];
}

/* ESC ] and its kin: what a terminal answers, up to BEL or ESC \. */
static int key_skip_string(keyboard *k)
{
    int c;
    do c = key_byte(k, 500);
    while (c >= 0 && c != 7 && c != 0x1B);
    if (c == 0x1B) key_byte(k, 500);
    return KEY_NONE;
}

/* What came behind ESC, as the key it stands for. */
static int key_sequence(keyboard *k)
{
    static const struct { const char *name; int key;
    } known[] = { { "A", KEY('P') }, { "B", KEY('N') }, { "C", KEY('F') }, { "D", KEY('B') },
                  { "H", KEY('A') }, { "1~", KEY('A') }, { "7~", KEY('A') },
                  { "F", KEY('E') }, { "4~", KEY('E') }, { "8~", KEY('E') },
                  { "1;5C", KEY_WORD_RIGHT }, { "1;3C", KEY_WORD_RIGHT }, { "1;5D", KEY_WORD_LEFT },
                  { "1;3D", KEY_WORD_LEFT }, { "3~", KEY_DELETE }, { "200~", KEY_PASTE } };
    char name[16] = "";
    size_t n = 0;
    int c = key_byte(k, 500);
    if (c == '\r' || c == '\n') return KEY_LINE_FEED;
    if (c == 'b' || c == 'f') return c == 'b' ? KEY_WORD_LEFT : KEY_WORD_RIGHT;
    if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') return key_skip_string(k);
    if (c != '[' && c != 'O') return KEY_NONE;
    do {
        c = key_byte(k, 500);
        if (c == '[' && n == 0) key_byte(k, 500);          /* a function key of the Linux console */
        if (c >= ' ' && n + 1 < sizeof name) name[n++] = (char)c;
    } while (c >= ' ' && c < '@');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].key;
    return KEY_NONE;
}

#endif
