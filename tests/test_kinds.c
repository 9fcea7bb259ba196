/* What real sites, proxies and environments do, kind by kind, as a user meets it: each row is served by a
   site of its own to the tool, $BUILD/chatgptt, and stands in the fuzz corpora too.

       test_kinds [TABLE]      runs the rows
       test_kinds corpus       writes the files of the corpora anew

   What a row serves holds the bytes of SCRIPT below: they stand for what no literal can hold. */
#define _XOPEN_SOURCE 700 /* terminals */
#include "kinds.h"
#include "site.h"

static char tool[300];

/* ==== pages: where the chat is, and what only looks like one ==== */

#define DECOY CHAT_OF("decoydecoy", "")
#define NEWER_DECOY CONFIG("&quot;botId&quot;:7,&quot;nonce&quot;:&quot;decoydecoy&quot;")

static const kind_row decoys[] = {
    FOUND("comment", "<!-- " DECOY " -->" CHAT),
    FOUND("comment-ended-by-a-mark", "<!-- " DECOY " --!>" CHAT "<!-- --!>" DECOY),
    FOUND("comment-at-once", "<!-->" CHAT "-->" DECOY),
    FOUND("comment-at-once-by-a-dash", "<!--->" CHAT "-->" DECOY),
    FOUND("comment-within-a-comment", "<!-- <!-- " DECOY " -->" CHAT " -->"),
    FOUND("comment-with-a-blank-in-its-end", "<!-- -- >" DECOY "-->" CHAT),
    FOUND("conditional-comment", "<!--[if lt IE 9]>" DECOY "<![endif]-->" CHAT),
    FOUND("declaration", "<!DOCTYPE html data-nonce=\"decoydecoy\" data-post-id=\"5\">" CHAT),
    FOUND("instruction", "<?x data-nonce=\"decoydecoy\" data-post-id=\"5\" ?>" CHAT),
    FOUND("end-tag", "</div data-nonce=\"decoydecoy\" data-post-id=\"5\">" CHAT),
    FOUND("end-tag-of-nothing", "</ div data-nonce=\"decoydecoy\" data-post-id=\"5\">" CHAT),
    FOUND("cdata-in-a-page", "<![CDATA[ data-nonce=\"decoydecoy\" data-post-id=\"5\">" CHAT),
    FOUND("cdata-in-a-drawing", "<svg><![CDATA[" DECOY "]]></svg>" CHAT),
    FOUND("cdata-in-a-formula", "<math><mi/><![CDATA[ ]] > " DECOY "]]]></math>" CHAT),
    FOUND("attribute", "<a title='" DECOY "' href=x>" CHAT),
    FOUND("attribute-of-a-longer-name",
          "<i data-nonces=\"decoydecoy\" data-post-id=\"5\" x-data-nonce=\"a\">" CHAT),
    FOUND("script", "<script>var x = '" DECOY "';</script>" CHAT),
    FOUND("script-of-json", "<script type=\"application/json\">" DECOY "</script>" CHAT),
    FOUND("script-with-a-longer-end", "<script></scripts>" DECOY "</script >" CHAT),
    FOUND("script-escaped", "<script><!-- " DECOY "</script>" CHAT),
    FOUND("script-double-escaped", "<script><!--<script>" DECOY "</script>" DECOY "--></script>" CHAT),
    FOUND("script-double-escaped-in-capitals",
          "<SCRIPT><!--<ScRiPt >" DECOY "</sCript/>" DECOY "--></SCRIPT\t>" CHAT),
    FOUND("script-double-escaped-for-good", CHAT "<script><!--<script></script>" DECOY),
    FOUND("style", "<style>" DECOY "</style>" CHAT),
    FOUND("title", "<title>" DECOY "</title>" CHAT),
    FOUND("textarea", "<textarea>" DECOY "</textarea>" CHAT),
    FOUND("xmp", "<xmp>" DECOY "</xmp>" CHAT),
    FOUND("iframe", "<iframe src=x>" DECOY "</iframe>" CHAT),
    FOUND("noembed", "<noembed>" DECOY "</noembed>" CHAT),
    FOUND("noframes", "<noframes>" DECOY "</noframes>" CHAT),
    FOUND("noscript", "<noscript>" DECOY "</noscript>" CHAT),
    FOUND("template", "<template>" DECOY "</template>" CHAT),
    FOUND("template-in-a-template", "<template><template>" DECOY "</template>" DECOY "</template>" CHAT),
    FOUND("template-with-a-script", "<template><script></template></script>" DECOY "</template>" CHAT),
    FOUND("template-with-a-drawing", "<template><svg><g>" DECOY "</svg></template>" CHAT),
    { .name = "plaintext",
      .page = CHAT "<plaintext><div data-bot-id=8 " CHAT_IN("decoydecoy") "></plaintext>",
      .out = "hello",
      .with = { "--bot", "8" } },
    FOUND("newer-in-a-template", "<template>" NEWER_DECOY "</template>" NEWER_CHAT),
    FOUND("newer-in-a-comment", "<!--" NEWER_DECOY "--!>" NEWER_CHAT),
    FOUND("newer-in-a-script", "<script>\"" NEWER_DECOY "\"</script>" NEWER_CHAT),
    FOUND("newer-in-noframes", "<noframes>" NEWER_DECOY "</noframes>" NEWER_CHAT),

    /* a slash ends an element only inside a drawing or formula */
    FOUND("drawing-title", "<svg><title/><path d='M1'/></svg>" CHAT),
    FOUND("drawing-style", "<svg><style/><g></g></svg>" CHAT),
    FOUND("drawing-script", "<svg><script/></svg>" CHAT),
    FOUND("drawing-desc", "<svg><desc/><title /></svg>" CHAT),
    FOUND("drawing-textarea", "<svg><textarea/></svg>" CHAT),
    FOUND("drawing-itself", "<svg/><title></title>" CHAT),
    FOUND("formula-xmp", "<math><xmp/></math>" CHAT),
    FOUND("formula-annotation", "<math><annotation-xml><title/></annotation-xml></math>" CHAT),
    FOUND("drawing-left-open", "<svg><g><title/><div>" CHAT),
    FOUND("drawing-that-holds-html",
          "<svg><foreignObject><title/>" DECOY "</title></foreignObject></svg>" CHAT),
    FOUND("title-with-a-slash-in-the-page", "<title/>" DECOY "</title>" CHAT),
    FOUND("newer-behind-a-drawing", "<svg><defs><style>.a{}</style></defs><title/></svg>" NEWER_CHAT),

    /* of an attribute that is repeated the first counts */
    FOUND("repeated-first-is-empty", CHAT_OF("", " data-nonce=\"decoydecoy\"") CHAT),
    FOUND("repeated-first-has-no-value",
          "<div data-nonce data-nonce=\"decoydecoy\" data-post-id=\"5\">" CHAT),
    FOUND("repeated-first-is-too-long", CHAT_OF(REPEAT("x", "600"), " data-nonce=\"decoydecoy\"") CHAT),
    FOUND("repeated-first-is-good", CHAT_OF(NONCE, " data-nonce=\"decoydecoy\" DATA-NONCE='decoydecoy'")),
    FOUND("repeated-post-id", CHAT_OF(NONCE, " data-post-id=\"6\"")),
    FOUND("repeated-config", "<div data-config='' data-config='{&quot;botId&quot;:7,&quot;nonce&quot;:"
                             "&quot;decoydecoy&quot;}'></div>" NEWER_CHAT),

    /* an unrelated data-config */
    FOUND("config-before", "<div data-config='{\"a\":1}'></div>" NEWER_CHAT),
    FOUND("config-before-that-is-no-json", "<div data-config=\"slow; {\"></div>" NEWER_CHAT),
    FOUND("config-before-that-is-cut", "<div data-config='{\"nonce\":\"decoydecoy'></div>" NEWER_CHAT),
    FOUND("config-before-with-a-nonce", "<div data-config='{\"nonce\":\"decoydecoy\"}'></div>" NEWER_CHAT),
    FOUND("config-before-that-is-a-list",
          "<div data-config='[{\"botId\":7,\"nonce\":\"decoydecoy\"}]'></div>" NEWER_CHAT),
    FOUND("config-before-that-is-deep", "<div data-config='" REPEAT("[", "200") "'></div>" NEWER_CHAT),
    FOUND("config-before-older", "<div data-config='{\"nonce\":\"decoydecoy\"}'></div>" CHAT),
    FOUND("config-on-the-chat", CHAT_OF(NONCE, " data-config='{\"theme\":\"dark\"}'")),
    FOUND("config-on-the-chat-that-is-no-json", CHAT_OF(NONCE, " data-config=dark")),
    FOUND("config-on-the-chat-first",
          "<div data-config=\"{'a':1}\" data-nonce=\"" NONCE "\" data-post-id=\"5\">"),
    FOUND("config-with-unknown-keys",
          CONFIG("&quot;new&quot;:{&quot;nonce&quot;:1,&quot;botId&quot;:[2]},"
                 "&quot;botId&quot;:7,&quot;nonce&quot;:&quot;" NONCE "&quot;,&quot;text&quot;:null")),
};

