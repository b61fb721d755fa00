"""What people decided about a run: votes, edited candidates, overridden verdicts."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from spotui.workspace.lines import AnyLine, EditLine, Outcome, OverrideLine, VoteLine, VoteRecord

Side = Literal["best", "candidate"]
Inbox = asyncio.Queue[tuple[VoteRecord, int]]
"""Where the votes of a duel arrive, each with its number."""


class Decisions:
    """Human decisions, those in the journal and those that arrive while the run goes on.

    Args:
        lines: The journal's lines of an earlier session.

    Attributes:
        pause_at_candidate: Whether to wait for a person once the next candidate is there.
        edits: A person's text for a round's candidate.
    """

    def __init__(self, lines: Iterable[AnyLine] = ()) -> None:
        self.pause_at_candidate = False
        self.edits: dict[int, str] = {}
        self._votes: defaultdict[int, list[VoteRecord]] = defaultdict(list)
        self._overrides: list[OverrideLine] = []
        self._open: dict[int, Inbox] = {}
        self._left: dict[int, Side] = {}
        for line in lines:
            self.take(line)

    def take(self, line: AnyLine) -> None:
        """Take a decision in; lines of another kind are none."""
        match line:
            case EditLine():
                self.edits[line.round] = line.prompt
            case OverrideLine():
                self._overrides.append(line)
            case VoteLine():
                vote = VoteRecord(
                    choice=line.choice, voter="human", question=line.question, outranks=line.outranks
                )
                self._votes[line.round].append(vote)
                if line.round in self._open:
                    self._open[line.round].put_nowait((vote, len(self._votes[line.round]) - 1))

    def overrides_before(self, number: int) -> dict[int, Outcome]:
        """The verdicts people gave that are in force when round `number` begins."""
        return {line.round: line.outcome for line in self._overrides if line.before_round <= number}

    def override_of(self, number: int) -> OverrideLine | None:
        """The last verdict that a person gave a round."""
        return next((line for line in reversed(self._overrides) if line.round == number), None)

    @contextmanager
    def duel(self, number: int, left: Side) -> Iterator[Inbox]:
        """While a round's duel is open: where votes arrive, a person's that are there already first.

        Args:
            number: The round.
            left: Whose answers a person sees on the left.
        """
        inbox: Inbox = asyncio.Queue()
        for index, vote in enumerate(self._votes[number]):
            inbox.put_nowait((vote, index))
        self._open[number] = inbox
        self._left[number] = left
        try:
            yield inbox
        finally:
            self.close_duel(number)

    def close_duel(self, number: int) -> None:
        """Take no more votes for a round; safe to call twice."""
        self._open.pop(number, None)

    def left_in(self, number: int) -> Side:
        """Whose answers are on the left in the open duel of a round."""
        return self._left[number]

    def in_duel(self, number: int) -> bool:
        """Whether a round's duel is open for votes."""
        return number in self._open
