/* test_aipkit.c - the newer plugin generation (2.3 and later), a row or a case a fact of the protocol's page,
   numbered by its sections: P2-1xx what the page carries, P2-2xx requests, P2-3xx the stream, P2-4xx errors
   and recovery, P2-5xx conversations, P2-6xx traps. A row is a list of what the site answers; wanted are its
   requests, the text, the end. Each row runs at once, in chunks and reads of one byte, and with its last
   answer cut: the stream's, if it is short, at every position, others at some. */
#define CHATGPTT_IMPLEMENTATION
#include "wpaicg.h"

#define N1 WP_NONCE
#define N2 WP_FRESH
#define K1 "aipkit_sse_ABCdef0123456789ABCdef0123456789"
#define K2 "aipkit_sse_zyxWVU9876543210zyxWVU9876543210"
#define AJAX "http://site.test/wp-admin/admin-ajax.php"

/* ---- what the site answers: status, Content-Type (then, behind `|`, one more header), body, a line each.
        `!` in front: the connection closes then, and says so; `~`: it closes and does not say so ---- */

#define JSON(status, body)      status "\n" WP_JSON "\n" body
#define HTML(status, body)      status "\n" WP_HTML "\n" body
#define EVENTS(body)            "200 OK\ntext/event-stream; charset=utf-8\n" body
#define KEY(key)                JSON("200 OK", "{\"success\":true,\"data\":{\"cache_key\":\"" key "\"}}")
#define NONCE(nonce)            JSON("200 OK", "{\"success\":true,\"data\":{\"nonce\":\"" nonce "\"}}")
#define NO_ACTION               HTML("400 Bad Request", "0")
#define SAYS(status, code, message) \
    JSON(status, "{\"success\":false,\"data\":{\"message\":\"" message "\",\"code\":\"" code "\"}}")
#define SAYS_ONLY(status, message)  JSON(status, "{\"success\":false,\"data\":{\"message\":\"" message "\"}}")
#define NO_NONCE                \
    SAYS("403 Forbidden", "nonce_failure_cache_sse", "Your session has expired or the request is invalid.")

#define Q "&quot;"
#define MEMBER(name, value)     "," Q name Q ":" value
#define STRING(value)           Q value Q
#define CONFIG(bot, nonce, post, more)                                                                     \
    "{" Q "botId" Q ":" bot ",\n" Q "ajaxUrl" Q ":" Q                                                      \
    "http:\\/\\/site.test\\/wp-admin\\/admin-ajax.php" Q MEMBER("nonce", STRING(nonce))                    \
        MEMBER("postId", post) MEMBER("userIp", STRING("127.0.0.1")) MEMBER("streamEnabled", "false") more \
        "}"
#define INLINE(bot, config)                                                                  \
    "<div class=\"aipkit_chat_container aipkit_theme-dark\" id=\"aipkit_chat_container_" bot \
    "\" data-bot-id=\"" bot "\" "                                                            \
    "data-config='" config "' data-custom-theme='{" Q "nonce" Q ":" Q "no" Q "}'><div></div></div>\n"
#define POPUP(bot, config)                                                                         \
    "<div class=\"aipkit_popup_wrapper\" id=\"aipkit_popup_wrapper_" bot "\" data-config='" config \
    "' data-bot-id=\"" bot "\">"                                                                   \
    "<div class=\"aipkit_chat_container\" id=\"aipkit_chat_container_" bot "\" data-bot-id=\"" bot \
    "\"></div></div>\n"
#define SITE(chats)                                                                      \
    "<!DOCTYPE html>\n<html><head><title>Chat &#8211; Site</title></head><body>\n" chats \
    "<script>window.aipkit_getChatNonceAction = "                                        \
    "\"aipkit_get_frontend_chat_nonce\";</script></body></html>\n"
#define PAGE_OF(nonce)          HTML("200 OK", SITE(INLINE("7", CONFIG("7", nonce, "5", ""))))
#define PAGE                    PAGE_OF(N1)
#define PAGE_FRESH              PAGE_OF(N2)
#define OLD_PAGE                HTML("200 OK", WP_PAGE)
#define OLD_PAGE_FRESH          HTML("200 OK", WP_PAGE_FRESH)
#define NO_CHAT                 HTML("200 OK", SITE("<p>Nothing here.</p>"))

#define EVENT(name, data)       "event: " name "\ndata: " data "\n\n"
#define START_OF(id)            EVENT("message_start", "{\"message_id\":\"aipkit-msg-" id "\"}")
#define START                   START_OF("65f1a2b3c4d5e.12345678")
#define DELTA(text)             "data: {\"delta\":\"" text "\"}\n\n"
#define FINISH                  EVENT("done", "{\"finished\":true}")
#define ERROR(text)             "event: error\nid: err-1700000000\ndata: {\"error\":\"" text "\"}\n\n"
#define WARNING(payload)        "event: warning\nid: warn-1700000000\ndata: " payload "\n\n"
#define QUOTA                                                                   \
    "\"quota_notice\":{\"type\":\"guest\",\"message\":\"Come back tomorrow.\"," \
    "\"actions\":[{\"label\":\"Log in\",\"url\":\"http:\\/\\/site.test\\/login\",\"variant\":\"primary\"}]}"
#define GOOD                    START DELTA("Hello") DELTA(", world") FINISH
#define ANSWER                  EVENTS(GOOD)
#define SECURITY                "Security check failed. Please refresh the page and try again."
#define CHALLENGE \
    "<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"

/* ---- rows ---- */

typedef enum row_end {
    CLEAN,                          /* the zero chunk, and the connection stays open */
    CUT,                            /* the connection closes without a zero chunk */
    RESET,                          /* the connection breaks */
    SILENCE                         /* nothing more, and the connection stays open */
} row_end;

typedef struct row {
    const char *name;
    const char *endpoint, *bot_id;
    chatgptt_dialect dialect;
    const char *requests;           /* what the site is asked, as describe() has it */
    const char *text;               /* handed out, before an error too; notices in it as <<words>> */
    chatgptt_code code;
    const char *words;              /* part of the error's message */
    row_end end;                    /* of the last answer */
    int ms;                         /* from the start to the end */
    const char *answers[9];
} row;

