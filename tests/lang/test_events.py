"""Sentences in events: English on the wire, with codes and values for a front end in another language."""

import json
from pathlib import Path

import pytest

from spotui import lang
from spotui.domain.event_lines import decode_event, encode_event
from spotui.domain.events import Noticed
from spotui.lang import Sentence, _, join, ngettext
from tests.lang.catalogues import write_catalogue


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_catalogue(
        tmp_path / "de.mo",
        {
            "No file.": "Keine Datei.",
            ("{n} row in {path}.", "{n} rows in {path}."): ("{n} Zeile in {path}.", "{n} Zeilen in {path}."),
        },
    )
    monkeypatch.setenv("SPOTUI_LANG", str(path))


@pytest.mark.usefixtures("german")
def test_the_wire_has_the_english_text_with_codes_and_values() -> None:
    text = join(_("No file."), ngettext("{n} row in {path}.", "{n} rows in {path}.", 2, path=Path("a.csv")))
    line = json.loads(encode_event(Noticed(text=text)))

    assert text == "Keine Datei. 2 Zeilen in a.csv."
    assert line["text"] == "No file. 2 rows in a.csv."
    assert line["messages"]["text"] == [
        ["No file.", None, "", 0],
        ["{n} row in {path}.", {"n": 2, "path": "a.csv"}, "{n} rows in {path}.", 2],
    ]


def test_a_front_end_has_a_sentence_of_another_process_in_its_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = encode_event(Noticed(text=_("No file."), level="error"))
    monkeypatch.setenv("SPOTUI_LANG", str(write_catalogue(tmp_path / "de.mo", {"No file.": "Keine Datei."})))
    lang._catalogue.cache_clear()

    event = decode_event(line)
    assert isinstance(event, Noticed)
    assert (event.text, event.level, event.messages) == ("Keine Datei.", "error", {})
    assert isinstance(event.text, Sentence)


@pytest.mark.usefixtures("german")
def test_a_sentence_in_a_value_is_sent_with_its_code_and_read_in_another_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = ngettext("{n} row in {path}.", "{n} rows in {path}.", 2, path="a.csv")
    line = encode_event(Noticed(text=_("Warning: {text}", text=rows)))

    assert json.loads(line)["text"] == "Warning: 2 rows in a.csv."
    event = decode_event(line)
    assert isinstance(event, Noticed)
    assert event.text == "Warning: 2 Zeilen in a.csv."
    monkeypatch.setenv("SPOTUI_LANG", "zh_CN")
    lang.use()
    event = decode_event(line)
    assert isinstance(event, Noticed)
    assert event.text == "警告：2 rows in a.csv."


def test_what_is_no_sentence_in_a_value_leaves_the_english_text() -> None:
    line = encode_event(Noticed(text=_("Warning: {text}", text="x")))
    for value in ("[1]", '[["{text!a:>99999999}",{"text":"x"},"",0]]', "[" * 90 + "]" * 90, "[{}]"):
        event = decode_event(line.replace(b'{"text":"x"}', b'{"text":' + value.encode() + b"}"))
        assert isinstance(event, Noticed)
        assert event.text == "Warning: x"


def test_a_text_that_is_no_sentence_of_the_catalogue_has_no_code() -> None:
    assert "messages" not in json.loads(encode_event(Noticed(text="as the server says it")))
