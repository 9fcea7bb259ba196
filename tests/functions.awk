# awk -f functions.awk HEADER CODE, where CODE is code.awk's print of HEADER: what stands at the top level of the implementation.
#   function LINE LENGTH NAME          a definition, from the line its type stands on to its closing brace
#   declaration LINE NAME              a function that is declared only
FNR == NR {
    if (/^\/\* ==== \[CONFIG\]/) first = FNR
    next
}
!first || FNR < first { next }

/^[ \t]*#/ || continued { continued = /\\$/; next }

{
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "{") open_brace()
        else if (c == "}") close_brace()
        else if (depth == 0 && c == ";") end_statement()
        else if (depth == 0) {
            if (statement == "" && c != " ") start = FNR
            if (statement != "" || c != " ") statement = statement c
        }
    }
    if (statement != "") statement = statement " "
}

function open_brace() {
    if (depth == 0 && statement ~ /^extern "" *$/) { statement = ""; return }
    if (depth++ == 0) is_function = statement ~ /\) *$/ && statement !~ /=/
}

function close_brace() {
    if (depth == 0) return
    if (--depth > 0) return
    if (is_function) {
        print "function", start, FNR - start + 1, name_of(statement)
        statement = ""
    }
}

function end_statement() {
    if (statement ~ /\(/ && statement !~ /=/ && statement !~ /^typedef/ && statement !~ /^[A-Z_0-9]+ *\(/) print "declaration", start, name_of(statement)
    statement = ""
}

# The first word before a parenthesis.
function name_of(text) {
    gsub(/__attribute__ *\(\(([^()]|\([^()]*\))*\)\)/, "", text)
    if (match(text, /[A-Za-z_0-9]+ *\(/)) text = substr(text, RSTART, RLENGTH - 1)
    gsub(/ /, "", text)
    return text
}
