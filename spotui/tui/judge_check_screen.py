"""Checking a judge: what it takes, how far it is, what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from spotui.errors import SpotuiError
from spotui.tui.dialog import Dialog
from spotui.tui.judge_check import Found, Offer, check
from spotui.view.figures import plural, usd

if TYPE_CHECKING:
    from textual.worker import Worker

_BAR_CELLS = 30
_WHAT = (
    "The judge compares answers with damaged copies of them (cut, shuffled, off topic, in a wrong format), "
    "in both orders. A judge that cannot tell these apart can tell no prompts apart."
)


class JudgeCheckScreen(Dialog[None]):
    """Checks a judge once it is wanted.

    Args:
        template: What it is checked on: a path, or the name of a shipped template.
        words: Options of the run that is planned.
        offer: What it takes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "start", id="judge_check.start"),
        Binding("escape", "back", "back", id="judge_check.back", priority=True),
    ]

    DEFAULT_CSS = """
    JudgeCheckScreen {
        & > Vertical { width: 76; padding: 1; }
        & Static { height: auto; }
    }
    """

    def __init__(self, template: str, words: Sequence[str], offer: Offer) -> None:
        super().__init__()
        self._template = template
        self._words = words
        self._offer = offer
        self._checking: Worker[None] | None = None
        self._is_done = False

    def compose(self) -> ComposeResult:
        """One text."""
        with Vertical() as box:
            box.border_title = Content(f"Judge-check on {Path(self._template).name}")
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        """Say what it takes."""
        offer = self._offer
        cost = f"It takes {offer.cost}. What is asked is kept, and never paid for again."
        warnings = [Content.styled(f"Warning: {warning}", "$text-warning") for warning in offer.warnings]
        what = Content.styled(_WHAT, "$text-muted")
        self._tell("enter starts, escape cancels", what, Content(""), Content(cost), *warnings)

    def action_go(self) -> None:
        """Start it; once it is done, leave."""
        if self._is_done:
            self.dismiss(None)
        elif not self._is_checking:
            self._show(0, self._offer.calls)
            self._checking = self.run_worker(self._check(), group="check")

    def action_back(self) -> None:
        """Leave; a check that is under way is stopped first."""
        if self._is_checking and self._checking is not None:
            self._checking.cancel()
            self._tell("enter goes on, escape leaves", Content("Stopped. What was asked until now is kept."))
        else:
            self.dismiss(None)

    @property
    def _is_checking(self) -> bool:
        return self._checking is not None and not self._checking.is_finished

    async def _check(self) -> None:
        try:
            found = await check(self._template, self._words, self._show)
        except SpotuiError as error:
            self._tell("enter tries again, escape leaves", Content.styled(str(error), "$text-error"))
        else:
            self._is_done = True
            self._tell("enter leaves", *_result(found))

    def _show(self, done: int, of: int) -> None:
        filled = _BAR_CELLS * done // of
        bar = Content.assemble(
            ("█" * filled, "$success"),
            ("░" * (_BAR_CELLS - filled), "$text-muted"),
            f"  {done} of {of} calls",
        )
        self._tell("escape stops it", bar)

    def _tell(self, hint: str, *lines: Content) -> None:
        who = Content.styled(self._offer.who, "bold")
        self.query_one("#told", Static).update(Content("\n").join([who, *lines]))
        self.query_one(Vertical).border_subtitle = hint


def _result(found: Found) -> list[Content]:
    cost = usd(found.cost_usd, estimated=found.estimated)
    spent = f"{plural(found.calls, 'call')}, {cost}" if found.calls else "nothing: all was known"
    return [
        Content(""),
        Content.styled(found.verdict, "bold $text-success" if found.fit else "bold $text-warning"),
        *(Content(line) for line in found.figures),
        *([Content.styled(found.caution, "$text-warning")] if found.caution else []),
        Content.styled(f"Spent: {spent}.", "$text-muted"),
    ]
