"""The end of a run on the terminal: the table of rounds, the better prompt, where it is, what to do next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from spotui.domain.answer_cost import latency, price
from spotui.domain.events import RoundFinished, RunOpened, RunStopped
from spotui.domain.figures import cell, clock, count, duration, points, usd, verdict
from spotui.domain.records import AS_PLANNED
from spotui.domain.text import short, width
from spotui.domain.verdicts import Outcome
from spotui.lang import N_, _, ngettext, spaced
from spotui.settings import locations
from spotui.settings.table import BudgetSettings
from spotui.view.picture import Picture, RoundPicture, worth

GAP: Final = 2
"""Blank cells between two columns."""

TEXTS: Final = frozenset({"round", "verdict", "votes", "modification"})
"""Columns that line up on the left."""

_LEFT_OUT_FIRST: Final = ("time", "tokens")
"""What a terminal too narrow for all figures goes without; the method's columns follow.

Round, verdict, votes and cost always stay.
"""


class RoundCells(NamedTuple):
    """One row of the table.

    Attributes:
        round: Its number.
        verdict: What became of its candidate.
        votes: Votes for and against it, or its score.
        tokens: Bought in the round.
        cost: What they cost.
        time: How long the round took.
        modification: What was changed, of any length.
        columns: What the method shows of it, by the names of its columns.
    """

    round: str
    verdict: str
    votes: str
    tokens: str
    cost: str
    time: str
    modification: str
    columns: Mapping[str, str] = {}

    @property
    def by_name(self) -> dict[str, str]:
        """The cells from left to right, each under the name of its column."""
        named = self._asdict()
        del named["columns"]
        modification = named.pop("modification")
        return {**named, **self.columns, "modification": modification}


def round_cells(shown: RoundPicture, columns: Sequence[str]) -> RoundCells:
    """A round as the table shows it; one under way has no figures yet.

    Args:
        shown: The round.
        columns: The columns that the method adds.
    """
    wins = sum(vote.choice == "win" for vote in shown.votes)
    losses = sum(vote.choice == "loss" for vote in shown.votes)
    votes = f"{wins}:{losses}" if shown.votes else ""
    text = " ".join(shown.candidate.modification.split()) if shown.candidate else ""
    end = shown.end
    if end is None:
        return RoundCells(str(shown.number), "…", votes, "", "", "", text, dict.fromkeys(columns, ""))
    return RoundCells(
        round=str(shown.number),
        verdict=verdict(shown.outcome or "", shown.judged, end.preferred),
        votes=votes if end.score is None else points(end.score),
        tokens=count(end.prompt_tokens + end.completion_tokens, estimated=end.estimated),
        cost=usd(end.cost_usd, estimated=end.estimated),
        time=clock(end.seconds),
        modification=text or end.note,
        columns={name: _cell(end, name) for name in columns},
    )


def answer_columns(picture: Picture) -> tuple[str, ...]:
    """The columns for the cost of an answer, those without a figure left out; like columns of a method."""
    costs = [one.end.per_answer for one in picture.rounds.values() if one.end is not None]
    columns = {_("$/answer"): price, _("s/answer"): latency}
    return tuple(name for name, shown in columns.items() if any(map(shown, costs)))


def _cell(end: RoundFinished, name: str) -> str:
    if name in end.columns:
        return cell(end.columns[name])
    if name == _("$/answer"):
        return price(end.per_answer)
    return latency(end.per_answer) if name == _("s/answer") else ""


_HEADS: Final = {
    "round": N_("round"),
    "verdict": N_("verdict"),
    "votes": N_("votes"),
    "tokens": N_("tokens"),
    "cost": N_("cost"),
    "time": N_("time"),
    "modification": N_("modification"),
}


def head(columns: Sequence[str] = (), *, is_scored: bool) -> RoundCells:
    """The row of headings.

    Args:
        columns: The columns that the method adds.
        is_scored: Whether prompts are scored on rows.
    """
    heads = {name: _(title) for name, title in _HEADS.items()}
    if is_scored:
        heads["votes"] = _("score")
    return RoundCells(**heads | {"columns": {name: name for name in columns}})  # type: ignore[arg-type]


def fit(rows: Sequence[RoundCells], cells: int) -> list[dict[str, str]]:
    """The texts of every row by column, so that each row fits into a line.

    Args:
        rows: The rows, the headings among them.
        cells: The width of the terminal.
    """
    named = [row.by_name for row in rows]
    widths = widest(named)
    del widths["modification"]
    for name in (*_LEFT_OUT_FIRST, *reversed(list(rows[0].columns))):
        if _line(widths) > cells:
            del widths[name]
    room = cells - _line(widths) - GAP
    shown = [*widths, *(["modification"] if room > 0 else [])]
    return [
        {name: short(row[name], max(0, room)) if name == "modification" else row[name] for name in shown}
        for row in named
    ]


def widest(rows: Sequence[dict[str, str]]) -> dict[str, int]:
    """The width of each column."""
    return {name: max(width(row[name]) for row in rows) for name in rows[0]}


def _line(widths: dict[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


_LABEL: Final = 8
"""Columns of a label."""

_INDENT: Final = "  "
_LOSING: Final[dict[Outcome, str]] = {
    "loss": N_("lost"),
    "tie": N_("tied"),
    "undecided": N_("undecided"),
    "refused": N_("refused"),
    "void": N_("void"),
}


def is_copied(text: str) -> bool:
    """Whether people copy from a line of the summary: it is never broken at a word."""
    return text.startswith((_("Result:"), _("Next:")))


def _labelled(label: str, text: str) -> str:
    return f"{label}{' ' * (_LABEL - width(label))} {text}"


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
        lines += _shown(_("Better prompt:"), stopped.prompt)
    elif stopped.lead:
        lines += _shown(_("Best prompt so far, not shown to be better than the seed:"), stopped.prompt)
    if picture.judge is not None and picture.judge.warning:
        lines.append(_labelled(_("Warning:"), picture.judge.warning))
    if (spent := picture.spending) is not None:
        spending = ngettext(
            "{n:,} call, {prompt_tokens} tokens in, {completion_tokens} out, {cost_usd}, {seconds}",
            "{n:,} calls, {prompt_tokens} tokens in, {completion_tokens} out, {cost_usd}, {seconds}",
            spent.calls,
            prompt_tokens=count(spent.prompt_tokens, estimated=spent.estimated),
            completion_tokens=count(spent.completion_tokens, estimated=spent.estimated),
            cost_usd=usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated),
            seconds=duration(spent.seconds),
        )
        lines.append(_labelled(_("Spent:"), spending))
    lines.append(_labelled(_("Outcome:"), spaced(_outcome(picture, stopped))))
    if project and opened is not None:
        lines.append(_labelled(_("Result:"), _result(opened, stopped)))
        lines.append(_labelled(_("Next:"), _next_step(project, picture, opened, stopped)))
    return lines


def _shown(heading: str, prompt: str) -> list[str]:
    return [heading, "", *(_INDENT + line for line in prompt.splitlines()), ""]


def _outcome(picture: Picture, stopped: RunStopped) -> list[str]:
    """What happened."""
    failed = stopped.reason in {"failed", "unmarked"}
    value = worth(picture, stopped)
    cause = _("The run failed.") if failed else stopped.cause
    sentences = [value] if cause in value else [cause, value]
    if not (stopped.improved or stopped.lead) and (tried := _tried(picture)):
        sentences.append(tried)
    return sentences


def _tried(picture: Picture) -> str:
    """Why there is no better prompt: what became of the candidates; empty where nothing lost."""
    ended = Counter(one.outcome for one in picture.rounds.values() if one.end is not None and one.number > 1)
    parts = [
        _("{count:,} {outcome}", count=ended[outcome], outcome=_(word))
        for outcome, word in _LOSING.items()
        if ended[outcome]
    ]
    if not parts:
        return ""
    return ngettext(
        "Of {n:,} candidate: {parts}.", "Of {n:,} candidates: {parts}.", ended.total(), parts=", ".join(parts)
    )


def _result(opened: RunOpened, stopped: RunStopped) -> str:
    from pathlib import Path

    folder = locations.shown(Path(opened.folder))
    has_another = stopped.improved or stopped.lead
    return f"{folder}/prompts/round_{stopped.best}/prompt.txt" if has_another else folder


def _next_step(project: str, picture: Picture, opened: RunOpened, stopped: RunStopped) -> str:
    resume = _resume(project, picture, opened, stopped)
    if stopped.improved and stopped.reason in AS_PLANNED:
        return _("what changed: spotui diff {project}", project=project)
    if stopped.reason in {"finished", "patience"} and stopped.rounds > 1:
        return _("{resume}, or use a stronger model", resume=resume)
    return resume or _("see its scores: spotui show {project}", project=project)


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
        case "waiting":
            return _("collect it: spotui wait {project}", project=project)
        case "budget":
            return _(
                "{command} with a larger {spent_budgets}, or 'none'",
                command=command,
                spent_budgets=_spent_budgets(picture),
            )
        case _:
            return f"continue: {command}" if stopped.resumable else ""


def _spent_budgets(picture: Picture) -> str:
    """The flags of the budgets that the run has."""
    kinds = [kind for kind in BudgetSettings.__struct_fields__ if picture.limits.get(kind) is not None]
    return " and ".join(f"--budget-{kind}" for kind in kinds) or "--budget-…"


def how_to_continue(project: str) -> str:
    """How to let a paused run continue, from another terminal."""
    return f"spotui attach {project} --send resume"
