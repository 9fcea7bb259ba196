#!/bin/sh
# tests/lint.sh [CHECK...]: the rules of the code, each a function below that prints what breaks it and fails.
# Tools that are not there are skipped with a word.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
header=chatgptt.h
out=${BUILD:-build}/lint
mkdir -p "$out"
posix="-std=c99 -D_POSIX_C_SOURCE=200809L"
sources=$(find tests examples $(ls -d fuzz 2>/dev/null) -name '*.c' ! -path 'tests/compile/*' ! -path 'examples/firmware/*' | sort)

# Passes its input on, and fails if there was any.
none() { awk '{print} END {exit NR > 0}'; }

# skip_without PROGRAM: leaves the check.
skip_without() { command -v "$1" >/dev/null 2>&1 || { echo "no $1"; exit 77; }; }

# object NAME FLAGS...: the implementation as $out/NAME.o; -fno-pic, so that constant tables are constant in the object too.
object() {
    name=$1
    shift
    $CC $posix -O2 -fno-pic -fno-stack-protector -U_FORTIFY_SOURCE $TLS_CFLAGS "$@" -c tests/compile/implement.c -o "$out/$name.o"
}

# extra FILE: the flags an example needs beside the header; "absent" if it cannot be compiled here.
extra() {
    for name in $(grep -o '#include <\(uv\|microhttpd\|cjson/cJSON\)\.h>' "$1" | sed 's/.*<//; s/>//'); do
        echo "#include <$name>" | $CC -E -x c - >/dev/null 2>&1 && continue
        if grep -q NO_LIBUV "$1"; then echo -DNO_LIBUV; else echo absent; fi
        return
    done
}

# The header as a .c file, for what looks at functions; clang's analyzer follows no paths in headers.
copy() { cp "$header" "$out/chatgptt.c"; }
code() { copy && awk -f tests/code.awk "$out/chatgptt.c" >"$out/code"; }
top_level() { code && awk -f tests/functions.awk "$out/chatgptt.c" "$out/code" >"$out/top_level" && grep -q ^function "$out/top_level"; }

#### names

exported_names() {
    object whole && nm -g --defined-only "$out/whole.o" >"$out/names" && grep -q ' T chatgptt_open$' "$out/names" || return 1
    awk '$3 !~ /^chatgptt_/' "$out/names" | none
}

static_exports_nothing() { object static -DCHATGPTT_STATIC && nm -g --defined-only "$out/static.o" | none; }

no_writable_data() { object whole && nm "$out/whole.o" | grep -E ' [bBdDCsSgG] ' | none; }

# The core does no input or output and asks the C library for nothing but memory and strings.
core_needs_nothing() {
    object core -DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS || return 1
    for name in chatgptt_open chatgptt_step; do
        nm "$out/core.o" | grep -q " T $name\$" || { echo "$name is not defined in it"; return 1; }
    done
    nm -u "$out/core.o" | awk '$2 !~ /^(mem[a-z]*|str[a-z]*|snprintf|realloc|free)$/ {print $2}' | none
}

no_files() { object no_files -DCHATGPTT_NO_FILES && nm -u "$out/no_files.o" | grep -E ' (fopen|fread|fclose|fgets)(64)?$' | none; }

#### the header's shape

contents_are_banners() {
    awk '/^ *CONTENTS/ {on = 1; next} on && /^ +\[[A-Z-]+\]/ {print $1; next} on {exit}' "$header" >"$out/contents"
    grep -o '==== \[[A-Z-]*\] ====' "$header" | awk '{print $2}' >"$out/banners"
    [ -s "$out/contents" ] && diff "$out/contents" "$out/banners"
}

no_forward_declarations() { top_level && awk -v h="$header" '/^declaration/ {print h ":" $2 ": " $3 " is declared before it is defined"}' "$out/top_level" | none; }

# Half of at most 10 lines, none over 40.
function_lengths() {
    top_level || { echo "no functions found"; return 1; }
    awk '/^function/ {print $3, $2, $4}' "$out/top_level" | sort -n | awk -v h="$header" '
        {length_of[NR] = $1}
        $1 > 40 {print h ":" $2 ": " $3 " has " $1 " lines of at most 40"; bad = 1}
        END {
            median = length_of[int((NR + 1) / 2)]
            print NR " functions, median " median " lines of at most 10, nine in ten at most " length_of[int((NR * 9 + 9) / 10)] ", longest " length_of[NR]
            exit bad || median > 10
        }'
}

