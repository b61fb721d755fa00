"""The tokens of a template's texts, counted in a separate process."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.widgets import TextArea

from spotui.lang import _
from spotui.runs.check import check
from spotui.templates.model import Template, TemplateError
from spotui.tui.child import ask
from spotui.tui.focus_paint import Framed
from spotui.tui.template.editor import Field, ProblemBar, YamlEditor

if TYPE_CHECKING:
    from textual.worker import WorkType

    from spotui.runs.check import Checked
    from spotui.tui.template.form import TemplateForm
    from spotui.view.template_text import Sizes


class _Row(msgspec.Struct):
    question: int
    answer: int


class _Tokens(msgspec.Struct):
    prompt: int
    requirements: int
    qa: list[_Row]


class _Told(msgspec.Struct):
    tokens: _Tokens | None = None


async def count_texts(path: Path, text: str) -> dict[str, int]:
    """Count the tokens of every text of a template file.

    Args:
        path: The file.
        text: What it held a moment ago.

    Returns:
        The tokens of each text; nothing when the file is another by now, or cannot be read.
    """
    told = await ask(["check", str(path), "--json"])
    try:
        tokens = msgspec.json.decode(told.out, type=_Told).tokens
    except msgspec.DecodeError:
        return {}
    template = check(text).template
    if tokens is None or template is None or len(tokens.qa) != len(template.qa):
        return {}
    counted = {template.prompt: tokens.prompt, template.requirements: tokens.requirements}
    for row, counts in zip(template.qa, tokens.qa, strict=True):
        counted |= {row.question: counts.question, row.answer: counts.answer}
    return counted


CHECK_AFTER = 0.15
"""Seconds without a key press after which the text is read again."""


class TemplatePanel(Vertical, Framed):
    """Shows a template's text and lets it be edited; files are for a screen to read and write.

    Attributes:
        is_form: Whether the form is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "switch", "form or YAML", id="template.switch"),
        Binding("ctrl+z", "undo", "undo", id="template.undo", show=False),
        Binding("ctrl+y", "redo", "redo", id="template.redo", show=False),
        Binding("f8", "next_problem", "next problem", id="template.next_problem"),
    ]

    DEFAULT_CSS = """
    TemplatePanel {
        & > YamlEditor { height: 1fr; }
        &.-form > YamlEditor { display: none; }
        & > TemplateForm { display: none; }
        &.-form > TemplateForm { display: block; }
    }
    """

    ALLOW_MAXIMIZE = True
    is_form = var(False, toggle_class="-form")

    class Changed(Message):
        """The text has become another one."""

    @dataclass
    class Read(Message):
        """The text was read and checked."""

        checked: "Checked"

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Template")
        self._checked: Checked | None = None
        self._typed: Template | None = None
        self._writing = asyncio.Lock()
        self._sizes: Sizes | None = None
        self._is_fixed = True

    def compose(self) -> ComposeResult:
        """The YAML and what is wrong with it; the form is made when it is first asked for."""
        editor = YamlEditor()
        editor.read_only = True
        yield editor
        yield ProblemBar()

    @property
    def text(self) -> str:
        """The template's text; what was typed in the form a moment ago may not be in it yet."""
        return self._editor.text

    @property
    def checked(self) -> "Checked | None":
        """What is known of the text; None as long as it has not been read."""
        return self._checked if self._checked and self._checked.text == self.text else None

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to what is shown of the template."""
        if self.is_form:
            self.query_one("TemplateForm").query("Field").first().focus()
        else:
            self._editor.focus(scroll_visible)
        return self

    def show(self, text: str, *, is_fixed: bool = False) -> bool:
        """Show another template.

        Args:
            text: Its text.
            is_fixed: Whether it can only be read.

        Returns:
            Whether it can be edited; a text with line ends of several sorts would not be saved as it is.
        """
        editor = self._editor
        self._typed = self._checked = None
        editor.load_text(text)
        self._is_fixed = is_fixed or editor.text != text
        editor.read_only = self._is_fixed
        self.is_form = self.is_form and not self._is_fixed
        self.refresh_bindings()
        return not self._is_fixed

    async def relabel(self) -> None:
        """Show everything around the text in the language that is used now."""
        from spotui.tui.template.form import TemplateForm

        self.border_title = _("Template")
        for form in self.query(TemplateForm):
            await form.relabel()
        self.query_one(ProblemBar).forget()
        await self._read_now()

    def say(self, text: str) -> None:
        """Say why there is no template."""
        self._editor.placeholder = text

    def take(self, text: str) -> None:
        """Make the text another one, as an edit that can be undone."""
        self._typed = None
        self._editor.change_to(text)

    def use_counts(self, counted: dict[str, int]) -> None:
        """Take the tokens of texts as a tokenizer has counted them."""
        from spotui.view.template_text import Sizes

        self._sizes = Sizes(counted)
        self._tell()
        if self._checked is not None:
            self.post_message(self.Read(self._checked))

    async def settle(self) -> bool:
        """Bring what was typed in the form into the text.

        Returns:
            Whether all of it is in the text now.
        """
        async with self._writing:
            while self._typed is not None:
                template, text = self._typed, self.text
                from spotui.templates.save import edit_yaml

                try:
                    written = await asyncio.to_thread(edit_yaml, text, template)
                except TemplateError:
                    await self._open_yaml(text, template)
                    return False
                if self._typed is template and self.text == text:
                    self._typed = None
                    self._editor.change_to(written)
            return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A template that can only be read has nothing to switch or to undo."""
        return not (self._is_fixed and action in ("switch", "undo", "redo", "next_problem"))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Read the text once nobody types for a moment."""
        event.stop()
        self.post_message(self.Changed())
        # As a function: a coroutine that is replaced or called off before it begins is complained of.
        reading: WorkType[None] = self._read
        self.run_worker(reading, group="read", exclusive=True)

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """Tell of the line that the cursor is on."""
        event.stop()
        self._tell_problems()

    def on_template_form_edited(self, event: "TemplateForm.Edited") -> None:
        """Write what was typed in the form."""
        event.stop()
        event.form.hear()
        self._typed = event.template
        self.run_worker(self.settle(), group="write")

    async def on_field_undo_wanted(self, event: "Field.UndoWanted") -> None:
        """Undo or redo in the text below the form."""
        event.stop()
        if event.redo:
            await self.action_redo()
        else:
            await self.action_undo()

    async def action_undo(self) -> None:
        """Undo the last edit, wherever it was made."""
        if await self.settle():
            self._editor.undo()

    async def action_redo(self) -> None:
        """Make the last edit that was undone again."""
        if await self.settle():
            self._editor.redo()

    async def action_switch(self) -> None:
        """Show the form, or the YAML."""
        if self.is_form:
            if await self.settle():
                self.is_form = False
                self._editor.focus()
            return
        await self._read_now()
        checked = self._checked
        if checked is None or checked.template is None:
            self.notify(_("The form needs YAML that can be read. Fix it first."), severity="warning")
            return
        from spotui.tui.template.form import TemplateForm

        if not self.query(TemplateForm):
            await self.mount(TemplateForm(), before=self.query_one(ProblemBar))
        self.is_form = True
        self._tell()
        self.query_one(TemplateForm).focus_first()

    def action_next_problem(self) -> None:
        """Put the cursor on the next line that something is wrong with."""
        lines = sorted({problem.line for problem in self._checked.problems}) if self._checked else []
        if lines and not self.is_form:
            here = self._editor.cursor_location[0] + 1
            line = next((one for one in lines if one > here), lines[0])
            self._editor.move_cursor((max(0, line - 1), 0), center=True)

    @property
    def _editor(self) -> YamlEditor:
        return self.query_one(YamlEditor)

    async def _open_yaml(self, text: str, template: Template) -> None:
        """Leave the form, whose edit cannot be written into the text, with what was typed in the YAML."""
        from spotui.templates.save import rewrite_yaml

        self.take(await asyncio.to_thread(rewrite_yaml, text, template))
        self.is_form = False
        self._editor.focus()
        self.notify(
            _(
                "The form could not write this edit, so the YAML was rewritten without comments. "
                "Undo brings the old text back."
            ),
            severity="warning",
        )

    async def _read(self) -> None:
        await asyncio.sleep(CHECK_AFTER)
        await self._read_now()

    async def _read_now(self) -> None:
        from spotui.runs.check import check

        text = self.text
        checked = await asyncio.to_thread(check, text)
        if self.text == text:
            self._checked = checked
            self._tell()
            self.post_message(self.Read(checked))

    def _tell(self) -> None:
        """Bring marks, sizes and form to what is known of the text."""
        from spotui.view.template_text import Sizes

        checked = self._checked
        if checked is None:
            return
        self._sizes = self._sizes or Sizes()
        self._editor.mark(checked.problems)
        self._tell_problems()
        self.border_subtitle = self._sizes.of_template(checked.template) if checked.template else ""
        is_newest = self._typed is None and self.checked is not None
        if self.is_form and checked.template is not None and is_newest:
            from spotui.tui.template.form import TemplateForm

            form = self.query_one(TemplateForm)
            form.show(checked.template, self._sizes, can_edit_rows=checked.has_whole_rows)

    def _tell_problems(self) -> None:
        line = 0 if self.is_form else self._editor.cursor_location[0] + 1
        self.query_one(ProblemBar).show(self._checked.problems if self._checked else (), line)
