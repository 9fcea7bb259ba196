/* openai_gateway: a small local server that speaks OpenAI's chat API in front of a site, so that programs
   made for that API can talk to it. `/` is a page to chat in.

       openai_gateway [--port N] [--key K] [--origin O] [--url URL] ...        --help lists the options

   First line of output: url=http://127.0.0.1:PORT/v1   It then serves until SIGTERM or Ctrl-C.

   One thread, one epoll: libmicrohttpd's own epoll is one descriptor in it, those of the streams are others
   (chatgptt_want). A call is in one of three hands at a time. While its stream has nothing to say its
   connection is suspended, and only a hang-up of the client is watched for; when there is something it is
   resumed, and the stream's descriptors are let go; libmicrohttpd then asks for bytes as the client takes
   them. So a slow reader holds back its stream, and nothing grows. Calls are freed inside MHD_run() alone,
   never between epoll_wait() and the last of its events.

   Linux; libmicrohttpd and cJSON. Names of sites are looked up in the loop: see TIME in chatgptt.h.

   CONTENTS: [CALL] [WATCH] [ANSWER] [PUMP] [QUESTION] [GUARD] [ROUTE] [HTTP] [OPTIONS] [MAIN] */
#define _POSIX_C_SOURCE 200809L
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "openai_gateway"
#include "gateway_page.h"
#include "text.h"

enum {
    MAX_BODY = 1024 * 1024,         /* of a request; what is longer is read, not kept, and refused: 413 */
    MAX_SWALLOWED = 16 * MAX_BODY,  /* ... and beyond this cut off */
    MAX_HEAD = 32 * 1024,           /* of a request; with what libmicrohttpd needs for a response */
    MAX_ANSWER = 8 * 1024 * 1024,   /* held where the client does not ask for a stream */
    MAX_CLIENTS = 8 * 1024,         /* or what the limit of descriptors allows */
    IDLE_SECONDS = 120,             /* a client that sends nothing, or takes nothing, is cut off */
    BLOCK = 4096                    /* given to libmicrohttpd at a time */
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, PROGRAM ": %s: %s\n", what, why);
    exit(1);
}

static void text_free(text *t)
{
    free(t->bytes);
    memset(t, 0, sizeof *t);
}

/* ==== [CALL] a request of a client, from its head to the last byte of its response ==== */

typedef enum route { R_PAGE, R_HEALTH, R_MODELS, R_MODEL, R_CHAT, R_NONE } route;

typedef struct call call;

/* What an event of epoll is about: what a pointer to one leads to. */
typedef struct source { enum { OF_HTTP, OF_SIGNAL, OF_CLIENT, OF_STREAM } kind; call *call; } source;

typedef struct gateway {
    const char *key, *origins[8], *address, *port, *dialect, *timeout;
    int num_origins;
    text url;                       /* with its scheme */
    chatgptt_options options;
    chatgptt_client *client;
    struct MHD_Daemon *daemon;
    int epoll;
    call *calls;
    long long due;                  /* the first of all calls' times, or earlier; -1: none */
    unsigned long count;
    bool stop;
} gateway;

struct call {
    gateway *gateway;
    call *next, **link;             /* among the gateway's */
    struct MHD_Connection *connection;
    route route;
    bool asking;                    /* the request is read, its stream begun; no response yet */
    const char *origin;             /* of another place, and allowed */
    text body;
    size_t taken;                   /* bytes of the body, kept or not */
    unsigned status;                /* of the response; of a request not worth reading from the start */
    text out;                       /* bytes for the client; while streaming those of one event */
    size_t sent;                    /* of them */
    source of_client, of_stream;
    bool suspended, gone;           /* the client has hung up */
    chatgptt_stream *stream;        /* NULL: not begun, or ended */
    chatgptt_wait known;            /* what is registered */
    long long due;                  /* when to step() even if no descriptor is ready; -1: never */
    bool streaming, with_usage, begun;  /* begun: a chunk was made */
    char id[40];
    const char *model;
    long long created;
    size_t asked, answered;         /* bytes of text */
    text answer;                    /* all of it, unless it is streamed */
};

/* ==== [WATCH] what epoll is told ==== */

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void control(const gateway *g, int operation, int fd, uint32_t events, source *of)
{
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.ptr = of;
    epoll_ctl(g->epoll, operation, fd, &event); /* what is closed is forgotten already: a removal may fail */
}

static void unwatch(call *c)
{
    int i;
    for (i = 0; i < c->known.count; i++) control(c->gateway, EPOLL_CTL_DEL, c->known.on[i].fd, 0, NULL);
    c->known.count = 0;
    c->due = -1;
}

