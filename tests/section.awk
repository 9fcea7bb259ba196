# awk -v section=URL -f section.awk TOP_LEVEL HEADER, where TOP_LEVEL is what functions.awk printed: the header with the functions of
# one section whole, and all others only declared; every line stays where it is. For an analyzer that cannot bear the whole.
FNR == NR {
    if ($1 == "function") last[$2] = $2 + $3 - 1
    next
}
/^\/\* ==== \[/ { here = $0 ~ "\\[" section "\\]" }
FNR in last { end = last[FNR]; whole = here; sub(/static (inline )?/, "") }
FNR > end || whole { print; next }
ended { print ""; ended = FNR < end; next }
{
    ended = sub(/ *\{.*/, ";")
    print
    if (FNR == end) ended = 0
}