#define ASKED "page, cache " N1 ", stream " N1 " " K1
#define F(name, requests, text, code, words, ...)       \
    {name, NULL, NULL, CHATGPTT_AUTO, requests, text, CHATGPTT_##code, words, CLEAN, 0, {__VA_ARGS__}}
#define G(name, endpoint, bot, dialect, requests, text, code, words, ...) \
    {name, endpoint, bot, CHATGPTT_##dialect, requests, text, CHATGPTT_##code, words, CLEAN, 0, {__VA_ARGS__}}
#define S_END(name, body, text, code, words, end)                                       \
    {                                                                                   \
        name, NULL, NULL, CHATGPTT_AUTO, ASKED, text, CHATGPTT_##code, words, end, 0, { \
            PAGE, KEY(K1), EVENTS(body)                                                 \
        }                                                                               \
    }
#define S(name, body, text, code, words)                S_END(name, body, text, code, words, CLEAN)
#define C(name, answer, code, words) F(name, "page, cache " N1, "", code, words, PAGE, answer)
#define R(name, message)                                S(name, ERROR(message) FINISH, "", E_REFUSED, message)

/* ---- P2-2xx: which requests are made ---- */

static const row requests[] = {
    F("P2-201 page, message, answer", ASKED, "Hello, world", DONE, NULL, PAGE, KEY(K1), ANSWER),
    F("P2-202 each answer closes its connection", ASKED, "Hello, world", DONE, NULL, "!" PAGE, "!" KEY(K1),
      ANSWER),
    F("P2-203 the kept connection closes before the answer is fetched", ASKED ", stream " N1 " " K1,
      "Hello, world", DONE, NULL, PAGE, "~" KEY(K1), ANSWER),
    F("P2-204 the kept connection closes before the message",
      "page, cache " N1 ", cache " N1 ", stream " N1 " " K1, "Hello, world", DONE, NULL, "~" PAGE, KEY(K1),
      ANSWER),
    G("P2-211 endpoint and bot: no page", AJAX, "7", AIPKIT, "nonce 7, cache " N1 ", stream " N1 " " K1,
      "Hello, world", DONE, NULL, NONCE(N1), KEY(K1), ANSWER),
    G("P2-212 endpoint and bot, but no nonce action: the page", AJAX, "7", AIPKIT,
      "nonce 7, page!, cache " N1 ", stream " N1 " " K1, "Hello, world", DONE, NULL, NO_ACTION, PAGE, KEY(K1),
      ANSWER),
    G("P2-213 endpoint and bot, generation unknown: the page", AJAX, "7", AUTO, ASKED, "Hello, world", DONE,
      NULL, PAGE, KEY(K1), ANSWER),
    G("P2-214 bot without endpoint: the page", NULL, "7", AIPKIT, ASKED, "Hello, world", DONE, NULL, PAGE,
      KEY(K1), ANSWER),
    G("P2-215 endpoint without bot: the page", AJAX, NULL, AIPKIT, ASKED, "Hello, world", DONE, NULL, PAGE,
      KEY(K1), ANSWER),
    G("P2-216 no nonce action and no chat on the page", AJAX, "7", AIPKIT, "nonce 7, page!", "", E_PAGE,
      "Chat \xE2\x80\x93 Site", NO_ACTION, NO_CHAT),
    G("P2-217 another bot than the page's first", NULL, "9", AUTO, ASKED, "Hello, world", DONE, NULL,
      HTML("200 OK", SITE(INLINE("7", CONFIG("7", N2, "5", "")) POPUP("9", CONFIG("9", N1, "5", "")))),
      KEY(K1), ANSWER),
    G("P2-218 the generation asked for is not the first on the page", NULL, NULL, AIPKIT, ASKED,
      "Hello, world", DONE, NULL,
      HTML("200 OK", SITE(WP_CHAT(N2, "1") INLINE("7", CONFIG("7", N1, "5", "")))), KEY(K1), ANSWER),
    G("P2-219 the generation asked for is not on the page", NULL, NULL, AIPKIT, "page", "", E_PAGE, NULL,
      OLD_PAGE),
    G("P2-220 the nonce action refuses: the page", AJAX, "7", AIPKIT,
      "nonce 7, page!, cache " N1 ", stream " N1 " " K1, "Hello, world", DONE, NULL,
      HTML("403 Forbidden", "No."), PAGE, KEY(K1), ANSWER),
    F("P2-221 noise around the JSON", ASKED, "Hello, world", DONE, NULL, PAGE,
      "200 OK\n" WP_HTML
      "\n\xEF\xBB\xBF<br />\n<b>Notice</b>:  Undefined index: a {x} in <b>/srv/x.php</b><br />\n"
      "{\"data\":{\"other\":{\"cache_key\":\"no\"},\"cache_key\":\"" K1
      "\"},\"success\":true}<!-- cached -->",
      ANSWER),
    G("P2-222 noise before the nonce", AJAX, "7", AIPKIT, "nonce 7, cache " N1 ", stream " N1 " " K1,
      "Hello, world", DONE, NULL,
      HTML("200 OK", "<br />\n<b>Notice</b>: x<br />\n{\"success\":true,\"data\":{\"nonce\":\"" N1 "\"}}"),
      KEY(K1), ANSWER),
    F("P2-223 a key is sent as it came", "page, cache " N1 ", stream " N1 " a+B/ &=%41\xC3\xA9",
      "Hello, world", DONE, NULL, PAGE, KEY("a+B\\/ &=%41\\u00e9"), ANSWER),
};

/* ---- P2-3xx: the stream ---- */

static const row streams[] = {
    S("P2-301 a stream", GOOD, "Hello, world", DONE, NULL),
    S_END("P2-302 done, then silence", GOOD, "Hello, world", DONE, NULL, SILENCE),
    S_END("P2-303 done, then closed", GOOD, "Hello, world", DONE, NULL, CUT),
    S("P2-304 done without its blank line", START DELTA("Hello") "event: done\ndata: {\"finished\":true}\n",
      "Hello", DONE, NULL),
    S("P2-304 done without data", START DELTA("Hello") "event: done\ndata:\n\n", "Hello", DONE, NULL),
    S("P2-304 done, but no JSON", START DELTA("Hello") EVENT("done", "[DONE]"), "Hello", DONE, NULL),
    S("P2-305 characters",
      START DELTA("\\u041f\\ud83d\\ude00 a\\/b \\u20ac\\n\\t\\\"q\\\" \\\\ \xD0\x9F\xF0\x9F\x98\x80") FINISH,
      "\xD0\x9F\xF0\x9F\x98\x80 a/b \xE2\x82\xAC\n\t\"q\" \\ \xD0\x9F\xF0\x9F\x98\x80", DONE, NULL),
    S("P2-306 invalid UTF-8",
      START DELTA("a\xFF"
                  "b\xE2\x82") FINISH,
      "a\xEF\xBF\xBD"
      "b\xEF\xBF\xBD",
      DONE, NULL),
    S("P2-307 the answer shows a stream's end",
      START DELTA("event: done\\ndata: {\\\"finished\\\":true}\\n\\n[DONE]") FINISH,
      "event: done\ndata: {\"finished\":true}\n\n[DONE]", DONE, NULL),
    S("P2-308 status events",
      START EVENT("status",
                  "{\"type\":\"response.created\",\"status\":\"in_progress\",\"response_id\":\"resp_1\"}")
          EVENT("status", "{\"text\":\"no\",\"label\":\"no\",\"delta\":\"no\",\"error\":\"no\",\"name\":"
                          "\"x\",\"content_block_type\":\"text\"}") DELTA("Hello")
              EVENT("status", "{\"status\":\"error\"}") FINISH,
      "Hello", DONE, NULL),
    S("P2-309 an OpenAI id is not the end",
      START DELTA("Hel") EVENT("openai_response_id", "{\"id\":\"resp_1\"}") DELTA("lo") FINISH, "Hello", DONE,
      NULL),
    S("P2-310 a Google id is not the end",
      START DELTA("Hel") EVENT("google_interaction_id", "{\"id\":\"v1_x\"}") DELTA("lo") FINISH, "Hello",
      DONE, NULL),
    S("P2-311 sources",
      START DELTA("Hel")
          EVENT("grounding_metadata", "{\"searchEntryPoint\":{\"delta\":\"no\"},\"delta\":\"no\"}")
              EVENT("citations", "[{\"type\":\"web\",\"url\":\"http:\\/\\/"
                                 "a.test\",\"title\":\"no\",\"cited_text\":\"no\",\"start_char_index\":1}]")
                  DELTA("lo") EVENT("done", "{\"finished\":true,\"grounding_metadata\":{\"delta\":\"no\"},"
                                            "\"citations\":[{\"title\":\"no\"}]}"),
      "Hello", DONE, NULL),
    S("P2-312 a warning",
      START DELTA("Hello") WARNING("{\"error\":\" (Incomplete: max_output_tokens)\"}") FINISH,
      "Hello<<(Incomplete: max_output_tokens)>>", DONE, NULL),
    S("P2-313 text behind a warning",
      START DELTA("Hel") WARNING("{\"error\":\" (Filtered)\"}") DELTA("lo") FINISH, "Hel<<(Filtered)>>lo",
      DONE, NULL),
    S("P2-314 text within a warning",
      START DELTA("Hel") WARNING("{\"delta\":\"lo\",\"error\":\" (Cut)\"}") FINISH, "Hello<<(Cut)>>", DONE,
      NULL),
    S("P2-314 text within a warning, behind its words",
      START DELTA("Hel") WARNING("{\"error\":\" (Cut)\",\"delta\":\"lo\"}") FINISH, "Hello<<(Cut)>>", DONE,
      NULL),
    S("P2-315 a warning is no answer", START WARNING("{\"error\":\" (Incomplete: content_filter)\"}") FINISH,
      "<<(Incomplete: content_filter)>>", E_UPSTREAM, "empty"),
    S("P2-316 two messages", START DELTA("Hello") START_OF("65f1a2b3c4d60.87654321") DELTA("world") FINISH,
      "Hello\n\nworld", DONE, NULL),
    S("P2-317 two starts before the text", START START_OF("65f1a2b3c4d60.87654321") DELTA("Hello") FINISH,
      "Hello", DONE, NULL),
    S("P2-318 a form",
      START EVENT("display_form_event",
                  "{\"form_definition\":{\"title\":\"no\",\"delta\":\"no\"},\"error\":\"no\"}") DELTA("Hello")
          FINISH,
      "Hello", DONE, NULL),
    S("P2-319 unknown events",
      START EVENT("heartbeat", "1")
          EVENT("later_version", "{\"delta\":\"no\",\"error\":\"no\",\"finished\":true}") DELTA("Hel")
              EVENT("x", "[\"no\"]") EVENT("y", "{broken") "retry: 10\nfoo: bar\n" DELTA("lo") FINISH,
      "Hello", DONE, NULL),
    S("P2-320 unknown members",
      START "data: {\"later\":{\"delta\":\"no\"},\"delta\":\"Hello\",\"n\":[1,{\"delta\":\"no\"}]}\n\n"
            "data: {\"later\":1}\n\n" FINISH,
      "Hello", DONE, NULL),
    S("P2-321 comments",
      ":\n\n: ping\n\n" START ":x\n" DELTA("Hel") ": {\"error\":1}\n\n" DELTA("lo") ":\n\n" FINISH, "Hello",
      DONE, NULL),
    S("P2-322 CRLF",
      "event: message_start\r\ndata: {\"message_id\":\"m\"}\r\n\r\ndata: {\"delta\":\"He\"}\r\n\r\ndata: "
      "{\"delta\":\"llo\"}\r\n\r\n"
      "event: done\r\ndata: {\"finished\":true}\r\n\r\n",
      "Hello", DONE, NULL),
    S("P2-323 no message_start", DELTA("Hello") FINISH, "Hello", DONE, NULL),
    S("P2-324 no text", START FINISH, "", E_UPSTREAM, "empty"),
    S("P2-325 empty text", START DELTA("") DELTA("") FINISH, "", E_UPSTREAM, "empty"),
    S("P2-331 broken off behind text", START DELTA("Hello"), "Hello", E_INCOMPLETE, "broke off"),
    S_END("P2-332 broken off, closed", START DELTA("Hello"), "Hello", E_INCOMPLETE, NULL, CUT),
    S_END("P2-333 broken off, broken", START DELTA("Hello"), "Hello", E_INCOMPLETE, NULL, RESET),
    S("P2-334 broken off within an event", START DELTA("Hello") "data: {\"delta\":\", wo", "Hello, wo",
      E_INCOMPLETE, NULL),
    S("P2-335 an id is no end", START DELTA("Hello") EVENT("openai_response_id", "{\"id\":\"resp_1\"}"),
      "Hello", E_INCOMPLETE, NULL),
    S("P2-336 broken off before the text", START EVENT("status", "{\"status\":\"in_progress\"}"), "",
      E_INCOMPLETE, NULL),
    S_END("P2-337 closed before the text", START, "", E_CLOSED, NULL, CUT),
    S_END("P2-338 closed before any event", "", "", E_CLOSED, NULL, CUT),
    S("P2-339 no event", "", "", E_UPSTREAM, "empty"),
    S("P2-340 nothing but a comment", ":     \n\n", "", E_UPSTREAM, "empty"),
    S("P2-351 error before the start", ERROR("Not now \\u2013 sorry.") FINISH, "", E_REFUSED,
      "Not now \xE2\x80\x93 sorry."),
    S("P2-352 error before the start, no done", ERROR("Not now."), "", E_REFUSED, "Not now."),
    S_END("P2-353 error before the start, silence", ERROR("Not now."), "", E_REFUSED, "Not now.", SILENCE),
    S("P2-354 error after the start", START ERROR("API Error: Bad key. (Code: invalid_api_key)"), "",
      E_UPSTREAM, "API Error: Bad key. (Code: invalid_api_key)"),
    S("P2-355 error behind text",
      START DELTA("Hel") ERROR("Connection Error: Operation timed out after 120001 ms"), "Hel", E_UPSTREAM,
      "Connection Error: Operation timed out after 120001 ms"),
    S("P2-356 error wins over done and text",
      START DELTA("Hel") ERROR(" (Error: overloaded)") DELTA("lo") FINISH, "Hel", E_UPSTREAM,
      "(Error: overloaded)"),
    S_END("P2-357 error behind text, silence", START DELTA("Hel") ERROR("Gone."), "Hel", E_UPSTREAM, "Gone.",
          SILENCE),
    S_END("P2-358 error behind text, closed", START DELTA("Hel") ERROR("Gone."), "Hel", E_UPSTREAM, "Gone.",
          CUT),
    S("P2-359 an error without words", START DELTA("Hel") EVENT("error", "{}") FINISH, "Hel", E_UPSTREAM,
      NULL),
    S("P2-360 an error that is no JSON", START DELTA("Hel") EVENT("error", "oops") FINISH, "Hel", E_UPSTREAM,
      NULL),
    S("P2-361 nothing came from the model", START ERROR("Connection error: no data received from AI."), "",
      E_UPSTREAM, "no data received from AI."),
    S("P2-362 quota",
      EVENT("error", "{\"error\":\"You have reached your quota for this period.\"," QUOTA "}") FINISH, "",
      E_RATE_LIMITED, "You have reached your quota for this period."),
    S("P2-363 quota, notice first", EVENT("error", "{" QUOTA ",\"error\":\"Limit erreicht.\"}") FINISH, "",
      E_RATE_LIMITED, "Limit erreicht."),
    S("P2-364 quota after the start", START DELTA("Hel") EVENT("error", "{\"error\":\"Over.\"," QUOTA "}"),
      "Hel", E_RATE_LIMITED, "Over."),
    S("P2-365 quota_notice: null is none",
      EVENT("error", "{\"error\":\"Not now.\",\"quota_notice\":null}") FINISH, "", E_REFUSED, "Not now."),
    S("P2-366 a quota without words of its own", EVENT("error", "{" QUOTA "}") FINISH, "", E_RATE_LIMITED,
      "Come back tomorrow."),
    S("P2-370 empty data",
      "data: \n\n" START "data:\n\ndata\n\n" DELTA("Hel") "data: \n\n" DELTA("lo") FINISH, "Hello", DONE,
      NULL),
    S("P2-371 an event that is no JSON", START DELTA("Hello") "data: {\"delta\" oops}\n\n" FINISH, "Hello",
      E_REPLY, NULL),
};

/* ---- P2-4xx: errors and recovery ---- */

static const row errors[] = {
    /* of the request that hands over the message */
    C("P2-401 empty", SAYS("400 Bad Request", "empty_data_to_cache", "Message cannot be empty."), E_REFUSED,
      "Message cannot be empty."),
    C("P2-402 image type", SAYS("400 Bad Request", "invalid_image_type", "No such image."), E_REFUSED,
      "No such image."),
    C("P2-402 image payload", SAYS("400 Bad Request", "invalid_image_payload", "No image."), E_REFUSED,
      "No image."),
    C("P2-402 too many images", SAYS("400 Bad Request", "too_many_images", "Too many."), E_REFUSED,
      "Too many."),
    C("P2-403 image too large", SAYS("413 Payload Too Large", "image_too_large", "Too large \\u2013 sorry."),
      E_REFUSED, "Too large \xE2\x80\x93 sorry."),
    C("P2-404 embedding", SAYS("403 Forbidden", "embed_not_available", "Embedding is not available."),
      E_REFUSED, "Embedding is not available."),
    C("P2-405 foreign origin", SAYS("403 Forbidden", "cors_denied", "This domain is not permitted."),
      E_REFUSED, "This domain is not permitted."),
    C("P2-406 encoding", SAYS("400 Bad Request", "json_encode_failed", "Cannot encode."), E_REFUSED,
      "Cannot encode."),
    C("P2-407 component missing", SAYS_ONLY("500 Internal Server Error", "Component missing."), E_STATUS,
      "Component missing."),
    C("P2-407 component missing", SAYS_ONLY("503 Service Unavailable", "Component missing."), E_STATUS,
      "Component missing."),
    C("P2-408 no code", SAYS_ONLY("400 Bad Request", "Nein."), E_REFUSED, "Nein."),
    C("P2-409 a refusal with status 200", SAYS("200 OK", "empty_data_to_cache", "Nein."), E_REFUSED, "Nein."),
    C("P2-410 no key", JSON("200 OK", "{\"success\":true,\"data\":{}}"), E_REPLY, NULL),
    C("P2-410 an empty key", KEY(""), E_REPLY, NULL),
    C("P2-410 a key that is no string",
      JSON("200 OK", "{\"success\":true,\"data\":{\"cache_key\":{\"x\":\"y\"}}}"), E_REPLY, NULL),
    C("P2-411 no byte", JSON("200 OK", ""), E_REPLY, NULL),
    C("P2-411 no JSON",
      HTML("200 OK",
           "<html><head><title>Hi</title></head><body><p>Under <b>construction</b>.</p></body></html>"),
      E_REPLY, "Under construction."),
    C("P2-412 maintenance",
      HTML("503 Service Unavailable", "<h1>Briefly unavailable for scheduled maintenance.</h1><p>x</p>"),
      E_STATUS, "Briefly unavailable for scheduled maintenance."),
    C("P2-413 crash",
      HTML("500 Internal Server Error", "<p>There has been a critical error on this website.</p>"), E_STATUS,
      "critical error"),
    C("P2-414 too many requests", HTML("429 Too Many Requests", "<h1>Slow down.</h1>"), E_RATE_LIMITED,
      "Slow down."),
    C("P2-414 too many requests, as JSON", SAYS_ONLY("429 Too Many Requests", "Slow down."), E_RATE_LIMITED,
      "Slow down."),
    C("P2-415 challenge", HTML("403 Forbidden", CHALLENGE), E_BLOCKED, NULL),
    C("P2-415 challenge by its header", "403 Forbidden\n" WP_HTML "|cf-mitigated: challenge\n<p>x</p>",
      E_BLOCKED, NULL),
    C("P2-416 a redirect would lose the message",
      "301 Moved Permanently\n" WP_HTML "|Location: http://www.site.test/x\n", E_STATUS,
      "redirects to www.site.test:"),
    /* of the request that fetches the answer */
    F("P2-421 no events", ASKED, "", E_REPLY, "Under construction.", PAGE, KEY(K1),
      HTML("200 OK", "<p>Under <b>construction</b>.</p>")),
    F("P2-422 crash", ASKED, "", E_STATUS, "critical error", PAGE, KEY(K1),
      HTML("500 Internal Server Error", "<p>There has been a critical error.</p>")),
    F("P2-423 challenge", ASKED, "", E_BLOCKED, NULL, PAGE, KEY(K1), HTML("403 Forbidden", CHALLENGE)),
    F("P2-424 too many requests", ASKED, "", E_RATE_LIMITED, "Slow down.", PAGE, KEY(K1),
      HTML("429 Too Many Requests", "<h1>Slow down.</h1>")),
    F("P2-425 a refusal as JSON", ASKED, "", E_REFUSED, "Nein.", PAGE, KEY(K1), SAYS_ONLY("200 OK", "Nein.")),
    R("P2-431 key missing", "Message cache key is missing."),
    R("P2-432 key unknown", "Message not found in cache."),
    R("P2-433 key expired", "Cached message has expired."),
    R("P2-434 no such bot", "Invalid chatbot specified."),
    R("P2-435 no conversation", "Conversation ID is missing."),
    R("P2-436 no session", "Session ID is missing for guest."),
    R("P2-437 not logged", "Failed to log user message."),
    R("P2-438 no API key", "API key missing for OpenAI."),
    R("P2-439 foreign origin", "This domain is not permitted to access the chatbot."),
    R("P2-440 guests shut out", "Access disabled for guests."),
    R("P2-441 banned word", "Sorry, your message could not be sent as it contains prohibited words."),
    R("P2-442 flagged", "Your message was flagged by the moderation system and could not be sent."),
    R("P2-443 banned address", "Access from your IP address has been blocked."),
    R("P2-444 form", "Form ID is missing for AI Forms stream."),
    R("P2-445 translated", "Sitzung abgelaufen."),
    /* a refused nonce */
    F("P2-451 nonce refused", "page, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K1, "Hello, world",
      DONE, NULL, PAGE, NO_NONCE, NONCE(N2), KEY(K1), ANSWER),
    F("P2-452 nonce refused, as HTML", "page, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K1,
      "Hello, world", DONE, NULL, PAGE, HTML("403 Forbidden", "The link you followed has expired."),
      NONCE(N2), KEY(K1), ANSWER),
    F("P2-453 nonce refused, as -1", "page, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K1,
      "Hello, world", DONE, NULL, PAGE, HTML("200 OK", "-1"), NONCE(N2), KEY(K1), ANSWER),
    F("P2-454 a fresh nonce refused too", "page, cache " N1 ", nonce 7, cache " N2, "", E_NONCE,
      "Your session has expired", PAGE, NO_NONCE, NONCE(N2), NO_NONCE),
    F("P2-455 the fresh nonce is the old one", "page, cache " N1 ", nonce 7", "", E_NONCE, NULL, PAGE,
      NO_NONCE, NONCE(N1)),
    F("P2-456 nonce refused, no nonce action: the page",
      "page, cache " N1 ", nonce 7, page!, cache " N2 ", stream " N2 " " K1, "Hello, world", DONE, NULL, PAGE,
      NO_NONCE, NO_ACTION, PAGE_FRESH, KEY(K1), ANSWER),
    F("P2-457 nonce refused, the page is old too", "page, cache " N1 ", nonce 7, page!", "", E_NONCE,
      "page cache", PAGE, NO_NONCE, NO_ACTION, PAGE),
    F("P2-458 nonce refused by the stream",
      "page, cache " N1 ", stream " N1 " " K1 ", nonce 7, cache " N2 ", stream " N2 " " K2, "Hello, world",
      DONE, NULL, PAGE, KEY(K1), "!" EVENTS(ERROR(SECURITY) FINISH), NONCE(N2), KEY(K2), ANSWER),
    F("P2-459 nonce refused by the stream of 2.3",
      "page, cache " N1 ", stream " N1 " " K1 ", nonce 7, page!, cache " N2 ", stream " N2 " " K2,
      "Hello, world", DONE, NULL, PAGE, KEY(K1), "!" EVENTS(ERROR("Security check failed (nonce).") FINISH),
      NO_ACTION, PAGE_FRESH, KEY(K2), ANSWER),
    F("P2-460 a fresh nonce refused by the stream",
      "page, cache " N1 ", stream " N1 " " K1 ", nonce 7, cache " N2 ", stream " N2 " " K2, "", E_REFUSED,
      "Security check failed", PAGE, KEY(K1), "!" EVENTS(ERROR(SECURITY) FINISH), NONCE(N2), KEY(K2),
      EVENTS(ERROR(SECURITY) FINISH)),
    F("P2-461 one fresh nonce a message", "page, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K1, "",
      E_REFUSED, "Security check failed", PAGE, NO_NONCE, NONCE(N2), KEY(K1), EVENTS(ERROR(SECURITY) FINISH)),
    S("P2-462 the same words after the start are the model's", START ERROR(SECURITY) FINISH, "", E_UPSTREAM,
      "Security check failed"),
    G("P2-463 nonce refused, without a page", AJAX, "7", AIPKIT,
      "nonce 7, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K1, "Hello, world", DONE, NULL,
      NONCE(N1), NO_NONCE, NONCE(N2), KEY(K1), ANSWER),
    F("P2-464 a fresh nonce is refused to us", "page, cache " N1 ", nonce 7", "", E_NONCE, NULL, PAGE,
      NO_NONCE, HTML("403 Forbidden", "No.")),
    G("P2-465 no nonce in the answer", AJAX, "7", AIPKIT, "nonce 7", "", E_REPLY, NULL,
      JSON("200 OK", "{\"success\":true,\"data\":{}}")),
    G("P2-466 no nonce but a crash", AJAX, "7", AIPKIT, "nonce 7", "", E_STATUS, "critical",
      HTML("500 Internal Server Error", "A critical error.")),
    G("P2-467 no nonce but a challenge", AJAX, "7", AIPKIT, "nonce 7", "", E_BLOCKED, NULL,
      HTML("403 Forbidden", CHALLENGE)),
    G("P2-468 no nonce but haste", AJAX, "7", AIPKIT, "nonce 7", "", E_RATE_LIMITED, "Slow",
      HTML("429 Too Many Requests", "Slow down.")),
    /* the site changed its generation */
    F("P2-471 WPAICG, now AIPKIT", "page, old " N1 ", page!, cache " N1 ", stream " N1 " " K1, "Hello, world",
      DONE, NULL, OLD_PAGE, NO_ACTION, PAGE, KEY(K1), ANSWER),
    F("P2-472 AIPKIT, now WPAICG", "page, cache " N1 ", page!, old " N1, "Hello", DONE, NULL, PAGE, NO_ACTION,
      OLD_PAGE, JSON("200 OK", WP_ANSWER)),
    F("P2-473 switched off", "page, cache " N1 ", page!", "", E_STATUS, "switched off", PAGE, NO_ACTION,
      PAGE),
    F("P2-474 gone from the page", "page, cache " N1 ", page!", "", E_PAGE, "Chat \xE2\x80\x93 Site", PAGE,
      NO_ACTION, NO_CHAT),
    F("P2-475 one look a message", "page, cache " N1 ", page!, old " N2, "", E_STATUS, NULL, PAGE, NO_ACTION,
      OLD_PAGE_FRESH, NO_ACTION),
    F("P2-476 no chat", "page", "", E_PAGE, "Chat \xE2\x80\x93 Site", NO_CHAT),
};

/* ---- asking ---- */

typedef struct result {
    chatgptt_code code;
    chatgptt_error error;
    long long ms;
    char text[2000];                /* notices in it as <<words>> */
} result;

static void take(script *s, chatgptt_stream *stream, result *r)
{
    chatgptt_event event;
    long long start = s->now;
    size_t len = 0;
    memset(r, 0, sizeof *r);
    while ((r->code = chatgptt_next(stream, &event)) == CHATGPTT_OK) {
        bool notice = event.kind == CHATGPTT_NOTICE;
        if (!cgt_utf8_valid(cgt_slice_of(event.text, event.len)))
            check_fail(__FILE__, __LINE__, "a piece of text is no whole UTF-8");
        len += (size_t)snprintf(r->text + len, sizeof r->text - len, notice ? "<<%.*s>>" : "%.*s",
                                (int)event.len, event.text);
        if (len >= sizeof r->text) abort();
    }
    r->ms = s->now - start;
    CHECK_INT(chatgptt_next(stream, &event), r->code);
    r->error = *chatgptt_stream_error(stream);
    CHECK_INT(r->error.code, r->code == CHATGPTT_DONE ? CHATGPTT_OK : r->code);
    CHECK((r->code == CHATGPTT_DONE) == (r->error.message[0] == '\0'));
    CHECK(!strstr(r->error.message, N1) && !strstr(r->error.message, N2) && !strstr(r->error.message, K1));
}

static void ask(script *s, chatgptt_client *client, const chatgptt_request *request, result *r)
{
    chatgptt_stream *stream = client ? chatgptt_start(client, request) : NULL;
    memset(r, 0, sizeof *r);
    if (stream) take(s, stream, r);
    else r->error = *chatgptt_client_error(client), r->code = r->error.code;
    chatgptt_finish(stream);
}

static void ask_text(script *s, chatgptt_client *client, chatgptt_conversation *conversation,
                     const char *prompt, result *r) {
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    request.conversation = conversation;
    ask(s, client, &request, r);
}

/* ---- the script of a list of answers ---- */

static void write_answer(script *s, const char *answer, size_t chunk, bool whole)
{
    char status[100], type[200], extra[300] = "";
    bool says = *answer == '!', closes = says || *answer == '~';
    const char *line = answer + closes, *end = strchr(line, '\n'), *next = strchr(end + 1, '\n');
    snprintf(status, sizeof status, "%.*s", (int)(end - line), line);
    snprintf(type, sizeof type, "%.*s", (int)(next - end - 1), end + 1);
    char *bar = strchr(type, '|');
    if (bar) *bar++ = '\0';
    snprintf(extra, sizeof extra, "%s%s%s", bar ? bar : "", bar ? "\r\n" : "",
             says ? "Connection: close\r\n" : "");
    script_request(s);
    script_say(s, wp_response(status, type, extra, next + 1, chunk, whole));
    if (closes && !says) script_request(s);         /* which it never answers */
    if (closes) script_end(s);
}

/* Where the last answer begins on its connection. */
static size_t write_answers(script *s, const char *const *answers, size_t chunk, row_end end)
{
    size_t begin = 0;
    wp_forget();
    script_init(s);
    script_connection(s);
    for (size_t i = 0; answers[i]; i++) {
        bool last = !answers[i + 1];
        begin = 0;
        for (int k = s->peers[s->num_peers - 1].first; k < s->num_acts; k++) begin += s->acts[k].len;
        write_answer(s, answers[i], chunk, !last || end == CLEAN);
        if (!last && (*answers[i] == '!' || *answers[i] == '~')) script_connection(s);
    }
    if (end == CUT) script_end(s);
    if (end == RESET) script_fail(s, CHATGPTT_READ, CHATGPTT_E_IO);
    return begin;
}

/* ---- what the site was asked ---- */

/* A field of the n-th request of a connection, "-" if it is missing; good for eight calls. */
static const char *field(const script *s, int connection, int n, const char *name)
{
    static char values[8][2000];
    static int turn;
    char *value = values[turn++ % 8];
    const char *got = script_field(s, connection, n, name, value, sizeof values[0]);
    return got ? got : "-";
}

static void describe_one(const script *s, int connection, int n, char *out, size_t size)
{
    char head[5000] = "", refresh[50];
    const char *action = field(s, connection, n, "action"), *nonce = field(s, connection, n, "_ajax_nonce");
    script_head(s, connection, n, head, sizeof head);
    bool get = strncmp(head, "GET ", 4) == 0, post = strncmp(head, "POST ", 5) == 0;
    bool fresh =
        script_header(s, connection, n, "Cache-Control", refresh, sizeof refresh) && strstr(head, "nocache=");
    if (get && strcmp(action, "aipkit_frontend_chat_stream") == 0)
        snprintf(out, size, "stream %s %s", nonce, field(s, connection, n, "cache_key"));
    else if (post && strcmp(action, "aipkit_cache_sse_message") == 0)
        snprintf(out, size, "cache %s", nonce);
    else if (post && strcmp(action, "aipkit_get_frontend_chat_nonce") == 0)
        snprintf(out, size, "nonce %s", field(s, connection, n, "bot_id"));
    else if (post && strcmp(action, "wpaicg_chat_shortcode_message") == 0)
        snprintf(out, size, "old %s", field(s, connection, n, "_wpnonce"));
    else if (get && strcmp(action, "-") == 0) snprintf(out, size, fresh ? "page!" : "page");
    else snprintf(out, size, "? %.100s", head);
}

static void describe(const script *s, char *out, size_t size)
{
    size_t len = 0;
    *out = '\0';
    for (int i = 0; i < s->opened; i++)
        for (int n = 0; n < script_count(s, i); n++) {
            char one[400];
            describe_one(s, i, n, one, sizeof one);
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", one);
            if (len >= size) abort();
        }
}

static bool is_id(const char *text, size_t max)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return len >= 8 && len <= max && text[len] == '\0';
}