static void watch(call *c)
{
    gateway *g = c->gateway;
    chatgptt_wait want = chatgptt_want(c->stream);
    int i;
    unwatch(c);
    for (i = 0; i < want.count; i++) {
        unsigned wanted = want.on[i].events;
        control(g, EPOLL_CTL_ADD, want.on[i].fd, (wanted & CHATGPTT_READ ? EPOLLIN : 0u) |
                (wanted & CHATGPTT_WRITE ? EPOLLOUT : 0u), &c->of_stream);
    }
    c->known = want;
    if (want.timeout_ms < 0) return;
    c->due = now_ms() + want.timeout_ms;
    if (g->due < 0 || c->due < g->due) g->due = c->due;
}

static int client_fd(const call *c)
{
    return MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* To be called by libmicrohttpd's callbacks only. It does not hear of a hang-up meanwhile: we do. */
static void suspend(call *c)
{
    control(c->gateway, EPOLL_CTL_ADD, client_fd(c), EPOLLRDHUP, &c->of_client);
    MHD_suspend_connection(c->connection);
    c->suspended = true;
}

static void resume(call *c)
{
    unwatch(c);
    if (!c->suspended) return;
    c->suspended = false;
    control(c->gateway, EPOLL_CTL_DEL, client_fd(c), 0, NULL);
    MHD_resume_connection(c->connection);
}

/* ==== [ANSWER] what a client is told, in JSON ==== */

static void put_string(text *to, const char *bytes, size_t len)
{
    size_t i;
    text_puts(to, "\"");
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escape[8] = "\\n";
        if (c < ' ' && c != '\n') snprintf(escape, sizeof escape, "\\u%04x", c);
        if (c == '"' || c == '\\') text_puts(to, "\\");
        if (c < ' ') text_puts(to, escape);
        else         text_add(to, bytes + i, 1);
    }
    text_puts(to, "\"");
}

/* ` stands for a quote; %s a string, %t one of this many bytes, %d a long long, %r what is JSON already. */
static void put(text *to, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (; *format; format++) {
        const char *bytes = *format == '`' ? "\"" : format;
        char digits[24];
        if (*format != '%') {
            text_add(to, bytes, 1);
        } else if (*++format == 'd') {
            snprintf(digits, sizeof digits, "%lld", va_arg(list, long long));
            text_puts(to, digits);
        } else {
            bytes = va_arg(list, const char *);
            if (*format == 't') put_string(to, bytes, va_arg(list, size_t));
            else if (*format == 's' && bytes) put_string(to, bytes, strlen(bytes));
            else text_puts(to, bytes ? bytes : "null");
        }
    }
    va_end(list);
}

/* The response, or what is left of it, is an error. False, for those who say what they found. */
static bool refuse(call *c, unsigned status, const char *code, const char *param, const char *words)
{
    const char *type = status == 401 ? "authentication_error" : status == 429 ? "rate_limit_error"
                       : status == 504 ? "timeout_error" : status >= 500 ? "api_error"
                       : "invalid_request_error";
    c->status = status;
    put(&c->out, "{`error`:{`message`:%s,`type`:%s,`param`:%s,`code`:%s}}", words, type, param, code);
    return false;
}

/* What the library says, as a status: of whose making it is, and whether it is worth asking again. */
static unsigned status_of(chatgptt_code code)
{
    switch (code) {
    case CHATGPTT_E_ARGUMENT: case CHATGPTT_E_REFUSED: case CHATGPTT_E_UNSUPPORTED: return 400;
    case CHATGPTT_E_MODEL: return 404;
    case CHATGPTT_E_LIMIT: case CHATGPTT_E_MEMORY: return 500;
    case CHATGPTT_E_RATE_LIMITED: return 429;
    case CHATGPTT_E_TIMEOUT: return 504;
    default: return 502;
    }
}

static void refuse_for(call *c, const chatgptt_error *error)
{
    bool model = error->code == CHATGPTT_E_MODEL;
    refuse(c, status_of(error->code), model ? "model_not_found" : chatgptt_code_name(error->code),
           model ? "model" : NULL, error->message);
}

static void put_head(call *c, const char *object)
{
    put(&c->out, "{`id`:%s,`object`:%s,`created`:%d,`model`:%s,`choices`:[", c->id, object, c->created,
        c->model);
}

/* The site counts no tokens. One is taken for four bytes, as its makers say of English. */
static void put_usage(call *c)
{
    long long asked = (long long)((c->asked + 3) / 4), answered = (long long)((c->answered + 3) / 4);
    put(&c->out, "],`usage`:{`prompt_tokens`:%d,`completion_tokens`:%d,`total_tokens`:%d}}", asked, answered,
        asked + answered);
}

