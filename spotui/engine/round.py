"""One round: the verbs, bound to what they are for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from spotui.domain.declared import Value
from spotui.domain.events import (
    BlockItem,
    BlockShown,
    CandidateProposed,
    CandidateRefused,
    NoteWritten,
    Noticed,
)
from spotui.domain.outcomes import event_of
from spotui.domain.program_prompts import Part
from spotui.domain.records import RoundLine
from spotui.domain.statistics import Comparison
from spotui.domain.verdicts import Outcome, StopReason
from spotui.engine.asking import Embedder
from spotui.engine.context import Context
from spotui.engine.execute import Executor, NoAnswer
from spotui.engine.judge import Judge
from spotui.engine.propose import Proposer, Refused
from spotui.engine.score import Scorer
from spotui.engine.task import Candidate, Duel, Scored, Trial, answered_by_both
from spotui.judging.reliability import casts, flipped, length_ratio, win_rate
from spotui.lang import _
from spotui.llm.limits import Halted


@dataclass(frozen=True)
class Verbs:
    """What a round can do.

    Attributes:
        context: What they all work with.
        proposer: Brings new prompts.
        executor: Brings answers.
        judge: Brings verdicts.
        embedder: Tells how much texts are alike.
        scorer: Brings scores, where there are rows to score on.
    """

    context: Context
    proposer: Proposer
    executor: Executor
    judge: Judge
    embedder: Embedder
    scorer: Scorer | None = None


class Round:
    """One turn of a method's loop.

    Args:
        number: From 1, the seed's.
        verbs: What it can do.
        tried: Prompts that were tried, folded, with their rounds; none is tried again.
        leader: The best score so far, where prompts are scored.
        winner: The last score that won, or the seed's.
        is_new: Whether no earlier session has ended it.

    Attributes:
        number: From 1, the seed's.
        outcome: What became of it so far.
        trial: Its candidate with the answers, once there are any.
        chosen: Its candidate with the score, once one was chosen.
        opponent: The round of the trial it had to beat; 0 before its duel.
        editable: Whether a person may still change its candidate.
        closing: Whether it is no round of the method, but one after those.
    """

    def __init__(
        self,
        number: int,
        verbs: Verbs,
        tried: Mapping[str, int],
        leader: Scored | None = None,
        winner: Scored | None = None,
        *,
        is_new: bool,
    ) -> None:
        self.number = number
        self.outcome: Outcome = "void"
        self.trial: Trial | None = None
        self.chosen: Scored | None = None
        self.opponent = 0
        self.editable = number > 1
        self.closing = False
        self._verbs = verbs
        self._context = verbs.context
        self._tried = tried
        self._leader = leader
        self._winner = winner
        self._is_new = is_new
        self._candidate: Candidate | None = None
        self._duel: Duel | None = None
        self._length_ratio: float | None = None
        self._edit_budget: int | None = None
        self._against_winner: Comparison | None = None
        self._note = ""
        self._columns: dict[str, Value] = {}
        self._indices: dict[str, int] = {}
        self._started = verbs.context.asker.worked

    async def propose(self, meta: str, parent: Trial) -> Candidate | None:
        """A new prompt from the optimizer, as a person may have edited it; None makes the round void.

        Args:
            meta: The filled meta-prompt.
            parent: What the new prompt starts from.
        """
        decisions, gate = self._context.decisions, self._context.gate
        part, base = self._context.task.part(self.number), parent.candidate.prompt
        proposed = await self._verbs.proposer.propose(
            self.number, meta, parent.round, [base], self._tried, put=lambda new: part.put(base, new)
        )
        candidate = None
        if isinstance(proposed, Refused):
            self.refuse(named(proposed.candidate, part), proposed.why)
        elif proposed is not None:
            candidate = named(proposed, part)
            self._announce(candidate)
            if decisions.pause_at_candidate and self._is_new:
                decisions.pause_at_candidate = False
                gate.pause(_("The candidate of round {number} is ready to be looked at.", number=self.number))
            await gate.reopened()
        if text := decisions.edits.get(self.number):
            self._warn_of_slots(text)
            candidate = Candidate(
                round=self.number,
                prompt=text,
                parent=parent.round,
                modification=_("edited by hand"),
                reasoning=candidate.reasoning if candidate else "",
                edited=True,
            )
            self._announce(candidate)
        if candidate is None and proposed is None:
            self._note = _("the optimizer made no usable proposal")
        if candidate is not None:
            self.outcome, self._note, self._candidate = "void", "", candidate
        return candidate

    async def execute(self, candidate: Candidate) -> Trial | None:
        """The candidate's answers to the question set; None, when one is missing, makes the round void."""
        self._candidate = candidate
        self.editable = False
        outcome = await self._verbs.executor.execute(candidate, self._context.task.questions)
        if isinstance(outcome, Trial) and outcome.answered.answers:
            self.trial = outcome
            return outcome
        if isinstance(outcome, Trial):
            outcome = NoAnswer(1, outcome.answers[0].error, _("Use another executor."))
        self._note = _("question {number} got no answer: {why}", number=outcome.number, why=outcome.why)
        if self.number == 1:
            raise Halted(
                "failed",
                _(
                    "Question {number} gets no answer with the seed prompt, so nothing can be compared. "
                    "{why} {hint}",
                    number=outcome.number,
                    why=outcome.why,
                    hint=outcome.hint,
                ),
            )
        return None

    async def judge(self, best: Trial, candidate: Trial) -> Duel:
        """Compare the candidate's answers with the best's, on the questions that both have answered."""
        self.opponent = best.round
        best, candidate = answered_by_both(best, candidate)
        if not candidate.answers:
            self._note = _("no question was answered with both prompts")
            return Duel("void")
        self._duel = await self._verbs.judge.duel(best, candidate)
        self._length_ratio = length_ratio(
            (one.answer for one in best.answers), (one.answer for one in candidate.answers)
        )
        return self._duel

    def note(self, name: str, text: str, *, prompt: str = "", index: int = 0) -> None:
        """Show a note that a model wrote.

        Args:
            name: Its kind, as the method declares it.
            text: The note.
            prompt: The prompt it is about.
            index: Which of several of its kind in this round.

        Raises:
            LookupError: The method declares no such kind.
        """
        what = self._context.declared.note(name).name
        event = NoteWritten(round=self.number, what=what, text=text, prompt=prompt, index=index)
        self._context.emit(event)

    def show(self, name: str, items: Iterable[BlockItem]) -> None:
        """Show a block in the log.

        Args:
            name: Its name, as the method declares it.
            items: Its texts, with their scores and facts.

        Raises:
            LookupError: The method declares no such block.
        """
        block = self._context.declared.block(name)
        event = BlockShown(round=self.number, name=name, title=block.title, items=tuple(items))
        self._context.emit(event)

    def fill(self, column: str, value: Value) -> None:
        """Give the round a value in a column that the method declares.

        Raises:
            LookupError: The method declares no such column.
        """
        self._columns[self._context.declared.column(column).name] = value

    def refuse(self, candidate: Candidate, why: str) -> None:
        """Leave out a candidate that a gate of the method does not let pass.

        The round is refused, and shows this candidate, unless it keeps another one.

        Args:
            candidate: The candidate.
            why: The reason, which ends no sentence.
        """
        self._tell_refused(candidate, why, self._indices.get(candidate.prompt, 0))
        if self.trial is None:
            self.outcome, self._note = "refused", why
            self._candidate = msgspec.structs.replace(candidate, round=self.number)

    def explain(self, note: str) -> None:
        """Say what a reader of the round must know, such as why it has no candidate."""
        self._note = note

    def settle(self, outcome: Outcome) -> None:
        """Give the round its outcome."""
        self.outcome = outcome

    def line(self) -> RoundLine:
        """The round as it is recorded."""
        candidate = self._candidate or Candidate(round=self.number, prompt="")
        spending = self._context.asker.take_spending()
        votes = self._duel.votes if self._duel else ()
        rate = win_rate(vote.choice for vote in votes if vote.question is None)
        return RoundLine(
            round=self.number,
            outcome=self.outcome,
            prompt=candidate.prompt,
            parent=candidate.parent,
            other_parents=candidate.other_parents,
            modification=candidate.modification,
            reasoning=candidate.reasoning,
            answers=self.trial.answers if self.trial else (),
            votes=votes,
            seconds=round(self._context.asker.worked - self._started, 3),
            calls=spending.calls,
            prompt_tokens=spending.prompt_tokens,
            completion_tokens=spending.completion_tokens,
            cost_usd=None if spending.unpriced else spending.cost_usd,
            estimated=spending.estimated,
            edited=candidate.edited,
            note=self._note,
            win_rate=rate.rate if rate else None,
            win_interval=rate.interval if rate else None,
            flipped=flipped(casts(votes)),
            length_ratio=self._length_ratio,
            score=self.chosen.score.mean if self.chosen else None,
            score_interval=_ends(self.chosen) if self.chosen else None,
            gain=self._against_winner.difference if self._against_winner else None,
            floor=self._against_winner.floor if self._against_winner else None,
            marks=self.chosen.marks if self.chosen else (),
            edit_budget=self._edit_budget,
            columns=self._columns,
            closing=self.closing,
        )

    def _warn_of_slots(self, prompt: str) -> None:
        """Say what is wrong with the slots of a prompt that a person wrote; it is used all the same."""
        if fault := self._context.task.slot_fault(prompt):
            text = _(
                "Round {number}, your prompt: {fault} It is used as you wrote it.",
                number=self.number,
                fault=fault,
            )
            self._context.emit(Noticed(text=text, level="warning"))

    def _tell_refused(self, candidate: Candidate, why: str, index: int) -> None:
        self._indices.setdefault(candidate.prompt, index)
        refused = CandidateRefused(
            round=self.number, why=why, final=True, index=index, prompt=candidate.prompt
        )
        self._context.emit(refused)

    def _announce(self, candidate: Candidate, index: int = 0) -> None:
        self._indices[candidate.prompt] = index
        self._context.emit(event_of(CandidateProposed, candidate, index=index))


