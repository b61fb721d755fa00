"""Answers with a known worth: copies that are damaged in ways that any judge should see."""

import random
from collections.abc import Sequence
from typing import Final, Literal, get_args

Damage = Literal["truncated", "shuffled", "off_topic", "wrong_format"]
DAMAGES: Final[tuple[Damage, ...]] = get_args(Damage)


def damaged(answers: Sequence[str], kind: Damage, seed: int) -> list[str] | None:
    """The same answers, each damaged in one way.

    Args:
        answers: One a question.
        kind: `truncated` keeps the first third of the words; `shuffled` has all of them in another order;
            `off_topic` has the answer to the next question; `wrong_format` has one word a line, numbered.
        seed: What words are shuffled with.

    Returns:
        The copies, or None when one of them would be no different from its answer.
    """
    match kind:
        case "truncated":
            copies = [_truncated(answer) for answer in answers]
        case "shuffled":
            chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
            copies = [_shuffled(answer, chance) for answer in answers]
        case "off_topic":
            copies = [*answers[1:], *answers[:1]]
        case "wrong_format":
            copies = [_listed(answer) for answer in answers]
    same = any(_plain(copy) == _plain(answer) for copy, answer in zip(copies, answers, strict=True))
    return None if same else copies


def _truncated(answer: str) -> str:
    parts, glue = _parts(answer)
    return glue.join(parts[: max(1, len(parts) // 3)])


def _shuffled(answer: str, chance: random.Random) -> str:
    parts, glue = _parts(answer)
    if len(set(parts)) < 2:
        return answer
    mixed = list(parts)
    while mixed == parts:
        chance.shuffle(mixed)
    return glue.join(mixed)


def _listed(answer: str) -> str:
    parts, _ = _parts(answer)
    return "\n".join(f"{number}. {part}" for number, part in enumerate(parts, 1))


def _parts(answer: str) -> tuple[list[str], str]:
    """Words; or characters, where there is one word alone, as in languages without spaces."""
    words = answer.split()
    return (words, " ") if len(words) > 1 else (list(answer.strip()), "")


def _plain(text: str) -> str:
    return " ".join(text.split())