/* What must hold of any request of this generation. */
static void check_request(const script *s, int i, int n, const char *bot, const char *message)
{
    char value[100];
    const char *action = field(s, i, n, "action"),
               *origin = script_header(s, i, n, "Origin", value, sizeof value);
    CHECK(!origin || strcmp(origin, "http://site.test") == 0);
    CHECK_STR(script_header(s, i, n, "Accept-Encoding", value, sizeof value), "identity");
    if (strcmp(action, "aipkit_cache_sse_message") == 0) {
        CHECK_STR(field(s, i, n, "message"), message);
        CHECK_STR(field(s, i, n, "bot_id"), bot);
        CHECK_STR(script_header(s, i, n, "Content-Type", value, sizeof value),
                  "application/x-www-form-urlencoded");
    }
    if (strcmp(action, "aipkit_frontend_chat_stream") == 0) {
        const char *ts = field(s, i, n, "_ts");
        CHECK_STR(field(s, i, n, "bot_id"), bot);
        CHECK(is_id(field(s, i, n, "session_id"), 64));
        CHECK(is_id(field(s, i, n, "conversation_uuid"), 36));
        CHECK(*ts && strspn(ts, "0123456789") == strlen(ts));
        CHECK_STR(field(s, i, n, "previous_openai_response_id"), "-");
        CHECK_STR(field(s, i, n, "previous_google_interaction_id"), "-");
        CHECK_STR(field(s, i, n, "message"), "-");
    }
    if (strcmp(action, "wpaicg_chat_shortcode_message") == 0) CHECK_STR(field(s, i, n, "message"), message);
}

