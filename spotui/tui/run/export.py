"""Taking something along from a run: a prompt, a report, everything, or a new run."""

import shlex
from pathlib import Path
from typing import Any

from textual.app import App
from textual.screen import Screen

from spotui.domain.errors import SpotuiError
from spotui.tui.child import ask
from spotui.tui.dialogs import Choice, NameScreen, QuestionScreen, confirmed
from spotui.tui.run.steering import SteeringScreen
from spotui.view.picture import Picture
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Project, Workspace

_ENDINGS = {"txt": ".txt", "markdown": ".md", "json": ".json"}


def copy_prompt(screen: Screen[Any], picture: Picture, number: int) -> None:
    """Put a round's prompt on the clipboard of the terminal."""
    screen.app.copy_to_clipboard(picture.prompt_of(number))
    name = "the seed" if number == 1 else f"round {number}"
    screen.notify(f"The prompt of {name} is on the clipboard, if your terminal allows it.")


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
        Choice("copy", "c", f"copy the prompt of round {best}, the best, to the clipboard"),
        Choice(f"txt {best}", "p", f"write the prompt of round {best}, the best, into a text file"),
        Choice(f"markdown {best}", "r", "write a report of the run, as Markdown"),
        Choice(f"json {best}", "d", "write everything, as JSON"),
    ]
    if number != best:
        text = f"write the prompt of round {number}, the selected one"
        choices.append(Choice(f"txt {number}", "s", text))
    chosen = await screen.app.push_screen_wait(QuestionScreen("Export", choices))
    if chosen == "copy":
        copy_prompt(screen, picture, best)
    elif chosen:
        form, _, of = chosen.partition(" ")
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
    question = NameScreen(f"Branch from round {number}", free, lambda typed: check_free(workspace, typed))
    new = await screen.app.push_screen_wait(question)
    if not new:
        return None
    words = ["branch", project.name, "--workspace", str(workspace.root)]
    told = await ask([*words, "--round", str(number), "--as", new])
    if told.fault:
        screen.notify(told.fault, title="Could not branch", severity="error", markup=False)
        return None
    screen.notify(f"{new} holds this run up to round {number}. Press space to resume it.", markup=False)
    return workspace.project(new)


async def _write(screen: Screen[Any], project: Project, form: str, number: int) -> None:
    proposed = Path.cwd() / f"{project.name.replace('/', '-')}{_ENDINGS[form]}"
    path = await screen.app.push_screen_wait(NameScreen("Write to", str(proposed), _check_file, "File"))
    if not path:
        return
    if Path(path).expanduser().exists() and not await confirmed(screen, f"Overwrite {path}?", "overwrite"):
        screen.notify("Nothing was written.")
        return
    words = ["export", project.name, "--workspace", str(_root(project)), "--round", str(number)]
    told = await ask([*words, "--format", form, "--output", str(Path(path).expanduser())])
    if told.fault:
        screen.notify(told.fault, title="Nothing was written", severity="error", markup=False)
    else:
        screen.notify(f"Wrote {path}.", markup=False)


def _root(project: Project) -> Path:
    return project.folder.parents[project.name.count("/")]


def _check_file(typed: str) -> None:
    path = Path(typed).expanduser()
    if not typed:
        raise SpotuiError("Type the name of a file.")
    if path.is_dir():
        raise SpotuiError(f"{path} is a folder.", "Add the name of a file.")
    if not path.parent.is_dir():
        raise SpotuiError(f"The folder {path.parent} does not exist.", "Create it first, or choose another.")


_CHOICES = (
    Choice("leave", "l", "leave; the run continues and keeps spending"),
    Choice("stop", "s", "stop the run, keep the best prompt, and leave; you can resume it later"),
)


async def may_leave(app: App[None]) -> bool:
    """Ask what is to become of a run that is shown and at work; whether the app may end."""
    screens = (screen for screen in app.screen_stack if isinstance(screen, SteeringScreen))
    screen = next((screen for screen in screens if screen.is_working), None)
    if screen is None:
        return True
    text = f"The run is a separate process. To return to it: spotui attach {shlex.quote(screen.project_name)}"
    question = QuestionScreen(f"{screen.project_name} is running", _CHOICES, text)
    match await app.push_screen_wait(question):
        case "leave":
            return True
        case "stop":
            await screen.stop_and_wait()
            return True
    return False


def farewell(app: App[None]) -> str:
    """How to return to the runs that continue, a line each; empty when there are none."""
    from spotui.tui.home.projects_panel import ProjectsPanel

    screens = (screen for screen in app.screen_stack if isinstance(screen, SteeringScreen))
    shown = [screen.project_name for screen in screens if screen.is_working]
    listed = [
        name for screen in app.screen_stack for panel in screen.query(ProjectsPanel) for name in panel.running
    ]
    return "\n".join(
        f"{name} is still running. To return to it: spotui attach {shlex.quote(name)}"
        for name in dict.fromkeys([*shown, *listed])
    )
