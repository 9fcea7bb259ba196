#!/bin/bash
# What make install puts where, and that a program outside the tree builds with it: by plain cc, pkg-config and CMake.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh

no_tls=
case $TLS_CFLAGS in *CHATGPTT_NO_TLS*) no_tls=NO_TLS=1 ;; esac
root=$work/tree prefix=$work/tree/opt/chat
check install make install BUILD="$BUILD" CC="$CC" $no_tls DESTDIR="$root" PREFIX=/opt/chat
for file in include/chatgptt.h bin/chatgptt share/man/man1/chatgptt.1 share/man/man3/chatgptt.3 \
    share/pkgconfig/chatgptt.pc share/cmake/chatgptt/chatgptt-config.cmake share/doc/chatgptt/LICENCE \
    share/bash-completion/completions/chatgptt.bash share/zsh/site-functions/_chatgptt \
    share/fish/vendor_completions.d/chatgptt.fish; do
    check "$file is there" test -s "$prefix/$file"
done
check "the tool runs" "$prefix/bin/chatgptt" --version
check "the licence is whole" grep -q 'WARRANTY OF ANY KIND' "$prefix/share/doc/chatgptt/LICENCE"
check "the page holds the API" grep -q 'chatgptt_code chatgptt_step' "$prefix/share/man/man3/chatgptt.3"
if command -v man >/dev/null; then
    for page in 1 3; do
        check "chatgptt($page) formats without a warning" sh -c \
            "! MANWIDTH=130 man --warnings -l '$prefix/share/man/man$page/chatgptt.$page' 2>&1 >/dev/null | grep ."
    done
else skip "the page's format: no man"; fi

cat >"$work/ask.c" <<'E'
#define CHATGPTT_IMPLEMENTATION
#include <chatgptt.h>
#include <stdio.h>
int main(void)
{
    chatgptt_options options = {0};
    options.url = "http://127.0.0.1:1/";
    chatgptt_client *client = chatgptt_open(&options, NULL);
    if (!client || chatgptt_ask(client, "hi")) return 1;
    puts(chatgptt_client_error(client)->message);
    chatgptt_close(client);
    return 0;
}
E
says() { "$1" | grep -q 'cannot connect to 127.0.0.1:1'; }
check "plain cc builds" $CC $TLS_CFLAGS -I"$prefix/include" "$work/ask.c" -o "$work/plain" $TLS_LIBS
check "plain cc's program runs" says "$work/plain"

by_pkg_config() {
    export PKG_CONFIG_PATH=$prefix/share/pkgconfig
    check "pkg-config builds" $CC $TLS_CFLAGS "$work/ask.c" -o "$work/pkg" $(pkg-config --cflags --libs chatgptt)
    check "pkg-config's program runs" says "$work/pkg"
    check "pkg-config tells the version" test "$(pkg-config --modversion chatgptt)" = \
        "$(sed -n 's/^#define CHATGPTT_VERSION "\(.*\)"/\1/p' chatgptt.h)"
}

by_cmake() {
    printf '%s\n' 'cmake_minimum_required(VERSION 3.13)' 'project(ask C)' 'find_package(chatgptt REQUIRED)' \
        'add_executable(ask ask.c)' 'target_link_libraries(ask chatgptt::chatgptt)' \
        ${no_tls:+'target_compile_definitions(ask PRIVATE CHATGPTT_NO_TLS)'} >"$work/CMakeLists.txt"
    check "CMake finds it" cmake -S "$work" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix"
    check "CMake builds" cmake --build "$work/cmake"
    check "CMake's program runs" says "$work/cmake/ask"
}

case $TLS_CFLAGS in
*isystem*) skip "pkg-config and CMake: another mbedTLS than the system's" ;;
*)
    if command -v pkg-config >/dev/null; then by_pkg_config; else skip "no pkg-config"; fi
    if command -v cmake >/dev/null; then by_cmake; else skip "no cmake"; fi ;;
esac
check uninstall make uninstall BUILD="$BUILD" CC="$CC" $no_tls DESTDIR="$root" PREFIX=/opt/chat
check "nothing is left" sh -c "! find '$root' -type f | grep ."
end install
