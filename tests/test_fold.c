/* test_fold.c - messages become the one prompt the site takes, as the Python model folds them; what the site
   calls empty is not sent. The tables were made by Python: single message as it is, else
   "\n".join(f"{role.capitalize()}: {content}" for role, content in messages if content.strip()) +
   "\nAssistant:" */
#define CHATGPTT_IMPLEMENTATION
#include "feed.h"
#include "script.h"

#define ROWS(table) (sizeof (table) / sizeof *(table))

#define U CHATGPTT_USER
#define A CHATGPTT_ASSISTANT
#define S CHATGPTT_SYSTEM

static const struct { size_t count; chatgptt_message messages[4]; const char *prompt;
} folded[] = {
    { 1, { { U, "Hello", 0 } }, "Hello" },
    { 1, { { S, "Only a rule", 0 } }, "Only a rule" },
    { 1, { { A, "  kept as it is \n", 0 } }, "  kept as it is \n" },
    { 1, { { U, "line\nline\r\n\ttab", 0 } }, "line\nline\r\n\ttab" },
    { 1, { { U, "00", 0 } }, "00" },
    { 1, { { U, "User: \nAssistant:", 0 } }, "User: \nAssistant:" },
    { 2, { { S, "Be brief.", 0 }, { U, "Hi", 0 } }, "System: Be brief.\nUser: Hi\nAssistant:" },
    { 3,
      { { U, "Hi", 0 }, { A, "Hello!", 0 }, { U, "How are you?", 0 } },
      "User: Hi\nAssistant: Hello!\nUser: How are you?\nAssistant:" },
    { 4,
      { { S, "a", 0 }, { U, "b", 0 }, { A, "c", 0 }, { U, "d", 0 } },
      "System: a\nUser: b\nAssistant: c\nUser: d\nAssistant:" },
    { 2, { { U, "a", 0 }, { U, "b", 0 } }, "User: a\nUser: b\nAssistant:" },
    { 2,
      { { A, "last word", 0 }, { A, "last word", 0 } },
      "Assistant: last word\nAssistant: last word\nAssistant:" },
    { 2, { { U, "  leading", 0 }, { U, "trailing  ", 0 } }, "User:   leading\nUser: trailing  \nAssistant:" },
    { 2,
      { { U, "two\nlines\n", 0 }, { A, "\nand\n\nmore", 0 } },
      "User: two\nlines\n\nAssistant: \nand\n\nmore\nAssistant:" },
    { 2,
      { { U, "Assistant: no", 0 }, { S, "User: yes", 0 } },
      "User: Assistant: no\nSystem: User: yes\nAssistant:" },
    { 2, { { U, "", 0 }, { U, "one left", 0 } }, "User: one left\nAssistant:" },
    { 2, { { U, "one left", 0 }, { A, "", 0 } }, "User: one left\nAssistant:" },
    { 3,
      { { U, " \t\r\n", 0 }, { A, "x", 0 }, { S, "\xE3\x80\x80\xC2\xA0", 0 } },
      "Assistant: x\nAssistant:" },
    { 2,
      { { U, "\xE2\x80\x8B", 0 }, { A, "\xEF\xBB\xBF", 0 } },
      "User: \xE2\x80\x8B\nAssistant: \xEF\xBB\xBF\nAssistant:" },
    { 2,
      { { U, "\xC2\xA0x", 0 }, { A, "x\xE2\x80\x83", 0 } },
      "User: \xC2\xA0x\nAssistant: x\xE2\x80\x83\nAssistant:" },
    { 2,
      { { U, "\xC3\xBC\xD0\x96\xE6\x97\xA5\xE6\x9C\xAC\xF0\x9F\x98\x80", 0 }, { A, "e\xCC\x81", 0 } },
      "User: \xC3\xBC\xD0\x96\xE6\x97\xA5\xE6\x9C\xAC\xF0\x9F\x98\x80\nAssistant: e\xCC\x81\nAssistant:" },
    { 2,
      { { U, "quote \" back \\ <tag> & % + = ;", 0 }, { S, "'", 0 } },
      "User: quote \" back \\ <tag> & % + = ;\nSystem: '\nAssistant:" },
    { 2, { { U, "0", 0 }, { A, "0", 0 } }, "User: 0\nAssistant: 0\nAssistant:" },
    { 2, { { U, "0", 0 }, { A, " ", 0 } }, "User: 0\nAssistant:" },
    { 2, { { U, "\x01\x7F", 0 }, { A, "\x1B[0m", 0 } }, "User: \x01\x7F\nAssistant: \x1B[0m\nAssistant:" },
    { 4, { { S, "a", 0 }, { S, "b", 0 }, { U, "", 0 }, { A, "", 0 } }, "System: a\nSystem: b\nAssistant:" },
    { 2,
      { { U, "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF4\x8F\xBF\xBF", 0 }, { U, ".", 0 } },
      "User: \xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF4\x8F\xBF\xBF\nUser: .\nAssistant:" },
};

