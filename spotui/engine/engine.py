"""One run's rounds: what was tried, what won, and the verbs bound to each round."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, NoReturn, get_args

import msgspec

from spotui.domain.events import (
    Answered,
    CandidateProposed,
    Event,
    HintGiven,
    Noticed,
    RoundStarted,
    VerdictOverridden,
)
from spotui.domain.outcomes import event_of, round_finished
from spotui.domain.records import CheckLine, RoundLine
from spotui.domain.statistics import score
from spotui.domain.verdicts import BEST_SO_FAR, Outcome, StopReason
from spotui.engine.asking import together
from spotui.engine.execute import NoAnswer
from spotui.engine.final_check import Standings, check_best
from spotui.engine.layout import Layout
from spotui.engine.propose import fold
from spotui.engine.round import Verbs
from spotui.engine.scored_round import ScoredRound
from spotui.engine.stopping import Stopping
from spotui.engine.task import Candidate, Scored, Splits, Trial
from spotui.judging.reliability import Panel, duels_of, judge_record
from spotui.lang import _
from spotui.llm.limits import Halted

if TYPE_CHECKING:
    from spotui.engine.loopback import Loopback

EarlyEnd = Literal["perfect", "patience", "target"]
EARLY_ENDS: Final[tuple[EarlyEnd, ...]] = get_args(EarlyEnd)
"""Stop reasons that end a method's work, and not the run's: its best prompt is still tested."""


class Grant(NamedTuple):
    """The calls and rounds that a run was started with.

    What a person changes later is another matter: rounds that ended must go the same way when they are gone
    through again.

    Attributes:
        calls: The budget, without what the test at the end takes.
        rounds: How many rounds were wanted.
    """

    calls: int
    rounds: int

    def of_round(self, number: int, made: int) -> int:
        """Calls that a round may make, when all that are left are shared among the rounds that are left.

        Args:
            number: The round.
            made: Calls that were made before it.
        """
        return max(0, self.calls - made) // max(1, self.rounds - number + 1)


class Engine:
    """What a method works with.

    Args:
        verbs: What a round can do.
        rounds: How many rounds are wanted, the seed included.
        stopping: What ends the run before that.
        recorded: The rounds that earlier sessions ended; they are gone through again before new ones.
        record: Given every round that ended; returns it as it stands in the journal.
        grant: The budget of calls that the run was started with; None without one.
        closes: Whether the last round is not the method's, but a closing one.

    Attributes:
        task: What the run works on.
        meta: The meta-prompts.
        rounds_wanted: May be changed while the run goes on.
        leader: The best score so far, where prompts are scored.
        winner: The last score that won, or the seed's: a lead is none.
        ending: Why there are no more rounds although more are wanted, or None.
    """

    def __init__(
        self,
        verbs: Verbs,
        *,
        rounds: int,
        stopping: Stopping,
        recorded: Mapping[int, RoundLine],
        record: Callable[[RoundLine], RoundLine],
        grant: Grant | None = None,
        closes: bool = False,
    ) -> None:
        self.task = verbs.context.task
        self.meta = verbs.context.meta
        self.rounds_wanted = rounds
        self.leader: Scored | None = None
        self.winner: Scored | None = None
        self.ending: tuple[StopReason, str] | None = None
        self._stopping = stopping
        self._verbs = verbs
        self._emit = verbs.context.emit
        self._record = record
        self._grant = grant
        self._settled = {number for number, line in recorded.items() if line.answers}
        self._last_recorded = max(recorded, default=0)
        self._added = {number: line for number, line in recorded.items() if line.added}
        self._last_added = max(self._added, default=0)
        self._closes = closes
        self._closed = {number: line for number, line in recorded.items() if line.closing}
        self._left_out = {
            number for line in self._added.values() for number in range(line.after + 1, line.round)
        }
        self._trials: dict[int, Trial] = {}
        self._tried: dict[str, int] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._won: list[int] = []
        self._preferred: set[int] = set()
        self._turn: ScoredRound | None = None
        self._history: list[RoundLine] = []
        self._ended = 0
        self._panel = Panel()
        self._standings = Standings()

    def close(self) -> None:
        """Let go of what scores prompts."""
        if self._verbs.scorer is not None:
            self._verbs.scorer.close()

    @property
    def newest(self) -> int:
        """The newest round that has begun, earlier sessions included; 0 before the first."""
        return max(self._last_recorded, self._turn.number if self._turn else 0)

    @property
    def first_editable(self) -> int:
        """The first round after the seed whose candidate no session has executed yet."""
        turn = self._turn
        if turn is not None and turn.editable and turn.number > self._last_recorded:
            return turn.number
        return max(2, self.newest + 1)

    def compares_several(self, number: int) -> bool:
        """Whether a round that is under way compares several candidates at once."""
        return self._turn is not None and self._turn.number == number and self._turn.compares_several

    def is_settled(self, number: int) -> bool:
        """Whether a round after the seed has an outcome, in this session or an earlier one."""
        return number > 1 and (number in self._outcomes or number in self._settled)

    def has_gone_through(self, number: int) -> bool:
        """Whether a round has ended in this session, or was gone through again."""
        return number in self._outcomes

    def outcome_of(self, number: int) -> Outcome:
        """What became of a round's candidate, a person's verdict included; void before it has ended."""
        return self._outcomes.get(number, "void")

    @property
    def seed(self) -> Candidate:
        """The prompt the run starts from."""
        return Candidate(round=1, prompt=self.task.prompt)

    @property
    def rows(self) -> Splits:
        """The rows of the run.

        Raises:
            Halted: It has none.
        """
        if self._verbs.scorer is None:
            raise Halted("failed", _("This run has no rows to score prompts on."))
        return self._verbs.scorer.splits

    @property
    def layout(self) -> Layout:
        """How prompt and row become a message."""
        return self.task.layout

    def loopback(self, task: Mapping[str, Any], module: str) -> "AbstractAsyncContextManager[Loopback]":
        """Serve an optimizer of another package, and run it in a child process.

        Args:
            task: The task, as JSON.
            module: What its process runs.

        Raises:
            Halted: The run has no rows.
        """
        from spotui.engine.loopback import open_loopback

        if self._verbs.scorer is None:
            raise Halted("failed", _("This run has no rows to score prompts on."))
        return open_loopback(self._verbs.context, self._verbs.scorer, task, module)

    def end(self, reason: EarlyEnd, cause: str) -> NoReturn:
        """End the run before the wanted rounds are done, as there is nothing more to gain.

        Args:
            reason: perfect, patience or target.
            cause: The same in a sentence.

        Raises:
            Halted: Always.
        """
        raise Halted(reason, cause)

    def fail(self, cause: str) -> NoReturn:
        """End the run because the method cannot do its work on this task.

        Args:
            cause: What is missing and what to do.

        Raises:
            Halted: Always.
        """
        raise Halted("failed", cause)

    def tell(self, event: Event) -> None:
        """Tell the run's listeners what the method alone knows."""
        self._emit(event)

    @property
    def best(self) -> Trial:
        """The newest trial that won or leads; each beat the one before it."""
        return self._trials[self._won[-1]]

    @property
    def best_candidate(self) -> Candidate:
        """The best prompt, which is the seed until the seed round has ended."""
        return self.best.candidate if self._outcomes else self.seed

    @property
    def history(self) -> Sequence[RoundLine]:
        """The rounds that ended, as the journal has them, each with the verdict that is in force.

        What a method learns from them is the same when the run is resumed. It grows with every round.
        """
        return self._history

    @property
    def ended(self) -> int:
        """How many rounds have ended."""
        return self._ended

    def rounds(self) -> Iterator[int]:
        """The numbers of the rounds after the seed, as many as are wanted by then and worth having."""
        number = 2
        while number <= self.rounds_wanted - self._closes:
            if number in self._added:
                self._take_added(self._added[number])
            elif number not in self._left_out:
                self._take_overrides(number)
                if self._stopping.is_set and number > self._last_added:
                    wins = [one for one in self._won[1:] if self._outcomes[one] == "win"]
                    self.ending = self._stopping.reached(number - 1, len(wins), self._won[-1])
                if self.ending is not None:
                    return
                if number not in self._closed:
                    yield number
            number += 1

    @asynccontextmanager
    async def round(self, number: int, *, continues: bool = False) -> AsyncIterator[ScoredRound]:
        """A round from its start to its record; it is void when nothing settles it.

        Args:
            number: Which.
            continues: Whether calls that were made since the round before count as this one's.
        """
        if number - 1 in self._closed and number - 1 not in self._outcomes:
            self._take_closed(self._closed[number - 1])
        self._take_overrides(number)
        if not continues:
            self._verbs.context.asker.take_spending()
        is_new = number > self._last_recorded
        if not is_new:
            await asyncio.sleep(0)  # it waits for no call, and commands and clients must have their turn
        calls = None if self._grant is None else self._grant.of_round(number, self._verbs.context.asker.made)
        turn = ScoredRound(
            number, self._verbs, self._tried, self.leader, self.winner, is_new=is_new, calls=calls
        )
        self._turn = turn
        for hint in self._verbs.context.decisions.recorded_hints(number):
            self._emit(event_of(HintGiven, hint))
        self._emit(RoundStarted(round=number, best=self.best.round if number > 1 else 0))
        if number > 1:
            await self._answer_best()
        yield turn
        if number > 1:
            await turn.break_tie(self.best, self._proven)
        turn.editable = False
        if turn.trial is not None:
            self._keep(number, turn.trial, turn.outcome)
        for rival in turn.rivals:
            self._tried.setdefault(fold(rival.prompt), number)
        if turn.chosen is not None and turn.outcome in BEST_SO_FAR:
            self._take_lead(turn.leading or turn.chosen, turn.outcome, is_preferred=bool(turn.preferred))
        if turn.preferred and turn.outcome == "lead":
            self._preferred.add(number)
        self._ended += 1
        self._finish(self._record(turn.line()))

    def _take_lead(self, scored: Scored, outcome: Outcome, *, is_preferred: bool) -> None:
        """Hold later scores against this one; a preferred prompt takes no higher score's place there."""
        if self.leader is None or not is_preferred or scored.score.mean >= self.leader.score.mean:
            self.leader = scored
        if outcome != "lead":
            self.winner = scored

    @property
    def _proven(self) -> Trial:
        """The newest trial that is the best by votes or by its score, and not by preference alone."""
        return self._trials[next(one for one in reversed(self._won) if one not in self._preferred)]

    @property
    def best_outcome(self) -> Outcome:
        """The outcome of the round that the best prompt is as good as: its own, unless it was preferred."""
        return self.outcome_of(self._proven.round) if self._outcomes else "void"

    @asynccontextmanager
    async def closing_round(self) -> AsyncIterator[ScoredRound]:
        """A round after those of the method, for the last thing to try on its best prompt."""
        async with self.round((self._turn.number if self._turn else 0) + 1) as turn:
            turn.closing = True
            yield turn

    def _take_closed(self, line: RoundLine) -> None:
        """Go through a closing round after which the run was made longer: its prompt may be the best."""
        self._emit(RoundStarted(round=line.round, best=self.best.round))
        self._emit(event_of(CandidateProposed, line))
        candidate = Candidate(line.round, line.prompt, line.parent, line.modification)
        self._keep(line.round, Trial(candidate, (), line.answers, cost=line.per_answer), line.outcome)
        if line.outcome in {"win", "lead"}:
            marks, cost = line.marks, line.per_answer
            scored = Scored(candidate, "eval", score(marks, seed=self.task.seed), marks, cost=cost)
            self._take_lead(scored, line.outcome, is_preferred=bool(line.preferred))
        if line.preferred and line.outcome == "lead":
            self._preferred.add(line.round)
        self._ended += 1
        self._tell_end(line)

    def conclude(self) -> None:
        """Let verdicts count that people gave since the last round began."""
        self._take_overrides(self.newest + 1)

    def _take_added(self, line: RoundLine) -> None:
        """Go through a round of SPO's own tool: it happened, and its prompt may be the best."""
        self._emit(RoundStarted(round=line.round, best=self.best.round))
        candidate = Candidate(round=line.round, prompt=line.prompt, parent=line.parent)
        self._emit(CandidateProposed(round=line.round, parent=line.parent, prompt=line.prompt))
        for index, one in enumerate(line.answers):
            self._emit(Answered(round=line.round, index=index, question=one.question, answer=one.answer))
        if self._verbs.scorer is None:  # where prompts are scored, one without a score beats none
            self._keep(line.round, Trial(candidate, (), line.answers), line.outcome)
        self._ended += 1
        self._tell_end(line)

    async def _answer_best(self) -> None:
        """Ask the questions again with a best prompt that SPO's own tool found.

        Nobody knows which model gave its answers, so they cannot be compared with those of this run.

        Raises:
            Halted: A question got no answer.
        """
        best = self.best
        if best.round not in self._added or best.questions:
            return
        asked = await self._verbs.executor.execute(best.candidate, self.task.questions)
        if isinstance(asked, NoAnswer):
            raise Halted(
                "failed",
                _(
                    "Question {number} got no answer with the best prompt so far, that of round {round}: "
                    "{why} {hint}",
                    number=asked.number,
                    round=best.round,
                    why=asked.why,
                    hint=asked.hint,
                ),
            )
        self._trials[best.round] = asked

    def _keep(self, number: int, trial: Trial, outcome: Outcome) -> None:
        """Keep what a round brought, so that no later round has to look at every one before it."""
        self._trials[number] = trial
        self._tried[fold(trial.candidate.prompt)] = number
        self._outcomes[number] = outcome
        if outcome in BEST_SO_FAR:
            self._won.append(number)

    def _take_overrides(self, number: int) -> None:
        overrides = self._verbs.context.decisions.overrides_before(number)
        new = {n: outcome for n, outcome in overrides.items() if n in self._trials}
        if any(self._outcomes[n] != outcome for n, outcome in new.items()):
            self._outcomes.update(new)
            self._won = [n for n, outcome in self._outcomes.items() if outcome in BEST_SO_FAR]
            self._history = [self._in_force(line) for line in self._history]

    def _in_force(self, line: RoundLine) -> RoundLine:
        """A round with the verdict that is in force."""
        outcome = self._outcomes.get(line.round, line.outcome)
        return line if outcome == line.outcome else msgspec.structs.replace(line, outcome=outcome)

    def _tell_end(self, line: RoundLine) -> None:
        """Tell how a round ended, and which verdict a person gave it before this session came to it."""
        self._emit(round_finished(line, self.best.round))
        if (given := self._verbs.context.decisions.override_of(line.round)) is not None:
            self._emit(
                VerdictOverridden(round=given.round, outcome=given.outcome, before_round=given.before_round)
            )

    def _finish(self, line: RoundLine) -> None:
        self._history.append(self._in_force(line))
        self._tell_end(line)
        self._count_wins(line)
        if duels := duels_of(line):
            with self._verbs.context.statistic(_("The reliability of the judge")):
                panel = self._panel
                for votes in duels:
                    panel = panel.after(votes)
                self._measure_judge(line.round, panel)

    def _count_wins(self, line: RoundLine) -> None:
        if line.outcome == "win" and self._turn is not None and self._turn.opponent:
            self._standings.add(line.round, self._turn.opponent, line.votes)

    def _measure_judge(self, number: int, panel: Panel) -> None:
        before, self._panel = self._panel, panel
        self._emit(judge_record(panel, number))
        is_new = bool(panel.faults - before.faults)
        if is_new:
            self._emit(Noticed(text=panel.warning, level="warning"))

    async def final_check(self) -> CheckLine:
        """Best against seed on all questions, or why they could not be compared.

        Raises:
            Halted: The run ends before.
        """
        await self._answer_best()
        return await check_best(self._verbs, self._trials[1], self.best, self._standings)

    async def final_test(self) -> tuple[Scored, Scored] | None:
        """Seed and best on the rows that nothing has seen before; None when there is nothing to compare."""
        self.conclude()
        scorer, best = self._verbs.scorer, self.best.candidate
        if scorer is None or not len(scorer.splits.test) or best.round == self.seed.round:
            return None
        old, new = await together(
            [scorer.score(one.round, [one], scorer.splits.test) for one in (self.seed, best)]
        )
        return old[0], new[0]
