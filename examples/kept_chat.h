/* kept_chat.h - a conversation of chatgptt.c, and the file it is kept in: a line that says what it is, then
   records, "name length", LF, the bytes, LF; an empty one named "end" shows that none is missing. */
#ifndef KEPT_CHAT_H
#define KEPT_CHAT_H

#include "chatgptt.h"
#include "files.h"

/* A conversation: what was said and answered; a turn that failed is not among it. */
typedef struct memory {
    chatgptt_message *messages;
    size_t count, size;
    chatgptt_conversation conversation;
    chatgptt_conversation before;   /* as it was before the last turn, for /retry */
    text last;                      /* what was asked last */
    bool answered;                  /* and it is the last turn */
} memory;

static void remember(memory *m, chatgptt_role role, const char *bytes, size_t len)
{
    char *copy = must(malloc(len + 1));
    if (m->count == m->size) {
        m->size = m->size * 2 + 16;
        m->messages = must(realloc(m->messages, m->size * sizeof *m->messages));
    }
    if (len) memcpy(copy, bytes, len);
    copy[len] = '\0';
    m->messages[m->count++] = (chatgptt_message){ role, copy, len };
}

static void forget(memory *m, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) free((char *)m->messages[i].text);
    m->count -= count;
    chatgptt_message *hole = m->messages + first;
    if (count) memmove(hole, hole + count, (m->count - first) * sizeof *hole);
}

static bool has_system(const memory *m) { return m->count && m->messages[0].role == CHATGPTT_SYSTEM; }

static void set_system(memory *m, const char *words)
{
    if (has_system(m)) forget(m, 0, 1);
    if (!words || !*words) return;
    remember(m, CHATGPTT_SYSTEM, words, strlen(words));
    chatgptt_message last = m->messages[m->count - 1];
    memmove(m->messages + 1, m->messages, (m->count - 1) * sizeof *m->messages);
    m->messages[0] = last;
}

/* How much of the form a message can fill: percent-encoded, and within the history escaped before that. */
static size_t weight(const chatgptt_message *message)
{
    size_t sum = 64;
    for (size_t i = 0; i < message->len; i++) {
        unsigned char c = (unsigned char)message->text[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == ' ';
        sum += plain ? 1 : c == '"' || c == '\\' || c < ' ' ? 6 : 3;
    }
    return sum;
}

/* Forgets the oldest turns of a conversation that has outgrown what may be sent; how many messages. */
static size_t forget_oldest(memory *m)
{
    enum { ROOM = 8 * 1024 * 1024 - 256 * 1024 };       /* CHATGPTT_MAX_REQUEST, and PHP's usual limit */
    size_t first = has_system(m), n = 0, sum = 0;
    for (size_t i = 0; i < m->count; i++) sum += weight(&m->messages[i]);
    while (first + n + 1 < m->count && (sum > ROOM || (n && m->messages[first + n].role != CHATGPTT_USER)))
        sum -= weight(&m->messages[first + n++]);
    forget(m, first, n);
    return n;
}

/* ==== the file ==== */

static const char chat_magic[] = "chatgptt chat 1\n";
static const char *const chat_names[] = { "user", "assistant", "system" };     /* by chatgptt_role */

static void put_record(text *file, const char *name, const char *bytes, size_t len)
{
    char head[64];
    snprintf(head, sizeof head, "%s %zu\n", name, len);
    text_puts(file, head);
    text_add(file, bytes, len);
    text_puts(file, "\n");
}

/* `state`, if there is any, is what chatgptt_save() gave. */
static void write_chat(const memory *m, const char *site, const text *state, text *file)
{
    text_puts(file, chat_magic);
    put_record(file, "site", site, strlen(site));
    put_record(file, "conversation", (const char *)&m->conversation, sizeof m->conversation);
    put_record(file, "before", (const char *)&m->before, sizeof m->before);
    if (state->len) put_record(file, "state", state->bytes, state->len);
    for (size_t i = 0; i < m->count; i++)
        put_record(file, chat_names[m->messages[i].role], m->messages[i].text, m->messages[i].len);
    put_record(file, "end", "", 0);
}

typedef struct record { const char *name, *bytes; size_t name_len, len; } record;

/* The record at *at, which is moved behind it. false: there is none. */
static bool next_record(const char **at, const char *end, record *r)
{
    const char *p = *at;
    r->name = p;
    while (p < end && *p >= 'a' && *p <= 'z') p++;
    r->name_len = (size_t)(p - r->name);
    if (p == end || *p++ != ' ') return false;
    for (r->len = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        r->len = r->len * 10 + (size_t)(*p - '0');
        if (r->len > (size_t)(end - *at)) return false;
    }
    if (p == end || *p++ != '\n' || r->len >= (size_t)(end - p) || p[r->len] != '\n') return false;
    r->bytes = p;
    *at = p + r->len + 1;
    return true;
}

static bool record_is(const record *r, const char *name)
{
    return r->name_len == strlen(name) && memcmp(r->name, name, r->name_len) == 0;
}

/* NULL, or why the record is not to be had. */
static const char *take_record(memory *m, const record *r, const char *site, text *state)
{
    chatgptt_conversation *bytes = record_is(r, "conversation") ? &m->conversation
                                   : record_is(r, "before")     ? &m->before
                                                                : NULL;
    if (bytes && r->len != sizeof *bytes) return "it is damaged";
    if (bytes) memcpy(bytes, r->bytes, sizeof *bytes);
    if (record_is(r, "site") && (r->len != strlen(site) || memcmp(r->bytes, site, r->len) != 0))
        return "the conversation in it is with another site";
    if (record_is(r, "state")) text_set(state, r->bytes, r->len);
    for (int role = 0; role < 3; role++)
        if (record_is(r, chat_names[role])) remember(m, (chatgptt_role)role, r->bytes, r->len);
    return NULL;
}

/* Takes the conversation in a file; the state, if one was kept with it, is handed on. NULL, or why not. */
static const char *parse_chat(memory *m, const char *site, const text *file, text *state)
{
    const char *at = file->bytes, *end = at + file->len, *why = NULL;
    size_t len = sizeof chat_magic - 1;
    record r = { 0 };
    if (file->len < len || memcmp(at, chat_magic, len) != 0) return "it is no conversation of this program";
    at += len;
    while (!why && at < end)
        if (!next_record(&at, end, &r)) why = "it is damaged";
        else why = take_record(m, &r, site, state);
    if (!why && !record_is(&r, "end")) why = "it is damaged";
    m->answered = m->count >= 2 && m->messages[m->count - 1].role == CHATGPTT_ASSISTANT &&
                  m->messages[m->count - 2].role == CHATGPTT_USER;
    if (m->answered) text_set(&m->last, m->messages[m->count - 2].text, m->messages[m->count - 2].len);
    return why;
}

#endif
