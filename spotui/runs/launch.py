"""The user's side of every run: config file, environment, trusted addresses, and the models they lead to."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from spotui.settings import locations
from spotui.settings.config_file import ConfigFile, load_config
from spotui.settings.errors import SettingsError
from spotui.settings.keys import is_trusted_address, origin, trust_address
from spotui.settings.programs import agree, is_agreed, program_of
from spotui.settings.resolve import Flags, Resolution, SourceKind, resolve, template_roles
from spotui.settings.table import FUNCTION_PREFIX, LIMITS, RunSettings
from spotui.settings.variables import let_go, may_go, variables_in
from spotui.templates.model import Template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spotui.domain.records import Line
    from spotui.llm.connections import Connections
    from spotui.llm.connector import Connector, MakeLimiter
    from spotui.llm.door import Trouble
    from spotui.metrics.choose import MetricChoice
    from spotui.metrics.function import Function
    from spotui.metrics.mark import OwnMetric
    from spotui.runs.means import Means
    from spotui.runs.prepare import Prepared, Purpose
    from spotui.runs.run import Run
    from spotui.runs.session import BatchMode
    from spotui.workspace.projects import Project, Workspace


def executor_of(function: "Function") -> str:
    """The model id of a Python function that answers in place of the executor's model."""
    from spotui.metrics.function import name_of

    return f"{FUNCTION_PREFIX}{name_of(function)}"


