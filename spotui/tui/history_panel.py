"""Every round of a run: one row each, and the curves of what they won and what they took."""

from functools import lru_cache
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from spotui.events import RoundFinished
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.curve import bars
from spotui.view.figures import count, duration, percent, usd
from spotui.view.picture import Picture, RoundPicture
from spotui.view.word_diff import word_diff, words_changed

_TONES = {
    "seed": "$accent",
    "win": "$text-success",
    "loss": "$text-muted",
    "tie": "$text-warning",
    "undecided": "$text-warning",
    "void": "$text-error",
}
_COLUMNS = (
    Column("round", 5, is_number=True),
    Column("verdict", 9),
    Column("votes", 5),
    Column("win rate", 17, from_width=110),
    Column("words", 9, from_width=50),
    Column("tokens", 7, is_number=True, from_width=56),
    Column("USD", 9, is_number=True, from_width=84),
    Column("time", 6, is_number=True, from_width=70),
    Column("modification", from_width=44),
)


class _Seen(NamedTuple):
    """What a row depends on, compared before a row is made."""

    best: bool
    outcome: str | None
    votes: int
    candidate: object
    end: object


class HistoryPanel(Vertical):
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

    class Selected(Message):
        """Another round is under the cursor."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Opened(Message):
        """Somebody wants to see a round's answers."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Marked(Message):
        """The others are to be compared with this round."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.border_title = "Rounds"
        self._seen: dict[int, _Seen] = {}
        self._rows: dict[int, Row] = {}

    def compose(self) -> ComposeResult:
        """The curves above, the rounds below them."""
        yield Curves()
        table = TableView(_COLUMNS)
        table.empty = Content("The rounds will stand here, the seed prompt first.")
        yield table

    def show(self, picture: Picture) -> None:
        """Bring the rows up to date; only those that changed are painted."""
        table = self.query_one(TableView)
        if not set(self._rows) <= set(picture.rounds):
            self._rows.clear()
            self._seen.clear()
        last = max(self._rows, default=0)
        follows = table.current in {"", str(last)}
        is_changed = False
        for number, one in sorted(picture.rounds.items()):
            seen = _Seen(number == picture.best, one.outcome, len(one.votes), one.candidate, one.end)
            if seen != self._seen.get(number):
                self._seen[number] = seen
                self._rows[number] = _row(picture, one)
                is_changed = True
        if not is_changed:
            return
        table.show(list(self._rows.values()))
        if follows:
            table.select(str(max(self._rows)))
        self.query_one(Curves).show(picture)

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
        self.post_message(self.Opened(int(event.key)))

    def action_mark(self) -> None:
        """Compare the other rounds with the one under the cursor."""
        if current := self.query_one(TableView).current:
            self.post_message(self.Marked(int(current)))


class Curves(Widget):
    """A bar a round: the win rate of its duel, and what it took."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._won: list[float | None] = []
        self._spent: list[float] = []
        self._is_priced = False

    def show(self, picture: Picture) -> None:
        """Paint again what has changed."""
        ends = [one.end for _, one in sorted(picture.rounds.items()) if one.end is not None]
        self._is_priced = any(end.cost_usd for end in ends)
        self._won = [
            end.wins / votes if (votes := end.wins + end.losses + end.ties) else None for end in ends
        ]
        self._spent = [(end.cost_usd or 0.0) if self._is_priced else float(_tokens(end)) for end in ends]
        self.refresh()

    def render(self) -> Content:
        """Both curves on one row."""
        names = ("win rate ", "  USD " if self._is_priced else "  tokens ")
        room = (self.content_size.width - sum(map(len, names))) // 2
        return Content.assemble(
            names[0],
            (bars(self._won, 1.0, room), "$text-success"),
            names[1],
            (bars(self._spent, max(self._spent, default=0.0), room), "$text-warning"),
        )


def _tokens(end: RoundFinished) -> int:
    return end.prompt_tokens + end.completion_tokens


def _row(picture: Picture, one: RoundPicture) -> Row:
    return Row(str(one.number), _cells(picture, one))


def _cells(picture: Picture, one: RoundPicture) -> tuple[Content | str, ...]:
    is_best = one.number == picture.best
    number = Content.styled(f"{one.number}*", "bold $accent") if is_best else str(one.number)
    choices = [vote.choice for vote in one.votes]
    votes = f"{choices.count('win')}:{choices.count('loss')}" if choices else ""
    words = ""
    if one.candidate is not None:
        old = picture.prompt_of(one.candidate.parent)
        words = _words(old, one.candidate.prompt)
    modification = " ".join(one.candidate.modification.split()) if one.candidate else ""
    end = one.end
    if end is None:
        return (number, Content.styled("…", "$text-muted"), votes, "", words, "", "", "", modification)
    return (
        number,
        Content.styled(one.outcome or "", _TONES.get(one.outcome or "", "")),
        votes or (f"{end.wins}:{end.losses}" if end.wins or end.losses else ""),
        _rate(end),
        words,
        count(_tokens(end)),
        usd(end.cost_usd),
        duration(end.seconds),
        modification or end.note,
    )


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
    return f"{percent(end.win_rate)} ({percent(low)} to {percent(high)})"
