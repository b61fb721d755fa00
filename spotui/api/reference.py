"""SPO's reference interface in Python, on this engine."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import msgspec

from spotui.api.advice import advice_for_python
from spotui.api.printing import Printer
from spotui.domain.errors import SpotuiError
from spotui.domain.events import (
    Event,
    RunStopped,
)
from spotui.domain.verdicts import StopReason
from spotui.lang import _
from spotui.runs.branch import adopt, prepare_adoption
from spotui.runs.launch import Launcher, executor_of
from spotui.runs.run import Run
from spotui.runs.trust import reach_of, reach_of_project
from spotui.settings import locations
from spotui.settings.locations import expanded
from spotui.settings.resolve import FLAGS, Flags
from spotui.settings.resources import find_template
from spotui.settings.table import LIMITS
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project, Workspace

_ROLES = {"optimize_kwargs": "opt", "evaluate_kwargs": "eval", "execute_kwargs": "exec"}
_FIELDS = {"model": "model", "temperature": "temp", "max_tokens": "max_tokens", "timeout": "timeout"}

Mode = Literal["base_model", "reasoning_model"]
"""The reference's two kinds of executor."""


class SPO_LLM:  # noqa: N801 - the reference's name
    """The models of the three roles, for every `PromptOptimizer` made afterwards."""

    _flags: ClassVar[dict[str, Any]] = {}

    @classmethod
    def initialize(
        cls,
        optimize_kwargs: Mapping[str, Any] | None = None,
        evaluate_kwargs: Mapping[str, Any] | None = None,
        execute_kwargs: Mapping[str, Any] | None = None,
        mode: Mode = "base_model",
    ) -> None:
        """Choose models and temperatures, as the reference does.

        Args:
            optimize_kwargs: `model` and `temperature`, also `max_tokens` and `timeout`, of the optimizer.
            evaluate_kwargs: The same for the evaluator.
            execute_kwargs: The same for the executor.
            mode: Either of the reference's modes. They need no difference here: a model that reasons is
                recognized by its replies, and its reasoning is kept apart from its answer.

        Raises:
            SpotuiError: A key is none of these, or the mode is unknown.
        """
        if mode not in get_args(Mode):
            raise SpotuiError(
                _("Unknown mode {mode!r}.", mode=mode), f"Use {' or '.join(map(repr, get_args(Mode)))}."
            )
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
                        _("{argument} has the key {key!r}, which no role has.", argument=argument, key=key),
                        _(
                            "It takes {fields}; endpoints and keys belong into the config file.",
                            fields=", ".join(_FIELDS),
                        ),
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
    """Optimizes a template's prompt. The first five arguments are the reference's, in its order.

    Args:
        optimized_path: The workspace; None for the user's own.
        initial_round: 1 starts a run; above 1 resumes the project, whose next round it must be.
        max_rounds: Rounds to do, the seed round included when `initial_round` is 1; None for as many as the
            method takes of itself.
        name: The project's name; None for the template's.
        template: A YAML file, also one in the folder `settings` of the working directory, or the name of a
            bundled example.
        fresh: Move an existing project of that name to the archive.
        quiet: Print nothing.
        on_event: Called with every event, on the thread that works.
        method: Another method than the template's.
        parameters: Parameters of the method beside those of the template it.
        trust: Files that the template may use although they can do harm: the Python file of a custom metric,
            which then runs, and data files outside of the template's folder, whose rows are then sent to the
            models. As with `--trust`, the answer is remembered until the metric's file changes.
        executor: A Python function that answers in place of the executor's model; see `spotui.optimize`.
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
        name: str | None = None,
        template: str | Path = "poem",
        *,
        fresh: bool = False,
        quiet: bool = False,
        on_event: Callable[[Event], None] | None = None,
        method: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        trust: str | Path | Sequence[str | Path] = (),
        executor: Callable[..., Any] | None = None,
        **settings: Any,
    ) -> None:
        folder = expanded(optimized_path).absolute() if optimized_path else locations.workspace_dir()
        self._workspace = Workspace(folder)
        self._initial_round = initial_round
        self._max_rounds = max_rounds
        self._template = str(template)
        self._name = name
        self._fresh = fresh
        self._quiet = quiet
        self._on_event = on_event
        self._method = method
        self._parameters = parameters
        self._trusted = (trust,) if isinstance(trust, str | Path) else tuple(trust)
        if unknown := settings.keys() - set(FLAGS):
            raise TypeError(_("PromptOptimizer has no argument {unknown!r}.", unknown=min(unknown)))
        self._settings = settings
        self._executor = executor
        self._models = SPO_LLM.flags()
        if executor is not None:
            self._models["exec_model"] = executor_of(executor)

    def optimize(self) -> Optimized:
        """Run to the end, and print each round and the final prompt, unless `quiet`.

        It works inside a running event loop, too, whose thread it then blocks.

        Raises:
            SpotuiError: The run could not begin.
        """
        run = self.run()
        if not self._quiet:
            run.subscribe(Printer().show)
        with advice_for_python():
            return _optimized(run.project, run.go_blocking())

    async def aoptimize(self) -> Optimized:
        """Run to the end without printing: the same for asynchronous code.

        Raises:
            SpotuiError: The run could not begin.
        """
        run = self.run()
        with advice_for_python():
            return _optimized(run.project, await run.go())

    def run(self) -> Run:
        """The run itself, ready to begin: for its events, and to send it commands while it works.

        Raises:
            SpotuiError: There cannot be such a run.
        """
        with advice_for_python():
            launcher = Launcher(executor=self._executor)
            if self._initial_round < 1:
                raise SpotuiError(
                    _("initial_round is {initial_round}.", initial_round=self._initial_round),
                    _("The first round is 1."),
                )
            changes: dict[str, float | int | None] = {}
            if self._initial_round == 1:
                project = self._new(launcher)
            else:
                project = self._existing()
                if project.is_ours:
                    reach_of_project(project).allow_named(self._trusted)
                    changes = self._changes(launcher)
                else:
                    project = self._adopted(launcher, project)
            run = launcher.run(project, changes=changes)
        if self._on_event is not None:
            run.subscribe(self._on_event)
        return run

    def _new(self, launcher: Launcher) -> Project:
        path = find_template(self._template)
        flags = Flags(max_rounds=self._max_rounds, **{**self._models, **self._settings})
        prepared = launcher.prepare(path, flags, method=self._method, parameters=self._parameters)
        launcher.trust_typed_program(prepared.settings)
        reach_of(prepared.template, path.parent, prepared.settings).allow_named(self._trusted)
        return launcher.new_project(self._workspace, self._name or path.stem, prepared, fresh=self._fresh)

    def _existing(self) -> Project:
        project = self._workspace.existing(self._name or Path(self._template).stem)
        last = read_history(project).last_round
        if self._initial_round != last + 1:
            raise SpotuiError(
                _(
                    "The next round of {project} is {last}, not {initial_round}.",
                    project=project.name,
                    last=last + 1,
                    initial_round=self._initial_round,
                ),
                _("Give initial_round={last}.", last=last + 1),
            )
        return project

    def _adopted(self, launcher: Launcher, project: Project) -> Project:
        """The run of a workspace that SPO's own tool wrote."""
        flags = Flags(**{**self._models, **self._settings})
        path, more = find_template(self._template), self._more_rounds
        prepared = prepare_adoption(launcher, project, path, flags, more_rounds=more)
        reach_of(prepared.template, path.parent, prepared.settings).allow_named(self._trusted)
        return adopt(launcher, self._workspace, project, prepared)

    @property
    def _more_rounds(self) -> int:
        return 10 if self._max_rounds is None else self._max_rounds

    def _changes(self, launcher: Launcher) -> dict[str, float | int | None]:
        fixed = sorted(self._settings.keys() - {setting.flags[0] for setting in LIMITS.values()})
        if fixed:
            raise SpotuiError(
                _("{fixed}: a run keeps the settings it was started with.", fixed=", ".join(fixed)),
                _("Leave it out, or start a new run."),
            )
        rounds = self._initial_round - 1 + self._more_rounds
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
