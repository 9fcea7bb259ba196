/* test_page.c - what a page says of its chat, however it is minified, rewritten, cached or cut; and what it
   says to people. Every page is read at once, byte by byte and cut at every position. */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "script.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))

/* ---- the page, as feed.h drives it ---- */

typedef struct reader {
    cgt_page page;
    const char *bot_id, *nonce_pattern, *post_id_pattern;
    chatgptt_dialect dialect;
} reader;

static void reader_reset(void *state)
{
    reader *r = (reader *)state;
    cgt_page_init(&r->page, r->bot_id, r->dialect, r->nonce_pattern, r->post_id_pattern);
}

static int reader_feed(void *state, char *piece, size_t len, feed_log *log)
{
    (void)log;
    cgt_page_feed(&((reader *)state)->page, piece, len);
    return 0;
}

static void log_if(feed_log *log, const char *name, const char *value)
{
    if (value[0]) feed_log_event(log, "%s %s", name, value);
}

/* "none", or NONCE/POST_ID and a line for all else that was found. */
static int reader_end(void *state, feed_log *log)
{
    cgt_page *p = &((reader *)state)->page;
    const cgt_chat *c = &p->best;
    char number[20];
    if (!cgt_page_end(p)) { feed_log_event(log, "none"); return 0; }
    feed_log_event(log, "%s%s/%s",
                   c->dialect == CHATGPTT_WPAICG   ? ""
                   : c->dialect == CHATGPTT_AIPKIT ? "aipkit "
                                                   : "? ",
                   c->nonce, c->post_id);
    log_if(log, "bot", c->bot_id);
    log_if(log, "at", c->endpoint);
    log_if(log, "name", c->bot_name);
    log_if(log, "greeting", c->greeting);
    log_if(log, "provider", c->provider);
    log_if(log, "consent", c->consent);
    log_if(log, "is", c->widget ? "widget" : "");
    log_if(log, "is", c->assistant ? "assistant" : "");
    log_if(log, "keeps", c->keeps_openai ? "openai" : "");
    log_if(log, "keeps", c->keeps_google ? "google" : "");
    snprintf(number, sizeof number, "%d", c->memory_limit);
    log_if(log, "memory", c->memory_limit ? number : "");
    return 0;
}

static reader now;
static const feed_parser parser = {reader_feed, reader_reset, reader_end, &now};

/* Filler that keeps pages too long for every pair of cuts. */
#define TEXT                                                                                                \
    "<!DOCTYPE html>\n<html lang=en><head><meta charset=\"utf-8\"><title>A chat</title></head><body "       \
    "class='home page'>\n"                                                                                  \
    "<p>Some words &amp; more, a &lt;tag&gt; that is none, 1 < 2 <3 and an &entity; of no use whatever to " \
    "us here.</p>\n"

static bool check_page(const char *page, size_t len, const char *wanted)
{
    static char bytes[20000], lines[5000];
    memcpy(bytes, TEXT, sizeof TEXT - 1);
    memcpy(bytes + sizeof TEXT - 1, page, len);
    snprintf(lines, sizeof lines, "%s\n= 0\n", wanted);
    bool good = FEED(&parser, bytes, sizeof TEXT - 1 + len, lines);
    if (!good) check_quote("page  ", page, len < 2000 ? len : 2000);
    return good;
}

typedef struct row { const char *page; size_t len; const char *wanted; } row;
#define BYTES(text) text, sizeof (text) - 1

static void run_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) check_page(rows[i].page, rows[i].len, rows[i].wanted);
}

/* ---- attributes ---- */

#define N "0123abcdef"
#define FOUND N "/5"
/* no quotes: the model's patterns do not see it */
#define REAL "<div data-nonce=" N " data-post-id=5>"
/* no value is as long as this */
#define TEN(x) x x x x x x x x x x
#define LONG TEN("0123456789abc")
#define DECOY "<div data-nonce=\"decoy\" data-post-id=\"9\">"

static const row attributes[] = {
    { BYTES("<div data-nonce=\"" N "\" data-post-id=\"5\">"), FOUND },
    { BYTES("<div data-nonce='" N "' data-post-id='5'>"), FOUND },
    { BYTES(REAL), FOUND },
    { BYTES("<div data-post-id=5 class=x data-nonce='" N "'>"), FOUND },
    { BYTES("<div\n data-nonce = \"" N "\"\n\tdata-post-id\f=\r\n5\n>"), FOUND },
    { BYTES("<div data-nonce \n = \t " N "\n data-post-id= '5'>"), FOUND },
    { BYTES("<DIV DATA-NONCE='AbC' Data-Post-Id=5>"), "AbC/5" },
    { BYTES("<x-y:z data-nonce=" N " data-post-id=5>"), FOUND },
    { BYTES("<div/data-nonce=\"" N "\"/data-post-id=\"5\"/>"), FOUND },
    { BYTES("<div data-nonce=\"" N "\"data-post-id='5'>"), FOUND },
    { BYTES("<div hidden data-nonce=" N " async data-post-id=5 defer>"), FOUND },
    { BYTES("<div data-nonce=\"" N "\" data-post-id=\"5\"/>"), FOUND },
    { BYTES("<div title=\"a>b\" data-nonce='" N "' alt='>' data-post-id=5>"), FOUND },
    { BYTES("<div data-nonce=\"a>b<c\" data-post-id='5'>"), "a>b<c/5" },
    { BYTES("<div data-nonce=a\"b'c<d=e` data-post-id=5>"), "a\"b'c<d=e`/5" },
    { BYTES("<div =x data-nonce=" N " data-post-id=5>"), FOUND },
    /* the title is "data-nonce=..." */
    { BYTES("<div title= data-nonce=" N " data-post-id=5 >"), "none" },
    { BYTES("<div data-nonce=\"\xC3\xA9\" data-post-id=\"5 \">"), "\xC3\xA9/5 " },
    /* character references */
    { BYTES("<div data-nonce=\"&#48;123abcde&#x66;\" data-post-id=\"&#X35;\">"), FOUND },
    { BYTES("<div data-nonce=&#48;123abcde&#102 data-post-id=&#53>"), FOUND },
    { BYTES("<div data-nonce='&quot;a&apos;&lt;&gt;&amp;&#39;&#039;' data-post-id=5>"), "\"a'<>&''/5" },
    { BYTES("<div data-nonce='&nbsp;&foo;&;&#;&#x;&&amp;&' data-post-id=5>"), "\xC2\xA0&foo;&;&#;&#x;&&&/5" },
    { BYTES("<div data-nonce='a&quotb&ampc' data-post-id='?a=1&lt=2'>"), "a&quotb&ampc/?a=1&lt=2" },
    { BYTES("<div data-nonce=&#x1F600;&#x20AC;&#233; data-post-id=5>"),
      "\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA9/5" },
    { BYTES("<div data-nonce=&#0;&#xD800;&#x110000;&#99999999; data-post-id=5>"),
      "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD/5" },
    { BYTES("<div data-nonce='&amp;amp;' data-post-id=5>"), "&amp;/5" },
    { BYTES("<div data-nonce=\"&quot;\" data-post-id=&quot;5&quot;>"), "\"/\"5\"" },
    { BYTES("<div data-nonce='&#00000000000000000039;&#146;&#x80;&hellip;&rsquo;&copy' data-post-id=5>"),
      "'\xE2\x80\x99\xE2\x82\xAC\xE2\x80\xA6\xE2\x80\x99\xC2\xA9/5" },
    { BYTES("<div data-nonce='&copy=&copya&copy;' data-post-id=5>"), "&copy=&copya\xC2\xA9/5" },
    /* both in one element, which is a start tag, and of the first of duplicates, whatever it holds */
    { BYTES("<div data-nonce='' data-nonce='b' data-post-id=5>"), "none" },
    { BYTES("<div data-nonce data-nonce=b data-post-id=5>" REAL), FOUND },
    { BYTES("<div data-nonce=" LONG " data-nonce=b data-post-id=5>"), "none" },
    { BYTES("<div data-nonce=a data-post-id=5 data-bot-id=" LONG " data-bot-id=7>"), "a/5" },
    { BYTES("<div data-nonce=a data-post-id=5 data-type=shortcode data-type=widget>"), "a/5" },
    { BYTES("<div data-nonce=a data-post-id=5 data-memory-limit='' data-memory-limit=7>"), "a/5" },
    { BYTES("<div data-nonce=a data-post-id=<>" REAL), FOUND },
    { BYTES("<div data-nonce=a data-nonce=b data-post-id=5 data-post-id=6 data-bot-id=7 data-bot-id=8>"),
      "a/5\nbot 7" },
    { BYTES("<div data-nonce='a' DATA-NONCE='b' data-post-id='5'>"), "a/5" },
    { BYTES("<div data-nonce=a><div data-post-id=9>" REAL), FOUND },
    { BYTES("<div data-post-id='9'></div><div data-nonce='" N "' data-post-id='5'>"), FOUND },
    { BYTES("<div data-nonce='decoy'></div><div data-post-id=5 data-nonce='" N "'>"), FOUND },
    { BYTES(REAL "<div data-nonce=b data-post-id=9>"), FOUND },
    { BYTES("<div data-nonce data-post-id=5>"), "none" },
    { BYTES("<div data-nonce= data-post-id=5>"), "none" },
    { BYTES("<div data-nonce='' data-post-id='5'>"), "none" },
    { BYTES("<div data-nonce=>" REAL), FOUND },
    { BYTES("<div data-nonce=a data-post-id>"), "none" },
    { BYTES("</div data-nonce=a data-post-id=5>"), "none" },
    { BYTES("<div data-nonce=a\0b data-post-id=5>"), "none" },
    { BYTES("<div data-nonce=\"a\0b\" data-post-id=\"5\">"), "none" },
    { BYTES("no chat at all"), "none" },
    { BYTES(""), "none" },
    /* the plugin's own words */
    { BYTES("<div class=\"wpaicg-chat-shortcode\"\n data-user-bg-color=\"#444\"\n data-nonce=\"" N
            "\"\n data-post-id=\"5\"\n data-bot-id=\"0\"\n"
            " data-memory-limit = \"100\"\n data-assistant-enabled=\"false\"\n data-type=\"shortcode\"\n "
            "data-ai-name=\"Anna\">"
            "<div data-type=\"widget\">"),
      FOUND "\nbot 0\nname Anna\nmemory 100" },
    { BYTES("<div data-nonce=a data-post-id=5 data-assistant-enabled=true data-memory-limit=x>"),
      "a/5\nis assistant" },
    { BYTES("<div class=wpaicg-chatbox data-type=\"widget\" data-nonce=\"" N "\" data-post-id=\"<5\">"),
      FOUND "\nis widget" },
    { BYTES("<div data-type=widget data-nonce=" N " data-post-id=<5>"), FOUND "\nis widget" },
    { BYTES("<div data-nonce=" N " data-post-id='&lt;5' data-type='widget'>"), FOUND "\nis widget" },
    { BYTES(REAL "<div data-type=\"widget\" data-nonce=\"" N "\" data-post-id=\"<5\">"), FOUND },
};

