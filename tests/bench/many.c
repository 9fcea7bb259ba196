/* many [--client NAME FILE] - many streams in one thread over http: what a delta, the set-up and the close of
   a stream cost in CPU, instructions and system calls, and clients and streams in memory, beside libcurl and
   the bare loop on the same work; and messages one after another. With --client one of them alone, for
   callgrind. */
#define _GNU_SOURCE                         /* memmem(), ptrace() of system calls */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "many_clients.h"

enum { ROUNDS = 5, KB = 1000 };             /* as the manual counts */

#ifdef BENCH_CURL
static many_client_fn *const libcurl = many_curl, *const libcurl_warm = many_curl_warm;
#else
static many_client_fn *const libcurl = NULL, *const libcurl_warm = NULL;
#endif

static int shared_file;
static many_run *shared;

typedef struct plan { many_way way; int streams, deltas, pace_us; bool traced; } plan;

/* One run to its end, as what it measured; nothing of a client that is not there. */
static many_run measure(many_client_fn *client, const plan *p)
{
    memset(shared, 0, sizeof *shared);
    if (!client) return *shared;
    shared->streams = p->streams;
    shared->deltas = p->deltas;
    shared->pace_us = p->pace_us;
    shared->way = p->way;
    many_measure(shared, client, p->traced);
    bench_must(shared->deltas_in == (long long)p->streams * p->deltas, "an answer is not whole");
    bench_must(shared->bytes_in == shared->deltas_in * 5, "an answer is another");
    return *shared;
}

/* What a client measured in each round, and what is made of it. */
typedef struct side { const char *name; many_client_fn *client; many_run runs[ROUNDS]; } side;
typedef double figure(const many_run *run);

static double median(const side *s, figure *of)
{
    double all[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) all[i] = of(&s->runs[i]);
    return bench_median(all, ROUNDS);
}

/* The median of each round's ratio. */
static void compare(const char *what, const side *ours, const side *peer, figure *of, const char *unit,
                    const char *target)
{
    char name[120], left[40], right[40];
    double ratio[ROUNDS];
    snprintf(name, sizeof name, "%s: %s / %s", what, ours->name, peer->name);
    if (!peer->client) {
        bench_skip(name, "no libcurl (libcurl4-openssl-dev)");
        return;
    }
    for (int i = 0; i < ROUNDS; i++) ratio[i] = of(&ours->runs[i]) / of(&peer->runs[i]);
    bench_amount(left, sizeof left, median(ours, of), unit);
    bench_amount(right, sizeof right, median(peer, of), unit);
    bench_line(name, left, right, bench_median(ratio, ROUNDS), target);
}

/* Ours against a budget, with the peer's beside it. */
static void budget(const char *what, const side *ours, const side *peer, figure *of, const char *unit,
                   double most)
{
    char name[120], right[40] = "not installed";
    snprintf(name, sizeof name, "%s, of %g%s%s; %s", what, most, *unit ? " " : "", unit, peer->name);
    if (peer->client) bench_amount(right, sizeof right, median(peer, of), unit);
    bench_budget(name, median(ours, of), unit, right, most, false);
}

static side ours = { .name = "ours", .client = many_ours },
            bare = { .name = "bare loop", .client = many_bare }, curl = { .name = "libcurl multi" };

/* All sides by turns. */
static void rounds(const plan *p, side *const *sides, int count)
{
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < count; k++) sides[k]->runs[i] = measure(sides[k]->client, p);
}

/* ---- CPU and memory of many streams ---- */

static double cpu_a_delta(const many_run *run)
{
    double us = 0;
    for (int i = 0; i < MANY_PHASES; i++) us += run->us[i];
    return us / ((double)run->streams * run->deltas);
}
static double running_cpu(const many_run *run)
{
    return run->us[MANY_STREAMS] / ((double)run->streams * run->deltas);
}
static double set_up_cpu(const many_run *run) { return run->us[MANY_SETS_UP] / (run->streams - 1); }
static double waiting_heap(const many_run *run) { return (double)run->heap_waiting / run->streams / KB; }
static double running_heap(const many_run *run) { return (double)run->heap_streaming / run->streams / KB; }

static void cpu_and_memory(void)
{
    static const plan p = { .streams = 1000, .deltas = 50, .pace_us = 20 };
    side *const sides[] = { &ours, &bare, &curl };
    bench_what = "many streams";
    if (many_sockets() < p.streams) {
        bench_skip("many streams: CPU, set-up and heap", "too few descriptors (ulimit -Hn)");
        return;
    }
    rounds(&p, sides, 3);
    compare("many streams, CPU a delta, all in", &ours, &bare, cpu_a_delta, "us", "<= 1.25");
    compare("many streams, CPU a delta, all in", &ours, &curl, cpu_a_delta, "us", "<= 0.65");
    compare("many streams, CPU a delta, once they run", &ours, &bare, running_cpu, "us", "-");
    compare("many streams, CPU a delta, once they run", &ours, &curl, running_cpu, "us", "-");
    budget("set-up of a stream, CPU", &ours, &bare, set_up_cpu, "us", 75);
    compare("set-up of a stream, CPU", &ours, &curl, set_up_cpu, "us", "-");
    budget("heap of a stream before its reply's head", &ours, &curl, waiting_heap, "KB", 5);
    budget("heap of a stream that runs", &ours, &curl, running_heap, "KB", 6);
}

