"""What a run is expected to take, before a single call is paid for."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, duration, plural, usd
from spotui.domain.text import estimate_tokens
from spotui.llm.budget import UnknownPriceError
from spotui.settings.run_settings import RunSettings
from spotui.settings.table import ROLES, Role, is_embedded
from spotui.templates.model import Template

if TYPE_CHECKING:
    from spotui.llm.connections import Connector
    from spotui.llm.routing import Price
    from spotui.workspace.projects import Workspace


class Share(msgspec.Struct, frozen=True):
    """What one role, or the embedding model, is expected to take.

    Attributes:
        role: Which.
        model: Its model.
        calls: How many.
        prompt_tokens: In all its requests.
        completion_tokens: In all its replies.
        usd: What they cost, or None when the price is unknown.
    """

    role: Role | Literal["embedding"]
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None


class Estimate(msgspec.Struct, frozen=True):
    """What a run is expected to take; all figures are rough.

    Attributes:
        shares: One a role.
        seconds: The critical path.
        warnings: What stands against starting it.
        measured: Whether earlier runs have measured the speed of every model.
    """

    shares: tuple[Share, ...]
    seconds: float
    warnings: tuple[str, ...] = ()
    measured: bool = False

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
    def line(self) -> str:
        """The estimate on one line."""
        return (
            f"about {plural(self.calls, 'call')}, {count(self.tokens)} tokens, {usd(self.usd)}, "
            f"{duration(self.seconds)}."
        )


# Nothing is known about replies before they come: these are lengths that SPO's runs have, in tokens.
PROPOSAL_TOKENS = 450
EMBEDDED_PROPOSAL_TOKENS = 150
PROMPT_TOKENS = 150
ANSWER_TOKENS = 200
ANSWER_TO_REFERENCE = 2
LEAST_ANSWER_TOKENS = 40
VOTE_TOKENS = 250
PROPOSE_FRAME = 240
VOTE_FRAME = 220

# Seconds to the first token and tokens per second: a hosted model, and the embedded one on two cores.
HOSTED_PACE = (0.8, 60.0)
_RUNS_MEASURED = 5
_BYTES_MEASURED = 256 * 1024
EMBEDDED_PACE = (2.0, 12.0)


def share(
    role: Role | Literal["embedding"], model: str, calls: int, asked: int, reply: int, connector: "Connector"
) -> Share:
    """One part: so many calls, tokens sent in all, and tokens of a reply."""
    price: Price | None = connector.price_of(model)
    return Share(
        role=role,
        model=model,
        calls=calls,
        prompt_tokens=asked,
        completion_tokens=calls * reply,
        usd=None if price is None else price.cost(asked, calls * reply),
    )


def role_seconds(
    settings: RunSettings, connector: "Connector", role: Role, tokens: int, calls: float
) -> float:
    """How long so many calls of one role take that are made at once, with replies of so many tokens."""
    return model_seconds(settings.roles.of(role).model, connector, tokens, calls)


def model_seconds(model: str, connector: "Connector", tokens: int, calls: float) -> float:
    """How long so many calls of one model take that are made at once, with replies of so many tokens."""
    if is_embedded(model) and model not in connector.paces:  # calls at once share the same cores
        wait, pace = EMBEDDED_PACE
        return wait + calls * tokens / pace
    wait, pace = connector.paces.get(model, HOSTED_PACE)
    at_once = connector.way_to(model).endpoint.limits.concurrency
    return -(-calls // at_once) * (wait + tokens / pace)


class _Asked(msgspec.Struct):
    model: str


class _Usage(msgspec.Struct):
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    seconds: float = 0.0
    usage: _Usage = msgspec.field(default_factory=_Usage)


class _Call(msgspec.Struct):
    """What a call in a journal says of the speed of its model."""

    request: _Asked
    reply: _Reply


def measured_paces(workspace: "Workspace", models: Iterable[str]) -> dict[str, tuple[float, float]]:
    """How fast each model was in the newest runs of a workspace, as `Connector.paces` has it.

    Args:
        workspace: With the runs; one that cannot be read has measured nothing.
        models: The models; those that no run has asked are left out.
    """
    calls: dict[str, list[tuple[int, float]]] = {model: [] for model in models}
    try:
        names = workspace.names()[-_RUNS_MEASURED:]
    except SpotuiError:
        return {}
    decoder = msgspec.json.Decoder(_Call)
    for name in names:
        for raw in _last_lines(workspace.project(name).journal):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                call = decoder.decode(raw)
                if call.request.model in calls and call.reply.seconds > 0:
                    calls[call.request.model].append((call.reply.usage.completion_tokens, call.reply.seconds))
    return {model: _pace(found) for model, found in calls.items() if sum(tokens for tokens, _ in found)}


def _last_lines(journal: Path) -> list[bytes]:
    """The newest calls of a journal; it may be long."""
    try:
        with journal.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _BYTES_MEASURED))
            return [line for line in file.read().splitlines() if line.startswith(b'{"kind":"call",')]
    except OSError:
        return []


def _pace(calls: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The line through tokens and seconds that fits best; without a slope, all is in the tokens a second."""
    tokens, seconds = sum(one for one, _ in calls), sum(one for _, one in calls)
    mean_tokens, mean_seconds = tokens / len(calls), seconds / len(calls)
    spread = sum((one - mean_tokens) ** 2 for one, _ in calls)
    slope = sum((t - mean_tokens) * (s - mean_seconds) for t, s in calls) / spread if spread else 0.0
    wait = mean_seconds - slope * mean_tokens
    return (wait, 1 / slope) if slope > 0 and wait >= 0 else (0.0, tokens / seconds)


