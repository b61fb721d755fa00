"""Fixed rewrites of a seed prompt, made of what the template says of a good answer; no model is asked."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from spotui.domain.messages import user
from spotui.domain.program_prompts import Part
from spotui.domain.rows import Row, slot_names
from spotui.domain.text import count_words
from spotui.engine import fold
from spotui.engine.task import Task
from spotui.lang import N_
from spotui.metrics.choose import JUDGE, MetricChoice

# The rewrites are prompts for models: `Task.say` has each text in the language of the template. The changes
# are read by people as well, and are sentences of the catalogue.

_OF_METRIC: Final[Mapping[str, str]] = {
    "number": "Put the final number alone on the last line of your answer, with nothing after it.",
    "math": "Put the final result alone on the last line of your answer, with nothing after it.",
    "yes_no": "Answer with one word, yes or no, and nothing else.",
    "json": "Answer with one JSON value and nothing else: no explanation and no code fence.",
    "schema": "Answer with one JSON value and nothing else: no explanation and no code fence.",
    "word_list": "Answer with the words alone, separated by single spaces, and nothing else.",
    **dict.fromkeys(
        ("exact", "normalised", "contains", "f1", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"),
        "Give the answer itself and nothing else: no introduction, no explanation and no repetition of the "
        "question.",
    ),
}
"""The form of an answer that each metric can read without doubt."""

_LETTER: Final = (
    "Answer with the letter of exactly one of the options, in parentheses, for example (A), and nothing else."
)
_STEPS: Final = (
    "Think step by step, in a few short steps. Then write the final answer alone on a last line that begins "
    "with 'Answer:'."
)
_PLAN: Final = (
    "Before you write, go through everything that a complete and correct answer needs. Then write the answer "
    "only, without these thoughts."
)
_ROLE: Final = "You are a careful expert in exactly this kind of task, and you check every answer once more."
_REASONED: Final = frozenset({"number", "math", "multiple_choice", "yes_no", "label"})
"""Metrics that find the conclusion of an answer that reasons first."""

_DUTIES: Final = "Make sure that your answer meets each of these:\n{duties}"
_ONE_OF: Final = "Answer with exactly one of these, and nothing else: {labels}."
_TAGGED: Final = "Put the final answer between {tags}."
_STEPS_TAGGED: Final = "Think step by step first. Then put the final answer between {tags}."
_EXPERT: Final = "You are an expert whose answers always meet what is asked of them: {duties}"
_SOLVED: Final = "For example:\n\nQuestion: {question}\nAnswer: {answer}\n\nNow the question to answer."
_OPTIONS: Final = re.compile(
    r"(?m)^\s*(?:[(（]A[)）]|A(?:[).:]\s|[、．：）])).*(?:\n.*)*?^\s*(?:[(（]B[)）]|B(?:[).:]\s|[、．：）]))"
)
_MOST_LABELS: Final = 12
_ROOM_FOR_STEPS: Final = 64
"""Tokens that an answer must be allowed to have for any steps in it."""

_LONGEST_EXAMPLE: Final = 900
_LONGEST_DUTY: Final = 600


class Probe(msgspec.Struct, frozen=True):
    """A prompt that is compared with the seed.

    Attributes:
        name: What kind of rewrite it is.
        prompt: The whole prompt.
        change: How it differs from the seed, one sentence; that of a rewrite is in the template's language.
    """

    name: str
    prompt: str
    change: str


NAMES: Final = ("form", "steps", "role", "example")
"""All fixed rewrites."""


class Wanted(msgspec.Struct, frozen=True):
    """What a template says of a good answer.

    Attributes:
        metric: What marks the answers; None where a judge compares or grades them.
        criteria: What they are marked by, in words; empty where nothing says it.
        rows: The rows that prompts are written from.
        most_tokens: The longest answer that the executor may give, or None.
    """

    metric: MetricChoice | None
    criteria: str
    rows: Sequence[Row]
    most_tokens: int | None = None

    @property
    def kind(self) -> str:
        """The innermost metric that reads the answer; empty where a judge does."""
        choice = self.metric
        while choice is not None and choice.inner is not None:
            choice = choice.inner
        return "" if choice is None or choice.name == JUDGE else choice.name

    @property
    def tag(self) -> str:
        """The tag that the answer has to be in; empty for none."""
        choice = self.metric
        return str(choice.options.get("tag", "")) if choice is not None and choice.name == "tag" else ""

    @property
    def has_options(self) -> bool:
        """Whether the questions list options with letters."""
        return bool(self.rows) and all(_OPTIONS.search(row.asked) for row in self.rows)

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that there are, where they are few; empty otherwise."""
        choice = self.metric
        while choice is not None and choice.inner is not None:
            choice = choice.inner
        if choice is not None and "labels" in choice.options:
            return tuple(map(str, choice.options["labels"]))
        found = tuple(sorted({row.references[0].strip() for row in self.rows if row.references}))
        return found if 2 <= len(found) <= _MOST_LABELS else ()

    @property
    def duties(self) -> str:
        """The criteria as a list of what an answer has to do; empty where there are none, or too many."""
        lines = [line.strip().removeprefix("- ") for line in self.criteria.splitlines() if line.strip()]
        text = "\n".join(f"- {line}" for line in lines)
        return text if len(text) <= _LONGEST_DUTY else ""


