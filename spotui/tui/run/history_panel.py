"""A round as a row: with its votes, or with its score where prompts are scored on rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from spotui.domain.events import JudgeMeasured, RoundFinished
from spotui.domain.figures import (
    bars,
    cell,
    clock,
    count,
    percent,
    points,
    span,
    usd,
    verdict,
    with_interval,
)
from spotui.lang import _, ngettext
from spotui.tui.focus_paint import Framed
from spotui.tui.run.following import TONES, RoundOpened
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.picture import Picture, RoundPicture
from spotui.view.word_diff import word_diff, words_changed

VOTED = (
    Column("round", 5, is_number=True),
    Column("verdict", 10),
    Column("votes", 5, is_number=True),
    Column("win rate", 17, is_number=True, from_width=110),
    Column("words", 9, is_number=True, from_width=50),
    Column("tokens", 7, is_number=True, from_width=56),
    Column("USD", 9, is_number=True, from_width=84),
    Column("time", 6, is_number=True, from_width=70),
    Column("modification", from_width=44),
)
"""The columns of a run that is decided by votes."""

SCORED = (
    Column("round", 5, is_number=True),
    Column("verdict", 10),
    Column("score", 5, is_number=True),
    Column("interval", 14, is_number=True, from_width=62),
    Column("prompts", 7, is_number=True, from_width=104),
    Column("words", 9, is_number=True, from_width=44),
    Column("tokens", 7, is_number=True, from_width=72),
    Column("USD", 9, is_number=True, from_width=96),
    Column("time", 6, is_number=True, from_width=84),
    Column("modification", from_width=38),
)
"""The columns of one that is decided by scores; words are those changed, of those allowed."""


def voted_cells(picture: Picture, shown: RoundPicture) -> tuple[Content | str, ...]:
    """A round with its votes."""
    number = _number(picture, shown)
    choices = [vote.choice for vote in shown.votes]
    votes = f"{choices.count('win')}:{choices.count('loss')}" if choices else ""
    words = ""
    if shown.candidate is not None:
        old = picture.prompt_of(shown.candidate.parent)
        words = _words(old, shown.candidate.prompt)
    modification, end = _modification(picture, shown), shown.end
    if end is None:
        under_way = Content.styled("…", "$text-muted")
        own = _method_cells(picture, None)
        return (number, under_way, votes, "", words, "", "", "", *own, modification)
    return (
        number,
        _verdict(shown),
        votes or (f"{end.wins}:{end.losses}" if end.wins or end.losses else ""),
        _rate(end),
        words,
        count(tokens(end), estimated=end.estimated),
        usd(end.cost_usd, estimated=end.estimated),
        clock(end.seconds),
        *_method_cells(picture, end),
        modification or end.note,
    )


def _method_cells(picture: Picture, end: RoundFinished | None) -> list[str]:
    """The cells of the columns that the method adds."""
    values = end.columns if end is not None else {}
    return [cell(values[name]) if name in values else "" for name in method_columns(picture)]


def method_columns(picture: Picture) -> tuple[str, ...]:
    """The columns that the method adds."""
    return picture.opened.columns if picture.opened is not None else ()


def columns_of(picture: Picture) -> list[Column]:
    """The columns of a run."""
    *usual, modification = SCORED if picture.is_scored else VOTED
    own = [Column(name, cell_len(name), is_number=True, from_width=60) for name in method_columns(picture)]
    return [*usual, *own, modification]


@lru_cache(maxsize=512)
def _words(old: str, new: str) -> str:
    """What two prompts differ by; a row is made anew at each vote, and long prompts take long to compare."""
    added, removed = words_changed(word_diff(old, new))
    return f"+{added} -{removed}"


def _rate(end: RoundFinished) -> str:
    if end.win_rate is None:
        return ""
    if end.win_interval is None:
        return percent(end.win_rate)
    low, high = end.win_interval
    return with_interval(percent(end.win_rate), percent(low), percent(high))


def scored_cells(picture: Picture, shown: RoundPicture) -> tuple[Content | str, ...]:
    """A round with the score of the prompt that leads it or was kept."""
    leading, end = shown.scores.leading, shown.end
    score = interval = words = ""
    if end is not None and end.score is not None and end.score_interval is not None:
        score, interval = points(end.score), _interval(*end.score_interval)
    elif leading is not None:
        score, interval = points(leading.score), _interval(leading.low, leading.high)
    budget = end.edit_budget if end is not None else shown.scores.shown and shown.scores.shown.edit_budget
    if shown.candidate is not None and shown.candidate.words_changed is not None:
        words = f"{shown.candidate.words_changed}"
        if budget is not None:
            words = _("{n} of {all}", n=words, all=budget)
    modification = _modification(picture, shown)
    prompts = str(len(shown.scores.by_prompt) or "")
    if end is None:
        under_way = Content.styled("…", "$text-muted")
        own = _method_cells(picture, None)
        number = _number(picture, shown)
        return (number, under_way, score, interval, prompts, words, "", "", "", *own, modification)
    return (
        _number(picture, shown),
        _verdict(shown),
        score,
        interval,
        prompts,
        words,
        count(tokens(end), estimated=end.estimated),
        usd(end.cost_usd, estimated=end.estimated),
        clock(end.seconds),
        *_method_cells(picture, end),
        modification or end.note,
    )


def _used(columns: Sequence[Column], rows: Iterable[Row]) -> tuple[int, ...]:
    """The columns with anything in them; the first two are always there, and so is the last.

    An unknown price in every row is nothing.
    """
    nothing = {"", "0", usd(None)}
    filled: set[int] = {0, 1, len(columns) - 1}
    for row in rows:
        filled |= {place for place, cell in enumerate(row.cells) if str(cell) not in nothing}
    return tuple(sorted(filled))


def tokens(end: RoundFinished) -> int:
    """What a round took, both ways."""
    return end.prompt_tokens + end.completion_tokens


def _number(picture: Picture, shown: RoundPicture) -> Content | str:
    is_best = shown.number == picture.best
    return Content.styled(f"{shown.number}*", "bold $accent") if is_best else str(shown.number)


def _verdict(shown: RoundPicture) -> Content:
    outcome = shown.outcome or ""
    preferred = shown.end.preferred if shown.end is not None else ""
    return Content.styled(verdict(outcome, shown.judged, preferred), TONES.get(outcome, ""))


def _modification(picture: Picture, shown: RoundPicture) -> str:
    """What was changed, behind the hint that a person gave for the candidates from here on."""
    modification = " ".join(shown.candidate.modification.split()) if shown.candidate else ""
    if hint := picture.hints.get(shown.number):
        return _("(your hint: {hint}) {modification}", hint=hint, modification=modification)
    return modification


def _interval(low: float, high: float) -> str:
    return span(points(low), points(high))


class _Seen(NamedTuple):
    """What a row depends on, compared before a row is made."""

    best: bool
    outcome: str | None
    judged: str | None
    votes: int
    candidate: object
    end: object
    scores: int
    hint: str | None


class HistoryPanel(Vertical, Framed):
    """The round under the cursor is the one that every panel shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "compare with this", id="history.mark"),
    ]

    ALLOW_MAXIMIZE = True

    DEFAULT_CSS = """
    HistoryPanel {
        & Curves { height: 1; padding: 0 1; color: $text-muted; }
        & TableView { height: 1fr; }
    }
    """

    @dataclass
    class Selected(Message):
        """Another round is under the cursor."""

        number: int

    @dataclass
    class Marked(Message):
        """The others are to be compared with this round."""

        number: int

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Rounds")
        self._seen: dict[int, _Seen] = {}
        self._rows: dict[int, Row] = {}
        self._judge: JudgeMeasured | None = None
        self._columns: list[Column] = list(VOTED)
        self._used: tuple[int, ...] = tuple(range(len(VOTED)))

    def compose(self) -> ComposeResult:
        """The curves above, the rounds below them."""
        yield Curves()
        table = TableView(VOTED)
        table.empty = Content(_("Rounds appear here, the seed prompt first."))
        yield table

    def show(self, picture: Picture) -> None:
        """Bring the rows up to date; only those that changed are painted."""
        table = self.query_one(TableView)
        columns = columns_of(picture)
        if not set(self._rows) <= set(picture.rounds) or columns != self._columns:
            self._rows.clear()
            self._seen.clear()
        is_other = columns != self._columns
        self._columns = columns
        cells = scored_cells if picture.is_scored else voted_cells
        last = max(self._rows, default=0)
        follows = table.current in {"", str(last)} and not table.is_awaiting
        is_changed = False
        for number, one in sorted(picture.rounds.items()):
            seen = _Seen(
                number == picture.best,
                one.outcome,
                one.judged,
                len(one.votes),
                one.candidate,
                one.end,
                len(one.scores.by_prompt),
                picture.hints.get(number),
            )
            if seen != self._seen.get(number):
                self._seen[number] = seen
                self._rows[number] = Row(str(number), cells(picture, one))
                is_changed = True
        if picture.judge is not self._judge or is_changed:
            self._judge = picture.judge
            self.query_one(Curves).show(picture)
        if not is_changed:
            return
        used = _used(columns, self._rows.values())
        if is_other or used != self._used:
            self._used = used
            current = table.current
            table.use_columns([columns[place] for place in used])
            table.show(self._chosen_cells(used))
            table.select(current)
        else:
            table.show(self._chosen_cells(used))
        if follows:
            table.select(str(max(self._rows)))

    def _chosen_cells(self, used: Sequence[int]) -> list[Row]:
        """The rows with the cells of the columns that are shown; the same cells make the same row."""
        return [row._replace(cells=tuple(row.cells[place] for place in used)) for row in self._rows.values()]

    def select(self, number: int) -> None:
        """Put the cursor on a round."""
        self.query_one(TableView).select(str(number))

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Tell which round is under the cursor now."""
        event.stop()
        if event.key:
            self.post_message(self.Selected(int(event.key)))

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Show the answers of the round."""
        event.stop()
        self.post_message(RoundOpened(int(event.key)))

    def action_mark(self) -> None:
        """Compare the other rounds with the one under the cursor."""
        if current := self.query_one(TableView).current:
            self.post_message(self.Marked(int(current)))


