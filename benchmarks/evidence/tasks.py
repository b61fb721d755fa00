"""The tasks, and the methods that compete on them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

LONGEST_ANSWER: Final = 96
CALLS: Final = 300
SEEDS: Final = (0, 1)
ROWS: Final = {"train": 24, "eval": 24, "test": 60}
SEED_PROMPT: Final = "Answer the question."
PROBES: Final = "probes"
"""The best of the probes alone, without any method."""


class Models(NamedTuple):
    """The models of every run; the writer is optimizer and evaluator.

    Attributes:
        executor: Answers the rows.
        writer: Proposes prompts and judges.
        has_grammar: Whether replies in a form are bound to it; embedded models always are.
    """

    executor: str = "local/qwen2.5-coder-0.5b"
    writer: str = "local/qwen2.5-coder-1.5b"
    has_grammar: bool = True


class Exercise(NamedTuple):
    """One task: its file of rows, its metric, what a good answer is like, and what guessing reaches."""

    file: str
    metric: str
    requirements: str
    chance: float


class Entrant(NamedTuple):
    """One method, told what fits into so many calls.

    Attributes:
        name: Its name in tables.
        method: The method.
        parameters: Its parameters, over its defaults.
        from_probes: Whether it begins with the probes that beat the seed; their calls count as its calls.
    """

    name: str
    method: str
    parameters: Mapping[str, Any] = {}
    from_probes: bool = False


CANDIDATES: Final = {
    "navigate": Exercise(
        "bbh_navigate.jsonl", "yes_no", "Yes if the steps lead back to the starting point, otherwise No.", 0.5
    ),
    "sports understanding": Exercise(
        "bbh_sports_understanding.jsonl", "yes_no", "Whether the sentence is plausible: yes or no.", 0.5
    ),
    "boolean expressions": Exercise(
        "bbh_boolean_expressions.jsonl", "yes_no", "The value of the expression, True or False.", 0.5
    ),
    "object counting": Exercise(
        "bbh_object_counting.jsonl", "number", "How many objects of the kind there are, as a number.", 0.0
    ),
    "disambiguation": Exercise(
        "bbh_disambiguation_qa.jsonl", "multiple_choice", "The letter of the option that is right.", 1 / 3
    ),
    "formal fallacies": Exercise(
        "bbh_formal_fallacies.jsonl", "label", "valid if the argument is valid, otherwise invalid.", 0.5
    ),
    "temporal sequences": Exercise(
        "bbh_temporal_sequences.jsonl", "multiple_choice", "The letter of the option that is right.", 0.25
    ),
    "movie recommendation": Exercise(
        "bbh_movie_recommendation.jsonl", "multiple_choice", "The letter of the option that is right.", 0.25
    ),
    "ruin names": Exercise(
        "bbh_ruin_names.jsonl", "multiple_choice", "The letter of the option that is right.", 0.25
    ),
    "coloured objects": Exercise(
        "bbh_reasoning_about_colored_objects.jsonl",
        "multiple_choice",
        "The letter of the option that is right.",
        1 / 18,
    ),
}
"""Tasks of BIG-Bench Hard whose answers are short enough for two cores."""

TASKS: Final = 4
"""How many of them the methods compete on: those whose best probe gains most, whatever the methods find."""

_GPO: Final = {"max_steps": 6, "candidates_per_step": 4}
_FEWSHOT: Final = {"iterations": 6, "answers": "both"}

ENTRANTS: Final = (
    Entrant("spo", "spo"),
    Entrant("gpo", "gpo", _GPO),
    Entrant("gpo, from probes", "gpo", _GPO, from_probes=True),
    Entrant("gradsum", "gradsum", {"iterations": 6, "train_rows": 12, "subset_rows": 12}),
    Entrant("gepa", "gepa", {"iterations": 30}),
    Entrant("fewshot", "fewshot", _FEWSHOT),
    Entrant("fewshot, from probes", "fewshot", _FEWSHOT, from_probes=True),
    Entrant("dspy-miprov2", "dspy-miprov2"),
    Entrant("dspy-gepa", "dspy-gepa"),
)


def template_of(rows: Path, work: Path, task: str) -> str:
    """A task as a template; its rows are copied, without the few whose answer is none of their options."""
    exercise = CANDIDATES[task]
    lines = (rows / exercise.file).read_text(encoding="utf-8").splitlines(keepends=True)
    copy = work / "rows" / exercise.file
    copy.parent.mkdir(parents=True, exist_ok=True)
    if not copy.exists():
        usable = [line for line in lines if _is_usable(json.loads(line), exercise)]
        copy.write_text("".join(usable), encoding="utf-8")
    split = ", ".join(f"{name}: {size}" for name, size in ROWS.items())
    return (
        f"prompt: {SEED_PROMPT}\nrequirements: |\n  {exercise.requirements}\nposition: before_question\n"
        f"data:\n  path: {copy}\n  split: {{{split}}}\n"
        f"metric: {exercise.metric}\n"
    )


def _is_usable(row: Mapping[str, str], exercise: Exercise) -> bool:
    return exercise.metric != "multiple_choice" or re.fullmatch(r"\([A-Z]\)", row["answer"]) is not None
