#!/bin/bash
# Does what README.md says, line by line, in a fresh clone, and compares: a line of code that this script does not know is a failure.
# Loopback stands for every site. What the README only names, make targets, files, functions, codes, has to be there.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD CC CFLAGS TLS_CFLAGS TLS_LIBS LEFT_OUT http_proxy https_proxy all_proxy no_proxy
export TERM=xterm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
. tests/check.sh
left_by() { echo log; }

# The clone, with what is changed here and not committed yet; where there is no git, the tree's files.
clone() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git clone -q . "$work/clone" || return
        git diff HEAD --binary >"$work/changes"
        [ ! -s "$work/changes" ] || git -C "$work/clone" apply "$work/changes"
    else mkdir "$work/clone" && tar -cf - --exclude=./build . | tar -xf - -C "$work/clone"; fi
}
check "a clone" clone
cd "$work/clone" || end readme
export HOME=$work PATH=$work/clone/build:$PATH PKG_CONFIG_PATH=$work/tree/usr/local/share/pkgconfig
check "at most 200 lines" test "$(wc -l <README.md)" -le 200

# ==== what it names ====

links() { for file in $(grep -o '](\([^)]*\))' README.md | sed 's/](//; s/)//'); do case $file in https:*) ;; *) [ -e "$file" ] || echo "$file" ;; esac; done; }
quoted() { grep -o '`[^`]*`' README.md | tr -d '`'; }
targets() { quoted | sed -n 's/^make \([a-z]*\).*/\1/p' | sort -u; }
no_target() { for goal in $(targets) test; do make -n "$goal" T=json PREFIX="$work/x" >/dev/null 2>"$work/log" || echo "$goal"; done; }
unknown() { quoted | grep -o 'chatgptt_[a-z_]*()\|CHATGPTT_[A-Z_]*\|MBEDTLS_THREADING_C' | tr -d '()' | sort -u | while read -r name; do grep -q "\<$name\>" chatgptt.h || echo "$name"; done; }
no_option() { sed -n '/^## Options/,/^## Errors/p' README.md | grep -o '`[a-z_.]*`' | tr -d '`' | sed 's/.*\.//' | sort -u | while read -r name; do grep -q "[ *(]$name[;,)]" chatgptt.h || echo "$name"; done; }
codes() { grep -o 'X(E_[A-Z_]*' chatgptt.h | sed 's/X(//'; }
table() { sed -n 's/^| `\(E_[A-Z_]*\)` | [^|]* | [^|]* |$/\1/p' README.md; }
nothing() { [ -z "$("$@")" ] || { "$@"; return 1; }; }
same() { diff <($1) <($2); }
check "every file it links is there" nothing links
check "it names targets" test "$(targets | wc -l)" -gt 8
check "make knows each of them" nothing no_target
check "the header knows each name" nothing unknown
check "and each option" nothing no_option
check "the table of errors has all codes, in their order" same codes table

# ==== see it ====

# The commands: lines set off by four blanks; the words that explain them stand behind two.
awk '/^```/ {on = !on} !on && sub(/^    /, "") {print}' README.md >"$work/lines"
commands() { sed 's/   *.*//' "$work/lines"; }
line() { commands | grep -n "$1" | head -n 1 | sed 's/^[0-9]*://'; }
demo=$(line 'make demo' | sed 's/.*apt-get[^&]*&& //')
sh -c "$demo" >"$work/log" 2>&1
check "$demo" test $? -eq 0 -a "$demo" = "make demo"
check "make demo shows question, answer and figures" sh -c \
    "[ \$(grep -c 'what will you do with this sentence' '$work/log') -ge 2 ] && grep -q 'stats: .*total_ms=' '$work/log' && grep -q 'https://' '$work/log'"

# The picture is what the script makes of a session here, but for what differs from run to run.
picture() { sed -n 's/<[^>]*>/ /g; /@keyframes/d; /^#p/d; s/demo_site_[A-Za-z0-9]*//; s/[0-9]//g; p' "$1" | tr -s ' \n' '  ' | sed 's/ms= bytes.*//; s/ //g'; }
plays() {
    picture examples/session.svg >"$work/picture" && python3 examples/picture.py && picture examples/session.svg | cmp - "$work/picture" &&
        python3 -c 'import sys, xml.etree.ElementTree as x; x.parse(sys.argv[1])' examples/session.svg && [ "$(grep -c '@keyframes' examples/session.svg)" -gt 30 ]
}
if command -v python3 >/dev/null; then check "its picture is a session" plays; else skip "the picture: no python3"; fi

# ==== the sites that stand for all others: over TLS, and not ====

