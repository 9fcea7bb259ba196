#!/bin/bash
# A static binary with its roots built in (ca_pem) asks the stand-in site out of an empty chroot: by glibc, and by musl, for
# which mbedTLS is made from its source. Its size is printed.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh
left_by() { echo log; }
[ "$(id -u)" = 0 ] && command -v chroot >/dev/null || { skip "only root may chroot"; end static; }

cat >"$work/ask.c" <<'E'
#define CHATGPTT_NO_FILES
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"
#include <stdio.h>
static const char roots[] = {
#include "roots.h"
    0 };
int main(int argc, char **argv)
{
    chatgptt_options options = {0};
    chatgptt_error error;
    options.url = argc > 1 ? argv[1] : NULL;
    options.ca_pem = sizeof roots > 1 ? roots : NULL;
    options.address = "127.0.0.1";
    chatgptt_client *client = chatgptt_open(&options, &error);
    char *answer = client ? chatgptt_ask(client, "Why is the sky blue?") : NULL;
    puts(answer ? answer : client ? chatgptt_client_error(client)->message : error.message);
    chatgptt_free(client, answer);
    chatgptt_close(client);
    return !answer;
}
E

# site OPTION...: the stand-in site, until descriptor 9 is closed.
site() {
    rm -f "$work/in" && mkfifo "$work/in"
    "$BUILD/demo_site" "$@" <"$work/in" >"$work/out" &
    exec 9>"$work/in"
    for _ in $(seq 100); do grep -q '^url=' "$work/out" && break; sleep 0.05; done
    sleep 0.2
    url=$(sed -n 's/^url=//p' "$work/out")
    : >"$work/roots.h"
    ca=$(sed -n 's/^ca=//p' "$work/out")
    [ -z "$ca" ] || od -An -v -tu1 "$ca" | tr -s ' \n' ',' | sed 's/^,//; s/,*$/,/' >"$work/roots.h"
}

# try NAME COMPILER FLAGS...: builds, and asks out of an empty folder.
try() {
    local name=$1
    shift
    mkdir -p "$work/empty"
    check "$name: it builds" "$@" -Os -static -ffunction-sections -Wl,--gc-sections -s -I. -I"$work" "$work/ask.c" \
        -o "$work/empty/ask" $libs
    timeout 30 chroot "$work/empty" /ask "$url" >"$work/log" 2>&1
    check "$name: it asks out of an empty chroot" test $? -eq 0
    check "$name: it says the answer" grep -q 'Why is the sky blue?' "$work/log"
    echo "$name: $(wc -c <"$work/empty/ask") bytes"
    rm -f "$work/empty/ask"
}

case $TLS_CFLAGS in
*CHATGPTT_NO_TLS*) skip "glibc with TLS: built without" ;;
*)
    site --tls
    libs=$TLS_LIBS
    try "glibc, TLS" $CC $TLS_CFLAGS
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
    if ! command -v musl-gcc >/dev/null; then skip "musl, TLS: no musl-gcc (musl-tools)"
    elif ! musl=$(tests/mbedtls.sh "$BUILD/mbedtls-musl" "${suite:-trixie}" musl-gcc 2>&1); then skip "musl, TLS: $musl"
    else
        libs="$musl/lib/libmbedtls.a $musl/lib/libmbedx509.a $musl/lib/libmbedcrypto.a"
        try "musl, TLS" musl-gcc -isystem "$musl/include"
    fi
    exec 9>&-
    wait ;;
esac
libs=
site
try "glibc, http" $CC -DCHATGPTT_NO_TLS
if command -v musl-gcc >/dev/null; then try "musl, http" musl-gcc -DCHATGPTT_NO_TLS; else skip "no musl-gcc (musl-tools)"; fi
exec 9>&-
wait
end static
