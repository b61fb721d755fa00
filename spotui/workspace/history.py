"""A project read back without running anything: its rounds, its best, how it stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from spotui.domain.records import (
    CheckLine,
    FinalTestLine,
    HeldOutLine,
    HintLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    SessionLine,
    StopLine,
)
from spotui.domain.verdicts import BEST_SO_FAR, Outcome
from spotui.lang import _
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.lock import ProjectLock
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
        """The rounds that SPO's tool added, with other numbers.

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

    def _is_known(self, spo_round: SpoRound, recorded: Mapping[int, RoundLine]) -> bool:
        line = recorded.get(spo_round.round)
        if line is not None and (line.prompt, line.answers) == (spo_round.prompt, spo_round.answers):
            return True  # the usual case, without a fingerprint
        if fingerprint(spo_round) in self._written:
            return True
        others = (each for each in recorded.values() if each is line or each.added)
        return any(_is_same(each, spo_round) for each in others)


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
        winners = [each for each, line in lines.items() if each < number and line.outcome in BEST_SO_FAR]
        parent = max(winners, default=0)
        lines[number] = RoundLine(
            round=number,
            outcome=_outcome(one, parent),
            prompt=one.prompt,
            parent=parent,
            answers=one.answers,
            tokens=one.tokens,
            at=_moment(one.time) or _written(results),
            note=_("run by SPO's own tool")
            if number == one.round
            else _("run by SPO's own tool, as its round {round}", round=one.round),
            added=True,
            after=max((each for each in lines if each < number), default=0),
        )
    return [line for number, line in sorted(lines.items()) if number not in recorded]


def _outcome(spo_round: SpoRound, parent: int) -> Outcome:
    if not spo_round.succeed:
        return "loss"
    if parent == 0:
        return "seed"
    return "void" if spo_round.round == 1 else "win"  # it calls a seed that it asks again a success, unjudged


def _is_same(line: RoundLine, spo_round: SpoRound) -> bool:
    told = SpoRound(
        spo_round.round, line.answers, line.prompt, spo_round.succeed, spo_round.tokens, spo_round.time
    )
    return fingerprint(told) == fingerprint(spo_round)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):  # no time, or one at the edge of the calendar
        return None


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime).astimezone()


State = Literal["running", "paused", "interrupted", "ended", "foreign"]

HELD: Final = frozenset({"running", "paused"})
"""States in which a process holds a project."""

_KINDS = (
    SessionLine,
    RoundLine,
    OverrideLine,
    LimitsLine,
    HintLine,
    HeldOutLine,
    CheckLine,
    FinalTestLine,
    StopLine,
)


class History(msgspec.Struct, frozen=True):
    """What a project holds.

    Attributes:
        rounds: Every round that ended, overridden verdicts applied, lowest number first.
        stop: How the run ended last, or None when it never did.
        held_out: The part of the final check that is on unseen questions, if there was one.
        test: The final test on unseen rows, if there was one.
        state: running while a process holds it, or paused while that waits for a person; ended when it gave a
            stop reason; interrupted when it gave none, because a process died in it or none has begun;
            foreign when SPO's reference wrote it and there is no journal.
        check: The final check, or why it was skipped.
        judge: Which kind of judge voted, in a few words; empty when unknown.
        limits: Those that were changed after the start, the last value of each.
        hints: What people told the optimizer, in the order in which they did.
    """

    rounds: tuple[RoundLine, ...]
    stop: StopLine | None
    held_out: HeldOutLine | None
    state: State
    check: CheckLine | None = None
    judge: str = ""
    test: FinalTestLine | None = None
    limits: Mapping[str, float | int | None] = {}
    hints: tuple[HintLine, ...] = ()

    @property
    def standing(self) -> str:
        """The state, or the reason of the stop once the run has ended."""
        return self.stop.reason if self.state == "ended" and self.stop else self.state

    @property
    def best(self) -> RoundLine | None:
        """The round whose prompt is the best so far; the seed, when the final check found no improvement."""
        best = best_of(self.rounds)
        if best is not None and self.check is not None and is_refuted(self.check, best.round):
            proven = proven_of(self.rounds)
            is_tied = self.check.outcome == "tie" and proven is not None and proven.round == 1
            return best if is_tied else self.round(1)
        return best

    @property
    def spent(self) -> tuple[float | None, bool]:
        """USD of all calls, None where a price is unknown, and whether a part is an estimate.

        Until the run has ended, of its rounds: the calls of the check or test are known at the end.
        """
        if self.stop is not None and self.stop.calls:
            return None if self.stop.unpriced else self.stop.cost_usd, self.stop.estimated
        return total_cost(self.rounds), is_estimated(self.rounds)

    @property
    def last_round(self) -> int:
        """The highest number of a round; 0 when none has ended."""
        return self.rounds[-1].round if self.rounds else 0

    def round(self, number: int) -> RoundLine | None:
        """The round of that number."""
        return next((line for line in self.rounds if line.round == number), None)


