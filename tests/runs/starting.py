"""Starts runs as a front end does: a real project, the real way to the models, a server in their place."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from spotui.domain.commands import AnyCommand
from spotui.domain.events import Event, RoundFinished, RunStopped
from spotui.domain.records import CallLine, RoundLine
from spotui.llm.connections import Connections
from spotui.llm.connector import Connector
from spotui.llm.door import Trouble
from spotui.runs.prepare import Prepared, Purpose, prepare
from spotui.runs.run import Run
from spotui.runs.snapshots import new_project
from spotui.settings.config_file import Config, ModelConfig, PriceConfig
from spotui.settings.resolve import Resolution, Source, SourceKind
from spotui.settings.table import RetrySettings, RoleSet, RoleSettings, RunSettings
from spotui.templates.model import Template
from spotui.templates.read import parse_template
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.spo_files import read_rounds
from tests.model_server import JsonObject, ModelServer, Recorded

AnEvent = TypeVar("AnEvent", bound=Event)
Changes = Mapping[str, float | int | None]

ONCE = RetrySettings(tries=None, seconds=None)
PRICED = Config(models={"test-model": ModelConfig(price=PriceConfig(input=1.0, output=4.0))})
"""A config file in which the server's model costs something."""

TEMPLATE = """\
prompt: Say something about the sea.
requirements: Vivid, and true.
count: None
qa:
  - {question: What is a tide?, answer: The moon's pull.}
  - {question: Why is it salty?, answer: Rivers bring salt.}
  - {question: How deep is it?, answer: Eleven kilometres.}
"""


def template(questions: int, count: int | None = None) -> str:
    """A template with that many questions."""
    rows = [f"  - {{question: 'Question {one}?', answer: 'Fact {one}.'}}" for one in range(questions)]
    head = f"prompt: Say it in style 0.\nrequirements: Vivid.\ncount: {count}\nqa:\n"
    return head + "\n".join(rows) + "\n"


def prepared(
    text: str,
    settings: RunSettings,
    *,
    path: Path = Path("sea.yaml"),
    template: Template | None = None,
    prompt_folders: Sequence[Path] = (),
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    rounds_are_default: bool = False,
    purpose: Purpose = "run",
) -> Prepared:
    """What a front end prepares, from settings that are given whole."""
    sources = {"run.max_rounds": Source(SourceKind.DEFAULT)} if rounds_are_default else {}
    return prepare(
        template or parse_template(text, path.name),
        text,
        path,
        Resolution(settings, sources),
        method=method,
        parameters=parameters,
        purpose=purpose,
        prompt_folders=prompt_folders,
    )


class Stage:
    """A workspace and the server that its runs ask.

    Args:
        folder: For the workspace and everything else that is written.
        server: Already listening.
    """

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.folder = folder
        self.server = server
        self.workspace = Workspace(folder / "workspace")

    def project(
        self, name: str = "sea", text: str = TEMPLATE, *, prompt_folders: Sequence[Path] = (), **changes: Any
    ) -> Project:
        """A new project, three rounds long unless `changes` of the settings say otherwise."""
        role = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)
        settings: dict[str, Any] = {
            "roles": RoleSet(optimizer=role, evaluator=role, executor=role),
            "base_url": self.server.base_url,
            "max_rounds": 3,
            "retry": ONCE,
            "final_check": False,
            **changes,
        }
        wanted = prepared(text, RunSettings(**settings), prompt_folders=prompt_folders)
        return new_project(self.workspace, name, wanted)

    def run(
        self,
        project: Project,
        *,
        config: Config | None = None,
        on_trouble: Trouble = "halt",
        changes: Changes | None = None,
    ) -> Run:
        """A run of a project that has not begun."""

        def connect(settings: RunSettings) -> Connections:
            connector = Connector(
                settings,
                config or Config(),
                {},
                models_dir=self.folder / "models",
                log_dir=self.folder / "log",
            )
            return Connections(connector.connect)

        return Run(project, connect, on_trouble=on_trouble, changes=changes)

    def go(self, project: Project, **options: Any) -> "Told":
        """Run a project to its end."""
        return told(self.run(project, **options))


class Told:
    """What a run told."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events

    def of(self, kind: type[AnEvent]) -> list[AnEvent]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[AnEvent]) -> AnEvent:
        """The only event of a kind."""
        (event,) = self.of(kind)
        return event

    @property
    def stopped(self) -> RunStopped:
        """The last event."""
        last = self.events[-1]
        assert isinstance(last, RunStopped)
        return last

    @property
    def outcomes(self) -> list[str]:
        """What became of each round."""
        return [event.outcome for event in self.of(RoundFinished)]


Reaction = Callable[[Event], AnyCommand | None]


def told(run: Run, reaction: Reaction = lambda _: None, *, seconds: float = 120.0) -> Told:
    """Run to the end, sending the command that an event calls for, as a front end does: a little later."""
    return asyncio.run(atold(run, reaction, seconds=seconds))


async def atold(run: Run, reaction: Reaction = lambda _: None, *, seconds: float = 120.0) -> Told:
    """The same inside an event loop."""
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if (command := reaction(event)) is not None:
            asyncio.get_running_loop().call_soon(run.command, command)

    run.subscribe(listen)
    async with asyncio.timeout(seconds):
        await run.go()
    return Told(events)


def once(kind: type[AnEvent], when: Callable[[AnEvent], bool], *commands: AnyCommand) -> Reaction:
    """Send each command the first, second, … time that such an event comes."""
    left = list(commands)

    def react(event: Event) -> AnyCommand | None:
        return left.pop(0) if left and isinstance(event, kind) and when(event) else None

    return react


def text_of(request: Recorded | JsonObject) -> str:
    """All messages of a request, with who says them."""
    body = request.json if isinstance(request, Recorded) else request
    return "\n".join(f"{message['role']}: {message['content']}" for message in body["messages"])


def bought(project: Project) -> Counter[str]:
    """The messages of every call in a project's journal."""
    lines = read_lines(project.journal, CallLine)
    return Counter(text_of(msgspec.json.decode(line.request)) for line in lines if isinstance(line, CallLine))


def rounds_of(project: Project) -> list[tuple[object, ...]]:
    """The rounds in a project's journal, as far as they do not depend on when and how fast they came."""
    lines = [line for line in read_lines(project.journal, RoundLine) if isinstance(line, RoundLine)]
    return [
        (one.round, one.prompt, one.parent, one.modification, one.answers, one.outcome)
        for one in {line.round: line for line in lines}.values()
    ]


def results_of(project: Project) -> list[tuple[object, ...]]:
    """results.json without its times."""
    return [
        (one.round, one.answers, one.prompt, one.succeed, one.tokens) for one in read_rounds(project.prompts)
    ]