static const kind_row references[] = {
    FOUND("reference", CHAT_OF("&#48;a1b2c3d4e", "")),
    FOUND("reference-in-hex", CHAT_OF("&#x30;a1b2c3d4e", "")),
    FOUND("reference-in-hex-in-capitals", CHAT_OF("&#X30;a1b2c3d4e", "")),
    FOUND("reference-of-many-zeros", CHAT_OF("&#00000000000000000048;a1b2c3d4e", "")),
    FOUND("reference-of-many-zeros-in-hex", CHAT_OF("&#x0000000000000000030;a1b2c3d4e", "")),
    FOUND("reference-without-its-end", CHAT_OF("&#48a1b2c3d4e", "")),
    FOUND("reference-in-a-configuration",
          CONFIG("&#34;botId&#34;:7,&#x22;nonce&#0034;:&QUOT;" NONCE "&quot")),
    FOUND("configuration-in-double-quotes",
          "<div data-config=\"{'&quot;botId&quot;:7}\"></div>"
          "<div data-config=\"{&quot;botId&quot;:7,&quot;nonce&quot;:&quot;" NONCE "&quot;}\">"),
    NOT_FOUND("windows-1252", "<title>It&#146;s &#145;a&#146; &#147;b&#148; &#150; &#151; &#133;</title>",
              "E_PAGE: *title \"It\u2019s \u2018a\u2019 \u201Cb\u201D \u2013 \u2014 \u2026\"*"),
    NOT_FOUND("windows-1252-others",
              "<title>&#128;&#130;&#131;&#132;&#134;&#135;&#136;&#137;&#138;&#139;&#140;&#142;"
              "</title>",
              "E_PAGE: *\"\u20AC\u201A\u0192\u201E\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u017D\"*"),
    NOT_FOUND("windows-1252-in-hex", "<title>&#x95;&#x98;&#x99;&#x9a;&#X9B;&#x9c;&#x9E;&#x9f;</title>",
              "E_PAGE: *\"\u2022\u02DC\u2122\u0161\u203A\u0153\u017E\u0178\"*"),
    NOT_FOUND("reference-to-nothing", "<title>a&#0;b&#xD800;c&#x110000;d&#99999999999999999999;e</title>",
              "E_PAGE: *\"a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\"*"),
    NOT_FOUND("named",
              "<title>&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;&nbsp;&hellip; &ndash;&mdash;</title>",
              "E_PAGE: *\"<a> & \"b\" 'c'\u00A0\u2026 \u2013\u2014\"*"),
    NOT_FOUND("named-quotes",
              "<title>&lsquo;&rsquo;&sbquo;&ldquo;&rdquo;&bdquo;&laquo;&raquo;&lsaquo;&rsaquo;</title>",
              "E_PAGE: *\"\u2018\u2019\u201A\u201C\u201D\u201E\u00AB\u00BB\u2039\u203A\"*"),
    NOT_FOUND("named-signs", "<title>&copy;&reg;&trade;&bull;&middot;&times;&euro;</title>",
              "E_PAGE: *\"\u00A9\u00AE\u2122\u2022\u00B7\u00D7\u20AC\"*"),
    NOT_FOUND("named-without-their-end", "<title>Q&amp A&ampamp; &copy 2026 &hellip &notaname; &;</title>",
              "E_PAGE: *\"Q& A&amp; \u00A9 2026 &hellip &notaname; &;\"*"),
    FOUND("named-in-a-link", "<a href='?x&copy=1&lt=2' title='&lt=' " CHAT_IN(NONCE) ">"),
};

/* ==== endpoints ==== */

#define SCRIPT_OF(endpoint) CHAT "<script>var wpaicgParams = {\"ajax_url\":\"" endpoint "\"};</script>"
#define NEWER_AT(endpoint) CONFIG("\"botId\":7,\"nonce\":\"" NONCE "\",\"ajaxUrl\":\"" endpoint "\"")
#define BY_PROXY(url) \
    { "--url", url, "--proxy", "http://127.0.0.1:" PORT }
#define AJAX "wp-admin/admin-ajax.php"

/* Where the message goes; by a proxy the whole address shows. */
#define SENT_TO(name_, page_, out_) \
    { .name = name_, .page = page_, .reply = TELL_TARGET, .out = out_ }
#define SENT_BY_PROXY(name_, url_, page_, out_) \
    { .name = name_, .page = page_, .reply = TELL_TARGET, .out = out_, .with = BY_PROXY(url_) }

static const kind_row endpoints[] = {
    SENT_TO("endpoint-usual", CHAT, "/" AJAX),
    SENT_TO("endpoint-escaped", SCRIPT_OF("\\/a\\/" AJAX), "/a/" AJAX),
    SENT_TO("endpoint-with-an-escaped-letter", SCRIPT_OF("/f\\u00fcr/" AJAX), "/f%C3%BCr/" AJAX),
    SENT_TO("endpoint-with-an-escaped-pair", SCRIPT_OF("/\\ud83d\\ude00/" AJAX), "/%F0%9F%98%80/" AJAX),
    SENT_TO("endpoint-with-half-a-pair", SCRIPT_OF("/\\ud83d/" AJAX), "/%EF%BF%BD/" AJAX),
    SENT_TO("endpoint-with-a-raw-letter", SCRIPT_OF("/f\u00fcr/" AJAX), "/f%C3%BCr/" AJAX),
    SENT_TO("endpoint-with-a-percent", SCRIPT_OF("/f%C3%BCr/%7e/" AJAX), "/f%C3%BCr/%7e/" AJAX),
    SENT_TO("endpoint-with-a-blank", SCRIPT_OF("/my site/" AJAX), "/my%20site/" AJAX),
    SENT_TO("endpoint-with-a-query", SCRIPT_OF("/" AJAX "?lang=de&a=%26"), "/" AJAX "?lang=de&a=%26"),
    SENT_TO("endpoint-in-single-quotes", CHAT "<script>wpaicgParams={ajax_url:'/a/" AJAX "'}</script>",
            "/a/" AJAX),
    SENT_TO("endpoint-behind-other-keys",
            CHAT "<script>var wpaicgParams = {\"x\":\"{\",\n \"ajax_url\" : \"/a/" AJAX "\"}</script>",
            "/a/" AJAX),
    SENT_TO("endpoint-without-scheme", SCRIPT_OF("//127.0.0.1:" PORT "/a/" AJAX), "/a/" AJAX),
    SENT_BY_PROXY("endpoint-host-in-letters", "http://xn--mller-kva.example/",
                  SCRIPT_OF("http://m\u00fcller.example/" AJAX), "http://xn--mller-kva.example/" AJAX),
    SENT_BY_PROXY("endpoint-host-escaped", "http://xn--mller-kva.example/",
                  SCRIPT_OF("http:\\/\\/m\\u00fcller.example\\/" AJAX), "http://xn--mller-kva.example/" AJAX),
    SENT_BY_PROXY("host-in-letters", "http://m\u00fcller.example/", NULL,
                  "http://xn--mller-kva.example/" AJAX),
    SENT_BY_PROXY("host-in-capital-letters", "http://M\u00dcLLER.example/", NULL,
                  "http://xn--mller-kva.example/" AJAX),
    SENT_BY_PROXY(
        "host-in-cyrillic",
        "http://\u043f\u0440\u0438\u043c\u0435\u0440.\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435/",
        NULL, "http://xn--e1afmkfd.xn--80akhbyknj4f/" AJAX),
    SENT_BY_PROXY("host-in-han", "http://\u4f8b\u5b50.\u6d4b\u8bd5/", NULL,
                  "http://xn--fsqu00a.xn--0zwm56d/" AJAX),
};

/* ==== pages that are none ==== */

#define FORBIDDEN HEAD("403 Forbidden", "text/html")
#define PAGE_403(name_, words, err_) NOT_FOUND(name_, FORBIDDEN words, err_)
#define BLOCKED "E_BLOCKED: *challenge*"

