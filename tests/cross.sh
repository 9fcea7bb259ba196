#!/bin/bash
# The whole suite on other machines and with other compilers' habits: armhf, s390x (big-endian) and i386 under qemu-user, static
# musl, plain chars unsigned, enums short, link-time optimizing, clang's memory sanitizer. What a tool is missing for is skipped.
#     tests/cross.sh [NAME...]     NAME: armhf s390x i386 musl unsigned short lto msan; all if none is given
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
mkdir -p "$BUILD"
passed=0 failed=0 skipped=0

skip() { echo "skip: $name: $1"; skipped=$((skipped + 1)); }

# suite MAKE-ARGUMENTS...: the suite in a build folder of its own; its last line counts.
suite() {
    local log=$BUILD/cross-$name.log counts
    make test BUILD="$BUILD/cross-$name" "$@" >"$log" 2>&1
    counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$log" | tail -n 1)
    if [ -z "$counts" ]; then echo "FAIL $name: no result"; tail -n 5 "$log"; failed=$((failed + 1)); return; fi
    echo "$name: ${counts% *} passed, ${counts#* } failed"
    passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
    [ "${counts#* }" = 0 ] || grep -E '^(FAIL|tests/.*got )' "$log" | head -n 10
}

# A compiler whose programs are scripts that have them run by qemu, for a kernel that does not do that by itself.
emulated() {        # COMPILER QEMU: its name
    local cc=$PWD/$BUILD/cross-$name-cc
    cat >"$cc" <<END
#!/bin/sh
$1 "\$@" || exit
for word in "\$@"; do
    [ "\$before" != -o ] || out=\$word
    before=\$word
done
[ -f "\$out" ] && [ -x "\$out" ] || exit 0
program=\$(readlink -f "\$out").$name
mv "\$out" "\$program"
printf '#!/bin/sh\nexec $2 -0 "%s" %s "%s"\n' '\$0' "\$program" '\$@' >"\$out"
chmod +x "\$out"
END
    chmod +x "$cc"
    echo "$cc"
}

# Without mbedTLS and the sanitizers: neither is there for these machines. What a test builds is static too, since qemu does
# not look for the machine's own shared libraries.
elsewhere() {       # COMPILER QEMU FLAGS
    local cc=$1
    command -v "$1" >/dev/null || { skip "no $1"; return; }
    echo 'int main(void) { return 0; }' | $1 -static -x c - -o "$BUILD/cross.probe" || { skip "$1 links nothing"; return; }
    if ! "$BUILD/cross.probe" 2>/dev/null; then
        command -v "$2" >/dev/null || { skip "no $2"; return; }
        cc=$(emulated "$1" "$2")
    fi
    suite NO_TLS=1 CC="$cc -static" LDFLAGS=-static CFLAGS="-O1 $3" TEST_TIMEOUT=1200
}

for name in ${*:-unsigned short lto musl i386 armhf s390x msan}; do
    case $name in
    armhf) elsewhere arm-linux-gnueabihf-gcc qemu-arm-static "-D_FILE_OFFSET_BITS=64" ;;
    s390x) elsewhere s390x-linux-gnu-gcc qemu-s390x-static "" ;;
    i386) elsewhere i686-linux-gnu-gcc qemu-i386-static "-D_FILE_OFFSET_BITS=64" ;;
    musl) if command -v musl-gcc >/dev/null; then suite NO_TLS=1 CC=musl-gcc LDFLAGS=-static; else skip "no musl-gcc"; fi ;;
    unsigned) suite CC='gcc -funsigned-char' ;;
    short) suite NO_TLS=1 CC='gcc -fshort-enums' FLAGS_openai_gateway= ;;        # no library that calls back has such enums
    lto) suite NO_TLS=1 CC='gcc -O3 -flto' ;;
    msan)       # without libraries of which MSan knows nothing: what they write counts as unwritten
        if clang -fsanitize=memory -x c -o "$BUILD/cross.probe" - <<<'int main(void) { return 0; }' 2>/dev/null
        then suite NO_TLS=1 CC='clang -fsanitize=memory' UV= FLAGS_openai_gateway= fuzz-peer=
        else skip "no clang with MSan"; fi ;;
    *) skip "no such machine" ;;
    esac
done
echo "cross: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
