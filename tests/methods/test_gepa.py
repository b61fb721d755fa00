"""GEPA from the seed to the test, against a real server; its front and its merge by their properties."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import (
    BlockShown,
    CandidateProposed,
    CandidateRefused,
    FinalTest,
    RoundFinished,
)
from spotui.domain.program_prompts import join_prompts, split_prompts
from spotui.domain.statistics import score
from spotui.engine import Candidate, Scored
from spotui.methods.gepa.evolution import join
from spotui.methods.gepa.front import Member, child, dominates, front_of, ranges, rows_led, sample
from spotui.methods.gepa.merging import best_pair, contested, joined, rows_won
from spotui.settings.table import BudgetSettings
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import adding, answer, kind_of, propose
from tests.runs.starting import Stage, Told

SMALL = {"iterations": 4, "minibatch_rows": 4, "width": 2, "gate_tolerance": 1}


def go(folder: Path, model: Persona = adding, **options: Any) -> tuple[Told, ModelServer]:
    """A whole run, and the server it asked."""
    with ModelServer(model) as server:
        stage = Stage(folder, server)
        options = {"parameters": SMALL, "count": 80, **options}
        return stage.go(scored_project(stage, "gepa", **options)), server


def asked(server: ModelServer, tag: str) -> list[str]:
    return [text for one in server.requests if tag in (text := conversation(one.json))]


def test_it_improves_prompts_by_what_they_got_wrong_and_shows_the_front(tmp_path: Path) -> None:
    end, server = go(tmp_path)
    assert end.stopped.improved
    assert end.one(FinalTest).difference > 0
    reflections = asked(server, "<examples>")
    assert reflections
    for text in reflections:
        examples = text.split("<examples>")[1].split("</examples>")[0].strip().split("\n\n")
        assert len(examples) == 4
        assert any("Mark: 0 of 100, given for: " in one for one in examples)
        assert all(("Mark: 100" in one) is is_right(one) for one in examples)
    fronts = end.of(BlockShown)
    assert [one.round for one in fronts] == [one.round for one in end.of(RoundFinished)]
    last = fronts[-1].items
    scores = [one.score or 0.0 for one in last]
    assert {"prompt", "from"} <= last[0].facts.keys()
    assert any(name.startswith("best on ") for name in last[0].facts)
    assert scores == sorted(scores, reverse=True)
    assert str(end.of(RoundFinished)[-1].columns["front"]).startswith(f"{len(last)} of ")


def is_right(example: str) -> bool:
    expected = example.split("Expected: ")[1].split("\n")[0]
    return f"The answer is {expected}." in example


def test_no_eval_row_reaches_the_optimizer(tmp_path: Path) -> None:
    _, server = go(tmp_path)
    shown = {*re.findall(r"What is \d+ plus \d+\?", "\n".join(asked(server, "<current_prompt>")))}
    chosen_by = {
        match
        for one in server.requests
        if kind_of(one.json) == "execute"
        for match in re.findall(r"What is \d+ plus \d+\?", conversation(one.json))
    } - shown
    assert len(shown) <= 16  # a fifth of the rows is to train on
    assert len(chosen_by) >= 16


def test_a_run_that_stopped_anywhere_buys_nothing_twice_and_decides_the_same(tmp_path: Path) -> None:
    whole, straight = go(tmp_path / "whole", unending)
    with ModelServer(unending) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gepa", parameters=SMALL, count=80, budget=BudgetSettings(calls=5))
        for calls in (5, 20, 37, 60, 90, None):
            end = stage.go(project, changes={"calls": calls})
            assert (end.stopped.reason == "budget") is (calls is not None)
        again = stage.go(project)
    assert Counter(body(one.json) for one in server.requests) == Counter(
        body(one.json) for one in straight.requests
    )
    assert again.outcomes == end.outcomes == whole.outcomes
    assert end.stopped.prompt == whole.stopped.prompt
    assert end.of(BlockShown)[-1].items == whole.of(BlockShown)[-1].items


def body(request: JsonObject) -> str:
    return f"{request['temperature']} {conversation(request)}"


def better(request: JsonObject) -> str:
    """A prompt that is one style further, always in the same words."""
    return re.sub(r", way \d+", "", propose(request))


unending = Persona(kind_of, propose=better, execute=answer)


def test_the_gate_keeps_out_what_does_worse_on_the_minibatch_and_how_much_worse_can_be_set(
    tmp_path: Path,
) -> None:
    def worse(request: JsonObject) -> str:
        return "no idea" if "Never mind." in conversation(request) else answer(request)

    def propose(_: JsonObject) -> str:
        return "<analyse>a</analyse><modification>m</modification><prompt>Never mind.</prompt>"

    model = Persona(kind_of, propose=propose, execute=worse)
    end, server = go(tmp_path / "strict", model, parameters={**SMALL, "width": 1, "merge_every": 0})
    assert {one.why.split(" it scores ")[0] for one in end.of(CandidateRefused)} == {
        "on the 4 rows of the gate"
    }
    assert set(end.outcomes[1:]) == {"refused"}
    seen = [one for one in asked(server, "Never mind.") if "<" not in one]
    assert len(seen) <= 4 * 4  # the minibatches alone, and no eval row
    loose = {**SMALL, "width": 1, "merge_every": 0, "gate_tolerance": 5, "iterations": 1}
    (fell,) = go(tmp_path / "loose", model, parameters=loose)[0].of(CandidateRefused)
    assert fell.why.startswith("it fell behind the best prompt on ")


def test_two_prompts_that_win_on_different_rows_are_merged(tmp_path: Path) -> None:
    halves = iter(["Add even sums.", "Add odd sums."])

    def propose(request: JsonObject) -> str:
        is_merge = "<other_prompt>" in conversation(request)
        prompt = "Add even sums. Add odd sums." if is_merge else next(halves, "Add no sums.")
        return f"<analyse>a</analyse><modification>m</modification><prompt>{prompt}</prompt>"

    def execute(request: JsonObject) -> str:
        text = conversation(request)
        one, other = map(int, re.findall(r"\d+", text)[-2:])
        kind = "Add odd sums." if one % 2 else "Add even sums."
        return f"The answer is {one + other + (kind not in text)}."

    model = Persona(kind_of, propose=propose, execute=execute)
    parameters = {"iterations": 3, "width": 2, "minibatch_rows": 8, "merge_every": 2}
    end, server = go(tmp_path, model, parameters=parameters, racing="none")
    (text,) = asked(server, "<other_prompt>")
    assert all(half in text for half in ("Add even sums.", "Add odd sums."))
    assert "What is" not in text  # they win on eval rows
    assert end.stopped.prompt == "Add even sums. Add odd sums."
    (merged,) = [one for one in end.of(CandidateProposed) if one.prompt == end.stopped.prompt]
    (item,) = [one for one in end.of(BlockShown)[-1].items if one.text == merged.prompt]
    assert item.facts["from"] in {"2+2b", "2b+2"}
    assert end.stopped.reason == "perfect"


def test_a_task_without_a_wrong_train_row_ends_with_what_to_do(tmp_path: Path) -> None:
    def right(request: JsonObject) -> str:
        one, other = map(int, re.findall(r"\d+", conversation(request))[-2:])
        return f"The answer is {one + other + ((one + other) % 7 == 0 and one > 60)}."

    end, _ = go(tmp_path, Persona(kind_of, propose=propose, execute=right), count=100)
    assert (end.stopped.reason, end.stopped.rounds) in {("perfect", 1), ("perfect", 2)}


def member(
    name: str, marks: Sequence[float | None], prompt: str = "", parents: Sequence[Member] = ()
) -> Member:
    candidate = Candidate(round=int(name), prompt=prompt or f"prompt {name}")
    return child(int(name), 0, Scored(candidate, "eval", score(marks), tuple(marks)), parents)


pools = st.integers(1, 6).flatmap(
    lambda rows: st.lists(
        st.lists(st.sampled_from([0.0, 0.5, 1.0, None]), min_size=rows, max_size=rows), min_size=1, max_size=7
    ).map(lambda pool: [member(str(number), marks) for number, marks in enumerate(pool, 1)])
)


@given(pools, st.text(max_size=3))
def test_the_front_has_the_best_of_every_row_and_nobody_that_another_dominates(
    pool: list[Member], seed: str
) -> None:
    front = front_of(pool)
    if all(mark is None for one in pool for mark in one.scored.marks):
        assert not front
        return
    led = rows_led(front)
    for row, marks in enumerate(zip(*(one.marks for one in pool), strict=True)):
        holders = [one for one in front if one.marks[row] == max(marks)]
        assert holders or max(marks) < 0
        assert all((row + 1 in led[one.name]) is (one in holders and max(marks) >= 0) for one in front)
    assert all(led.values())
    assert not any(dominates(other, one) for one in front for other in pool)
    for one in pool:
        is_best_somewhere = any(
            mark == max(marks) >= 0
            for mark, marks in zip(one.marks, zip(*(each.marks for each in pool), strict=True), strict=True)
        )
        assert one in front or not is_best_somewhere or any(dominates(other, one) for other in front)
    assert front_of([*front_of(pool[:-1]), pool[-1]]) == front
    assert sample(front, seed=seed) == sample(front, seed=seed)
    assert sample(front, seed=seed) in front


def test_a_parent_is_drawn_as_often_as_it_leads_rows() -> None:
    front = [member("1", [1, 1, 1, 0]), member("2", [0, 0, 0, 1])]
    drawn = Counter(sample(front, seed=str(number)).name for number in range(2000))
    assert 0.70 < drawn["1"] / 2000 < 0.80


@given(pools, st.integers(1, 6))
def test_a_pair_to_merge_gains_from_both_and_its_gate_has_rows_of_both(pool: list[Member], size: int) -> None:
    pair = best_pair(front_of(pool), set(), pool)
    if pair is None:
        return
    one, other = pair
    assert one.scored.score.mean >= other.scored.score.mean
    assert rows_won(one, other)
    assert rows_won(other, one)
    positions = contested(one, other, size)
    assert len(positions) == min(size, len(rows_won(one, other)) + len(rows_won(other, one)))
    assert size < 2 or ({*positions} & {*rows_won(one, other)} and {*positions} & {*rows_won(other, one)})
    assert best_pair(front_of(pool), {frozenset((one.name, other.name))}, pool) != pair


def test_a_prompt_is_not_merged_with_one_that_it_descends_from() -> None:
    seed = member("1", [0, 1, 1])
    first = member("2", [1, 0, 1], parents=[seed])
    second = member("3", [1, 1, 0], parents=[first])
    assert best_pair([seed, first, second], set(), [seed, first, second]) is None
    apart = member("4", [1, 1, 0], parents=[seed])
    assert best_pair([first, apart], set(), [seed, first, apart]) == (first, apart)


texts = st.sampled_from(["old", "new", "newer"])


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_a_program_is_merged_prompt_by_prompt_from_whoever_changed_it(changes: list[tuple[str, str]]) -> None:
    names = [f"part{number}" for number in range(len(changes))]
    seed = member("1", [0, 0], join_prompts(dict.fromkeys(names, "old")))
    mine, theirs = (
        join_prompts(dict(zip(names, (pair[side] for pair in changes), strict=True))) for side in (0, 1)
    )
    one = member("2", [1, 0], mine, [seed])
    other = member("3", [0, 1], theirs, [seed])
    merged = joined(one, other, [seed, one, other])
    wanted = {
        name: pair[1] if pair[0] == "old" else pair[0] for name, pair in zip(names, changes, strict=True)
    }
    if wanted in (split_prompts(mine), split_prompts(theirs)):
        assert merged == ""
        assert best_pair([one, other], set(), [seed, one, other]) is None
    else:
        assert split_prompts(merged) == wanted
        made = join(4, one, other, pool=[seed, one, other])
        assert (made.prompt, made.parent, made.other_parents) == (merged, 2, (3,))


@given(st.sets(st.integers(1, 40)))
def test_rows_are_listed_in_ranges(rows: set[int]) -> None:
    shown = ranges(sorted(rows))
    found: list[int] = []
    for part in filter(None, shown.split(", ")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    assert found == sorted(rows)