static const kind_row pages[] = {
    NOT_FOUND("cloudflare",
              "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\n\r\n<title>Just a moment...</title>",
              BLOCKED "status 403*"),
    NOT_FOUND("cloudflare-without-its-header",
              FORBIDDEN "<title>Just a moment...</title><script>window._cf_chl_opt={}", BLOCKED),
    NOT_FOUND(
        "cloudflare-503",
        HEAD("503 Service Temporarily Unavailable", "text/html") "<title>Just a moment...</title><p>Checking "
                                                                 "your browser before accessing example.org.",
        BLOCKED),
    NOT_FOUND("cloudflare-200", "<title>Just a moment...</title><script>window._cf_chl_opt={}</script>",
              BLOCKED),
    NOT_FOUND("cloudflare-200-in-another-language",
              "<title>Nur einen Moment\u2026</title><script>_cf_chl_opt={}</script>", BLOCKED),
    PAGE_403("cloudflare-1020",
             "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>", BLOCKED),
    NOT_FOUND(
        "cloudflare-1015",
        HEAD("429 Too Many Requests", "text/html") "<title>Access denied | x</title>"
                                                   "<h1>Error 1015</h1><p>You are being rate limited</p>",
        "E_RATE_LIMITED: *Error 1015*"),
    NOT_FOUND("cloudflare-521", HEAD("521 <none>", "text/html") "<title>x | 521: Web server is down</title>",
              "E_STATUS: *521*Web server is down*"),
    PAGE_403("sucuri",
             "<title>Sucuri WebSite Firewall - Access Denied</title><h2>Access Denied - Sucuri Website "
             "Firewall</h2>",
             BLOCKED),
    NOT_FOUND("sucuri-200",
              "<html><title>You are being redirected...</title><noscript>Javascript is required.</noscript>"
              "<script>var "
              "s={},u,c,U,r,i,l=0,a,e=eval,w=String.fromCharCode,sucuri_cloudproxy_js='',S='cz0i';</script>",
              BLOCKED),
    NOT_FOUND(
        "imperva-200",
        "<html><head><META NAME=\"ROBOTS\" CONTENT=\"NOINDEX, NOFOLLOW\"></head><body>"
        "<iframe src=\"/_Incapsula_Resource?SWUDNSAI=31&edet=12\" height=\"100%\">Request unsuccessful. "
        "Incapsula incident ID: 877000510-8</iframe>",
        BLOCKED),
    PAGE_403("imperva-403",
             "<html><body><iframe src=\"/_Incapsula_Resource?a\">Request unsuccessful. Incapsula incident "
             "ID: 877000510-8</iframe>",
             BLOCKED),
    PAGE_403("ddos-guard",
             "<title>DDoS-Guard</title><h1 id=\"title\">Checking your browser before accessing</h1>",
             BLOCKED),
    NOT_FOUND("aws-waf-202",
              "HTTP/1.1 202 Accepted\r\nx-amzn-waf-action: challenge\r\nContent-Type: text/html\r\n\r\n"
              "<script src=\"https://x.token.awswaf.com/challenge.js\"></script>",
              BLOCKED),
    NOT_FOUND("aws-waf-405",
              "HTTP/1.1 405 Method Not Allowed\r\nx-amzn-waf-action: captcha\r\nContent-Type: text/html"
              "\r\n\r\n<title>Human Verification</title>",
              BLOCKED),
    NOT_FOUND("siteground-202",
              "HTTP/1.1 202 Accepted\r\nSG-Captcha: challenge\r\n\r\n<html><head><meta http-equiv="
              "\"refresh\" content=\"0;/.well-known/sgcaptcha/?r=%2F\"></meta></head></html>",
              BLOCKED "status 202*"),
    NOT_FOUND("siteground-200",
              "<title>Robot Challenge Screen</title><script>const sgchallenge=\"20:1\";</script>", BLOCKED),
    NOT_FOUND("wordfence-503",
              HEAD("503 Service Unavailable",
                   "text/html") "<title>Your access to this site has been "
                                "limited</title><h1>Your access to this site has been limited by the site "
                                "owner</h1><p>Generated by Wordfence",
              BLOCKED),
    PAGE_403("wordfence-403",
             "<title>403 Forbidden</title><p>A potentially unsafe operation has been detected in your "
             "request to this site<p>Generated by Wordfence at Mon",
             BLOCKED),
    NOT_FOUND("modsecurity-406",
              HEAD("406 Not Acceptable", "text/html") "<title>Not Acceptable!</title><h1>Not Acceptable!</h1>"
                                                      "<p>This error was generated by Mod_Security.</p>",
              BLOCKED),
    NOT_FOUND("press-and-hold-200",
              "<title>Access to this page has been denied</title><p>Press &amp; Hold to confirm you are "
              "a human",
              BLOCKED),
    NOT_FOUND("proof-of-work-200", "<title>Making sure you&#39;re not a bot!</title><p>Loading...", BLOCKED),
    NOT_FOUND("one-moment-200", "<title>One moment, please...</title><script>x()</script>", BLOCKED),
    NOT_FOUND("test-cookie-200", "<html><body><script>function f(){}document.cookie=\"__test=\"+x;</script>",
              BLOCKED),
    NOT_FOUND("recaptcha-200", "<title>Verify</title><h1>Verify you are human</h1>", BLOCKED),
    PAGE_403("akamai",
             "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \nYou "
             "don't have "
             "permission to access \"http&#58;&#47;&#47;x&#47;\" on this "
             "server.<P>\nReference&#32;&#35;18&#46;1\n",
             "E_STATUS: *(status 403): Access Denied"),
    PAGE_403("forbidden-apache",
             "<title>403 Forbidden</title><h1>Forbidden</h1><p>You don't have permission to access this "
             "resource.</p>",
             "E_STATUS: *(status 403): Forbidden: You don't have permission*"),
    PAGE_403("forbidden-nginx",
             "<title>403 Forbidden</title><center><h1>403 Forbidden</h1></center><hr><center>nginx",
             "E_STATUS: *(status 403): 403 Forbidden"),

    NOT_FOUND("script-only",
              "<html><head><script src=a.js></script></head><body><script>go()</script></body>",
              "E_PAGE: *holds a script only*"),
    NOT_FOUND("script-only-with-a-hint", "<body><div id=app></div><script src=a.js></script>",
              "E_PAGE: *holds a script only*"),
    NOT_FOUND("consent", "<title>Before you continue</title><p>Before you continue to x we use cookies",
              "E_PAGE: *consent*"),
    NOT_FOUND("consent-of-a-wall", "<title>News</title><h1>We value your privacy</h1><button>Accept all",
              "E_PAGE: *consent*"),
    NOT_FOUND("login-by-a-redirect", "HTTP/1.1 302 Found\r\nLocation: /wp-login.php?redirect_to=x\r\n\r\n",
              "E_PAGE: *login page*"),
    NOT_FOUND(
        "login-form",
        "<title>Log In &lsaquo; Site &#8212; WordPress</title><form name=\"loginform\" id=\"loginform\">"
        "<input name=log><input type=password name=\"pwd\">",
        "E_PAGE: *login page*"),
    NOT_FOUND("login-in-words", "<title>Members</title><p>Please log in to continue.",
              "E_PAGE: *login page*"),
    NOT_FOUND("login-of-members", "<title>Members only</title><p>You must be logged in to view this.",
              "E_PAGE: *login page*"),
    NOT_FOUND("login-in-a-word", "<title>Chat</title><p>Please login to chat", "E_PAGE: *login page*"),
    NOT_FOUND("login-401", HEAD("401 Unauthorized", "text/html") "<title>401 Authorization Required</title>",
              "E_STATUS: *401 Authorization Required*"),
    NOT_FOUND("password",
              "<title>Protected: Chat</title><form action='/wp-login.php?action=postpass' method='post'>"
              "<input name=\"post_password\" type=password>",
              "E_PAGE: *asks for a password*"),
    NOT_FOUND("maintenance",
              "<title>Maintenance</title><h1>Briefly unavailable for scheduled maintenance. Check back in a "
              "minute.</h1>",
              "E_PAGE: *maintenance*"),
    NOT_FOUND(
        "maintenance-503",
        HEAD("503 Service Unavailable", "text/html") "<title>Maintenance</title>Briefly unavailable "
                                                     "for scheduled maintenance. Check back in a minute.",
        "E_STATUS: *(status 503): Briefly unavailable*"),
    NOT_FOUND("coming-soon", "<title>Coming Soon</title><h1>Something great", "E_PAGE: *maintenance*"),
    NOT_FOUND("right-back", "<title>Shop</title><h1>We&rsquo;ll be right back!</h1>",
              "E_PAGE: *maintenance*"),
    NOT_FOUND("parked", "<title>example.org is parked</title><p>This domain is for sale!",
              "E_PAGE: *parked*"),
    NOT_FOUND("parked-by-a-host",
              "<title>example.org - Domain Parked</title><p>This domain is parked free, courtesy of x",
              "E_PAGE: *parked*"),
    NOT_FOUND("parked-for-sale", "<title>example.org</title><h1>Buy this domain</h1>", "E_PAGE: *parked*"),
    NOT_FOUND("parked-and-named", "<title>x</title><p>The domain example.com may be for sale.",
              "E_PAGE: *parked*"),
    NOT_FOUND("parked-at-a-broker", "<title>Broker</title><h1>example.com is for sale</h1>",
              "E_PAGE: *parked*"),
    NOT_FOUND("no-plugin", "<title>My blog</title><p>Welcome", "E_PAGE: *title \"My blog\"*"),
    NOT_FOUND("plugin-without-a-chat",
              "<title>My blog</title><link href='/wp-content/plugins/gpt3-ai-content-generator/a.css'>",
              "E_PAGE: *plugin is there*"),
    NOT_FOUND("an-empty-page", "HTTP/1.1 200 OK\r\n\r\n", "E_PAGE: *"),
    NOT_FOUND("not-found", HEAD("404 Not Found", "text/html") "<title>Page not found &#8211; Site</title>",
              "E_STATUS: *(status 404): Page not found \u2013 Site"),
    NOT_FOUND(
        "database",
        HEAD("500 Internal Server Error", "text/html") "<title>Database Error</title><h1>Error establishing "
                                                       "a database connection</h1>",
        "E_STATUS: *(status 500): Error establishing a database connection"),
    FOUND("page-203", HEAD("203 Non-Authoritative Information", "text/html") CHAT),
    FOUND("page-with-a-captcha-of-its-own",
          "<script src=/recaptcha/api.js></script><title>Captcha</title>" CHAT),
};

/* ==== responses ==== */

#define HEADER(name_, line) FOUND(name_, OK line "\r\n" CHAT)
#define BAD_HEADER(name_, line, err_) NOT_FOUND(name_, OK line "\r\n" CHAT, err_)
#define CHUNKED OK "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKS(size, more) CHUNKED size "\r\n" HELLO "\r\n0" more "\r\n\r\n"
/* of HELLO */
#define SIZE "4C"
#define MOVED(to) "HTTP/1.1 302 Found\r\nLocation: " to "\r\n\r\n"

