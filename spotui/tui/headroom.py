"""Headroom, before a run starts: what it takes, how far it is, what came of it, and the run that follows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.domain.figures import duration, usd
from spotui.lang import N_, _, ngettext
from spotui.tui.child import ask
from spotui.tui.measuring import MeasuringDialog, measured

_WHAT = N_(
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
            Content(f"{one['name']:12} {100 * one['gain']:+6.1f}  {_(one['change'])}") for one in self.probes
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


class HeadroomScreen(MeasuringDialog[Suggested | None]):
    """Measures the headroom once it is wanted; gives back the run that it suggests, if that is wanted.

    Args:
        template: What it is measured on: a path, or the name of a shipped template.
        words: Options of the run that is planned, without its budget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "start", id="headroom.start"),
        Binding("escape", "back", "back", id="headroom.back", priority=True),
    ]

    def __init__(self, template: str, words: Sequence[str]) -> None:
        super().__init__(_("Headroom of {name}", name=Path(template).name), template, words)
        self._offer: Offer | None = None
        self._found: Found | None = None

    def on_mount(self) -> None:
        """Find out what it takes."""
        self.begin_again()

    def begin_again(self) -> None:
        """Find out what it takes, or find the result again; see `MeasuringDialog.begin_again`."""
        if self._found is not None and self._offer is not None:
            self._found = None
            self.begin(self._offer.calls)
            return
        self.tell(_("escape cancels"), Content.styled(_(_WHAT), "$text-muted"))
        self.run_worker(self._look(), group="look", exclusive=True)

    def action_go(self) -> None:
        """Start it; once it is done, take over what it suggests."""
        if self._found is not None:
            self.dismiss(self._found.suggested)
        elif self._offer is not None and not self._offer.missing:
            self.begin(self._offer.calls)

    def leave(self) -> None:
        """Take over nothing."""
        self.dismiss(None)

    async def measure(self) -> None:
        """Measure the headroom, and tell what came of it; see `MeasuringDialog.measure`."""
        words = ["headroom", self.template, "--json-lines", *self.words]
        found = self._found = await measured(words, Found, self.show_calls)
        hint = _("enter takes over the suggestion, escape leaves") if found.found else _("enter leaves")
        self.tell(hint, *found.lines)

    async def _look(self) -> None:
        told = await ask(["headroom", self.template, "--estimate", "--json", *self.words])
        if told.fault:
            self.tell(_("escape closes"), Content.styled(told.fault, "$text-error"))
            return
        offer = self._offer = msgspec.json.decode(told.out, type=Offer)
        lines = [Content.styled(_(_WHAT), "$text-muted"), Content(""), Content(offer.cost)]
        if offer.missing:
            missing = _(" and ").join(offer.missing)
            text = _("It can be measured once {missing} is on this machine.", missing=missing)
            lines.append(Content.styled(text, "$text-warning"))
        lines += [Content.styled(_("Warning: {text}", text=text), "$text-warning") for text in offer.warnings]
        if offer.known is not None:
            lines.append(Content(_("Last time: {verdict}", verdict=offer.known.verdict)))
        self.tell(_("enter starts, escape cancels"), *lines)
