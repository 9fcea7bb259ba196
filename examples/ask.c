#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"

int main(void)
{
    chatgptt_error error;
    chatgptt_client *client = chatgptt_open(NULL, &error);
    char *answer = chatgptt_ask(client, "Why is the sky blue?");
    if (client) error = *chatgptt_client_error(client);
    puts(answer ? answer : error.message);
    chatgptt_free(client, answer);
    chatgptt_close(client);
}
