"""The catalogues that ship with spotui: current, and with everything that the English sentences show."""

import gettext
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

from spotui.lang import languages
from spotui.lang.catalogue import read_catalogue
from tests.command_line import ROOT

FOLDER = ROOT / "spotui" / "lang"
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.po"))
SLOT = re.compile(r"\{\w*(?:![rs])?(?::[^{}]*)?\}|%(?:\(\w+\))?[srd]")
TYPED = re.compile(r"(?<![\w-])--[a-z][a-z-]+|SPOTUI_[A-Z_]+|\w+\.(?:yaml|jsonl?|txt)\b")
"""What a person types as it is in any language: flags, variables, names of files."""


@cache
def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def entries(language: str) -> list[Entry]:
    return [entry for entry in catalogue(FOLDER / f"{language}.po") if entry.id]


def forms(texts: object) -> tuple[str, ...]:
    return tuple(texts) if isinstance(texts, tuple | list) else (str(texts),)


def test_chinese_is_there() -> None:
    assert languages() == ["en", *LANGUAGES]
    assert "zh_CN" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_has_what_the_source_says(language: str) -> None:
    compiled = read_catalogue(str(FOLDER / f"{language}.mo"))
    assert compiled is not None
    with (FOLDER / f"{language}.mo").open("rb") as file:
        reference = gettext.GNUTranslations(file)

    for entry in entries(language):
        code, *plural = forms(entry.id)
        if not plural:
            assert compiled.text(code) == (entry.string or code), "run .ci/language"
            continue
        for number in (0, 1, 2, 5, 100):
            shown = compiled.plural(code, plural[0], number)
            assert shown == reference.ngettext(code, plural[0], number)
            assert not any(forms(entry.string)) or shown in forms(entry.string), "run .ci/language"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_show_the_same_values_and_keep_what_is_typed(language: str) -> None:
    number_of_forms = catalogue(FOLDER / f"{language}.po").num_plurals
    wrong = []
    for entry in entries(language):
        english = forms(entry.id)[-1]
        if not all(forms(entry.string)):
            continue
        if len(forms(entry.id)) > 1 and len(forms(entry.string)) != number_of_forms:
            wrong.append(english)
        for text in forms(entry.string):
            if sorted(SLOT.findall(text)) != sorted(SLOT.findall(english)):
                wrong.append(text)
            if set(TYPED.findall(english)) - set(TYPED.findall(text)):
                wrong.append(text)
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_begin_and_end_as_the_sentence_does(language: str) -> None:
    """Blanks and line ends are part of how sentences are put beside each other."""
    wrong = [
        text
        for entry in entries(language)
        for text in forms(entry.string)
        if text and indentation(text) != indentation(forms(entry.id)[-1])
    ]
    assert wrong == []


def indentation(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]