static void put_completion(call *c)
{
    put_head(c, "chat.completion");
    put(&c->out, "{`index`:0,`message`:{`role`:`assistant`,`content`:%t,`refusal`:null},`logprobs`:null,"
        "`finish_reason`:`stop`}", c->answer.bytes ? c->answer.bytes : "", c->answer.len);
    put_usage(c);
    text_free(&c->answer);
}

static void put_chunk(call *c, const char *bytes, size_t len)
{
    text_puts(&c->out, "data: ");
    put_head(c, "chat.completion.chunk");
    put(&c->out, "{`index`:0,`delta`:{%r`content`:%t},`logprobs`:null,`finish_reason`:null}]%r}\n\n",
        c->begun ? "" : "\"role\":\"assistant\",", bytes, len, c->with_usage ? ",\"usage\":null" : "");
    c->begun = true;
}

static void put_last_chunks(call *c)
{
    text_puts(&c->out, "data: ");
    put_head(c, "chat.completion.chunk");
    put(&c->out, "{`index`:0,`delta`:{},`logprobs`:null,`finish_reason`:`stop`}]%r}\n\n",
        c->with_usage ? ",\"usage\":null" : "");
    if (c->with_usage) {
        text_puts(&c->out, "data: ");
        put_head(c, "chat.completion.chunk");
        put_usage(c);
        text_puts(&c->out, "\n\n");
    }
    text_puts(&c->out, "data: [DONE]\n\n");
}

static void put_model(call *c, const char *name)
{
    put(&c->out, "{`id`:%s,`object`:`model`,`created`:0,`owned_by`:`site`}", name);
}

/* ==== [PUMP] from the stream to what the client gets ==== */

static void take_text(call *c, const chatgptt_event *event)
{
    c->answered += event->len;
    if (c->streaming) put_chunk(c, event->text, event->len);
    else              text_add(&c->answer, event->text, event->len);
}

static void end_stream(call *c)
{
    unwatch(c);
    chatgptt_finish(c->stream);
    c->stream = NULL;
}

/* Once text went out an error can only be told in the stream; OpenAI's clients know it there. */
static void conclude(call *c, chatgptt_code code)
{
    if (code == CHATGPTT_DONE) {
        if (c->streaming) put_last_chunks(c);
        else              put_completion(c);
    } else {
        if (c->begun) text_puts(&c->out, "data: ");
        else          c->streaming = false;
        refuse_for(c, chatgptt_stream_error(c->stream));
        text_puts(&c->out, "\n\n");
    }
    end_stream(c);
}

/* Steps until there is something for the client: one event, or the end. False: the stream has to wait. */
static bool pump(call *c)
{
    chatgptt_event event;
    chatgptt_code code;
    while (c->stream && !c->out.len) {
        code = chatgptt_step(c->stream, &event);
        if (code == CHATGPTT_AGAIN) return watch(c), false;
        if (code != CHATGPTT_OK) conclude(c, code);
        else if (event.kind == CHATGPTT_TEXT && event.len) take_text(c, &event);
        if (c->answer.len > MAX_ANSWER) {
            refuse(c, 502, "E_LIMIT", NULL, "the answer is too long to be held: ask for a stream");
            end_stream(c);
        }
    }
    return true;
}

/* libmicrohttpd asks for bytes: those left of the last event, else those of the next. */
static ssize_t read_out(void *user, uint64_t position, char *buffer, size_t size)
{
    call *c = (call *)user;
    size_t len;
    (void)position;
    if (c->gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!pump(c)) return suspend(c), 0;
    if (!c->out.len) return MHD_CONTENT_READER_END_OF_STREAM;
    len = c->out.len - c->sent < size ? c->out.len - c->sent : size;
    memcpy(buffer, c->out.bytes + c->sent, len);
    c->sent += len;
    if (c->sent == c->out.len) c->sent = c->out.len = 0;
    return (ssize_t)len;
}

/* ==== [QUESTION] what a client asks ==== */

/* NULL also for what is there, but null. */
static cJSON *member(const cJSON *json, const char *name)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNull(found) ? NULL : found;
}

/* Content given as parts becomes one string, kept in the request's own tree. */
static const char *join_parts(cJSON *message, const cJSON *parts)
{
    text joined = { 0 };
    const cJSON *part;
    cJSON *string;
    text_puts(&joined, "");
    cJSON_ArrayForEach(part, parts) {
        const char *type = cJSON_GetStringValue(member(part, "type"));
        const char *words = cJSON_GetStringValue(member(part, "text"));
        if (!type || strcmp(type, "text") != 0 || !words) return text_free(&joined), NULL;
        text_puts(&joined, words);
    }
    string = (cJSON *)must(cJSON_CreateString(joined.bytes));
    text_free(&joined);
    cJSON_ReplaceItemInObjectCaseSensitive(message, "content", string);
    return cJSON_GetStringValue(string);
}

