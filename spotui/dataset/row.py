"""One row: what is asked, what is expected, and what else a prompt may show of it."""

import unicodedata
from hashlib import blake2b

import msgspec

from spotui.dataset.slots import fill, slot_names


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A row.

    Attributes:
        question: What is asked; empty where a prompt's slots hold all there is.
        references: The answers that are right, none when nothing is expected.
        slots: Texts that stand in for `{name}` in a prompt, by name, without the question.
        file: Where it came from, as the template names it.
        line: Where it begins in there, counted from 1; the position among the questions for a template's own.
    """

    question: str
    references: tuple[str, ...] = ()
    slots: dict[str, str] = {}
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where it came from, for a person."""
        return f"{self.file}, line {self.line}"

    @property
    def values(self) -> dict[str, str]:
        """What a prompt may show of the row; the answer is never among it."""
        return {**self.slots, "question": self.question}

    @property
    def identity(self) -> bytes:
        """Equal for rows that show a model the same, whatever their case and white space."""
        shown = [normalise(self.question)]
        shown += [f"{name}\0{normalise(text)}" for name, text in sorted(self.slots.items())]
        return blake2b("\1".join(shown).encode("utf-8", "replace"), digest_size=16).digest()

    def ask(self, prompt: str) -> str:
        """The prompt with its slots filled; the question follows it unless a slot has shown it."""
        filled = fill(prompt, self.values)
        if not self.question or "question" in slot_names(prompt):
            return filled
        return f"{filled}\n\n{self.question}" if filled else self.question


def normalise(text: str) -> str:
    """The text without differences of case, white space and how accents are stored.

    Digits and signs stay apart: an exponent is not folded into a digit.
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
