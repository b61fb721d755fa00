"""What a judge is called."""

from typing import get_args

import pytest

from spotui.judging.votes import judge_in_words
from spotui.settings.values import ResolvedJudge


@pytest.mark.parametrize("judge", get_args(ResolvedJudge))
def test_every_kind_of_judge_has_words_of_its_own(judge: str) -> None:
    words = judge_in_words(judge, "set", json=False)
    assert words.startswith(f"{judge} (")
    assert "unknown" not in words


def test_the_unit_and_the_form_are_named() -> None:
    words = judge_in_words("thorough", "row", json=True)
    assert words.endswith("), question by question, votes as JSON")
