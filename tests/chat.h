/* chat.h - a site of either plugin generation, as bytes: what a request gets. For site.h, tls_site.h and
   script.h alike. */
#ifndef CHAT_H
#define CHAT_H

#include "check.h"
#include "request.h"

#define CHAT_NONCE "0123456789"
#define CHAT_ANSWER "Hello, world"          /* of both generations */
#define CHAT_LAST "0\r\n\r\n"               /* what ends every response of chat_reply() */

#define CHAT_HEAD(type) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHAT_OLD_PAGE                                                                  \
    "<title>Chat</title><div class=\"wpaicg-chat-shortcode\" data-nonce=\"" CHAT_NONCE \
    "\" data-post-id=\"7\" data-bot-id=\"0\"></div>"
#define CHAT_NEW_PAGE                                          \
    "<title>Chat</title><div class=\"aipkit_chat_container\" " \
    "data-config='{\"botId\":7,\"nonce\":\"" CHAT_NONCE "\",\"postId\":5}'></div>"
#define CHAT_OLD_ANSWER                                                                                    \
    "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n"   \
    "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\", world\"},\"finish_reason\":null}]}\n\n" \
    "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
#define CHAT_NEW_ANSWER                                                                            \
    "event: message_start\ndata: {\"message_id\":\"m1\"}\n\ndata: {\"delta\":\"Hello\"}\n\ndata: " \
    "{\"delta\":\", world\"}\n\n"                                                                  \
    "event: done\ndata: {\"finished\":true}\n\n"
#define CHAT_KEY "{\"success\":true,\"data\":{\"cache_key\":\"aipkit_sse_ABC\"}}"

/* A chunked response, CHAT_LAST left out; its length. `headers`: more header lines or "". */
static inline size_t chat_chunked(char *out, size_t size, const char *type, const char *headers,
                                  const char *body) {
    int len = snprintf(
        out, size, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n%s\r\n%zx\r\n%s\r\n",
        type, headers, strlen(body), body);
    if (len < 0 || (size_t)len >= size) abort();
    return (size_t)len;
}

/* What a site of the older (or `newer`) generation says to a request, CHAT_LAST left out; its length. */
static inline size_t chat_reply(const http_request *request, bool newer, const char *headers, char *out,
                                size_t size) {
    char action[60] = "";
    bool get = memcmp(request->head, "GET ", 4) == 0;
    request_field(request, "action", action, sizeof action);
    if (get && !action[0])
        return chat_chunked(out, size, "text/html; charset=UTF-8", headers,
                            newer ? CHAT_NEW_PAGE : CHAT_OLD_PAGE);
    if (strcmp(action, "aipkit_cache_sse_message") == 0)
        return chat_chunked(out, size, "application/json; charset=UTF-8", headers, CHAT_KEY);
    if (get) return chat_chunked(out, size, "text/event-stream; charset=utf-8", headers, CHAT_NEW_ANSWER);
    return chat_chunked(out, size, "text/event-stream;charset=UTF-8", headers, CHAT_OLD_ANSWER);
}

#endif
