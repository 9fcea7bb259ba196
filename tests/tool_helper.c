/* What test_tool.sh cannot do in the shell:

       tool_helper mute                     a server that lets everybody connect and says nothing
       tool_helper say FILE                 one that answers whatever it is sent with the bytes in FILE
       tool_helper proxy                    a proxy for http and https, of addresses 127.0.0.1 and localhost
       tool_helper pty [EXPECT TYPE]... -- PROGRAM [WORD]...        PROGRAM on a terminal of its own

   The servers print url=... and live until their standard input ends; say and proxy tell the first line of
   each request on standard error. pty waits until EXPECT was printed, behind what was expected before, then
   types TYPE, and so on; it passes on all that PROGRAM prints, and ends with its exit status, or with 99
   after a minute. */
#define _XOPEN_SOURCE 700
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(98);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    return address;
}

/* Serves each connection in a process of its own until standard input ends. */
static int serve(void (*answer)(int client))
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) die("serve");
    printf("url=http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd ready[2] = { { STDIN_FILENO, POLLIN, 0 }, { fd, POLLIN, 0 } };
        char byte;
        int client;
        while (answer && waitpid(-1, NULL, WNOHANG) > 0) {}
        if (poll(ready, answer ? 2 : 1, -1) < 0) die("poll");
        if (ready[0].revents && read(STDIN_FILENO, &byte, 1) <= 0) return 0;
        if (!answer || !ready[1].revents || (client = accept(fd, NULL, NULL)) < 0) continue;
        if (fork() == 0) {
            alarm(30);
            answer(client);
            _exit(0);
        }
        close(client);
    }
}

/* Reads until a request's head is whole, or what cannot be one; its first line is told. */
static size_t read_head(int client, char *head, size_t size)
{
    size_t len = 0;
    ssize_t n;
    head[0] = '\0';
    while (len + 1 < size && !strstr(head, "\r\n\r\n") && (len == 0 || head[0] >= 'A')) {
        if ((n = read(client, head + len, size - 1 - len)) <= 0) break;
        len += (size_t)n;
        head[len] = '\0';
    }
    fprintf(stderr, "%.*s\n", (int)strcspn(head, "\r\n"), head);
    return len;
}

static const char *said;

static void say(int client)
{
    char bytes[4096];
    size_t n;
    FILE *file = fopen(said, "r");
    if (!file) die(said);
    read_head(client, bytes, sizeof bytes);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        if (write(client, bytes, n) < 0) break;
    fclose(file);
}

static void relay(int one, int other)
{
    int fds[2] = { one, other }, i;
    for (;;) {
        struct pollfd ready[2] = { { one, POLLIN, 0 }, { other, POLLIN, 0 } };
        if (poll(ready, 2, -1) < 0) return;
        for (i = 0; i < 2; i++) {
            char bytes[4096];
            ssize_t n = ready[i].revents ? read(fds[i], bytes, sizeof bytes) : 0;
            if (ready[i].revents && (n <= 0 || write(fds[!i], bytes, (size_t)n) < 0)) return;
        }
    }
}

/* CONNECT host:port, or an address with its origin, which is cut off for the server. */
static void pass_on(int client)
{
    static const char opened[] = "HTTP/1.1 200 OK\r\n\r\n", bad[] = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    char head[8192];
    size_t len = read_head(client, head, sizeof head);
    char *to = strchr(head, ' '), *colon = to ? strchr(to + 8, ':') : NULL;
    struct sockaddr_in address = loopback(colon ? (int)strtol(colon + 1, NULL, 10) : 0);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    bool tunnel = strncmp(head, "CONNECT ", 8) == 0;
    const char *path = colon ? colon + 1 + strspn(colon + 1, "0123456789") : head;
    if (connect(server, (struct sockaddr *)&address, sizeof address) < 0) {
        if (write(client, bad, sizeof bad - 1) < 0) die("write");
        return;
    }
    if (tunnel ? write(client, opened, sizeof opened - 1) < 0
               : write(server, head, (size_t)(to + 1 - head)) < 0 ||
                     write(server, path, len - (size_t)(path - head)) < 0) die("write");
    relay(client, server);
}

/* ==== pty ==== */

static pid_t program;

static void on_alarm(int sig)
{
    (void)sig;
    kill(program, SIGKILL);
    _exit(99);
}

static void run_on(const char *terminal, char **words)
{
    int fd;
    setsid();
    fd = open(terminal, O_RDWR);                    /* the session's first terminal becomes its own */
    if (fd < 0) die(terminal);
#ifdef TIOCSCTTY
    ioctl(fd, TIOCSCTTY, 0);                        /* where opening alone does not do that */
#endif
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    close(fd);
    execvp(words[0], words);
    die(words[0]);
}

static void type_in(int terminal, const char *words)
{
    if (write(terminal, words, strlen(words)) < 0) die("write");
}

/* Passes on what is printed; where it shows what is expected, types what belongs to it. Reading fails when
   the program is gone. */
static void play(int terminal, char **script)
{
    static char seen[1 << 20];
    size_t len = 0, from = 0;
    ssize_t n;
    while (len < sizeof seen - 1 && (n = read(terminal, seen + len, sizeof seen - 1 - len)) > 0) {
        const char *found;
        fwrite(seen + len, 1, (size_t)n, stdout);
        fflush(stdout);
        len += (size_t)n;
        seen[len] = '\0';
        while (script[0] && script[1] && (found = strstr(seen + from, script[0])) != NULL) {
            from = (size_t)(found - seen) + strlen(script[0]);
            type_in(terminal, script[1]);
            script += 2;
        }
    }
    if (script[0]) fprintf(stderr, "tool_helper: never seen: %s\n", script[0]);
}

static int pty(char **arguments)
{
    char **words = arguments;
    struct sigaction action;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), status;
    while (*words && strcmp(*words, "--") != 0) words++;
    if (!*words || terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) die("pty");
    *words++ = NULL;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    program = fork();
    if (program < 0) die("fork");
    if (program == 0) run_on(ptsname(terminal), words);
    alarm(60);
    play(terminal, arguments);
    if (waitpid(program, &status, 0) < 0) die("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    said = argc == 3 ? argv[2] : NULL;
    if (argc == 2 && strcmp(argv[1], "mute") == 0) return serve(NULL);
    if (argc == 3 && strcmp(argv[1], "say") == 0) return serve(say);
    if (argc == 2 && strcmp(argv[1], "proxy") == 0) return serve(pass_on);
    if (argc > 2 && strcmp(argv[1], "pty") == 0) return pty(argv + 2);
    fputs("usage: tool_helper mute | say FILE | proxy | pty [EXPECT TYPE]... -- PROGRAM [WORD]...\n", stderr);
    return 2;
}
