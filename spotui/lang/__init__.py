"""The catalogue of sentences: every text a person reads, whole, in English or translated.

`spotui.pot` beside this module lists them; `.ci/sentences` renews it. English needs no file. Another language
is a catalogue in this folder: `zh_CN.po`, which people edit, and `zh_CN.mo`, made of it by `.ci/language`.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from spotui.lang.catalogue import Catalogue

VARIABLE: Final = "SPOTUI_LANG"
"""A language such as zh_CN, or the path of a compiled catalogue; the system's locale where it is not set."""

SHOWN: Final = "SPOTUI_JSON_IS_SHOWN"
"""Set for a command whose lines of JSON the app shows: their sentences are in the user's language."""

ENGLISH: Final = "en"
"""The language that needs no catalogue."""

_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_ENGLISH: Final = ("", "C", "POSIX", ENGLISH)
_FULL_WIDTH: Final = "，。！？：；、）」』…"
"""Marks that no space follows."""

_DEPTH: Final = 4
"""Sentences in values of sentences, at most."""

_COMPILED: Final = ".mo"
_PLAIN_SLOT: Final = r"\{\{|\}\}|\{\w+(?:![rs])?(?::[<>^]?[+]?0?\d{0,2},?(?:\.\d)?[A-Za-z%]?)?\}"


class _Chosen:
    """The language that the user has chosen for this process; empty for that of the environment."""

    name = ""


_chosen: Final = _Chosen()


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

    def render(self, catalogue: "Catalogue | None") -> str:
        """The sentence in the language of a catalogue; in English where it has no usable translation."""
        english = self.plural if self.plural and self.number != 1 else self.code
        if catalogue is None:
            return self._fill(english)
        translated = (
            catalogue.plural(self.code, self.plural, self.number)
            if self.plural
            else catalogue.text(self.code)
        )
        if self.values is not None and not _shows_all(translated, self.code, self.plural):
            return self._fill(english)
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

    def received(self, depth: int = 0) -> "Message":
        """This sentence as another process sent it, with values that are sentences made such again.

        Raises:
            ValueError: Its slots do more than show values, or sentences hold others too deep.
        """
        if not all(isinstance(text, str) for text in (self.code, self.plural)):
            raise ValueError("this is not a sentence")
        if not self.is_plain or depth > _DEPTH:
            raise ValueError("this is not a sentence of a catalogue")
        values = self.values and {
            key: Sentence.of(Message(*one).received(depth + 1) for one in value)
            if isinstance(value, list | tuple)
            else value
            for key, value in self.values.items()
        }
        return self._replace(values=values)

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
        catalogue = _catalogue()
        texts = [one.render(catalogue) for one in whole]
        sentence = cls(texts[0] if len(texts) == 1 else spaced(texts))
        sentence.messages = whole
        return sentence

    @classmethod
    def received(cls, messages: Iterable[Message], text: str) -> str:
        """Sentences that another process sent; its own text where they are no sentences of a catalogue."""
        try:
            return cls.of(one.received() for one in messages)
        except (LookupError, ValueError, TypeError):
            return text

    @property
    def coded(self) -> tuple[Message, ...]:
        """The codes, with values that JSON has; a value that is sentences has their codes."""
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


_NAME: Final = N_("English")
"""A catalogue has the name of its language here."""


def join(*texts: str) -> str:
    """Sentences behind each other, without the empty ones; codes and values stay with them."""
    messages = [one for text in texts if text for one in messages_of(text)]
    return Sentence.of(messages) if messages else ""


def spaced(texts: Iterable[str]) -> str:
    """Texts behind each other, with a space where the language of this process has one."""
    if _catalogue() is None:
        return " ".join(texts)
    whole = ""
    for text in texts:
        whole += text if not whole or whole[-1] in _FULL_WIDTH else f" {text}"
    return whole


def anew(text: str) -> str:
    """A text in the language that is used now, which may be another one than when it was made.

    Args:
        text: A sentence of the catalogue, or any other text, which stays as it is.
    """
    if not isinstance(text, Sentence):
        return text
    return Sentence.of(
        one._replace(
            values=one.values
            and {
                key: anew(value) if isinstance(value, Sentence) else value
                for key, value in one.values.items()
            }
        )
        for one in text.messages
    )


