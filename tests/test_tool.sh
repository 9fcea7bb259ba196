#!/bin/sh
# The command line and the examples, as people run them, against stand-in sites on loopback. Everything is started at once, waited
# for, and then looked at: most of it only waits for an answer that comes word by word.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
. tests/check.sh
build=${BUILD:-build}
out=$build/tool
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NO_COLOR
TERM=xterm
export TERM
case $TLS_CFLAGS in *NO_TLS*) tls=; skip 'built without TLS' ;; *) tls=yes ;; esac

# What the run of that name (up to a blank) left.
left_by() { echo "${1%% *}.status ${1%% *}.err ${1%% *}.out"; }

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
ca= looked_tls=
site="$build/demo_site --verbose"
start plain $site --plain && plain=$url
start words $site && words=$url
start quiet $site --plain && quiet=$url
start first $site --plain && first=$url
start newer $site --dialect aipkit && newer=$url
start direct $site --dialect aipkit && direct=$url
start mute "$helper" mute && mute=$url
start looked $site && looked=$url
start chat $site && chat=$url
start proxy "$helper" proxy && proxy=${url#http://}
printf 'HTTP/1.1 301 Moved\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n' "$looked" >"$work/moved.says"
printf 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n' >"$work/astray.says"
printf 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>My bakery</title><p>bread</html>' >"$work/bakery.says"
printf '\025\003\001\000\002\002\050' >"$work/alert.says"
printf 'SSH-2.0-sshd\r\n' >"$work/shell.says"
for name in moved astray bakery alert shell; do start $name "$helper" say "$work/$name.says" && eval "$name=\$url"; done
if [ "$tls" ]; then
    start tls $site --tls && tls=$url tls_ca=$ca
    start other $site --tls --plain && other=$url other_ca=$ca
    start newer_tls $site --dialect aipkit --tls && newer_tls=$url newer_ca=$ca
    start looked_tls $site --dialect aipkit --tls && looked_tls=$url looked_ca=$ca
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
quiet_head() { { sleep 0.2; "$tool" --help; echo $? >"$work/help_pipe.status"; } | :; }
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
awk 'BEGIN {for (i = 0; i < 4000; i++) printf "%s%d: \"слова\" and 👋 \\ in a long text", i ? "\n" : "", i}' | message long
for name in quotes lines cyrillic emoji form dashes; do ask $name "$plain"; done
cp "$work/emoji.in" "$work/streamed.in" && ask streamed "$words"
run long from "$work/long.in" "$plain"
printf hello | message echoed
printf 'hello\n' >"$work/echoed.typed"
run echoed from "$work/echoed.typed" "$plain"
printf 'hello\n' | message echoed_twice
printf 'hello\n\n' >"$work/echoed_twice.typed"
run echoed_twice from "$work/echoed_twice.typed" "$plain"
printf 'a b  c' | message joined
run joined "$tool" --url="$plain" a 'b ' c
cp "$work/joined.in" "$work/letters.in" && run letters "$tool" -kb0 -u"$plain" -m gpt-4 -p '' a 'b ' c
cp "$work/dashes.in" "$work/literal.in" && run literal "$tool" -u "$plain" -- "$(cat "$work/dashes.in")"
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
run json_escapes "$tool" -ju "$plain" "$(printf 'tab\there\nand "there" \\ \033[1m')"
run json_error "$tool" --url "$plain" --json --model gpt-2 hello
run stats "$tool" --url "$plain" --stats hello
run together together "$plain"
run verbose "$tool" --url "$plain" --verbose 'my secret words'
run verbose_proxy "$tool" --url "$plain" --verbose --proxy http://someone:geheim@127.0.0.1:1 hello
run verbose_newer "$tool" --url "$newer" --verbose 'my secret words'
run reader closed_pipe "$words"
[ ! -w /dev/full ] || run full into /dev/full "$plain"

# ==== usage; nothing may be sent ====

for options in --no-such --ur --url -u --timeout --json=yes -jx '--dialect old' '--timeout soon' '--timeout 0' '--timeout -1' '--timeout 9e9' -x; do
    run "usage${options%% *}_${options##* }" "$tool" --url "$quiet" hello $options
done
run help "$tool" --help
run version "$tool" --version
run help_letter "$tool" -h
run version_letter "$tool" -V
run help_head quiet_head
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
interrupt stopped_json "$work/stopped_json.out" 'said' "$tool" --json --url "$words" hello &
runs="$runs $!"
if [ "$tls" ]; then
    cp "$work/quotes.in" "$work/tls.in" && ask tls "$tls" --ca "$tls_ca"
    cp "$work/quotes.in" "$work/insecure.in" && ask insecure "$other" --insecure
    cp "$work/quotes.in" "$work/newer_tls.in" && ask newer_tls "$newer_tls" --ca "$newer_ca"
    run refused "$tool" --url "$other" hello
    run other_ca "$tool" --url "$other" --ca "$tls_ca" hello
    run no_http "$tool" --url "http${other#https}" hello
fi

# ==== the proxy of the environment; nobody is behind port 1 ====

dead=http://127.0.0.1:1
for name in proxy_off proxy_empty; do message "$name" <"$work/quotes.in"; done
run proxy_down env http_proxy=$dead "$tool" --url "$plain" hello
run proxy_off env http_proxy=127.0.0.1:1 no_proxy=example.org,127.0.0.1 "$tool" --url "$plain" "$(cat "$work/quotes.in")"
run proxy_empty env all_proxy=$dead "$tool" --url "$plain" --proxy '' "$(cat "$work/quotes.in")"

# Which way a site is asked, by the port that is named: nothing listens at 2 either. WAY URL VARIABLE...; what goes another way
# is printed.
way() {
    wanted=$1 url=$2
    shift 2
    case $(env "$@" "$build/chatgptt" -k --url "$url" hello 2>&1) in
        *E_*:1*) got=proxy ;;
        *E_CONNECT*:2*) got=direct ;;
        *) got=none ;;
    esac
    [ "$got" = "$wanted" ] || echo "$got, not $wanted: $url $*"
}
ways() {
    a=http://127.0.0.1:2 b=http://localhost:2 c='http://[2001:db8::1]:2' p=http_proxy=$dead
    way proxy $a $p
    if [ "$tls" ]; then
        way proxy https://127.0.0.1:2 HTTPS_PROXY=$dead
        way proxy https://127.0.0.1:2 https_proxy=$dead HTTPS_PROXY=http://127.0.0.1:3
        way direct https://127.0.0.1:2 $p
    fi
    way direct $a HTTP_PROXY=$dead
    way direct $a HTTPS_PROXY=$dead
    way proxy $a ALL_PROXY=$dead
    way proxy $a all_proxy=$dead ALL_PROXY=http://127.0.0.1:3
    way proxy $a $p all_proxy=http://127.0.0.1:3
    way direct $a $p NO_PROXY=127.0.0.1
    way proxy $a $p no_proxy=10.0.0.1 NO_PROXY=127.0.0.1
    for entry in 127.0.0.1 '*' 127.0.0.0/8 'other.example, 127.0.0.1/32' 0.0.0.0/0 127.0.0.0/9 126.0.0.0/7; do
        way direct $a $p "no_proxy=$entry"
    done
    for entry in .1 0.0.1 .0.0.1 27.0.0.1 10.0.0.0/8 128.0.0.0/8 127.0.0.0/33 127.0.0.0/ 127.0.0.1/x 127.0.0.1/-8 127.0.0.1:2 \
        ::/0 127.128.0.0/9 127.0.0.1. localhost; do
        way proxy $a $p "no_proxy=$entry"
    done
    for entry in localhost .localhost LocalHost localhost. 'a b,localhost'; do way direct $b $p "no_proxy=$entry"; done
    for entry in host ocalhost x.localhost localhost:2 127.0.0.0/8 local; do way proxy $b $p "no_proxy=$entry"; done
    for entry in 2001:db8::1 '[2001:db8::1]' 2001:0db8:0::0001 2001:db8::/32 2001:db8::/126 ::/0; do
        case $(env $p "no_proxy=$entry" "$build/chatgptt" --timeout 1 --url $c hello 2>&1) in *127.0.0.1*) echo "not direct: $entry" ;; esac
    done
    for entry in 2001:db8::2 1 ::1 2001:db9::/32 2001:db8::/129 2001:db8::2/127 0.0.0.0/0; do way proxy $c $p "no_proxy=$entry"; done
    way proxy http://chat.example.invalid:2 $p no_proxy=ample.invalid
}
run ways ways

