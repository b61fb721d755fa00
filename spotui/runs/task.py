"""From a template to what a run works on: its questions and rows, and what marks their answers."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.messages import JudgedOn, Position
from spotui.domain.rows import Row, slot_names
from spotui.engine import Question
from spotui.engine.context import Context
from spotui.engine.layout import Layout
from spotui.engine.marking import JudgeMarker, Marker, MetricMarker, OwnMarker, Scale
from spotui.engine.task import EDITION, NO_REQUIREMENTS, RowSet
from spotui.engine.wording import say
from spotui.metrics.choose import JUDGE, MetricChoice, make_metric, worker_choice
from spotui.metrics.mark import Metric
from spotui.runs.trust import StartMetric, start_trusted
from spotui.settings import locations
from spotui.settings.trust import may_be_sent
from spotui.templates.data.attachments import Attachments
from spotui.templates.data.conversation import Attach, Conversation, no_files, read_conversation
from spotui.templates.data.load import Dataset, load_dataset
from spotui.templates.data.record import BadRowError, DataError, RowFault
from spotui.templates.language import language_of
from spotui.templates.model import QA, Template
from spotui.templates.sections import (
    around,
    columns_of,
    criteria_of,
    has_file,
    judged_on,
    metric_of,
    source_of,
)

_OF_ONE_ANSWER: Final = ("number", "math", "multiple_choice", "yes_no", "label", "json", "word_list")
"""Metrics of tasks in which two different answers contradict each other."""


def read_rows(template: Template, folder: Path, *, seed: int = 0, attach: Attach = no_files) -> Dataset:
    """Read, check and split a template's rows.

    Args:
        template: What the rows are for.
        folder: Where it lies: the paths of its files begin there, and its own metric may lie there.
        seed: The run's.
        attach: Takes in the files that go with questions.

    Raises:
        TemplateError: What it says of rows or scores is wrong.
        MetricError: Its metric cannot be made.
        DataError: A row cannot be used.
    """
    metric, choice = metric_for(template, folder), metric_of(template)
    return load_dataset(
        source_of(template),
        folder,
        qa=[one.data for one in template.qa],
        slots=filled_slots(template),
        check=metric.fault if metric else _nothing,
        takes_objects=_takes_objects(choice),
        several_answers=_takes_several(choice),
        seed=seed,
        attach=attach,
    )


def draw_questions(count: int, sample: int, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The questions that the rounds ask and those that are held out, drawn once for a run.

    Args:
        count: Questions in the template.
        sample: How many a round asks.
        seed: The run's seed.

    Returns:
        Positions of the question set and of the held-out questions, both in the template's order.
    """
    chosen = set(random.Random(seed).sample(range(count), min(sample, count)))  # noqa: S311 - reproducible on purpose
    return tuple(sorted(chosen)), tuple(index for index in range(count) if index not in chosen)


def questions_of(
    template: Template, rows: Dataset | None, attach: Attach = no_files, *, filled: bool = True
) -> list[Question]:
    """The questions of a run: the rows that prompts are written from, or those in the template.

    Args:
        template: The template.
        rows: Its rows, if they were read.
        attach: Takes in the files that go with its questions.
        filled: Whether the prompt's slots are filled in either case; runs of the first edition filled them
            in rows only.
    """
    judged = judged_on(template) or "conversation"
    if rows is not None and template.data is not None:
        shown = columns_of(template) if filled else frozenset()
        return [
            Question(shown_question(row, judged), "\n".join(row.references), row, _context(row, shown))
            for row in rows.train
        ]
    if not filled:
        return [Question(one.question, one.answer) for one in template.qa]
    asked = [_row_of(number, one, attach) for number, one in enumerate(template.qa, 1)]
    return [Question(shown_question(one, judged), "\n".join(one.references), one) for one in asked]


def _row_of(number: int, pair: QA, attach: Attach) -> Row:
    """The row that a question of a template is; its answer stands as it is written."""
    try:
        said = read_conversation(pair.messages, attach) if pair.conversation else Conversation(pair.question)
        files = [attach(each, "") for each in pair.files]
    except BadRowError as bad:
        raise DataError([RowFault("qa", number, bad.what, bad.hint)]) from None
    answer = pair.answer or said.answer
    return Row(
        said.question,
        references=(answer,) if answer else (),
        history=said.history,
        turns=pair.turns,
        files=(*said.files, *files),
    )


def attachments_of(folder: Path) -> Attachments:
    """Takes in the files of a template's questions, from its folder, or where the user has agreed to."""
    home = folder.resolve()
    is_own = home == locations.templates_dir().resolve()
    return Attachments(folder, lambda path: is_own or may_be_sent(path, home))


