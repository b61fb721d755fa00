"""A run that is about to be started: what was chosen for it, what it would take, and its start."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from spotui.errors import SpotuiError
from spotui.own_process import Background, OwnProcess
from spotui.tui.child import ask
from spotui.tui.judge_check import Offer
from spotui.tui.method.known import Told
from spotui.view.figures import count, duration, limit, plural, usd
from spotui.workspace.projects import Project, Workspace

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
        used: What the run would use, by the names of the choices, as text.
        warnings: What stands against it.
        judge: What is known of its judge; None when that cannot be checked.
    """

    line: str
    models: str
    warnings: list[str]
    judge: Offer | None
    used: Mapping[str, str] = {}


async def expect(workspace: Workspace, template: Path, choices: Choices) -> Expected:
    """Estimate a run; asks no model.

    Args:
        workspace: Whose earlier runs have measured the speed of models.
        template: What the run works on.
        choices: What it uses.

    Raises:
        SpotuiError: The template or a choice is wrong.
    """
    told = await ask(["estimate", str(template), "--json", f"--workspace={workspace.root}", *choices.words])
    if told.fault:
        raise SpotuiError(told.fault)
    found = json.loads(told.out)
    if found is None:
        return Expected("unknown, because the method gives no estimate", "", [], None)
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
            + (" (speed measured in earlier runs)" if found["measured"] else "")
        ),
        models=", ".join(
            f"{model} ({'all roles' if len(of) == 3 else ', '.join(of)})" for model, of in roles.items()
        ),
        warnings=found["warnings"],
        judge=msgspec.convert(found["judge"], Offer | None),
        used=_in_words(found["uses"]),
    )


def _in_words(uses: Mapping[str, Any]) -> dict[str, str]:
    """What a run would use, as the fields show it where nothing is typed."""
    models: Mapping[str, str] = uses["models"]
    each = set(models.values())
    addresses = {
        address or f"{model.partition('/')[0]}, its usual address": None
        for model, address in uses["endpoints"].items()
    }
    return {
        "model": each.pop() if len(each) == 1 else ", ".join(f"{role} {of}" for role, of in models.items()),
        "base_url": ", ".join(addresses),
        "rounds": str(uses["rounds"]),
        **{
            name: "empty = no limit" if uses[name] is None else f"{limit(uses[name])}, as in your settings"
            for name in ("usd", "tokens", "calls", "minutes")
        },
    }


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