static const char *const not_known = "is none this gateway knows: system, developer, user, assistant";
static const char *const no_tools = "is of a tool, and the site has none: system, developer, user, assistant";

/* What is wrong with the message, if anything, and with which member. */
static const char *take_message(cJSON *item, chatgptt_message *message, const char **where)
{
    static const struct { const char *name; chatgptt_role role; } roles[] = {
        { "user", CHATGPTT_USER }, { "assistant", CHATGPTT_ASSISTANT }, { "system", CHATGPTT_SYSTEM },
        { "developer", CHATGPTT_SYSTEM } };
    const char *role = cJSON_GetStringValue(member(item, "role"));
    const cJSON *content = member(item, "content");
    size_t i;
    *where = "role";
    if (!role) return "is missing";
    for (i = 0; i < 4 && strcmp(roles[i].name, role) != 0; i++) {}
    if (i == 4) return strcmp(role, "tool") == 0 || strcmp(role, "function") == 0 ? no_tools : not_known;
    *where = "tool_calls";
    if (cJSON_GetArraySize(member(item, "tool_calls")) > 0) return "cannot be passed on: no tools there";
    *where = "content";
    message->role = roles[i].role;
    message->text = cJSON_IsArray(content) ? join_parts(item, content) : cJSON_GetStringValue(content);
    return message->text ? NULL : "must be a string, or parts of type text";
}

static bool take_messages(call *c, const cJSON *list, chatgptt_message *messages)
{
    cJSON *item;
    size_t n = 0;
    cJSON_ArrayForEach(item, list) {
        const char *where, *wrong = take_message(item, &messages[n], &where);
        if (wrong) {
            char param[64], words[192];
            snprintf(param, sizeof param, "messages[%lu].%s", (unsigned long)n, where);
            snprintf(words, sizeof words, "%s %s", param, wrong);
            return refuse(c, 400, NULL, param, words);
        }
        c->asked += strlen(messages[n++].text);
    }
    return true;
}

/* cJSON ends a string at an escaped NUL: what stands behind it would get lost in silence. */
static bool has_nul(const text *body)
{
    const char *at = body->bytes, *end = at + body->len;
    for (; at && at < end; at++) {
        if (*at == '\0') return true;
        if (*at == '\\' && end - at >= 6 && memcmp(at, "\\u0000", 6) == 0) return true;
        if (*at == '\\') at++;
    }
    return false;
}

/* A member that has to be another for the answer to be what was asked for; NULL: there is none. */
static const char *wrong_member(const cJSON *json, const char **words)
{
    const cJSON *stream = member(json, "stream"), *model = member(json, "model"), *n = member(json, "n");
    const cJSON *messages = member(json, "messages");
    *words = "stream must be true or false";
    if (stream && !cJSON_IsBool(stream)) return "stream";
    *words = "model must be a string";
    if (model && !cJSON_IsString(model)) return "model";
    *words = "n must be 1: the site gives one answer";
    if (n && !(cJSON_IsNumber(n) && n->valuedouble == 1)) return "n";
    *words = "messages must be a list of at least one message";
    return cJSON_IsArray(messages) && messages->child ? NULL : "messages";
}

static void describe(call *c, const cJSON *json)
{
    const char *model = cJSON_GetStringValue(member(json, "model"));
    size_t i;
    c->created = (long long)time(NULL);
    c->model = c->gateway->options.model ? c->gateway->options.model : chatgptt_model(0);
    for (i = 0; model && chatgptt_model(i); i++)        /* the library's own string outlives the request's */
        if (strcmp(chatgptt_model(i), model) == 0) c->model = chatgptt_model(i);
    c->streaming = cJSON_IsTrue(member(json, "stream"));
    c->with_usage = cJSON_IsTrue(member(member(json, "stream_options"), "include_usage"));
    snprintf(c->id, sizeof c->id, "chatcmpl-%llx%08lx", c->created, ++c->gateway->count & 0xFFFFFFFFul);
}

static bool start(call *c, const cJSON *json)
{
    const cJSON *list = member(json, "messages");
    size_t count = (size_t)cJSON_GetArraySize(list);
    chatgptt_message *messages = (chatgptt_message *)must(calloc(count, sizeof *messages));
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    describe(c, json);
    request.messages = messages;
    request.num_messages = count;
    request.model = cJSON_GetStringValue(member(json, "model"));
    if (take_messages(c, list, messages) && !(c->stream = chatgptt_start(c->gateway->client, &request)))
        refuse_for(c, chatgptt_client_error(c->gateway->client));
    free(messages);
    return c->stream != NULL;
}