mkfifo "$work/in" "$work/in2"
build/demo_site --tls <"$work/in" >"$work/tls" & sites=$!
exec 8>"$work/in"
build/demo_site <"$work/in2" >"$work/plain" 8>&- & sites="$sites $!"
exec 9>"$work/in2"
until grep -qs '^ca=' "$work/tls" && grep -qs '^url=' "$work/plain"; do sleep 0.05; done
tls=$(sed -n 's/^url=//p' "$work/tls") plain=$(sed -n 's/^url=//p' "$work/plain")
SSL_CERT_FILE=$(sed -n 's/^ca=//p' "$work/tls")
export SSL_CERT_FILE

# ==== use it, three ways ====

mkdir "$work/ask" && cp chatgptt.h "$work/ask/" && cp tests/tool_helper.c "$work/"
awk -v out="$work/ask/" '/^```c$/ {file = out "block" ++n ".c"; next} /^```/ {file = ""} file {print >file}' README.md
cc "$work/tool_helper.c" -o "$work/helper" || skip "no helper"
cd "$work/ask" || exit 1
says() { "${@:2}" >"$work/log" 2>&1; grep -q "$1" "$work/log"; }
asks() { sed "s|chatgptt_open(NULL,|chatgptt_open(\&(chatgptt_options){.url = \"$1\"},|" block1.c >ask.c; }     # URL
with_tls=$(line '^cc ask.c -l') without=$(line '^cc .*NO_TLS')
check "examples/ask.c is this program" cmp block1.c ../clone/examples/ask.c
cp block1.c ask.c && check "$without, as it stands" sh -c "$without"
check "it says that https needs TLS" says 'https.*TLS' ./a.out
check "$with_tls, as it stands" sh -c "$with_tls"
if unshare -rn true 2>/dev/null; then check "without a network it says so" says 'chatgptt.me' unshare -rn ./a.out
else skip "the program as it stands: no network of its own to be had"; fi
asks "$tls" && check "$with_tls" sh -c "$with_tls"
check "it answers over TLS" says 'You said: Why is the sky blue?' ./a.out
SSL_CERT_FILE=/nonexistent check "and not without trust" says 'SSL_CERT_FILE' ./a.out
asks "$plain" && check "$without" sh -c "$without"
check "it answers by http" says 'You said: Why is the sky blue?' ./a.out
check "nothing but a libc" sh -c "! ldd ./a.out | grep -i mbed"
printf '#include "chatgptt.h"\nint other(void) { return chatgptt_model(0) != NULL; }\n' >other.c
check "every other file just includes it" cc -DCHATGPTT_NO_TLS ask.c other.c
hides() { cc -DCHATGPTT_STATIC -DCHATGPTT_NO_TLS -c ask.c && ! nm -g --defined-only ask.o | grep chatgptt_; }
check "CHATGPTT_STATIC keeps all names inside" hides
{ sed -n '1,2p' block1.c; cat block2.c; printf 'int main(void)\n{\n    chatgptt_options o = {0};\n    o.url = "%s";\n    return print_answer(chatgptt_open(&o, NULL)) != CHATGPTT_DONE;\n}\n' "$plain"; } >chat.c
check "one call builds" cc -Wall -Wextra -Werror -DCHATGPTT_NO_TLS chat.c
check "one call prints the answer" says 'User: And the sunset?' ./a.out
cd "$work/clone" || exit 1
examples() { grep -o '](examples/[a-z_/]*\.\(c\|cc\))' README.md | sed 's/](//; s/)//' | grep -v firmware; }
no_build() { for file in $(examples); do case $file in
    *.cc) command -v c++ >/dev/null && ! c++ -I. "$file" -lmbedtls -lmbedx509 -lmbedcrypto -o "$work/cc" && echo "$file" ;;
    *) [ -x "build/$(basename "$file" .c)" ] || echo "$file" ;; esac; done; }
check "every example is built" nothing no_build
check "the C++ wrapper is as long as it says" test "$(sed -n '/^namespace chat/,/^}$/p' examples/ask.cc | wc -l)" -eq "$(sed -n 's/.*wrapper of \([0-9]*\) lines.*/\1/p' README.md)"

# ==== the tools ====

