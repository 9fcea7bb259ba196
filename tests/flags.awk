# awk -v h=HEADER -f flags.awk CODE, where CODE is code.awk's print of HEADER: the structs with more than six bool members, pointers and
# arrays apart.
function members(line,    part, n, i) {
    n = split(line, part, ",")
    for (i = 1; i <= n; i++) if (part[i] !~ /[*[(]/) count++
}
/^ *(typedef +)?struct[^;()]*\{/ { inside = 1; start = FNR; count = 0 }
inside {
    rest = $0
    sub(/.*\{/, "", rest)
    n = split(rest, statement, ";")
    for (i = 1; i <= n; i++) if (statement[i] ~ /^ *bool /) members(statement[i])
}
inside && /\}/ {
    if (count > 6) { print h ":" start ": a struct with " count " flags of at most 6"; bad = 1 }
    inside = 0
}
{ all++ }
END { exit bad || all == 0 }
