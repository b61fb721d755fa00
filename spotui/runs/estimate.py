"""The calls, tokens, money and time that something is expected to take, before a single call is paid for."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from spotui.domain.figures import count, duration, usd
from spotui.domain.text import estimate_tokens
from spotui.engine.demonstrations import SETS_TRIED, TRAIN_ROWS
from spotui.engine.racing import most_saved
from spotui.engine.task import Question
from spotui.lang import N_, _, join, ngettext
from spotui.llm.budget import UnknownPriceError
from spotui.runs.task import is_judged
from spotui.settings.table import ROLES, Role, RunSettings, is_embedded

if TYPE_CHECKING:
    from spotui.llm.connections import Connector
    from spotui.methods.method import Calls
    from spotui.runs.headroom.plan import Plan
    from spotui.runs.prepare import Prepared
    from spotui.templates.data.labels_file import Label

Paces = Mapping[str, tuple[float, float]]
"""The speed of each model: seconds to the start of a reply, and tokens a second after that."""


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


# Nothing is known about replies before they come: these are lengths that runs of each method have, in tokens.
PROPOSAL_TOKENS = 450
EMBEDDED_PROPOSAL_TOKENS = 150
PROMPT_TOKENS = 150
ANSWER_TOKENS = 200
ANSWER_TO_REFERENCE = 2
LEAST_ANSWER_TOKENS = 40
TURN_TOKENS = 20
VOTE_TOKENS = 250
NOTE_TOKENS = 150
MARK_TOKENS = 80

# Tokens of the meta-prompts around what they ask about.
PROPOSE_FRAME = 240
SCORED_PROPOSE_FRAME = 900
VOTE_FRAME = 220
LESSONS = 500
NOTE_FRAME = 600
MARK_FRAME = 180

# The speed of a hosted model, and of the embedded one on two cores.
HOSTED_PACE = (0.8, 60.0)
EMBEDDED_PACE = (2.0, 12.0)

ROUNDS_WORTH_HAVING = 2
_ORDER = (*ROLES, "embedding")


class _Votes(NamedTuple):
    """What one duel usually takes: votes, and how often it has to wait for some."""

    asked: int
    waves: int
    tokens: int = VOTE_TOKENS


# About the means of benchmarks.judging; a duel may take more, up to the cap of its rule.
VOTES: dict[str, _Votes] = {
    "balanced": _Votes(3, 1),
    "thorough": _Votes(5, 2),
    "reference": _Votes(4, 1),
    "logprob": _Votes(2, 1, 1),
}
_BLOCKS = 5
"""How often the measurement of headroom waits: examples, proposals, and three blocks of rows."""

VOTES_A_ROW = 2
"""In the final check and in a judge-check: one in either order."""


class _Part(NamedTuple):
    """Calls of one model that are alike.

    Attributes:
        role: Who asks.
        model: Its model.
        calls: How many.
        asked: The tokens of all requests.
        reply: The tokens of each reply.
        waits: How often the run waits for some of them.
        at_once: How many are made at once each time.
        written: The tokens of each reply that are written one after another, where that is not all of them.
    """

    role: Role | Literal["embedding"]
    model: str
    calls: int
    asked: int
    reply: int
    waits: float
    at_once: float
    written: int | None = None

    def seconds(self, connector: "Connector", paces: Paces) -> float:
        """The time that the run waits for these calls."""
        tokens = self.reply if self.written is None else self.written
        return self.waits * model_seconds(self.model, connector, paces, tokens, self.at_once)


def model_seconds(model: str, connector: "Connector", paces: Paces, tokens: int, calls: float) -> float:
    """The time of some calls of one model that are made at once, with replies of so many tokens."""
    if is_embedded(model) and model not in paces:  # calls at once share the same cores
        wait, pace = EMBEDDED_PACE
        return wait + calls * tokens / pace
    wait, pace = paces.get(model, HOSTED_PACE)
    at_once = connector.route_to(model).endpoint.limits.concurrency
    return -(-calls // at_once) * (wait + tokens / pace)


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
            _of_duels(prepared, settings.max_rounds, checked=checked), connector, paces, settings.batched
        )
        rounds = min(settings.max_rounds, 1 + ROUNDS_WORTH_HAVING)
        needed = _total(_of_duels(prepared, rounds, checked=checked), connector, paces, settings.batched)
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
    whole = _total(_of_scores(prepared, calls), connector, paces, settings.batched)
    whole = msgspec.structs.replace(whole, saved=_saved(prepared, calls))
    parameters = prepared.parameters
    if method.length:
        parameters = msgspec.structs.replace(parameters, **{method.length: 1})
    step = method.calls(parameters, len(rows.train), len(rows.eval))
    tested = step.tests * test
    step = msgspec.structs.replace(step, answers=step.answers + tested)
    first = _total(_of_scores(prepared, step), connector, paces, settings.batched)
    what = _("the seed prompt, one step and the test") if tested else _("the seed prompt and one step")
    if too_small := list(_uncovered(settings, first, what)):
        return whole.warning(*lacking, *too_small, _(_TOO_SMALL))
    return whole.warning(*lacking, *_budget_warnings(settings, whole, _("the whole run")))


def _saved(prepared: "Prepared", calls: "Calls") -> int:
    """Calls that racing may save at most: answers, and the evaluator's marks for them."""
    answers = sum(
        one.times * most_saved(prepared.racing, one.candidates, one.keep, one.rows) for one in calls.races
    )
    return answers * (_row_lengths(prepared).turns + is_judged(prepared.template))


