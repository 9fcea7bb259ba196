/* memory.c - torture of memory: in every scenario every allocation fails once, and from each one on all. The
   message that it befalls ends with E_MEMORY or is answered whole; the next is answered; nothing leaks,
   nothing is sent twice. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "scenarios.h"

static const scenario *torturing;
static long runs_in_all;

static void calm(void) {
    torn.hit = torn.s.allocations >= (torn.s.fail_at ? torn.s.fail_at : torn.s.fail_from);
    torn.s.fail_at = torn.s.fail_from = 0;
}

/* One run; false when no allocation failed. */
static bool starve(long at, long from) {
    told t[2];
    bool was_bad = check_now.bad;
    check_now.bad = false;
    tear_begin(torturing);
    torn.s.fail_at = at;
    torn.s.fail_from = from;
    tear(torturing, t, calm);
    bool hit = torn.hit;
    for (int i = 0; i < 2; i++) {
        tear_judge(torturing, &t[i], i + 1);
        if (!hit || t[i].code != CHATGPTT_E_MEMORY) tear_untouched(torturing, &t[i]);
    }
    net_end(&torn);
    if (check_now.bad)
        printf("    in: %s, allocation %ld%s\n    %s\n    %s\n", torturing->name, at + from,
               from ? " and all later" : "", t[0].error, t[1].error);
    check_now.bad |= was_bad;
    runs_in_all++;
    return hit;
}

static void starve_scenario(void) {
    long n = 1, before = runs_in_all;
    while (starve(n, 0) && n < 5000 && !check_now.bad) n++;
    CHECK(n > 10 && n < 5000);
    for (long k = 1; k < n && !check_now.bad; k++) starve(0, k);
    printf("%-44s %4ld allocations, %5ld runs\n", torturing->name, n - 1, runs_in_all - before);
}

int main(void) {
#ifndef CHATGPTT_NO_TLS
    net_tls_open();
#endif
    for (size_t i = 0; i < SCENARIOS; i++) {
        torturing = &scenarios[i];
        check_case(torturing->name, starve_scenario);
    }
#ifndef CHATGPTT_NO_TLS
    net_tls_close();
#endif
    printf("memory: %ld runs in %zu scenarios\n", runs_in_all, SCENARIOS);
    return check_report("torture_memory");
}
