"""GPO and its relatives, from the seed to the test, against a real server."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import decode_event
from spotui.domain.events import (
    CandidateProposed,
    CandidateRefused,
    CandidateScored,
    FinalTest,
    NoteWritten,
    Noticed,
    PastShown,
    RoundFinished,
    RunOpened,
)
from spotui.domain.records import CallLine, FinalTestLine, RoundLine
from spotui.methods import load_method
from spotui.methods.gpo.descent import edit_budget
from spotui.methods.gpo.parameters import Parameters, steps
from spotui.methods.parameters import read_parameters
from spotui.settings.table import RoleSet, RoleSettings
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation, faults
from tests.row_model import adding, answer, grade, kind_of, note, propose, rows, template
from tests.runs.starting import Stage, Told, bought, text_of, told
from tests.spo_model import is_repair

DOCUMENT = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()
SMALL = {"max_steps": 3, "candidates_per_step": 2, "batch_size": 6}


def go(
    folder: Path, method: str = "gpo", model: Persona = adding, **options: Any
) -> tuple[Told, ModelServer]:
    """A whole run, and the server it asked."""
    with ModelServer(model) as server:
        stage = Stage(folder, server)
        options = {"parameters": SMALL, "count": 60, **options}
        return stage.go(scored_project(stage, method, **options)), server


def kinds(server: ModelServer) -> Counter[str]:
    return Counter(kind_of(request.json) for request in server.requests)


def asked(server: ModelServer, kind: str) -> list[str]:
    return [conversation(one.json) for one in server.requests if kind_of(one.json) == kind]


def test_the_best_prompt_wins_and_is_tested_against_the_seed_once(tmp_path: Path) -> None:
    end, server = go(tmp_path, count=200)
    sizes = end.one(RunOpened).rows
    assert sizes == {"train": 40, "eval": 40, "test": 120}
    assert kinds(server) == {"propose": 6, "execute": 40 + 6 * 40 + 2 * 120}
    assert end.stopped.improved
    scores = [one.score for one in end.of(RoundFinished)]
    assert all(one is not None and other is not None and one <= other for one, other in pairwise(scores))
    tested = end.one(FinalTest)
    assert (tested.best, tested.rows) == (end.stopped.best, 120)
    assert tested.difference == pytest.approx(tested.best_score - tested.seed_score)
    low, high = tested.difference_interval
    assert 0 < low < tested.difference < high


def test_no_row_is_asked_twice_with_the_same_prompt(tmp_path: Path) -> None:
    _, server = go(tmp_path, "pe2")
    asked_of_executor = Counter(text_of(one) for one in server.requests if kind_of(one.json) == "execute")
    assert set(asked_of_executor.values()) == {1}


def test_without_a_better_prompt_the_test_rows_stay_unseen(tmp_path: Path) -> None:
    def worse(request: JsonObject) -> str:
        return propose(request).replace("style", "some taste")

    model = Persona(kind_of, propose=worse, execute=answer)
    end, server = go(tmp_path, model=model, text=template().replace("in style 0", "in style 5"))
    assert not end.stopped.improved
    assert not end.of(FinalTest)
    assert kinds(server)["execute"] == 12 * 7


def test_a_prompt_that_was_scored_before_is_not_bought_again(tmp_path: Path) -> None:
    def again(_: JsonObject) -> str:
        return "<analyse>a</analyse><modification>m</modification><prompt>Add in  Style 1.</prompt>"

    end, server = go(tmp_path, model=Persona(kind_of, propose=again, execute=answer))
    assert kinds(server)["execute"] == 12 + 12 + 2 * 36 * end.stopped.improved
    assert [one.outcome for one in end.of(RoundFinished)][2:] == ["void", "void"]


def test_a_finished_run_resumes_without_a_request_and_to_the_same_end(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "sgdm", parameters=SMALL, count=60)
        first = told(stage.run(project))
        before = len(server.requests)
        second = told(stage.run(project))
        assert len(server.requests) == before
    assert second.stopped.prompt == first.stopped.prompt
    assert [one.marks for one in second.of(CandidateScored)] == [
        one.marks for one in first.of(CandidateScored)
    ]
    assert (
        len([one for one in read_lines(project.journal, FinalTestLine) if isinstance(one, FinalTestLine)])
        == 1
    )


def test_a_run_that_was_cut_anywhere_buys_nothing_twice(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "apo", parameters=SMALL, count=60)
        told(stage.run(project))
        whole = project.journal.read_bytes().splitlines(keepends=True)
        for kept in range(3, len(whole), len(whole) // 7):
            before = len(server.requests)
            project.journal.write_bytes(b"".join(whole[:kept]))
            calls = bought(project)
            told(stage.run(project))
            again = Counter(
                text_of(one) for one in server.requests[before:] if kind_of(one.json) == "execute"
            )
            assert not again & calls, "a completed request was sent again"


def test_the_optimizer_sees_the_past_with_scores_of_a_hundred_and_its_budget(tmp_path: Path) -> None:
    end, server = go(tmp_path, parameters={**SMALL, "max_steps": 4, "trajectory_selection": "importance"})
    last = asked(server, "propose")[-1]
    shown = end.of(PastShown)
    assert [one.edit_budget for one in shown] == [44, 30, 15, 10]
    assert "at most 10 words" in last
    assert "of 100" in last
    past = shown[-1].past
    assert len(past) == 3
    assert [one.score for one in past] == sorted(one.score or 0 for one in past)
    current = last.split("<current_prompt>")[1].split("</current_prompt>")[0].strip()
    assert current not in [one.text for one in past]
    assert "Expected: " in last.split("<examples>")[1]


def test_relevance_shows_the_prompts_most_like_the_current_one() -> None:
    from spotui.domain.statistics import score
    from spotui.engine import Candidate, Scored
    from spotui.methods.gpo.descent import shared_words
    from spotui.methods.gpo.trajectory import Trajectory

    trajectory = Trajectory(Parameters(trajectory_size=2))
    for number, text in enumerate(("Count every object.", "Sing a song.", "Count each object twice."), 1):
        trajectory.add_prompt(Scored(Candidate(number, text), "eval", score([1.0] * number + [0.0] * 4), ()))
    past = asyncio.run(trajectory.select("Count each object slowly.", shared_words))
    assert [one.round for one in past] == [1, 3]
    assert past[1].similarity is not None
    assert past[0].similarity is not None
    assert 1 > past[1].similarity > past[0].similarity > 0


@pytest.mark.parametrize(
    ("selection", "order", "expected"),
    [
        ("relevance", "ascending", [2, 4, 1, 3]),
        ("relevance", "descending", [3, 1, 4, 2]),
        ("importance", "ascending", [3, 1, 4, 2]),
        ("recency", "descending", [4, 3, 2, 1]),
    ],
)
def test_the_past_is_ordered_by_what_it_was_chosen_by(
    selection: Any, order: Any, expected: list[int]
) -> None:
    from spotui.domain.statistics import score
    from spotui.engine import Candidate, Scored
    from spotui.methods.gpo.trajectory import Trajectory

    async def likeness(_query: str, texts: Sequence[str]) -> list[float]:
        alike = {"one": 0.6, "two": 0.1, "three": 0.9, "four": 0.3}
        return [alike[text] for text in texts]

    parameters = Parameters(trajectory_size=4, trajectory_selection=selection, trajectory_order=order)
    trajectory = Trajectory(parameters)
    for number, (text, right) in enumerate({"one": 2, "two": 4, "three": 1, "four": 3}.items(), 1):
        marks = score([1.0] * right + [0.0] * (5 - right))
        trajectory.add_prompt(Scored(Candidate(number, text), "eval", marks, ()))
    past = asyncio.run(trajectory.select("current", likeness))
    assert [one.round for one in past] == expected


def test_a_reflection_is_made_of_wrong_rows_and_shown(tmp_path: Path) -> None:
    end, server = go(tmp_path, "pe2")
    reflections = [one for one in end.of(NoteWritten) if one.what == "reflection"]
    assert reflections
    written = asked(server, "likelihood")[0]
    for failure in written.split("<failures>")[1].split("</failures>")[0].split("\n\n"):
        said, expected = (failure.split(f"{name}: ")[1].split("\n")[0] for name in ("Output", "Expected"))
        assert expected not in said
    later = next(one for one in asked(server, "propose") if "<reflection>" in one)
    assert reflections[0].text in later


def test_the_summary_runs_on_from_step_to_step(tmp_path: Path) -> None:
    end, server = go(tmp_path, "sgdm")
    summaries = [one.text for one in end.of(NoteWritten) if one.what == "summary"]
    merged = [one for one in asked(server, "likelihood") if "<latest>" in one]
    assert "Nothing yet." in merged[0]
    assert summaries[0] in merged[1]
    assert summaries[-1] in asked(server, "propose")[-1]


def test_an_optimizer_that_changes_too_much_is_refused_when_the_budget_is_strict(tmp_path: Path) -> None:
    strict = {**SMALL, "max_steps": 1, "edit_budget_initial": 2, "edit_budget_final": 2}
    end, server = go(tmp_path, parameters={**strict, "edit_budget_enforcement": "reject"})
    assert "changes 3 words of the current one, but 2 are allowed" in end.of(CandidateRefused)[0].why
    assert kinds(server)["propose"] == 4
    assert end.of(RoundFinished)[1].outcome == "void"
    end, _ = go(tmp_path / "lenient", parameters=strict)
    assert {one.words_changed for one in end.of(CandidateProposed)} == {3}


def test_a_slot_that_is_lost_is_repaired_or_refused(tmp_path: Path) -> None:
    text = template().replace("Add in style 0.", "'{question} Add in style 0.'")

    def forgetful(request: JsonObject) -> str:
        return propose(request).replace("{question} ", "{question} " if is_repair(request) else "{query} ")

    end, server = go(tmp_path, model=Persona(kind_of, propose=forgetful, execute=answer), text=text)
    assert "has lost {question}" in end.of(CandidateRefused)[0].why
    assert all("{question}" in one.prompt for one in end.of(CandidateProposed))
    assert all(one.count("What is") == 1 for one in asked(server, "execute"))


def test_a_row_without_an_answer_counts_neither_way(tmp_path: Path) -> None:
    def silent_on_some(request: JsonObject) -> str:
        return "" if "What is 3 plus" in conversation(request) else answer(request)

    text = "".join(rows(1, first=n) for n in (3, 4, 5, 6, 7))
    spread = template(data="{train: rows.jsonl, eval: eval.jsonl}")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "eval.jsonl").write_text(text)
    model = Persona(kind_of, propose=propose, execute=silent_on_some)
    end, server = go(tmp_path, model=model, text=spread, rows_text=rows(8, first=20))
    seed = end.of(CandidateScored)[0]
    assert (seed.rows, seed.left_out, seed.marks[0]) == (4, 1, None)
    assert len([one for one in asked(server, "execute") if "What is 3 plus" in one]) == 2 * len(
        end.of(CandidateScored)
    )


def test_a_row_that_is_too_long_for_the_model_counts_neither_way_and_the_run_goes_on(tmp_path: Path) -> None:
    too_long = faults.status(400, "maximum context length is 8192 tokens")

    def fault(_: int, request: JsonObject) -> Any:
        return too_long if "What is 1" in conversation(request).split("<")[0] else None

    with ModelServer(adding, faults=fault) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(scored_project(stage, "gpo", parameters=SMALL, count=60))
    assert end.stopped.reason == "finished"
    seed = end.of(CandidateScored)[0]
    assert seed.left_out > 0
    assert seed.rows + seed.left_out == 12
    assert any("counts neither as right nor as wrong" in one.text for one in end.of(Noticed))


def test_a_seed_without_any_score_ends_the_run(tmp_path: Path) -> None:
    end, _ = go(tmp_path, model=Persona(kind_of, propose=propose, execute=lambda _: ""))
    assert end.stopped.reason == "unmarked"
    assert "No answer to the seed prompt could be marked" in end.stopped.cause


def test_a_perfect_prompt_ends_the_run_and_is_tested(tmp_path: Path) -> None:
    end, _ = go(tmp_path, parameters={**SMALL, "max_steps": 9})
    assert end.stopped.reason == "perfect"
    assert end.one(FinalTest).best_score == 1.0


def test_patience_ends_a_run_that_finds_nothing(tmp_path: Path) -> None:
    def worse(request: JsonObject) -> str:
        return propose(request).replace("style", "some taste")

    model = Persona(kind_of, propose=worse, execute=answer)
    end, _ = go(tmp_path, model=model, parameters={**SMALL, "max_steps": 9}, patience=2, max_rounds=10)
    assert end.stopped.reason == "patience"
    assert end.stopped.rounds == 3


def test_the_evaluator_marks_by_the_criteria_when_there_is_no_metric(tmp_path: Path) -> None:
    text = template(metric="judge", criteria="The number is even.")
    end, server = go(
        tmp_path, model=Persona(kind_of, propose=propose, execute=answer, judge=grade), text=text
    )
    assert end.one(RunOpened).metric == "judge"
    assert kinds(server)["judge"] == kinds(server)["execute"]
    assert "The number is even." in asked(server, "judge")[0]


def test_rounds_keep_what_was_tried(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters=SMALL, count=60)
        told(stage.run(project))
    lines = [one for one in read_lines(project.journal, RoundLine) if isinstance(one, RoundLine)]
    second = lines[1]
    scored = [one for one in map(decode_event, second.told) if isinstance(one, CandidateScored)]
    assert len(scored) == 2
    assert second.score == max(one.score for one in scored)
    assert len(second.marks) == len(second.answers) == 12
    assert second.edit_budget == 40
    calls = [one for one in read_lines(project.journal, CallLine) if isinstance(one, CallLine)]
    keys = [one.key for one in calls]
    assert len(set(keys)) == len(keys), "every call has a key of its own"


def test_the_cosine_schedule_is_that_of_the_paper() -> None:
    found = [edit_budget(Parameters(), step, 18) for step in range(1, 19)]
    assert found == [49, 48, 47, 45, 42, 40, 36, 33, 30, 26, 23, 20, 17, 14, 12, 11, 10, 10]


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("none", 0, [None] * 5),
        ("constant", 0, [50] * 5),
        ("linear", 0, [42, 34, 26, 18, 10]),
        ("linear", 2, [25, 50, 36, 23, 10]),
        ("cosine", 3, [16, 33, 50, 30, 10]),
        ("constant", 9, [5, 11, 16, 22, 27]),
    ],
)
def test_schedules(schedule: Any, warmup: int, expected: list[int | None]) -> None:
    parameters = Parameters(edit_budget_schedule=schedule, warmup_steps=warmup)
    assert [edit_budget(parameters, step, 5) for step in range(1, 6)] == expected


def test_after_the_last_step_the_budget_stays_small() -> None:
    assert edit_budget(Parameters(), 40, 18) == 10


def test_the_standard_task_takes_eighteen_steps() -> None:
    assert steps(Parameters(), 48) == 18
    assert steps(Parameters(), 44) == 3 * 6
    assert steps(Parameters(), 43) == 3 * 5
    assert steps(Parameters(max_steps=4), 48) == 4
    assert steps(Parameters(only_evaluate=True), 48) == 0


REFERENCE = {
    "gradient_name": "-",
    "momentum_para_name": "para",
    "momentum_selection_name": "relavance",
    "momentum_selection_num": 3,
    "momentum_update_name": "k-list",
    "learning_rate_name": "w_lr",
    "initial_step_size": 50,
    "decay_strategy": "consine",
    "use_warmup_strategy": False,
    "warmup_steps": 5,
    "final_step_size": 10,
    "util_gradient_name": "generate",
    "num_search_epochs": "3",
    "opt_batch_size": 8,
    "num_generated_instructions_in_each_step": 8,
    "optimizer_temperature": 1.0,
    "format_data_num": "3",
    "instruction_pos": "Q_end",
    "include_qa": "false",
    "evaluate_generated_ins_on_few_shot": "false",
    "few_shot_number": 5,
    "only_evaluate": False,
}
"""How the reference's own script starts GPO."""

