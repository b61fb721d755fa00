"""What a person does when something happens in a run."""

from spotui.domain.commands import AnyCommand
from spotui.domain.events import Event, RoundStarted, StateChanged
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project
from tests.runs.starting import Reaction, Stage, once, results_of, rounds_of


def at_round(number: int, *commands: AnyCommand) -> Reaction:
    """Send commands when a round starts."""
    return once(RoundStarted, lambda event: event.round == number, *commands)


def both(*reactions: Reaction) -> Reaction:
    """The command of the first reaction that has one."""

    def react(event: Event) -> AnyCommand | None:
        return next((command for one in reactions if (command := one(event)) is not None), None)

    return react


def when_paused(*commands: AnyCommand) -> Reaction:
    """Send commands, one each time the run is paused."""
    return once(StateChanged, lambda event: event.state == "paused", *commands)


def resumed_alike(stage: Stage, project: Project) -> bool:
    """Whether another session asks for nothing and comes to the same end."""
    before, sent = (rounds_of(project), results_of(project)), len(stage.server.requests)
    best = read_history(project).best
    end = stage.go(project)
    assert best is not None
    assert (end.stopped.best, end.stopped.prompt) == (best.round, best.prompt)
    return len(stage.server.requests) == sent and before == (rounds_of(project), results_of(project))