static const kind_row heads[] = {
    HEADER("header-with-a-blank-in-its-name", "Referrer Policy: same-origin\r\n"),
    HEADER("header-with-a-blank-behind-its-name", "X-Powered-By : PHP\r\n"),
    HEADER("header-without-a-name", ": x\r\n"),
    HEADER("header-without-a-colon", "PHP Warning  session_start\r\n"),
    HEADER("header-of-a-warning",
           "<br />\r\n<b>Warning</b>:  session_start(): x in <b>/a.php</b> on line <b>3</b><br />\r\n"),
    HEADER("header-of-blanks", "X-A: a\r\n \t \r\n"),
    HEADER("header-of-8-bit-bytes", "X-\xC3\xA9: \xE9\xFF\r\nSet-Cookie: n=\xE9; path=/\r\n"),
    HEADER("header-with-a-control", "X-A: a" CONTROL "b\r\n"),
    HEADER("header-with-a-control-that-is-looked-at",
           "Content-Type: text" CONTROL "/html\r\nSet-Cookie: a=b" CONTROL "\r\n"),
    HEADER("header-with-a-nul", "X-A: a" NUL "b\r\nX" NUL "Y: c\r\n"),
    HEADER("header-in-folds", "X-A: a\r\n b\r\n\tc\r\nContent-Type:\r\n text/html\r\n"),
    HEADER("header-fold-first", " X-A: a\r\n"),
    HEADER("header-of-kilobytes", "Link: " REPEAT("<https://cdn.example/a.js>, ", "1100") "\r\n"),
    HEADER("header-name-of-a-kilobyte", REPEAT("N", "1000") ": a\r\n"),
    HEADER("header-in-capitals", "CONTENT-TYPE: TEXT/HTML\r\nCONNECTION: CLOSE\r\n"),
    HEADER("header-with-a-blank-in-a-known-name", "Content Length: 3\r\nTransfer Encoding: chunked\r\n"),
    BAD_HEADER("header-damaged-length", "Content-Length : 3\r\n", "E_HTTP: *"),
    BAD_HEADER("header-damaged-length-by-a-nul", "Content-Length" NUL ": 3\r\n", "E_HTTP: *"),
    BAD_HEADER("header-damaged-coding", "Transfer-Encoding : chunked\r\n", "E_HTTP: *"),
    BAD_HEADER("header-length-with-a-control", "Content-Length: 3" CONTROL "\r\n", "E_HTTP: *"),
    BAD_HEADER("header-coding-with-a-control", "Transfer-Encoding: chunked" CONTROL "\r\n", "E_HTTP: *"),
    BAD_HEADER("header-ended-by-lf", "X-A: a\nX-B: b\r\n", "E_HTTP: *"),
    NOT_FOUND("header-location-with-a-control", MOVED("/a" CONTROL "b"), "E_HTTP: *"),
    NOT_FOUND("header-location-with-a-damaged-name", "HTTP/1.1 302 Found\r\nLocation : /chat/\r\n\r\n",
              "E_HTTP: *"),
    BAD_HEADER("length-negative", "Content-Length: -1\r\n", "E_HTTP: *"),
    BAD_HEADER("lengths-that-differ", "Content-Length: 3\r\nContent-Length: 4\r\n", "E_HTTP: *"),
    FOUND("status-without-a-reason", "HTTP/1.1 200\r\n\r\n" CHAT),
    FOUND("status-of-http-1.0", "HTTP/1.0 200 OK\r\n\r\n" CHAT),
    FOUND("status-behind-early-hints",
          "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nBad Name: x\r\n\r\n" OK "\r\n" CHAT),
    NOT_FOUND("status-of-http-2", "HTTP/2 200\r\n\r\n" CHAT, "E_HTTP: *"),
    NOT_FOUND("status-of-ssh", "HTTP/0.9 SSH-2.0-x\r\n", "E_HTTP: *"),

    HEADER("encoding-none", "Content-Encoding: none\r\n"),
    HEADER("encoding-identity", "Content-Encoding: identity\r\n"),
    HEADER("encoding-utf-8", "Content-Encoding: UTF-8\r\n"),
    HEADER("encoding-empty", "Content-Encoding:\r\n"),
    HEADER("encoding-that-nobody-knows", "Content-Encoding: x-none, binary\r\n"),
    BAD_HEADER("encoding-gzip", "Content-Encoding: gzip\r\n", "E_UNSUPPORTED: *compressed*"),
    BAD_HEADER("encoding-gzip-in-a-list", "Content-Encoding: none, GZIP\r\n", "E_UNSUPPORTED: *"),
    BAD_HEADER("encoding-br", "Content-Encoding: br\r\n", "E_UNSUPPORTED: *compressed*"),
    BAD_HEADER("encoding-zstd", "Content-Encoding: zstd\r\n", "E_UNSUPPORTED: *compressed*"),
    BAD_HEADER("encoding-deflate", "Content-Encoding: deflate\r\n", "E_UNSUPPORTED: *"),
    BAD_HEADER("encoding-of-the-transfer", "Transfer-Encoding: gzip\r\n", "E_UNSUPPORTED: *"),

    ANSWER("chunk", CHUNKS(SIZE, ""), "hello"),
    ANSWER("chunk-blank-behind-its-size", CHUNKS(SIZE " ", "  "), "hello"),
    ANSWER("chunk-tab-behind-its-size", CHUNKS(SIZE "\t ", "\t"), "hello"),
    ANSWER("chunk-zeros-before-its-size", CHUNKS("000000" SIZE, "0000000"), "hello"),
    ANSWER("chunk-extension", CHUNKS(SIZE ";a=b;c=\"d;e\"", ";x"), "hello"),
    ANSWER("chunk-extension-behind-a-blank", CHUNKS(SIZE " ; a = b", " ;"), "hello"),
    ANSWER("chunk-extension-of-8-bit-bytes", CHUNKS(SIZE ";\xC3\xA9=\xFF", ""), "hello"),
    ANSWER("chunk-trailers", CHUNKED SIZE "\r\n" HELLO "\r\n0\r\nX-A: b\r\nBad Name: c\r\n\r\n", "hello"),
    REFUSAL("chunk-size-with-a-mark", CHUNKS("0x" SIZE, ""), "E_HTTP: *chunk*"),
    REFUSAL("chunk-size-negative", CHUNKS("-" SIZE, ""), "E_HTTP: *chunk*"),
    REFUSAL("chunk-size-missing", CHUNKS("", ""), "E_HTTP: *chunk*"),
    REFUSAL("chunk-size-too-big", CHUNKS("1000000000000004C", ""), "E_HTTP: *chunk*"),
    REFUSAL("chunk-extension-with-a-nul", CHUNKS(SIZE ";" NUL, ""), "E_HTTP: *chunk*"),
    ANSWER("chunked-twice",
           OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\nContent-Type: application/json\r\n"
              "\r\n" SIZE "\r\n" HELLO "\r\n0\r\n\r\n",
           "hello"),
    ANSWER("chunked-twice-in-a-line",
           OK "Transfer-Encoding: chunked, chunked\r\nContent-Type: application/json\r\n"
              "\r\n" SIZE "\r\n" HELLO "\r\n0\r\n\r\n",
           "hello"),
    ANSWER("chunked-behind-identity",
           OK "Transfer-Encoding: identity, chunked\r\nContent-Type: application/json\r\n"
              "\r\n" SIZE "\r\n" HELLO "\r\n0\r\n\r\n",
           "hello"),
    ANSWER("reply-203", HEAD("203 Non-Authoritative Information", "application/json") HELLO, "hello"),

    FOUND("location-of-three-slashes", MOVED("http:///127.0.0.1:" PORT "/chat/")),
    FOUND("location-of-four-slashes", MOVED("http:////127.0.0.1:" PORT "/chat/")),
    FOUND("location-without-scheme", MOVED("//127.0.0.1:" PORT "/chat/")),
    FOUND("location-of-backslashes", MOVED("http:\\\\127.0.0.1:" PORT "\\chat\\")),
    FOUND("location-of-three-slashes-without-scheme", MOVED("///127.0.0.1:" PORT "/chat/")),
    FOUND("location-with-blanks", MOVED(" \t/chat/?a b \t ")),
    FOUND("location-beyond-ascii", MOVED("/\xC3\xBC"
                                         "ber/")),
    FOUND("location-in-latin-1", MOVED("/\xFC"
                                       "ber/")),
    FOUND("location-relative", MOVED("chat/../chat/?x")),
    FOUND("location-twice", "HTTP/1.1 301 Moved\r\nLocation: /chat/\r\nLocation: /chat/\r\n\r\n"),
    FOUND("location-scheme-in-capitals", MOVED("HTTP://127.0.0.1:" PORT "/chat/")),
    NOT_FOUND("location-nowhere", MOVED("https://:443/"), "E_STATUS: *redirects: the host is missing"),
    NOT_FOUND("location-empty", MOVED(""), "E_*"),
    NOT_FOUND("location-missing", "HTTP/1.1 301 Moved\r\n\r\n", "E_STATUS: *redirects: nowhere*"),
    NOT_FOUND("location-octal", MOVED("http://010.0.0.1/"), "E_STATUS: *redirects to 010.0.0.1*"),
    NOT_FOUND("location-of-a-file", MOVED("file:///etc/passwd"), "E_*"),
};

/* ==== replies ==== */

#define EVENT(name, data) "event: " name "\ndata: " data "\n\n"
#define SAID(name_, members, err_) REFUSAL(name_, "{\"status\":\"error\"," members "}", err_)
#define CUT "E_INCOMPLETE: *broke off*"
#define PART(name_, reply_, out_, err_) \
    { .name = name_, .reply = reply_, .out = out_, .err = err_ }
#define NEWER_REFUSAL(name_, reply_, err_) \
    { .name = name_, .page = NEWER_CHAT, .reply = reply_, .out = "", .err = err_ }
#define NEWER_PART(name_, reply_, out_, err_) \
    { .name = name_, .page = NEWER_CHAT, .reply = reply_, .out = out_, .err = err_ }

