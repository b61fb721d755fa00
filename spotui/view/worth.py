"""What a run is worth, in a sentence."""

from spotui.events import FinalCheckFinished, FinalCheckSkipped, RunStopped
from spotui.view.picture import Picture


def worth(picture: Picture, stopped: RunStopped) -> str:
    """What is known about the gain of a run that stopped."""
    if stopped.improved:
        return f"Best: round {stopped.best}. {_tested(picture)}"
    if isinstance(picture.check, FinalCheckFinished) and picture.check.outcome != "win":
        return f"{picture.check.headline} The seed prompt is kept."
    if stopped.rounds > 1:
        return "No improvement: the seed prompt is still the best."
    return "No round after the seed has ended yet."


def _tested(picture: Picture) -> str:
    """The duels alone are no measure of the gain: each was won by a prompt chosen for winning it."""
    match picture.check:
        case FinalCheckFinished() as check:
            return check.headline
        case FinalCheckSkipped() as check:
            return f"It won its duel, and was not checked against the seed: {check.why}"
        case _:
            return "It won its duel on the questions it was chosen by; it was not checked against the seed."
