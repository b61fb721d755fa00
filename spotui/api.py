"""SPO's reference interface in Python, on this engine."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from spotui import locations
from spotui.errors import SpotuiError
from spotui.events import Event, RunStopped
from spotui.launch import LIMITS, Launcher
from spotui.resources import find_template
from spotui.run.run import Run
from spotui.settings.flags import Flags
from spotui.template.read import parse_template, read_text
from spotui.workspace.history import read_history
from spotui.workspace.lines import StopReason
from spotui.workspace.projects import Project, Workspace

Result = TypeVar("Result")

_ROLES = {"optimize_kwargs": "opt", "evaluate_kwargs": "eval", "execute_kwargs": "exec"}
_FIELDS = {"model": "model", "temperature": "temp", "max_tokens": "max_tokens", "timeout": "timeout"}


class SPO_LLM:  # noqa: N801 - the reference's name
    """The models of the three roles, for every `PromptOptimizer` made afterwards."""

    _flags: ClassVar[dict[str, Any]] = {}

    @classmethod
    def initialize(
        cls,
        optimize_kwargs: Mapping[str, Any] | None = None,
        evaluate_kwargs: Mapping[str, Any] | None = None,
        execute_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Choose models and temperatures, as the reference does.

        Args:
            optimize_kwargs: `model` and `temperature`, also `max_tokens` and `timeout`, of the optimizer.
            evaluate_kwargs: The same for the evaluator.
            execute_kwargs: The same for the executor.

        Raises:
            SpotuiError: A key is none of these.
        """
        given = {
            "optimize_kwargs": optimize_kwargs,
            "evaluate_kwargs": evaluate_kwargs,
            "execute_kwargs": execute_kwargs,
        }
        flags: dict[str, Any] = {}
        for argument, values in given.items():
            for key, value in (values or {}).items():
                if key not in _FIELDS:
                    raise SpotuiError(
                        f"{argument} has the key {key!r}, which no role has.",
                        f"It takes {', '.join(_FIELDS)}; endpoints and keys belong into the config file.",
                    )
                flags[f"{_ROLES[argument]}_{_FIELDS[key]}"] = value
        cls._flags = flags

    @classmethod
    def flags(cls) -> dict[str, Any]:
        """What was chosen, as settings."""
        return dict(cls._flags)


class Optimized(msgspec.Struct, frozen=True):
    """How an optimization ended.

    Attributes:
        prompt: The best prompt, which is the seed when nothing was better.
        improved: Whether it is another one than the seed.
        best: Its round.
        reason: Why the run stopped.
        cause: The same in a sentence.
        folder: The project's directory.
    """

    prompt: str
    improved: bool
    best: int
    reason: StopReason
    cause: str
    folder: Path