/* Both ids are the same in all requests of one message. */
static void check_same_ids(const script *s)
{
    char session[100] = "", conversation[100] = "";
    for (int i = 0; i < s->opened; i++)
        for (int n = 0; n < script_count(s, i); n++) {
            if (strcmp(field(s, i, n, "action"), "aipkit_frontend_chat_stream") != 0) continue;
            if (session[0]) CHECK_STR(field(s, i, n, "session_id"), session);
            if (session[0]) CHECK_STR(field(s, i, n, "conversation_uuid"), conversation);
            snprintf(session, sizeof session, "%s", field(s, i, n, "session_id"));
            snprintf(conversation, sizeof conversation, "%s", field(s, i, n, "conversation_uuid"));
        }
}

/* ---- running a row ---- */

static bool play(script *s, const row *r, const char *how, size_t number)
{
    static char asked[3000];
    chatgptt_options options = script_options(s);
    result got;
    options.endpoint = r->endpoint;
    options.bot_id = r->bot_id;
    options.dialect = r->dialect;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(s, client, NULL, WP_MESSAGE, &got);
    chatgptt_close(client);
    describe(s, asked, sizeof asked);
    bool good = CHECK_STR(chatgptt_code_name(got.code), chatgptt_code_name(r->code));
    good &= CHECK_STR(asked, r->requests);
    good &= CHECK_STR(got.text, r->text);
    good &= CHECK_INT(got.ms, r->ms);
    good &= CHECK_INT(s->opened, s->num_peers);
    if (r->words && !strstr(got.error.message, r->words))
        good = check_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", got.error.message, r->words);
    if (!good) printf("    %s: %s %zu\n    %s\n", r->name, how, number, got.error.message);
    for (int i = 0; i < s->opened; i++)
        for (int n = 0; n < script_count(s, i); n++)
            check_request(s, i, n, r->bot_id ? r->bot_id : "7", WP_MESSAGE);
    check_same_ids(s);
    script_rewind(s);
    return good;
}