static const row decoys[] = {
    { BYTES("<!-- " DECOY " -->" REAL), FOUND },
    { BYTES("<!--" DECOY "-->" REAL), FOUND },
    { BYTES("<!-- > -> --x -- > " DECOY " -->" REAL), FOUND },
    { BYTES("<!---- > " DECOY " ---->" REAL), FOUND },
    { BYTES("<!-- " DECOY " --!>" REAL "-->"), FOUND },
    { BYTES("<!--!> " DECOY " -->" REAL), FOUND },
    { BYTES("<!-->" REAL "-->"), FOUND },
    { BYTES("<!--->" REAL "-->"), FOUND },
    { BYTES("<!--[if !IE]><!-->" REAL "<!--<![endif]-->"), FOUND },
    { BYTES("<!--[if IE]>" DECOY "<![endif]-->" REAL), FOUND },
    { BYTES("<!DOCTYPE x \""
            "<div data-nonce='decoy' data-post-id='9'\">" REAL),
      FOUND },
    { BYTES("<?php <div data-nonce='decoy' data-post-id='9' ?>" REAL), FOUND },
    { BYTES("<![CDATA[ <div data-nonce='decoy' data-post-id='9'>" REAL), FOUND },
    { BYTES("</ <div data-nonce='decoy' data-post-id='9'>" REAL), FOUND },
    { BYTES("<script>s = '" DECOY "';</script>" REAL), FOUND },
    { BYTES("<SCRIPT type=x>s = '</ script></scripts></s" DECOY "';</Script\n>" REAL), FOUND },
    { BYTES("<script><!-- " DECOY "</script x='>'>" REAL), FOUND },
    { BYTES("<script></script x='>" REAL), "none" },       /* an end tag's quotes count, too */
    { BYTES("<script>" DECOY "</script/>" REAL), FOUND },
    { BYTES("<style>" DECOY "</style>" REAL), FOUND },
    { BYTES("<title>" DECOY "</title>" REAL), FOUND },
    { BYTES("<textarea a='>'>" DECOY "</textarea>" REAL), FOUND },
    { BYTES("<iframe>" DECOY "</iframe><xmp>" DECOY "</xmp>" REAL), FOUND },
    { BYTES("<scripts>" REAL), FOUND },
    { BYTES("<div title='" DECOY "'>" REAL), FOUND },
    { BYTES("<div alt='data-nonce=\"decoy\" data-post-id=\"9\"' data-nonce=" N " data-post-id=5>"), FOUND },
    { BYTES("<div data-nonce-x=\"decoy\" data-post-id-x='9' x-data-nonce=a data-noncex=b data-nonc=c "
            "data-nonce=" N " data-post-id=5>"),
      FOUND },
    { BYTES("<div data-nonce-x=\"decoy\" data-post-id-x=\"9\">"), "none" },
    { BYTES("< div data-nonce='decoy' data-post-id='9'>" REAL), FOUND },
    { BYTES("<1 data-nonce='decoy' data-post-id='9'>" REAL), FOUND },
    { BYTES("1 < 2 <<<div data-nonce=" N " data-post-id=5>"), FOUND },
    { BYTES("&lt;div data-nonce='decoy' data-post-id='9'>" REAL), FOUND },
    { BYTES("<script><!-- <script> </script> " DECOY " --></script>" REAL), FOUND },
    { BYTES("<script><!-- <script> </script> " DECOY " </script> x" REAL), FOUND },
    { BYTES("<script><!--> " DECOY "</script>" REAL), FOUND },
    { BYTES("<script><!-- <script>" REAL "</script>" DECOY), "decoy/9" },
    { BYTES("<template>" DECOY "<template></template>" DECOY "</template>" REAL), FOUND },
    { BYTES("<template><script></template></script>" DECOY "</template>" REAL), FOUND },
    { BYTES(REAL "<plaintext>" DECOY), FOUND },
    { BYTES("<plaintext>" REAL), "none" },
    { BYTES("<!-- a --!>" REAL "<!-- " DECOY "-->"), FOUND },
    { BYTES("<noscript>" DECOY "</noscript>" REAL), FOUND },
    { BYTES("<noembed>" DECOY "</noembed><noframes>" DECOY "</noframes>" REAL), FOUND },
    { BYTES("<div title='</div' a></div title='>" "<i data-nonce=x data-post-id=9>" "'>" REAL), FOUND },
    /* drawings and formulas: nothing is raw in them */
    { BYTES("<svg class=i><title/><path d='M0'/></svg>" REAL), FOUND },
    { BYTES("<svg><title/><desc/><style/><script/><textarea/></svg>" REAL), FOUND },
    { BYTES("<svg><title>Icon</title></svg>" REAL), FOUND },
    { BYTES("<svg><style>.a{}</style><g><title/></g></svg><title>" DECOY "</title>" REAL), FOUND },
    { BYTES("<svg><g><title/>" REAL), FOUND },
    { BYTES("<svg><p><title>" DECOY "</title>" REAL), FOUND },
    { BYTES("<svg><![CDATA[" DECOY "]]></svg>" REAL), FOUND },
    { BYTES("<svg><foreignObject><style>" DECOY "</style></foreignObject></svg>" REAL), FOUND },
    { BYTES("<math><mi/><title/></math>" REAL), FOUND },
    { BYTES("<title/>" DECOY "</title>" REAL), FOUND },
    /* the end comes in between */
    { BYTES("<div data-nonce=" N " data-post-id=5"), "none" },
    { BYTES("<div data-nonce=" N " data-post-id=\"5>"), "none" },
    { BYTES("<div data-nonce=" N " data-post-id='5'"), "none" },
    { BYTES("<div data-nonce=" N " data-post-id=&#53"), "none" },
    { BYTES("<!-- " REAL), "none" },
    { BYTES("<script>" REAL), "none" },
    { BYTES("<"), "none" },
    { BYTES("</"), "none" },
    { BYTES("<!"), "none" },
    { BYTES("<!-"), "none" },
    { BYTES("<a b"), "none" },
    { BYTES("<a b="), "none" },
};