static const kind_row events[] = {
    ANSWER("events", EVENTS DELTA("hello") FINISH DONE, "hello"),
    ANSWER("event-name-too-long", EVENTS EVENT(REPEAT("e", "70"), "{\"x\":1}") DELTA("hello") DONE, "hello"),
    ANSWER("event-name-of-kilobytes", EVENTS EVENT(REPEAT("e", "3000"), "x") DELTA("hello") DONE, "hello"),
    ANSWER("event-name-too-long-for-done",
           EVENTS DELTA("hello") EVENT("done" REPEAT(" ", "70"), "x") DELTA("!") DONE, "hello!"),
    ANSWER("event-id-too-long", EVENTS "id: " REPEAT("7", "70") "\n" DELTA("hello") DONE, "hello"),
    ANSWER("event-id-with-a-nul", EVENTS "id: a" NUL "b\n" DELTA("hello") DONE, "hello"),
    ANSWER("line-without-a-colon", EVENTS "hello there\n\n" DELTA("hello") "keep alive\n\n" DONE, "hello"),
    ANSWER("line-of-an-unknown-field", EVENTS "x-info: a\nfoo:\n\n" DELTA("hello") "bar: x\n" DONE, "hello"),
    ANSWER("line-with-a-blank-before-its-field", EVENTS " data: x\n\n" DELTA("hello") DONE, "hello"),
    ANSWER("line-of-a-log", EVENTS DELTA("hello") "[error] 12#0: x\n\n" DONE, "hello"),
    ANSWER("line-of-retry-and-comments",
           EVENTS "retry: 3000\n\n: ping\n\n:\n\n" DELTA("hello") EVENT("ping", "{}") DONE, "hello"),
    ANSWER("done-bare-behind-a-finish", EVENTS DELTA("hello") FINISH "[DONE]\n\n", "hello"),
    PART("done-bare-alone", EVENTS DELTA("hello") "[DONE]\n\n", "hello", CUT),
    ANSWER("done-with-blanks-behind", EVENTS DELTA("hello") "data: [DONE]  \n\n", "hello"),
    ANSWER("done-with-a-tab-behind", EVENTS DELTA("hello") "data:\t[DONE]\t\n\n", "hello"),
    ANSWER("done-without-a-blank", EVENTS DELTA("hello") "data:[DONE]\n\n", "hello"),
    ANSWER("done-with-crlf", EVENTS DELTA("hello") "data: [DONE]\r\n\r\n", "hello"),
    ANSWER("done-without-its-blank-line", EVENTS DELTA("hello") "data: [DONE]", "hello"),
    ANSWER("done-in-the-text", EVENTS DELTA("data: [DONE]") FINISH DONE, "data: [DONE]"),
    ANSWER("done-and-more", EVENTS DELTA("hello") DONE DELTA(" again"), "hello"),
    REFUSAL("nothing-but-words", EVENTS "Too many connections\n", "E_UPSTREAM: *Too many connections*"),
    REFUSAL("nothing-but-a-word-for-the-end", EVENTS "[DONE]\n\n", "E_UPSTREAM: *empty*"),
    REFUSAL("nothing-but-a-page", EVENTS "<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>",
            "E_UPSTREAM: *502 Bad Gateway*"),
    REFUSAL("nothing-but-an-error-of-json", EVENTS "{\"error\":{\"message\":\"No &quot;key&quot;\"}}\n",
            "E_UPSTREAM: *No \"key\"*"),
    REFUSAL("nothing-but-comments", EVENTS ": ping\n\n: ping\n\n", "E_UPSTREAM: *"),
    REFUSAL("nothing-at-all", EVENTS, "E_UPSTREAM: *empty*"),
    REFUSAL("nothing-but-an-end", EVENTS DONE, "E_UPSTREAM: *empty*"),

    ANSWER("finish-empty",
           EVENTS DELTA_AND("hel", ",\"finish_reason\":\"\"")
               PAUSE PAUSE PAUSE DELTA_AND("lo", ",\"finish_reason\":\"\"") DONE,
           "hello"),
    PART("finish-empty-and-cut", EVENTS DELTA_AND("hel", ",\"finish_reason\":\"\""), "hel", CUT),
    PART("finish-null-and-cut", EVENTS DELTA_AND("hel", ",\"finish_reason\":null"), "hel", CUT),
    PART("finish-null-in-letters-and-cut", EVENTS DELTA_AND("hel", ",\"finish_reason\":\"null\""), "hel",
         CUT),
    PART("finish-false-and-cut", EVENTS DELTA_AND("hel", ",\"finish_reason\":false"), "hel", CUT),
    ANSWER("finish-length",
           EVENTS DELTA("hello") "data: {\"id\":\"c\",\"choices\":[{\"finish_reason\":\"length\"}]}\n\n",
           "hello"),
    ANSWER("finish-in-every-delta",
           EVENTS DELTA_AND("a", ",\"finish_reason\":\"stop\"")
               PAUSE DELTA_AND("b", ",\"finish_reason\":\"stop\"")
                   PAUSE DELTA_AND("c", ",\"finish_reason\":\"stop\"") PAUSE DELTA("d") DONE,
           "abcd"),
    ANSWER("finish-before-the-text", EVENTS FINISH PAUSE PAUSE PAUSE DELTA("hello") FINISH DONE, "hello"),
    ANSWER("finish-then-silence", EVENTS DELTA("hello") FINISH PAUSE PAUSE PAUSE PAUSE DELTA("!"), "hello"),
    ANSWER("finish-then-more",
           EVENTS DELTA("a") FINISH PAUSE DELTA("b") PAUSE DELTA("c") PAUSE DELTA("d") DONE, "abcd"),
    ANSWER("usage-behind-the-finish",
           EVENTS DELTA("hello") FINISH "data: {\"id\":\"c\",\"choices\":[],\"usage\":{}}\n\n" DONE, "hello"),
    PART("error-in-the-middle",
         EVENTS DELTA("hel") "data: {\"error\":{\"message\":\"Over&#039;loaded\"}}\n\n" DONE, "hel",
         "E_UPSTREAM: *Over'loaded*"),

    /* both generations; what is unknown breaks nothing */
    ANSWER("unknown-keys",
           EVENTS
           "data: {\"id\":\"c\",\"new\":{\"data\":\"x\",\"msg\":[1]},\"choices\":[{\"delta\":{\"content\":"
           "\"hello\",\"mood\":\"good\"},\"logprobs\":null}],\"error\":null,\"status\":\"in_progress\"}"
           "\n\n" FINISH DONE,
           "hello"),
    ANSWER("unknown-keys-of-json",
           "{\"new\":[{\"data\":\"x\"}],\"status\":\"success\",\"msg\":\"x\",\"data\":\"hello\",\"log\":7,"
           "\"more\":{\"status\":\"error\"}}",
           "hello"),
    ANSWER("unknown-event",
           EVENTS EVENT("thread.run.created", "{\"id\":\"r\",\"status\":\"queued\"}") DELTA("hello") DONE,
           "hello"),
    ANSWER("unknown-event-of-no-json", EVENTS EVENT("mood", "{good") DELTA("hello") DONE, "hello"),
    SAID("unknown-status", "\"status\":\"quiet\",\"msg\":\"Quiet hours\"", "E_REFUSED: *Quiet hours*"),
    REFUSAL("unknown-status-alone", "{\"status\":\"asleep\",\"message\":\"Come back at 9\"}",
            "E_REFUSED: *Come back at 9*"),
    NEWER("newer", EVENTS START NEWER_DELTA("hello") END, "hello"),
    NEWER("newer-start-twice-with-text", EVENTS START NEWER_DELTA("one") START NEWER_DELTA("two") END,
          "one\n\ntwo"),
    NEWER("newer-start-twice-without-text", EVENTS START START NEWER_DELTA("hello") END, "hello"),
    NEWER("newer-start-twice-behind-the-text", EVENTS START NEWER_DELTA("hello") START END, "hello"),
    NEWER("newer-empty-deltas", EVENTS START NEWER_DELTA("") START NEWER_DELTA("") NEWER_DELTA("hello") END,
          "hello"),
    NEWER("newer-unknown-event",
          EVENTS START EVENT("tool_progress", "{\"label\":\"Searching\"}") NEWER_DELTA("hello")
              EVENT("citations", "[]") END,
          "hello"),
    NEWER("newer-unknown-status",
          EVENTS EVENT("status", "{\"type\":\"x\",\"status\":\"error\",\"text\":7}")
              START NEWER_DELTA("hello") END,
          "hello"),
    NEWER("newer-unknown-keys",
          EVENTS START "data: {\"delta\":\"hello\",\"mood\":{\"error\":\"x\"},\"error\":null}\n\n" END,
          "hello"),
    NEWER("newer-ids",
          EVENTS START NEWER_DELTA("hel") EVENT("openai_response_id", "{\"id\":\"r\"}") NEWER_DELTA("lo")
              EVENT("google_interaction_id", "{\"id\":\"" REPEAT("g", "400") "\"}") END,
          "hello"),
    NEWER("newer-preamble", EVENTS ":" REPEAT(" ", "4096") "\n\n" START NEWER_DELTA("hello") END, "hello"),
    NEWER_PART("newer-warning",
               EVENTS START NEWER_DELTA("hello") EVENT("warning", "{\"error\":\" (Incomplete: max&#039;s)\"}")
                   END,
               "hello", "notice: *(Incomplete: max's)"),
    { .name = "notice",
      .reply = EVENTS EVENT("notice", "{\"message\":\"Old &amp; slow\"}") DELTA("hello") DONE,
      .out = "hello",
      .err = "notice: Old & slow" },
    NEWER_PART("newer-without-end", EVENTS START NEWER_DELTA("hello"), "hello", CUT),
    NEWER_PART("newer-error",
               EVENTS START NEWER_DELTA("hel") EVENT("error", "{\"error\":\"Over&quot;loaded&quot;\"}"),
               "hel", "E_UPSTREAM: *Over\"loaded\"*"),
    NEWER_REFUSAL(
        "newer-quota",
        EVENTS EVENT("error", "{\"error\":\"You&#8217;re done.\",\"quota_notice\":{\"type\":\"x\"}}") END,
        "E_RATE_LIMITED: *You\u2019re done.*"),
    NEWER_REFUSAL("newer-error-in-words", EVENTS EVENT("error", "Gone &amp; away") END, "E_UPSTREAM: *"),
};

static const kind_row words[] = {
    SAID("words", "\"msg\":\"It&#039;s &quot;off&quot; &amp; &lt;on&gt;\"",
         "E_REFUSED: *It's \"off\" & <on>"),
    SAID("words-of-windows-1252", "\"msg\":\"It&#146;s\"", "E_REFUSED: *It\u2019s"),
    SAID("words-named", "\"msg\":\"5&nbsp;&euro; &hellip;\"", "E_REFUSED: *5\u00A0\u20AC \u2026"),
    SAID("words-escaped", "\"msg\":\"\\u0026#039;\\u00fc\\n\\\"x\\\"\"", "E_REFUSED: *'\u00fc \"x\""),
    SAID("words-with-an-ampersand", "\"msg\":\"Q&A &; &x\"", "E_REFUSED: *Q&A &; &x"),
    REFUSAL("words-of-a-limit", "{\"msg\":\"Limit &quot;50&quot; reached\",\"tokenLimitReached\":true}",
            "E_RATE_LIMITED: *Limit \"50\" reached"),
    REFUSAL("words-of-a-limit-in-events",
            EVENTS "data: {\"msg\":\"Limit &#8220;50&#8221;\",\"tokenLimitReached\":true}\n\n",
            "E_RATE_LIMITED: *Limit \u201C50\u201D"),
    REFUSAL("words-of-a-page",
            HEAD("500 Internal Server Error", "text/html") "<p>There&#8217;s a critical error.</p>",
            "E_STATUS: *There\u2019s a critical error."),
    { .name = "words-of-a-newer-refusal", .page = NEWER_CHAT, .out = "hello" },

    ANSWER("untyped-events", OK "\r\n" DELTA("hello") DONE, "hello"),
    ANSWER("untyped-events-behind-a-comment", OK "\r\n\xEF\xBB\xBF\n: x\n\n" DELTA("hello") DONE, "hello"),
    ANSWER("events-as-html", HEAD("200 OK", "text/html; charset=UTF-8") DELTA("hello") DONE, "hello"),
    ANSWER("events-as-text", HEAD("200 OK", "text/plain") "event: message\n" DELTA("hello") DONE, "hello"),
    ANSWER("events-as-text-that-retry", HEAD("200 OK", "Text/Plain") "retry: 1\n\n" DELTA("hello") DONE,
           "hello"),
    ANSWER("events-with-an-id-first", HEAD("200 OK", "text/html") "id: 1\n" DELTA("hello") DONE, "hello"),
    ANSWER("events-typed-oddly", HEAD("200 OK", "Text/Event-Stream ; charset=x") DELTA("hello") DONE,
           "hello"),
    ANSWER("untyped-json", OK "\r\n" HELLO, "hello"),
    ANSWER("json-as-html", HTML HELLO, "hello"),
    ANSWER("json-behind-a-notice", HTML "<br />\n<b>Notice</b>:  x in <b>/a.php</b><br />\n" HELLO, "hello"),
    ANSWER("json-behind-a-mark", JSON "\xEF\xBB\xBF\r\n" HELLO "\n", "hello"),
    NEWER("newer-untyped-events", OK "\r\n" START NEWER_DELTA("hello") END, "hello"),
    NEWER("newer-events-as-html", HTML START NEWER_DELTA("hello") END, "hello"),
    REFUSAL("not-understood", HEAD("200 OK", "image/png") "\x89PNG\r\n",
            "E_REPLY: *(Content-Type: image/png)"),
    REFUSAL("not-understood-xml", HEAD("200 OK", "application/xml; charset=x") "<a/>",
            "E_REPLY: *(Content-Type: application/xml)"),
    REFUSAL("not-understood-untyped", OK "\r\nwhat", "E_REPLY: *(Content-Type: none)"),
    REFUSAL("not-understood-page", HTML "<title>Hi</title><p>Welcome",
            "E_REPLY: *Welcome (Content-Type: text/html)"),
    REFUSAL("not-understood-list", JSON "[1,2]", "E_REPLY: *(Content-Type: application/json)"),
    REFUSAL("not-understood-cut", JSON "{\"status\":\"success\",\"da",
            "E_REPLY: *cut (Content-Type: application/json)"),
};

