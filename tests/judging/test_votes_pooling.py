"""One vote out of several."""

import pytest

from spotui.domain.verdicts import Choice
from spotui.judging.votes import pooled

LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}


@pytest.mark.parametrize(
    ("votes", "end"),
    [
        ("w", "win"),
        ("wwl", "win"),
        ("wl", "tie"),
        ("wtt", "win"),
        ("lv", "loss"),
        ("vv", "void"),
        ("vt", "tie"),
    ],
)
def test_the_side_with_more_votes_has_it(votes: str, end: str) -> None:
    assert pooled([LETTERS[vote] for vote in votes]) == end
    assert pooled([LETTERS[vote] for vote in reversed(votes)]) == end
