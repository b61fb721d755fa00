"""What a run works on: the task, the candidates, and what their answers were."""

import math
import random
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

import msgspec

from spotui.domain.answer_cost import AnswerCost, Prefer
from spotui.domain.messages import JudgedOn, Message, user
from spotui.domain.program_prompts import OTHERS_STAY, Part, prompts_fault
from spotui.domain.records import AnswerRecord, VoteRecord
from spotui.domain.rows import Row, SplitName, slot_fault
from spotui.domain.statistics import Score
from spotui.domain.tags import quote_tags
from spotui.domain.verdicts import Choice, Outcome
from spotui.engine.layout import Layout
from spotui.engine.wording import joined, say
from spotui.templates.data.load import Dataset

FENCES = (
    *("analyse", "modification", "prompt", "choose", "requirements", "best_prompt"),
    *("answers", "answers_of_A", "answers_of_B", "reference_answers"),
)
"""Tags that meta-prompts and replies are read by: in texts from outside they must not look like tags."""


STAND_IN: Final = "[the prompt]"
"""What stands in place of the prompt where an optimizer is shown inputs of the task."""

EDITION: Final = 7
"""The edition of how methods word and order what they ask, and of how replies are read. A run keeps the
edition it began with: a call is found in its journal by what was asked, and would be bought again if a newer
version asked otherwise."""


NO_REQUIREMENTS: Final = (
    "None are given. A good answer does what the question asks, correctly and completely."
)
_NO_TASK: Final = "It is not described. Make it out from what is below."
_NO_PROMPT: Final = "(none: the input is sent alone)"


class Question(msgspec.Struct, frozen=True):
    """A question of the task.

    Attributes:
        question: What is asked.
        answer: The reference answer, or an empty text.
        row: The row that fills the slots of a prompt; None in runs that began when only data files had any.
        context: The other parts of the row that the prompt shows, as judge and optimizer read them.
    """

    question: str
    answer: str = ""
    row: Row | None = None
    context: str = ""


class Start(msgspec.Struct, frozen=True):
    """A prompt that a run tries before it asks the optimizer for new ones.

    Attributes:
        prompt: The prompt itself.
        modification: One sentence on how it differs from the seed.
    """

    prompt: str
    modification: str = ""