def estimate_judge_check(prepared: "Prepared", connector: "Connector") -> Estimate:
    """Estimate a judge-check, as `estimate` does a run; calls of an earlier check cost nothing more."""
    found = _total(_of_damages(prepared), connector, {}, prepared.settings.batched)
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
    from spotui.runs.labels.check import PROPOSALS

    settings, task, count = prepared.settings, prepared.task, len(labels)
    is_pair = labels[0].second is not None
    texts = sum(estimate_tokens(f"{one.row.asked}\n{one.first}\n{one.second or ''}") for one in labels)
    frame = VOTE_FRAME + estimate_tokens(task.aim if is_pair else task.criteria)
    # Every proposal is tried on half of the labels, and the best one on the other half.
    share = 1 + (PROPOSALS + 1) / 2 if tunes else 1
    if settings.judge == "likelihood" and is_pair:
        each, reply, judges = 4, 1, settings.panel[:1]
    else:
        each, judges = VOTES_A_ROW if is_pair else 1, settings.panel if is_pair else settings.panel[:1]
        reply = VOTES[settings.judge].tokens if is_pair else VOTE_TOKENS
    calls, asked = round(share * each * count), round(share * each * (texts + count * frame))
    waits = 1 + (PROPOSALS + 1 if tunes else 0)
    parts = [
        _Part("evaluator", model, calls, asked, reply, 0 if number else waits, calls * len(judges) / waits)
        for number, model in enumerate(judges)
    ]
    if tunes:
        shown = PROPOSALS * (frame + texts * min(1, 8 / count))
        parts.append(_proposals(settings, PROPOSALS, round(shown), waits=PROPOSALS))
    found = _total(parts, connector, {}, settings.batched)
    return found.warning(*_budget_warnings(settings, found, _("the check")))


def estimate_headroom(prepared: "Prepared", connector: "Connector", paces: Paces | None = None) -> Estimate:
    """Estimate how a template's headroom is measured, as `estimate` does a run.

    Raises:
        SpotuiError: The budget or the rows are too few, or the endpoint of a model is unknown.
    """
    from spotui.runs.headroom.plan import PROPOSALS, cost_of, is_by_rows, plan_of

    plan = plan_of(prepared)
    parts = _of_probes(prepared, plan)
    if is_by_rows(prepared):
        from spotui.methods.method import Calls

        answers = (plan.calls - PROPOSALS) // cost_of(prepared)
        parts = _of_scores(prepared, Calls(proposals=PROPOSALS, notes=0, answers=answers, steps=_BLOCKS))
    return _total(parts, connector, paces or {}, prepared.settings.batched)


def _of_probes(prepared: "Prepared", plan: "Plan") -> list[_Part]:
    """The calls of probes that a judge compares."""
    from spotui.runs.headroom.plan import PROPOSALS, VOTES, probes_of

    settings, task = prepared.settings, prepared.task
    asked, probes = max(1, plan.first), len(probes_of(prepared)[0]) + PROPOSALS
    of = _Lengths.of(task.questions, task.requirements, with_references=settings.reference_answers)
    shown = of.said + max(estimate_tokens(task.prompt), PROMPT_TOKENS)
    answers = ((2 + probes) * asked + 2 * plan.rest) * of.turns
    frame = PROPOSALS * (SCORED_PROPOSE_FRAME + of.requirements + asked * (of.question + of.answer))
    executor = settings.roles.executor.model
    duels = (1 + probes) * VOTES * (asked if settings.judge_unit == "row" else 1)
    checked, model = 2 * (asked + plan.rest), settings.roles.evaluator.model
    alone = 1 if settings.judge_unit == "row" else asked
    return [
        _proposals(settings, PROPOSALS, frame, waits=1),
        _Part("executor", executor, answers, answers * shown, of.answer, 3 * of.turns, answers / 3),
        _Part("evaluator", model, duels, duels * of.ballot(alone), VOTE_TOKENS, 2, duels / 2),
        _Part("evaluator", model, checked, checked * of.ballot(1), VOTE_TOKENS, 1, checked),
    ]


