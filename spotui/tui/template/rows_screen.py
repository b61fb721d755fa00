"""New rows for a template: the optimizer's model writes them, and each is kept, edited or dropped."""

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from spotui.domain.errors import SpotuiError
from spotui.domain.events import CallRetried, Noticed, SpendingChanged
from spotui.domain.figures import duration
from spotui.lang import _, anew, ngettext
from spotui.runs.drafts import Decision, Drafts, drafts_folder
from spotui.tui.child import attempt, listen
from spotui.tui.dialogs import not_trusted, text_field, trusts_template
from spotui.tui.page import Bar, Page
from spotui.tui.table_view import Column, Row
from spotui.tui.template.row_drafts import DraftTable, DraftText, EditDraftScreen, parts_of
from spotui.tui.terminal import open_by
from spotui.view.drafts import Item, WrittenRows
from spotui.workspace.projects import Workspace

_USUAL = 10
_MOST = 1000
_EACH_CALL = 10
"""Rows that one call asks for, for the sentence on what it takes."""


class NewRowsScreen(Page[bool]):
    """Lets the optimizer's model write rows; gives back whether the template was changed.

    Args:
        workspace: Where calls and drafts are kept.
        path: The template.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "other panel", id="new_rows.other_panel", show=False),
        Binding("m", "more", "how many", id="new_rows.more"),
        Binding("escape", "stop", "stop", id="new_rows.stop"),
        Binding("escape", "back", "back", id="new_rows.back"),
    ]

    DEFAULT_CSS = """
    NewRowsScreen {
        & #asking { height: 1; padding: 0 1; }
        & #asking Label { width: 10; color: $text-muted; }
        & #asking Input { width: 8; }
        & #takes { width: 1fr; color: $text-muted; padding: 0 0 0 2; text-wrap: nowrap; }
        & #panes { height: 1fr; layout: vertical; }
        & DraftTable { height: 2fr; }
        & DraftText { height: 3fr; padding: 0 1; }
        &.-wide #panes { layout: horizontal; }
        &.-wide DraftTable { width: 1fr; height: 100%; }
        &.-wide DraftText { width: 1fr; height: 100%; }
    }
    """

    AUTO_FOCUS = "#count"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, workspace: Workspace, path: Path) -> None:
        super().__init__()
        self._workspace = workspace
        self._path = path
        self._drafts = Drafts(drafts_folder(workspace, path), path)
        self._rows = WrittenRows()
        self._began: float | None = None
        self._is_waiting = False
        self._said = ("", "")
        self._queue: list[tuple[Item, Decision]] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._was_changed = False

    def parts(self) -> ComposeResult:
        """How many, what has come, and the row under the cursor."""
        yield Static(id="head", classes="head", markup=False)
        with Vertical():
            with Horizontal(id="asking"):
                yield Label(_("How many"))
                yield text_field("count", str(_USUAL), "1–1000")
                yield Static(id="takes", markup=False)
            yield Bar(id="told")
            with Container(id="panes"):
                table = DraftTable(
                    (
                        Column("#", 3, is_number=True),
                        Column(_("state"), 7),
                        Column(_("row")),
                    ),
                    title=_("Rows"),
                )
                table.empty = Content(
                    _(
                        "The optimizer's model writes rows like those of this template, edge cases among "
                        "them. Type how many and press Enter. A row that you keep is saved at once, marked "
                        "as synthetic, and never in the test split."
                    )
                )
                yield table
                yield DraftText(classes="framed")

    def on_mount(self) -> None:
        """Look for undecided drafts of an earlier time."""
        self.set_interval(1.0, self._tick)
        self._tick()
        self.run_worker(self._recall(), group="recall")

    def fill(self) -> None:
        """Show the rows that have come."""
        self._say_again()
        self._tick()

    async def _recall(self) -> None:
        before = await attempt(self, self._drafts.all, "open")
        if before and not self._rows.items and self._began is None:
            self._say(
                ngettext(
                    "{n:,} row of an earlier time is not decided yet. Enter shows it; it costs nothing.",
                    "{n:,} rows of an earlier time are not decided yet. Enter shows them; they cost nothing.",
                    len(before),
                ),
                "$text-accent",
            )
            self.query_one("#count", Input).value = str(min(_MOST, max(len(before), 1)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Escape stops the model first, then leaves."""
        return {"stop": self.is_writing, "back": not self.is_writing}.get(action, True)

    @property
    def is_writing(self) -> bool:
        """Whether the model is asked."""
        return self._began is not None

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it takes."""
        event.stop()
        self._tick()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the model."""
        event.stop()
        wanted = self._typed
        if self.is_writing:
            self.notify(_("Rows are being written; escape stops it."))
        elif not wanted:
            self._say(_("Type a whole number from 1 to {most}.", most=_MOST), "$text-error")
        else:
            self._begin(wanted)

    @property
    def _typed(self) -> int:
        text = self.query_one("#count", Input).value.strip()
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
        return number if number <= _MOST else 0

    def _begin(self, wanted: int) -> None:
        self._began = time.monotonic()
        self._rows.begin()
        self._say("")
        self.query_one(DraftTable).focus()
        self.refresh_bindings()
        asked = min(_MOST, wanted + self._rows.count("open"))  # those that wait here come first
        self.run_worker(self._write(asked), group="write", exclusive=True)
        self._tick()

    async def _write(self, wanted: int) -> None:
        try:
            if not await trusts_template(self, self._path):
                raise not_trusted()
            await self._idle.wait()  # what is kept already is among the rows that the model is shown
            words = ["rows", str(self._path), "--synthesize", str(wanted), "--json-lines"]
            told = await listen([*words, "--workspace", str(self._workspace.root)], self._take)
            fault = told.fault
        except SpotuiError as error:
            fault = str(error)
        if fault:
            self._say(fault, "$text-error")
        elif self._rows.came < wanted and not self._said[0]:
            self._say(
                _(
                    "{came} of {wanted} rows came: the model repeats itself. A stronger one may find more.",
                    came=self._rows.came,
                    wanted=wanted,
                ),
                "$text-warning",
            )
        self._end()

    def _end(self) -> None:
        self._began = None
        self.refresh_bindings()
        self._tick()

    def _take(self, line: bytes) -> None:
        match self._rows.take(line):
            case SpendingChanged() if self._is_waiting:
                self._say("")
            case Noticed() as notice:
                self._say(notice.text, "$text-warning" if notice.level == "warning" else "$text-muted")
            case CallRetried() as retried:
                again = duration(retried.wait)
                self._say(
                    _("{trouble} Asked again in {retry_at}.", trouble=retried.error, retry_at=again),
                    "$text-warning",
                )
                self._is_waiting = True
            case _:
                pass
        self._tick()

    def on_table_view_moved(self) -> None:
        """Show the row under the cursor."""
        self._show_text()

    def action_more(self) -> None:
        """Type how many more."""
        self.query_one("#count", Input).focus()

    def action_keep(self) -> None:
        """Keep the row under the cursor."""
        item = self._current()
        if item is not None:
            self._decide([item], "kept")

    def action_keep_rest(self) -> None:
        """Keep every row that is not decided."""
        self._decide([one for one in self._rows.items if one.decision == "open"], "kept")

    def action_drop(self) -> None:
        """Drop the row under the cursor; while the screen is open it can still be kept."""
        item = self._current()
        if item is not None and item.decision == "open":
            self._decide([item], "dropped")

    def action_edit(self) -> None:
        """Edit the row under the cursor, and keep it."""
        item = self._current()
        if item is not None:
            open_by(self, self._edit(item), group="edit")

    async def _edit(self, item: Item) -> None:
        edited = await self.app.push_screen_wait(EditDraftScreen(item.draft))
        if edited is not None:
            item.left = edited
            self._decide([item], "kept")

    def _current(self) -> Item | None:
        """The row under the cursor, unless it is saved already."""
        key = self.query_one(DraftTable).current
        item = self._rows.items[int(key)] if key else None
        if item is not None and item.decision == "kept":
            self.notify(_("This row is in the template already. Edit or remove it there."))
            return None
        return item

    def _decide(self, items: list[Item], decision: Decision) -> None:
        if not items:
            return
        for item in items:
            item.decision = decision
            self._queue.append((item, decision))
        later = [number for number, one in enumerate(self._rows.items) if one.decision == "open"]
        here = int(self.query_one(DraftTable).current)
        following = next((number for number in later if number > here), here)
        self._tick()
        self.query_one(DraftTable).select(str(following))
        if self._idle.is_set():
            self._idle.clear()
            self.run_worker(self._save(), group="save")

    async def _save(self) -> None:
        """Write down what was decided, in its order, as much at once as has come together."""
        try:
            while self._queue:
                batch, self._queue = self._queue, []
                kept = [(one.draft, one.left) for one, decision in batch if decision == "kept"]
                dropped = [one.draft for one, decision in batch if decision == "dropped"]
                if dropped:
                    await attempt(self, self._drafts.note, dropped, "dropped")
                if kept and await attempt(self, self._drafts.keep, kept) is None:
                    for one, decision in batch:
                        one.decision = "open" if decision == "kept" else decision
                self._was_changed = self._was_changed or bool(kept)
                self._tick()
        finally:
            self._idle.set()

    def action_stop(self) -> None:
        """Ask no more."""
        self.workers.cancel_group(self, "write")
        self._say(
            _("Stopped. The rows that have come stay here; the endpoint may charge for the call."),
            "$text-warning",
        )
        self._end()

    def action_back(self) -> None:
        """Leave, once everything is written down."""
        self.run_worker(self._leave(), group="leave", exclusive=True)

    async def _leave(self) -> None:
        await self._idle.wait()
        if undecided := self._rows.count("open"):
            self.notify(
                ngettext(
                    "{n:,} row is not decided; it is offered next time.",
                    "{n:,} rows are not decided; they are offered next time.",
                    undecided,
                )
            )
        self.dismiss(self._was_changed)

    def _say(self, text: str, tone: str = "") -> None:
        self._is_waiting = False
        self._said = text, tone
        if self.is_mounted:
            self._say_again()

    def _say_again(self) -> None:
        text, tone = self._said
        self.query_one("#told", Bar).say(Content.styled(anew(text), tone) if text else Content(""))

    def _tick(self) -> None:
        """Show what is known now."""
        if not self.is_mounted:
            return
        with self.app.batch_update():
            self.query_one("#head", Static).update(self._head())
            self.query_one("#takes", Static).update(self._takes())
            table = self.query_one(DraftTable)
            was_empty = not table.keys
            table.show([self._row(number, one) for number, one in enumerate(self._rows.items)])
            if was_empty and self._rows.items:
                self.refresh_bindings()
            table.border_subtitle = self._rows.summary
            self._show_text()

    def _head(self) -> Content:
        who = f"  {self._path.name}  {self._rows.model}"
        return Content.assemble(
            (_("New rows"), "bold $secondary"), who, (f"  {self._rows.cost}", "$text-muted")
        )

    def _takes(self) -> str:
        if self._began is not None:
            seconds = int(time.monotonic() - self._began)
            return _("writing, {seconds} s … escape stops it", seconds=seconds)
        calls = -(-self._typed // _EACH_CALL)
        if not calls:
            return ""
        return ngettext(
            "Enter asks the optimizer: about {n:,} call", "Enter asks the optimizer: about {n:,} calls", calls
        )

    def _row(self, number: int, item: Item) -> Row:
        words = {"open": Content(""), "kept": Content.styled(_("kept"), "$text-success")}
        state = words.get(item.decision) or Content.styled(_("dropped"), "$text-muted")
        brief = " ".join(item.left.shown.split())
        text = Content.styled(brief, "$text-muted") if item.decision == "dropped" else Content(brief)
        return Row(str(number), (str(number + 1), Content("") if item.decision == "open" else state, text))

    def _show_text(self) -> None:
        pane, key = self.query_one(DraftText), self.query_one(DraftTable).current
        pane.display = bool(key)
        if not key:
            return
        item = self._rows.items[int(key)]
        title = _("Row {number}, synthetic", number=int(key) + 1)
        if pane.border_title != title:
            pane.border_title = title
            pane.go_home()
        blocks: list[tuple[str, str]] = []
        for name, text in parts_of(item.left):
            blocks += [("heading", name), *(("plain", line) for line in text.split("\n")), ("plain", "")]
        pane.put(blocks)
