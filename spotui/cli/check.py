"""spotui check FILE."""

import argparse
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.lang import _, as_asked, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spotui.runs.check import Checked
    from spotui.templates.data.load import Dataset
    from spotui.templates.data.record import RowFault
    from spotui.templates.model import Problem, Template


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """What `check` takes."""
    parser.add_argument(
        "template", metavar="FILE", help=_("a YAML file, or the name of your template or of an example")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("one JSON object: the mistakes, and the tokens of every text")
    )


def check_command(parsed: argparse.Namespace) -> int:
    """Print every mistake with key, line and hint; also check meta-prompts, the template's and the user's."""
    from spotui.engine.meta_prompts import folder_beside
    from spotui.methods import check_meta_prompts
    from spotui.runs.check import Checked, check
    from spotui.settings import locations
    from spotui.settings.resources import find_template
    from spotui.templates.model import TemplateError
    from spotui.templates.read import read_text

    path = find_template(parsed.template)
    try:
        checked = check(read_text(path))
    except TemplateError as error:
        checked = Checked("", error.problems)
    rows: Dataset | None = None
    faults: Sequence[RowFault] = ()
    if not checked.errors and checked.template is not None:
        lacks = [*_check_parameters(checked), *_check_data(checked, path)]
        lacks += _check_metric(checked, path)
        if not any(one.severity == "error" for one in lacks):
            rows, faults = _read_rows(path, checked.template)
        checked = checked._replace(problems=(*checked.problems, *lacks))
    if parsed.json:
        _print_json(path, checked, faults)
    else:
        _print(path, checked, rows, faults)
    if checked.errors or faults:
        return exit_codes.FAILED
    check_meta_prompts(folder_beside(path), locations.meta_prompts_dir())
    return exit_codes.OK


def _check_parameters(checked: "Checked") -> "list[Problem]":
    """Make sure that the method takes what the template tells it; what a run would still lack is a warning.

    Raises:
        SpotuiError: It does not.
    """
    template = checked.template
    if template is None or template.parameters is None:
        return []
    from spotui.methods import DEFAULT_METHOD, load_method
    from spotui.methods.parameters import read_parameters
    from spotui.templates.sections import parameters_of

    name = template.method or DEFAULT_METHOD
    method = load_method(name)
    parameters = read_parameters(name, method, parameters_of(template))
    if method.embeds is None or not method.embeds(parameters) or _has_embedding_model():
        return []
    from spotui.runs.prepare import EMBEDDING_HINT
    from spotui.templates.model import Problem
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.nodes import line_of

    what = _("The method asks an embedding model, and none is chosen.")
    return [
        Problem("warning", "parameters", line_of(load(checked.text), "parameters"), what, _(EMBEDDING_HINT))
    ]


def _check_data(checked: "Checked", path: "Path") -> "list[Problem]":
    """Name the data files that a run would ask about before it sends their rows."""
    if checked.template is None or checked.template.data is None:
        return []
    from spotui.runs.trust import outside_data
    from spotui.templates.model import Problem
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.nodes import line_of

    line = line_of(load(checked.text), "data")
    hint = _("A run asks you before it sends these rows to a model.")
    return [
        Problem("warning", "data", line, _("{found} is outside the template's folder.", found=found), hint)
        for found in outside_data(checked.template, path.parent)
    ]


def _has_embedding_model() -> bool:
    """Whether environment or config file name one; a wrong setting is not the template's mistake."""
    from spotui.domain.errors import SpotuiError
    from spotui.runs.launch import Launcher
    from spotui.settings.resolve import Flags

    try:
        return Launcher().settings(Flags()).settings.embedding_model is not None
    except SpotuiError:
        return True


def _check_metric(checked: "Checked", path: "Path") -> "list[Problem]":
    """Make sure that the metric can be made; the file of a custom one is only parsed."""
    template = checked.template
    if template is None or template.metric is None:
        return []
    from spotui.metrics.mark import MetricError
    from spotui.runs.task import metric_for

    try:
        metric_for(template, path.parent)
    except MetricError as error:
        from spotui.templates.model import Problem
        from spotui.templates.yaml.composer import load
        from spotui.templates.yaml.nodes import line_of

        return [Problem("error", "metric", line_of(load(checked.text), "metric"), error.what, error.hint)]
    return []