def _of_duels(prepared: "Prepared", rounds: int, *, checked: bool) -> list[_Part]:
    """The calls of a method that compares answers, with a final check of the best prompt or without."""
    settings, task = prepared.settings, prepared.task
    pool, asked = (*task.questions, *task.held_out), max(1, len(task.questions))
    of = _Lengths.of(pool, task.requirements, with_references=settings.reference_answers)
    width = int(getattr(prepared.parameters, prepared.method.width, 1)) if prepared.method.width else 1
    waits, judged = rounds - 1, len(pool) if checked else 0
    duels = waits * width
    held_out = max(0, judged - asked)  # only the final check asks these, of the seed and of the best
    seed = estimate_tokens(task.prompt)
    prompt = max(seed, PROMPT_TOKENS)
    learns = getattr(prepared.parameters, "feedback", "none") != "none"
    proposal = (
        PROPOSE_FRAME
        + LESSONS * learns
        + of.requirements
        + prompt
        + asked * (of.reference + of.question + of.answer)
    )
    turns = of.turns
    shown = turns * asked * (seed + duels * prompt + (1 + duels) * of.said)
    executor = settings.roles.executor.model
    parts = [
        _proposals(settings, duels, duels * proposal, waits=waits),
        _Part(
            "executor", executor, (1 + duels) * asked * turns, shown, of.answer, rounds * turns, asked * width
        ),
    ]
    if held_out:
        shown = turns * held_out * (seed + prompt + 2 * of.said)
        parts.append(_Part("executor", executor, 2 * held_out * turns, shown, of.answer, turns, 2 * held_out))
    if settings.judge == "likelihood":
        # Every answer is measured twice, with the requirements and without; nothing is written.
        answers = (1 + duels) * asked + 2 * held_out
        return [*parts, _measured(settings, 2 * answers, of, waits=answers, at_once=1)]
    return [*parts, *_votes(settings, of, asked, duels, width, judged)]


