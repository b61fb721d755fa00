"""Which option, and whether yes or no, an answer chooses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.metrics.multiple_choice import MultipleChoice, read_choice
from spotui.metrics.question_options import options_of
from tests.metrics.marking import fault, mark

OPTIONS = "Which one?\n(A) red\n(B) green\n(C) blue"


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(b)", "B"),
        (" **B** ", "B"),
        ("B.", "B"),
        ("La respuesta correcta es la B.", "B"),
        ("Die Antwort ist: die B", "B"),
        ("A is wrong, so B.", "B"),
        ("First A, then C. Final: B", "B"),
        ("A不对，B对。", "B"),
        ("排除A、C，所以是B。", "B"),
        ("So A and B remain.", None),
        ("Option B", "B"),
        ("B) green", "B"),
        ("B. green", "B"),
        ("B: green", "B"),
        ("B, because A is red", "B"),
        ("B because A is red", "B"),
        ("(B) green. (A) would be too bright.", "B"),
        ("I choose B", "B"),
        ("I choose option (B).", "B"),
        ("I would go with **B**", "B"),
        ("After some thought I pick B over A.", "B"),
        ("The answer is B", "B"),
        ("The answer is (B) green.", "B"),
        ("The correct answer is therefore option B.", "B"),
        ("The best choice would be B", "B"),
        ("Answer: B", "B"),
        ("**Answer:** (B)", "B"),
        ("Answer:\n\nB", "B"),
        ("The answer is (B), not (A).", "B"),
        ("The answer is not (A). It's (B).", "B"),
        (r"Thus \boxed{B}", "B"),
        (r"Thus $\boxed{\text{(B)}}$", "B"),
        ("答案是 B", "B"),
        ("(A) is wrong, so (B)", "B"),
        ("(A) is wrong. (C) cannot be right. That leaves (B).", "B"),
        ("Option A is incorrect. Option B fits.", "B"),
        ("(A) red is a warm colour. (B) green is not.\nThe answer is (B).", "B"),
        ("(A) is too warm and (C) too cold to be it. So (B) fits best.", "B"),
        ("I think A dog would choose (B)", "B"),
        ("A is my choice, because it is red", "A"),
        ("A", "A"),
        ("A.", "A"),
        ("The answer is A because it is red.", "A"),
        ("I choose A", "A"),
        ("(A) and (B) are both fine.", None),
        ("A dog.", None),
        ("", None),
        ("(A) is wrong.", None),
        ("It isn't (A).", None),
    ],
)
def test_the_letter_that_is_chosen(answer: str, letter: str | None) -> None:
    assert read_choice(answer) == letter
    for reference in ("A", "(B)", "B) green"):
        wanted = letter == reference.strip("()")[0]
        assert mark("multiple_choice", answer, reference, question=OPTIONS).value == wanted


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "选B",
            "选择B",
            "故选：B",
            "因此选B。",
            "我选择 B。",
            "应选（B）",
            "选项B正确",
            "【答案】B",
            "答案是：选项B",
            "答案选B",
        ),
        *(
            "B项",
            "（B）",
            "Ｂ",
            "不选A，选B",
            "A错误，B正确",
            "故本题答案为：B。",
            "【答案】B【解析】A错误",
            "本题选B",
        ),
        *("정답: B", "答えはB", "Ответ: B", "La respuesta correcta es B", "Die Antwort ist B."),
        *("answer: b", "the answer is b because a is red", "option b", "ans. (b)", "b. green"),
        *(r"\text{(B)}", r"$\mathbf{B}$", r"\boxed{\text{B. green}}", r"\boxed{\textbf{(B)} green}"),
        *("**(B) green**", "- **B**", "`B`", "<answer>B</answer>", '{"answer": "B"}', "<B>"),
        *(
            "Let's see.\nB",
            "The facts are clear.\n\n**B**",
            "B is correct.",
            "Based on that, B is the best answer",
        ),
        *("Comparing (A) and (B), (B) is better.", "(A) red does not fit. That leaves (B)."),
        *("Either A or C was my first thought, but the answer is B.", "Neither (A) nor (C) fits. (B) does."),
        *(
            "The answer is (A). Wait, that is wrong. It should be (B).",
            "(A) seems right. But (B) is the best choice.",
        ),
        *("green", "I think it is green.", "The answer is green, not red."),
    ],
)
def test_a_choice_is_read_in_every_common_form(answer: str) -> None:
    assert mark("multiple_choice", answer, "(B)", question=OPTIONS).value == 1
    assert mark("multiple_choice", answer, "(A)", question=OPTIONS).value == 0


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "The answer is (A) or (B).",
            "The answer is A or B.",
            "So the answer is (A) and (B).",
            "Answer: A/B",
            "A and B",
        ),
        *(
            "The answer is (A), or maybe (B).",
            "A, B",
            "(A)/(B)",
            "Either (A) or (B)",
            "选A或B",
            "选A、B",
            "答案是AB",
        ),
        *(
            "red or green",
            "The answer could be (A) but more likely (B).",
            "I cannot answer",
            "As an AI, I see no red.",
        ),
    ],
)
def test_an_answer_that_leaves_two_open_chooses_none(answer: str) -> None:
    assert mark("multiple_choice", answer, "(A)", question=OPTIONS).value == 0
    assert mark("multiple_choice", answer, "(B)", question=OPTIONS).value == 0


def test_the_text_of_an_option_is_found_whole() -> None:
    question = "Which?\n(A) blue\n(B) light blue"
    assert mark("multiple_choice", "The answer is light blue.", "(B)", question=question).value == 1
    assert mark("multiple_choice", "The answer is blue.", "(A)", question=question).value == 1
    assert mark("multiple_choice", "The answer is blueish.", "(A)", question=question).read is None
    inline = "Q: Which? (A) red (B) green (C) blue (D) grey"
    assert mark("multiple_choice", "It is grey.", "(D)", question=inline).value == 1


@pytest.mark.parametrize(
    "question",
    [
        "Which?\nA. red\tB. green\nC. blue",
        "Which? (a) red (b) green (c) blue",
        "Which?\na) red\nb) green\nc) blue",
        "以下正确的是（　）A．red B．green C．blue",
        "どれ？\nＡ：red\nＢ：green\nＣ：blue",
        "Which?\n- **A.** red\n- **B.** green\n- **C.** blue",
        "A. red\nB. green\nC. blue\nWhich one is like grass?",
        "J. Smith met A. Brown. Which?\n(A) red\n(B) green\n(C) blue",
        "Q: Sky?\nA. x\nB. y\nC. z\nD. q\nAnswer: B\n\nQ: Grass?\nA. red\nB. green\nC. blue\nA:",
    ],
)
def test_options_are_found_however_they_are_laid_out(question: str) -> None:
    assert options_of(question) == {"A": "red", "B": "green", "C": "blue"}
    assert mark("multiple_choice", "It is green.", "B", question=question).value == 1


def test_a_letter_that_is_no_option_is_no_choice() -> None:
    assert mark("multiple_choice", "X", "X", question=OPTIONS).read is None
    assert mark("multiple_choice", "X", "X", question="Which variable?").value == 1


def test_a_reference_without_a_letter_is_a_fault_of_the_row() -> None:
    assert fault("multiple_choice", "(B)") == fault("multiple_choice", "b") == ""
    metric = MultipleChoice()
    assert metric.fault(Row(OPTIONS, ("D",))) == "The answer “D” is not one of the options A, B, C."
    assert metric.fault(Row(OPTIONS, ("(C)",))) == metric.fault(Row("?", ("D",))) == ""
    assert fault("multiple_choice", "green") == "The answer “green” is not the letter of an option."


@given(st.text("ABCD()*. abnotisxor\n", max_size=40))
def test_whatever_is_answered_is_read_or_left(answer: str) -> None:
    assert read_choice(answer) in {*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", None}


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("Yes", "yes"),
        ("yes.", "yes"),
        ("**Yes**", "yes"),
        ("Yes, because no turns are made", "yes"),
        ("Yes because it is", "yes"),
        ("True", "yes"),
        ("No", "no"),
        ("No, it is not", "no"),
        ("No it is not", "no"),
        ("False", "no"),
        ("Not true", "no"),
        ("It isn't false.", "yes"),
        ("The answer is yes", "yes"),
        ("The answer is: No", "no"),
        ("Answer: **No**\nYes would need two turns.", "no"),
        ("You take 5 steps. There are no turns. So the answer is Yes.", "yes"),
        ("No turns are made, you walk on. So yes.", "yes"),
        ("Is it so? Yes or no? No.", "no"),
        (r"\boxed{\text{No}}", "no"),
        ("是的。", "yes"),
        ("不是，因为方向不同。", "no"),
        ("答案：否", "no"),
        ("Yes. Wait, actually no.", "no"),
        ("Yes, it may seem so. But it is not. Therefore, the conclusion: no.", "no"),
        ("First it seems no, so yes.", "yes"),
        ("So 'yes' is wrong, hence no.", "no"),
        ("所以，答案是正确的。", "yes"),
        ("这个说法是错误的", "no"),
        ("Нет", "no"),
        ("Oui.", "yes"),
        ("Yeah, it is.", "yes"),
        ("Nope.", "no"),
        ("不可以。", "no"),
        ("可以，因为方向相同。", "yes"),
        ("Yes/No", None),
        ("The answer is yes or no.", None),
        ("It may be yes or no.", None),
        ("Nothing is known.", None),
        ("", None),
    ],
)
def test_yes_or_no(answer: str, meaning: str | None) -> None:
    assert mark("yes_no", answer, "Yes").value == (meaning == "yes")
    assert mark("yes_no", answer, "False").value == (meaning == "no")
    assert mark("yes_no", answer, "No").read == meaning


@pytest.mark.parametrize(
    ("question", "answer", "meaning"),
    [
        ("Does Bo tell the truth?", "So Bo does not tell the truth.", "no"),
        ("Does Bo tell the truth?", "If that were true, Fay would lie. So Bo tells the truth.", "yes"),
        ("Does Bo tell the truth?", "Therefore, Bo lies.", "no"),
        ("Is it plausible?", "So it is not plausible.", "no"),
        ("Is it plausible?", "It is plausible.", "yes"),
        ("What is it?", "It is plausible.", None),
    ],
)
def test_what_the_question_asks_may_stand_for_yes(question: str, answer: str, meaning: str | None) -> None:
    assert mark("yes_no", answer, "Yes", question=question).read == meaning


def test_a_reference_that_says_neither_is_a_fault_of_the_row() -> None:
    assert fault("yes_no", "maybe") == "The answer “maybe” is not yes or no."