/* What the model finds is found, where no element has it: the first of each, wherever it stands. */
static const row as_the_model[] = {
    {BYTES("<!-- " DECOY " -->"), "decoy/9"},
    {BYTES("<script>s = '" DECOY "';</script>"), "decoy/9"},
    {BYTES("<div data-nonce=\"" N "\"></div><div data-post-id=\"5\"></div>"), FOUND},
    {BYTES("<div data-post-id='5'></div><div data-nonce='" N "'></div>"), FOUND},
    {BYTES("<div data-nonce=\"" N "\" data-post-id=\"5\""), FOUND},
    {BYTES("data-nonce='" N "\" data-post-id=\"5'"), FOUND},
    {BYTES("<!-- data-nonce='' data-nonce='a' data-nonce='b' data-post-id='5' -->"), "a/5"},
    {BYTES("<!-- data-nonce='a&amp;b' data-post-id='<5' -->"), "a&amp;b/<5"},
    {BYTES("<!-- data-nonce='a\nb' data-post-id='5' -->"), "a\nb/5"},
    {BYTES("<!-- data-nonce = 'a' data-post-id='5' -->"), "none"},
    {BYTES("<!-- data-nonce=\\\"a\\\" data-post-id=\\\"5\\\" -->"), "none"},
    {BYTES("<!-- DATA-NONCE='a' data-post-id='5' -->"), "none"},
    {BYTES("<!-- data-nonce='a' -->"), "none"},
    {BYTES("<div data-nonce='" N "'>"), "none"},
    {BYTES("<!-- data-post-id='5' -->"), "none"},
};

/* ---- the endpoint ---- */

#define PARAMS(url) \
    "<script>var wpaicgParams = {\"ajax_url\":\"" url "\",\"search_nonce\":\"" N "\"};</script>"
static const row endpoints[] = {
    {BYTES(REAL PARAMS("https:\\/\\/www.h.test\\/wp-admin\\/admin-ajax.php")),
        FOUND "\nat https://www.h.test/wp-admin/admin-ajax.php"},
    {BYTES(PARAMS("https:\\/\\/h\\/a") REAL), FOUND "\nat https://h/a"},
    {BYTES(REAL "<script>wpaicgParams={\"ajax_url\":\"/a\"}"), FOUND "\nat /a"},
    {BYTES(REAL "wpaicgParams  =  {  \"ajax_url\"  :  \"/a b\""), FOUND "\nat /a b"},
    {BYTES(REAL PARAMS("/a") PARAMS("/b")), FOUND "\nat /a"},
    {BYTES("<!-- " DECOY " -->" PARAMS("/a")), "decoy/9\nat /a"},
    {BYTES(REAL PARAMS("https:\\/\\/h\\/f\\u00fcr\\u20AC\\ud83d\\uDE00\\/a")),
        FOUND "\nat https://h/f\xC3\xBCr\xE2\x82\xAC\xF0\x9F\x98\x80/a"},
    {BYTES(REAL PARAMS("/f\xC3\xBCr/a")), FOUND "\nat /f\xC3\xBCr/a"},
    {BYTES(REAL PARAMS("/a\\ud83d")), FOUND "\nat /a\xEF\xBF\xBD"},
    {BYTES(REAL PARAMS("/\\ud83dx\\udE00\\u12g\\\\\\u0026")), FOUND "\nat /\xEF\xBF\xBDx\xEF\xBF\xBDu12g\\&"},
    {BYTES(REAL "<script>var wpaicgParams={\"search_nonce\":\"x\",\"ajax_url\":\"/b\"};"), FOUND "\nat /b"},
    {BYTES(REAL "<script>wpaicgParams\n=\r\n{\t\"ajax_url\"\n:\n\"/c\"\n}"), FOUND "\nat /c"},
    {BYTES(REAL "<script>var a=1,wpaicgParams={ajax_url:'/d',x:1}"), FOUND "\nat /d"},
    {BYTES(REAL "<script>wpaicgParams={x:'',ajax_url:\"/e\"}"), FOUND "\nat /e"},
    {BYTES(REAL "typeof wpaicgParams;wpaicgParams={'ajax_url':'/f'}"), FOUND "\nat /f"},
    {BYTES(REAL "wpaicgParams={};p={\"ajax_url\":\"/g\"}"), FOUND},
    {BYTES(REAL "wpaicgParams={\"my_ajax_url\":\"/h\"}"), FOUND},
    {BYTES(REAL PARAMS("")), FOUND},
    {BYTES(REAL "wpaicgParams = {\"ajax_url\":\"/a"), FOUND},
    {BYTES(REAL "xParams = {\"ajax_url\":\"/a\"}"), FOUND},
    {BYTES(PARAMS("/a")), "none"},
};

/* ---- the newer generation ---- */

#define Q "&quot;"
#define AJAX Q "ajaxUrl" Q ":" Q "https:\\/\\/h.test\\/wp-admin\\/admin-ajax.php" Q
#define CONFIG "{" Q "botId" Q ":7," Q "nonce" Q ":" Q "1c21a385aa" Q "," Q "postId" Q ":3," AJAX "}"
#define KIT "aipkit 1c21a385aa/3\nbot 7\nat https://h.test/wp-admin/admin-ajax.php"
#define SMALL(bot, nonce) "{" Q "botId" Q ":" bot "," Q "nonce" Q ":" Q nonce Q "}"

