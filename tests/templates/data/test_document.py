"""docs/rows.md says what can be read."""

import re
from pathlib import Path

import pytest

from spotui.domain.rows import slot_names
from spotui.runs.check import check
from spotui.templates.data.source import ENDINGS, KEYS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "rows.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_template_in_it_is_one(text: str) -> None:
    assert check(text).problems == ()


def test_every_key_and_ending_is_in_it() -> None:
    assert [key for key in KEYS if not re.search(rf"\b{key}:", DOCUMENT)] == []
    assert [ending for ending in ENDINGS if f"`{ending}`" not in DOCUMENT] == []


def test_what_it_calls_text_is_no_slot() -> None:
    (line,) = re.findall(r"Text, and sent as it is written: (.*?)\. A name", DOCUMENT, re.DOTALL)
    assert slot_names(line) == frozenset()
