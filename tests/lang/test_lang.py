import os
from pathlib import Path

import pytest

from spotui import lang
from spotui.lang import Sentence, _, english, join, ngettext
from tests.lang.catalogues import write_catalogue


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_catalogue(
        tmp_path / "de.mo",
        {
            "No file.": "Keine Datei.",
            "{path} has no rows.": "Ohne Zeilen: {path}.",
            ("{path}: {n:,} row.", "{path}: {n:,} rows."): (
                "{n:,} Zeile: {path}.",
                "{n:,} Zeilen: {path}.",
            ),
            "The round {round} ended.": "Die Runde {runde} ist beendet.",
            "{name} has {n} rows.": "Es gibt {n} Zeilen.",
        },
    )
    monkeypatch.setenv("SPOTUI_LANG", str(path))


def test_a_sentence_is_its_english_text() -> None:
    assert _("{path} has no rows.", path="a.csv") == "a.csv has no rows."
    assert ngettext("{n:,} row.", "{n:,} rows.", 1) == "1 row."
    assert ngettext("{n:,} row.", "{n:,} rows.", 1200) == "1,200 rows."


def test_braces_in_values_and_in_sentences_without_values_stay() -> None:
    assert _("{path} has no rows.", path="{x}.csv") == "{x}.csv has no rows."
    assert _("Write {name} for the name.") == "Write {name} for the name."


@pytest.mark.usefixtures("german")
def test_a_catalogue_translates_sentences_and_plurals() -> None:
    assert _("{path} has no rows.", path="a.csv") == "Ohne Zeilen: a.csv."
    assert ngettext("{path}: {n:,} row.", "{path}: {n:,} rows.", 1, path="a") == "1 Zeile: a."
    assert ngettext("{path}: {n:,} row.", "{path}: {n:,} rows.", 3, path="a") == "3 Zeilen: a."


@pytest.mark.usefixtures("german")
def test_a_missing_translation_is_english_and_so_is_one_with_other_slots() -> None:
    assert _("Nothing like it.") == "Nothing like it."
    assert _("The round {round} ended.", round=3) == "The round 3 ended."
    assert _("{name} has {n} rows.", name="a", n=3) == "a has 3 rows."


@pytest.mark.usefixtures("german")
def test_a_translated_sentence_knows_its_english_text_code_and_values() -> None:
    sentence = _("{path} has no rows.", path=_("No file."))

    assert isinstance(sentence, Sentence)
    assert sentence == "Ohne Zeilen: Keine Datei.."
    assert sentence.english == "No file. has no rows."
    assert type(sentence.english) is str
    (message,) = sentence.messages
    assert message.code == "{path} has no rows."
    assert message.values == {"path": "Keine Datei."}


@pytest.mark.usefixtures("german")
def test_joined_sentences_keep_their_codes() -> None:
    whole = join(_("No file."), "", "(errno 2)")

    assert whole == "Keine Datei. (errno 2)"
    assert english(whole) == "No file. (errno 2)"
    assert isinstance(str(Exception(whole)), Sentence)
    assert join("", "") == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LANG", "C.UTF-8"), ("LC_ALL", "en_GB.UTF-8"), ("LANG", "xx_YY.UTF-8"), ("SPOTUI_LANG", "missing.mo")],
)
def test_without_a_catalogue_it_is_english(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert _("No file.") == "No file."


def test_a_damaged_catalogue_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de.mo").write_bytes(os.urandom(64))
    monkeypatch.setenv("SPOTUI_LANG", str(tmp_path / "de.mo"))
    assert _("No file.") == "No file."


def test_the_locale_chooses_a_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalogue(tmp_path / "de.mo", {"No file.": "Keine Datei."})
    monkeypatch.setattr(lang, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setenv("LANG", "de_AT.UTF-8")
    assert _("No file.") == "Keine Datei."


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "提示词"),
        ({"LANG": "zh_SG"}, "提示词"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "xx:zh_CN:en"}, "提示词"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh_CN"}, "Prompt"),
        ({"LC_ALL": "C", "LANGUAGE": "zh_CN"}, "Prompt"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN"}, "Prompt"),
        ({"LANG": "zz_ZZ.UTF-8", "LANGUAGE": "zz"}, "Prompt"),
        ({"SPOTUI_LANG": "zh-CN", "LANG": "C"}, "提示词"),
    ],
)
def test_chinese_is_shown_where_the_locale_asks_for_it(
    variables: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _("Prompt") == text


def test_a_language_is_chosen_for_this_process_and_a_variable_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    lang.use("zh_CN")
    assert _("Prompt") == "提示词"
    assert ngettext("{n} error", "{n} errors", 1) == "1 error"
    assert join(_("Check the file."), _("Check the path.")) == "请检查文件。请检查路径。"
    assert lang.name_of("zh_CN") == "简体中文"
    monkeypatch.setenv("SPOTUI_LANG", "en")
    lang.use("zh_CN")
    assert _("Prompt") == "Prompt"
    assert lang.name_of("en") == "English"


@pytest.mark.parametrize("length", [4, 20, 28, 2000, -40, -1])
def test_what_is_torn_off_a_catalogue_is_english(
    length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (Path(lang.__file__).parent / "zh_CN.mo").read_bytes()
    (tmp_path / "zh.mo").write_bytes(whole[:length])
    monkeypatch.setenv("SPOTUI_LANG", str(tmp_path / "zh.mo"))
    assert _("Prompt") in ("Prompt", "提示词")
    assert _("~{n} tokens", n=3) == "~3 tokens"


def test_spotui_lang_comes_before_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalogue(tmp_path / "de.mo", {"No file.": "Keine Datei."})
    monkeypatch.setattr(lang, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("SPOTUI_LANG", "en")
    assert _("No file.") == "No file."
