#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

int main(void)
{
    chatgptt_client *client = chatgptt_open(NULL, NULL);
    char *answer = chatgptt_ask(client, "Why is the sky blue?");
    if (answer) puts(answer);
    else        puts(chatgptt_client_error(client)->message);
    chatgptt_free(client, answer);
    chatgptt_close(client);
}