QA_AT_ANSWER = {"qa_labels": True, "prompt_position": "answer_start"}


@pytest.mark.parametrize(
    ("given", "differs"),
    [
        ({}, {}),
        ({"learning_rate_name": "wo_lr"}, {"edit_budget_schedule": "none"}),
        ({"decay_strategy": "fixed"}, {"edit_budget_schedule": "constant"}),
        ({"use_warmup_strategy": "true"}, {"warmup_steps": 5}),
        ({"evaluate_generated_ins_on_few_shot": True}, {"few_shot_demos": 5}),
        ({"gradient_name": "feedback"}, {"descent_direction": "performance+reflection"}),
        ({"momentum_para_name": "feedback"}, {"trajectory_content": "reflections"}),
        ({"momentum_update_name": "real-time"}, {"trajectory": "summarization"}),
        ({"momentum_update_name": "-"}, {"trajectory": "none"}),
        ({"momentum_para_name": "-"}, {"trajectory": "none"}),
        ({"momentum_selection_name": "-"}, {}),
        ({"momentum_selection_name": "importance"}, {"trajectory_selection": "importance"}),
        ({"momentum_selection_num": 0}, {"trajectory_size": 0}),
        ({"util_gradient_name": "generate_without", "gradient_name": "feedback"}, {}),
        ({"util_gradient_name": "edit_without"}, {"refinement": "editing"}),
        ({"decay_strategy": "-"}, {"edit_budget_schedule": "none"}),
        (
            {"initial_step_size": "0", "final_step_size": 0},
            {"edit_budget_initial": 0, "edit_budget_final": 0},
        ),
        ({"num_search_epochs": 0}, {"epochs": 0}),
        ({"format_data_num": 0}, {"task_examples": 0}),
        ({"optimizer_temperature": 0}, {"optimizer_temperature": 0.0}),
        ({"use_warmup_strategy": "True", "warmup_steps": 0}, {"warmup_steps": 5}),
        ({"use_warmup_strategy": "1", "warmup_steps": 3}, {"warmup_steps": 3}),
        ({"evaluate_generated_ins_on_few_shot": "t", "few_shot_number": 0}, {"few_shot_demos": 5}),
        ({"only_evaluate": "True"}, {"only_evaluate": True}),
        ({"include_qa": "t", "instruction_pos": "A_begin"}, QA_AT_ANSWER),
        ({"util_gradient_name": "edit", "include_qa": "true"}, {"refinement": "editing", "qa_labels": True}),
    ],
)
def test_the_references_flags_are_understood_in_any_order(
    given: dict[str, Any], differs: dict[str, Any]
) -> None:
    told = {**REFERENCE, **given}
    for items in (list(told.items()), list(told.items())[::-1]):
        assert read_parameters("gpo", load_method("gpo"), dict(items)) == Parameters(**differs)


