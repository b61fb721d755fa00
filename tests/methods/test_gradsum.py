"""GRAD-SUM from the seed to the test, against a real server."""

from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import (
    BlockShown,
    CandidateProposed,
    CandidateRefused,
    FinalTest,
    NoteWritten,
    RoundFinished,
)
from spotui.methods.gradsum import grouped
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import adding, answer, grade, kind_of, note, propose, template
from tests.runs.starting import Stage, Told, text_of, told

SMALL = {"iterations": 3, "candidates_per_parent": 2}


def go(folder: Path, model: Persona = adding, **options: Any) -> tuple[Told, ModelServer]:
    """A whole run, and the server it asked."""
    with ModelServer(model) as server:
        stage = Stage(folder, server)
        options = {"parameters": SMALL, "count": 60, **options}
        return stage.go(scored_project(stage, "gradsum", **options)), server


def asked(server: ModelServer, tag: str) -> list[str]:
    return [text for one in server.requests if tag in (text := conversation(one.json))]


def notes(end: Told, what: str) -> list[NoteWritten]:
    return [one for one in end.of(NoteWritten) if one.what == what]


def test_failures_become_gradients_a_summary_edits_and_a_beam(tmp_path: Path) -> None:
    end, server = go(tmp_path)
    seed_gradients = [one for one in notes(end, "gradient") if one.round == 2]
    merged = asked(server, "<gradients>")[0]
    assert all(one.text in merged for one in seed_gradients)
    edits = asked(server, "<current_prompt>")
    assert notes(end, "summary")[0].text in edits[0]
    assert len(edits) == 2 * sum(
        len({one.prompt for one in notes(end, "summary")} & beam) for beam in beams(end)
    )
    chosen = end.of(BlockShown)
    assert all(len(one.items) == 3 for one in chosen)
    for one in chosen:
        scores = [member.score or 0.0 for member in one.items]
        assert scores == sorted(scores, reverse=True)
    assert end.stopped.improved
    assert end.one(FinalTest).difference > 0


def beams(end: Told) -> list[set[str]]:
    """The prompts that each round after the seed's started from."""
    chosen = [{member.text for member in one.items} for one in end.of(BlockShown)]
    return [{"Add in style 0."}, *chosen[:-1]]


def test_only_wrong_rows_have_a_gradient(tmp_path: Path) -> None:
    end, server = go(tmp_path, parameters={**SMALL, "iterations": 1})
    written = asked(server, "<failure>")
    assert written
    for text in written:
        expected = text.split("Expected: ")[1].split("\n")[0]
        assert f"Answer: The answer is {int(expected) + 1}." in text
    train = [one for one in server.requests if kind_of(one.json) == "execute"]
    assert len(written) < len(train)
    assert len(written) == len(notes(end, "gradient"))


def test_a_row_that_errored_has_no_gradient(tmp_path: Path) -> None:
    def silent(request: JsonObject) -> str:
        return "" if "What is 1" in conversation(request) else answer(request)

    model = Persona(kind_of, propose=propose, execute=silent, likelihood=note)
    _, server = go(tmp_path, model=model)
    assert not [one for one in asked(server, "<failure>") if "Input: What is 1" in one]


def test_gradients_that_are_too_many_are_summed_up_in_a_tree(tmp_path: Path) -> None:
    def wordy(request: JsonObject) -> str:
        return note(request).text + " carry" * 60

    model = Persona(kind_of, propose=propose, execute=lambda _: "no idea", likelihood=wordy)
    parameters = {**SMALL, "iterations": 1, "gradients_at_once": 1000}
    end, server = go(tmp_path, model=model, parameters=parameters, count=100)
    merges = asked(server, "<gradients>")
    assert len(notes(end, "gradient")) == 20
    assert len(merges) == 10 + 5 + 2 + 1
    assert len(notes(end, "summary")) == 1


def test_no_failure_ends_the_run_as_perfect(tmp_path: Path) -> None:
    end, server = go(tmp_path, text=template().replace("style 0", "style 7"))
    assert end.stopped.reason == "perfect"
    assert not asked(server, "<current_prompt>")
    assert (
        end.of(RoundFinished)[-1].note
        == "no train row is below full score, so there is nothing to learn from"
    )


def test_a_slot_that_is_lost_or_invented_is_repaired_once_then_refused(tmp_path: Path) -> None:
    def forgetful(request: JsonObject) -> str:
        return propose(request).replace("{question} ", "{questions} ")

    model = Persona(kind_of, propose=forgetful, execute=answer, likelihood=note)
    end, server = go(
        tmp_path,
        model=model,
        text=template().replace("Add in style 0.", "'{question} Add in style 0.'"),
        parameters={**SMALL, "iterations": 1},
    )
    assert [one.final for one in end.of(CandidateRefused)].count(True) == 2
    assert not end.of(CandidateProposed)
    assert len([one for one in server.requests if kind_of(one.json) == "propose"]) == 4


def test_criteria_are_judged_with_a_reason_and_the_reason_makes_the_gradient(tmp_path: Path) -> None:
    text = template(metric="judge", criteria="The number is even.")
    model = Persona(kind_of, propose=propose, execute=answer, judge=grade, likelihood=note)
    _, server = go(tmp_path, model=model, text=text, parameters={**SMALL, "iterations": 1})
    assert "Why it falls short: It is odd." in asked(server, "<failure>")[0]


def test_nothing_is_bought_twice_even_when_it_is_resumed(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gradsum", parameters=SMALL, count=60)
        first = told(stage.run(project))
        executed = Counter(text_of(one) for one in server.requests if kind_of(one.json) == "execute")
        assert set(executed.values()) == {1}
        before = len(server.requests)
        second = told(stage.run(project))
        assert len(server.requests) == before
    assert second.stopped.prompt == first.stopped.prompt


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=40), st.integers(10, 200))
def test_groups_hold_every_text_in_order_and_shrink(texts: list[str], limit: int) -> None:
    groups = grouped(texts, limit)
    assert [text for group in groups for text in group] == texts
    assert len(texts) == 1 or len(groups) <= len(texts) / 2
    assert all(sum(map(len, group[:-1])) <= limit or len(group) <= 3 for group in groups)
