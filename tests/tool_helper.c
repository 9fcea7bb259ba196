/* What test_tool.sh cannot do in the shell:

       tool_helper mute                     a server that lets everybody connect and says nothing
       tool_helper pty [EXPECT TYPE]... -- PROGRAM [WORD]...        PROGRAM on a terminal of its own

   mute prints url=... and lives until its standard input ends. pty waits until EXPECT was printed, behind
   what was expected before, then types TYPE, and so on; it passes on all that PROGRAM prints, and ends with
   its exit status, or with 99 after a minute. */
#define _XOPEN_SOURCE 700
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
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

static int mute(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) die("mute");
    printf("url=http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
    return 0;
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
    if (argc == 2 && strcmp(argv[1], "mute") == 0) return mute();
    if (argc > 2 && strcmp(argv[1], "pty") == 0) return pty(argv + 2);
    fputs("usage: tool_helper mute | pty [EXPECT TYPE]... -- PROGRAM [WORD]...\n", stderr);
    return 2;
}