/* Begins the stream; false: the call was refused. */
static bool ask(call *c)
{
    cJSON *json = has_nul(&c->body) ? NULL
        : cJSON_ParseWithLengthOpts(c->body.bytes, c->body.len + 1, NULL, true);
    const char *words = "the body must be a JSON object without NUL characters", *member = NULL;
    bool begun = false;
    if (!cJSON_IsObject(json)) refuse(c, 400, NULL, NULL, words);
    else if ((member = wrong_member(json, &words)) != NULL) refuse(c, 400, NULL, member, words);
    else begun = start(c, json);
    cJSON_Delete(json);
    text_free(&c->body);
    return begun;
}

/* ==== [GUARD] who may ask ==== */

static const char *header(const call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

/* The given one if it is among those of --origin. */
static const char *known_origin(const gateway *g, const char *origin)
{
    int i;
    for (i = 0; i < g->num_origins; i++)
        if (strcasecmp(g->origins[i], origin) == 0) return g->origins[i];
    return NULL;
}

/* A web page elsewhere can have its own name resolved to our address, and its Host then is that name. An
   address and localhost are nobody's to resolve; another name has to be that of an origin given. */
static bool host_is_ours(const gateway *g, const char *host)
{
    char name[256], http[300], https[300];
    struct in6_addr address;
    bool bracketed = *host == '[';
    snprintf(http, sizeof http, "http://%.255s", host);
    snprintf(https, sizeof https, "https://%.255s", host);
    host += bracketed;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(host, bracketed ? "]" : ":"), host);
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, name, &address) == 1) return true;
    return strcasecmp(name, "localhost") == 0 || known_origin(g, http) || known_origin(g, https);
}

/* Takes as long whichever byte is wrong. */
static bool key_fits(const char *key, const char *header)
{
    const char *given = header && strncasecmp(header, "Bearer ", 7) == 0 ? header + 7 : "";
    size_t len = strlen(key), i;
    volatile unsigned different = strlen(given) != len;
    for (i = 0; given[i]; i++) different |= (unsigned)(given[i] ^ key[i % len]);
    return !different;
}

static bool may_ask(call *c)
{
    const char *host = header(c, "Host"), *origin = header(c, "Origin");
    if (!host) return refuse(c, 400, NULL, NULL, "a request without Host");
    if (!host_is_ours(c->gateway, host))
        return refuse(c, 403, "host_not_allowed", NULL, "Host is neither an address, nor localhost, nor that "
                      "of an --origin: refused, since any web page can have its name lead here");
    if (!origin) return true;
    c->origin = known_origin(c->gateway, origin);
    if (c->origin) return true;
    if (strncasecmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0) return true;
    return refuse(c, 403, "origin_not_allowed", NULL, "web pages of this Origin may not use the gateway; "
                  "--origin allows one");
}

/* ==== [ROUTE] what there is, and what is refused before the body is read ==== */

/* R_MODEL is the prefix of a name. */
static const char *const paths[] = { "/", "/health", "/v1/models", "/v1/models/", "/v1/chat/completions" };

static route find_route(const char *url)
{
    int i;
    for (i = 0; i < R_NONE; i++)
        if (i == R_MODEL ? strncmp(url, paths[i], strlen(paths[i])) == 0 : strcmp(url, paths[i]) == 0) break;
    return (route)i;
}

static const char *allowed(route at) { return at == R_CHAT ? "POST, OPTIONS" : "GET, HEAD, OPTIONS"; }

/* A call may be refused by its head alone; its body is then read and dropped. A preflight carries no key. */
static bool head_is_fine(call *c, const char *method)
{
    const char *key = c->gateway->key;
    bool options = strcmp(method, "OPTIONS") == 0, post = strcmp(method, "POST") == 0;
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (!may_ask(c)) return false;
    if (c->route == R_NONE)
        return refuse(c, 404, "not_found", NULL, "no such path: there are /v1/chat/completions, /v1/models, "
                      "/health and /");
    if (!options && !(c->route == R_CHAT ? post : get))
        return refuse(c, 405, "method_not_allowed", NULL, "this path does not know the method: see Allow");
    return options || c->route <= R_HEALTH || !key || key_fits(key, header(c, "Authorization")) ||
           refuse(c, 401, "invalid_api_key", NULL, "this gateway was started with a --key, and asks for it: "
                  "Authorization: Bearer KEY");
}

static void list_models(call *c)
{
    size_t i;
    text_puts(&c->out, "{\"object\":\"list\",\"data\":[");
    for (i = 0; chatgptt_model(i); i++) {
        if (i) text_puts(&c->out, ",");
        put_model(c, chatgptt_model(i));
    }
    text_puts(&c->out, "]}");
}