#define CUT_BELOW 1000              /* shorter last answers are cut everywhere */

static void play_all(const row *r, size_t step)
{
    script s;
    write_answers(&s, r->answers, 1, r->end);
    if (!play(&s, r, "chunks of", 1)) return;
    size_t begin = write_answers(&s, r->answers, 0, r->end),
           len = s.acts[s.peers[s.num_peers - 1].first + 1].len;
    for (int i = s.peers[s.num_peers - 1].first; i < s.num_acts; i++)
        if (s.acts[i].kind == SCRIPT_SEND) len = s.acts[i].len;
    if (!play(&s, r, "at once", 0)) return;
    s.read_max = 1;
    if (!play(&s, r, "reads of", 1)) return;
    s.read_max = 0;
    if (step == 1 && len >= CUT_BELOW) return;
    for (size_t i = begin + 1; i <= begin + len; i += step) {
        s.cut = i;
        if (!play(&s, r, "cut at", i)) return;
    }
}

static void run_stream(void) { play_all((const row *)wp_row, 1); }
static void run_flow(void) { play_all((const row *)wp_row, 37); }

/* ---- P2-1xx: pages ---- */

typedef struct page_row {
    const char *name, *bot_id;      /* bot_id: asked for, or NULL */
    const char *sent;               /* bot, nonce, post and endpoint of the messages; NULL: E_PAGE */
    const char *site;               /* bot|name|greeting|provider|consent */
    const char *html;
} page_row;

#define TEXT(members)       MEMBER("text", "{" Q "fullscreen" Q ":" Q "Fullscreen" Q members "}")
#define DRESSED                                                                                          \
    MEMBER("headerName", STRING("Ada \\u0022A\\u0022 \\u0026 \\u003CB\\u003E \\u0027C\\u0027 \xD0\x9F")) \
    TEXT(MEMBER("initialGreeting", STRING("Hello\\nthere! \xF0\x9F\x98\x80"))                            \
             MEMBER("consentMessage", STRING("We keep logs.")))                                          \
    MEMBER("provider", STRING("OpenAI")) MEMBER("starters", "[" Q "One" Q "," Q "Two" Q "]")
#define NAMED(name)         MEMBER("headerName", STRING(name))
#define PLAIN_SENT          "7 " N1 " 5 " AJAX
#define PLAIN_CONFIG        CONFIG("7", N1, "5", NAMED("A"))
#define RAW_CONFIG(q)                                                                                    \
    "{" q "botId" q ":7," q "ajaxUrl" q ":" q "http:\\/\\/site.test\\/wp-admin\\/admin-ajax.php" q "," q \
    "nonce" q ":" q N1 q "," q "postId" q ":5," q "headerName" q ":" q "A" q "}"
#define ELEMENT(attributes) "<div class=\"aipkit_chat_container\" " attributes "></div>"

static const page_row pages[] = {
    { "P2-101 inline", NULL, PLAIN_SENT, "7|A|||", SITE(INLINE("7", PLAIN_CONFIG)) },
    { "P2-102 popup", NULL, PLAIN_SENT, "7|A|||", SITE(POPUP("7", PLAIN_CONFIG)) },
    { "P2-103 site-wide, on no single page", NULL, "7 " N1 " - " AJAX, "7|A|||",
      SITE("<main>x</main>" POPUP("7", CONFIG("7", N1, "0", NAMED("A")))) },
    { "P2-104 two bots: the first", NULL, PLAIN_SENT, "7|A|||",
      SITE(INLINE("7", PLAIN_CONFIG) POPUP("9", CONFIG("9", N2, "6", NAMED("B")))) },
    { "P2-105 two bots: the second", "9", "9 " N2 " 6 " AJAX, "9|B|||",
      SITE(INLINE("7", PLAIN_CONFIG) POPUP("9", CONFIG("9", N2, "6", NAMED("B")))) },
    { "P2-105 two bots: the first by its id", "7", PLAIN_SENT, "7|A|||",
      SITE(INLINE("7", PLAIN_CONFIG) POPUP("9", CONFIG("9", N2, "6", NAMED("B")))) },
    { "P2-106 double quotes", NULL, PLAIN_SENT, "7|A|||", SITE(ELEMENT("data-config=\"" PLAIN_CONFIG "\"")) },
    { "P2-107 plain quotes within single ones", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config='" RAW_CONFIG("\"") "'")) },
    { "P2-108 decimal references", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config=\"" RAW_CONFIG("&#34;") "\"")) },
    { "P2-108 decimal references, zeros", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config=\"" RAW_CONFIG("&#034;") "\"")) },
    { "P2-108 hexadecimal references", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config=\"" RAW_CONFIG("&#x22;") "\"")) },
    { "P2-109 no quotes at all", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config=" RAW_CONFIG("&quot;"))) },
    { "P2-110 blanks and capitals", NULL, PLAIN_SENT, "7|A|||",
      SITE("<DIV CLASS=x Data-Config\n =\t'" PLAIN_CONFIG "' >") },
    { "P2-111 references within strings", NULL, PLAIN_SENT, "7|A&B <C> 'D' 'E'|||",
      SITE(INLINE("7", CONFIG("7", N1, "5", NAMED("A&amp;B &lt;C&gt; &#039;D&#039; &#39;E&#39;")))) },
    { "P2-112 names and greeting", NULL, PLAIN_SENT,
      "7|Ada \"A\" & <B> 'C' \xD0\x9F|Hello there! \xF0\x9F\x98\x80|OpenAI|",
      SITE(INLINE("7", CONFIG("7", N1, "5", DRESSED))) },
    { "P2-113 consent asked for", NULL, PLAIN_SENT,
      "7|Ada \"A\" & <B> 'C' \xD0\x9F|Hello there! \xF0\x9F\x98\x80|OpenAI|We keep logs.",
      SITE(INLINE("7", CONFIG("7", N1, "5", DRESSED MEMBER("requireConsentCompliance", "true")))) },
    { "P2-114 decoys", NULL, PLAIN_SENT, "7|A|||",
      SITE("<!-- " INLINE("1", CONFIG("1", N2, "5", "")) " --><textarea>" INLINE(
          "2", CONFIG("2", N2, "5", "")) "</textarea>"
                                         "<script>var x = \"<div data-config='{}'>\";</script><p "
                                         "title=\"<div data-config='{}'>\" data-config-x='{}' "
                                         "data-nonce=\"no\">" INLINE("7", PLAIN_CONFIG)) },
    { "P2-115 the first of two attributes", NULL, PLAIN_SENT, "7|A|||",
      SITE(ELEMENT("data-config='" PLAIN_CONFIG "' data-config='" CONFIG("9", N2, "6", "") "'")) },
    { "P2-116 broken, then whole", NULL, PLAIN_SENT, "7|A|||",
      SITE(INLINE("9", "{" Q "botId" Q ":9," Q "nonce" Q ":") INLINE("7", PLAIN_CONFIG)) },
    { "P2-117 without a nonce, then whole", NULL, PLAIN_SENT, "7|A|||",
      SITE(INLINE("9", "{" Q "botId" Q ":9}") INLINE("7", PLAIN_CONFIG)) },
    { "P2-118 nested members of the same names", NULL, PLAIN_SENT, "7|A|||",
      SITE(INLINE("7", "{" Q "ui" Q ":{" Q "nonce" Q ":" Q "no" Q MEMBER(
                           "botId", "1") "}," Q "list" Q ":[{" Q "postId" Q ":3}]" MEMBER("x", PLAIN_CONFIG)
                           MEMBER("botId", "7") MEMBER("nonce", STRING(N1)) MEMBER("postId", "5")
                               MEMBER("ajaxUrl", STRING("http:\\/\\/site.test\\/wp-admin\\/admin-ajax.php"))
                                   NAMED("A") "}")) },
    { "P2-119 no ajaxUrl: the usual place", NULL, PLAIN_SENT,
      "7|||"
      "|",
      SITE(INLINE("7", "{" Q "botId" Q ":7" MEMBER("nonce", STRING(N1)) MEMBER("postId", "5") "}")) },
    { "P2-120 ajaxUrl elsewhere", NULL, "7 " N1 " 5 http://cms.test:8080/wp/wp-admin/admin-ajax.php?lang=de",
      "7|||"
      "|",
      SITE(INLINE(
          "7",
          "{" Q "botId" Q ":7" MEMBER("nonce", STRING(N1)) MEMBER("postId", "5") MEMBER(
              "ajaxUrl", STRING("http:\\/\\/cms.test:8080\\/wp\\/wp-admin\\/admin-ajax.php?lang=de")) "}")) },
    { "P2-121 bot as a string", NULL, PLAIN_SENT,
      "7|||"
      "|",
      SITE(INLINE("7", "{" Q "botId" Q ":" Q "7" Q MEMBER("nonce", STRING(N1)) MEMBER("postId", "5") "}")) },
    { "P2-122 a bot whose page is of the other kind comes first", NULL, "0 - 5 " AJAX, "0||||",
      SITE(WP_CHAT(N1, "1") INLINE("7", PLAIN_CONFIG)) },
    { "P2-131 only broken ones", NULL, NULL, NULL,
      SITE(INLINE("7", "{" Q "botId" Q ":7," Q "nonce" Q ":" Q N1 Q)) },
    { "P2-132 no nonce", NULL, NULL, NULL, SITE(INLINE("7", "{" Q "botId" Q ":7}")) },
    { "P2-133 no bot", NULL, NULL, NULL, SITE(INLINE("7", "{" Q "nonce" Q ":" Q N1 Q "}")) },
    { "P2-134 the page ends within the tag", NULL, NULL, NULL, "<div data-config='" PLAIN_CONFIG "' data-x" },
    { "P2-135 JSON in another attribute", NULL, NULL, NULL,
      SITE(ELEMENT("data-configs='" PLAIN_CONFIG "' data-custom-theme='" PLAIN_CONFIG "'")) },
};

