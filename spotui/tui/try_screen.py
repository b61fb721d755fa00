"""One prompt, and what the model answers with it in front."""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import decode_event
from spotui.domain.events import Answered, CallEvent, SpendingChanged
from spotui.domain.figures import count, usd
from spotui.lang import N_, _, ngettext
from spotui.tui.dialogs import not_trusted, trusts_program
from spotui.tui.line_view import BlockList
from spotui.tui.page import Page
from spotui.tui.run.client import RunClient
from spotui.tui.run.following import seconds_between_paints
from spotui.tui.template.editor import TextBox
from spotui.tui.terminal import open_by
from spotui.view.tried import Tried
from spotui.workspace.projects import Project

_TONES = {"facts": "heading", "prompt": "faint", "error": "error"}
_PROMPT_LINES = 3
_FIXED = 2
"""Blocks in front of the answer: how it stands, and the prompt."""


class TryPane(BlockList[tuple[str, str]]):
    """Shows a round's prompt in brief, and the answer as it comes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "round before", id="try.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="try.next_round"),
    ]

    @dataclass
    class StepWanted(Message):
        """Another round's prompt is wanted here."""

        pane: "TryPane"
        by: int

    def show(self, name: str, prompt: str, tried: Tried, now: float) -> None:
        """Show an answer as it stands.

        Args:
            name: Of the round.
            prompt: Its prompt.
            tried: The answer.
            now: The time, in seconds since 1970.
        """
        said = tried.say(now)
        took = said if tried.state == "answered" else ""  # it stays in sight, however long the answer
        if (self.border_title, self.border_subtitle) != (name, took):
            self.border_title, self.border_subtitle = name, took
        is_wrong = tried.state == "failed" or bool(tried.retry_at)
        blocks = [("error" if is_wrong else "facts", "" if took else said), ("prompt", prompt)]
        blocks += [("answer", line) for line in tried.text.split("\n")]
        if blocks != self.shown_blocks and (is_wrong or (tried.state == "asked" and not tried.text)):
            self.go_home()
            self.follows = tried.state == "asked"
        self.put(blocks)

    def block(self, number: int, width: int) -> list[Content]:
        """How it stands, the prompt, or a line of the answer."""
        kind, text = self.shown_blocks[number]
        if number >= _FIXED:
            return list(Content(text).wrap(width)) if text else [Content("")]
        lines = list(Content.styled(text, self.tone(_TONES[kind])).wrap(width)) if text else []
        if kind == "prompt":
            if len(lines) > _PROMPT_LINES:
                last = lines[_PROMPT_LINES - 1]
                last = last.right_crop(1) if last.cell_length >= width else last
                lines = [*lines[: _PROMPT_LINES - 1], last.append("…")]
            return [*lines, Content("")]
        return [*lines, Content("")] if kind == "error" else lines

    def action_step(self, by: int) -> None:
        """Show another round's prompt."""
        self.post_message(self.StepWanted(self, by))


