"""A template file that is being edited."""

from pathlib import Path

from spotui.locations import make_private
from spotui.template.model import TemplateError


class Draft:
    """What a file held when it was last read or written.

    Args:
        path: The file; it need not exist yet.

    Attributes:
        saved: Its text; None when there is no file yet.

    Raises:
        TemplateError: The file is there and cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved = self._read()

    @property
    def is_changed_elsewhere(self) -> bool:
        """Whether somebody else has changed the file since; one that cannot be read any more has changed."""
        try:
            return self._read() != self.saved
        except TemplateError:
            return True

    def reload(self) -> str:
        """Take the file's text again.

        Raises:
            TemplateError: It cannot be read.
        """
        self.saved = self._read()
        return self.saved or ""

    def save(self, text: str) -> None:
        """Write the file in one step; its folder is made when it is missing.

        Raises:
            TemplateError: It cannot be written.
        """
        from contextlib import suppress

        from spotui.template.save import save_text

        with suppress(OSError):  # saving says what is wrong with the folder
            make_private(self.path.parent)
        save_text(self.path, text)
        self.saved = text

    def _read(self) -> str | None:
        from spotui.template.read import read_text

        return read_text(self.path) if self.path.exists() else None
