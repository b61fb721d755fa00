"""What estimates are made of: typical lengths and speeds, and how they add up."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from spotui.errors import SpotuiError
from spotui.expected import Estimate, Share
from spotui.llm.budget import UnknownPriceError
from spotui.settings.roles import Role, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.template import Template
from spotui.words import estimate_tokens

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector
    from spotui.llm.endpoint import Price
    from spotui.workspace.projects import Workspace

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
