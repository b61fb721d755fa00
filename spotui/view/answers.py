"""A person's vote on two sets of answers without knowing whose they are, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from spotui.domain.events import CommandRefused, VoteCast
from spotui.domain.figures import duration, verdict
from spotui.domain.records import CallKey
from spotui.domain.verdicts import Preference
from spotui.lang import _, ngettext
from spotui.view.picture import CallPicture, Picture, RoundPicture
from spotui.view.traces import BRIEF, NO_TRACES, answer_key, brief_trace

Side = Literal["left", "right", "tie"]


@dataclass(frozen=True)
class BlindVote:
    """One vote.

    Attributes:
        round: Whose candidate was compared with the best.
        side: Which answers are better.
        is_swapped: Whether the candidate's stood at the left.
        sent_at: When it was sent to the run, seconds since 1970; None when it could not be.
    """

    round: int
    side: Side
    is_swapped: bool
    sent_at: float | None = None

    @property
    def choice(self) -> Preference:
        """What it says of the candidate."""
        if self.side == "tie":
            return "tie"
        return "win" if (self.side == "right") != self.is_swapped else "loss"

    @property
    def verdict(self) -> Literal["win", "loss"]:
        """The verdict that keeps the prompt it prefers; a tie keeps the best."""
        return "win" if self.choice == "win" else "loss"

    def agrees(self, shown: RoundPicture) -> bool:
        """Whether the verdict has kept the prompt that it prefers."""
        return (shown.outcome == "win") == (self.choice == "win")


def is_open(picture: Picture, number: int) -> bool:
    """Whether a vote on a round may still be counted in its duel; the run itself knows for sure."""
    one = picture.rounds.get(number)
    is_under_way = one is not None and number > 1 and one.outcome is None and not one.several
    return is_under_way and picture.stopped is None


def what_it_was(vote: BlindVote, best: str, candidate: str) -> str:
    """Whose answers were preferred."""
    left, right = (candidate, best) if vote.is_swapped else (best, candidate)
    if vote.side == "tie":
        return _("You found them equal. Left was {left}; right was {right}.", left=left, right=right)
    chosen, other = (left, right) if vote.side == "left" else (right, left)
    return _(
        "You chose {side}: that was {chosen}. The other was {other}.",
        side=vote.side,
        chosen=chosen,
        other=other,
    )


def what_became_of_it(vote: BlindVote, picture: Picture) -> str:
    """Whether it counts, and why not."""
    one = picture.rounds[vote.round]
    if vote.sent_at is not None:
        if any(cast.voter == "human" and cast.at >= vote.sent_at for cast in one.votes):
            return _("It is counted with the judge's votes.")
        if one.outcome is None and not _refused(vote, picture):
            return _("It is on its way to the run.")
    if one.outcome is None:
        return _("It cannot be counted: the round has no verdict, and no duel is open for votes.")
    shown = verdict(one.outcome, one.judged)
    if vote.agrees(one):
        return _("The verdict is {shown}, which keeps the same prompt.", shown=shown)
    return _("The verdict is {shown}, which keeps the other prompt; it came before your vote.", shown=shown)


def _refused(vote: BlindVote, picture: Picture) -> bool:
    return any(
        isinstance(notice, CommandRefused) and notice.command == "vote" and notice.at >= (vote.sent_at or 0)
        for notice in picture.notices
    )


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: The answer, or why there is none yet.
        is_here: Whether it is there.
        tail: The end of what there is of one that is being written.
        trace: What a program reported of how it came to the answer.
    """

    text: str
    is_here: bool = True
    tail: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Pair:
    """A question with its answers: the best's and the candidate's, or the seed's alone.

    Attributes:
        number: Of the question, from 1.
        question: What was asked.
        reference: What a good answer could be, or an empty text.
        answers: From left to right.
    """

    number: int
    question: str
    reference: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Said:
    """One vote.

    Attributes:
        title: Whose it is, and what it chose.
        facts: Which set of answers stood where.
        reason: Why.
        tone: How it went for the candidate.
    """

    title: str
    facts: str
    reason: str
    tone: Literal["win", "loss", "tie", "void"]


