"""Reasoning in the text of an answer is separated from it, in the marks of every family."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.providers.chat.reasoning import HARMONY, MARKS, Marks, ReasoningSplitter, split_reasoning

DRAFT = "Maybe <prompt>a draft in style 99</prompt> or <choose>A</choose>. "
ANSWER = "In style 0: amber brook.\n"

FAMILIES = [pytest.param(marks, id=marks.opening) for marks in MARKS if marks is not HARMONY]

OF_MARKS = [marks for marks in MARKS if not marks.needs_closing]
OF_WORDS = [marks for marks in MARKS if marks.needs_closing]
ALONE = [marks for marks in MARKS if marks.alone]

ANALYSIS = "<|channel|>analysis<|message|>"
COMMENTARY = "<|start|>assistant<|channel|>commentary<|message|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"
JSON = "<|start|>assistant<|channel|>final <|constrain|>json<|message|>"


def written(marks: Marks, thought: str, answer: str) -> str:
    """A reply as a model of that family writes it."""
    return f"{marks.opening}{thought}{marks.closing}{marks.answer}{answer}{marks.end}"


def streamed(pieces: list[str]) -> tuple[str, str]:
    splitter = ReasoningSplitter()
    settled = [splitter.feed(piece) for piece in pieces] + [splitter.flush()]
    return "".join(text for text, _ in settled), "".join(reasoning for _, reasoning in settled)


def cut(text: str, places: list[int]) -> list[str]:
    bounds = sorted({0, len(text), *(place for place in places if place < len(text))})
    return [text[start:end] for start, end in pairwise(bounds)]


@pytest.mark.parametrize("marks", FAMILIES)
def test_the_marks_of_a_family_hold_its_reasoning(marks: Marks) -> None:
    assert split_reasoning(written(marks, DRAFT, ANSWER)) == (ANSWER, DRAFT)


@pytest.mark.parametrize("marks", FAMILIES)
def test_a_family_may_write_line_breaks_around_its_marks(marks: Marks) -> None:
    text, reasoning = split_reasoning("\n" + written(marks, f"\n{DRAFT}\n", "\n\n" + ANSWER))
    assert (text.strip(), reasoning.strip()) == (ANSWER.strip(), DRAFT.strip())


@pytest.mark.parametrize(
    "marks", [one for one in MARKS if not one.needs_closing], ids=lambda one: one.opening
)
def test_reasoning_that_never_ends_is_all_reasoning(marks: Marks) -> None:
    assert split_reasoning(marks.opening + DRAFT) == ("", DRAFT)


@pytest.mark.parametrize("marks", OF_WORDS, ids=lambda marks: marks.opening)
def test_words_that_open_reasoning_mean_nothing_without_those_that_close_it(marks: Marks) -> None:
    text = f"{marks.opening} shows that 2 + 2 is 4."
    assert split_reasoning(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant<|channel|>final<|message|>{answer}",
        f"<|start|>assistant<|channel|>analysis<|message|>{{draft}}<|end|>{FINAL}{{answer}}<|return|>",
        f"{ANALYSIS}{{draft}}{FINAL}{{answer}}<|end|>",
        "<|channel|>analysis<|message|>{draft}<|channel|>final<|message|>{answer}",
        f"{ANALYSIS}{{draft}}<|end|>{JSON}{{answer}}<|return|>",
        f"{ANALYSIS}Hm. <|end|>{COMMENTARY}{{draft}}<|end|>{FINAL}{{answer}}",
        "{draft}<|end|><|start|>assistant<|channel|>final<|message|>{answer}",
        "analysis{draft}assistantfinal{answer}",
    ],
)
def test_only_the_final_channel_of_harmony_is_the_answer(text: str) -> None:
    answer, reasoning = split_reasoning(text.format(draft=DRAFT, answer=ANSWER))
    assert answer == ANSWER
    assert DRAFT.strip() in reasoning


def test_harmony_may_go_straight_to_the_final_channel() -> None:
    assert split_reasoning("<|channel|>final<|message|>Four<|return|>") == ("Four", "")


@pytest.mark.parametrize(
    ("whole", "text", "reasoning"),
    [
        ("  \n<think>\n2 + 2\n</think>4 ", "4 ", "\n2 + 2\n"),
        ("<think>a</think> <think>b</think> c", "c", "ab"),
        ("<thinking>a</thinking><reflection>b</reflection>\nc", "c", "ab"),
        ("<THINK>a</Think>b", "b", "a"),
        ("<think>never ends </thi", "", "never ends </thi"),
        ("<think></think>", "", ""),
        ("<think>one </think> more</think>\n\nc", "c", "one more"),
        ("<thinker> is a word", "<thinker> is a word", ""),
        ("<|channel|> is a token", "<|channel|> is a token", ""),
        ("\ufeff<think>a</think>b", "b", "a"),
        ("\u200b\n<think>a</think>b", "b", "a"),
        ("<|im_start|>assistant\n<think>a</think>b", "b", "a"),
        ("<start_of_turn>model\nb", "b", ""),
        ("<think>a <think>b</think> c</think>\nd", "d", "a <think>bc"),
        ("Thinking... about it.", "Thinking... about it.", ""),
        ("So.\n[BEGIN FINAL RESPONSE]\nb\n[END FINAL RESPONSE]", "b\n", "So.\n"),
        ("  plain, with <think>a tag</think> inside", "  plain, with <think>a tag</think> inside", ""),
        ("<thin", "<thin", ""),
        (" \n", " \n", ""),
        ("", "", ""),
    ],
)
def test_only_the_start_of_an_answer_is_reasoning(whole: str, text: str, reasoning: str) -> None:
    assert split_reasoning(whole) == (text, reasoning)


@pytest.mark.parametrize("marks", ALONE, ids=lambda marks: marks.closing)
@pytest.mark.parametrize("behind", ["\n\n", "\n", "", " "])
def test_reasoning_whose_opening_mark_was_in_the_prompt(marks: Marks, behind: str) -> None:
    text, reasoning = split_reasoning(DRAFT + marks.closing + behind + ANSWER)
    assert (text, reasoning) == (ANSWER, DRAFT)
    assert split_reasoning(DRAFT + marks.closing) == ("", DRAFT)
    assert split_reasoning(DRAFT + marks.closing, alone=False)[1] == ""
    assert split_reasoning(f"\n{marks.closing}\n\n{ANSWER}", alone=False) == (ANSWER, "")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 + 2\n</think>\nfour", "four"),
        ("so four</think>Four", "Four"),
        ("所以是四。</think>四", "四"),
        ("Is it </think>\n\nFirst try.</think>\n\nFour", "Four"),
        ("It quotes <think> and </think> once. So:</think>\nFour", "Four"),
        ("four\n</think>\nFour\n</think>\n", "Four\n"),
        ("Draft:\n```\nunfinished\n</think>\nFour:\n```\n4\n```\n", "Four:\n```\n4\n```\n"),
    ],
)
def test_the_last_closing_mark_that_nothing_opened_ends_the_reasoning(text: str, answer: str) -> None:
    assert split_reasoning(text)[0] == answer


@pytest.mark.parametrize("marks", ALONE, ids=lambda marks: marks.closing)
@pytest.mark.parametrize(
    "quote",
    [
        "The tag {closing} ends a thought.",
        "Write `{closing}` at the end.",
        'It ends with "{closing}", as always.',
        "Like this:\n```\na thought\n{closing}\n```\nThat is all.",
        "Put it between {opening} and {closing}.\nThen answer.",
        "<prompt>Think inside {opening} {closing} first.\nThen answer.</prompt>",
        "标签{closing}表示思考结束",
        "Its last word ({closing}) is a tag.",
        "{closing} is a tag.",
    ],
)
def test_an_answer_about_marks_stays_whole(marks: Marks, quote: str) -> None:
    text = quote.format(opening=marks.opening, closing=marks.closing)
    assert split_reasoning(text) == (text, "")


STREAMED = [
    written(marks, DRAFT, ANSWER) for marks in MARKS if not marks.needs_closing and marks is not HARMONY
]
STREAMED += [
    f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "<think>a</think> <thinking>b</thinking> c",
    "plain <think>a</think> text",
]


@given(st.sampled_from(STREAMED), st.lists(st.integers(0, 200)))
def test_where_a_reply_is_cut_makes_no_difference(whole: str, places: list[int]) -> None:
    assert streamed(cut(whole, places)) == streamed([whole])


@given(st.sampled_from(STREAMED))
def test_a_reply_that_comes_by_characters_is_split_like_a_whole_one(whole: str) -> None:
    text, reasoning = streamed(list(whole))
    answer, thought = split_reasoning(whole)
    assert text.startswith(answer)
    assert reasoning == thought


def test_text_is_passed_on_as_soon_as_it_cannot_be_a_mark() -> None:
    splitter = ReasoningSplitter()
    assert splitter.feed("<th") == ("", "")
    assert splitter.feed("e answer") == ("<the answer", "")
    assert splitter.feed(" is") == (" is", "")


def test_reasoning_is_passed_on_but_for_what_may_be_the_closing_mark() -> None:
    splitter = ReasoningSplitter()
    assert splitter.feed("<think>so </th") == ("", "so ")
    assert splitter.feed("en </think>yes") == ("yes", "</then ")


@given(st.text(st.sampled_from("</think>|channel final\n`. A")))
def test_no_text_gets_lost(text: str) -> None:
    answer, reasoning = split_reasoning(text)
    assert len(answer) + len(reasoning) <= len(text)
    assert split_reasoning("x" + text.replace("<", "("))[0] == "x" + text.replace("<", "(")


def test_a_megabyte_of_closing_marks_is_split_at_once() -> None:
    assert split_reasoning("</think>" * 100_000)[0] == ""
    assert split_reasoning("<|assistant|>" * 100_000)[1] == ""
