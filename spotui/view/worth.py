"""What a run is worth, in a sentence."""

from spotui.events import FinalCheckFinished, FinalCheckSkipped, FinalTest, RunStopped
from spotui.view.figures import gained, plural, points
from spotui.view.picture import Picture


def worth(picture: Picture, stopped: RunStopped) -> str:
    """What is known about the gain of a run that stopped."""
    if stopped.improved:
        return f"Best: round {stopped.best}. {_tested(picture)}"
    if isinstance(picture.check, FinalCheckFinished) and picture.check.outcome in {"loss", "tie"}:
        return f"{picture.check.headline} The seed prompt is kept."
    if stopped.rounds > 1:
        return "No improvement: the seed prompt is still the best."
    return _seed_alone(picture)


def _seed_alone(picture: Picture) -> str:
    """What is known when no round after the seed has ended."""
    seed = picture.rounds.get(1)
    if seed is None or seed.end is None or seed.end.score is None or seed.end.score_interval is None:
        return "No round after the seed has ended yet."
    low, high = map(points, seed.end.score_interval)
    return f"The seed prompt scores {points(seed.end.score)} ({low} to {high})."


def test_result(test: FinalTest) -> str:
    """What the test on unseen rows says, in a sentence."""
    low, high = test.difference_interval
    sure = "" if low > 0 or high < 0 else "; that may be chance"
    return (
        f"On {plural(test.rows, 'test row')}: {points(test.best_score)} against the seed's "
        f"{points(test.seed_score)}, {gained(test.difference, test.difference_interval)}{sure}."
    )


def _tested(picture: Picture) -> str:
    """What the end of the run says; how its rounds went is no measure of the gain.

    Each was won by a prompt that was chosen for winning it.
    """
    if picture.tested is not None:
        return test_result(picture.tested)
    best = picture.rounds.get(picture.best)
    if best is not None and best.end is not None and best.end.score is not None:
        return f"It scores {points(best.end.score)} on the rows it was chosen by; no other row has tested it."
    match picture.check:
        case FinalCheckFinished() as check:
            return check.headline
        case FinalCheckSkipped() as check:
            return f"It won its duel, and was not checked against the seed: {check.why}"
        case _:
            return "It won its duel on the questions it was chosen by; it was not checked against the seed."