static void show_model(call *c, const char *name)
{
    size_t i;
    for (i = 0; chatgptt_model(i); i++)
        if (strcmp(chatgptt_model(i), name) == 0) break;
    if (chatgptt_model(i)) put_model(c, name);
    else refuse(c, 404, "model_not_found", "model", "no such model: GET /v1/models lists them");
}

/* ==== [HTTP] libmicrohttpd's callbacks ==== */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

/* For a page of an origin given. `*` does not cover Authorization, so that stands beside it. */
static void add_cors(const call *c, struct MHD_Response *response)
{
    add(response, "Vary", "Origin");
    if (!c->origin) return;
    add(response, "Access-Control-Allow-Origin", c->origin);
    if (c->status != 204) return;
    add(response, "Access-Control-Allow-Methods", allowed(c->route));
    add(response, "Access-Control-Allow-Headers", "authorization, content-type, *");
    add(response, "Access-Control-Allow-Private-Network", "true");
    add(response, "Access-Control-Max-Age", "600");
}

static void add_page_headers(struct MHD_Response *response)
{
    add(response, "Content-Security-Policy", gateway_page_csp);
    add(response, "Cross-Origin-Opener-Policy", "same-origin");
    add(response, "Cross-Origin-Resource-Policy", "same-origin");
    add(response, "Referrer-Policy", "no-referrer");
    add(response, "X-Frame-Options", "DENY");
}

/* Asking a site again is for people to decide: OpenAI's clients would on every 429 and 5xx. */
static enum MHD_Result send_response(call *c, struct MHD_Response *response, const char *type)
{
    enum MHD_Result queued;
    must(response);
    if (type) add(response, "Content-Type", type);
    add(response, "Cache-Control", "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    if (c->status == 401) add(response, "WWW-Authenticate", "Bearer");
    if (c->status == 405 || c->status == 204) add(response, "Allow", allowed(c->route));
    if (c->status >= 429) add(response, "X-Should-Retry", "false");
    if (c->route == R_PAGE) add_page_headers(response);
    add_cors(c, response);
    queued = MHD_queue_response(c->connection, c->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* `out` as it is; it lives as long as the response. */
static enum MHD_Result send_whole(call *c)
{
    bool page = c->route == R_PAGE && !c->status;
    if (!c->status) c->status = 200;
    return send_response(c, MHD_create_response_from_buffer(c->out.len, c->out.bytes, MHD_RESPMEM_PERSISTENT),
                         page ? "text/html; charset=utf-8" : c->status == 204 ? NULL : "application/json");
}

/* After each of the client's waits: all of a stream's head is known with its first text, or its end. */
static enum MHD_Result send_answer(call *c)
{
    if (c->gone) return MHD_NO;
    if (!pump(c)) return suspend(c), MHD_YES;
    if (!c->streaming) return send_whole(c);
    c->status = 200;
    return send_response(c, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_out, c, NULL),
                         "text/event-stream; charset=utf-8");
}

static enum MHD_Result send_what_was_asked(call *c, const char *url, const char *method)
{
    int i;
    if (!c->status && c->taken > MAX_BODY) refuse(c, 413, NULL, NULL, "the body is longer than 1 MiB");
    if (!c->status && strcmp(method, "OPTIONS") == 0) c->status = 204;
    if (c->status) return send_whole(c);
    switch (c->route) {
    case R_PAGE: for (i = 0; gateway_page[i]; i++) text_puts(&c->out, gateway_page[i]); break;
    case R_HEALTH: text_puts(&c->out, "{\"status\":\"ok\"}"); break;
    case R_MODELS: list_models(c); break;
    case R_MODEL: show_model(c, url + strlen(paths[R_MODEL])); break;
    default: if (ask(c)) return c->asking = true, send_answer(c);
    }
    return send_whole(c);
}

static call *begin(gateway *g, struct MHD_Connection *connection)
{
    call *c = (call *)must(calloc(1, sizeof *c));
    c->gateway = g;
    c->connection = connection;
    c->of_client.kind = OF_CLIENT;
    c->of_stream.kind = OF_STREAM;
    c->of_client.call = c->of_stream.call = c;
    c->due = -1;
    c->next = g->calls;
    c->link = &g->calls;
    if (c->next) c->next->link = &c->next;
    g->calls = c;
    return c;
}

/* Once with the head, once with each piece of the body, once at its end, and after each resume(). */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes, size_t *size,
                                  void **state)
{
    call *c = (call *)*state;
    (void)version;
    if (((gateway *)user)->stop) return MHD_NO;
    if (!c) {
        *state = c = begin((gateway *)user, connection);
        c->route = find_route(url);
        head_is_fine(c, method);
        return MHD_YES;
    }
    if (*size) {
        c->taken += *size;
        if (!c->status && c->taken <= MAX_BODY) text_add(&c->body, bytes, *size);
        else text_free(&c->body);
        *size = 0;
        return c->taken <= MAX_SWALLOWED ? MHD_YES : MHD_NO;
    }
    return c->asking ? send_answer(c) : send_what_was_asked(c, url, method);
}

/* The response is out, or the client has gone. */
static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    call *c = (call *)*state;
    (void)user, (void)connection, (void)why;
    if (!c) return;
    end_stream(c);
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    text_free(&c->body);
    text_free(&c->out);
    text_free(&c->answer);
    free(c);
    *state = NULL;
}

