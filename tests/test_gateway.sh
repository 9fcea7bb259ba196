#!/bin/sh
# examples/openai_gateway.c as curl sees it: each status it can give, streams, who is let in, clients that hang up, read slowly, or
# come all at once. What needs node and a browser is tests/slow_gateway.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy
. tests/code.sh
. tests/check.sh
command -v curl >/dev/null || { skip 'no curl'; end test_gateway; }
[ -x "$build/openai_gateway" ] || { skip 'no libmicrohttpd or cJSON'; end test_gateway; }
left_by() { echo status head body log; }        # what curl last got

# ==== what is run: the gateway with the sanitizers if this compiler has them ====

out=$build/gateway
mkdir -p "$out"
sanitize=$(cat "$build/sanitize" 2>/dev/null)
posix="-std=c99 -D_POSIX_C_SOURCE=200809L -I."
$CC $posix -O1 -g $sanitize $TLS_CFLAGS examples/openai_gateway.c -o "$out/openai_gateway" $TLS_LIBS \
    $(pkg-config --cflags --libs libmicrohttpd libcjson) && $CC $posix tests/gateway/helper.c -o "$out/helper" ||
    { echo 'test_gateway: 0 passed, 1 failed'; exit 1; }

# The sites live as long as their standard input, which descriptor 3 holds open; the gateways until they are told to stop.
mkfifo "$work/in" "$work/told"
# gateway OPTION...: at $url, without its /v1, until stop.
gateway() {
    "${program:-$out/openai_gateway}" "$@" >"$work/told" 2>>"$work/log" 3>&- &
    pid=$!
    read -r url <"$work/told"
    url=${url#url=}
    url=${url%/v1}
}
# Stops by SIGTERM, with exit status 0: the sanitizers found nothing, leaks included.
stop() {
    kill "$pid"
    wait "$pid"
    check "$1: stops" test $? -eq 0
}
# The helper goes on to write on what it told its url to.
"$out/helper" site <"$work/in" >"$work/stub" 2>>"$work/log" 3>&- &
started=$!
exec 3>"$work/in"
"$build/demo_site" <"$work/in" >"$work/demo" 2>>"$work/log" 3>&- &
started="$started $!"
"$build/demo_site" --dialect aipkit <"$work/in" >"$work/newer" 2>>"$work/log" 3>&- &
started="$started $!"
"$build/demo_site" --plain <"$work/in" >"$work/plain" 2>>"$work/log" 3>&- &
started="$started $!"
told() { until [ -s "$1" ]; do sleep 0.05; done; head -n 1 "$1" | sed 's/url=//'; }
stub=$(told "$work/stub")
newer=$(told "$work/newer")
plain=$(told "$work/plain")
demo=$(told "$work/demo")

# get PATH [CURL'S OPTIONS]: the status is in $status, what came in $work/head and $work/body.
get() {
    path=$1
    shift
    status=$(curl -sS -m 20 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" "$url$path" 2>>"$work/log")
    tr -d '\r' <"$work/head" >"$work/check" && mv "$work/check" "$work/head"
    echo "$status" >"$work/status"
}
# chat JSON [CURL'S OPTIONS]
chat() {
    json=$1
    shift
    get /v1/chat/completions -H 'Content-Type: application/json' --data-binary "$json" "$@"
}
user() { printf '{"model":"gpt-4o","messages":[{"role":"user","content":"%s"}]%s}' "$1" "${2-}"; }
# is STATUS TEXT...: the last response had it, and each text in its head or body.
is() {
    [ "$status" = "$1" ] || return 1
    shift
    for text; do cat "$work/head" "$work/body" | grep -qF -- "$text" || { echo "no $text"; return 1; }; done
}
lacks() { ! cat "$work/head" "$work/body" | grep -qF -- "$1"; }

# ==== answers ====

gateway --url "$plain"
get /health;                                    check health is 200 '{"status":"ok"}' 'Content-Type: application/json'
get /v1/models;                                 check models is 200 '"object":"list"' '"id":"gpt-4o"' '"id":"gpt-4o-mini"'
get /v1/models/gpt-4;                           check model is 200 '"id":"gpt-4"' '"object":"model"'
get /v1/models/gpt-5;                           check 'no such model' is 404 '"code":"model_not_found"'
get /v1/models -I;                              check head is 200 'Content-Length:'
chat "$(user 'say \"hi\" <b>&</b>')";           check whole is 200 '"object":"chat.completion"' '"role":"assistant"' \
    'You said: say \"hi\" <b>&</b>\n' '"finish_reason":"stop"' '"model":"gpt-4o"' '"prompt_tokens":' '"id":"chatcmpl-'
chat "$(user hello ',"stream":false,"temperature":0.2,"x":{"y":[1]}')"; check 'not streamed, unknown fields' is 200 'You said: hello'
chat '{"messages":[{"role":"user","content":"hello"}]}'; check 'without a model' is 200 '"model":"gpt-4o"'
chat '{"messages":[{"role":"system","content":"Be kind."},{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":" two"}]},{"role":"assistant","content":"yes"},{"role":"user","content":"three"}]}'
check 'all roles are folded' is 200 'System: Be kind.\nSystem: Be brief.\nUser: one two\nAssistant: yes\nUser: three\nAssistant:'

# ==== what is refused ====

refused() { chat "$2"; check "$1" is 400 '"type":"invalid_request_error"' "$3"; }
refused 'no JSON' '{"messages":' '"code":null'
refused 'more than JSON' "$(user x) x" 'JSON object'
refused 'empty body' '' 'JSON object'
refused 'a list' '[]' 'JSON object'
refused 'no messages' '{}' '"param":"messages"'
refused 'no message' '{"messages":[]}' 'at least one'
refused 'no role' '{"messages":[{"content":"x"}]}' '"param":"messages[0].role"'
refused 'a tool' '{"messages":[{"role":"user","content":"x"},{"role":"tool","content":"x"}]}' 'messages[1].role is of a tool'
refused 'a strange role' '{"messages":[{"role":"robot","content":"x"}]}' 'none this gateway knows'
refused 'tool calls' '{"messages":[{"role":"assistant","content":null,"tool_calls":[{}]}]}' 'messages[0].tool_calls'
refused 'an image' '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}' 'parts of type text'
refused 'no content' '{"messages":[{"role":"user"}]}' 'messages[0].content must'
refused 'stream is a string' "$(user x ',"stream":"yes"')" '"param":"stream"'
refused 'two answers' "$(user x ',"n":2')" '"param":"n"'
refused 'a NUL' "$(user 'a\u0000b')" 'NUL'
refused 'blank' "$(user ' ')" '"error"'
chat "$(user 'a\\u0000b')";                     check 'no NUL' is 200 'You said: a\\u0000b'
chat '{"model":"gpt-9","messages":[{"role":"user","content":"x"}]}'; check 'unknown model' is 404 '"param":"model"' model_not_found
get /v2;                                        check 'no such path' is 404 '"code":"not_found"' '"error":{'
get /v1/chat/completions;                       check 'wrong method' is 405 'Allow: POST, OPTIONS' method_not_allowed
get /v1/models -X DELETE;                       check 'wrong method' is 405 'Allow: GET, HEAD, OPTIONS'
get / -X ET;                                    check 'strange method' is 405
head -c 1500000 /dev/zero | tr '\0' x >"$work/long"
get /v1/chat/completions --data-binary "@$work/long"; check 'a long body' is 413 '1 MiB' invalid_request_error
# curl may see a 413 or a closed connection first; either way it began, and most of it was never sent
cut_off() {
    local sent; sent=$(head -c 200000000 /dev/zero | curl -s -m 20 -T - -X POST -o "$work/cut" -w '%{size_upload}' "$url/v1/chat/completions")
    [ "${sent:-0}" -gt 0 ] && [ "$sent" -lt 100000000 ]
}
check 'a body without an end is cut off' cut_off
get /health -H "X: $(head -c 50000 "$work/long")"; check 'a long head' test "$status" = 431 -o "$status" = 413
printf '{"messages":[{"role":"user","content":"%s"}]}' "$(head -c 300000 "$work/long")" >"$work/chat"
get /v1/chat/completions --data-binary "@$work/chat" -m 60; check 'a long message' is 200 '"finish_reason":"stop"'

# ==== a stream ====

stop plain
gateway --url "$demo"
chat "$(user 'hello there' ',"stream":true')" -N
check streamed is 200 'text/event-stream' 'Transfer-Encoding: chunked'
one_object() { grep -c '^data: {"id":"chatcmpl-[0-9a-f]*","object":"chat.completion.chunk","created":[0-9]*,"model":"gpt-4o","choices":\[{' "$work/body"; }
chunks() { grep -c '^data: {' "$work/body"; }
check 'each chunk is one' test "$(one_object)" -eq "$(chunks)" -a "$(chunks)" -gt 10
check 'one id' test "$(grep -o 'chatcmpl-[0-9a-f]*' "$work/body" | sort -u | wc -l)" -eq 1
check 'one role, first' test "$(grep -n '"role":"assistant"' "$work/body" | cut -d: -f1)" = 1
check 'one end' test "$(grep -c '"finish_reason":"stop"' "$work/body")" -eq 1
check 'the end is empty' grep -q '"delta":{},.*"finish_reason":"stop"' "$work/body"
check 'the mark is last' test "$(tail -n 2 "$work/body" | head -n 1)" = 'data: [DONE]'
check 'no usage unasked' lacks usage
chat "$(user hello ',"stream":true,"stream_options":{"include_usage":true}')"
check usage is 200 '"choices":[],"usage":{"prompt_tokens":2,'
check 'usage is null before' test "$(grep -c '"usage":null' "$work/body")" -eq "$(($(chunks) - 1))"

# ==== who is let in ====

get /health -H 'Host: evil.example';            check 'a host that is not ours' is 403 host_not_allowed
get /health -H 'Host: evil.example:80';         check 'and with a port' is 403
get /health -H 'Host: 127.0.0.1.evil.example';  check 'and one that looks like it' is 403
get /health -H 'Host: localhost';               check localhost is 200
get /health -H 'Host: [::1]:8080';              check 'an address' is 200
get /health -H 'Host;';                         check 'an empty host' is 403
get /health -H "Origin: $url";                  check 'its own page' is 200
check 'no CORS' lacks Access-Control
get /health -H 'Origin: http://evil.example';   check 'a page elsewhere' is 403 origin_not_allowed
get /health -H 'Origin: null';                  check 'a page from nowhere' is 403
chat "$(user x)" -H 'Origin: http://evil.example' -H 'Content-Type: text/plain'; check 'a form elsewhere' is 403
get /v1/chat/completions -X OPTIONS -H 'Origin: http://evil.example'; check 'a preflight elsewhere' is 403
check 'is told nothing' lacks Access-Control
get /;                                          check page is 200 'text/html; charset=utf-8' "default-src 'none'" "script-src 'sha256-" \
    "frame-ancestors 'none'" 'X-Frame-Options: DENY' 'nosniff' '<!doctype html>'
check 'the page is its source' cmp "$work/body" examples/gateway_page.html
check 'the page is embedded' sh -c 'tests/gateway/embed.sh examples/gateway_page.html | cmp - examples/gateway_page.h'
stop open

gateway --url "$plain" --key 'S3cret' --origin https://app.example
get /v1/models;                                 check 'no key' is 401 'WWW-Authenticate: Bearer' invalid_api_key authentication_error
for key in '' S3cre S3cretS3cret s3cret S3creT; do
    get /v1/models -H "Authorization: Bearer $key"; check "key '$key'" is 401
done
get /v1/models -H 'Authorization: Basic S3cret'; check 'not a bearer' is 401
get /v1/models -H 'Authorization: bearer S3cret'; check 'the key' is 200
chat "$(user x)";                               check 'a chat without' is 401
get /v1/chat/completions --data-binary "@$work/long"; check 'a long one without' is 401
get /health;                                    check 'health is open' is 200
get /;                                          check 'the page is open' is 200
get /v1/chat/completions -X OPTIONS -H 'Origin: https://app.example' -H 'Access-Control-Request-Method: POST'
check preflight is 204 'Access-Control-Allow-Origin: https://app.example' 'Access-Control-Allow-Headers: authorization' 'Vary: Origin'
get /v1/models -H 'Origin: https://app.example' -H 'Authorization: Bearer S3cret'
check 'an origin given' is 200 'Access-Control-Allow-Origin: https://app.example'
get /v1/models -H 'Origin: https://app.example'; check 'its error can be read' is 401 'Access-Control-Allow-Origin: https://app.example'
get /health -H 'Host: app.example';             check 'its host' is 200
get /health -H 'Origin: https://app.example.evil.example'; check 'not another' is 403
stop key

# ==== a site that fails ====

gateway --url "$stub" --timeout 2
chat "$(user quota)";                           check quota is 429 '"type":"rate_limit_error"' E_RATE_LIMITED 'X-Should-Retry: false'
chat "$(user quota ',"stream":true')";          check 'quota, streamed' is 429 'Content-Type: application/json'
chat "$(user flagged)";                         check flagged is 400 E_REFUSED
chat "$(user hang ',"stream":true')";           check 'no answer' is 504 '"type":"timeout_error"' E_TIMEOUT
chat "$(user breaks)";                          check 'half an answer' is 502 E_INCOMPLETE
chat "$(user breaks ',"stream":true')";         check 'half a stream' is 200 0123456789 'data: {"error":{' E_INCOMPLETE
check 'is not said to be whole' lacks DONE
stop failing
gateway --url http://127.0.0.1:1
chat "$(user x)";                               check 'no site' is 502 '"type":"api_error"' E_CONNECT
stop absent

case $TLS_CFLAGS in *NO_TLS*) skip 'built without TLS' ;; *)
    gateway --url "${plain#http://}"
    chat "$(user x)";                           check 'a site without a scheme is asked by https' is 502 E_TLS 'does not speak TLS'
    stop bare ;;
