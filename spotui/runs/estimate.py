"""The calls, tokens, money and time that something is expected to take, before a single call is paid for."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from spotui.domain.figures import count, duration, usd
from spotui.engine.demonstrations import SETS_TRIED, TRAIN_ROWS
from spotui.engine.racing import most_saved
from spotui.lang import N_, _, join, ngettext
from spotui.llm.budget import UnknownPriceError
from spotui.runs.expected_calls import (
    BLOCKS,
    Paces,
    Part,
    of_cuts,
    of_damages,
    of_duels,
    of_labels,
    of_probes,
    of_scores,
    row_lengths,
)
from spotui.runs.task import is_judged
from spotui.settings.table import ROLES, Role, RunSettings

if TYPE_CHECKING:
    from spotui.llm.connector import Connector
    from spotui.methods.method import Calls
    from spotui.runs.prepare import Prepared
    from spotui.templates.data.labels_file import Label


class Share(msgspec.Struct, frozen=True):
    """The expected calls of one role, or of the embedding model.

    Attributes:
        role: Which.
        model: Its model.
        calls: How many.
        prompt_tokens: In all its requests.
        completion_tokens: In all its replies.
        usd: Their cost, or None when the price is unknown.
        other_usd: Their cost live where they go out as batches, and in batches where they do not; None where
            a price is unknown or there are no batches.
        batched: Whether they go out as batches.
    """

    role: Role | Literal["embedding"]
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    other_usd: float | None = None
    batched: bool = False


class Estimate(msgspec.Struct, frozen=True):
    """What something is expected to take; all figures are rough.

    Attributes:
        shares: One for each role and model.
        seconds: The critical path.
        warnings: Reasons not to start it.
        measured: Whether earlier runs have measured the speed of every model.
        saved: Calls that racing may save at most; the other figures are those of a run that saves none.
        batches: How often it waits for a batch, which takes a day at most; `seconds` is without that.
    """

    shares: tuple[Share, ...]
    seconds: float
    warnings: tuple[str, ...] = ()
    measured: bool = False
    saved: int = 0
    batches: int = 0

    def warning(self, *warnings: str) -> "Estimate":
        """The same with these warnings before its own."""
        return msgspec.structs.replace(self, warnings=(*warnings, *self.warnings))

    @property
    def calls(self) -> int:
        """Of all roles."""
        return sum(one.calls for one in self.shares)

    @property
    def tokens(self) -> int:
        """Prompt and completion of all roles."""
        return sum(one.prompt_tokens + one.completion_tokens for one in self.shares)

    @property
    def usd(self) -> float | None:
        """Of all roles, or None when a price is unknown."""
        costs = [one.usd for one in self.shares]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def other_usd(self) -> float | None:
        """The cost with all calls live where some go out as batches; else with batches where there are any.

        None where a price is unknown, or nothing would be another price.
        """
        costs = [
            one.other_usd if one.batched == self.is_batched and one.other_usd is not None else one.usd
            for one in self.shares
        ]
        if self.usd is None or None in costs:
            return None
        other = sum(cost for cost in costs if cost is not None)
        return other if other != self.usd else None

    @property
    def is_batched(self) -> bool:
        """Whether any of the calls go out as batches."""
        return any(one.batched for one in self.shares)

    @property
    def batch_line(self) -> str:
        """What batches change, on one line; empty where there is nothing to say."""
        other = self.other_usd
        if not self.is_batched:
            if other is None:
                return ""
            return _("With --batch all: {batched} instead of {live}.", batched=usd(other), live=usd(self.usd))
        waits = ngettext(
            "In batches: the run waits for about {n:,} batch, a day at most.",
            "In batches: the run waits for about {n:,} batches, one after another, a day at most for each.",
            self.batches,
        )
        if other is None:
            return waits
        return join(waits, _("Live, it would cost {live}.", live=usd(other)))

    @property
    def line(self) -> str:
        """The estimate on one line."""
        if self.saved:
            return _(
                "about {fewest:,} to {most:,} calls, as racing goes; up to {tokens} tokens, {cost}, {time}.",
                fewest=self.calls - self.saved,
                most=self.calls,
                tokens=count(self.tokens),
                cost=usd(self.usd),
                time=duration(self.seconds),
            )
        return ngettext(
            "about {n:,} call, {tokens} tokens, {cost}, {time}.",
            "about {n:,} calls, {tokens} tokens, {cost}, {time}.",
            self.calls,
            tokens=count(self.tokens),
            cost=usd(self.usd),
            time=duration(self.seconds),
        )


ROUNDS_WORTH_HAVING = 2
_ORDER = (*ROLES, "embedding")


def estimate(prepared: "Prepared", connector: "Connector", paces: Paces | None = None) -> Estimate | None:
    """Estimate a whole run; no model is asked.

    Args:
        prepared: What was prepared for a run.
        connector: Knows where models are and what they cost.
        paces: The speed of models, as `measured_paces` has it.

    Returns:
        The estimate, or None when the method does not say how many calls it makes.

    Raises:
        SettingsError: The endpoint of a model is unknown.
    """
    method, settings, paces = prepared.method, prepared.settings, paces or {}
    if not method.scores:
        checked = settings.final_check and settings.max_rounds > 1
        whole = _total(
            of_duels(prepared, settings.max_rounds, checked=checked), connector, paces, settings.batched
        )
        rounds = min(settings.max_rounds, 1 + ROUNDS_WORTH_HAVING)
        needed = _total(of_duels(prepared, rounds, checked=checked), connector, paces, settings.batched)
        what = _("the seed round")
        if rounds > 1:
            what = _("the seed round and {more} more", more=rounds - 1)
        if checked:
            what = _("the seed round, {more} more and the final check", more=rounds - 1)
        return whole.warning(*_budget_warnings(settings, needed, what))
    if method.calls is None or prepared.rows is None:
        return None
    rows, lacking = prepared.rows, []
    calls = method.calls(prepared.parameters, len(rows.train), len(rows.eval))
    test = len(rows.test) if prepared.final_test else 0  # a race tests all of its methods itself
    calls = msgspec.structs.replace(calls, answers=calls.answers + calls.tests * test)
    if settings.demonstrations is not None:
        tried = min(len(rows.train), TRAIN_ROWS) + SETS_TRIED * len(rows.eval)
        calls = msgspec.structs.replace(calls, answers=calls.answers + tried, steps=calls.steps + 1)
    if prepared.template.metric is None and not prepared.template.criteria:
        lacking.append(
            _("The template names no metric: the evaluator marks every answer by the requirements.")
        )
    if not rows.test:
        lacking.append(
            _("There are no test rows: nothing will say what the best prompt is worth on new ones.")
        )
    whole = _total(of_scores(prepared, calls), connector, paces, settings.batched)
    whole = msgspec.structs.replace(whole, saved=_saved(prepared, calls))
    parameters = prepared.parameters
    if method.length:
        parameters = msgspec.structs.replace(parameters, **{method.length: 1})
    step = method.calls(parameters, len(rows.train), len(rows.eval))
    tested = step.tests * test
    step = msgspec.structs.replace(step, answers=step.answers + tested)
    first = _total(of_scores(prepared, step), connector, paces, settings.batched)
    what = _("the seed prompt, one step and the test") if tested else _("the seed prompt and one step")
    if too_small := list(_uncovered(settings, first, what)):
        return whole.warning(*lacking, *too_small, _(_TOO_SMALL))
    return whole.warning(*lacking, *_budget_warnings(settings, whole, _("the whole run")))


def _saved(prepared: "Prepared", calls: "Calls") -> int:
    """Calls that racing may save at most: answers, and the evaluator's marks for them."""
    answers = sum(
        one.times * most_saved(prepared.racing, one.candidates, one.keep, one.rows) for one in calls.races
    )
    return answers * (row_lengths(prepared).turns + is_judged(prepared.template))


