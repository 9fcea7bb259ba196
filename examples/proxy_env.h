/* proxy_env.h - the proxy that the environment names for an URL, as curl reads it: the library itself reads
   none of these variables. */
#ifndef PROXY_ENV_H
#define PROXY_ENV_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

typedef struct address { int family; unsigned char bytes[16]; } address;

/* An address of either family in text, without brackets; family 0: it is none. */
static address parse_address(const char *at, size_t len)
{
    address a = { 0, { 0 } };
    char host[INET6_ADDRSTRLEN];
    if (len == 0 || len >= sizeof host) return a;
    memcpy(host, at, len);
    host[len] = '\0';
    if (inet_pton(AF_INET, host, a.bytes) == 1) a.family = AF_INET;
    else if (inet_pton(AF_INET6, host, a.bytes) == 1) a.family = AF_INET6;
    return a;
}

/* Whether an address lies in an entry: another one, or a block of them, 10.0.0.0/8. */
static bool in_block(const char *entry, size_t len, const address *host)
{
    const char *slash = memchr(entry, '/', len);
    const size_t whole = host->family == AF_INET ? 32 : 128;
    size_t bits = whole, name = slash ? (size_t)(slash - entry) : len;
    address block = parse_address(entry, name);
    if (block.family != host->family) return false;
    if (slash) {
        bits = 0;
        for (const char *p = slash + 1; p < entry + len; p++) {
            if (*p < '0' || *p > '9' || bits > whole) return false;
            bits = bits * 10 + (size_t)(*p - '0');
        }
        if (bits > whole || name + 1 == len) return false;
    }
    unsigned mask = 0xFF00u >> bits % 8 & 0xFF;
    return memcmp(block.bytes, host->bytes, bits / 8) == 0 &&
           (mask == 0 || ((block.bytes[bits / 8] ^ host->bytes[bits / 8]) & mask) == 0);
}

/* Whether an entry of no_proxy, `*`, a host (and all below it), .suffix, an address or a block of addresses,
   speaks of the host. A suffix of an address says nothing. */
static bool entry_matches(const char *entry, size_t len, const char *host, size_t host_len)
{
    address numeric = parse_address(host, host_len);
    if (len == 1 && entry[0] == '*') return true;
    if (len > 1 && entry[0] == '[' && entry[len - 1] == ']') entry++, len -= 2;
    if (numeric.family) return in_block(entry, len, &numeric);
    if (len > 0 && entry[0] == '.') entry++, len--;
    if (len > 1 && entry[len - 1] == '.') len--;
    if (host_len > 1 && host[host_len - 1] == '.') host_len--;
    if (len == 0 || len > host_len || strncasecmp(host + host_len - len, entry, len) != 0) return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

static bool listed(const char *list, const char *host, size_t host_len)
{
    while (list && *list) {
        size_t len = strcspn(list, ", \t");
        if (entry_matches(list, len, host, host_len)) return true;
        list += len;
        list += strspn(list, ", \t");
    }
    return false;
}

/* Where an URL goes on behind its scheme; where it begins, if it has none. */
static const char *behind_scheme(const char *url)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t n = strspn(url, letters);
    return n && strncmp(url + n, "://", 3) == 0 ? url + n + 3 : url;
}

/* The host inside an URL: behind scheme and user, before port and path, without the brackets of an IPv6
   address. */
static const char *url_host(const char *url, size_t *len)
{
    const char *host = behind_scheme(url);
    const char *end = host + strcspn(host, "/?#");
    for (const char *p = host; p < end; p++)
        if (*p == '@') host = p + 1;
    bool bracketed = *host == '[';
    host += bracketed;
    *len = strcspn(host, bracketed ? "]" : ":/?#");
    return host;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *either(const char *small, const char *capital)
{
    const char *value = variable(small);
    return value ? value : variable(capital);
}

/* The proxy for an URL; NULL: none. HTTP_PROXY in capitals is never read: a web server makes it of a header
   that anybody can send. */
static const char *environment_proxy(const char *url)
{
    size_t len;
    bool https = strncasecmp(url, "https:", 6) == 0;
    const char *host = url_host(url, &len);
    const char *proxy = https ? either("https_proxy", "HTTPS_PROXY") : variable("http_proxy");
    if (!proxy) proxy = either("all_proxy", "ALL_PROXY");
    return proxy && listed(either("no_proxy", "NO_PROXY"), host, len) ? NULL : proxy;
}

static bool is_this_machine(const char *host, size_t len)
{
    static const unsigned char loopback[16] = { [15] = 1 };
    address a = parse_address(host, len);
    if (a.family == AF_INET) return a.bytes[0] == 127;
    if (a.family == AF_INET6) return memcmp(a.bytes, loopback, 16) == 0;
    return len == 9 && strncasecmp(host, "localhost", 9) == 0;
}

#endif
