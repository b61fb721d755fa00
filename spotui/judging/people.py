"""People's votes in a duel: on the set or on single questions, beside the judge or above it."""

from collections.abc import Sequence

import msgspec

from spotui.judging.pooling import pooled
from spotui.judging.votes import Choice


class PersonsVote(msgspec.Struct, frozen=True):
    """What a person said.

    Attributes:
        choice: From the candidate's side.
        question: The position of the question it is about, or None for all answers together.
        outranks: Whether it decides alone, whatever the judge says.
    """

    choice: Choice
    question: int | None = None
    outranks: bool = False


class Counted(msgspec.Struct, frozen=True):
    """What people's votes come to.

    Attributes:
        choices: Votes that count beside the judge's, one a person's vote on all answers together.
        decision: What outranks everything, or None.
    """

    choices: tuple[Choice, ...] = ()
    decision: Choice | None = None


def count_people(votes: Sequence[PersonsVote], questions: int) -> Counted:
    """Bring people's votes together.

    Votes on single questions are one vote, once there is one on every question: the side that is better on
    more of them has it. The last vote on a question replaces those before.

    Args:
        votes: In the order they were cast.
        questions: How many questions the duel is about.
    """
    choices: list[Choice] = []
    decision: Choice | None = None
    by_question: dict[int, PersonsVote] = {}
    for vote in votes:
        if vote.question is None:
            choices.append(vote.choice)
            if vote.outranks:
                decision = vote.choice
            continue
        by_question[vote.question] = vote
        if len(by_question) == questions and any(one.outranks for one in by_question.values()):
            decision = pooled([one.choice for one in by_question.values()])
    if by_question and len(by_question) == questions:
        choices.append(pooled([one.choice for one in by_question.values()]))
    return Counted(tuple(choices), decision)
