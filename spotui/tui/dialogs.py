"""Dialogs over a screen: a question, a name, whether a file is trusted, and what all have in common."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _, anew
from spotui.tui.page import StyledOnce
from spotui.tui.relabelling import Relabelled
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.metrics.custom import MetricFile
    from spotui.runs.trust import Reach
    from spotui.settings.programs import Program

Result = TypeVar("Result")


class Dialog(StyledOnce, ModalScreen[Result], Relabelled[Result]):
    """A box in the middle of the screen; what it composes is one container with a title on its border."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > Vertical, & > VerticalScroll {
            max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
            border: round $primary; border-title-color: $primary; background: $surface;
            border-subtitle-color: $text-muted;
        }
    }
    """


class FieldDialog(Dialog[Result]):
    """A dialog of rows, each with a label and what is typed for it."""

    DEFAULT_CSS = """
    FieldDialog {
        & > Vertical { padding: 1 1 0 1; }
        & Horizontal { height: 1; }
        & Label { color: $text-muted; }
        & Input { width: 1fr; }
    }
    """

    def typed_in(self, field: str) -> str:
        """What stands in a field, without blanks around it.

        Args:
            field: Its id.
        """
        return self.query_one(f"#{field}", Input).value.strip()


def field_keys(group: str) -> tuple[Binding, Binding]:
    """The keys that go from field to field.

    Args:
        group: What the names of a dialog's bindings begin with.
    """
    return (
        Binding("up", "app.focus_previous", N_("field before"), id=f"{group}.up", show=False),
        Binding("down", "app.focus_next", N_("next field"), id=f"{group}.down", show=False),
    )


def row(label: str, field: Widget) -> Horizontal:
    """One row of a dialog.

    Args:
        label: What is typed there.
        field: Where it is typed.
    """
    return Horizontal(Label(label), field)


def text_field(field: str, value: str, meaning: str) -> Input:
    """A field of one line.

    Args:
        field: Its id.
        value: What stands in it at first.
        meaning: What an empty one means, or what can be typed.
    """
    made = Input(value, placeholder=meaning, id=field, compact=True)
    made.cursor_blink = False
    return made


_LONGEST_TITLE: Final = 60
"""Cells of a question that fit the frame of a dialog on the smallest screen."""


class Choice(NamedTuple):
    """One answer.

    Attributes:
        id: What the screen gives back.
        key: The letter that chooses it.
        text: What it does, in a few words.
    """

    id: str
    key: str
    text: str


class QuestionScreen(Dialog[str]):
    """Asks something; gives back the id of the choice, or an empty text when it is left with Escape.

    Args:
        question: What is asked, on one line.
        choices: The answers, the usual one first.
        text: What a person needs to know to answer.
    """

    DEFAULT_CSS = """
    QuestionScreen {
        & > Vertical { width: 72; max-width: 95%; max-height: 90%; }
        & Static { height: auto; margin-bottom: 1; }
        & OptionList, & OptionList:focus { height: auto; border: none; padding: 0; background: $surface; }
    }
    """

    def __init__(self, question: str, choices: Sequence[Choice], text: str = "") -> None:
        super().__init__()
        self._question = question
        self._choices = tuple(choices)
        self._text = text
        for choice in choices:
            self._bindings.bind(choice.key, f"choose({choice.id!r})", choice.text)
        self._bindings.bind("escape", "choose('')", "back")

    def compose(self) -> ComposeResult:
        """The question, what there is to know, the answers."""
        question = anew(self._question)
        with Vertical() as box:
            # A question about a long name would be cut in the frame.
            if cell_len(question) <= _LONGEST_TITLE:
                box.border_title = Content(question)
            else:
                yield Static(Content.styled(question, "bold"))
            if not any(one.id == "no" for one in self._choices):
                box.border_subtitle = _("escape cancels")
            if self._text:
                yield Static(anew(self._text), markup=False)
            yield OptionList(
                *(Option(f"{one.key}  {anew(_(one.text))}", id=one.id) for one in self._choices),
                markup=False,
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice under the cursor."""
        event.stop()
        self.dismiss(event.option_id or "")

    def action_choose(self, choice: str) -> None:
        """Take a choice by its key."""
        self.dismiss(choice)


async def confirmed(screen: Screen[Any], question: str, verb: str, text: str = "") -> bool:
    """Ask before something is deleted or stopped; whether it was confirmed.

    Args:
        screen: Where to ask.
        question: What is asked, on one line.
        verb: The word for doing it.
        text: What a person needs to know to answer.
    """
    choices = (Choice("yes", "y", verb), Choice("no", "n", _("cancel")))
    return await screen.app.push_screen_wait(QuestionScreen(question, choices, text)) == "yes"


