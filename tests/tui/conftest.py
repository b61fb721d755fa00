"""A run that has finished, and the model it asked."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import main
from spotui.workspace.projects import Workspace
from tests.command_line import HELD_OUT, TEMPLATE, move_in, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """A model whose every proposal is better than the last."""
    with ModelServer(climbing) as server:
        yield server


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Path:
    """The workspace of a finished run of three rounds and a held-out question."""
    folder = tmp_path_factory.mktemp("made")
    path = write_template(folder, TEMPLATE + HELD_OUT)
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        assert main(["run", path, "--model", "test-model", "--max-rounds", "3"]) == 0
    return folder / "data" / "workspace"


@pytest.fixture
def workspace(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer) -> Workspace:
    """A workspace with the finished project `why`, as this process's own."""
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    return Workspace(shutil.copytree(made, tmp_path / "data" / "workspace"))
