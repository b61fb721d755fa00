"""A prompt that repeats a passage of an example is sent back once, then refused; common words are no copy."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import CandidateProposed, CandidateRefused, RoundFinished
from spotui.domain.rows import Row
from spotui.engine.copies import COPIED_WORDS, CopyGuard
from spotui.engine.task import Question, Task
from spotui.templates.data.load import Dataset
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona
from tests.row_model import adding, answer, grade, kind_of, note, rows
from tests.row_model import template as template_of_sums
from tests.runs.starting import Stage, Told, template
from tests.spo_model import execute, prefer_higher_style, role_of

SEED = "Read the story and answer. Reply in the form: the answer is (A)."
ROWS = [
    Row("Anna puts the red ball into a blue box. Where is it? Options: Yes or No or Maybe so.", ("box",)),
    Row("Peter drove his old {town} truck early. Who drove? Options: Yes or No or Maybe so.", ("Peter",)),
    Row("两个朋友昨天晚上一起去看了一场很长的电影", ("They went to see a rather long film",)),
]


def guard(rows: list[Row]) -> CopyGuard:
    return CopyGuard(Task(SEED, "Say where things are in the end.", (), rows=Dataset(tuple(rows), ())))


@pytest.mark.parametrize(
    ("prompt", "copied"),
    [
        ("Look for things, e.g. ANNA puts the red ball into a box.", "anna puts the red ball into a"),
        ("Think of Peter, and drove his old truck to the town.", ""),
        ("If he “drove his old {town} truck early”, say so.", ""),  # a slot stands between
        (
            "If he drove his old truck, say so. PETER, drove his old town.",
            "peter drove his old town",
        ),
        ("Say that they went to see a rather good film.", "they went to see a rather"),
        ("Options: Yes or No or Maybe so. Say one of them.", ""),  # in several rows: of the task
        ("Read the story and answer with where things are in the end.", ""),  # of the seed and requirements
        ("昨天晚上一起去看", ""),
        ("先想想:朋友昨天晚上一起去看了一场,再答", "朋 友 昨 天 晚 上 一 起 去 看 了 一 场"),
        ("", ""),
    ],
)
def test_a_copy_is_five_words_of_one_row_that_belong_to_nothing_else(prompt: str, copied: str) -> None:
    assert guard(ROWS).copied(prompt, [SEED]) == copied


def test_what_the_parent_says_already_is_no_copy() -> None:
    parent = "Where is the red ball? Anna puts the red ball into a box."
    assert guard(ROWS).copied(f"{parent} Answer.", [SEED]) != ""
    assert guard(ROWS).copied(f"{parent} Answer.", [SEED, parent]) == ""


words = st.sampled_from(["anna", "puts", "red", "ball", "into", "a", "box", "where", "is", "it"])


@given(st.lists(words, max_size=30), st.lists(words, max_size=30))
def test_it_finds_a_copy_exactly_where_five_words_in_a_row_are_shared(
    one: list[str], other: list[str]
) -> None:
    runs = {tuple(one[at : at + COPIED_WORDS]) for at in range(len(one) - COPIED_WORDS + 1)}
    shared = any(tuple(other[at : at + COPIED_WORDS]) in runs for at in range(len(other)))
    found = CopyGuard(Task("", "", (Question(" ".join(one)),))).copied(" ".join(other), [])
    assert bool(found) is shared
    assert not found or (found in " ".join(other) and len(found.split()) >= COPIED_WORDS)


COPY = "For example, what is 3 plus 21? It is 24."


def scored(stage: Stage, name: str, replies: list[str], **changes: Any) -> Told:
    """One step of APE whose optimizer makes these prompts one after another."""
    left = iter(replies)

    def propose(request: JsonObject) -> str:
        return f"<analyse>a</analyse><modification>m</modification><prompt>{next(left)}</prompt>"

    with ModelServer(
        Persona(kind_of, propose=propose, execute=answer, judge=grade, likelihood=note)
    ) as server:
        stage.server = server
        folder = stage.folder / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "train.jsonl").write_text(rows(1, first=3))
        project = scored_project(
            stage,
            "ape",
            name=name,
            text=template_of_sums(data="{split: {train: train.jsonl, eval: rows.jsonl}}"),
            rows_text=rows(12, first=4),
            parameters={"max_steps": 1, "candidates_per_step": 1},
            **changes,
        )
        return stage.go(project)


def test_a_scored_round_sends_it_back_once_and_then_refuses_it(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
    good = "Add in style 4."
    sent_back = scored(stage, "once", [COPY, good])
    (why,) = sent_back.of(CandidateRefused)
    assert (why.final, '"what is 3 plus 21"' in why.why) == (False, True)
    assert [one.prompt for one in sent_back.of(CandidateProposed)] == [good]

    refused = scored(stage, "twice", [COPY, COPY])
    assert [(one.final, one.prompt) for one in refused.of(CandidateRefused)] == [(False, ""), (True, COPY)]
    last = refused.of(RoundFinished)[-1]
    assert (last.outcome, last.note) == ("refused", 'it copies an example: "what is 3 plus 21"')

    allowed = scored(stage, "allowed", [COPY], copies="allowed")
    assert [one.prompt for one in allowed.of(CandidateProposed)] == [COPY]


def test_spo_does_the_same_with_its_questions_and_a_run_of_an_earlier_version_does_not(
    tmp_path: Path,
) -> None:
    copy = "Use style 5, as for: why are the tides so high?"

    def propose(request: JsonObject) -> str:
        return f"<analyse>a</analyse><modification>m</modification><prompt>{copy}</prompt>"

    text = template(1).replace("Question 0?", "Why are the tides so high?")
    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=prefer_higher_style)) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project("new", text, max_rounds=2))
        assert [one.final for one in end.of(CandidateRefused)] == [False, True]
        assert end.outcomes == ["seed", "refused"]
        asked = len(server.requests)
        again = stage.go(stage.project("again", text, max_rounds=2))
        assert again.outcomes == ["seed", "refused"]
        project = stage.project("old", text, max_rounds=2)
        write_snapshot(project.snapshot, msgspec.structs.replace(read_snapshot(project.snapshot), edition=5))
        assert stage.go(project).outcomes == ["seed", "win"]
    assert asked == 3  # the seed's answer, and two proposals
