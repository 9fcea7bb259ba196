/* test_costs.c - what the manual's table of costs says is what is measured; and how many round trips a
   message takes, warm and cold. */
#include "chat.h"
#define CHATGPTT_IMPLEMENTATION
#include "script.h"

#define PAGE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n%s"
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define DELTA                                                                                            \
    "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n"
#define DELTA_CHUNK "52\r\n" DELTA "\r\n"
#define LAST_CHUNK "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

static char page[2000];

static void begin(script *s)
{
    script_init(s);
    snprintf(page, sizeof page, PAGE_HEAD, strlen(CHAT_OLD_PAGE), CHAT_OLD_PAGE);
    script_connection(s);
    script_request(s);
    script_say(s, page);
}

static chatgptt_client *open_on(script *s)
{
    chatgptt_options options = script_options(s);
    return chatgptt_open(&options, NULL);
}

static chatgptt_stream *start(chatgptt_client *c, const char *prompt)
{
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.prompt = prompt;
    return chatgptt_start(c, &request);
}

/* Steps until it is to wait for the far side. */
static chatgptt_code steps(chatgptt_stream *stream, size_t *text)
{
    chatgptt_event event;
    chatgptt_code code;
    while ((code = chatgptt_step(stream, &event)) == CHATGPTT_OK ||
           (code == CHATGPTT_AGAIN && chatgptt_want(stream).timeout_ms == 0))
        if (code == CHATGPTT_OK) *text += event.len;
    return code;
}

/* ---- the manual's table: a label, then its figure ---- */

static long figure_of(const char *label)
{
    char line[300];
    long found = -1;
    FILE *header = fopen("chatgptt.h", "r");
    if (!CHECK(header != NULL)) return -1;
    while (found < 0 && fgets(line, sizeof line, header)) {
        const char *at = strstr(line, label);
        if (at && strspn(line, " ") == (size_t)(at - line)) found = strtol(at + strlen(label), NULL, 10);
    }
    fclose(header);
    return found;
}

/* Sizes are those of a machine of 64 bits. */
static void compare(const char *label, size_t measured)
{
    long said = figure_of(label);
    printf("%zu bytes: %s\n", measured, label);
    if (sizeof(void *) != 8) return;
    if (!CHECK(said > 0 && measured <= (size_t)said && measured * 100 >= (size_t)said * 90))
        printf("    %s: the manual says %ld, measured are %zu\n", label, said, measured);
}

TEST(the_table_of_costs)
{
    script s;
    size_t text = 0, client, idle, warm;
    begin(&s);
    script_request(&s);
    script_say(&s, STREAM_HEAD DELTA_CHUNK LAST_CHUNK);
    script_request(&s);
    script_pause(&s, 100);
    script_say(&s, STREAM_HEAD DELTA_CHUNK);
    script_pause(&s, 100);
    script_say(&s, DELTA_CHUNK LAST_CHUNK);
    chatgptt_client *c = open_on(&s);
    client = s.live_bytes;
    chatgptt_stream *stream = start(c, "Why is the sky blue?");
    CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
    chatgptt_finish(stream);
    warm = s.live_bytes;
    idle = s.live_bytes - (c->pool.idle ? c->pool.idle->size : 0);
    compare("a client, the site's tokens known", idle);
    compare("a connection it keeps", warm - idle);
    stream = start(c, "Why is the sky blue?");
    CHECK_INT(steps(stream, &text), CHATGPTT_AGAIN);
    compare("a stream that waits for its answer", s.live_bytes - warm - CHATGPTT_READ_BUFFER);
    s.now += 100;
    CHECK_INT(steps(stream, &text), CHATGPTT_AGAIN);
    CHECK_INT(text, 10);
    printf("%d bytes: the read buffer while any runs\n", CHATGPTT_READ_BUFFER);
    compare("a stream whose answer comes", s.live_bytes - warm - CHATGPTT_READ_BUFFER);
    s.now += 100;
    CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
    chatgptt_finish(stream);
    CHECK_INT(s.live_bytes, warm);          /* the read buffer is gone with the last stream */
    CHECK(client <= idle);
    chatgptt_close(c);
    script_finish(&s);
}

/* ---- memory stands still, whatever the reply's length ---- */

