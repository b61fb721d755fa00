"""Commands in processes of their own that start at once: forked from one that has imported everything.

Each is a whole process, so it can be killed without a word.
"""

import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import spotui.cli.conduct
import spotui.cli.race
import spotui.cli.run
import spotui.cli.score
import spotui.cli.working
import spotui.llm.connections
import spotui.llm.providers.openai_compatible
import spotui.llm.tokens
import spotui.runs.prepare
import spotui.runs.race
import spotui.runs.score
import spotui.runs.session
from spotui.cli import main

spotui.llm.tokens.count_tokens("")  # reads the vocabulary, which a short run takes longer for than for itself


def forks() -> ForkServerContext:
    """What starts the children; the first one takes as long as any process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def start(context: ForkServerContext, *words: str, env: dict[str, str], log: Path) -> ForkServerProcess:
    """Start a command; what it says goes to a file."""
    code_file(log).unlink(missing_ok=True)
    child = context.Process(target=_run, args=(words, env, str(log)))
    child.start()
    return child


def code_of(log: Path) -> int | None:
    """The exit code of the last command that ended by itself, by its log; None where it was killed.

    The server that forks the children loses a code now and then where several threads wait for theirs.
    """
    path = code_file(log)
    return int(path.read_text()) if path.exists() else None


def code_file(log: Path) -> Path:
    """Where a command leaves its exit code."""
    return log.with_suffix(".code")


def _run(words: tuple[str, ...], env: dict[str, str], log: str) -> None:
    os.environ.clear()
    os.environ.update(env)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = main(words)
    code_file(Path(log)).write_text(str(code))
    sys.exit(code)