class PromptOptimizer:
    """Optimizes a template's prompt.

    Args:
        optimized_path: The workspace; None for the user's own.
        initial_round: 1 starts a run; above 1 goes on with the project, whose next round it must be.
        max_rounds: Rounds to do, the seed round included when `initial_round` is 1; None for as many as the
            method takes of itself.
        template: A YAML file, or the name of a bundled example.
        name: The project's name; None for the template's.
        fresh: Move an existing project of that name to the archive.
        on_event: Called with every event, on the thread that works.
        method: Another method than the template's.
        parameters: What the method is told on top of what the template tells it.
        settings: Any other setting of a run, named like the flags: `base_url`, `judge`, `budget_usd`, … A run
            that goes on takes limits only: `concurrency` and the budget.

    Raises:
        TypeError: A setting is none.
    """

    def __init__(
        self,
        optimized_path: str | Path | None = None,
        initial_round: int = 1,
        max_rounds: int | None = 10,
        template: str | Path = "poem",
        name: str | None = None,
        *,
        fresh: bool = False,
        on_event: Callable[[Event], None] | None = None,
        method: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        folder = Path(optimized_path).expanduser().absolute() if optimized_path else locations.workspace_dir()
        self._workspace = Workspace(folder)
        self._initial_round = initial_round
        self._max_rounds = max_rounds
        self._template = str(template)
        self._name = name
        self._fresh = fresh
        self._on_event = on_event
        self._method = method
        self._parameters = parameters
        unknown = settings.keys() - set(Flags.__struct_fields__)
        if unknown:
            raise TypeError(f"PromptOptimizer has no argument {min(unknown)!r}.")
        self._settings = settings
        self._models = SPO_LLM.flags()

    def optimize(self) -> Optimized:
        """Run to the end; also inside a running event loop, whose thread this then blocks.

        Raises:
            SpotuiError: The run could not begin.
        """
        return _run_anywhere(self.aoptimize())

    async def aoptimize(self) -> Optimized:
        """The same for asynchronous code.

        Raises:
            SpotuiError: The run could not begin.
        """
        run = self.run()
        return _optimized(run.project, await run.go())

    def run(self) -> Run:
        """The run itself, ready to begin: for its events, and to send it commands while it works.

        Raises:
            SpotuiError: There cannot be such a run.
        """
        launcher = Launcher()
        if self._initial_round < 1:
            raise SpotuiError(f"initial_round is {self._initial_round}.", "The first round is 1.")
        if self._initial_round > 1:
            is_ours = self._workspace.existing(self._name or Path(self._template).stem).is_ours
            project, changes = self._existing(launcher), self._changes(launcher) if is_ours else {}
        else:
            project, changes = self._new(launcher), {}
        run = launcher.run(project, changes=changes)
        if self._on_event is not None:
            run.subscribe(self._on_event)
        return run

    def _new(self, launcher: Launcher) -> Project:
        path = find_template(self._template)
        text = read_text(path)
        template = parse_template(text, path.name)
        flags = Flags(max_rounds=self._max_rounds, **{**self._models, **self._settings})
        settings = launcher.settings(flags, template).settings
        return launcher.new_project(
            self._workspace,
            self._name or path.stem,
            text,
            settings,
            template_name=path.name,
            template_path=path,
            fresh=self._fresh,
            method=self._method,
            parameters=self._parameters,
            rounds_chosen=self._max_rounds is not None,
        )

    def _existing(self, launcher: Launcher) -> Project:
        project = self._workspace.existing(self._name or Path(self._template).stem)
        last = max((line.round for line in read_history(project).rounds), default=0)
        if self._initial_round != last + 1:
            raise SpotuiError(
                f"The next round of {project.name} is {last + 1}, not {self._initial_round}.",
                f"Give initial_round={last + 1}.",
            )
        if project.is_ours:
            return project
        path = find_template(self._template)
        template = parse_template(read_text(path), path.name)
        settings = launcher.settings(Flags(**{**self._models, **self._settings}), template).settings
        more = 10 if self._max_rounds is None else self._max_rounds
        return launcher.adopt(self._workspace, project, path, settings, more_rounds=more)

    def _changes(self, launcher: Launcher) -> dict[str, float | int | None]:
        fixed = sorted(self._settings.keys() - set(LIMITS.values()))
        if fixed:
            raise SpotuiError(
                f"{', '.join(fixed)}: a run goes on with the settings it was started with.",
                "Leave it out, or start a new run.",
            )
        rounds = self._initial_round - 1 + (10 if self._max_rounds is None else self._max_rounds)
        return launcher.limits(Flags(max_rounds=rounds, **self._settings))


def _optimized(project: Project, stopped: RunStopped) -> Optimized:
    return Optimized(
        prompt=stopped.prompt,
        improved=stopped.improved,
        best=stopped.best,
        reason=stopped.reason,
        cause=stopped.cause,
        folder=project.folder,
    )


def _run_anywhere(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine, on an event loop of its own; in another thread where this one has a loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    begun: Future[Callable[[], object]] = Future()

    async def cancellable() -> Result:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        begun.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
        return await work

    with ThreadPoolExecutor(1, "spotui") as thread:
        done = thread.submit(asyncio.run, cancellable())
        try:
            return done.result()
        except KeyboardInterrupt:  # it came to this thread; the other one works on until it is told
            begun.result()()
            raise
