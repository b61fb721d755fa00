"""What a project's run works on, read back from its files: method, parameters, task and metric."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from spotui.dataset import Row, slot_names
from spotui.engine import Task
from spotui.engine.context import Context
from spotui.engine.layout import Layout
from spotui.engine.marking import JudgeMarker, Marker, MetricMarker, OwnMarker, Scale
from spotui.engine.rows import RowSet
from spotui.engine.task import EDITION, NO_REQUIREMENTS
from spotui.methods import load_method
from spotui.methods.method import Method
from spotui.methods.parameters import read_parameters
from spotui.metrics import MetricChoice, worker_choice
from spotui.run.rows import metric_for, questions_of, slots_of
from spotui.run.trusting import StartMetric, start_trusted
from spotui.settings.run_settings import RunSettings
from spotui.template import Template, parse_template
from spotui.template.scoring import criteria_of, metric_of
from spotui.workspace.projects import Project
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import Snapshot, SnapshotError


class Work(msgspec.Struct, frozen=True):
    """What a run does, and on what.

    Attributes:
        method: The method.
        parameters: What it is told.
        task: The template as the run sees it.
        marker: Makes what marks the answers of rows; None when there are no rows, or when nothing says how to
            mark them and the method does not ask.
        metric: What that is called; empty when there is none.
        layout: How prompt and row become a message.
        final_test: Whether the best prompt is tested on the rows that nothing has seen.
    """

    method: Method
    parameters: msgspec.Struct
    task: Task
    marker: Callable[[Context], Marker] | None
    metric: str
    layout: Layout
    final_test: bool = True

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each split; empty when there are none."""
        rows = self.task.rows
        return (
            {} if rows is None else {"train": len(rows.train), "eval": len(rows.eval), "test": len(rows.test)}
        )


def load_work(
    snapshot: Snapshot, project: Project, settings: RunSettings, start_metric: StartMetric = start_trusted
) -> Work:
    """What a project's run works on.

    Args:
        snapshot: What the run was started with.
        project: The project.
        settings: What the run uses.
        start_metric: Starts a custom metric.

    Raises:
        TemplateError: The template in the snapshot is damaged.
        SnapshotError: The rows are.
        MetricError: The metric cannot be made any more.
        UntrustedError: The user has not trusted the file of the metric as it is.
        SpotuiError: The method is not there any more, or it cannot be told that.
    """
    method = load_method(snapshot.method)
    parameters = read_parameters(snapshot.method, method, snapshot.parameters)
    template = parse_template(snapshot.template, str(project.snapshot))
    task = load_task(template, snapshot, project, settings, scores=method.scores)
    marker, metric = None, ""
    if task.rows is not None and (method.scores or template.metric or template.criteria):
        folder = Path(snapshot.template_folder)
        marker = marker_for(template, folder, start_metric, edition=snapshot.edition)
        choice = metric_of(template)
        metric = choice.name if choice else "judge"
    return Work(method, parameters, task, marker, metric, layout_of(parameters, task), snapshot.final_test)


def load_task(
    template: Template, snapshot: Snapshot, project: Project, settings: RunSettings, *, scores: bool
) -> Task:
    """The task a project holds.

    Args:
        template: The template in the snapshot.
        snapshot: The snapshot.
        project: The project.
        settings: What the run uses.
        scores: Whether the method scores prompts on rows; those that do have always kept the slots.

    Raises:
        SnapshotError: Its rows are damaged.
    """
    rows = read_rows_file(project.rows)
    filled = snapshot.edition > 1
    pool = questions_of(template, rows, filled=filled)
    is_known = all(0 <= index < len(pool) for index in (*snapshot.questions, *snapshot.held_out))
    if not is_known or (pool and not snapshot.questions):
        raise SnapshotError(
            f"{project.snapshot} is damaged: its questions are not those of the template.",
            "Restore it from a backup.",
        )
    return Task(
        prompt=template.prompt,
        requirements=template.requirements,
        questions=tuple(pool[index] for index in snapshot.questions),
        held_out=tuple(pool[index] for index in snapshot.held_out),
        word_limit=template.count,
        reference_answers=settings.reference_answers,
        criteria=criteria_for(template, snapshot.edition),
        rows=rows,
        seed=settings.seed,
        edition=snapshot.edition,
        slots=_slots(template, filled=filled, scores=scores),
    )


def _slots(template: Template, *, filled: bool, scores: bool) -> frozenset[str] | None:
    if filled:
        return slots_of(template)
    return slot_names(template.prompt) if scores else None


def marker_for(
    template: Template, folder: Path, start_metric: StartMetric = start_trusted, *, edition: int = EDITION
) -> Callable[[Context], Marker]:
    """What marks the answers of a template's rows: its metric, or the evaluator by its criteria.

    Args:
        template: The template; without criteria, its requirements are the criteria.
        folder: Where it lies.
        start_metric: Starts a custom metric.
        edition: The edition that a run keeps to.

    Raises:
        TemplateError: What the template says of it is wrong.
        MetricError: The metric cannot be made.
        UntrustedError: The user has not trusted the file of a custom metric as it is.
    """
    choice = metric_of(template)
    inner = None if choice is None else worker_choice(choice)
    if choice is not None and inner is not None:
        worker = start_metric(inner, folder)
        return lambda context: OwnMarker(inner.name, worker, context.marks, _tags(choice))
    metric = metric_for(template, folder)
    if metric is not None:
        return lambda _: MetricMarker(metric)
    scale: Scale = choice.options.get("scale", "binary") if choice else "binary"
    criteria = criteria_for(template, edition)
    return lambda context: JudgeMarker(context.asker, context.meta, criteria, scale)


def _tags(choice: MetricChoice) -> list[str]:
    """The tags that a custom metric is inside of, the outermost first."""
    return [] if choice.inner is None else [choice.options["tag"], *_tags(choice.inner)]


def criteria_for(template: Template, edition: int = EDITION) -> str:
    """What answers are marked by, in words: the template's criteria, or else its requirements.

    Args:
        template: The template.
        edition: The edition that a run keeps to; from the third on, there is a text for neither.
    """
    given = "\n".join(criteria_of(template)) or template.requirements
    return given or (NO_REQUIREMENTS if edition > 2 else "")


def layout_of(parameters: msgspec.Struct, task: Task) -> Layout:
    """Where a prompt stands, as far as the parameters say it; before the question otherwise."""
    usual, demos = Layout(), getattr(parameters, "few_shot_demos", 0)
    solved: tuple[Row, ...] = ()
    if demos and task.rows is not None:
        shown = RowSet("train", task.rows.train).draw(demos, seed=f"{task.seed}/demos").positions
        solved = tuple(task.rows.train[index] for index in shown)
    return Layout(
        position=getattr(parameters, "prompt_position", usual.position),
        labels=getattr(parameters, "qa_labels", usual.labels),
        demos=solved,
    )
