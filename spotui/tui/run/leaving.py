"""Leaving the app while runs continue."""

import shlex

from textual.app import App

from spotui.tui.question import Choice, QuestionScreen
from spotui.tui.run.steering_screen import SteeringScreen

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
