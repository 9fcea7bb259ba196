/* calls.c - torture of the transport: in every scenario every call of it goes wrong once, in each way that it
   can. The message that it befalls ends with an error or is answered whole, which it must be after a mere
   delay; the next is answered; none is sent twice but by the one safe rule. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "scenarios.h"

static const scenario *torturing;
static long runs_of[NET_CALLS][NET_FLAWS], failed_of[NET_CALLS][NET_FLAWS], answered_anyway;

static void calm(void) { torn.at = 0; }

/* What a message may come to that a flaw befell: what was said, or what it means where it was met. */
static bool is_due(chatgptt_code code, net_call call, net_flaw flaw) {
    static const chatgptt_code closed[] = { CHATGPTT_E_CLOSED, CHATGPTT_E_INCOMPLETE, CHATGPTT_E_PROXY,
                                            CHATGPTT_E_TLS, CHATGPTT_E_PAGE };
    if (code == CHATGPTT_DONE || code == net_code(flaw, call) || code == CHATGPTT_E_INCOMPLETE) return true;
    if (tears(RACES_LATE) && code == CHATGPTT_E_CLOSED) return true;
    if (call == NET_WAIT && tears(TWO)) return code == CHATGPTT_E_CANCELLED; /* ours: see ask_two() */
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (code == closed[i] && (flaw == NET_END || flaw == NET_RESET)) return true;
    return false;
}

static void judge(const told *t, int number, net_call call, net_flaw flaw) {
    tear_judge(torturing, t, number);
    if (!torn.hit || flaw <= NET_SHORT) tear_untouched(torturing, t);
    else if (!torturing->wanted || t->code != torturing->wanted) CHECK(is_due(t->code, call, flaw));
}

/* False when there was no n-th call. */
static bool run(net_call call, net_flaw flaw, int n) {
    told t[2];
    bool was_bad = check_now.bad;
    check_now.bad = false;
    tear_begin(torturing);
    torn.call = call;
    torn.flaw = flaw;
    torn.at = n;
    tear(torturing, t, calm);
    bool hit = torn.hit;
    for (int i = 0; i < 2; i++) judge(&t[i], i + 1, call, flaw);
    net_end(&torn);
    if (check_now.bad) {
        printf("    in: %s, %s in %s %d\n", torturing->name, net_flaw_names[flaw], net_call_names[call], n);
        for (int i = 0; i < 2; i++)
            printf("    message %d: %s \"%s\" %s\n", i + 1, chatgptt_code_name(t[i].code), t[i].text,
                   t[i].error);
    }
    check_now.bad |= was_bad;
    runs_of[call][flaw]++;
    failed_of[call][flaw] += t[0].code < 0 || t[1].code < 0;
    answered_anyway += hit && t[0].code == CHATGPTT_DONE && t[1].code == CHATGPTT_DONE;
    return hit;
}

/* What a call of this kind cannot do: an open() that comes to nothing yet, half a wait. */
static bool can(net_call call, net_flaw flaw) {
    if (call == NET_OPEN) return flaw >= NET_END;
    return call != NET_WAIT || flaw == NET_LATER || flaw == NET_IO;
}

static void torture_scenario(void) {
    long before = 0, after = 0;
    int calls[NET_CALLS] = { 0 };
    for (int i = 0; i < NET_CALLS * NET_FLAWS; i++) before += runs_of[i / NET_FLAWS][i % NET_FLAWS];
    for (int call = 0; call < NET_CALLS; call++)
        for (int flaw = 0; flaw < NET_FLAWS; flaw++) {
            int n = 1;
            /* bytes that come after the question cannot be told from its answer */
            if ((torturing->how & STRAY) && call == NET_READ && flaw == NET_LATER) continue;
            if (!can((net_call)call, (net_flaw)flaw)) continue;
            while (!check_now.bad && run((net_call)call, (net_flaw)flaw, n) && n < 2000) n++;
            CHECK(n < 2000);
            if (n > calls[call]) calls[call] = n - 1;
        }
    CHECK(calls[NET_OPEN] > 0 && calls[NET_READ] > 2 && calls[NET_WRITE] > 1);
    for (int i = 0; i < NET_CALLS * NET_FLAWS; i++) after += runs_of[i / NET_FLAWS][i % NET_FLAWS];
    printf("%-44s %2d opens, %3d reads, %3d writes, %3d waits: %5ld runs\n", torturing->name, calls[NET_OPEN],
           calls[NET_READ], calls[NET_WRITE], calls[NET_WAIT], after - before);
}

int main(void) {
    long sum = 0;
#ifndef CHATGPTT_NO_TLS
    net_tls_open();
#endif
    for (size_t i = 0; i < SCENARIOS; i++) {
        torturing = &scenarios[i];
        check_case(torturing->name, torture_scenario);
    }
#ifndef CHATGPTT_NO_TLS
    net_tls_close();
#endif
    for (int call = 0; call < NET_CALLS; call++)
        for (int flaw = 0; flaw < NET_FLAWS; flaw++) {
            if (!runs_of[call][flaw]) continue;
            printf("%-5s %-11s %6ld runs, %6ld with a message that failed\n", net_call_names[call],
                   net_flaw_names[flaw], runs_of[call][flaw], failed_of[call][flaw]);
            sum += runs_of[call][flaw];
        }
    printf("calls: %ld runs in %zu scenarios, %ld struck and yet answered whole\n", sum, SCENARIOS,
           answered_anyway);
    return check_report("torture_calls");
}
