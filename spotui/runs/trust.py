"""What a template may reach outside of itself: only what the user has said yes to.

A template and a workspace are data, which may come from anybody. What looks at them (`check`, `estimate`,
`show`, `replay`, the app) never runs the Python file of a custom metric and sends no rows; what marks answers
runs the file only after an explicit yes, and what asks models reads a data file outside of the template's
folder only after one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from spotui.domain.errors import SpotuiError
from spotui.metrics import MetricChoice, make_metric, worker_choice
from spotui.metrics.custom import MetricFile, find_metric_file
from spotui.metrics.math import MATH, math_file
from spotui.metrics.worker import MetricWorker
from spotui.settings import locations
from spotui.settings.trust import VARIABLE, is_trusted, may_be_sent
from spotui.templates.model import Template
from spotui.templates.read import parse_template
from spotui.templates.sections import metric_of, source_of
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot

StartMetric = Callable[[MetricChoice, Path], MetricWorker | None]
"""Starts a custom metric that lies in a folder; None where only recorded marks are wanted."""

_TRUST: Final = (
    "Read it, and if you trust it, repeat the command with --trust {path} (or set {variable} to that path)."
)


class UntrustedError(SpotuiError):
    """The file of a custom metric that the user has not trusted as it is.

    Args:
        file: The file.
    """

    def __init__(self, file: MetricFile) -> None:
        super().__init__(
            f"{file.path} is Python code that you have not trusted as it is now, so the metric {file.name} "
            "does not run.",
            _TRUST.format(path=file.path, variable=VARIABLE),
        )
        self.file, self.path = file, file.path


class OutsideDataError(SpotuiError):
    """A data file outside of the template's folder that the user has not agreed to.

    Args:
        path: The file.
        folder: The template's folder.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(
            f"The template takes its rows from {path}, outside its folder {folder}, and would send them to a "
            "model.",
            f"If that is right, repeat the command with --trust {path} (or set {VARIABLE} to that path).",
        )
        self.path = path


def outside_data(template: Template, folder: Path) -> list[Path]:
    """The data files of a template that are outside of its folder, without links.

    What is in a hidden folder counts as outside: keys and histories are there. The user's folder of templates
    is filled by the user and the app only, so that its templates may name any file.

    Args:
        template: The template.
        folder: Where it is.

    Raises:
        TemplateError: What it says of its data is wrong.
    """
    home = folder.resolve()
    if template.data is None or home == locations.templates_dir().resolve():
        return []
    paths = [(folder / Path(name).expanduser()).resolve() for name in source_of(template).paths]
    return [path for path in paths if path.exists() and not _is_inside(path, home)]


def refuse_outside_data(template: Template, folder: Path) -> None:
    """Make sure that no rows are sent to a model from a file that the user has not agreed to.

    Args:
        template: The template.
        folder: Where it is.

    Raises:
        OutsideDataError: They would be.
        TemplateError: What it says of its data is wrong.
    """
    for path in outside_data(template, folder):
        if not may_be_sent(path, folder.resolve()):
            raise OutsideDataError(path, folder.resolve())


def _is_inside(path: Path, folder: Path) -> bool:
    if not path.is_relative_to(folder):
        return False
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def start_trusted(choice: MetricChoice, folder: Path) -> MetricWorker:
    """A metric that runs in a process: a custom one only when it is trusted, `math` always.

    Raises:
        MetricError: Its file is missing or wrong.
        UntrustedError: The user has not trusted it as it is.
    """
    if choice.name == MATH:
        make_metric(choice, folder)  # it says what is not installed
        return MetricWorker(math_file())
    file = find_metric_file(choice.name, folder)
    if not is_trusted(file.path, file.digest):
        raise UntrustedError(file)
    return MetricWorker(file, **_seconds(choice))


def only_recorded(choice: MetricChoice, folder: Path) -> None:
    """Start nothing: only marks that are recorded count."""


def metric_file(template: Template, folder: Path) -> MetricFile | None:
    """The file of a template's custom metric, or None when it has none; nothing in it is run.

    Args:
        template: The template.
        folder: Where it is.

    Raises:
        TemplateError: What the template says of its metric is wrong.
        MetricError: The file is missing or wrong.
    """
    choice = metric_of(template)
    own = None if choice is None else worker_choice(choice)
    return None if own is None or own.name == MATH else find_metric_file(own.name, folder)


def metric_file_of(project: Project) -> MetricFile | None:
    """The file of the custom metric that a project's run marks with, or None when it has none.

    Raises:
        SpotuiError: The project is damaged, or the file is missing or wrong.
    """
    snapshot = read_snapshot(project.snapshot)
    if not snapshot.template_folder:
        return None
    return metric_file(
        parse_template(snapshot.template, str(project.snapshot)), Path(snapshot.template_folder)
    )


def untrusted(file: MetricFile | None) -> MetricFile | None:
    """The file that the user has to be asked about, if there is one.

    Raises:
        SettingsError: The list of trusted files cannot be read.
    """
    return None if file is None or is_trusted(file.path, file.digest) else file


def _seconds(choice: MetricChoice) -> dict[str, float]:
    return {"seconds": choice.options["timeout"]} if "timeout" in choice.options else {}
