"""The tools of an agent: each is a verb of the command line in a separate process.

An agent is a user who cannot see a terminal. So it gets what a script gets, the JSON of the verbs; and as it
spends somebody else's money, every tool that asks a model needs a limit. It cannot trust a file or fetch a
model: for these a person types.
"""

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGINT
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, NamedTuple

import anyio
import msgspec
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from spotui.cli import exit_codes
from spotui.domain.event_lines import decode_event
from spotui.domain.events import (
    Event,
    FinalCheckFinished,
    FinalTest,
    RoundFinished,
    RunOpened,
    RunStopped,
    SpendingChanged,
)
from spotui.domain.version import VERSION
from spotui.lang import as_english
from spotui.view.telling import line

INSTRUCTIONS: Final = """\
spotui improves a prompt and tests every gain. Order of work: `check` the template, `estimate` it, `run` it
with a budget, read `best`. Templates are YAML files; spotui's documentation has a skill that says how one is
written. A result without improvement is a result: say so. Never report a gain without its interval."""

_STOPPING_SECONDS: Final = 25.0
"""Calls in flight get 15 seconds to finish when a run is stopped."""
_LONGEST_LINE: Final = 2**26
_ROUNDS_SHOWN: Final = 20
_DONE: Final = {exit_codes.OK, exit_codes.NO_IMPROVEMENT, exit_codes.NO_HEADROOM}

Template = Annotated[str, Field(description="Path of a template, or the name of a bundled example.")]
Name = Annotated[str, Field(description="A project, as `status` lists them.")]
Model = Annotated[str, Field(description="Model id for all roles; empty for the user's default.")]
MethodName = Annotated[str, Field(description="spo, gpo, gepa, …; empty for the template's.")]
Rounds = Annotated[int, Field(ge=0, description="Rounds at most; 0 for the default.")]
Usd = Annotated[float, Field(ge=0, description="USD that may be spent; 0 for no limit in USD.")]
Calls = Annotated[int, Field(ge=0, description="Model calls that may be made; 0 for no limit in calls.")]
Split = Annotated[str, Field(description="Rows to measure on: train, eval or test.")]
Prompt = Annotated[str, Field(description="seed, best (of the template's project), or the text of a prompt.")]

server: Final = MCPServer("spotui", instructions=INSTRUCTIONS, version=VERSION)
_workspace: list[str] = []


def serve(workspace: Path | None) -> None:
    """Answer an agent over standard input and output until it leaves.

    Args:
        workspace: Where projects are kept; None for the user's own.
    """
    if workspace is not None:
        _workspace[:] = ["--workspace", str(workspace)]
    server.run("stdio")


@server.tool()
async def check(template: Template) -> dict[str, Any]:
    """Find every mistake in a template: key, line, what is wrong, how to fix it. Costs nothing."""
    return _only(await _json("check", template, "--json", also=(exit_codes.FAILED,)))


@server.tool()
async def estimate(
    template: Template, model: Model = "", method: MethodName = "", max_rounds: Rounds = 0
) -> dict[str, Any]:
    """Say what a run would take: calls, tokens, USD, minutes, and what it would lack. Costs nothing."""
    words = _choices(model, method, max_rounds)
    found = await _json("estimate", template, "--json", *words, *_workspace)
    return _only(found) or {"shares": [], "warnings": ["The method does not say what it takes."]}


@server.tool()
async def run(
    ctx: Context,
    template: Template,
    budget_usd: Usd = 0,
    budget_calls: Calls = 0,
    name: Annotated[str, Field(description="Of the project; empty for the template's name.")] = "",
    model: Model = "",
    method: MethodName = "",
    max_rounds: Rounds = 0,
    background: Annotated[
        bool, Field(description="Return at once; `status` tells how far it is, `stop` ends it.")
    ] = False,
) -> dict[str, Any]:
    """Improve the prompt of a template and test the gain. A budget in USD or calls is mandatory.

    Progress is reported after every round. A run that is cancelled stops in order; `resume` continues it.
    """
    words = [*_budget(budget_usd, budget_calls), *_choices(model, method, max_rounds), *_workspace]
    if name:
        words += ["--name", name]
    if background:
        told = await _finished("run", template, "--detach", *words)
        return {"project": name or Path(template).stem, "state": "running", "told": told.decode().strip()}
    return await _worked(ctx, "run", template, *words)


