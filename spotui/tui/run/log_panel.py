"""What a run's log says, as lines."""

import re
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar, get_args

import msgspec
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.reactive import var
from textual.widgets import Input

from spotui.domain.figures import clock, duration
from spotui.lang import _
from spotui.tui.focus_paint import Framed
from spotui.tui.line_view import LineView, wrap
from spotui.tui.run.following import PanelTold
from spotui.view.log import Entry
from spotui.view.story import Choice, Show, Story

_INDENT = 3
_ASIDE_LINES = 2


class LogView(LineView):
    """Every proposal, answer, vote and verdict of a run, as they come, or those that were chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--found"}

    DEFAULT_CSS = "LogView .line--found { text-style: reverse; }"

    def __init__(self) -> None:
        super().__init__()
        self._story = Story()
        self._choice = Choice()
        self._shown: Sequence[int] = range(0)

    def show(self, story: Story) -> None:
        """Show another run."""
        self._story = story
        story.take_changes()
        self._shown = self._choice.of(story)
        self.lay_out()

    def choose(self, choice: Choice) -> None:
        """Show other entries of the same run."""
        self._choice = choice
        self._shown = choice.of(self._story)
        self.lay_out()

    def tick(self) -> None:
        """Paint what has happened since the last tick, and the clocks of what is under way."""
        changed = self._story.take_changes() | set(self._story.live)
        if not changed:
            return
        before, self._shown = self._shown, self._choice.of(self._story)
        same = _common(before, self._shown)
        if same < len(before):
            self.lay_out(same)
        blocks = {place for position in changed if (place := self._place(position)) is not None}
        self.update_blocks(min(blocks, default=0), blocks)

    def go_to_round(self, number: int) -> None:
        """Bring a round's heading to the top."""
        for place, position in enumerate(self._shown):
            entry = self._story.entry(position)
            if entry.round == number and entry.kind == "round":
                self.scroll_to_block(place, line=min(place, 1))  # below the blank line in front of it
                return

    def round_at(self, y: int) -> int:
        """The round of the line `y` rows below the top of what is visible; 0 where there is none."""
        if not self._shown:
            return 0
        return self._story.entry(self._shown[self.block_at(y + round(self.scroll_y))]).round

    def blocks(self) -> int:
        """How many entries are shown."""
        return len(self._shown)

    def block(self, number: int, width: int) -> list[Content]:
        """An entry: its title with its facts at the right, and below it what it says."""
        entry = self._story.entry(self._shown[number])
        if entry.kind == "round":
            lines = self._heading(entry, width, is_first=number == 0)
        else:
            lines = [self._title(entry, width), *self._body(entry, width - _INDENT)]
        if self._choice.text:
            pattern = re.compile(re.escape(self._choice.text), re.IGNORECASE)
            style = self.tone("found")
            lines = [line.highlight_regex(pattern, style=style) for line in lines]
        return lines

    def height_of(self, number: int, width: int) -> int:
        """As many lines as `block` makes."""
        entry = self._story.entry(self._shown[number])
        if entry.kind == "round":
            return 1 if number == 0 else 2
        return 1 + len(_aside(entry, width - _INDENT)) + len(_text(entry, width - _INDENT))

    def _place(self, position: int) -> int | None:
        if isinstance(self._shown, range):
            return position - self._shown.start if position in self._shown else None
        place = bisect_left(self._shown, position)
        return place if place < len(self._shown) and self._shown[place] == position else None

    def _heading(self, entry: Entry, width: int, *, is_first: bool) -> list[Content]:
        style = self.tone("heading")
        folded = " …" if entry.round in self._choice.folded else ""
        title = Content.assemble((entry.title + folded, style), (f"  {entry.facts}", self.tone("faint")))
        return [title.truncate(width)] if is_first else [Content(""), title.truncate(width)]

    def _title(self, entry: Entry, width: int) -> Content:
        style = self.tone(entry.tone)
        facts = self._facts(entry)
        title = Content.assemble(" ", (entry.title, style))
        while facts and (room := width - title.cell_length - cell_len(facts)) < 1:
            facts = facts.rpartition(", ")[0]  # the first of them say most
        if not facts:
            return title.truncate(width, ellipsis=True)
        return Content.assemble(title, " " * room, (facts, self.tone("faint")))

    def _facts(self, entry: Entry) -> str:
        if entry.began is None:
            return entry.facts
        now = time.time()
        if entry.retry_at > now and entry.kind != "calls":
            return _("again in {retry_at}", retry_at=duration(entry.retry_at - now))
        elapsed = f"{clock(max(0.0, now - entry.began))} …"
        return f"{entry.facts}, {elapsed}" if entry.facts else elapsed

    def _body(self, entry: Entry, width: int) -> list[Content]:
        faint = self.tone("faint")
        lines = [Content.styled(line, faint) for line in _aside(entry, width)]
        lines += [Content(line) for line in _text(entry, width)]
        return [line.pad_left(_INDENT) for line in lines]


def _aside(entry: Entry, width: int) -> list[str]:
    if not entry.aside:
        return []
    limit = 1 if entry.kind == "answer" else _ASIDE_LINES
    lines = wrap(entry.aside, width)
    if len(lines) <= limit:
        return lines
    last = lines[limit - 1]
    return [*lines[: limit - 1], (last[:-1] if cell_len(last) >= width else last) + "…"]