# ==== the state ====

printf 'hello' | message state
run state after "$tool" --url "$first" --state "$work/kept" hello
printf 'no state at all' >"$work/damaged"
mended() { "$tool" --url "$1" --state "$work/damaged" hello && "$tool" --url "$1" --state "$work/damaged" hello; }
run damaged mended "$plain"
mkdir "$work/away" "$work/folder"
: >"$work/blank"
: >"$work/away/target"
chmod 644 "$work/away/target"
ln -s away/target "$work/link"
ln -s link "$work/link_to_link"
ln -s away/new "$work/dangling"
mkfifo "$work/fifo"
run state_blank "$tool" --url "$plain" --state "$work/blank" hello
run state_link "$tool" --url "$plain" --state "$work/link_to_link" hello
run state_dangling "$tool" --url "$plain" --state "$work/dangling" hello
run state_fifo "$tool" --url "$plain" --state "$work/fifo" hello
run state_folder "$tool" --url "$plain" --state "$work/folder" hello
run state_null "$tool" --url "$plain" --state /dev/null hello
elsewhere() { "$tool" --url "$1" --state "$work/moving" hello && "$tool" --url "$2" --state "$work/moving" hello; }
run state_elsewhere elsewhere "$plain" "$words"
run state_newer after "$tool" --url "$direct" --dialect aipkit --state "$work/kept_newer" again
[ ! "$tls" ] || run state_tls after "$tool" --url "$other" --ca "$other_ca" --state "$work/kept_tls" hello

