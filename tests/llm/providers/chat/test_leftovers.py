"""What chat templates leave around an answer is no part of it, unless the question speaks of it."""

import time

import pytest

from spotui.domain.messages import Message
from spotui.llm.providers.chat.leftovers import without_leftovers

PLAIN = (Message("user", "What is two and two?"),)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Four<|im_end|>", "Four"),
        ("Four<|eot_id|>\n<|end_of_text|>", "Four"),
        ("Four</s>", "Four"),
        ("<s>Five</s>", "<s>Five</s>"),
        ("Four<end_of_turn>\n", "Four"),
        ("<|START_RESPONSE|>Four<|END_RESPONSE|>", "Four"),
        ("It is <|begin_of_box|>4<|end_of_box|>.", "It is 4."),
        ("<answer>\nFour\n</answer>\n", "Four"),
        ("<response>Four</response>", "Four"),
        ("<Output>\n  a\n  b</Output>", "  a\n  b"),
        ("<answer><|begin_of_box|>4<|end_of_box|></answer>", "4"),
        ("<answer>4</answer> and <answer>5</answer>", "<answer>4</answer> and <answer>5</answer>"),
        ("<answer>4", "<answer>4"),
        ("<b>Four</b>", "<b>Four</b>"),
        ("[1, 2]\n", "[1, 2]\n"),
    ],
)
def test_only_the_answer_is_left(text: str, answer: str) -> None:
    assert without_leftovers(text, PLAIN, has_reasoned=True) == answer


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Write the result between <answer> and </answer>.", "<answer>4</answer>"),
        ("Use answer tags.", "<answer>4</answer>"),
        ("How does ChatML end a turn? With <|im_end|>?", "With <|im_end|>"),
        ("What does <|begin_of_box|> mean?", "<|begin_of_box|> opens a box"),
    ],
)
def test_what_the_question_speaks_of_stays(question: str, text: str) -> None:
    assert without_leftovers(text, (Message("user", question),), has_reasoned=True) == text


@pytest.mark.parametrize("written", ["</s>", "<answer> ", "<|im_end|>\n", " "])
def test_a_long_text_is_looked_at_quickly(written: str) -> None:
    began = time.process_time()
    without_leftovers("<answer>" + written * 200_000 + "</answer>", PLAIN, has_reasoned=True)
    without_leftovers(written * 200_000 + "[", PLAIN, has_reasoned=True)
    assert time.process_time() - began < 2


def test_tags_of_ordinary_words_mean_something_where_nothing_was_thought() -> None:
    assert without_leftovers("<answer>4</answer>", PLAIN, has_reasoned=False) == "<answer>4</answer>"
