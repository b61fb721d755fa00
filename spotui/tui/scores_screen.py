"""The prompts of a round that scores them: who wins, by how much, and row by row."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from spotui.domain.events import CandidateScored
from spotui.domain.figures import points, span, verdict
from spotui.lang import N_, _
from spotui.tui.child import attempt
from spotui.tui.passages import PassagesView
from spotui.tui.run.client import RunClient
from spotui.tui.run.following import TONES, RoundScreen, RunHeader
from spotui.tui.run.panel_grid import PanelTabs
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.terminal import open_by
from spotui.view.picture import Picture
from spotui.view.round_prompts import (
    Passage,
    Prompt,
    answer_keys,
    gain_of,
    in_words,
    read_prompt,
    read_prompts,
    read_rows,
    read_shown,
    row_marks,
    tally,
    the_best,
    the_seed,
)
from spotui.view.traces import has_traces
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.domain.records import CallKey
    from spotui.domain.rows import Row as DataRow


PAGES = (N_("Rows"), N_("Prompt"), N_("Shown to the optimizer"))
_IN_KEYS = (N_("rows"), N_("prompt"), N_("shown to the optimizer"))
_COLUMNS = (
    Column("prompt", 18),
    Column("gain", 6, is_number=True),
    Column("won:lost", 8, is_number=True, from_width=44),
    Column("score", 6, is_number=True, from_width=36),
    Column("interval", 14, is_number=True, from_width=60),
    Column("rows", 5, is_number=True, from_width=70),
    Column("words", 5, is_number=True, from_width=80),
    Column("change", from_width=54),
)


class ScoresScreen(RoundScreen):
    """Shows one round's prompts; gives back which round was shown last, 0 for the newest.

    Args:
        project: The project.
        client: What is known of its run.
        selected: The round to show; 0 for the newest.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "round before", id="scores.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="scores.next_round"),
        *(
            Binding(str(number), f"page({number - 1})", name, id=f"scores.page_{number}")
            for number, name in enumerate(_IN_KEYS, 1)
        ),
        Binding("tab", "app.focus_next", "table or page", id="scores.other", show=False),
        Binding("b", "base", "compare with it", id="scores.base"),
        Binding("s", "stop", "stop", id="scores.stop"),
        Binding("y", "copy", "copy prompt", id="scores.copy"),
        Binding("escape", "back", "back", id="scores.back"),
    ]

    DEFAULT_CSS = """
    ScoresScreen {
        & TableView { height: auto; max-height: 40%; padding: 0 1; }
        & #winner { height: auto; max-height: 3; padding: 0 1; text-style: bold; }
        & #strip { height: auto; max-height: 3; padding: 0 1; }
        &.-low #strip { display: none; }
        & PassagesView { height: 1fr; padding: 0 1; }
    }
    """

    AUTO_FOCUS = "TableView"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, project: Project, client: RunClient, selected: int = 0) -> None:
        super().__init__(project, client, selected)
        self._page = 0
        self._prompts: list[Prompt] = []
        self._rows: Sequence[DataRow] = ()
        self._replies: dict[CallKey, str] = {}
        self._traces: dict[CallKey, list[str]] = {}
        self._asked: set[CallKey] = set()
        self._was: tuple[object, ...] = ()
        self._said = Content("")
        self._base = ""

    def parts(self) -> ComposeResult:
        """The run, the round, its prompts, and a page about the one under the cursor."""
        yield RunHeader()
        yield Static(id="round", markup=False)
        yield Static(id="winner", markup=False)
        yield TableView(_COLUMNS)
        yield Static(id="strip", markup=False)
        yield PanelTabs(tuple(_(name) for name in PAGES))
        yield PassagesView()

    def on_mount(self) -> None:
        """Show what there is."""
        self.run_worker(self._read_rows(), group="rows")
        self.fill()

    def fill(self) -> None:
        """Show the round."""
        self.query_one(TableView).empty = Content(
            _("The prompts of the round appear here with their scores.")
        )
        self._prompts, self._said = [], Content("")
        self.tick()

    async def _read_rows(self) -> None:
        from spotui.workspace.rows_file import read_rows_file

        rows = await attempt(self, read_rows_file, self._project.rows)
        self._rows = rows.eval if rows is not None else ()
        self.tick()

    @property
    def newest(self) -> int:
        """The newest round; 0 when there is none."""
        return max(self._client.picture.rounds, default=0)

    @property
    def prompt(self) -> Prompt | None:
        """The prompt under the cursor."""
        current = self.query_one(TableView).current
        return next((one for number, one in enumerate(self._prompts) if _key(number, one) == current), None)

    def tick(self) -> None:
        """Show what is known now."""
        super().tick()
        client = self._client
        picture = client.picture
        with self.app.batch_update():
            self.query_one(RunHeader).show(self._project.name, picture, is_attached=client.is_attached)
            said = _title(picture, self.shown)
            if said != self._said:
                self._said = said
                self.query_one("#round", Static).update(said)
            prompts = read_prompts(picture, self.shown)
            if prompts != self._prompts:
                self._prompts = prompts
                self._show_prompts()
            self._show_page()
        self.refresh_bindings()

    def _show_prompts(self) -> None:
        """The sentence and the table; both are about the prompt that the others are compared with."""
        base = self.base
        self.query_one("#winner", Static).update(sentence(self._client.picture, self.shown, self._prompts))
        self.query_one(TableView).show(
            [Row(_key(number, one), _cells(one, base)) for number, one in enumerate(self._prompts)]
        )

    @property
    def base(self) -> Prompt | None:
        """The prompt that the others are compared with: the one that was chosen, or the one to beat."""
        chosen = next((one for one in self._prompts if one.text == self._base), None)
        picture = self._client.picture
        return chosen or the_best(picture, self.shown) or the_seed(picture)

    def _show_page(self) -> None:
        prompt, picture = self.prompt, self._client.picture
        passages = self._passages(picture, prompt)
        name = (
            prompt.text if prompt is not None and self._page < PAGES.index("Shown to the optimizer") else ""
        )
        now = (self.shown, self._page, name)
        self.query_one(PassagesView).show(passages, is_other=now != self._was)
        self._was = now
        tabs = self.query_one(PanelTabs)
        tabs.shown = self._page
        base = self.base
        is_compared = prompt is not None and base is not None and prompt.text != base.text
        tabs.detail, strip = "", Content("")
        if is_compared and prompt is not None and base is not None:
            tabs.detail = in_words(prompt, base) if self._page == 0 else ""
            strip = _strip(prompt, base)
        shown = self.query_one("#strip", Static)
        shown.update(strip)
        shown.display = bool(strip)

    def _passages(self, picture: Picture, prompt: Prompt | None) -> list[Passage]:
        if self._page == PAGES.index("Shown to the optimizer"):
            return read_shown(picture, self.shown)
        if prompt is None:
            return []
        if self._page == PAGES.index("Prompt"):
            return read_prompt(picture, prompt)
        if not prompt.marks:
            return [Passage(_("No row has been marked with this prompt yet."))]
        sides = self._sides(picture, prompt)
        self._ask_for([key for side in sides for key in answer_keys(side)])
        return read_rows(sides, self._rows, self._replies, self._traces)

    def _sides(self, picture: Picture, prompt: Prompt) -> list[Prompt]:
        """The seed, the best and the prompt itself, as far as they are three; the base is next to it."""
        others = [the_seed(picture), the_best(picture, self.shown)]
        if self._base:
            others = [self.base]
        return [*(one for one in others if one is not None and one.text != prompt.text), prompt]

    def _ask_for(self, keys: "Sequence[CallKey]") -> None:
        """Look into the journal for answers that were not looked up yet."""
        new = set(keys) - self._asked
        if new:
            self._asked |= new
            self.run_worker(self._find(new), group="answers")

    async def _find(self, keys: "set[CallKey]") -> None:
        from spotui.workspace.journal_reader import read_replies, read_traces

        journal = self._project.journal
        found: Mapping[CallKey, str] | None = await attempt(self, read_replies, journal, keys)
        self._replies.update(found or {})
        if has_traces(self._client.picture):
            self._traces = await attempt(self, read_traces, journal, "score_eval") or {}
        await asyncio.sleep(0)
        self._show_page()

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Another prompt is under the cursor."""
        event.stop()
        self._show_page()

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Read about the prompt that was chosen."""
        event.stop()
        self.query_one(PassagesView).focus()

    def on_panel_tabs_chosen(self, event: PanelTabs.Chosen) -> None:
        """The name of a page was clicked."""
        event.stop()
        self.action_page(event.number)

    def action_page(self, number: int) -> None:
        """Show another page."""
        self._page = number
        self._show_page()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only a run that works can be stopped."""
        return self._client.is_attached if action == "stop" else True

    def action_base(self) -> None:
        """Compare the others with the prompt under the cursor, or again with the one to beat."""
        if (prompt := self.prompt) is None:
            return
        self._base = "" if prompt.text == self._base else prompt.text
        if self._base:
            self.notify(
                _("The others are compared with {prompt} now. Press b again to undo.", prompt=prompt.name),
                markup=False,
            )
        self._show_prompts()
        self._was = ()
        self._show_page()

    def action_stop(self) -> None:
        """Stop the run, once that is confirmed."""
        open_by(self, self._stop(), group="stop")

    async def _stop(self) -> None:
        from spotui.domain.commands import Stop
        from spotui.tui.dialogs import confirmed

        question = _("Stop {name}?", name=self._project.name)
        text = _("The best prompt is kept, and you can resume later.")
        if await confirmed(self, question, _("stop"), text) and self._client.send(Stop()):
            self.notify(_("Stopping: calls in flight have a few seconds to finish."))

    def action_copy(self) -> None:
        """Copy the prompt under the cursor."""
        if (prompt := self.prompt) is not None:
            self.app.copy_to_clipboard(prompt.text)
            self.notify(
                _(
                    "The prompt of {prompt} is on the clipboard, if your terminal allows it.",
                    prompt=prompt.name,
                )
            )

    def action_back(self) -> None:
        """Back to the run."""
        self.dismiss(self._selected)


def _key(number: int, prompt: Prompt) -> str:
    return f"{number} {prompt.name}"


def sentence(picture: Picture, number: int, prompts: Sequence[Prompt]) -> str:
    """Who wins a round, by how much, or that nobody does beyond noise; empty as long as nothing is scored.

    Args:
        picture: The run.
        number: The round.
        prompts: Those of the round, the best first.
    """
    one = picture.rounds.get(number)
    scored = [prompt for prompt in prompts if prompt.scored is not None]
    if one is None or not scored:
        return ""
    if number == 1:
        return _("Every candidate has to beat the seed: {score}.", score=points(_score(scored[0])))
    base = the_best(picture, number) or the_seed(picture)
    first = next((prompt for prompt in scored if base is None or prompt.text != base.text), None)
    if first is None or base is None:
        return ""
    gain = gain_of(first, base)
    by = _("no common row") if gain is None else f"{100 * gain:+.1f}"
    figures = {"name": first.name, "base": base.name, "gain": by, "rows": in_words(first, base)}
    if one.outcome == "win":
        return _("Winner: {name}, {gain} against {base} ({rows}).", **figures)
    if one.outcome == "lead":
        return _("No winner beyond noise: {name} leads by {gain} against {base} ({rows}).", **figures)
    if one.outcome is None:
        return _("Ahead so far: {name}, {gain} against {base} ({rows}).", **figures)
    return _("No winner: {name}, the best candidate, has {gain} against {base} ({rows}).", **figures)


def _score(prompt: Prompt) -> float:
    return prompt.scored.score if prompt.scored is not None else 0.0


_SIGNS = {"won": ("▲", "bold $text-success"), "lost": ("▼", "bold $text-error"), "same": ("·", "$text-muted")}


def _strip(prompt: Prompt, base: Prompt) -> Content:
    """A sign for each row, in the order of the rows."""
    signs = [_SIGNS.get(verdict, ("×", "$text-warning")) for verdict in row_marks(prompt, base)]
    return Content.assemble(_("By row: "), *signs)


def _cells(prompt: Prompt, base: Prompt | None) -> tuple[Content | str, ...]:
    scored, words = prompt.scored, prompt.words_changed
    compared: Content | str = ""
    gain: Content | str = ""
    if base is not None and base.text == prompt.text:
        gain = Content.styled(_("base"), "$text-muted")
    elif base is not None and prompt.marks:
        found, difference = tally(prompt, base), gain_of(prompt, base)
        compared = f"{found.won}:{found.lost}"
        gain = "" if difference is None else Content.styled(f"{100 * difference:+.1f}", "bold")
    return (
        prompt.name,
        gain,
        compared,
        points(scored.score) if scored is not None else "…",
        span(points(scored.low), points(scored.high)) if scored is not None else "",
        _rows_asked(scored) if scored is not None else "",
        "" if words is None else str(words),
        " ".join((prompt.modification or prompt.text).split()),
    )


def _rows_asked(scored: CandidateScored) -> str:
    """The rows with a mark; of one that was dropped from a race, the rows it was asked and all of them."""
    if scored.unasked:
        return f"{len(scored.marks)}/{len(scored.marks) + scored.unasked}"
    return str(scored.rows)


def _title(picture: Picture, number: int) -> Content:
    one = picture.rounds.get(number)
    if one is None:
        return Content(_("The first round has not begun yet."))
    against = (
        _(", the seed")
        if number == 1
        else _(
            " against {name}", name=_("the seed") if one.best <= 1 else _("round {number}", number=one.best)
        )
    )
    outcome, end = one.outcome or "", one.end
    score = f"  {points(end.score)}" if end is not None and end.score is not None else ""
    note = f"  {end.note}" if end is not None and end.note else ""
    return Content.assemble(
        (_("Round {number}{against}", number=number, against=against), "bold"),
        "   ",
        (verdict(outcome, one.judged) + score, f"bold {TONES.get(outcome, '$text-warning')}"),
        note,
    )
