"""What a run works on: the task, the candidates, and what their answers were."""

import msgspec

from spotui.judging.reliability import Cast
from spotui.tags import quote_tags
from spotui.workspace.lines import AnswerRecord, Outcome, VoteRecord

FENCES = (
    *("analyse", "modification", "prompt", "choose", "requirements", "best_prompt"),
    *("answers", "answers_of_A", "answers_of_B", "reference_answers"),
)
"""Tags that meta-prompts and replies are read by: in texts from outside they must not look like tags."""


class Question(msgspec.Struct, frozen=True):
    """A question of the task, with its reference answer or an empty text."""

    question: str
    answer: str = ""


class Task(msgspec.Struct, frozen=True):
    """The template as a run sees it.

    Attributes:
        prompt: The seed prompt.
        requirements: What the answers have to meet.
        questions: The question set of every round.
        held_out: Questions that only the final duel sees.
        word_limit: Words a prompt may have at most, or None.
        reference_answers: Whether optimizer and evaluator see the reference answers.
    """

    prompt: str
    requirements: str
    questions: tuple[Question, ...]
    held_out: tuple[Question, ...] = ()
    word_limit: int | None = None
    reference_answers: bool = True


class Candidate(msgspec.Struct, frozen=True):
    """A prompt with where it came from.

    Attributes:
        round: The round it belongs to.
        prompt: The prompt itself.
        parent: The round it was made from, 0 for the seed.
        modification: One sentence on what was changed.
        reasoning: Why.
        edited: Whether a person changed it.
    """

    round: int
    prompt: str
    parent: int = 0
    modification: str = ""
    reasoning: str = ""
    edited: bool = False


class Trial(msgspec.Struct, frozen=True):
    """A candidate and what the executor answered with it, one answer a question."""

    candidate: Candidate
    questions: tuple[Question, ...]
    answers: tuple[AnswerRecord, ...]

    @property
    def round(self) -> int:
        """The round it belongs to."""
        return self.candidate.round


class Duel(msgspec.Struct, frozen=True):
    """How a comparison of two trials ended."""

    outcome: Outcome
    votes: tuple[VoteRecord, ...] = ()

    def count(self, choice: str) -> int:
        """Votes of that kind."""
        return sum(vote.choice == choice for vote in self.votes)


def casts(votes: tuple[VoteRecord, ...]) -> tuple[Cast, ...]:
    """The judge's own votes of a duel, without those of people and of judges that see no order."""
    return tuple(Cast(vote.order, vote.choice) for vote in votes if vote.voter == "model")


def format_answers(answers: tuple[AnswerRecord, ...]) -> str:
    """Questions and answers as optimizer and judge read them: material, whatever stands in it."""
    text = "\n\n".join(
        f"Question {number}: {one.question}\nAnswer {number}: {one.answer}"
        for number, one in enumerate(answers, 1)
    )
    return quote_tags(text, FENCES)


def format_references(questions: tuple[Question, ...], *, shown: bool) -> str:
    """The reference answers as a section of a meta-prompt; empty when there are none or none are shown."""
    if not shown or not any(one.answer for one in questions):
        return ""
    body = "\n\n".join(
        f"Question {number}: {one.question}\nReference answer {number}: {one.answer}"
        for number, one in enumerate(questions, 1)
        if one.answer
    )
    return f"<reference_answers>\n{quote_tags(body, FENCES)}\n</reference_answers>"
