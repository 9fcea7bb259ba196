#!/bin/sh
# examples/demo.sh [--tls ...]: starts the stand-in site with these options, asks it a question, shows the answer as it streams,
# and stops the site. `make demo` calls it.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
question=${QUESTION:-"Tell me, stand-in: what will you do with this sentence?"}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkfifo "$work/in" "$work/out"

# The site lives as long as its standard input: descriptor 3 holds that open, and ends the site even if this script is killed.
"$build/demo_site" "$@" <"$work/in" >"$work/out" &
site=$!
exec 3>"$work/in" 4<"$work/out"

read -r line <&4 || { echo "demo: the stand-in site did not start" >&2; exit 1; }
set -- --url "${line#url=}"
case $line in
    url=https:*) read -r line <&4 && set -- "$@" --ca "${line#ca=}" ;;
esac

echo "\$ chatgptt $* --stats '$question'"
status=0
"$build/chatgptt" "$@" --stats "$question" </dev/null 3>&- || status=$?

exec 3>&-
wait "$site" || { echo "demo: the stand-in site failed" >&2; status=1; }
exit "$status"
