"""What a run is expected to take, before a single call is paid for."""

from typing import TYPE_CHECKING

import msgspec

from spotui.settings.roles import ROLES, Role, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.template import Template
from spotui.view.figures import count, duration, plural, usd

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector
    from spotui.llm.endpoint import Price

# Nothing is known about replies before they come: these are lengths that SPO's runs have, in tokens.
PROPOSAL_TOKENS = 450
ANSWER_TOKENS = 200
VOTE_TOKENS = 250
PROPOSE_FRAME = 330
VOTE_FRAME = 270
CHARACTERS_PER_TOKEN = 4

# Seconds to the first token and tokens per second: a hosted model, and the embedded one on two cores.
HOSTED_PACE = (0.8, 60.0)
EMBEDDED_PACE = (2.0, 12.0)

VOTES = 4
ROUNDS_WORTH_HAVING = 2


class Share(msgspec.Struct, frozen=True):
    """What one role is expected to take.

    Attributes:
        role: The role.
        model: Its model.
        calls: How many.
        prompt_tokens: In all its requests.
        completion_tokens: In all its replies.
        usd: What they cost, or None when the price is unknown.
    """

    role: Role
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
    """

    shares: tuple[Share, ...]
    seconds: float
    warnings: tuple[str, ...] = ()

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


class _Plan(msgspec.Struct, frozen=True):
    """How many of each call a run of so many rounds makes."""

    proposals: int
    answers: int
    verdicts: int


def estimate_run(template: Template, settings: RunSettings, connector: "Connector") -> Estimate:
    """Estimate a whole run; asks no model.

    Args:
        template: What it works on.
        settings: What it uses.
        connector: Knows where models are and what they cost.

    Raises:
        SettingsError: A role's model leads nowhere.
    """
    whole = _shares(_plan(template, settings, settings.max_rounds), template, settings, connector)
    least = _shares(_plan(template, settings, 1 + ROUNDS_WORTH_HAVING), template, settings, connector)
    return Estimate(
        shares=whole,
        seconds=_seconds(template, settings),
        warnings=tuple(_warnings(settings, Estimate(least, 0.0))),
    )


def _plan(template: Template, settings: RunSettings, rounds: int) -> _Plan:
    asked = min(settings.sample, len(template.qa))
    held_out = len(template.qa) - asked if rounds == settings.max_rounds else 0
    duels = rounds - 1 + (1 if held_out else 0)
    answers = rounds * asked + 2 * held_out
    verdicts = answers if settings.judge == "likelihood" else duels * VOTES
    return _Plan(proposals=rounds - 1, answers=answers, verdicts=verdicts)


def _shares(
    plan: _Plan, template: Template, settings: RunSettings, connector: "Connector"
) -> tuple[Share, ...]:
    asked = max(1, min(settings.sample, len(template.qa)))
    question = sum(_tokens(one.question) for one in template.qa) // max(1, len(template.qa))
    reference = sum(_tokens(one.answer) for one in template.qa) // max(1, len(template.qa))
    answered = question + ANSWER_TOKENS
    requirements, prompt = _tokens(template.requirements), _tokens(template.prompt)
    references = asked * (question + reference) if settings.reference_answers and reference else 0
    if settings.judge == "likelihood":
        verdict, vote = requirements + question, ANSWER_TOKENS
    else:
        verdict, vote = VOTE_FRAME + requirements + references + 2 * asked * answered, VOTE_TOKENS
    proposal = PROPOSE_FRAME + requirements + references + prompt + asked * answered
    rows: dict[Role, tuple[int, int, int]] = {
        "optimizer": (plan.proposals, proposal, PROPOSAL_TOKENS),
        "evaluator": (plan.verdicts, verdict, vote),
        "executor": (plan.answers, prompt + question, ANSWER_TOKENS),
    }
    return tuple(_share(role, rows[role], settings, connector) for role in ROLES)


def _share(role: Role, row: tuple[int, int, int], settings: RunSettings, connector: "Connector") -> Share:
    calls, asked, told = row
    model = settings.roles.of(role).model
    price: Price | None = connector.price_of(model)
    return Share(
        role=role,
        model=model,
        calls=calls,
        prompt_tokens=calls * asked,
        completion_tokens=calls * told,
        usd=None if price is None else price.cost(calls * asked, calls * told),
    )


def _seconds(template: Template, settings: RunSettings) -> float:
    asked = min(settings.sample, len(template.qa))

    def step(role: Role, tokens: int, calls: int) -> float:
        embedded = is_embedded(settings.roles.of(role).model)
        wait, pace = EMBEDDED_PACE if embedded else HOSTED_PACE
        return wait + tokens * (calls if embedded else 1) / pace

    execute = step("executor", ANSWER_TOKENS, asked)
    if settings.judge == "likelihood":
        judge = step("evaluator", 0, asked) * asked
    else:
        judge = step("evaluator", VOTE_TOKENS, VOTES)
    propose = step("optimizer", PROPOSAL_TOKENS, 1)
    return execute + (settings.max_rounds - 1) * (propose + execute + judge)


def _warnings(settings: RunSettings, least: Estimate) -> list[str]:
    budget = settings.budget
    pairs = (
        ("calls", budget.calls, least.calls),
        ("tokens", budget.tokens, least.tokens),
        ("USD", budget.usd, least.usd),
    )
    return [
        f"The budget of {limit:g} {name} may not cover the seed round and two more (about {need:g})."
        for name, limit, need in pairs
        if limit is not None and need is not None and limit < need
    ]


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
