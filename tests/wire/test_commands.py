import asyncio
from pathlib import Path

import pytest

from spotui.domain.commands import Resume, SetRounds, Stop, encode_command
from spotui.domain.events import CommandRefused, Event, LimitsChanged
from tests.runs.starting import Stage
from tests.wire.clients import served, within


def test_every_client_may_command_and_all_hear_of_it(stage: Stage, socket: Path) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            one, other = await run.client(), await run.client()
            one.send(SetRounds(rounds=4))
            await other.until(LimitsChanged, changes={"rounds": 4})
            other.send(Stop())
            events = await one.rest()
        assert any(isinstance(event, LimitsChanged) for event in events)
        assert run.work.result().reason == "stopped"

    asyncio.run(scenario())


GARBAGE = (b"stop\n", b"\xff\xfe\n", b"{}\n", b'{"command":"dance"}\n', b'{"command":' * 50_000 + b"\n")


def test_garbage_is_refused_line_by_line_and_the_run_goes_on(
    stage: Stage, socket: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project(max_rounds=1)), socket) as run:
            client = await run.client()
            client.send(*GARBAGE, b"\n")
            refusals: list[Event] = []
            for _ in GARBAGE:
                refusals += [(await client.until(CommandRefused))[-1]]
            client.send(b"x" * (5 * 1024 * 1024) + b"\n", Resume())
            events = await client.rest()
        whys = [event.why for event in refusals if isinstance(event, CommandRefused)]
        assert all(why.startswith("Not a command: ") for why in whys)
        assert any(isinstance(one, CommandRefused) and "4 MiB" in one.why for one in events)
        assert run.work.result().reason == "finished"

    within(scenario(), caplog)


def test_a_command_without_a_line_end_counts_once_its_sender_has_finished(stage: Stage, socket: Path) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            client = await run.client()
            client.send(encode_command(Stop()).strip())
            client.writer.write_eof()
            await client.rest()
        assert run.work.result().reason == "stopped"

    asyncio.run(scenario())
