#!/bin/bash
# Builds examples/firmware for a Cortex-M3, runs it in qemu with its serial line joined to the stand-in site, and looks at
# the answer and at the memory it took: heap and stack together stay under 24 KB.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh
leave() { skip "$1"; end firmware; }
command -v arm-none-eabi-gcc >/dev/null || leave "no arm-none-eabi-gcc (gcc-arm-none-eabi, libnewlib-arm-none-eabi)"
command -v qemu-system-arm >/dev/null || leave "no qemu-system-arm"
echo '#include <string.h>' | arm-none-eabi-gcc -E -x c - >/dev/null 2>&1 || leave "no newlib (libnewlib-arm-none-eabi)"
[ -x "$BUILD/demo_site" ] || leave "no $BUILD/demo_site"
flags="-mcpu=cortex-m3 -mthumb -Os -std=gnu99 -ffunction-sections -fdata-sections -Wall -Wextra -Werror -I."
build() {       # URL
    arm-none-eabi-gcc $flags -DURL="\"$1\"" examples/firmware/main.c -o "$BUILD/firmware.elf" -T examples/firmware/board.ld \
        -nostartfiles -specs=nano.specs -Wl,--gc-sections >"$work/build" 2>&1 || { cat "$work/build"; return 1; }
}

for dialect in wpaicg aipkit; do
    mkfifo "$work/in.$dialect"
    "$BUILD/demo_site" --dialect $dialect <"$work/in.$dialect" >"$work/out" &
    site=$!
    exec 9>"$work/in.$dialect"
    for _ in $(seq 100); do grep -q '^url=' "$work/out" && break; sleep 0.05; done
    url=$(sed -n 's/^url=//p' "$work/out")
    port=$(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/')
    build "$url"
    check "$dialect: it builds without a warning" test $? -eq 0
    arm-none-eabi-size "$BUILD/firmware.elf" | awk 'NR == 2 {print "text " $1 ", data " $2}'
    timeout 60 qemu-system-arm -M mps2-an385 -nographic -monitor none -semihosting -kernel "$BUILD/firmware.elf" \
        -serial stdio -serial "tcp:127.0.0.1:$port,nodelay=on" </dev/null >"$work/said" 2>"$work/err"
    check "$dialect: it ends well" test $? -eq 0
    grep -q 'Why is the sky blue?' "$work/said"
    check "$dialect: it says the answer" test $? -eq 0
    heap=$(sed -n 's/^heap //p' "$work/said") stack=$(sed -n 's/^stack //p' "$work/said")
    echo "$dialect: peak heap ${heap:-?}, peak stack ${stack:-?} bytes"
    [ "${heap:-99999}" -gt 0 ] && [ $((${heap:-99999} + ${stack:-99999})) -lt 24576 ]
    check "$dialect: heap and stack under 24 KB" test $? -eq 0
    [ $failed = 0 ] || cat "$work/said" "$work/err"
    exec 9>&-
    wait $site
done
end firmware