def answer_tokens(template: Template) -> int:
    """As long as the reference answers suggest, where every question has one."""
    references = [estimate_tokens(one.answer) for one in template.qa]
    if not all(references):
        return ANSWER_TOKENS
    mean = sum(references) // len(references)
    return max(LEAST_ANSWER_TOKENS, ANSWER_TO_REFERENCE * mean)


def rated(shares: tuple[Share, ...], connector: "Connector") -> Iterator[float]:
    """Seconds that calls and tokens take at the rates of their models; the first minute's are free."""
    for model in {share.model for share in shares}:
        limits = connector.way_to(model).endpoint.limits
        own = Estimate(tuple(share for share in shares if share.model == model), 0.0)
        for amount, rate in ((own.calls, limits.requests_per_minute), (own.tokens, limits.tokens_per_minute)):
            if rate is not None:
                yield (amount - rate) / rate * 60


def budget_warnings(settings: RunSettings, needed: Estimate, what: str) -> Iterator[str]:
    """What stands against starting a run: a budget that may not cover what is needed, or cannot be kept.

    Args:
        settings: With the budget.
        needed: What is needed.
        what: What that is for.
    """
    budget = settings.budget
    if budget.usd is not None and needed.usd is None:
        yield str(UnknownPriceError({share.model for share in needed.shares if share.usd is None}))
    pairs = (
        ("calls", budget.calls, needed.calls),
        ("tokens", budget.tokens, needed.tokens),
        ("USD", budget.usd, needed.usd),
        ("minutes", budget.minutes, needed.seconds / 60),
    )
    for name, limit, need in pairs:
        if limit is not None and need is not None and limit < need:
            about = f"{need:,.0f}" if need >= 100 else f"{need:.3g}"
            yield f"The budget of {limit:,g} {name} may not cover {what} (about {about})."


ROUNDS_WORTH_HAVING = 2


class _Votes(NamedTuple):
    """What one duel usually takes: votes, and how often it has to wait for some."""

    asked: int
    waves: int
    tokens: int = VOTE_TOKENS


# About the means of benchmarks.judging; a duel may take more, up to the cap of its rule.
VOTES_A_ROW = 2
"""In the final check: one in either order."""

VOTES: dict[str, _Votes] = {
    "balanced": _Votes(3, 2),
    "thorough": _Votes(6, 4),
    "reference": _Votes(4, 1),
    "logprob": _Votes(2, 1, 1),
}


class _Plan(msgspec.Struct, frozen=True):
    """What a run of so many rounds does.

    Attributes:
        rounds: The seed round included.
        asked: Questions a round asks.
        held_out: Questions that only the final check asks, of the seed and of the best.
        checked: Questions on which the final check judges.
        answer: Tokens of an answer.
        proposal: Tokens of a proposal.
    """

    rounds: int
    asked: int
    held_out: int
    checked: int
    answer: int
    proposal: int

    @property
    def proposals(self) -> int:
        """One a round after the seed."""
        return self.rounds - 1

    @property
    def answers(self) -> int:
        """From the executor."""
        return self.rounds * self.asked + 2 * self.held_out

    @property
    def duels(self) -> int:
        """One a round after the seed."""
        return self.rounds - 1


