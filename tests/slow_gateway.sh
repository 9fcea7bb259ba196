#!/bin/sh
# tests/slow_gateway.sh - the gateway under OpenAI's own client for node, and its page in a headless Chromium, which leaves two
# pictures under build/gateway/. What is missing is said: node, npm (or what it fetches), chromium.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
out=$build/gateway
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy
skip() {
    echo "skip: $1"
    echo 'slow_gateway: 0 passed, 0 failed, 1 skipped'
    exit 0
}
[ -x "$build/openai_gateway" ] || skip 'no libmicrohttpd or cJSON'
command -v node >/dev/null && command -v npm >/dev/null || skip 'no node, or no npm'
mkdir -p "$out"
cp tests/gateway/*.mjs tests/gateway/package.json "$out/" || exit 1
[ -d "$out/node_modules/openai" ] && [ -d "$out/node_modules/playwright-core" ] ||
    (cd "$out" && npm install --no-audit --no-fund --no-package-lock >"$work/npm" 2>&1) || skip 'npm cannot fetch openai and playwright-core'
${CC:-cc} -std=c99 -D_POSIX_C_SOURCE=200809L tests/gateway/helper.c -o "$out/helper" || exit 1

# The sites live as long as their standard input, which descriptor 3 holds open.
mkfifo "$work/in"
"$out/helper" site <"$work/in" >"$work/stub" 3>&- &
started=$!
exec 3>"$work/in"
"$build/demo_site" <"$work/in" >"$work/demo" 3>&- &
started="$started $!"
told() { until [ -s "$1" ]; do sleep 0.05; done; head -n 1 "$1" | sed 's/url=//'; }
"$build/openai_gateway" --url "$(told "$work/demo")" >"$work/good" 3>&- &
gateways=$!
"$build/openai_gateway" --url "$(told "$work/stub")" --key k >"$work/bad" 3>&- &
gateways="$gateways $!"
good=$(told "$work/good")
bad=$(told "$work/bad")

timeout 120 node "$out/client.mjs" "$good" "$bad" >"$work/client" 2>&1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
    timeout 240 node "$out/page.mjs" "$browser" "${good%v1}" "${bad%v1}" "$out" >"$work/page" 2>&1
else
    echo 'skip: no chromium' | tee "$work/page"
fi
kill $gateways
exec 3>&-
wait

# Each has to have come to its last line.
passed=0 failed=0
for part in client page; do
    grep -vE "^$part: [0-9]+ passed" "$work/$part"       # its numbers go into the sum
    counts=$(sed -nE 's/^[a-z]+: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/$part")
    grep -q '^skip' "$work/$part" && continue
    set -- ${counts:-0 1}
    passed=$((passed + $1)) failed=$((failed + $2))
done
echo "slow_gateway: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