/* Bot, nonce, post and endpoint of the n-th request of a connection. */
static void describe_target(const script *s, int connection, int n, char *out, size_t size)
{
    char head[5000] = "", host[300] = "";
    script_head(s, connection, n, head, sizeof head);
    script_header(s, connection, n, "Host", host, sizeof host);
    char *path = strchr(head, ' ');
    if (!path) return;
    path++;
    path[strcspn(path, " ")] = '\0';
    char *action = strstr(path, "action=");
    if (action) action[-1] = '\0';
    bool stream = action != NULL;
    snprintf(out, size, "%s %s %s http://%s%s", field(s, connection, n, "bot_id"),
             field(s, connection, n, "_ajax_nonce"), stream ? field(s, connection, n, "post_id") : "", host,
             path);
}

static bool play_page(script *s, const page_row *r)
{
    char target[1000] = "", about[1000];
    chatgptt_options options = script_options(s);
    result got;
    options.bot_id = r->bot_id;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(s, client, NULL, "hi", &got);
    bool good = CHECK_STR(chatgptt_code_name(got.code), r->sent ? "DONE" : "E_PAGE");
    if (r->sent && good) {
        const chatgptt_site *site = chatgptt_client_site(client);
        bool old = strcmp(field(s, 1, 0, "action"), "wpaicg_chat_shortcode_message") == 0;
        CHECK_INT(site->dialect, old ? CHATGPTT_WPAICG : CHATGPTT_AIPKIT);
        snprintf(about, sizeof about, "%s|%s|%s|%s|%s", site->bot_id, site->bot_name, site->greeting,
                 site->provider, site->consent);
        describe_target(s, 1, old ? 0 : 1, target, sizeof target);
        if (old)
            snprintf(target, sizeof target, "%s - %s " AJAX, field(s, 1, 0, "bot_id"),
                     field(s, 1, 0, "post_id"));
        else CHECK_STR(field(s, 1, 0, "_ajax_nonce"), field(s, 1, 1, "_ajax_nonce"));
        if (!old) CHECK_STR(field(s, 1, 1, "action"), "aipkit_frontend_chat_stream");
        good = CHECK_STR(target, r->sent);
        good &= CHECK_STR(about, r->site);
    }
    if (!good)
        printf("    %s: reads of %zu, cut at %zu\n    %s\n", r->name, s->read_max, s->cut, got.error.message);
    chatgptt_close(client);
    script_rewind(s);
    return good;
}

static void run_page(void)
{
    const page_row *r = (const page_row *)wp_row;
    static char page[10000];
    bool old = r->sent && strstr(r->sent, " - 5 ");
    const char *answers[] = {page, old ? JSON("200 OK", WP_ANSWER) : KEY(K1), old ? NULL : ANSWER, NULL};
    script s;
    snprintf(page, sizeof page, "!200 OK\n" WP_HTML "\n%s", r->html);
    if (!r->sent) answers[1] = NULL;
    write_answers(&s, answers, 0, CLEAN);
    if (!play_page(&s, r)) return;
    s.read_max = 1;
    if (!play_page(&s, r)) return;
    s.read_max = 0;
    for (size_t i = 1; i < s.acts[1].len; i += 3) {
        s.cut = i;
        if (!play_page(&s, r)) return;
    }
}

/* A config of 8 kB with more than the client looks at, on a page of a megabyte. */
TEST(P2_123_a_long_page)
{
    static char page[(1 << 20) + 20000], filler[1 << 20], list[9000];
    size_t len = 0;
    memset(filler, 'f', sizeof filler - 1);
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s" Q "starter number %d" Q, i ? "," : "", i);
    snprintf(page, sizeof page,
             "!200 OK\n" WP_HTML "\n" SITE("%s<div data-config='{" Q "starters" Q ":[%s]" MEMBER("botId", "7")
                                               MEMBER("nonce", STRING(N1)) MEMBER("postId", "5") "}'>"),
             filler, list);
    const char *answers[] = {page, KEY(K1), ANSWER, NULL};
    const page_row r = {"P2-123", NULL, PLAIN_SENT, "7|||" "|", NULL};
    script s;
    write_answers(&s, answers, 0, CLEAN);
    play_page(&s, &r);
    s.cut = 1 << 20;
    play_page(&s, &r);
}

/* A trace goes to logs: it tells of requests, but no token. */
static void trace_no_secret(void *user, const char *what, const char *text, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        if (len - i >= 7 && memcmp(text + i, "action=", 7) == 0)
            check_fail(__FILE__, __LINE__, "%s: %.*s", what, (int)len, text);
}

/* Read as a whole, the two requests that make a message. */
TEST(P2_231_as_the_site_gets_them)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NULL};
    char head[3000], value[500];
    script s;
    result got;
    write_answers(&s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&s);
    options.hooks.trace = trace_no_secret;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, WP_MESSAGE, &got);
    chatgptt_close(client);
    CHECK_INT(got.code, CHATGPTT_DONE);
    CHECK_INT(s.opened, 1);                                 /* the page and both on one connection */
    CHECK(script_head(&s, 0, 1, head, sizeof head) &&
          strncmp(head, "POST /wp-admin/admin-ajax.php HTTP/1.1\r\n", 40) == 0);
    CHECK_STR(script_header(&s, 0, 1, "Origin", value, sizeof value), "http://site.test");
    CHECK_STR(script_header(&s, 0, 1, "Referer", value, sizeof value), "http://site.test/");
    /* what the stream's query needs is of no use here */
    CHECK_STR(field(&s, 0, 1, "session_id"), "-");
    CHECK(script_head(&s, 0, 2, head, sizeof head) &&
          strncmp(head, "GET /wp-admin/admin-ajax.php?action=aipkit_frontend_chat_stream&", 64) == 0);
    CHECK_STR(script_header(&s, 0, 2, "Accept", value, sizeof value), "text/event-stream");
    CHECK_STR(script_header(&s, 0, 2, "Content-Length", value, sizeof value), NULL);
    CHECK_STR(field(&s, 0, 2, "post_id"), "5");
    CHECK_STR(field(&s, 0, 2, "frontend_web_search_active"), "-");
    script_finish(&s);
}

/* Without a page, an Origin could only be that of the endpoint: a foreign one is refused. */
TEST(P2_232_no_foreign_origin)
{
    static const char *const answers[] = {NONCE(N1), KEY(K1), ANSWER, NULL};
    script s;
    result got;
    write_answers(&s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&s);
    options.url = "http://elsewhere.test/page";
    options.endpoint = AJAX;
    options.bot_id = "7";
    options.dialect = CHATGPTT_AIPKIT;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, "hi", &got);
    chatgptt_close(client);
    CHECK_INT(got.code, CHATGPTT_DONE);
    CHECK_STR(s.peers[0].host, "site.test");
    for (int n = 0; n < 3; n++) check_request(&s, 0, n, "7", "hi");
    script_finish(&s);
}

/* The site sets no limit of its own. */
TEST(P2_233_a_message_of_300_kB)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NULL};
    static char message[300001], sent[300001];
    script s;
    result got;
    for (size_t i = 0; i < sizeof message - 1; i++) message[i] = (char)(' ' + i % 95);
    message[0] = message[sizeof message - 2] = '%';
    write_answers(&s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, message, &got);
    chatgptt_close(client);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    CHECK(script_field(&s, 0, 1, "message", sent, sizeof sent) && strcmp(sent, message) == 0);
    script_finish(&s);
}

/* ---- tokens that age ---- */

/* Two messages, `seconds` apart: what the site is asked in all. */
static void ask_twice(const char *const *answers, long long seconds, const char *wanted)
{
    static char asked[3000];
    script s;
    result got;
    write_answers(&s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, "one", &got);
    CHECK_INT(got.code, CHATGPTT_DONE);
    s.unix_now += seconds;
    ask_text(&s, client, NULL, "two", &got);
    CHECK_INT(got.code, CHATGPTT_DONE);
    CHECK_STR(got.text, "Hello, world");
    chatgptt_close(client);
    describe(&s, asked, sizeof asked);
    CHECK_STR(asked, wanted);
    script_finish(&s);
}

TEST(P2_241_a_nonce_is_used_again)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, KEY(K2), ANSWER, NULL};
    ask_twice(answers, 11 * 3600 - 1, ASKED ", cache " N1 ", stream " N1 " " K2);
}
TEST(P2_242_an_old_nonce_is_renewed_first)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NONCE(N2), KEY(K2), ANSWER, NULL};
    ask_twice(answers, 11 * 3600 + 1, ASKED ", nonce 7, cache " N2 ", stream " N2 " " K2);
}
TEST(P2_243_an_old_nonce_and_no_nonce_action)
{
    static const char *const answers[] = {
        PAGE, KEY(K1), ANSWER, NO_ACTION, PAGE_FRESH, KEY(K2), ANSWER, NULL
    };
    ask_twice(answers, 11 * 3600 + 1, ASKED ", nonce 7, page!, cache " N2 ", stream " N2 " " K2);
}
TEST(P2_244_an_old_nonce_that_still_counts)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NONCE(N1), KEY(K2), ANSWER, NULL};
    ask_twice(answers, 11 * 3600 + 1, ASKED ", nonce 7, cache " N1 ", stream " N1 " " K2);
}
TEST(P2_245_an_old_nonce_renewed_and_refused)
{
    static const char *const answers[] = { PAGE,      KEY(K1), ANSWER, NONCE(N1), NO_NONCE,
                                           NONCE(N2), KEY(K2), ANSWER, NULL };
    ask_twice(answers, 11 * 3600 + 1,
              ASKED ", nonce 7, cache " N1 ", nonce 7, cache " N2 ", stream " N2 " " K2);
}