/* Every character that str.strip() takes off, and neighbours that it leaves. */
static const char *const blanks[] = {
    "\t",           "\n",           "\x0B",         "\x0C",         "\r",
    "\x1C",         "\x1D",         "\x1E",         "\x1F",         " ",
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"
};
static const char *const no_blanks[] = { "\xE2\x80\x8B", "\xEF\xBB\xBF",
                                         "\xE1\xA0\x8E", "\xC2\x84",
                                         "\xC2\x86",     "\xC2\x9F",
                                         "\xC2\xA1",     "\xE2\x81\xA0",
                                         "\xE2\x80\x8C", "\xE1\x9A\x81",
                                         "\xE1\x99\xBF", "\xE2\x80\xA7",
                                         "\xE2\x80\xAA", "\xE2\x80\xAE",
                                         "\xE2\x80\xB0", "\xE2\x81\x9E",
                                         "\xE2\xBF\xBF", "\xE3\x80\x81",
                                         "\x1B",         "\x0E",
                                         "\x08",         "!",
                                         "\x7F",         "\xC2\xAD",
                                         "\xE2\xA0\x80" };

static void check_fold(const chatgptt_message *messages, size_t count, const char *wanted)
{
    script s;
    script_init(&s);
    chatgptt_hooks hooks = script_hooks(&s);
    cgt_buffer b;
    cgt_buffer_init(&b, &hooks, CHATGPTT_MAX_REQUEST);
    cgt_fold(&b, messages, count);
    CHECK_MEM(b.data, b.len, wanted, strlen(wanted));
    cgt_buffer_free(&b);
    script_finish(&s);
}

/* Once with terminated texts, once with sizes, the last text before an unreadable page. */
TEST(fold)
{
    for (size_t i = 0; i < ROWS(folded); i++) {
        chatgptt_message sized[4];
        check_fold(folded[i].messages, folded[i].count, folded[i].prompt);
        memcpy(sized, folded[i].messages, sizeof sized);
        for (size_t k = 0; k < folded[i].count; k++) {
            sized[k].len = strlen(sized[k].text);
            if (sized[k].len == 0 || k + 1 < folded[i].count) continue;
            sized[k].text =
                (const char *)memcpy(feed_fence(sized[k].len) - sized[k].len, sized[k].text, sized[k].len);
        }
        check_fold(sized, folded[i].count, folded[i].prompt);
    }
}

TEST(blanks)
{
    char text[100], wanted[200];
    chatgptt_message two[2] = {{U, text, 0}, {A, "x", 0}};
    for (size_t i = 0; i < ROWS(blanks); i++) {
        snprintf(text, sizeof text, "%s", blanks[i]);
        check_fold(two, 2, "Assistant: x\nAssistant:");
        snprintf(text, sizeof text, " %s\t%s", blanks[i], blanks[ROWS(blanks) - 1 - i]);
        check_fold(two, 2, "Assistant: x\nAssistant:");
        snprintf(text, sizeof text, "%s.", blanks[i]);
        snprintf(wanted, sizeof wanted, "User: %s\nAssistant: x\nAssistant:", text);
        check_fold(two, 2, wanted);
    }
    for (size_t i = 0; i < ROWS(no_blanks); i++) {
        snprintf(text, sizeof text, " %s", no_blanks[i]);
        snprintf(wanted, sizeof wanted, "User: %s\nAssistant: x\nAssistant:", text);
        check_fold(two, 2, wanted);
    }
}

/* ---- over the wire ---- */

