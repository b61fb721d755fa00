"""A report as Markdown, as GitHub and others show it; no text in it can become anything but text."""

import re
from collections.abc import Sequence
from typing import Final

from spotui.domain.figures import bars, points
from spotui.domain.text import short, visible
from spotui.lang import _
from spotui.view.report.document import (
    Block,
    Chart,
    Difference,
    Figures,
    Paragraph,
    Part,
    Report,
    Section,
    Table,
)

MARK: Final = "<!-- spotui report -->"
"""Tells a report of spotui from other files."""

FIGURES: Final = "<!-- spotui figures -->"
PROMPT: Final = "<!-- spotui prompt -->"
RECEIPT: Final = "<!-- spotui receipt -->"
"""What `spotui verify` looks for; what follows it is the table, the prompt or the receipt."""

_SPECIAL: Final = re.compile(
    r"[\\`*_\[\]<>#|&]|(?<=\S)~|\$(?!\d)|(?<=:)/(?=/)|(?<=www)\.|^[-+=:](?=\s|[-=:])|(?<=^\d)[.)](?=\s)"
)
"""What means something in Markdown: marks, the beginnings of links, and what begins a line."""

_SHOWN: Final = 160
_BARS: Final = 60


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    parts = [MARK, f"# {_line(report.title)}", _line(report.subtitle)]
    parts += filter(None, map(_part, report.parts))
    if report.data:
        parts += [f"## {_line(_('Receipt'))}", RECEIPT, fenced(report.data.strip(), "json")]
    return "\n\n".join(parts) + "\n"


def fenced(text: str, language: str = "") -> str:
    """A text as a block, in a fence that is longer than any inside of it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _part(part: Part) -> str:
    match part:
        case Section(title, level):
            return f"{'#' * level} {_line(title)}"
        case Paragraph(text, is_headline):
            found = "  \n".join(map(_line, text.splitlines()))
            return f"**{found}**" if is_headline and found.strip() else found
        case Figures(figures):
            rows = [[one.label, one.text] for one in figures]
            return f"{FIGURES}\n\n{_table(Table((_('Figure'), _('Value')), rows))}"
        case Table():
            return _table(part) if part.rows else _line(_("None."))
        case Block(text, title, is_prompt):
            heading = f"{_line(title)}\n\n" if title else ""
            return f"{PROMPT}\n\n{fenced(visible(text))}" if is_prompt else heading + fenced(visible(text))
        case Difference(pieces):
            marks = {"added": ("{+", "+}"), "removed": ("[-", "-]"), "same": ("", "")}
            text = "".join(
                f"{marks[one.change][0]}{one.text}{marks[one.change][1]}" if one.text.strip() else one.text
                for one in pieces
            )
            return fenced(visible(text))
        case Chart():
            return _chart(part)


def _chart(chart: Chart) -> str:
    if not chart.points:
        return ""
    if chart.is_trend:
        shown = [point.value for point in chart.points]
        top = max(*shown, chart.line or 0.0, 1e-9)
        figures = f"{points(shown[0])} … {points(shown[-1])}"
        return f"{_line(chart.title)}\n\n{fenced(f'{bars(shown, top, _BARS)}  {figures}')}"
    names = [short(point.label, 30) for point in chart.points]
    width = max(map(len, names))
    lines = [
        f"{name:{width}}  {'█' * round(30 * max(0.0, point.value)):30}  {points(point.value)}"
        for name, point in zip(names, chart.points, strict=True)
    ]
    return f"{_line(chart.title)}\n\n{fenced(chr(10).join(lines))}"


def _table(table: Table) -> str:
    rules = ["---:" if column in table.numbers else "---" for column in range(len(table.head))]
    lines = [_row([_line(name) for name in table.head]), _row(rules)]
    for index, cells in enumerate(table.rows):
        tone = table.tones[index] if index < len(table.tones) else ""
        texts = [_line(short(cell, _SHOWN)) for cell in cells]
        lines.append(_row([f"**{text}**" if tone == "best" and text else text for text in texts]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", " ".join(visible(text).split()))
