"""Every round of a run, one row each."""

from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from spotui.view.figures import count, duration, usd
from spotui.view.picture import Picture, RoundPicture

_TONES = {
    "seed": "$accent",
    "win": "$text-success",
    "loss": "$text-muted",
    "tie": "$text-warning",
    "undecided": "$text-warning",
    "void": "$text-error",
}
_COLUMNS = ("round", "verdict", "votes", "words", "tokens", "USD", "time", "modification")


class HistoryPanel(DataTable[Content | str]):
    """The rounds as a table; the row under the cursor is the round that every panel shows."""

    class Selected(Message):
        """Another round is under the cursor."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.border_title = "Rounds"
        self._rows: dict[int, tuple[Content | str, ...]] = {}

    def on_mount(self) -> None:
        """Make the columns."""
        for name in _COLUMNS:
            self.add_column(name, key=name)

    def show(self, picture: Picture) -> None:
        """Bring the rows up to date; only cells that changed are painted."""
        if not set(self._rows) <= set(picture.rounds):
            self.clear()
            self._rows.clear()
        best, last = picture.best, max(self._rows, default=0)
        follows = not last or self.cursor_row == self.row_count - 1
        for number, one in sorted(picture.rounds.items()):
            row = _row(one, best)
            known = self._rows.get(number)
            if known is None:
                self.add_row(*row, key=str(number))
            elif known != row:
                for name, old, new in zip(_COLUMNS, known, row, strict=True):
                    if old != new:
                        self.update_cell(str(number), name, new, update_width=True)
            self._rows[number] = row
        if follows and max(self._rows, default=0) != last:
            self.move_cursor(row=self.row_count - 1, animate=False)

    def select(self, number: int) -> None:
        """Put the cursor on a round."""
        if number in self._rows:
            self.move_cursor(row=self.get_row_index(str(number)), animate=False)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell which round is under the cursor now."""
        event.stop()
        if event.row_key.value is not None:
            self.post_message(self.Selected(int(event.row_key.value)))


def _row(one: RoundPicture, best: int) -> tuple[Content | str, ...]:
    number = Content.styled(f"{one.number}*", "bold $accent") if one.number == best else str(one.number)
    votes = [vote.choice for vote in one.votes]
    score = f"{votes.count('win')}:{votes.count('loss')}" if votes else ""
    modification = " ".join(one.candidate.modification.split()) if one.candidate else ""
    end = one.end
    if end is None:
        return (number, Content.styled("…", "$text-muted"), score, "", "", "", "", modification)
    return (
        number,
        Content.styled(one.outcome or "", _TONES.get(one.outcome or "", "")),
        score,
        "",
        count(end.prompt_tokens + end.completion_tokens),
        usd(end.cost_usd),
        duration(end.seconds),
        modification or end.note,
    )
