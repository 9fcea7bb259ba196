/* diff_json.c - the scanner beside cJSON, where that is installed. Input: a JSON document. What the scanner
   calls valid, cJSON reads too, and at each pointer finds a value of the same kind and, of a string, the same
   text. cJSON is the more lenient one, ends a string at a NUL and refuses half a surrogate pair: documents
   that the scanner refuses, or with such escapes, are not compared. */
#include "fuzz.h"
#include "../tests/nodes.h"

#ifdef FUZZ_CJSON
#include <cjson/cJSON.h>

static const char *const pointers[] = { "", "/a", "/a/b", "/b/0", "/1", "/0/0", "/~1~0", "/", "/a/b/c/d" };
enum { FIELDS = sizeof pointers / sizeof *pointers };

static nodes tree;
static struct {
    bool told;
    cgt_json_type type;
    cgt_buffer text;
} found[FIELDS];

/* ---- the scanner's ---- */

static void take(const cgt_json *j) {
    if (j->event == CGT_JSON_TEXT) cgt_append(&found[j->field].text, j->piece);
    if (j->event == CGT_JSON_VALUE) {
        FUZZ_CHECK(!found[j->field].told);
        found[j->field].told = true;
        found[j->field].type = j->type;
    }
}

/* false: it is not valid. The bytes are the scanner's to change. */
static bool scan(cgt_slice in) {
    static char bytes[FUZZ_MAX];
    static cgt_json j;
    size_t at = 0, used;
    if (in.len) memcpy(bytes, in.at, in.len);
    cgt_json_init(&j, tree.at);
    do {
        if (cgt_json_feed(&j, bytes + at, in.len - at, &used) < 0) return false;
        at += used;
        take(&j);
    } while (j.event != CGT_JSON_NONE);
    for (; at < in.len; at++)
        if (bytes[at] == '\f' || !cgt_blank(bytes[at])) return false;
    do {
        if (cgt_json_eof(&j) < 0) return false;
        take(&j);
    } while (j.event != CGT_JSON_NONE);
    return true;
}

/* ---- cJSON's ---- */

static const cJSON *walk(const cJSON *at, const char *pointer) {
    while (at && *pointer) {
        char key[256];
        key[nodes_key(&pointer, key)] = '\0';
        cgt_slice digits = cgt_text(key);
        bool index = digits.len && cgt_span(digits, cgt_digit) == digits.len;
        at = cJSON_IsArray(at)    ? index ? cJSON_GetArrayItem(at, (int)strtol(key, NULL, 10)) : NULL
             : cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, key)
                                  : NULL;
    }
    return at;
}

static bool same_type(const cJSON *c, cgt_json_type type) {
    switch (type) {
    case CGT_JSON_STRING: return cJSON_IsString(c);
    case CGT_JSON_NUMBER: return cJSON_IsNumber(c);
    case CGT_JSON_TRUE: return cJSON_IsTrue(c);
    case CGT_JSON_FALSE: return cJSON_IsFalse(c);
    case CGT_JSON_NULL: return cJSON_IsNull(c);
    case CGT_JSON_OBJECT: return cJSON_IsObject(c);
    default: return cJSON_IsArray(c);
    }
}

/* \u0000, or half a pair; a backslash before it is enough for us. Numbers that no double is cut. */
static bool is_beyond(cgt_slice in) {
    for (size_t i = 0; i + 5 < in.len; i++)
        if (in.at[i] == '\\' && in.at[i + 1] == 'u' &&
            (memcmp(in.at + i + 2, "0000", 4) == 0 || cgt_lower(in.at[i + 2]) == 'd'))
            return true;
    /* cJSON looks at 63 characters of a number */
    for (size_t i = 0, run = 0; i < in.len; i++)
        if ((run = strchr("0123456789+-.eE", in.at[i]) && in.at[i] ? run + 1 : 0) > 60) return true;
    return false;
}

static void compare(const cJSON *root) {
    for (int i = 0; i < FIELDS; i++) {
        const cJSON *c = walk(root, pointers[i]);
        FUZZ_CHECK(found[i].told == (c != NULL));
        FUZZ_CHECK(!c || same_type(c, found[i].type));
        if (c && cJSON_IsString(c)) FUZZ_CHECK(cgt_is(cgt_slice_of_buffer(&found[i].text), c->valuestring));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    if (tree.count == 0) FUZZ_CHECK(nodes_make(&tree, pointers, FIELDS));
    for (int i = 0; i < FIELDS; i++) {
        found[i].told = false;
        cgt_buffer_init(&found[i].text, fuzz_hooks(), SIZE_MAX / 4);
    }
    if (in.len && !is_beyond(in) && scan(in)) {
        cJSON *root = cJSON_ParseWithLength(in.at, in.len);
        FUZZ_CHECK(root != NULL);
        compare(root);
        cJSON_Delete(root);
    }
    for (int i = 0; i < FIELDS; i++) cgt_buffer_free(&found[i].text);
    return 0;
}

#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data, (void)size; /* there is nobody to compare with */
    return 0;
}
#endif