class Task(msgspec.Struct, frozen=True):
    """The template as a run sees it.

    Attributes:
        prompt: The seed prompt.
        requirements: What the answers have to meet.
        questions: The question set of every round.
        held_out: Questions that only the final duel sees.
        word_limit: Words a prompt may have at most, or None.
        reference_answers: Whether optimizer and evaluator see the reference answers.
        criteria: What an answer to a row is marked by, in words.
        rows: What prompts are scored on, or None when nothing is scored.
        seed: What everything that is drawn is drawn with.
        edition: Which edition of its method's questions the run keeps to; see `EDITION`.
        slots: The slots that every prompt has to keep, none where the seed prompt has none; None in runs that
            began when only some methods kept them.
        layout: How a prompt and a row become messages.
        judged_on: What of a conversation is judged and marked: all of it, or the last answer.
        parts: The names of the prompts, where a program has several; `prompt` holds them all.
        copies_allowed: Whether a new prompt may repeat a passage of a row.
        starts: Prompts that take the place of the first proposals, and cost no call of the optimizer.
        prefer: What decides between prompts that are equally good within noise.
        language: The language of the pieces that are put into meta-prompts, for example `zh`; empty for
            English, also where runs of earlier editions have Chinese meta-prompts.
    """

    prompt: str
    requirements: str
    questions: tuple[Question, ...]
    held_out: tuple[Question, ...] = ()
    word_limit: int | None = None
    reference_answers: bool = True
    criteria: str = ""
    rows: Dataset | None = None
    seed: int = 0
    edition: int = EDITION
    slots: frozenset[str] | None = None
    layout: Layout = Layout()
    judged_on: JudgedOn = "conversation"
    parts: tuple[str, ...] = ()
    copies_allowed: bool = False
    starts: tuple[Start, ...] = ()
    prefer: Prefer = "none"
    language: str = ""

    def say(self, piece: str, /, **values: object) -> str:
        """A piece of a meta-prompt in the language of the template; see `spotui.engine.wording`."""
        return say(self.language, piece, **values)

    def join(self, *texts: str) -> str:
        """Sentences behind each other, the empty ones left out."""
        return joined(self.language, texts)

    def beside(self, part: Part, prompt: str) -> list[str]:
        """What the optimizer has to know of the other prompts of a program; nothing where there are none.

        Args:
            part: The prompt that a round changes.
            prompt: All of them.
        """
        return part.beside(prompt, self.say(OTHERS_STAY, name=part.name))

    @property
    def guards_copies(self) -> bool:
        """Whether a new prompt that repeats a passage of a row is refused; earlier editions let it pass."""
        return self.edition > 5 and not self.copies_allowed

    def part(self, number: int) -> Part:
        """The prompt that a round changes: one after another, from the second round on."""
        return Part(self.parts[(number - 2) % len(self.parts)]) if self.parts else Part()

    def ask(self, prompt: str, question: Question) -> tuple[Message, ...]:
        """The messages that ask a question with a prompt."""
        if self.edition > 4 and question.row is not None:
            return self.layout.messages(prompt, question.row)
        if question.row is not None:
            return (user(question.row.ask(prompt)),)
        return (user(f"{prompt}\n\n{question.question}" if prompt else question.question),)

    def parts_fault(self, prompt: str) -> str:
        """What keeps a text from being all prompts of the program, one sentence, or an empty text."""
        return prompts_fault(prompt, self.parts) if self.parts else ""

    @property
    def aim(self) -> str:
        """The requirements as judge and optimizer read them, also where the template has none."""
        return self.requirements or self._instead(NO_REQUIREMENTS)

    @property
    def description(self) -> str:
        """The requirements as the description of a task."""
        return self.requirements or self._instead(_NO_TASK)

    def shown_prompt(self, prompt: str) -> str:
        """A prompt as the optimizer reads it, also one that is empty."""
        return prompt or self._instead(_NO_PROMPT)

    def _instead(self, text: str) -> str:
        """A text in place of none, which earlier editions left empty."""
        return self.say(text) if self.edition > 2 else ""

    def slot_fault(self, prompt: str) -> str:
        """The fault of a prompt's slots, one sentence, or an empty text."""
        if fault := self.parts_fault(prompt):
            return fault
        return "" if self.slots is None else slot_fault(self.prompt, self.slots, prompt)


class Candidate(msgspec.Struct, frozen=True):
    """A prompt with where it came from.

    Attributes:
        round: The round it belongs to.
        prompt: The prompt itself.
        parent: The round it was made from, 0 for the seed.
        other_parents: The other rounds it was made from, where there are several.
        modification: One sentence on what was changed.
        reasoning: Why.
        edited: Whether a person changed it.
        words_changed: Word edit distance to its parent's prompt, or None where that is not measured.
        position: Which of the prompts that its round asked for it is, from 0.
        number: Which of several candidates of its round, from 1; 0 where there is one alone.
    """

    round: int
    prompt: str
    parent: int = 0
    modification: str = ""
    reasoning: str = ""
    edited: bool = False
    words_changed: int | None = None
    other_parents: tuple[int, ...] = ()
    position: int = 0
    number: int = 0


