"""Tokens of a call: as the endpoint reports them, or as we estimate them."""

from collections.abc import Callable, Sequence

from spotui.llm.protocol import Message, Usage

CHARACTERS_PER_TOKEN = 4


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
    """Usage from a `usage` object, or None when it is absent, empty or not made of counts."""
    if not isinstance(reported, dict):
        return None
    prompt, completion = _count(reported, "prompt_tokens"), _count(reported, "completion_tokens")
    if not prompt and not completion:
        return None
    reasoning = _count(reported.get("completion_tokens_details"), "reasoning_tokens")
    # Some vendors count reasoning beside the completion; everyone else counts it in.
    if reasoning and _count(reported, "total_tokens") == prompt + completion + reasoning:
        completion += reasoning
    cached = _count(reported.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=reasoning,
        cached_tokens=cached or _count(reported, "prompt_cache_hit_tokens"),
    )


def _count(counts: object, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return int(value) if isinstance(value, (int, float)) and 0 < value < float("inf") else 0


def _quarter_of_characters(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