/* Of two messages under way at once the first that is refused gets a fresh nonce; the other takes it over. */
TEST(P2_469_one_fresh_nonce_for_two_messages)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NULL};
    static const char *const first[] = {NO_NONCE, NONCE(N2), KEY(K1), ANSWER, NULL};
    static const char *const second[] = {NO_NONCE, KEY(K2), ANSWER, NULL};
    static char asked[3000];
    chatgptt_request request;
    chatgptt_event event;
    script s;
    result got;
    write_answers(&s, answers, 0, CLEAN);
    script_accept(&s, 1);
    script_pause(&s, 100);
    for (int i = 0; second[i]; i++) write_answer(&s, second[i], 0, true);
    script_connection(&s);
    for (int i = 0; first[i]; i++) write_answer(&s, first[i], 0, true);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, "one", &got);
    memset(&request, 0, sizeof request);
    request.prompt = "two";
    chatgptt_stream *slow = chatgptt_start(client, &request), *quick = chatgptt_start(client, &request);
    CHECK_INT(chatgptt_step(slow, &event), CHATGPTT_AGAIN);
    take(&s, quick, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    take(&s, slow, &got);
    CHECK_STR(chatgptt_code_name(got.code), "DONE");
    chatgptt_close(client);
    describe(&s, asked, sizeof asked);
    CHECK_STR(asked, ASKED ", cache " N1 ", cache " N2 ", stream " N2 " " K2 ", cache " N1
                           ", nonce 7, cache " N2 ", stream " N2 " " K1);
    script_finish(&s);
}

/* ---- the stream's times ---- */

/* 2.3.93 and later begin with a comment of 4096 blanks. */
TEST(P2_341_preamble)
{
    static char body[8000];
    snprintf(body, sizeof body, EVENTS(":%4096s\n\n" GOOD), "");
    const row r = { "P2-341", NULL,  NULL, CHATGPTT_AUTO,          ASKED, "Hello, world", CHATGPTT_DONE,
                    NULL,     CLEAN, 0,    { PAGE, KEY(K1), body } };
    play_all(&r, 61);
}

