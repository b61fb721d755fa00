"""The votes that people cast in a run, as labels."""

from collections.abc import Iterator
from typing import Final

from spotui.domain.errors import SpotuiError
from spotui.domain.records import AnswerRecord, RoundLine, VoteRecord
from spotui.domain.rows import Row
from spotui.lang import N_, _
from spotui.templates.data.labels_file import Label, Preferred
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project

ALL_ANSWERS: Final = N_("all answers of a round")
ONE_QUESTION: Final = N_("one question")
"""The kinds of votes."""

_PREFERRED: Final[dict[str, Preferred]] = {"win": "second", "loss": "first", "tie": "tie"}


def labels_of(project: Project) -> list[Label]:
    """What people preferred in the duels of a run: the candidate's answers, or those of the prompt before it.

    The last vote on a question replaces those before it, as in the run.

    Args:
        project: The project.

    Raises:
        SpotuiError: It is damaged, or nobody voted.
    """
    history = read_history(project)
    labels = [
        label
        for line in history.rounds
        if (before := history.round(line.opponent or line.parent)) is not None
        for label in _of_round(line, before)
    ]
    if not labels:
        raise SpotuiError(
            _("Nobody has voted in {name}, so there are no labels.", name=project.name),
            _("Vote on the Answers screen of a running project, or give a file of labels."),
        )
    return labels


def _of_round(line: RoundLine, before: RoundLine) -> Iterator[Label]:
    last: dict[int | None, VoteRecord] = {
        vote.question: vote for vote in line.votes if vote.voter == "human" and vote.choice != "void"
    }
    for question, vote in last.items():
        old, new = _shown(before, question), _shown(line, question)
        if old is None or new is None:
            continue
        kind = ALL_ANSWERS if question is None else ONE_QUESTION
        place = f"round {line.round}"
        yield Label(place, Row(new.question), old.answer, new.answer, _PREFERRED[vote.choice], None, kind)


def _shown(line: RoundLine, question: int | None) -> AnswerRecord | None:
    """The answer that was voted on, or all of them as one; None where there is none."""
    if question is not None:
        found = line.answers[question] if question < len(line.answers) else None
        return None if found is None or found.error else found
    answers = [one for one in line.answers if not one.error]
    if not answers:
        return None
    if len(answers) == 1:
        return answers[0]
    numbered = list(enumerate(answers, 1))
    return AnswerRecord(
        "\n\n".join(f"({number}) {one.question}" for number, one in numbered),
        "\n\n".join(f"({number}) {one.answer}" for number, one in numbered),
    )
