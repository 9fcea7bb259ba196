#!/bin/sh
# A 64 MB answer takes no more of a process's memory than a 1 KB one: within 1 MB, in both forms of reply.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
out=${BUILD:-build}/memory
mkdir -p "$out"
passed=0
failed=0
if [ ! -r /proc/self/status ]; then
    echo "skipped: memory: no /proc/self/status"
    echo "memory: 0 passed, 0 failed, 1 skipped"
    exit 0
fi
if ! $CC -std=c99 -D_POSIX_C_SOURCE=200809L $WARNINGS -O2 $TLS_CFLAGS tests/memory.c $TLS_LIBS -pthread -o "$out/memory"; then
    echo "memory: 0 passed, 1 failed"
    exit 1
fi
for form in events json; do
    small=$("$out/memory" 1024 $form) && large=$("$out/memory" 67108864 $form) && [ "$small" -gt 0 ] && [ "$large" -gt 0 ] || small='' large=''
    if [ -n "$large" ] && [ $((large - small)) -le 1024 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $form: peak of ${small:-?} KB with 1 KB, ${large:-?} KB with 64 MB"
    fi
    [ -z "${CHECK_VERBOSE:-}" ] || echo "$form: peak of $small KB with 1 KB, $large KB with 64 MB"
done
echo "memory: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
