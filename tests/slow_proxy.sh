#!/bin/sh
# The tool and the probe through real proxies, tinyproxy and squid, each with a login and without; those that are not there are skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d)
children=
trap 'kill $children 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset http_proxy https_proxy all_proxy no_proxy
chmod 755 "$work"                       # squid reads it as another user
. tests/check.sh
left_by() { echo out err; }
user=user password=pa-ss.1              # in addresses partly as %XX

# ---- sites, which live as long as their standard input ----

mkfifo "$work/in" "$work/told"
site() {
    "$build/demo_site" "$@" <"$work/in" >"$work/told" 2>/dev/null 3>&- &
    children="$children $!"
    [ "$children" != " $!" ] || exec 3>"$work/in"
    { read -r url && case $url in url=https:*) read -r ca ;; esac; } <"$work/told"
    url=${url#url=} ca=${ca#ca=}
}
ca=
site && plain=$url
site --tls && tls=$url

# ---- proxies ----

# ready ADDRESS: it passes a request on, or asks for a login.
ready() { PROXY=$1 TIMEOUT_MS=1000 "$build/probe" http "$plain" 2>&1 >/dev/null | grep -Eq 'status=(200|407)|status 407'; }

# start NAME LOGIN: the proxy of this name on a port that is free, $port and $proxy; LOGIN: "" or yes.
start() {
    tries=0
    while [ $((tries += 1)) -le 5 ]; do
        port=$((20000 + ($$ * 7 + tries * 977) % 20000))
        "$1" "$2" >"$work/$1.log" 2>&1 3>&- &
        proxy=$!
        children="$children $proxy"
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            ready "127.0.0.1:$port" && return
            kill -0 $proxy 2>/dev/null || break
            sleep 0.5
        done
        kill $proxy 2>/dev/null
    done
    echo "FAIL $1 does not start:"
    cat "$work/$1.log"
    return 1
}

tinyproxy() {
    {
        printf 'Port %s\nListen 127.0.0.1\nTimeout 20\nMaxClients 20\nLogLevel Error\n' $port
        [ -z "$1" ] || echo "BasicAuth $user $password"
    } >"$work/tinyproxy.conf"
    exec "$(command -v /usr/bin/tinyproxy || command -v /usr/sbin/tinyproxy)" -d -c "$work/tinyproxy.conf"
}

squid() {
    {
        printf 'http_port 127.0.0.1:%s\nvisible_hostname proxy.test\npid_filename none\ncache deny all\naccess_log none\n' $port
        printf 'cache_log /dev/null\ncoredump_dir /tmp\nshutdown_lifetime 0 seconds\nnetdb_filename none\npinger_enable off\n'
        if [ "$1" ]; then
            printf '#!/bin/sh\nwhile read -r who word rest; do [ "$who $word" = "%s %s" ] && echo OK || echo ERR; done\n' $user $password >"$work/login"
            chmod 755 "$work/login"
            printf 'auth_param basic program %s/login\nauth_param basic children 1\nacl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n' "$work"
        else echo 'http_access allow all'
        fi
    } >"$work/squid.conf"
    exec "$(command -v /usr/sbin/squid || command -v /usr/bin/squid)" -N -f "$work/squid.conf"
}

# ---- what is asked ----

# ask PROXY URL: the answer to $work/out, what is said beside it to $work/err.
ask() { "$build/chatgptt" --proxy "$1" --url "$2" --ca "$ca" --timeout 20 'Is anyone there?' >"$work/out" 2>"$work/err"; }
answers() { ask "$@" && grep -q 'Is anyone there?' "$work/out"; }

# fails CODE WORDS PROXY URL: with this code, these words, and no login among them.
fails() {
    code=$1 words=$2
    shift 2
    ! ask "$@" && grep -q "^chatgptt: $code: .*$words" "$work/err" && ! grep -q -e "$password" -e wrong "$work/err" && [ ! -s "$work/out" ]
}

# probes PROXY URL: the whole page comes.
probes() { PROXY=$1 CA=$ca TIMEOUT_MS=20000 "$build/probe" http "$2" >"$work/out" 2>"$work/err" && grep -q '</html>' "$work/out"; }

# heads PROXY URL: an answer to HEAD, whole though it has no body.
heads() { CASE_METHOD=HEAD PROXY=$1 CA=$ca TIMEOUT_MS=20000 "$build/probe" http "$2" >"$work/out" 2>"$work/err" && grep -q '^status=' "$work/err"; }

for name in tinyproxy squid; do
    if ! PATH=$PATH:/usr/sbin:/usr/local/sbin env which $name >/dev/null 2>&1; then
        skip "$name is not here"
        continue
    fi
    for login in '' yes; do
        if ! start $name "$login"; then failed=$((failed + 1)); continue; fi
        at=127.0.0.1:$port
        if [ "$login" ]; then
            check "$name wants a login, http" fails E_PROXY 'wants a login (status 407)' $at "$plain"
            check "$name wants a login, https" fails E_PROXY 'wants a login (status 407)' $at "$tls"
            check "$name refuses a login, http" fails 'E_[A-Z]*' 'status 40[17]' $user:wrong@$at "$plain"   # tinyproxy says 401
            check "$name refuses a login, https" fails E_PROXY 'status 40[17]' $user:wrong@$at "$tls"
            at=http://us%65r:pa%2Dss%2e1@$at
        fi
        check "$name${login:+ with a login}, http" answers $at "$plain"
        check "$name${login:+ with a login}, https" answers $at "$tls"
        check "$name${login:+ with a login}, the page over http" probes $at "$plain"
        check "$name${login:+ with a login}, the page over https" probes $at "$tls"
        check "$name${login:+ with a login}, a head over https" heads $at "$tls"
        check "$name${login:+ with a login}, no such site" fails E_PROXY 'status 50' $at https://127.0.0.1:1/
        kill $proxy
        wait $proxy 2>/dev/null
        check "$name is gone" fails E_CONNECT "127.0.0.1:$port" $at "$tls"
    done
done

end slow_proxy