@server.tool()
async def resume(ctx: Context, project: Name, budget_usd: Usd = 0, budget_calls: Calls = 0) -> dict[str, Any]:
    """Continue a run; what was bought is not bought again. The budget is that of the whole run."""
    return await _worked(ctx, "resume", project, *_budget(budget_usd, budget_calls), *_workspace)


@server.tool()
async def stop(project: Name) -> str:
    """Stop a run that works in the background; everything is kept, and `resume` continues it."""
    await _finished("attach", project, "--send", "stop", *_workspace)
    return f"{project} is stopped."


@server.tool()
async def status(
    project: Annotated[str, Field(description="Empty for all projects.")] = "",
) -> dict[str, Any]:
    """Say how projects stand: state, rounds, best round, USD; for one also its last rounds. Costs nothing."""
    projects = await _json("list", "--json", *_workspace)
    if not project:
        return {"projects": projects}
    history = _only(await _json("show", project, "--json", *_workspace))
    kept = ("round", "outcome", "modification", "score", "wins", "losses", "ties", "prompt")
    rounds = [{key: one[key] for key in kept if key in one} for one in history.get("rounds", ())]
    (of_it,) = (one for one in projects if one["name"] == project)
    return {**of_it, "stop": history.get("stop"), "last_rounds": rounds[-_ROUNDS_SHOWN:]}


@server.tool()
async def best(project: Name) -> str:
    """Return the best prompt of a project. Costs nothing."""
    return (await _finished("best", project, *_workspace)).decode()


@server.tool()
async def score(
    template: Template,
    prompt: Prompt = "best",
    split: Split = "test",
    budget_usd: Usd = 0,
    budget_calls: Calls = 0,
    model: Model = "",
) -> dict[str, Any]:
    """Measure a prompt on rows: its score with the 95% interval, and the mark of every row.

    A budget is mandatory; answers that were bought before cost nothing.
    """
    with _written(prompt) as (one,):
        words = ["--prompt", one, "--split", split, *_budget(budget_usd, budget_calls)]
        return _only(await _json("score", template, "--json", *words, *_choices(model), *_workspace))


@server.tool()
async def compare(
    template: Template,
    prompt: Prompt = "best",
    against: Prompt = "seed",
    split: Split = "test",
    budget_usd: Usd = 0,
    budget_calls: Calls = 0,
    model: Model = "",
) -> dict[str, Any]:
    """Compare two prompts row by row: the difference with its 95% interval, rows won and lost.

    If the interval includes 0, there may be no difference. A budget is mandatory.
    """
    with _written(prompt, against) as (one, other):
        words = ["--prompt", one, "--against", other, "--split", split, *_budget(budget_usd, budget_calls)]
        return _only(await _json("score", template, "--json", *words, *_choices(model), *_workspace))


def _budget(usd: float, calls: int) -> list[str]:
    """The flags of a budget.

    Raises:
        ToolError: There is none.
    """
    if not usd and not calls:
        raise ToolError(
            "A budget is missing. Give budget_usd or budget_calls; `estimate` says what it takes."
        )
    words = ["--budget-usd", str(usd)] if usd else []
    return [*words, "--budget-calls", str(calls)] if calls else words


def _choices(model: str = "", method: str = "", rounds: int = 0) -> list[str]:
    flags = {"--model": model, "--method": method, "--max-rounds": str(rounds or "")}
    return [word for flag, value in flags.items() if value for word in (flag, value)]


@contextmanager
def _written(*texts: str) -> Iterator[list[str]]:
    """Prompts as the command line takes them: a word, or the path of a file with the text."""
    with TemporaryDirectory(prefix="spotui-") as folder:
        words: list[str] = []
        for number, text in enumerate(texts, 1):
            path = Path(folder) / f"prompt_{number}.txt"
            path.write_text(text, encoding="utf-8")
            words.append(text if text in {"seed", "best"} else str(path))
        yield words