def messages_of(text: str) -> tuple[Message, ...]:
    """The sentences of a text; a text that is not of the catalogue is a value."""
    return text.messages if isinstance(text, Sentence) else (Message("{text}", {"text": text}),)


def english(value: Any) -> Any:
    """A value for files and scripts: a sentence as plain English, everything else as it is."""
    return value.english if isinstance(value, Sentence) else value


def _json(value: object) -> object:
    if isinstance(value, Sentence):
        return value.coded
    return value if isinstance(value, str | int | float | None) else str(value)


def as_english(value: object) -> str:
    """The English text of a sentence: the hook of encoders that write files and lines for scripts.

    Raises:
        TypeError: It is something else that the encoder does not know.
    """
    if isinstance(value, Sentence):
        return value.english
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


def as_asked(value: object) -> str:
    """The hook of encoders that print lines: English for scripts, and as it is shown for the app's screens.

    Raises:
        TypeError: It is something else that the encoder does not know.
    """
    text = as_english(value)
    return str.__str__(value) if isinstance(value, str) and os.environ.get(SHOWN) else text


def current_catalogue() -> "Catalogue | None":
    """The catalogue of the language of this process; None for English."""
    return _catalogue()


def current_language() -> str:
    """The language of this process, as `languages` names it."""
    catalogue = _catalogue()
    return ENGLISH if catalogue is None else catalogue.name


def use(language: str = "") -> None:
    """Show everything in a language from now on.

    Args:
        language: One of `languages()`, or the path of a compiled catalogue; empty for the one that the
            environment names, which `SPOTUI_LANG` does in any case.
    """
    _chosen.name = language
    _catalogue.cache_clear()


def languages() -> list[str]:
    """The languages that there are, English first."""
    return [ENGLISH, *_catalogues()]


def is_language(name: str) -> bool:
    """Whether there is a language of this name, or a compiled catalogue at this path."""
    if name.endswith(_COMPILED):
        return _read(name) is not None
    locale = name.partition(".")[0]
    return locale.partition("_")[0] == ENGLISH or bool(_file_of(locale))


def name_of(language: str) -> str:
    """What a language is called in itself: 简体中文."""
    catalogue = None if language == ENGLISH else _read(_catalogues().get(language, language))
    return Message(_NAME).render(catalogue)


@cache
def _catalogue() -> "Catalogue | None":
    """The catalogue of the language of this process; None for English and for languages without one."""
    locale = next(filter(None, map(os.environ.get, _LOCALES)), "")
    wanted = [os.environ.get(VARIABLE) or _chosen.name or locale]
    if wanted == [locale] and locale.partition(".")[0] not in ("", "C", "POSIX"):
        # A list of languages in the order of the user's preference, as GNU's gettext has it.
        wanted = [*filter(None, os.environ.get("LANGUAGE", "").split(":")), locale]
    for chosen in wanted:
        if chosen.endswith(_COMPILED):
            return _read(chosen)
        name = chosen.partition(".")[0].partition("@")[0]
        if name.partition("_")[0] in _ENGLISH:
            return None
        if (file := _file_of(name)) and (found := _read(file)) is not None:
            return found
    return None


def _file_of(locale: str) -> str:
    """The catalogue of a locale, or another one of its language; empty when there is none."""
    there = _catalogues()
    language = locale.replace("-", "_").partition("_")[0]
    for name in (locale.replace("-", "_"), language):
        if name in there:
            return there[name]
    return next((there[name] for name in there if name.partition("_")[0] == language), "")


def _catalogues() -> dict[str, str]:
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib costs start-up time
    names = sorted(os.listdir(folder))  # noqa: PTH208
    return {name.removesuffix(_COMPILED): f"{folder}/{name}" for name in names if name.endswith(_COMPILED)}


@lru_cache(maxsize=4096)
def _shows_all(translated: str, singular: str, plural: str) -> bool:
    """Whether a translation shows every value that the English sentence shows."""
    try:
        return _slots(translated) >= (_slots(singular) & _slots(plural) if plural else _slots(singular))
    except ValueError:
        return False


def _slots(text: str) -> set[str]:
    from string import Formatter

    return {name for _literal, name, _format, _conversion in Formatter().parse(text) if name is not None}


def _read(path: str) -> "Catalogue | None":
    from spotui.lang.catalogue import read_catalogue

    return read_catalogue(path)
