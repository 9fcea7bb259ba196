# Reads gcc's -fcallgraph-info=su; prints the call path of the library's own functions whose frames add up to the most.
# What the C library, mbedTLS and the caller's functions need comes on top; calls through pointers are not followed.
function quoted(key) {
    if (!match($0, key ": \"[^\"]*\"")) return ""
    return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4)
}

/^node:/ {
    name = quoted("title")
    if (match($0, /[0-9]+ bytes/)) frame[name] = substr($0, RSTART, RLENGTH) + 0
}
/^edge:/ { calls[quoted("sourcename")] = calls[quoted("sourcename")] "\n" quoted("targetname") }

# The most bytes from this function downwards; next_of remembers the way. A function that is being looked at already is a recursion.
function depth_of(name,    called, n, i, below, most) {
    if (name in depth) return depth[name]
    if (looking[name]) { recursive = recursive " " name; return 0 }
    looking[name] = 1
    most = 0
    n = split(calls[name], called, "\n")
    for (i = 1; i <= n; i++) {
        if (!(called[i] in frame)) continue
        below = depth_of(called[i])
        if (below > most) { most = below; next_of[name] = called[i] }
    }
    looking[name] = 0
    return depth[name] = frame[name] + most
}

function short(name) { sub(/.*:/, "", name); return name }

END {
    for (name in frame) if (depth_of(name) > deepest) { deepest = depth_of(name); first = name }
    printf "deepest stack at -O2: %d bytes:", deepest
    for (name = first; name != ""; name = next_of[name]) printf " %s %d", short(name), frame[name]
    print ""
    if (recursive != "") print "recursive, counted once:" recursive
}
