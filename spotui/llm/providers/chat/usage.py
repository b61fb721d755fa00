"""Tokens of a call: as the endpoint reports them, or as we estimate them."""

from collections.abc import Callable, Mapping, Sequence

from spotui.domain.calls import MOST_TOKENS, MOST_USD, Usage
from spotui.domain.messages import Message

CHARACTERS_PER_TOKEN = 4
_MOST_DIGITS = 20


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
    cost = _money(reported.get("cost"))
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
    prompt = _count(reported, "prompt_tokens", "input_tokens")
    completion = _count(reported, "completion_tokens", "output_tokens")
    total = _count(reported, "total_tokens")
    if prompt and not completion:
        completion = max(0, total - prompt)
    if not prompt and not completion:
        return None
    asked = _first(reported, "prompt_tokens_details", "input_tokens_details")
    answered = _first(reported, "completion_tokens_details", "output_tokens_details")
    reasoning = _count(answered, "reasoning_tokens") or _count(reported, "reasoning_tokens")
    cached = (
        _count(asked, "cached_tokens")
        or _count(reported, "cache_read_input_tokens", "prompt_cache_hit_tokens")
        or _count(reported, "cached_tokens")
    )
    written = _count(asked, "cache_write_tokens") or _count(reported, "cache_creation_input_tokens")
    # Anthropic counts what it read from its cache, or wrote into it, beside the prompt.
    if "prompt_tokens" not in reported or total == prompt + completion + cached + written:
        prompt += _count(reported, "cache_read_input_tokens") + _count(
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


def _count(counts: Mapping[str, object], *names: str) -> int:
    """The first count that is there; 0 when none is."""
    for name in names:
        if (value := counts.get(name)) is not None:
            break
    else:
        return 0
    if isinstance(value, str) and value.isdecimal() and len(value) <= _MOST_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _AbsurdCountError
    if not 0 <= value <= MOST_TOKENS or value != int(value):
        raise _AbsurdCountError
    return int(value)


def _money(value: object) -> float | None:
    """An amount of USD that one call can cost."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_USD:
        return None
    return float(value)


def _quarter_of_characters(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