@dataclass(frozen=True)
class Answers:
    """What there is to see of a round.

    Attributes:
        round: Its number; 0 when there is none.
        names: Whose answers stand where, from left to right.
        requirements: What the answers have to meet.
        pairs: A question each.
        verdict: How it ended or stands, on one line.
        votes: What was said about it.
        note: What to know, and what to do, where something is missing.
    """

    round: int = 0
    names: tuple[str, ...] = ()
    requirements: str = ""
    pairs: tuple[Pair, ...] = ()
    verdict: str = ""
    votes: tuple[Said, ...] = ()
    note: str = ""

    @property
    def can_be_compared(self) -> bool:
        """Whether both sets of answers are complete."""
        return len(self.names) == 2 and all(one.is_here for pair in self.pairs for one in pair.answers)

    def blind(self, *, is_swapped: bool) -> "Answers":
        """The same answers without anything that tells whose they are or what became of them."""
        pairs = []
        for pair in self.pairs:
            answers = tuple(replace(one, trace="") for one in pair.answers)  # it may quote the prompt
            pairs.append(replace(pair, answers=answers[::-1] if is_swapped else answers))
        return replace(self, names=(_("Left"), _("Right")), pairs=tuple(pairs), verdict="", votes=(), note="")


@dataclass(frozen=True)
class Standard:
    """What answers are held against.

    Attributes:
        requirements: What they have to meet.
        references: What good answers could be, one for each question of the set.
        contexts: The other parts of each question's row that the prompt shows.
    """

    requirements: str = ""
    references: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()

    def shown(self, index: int, question: str) -> str:
        """A question with the other parts of its row above it."""
        context = self.contexts[index] if index < len(self.contexts) else ""
        return f"{context}\n{question}" if context else question


def read_answers(
    picture: Picture,
    number: int,
    standard: Standard,
    *,
    now: float,
    is_attached: bool,
    traces: Mapping[CallKey, Sequence[str]] = NO_TRACES,
    whole_traces: bool = False,
) -> Answers:
    """The answers of a round.

    Args:
        picture: The run.
        number: The round.
        standard: What they are held against.
        now: The time, in seconds since 1970.
        is_attached: Whether a process works on the run.
        traces: What programs reported of their answers, as the journal has it.
        whole_traces: Whether all of a trace is wanted, and not only its beginning.
    """

    def traced(side: int, index: int) -> Answer:
        answer = _answer(picture, side, index, now, is_attached=is_attached)
        shown = picture.rounds[side].shown if side in picture.rounds else 0
        trace = brief_trace(traces, answer_key(side, index, shown), None if whole_traces else BRIEF)
        return replace(answer, trace=trace) if answer.is_here and trace else answer

    one = picture.rounds.get(number)
    if one is None:
        return Answers(note=_nothing_yet(is_attached=is_attached))
    is_seed = number == 1 or not one.best
    sides = [number] if is_seed else [one.best, number]
    questions = picture.opened.questions if picture.opened is not None else ()
    pairs = [
        Pair(
            index + 1,
            standard.shown(index, question),
            standard.references[index] if index < len(standard.references) else "",
            tuple(traced(side, index) for side in sides),
        )
        for index, question in enumerate(questions)
    ]
    has_answers = bool(one.answers) or one.end is None
    return Answers(
        round=number,
        names=(_("the seed"),) if is_seed else (_("{name}, the best", name=_name(one.best)), _candidate(one)),
        requirements=standard.requirements,
        pairs=tuple(pairs) if has_answers else (),
        verdict=_verdict(picture, one),
        votes=tuple(_said(vote) for vote in one.votes),
        note=_note(one, is_seed=is_seed),
    )


def newest_with_answers(picture: Picture) -> int:
    """The newest round that has an answer, or else the newest of all; 0 before the first."""
    return max((number for number, one in picture.rounds.items() if one.answers), default=0) or max(
        picture.rounds, default=0
    )


