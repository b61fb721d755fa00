"""Events of runs that are looked at as a whole."""

from msgspec.structs import replace

from spotui.domain.events import (
    Answered,
    CandidateProposed,
    CandidateScored,
    Event,
    RoundFinished,
    RoundStarted,
    VoteCast,
)
from spotui.domain.statistics import score
from spotui.domain.verdicts import Choice, Outcome
from tests.view.test_picture import OPENED

VOTED = replace(OPENED, questions=("How deep?", "How salty?", "How old?"), rounds=6)
SCORED = replace(OPENED, method="gpo", rows={"eval": 8}, questions=(), rounds=6)


def scored_round(
    number: int, outcome: Outcome, best: int, *marks: float | None, parent: int = 1
) -> list[Event]:
    """A round of a method on rows with one candidate; the seed's prompt is that of `OPENED`."""
    prompt = "Say." if number == 1 else f"Say it in way {number}."
    found = score(marks)
    events: list[Event] = [RoundStarted(round=number, best=min(best, number - 1))]
    if number > 1:
        events.append(
            CandidateProposed(round=number, parent=parent, prompt=prompt, modification=f"Way {number}.")
        )
    return [
        *events,
        CandidateScored(
            round=number,
            index=0,
            prompt=prompt,
            split="eval",
            score=found.mean,
            low=found.interval.low,
            high=found.interval.high,
            rows=found.rows,
            marks=marks,
        ),
        RoundFinished(
            round=number,
            outcome=outcome,
            best=best,
            seconds=10.0,
            calls=10,
            prompt_tokens=1000,
            cost_usd=0.1,
            score=found.mean,
            score_interval=(found.interval.low, found.interval.high),
            prompt=prompt,
        ),
    ]


def voted_round(
    number: int,
    outcome: Outcome,
    best: int,
    *votes: Choice,
    before: int = 1,
    parent: int = 0,
    by_question: tuple[Choice, ...] = (),
    reason: str = "",
    error_at: int | None = None,
) -> list[Event]:
    """A round that is decided by votes, with an answer to each of three questions."""
    wins, losses = votes.count("win"), votes.count("loss")
    events: list[Event] = [RoundStarted(round=number, best=before if number > 1 else 0)]
    if number > 1:
        events.append(
            CandidateProposed(
                round=number,
                parent=parent or before,
                prompt=f"Say it in way {number}.",
                modification=f"Way {number}.",
            )
        )
    events += [
        Answered(
            round=number,
            index=index,
            question=question,
            answer="" if index == error_at else "Very." if index == 1 else f"Very, in way {number}.",
            error="It timed out." if index == error_at else "",
        )
        for index, question in enumerate(VOTED.questions)
    ]
    events += [
        VoteCast(round=number, index=index, choice=choice, reason=reason)
        for index, choice in enumerate(votes)
    ]
    return [
        *events,
        RoundFinished(
            round=number,
            outcome=outcome,
            best=best,
            wins=wins,
            losses=losses,
            seconds=10.0,
            calls=6,
            prompt_tokens=500,
            by_question=by_question,
        ),
    ]
