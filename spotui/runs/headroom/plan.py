"""How the budget of a headroom measurement is divided."""

from typing import Final, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.engine import Question
from spotui.lang import _
from spotui.runs.headroom.probes import NAMES, Probe, Wanted, rewrites
from spotui.runs.prepare import Prepared, is_marked
from spotui.runs.task import criteria_for, is_judged, questions_of
from spotui.templates.sections import metric_of

USUAL_CALLS: Final = 160
"""The budget of calls where none is set."""

PROPOSALS: Final = 2
_FIRST, _SECOND = 8, 6
"""Rows of the first block, which every probe is asked, and of the second."""

FINALISTS: Final = 3
SHOWN: Final = 4
"""Train rows that the optimizer sees, with the answers to the seed."""

VOTES: Final = 3
"""Votes that a duel usually takes."""

_LEAST_REST: Final = 4
_RESERVE: Final = 0.05
"""The part of the budget that is kept for answers that have to be asked for again."""

CANDIDATES: Final = 12
"""Candidates of the run that is suggested."""


class Plan(NamedTuple):
    """How many rows, or questions, the probes are asked.

    Attributes:
        first: By everyone, and by the seed twice.
        second: By the seed and the best three after that.
        rest: By the seed and the best one after that.
        calls: What all of it takes.
    """

    first: int
    second: int
    rest: int
    calls: int


def plan_rows(prepared: Prepared, rows: int, probes: int) -> Plan:
    """Divide the budget of probes that are scored.

    Args:
        prepared: The template.
        rows: Those that there are.
        probes: The probes, with the proposals.

    Raises:
        SpotuiError: It is too small, or there are too few rows.
    """
    calls, cost = calls_of(prepared), cost_of(prepared)
    first = min(_FIRST, rows // 3)
    second = min(_SECOND, max(0, rows - 2 * first))
    finalists = min(FINALISTS, probes)
    before = PROPOSALS + cost * (SHOWN + (2 + probes) * first + (1 + finalists) * second)
    room = int(calls * (1 - _RESERVE)) - before
    rest = min(rows - first - second, room // (2 * cost))
    if first < 2:
        raise SpotuiError(
            _("There are too few rows to tell a gain from chance: {rows}.", rows=rows),
            _("Add rows to the template; {least} train and eval rows are the least.", least=6),
        )
    if rest < min(_LEAST_REST, rows - first - second):
        raise _too_small(prepared, before + 2 * cost * min(_LEAST_REST, rows - first - second))
    return Plan(first, second, rest, before + 2 * cost * rest)


def calls_of(prepared: Prepared) -> int:
    """The budget of calls."""
    return prepared.settings.budget.calls or USUAL_CALLS


def is_by_rows(prepared: Prepared) -> bool:
    """Whether prompts are scored on rows; otherwise a judge compares answers."""
    return is_marked(prepared.template)


def cost_of(prepared: Prepared) -> int:
    """Calls that an answer to a row takes, with its mark."""
    rows = prepared.rows.eval if prepared.rows is not None else ()
    return max((1 + len(row.turns) for row in rows), default=1) + is_judged(prepared.template)


def plan_of(prepared: Prepared) -> Plan:
    """How a template's headroom is measured.

    Raises:
        SpotuiError: The budget or the rows are too few.
    """
    probes = len(probes_of(prepared)[0]) + PROPOSALS
    if prepared.rows is None or not is_by_rows(prepared):
        return plan_duels(prepared, probes)
    rows = len(prepared.rows.eval) + max(0, len(prepared.rows.train) - SHOWN - 1)
    return plan_rows(prepared, rows, probes)


def plan_duels(prepared: Prepared, probes: int) -> Plan:
    """Divide the budget of duels.

    Args:
        prepared: The template.
        probes: The probes, with the proposals.

    Raises:
        SpotuiError: It is too small.
    """
    settings, asked = prepared.settings, max(1, len(prepared.questions))
    votes = VOTES * (asked if settings.judge_unit == "row" else 1)
    checked = PROPOSALS + (2 + probes) * asked + (1 + probes) * votes + 2 * asked
    room = int(calls_of(prepared) * (1 - _RESERVE)) - checked
    if room < 0:
        raise _too_small(prepared, checked)
    rest = min(len(other_questions(prepared)), room // 4)
    return Plan(asked, 0, rest, checked + 4 * rest)


def _too_small(prepared: Prepared, needed: int) -> SpotuiError:
    return SpotuiError(
        _("A budget of {calls} calls is too small to measure the headroom.", calls=calls_of(prepared)),
        _("Raise it: --budget-calls {least} is the least.", least=int(needed / (1 - _RESERVE)) + 1),
    )


def other_questions(prepared: Prepared) -> list[Question]:
    """The questions of a template without rows that probes are not chosen by."""
    pool = questions_of(prepared.template, prepared.rows, prepared.files.attach)
    chosen, template = set(prepared.questions), prepared.template
    return [
        one
        for index, one in enumerate(pool)
        if index not in chosen and not (template.data is None and template.qa[index].synthetic)
    ]


def probes_of(prepared: Prepared) -> tuple[list[Probe], tuple[str, ...]]:
    """The fixed rewrites of a template's prompt, and the names of those that cannot apply."""
    rows = prepared.rows.train if prepared.rows is not None and is_by_rows(prepared) else ()
    wanted = Wanted(
        metric_of(prepared.template) if is_by_rows(prepared) else None,
        criteria_for(prepared.template, 1),
        rows,
        prepared.settings.roles.executor.max_tokens,
    )
    found = rewrites(prepared.task, wanted)
    names = {one.name for one in found}
    return found, tuple(name for name in NAMES if name not in names)
