/* url.c - input: a base, LF, a reference. A URL printed is its own normal form; what is resolved is one too,
   and holds nothing that could end a request line, nor a name and password. What an error may say of either
   is the host it has, or nothing, and nothing of what stands before an @. */
#include "fuzz.h"

static void check_normal(const cgt_url *url)
{
    cgt_url again;
    cgt_slice user;
    const char *why = NULL;
    FUZZ_CHECK(url->whole.len <= CHATGPTT_MAX_URL);
    for (size_t i = 0; i < url->whole.len; i++) FUZZ_CHECK(url->whole.at[i] > ' ' && url->whole.at[i] < 0x7f);
    FUZZ_CHECK(url->whole.len == url->origin.len + url->path.len && url->path.at[0] == '/');
    FUZZ_CHECK(cgt_find(url->authority, "@/?#") == url->authority.len &&
               cgt_find(url->whole, "#") == url->whole.len);
    FUZZ_CHECK(url->host[0] && cgt_number(cgt_text(url->port), 65535) > 0);
    unsigned char address[16];
    FUZZ_CHECK(!url->literal || cgt_parse_ipv6(cgt_text(url->host), address));
    FUZZ_CHECK(url->literal || !cgt_ends_in_number(cgt_text(url->host)) ||
               cgt_parse_ipv4(cgt_text(url->host), address));
    FUZZ_CHECK(cgt_url_copy(&again, fuzz_hooks(), url) == CHATGPTT_OK);
    FUZZ_CHECK(fuzz_same(again.whole, url->whole));
    cgt_url_free(&again);
    FUZZ_CHECK(cgt_url_parse(&again, fuzz_hooks(), url->whole, &user, &why) == CHATGPTT_OK);
    FUZZ_CHECK(user.len == 0 && fuzz_same(again.whole, url->whole) && cgt_same(again.origin, url->origin));
    FUZZ_CHECK(strcmp(again.host, url->host) == 0 && strcmp(again.port, url->port) == 0);
    FUZZ_CHECK(again.https == url->https && again.literal == url->literal);
    cgt_url_free(&again);
}

/* The place lies behind the last @ of the text, ends before what is no host's, and is the URL's where it is
   one. */
static void check_place(cgt_slice in)
{
    cgt_slice place = cgt_url_place(in), user;
    cgt_url url;
    const char *why = NULL;
    if (place.len == 0) return;
    FUZZ_CHECK(place.at >= in.at && place.at + place.len <= in.at + in.len);
    FUZZ_CHECK(memchr(place.at, '@', (size_t)(in.at + in.len - place.at)) == NULL);
    FUZZ_CHECK(cgt_find(place, "/?#\\@%") == place.len && !cgt_has_control(place));
    if (cgt_url_parse(&url, fuzz_hooks(), in, &user, &why) != CHATGPTT_OK) return;
    FUZZ_CHECK(cgt_starts(cgt_from(place, url.literal), url.host));
    cgt_url_free(&url);
}

/* A reference that was resolved is absolute: resolved once more, it stays. */
static void check_resolved(const cgt_url *base, cgt_slice ref)
{
    cgt_url url, again;
    cgt_slice user;
    const char *why = NULL;
    if (cgt_url_resolve(&url, base, ref, &user, &why) != CHATGPTT_OK) { FUZZ_CHECK(why != NULL); return; }
    check_normal(&url);
    FUZZ_CHECK(cgt_url_resolve(&again, base, url.whole, &user, &why) == CHATGPTT_OK);
    FUZZ_CHECK(fuzz_same(again.whole, url.whole));
    cgt_url_free(&again);
    FUZZ_CHECK(cgt_url_resolve(&again, &url, cgt_text(""), &user, &why) == CHATGPTT_OK);
    FUZZ_CHECK(fuzz_same(again.whole, url.whole));
    cgt_url_free(&again);
    cgt_url_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cgt_slice in = fuzz_input(data, size), line = fuzz_line(&in), user;
    cgt_url base;
    const char *why = NULL;
    check_place(line);
    check_place(in);
    if (cgt_url_parse(&base, fuzz_hooks(), line, &user, &why) != CHATGPTT_OK) {
        FUZZ_CHECK(why != NULL);
        return 0;
    }
    check_normal(&base);
    check_resolved(&base, in);
    cgt_url_free(&base);
    return 0;
}
