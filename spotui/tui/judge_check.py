"""A line about the judge: whether it has been checked, with what result, and the key that checks it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration, percent, usd, with_interval
from spotui.lang import N_, _, ngettext
from spotui.tui.child import ask
from spotui.tui.measuring import MeasuringDialog, measured

if TYPE_CHECKING:
    from textual.worker import WorkType


Interval = tuple[float, float]


class Known(msgspec.Struct, frozen=True):
    """What an earlier check has found.

    Attributes:
        template: What it was made on.
        comparisons: Answers that were compared with a damaged copy.
        settled: Those that the judge decided rightly.
        pairs: Comparisons whose votes chose a side in both orders.
        flips: Those in which the order decided.
        fit: Whether the judge may judge a run.
    """

    template: str
    comparisons: int
    settled: int
    pairs: int
    flips: int
    fit: bool

    @property
    def line(self) -> str:
        """The same in a few words."""
        flips = _(", flips {share}", share=percent(self.flips / self.pairs)) if self.pairs else ""
        return _("{n} of {all}{flips}", n=self.settled, all=self.comparisons, flips=flips)


class Offer(msgspec.Struct, frozen=True):
    """What a check would take, and what is known already.

    Attributes:
        judge: The kind of judge.
        models: Who judges.
        compares: Whether the run's method compares answers at all.
        calls: How many; the others alike.
        usd: USD, or None when a price is unknown.
        seconds: How long.
        missing: Embedded models that have to be fetched first.
        warnings: What stands against it.
        known: The newest check of this judge, on this template if there is one, or None.
    """

    judge: str
    models: tuple[str, ...]
    compares: bool
    calls: int
    usd: float | None
    seconds: float
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    known: Known | None

    @property
    def who(self) -> str:
        """The judge in a few words."""
        return f"{' + '.join(self.models)}, {self.judge}"

    @property
    def cost(self) -> str:
        """What it takes."""
        return ngettext(
            "about {n:,} call, {cost}, {time}",
            "about {n:,} calls, {cost}, {time}",
            self.calls,
            cost=usd(self.usd),
            time=duration(self.seconds),
        )


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


async def offer(template: str, words: Sequence[str]) -> Offer:
    """What a check on a template would take; asks no model.

    Args:
        template: Its path, or the name of a shipped one.
        words: Options of the run that is planned.

    Raises:
        SpotuiError: The template or an option is wrong.
    """
    told = await ask(["judge-check", template, "--estimate", "--json", *words])
    if told.fault:
        raise SpotuiError(told.fault)
    return msgspec.json.decode(told.out, type=Offer)


def _share(rate: float | None, interval: Interval | None) -> str:
    if rate is None or interval is None:
        return ""
    low, high = interval
    return f", {with_interval(percent(rate), percent(low), percent(high))}"


class JudgeLine(Static):
    """Tells of the judge that a run would have; it is not there where no judge compares anything.

    Args:
        action: What the screen calls the action that leads to `check`; its key is shown.
    """

    DEFAULT_CSS = "JudgeLine { height: auto; display: none; &.-told { display: block; } }"

    def __init__(self, action: str) -> None:
        super().__init__(markup=False)
        self._action = action
        self._offer: Offer | None = None
        self._template = ""
        self._words: Sequence[str] = ()

    @property
    def can_check(self) -> bool:
        """Whether there is a judge that can be checked now."""
        return self._offer is not None and self._offer.compares and not self._offer.missing

    def forget(self) -> None:
        """Something else was chosen: what is known of the judge is so no more."""
        self._offer, self._template = None, ""

    async def look(self, template: str, words: Sequence[str] = ()) -> None:
        """Find out about the judge of a run.

        Args:
            template: What it works on: a path, or the name of a shipped template.
            words: Options of that run.
        """
        self.forget()
        self._template, self._words = template, words
        try:
            found = await offer(template, words)
        except SpotuiError:  # the screen of the run reports what is wrong with it
            found = None
        if (template, words) == (self._template, self._words):  # nobody has looked for another one meanwhile
            self.show(found, template, words)

    def show(self, offer: Offer | None, template: str, words: Sequence[str] = ()) -> None:
        """Tell what is known of the judge of a run.

        Args:
            offer: That; None where there is nothing to tell.
            template: As in `look`.
            words: The same.
        """
        self._offer, self._template, self._words = offer, template, words
        text = _told(self._offer, Path(template).stem, self._key) if self._offer else None
        self.set_class(text is not None, "-told")
        self.update(text or Content(""))
        self.screen.refresh_bindings()

    @property
    def _key(self) -> str:
        """The key that checks it, which may be one of the user's own."""
        bindings = [active.binding for active in self.screen.active_bindings.values()]
        return next((self.app.get_key_display(one) for one in bindings if one.action == self._action), "")

    def check(self) -> None:
        """Offer the check, and tell what came of it."""
        if not self.can_check or self._offer is None:
            return

        look: WorkType[None] = partial(self.look, self._template, self._words)

        def look_again(_: None) -> None:
            self.run_worker(look, group="look", exclusive=True)

        self.app.push_screen(JudgeCheckScreen(self._template, self._words, self._offer), look_again)


def _told(offered: Offer, template: str, key: str) -> Content | None:
    if not offered.compares:
        return None
    who = _("Judge: {who}. ", who=offered.who)
    known = offered.known
    if known is None:
        if offered.missing:
            missing = _(" and ").join(offered.missing)
            return Content.styled(
                _("{who}It can be checked once {missing} is on this machine.", who=who, missing=missing),
                "$text-muted",
            )
        ask = _(
            "Not checked yet: {key} does it on {template} ({cost}).",
            key=key,
            template=template,
            cost=offered.cost,
        )
        return Content.assemble((who, ""), (ask, "$text-warning"))
    is_of_another = known.template != template
    tone = "$text-success" if known.fit else "$text-warning"
    line = (
        _("judge-check on {template}: {line}", template=known.template, line=known.line)
        if is_of_another
        else _("judge-check: {line}", line=known.line)
    )
    line = _("{line}.", line=line) if known.fit else _("{line}, not fit for a run.", line=line)
    more = _("{key} checks it on {template}.", key=key, template=template)
    return Content.assemble(
        (who, ""), (line, tone), f" {more}" if is_of_another and not offered.missing else ""
    )


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
