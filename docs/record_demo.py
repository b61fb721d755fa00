"""The README's demo, an animated SVG of about a minute: `python docs/take_screenshots.py demo` records it.

It starts the app in a pseudo-terminal with an empty home folder, follows the tour, which needs no model, and
looks at a few screens. The tour is shown four times as fast as it is. Each line of a frame is drawn once,
however many frames show it. To show more, add keys to `LOOKS`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from html import escape
from itertools import accumulate, groupby
from pathlib import Path
from typing import Final, NamedTuple

from pyte.screens import Char

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.terminal import Terminal  # noqa: E402 - only found once the path is set

COLUMNS, ROWS = 110, 32
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 18, 14
FRAME_SECONDS: Final = 0.6
"""The shortest time between two frames."""
STILL_SECONDS: Final = 2.5
"""The longest time that a frame is shown."""
TOUR_PACE: Final = 4.0
"""How many times as fast the tour is shown."""
LOOKS: Final = (("5", "d"), ("6",), ("8",), ("9",), ("a",))
"""The keys pressed after the tour; what they show is shown for a while."""
BACKGROUND, FOREGROUND = "10151c", "e6edf3"
COLOURS: Final = {"default": "", "black": BACKGROUND, "white": FOREGROUND}


class Span(NamedTuple):
    """Cells side by side that look the same."""

    column: int
    cells: int
    text: str
    colour: str
    ground: str
    bold: bool
    italic: bool
    underlined: bool


Line = tuple[Span, ...]


class Frame(NamedTuple):
    """A screen, and when it appeared."""

    at: float
    lines: tuple[Line, ...]


class Camera(Terminal):
    """A terminal whose screen is recorded whenever it has changed."""

    def __init__(self, command: list[str], environ: dict[str, str | None]) -> None:
        self.frames: list[Frame] = []
        self._played, self._last = 0.0, time.monotonic()
        super().__init__(command, columns=COLUMNS, rows=ROWS, environ=environ)

    def record(self, seconds: float, pace: float = 1.0) -> None:
        """Record for a while, to be shown `pace` times as fast."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(FRAME_SECONDS * pace)
            now = time.monotonic()
            self._played += (now - self._last) / pace
            self._last = now
            with self._changed:
                lines = tuple(
                    _line([self._screen.buffer[row][column] for column in range(COLUMNS)])
                    for row in range(ROWS)
                )
            if not self.frames or lines != self.frames[-1].lines:
                self.frames.append(Frame(self._played, lines))

    def record_until(self, *texts: str, pace: float = 1.0) -> None:
        """Record until every text is on the screen."""
        end = time.monotonic() + 600
        while not all(text in self.text for text in texts):
            if time.monotonic() > end:
                raise TimeoutError(f"{texts} did not appear; the screen is:\n{self.text}")
            self.record(FRAME_SECONDS * pace, pace)


def _line(cells: list[Char]) -> Line:
    spans = []
    column = 0
    for look, group in groupby(cells, key=_look):
        run = list(group)
        text = "".join(cell.data for cell in run)
        colour, ground, *shape = look
        if text.strip() or ground not in {"", BACKGROUND}:
            spans.append(Span(column, len(run), text, colour, ground, *shape))
        column += len(run)
    return tuple(spans)


def _look(cell: Char) -> tuple[str, str, bool, bool, bool]:
    colour, ground = COLOURS.get(cell.fg, cell.fg), COLOURS.get(cell.bg, cell.bg)
    if cell.reverse:
        colour, ground = ground or BACKGROUND, colour or FOREGROUND
    return colour, ground, cell.bold, cell.italics, cell.underscore


def drawn(frames: list[Frame]) -> str:
    """The frames as an SVG that shows one after the other, again and again."""
    width, height = COLUMNS * CELL_WIDTH, ROWS * CELL_HEIGHT
    names: dict[Line, str] = {}
    strip = []
    for number, frame in enumerate(frames):
        uses = []
        for row, line in enumerate(frame.lines):
            if line:
                name = names.setdefault(line, f"l{len(names)}")
                uses.append(f'<use href="#{name}" y="{row * CELL_HEIGHT}"/>')
        strip.append(f'<g transform="translate({number * width:g})">{"".join(uses)}</g>')
    definitions = "\n".join(f'<g id="{name}">{"".join(_drawn(line))}</g>' for line, name in names.items())
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">
<title>spotui: the tour of a recorded run</title>
<style>
text {{ font: {FONT_SIZE}px Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #{FOREGROUND} }}
.b {{ font-weight: bold }} .i {{ font-style: italic }} .u {{ text-decoration: underline }}
#strip {{ animation: play {sum(_times(frames)):.1f}s steps(1, end) infinite }}
@keyframes play {{ {" ".join(_keyframes(frames, width))} }}
@media (prefers-reduced-motion: reduce) {{
  #strip {{ animation: none; transform: translateX({-(len(frames) - 1) * width:g}px) }}
}}
</style>
<defs>
{definitions}
</defs>
<rect width="100%" height="100%" rx="8" fill="#{BACKGROUND}"/>
<g id="strip">
{chr(10).join(strip)}
</g>
</svg>
"""


def _times(frames: list[Frame]) -> list[float]:
    """How long each frame is shown."""
    following = [frame.at for frame in frames[1:]]
    shown = [min(after - frame.at, STILL_SECONDS) for frame, after in zip(frames, following, strict=False)]
    return [*shown, 2 * STILL_SECONDS]


def _keyframes(frames: list[Frame], width: float) -> Iterator[str]:
    times = _times(frames)
    for number, began in enumerate(accumulate(times[:-1], initial=0.0)):
        yield f"{began / sum(times):.3%} {{ transform: translateX({-number * width:g}px) }}"


def _drawn(line: Line) -> Iterator[str]:
    for span in line:
        x, width = f"{span.column * CELL_WIDTH:g}", f"{span.cells * CELL_WIDTH:g}"
        if span.ground not in {"", BACKGROUND}:
            yield f'<rect x="{x}" width="{width}" height="{CELL_HEIGHT}" fill="#{span.ground}"/>'
        if not span.text.strip():
            continue
        shapes = {"b": span.bold, "i": span.italic, "u": span.underlined}
        classes = " ".join(name for name, has in shapes.items() if has)
        shape = f' class="{classes}"' if classes else ""
        fill = f' style="fill:#{span.colour}"' if span.colour else ""
        text = escape(span.text.replace(" ", "\u00a0"), quote=False)
        yield f'<text x="{x}" y="{CELL_HEIGHT - 5}" textLength="{width}"{shape}{fill}>{text}</text>'


def record_demo() -> None:
    """Follow the tour, and write what it looked like."""
    with tempfile.TemporaryDirectory(prefix="s-") as home:
        keep = ("PATH", "LANG", "LC_ALL", "TZ")
        environ: dict[str, str | None] = dict.fromkeys(set(os.environ) - set(keep))
        environ |= {"HOME": home, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        with Camera([sys.executable, "-m", "spotui"], environ) as app:
            app.wait_for("tour")
            app.record(3)
            app.press("escape")
            app.record(2)
            app.press("t")
            app.record_until("13/13", pace=TOUR_PACE)
            app.record(3)
            for keys in LOOKS:
                app.press(*keys)
                app.record(2.5)
            app.press("ctrl+q")
            app.wait_exit()
            frames = app.frames
    path = ROOT / "docs" / "screens" / "demo.svg"
    path.write_text(drawn(frames), encoding="utf-8")
    sys.stdout.write(f"{path}: {len(frames)} frames, {path.stat().st_size / 1000:.0f} kB\n")
