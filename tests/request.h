/* request.h - reads HTTP requests back: where one ends, a header's value, a form field decoded. For script.h
   and site.h. Takes what the library is meant to send (CRLF, Content-Length, urlencoded forms) and nothing
   else. */
#ifndef REQUEST_H
#define REQUEST_H

#include "check.h"
#include <strings.h>

typedef struct http_request {
    /* head: request line and headers, the blank line included; neither is terminated */
    const char *head, *body;
    size_t head_len, body_len;
} http_request;

/* The value of the first header of this name, copied to out[size]; NULL if there is none or it is too long.
   */
static inline const char *request_header(const http_request *request, const char *name, char *out,
                                         size_t size) {
    const char *at = request->head, *end = at + request->head_len;
    size_t name_len = strlen(name);
    while (at < end) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        if (!stop) return NULL;
        if ((size_t)(stop - at) > name_len && strncasecmp(at, name, name_len) == 0 && at[name_len] == ':') {
            at += name_len + 1;
            while (*at == ' ') at++;
            size_t len = (size_t)(stop - at) - (stop > at && stop[-1] == '\r');
            if (len >= size) return NULL;
            memcpy(out, at, len);
            out[len] = '\0';
            return out;
        }
        at = stop + 1;
    }
    return NULL;
}

/* Bytes of the first request in these bytes, and where its parts are; 0 if it is not complete yet. */
static inline size_t request_parse(const char *bytes, size_t len, http_request *request)
{
    char value[24];
    size_t head = 4;
    memset(request, 0, sizeof *request);
    while (head <= len && memcmp(bytes + head - 4, "\r\n\r\n", 4) != 0) head++;
    if (head > len) return 0;
    request->head = bytes;
    request->head_len = head;
    request->body = bytes + head;
    if (request_header(request, "Content-Length", value, sizeof value))
        request->body_len = (size_t)strtoull(value, NULL, 10);
    return request->body_len <= len - head ? head + request->body_len : 0;
}

static inline int request_hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c - 'a' + 10;
}

/* Decodes application/x-www-form-urlencoded; NULL if it does not fit. */
static inline const char *request_decode(const char *at, const char *end, char *out, size_t size)
{
    size_t len = 0;
    for (; at < end && len + 1 < size; at++, len++) {
        bool hex = *at == '%' && end - at > 2;
        out[len] = *at == '+' ? ' ' : hex ? (char)(request_hex(at[1]) * 16 + request_hex(at[2])) : *at;
        if (hex) at += 2;
    }
    if (at < end || size == 0) return NULL;
    out[len] = '\0';
    return out;
}

/* The decoded value of a field of the body, or if there is no body of the address's query; NULL if it is
   missing or too long. */
static inline const char *request_field(const http_request *request, const char *name, char *out, size_t size)
{
    const char *at = request->body, *end = at + request->body_len;
    if (request->body_len == 0) {
        end = (const char *)memchr(request->head, '\r', request->head_len);
        at = (const char *)memchr(request->head, '?', (size_t)(end - request->head));
        if (!at) return NULL;
        at++;
        while (end[-1] != ' ') end--;
        end--;
    }
    while (at < end) {
        const char *stop = (const char *)memchr(at, '&', (size_t)(end - at));
        if (!stop) stop = end;
        if ((size_t)(stop - at) > strlen(name) && strncmp(at, name, strlen(name)) == 0 &&
            at[strlen(name)] == '=')
            return request_decode(at + strlen(name) + 1, stop, out, size);
        at = stop + 1;
    }
    return NULL;
}

#endif
