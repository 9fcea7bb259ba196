#!/bin/sh
# cover.sh: how much of the implementation the tests reach, by gcov: lines and branches a section. What is not reached is written to
# build/cover/uncovered, a line each; branches that never went one way to build/cover/branches. `make cover` calls it.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${BUILD:-build}/cover
command -v gcov >/dev/null 2>&1 && command -v gcc >/dev/null 2>&1 || { echo 'skip: cover: no gcc with gcov'; exit 0; }
mkdir -p "$out"
find "$out" -name '*.gcda' -exec rm -f {} +

# All that make test runs, save what builds programs of its own; counters that threads share are counted right.
counting='--coverage -fprofile-update=atomic'
scripts=$(ls tests/test_*.sh | grep -vE "test_(compile|memory)\.sh" | tr "\n" " ")
${MAKE:-make} --no-print-directory test LONG= CC=gcc BUILD="$out/build" CFLAGS="-O0 -g $counting" SANITIZE="$counting" SCRIPTS="$scripts" >"$out/log" 2>&1
tests=$(tail -n 1 "$out/log")

# One count for each line and branch, the most that any program has. Functions are compiled alike everywhere: with LONG's -O1 what is
# inlined would number a line's branches anew, and one that is reached count as another that is not.
find "$out/build" -name '*.gcda' | sort | while read -r counts; do
    gcov -b -c -t "$counts" 2>/dev/null | awk '
        /^ *-: *0:Source:/ {ours = /(^|[\/:])chatgptt\.h$/; next}
        !ours {next}
        /^branch/ {print "b", line, $2, /taken [1-9]/; next}
        /^ *[-#=0-9*]+: *[0-9]+:/ {
            split($0, part, ":")
            line = part[2] + 0
            gsub(/[ *]/, "", part[1])
            if (part[1] ~ /^[0-9#=]/) print "l", line, 0, (part[1] + 0 > 0)
        }'
done | sort -u >"$out/counts"

awk -v out="$out" -v tests="$tests" '
    FNR == 1 {file++}
    file == 1 {text[FNR] = $0; if (match($0, /==== \[[A-Z-]+\]/)) {name = substr($0, RSTART + 6, RLENGTH - 7); order[++n] = name}; section[FNR] = name; next}
    {key = $1 " " $2 " " $3; if (!(key in seen)) {seen[key] = 1; keys[++k] = key}; if ($4) taken[key] = 1}
    END {
        for (i = 1; i <= k; i++) {
            split(keys[i], part, " ")
            where = section[part[2]]
            total[part[1], where]++
            if (keys[i] in taken) reached[part[1], where]++
            else if (part[1] == "l") missed[part[2]] = 1
            else one_way[part[2]] = one_way[part[2]] " " part[3]
        }
        printf "%-10s %7s %8s %9s %8s\n", "section", "lines", "%", "branches", "%"
        for (i = 1; i <= n; i++) if (total["l", order[i]]) row(order[i])
        row("all")
        for (line = 1; line in text; line++) {
            if (line in missed) print "chatgptt.h:" line ": " section[line] ": " text[line] >(out "/uncovered")
            else if (line in one_way) print "chatgptt.h:" line ": " section[line] ": branches" one_way[line] ": " text[line] >(out "/branches")
        }
        print "lines " limit("l", 98) ", branches " limit("b", 95) "; tests: " tests
    }
    function percent(kind, where) { return total[kind, where] ? 100 * reached[kind, where] / total[kind, where] : 0 }
    function row(where) {
        printf "%-10s %7d %8.2f %9d %8.2f\n", where, total["l", where], percent("l", where), total["b", where], percent("b", where)
        if (where == "all") return
        total["l", "all"] += total["l", where]; reached["l", "all"] += reached["l", where]
        total["b", "all"] += total["b", where]; reached["b", "all"] += reached["b", where]
    }
    function limit(kind, least,    got) {
        got = percent(kind, "all")
        return sprintf("%.2f %% of at least %d: %s", got, least, got >= least ? "ok" : "miss")
    }' chatgptt.h "$out/counts"
