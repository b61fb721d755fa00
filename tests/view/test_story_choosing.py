"""What is shown of a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import (
    Answered,
    CallDelta,
    CallStarted,
    CandidateProposed,
    CandidateRefused,
    RoundFinished,
    RoundStarted,
    StateChanged,
    VoteCast,
)
from spotui.domain.records import CallKey
from spotui.view.story import Choice, Show, Story
from tests.view.test_story import long_run, told

STORY = told(
    RoundStarted(round=1),
    Answered(round=1, index=0, question="How DEEP is it?", answer="Eleven kilometres."),
    RoundFinished(round=1, outcome="seed", best=1),
    RoundStarted(round=2, best=1),
    CandidateRefused(round=2, why="It has no prompt tag."),
    CandidateProposed(round=2, parent=1, prompt="p", modification="Be brief.", reasoning="Deep enough."),
    Answered(round=2, index=0, question="How deep is it?", answer="11 km."),
    VoteCast(round=2, index=0, choice="void"),
    VoteCast(round=2, index=1, choice="win"),
    RoundFinished(round=2, outcome="win", best=2),
    StateChanged(state="paused", cause="No key."),
)


def shown(choice: Choice, story: Story = STORY) -> list[str]:
    return [story.entry(position).title for position in choice.of(story)]


def test_by_default_there_is_everything() -> None:
    assert list(Choice().of(STORY)) == list(range(11))


@pytest.mark.parametrize(
    ("show", "titles"),
    [
        ("verdicts", ["Round 1", "The seed is the best so far", "Round 2", "candidate", "Win: the new best"]),
        ("trouble", ["Round 2", "candidate refused", "vote: void", "Paused"]),
    ],
)
def test_a_kind_of_entry_stands_below_the_heading_of_its_round(show: Show, titles: list[str]) -> None:
    assert shown(Choice(show=show)) == titles


def test_a_search_looks_into_all_that_an_entry_says_whatever_its_case() -> None:
    assert shown(Choice(text="dEEp")) == ["Round 1", "question 1", "Round 2", "candidate", "question 1"]
    assert shown(Choice(text="void")) == ["Round 2", "vote: void"]
    assert shown(Choice(text="nowhere")) == []
    live = told(
        CallStarted(key=CallKey(1, "execute"), model="m"), CallDelta(key=CallKey(1, "execute"), text="Blue")
    )
    assert shown(Choice(text="blue"), live) == ["question 1"]


def test_a_search_holds_within_a_filter() -> None:
    assert shown(Choice(show="verdicts", text="deep")) == ["Round 2", "candidate"]


def test_of_a_folded_round_heading_and_verdict_stay() -> None:
    folded = Choice(folded=frozenset({2}))
    assert shown(folded) == [
        *("Round 1", "question 1", "The seed is the best so far"),
        *("Round 2", "Win: the new best"),
    ]


@given(
    st.sampled_from(["everything", "verdicts", "trouble"]),
    st.sampled_from(["", "1", "zz"]),
    st.frozensets(st.integers(1, 120)),
)
def test_positions_are_in_order_and_of_entries_that_are_there(
    show: Show, text: str, folded: frozenset[int]
) -> None:
    positions = list(Choice(show=show, text=text, folded=folded).of(LONG))
    assert positions == sorted(set(positions))
    assert all(LONG.first <= position < LONG.end for position in positions)


LONG = long_run(41, 99)
assert LONG.first > 0