/* ==== [OPTIONS] ==== */

static const char help_text[] =
    "usage: openai_gateway [OPTION]...\n"
    "Serves OpenAI's chat API on this machine, and a page to chat in, in front of a web site that runs the\n"
    "WordPress plugin AI Power. First line of output: url=http://127.0.0.1:PORT/v1\n"
    "\n"
    "  --port N             0: a free one (0)\n"
    "  --listen ADDRESS     a numeric one; any but loopback needs --key (127.0.0.1)\n"
    "  --key K              clients have to send it: Authorization: Bearer K\n"
    "  --origin O           web pages of this origin may use it, https://example.org; up to eight times\n"
    "  --url URL            page that holds the chat (https://chatgptt.me); without a scheme: https\n"
    "  --endpoint URL       where messages are sent (what the page names)\n"
    "  --bot ID             which chat of the page (its first)\n"
    "  --dialect NAME       auto, wpaicg (plugin 1.x to 2.2) or aipkit (2.3 and later) (auto)\n"
    "  --model NAME         where a client names none; checked only: the site picks its model\n"
    "  --proxy URL          http://[user:password@]host[:port]; the environment's is not looked at\n"
    "  --ca FILE            trust these roots only\n"
    "  --insecure           trust any certificate: whoever is on the path can read and change the chat\n"
    "  --timeout SECONDS    for an answer, from lookup to last byte (600)\n"
    "  --help, --version    print this, or the version\n";

static void wrong(const char *argument)
{
    fprintf(stderr, "openai_gateway: %s: no such option, or its value is missing or wrong (see --help)\n",
            argument);
    exit(2);
}

static int number(const char *words, long least, long most, const char *option)
{
    char *end;
    long value = strtol(words, &end, 10);
    if (*words < '0' || *words > '9' || *end || value < least || value > most) wrong(option);
    return (int)value;
}

/* Where the value of the option goes; NULL: there is none of this name. */
static const char **place(gateway *g, const char *name)
{
    const struct { const char *name, **value; } known[] = {
        { "port", &g->port }, { "listen", &g->address }, { "key", &g->key }, { "url", &g->options.url },
        { "endpoint", &g->options.endpoint }, { "bot", &g->options.bot_id }, { "dialect", &g->dialect },
        { "model", &g->options.model }, { "proxy", &g->options.proxy }, { "ca", &g->options.ca_file },
        { "timeout", &g->timeout }, { "origin", &g->origins[g->num_origins & 7] } };
    size_t i, len = strcspn(name, "=");
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0) break;
    if (i == 12 || (i == 11 && ++g->num_origins > 8)) return NULL;
    return known[i].value;
}

static void parse_arguments(gateway *g, char **argv)
{
    int i;
    for (i = 1; argv[i]; i++) {
        const char *name = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
        const char *equals = strchr(name, '='), **value;
        if (strcmp(name, "help") == 0) exit(fputs(help_text, stdout) < 0);
        if (strcmp(name, "version") == 0) exit(puts("openai_gateway " CHATGPTT_VERSION) < 0);
        if (strcmp(name, "insecure") == 0) {
            g->options.insecure = true;
            continue;
        }
        value = place(g, name);
        if (!value || (!equals && !argv[i + 1])) wrong(argv[i]);
        *value = equals ? equals + 1 : argv[++i];
    }
}

static void check_arguments(gateway *g)
{
    static const char *const dialects[] = { "auto", "wpaicg", "aipkit" };
    int i;
    for (i = 0; i < 3 && strcmp(dialects[i], g->dialect) != 0; i++) {}
    if (i == 3 || (g->key && !*g->key)) wrong(i == 3 ? "--dialect" : "--key");
    g->options.dialect = (chatgptt_dialect)i;
    for (i = 0; i < g->num_origins; i++)        /* as browsers send it: a path would never fit */
        if (!strstr(g->origins[i], "://") || strchr(strstr(g->origins[i], "://") + 3, '/')) wrong("--origin");
    if (g->options.url && !strstr(g->options.url, "://")) {
        text_puts(&g->url, "https://");
        text_puts(&g->url, g->options.url);
        g->options.url = g->url.bytes;
    }
    number(g->port, 0, 65535, "--port");
    g->options.total_timeout_ms = number(g->timeout, 1, INT_MAX / 1000, "--timeout") * 1000;
}