# ==== a site without a scheme ====

printf hello | message bare
run bare "$tool" -u "${plain#http://}" hello
[ ! "$tls" ] || run bare_tls "$tool" -u "${tls#https://}" --ca "$tls_ca" hello

# ==== the doctor: no message is sent ====

run doctor "$tool" --doctor "$looked"
run doctor_down "$tool" --doctor --url "$down"
run doctor_page "$tool" --doctor "$looked/nothing"
run doctor_name "$tool" --doctor http://no-such-host.invalid/
run doctor_proxy "$tool" --doctor "$looked" -p "someone:geheim@$proxy"
run doctor_no_proxy "$tool" --doctor "$looked" -p someone:geheim@127.0.0.1:1
run doctor_moved "$tool" --doctor "$moved"
run doctor_astray "$tool" --doctor "$astray"
run doctor_bakery "$tool" --doctor "$bakery"
run doctor_alert "$tool" --doctor "$alert"
run doctor_shell "$tool" --doctor "$shell"
run doctor_mute "$tool" --doctor "$mute" --timeout 0.5
run doctor_words "$tool" --doctor "$quiet" hello
run doctor_astray_endpoint "$tool" --doctor "$looked" --endpoint "$down/wp-admin/admin-ajax.php"
if [ "$tls" ]; then
    run doctor_bare "$tool" --doctor "${looked#http://}"
    run doctor_tls "$tool" --doctor "$looked_tls" --ca "$looked_ca"
    run doctor_other "$tool" --doctor "$looked" --endpoint "$looked_tls/wp-admin/admin-ajax.php" --ca "$looked_ca"
    run doctor_tunnel "$tool" --doctor "$looked_tls" --ca "$looked_ca" -p "http://someone:geheim@$proxy"
    run doctor_no_trust "$tool" --doctor "$looked_tls"
    run doctor_no_tls "$tool" --doctor "https${looked#http}"
    run doctor_endpoint "$tool" --doctor "$looked" --endpoint "$looked_tls/wp-admin/admin-ajax.php"
    run doctor_direct "$tool" --doctor --endpoint "$looked_tls/wp-admin/admin-ajax.php" --bot 7 --dialect aipkit --ca "$looked_ca"
fi

# ==== a conversation in a file ====

