/* marks.h - a script out of a target's input: what comes on the connections, one after another, on each after
   a first request, with marks in it: \x01 waits for one more request, \x02 ends the connection and begins
   the next, \x03 is a second of silence, \x04 breaks the connection, \x05 resets it, \x06 has the next one
   refused. */
#ifndef MARKS_H
#define MARKS_H

#include "fuzz.h"
#include "../tests/script.h"

static inline void marks_say(script *s, const char *from, const char *to)
{
    if (to > from && s->num_acts < SCRIPT_ACTS) script_send(s, from, (size_t)(to - from), 1);
}

static inline void marks_begin(script *s)
{
    script_connection(s);
    if (s->num_acts < SCRIPT_ACTS) script_request(s);
}

static inline void marks_act(script *s, char mark)
{
    bool next = mark == 2 || mark == 6;
    if (s->num_acts == SCRIPT_ACTS) return;
    switch (mark) {
    case 1: script_request(s); break;
    case 3: script_pause(s, 1000); break;
    case 4: script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_IO); break;
    case 5: script_fail(s, CHATGPTT_READ | CHATGPTT_WRITE, CHATGPTT_E_CLOSED); break;
    default: script_end(s);
    }
    if (next && s->num_peers < SCRIPT_CONNECTIONS) marks_begin(s);
    if (mark == 6) script_refuse(s, CHATGPTT_E_CONNECT);
}

/* Of the marks, those up to `last` are known. Connections beyond the input's are refused. */
static inline void write_script(script *s, cgt_slice in, char last)
{
    const char *from = in.at, *end = in.at + in.len, *at;
    script_init(s);
    s->far.counts_only = true;              /* what a page calls its nonce may well be its title */
    marks_begin(s);
    for (at = from; at < end; at++) {
        if (*at < 1 || *at > last) continue;
        marks_say(s, from, at);
        marks_act(s, *at);
        from = at + 1;
    }
    marks_say(s, from, end);
    if (s->num_acts < SCRIPT_ACTS) script_end(s);
    while (s->num_peers < SCRIPT_CONNECTIONS) {
        script_connection(s);
        script_refuse(s, CHATGPTT_E_CONNECT);
    }
}

#endif
