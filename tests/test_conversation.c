/* test_conversation.c: five turns with quotes, code and Cyrillic, remembered by a stand-in site of each
   generation (demo_site). */

#include "check.h"

#include <signal.h>
#include <sys/wait.h>

#define CHATGPTT_IMPLEMENTATION
#include "../chatgptt.h"

static const char *program;         /* demo_site, which lies beside the folder of the tests */

typedef struct stand_in { pid_t pid; int input; char url[100]; } stand_in;

/* It ends with its standard input, so even a test that dies leaves none behind. */
static bool stand_in_start(stand_in *s, const char *dialect)
{
    int in[2], out[2];
    char line[100] = "";
    if (pipe(in) != 0 || pipe(out) != 0) return false;
    s->pid = fork();
    if (s->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(program, program, "--dialect", dialect, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    s->input = in[1];
    FILE *lines = fdopen(out[0], "r");
    bool told = fgets(line, sizeof line, lines) && strncmp(line, "url=", 4) == 0;
    fclose(lines);
    line[strcspn(line, "\n")] = '\0';
    snprintf(s->url, sizeof s->url, "%s", told ? line + 4 : "");
    return told;
}

static void stand_in_stop(stand_in *s)
{
    close(s->input);
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
}

static const char *const turns[] = {
    "Запомни: меня зовут «Ёжик», \"in quotes\"",
    "What does `if (a < b && c > d) puts(\"\\n\");` print?",
    "line one\n\tline two 100%de", "AI: is not me, Human: is", "Как меня зовут? 👋" };
enum { TURNS = sizeof turns / sizeof *turns };

static int collect(void *user, const char *text, size_t len)
{
    strncat((char *)user, text, len);
    return 0;
}

/* One turn: all messages so far go along, the answer joins them. */
static bool take_turn(chatgptt_client *client, chatgptt_conversation *memory, chatgptt_message *messages,
                      size_t count, char *answer) {
    chatgptt_request request;
    memset(&request, 0, sizeof request);
    request.messages = messages;
    request.num_messages = count;
    request.conversation = memory;
    answer[0] = '\0';
    return CHECK_STR(chatgptt_code_name(chatgptt_chat(client, &request, collect, answer)), "DONE");
}

/* The stand-in tells how many earlier messages it knows, and the first of them as it got it. */
static void five_turns(const char *dialect, const char *first)
{
    static char answers[TURNS][4000];
    chatgptt_message messages[2 * TURNS];
    chatgptt_conversation memory;
    chatgptt_options options;
    stand_in site;
    memset(&memory, 0, sizeof memory);
    memset(&options, 0, sizeof options);
    memset(messages, 0, sizeof messages);
    if (!CHECK(stand_in_start(&site, dialect))) return;
    options.url = site.url;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    for (size_t i = 0; i < TURNS; i++) {
        char known[60];
        if (i == 3) {               /* half way another client goes on, with the 512 bytes alone */
            chatgptt_close(client);
            client = chatgptt_open(&options, NULL);
        }
        messages[2 * i].text = turns[i];
        if (!take_turn(client, &memory, messages, 2 * i + 1, answers[i])) break;
        snprintf(known, sizeof known, "Earlier messages I know: %d.", (int)(2 * i));
        CHECK(strstr(answers[i], turns[i]) != NULL);
        CHECK(i == 0 || strstr(answers[i], known) != NULL);
        CHECK(i == 0 || strstr(answers[i], first) != NULL);
        messages[2 * i + 1].role = CHATGPTT_ASSISTANT;
        messages[2 * i + 1].text = answers[i];
    }
    chatgptt_close(client);
    stand_in_stop(&site);
}

/* Stand-ins speak at a human pace: both are talked to at once, the older one by a child of the test. */
TEST(five_turns_on_both)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        five_turns("wpaicg",
                   "We began with: Запомни: меня зовут «Ёжик», &quot;in quotes&quot;");
        fflush(stdout);
        _exit(check_now.bad);
    }
    five_turns("aipkit", "We began with: Запомни: меня зовут «Ёжик», \"in quotes\"");
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(needs_demo_site) { SKIP("demo_site is not built"); }

int main(int argc, char **argv)
{
    static char path[1000];
    size_t len = strlen(argv[0]);
    (void)argc;
    while (len && argv[0][len - 1] != '/') len--;
    snprintf(path, sizeof path, "%.*s../demo_site", (int)len, argv[0]);
    program = path;
    if (access(program, X_OK) == 0) RUN(five_turns_on_both);
    else RUN(needs_demo_site);
    return check_report("conversation");
}
