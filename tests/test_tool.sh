#!/bin/sh
# The command line and the examples, as people run them, against stand-in sites on loopback. Everything is started at once, waited
# for, and then looked at: most of it only waits for an answer that comes word by word.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
build=${BUILD:-build}
out=$build/tool
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy
case $TLS_CFLAGS in *NO_TLS*) tls=; echo 'skip: built without TLS' ;; *) tls=yes ;; esac

passed=0
failed=0

# check NAME COMMAND...: a case, passed if the command is. If it is not, what the run of that name (up to a blank) left is shown.
check() {
    case=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAIL $case: $*"
    for file in "$work/check" "$work/${case%% *}.status" "$work/${case%% *}.err" "$work/${case%% *}.out"; do
        [ ! -s "$file" ] || { echo "  ${file##*/}:"; head -c 1500 "$file" | sed 's/^/    /'; echo; }
    done
}

# ==== what is run ====

# The tool again, with the sanitizers if this compiler has them.
tool=$out/chatgptt
helper=$out/tool_helper
mkdir -p "$out"
sanitize=$(cat "$build/sanitize" 2>/dev/null)
posix="-std=c99 -D_POSIX_C_SOURCE=200809L -I."
$CC $posix -g $sanitize $TLS_CFLAGS examples/chatgptt.c -o "$tool" $TLS_LIBS &&
    $CC $posix tests/tool_helper.c -o "$helper" || { echo 'test_tool: 0 passed, 1 failed'; exit 1; }

