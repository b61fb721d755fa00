"""Tokens of a call: as the endpoint reports them, or as we estimate them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from spotui.domain.calls import MOST_TOKENS, MOST_USD, Usage
from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.messages import Message

CHARACTERS_PER_TOKEN = 4

_PROMPT: Final = (
    *("prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "promptTokenCount"),
    "prompt_eval_count",
)
_COMPLETION: Final = (
    *("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "candidatesTokenCount"),
    "eval_count",
)
_COSTS: Final = ("cost", "total_cost", "estimated_cost")
"""USD as OpenRouter, Perplexity and DeepInfra report them."""

_WRITTEN: Final = LazyPattern(r"(\d{1,3}(?:,\d{3})+|\d{1,20})(?:\.0+)?")


def estimate_usage(
    messages: Sequence[Message],
    text: str,
    reasoning: str = "",
    *,
    count_tokens: Callable[[str], int] | None = None,
) -> Usage:
    """Usage of a call whose endpoint did not report it.

    Args:
        messages: What was asked.
        text: What was answered.
        reasoning: What the model thought before; part of the completion.
        count_tokens: Tokens of a text; None divides its characters by four, rounded up.

    Returns:
        Usage with `estimated` set.
    """
    count = count_tokens or _quarter_of_characters
    thought = count(reasoning) if reasoning else 0
    return Usage(
        prompt_tokens=sum(count(message.content) for message in messages),
        completion_tokens=count(text) + thought,
        reasoning_tokens=thought,
        estimated=True,
    )


def read_usage(reported: object) -> Usage | None:
    """Usage from a `usage` object.

    Args:
        reported: In OpenAI's, Anthropic's, DeepSeek's or Moonshot's spelling.

    Returns:
        None when it is absent, empty, or holds a number that cannot be a count of tokens.
    """
    if not isinstance(reported, dict):
        return None
    try:
        return _read_counts(reported)
    except _AbsurdCountError:
        return None


def full_usage(
    reported: Usage | None,
    messages: Sequence[Message],
    text: str,
    reasoning: str = "",
    *,
    count_tokens: Callable[[str], int] | None = None,
) -> Usage:
    """Usage of a call: as reported, and estimated where nothing is, or a count of 0 for a text that is there.

    Args:
        reported: What the endpoint reported, or None.
        messages: What was asked.
        text: What was answered.
        reasoning: What the model thought before.
        count_tokens: As for `estimate_usage`.
    """
    lacks_prompt = reported is not None and not reported.prompt_tokens and bool(messages)
    lacks_answer = reported is not None and not reported.completion_tokens and bool(text or reasoning)
    if reported is not None and not lacks_prompt and not lacks_answer:
        return reported
    estimate = estimate_usage(messages, text, reasoning, count_tokens=count_tokens)
    if reported is None:
        return estimate
    return Usage(
        prompt_tokens=reported.prompt_tokens or estimate.prompt_tokens,
        completion_tokens=reported.completion_tokens or estimate.completion_tokens,
        reasoning_tokens=reported.reasoning_tokens or (estimate.reasoning_tokens if lacks_answer else 0),
        cached_tokens=reported.cached_tokens,
        cache_write_tokens=reported.cache_write_tokens,
        estimated=True,
    )


def later_usage(earlier: Usage | None, later: Usage) -> Usage:
    """The later of two reports of one call; a count that only the earlier has is kept.

    Anthropic's relays report the prompt at the start, and the completion at the end.
    """
    if earlier is None:
        return later
    return Usage(
        prompt_tokens=later.prompt_tokens or earlier.prompt_tokens,
        completion_tokens=later.completion_tokens or earlier.completion_tokens,
        reasoning_tokens=later.reasoning_tokens or earlier.reasoning_tokens,
        cached_tokens=later.cached_tokens or earlier.cached_tokens,
        cache_write_tokens=later.cache_write_tokens or earlier.cache_write_tokens,
    )


def read_cost(reported: object) -> float | None:
    """USD of a call from a `usage` object, as OpenRouter and its likes report it.

    Returns:
        None when nothing is reported. 0 counts as a price only beside `cost_details`: elsewhere it is the
        number of a server that does not know.
    """
    if not isinstance(reported, dict):
        return None
    told = next((value for name in _COSTS if (value := reported.get(name)) is not None), None)
    cost = _money(told.get("total_cost") if isinstance(told, dict) else told)
    if cost is None or (cost == 0 and "cost_details" not in reported):
        return None
    details = reported.get("cost_details")
    if reported.get("is_byok") is True and isinstance(details, dict):
        # With a key of the user's, the router's fee is one bill and the provider's price another.
        cost += _money(details.get("upstream_inference_cost")) or 0.0
    return cost


class _AbsurdCountError(ValueError):
    """A number that cannot be a count of tokens."""


def _read_counts(reported: Mapping[str, object]) -> Usage | None:
    prompt, completion = _count(reported, *_PROMPT), _count(reported, *_COMPLETION)
    total = _aside(reported, "total_tokens", "totalTokens", "totalTokenCount")
    if prompt and not completion:
        completion = max(0, total - prompt)
    elif completion and not prompt:
        prompt = max(0, total - completion)
    if not prompt and not completion:
        return None
    asked = _first(reported, "prompt_tokens_details", "input_tokens_details")
    answered = _first(reported, "completion_tokens_details", "output_tokens_details")
    reasoning = _aside(answered, "reasoning_tokens") or _aside(
        reported, "reasoning_tokens", "thoughtsTokenCount"
    )
    cached = (
        _aside(asked, "cached_tokens")
        or _aside(reported, "cache_read_input_tokens", "prompt_cache_hit_tokens")
        or _aside(reported, "cached_tokens")
    )
    written = _aside(asked, "cache_write_tokens") or _aside(reported, "cache_creation_input_tokens")
    # Anthropic counts what it read from its cache, or wrote into it, beside the prompt.
    if "prompt_tokens" not in reported or total == prompt + completion + cached + written:
        prompt += _aside(reported, "cache_read_input_tokens") + _aside(
            reported, "cache_creation_input_tokens"
        )
    # Some vendors count reasoning beside the completion; everyone else counts it in.
    if reasoning and total == prompt + completion + reasoning:
        completion += reasoning
    cached = min(cached, prompt)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=min(reasoning, completion),
        cached_tokens=cached,
        cache_write_tokens=min(written, prompt - cached),
    )


def _first(reported: Mapping[str, object], *names: str) -> Mapping[str, object]:
    for name in names:
        if isinstance(value := reported.get(name), dict):
            return value
    return {}


def _aside(counts: Mapping[str, object], *names: str) -> int:
    """A count that only adds to prompt and completion; 0 when it is none, as those are still good."""
    try:
        return _count(counts, *names)
    except _AbsurdCountError:
        return 0


def _count(counts: Mapping[str, object], *names: str) -> int:
    """The first count that is there; 0 when none is.

    Raises:
        _AbsurdCountError: It cannot be a count.
    """
    for name in names:
        if (value := counts.get(name)) is not None:
            break
    else:
        return 0
    if isinstance(value, str) and (found := _WRITTEN.fullmatch(value.strip())) is not None:
        value = int(found[1].replace(",", ""))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _AbsurdCountError
    if not 0 <= value <= MOST_TOKENS or value != int(value):
        raise _AbsurdCountError
    return int(value)


def _money(value: object) -> float | None:
    """An amount of USD that one call can cost."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_USD:
        return None
    return float(value)


def _quarter_of_characters(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
