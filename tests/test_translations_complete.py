"""Every language that ships with spotui has every sentence, and none that is not used any more."""

import pytest
from babel.messages.pofile import read_po

from tests.command_line import ROOT

FOLDER = ROOT / "spotui" / "lang"
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.po"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_without_a_text_and_none_is_unused(language: str) -> None:
    with (FOLDER / "spotui.pot").open("rb") as file:
        wanted = {entry.id for entry in read_po(file) if entry.id}
    with (FOLDER / f"{language}.po").open("rb") as file:
        found = {entry.id: entry.string for entry in read_po(file) if entry.id}

    missing = [one for one in wanted if not all(_forms(found.get(one, "")))]
    assert missing == [], "translate them, and run: python .ci/language"
    assert [one for one in found if one not in wanted] == [], "run: python .ci/language"


def test_words_that_are_made_of_names_are_in_the_catalogue() -> None:
    """Labels of settings, groups and descriptions of keys: no call of the translator has them as literals."""
    from spotui.settings.table import SETTINGS, Group
    from spotui.tui.bindings import group_of, own_bindings, widget_types

    with (FOLDER / "spotui.pot").open("rb") as file:
        listed = {_forms(entry.id)[0] for entry in read_po(file)}
    bindings = [binding for kind in widget_types() for binding in own_bindings(kind)]
    shown = {binding.description for binding in bindings} | {group_of(binding) for binding in bindings}
    shown |= {setting.label for setting in SETTINGS} | {setting.help for setting in SETTINGS} | {*Group}
    assert sorted(shown - listed - {""}) == []


def _forms(texts: object) -> tuple[str, ...]:
    return tuple(texts) if isinstance(texts, tuple | list) else (str(texts),)
