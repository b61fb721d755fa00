"""What a run is worth, in a sentence."""

from spotui.events import RunStopped
from spotui.view.figures import plural
from spotui.view.picture import Picture


def worth(picture: Picture, stopped: RunStopped) -> str:
    """What is known about the gain of a run that stopped."""
    if stopped.improved:
        return f"Best: round {stopped.best}. {_tested(picture)}"
    if stopped.rounds > 1:
        return "No improvement: the seed prompt is still the best."
    return "No round after the seed has ended yet."


def _tested(picture: Picture) -> str:
    held_out = picture.held_out
    if held_out is None:
        # The duels alone are no measure of the gain: each was won by a prompt chosen for winning it.
        return "It won its duel on the questions it was chosen by; no held-out question has tested it."
    verdict = {"win": "it wins", "loss": "it loses", "tie": "a tie", "void": "no verdict"}
    said = verdict.get(held_out.outcome, held_out.outcome)
    votes = f"{plural(held_out.wins, 'vote')} for it, {held_out.losses} against"
    return f"On {plural(held_out.questions, 'held-out question')} against the seed: {said} ({votes})."
