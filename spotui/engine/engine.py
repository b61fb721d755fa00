"""One run's rounds: what was tried, what won, and the verbs bound to each round."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from spotui.engine.asking import together
from spotui.engine.context import Context
from spotui.engine.execute import Executor
from spotui.engine.judge import Judge
from spotui.engine.propose import Proposer, fold
from spotui.engine.round import Round
from spotui.engine.task import Candidate, Duel, Trial
from spotui.events import RoundFinished, RoundStarted
from spotui.llm.gate import Gate
from spotui.workspace.lines import Outcome, RoundLine


class Engine:
    """What a method works with.

    Args:
        context: What the verbs work with.
        judge: The verb judge.
        gate: Where a run pauses.
        rounds: How many rounds are wanted, the seed included.
        record: Given every round that ended; returns it as it stands in the journal.

    Attributes:
        task: What the run works on.
        meta: The meta-prompts.
        rounds_wanted: May be changed while the run goes on.
    """

    def __init__(
        self,
        context: Context,
        judge: Judge,
        gate: Gate,
        *,
        rounds: int,
        record: Callable[[RoundLine], RoundLine],
    ) -> None:
        self.task = context.task
        self.meta = context.meta
        self.rounds_wanted = rounds
        self.context = context
        self.proposer = Proposer(context)
        self.executor = Executor(context)
        self.judge = judge
        self.gate = gate
        self._record = record
        self._trials: dict[int, Trial] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._current = 0
        self._ended = 0
        self._awaiting_execution = False

    @property
    def current(self) -> int:
        """The round under way, or the last one that ended; 0 before the first."""
        return self._current

    @property
    def first_editable(self) -> int:
        """The first round whose candidate has not been executed yet."""
        return self._current if self._awaiting_execution else self._current + 1

    def is_settled(self, number: int) -> bool:
        """Whether a round after the seed has an outcome."""
        return number > 1 and number in self._outcomes

    @property
    def seed(self) -> Candidate:
        """The prompt the run starts from."""
        return Candidate(round=1, prompt=self.task.prompt)

    @property
    def best(self) -> Trial:
        """The newest trial that won; each winner beat the one before it."""
        return self._trials[max(n for n, outcome in self._outcomes.items() if outcome in {"seed", "win"})]

    @property
    def best_candidate(self) -> Candidate:
        """The best prompt, which is the seed until the seed round has ended."""
        return self.best.candidate if self._outcomes else self.seed

    @property
    def ended(self) -> int:
        """How many rounds have ended."""
        return self._ended

    @property
    def tried(self) -> dict[str, int]:
        """Every prompt that was tried, folded, with its round."""
        return {fold(trial.candidate.prompt): number for number, trial in self._trials.items()}

    def rounds(self) -> Iterator[int]:
        """The numbers of the rounds after the seed, as many as are wanted by then."""
        number = 2
        while number <= self.rounds_wanted:
            yield number
            number += 1

    @asynccontextmanager
    async def round(self, number: int) -> AsyncIterator[Round]:
        """A round from its start to its record; it is void when nothing settles it."""
        self._current = number
        self._take_overrides(number)
        self._awaiting_execution = number > 1
        self.context.asker.take_spending()
        turn = Round(self, number)
        self.context.emit(RoundStarted(round=number, best=self.best.round if number > 1 else 0))
        yield turn
        if turn.trial is not None:
            self._trials[number] = turn.trial
            self._outcomes[number] = turn.outcome
        self._ended += 1
        self._finish(self._record(turn.line()))

    def conclude(self) -> None:
        """Let verdicts count that people gave since the last round began."""
        self._take_overrides(self._current + 1)

    def _take_overrides(self, number: int) -> None:
        overrides = self.context.decisions.overrides_before(number)
        self._outcomes.update({n: outcome for n, outcome in overrides.items() if n in self._trials})

    def _finish(self, line: RoundLine) -> None:
        duel = Duel(line.outcome, line.votes)
        self.context.emit(
            RoundFinished(
                round=line.round,
                outcome=line.outcome,
                best=self.best.round,
                wins=duel.count("win"),
                losses=duel.count("loss"),
                ties=duel.count("tie"),
                voids=duel.count("void"),
                seconds=line.seconds,
                calls=line.calls,
                prompt_tokens=line.prompt_tokens,
                completion_tokens=line.completion_tokens,
                cost_usd=line.cost_usd,
                modification=line.modification,
                note=line.note,
            )
        )

    def begin_execution(self) -> None:
        """The current round's candidate can no longer be edited."""
        self._awaiting_execution = False

    async def final_duel(self) -> Duel | None:
        """Best against seed on the questions no round has seen; None when there is nothing to compare."""
        held_out, seed, best = self.task.held_out, self._trials[1].candidate, self.best.candidate
        if not held_out or best.round == seed.round:
            return None
        old, new = await together(
            [self.executor.execute(one, held_out, held_out=True) for one in (seed, best)]
        )
        if old is None or new is None:
            return None
        return await self.judge.duel(old, new, held_out=True)
