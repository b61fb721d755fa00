import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import spotui
from spotui.api import SPO_LLM, Optimized, PromptOptimizer
from spotui.domain.errors import SpotuiError
from spotui.domain.events import CallStarted, Event, FinalTest, RoundFinished, RunStopped
from spotui.runs.run import Run
from spotui.settings.errors import SettingsError
from spotui.workspace.projects import Project, ProjectError, Workspace
from spotui.workspace.spo_files import read_rounds
from tests import row_model
from tests.command_line import move_in, places, write_template
from tests.model_server import ModelServer, faults
from tests.spo_model import climbing, role_of
from tests.workspace.reference import write_round


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as model:
        yield model


@pytest.fixture(autouse=True)
def place(tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.base_url)
    roles = [{"model": f"{role}-model", "temperature": 0.5} for role in ("opt", "eval", "exec")]
    SPO_LLM.initialize(roles[0], roles[1], roles[2])
    yield tmp_path
    SPO_LLM.initialize()


@pytest.fixture
def template(place: Path) -> str:
    return write_template(place)


@pytest.fixture
def rows(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server that adds, and rows for it outside of the folder of any template."""
    (place / "data").mkdir()
    (place / "data" / "rows.jsonl").write_text(row_model.rows(60))
    with ModelServer(row_model.adding) as adding:
        monkeypatch.setenv("OPENAI_BASE_URL", adding.base_url)
        yield adding


def optimizer(place: Path, template: str, **settings: object) -> PromptOptimizer:
    return PromptOptimizer(place / "workspace", template=template, **{"max_rounds": 2, **settings})  # type: ignore[arg-type]


def test_a_script_for_the_reference_runs_and_finds_its_results_where_they_were(
    place: Path, template: str, server: ModelServer
) -> None:
    before = len(server.requests)
    done = PromptOptimizer(
        optimized_path=str(place / "workspace"), initial_round=1, max_rounds=2, template=template, name="Why"
    ).optimize()

    asked = {(role_of(one.json), one.json["model"]) for one in server.requests[before:]}
    assert asked == {("propose", "opt-model"), ("execute", "exec-model"), ("judge", "eval-model")}
    assert {one.json["temperature"] for one in server.requests[before:]} == {0.5}
    assert [one.round for one in read_rounds(place / "workspace" / "Why" / "prompts")] == [1, 2]
    assert done == Optimized(
        prompt="Answer in style 1, with reasons.",
        improved=True,
        best=2,
        reason="finished",
        cause="All 2 rounds are done.",
        folder=place / "workspace" / "Why",
    )


def test_the_reference_s_order_of_arguments_modes_and_folder_of_templates_are_taken(
    place: Path, template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    (place / "settings").mkdir()
    Path(template).rename(place / "settings" / "Navigate.yaml")
    kwargs = {"model": "m", "temperature": 0}
    SPO_LLM.initialize(kwargs, kwargs, kwargs, "base_model")
    SPO_LLM.initialize(kwargs, kwargs, kwargs, mode="reasoning_model")
    assert PromptOptimizer("workspace", 1, 2, "Run-1", "Navigate.yaml").optimize().best == 2
    assert [one.round for one in read_rounds(place / "workspace" / "Run-1" / "prompts")] == [1, 2]
    assert "Run-1: spo, 2 rounds" in capsys.readouterr().out

    with pytest.raises(SpotuiError, match=r"Did you mean settings/Navigate\.yaml\?"):
        PromptOptimizer("workspace", 1, 2, "Run-2", "Navigat.yaml").optimize()
    with pytest.raises(SpotuiError, match="Unknown mode 'chat'"):
        SPO_LLM.initialize(kwargs, kwargs, kwargs, mode="chat")  # type: ignore[arg-type]


def test_a_function_is_the_executor_and_its_run_is_continued(
    place: Path, template: str, server: ModelServer
) -> None:
    asked: list[str] = []

    async def agent(prompt: str, question: str, row: dict[str, str]) -> str:
        asked.append(f"{prompt} {question}")
        return f"{prompt}!"

    before = len(server.requests)
    first = optimizer(place, template, quiet=True, executor=agent).optimize()
    assert {role_of(one.json) for one in server.requests[before:]} == {"propose", "judge"}
    assert len(asked) == len({*asked}) == 6
    more = {"initial_round": first.best + 1, "max_rounds": 1, "quiet": True}
    assert optimizer(place, template, executor=agent, **more).optimize().reason == "finished"
    assert len(asked) == len({*asked}) == 9


def test_rounds_and_the_final_prompt_are_printed_unless_it_is_quiet(
    place: Path, template: str, capfd: pytest.CaptureFixture[str]
) -> None:
    optimizer(place, template, name="quiet", quiet=True).optimize()
    asyncio.run(optimizer(place, template, name="async").aoptimize())
    assert capfd.readouterr() == ("", "")

    optimizer(place, template, max_rounds=3, name="loud").optimize()
    said = capfd.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "loud: spo, 3 rounds"
    assert lines[1] == "Round 1: seed"
    assert lines[2].startswith("Round 2: win (3:0); best is round 2. ")
    assert lines[-4].startswith("All 3 rounds are done. Best: round 3. ")
    assert lines[-3:] == ["Best round: 3", "Final prompt:", "Answer in style 2, with reasons."]


def test_output_that_cannot_show_the_prompt_or_is_closed_ends_no_run(place: Path, template: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code = "import sys, spotui\n{}spotui.PromptOptimizer('w', 1, 1, {!r}, {!r}, model='m').optimize()"
    Path(template).write_text(Path(template).read_text().replace("prompt: ", "prompt: 回答 ", 1))
    for name, before in (("ascii", ""), ("closed", "sys.stdout.close(); ")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(before, name, template)],
            cwd=place,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        assert Project(place / "w" / name, name).is_ours
    assert (place / "w" / "ascii" / "prompts" / "round_1" / "prompt.txt").read_text().startswith("回答")


def test_a_call_that_is_tried_again_and_a_run_that_fails_are_printed(
    place: Path, template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer(climbing, faults=lambda _number, _request: faults.status(500)) as failing:
        monkeypatch.setenv("OPENAI_BASE_URL", failing.base_url)
        done = optimizer(place, template, tries=2).optimize()
    assert done.reason == "failed"
    out = capsys.readouterr().out
    assert "Try 2 in" in out
    assert done.cause in out


def test_it_works_inside_a_running_loop_whose_thread_it_blocks(place: Path, template: str) -> None:
    threads: set[str] = set()

    async def notebook() -> Optimized:
        return optimizer(
            place, template, on_event=lambda _: threads.add(threading.current_thread().name)
        ).optimize()

    assert asyncio.run(notebook()).best == 2
    assert threads
    assert threading.main_thread().name not in threads


def test_an_error_inside_a_running_loop_is_the_same_error(place: Path, template: str) -> None:
    async def notebook() -> Optimized:
        return optimizer(place, template, judge="coin").optimize()

    with pytest.raises(SettingsError, match=r"^judge must be "):
        asyncio.run(notebook())


def test_an_interrupt_reaches_the_thread_that_works(place: Path, template: str) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, RoundFinished):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    async def notebook() -> None:
        optimizer(place, template, max_rounds=500, on_event=interrupt).optimize()

    loop = asyncio.new_event_loop()  # unlike asyncio.run, a notebook's loop leaves SIGINT alone
    with contextlib.closing(loop), pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(notebook())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spotui")]


def test_two_run_at_once_in_one_loop(place: Path, template: str) -> None:
    async def both() -> list[Optimized]:
        return await asyncio.gather(
            *(optimizer(place, template, name=name).aoptimize() for name in ("one", "two"))
        )

    one, two = asyncio.run(both())
    assert (one.folder.name, two.folder.name) == ("one", "two")
    assert one.prompt == two.prompt


def test_a_run_tells_its_events_and_takes_commands(place: Path, template: str) -> None:
    async def watch() -> list[Event]:
        run = optimizer(place, template, max_rounds=50).run()
        assert isinstance(run, Run)
        events = []
        async for event in run.events():
            events.append(event)
            if isinstance(event, RoundFinished) and event.round == 2:
                run.stop()
        return events

    last = asyncio.run(watch())[-1]
    assert isinstance(last, RunStopped)
    assert (last.reason, last.best) == ("stopped", 2)


def test_what_a_listener_raises_ends_the_run_and_is_raised(place: Path, template: str) -> None:
    def refuse(event: Event) -> None:
        if isinstance(event, CallStarted):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        optimizer(place, template, on_event=refuse).optimize()


def test_a_later_first_round_goes_on_for_so_many_rounds(place: Path, template: str) -> None:
    optimizer(place, template).optimize()

    done = optimizer(place, template, initial_round=3, max_rounds=2, budget_calls=500).optimize()
    assert (done.best, done.cause) == (4, "All 4 rounds are done.")

    with pytest.raises(SpotuiError, match="next round of why is 5, not 4"):
        optimizer(place, template, initial_round=4).optimize()


def test_a_run_that_goes_on_keeps_its_settings(place: Path, template: str) -> None:
    optimizer(place, template).optimize()

    with pytest.raises(SpotuiError, match="judge, seed: a run keeps the settings"):
        optimizer(place, template, initial_round=3, judge="reference", seed=2).optimize()
    done = optimizer(place, template, initial_round=3, budget_calls=1).optimize()
    assert done.reason == "budget"


def test_a_workspace_of_spo_s_tool_is_continued(place: Path, template: str) -> None:
    folder = place / "workspace" / "why"
    write_round(folder, 1, prompt="Answer the question.", succeed=True)
    write_round(folder, 2, prompt="Answer in style 7.", succeed=True)
    with pytest.raises(SpotuiError, match="Give initial_round=3"):
        optimizer(place, template, initial_round=2).optimize()

    done = optimizer(place, template, initial_round=3, max_rounds=1).optimize()
    assert (done.best, done.prompt) == (3, "Answer in style 8, with reasons.")
    assert [one.round for one in read_rounds(folder / "prompts")] == [1, 2, 3]


def test_a_name_that_is_taken_is_refused_unless_it_may_be_archived(place: Path, template: str) -> None:
    optimizer(place, template).optimize()

    with pytest.raises(ProjectError) as taken:
        optimizer(place, template).optimize()
    assert str(taken.value) == (
        "There is a project 'why' already. "
        "Pass initial_round=3 to continue it, fresh=True to start over, or another name."
    )
    assert optimizer(place, template, fresh=True).optimize().best == 2


def test_what_is_wrong_is_said_before_anything_is_made(place: Path, template: str) -> None:
    with pytest.raises(TypeError, match="no argument 'budged_usd'"):
        optimizer(place, template, budged_usd=1)
    with pytest.raises(SpotuiError, match="evaluate_kwargs has the key 'api_key'"):
        SPO_LLM.initialize(evaluate_kwargs={"api_key": "sk"})
    with pytest.raises(SpotuiError, match="no template 'nowhere'"):
        optimizer(place, "nowhere").optimize()
    with pytest.raises(SpotuiError, match="first round is 1"):
        optimizer(place, template, initial_round=0).optimize()
    with pytest.raises(SpotuiError, match="no project 'why'"):
        optimizer(place, template, initial_round=2).optimize()
    with pytest.raises(SettingsError, match=r"^budget_usd must be "):
        optimizer(place, template, budget_usd="much").optimize()
    assert Workspace(place / "workspace").names() == []


def test_models_can_be_chosen_anew_for_the_next_optimizer(
    place: Path, template: str, server: ModelServer
) -> None:
    first = optimizer(place, template, max_rounds=1, name="first")
    SPO_LLM.initialize(execute_kwargs={"model": "other-model"})
    second = optimizer(place, template, max_rounds=1, name="second", opt_model="m", eval_model="m")

    for one, model in ((first, "exec-model"), (second, "other-model")):
        before = len(server.requests)
        one.optimize()
        assert {request.json["model"] for request in server.requests[before:]} == {model}


def test_a_relative_workspace_stays_where_it_was(
    place: Path, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    one = PromptOptimizer("here", max_rounds=1, template=template)
    monkeypatch.chdir("/")

    assert one.optimize().folder == place / "here" / "why"


def test_the_examples_of_the_documentation_run_as_they_stand(tmp_path: Path, server: ModelServer) -> None:
    blocks = [
        "\n".join(line[4:] for line in part.splitlines() if line.startswith("    ") or not line)
        for part in (spotui.__doc__ or "").split("::\n")[1:]
    ]
    env = places(tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.base_url)
    code = "\n".join(blocks)

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "round 5: win\n" in done.stdout
    assert len(blocks) == 3
    assert Project(tmp_path / "workspace" / "first", "first").is_ours


def test_every_public_name_is_there_and_listed() -> None:
    assert dir(spotui) == sorted(spotui.__all__)
    assert all(getattr(spotui, name) for name in spotui.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(spotui, "nothing")  # noqa: B009 - the type checker knows


def test_another_method_runs_on_rows_as_long_as_it_takes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "rows.jsonl").write_text(row_model.rows(60))
    (place / "sums.yaml").write_text(row_model.template())
    seen: list[Event] = []
    with ModelServer(row_model.adding) as adding:
        monkeypatch.setenv("OPENAI_BASE_URL", adding.base_url)
        done = PromptOptimizer(
            place / "workspace",
            max_rounds=None,
            template=place / "sums.yaml",
            method="gpo",
            parameters={"epochs": 1, "batch_size": 4, "candidates_per_step": 2},
            on_event=seen.append,
        ).optimize()
    assert (done.reason, done.improved) == ("finished", True)
    assert [one.round for one in seen if isinstance(one, RoundFinished)] == [1, 2, 3, 4]
    assert [one.best for one in seen if isinstance(one, FinalTest)] == [done.best]


def test_a_custom_metric_and_data_from_elsewhere_are_used_when_they_are_named(
    place: Path, rows: ModelServer
) -> None:
    (place / "mine").mkdir()
    metric, data = place / "mine" / "own.py", place / "data" / "rows.jsonl"
    metric.write_text("def mark(answer, row):\n    return float(row.references[0] in answer)\n")
    text = row_model.template().replace("metric: number", "metric: own:mark")
    path = place / "mine" / "sums.yaml"
    path.write_text(text.replace("rows.jsonl", "../data/rows.jsonl"))

    def start(**settings: Any) -> Optimized:
        settings = {"method": "gpo", "parameters": {"only_evaluate": True}, "max_rounds": None, **settings}
        return PromptOptimizer(place / "workspace", template=path, quiet=True, **settings).optimize()

    with pytest.raises(SpotuiError, match=f"If you trust it, pass trust='{data}'") as outside:
        start(trust=metric)
    assert "--trust" not in str(outside.value)
    with pytest.raises(SpotuiError, match=f"trust names nothing.py, but the files that need it are {metric}"):
        start(trust=["nothing.py"])
    assert rows.requests == []
    assert start(trust=[metric, str(data)]).reason == "finished"
    assert start(name="again").reason == "finished"

    metric.write_text("def mark(answer, row):\n    return 1.0\n")
    with pytest.raises(SpotuiError, match=f"If you trust it, pass trust='{metric}'"):
        start(name="changed")
    assert start(name="changed", initial_round=1, fresh=True, trust=metric).reason == "finished"


def test_advice_names_arguments_in_place_of_flags(place: Path, template: str) -> None:
    (place / "workspace" / "note").mkdir(parents=True)
    (place / "workspace" / "note" / "mine.txt").touch()
    with pytest.raises(ProjectError, match=r"Give another name \(name\)\.$"):
        optimizer(place, template, name="note").optimize()
    (place / "file").touch()
    with pytest.raises(ProjectError, match="Choose another place with optimized_path or SPOTUI_WORKSPACE"):
        optimizer(place / "file", template).optimize()