class Launcher:
    """The start of every front end: template and flags become a `Prepared`, and a project becomes a `Run`.

    Args:
        environ: The environment, the process's own when None.
        executor: A Python function that answers in place of the executor's model.
        metric: A Python function that marks answers, where the template names one as its metric.
        limiters: Makes the limits of endpoints, where several runs keep to them together.

    Raises:
        SettingsError: The config file is wrong.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        executor: "Function | None" = None,
        metric: "Function | None" = None,
        limiters: "MakeLimiter | None" = None,
    ) -> None:
        self._executor = executor
        self._metric = metric
        self._limiters = limiters
        self.environ = os.environ if environ is None else environ
        self.config: ConfigFile = load_config()
        self._named: set[str] = set()
        self._typed: set[str] = set()
        self._variables: set[str] = set()

    def settings(
        self, flags: Flags, template: Template | None = None, folder: Path | None = None
    ) -> Resolution:
        """Settle every setting of a run.

        Args:
            flags: The flags that were typed.
            template: The template, which may have settings of roles.
            folder: Where it is: a command that it names starts there.

        Raises:
            SettingsError: A flag, a variable or the template's `models` is wrong.
        """
        resolution = resolve(flags, self.environ, _settings_in(template), self.config)
        if resolution.settings.base_url:
            self._named.add(origin(resolution.settings.base_url))
        self._variables |= _variables_in(resolution.settings)  # no template can name one
        return self._with_program(resolution, folder)

    def _with_program(self, resolution: Resolution, folder: Path | None) -> Resolution:
        """The settings with the folder that a command starts in: there, its words mean what they say."""
        program = resolution.settings.program
        key = "program.url" if program.url else "program.command"
        if not (program.url or program.command):
            return resolution
        kind = resolution.sources[key].kind
        if program.command:
            of_config = Path(self.config.path).parent if self.config.path else None
            places = {SourceKind.TEMPLATE: folder, SourceKind.CONFIG: of_config}
            place = (places.get(kind) or Path()).resolve()
            program = msgspec.structs.replace(program, folder=str(place))
        if kind is not SourceKind.TEMPLATE and (named := program_of(program)) is not None:
            self._typed.add(named.digest)
        settings = msgspec.structs.replace(resolution.settings, program=program)
        return resolution._replace(settings=settings)

    def limits(self, flags: Flags) -> dict[str, float | int | None]:
        """The limits that flags change on a run that has begun, as `Launcher.run` takes them.

        Raises:
            SettingsError: One of them is wrong.
        """
        values = self.settings(flags).settings.limits
        return {name: values[name] for name, setting in LIMITS.items() if setting.flags[0] in flags}

    def prepare(
        self,
        path: Path,
        flags: Flags,
        *,
        method: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        purpose: "Purpose" = "run",
        prompt: str | None = None,
    ) -> "Prepared":
        """Settle what is run on a template, and how; no model is asked, and nothing is written.

        Args:
            path: The template's file; meta-prompts, rows and a custom metric may lie beside it.
            flags: The settings that were typed.
            method: Another method than the template's.
            parameters: Parameters on top of the template's.
            purpose: What it is prepared for.
            prompt: Another seed prompt than the template's.

        Raises:
            SpotuiError: Template, settings, method, parameters, rows or a meta-prompt cannot be used.
        """
        from spotui.engine.meta_prompts import folder_beside
        from spotui.runs.prepare import prepare
        from spotui.templates.read import parse_template, read_text, refuse_misread
        from spotui.templates.save import edit_yaml

        text = read_text(path)
        template = parse_template(text, path.name)
        refuse_misread(text, path.name)
        if prompt is not None and prompt != template.prompt:
            template = msgspec.structs.replace(template, prompt=prompt)
            text = edit_yaml(text, template, path.name)
        return prepare(
            template,
            text,
            path,
            _untracked(self.settings(flags, template, path.parent)),
            method=method,
            parameters=parameters,
            purpose=purpose,
            prompt_folders=(folder_beside(path), locations.meta_prompts_dir()),
        )

    def new_project(
        self,
        workspace: "Workspace",
        name: str,
        prepared: "Prepared",
        *,
        fresh: bool = False,
        lines: "Iterable[Line]" = (),
    ) -> "Project":
        """Make the project of a run, which may then send keys to the base URL that the user named for it.

        Args:
            workspace: Where it goes.
            name: Its name.
            prepared: What was prepared for a run.
            fresh: Move an existing project of that name to the archive.
            lines: The first lines of its journal.

        Raises:
            UnknownPriceError: The budget is in USD, and the price of a model is unknown.
            ModelError: The batches that a role asks for cannot be used.
            OutsideDataError: The rows are in a file that the user has not agreed to send.
            ProjectError: The name is taken, or the workspace cannot be written.
        """
        from spotui.runs.snapshots import new_project

        connector = self.connector(prepared.settings)
        connector.check_budget()
        connector.check_batches()
        if prepared.settings.base_url:
            self.trust_address(prepared.settings.base_url)
        self.trust_typed_program(prepared.settings)
        self._let_variables_go(prepared.settings)
        return new_project(workspace, name, prepared, fresh=fresh, lines=lines)

    def run(
        self,
        project: "Project",
        *,
        on_trouble: "Trouble" = "halt",
        changes: Mapping[str, float | int | None] | None = None,
        means: "Means | None" = None,
        batch_mode: "BatchMode | None" = None,
    ) -> "Run":
        """A run of a project.

        Args:
            project: A project of spotui.
            on_trouble: What happens when the retries of a call end: the run ends, or waits for a person.
            changes: Limits that differ from those the run has.
            means: What it shares with other runs; None where it shares nothing.
            batch_mode: How it works with batches; None to wait for each.
        """
        from spotui.runs.means import ALONE
        from spotui.runs.run import Run
        from spotui.runs.session import BatchMode

        return Run(
            project,
            self.connections,
            on_trouble=on_trouble,
            changes=changes,
            start_metric=self._start_metric,
            means=means or ALONE,
            batch_mode=batch_mode or BatchMode(),
        )

    def _start_metric(self, choice: "MetricChoice", folder: Path) -> "OwnMetric":
        from spotui.metrics.function import FunctionMetric, is_function
        from spotui.runs.trust import start_trusted

        if self._metric is not None and is_function(choice.name):
            return FunctionMetric(self._metric)
        return start_trusted(choice, folder)

    def connections(self, settings: RunSettings) -> "Connections":
        """The models of these settings, connected when first asked.

        Raises:
            UnknownPriceError: The budget is in USD, and the price of a model is unknown.
        """
        from spotui.llm.connections import Connections

        connector = self.connector(settings)
        connector.check_budget()
        return Connections(connector.connect)

    def connector(self, settings: RunSettings) -> "Connector":
        """Finds the endpoint and the price of each model of these settings."""
        from spotui.llm.connector import Connector

        return Connector(
            settings,
            self.config.config,
            self.environ,
            models_dir=locations.models_dir(),
            log_dir=locations.log_dir(),
            is_trusted=self.is_trusted,
            is_agreed=lambda program: program.digest in self._typed or is_agreed(program, self.environ),
            functions={} if self._executor is None else {executor_of(self._executor): self._executor},
            may_send=self._may_send,
            limiters=self._limiters,
        )

    def _may_send(self, name: str, server: str) -> bool:
        """Whether the value of a variable may go to a server: the user has named both now, or before."""
        if name not in self._variables:
            self._variables |= _variables_in(resolve(Flags(), self.environ, {}, self.config).settings)
        return name in self._variables or may_go(name, server)

    def _let_variables_go(self, settings: RunSettings) -> None:
        """Remember the variables that the user has named, and where they go, so that a run can be resumed."""
        if not _variables_in(settings):
            return
        pairs = self.connector(settings).sent_variables()
        with suppress(SettingsError):
            let_go((name, server) for name, server in pairs if name in self._variables)

    def agree_to(self, settings: RunSettings) -> None:
        """Take addresses, variables and the program in these settings as named by the user, in this process.

        Somebody has asked the user about them elsewhere; nothing is remembered here.
        """
        if settings.base_url:
            self._named.add(origin(settings.base_url))
        self._variables |= _variables_in(settings)
        if (program := program_of(settings.program)) is not None:
            self._typed.add(program.digest)

    def trust_typed_program(self, settings: RunSettings) -> None:
        """Remember the program that the user has named, not a template, so that its run can be resumed."""
        program = program_of(settings.program)
        if program is not None and program.digest in self._typed:
            with suppress(SettingsError):
                agree(program)

    def is_trusted(self, url: str) -> bool:
        """Whether a key may be sent to an address: the user has named it now, or before.

        Raises:
            SettingsError: The list of addresses cannot be read.
        """
        return origin(url) in self._named or is_trusted_address(url, self.config.config, self.environ)

    def trust_address(self, url: str) -> None:
        """Let keys be sent to an address that the user has named, now and when a run is resumed."""
        self._named.add(origin(url))
        # Where nothing can be written, the user names it again the next time.
        with suppress(SettingsError):
            trust_address(url)


def _untracked(resolution: Resolution) -> Resolution:
    """The settings that belong to a run: what this machine reports to does not."""
    return resolution._replace(settings=msgspec.structs.replace(resolution.settings, track=None))


def _variables_in(settings: RunSettings) -> frozenset[str]:
    """The environment variables that requests of any role take values from."""
    roles = settings.roles
    texts = [
        text
        for one in (roles.optimizer, roles.evaluator, roles.executor)
        for text in (one.headers, one.query)
    ]
    return frozenset[str]().union(*map(variables_in, texts))


def _settings_in(template: Template | None) -> Mapping[str, object]:
    """The settings that a template has, by their keys."""
    if template is None:
        return {}
    roles = template_roles(template.models) if template.models else {}
    from spotui.templates.sections import is_paper, position_of

    found: dict[str, object] = {**roles}
    if template.position is not None:
        found["run.position"] = position_of(template)
    if is_paper(template):
        found["run.judge"] = "reference"
    return found