def estimate_judge_check(prepared: "Prepared", connector: "Connector") -> Estimate:
    """Estimate a judge-check, as `estimate` does a run; calls of an earlier check cost nothing more."""
    found = _total(of_damages(prepared), connector, {}, prepared.settings.batched)
    return found.warning(*_budget_warnings(prepared.settings, found, _("the judge-check")))


def estimate_labels(
    prepared: "Prepared", connector: "Connector", labels: "Sequence[Label]", *, tunes: bool = False
) -> Estimate:
    """Estimate a check of a judge against labels, and tuning, which takes at most as much again and half.

    Args:
        prepared: What was prepared for it.
        connector: Knows the models and their prices.
        labels: What people decided.
        tunes: Whether the optimizer improves the criteria.
    """
    settings = prepared.settings
    found = _total(of_labels(prepared, labels, tunes=tunes), connector, {}, settings.batched)
    return found.warning(*_budget_warnings(settings, found, _("the check")))


def estimate_headroom(prepared: "Prepared", connector: "Connector", paces: Paces | None = None) -> Estimate:
    """Estimate how a template's headroom is measured, as `estimate` does a run.

    Raises:
        SpotuiError: The budget or the rows are too few, or the endpoint of a model is unknown.
    """
    from spotui.runs.headroom.plan import PROPOSALS, cost_of, is_by_rows, plan_of

    plan = plan_of(prepared)
    parts = of_probes(prepared, plan)
    if is_by_rows(prepared):
        from spotui.methods.method import Calls

        answers = (plan.calls - PROPOSALS) // cost_of(prepared)
        parts = of_scores(prepared, Calls(proposals=PROPOSALS, notes=0, answers=answers, steps=BLOCKS))
    return _total(parts, connector, paces or {}, prepared.settings.batched)