# All sites live as long as their standard input, which descriptor 3 holds open.
mkfifo "$work/in" "$work/told"
sites=
start() {
    name=$1
    shift
    "$@" <"$work/in" >"$work/told" 2>"$work/$name.log" 3>&- &
    sites="$sites $!"
    [ "$sites" != " $!" ] || exec 3>"$work/in"
    { read -r url && case $url in url=https:*) read -r ca ;; esac; } <"$work/told"
    url=${url#url=}
    ca=${ca#ca=}
}
ca=
site="$build/demo_site --verbose"
start plain $site --plain && plain=$url
start words $site && words=$url
start quiet $site --plain && quiet=$url
start first $site --plain && first=$url
start newer $site --dialect aipkit && newer=$url
start direct $site --dialect aipkit && direct=$url
start mute "$helper" mute && mute=$url
if [ "$tls" ]; then
    start tls $site --tls && tls=$url tls_ca=$ca
    start other $site --tls --plain && other=$url other_ca=$ca
    start newer_tls $site --dialect aipkit --tls && newer_tls=$url newer_ca=$ca
fi
down=http://127.0.0.1:1

# run NAME COMMAND...: in the background; what it prints and its exit status go to files of this name.
runs=
run() {
    name=$1
    shift
    { "$@" >"$work/$name.out" 2>"$work/$name.err" 3>&-; echo $? >"$work/$name.status"; } &
    runs="$runs $!"
}

# ask NAME URL OPTION...: asks what stands in NAME.in, put there by message().
message() { cat >"$work/$1.in"; }
ask() {
    name=$1 url=$2
    shift 2
    run "$name" "$tool" --url "$url" "$@" -- "$(cat "$work/$name.in")"
}

from() { "$tool" --url "$2" <"$1"; }                        # FILE URL
into() { "$tool" --url "$2" hello >"$1"; }                  # FILE URL
together() { "$tool" --url "$1" --stats hello 2>&1; }       # URL
after() { "$@" && "$@"; }                                   # the same twice, one after the other
closed_pipe() { { "$tool" --url "$1" hello; echo $? >"$work/pipe.status"; } | head -c 8 >/dev/null; }   # URL

# interrupt NAME FILE WORD COMMAND...: as run, and SIGINT once WORD stands in FILE.
interrupt() {
    name=$1 file=$2 word=$3
    shift 3
    "$@" >"$work/$name.out" 2>"$work/$name.err" 3>&- &
    pid=$!
    tries=0
    until grep -qs "$word" "$file" || [ $((tries += 1)) -gt 100 ]; do sleep 0.05; done
    kill -INT "$pid"
    wait "$pid"
    echo $? >"$work/$name.status"
}

# ==== what is expected ====

status() { [ "$(cat "$work/$1.status")" = "$2" ]; }
silent() { [ ! -s "$work/$1.err" ]; }
nothing() { [ ! -s "$work/$1.out" ]; }
one_line() { [ "$(wc -l <"$work/$1.err")" -eq 1 ] && grep -qE "$2" "$work/$1.err"; }
shows() { grep -qE "$2" "$work/$1"; }
only() { ! grep -qvE "$2" "$work/$1"; }
lacks() { ! grep -qE "$2" "$work/$1"; }
count() { [ "$(grep -cE "$3" "$work/$1")" -eq "$2" ]; }     # FILE TIMES PATTERN

# The answer is the message, byte for byte, between the stand-in's own words.
repeats() {
    { printf 'You said: '; cat "$work/$1.in"; printf '\n\nI am only a stand-in and have no thoughts'; } >"$work/$1.expected"
    head -c "$(wc -c <"$work/$1.expected")" "$work/$1.out" | cmp - "$work/$1.expected"
}
answers() { check "$1" status "$1" 0; check "$1 text" repeats "$1"; check "$1 stderr" silent "$1"; }
refuses() { check "$1" status "$1" "${3-1}"; check "$1 stderr" one_line "$1" "^chatgptt: $2"; check "$1 stdout" nothing "$1"; }

# ==== messages ====

printf '%s' 'He said "no" and it'"'"'s \n not a newline: C:\new\\ {"a":"b"}' | message quotes
printf 'line one\n\tline two\n\nline four' | message lines
printf 'Почему небо синее? なぜ 為什麼' | message cyrillic
printf 'so 👋🏽 it 👩‍👩‍👧 is ' | message emoji
printf '100%% a+b & c=d; %%41 <b>bold</b> #1 ?x' | message form
printf -- '--json' | message dashes
awk 'BEGIN {for (i = 0; i < 4000; i++) printf "%d: \"слова\" and 👋 \\ in a long text\n", i}' | message long
for name in quotes lines cyrillic emoji form dashes; do ask $name "$plain"; done
cp "$work/emoji.in" "$work/streamed.in" && ask streamed "$words"
run long from "$work/long.in" "$plain"
printf 'a b  c' | message joined
run joined "$tool" --url="$plain" a 'b ' c
printf 'System: be "kind"\nUser: hello\nAssistant:' | message system
run system "$tool" --url "$plain" --system 'be "kind"' hello
cp "$work/quotes.in" "$work/released.in" && run released "$build/chatgptt" --url "$plain" "$(cat "$work/quotes.in")"

cp "$work/lines.in" "$work/newer.in" && ask newer "$newer"
cp "$work/quotes.in" "$work/direct.in" && ask direct "$direct" --endpoint "$direct/wp-admin/admin-ajax.php" --bot 7 --dialect aipkit
cp "$work/quotes.in" "$work/told.in" && ask told "$newer" --dialect aipkit

# ==== output ====

ask_json='say "hello" to 👋'
run json "$tool" --url "$words" --json "$ask_json"
run json_plain "$tool" --url "$plain" --json "$ask_json"
run json_newer "$tool" --url "$newer" --json "$ask_json"
run json_error "$tool" --url "$plain" --json --model gpt-2 hello
run stats "$tool" --url "$plain" --stats hello
run together together "$plain"
run verbose "$tool" --url "$plain" --verbose 'my secret words'
run verbose_proxy "$tool" --url "$plain" --verbose --proxy http://someone:geheim@127.0.0.1:1 hello
run verbose_newer "$tool" --url "$newer" --verbose 'my secret words'
run reader closed_pipe "$words"
[ ! -w /dev/full ] || run full into /dev/full "$plain"

# ==== usage; nothing may be sent ====

for options in --no-such --ur --url --timeout --json=yes '--dialect old' '--timeout soon' '--timeout 0' '--timeout -1' '--timeout 9e9' -x; do
    run "usage${options%% *}_${options##* }" "$tool" --url "$quiet" hello $options
done
run help "$tool" --help
run version "$tool" --version
printf 'a\0b' >"$work/nul"
: >"$work/nothing"
run empty "$tool" --url "$quiet" ''
run blank "$tool" --url "$quiet" ' 
 '
run zero "$tool" --url "$quiet" 0
run no_input from "$work/nothing" "$quiet"
run nul from "$work/nul" "$quiet"
run latin1 "$tool" --url "$quiet" "$(printf 'na\357ve')"
run model "$tool" --url "$quiet" --model gpt-2 hello
run url "$tool" --url 'http://' hello
run ftp "$tool" --url 'ftp://127.0.0.1/' hello
run url_lf "$tool" --url "$quiet/
x" hello
run endpoint "$tool" --url "$quiet" --endpoint ':' hello
run no_ca "$tool" --url https://127.0.0.1:1/ --ca "$work/no-such-file" hello

# ==== trouble on the way ====

run down "$tool" --url "$down" hello
run not_found "$tool" --url "$plain/nothing" hello
run timeout "$tool" --url "$mute" --timeout 0.5 hello
interrupt interrupted "$work/interrupted.err" 'request' "$tool" --url "$mute" --verbose hello &
runs="$runs $!"
interrupt stopped "$work/stopped.out" 'You said' "$tool" --url "$words" hello &
runs="$runs $!"
if [ "$tls" ]; then
    cp "$work/quotes.in" "$work/tls.in" && ask tls "$tls" --ca "$tls_ca"
    cp "$work/quotes.in" "$work/insecure.in" && ask insecure "$other" --insecure
    cp "$work/quotes.in" "$work/newer_tls.in" && ask newer_tls "$newer_tls" --ca "$newer_ca"
    run refused "$tool" --url "$other" hello
    run other_ca "$tool" --url "$other" --ca "$tls_ca" hello
    run no_http "$tool" --url "http${other#https}" hello
fi

# ==== the proxy of the environment ====

for name in proxy_off proxy_empty; do message "$name" <"$work/quotes.in"; done
run proxy_down env http_proxy=http://127.0.0.1:1 "$tool" --url "$plain" hello
run proxy_off env http_proxy=127.0.0.1:1 no_proxy=example.org,127.0.0.1 "$tool" --url "$plain" "$(cat "$work/quotes.in")"
run proxy_empty env all_proxy=http://127.0.0.1:1 "$tool" --url "$plain" --proxy '' "$(cat "$work/quotes.in")"

# ==== the state ====

printf 'hello' | message state
run state after "$tool" --url "$first" --state "$work/kept" hello
printf 'no state at all' >"$work/damaged"
run damaged "$tool" --url "$plain" --state "$work/damaged" hello
run state_newer after "$tool" --url "$direct" --dialect aipkit --state "$work/kept_newer" again
[ ! "$tls" ] || run state_tls after "$tool" --url "$other" --ca "$other_ca" --state "$work/kept_tls" hello

# ==== on a terminal ====

enter='
'
TERM=xterm
export TERM
prompt=$(printf '\r\n\033[?2004h> ')          # on a line of its own
run repl "$helper" pty '> ' "hello$enter" 'You said: hello' '' "$prompt" "/stats$enter" 'requests=2' '' \
    '> ' "again$enter" 'You said: again' '' 'Earlier messages I know: ' '' '> ' "/new$enter" 'a new conversation' '' \
    '> ' "afresh$enter" 'You said: afresh' '' '> ' "/help$enter" 'Ctrl-C stops' '' '> ' "/nothing$enter" 'no such command' '' \
    '> ' "$(printf '\033[200~one\ntwo\033[201~')$enter" "$(printf 'You said: one\r\ntwo')" '' '> ' "/quit$enter" -- "$tool" --url "$plain"
run repl_stop "$helper" pty '> ' "$(printf 'stop\tme')$enter" 'You said: ' "$(printf '\003')" 'E_CANCELLED' '' \
    '> ' "$(printf '\033[200~void')$enter" 'void' "$(printf '\003')" "$prompt" "$(printf '\004')" -- "$tool" --url "$words"
run clean "$helper" pty -- "$tool" --url "$plain" "$(printf 'a\033[31mb\302\233c')"
run repl_newer "$helper" pty '> ' "hello$enter" 'You said: hello' '' 'nice day' '' '> ' "again$enter" 'You said: again' '' \
    'Earlier messages I know: ' '' 'nice day' '' '> ' "/quit$enter" -- "$tool" --url "$newer"

# ==== the examples ====

typed() { printf 'stop\n' | "$@"; }
for name in iterate poll_loop iterate_newer; do message "$name" <"$work/cyrillic.in"; done
printf hello | message arena
cyrillic=$(cat "$work/cyrillic.in")
run iterate "$build/iterate" "$cyrillic" "$words"
run iterate_newer "$build/iterate" "$cyrillic" "$newer"
run iterate_down "$build/iterate" hello "$down"
run poll_loop "$build/poll_loop" "$cyrillic" "$words"
run poll_stopped typed "$build/poll_loop" hello "$mute"
run own_transport "$build/own_transport"
run own_transport_empty "$build/own_transport" ''
run arena "$build/arena" "$words" hello
run arena_down "$build/arena" "$down"

wait $runs

# The token in a page, for its decoys have other forms.
"$build/probe" http "$plain" 2>/dev/null | sed -n 's/.*data-nonce="\([0-9a-f]*\)"$/\1/p' >"$work/verbose.nonce"
"$build/probe" http "$newer" 2>/dev/null | "$build/probe" attr data-config | "$build/probe" json /nonce >"$work/verbose_newer.nonce"
nonce_of() { cat "$work/$1.nonce"; }
exec 3>&-
wait $sites

# ==== what came of it ====

for name in quotes lines cyrillic emoji form dashes streamed long joined system released newer direct told proxy_off proxy_empty; do answers $name; done

answer_of() { grep '"event":"text"' "$1" | while IFS= read -r line; do printf '%s' "$line" | "$build/probe" json /text; done; }
valid_lines() { while IFS= read -r line; do printf '%s' "$line" | "$build/probe" json || return 1; done <"$1"; }
same_text() { [ "$(answer_of "$1" | head -n 1)" = "You said: $ask_json" ]; }
ends_with() { tail -n 1 "$1" | grep -qE "$2"; }
done_line='^\{"event":"done","stats":\{"resolve_ms":-?[0-9]+,.*"requests":[0-9]+,"connections":1,"reused":(true|false),"resumed":false\}\}$'
for name in json json_plain json_newer; do
    check $name status $name 0
    check "$name stderr" silent $name
    check "$name lines" valid_lines "$work/$name.out"
    check "$name shape" only $name.out '^\{"event":"(text|notice|done)",'
    check "$name text" same_text "$work/$name.out"
    check "$name done" ends_with "$work/$name.out" "$done_line"
done
check "json in pieces" [ "$(grep -c '"event":"text"' "$work/json.out")" -gt 5 ]
check json_error status json_error 1
check json_error one_line json_error '^chatgptt: E_MODEL: .*gpt-4o'
check json_error valid_lines "$work/json_error.out"
check json_error ends_with "$work/json_error.out" '^\{"event":"error","code":"E_MODEL","message":"unknown model.*","status":0\}$'
check stats one_line stats '^chatgptt: stats: resolve_ms=[0-9]+ connect_ms=[0-9]+ .* requests=2 connections=1 reused=true resumed=false$'
check together shows together.out '^chatgptt: stats: '

# The trace tells what happens and holds no secret.
for name in verbose verbose_newer; do
    check $name status $name 0
    check "$name tells" shows $name.err '^chatgptt: request: POST http://127\.0\.0\.1:[0-9]*/wp-admin/admin-ajax\.php$'
    check "$name nonce is known" [ "$(wc -c <"$work/$name.nonce")" -ge 10 ]
    check "$name message" lacks $name.err 'secret|words'
    check "$name query" lacks $name.err 'request: .*[?]'
    check "$name token" lacks $name.err "nonce=|$(nonce_of $name)"
done
check "verbose_proxy password" lacks verbose_proxy.err 'geheim|someone|Z2VoZWlt|c29tZW9uZ'

check reader status pipe 1
check "reader stderr" one_line reader '^chatgptt: E_IO: standard output: '
[ ! -w /dev/full ] || { check full status full 1; check "full stderr" one_line full '^chatgptt: E_IO: standard output: '; }

for file in "$work"/usage*.status; do
    name=${file##*/}
    refuses "${name%.status}" '[^:]+: .*\(see --help\)$' 2
done
check help status help 0
check "help stdout" shows help.out '^usage: chatgptt '
check version status version 0
check "version stdout" shows version.out '^chatgptt [0-9]+\.[0-9]+\.[0-9]+$'
for name in empty blank zero no_input nul latin1 url url_lf endpoint; do refuses $name 'E_ARGUMENT: .'; done
refuses model 'E_MODEL: .*gpt-4o.*gpt-4o-mini'
refuses ftp 'E_(ARGUMENT|UNSUPPORTED): .'
[ ! "$tls" ] || refuses no_ca 'E_CERTIFICATE: .*no-such-file'
check "nothing was sent" [ ! -s "$work/quiet.log" ]

refuses down 'E_CONNECT: .*127\.0\.0\.1'
refuses not_found 'E_STATUS: .*404'
refuses timeout 'E_TIMEOUT: .*500 ms'
check interrupted status interrupted 130
check stopped status stopped 130
check "stopped text" shows stopped.out '^You said:'
check "stopped early" lacks stopped.out 'nice day'
if [ "$tls" ]; then
    for name in tls insecure newer_tls; do answers $name; done
    refuses refused 'E_CERTIFICATE: .'
    refuses other_ca 'E_CERTIFICATE: .'
    refuses no_http 'E_(HTTP|CLOSED|IO|STATUS): .'
fi
refuses proxy_down 'E_(PROXY|CONNECT): .'

mode_of() { ls -l "$1" | cut -c 1-10; }
check state status state 0
check "state asks at once" count first.log 1 '^GET / '
check "state both were asked" count first.log 2 '^POST .*wpaicg_chat_shortcode_message'
check "state is private" [ "$(mode_of "$work/kept")" = -rw------- ]
check damaged status damaged 0
check "damaged notice" one_line damaged '^chatgptt: notice: the state file is ignored: '
check state_newer status state_newer 0
check "state_newer asks at once; direct reads no page" count direct.log 1 '^GET / '
if [ "$tls" ]; then
    check state_tls status state_tls 0
    check "state_tls resumes" shows other.log '^POST .*wpaicg_chat_shortcode_message .*tls=resumed'
fi

for name in repl repl_stop repl_newer clean; do
    check $name status $name 0
    check "$name saw all" silent $name
done

check "repl_stop begins one answer" count repl_stop.out 1 E_CANCELLED
check "clean text" shows clean.out '^You said: a\[31mbc'

answers iterate
answers iterate_newer
answers poll_loop
check iterate_down status iterate_down 1
check "iterate_down stderr" shows iterate_down.err '^E_CONNECT: .'
check poll_stopped status poll_stopped 1
check "poll_stopped stderr" shows poll_stopped.err '^E_CANCELLED: .'
check own_transport status own_transport 0
check "own_transport text" shows own_transport.out '^I live between two rings of 256 bytes\.$'
check own_transport_empty status own_transport_empty 1
check arena status arena 0
check "arena text" repeats arena
check "arena peak" one_line arena '^peak: [0-9]+ of 65536 bytes; in use after close: 0$'
check arena_down status arena_down 1
check "arena_down frees" shows arena_down.err 'in use after close: 0$'

echo "test_tool: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