class Trial(msgspec.Struct, frozen=True):
    """A candidate and what the executor answered with it.

    Attributes:
        candidate: The prompt.
        questions: What was asked.
        answers: One a question; one with an error is no answer.
        places: Which question of the set each is, where they are not all of it.
        cost: The cost of an answer, where all of the set were asked.
    """

    candidate: Candidate
    questions: tuple[Question, ...]
    answers: tuple[AnswerRecord, ...]
    places: tuple[int, ...] | None = None
    cost: AnswerCost | None = None

    @property
    def round(self) -> int:
        """The round it belongs to."""
        return self.candidate.round

    @property
    def answered(self) -> "Trial":
        """The same on the questions that have an answer."""
        return self.at([index for index, one in enumerate(self.answers) if not one.error])

    def position_of(self, index: int) -> int:
        """Which question of the set its question at an index is."""
        return index if self.places is None else self.places[index]

    def at(self, indices: Sequence[int]) -> "Trial":
        """The same on some of its questions."""
        if len(indices) == len(self.answers):
            return self
        return Trial(
            self.candidate,
            tuple(self.questions[index] for index in indices),
            tuple(self.answers[index] for index in indices),
            tuple(self.position_of(index) for index in indices),
        )


def answered_by_both(first: Trial, second: Trial) -> tuple[Trial, Trial]:
    """Two trials of the same questions, on those that both have answered."""
    pairs = enumerate(zip(first.answers, second.answers, strict=True))
    both = [index for index, (mine, theirs) in pairs if not (mine.error or theirs.error)]
    return first.at(both), second.at(both)


class RowOutcome(msgspec.Struct, frozen=True):
    """What became of one row.

    Attributes:
        position: Of the row in its split, from 0.
        answer: What the executor answered; empty when it gave no answer.
        mark: 0..1, or None when the row errored, which says nothing about the prompt.
        note: What was read out of the answer, the judge's reason, or why there is no mark.
        grade: The probability of the right option, where prompts are chosen by it.
    """

    position: int
    answer: str
    mark: float | None
    note: str = ""
    grade: float | None = None


class Scored(msgspec.Struct, frozen=True):
    """A candidate and what it scored on some rows.

    Attributes:
        candidate: The prompt.
        split: Which split the rows are of.
        score: The mean mark with its interval.
        marks: One a row that was asked, None for a row that errored.
        sample: The first outcomes, up to a limit, with their answers.
        positions: The rows of the marks, where not all were asked.
        unasked: Rows that were not asked, as the prompt had fallen behind in a race.
        grades: One for each mark, where prompts are chosen by grades: the mark itself where there is none.
        cost: The cost of an answer, on the rows that were asked.
    """

    candidate: Candidate
    split: SplitName
    score: Score
    marks: tuple[float | None, ...]
    sample: tuple[RowOutcome, ...] = ()
    positions: tuple[int, ...] = ()
    unasked: int = 0
    grades: tuple[float | None, ...] = ()
    cost: AnswerCost | None = None

    @property
    def value(self) -> float:
        """What prompts are chosen by: the mean grade where answers are graded, else the mean mark."""
        known = [one for one in self.grades if one is not None]
        return math.fsum(known) / len(known) if known else self.score.mean

    @property
    def is_whole(self) -> bool:
        """Whether all rows were asked; a partial score is never compared with a whole one."""
        return not self.unasked

    @property
    def prompt(self) -> str:
        """The prompt itself."""
        return self.candidate.prompt

    def beats(self, other: "Scored") -> bool:
        """Whether it scores higher, or as high with a shorter prompt; a partial score beats no whole one."""
        if self.is_whole != other.is_whole:
            return self.is_whole
        mine, theirs = (one.score.mean for one in (self, other))
        return mine > theirs or (mine == theirs and len(self.prompt) < len(other.prompt))


class Duel(msgspec.Struct, frozen=True):
    """How a comparison of two trials ended.

    Attributes:
        outcome: From the candidate's side.
        votes: Every vote.
        by_question: What the candidate's answer to each question is, where the judge says so.
    """

    outcome: Outcome
    votes: tuple[VoteRecord, ...] = ()
    by_question: tuple[Choice, ...] = ()


class RowVotes(msgspec.Struct, frozen=True):
    """The votes on one question, and which way they go together."""

    choice: Choice
    votes: tuple[VoteRecord, ...]


def row_of(trial: Trial, index: int) -> Trial:
    """A trial of one of its questions alone."""
    return Trial(trial.candidate, trial.questions[index : index + 1], trial.answers[index : index + 1])