@pytest.mark.parametrize(
    ("given", "what", "hint"),
    [
        ({"edit_budgt_initial": 3}, "no parameter 'edit_budgt_initial'", "Did you mean edit_budget_initial?"),
        ({"trajectory": "retrievel"}, "trajectory to 'retrievel'", "Did you mean retrieval?"),
        ({"batch_size": 0}, "batch_size to 0", "a whole number"),
        ({"batch_size": "many"}, "batch_size to 'many'", "a whole number"),
        ({"learning_rate_name": "fast"}, "learning_rate_name to 'fast'", "It takes wo_lr, w_lr."),
    ],
)
def test_what_gpo_cannot_be_told_is_refused(given: dict[str, Any], what: str, hint: str) -> None:
    with pytest.raises(SpotuiError) as caught:
        read_parameters("gpo", load_method("gpo"), given)
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("dataset", "data: {path:"),
        ("task_name", "one task"),
        ("initial_instruction", "template's prompt"),
        ("optimizer_llm_name", "--opt-model"),
        ("scorer_llm_name", "--exec-model"),
        ("openai_api_key", "OPENAI_API_KEY"),
        ("openai_api_key_list", "OPENAI_API_KEY"),
        ("gpus", "--base-url"),
    ],
)
def test_a_flag_that_is_no_parameter_says_where_it_belongs(flag: str, hint: str) -> None:
    with pytest.raises(SpotuiError) as caught:
        read_parameters("opro", load_method("opro"), {flag: "x"})
    assert caught.value.what == f"{flag} is not a parameter of opro."
    assert hint in caught.value.hint
    assert f"`{flag}`" in DOCUMENT


