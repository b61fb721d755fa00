"""Which number an answer comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.marking import fault, mark

RIGHT = [
    ("8", "8"),
    ("-8", "-8"),
    ("−8", "-8"),
    ("The answer is -8.", "-8"),
    ("It is 2.5", "2.50"),
    ("2.5.", "2.5"),
    ("$1,234.50", "1234.5"),
    ("1 apple and 2 pears make 3", "3"),
    ("3 * 6 = 18 dollars", "18"),
    ("5 - 3 = 2", "2"),
    ("5 - 3", "3"),
    ("The answer is 18, as 3 times 6 shows.", "18"),
    ("The answer is 3 * 6 = 18.", "18"),
    ("**Answer:** 18 (3 of them are red)", "18"),
    ("**Answer: 18** because of the 3", "18"),
    ("Answer:\n18\nbecause of the 3", "18"),
    ("The answer is not 5. The answer is 6. I checked 2 times.", "6"),
    ("She pays 16 - 3 - 4 = 9.\n#### 18", "18"),
    ("#### $1,000", "1000"),
    (r"so \boxed{42} after 3 steps", "42"),
    (r"so \boxed{\text{42 apples}} after 3 steps", "42"),
    (r"\boxed{\$1{,}200}", "1200"),
    ("-$8", "-8"),
    ("$-8", "-8"),
    ("- 8", "8"),
    ("1. First\n2. Second: 7", "7"),
    ("2,5", "2.5"),
    ("0,125", "0.125"),
    ("1,2,3", "3"),
    (".5", "0.5"),
    ("1e3", "1000"),
    ("1.5E-3", "0.0015"),
    ("50%", "50"),
    ("1\u202f000\u202f000", "1000000"),
    ("答案是 12。", "12"),
    ("18 eggs", "9 + 9 = 18\n#### 18"),
    ("12345678901234567890", "12345678901234567890"),
]
WRONG = [
    ("-8", "8"),
    ("8", "-8"),
    ("The temperature is −8 degrees", "8"),
    ("2.5", "2"),
    ("2.5", "5"),
    ("2", "2.5"),
    ("1,000", "1"),
    ("1000", "1"),
    ("12345678901234567890", "12345678901234567891"),
    ("x2", "2"),
    ("none", "0"),
    ("", "0"),
]


@pytest.mark.parametrize(("answer", "reference"), RIGHT)
def test_right(answer: str, reference: str) -> None:
    assert mark("number", answer, reference).value == 1, mark("number", answer, reference).read


@pytest.mark.parametrize(("answer", "reference"), WRONG)
def test_wrong(answer: str, reference: str) -> None:
    assert mark("number", answer, reference).value == 0


def test_a_tolerance_is_taken_in() -> None:
    near = {"name": "number", "tolerance": 0.01}
    assert mark(near, "3.14", "3.15").value == 1
    assert mark(near, "3.13", "3.15").value == 0


def test_a_reference_without_a_number_is_a_fault_of_the_row() -> None:
    assert fault("number", "many") == "The answer “many” is not a single number."
    assert fault("number", "3") == ""


@given(
    st.decimals(-(10**9), 10**9, places=3), st.sampled_from(["{:f}", "{:,}", "So it is {:f}.", "= {:f} m"])
)
def test_every_number_is_read_as_it_is_written(number: object, frame: str) -> None:
    text = frame.format(number)
    assert mark("number", text, str(number)).value == 1, text


@given(st.text("0123456789.,-−+eE$% =#:{}\\", max_size=30))
def test_whatever_looks_like_numbers_is_read_or_left(text: str) -> None:
    assert mark("number", text, "7").value in {0, 1}
