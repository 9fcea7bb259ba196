#!/bin/sh
# The examples that keep registrations in a loop, epoll_many and libuv_loop, against stand-in sites of both generations, http and
# https. All run at once; what they printed is looked at when the last has ended.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy
. tests/check.sh
left_by() { echo "${1%% *}.out ${1%% *}.err"; }         # what the run of that name (up to a blank) left

case ${TLS_CFLAGS-} in *NO_TLS*) kinds=http; echo 'skip: https, built without TLS' ;; *) kinds='http https' ;; esac
libuv=yes
"$build/libuv_loop" 2>/dev/null | grep -q 'built without' && { libuv=; echo 'skip: libuv_loop, built without libuv'; }

# The sites live as long as their standard input, which descriptor 3 holds open.
mkfifo "$work/in" "$work/told"
sites=
site() {
    "$build/demo_site" "$@" <"$work/in" >"$work/told" 2>/dev/null 3>&- &
    sites="$sites $!"
    [ "$sites" != " $!" ] || exec 3>"$work/in"
    { read -r url && case $url in url=https:*) read -r ca ;; esac; } <"$work/told"
    url=${url#url=} ca=${ca#ca=}
}

runs=
run() {
    name=$1
    shift
    { SSL_CERT_FILE=$ca "$@" >"$work/$name.out" 2>"$work/$name.err" 3>&-; echo $? >"$work/$name.status"; } &
    runs="$runs $!"
}

streams=40
for dialect in wpaicg aipkit; do
    for kind in $kinds; do
        ca=
        case $kind in https) site --dialect $dialect --tls ;; *) site --dialect $dialect ;; esac
        run "epoll_$dialect$kind" "$build/epoll_many" --url "$url" $streams hello
        [ ! "$libuv" ] || run "libuv_$dialect$kind" "$build/libuv_loop" --url "$url" one 'two "Ёжик"' '100% & three'
    done
done
ca=
run epoll_down "$build/epoll_many" --url http://127.0.0.1:1 2
run epoll_usage "$build/epoll_many" many
[ ! "$libuv" ] || run libuv_down "$build/libuv_loop" --url http://127.0.0.1:1 one
wait $runs
exec 3>&-
wait $sites

status() { [ "$(cat "$work/$1.status")" = "$2" ]; }
silent() { [ ! -s "$work/$1.err" ]; }
shows() { grep -qE "$2" "$work/$1"; }

# Each stream's text: the message between the stand-in's own words, which the first answer of libuv_loop shows as well.
text='You said: hello

I am only a stand-in and have no thoughts of my own, but like the real ones I say them word by word. Merci, спасибо, ありがとう, and have a nice day! 👋'
bytes=$(($(printf '%s' "$text" | wc -c) * streams))

for dialect in wpaicg aipkit; do
    for kind in $kinds; do
        name=epoll_$dialect$kind
        check $name status $name 0
        check "$name stderr" silent $name
        check "$name rates" shows $name.out "^streams=$streams done=$streams deltas=[1-9][0-9]* bytes=$bytes wakeups=[0-9]+ wall_ms=[0-9]+ cpu_ms=[0-9]+ deltas_per_s=[0-9]+ cpu_us_per_delta=[0-9.]+\$"
        # in pieces as they come, not whole at the end; and asleep between them
        deltas=$(sed 's/.* deltas=\([0-9]*\).*/\1/' "$work/$name.out")
        wakeups=$(sed 's/.* wakeups=\([0-9]*\).*/\1/' "$work/$name.out")
        check "$name pieces" [ "${deltas:-0}" -ge $((10 * streams)) ]
        check "$name sleeps" [ "${wakeups:-99999}" -le $((3 * ${deltas:-0})) ]
        [ "$libuv" ] || continue
        name=libuv_$dialect$kind
        check $name status $name 0
        check "$name stderr" silent $name
        for message in one 'two "Ёжик"' '100% & three'; do
            check "$name answers" [ "$(grep -cxF "You said: $message" "$work/$name.out")" -eq 1 ]
        done
        check "$name ends" [ "$(grep -c 'nice day! 👋$' "$work/$name.out")" -eq 3 ]
    done
done
check epoll_down status epoll_down 1
check "epoll_down counts" shows epoll_down.out '^streams=2 done=0 deltas=0 '
check "epoll_down tells" [ "$(grep -c '^E_CONNECT: ' "$work/epoll_down.err")" -eq 2 ]
check epoll_usage status epoll_usage 2
[ ! "$libuv" ] || { check libuv_down status libuv_down 1; check "libuv_down tells" shows libuv_down.err '^E_CONNECT: '; }

end test_loops
