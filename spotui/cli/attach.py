"""spotui attach NAME, spotui replay NAME."""

import argparse
import asyncio
import contextlib
import signal
import time

from spotui.cli import exit_codes, options
from spotui.cli.display import display_for
from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import Output
from spotui.domain.commands import decode_command
from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import decode_event
from spotui.domain.events import (
    CandidateProposed,
    CommandRefused,
    Event,
    HintGiven,
    LimitsChanged,
    RunStopped,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.lang import _
from spotui.settings import locations
from spotui.wire.socket import connect
from spotui.workspace.projects import Project

_WORDS = ("pause", "resume", "stop")
_EFFECT_SECONDS = 2.0


def add_attach_arguments(parser: argparse.ArgumentParser) -> None:
    """What `attach` takes."""
    options.add_project(parser)
    parser.add_argument("--json", action="store_true", help=_("one event a line, from the first on"))
    parser.add_argument(
        "--send",
        metavar="COMMAND",
        action="append",
        default=[],
        help=_(
            'pause, resume, stop, or a command as JSON, e.g. \'{"command":"budget","usd":2}\'; '
            "then leave without watching"
        ),
    )


def attach_command(parsed: argparse.Namespace) -> int:
    """Watch a run from its beginning, or tell it something; leaving does not stop it."""
    project = options.workspace(parsed).existing(parsed.name)
    commands = [_command(text) for text in parsed.send]
    if commands:
        return asyncio.run(_send(project, commands))
    return asyncio.run(_watch(project, parsed))


def _command(text: str) -> bytes:
    line = f'{{"command":"{text}"}}'.encode() if text in _WORDS else text.encode()
    if not line.startswith(b"{"):
        raise UsageError(
            _("Unknown command {text!r}.", text=text),
            _('Send pause, resume, stop, or a command as JSON, e.g. {"command":"budget","usd":2}.'),
        )
    decode_command(line)
    return line + b"\n"


async def _send(project: Project, commands: list[bytes]) -> int:
    """Send commands, and stay until they have had their effect or are refused."""
    reader, writer = await connect(locations.socket_path(project.folder), project.name)
    sent_at, effects = time.time(), 0
    writer.writelines(commands)
    try:
        await writer.drain()
        async with asyncio.timeout(_EFFECT_SECONDS):
            while effects < len(commands) and (line := await reader.readline()):
                event = decode_event(line)
                if event is None or event.at < sent_at:
                    continue  # it tells what happened before
                if isinstance(event, CommandRefused):
                    raise SpotuiError(f"{project.name} refused {event.command}: {event.why}")
                effects += _is_an_effect(event)
    except TimeoutError:
        pass  # such as a pause of what is paused already
    except OSError:
        raise _gone(project) from None
    finally:
        writer.close()
    return exit_codes.OK


def _is_an_effect(event: Event) -> bool:
    """Whether it comes of a command, and not of the run's own work."""
    match event:
        case CandidateProposed():
            return event.edited
        case VoteCast():
            return event.voter == "human"
        case _:
            return isinstance(
                event, StateChanged | LimitsChanged | VerdictOverridden | HintGiven | RunStopped
            )


async def _watch(project: Project, parsed: argparse.Namespace) -> int:
    reader, writer = await connect(locations.socket_path(project.folder), project.name)
    display = display_for(project.name, plain=parsed.plain)
    output = Output()
    code: int | None = None

    async def follow() -> None:
        nonlocal code
        while line := await reader.readline():
            event = decode_event(line)
            if parsed.json:
                output.write(line)
            elif event is not None:
                display.show(event)
            if isinstance(event, RunStopped):
                code = exit_codes.of_run(event)

    task = asyncio.create_task(follow())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGABRT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.nullcontext() if parsed.json else display, contextlib.suppress(asyncio.CancelledError):
        await task
    writer.close()
    if code is not None:
        if not parsed.json:
            display.farewell()
        return code
    if task.cancelled():
        display.say(
            _("{project} is still running. Watch it again: spotui attach {project}", project=project.name)
        )
        return exit_codes.OK
    raise _gone(project)


def _gone(project: Project) -> SpotuiError:
    return SpotuiError(
        _("The process that worked on {project} has gone.", project=project.name),
        _("Resume it: spotui resume {project}", project=project.name),
    )


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    """What `replay` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help=_("times as fast as it was; 0 is at once (default 1)"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("one event a line; commands are read from standard input")
    )


def replay_command(parsed: argparse.Namespace) -> int:
    """Run a project again from its journal, in a copy that is thrown away."""
    import tempfile
    from pathlib import Path

    from spotui.cli.conduct import conduct
    from spotui.runs.branch import rehearse

    if parsed.speed < 0:
        raise UsageError(
            _("The speed cannot be below 0."), _("Give 1 for as it was, 10 for ten times as fast.")
        )
    project = options.workspace(parsed).existing(parsed.name)
    if not project.is_ours:
        raise SpotuiError(
            _("{parsed} has no journal to replay.", parsed=parsed.name),
            _("See its rounds: spotui show {parsed}", parsed=parsed.name),
        )
    with tempfile.TemporaryDirectory() as scratch:
        run = rehearse(project, Path(scratch), parsed.speed)
        return conduct(run, parsed, rehearsal=True)
