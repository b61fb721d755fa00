"""A round of a method that scores prompts on rows."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from spotui.domain.answer_cost import AnswerCost, Prefer, is_preferred, reason
from spotui.domain.events import Noticed
from spotui.domain.messages import user
from spotui.domain.records import AnswerRecord, CallKey
from spotui.domain.statistics import compare, is_behind
from spotui.domain.verdicts import Outcome
from spotui.engine.asking import together
from spotui.engine.propose import Refused, fold
from spotui.engine.racing import race
from spotui.engine.round import Round, named, words_changed
from spotui.engine.score import SAMPLE, Scorer
from spotui.engine.task import Candidate, RowOutcome, RowSet, Scored, Trial
from spotui.lang import _, join, ngettext
from spotui.llm.limits import Halted
from spotui.llm.protocol import RequestRefusedError, lacks_answer, why_missing
from spotui.settings.table import Role

_FEWEST_MORE: Final = 2
"""Candidates that are worth another proposal, which all wait for."""


class ScoredRound(Round):
    """A round whose verbs are bound to the rows of the run.

    Attributes:
        leading: The score that later candidates are held against; that of its candidate unless a
            cheaper or shorter one took its place.
    """

    leading: Scored | None = None
    _whole: dict[str, Scored] | None = None

    async def propose_several(
        self,
        metas: Sequence[str],
        parents: Sequence[Candidate | Sequence[Candidate]],
        *,
        temperature: float | None = None,
        check: Callable[[str, str], str] = lambda _prompt, _parent: "",
        edit_budget: int | None = None,
        made: Sequence[Candidate] = (),
        first: int = 0,
    ) -> list[Candidate]:
        """New prompts from the optimizer, all asked for at once; a person's own comes on top of them.

        Args:
            metas: The filled meta-prompts, one a candidate.
            parents: The prompt that each is made from; of several, the first is what it is compared with.
            temperature: The optimizer's own when None.
            check: What is wrong with a prompt made from another, one sentence, or an empty text.
            edit_budget: Words that each may change, for the record.
            made: Prompts that the method made itself, without the optimizer.
            first: How many the round has asked for before; a person's own came with those.

        Returns:
            Those that can be used, each way of writing once, with their places among what was asked for and
            made; none makes the round void.
        """
        self._edit_budget = edit_budget
        self._proposing = self._proposing if first else self._context.asker.made
        decisions, gate = self._context.decisions, self._context.gate
        part = self._context.task.part(self.number)
        families = [(one,) if isinstance(one, Candidate) else tuple(one) for one in parents]
        bases = [family[0] for family in families]
        found = await together(
            [
                self._verbs.proposer.propose(
                    self.number,
                    meta,
                    base.round,
                    [one.prompt for one in family],
                    {},
                    index=first + index,
                    temperature=temperature,
                    check=lambda prompt, base=base: check(prompt, base.prompt),  # type: ignore[misc]
                    put=lambda new, base=base: part.put(base.prompt, new),  # type: ignore[misc]
                )
                for index, (meta, base, family) in enumerate(zip(metas, bases, families, strict=True))
            ]
        )
        fresh: dict[str, Candidate] = {}
        refused = [one for one in found if isinstance(one, Refused)]
        for place, (candidate, (base, *others)) in enumerate(zip(found, families, strict=True)):
            if isinstance(candidate, Candidate):
                own = msgspec.structs.replace(
                    named(candidate, part),
                    words_changed=words_changed(base.prompt, candidate.prompt),
                    other_parents=tuple(one.round for one in others if one.round != base.round),
                    position=first + place,
                )
                fresh.setdefault(fold(candidate.prompt), own)
        for place, candidate in enumerate(made, len(metas)):
            fresh.setdefault(
                fold(candidate.prompt), msgspec.structs.replace(candidate, position=first + place)
            )
        if decisions.pause_at_candidate and self._is_new and fresh:
            decisions.pause_at_candidate = False
            gate.pause(_("The candidates of round {number} are ready to be looked at.", number=self.number))
        text = decisions.edits.get(self.number)
        begin = first + bool(first and text)  # a person's own has the number after those asked for at first
        for index, candidate in enumerate(fresh.values(), begin):
            self._announce(candidate, index)
        for index, one in enumerate(refused, begin + len(fresh)):
            self._tell_refused(one.candidate, one.why, index)
        await gate.reopened()
        if (text := decisions.edits.get(self.number)) and not first:
            self._warn_of_slots(text)
            base = bases[0] if bases or self._leader is None else self._leader.candidate
            own = Candidate(
                round=self.number,
                prompt=text,
                parent=base.round,
                modification=_("edited by hand"),
                edited=True,
                words_changed=words_changed(base.prompt, text),
            )
            self._announce(own, len(fresh) + len(refused))
            fresh[fold(text)] = own
        if metas and not fresh and not first:
            self._note = _("the optimizer made no usable proposal")
        if refused and not fresh and not first:
            nearest = refused[0]
            self.outcome, self._note, self._candidate = "refused", nearest.why, named(nearest.candidate, part)
        return list(fresh.values())

    def take(self, prompt: str, parent: Candidate, modification: str) -> Candidate:
        """Take up a prompt that somebody else has written, such as an optimizer of another package.

        Args:
            prompt: The prompt.
            parent: The prompt that it is compared with.
            modification: One sentence on where it is from.
        """
        candidate = Candidate(
            round=self.number,
            prompt=prompt,
            parent=parent.round,
            modification=modification,
            words_changed=words_changed(parent.prompt, prompt),
        )
        self.editable = False
        self._announce(candidate)
        return candidate

    async def ask(self, role: Role, purpose: str, text: str, *, index: int = 0, part: str = "") -> str:
        """What a role writes when it is asked something, at temperature 0; asked again when that is nothing.

        A question that the endpoint refuses has no answer either: the method does without.

        Args:
            role: Whom to ask.
            purpose: What the call is filed under.
            text: The question.
            index: Which of several of that purpose in this round.
            part: The one part of the form that the question asks for; a reply without it is the answer.
        """
        request = self._context.asker.request(role, [user(text)], temperature=0.0)
        for attempt in (1, 2):
            key = CallKey(self.number, purpose, index, attempt)
            try:
                reply = await self._context.asker.ask(key, request, role, may_be_refused=True)
            except RequestRefusedError as error:
                text = _(
                    "Round {number}, {purpose} {index}: {error} It is left out.",
                    number=self.number,
                    purpose=purpose,
                    index=index + 1,
                    error=error.what,
                )
                self._context.emit(Noticed(text=text, level="warning"))
                return ""
            answer = "" if lacks_answer(reply) else self._context.asker.read_part(reply, part)
            if answer:
                return answer
            why = why_missing(reply) if lacks_answer(reply) else _("The answer only repeats the form.")
            text = f"Round {self.number}, {purpose} {index + 1}: {why}"
            self._context.emit(Noticed(text=text, level="warning" if attempt == 2 else "info"))
            if self._context.task.edition > 3:  # earlier editions repeat the request as it is
                fault = self._context.meta["execute_repair"].render(problem=self._context.asker.in_words(why))
                request = self._context.asker.again(request, reply, fault)
        return ""

    async def similarities(self, query: str, texts: Sequence[str]) -> list[float]:
        """How much texts are like another, by the embedding model of the run; no text is embedded twice."""
        return await self._verbs.embedder.similarities(self.number, query, texts)

    async def score(self, candidates: Sequence[Candidate], rows: RowSet) -> list[Scored]:
        """What the candidates are worth on some rows; what was asked before costs nothing."""
        self.editable = False
        return self._seen(await self._scorer.score(self.number, candidates, rows))

    async def race(self, candidates: Sequence[Candidate], rows: RowSet, *, keep: int) -> list[Scored]:
        """What the candidates are worth on some rows, where only the best have to be known exactly.

        By the run's rule of racing, those that fall behind are asked no more rows: their scores are partial,
        and are never compared with whole ones. Without a rule it is `score`.

        Args:
            candidates: The prompts; whose score is known races for nothing.
            rows: The rows.
            keep: How many are asked all rows at least.
        """
        self.editable = False
        return self._seen(await race(self._scorer, self.number, candidates, rows, keep))

    def _seen(self, scored: list[Scored]) -> list[Scored]:
        """Remember whole scores: the run's preference may choose another than the method does."""
        whole = self._whole or {}
        whole |= {fold(one.prompt): one for one in scored if one.is_whole and one.score.rows}
        self._whole = whole
        return scored

    async def challenge(self, candidates: Sequence[Candidate], rows: RowSet) -> list[Scored]:
        """Race prompts against the best one, which is free; the round is refused if all fall behind it.

        Args:
            candidates: The prompts.
            rows: The rows that the best one was scored on.

        Returns:
            One a candidate, in their order; the score of one that fell behind is partial.
        """
        if not candidates or self._leader is None:
            return await self.score(candidates, rows) if candidates else []
        _best, *scored = await self.race([self._leader.candidate, *candidates], rows, keep=1)
        if not any(one.is_whole for one in scored):
            last = max(scored, key=lambda one: len(one.marks))
            asked = len(last.marks)
            self.refuse(
                last.candidate,
                ngettext(
                    "it fell behind the best prompt on {n} row",
                    "it fell behind the best prompt on {n} rows",
                    asked,
                ),
            )
        return scored

    async def keep_best(self, scored: Sequence[Scored]) -> None:
        """Make the best of some prompts the round's own, if one of them has a whole score.

        Raises:
            Halted: Not even the seed prompt has a score.
        """
        whole = [one for one in scored if one.is_whole and one.score.rows]
        if whole:
            await self.keep(max(whole, key=lambda one: (one.value, -len(one.prompt))))

    async def race_more(
        self,
        scored: Sequence[Scored],
        rows: RowSet,
        propose: Callable[[int, int], Awaitable[Sequence[Candidate]]],
        *,
        keep: int,
        asked: int,
    ) -> list[Scored]:
        """Race more candidates for the calls that racing saved, where a budget of the run pays for them.

        The round makes no more calls than without racing, and no more than its share of the budget. Without
        a budget it gets cheaper, and this brings nothing.

        Args:
            scored: What the candidates are worth so far.
            rows: The rows.
            propose: Brings more candidates, given how many were asked for and how many are wanted now.
            keep: How many are asked all rows at least.
            asked: How many candidates were asked for.

        Returns:
            All of them, as `race` has them.
        """
        found = list(scored)
        if self._calls is None or self._scorer.racing == "none":
            return found
        most = min(self._calls - (self._proposing - self._made), asked * (1 + len(rows)))
        count = asked
        while True:
            spent = self._context.asker.made - self._proposing
            more = min(count, (most - spent) // (1 + len(rows)))
            if more < _FEWEST_MORE:
                return found
            new = await propose(asked, more)
            asked += more
            leaders = [one for one in found if one.is_whole]
            raced = await self.race([*(one.candidate for one in leaders), *new], rows, keep=keep)
            found = [one for one in found if not one.is_whole] + raced

    async def outcomes(self, prompt: str, rows: RowSet) -> list[RowOutcome]:
        """What became of each row with a prompt; what was asked before costs nothing."""
        return await self._scorer.outcomes(self.number, prompt, rows)

    async def keep(self, scored: Scored) -> None:
        """Make a prompt that was scored the round's own: a win or a lead when it beats the best.

        A win is ahead of the last prompt that won by the A/A floor or more.

        Raises:
            Halted: Not even the seed prompt has a score.
            ValueError: The score is partial.
        """
        if not scored.is_whole:
            raise ValueError("A round cannot keep a candidate that was dropped from a race.")
        if scored.score.rows == 0:
            self._note = _("no row brought a score")
            if self.number == 1:
                raise Halted("unmarked", _unmarked(scored.sample))
            return
        rows, sample = self._scorer.splits.of(scored.split), scored.sample
        if not sample:
            part = rows.at(rows.positions[:SAMPLE])
            sample = tuple(await self._scorer.outcomes(self.number, scored.prompt, part))
        answers = tuple(AnswerRecord(rows.row(one.position).question, one.answer) for one in sample)
        own = msgspec.structs.replace(scored.candidate, round=self.number)
        self.chosen = msgspec.structs.replace(scored, candidate=own)
        self._candidate = own
        self.trial = Trial(own, (), answers, cost=scored.cost)
        self._note = "" if self.outcome == "refused" else self._note
        if self.number == 1:
            self.outcome = "seed"
        else:
            self.outcome = self._outcome_of(scored)

    async def break_tie(self, best: Trial, proven: Trial) -> None:
        """Let the run's preference decide between scores within noise; see `Round.break_tie`.

        Every candidate of the round with a whole score may be preferred. It is held against the highest score
        of a best prompt, so that small losses never add up. One that is ahead within noise takes the place
        of a preferred prompt only if it is preferred itself.
        """
        leader, prefer = self._leader, self._context.task.prefer
        if self._whole is None:
            await super().break_tie(best, proven)
            return
        if prefer == "none" or leader is None or not leader.is_whole:
            return
        if self.outcome == "win" and self.chosen is not None:
            top = self.chosen
            equal = [one for one in self._comparable(leader, best) if self._wins(one)]
            await self._settle_for(equal, top, _own(top), prefer, "win")
            return
        theirs = best.candidate.prompt, best.cost
        if await self._settle_for(self._comparable(leader, best), leader, theirs, prefer, "lead"):
            return
        if self.outcome == "lead" and self.chosen is not None and best.round != proven.round:
            mine = _own(self.chosen)
            if is_preferred(prefer, mine, theirs) is False:
                self.outcome = "tie"
                self._add_note(
                    _("ahead within noise, and not preferred: {why}", why=reason(prefer, mine, theirs))
                )

    def _comparable(self, leader: Scored, best: Trial) -> list[Scored]:
        """The candidates of the round that were scored on the leader's rows, without the best itself."""
        left_out = {fold(best.candidate.prompt), *self._left_out_prompts}
        return [
            one
            for way, one in (self._whole or {}).items()
            if way not in left_out and one.split == leader.split and len(one.marks) == len(leader.marks)
        ]

    def _wins(self, scored: Scored) -> bool:
        winner = self._winner
        if winner is None or not winner.is_whole:
            return False
        return compare(winner.marks, scored.marks, seed=self._context.task.seed).is_beyond_floor

    async def _settle_for(
        self,
        candidates: Sequence[Scored],
        top: Scored,
        theirs: tuple[str, AnswerCost | None],
        prefer: Prefer,
        outcome: Outcome,
    ) -> bool:
        """Make the most preferred candidate that is not behind a score the round's own, if there is one."""
        pick: Scored | None = None
        for one in candidates:
            if not is_preferred(prefer, _own(one), theirs) or is_behind(top.marks, one.marks):
                continue
            if pick is None or is_preferred(prefer, _own(one), _own(pick)):
                pick = one
        if pick is None:
            return False
        await self.keep(pick)
        self.leading = top if top.score.mean > pick.score.mean else self.chosen
        self._prefer(prefer, outcome, reason(prefer, _own(pick), theirs))
        return True

    def _outcome_of(self, scored: Scored) -> Outcome:
        """A win beats the best by chance at most one time in 20; before edition 6, by any difference."""
        leader, winner = self._leader, self._winner
        is_comparable = winner is not None and winner.is_whole and scored.is_whole
        if winner is not None and is_comparable and self._context.task.edition > 5:
            seed = self._context.task.seed
            self._against_winner = compare(winner.marks, scored.marks, seed=seed)
        if leader is None or scored.beats(leader):
            is_won = self._against_winner is None or self._against_winner.is_beyond_floor
            return "win" if is_won else "lead"
        return "tie" if scored.score.mean == leader.score.mean else "loss"

    @property
    def _scorer(self) -> Scorer:
        if self._verbs.scorer is None:
            raise Halted("failed", _("This run has no rows to score prompts on."))
        return self._verbs.scorer


def _own(scored: Scored) -> tuple[str, AnswerCost | None]:
    return scored.prompt, scored.cost


def _unmarked(outcomes: Sequence[RowOutcome]) -> str:
    """Why a run cannot begin: the reason that most rows without a mark have."""
    reasons = Counter(one.note for one in outcomes if one.note)
    return join(
        _("No answer to the seed prompt could be marked, so nothing can be compared."),
        reasons.most_common(1)[0][0] if reasons else "",
        _("Start again with another executor, metric or max_tokens."),
    )
