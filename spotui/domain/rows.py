"""Rows, their splits, and the slots in which a prompt shows a part of a row."""

import random
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from spotui.domain.messages import Attachment, Message, transcript
from spotui.lang import _

_SLOT: Final = re.compile(
    r"\\[A-Za-z]{2,}\*?(?:\[[^\]{}]*\])?(?:\{[^{}]*\})+"  # LaTeX, e.g. \boxed{answer} and \frac{a}{b}
    r"|\^\{[^{}]*\}"
    r"|(?<![{$])\{(?P<name>[^\W\d]\w*)\}"
)


def slot_names(prompt: str) -> frozenset[str]:
    """The names of all slots in a prompt."""
    return frozenset(slot["name"] for slot in _SLOT.finditer(prompt) if slot["name"])


def slot_fault(seed: str, slots: Collection[str], prompt: str) -> str:
    """The fault of a prompt's slots, one sentence; empty when it has those of the seed and no other.

    Args:
        seed: The prompt that the run began with.
        slots: Those of its slots that a row fills.
        prompt: The prompt to check.
    """
    found = slot_names(prompt)
    if lost := sorted(set(slots) - found):
        return _("Its prompt has lost {braced}, which must stay as it is written.", braced=braced(lost))
    if invented := sorted(found - slot_names(seed)):
        return _("Its prompt has {braced}, which nothing fills.", braced=braced(invented))
    return ""


def braced(names: Iterable[str]) -> str:
    """The slots of these names as a prompt has them."""
    return ", ".join(f"{{{name}}}" for name in names)


def fill(prompt: str, values: Mapping[str, str]) -> str:
    """The prompt with its slots filled; what looks like a slot in a value is text.

    Args:
        prompt: With slots, each as often as it likes.
        values: What to put in; a slot without a value stays as it is.
    """
    return _SLOT.sub(lambda slot: values.get(slot["name"] or "", slot[0]), prompt)


class Lookalike(NamedTuple):
    """A part of a prompt that looks like a slot of another tool, and is text here.

    Attributes:
        start: Where it begins.
        text: The part itself.
        name: The name in it; empty where it is a statement of a template language.
    """

    start: int
    text: str
    name: str


def lookalikes(prompt: str, columns: Collection[str] = ()) -> Iterator[Lookalike]:
    """The parts of a prompt that were probably meant as slots.

    Double braces and statements can hardly be anything else. `$name`, `<name>` and `[name]` often are, so
    they count only with a name that a row is likely to have, and `<name>` only where no tag closes it. Beside
    a slot of the same name they are text on purpose.

    Args:
        prompt: The prompt.
        columns: Further names that rows have.
    """
    slots = slot_names(prompt)
    likely = {*_LIKELY, *(name.casefold() for name in columns)}
    for found in _LOOKALIKE.finditer(prompt):
        name = next((one for one in found.groups() if one), "")
        is_certain = found.lastgroup in ("double", "python") or not name
        is_tag = found.lastgroup == "tag" and f"</{name}>" in prompt
        if name not in slots and not is_tag and (is_certain or name.casefold() in likely):
            yield Lookalike(found.start(), found[0], name)


_LIKELY: Final = frozenset(
    ("question", "input", "query", "context", "text", "passage", "document", "sentence", "user_input")
)
_LOOKALIKE: Final = re.compile(
    r"\{%.*?%\}"
    r"|\{\{\s*(?P<double>[^\W\d][\w.]*)(?:\s*\|[^{}]*)?\s*\}\}"
    r"|%\((?P<python>[^\W\d]\w*)\)[sd]"
    r"|\$\{?(?P<dollar>[^\W\d]\w*)\}?"
    r"|<(?P<tag>[^\W\d]\w*)>"
    r"|\[\[?(?P<bracket>[^\W\d]\w*)\]\]?"
    r"|(?<!\{)\{[ \t]*(?P<spaced>[^\W\d]\w*)(?:[ \t]+|[.!][\w.]*)\}"
    r"|(?<!\{)\{[ \t]+(?P<indented>[^\W\d]\w*)\}"
    r"|｛\s*(?P<wide>[^\W\d]\w*)\s*｝",
    re.DOTALL,
)


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A row.

    Attributes:
        question: What is asked; empty where a prompt's slots hold all there is.
        references: The answers that are right, none when nothing is expected.
        slots: Texts that stand in for `{name}` in a prompt, by name, without the question.
        history: The turns before the question, in a conversation.
        turns: What the user says after the answer, one after another; each is answered in its turn.
        files: Images and other files that are sent with the question.
        file: Where it came from, as the template names it.
        line: Where it begins in there, counted from 1; the position among the questions for a template's own.
    """

    question: str
    references: tuple[str, ...] = ()
    slots: dict[str, str] = {}
    file: str = ""
    line: int = 0
    history: tuple[Message, ...] = ()
    turns: tuple[str, ...] = ()
    files: tuple[Attachment, ...] = ()

    @property
    def where(self) -> str:
        """Where it came from, for a person."""
        return f"{self.file}, line {self.line}"

    @property
    def values(self) -> dict[str, str]:
        """What a prompt may show of the row; the answer is never among it."""
        return {**self.slots, "question": self.question}

    @property
    def is_conversation(self) -> bool:
        """Whether there is more to it than one question and its answer."""
        return bool(self.history or self.turns)

    @property
    def asked(self) -> str:
        """The question as judge, optimizer and people read it: with its files and the turns before it."""
        if not self.history:
            return Message("user", self.question, self.files).shown
        return transcript([*self.history, Message("user", self.question, self.files)])

    @property
    def last_turn(self) -> str:
        """What the user says last."""
        return self.turns[-1] if self.turns else Message("user", self.question, self.files).shown

    @property
    def identity(self) -> bytes:
        """Equal for rows that show a model the same, whatever their case and white space."""
        from hashlib import blake2b  # OpenSSL, which Home need not load

        shown = [normalise(self.question)]
        shown += [f"{name}\0{normalise(text)}" for name, text in sorted(self.slots.items())]
        shown += [f"{one.role}\0{normalise(one.shown)}" for one in self.history]
        shown += [f"\0\0{normalise(text)}" for text in self.turns]
        shown += [f"\0\0\0{one.url or one.sha256}" for one in self.files]
        return blake2b("\1".join(shown).encode("utf-8", "replace"), digest_size=16).digest()

    def ask(self, prompt: str) -> str:
        """The prompt with its slots filled; the question follows it unless a slot has shown it.

        Runs before the fifth edition asked like this, whatever is at the ends of the text.
        """
        filled = fill(prompt, self.values)
        if not self.question or "question" in slot_names(prompt):
            return filled
        return f"{filled}\n\n{self.question}" if filled else self.question


def normalise(text: str) -> str:
    """The text without differences of case, white space and how accents are stored.

    Digits and signs stay apart: an exponent is not folded into a digit.
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


