"""Reasons that recur are counted together; others are not."""

import time

from hypothesis import given
from hypothesis import strategies as st

from spotui.view.reasons import GROUPS_KEPT, Reasons, content_words
from tests.view.at_a_glance import VOTED, voted_round
from tests.view.test_picture import painted


def test_reasons_that_say_the_same_in_other_words_are_one() -> None:
    reasons = Reasons()
    reasons.take('Answer A gives no concrete example. "Hot Mug" is short.', "loss")
    reasons.take("B is missing a concrete example!", "loss")
    reasons.take("No concrete examples were given. No concrete example.", "win")
    reasons.take("The tone is friendly and polite.", "win")
    reasons.take("", "win")
    (only,) = reasons.recurring
    assert (only.count, only.wins, only.losses) == (3, 1, 2)
    assert "concrete example" in only.text
    assert reasons.total == 5


def test_quotes_numbers_and_empty_words_say_nothing() -> None:
    assert content_words('Answer 1, "Hot Mug", is better than the other.') == frozenset()
    assert content_words("It explains the reasons clearly.") == {"explain", "reason", "clear"}
    assert "具体" in content_words("回答没有具体例子")


def test_votes_are_taken_in_once_and_people_s_are_left_out() -> None:
    picture = painted(
        VOTED,
        *voted_round(1, "seed", 1),
        *voted_round(2, "win", 2, "win", "win", "loss", reason="It names a concrete example for each claim."),
    )
    reasons = Reasons()
    assert reasons.update(picture)
    assert not reasons.update(picture)
    (only,) = reasons.recurring
    assert (only.count, only.wins, only.losses) == (3, 2, 1)
    assert reasons.update(painted(VOTED, *voted_round(1, "seed", 1))) is False or not reasons.groups


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_can_be_taken_in(texts: list[str]) -> None:
    reasons = Reasons()
    for text in texts:
        reasons.take(text, "win")
    assert all(1 <= one.wins <= len(texts) for one in reasons.groups)


def test_thousands_of_reasons_take_no_more_room_than_some_hundred() -> None:
    reasons = Reasons()
    began = time.process_time()
    for number in range(3000):
        words = " ".join(
            f"w{chr(97 + number % 26)}{chr(97 + place + number // 26 % 20)}x" for place in range(6)
        )
        reasons.take(f"{words} {'abcdefghij'[number % 10] * 5}. It lacks a concrete example.", "win")
    assert len(reasons.groups) <= GROUPS_KEPT + 2
    assert max(one.count for one in reasons.groups) == 3000
    assert time.process_time() - began < 20
