"""Any two entries of a race row by row: a sentence, a tally, every row, and the answers behind it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from spotui.domain.figures import gained
from spotui.lang import _
from spotui.tui.canvas import Bar
from spotui.tui.chart import BarChart
from spotui.tui.child import attempt
from spotui.tui.page import Page
from spotui.tui.passages import PassagesView
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.race import Race
from spotui.view.race_rows import VERDICTS, RowPair, in_words, mark_text, pair_rows, passages_of, tally_of
from spotui.workspace.race_file import RaceFolder
from spotui.workspace.race_rows import SEED, RaceRow, read_race_rows

_TONES = {"won": "$text-success", "lost": "$text-error", "errored": "$text-warning"}
_BAR_TONES = {"won": "win", "lost": "error", "same": "faint", "errored": "tie"}
_SIGNS = {"won": "▲", "lost": "▼", "same": "=", "errored": "×"}


class RaceRowsScreen(Page[None]):
    """Compares two methods, or a method with the seed, on every test row.

    Args:
        folder: Where the race is kept.
        race: What the test says of it.
        first: The method that is looked at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "against(-1)", "against the one before", id="race_rows.previous"),
        Binding("right_square_bracket", "against(1)", "against the next", id="race_rows.next"),
        Binding("x", "swap", "swap sides", id="race_rows.swap"),
        Binding("tab", "app.focus_next", "other panel", id="race_rows.other_panel", show=False),
        Binding("escape", "dismiss(None)", "back", id="race_rows.back"),
    ]

    DEFAULT_CSS = """
    RaceRowsScreen {
        & #said { height: auto; padding: 0 1; text-style: bold; }
        & #tally { padding: 0 1; height: auto; }
        & TableView { height: auto; max-height: 35%; padding: 0 1; }
        & PassagesView { height: 1fr; padding: 0 1; }
        &.-low #tally { display: none; }
    }
    """

    AUTO_FOCUS = "TableView"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (28, "-high")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, folder: RaceFolder, race: Race, first: str) -> None:
        super().__init__()
        self._folder = folder
        self._race = race
        self._entries = [lane.method for lane in race.lanes if lane.tested is not None] + [SEED]
        self._one = first if first in self._entries else self._entries[0]
        self._other = next(entry for entry in self._entries if entry != self._one)
        self._rows: Sequence[RaceRow] = ()
        self._pairs: dict[str, RowPair] = {}

    def parts(self) -> ComposeResult:
        """Who is compared, what came of it, the rows, and the answers to the one under the cursor."""
        yield Static(id="who", classes="head", markup=False)
        yield Static(id="said", markup=False)
        yield BarChart(id="tally")
        yield TableView(self._columns)
        yield PassagesView()

    def on_mount(self) -> None:
        """Read the rows."""
        self.fill()

    def fill(self) -> None:
        """Read them, too, where the screen is made again."""
        self.query_one(TableView).empty = Content(_("Reading the rows…"))
        self.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        rows = await attempt(self, read_race_rows, self._folder)
        if rows:
            self._rows = rows
            self._show()
        else:
            nothing = _(
                "The answers of this race were not kept. Repeat its command: nothing is bought twice."
            )
            table = self.query_one(TableView)
            table.empty = Content(nothing)
            table.refresh()

    @property
    def _columns(self) -> tuple[Column, ...]:
        return (
            Column("row", 4, is_number=True),
            Column("", 9),
            Column(self._one, 8, is_number=True, from_width=40),
            Column(self._other, 8, is_number=True, from_width=40),
            Column("question"),
        )

    def action_against(self, by: int) -> None:
        """Compare with another entry."""
        others = [entry for entry in self._entries if entry != self._one]
        self._other = others[(others.index(self._other) + by) % len(others)]
        self._show()

    def action_swap(self) -> None:
        """Look at it from the other side."""
        self._one, self._other = self._other, self._one
        self._show()

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Show the answers to another row."""
        event.stop()
        self._show_answers()

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Read the answers."""
        event.stop()
        self.query_one(PassagesView).focus()

    def _show(self) -> None:
        pairs = pair_rows(self._rows, self._one, self._other)
        self._pairs = {str(pair.number): pair for pair in pairs}
        with self.app.batch_update():
            who = _("{one} against {other}", one=self._one, other=self._other)
            self.query_one("#who", Static).update(
                Content.assemble((who, "bold $secondary"), (f"  {self._folder.name}", "$text-muted"))
            )
            said = [in_words(pairs, self._one, self._other), self._significance()]
            self.query_one("#said", Static).update("\n".join(filter(None, said)))
            bars = [
                Bar(f"{_SIGNS[verdict]} {_(VERDICTS[verdict])}", number, f"{number:,}", _BAR_TONES[verdict])
                for verdict, number in tally_of(pairs).items()
                if number
            ]
            self.query_one(BarChart).show(bars, top=max(1, len(pairs)))
            table = self.query_one(TableView)
            table.use_columns(self._columns)
            table.show([Row(key, _cells(pair)) for key, pair in self._pairs.items()])
            self._show_answers()

    def _show_answers(self) -> None:
        pair = self._pairs.get(self.query_one(TableView).current)
        passages = passages_of(pair, self._one, self._other) if pair is not None else []
        self.query_one(PassagesView).show(passages, is_other=True)

    def _significance(self) -> str:
        """The difference with its interval, and whether it is more than chance."""
        if SEED in (self._one, self._other):
            return self._against_seed()
        for found in self._race.compared:
            if {found.one, found.other} == {self._one, self._other}:
                sign = 1 if found.one == self._one else -1
                low, high = sorted(sign * end for end in found.interval)
                gain = gained(sign * found.difference, (low, high), found.floor)
                if found.settled:
                    return _("The difference is {gain}.", gain=gain)
                return _("The difference is {gain}; that may be chance.", gain=gain)
        return ""

    def _against_seed(self) -> str:
        method = self._other if self._one == SEED else self._one
        lane = next((one for one in self._race.lanes if one.method == method), None)
        if lane is None or lane.tested is None or not lane.tested.improved:
            return ""
        gain = gained(lane.tested.gain, lane.tested.gain_interval, lane.tested.floor)
        return _("The gain of {method} on the seed is {gain}.", method=method, gain=gain)


def _cells(pair: RowPair) -> tuple[Content | str, ...]:
    verdict = f"{_SIGNS[pair.verdict]} {_(VERDICTS[pair.verdict])}"
    return (
        str(pair.number),
        Content.styled(verdict, _TONES.get(pair.verdict, "$text-muted")),
        mark_text(pair.one.mark),
        mark_text(pair.other.mark),
        " ".join(pair.row.question.split()),
    )
