#!/bin/sh
# mutate.sh: breaks the header in SITES places that SEED chooses (see mutants.c) and looks whether a test notices: builds the programs that
# test that section, without sanitizers, and runs them until one fails; at last the section's own with them. SECTIONS: those alone.
# `make mutate` calls it.
# What no test notices is written to build/mutate/survivors; tests/mutate.equivalent lists breaks that change nothing, with the reason.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
build=${BUILD:-build}
out=$build/mutate
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
flags="-std=c99 -D_POSIX_C_SOURCE=200809L -w -O0"

# tests_of SECTION: what tests it, its own test first; the plan has the others by how long they take.
tests_of() {
    own=$(echo "$1" | tr 'A-Z-' 'a-z_')
    case $1 in
        URL)      more="cookie stream wpaicg" ;;
        HTTP-IN)  own=http more="stream attack" ;;
        COOKIE)   more="stream state" ;;
        EXCHANGE|STREAM) more="engine stream wpaicg aipkit proxy reuse attack history state costs tls" ;;
        JSON|SSE) more="wpaicg_reply aipkit" ;;
        MATCH)    more="page" ;;
        HTML)     more="page wpaicg" ;;
        PAGE)     more="json wpaicg aipkit" ;;
        REPLY)    more="json wpaicg_reply aipkit attack" ;;
        *)        more="stream wpaicg aipkit proxy reuse attack history state engine" ;;
    esac
    for name in $own $more; do
        for file in tests/test_"$name"*.c; do [ ! -f "$file" ] || basename "$file" .c; done
    done | awk '!seen[$0]++'
}

# compile TEST FOLDER [FLAGS]: FOLDER/TEST of FOLDER/tests/TEST.c over FOLDER/chatgptt.h.
compile() { $CC $flags ${3-} -I"$2" $TLS_CFLAGS "$2/tests/$1.c" $TLS_LIBS -pthread -o "$2/$1" >"$2/log" 2>&1; }

# try TEST FOLDER SECONDS [MEMORY]: runs it in little memory and less time than a loop without end.
try() { (ulimit -v "${4-4000000}"; cd "$2" && CHECK_STOP=1 exec timeout -k 1 "$3" "./$1" >/dev/null 2>&1); }

# A folder for one header, with all that the tests include.
folder() { rm -rf "$1" && mkdir -p "$1/tests" && cp tests/*.c tests/*.h "$1/tests/"; }

# one NUMBER: breaks it there; the verdict goes to $out/verdicts.
if [ "${1-}" = one ]; then
    section=$(awk -F'\t' -v n="$2" '$1 == n {print $2}' "$out/sites")
    here=$out/run.$2
    folder "$here"
    "$build/mutants" apply chatgptt.h "$2" $SECTIONS >"$here/chatgptt.h" || exit 255
    verdict=survived
    while read -r of name seconds; do
        [ "$of" = "$section" ] || continue
        if ! compile "$name" "$here"; then verdict=stillborn; break; fi
        if ! try "$name" "$here" $((seconds * 4 + 5)); then verdict="killed $name"; break; fi
    done <"$out/plan"
    # what no result shows may be a byte read or written outside
    sanitize=$(cat "$build/sanitize")
    if [ "$verdict" = survived ] && [ -n "$sanitize" ]; then
        read -r name seconds <<EOF
$(awk -v section="$section" '$1 == section {print $2, $3; exit}' "$out/plan")
EOF
        compile "$name" "$here" "$sanitize" && ! try "$name" "$here" $((seconds * 12 + 15)) unlimited && verdict="killed $name, sanitized"
    fi
    printf '%s\t%s\n' "$2" "$verdict" >>"$out/verdicts"
    rm -rf "$here"
    exit 0
fi

: "${SITES:=100}" "${SEED:=1}"
SECTIONS=${SECTIONS:-EXCHANGE HTTP-IN COOKIE JSON SSE MATCH HTML PAGE REPLY STREAM URL}
export SECTIONS BUILD SITES SEED
mkdir -p "$out"
rm -rf "$out"/run.* "$out/verdicts" "$out/survivors"
: >"$out/verdicts"

# What passes unbroken, and how long it takes: only that can notice anything.
folder "$out/run.0"
cp chatgptt.h "$out/run.0/"
for section in $SECTIONS; do for name in $(tests_of "$section"); do echo "$section $name"; done; done >"$out/wanted"
cut -d' ' -f2 "$out/wanted" | sort -u | while read -r name; do
    begun=$(date +%s)
    if compile "$name" "$out/run.0" && try "$name" "$out/run.0" 300; then echo "$name $(($(date +%s) - begun))"
    else echo "left out: $name does not pass unbroken" >&2; fi
done >"$out/pass"
awk 'FILENAME == ARGV[1] {time[$1] = $2; next} $2 in time {print ($1 in own), $1, $2, time[$2]; own[$1] = 1}' "$out/pass" "$out/wanted" |
    sort -s -k2,2 -k1,1n -k4,4n | cut -d' ' -f2- >"$out/plan"
rm -rf "$out/run.0"
[ -s "$out/plan" ] || { echo "mutate: no test passes"; exit 1; }

"$build/mutants" list chatgptt.h $SECTIONS >"$out/sites" || exit 1
"$build/mutants" pick "$SITES" "$SEED" <"$out/sites" >"$out/picked"
touch tests/mutate.equivalent
awk -F'\t' 'FILENAME == ARGV[1] {if ($0 !~ /^#/ && NF == 3) known[$0] = 1; next} ($2 "\t" $4 "\t" $5) in known {print $1 "\tequivalent"}' \
    tests/mutate.equivalent "$out/picked" >"$out/verdicts"
awk -F'\t' 'FILENAME == ARGV[1] {done[$1] = 1; next} !($1 in done) {print $1}' "$out/verdicts" "$out/picked" |
    xargs -P "$jobs" -n 1 "$0" one || exit 1

awk -F'\t' -v survivors="$out/survivors" -v all="$(wc -l <"$out/sites")" '
    FILENAME == ARGV[1] {split($2, word, " "); verdict[$1] = word[1]; next}
    {
        if (!($2 in n)) order[++sections] = $2
        v = verdict[$1]
        if (v == "survived") print $2 "\t" $4 "\t" $5 "\tchatgptt.h:" $3 >survivors
        if (v == "stillborn" || v == "equivalent") { count[$2, v]++; count["all", v]++; n[$2] += 0; next }
        n[$2]++; n["all"]++; count[$2, v]++; count["all", v]++
    }
    END {
        order[++sections] = "all"
        printf "%-10s %7s %8s %9s %11s %10s %8s\n", "section", "broken", "noticed", "survived", "equivalent", "stillborn", "%"
        for (i = 1; i <= sections; i++) {
            s = order[i]
            printf "%-10s %7d %8d %9d %11d %10d %8.1f\n", s, n[s], count[s, "killed"], count[s, "survived"], count[s, "equivalent"], count[s, "stillborn"], (n[s] ? 100 * count[s, "killed"] / n[s] : 0)
        }
        rate = n["all"] ? 100 * count["all", "killed"] / n["all"] : 0
        printf "of %d sites %d tried: %.1f %% noticed of at least 90: %s\n", all, n["all"], rate, (rate >= 90 ? "ok" : "miss")
    }' "$out/verdicts" "$out/picked"