section_lengths() {
    awk -v h="$header" '
        function close_section() { if (name != "" && FNR - start > 700) { print h ":" start ": " name " has " FNR - start " lines of at most 700"; bad = 1 } }
        match($0, /==== \[[A-Z-]+\]/) {close_section(); name = substr($0, RSTART + 5); sub(/ ====.*/, "", name); start = FNR; n++}
        END {FNR++; close_section(); exit bad || n == 0}' "$header"
}

# What a call may reach: the transport's functions from SOCKET, TLS and CONNECT alone, CONNECT's from EXCHANGE alone.
layers() { code && awk -f tests/layers.awk "$out/chatgptt.c" "$out/code"; }

# State that is told by flags is told by none of them: a struct has six bool members at most.
flags() { code && awk -v h="$header" -f tests/flags.awk "$out/code"; }

code_lines() { code && awk 'NF {n++} END {print n " lines of code of at most 5000"; exit n > 5000}' "$out/code"; }

#### its switches and limits

# Each switch and the pairs that people use: no warning, and the implementation is there. Those the header does not know yet are said.
switches() {
    known="NO_TLS NO_NET NO_FILES STATIC"
    for switch in SHORT_ERRORS ONLY_WPAICG ONLY_AIPKIT; do
        if grep -q "CHATGPTT_$switch" "$header"; then known="$known $switch"; else echo "not in the header: $switch"; fi
    done
    for switch in $known NO_NET,NO_TLS NO_NET,NO_TLS,NO_FILES STATIC,NO_TLS $(echo "$known" | tr ' ' '\n' | sed -n '/^[SO][HN]/s/$/,NO_TLS,NO_NET/p') \
                  $(case $known in *SHORT_ERRORS*ONLY_AIPKIT) echo SHORT_ERRORS,ONLY_WPAICG SHORT_ERRORS,ONLY_AIPKIT ;; esac); do
        object switch $(echo "$switch" | sed 's/[A-Z_]*/-DCHATGPTT_&/g; s/,/ /g') $WARNINGS -Werror || { echo "$switch"; return 1; }
        case $switch in STATIC*) continue ;; esac
        nm "$out/switch.o" | grep -q ' T chatgptt_step$' || { echo "$switch: no chatgptt_step"; return 1; }
    done
}

# A tool for one generation of the plugin speaks that one, and says of the other that it is not there.
generations() {
    case $TLS_CFLAGS in *NO_NET*) echo "built without sockets"; exit 77 ;; esac
    $CC $posix -w -O0 examples/demo_site.c $TLS_LIBS -I. $TLS_CFLAGS -o "$out/demo_site" || return 1
    rm -f "$out/wait"
    mkfifo "$out/wait" && only wpaicg aipkit && only aipkit wpaicg
}
only() {        # GENERATION OTHER
    $CC $posix -I. -w -O0 -DCHATGPTT_ONLY_$(echo "$1" | tr a-z A-Z) $TLS_CFLAGS examples/chatgptt.c $TLS_LIBS -o "$out/only" || return 1
    for site in "$1" "$2"; do
        rm -f "$out/only.site"
        "$out/demo_site" --dialect "$site" <"$out/wait" >"$out/only.site" &
        exec 9>"$out/wait"
        while ! grep -qs ^url= "$out/only.site"; do sleep 0.1; done
        "$out/only" "$(sed -n 's/^url=/--url=/p' "$out/only.site")" hello >"$out/only.$site" 2>&1
        exec 9>&-
        wait $!
    done
    grep -q '^You said: hello' "$out/only.$1" || { cat "$out/only.$1"; return 1; }
    grep -q '^chatgptt: E_PAGE: ' "$out/only.$2" || { cat "$out/only.$2"; return 1; }
    "$out/only" --dialect "$2" hello 2>&1 | grep -q '^chatgptt: E_UNSUPPORTED: dialect: '
}

