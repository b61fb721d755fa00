"""spotui test NAME QUESTION."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.output import Output
from spotui.cli.reading import pick_round
from spotui.cli.usage import UsageError
from spotui.controls import settled
from spotui.events import Answered, CallDelta, CallDropped, CallFinished, CallRetried, Event, encode_event
from spotui.view.figures import count, duration, usd
from spotui.view.tried import CUTS

if TYPE_CHECKING:
    from spotui.launch import Launcher
    from spotui.settings.run_settings import RunSettings
    from spotui.workspace.history import History
    from spotui.workspace.projects import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `test` takes."""
    options.add_project(parser)
    parser.add_argument(
        "question", nargs="?", metavar="QUESTION", help="a new question (default: standard input)"
    )
    parser.add_argument(
        "--round",
        dest="rounds",
        action="append",
        metavar="ROUND",
        help="seed, best, last or a number (default: best); more than one compares their prompts",
    )
    parser.add_argument("--model", metavar="ID", help="another model than the run's executor")
    parser.add_argument(
        "--json", action="store_true", help="one event a line, pieces of the replies included"
    )
    options.add_budget(parser, "budget for this question (default: that of the run)")


def main(parsed: argparse.Namespace) -> int:
    """Ask the executor a question with the prompts of rounds in front; nothing is stored."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.launch import Launcher
    from spotui.run.trying import try_prompts
    from spotui.workspace.history import read_history

    launcher = Launcher()
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    lines = [pick_round(project, history, wanted) for wanted in parsed.rounds or ["best"]]
    prompts = {line.round: line.prompt for line in lines}
    question = _question(parsed.question)
    settings = _settings(launcher, project, history, parsed)
    fetch_missing_models(settings, yes=False)
    show = _Lines() if parsed.json else _Answers(list(prompts))
    asyncio.run(try_prompts(prompts, question, settings, launcher.connections(settings), show))
    return exit_codes.OK


def _question(typed: str | None) -> str:
    if typed is None and sys.stdin.isatty():
        print("Type the question; Ctrl-D on an empty line ends it.", file=sys.stderr)
    question = (sys.stdin.read() if typed is None else typed).strip()
    if not question:
        raise UsageError("The question is empty.", "Give it behind the name, or on standard input.")
    return question


def _settings(
    launcher: "Launcher", project: "Project", history: "History", parsed: argparse.Namespace
) -> "RunSettings":
    """The run's settings where there are any; only the executor is asked."""
    from spotui.run.past import change_limits
    from spotui.run.setup import load_settings
    from spotui.settings.flags import Flags
    from spotui.workspace.snapshot import read_snapshot

    if project.is_ours and parsed.model is None:
        settings = load_settings(read_snapshot(project.snapshot), project.snapshot)
        settings = change_limits(settings, dict(history.limits))
    else:
        settings = launcher.settings(Flags(model=parsed.model)).settings
    settings = change_limits(settings, launcher.limits(options.flags(parsed)))
    return settings.asking("executor")


class _Lines:
    """Every event as a line."""

    def __init__(self) -> None:
        self._output = Output()

    def __call__(self, event: Event) -> None:
        self._output.write(encode_event(event))


class _Answers:
    """The answers one after another, each as it comes where somebody watches.

    Args:
        rounds: In the order in which they are shown.
    """

    def __init__(self, rounds: list[int]) -> None:
        self._waiting = rounds
        self._has_headings = len(rounds) > 1
        self._is_watched = sys.stdout.isatty()
        self._pieces: dict[int, str] = {}
        self._ends: dict[int, CallFinished] = {}
        self._answers: dict[int, str | None] = {}
        self._faults: dict[int, str] = {}
        self._shown = 0
        self._head()

    def __call__(self, event: Event) -> None:
        match event:
            case CallDelta():
                number = event.key.round
                self._pieces[number] = self._pieces.get(number, "") + event.text
                self._stream()
            case CallRetried():
                self._pieces.pop(event.key.round, None)
                self._begin_again(event)
            case CallFinished():
                self._ends[event.key.round] = event
            case Answered():
                self._answers[event.round] = event.answer
                self._finish()
            case CallDropped(failed=True):
                self._answers[event.key.round] = None
                self._faults[event.key.round] = event.why
                self._finish()
            case _:
                pass

    def _stream(self) -> None:
        text = self._pieces.get(self._waiting[0], "") if self._waiting else ""
        end = settled(text)
        if self._is_watched and end > self._shown:
            sys.stdout.write(text[self._shown : end])
            sys.stdout.flush()
            self._shown = end

    def _begin_again(self, event: CallRetried) -> None:
        if event.key.round == self._waiting[0] and self._shown:
            print()
            self._shown = 0
        print(f"{event.error} Asked again in {duration(event.wait)}.", file=sys.stderr)

    def _finish(self) -> None:
        while self._waiting and self._waiting[0] in self._answers:
            number = self._waiting.pop(0)
            self._end(number, self._answers[number])
            self._shown = 0
            if self._waiting:
                print()
                self._head()
                self._stream()

    def _end(self, number: int, answer: str | None) -> None:
        if answer is not None:
            print(answer[self._shown :], flush=True)
        elif self._shown:
            print(flush=True)
        # Where it is the only one, its fault is the error that ends the command.
        if answer is None and self._has_headings:
            print(f"round {number}: {self._faults[number]}", file=sys.stderr)
        if number in self._ends:
            print(f"round {number}, {_facts(self._ends[number])}", file=sys.stderr)

    def _head(self) -> None:
        if self._has_headings:
            print(f"Round {self._waiting[0]}:")


def _facts(end: CallFinished) -> str:
    asked = count(end.prompt_tokens, estimated=end.estimated)
    tokens = f"{asked} tokens in, {count(end.completion_tokens, estimated=end.estimated)} out"
    cut = CUTS.get(end.finish_reason)
    cost = usd(end.cost_usd, estimated=end.estimated)
    facts = (tokens, cost, duration(end.seconds), *([cut] if cut else ()))
    return f"{end.model}: {', '.join(facts)}"
