"""The pieces of text that the code itself puts into the slots of meta-prompts, in the template's language.

A piece is written in English where it is used. `meta_prompts/pieces.LANGUAGE.json` has it in another one, by
its English text. It is no part of the catalogue of sentences: a run is found in its journal by what it asked,
so a piece must not change when a translation for people does, and its language is that of the template,
whatever language the app is used in.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import json

from spotui.lang import Sentence, english

_FOLDER: Final = Path(__file__).with_name("meta_prompts")
_WITHOUT_SPACES: Final = ("ja", "zh")


def say(language: str, piece: str, /, **values: object) -> str:
    """A piece in a language, in English where it has none in that.

    Args:
        language: For example `zh`; empty for English.
        piece: In English, with a slot for each value.
        values: A value for each slot. A sentence for people is said in the language, too; any other text is
            what somebody wrote, and stays as it is.
    """
    text = _pieces(language).get(piece, piece)
    if not values:
        return text
    return text.format(**{name: _value(language, value) for name, value in values.items()})


def in_words(language: str, text: str) -> str:
    """A sentence for people as a model reads it: in the language where that has its pieces, else in English.

    Args:
        language: As in `say`.
        text: A sentence; any other text stays as it is.
    """
    if not isinstance(text, Sentence):
        return text
    if not language:
        return text.english
    codes = ((one.plural if one.plural and one.number != 1 else one.code, one) for one in text.messages)
    return joined(language, (say(language, code, **(one.values or {})) for code, one in codes))


def joined(language: str, texts: Iterable[str]) -> str:
    """Sentences behind each other, with a space between them where the language has one.

    Args:
        language: As in `say`.
        texts: The sentences; empty ones are left out.
    """
    return ("" if language in _WITHOUT_SPACES else " ").join(filter(None, texts))


def _value(language: str, value: object) -> object:
    if isinstance(value, Sentence):
        return in_words(language, value) if language else english(value)
    return value


@cache
def _pieces(language: str) -> Mapping[str, str]:
    file = _FOLDER / f"pieces.{language}.json"
    return json.decode(file.read_bytes(), type=dict[str, str]) if language and file.exists() else {}