def _votes(
    settings: RunSettings, of: "_Lengths", asked: int, duels: int, width: int, checked: int
) -> Iterator[_Part]:
    """The votes of the rounds, in which the judges take turns, and of the final check, in which all vote."""
    votes, panel = VOTES[settings.judge], settings.panel
    alone = asked if settings.judge_unit == "row" else 1
    calls, in_check = duels * votes.asked * alone, VOTES_A_ROW * checked
    for number, model in enumerate(panel):  # they vote at once: the run waits for the first one
        taken = (calls + len(panel) - 1 - number) // len(panel)
        waits = 0 if number else duels // width * votes.waves
        at_once = width * votes.asked / votes.waves * alone
        shown = taken * of.ballot(asked // alone)
        yield _Part("evaluator", model, taken, shown, votes.tokens, waits, at_once)
        if in_check:
            waits, shown = (0 if number else 1), in_check * of.ballot(1)
            yield _Part("evaluator", model, in_check, shown, votes.tokens, waits, in_check)


def _of_scores(prepared: "Prepared", calls: "Calls") -> list[_Part]:
    """The calls of a method that scores prompts on rows."""
    settings, method = prepared.settings, prepared.method
    of = _row_lengths(prepared)
    steps = max(1, calls.steps)
    writes = method.asks is None or "evaluator" in method.asks(prepared.parameters)
    roles, shown = settings.roles, of.question + of.answer
    notes: Role = "evaluator" if writes else "optimizer"
    marks = calls.answers if is_judged(prepared.template) else 0

    def part(role: Role, number: int, asked: int, reply: int) -> _Part:
        return _Part(role, roles.of(role).model, number, number * asked, reply, calls.steps, number / steps)

    parts = [
        _proposals(settings, calls.proposals, calls.proposals * SCORED_PROPOSE_FRAME, waits=calls.steps),
        part(notes, calls.notes, NOTE_FRAME + shown, NOTE_TOKENS),
        part("evaluator", marks, MARK_FRAME + shown, MARK_TOKENS),
        part("executor", calls.answers * of.turns, PROMPT_TOKENS + of.said, of.answer),
    ]
    parts = [one for one in parts if one.role in settings.asked]
    if settings.embedding_model is not None and calls.embeddings:
        model, number, shown = settings.embedding_model, calls.embeddings, calls.embeddings * PROMPT_TOKENS
        parts.append(_Part("embedding", model, number, shown, 0, calls.steps, number / steps))
    return parts


def _row_lengths(prepared: "Prepared") -> "_Lengths":
    """The lengths of the rows that prompts are scored on."""
    rows = prepared.rows.train if prepared.rows is not None else ()
    return _Lengths.of([Question(row.asked, " ".join(row.references[:1]), row) for row in rows], "")


def _of_damages(prepared: "Prepared") -> list[_Part]:
    """The calls of a judge-check."""
    from spotui.runs.judge_check import DAMAGES

    settings, task = prepared.settings, prepared.task
    asked = max(1, len(task.questions))
    kinds = len(DAMAGES) - (asked == 1)  # an answer alone cannot be off topic
    of = _Lengths.of(task.questions, task.requirements, with_references=settings.reference_answers)
    executor = settings.roles.executor.model
    shown = asked * (estimate_tokens(task.prompt) + of.question)
    answers = _Part("executor", executor, asked * of.turns, shown * of.turns, of.answer, of.turns, asked)
    if settings.judge == "likelihood":
        calls = 2 * asked * (1 + kinds)
        return [answers, _measured(settings, calls, of, waits=1, at_once=calls)]
    calls, reply = VOTES_A_ROW * asked * kinds, VOTES[settings.judge].tokens
    judges = settings.panel if settings.judge != "logprob" else settings.panel[:1]
    at_once, shown = calls * len(judges) / kinds, calls * of.ballot(1)
    votes = [
        _Part("evaluator", model, calls, shown, reply, 0 if number else kinds, at_once)
        for number, model in enumerate(judges)
    ]
    return [answers, *votes]


class _Lengths(NamedTuple):
    """Mean lengths of a task's texts, in tokens.

    Attributes:
        requirements: The requirements.
        question: A question.
        reference: A question with its reference answer, where judge and optimizer are shown those; else 0.
        answer: An answer, as long as the reference answers suggest where every question has one.
        turns: Answers to a question, where the user says more afterwards; rounded up.
    """

    requirements: int
    question: int
    reference: int
    answer: int
    turns: int = 1

    @property
    def said(self) -> int:
        """What stands in front of an answer: the question, and half of the turns behind it on average."""
        return self.question + (self.turns - 1) * (self.answer + TURN_TOKENS) // 2

    @classmethod
    def of(
        cls, questions: Sequence[Question], requirements: str, *, with_references: bool = False
    ) -> "_Lengths":
        """The lengths for some questions."""
        number = max(1, len(questions))
        answers = [estimate_tokens(one.answer) for one in questions]
        question = sum(estimate_tokens(one.question) for one in questions) // number
        answer, reference = ANSWER_TOKENS, sum(answers) // number
        if all(answers):
            answer = max(LEAST_ANSWER_TOKENS, ANSWER_TO_REFERENCE * reference)
        shown = question + reference if with_references and reference else 0
        turns = math.ceil(sum(1 + len(one.row.turns) if one.row else 1 for one in questions) / number)
        return cls(estimate_tokens(requirements), question, shown, answer, max(1, turns))

    def ballot(self, questions: int) -> int:
        """A request for one vote on so many questions."""
        shown = self.reference + 2 * (self.question + self.turns * self.answer)
        return VOTE_FRAME + self.requirements + questions * shown


def _proposals(settings: RunSettings, calls: int, asked: int, *, waits: int) -> _Part:
    model = settings.roles.optimizer.model
    reply = EMBEDDED_PROPOSAL_TOKENS if is_embedded(model) else PROPOSAL_TOKENS
    return _Part("optimizer", model, calls, asked, reply, waits, calls / max(1, waits))


def _measured(settings: RunSettings, calls: int, of: _Lengths, *, waits: int, at_once: int) -> _Part:
    """Answers whose likelihood is measured: a model reads them, and writes nothing."""
    asked = calls * (of.requirements // 2 + of.question)
    return _Part("evaluator", settings.roles.evaluator.model, calls, asked, of.answer, waits, at_once, 0)


def _total(
    parts: Iterable[_Part], connector: "Connector", paces: Paces, batched: Collection[Role]
) -> Estimate:
    """All calls together: what each role takes, and the time of those that wait for each other."""
    seconds, batches = 0.0, 0
    alike: dict[tuple[Role | Literal["embedding"], str], list[_Part]] = {}
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
