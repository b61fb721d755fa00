"""Rounds that SPO's own tool ran, as lines of a journal.

SPO's tool works in any workspace of that name, also in one of spotui, and adds its rounds to results.json.
They are kept: a run that is resumed takes them over, and continues after them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from spotui.workspace.lines import Outcome, RoundLine
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import (
    ResultsError,
    SpoRound,
    fingerprint,
    note_written,
    read_rounds,
    read_written,
)

MOST_ROUNDS: Final = 100_000
"""A higher number is a slip in the file, not a count of rounds."""


class SpoResults:
    """The results.json of a project, as it was when this was made.

    Read it before the journal: what is in it by then is also in the journal, unless SPO's tool added it.

    Args:
        project: A project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        try:
            self._rounds = read_rounds(project.prompts)
            self._written = read_written(project.folder)
        except (ResultsError, OSError):  # a session sets it aside, and says so
            self._rounds, self._written = [], set()

    def added(self, recorded: Iterable[RoundLine]) -> list[RoundLine]:
        """The rounds that SPO's tool added, with numbers of their own.

        Args:
            recorded: The rounds of the journal.
        """
        lines = {line.round: line for line in recorded}
        new = [one for one in self._rounds if not self._is_known(one, lines)]
        return spo_lines(new, self._project.results, lines) if new else []

    def take_over(self) -> None:
        """Remember that every round is in the journal now, whatever number it has there.

        Raises:
            OSError: The disk is full or read-only.
        """
        note_written(
            self._project.folder, [one for one in self._rounds if fingerprint(one) not in self._written]
        )

    def _is_known(self, one: SpoRound, recorded: Mapping[int, RoundLine]) -> bool:
        line = recorded.get(one.round)
        if line is not None and (line.prompt, line.answers) == (one.prompt, one.answers):
            return True  # the usual case, without a fingerprint
        if fingerprint(one) in self._written:
            return True
        others = (each for each in recorded.values() if each is line or each.added)
        return any(_is_same(each, one) for each in others)


def spo_lines(
    rounds: Sequence[SpoRound], results: Path, recorded: Mapping[int, RoundLine]
) -> list[RoundLine]:
    """Rounds of SPO's tool as lines; one whose number is taken gets the next free number.

    Args:
        rounds: In the order in which they were added.
        results: The file they come from: its time stands in where a round has none.
        recorded: The rounds that are there already, by number.
    """
    lines = dict(recorded)
    for one in rounds:
        is_free = 0 < one.round <= MOST_ROUNDS and one.round not in lines
        number = one.round if is_free else max(lines, default=0) + 1
        winners = [each for each, line in lines.items() if each < number and line.outcome in {"seed", "win"}]
        parent = max(winners, default=0)
        lines[number] = RoundLine(
            round=number,
            outcome=_outcome(one, parent),
            prompt=one.prompt,
            parent=parent,
            answers=one.answers,
            tokens=one.tokens,
            at=_moment(one.time) or _written(results),
            note="run by SPO's own tool" + ("" if number == one.round else f", as its round {one.round}"),
            added=True,
            after=max((each for each in lines if each < number), default=0),
        )
    return [line for number, line in sorted(lines.items()) if number not in recorded]


def _outcome(one: SpoRound, parent: int) -> Outcome:
    if not one.succeed:
        return "loss"
    if parent == 0:
        return "seed"
    return "void" if one.round == 1 else "win"  # it calls a seed that it asks again a success, unjudged


def _is_same(line: RoundLine, one: SpoRound) -> bool:
    told = SpoRound(one.round, line.answers, line.prompt, one.succeed, one.tokens, one.time)
    return fingerprint(told) == fingerprint(one)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):  # no time, or one at the edge of the calendar
        return None


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime).astimezone()
