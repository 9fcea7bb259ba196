#!/bin/sh
# Replays every file of fuzz/corpus and of fuzz/regress through its target: what the corpus shows, and what was found once, stays
# well. A case a file.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
skipped=0
for folder in fuzz/corpus/*/ fuzz/regress/*/; do
    [ -d "$folder" ] || continue
    target=$(basename "$folder")
    case ${TLS_CFLAGS-} in *NO_NET*)
        if grep -q chatgptt_open "fuzz/$target.c" && ! grep -qE 'transport|script_options' "fuzz/$target.c"; then
            echo "skipped: $folder: its client has no transport without sockets"
            skipped=$((skipped + 1))
            continue
        fi ;;
    esac
    set -- "$folder"*
    timeout -k 5 60 "$build/fuzz/$target" "$@" >"$log" 2>&1
    status=$?
    begun=$(grep -c "^$folder" "$log")
    [ "$status" -eq 0 ] && [ "$begun" -eq $# ] && passed=$((passed + begun)) && continue
    [ "$begun" -eq 0 ] || passed=$((passed + begun - 1))
    failed=$((failed + 1))
    echo "FAIL $target, exit status $status, at the last file named here:"
    head -c 3000 "$log"
done
echo "test_fuzz: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