static const row configs[] = {
    { BYTES("<div class=\"aipkit_chat_container\" id=\"aipkit_chat_container_7\" data-bot-id=\"7\" "
            "data-config='" CONFIG "' role=x>"),
      KIT },
    { BYTES("<div class=aipkit_popup_wrapper data-config='" CONFIG
            "' data-bot-id=\"7\"><div class=aipkit_chat_container data-bot-id=7>"),
      KIT },
    { BYTES("<div data-config=\"" CONFIG "\">"), KIT },
    { BYTES("<div data-config=" CONFIG ">"), KIT },
    { BYTES("<DIV DATA-CONFIG = '" CONFIG "'>"), KIT },
    { BYTES("<div "
            "data-config='{\"botId\":7,\"nonce\":\"1c21a385aa\",\"postId\":3,\"ajaxUrl\":\"https:\\/\\/"
            "h.test\\/wp-admin\\/admin-ajax.php\"}'>"),
      KIT },
    { BYTES("<div data-config=\"{&#34;botId&#34;:7,&#034;nonce&#x22;:&#X22;1c21a385aa&#34;}\">"),
      "aipkit 1c21a385aa/\nbot 7" },
    { BYTES("<div data-config=' \n{ " Q "nonce" Q " : " Q "a" Q " ,\n" Q "botId" Q " : 7 } '>"),
      "aipkit a/\nbot 7" },
    { BYTES("<div data-config='{" Q "botId" Q ":" Q "7" Q "," Q "nonce" Q ":" Q "\\u0061\\u00e9\\/" Q "," Q
            "postId" Q ":0}'>"),
      "aipkit a\xC3\xA9//0\nbot 7" },
    { BYTES("<div data-config='{" Q "botId" Q ":7," Q "headerName" Q ":" Q
            "A \\u0026 \\u003CB\\u003E \xC3\xA9" Q "," Q "text" Q ":{" Q "nonce" Q ":" Q "x" Q "," Q
            "initialGreeting" Q ":" Q "Hi\\n\\u0027there\\u0027" Q "," Q "consentMessage" Q ":" Q "Agree?" Q
            "}," Q "provider" Q ":" Q "OpenAI" Q "," Q "nonce" Q ":" Q "a" Q "," Q
            "requireConsentCompliance" Q ":true," Q "enableOpenAIConversationState" Q ":true," Q
            "enableGoogleConversationState" Q ":false}'>"),
      "aipkit a/\nbot 7\nname A & <B> \xC3\xA9\ngreeting Hi 'there'\nprovider OpenAI\nconsent Agree?\nkeeps "
      "openai" },
    { BYTES("<div data-config='{" Q "nonce" Q ":" Q "a" Q "," Q "botId" Q ":7," Q "text" Q ":{" Q
            "consentMessage" Q ":" Q "Agree?" Q "}," Q "requireConsentCompliance" Q ":false," Q
            "enableGoogleConversationState" Q ":true," Q "provider" Q ":" Q "Google" Q "}'>"),
      "aipkit a/\nbot 7\nprovider Google\nkeeps google" },
    { BYTES("<div data-config='{" Q "nonce" Q ":" Q "a" Q "," Q "botId" Q ":7," Q "provider" Q ":" Q
            "Claude" Q "," Q "enableOpenAIConversationState" Q ":true," Q "enableGoogleConversationState" Q
            ":true}'>"),
      "aipkit a/\nbot 7\nprovider Claude" },
    /* only this attribute, the first of it, and the first of its keys */
    { BYTES("<div data-custom-theme='" SMALL("1", "theme") "' data-config='" CONFIG "'>"), KIT },
    { BYTES("<div data-config='" CONFIG
            "' data-custom-theme='" SMALL("1", "theme") "' data-configs='" SMALL("2", "s") "'>"),
      KIT },
    { BYTES("<div data-config='" CONFIG "' data-config='" SMALL("1", "second") "'>"), KIT },
    { BYTES("<div data-config='{" Q "nonce" Q ":" Q "a" Q "," Q "nonce" Q ":" Q "b" Q "," Q "botId" Q ":7," Q
            "botId" Q ":8}'>"),
      "aipkit a/\nbot 7" },
    { BYTES("<div data-config='" CONFIG "' data-nonce=x data-post-id=9 data-bot-id=9>"), KIT },
    { BYTES("<div data-nonce=x data-post-id=9 data-bot-id=9 data-config='" CONFIG "'>"), KIT },
    { BYTES("<div data-config='" SMALL("7", "a") "'><div data-config='" SMALL("8", "b") "'>"),
      "aipkit a/\nbot 7" },
    { BYTES("<div data-config='" SMALL("7", "a") "'>" PARAMS("/x") REAL), "aipkit a/\nbot 7" },
    { BYTES(REAL "<div data-config='" SMALL("7", "a") "'>"), FOUND },
    /* others' configurations, and broken ones */
    { BYTES("<div data-config='{" Q "theme" Q ":" Q "dark" Q "}'><div data-config='" CONFIG "'>"), KIT },
    { BYTES("<div data-config='dark'>" REAL), FOUND },
    { BYTES("<div data-config='dark' data-nonce=" N " data-post-id=5>"), FOUND },
    { BYTES("<div data-nonce=" N " data-config='{" Q "theme" Q ":1}' data-post-id=5 data-bot-id=0>"),
      FOUND "\nbot 0" },
    { BYTES("<div data-nonce=" N " data-post-id=5 data-config='{" Q "nonce" Q ":" Q "x" Q "}'>"), FOUND },
    { BYTES("<div data-nonce=" N " data-post-id=5 data-config='{" Q "botId" Q ":" Q LONG Q "}'>"), FOUND },
    { BYTES("<div data-config data-nonce=" N " data-post-id=5>"), FOUND },
    { BYTES("<div data-config='x' data-config='" SMALL("7", "a") "'>" REAL), FOUND },
    { BYTES("<p data-config='[" Q "botId" Q "]'><p data-config='{}'><div data-config='" SMALL("7", "a") "'>"),
      "aipkit a/\nbot 7" },
    { BYTES("<div data-config>" REAL), FOUND },
    { BYTES("<div data-config=''>"), "none" },
    { BYTES("<div data-config='{" Q "nonce" Q ":" Q "a" Q "}'>"), "none" },
    { BYTES("<div data-config='{" Q "botId" Q ":7}'>"), "none" },
    { BYTES("<div data-config='{" Q "botId" Q ":7," Q "nonce" Q ":" Q "a" Q "'>"), "none" },
    { BYTES("<div data-config='{" Q "botId" Q ":7," Q "nonce" Q ":" Q "a" Q ",}'>"), "none" },
    { BYTES("<div data-config='{" Q "botId" Q ":7," Q "nonce" Q ":" Q "a\\u0000b" Q "}'>"), "none" },
    { BYTES("<div data-config=\"{\"botId\":7,\"nonce\":\"a\"}\">"), "none" },
    { BYTES("<div data-config='" CONFIG), "none" },
    { BYTES("<script>s = \"<div data-config='" SMALL("7", "a") "'>\"</script>"), "none" },
    { BYTES("<!-- <div data-config='" SMALL("7", "a") "'> -->" REAL), FOUND },
};

TEST(attributes) { run_rows(attributes, ROWS(attributes)); }
TEST(decoys) { run_rows(decoys, ROWS(decoys)); }
TEST(as_the_model) { run_rows(as_the_model, ROWS(as_the_model)); }
TEST(endpoints) { run_rows(endpoints, ROWS(endpoints)); }
TEST(configs) { run_rows(configs, ROWS(configs)); }

/* Short pages, cut at every pair of positions too. */
TEST(every_pair_of_cuts)
{
    CHECK(FEED_TEXT(&parser, "<a data-nonce=&#97; data-post-id='5'>", "a/5\n= 0\n"));
    CHECK(FEED_TEXT(&parser, "<!-- --!><a data-nonce=a data-post-id=5>", "a/5\n= 0\n"));
    CHECK(FEED_TEXT(&parser, "<b data-nonce='a'/data-post-id=\"5\">", "a/5\n= 0\n"));
    CHECK(FEED_TEXT(&parser, "<a data-config='{&quot;nonce&quot;:&quot;\\u00e9&quot;,&quot;botId&quot;:7}'>",
        "aipkit \xC3\xA9/\nbot 7\n= 0\n"));
}

/* ---- which of several chats ---- */

static const struct { const char *bot_id; chatgptt_dialect dialect; const char *page, *wanted;
} chosen[] = {
#define THREE                                                                                       \
    "<i data-nonce=a data-post-id=5 data-bot-id=0><i data-nonce=b data-post-id=6 data-bot-id=8><i " \
    "data-nonce=c data-post-id=7 data-bot-id=8>"
    { NULL, CHATGPTT_AUTO, THREE, "a/5\nbot 0" },
    { "0", CHATGPTT_AUTO, THREE, "a/5\nbot 0" },
    { "8", CHATGPTT_AUTO, THREE, "b/6\nbot 8" },
    { "77", CHATGPTT_AUTO, THREE, "a/5\nbot 0" },
    { "08", CHATGPTT_AUTO, THREE, "a/5\nbot 0" },
    { "0", CHATGPTT_AUTO, "<i data-nonce=b data-post-id=6 data-bot-id=8>" REAL, FOUND },
    { "8", CHATGPTT_AUTO, REAL "<i data-config='" SMALL("8", "a") "'>", "aipkit a/\nbot 8" },
    { "8", CHATGPTT_AUTO, "<i data-config='" SMALL("7", "a") "'><i data-config='" SMALL("8", "b") "'>",
      "aipkit b/\nbot 8" },
    { "8", CHATGPTT_AUTO, "<i data-bot-id=8><i data-config='" SMALL("7", "a") "' data-bot-id=8>",
      "aipkit a/\nbot 7" },
    { NULL, CHATGPTT_AIPKIT, REAL "<i data-config='" SMALL("8", "a") "'>", "aipkit a/\nbot 8" },
    { NULL, CHATGPTT_WPAICG, "<i data-config='" SMALL("8", "a") "'>" REAL, FOUND },
};

TEST(chosen)
{
    for (size_t i = 0; i < ROWS(chosen); i++) {
        now.bot_id = chosen[i].bot_id;
        now.dialect = chosen[i].dialect;
        check_page(chosen[i].page, strlen(chosen[i].page), chosen[i].wanted);
    }
    memset(&now, 0, sizeof now);
}

/* ---- the caller's patterns ---- */

static const struct { const char *nonce, *post_id, *page, *wanted; } patterns[] = {
    {"nonce: '([0-9a-z]+)'", NULL, REAL "<script>nonce: 'mine'", "mine/5"},
    {NULL, "post=([0-9]+);", REAL "post=77;", N "/77"},
    {"n=([a-z]+);", "p=([0-9]+);", "n=ab; p=12;", "ab/12"},
    {"n=([a-z]+);", NULL, "<!-- data-post-id='5' --> n=ab;", "ab/5"},
    {"n=([a-z]+);", NULL, "n=ab;", "none"},
    /* the caller's own word is not passed over */
    {"n=([a-z]+);", NULL, REAL, "none"},
    {NULL, "p=([0-9]+);", "<div data-nonce='a' data-post-id='5'>", "none"},
    {"tok[0-9]+", "5", REAL "tok77", "tok77/5"},                  /* all of the match without a group */
    {"n=([a-z]*);", NULL, REAL "n=;", "none"},
    {"n=([^;]+);", NULL, "<i data-config='" SMALL("8", "a") "'>n=own;", "aipkit own/\nbot 8"},
    {"data-nonce=\"([^\"]+)\"", "data-post-id=\"([^\"]+)\"", "<!-- " DECOY " -->" REAL, "decoy/9"},
};

