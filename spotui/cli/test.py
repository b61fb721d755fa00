"""spotui test NAME QUESTION."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.reading import pick_round
from spotui.cli.usage import UsageError
from spotui.view.figures import count, duration, usd

if TYPE_CHECKING:
    from spotui.llm.connection import Connection
    from spotui.llm.protocol import Delta, Reply, Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `test` takes."""
    options.add_project(parser)
    parser.add_argument(
        "question", nargs="?", metavar="QUESTION", help="a new question (default: standard input)"
    )
    parser.add_argument(
        "--round", metavar="ROUND", default="best", help="seed, best, last or a number (default: best)"
    )
    parser.add_argument("--model", metavar="ID", help="another model than the run's executor")


def main(parsed: argparse.Namespace) -> int:
    """Ask the executor a question with a round's prompt in front; nothing is stored."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.launch import Launcher
    from spotui.llm.protocol import Message, Request
    from spotui.run.setup import load_settings
    from spotui.settings.flags import Flags
    from spotui.workspace.history import read_history
    from spotui.workspace.snapshot import read_snapshot

    launcher = Launcher()
    project = options.workspace(parsed).existing(parsed.name)
    line = pick_round(project, read_history(project), parsed.round)
    question = _question(parsed.question)
    if project.is_ours and parsed.model is None:
        settings = load_settings(read_snapshot(project.snapshot), project.snapshot)
    else:
        settings = launcher.settings(Flags(model=parsed.model)).settings
    fetch_missing_models(settings, yes=False)
    executor = settings.roles.executor
    request = Request(
        model=executor.model,
        messages=(Message("user", f"{line.prompt}\n\n{question}"),),
        temperature=executor.temperature,
        max_tokens=executor.max_tokens,
    )
    connection = launcher.connector(settings).connect(executor.model)
    reply = asyncio.run(_ask(connection, request))
    print()
    tokens = f"{count(reply.usage.prompt_tokens)} tokens in, {count(reply.usage.completion_tokens)} out"
    print(
        f"round {line.round}, {executor.model}: {tokens}, {usd(reply.cost_usd)}, {duration(reply.seconds)}",
        file=sys.stderr,
    )
    return exit_codes.OK


def _question(typed: str | None) -> str:
    if typed is None and sys.stdin.isatty():
        print("Type the question; Ctrl-D on an empty line ends it.", file=sys.stderr)
    question = (sys.stdin.read() if typed is None else typed).strip()
    if not question:
        raise UsageError("The question is empty.", "Give it behind the name, or on standard input.")
    return question


async def _ask(connection: "Connection", request: "Request") -> "Reply":
    import msgspec

    def show(delta: "Delta") -> None:
        sys.stdout.write(delta.text)
        sys.stdout.flush()

    try:
        reply = await connection.provider.complete(request, show)
        price = await connection.price()
    finally:
        await connection.provider.aclose()
    if reply.cost_usd is None and price is not None:
        cost = price.cost(reply.usage.prompt_tokens, reply.usage.completion_tokens)
        return msgspec.structs.replace(reply, cost_usd=cost)
    return reply
