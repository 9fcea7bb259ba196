#!/bin/sh
# tests/gateway/embed.sh PAGE >HEADER: the gateway's page as C strings, a line each, and the policy it is served with: its style
# and script are allowed by their hashes alone, and nothing is ever made from a string. tests/test_gateway.sh holds both together.
set -eu

# inside ELEMENT: the hash of the bytes between its tags, as a policy names it. The first is the line feed behind the start tag.
inside() {
    hex=$(awk -v element="$1" '
        $0 == "</" element ">" {exit}
        found {print}
        $0 == "<" element ">" {found = 1; print ""}' "$page" | sha256sum | cut -c 1-64)
    octal=$(echo "$hex" | awk '{
        for (i = 1; i < 64; i += 2) {
            value = (index("0123456789abcdef", substr($0, i, 1)) - 1) * 16 + index("0123456789abcdef", substr($0, i + 1, 1)) - 1
            printf "\\%03o", value
        }
    }')
    printf "'sha256-%s'" "$(printf "$octal" | base64)"
}

page=$1
cat <<END
/* Made of gateway_page.html by tests/gateway/embed.sh: change the page, not this. */
static const char gateway_page_csp[] =
    "default-src 'none'; connect-src 'self'; img-src data:; "
    "style-src $(inside style); "
    "script-src $(inside script); "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const char *const gateway_page[] = {
END
# A long line becomes two strings, cut where no escape is.
awk '{
    gsub(/\\/, "\\\\&")
    gsub(/"/, "\\\"")
    line = $0
    while (length(line) > 98) {
        cut = 90
        while (substr(line, cut, 1) ~ /[\\"]/) cut--
        print "    \"" substr(line, 1, cut) "\""
        line = substr(line, cut + 1)
    }
    print "    \"" line "\\n\","
}' "$page"
echo '    0 };'