/* ---- system calls ---- */

static double set_up_calls(const many_run *run)
{
    return (double)run->calls[MANY_SETS_UP] / (run->streams - 1);
}
static double reads(const many_run *run)
{
    return (double)run->reads[MANY_STREAMS] / ((double)run->streams * run->deltas);
}

/* Counts are the same in each round, so that one is enough; and slow, for a client that is traced is. */
static void system_calls(void)
{
    static const plan p = { .streams = 40, .deltas = 50, .pace_us = 1000, .traced = true };
    side *const sides[] = { &ours, &bare, &curl };
    bench_what = "system calls";
    for (int k = 0; k < 3; k++) {
        sides[k]->runs[0] = measure(sides[k]->client, &p);
        for (int i = 1; i < ROUNDS; i++) sides[k]->runs[i] = sides[k]->runs[0];
    }
    budget("set-up of a stream, system calls", &ours, &bare, set_up_calls, "", 9);
    compare("set-up of a stream, system calls", &ours, &curl, set_up_calls, "", "-");
    budget("recv calls a delta", &ours, &bare, reads, "", 1.1);
    compare("recv calls a delta", &ours, &curl, reads, "", "-");
}

/* ---- instructions: what so many more deltas take ---- */

static double instructions_of(const char *program, const char *name, int deltas)
{
    memset(shared, 0, sizeof *shared);
    shared->streams = 20;
    shared->deltas = deltas;
    shared->pace_us = 1000;
    double total = many_instructions(shared, shared_file, program, name);
    return shared->deltas_in == 20LL * deltas ? total : 0;
}

/* 0: cannot be told. */
static double instructions_a_delta(const char *program, const char *name)
{
    double few = instructions_of(program, name, 20);
    double more = few > 0 ? instructions_of(program, name, 120) : 0;
    return more > few ? (more - few) / (20 * 100) : 0;
}

static void instructions(const char *program)
{
    static const char name[] = "instructions a delta, of 4000; bare loop";
    char right[40];
    double a_delta = instructions_a_delta(program, "ours");
    if (!(a_delta > 0)) {
        bench_skip(name, "no valgrind with callgrind");
        return;
    }
    snprintf(right, sizeof right, "%.0f", instructions_a_delta(program, "bare"));
    bench_budget(name, a_delta, "", right, 4000, false);
}

/* ---- closing: the same whatever else is open ---- */

static double cpu_a_close(const many_run *run) { return run->closing_us / run->streams; }

static void closing(void)
{
    static const plan few = { .way = MANY_UNENDING, .streams = 500, .deltas = 1, .pace_us = 20 },
                      more = { .way = MANY_UNENDING, .streams = 4000, .deltas = 1, .pace_us = 20 };
    static const char what[] = "CPU of a close with so many streams open";
    side of_few = { .name = "500", .client = many_ours_closed },
         of_more = { .name = "4000", .client = many_ours_closed };
    bench_what = "closing";
    if (many_sockets() < more.streams) {
        bench_skip(what, "too few descriptors (ulimit -Hn)");
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        of_few.runs[i] = measure(of_few.client, &few);
        of_more.runs[i] = measure(of_more.client, &more);
    }
    compare(what, &of_more, &of_few, cpu_a_close, "us", "<= 1.5");
}

/* ---- clients without a stream: after one message, on a connection that was closed or kept ---- */

static double idle_heap(const many_run *run) { return (double)run->heap_idle / KB; }

static void idle_clients(void)
{
    static const plan closed = { .way = MANY_AT_ONCE_CLOSED, .streams = 1, .deltas = 20 },
                      kept = { .way = MANY_AT_ONCE, .streams = 1, .deltas = 20 };
    side *const sides[] = { &ours, &curl };
    many_run without[2];
    bench_what = "idle clients";
    rounds(&closed, sides, 2);
    budget("heap of an idle client", &ours, &curl, idle_heap, "KB", 3);
    for (int k = 0; k < 2; k++) without[k] = sides[k]->runs[0];
    rounds(&kept, sides, 2);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < ROUNDS; i++) sides[k]->runs[i].heap_idle -= without[k].heap_idle;
    budget("heap of a kept connection", &ours, &curl, idle_heap, "KB", 1);
}

/* ---- messages one after another ---- */

static double cpu_a_message(const many_run *run) { return run->us[MANY_STREAMS] / (run->streams - 1); }

static void warm_messages(void)
{
    static const plan p = { .way = MANY_AT_ONCE, .streams = 1000, .deltas = 20 };
    side we = { .name = "ours", .client = many_ours_warm },
         handle = { .name = "reused libcurl handle", .client = libcurl_warm };
    side *const sides[] = { &we, &handle };
    bench_what = "warm messages";
    rounds(&p, sides, 2);
    compare("a warm message of 20 deltas, CPU", &we, &handle, cpu_a_message, "us", "<= 0.7");
}

static int client_alone(const char *name, const char *file)
{
    many_run *run = many_map((int)strtol(file, NULL, 10));
    if (strcmp(name, "ours") == 0) many_ours(run);
    else many_bare(run);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--client") == 0) return client_alone(argv[2], argv[3]);
    bench_must(argc > 0, "no name");
    shared_file = many_file();
    shared = many_map(shared_file);
    curl.client = libcurl;
    cpu_and_memory();
    system_calls();
    instructions(argv[0]);
    closing();
    idle_clients();
    warm_messages();
}
