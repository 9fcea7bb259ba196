#!/bin/sh
# tests/size.sh: what the header costs in a program, in bytes: text (code and constants) of each build, and by section; the ten biggest
# functions; the deepest stack. Compilers that are not there are left out with a word.
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

# -Os as small machines build; with lines, so that it can be told where a function stands.
object() {
    object=$1
    shift
    "$@" $posix -Os -g -fno-pic -fno-asynchronous-unwind-tables -c tests/compile/implement.c -o "$object" 2>"$out/log"
}

# table TARGET BINUTILS COMPILER FLAGS...: the builds, and of the whole one its sections and biggest functions.
table() {
    target=$1 prefix=$2
    shift 2
    command -v "$1" >/dev/null 2>&1 && command -v "${prefix}nm" >/dev/null 2>&1 || { echo "skip: $target: no $1"; return; }
    echo "$target, -Os:"
    for build in TLS NO_TLS NO_TLS,NO_NET $(small); do
        flags=$([ $build = TLS ] || echo "$build" | sed 's/[A-Z_]*/-DCHATGPTT_&/g; s/,/ /g')
        if object "$out/$build.o" "$@" $flags; then "${prefix}size" "$out/$build.o" | awk -v b="$build" 'NR == 2 {printf "  %-40s %7d text %5d data\n", b, $1, $2 + $3}'
        else printf '  %-40s does not compile for it\n' "$build"; fi
    done
    # The biggest build that this target has; functions that are called once stay by themselves, else all were STREAM's.
    for build in TLS NO_TLS NO_TLS,NO_NET; do [ -s "$out/$build.o" ] && break; done
    flags=$([ $build = TLS ] || echo "$build" | sed 's/[A-Z_]*/-DCHATGPTT_&/g; s/,/ /g')
    object "$out/parts.o" "$@" $flags -fno-inline-functions-called-once -fno-partial-inlining
    "${prefix}nm" -S -l --size-sort "$out/parts.o" >"$out/symbols"
    "${prefix}size" -A "$out/parts.o" >"$out/parts"
    echo "  of $build by section, no function folded into its one caller:"
    awk -f tests/size.awk chatgptt.h "$out/symbols" "$out/parts"
    rm -f "$out"/*.o
}

# The smallest build the header knows.
small() {
    grep -q CHATGPTT_SHORT_ERRORS chatgptt.h && grep -q CHATGPTT_ONLY_WPAICG chatgptt.h || return
    echo SHORT_ERRORS,ONLY_WPAICG SHORT_ERRORS,ONLY_AIPKIT SHORT_ERRORS,ONLY_WPAICG,NO_TLS,NO_NET
}

table "$($CC -dumpmachine | sed 's/-.*//')" '' $CC $TLS_CFLAGS
if command -v arm-linux-gnueabihf-gcc >/dev/null 2>&1
then table Thumb-2 arm-linux-gnueabihf- arm-linux-gnueabihf-gcc -mthumb -isystem "$out/include" $TLS_CFLAGS
else table Thumb-2 arm-none-eabi- arm-none-eabi-gcc -mthumb -mcpu=cortex-m3 -isystem "$out/include" $TLS_CFLAGS; fi

command -v gcc >/dev/null 2>&1 || exit 0
gcc $posix $TLS_CFLAGS -O2 -fcallgraph-info=su -c tests/compile/implement.c -o "$out/stack.o" && awk -f tests/stack.awk "$out/stack.ci"
