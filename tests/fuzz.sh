#!/bin/sh
# fuzz.sh libfuzzer|afl TARGET SECONDS SANITIZERS: builds fuzz/TARGET.c and looks for new inputs that long. `make fuzz` calls it.
# The last line says what was done; exit 1 if an input broke something.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
engine=$1 target=$2 seconds=$3 sanitizers=$4
out=${BUILD:-build}/$engine
mkdir -p "$out"
program=$out/$target
libs="${LDFLAGS-} $TLS_LIBS -pthread"
case $(grep 'include.*cJSON' "fuzz/$target.c") in ?*) libs="$libs -DFUZZ_CJSON -lcjson" ;; esac
seeds=$(ls -d "fuzz/corpus/$target" "fuzz/regress/$target" 2>/dev/null)
dictionary=fuzz/$target.dict
[ -f "$dictionary" ] || dictionary=

run_libfuzzer() {
    $FUZZ_CC $BASE -O1 -g -fsanitize=fuzzer,"$sanitizers" -fno-sanitize-recover=all $TLS_CFLAGS "fuzz/$target.c" $libs -o "$program" || exit 1
    mkdir -p "$program.found"
    "$program" -max_total_time="$seconds" -max_len=2000 -timeout=10 -print_final_stats=1 -artifact_prefix="$program.found-" \
        ${dictionary:+-dict=$dictionary} "$program.found" $seeds 2>&1 | tee "$program.log"
    awk -v what="$target" '/^#[0-9]+.*cov:/ {for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1)}
        /stat::number_of_executed_units/ {runs = $2}
        /Test unit written to/ {found = $NF}
        END {print what ": " runs + 0 " executions, " edges + 0 " edges, " (found ? "found " found : "0 findings"); exit found != ""}' "$program.log"
}

run_afl() {
    AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1 afl-clang-fast $BASE -O1 -g -fsanitize=fuzzer $TLS_CFLAGS "fuzz/$target.c" $libs -o "$program" || exit 1
    rm -rf "$program.seeds"
    mkdir -p "$program.seeds"
    for folder in $seeds; do cp "$folder"/* "$program.seeds/"; done
    AFL_NO_UI=1 AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1 \
        afl-fuzz -V "$seconds" -m none -t 10000 -i "$program.seeds" -o "$program.found" ${dictionary:+-x "$dictionary"} "$program" >"$program.log" 2>&1 ||
        { tail -n 20 "$program.log"; exit 1; }
    awk -v what="$target" -v where="$program.found/default" '{value[$1] = $3} END {
            found = value["saved_crashes"] + value["saved_hangs"]
            print what ": " value["execs_done"] + 0 " executions, " value["edges_found"] + 0 " edges, " found + 0 " findings" (found ? " in " where "/crashes and hangs" : "")
            exit found > 0 || value["execs_done"] + 0 == 0}' "$program.found/default/fuzzer_stats"
}

"run_$engine"
