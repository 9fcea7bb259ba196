/* Pages: tokenized, and searched for three patterns, in one pass over pieces of 16 KB. The peers search for
   the two patterns of the model only, one after the other, in a page that lies in memory as a whole. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "bench.h"
#include <regex.h>
#ifdef BENCH_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

enum { PIECE = 16384, REALISTIC = 85000, HOSTILE = 8 << 20 };

#define CHAT                                                                                               \
    "<div class=\"wpaicg-chat-shortcode\" data-user-name=\"\" data-nonce=\"0123abcdef\" "                  \
    "data-post-id=\"5\"\n"                                                                                 \
    " data-bot-id=\"0\" data-type=\"shortcode\" data-memory-limit=\"100\">\n<textarea></textarea></div>\n" \
    "<script>var wpaicgParams = "                                                                          \
    "{\"ajax_url\":\"https:\\/\\/site.test\\/wp-admin\\/admin-ajax.php\",\"search_nonce\":\"\"};</script>\n"

typedef struct page {
    char *bytes;
    size_t len;
    bool chat;                              /* there is one to be found */
} page;

static void put(page *p, const char *text, size_t up_to)      /* again and again */
{
    size_t len = strlen(text);
    do {
        memcpy(p->bytes + p->len, text, len);
        p->len += len;
    } while (p->len + len < up_to);
    p->bytes[p->len] = '\0';
}

/* As WordPress writes them: a third style and script in the head, then blocks, the chat near the end,
   scripts. */
static page realistic(void)
{
    page p = { (char *)bench_bytes(REALISTIC * 2), 0, true };
    put(&p,
        "<!DOCTYPE html>\n<html lang=\"en-US\"><head><meta charset=\"UTF-8\"><title>Chat &#8211; A "
        "site</title>\n",
        0);
    put(&p,
        "<link rel='stylesheet' id='wp-block-library-css' "
        "href='https://site.test/wp-includes/css/style.min.css?ver=6.5' media='all' />\n",
        6000);
    put(&p,
        "<style>.wp-block-button__link{color:#fff;background-color:#32373c;border-radius:9999px;box-shadow:"
        "none;padding:10px}</style>\n",
        26000);
    put(&p,
        "<script>window._wpemojiSettings={\"baseUrl\":\"https:\\/\\/s.w.org\\/images\\/"
        "\",\"ext\":\".png\"};if(a<b&&c>d)f();</script>\n",
        36000);
    put(&p, "</head><body class=\"page-template-default page page-id-5\">\n", 0);
    put(&p,
        "<li id=\"menu-item-42\" class=\"menu-item menu-item-type-post_type\"><a "
        "href=\"https://site.test/about/\">About &amp; more</a></li>\n",
        42000);
    put(&p,
        "<!-- wp:paragraph --><p class=\"has-text-align-left\">Write what you want to know, and the answer "
        "comes at once. "
        "<strong>Words</strong> go on for a while as they do on pages that people read.</p>\n",
        76000);
    put(&p, CHAT, 0);
    put(&p,
        "<script src='https://site.test/wp-includes/js/jquery/jquery.min.js?ver=3.7.1' "
        "id='jquery-core-js'></script>\n",
        REALISTIC);
    put(&p, "</body></html>\n", 0);
    return p;
}

/* A share each of what makes the one or the other part work hardest; no chat. */
static page hostile(void)
{
    static const char *const units[] = { "d",      "data-nonc",       "<",       "&",
                                         "&#x41;", "<a b c=d e='f'>", "<!--->-", "<p data-nonce=\"\">",
                                         "w",      "wpaicgParams  " };
    size_t i, share = HOSTILE / (sizeof units / sizeof *units + 2);
    page p = { (char *)bench_bytes(HOSTILE + 64), 0, false };
    for (i = 0; i < sizeof units / sizeof *units; i++) put(&p, units[i], share * (i + 1));
    put(&p, "wpaicgParams", 0);
    put(&p, " ", share * (i + 1));
    put(&p, "<p data-nonce=\"", 0);
    put(&p, "x", HOSTILE);
    return p;
}

static void ours(void *user)
{
    static cgt_page state;
    const page *p = (const page *)user;
    cgt_page_init(&state, NULL, CHATGPTT_AUTO, NULL, NULL);
    for (size_t at = 0; at < p->len; at += PIECE)
        cgt_page_feed(&state, p->bytes + at, p->len - at < PIECE ? p->len - at : PIECE);
    bench_must(cgt_page_end(&state) == p->chat, "the chat is not found, or one that is none");
}

static const char *const patterns[] = { "data-nonce=[\"']([^\"']+)[\"']",
                                        "data-post-id=[\"']([^\"']+)[\"']" };

static void by_regexec(void *user)
{
    const page *p = (const page *)user;
    for (int i = 0; i < 2; i++) {
        regex_t regex;
        regmatch_t match[2];
        bench_must(regcomp(&regex, patterns[i], REG_EXTENDED) == 0, "regcomp");
        bench_must((regexec(&regex, p->bytes, 2, match, 0) == 0) == p->chat, "regexec finds something else");
        regfree(&regex);
    }
}

#ifdef BENCH_PCRE2
static void by_pcre2(void *user)
{
    const page *p = (const page *)user;
    for (int i = 0; i < 2; i++) {
        int error;
        PCRE2_SIZE at;
        pcre2_code *code =
            pcre2_compile((PCRE2_SPTR)patterns[i], PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
        bench_must(code != NULL, "pcre2_compile");
        pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
        bench_must((pcre2_match(code, (PCRE2_SPTR)p->bytes, p->len, 0, 0, match, NULL) > 0) == p->chat,
                   "PCRE2 finds something else");
        pcre2_match_data_free(match);
        pcre2_code_free(code);
    }
}
#endif

static void row(const char *what, page p, int rounds)
{
    bench_side we = { "ours", ours, &p }, regexec = { "regexec", by_regexec, &p };
    bench_row(what, p.len, rounds, we, regexec);
#ifdef BENCH_PCRE2
    bench_side pcre2 = { "PCRE2", by_pcre2, &p };
    bench_row(what, p.len, rounds, we, pcre2);
#else
    bench_skip(what, "no PCRE2 (libpcre2-dev)");
#endif
    free(p.bytes);
}

int main(void)
{
    row("page of 85 KB", realistic(), 11);
    row("hostile page of 8 MB", hostile(), 3);
}
