"""What estimates are made of: typical lengths and speeds, and how they add up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from spotui.expected import Estimate, Share
from spotui.llm.budget import UnknownPriceError
from spotui.settings.roles import Role, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.template import Template
from spotui.words import estimate_tokens

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector
    from spotui.llm.endpoint import Price

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
    if is_embedded(model):  # calls at once share the same cores
        wait, pace = EMBEDDED_PACE
        return wait + calls * tokens / pace
    wait, pace = HOSTED_PACE
    at_once = connector.way_to(model).endpoint.limits.concurrency
    return -(-calls // at_once) * (wait + tokens / pace)


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
