"""One round: the verbs, bound to what they are for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from spotui.domain.answer_cost import AnswerCost, Prefer, Preferred, is_preferred, reason
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
from spotui.domain.records import Rival, RoundLine
from spotui.domain.statistics import Comparison
from spotui.domain.verdicts import Outcome
from spotui.engine.asking import Embedder, together
from spotui.engine.contest import PROVEN_PAIR, Contest
from spotui.engine.context import Context
from spotui.engine.execute import Executor, NoAnswer
from spotui.engine.judge import Judge
from spotui.engine.propose import Proposer, Refused, fold
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
        calls: Its share of the run's budget of calls; None without a budget.

    Attributes:
        number: From 1, the seed's.
        outcome: What became of it so far.
        trial: Its candidate with the answers, once there are any.
        chosen: Its candidate with the score, once one was chosen.
        opponent: The round of the trial it had to beat; 0 before its duel.
        editable: Whether a person may still change its candidate.
        closing: Whether it is no round of the method, but one after those.
        compares_several: Whether several candidates are being compared, so that no person can vote.
        preferred: Why its candidate is the best although neither votes nor score say so.
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
        calls: int | None = None,
    ) -> None:
        self.number = number
        self.outcome: Outcome = "void"
        self.trial: Trial | None = None
        self.chosen: Scored | None = None
        self.opponent = 0
        self.editable = number > 1
        self.closing = False
        self.compares_several = False
        self.preferred: Preferred | None = None
        self._verbs = verbs
        self._context = verbs.context
        self._tried = tried
        self._leader = leader
        self._winner = winner
        self._is_new = is_new
        self._calls = calls
        self._made = self._proposing = verbs.context.asker.made
        self._candidate: Candidate | None = None
        self._duel: Duel | None = None
        self._rivals: tuple[Rival, ...] = ()
        self._length_ratio: float | None = None
        self._edit_budget: int | None = None
        self._against_winner: Comparison | None = None
        self._note = ""
        self._columns: dict[str, Value] = {}
        self._indices: dict[str, int] = {}
        self._left_out_prompts: set[str] = set()
        self._started = verbs.context.asker.worked

    async def propose(self, meta: str, parent: Trial) -> Candidate | None:
        """A new prompt from the optimizer, as a person may have edited it; None makes the round void.

        Args:
            meta: The filled meta-prompt.
            parent: What the new prompt starts from.
        """
        return next(iter(await self.propose_rivals([meta], [parent.candidate])), None)

    async def propose_rivals(self, metas: Sequence[str], parents: Sequence[Candidate]) -> list[Candidate]:
        """New prompts from the optimizer, all asked for at once, which `compete` compares with the best.

        A person's own prompt takes the place of all of them.

        Args:
            metas: The filled meta-prompts, one a candidate.
            parents: The prompt that each starts from.

        Returns:
            Those that can be used, each way of writing once; none makes the round void.
        """
        decisions, gate = self._context.decisions, self._context.gate
        candidates = await self._proposed(metas, parents)
        for candidate in candidates:
            self._announce(candidate, max(0, candidate.number - 1))
        if candidates and decisions.pause_at_candidate and self._is_new:
            decisions.pause_at_candidate = False
            if len(candidates) == 1:
                ready = _("The candidate of round {number} is ready to be looked at.", number=self.number)
            else:
                ready = _("The candidates of round {number} are ready to be looked at.", number=self.number)
            gate.pause(ready)
        if candidates:
            await gate.reopened()
        if text := decisions.edits.get(self.number):
            self._warn_of_slots(text)
            own = Candidate(
                round=self.number,
                prompt=text,
                parent=parents[0].round,
                modification=_("edited by hand"),
                reasoning=candidates[0].reasoning if candidates else "",
                edited=True,
            )
            self._announce(own)
            candidates = [own]
        if candidates:
            self.outcome, self._note, self._candidate = "void", "", candidates[0]
        elif self.outcome != "refused":
            self._note = _("the optimizer made no usable proposal")
        return candidates

    async def _proposed(self, metas: Sequence[str], parents: Sequence[Candidate]) -> list[Candidate]:
        """The proposals that can be used, numbered where there are several."""
        part = self._context.task.part(self.number)
        found = await together(
            [
                self._verbs.proposer.propose(
                    self.number,
                    meta,
                    parent.round,
                    [parent.prompt],
                    self._tried,
                    index=index,
                    put=lambda new, base=parent.prompt: part.put(base, new),  # type: ignore[misc]
                )
                for index, (meta, parent) in enumerate(zip(metas, parents, strict=True))
            ]
        )
        fresh: dict[str, Candidate] = {}
        for index, (one, parent) in enumerate(zip(found, parents, strict=True)):
            if isinstance(one, Refused):
                self._leave_out(named(one.candidate, part), one.why, index)
            if not isinstance(one, Candidate):
                continue
            changed = words_changed(parent.prompt, one.prompt) if len(metas) > 1 else None
            own = msgspec.structs.replace(named(one, part), number=index + 1, words_changed=changed)
            first = fresh.setdefault(fold(one.prompt), own)
            if first is not own:
                why = _("Its prompt is the same as that of candidate {number}.", number=first.number)
                self._context.emit(CandidateRefused(round=self.number, why=why, final=True, index=index))
        if len(fresh) > 1:
            return list(fresh.values())
        return [msgspec.structs.replace(one, number=0, words_changed=None) for one in fresh.values()]

    async def compete(self, best: Trial, candidates: Sequence[Candidate]) -> Outcome:
        """Execute candidates and compare them with the best, all at once; the round keeps the best of them.

        Args:
            best: The trial to beat.
            candidates: As `propose_rivals` gave them; without any the round stays as it is.

        Returns:
            What became of the one that the round keeps.
        """
        if not candidates:
            return self.outcome
        if len(candidates) == 1:
            trial = await self.execute(candidates[0])
            return "void" if trial is None else (await self.judge(best, trial)).outcome
        self.editable = False
        self.opponent, self.compares_several = best.round, True
        task = self._context.task
        contest = Contest(self._verbs.executor, self._verbs.judge, task.questions, best, task.prefer)
        kept, others, why = await contest.hold(candidates)
        self._candidate, self.trial, self._duel = kept.candidate, kept.trial, kept.duel
        self._length_ratio, self._note = kept.length_ratio, why
        self._rivals = tuple(entry.rival() for entry in others)
        self.compares_several = False
        if kept.trial is None:
            self._note = kept.note
        return kept.duel.outcome

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

    async def break_tie(self, best: Trial, proven: Trial) -> None:
        """Let the run's preference decide where the votes did not, once the method has settled the round.

        A candidate that neither wins nor loses becomes the best when it is preferred. One that takes the
        place of another preferred one must not lose to the last that votes decided for, either: else many
        small losses that no duel notices would add up.

        Args:
            best: The best trial.
            proven: The last one that won by votes, or the seed's.

        Raises:
            Halted: The run ends before.
        """
        prefer, trial = self._context.task.prefer, self.trial
        if prefer == "none" or trial is None or self.outcome not in {"tie", "undecided"}:
            return
        mine = trial.candidate.prompt, trial.cost
        theirs = best.candidate.prompt, best.cost
        if not is_preferred(prefer, mine, theirs):
            return
        if proven.round != best.round and await self._loses_to(proven, trial):
            why = _("it is preferred, and loses to round {number}, the last that won", number=proven.round)
            self._add_note(why)
            return
        self._prefer(prefer, "lead", reason(prefer, mine, theirs))

    async def _loses_to(self, proven: Trial, trial: Trial) -> bool:
        own = msgspec.structs.replace(proven.candidate, round=self.number)
        first, second = answered_by_both(msgspec.structs.replace(proven, candidate=own), trial)
        if not second.answers:
            return True
        return await self._verbs.judge.prefer(first, second, PROVEN_PAIR) not in {"win", "tie"}

    def _prefer(self, prefer: Prefer, outcome: Outcome, why: str) -> None:
        """Settle the round by the run's preference.

        Args:
            prefer: The preference.
            outcome: What the round becomes.
            why: The difference that decided.
        """
        if prefer == "none":
            return
        self.outcome, self.preferred = outcome, prefer
        if prefer == "cheaper":
            self._add_note(_("as good within noise, and cheaper: {why}", why=why))
        else:
            self._add_note(_("as good within noise, and shorter: {why}", why=why))

    def _add_note(self, text: str) -> None:
        self._note = _("{note}; {more}", note=self._note, more=text) if self._note else text

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """The candidates that were compared and not kept."""
        return self._rivals

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
        self._leave_out(candidate, why, self._indices.get(candidate.prompt, 0))

    def _leave_out(self, candidate: Candidate, why: str, index: int) -> None:
        self._tell_refused(candidate, why, index)
        self._left_out_prompts.add(fold(candidate.prompt))
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
            opponent=self.opponent,
            by_question=self._duel.by_question if self._duel else (),
            candidate=candidate.number,
            others=self._rivals,
            per_answer=self._cost,
            preferred=self.preferred,
        )

    @property
    def _cost(self) -> AnswerCost | None:
        if self.chosen is not None:
            return self.chosen.cost
        return self.trial.cost if self.trial is not None else None

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


def words_changed(old: str, new: str) -> int:
    """Word edit distance: words put in, taken out or replaced, each counted once."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(old.split(), new.split())
