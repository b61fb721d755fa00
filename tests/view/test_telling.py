"""Events in words: a line for the plain log, and the same as a block."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain import outcomes
from spotui.domain.event_lines import EVENT_TYPES
from spotui.domain.events import (
    Answered,
    CallDropped,
    CallRetried,
    CandidateProposed,
    Event,
    HeldOutFinished,
    JudgeMeasured,
    NoteWritten,
    PastPrompt,
    PastShown,
    RoundStarted,
    StateChanged,
    VoteCast,
)
from spotui.domain.records import CallKey, FinalTestLine
from spotui.view import telling
from spotui.view.story import Story
from spotui.view.telling import line, tell
from tests.any_struct import structs


@given(st.one_of([structs(kind) for kind in EVENT_TYPES.values()]))
def test_whatever_an_event_holds_its_block_is_in_the_log_as_it_is_told(event: Any) -> None:
    said, entry = line(event), tell(event)
    assert said is None or said.strip()
    story = Story()
    story.apply(event)
    if entry is not None:
        assert any(entry.title in one.title and entry.aside == one.aside for one in story.entries)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (RoundStarted(round=1), "round 1: the seed prompt"),
        (RoundStarted(round=3, best=2), "round 3: starts from round 2"),
        (
            CandidateProposed(round=2, parent=1, prompt="P", modification="Shorter."),
            "round 2: candidate: Shorter.",
        ),
        (
            CandidateProposed(round=2, parent=1, prompt="P", edited=True),
            "round 2: candidate, edited by hand: P",
        ),
        (
            CandidateProposed(round=2, parent=1, prompt="P", index=2, words_changed=1),
            "round 2: candidate 3: P",
        ),
        (Answered(round=1, index=2, question="Q", answer="A\nB"), "round 1: question 3 answered: A B"),
        (
            Answered(round=1, index=0, question="Q", answer="", error="It is empty."),
            "round 1: question 1 has no answer: It is empty.",
        ),
        (
            VoteCast(round=2, index=0, choice="win", order="AB", reason="Rhymes."),
            "round 2: model votes AB win: Rhymes.",
        ),
        (NoteWritten(round=2, what="reflection", text="Carry."), "round 2: reflection: Carry."),
        (
            PastShown(
                round=3, current=2, past=(PastPrompt(1, "P", 0.5, 0.25), PastPrompt(2, "Q")), edit_budget=9
            ),
            "round 3: at most 9 words; the optimizer sees round 1 (50.0) alike 0.25, round 2",
        ),
        (
            HeldOutFinished(best=2, outcome="win", questions=2, wins=3, losses=1),
            "Best against seed on 2 held-out questions: win: 3 votes for it, 1 against, 0 ties.",
        ),
        (StateChanged(state="paused", cause="No key."), "paused: No key."),
        (StateChanged(state="stopping"), "stopping"),
        (JudgeMeasured(round=2, votes=4, pairs=2, flips=1), "judge: 1 of 2 pairs of votes flipped"),
        (JudgeMeasured(round=2, votes=4), None),
        (
            CallRetried(
                key=CallKey(2, "score_eval", 4), error="Busy.", kind="RateLimited", tries=1, wait=2.0
            ),
            "round 2: eval row 5: Busy. Try 2 in 2.0 s.",
        ),
        (
            CallDropped(key=CallKey(2, "vote", 0), why="it was cancelled in flight"),
            "round 2: vote 1: cancelled in flight",
        ),
    ],
)
def test_the_plain_log_says(event: Event, said: str | None) -> None:
    assert line(event) == said


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({}, "vote: win"),
        ({"order": "BA"}, "vote BA: win"),
        ({"model": "m"}, "vote of m: win"),
        ({"voter": "human", "question": 1}, "your vote on question 2: win"),
        ({"order": "AB", "model": "m", "question": 0}, "vote AB of m on question 1: win"),
    ],
)
def test_a_vote_names_its_order_its_model_and_its_question(fields: dict[str, Any], title: str) -> None:
    entry = tell(VoteCast(round=2, index=0, choice="win", **fields))
    assert entry is not None
    assert entry.title == title


def test_a_test_without_a_mark_says_nothing_of_the_prompts() -> None:
    line = FinalTestLine(best=2, seed_marks=(None, None), best_marks=(1.0, None))
    nothing = telling.test_result(outcomes.test_finished(line, seed=0))
    assert nothing.startswith("No test row has a mark with both prompts")
    line = FinalTestLine(best=2, seed_marks=(0.0, None), best_marks=(1.0, None))
    some = telling.test_result(outcomes.test_finished(line, seed=0))
    assert "On 2 test rows: 100.0 against the seed's 0.0" in some
    assert "too few rows for an A/A floor" in some