def test_an_edit_budget_of_nothing_still_allows_a_word() -> None:
    found = [edit_budget(Parameters(edit_budget_initial=0, edit_budget_final=0), step, 4) for step in (1, 4)]
    assert found == [1, 1]


def test_no_epoch_scores_the_seed_alone(tmp_path: Path) -> None:
    end, server = go(tmp_path, parameters={"epochs": 0})
    assert kinds(server) == {"execute": 12}
    assert end.stopped.rounds == 1


def test_an_unused_role_needs_no_model(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        role = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)
        nowhere = msgspec.structs.replace(role, model="local/not-on-this-machine")
        roles = RoleSet(optimizer=role, evaluator=nowhere, executor=role)
        end = stage.go(scored_project(stage, "gpo", parameters=SMALL, count=60, roles=roles))
        assert end.one(RunOpened).models == {"optimizer": "test-model", "executor": "test-model"}
        only = RoleSet(optimizer=nowhere, evaluator=nowhere, executor=role)
        parameters = {"only_evaluate": True}
        end = stage.go(scored_project(stage, "gpo", name="only", count=60, roles=only, parameters=parameters))
        assert end.one(RunOpened).models == {"executor": "test-model"}
    assert end.stopped.reason == "finished"


def test_a_run_of_the_first_edition_is_worded_as_it_was(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters={**SMALL, "task_examples": 2}, count=60)
        write_snapshot(project.snapshot, msgspec.structs.replace(read_snapshot(project.snapshot), edition=1))
        stage.go(project)
        asked_then = asked(server, "propose")
    assert "the best last" in asked_then[-1]
    assert len({one.split("<examples>")[1].split("</examples>")[0] for one in asked_then}) > 1


