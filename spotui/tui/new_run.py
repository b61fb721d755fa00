"""A run that is about to be started: what was chosen for it, what it would take, and its start."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from spotui.errors import SpotuiError
from spotui.own_process import Background, OwnProcess
from spotui.tui.child import ask
from spotui.tui.judge_check import Offer
from spotui.tui.method.known import Told
from spotui.view.figures import count, duration, plural, usd
from spotui.workspace.projects import Project

_LOOK_SECONDS = 0.05
_AProcess = TypeVar("_AProcess", bound=Background)


class Choices(NamedTuple):
    """What was typed; an empty text leaves it to the template and the settings.

    Attributes:
        model: One model for all three roles.
        base_url: Its endpoint.
        rounds: Rounds in all.
        usd: The budget in USD; the others alike.
        tokens: See `usd`.
        calls: See `usd`.
        minutes: See `usd`.
        method: Which method, and what it is told; nothing leaves it to the template.
    """

    model: str = ""
    base_url: str = ""
    rounds: str = ""
    usd: str = ""
    tokens: str = ""
    calls: str = ""
    minutes: str = ""
    method: Told = Told()

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        flags = {
            "--model": self.model,
            "--base-url": self.base_url,
            "--max-rounds": self.rounds,
            "--budget-usd": self.usd,
            "--budget-tokens": self.tokens,
            "--budget-calls": self.calls,
            "--budget-minutes": self.minutes,
        }
        # One word each, so that a value that begins with a dash is no option.
        return [*(f"{flag}={value}" for flag, value in flags.items() if value), *self.method.words]


class Expected(NamedTuple):
    """What a run would take.

    Attributes:
        line: On one line.
        models: Which models, each with its roles.
        warnings: What stands against it.
        judge: What is known of its judge; None when that cannot be checked.
    """

    line: str
    models: str
    warnings: list[str]
    judge: Offer | None


async def expect(template: Path, choices: Choices) -> Expected:
    """Estimate a run; asks no model.

    Raises:
        SpotuiError: The template or a choice is wrong.
    """
    told = await ask(["estimate", str(template), "--json", *choices.words])
    if told.fault:
        raise SpotuiError(told.fault)
    found = json.loads(told.out)
    if found is None:
        return Expected("nobody knows: the method does not say what it takes", "", [], None)
    shares = found["shares"]
    costs = [one["usd"] for one in shares]
    roles: dict[str, list[str]] = {}
    for one in shares:
        roles.setdefault(one["model"], []).append(one["role"])
    return Expected(
        line=(
            f"about {plural(sum(one['calls'] for one in shares), 'call')}, "
            f"{count(sum(one['prompt_tokens'] + one['completion_tokens'] for one in shares))} tokens, "
            f"{usd(None if None in costs else sum(costs))}, {duration(found['seconds'])}"
        ),
        models=", ".join(
            f"{model} ({'all roles' if len(of) == 3 else ', '.join(of)})" for model, of in roles.items()
        ),
        warnings=found["warnings"],
        judge=msgspec.convert(found["judge"], Offer | None),
    )


async def begin(
    project: Project, template: Path, choices: Choices, tell: Callable[[str], None]
) -> OwnProcess:
    """Start a run's own process, and wait until it can be attached to.

    Args:
        project: What is to be made.
        template: From what.
        choices: With what.
        tell: Called with what it says while it prepares, such as the progress of fetching a model.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["run", str(template), "--name", project.name, *choices.words], tell)


async def go_on(project: Project, limits: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Start a process that takes a run up where it ended, and wait until it can be attached to.

    Args:
        project: The project.
        limits: Options of `spotui resume`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["resume", project.name, *limits], tell)


async def start(project: Project, words: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Work on a project in a process of its own, and wait until it can be attached to.

    Args:
        project: The project.
        words: What would be typed after `spotui`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await wait_for(await asyncio.to_thread(OwnProcess, project, words), tell)


async def wait_for(process: _AProcess, tell: Callable[[str], None]) -> _AProcess:
    """Wait until a process works; it is ended when nobody waits any more.

    Args:
        process: The process.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    said = ""
    try:
        while not process.is_ready():
            await asyncio.sleep(_LOOK_SECONDS)
            if process.said != said:
                said = process.said
                tell(said.splitlines()[-1] if said else "")
    except asyncio.CancelledError:
        await asyncio.to_thread(process.end)
        raise
    return process