def _nothing_yet(*, is_attached: bool) -> str:
    if is_attached:
        return _("The first round has not begun yet; its answers appear here as they come.")
    return _("There are no answers yet, and no process works on this run. Go back and let it go on.")


def _name(number: int) -> str:
    return _("the seed") if number == 1 else _("round {number}", number=number)


def _candidate(shown: RoundPicture) -> str:
    if not shown.several:
        return _("{name}, candidate", name=_name(shown.number))
    return _(
        "{name}, candidate {number} of {several}",
        name=_name(shown.number),
        number=shown.shown,
        several=shown.several,
    )


def _answer(picture: Picture, number: int, index: int, now: float, *, is_attached: bool) -> Answer:
    one = picture.rounds.get(number)
    if one is not None and index in one.answers:
        answered = one.answers[index]
        return Answer(_("No answer: {error}", error=answered.error) if answered.error else answered.answer)
    calls = (
        call
        for key, call in picture.calls.items()
        if (key.round, key.purpose, key.index, key.candidate)
        == (number, "execute", index, one.shown if one is not None else 0)
    )
    if (call := next(calls, None)) is not None:
        return Answer(_under_way(call, now), is_here=False, tail=" ".join(call.tail.split()))
    if one is None or one.end is not None or not is_attached:
        return Answer(_("There is no answer."), is_here=False)
    return Answer(_("It has not been asked yet."), is_here=False)


def _under_way(call: CallPicture, now: float) -> str:
    if call.retry_at > now:
        return _(
            "{trouble} Asked again in {retry_at}.",
            trouble=call.trouble,
            retry_at=duration(call.retry_at - now),
        )
    seconds = max(0, int(now - call.since))
    if not call.characters:
        return _("Answering for {seconds} s …", seconds=seconds)
    return ngettext(
        "Answering for {seconds} s, {n:,} character so far …",
        "Answering for {seconds} s, {n:,} characters so far …",
        call.characters,
        seconds=seconds,
    )


def _verdict(picture: Picture, shown: RoundPicture) -> str:
    choices = [vote.choice for vote in shown.votes]
    tally = f"{choices.count('win')}:{choices.count('loss')}" if choices else ""
    if ties := choices.count("tie"):
        tally += ngettext(", {n:,} tie", ", {n:,} ties", ties)
    if shown.outcome is not None:
        names = {"seed": _("the seed"), "undecided": _("undecided, the best stays")}
        said = verdict(names.get(shown.outcome, shown.outcome), shown.judged)
        return f"{said}  {tally}".rstrip()
    out = sum(key.round == shown.number and "vote" in key.purpose for key in picture.calls)
    return "  ".join(
        filter(None, (tally, ngettext("{n:,} vote under way", "{n:,} votes under way", out) if out else ""))
    )


def _said(vote: VoteCast) -> Said:
    number = _("vote {number}", number=vote.index + 1)
    who = {"human": _("your vote"), "likelihood": _("likelihood")}.get(vote.voter, number)
    facts = {"AB": _("A is the best's, B the candidate's"), "BA": _("A is the candidate's, B the best's")}
    return Said(f"{who}: {verdict(vote.choice, None)}", facts.get(vote.order, ""), vote.reason, vote.choice)


def _note(shown: RoundPicture, *, is_seed: bool) -> str:
    if is_seed:
        return _("The seed's answers are the first to beat. From round 2 on there are two sets to compare.")
    if shown.end is not None and not shown.answers:
        outcome = verdict("refused" if shown.end.outcome == "refused" else "void", None)
        return _(
            "Round {number} is {outcome}: {note}.",
            number=shown.number,
            outcome=outcome,
            note=shown.end.note or _("it has no answers"),
        )
    if shown.several and shown.end is None:
        return _("Several candidates are compared at once. Give the round a verdict when it has ended.")
    if shown.several and shown.end is not None and shown.end.note:
        return _("{note}.", note=shown.end.note)
    if shown.end is not None and not shown.votes:
        return _("No votes are kept of this round.")
    return ""