def test_presets_are_the_six_methods_of_the_paper() -> None:
    def of(name: str) -> Parameters:
        found = read_parameters(name, load_method(name), {})
        assert isinstance(found, Parameters)
        return found

    assert (of("ape").trajectory, of("ape").edit_budget_schedule) == ("none", "none")
    assert (of("apo").descent_direction, of("apo").refinement) == ("performance+reflection", "editing")
    assert of("opro").trajectory_selection == "importance"
    assert edit_budget(of("pe2"), 7, 18) == 30
    assert (of("sgdm").trajectory, of("sgdm").trajectory_content) == ("summarization", "reflections")
    assert of("gpo") == Parameters()


def test_only_evaluate_scores_the_seed_on_the_test_rows_and_ends(tmp_path: Path) -> None:
    end, server = go(tmp_path, parameters={"only_evaluate": True})
    assert kinds(server) == {"execute": 36}
    assert [(one.split, one.rows) for one in end.of(CandidateScored)] == [("test", 36)]
    assert (end.stopped.reason, end.stopped.rounds, end.stopped.improved) == ("finished", 1, False)
    assert end.one(RoundFinished).score == end.of(CandidateScored)[0].score


def test_only_evaluate_takes_the_eval_rows_where_there_are_no_test_rows(tmp_path: Path) -> None:
    text = template(data="{path: rows.jsonl, split: {train: 10, eval: 10, test: 0}}")
    end, _ = go(tmp_path, parameters={"only_evaluate": True}, text=text)
    assert [(one.split, one.rows) for one in end.of(CandidateScored)] == [("eval", 10)]


def test_notes_are_written_at_temperature_zero_and_prompts_at_their_own(tmp_path: Path) -> None:
    _, server = go(tmp_path, "apo", parameters={**SMALL, "optimizer_temperature": 0.9})
    warmth = {kind_of(one.json): one.json["temperature"] for one in server.requests}
    assert warmth == {"propose": 0.9, "execute": 0.0, "likelihood": 0.0}
    assert note({"messages": []}).text.startswith("Carry")