/* ==== what stands in front of a site answers the message ==== */

#define REPLY_403(name_, page_, err_) REFUSAL(name_, FORBIDDEN page_, err_)

static const kind_row refusals[] = {
    REFUSAL("reply-siteground-202", "HTTP/1.1 202 Accepted\r\nSG-Captcha: challenge\r\n\r\n<html></html>",
            BLOCKED "202*"),
    REFUSAL("reply-aws-waf-202", "HTTP/1.1 202 Accepted\r\nx-amzn-waf-action: challenge\r\n\r\n",
            BLOCKED "202*"),
    REFUSAL("reply-aws-waf-405", "HTTP/1.1 405 No\r\nx-amzn-waf-action: captcha\r\n\r\n", BLOCKED "405*"),
    REFUSAL("reply-modsecurity-406",
            HEAD("406 Not Acceptable", "text/html") "<title>Not Acceptable!</title><h1>Not Acceptable!"
                                                    "</h1><p>An appropriate representation of the requested "
                                                    "resource could not be found on this server. This "
                                                    "error was generated by Mod_Security.</p>",
            BLOCKED "406*"),
    REPLY_403("reply-modsecurity-403",
              "<title>403 Forbidden</title>This error was generated by Mod_Security.", BLOCKED),
    REFUSAL("reply-cloudflare",
            "HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\n\r\n<title>Just a moment...</title>",
            BLOCKED),
    REPLY_403("reply-cloudflare-1020", "<title>Attention Required! | Cloudflare</title>", BLOCKED),
    REPLY_403("reply-sucuri", "<title>Sucuri WebSite Firewall - Access Denied</title>", BLOCKED),
    REPLY_403("reply-imperva", "<iframe src=\"/_Incapsula_Resource?a\">Request unsuccessful.</iframe>",
              BLOCKED),
    REFUSAL("reply-imperva-200", HTML "<iframe src=\"/_Incapsula_Resource?a\"></iframe>", BLOCKED),
    REPLY_403("reply-ddos-guard", "<title>DDoS-Guard</title>", BLOCKED),
    REFUSAL("reply-wordfence-503",
            HEAD("503 Service Unavailable", "text/html") "<title>Your access to this site has been limited"
                                                         "</title><p>Generated by Wordfence",
            BLOCKED),
    REPLY_403("reply-wordfence-403",
              "<title>403 Forbidden</title><p>A potentially unsafe operation has been detected"
              "<p>Generated by Wordfence",
              BLOCKED),
    REPLY_403("reply-forbidden-apache",
              "<title>403 Forbidden</title><h1>Forbidden</h1><p>You don't have permission to access "
              "this resource.</p>",
              "E_STATUS: *403*You don't have permission*"),
    REPLY_403("reply-forbidden-nginx",
              "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden"
              "</h1></center>\r\n<hr><center>nginx</center>\r\n",
              "E_STATUS: *403*403 Forbidden"),
    REPLY_403("reply-forbidden-iis",
              "<title>403 - Forbidden: Access is denied.</title><h1>Server Error</h1><h2>403 - Forbidden",
              "E_STATUS: *403*Server Error*"),
    REPLY_403("reply-forbidden-litespeed",
              "<title> 403 Forbidden\r\n</title><h1>403</h1><h2>Forbidden</h2><p>Access to this "
              "resource on the server is denied!</p>",
              "E_STATUS: *403*"),
    REPLY_403("reply-forbidden-akamai",
              "<TITLE>Access Denied</TITLE><H1>Access Denied</H1>\nYou don't have permission to access "
              "\"http&#58;&#47;&#47;x\" on this server.<P>",
              "E_STATUS: *403*Access Denied*"),
    REPLY_403("reply-forbidden-google",
              "<title>Error 403 (Forbidden)!!1</title><p><b>403.</b> <ins>That\xE2\x80\x99s an error.</ins>",
              "E_STATUS: *403*"),
    REPLY_403("reply-forbidden-cloudfront",
              "<TITLE>ERROR: The request could not be satisfied</TITLE><H1>403 ERROR</H1><H2>The "
              "request could not be satisfied.</H2>",
              "E_STATUS: *403*403 ERROR*"),
    REPLY_403("reply-forbidden-squid",
              "<title>ERROR: The requested URL could not be retrieved</title><h1>ERROR</h1>"
              "<p>Access Denied.",
              "E_STATUS: *403*"),
    REPLY_403("reply-forbidden-fortinet",
              "<title>Web Filter Block Override</title><h1>Web Page Blocked!</h1>", "E_STATUS: *403*"),
    REFUSAL("reply-forbidden-by-json",
            HEAD("403 Forbidden", "application/json") "{\"message\":\"Forbidden\"}", "E_STATUS: *Forbidden"),
    REFUSAL(
        "reply-forbidden-by-rest",
        HEAD("403 Forbidden", "application/json") "{\"code\":\"rest_forbidden\",\"message\":"
                                                  "\"Sorry, you are not allowed\",\"data\":{\"status\":403}}",
        "E_STATUS: *Sorry, you are not allowed"),
    REPLY_403("reply-refused-token", "The link you followed has expired.", "E_NONCE: *page cache*"),
    REPLY_403("reply-refused-token-in-a-page",
              "<!DOCTYPE html><title>WordPress &rsaquo; Error</title><div class=\"wp-die-message\">"
              "The link you followed has expired.</div>",
              "E_NONCE: *page cache*"),
    REPLY_403("reply-refused-token-by-a-number", "-1", "E_NONCE: *page cache*"),
    REFUSAL("reply-refused-token-by-json",
            HEAD("403 Forbidden", "application/json") "{\"success\":false,\"data\":{\"code\":"
                                                      "\"nonce_failure\",\"message\":\"x\"}}",
            "E_NONCE: *page cache*"),
    REFUSAL("reply-400", HEAD("400 Bad Request", "text/html") "0", "E_STATUS: *plugin is switched off*"),
    REFUSAL("reply-402", HEAD("402 Payment Required", "text/html") "Pay &amp; go",
            "E_RATE_LIMITED: *Pay & go"),
    REFUSAL("reply-413",
            HEAD("413 Request Entity Too Large", "text/html") "<title>413 Request Entity Too Large</title>",
            "E_STATUS: *413*413 Request Entity Too Large"),
    REFUSAL("reply-415-imunify",
            HEAD("415 Unsupported Media Type",
                 "application/json") "{\"message\":\"Access denied by Imunify360 "
                                     "bot-protection. IPs used for automation should be whitelisted\"}",
            "E_*: *Imunify360*"),
    REFUSAL("reply-429", HEAD("429 Too Many Requests", "text/html") "<title>429 Too Many Requests</title>",
            "E_RATE_LIMITED: *429 Too Many Requests"),
    REFUSAL("reply-502", HEAD("502 Bad Gateway", "text/html") "<h1>502 Bad Gateway</h1>",
            "E_STATUS: *502 Bad Gateway"),
    REFUSAL("reply-504", HEAD("504 Gateway Time-out", "text/html") "<h1>504 Gateway Time-out</h1>",
            "E_STATUS: *504 Gateway*"),
    REFUSAL("reply-524", HEAD("524 <none>", "text/html") "<title>x | 524: A timeout occurred</title>",
            "E_STATUS: *524*timeout occurred"),
    REFUSAL("reply-500",
            HEAD("500 Internal Server Error",
                 "text/html") "<p>There has been a critical error on this website.</p>"
                              "<p><a href=x>Learn more.</a></p>",
            "E_STATUS: *There has been a critical error on this website."),
    REFUSAL("reply-maintenance",
            HEAD("503 Service Unavailable", "text/html") "<h1>Briefly unavailable for scheduled maintenance."
                                                         "</h1>",
            "E_STATUS: *Briefly unavailable*"),
    REFUSAL("reply-f5-200",
            HTML "<title>Request Rejected</title>The requested URL was rejected. Please consult with your "
                 "administrator.",
            "E_REPLY: *The requested URL was rejected.*"),
    REFUSAL("reply-login", "HTTP/1.1 302 Found\r\nLocation: /wp-login.php\r\n\r\n", "E_*"),
};

/* ==== cookies ==== */

