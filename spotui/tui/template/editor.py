"""Text areas that do not blink, whose text can be made another one without losing the cursor."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, SuspendNotSupported
from textual.content import Content
from textual.events import Key
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _, ngettext
from spotui.templates.model import Problem
from spotui.tui.page import Bar
from spotui.view.template_text import NO_BLOCK, Part, indent_below, read_line
from spotui.view.word_diff import one_change


class TextBox(TextArea):
    """A text area as all ours are."""

    DEFAULT_CSS = """
    TextBox {
        background: $background;
        & .text-area--cursor-line { background: $surface; }
        & .text-area--placeholder { color: $text-disabled; }
    }
    """

    def on_mount(self) -> None:
        """A cursor that blinks sends bytes for ever."""
        self.cursor_blink = False

    def change_to(self, text: str) -> None:
        """Make the text another one, as one edit that can be undone; only what differs is replaced."""
        old, new = "\n".join(self.document.lines), text.replace("\r\n", "\n")
        if old != new:
            start, end, written = one_change(old, new)
            self.replace(written, _location(old, start), _location(old, end))


class Field(TextBox):
    """A text of the template.

    Args:
        label: What it is called.
        id: Its id.
    """

    DEFAULT_CSS = "Field { height: auto; min-height: 3; max-height: 10; padding: 0 1; }"

    @dataclass
    class UndoWanted(Message):
        """Undo or redo: the text below the form remembers, so that one key undoes what both have done."""

        redo: bool

    def __init__(self, label: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, highlight_cursor_line=False, classes="framed")
        self.border_title = label
        self._given = self._loaded = ""

    @property
    def value(self) -> str:
        """The text; one that was not touched is what was given, to the letter."""
        return self._given if self.text == self._loaded else self.text

    def give(self, value: str) -> None:
        """Show a value, and keep the cursor where it is."""
        if value == self.value:
            return
        self.read_only = False
        self.change_to(value)
        self._given, self._loaded = value, self.text
        # Separators that are line ends here and nowhere else would be lost by an edit.
        self.read_only = self.text != value

    def undo(self) -> None:
        """Ask for an undo."""
        self.post_message(self.UndoWanted(redo=False))

    def redo(self) -> None:
        """Ask for a redo."""
        self.post_message(self.UndoWanted(redo=True))


def _location(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1


_SEVERITIES = {"error": N_("Error"), "warning": N_("Warning")}
_TONES = {"error": "bold $text-error", "warning": "bold $text-warning"}


class ProblemBar(Bar):
    """The problem of the line that the cursor is on, or else the first, and how many there are."""

    DEFAULT_CSS = "ProblemBar { max-height: 4; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Sequence[Problem], int] = ((), 0)

    def forget(self) -> None:
        """Show what is known next, even if it is the same in another language."""
        self._shown = ((), -1)

    def show(self, problems: Sequence[Problem], line: int) -> None:
        """Show what is wrong.

        Args:
            problems: All problems, by line.
            line: The cursor's line, from 1; 0 when there is no cursor.
        """
        here = [problem for problem in problems if problem.line == line]
        worst = [problem for problem in problems if problem.severity == "error"]
        chosen = next(iter(here or worst or problems), None)
        shown = (problems, problems.index(chosen) if chosen else 0)
        if shown == self._shown:
            return
        self._shown = shown
        self.say(_text(chosen, problems) if chosen else Content(""))


def _text(chosen: Problem, problems: Sequence[Problem]) -> Content:
    place = _("Line {line}: ", line=chosen.line) if chosen.line else ""
    errors = sum(problem.severity == "error" for problem in problems)
    counted = [ngettext("{n:,} error", "{n:,} errors", errors)] if errors else []
    if warnings := len(problems) - errors:
        counted.append(ngettext("{n:,} warning", "{n:,} warnings", warnings))
    return Content.assemble(
        (f"{_(_SEVERITIES[chosen.severity])} ", _TONES[chosen.severity]),
        f"{place}{chosen.what} {chosen.hint}",
        (f"  ({', '.join(counted)})" if len(problems) > 1 else "", "$text-muted"),
    )


_USUAL = ("nano", "vi")


class OutsideError(SpotuiError):
    """The user's editor cannot be used."""