def _read_rows(path: "Path", template: "Template") -> "tuple[Dataset | None, Sequence[RowFault]]":
    """Every row that the template's data file holds, or what is wrong with some."""
    from spotui.templates.model import QA

    is_plain = all(one == QA(one.question, one.answer) for one in template.qa)
    if template.data is None and template.metric is None and is_plain:
        return None, ()
    from spotui.runs.task import attachments_of, questions_of, read_rows
    from spotui.templates.data.record import DataError

    attach = attachments_of(path.parent).attach
    try:
        if template.data is None and template.metric is None:
            questions_of(template, None, attach)
            return None, ()
        return read_rows(template, path.parent, attach=attach), ()
    except DataError as error:
        return None, error.faults


def _place(file: "Path | str", line: int) -> str:
    """Where something is; what concerns a whole file has no line."""
    return f"{file}:{line}" if line else str(file)


def _print(path: "Path", checked: "Checked", rows: "Dataset | None", faults: "Sequence[RowFault]") -> None:
    for problem in checked.problems:
        key = f"{problem.key}: " if problem.key else ""
        severity = _("error") if problem.severity == "error" else _("warning")
        print(f"{_place(path, problem.line)}: {severity}: {key}{problem.what}")
        if problem.hint:
            print(f"    {problem.hint}")
    for fault in faults:
        print(f"{_place(fault.file, fault.line)}: {_('error')}: {fault.what}")
        if fault.hint:
            print(f"    {fault.hint}")
    if errors := checked.errors + len(faults):
        print(ngettext("{n:,} error.", "{n:,} errors.", errors))
    elif rows is not None:
        _print_rows(path, rows)
    elif checked.template is not None:
        print(
            ngettext(
                "{path}: {n:,} question, no error.",
                "{path}: {n:,} questions, no error.",
                len(checked.template.qa),
                path=path,
            )
        )


def _print_rows(path: "Path", rows: "Dataset") -> None:
    for notice in rows.notices:
        print(f"{path}: {_('warning')}: {notice}")
    sizes = {"train": len(rows.train), "eval": len(rows.eval), "test": len(rows.test)}
    print(
        ngettext(
            "{path}: {n:,} row ({train} to write prompts from, {eval} to choose by, {test} to "
            "test on), no error.",
            "{path}: {n:,} rows ({train} to write prompts from, {eval} to choose by, {test} to "
            "test on), no error.",
            sum(sizes.values()),
            path=path,
            **sizes,
        )
    )


def _print_json(path: "Path", checked: "Checked", faults: "Sequence[RowFault]") -> None:
    import msgspec

    told = {
        "file": str(path),
        "problems": checked.problems,
        "rows": faults,
        "tokens": _tokens(checked.template) if checked.template else None,
    }
    print(msgspec.json.encode(told, enc_hook=as_asked).decode())


def _tokens(template: "Template") -> dict[str, object]:
    """The tokens of every text, by the tokenizer of the model that is to read it."""
    from spotui.domain.errors import SpotuiError
    from spotui.llm.tokens import DEFAULT_ENCODING, count_tokens, encoding_for
    from spotui.runs.launch import Launcher
    from spotui.settings.resolve import Flags

    try:
        settings = Launcher().settings(Flags(), template).settings
        encoding = encoding_for(settings.roles.executor.model)
    except SpotuiError:  # a wrong setting is not the template's mistake, and its texts can be counted
        encoding = DEFAULT_ENCODING

    def tokens(text: str) -> int:
        return count_tokens(text, encoding).tokens

    return {
        "encoding": encoding,
        "prompt": tokens(template.prompt),
        "requirements": tokens(template.requirements),
        "qa": [{"question": tokens(one.question), "answer": tokens(one.answer)} for one in template.qa],
    }
