/* nodes.h - JSON pointers (RFC 6901) as the tree that the scanner goes by. Pointers are well-formed and
   distinct; what they share they share in the tree, too. Include chatgptt.h before. */
#ifndef NODES_H
#define NODES_H

enum { NODES_MAX = 65 };            /* what the scanner bears */

typedef struct nodes { cgt_json_node at[NODES_MAX]; int count; } nodes;

/* The first segment's key as it is in a document, in `key`; goes behind the segment. */
static inline uint32_t nodes_key(const char **pointer, char *key)
{
    const char *p = *pointer + 1;
    uint32_t len = 0;
    for (; *p && *p != '/'; p++) key[len++] = *p != '~' ? *p : *++p == '1' ? '/' : '~';
    *pointer = p;
    return len;
}

/* The child with that key; 0: none. */
static inline int nodes_child(const nodes *t, int at, const char *key, uint32_t len)
{
    const cgt_json_node *up = &t->at[at], *child = t->at + up->child;
    for (int i = 0; i < up->count; i++)
        if (child[i].len == len && memcmp(child[i].key, key, len) == 0) return up->child + i;
    return 0;
}

/* What is left of a pointer at this node; NULL: it does not lead there. */
static inline const char *nodes_rest(const nodes *t, const char *pointer, int at)
{
    char key[256];
    int here = 0;
    while (here != at && *pointer) {
        uint32_t len = nodes_key(&pointer, key);
        here = nodes_child(t, here, key, len);
        if (here == 0) return NULL;
    }
    return here == at ? pointer : NULL;
}

static inline void nodes_free(nodes *t)
{
    while (t->count > 1) free((char *)(uintptr_t)t->at[--t->count].key);
}

/* pointers[i] becomes field i; segments have less than 256 bytes. false: the tree would be too large. */
static inline bool nodes_make(nodes *t, const char *const *pointers, int num_pointers)
{
    memset(t, 0, sizeof *t);
    t->at[0].key = "";
    t->at[0].field = CGT_JSON_UNTOLD;
    t->count = 1;
    for (int at = 0; at < t->count; at++)       /* all children of one node, then all of the next */
        for (int i = 0; i < num_pointers; i++) {
            const char *rest = nodes_rest(t, pointers[i], at);
            char key[256];
            if (!rest) continue;
            if (*rest == '\0') { t->at[at].field = (unsigned char)i; continue; }
            uint32_t len = nodes_key(&rest, key);
            if (nodes_child(t, at, key, len)) continue;
            if (t->count == NODES_MAX) return false;
            cgt_json_node *child = &t->at[t->count];
            char *copy = (char *)malloc(len + 1);
            if (!copy) abort();
            memcpy(copy, key, len);
            child->key = copy;
            child->len = len;
            child->field = CGT_JSON_UNTOLD;
            child->up = (unsigned char)at;
            if (!t->at[at].count++) t->at[at].child = (unsigned char)t->count;
            t->count++;
        }
    return true;
}

#endif
