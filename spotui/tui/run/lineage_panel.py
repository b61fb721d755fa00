"""Which prompt was made from which, as a tree."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from spotui.domain.figures import percent, points, rounds_named, verdict
from spotui.lang import _, ngettext
from spotui.tui.focus_paint import Framed
from spotui.tui.run.following import TONES, RoundOpened, RoundPointed, RunPanel
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.lineage import Branch, lineage
from spotui.view.picture import Picture

_COLUMNS = (
    Column("round", 14),
    Column("verdict", 10, from_width=36),
    Column("value", 5, is_number=True, from_width=30),
    Column("modification", from_width=44),
)


class LineagePanel(Vertical, Framed, RunPanel):
    """The tree of candidates; those that led nowhere are one line, which Enter unfolds."""

    ALLOW_MAXIMIZE = True

    DEFAULT_CSS = "LineagePanel TableView { height: 1fr; }"

    CARRIED: ClassVar[tuple[str, ...]] = ("_unfolded",)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "fold_all", "fold or unfold all", id="lineage.fold_all"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Lineage")
        self._picture = Picture()
        self._unfolded: set[int] = set()
        self._branches: dict[str, Branch] = {}
        self._shown: list[Row] = []
        self._told = ""

    def compose(self) -> ComposeResult:
        """The tree."""
        table = TableView(_COLUMNS)
        table.empty = Content(_("The tree of candidates begins with the seed prompt."))
        yield table

    def show(self, picture: Picture) -> None:
        """Bring the tree up to date."""
        self._picture = picture
        branches = lineage(picture, self._unfolded)
        self._branches = {one.key: one for one in branches}
        rows = [Row(one.key, self._cells(one)) for one in branches]
        if rows != self._shown:
            table = self.query_one(TableView)
            is_first, self._shown = not self._shown and not table.is_awaiting, rows
            table.show(rows)
            if is_first:
                table.select(str(picture.best))
            self._told = table.current
            kept = sum(not one.folded and one.depth == 0 for one in branches) - 1
            self.border_subtitle = ngettext(
                "{n:,} step from the seed to the best",
                "{n:,} steps from the seed to the best",
                max(0, kept),
            )

    def _cells(self, branch: Branch) -> tuple[Content | str, ...]:
        if branch.folded:
            names = rounds_named(branch.folded)
            count = ngettext("{n:,} lost", "{n:,} lost", len(branch.folded))
            sign = "▾" if branch.round in self._unfolded else "▸"
            text = f"{'│ ' * branch.depth}{sign} {count}"
            return (Content.styled(text, "$text-muted"), "", "", Content.styled(names, "$text-muted"))
        one = self._picture.rounds[branch.round]
        is_best = branch.round == self._picture.best
        name = Content.styled(branch.text + ("*" if is_best else ""), "bold $accent" if is_best else "")
        outcome, end = one.outcome or "", one.end
        value = ""
        if end is not None and end.score is not None:
            value = points(end.score)
        elif end is not None and end.win_rate is not None:
            value = percent(end.win_rate)
        modification = " ".join(one.candidate.modification.split()) if one.candidate is not None else ""
        if branch.others:
            modification = _(
                "also from {rounds}. {modification}",
                rounds=rounds_named(branch.others),
                modification=modification,
            )
        return (
            name,
            Content.styled(verdict(outcome, one.judged) or "…", TONES.get(outcome, "")),
            value,
            modification,
        )

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Tell which round is under the cursor, once somebody moves it."""
        event.stop()
        if event.key in {self._told, ""} or event.key != event.table.current:
            return
        self._told = event.key
        if (branch := self._branches.get(event.key)) is not None and not branch.folded:
            self.post_message(RoundPointed(branch.round))

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Unfold a line, or show the answers of a round."""
        event.stop()
        branch = self._branches.get(event.key)
        if branch is not None and branch.folded:
            self._unfolded ^= {branch.round}
            self.show(self._picture)
        elif branch is not None:
            self.post_message(RoundOpened(branch.round))

    def action_fold_all(self) -> None:
        """Unfold every line, or fold all again."""
        folds = {one.round for one in self._branches.values() if one.folded}
        self._unfolded = set() if self._unfolded else folds
        self.show(self._picture)
