"""The recorded run that ships with spotui still plays, from its first round to its last word."""

import asyncio
from pathlib import Path

import pytest

from spotui.domain.commands import Pause
from spotui.domain.event_lines import decode_event
from spotui.domain.events import RunStopped
from spotui.runs.branch import rehearse
from spotui.settings.resources import examples, tour_dir
from spotui.tui.run.client import TourClient
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot
from tests.command_line import begin, move_in, places


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)


def test_it_ends_as_it_did(tmp_path: Path) -> None:
    tour = Project(tour_dir(), "tour")
    history = read_history(tour)
    stopped = asyncio.run(rehearse(tour, tmp_path, 0).go())
    assert history.stop is not None
    assert history.best is not None
    assert (stopped.reason, stopped.rounds) == (history.stop.reason, len(history.rounds)) == ("finished", 7)
    assert (stopped.best, stopped.prompt) == (history.best.round, history.best.prompt)


def test_it_shows_what_a_run_can_do() -> None:
    history = read_history(Project(tour_dir(), "tour"))
    assert [one.outcome for one in history.rounds[:5]] == ["seed", "win", "win", "loss", "win"]
    assert all(one.outcome == "loss" for one in history.rounds[5:])
    assert history.held_out is not None
    assert history.held_out.outcome == "win"


def test_it_is_no_template_and_its_template_is_one_of_ours() -> None:
    assert tour_dir() not in examples()
    names = {path.name for path in examples()}
    assert read_snapshot(tour_dir() / "run.yaml").template_name in names


def test_the_screens_client_hears_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.tui.run.client.SPEED", 0)
    client = TourClient()
    opened: list[bool] = []
    asyncio.run(client.follow(lambda: opened.append(client.is_attached)))
    assert opened == [True]
    assert client.picture.stopped is not None
    assert client.picture.stopped.improved
    assert len(client.picture.rounds) == 7
    assert not client.is_attached


def test_nothing_is_left_of_it_when_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.tui.run.client.SPEED", 0.01)
    client = TourClient()

    async def leave_after_the_beginning() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(client.follow(begun.set))
        await asyncio.wait({task, asyncio.create_task(begun.wait())}, return_when="FIRST_COMPLETED")
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave_after_the_beginning())
    assert not client.is_attached
    assert not client.send(Pause())


def test_it_can_be_paused_like_any_run(tmp_path: Path) -> None:
    words = ("replay", "tour", "--workspace", str(tour_dir().parent), "--speed", "20", "--json")
    process = begin(*words, env=places(tmp_path))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"command":"pause"}\n')
    states: list[str] = []
    for line in process.stdout:
        event = decode_event(line)
        if event is not None and getattr(event, "state", "") == "paused":
            states.append("paused")
            process.stdin.write(b'{"command":"stop"}\n')
        if isinstance(event, RunStopped):
            states.append(event.reason)
    process.communicate()
    assert states == ["paused", "stopped"]
