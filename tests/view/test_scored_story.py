"""The log of a method that scores prompts on rows."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from spotui.domain.declared import Note
from spotui.domain.events import (
    BlockItem,
    BlockShown,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateScored,
    Event,
    NoteWritten,
    PastPrompt,
    PastShown,
    RoundStarted,
    ScoringStarted,
)
from spotui.domain.records import CallKey
from spotui.view.log import Entry
from spotui.view.story import Choice, Story
from tests.methods.scored import scored_project
from tests.model_server import ModelServer
from tests.row_model import unending
from tests.runs.starting import Stage
from tests.view.test_picture import OPENED

START = RoundStarted(round=2, best=1)
EVAL = ScoringStarted(round=2, split="eval", prompts=2, rows=3)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ModelServer(unending) as server:
        yield Stage(tmp_path, server)


def told(*events: Event) -> Story:
    story = Story()
    for event in events:
        story.apply(event)
    return story


def key(index: int, purpose: str = "score_eval", attempt: int = 1) -> CallKey:
    return CallKey(2, purpose, index, attempt)


def started(*indices: int, purpose: str = "score_eval") -> list[Event]:
    return [CallStarted(key=key(index, purpose), model="m", at=100.0) for index in indices]


def done(*keys: CallKey, recorded: bool = False) -> list[Event]:
    return [
        CallFinished(
            key=one,
            model="m",
            prompt_tokens=40,
            completion_tokens=10,
            seconds=1.0,
            recorded=recorded,
            at=102.0,
        )
        for one in keys
    ]


def scored(prompt: str, score: float, rows: int = 3, *, left_out: int = 0) -> CandidateScored:
    return CandidateScored(
        round=2,
        index=0,
        prompt=prompt,
        split="eval",
        score=score,
        low=0.2,
        high=0.9,
        rows=rows,
        left_out=left_out,
        words_changed=7,
    )


def entries(story: Story, kind: str) -> list[Entry]:
    return [one for one in story.entries if one.kind == kind]


def test_hundreds_of_rows_are_one_line_that_counts() -> None:
    story = told(START, EVAL, *started(*range(6)), *done(key(0), key(1)))
    (line,) = entries(story, "calls")
    assert (line.title, line.facts) == ("2 prompts on 3 eval rows each", "2 of 6, 100 tok")
    assert (line.began, list(story.live)) == (100.0, [1])
    for event in done(*map(key, range(2, 6))):
        story.apply(event)
    assert (line.facts, line.began, list(story.live)) == ("300 tok, 2.0 s", None, [])


def test_a_row_that_is_asked_again_counts_once() -> None:
    (line,) = entries(told(START, EVAL, *started(0), *done(key(0), key(0, attempt=2))), "calls")
    assert line.facts.startswith("1 of 6")


def test_what_the_evaluator_marked_is_counted_beside_what_was_answered() -> None:
    marks = [key(0, "mark_eval"), key(1, "mark_eval")]
    story = told(START, EVAL, *started(0, 1, 2), *done(key(0), key(1), key(2), *marks))
    (line,) = entries(story, "calls")
    assert line.facts.startswith("3 of 6, 2 marked")


def test_prompts_that_are_asked_at_once_share_a_line() -> None:
    one = ScoringStarted(round=2, split="train", prompts=1, rows=4)
    story = told(START, one, one, *started(0, purpose="score_train"))
    (line,) = entries(story, "calls")
    assert (line.title, line.facts) == ("2 prompts on 4 train rows each", "0 of 8")
    story.apply(one)  # later: a line of its own, once it asks
    assert len(entries(story, "calls")) == 1
    for event in started(4, purpose="score_train"):
        story.apply(event)
    assert [one.title[:8] for one in entries(story, "calls")] == ["2 prompt", "1 prompt"]


def test_rows_that_the_journal_has_are_worth_no_line() -> None:
    assert entries(told(START, EVAL, *done(*map(key, range(6)), recorded=True)), "calls") == []


def test_trouble_is_told_as_long_as_it_lasts() -> None:
    retried = CallRetried(
        key=key(1), error="Too many requests.", kind="RateLimited", tries=1, wait=5, at=101.0
    )
    story = told(START, EVAL, *started(0, 1), retried)
    (line,) = entries(story, "calls")
    assert (line.tone, line.text) == ("error", "1 call to try again: Too many requests.")
    assert list(Choice(show="trouble").of(story)) == [0, 1]
    for event in done(key(1)):
        story.apply(event)
    assert (line.tone, line.text) == ("plain", "")
    story.apply(CallDropped(key=key(0), why="The key was refused.", failed=True))
    (failed,) = entries(story, "trouble")
    assert (failed.title, failed.text) == ("eval row 1 failed", "The key was refused.")
    assert list(story.live) == []


def test_a_line_whose_process_died_says_so() -> None:
    story = told(START, EVAL, *started(0, 1), *done(key(0)))
    story.end_calls()
    (line,) = entries(story, "calls")
    assert (line.facts, line.began) == ("1 of 6, 50 tok, 2.0 s, not finished", None)
    assert list(story.live) == []


def test_of_proposals_that_are_being_written_one_is_shown() -> None:
    first, second = key(0, "propose"), key(1, "propose")
    story = told(START, EVAL, *started(0, 1, purpose="propose"))
    for one, text in ((first, "Think "), (second, "Count."), (first, "twice.")):
        story.apply(CallDelta(key=one, text=text))
    (line,) = entries(story, "calls")
    assert (line.title, line.streamed) == ("2 proposals", "Think twice.")
    story.apply(*done(first))
    story.apply(CallDelta(key=second, text="Slowly."))
    assert line.streamed == "Slowly."


def test_a_candidate_is_an_entry_that_gets_its_score() -> None:
    proposed = CandidateProposed(
        round=2, parent=1, prompt="P", modification="Shorter.", reasoning="Long.", words_changed=7
    )
    shown = PastShown(round=2, current=1, past=(PastPrompt(1, "Old " * 50, 0.25, 0.5),), edit_budget=20)
    story = told(START, EVAL, shown, proposed, scored("P", 0.5, left_out=1))
    (past,) = entries(story, "block")
    assert (past.title, past.facts) == (
        "optimizer sees the seed and 1 earlier prompt",
        "edit budget 20 words",
    )
    assert past.text.startswith("round 1    25.0   alike 0.50   Old Old")
    assert len(past.text) < 130
    (one,) = entries(story, "proposal")
    assert one.title == "candidate 1: 50.0 (20.0 to 90.0)"
    assert one.facts == "3 eval rows, 1 errored, 7 words changed"
    assert (one.text, one.aside, one.tone) == ("Shorter.", "Long.", "warning")
    # All rows after some of them: the score that counts.
    story.apply(scored("P", 0.7, rows=48))
    assert one.title.startswith("candidate 1: 70.0")


def test_gradients_of_a_prompt_are_one_entry_that_can_be_searched() -> None:
    notes = [
        NoteWritten(round=2, what="gradient", text=f"Carry {n}.", index=n, prompt=prompt)
        for n, prompt in enumerate(["P", "P", "Q"])
    ]
    summary = NoteWritten(round=2, what="summary", text="Carry all.", prompt="P")
    beam = BlockShown(
        round=2, name="beam", title="prompts for the next round", items=(BlockItem("P", 0.5, 0.2, 0.9, 4),)
    )
    kinds = (Note("gradient", plural="gradients to follow"),)
    story = told(msgspec.structs.replace(OPENED, notes=kinds), START, *notes, summary, beam)
    assert [(one.title, one.aside) for one in entries(story, "note")] == [
        ("2 gradients to follow", "Carry 0.\nCarry 1."),
        ("gradient", "Carry 2."),
        ("summary", "Carry all."),
    ]
    assert [one.text for one in entries(story, "block")] == ["50.0 (20.0 to 90.0)   P"]
    assert list(Choice(text="carry 2").of(story)) == [0, 2]


@pytest.mark.parametrize("method", ["gpo", "apo", "sgdm", "gradsum"])
def test_a_real_run_reads_well(stage: Stage, method: str) -> None:
    parameters = (
        {"iterations": 2, "train_rows": 6, "subset_rows": 4, "beam": 2, "candidates_per_parent": 2}
        if method == "gradsum"
        else {"max_steps": 2, "candidates_per_step": 3}
    )
    events = stage.go(scored_project(stage, method, count=60, parameters=parameters)).events
    story = told(*events)
    calls = sum(isinstance(event, CallFinished) for event in events)
    assert calls > 100
    assert len(story.entries) < 50
    assert list(story.live) == []
    assert not [
        one for one in story.entries if " of " in one.facts.partition(" tok")[0] and one.kind == "calls"
    ]
    titles = [one.title for one in story.entries]
    assert "seed prompt: 50.0 (25.4 to 74.6)" in titles
    assert any(title.startswith("candidate 2: ") for title in titles)
    assert any(title.startswith("Test of round ") and "36 test rows" in title for title in titles)
    leads = [one for one in story.entries if one.title == "Lead: the best so far, by less than the A/A floor"]
    assert leads
    assert all(" to " in one.facts and "A/A floor" in one.facts for one in leads)
    # A round that is folded keeps its verdict; the verdicts alone keep the candidates' scores.
    folded = [story.entry(position) for position in Choice(folded=frozenset({2})).of(story)]
    assert [one.kind for one in folded if one.round == 2] == ["round", "verdict"]
    kinds = {story.entry(position).kind for position in Choice(show="verdicts").of(story)}
    assert kinds == {"round", "proposal", "verdict"}


def test_rounds_do_not_share_lines() -> None:
    story = told(*itertools.chain(*([RoundStarted(round=n), EVAL, *started(0)] for n in (1, 2))))
    assert [one.round for one in entries(story, "calls")] == [1, 2]


def test_a_prompt_that_nobody_proposed_is_named_for_where_it_came_from() -> None:
    first = msgspec.structs.replace(scored("Seed", 0.5), round=1)
    third = [msgspec.structs.replace(scored(prompt, 0.5), round=3) for prompt in ("Seed", "Q", "R")]
    story = told(RoundStarted(round=1), first, START, scored("Q", 0.5), RoundStarted(round=3, best=2), *third)
    assert [one.title.partition(":")[0] for one in entries(story, "proposal")] == [
        "seed prompt",
        "prompt",
        "seed prompt",
        "prompt of an earlier round",
        "prompt",
    ]
