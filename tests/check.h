/* check.h - the test harness: TEST(name) { CHECK(...); }, then RUN(name) in main(), which ends in return
   check_report("program"). A failing check prints file:line: what, got, wanted; the case goes on and counts
   as one failed. Main thread only. With CHECK_STOP in the environment the first ends the program. */
#ifndef CHECK_H
#define CHECK_H
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(name)  static void test_##name(void)
#define RUN(name)   check_case(#name, test_##name)
#define SKIP(why)   do { check_skip(why); return; } while (0)       /* leaves the case */

/* Each gives true if it held, so that a case can stop: if (!CHECK(p)) return; */
#define CHECK(cond)             check_cond(__FILE__, __LINE__, #cond, cond)
#define CHECK_INT(got, wanted)  check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(wanted))
/* either may be NULL */
#define CHECK_STR(got, wanted)  check_str(__FILE__, __LINE__, #got, got, wanted)
#define CHECK_MEM(got, len, wanted, wanted_len) \
    check_mem(__FILE__, __LINE__, #got, got, len, wanted, wanted_len)

static struct {
    const char *name;
    int passed, failed, skipped;
    bool bad, left_out;
} check_now = { "main", 0, 0, 0, false, false };

__attribute__((format(printf, 3, 4))) static inline bool check_fail(const char *file, int line,
                                                                    const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:%d: %s: ", file, line, check_now.name);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);                                         /* a crash may follow */
    if (getenv("CHECK_STOP")) _Exit(1);                     /* who asks only whether one fails */
    return !(check_now.bad = true);
}
static inline bool check_cond(const char *file, int line, const char *what, bool good)
{ return good || check_fail(file, line, "%s", what); }
static inline bool check_int(const char *file, int line, const char *what, long long got, long long wanted)
{ return got == wanted || check_fail(file, line, "%s, got %lld, wanted %lld", what, got, wanted); }
static inline void check_quote(const char *label, const char *bytes, size_t len)
{
    printf(bytes ? "    %s \"" : "    %s NULL\n", label);
    for (size_t i = 0; bytes && i < len; i++)
        if (bytes[i] < ' ' || bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == 0x7f)
            printf("\\x%02x", (unsigned char)bytes[i]);
        else putchar(bytes[i]);
    if (bytes) puts("\"");
}
static inline bool check_mem(const char *file, int line, const char *what,
                             const char *got, size_t len, const char *wanted, size_t wanted_len)
{
    size_t same = 0;
    while (got && wanted && same < len && same < wanted_len && got[same] == wanted[same]) same++;
    if (!got == !wanted && len == wanted_len && same == len) return true;
    check_fail(file, line, "%s, %zu bytes for %zu, alike up to %zu, from 40 before that on:", what, len,
               wanted_len, same);
    size_t from = same > 40 ? same - 40 : 0;
    check_quote("got   ", got ? got + from : got, len - from < 200 ? len - from : 200);
    check_quote("wanted", wanted ? wanted + from : wanted, wanted_len - from < 200 ? wanted_len - from : 200);
    return false;
}
static inline bool check_str(const char *file, int line, const char *what, const char *got,
                             const char *wanted) {
    return check_mem(file, line, what, got, got ? strlen(got) : 0, wanted, wanted ? strlen(wanted) : 0);
}
static inline void check_skip(const char *why) {
    printf("skipped: %s: %s\n", check_now.name, why);
    check_now.left_out = true;
}
static inline void check_case(const char *name, void (*test)(void))
{
    check_now.name = name;
    check_now.bad = check_now.left_out = false;
    if (getenv("CHECK_VERBOSE")) fprintf(stderr, "%s\n", name);     /* names the case that crashes */
    test();
    *(check_now.bad ? &check_now.failed : check_now.left_out ? &check_now.skipped : &check_now.passed) += 1;
}
static inline int check_report(const char *program)         /* the one summary line; what main() returns */
{
    printf("%s: %d passed, %d failed", program, check_now.passed, check_now.failed);
    printf(check_now.skipped ? ", %d skipped\n" : "\n", check_now.skipped);
    return fflush(stdout) != 0 || check_now.failed > 0;
}
#endif
