"""The rows that a model wrote: their list, one of them whole, and a dialog in which it is edited."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from spotui.lang import _
from spotui.runs.drafts import Draft
from spotui.tui.dialogs import Dialog
from spotui.tui.line_view import BlockList
from spotui.tui.table_view import TableView
from spotui.tui.template.editor import TextBox


class DraftTable(TableView):
    """The rows that have come, with what was decided of each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.keep", "keep", id="new_rows.keep"),
        Binding("e", "screen.edit", "edit", id="new_rows.edit"),
        Binding("d,delete", "screen.drop", "drop", id="new_rows.drop"),
        Binding("a", "screen.keep_rest", "keep the rest", id="new_rows.keep_rest"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Where no row has come there is none to decide on."""
        return bool(self.keys) or not action.startswith("screen.")


class DraftText(BlockList[tuple[str, str]]):
    """One row with all of its texts."""

    def block(self, number: int, width: int) -> list[Content]:
        """A heading, or a text below it."""
        tone, text = self.shown_blocks[number]
        lines = Content.styled(text, self.tone(tone)).wrap(width) if text else [Content("")]
        return list(lines)


class EditDraftScreen(Dialog[Draft | None]):
    """Edits the texts of a row; gives back the row as it is to be kept, or None.

    Args:
        draft: The row.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "keep", id="edit_row.keep", priority=True),
        Binding("escape", "dismiss(None)", "back", id="edit_row.back"),
        Binding("tab", "app.focus_next", "next field", id="edit_row.next", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    EditDraftScreen {
        & > VerticalScroll { width: 76; max-width: 95%; max-height: 90%; }
        & TextBox {
            height: auto; min-height: 3; max-height: 12; border: round $border-blurred;
            &:focus { border: round $primary; }
        }
    }
    """

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft

    def compose(self) -> ComposeResult:
        """A field for each text."""
        with VerticalScroll(can_focus=False) as box:
            box.border_title = _("Edit the row")
            box.border_subtitle = _("tab next field, ctrl+s keeps, escape cancels")
            for number, (name, text) in enumerate(parts_of(self._draft)):
                field = TextBox(text, highlight_cursor_line=False, id=f"part-{number}")
                field.border_title = Content(name)
                yield field

    def action_keep(self) -> None:
        """Give back what the fields hold, unless one is empty."""
        texts = [field.text.strip() for field in self.query(TextBox)]
        if not all(texts):
            self.notify(_("A part of the row is empty. Fill it in, or drop the row."), severity="error")
            return
        by_name = dict(zip((name for name, _text in parts_of(self._draft)), texts, strict=True))
        question, answer = self._draft.question, self._draft.answer
        self.dismiss(
            Draft(
                question=by_name[_("Question")] if question else "",
                answer=by_name[_("Answer")] if answer else "",
                slots={name: by_name[name] for name in self._draft.slots},
            )
        )


def parts_of(draft: Draft) -> list[tuple[str, str]]:
    """The texts of a row with their names."""
    parts = [(_("Question"), draft.question), *draft.slots.items(), (_("Answer"), draft.answer)]
    return [(name, text) for name, text in parts if text]