def format_answers(
    answers: Sequence[AnswerRecord], questions: Sequence[Question] = (), language: str = ""
) -> str:
    """Questions and answers as optimizer and judge read them: material, whatever it says.

    Args:
        answers: The answers.
        questions: What they answer, for the context that a prompt shows with each of them.
        language: Of the words around them.
    """
    parts = []
    for number, (one, asked) in enumerate(zip_longest(answers, questions), 1):
        context = f"\n{asked.context}" if asked is not None and asked.context else ""
        named = {"n": number, "question": f"{one.question}{context}", "answer": one.answer}
        parts.append(say(language, "Question {n}: {question}\nAnswer {n}: {answer}", **named))
    return quote_tags("\n\n".join(parts), FENCES)


def format_references(questions: tuple[Question, ...], *, shown: bool, language: str = "") -> str:
    """The reference answers as a section of a meta-prompt; empty when there are none or none are shown.

    Args:
        questions: The questions.
        shown: Whether they are shown.
        language: Of the words around them.
    """
    if not shown or not any(one.answer for one in questions):
        return ""
    body = "\n\n".join(
        say(
            language,
            "Question {n}: {question}\nReference answer {n}: {answer}",
            n=number,
            question=one.question,
            answer=one.answer,
        )
        for number, one in enumerate(questions, 1)
        if one.answer
    )
    return f"<reference_answers>\n{quote_tags(body, FENCES)}\n</reference_answers>"


class RowSet:
    """Rows of one split.

    Args:
        split: Which one.
        rows: All rows of the split.
        positions: Which of them belong to the set, or None for all; a position is counted from 0.
    """

    def __init__(self, split: SplitName, rows: Sequence[Row], positions: Sequence[int] | None = None) -> None:
        self.split: SplitName = split
        self.positions = range(len(rows)) if positions is None else positions
        self._rows = rows

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def size(self) -> int:
        """Rows of the whole split."""
        return len(self._rows)

    def row(self, position: int) -> Row:
        """The row at a position of the split."""
        return self._rows[position]

    def draw(self, count: int, *, seed: str) -> "RowSet":
        """So many rows, drawn once for a seed; all of them when there are no more.

        Args:
            count: How many.
            seed: The same one draws the same rows.
        """
        if count >= len(self):
            return self
        chosen = random.Random(seed).sample(self.positions, count)  # noqa: S311 - reproducible on purpose
        return self.at(sorted(chosen))

    def at(self, positions: Sequence[int]) -> "RowSet":
        """The rows at these positions of the split."""
        return RowSet(self.split, self._rows, positions)

    def batch(self, number: int, size: int, *, seed: str) -> "RowSet":
        """A batch of the endless sequence that goes through all rows in a new order every time.

        Args:
            number: Which batch, from 1; a rest too small to be one (below half of `size`) is left out.
            size: Rows of a batch, 1 or more.
            seed: The run's.
        """
        epoch, place = divmod(number - 1, batches(len(self), size))
        order = list(self.positions)
        random.Random(f"{seed}/epoch/{epoch}").shuffle(order)  # noqa: S311 - reproducible on purpose
        return self.at(sorted(order[place * size : (place + 1) * size]))


class Splits:
    """The rows of a run by what they are for.

    Args:
        data: The rows.

    Attributes:
        train: What prompts are written from.
        eval: What prompts are chosen by.
        test: What nothing sees before the end; may be empty.
    """

    def __init__(self, data: Dataset) -> None:
        self.train = RowSet("train", data.train)
        self.eval = RowSet("eval", data.eval)
        self.test = RowSet("test", data.test)

    def of(self, split: SplitName) -> RowSet:
        """All rows of the split of that name."""
        return {"train": self.train, "eval": self.eval, "test": self.test}[split]


def batches(rows: int, size: int) -> int:
    """Batches of one way through the rows: a rest counts when it is half a batch or more; never none."""
    whole, rest = divmod(rows, size)
    return max(1, whole + (rest * 2 >= size and rest > 0))