# limits: "NAME SMALLEST" of each constant of CONFIG's table that may be set from outside; "NAME" alone if nothing says how small.
limits() {
    sed -n '/==== \[CONFIG\]/,/==== \[BASE\]/p' "$header" | sed -e :join -e '/\\$/N; s/\\\n//; t join' | awk '
        /^#ifndef CHATGPTT_/ {name = $2}
        /^#define CHATGPTT_/ && $2 == name && $3 ~ /^[0-9]+$/ {names[++n] = name}
        /^#(el)?if .*CHATGPTT_[A-Z_]+ *< *[0-9]+/ {
            line = $0
            while (match(line, /CHATGPTT_[A-Z_]+ *< *[0-9]+/)) {
                split(substr(line, RSTART, RLENGTH), part, / *< */)
                smallest[part[1]] = part[2]
                line = substr(line, RSTART + RLENGTH)
            }
        }
        END {for (i = 1; i <= n; i++) print names[i], smallest[names[i]]}'
}

# Each has a smallest value: with it the header compiles, one below it is an #error that names the constant.
limits_are_checked() {
    limits >"$out/limits"
    [ -s "$out/limits" ] || { echo "no constants found"; return 1; }
    while read -r name smallest; do
        if [ -z "$smallest" ]; then echo "$name has no smallest value and no #error"; continue; fi
        $CC $posix $TLS_CFLAGS -D"$name=$((smallest - 1))" -fsyntax-only tests/compile/implement.c >"$out/limit.log" 2>&1 && echo "$name=$((smallest - 1)) compiles"
        grep -q "#error.*$name" "$out/limit.log" || echo "$name=$((smallest - 1)): no #error names it"
        $CC $posix $TLS_CFLAGS $WARNINGS -Werror -D"$name=$smallest" -fsyntax-only tests/compile/implement.c >"$out/limit.log" 2>&1 || { echo "$name=$smallest does not compile:"; head -n 3 "$out/limit.log"; }
    done <"$out/limits" | none
}

# mbedTLS as small devices configure it (tests/compile/reduced.h), the system's and those that tests/mbedtls.sh unpacked; where it
# cannot work the compiler says what is missing.
reduced_mbedtls() {
    case $TLS_CFLAGS in *NO_TLS*) echo "built without TLS"; exit 77 ;; esac
    for flags in "$TLS_CFLAGS" $(ls -d "${BUILD:-build}"/mbedtls-*/include 2>/dev/null | sed 's/^/-isystem/'); do
        for number in 1 2 3 4 5 6 7 8; do
            $CC $posix $flags -I. -DMBEDTLS_CONFIG_FILE='"tests/compile/reduced.h"' -DREDUCED=$number $WARNINGS -Werror \
                -fsyntax-only tests/compile/implement.c >"$out/reduced.log" 2>&1
            case $?:$number in
                0:[1-5]) ;;
                0:*) echo "$flags REDUCED=$number: compiles" ;;
                *:[1-5]) echo "$flags REDUCED=$number:"; head -n 5 "$out/reduced.log" ;;
                *) grep -q '#error.*chatgptt.h: mbedTLS without' "$out/reduced.log" || echo "$flags REDUCED=$number: no word of what is missing" ;;
            esac
        done
    done | none
}

#### what the code must not do

# calls FILE NAMES: where one of NAMES (a|b|c) is called.
calls() { awk -f tests/code.awk "$1" | grep -nE "(^|[^A-Za-z0-9_])($2)[ ]*\(" | sed "s|^|$1:|"; }

