"""English texts of files, shown in the user's language."""

import pytest

from spotui import lang
from spotui.domain.verdicts import Choice
from spotui.judging.final_check import Checked
from spotui.lang import Sentence
from spotui.lang.recognition import recognized


@pytest.fixture(autouse=True)
def in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lang.VARIABLE, "zh_CN")
    lang.use()


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        (("win",) * 5, "改进：在 5 个问题中，5 个优于初始提示词，0 个更差，0 个没有差异：胜率 100%"),
        (("win", "win", "tie"), "这仍可能出于偶然。"),
        (("tie",) * 3, "没有改进"),
    ],
)
def test_sentences_with_values_and_sentences_in_them_are_those_of_the_catalogue(
    rows: tuple[Choice, ...], part: str
) -> None:
    stored = lang.english(Checked(rows).headline)
    found = recognized(stored)
    assert part in found
    assert found == Checked(rows).headline
    assert isinstance(found, Sentence)
    assert found.english == stored


@pytest.mark.parametrize(
    "text", ["", "hello there.", "All 3 rounds are lost.", "{n}", "All 3 rounds are done. ?"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert recognized(text) == text


def test_english_needs_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lang.VARIABLE, "en")
    lang.use()
    assert type(recognized("All 3 rounds are done.")) is str


def test_several_sentences_are_found_one_by_one() -> None:
    assert (
        recognized("All 3 rounds are done. That may still be chance.")
        == "全部 3 轮已完成。这仍可能出于偶然。"
    )
