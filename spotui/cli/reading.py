"""Finding a round that a person means."""

from spotui.errors import SpotuiError
from spotui.workspace.history import History, read_history
from spotui.workspace.lines import RoundLine
from spotui.workspace.projects import Project


def best_round(project: Project) -> RoundLine:
    """The round with the best prompt.

    Raises:
        SpotuiError: No round has ended yet.
    """
    return pick_round(project, read_history(project), "best")


def pick_round(project: Project, history: History, wanted: str) -> RoundLine:
    """The round that `seed`, `best`, `last` or a number names.

    Raises:
        SpotuiError: There is none.
    """
    if not history.rounds:
        raise SpotuiError(
            f"No round of {project.name} has ended yet.", f"Go on with: spotui resume {project.name}"
        )
    with_prompt = [line for line in history.rounds if line.prompt]
    found: RoundLine | None
    match wanted:
        case "seed":
            found = with_prompt[0]
        case "best":
            found = history.best
        case "last":
            found = with_prompt[-1]
        case _:
            found = history.round(int(wanted)) if wanted.isdecimal() else None
    if found is None or not found.prompt:
        numbers = ", ".join(str(line.round) for line in with_prompt)
        raise SpotuiError(
            f"{project.name} has no prompt of round {wanted}.",
            f"Choose seed, best, last or one of {numbers}.",
        )
    return found
