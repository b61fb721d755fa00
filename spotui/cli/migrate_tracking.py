"""What trackers are given of a migration: the runs that look for prompts, and its table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spotui.cli.tracking import GroupReports
    from spotui.domain.events import RunStopped
    from spotui.runs.run import Run
    from spotui.workspace.migration_file import MigrationFolder, MigrationRecord


class MigrationReports:
    """Works on the runs of a migration, and tells trackers what happens in them.

    Args:
        reports: What tells the trackers.
        folder: Where the migration is kept.
        template: The template's file.
        models: The new models.
    """

    def __init__(
        self, reports: "GroupReports", folder: "MigrationFolder", template: str, models: Sequence[str]
    ) -> None:
        from spotui.workspace.migration_file import file_name

        self._reports = reports
        self._folder = folder
        self._tags = {
            f"{folder.name}/{file_name(model)}": {"template": template, "model": model} for model in models
        }
        self._told: set[str] = set()

    async def serve(self, run: "Run") -> "RunStopped":
        """Work on a run to its end."""
        from spotui.cli.conduct import serve

        listener = self._reports.listen(run.project, self._tags[run.project.name])
        if listener is not None:
            self._told.add(run.project.name)
            run.subscribe(listener)
        return await serve(run)

    def conclude(self, record: "MigrationRecord") -> None:
        """Report what was found."""
        if not self._reports.is_wanted:
            return
        from spotui.view.migration import advice_in_words
        from spotui.view.report.html import as_html
        from spotui.view.report.of_migration import report_of_migration
        from spotui.wire.tracking.tables import migration_end, tried_figures

        for run in record.runs:
            project = self._folder.workspace.project(run.project)
            if project.name not in self._told:
                self._reports.retell(project, self._tags[project.name])
            if (tried := record.tried_with(run.model, "new")) is not None:
                self._reports.add(project.name, tried_figures(tried))
        ending, prompt = migration_end(record, advice_in_words(record))
        self._reports.end(ending, prompt, lambda: as_html(report_of_migration(self._folder)))
