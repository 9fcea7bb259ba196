#!/bin/sh
# tests/size.sh: what the header costs in a program, in bytes: text (code and constants) of each build, and by section; the ten biggest
# functions; the deepest stack. Compilers that are not there are left out with a word.
# tests/size.sh budgets: what it may be on Thumb-2 at most, as lines of tests/bench/bench.h.
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
        flags=$(switches $build)
        if object "$out/$build.o" "$@" $flags; then "${prefix}size" "$out/$build.o" | awk -v b="$build" 'NR == 2 {printf "  %-40s %7d text %5d data\n", b, $1, $2 + $3}'
        else printf '  %-40s does not compile for it\n' "$build"; fi
    done
    # The biggest build that this target has; functions that are called once stay by themselves, else all were STREAM's.
    for build in TLS NO_TLS NO_TLS,NO_NET; do [ -s "$out/$build.o" ] && break; done
    flags=$(switches $build)
    object "$out/parts.o" "$@" $flags -fno-inline-functions-called-once -fno-partial-inlining
    "${prefix}nm" -S -l --size-sort "$out/parts.o" >"$out/symbols"
    "${prefix}size" -A "$out/parts.o" >"$out/parts"
    echo "  of $build by section, no function folded into its one caller:"
    awk -f tests/size.awk chatgptt.h "$out/symbols" "$out/parts"
    rm -f "$out"/*.o
}

# The switches of a build, as flags.
switches() { [ "$1" = TLS ] || echo "$1" | sed 's/[A-Z_]*/-DCHATGPTT_&/g; s/,/ /g'; }

# budgets PREFIX COMPILER FLAGS...: name, ours, peer, ratio and target, by tabs.
budgets() {
    prefix=$1
    shift
    for line in TLS:48 NO_TLS:40 NO_TLS,NO_NET:38; do
        build=${line%:*} most=${line#*:}
        what="text on Thumb-2 -Os, $build, of $most KB"
        if ! command -v "$1" >/dev/null 2>&1; then printf '%s\tskipped: no %s\n' "$what" "$1"; continue; fi
        if object "$out/$build.o" "$@" $(switches $build); then "${prefix}size" "$out/$build.o" | awk -v what="$what" -v most="$most" \
            'NR == 2 {printf "%s\t%.2f KB\t-\t%.3f\t<= 1\n", what, $1 / 1000, $1 / 1000 / most}'
        else printf '%s\tskipped: does not compile for it\n' "$what"; fi
    done
}

# The smallest build the header knows.
small() {
    grep -q CHATGPTT_SHORT_ERRORS chatgptt.h && grep -q CHATGPTT_ONLY_WPAICG chatgptt.h || return
    echo SHORT_ERRORS,ONLY_WPAICG SHORT_ERRORS,ONLY_AIPKIT SHORT_ERRORS,ONLY_WPAICG,NO_TLS,NO_NET
}

# thumb COMMAND...: with binutils' prefix, compiler and flags behind it.
thumb() {
    if command -v arm-linux-gnueabihf-gcc >/dev/null 2>&1
    then "$@" arm-linux-gnueabihf- arm-linux-gnueabihf-gcc -mthumb -isystem "$out/include" $TLS_CFLAGS
    else "$@" arm-none-eabi- arm-none-eabi-gcc -mthumb -mcpu=cortex-m3 -isystem "$out/include" $TLS_CFLAGS; fi
}

if [ "${1-}" = budgets ]; then thumb budgets; exit; fi
table "$($CC -dumpmachine | sed 's/-.*//')" '' $CC $TLS_CFLAGS
thumb table Thumb-2

command -v gcc >/dev/null 2>&1 || exit 0
gcc $posix $TLS_CFLAGS -O2 -fcallgraph-info=su -c tests/compile/implement.c -o "$out/stack.o" && awk -f tests/stack.awk "$out/stack.ci"
