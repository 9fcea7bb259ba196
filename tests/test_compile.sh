#!/bin/sh
# The header in every manner it can be built in: a case a manner. Compilers that are not there are left out with a word.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
out=${BUILD:-build}/compile
mkdir -p "$out"
posix=-D_POSIX_C_SOURCE=200809L
strict="$WARNINGS -Werror"
passed=0
failed=0

# try NAME COMMAND...: a case, passed if the command is.
try() {
    name=$1
    shift
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $name: $*"
        head -n 15 "$out/log"
    fi
}

# refused WORD COMMAND...: passed if the command fails and says WORD.
refused() {
    word=$1
    shift
    if "$@" >"$out/refused" 2>&1; then echo "went through"; return 1; fi
    grep -q "$word" "$out/refused" || { cat "$out/refused"; return 1; }
}

# check FLAGS FILE: only looks for errors and warnings; link FLAGS FILE...: builds a program and runs it.
check() { $compiler -std=$std $1 $strict $TLS_CFLAGS -fsyntax-only "tests/compile/$2"; }
link() {
    flags=$1
    shift
    $compiler -std=$std $flags $strict $TLS_CFLAGS -o "$out/program" "$@" $TLS_LIBS && "$out/program"
}
link_plain() {
    flags=$1
    shift
    $compiler -std=$std $flags $strict -o "$out/program" "$@" && "$out/program"
}

# every_manner SUFFIX FLAGS: with $compiler and $std.
every_manner() {
    dir=tests/compile
    for file in twice before after; do try "$compiler $std $file" check "$2" $file.$1; done
    for switches in NO_TLS NO_NET NO_FILES NO_TLS,NO_FILES NO_NET,NO_FILES NO_NET,NO_TLS NO_NET,NO_TLS,NO_FILES \
                    STATIC STATIC,NO_TLS STATIC,NO_NET,NO_TLS SHORT_ERRORS SHORT_ERRORS,NO_NET,NO_TLS; do
        try "$compiler $std $switches" check "$2 -DCHATGPTT_$(echo "$switches" | sed 's/,/ -DCHATGPTT_/g')" after.$1
    done
    try "$compiler $std two files" link "$2" $dir/user.$1 $dir/implement.$1
    try "$compiler $std static in two files" link "$2" $dir/static_one.$1 $dir/static_two.$1
    try "$compiler $std NO_TLS needs no library" link_plain "$2 -DCHATGPTT_NO_TLS" $dir/user.$1 $dir/implement.$1
    try "$compiler $std without the implementation" refused 'undefined reference.*chatgptt_' link "$2" $dir/user.$1
    try "$compiler $std STATIC without the implementation" refused CHATGPTT_IMPLEMENTATION check "$2 -DCHATGPTT_STATIC" user.$1
}

for compiler in $C_COMPILERS; do
    for std in c99 c11; do every_manner c "$posix"; done
    # As people build: no flag at all; and with -std=c99 alone, where only a header that comes first can still ask for POSIX.
    std=gnu99 && try "$compiler $std after" check "" after.c
    std=gnu17 && try "$compiler $std after" check "" after.c
    std=c99
    try "$compiler $std before, POSIX not asked for" check "" before.c
    try "$compiler $std after, POSIX not asked for" refused 'error.*_POSIX_C_SOURCE' check "" after.c
    try "$compiler $std NO_NET needs no POSIX" check "-DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS" after.c
    # What the program had before the header, it has after it: asking for POSIX must not take away what the default shows.
    std=gnu17 && try "$compiler $std first, the default dialect keeps all it shows" check "" first.c
    std=c99 && try "$compiler $std after macros like lwIP's" check "$posix" sockets.c
    try "$compiler $std after macros like lwIP's, NO_NET" check "$posix -DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS" sockets.c
    std=c99
    try "$compiler $std unsigned char" check "$posix -funsigned-char" after.c
done
for compiler in $CXX_COMPILERS; do
    for std in c++11 c++17; do every_manner cc ""; done
    for std in c++20 c++2b; do
        for file in twice before after; do try "$compiler $std $file" check "" $file.cc; done
        try "$compiler $std NO_NET,NO_TLS" check "-DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS" after.cc
        try "$compiler $std static in two files" link "" tests/compile/static_one.cc tests/compile/static_two.cc
    done
    for std in c++11 c++14 c++17 c++20 c++2b; do try "$compiler $std examples/ask.cc" check "-I." ../../examples/ask.cc; done
    std=gnu++17 && try "$compiler $std first, the default dialect keeps all it shows" check "" first.cc
