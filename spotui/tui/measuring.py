"""A dialog that measures something before a run, in another process: started, watched, stopped, resumed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import WorkerState

from spotui.domain.errors import SpotuiError
from spotui.lang import _, anew
from spotui.settings.resources import find_template
from spotui.tui.child import listen
from spotui.tui.dialogs import Dialog, not_trusted, trusts_template

if TYPE_CHECKING:
    from textual.worker import Worker

Found = TypeVar("Found")
Result = TypeVar("Result")
_BAR_CELLS = 30


async def measured(words: Sequence[str], found_as: type[Found], on_call: Callable[[int, int], None]) -> Found:
    """Measure something; when nobody waits any more it ends, and what was asked is kept.

    Args:
        words: The command, with `--json-lines`.
        found_as: The type of its result, the line that tells no progress.
        on_call: Called after every call with how many are done, and of how many.

    Raises:
        SpotuiError: It could not be done, and why.
    """
    found: list[Found] = []

    def take(line: bytes) -> None:
        said = msgspec.json.decode(line)
        if "done" in said:
            on_call(said["done"], said["of"])
        else:
            found.append(msgspec.convert(said, found_as))

    told = await listen(list(words), take)
    if not found:  # some results have an exit code that is not 0
        raise SpotuiError(told.fault or _("It ended without a result."))
    return found[0]


class MeasuringDialog(Dialog[Result]):
    """Measures something on a template once it is wanted.

    A subclass says in `measure` what is measured, and what is shown of it.

    Args:
        title: The title of its box.
        template: What it is measured on: a path, or the name of a shipped template.
        words: Options of the run that is planned.
    """

    DEFAULT_CSS = """
    MeasuringDialog {
        & > Vertical { width: 76; padding: 1; }
        & Static { height: auto; }
    }
    """

    def __init__(self, title: str, template: str, words: Sequence[str]) -> None:
        super().__init__()
        self._heading = title
        self.template = template
        self.words = words
        self._measuring: Worker[None] | None = None
        self._calls = (0, 0)

    def compose(self) -> ComposeResult:
        """One text."""
        with Vertical() as box:
            box.border_title = Content(anew(self._heading))
            yield Static(id="told", markup=False)

    def fill(self) -> None:
        """Show how far it is; before that, what it takes, and afterwards the result."""
        if self.is_measuring:
            self.show_calls(*self._calls)
        else:
            self.begin_again()

    def begin_again(self) -> None:
        """Say in the language that is used now what it takes, or find the result in what is kept."""
        raise NotImplementedError

    async def measure(self) -> None:
        """Measure, and tell what came of it.

        Raises:
            SpotuiError: It could not be done, and why.
        """
        raise NotImplementedError

    def leave(self) -> None:
        """Close the dialog without a result."""
        raise NotImplementedError

    @property
    def is_measuring(self) -> bool:
        """Whether it is under way."""
        return self._measuring is not None and not self._measuring.is_finished

    def begin(self, calls: int) -> None:
        """Start it, unless it is under way.

        Args:
            calls: How many it will take, about.
        """
        if not self.is_measuring:
            self.show_calls(0, calls)
            self._measuring = self.run_worker(self._measure(), group="measure")

    def action_back(self) -> None:
        """Leave; a measurement that is under way is stopped first."""
        if self.is_measuring and self._measuring is not None:
            self._measuring.cancel()
        else:
            self.leave()

    def on_worker_state_changed(self, event: "Worker.StateChanged") -> None:
        """Offer to resume once it has really stopped: a key that comes earlier would be lost."""
        if event.worker is self._measuring and event.state is WorkerState.CANCELLED:
            stopped = Content(_("Stopped. What was asked until now is kept."))
            self.tell(_("enter resumes, escape closes"), stopped)

    def show_calls(self, done: int, of: int) -> None:
        """Show how far it is."""
        self._calls = done, of
        filled = _BAR_CELLS * done // max(1, of)
        bar = Content.assemble(
            ("█" * filled, "$success"),
            ("░" * (_BAR_CELLS - filled), "$text-muted"),
            _("  {done} of {of} calls", done=done, of=of),
        )
        self.tell(_("escape stops it"), bar)

    def tell(self, hint: str, *lines: Content) -> None:
        """Show lines, and the keys that matter now."""
        self.query_one("#told", Static).update(Content("\n").join(lines))
        self.query_one(Vertical).border_subtitle = hint

    async def _measure(self) -> None:
        try:
            if not await trusts_template(self, find_template(self.template)):
                raise not_trusted()
            await self.measure()
        except SpotuiError as error:
            self.tell(_("enter tries again, escape leaves"), Content.styled(str(error), "$text-error"))
