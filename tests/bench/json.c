/* Replies of 1 MB, in JSON and as events of one word each, decoded in pieces as they come from a connection.
   Each piece is first copied to where it is decoded, as reading it would do; that copy alone is the peer
   "memcpy". */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"
#ifdef BENCH_CJSON
#include <cjson/cJSON.h>
#endif

enum { SIZE = 1 << 20, PIECE = 16384 };

typedef struct sample {
    const char *name, *unit;                /* what the text repeats */
    size_t unit_text;                       /* bytes of the unit, decoded */
    char *bytes;
    size_t len, text;                       /* of all; of the text in it, decoded */
} sample;

static char piece[PIECE];

static void make(sample *r)
{
    static const char head[] = "{\"status\":\"success\",\"msg\":\"\",\"data\":\"",
                      tail[] = "\",\"log\":false}";
    size_t unit = strlen(r->unit);
    r->bytes = (char *)bench_bytes(SIZE);
    r->len = sizeof head - 1;
    memcpy(r->bytes, head, r->len);
    for (r->text = 0; r->len + unit + sizeof tail < SIZE; r->len += unit, r->text += r->unit_text)
        memcpy(r->bytes + r->len, r->unit, unit);
    memcpy(r->bytes + r->len, tail, sizeof tail - 1);
    r->len += sizeof tail - 1;
}

static void by_json(void *user)
{
    static const cgt_json_node nodes[] = { CGT_NODE("", CGT_JSON_UNTOLD, 0, 1, 1),
                                           CGT_NODE("data", 0, 0, 0, 0) };
    const sample *r = (const sample *)user;
    size_t at = 0, n, used, text = 0;
    cgt_json json;
    cgt_json_init(&json, nodes);
    for (; at < r->len; at += n) {
        n = r->len - at < PIECE ? r->len - at : PIECE;
        memcpy(piece, r->bytes + at, n);
        for (size_t done = 0; ; done += used) {
            bench_must(cgt_json_feed(&json, piece + done, n - done, &used) == CHATGPTT_OK, "JSON is refused");
            if (json.event == CGT_JSON_TEXT) text += json.piece.len;
            else if (json.event != CGT_JSON_VALUE) break;
        }
    }
    bench_must(json.state == CGT_JSON_ENDED && text == r->text, "the text is not whole");
}

static void by_reply(void *user)
{
    static cgt_reply reply;
    const sample *r = (const sample *)user;
    size_t at = 0, n, used, text = 0;
    cgt_reply_init(&reply, NULL, 0, CGT_ASKED_ANSWER);
    for (; at < r->len; at += n) {
        n = r->len - at < PIECE ? r->len - at : PIECE;
        memcpy(piece, r->bytes + at, n);
        for (size_t done = 0; ; done += used) {
            (void)cgt_reply_feed(&reply, piece + done, n - done, &used);
            if (reply.event != CGT_REPLY_TEXT) break;
            text += reply.piece.len;
        }
    }
    bench_must(cgt_reply_verdict(&reply).code == CHATGPTT_DONE && text == r->text, "the text is not whole");
}

static void by_memcpy(void *user)
{
    const sample *r = (const sample *)user;
    for (size_t at = 0; at < r->len; at += PIECE) {
        memcpy(piece, r->bytes + at, r->len - at < PIECE ? r->len - at : PIECE);
        __asm__ volatile("" : : "r"(piece) : "memory");
    }
}

/* ---- an event stream to text ---- */

typedef struct events { const char *name, *event; char *bytes; size_t len, count; } events;

static const chatgptt_hooks hooks = { cgt_builtin_resize, NULL, NULL, NULL, NULL, NULL };

static void make_events(events *e)
{
    size_t len = strlen(e->event);
    e->bytes = (char *)bench_bytes(SIZE);
    for (; e->len + len <= SIZE; e->len += len, e->count++) memcpy(e->bytes + e->len, e->event, len);
}

