"""A place of its own for every test, a model to ask, and a project that is already there."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotui.cli import main
from tests.command_line import HELD_OUT, TEMPLATE, Outcome, move_in, type_in, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing

Shell = Callable[..., Outcome]


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """A model whose every proposal is better than the last."""
    with ModelServer(climbing, api_key="sk-the-key") as server:
        yield server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer) -> Path:
    """Where everything of a test is, workspace and all."""
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs a command in this process."""
    return lambda *words: type_in(capsys, *words)


@pytest.fixture
def template(home: Path) -> str:
    """A template of three questions."""
    return write_template(home)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Path:
    """The workspace with a finished run of three rounds and a held-out question."""
    folder = tmp_path_factory.mktemp("made")
    path = write_template(folder, TEMPLATE + HELD_OUT)
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        assert main(["run", path, "--model", "test-model", "--max-rounds", "3"]) == 0
    return folder / "data" / "workspace"


@pytest.fixture
def workspace(made: Path, home: Path) -> Path:
    """A workspace with the finished project `why`."""
    return shutil.copytree(made, home / "data" / "workspace")
