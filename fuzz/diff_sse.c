/* diff_sse.c - the event-stream decoder beside a slow one written from WHATWG HTML section 9.2.6 alone, which
   holds the whole stream and each line. Input: a stream, decoded at once and byte by byte. What goes beyond
   the standard is taken off: a name is known by its first CHATGPTT_MAX_NAME bytes, an id that long is not
   kept. */
#include "fuzz.h"

typedef struct event_log {
    feed_log log;
    cgt_buffer data;
} event_log;

static void tell(event_log *l, cgt_slice name, cgt_slice id) {
    if (name.len > CHATGPTT_MAX_NAME) name.len = CHATGPTT_MAX_NAME;
    feed_log_piece(&l->log, "event", name.at, name.len);
    feed_log_piece(&l->log, "id", id.at, id.len);
    feed_log_event(&l->log, "%zu", l->data.len);
    feed_log_piece(&l->log, "data", cgt_slice_of_buffer(&l->data).at, l->data.len);
    l->data.len = 0;
}

static void log_open(event_log *l) {
    l->log.len = 0;
    l->log.open = NULL;
    cgt_buffer_init(&l->data, fuzz_hooks(), SIZE_MAX / 4);
}

/* ---- the standard's words ---- */

typedef struct reading {
    cgt_buffer type, id;
    bool has_data;
    event_log *out;
} reading;

static void dispatch(reading *r) {
    if (r->has_data) {
        if (r->out->data.len) r->out->data.len--; /* the last LF */
        tell(r->out, r->type.len ? cgt_slice_of_buffer(&r->type) : cgt_text("message"),
             cgt_slice_of_buffer(&r->id));
    }
    r->has_data = false;
    r->out->data.len = r->type.len = 0;
}

static void process_field(reading *r, cgt_slice field, cgt_slice value) {
    if (cgt_is(field, "event")) {
        r->type.len = 0;
        cgt_append(&r->type, value);
    } else if (cgt_is(field, "data")) {
        cgt_append(&r->out->data, value);
        cgt_putc(&r->out->data, '\n');
        r->has_data = true;
    } else if (cgt_is(field, "id") && (value.len == 0 || !memchr(value.at, '\0', value.len)) &&
               value.len < CHATGPTT_MAX_NAME) {
        r->id.len = 0;
        cgt_append(&r->id, value);
    }
}

static void process_line(reading *r, cgt_slice line) {
    const char *colon = line.len ? (const char *)memchr(line.at, ':', line.len) : NULL;
    if (line.len == 0) {
        dispatch(r);
        return;
    }
    if (!colon) {
        process_field(r, line, cgt_text(""));
        return;
    }
    size_t n = (size_t)(colon - line.at);
    cgt_slice value = cgt_from(line, n + 1);
    if (n == 0) return;
    if (value.len && value.at[0] == ' ') value = cgt_from(value, 1);
    process_field(r, cgt_slice_of(line.at, n), value);
}

static void refer(cgt_slice in, event_log *out) {
    reading r;
    memset(&r, 0, sizeof r);
    r.out = out;
    cgt_buffer_init(&r.type, fuzz_hooks(), SIZE_MAX / 4);
    cgt_buffer_init(&r.id, fuzz_hooks(), SIZE_MAX / 4);
    log_open(out);
    if (in.len >= 3 && memcmp(in.at, "\xEF\xBB\xBF", 3) == 0) in = cgt_from(in, 3);
    for (;;) {
        size_t n = cgt_find(in, "\r\n");
        if (n == in.len) break; /* an unfinished line is none */
        process_line(&r, cgt_slice_of(in.at, n));
        bool two = in.at[n] == '\r' && n + 1 < in.len && in.at[n + 1] == '\n';
        in = cgt_from(in, n + 1 + two);
    }
    cgt_buffer_free(&r.type);
    cgt_buffer_free(&r.id);
    cgt_buffer_free(&out->data);
}

/* ---- the decoder's ---- */

static void decode(cgt_slice in, size_t step, event_log *out) {
    static cgt_sse s;
    memset(&s, 0, sizeof s);
    log_open(out);
    for (size_t at = 0; at < in.len;) {
        size_t len = in.len - at < step ? in.len - at : step, used, from = 0;
        do {
            cgt_sse_feed(&s, in.at + at + from, len - from, &used);
            from += used;
            if (s.event == CGT_SSE_DATA) cgt_append(&out->data, s.piece);
            if (s.event == CGT_SSE_DISPATCH) {
                FUZZ_CHECK(s.named == (s.name_len > 0));
                tell(out, cgt_sse_name(&s), cgt_text(s.id));
            }
        } while (s.event != CGT_SSE_NONE);
        at += len;
    }
    cgt_buffer_free(&out->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static event_log wanted, got;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    if (in.len == 0) in.at = "";
    refer(in, &wanted);
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        decode(in, bytewise ? 1 : FUZZ_MAX, &got);
        fuzz_equal(&got.log, &wanted.log, bytewise ? "events, byte by byte" : "events, at once");
    }
    return 0;
}
