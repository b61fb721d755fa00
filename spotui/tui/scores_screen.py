"""A page of passages to read."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from spotui.domain.events import CandidateScored
from spotui.domain.figures import points, verdict
from spotui.lang import N_, _
from spotui.tui.child import attempt
from spotui.tui.line_view import BlockList, wrap
from spotui.tui.run.client import RunClient
from spotui.tui.run.following import TONES, RoundScreen, RunHeader
from spotui.tui.run.panel_grid import PanelTabs
from spotui.tui.table_view import Column, Row, TableView
from spotui.view.picture import Picture
from spotui.view.round_prompts import (
    Part,
    Passage,
    Prompt,
    answer_keys,
    in_words,
    read_prompt,
    read_prompts,
    read_rows,
    read_shown,
    tally,
    the_best,
    the_seed,
)
from spotui.view.traces import has_traces
from spotui.view.word_diff import word_diff
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.domain.records import CallKey
    from spotui.domain.rows import Row as DataRow


_INDENT = 3
_CHANGES = {"same": "", "added": "$text-success underline", "removed": "$text-error strike"}


class PassagesView(BlockList[Passage]):
    """A block for every passage."""

    DEFAULT_CSS = "PassagesView .line--loss { text-style: bold; color: $text-error; }"

    def show(self, passages: Sequence[Passage], *, is_other: bool) -> None:
        """Show a page, or what has become of the one that is shown.

        Args:
            passages: All of it.
            is_other: Whether it is another page, which is read from its beginning.
        """
        if is_other:
            self.shown_blocks = list(passages)
            self.lay_out()
            self.go_home()
        else:
            self.put(passages)

    def block(self, number: int, width: int) -> list[Content]:
        """A passage: its title with its facts, and its texts."""
        passage = self.shown_blocks[number]
        title = Content.styled(passage.title, self.tone(passage.tone))
        room = width - title.cell_length - cell_len(passage.facts)
        if room >= 1:
            title = Content.assemble(title, " " * room, (passage.facts, self.tone("faint")))
        lines = list(title.wrap(width)) if title.plain else []
        if room < 1 and passage.facts:
            lines += [Content.styled(line, self.tone("faint")) for line in wrap(passage.facts, width)]
        for part in passage.parts:
            lines += self._part(part, width)
        return [*lines, Content("")]

    def _part(self, part: Part, width: int) -> list[Content]:
        name = [Content.styled(part.name, self.tone("name")).truncate(width)] if part.name else []
        if part.before is None:
            lines = [Content(line) for line in wrap(part.text, max(1, width - _INDENT))]
        else:
            pieces = [(piece.text, _CHANGES[piece.change]) for piece in word_diff(part.before, part.text)]
            lines = list(Content.assemble(*pieces).wrap(max(1, width - _INDENT)))
        return name + [line.pad_left(_INDENT) for line in lines]


PAGES = (N_("Rows"), N_("Prompt"), N_("Shown to the optimizer"))
_COLUMNS = (
    Column("prompt", 18),
    Column("score", 6, is_number=True),
    Column("interval", 14, is_number=True, from_width=60),
    Column("rows", 5, is_number=True, from_width=70),
    Column("won:lost", 8, is_number=True, from_width=44),
    Column("words", 5, is_number=True, from_width=80),
    Column("modification", from_width=54),
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
            Binding(str(number), f"page({number - 1})", name.lower(), id=f"scores.page_{number}")
            for number, name in enumerate(PAGES, 1)
        ),
        Binding("tab", "app.focus_next", "table or page", id="scores.other", show=False),
        Binding("y", "copy", "copy prompt", id="scores.copy"),
        Binding("escape", "back", "back", id="scores.back"),
    ]

    DEFAULT_CSS = """
    ScoresScreen {
        & TableView { height: auto; max-height: 40%; padding: 0 1; }
        & PassagesView { height: 1fr; padding: 0 1; }
    }
    """

    AUTO_FOCUS = "TableView"

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

    def parts(self) -> ComposeResult:
        """The run, the round, its prompts, and a page about the one under the cursor."""
        yield RunHeader()
        yield Static(id="round", markup=False)
        yield TableView(_COLUMNS)
        yield PanelTabs(tuple(_(name) for name in PAGES))
        yield PassagesView()

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one(TableView).empty = Content(
            _("The prompts of the round appear here with their scores.")
        )
        self.run_worker(self._read_rows(), group="rows")
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
                best = the_best(picture, self.shown) or the_seed(picture)
                self.query_one(TableView).show(
                    [Row(_key(number, one), _cells(one, best)) for number, one in enumerate(prompts)]
                )
            self._show_page()

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
        best = the_best(picture, self.shown) or the_seed(picture)
        is_compared = self._page == 0 and prompt is not None and best is not None and prompt.text != best.text
        tabs.detail = (
            in_words(prompt, best) if is_compared and prompt is not None and best is not None else ""
        )

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
        """The seed, the best and the prompt itself, as far as they are three."""
        others = [one for one in (the_seed(picture), the_best(picture, self.shown)) if one is not None]
        return [*(one for one in others if one.text != prompt.text), prompt]

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


def _cells(prompt: Prompt, best: Prompt | None) -> tuple[Content | str, ...]:
    scored, words = prompt.scored, prompt.words_changed
    compared = ""
    if best is not None and best.text != prompt.text and prompt.marks:
        found = tally(prompt, best)
        compared = f"{found.won}:{found.lost}"
    return (
        prompt.name,
        points(scored.score) if scored is not None else "",
        f"{points(scored.low)} to {points(scored.high)}" if scored is not None else "",
        _rows_asked(scored) if scored is not None else "",
        compared,
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
        else " against " + (_("the seed") if one.best <= 1 else f"round {one.best}")
    )
    outcome, end = one.outcome or "", one.end
    score = f"  {points(end.score)}" if end is not None and end.score is not None else ""
    note = f"  {end.note}" if end is not None and end.note else ""
    return Content.assemble(
        (f"Round {number}{against}", "bold"),
        "   ",
        (verdict(outcome, one.judged) + score, f"bold {TONES.get(outcome, '$text-warning')}"),
        note,
    )
