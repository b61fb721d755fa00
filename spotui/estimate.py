"""What a run is expected to take, before a single call is paid for."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from spotui.estimate_parts import (
    EMBEDDED_PROPOSAL_TOKENS,
    PROMPT_TOKENS,
    PROPOSAL_TOKENS,
    PROPOSE_FRAME,
    VOTE_FRAME,
    VOTE_TOKENS,
    answer_tokens,
    budget_warnings,
    rated,
    role_seconds,
    share,
)
from spotui.expected import Estimate, Share
from spotui.settings.roles import ROLES, Role, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.template import Template
from spotui.words import estimate_tokens

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector

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