class QuestionBox(TextBox):
    """A text of a few lines that Enter sends; what is pasted keeps its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "ask", id="try.ask", priority=True),
        Binding("ctrl+n", "new_line", "new line", id="try.new_line", show=False),
    ]

    class Asked(Message):
        """The question is to be asked."""

    def __init__(self, text: str) -> None:
        super().__init__(text, highlight_cursor_line=False, classes="framed")
        self.border_title = _("Question")
        self.placeholder = _("Type a question and press Enter.")

    def on_mount(self) -> None:
        """Write on where the text ends."""
        super().on_mount()
        self.move_cursor(self.document.end)

    def action_ask(self) -> None:
        """Ask it."""
        self.post_message(self.Asked())

    def action_new_line(self) -> None:
        """Break the line."""
        self.replace("\n", *self.selection)


_NO_PROMPT = N_("No round has ended yet, so there is no prompt to try. The seed's answers come first.")


class TryScreen(Page[str]):
    """Asks a question with one round's prompt in front, or with two; gives back what was typed last.

    Args:
        project: The project.
        client: What is known of its run.
        question: What stands in the box at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "other panel", id="try.other_panel"),
        Binding("ctrl+t", "second", "second prompt", id="try.second"),
        Binding("ctrl+s", "add", "keep question", id="try.add"),
        Binding("escape", "back", "back", id="try.back"),
    ]

    DEFAULT_CSS = """
    TryScreen {
        & QuestionBox { height: 6; }
        & #panes { layout: vertical; height: 1fr; }
        & TryPane { height: 1fr; width: 1fr; padding: 0 1; border-subtitle-color: $secondary; }
        &.-wide #panes { layout: horizontal; }
        &.-wide TryPane { height: 100%; }
        &.-narrow QuestionBox { height: 5; }
    }
    """

    AUTO_FOCUS = "QuestionBox"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    def __init__(self, project: Project, client: RunClient, question: str = "") -> None:
        super().__init__()
        self._project = project
        self._client = client
        self._question = question
        self._asked = ""
        self._tried: dict[int, Tried] = {}
        best = client.picture.best or 1
        self._numbers = [best] if best == 1 else [best, 1]
        self._spent = SpendingChanged(calls=0, prompt_tokens=0, completion_tokens=0, cost_usd=0.0)
        self._head = Content("")
        self._seen: tuple[object, ...] = ()

    def parts(self) -> ComposeResult:
        """What is asked of whom, the question, the answers."""
        yield Static(id="head", classes="head", markup=False)
        with Vertical():
            yield QuestionBox(self._question)
            with Container(id="panes"):
                yield TryPane(classes="framed")
                yield TryPane(classes="framed")

    def on_mount(self) -> None:
        """Paint what comes a few times a second."""
        self.set_interval(seconds_between_paints(), self._look)
        self.fill()

    def fill(self) -> None:
        """Show what is asked, and the answers."""
        self._head = Content("")
        self._tick()

    @property
    def is_asking(self) -> bool:
        """Whether an answer is under way."""
        return any(one.state == "asked" for one in self._tried.values())

    def _rounds(self) -> list[int]:
        """The rounds whose prompt can be tried."""
        picture = self._client.picture
        return [
            number
            for number, one in sorted(picture.rounds.items())
            if one.end is not None and picture.prompt_of(number)
        ]

    def _look(self) -> None:
        if not self.is_on_top:
            return
        state = (self._client.changes, *((one.state, one.retry_at) for one in self._tried.values()))
        if self.is_asking or state != self._seen:
            self._seen = state
            self._tick()

    def _tick(self) -> None:
        with self.app.batch_update():
            head = self._heading()
            if head != self._head:
                self._head = head
                self.query_one("#head", Static).update(head)
            for place, pane in enumerate(self.query(TryPane)):
                pane.display = place < len(self._numbers)
                if pane.display:
                    self._show(pane, self._numbers[place])

    def _show(self, pane: TryPane, number: int) -> None:
        tried = self._tried.get(number)
        if tried is None:
            tried = Tried() if self._rounds() else Tried("failed", trouble=_(_NO_PROMPT))
        pane.show(self._name_of(number), self._client.picture.prompt_of(number), tried, time.time())

    def _heading(self) -> Content:
        opened, spent = self._client.picture.opened, self._spent
        model = opened.models.get("executor", "") if opened is not None else ""
        parts = [(_("Try it"), "bold $secondary"), (f"  {self._project.name}  {model}", "")]
        if spent.calls:
            tokens = count(spent.prompt_tokens + spent.completion_tokens, estimated=spent.estimated)
            cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
            said = ngettext(
                "  {n:,} call outside the run: {tokens} tok, {cost}",
                "  {n:,} calls outside the run: {tokens} tok, {cost}",
                spent.calls,
                tokens=tokens,
                cost=cost,
            )
            parts.append((said, "$text-muted"))
        return Content.assemble(*parts)

    def _name_of(self, number: int) -> str:
        name = _called(number)
        return _("{name}, the best", name=name) if number == self._client.picture.best else name

    def on_question_box_asked(self) -> None:
        """Ask it with every prompt that is shown."""
        question = self.query_one(QuestionBox).text.strip()
        if not question:
            self.notify(_("Type a question first."))
        elif not self._rounds():
            self.notify(_(_NO_PROMPT))
        elif self.is_asking:
            self.notify(_("An answer is under way; escape stops it."))
        else:
            self._asked = question
            self._tried = {number: Tried() for number in self._numbers}
            for tried in self._tried.values():
                tried.ask(time.time())
            self.run_worker(self._ask(question, list(self._numbers)), group="ask")
            self._tick()

    async def _ask(self, question: str, numbers: list[int]) -> None:
        from spotui.tui.child import listen

        try:
            if self._project.is_ours and not await trusts_program(self, self._project):
                raise not_trusted()
        except SpotuiError as error:
            for tried in self._tried.values():
                tried.fail(str(error))
            return
        root = self._project.folder.parents[self._project.name.count("/")]
        words = ["test", self._project.name, "--workspace", str(root), "--json"]
        for number in numbers:
            words += ["--round", str(number)]
        asked = self._tried
        told = await listen(words, self._take, question.encode())
        for tried in asked.values():
            tried.fail(told.fault or _("There is no answer."))

    def _take(self, line: bytes) -> None:
        event = decode_event(line)
        match event:
            case CallEvent():
                self._tried[event.key.round].apply(event)
            case Answered():
                self._tried[event.round].apply(event)
            case SpendingChanged():
                self._spend(event)
            case _:
                pass

    def _spend(self, more: SpendingChanged) -> None:
        spent = self._spent
        self._spent = SpendingChanged(
            calls=spent.calls + more.calls,
            prompt_tokens=spent.prompt_tokens + more.prompt_tokens,
            completion_tokens=spent.completion_tokens + more.completion_tokens,
            cost_usd=spent.cost_usd + more.cost_usd,
            unpriced=spent.unpriced + more.unpriced,
            estimated=spent.estimated or more.estimated,
        )

    def on_try_pane_step_wanted(self, event: TryPane.StepWanted) -> None:
        """Show another round's prompt in a pane; the answers of the last question stay with theirs."""
        event.stop()
        place = list(self.query(TryPane)).index(event.pane)
        others = [number for at, number in enumerate(self._numbers) if at != place]
        rounds = [number for number in self._rounds() if number not in others]
        now = self._numbers[place]
        further = [number for number in rounds if (number > now) == (event.by > 0) and number != now]
        if further and not self.is_asking:
            self._numbers[place] = further[0] if event.by > 0 else further[-1]
            self._tick()

    def action_second(self) -> None:
        """Compare two prompts, or try one alone."""
        if self.is_asking:
            return
        if len(self._numbers) == 2:
            self._numbers.pop()
        else:
            others = [number for number in self._rounds() if number not in self._numbers]
            if not others:
                self.notify(_("There is no other prompt to compare with yet."))
                return
            self._numbers.append(others[0] if self._numbers[0] != 1 else others[-1])
        self._tick()

    def action_add(self) -> None:
        """Add the question to the template that the run came from."""
        question = self.query_one(QuestionBox).text.strip()
        if not question:
            self.notify(_("Type a question first."))
            return
        answers = {
            _called(number): self._tried[number].text.strip()
            for number in self._numbers
            if number in self._tried and self._tried[number].state == "answered" and question == self._asked
        }
        open_by(self, self._add(question, answers), group="add")

    async def _add(self, question: str, answers: dict[str, str]) -> None:
        from spotui.tui.template.source import add_question

        await add_question(self, self._project, question, answers)

    def action_back(self) -> None:
        """Stop what is under way, or leave."""
        if self.is_asking:
            self.workers.cancel_group(self, "ask")
            for tried in self._tried.values():
                tried.stop()
            self._tick()
        else:
            self.dismiss(self.query_one(QuestionBox).text)


def _called(number: int) -> str:
    return _("the seed") if number == 1 else _("round {number}", number=number)
