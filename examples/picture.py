#!/usr/bin/env python3
"""picture.py - makes examples/session.svg: runs `make demo` on a terminal of its own, notes what is printed when, and draws
that as an SVG that plays it again and again. A viewer without animation, or a reader who wants none, sees it whole."""
import html, os, pty, sys, time, unicodedata

COLUMNS, CELL, LINE, LEFT, TOP = 100, 8, 20, 16, 54     # of the terminal in cells, the others in pixels
TYPED, HOLD = 1.6, 5.0                                  # seconds: until the command is typed, and for which the end stays
COMMAND = "make demo"
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-size="13">
<title>make demo asks a stand-in site a question and its answer streams</title>
<style>
text{fill:#d8dee9;font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.dim{fill:#8a94a8}.prompt{fill:#8fbc8b}
@media (prefers-reduced-motion:no-preference){
%s
}
</style>
<rect width="%d" height="%d" rx="8" fill="#1d2330"/>
<g fill="#4a5366"><circle cx="18" cy="17" r="5"/><circle cx="36" cy="17" r="5"/><circle cx="54" cy="17" r="5"/></g>
%s
</svg>
"""


def record():
    """What the session prints, as [(seconds, text)]."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", TMPDIR="build", MAKEFLAGS="")
        os.execvp("make", COMMAND.split())
    begun, whole, text, done = time.monotonic(), b"", [], 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:                                 # Linux's way to say that nobody is left on the terminal
            break
        whole += piece
        shown = whole.decode(errors="ignore")           # a character may come in two pieces
        text.append((time.monotonic() - begun, shown[done:]))
        done = len(shown)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit(shown)
    return text


def width(character):
    return 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(text):
    return sum(map(width, text))


def place(pieces):
    """Each piece cut where its line ends: [(seconds, row, column, text)], and the number of rows."""
    row = column = 0
    placed = []
    for at, text in pieces:
        placed.append((at, row, column, ""))
        for character in text.replace("\r", ""):
            if character == "\n" or column + width(character) > COLUMNS:
                row, column = row + 1, 0
                placed.append((at, row, column, ""))
            if character != "\n":
                placed[-1] = placed[-1][:3] + (placed[-1][3] + character,)
                column += width(character)
    return placed, row + (column > 0)


def draw(placed, rows):
    """What is said beside the answer is dim; each piece is hidden until its time has come."""
    ends = placed[-1][0] + HOLD
    style, lines, dim = [], [], False
    for number, (at, row, column, text) in enumerate(placed):
        words = text.strip()
        if not words:
            continue
        if column == 0:
            dim = words.startswith("chatgptt: ") or (dim and not words.startswith("$"))
        column += len(text) - len(text.lstrip())
        style.append("@keyframes p%d{0%%,%.2f%%{visibility:hidden}}" % (number, at / ends * 100))
        style.append("#p%d{animation:p%d %.1fs infinite}" % (number, number, ends))
        shown = html.escape(words, quote=False)
        if shown[0] == "$" and column == 0:
            shown = '<tspan class="prompt">$</tspan>' + shown[1:]
        lines.append('<text id="p%d" x="%d" y="%d" textLength="%d"%s>%s</text>' % (
            number, LEFT + column * CELL, TOP + row * LINE, cells(words) * CELL, ' class="dim"' if dim else "", shown))
    size = (2 * LEFT + COLUMNS * CELL, TOP + rows * LINE)
    return PICTURE % (*size, "\n".join(style), *size, "\n".join(lines))


os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
os.makedirs("build", exist_ok=True)
typed = [(0.4 + (TYPED - 0.8) * i / len(COMMAND), letter) for i, letter in enumerate(COMMAND)]
session = [(at + TYPED, text) for at, text in record()]
with open("examples/session.svg", "w", encoding="utf-8") as out:
    out.write(draw(*place([(0.0, "$ "), *typed, (TYPED, "\n"), *session])))
