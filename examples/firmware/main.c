/* main.c - a chat on a microcontroller: Cortex-M3, no operating system, newlib's string functions. The site
   is reached over a serial line, on which something with a network (here: qemu) passes the bytes on. Board:
   ARM MPS2 with the AN385 image, as qemu-system-arm has it. `make firmware` builds and runs it.

   It says the answer on the first serial port, then what memory that took. A board of your own needs: the six
   functions over `line`, a millisecond clock, the time of day, and random bytes. */
#define CHATGPTT_NO_TLS
#define CHATGPTT_NO_NET
#define CHATGPTT_NO_FILES
#define CHATGPTT_READ_BUFFER 512
#define CHATGPTT_MAX_URL 512
#define CHATGPTT_MAX_VALUE 512
#define CHATGPTT_MAX_CAPTURE 256
#define CHATGPTT_MAX_TOKEN 64
#define CHATGPTT_MAX_WORDS 128
#define CHATGPTT_MAX_REQUEST 4096
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#ifndef URL
#define URL "http://127.0.0.1/"         /* the page, as the site calls itself */
#endif
#ifndef QUESTION
#define QUESTION "Why is the sky blue?"
#endif

/* ---- the board ---- */

typedef struct uart { volatile uint32_t data, state, control, interrupts, divider; } uart;
enum { UART_FULL = 1, UART_HAS = 2, UART_ON = 3 };
static uart *const console = (uart *)0x40004000, *const line = (uart *)0x40005000;

static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;     /* control, reload, value */
enum { CLOCK_HZ = 25000000 };

extern uint32_t stack_bottom[], stack_top[], data_from[], data_start[], data_end[], bss_start[], bss_end[];
static volatile uint32_t ticks;

void on_tick(void);
void on_tick(void) { ticks++; }

/* Asks the host, by ARM's semihosting: 0x11 the time of day, 0x18 the end. */
static int host_call(int what, const void *argument)
{
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void put(uart *u, char c)
{
    while (u->state & UART_FULL) {}
    u->data = (unsigned char)c;
}

static void say(const char *text, size_t len) { while (len--) put(console, *text++); }
static void say_text(const char *text) { say(text, strlen(text)); }

static void say_number(const char *name, unsigned long n)
{
    char digits[12];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + n % 10); while (n /= 10);
    say_text(name);
    say(digits + at, sizeof digits - at);
    put(console, '\n');
}

/* ---- the transport: the one serial line, so the one connection ---- */

static chatgptt_code line_open(void *user, const char *host, const char *port, void **conn)
{
    bool *taken = (bool *)user;
    (void)host, (void)port;
    if (*taken) return CHATGPTT_E_CONNECT;
    *taken = true;
    *conn = taken;
    return CHATGPTT_OK;
}

static chatgptt_code line_read(void *user, void *conn, void *buffer, size_t size, size_t *done)
{
    (void)user, (void)conn;
    for (*done = 0; *done < size && line->state & UART_HAS; ++*done)
        ((char *)buffer)[*done] = (char)line->data;
    return *done ? CHATGPTT_OK : CHATGPTT_AGAIN;
}

static chatgptt_code line_write(void *user, void *conn, const void *bytes, size_t size, size_t *done)
{
    (void)user, (void)conn;
    for (*done = 0; *done < size && !(line->state & UART_FULL); ++*done)
        line->data = ((const unsigned char *)bytes)[*done];
    return *done ? CHATGPTT_OK : CHATGPTT_AGAIN;
}

static chatgptt_wait line_want(void *user, void *conn)     /* no descriptors: it is looked at again soon */
{
    chatgptt_wait w;
    (void)user, (void)conn;
    memset(&w, 0, sizeof w);
    w.timeout_ms = 1;
    return w;
}

static chatgptt_code line_wait(void *user, const chatgptt_wait *what)
{
    uint32_t began = ticks;
    (void)user;
    while (!(line->state & UART_HAS) && (int)(ticks - began) < what->timeout_ms) __asm__ volatile("wfi");
    return CHATGPTT_OK;
}

static void line_close(void *user, void *conn) { (void)user, (void)conn; }

/* ---- clocks, chance, memory ---- */

static long long now_ms(void *user) { (void)user; return ticks; }
static long long unix_time(void *user) { (void)user; return host_call(0x11, NULL); }

