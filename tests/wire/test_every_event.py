"""Every event that docs/wire.md lists is heard from a real run, at the other end of its socket."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

from spotui.domain.commands import (
    Command,
    Edit,
    Hint,
    Override,
    Pause,
    Resume,
    SetBudget,
    SetConcurrency,
    SetRounds,
    Stop,
    Vote,
)
from spotui.domain.event_lines import EVENT_TYPES
from spotui.domain.events import CandidateProposed, Event, RoundFinished, StateChanged
from spotui.runs.run import Run
from spotui.settings.table import RetrySettings
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, faults
from tests.model_server.persona import forced
from tests.row_model import adding
from tests.runs.starting import Stage, template
from tests.spo_model import execute, prefer_higher_style, propose, role_of
from tests.wire.clients import Client, served


async def hear(
    run: Run,
    socket: Path,
    *script: tuple[type[Event], dict[str, Any], tuple[Any, ...]],
    first: tuple[Command, ...] = (),
) -> list[Event]:
    """All that a client hears, which sends commands at first and whenever it has heard an event."""
    async with served(run, socket) as one:
        client: Client = await one.client()
        events = await client.until(StateChanged)
        client.send(Resume(), *first)
        for kind, fields, commands in script:
            events += await client.until(kind, **fields)
            client.send(*commands)
        return events + await client.rest()


def test_every_event_there_is_can_be_heard(tmp_path: Path, socket: Path) -> None:
    heard: list[Event] = []
    for scenario in (steered, judged_by_likelihood, stopped_before_its_check, scored_on_rows):
        heard += scenario(tmp_path / scenario.__name__, socket)

    assert {type(event).__name__ for event in heard} == {kind.__name__ for kind in EVENT_TYPES.values()}


def steered(folder: Path, socket: Path) -> list[Event]:
    """Six questions, two of them held out, a model with faults, and a person who has a say in everything."""
    proposals, votes = count(1), count(1)

    def muddled_once(request: JsonObject) -> str:
        return "No tags at all." if next(proposals) == 1 else propose(request)

    def vote(request: JsonObject) -> Scripted:
        in_round = "Question 2: " in str(request)
        too_late = in_round and next(votes) % 4 == 0
        return Scripted(text=prefer_higher_style(request), delay=60.0 if too_late else 0.0)

    busy = faults.when(lambda request: role_of(request) == "propose", faults.status(429), times=1)
    empty = faults.when(lambda request: "Question 0?" in str(request), faults.null_content(), times=1)

    def wrong(number: int, request: JsonObject) -> Any:
        assert callable(busy)
        assert callable(empty)
        return busy(number, request) or empty(number, request)

    persona = Persona(role_of, propose=muddled_once, execute=execute, judge=vote)
    with ModelServer(persona, faults=wrong) as server:
        stage = Stage(folder, server)
        project = stage.project(
            text=template(6),
            sample=4,
            max_rounds=3,
            retry=RetrySettings(tries=3, seconds=10.0),
            judge="reference",
            final_check=True,
        )
        at_next = Pause(at="candidate")  # the run stands still while commands are on their way
        script = (
            (
                CandidateProposed,
                {"round": 2},
                (
                    SetRounds(rounds=4),
                    SetConcurrency(calls=16),
                    Edit(round=2, prompt="Say it in style 9."),
                    Resume(),
                    at_next,
                ),
            ),
            (
                CandidateProposed,
                {"round": 3},
                (Override(round=2, outcome="win"), SetBudget(calls=500), Resume(), at_next),
            ),
            (CandidateProposed, {"round": 4}, (Vote(round=1, choice="win"), Resume())),
        )
        return asyncio.run(hear(stage.run(project), socket, *script, first=(at_next,)))


def stopped_before_its_check(folder: Path, socket: Path) -> list[Event]:
    """A run that is stopped once it has found something, with the optimizer's calls in batches."""
    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=prefer_higher_style)) as server:
        stage = Stage(folder, server)
        project = stage.project(max_rounds=50, final_check=True, batch="optimizer")
        script = ((RoundFinished, {"round": 2}, (Hint(text="Be brief."), Stop())),)
        return asyncio.run(hear(stage.run(project), socket, *script))


def judged_by_likelihood(folder: Path, socket: Path) -> list[Event]:
    """A judge that measures."""

    def kind_of(request: JsonObject) -> str:
        return "likelihood" if "grammar" in request else role_of(request)

    persona = Persona(kind_of, propose=propose, execute=execute, likelihood=forced)
    with ModelServer(persona) as server:
        stage = Stage(folder, server)
        return asyncio.run(hear(stage.run(stage.project(judge="likelihood")), socket))


def scored_on_rows(folder: Path, socket: Path) -> list[Event]:
    """Reflections, gradients, beams, scores and a test at the end."""
    heard: list[Event] = []
    with ModelServer(adding) as server:
        stage = Stage(folder, server)
        for method, parameters in (
            ("pe2", {"max_steps": 3, "candidates_per_step": 2}),
            ("gradsum", {"iterations": 1, "candidates_per_parent": 1}),
        ):
            project = scored_project(stage, method, name=method, count=60, parameters=parameters)
            heard += asyncio.run(hear(stage.run(project), socket))
    return heard
