"""What a template may reach outside of itself: only what the user has said yes to.

A template and a workspace are data, which may come from anybody. What looks at them (`check`, `estimate`,
`show`, `replay`, the app) never runs the Python file of a custom metric or a program and sends no rows; what
marks answers runs the file only after an explicit yes, and what asks models sends rows of a data file outside
of the template's folder, and asks a program in place of a model, only after one.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.metrics.choose import MATH, MetricChoice, make_metric, worker_choice
from spotui.metrics.custom import MetricFile, find_metric_file
from spotui.metrics.function import is_function, not_here
from spotui.metrics.mark import OwnMetric
from spotui.metrics.math import math_file
from spotui.metrics.worker import MetricWorker
from spotui.settings import locations
from spotui.settings.locations import expanded
from spotui.settings.programs import Program, agree, is_agreed, program_of
from spotui.settings.resolve import template_roles
from spotui.settings.table import ProgramSettings, RunSettings
from spotui.settings.trust import VARIABLE, allow_sending, is_trusted, may_be_sent, trust
from spotui.templates.model import Template
from spotui.templates.read import parse_template
from spotui.templates.sections import metric_of, source_of
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot
from spotui.workspace.stored_settings import settings_in

StartMetric = Callable[[MetricChoice, Path], OwnMetric | None]
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
            _(
                "{file} is Python code that you have not trusted as it is now, so the metric {file2} "
                "does not run.",
                file=file.path,
                file2=file.name,
            ),
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
            _(
                "The template takes its rows from {path}, outside its folder {folder}, and would "
                "send them to a model.",
                path=path,
                folder=folder,
            ),
            _(
                "If that is right, repeat the command with --trust {path} (or set {variable} to that path).",
                path=path,
                variable=VARIABLE,
            ),
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
    paths = [_without_links(folder, name) for name in source_of(template).paths]
    return [path for path in paths if path is not None and path.exists() and not _is_inside(path, home)]


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


def _without_links(folder: Path, name: str) -> Path | None:
    """The file that a template names; None where no path is so, and whoever reads it says why."""
    try:
        return (folder / expanded(name)).resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, no such user, no character of a path
        return None


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
    if is_function(choice.name):
        raise not_here(choice.name)
    if choice.name == MATH:
        make_metric(choice, folder)  # it says what is not installed
        return MetricWorker(math_file())
    file = find_metric_file(choice.name, folder)
    if not is_trusted(file.path, file.digest):
        raise UntrustedError(file)
    return MetricWorker(file, **metric_seconds(choice))


def only_recorded(choice: MetricChoice, folder: Path) -> None:
    """Start nothing: only marks that are recorded count."""


class Reach(NamedTuple):
    """The files that a run uses only after the user has agreed to each.

    Attributes:
        folder: The template's folder, without links.
        metric: The Python file of a custom metric; None when there is none.
        data: Data files outside of the folder.
        program: The program in place of the executor's model; None when there is none.
    """

    folder: Path
    metric: MetricFile | None
    data: tuple[Path, ...] = ()
    program: Program | None = None

    @property
    def open(self) -> "Reach":
        """Those that the user has not agreed to yet.

        Raises:
            SettingsError: The list of trusted files cannot be read.
        """
        metric = self.metric
        if metric is not None and is_trusted(metric.path, metric.digest):
            metric = None
        data = tuple(path for path in self.data if not may_be_sent(path, self.folder))
        program = None if self.program is None or is_agreed(self.program) else self.program
        return self._replace(metric=metric, data=data, program=program)

    def allow_named(self, names: Iterable[str | Path]) -> None:
        """Agree to the files that the user names, now and in later runs.

        Raises:
            UnusedTrustError: One of them is not used.
            SettingsError: The list of trusted files cannot be written.
        """
        places = {_place(name): name for name in names}
        used = [
            *([str(self.metric.path)] if self.metric else []),
            *([self.program.location] if self.program else []),
            *map(str, self.data),
        ]
        for place, name in places.items():
            if place not in used:
                raise UnusedTrustError(name, used)
        for place in places:
            if self.program is not None and place == self.program.location:
                agree(self.program)
            if place in {str(self.metric.path) if self.metric else "", *map(str, self.data)}:
                self.allow(Path(place))

    def allow(self, path: Path) -> None:
        """Agree to the file of the metric, or to a data file, now and in later runs."""
        if self.metric is not None and path == self.metric.path:
            trust(path, self.metric.digest)
        else:
            allow_sending(path, self.folder)


def _place(name: str | Path) -> str:
    """What a person names, as it is remembered: an address, or a path without links."""
    return str(name) if "://" in str(name) else str(expanded(name).resolve())


class UnusedTrustError(SpotuiError):
    """A file that the user has agreed to, and that nothing uses.

    Args:
        name: The file as the user named it.
        used: The files that can be named.
    """

    def __init__(self, name: str | Path, used: Sequence[str]) -> None:
        what = _("--trust names {name}, but no file here needs it.", name=name)
        if used:
            files = ", ".join(used)
            what = _("--trust names {name}, but the files that need it are {files}.", name=name, files=files)
        super().__init__(what, _("Correct the path, or leave --trust out."))


def reach_of(template: Template, folder: Path, settings: RunSettings | None = None) -> Reach:
    """What a run on a template needs the user to agree to; nothing of it is run.

    Args:
        template: The template.
        folder: Where it is.
        settings: Those of the run; None for what the template says alone.

    Raises:
        TemplateError: The template's metric or data is wrong.
        MetricError: The file of the metric is missing or wrong.
    """
    program = _named_program(template, folder) if settings is None else settings.program
    return Reach(
        folder.resolve(),
        _metric_file(template, folder),
        tuple(outside_data(template, folder)),
        program_of(program),
    )


def reach_of_project(project: Project) -> Reach:
    """The custom metric and the program of a project's run; its rows are copies that may be sent.

    Raises:
        SpotuiError: The project is damaged, or the file is missing or wrong.
    """
    snapshot, reach = read_snapshot(project.snapshot), program_reach(project)
    if not snapshot.template_folder:
        return reach
    template, folder = parse_template(snapshot.template, str(project.snapshot)), snapshot.template_folder
    return reach._replace(metric=_metric_file(template, Path(folder)))


def program_reach(project: Project) -> Reach:
    """The program of a project's run alone, as an answer needs it that nothing marks.

    Raises:
        SpotuiError: The project is damaged.
    """
    settings = settings_in(read_snapshot(project.snapshot), project)
    return Reach(project.folder, None, program=program_of(settings.program))


def _named_program(template: Template, folder: Path) -> ProgramSettings:
    """The program that a template names.

    Raises:
        SettingsError: What it says of its models is wrong.
    """
    values = template_roles(template.models) if template.models else {}
    named = {name: values.get(f"program.{name}") for name in ("command", "url")}
    return msgspec.convert({**named, "folder": str(folder.resolve())}, ProgramSettings)


def _metric_file(template: Template, folder: Path) -> MetricFile | None:
    choice = metric_of(template)
    inner = None if choice is None else worker_choice(choice)
    if inner is None or inner.name == MATH or is_function(inner.name):
        return None
    return find_metric_file(inner.name, folder)


def metric_seconds(choice: MetricChoice) -> dict[str, float]:
    """The time that a template gives its custom metric, as an argument of `MetricWorker`."""
    return {"seconds": choice.options["timeout"]} if "timeout" in choice.options else {}