# The site is $1; the third question is killed in the middle of its answer, and leaves the file as it was.
talk() {
    file=$work/$1.chat url=$2
    "$tool" --url "$url" --chat "$file" hello >/dev/null && "$tool" --url "$url" --chat "$file" again || return
    cp "$file" "$file.before"
    "$tool" --url "$url" --chat "$file" 'and this' >"$file.part" &
    pid=$!
    tries=0
    until grep -qs You "$file.part" || [ $((tries += 1)) -gt 100 ]; do sleep 0.05; done
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    cmp "$file" "$file.before"
}
run chat_kept talk chat_kept "$chat"
run chat_newer talk chat_newer "$newer"
printf 'chatgptt chat 1\nsite 5\nother\nend 0\n\n' >"$work/chat_other.chat"
printf 'chatgptt chat 1\nuser 5\nhel' >"$work/chat_cut.chat"
printf 'my notes\n' >"$work/chat_notes.chat"
mkfifo "$work/chat_fifo.chat"
for name in chat_other chat_cut chat_notes; do cp "$work/$name.chat" "$work/$name.before"; done
for name in chat_other chat_cut chat_notes chat_fifo; do run $name "$tool" --url "$quiet" --chat "$work/$name.chat" hello; done
# Two answers of 4 MB: the older one must go.
{
    printf 'chatgptt chat 1\n'
    host=${plain#http://}
    printf 'site %d\n%s\n' ${#host} "$host"
    for word in first second; do
        printf 'user %d\n%s\n' ${#word} $word
        printf 'assistant 4200000\n'
        head -c 4200000 /dev/zero | tr '\0' x
        echo
    done
    printf 'end 0\n\n'
} >"$work/chat_long.chat"
run chat_long "$tool" --url "$plain" --chat "$work/chat_long.chat" third

# ==== on a terminal ====

# Waiting for "> " again is waiting for the next prompt. Ctrl-A, arrows and pasting are typed as terminals send them.
enter='
'
key() { printf "$1"; }
prompt=$(key '\r\n\033[?2004h> ')              # on a line of its own
pty() { "$helper" pty "$@"; }
run repl pty '> ' "hello$enter" 'You said: hello' '' "$prompt" "/stats$enter" 'requests=2' '' \
    '> ' "again$enter" 'You said: again' '' 'Earlier messages I know: 2' '' '> ' "/new$enter" 'a new conversation' '' \
    '> ' "afresh$enter" 'You said: afresh' '' '> ' "/help$enter" 'Ctrl-C stops' '' '> ' "/nothing$enter" 'no such command' '' \
    '> ' "$(key '\033[200~one\ntwo\033[201~')$enter" "$(key 'You said: one\r\ntwo')" '' '> ' "/quit $enter" -- "$tool" --url "$plain"
run repl_edit pty '> ' "$(key 'hllo\001\033[Ce\005!')$enter" 'You said: hello!' '' \
    '> ' "$(key 'x\025\033[A\177?')$enter" 'You said: hello?' '' \
    '> ' "$(key '\022lo!')$enter$enter" 'You said: hello!' '' '> ' "$(key 'gone\033[15~\003')" '^C' '' 'Ctrl-C once more' '' \
    '> ' "$(key '\003')" -- "$tool" --url "$plain"
run repl_commands pty '> ' "/retry$enter" 'nothing was asked' '' '> ' "/model gpt-2$enter" 'no such model' '' \
    '> ' "/model gpt-4$enter" 'gpt-4*' '' '> ' "/system be kind$enter" 'from the next' '' \
    '> ' "hello$enter" 'be kind' '' 'nice day' '' '> ' "again$enter" 'Earlier messages I know: 2' '' 'nice day' '' \
    '> ' "/retry$enter" 'said: again' '' 'Earlier messages I know: 2' '' 'nice day' '' \
    '> ' "/save $work/said$enter" '5 messages' '' '> ' "/save $work/said$enter" 'exists' '' \
    '> ' "/etc/hosts is a path$enter" 'said: /etc/hosts is a path' '' '> ' "/bin is one too$enter" 'no such command' '' \
    '> ' "/quit$enter" -- "$tool" --url "$plain"
run repl_stop pty '> ' "$(key 'stop\tme')$enter" 'You said: ' "$(key '\003')" 'E_CANCELLED' '' \
    '> ' "$(key '\033[200~void')$enter" 'void' "$(key '\003')" "$prompt" "$(key '\004')" -- "$tool" --url "$words"
run repl_newer pty '> ' "hello$enter" 'You said: hello' '' 'nice day' '' '> ' "again$enter" 'You said: again' '' \
    'Earlier messages I know: ' '' 'nice day' '' '> ' "/quit$enter" -- "$tool" --url "$newer"
run repl_dumb env TERM=dumb "$helper" pty '> ' "$(key 'up\033[A')$enter" 'not sent: it holds a control' '' \
    '> ' "$(head -c 5000 /dev/zero | tr '\0' x)$enter" 'not sent: the terminal cuts' '' \
    '> ' "hello$enter" 'You said: hello' '' '> ' "/quit$enter" -- "$tool" --url "$plain"

run repl_ahead pty '> ' "hello$enter" 'You said: hello' 'typed' 'nice day' '' "$(key '\033[?2004h> ')" " ahead$enter" \
    'You said: typed ahead' '' 'nice day' '' '> ' "/quit$enter" -- "$tool" --url "$words"
# The terminal is as it was, whatever ended the tool.
run restored pty '> ' "/quit$enter" 'icanon' '' -- sh -c '"$0" --url "$1"; stty -a' "$tool" "$quiet"
run restored_killed pty '> ' typed 'icanon' '' -- sh -c 'timeout --foreground 3 "$0" --url "$1"; stty -a' "$tool" "$quiet"

# What was typed is there in the next run, and readable for nobody else.
again_typed() {
    pty '> ' "$(key 'remember\\\\me \033[200~and\nthis\033[201~')$enter" 'You said: ' '' '> ' "/quit$enter" -- "$tool" "$@" &&
        pty '> ' "$(key '\033[A\033[A')$enter" "$(key 'You said: remember\\\\me and\r\nthis')" '' '> ' "/quit$enter" -- "$tool" "$@"
}
run repl_history again_typed --url "$plain" --state "$work/typing"
resumed() {
    pty '> ' "hello$enter" 'You said: hello' '' '> ' "/quit$enter" -- "$tool" "$@" &&
        pty 'going on with 2 messages' '' '> ' "again$enter" 'Earlier messages I know: 2' '' '> ' "/new$enter" 'a new' '' \
            '> ' "afresh$enter" 'You said: afresh' '' '> ' "/quit$enter" -- "$tool" "$@"
}
run repl_chat resumed --url "$plain" --chat "$work/repl_chat.chat"

run clean pty -- "$tool" --url "$plain" "$(printf 'a\033[31mb\302\233c')"
run coloured pty 'E_MODEL' '' -- "$tool" --url "$quiet" --model gpt-2 hello
run colourless env NO_COLOR=1 "$helper" pty 'E_MODEL' '' -- "$tool" --url "$quiet" --model gpt-2 hello
run waiting pty '... 1 s' '' 'E_TIMEOUT' '' -- "$tool" --url "$mute" --timeout 1.5 hello
run verbose_terminal env NO_COLOR=1 "$helper" pty 'nice day' '' -- "$tool" --url "$words" --verbose hello

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

for name in quotes lines cyrillic emoji form dashes streamed long joined system released newer direct told proxy_off proxy_empty echoed echoed_twice letters literal; do answers $name; done

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
check json_escapes status json_escapes 0
check "json_escapes as letters" shows json_escapes.out 'here\\nand'
check "json_escapes tab and quotes" shows json_escapes.out 'tab\\there.*\\"there\\" \\\\'
check "json_escapes others" shows json_escapes.out '\\u001b\[1m'
check "json_escapes no number" lacks json_escapes.out 'u000'
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
check "reader stderr" silent reader
check "help_head status" [ "$(cat "$work/help_pipe.status")" -ne 0 ]
check "help_head stderr" silent help_head
[ ! -w /dev/full ] || { check full status full 1; check "full stderr" one_line full '^chatgptt: E_IO: standard output: '; }

for file in "$work"/usage*.status; do
    name=${file##*/}
    refuses "${name%.status}" '[^:]+: .*\(see --help\)$' 2
done
# Every option stands in the manual and is completed by every shell.
grep -o -- '--[a-z][a-z]*' "$work/help.out" | sed 's/--//' | sort -u >"$work/options"
check "options are told" [ "$(wc -l <"$work/options")" -ge 18 ]
documented() {
    for option in $(cat "$work/options"); do
        grep -q -- "\\\\-\\\\-$option" examples/chatgptt.1 || echo "manual: $option"
        grep -q -- "--$option" examples/completions/chatgptt.bash || echo "bash: $option"
        grep -q -- "--$option" examples/completions/_chatgptt || echo "zsh: $option"
        grep -q -- "-l $option" examples/completions/chatgptt.fish || echo "fish: $option"
    done | { ! grep .; }
}
check "options are documented" documented
# completes WORD... : what bash offers for the last of them
completes() {
    bash -c '. examples/completions/chatgptt.bash; COMP_WORDS=(chatgptt "$@"); COMP_CWORD=$#; _chatgptt; echo "${COMPREPLY[*]}"' - "$@"
}
if command -v bash >/dev/null; then
    check "completion of options" [ "$(completes --di)" = --dialect ]
    check "completion of values" [ "$(completes --dialect = a)" = 'auto aipkit' ]
    check "completion of the message" [ -z "$(completes -- --di)" ]
else skip 'no bash'
fi
if command -v zsh >/dev/null; then
    check "zsh's completion" zsh -f -c "autoload -U compinit && fpath=(examples/completions \$fpath) && compinit -u -d '$work/zsh' &&
        [ \"\${_comps[chatgptt]}\" = _chatgptt ] && zsh -n examples/completions/_chatgptt"
else skip 'no zsh'
fi
fish_offers() { [ "$(HOME=$work fish -c "source examples/completions/chatgptt.fish; complete -C '$1'" | cut -f1 | tr '\n' ' ')" = "$2 " ]; }
if command -v fish >/dev/null; then
    check "fish's completion of options" fish_offers 'chatgptt --di' --dialect
    check "fish's completion of values" fish_offers 'chatgptt --dialect ' 'aipkit auto wpaicg'
else skip 'no fish'
fi
check help status help 0
check "help stdout" shows help.out '^usage: chatgptt '
check help_letter cmp "$work/help_letter.out" "$work/help.out"
check version_letter cmp "$work/version_letter.out" "$work/version.out"
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
check "interrupted stderr" lacks interrupted.err '^chatgptt: E_CANCELLED'
check "stopped stderr" silent stopped
check stopped_json status stopped_json 130
check "stopped_json stderr" silent stopped_json
check "stopped_json event" ends_with "$work/stopped_json.out" '^\{"event":"error","code":"E_CANCELLED",'
check "stopped text" shows stopped.out '^You said:'
check "stopped early" lacks stopped.out 'nice day'
if [ "$tls" ]; then
    for name in tls insecure newer_tls; do answers $name; done
    refuses refused 'E_CERTIFICATE: .'
    refuses other_ca 'E_CERTIFICATE: .'
    refuses no_http 'E_(HTTP|CLOSED|IO|STATUS): .'
fi
refuses proxy_down 'E_(PROXY|CONNECT): .'
check "ways status" status ways 0
check "ways as curl's" nothing ways

mode_of() { ls -l "$1" | cut -c 1-10; }
check state status state 0
check "state asks at once" count first.log 1 '^GET / '
check "state both were asked" count first.log 2 '^POST .*wpaicg_chat_shortcode_message'
check "state is private" [ "$(mode_of "$work/kept")" = -rw------- ]
check damaged status damaged 0
check "damaged notice; mended" one_line damaged '^chatgptt: notice: the state file is ignored: '
for name in state_blank state_link state_dangling; do
    check $name status $name 0
    check "$name is silent" silent $name
done
check state_blank [ "$(mode_of "$work/blank")" = -rw------- ]
check "state_link links stay" [ -h "$work/link" -a -h "$work/link_to_link" ]
check "state_link target" [ -s "$work/away/target" -a "$(mode_of "$work/away/target")" = -rw------- ]
check "state_dangling target" [ -h "$work/dangling" -a -s "$work/away/new" ]
for name in state_fifo state_folder state_null; do
    check $name status $name 0
    check "$name notice" one_line $name '^chatgptt: notice: the state file is ignored: .*: it is no regular file$'
done
check "state_fifo stays" [ -p "$work/fifo" ]
check "state_folder stays" [ -d "$work/folder" ]
check "state_null stays" [ -c /dev/null ]
check state_elsewhere status state_elsewhere 0
check "state_elsewhere notice" one_line state_elsewhere '^chatgptt: notice: the state file is ignored: .*another site'
check "no file is left over" [ -z "$(find "$work" -name '*.tmp')" ]

check bare status bare 0
check "bare text" repeats bare
check "bare notice" one_line bare '^chatgptt: notice: no https there, so by http: '
if [ "$tls" ]; then
    check bare_tls status bare_tls 0
    check "bare_tls stderr" silent bare_tls
fi

# told NAME STEP...: the lines begin with these.
told() {
    name=$1
    shift
    [ "$(sed 's/ .*//' "$work/$name.out" | tr '\n' ' ')" = "$* " ]
}
check doctor status doctor 0
check "doctor steps" told doctor lookup connect page tokens endpoint message
check "doctor endpoint" shows doctor.out '^endpoint +http://127.*/wp-admin/admin-ajax\.php$'
check "doctor tokens" shows doctor.out '^tokens .*wpaicg.*bot 0'
check doctor_down status doctor_down 1
check "doctor_down tells" one_line doctor_down '^chatgptt: E_CONNECT: '
check "doctor_down steps" told doctor_down lookup no connect
check doctor_page status doctor_page 1
check "doctor_page steps" told doctor_page lookup connect page page
# fails NAME CODE STEP...: the last of the steps is where it failed, with words for it.
fails() {
    check "doctor_$1" status "doctor_$1" 1
    check "doctor_$1 tells" one_line "doctor_$1" "^chatgptt: $2: "
    name=doctor_$1 code=$2
    shift 2
    check "$name steps" told "$name" "$@"
    for step; do :; done
    check "$name step" ends_with "$work/$name.out" "^$step +[0-9]+ ms  failed: [a-zA-Z/.0-9 ]+ \\($code\\)"
}
fails page E_STATUS lookup connect page page
fails down E_CONNECT lookup no connect
fails name E_RESOLVE lookup
fails no_proxy E_CONNECT lookup no connect
fails astray E_CONNECT lookup connect page redirect lookup no connect
fails bakery E_PAGE lookup connect page tokens
fails alert E_HTTP lookup connect page
fails shell E_HTTP lookup connect page
fails mute E_TIMEOUT lookup connect page
fails astray_endpoint E_CONNECT lookup connect page tokens lookup no connect
check "doctor_bakery title" shows doctor_bakery.err 'My bakery'
check "doctor_alert tells" shows doctor_alert.out 'speaks TLS on this port: try https'
check "doctor_alert error" shows doctor_alert.err 'not HTTP/1.1 but TLS: try https'
check "doctor_shell is none" lacks doctor_shell.out 'TLS'
check doctor_moved status doctor_moved 0
check "doctor_moved steps" told doctor_moved lookup connect page redirect lookup connect page tokens endpoint message
check "doctor_moved redirect" shows doctor_moved.out "^redirect +$looked"
check doctor_proxy status doctor_proxy 0
check "doctor_proxy steps" told doctor_proxy lookup connect page tokens endpoint message
check "doctor_proxy lookup" shows doctor_proxy.out '^lookup .*the proxy 127'
check "doctor_proxy asked" shows proxy.log '^GET '
check "doctor_proxy asked for the page alone" only proxy.log "^(GET $looked/|CONNECT localhost:${looked_tls##*:}) "
for name in doctor_proxy doctor_no_proxy; do check "$name login" lacks $name.out 'someone|geheim'; done
check doctor_words status doctor_words 2
check "doctor_words tells" one_line doctor_words 'takes one URL'
if [ "$tls" ]; then
    check doctor_bare status doctor_bare 0
    check "doctor_bare notice" one_line doctor_bare '^chatgptt: notice: no https there, so by http: '
    check "doctor_bare steps" ends_with "$work/doctor_bare.out" '^message  *not sent; '
    check doctor_tls status doctor_tls 0
    check "doctor_tls steps" told doctor_tls lookup connect tls page tokens endpoint message
    check "doctor_tls tokens" shows doctor_tls.out '^tokens .*aipkit.*bot 7'
    check "doctor_other steps" told doctor_other lookup connect page tokens lookup connect tls endpoint message
    check doctor_direct status doctor_direct 0
    check "doctor_direct steps" told doctor_direct tokens lookup connect tls endpoint message
    check doctor_tunnel status doctor_tunnel 0
    check "doctor_tunnel steps" told doctor_tunnel lookup connect tunnel tls page tokens endpoint message
    check "doctor_tunnel tells" shows doctor_tunnel.out "^tunnel +[0-9]+ ms  to localhost:${looked_tls##*:}\$"
    check "doctor_tunnel login" lacks doctor_tunnel.out 'someone|geheim'
    fails no_trust E_CERTIFICATE lookup connect tls
    fails no_tls E_TLS lookup connect tls
    fails endpoint E_CERTIFICATE lookup connect page tokens lookup connect tls
    check "the doctors sent no message" lacks looked_tls.log '^POST'
fi
check "the doctor sent no message" lacks looked.log '^POST'
check "the doctor read the page" shows looked.log '^GET / '

for name in chat_kept chat_newer; do
    check $name status $name 0
    check "$name goes on" shows $name.out 'Earlier messages I know: [12]'
    check "$name is private" [ "$(mode_of "$work/$name.chat")" = -rw------- ]
done
check "chat_kept asks at once" count chat.log 1 '^GET / '
for name in chat_other chat_cut chat_notes; do
    refuses $name "E_ARGUMENT: .*$name.chat: "
    check "$name is left alone" cmp "$work/$name.chat" "$work/$name.before"
done
refuses chat_fifo 'E_ARGUMENT: .*no regular file'
check chat_long status chat_long 0
check "chat_long notice" one_line chat_long '^chatgptt: notice: the conversation is too long.* oldest [24] messages'
check "chat_long text" shows chat_long.out '^You said: third'
check state_newer status state_newer 0
check "state_newer asks at once; direct reads no page" count direct.log 1 '^GET / '
if [ "$tls" ]; then
    check state_tls status state_tls 0
    check "state_tls resumes" shows other.log '^POST .*wpaicg_chat_shortcode_message .*tls=resumed'
fi

for name in repl repl_edit repl_commands repl_stop repl_newer repl_dumb repl_history repl_chat repl_ahead restored restored_killed \
    clean coloured colourless waiting verbose_terminal; do
    case $name in repl_edit) wanted=130 ;; coloured|colourless|waiting) wanted=1 ;; *) wanted=0 ;; esac
    check $name status $name $wanted
    check "$name saw all" silent $name
done

check "repl_stop begins one answer" count repl_stop.out 1 E_CANCELLED
check "clean text" shows clean.out '^You said: a\[31mbc'
escape=$(printf '\033')
check "repl leaves the terminal" ends_with "$work/repl.out" "$escape\[\?2004l"
for name in restored restored_killed; do
    check "$name terminal" shows $name.out '(^| )icanon'
    check "$name echo" shows $name.out ' echo '
    check "$name saw the prompt" shows $name.out '> '
done
check "repl_ahead not in the answer" lacks repl_ahead.out 'I am.*typed'
check "repl_edit once" count repl_edit.out 1 'once more leaves'
check "repl_commands kept the retried once" count said 1 '^You: again$'
check "repl_commands wrote privately" [ "$(mode_of "$work/said")" = -rw------- ]
check "repl_dumb no sequences" lacks repl_dumb.out "$escape"
check "repl_history is private" [ "$(mode_of "$work/typing.history")" = -rw------- ]
check "repl_history a line each" count typing.history 2 '^remember\\\\\\\\me and\\nthis$'
check "repl_chat begins anew" count repl_chat.chat 1 '^user '
check coloured shows coloured.out "^$escape\[31mchatgptt: E_MODEL:$escape\[0m "
check colourless lacks colourless.out "$escape\[[0-9]*m"
check "waiting is wiped" shows waiting.out "$escape\[K"
check "verbose_terminal lines" lacks verbose_terminal.out '[^[:space:]]chatgptt: '
check "verbose_terminal tells" shows verbose_terminal.out '^chatgptt: (request|status|end): '

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

end test_tool