def shown_question(row: Row, judged: JudgedOn) -> str:
    """A row's question as judge and optimizer read it."""
    return row.last_turn if judged == "last_answer" else row.asked


def slots_of(template: Template) -> frozenset[str]:
    """The slots of a template's prompt: columns of its data file, or the question where it lists questions.

    Other names in braces are text in a template that lists questions.
    """
    names = slot_names(template.prompt)
    return names if has_file(template) else names & {"question"}


def filled_slots(template: Template) -> frozenset[str]:
    """The slots that a row fills, those of the messages around the prompt included."""
    names = columns_of(template)
    return names if has_file(template) else names & {"question"}


def _context(row: Row, shown: frozenset[str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in row.slots.items() if name in shown)


def is_judged(template: Template) -> bool:
    """Whether the evaluator marks the answers to a template's rows.

    Raises:
        TemplateError: The template's metric is wrong.
    """
    choice = metric_of(template)
    return choice is None or choice.name == JUDGE


def metric_for(template: Template, folder: Path) -> Metric | None:
    """The metric of a template, or None when it names none, or the judge.

    Raises:
        TemplateError: What it says of it is wrong.
        MetricError: It cannot be made.
    """
    choice = metric_of(template)
    return make_metric(choice, folder) if choice and choice.name != JUDGE else None


def _takes_objects(choice: MetricChoice | None) -> bool:
    """Whether something can compare an answer with an object: a model, JSON values, or a custom function."""
    if choice is None or choice.name in (JUDGE, "json", "checks") or ":" in choice.name:
        return True
    return choice.inner is not None and _takes_objects(choice.inner)


def _takes_several(choice: MetricChoice | None) -> bool:
    """Whether rows that differ in their answers alone can all be right, as texts can and classes cannot."""
    innermost = choice
    while innermost is not None and innermost.inner is not None:
        innermost = innermost.inner
    return innermost is None or innermost.name not in _OF_ONE_ANSWER


def _nothing(row: Row) -> str:  # noqa: ARG001 - without a metric, nothing is wrong with any row
    return ""


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
    choice, judged = metric_of(template), judged_on(template)
    whole = judged == "conversation"
    inner = None if choice is None else worker_choice(choice)
    if choice is not None and inner is not None:
        worker = start_metric(inner, folder)
        tags = _tags(choice)
        return lambda context: OwnMarker(inner.name, worker, context.marks, tags, reads_conversation=whole)
    metric = metric_for(template, folder)
    if metric is not None:
        return lambda _: MetricMarker(metric, reads_conversation=whole)
    scale: Scale = choice.options.get("scale", "binary") if choice else "binary"
    criteria = criteria_for(template, edition)
    whole = judged != "last_answer"
    return lambda context: JudgeMarker(context.asker, context.meta, criteria, scale, reads_conversation=whole)


def _tags(choice: MetricChoice) -> list[str]:
    """The tags that a custom metric is inside of, the outermost first."""
    return [] if choice.inner is None else [choice.options["tag"], *_tags(choice.inner)]


def wording_of(template: Template, edition: int = EDITION) -> str:
    """The language of the pieces that are put into meta-prompts; earlier editions had them all in English.

    Args:
        template: The template.
        edition: The edition that a run keeps to.
    """
    return language_of(template) if edition > 6 else ""


def criteria_for(template: Template, edition: int = EDITION) -> str:
    """What answers are marked by, in words: the template's criteria, or else its requirements.

    Args:
        template: The template.
        edition: The edition that a run keeps to; from the third on, there is a text for neither.
    """
    given = "\n".join(criteria_of(template)) or template.requirements
    return given or (say(wording_of(template, edition), NO_REQUIREMENTS) if edition > 2 else "")


def layout_of(
    template: Template,
    position: Position | None,
    parameters: msgspec.Struct,
    rows: Dataset | None,
    seed: int,
) -> Layout:
    """How prompt and row become messages.

    Args:
        template: What may have messages around prompt and question.
        position: Where the prompt stands, if somebody said so; as the method has it otherwise.
        parameters: The method's.
        rows: Where solved rows are drawn from.
        seed: The run's.
    """
    usual, demos = Layout(), getattr(parameters, "few_shot_demos", 0)
    solved: tuple[Row, ...] = ()
    if demos and rows is not None:
        shown = RowSet("train", rows.train).draw(demos, seed=f"{seed}/demos").positions
        solved = tuple(rows.train[index] for index in shown)
    of_method: Position = getattr(parameters, "prompt_position", usual.position)
    return Layout(
        position=position or of_method,
        labels=getattr(parameters, "qa_labels", usual.labels),
        demos=solved,
        around=around(template),
    )
