#!/bin/sh
# run.sh PROGRAM... - runs test programs side by side, JOBS at a time, TEST_TIMEOUT seconds (300) at most each, and adds up what they
# counted. Those that took longest the last time come first; what one says is shown when it is done, with the time it took.
# LEFT_OUT: programs that are not run, WHY: the reason. The last line is "N passed, N failed"; exit 1 if a case failed, a program
# crashed, hung or told nothing.
limit=${TEST_TIMEOUT:-300}
jobs=${JOBS:-$(($(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1))}     # one more than processors: some only wait
times=${BUILD:-build}/times
passed=0 failed=0 skipped=0
summary='^[^ ]+: [0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$'

work=$(mktemp -d) || exit 1
children=
trap 'kill $children 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkfifo "$work/done" && exec 3<>"$work/done" || exit 1

# Counts a summary line's numbers; fails unless there is exactly one and the exit status fits it.
count() {
    [ "$(grep -Ec "$summary" "$1")" -eq 1 ] || return 1
    set -- "$2" $(grep -E "$summary" "$1" | sed 's/.*: //; s/[a-z,]//g')
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + ${4:-0}))
    [ "$1" -eq "$(($3 > 0))" ]
}

# start NUMBER PROGRAM: beside this one; NUMBER comes through the pipe when it is done.
start() {
    echo "$2" >"$work/$1.name"
    {
        began=$(date +%s)
        timeout -k 5 "$limit" "$2" >"$work/$1.out" 2>&1 3>&-
        echo $? >"$work/$1.status"
        echo $(($(date +%s) - began)) >"$work/$1.time"
        echo "$1" >&3
    } &
    children="$children $!"
}

# finish NUMBER: shows what it said.
finish() {
    read -r name <"$work/$1.name"
    read -r status <"$work/$1.status"
    read -r seconds <"$work/$1.time"
    cat "$work/$1.out"
    echo "$seconds $name" >>"$work/times"
    if ! count "$work/$1.out" "$status"; then
        failed=$((failed + 1))
        case $status in
            124|137) echo "$name: hung: not done in $limit s" ;;
            *) echo "$name: crashed or gave no proper summary, exit status $status" ;;
        esac
    fi
    printf '%6d s  %s\n' "$seconds" "$name"
}

# The programs: first those of unknown length, then by length.
order() {
    for program; do
        known=$(awk -v name="$program" '$2 == name {print $1}' "$times" 2>/dev/null)
        echo "${known:-999999} $program"
    done | sort -s -k1,1nr | cut -d' ' -f2-
}

for program in ${LEFT_OUT-}; do
    echo "skipped: $program: $WHY"
    skipped=$((skipped + 1))
done
begun=$(date +%s) started=0 running=0
[ $# -eq 0 ] || { order "$@" >"$work/order" && exec 4<"$work/order"; }
while [ $started -lt $# ] || [ $running -gt 0 ]; do
    if [ $started -lt $# ] && [ $running -lt "$jobs" ]; then
        read -r program <&4
        started=$((started + 1)) running=$((running + 1))
        start $started "$program"
    else
        read -r number <&3
        running=$((running - 1))
        finish "$number"
    fi
done
mkdir -p "${times%/*}"
touch "$times" "$work/times"
awk '{time[$2] = $1} END {for (name in time) print time[name], name}' "$times" "$work/times" >"$work/all" && mv "$work/all" "$times"
children=

echo "$# programs in $(($(date +%s) - begun)) s, $jobs at a time"
[ "$skipped" -eq 0 ] || echo "$skipped skipped, each with its reason above"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $# -gt 0 ]
