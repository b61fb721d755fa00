"""Starting a run's own process: known to have begun, or why not."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.domain.errors import SpotuiError
from spotui.settings import locations
from spotui.wire.process import RUN_ENDED, OwnProcess, command
from spotui.workspace.projects import Workspace
from tests.command_line import PATIENCE_SECONDS, move_in, spotui, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return tmp_path


def wait_until_ready(process: OwnProcess) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not process.is_ready():
        assert time.monotonic() < deadline, process.said
        time.sleep(0.02)


def test_a_new_run_begins_from_its_template(home: Path) -> None:
    project = Workspace(locations.workspace_dir()).project("why")
    with ModelServer(climbing) as model:
        words = ["run", write_template(home), "--name", "why", "--model", "m", "--base-url", model.base_url]
        process = OwnProcess(project, [*words, "--max-rounds", "2"])
        wait_until_ready(process)
        assert project.is_ours
        watched = spotui("attach", "why", env=dict(os.environ))
        while not process.has_ended:
            time.sleep(0.02)
    assert "All 2 rounds are done." in process.said
    assert watched.code in {exit_codes.OK, exit_codes.FAILED}  # it may have been too late to watch


def test_what_keeps_it_from_starting_is_told_and_the_log_named(home: Path) -> None:
    process = OwnProcess(Workspace(locations.workspace_dir()).project("x"), ["run", "no-such-template"])
    with pytest.raises(SpotuiError, match="There is no template 'no-such-template'") as caught:
        wait_until_ready(process)
    assert str(process.log) in caught.value.hint


def test_the_socket_of_a_killed_process_is_not_taken_for_a_start(home: Path) -> None:
    project = Workspace(locations.workspace_dir()).project("x")
    locations.ensure_runtime_dir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(locations.socket_path(project.folder)))
    process = OwnProcess(project, ["run", "no-such-template"])
    with pytest.raises(SpotuiError):
        wait_until_ready(process)


def test_a_log_that_cannot_be_written_is_told(home: Path) -> None:
    (home / "log").write_text("a file where a folder should be")
    with pytest.raises(SpotuiError, match="cannot be written"):
        OwnProcess(Workspace(locations.workspace_dir()).project("x"), ["list"])


def test_a_file_beside_the_user_never_replaces_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/spotui"])
    assert command(["list"]) == [sys.executable, "-P", "-m", "spotui", "list"]
    monkeypatch.setattr(sys, "argv", ["/somewhere/spotui/__main__.py"])
    assert command(["list"]) == [sys.executable, "-m", "spotui", "list"]


def test_every_way_a_run_ends_is_known() -> None:
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert codes - RUN_ENDED == {
        exit_codes.FAILED,
        exit_codes.USAGE,
        exit_codes.NO_HEADROOM,
        exit_codes.GATE,
        exit_codes.DIFFERS,
        exit_codes.INTERRUPTED,
    }
