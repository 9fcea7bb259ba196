#!/bin/bash
# The Python generator under asyncio: one answer, fifty at once, errors, a generator given up half way. Both generations.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
skip() { echo "skipped: $1"; echo "python: 0 passed, 0 failed"; exit 0; }
command -v python3 >/dev/null || skip "no python3"
[ -f "$BUILD/libchatgptt.so" ] || skip "no $BUILD/libchatgptt.so"
case ${CC:-} in *-fshort-enums*) skip "an enum is an int to Python, and a byte to this library" ;;
*-fsanitize=memory*) skip "a Python without MSan loads no library with it" ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'E'
import asyncio, sys
sys.path.insert(0, "examples")
from chatgptt import ChatGptt, ChatGpttError
url, passed, failed = sys.argv[1], 0, 0

def check(name, good):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good: print("FAIL", name)

async def ask(text, **settings):
    messages = [{"role": "user", "content": text}]
    return "".join([piece async for piece in ChatGptt.create_async_generator("gpt-4o", messages, url=url, **settings)])

async def error_of(model, messages, **settings):
    try:
        async for _ in ChatGptt.create_async_generator(model, messages, **settings): pass
    except ChatGpttError as error: return error

async def main():
    check("an answer", "Why is the sky blue?" in await ask("Why is the sky blue?"))
    check("letters of all kinds", "Ёжик 日本 😀" in await ask("Ёжик 日本 😀"))
    texts = ["question %d of fifty" % i for i in range(50)]
    answers = await asyncio.gather(*map(ask, texts))
    check("fifty at once", all(text in answer for text, answer in zip(texts, answers)))
    pieces = ChatGptt.create_async_generator("gpt-4o", [{"role": "user", "content": "hi"}], url=url)
    check("a first piece", await pieces.__anext__())
    await pieces.aclose()
    check("usable after one was given up", "again" in await ask("again"))
    history = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"},
               {"role": "assistant", "content": "a"}, {"role": "user", "content": "and now?"}]
    folded = "".join([p async for p in ChatGptt.create_async_generator(None, history, proxy=None, url=url)])
    check("a history, folded", "Assistant: a\nUser: and now?\nAssistant:" in folded)
    error = await error_of("gpt-9", history, url=url)
    check("an unknown model", error and error.code == "E_MODEL" and "gpt-4o" in str(error))
    error = await error_of("gpt-4o", history, url="http://127.0.0.1:1/")
    check("nobody there", error and error.code == "E_CONNECT")
    error = await error_of("gpt-4o", [], url=url)
    check("no messages", error and error.code == "E_ARGUMENT")

asyncio.run(main())
print("%d %d" % (passed, failed))
sys.exit(failed > 0)
E
passed=0 failed=0
for dialect in wpaicg aipkit; do
    mkfifo "$work/in.$dialect"
    "$BUILD/demo_site" --dialect $dialect <"$work/in.$dialect" >"$work/out" &
    exec 9>"$work/in.$dialect"
    for _ in $(seq 100); do grep -q '^url=' "$work/out" && break; sleep 0.05; done
    CHATGPTT_LIBRARY=$BUILD/libchatgptt.so timeout 60 python3 "$work/try.py" "$(sed -n 's/^url=//p' "$work/out")" >"$work/said" 2>&1
    status=$?
    exec 9>&-
    wait
    counts=$(tail -n 1 "$work/said")
    case $counts in
    [0-9]*\ [0-9]*) passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* })) ;;
    *) failed=$((failed + 1)); status=1 ;;
    esac
    [ $status -eq 0 ] || sed "s/^/$dialect: /" "$work/said"
done
echo "python: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
