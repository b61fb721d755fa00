"""What a project holds of how its run was started: light to import, for what only looks at it."""

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings.table import RunSettings, read_settings
from spotui.settings.values import InvalidSettingError
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import Snapshot


def settings_in(snapshot: Snapshot, project: Project) -> RunSettings:
    """The settings that a project's run was started with.

    Raises:
        SpotuiError: They are damaged.
    """
    try:
        return read_settings(snapshot.settings)
    except InvalidSettingError as error:
        raise SpotuiError(
            _(
                "The settings in {snapshot} are damaged: {error}.",
                snapshot=project.snapshot,
                error=str(error).rstrip("."),
            ),
            _("Restore it from a backup."),
        ) from None