static size_t peak_of(size_t deltas)
{
    script s;
    size_t text = 0, peak;
    begin(&s);
    script_request(&s);
    script_say(&s, STREAM_HEAD);
    script_send(&s, DELTA_CHUNK, strlen(DELTA_CHUNK), deltas);
    script_say(&s, LAST_CHUNK);
    chatgptt_client *c = open_on(&s);
    chatgptt_stream *stream = start(c, "hi");
    CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
    CHECK_INT(text, 5 * deltas);
    chatgptt_finish(stream);
    peak = s.peak_bytes;
    chatgptt_close(c);
    script_finish(&s);
    return peak;
}

TEST(a_reply_of_any_length_costs_the_same) { CHECK_INT(peak_of(20000), peak_of(10)); }

/* ---- round trips ---- */

TEST(a_warm_message_is_one_round_trip)
{
    for (int newer = 0; newer < 2; newer++) {
        script s;
        size_t text = 0;
        char answers[3][1000];
        chatgptt_options options;
        script_init(&s);
        script_connection(&s);
        for (int message = 0; message < 2; message++) {
            if (message == 0) {
                snprintf(page, sizeof page, PAGE_HEAD, strlen(newer ? CHAT_NEW_PAGE : CHAT_OLD_PAGE),
                         newer ? CHAT_NEW_PAGE : CHAT_OLD_PAGE);
                script_request(&s);
                script_say(&s, page);
            }
            if (newer) {
                size_t len = chat_chunked(answers[0], sizeof answers[0], "application/json", "", CHAT_KEY);
                script_request(&s);
                script_send(&s, answers[0], len, 1);
                script_say(&s, CHAT_LAST);
            }
            size_t len = chat_chunked(answers[1], sizeof answers[1], "text/event-stream", "",
                                      newer ? CHAT_NEW_ANSWER : CHAT_OLD_ANSWER);
            script_request(&s);
            script_send(&s, answers[1], len, 1);
            script_say(&s, CHAT_LAST);
        }
        options = script_options(&s);
        chatgptt_client *c = chatgptt_open(&options, NULL);
        for (int message = 0; message < 2; message++) {
            chatgptt_stream *stream = start(c, "hi");
            text = 0;
            CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
            CHECK_INT(chatgptt_stream_stats(stream)->requests, (message ? 0 : 1) + (newer ? 2 : 1));
            CHECK_INT(chatgptt_stream_stats(stream)->connections, message ? 0 : 1);
            chatgptt_finish(stream);
        }
        CHECK_INT(s.opened, 1);
        chatgptt_close(c);
        script_finish(&s);
    }
}

/* From a saved state: no page, the message is the first thing sent. */
TEST(a_cold_start_from_a_state_is_one_round_trip)
{
    script s, t;
    char state[10000], answer[1000];
    size_t text = 0, len = chat_chunked(answer, sizeof answer, "text/event-stream", "", CHAT_OLD_ANSWER);
    begin(&s);
    script_request(&s);
    script_send(&s, answer, len, 1);
    script_say(&s, CHAT_LAST);
    chatgptt_client *c = open_on(&s);
    chatgptt_stream *stream = start(c, "hi");
    CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
    chatgptt_finish(stream);
    size_t size = chatgptt_save(c, state, sizeof state);
    CHECK(size > 0 && size <= sizeof state);
    chatgptt_close(c);
    script_finish(&s);
    script_init(&t);
    script_connection(&t);
    script_request(&t);
    script_send(&t, answer, len, 1);
    script_say(&t, CHAT_LAST);
    c = open_on(&t);
    CHECK_INT(chatgptt_load(c, state, size), CHATGPTT_OK);
    stream = start(c, "hi");
    CHECK_INT(steps(stream, &text), CHATGPTT_DONE);
    CHECK_INT(chatgptt_stream_stats(stream)->requests, 1);
    chatgptt_finish(stream);
    chatgptt_close(c);
    script_finish(&t);
}

int main(void)
{
    RUN(the_table_of_costs);
    RUN(a_reply_of_any_length_costs_the_same);
    RUN(a_warm_message_is_one_round_trip);
    RUN(a_cold_start_from_a_state_is_one_round_trip);
    return check_report("costs");
}