# The line of the README that begins so, at the site over TLS instead of the one it names or does not.
tool() { line "$1" | sed "s|example.org[^ ]*|${tls#https://}|; /--doctor\|-u /!s|^chatgptt |&-u ${tls#https://} |"; }
run() { sh -c "$(tool "$1")" >"$work/log" 2>&1; }
cd "$work" && echo 'a question of a file' >question.txt
run 'chatgptt -u'; check "$(line 'chatgptt -u')" test $? -eq 0
check "it prints the answer" grep -q 'You said: Why is the sky blue?' log
run 'chatgptt --json'; check "$(line 'chatgptt --json')" test $? -eq 0
check "it prints JSON and figures" sh -c "grep -q '\"text\":\" question\"' log && grep -q '\"event\":\"done\"' log && grep -q 'stats: ' log"
talk() { "$work/helper" pty '> ' 'once more
' "$1" '' 'nice day' '' '> ' '/quit
' -- sh -c "$(tool 'chatgptt --chat')"; }
check "$(line 'chatgptt --chat')" talk 'You said: once more'
check "it goes on, in another run too" talk 'Earlier messages I know: 2'
check "its two files are there" test -s .chat -a -s .chatgptt_state
run 'chatgptt --doctor'; check "$(line 'chatgptt --doctor')" test $? -eq 0
steps() { line 'chatgptt --doctor' >/dev/null; for step in lookup connect tls page tokens endpoint message; do grep -q "^$step " log || return 1; done; }
check "it tells each step" steps
if [ -x clone/build/openai_gateway ] && command -v curl >/dev/null; then
    gateway=$(line '^openai_gateway' | sed "s|example.org[^ ]*|${tls#https://}|; s|8080|0|")
    sh -c "exec $gateway" >told 2>log 8>&- 9>&- & pid=$!
    for _ in $(seq 100); do grep -q '^url=' told && break; sleep 0.05; done
    base=$(sed -n 's/^url=//p' told)
    check "$(line '^openai_gateway')" test -n "$base"
    check "its address is as said" grep -q "^openai_gateway.*OPENAI_BASE_URL=$(echo "$base" | sed 's/:[0-9][0-9]*/:8080/')\$" lines
    check "it answers" says 'You said: hello' curl -sS -m 20 --json '{"messages":[{"role":"user","content":"hello"}]}' "$base/chat/completions"
    check "it serves a page" says '<!doctype html>' curl -sS -m 20 "${base%v1}"
    kill "$pid" && wait "$pid"
    check "it stops" test $? -eq 0
else skip "the gateway: no libmicrohttpd, cJSON or curl"; fi
check "the probe runs a parser on its standard input" sh -c "echo '{\"a\":\"b\"}' | probe json /a | grep -qx b"
cd clone || exit 1

# ==== install it ====

install=$(quoted | grep '^make install')
check "$install" sh -c "$install DESTDIR='$work/tree'"
mkdir "$work/user" && cp "$work/ask/block1.c" "$work/user/ask.c" && cd "$work/user" || exit 1
by_pkg_config=$(line 'pkg-config')
if command -v pkg-config >/dev/null; then check "$by_pkg_config" sh -c "$by_pkg_config && test -x a.out"; else skip "no pkg-config"; fi
printf 'cmake_minimum_required(VERSION 3.13)\nproject(ask C)\n%s\nadd_executable(ask ask.c)\n%s\n' "$(line '^find_package')" "$(line '^target_link')" >CMakeLists.txt
by_cmake() { cmake -S . -B out -DCMAKE_PREFIX_PATH="$work/tree/usr/local" && cmake --build out && test -x out/ask; }
if command -v cmake >/dev/null; then check "$(line '^find_package')" by_cmake; else skip "no cmake"; fi
printf "project('ask', 'c')\nexecutable('ask', 'ask.c', dependencies: %s)\n" "$(grep -o "dependency('[a-z]*')" "$work/lines")" >meson.build
by_meson() { meson setup out.meson && meson compile -C out.meson; }
if command -v meson >/dev/null; then check "meson: dependency('chatgptt')" by_meson; else skip "no meson"; fi
cd "$work/clone" || exit 1
check "make uninstall" sh -c "make uninstall DESTDIR='$work/tree' && ! find '$work/tree' -type f | grep ."

# ==== figures ====

# close SAID MEASURED: within a tenth.
close() { awk -v said="$1" -v measured="$2" 'BEGIN {exit !(said > 0 && measured >= said * 0.9 && measured <= said * 1.1)}'; }
figure() { sed -n "s/.*[ (]\([0-9.]*\) KB $1.*/\1/p" README.md | head -n 1 | awk '{print $1 * 1000}'; }          # in bytes
measured() { sed -n "s/^\([0-9]*\) bytes: $1.*/\1/p" "$work/costs"; }
check "build/tests/test_costs" sh -c "make build/tests/test_costs && build/tests/test_costs >'$work/costs'"
check "an idle client" close "$(figure 'an idle client')" "$(measured 'a client, the')"
check "a running stream" close "$(figure 'a running stream')" "$(measured 'a stream whose')"
check "one read buffer" close "$(sed -n 's/.*one read buffer of \([0-9]*\) KB.*/\1/p' README.md)000" "$(measured 'the read buffer')"
if command -v arm-none-eabi-gcc >/dev/null && command -v qemu-system-arm >/dev/null; then
    sh -c "$(quoted | grep -x 'make firmware')" >"$work/log" 2>&1
    check "make firmware" test $? -eq 0
    took=$(sed -n 's/.*peak heap \([0-9]*\), peak stack \([0-9]*\) bytes/\1 \2/p' "$work/log" | awk '$1 + $2 > most {most = $1 + $2} END {print most + 0}')
    check "a Cortex-M3's memory ($took bytes)" close "$(figure 'of memory')" "$took"
    check "and no more" test "$took" -gt 0 -a "$took" -le "$(figure 'of memory')"
else skip "make firmware: no gcc-arm-none-eabi or qemu-system-arm"; fi
check "a conversation's bytes" sh -c "printf '#include \"chatgptt.h\"\nchar same[sizeof(chatgptt_conversation) == %d ? 1 : -1];\n' \
    \$(sed -n 's/.*its \([0-9]*\) bytes can be saved.*/\1/p' README.md) | cc -I. -fsyntax-only -x c -"
# What mbedTLS takes until the first request goes out, at its most, beyond what a connection by http does; and the roots.
cat >"$work/heap.c" <<'C'
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"
#include <malloc.h>
extern void *__libc_malloc(size_t), *__libc_realloc(void *, size_t), *__libc_calloc(size_t, size_t);
extern void __libc_free(void *);
static size_t live, peak, shaken;
static void *more(void *block)
{
    if (block) live += malloc_usable_size(block);
    if (live > peak) peak = live;
    return block;
}
static void less(void *block) { if (block) live -= malloc_usable_size(block); }
void *malloc(size_t size) { return more(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return more(__libc_calloc(count, size)); }
void *realloc(void *block, size_t size) { less(block); return more(__libc_realloc(block, size)); }
void free(void *block) { less(block); __libc_free(block); }
static void trace(void *user, const char *what, const char *text, size_t len)
{
    (void)user, (void)text, (void)len;
    if (!shaken && strcmp(what, "request") == 0) shaken = peak;
}
int main(int argc, char **argv)
{
    chatgptt_options options = {0};
    options.url = argv[1];
    options.address = "127.0.0.1";
    options.hooks.trace = trace;
    (void)argc;
    size_t before = live;
    peak = live;
    chatgptt_client *client = chatgptt_open(&options, NULL);
    printf("%zu", peak - before);
    peak = before = live;
    chatgptt_free(client, chatgptt_ask(client, "hi"));
    printf(" %zu\n", shaken > before ? shaken - before : 0);
    chatgptt_close(client);
    return 0;
}
C
if cc -I. "$work/heap.c" -o "$work/heap" -lmbedtls -lmbedx509 -lmbedcrypto >"$work/log" 2>&1; then
    least=$(sed -n 's/.*mbedTLS.s own \([0-9]*\) to [0-9]* KB.*/\1/p' README.md) most=$(sed -n 's/.*mbedTLS.s own [0-9]* to \([0-9]*\) KB.*/\1/p' README.md)
    took=$(($("$work/heap" "$tls" | cut -d' ' -f2) - $("$work/heap" "$plain" | cut -d' ' -f2)))
    roots=$(env -u SSL_CERT_FILE "$work/heap" "$tls" | cut -d' ' -f1)
    echo "mbedTLS: $took bytes a connection, $roots with the system's roots"
    check "mbedTLS a connection" test "$took" -ge "$((least * 980))" -a "$took" -le "$((most * 1020))"
    if [ "$roots" -gt 100000 ]; then check "the system's roots" close "$(figure 'a client\.')" "$roots"; else skip "no roots here"; fi
else skip "mbedTLS's memory: no glibc"; fi

# ==== nothing is passed over ====

known() {
    commands | grep -vxF -e "$demo" -e 'make test' -e "$with_tls" -e "$without" -e "$(line 'chatgptt -u')" -e "$(line 'chatgptt --json')" \
        -e "$(line 'chatgptt --chat')" -e "$(line 'chatgptt --doctor')" -e "$(line '^openai_gateway')" -e "$by_pkg_config" \
        -e "$(line '^find_package')" -e "$(line '^target_link')" -e "$(line 'apt-get')"
}
check "every line of code was done" nothing known
exec 8>&- 9>&-
wait $sites
end readme
