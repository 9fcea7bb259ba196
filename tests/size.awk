# awk -f size.awk HEADER SYMBOLS PARTS, from `nm -S -l` and `size -A`: code by the header's sections, with what the compiler folded into each, the
# strings and tables that belong to no function, and the ten biggest functions.
FNR == 1 { file++ }
file == 1 {
    if (match($0, /==== \[[A-Z-]+\]/)) { name = substr($0, RSTART + 6, RLENGTH - 7); order[++n] = name }
    section[FNR] = name
    next
}
file == 2 && $3 ~ /^[tT]$/ && match($0, /chatgptt\.h:[0-9]+/) {
    line = substr($0, RSTART + 11, RLENGTH - 11) + 0
    bytes = hex($2)
    text[section[line]] += bytes
    all += bytes
    big[++count] = sprintf("%6d  %s (%s)", bytes, $4, section[line])     # smallest first, as nm sorts them
}
file == 3 && $1 ~ /^\.rodata.*str/ { strings += $2 }
file == 3 && $1 ~ /^\.rodata/ && $1 !~ /str/ { tables += $2 }
END {
    for (i = 1; i <= n; i++) if (order[i] in text) printf "    %-12s %7d\n", order[i], text[order[i]]
    printf "    %-12s %7d\n    %-12s %7d\n    %-12s %7d\n  the biggest functions:\n", "code", all, "strings", strings, "tables", tables
    for (i = count; i > count - 10 && i > 0; i--) print "    " big[i]
    exit all == 0
}
function hex(digits,    value, i) {
    for (i = 1; i <= length(digits); i++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return value
}