def estimate_run(template: Template, settings: RunSettings, connector: "Connector") -> Estimate:
    """Estimate a whole run; asks no model.

    Args:
        template: What it works on.
        settings: What it uses.
        connector: Knows where models are and what they cost.

    Raises:
        SettingsError: A role's model leads nowhere.
    """
    asked = min(settings.sample, len(template.qa))
    answer = answer_tokens(template)
    proposal = EMBEDDED_PROPOSAL_TOKENS if is_embedded(settings.roles.optimizer.model) else PROPOSAL_TOKENS
    checked = len(template.qa) if settings.final_check and settings.max_rounds > 1 else 0
    whole = _Plan(settings.max_rounds, asked, max(0, checked - asked), checked, answer, proposal)
    least = msgspec.structs.replace(
        whole, rounds=min(settings.max_rounds, 1 + ROUNDS_WORTH_HAVING), held_out=0, checked=0
    )
    estimate, needed = (_estimate(plan, template, settings, connector) for plan in (whole, least))
    rounds = least.rounds
    what = "the seed round" if rounds == 1 else f"the seed round and {rounds - 1} more"
    return msgspec.structs.replace(estimate, warnings=tuple(budget_warnings(settings, needed, what)))


def _estimate(plan: _Plan, template: Template, settings: RunSettings, connector: "Connector") -> Estimate:
    shares = _shares(plan, template, settings, connector)
    seconds = max([_critical_path(plan, settings, connector), *rated(shares, connector)])
    return Estimate(shares=shares, seconds=seconds)


def _shares(
    plan: _Plan, template: Template, settings: RunSettings, connector: "Connector"
) -> tuple[Share, ...]:
    question = sum(estimate_tokens(one.question) for one in template.qa) // max(1, len(template.qa))
    reference = sum(estimate_tokens(one.answer) for one in template.qa) // max(1, len(template.qa))
    answered = question + plan.answer
    requirements, seed = estimate_tokens(template.requirements), estimate_tokens(template.prompt)
    prompt = max(seed, PROMPT_TOKENS)
    references = plan.asked * (question + reference) if settings.reference_answers and reference else 0
    if settings.judge == "likelihood":
        # Every answer is measured twice, with the requirements and without.
        verdicts, vote = 2 * plan.answers, plan.answer
        judged = verdicts * (requirements // 2 + question)
    else:
        alone = plan.asked if settings.judge_unit == "row" else 1
        votes = VOTES[settings.judge]
        vote = votes.tokens
        frame, shown = VOTE_FRAME + requirements, references + 2 * plan.asked * answered
        in_rounds = plan.duels * votes.asked * alone
        in_check = VOTES_A_ROW * plan.checked * len(settings.panel)
        verdicts = in_rounds + in_check
        judged = in_rounds * (frame + shown // alone) + in_check * (frame + shown // plan.asked)
    proposal = PROPOSE_FRAME + requirements + references + prompt + plan.asked * answered
    by_seed = plan.asked + plan.held_out
    executed = by_seed * seed + (plan.answers - by_seed) * prompt + plan.answers * question
    rows: dict[Role, tuple[int, int, int]] = {
        "optimizer": (plan.proposals, plan.proposals * proposal, plan.proposal),
        "evaluator": (verdicts, judged, vote),
        "executor": (plan.answers, executed, plan.answer),
    }
    shares = [share(role, settings.roles.of(role).model, *rows[role], connector) for role in ROLES]
    judges = [share("evaluator", model, *rows["evaluator"], connector) for model in settings.panel]
    split = [_part(share, len(judges), number) for number, share in enumerate(judges)]
    return tuple(one for share in shares for one in (split if share.role == "evaluator" else [share]))


def _part(share: Share, of: int, number: int) -> Share:
    """What one of several judges takes of the votes; they take turns."""

    def part(whole: int) -> int:
        return (whole + of - 1 - number) // of

    return msgspec.structs.replace(
        share,
        calls=part(share.calls),
        prompt_tokens=part(share.prompt_tokens),
        completion_tokens=part(share.completion_tokens),
        usd=None if share.usd is None else share.usd / of,
    )


def _critical_path(plan: _Plan, settings: RunSettings, connector: "Connector") -> float:
    """Seconds of the calls that wait for each other."""

    step = partial(role_seconds, settings, connector)
    seconds = plan.proposals * step("optimizer", plan.proposal, 1)
    seconds += plan.rounds * step("executor", plan.answer, plan.asked)
    if plan.held_out:
        seconds += step("executor", plan.answer, 2 * plan.held_out)
    if settings.judge == "likelihood":
        return seconds + plan.answers * step("evaluator", 0, 1)
    votes = VOTES[settings.judge]
    at_once = votes.asked / votes.waves * (plan.asked if settings.judge_unit == "row" else 1)
    if plan.checked:
        seconds += step("evaluator", votes.tokens, VOTES_A_ROW * plan.checked)
    return seconds + plan.duels * votes.waves * step("evaluator", votes.tokens, at_once)