TEST(patterns)
{
    for (size_t i = 0; i < ROWS(patterns); i++) {
        now.nonce_pattern = patterns[i].nonce;
        now.post_id_pattern = patterns[i].post_id;
        check_page(patterns[i].page, strlen(patterns[i].page), patterns[i].wanted);
    }
    memset(&now, 0, sizeof now);
}

/* A token is taken up to its size, and never cut short: attribute, the model's pattern, the caller's,
   configuration. */
TEST(long_tokens)
{
    static const char *const forms[] = { "<i data-nonce=%s data-post-id=5>",
                                         "<!-- data-nonce='%s' data-post-id='5' -->",
                                         "<!-- data-post-id='5' --> n=%s;",
                                         "<i data-config='{\"botId\":7,\"nonce\":\"%s\"}'>" };
    static const char *const wanted[] = {"%s/5", "%s/5", "%s/5", "aipkit %s/\nbot 7"};
    static const int lengths[] = { CHATGPTT_MAX_TOKEN - 1, CHATGPTT_MAX_TOKEN, CHATGPTT_MAX_CAPTURE - 1,
                                   CHATGPTT_MAX_CAPTURE, CHATGPTT_MAX_CAPTURE + 1 };
    static char token[2 * CHATGPTT_MAX_CAPTURE], page[3 * CHATGPTT_MAX_CAPTURE],
        result[3 * CHATGPTT_MAX_CAPTURE];
    for (size_t i = 0; i < ROWS(forms); i++)
        for (size_t k = 0; k < ROWS(lengths); k++) {
            memset(token, 'a', sizeof token);
            token[lengths[k]] = '\0';
            now.nonce_pattern = i == 2 ? "n=([a-z]+);" : NULL;
            int len = snprintf(page, sizeof page, forms[i], token);
            snprintf(result, sizeof result, wanted[i], token);
            check_page(page, (size_t)len, k == 0 ? result : "none");
        }
    memset(&now, 0, sizeof now);
}

TEST(long_endpoints)
{
    static char url[CHATGPTT_MAX_CAPTURE + 1], page[2 * CHATGPTT_MAX_CAPTURE],
        wanted[2 * CHATGPTT_MAX_CAPTURE];
    memset(url, 'a', sizeof url - 1);
    int len = snprintf(page, sizeof page, REAL PARAMS("%s"), url);
    check_page(page, (size_t)len, FOUND);
    url[sizeof url - 2] = '\0';
    len = snprintf(page, sizeof page, REAL PARAMS("%s"), url);
    snprintf(wanted, sizeof wanted, FOUND "\nat %s", url);
    feed_log log;
    memset(&log, 0, sizeof log);
    /* lines of the log end at 1000: the text itself is looked at */
    feed_run(&parser, page, (size_t)len, 0, 0, 7, &log);
    CHECK_STR(now.page.best.endpoint, url);
    feed_run(&parser, page, (size_t)len, 0, 0, (size_t)len, &log);
    CHECK_STR(now.page.best.endpoint, url);
    free(log.text);
}

/* ---- what a page says to people ---- */

static cgt_said said;

static void said_reset(void *state) { memset(state, 0, sizeof said); }
static int said_feed(void *state, char *piece, size_t len, feed_log *log)
{
    (void)log;
    cgt_said_feed((cgt_said *)state, cgt_slice_of(piece, len));
    return 0;
}
static int said_end(void *state, feed_log *log)
{
    const cgt_said *p = (const cgt_said *)state;
    feed_log_event(log, "%s|%s|%s", p->words.title, p->words.text, cgt_said_words(p));
    return p->challenge;
}
static const feed_parser said_parser = {said_feed, said_reset, said_end, &said};

static const struct { const char *page, *wanted; } words[] = {
    {"", "||"},
    {"<title>Not found</title>", "Not found||Not found"},
    {"<TITLE lang=en>\n  Not\n\tfound\n</TITLE\n>", "Not found||Not found"},
    {"<title>A &amp; B &#8211; &lt;C&gt; \xC3\xA9</title><p>d", "A & B \xE2\x80\x93 <C> \xC3\xA9|d|d"},
    {"<title>Site</title><svg><title>Search</title></svg>", "Site||Site"},
    {"<title></title><title>Site</title>", "Site||Site"},
    {"<title>I <3 you <i></title>", "I <3 you <i>||I <3 you <i>"},
    {"<!DOCTYPE html><html><body>\n<p>There has been a critical error.</p><p>More.</p>",
        "|There has been a critical error.|There has been a critical error."},
    {"<h1> Error <em>establishing</em> a\n<a href=x>database</a> connection </h1> x",
        "|Error establishing a database connection|Error establishing a database connection"},
    {"<script>no</script><style>no</style><!-- no --><textarea>no</textarea><p>yes</p>no", "|yes|yes"},
    {"plain words", "|plain words|plain words"},
    {"1 < 2<br>3", "|1 < 2|1 < 2"},
    {"a\x01" "b\x7f\t c", "|a b c|a b c"},
    {"<p>\xF0\x9F\x98\x80 \xE2\x82\xAC", "|\xF0\x9F\x98\x80 \xE2\x82\xAC|\xF0\x9F\x98\x80 \xE2\x82\xAC"},
    {"<title>t</title>\n \n<p>\n", "t||t"},
    {"<noscript><p>Please enable scripts.</p></noscript>",
        "|Please enable scripts.|Please enable scripts."},
};

TEST(words)
{
    char lines[500], title[300];
    for (size_t i = 0; i < ROWS(words); i++) {
        snprintf(lines, sizeof lines, "%s\n= 0\n", words[i].wanted);
        CHECK(FEED_TEXT(&said_parser, words[i].page, lines));
    }
    /* too long: cut at a character */
    for (int at = CHATGPTT_MAX_TOKEN - 5; at < CHATGPTT_MAX_TOKEN; at++) {
        char page[500];
        int fit = at + 4 < CHATGPTT_MAX_TOKEN   ? CHATGPTT_MAX_TOKEN - 1
                  : at < CHATGPTT_MAX_TOKEN - 1 ? at
                                                : CHATGPTT_MAX_TOKEN - 1;
        memset(title, 'a', sizeof title);
        memcpy(title + at, "\xF0\x9F\x98\x80", 4);
        snprintf(page, sizeof page, "<title>%.*s</title>", (int)sizeof title, title);
        snprintf(lines, sizeof lines, "%.*s||%.*s\n= 0\n", fit, title, fit, title);
        CHECK(FEED_TEXT(&said_parser, page, lines));
    }
}

/* Marks of challenge pages and firewalls, wherever the page is cut. */
TEST(challenges)
{
    static const char *const marks[] = { "<title>Just a moment...</title>",
                                         "<script src=\"/cdn-cgi/challenge-platform/h/g/orchestrate\">",
                                         "window._cf_chl_opt={",
                                         "<div id=\"cf-error-details\">",
                                         "<title>Attention Required! | Cloudflare</title>",
                                         "CHECKING YOUR BROWSER before",
                                         "<title>Sucuri WebSite Firewall - Access Denied</title>",
                                         "<div class=\"g-recaptcha\">",
                                         "/_Incapsula_Resource?x",
                                         "Generated by Wordfence at",
                                         "DDoS-Guard",
                                         "blocked by Mod_Security" };
    char page[300];
    for (size_t i = 0; i < ROWS(marks); i++) {
        snprintf(
            page, sizeof page,
            "<p>some words before it, and more</p>\n%s and words behind it, more than thirty-two of them",
            marks[i]);
        feed_log log;
        memset(&log, 0, sizeof log);
        feed_run(&said_parser, page, strlen(page), 0, 0, strlen(page), &log);
        if (!CHECK_STR(strrchr(log.text, '='), "= 1\n")) puts(marks[i]);
        CHECK(FEED_TEXT(&said_parser, page, NULL));
        free(log.text);
    }
    CHECK(FEED_TEXT(&said_parser, "<p>just a mom ent, challenge-platfor",
        "|just a mom ent, challenge-platfor|just a mom ent, challenge-platfor\n= 0\n"));
}

/* ---- the tokenizer by itself ---- */

static struct { cgt_html html; char tag[2000]; size_t len; } tokens;

static void tokens_reset(void *state) { memset(state, 0, sizeof tokens); }

static void tokens_add(const char *text, size_t len)
{
    if (tokens.len + len >= sizeof tokens.tag) return;
    memcpy(tokens.tag + tokens.len, text, len);
    tokens.tag[tokens.len += len] = '\0';
}