done

# No private macro stays behind in the user's file.
macros_left() {
    $CC $posix $TLS_CFLAGS "$@" -dM -E tests/compile/implement.c >"$out/macros" && ! grep -i '#define cgt_' "$out/macros"
}
try "private macros are undefined again" macros_left
try "private macros are undefined again, SHORT_ERRORS" macros_left -DCHATGPTT_SHORT_ERRORS

# With SHORT_ERRORS a message is the code's text and whom it is about: where no stream runs, the text alone.
short_errors() {
    $CC $posix -O1 -DCHATGPTT_SHORT_ERRORS $TLS_CFLAGS -I. examples/chatgptt.c -o "$out/short" $TLS_LIBS || return 1
    "$out/short" --url http://127.0.0.1:1/ hi 2>&1 | grep -x "chatgptt: E_CONNECT: cannot connect: 127.0.0.1:1" &&
        "$out/short" --url "http://a b/" hi 2>&1 | grep -x "chatgptt: E_ARGUMENT: bad argument" && ! grep -q "timed out after" "$out/short"
}
case $TLS_CFLAGS in *NO_NET*) ;; *) try "SHORT_ERRORS" short_errors ;; esac

# includes SWITCHES...: what the header itself includes.
includes() { $CC $posix $TLS_CFLAGS "$@" -H -fsyntax-only tests/compile/implement.c 2>&1 | awk '$1 == ".." {print $2}'; }
only_the_c_library() {
    includes -DCHATGPTT_NO_NET -DCHATGPTT_NO_TLS >"$out/includes"
    grep -q '/stddef\.h$' "$out/includes" &&
        ! grep -vE '/(limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h$' "$out/includes"
}
no_mbedtls() { ! includes -DCHATGPTT_NO_TLS | grep -E '/(mbedtls|psa)/'; }
try "NO_NET, NO_TLS include only the C library's headers" only_the_c_library
try "NO_TLS includes nothing of mbedTLS" no_mbedtls

# A C program over a C++ implementation, and the other way round.
mixed() {
    $1 $posix $TLS_CFLAGS -c "tests/compile/user.$2" -o "$out/user.o" && $3 $TLS_CFLAGS -c "tests/compile/implement.$4" -o "$out/implement.o" &&
        g++ "$out/user.o" "$out/implement.o" -o "$out/program" $TLS_LIBS && "$out/program"
}
case "$C_COMPILERS$CXX_COMPILERS" in
    *gcc*g++*)
        try "C over C++" mixed gcc c g++ cc
        try "C++ over C" mixed g++ cc gcc c ;;
esac

# The program in the header's first lines, and every C block of the README: alone, as C and as C++; linked if it has a main.
awk '/^       #define CHATGPTT_IMPLEMENTATION/ {on = 1} on {print substr($0, 8)} on && /^       }/ {exit}' chatgptt.h >"$out/header_1.c"
rm -f "$out"/readme_*
[ ! -f README.md ] || awk -v out="$out" '/^```c$/ {file = out "/readme_" ++n ".c"; next} /^```/ {file = ""} file {print >file}' README.md
for block in "$out"/header_1.c "$out"/readme_*.c; do
    [ -f "$block" ] || continue
    manner=-c
    grep -q '\<main(' "$block" && manner=$TLS_LIBS
    grep -q 'include.*chatgptt.h' "$block" || { printf '#include <stdio.h>\n#include <string.h>\n#include "chatgptt.h"\n'; cat "$block"; } >"$block.new"
    [ -f "$block.new" ] && mv "$block.new" "$block"
    try "${block##*/} as C" $CC $posix -std=c99 $strict -I. $TLS_CFLAGS "$block" -o "$out/block" $manner
    cp "$block" "${block}c"
    set -- $CXX_COMPILERS
    [ $# -eq 0 ] || try "${block##*/} as C++" "$1" -std=c++11 $strict -I. $TLS_CFLAGS "${block}c" -o "$out/block" $manner
done

echo "test_compile: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
