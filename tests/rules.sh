#!/bin/bash
# Breaks each rule of EXCHANGE by hand, one at a time, and looks whether a test notices: the one safe rule of repeating a request, the
# silent kept connection, redirects, times, what an exchange owns, and what its errors name. `make slow` runs it.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/code.sh
work=${BUILD:-build}/rules
rm -rf "$work"
mkdir -p "$work/tests"
cp tests/*.h tests/*.c "$work/tests/"
passed=0 failed=0

# broken NAME TESTS SED: the header changed so must build, and one of TESTS must fail.
broken() {
    local name=$1 tests=$2 test
    sed -e "$3" chatgptt.h >"$work/chatgptt.h"
    if cmp -s chatgptt.h "$work/chatgptt.h"; then echo "FAIL $name: nothing was changed"; failed=$((failed + 1)); return; fi
    for test in $tests; do
        if ! $CC -std=c99 -D_POSIX_C_SOURCE=200809L -w -O0 -g -fsanitize=address -I"$work" $TLS_CFLAGS "$work/tests/test_$test.c" \
            $TLS_LIBS -pthread -o "$work/test" >"$work/log" 2>&1; then
            echo "FAIL $name: does not build"; head -n 3 "$work/log"; failed=$((failed + 1)); return
        fi
        if ! timeout 120 "$work/test" >"$work/out" 2>&1; then
            echo "$name: test_$test: $(grep -m 1 -oE 'tests/[a-z_]+\.[ch]:[0-9]+: [a-z_]+[^:]*: .*|ERROR: AddressSanitizer: [a-z-]+' "$work/out")"
            passed=$((passed + 1))
            return
        fi
    done
    echo "FAIL $name: no test notices"
    failed=$((failed + 1))
}

broken "repeated on a connection that is new" "engine reuse" 's/if (conn->served \&\& !x->repeats \&\&/if (!x->repeats \&\&/'
broken "repeated though a byte came" "engine reuse" 's/ && conn->received == x->mark && / \&\& /'
broken "repeated more than once" "engine reuse" 's/if (conn->served && !x->repeats &&/if (conn->served \&\&/; s/x->conn = x->repeats ? NULL : cgt_conn_take/x->conn = cgt_conn_take/'
broken "repeated in the body" "engine reuse http site" 's/ && x->state <= CGT_X_HEAD &&/ \&\&/; s/conn->received == x->mark/conn->received >= x->mark/'
broken "repeated however late" "engine reuse" 's/ (x->unsent == x->out.len || now - x->sent <= soon)/ true/'
broken "repeated after any error" "engine reuse" 's/if (code != CHATGPTT_DONE && code != CHATGPTT_E_CLOSED) return code;/if (code >= 0 \&\& code != CHATGPTT_DONE) return code;/'
broken "repeated after a time-out" "engine reuse" 's/if (code != CHATGPTT_DONE && code != CHATGPTT_E_CLOSED) return code;/if (code != CHATGPTT_DONE \&\& code != CHATGPTT_E_CLOSED \&\& code != CHATGPTT_E_TIMEOUT) return code;/'
broken "a kept connection need not be silent" "engine reuse" 's/if ((ended && conn->received > before) || !cgt_conn_drain(conn, in, bytes, done)) code/if (0) code/'
broken "a kept connection is not checked" "engine reuse" 's/if (x->conn) return cgt_exchange_enter(x, CGT_X_CHECK, now);/if (x->conn) return cgt_exchange_enter(x, CGT_X_CONNECT, now);/'
broken "https leads to http" "tls" 's/else if (x->url.https && !x->to.https) why/else if (0) why/'
broken "a message is lost on its way" "aipkit" 's/else if (x->follow == CGT_FOLLOW_REPEAT && x->in.status < 307)/else if (0)/'
broken "redirects without end" "engine stream wpaicg attack cookie" 's/else if (x->redirects >= x->pool->options->max_redirects) why/else if (0) why/'
broken "connecting has no time of its own" "engine stream site" 's/x->until = cgt_after(x->began, o->connect_timeout_ms);/x->until = LLONG_MAX;/'
broken "idle time runs while connecting" "engine stream site" 's/x->until = cgt_after(x->began, o->connect_timeout_ms);/x->until = cgt_after(x->began, o->idle_timeout_ms);/'
broken "silence has no end" "engine stream site" 's/default: x->until = cgt_after(now, o->idle_timeout_ms);/default: x->until = LLONG_MAX;/'
broken "a byte in is none" "engine stream site" 's/x->stats->bytes_in += x->end; x->until = cgt_after(now, x->pool->options->idle_timeout_ms);/x->stats->bytes_in += x->end;/'
broken "the whole has no end" "engine stream site" 's/late = x->state < CGT_X_ENDED && now >= x->total;/late = false;/'
broken "an error names the path" "engine site stream" 's/        where = x->to.authority;/        where = x->to.whole;/'
broken "cookies stay those of the first host" "engine site cookie stream" 's/cgt_jar_header(x->jar, \&x->url, pool/cgt_jar_header(x->jar, x->to.whole.len ? \&x->to : \&x->url, pool/; s/cgt_exchange_leave(x, true, now); cgt_url_free(&x->url);/cgt_exchange_leave(x, true, now);/'
broken "an exchange does not own its URL" "engine stream wpaicg" 's/x->url = x->to; memset(&x->to, 0, sizeof x->to);/x->url = x->to; cgt_url_free(\&x->to);/'
broken "a stream's descriptors change and its generation does not" "engine reuse stream site" 's/    x->generation += cgt_conn_want(conn).generation + 1;/    x->generation += 0;/; s/ x->generation++;$//'
echo "rules: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
