"""From what the user says to a run that can go: the one place where settings, models and projects meet."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spotui import locations
from spotui.settings import ConfigFile, Flags, Resolution, load_config, resolve, template_roles
from spotui.settings.run_settings import RunSettings
from spotui.template import Template

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector
    from spotui.llm.connection import Connections
    from spotui.llm.door import Trouble
    from spotui.run.run import Run
    from spotui.workspace.projects import Project


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

    def settings(self, flags: Flags, template: Template | None = None) -> Resolution:
        """Settle every setting of a run.

        Raises:
            SettingsError: A flag, a variable or the template's `models` is wrong.
        """
        roles = template_roles(template.models) if template is not None and template.models else None
        return resolve(flags, self.environ, roles, self.config)

    def connector(self, settings: RunSettings) -> "Connector":
        """What finds the way to each model of these settings."""
        from spotui.llm.connecting import Connector

        return Connector(
            settings,
            self.config.config,
            self.environ,
            models_dir=locations.models_dir(),
            log_dir=locations.log_dir(),
        )

    def connections(self, settings: RunSettings) -> "Connections":
        """The models of these settings, connected when first asked."""
        from spotui.llm.connection import Connections

        return Connections(self.connector(settings).connect)

    def run(
        self,
        project: "Project",
        *,
        on_trouble: "Trouble" = "halt",
        changes: Mapping[str, float | int | None] | None = None,
    ) -> "Run":
        """A run of a project, with the user's own meta-prompts where there are any.

        Raises:
            MetaPromptError: One of them is broken.
        """
        from spotui.meta_prompts import MetaPrompts
        from spotui.run.run import Run

        return Run(
            project,
            self.connections,
            meta=MetaPrompts(locations.meta_prompts_dir()),
            on_trouble=on_trouble,
            changes=changes,
        )
