# awk -f sum.awk TARGETS -: lays out the lines of the benches (see bench.h) under each other, with the target out of TARGETS (name, tab,
# target) where a bench gives none, and counts the targets missed. Lines without tabs are passed on as they are, and count if they end in
# a ratio and a target.
BEGIN { row("name", "ours", "peer", "ratio", "target", "") }
FILENAME != "-" { target_of[key($0)] = $0; sub(/.*\t/, "", target_of[key($0)]); next }
/\t/ {
    n = split($0, part, "\t")
    if (n < 4) { printf "%-70s %s\n", part[1], part[2]; if (part[2] !~ /^skipped/) failed++; else skipped++; next }
    target = part[5] != "" ? part[5] : part[1] in target_of ? target_of[part[1]] : "-"
    row(part[1], part[2], part[3], part[4], target, judge(part[4], target))
    next
}
match($0, /[0-9.]+ +[<>]= *[0-9.]+ *$/) {
    split(substr($0, RSTART), part, /[ ]+/)
    target = substr($0, RSTART + length(part[1]))
    gsub(/^ +| +$/, "", target)
    print $0 "  " judge(part[1], target)
    next
}
{ print }
END {
    print missed + 0 " of " targets + 0 " targets missed" (skipped ? ", " skipped " lines skipped" : "") (failed ? ", " failed " benches failed" : "")
    exit failed > 0
}
function key(line) { sub(/\t.*/, "", line); return line }
function row(name, ours, peer, ratio, target, verdict) { printf "%-70s %20s %20s %8s  %-8s %s\n", name, ours, peer, ratio, target, verdict; fflush() }
function judge(ratio, target,    least) {
    if (target !~ /^[<>]=/) return ""
    targets++
    least = target
    sub(/^[<>]= */, "", least)
    if (target ~ /^>/ ? ratio + 0 >= least + 0 : ratio + 0 <= least + 0) return "ok"
    missed++
    return "missed"
}