def rewrites(task: Task, wanted: Wanted) -> list[Probe]:
    """The fixed rewrites of a task's prompt; one that cannot apply is left out.

    Args:
        task: The prompt, its slots and its word limit.
        wanted: What is known of a good answer.
    """
    part = Part(task.parts[-1]) if task.parts else Part()
    seed = part.of(task.prompt)
    seen, found = {fold(task.prompt)}, list[Probe]()
    for name, change, text in _texts(task, wanted):
        first = name == "role" or "question" in slot_names(seed)
        new = "\n\n".join(filter(None, (text, seed) if first else (seed, text)))
        prompt = part.put(task.prompt, new)
        too_long = task.word_limit is not None and count_words(new) > task.word_limit
        if too_long or task.slot_fault(prompt) or fold(prompt) in seen:
            continue
        seen.add(fold(prompt))
        found.append(Probe(name, prompt, change))
    return found


def _texts(task: Task, wanted: Wanted) -> Iterator[tuple[str, str, str]]:
    """Each rewrite's name, what it changes, and the text that is added to the seed."""
    made: tuple[tuple[str, str, Callable[[Task, Wanted], str]], ...] = (
        ("form", N_("Says which form the answer must have."), _form),
        ("steps", N_("Asks for steps before the answer."), _steps),
        ("role", N_("Gives the model a role."), _role),
        ("example", N_("Shows one solved example."), _example),
    )
    for name, change, make in made:
        if text := make(task, wanted):
            yield name, task.say(change), text


def _form(task: Task, wanted: Wanted) -> str:
    kind, text = wanted.kind, ""
    if kind == "multiple_choice" or (wanted.has_options and kind in {"exact", "normalised", "contains"}):
        text = task.say(_LETTER)
    elif kind == "label" or (kind in {"exact", "normalised"} and wanted.labels):
        text = task.say(_ONE_OF, labels=task.say(", ").join(wanted.labels)) if wanted.labels else ""
    elif kind in _OF_METRIC:
        text = task.say(_OF_METRIC[kind])
    if wanted.tag:
        return task.join(task.say(_TAGGED, tags=_tags(task, wanted)), text)
    if text:
        return text
    return task.say(_DUTIES, duties=wanted.duties) if wanted.duties else ""


def _steps(task: Task, wanted: Wanted) -> str:
    if wanted.most_tokens is not None and wanted.most_tokens < _ROOM_FOR_STEPS:
        return ""
    if wanted.tag:
        return task.say(_STEPS_TAGGED, tags=_tags(task, wanted))
    if not wanted.kind:
        return task.say(_PLAN)
    return task.say(_STEPS) if wanted.kind in _REASONED else ""


def _role(task: Task, wanted: Wanted) -> str:
    duties = " ".join(wanted.duties.replace("- ", "").split())
    if wanted.kind or not duties:
        return task.say(_ROLE)
    return task.say(_EXPERT, duties=duties)


def _example(task: Task, wanted: Wanted) -> str:
    """One solved row: the middle one by length, so that it is neither trivial nor long."""
    solved = [row for row in wanted.rows if can_be_shown(row)]
    if not wanted.metric or not solved:
        return ""
    row = sorted(solved, key=lambda one: (len(_shown(one)), _shown(one)))[(len(solved) - 1) // 2]
    answer = row.references[0]
    answer = f"<{wanted.tag}>{answer}</{wanted.tag}>" if wanted.tag else answer
    return task.say(_SOLVED, question=_shown(row), answer=answer)


def _tags(task: Task, wanted: Wanted) -> str:
    return task.say("<{tag}> and </{tag}>", tag=wanted.tag)


def can_be_shown(row: Row) -> bool:
    """Whether a row can stand in a prompt as a solved example."""
    return (
        bool(row.references)
        and not (row.is_conversation or row.files)
        and len(_shown(row)) + len(row.references[0]) <= _LONGEST_EXAMPLE
    )


def _shown(row: Row) -> str:
    return "\n".join([user(row.question).content, *(f"{name}: {text}" for name, text in row.slots.items())])
