"""One vote out of several."""

from collections.abc import Sequence

from spotui.judging.votes import Choice


def pooled(choices: Sequence[Choice]) -> Choice:
    """What more of the votes are for: a win, a loss, or a tie; void when every one of them is."""
    if all(choice == "void" for choice in choices):
        return "void"
    wins, losses = choices.count("win"), choices.count("loss")
    if wins == losses:
        return "tie"
    return "win" if wins > losses else "loss"