SplitName = Literal["train", "eval", "test"]
SPLITS: Final[tuple[SplitName, ...]] = get_args(SplitName)
"""Uses of rows: writing prompts, choosing among them, and the test that no choice has seen."""

SPLIT_NAMES: Final[dict[str, SplitName]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("eval", "validation", "valid", "val", "dev", "development"), "eval"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The names that others give to the splits."""

USUAL: Final[Mapping[SplitName, float]] = {"train": 0.2, "eval": 0.2, "test": 0.6}
"""The proportions of GPO's tasks (48, 48 and 144 rows of 240)."""

FEW: Final = 10
"""Fewer rows are shared out equally: SPO asks three questions in a round, and would have one."""


class TooFewRowsError(Exception):
    """There are fewer rows than the splits take.

    Args:
        wanted: How many they take.
    """

    def __init__(self, wanted: int) -> None:
        super().__init__(f"{wanted} rows are wanted")
        self.wanted = wanted


def draw(
    count: int,
    splits: Sequence[SplitName],
    sizes: Mapping[SplitName, int | float],
    *,
    limit: int | None,
    seed: int,
) -> dict[SplitName, list[int]]:
    """Draw the rows of each split; no row is in two.

    Args:
        count: Rows there are.
        splits: The splits to draw.
        sizes: Rows or shares of each, as `DataSource.split`; empty for the usual proportions.
        limit: Rows to use at most, or None.
        seed: The run's.

    Returns:
        The positions of each split's rows, in the order of the file.

    Raises:
        TooFewRowsError: There are fewer than the splits take.
    """
    order = list(range(count))
    random.Random(f"{seed}/split").shuffle(order)  # noqa: S311 - reproducible on purpose
    order = order[: count if limit is None else limit]
    drawn: dict[SplitName, list[int]] = {}
    for name, size in _sizes(len(order), splits, sizes).items():
        drawn[name] = sorted(order[:size])
        order = order[size:]
    return drawn


def _sizes(
    count: int, splits: Sequence[SplitName], wanted: Mapping[SplitName, int | float]
) -> dict[SplitName, int]:
    """How many of `count` rows each split gets.

    Raises:
        TooFewRowsError: There are fewer than they take.
    """
    if not wanted:
        usual = sum(USUAL[name] for name in splits)
        wanted = {name: 1 / len(splits) if count < FEW else USUAL[name] / usual for name in splits}
    if any(isinstance(size, float) for size in wanted.values()):
        found = _shared(count, wanted)
    else:
        found = {name: int(size) for name, size in wanted.items()}
    if sum(found.values()) > count:
        raise TooFewRowsError(sum(found.values()))
    if "test" in splits and "test" not in found:
        found["test"] = count - sum(found.values())
    return found


def _shared(count: int, shares: Mapping[SplitName, int | float]) -> dict[SplitName, int]:
    """Whole rows for shares, by largest remainder; each split with a share gets at least one."""
    found = {name: int(count * share) for name, share in shares.items()}
    left = round(count * sum(shares.values())) - sum(found.values())
    for name in sorted(shares, key=lambda name: found[name] - count * shares[name])[:left]:
        found[name] += 1
    for name in [name for name, share in shares.items() if share and not found[name]]:
        largest = max(found, key=lambda name: found[name])
        found[largest] -= found[largest] > 1
        found[name] = 1
    return found
