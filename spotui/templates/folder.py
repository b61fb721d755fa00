"""The user's own templates: one YAML file each in one folder, made, renamed, copied, archived."""

import os
import re
from pathlib import Path
from typing import Final

from spotui.domain.errors import SpotuiError
from spotui.domain.records import now
from spotui.lang import N_, _
from spotui.settings.locations import make_private
from spotui.templates.read import read_text
from spotui.workspace.projects import ARCHIVE, is_name

_SUFFIXES = {".yaml", ".yml"}
_ARCHIVED = re.compile(r"(?P<name>.+)-\d{8}-\d{6}-\d{6}")

STARTER: Final = N_(
    """\
# Where the optimization begins. A model is sent this text, an empty line, and one question.
prompt: |
  Answer the question.

# What a good answer is like. Optimizer and evaluator read it: the clearer it is, the better the result.
requirements: |
  The answer is correct, in one or two sentences that a beginner understands.

# The most words that a prompt may have. None means no limit.
count: None

# What prompts are tried on. A round asks three of these; the others tell at the end whether the best prompt
# also helps where nobody tuned it. `answer` shows what a good answer could be; it may be None.
qa:
  - question: Why is the sky blue?
    answer: None
  - question: Why does ice float?
    answer: None
  - question: Why do leaves fall?
    answer: None
  - question: Why do cats purr?
    answer: None
  - question: Why is the sea salty?
    answer: None
"""
)
"""What a new template begins with."""


class TemplateNameError(SpotuiError):
    """A template cannot have a name."""


class TemplateFolder:
    """A folder of templates.

    Args:
        root: The folder; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def paths(self) -> list[Path]:
        """Every template, by name.

        Raises:
            OSError: The folder cannot be read.
        """
        if not self.root.is_dir():
            return []
        found = (path for path in self.root.iterdir() if path.suffix in _SUFFIXES and is_name(path.stem))
        return sorted(found, key=lambda path: path.stem.casefold())

    def free_name(self, wanted: str) -> str:
        """The wanted name, or with the first number behind it that is free."""
        number, name = 2, wanted
        while any(os.path.lexists(self.root / f"{name}{suffix}") for suffix in _SUFFIXES):
            name, number = f"{wanted}-{number}", number + 1
        return name

    def check_name(self, name: str) -> None:
        """Make sure that a new template could be called that.

        Raises:
            TemplateNameError: The name is taken or impossible.
        """
        self._free_path(name, ".yaml")

    def create(self, name: str, text: str = STARTER) -> Path:
        """Write a new template.

        Raises:
            TemplateNameError: The name is taken or impossible.
            TemplateError: The folder cannot be written.
            OSError: The folder cannot be made.
        """
        from spotui.templates.save import save_text  # the editor, which a look at the folder does not need

        path = self._free_path(name, ".yaml")
        make_private(self.root)
        save_text(path, text)
        return path

    def copy(self, source: Path, name: str) -> Path:
        """Write a copy of any template file into this folder.

        Raises:
            TemplateNameError: The name is taken or impossible.
            TemplateError: The source cannot be read, or the folder cannot be written.
            OSError: The folder cannot be made.
        """
        return self.create(name, read_text(source))

    def rename(self, path: Path, name: str) -> Path:
        """Give one of these templates another name.

        Raises:
            TemplateNameError: The name is taken or impossible.
            OSError: The folder cannot be written.
        """
        return path if name == path.stem else path.rename(self._free_path(name, path.suffix))

    def archive(self, path: Path) -> Path:
        """Move one of these templates out of the way; nothing is deleted.

        Returns:
            Where it is now.

        Raises:
            OSError: The folder cannot be written.
        """
        target = self.root / ARCHIVE / f"{path.stem}-{now():%Y%m%d-%H%M%S-%f}{path.suffix}"
        make_private(target.parent)
        return path.rename(target)

    def restore(self, path: Path) -> Path:
        """Bring a template back from the archive, under its old name or with a number behind it.

        Raises:
            OSError: It is not there any more, or the folder cannot be written.
        """
        match = _ARCHIVED.fullmatch(path.stem)
        name = self.free_name(match["name"] if match else path.stem)
        return path.rename(self.root / f"{name}{path.suffix}")

    def _free_path(self, name: str, suffix: str) -> Path:
        if not is_name(name):
            raise TemplateNameError(
                _("{name!r} cannot be a template's name.", name=name),
                _(
                    "Use letters, digits and spaces; no slash or backslash, and no dot, dash or space "
                    "in front."
                ),
            )
        if self.free_name(name) != name:
            raise TemplateNameError(
                _("There is a template {name!r} already.", name=name), _("Give another name.")
            )
        return self.root / f"{name}{suffix}"
