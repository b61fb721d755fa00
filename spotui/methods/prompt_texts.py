"""What several methods put into their questions: rows, scores, and what a prompt must keep."""

from typing import Final

from spotui.dataset import Row, braced
from spotui.engine import Engine
from spotui.tags import quote_tags

FENCES: Final = (
    *("analyse", "modification", "prompt", "current_prompt", "past_prompts", "past_reflections", "summary"),
    *("reflection", "examples", "failures", "failure", "latest", "task", "criteria", "gradients"),
)
"""Tags of the meta-prompts: in texts from outside they must not look like tags."""

CHARACTERS_SHOWN: Final = 1500
"""Of one input or output of a row; a whole document would leave no room for the others."""


def fenced(text: str) -> str:
    """A text from outside, in which nothing looks like a tag."""
    return quote_tags(text, FENCES)


def shown(text: str) -> str:
    """A text of a row, fenced and cut where it is long."""
    return fenced(text if len(text) <= CHARACTERS_SHOWN else f"{text[:CHARACTERS_SHOWN]} […]")


def shown_input(row: Row) -> str:
    """What a row asks, without any prompt."""
    return shown("\n".join([row.question, *(f"{name}: {text}" for name, text in row.slots.items())]).strip())


def shown_references(row: Row) -> str:
    """What a row expects."""
    return shown(" | ".join(row.references)) or "not known"


def points(score: float) -> str:
    """A score as it is shown: of 100."""
    return f"{100 * score:.1f}".removesuffix(".0")


def rules(engine: Engine) -> list[str]:
    """What every new prompt of a run has to keep to, a sentence each."""
    sentences = []
    if engine.task.word_limit is not None:
        sentences.append(f"It may have at most {engine.task.word_limit} words.")
    if slots := engine.task.slots:
        sentences.append(
            f"It must hold {braced(sorted(slots))} exactly so: each stands for a part of the input."
        )
    return sentences