def estimate_pruning(
    prepared: "Prepared", prompt: str, connector: "Connector", paces: Paces | None = None
) -> Estimate:
    """Estimate at most what pruning a prompt takes, as `estimate` does a run.

    Raises:
        SpotuiError: Nothing of the prompt can be cut, or the endpoint of a model is unknown.
    """
    from spotui.runs.prune import expected

    most = expected(prepared, prompt)
    whole = _total(of_cuts(prepared, most, prompt), connector, paces or {}, prepared.settings.batched)
    share = whole.calls / max(1, most.answers + most.duels + most.checked)
    return msgspec.structs.replace(whole, saved=int(most.saved * share))


def _total(
    parts: Iterable[Part], connector: "Connector", paces: Paces, batched: Collection[Role]
) -> Estimate:
    """All calls together: what each role takes, and the time of those that wait for each other."""
    seconds, batches = 0.0, 0
    alike: dict[tuple[Role | Literal["embedding"], str], list[Part]] = {}
    for part in parts:
        alike.setdefault((part.role, part.model), []).append(part)
        if part.calls and part.role in batched and connector.batch_share(part.model) is not None:
            batches += math.ceil(part.waits)
        elif part.calls:
            seconds += part.seconds(connector, paces)
    shares = []
    for (role, model), same in sorted(alike.items(), key=lambda one: _ORDER.index(one[0][0])):
        calls, asked = sum(one.calls for one in same), sum(one.asked for one in same)
        written, price = sum(one.calls * one.reply for one in same), connector.price_of(model)
        live = None if price is None else price.cost(asked, written)
        share = connector.batch_share(model) if role != "embedding" else None
        in_batch = None if live is None or share is None else live * share
        is_batched = role in batched and share is not None
        cost, other = (in_batch, live) if is_batched else (live, in_batch)
        shares.append(Share(role, model, calls, asked, written, cost, other, is_batched))
    live_shares = [one for one in shares if not one.batched]
    seconds = max([seconds, *_rated(live_shares, connector)])
    measured = {one.model for one in shares} <= paces.keys()
    return Estimate(tuple(shares), seconds, measured=measured, batches=batches)


def _rated(shares: Sequence[Share], connector: "Connector") -> Iterator[float]:
    """Seconds that calls and tokens take at the rates of their models; the first minute's are free."""
    for model in {share.model for share in shares}:
        limits = connector.route_to(model).endpoint.limits
        own = Estimate(tuple(share for share in shares if share.model == model), 0.0)
        for amount, rate in ((own.calls, limits.requests_per_minute), (own.tokens, limits.tokens_per_minute)):
            if rate is not None:
                yield (amount - rate) / rate * 60


_TOO_SMALL: Final = N_(
    "A smaller budget ends the run before a new prompt is compared with the seed prompt. Raise it, or use "
    "fewer rows, for example with `split: {train: 20, eval: 20, test: 20}` under `data`."
)
_CALLS_BUDGET: Final = N_("The budget of {limit:,g} calls may not cover {what} (about {about}).")
_TOKENS_BUDGET: Final = N_("The budget of {limit:,g} tokens may not cover {what} (about {about}).")
_USD_BUDGET: Final = N_("The budget of {limit:,g} USD may not cover {what} (about {about}).")
_MINUTES_BUDGET: Final = N_("The budget of {limit:,g} minutes may not cover {what} (about {about}).")


def _budget_warnings(settings: RunSettings, needed: Estimate, what: str) -> Iterator[str]:
    """Reasons not to start with a budget: it may not cover what something needs, or cannot be kept."""
    budget = settings.budget
    if budget.usd is not None and needed.usd is None:
        yield str(UnknownPriceError({share.model for share in needed.shares if share.usd is None}))
    yield from _uncovered(settings, needed, what)


def _uncovered(settings: RunSettings, needed: Estimate, what: str) -> Iterator[str]:
    """The limits of a budget that may not cover what something needs."""
    budget = settings.budget
    pairs = (
        (_CALLS_BUDGET, budget.calls, needed.calls),
        (_TOKENS_BUDGET, budget.tokens, needed.tokens),
        (_USD_BUDGET, budget.usd, needed.usd),
        (_MINUTES_BUDGET, budget.minutes, needed.seconds / 60),
    )
    for warning, limit, need in pairs:
        if limit is not None and need is not None and limit < need:
            about = f"{need:,.0f}" if need >= 100 else f"{need:.3g}"
            yield _(warning, limit=limit, what=what, about=about)
