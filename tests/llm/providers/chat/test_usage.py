"""Tokens as an endpoint reports them, or as we estimate them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.messages import Message
from spotui.llm.providers.chat.usage import estimate_usage, read_cost, read_usage

VALUES: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.text(max_size=3) | st.floats() | st.integers(-5, 10**12) | st.just({})
)
NAMES = ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens"]
DETAILS = st.dictionaries(st.sampled_from(["reasoning_tokens", "cached_tokens"]), VALUES)
REPORTS = st.dictionaries(
    st.sampled_from(NAMES) | st.sampled_from(["completion_tokens_details", "prompt_tokens_details"]),
    VALUES | DETAILS,
)


@given(REPORTS | VALUES)
def test_whatever_is_reported_makes_counts_or_nothing(reported: object) -> None:
    usage = read_usage(reported)
    if usage is not None:
        assert min(usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens) >= 0
        assert usage.total > 0
        assert not usage.estimated


@given(st.text(), st.text(), st.text())
def test_an_estimate_counts_all_that_was_said(asked: str, said: str, thought: str) -> None:
    usage = estimate_usage(
        [Message("system", "Be brief."), Message("user", asked)], said, thought, count_tokens=len
    )
    assert usage.estimated
    assert usage.prompt_tokens == len("Be brief.") + len(asked)
    assert usage.completion_tokens == len(said) + len(thought)
    assert usage.reasoning_tokens == len(thought)


def test_four_characters_are_a_token_where_nobody_counts() -> None:
    usage = estimate_usage([Message("user", "12345")], "1234")
    assert (usage.prompt_tokens, usage.completion_tokens) == (2, 1)


@pytest.mark.parametrize(
    ("reported", "counts"),
    [
        ({"prompt_tokens": "100", "completion_tokens": "20"}, (100, 20)),
        ({"prompt_tokens": 100.0, "completion_tokens": 20.0}, (100, 20)),
        ({"prompt_tokens": 100, "completion_tokens": None, "total_tokens": 120}, (100, 20)),
        ({"prompt_tokens": 100, "total_tokens": 120}, (100, 20)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": None}, (100, 20)),
        ({"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 100}, (100, 0)),
        ({"prompt_tokens": "1,234.0", "completion_tokens": " 20 "}, (1234, 20)),
        ({"promptTokens": 100, "completionTokens": 20}, (100, 20)),
        ({"completion_tokens": 20, "total_tokens": 120}, (100, 20)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 10**400}, (100, 20)),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": -4}},
            (9, 2),
        ),
        (
            {
                "promptTokenCount": 9,
                "candidatesTokenCount": 2,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 14,
            },
            (9, 5),
        ),
        ({"prompt_tokens": -1, "completion_tokens": -5}, None),
        ({"prompt_tokens": "many", "completion_tokens": "20"}, None),
        ({"prompt_tokens": "9" * 5000, "completion_tokens": 20}, None),
        ({"prompt_tokens": True, "completion_tokens": 20}, None),
    ],
)
def test_counts_as_servers_write_them(reported: dict[str, object], counts: tuple[int, int] | None) -> None:
    usage = read_usage(reported)
    assert (None if usage is None else (usage.prompt_tokens, usage.completion_tokens)) == counts


@pytest.mark.parametrize(
    ("reported", "usd"),
    [
        ({"cost": "0.25"}, 0.25),
        ({"cost": {"request_cost": 0.2, "total_cost": 0.25}}, 0.25),
        ({"estimated_cost": 0.25}, 0.25),
        ({"cost": "a lot"}, None),
        ({"cost": -1}, None),
        ({"cost": "1e400"}, None),
    ],
)
def test_costs_as_servers_write_them(reported: dict[str, object], usd: float | None) -> None:
    assert read_cost(reported) == usd
