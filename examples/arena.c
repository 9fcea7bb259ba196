/* All memory of the client out of one static array, through hooks.resize; no malloc(). Prints the answer,
   then how much it took. (The name lookup of the system allocates by itself: give options.address, or an own
   transport, to avoid that too.)

       arena URL [MESSAGE]          http only: mbedTLS would take its memory from elsewhere */
#define CHATGPTT_NO_TLS 1
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_SIZE = 64 * 1024 };

/* A hole is free memory; holes are listed by address and never touch. What is in use needs no header: its
   owner knows the size. */
typedef struct hole {
    struct hole *next;
    size_t size;
} hole;

typedef struct arena {
    hole bytes[ARENA_SIZE / sizeof(hole)];
    hole *first;
    size_t used, peak;
} arena;

static void arena_init(arena *a)
{
    a->first = a->bytes;
    a->first->next = NULL;
    a->first->size = sizeof a->bytes;
    a->used = a->peak = 0;
}

/* In whole holes, so that each piece that comes back has room for one. */
static size_t round_up(size_t size)
{
    return (size + sizeof(hole) - 1) / sizeof(hole) * sizeof(hole);
}

static hole *hole_end(hole *h)
{
    return h + h->size / sizeof *h;
}

/* The end of the first hole that is large enough; NULL: none is. */
static void *arena_take(arena *a, size_t size)
{
    hole **at, *h;
    for (at = &a->first; (h = *at) != NULL && h->size < size; at = &h->next) {}
    if (!h) return NULL;
    h->size -= size;
    if (h->size == 0) *at = h->next;
    a->used += size;
    if (a->used > a->peak) a->peak = a->used;
    return hole_end(h);
}

static void join_next(hole *h)
{
    if (!h->next || hole_end(h) != h->next) return;
    h->size += h->next->size;
    h->next = h->next->next;
}

static void arena_give(arena *a, void *block, size_t size)
{
    hole *back = (hole *)block, *before = NULL, *h;
    for (h = a->first; h && h < back; h = h->next) before = h;
    back->size = size;
    back->next = h;
    join_next(back);
    if (before) before->next = back;
    else a->first = back;
    if (before) join_next(before);
    a->used -= size;
}

/* hooks.resize: as realloc(), but told the old size; a new size of 0 frees. */
static void *arena_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    arena *a = (arena *)user;
    void *fresh = block;
    if (new_size > ARENA_SIZE) return NULL;
    if (block && round_up(old_size) == round_up(new_size)) return block;
    if (new_size && (fresh = arena_take(a, round_up(new_size))) == NULL) return NULL;
    if (new_size && block) memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    if (block) arena_give(a, block, round_up(old_size));
    return new_size ? fresh : NULL;
}

static int print_piece(void *user, const char *text, size_t len)
{
    (void)user;
    fwrite(text, 1, len, stdout);
    return fflush(stdout);
}

int main(int argc, char **argv)
{
    static arena memory;
    chatgptt_options options;
    chatgptt_request request;
    chatgptt_error error;
    chatgptt_client *client;
    if (argc < 2 || argc > 3) return fprintf(stderr, "usage: arena URL [MESSAGE]\n"), 2;
    arena_init(&memory);
    memset(&options, 0, sizeof options);
    memset(&request, 0, sizeof request);
    options.url = argv[1];
    options.hooks.resize = arena_resize;
    options.hooks.user = &memory;
    request.prompt = argc > 2 ? argv[2] : "How much memory do you take?";
    client = chatgptt_open(&options, &error);
    if (client && chatgptt_chat(client, &request, print_piece, NULL) < 0)
        error = *chatgptt_client_error(client);
    chatgptt_close(client);
    putchar('\n');
    if (error.code < 0) fprintf(stderr, "%s: %s\n", chatgptt_code_name(error.code), error.message);
    fprintf(stderr, "peak: %zu of %zu bytes; in use after close: %zu\n", memory.peak, sizeof memory.bytes,
            memory.used);
    return error.code < 0;
}