class Curves(Widget):
    """A bar a round: the score of its prompt or the win rate of its duel, and what it took."""

    def __init__(self) -> None:
        super().__init__()
        self._won: list[float | None] = []
        self._spent: list[float] = []
        self._is_priced = False
        self._measure: str = _("win rate")
        self._judge = Content("")

    def show(self, picture: Picture) -> None:
        """Paint again what has changed."""
        ends = [one.end for _unused, one in sorted(picture.rounds.items()) if one.end is not None]
        self._is_priced = any(end.cost_usd for end in ends)
        self._measure = _("score") if picture.is_scored else _("win rate")
        self._won = [end.score if picture.is_scored else _win_rate(end) for end in ends]
        self._spent = [(end.cost_usd or 0.0) if self._is_priced else float(tokens(end)) for end in ends]
        self._judge = _judged(picture.judge)
        self.refresh()

    def render(self) -> Content:
        """Both curves on one row, and at the right how often the order of the answers changed a vote."""
        names = (f"{self._measure} ", _("  USD ") if self._is_priced else _("  tokens "))
        width = self.content_size.width
        judge = self._judge if self._judge.cell_length < width // 2 else Content("")
        room = (width - judge.cell_length - sum(map(cell_len, names)) - 1) // 2
        curves = Content.assemble(
            names[0],
            (bars(self._won, 1.0, room), "$text-success"),
            names[1],
            (bars(self._spent, max(self._spent, default=0.0), room), "$text-warning"),
        )
        return Content.assemble(curves, " " * (width - curves.cell_length - judge.cell_length), judge)


def _win_rate(end: RoundFinished) -> float | None:
    votes = end.wins + end.losses + end.ties
    return end.wins / votes if votes else None


def _judged(record: JudgeMeasured | None) -> Content:
    if record is None or not record.pairs:
        return Content("")
    voids = ngettext(", {n:,} void", ", {n:,} voids", record.voids) if record.voids else ""
    text = ngettext(
        "order changed {flips} of {n:,} pair{voids}",
        "order changed {flips} of {n:,} pairs{voids}",
        record.pairs,
        flips=record.flips,
        voids=voids,
    )
    return Content.styled(text, "$text-warning" if record.warning else "$text-muted")