static const char page[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 44\r\n\r\n<div "
                           "data-nonce=0123456789 data-post-id=\"7\">";
static const char answer[] =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n"
    "{\"status\":\"success\",\"data\":\"ok\"}";

/* A site that answers `count` messages, the k-th on connection k from 1 on, and a client of it. */
static chatgptt_client *site_open(script *s, size_t count)
{
    script_init(s);
    for (size_t i = 0; i <= count; i++) {
        script_connection(s);
        script_request(s);
        script_say(s, i == 0 ? page : answer);
    }
    const chatgptt_options options = script_options(s);
    chatgptt_client *client = chatgptt_open(&options, NULL);
    CHECK(client != NULL);
    return client;
}

static chatgptt_code chat(chatgptt_client *client, const char *prompt, const chatgptt_message *messages,
                          size_t count) {
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    request.messages = messages;
    request.num_messages = count;
    return chatgptt_chat(client, &request, NULL, NULL);
}

TEST(wire)
{
    static script s;
    char field[300];
    chatgptt_client *client = site_open(&s, ROWS(folded));
    if (!client) return;
    for (size_t i = 0; i < ROWS(folded); i++) {
        if (!CHECK_INT(chat(client, NULL, folded[i].messages, folded[i].count), CHATGPTT_DONE))
            puts(chatgptt_client_error(client)->message);
        CHECK_STR(script_field(&s, (int)i + 1, 0, "message", field, sizeof field), folded[i].prompt);
    }
    chatgptt_close(client);
    script_finish(&s);
}

/* A prompt is one user message; texts are copied by start(). */
TEST(prompt)
{
    static script s;
    char field[300], text[] = " a prompt\n";
    chatgptt_client *client = site_open(&s, 3);
    if (!client) return;
    chatgptt_request request;
    chatgptt_event event;
    chatgptt_code code;
    memset(&request, 0, sizeof request);
    request.prompt = text;
    chatgptt_stream *stream = chatgptt_start(client, &request);
    memset(text, 'X', sizeof text - 1);
    CHECK(stream != NULL);
    while (stream && (code = chatgptt_next(stream, &event)) == CHATGPTT_OK) continue;
    chatgptt_finish(stream);
    CHECK_STR(script_field(&s, 1, 0, "message", field, sizeof field), " a prompt\n");
    CHECK_INT(chat(client, "00", NULL, 0), CHATGPTT_DONE);
    CHECK_STR(script_field(&s, 2, 0, "message", field, sizeof field), "00");
    CHECK_INT(chat(client, "\xE2\x80\x8B", NULL, 0), CHATGPTT_DONE);       /* a blank to the eye only */
    CHECK_STR(script_field(&s, 3, 0, "message", field, sizeof field), "\xE2\x80\x8B");
    chatgptt_close(client);
    script_finish(&s);
}

/* ---- nothing to say, or nothing that can be said: refused before anything is sent ---- */

static const struct {
    const char *name;
    const char *prompt;
    size_t count;
    chatgptt_message messages[3];
} refused[] = {
    { "nothing", NULL, 0, { { U, "x", 0 } } },
    { "empty prompt", "", 0, { { U, NULL, 0 } } },
    { "0", "0", 0, { { U, NULL, 0 } } },
    { "0 that the site trims", " 0\r\n", 0, { { U, NULL, 0 } } },
    { "blank prompt", " \t\n\xC2\xA0\xE3\x80\x80", 0, { { U, NULL, 0 } } },
    { "prompt and messages", "x", 1, { { U, "x", 0 } } },
    { "empty message", NULL, 1, { { U, "", 0 } } },
    { "0 as a message", NULL, 1, { { U, "0", 0 } } },
    { "0 with a size", NULL, 1, { { U, "01", 1 } } },
    { "all blank", NULL, 3, { { S, "", 0 }, { A, " ", 0 }, { U, "\xE2\x80\x83\x1F", 0 } } },
    { "no text", NULL, 2, { { U, "x", 0 }, { U, NULL, 0 } } },
    { "NUL", NULL, 1, { { U, "a\0b", 3 } } },
    { "NUL alone", NULL, 2, { { U, "a", 0 }, { U, "\0", 1 } } },
    { "invalid prompt", "\xFF", 0, { { U, NULL, 0 } } },
    { "overlong", NULL, 1, { { U, "\xC0\x80", 0 } } },
    { "surrogate", NULL, 1, { { U, "a\xED\xA0\x80", 0 } } },
    { "cut character", NULL, 1, { { U, "a\xF0\x9F\x98\x80", 4 } } },
    { "past the last", NULL, 1, { { U, "\xF4\x90\x80\x80", 0 } } },
    { "Latin-1 behind", NULL, 2, { { U, "a", 0 }, { A, "caf\xE9", 0 } } },
    { "no such role", NULL, 2, { { U, "a", 0 }, { (chatgptt_role)3, "b", 0 } } },
};

static void check_refusal(const char *name, chatgptt_client *client, chatgptt_code code)
{
    const chatgptt_error *error = chatgptt_client_error(client);
    if (code != CHATGPTT_E_ARGUMENT || error->code != code || !error->message[0])
        check_fail(__FILE__, __LINE__, "%s: %d, %s", name, code, error->message);
}

TEST(refuse)
{
    static script s;
    chatgptt_client *client = site_open(&s, 1);
    if (!client) return;
    for (size_t i = 0; i < ROWS(refused); i++) {
        const chatgptt_message *messages =
            refused[i].count || !refused[i].prompt ? refused[i].messages : NULL;
        check_refusal(refused[i].name, client, chat(client, refused[i].prompt, messages, refused[i].count));
    }
    for (size_t i = 0; i < ROWS(blanks); i++)
        check_refusal(blanks[i], client, chat(client, blanks[i], NULL, 0));
    check_refusal("no messages", client, chat(client, NULL, NULL, 0));
    check_refusal("a count without messages", client, chat(client, NULL, NULL, 2));
    CHECK(chatgptt_start(client, NULL) == NULL);
    check_refusal("no request", client, CHATGPTT_E_ARGUMENT);
    CHECK(chatgptt_ask(client, NULL) == NULL);
    check_refusal("no prompt", client, CHATGPTT_E_ARGUMENT);
    CHECK_INT(s.opened, 0);
    CHECK_INT(chat(client, "well", NULL, 0), CHATGPTT_DONE);            /* and the client is as good as new */
    CHECK_INT(chatgptt_client_error(client)->code, CHATGPTT_OK);
    chatgptt_close(client);
    script_finish(&s);
}

int main(void)
{
    RUN(fold);
    RUN(blanks);
    RUN(wire);
    RUN(prompt);
    RUN(refuse);
    return check_report("fold");
}