#define COOKIES_AT(name_, lines, out_, ...)                                                        \
    {                                                                                              \
        .name = name_, .page = OK lines "\r\n" CHAT, .reply = TELL_COOKIES, .out = out_, .with = { \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define COOKIES(name_, lines, out_) COOKIES_AT(name_, lines, out_, NULL)
#define SET(value) "Set-Cookie: " value "\r\n"
#define AT_SHOP "--url", "http://shop.example.com/", "--proxy", "http://127.0.0.1:" PORT

static const kind_row cookies[] = {
    COOKIES("cookies", SET("a=1; Path=/; HttpOnly; SameSite=Lax") SET("b=2"), "a=1; b=2"),
    COOKIES("cookie-secure-over-http", SET("a=1; Secure") SET("b=2; secure=x") SET("c=3"), "c=3"),
    COOKIES("cookie-secure-prefix",
            SET("__Secure-a=1; Secure; Path=/") SET("__Secure-b=2") SET("__sEcUrE-c=3") SET("d=4"), "d=4"),
    COOKIES("cookie-host-prefix",
            SET("__Host-a=1; Secure; Path=/") SET("__Host-b=2; Path=/") SET("__host-c=3") SET("d=4"), "d=4"),
    COOKIES("cookie-without-a-name",
            SET("=1") SET("2") SET("=__Host-a=3") SET(" = 4") SET("") SET(";Path=/") SET("d=5"), "4; d=5"),
    COOKIES("cookie-of-4-kb", SET("a=" REPEAT("x", "4000")) SET("b=2"), "a=" REPEAT("x", "4000") "; b=2"),
    COOKIES("cookie-beyond-4-kb", SET("a=" REPEAT("x", "4096")) SET("b=2"), "b=2"),
    COOKIES("cookie-far-beyond-4-kb", SET("b=2") SET("a=" REPEAT("x", "30000")), "b=2"),
    COOKIES("cookie-with-a-control", SET("a=x" CONTROL "y") SET("b=2"), "b=2"),
    COOKIES("cookie-with-a-nul", SET("a=x" NUL "y") SET("b=2"), "b=2"),
    COOKIES("cookie-of-odd-names",
            SET("{a-b}={7F}") SET("f(s)i(d)p=1") SET("/U=de") SET("g={\"i\":0,\"b\":\"x y\"}") SET("Z5==")
                SET("c/l=a/b"),
            "{a-b}={7F}; f(s)i(d)p=1; /U=de; g={\"i\":0,\"b\":\"x y\"}; Z5==; c/l=a/b"),
    COOKIES("cookie-in-quotes", SET("a=\"x; y\"") SET("b = 2 "), "a=\"x; b=2"),
    COOKIES("cookie-deleted", SET("a=1") SET("b=2") SET("a=; Max-Age=0") SET("c=3"), "b=2; c=3"),
    COOKIES("cookie-deleted-by-a-date",
            SET("a=1; Expires=00:00:00 1 Jan 1970") SET("b=2; Expires=12:34:56 9 Nov 2094"), "b=2"),
    COOKIES("cookie-of-odd-dates",
            SET("a=1; Expires=Thu, 01-Jan-70 00:00:10 GMT") SET("b=2; Expires=Fri, 31-Dec-2094 9:9:9 GMT")
                SET("c=3; Expires=tomorrow"),
            "b=2; c=3"),
    COOKIES("cookie-of-another-path", SET("a=1; Path=/blog") SET("b=2; Path=/wp-admin") SET("c=3; Path=wp"),
            "b=2; c=3"),
    COOKIES("cookie-of-an-address",
            SET("a=1; Domain=127.0.0.1") SET("b=2; Domain=0.0.1") SET("c=3; Domain=.1"), "a=1"),
    COOKIES_AT("cookie-of-a-domain",
               SET("a=1; Domain=example.com") SET("b=2; Domain=.EXAMPLE.com")
                   SET("c=3; Domain=shop.example.com"),
               "a=1; b=2; c=3", AT_SHOP),
    COOKIES_AT("cookie-of-a-single-label",
               SET("a=1; Domain=com") SET("b=2; Domain=.com") SET("c=3; Domain=com.") SET("d=4"), "d=4",
               AT_SHOP),
    COOKIES_AT("cookie-of-another-domain",
               SET("a=1; Domain=example.org") SET("b=2; Domain=ample.com")
                   SET("c=3; Domain=www.shop.example.com") SET("d=4; Domain="),
               "d=4", AT_SHOP),
    COOKIES_AT("cookie-of-a-label-that-is-all",
               SET("a=1; Domain=localhost") SET("b=2; Domain=.local") SET("c=3"), "a=1; c=3", "--url",
               "http://localhost/", "--proxy", "http://127.0.0.1:" PORT),
};

/* ==== the environment, and addresses that are typed ==== */

#define WAY(name_, out_, err_, ...)                                      \
    {                                                                    \
        .name = name_, .out = out_, .err = err_, .with = { __VA_ARGS__ } \
    }
#define BY(name_, ...) WAY(name_, "hello", NULL, "--url", "http://site.invalid/", __VA_ARGS__)
#define NOT_BY(name_, ...) WAY(name_, "", "E_RESOLVE: *", "--url", "http://site.invalid/", __VA_ARGS__)
#define HERE "127.0.0.1:" PORT
#define NOBODY "http://127.0.0.1:1"
#define STRAIGHT(name_, list) WAY(name_, "hello", NULL, "http_proxy=" NOBODY, "no_proxy=" list)
#define ASIDE(name_, list) WAY(name_, "", "E_*: *127.0.0.1:1*", "http_proxy=" NOBODY, "no_proxy=" list)
#define REFUSED_URL(name_, url) WAY(name_, "", "E_ARGUMENT: *", "--url", url)

static const kind_row ways[] = {
    BY("proxy-small", "http_proxy=http://" HERE),
    BY("proxy-without-scheme", "http_proxy=" HERE),
    BY("proxy-with-a-slash", "http_proxy=http://" HERE "/"),
    BY("proxy-scheme-in-capitals", "http_proxy=HTTP://" HERE),
    BY("proxy-with-a-login", "http_proxy=http://a%40b:c@" HERE "/"),
    BY("proxy-for-all", "all_proxy=http://" HERE),
    BY("proxy-for-all-in-capitals", "ALL_PROXY=" HERE),
    BY("proxy-empty-then-for-all", "http_proxy=", "ALL_PROXY=" HERE),
    BY("proxy-the-option-first", "http_proxy=" NOBODY, "--proxy", HERE),
    BY("proxy-for-another-site", "http_proxy=" HERE, "no_proxy=other.invalid,te.invalid,  ,"),
    NOT_BY("proxy-in-capitals", "HTTP_PROXY=http://" HERE),
    NOT_BY("proxy-of-https", "HTTPS_PROXY=http://" HERE, "https_proxy=" HERE),
    NOT_BY("proxy-not-for-all", "all_proxy=" HERE, "NO_PROXY=*"),
    NOT_BY("proxy-not-below", "http_proxy=" HERE, "no_proxy=.invalid"),
    NOT_BY("proxy-not-at", "http_proxy=" HERE, "NO_PROXY=SITE.invalid"),
    NOT_BY("proxy-not-by-the-option", "http_proxy=" HERE, "--proxy", ""),
    WAY("proxy-of-socks", "", "E_*: *SOCKS*", "all_proxy=socks5://127.0.0.1:1080"),
    WAY("proxy-of-https-itself", "", "E_*: *", "http_proxy=https://127.0.0.1:1"),
    WAY("proxy-that-is-none", "", "E_*", "http_proxy=http://"),
    STRAIGHT("no-proxy-address", "127.0.0.1"),
    STRAIGHT("no-proxy-star", "*"),
    STRAIGHT("no-proxy-block", "10.0.0.0/8,127.0.0.0/8"),
    STRAIGHT("no-proxy-block-of-a-bit", "0.0.0.0/1"),
    STRAIGHT("no-proxy-with-blanks", "  x.example ,\t127.0.0.1  "),
    STRAIGHT("no-proxy-by-blanks", "x.example 127.0.0.1"),
    STRAIGHT("no-proxy-empty-entries", ",,127.0.0.1,,"),
    ASIDE("no-proxy-empty", ""),
    ASIDE("no-proxy-tail-of-an-address", "0.0.1"),
    ASIDE("no-proxy-tail-with-a-dot", ".0.0.1"),
    ASIDE("no-proxy-last-of-an-address", "1"),
    ASIDE("no-proxy-other-block", "10.0.0.0/8"),
    ASIDE("no-proxy-block-too-small", "127.0.0.2/31"),
    ASIDE("no-proxy-block-of-too-many-bits", "127.0.0.1/33"),
    ASIDE("no-proxy-block-of-the-other-family", "::/0"),
    ASIDE("no-proxy-block-of-nothing", "127.0.0.1/"),
    ASIDE("no-proxy-star-among-others", "*.0.0.1"),

    REFUSED_URL("url-octal", "http://010.0.0.1/"),
    REFUSED_URL("url-hex", "http://0x7f.0.0.1/"),
    REFUSED_URL("url-short", "http://127.1/"),
    REFUSED_URL("url-of-a-number", "http://2130706433/"),
    REFUSED_URL("url-too-big", "http://256.0.0.1/"),
    REFUSED_URL("url-of-five", "http://1.2.3.4.5/"),
    REFUSED_URL("url-twice-shortened", "http://[::1::2]/"),
    REFUSED_URL("url-group-too-long", "http://[12345::]/"),
    REFUSED_URL("url-of-nine-groups", "http://[1:2:3:4:5:6:7:8:9]/"),
    REFUSED_URL("url-of-seven-groups", "http://[1:2:3:4:5:6:7]/"),
    REFUSED_URL("url-of-three-colons", "http://[:::1]/"),
    REFUSED_URL("url-ending-in-a-colon", "http://[1:2:3:4:5:6:7:]/"),
    REFUSED_URL("url-bad-tail", "http://[::127.0.0.256]/"),
    REFUSED_URL("url-with-a-zone", "http://[fe80::1%25eth0]/"),
    REFUSED_URL("url-without-its-bracket", "http://[::1/"),
    REFUSED_URL("url-port-too-big", "http://127.0.0.1:65536/"),
    REFUSED_URL("url-port-of-letters", "http://127.0.0.1:a/"),
    REFUSED_URL("url-of-an-empty-label", "http://a..example/"),
    WAY("url-of-combining-letters", "", "E_ARGUMENT: *xn--*", "--url", "http://mu\u0308ller.example/"),
    WAY("url-with-an-ideographic-stop", "", "E_ARGUMENT: *xn--*", "--url",
        "http://\u4f8b\u5b50\u3002\u6d4b\u8bd5/"),
    WAY("url-with-a-percent-in-its-host", "", "E_ARGUMENT: *xn--*", "--url", "http://m%C3%BCller.example/"),
};

/* ==== what stands in a state's file ==== */

#define KEPT(name_, bytes, err_) \
    { .name = name_, .state = bytes, .out = "hello", .err = err_ }
#define IGNORED "notice: the state file is ignored: *damaged or of another site*"

static const kind_row states[] = {
    KEPT("state-empty", "", NULL),
    KEPT("state-of-a-line-feed", "\n", IGNORED),
    KEPT("state-of-words", "my notes\n", IGNORED),
    KEPT("state-of-zeros", NUL NUL NUL NUL, IGNORED),
    KEPT("state-magic-alone", "cgptst2\n", IGNORED),
    KEPT("state-magic-cut", "cgptst2", IGNORED),
    KEPT("state-of-another-version", "cgptst9\nh" PORT NUL NUL NUL "x", IGNORED),
    KEPT("state-without-end", "cgptst2\nc" CONTROL NUL NUL NUL "a1b2c3d", IGNORED),
    KEPT("state-record-too-long", "cgptst2\nh\xFF\xFF\xFF\xFFx", IGNORED),
    KEPT("state-record-cut", "cgptst2\nh\x11", IGNORED),
    KEPT("state-checksum-of-letters", "cgptst2\n." CONTROL NUL NUL NUL "letters", IGNORED),
    KEPT("state-of-a-page", "<!DOCTYPE html><title>404</title>", IGNORED),
    KEPT("state-of-kilobytes", REPEAT("cgptst2\n", "9000"), "notice: the state file is ignored: *"),
};

/* ==== what is typed ==== */

#define TYPED(name_, line, shows_, messages_) \
    { name_, "TERM=dumb", { line, "/quit\n" }, shows_, messages_ }
#define LEAVES(name_, term_, line) \
    { name_, "TERM=" term_, { line }, "", 0 }

static const kind_talk talks[] = {
    LEAVES("quit", "dumb", "/quit\n"),
    LEAVES("quit-with-a-blank", "dumb", "/quit \n"),
    LEAVES("quit-with-blanks", "xterm", "/quit   \r"),
    LEAVES("quit-with-a-tab", "dumb", "/quit\t\n"),
    LEAVES("quit-in-capitals", "dumb", "/QUIT\n"),
    LEAVES("quit-as-thumbs-write-it", "xterm", "/Quit \r"),
    LEAVES("quit-with-a-word", "dumb", "/quit now\n"),
    LEAVES("quit-pasted-with-its-line-end", "xterm", "\033[200~/quit\n\033[201~\r"),
    LEAVES("end-of-file", "dumb", "\004"),
    TYPED("new", "/new\n", "a new conversation", 0),
    TYPED("new-as-thumbs-write-it", "/New \n", "a new conversation", 0),
    TYPED("model-with-blanks", "/model  gpt-4  \n", "gpt-4*", 0),
    TYPED("no-command", "/quiet\n", "no such command: /quiet", 0),
    TYPED("blanks", "  \t \n", "", 0),
    TYPED("zero", "0\n", "E_ARGUMENT", 0),
    TYPED("a-path", "/etc/hosts\n", "hello", 1),
    TYPED("a-command-behind-a-blank", " /quit\n", "hello", 1),
    TYPED("a-command-in-a-sentence", "/quit. I am done\n", "hello", 1),
    TYPED("a-line-of-4-kb", REPEAT("y", "4000") "\n", "hello", 1),
    TYPED("a-line-that-is-cut", REPEAT("y", "5000") "\n", "the terminal cuts lines", 0),
};

static const kind_talk *talk_now;

/* ==== trust: a site that speaks TLS, and what SSL_CERT_FILE names ==== */

#ifndef CHATGPTT_NO_TLS

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END "-----END CERTIFICATE-----"

/* CA is the site's certificate authority; CRLF in front: the whole file has such line ends. */
#define CA "\x0E"
#define CRLF "\x0F"

static const struct {
    const char *name, *file;
    bool by_option; /* named by --ca, and another by the environment */
    const char *err;
} trusts[] = {
    { "trust", CA "\n", false, NULL },
    { "trust-by-option", CA "\n", true, NULL },
    { "trust-without-last-line-feed", CA, false, NULL },
    { "trust-without-last-line-feed-by-option", CA, true, NULL },
    { "trust-in-crlf", CRLF CA "\n", false, NULL },
    { "trust-in-crlf-without-the-last", CRLF CA, false, NULL },
    { "trust-with-blanks-behind", CA "  \n\t", false, NULL },
    { "trust-behind-words", "# mine\nSubject: x\n\n" CA "\nand more", false, NULL },
    { "trust-behind-an-oversized-block", PEM_BEGIN REPEAT("MIIBAAAA\n", "8000") PEM_END "\n" CA, false,
      NULL },
    { "trust-between-oversized-blocks",
      PEM_BEGIN REPEAT("MIIBAAAA\n", "8000") PEM_END "\n" CA "\n" PEM_BEGIN REPEAT("MIIB\n", "20000") PEM_END,
      false, NULL },
    { "trust-behind-a-damaged-block", PEM_BEGIN "MIIB\n" PEM_END "\n" CA, false, NULL },
    { "trust-behind-a-block-of-letters", PEM_BEGIN "!?\n" PEM_END "\n" CA, false, NULL },
    { "trust-behind-a-key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n" CA, false,
      NULL },
    { "trust-before-a-cut-block", CA "\n" PEM_BEGIN "MIIB\n", false, NULL },
    { "trust-twice", CA "\n" CA "\n", false, NULL },
    { "trust-in-an-oversized-block-only", PEM_BEGIN REPEAT("MIIBAAAA\n", "8000") PEM_END, false,
      "E_CERTIFICATE: *" },
    { "trust-in-nothing", "", false, "E_CERTIFICATE: *" },
    { "trust-in-words", "no certificate\n", false, "E_CERTIFICATE: *" },
};

/* The bytes of a row; pieces that stand for others are put in first. */
static void put_trust(kind_bytes *b, const char *text, const char *ca) {
    kind_bytes lf = { NULL, 0, 0 };
    bool crlf = *text == *CRLF;
    for (text += crlf; *text;) {
        size_t len = strcspn(text, CA);
        char *piece = (char *)malloc(len + 1);
        if (!piece) abort();
        memcpy(piece, text, len);
        piece[len] = '\0';
        kind_expand(&lf, piece, 0);
        free(piece);
        if (text[len]) kind_puts(&lf, ca);
        text += len + (text[len] != '\0');
    }
    for (size_t i = 0; i < lf.len; i++) {
        if (lf.at[i] == '\n' && crlf) kind_puts(b, "\r");
        kind_add(b, lf.at + i, 1);
    }
    free(lf.at);
}

static struct {
    char url[100], ca[8000];
    size_t row;
} trust;

static void check_trust(void) {
    char path[64], named[100];
    kind_bytes file = { NULL, 0, 0 };
    static kind_result result;
    bool by_option = trusts[trust.row].by_option;
    snprintf(path, sizeof path, "%s/ca", kind_folder);
    snprintf(named, sizeof named, "SSL_CERT_FILE=%s", by_option ? "/dev/null" : path);
    put_trust(&file, trusts[trust.row].file, trust.ca);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(file.at ? file.at : "", 1, file.len, f) != file.len || fclose(f) != 0) abort();
    kind_row row = { .name = trusts[trust.row].name, .with = { "--url", trust.url, named } };
    if (by_option) row.with[3] = "--ca", row.with[4] = path;
    kind_ask(tool, &row, 0, &result);
    CHECK_INT(result.status, trusts[trust.row].err != NULL);
    CHECK(kind_fits(result.err, trusts[trust.row].err));
    CHECK(strncmp(result.out, trusts[trust.row].err ? "" : "You said: hi\n", 13) == 0 ||
          trusts[trust.row].err);
    if (check_now.bad) check_quote("stderr", result.err, strlen(result.err));
    unlink(path);
    free(file.at);
}

/* All with one site, which lives as long as its standard input. */
static void run_trusts(const char *build) {
    kind_child far;
    char path[300], line[300];
    snprintf(path, sizeof path, "%s/demo_site", build);
    if (!kind_start(&far, path, "--tls", "--plain") ||
        !kind_told(&far, "url=", trust.url, sizeof trust.url) || !kind_told(&far, "ca=", line, sizeof line))
        abort();
    kind_read(line, trust.ca, sizeof trust.ca);
    if (strlen(trust.ca) < 100) abort();
    trust.ca[strlen(trust.ca) - 1] = '\0'; /* its last line feed */
    for (trust.row = 0; trust.row < sizeof trusts / sizeof *trusts; trust.row++)
        check_case(trusts[trust.row].name, check_trust);
    kind_stop(&far);
}
#endif

/* ==== the tables ==== */

#define ROWS(rows) #rows, rows, sizeof rows / sizeof *rows

static const struct {
    const char *name;
    const kind_row *rows;
    size_t count;
    struct {
        const char *target;
        kind_input *input;
    } corpora[3];
} tables[] = {
    { ROWS(decoys), { { "page", kind_page_input } } },
    { ROWS(references), { { "page", kind_page_input } } },
    { ROWS(endpoints), { { "page", kind_page_input }, { "url", kind_url_input } } },
    { ROWS(pages), { { "page", kind_page_input }, { "http", kind_http_input } } },
    { ROWS(heads), { { "http", kind_http_input }, { "url", kind_url_input } } },
    { ROWS(events),
      { { "reply", kind_reply_input }, { "sse", kind_sse_input }, { "diff_sse", kind_sse_input } } },
    { ROWS(words), { { "reply", kind_reply_input } } },
    { ROWS(refusals), { { "reply", kind_reply_input }, { "http", kind_http_input } } },
    { ROWS(cookies), { { "cookie", kind_cookie_input } } },
    { ROWS(ways), { { "url", kind_url_input } } },
    { ROWS(states), { { "state", kind_state_input } } },
};
enum { TABLES = sizeof tables / sizeof *tables };

static const kind_row *row_now;
static const kind_result *result_now;
static void check_row(void) { kind_check(row_now, result_now); }

/* Nothing else can be looked at without it. */
TEST(tool) {
    if (!CHECK(access(tool, X_OK) == 0)) printf("    %s is not built\n", tool);
}

static void run_table(size_t k) {
    kind_result *results = (kind_result *)calloc(tables[k].count, sizeof *results);
    if (!results) abort();
    kind_ask_all(tool, tables[k].rows, results, tables[k].count);
    for (size_t i = 0; i < tables[k].count; i++) {
        row_now = &tables[k].rows[i];
        result_now = &results[i];
        check_case(row_now->name, check_row);
    }
    free(results);
}

static void check_talk(void) { kind_converse(tool, talk_now); }

TEST(corpora) {
    for (size_t k = 0; k < TABLES; k++)
        for (size_t i = 0; i < tables[k].count; i++)
            for (size_t n = 0; n < 3 && tables[k].corpora[n].target; n++)
                kind_compare(&tables[k].rows[i], tables[k].corpora[n].target, tables[k].corpora[n].input);
}

static int write_corpora(void) {
    bool good = true;
    for (size_t k = 0; k < TABLES; k++)
        for (size_t i = 0; i < tables[k].count; i++)
            for (size_t n = 0; n < 3 && tables[k].corpora[n].target; n++)
                good =
                    kind_write(&tables[k].rows[i], tables[k].corpora[n].target, tables[k].corpora[n].input) &&
                    good;
    return !good;
}

int main(int argc, char **argv) {
    const char *build = getenv("BUILD");
    if (argc == 2 && strcmp(argv[1], "corpus") == 0) return write_corpora();
    snprintf(tool, sizeof tool, "%s/chatgptt", build && *build ? build : "build");
    RUN(tool);
    if (check_now.failed || !kind_begin()) return check_report("kinds");
    for (size_t k = 0; k < TABLES; k++)
        if (argc == 1 || strcmp(argv[1], tables[k].name) == 0) run_table(k);
    for (size_t i = 0; argc == 1 && i < sizeof talks / sizeof *talks; i++) {
        talk_now = &talks[i];
        check_case(talk_now->name, check_talk);
    }
#ifndef CHATGPTT_NO_TLS
    if (argc == 1 || strcmp(argv[1], "trusts") == 0) run_trusts(build && *build ? build : "build");
#endif
    RUN(corpora);
    kind_clean();
    return check_report("kinds");
}
