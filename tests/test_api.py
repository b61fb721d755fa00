import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import spotui
from spotui import SPO_LLM, Optimized, PromptOptimizer, Run, SpotuiError
from spotui.events import CallStarted, Event, FinalTest, RoundFinished, RunStopped
from spotui.settings import SettingsError
from spotui.workspace.projects import Project, ProjectError, Workspace
from spotui.workspace.spo_files import read_rounds
from tests import row_model
from tests.command_line import move_in, places, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing, role_of
from tests.workspace.reference import write_round


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as model:
        yield model


@pytest.fixture(autouse=True)
def place(tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.base_url)
    SPO_LLM.initialize(*({"model": f"{role}-model", "temperature": 0.5} for role in ("opt", "eval", "exec")))
    yield tmp_path
    SPO_LLM.initialize()


@pytest.fixture
def template(place: Path) -> str:
    return write_template(place)


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

    with pytest.raises(SettingsError, match="--judge"):
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

    with pytest.raises(SpotuiError, match="judge, seed: a run goes on with the settings"):
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

    with pytest.raises(ProjectError):
        optimizer(place, template).optimize()
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
    with pytest.raises(SettingsError, match="--budget-usd"):
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
    assert len(blocks) == 2
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
