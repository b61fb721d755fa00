"""spotui test NAME QUESTION."""

import argparse
import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.show import pick_round
from spotui.cli.terminal import Output
from spotui.cli.trusting import add_trust
from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import encode_event
from spotui.domain.events import Answered, CallDelta, CallDropped, CallFinished, CallRetried, Event
from spotui.domain.figures import count, duration, usd
from spotui.domain.secret import Secret
from spotui.domain.text import settled
from spotui.lang import _
from spotui.llm.routing import Price
from spotui.runs.launch import Launcher
from spotui.settings.config_file import ModelConfig
from spotui.settings.resolve import Flags
from spotui.settings.table import Group
from spotui.view.telling import CUTS

if TYPE_CHECKING:
    from spotui.llm.connections import Connection
    from spotui.settings.table import RunSettings
    from spotui.workspace.history import History
    from spotui.workspace.projects import Project


def add_test_arguments(parser: argparse.ArgumentParser) -> None:
    """What `test` takes."""
    options.add_project(parser)
    parser.add_argument(
        "question", nargs="?", metavar="QUESTION", help=_("a new question (default: standard input)")
    )
    parser.add_argument(
        "--round",
        dest="rounds",
        action="append",
        metavar="ROUND",
        help=_("seed, best, last or a number (default: best); more than one compares their prompts"),
    )
    parser.add_argument("--model", metavar="ID", help=_("another model than the run's executor"))
    parser.add_argument(
        "--json", action="store_true", help=_("one event a line, pieces of the replies included")
    )
    add_trust(parser)
    options.add_settings(parser, Group.BUDGET, title=_("budget for this question (default: that of the run)"))


def test_command(parsed: argparse.Namespace) -> int:
    """Ask the executor a question with the prompts of rounds in front; nothing is stored."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.trusting import settle_program_of
    from spotui.runs.launch import Launcher
    from spotui.runs.snapshots import reopen
    from spotui.runs.trying import try_prompts
    from spotui.workspace.history import read_history

    launcher = Launcher()
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    lines = [pick_round(project, history, wanted) for wanted in parsed.rounds or ["best"]]
    prompts = {line.round: line.prompt for line in lines}
    question = _question(parsed.question)
    settings = _settings(launcher, project, history, parsed)
    if project.is_ours and parsed.model is None:
        settle_program_of(parsed, project)
    fetch_missing_models(settings, yes=False)
    show = _Lines() if parsed.json else _Answers(list(prompts))
    run, connections = reopen(project) if project.is_ours else None, launcher.connections(settings)
    asyncio.run(try_prompts(prompts, question, settings, connections, show, run))
    return exit_codes.OK


def _question(typed: str | None) -> str:
    if typed is None and sys.stdin.isatty():
        print(_("Type the question; Ctrl-D on an empty line ends it."), file=sys.stderr)
    question = (sys.stdin.read() if typed is None else typed).strip()
    if not question:
        raise UsageError(_("The question is empty."), _("Give it behind the name, or on standard input."))
    return question


def _settings(
    launcher: "Launcher", project: "Project", history: "History", parsed: argparse.Namespace
) -> "RunSettings":
    """The run's settings where there are any; only the executor is asked."""
    from spotui.runs.recorder import change_limits
    from spotui.runs.snapshots import stored_settings
    from spotui.settings.resolve import Flags

    if project.is_ours and parsed.model is None:
        settings = change_limits(stored_settings(project), dict(history.limits))
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
        print(
            _("{error} Asked again in {wait}.", error=event.error, wait=duration(event.wait)), file=sys.stderr
        )

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
            text = _("round {number}: {fault}", number=number, fault=self._faults[number])
            print(text, file=sys.stderr)
        if number in self._ends:
            text = _("round {number}, {facts}", number=number, facts=_facts(self._ends[number]))
            print(text, file=sys.stderr)

    def _head(self) -> None:
        if self._has_headings:
            print(_("Round {number}:", number=self._waiting[0]))


def _facts(end: CallFinished) -> str:
    tokens = _(
        "{asked} tokens in, {answered} out",
        asked=count(end.prompt_tokens, estimated=end.estimated),
        answered=count(end.completion_tokens, estimated=end.estimated),
    )
    cut = CUTS.get(end.finish_reason)
    cost = usd(end.cost_usd, estimated=end.estimated)
    facts = (tokens, cost, duration(end.seconds), *([_(cut)] if cut else ()))
    return f"{end.model}: {', '.join(facts)}"


_QUESTION: Final = "Reply with the single word: ready"
_TYPED: Final = "TYPED_JUST_NOW"


class NoAnswerError(SpotuiError):
    """The model replied without an answer."""


class Probe(msgspec.Struct, frozen=True):
    """What a model said.

    Attributes:
        model: Its id.
        reply: Its answer, on one line.
        seconds: From the question to the end of the answer.
        is_priced: Whether it is known what a call costs.
        price: USD per million tokens; None when it is unknown, or the endpoint tells it with each reply.
    """

    model: str
    reply: str
    seconds: float
    is_priced: bool
    price: Price | None


def probe(
    model: str,
    *,
    base_url: str | None = None,
    entry: ModelConfig | None = None,
    key: Secret | None = None,
    embed: bool = False,
) -> Probe:
    """Ask a model one short question.

    Args:
        model: Its id.
        base_url: An endpoint for this question alone.
        entry: What would stand in the config file; None for what stands there.
        key: A key that is stored nowhere yet, for an entry that takes its key from the keyring.
        embed: Whether the question is its embedding.

    Raises:
        SettingsError: The id names nothing, or its endpoint needs a key.
        ModelError: It did not answer.
        NoAnswerError: Its reply holds no answer, and why.
    """
    environ = dict(os.environ)
    if entry is not None and key is not None and not environ.get(entry.api_key_env or ""):
        entry = msgspec.structs.replace(entry, api_key_env=_TYPED, api_key_keyring=False)
        environ[_TYPED] = key.reveal()
    launcher = Launcher(environ)
    if entry is not None:
        config = launcher.config.config
        changed = msgspec.structs.replace(config, models={**config.models, model: entry})
        launcher.config = msgspec.structs.replace(launcher.config, config=changed)
    settings = launcher.settings(Flags(model=model, base_url=base_url)).settings
    return asyncio.run(_ask(model, launcher.connector(settings).connect(model), embed=embed))


async def _ask(model: str, connection: "Connection", *, embed: bool) -> Probe:
    from spotui.domain.calls import Request
    from spotui.domain.messages import Message
    from spotui.llm.protocol import hint_for_missing, lacks_answer, unpack, why_missing

    temperature = None if embed else 0.0
    request = Request(model, (Message("user", _QUESTION),), temperature=temperature, embed=embed)
    began = time.perf_counter()
    try:
        reply = await connection.complete(request, lambda _: None)
        seconds = time.perf_counter() - began
        price = await connection.price()
    finally:
        await connection.provider.aclose()
    if not embed and lacks_answer(reply):
        raise NoAnswerError(f"{model}: {why_missing(reply)}", hint_for_missing(reply))
    is_priced = price is not None or reply.cost_usd is not None
    said = (
        _("a vector of {length}", length=len(unpack(reply.vector))) if embed else " ".join(reply.text.split())
    )
    return Probe(model, said, seconds, is_priced, price)