static void tokens_event(feed_log *log)
{
    const cgt_html *h = &tokens.html;
    switch (h->event) {
    case CGT_HTML_TAG: tokens.len = 0; tokens_add(h->tag, strlen(h->tag)); break;
    case CGT_HTML_ATTRIBUTE:
        tokens_add(" ", 1);
        tokens_add(h->name, strlen(h->name));
        tokens_add("=", 1);
        break;
    case CGT_HTML_VALUE: tokens_add(h->piece.at, h->piece.len); break;
    case CGT_HTML_TAG_END: feed_log_event(log, "%s", tokens.tag); break;
    case CGT_HTML_CLOSE: feed_log_event(log, "/%s", h->tag); break;
    case CGT_HTML_TEXT: feed_log_piece(log, "text", h->piece.at, h->piece.len); break;
    case CGT_HTML_TITLE:
        if (h->piece.len) feed_log_piece(log, "title", h->piece.at, h->piece.len);
        else feed_log_event(log, "title ends");
        break;
    default: break;
    }
}

static int tokens_feed(void *state, char *piece, size_t len, feed_log *log)
{
    size_t used;
    (void)state;
    do {
        cgt_html_feed(&tokens.html, piece, len, &used);
        piece += used;
        len -= used;
        tokens_event(log);
    } while (tokens.html.event != CGT_HTML_NONE);
    CHECK(len == 0);
    return 0;
}

static const feed_parser tokens_parser = { tokens_feed, tokens_reset, NULL, &tokens };

/* By the standard's tokenizer, with the parts of its tree construction that switch it, as a browser that runs
   scripts reads a page. An element is a line of its name and attributes, an end tag one with a slash. */
static const struct { const char *page, *wanted; } tokenized[] = {
    { "<a>", "a" },
    { "<A HREF=X>", "a href=X" },
    { "<a b='c' d=\"e\" f=g h>", "a b=c d=e f=g h=" },
    { "<a b = c>", "a b=c" },
    { "<a b\n=\n'c'>", "a b=c" },
    { "<a b=>x", "a b=\ntext \"x\"" },
    { "<a =b>", "a =b=" },
    { "<a ==b>", "a ==b" },
    { "<a b/c=d/>", "a b= c=d/" },
    { "<a b=c/>", "a b=c/" },
    { "<a b='1'c=\"2\">", "a b=1 c=2" },
    { "<a b='>' c>", "a b=> c=" },
    { "<a b=\"'\" c='\"'>", "a b=' c=\"" },
    { "<a b<c d>", "a b<c= d=" },
    { "<a<b>", "a<b" },
    { "<a b=c\"d'e`f=g<h>", "a b=c\"d'e`f=g<h" },
    { "<a b=x b=y>", "a b=x b=y" },
    { "<br/ >", "br" },
    { "<br / x>", "br x=" },
    { "</a b='>' c>y", "/a\ntext \"y\"" },
    { "</>x", "text \"x\"" },
    { "</ a>x", "text \"x\"" },
    { "</1>x", "text \"x\"" },
    { "< a>", "text \"<a>\"" },
    { "<1>", "text \"<1>\"" },
    { "<a", "" },
    { "<a b='c", "" },
    { "a<", "text \"a\"" },
    { "1 < 2", "text \"1 < 2\"" },
    { "<<a>", "text \"<\"\na" },
    { "<?x a='>'?>y", "text \"'?>y\"" },
    { "<!x '>'>y", "text \"'>y\"" },
    { "<!-->a", "text \"a\"" },
    { "<!--->a", "text \"a\"" },
    { "<!---->a", "text \"a\"" },
    { "<!-- a -- > b -->c", "text \"c\"" },
    { "<!-- --!>a", "text \"a\"" },
    { "<!--!>a-->b", "text \"b\"" },
    { "<!---!>a-->b", "text \"b\"" },
    { "<!-- --!-> -->a", "text \"a\"" },
    { "<!-- <!-- --> a", "text \"a\"" },
    { "<!-- <!-->a", "text \"a\"" },
    { "<!->a", "text \"a\"" },
    { "<!-", "" },
    { "<!doctype a '>'>b", "text \"'>b\"" },
    { "<![CDATA[a>b]]>", "text \"b]]>\"" },
    { "<script>a<b</script>c", "script\n/script\ntext \"c\"" },
    { "<script></ script></scripts></SCRIPT >c", "script\n/script\ntext \"c\"" },
    { "<script><!-- <script> </script> <a> --></script>b", "script\n/script\ntext \"b\"" },
    { "<script><!-- <script> </script> </script>b", "script\n/script\ntext \"b\"" },
    { "<script><!--<script></script>--></script>a", "script\n/script\ntext \"a\"" },
    { "<script><!--></script>a", "script\n/script\ntext \"a\"" },
    { "<script><!-- <scripts> </script>a", "script\n/script\ntext \"a\"" },
    { "<script><!-- <script/> --></script>a", "script\n/script\ntext \"a\"" },
    { "<script><!-<script></script>a", "script\n/script\ntext \"a\"" },
    { "<script><!-- <SCRIPT\n> </SCRIPT\n> </script>a", "script\n/script\ntext \"a\"" },
    { "<script><!-- </script>a --><b>", "script\n/script\ntext \"a -->\"\nb" },
    { "<script/>a</script>b", "script\n/script\ntext \"b\"" },
    { "<title>a&amp;b<i>c</title>d", "title\ntitle \"a&b<i>c\"\ntitle ends\n/title\ntext \"d\"" },
    { "<title></tit</titled></title>a", "title\ntitle \"</tit</titled>\"\ntitle ends\n/title\ntext \"a\"" },
    { "<title/>a</title>b", "title\ntitle \"a\"\ntitle ends\n/title\ntext \"b\"" },
    { "<textarea><a></textarea>b", "textarea\n/textarea\ntext \"b\"" },
    { "<style><a></style>b", "style\n/style\ntext \"b\"" },
    { "<xmp><a></xmp>b", "xmp\n/xmp\ntext \"b\"" },
    { "<noscript><a></noscript>b", "noscript\n/noscript\ntext \"b\"" },
    { "<iframe><a></iframe><noembed><a></noembed><noframes><a></noframes>",
      "iframe\n/iframe\nnoembed\n/noembed\nnoframes\n/noframes" },
    { "<plaintext><a></plaintext><b>", "plaintext" },
    { "</script x='>'>a", "/script\ntext \"a\"" },
    { "<template a=b><i c></template><b>", "template a=b\nb" },
    { "<template><template><i></template><i></template><b>", "template\nb" },
    { "<template><svg></template><title>a</title>", "template\ntitle\ntitle \"a\"\ntitle ends\n/title" },
    { "</template><b>", "/template\nb" },
    { "<svg><title/><a></svg>b", "svg\ntitle\na\n/svg\ntext \"b\"" },
    { "<svg><title>x</title></svg><title>t</title>",
      "svg\ntitle\n/title\n/svg\ntitle\ntitle \"t\"\ntitle ends\n/title" },
    { "<svg><style><a></style></svg>", "svg\nstyle\na\n/style\n/svg" },
    { "<svg><script>x<a></script></svg><style><a></style>",
      "svg\nscript\na\n/script\n/svg\nstyle\n/style" },
    { "<svg/><title>a</title>", "svg\ntitle\ntitle \"a\"\ntitle ends\n/title" },
    { "<math><title/></math><b>", "math\ntitle\n/math\nb" },
    { "<svg><![CDATA[<a>]]></svg><b>", "svg\n/svg\nb" },
    { "<svg><![CDATA[a]]]><b>", "svg\nb" },
    { "<svg><foreignObject><style><a></style></foreignObject><style/><a></svg><b>",
      "svg\nforeignobject\nstyle\n/style\n/foreignobject\nstyle\na\n/svg\nb" },
    { "<svg><p><title>a</title>", "svg\np\ntitle\ntitle \"a\"\ntitle ends\n/title" },
    { "<svg><svg></svg><title/></svg><b>", "svg\nsvg\n/svg\ntitle\n/svg\nb" },
    { "<svg><path d='x'/>", "svg\npath d=x" },
    { "&amp;&lt;&gt;&quot;&apos;&nbsp;&hellip;", "text \"&<>\\x22'\302\240\342\200\246\"" },
    { "&ampx &amp=x &copyx &notx", "text \"&x&=x \302\251x \"" },
    { "&#65;&#x41;&#X41;&#65x", "text \"AAAAx\"" },
    { "&#00000000000000000039;&#146;&#x92;&#0;", "text \"'\342\200\231\342\200\231\357\277\275\"" },
    { "&#;&#x;&#xg;&;& ", "text \"&#;&#x;&#xg;&;& \"" },
    { "<a b='&ampx' c='&amp=' d='&amp' e=&amp>", "a b=&ampx c=&amp= d=& e=&" },
    { "<a b=&lt;&#146;&euro;&bull>", "a b=<\342\200\231\342\202\254&bull" },
    { "&hellip &hellipx", "text \"&hellip\"" },
    { "&thisisaverylongname;", "text \"&thisisaverylongname;\"" },
    { "&#xD800;&#x110000;&#99999999999999999999;", "text \"\357\277\275\357\277\275\357\277\275\"" },
    { "&lsquo;a&rsquo;&ldquo;b&rdquo;&ndash;&mdash;&trade;&reg;&times;&middot;&laquo;&raquo;",
      "text \"\342\200\230a\342\200\231\342\200\234b\342\200\235"
      "\342\200\223\342\200\224\342\204\242\302\256\303\227\302\267\302\253\302\273\"" },
};

