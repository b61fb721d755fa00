"""The check of a judge, from what it takes to what it has found, by kind of damage."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import percent, usd, with_interval
from spotui.lang import N_, _, ngettext
from spotui.tui.judge_line import Offer, offer
from spotui.tui.measuring import MeasuringDialog, measured

Interval = tuple[float, float]


class OneKind(msgspec.Struct, frozen=True):
    """What a check has found for one kind of damage."""

    votes: int
    right: int

    @property
    def share(self) -> float | None:
        """The part of the votes that is right; None without votes."""
        return self.right / self.votes if self.votes else None


class CheckResult(msgspec.Struct, frozen=True):
    """What a check has found: see `spotui judge-check --json`."""

    fit: bool
    votes: int
    right: int
    voids: int
    comparisons: int
    settled: int
    pairs: int
    flips: int
    warning: str
    calls: int
    cost_usd: float | None
    estimated: bool
    accuracy: float | None = None
    accuracy_interval: Interval | None = None
    flip_rate: float | None = None
    flip_interval: Interval | None = None
    compared: int = 0
    agreed: int = 0
    kinds: dict[str, OneKind] = {}

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        figures = {"settled": self.settled, "comparisons": self.comparisons, "flips": self.flips}
        if self.pairs:
            return _("Right in {settled} of {comparisons}; the order decided in {flips}.", **figures)
        return _("Right in {settled} of {comparisons}.", **figures)

    @property
    def figures(self) -> list[str]:
        """Every figure behind it, with its interval."""
        accuracy = _share(self.accuracy, self.accuracy_interval)
        lines: list[str] = [
            _(
                "Votes that are right: {right} of {votes}{accuracy}",
                right=self.right,
                votes=self.votes,
                accuracy=accuracy,
            )
        ]
        if self.pairs:
            rate = _share(self.flip_rate, self.flip_interval)
            lines.append(
                _(
                    "Pairs of votes that the order flips: {flips} of {pairs}{rate}",
                    flips=self.flips,
                    pairs=self.pairs,
                    rate=rate,
                )
            )
        if self.voids:
            lines.append(_("Votes without a choice: {voids}", voids=self.voids))
        if self.compared:
            lines.append(
                _("The judges agreed in {agreed} of {compared}.", agreed=self.agreed, compared=self.compared)
            )
        return lines

    @property
    def caution(self) -> str:
        """What to beware of; empty when the judge is in order."""
        if self.fit:
            return ""
        what = self.warning or _("It is not right more often than chance would have it.")
        return _(
            "{what} It is not fit for a run: choose another evaluator or another kind of judge.", what=what
        )


def _share(rate: float | None, interval: Interval | None) -> str:
    if rate is None or interval is None:
        return ""
    low, high = interval
    return f", {with_interval(percent(rate), percent(low), percent(high))}"


_WHAT = N_(
    "The judge compares answers with damaged copies of them (cut, shuffled, off topic, in a wrong format), "
    "in both orders. A judge that cannot tell these apart can tell no prompts apart."
)


_KINDS = {
    "truncated": N_("cut short"),
    "shuffled": N_("shuffled"),
    "off_topic": N_("off topic"),
    "wrong_format": N_("wrong format"),
}
_FAIR = 0.5
"""The accuracy of a coin."""


class JudgeCheckScreen(MeasuringDialog[None]):
    """Checks a judge once it is wanted.

    Args:
        template: What it is checked on: a path, or the name of a shipped template.
        words: Options of the run that is planned.
        offer: What it takes.
    """

    DEFAULT_CSS = "JudgeCheckScreen .kinds { margin: 1 0 0 0; color: $text-muted; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "start", id="judge_check.start"),
        Binding("escape", "back", "back", id="judge_check.back", priority=True),
    ]

    def __init__(self, template: str, words: Sequence[str], offer: Offer) -> None:
        super().__init__(_("Judge-check on {name}", name=Path(template).name), template, words)
        self._offer = offer
        self._is_done = False

    def on_mount(self) -> None:
        """Say what it takes."""
        self._say_cost()

    def begin_again(self) -> None:
        """Ask again what it takes, or find the result again; see `MeasuringDialog.begin_again`."""
        if self._is_done:
            self._is_done = False
            self.begin(self._offer.calls)
        else:
            self.run_worker(self._offer_again(), group="offer", exclusive=True)

    async def _offer_again(self) -> None:
        try:
            self._offer = await offer(self.template, self.words)
        except SpotuiError as error:
            self.tell(_("escape closes"), Content.styled(str(error), "$text-error"))
        else:
            self._say_cost()

    def _say_cost(self) -> None:
        offered = self._offer
        cost = _("It takes {cost}. What is asked is kept, and never paid for again.", cost=offered.cost)
        warnings = [
            Content.styled(_("Warning: {text}", text=warning), "$text-warning")
            for warning in offered.warnings
        ]
        what = Content.styled(_(_WHAT), "$text-muted")
        self.tell(_("enter starts, escape cancels"), what, Content(""), Content(cost), *warnings)

    def action_go(self) -> None:
        """Start it; once it is done, leave."""
        if self._is_done:
            self.dismiss(None)
        else:
            self.begin(self._offer.calls)

    def leave(self) -> None:
        """Close it: what was found is shown by the line about the judge."""
        self.dismiss(None)

    async def measure(self) -> None:
        """Check the judge, and tell what came of it; see `MeasuringDialog.measure`."""
        words = ["judge-check", self.template, "--json-lines", *self.words]
        found = await measured(words, CheckResult, self.show_calls)
        self._is_done = True
        self.tell(_("enter leaves"), *_result(found))
        self._show_kinds(found)

    def _show_kinds(self, result: CheckResult) -> None:
        """Accuracy by kind of damage, the worst first: half is what a coin would have."""
        from spotui.tui.canvas import Bar
        from spotui.tui.chart import BarChart

        title = _("Votes that are right, by kind of damage:")
        bars = [
            Bar(
                _(_KINDS[kind]) if kind in _KINDS else kind,
                one.share,
                _("{right} of {votes}", right=one.right, votes=one.votes),
                "win" if one.share is not None and one.share > _FAIR else "error",
            )
            for kind, one in sorted(result.kinds.items(), key=lambda each: each[1].share or 0.0)
        ]
        if bars and not self.query(BarChart):
            chart = BarChart()
            self.query_one(Vertical).mount(Static(title, classes="kinds", markup=False), chart)
            chart.show(bars)

    def tell(self, hint: str, *lines: Content) -> None:
        """Show lines below the judge's name; see `MeasuringDialog.tell`."""
        super().tell(hint, Content.styled(self._offer.who, "bold"), *lines)


def _result(result: CheckResult) -> list[Content]:
    cost = usd(result.cost_usd, estimated=result.estimated)
    spent = _("nothing: all was known")
    if result.calls:
        spent = ngettext("{n:,} call, {cost}", "{n:,} calls, {cost}", result.calls, cost=cost)
    return [
        Content(""),
        Content.styled(result.verdict, "bold $text-success" if result.fit else "bold $text-warning"),
        *(Content(line) for line in result.figures),
        *([Content.styled(result.caution, "$text-warning")] if result.caution else []),
        Content.styled(_("Spent: {spent}.", spent=spent), "$text-muted"),
    ]
