/* test_wpaicg_reply.c - every reply of the older plugin generation, as the protocol's sections on replies,
   errors and assistants have it: a row a fact. P1-3xx: replies, P1-4xx: errors and limits, P1-5xx:
   assistants. Each row runs behind a page that says "streaming" and one that says "not", at once, in chunks
   and reads of one byte, and, if it is short, cut at every position. */
#define CHATGPTT_IMPLEMENTATION
#include "wpaicg.h"

typedef enum row_end {
    CLEAN,                          /* the zero chunk, and the connection stays open */
    CUT,                            /* the connection closes without a zero chunk */
    RESET,                          /* the connection breaks */
    SILENCE                         /* nothing more, and the connection stays open */
} row_end;

typedef struct row {
    const char *name, *type, *body;
    const char *text;               /* handed out, before an error too */
    chatgptt_code code;
    const char *words;              /* part of the error's message */
    row_end end;
    int ms;                         /* from the start to the end */
} row;

#define E(name, body, text, code, words) \
    { name " (events)", WP_EVENTS, body, text, CHATGPTT_##code, words, CLEAN, 0 }
#define E_END(name, body, text, code, words, end, ms) \
    { name " (events)", WP_EVENTS, body, text, CHATGPTT_##code, words, end, ms }
#define J(name, body, text, code, words) \
    { name " (json)", WP_JSON, body, text, CHATGPTT_##code, words, CLEAN, 0 }
#define J_END(name, body, text, code, words, end) \
    { name " (json)", WP_JSON, body, text, CHATGPTT_##code, words, end, 0 }
#define H(name, body, text, code, words) \
    { name " (html)", WP_HTML, body, text, CHATGPTT_##code, words, CLEAN, 0 }

/* ---- pieces of event streams ---- */

#define DATA(json)      "data: " json "\n\n"
#define CHUNK(choice)   DATA("{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[" choice "]}")
#define ROLE CHUNK("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}")
#define DELTA(content)  CHUNK("{\"index\":0,\"delta\":{\"content\":\"" content "\"},\"finish_reason\":null}")
#define STOP            CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}")
#define START           "{\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\""
#define AGAIN(content)  DATA(START content "\"}}]}")
#define DONE            DATA("[DONE]")
#define ANSWER          ROLE DELTA("Hello") DELTA(", world") STOP DONE

#define WORD(word)      "event: message\n" DATA("{\"choices\":[{\"delta\":{\"content\":\" " word "\"}}]}")
#define BARE_STOP       DATA("{\"choices\":[{\"finish_reason\":\"stop\"}]}")
#define DRESSED         WORD("Incorrect") WORD("API") WORD("key.") BARE_STOP

#define EVENT(name, data)   "event: " name "\ndata: " data "\n\n"
#define THREAD          EVENT("thread_id", "thread_Ab1")
#define SPOKEN(word)                                                                      \
    EVENT("thread.message.delta",                                                         \
          "{\"id\":\"msg_1\",\"object\":\"thread.message.delta\",\"delta\":{\"content\":" \
          "[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\"" word "\",\"annotations\":[]}}]}}")
#define END_EVENT       EVENT("done", "[DONE]")

#define GREETING "\"greeting_message\":\"Converse as if you were an AI assistant. \\\"data\\\":\\\"x\\\"\""
#define SUCCESS(rest)   "{\"status\":\"success\",\"msg\":\"Something went wrong\"," GREETING "," rest "}"
#define NOTICE "<br />\n<b>Notice</b>:  Undefined index: a in <b>/srv/x.php</b> on line <b>3</b><br />\n"
#define PAGE_502                                                                              \
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad " \
    "Gateway</h1></center>\r\n"                                                               \
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

static const row replies[] = {
    /* 3.1 */
    J("P1-301 success", SUCCESS("\"data\":\"Hello\",\"log\":false"), "Hello", DONE, NULL),
    J("P1-302 success, no ASCII",
      SUCCESS("\"data\":\"\\u041f\\u0440 \\ud83d\\ude00 a\\/b \\u20ac\\n\\t\\\"q\\\" \\\\ "
              "\xC3\xA9\",\"log\":false"),
      "\xD0\x9F\xD1\x80 \xF0\x9F\x98\x80 a/b \xE2\x82\xAC\n\t\"q\" \\ \xC3\xA9", DONE, NULL),
    J("P1-303 success, data is empty", SUCCESS("\"data\":\"\",\"log\":false"), "", E_UPSTREAM, "empty"),
    J("P1-304 success, log is a number", SUCCESS("\"data\":\"Hello\",\"log\":4711"), "Hello", DONE, NULL),
    J("P1-305 success of an assistant",
      SUCCESS("\"data\":\"Hello\",\"log\":false,\"thread_id\":\"thread_Ab1\""), "Hello", DONE, NULL),
    J("P1-306 success, the answer shows a stream's end",
      SUCCESS("\"data\":\"say data: [DONE]\\n\\ndata: {}\",\"log\":false"), "say data: [DONE]\n\ndata: {}",
      DONE, NULL),
    J("P1-307 data is missing", SUCCESS("\"log\":false"), "", E_REPLY, "no answer"),
    J("P1-308 data is null", SUCCESS("\"data\":null"), "", E_REPLY, NULL),
    J("P1-308 data is a number", SUCCESS("\"data\":42"), "", E_REPLY, NULL),
    J("P1-308 data is false", SUCCESS("\"data\":false"), "", E_REPLY, NULL),
    J("P1-308 data is an object", SUCCESS("\"data\":{\"data\":\"x\"}"), "", E_REPLY, NULL),
    J("P1-308 data is an array", SUCCESS("\"data\":[\"x\"]"), "", E_REPLY, NULL),
    J("P1-309 only keys of the top level count",
      "{\"a\":{\"status\":\"error\",\"data\":\"no\",\"tokenLimitReached\":true},\"b\":[{\"data\":\"no\"}],"
      "\"status\":\"success\",\"data\":\"Hello\"}",
      "Hello", DONE, NULL),
    J("P1-310 behind a byte order mark", "\xEF\xBB\xBF" WP_ANSWER, "Hello", DONE, NULL),
    J("P1-311 behind blanks", "\n\r\n \t" WP_ANSWER, "Hello", DONE, NULL),
    J("P1-312 behind PHP notices", NOTICE NOTICE WP_ANSWER, "Hello", DONE, NULL),
    H("P1-312 behind PHP notices", NOTICE WP_ANSWER, "Hello", DONE, NULL),
    J("P1-313 behind HTML with braces", "<style>p{color:red} a { }</style>{closure} {x" WP_ANSWER, "Hello",
      DONE, NULL),
    J("P1-314 before a cache's comment", WP_ANSWER "\n<!-- cached {\"status\":\"error\"} -->", "Hello", DONE,
      NULL),
    J("P1-315 the first object counts", WP_ANSWER "{\"status\":\"error\",\"msg\":\"no\"}", "Hello", DONE,
      NULL),
    J("P1-316 blanks within", "{ \n \"status\" : \"success\" ,\n\t\"data\" : \"Hello\" }", "Hello", DONE,
      NULL),
    J("P1-317 invalid UTF-8 in the answer",
      SUCCESS("\"data\":\"a\xFF"
              "b\xE2\x82\""),
      "a\xEF\xBF\xBD"
      "b\xEF\xBF\xBD",
      DONE, NULL),
    J("P1-318 no byte", "", "", E_REPLY, NULL),
    H("P1-319 no JSON",
      "<html><head><title>Hi</title></head><body><p>Under <b>construction</b>.</p></body></html>", "",
      E_REPLY, "Under construction."),
    J("P1-320 broken JSON", "{\"status\":\"success\",\"data\" \"Hello\"}", "", E_REPLY, NULL),
    J("P1-321 ends cleanly within the answer", "{\"status\":\"success\",\"data\":\"Hel", "Hel", E_INCOMPLETE,
      "broke off"),
    J("P1-322 ends cleanly behind the answer", "{\"status\":\"success\",\"data\":\"Hello\",\"log\"", "Hello",
      E_INCOMPLETE, NULL),
    J("P1-323 ends cleanly before the answer", "{\"status\":\"success\",\"da", "", E_REPLY, NULL),
    J_END("P1-324 closed within the answer", "{\"status\":\"success\",\"data\":\"Hel", "Hel", E_INCOMPLETE,
          NULL, CUT),
    J_END("P1-325 broken within the answer", "{\"status\":\"success\",\"data\":\"Hel", "Hel", E_INCOMPLETE,
          NULL, RESET),
    J_END("P1-326 closed before the answer", "{\"status\":\"success\",\"da", "", E_CLOSED, NULL, CUT),
    J_END("P1-327 silence behind the object", WP_ANSWER, "Hello", DONE, NULL, SILENCE),

    /* 3.2 */
    E("P1-331 a stream", ANSWER, "Hello, world", DONE, NULL),
    E_END("P1-332 [DONE], then silence", ANSWER, "Hello, world", DONE, NULL, SILENCE, 0),
    E_END("P1-333 [DONE], then closed", ANSWER, "Hello, world", DONE, NULL, CUT, 0),
    E("P1-334 the least of keys", DATA("{\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}") DONE, "Hello",
      DONE, NULL),
    E("P1-335 no delta, no content, content null",
      CHUNK("{\"finish_reason\":null}") CHUNK("{\"delta\":{}}") CHUNK("{\"delta\":{\"content\":null}}")
          CHUNK("") DELTA("Hello") BARE_STOP DONE,
      "Hello", DONE, NULL),
    E("P1-336 raw UTF-8 and pairs",
      ROLE DELTA("\xD0\x9F\xF0\x9F\x98\x80") DELTA("\\ud83d\\ude00\\u0416") STOP DONE,
      "\xD0\x9F\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xD0\x96", DONE, NULL),
    E("P1-337 a pair split over two deltas", DELTA("a\\ud83d") DELTA("\\ude00b") STOP DONE,
      "a\xF0\x9F\x98\x80"
      "b",
      DONE, NULL),
    E("P1-338 half a pair", DELTA("a\\ud83d") DELTA("b\\ude00") STOP DONE,
      "a\xEF\xBF\xBD"
      "b\xEF\xBF\xBD",
      DONE, NULL),
    E("P1-339 CRLF",
      "data: {\"choices\":[{\"delta\":{\"content\":\"He\"}}]}\r\n\r\ndata: "
      "{\"choices\":[{\"delta\":{\"content\":\"llo\"}}]}\r\n\r\n"
      "data: [DONE]\r\n\r\n",
      "Hello", DONE, NULL),
    E("P1-340 comments", ": ping\n\n:\n" DELTA("Hel") ": {\"error\":1}\n\n" DELTA("lo") ":\n" STOP DONE,
      "Hello", DONE, NULL),
    E("P1-341 no blank behind the colon",
      "data:{\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\ndata:[DONE]\n\n", "Hello", DONE, NULL),
    E("P1-342 finish_reason without [DONE]", ROLE DELTA("Hello") STOP, "Hello", DONE, NULL),
    E("P1-343 other finish_reason", DELTA("Hello") CHUNK("{\"delta\":{},\"finish_reason\":\"length\"}"),
      "Hello", DONE, NULL),
    E("P1-344 [DONE] without finish_reason", DELTA("Hello") DONE, "Hello", DONE, NULL),
    E("P1-345 [DONE] without its blank line", DELTA("Hello") "data: [DONE]\n", "Hello", DONE, NULL),
    E("P1-346 [DONE] without its line's end", DELTA("Hello") "data: [DONE]", "Hello", DONE, NULL),
    E_END("P1-347 finish_reason, then silence", ROLE DELTA("Hello") STOP, "Hello", DONE, NULL, SILENCE, 1000),
    E_END("P1-348 finish_reason, then closed", ROLE DELTA("Hello") STOP, "Hello", DONE, NULL, CUT, 0),
    E_END("P1-349 finish_reason, then broken", ROLE DELTA("Hello") STOP, "Hello", DONE, NULL, RESET, 0),
    E("P1-350 the old completions' text",
      DATA("{\"id\":\"c1\",\"choices\":[{\"text\":\"Hel\",\"finish_reason\":null}]}")
          DATA("{\"id\":\"c1\",\"choices\":[{\"text\":\"lo\",\"finish_reason\":\"stop\"}]}") DONE,
      "Hello", DONE, NULL),
    E("P1-351 [DONE] within the answer",
      DELTA("data: [DONE]") DELTA("\\n\\ndata: [DONE]\\n\\n") DELTA("x") STOP DONE,
      "data: [DONE]\n\ndata: [DONE]\n\nx", DONE, NULL),
    E("a line of JSON within an event",
      DELTA("Hello") "data: {\"id\":\"c1\",\n{\"a\":1}\n"
                     "data: \"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n" DONE,
      "Hello", E_REPLY, "an event is not JSON"),
    E("a line of JSON within an event, with words",
      DELTA("Hello") "data: {\"id\":\"c1\",\n{\"error\":{\"message\":\"No more.\"}}\ndata: \"x\":1}\n\n" DONE,
      "Hello", E_UPSTREAM, "No more."),
    E("a line of JSON within a dressed error's event",
      WORD("Bad") WORD("call.") "data: {\"a\":\n{\"a\":1}\ndata: 1}\n\n" BARE_STOP, "", E_UPSTREAM,
      "Bad call."),
    E("a line of JSON between events", DELTA("Hello") "{\"a\":1}\n" DELTA(", world") STOP DONE,
      "Hello, world", DONE, NULL),
    E("begins as the one before, and ends with an error",
      AGAIN("a") DATA(START "b\"}}],\"error\":{\"message\":\"No more.\"}}") DONE, "ab", E_UPSTREAM,
      "No more."),
    E("begins so, and is cut", AGAIN("a") DATA(START "b") DONE, "ab", E_REPLY, "an event is not JSON"),
    E("begins so, in an event with a name",
      AGAIN("a") AGAIN("b") EVENT("remark", START "c\"}}]}") AGAIN("d") DONE, "abd", DONE, NULL),
    E("begins so but for one byte",
      AGAIN("a") AGAIN("b") DATA("{\"id\":\"c1\",\"choices\":[{\"delta\":{\"contend\":\"c\"}}]}")
          AGAIN("d") DONE,
      "abd", DONE, NULL),
    E("begins so with escapes",
      DATA("{\"i\\u0064\":\"\\u0041\",\"choices\":[{\"delta\":{\"content\":\"a\\n\"}}]}")
          DATA("{\"i\\u0064\":\"\\u0041\",\"choices\":[{\"delta\":{\"content\":\"\\tb\"}}]}")
              DATA("{\"id\":\"A\",\"choices\":[{\"delta\":{\"content\":\"c\"}}]}") DONE,
      "a\n\tbc", DONE, NULL),
    E("begins so, within a surrogate pair",
      AGAIN("a") AGAIN("\\ud83d") AGAIN("\\ude00") AGAIN("\\ud83d") AGAIN("b") DONE,
      "a\xF0\x9F\x98\x80\xEF\xBF\xBD"
      "b",
      DONE, NULL),
    E("begins so, with two texts",
      DATA("{\"choices\":[{\"text\":\"a\",\"delta\":{\"content\":\"b\"}}]}")
          DATA("{\"choices\":[{\"text\":\"a\",\"delta\":{\"content\":\"c\"}}]}")
              DATA("{\"choices\":[{\"text\":\"\",\"delta\":{\"content\":\"d\"}}]}") DONE,
      "abacd", DONE, NULL),
    E("begins so, with words of its own",
      DATA("{\"message\":\"hm\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}")
          DATA("{\"message\":\"hm\",\"choices\":[{\"delta\":{\"content\":\"b\"}}],"
               "\"pineconeError\":true}") DONE,
      "ab", E_UPSTREAM, "hm"),
    E("begins so, finish_reason before the text",
      DATA("{\"choices\":[{\"finish_reason\":null,\"delta\":{\"content\":\"a\"}}]}")
          DATA("{\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"b\"}}]}")
              DATA("{\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"c\"}}]}"),
      "abc", DONE, NULL),
    E("begins so, with its key once more",
      AGAIN("a")
          DATA(START "b\",\"content\":\"x\"},\"delta\":{\"content\":\"y\"}}],\"id\":3}") AGAIN("c") DONE,
      "abc", DONE, NULL),
    E("begins and ends so, with a key in what looks like the text",
      AGAIN("a") AGAIN("b\",\"x\":\"c") AGAIN("d\\n\",\"x\":\"e") AGAIN("") AGAIN("f") DONE, "abd\nf", DONE,
      NULL),
    E("begins and ends so, with escapes and other letters",
      AGAIN("a") AGAIN("\\u00e9\\\"") AGAIN("\xC3\xA9\\\\") AGAIN("\xFF") AGAIN("\\/") DONE,
      "a\xC3\xA9\"\xC3\xA9\\\xEF\xBF\xBD/", DONE, NULL),
    E("begins and ends so, but its quote is escaped", AGAIN("a") AGAIN("b\\") DONE, "ab\"}}]}",
      E_REPLY, "an event is not JSON"),
    E("begins and ends so, with a control character", AGAIN("a") AGAIN("b\tc") DONE, "ab", E_REPLY,
      "an event is not JSON"),
    E("begins and ends so, with a bad escape", AGAIN("a") AGAIN("\\x") DONE, "a", E_REPLY,
      "an event is not JSON"),
    E("begins and ends so, with more behind it",
      AGAIN("a") DATA(START "b\"}}]} x") DATA(START "c\"}}]}\ndata: y") AGAIN("d") DONE, "abcd", DONE, NULL),
    E("begins and ends so, with text at its end, too",
      DATA(START "a\"},\"text\":\"b\"}]}") DATA(START "c\"},\"text\":\"b\"}]}") AGAIN("d") DONE,
      "abcbd", DONE, NULL),
    E("begins and ends so, with an end that varies",
      DATA(START "a\"}}],\"x\":\"1\"}") DATA(START "b\"}}],\"x\":\"22\"}") DATA(START "c\"}}],\"x\":\"22\"}")
          DATA(START "d\"}}],\"modflag\":false}") AGAIN("e") DONE,
      "abcde", DONE, NULL),
    E("begins and ends so, with words at its end",
      DATA(START "a\"}}],\"message\":\"hm\"}") DATA(START "b\"}}],\"message\":\"hm\"}")
          DATA("{\"pineconeError\":true}") DONE,
      "ab", E_UPSTREAM, ""),
    E("begins and ends so, finished each time",
      DATA(START "a\"},\"finish_reason\":\"stop\"}]}") DATA(START "b\"},\"finish_reason\":\"stop\"}]}"), "ab",
      DONE, NULL),
    E("P1-352 text and finish_reason in one event",
      CHUNK("{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}"), "Hello", DONE, NULL),
    E("P1-353 error: null is none",
      DATA("{\"id\":\"c1\",\"error\":null,\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}") DONE, "Hello",
      DONE, NULL),
    E("P1-354 invalid UTF-8",
      DELTA("a\xFF"
            "b") DONE,
      "a\xEF\xBF\xBD"
      "b",
      DONE, NULL),
    E("P1-358 behind PHP notices", NOTICE ANSWER, "Hello, world", DONE, NULL),
    E("P1-359 before a PHP notice", ROLE DELTA("Hello") STOP NOTICE, "Hello", DONE, NULL),
    E("P1-361 drop within a line, clean end", ROLE DELTA("Hello") "data: {\"id\":\"c1\",\"choices\":[{\"ind",
      "Hello", E_INCOMPLETE, "broke off"),
    E("P1-362 drop within the text, clean end",
      DELTA("Hello") "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\", wo", "Hello, wo",
      E_INCOMPLETE, NULL),
    E("P1-363 drop within a line, closed", DELTA("Hello") "data: {\"id\":", "Hello", E_INCOMPLETE, NULL),
    E("P1-364 drop behind an event, clean end", ROLE DELTA("Hello"), "Hello", E_INCOMPLETE, NULL),
    E_END("P1-365 drop behind an event, closed", ROLE DELTA("Hello"), "Hello", E_INCOMPLETE, NULL, CUT, 0),
    E_END("P1-366 drop behind an event, broken", ROLE DELTA("Hello"), "Hello", E_INCOMPLETE, NULL, RESET, 0),
    E_END("P1-367 drop before any event", "", "", E_CLOSED, NULL, CUT, 0),
    E("P1-370 drop behind the role", ROLE, "", E_INCOMPLETE, NULL),
    E("P1-368 an answer without text", ROLE STOP DONE, "", E_UPSTREAM, "empty"),
    E("P1-369 an event that is no JSON", DELTA("Hello") DATA("{\"id\":\"c1\",\"choices\" oops}") STOP DONE,
      "Hello", E_REPLY, NULL),

    /* 4: flags */
    E("P1-401 token limit",
      DATA("{\"msg\":\"You have reached your token limit.\",\"tokenLimitReached\":true}"), "", E_RATE_LIMITED,
      "You have reached your token limit."),
    J("P1-401 token limit", "{\"msg\":\"You have reached your token limit.\",\"tokenLimitReached\":true}", "",
      E_RATE_LIMITED, "You have reached your token limit."),
    J("P1-402 token limit, flag first, translated",
      "{\"tokenLimitReached\":true,\"msg\":\"Limit erreicht \\u2013 \\ud83d\\ude00\"}", "", E_RATE_LIMITED,
      "Limit erreicht \xE2\x80\x93 \xF0\x9F\x98\x80"),
    E("P1-403 banned word, then an answer",
      DATA("{\"msg\":\"Your message contains prohibited words.\",\"messageFlagged\":true}") ANSWER, "",
      E_REFUSED, "Your message contains prohibited words."),
    E("P1-404 two banned words, then an answer",
      DATA("{\"msg\":\"Prohibited.\",\"messageFlagged\":true}")
          DATA("{\"msg\":\"Again.\",\"messageFlagged\":true}") ANSWER,
      "", E_REFUSED, "Prohibited."),
    J("P1-403 banned word", "{\"status\":\"error\",\"msg\":\"Your message contains prohibited words.\"}", "",
      E_REFUSED, "Your message contains prohibited words."),
    E("P1-405 banned IP, then an answer",
      DATA("{\"msg\":\"You are not allowed to access this feature.\",\"ipBanned\":true}") ANSWER, "",
      E_REFUSED, "You are not allowed to access this feature."),
    J("P1-405 banned IP", "{\"status\":\"error\",\"msg\":\"You are not allowed to access this feature.\"}",
      "", E_REFUSED, "You are not allowed"),
    E("P1-406 modflag, then an answer", DATA("{\"modflag\":true,\"msg\":\"Moderated.\"}") ANSWER, "",
      E_REFUSED, "Moderated."),
    J("P1-406 modflag", "{\"msg\":\"Moderated.\",\"modflag\":true}", "", E_REFUSED, "Moderated."),
    E("P1-407 pineconeError, then an answer", DATA("{\"msg\":\"No index.\",\"pineconeError\":true}") ANSWER,
      "", E_UPSTREAM, "No index."),
    J("P1-407 pineconeError", "{\"status\":\"error\",\"msg\":\"No index.\",\"pineconeError\":true}", "",
      E_UPSTREAM, "No index."),

    /* 4: the model's errors */
    E("P1-411 dressed error, twice", DRESSED DRESSED, "", E_UPSTREAM, "Incorrect API key."),
    E("P1-412 dressed error, then silence", DRESSED, "", E_UPSTREAM, "Incorrect API key."),
    E_END("P1-413 dressed error, silence", DRESSED, "", E_UPSTREAM, "Incorrect API key.", SILENCE, 0),
    E("P1-414 dressed error with quotes", WORD("No") WORD("\"gpt-5\"") WORD("model.") BARE_STOP, "",
      E_UPSTREAM, "model."),
    E("P1-414 dressed error, quotes in the first word",
      WORD("\"gpt-5\"") WORD("is") WORD("unknown.") BARE_STOP, "", E_UPSTREAM, "is unknown."),
    E("P1-415 dressed error with a newline", WORD("Bad") WORD("va\nlue:") WORD("model.") BARE_STOP, "",
      E_UPSTREAM, "model."),
    E("P1-415 dressed error with a blank line", WORD("Bad") WORD("va\n\nlue:") WORD("model.") BARE_STOP, "",
      E_UPSTREAM, "model."),
    E("P1-415 dressed error with a line like JSON", WORD("Bad") WORD("va\n{lue:") WORD("model.") BARE_STOP,
      "", E_UPSTREAM, "Bad"),
    E("P1-416 dressed error with a backslash", WORD("Bad") WORD("C:\\path") WORD("model.") BARE_STOP, "",
      E_UPSTREAM, "model."),
    E("P1-417 dressed error ends in [LIMITED]", WORD("Bad") WORD("call.") DATA("[LIMITED]"), "", E_UPSTREAM,
      "Bad call."),
    E("P1-417 dressed error ends in a named [LIMITED]",
      WORD("Bad") WORD("call.") "event: message\n" DATA("[LIMITED]") ANSWER, "", E_UPSTREAM, "Bad call."),
    E("P1-418 dressed error without an end", WORD("Bad") WORD("call."), "", E_UPSTREAM, "Bad call."),
    E_END("P1-418 dressed error, closed", WORD("Bad") WORD("call."), "", E_UPSTREAM, "Bad call.", CUT, 0),
    E("P1-419 dressed error in one word", WORD("Unauthorized") BARE_STOP, "", E_UPSTREAM, "Unauthorized"),
    E("P1-420 dressed error, CRLF",
      "event: message\r\ndata: {\"choices\":[{\"delta\":{\"content\":\" Bad\"}}]}\r\n\r\n"
      "event: message\r\ndata: {\"choices\":[{\"delta\":{\"content\":\" call.\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\r\n\r\n",
      "", E_UPSTREAM, "Bad call."),
    E("P1-423 dressed error with an unnamed event that is no JSON",
      WORD("Bad") DATA("{oops") WORD("call.") BARE_STOP, "", E_UPSTREAM, "Bad call."),
    E("P1-424 dressed error, two blanks behind the colon",
      "event: message\ndata:  {\"choices\":[{\"delta\":{\"content\":\" Bad\"}}]}\n\n"
      "event: message\ndata: \t{\"choices\":[{\"delta\":{\"content\":\" call.\"}}]}\n\n" BARE_STOP,
      "", E_UPSTREAM, "Bad call."),
    J("P1-411 upstream error",
      "{\"status\":\"error\",\"msg\":\"Incorrect API key.\"," GREETING ",\"log\":false}", "", E_UPSTREAM,
      "Incorrect API key."),
    E("P1-421 named events with ids are an answer",
      "event: message\n" DELTA("Hel") "event: message\n" DELTA("lo") "event: message\n" STOP DONE, "Hello",
      DONE, NULL),
    E("P1-422 a named event later is no error", DELTA("Hello") WORD("you") STOP DONE, "Hello you", DONE,
      NULL),
    E("P1-431 raw error JSON, then a dressed event",
      "{\n  \"error\": {\n    \"message\": \"Too long.\",\n    \"type\": \"invalid\"\n  }\n}\n"
      "event: message\n" DATA("{\"choices\":[{\"delta\":{\"content\":\"Too long.\"}}]}") BARE_STOP,
      "", E_UPSTREAM, "Too long."),
    E("P1-431 raw error JSON, a dressed event at its end",
      "{\n  \"error\": {\n    \"message\": \"Too long.\"\n  }\n}"
      "event: message\n" DATA("{\"choices\":[{\"delta\":{\"content\":\"Too long.\"}}]}") BARE_STOP,
      "", E_UPSTREAM, "Too long."),
    E("P1-432 raw error JSON in an array",
      "[{\n  \"error\": {\n    \"code\": 400,\n    \"message\": \"Bad key.\"\n  }\n}]", "", E_UPSTREAM,
      "Bad key."),
    E("P1-433 raw error JSON, cut", "{\n  \"error\": {\n    \"message\": \"Too long.\",\n    \"ty", "",
      E_UPSTREAM, "Too long."),
    E("P1-434 upstream's HTML", PAGE_502, "", E_UPSTREAM, "502 Bad Gateway"),
    E("P1-434 upstream's HTML with braces",
      "<html><style>p {a: [1]}</style>\n<title>{\"msg\":\"no\"}</title>\n<p>Bad {gateway} [x]</p></html>\n",
      "", E_UPSTREAM, "Bad {gateway} [x]"),
    J("P1-434 upstream's HTML", SUCCESS("\"data\":\"\""), "", E_UPSTREAM, NULL),
    E("P1-435 error object in mid-stream",
      ROLE DELTA("Hel") DATA("{\"error\":{\"message\":\"Overloaded.\",\"type\":\"server_error\"}}") DONE,
      "Hel", E_UPSTREAM, "Overloaded."),
    E("P1-436 error object first", DATA("{\"error\":{\"message\":\"Overloaded.\"}}") DONE, "", E_UPSTREAM,
      "Overloaded."),
    E("P1-440 HTML in mid-stream",
      ROLE DELTA("Hel") "<p>There has been a critical error on this website.</p>\n", "Hel", E_UPSTREAM,
      "There has been a critical error on this website."),
    E("P1-440 raw error JSON in mid-stream",
      ROLE DELTA("Hel") "{\n \"error\": {\"message\": \"Overloaded.\"}\n}\n", "Hel", E_UPSTREAM,
      "Overloaded."),
    E("P1-437 upstream not reachable", "", "", E_UPSTREAM, NULL),
    J("P1-437 upstream not reachable",
      "{\"status\":\"error\",\"msg\":\"cURL error 7: Failed to connect\"," GREETING ",\"log\":false}", "",
      E_UPSTREAM, "cURL error 7: Failed to connect"),
    E("P1-438 nothing but a comment", ": ping\n\n", "", E_UPSTREAM, NULL),
    J("P1-439 upstream drops", "{\"status\":\"error\",\"msg\":\"cURL error 56: Recv failure\"," GREETING "}",
      "", E_UPSTREAM, "cURL error 56"),

    /* 4: errors found early come as JSON even when the site streams */
    J("P1-441 API key empty", "{\"status\":\"error\",\"msg\":\"Unable to initialize the AI instance.\"}", "",
      E_REFUSED, "Unable to initialize the AI instance."),
    J("P1-442 nothing inputted", "{\"status\":\"error\",\"msg\":\"It appears that nothing was inputted.\"}",
      "", E_REFUSED, "nothing was inputted."),
    J("P1-443 words in one line", "{\"status\":\"error\",\"msg\":\"One\\n\\ttwo \\u0007 three\"}", "",
      E_REFUSED, "One two three"),
    J("P1-444 no words", "{\"status\":\"error\"}", "", E_REFUSED, NULL),
    E("P1-445 status error in a stream", DATA("{\"status\":\"error\",\"msg\":\"Not now.\"}"), "", E_REFUSED,
      "Not now."),
    E("P1-446 status error in a stream, behind text",
      DELTA("Hel") DATA("{\"status\":\"error\",\"msg\":\"Not now.\"}") DELTA("lo") DONE, "Hel", E_REFUSED,
      "Not now."),

    /* 5 */
    E("P1-501 assistant", THREAD SPOKEN("Hel") SPOKEN("lo") END_EVENT, "Hello", DONE, NULL),
    E("P1-502 assistant, thread known", SPOKEN("Hello") END_EVENT, "Hello", DONE, NULL),
    E_END("P1-503 assistant, silence behind the end", THREAD SPOKEN("Hello") END_EVENT, "Hello", DONE, NULL,
          SILENCE, 0),
    E("P1-504 assistant, sent twice",
      THREAD SPOKEN("Hel") SPOKEN("lo") END_EVENT SPOKEN("Hel") SPOKEN("lo") END_EVENT, "Hello", DONE, NULL),
    E("P1-505 assistant, foreign events",
      THREAD EVENT("thread.run.created", "{\"id\":\"run_1\",\"status\":\"queued\"}") SPOKEN("Hello")
          EVENT("thread.message.completed", "{\"id\":\"msg_1\",\"status\":\"completed\",\"content\":[{"
                                            "\"type\":\"text\",\"text\":{\"value\":\"Hello\"}}]}") EVENT(
              "thread.run.step.delta", "{\"delta\":{\"content\":[{\"text\":{\"value\":\"no\"}}]}}") END_EVENT,
      "Hello", DONE, NULL),
    E("P1-506 assistant error",
      THREAD EVENT("assistant_error", "{\"status\":\"error\",\"msg\":\"No such thread.\"}") EVENT("done", ""),
      "", E_UPSTREAM, "No such thread."),
    E("P1-507 assistant error behind text",
      SPOKEN("Hel") EVENT("assistant_error", "{\"status\":\"error\",\"msg\":\"Gone.\"}") EVENT("done", ""),
      "Hel", E_UPSTREAM, "Gone."),
    E("P1-508 only a thread_id", THREAD, "", E_UPSTREAM, NULL),
    E("P1-509 a thread_id and the end", THREAD END_EVENT, "", E_UPSTREAM, "empty"),
    E("P1-510 assistant without its end", THREAD SPOKEN("Hello"), "Hello", E_INCOMPLETE, NULL),
    E("P1-511 assistant, end without its blank line", THREAD SPOKEN("Hello") "event: done\ndata: [DONE]\n",
      "Hello", DONE, NULL),
    E("P1-512 assistant, emoji", SPOKEN("\\ud83d\\ude00\xD0\x9F") END_EVENT, "\xF0\x9F\x98\x80\xD0\x9F", DONE,
      NULL),
    E("P1-514 assistant, an end without data", SPOKEN("Hello") EVENT("done", "") SPOKEN("Hello"), "Hello",
      DONE, NULL),
    E("P1-515 assistant, CRLF",
      "event: thread_id\r\ndata: thread_Ab1\r\n\r\nevent: thread.message.delta\r\ndata: "
      "{\"delta\":{\"content\":[{\"text\":"
      "{\"value\":\"Hello\"}}]}}\r\n\r\nevent: done\r\ndata: [DONE]\r\n\r\n",
      "Hello", DONE, NULL),
    J("P1-513 assistant, error",
      "{\"status\":\"error\",\"msg\":\"No such thread.\",\"thread_id\":\"thread_Ab1\"}", "", E_REFUSED,
      "No such thread."),
};

/* ---- running a row ---- */

/* The script of a row: the page, then the reply on a connection of its own. */
static void write_row(script *s, const row *r, const char *page, size_t chunk)
{
    wp_forget();
    script_init(s);
    wp_answers_page(s, page);
    script_connection(s);
    script_request(s);
    script_say(s, wp_response("200 OK", r->type, "", r->body, chunk, r->end == CLEAN));
    if (r->end == CUT) script_end(s);
    if (r->end == RESET) script_fail(s, CHATGPTT_READ, CHATGPTT_E_IO);
}

/* One run of the script: whether all is as the row says. `how` names the run. */
static bool play_row(script *s, const row *r, const char *how, size_t number)
{
    chatgptt_options options = script_options(s);
    wp_result got;
    wp_ask(s, &options, &got);
    bool good = CHECK_STR(chatgptt_code_name(got.code), chatgptt_code_name(r->code));
    good &= CHECK_MEM(got.text, got.len, r->text, strlen(r->text));
    good &= CHECK_INT(got.ms, r->ms);
    good &= CHECK_INT(wp_requests(s), 2);
    if (r->code < 0 && r->code != CHATGPTT_E_INCOMPLETE && r->end == CLEAN)
        good &= CHECK_INT(got.error.http_status, 200);
    if (r->words && !strstr(got.error.message, r->words))
        good = check_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", got.error.message, r->words);
    good &= CHECK(!strstr(got.error.message, "Something went wrong")) && wp_check_message(s, 1, WP_NONCE);
    if (!good) printf("    %s: %s %zu\n    %s\n", r->name, how, number, got.error.message);
    script_rewind(s);
    return good;
}

#define CUT_BELOW 1000              /* replies with shorter bodies are cut everywhere */

static void run_row(void)
{
    const row *r = (const row *)wp_row;
    script s;
    size_t head, len;
    write_row(&s, r, WP_PAGE_PLAIN, 0);
    if (!play_row(&s, r, "the page says it does not stream", 0)) return;
    write_row(&s, r, WP_PAGE, 1);
    if (!play_row(&s, r, "chunks of", 1)) return;
    write_row(&s, r, WP_PAGE, 0);
    s.read_max = 1;
    if (!play_row(&s, r, "reads of", 1)) return;
    s.read_max = 0;
    len = s.acts[s.peers[1].first + 1].len;
    head = len - strlen(r->body);
    for (size_t i = strlen(r->body) < CUT_BELOW ? head - 10 : len; i <= len; i++) {
        s.cut = i;
        if (!play_row(&s, r, "cut at", i)) return;
    }
}

/* ---- the keys of a JSON reply, in all orders ---- */

static void run_order(const char *kind, const char *const keys[4], const int order[4], const char *extra,
                      const char *text, chatgptt_code code, const char *words) {
    static char name[100], body[400];
    row r = {name, WP_JSON, body, text, code, words, CLEAN, 0};
    snprintf(name, sizeof name, "P1-330 %s, order %d%d%d%d", kind, order[0], order[1], order[2], order[3]);
    snprintf(body, sizeof body, "{%s,%s,%s,%s%s}", keys[order[0]], keys[order[1]], keys[order[2]],
             keys[order[3]], extra);
    wp_row = &r;
    check_case(name, run_row);
}

static void run_orders(void)
{
    static const char *const good[] = { "\"status\":\"success\"", "\"msg\":\"Something went wrong\"",
                                        "\"data\":\"Hello\"", "\"log\":false" };
    static const char *const bad[] = { "\"status\":\"error\"", "\"msg\":\"Not now.\"", "\"data\":\"Hello\"",
                                       "\"log\":false" };
    for (int n = 0; n < 256; n++) {
        const int order[4] = {n >> 6, n >> 4 & 3, n >> 2 & 3, n & 3};
        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 15) continue;
        bool data_first = false;
        for (int i = 0; order[i] != 0; i++) data_first |= order[i] == 2;
        run_order("success", good, order, "", "Hello", CHATGPTT_DONE, NULL);
        run_order("refused", bad, order, "", data_first ? "Hello" : "", CHATGPTT_E_REFUSED, "Not now.");
        run_order("upstream error", bad, order, "," GREETING, data_first ? "Hello" : "", CHATGPTT_E_UPSTREAM,
                  "Not now.");
    }
}

/* ---- long and slow ones ---- */

TEST(P1_355_a_reply_of_1_MB)
{
    static char body[2 << 20], text[(1 << 20) + 1], piece[1024];
    size_t len = 0, text_len = 0;
    memset(piece, 'x', 1023);
    for (int i = 0; i < 1024; i++) {
        piece[0] = (char)('A' + i % 26);
        len += (size_t)snprintf(body + len, sizeof body - len,
            "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n", piece);
        text_len += (size_t)snprintf(text + text_len, sizeof text - text_len, "%s", piece);
    }
    snprintf(body + len, sizeof body - len, DONE);
    const row r = {"1 MB", WP_EVENTS, body, text, CHATGPTT_DONE, NULL, CLEAN, 0};
    script s;
    write_row(&s, &r, WP_PAGE, 0);
    play_row(&s, &r, "at once", 0);
    write_row(&s, &r, WP_PAGE, 1000);
    play_row(&s, &r, "chunks of", 1000);
}

/* Text that streams through is not held: an event far above max_event_bytes is no fault. */
TEST(P1_356_one_event_of_1_MB)
{
    static char body[(1 << 20) + 1000], text[1 << 20];
    memset(text, 'y', sizeof text - 1);
    snprintf(body, sizeof body,
             "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n" DONE, text);
    const row events = {"1 MB", WP_EVENTS, body, text, CHATGPTT_DONE, NULL, CLEAN, 0};
    script s;
    write_row(&s, &events, WP_PAGE, 0);
    play_row(&s, &events, "events", 0);
    snprintf(body, sizeof body, "{\"status\":\"success\",\"data\":\"%s\"}", text);
    const row json = {"1 MB", WP_JSON, body, text, CHATGPTT_DONE, NULL, CLEAN, 0};
    write_row(&s, &json, WP_PAGE, 0);
    play_row(&s, &json, "json", 0);
}

/* The upstream's error of 200 kB, raw, with its dressed copy behind it; and a dressed error of 2,000 words.
   */
TEST(P1_434_long_errors)
{
    static char body[1 << 19], filler[200001];
    size_t len = 0;
    memset(filler, 'z', sizeof filler - 1);
    snprintf(body, sizeof body,
             "{\n  \"error\": {\n    \"message\": \"Too long: %s\"\n  }\n}event: message\n"
             "data: {\"choices\":[{\"delta\":{\"content\":\"Too long: %s\"}}]}\n\n" BARE_STOP,
             filler, filler);
    const row raw = {"raw", WP_EVENTS, body, "", CHATGPTT_E_UPSTREAM, "Too long: zzzz", CLEAN, 0};
    script s;
    write_row(&s, &raw, WP_PAGE, 0);
    play_row(&s, &raw, "raw", 0);
    write_row(&s, &raw, WP_PAGE, 4096);
    play_row(&s, &raw, "raw, chunks of", 4096);
    for (int i = 0; i < 2000; i++)
        len += (size_t)snprintf(body + len, sizeof body - len,
            "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\" w%d\"}}]}\n\n", i);
    snprintf(body + len, sizeof body - len, BARE_STOP);
    const row dressed = {"dressed", WP_EVENTS, body, "", CHATGPTT_E_UPSTREAM, "w0 w1 w2 w3", CLEAN, 0};
    write_row(&s, &dressed, WP_PAGE, 0);
    play_row(&s, &dressed, "dressed", 0);
}

/* What may stand before the JSON has an end: 64 KB of noise is none that hides an answer. */
TEST(P1_328_too_much_noise)
{
    static char body[70000 + 200];
    memset(body, 'n', 65000);
    memcpy(body + 65000, WP_ANSWER, sizeof WP_ANSWER);
    const row some = {"65,000 bytes", WP_HTML, body, "Hello", CHATGPTT_DONE, NULL, CLEAN, 0};
    script s;
    write_row(&s, &some, WP_PAGE, 0);
    play_row(&s, &some, "below 64 KB", 0);
    memset(body, 'n', 70000);
    memcpy(body + 70000, WP_ANSWER, sizeof WP_ANSWER);
    const row much = {"70,000 bytes", WP_HTML, body, "", CHATGPTT_E_REPLY, NULL, CLEAN, 0};
    write_row(&s, &much, WP_PAGE, 0);
    play_row(&s, &much, "above 64 KB", 0);
}

/* Deltas half a second apart: each is handed out when it comes, and the stream ends with its mark, not with
   the connection. */
TEST(P1_357_text_comes_as_it_arrives)
{
    static const char *const parts[] = {ROLE DELTA("one"), DELTA("two"), STOP, DONE};
    script s;
    chatgptt_error error;
    chatgptt_request request;
    chatgptt_event event;
    wp_forget();
    script_init(&s);
    wp_answers_page(&s, WP_PAGE);
    script_connection(&s);
    script_request(&s);
    script_say(&s, wp_response("200 OK", WP_EVENTS, "", "", 0, false));
    for (int i = 0; i < 4; i++) {
        const char *start = wp_bytes + wp_len;
        wp_put("%zx\r\n%s\r\n%c", strlen(parts[i]), parts[i], 0);
        script_pause(&s, 500);
        script_say(&s, start);
    }
    script_pause(&s, 20);
    script_say(&s, "0\r\n\r\n");
    chatgptt_options options = script_options(&s);
    chatgptt_client *client = chatgptt_open(&options, &error);
    memset(&request, 0, sizeof request);
    request.prompt = "hi";
    chatgptt_stream *stream = chatgptt_start(client, &request);
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_OK);
    CHECK_MEM(event.text, event.len, "one", 3);
    CHECK_INT(s.now, 1500);
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_OK);
    CHECK_MEM(event.text, event.len, "two", 3);
    CHECK_INT(s.now, 2000);
    CHECK_INT(chatgptt_next(stream, &event), CHATGPTT_DONE);
    /* [DONE] came half a second after finish_reason: within the second that is waited */
    CHECK_INT(s.now, 3000);
    CHECK_INT(chatgptt_stream_stats(stream)->first_text_ms, 500);
    CHECK_INT(chatgptt_stream_stats(stream)->text_bytes, 6);
    chatgptt_finish(stream);
    chatgptt_close(client);
    script_finish(&s);
}

int main(void)
{
    WP_RUN(replies, run_row);
    run_orders();
    RUN(P1_328_too_much_noise);
    RUN(P1_355_a_reply_of_1_MB);
    RUN(P1_356_one_event_of_1_MB);
    RUN(P1_357_text_comes_as_it_arrives);
    RUN(P1_434_long_errors);
    return check_report("test_wpaicg_reply");
}