/* One message behind a page, the stream being written by the case. */
static void ask_slow(script *s, chatgptt_code code, const char *text, long long ms)
{
    result got;
    chatgptt_options options = script_options(s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(s, client, NULL, "hi", &got);
    chatgptt_close(client);
    CHECK_STR(chatgptt_code_name(got.code), chatgptt_code_name(code));
    CHECK_STR(got.text, text);
    CHECK_INT(got.ms, ms);
    script_finish(s);
}

static void write_slow(script *s, int ms)
{
    static const char *const answers[] = {PAGE, KEY(K1), EVENTS(START DELTA("Hello")), NULL};
    char *rest = wp_bytes;
    write_answers(s, answers, 0, SILENCE);
    script_pause(s, ms);
    rest += wp_len;
    wp_put("%zx\r\n%s\r\n0\r\n\r\n%c", strlen(DELTA(", world") FINISH), DELTA(", world") FINISH, 0);
    script_say(s, rest);
}

/* The server waits 120 s for its model; the defaults wait longer. */
TEST(P2_342_a_slow_model)
{
    script s;
    write_slow(&s, 149000);
    ask_slow(&s, CHATGPTT_DONE, "Hello, world", 149000);
    write_slow(&s, 151000);
    ask_slow(&s, CHATGPTT_E_TIMEOUT, "Hello", 150000);
}

/* ---- P2-5xx: conversations ---- */

typedef struct talk { script s; chatgptt_client *client; result got; int asked; } talk;

/* Random bytes begin at `seed`, so that clients can differ. */
static void talk_open(talk *t, const char *const *answers, const char *client_id, unsigned char seed)
{
    memset(t, 0, sizeof *t);
    write_answers(&t->s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&t->s);
    options.client_id = client_id;
    t->s.next_random = seed;
    t->client = chatgptt_open(&options, NULL);
    t->asked = 1;                                           /* the page comes first */
}

static void talk_close(talk *t)
{
    chatgptt_close(t->client);
    script_finish(&t->s);
}

/* One turn; wanted is what the site gets as the message. */
static bool talk_say(talk *t, chatgptt_conversation *conversation, const chatgptt_message *messages,
                     size_t count, const char *wanted) {
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.messages = messages;
    request.num_messages = count;
    request.conversation = conversation;
    ask(&t->s, t->client, &request, &t->got);
    t->asked += 2;
    return CHECK_STR(chatgptt_code_name(t->got.code), "DONE") &&
           CHECK_STR(field(&t->s, 0, t->asked - 2, "message"), wanted);
}

static const char *talk_field(const talk *t, const char *name) { return field(&t->s, 0, t->asked - 1, name); }

static const chatgptt_message five[] = { { CHATGPTT_USER, "My name is \"Ada\" \\ <b>.", 0 },
                                         { CHATGPTT_ASSISTANT, "Hello, world", 0 },
                                         { CHATGPTT_USER, "\xD0\x9F\xD1\x80?", 0 },
                                         { CHATGPTT_ASSISTANT, "Hello, world", 0 },
                                         { CHATGPTT_USER, "Who am I?", 0 } };
static const char *const many[] = { PAGE,    KEY(K1), ANSWER,  KEY(K2), ANSWER,
                                    KEY(K1), ANSWER,  KEY(K2), ANSWER,  NULL };

TEST(P2_501_the_site_remembers)
{
    chatgptt_conversation one, other;
    char session[100], id[100];
    talk t;
    memset(&one, 0, sizeof one);
    memset(&other, 0, sizeof other);
    talk_open(&t, many, NULL, 0);
    if (!talk_say(&t, &one, five, 1, five[0].text)) { talk_close(&t); return; }
    snprintf(session, sizeof session, "%s", talk_field(&t, "session_id"));
    snprintf(id, sizeof id, "%s", talk_field(&t, "conversation_uuid"));
    CHECK(is_id(session, 64) && is_id(id, 36));
    for (size_t count = 3; count <= 5; count += 2) {
        talk_say(&t, &one, five, count, five[count - 1].text);
        CHECK_STR(talk_field(&t, "session_id"), session);
        CHECK_STR(talk_field(&t, "conversation_uuid"), id);
    }
    talk_say(&t, &other, five, 1, five[0].text);
    CHECK_STR(talk_field(&t, "session_id"), session);
    CHECK(is_id(talk_field(&t, "conversation_uuid"), 36) &&
          strcmp(talk_field(&t, "conversation_uuid"), id) != 0);
    talk_close(&t);
}

TEST(P2_502_no_conversation_all_folded)
{
    char session[100], id[100];
    talk t;
    talk_open(&t, many, NULL, 0);
    if (!talk_say(&t, NULL, five, 1, five[0].text)) { talk_close(&t); return; }
    snprintf(session, sizeof session, "%s", talk_field(&t, "session_id"));
    snprintf(id, sizeof id, "%s", talk_field(&t, "conversation_uuid"));
    talk_say(
        &t, NULL, five, 3,
        "User: My name is \"Ada\" \\ <b>.\nAssistant: Hello, world\nUser: \xD0\x9F\xD1\x80?\nAssistant:");
    CHECK_STR(talk_field(&t, "session_id"), session);
    CHECK(strcmp(talk_field(&t, "conversation_uuid"), id) != 0);
    talk_close(&t);
}

/* 512 bytes are all that is needed: another client goes on with them. */
TEST(P2_503_resumed_elsewhere)
{
    chatgptt_conversation kept, copy;
    char session[100], id[100], own[100];
    talk t;
    memset(&kept, 0, sizeof kept);
    talk_open(&t, many, NULL, 0);
    if (!talk_say(&t, &kept, five, 1, five[0].text)) { talk_close(&t); return; }
    snprintf(session, sizeof session, "%s", talk_field(&t, "session_id"));
    snprintf(id, sizeof id, "%s", talk_field(&t, "conversation_uuid"));
    talk_close(&t);
    memcpy(&copy, &kept, sizeof copy);
    talk_open(&t, many, NULL, 100);
    talk_say(&t, &copy, five, 3, five[2].text);
    CHECK_STR(talk_field(&t, "session_id"), session);
    CHECK_STR(talk_field(&t, "conversation_uuid"), id);
    talk_say(&t, NULL, five, 1, five[0].text);
    snprintf(own, sizeof own, "%s", talk_field(&t, "session_id"));
    CHECK(strcmp(own, session) != 0);                       /* the client's own id is another: random */
    CHECK(strcmp(talk_field(&t, "conversation_uuid"), id) != 0);
    talk_close(&t);
}

TEST(P2_504_the_guest_is_who_the_caller_says)
{
    char long_one[101];
    talk t;
    talk_open(&t, many, "ada-lovelace_1815", 0);
    talk_say(&t, NULL, five, 1, five[0].text);
    CHECK_STR(talk_field(&t, "session_id"), "ada-lovelace_1815");
    talk_close(&t);
    memset(long_one, 'x', 100);
    long_one[100] = '\0';
    talk_open(&t, many, long_one, 0);
    talk_say(&t, NULL, five, 1, five[0].text);
    CHECK(is_id(talk_field(&t, "session_id"), 64));         /* the site fails on 65 */
    talk_close(&t);
}

typedef struct id_row { const char *name, *config, *event, *openai, *google; } id_row;

#define OPENAI_ID EVENT("openai_response_id", "{\"id\":\"resp_1\"}")
#define GOOGLE_ID EVENT("google_interaction_id", "{\"id\":\"v1_X+\\/=\"}")
#define KEEPS(provider, openai, google) \
    MEMBER("provider", STRING(provider)) MEMBER("enableOpenAIConversationState", openai) \
    MEMBER("enableGoogleConversationState", google)

static const id_row ids[] = {
    { "P2-511 OpenAI's id", KEEPS("OpenAI", "true", "false"), OPENAI_ID, "resp_1", "-" },
    { "P2-512 OpenAI's id, not wanted", KEEPS("OpenAI", "false", "false"), OPENAI_ID, "-", "-" },
    { "P2-513 OpenAI's id of another provider", KEEPS("Google", "true", "false"), OPENAI_ID, "-", "-" },
    { "P2-514 Google's id", KEEPS("Google", "false", "true"), GOOGLE_ID, "-", "v1_X+/=" },
    { "P2-515 Google's id, not wanted", KEEPS("Google", "false", "false"), GOOGLE_ID, "-", "-" },
    { "P2-516 Google's id of another provider", KEEPS("OpenAI", "false", "true"), GOOGLE_ID, "-", "-" },
    { "P2-517 wanted, but none came", KEEPS("OpenAI", "true", "true"), "", "-", "-" },
    { "P2-518 the config says nothing", "", OPENAI_ID GOOGLE_ID, "-", "-" },
    { "P2-519 the newest counts", KEEPS("OpenAI", "true", "false"),
      OPENAI_ID EVENT("openai_response_id", "{\"id\":\"resp_2\"}"), "resp_2", "-" },
};

static void run_ids(void)
{
    const id_row *r = (const id_row *)wp_row;
    static char page[3000], stream[1000];
    const char *answers[] = {page, KEY(K1), stream, KEY(K2), ANSWER, KEY(K1), ANSWER, NULL};
    chatgptt_conversation kept;
    talk t;
    memset(&kept, 0, sizeof kept);
    snprintf(page, sizeof page,
             "200 OK\n" WP_HTML
             "\n" SITE("<div data-config='{" Q "botId" Q ":7" MEMBER("nonce", STRING(N1)) "%s}'>"),
             r->config);
    snprintf(stream, sizeof stream, EVENTS(START DELTA("Hello") "%s" FINISH), r->event);
    talk_open(&t, answers, NULL, 0);
    talk_say(&t, &kept, five, 1, five[0].text);
    CHECK_STR(talk_field(&t, "previous_openai_response_id"), "-");
    CHECK_STR(talk_field(&t, "previous_google_interaction_id"), "-");
    talk_say(&t, &kept, five, 3, five[2].text);
    CHECK_STR(talk_field(&t, "previous_openai_response_id"), r->openai);
    CHECK_STR(talk_field(&t, "previous_google_interaction_id"), r->google);
    talk_say(&t, NULL, five, 1, five[0].text);              /* no conversation, no past */
    CHECK_STR(talk_field(&t, "previous_openai_response_id"), "-");
    CHECK_STR(talk_field(&t, "previous_google_interaction_id"), "-");
    talk_close(&t);
}

/* A conversation is written when its turn is whole, and not before. */
TEST(P2_521_a_failed_turn_leaves_it)
{
    static const char *const answers[] = {
        PAGE, KEY(K1), ANSWER, KEY(K1), EVENTS(START DELTA("Hel") OPENAI_ID ERROR("Gone.")), NULL
    };
    static const char *const at_once[] = {PAGE, KEY(K1), EVENTS(START DELTA("Hel") OPENAI_ID), NULL};
    chatgptt_conversation kept, before;
    talk t;
    memset(&kept, 0, sizeof kept);
    before = kept;
    talk_open(&t, at_once, NULL, 0);
    ask_text(&t.s, t.client, &kept, "hi", &t.got);
    CHECK_INT(t.got.code, CHATGPTT_E_INCOMPLETE);
    CHECK(memcmp(&kept, &before, sizeof kept) == 0);
    talk_close(&t);
    talk_open(&t, answers, NULL, 0);
    ask_text(&t.s, t.client, &kept, "hi", &t.got);
    CHECK_INT(t.got.code, CHATGPTT_DONE);
    CHECK(memcmp(&kept, &before, sizeof kept) != 0);
    before = kept;
    ask_text(&t.s, t.client, &kept, "hi", &t.got);
    CHECK_INT(t.got.code, CHATGPTT_E_UPSTREAM);
    CHECK(memcmp(&kept, &before, sizeof kept) == 0);
    talk_close(&t);
}

/* Bytes that are no conversation are refused, or taken for a new one; they never reach the site. */
TEST(P2_522_bytes_that_are_no_conversation)
{
    for (int byte = 1; byte < 256; byte++) {
        chatgptt_conversation bytes;
        talk t;
        memset(&bytes, byte, sizeof bytes);
        talk_open(&t, many, NULL, 0);
        ask_text(&t.s, t.client, &bytes, "hi", &t.got);
        if (t.got.code == CHATGPTT_DONE)
            CHECK(is_id(field(&t.s, 0, 2, "session_id"), 64) &&
                  is_id(field(&t.s, 0, 2, "conversation_uuid"), 36));
        else CHECK_INT(t.got.code, CHATGPTT_E_ARGUMENT);
        talk_close(&t);
    }
}
TEST(P2_523_damaged_bytes)
{
    static const unsigned char damage[] = {0, '\n', 'A', 0xff};
    chatgptt_conversation good, bad;
    talk t;
    memset(&good, 0, sizeof good);
    talk_open(&t, many, NULL, 0);
    talk_say(&t, &good, five, 1, five[0].text);
    talk_close(&t);
    for (size_t i = 0; i < sizeof good * sizeof damage; i++) {
        bad = good;
        bad.opaque[i / sizeof damage] = damage[i % sizeof damage];
        talk_open(&t, many, NULL, 0);
        ask_text(&t.s, t.client, &bad, "hi", &t.got);
        if (t.got.code == CHATGPTT_DONE)
            CHECK(strlen(field(&t.s, 0, 2, "session_id")) <= 64 &&
                  strlen(field(&t.s, 0, 2, "conversation_uuid")) <= 36);
        else CHECK_INT(t.got.code, CHATGPTT_E_ARGUMENT);
        talk_close(&t);
    }
}

/* What the old generation was told, the new one does not remember: all is said once more. */
TEST(P2_531_the_site_changes_within_a_conversation)
{
    static const char *const answers[] = {
        OLD_PAGE, JSON("200 OK", WP_ANSWER), NO_ACTION, PAGE, KEY(K1), ANSWER, KEY(K2), ANSWER, NULL
    };
    chatgptt_conversation kept;
    talk t;
    memset(&kept, 0, sizeof kept);
    talk_open(&t, answers, NULL, 0);
    ask_text(&t.s, t.client, &kept, five[0].text, &t.got);
    CHECK_INT(t.got.code, CHATGPTT_DONE);
    t.asked = 4;                                            /* page, message, the same once more, page */
    talk_say(
        &t, &kept, five, 3,
        "User: My name is \"Ada\" \\ <b>.\nAssistant: Hello, world\nUser: \xD0\x9F\xD1\x80?\nAssistant:");
    talk_say(&t, &kept, five, 5, five[4].text);
    talk_close(&t);
}

/* ---- P2-6xx: traps ---- */

typedef struct trap_row {
    const char *name, *message;
    enum { AS_IT_IS, IN_FRONT, EITHER, NOT_SENT } how;
} trap_row;

static const trap_row traps[] = {
    {"P2-601 a form's JSON", "{\"stream_context\":\"ai_forms\",\"x\":1}", IN_FRONT},
    {"P2-601 a form's JSON, null", "{\"stream_context\":null}", IN_FRONT},
    {"P2-601 a form's JSON behind blanks", " \r\n\t{ \"a\":[{}], \"stream_context\" : {} }\n", IN_FRONT},
    {"P2-601 a form's JSON, escaped", "{\"a\":\"\\\"}\",\"str\\u0065am_context\":1}", IN_FRONT},
    {"P2-602 other JSON", "{\"stream_contexts\":1,\"x\":\"stream_context\"}", EITHER},
    {"P2-602 other JSON, deeper", "{\"a\":{\"stream_context\":1}}", EITHER},
    {"P2-602 other JSON, without the word", "{\"a\":1}", AS_IT_IS},
    {"P2-602 a list", "[{\"stream_context\":1}]", AS_IT_IS},
    {"P2-602 a string", "\"stream_context\"", AS_IT_IS},
    {"P2-603 JSON and more", "{\"stream_context\":1} what is this?", EITHER},
    {"P2-603 JSON, not whole", "{\"stream_context\":1", EITHER},
    {"P2-603 words and JSON", "What is {\"stream_context\":1}", AS_IT_IS},
    {"P2-604 characters", WP_MESSAGE, AS_IT_IS},
    {"P2-604 a number", "00", AS_IT_IS},
    {"P2-605 zero", "0", NOT_SENT},
    {"P2-605 zero among blanks", " 0\n", NOT_SENT},
    {"P2-606 empty", "", NOT_SENT},
    {"P2-606 blanks", " \t\r\n\v\xC2\xA0\xE3\x80\x80", NOT_SENT},
    {"P2-607 invalid UTF-8", "a\xFF", NOT_SENT},
    {"P2-607 cut UTF-8", "a\xE2\x82", NOT_SENT},
    {"P2-607 surrogate", "\xED\xA0\x80", NOT_SENT},
    {"P2-607 overlong", "\xC0\xAF", NOT_SENT},
};

static void run_trap(void)
{
    static const char *const answers[] = {PAGE, KEY(K1), ANSWER, NULL};
    const trap_row *r = (const trap_row *)wp_row;
    script s;
    result got;
    write_answers(&s, answers, 0, CLEAN);
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    ask_text(&s, client, NULL, r->message, &got);
    chatgptt_close(client);
    CHECK_STR(chatgptt_code_name(got.code), r->how == NOT_SENT ? "E_ARGUMENT" : "DONE");
    const char *sent = r->how == NOT_SENT ? "" : field(&s, 0, 1, "message");
    if (r->how == NOT_SENT) CHECK_INT(s.opened, 0);
    if (r->how == AS_IT_IS) CHECK_STR(sent, r->message);
    /* no character of JSON */
    if (r->how == IN_FRONT || (r->how == EITHER && strcmp(sent, r->message) != 0)) {
        size_t front = strlen(sent) - strlen(r->message), at = strspn(sent, " \t\r\n\v\f");
        CHECK(strlen(sent) > strlen(r->message) && front <= 8);
        CHECK_STR(sent + front, r->message);
        CHECK(strchr("{[\"-0123456789tfn", sent[at]) == NULL);
    }
    script_finish(&s);
}

int main(void)
{
    WP_RUN(pages, run_page);
    RUN(P2_123_a_long_page);
    WP_RUN(requests, run_flow);
    RUN(P2_231_as_the_site_gets_them);
    RUN(P2_232_no_foreign_origin);
    RUN(P2_233_a_message_of_300_kB);
    RUN(P2_241_a_nonce_is_used_again);
    RUN(P2_242_an_old_nonce_is_renewed_first);
    RUN(P2_243_an_old_nonce_and_no_nonce_action);
    RUN(P2_244_an_old_nonce_that_still_counts);
    RUN(P2_245_an_old_nonce_renewed_and_refused);
    WP_RUN(streams, run_stream);
    RUN(P2_341_preamble);
    RUN(P2_342_a_slow_model);
    WP_RUN(errors, run_flow);
    RUN(P2_469_one_fresh_nonce_for_two_messages);
    RUN(P2_501_the_site_remembers);
    RUN(P2_502_no_conversation_all_folded);
    RUN(P2_503_resumed_elsewhere);
    RUN(P2_504_the_guest_is_who_the_caller_says);
    WP_RUN(ids, run_ids);
    RUN(P2_521_a_failed_turn_leaves_it);
    RUN(P2_522_bytes_that_are_no_conversation);
    RUN(P2_523_damaged_bytes);
    RUN(P2_531_the_site_changes_within_a_conversation);
    WP_RUN(traps, run_trap);
    return check_report("test_aipkit");
}
