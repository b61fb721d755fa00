"""The projects in the trash, to be restored."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from spotui.domain.figures import moment
from spotui.lang import _
from spotui.tui.dialogs import Dialog
from spotui.tui.table_view import Column, Row, TableView
from spotui.workspace.moving import Archived

_COLUMNS = (Column("name"), Column("deleted", 12, is_number=True))


class ArchiveScreen(Dialog[Path]):
    """Gives back the folder of the project that is to come back, or None.

    Args:
        archived: What is in the archive, the newest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back", id="archive.back")]

    DEFAULT_CSS = """
    ArchiveScreen {
        & > Vertical { width: 60; max-width: 95%; max-height: 80%; padding: 0; }
        & TableView { height: auto; background: $surface; }
    }
    """

    def __init__(self, archived: Sequence[Archived]) -> None:
        super().__init__()
        self._found = list(archived)

    def compose(self) -> ComposeResult:
        """One row each."""
        with Vertical() as box:
            box.border_title = _("Trash")
            box.border_subtitle = _("enter restores, / filters, escape closes")
            yield TableView(_COLUMNS)

    def on_mount(self) -> None:
        """Fill the table."""
        self.fill()

    def fill(self) -> None:
        """Show one row each."""
        now = datetime.now().astimezone()
        self.query_one(TableView).show(
            [Row(str(one.folder), (one.name, moment(one.at, now))) for one in self._found]
        )

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Bring it back."""
        event.stop()
        self.dismiss(Path(event.key))
