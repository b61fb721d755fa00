"""Headroom, before a run starts: what it takes, how far it is, what came of it, and the run that follows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration, usd
from spotui.lang import _, ngettext
from spotui.settings.resources import find_template
from spotui.tui.child import ask, listen
from spotui.tui.dialogs import Dialog, not_trusted, trusts_template

if TYPE_CHECKING:
    from textual.worker import Worker

_BAR_CELLS = 30
_WHAT = (
    "Is there anything to gain? The seed prompt is asked twice, and compared with fixed rewrites of it and "
    "two proposals of the optimizer."
)


class Suggested(NamedTuple):
    """The run that a measurement suggests.

    Attributes:
        method: The method.
        calls: The budget.
        probes: Whether it starts from the probes that beat the seed.
    """

    method: str
    calls: int
    probes: bool


class Found(msgspec.Struct, frozen=True):
    """What a measurement has found: see `spotui headroom --json`."""

    verdict: str
    found: bool
    method: str
    budget: int
    start_from_probes: bool
    calls: int
    cost_usd: float
    unpriced: int
    estimated: bool
    probes: tuple[dict[str, Any], ...]

    @property
    def suggested(self) -> Suggested | None:
        """The run that follows; None without headroom."""
        return Suggested(self.method, self.budget, self.start_from_probes) if self.found else None

    @property
    def lines(self) -> list[Content]:
        """The result, a line each."""
        tone = "$text-success" if self.found else "$text-warning"
        lines = [Content.styled(self.verdict, f"bold {tone}")]
        lines += [
            Content(f"{one['name']:12} {100 * one['gain']:+6.1f}  {one['change']}") for one in self.probes
        ]
        if self.found:
            text = ngettext(
                "Suggested: {method} with {n:,} call.",
                "Suggested: {method} with {n:,} calls.",
                self.budget,
                method=self.method,
            )
            lines.append(Content(text))
        cost = usd(self.cost_usd, self.unpriced, estimated=self.estimated)
        spent = ngettext("Spent: {n:,} call, {cost}.", "Spent: {n:,} calls, {cost}.", self.calls, cost=cost)
        return [*lines, Content.styled(spent, "$text-muted")]


class Offer(msgspec.Struct, frozen=True):
    """What a measurement would take: see `spotui headroom --estimate --json`."""

    calls: int
    usd: float | None
    seconds: float
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    known: Found | None

    @property
    def cost(self) -> str:
        """What it takes, in one line."""
        return ngettext(
            "It takes about {n:,} call, {cost}, {time}. What is asked is kept, and never paid for again.",
            "It takes about {n:,} calls, {cost}, {time}. What is asked is kept, and never paid for again.",
            self.calls,
            cost=usd(self.usd),
            time=duration(self.seconds),
        )


async def measure(template: str, words: Sequence[str], on_call: Callable[[int, int], None]) -> Found:
    """Measure the headroom; when nobody waits any more it ends, and what was asked is kept.

    Args:
        template: A path, or the name of a shipped template.
        words: Options of the run that is planned.
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
            found.append(msgspec.convert(said, Found))

    told = await listen(["headroom", template, "--json-lines", *words], take)
    if not found:  # no headroom is a result, with an exit code of its own
        raise SpotuiError(told.fault or _("It ended without a result."))
    return found[0]


class HeadroomScreen(Dialog[Suggested | None]):
    """Measures the headroom once it is wanted; gives back the run that it suggests, if that is wanted.

    Args:
        template: What it is measured on: a path, or the name of a shipped template.
        words: Options of the run that is planned, without its budget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "start", id="headroom.start"),
        Binding("escape", "back", "back", id="headroom.back", priority=True),
    ]

    DEFAULT_CSS = """
    HeadroomScreen {
        & > Vertical { width: 76; padding: 1; }
        & Static { height: auto; }
    }
    """

    def __init__(self, template: str, words: Sequence[str]) -> None:
        super().__init__()
        self._template = template
        self._words = words
        self._offer: Offer | None = None
        self._found: Found | None = None
        self._measuring: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """One text."""
        with Vertical() as box:
            box.border_title = Content(_("Headroom of {name}", name=Path(self._template).name))
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        """Find out what it takes."""
        self._tell(_("escape cancels"), Content.styled(_WHAT, "$text-muted"))
        self.run_worker(self._look(), group="look")

    def action_go(self) -> None:
        """Start it; once it is done, take over what it suggests."""
        if self._found is not None:
            self.dismiss(self._found.suggested)
        elif self._offer is not None and not self._offer.missing and not self._is_measuring:
            self._show(0, self._offer.calls)
            self._measuring = self.run_worker(self._measure(), group="measure")

    def action_back(self) -> None:
        """Leave; a measurement that is under way is stopped first."""
        if self._is_measuring and self._measuring is not None:
            self._measuring.cancel()
            stopped = Content(_("Stopped. What was asked until now is kept."))
            self._tell(_("enter resumes, escape closes"), stopped)
        else:
            self.dismiss(None)

    @property
    def _is_measuring(self) -> bool:
        return self._measuring is not None and not self._measuring.is_finished

    async def _look(self) -> None:
        told = await ask(["headroom", self._template, "--estimate", "--json", *self._words])
        if told.fault:
            self._tell(_("escape closes"), Content.styled(told.fault, "$text-error"))
            return
        offer = self._offer = msgspec.json.decode(told.out, type=Offer)
        lines = [Content.styled(_WHAT, "$text-muted"), Content(""), Content(offer.cost)]
        if offer.missing:
            missing = " and ".join(offer.missing)
            text = _("It can be measured once {missing} is on this machine.", missing=missing)
            lines.append(Content.styled(text, "$text-warning"))
        lines += [Content.styled(_("Warning: {text}", text=text), "$text-warning") for text in offer.warnings]
        if offer.known is not None:
            lines.append(Content(_("Last time: {verdict}", verdict=offer.known.verdict)))
        self._tell(_("enter starts, escape cancels"), *lines)

    async def _measure(self) -> None:
        try:
            if not await trusts_template(self, find_template(self._template)):
                raise not_trusted()
            found = self._found = await measure(self._template, self._words, self._show)
        except SpotuiError as error:
            self._tell(_("enter tries again, escape leaves"), Content.styled(str(error), "$text-error"))
        else:
            hint = _("enter takes over the suggestion, escape leaves") if found.found else _("enter leaves")
            self._tell(hint, *found.lines)

    def _show(self, done: int, of: int) -> None:
        filled = _BAR_CELLS * done // max(1, of)
        bar = Content.assemble(
            ("█" * filled, "$success"),
            ("░" * (_BAR_CELLS - filled), "$text-muted"),
            _("  {done} of {of} calls", done=done, of=of),
        )
        self._tell(_("escape stops it"), bar)

    def _tell(self, hint: str, *lines: Content) -> None:
        self.query_one("#told", Static).update(Content("\n").join(lines))
        self.query_one(Vertical).border_subtitle = hint
