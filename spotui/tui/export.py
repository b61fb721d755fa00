"""What a person takes out of a run or a race: a prompt, a report, or files for other tools."""

import asyncio
from pathlib import Path
from typing import Any, Final

from textual.screen import Screen

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _
from spotui.settings.locations import expanded, shown
from spotui.tui.child import ask, attempt
from spotui.tui.dialogs import Choice, NameScreen, QuestionScreen, confirmed
from spotui.view.picture import Picture
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project
from spotui.workspace.record_folder import RecordFolder

_REPORT: Final = "html"
_ENDINGS: Final = {
    "txt": ".txt",
    "markdown": ".md",
    _REPORT: ".html",
    "json": ".json",
    "promptfoo": ".yaml",
    "python": ".py",
}


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
        Choice(f"{_REPORT} {best}", "h", _("write a report of the run, as a page for the browser")),
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
    elif chosen.startswith(_REPORT):
        await report(screen, project, best)
    elif chosen:
        form, _unused, of = chosen.partition(" ")
        words = ["export", project.name, "--workspace", str(root_of(project)), "--round", of]
        await _write(screen, [*words, "--format", form], f"{_file_name(project.name)}{_ENDINGS[form]}")


async def report(screen: Screen[Any], project: Project, number: int) -> None:
    """Ask where the report of a run is to be written, and write it, as one HTML file.

    Args:
        screen: Where it is asked.
        project: The run.
        number: The round that it recommends.
    """
    words = ["report", project.name, "--workspace", str(root_of(project)), "--round", str(number), "--html"]
    await _write(screen, words, f"{_file_name(project.name)}{_ENDINGS[_REPORT]}")


async def report_of_several(screen: Screen[Any], folder: RecordFolder[Any]) -> None:
    """Ask where the report of a race or a migration is to be written, and write it, as one HTML file.

    Args:
        screen: Where it is asked.
        folder: The race or the migration.
    """
    words = ["report", folder.name, "--workspace", str(folder.workspace.root), "--html"]
    await _write(screen, words, f"{_file_name(folder.name)}{_ENDINGS[_REPORT]}")


def root_of(project: Project) -> Path:
    """The workspace that a project is in."""
    return project.folder.parents[project.name.count("/")]


def _file_name(name: str) -> str:
    return name.replace("/", "-")


async def _write(screen: Screen[Any], words: list[str], proposed: str) -> None:
    """Ask for a file, and let a command write it; another file of that name is asked about.

    Args:
        screen: Where it is asked.
        words: The command without its option for the file.
        proposed: The name of the file, in the folder that spotui was started in.
    """
    asked = NameScreen(_("Write to"), shown(Path.cwd() / proposed), _check_file, N_("File"))
    path = await screen.app.push_screen_wait(asked)
    if not path:
        return
    if expanded(path).exists() and not await confirmed(
        screen, _("Overwrite {path}?", path=shown(Path(path))), _("overwrite")
    ):
        screen.notify(_("Nothing was written."))
        return
    told = await ask([*words, "--output", str(expanded(path))])
    if told.fault:
        screen.notify(told.fault, title=_("Nothing was written"), severity="error", markup=False)
    else:
        screen.notify(_("Wrote {path}.", path=shown(Path(path))), markup=False)


async def _put_back(screen: Screen[Any], project: Project, number: int) -> None:
    files = await attempt(screen, _files_of_source, project, number)
    if files is None:
        return
    question = _("Replace the prompt in {files}?", files=", ".join(files))
    if not await confirmed(screen, question, _("replace")):
        screen.notify(_("Nothing was written."))
        return
    words = ["export", project.name, "--workspace", str(root_of(project)), "--round", str(number)]
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


def _check_file(typed: str) -> None:
    path = expanded(typed)
    if not typed:
        raise SpotuiError(_("Type the name of a file."))
    if path.is_dir():
        raise SpotuiError(_("{path} is a folder.", path=path), _("Add the name of a file."))
    if not path.parent.is_dir():
        raise SpotuiError(
            _("The folder {parent} does not exist.", parent=path.parent),
            _("Create it first, or choose another."),
        )
