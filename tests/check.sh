# Sourced by the scripts that count cases: check, skip and end. They have a $work to write in.

passed=0
failed=0
skipped=0

# check NAME COMMAND...: a case, passed if the command is. If it is not, what it printed is shown, and of the files in $work
# that left_by NAME names.
check() {
    case=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAIL $case: $*"
    for file in check $(left_by "$case"); do
        [ ! -s "$work/$file" ] || { echo "  ${file##*/}:"; head -c 1500 "$work/$file" | sed 's/^/    /'; echo; }
    done
}
left_by() { :; }

# skip WHY: something is left out.
skip() {
    echo "skip: $1"
    skipped=$((skipped + 1))
}

# end NAME: the line with the sum, and the exit status.
end() {
    echo "$1: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}
