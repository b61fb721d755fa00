"""What a run is worth, in the few lines that stay on the terminal when it has ended."""

from spotui.events import RunStopped
from spotui.view.figures import count, duration, plural, usd
from spotui.view.picture import Picture
from spotui.view.worth import worth


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
    lines.append(worth(picture, stopped))
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


def way_on(project: str) -> str:
    """How to let a paused run go on, from another terminal."""
    return f"spotui attach {project} --send resume"
