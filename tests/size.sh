#!/bin/sh
# tests/size.sh: what the header costs in a program, in bytes: code and constants (text), variables (data), and the deepest stack.
# A manner that a compiler cannot build (no sockets on bare metal) shows as "-"; compilers that are not there are left out with a word.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
out=${BUILD:-build}/size
mkdir -p "$out/include"
posix="-std=c99 -D_POSIX_C_SOURCE=200809L"

# mbedTLS's headers suit every target, the system's other headers do not: cross compilers get these alone.
for headers in mbedtls psa everest; do
    [ ! -d "/usr/include/$headers" ] || ln -sfn "/usr/include/$headers" "$out/include/$headers"
done

# measure COMPILER FLAGS...: "text data", or "- -".
measure() {
    if "$@" $posix -Os -fno-pic -fno-asynchronous-unwind-tables -c tests/compile/implement.c -o "$out/object.o" 2>"$out/log"; then
        size "$out/object.o" | awk 'NR == 2 {print $1, $2 + $3}'
    else
        echo - -
    fi
}
row() { printf '%-10s  %-32s %8s %6s\n' "$@"; }

# table TARGET COMPILER FLAGS...
table() {
    target=$1
    shift
    command -v "$1" >/dev/null 2>&1 || { echo "skip: no $1" >&2; return; }
    row "$target" "whole" $(measure "$@")
    row "" "NO_TLS" $(measure "$@" -DCHATGPTT_NO_TLS)
    row "" "NO_NET, NO_TLS: the parsers" $(measure "$@" -DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS)
}

row "-Os" "" text data
table "$($CC -dumpmachine | sed 's/-.*//; s/_/-/')" $CC $TLS_CFLAGS
table "Thumb-2" arm-linux-gnueabihf-gcc -mthumb -isystem "$out/include" $TLS_CFLAGS
table "Cortex-M4" arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -isystem "$out/include" $TLS_CFLAGS

command -v gcc >/dev/null 2>&1 || exit 0
gcc $posix $TLS_CFLAGS -O2 -fcallgraph-info=su -c tests/compile/implement.c -o "$out/stack.o" && awk -f tests/stack.awk "$out/stack.ci"
