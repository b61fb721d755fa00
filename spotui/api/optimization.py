"""The optimization of a prompt in one call."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from spotui.api.advice import advice_for_python
from spotui.api.arguments import (
    Budget,
    Metric,
    Models,
    Questions,
    Rows,
    flags_of,
    function_of,
    write_template,
)
from spotui.api.progress import Progress
from spotui.api.reference import Optimized
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event, FinalCheckFinished, RunStopped
from spotui.lang import _
from spotui.runs.launch import Launcher
from spotui.runs.prepare import Prepared
from spotui.runs.race import difference
from spotui.runs.run import Run
from spotui.runs.snapshots import reopen
from spotui.settings import locations
from spotui.settings.locations import expanded
from spotui.view.picture import Picture
from spotui.workspace.projects import Project, Workspace

_EVEN = 0.5
_NAME = "prompt"


class Optimization(Optimized, frozen=True):
    """How an optimization ended; the first fields are those of `Optimized`.

    Attributes:
        project: The project's name: `spotui show NAME` shows the run.
        gain: How much better the best prompt is than the first one: the difference of their scores on rows
            that the run has not used (0 to 1), or, for methods that compare answers, the win rate above one
            half. None where it was not measured.
        interval: The 95% interval of the gain.
        score: The best prompt's score on those rows; None where answers were compared.
        cost_usd: What all calls cost together; None where the price of one is unknown.
        calls: How many calls that were.
    """

    project: str = ""
    gain: float | None = None
    interval: tuple[float, float] | None = None
    score: float | None = None
    cost_usd: float | None = None
    calls: int = 0


def optimize(
    prompt: str,
    *,
    requirements: str = "",
    questions: Questions | None = None,
    rows: Rows | None = None,
    split: Mapping[str, int | float] | None = None,
    criteria: str | Sequence[str] | None = None,
    metric: Metric | None = None,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    word_limit: int | None = None,
    models: Models | None = None,
    budget: Budget | None = None,
    name: str | None = None,
    workspace: str | Path | None = None,
    fresh: bool = False,
    quiet: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Optimization:
    """Optimize a prompt, and show how far that is.

    It works inside a running event loop, too, whose thread it then blocks::

        result = spotui.optimize(
            "Answer the question.",
            questions={"What is 2 + 2?": "4", "What is 3 + 5?": "8", "What is 7 - 4?": "3"},
            requirements="The number alone.",
            models="gpt-4o-mini",
            budget=0.50,
        )
        print(result.prompt, result.gain, result.interval, result.cost_usd)

    Args:
        prompt: The prompt to start from.
        requirements: What a good answer is like.
        questions: A mapping of questions to answers, or a list of questions, or of such pairs.
        rows: Rows as mappings with `question`, `answer` and further columns, or the path of a data file.
        split: Rows for training, choosing and testing, e.g. `{"train": 20, "eval": 20, "test": 60}`.
        criteria: What the evaluator marks answers by.
        metric: A metric's name, the same with options, or a function, also a coroutine function, of an
            answer and a `spotui.domain.rows.Row` that returns a number from 0 to 1.
        method: A method's name; `gpo` when None and there is a metric or criteria, else `spo`.
        parameters: Parameters of the method.
        word_limit: Words that a prompt may have at most.
        models: A model for all three roles; or a mapping of roles to a model id or to settings such as
            `{"model": …, "temperature": …}`. The executor may be a function, also a coroutine function, of
            prompt, question and row that returns the answer, or `{"command": ["python", "agent.py"]}`.
        budget: USD at most, or limits such as `{"calls": 500, "minutes": 10}`.
        name: The project's name. A call with the name of an earlier one and the same arguments continues
            that one; what was asked is not asked again. None for a new name.
        workspace: Where projects are kept; None for the user's own folder.
        fresh: Move an existing project of that name to the archive.
        quiet: Show nothing.
        on_event: Called with every event, on the thread that works.
        settings: Any other setting of a run, named like the flags: `max_rounds`, `judge`, `concurrency`, …

    Raises:
        TypeError: A setting is unknown.
        SpotuiError: The run could not begin.
    """
    progress = None if quiet else Progress()
    with advice_for_python():
        run = _run(
            prompt,
            requirements=requirements,
            questions=questions,
            rows=rows,
            split=split,
            criteria=criteria,
            metric=metric,
            method=method,
            parameters=parameters,
            word_limit=word_limit,
            models=models,
            budget=budget,
            name=name,
            workspace=workspace,
            fresh=fresh,
            settings=settings,
        )
        picture = _watched(run, on_event)
        if progress is not None:
            run.subscribe(progress.show)
        with progress or nullcontext():
            stopped = run.go_blocking()
    return _optimization(run.project, picture, stopped)


async def aoptimize(
    prompt: str,
    *,
    requirements: str = "",
    questions: Questions | None = None,
    rows: Rows | None = None,
    split: Mapping[str, int | float] | None = None,
    criteria: str | Sequence[str] | None = None,
    metric: Metric | None = None,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    word_limit: int | None = None,
    models: Models | None = None,
    budget: Budget | None = None,
    name: str | None = None,
    workspace: str | Path | None = None,
    fresh: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Optimization:
    """Optimize a prompt in asynchronous code and show nothing; the arguments are those of `optimize`.

    Coroutine functions are awaited on the running event loop. Cancelling it closes every connection and ends
    every process; a call with the same name continues.

    Raises:
        TypeError: A setting is unknown.
        SpotuiError: The run could not begin.
    """
    with advice_for_python():
        run = _run(
            prompt,
            requirements=requirements,
            questions=questions,
            rows=rows,
            split=split,
            criteria=criteria,
            metric=metric,
            method=method,
            parameters=parameters,
            word_limit=word_limit,
            models=models,
            budget=budget,
            name=name,
            workspace=workspace,
            fresh=fresh,
            settings=settings,
        )
        picture = _watched(run, on_event)
        stopped = await run.go()
    return _optimization(run.project, picture, stopped)


def _run(
    prompt: str,
    *,
    requirements: str,
    questions: Questions | None,
    rows: Rows | None,
    split: Mapping[str, int | float] | None,
    criteria: str | Sequence[str] | None,
    metric: Metric | None,
    method: str | None,
    parameters: Mapping[str, Any] | None,
    word_limit: int | None,
    models: Models | None,
    budget: Budget | None,
    name: str | None,
    workspace: str | Path | None,
    fresh: bool,
    settings: Mapping[str, Any],
) -> Run:
    """The run that does it: a new one, or the one of that name with the same arguments."""
    launcher = Launcher(executor=function_of(models), metric=metric if callable(metric) else None)
    flags = flags_of(models, budget, settings)
    place = Workspace(expanded(workspace).absolute() if workspace else locations.workspace_dir())
    wanted = name or place.free_name(_NAME)
    with tempfile.TemporaryDirectory(prefix="spotui-") as folder:
        path = write_template(
            Path(folder),
            Path(wanted).name,
            prompt=prompt,
            requirements=requirements,
            questions=questions,
            rows=rows,
            split=split,
            criteria=criteria,
            metric=metric,
            word_limit=word_limit,
        )
        usual = "gpo" if metric is not None or criteria is not None else "spo"
        prepared = launcher.prepare(path, flags, method=method or usual, parameters=parameters)
        if not fresh and name is not None and place.project(name).is_ours:
            project = _same(place.project(name), prepared)
        else:
            project = launcher.new_project(place, wanted, prepared, fresh=fresh)
    return launcher.run(project)


def _same(project: Project, prepared: Prepared) -> Project:
    """A project whose run was started with the same arguments.

    Raises:
        SpotuiError: They were others.
    """
    other = difference(project, prepared)
    if not other and reopen(project).rows != prepared.rows:
        other = _("other rows")
    if other:
        raise SpotuiError(
            _("{name} was started with {other}.", name=project.name, other=other),
            _("Pass the same arguments to continue it, fresh=True to start over, or another name."),
        )
    return project


def _watched(run: Run, on_event: Callable[[Event], None] | None) -> Picture:
    picture = Picture()
    run.subscribe(picture.apply)
    if on_event is not None:
        run.subscribe(on_event)
    return picture


def _optimization(project: Project, picture: Picture, stopped: RunStopped) -> Optimization:
    gain: float | None = None
    interval: tuple[float, float] | None = None
    score: float | None = None
    if (tested := picture.tested) is not None:
        gain, interval, score = tested.difference, tested.difference_interval, tested.best_score
    elif isinstance(picture.check, FinalCheckFinished) and picture.check.win_rate is not None:
        gain = picture.check.win_rate - _EVEN
        if picture.check.win_interval is not None:
            low, high = picture.check.win_interval
            interval = low - _EVEN, high - _EVEN
    spent = picture.spending
    return Optimization(
        prompt=stopped.prompt,
        improved=stopped.improved,
        best=stopped.best,
        reason=stopped.reason,
        cause=stopped.cause,
        folder=project.folder,
        project=project.name,
        gain=gain,
        interval=interval,
        score=score,
        cost_usd=None if spent is None or spent.unpriced else spent.cost_usd,
        calls=0 if spent is None else spent.calls,
    )
