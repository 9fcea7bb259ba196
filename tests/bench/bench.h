/* bench.h - how long something takes, beside a peer that does the same in the same run: rounds of the one and
   the other by turns, so that a noisy machine is noisy to both. Printed: the medians, and the median of each
   round's ratio; above 1 ours is the faster. */
#ifndef BENCH_H
#define BENCH_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_ROUNDS 25

typedef struct bench_side {
    const char *name;
    void (*run)(void *what);
    void *what;
} bench_side;

static const char *bench_what;              /* for messages */

/* A bench that does not do its work measures nothing. */
static inline void bench_must(bool good, const char *why)
{
    if (good) return;
    fprintf(stderr, "bench: %s: %s\n", bench_what ? bench_what : "set-up", why);
    exit(1);
}

static inline double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Milliseconds of one run, as the mean of so many. */
static inline double bench_time(const bench_side *side, int times)
{
    double start = bench_now();
    for (int i = 0; i < times; i++) side->run(side->what);
    return (bench_now() - start) / times;
}

/* So many runs that the clock's steps do not show. The first warms up. */
static inline int bench_times(const bench_side *side)
{
    int times = 1;
    bench_time(side, 1);
    while (bench_time(side, times) * times < 2) times *= 2;
    return times;
}

static inline int bench_compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static inline double bench_median(double *of, int count)
{
    qsort(of, (size_t)count, sizeof *of, bench_compare);
    return of[count / 2];
}

/* One line of the table, its parts apart by tabs: name, ours, peer, ratio, target. The target is "<= N" or
   ">= N" for the ratio, or "-"; tests/bench/sum.awk lays the lines out and counts the targets missed. */
static inline void bench_line(const char *name, const char *ours, const char *peer, double ratio,
                              const char *target)
{
    printf("%s\t%s\t%s\t%.3f\t%s\n", name, ours, peer, ratio, target);
    fflush(stdout);
}

static inline void bench_amount(char *out, size_t size, double value, const char *unit)
{
    snprintf(out, size, value < 100 ? "%.2f%s%s" : "%.0f%s%s", value, *unit ? " " : "", unit);
}

/* A line of ours against what it may be at most, or for a rate has to be at least: the ratio is that to the
   budget, and is to stay at or below 1, or above. What a peer has of the same is told beside it. */
static inline void bench_budget(const char *name, double ours, const char *unit, const char *peer,
                                double budget, bool at_least)
{
    char text[60];
    bench_amount(text, sizeof text, ours, unit);
    bench_line(name, text, peer, ours / budget, at_least ? ">= 1" : "<= 1");
}

static inline void bench_span(char *out, size_t size, double ms)
{
    snprintf(out, size, ms < 0.05 ? "%.3f us" : "%.3f ms", ms < 0.05 ? ms * 1e3 : ms);
}

/* A line of two sides in turn; returns our milliseconds. bytes: what one run goes through, for MB/s; 0: none
   to speak of. The ratio is how many times as fast as the peer ours is; a target that is NULL stands in
   tests/bench/targets. */
static inline double bench_row_to(const char *what, size_t bytes, int rounds, bench_side ours,
                                  bench_side peer, const char *target)
{
    double our_ms[BENCH_ROUNDS], peer_ms[BENCH_ROUNDS], ratio[BENCH_ROUNDS], ms;
    char name[120], our_text[80], our_span[40], peer_text[40];
    bench_what = what;
    int our_times = bench_times(&ours), peer_times = bench_times(&peer);
    for (int i = 0; i < rounds; i++) {
        our_ms[i] = bench_time(&ours, our_times);
        peer_ms[i] = bench_time(&peer, peer_times);
        ratio[i] = peer_ms[i] / our_ms[i];
    }
    ms = bench_median(our_ms, rounds);
    snprintf(name, sizeof name, "%s / %s", what, peer.name);
    bench_span(our_span, sizeof our_span, ms);
    if (bytes) snprintf(our_text, sizeof our_text, "%s %.0f MB/s", our_span, (double)bytes / 1e3 / ms);
    else snprintf(our_text, sizeof our_text, "%s", our_span);
    bench_span(peer_text, sizeof peer_text, bench_median(peer_ms, rounds));
    bench_line(name, our_text, peer_text, bench_median(ratio, rounds), target ? target : "");
    return ms;
}

static inline double bench_row(const char *what, size_t bytes, int rounds, bench_side ours,
                               bench_side peer)
{
    return bench_row_to(what, bytes, rounds, ours, peer, NULL);
}

static inline void bench_skip(const char *what, const char *why) { printf("%s\tskipped: %s\n", what, why); }

static inline void *bench_bytes(size_t size)
{
    void *bytes = malloc(size);
    bench_must(bytes != NULL, "out of memory");
    return bytes;
}

#endif
