"""People on their way through the app: in every language, on every size of a screen."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from spotui import lang
from spotui.cli import main
from spotui.settings import locations
from spotui.wire import process as own_process
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.journeys.tasks import KEY, MODEL, TASKS, Task
from tests.model_server import ModelServer
from tests.once import made_once

RUN = ("run", "why.yaml", "--max-rounds", "3")
LONG = ("run", "why.yaml", "--name", "long", "--max-rounds", "14")
RACE = (
    *("race", "sums.yaml", "--name", "sums-race", "--methods", "gpo,ape"),
    *("--set", "gpo.max_steps=3", "--set", "gpo.candidates_per_step=2"),
    *("--set", "ape.max_steps=1", "--set", "ape.candidates_per_step=2"),
)
SIZES = ((80, 24), (120, 40), (200, 60))
WAYS = tuple(
    pytest.param((task, size), id=f"{task.language}-{size[0]}x{size[1]}") for task in TASKS for size in SIZES
)
"""Every language on every screen."""


@pytest.fixture(params=WAYS)
def traveller(request: pytest.FixtureRequest) -> tuple[Task, tuple[int, int]]:
    """Who goes, and on which screen."""
    found: tuple[Task, tuple[int, int]] = request.param
    return found


@pytest.fixture
def size(traveller: tuple[Task, tuple[int, int]]) -> tuple[int, int]:
    """Of the screen, in cells."""
    return traveller[1]


@pytest.fixture
def task(traveller: tuple[Task, tuple[int, int]]) -> Task:
    """What the traveller works on, in their language."""
    return traveller[0]


@pytest.fixture
def server(task: Task) -> Iterator[ModelServer]:
    """A model whose every proposal is better than the last."""
    with ModelServer(task.model) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Task, server: ModelServer) -> Iterator[Path]:
    """A folder that everything is below, in the traveller's language, with a key for the model."""
    monkeypatch.chdir(tmp_path)
    _settle_in(monkeypatch, tmp_path, task)
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    yield tmp_path
    for process in own_process._children:
        process.kill()
        process.wait()
    monkeypatch.undo()
    lang.use()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """The workspace of a task: the runs `why` and `long`, and the race `sums-race`, all finished."""

    def make(task: Task, folder: Path) -> None:
        (folder / "why.yaml").write_text(task.template, "utf-8")
        (folder / "sums.yaml").write_text(task.template_with_rows, "utf-8")
        (folder / "rows.jsonl").write_text(task.rows(60), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            _settle_in(patch, folder, task)
            for words, model in ((RUN, task.model), (LONG, task.model), (RACE, task.counting_model)):
                with ModelServer(model) as server:
                    patch.setenv("OPENAI_BASE_URL", server.base_url)
                    assert main([*words, "--model", MODEL, "--yes"]) == 0
        lang.use()

    return lambda task: made_once(tmp_path_factory, f"runs-{task.language}", partial(make, task))


@pytest.fixture
def workspace(home: Path, task: Task, recorded: Callable[[Task], Path]) -> Workspace:
    """A copy of it, with its templates among the traveller's own."""
    source = recorded(task)
    templates = locations.templates_dir()
    templates.mkdir(parents=True)
    for name in ("why.yaml", "sums.yaml", "rows.jsonl"):
        shutil.copy(source / name, templates / name)
    return Workspace(shutil.copytree(source / "data" / "workspace", home / "data" / "workspace"))


def _settle_in(patch: pytest.MonkeyPatch, folder: Path, task: Task) -> None:
    move_in(patch, folder, HOME=str(folder), OPENAI_API_KEY=KEY, SPOTUI_LANG=task.language)
    lang.use()
