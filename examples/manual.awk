# The page chatgptt.3 out of the header: its title, the manual as it stands, the API's declarations.
function text(line) { gsub(/\\/, "\\e", line); sub(/^\./, "\\\\\\&.", line); sub(/^'/, "\\\\\\&'", line); print line }
function section(name) { print ".fi"; print ".SH " name; print ".nf" }
BEGIN {
    print ".TH CHATGPTT 3 \"\" \"chatgptt.h " version "\""
    print ".SH NAME"
    print "chatgptt.h \\- chat with a web site that runs the WordPress plugin AI Power"
    print ".nf"
    section("SYNOPSIS")
}
/^   CONTENTS/ { part = "" }
/^   Do this in ONE file/ { part = "synopsis" }
/^\/\* ==== \[MANUAL\]/ { part = "manual"; section("DESCRIPTION"); next }
/^\/\* ==== \[API\]/ { part = "api"; section("THE API"); next }
/^#endif \/\* CHATGPTT_H \*\// { part = "" }
part == "manual" && /^ +\*\/$/ { next }
part != "" { text($0) }