esac

# ==== clients that hang up, or read slowly ====

# more WORDS: the stub writes them, once more than when `told_before WORDS` looked.
count() { grep -c "$1" "$work/stub"; }
told_before() { before=$(count "$1"); }
more() { for i in $(seq 100); do [ "$(count "$1")" -gt "$before" ] && return; sleep 0.1; done; return 1; }
program=$build/openai_gateway                   # the sanitizers' own memory grows
gateway --url "$stub"
program=
told_before 'gone hang'
chat "$(user hang)" -m 0.5;                     check 'a client that hangs up cancels' more 'gone hang'
told_before 'gone hang'
chat "$(user slow ',"stream":true')" -N -m 0.5; check 'in the midst of a stream too' more 'gone hang'
# Of half a second's fifty ticks.
busy() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
sleeps() { ticks=$(busy); sleep 0.5; [ $(($(busy) - ticks)) -le 5 ]; }
resident() { awk '/VmRSS/ {print $2}' "/proc/$pid/status"; }
get /health
size=$(resident)
told_before 'held '
curl -sSN --limit-rate 1k -m 4 -o /dev/null --data-binary "$(user flood ',"stream":true')" "$url/v1/chat/completions" 2>/dev/null &
reader=$!
check 'a slow reader holds the site back' more 'held '
check 'the gateway sleeps meanwhile' sleeps
grew=$(($(resident) - size))
check "and nothing grows ($grew KB)" test "$grew" -lt 4000
get /health;                                    check 'others are served meanwhile' is 200
told_before 'gone flood'
wait $reader
check 'when it goes the stream ends' more 'gone flood'
stop slow

