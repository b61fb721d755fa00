"""The parts that a report is made of; HTML and Markdown are renderings of them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from spotui.view.report.receipt import Figure
from spotui.view.word_diff import Piece

Tone = Literal["", "win", "loss", "best", "faint"]


class Section(NamedTuple):
    """A heading.

    Attributes:
        title: Its words.
        level: 2 for a part of the report, 3 for a part of that.
    """

    title: str
    level: int = 2


class Paragraph(NamedTuple):
    """A few sentences.

    Attributes:
        text: The sentences; line breaks count.
        is_headline: Whether it is the result of all.
    """

    text: str
    is_headline: bool = False


class Figures(NamedTuple):
    """The figures of a receipt; `spotui verify` reads them again."""

    figures: Sequence[Figure]


class Table(NamedTuple):
    """A table.

    Attributes:
        head: The names of the columns.
        rows: The cells; as many as there are columns.
        numbers: The columns that are numbers, from 0.
        tones: What each row is, where that is shown.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    tones: Sequence[Tone] = ()


class Block(NamedTuple):
    """A text as it is, e.g. a prompt.

    Attributes:
        text: The text.
        title: What it is, where no heading says so.
        is_prompt: Whether it is the prompt that the receipt is for.
    """

    text: str
    title: str = ""
    is_prompt: bool = False


class Difference(NamedTuple):
    """What changed between two texts."""

    pieces: Sequence[Piece]


class Point(NamedTuple):
    """One figure of a chart, with where it lies.

    Attributes:
        label: The round, or whose figure it is.
        value: 0..1.
        low: The end of its interval, or None.
        high: The other end.
        tone: How it stands out.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    tone: Tone = ""


class Chart(NamedTuple):
    """Figures from left to right, or one below the other.

    Attributes:
        title: What is shown, in a sentence that also stands in for the picture.
        points: The figures.
        is_trend: Whether the points follow each other, as rounds do; otherwise each is a bar with its name.
        line: A figure that all are compared with, e.g. the seed's; None for none.
        line_label: What it is.
    """

    title: str
    points: Sequence[Point]
    is_trend: bool = True
    line: float | None = None
    line_label: str = ""


Part = Section | Paragraph | Figures | Table | Block | Difference | Chart


class Report(NamedTuple):
    """A report.

    Attributes:
        title: What it is about.
        subtitle: Of what kind it is, and from when.
        parts: From the first to the last.
        data: The receipts behind its figures, as JSON; empty where there are none.
    """

    title: str
    subtitle: str
    parts: Sequence[Part]
    data: str = ""