def _text(entry: Entry, width: int) -> list[str]:
    if entry.kind == "calls" and not entry.streamed:
        return wrap(entry.text, width) if entry.text else []
    if entry.began is not None and not entry.retry_at:
        tail = " ".join(entry.streamed.split())
        return [_end_of(tail, width)]
    return wrap(entry.text, width) if entry.text else []


def _end_of(text: str, width: int) -> str:
    """As much of the end as fits."""
    tail = text[-width:]
    while cell_len(tail) > width:
        tail = tail[1:]
    return tail


def _common(before: Sequence[int], after: Sequence[int]) -> int:
    """How many positions at the beginning are the same."""
    if isinstance(before, range) and isinstance(after, range):
        return min(len(before), len(after)) if before.start == after.start else 0
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


_SHOWS = get_args(Show)


class LogPanel(Vertical, Framed):
    """The log, with its filter, its search and its folded rounds.

    Attributes:
        is_searching: Whether the field is shown that is searched with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="log.search"),
        Binding("f", "next_show", "filter", id="log.filter"),
        Binding("c", "fold", "fold round", id="log.fold"),
        Binding("C", "fold_all", "fold all", id="log.fold_all", show=False),
        Binding("end", "follow", "follow", id="log.follow", show=False),
        Binding("escape", "show_all", "show all", id="log.show_all"),
    ]

    ALLOW_MAXIMIZE = True
    CARRIED: ClassVar[tuple[str, ...]] = ("choice", "is_searching", "_round", "_rounds")

    DEFAULT_CSS = """
    LogPanel {
        & LogView { height: 1fr; }
        & Input { display: none; }
        &.-searching Input { display: block; }
    }
    """

    is_searching = var(False, toggle_class="-searching")

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Log")
        self._choice = Choice()
        self._round = 0
        self._rounds: range = range(0)

    def compose(self) -> ComposeResult:
        """The log above, what is searched for below it."""
        yield LogView()
        search = Input(placeholder=_("filter the log…"), compact=True)
        search.cursor_blink = False
        yield search

    def show(self, story: Story) -> None:
        """Show another run."""
        self.query_one(LogView).show(story)

    def tick(self) -> None:
        """Paint what has happened since the last tick."""
        self.query_one(LogView).tick()

    def go_to_round(self, number: int, newest: int) -> None:
        """Show a round, which is the one that is folded from now on.

        Args:
            number: The round.
            newest: The newest round there is; going there means to follow the run.
        """
        self._round, self._rounds = number, range(1, newest + 1)
        if number == newest:
            self.query_one(LogView).follow()
        else:
            self.query_one(LogView).go_to_round(number)

    def on_click(self, event: Click) -> None:
        """A click on a heading folds its round."""
        view = self.query_one(LogView)
        offset = event.get_content_offset(view)
        if offset is not None and event.chain > 1 and (number := view.round_at(offset.y)):
            self._fold(number)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what matches the typed text."""
        event.stop()
        self._choose(text=event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the log, which stays as it was chosen."""
        event.stop()
        self.query_one(LogView).focus()
        self.is_searching = bool(self._choice.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing that is left out."""
        return self._choice != Choice() or self.is_searching if action == "show_all" else True

    def action_search(self) -> None:
        """Type what is searched for."""
        self.is_searching = True
        self.query_one(Input).focus()
        self.refresh_bindings()

    def action_next_show(self) -> None:
        """Everything, then only verdicts, then only trouble."""
        self._choose(show=_SHOWS[(_SHOWS.index(self._choice.show) + 1) % len(_SHOWS)])

    def action_fold(self) -> None:
        """Show only the heading and the verdict of the selected round, or all of it again."""
        if number := self._round or max(self._rounds, default=0):
            self._fold(number)

    def action_fold_all(self) -> None:
        """Fold every round, or none."""
        self._choose(folded=frozenset() if self._choice.folded else frozenset(self._rounds))

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.query_one(LogView).follow()

    def action_show_all(self) -> None:
        """Leave nothing out any more."""
        self.query_one(Input).value = ""
        self.is_searching = False
        self._choose(show="everything", text="", folded=frozenset())
        self.query_one(LogView).focus()

    def _fold(self, number: int) -> None:
        self._choose(folded=self._choice.folded ^ {number})

    def _choose(self, **changes: object) -> None:
        self.choice = msgspec.structs.replace(self._choice, **changes)

    @property
    def choice(self) -> Choice:
        """The entries that are shown."""
        return self._choice

    @choice.setter
    def choice(self, choice: Choice) -> None:
        if choice != self._choice:
            self._choice = choice
            self.query_one(LogView).choose(choice)
            self.border_subtitle = Content(_told(choice))
            self.post_message(PanelTold())
            self.refresh_bindings()


def _told(choice: Choice) -> str:
    parts = [] if choice.show == "everything" else [_("only {entries}", entries=_(choice.show))]
    if choice.text:
        parts.append(_("only lines with “{choice}”", choice=choice.text))
    if choice.folded:
        parts.append(_("{n} folded", n=len(choice.folded)))
    return ", ".join(parts)