def named(candidate: Candidate, part: Part) -> Candidate:
    """A candidate whose modification names the prompt that was changed, where there are several."""
    if not part.name:
        return candidate
    return msgspec.structs.replace(candidate, modification=f"{part.name}: {candidate.modification}")


def _ends(scored: Scored) -> tuple[float, float]:
    return scored.score.interval.low, scored.score.interval.high


class Stopping(msgspec.Struct, frozen=True):
    """The conditions of one run, each None when there is none.

    Attributes:
        patience: Rounds in a row without a win or a lead: a lead moves the search, though it proves nothing.
        target_wins: Wins.
    """

    patience: int | None = None
    target_wins: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any condition."""
        return self.patience is not None or self.target_wins is not None

    def reached(self, ended: int, wins: int, best: int) -> tuple[StopReason, str] | None:
        """The condition that holds, with the reason as a sentence.

        Args:
            ended: The last round that ended.
            wins: How many rounds after the seed have won.
            best: The round whose prompt is the best so far.
        """
        if self.target_wins is not None and wins >= self.target_wins:
            return "target", _("The target is reached: {rounds} won.", rounds=_rounds(wins))
        idle = ended - best
        if self.patience is not None and idle >= self.patience:
            return "patience", _("No win in {rounds} in a row.", rounds=_rounds(idle))
        return None


def _rounds(count: int) -> str:
    return f"{count} round" + ("" if count == 1 else "s")
