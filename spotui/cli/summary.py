"""What a run is worth, in the few lines that stay on the terminal when it has ended."""

from spotui.events import FinalCheckFinished, FinalCheckSkipped, FinalTest, RunStopped
from spotui.view.figures import count, duration, gained, plural, points, usd
from spotui.view.picture import Picture


def summary(project: str, picture: Picture) -> list[str]:
    """The lines; empty when the run did not get to its end. Why a run failed belongs on standard error.

    Args:
        project: The project's name; empty when there is nothing to take or go on with.
        picture: The run.
    """
    stopped = picture.stopped
    if stopped is None:
        return []
    lines = [""] if stopped.reason == "failed" else ["", stopped.cause]
    if stopped.improved:
        lines.append(f"Best: round {stopped.best}. {_worth(picture)}")
    elif isinstance(picture.check, FinalCheckFinished):
        lines.append(f"{picture.check.headline} The seed prompt is kept.")
    elif stopped.rounds > 1:
        lines.append("No improvement: the seed prompt is still the best.")
    else:
        lines.append("No round after the seed has ended yet.")
    if picture.judge is not None and picture.judge.warning:
        lines.append(picture.judge.warning)
    if (spent := picture.spending) is not None:
        lines.append(
            f"Spent: {plural(spent.calls, 'call')}, {count(spent.prompt_tokens)} tokens in, "
            f"{count(spent.completion_tokens)} out, {usd(spent.cost_usd, spent.unpriced)}, "
            f"{duration(spent.seconds)}."
        )
    return lines + (_next_steps(project, stopped, picture.rounds_wanted) if project else [])


def _next_steps(project: str, stopped: RunStopped, rounds: int) -> list[str]:
    lines = []
    if stopped.improved:
        lines.append(f"Take it: spotui best {project}    See it: spotui diff {project}")
    match stopped.reason:
        case "finished":
            lines.append(f"More:    spotui resume {project} --max-rounds {2 * rounds}")
        case "patience":
            lines.append(f"More:    spotui resume {project} --patience none")
        case "target":
            lines.append(f"More:    spotui resume {project} --target-wins none")
        case "budget":
            lines.append(f"Go on:   spotui resume {project} with a larger --budget-…, or 'none'")
        case _ if stopped.resumable:
            lines.append(f"Go on:   spotui resume {project}")
        case _:
            pass
    return lines


def _worth(picture: Picture) -> str:
    """What is known about the gain; the duels alone are no measure of it."""
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


def test_result(test: FinalTest) -> str:
    """What the test at the end says, in a sentence."""
    sure = (
        "" if test.difference_interval[0] > 0 or test.difference_interval[1] < 0 else "; that may be chance"
    )
    return (
        f"On {plural(test.rows, 'test row')}: {points(test.best_score)} against the seed's "
        f"{points(test.seed_score)}, {gained(test.difference, test.difference_interval)}{sure}."
    )


def way_on(project: str) -> str:
    """How to let a paused run go on, from another terminal."""
    return f"spotui attach {project} --send resume"