class _Done(NamedTuple):
    """What a run said last."""

    opened: RunOpened | None = None
    spent: SpendingChanged | None = None
    test: FinalTest | None = None
    check: FinalCheckFinished | None = None
    stopped: RunStopped | None = None


async def _worked(ctx: Context, *words: str) -> dict[str, Any]:
    """Work on a project to its end, and say how it ended."""
    said, rounds = _Done(), 0
    async with _child(*words, "--json") as (process, out, err):
        async for event in _events(out):
            match event:
                case RunOpened():
                    said = said._replace(opened=event)
                    rounds = event.rounds
                case SpendingChanged():
                    said = said._replace(spent=event)
                case FinalTest():
                    said = said._replace(test=event)
                case FinalCheckFinished():
                    said = said._replace(check=event)
                case RunStopped():
                    said = said._replace(stopped=event)
                case RoundFinished():
                    await ctx.report_progress(event.round, rounds or None, line(event))
        code = await process.wait()
    if said.stopped is None or said.opened is None:
        raise _failed(code, err)
    stopped, spent = said.stopped, said.spent
    tested = said.test or said.check
    return {
        "project": said.opened.project,
        "reason": stopped.reason,
        "cause": str(stopped.cause),
        "improved": stopped.improved,
        "only_a_lead": stopped.lead,
        "best_round": stopped.best,
        "rounds": stopped.rounds,
        "prompt": stopped.prompt,
        "test": msgspec.to_builtins(tested, enc_hook=as_english) if tested else None,
        "calls": spent.calls if spent else 0,
        "cost_usd": spent.cost_usd if spent and not spent.unpriced else None,
        "resumable": stopped.resumable,
    }


async def _events(out: ByteReceiveStream) -> AsyncIterator[Event]:
    stream = BufferedByteReceiveStream(out)
    while True:
        try:
            one = await stream.receive_until(b"\n", _LONGEST_LINE)
        except (anyio.EndOfStream, anyio.IncompleteRead):
            return
        if (event := decode_event(one)) is not None:
            yield event


async def _finished(*words: str, also: Sequence[int] = ()) -> bytes:
    """What a verb printed.

    Raises:
        ToolError: It could not be done, and why.
    """
    async with _child(*words) as (process, out, err):
        found = bytearray()
        async for piece in out:
            found += piece
        code = await process.wait()
    if code not in _DONE and (code not in also or not found):
        raise _failed(code, err)
    return bytes(found)


async def _json(*words: str, also: Sequence[int] = ()) -> list[dict[str, Any]]:
    """The JSON objects that a verb printed, one or one a line."""
    out = await _finished(*words, also=also)
    try:
        return [msgspec.json.decode(out)]
    except msgspec.DecodeError:
        return [msgspec.json.decode(one) for one in out.splitlines() if one.strip()]


def _only(results: list[dict[str, Any]]) -> dict[str, Any]:
    return results[0]


def _failed(code: int, err: bytearray) -> ToolError:
    said = err.decode(errors="replace").strip()
    return ToolError(said or f"It ended with exit code {code}.")


@asynccontextmanager
async def _child(*words: str) -> AsyncIterator[tuple[Process, ByteReceiveStream, bytearray]]:
    """A verb in a separate process, its output, and what it says on standard error.

    It is stopped when nobody waits for it any more.
    """
    err = bytearray()

    async def read_errors(stream: ByteReceiveStream) -> None:
        async for piece in stream:
            err.extend(piece)

    process = await anyio.open_process([sys.executable, "-P", "-m", "spotui", *words], stdin=DEVNULL)
    if process.stdout is None or process.stderr is None:
        raise ToolError("The verb has no output.")
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_errors, process.stderr)
            yield process, process.stdout, err
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.send_signal(SIGINT)
                with anyio.move_on_after(_STOPPING_SECONDS):
                    await process.wait()
            await process.aclose()
