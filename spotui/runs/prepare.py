"""From what the user says to a run that can go: the one place where settings, models and projects meet."""

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
from spotui.settings.resolve import Flags, Resolution, resolve, template_roles
from spotui.settings.run_settings import RunSettings
from spotui.templates.model import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from spotui.domain.events import Event
    from spotui.llm.connections import Connections, Connector
    from spotui.llm.door import Trouble
    from spotui.runs.judge_check import Calibration
    from spotui.runs.run import Run
    from spotui.runs.score import Ruler
    from spotui.workspace.judge_checks import CheckedJudge
    from spotui.workspace.projects import Project, Workspace


LIMITS = {
    "rounds": "max_rounds",
    "concurrency": "concurrency",
    "patience": "patience",
    "target_wins": "target_wins",
    **{kind: f"budget_{kind}" for kind in ("usd", "tokens", "calls", "minutes")},
}
"""What can be changed while a run goes on, and the flag of each."""


class Launcher:
    """What every front end needs to begin: the user's config file and the environment.

    Args:
        environ: The environment, the process's own when None.

    Raises:
        SettingsError: The config file is wrong.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.config: ConfigFile = load_config()
        self._named: set[str] = set()

    def settings(self, flags: Flags, template: Template | None = None) -> Resolution:
        """Settle every setting of a run.

        Raises:
            SettingsError: A flag, a variable or the template's `models` is wrong.
        """
        roles = template_roles(template.models) if template is not None and template.models else None
        found = resolve(flags, self.environ, roles, self.config)
        if found.settings.base_url:
            self._named.add(origin(found.settings.base_url))
        return found

    def limits(self, flags: Flags) -> dict[str, float | int | None]:
        """The limits that flags change on a run that has begun, as `Launcher.run` takes them.

        Raises:
            SettingsError: One of them is wrong.
        """
        values = self.settings(flags).settings.limits
        return {key: values[key] for key, flag in LIMITS.items() if getattr(flags, flag) is not None}

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

    def connector(self, settings: RunSettings) -> "Connector":
        """What finds the way to each model of these settings."""
        from spotui.llm.connections import Connector

        return Connector(
            settings,
            self.config.config,
            self.environ,
            models_dir=locations.models_dir(),
            log_dir=locations.log_dir(),
            is_trusted=self.is_trusted,
        )

    def connections(self, settings: RunSettings) -> "Connections":
        """The models of these settings, connected when first asked.

        Raises:
            UnknownPriceError: The budget is in USD, and nobody knows what one of the models costs.
        """
        from spotui.llm.connections import Connections

        connector = self.connector(settings)
        connector.check_budget()
        return Connections(connector.connect)

    def new_project(
        self,
        workspace: "Workspace",
        name: str,
        template_text: str,
        settings: RunSettings,
        *,
        template_name: str,
        template_path: Path | None = None,
        fresh: bool = False,
        method: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        rounds_chosen: bool = True,
        final_test: bool = True,
    ) -> "Project":
        """Set a run up, with the user's own meta-prompts where there are any.

        Args:
            workspace: Where.
            name: The project's name.
            template_text: The template.
            settings: What the run uses.
            template_name: What the template is called.
            template_path: Where it is, for what lies beside it: meta-prompts, rows, a metric; None when it is
                nowhere.
            fresh: Move an existing project of that name out of the way.
            method: Another method than the template's.
            parameters: What the method is told on top of what the template tells it.
            rounds_chosen: Whether somebody chose the number of rounds.
            final_test: Whether the run tests its best prompt on the test rows itself.

        Raises:
            UnknownPriceError: The budget is in USD, and nobody knows what one of the models costs.
            MetaPromptError: One of the user's is broken.
            TemplateError: The template is wrong.
            ProjectError: The name is taken, or the workspace cannot be written.
        """
        from spotui.runs.setup import choose, new_project
        from spotui.templates.read import parse_template

        if settings.base_url and origin(settings.base_url) in self._named:
            self.trust_address(settings.base_url)
        template = parse_template(template_text, template_name)
        choice = choose(template, settings, method, parameters, rounds_chosen=rounds_chosen)
        self.connector(choice.settings).check_budget()
        return new_project(
            workspace,
            name,
            template_text,
            settings,
            template_name=template_name,
            prompt_folders=_prompt_folders(template_path),
            fresh=fresh,
            folder=template_path.parent if template_path is not None else None,
            method=method,
            parameters=parameters,
            rounds_chosen=rounds_chosen,
            final_test=final_test,
        )

    def adopt(
        self,
        workspace: "Workspace",
        project: "Project",
        path: Path,
        settings: RunSettings,
        *,
        more_rounds: int,
    ) -> "Project":
        """Make a run of a workspace that SPO's own tool wrote, so that it can be continued.

        Args:
            workspace: Where it is.
            project: Written by SPO's own tool.
            path: The template it was made with.
            settings: What the run uses.
            more_rounds: Rounds to run after those that are there.

        Raises:
            SpotuiError: The template is wrong, or the workspace cannot be continued with it.
        """
        from spotui.runs.branch import adopt
        from spotui.templates.read import read_text

        self.connector(_without_embedding(settings)).check_budget()
        if settings.base_url and origin(settings.base_url) in self._named:
            self.trust_address(settings.base_url)
        return adopt(
            workspace,
            project,
            read_text(path),
            settings,
            template_name=path.name,
            folder=path.parent,
            prompt_folders=_prompt_folders(path),
            more_rounds=more_rounds,
        )

    def ruler(
        self,
        place: Path,
        template: Template,
        path: Path,
        settings: RunSettings,
        emit: "Callable[[Event], None]",
    ) -> "AbstractAsyncContextManager[Ruler]":
        """What measures prompts on a template's rows; what was measured before costs nothing.

        Args:
            place: Where that is kept.
            template: With rows.
            path: Where the template is.
            settings: What is used.
            emit: Told what happens.

        Raises:
            SpotuiError: The rows or the metric cannot be used.
        """
        from spotui.engine.task import Task
        from spotui.methods import meta_prompts
        from spotui.runs.score import open_ruler
        from spotui.runs.setup import with_scoring_models
        from spotui.runs.trust import refuse_outside_data
        from spotui.runs.work import criteria_for, marker_for, read_rows

        refuse_outside_data(template, path.parent)
        rows = read_rows(template, path.parent, seed=settings.seed)
        task = Task(
            prompt=template.prompt,
            requirements=template.requirements,
            questions=(),
            criteria=criteria_for(template),
            rows=rows,
            seed=settings.seed,
        )
        return open_ruler(
            place,
            rows=rows,
            task=task,
            marker=marker_for(template, path.parent),
            settings=settings,
            connections=self.connections(_without_embedding(with_scoring_models(template, settings))),
            meta=meta_prompts(*_prompt_folders(path)),
            emit=emit,
        )

    def judge_of(self, settings: RunSettings) -> "CheckedJudge":
        """The judge that these settings ask for, as checks of it are filed.

        Raises:
            SettingsError: One of its models leads nowhere.
        """
        from spotui.workspace.judge_checks import CheckedJudge

        return CheckedJudge(
            models=settings.panel,
            endpoints=self._endpoints(settings, settings.panel),
            judge=settings.judge,
            unit=settings.judge_unit,
            json=settings.judge_json,
        )

    def _endpoints(self, settings: RunSettings, models: "Iterable[str]") -> tuple[str, ...]:
        """Where each of these models is; empty where its id says it."""
        connector = self.connector(settings)
        return tuple(connector.way_to(model).endpoint.base_url or "" for model in models)

    async def calibrate(
        self, template: Template, path: Path, settings: RunSettings, emit: "Callable[[Event], None]"
    ) -> "Calibration":
        """Check the judge of these settings on a template, as `spotui judge-check` does, and remember it.

        Args:
            template: The template.
            path: Where it is, for its name and for what lies beside it.
            settings: What the run would use.
            emit: Told of every call.

        Raises:
            SpotuiError: A row cannot be used, a call failed for good, or the budget is spent.
        """
        import time

        from spotui.methods import meta_prompts
        from spotui.runs.judge_check import calibrate
        from spotui.runs.setup import draw_task
        from spotui.runs.trust import refuse_outside_data
        from spotui.workspace.judge_checks import JudgeCheck, calls_folder, remember_check

        folder, judge = locations.judge_checks_dir(), self.judge_of(settings)
        refuse_outside_data(template, path.parent)
        task = draw_task(template, path.parent, settings)
        meta = meta_prompts(*_prompt_folders(path))
        asked = (*settings.panel, settings.roles.executor.model)
        place = calls_folder(folder, path.stem, self._endpoints(settings, asked))
        connections = self.connections(_without_embedding(settings))
        try:
            found = await calibrate(task, settings, meta, connections, emit, place)
        finally:
            await connections.aclose()
        total, record = found.total, found.panel.together
        remember_check(
            folder,
            JudgeCheck(
                of=judge,
                template=path.stem,
                at=time.time(),
                comparisons=total.comparisons,
                settled=total.settled,
                pairs=record.pairs,
                flips=record.flips,
                fit=found.is_fit,
            ),
        )
        return found

    def run(
        self,
        project: "Project",
        *,
        on_trouble: "Trouble" = "halt",
        changes: Mapping[str, float | int | None] | None = None,
    ) -> "Run":
        """A run of a project.

        Args:
            project: A project of ours.
            on_trouble: What happens when a call fails for good: end the run, or wait for a person.
            changes: Limits that differ from those the run has.
        """
        from spotui.runs.run import Run

        return Run(project, self.connections, on_trouble=on_trouble, changes=changes)


def _without_embedding(settings: RunSettings) -> RunSettings:
    """The settings of what asks no embedding model, or of what may turn out to ask none."""
    return msgspec.structs.replace(settings, embedding_model=None)


def _prompt_folders(template: Path | None) -> list[Path]:
    """Where a user's meta-prompts are: beside the template, if it is a file, and in the config directory."""
    from spotui.engine.meta_prompts import folder_beside

    beside = [folder_beside(template)] if template is not None else []
    return [*beside, locations.meta_prompts_dir()]