banned_calls() {
    for file in $header $sources tests/*.h; do calls "$file" 'v?sprintf|strcpy|strcat|strtok|atoi|alloca|signal'; done | none
}

header_leaves_the_process_alone() {
    calls $header 'v?f?printf|f?puts|f?putc|putchar|perror|exit|_exit|abort|sigaction|setlocale|setenv|putenv|fork|system|pthread_create' | none
}

frames_gcc() { frames gcc; }
frames_clang() { frames clang; }
frames() {
    skip_without "$1"
    for switches in "" -DCHATGPTT_NO_TLS; do
        $1 $posix $TLS_CFLAGS $switches -O2 -Wframe-larger-than=1024 $WARNINGS -Werror -c tests/compile/implement.c -o "$out/frames.o" || return 1
    done
}

#### all C files

warnings_gcc() { warnings gcc; }
warnings_clang() { warnings clang; }
warnings() {
    skip_without "$1"
    for file in $sources; do
        flags=$(extra "$file")
        [ "$flags" != absent ] || { echo "skip: $file: its library is not installed" >&3; continue; }
        $1 $posix $TLS_CFLAGS -I. $WARNINGS -Werror $flags -fsyntax-only "$file" || echo "$file"
    done 3>&2 | none
}

# A section at a time, the others only declared: given the whole, gcc 12 gives up after its first function, and says so only if asked.
analyzer_gcc() {
    skip_without gcc
    top_level || return 1
    for section in $(grep -o '^/\* ==== \[[A-Z-]*\]' "$out/chatgptt.c" | sed 's/.*\[//; s/\]//'); do
        awk -v section="$section" -f tests/section.awk "$out/top_level" "$out/chatgptt.c" >"$out/section.c"
        gcc $posix $TLS_CFLAGS -DCHATGPTT_IMPLEMENTATION -O1 -fanalyzer -Wanalyzer-too-complex --param analyzer-bb-explosion-factor=200 \
            -c "$out/section.c" -o "$out/section.o" 2>"$out/analyzer.log" || { cat "$out/analyzer.log"; return 1; }
        grep -E 'warning:' "$out/analyzer.log" | grep -v 'terminating analysis for this program point'
    done | none
}

clang_tidy() {
    skip_without clang-tidy
    copy
    clang-tidy --quiet --config-file=.clang-tidy "$out/chatgptt.c" -- $posix $TLS_CFLAGS -DCHATGPTT_IMPLEMENTATION >"$out/clang-tidy.log" 2>&1 && return
    grep 'error:' "$out/clang-tidy.log"
    echo "the paths that lead there: $out/clang-tidy.log"
    return 1
}

# It reads no system headers: what the header asks of them is said here.
cppcheck_finds_nothing() {
    skip_without cppcheck
    for switches in "" "-DCHATGPTT_NO_TLS -DCHATGPTT_NO_NET"; do
        cppcheck --quiet --std=c99 --enable=warning,performance,portability --inline-suppr --library=posix --error-exitcode=1 \
            -D_POSIX_C_SOURCE=200809L -DCLOCK_MONOTONIC=1 -DAI_NUMERICHOST=4 -DMBEDTLS_SSL_CLI_C -DMBEDTLS_X509_CRT_PARSE_C \
            -DMBEDTLS_HAVE_TIME_DATE $switches tests/compile/implement.c || return 1
    done
}

# No line over 110 bytes.
long_lines() {
    find . \( -path ./.git -o -path "./${BUILD:-build}" -o -path ./build \) -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | sort >"$out/c_files"
    [ -s "$out/c_files" ] || return 1
    LC_ALL=C xargs awk 'length($0) > 110 {print FILENAME ":" FNR ": " length($0) " bytes of at most 110"}' <"$out/c_files" | none
}

#### all files

# The patterns are written so that this file does not find itself.
files() { find . \( -path ./.git -o -path ./build \) -prune -o -type f -print; }
search() { files | xargs grep -nIE "$1" | none; }

no_marks() { search 'TO[D]O|FIX[M]E|XX[X]|HA[C]K'; }
no_machine_paths() { search '(^|[^A-Za-z0-9_.])/(home|root|work|farm|Users)/'; }
no_package_hosts() { search '(deb|archive|security|registry|files)\.[a-z]+\.(org|com)'; }
top_level_is_fixed() { ls | grep -vxE 'build|chatgptt\.h|tests|examples|fuzz|Makefile|README\.md' | none; }

CHECKS="exported_names static_exports_nothing no_writable_data core_needs_nothing no_files
    contents_are_banners no_forward_declarations function_lengths section_lengths layers flags code_lines
    switches generations limits_are_checked reduced_mbedtls
    banned_calls header_leaves_the_process_alone frames_gcc frames_clang
    long_lines warnings_gcc warnings_clang analyzer_gcc clang_tidy cppcheck_finds_nothing
    no_marks no_machine_paths no_package_hosts top_level_is_fixed"

passed=0
failed=0
for check in ${*:-$CHECKS}; do
    found=$("$check" 2>&1)
    case $? in
        0)  passed=$((passed + 1)); echo "ok   $check${found:+: $found}" ;;
        77) echo "skip $check: $found" ;;
        *)  failed=$((failed + 1)); echo "FAIL $check"; echo "$found" | head -n 40 | sed 's/^/     /' ;;
    esac
done
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
