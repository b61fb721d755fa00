"""A place of its own for every test, and the command line in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Outcome, move_in, type_in, write_template

Shell = Callable[..., Outcome]

KEY = "sk-the-one-key-4711"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything of a test is, workspace and all."""
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY=KEY)
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
