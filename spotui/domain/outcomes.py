"""The events that follow from a run's records: how a round ended, and what came of the best prompt."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

import msgspec

from spotui.domain.events import (
    Event,
    FinalCheckFinished,
    FinalCheckSkipped,
    FinalTest,
    HeldOutFinished,
    RoundFinished,
)
from spotui.domain.records import CheckLine, FinalTestLine, HeldOutLine, RoundLine
from spotui.domain.statistics import compare, score
from spotui.domain.verdicts import Choice, Outcome

E = TypeVar("E", bound=Event)


def event_of(kind: type[E], record: msgspec.Struct, **fields: Any) -> E:
    """An event with the fields of a record that have the same name.

    Args:
        kind: The type of the event.
        record: The record.
        fields: Its other fields, and those that differ from the record's.
    """
    return kind(**{name: getattr(record, name) for name in _shared(kind, type(record))} | fields)


@cache
def _shared(kind: type[Event], record: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name in record.__struct_fields__ and name != "at")


def counted(choices: Iterable[Choice]) -> dict[str, int]:
    """Choices as the fields of an event that counts them."""
    found = Counter(choices)
    return {"wins": found["win"], "losses": found["loss"], "ties": found["tie"], "voids": found["void"]}


def round_finished(line: RoundLine, best: int) -> RoundFinished:
    """How a round ended; people's votes on single questions are only counted together.

    Of a round that SPO's own tool ran, the tokens are those of its answers, as that tool counts them.

    Args:
        line: The round.
        best: The best round once it has ended.
    """
    return event_of(
        RoundFinished,
        line,
        best=best,
        completion_tokens=line.tokens if line.added else line.completion_tokens,
        prompt=line.prompt if line.score is not None else "",
        **counted(vote.choice for vote in line.votes if vote.question is None),
    )


def test_finished(line: FinalTestLine, seed: int) -> FinalTest:
    """What the test on unseen rows found, with its intervals.

    Args:
        line: The marks of both prompts.
        seed: The run's.
    """
    old, new = score(line.seed_marks, seed=seed), score(line.best_marks, seed=seed)
    paired = compare(line.seed_marks, line.best_marks, seed=seed)
    return FinalTest(
        best=line.best,
        rows=len(line.best_marks),
        seed_score=old.mean,
        seed_interval=msgspec.structs.astuple(old.interval),
        best_score=new.mean,
        best_interval=msgspec.structs.astuple(new.interval),
        difference=paired.difference,
        difference_interval=msgspec.structs.astuple(paired.interval),
        wins=paired.wins,
        losses=paired.losses,
        ties=paired.ties,
        p=paired.p,
        left_out=paired.left_out,
        floor=paired.floor,
    )


def is_lead(outcome: Outcome | None, best: int, test: FinalTest | None) -> bool:
    """Whether the best prompt of a run is a lead, which nothing has shown to be better than the seed.

    Args:
        outcome: Of its round, or of the one that it is as good as where it was preferred.
        best: The round.
        test: The test on unseen rows, if there was one.
    """
    is_confirmed = test is not None and test.best == best and test.difference >= test.floor
    return (outcome == "lead" or (outcome == "seed" and best > 1)) and not is_confirmed


def held_out_finished(line: HeldOutLine) -> HeldOutFinished:
    """How the best prompt did against the seed on the questions that no round has seen."""
    votes = counted(vote.choice for vote in line.votes)
    return event_of(HeldOutFinished, line, **{name: votes[name] for name in ("wins", "losses", "ties")})


def check_finished(line: CheckLine) -> FinalCheckFinished | FinalCheckSkipped:
    """What a final check found, or why there was none."""
    if line.skipped:
        return FinalCheckSkipped(best=line.best, why=line.skipped)
    rows = tuple(row.choice for row in line.rows)
    return event_of(
        FinalCheckFinished,
        line,
        questions=len(rows),
        held_out=sum(row.held_out for row in line.rows),
        rows=rows,
        **counted(rows),
    )