TEST(tokenizer)
{
    char lines[500];
    for (size_t i = 0; i < ROWS(tokenized); i++) {
        snprintf(lines, sizeof lines, "%s%s= 0\n", tokenized[i].wanted, tokenized[i].wanted[0] ? "\n" : "");
        if (!FEED_TEXT(&tokens_parser, tokenized[i].page, lines))
            check_quote("page  ", tokenized[i].page, strlen(tokenized[i].page));
    }
    CHECK(ROWS(tokenized) >= 60);
}

/* The references of HTML that pages of WordPress hold: the first fifteen stand without a semicolon, too. */
static const struct { const char *name; uint32_t code; } references[] = {
    {"amp", 0x26}, {"lt", 0x3C}, {"gt", 0x3E}, {"quot", 0x22}, {"nbsp", 0xA0}, {"laquo", 0xAB},
    {"raquo", 0xBB}, {"copy", 0xA9}, {"reg", 0xAE}, {"times", 0xD7}, {"middot", 0xB7}, {"AMP", 0x26},
    {"LT", 0x3C}, {"GT", 0x3E}, {"QUOT", 0x22}, {"apos", 0x27}, {"hellip", 0x2026}, {"ndash", 0x2013},
    {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201C}, {"rdquo", 0x201D},
    {"trade", 0x2122}, {"bull", 0x2022}, {"euro", 0x20AC}, {"sbquo", 0x201A}, {"bdquo", 0x201E},
    {"lsaquo", 0x2039}, {"rsaquo", 0x203A},
};

static void check_reference(const char *reference, uint32_t code)
{
    char page[20], wanted[40], c[5] = "";
    cgt_utf8_put(c, code);
    snprintf(page, sizeof page, "%s-", reference);
    snprintf(wanted, sizeof wanted, code == '"' ? "text \"\\x22-\"\n= 0\n" : "text \"%s-\"\n= 0\n", c);
    if (!FEED_TEXT(&tokens_parser, page, wanted)) puts(page);
}

TEST(character_references)
{
    static const uint32_t windows_1252[] = {        /* what &#128; to &#159; mean */
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152,
        0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122,
        0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178,
    };
    char reference[20] = "", wanted[40];
    for (size_t i = 0; i < ROWS(references); i++) {
        snprintf(reference, sizeof reference, "&%s;", references[i].name);
        check_reference(reference, references[i].code);
        reference[strlen(reference) - 1] = '\0';
        snprintf(wanted, sizeof wanted, "text \"%s-\"\n= 0\n", reference);
        if (i < 15) check_reference(reference, references[i].code);
        else {
            reference[strlen(reference)] = '-';
            CHECK(FEED_TEXT(&tokens_parser, reference, wanted));
        }
    }
    for (uint32_t i = 126; i < 162; i++) {
        snprintf(reference, sizeof reference, "&#%u;", (unsigned)i);
        if (i != 127) check_reference(reference, i > 127 && i < 160 ? windows_1252[i - 128] : i);
    }
    check_reference("&#x10FFFF;", 0x10FFFF);
    check_reference("&#x110000;", 0xFFFD);
    check_reference("&#xD7FF;", 0xD7FF);
    check_reference("&#xDFFF;", 0xFFFD);
    check_reference("&#xE000;", 0xE000);
}

/* ---- pages that are none ---- */

#define BODY "<!DOCTYPE html><html><head><meta name=viewport content=x><title>"
#define BLOCKED "it is a challenge page"
#define LOGIN "it is a login page"

static const struct { const char *page, *words; chatgptt_code code; } verdicts[] = {
    { BODY "A shop</title></head><body><h1>Welcome</h1><script>x()</script>", NULL, CHATGPTT_OK },
    { BODY "A shop</title></head><body><h1>Welcome</h1><p>We use cookies now and then</p>",
      "it is a consent", CHATGPTT_E_PAGE },
    { BODY "Just a moment...</title></head><body><script src=/cdn-cgi/x></script>",
      BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "x</title></head><body><script>window._cf_chl_opt={cvId:'3'};</script>",
      BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "</title><script src='/_Incapsula_Resource?x=1'></script>", BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "You are being redirected...</title><script>sucuri_cloudproxy_js=''</script>",
      BLOCKED, CHATGPTT_E_BLOCKED },
    { "<html><body><script>document.cookie=\"__test=\"+1</script></body>", BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "Site</title><h1>Checking your browser</h1> before", BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "Site</title><p>Verify you are human</p>", BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "Site</title><p>Please solve the CAPTCHA</p>", BLOCKED, CHATGPTT_E_BLOCKED },
    { BODY "Cookie consent</title><p>x</p>", "it is a consent page", CHATGPTT_E_PAGE },
    { BODY "Site</title><p>Please sign in</p>", LOGIN, CHATGPTT_E_PAGE },
    { "<script>location='/x'</script>", "the page holds a script only", CHATGPTT_E_PAGE },
    { BODY "App</title></head><body><div id=root></div><script src=a.js></script>",
      "the page holds a script only",
      CHATGPTT_E_PAGE },
    { BODY "App</title><noscript>You need to enable JavaScript</noscript><script src=a.js></script>",
      "the page holds a script only", CHATGPTT_E_PAGE },
    { BODY "Anmelden</title><form name=\"loginform\" action=x><p>Passwort</p>", LOGIN, CHATGPTT_E_PAGE },
    { BODY "x</title><p>Konto</p><input type=password name='pwd'>", LOGIN, CHATGPTT_E_PAGE },
    { BODY "x</title><p>Protected</p><input name=post_password>",
      "the page asks for a password", CHATGPTT_E_PAGE },
    { BODY "Before you continue</title><p>Accept?", "it is a consent page", CHATGPTT_E_PAGE },
    { BODY "Site</title><h2>We value your privacy</h2>", "it is a consent page", CHATGPTT_E_PAGE },
    { BODY "Maintenance mode</title><h1>We'll", "the site is under maintenance", CHATGPTT_E_PAGE },
    { BODY "Site</title><h1>We'll be <b>back soon</b></h1>",
      "the site is under maintenance", CHATGPTT_E_PAGE },
    { BODY "Site</title><h1>We will be back soon</h1>", "the site is under maintenance", CHATGPTT_E_PAGE },
    { BODY "x.test</title><h1>This domain is for sale!</h1>", "the domain is parked", CHATGPTT_E_PAGE },
    { BODY "x.test - Parked Domain</title><p>ads", "the domain is parked", CHATGPTT_E_PAGE },
    { BODY "x</title><p>Hi<script src='/wp-content/plugins/gpt3-ai-content-generator/a.js'></script>",
      "the plugin is there",
      CHATGPTT_E_PAGE },
    { BODY "x</title><p>Hi" PARAMS("/a"), "the plugin is there", CHATGPTT_E_PAGE },
    { BODY "x</title><p>Hi<script>window.aipkit_getChatNonceAction = 'x'</script>",
      "the plugin is there", CHATGPTT_E_PAGE },
    { BODY "x</title><p>Hi<script>e.className='aipkit_chat_container'</script>",
      "a script builds the chat later",
      CHATGPTT_E_PAGE },
};

static int verdict_end(void *state, feed_log *log)
{
    reader *r = (reader *)state;
    chatgptt_code code = CHATGPTT_OK;
    CHECK(!cgt_page_end(&r->page));
    const char *said_so = cgt_page_verdict(&r->page, &code);
    feed_log_event(log, "%.*s", said_so ? (int)strcspn(said_so, ":,") : 4, said_so ? said_so : "NULL");
    return said_so ? code : 0;
}

