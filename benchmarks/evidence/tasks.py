"""The tasks, and the methods that compete on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

EXECUTOR: Final = "local/qwen2.5-coder-0.5b"
WRITER: Final = "local/qwen2.5-coder-1.5b"
LONGEST_ANSWER: Final = 96
CALLS: Final = 300
SEEDS: Final = (0, 1)
ROWS: Final = {"train": 24, "eval": 24, "test": 60}
SEED_PROMPT: Final = "Answer the question."
PROBES: Final = "probes"
"""The best of the probes alone, without any method."""


class Exercise(NamedTuple):
    """One task: its file of rows, its metric, what a good answer is like, and what guessing reaches."""

    file: str
    metric: str
    requirements: str
    chance: float


class Entrant(NamedTuple):
    """One method, told what fits into so many calls."""

    name: str
    method: str
    parameters: Mapping[str, Any] = {}


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
    "coloured objects": Exercise(
        "bbh_reasoning_about_colored_objects.jsonl",
        "multiple_choice",
        "The letter of the option that is right.",
        1 / 18,
    ),
}
"""Tasks of BIG-Bench Hard whose answers are short enough for two cores, and all of them usable."""

TASKS: Final = 4
"""How many of them the methods compete on: those whose best probe gains most, whatever the methods find."""

ENTRANTS: Final = (
    Entrant("spo", "spo"),
    Entrant("gpo", "gpo", {"max_steps": 6, "candidates_per_step": 4}),
    Entrant("gradsum", "gradsum", {"iterations": 6, "train_rows": 12, "subset_rows": 12}),
    Entrant("gepa", "gepa", {"iterations": 30}),
    Entrant("fewshot", "fewshot", {"iterations": 6, "answers": "both"}),
    Entrant("dspy-miprov2", "dspy-miprov2"),
    Entrant("dspy-gepa", "dspy-gepa"),
)


def template_of(rows: Path, task: str) -> str:
    """A task as a template."""
    exercise = CANDIDATES[task]
    split = ", ".join(f"{name}: {size}" for name, size in ROWS.items())
    return (
        f"prompt: {SEED_PROMPT}\nrequirements: |\n  {exercise.requirements}\nposition: before_question\n"
        f"data:\n  path: {rows / exercise.file}\n  split: {{{split}}}\n"
        f"metric: {exercise.metric}\n"
    )
