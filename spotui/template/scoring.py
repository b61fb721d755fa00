"""What a template says of method, rows and scores: `parameters`, `data`, `metric` and `criteria`."""

from collections.abc import Sequence
from typing import Any

from spotui.dataset import DataSource, read_source, slot_names
from spotui.errors import KeyFault
from spotui.marked_yaml.marks import MappingNode, Plain, line_of
from spotui.metrics import MetricChoice, read_choice
from spotui.nearest import nearest
from spotui.template.model import SCORING, Problem, Template, TemplateError, without_none
from spotui.template.report import Report


def check_scoring(report: Report, root: MappingNode, *, has_questions: bool) -> None:
    """Note what is wrong under `parameters`, `data`, `metric` and `criteria`.

    Args:
        report: Takes what is wrong.
        root: The whole file.
        has_questions: Whether it lists questions of its own.
    """
    for key in SCORING:
        entry = root.entries.get(key)
        for fault in _faults(key, entry.value.data(), has_questions=has_questions) if entry else ():
            place = (key, *fault.path)
            report.error(".".join(place), line_of(root, *place), fault.what, fault.mend)


def source_of(template: Template) -> DataSource:
    """Where a template's rows come from.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.data is None:
        return DataSource()
    source, faults = read_source(template.data, has_questions=bool(template.qa))
    _refuse("data", faults or misspelt_columns(template, source))
    return source


def has_file(template: Template) -> bool:
    """Whether a template's rows come from a file, and not from the questions that it lists."""
    return template.data is not None and bool(read_source(template.data, has_questions=True)[0].paths)


def misspelt_columns(template: Template, source: DataSource) -> list[KeyFault]:
    """The names under `columns` that are nearly those of something that has no column yet."""
    known = {"question", "answer", *slot_names(template.prompt)}
    missing = known - source.columns.keys()
    near = {name: nearest(name, missing) for name in source.columns if name not in known}
    return [
        KeyFault(("columns", name), f"`{name}` is not a slot of the prompt.", f"Did you mean `{meant}`?")
        for name, meant in near.items()
        if meant
    ]


def metric_of(template: Template) -> MetricChoice | None:
    """How a template's answers are scored, or None when it does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.metric is None:
        return None
    choice, faults = read_choice(template.metric)
    _refuse("metric", faults)
    return choice


def parameters_of(template: Template) -> dict[str, Any]:
    """What a template tells its method, by name; whether the method takes it, the method knows.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.parameters is None:
        return {}
    _refuse("parameters", _parameter_faults(template.parameters))
    return dict(template.parameters)


def criteria_of(template: Template) -> tuple[str, ...]:
    """What a judge looks for, none when the template does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.criteria is None:
        return ()
    _refuse("criteria", _criteria_faults(template.criteria))
    several = template.criteria if isinstance(template.criteria, list) else [template.criteria]
    return tuple(one.strip() for one in several if one is not None and without_none(one))


def _faults(key: str, data: Plain, *, has_questions: bool) -> Sequence[KeyFault]:
    if data is None or (isinstance(data, str) and not without_none(data)):
        return ()
    match key:
        case "data":
            return read_source(data, has_questions=has_questions)[1]
        case "metric":
            return read_choice(data)[1]
        case "parameters":
            return _parameter_faults(data)
        case _:
            return _criteria_faults(data)


def _criteria_faults(data: Plain) -> list[KeyFault]:
    mend = "Write one criterion, or a list of them, each a text."
    several = data if isinstance(data, list) else [data]
    return [
        KeyFault((), f"Criterion {number} is not a text.", mend)
        for number, one in enumerate(several, 1)
        if not isinstance(one, str | None)
    ]


def _parameter_faults(data: Plain) -> list[KeyFault]:
    mend = "Below `parameters:`, write lines such as `  candidates_per_step: 4`."
    if not isinstance(data, dict):
        return [KeyFault((), "`parameters` should be a mapping.", mend)]
    return [
        KeyFault((name,), f"The parameter `{name}` is no single value.", mend)
        for name, value in data.items()
        if isinstance(value, list | dict)
    ]


def _refuse(key: str, faults: Sequence[KeyFault]) -> None:
    if faults:
        problems = [
            Problem("error", ".".join((key, *fault.path)), 0, fault.what, fault.mend) for fault in faults
        ]
        raise TemplateError("template", problems)
