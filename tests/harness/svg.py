"""A terminal's session as an animated SVG: commands are typed, what they print appears.

Where nothing is animated all of it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from rich.color import Color, ColorSystem
from rich.style import Style
from rich.text import Text

COLUMNS = 80
CELL, LINE, SIZE = 8.4, 19.0, 14
"""Pixels: width of a character, height of a line, size of the font."""
MARGIN, BAR = 16.0, 34.0
TYPED, READ, BETWEEN = 0.045, 1.4, 0.4
"""Seconds: for a character, to read what came, before the next command."""
INK, PAPER, FAINT, PROMPT = "#d8dee9", "#1f2430", "#7a8499", "#8fbcbb"
PALETTE = ("#3b4252", "#e06c75", "#8fce7e", "#e5c07b", "#6cb6ff", "#c678dd", "#56b6c2", "#d8dee9")
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

LOOKS = (
    f"text{{font:{SIZE}px {FONT};white-space:pre}}.b{{font-weight:700}}"
    "@media (prefers-reduced-motion:no-preference){g.r{animation:r 1ms both}}"
    "@keyframes r{from{opacity:0}to{opacity:1}}"
)


@dataclass(frozen=True)
class Shown:
    """One command as it was typed, and what it printed, with the terminal's colours."""

    command: str
    output: str


def picture(title: str, session: Sequence[Shown]) -> str:
    """The document. Nothing in it is fetched from elsewhere."""
    rows = list(_rows(session))
    width = COLUMNS * CELL + 2 * MARGIN
    height = len(rows) * LINE + BAR + 2 * MARGIN
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} fill="{INK}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{LOOKS}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        *(f'<circle cx="{20 + 18 * at}" cy="17" r="5.5" fill="{PALETTE[1 + at]}"/>' for at in range(3)),
    ]
    parts += [_row(at, text, delay) for at, (text, delay) in enumerate(rows)]
    return "\n".join([*parts, "</svg>", ""])


def _rows(session: Sequence[Shown]) -> Iterator[tuple[Text, float]]:
    """Each line, and when it appears."""
    now = 0.5
    for shown in session:
        for at, line in enumerate(shown.command.splitlines()):
            yield Text.assemble(("$ " if at == 0 else "> ", PROMPT), (line, "bold")), now
            now += TYPED * len(line)
        lines = shown.output.rstrip().splitlines()
        for line in lines:
            yield from ((part, now) for part in _wrapped(Text.from_ansi(line)))
        yield Text(""), now
        now += BETWEEN + READ * bool(lines)


def _wrapped(line: Text) -> Iterator[Text]:
    """As a terminal breaks a line."""
    for begin in range(0, max(len(line), 1), COLUMNS):
        yield line[begin : begin + COLUMNS]


def _row(at: int, text: Text, delay: float) -> str:
    y = BAR + MARGIN + at * LINE + SIZE
    spans = "".join(_span(text, begin, end, style, y) for begin, end, style in _runs(text))
    return f'<g class="r" style="animation-delay:{delay:.2f}s">{spans}</g>' if spans else ""


def _runs(text: Text) -> Iterator[tuple[int, int, Style]]:
    """Stretches of one style each."""
    styles = [_style(text, at) for at in range(len(text))]
    begin = 0
    for at in range(1, len(styles) + 1):
        if at == len(styles) or styles[at] != styles[begin]:
            yield begin, at, styles[begin]
            begin = at


def _style(text: Text, at: int) -> Style:
    found = Style()
    for span in text.spans:
        if span.start <= at < span.end:
            found += Style.parse(span.style) if isinstance(span.style, str) else span.style
    return found


def _span(text: Text, begin: int, end: int, style: Style, y: float) -> str:
    """On the grid whatever the font."""
    words = text.plain[begin:end]
    if not words.strip():
        return ""
    colour = FAINT if style.dim else _hex(style.color)
    look = f' fill="{colour}"' if colour else ""
    look += ' class="b"' if style.bold else ""
    x, length = MARGIN + begin * CELL, len(words) * CELL
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"'
        f"{look}>{escape(words)}</text>"
    )


def _hex(colour: Color | None) -> str | None:
    if colour is None or colour.is_default:
        return None
    if colour.number is not None and colour.number < 2 * len(PALETTE):
        return PALETTE[colour.number % len(PALETTE)]
    return colour.downgrade(ColorSystem.TRUECOLOR).get_truecolor().hex
