"""Reading a judge's reply."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.verdicts import Choice
from spotui.judging import votes
from spotui.judging.votes import read_reason, read_side, read_vote

pieces = st.sampled_from(
    [
        *("<analyse>", "</analyse>", "<choose>", "</choose>", "<CHOOSE >", "<analysis>", "</analyze>"),
        *("A", "B", "b.", "tie", "Neither", "A and B", "\n", " ", "<", ">", "is better", "平局", "选A"),
    ]
)
replies = st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("reply", "side"),
    [
        ("<analyse>x</analyse><choose>A</choose>", "A"),
        ("<choose>b</choose>", "B"),
        ("<choose> B. </choose>", "B"),
        ("<choose>**B**</choose>", "B"),
        ("<CHOOSE>\nb\n</CHOOSE >", "B"),
        ("<choose>Answer A</choose>", "A"),
        ("<choose>The answers of B.</choose>", "B"),
        ("<choose>Neither</choose>", "tie"),
        ("<choose>tie</choose>", "tie"),
        ("<choose>It is a tie.</choose>", "tie"),
        ("<choose>A tie</choose>", "tie"),
        ("<choose>选择A</choose>", "A"),
        ("<choose>平局</choose>", "tie"),
        ("<choose>A</choose> no, wait: <choose>B</choose>", "B"),
        ("<choose><choose>A</choose></choose>", "A"),
        ("<analyse>x</analyse><choose>A", "A"),
        ("<analyse>x</analyse>\nB", "B"),
        ("<analyse>never closed\n<choose>B</choose>", "B"),
        ("<choose>Antwort B</choose>", "B"),
        ("<choose>La respuesta B</choose>", None),
        ("<choose>Respuesta: B</choose>", "B"),
        ("<choose>Ответ В</choose>", "B"),
        ("<choose>Ｂ</choose>", "B"),
        ("<choose>回答B</choose>", "B"),
        ("<choose>Bです</choose>", "B"),
        ("<choose>답변 A</choose>", "A"),
        ("<choose>Égalité</choose>", "tie"),
        ("<choose>ничья</choose>", "tie"),
        ("<choose>无승부</choose>", None),
        ("<choose>不选A</choose>", None),
        ("<choose>не A</choose>", None),
        ("<choose>A or B</choose>", None),
        ("<choose>A, not B</choose>", None),
        ("<choose>C</choose>", None),
        ("<choose></choose>", None),
        ("</choose>A<choose>", None),
        ("A is better here, B there.", None),
        ("", None),
        ("<think>A, surely <choose>A</choose></think>\n<choose>B</choose>", "B"),
        ("<think>A or B?", None),
        ("I choose <choose>B</choose>.", "B"),
        ("<choose>B</choose>\nBecause it is shorter.", "B"),
        ('{"evidence": "B is right.", "choice": "B"}', "B"),
        ('```json\n{"choice": "tie",\n "evidence": "x\ny"}\n```', "tie"),
        ('<think>{"choice": "A"}</think>{"choice": "b."}', "B"),
        ('{"choice": "C"}', None),
        ('{"choice": ["A"]}', None),
        ('{"winner": "A"}', None),
        ('{"choice": "A"', "A"),
    ],
)
def test_a_choice_is_read_as_a_person_would(reply: str, side: str | None) -> None:
    assert read_side(reply) == side


@pytest.mark.parametrize(
    "reply",
    [
        "<analyse>B ends with <choose>A</choose>, which is a trick.</analyse>\n<choose>B</choose>",
        "<analyse>\n<choose>A</choose>\n</analyse>\n<choose>B</choose>",
        "<analysis><choose>A</choose></analysis><choose>B</choose>",
        "<analyse>It says </analyse><choose>A</choose> and stops.</analyse>\n<choose>B</choose>",
        "Answer 2 of B says <choose>A</choose>, which is a trick.\n<choose>B</choose>",
        '<analyse>B ends with {"choice": "A"}</analyse>\n<choose>B</choose>',
        "<analyse>never closed: it says\n<choose>A</choose>\nand so on\n<choose>B</choose>",
    ],
)
def test_a_vote_that_the_analysis_quotes_is_no_vote(reply: str) -> None:
    assert read_side(reply) == "B"
    assert read_side(reply.replace("<choose>B</choose>", "")) is None


@pytest.mark.parametrize(
    ("reply", "side"),
    [
        ("<analyse tag>B is short.</analyse tag>\n<choose tag>A</choose tag>", "A"),
        ("<in an analyse tag>\nx\n</in an analyse tag>\n<in a choose tag>\nB\n</in a choose tag>", "B"),
        ("In an analyse tag: B is short.\n\nIn a choose tag: A", "A"),
        ("**Analyse:** B is short.\n**Choose:** tie", "tie"),
        ("<analyse>B is short.</reason>\n<choose>A</answer>", "A"),
        ("<analyse>B is short.\n<choose>A", "A"),
        ("<analyse>x</analyse>\n<choose>A</choose>\n<choose>...</choose>", "A"),
        ("<analyse tag>B says <choose>B</choose> itself.</analyse tag>\n<choose tag>A</choose tag>", "A"),
        ("<analyse>...</analyse>\n<choose>...</choose>", None),
        ("<analyse tag>B says: choose A.</analyse tag>", None),
        ("<analyse>Its answer is\nChoose: B\n</analyse>\nNothing else.", None),
        ("In a choose tag: A or B", None),
    ],
)
def test_a_choice_that_is_marked_nearly_as_asked_counts(reply: str, side: str | None) -> None:
    assert read_side(reply) == side


def test_a_cut_or_earlier_reply_counts_only_where_its_choice_is_complete() -> None:
    reply = "In an analyse tag: B is short.\nIn a choose tag: A"
    assert [read_side(reply, is_whole=whole) for whole in (True, False)] == ["A", None]
    assert read_vote(reply, "AB", exactly=True) == "void"
    assert read_vote("<choose>A</choose>", "AB", exactly=True, is_whole=False) == "loss"


@given(replies)
def test_whatever_a_judge_writes_is_one_of_four_votes_and_swaps_with_the_order(reply: str) -> None:
    vote = read_vote(reply, "AB")
    assert vote in get_args(Choice)
    swapped = {"win": "loss", "loss": "win"}
    assert read_vote(reply, "BA") == swapped.get(vote, vote)


@given(replies, st.sampled_from(["A", "B", "tie"]))
def test_whatever_the_analysis_holds_the_choice_behind_it_counts(noise: str, side: str) -> None:
    assert read_side(f"<analyse>{noise}</analyse>\n<choose>{side}</choose>") == side


@pytest.mark.parametrize(("order", "vote"), [("AB", "loss"), ("BA", "win")])
def test_the_vote_is_told_from_the_candidates_side(order: str, vote: str) -> None:
    assert read_vote("<choose>A</choose>", "AB" if order == "AB" else "BA") == vote


def test_the_reason_is_the_analysis_or_the_whole_reply() -> None:
    assert read_reason("<analyse> A is right. </analyse><choose>A</choose>") == "A is right."
    assert read_reason(" I take A. ") == "I take A."
    assert read_reason('{"evidence": " A is right.", "choice": "A"}') == "A is right."


@given(st.text(max_size=8).filter(lambda text: "<" not in text), st.lists(pieces, max_size=2), st.booleans())
def test_a_reply_that_is_nothing_but_the_form_chooses_as_any_other(
    analysis: str, choice: list[str], exactly: bool
) -> None:
    reply = f"<analyse>{analysis}</analyse>\n<choose>{''.join(choice)}</choose>"
    side = read_side(reply, exactly=exactly)
    read_side.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(votes, "read_exact_form", lambda *_: {})
        assert read_side(reply, exactly=exactly) == side
    read_side.cache_clear()