/* ==== [MAIN] ==== */

/* The client went while it waited: libmicrohttpd is to see that, and on_completed() ends the stream. */
static void hang_up(call *c)
{
    c->gone = true;
    resume(c);
}

static void on_event(gateway *g, const source *of)
{
    if (of->kind == OF_SIGNAL) g->stop = true;
    if (of->kind == OF_CLIENT) hang_up(of->call);
    if (of->kind == OF_STREAM && of->call->suspended && pump(of->call)) resume(of->call);
}

/* The calls whose time has come; a call has one only while it is suspended. */
static void run_timers(gateway *g)
{
    long long now = now_ms();
    call *c;
    if (g->due < 0 || g->due > now) return;
    for (c = g->calls; c; c = c->next)
        if (c->due >= 0 && c->due <= now && pump(c)) resume(c);
    g->due = -1;
    for (c = g->calls; c; c = c->next)
        if (c->due >= 0 && (g->due < 0 || c->due < g->due)) g->due = c->due;
}

static int sleep_ms(const gateway *g)
{
    MHD_UNSIGNED_LONG_LONG limit;
    long long now = now_ms(), ms = g->due < 0 ? INT_MAX : g->due > now ? g->due - now : 0;
    if (MHD_get_timeout(g->daemon, &limit) == MHD_YES && limit < (unsigned)ms) ms = (long long)limit;
    return ms == INT_MAX ? -1 : (int)ms;
}

static void serve(gateway *g)
{
    struct epoll_event ready[256];
    call *c;
    while (!g->stop) {
        int n = epoll_wait(g->epoll, ready, 256, sleep_ms(g)), i;
        for (i = 0; i < n; i++) on_event(g, (const source *)ready[i].data.ptr);
        run_timers(g);
        MHD_run(g->daemon);
    }
    for (c = g->calls; c; c = c->next) hang_up(c);      /* none may be suspended when the daemon stops */
    MHD_run(g->daemon);
}

/* Descriptors: two a client, and some to spare. */
static unsigned max_clients(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 64;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur / 16 * 7 > MAX_CLIENTS ? MAX_CLIENTS : (unsigned)limit.rlim_cur / 16 * 7;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
}

static void listen_on(gateway *g)
{
    struct addrinfo hints, *found = NULL;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(g->address, g->port, &hints, &found) != 0) wrong("--listen");
    if (!g->key && !is_loopback(found->ai_addr)) die("--listen", "an address others can reach needs --key");
    if (found->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
    g->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, g,
        MHD_OPTION_SOCK_ADDR, found->ai_addr, MHD_OPTION_NOTIFY_COMPLETED, on_completed, g,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEAD, MHD_OPTION_CONNECTION_LIMIT, max_clients(),
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!g->daemon) die("cannot listen", strerror(errno));
    freeaddrinfo(found);
}

/* A descriptor that is readable once SIGTERM or SIGINT came; SIGPIPE is not to end us. */
static int catch_signals(void)
{
    struct sigaction ignore;
    sigset_t stop;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    return signalfd(-1, &stop, SFD_CLOEXEC);
}

static void tell_url(const gateway *g)
{
    const char *format = strchr(g->address, ':') ? "url=http://[%s]:%u/v1\n" : "url=http://%s:%u/v1\n";
    printf(format, g->address, (unsigned)MHD_get_daemon_info(g->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    if (fflush(stdout) != 0) die("standard output", strerror(errno));
}

int main(int argc, char **argv)
{
    gateway g;
    source http = { OF_HTTP, NULL }, signals = { OF_SIGNAL, NULL };
    chatgptt_error error;
    (void)argc;
    memset(&g, 0, sizeof g);
    g.address = "127.0.0.1", g.port = "0", g.dialect = "auto", g.timeout = "600", g.due = -1;
    parse_arguments(&g, argv);
    check_arguments(&g);
    g.client = chatgptt_open(&g.options, &error);
    if (!g.client) die(chatgptt_code_name(error.code), error.message);
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    listen_on(&g);
    control(&g, EPOLL_CTL_ADD, catch_signals(), EPOLLIN, &signals);
    control(&g, EPOLL_CTL_ADD, MHD_get_daemon_info(g.daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN,
            &http);
    tell_url(&g);
    serve(&g);
    MHD_stop_daemon(g.daemon);
    chatgptt_close(g.client);
    text_free(&g.url);
    return 0;
}
