"""From the arguments of one call to a template with its rows, and to the settings of its run."""

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _
from spotui.metrics.choose import is_own
from spotui.metrics.function import MODULE, name_of
from spotui.runs.launch import executor_of
from spotui.settings.locations import expanded
from spotui.settings.resolve import FLAGS, Flags
from spotui.settings.table import BY_KEY, ROLES
from spotui.templates.model import QA, Template
from spotui.templates.save import to_yaml

Questions = Mapping[str, str] | Sequence[str | tuple[str, str]]
"""Questions with their answers, or alone."""

Rows = Sequence[Mapping[str, Any]] | str | Path
"""Rows as mappings of columns, or a data file."""

Metric = str | Mapping[str, Any] | Callable[..., Any]
"""A metric's name, the same with options, or a function of an answer and a row."""

Models = str | Mapping[str, str | Mapping[str, Any] | Callable[..., Any]]
"""One model for all roles, or one for each: id or settings; the executor may be a program or a function."""

Budget = float | Mapping[str, float]
"""USD, or limits by their names: usd, tokens, calls, minutes."""

_ROWS: Final = "rows.jsonl"
_OWN_COLUMNS: Final = frozenset({"question", "answer", "answers", "split", "options", "messages", "turns"})
"""Columns that have a meaning without being named."""


def write_template(
    folder: Path,
    name: str,
    *,
    prompt: str,
    requirements: str,
    questions: Questions | None,
    rows: Rows | None,
    split: Mapping[str, int | float] | None,
    criteria: str | Sequence[str] | None,
    metric: Metric | None,
    word_limit: int | None,
) -> Path:
    """Write a template and its rows into a folder.

    Raises:
        SpotuiError: There are no questions, or something cannot be written as text.
    """
    if (questions is None) == (rows is None):
        raise SpotuiError(
            _("A prompt is optimized on questions or on rows, and either of them has to be given."),
            _("Pass questions={{'2 + 2?': '4'}}, or rows=[{{'question': …, 'answer': …}}]."),
        )
    data: dict[str, Any] = {}
    if rows is not None:
        data = {"path": _write_rows(folder, rows), **_columns_of(rows)}
    if split is not None:
        data["split"] = dict(split)
    template = Template(
        prompt=prompt,
        requirements=requirements,
        count=word_limit,
        qa=tuple(_pairs(questions)) if questions is not None else (),
        data=data or None,
        metric=_metric_of(metric),
        criteria=list(criteria) if criteria is not None and not isinstance(criteria, str) else criteria,
    )
    path = folder / f"{name}.yaml"
    path.write_text(to_yaml(template), encoding="utf-8")
    return path


def _pairs(questions: Questions) -> Iterator[QA]:
    if isinstance(questions, Mapping):
        yield from (QA(str(question), str(answer)) for question, answer in questions.items())
        return
    for one in questions:
        yield QA(one) if isinstance(one, str) else QA(str(one[0]), str(one[1]))


def _write_rows(folder: Path, rows: Rows) -> str:
    """Put the rows into the folder; the name of their file.

    Raises:
        SpotuiError: The file cannot be read, or a row holds what JSON cannot.
    """
    if isinstance(rows, str | Path):
        source = expanded(rows)
        try:
            shutil.copy(source, folder / source.name)
        except OSError as error:
            raise SpotuiError(
                _("{path} cannot be read: {why}.", path=source, why=error.strerror or error),
                _("Pass the path of a data file as rows."),
            ) from None
        return source.name
    try:
        lines = [msgspec.json.encode(dict(row)) for row in rows]
    except (TypeError, ValueError) as error:
        raise SpotuiError(
            _("A row cannot be written as JSON: {error}.", error=str(error).rstrip(".")),
            _("Pass mappings of column names to texts, numbers or lists."),
        ) from None
    (folder / _ROWS).write_bytes(b"".join(line + b"\n" for line in lines))
    return _ROWS


def _columns_of(rows: Rows) -> dict[str, dict[str, str]]:
    """The columns that every row has, so that prompts, metrics and programs can read them by name."""
    if isinstance(rows, str | Path) or not rows:
        return {}
    first, *others = ({*row} for row in rows)
    shared = first.intersection(*others) - _OWN_COLUMNS
    columns = {name: name for name in sorted(map(str, shared)) if name.isidentifier()}
    is_known = {"question", "messages"} & first
    return {"columns": columns} if columns and is_known else {}


def _metric_of(metric: Metric | None) -> Any:
    """What a template says of a metric.

    Raises:
        SpotuiError: It is a function by name, which is only looked for beside a template.
    """
    if callable(metric):
        return f"{MODULE}:{name_of(metric)}"
    if isinstance(metric, str) and is_own(metric):
        raise SpotuiError(
            _("The metric {name} is the name of a function.", name=metric),
            _("Import the function, and pass it itself: metric={name}.", name=metric.rpartition(":")[2]),
        )
    return dict(metric) if isinstance(metric, Mapping) else metric


def function_of(models: Models | None) -> Callable[..., Any] | None:
    """The Python function that is the executor, or None."""
    executor = models.get("executor") if isinstance(models, Mapping) else None
    return executor if callable(executor) else None


def flags_of(models: Models | None, budget: Budget | None, settings: Mapping[str, Any]) -> Flags:
    """The settings of a run.

    Raises:
        TypeError: A setting is unknown.
        SpotuiError: A role, a field of one, or a limit is unknown.
    """
    if unknown := settings.keys() - set(FLAGS):
        raise TypeError(_("optimize has no argument {unknown!r}.", unknown=min(unknown)))
    found = dict(settings)
    if isinstance(models, str):
        found["model"] = models
    elif models is not None:
        for role, wanted in models.items():
            found |= _of_role(role, wanted)
    if isinstance(budget, Mapping):
        for name, most in budget.items():
            _refuse_unknown(
                "budget", name, [one.rpartition(".")[2] for one in BY_KEY if one[:7] == "budget."]
            )
            found[f"budget_{name}"] = most
    elif budget is not None:
        found["budget_usd"] = budget
    return Flags(**found)


def _of_role(role: str, wanted: str | Mapping[str, Any] | Callable[..., Any]) -> dict[str, Any]:
    _refuse_unknown("models", role, ROLES)
    if callable(wanted):
        if role != "executor":
            raise SpotuiError(
                _("The {role} is a Python function, and only the executor can be one.", role=role),
                _("Pass a model id for it."),
            )
        return {"exec_model": executor_of(wanted)}
    if isinstance(wanted, str):
        wanted = {"model": wanted}
    places = {key.rpartition(".")[2]: key for key in BY_KEY if key.startswith(f"roles.{role}.")}
    if role == "executor":
        places |= {key.rpartition(".")[2]: key for key in BY_KEY if key.startswith("program.")}
    found: dict[str, Any] = {}
    for name, value in wanted.items():
        _refuse_unknown(f"models[{role!r}]", name, list(places))
        is_list = isinstance(value, list | tuple)
        found[BY_KEY[places[name]].flags[0]] = shlex.join(map(str, value)) if is_list else value
    return found


def _refuse_unknown(argument: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    meant = nearest(name, known)
    raise SpotuiError(
        _("{argument} has the key {name!r}, which means nothing.", argument=argument, name=name),
        _("Did you mean {meant}?", meant=meant) if meant else _("It takes {known}.", known=", ".join(known)),
    )