def edit_outside(app: App[object], text: str, name: str) -> str:
    """Let the user edit a text, and wait until the editor is closed.

    Args:
        app: The app that lends its terminal.
        text: The text.
        name: What the file is to be called; editors tell its language by the ending.

    Returns:
        The text as it was left.

    Raises:
        OutsideError: There is no editor, it failed, or the terminal cannot be lent.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="spotui-") as folder:  # only the user can open it
        path = Path(folder) / name
        path.write_bytes(text.encode(errors="replace"))
        try:
            with app.suspend():
                fault = _run([*command, str(path)])
            left = path.read_bytes().decode()
        except SuspendNotSupported:
            raise OutsideError(
                _("This terminal cannot be lent to an editor."), _("Edit the file elsewhere.")
            ) from None
        except OSError as error:
            raise OutsideError(
                _("The text cannot be taken back ({strerror}).", strerror=error.strerror)
            ) from None
        except UnicodeDecodeError:
            raise OutsideError(
                _("The editor left bytes that are not UTF-8 text."), _("Nothing is changed.")
            ) from None
    if fault:
        raise OutsideError(f"{command[0]} {fault}.", _("Nothing is changed."))
    return left


def _command() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if chosen := os.environ.get(variable, "").strip():
            try:
                return shlex.split(chosen)
            except ValueError:
                raise OutsideError(
                    _("{variable} is not a command: {chosen}.", variable=variable, chosen=chosen),
                    _("Fix the variable, or unset it."),
                ) from None
    from shutil import which

    for usual in _USUAL:
        if which(usual):
            return [usual]
    raise OutsideError(_("No editor was found."), _("Set EDITOR to the command of yours."))


def _run(command: list[str]) -> str:
    """What went wrong; nothing may be raised here, or the terminal would not be taken back."""
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        return _("cannot be started ({strerror})", strerror=error.strerror)
    return _("ended with exit code {code}", code=code) if code else ""


class _Line(NamedTuple):
    """A line as it was read: its text, the text block before it, its parts, and the text block after it."""

    text: str
    before: int
    parts: list[Part]
    after: int


class YamlEditor(TextBox):
    """A text area for a template."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"yaml--{kind}" for kind in ("key", "mark", "quoted", "constant", "comment", "error", "warning")),
    }

    DEFAULT_CSS = """
    YamlEditor {
        border: none;
        padding: 0;
        background: $background;
        scrollbar-gutter: stable;
        &:focus { border: none; }
        & .text-area--gutter, & .text-area--cursor-gutter { color: $text-muted; background: $background; }
        & .text-area--cursor-line { background: $surface; }
        & .yaml--key { color: $secondary; }
        & .yaml--mark { color: $text-muted; }
        & .yaml--quoted { color: $text-success; }
        & .yaml--constant { color: $accent; }
        & .yaml--comment { color: $text-muted; text-style: italic; }
        & .yaml--error { color: $text-error; text-style: underline; }
        & .yaml--warning { text-style: underline; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text, soft_wrap=True, show_line_numbers=True, max_checkpoints=500)
        self.indent_width = 2
        self._read: list[_Line] = []
        self._marks: dict[int, str] = {}

    def mark(self, problems: Iterable[Problem]) -> None:
        """Mark the lines that something is wrong with."""
        marks: dict[int, str] = {}
        for problem in problems:
            if marks.get(problem.line - 1) != "error":
                marks[problem.line - 1] = problem.severity
        if marks != self._marks:
            self._marks = marks
            self.notify_style_update()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line with its colours."""
        line = super().get_line(line_index)
        if line_index < len(self._read):
            for start, end, kind in self._read[line_index].parts:
                line.stylize(self.get_component_rich_style(f"yaml--{kind}", partial=True), start, end)
        if mark := self._marks.get(line_index):
            start = len(line.plain) - len(line.plain.lstrip())
            line.stylize(self.get_component_rich_style(f"yaml--{mark}", partial=True), start)
        return line

    def render_lines(self, crop: Region) -> list[Strip]:
        """Read the lines that have changed, then paint."""
        block = NO_BLOCK
        for number, text in enumerate(self.document.lines):
            known = self._read[number] if number < len(self._read) else None
            if known is None or known.text != text or known.before != block:
                parts, after = read_line(text, block)
                self._read[number : number + 1] = [_Line(text, block, parts, after)]
                block = after
            else:
                block = known.after
        del self._read[self.document.line_count :]
        return super().render_lines(crop)

    def on_key(self, event: Key) -> None:
        """A new line begins where the line above has its text."""
        if event.key == "enter" and not self.read_only:
            event.stop()
            event.prevent_default()
            start, end = sorted(self.selection)
            indent = indent_below(self.document.get_line(start[0]), start[1])
            self.replace(f"\n{indent}", start, end, maintain_selection_offset=False)
