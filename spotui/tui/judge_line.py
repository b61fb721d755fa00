"""A line about the judge: whether it has been checked, with what result, and the key that checks it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration, percent, usd
from spotui.lang import _, ngettext
from spotui.tui.child import ask

if TYPE_CHECKING:
    from textual.worker import WorkType


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

        from spotui.tui.judge_check import JudgeCheckScreen

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
