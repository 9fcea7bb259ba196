/* text.h - the growing string of chatgptt.c and openai_gateway.c; PROGRAM is the one that complains. */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PROGRAM
#define PROGRAM "chatgptt"
#endif

/* Always terminated once something was added. */
typedef struct text { char *bytes; size_t len, size; } text;

static void *must(void *block)
{
    if (block) return block;
    fputs(PROGRAM ": E_MEMORY: out of memory\n", stderr);
    exit(1);
}

static void text_add(text *t, const char *bytes, size_t len)
{
    if (len >= t->size - t->len) {
        if (len >= SIZE_MAX / 2 - t->size) must(NULL);
        t->size = (t->size + len) * 2 + 64;
        t->bytes = (char *)must(realloc(t->bytes, t->size));
    }
    if (len) memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
}

static void text_puts(text *t, const char *words) { text_add(t, words, strlen(words)); }

#endif