class NameScreen(Dialog[str]):
    """Asks for a name; gives back an empty text when it is left with Escape.

    Args:
        question: The title.
        name: The text in the field at first.
        check: Raises SpotuiError for a name that cannot be taken.
        label: The label of the field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "back", id="name.back")]

    DEFAULT_CSS = """
    NameScreen {
        & > Vertical { width: 60; max-width: 95%; }
        & Horizontal { height: 1; margin: 1 0 0 0; }
        & Label { width: 8; color: $text-muted; }
        & Input { width: 1fr; }
        & Static { height: auto; min-height: 1; color: $text-error; }
    }
    """

    def __init__(
        self, question: str, name: str, check: Callable[[str], None], label: str = N_("Name")
    ) -> None:
        super().__init__()
        self._question = question
        self._proposed = name
        self._check = check
        self._label = label

    def compose(self) -> ComposeResult:
        """The name, and what is wrong with it."""
        with Vertical() as box:
            box.border_title = Content(anew(self._question))
            box.border_subtitle = _("enter accepts, escape cancels")
            name = Input(self._proposed, compact=True)
            name.cursor_blink = False
            yield row(_(self._label), name)
            yield Static(markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self.query_one(Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name, if it can be taken."""
        event.stop()
        name = event.value.strip()
        try:
            self._check(name)
        except SpotuiError as error:
            self.query_one(Static).update(f"{error.what} {error.hint}")
        else:
            self.dismiss(name)


_RUN = (
    Choice("no", "n", N_("do not run it")),
    Choice("yes", "y", N_("trust it until it changes, and run it")),
)
_USE = (
    Choice("no", "n", N_("do not use it")),
    Choice("yes", "y", N_("trust it until it changes, and use it")),
)
_SEND = (
    Choice("no", "n", N_("do not send them")),
    Choice("yes", "y", N_("send them, now and in later runs")),
)


async def trusts_template(screen: Screen[Any], template: Path) -> bool:
    """Whether a template's metric and program may run, and its rows may be sent; asks where that is open.

    Args:
        screen: Where to ask, from a worker.
        template: The template.

    Raises:
        SpotuiError: The template, or its metric, is wrong.
    """

    def still_open() -> "Reach":
        from spotui.runs.trust import reach_of
        from spotui.templates.read import read_template

        return reach_of(read_template(template), template.parent).open

    reach = await asyncio.to_thread(still_open)
    if not (await _may_run(screen, reach.metric) and await _may_answer(screen, reach.program)):
        return False
    for path in reach.data:
        if not await _may_send(screen, path, reach.folder):
            return False
    return True


async def trusts_project(screen: Screen[Any], project: Project) -> bool:
    """Whether metric and program of a project's run may run; asks and raises as `trusts_template` does."""

    def still_open() -> "Reach":
        from spotui.runs.trust import reach_of_project

        return reach_of_project(project).open

    reach = await asyncio.to_thread(still_open)
    return await _may_run(screen, reach.metric) and await _may_answer(screen, reach.program)


async def trusts_program(screen: Screen[Any], project: Project) -> bool:
    """Whether the program of a project's run may answer; asks and raises as `trusts_template` does."""

    def still_open() -> "Reach":
        from spotui.runs.trust import program_reach

        return program_reach(project).open

    return await _may_answer(screen, (await asyncio.to_thread(still_open)).program)


def not_trusted() -> SpotuiError:
    """The error after a no."""
    return SpotuiError(
        _("It was not started, because you did not agree to a file that it needs."),
        _("Look at the file, then try again."),
    )


async def _may_run(screen: Screen[Any], file: "MetricFile | None") -> bool:
    if file is None:
        return True
    text = _(
        "The metric {file} is Python code, which can do whatever you can do on this "
        "machine:\n{file2}\nSHA-256 {digest}\nRead it before you say yes. You are asked again "
        "when it changes.",
        file=file.name,
        file2=file.path,
        digest=file.digest,
    )
    if await screen.app.push_screen_wait(QuestionScreen(_("Run this file?"), _RUN, text)) != "yes":
        return False
    from spotui.settings.trust import trust

    await asyncio.to_thread(trust, file.path, file.digest)
    return True


async def _may_answer(screen: Screen[Any], program: "Program | None") -> bool:
    if program is None:
        return True
    from spotui.settings.programs import agree, terms_of

    question = QuestionScreen(_("Use this program as the executor?"), _USE, terms_of(program))
    if await screen.app.push_screen_wait(question) != "yes":
        return False
    await asyncio.to_thread(agree, program)
    return True


async def _may_send(screen: Screen[Any], path: Path, folder: Path) -> bool:
    text = _(
        "The template takes its rows from a file outside its folder:\n{path}\nTheir texts "
        "would go to the models. You are not asked again for templates in {folder}.",
        path=path,
        folder=folder,
    )
    if (
        await screen.app.push_screen_wait(QuestionScreen(_("Send the rows of this file?"), _SEND, text))
        != "yes"
    ):
        return False
    from spotui.settings.trust import allow_sending

    await asyncio.to_thread(allow_sending, path, folder)
    return True
