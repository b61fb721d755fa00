"""The lessons of SPO's earlier rounds: what was tried, how it compared, and what the judge gave as reasons.

They come from the records of the rounds alone, so they cost no call and are the same when a run is resumed.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from spotui.domain.records import Rival, RoundLine, VoteRecord
from spotui.domain.tags import quote_tags
from spotui.domain.verdicts import Choice, Outcome
from spotui.engine.task import FENCES
from spotui.engine.wording import say
from spotui.judging.decision import share

LOSERS_SHOWN: Final = 2
"""Attempts that did not win, the newest ones."""

CHARACTERS_OF_A_REASON: Final = 400
CHARACTERS_OF_A_PROMPT: Final = 1000

_LOST: Final = frozenset({"loss", "undecided", "tie"})


class Attempt(NamedTuple):
    """A candidate of an earlier round that was compared with the best.

    Attributes:
        round: Its round.
        number: Which of several candidates of its round, from 1; 0 where there was one alone.
        outcome: What became of it.
        prompt: The candidate.
        modification: One sentence on what was changed.
        votes: The votes on it.
        by_question: What it was on each question, where the judge says so.
        length_ratio: Characters of its answers over those of the best's, or None.
    """

    round: int
    number: int
    outcome: Outcome
    prompt: str
    modification: str
    votes: tuple[VoteRecord, ...]
    by_question: tuple[Choice, ...]
    length_ratio: float | None

    def name_in(self, language: str) -> str:
        """What the optimizer calls it by."""
        if self.number:
            return say(language, "round {n}, candidate {candidate}", n=self.round, candidate=self.number)
        return say(language, "round {n}", n=self.round)

    @property
    def share(self) -> float:
        """Its share of the votes."""
        return share(vote.choice for vote in self.votes)


def losers(history: Sequence[RoundLine]) -> list[Attempt]:
    """The newest attempts that did not win, the newest first."""
    found = (one for line in reversed(history) for one in _attempts(line) if one.outcome in _LOST)
    return [one for one, _ in zip(found, range(LOSERS_SHOWN), strict=False)]


def loser_to_rework(history: Sequence[RoundLine]) -> Attempt | None:
    """The attempt among the newest losers that came closest to winning and has not been reworked yet."""
    newest = losers(history)
    if not newest:
        return None
    since = history[_place(history, newest[-1].round) :]  # no round before it can have reworked one of them
    reworked = {line.parent for line in since} | {one.parent for line in since for one in line.others}
    kept = {line.round: line.candidate for line in since}
    open_to_it = [one for one in newest if one.round not in reworked and kept[one.round] == one.number]
    return max(open_to_it, key=lambda one: one.share, default=None)


def lessons(history: Sequence[RoundLine], best: int, language: str = "") -> str:
    """The lessons of earlier rounds as the optimizer reads them, oldest first; empty without any.

    Args:
        history: The rounds that ended, in their order.
        best: The round of the best prompt.
        language: Of the words around them.
    """
    shown = losers(history)
    place = _place(history, best)
    of_best = [line for line in history[place : place + 1] if line.round == best]
    shown += [one for line in of_best for one in _attempts(line)[:1] if one.votes]
    shown.sort(key=lambda one: (one.round, one.number))
    text = "\n\n".join("\n".join(_lines(one, language, is_best=one.outcome == "win")) for one in shown)
    return quote_tags(text, (*FENCES, "attempts"))


def _place(history: Sequence[RoundLine], number: int) -> int:
    """Where a round is among those that ended, or would be: there can be thousands of them."""
    return bisect_left(history, number, key=lambda line: line.round)


def _attempts(line: RoundLine) -> list[Attempt]:
    """The candidates of a round, the one that it keeps first."""
    if line.round == 1 or line.added:
        return []

    def attempt(round_line: RoundLine | Rival, number: int) -> Attempt:
        return Attempt(
            line.round,
            number,
            round_line.outcome,
            round_line.prompt,
            round_line.modification,
            round_line.votes,
            round_line.by_question,
            round_line.length_ratio,
        )

    return [attempt(line, line.candidate), *(attempt(one, one.number) for one in line.others)]


def _lines(attempt: Attempt, language: str, *, is_best: bool) -> Iterator[str]:
    def said(piece: str, **values: object) -> str:
        return say(language, piece, **values)

    what = "the best prompt; it won" if is_best else "not better"
    judged = [vote.choice for vote in attempt.votes if vote.question is None]
    yield said(
        "Prompt of {name}: {what}, with {wins} of {votes} votes for it.",
        name=attempt.name_in(language),
        what=said(what),
        wins=judged.count("win"),
        votes=len(judged),
    )
    if attempt.modification:
        yield said("Change: {text}", text=attempt.modification)
    if attempt.length_ratio is not None:
        yield said(
            "Its answers had {ratio:.2f} times the length of those it was compared with.",
            ratio=attempt.length_ratio,
        )
    if attempt.by_question:
        better, worse = attempt.by_question.count("win"), attempt.by_question.count("loss")
        equal = len(attempt.by_question) - better - worse
        yield said(
            "By question, its answers were better on {better}, worse on {worse}, equal on {equal}.",
            better=better,
            worse=worse,
            equal=equal,
        )
    if not is_best:
        yield said("Text: {text}", text=_cut(attempt.prompt, CHARACTERS_OF_A_PROMPT))
    choices: tuple[tuple[Choice, str], ...] = (("win", "better"), ("loss", "worse"), ("tie", "equal"))
    for choice, word in choices:
        reason = next((vote for vote in attempt.votes if vote.choice == choice and _is_reason(vote)), None)
        if reason is not None:
            mine, other = ("B", "A") if reason.order == "AB" else ("A", "B")
            yield said(
                "A judge found its answers {word}; they are {mine}, the other prompt's {other}: {reason}",
                word=said(word),
                mine=mine,
                other=other,
                reason=_cut(reason.reason, CHARACTERS_OF_A_REASON),
            )


def _is_reason(vote: VoteRecord) -> bool:
    """Whether a judge wrote down why, and not only a figure."""
    return vote.voter == "model" and bool(vote.order) and bool(vote.reason)


def _cut(text: str, most: int) -> str:
    text = text.strip()
    return text if len(text) <= most else f"{text[:most].rsplit(None, 1)[0]} […]"
