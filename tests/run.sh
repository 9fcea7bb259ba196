#!/bin/sh
# run.sh PROGRAM... - runs test programs in turn, TEST_TIMEOUT seconds (120) at most each, and adds up what they counted.
# The last line is "N passed, N failed"; exit 1 if a case failed, a program crashed, hung or told nothing.

passed=0 failed=0 skipped=0
summary='^[^ ]+: [0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$'

# Counts a summary line's numbers; fails unless there is exactly one and the exit status fits it.
count() {
    [ "$(printf '%s\n' "$1" | grep -Ec "$summary")" -eq 1 ] || return 1
    set -- "$2" $(printf '%s\n' "$1" | grep -E "$summary" | sed 's/.*: //; s/[a-z,]//g')
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + ${4:-0}))
    [ "$1" -eq "$(($3 > 0))" ]
}

for program in "$@"; do
    output=$(timeout -k 5 "${TEST_TIMEOUT:-120}" "$program" 2>&1)
    status=$?
    printf '%s\n' "$output"
    if ! count "$output" "$status"; then
        failed=$((failed + 1))
        case $status in
            124|137) echo "$program: hung: not done in ${TEST_TIMEOUT:-120} s" ;;
            *) echo "$program: crashed or gave no proper summary, exit status $status" ;;
        esac
    fi
done

[ "$skipped" -eq 0 ] || echo "$skipped skipped, each with its reason above"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $# -gt 0 ]
