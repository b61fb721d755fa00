"""The end of a run on the terminal: the better prompt and its cost, what happened, where it is, what next.

The last three lines hold one path and one command, so that they fit 80 columns.
"""

from collections import Counter
from typing import Final

from spotui import locations
from spotui.events import RunOpened, RunStopped
from spotui.settings.run_settings import BudgetSettings
from spotui.view.figures import count, duration, plural, usd
from spotui.view.picture import Picture
from spotui.view.worth import worth
from spotui.workspace.lines import AS_PLANNED, Outcome

COPIED: Final = ("Result: ", "Next: ")
"""How the lines begin that people copy from: they are never broken at a word."""

_INDENT: Final = "  "
_LOSING: Final[dict[Outcome, str]] = {
    "loss": "lost",
    "tie": "tied",
    "undecided": "undecided",
    "void": "void",
}


def summary(project: str, picture: Picture) -> list[str]:
    """The lines; empty when the run did not get to its end. Why a run failed belongs on standard error.

    Args:
        project: The project's name; empty when there is nothing to keep or continue.
        picture: The run.
    """
    stopped, opened = picture.stopped, picture.opened
    if stopped is None:
        return []
    lines = [""]
    if stopped.improved:
        lines += ["Better prompt:", "", *(_INDENT + line for line in stopped.prompt.splitlines()), ""]
    if picture.judge is not None and picture.judge.warning:
        lines.append(f"Warning: {picture.judge.warning}")
    if (spent := picture.spending) is not None:
        lines.append(
            f"Spent:   {plural(spent.calls, 'call')}, "
            f"{count(spent.prompt_tokens, estimated=spent.estimated)} tokens in, "
            f"{count(spent.completion_tokens, estimated=spent.estimated)} out, "
            f"{usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)}, {duration(spent.seconds)}"
        )
    lines.append(f"Outcome: {' '.join(_outcome(picture, stopped))}")
    if project and opened is not None:
        lines.append(f"Result:  {_result(opened, stopped)}")
        lines.append(f"Next:    {_next_step(project, picture, opened, stopped)}")
    return lines


def _outcome(picture: Picture, stopped: RunStopped) -> list[str]:
    """What happened."""
    failed = stopped.reason in {"failed", "unmarked"}
    value = worth(picture, stopped)
    cause = "The run failed." if failed else stopped.cause
    sentences = [value] if cause in value else [cause, value]
    if not stopped.improved and (tried := _tried(picture)):
        sentences.append(tried)
    return sentences


def _tried(picture: Picture) -> str:
    """Why there is no better prompt: what became of the candidates; empty where nothing lost."""
    ended = Counter(one.outcome for one in picture.rounds.values() if one.end is not None and one.number > 1)
    parts = [f"{ended[outcome]} {word}" for outcome, word in _LOSING.items() if ended[outcome]]
    return f"Of {plural(ended.total(), 'candidate')}: {', '.join(parts)}." if parts else ""


def _result(opened: RunOpened, stopped: RunStopped) -> str:
    from pathlib import Path

    folder = locations.shown(Path(opened.folder))
    return f"{folder}/prompts/round_{stopped.best}/prompt.txt" if stopped.improved else folder


def _next_step(project: str, picture: Picture, opened: RunOpened, stopped: RunStopped) -> str:
    resume = _resume(project, picture, opened, stopped)
    if stopped.improved and stopped.reason in AS_PLANNED:
        return f"what changed: spotui diff {project}"
    if stopped.reason in {"finished", "patience"} and stopped.rounds > 1:
        return f"{resume}, or use a stronger model"
    return resume or f"see its scores: spotui show {project}"


def _resume(project: str, picture: Picture, opened: RunOpened, stopped: RunStopped) -> str:
    """How to continue; empty where nothing is left to do."""
    command = f"spotui resume {project}"
    match stopped.reason:
        case "finished" if opened.parameters.get("only_evaluate"):
            return ""
        case "finished":
            return f"{command} --max-rounds {2 * picture.rounds_wanted}"
        case "patience":
            return f"{command} --patience none"
        case "target":
            return f"{command} --target-wins none"
        case "budget":
            return f"{command} with a larger {_spent_budgets(picture)}, or 'none'"
        case _:
            return f"continue: {command}" if stopped.resumable else ""


def _spent_budgets(picture: Picture) -> str:
    """The flags of the budgets that the run has."""
    kinds = [kind for kind in BudgetSettings.__struct_fields__ if picture.limits.get(kind) is not None]
    return " and ".join(f"--budget-{kind}" for kind in kinds) or "--budget-…"


def how_to_continue(project: str) -> str:
    """How to let a paused run continue, from another terminal."""
    return f"spotui attach {project} --send resume"
