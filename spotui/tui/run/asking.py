"""What a person is asked about a run: what to export, its limits, and its next candidate."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _
from spotui.tui.child import ask, attempt
from spotui.tui.dialogs import (
    Choice,
    Dialog,
    FieldDialog,
    NameScreen,
    QuestionScreen,
    confirmed,
    field_keys,
    row,
    text_field,
)
from spotui.view.picture import Picture
from spotui.workspace.history import read_history
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Project, Workspace

_ENDINGS = {"txt": ".txt", "markdown": ".md", "json": ".json", "promptfoo": ".yaml", "python": ".py"}


def copy_prompt(screen: Screen[Any], picture: Picture, number: int) -> None:
    """Put a round's prompt on the clipboard of the terminal."""
    screen.app.copy_to_clipboard(picture.prompt_of(number))
    name = _("the seed") if number == 1 else _("round {number}", number=number)
    screen.notify(_("The prompt of {name} is on the clipboard, if your terminal allows it.", name=name))


async def export(screen: Screen[Any], project: Project, picture: Picture, number: int) -> None:
    """Ask what is to be taken, and take it.

    Args:
        screen: Where it is asked.
        project: The run.
        picture: How it stands.
        number: The selected round.
    """
    best = picture.best
    choices = [
        Choice("copy", "c", _("copy the prompt of round {best}, the best, to the clipboard", best=best)),
        Choice(
            f"txt {best}", "p", _("write the prompt of round {best}, the best, into a text file", best=best)
        ),
        Choice(f"markdown {best}", "r", _("write a report of the run, as Markdown")),
        Choice(f"json {best}", "d", _("write everything, as JSON")),
        Choice(f"promptfoo {best}", "f", _("write prompt and tests for promptfoo")),
        Choice(f"python {best}", "y", _("write a Python module with the prompt")),
    ]
    if origin := await asyncio.to_thread(_origin, project):
        text = _("put the prompt of round {best}, the best, back into {origin}", best=best, origin=origin)
        choices.append(Choice(f"source {best}", "b", text))
    if number != best:
        text = _("write the prompt of round {number}, the selected one", number=number)
        choices.append(Choice(f"txt {number}", "s", text))
    chosen = await screen.app.push_screen_wait(QuestionScreen(_("Export"), choices))
    if chosen == "copy":
        copy_prompt(screen, picture, best)
    elif chosen.startswith("source"):
        await _put_back(screen, project, best)
    elif chosen:
        form, _unused, of = chosen.partition(" ")
        await _write(screen, project, form, int(of))


async def branch(screen: Screen[Any], project: Project, number: int) -> Project | None:
    """Ask for a name, and make a new run that starts from a round; None when there is none.

    Args:
        screen: Where it is asked.
        project: The run.
        number: The round whose prompt is the best of the new run.
    """
    workspace = Workspace(_root(project))
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


async def _write(screen: Screen[Any], project: Project, form: str, number: int) -> None:
    proposed = Path.cwd() / f"{project.name.replace('/', '-')}{_ENDINGS[form]}"
    path = await screen.app.push_screen_wait(
        NameScreen(_("Write to"), str(proposed), _check_file, N_("File"))
    )
    if not path:
        return
    if Path(path).expanduser().exists() and not await confirmed(
        screen, _("Overwrite {path}?", path=path), _("overwrite")
    ):
        screen.notify(_("Nothing was written."))
        return
    words = ["export", project.name, "--workspace", str(_root(project)), "--round", str(number)]
    told = await ask([*words, "--format", form, "--output", str(Path(path).expanduser())])
    if told.fault:
        screen.notify(told.fault, title=_("Nothing was written"), severity="error", markup=False)
    else:
        screen.notify(_("Wrote {path}.", path=path), markup=False)


async def _put_back(screen: Screen[Any], project: Project, number: int) -> None:
    files = await attempt(screen, _files_of_source, project, number)
    if files is None:
        return
    question = _("Replace the prompt in {files}?", files=", ".join(files))
    if not await confirmed(screen, question, _("replace")):
        screen.notify(_("Nothing was written."))
        return
    words = ["export", project.name, "--workspace", str(_root(project)), "--round", str(number)]
    told = await ask([*words, "--to", "source", "--replace"])
    if told.fault:
        screen.notify(told.fault, title=_("Nothing was written"), severity="error", markup=False)
    else:
        screen.notify(told.out.decode(errors="replace").strip(), markup=False)


def _files_of_source(project: Project, number: int) -> list[str]:
    """The names of the files of a source that hold the prompt.

    Raises:
        SpotuiError: The source has changed, or has no prompt.
    """
    from spotui.runs.export import back_to_source

    (line,) = [one for one in read_history(project).rounds if one.round == number]
    return [path.name for path, _text in back_to_source(project, line, frozenset())]


def _origin(project: Project) -> str:
    """The name of what a project's template was imported from; empty where it was not."""
    from spotui.templates.read import parse_template
    from spotui.templates.sections import origin_of
    from spotui.workspace.snapshot import read_snapshot

    try:
        snapshot = read_snapshot(project.snapshot)
        origin = origin_of(parse_template(snapshot.template, str(project.snapshot)))
    except SpotuiError:
        return ""
    if origin is None:
        return ""
    return (Path(snapshot.template_folder) / origin.path).resolve().name


def _root(project: Project) -> Path:
    return project.folder.parents[project.name.count("/")]


def _check_file(typed: str) -> None:
    path = Path(typed).expanduser()
    if not typed:
        raise SpotuiError(_("Type the name of a file."))
    if path.is_dir():
        raise SpotuiError(_("{path} is a folder.", path=path), _("Add the name of a file."))
    if not path.parent.is_dir():
        raise SpotuiError(
            _("The folder {parent} does not exist.", parent=path.parent),
            _("Create it first, or choose another."),
        )


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
            box.border_title = Content(self._title)
            box.border_subtitle = _("enter accepts, escape cancels")
            if self._text:
                yield Static(self._text, classes="text", markup=False)
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
