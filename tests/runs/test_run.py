"""A run in its surroundings: listeners, other runs, a loop that goes on, being cancelled."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from spotui.domain.commands import Stop
from spotui.domain.errors import SpotuiError
from spotui.domain.events import CallDelta, CallStarted, Event, RunOpened, RunStopped, SpendingChanged
from spotui.runs.run import Run
from spotui.workspace.lock import LockedError
from tests.model_server import JsonObject, ModelServer, Scripted
from tests.runs.starting import Stage, atold, bought, results_of, template, text_of
from tests.spo_model import climbing, mixed, role_of


def test_the_first_event_opens_and_the_last_one_stops(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project())
    opened = end.events[0]
    assert isinstance(opened, RunOpened)
    assert (opened.project, opened.method, opened.rounds, opened.judge) == ("sea", "spo", 3, "balanced")
    assert opened.prompt == "Say something about the sea."
    assert isinstance(end.events[-1], RunStopped)
    assert end.of(SpendingChanged)[-1].calls >= 3 + 2 * (1 + 3 + 3)


def test_two_runs_in_one_event_loop_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ModelServer(mixed, delay=0.002) as server:
        stage = Stage(tmp_path, server)
        projects = [
            stage.project(name, template(2 + index), max_rounds=4)
            for index, name in enumerate(("one", "two"))
        ]
        alone = [
            stage.project(f"{name} alone", template(2 + index), max_rounds=4)
            for index, name in enumerate(("one", "two"))
        ]
        for project in alone:
            stage.go(project)

        async def both() -> None:
            await asyncio.gather(*[atold(stage.run(project)) for project in projects])

        asyncio.run(both())
    assert [results_of(project) for project in projects] == [results_of(project) for project in alone]


def test_it_works_inside_a_loop_that_is_running_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def inside(stage: Stage) -> tuple[list[Event], set[str]]:
        before = asyncio.all_tasks()
        events = [event async for event in stage.run(stage.project()).events()]
        return events, {task.get_name() for task in asyncio.all_tasks() - before}

    with ModelServer(climbing, chunks=3) as server:
        events, left = asyncio.run(inside(Stage(tmp_path, server)))
        server.wait_until(lambda: not server.connections)
    assert isinstance(events[-1], RunStopped)
    assert any(isinstance(event, CallDelta) for event in events)
    assert left == set()


def test_pieces_of_replies_are_told_to_those_who_asked_for_them(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        assert not stage.go(stage.project(max_rounds=1)).of(CallDelta)


def test_cancelling_returns_within_a_second_closes_connections_and_loses_nothing(tmp_path: Path) -> None:
    hanging = [True]

    def reply(request: JsonObject) -> str | Scripted:
        if hanging and role_of(request) == "judge":
            return Scripted(ending="hang")
        return climbing(request)

    async def cancelled(run: Run) -> float:
        voting = asyncio.Event()

        def listen(event: Event) -> None:
            if isinstance(event, CallStarted) and (event.key.purpose, event.key.index) == ("vote", 1):
                voting.set()

        run.subscribe(listen)
        work = asyncio.create_task(run.go())
        await asyncio.wait_for(voting.wait(), 10)
        began = time.monotonic()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return time.monotonic() - began

    with ModelServer(reply) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        assert asyncio.run(cancelled(stage.run(project))) < 1
        server.wait_until(lambda: not server.connections)
        kept, sent = bought(project), len(server.requests)
        hanging.clear()
        assert stage.go(project).stopped.reason == "finished"
        again = Counter(text_of(one) for one in server.requests[sent:])
    assert kept.total() == 3 + 1 + 3
    assert not again.keys() & kept.keys()


def test_leaving_the_events_early_ends_the_work(tmp_path: Path) -> None:
    async def peek(stage: Stage) -> None:
        events = stage.run(stage.project()).events()
        async for event in events:
            if isinstance(event, CallStarted):
                break
        await events.aclose()  # type: ignore[attr-defined]

    with ModelServer(lambda _: Scripted(ending="hang")) as server:
        asyncio.run(asyncio.wait_for(peek(Stage(tmp_path, server)), 5))
        server.wait_until(lambda: not server.connections)


def test_commands_given_before_it_is_open_are_carried_out_once(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        run = stage.run(stage.project())
        run.command(Stop())
        first = asyncio.run(atold(run)).stopped
        second = asyncio.run(atold(run)).stopped
    assert (first.reason, first.rounds) == ("stopped", 0)
    assert (second.reason, second.rounds) == ("finished", 3)


def test_a_project_takes_one_run_at_a_time(tmp_path: Path) -> None:
    async def twice(stage: Stage) -> None:
        project = stage.project()
        run = stage.run(project)
        opened = asyncio.Event()
        run.subscribe(lambda _: opened.set())
        work = asyncio.create_task(run.go())
        await opened.wait()
        with pytest.raises(LockedError, match="being worked on"):
            await stage.run(project).go()
        run.stop()
        assert (await work).reason == "stopped"

    with ModelServer(climbing, delay=0.05) as server:
        asyncio.run(twice(Stage(tmp_path, server)))


def test_fewer_rounds_than_there_are_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        stage.go(project)
        sent, before = len(server.requests), project.journal.read_bytes()
        with pytest.raises(SpotuiError, match="has 3 rounds already, more than 2"):
            stage.go(project, changes={"rounds": 2})
    assert (len(server.requests), project.journal.read_bytes()) == (sent, before)
