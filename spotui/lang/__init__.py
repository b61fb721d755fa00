"""The catalogue of sentences: every text a person reads, whole, in English or translated.

`spotui.pot` beside this module lists them; `.ci/sentences` renews it. English needs no file. Another language
is a compiled catalogue in this folder, named like `zh_CN.mo`.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from gettext import GNUTranslations

VARIABLE: Final = "SPOTUI_LANG"
"""A language such as zh_CN, or the path of a compiled catalogue; the system's locale where it is not set."""

_VARIABLES: Final = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
_ENGLISH: Final = ("", "C", "POSIX", "en")
_PLAIN_SLOT: Final = r"\{\{|\}\}|\{\w+(?:![rs])?(?::[<>^]?[+]?0?\d{0,2},?(?:\.\d)?[A-Za-z%]?)?\}"


class Message(NamedTuple):
    """A sentence as a code and values.

    Attributes:
        code: The English sentence with its slots, as the catalogue has it.
        values: A value for each slot; None where the sentence has no slots.
        plural: The sentence for other numbers than 1, if it depends on one.
        number: That number.
    """

    code: str
    values: Mapping[str, Any] | None = None
    plural: str = ""
    number: int = 0

    def render(self, catalogue: "GNUTranslations | None") -> str:
        """The sentence in the language of a catalogue; in English where it has no usable translation."""
        english = self.plural if self.plural and self.number != 1 else self.code
        if catalogue is None:
            return self._fill(english)
        translated = (
            catalogue.ngettext(self.code, self.plural, self.number)
            if self.plural
            else catalogue.gettext(self.code)
        )
        try:
            return self._fill(translated)
        except (LookupError, ValueError, TypeError):
            return self._fill(english)

    @property
    def is_plain(self) -> bool:
        """Whether its slots only show values, in at most 99 characters more than they have."""
        if self.values is None:
            return True
        import re

        rest = re.sub(_PLAIN_SLOT, "", self.code + self.plural)
        return "{" not in rest and "}" not in rest

    @property
    def english(self) -> str:
        """The sentence in English, also where values are sentences."""
        values = self.values and {key: english(value) for key, value in self.values.items()}
        return self._replace(values=values).render(None)

    def _fill(self, text: str) -> str:
        return text if self.values is None else text.format_map(self.values)


class Sentence(str):
    """A text that keeps the codes and values of its sentences, so that it can be shown in any language."""

    __slots__ = ("messages",)
    messages: tuple[Message, ...]

    @classmethod
    def of(cls, messages: Iterable[Message]) -> "Sentence":
        """One or more sentences, separated by spaces, in the language of this process."""
        whole = tuple(messages)
        sentence = cls(" ".join(one.render(_catalogue()) for one in whole))
        sentence.messages = whole
        return sentence

    @classmethod
    def received(cls, messages: Iterable[Message], text: str) -> str:
        """Sentences that another process sent; its own text where they are no sentences of a catalogue."""
        try:
            whole = tuple(messages)
            return cls.of(whole) if all(one.is_plain for one in whole) else text
        except (LookupError, ValueError, TypeError):
            return text

    @property
    def coded(self) -> tuple[Message, ...]:
        """The codes, with values that JSON has."""
        return tuple(
            one._replace(values={key: _json(value) for key, value in (one.values or {}).items()} or None)
            for one in self.messages
        )

    def __str__(self) -> "Sentence":
        return self

    @property
    def english(self) -> str:
        """The text for files and scripts, as a plain string."""
        if _catalogue() is None:
            return str.__str__(self)
        return " ".join(one.english for one in self.messages)


def _(message: str, /, **values: object) -> str:
    """A sentence of the catalogue in the language of this process, a `Sentence`.

    Args:
        message: The English sentence, a literal, with named slots: "{path} has no rows."
        values: A value for each slot.
    """
    return Sentence.of((Message(message, values or None),))


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """A sentence that depends on a number, which its slot `{n}` shows.

    Args:
        singular: The English sentence for 1, a literal.
        plural: The English sentence for every other number, a literal.
        number: The number.
        values: A value for each other slot.
    """
    return Sentence.of((Message(singular, {"n": number, **values}, plural, number),))


def N_(message: str, /) -> str:  # noqa: N802 - gettext's name
    """Mark a sentence of a constant for the catalogue; `_` translates it where it is shown."""
    return message


def NN_(singular: str, plural: str, /) -> tuple[str, str]:  # noqa: N802 - as `N_`
    """Mark the two sentences of a constant that depends on a number; `ngettext(*both, number)` shows them."""
    return singular, plural


def join(*texts: str) -> str:
    """Sentences behind each other, without the empty ones; codes and values stay with them."""
    messages = [one for text in texts if text for one in messages_of(text)]
    return Sentence.of(messages) if messages else ""


def messages_of(text: str) -> tuple[Message, ...]:
    """The sentences of a text; a text that is not of the catalogue is a value."""
    return text.messages if isinstance(text, Sentence) else (Message("{text}", {"text": text}),)


def english(value: Any) -> Any:
    """A value for files and scripts: a sentence as plain English, everything else as it is."""
    return value.english if isinstance(value, Sentence) else value


def _json(value: object) -> object:
    return english(value) if isinstance(value, str | int | float | None) else str(value)


def as_english(value: object) -> str:
    """The English text of a sentence: the hook of encoders that write files and lines for scripts.

    Raises:
        TypeError: It is something else that the encoder does not know.
    """
    if isinstance(value, Sentence):
        return value.english
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


@cache
def _catalogue() -> "GNUTranslations | None":
    """The catalogue of the language of this process; None for English and for languages without one."""
    chosen = next(filter(None, map(os.environ.get, _VARIABLES)), "")
    if chosen.endswith(".mo"):
        return _read(chosen)
    locale = chosen.partition(".")[0].partition("@")[0]
    language = locale.partition("_")[0]
    if locale in _ENGLISH or language in _ENGLISH:
        return None
    folder = PurePath(__file__).parent
    return _read(str(folder / f"{locale}.mo")) or _read(str(folder / f"{language}.mo"))


def _read(path: str) -> "GNUTranslations | None":
    try:
        file = open(path, "rb")  # noqa: PTH123, SIM115 - pathlib costs start-up time
    except OSError:
        return None
    from gettext import GNUTranslations

    with file:
        try:
            return GNUTranslations(file)
        except (OSError, ValueError, LookupError):
            return None