def best_of(rounds: Iterable[RoundLine]) -> RoundLine | None:
    """The newest round that won or leads; each beat the one before it.

    Where prompts are scored, a round that SPO's own tool added has no score, and beats none that has one.
    """
    winners = [line for line in rounds if line.outcome in BEST_SO_FAR]
    scored = [line for line in winners if line.score is not None]
    chosen = scored or winners
    return chosen[-1] if chosen else None


def proven_of(rounds: Iterable[RoundLine]) -> RoundLine | None:
    """The newest round that won or leads by its votes or score, and not because it is cheaper or shorter."""
    return best_of(line for line in rounds if not (line.preferred and line.outcome == "lead"))


def is_refuted(check: CheckLine, best: int) -> bool:
    """Whether a final check found this best prompt to be no better than the seed."""
    return check.best == best and not check.skipped and check.outcome in {"loss", "tie"}


def is_estimated(rounds: Iterable[RoundLine]) -> bool:
    """Whether any part of what rounds took is an estimate."""
    return any(line.estimated for line in rounds)


def total_cost(rounds: Iterable[RoundLine]) -> float | None:
    """USD of these rounds, or None when the price of any is unknown."""
    total = 0.0
    for line in rounds:
        if line.cost_usd is None:
            return None
        total += line.cost_usd
    return total


def apply_overrides(rounds: Iterable[RoundLine], overrides: Iterable[OverrideLine]) -> tuple[RoundLine, ...]:
    """The rounds, sorted, each with the last verdict that anybody gave it."""
    verdicts = {line.round: line.outcome for line in overrides}
    newest = {line.round: line for line in rounds}
    return tuple(
        msgspec.structs.replace(line, outcome=verdicts[number], judged=line.outcome)
        if number in verdicts
        else line
        for number, line in sorted(newest.items())
    )


def read_history(project: Project) -> History:
    """Read a project, ours or the reference's.

    Raises:
        JournalError: The journal is damaged.
        ResultsError: There is no journal, and results.json is damaged.
    """
    if not project.is_ours:
        return _foreign_history(project)
    # Before the lines: a run that ends while they are read must not look like one that died, nor a round that
    # is recorded meanwhile like one of SPO's own tool.
    results = SpoResults(project)
    owner = ProjectLock(project.lock, project.name).living_owner()
    rounds: list[RoundLine] = []
    overrides: list[OverrideLine] = []
    stop: StopLine | None = None
    held_out: HeldOutLine | None = None
    test: FinalTestLine | None = None
    check: CheckLine | None = None
    judge = ""
    limits: dict[str, float | int | None] = {}
    hints: list[HintLine] = []
    for line in read_lines(project.journal, *_KINDS):
        match line:
            case RoundLine():
                rounds.append(line)
            case OverrideLine():
                overrides.append(line)
            case HintLine():
                hints.append(line)
            case HeldOutLine():
                held_out = line
            case FinalTestLine():
                test = line
            case CheckLine():
                check = line
            case LimitsLine():
                limits.update(line.changes)
            case StopLine():
                stop = line
            case SessionLine():  # what an earlier one gave as its stop reason no longer holds
                stop, judge = None, line.judge
            case _:
                pass
    rounds += results.added(rounds)
    state: State = "interrupted" if stop is None else "ended"
    if owner is not None:
        state = "paused" if owner.is_paused else "running"
    return History(
        apply_overrides(rounds, overrides),
        stop,
        held_out,
        state,
        check=check,
        judge=judge,
        test=test,
        limits=limits,
        hints=tuple(hints),
    )


def _foreign_history(project: Project) -> History:
    # Of two runs under one name the newer entry of a round counts: its prompt.txt is the one that is there.
    newest = {one.round: one for one in read_rounds(project.prompts)}
    rounds = spo_lines([one for _, one in sorted(newest.items())], project.results, {})
    return History(tuple(rounds), None, None, "foreign")
