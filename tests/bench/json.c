/* Replies of 1 MB in JSON, decoded in pieces as they come from a connection. Each piece is first copied to
   where it is decoded, as reading it would do; that copy alone is the peer "memcpy". */
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
    static const cgt_json_node nodes[] = { { "", 0, CGT_JSON_UNTOLD, 0, 1, 1 }, { "data", 4, 0, 0, 0, 0 } };
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

#ifdef BENCH_CJSON
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
        snprintf(what, sizeof what, "JSON scanner, %s / cJSON", r->name);
        bench_skip(what, "no cJSON (libcjson-dev)");
#endif
        snprintf(what, sizeof what, "JSON reply, %s", r->name);
        bench_row(what, r->len, 11, whole, copy);
        free(r->bytes);
    }
}
