"""What a person is asked about a run: the name of a branch, its limits, and its next candidate."""

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from spotui.lang import N_, _, anew
from spotui.tui.child import ask
from spotui.tui.dialogs import Dialog, FieldDialog, NameScreen, field_keys, row, text_field
from spotui.tui.export import root_of
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Project, Workspace


async def branch(screen: Screen[Any], project: Project, number: int) -> Project | None:
    """Ask for a name, and make a new run that starts from a round; None when there is none.

    Args:
        screen: Where it is asked.
        project: The run.
        number: The round whose prompt is the best of the new run.
    """
    workspace = Workspace(root_of(project))
    free = workspace.free_name(project.name.rsplit("/", 1)[-1])
    question = NameScreen(
        _("Branch from round {number}", number=number), free, lambda typed: check_free(workspace, typed)
    )
    new = await screen.app.push_screen_wait(question)
    if not new:
        return None
    words = ["branch", project.name, "--workspace", str(workspace.root)]
    told = await ask([*words, "--round", str(number), "--as", new])
    if told.fault:
        screen.notify(told.fault, title=_("Could not branch"), severity="error", markup=False)
        return None
    screen.notify(
        _("{new} holds this run up to round {number}. Press space to resume it.", new=new, number=number),
        markup=False,
    )
    return workspace.project(new)


Limit = float | int | None


def _not_a_number(name: str, *, is_whole: bool, may_be_empty: bool) -> str:
    if is_whole and may_be_empty:
        return _("{name} must be a whole number or empty.", name=name)
    if is_whole:
        return _("{name} must be a whole number.", name=name)
    return _("{name} must be a number or empty.", name=name)


_FIELDS = (
    ("rounds", N_("Rounds in all"), "", int),
    ("usd", N_("Budget, USD"), N_("empty = no limit"), float),
    ("tokens", N_("Budget, tokens"), N_("empty = no limit"), int),
    ("calls", N_("Budget, calls"), N_("empty = no limit"), int),
    ("minutes", N_("Budget, minutes"), N_("empty = no limit"), float),
    ("concurrency", N_("Calls at once"), N_("empty = the limit of each endpoint"), int),
)


class LimitsScreen(FieldDialog[dict[str, Limit] | None]):
    """Asks for a run's limits; gives back those that were changed, or None when it is left with Escape.

    Args:
        title: What the new limits are for.
        limits: Those in force, by their names on the wire.
        proposed: What stands in fields instead of what is in force.
        text: What a person needs to know to answer.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="limits.back"),
        *field_keys("limits"),
    ]

    DEFAULT_CSS = """
    LimitsScreen {
        & > Vertical { width: 64; }
        & Label { width: 17; }
        & .text { height: auto; margin: 0 0 1 0; }
        & #wrong { height: auto; min-height: 1; color: $text-error; margin: 1 0 0 0; }
    }
    """

    def __init__(
        self,
        title: str,
        limits: Mapping[str, Limit],
        proposed: Mapping[str, Limit] | None = None,
        text: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._limits = limits
        self._proposed = {**limits, **(proposed or {})}
        self._text = text

    def compose(self) -> ComposeResult:
        """The fields, and what is wrong with them."""
        with Vertical() as box:
            box.border_title = Content(anew(self._title))
            box.border_subtitle = _("enter accepts, escape cancels")
            if self._text:
                yield Static(anew(self._text), classes="text", markup=False)
            for field, name, meaning, _unused in _FIELDS:
                hint = _(meaning) if meaning else ""
                yield row(_(name), text_field(field, _shown(self._proposed.get(field)), hint))
            yield Static(id="wrong", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self.query_one("#wrong", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the limits, if every one is a number."""
        event.stop()
        changed: dict[str, Limit] = {}
        for field, name, meaning, number in _FIELDS:
            typed = self.typed_in(field)
            try:
                value: Limit = number(typed) if typed else None
            except ValueError:
                self._refuse(
                    field, _not_a_number(_(name), is_whole=number is int, may_be_empty=bool(meaning))
                )
                return
            if (value is None and not meaning) or (value is not None and not 0 < value < 1e12):
                self._refuse(field, _("{name} must be more than 0.", name=_(name)))
                return
            if value != self._limits.get(field):
                changed[field] = value
        self.dismiss(changed)

    def _refuse(self, field: str, why: str) -> None:
        self.query_one("#wrong", Static).update(why)
        self.query_one(f"#{field}", Input).focus()


def _shown(value: Limit) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


class CandidateScreen(Dialog[str | None]):
    """Asks for the candidate's text; gives back None when it is left with Escape.

    Args:
        number: The round.
        prompt: What the optimizer proposed.
        modification: How it describes its change.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "save and resume", id="candidate.take", priority=True),
        Binding("escape", "dismiss(None)", "cancel", id="candidate.back", priority=True),
    ]

    DEFAULT_CSS = """
    CandidateScreen {
        & > Vertical { width: 100; max-width: 95%; height: 80%; }
        & Static { height: auto; max-height: 3; color: $text-muted; margin: 0 0 1 0; }
        & TextArea, & TextArea:focus { height: 1fr; border: none; padding: 0; background: $surface; }
    }
    """

    def __init__(self, number: int, prompt: str, modification: str) -> None:
        super().__init__()
        self._number = number
        self._prompt = prompt
        self._modification = modification

    def compose(self) -> ComposeResult:
        """What it is about, and the text."""
        with Vertical() as box:
            box.border_title = _("Candidate of round {number}", number=self._number)
            box.border_subtitle = _("ctrl+s saves it and resumes, escape cancels")
            yield Static(self._modification, markup=False)
            editor = TextArea(self._prompt, soft_wrap=True)
            editor.cursor_blink = False
            yield editor

    def action_take(self) -> None:
        """Take the text, unless there is none."""
        text = self.query_one(TextArea).text
        if text.strip():
            self.dismiss(text)
        else:
            self.notify(_("A candidate without a text cannot be executed."), severity="warning")
