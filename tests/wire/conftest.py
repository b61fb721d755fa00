import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.runs.run import Run
from tests.model_server import ModelServer, Persona
from tests.runs.starting import Stage
from tests.spo_model import climbing, role_of


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as model:
        yield model


@pytest.fixture(scope="module")
def wordy() -> Iterator[ModelServer]:
    """A model whose answers are far longer than any buffer."""
    with ModelServer(Persona(role_of, execute=lambda _: "0123456789abcde\n" * 8_000)) as model:
        yield model


@pytest.fixture
def long_run(tmp_path: Path, wordy: ModelServer) -> Run:
    stage = Stage(tmp_path, wordy)
    return stage.run(stage.project(max_rounds=2))


@pytest.fixture
def stage(tmp_path: Path, server: ModelServer) -> Stage:
    return Stage(tmp_path, server)


@pytest.fixture
def socket() -> Iterator[Path]:
    """A path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        yield Path(folder) / "run.sock"
