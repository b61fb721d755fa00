"""Leaving the app while a run goes on."""

from textual.app import App

from spotui.tui.question import Choice, QuestionScreen
from spotui.tui.steering_screen import SteeringScreen

_CHOICES = (
    Choice("leave", "l", "leave; the run goes on, and costs what it costs"),
    Choice("stop", "s", "stop the run, keep the best, and leave; it can go on later"),
)


async def may_leave(app: App[None]) -> bool:
    """Ask what is to become of a run that is shown and at work; whether the app may end."""
    screens = (screen for screen in app.screen_stack if isinstance(screen, SteeringScreen))
    screen = next((screen for screen in screens if screen.is_working), None)
    if screen is None:
        return True
    text = f"It is its own process: 'spotui attach {screen.project_name}' shows it from any terminal."
    question = QuestionScreen(f"{screen.project_name} is at work", _CHOICES, text)
    match await app.push_screen_wait(question):
        case "leave":
            return True
        case "stop":
            await screen.stop_and_wait()
            return True
    return False