static void events_by_reply(void *user)
{
    static cgt_reply reply;
    const events *e = (const events *)user;
    size_t at = 0, n, used, text = 0;
    cgt_reply_init(&reply, &hooks, 1 << 18, CGT_ASKED_ANSWER);
    cgt_reply_head(&reply, 200, cgt_text("text/event-stream"), false);
    for (; at < e->len; at += n) {
        n = e->len - at < PIECE ? e->len - at : PIECE;
        memcpy(piece, e->bytes + at, n);
        for (size_t done = 0; done < n || reply.event != CGT_REPLY_NONE; done += used) {
            (void)cgt_reply_feed(&reply, piece + done, n - done, &used);
            bench_must(reply.event != CGT_REPLY_END, "the reply has ended");
            if (reply.event == CGT_REPLY_TEXT) text += reply.piece.len;
        }
    }
    bench_must(text == e->count * 5, "the text is not whole");
    cgt_reply_free(&reply);
}

#ifdef BENCH_CJSON
/* What one would write: lines by memchr, each line's JSON by cJSON. */
static void events_by_cjson(void *user)
{
    const events *e = (const events *)user;
    const char *at = e->bytes, *end = e->bytes + e->len, *lf;
    size_t text = 0;
    for (; at < end && (lf = (const char *)memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        if (lf - at < 6 || memcmp(at, "data: ", 6) != 0) continue;
        cJSON *json = cJSON_ParseWithLength(at + 6, (size_t)(lf - at - 6));
        const cJSON *choices = cJSON_GetObjectItemCaseSensitive(json, "choices");
        const cJSON *from = choices ? cJSON_GetArrayItem(choices, 0) : json;
        const cJSON *delta = cJSON_GetObjectItemCaseSensitive(from, "delta");
        const cJSON *word = choices ? cJSON_GetObjectItemCaseSensitive(delta, "content") : delta;
        bench_must(cJSON_IsString(word), "cJSON reads something else");
        text += strlen(word->valuestring);
        cJSON_Delete(json);
    }
    bench_must(text == e->count * 5, "the text is not whole");
}

static void by_cjson(void *user)
{
    const sample *r = (const sample *)user;
    cJSON *json = cJSON_ParseWithLength(r->bytes, r->len);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    bench_must(data && strlen(data->valuestring) == r->text, "cJSON reads something else");
    cJSON_Delete(json);
}
#endif

int main(void)
{
    static sample samples[] = {
        { "plain ASCII", "The quick brown fox jumps over the lazy dog. ", 45, NULL, 0, 0 },
        { "prose with escapes", "He said \\\"it is so\\\", and went on to the next of many points.\\n", 60,
          NULL, 0, 0 },
        { "dense \\uHHHH", "\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442", 12, NULL, 0, 0 },
    };
    char what[60];
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        sample *r = &samples[i];
        bench_side scanner = { "ours", by_json, r }, whole = { "ours", by_reply, r },
                   copy = { "memcpy", by_memcpy, r };
        make(r);
        snprintf(what, sizeof what, "JSON scanner, %s", r->name);
        bench_row(what, r->len, 11, scanner, copy);
#ifdef BENCH_CJSON
        bench_side cjson = { "cJSON", by_cjson, r };
        bench_row(what, r->len, 11, scanner, cjson);
#else
        bench_skip(what, "no cJSON (libcjson-dev)");
#endif
        snprintf(what, sizeof what, "JSON reply, %s", r->name);
        bench_row(what, r->len, 11, whole, copy);
        free(r->bytes);
    }
    static events streams[] = {
        { .name = "events to text, WPAICG",
          .event = "data: {\"id\":\"chatcmpl-9aVh2\",\"object\":\"chat.completion.chunk\","
                   "\"created\":1700000000,"
                   "\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},"
                   "\"finish_reason\":null}]}\n\n" },
        { .name = "events to text, AIPKIT", .event = "data: {\"delta\":\" word\"}\n\n" },
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        bench_side reply = { "ours", events_by_reply, &streams[i] };
        make_events(&streams[i]);
#ifdef BENCH_CJSON
        bench_side cjson = { "memchr + cJSON", events_by_cjson, &streams[i] };
        bench_row(streams[i].name, streams[i].len, 11, reply, cjson);
#else
        (void)reply;
        bench_skip(streams[i].name, "no cJSON (libcjson-dev)");
#endif
        free(streams[i].bytes);
    }
}
