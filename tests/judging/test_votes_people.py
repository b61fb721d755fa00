"""What people's votes come to."""

import pytest

from spotui.domain.verdicts import Choice
from spotui.judging.votes import Counted, PersonsVote, count_people

LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie"}


def votes(text: str) -> list[PersonsVote]:
    """`w` on all answers, `0w` on question 0, `!` behind it outranks."""
    return [
        PersonsVote(
            LETTERS[one.strip("!0123456789")],
            int(one[0]) if one[0].isdecimal() else None,
            outranks=one.endswith("!"),
        )
        for one in text.split()
    ]


@pytest.mark.parametrize(
    ("cast", "counted", "decision"),
    [
        ("", "", None),
        ("w l", "wl", None),
        ("0w 1w", "", None),  # one question has no vote yet
        ("0w 1l 2w", "w", None),
        ("0w 1l 2t", "t", None),
        ("0w 1w 2w 0l 1l", "l", None),  # the last vote on a question counts
        ("t 0l 1l 2w", "tl", None),
        ("w!", "w", "win"),
        ("w! l!", "wl", "loss"),
        ("w! l", "wl", "win"),
        ("0w! 1w", "", None),
        ("0w! 1w 2l", "w", "win"),
        ("0t! 1t 2t", "t", "tie"),
    ],
)
def test_votes_on_the_set_and_on_questions(cast: str, counted: str, decision: Choice | None) -> None:
    expected = Counted(tuple(LETTERS[one] for one in counted), decision)
    assert count_people(votes(cast), 3) == expected
