"""One run's rounds: what was tried, what won, and the verbs bound to each round."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from spotui.engine.asking import Asker
from spotui.engine.decisions import Decisions
from spotui.engine.execute import Executor
from spotui.engine.judge import Judge
from spotui.engine.propose import Proposer, fold
from spotui.engine.task import Candidate, Duel, Task, Trial
from spotui.events import CandidateProposed, Event, RoundFinished, RoundStarted
from spotui.llm.gate import Gate, Halted
from spotui.meta_prompts import MetaPrompts
from spotui.workspace.lines import Outcome, RoundLine


class Engine:
    """What a method works with.

    Args:
        task: What the run works on.
        meta: The meta-prompts.
        asker: The way to the models.
        proposer: The verb propose.
        executor: The verb execute.
        judge: The verb judge.
        decisions: What people decided.
        gate: Where a run pauses.
        rounds: How many rounds are wanted, the seed included.
        emit: Told what happens.
        record: Given every round that ended; returns it as it stands in the journal.

    Attributes:
        rounds_wanted: May be changed while the run goes on.
    """

    def __init__(
        self,
        *,
        task: Task,
        meta: MetaPrompts,
        asker: Asker,
        proposer: Proposer,
        executor: Executor,
        judge: Judge,
        decisions: Decisions,
        gate: Gate,
        rounds: int,
        emit: Callable[[Event], None],
        record: Callable[[RoundLine], RoundLine],
    ) -> None:
        self.task = task
        self.meta = meta
        self.rounds_wanted = rounds
        self.asker = asker
        self.proposer = proposer
        self.executor = executor
        self.judge = judge
        self.decisions = decisions
        self.gate = gate
        self.emit = emit
        self.record = record
        self._trials: dict[int, Trial] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._current = 0
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
        """How many rounds have ended with a trial."""
        return len(self._outcomes)

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
    async def round(self, number: int) -> AsyncIterator["Round"]:
        """A round from its start to its record; it is void when nothing settles it."""
        self._current = number
        self._outcomes.update(self.decisions.overrides_before(number))
        self._awaiting_execution = number > 1
        turn = Round(self, number)
        self.emit(RoundStarted(round=number, best=self.best.round if number > 1 else 0))
        yield turn
        if turn.trial is not None:
            self._trials[number] = turn.trial
            self._outcomes[number] = turn.outcome
        self._finish(self.record(turn.line()))

    def _finish(self, line: RoundLine) -> None:
        duel = Duel(line.outcome, line.votes)
        self.emit(
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
        old = await self.executor.execute(seed, held_out, "held_out")
        new = await self.executor.execute(best, held_out, "held_out")
        if old is None or new is None:
            return None
        return await self.judge.duel(old, new, "held_out_vote")


class Round:
    """One turn of a method's loop.

    Attributes:
        number: From 1, the seed's.
        outcome: What became of it so far.
    """

    def __init__(self, engine: Engine, number: int) -> None:
        self.number = number
        self.outcome: Outcome = "void"
        self.trial: Trial | None = None
        self._engine = engine
        self._candidate: Candidate | None = None
        self._duel: Duel | None = None
        self._note = ""
        self._started = time.monotonic()

    async def propose(self, meta: str, parent: Trial) -> Candidate | None:
        """A new prompt from the optimizer, as a person may have edited it; None makes the round void.

        Args:
            meta: The filled meta-prompt.
            parent: What the new prompt starts from.
        """
        engine = self._engine
        candidate = await engine.proposer.propose(self.number, meta, parent.round, engine.tried)
        if candidate is None:
            self._note = "the optimizer made no usable proposal"
            return None
        self._announce(candidate)
        if engine.decisions.pause_at_candidate:
            engine.decisions.pause_at_candidate = False
            engine.gate.pause(f"The candidate of round {self.number} is ready to be looked at.")
        await engine.gate.passage()
        if text := engine.decisions.edits.get(self.number):
            candidate = Candidate(
                round=self.number,
                prompt=text,
                parent=parent.round,
                modification="edited by hand",
                reasoning=candidate.reasoning,
                edited=True,
            )
            self._announce(candidate)
        self._candidate = candidate
        return candidate

    async def execute(self, candidate: Candidate) -> Trial | None:
        """The candidate's answers to the question set; None, when one is missing, makes the round void."""
        self._candidate = candidate
        self._engine.begin_execution()
        trial = await self._engine.executor.execute(candidate, self._engine.task.questions)
        if trial is None:
            self._note = "a question got no answer"
            if self.number == 1:
                raise Halted(
                    "failed", "The executor does not answer with the seed prompt, so nothing can be compared."
                )
        self.trial = trial
        return trial

    async def judge(self, best: Trial, candidate: Trial) -> Duel:
        """Compare the candidate's answers with the best's."""
        self._duel = await self._engine.judge.duel(best, candidate, "vote")
        return self._duel

    def settle(self, outcome: Outcome) -> None:
        """Give the round its outcome."""
        self.outcome = outcome

    def line(self) -> RoundLine:
        """The round as it is recorded."""
        candidate = self._candidate or Candidate(round=self.number, prompt="")
        spending = self._engine.asker.spending.pop(self.number)
        return RoundLine(
            round=self.number,
            outcome=self.outcome,
            prompt=candidate.prompt,
            parent=candidate.parent,
            modification=candidate.modification,
            reasoning=candidate.reasoning,
            answers=self.trial.answers if self.trial else (),
            votes=self._duel.votes if self._duel else (),
            seconds=round(time.monotonic() - self._started, 3),
            calls=spending.calls,
            prompt_tokens=spending.prompt_tokens,
            completion_tokens=spending.completion_tokens,
            cost_usd=None if spending.unpriced else spending.cost_usd,
            edited=candidate.edited,
            note=self._note,
        )

    def _announce(self, candidate: Candidate) -> None:
        self._engine.emit(
            CandidateProposed(
                round=candidate.round,
                parent=candidate.parent,
                prompt=candidate.prompt,
                modification=candidate.modification,
                reasoning=candidate.reasoning,
                edited=candidate.edited,
            )
        )