/* It has no source of chance; the jitter between line and clock will do for ids, and would not for keys. */
static chatgptt_code jitter(void *user, void *bytes, size_t size)
{
    static uint32_t state = 2463534242u;
    unsigned char *at = (unsigned char *)bytes;
    (void)user;
    while (size--) {
        state ^= systick[2];
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        *at++ = (unsigned char)state;
    }
    return CHATGPTT_OK;
}

/* Memory is a list of blocks, first fit: enough for what takes a dozen blocks at a time. */
typedef struct block { struct block *next; size_t size; bool used; } block;
static struct { block first; char room[20 * 1024]; } heap;
static size_t heap_now, heap_most;

static void *take(size_t size)
{
    block *b = &heap.first, *rest;
    size = (size + 7) & ~(size_t)7;
    if (b->size == 0) b->size = sizeof heap.room;
    while (b && (b->used || b->size < size)) b = b->next;
    if (!b) return NULL;
    if (b->size >= size + sizeof *b + 8) {
        rest = (block *)((char *)(b + 1) + size);
        rest->next = b->next, rest->size = b->size - size - sizeof *b, rest->used = false;
        b->next = rest, b->size = size;
    }
    b->used = true;
    heap_now += b->size + sizeof *b;
    if (heap_now > heap_most) heap_most = heap_now;
    return b + 1;
}

static void give(void *at)
{
    block *b = (block *)at - 1;
    b->used = false;
    heap_now -= b->size + sizeof *b;
    for (b = &heap.first; b; b = b->next)
        while (!b->used && b->next && !b->next->used) {
            b->size += b->next->size + sizeof *b;
            b->next = b->next->next;
        }
}

static void *resize(void *user, void *at, size_t old_size, size_t new_size)
{
    void *to = new_size ? take(new_size) : NULL;
    (void)user;
    if (to && at) memcpy(to, at, old_size < new_size ? old_size : new_size);
    if (at && (to || !new_size)) give(at);
    return to;
}

/* newlib's allocator is linked with the header's default hook, and never called. */
void *_sbrk(ptrdiff_t more);
void *_sbrk(ptrdiff_t more) { (void)more; return (void *)-1; }

/* ---- the program ---- */

static int ask(void)
{
    static bool taken;
    chatgptt_options options;
    chatgptt_request request;
    chatgptt_error error;
    chatgptt_event event;
    chatgptt_code code;
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    options.url = URL;
    options.max_header_bytes = 8192;
    options.transport = (chatgptt_transport){ line_open, line_read,  line_write, line_want,
                                              line_wait, line_close, &taken };
    options.hooks = (chatgptt_hooks){ resize, now_ms, unix_time, jitter, NULL, NULL };
    request.prompt = QUESTION;
    chatgptt_client *client = chatgptt_open(&options, &error);
    if (!client) { say_text(error.message); return 1; }
    chatgptt_stream *stream = chatgptt_start(client, &request);
    while ((code = chatgptt_next(stream, &event)) == CHATGPTT_OK)
        if (event.kind == CHATGPTT_TEXT) say(event.text, event.len);
    put(console, '\n');
    if (code < 0) say_text(chatgptt_stream_error(stream)->message), put(console, '\n');
    chatgptt_finish(stream);
    chatgptt_close(client);
    return code != CHATGPTT_DONE;
}

void begin(void);
void begin(void)
{
    uint32_t *at, *here = (uint32_t *)__builtin_frame_address(0) - 64;
    for (at = stack_bottom; at < here; at++) *at = 0xA5A5A5A5u;    /* painted, to see how deep it went */
    for (at = data_start; at < data_end; at++) *at = data_from[at - data_start];
    for (at = bss_start; at < bss_end; at++) *at = 0;
    console->divider = line->divider = 16;
    console->control = line->control = UART_ON;
    systick[1] = CLOCK_HZ / 1000 - 1, systick[2] = 0, systick[0] = 7;
    int failed = ask();
    for (at = stack_bottom; *at == 0xA5A5A5A5u; at++) {}
    say_number("heap ", heap_most);
    say_number("stack ", (unsigned long)((char *)stack_top - (char *)at));
    host_call(0x18, (const void *)(failed ? 0x20024 : 0x20026));   /* a failure; the end */
    for (;;) {}
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, (const void *)begin, [15] = (const void *)on_tick };
