/* state.c - input: a saved state. Its first byte says how the rest is to be read: `f` as a whole file; `r` as
   records, which get magic and checksum here; else as lines, each a tag and a value, which become records. A
   state that is refused changes nothing; one that is taken over is saved and loaded again alike. */
#include "fuzz.h"

typedef struct saved { char bytes[CHATGPTT_MAX_STATE]; size_t len; } saved;

static chatgptt_client *new_client(void)
{
    chatgptt_options options;
    chatgptt_error error;
    memset(&options, 0, sizeof options);
    options.url = "http://site.test/chat/";
    options.hooks = *fuzz_hooks();
    chatgptt_client *client = chatgptt_open(&options, &error);
    FUZZ_CHECK(client != NULL);
    return client;
}

/* false: it does not fit into CHATGPTT_MAX_STATE, and 0 was returned for that. */
static bool save(const chatgptt_client *client, saved *s)
{
    s->len = chatgptt_save(client, s->bytes, sizeof s->bytes);
    FUZZ_CHECK(s->len <= sizeof s->bytes && s->len == chatgptt_save(client, NULL, 0));
    return s->len > 0;
}

static void make_file(cgt_buffer *b, char how, cgt_slice in)
{
    cgt_buffer_init(b, fuzz_hooks(), SIZE_MAX / 4);
    if (how != 'f') cgt_puts(b, cgt_state_magic);
    if (how == 'f' || how == 'r') cgt_append(b, in);
    while (how != 'f' && how != 'r' && in.len) {
        cgt_slice line = fuzz_line(&in);
        if (line.len) cgt_put_record(b, line.at[0], cgt_from(line, 1));
    }
    if (how != 'f') {
        char sum[24];
        size_t len = cgt_digits(sum, cgt_fnv(0, cgt_slice_of_buffer(b)) >> 1);
        cgt_put_record(b, CGT_TAG_END, cgt_slice_of(sum, len));
    }
}

/* What is sent from it must hold no line end. */
static void check_text(cgt_slice text)
{
    FUZZ_CHECK(!cgt_has_control(text) && cgt_utf8_valid(text));
}

static void check_strings(const chatgptt_client *c)
{
    check_text(cgt_text(c->client_id));
    check_text(cgt_text(c->session_id));
    for (const cgt_cookie *cookie = c->cookies.first; cookie; cookie = cookie->next)
        FUZZ_CHECK(cgt_cookie_ok(cookie));
    if (!c->tokens) return;
    for (int i = 0; i < CGT_TEXTS; i++) check_text(cgt_text(c->tokens->text[i]));
    check_text(c->tokens->page.whole);
    check_text(c->tokens->endpoint.whole);
    FUZZ_CHECK(c->tokens->endpoint.whole.len > 0 && c->tokens->text[CGT_T_NONCE][0] != '\0');
}

static void check_again(const chatgptt_client *client)
{
    static saved first, second;
    chatgptt_client *other = new_client();
    if (save(client, &first)) {
        FUZZ_CHECK(chatgptt_load(other, first.bytes, first.len) == CHATGPTT_OK);
        FUZZ_CHECK(save(other, &second));
        FUZZ_CHECK(fuzz_same(cgt_slice_of(first.bytes, first.len), cgt_slice_of(second.bytes, second.len)));
    }
    chatgptt_close(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static saved before, after;
    cgt_slice in = fuzz_input(data, size < FUZZ_MAX ? size : FUZZ_MAX);
    chatgptt_client *client = new_client();
    cgt_buffer file;
    chatgptt_code code;
    make_file(&file, (char)fuzz_byte(&in), in);
    FUZZ_CHECK(save(client, &before));
    code = chatgptt_load(client, file.data ? file.data : "", file.len);
    FUZZ_CHECK(code == chatgptt_client_error(client)->code);
    if (code == CHATGPTT_OK) {
        check_strings(client);
        check_again(client);
    } else {
        FUZZ_CHECK(code == CHATGPTT_E_ARGUMENT && save(client, &after));
        FUZZ_CHECK(fuzz_same(cgt_slice_of(before.bytes, before.len), cgt_slice_of(after.bytes, after.len)));
    }
    cgt_buffer_free(&file);
    chatgptt_close(client);
    return 0;
}
