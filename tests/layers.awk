# awk -f layers.awk HEADER CODE, where CODE is code.awk's print of HEADER: calls that leave out a layer, each with its line.
# The transport's functions are called by SOCKET, TLS and CONNECT alone; CONNECT's own functions by EXCHANGE alone, save those that
# set up and close the pool of connections, which is part of a client, and the blocking calls' wait.
BEGIN {
    transport = "(transport|[^A-Za-z_]tr?)(->|\\.)(open|read|write|want|wait|close)(_fn)?\\)? *\\("
    may_transport = " SOCKET TLS CONNECT "
    may_connect = " CONNECT EXCHANGE "
    pool = " cgt_pool_set_proxy cgt_pool_set_login cgt_pool_trust cgt_pool_close cgt_pool_open cgt_pool_init cgt_pool_wait "
}
FNR == NR {
    if (match($0, /==== \[[A-Z-]+\]/)) section_at[FNR] = substr($0, RSTART + 6, RLENGTH - 7)
    next
}
FNR in section_at { section = section_at[FNR]; there[section] = 1 }
section == "" || section == "MANUAL" || section == "API" { next }
# What CONNECT defines is CONNECT's; a definition starts in the first column.
section == "CONNECT" && /^[a-z].*cgt_[a-z_]+\(/ && !/;$/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    of_connect[name] = 1
}
index(may_transport, " " section " ") == 0 && $0 ~ transport { report("a call of the transport's own functions") }
index(may_connect, " " section " ") == 0 {
    rest = $0
    while (match(rest, /cgt_[a-z_]+\(/)) {
        name = substr(rest, RSTART, RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH)
        if (name in of_connect && index(pool, " " name " ") == 0) report("a call of CONNECT's " name "()")
    }
}
END {
    if (!there["CONNECT"] || !there["SOCKET"]) { print "no section CONNECT or SOCKET"; bad = 1 }
    exit bad
}
function report(what) { print "chatgptt.h:" FNR ": " section ": " what; bad = 1 }