# ==== many ====

gateway --url "$demo"
check 'a thousand at once' "$out/helper" many 1000 "${url##*:}"
cat "$work/check"
check 'idle when nothing is to be done' sleeps
get /health;                                    check 'and ready for more' is 200
check 'a port that is taken' sh -c "! '$out/openai_gateway' --port ${url##*:}"
"$out/helper" many 50 "${url##*:}" >/dev/null 2>&1 &
many=$!
sleep 1
stop many
wait $many 2>/dev/null

gateway --url "$newer" --dialect aipkit
chat "$(user hello ',"stream":true')";          check 'the newer plugin' is 200 hello '"finish_reason":"stop"' '[DONE]'
stop newer

# ==== options ====

usage() { "$out/openai_gateway" "$@" >"$work/check" 2>&1; [ $? -eq 2 ]; }
check 'unknown option' usage --nonsense
check 'no value' usage --port
check 'bad port' usage --port 65536
check 'bad dialect' usage --dialect klingon
check 'an origin with a path' usage --origin https://app.example/
check 'empty key' usage --key ''
check 'others need a key' sh -c "! '$out/openai_gateway' --listen 0.0.0.0 2>&1 | grep -q url="
check help sh -c "'$out/openai_gateway' --help | grep -q -- --origin"

exec 3>&-
wait $started
end test_gateway