TEST(verdicts)
{
    static const feed_parser verdict_parser = { reader_feed, reader_reset, verdict_end, &now };
    for (size_t i = 0; i < ROWS(verdicts); i++) {
        feed_log log;
        memset(&log, 0, sizeof log);
        feed_run(&verdict_parser, verdicts[i].page, strlen(verdicts[i].page), 0, 0, 1, &log);
        const char *wanted = verdicts[i].words ? verdicts[i].words : "NULL";
        char end[20];
        snprintf(end, sizeof end, "= %d\n", verdicts[i].code);
        if (!CHECK(strncmp(log.text, wanted, strlen(wanted)) == 0) || !CHECK_STR(strrchr(log.text, '='), end))
            check_fail(__FILE__, __LINE__, "%s: %s", verdicts[i].page, log.text);
        CHECK(FEED_TEXT(&verdict_parser, verdicts[i].page, log.text));
        free(log.text);
    }
    chatgptt_code code;
    reader_reset(&now);
    cgt_page_at(&now.page, cgt_text("/wp-login.php?redirect_to=x"));
    CHECK(!cgt_page_end(&now.page));
    CHECK(strstr(cgt_page_verdict(&now.page, &code), LOGIN) && code == CHATGPTT_E_PAGE);
}

/* A mark counts from the first byte on, and to the last. */
TEST(marks_at_the_edges)
{
    CHECK_INT(cgt_page_look(cgt_text("__test="), '_'), CGT_MARK_CHALLENGE);
    CHECK_INT(cgt_page_look(cgt_text("x__test=x"), '_'), CGT_MARK_CHALLENGE);
    CHECK_INT(cgt_page_look(cgt_text("__test"), '_'), 0);
}

/* A pattern that cannot be used is told, and finds no chat. */
TEST(unusable_pattern)
{
    cgt_page *p = &now.page;
    CHECK(!cgt_page_init(p, NULL, CHATGPTT_AUTO, "a(", NULL));
    cgt_page_feed(p, REAL, strlen(REAL));
    CHECK(!cgt_page_end(p));
    CHECK(!p->finds[CGT_FIND_NONCE].match.found && !p->finds[CGT_FIND_NONCE].text[0]);     /* it never ran */
    CHECK(cgt_page_init(p, NULL, CHATGPTT_AUTO, NULL, NULL));
    cgt_page_feed(p, REAL, strlen(REAL));
    CHECK(cgt_page_end(p));
}

/* ---- through the whole client ---- */

typedef struct visit {                  /* one message to a site with this page */
    const char *bot_id, *nonce_pattern, *post_id_pattern, *status, *page;
    chatgptt_code code;
    const char *message, *fields[4];    /* of the error; name=value of what was posted */
    const char *path;
} visit;

#define MISSED "neither data-nonce and data-post-id nor data-config"

static const visit visits[] = {
    { NULL,
      NULL,
      NULL,
      "200 OK",
      "<title>Our\n shop</title><p>hi",
      CHATGPTT_E_PAGE,
      "Required authentication tokens not found in page HTML (site.test, status 200, title \"Our "
      "shop\"): " MISSED,
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "200 OK",
      "<title>\xE2\x82\xAC caf\xE9</title>",
      CHATGPTT_E_PAGE,
      "Required authentication tokens not found in page HTML (site.test, status 200, title \"\xE2\x82\xAC "
      "caf?\"): " MISSED,
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "200 OK",
      "<div data-nonce=" N ">",
      CHATGPTT_E_PAGE,
      "Required authentication tokens not found in page HTML (site.test, status 200, title \"\"): " MISSED,
      { NULL },
      NULL },
    { NULL,
      "n=([a-z]+);",
      NULL,
      "200 OK",
      "<title>x</title>" REAL,
      CHATGPTT_E_PAGE,
      "Required authentication tokens not found in page HTML (site.test, status 200, title \"x\"): " MISSED,
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "200 OK",
      "<title>Just a moment...</title><script>_cf_chl_opt</script>",
      CHATGPTT_E_BLOCKED,
      "title \"Just a moment...\"): it is a challenge page",
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "404 Not Found",
      "<title>Page not found</title>" REAL,
      CHATGPTT_E_STATUS,
      "404",
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "500 Oops",
      "<title>Page not found</title>" REAL,
      CHATGPTT_E_STATUS,
      "Page not found",
      { NULL },
      NULL },
    { NULL,
      NULL,
      NULL,
      "200 OK",
      REAL PARAMS("http:\\/\\/site.test\\/own\\/ajax.php?x=1"),
      CHATGPTT_DONE,
      "",
      { "_wpnonce=" N, "post_id=5", "bot_id=0", "action=wpaicg_chat_shortcode_message" },
      "POST /own/ajax.php?x=1 " },
    { "8",
      NULL,
      NULL,
      "200 OK",
      THREE,
      CHATGPTT_DONE,
      "",
      { "_wpnonce=b", "post_id=6", "bot_id=8", "chatbot_identity=custom_bot_8" },
      "POST /wp-admin/admin-ajax.php " },
    { NULL,
      NULL,
      NULL,
      "200 OK",
      "<div data-type=widget data-nonce=" N " data-post-id='<5'>",
      CHATGPTT_DONE,
      "",
      { "_wpnonce=" N, "post_id=5", "chatbot_identity=widget", "action=wpaicg_chatbox_message" },
      "POST /wp-admin/admin-ajax.php " },
    { NULL,
      "n=([a-z]+);",
      "p=([0-9]+);",
      "200 OK",
      REAL "n=own;p=77;",
      CHATGPTT_DONE,
      "",
      { "_wpnonce=own", "post_id=77", "bot_id=0", "message=hi" },
      "POST /wp-admin/admin-ajax.php " },
};

static void check_visit(const visit *v, script *s)
{
    chatgptt_options options = script_options(s);
    chatgptt_request request;
    char text[1000];
    options.bot_id = v->bot_id;
    options.nonce_pattern = v->nonce_pattern;
    options.post_id_pattern = v->post_id_pattern;
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    chatgptt_client *client = chatgptt_open(&options, NULL);
    if (!CHECK(client != NULL)) return;
    CHECK_INT(chatgptt_chat(client, &request, NULL, NULL), v->code);
    const chatgptt_error *error = chatgptt_client_error(client);
    if (!strstr(error->message, v->message) ||
        (v->code == CHATGPTT_E_PAGE && strcmp(error->message, v->message) != 0))
        CHECK_STR(error->message, v->message);
    CHECK_INT(error->http_status, v->code < 0 ? (int)strtol(v->status, NULL, 10) : 0);
    CHECK_INT(s->opened, v->path ? 2 : 1);
    for (size_t i = 0; v->path && i < 4; i++) {
        size_t name = strcspn(v->fields[i], "=");
        char field[100];
        snprintf(field, sizeof field, "%.*s", (int)name, v->fields[i]);
        CHECK_STR(script_field(s, 1, 0, field, text, sizeof text), v->fields[i] + name + 1);
    }
    if (v->path && CHECK(script_head(s, 1, 0, text, sizeof text) != NULL))
        CHECK_MEM(text, strlen(v->path), v->path, strlen(v->path));
    chatgptt_close(client);
}

TEST(visits)
{
    static script s;
    for (size_t i = 0; i < ROWS(visits); i++) {
        char response[2000];
        snprintf(response, sizeof response,
                 "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", visits[i].status,
                 strlen(visits[i].page), visits[i].page);
        script_init(&s);
        script_connection(&s);
        script_request(&s);
        script_say(&s, response);
        if (visits[i].path) {
            script_connection(&s);
            script_request(&s);
            script_say(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
                           "application/json\r\n\r\n{\"status\":\"success\",\"data\":\"ok\"}");
            script_end(&s);
        }
        check_visit(&visits[i], &s);
        script_rewind(&s);
        s.read_max = 1;
        check_visit(&visits[i], &s);
        script_rewind(&s);
        s.read_max = 0;
        for (s.cut = strlen(response) - strlen(visits[i].page); s.cut < strlen(response); s.cut++) {
            check_visit(&visits[i], &s);
            script_rewind(&s);
        }
        script_finish(&s);
    }
}

int main(void)
{
    RUN(attributes);
    RUN(decoys);
    RUN(as_the_model);
    RUN(endpoints);
    RUN(configs);
    RUN(every_pair_of_cuts);
    RUN(chosen);
    RUN(patterns);
    RUN(long_tokens);
    RUN(long_endpoints);
    RUN(words);
    RUN(challenges);
    RUN(tokenizer);
    RUN(character_references);
    RUN(verdicts);
    RUN(marks_at_the_edges);
    RUN(unusable_pattern);
    RUN(visits);
    return check_report("page");
}
